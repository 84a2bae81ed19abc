"""Points in the domains of functions, as a Hypothesis strategy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd_lite.primitives import TABLE, Primitive, Variadic
from autograd_lite.testing.smoothness import MARGIN, admissible, kinks
from autograd_lite.testing.strategy_options import (
    Operation,
    hypothesis_strategies,
    positive,
    primitive_of,
)

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Interval = tuple[float, float]

LARGEST_EXPONENT = 300


def points(
    of: Operation | int | Sequence[Interval],
    *,
    length: int | None = None,
    extreme: bool = False,
    smooth: bool = True,
    margin: float = MARGIN,
) -> SearchStrategy[list[float]]:
    """Draw points in the domain of a function, as lists of floats.

    Parameters
    ----------
    of : str, Primitive, Variadic, int or sequence of (low, high)
        A primitive (or its name in the table), whose domain and kinks are known; or a number of
        coordinates, any real numbers; or the open interval of each coordinate.
    length : int, optional
        How many coordinates, for an operation on any number of operands; by default up to five.
    extreme : bool
        Magnitudes from 1e-300 to 1e300 too, and points close to the ends of intervals.
    smooth : bool
        Keep away from kinks and edges. If False, these are drawn too.
    margin : float
        How far away; with ``extreme``, a point may come as near as floats allow.

    Returns
    -------
    SearchStrategy of list of float
        Of a primitive, points at which its value and partials are finite numbers (unless
        ``smooth`` is False).

    Raises
    ------
    ImportError
        If Hypothesis is not installed.
    ValueError
        For an unknown operation, a length that does not fit, an empty interval.

    Examples
    --------
    The partials of a primitive of your own, held against differences wherever it is defined:

    >>> from hypothesis import given, settings
    >>> from autograd_lite import Primitive, sin
    >>> from autograd_lite.testing import check_gradients, points
    >>> logit = Primitive(
    ...     "logit",
    ...     lambda p: math.log(p / (1.0 - p)),
    ...     [lambda p, y: 1.0 / (p * (1.0 - p))],
    ...     domain=[(0.0, 1.0)],
    ... )
    >>> @settings(max_examples=20, deadline=None)
    ... @given(points(logit))
    ... def test_logit(point):
    ...     check_gradients(logit, *point)
    >>> test_logit()

    A function of two variables, one of them positive:

    >>> @settings(max_examples=20, deadline=None)
    ... @given(points([(-math.inf, math.inf), (0.0, math.inf)]))
    ... def test_a_function(point):
    ...     check_gradients(lambda x, y: sin(x) / y, *point)
    >>> test_a_function()
    """
    margin = 0.0 if extreme else positive("margin", margin, or_zero=True)
    primitive = primitive_of(of) if isinstance(of, str | Primitive | Variadic) else None
    st = hypothesis_strategies()
    lengths, domain = _coordinates(of, primitive, length)
    places = kinks(primitive) if primitive is not None else ()
    reals = _extreme_reals(st) if extreme else st.floats(-4.0, 4.0).map(lambda x: round(x, 4))

    def coordinates(n: int) -> SearchStrategy[list[float]]:
        intervals = domain if domain is not None else _variadic_domain(primitive, n)
        drawn = [
            _inside(st, reals, interval, places, extreme=extreme, smooth=smooth)
            for interval in intervals
        ]
        return st.tuples(*drawn).map(list)

    found = st.sampled_from(lengths).flatmap(coordinates)
    if not smooth:
        return found
    if primitive is None:
        intervals = domain or []
        return found.filter(lambda point: _within(point, intervals, margin))
    return found.filter(lambda point: admissible(primitive, point, margin, math.inf))


def _coordinates(
    of: Any, primitive: Primitive | Variadic | None, length: int | None
) -> tuple[list[int], list[Interval] | None]:
    """Return the possible numbers of coordinates, and their intervals where they are known."""
    if isinstance(primitive, Variadic):
        return _lengths(primitive.name, length), None
    if length is not None:
        raise ValueError("length is for operations on any number of operands; leave it out here")
    if primitive is not None:
        return [primitive.arity], list(primitive.domain)
    if isinstance(of, int):
        if of < 1:
            raise ValueError(f"points expected at least 1 coordinate, got {of}")
        return [of], [(-math.inf, math.inf)] * of
    try:
        domain = [(float(low), float(high)) for low, high in of]
    except (TypeError, ValueError):
        raise TypeError(
            "points expected a primitive or its name, a number of coordinates, or a list of"
            f" (low, high), got {type(of).__name__}: {of!r}"
        ) from None
    if not domain:
        raise ValueError("points expected at least 1 coordinate, got an empty list")
    for low, high in domain:
        if not low < high:
            raise ValueError(f"points expected intervals with low < high, got ({low}, {high})")
    return [len(domain)], domain


def _lengths(name: str, length: int | None) -> list[int]:
    smallest, step = {"dot": (2, 2), "var": (3, 1)}.get(name, (1, 1))
    if length is None:
        return list(range(smallest, 7, step))
    if length < smallest or (length - smallest) % step:
        wanted = "an even length" if step == 2 else f"a length of at least {smallest}"
        raise ValueError(f"points of {name} have {wanted}, got {length}")
    return [length]


def _variadic_domain(primitive: Any, n: int) -> list[Interval]:
    reals = [(-math.inf, math.inf)] * n
    return [*reals[:-1], (0.0, math.inf)] if primitive is TABLE["var"] else reals


def _extreme_reals(st: Any) -> SearchStrategy[float]:
    """Draw numbers of all magnitudes."""
    exponents = st.integers(-LARGEST_EXPONENT, LARGEST_EXPONENT)
    parts = st.tuples(st.sampled_from((1.0, -1.0)), st.floats(1.0, 9.99), exponents)
    return parts.map(lambda p: p[0] * p[1] * 10.0 ** p[2])


def _inside(
    st: Any,
    reals: SearchStrategy[float],
    interval: Interval,
    places: Sequence[float],
    *,
    extreme: bool,
    smooth: bool,
) -> SearchStrategy[float]:
    """Draw a coordinate: a real number folded into its interval, or a special place."""
    low, high = interval
    found = reals.map(lambda x: _folded(x, low, high))
    if extreme:
        distances = st.integers(1, 15).map(lambda k: 10.0**-k)
        width = min(high - low, 1.0)
        if math.isfinite(low):
            found |= distances.map(lambda d: low + width * d)
        if math.isfinite(high):
            found |= distances.map(lambda d: high - width * d)
    if not smooth:
        ends = [x for x in interval if math.isfinite(x)]
        special = sorted({0.0, *places, *ends})
        found |= st.sampled_from([x for x in special if low <= x <= high] or [low])
    return found


def _folded(x: float, low: float, high: float) -> float:
    """Return x, or where it is not in the interval another number that is."""
    if low < x < high:
        return x
    if math.isfinite(low) and math.isfinite(high):
        return low + (x - low) % (high - low)
    return 2.0 * low - x if math.isfinite(low) else 2.0 * high - x


def _within(point: Sequence[float], intervals: Sequence[Interval], margin: float) -> bool:
    """Tell whether a point is inside, by a margin that narrow intervals have room for."""
    for x, (low, high) in zip(point, intervals, strict=True):
        room = min(margin, 0.1 * (high - low))
        if not low + room <= x <= high - room or x in (low, high):
            return False
    return True
