"""By how much the table of primitives is off: where it is measured, and in what unit.

The tests draw thousands of such points, `benchmarks/accuracy.py` millions.
"""

from __future__ import annotations

import math
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import CodeType, FunctionType

from textbook import exactly, ulps

from autograd_lite.primitives import TABLE, Primitive
from autograd_lite.primitives.ieee import power

Point = tuple[float, ...]

FIXED = [primitive for primitive in TABLE.values() if isinstance(primitive, Primitive)]
UNARY = [primitive for primitive in FIXED if primitive.arity == 1]

LIMIT = 8.0
"""The worst error of a value or a derivative, in units of the last place of the exact result."""


@dataclass(frozen=True)
class Exemption:
    """Another bound than `LIMIT`: as a number for each point, in words, and the reason for it."""

    at: Callable[[Point], float]
    bound: str
    reason: str


def _power_of_normal_numbers(point: Point) -> float:
    a, b = point
    return LIMIT if _normal(power(a, b)) and _normal(power(a, b) / a) else math.inf


def _log_of_sum_of_exponentials(point: Point) -> float:
    y = TABLE["logaddexp"].evaluate(*point)
    return 2.0 * max(map(math.ulp, (*point, y))) / math.ulp(y)


def _share_of_exponentials(point: Point) -> float:
    a, b = point
    return LIMIT + 2.0**53 * math.ulp(a - b)


def _normal(x: float) -> bool:
    return sys.float_info.min <= abs(x) <= sys.float_info.max


EXEMPTIONS = {
    ("/", "d/db"): Exemption(
        lambda point: LIMIT if _normal(point[0] / point[1]) else math.inf,
        "8 ulp where `a / b` is a normal number",
        "The partial is `-y / b`, one operation, with the quotient y that is there already. Where y"
        " is subnormal, is 0 or has overflowed, its digits are lost before.",
    ),
    ("**", "d/da"): Exemption(
        _power_of_normal_numbers,
        "8 ulp where `a**b` and `a**b / a` are normal numbers",
        "The partial goes through `a**(b - 1)`, or through `y / a` where `b - 1` is rounded.",
    ),
    ("**", "d/db"): Exemption(
        _power_of_normal_numbers,
        "8 ulp where `a**b` and `a**b / a` are normal numbers",
        "The partial is `y * log(a)`: `log(a)` magnifies the digits that a subnormal y lacks.",
    ),
    ("logaddexp", "value"): Exemption(
        _log_of_sum_of_exponentials,
        "2 ulp of the largest of a, b and the result",
        "The result is `max(a, b)` plus a correction. Where the two cancel, near"
        " `exp(a) + exp(b) = 1`, it has as many digits as `max(a, b)` leaves.",
    ),
    ("logaddexp", "d/da"): Exemption(
        _share_of_exponentials,
        "8 ulp and `2**53 * ulp(a - b)` more",
        "The partial is `sigmoid(a - b)`: the exponential magnifies the rounding of the difference"
        " by the difference itself.",
    ),
    ("logaddexp", "d/db"): Exemption(
        _share_of_exponentials,
        "8 ulp and `2**53 * ulp(a - b)` more",
        "As for a.",
    ),
}
"""What is held to another bound: primitive and quantity."""


def operand_names(primitive: Primitive) -> str:
    return "x" if primitive.arity == 1 else "abc"[: primitive.arity]


def quantities(primitive: Primitive) -> list[str]:
    """Return what there is to measure: the value, and the derivative for each operand."""
    return ["value", *(f"d/d{name}" for name in operand_names(primitive))]


def bound(primitive: Primitive, quantity: str, point: Point) -> float:
    """Return the worst error that is allowed at a point; infinity where nothing is promised."""
    exemption = EXEMPTIONS.get((primitive.name, quantity))
    return LIMIT if exemption is None else exemption.at(point)


def names_of(primitive: Primitive, point: Point) -> dict[str, float]:
    """Name the operands, and the result where the textbook's derivative uses it."""
    names = dict(zip(operand_names(primitive), point, strict=True))
    if any(re.search(r"\by\b", text) for text in primitive.derivatives):
        names["y"] = primitive.evaluate(*point)
    return names


def errors(primitive: Primitive, point: Point) -> Iterator[tuple[str, float]]:
    """Yield each quantity with its error at a point, in units of the last place."""
    y = primitive.evaluate(*point)
    computed = [y, *(primitive.partial(i, *point, y) for i in range(primitive.arity))]
    names = names_of(primitive, point)
    texts = (primitive.formula, *primitive.derivatives)
    for quantity, got, text in zip(quantities(primitive), computed, texts, strict=True):
        yield quantity, ulps(got, exactly(text, **names))


# -- points ----------------------------------------------------------------------------------------

ZEROS_OF_DERIVATIVES = (-1.2784645427610737, -1.1924312145154952, -0.7524614220710163)
ZEROS_OF_DERIVATIVES += (-0.7517915246935645, -2.0 / 3.0, 0.5671432904097838)
"""Of silu, mish, gelu_tanh and gelu, where derivatives cancel; and two places like any other."""

