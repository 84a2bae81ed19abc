"""The table's textbook formulas in arbitrary precision: what the engine's numbers are held against.

The precision is so high that a formula that cancels, such as ``1 - tanh(x)**2`` in the tails, is as
good a reference as one that does not. How high it has to be is worked out beforehand: to repeat
with more digits until two results agree would not do, since ``1 - tanh(500)**2`` is 0 twice.
"""

from __future__ import annotations

import ast
import math
import re
import sys
from functools import cache
from types import CodeType

from mpmath import mp, mpf

DIGITS = 320  # the bits that are to be right at the end, with much to spare
VANISHED = 1650  # what lies so many bits below 1 is far less than any float: its sign is seen
STEP = 160  # precisions come in such steps, since mpmath keeps constants and tables for each


class _ExactLiterals(ast.NodeTransformer):
    """Turns 1/3 into a quotient of exact numbers instead of floats."""

    def visit_Constant(self, node):
        name = ast.Name("mpf", ast.Load())
        return ast.copy_location(ast.Call(name, [node], []), node)


@cache
def _compiled(formula: str) -> CodeType:
    tree = _ExactLiterals().visit(ast.parse(formula.strip(), mode="eval"))
    return compile(ast.fix_missing_locations(tree), formula, "eval")


def _fmod(a, b):
    return a - b * _trunc(a / b)


def _trunc(x):
    return mp.floor(x) if x > 0 else mp.ceil(x)


def _erf(x):
    """Return erf(x), in the tails from erfc: ten times faster, as mpmath needs few digits of it."""
    if not 17 < abs(x) < 1000:
        return mp.erf(x)
    vanishing = math.floor(1.4 * float(x) ** 2)  # the zeros that erfc(x) begins with, in bits
    with mp.workprec(max(DIGITS, mp.prec - vanishing)):
        rest = mp.erfc(abs(x))
    return mp.sign(x) * (1 - rest)


FUNCTIONS = {
    name: getattr(mp, name)
    for name in (
        *("exp", "log", "sqrt", "floor", "ceil", "hypot", "sign"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
        *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
    )
} | {
    "mpf": mpf,
    "erf": _erf,
    "abs": abs,
    "max": max,
    "min": min,
    "round": mp.nint,
    "trunc": _trunc,
    "fmod": _fmod,
    "copysign": lambda a, b: abs(a) if b >= 0 else -abs(a),
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
}


def evaluate(formula: str, **names: float):
    """Evaluate at the current precision."""
    operands = {name: mpf(x) for name, x in names.items()}
    return eval(_compiled(formula), FUNCTIONS | {"pi": +mp.pi}, operands)


def precision(formula: str, *operands: float) -> int:
    """Return the bits in which a formula of the table keeps its digits at these operands.

    Small operands cancel as in ``exp(x) - 1``, which loses what x is below 1; unlike ones as in
    ``a - b * floor(a / b)``. Large ones cancel through what decays, in the table like exp(-2|x|)
    or, where it squares or cubes the operand (the error function squares), like exp(-x²) and
    exp(-|x|³ / 14), until that is far less than the smallest float.
    """
    sizes = [abs(x) for x in operands if x != 0.0] or [1.0]
    if len(operands) > 1:
        sizes.append(1.0)
    large, small = max(sizes), min(sizes)
    spread = math.log2(large) - math.log2(small)
    powers = [int(n) for n in re.findall(r"\*\* *(\d)", formula)]
    degree = 2 if "erf" in formula else max(powers, default=1)
    decay = 3.0 * large if large < 1100.0 else 0.0
    if degree > 1 and large < 48.0:
        decay += 1.5 * large * large
    if degree > 2 and large < 25.0:
        decay += 0.11 * large * large * large
    bits = DIGITS + min(decay, VANISHED) + max(0.0, spread, -math.log2(small))
    return math.ceil(bits / STEP) * STEP


def exactly(formula: str, **names: float):
    """Return the value of a formula, exact for all that floats can tell."""
    with mp.workprec(precision(formula, *names.values())):
        return evaluate(formula, **names)


def nearest(exact) -> float:
    """Round to the nearest float, to an infinity beyond the largest and into the subnormals."""
    if not mp.isfinite(exact):
        return float(exact)
    smallest = mpf(2) ** -1074
    with mp.workprec(2400):
        if abs(exact) < mpf(2) ** -1022:
            return float(mp.nint(exact / smallest) * smallest)
        if abs(exact) >= mpf(2) ** 1024 * (1 - mpf(2) ** -54):
            return math.copysign(math.inf, exact)
    return float(exact)


def ulps(got: float, exact) -> float:
    """Return the distance between a float and an exact number, in units of the last place.

    An infinity in place of a number, or a number in place of an infinity, is measured as if the
    largest float were the next one.
    """
    expected = nearest(exact)
    if math.isinf(expected) and got == expected:
        return 0.0
    if not mp.isfinite(exact) or math.isnan(got):
        return math.inf
    largest = sys.float_info.max
    with mp.workprec(2400):
        distance = abs(mpf(min(max(got, -largest), largest)) - exact)
        unit = math.ulp(min(max(expected, -largest), largest))
        return float(distance / unit) + (1.0 if math.isinf(got) else 0.0)
