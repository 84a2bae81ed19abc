"""Central finite differences, the check beside the gradient."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import NamedTuple

STRIDE = 2  # steps shrink by 2**STRIDE
EPSILON = sys.float_info.epsilon


class Difference(NamedTuple):
    """A central difference quotient, its step, and an estimate of its error."""

    value: float
    step: float
    error: float


def central_difference(f: Callable[[float], float], x: float) -> Difference:
    """Approximate f'(x) by (f(x + h) - f(x - h)) / 2h.

    The steps h tried are powers of two, from about 1/16 of the larger of |x| and 1 downward. The
    one chosen has the smallest estimate of truncation error, h² f'''(x) / 6, as the quotient at
    the next larger step shows it, plus rounding error, ε |f| / h.

    Parameters
    ----------
    f : callable
        From a float to a float.
    x : float

    Returns
    -------
    Difference
        NaN if no step gives a finite quotient.

    Examples
    --------
    >>> from autograd_lite.commandline.differences import central_difference
    >>> central_difference(lambda x: x * x, 3.0).value
    6.0
    """
    _, largest = math.frexp(max(abs(x), 1.0))
    _, smallest = math.frexp(min(abs(x), 1.0) or 1.0)
    lowest = max(smallest - 40, -1000)
    best = Difference(math.nan, math.ldexp(1.0, largest - 20), math.inf)
    larger = math.nan
    for exponent in range(largest - 4, lowest, -STRIDE):
        step = math.ldexp(1.0, exponent)
        right, left = f(x + step), f(x - step)
        quotient = (right - left) / step / 2.0
        truncation = abs(quotient - larger) / (4.0**STRIDE - 1.0)
        rounding = EPSILON * (abs(right) + abs(left)) / step
        if truncation + rounding < best.error:
            best = Difference(quotient, step, truncation + rounding)
        larger = quotient
    return best


def relative_difference(a: float, b: float) -> float:
    """Return |a - b| over the larger of |a| and |b|; NaN unless both are finite.

    Examples
    --------
    >>> from autograd_lite.commandline.differences import relative_difference
    >>> relative_difference(1.0, -1.0), relative_difference(0.0, 0.0)
    (2.0, 0.0)
    """
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.nan
    larger = max(abs(a), abs(b))
    return abs(a / larger - b / larger) if larger else 0.0
