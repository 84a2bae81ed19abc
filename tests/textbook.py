"""The table's textbook formulas in arbitrary precision: what the engine's numbers are held against.

The precision is so high that a formula that cancels, such as ``1 - tanh(x)**2`` in the tails, is as
good a reference as one that does not.
"""

from __future__ import annotations

import ast
import math
import sys
from functools import cache
from types import CodeType

from mpmath import mp, mpf

BITS = 2560  # what is left of 1 when the smallest float, 2**-1074, is the difference: 1486 bits
TAMER = ((320, 2.0**-20, 8.0), (1400, 2.0**-60, 40.0))  # enough for operands between such limits


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


FUNCTIONS = {
    name: getattr(mp, name)
    for name in (
        *("exp", "log", "sqrt", "erf", "floor", "ceil", "hypot", "sign"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
        *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
    )
} | {
    "mpf": mpf,
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


def exactly(formula: str, **names: float):
    """Return the value of a formula, exact for all that floats can tell."""
    sizes = [abs(x) for x in names.values()]
    bits = next((n for n, low, high in TAMER if low < min(sizes) and max(sizes) < high), BITS)
    with mp.workprec(bits):
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
    """Return the distance between a float and an exact number, in units of the last place."""
    expected = nearest(exact)
    if got == expected:
        return 0.0 if math.isinf(got) else _distance(got, exact, expected)
    if math.isnan(got) or math.isinf(expected):
        return math.inf
    if math.isinf(got):
        got = math.copysign(sys.float_info.max, got)  # beyond it: at least one step more
        return 1.0 + _distance(got, exact, expected)
    return _distance(got, exact, expected)


def _distance(got: float, exact, expected: float) -> float:
    with mp.workprec(2400):
        return float(abs(mpf(got) - exact) / mpf(math.ulp(expected)))