THRESHOLDS = (
    *(709.782712893384, 710.4758600739439, 745.1332191019412, 708.3964185322641),  # exp, sinh
    *(1024.0, -1022.0, -1074.0, -1075.0),  # exp2
    *(372.5666, 354.198, 18.714973875118524, 19.061547),  # tanh: the derivative's end; 1 is reached
    *(5.863584748755167, 26.543258454, 27.226017111, 26.615717509),  # erf is 1; erfc, erf' vanish
    *(37.5193793471445, 38.485408335566, 38.56804181549, 8.292361075813595),  # the normal tail
    *(-21.28, -22.0, -20.9, 36.7368005696771, 37.42994775023705),  # gelu_tanh, log1p(exp(x))
    *(1.3407807929942596e154, 1.4916681462400413e-154, 9.480751908109176e153, 5.6e102),  # squares
    *(2.2250738585072014e-308, 1.1125369292536007e-308, 5.562684646268003e-309),  # subnormals
    *(1.7976931348623157e308, 8.98846567431158e307, 4503599627370496.0, 9007199254740992.0),
)
"""Where results, or squares on the way, overflow, vanish, or reach a limit."""


def _constants(formula: object, seen: set[int]) -> Iterator[float]:
    """Yield the numbers in a formula's code and in the functions and primitives that it calls."""
    if id(formula) in seen:
        return
    seen.add(id(formula))
    if isinstance(formula, Primitive):
        for part in (formula.value, *formula.partials):
            yield from _constants(part, seen)
    elif isinstance(formula, FunctionType):
        codes = [formula.__code__]
        for code in codes:
            codes += [c for c in code.co_consts if isinstance(c, CodeType)]
            yield from (c for c in code.co_consts if isinstance(c, float))
            for name in code.co_names:
                mentioned = formula.__globals__.get(name)
                if isinstance(mentioned, float):
                    yield mentioned
                yield from _constants(mentioned, seen)


@cache
def special_points(primitive: Primitive) -> tuple[float, ...]:
    """Return the places to look at closely: ends, kinks, thresholds, branches of the formulas."""
    found = {0.0, *ZEROS_OF_DERIVATIVES, *THRESHOLDS, *primitive.kinks}
    found.update(end for interval in primitive.domain for end in interval)
    found.update(_constants(primitive, set()))
    found.update([-x for x in found])
    return tuple(sorted(x for x in found if math.isfinite(x)))


def _signed(x: float, draw: random.Random) -> float:
    return x if draw.getrandbits(1) else -x


def _near(x: float, draw: random.Random) -> float:
    """Draw a neighbour: some floats away, or at a distance of any size, absolute or relative."""
    how = draw.randrange(3)
    if how == 0:
        return x + _signed(draw.randrange(65) * math.ulp(x), draw)
    distance = _signed(2.0 ** draw.uniform(-53.0, 0.0 if how == 1 else -2.0), draw)
    return x + distance if how == 1 else x * (1.0 + distance)


def _anywhere(special: tuple[float, ...], draw: random.Random) -> float:
    """Draw a number: ordinary, huge, tiny, subnormal, next to a special point, …"""
    kind = draw.randrange(12)
    if kind < 4:
        return draw.uniform(*((-3.0, 3.0), (-50.0, 50.0), (-800.0, 800.0), (-45.0, 0.0))[kind])
    if kind < 6:
        return _signed(2.0 ** draw.uniform(-1074.0, 1023.999), draw)
    if kind < 8:
        return _signed(2.0 ** draw.uniform(-60.0, 12.0), draw)
    if kind == 8:  # what sine and cosine reduce to almost nothing
        return _signed(float(round(2.0 ** draw.uniform(0.0, 60.0))) * (math.pi / 2.0), draw)
    if kind == 9:
        return _near(draw.choice(ZEROS_OF_DERIVATIVES), draw)
    return _near(draw.choice(special), draw)


def _within(primitive: Primitive, point: Point) -> bool:
    limits = zip(point, primitive.domain, strict=True)
    if not all(low < x < high for x, (low, high) in limits):
        return False
    if primitive.arity == 1:
        return point[0] not in primitive.kinks
    if 0.0 in point or (primitive.kinks and len(set(point)) < len(point)):
        return False
    return primitive.arity < 3 or point[1] <= point[2]


def points(primitive: Primitive, how_many: int, *, seed: object = 0) -> list[Point]:
    """Draw points all over the domain of a primitive."""
    draw = random.Random(f"{primitive.name} {seed}")
    special = special_points(primitive)
    found: list[Point] = []
    while len(found) < how_many:
        point = [_anywhere(special, draw) for _ in range(primitive.arity)]
        if primitive.arity > 1 and draw.randrange(6) == 0:
            point[1] = _near(point[0], draw)
        if _within(primitive, tuple(point)):
            found.append(tuple(point))
    return found
