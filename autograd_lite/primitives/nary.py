"""Operations on any number of operands, one recorded node each. Sums go from left to right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from autograd_lite.primitives.core import Variadic, plain, variadic_entry
from autograd_lite.primitives.elementary import exp, is_zero, log1p, toward_one
from autograd_lite.primitives.ieee import INFINITY


def left_to_right(terms: Sequence[Any]) -> Any:
    """Add from left to right. (The builtin ``sum`` compensates from Python 3.12 on.)"""
    return reduce(add, terms)


def _count(operands: Sequence[Any]) -> float:
    return float(len(operands))


def _halves(operands: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    """Split dot's operands: the xs, the ys, and what the sum starts from (if anything)."""
    n = len(operands) // 2
    return operands[:n], operands[n : 2 * n], operands[2 * n :]


def _dot(operands: Sequence[Any]) -> Any:
    xs, ys, start = _halves(operands)
    products = map(mul, xs, ys)
    return reduce(add, products, *start)


def _dot_partials(operands: Sequence[Any], y: Any) -> Sequence[Any]:
    xs, ys, start = _halves(operands)
    return (*ys, *xs, *(1.0 for _ in start))


total = variadic_entry(
    Variadic(
        "total",
        left_to_right,
        lambda operands, y: (1.0,) * len(operands),
        formula="x[0] + x[1] + …",
        derivatives=("1",),
        doc="The sum of all numbers.",
    )
)
dot_product = variadic_entry(
    Variadic(
        "dot",
        _dot,
        _dot_partials,
        formula="x[0] * y[0] + x[1] * y[1] + …",
        derivatives=("y[i]", "x[i]"),
    )
)
mean = variadic_entry(
    Variadic(
        "mean",
        lambda operands: left_to_right(operands) / _count(operands),
        lambda operands, y: (1.0 / _count(operands),) * len(operands),
        formula="(x[0] + x[1] + …) / n",
        derivatives=("1 / n",),
        doc="The arithmetic mean.",
    )
)


def _deviations(operands: Sequence[Any]) -> list[Any]:
    middle = mean(operands)
    return [x - middle for x in operands]


def _variance(operands: Sequence[Any]) -> Any:
    deviations = _deviations(operands[:-1])
    return left_to_right([d * d for d in deviations]) / operands[-1]


def _variance_partials(operands: Sequence[Any], y: Any) -> Sequence[Any]:
    """2 (x - mean) / freedom: what flows through the mean adds up to 0."""
    freedom = operands[-1]
    return [*(2.0 * d / freedom for d in _deviations(operands[:-1])), -y / freedom]


variance = variadic_entry(
    Variadic(
        "var",
        _variance,
        _variance_partials,
        formula="((x[0] - mean)**2 + (x[1] - mean)**2 + …) / freedom",
        derivatives=("2 * (x[i] - mean) / freedom", "-y / freedom"),
    )
)


def _products_of_the_others(operands: Sequence[Any], y: Any) -> Sequence[Any]:
    """Prefix times suffix: right when factors are 0, where ``y / x`` would not be."""
    before: list[Any] = [1.0]
    for x in operands[:-1]:
        before.append(before[-1] * x)
    partials: list[Any] = []
    after: Any = 1.0
    for x, product in zip(reversed(operands), reversed(before), strict=True):
        partials.append(product * after)
        after = x * after
    return partials[::-1]


prod = variadic_entry(
    Variadic(
        "prod",
        lambda operands: reduce(mul, operands),
        _products_of_the_others,
        formula="x[0] * x[1] * …",
        derivatives=("(x[0] * x[1] * …) / x[i]",),
        doc="The product of all numbers; its derivative is right where factors are 0.",
    )
)


def _extreme(operands: Sequence[Any], direction: float) -> Any:
    """Return the largest (direction 1) or smallest (-1) operand; a NaN if there is one."""
    best = operands[0]
    for x in operands[1:]:
        if not best <= best:
            return best
        if not x * direction < best * direction:
            best = x
    return best


def _shares(operands: Sequence[Any], y: Any) -> Sequence[float]:
    """Share the derivative equally among the operands that attain the result (or are NaN)."""
    attained = [y <= x <= y or (not y <= y and not x <= x) for x in operands]
    share = 1.0 / sum(attained)
    return [share if hit else 0.0 for hit in attained]


max_of = variadic_entry(
    Variadic(
        "max_of",
        lambda operands: _extreme(operands, 1.0),
        _shares,
        formula="max(x[0], x[1], …)",
        derivatives=("1 if x[i] >= max(x[0], x[1], …) else 0",),
        doc="The largest number; at a tie the largest share the derivative equally.",
    )
)
min_of = variadic_entry(
    Variadic(
        "min_of",
        lambda operands: _extreme(operands, -1.0),
        _shares,
        formula="min(x[0], x[1], …)",
        derivatives=("1 if x[i] <= min(x[0], x[1], …) else 0",),
        doc="The smallest number; at a tie the smallest share the derivative equally.",
    )
)


def _in_units_of(i: int, numbers: Sequence[Any]) -> list[Any]:
    """Return the ratios to one of the numbers; its own is a constant."""
    return [1.0 if k == i else x / numbers[i] for k, x in enumerate(numbers)]


def _logsumexp(operands: Sequence[Any]) -> Any:
    """Return max + log(Σ exp(x - max)), the largest term (exactly 1) left to log1p."""
    largest = _extreme(operands, 1.0)
    if not -INFINITY < largest < INFINITY:
        return largest
    rest = 0.0
    counted = False
    for x in operands:
        if not counted and largest <= x:
            counted = True
        else:
            rest = rest + exp(x - largest)
    return largest + log1p(rest)


def _softmax(operands: Sequence[Any], y: Any) -> Sequence[Any]:
    """exp(x) / Σ exp(x), shifted by the largest x: a constant, which cancels in the quotient.

    A share p near 1 is 1 / (1 + the others / its term), whose slope p (1 - p) does not cancel.
    """
    largest = plain(max_of(operands)) if hasattr(y, "_held") else _extreme(operands, 1.0)
    if not -INFINITY < largest < INFINITY:
        return [exp(x - y) for x in operands]
    grown = [exp(x - largest) for x in operands]
    whole = total(grown)
    shares = [e / whole for e in grown]
    for i, share in enumerate(shares):
        if share > 0.5:
            shares[i] = 1.0 / total(_in_units_of(i, grown))
    return shares


logsumexp = variadic_entry(
    Variadic(
        "logsumexp",
        _logsumexp,
        _softmax,
        formula="log(exp(x[0]) + exp(x[1]) + …)",
        derivatives=("exp(x[i]) / (exp(x[0]) + exp(x[1]) + …)",),
        doc="A smooth stand-in for the maximum, without overflow.",
    )
)


def _norm_partials(operands: Sequence[Any], y: Any) -> Sequence[Any]:
    """Return x / √Σ x²; near ±1 as ±1 / √(1 + Σ (the others / x)²), whose slope does not cancel."""
    scale = toward_one(*operands)
    scaled = [x * scale for x in operands]
    length = norm(scaled)
    if is_zero(length):
        return [0.0] * len(operands)
    slopes = [x / length for x in scaled]
    for i, slope in enumerate(slopes):
        if slope > 0.75 or slope < -0.75:
            side = plain(slope)
            slopes[i] = side / abs(side) / norm(_in_units_of(i, scaled))
    return slopes


norm: Variadic = variadic_entry(
    Variadic(
        "norm",
        lambda operands: math.hypot(*operands),
        _norm_partials,
        formula="(x[0]**2 + x[1]**2 + …)**0.5",
        derivatives=("x[i] / (x[0]**2 + x[1]**2 + …)**0.5",),
        doc="The length of the vector x; at 0 its derivative is taken as 0.",
    )
)
