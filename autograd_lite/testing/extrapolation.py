"""Difference quotients at many steps, extrapolated to step 0, with an estimate of the error.

A quotient at step h is wrong by truncation, a power series in h, and by rounding, which grows as
1/h. Quotients at h, 2h, 4h, … combine to formulas of higher order (Richardson, 1911); the error of
each is estimated from how fast it settles as h is halved, plus the rounding of the values of f,
which is not taken for granted but measured (Hamming's difference table). Such an estimate holds
for what is chosen by it, where the difference of two neighbours alone (Ridders, 1982) does not.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

EPSILON = sys.float_info.epsilon
SMALLEST = math.ulp(0.0)
MANTISSA = 1482911 / 2**20  # about √2, so that steps are no multiples of natural periods
SETTLING = 0.9  # the slowest decay of differences that still counts as convergence
SAFETY = 2.0
DEVIATIONS = 3.0  # of the measured noise
NOISE_POINTS = 9
NOISE_ORDER = 5
SPACINGS = 2
PROPORTIONAL = 2.0**-36  # the share of noise in f below which it grows with f
DROWNING = 2.0**-10  # the share of noise in f from which on nothing is told
PARTS = (64.0, 77.7, 91.0)  # of a step, in which f is looked at for a finer structure
GRANULE = 2.0**-16  # the largest jump of f, as a share of it, that is taken for rounding
JUMP = 2.0**10  # times the rounding of f, a difference that is none of rounding
STEADY = 2.0**-10  # of a jump, how much f may vary beside it
ROUGHNESS = 16.0  # how much more than its noise f may vary there


class Estimate(NamedTuple):
    """A derivative, how far it may be off, the smallest step it was made from, and its order."""

    value: float
    error: float
    step: float
    order: int


UNKNOWN = Estimate(math.nan, math.inf, math.nan, 0)


class Quotient(NamedTuple):
    """A difference quotient and the rounding error it may contain."""

    step: float
    value: float
    rounding: float


class Table:
    """Richardson's table over quotients whose steps are halved from row to row.

    Parameters
    ----------
    growth : int
        By what power of 2 the orders of the columns grow: 2 for central quotients, whose error
        is a series in h², 1 for one-sided ones.
    columns : range
        The columns that may give the best estimate; column k has order ``growth * (k + 1)``.
    """

    def __init__(self, growth: int, columns: range) -> None:
        self.growth = growth
        self.columns = columns
        self.best = UNKNOWN
        self.last = UNKNOWN
        self._rows: list[list[tuple[float, float]]] = []
        self._diverging: dict[int, float] = {}

    def add(self, quotient: Quotient) -> None:
        """Add the quotient at half the step of the last one; start again at one that is NaN."""
        if not math.isfinite(quotient.value):
            self._rows = []
            self._diverging = {}
            return
        row = [(quotient.value, quotient.rounding)]
        if self._rows:
            for k in range(min(len(self._rows[-1]), self.columns.stop - 1)):
                factor = 2.0 ** (self.growth * (k + 1))
                (coarse, coarse_rounding), (fine, fine_rounding) = self._rows[-1][k], row[k]
                value = fine + (fine - coarse) / (factor - 1.0)
                rounding = (factor * fine_rounding + coarse_rounding) / (factor - 1.0)
                row.append((value, rounding))
        self._rows = [*self._rows[-2:], row]
        self.last = UNKNOWN
        for k in self.columns:
            order = self.growth * (k + 1)
            found = Estimate(
                row[k][0] if k < len(row) else math.nan, self._error(k), quotient.step, order
            )
            if found.error < self.last.error:
                self.last = found
        if self.last.error < self.best.error:
            self.best = self.last

    def value(self, k: int) -> float:
        """Return the last entry of column k; NaN if it is not reached."""
        row = self._rows[-1] if self._rows else []
        return row[k][0] if k < len(row) else math.nan

    def _error(self, k: int) -> float:
        """Sum the differences still to come, as a geometric series, and add the rounding.

        Infinity if they do not decrease, as where the derivative grows as log(h).
        """
        if len(self._rows) < 3 or len(self._rows[0]) <= k:
            return math.inf
        (first, _), (second, _), (third, rounding) = (row[k] for row in self._rows)
        before, now = abs(second - first), abs(third - second)
        now = max(now, before * 2.0 ** (-1.5 * self.growth * (k + 1)))  # not by accident less
        if now > SETTLING * before > 0.0 and now > SAFETY * rounding:
            self._diverging[k] = now
            return math.inf
        if now + rounding > self._diverging.get(k, math.inf) / 4.0:
            return math.inf  # it may diverge still, hidden by rounding
        ratio = min(now / before, SETTLING) if before > 0.0 else (SETTLING if now else 0.0)
        ratio = max(ratio, 2.0 ** (-self.growth * (k + 1)))
        error = SAFETY * now * ratio / (1.0 - ratio) + rounding
        return error if math.isfinite(third) and error == error else math.inf


class Samples:
    """Values of a function around a point, each computed once; NaN where there is none.

    ``known`` is what their errors are known to reach; ``noise`` is what is measured; ``level`` is
    the largest size that was seen.
    """

    def __init__(self, f: Callable[[float], float], x: float, known: float = 0.0) -> None:
        self.f = f
        self.x = x
        self.known = known
        self.noise = 0.0
        self.level = 0.0
        self._known: dict[float, float] = {}

    def at(self, offset: float) -> float:
        """Return f(x + offset)."""
        point = self.x + offset
        found = self._known.get(point)
        if found is None:
            found = self._known[point] = self.f(point) if math.isfinite(point) else math.nan
            if self.level < abs(found) < math.inf:
                self.level = abs(found)
        return found

    def rounding(self, value: float) -> float:
        """Return the rounding error of a value of f."""
        here = abs(self.at(0.0))
        noise = self.noise
        if abs(value) > here and noise < PROPORTIONAL * here:
            noise *= abs(value) / here
        return max(EPSILON * abs(value) + SMALLEST, DEVIATIONS * noise, self.known)

    def central(self, step: float) -> Quotient:
        """Return (f(x + h) - f(x - h)) / 2h."""
        return self._quotient(self.at(step), self.at(-step), step, 2.0)

    def right(self, step: float) -> Quotient:
        """Return (f(x + h) - f(x)) / h."""
        return self._quotient(self.at(step), self.at(0.0), step, 1.0)

    def left(self, step: float) -> Quotient:
        """Return (f(x) - f(x - h)) / h."""
        return self._quotient(self.at(0.0), self.at(-step), step, 1.0)

    def _quotient(self, above: float, below: float, step: float, width: float) -> Quotient:
        rounding = (self.rounding(above) / step + self.rounding(below) / step) / width
        value = (above - below) / step / width
        return Quotient(step, value, rounding + EPSILON * abs(value))

    def noise_at(self, spacing: float, sides: tuple[float, ...]) -> float:
        """Return the size of the errors of f that its high differences beside x show.

        Differences of order k of a smooth function vanish as the spacing shrinks; those of
        independent errors of size σ have the mean square (2k)! / (k!)² · σ². NaN if f hardly
        varies at this spacing. (R. W. Hamming, Introduction to Applied Numerical Analysis, 1971,
        ch. 6; J. Moré and S. Wild, Estimating computational noise, SIAM J. Sci. Comput. 33, 2011.)
        """
        found: list[float] = []
        spacing = exact_step(self.x, spacing)
        for side in sides:
            if self.at(side * spacing * (NOISE_POINTS - 1)) == self.at(0.0):
                continue
            values = [self.at(i * side * spacing) for i in range(NOISE_POINTS)]
            if len(set(values)) <= NOISE_POINTS // 2:
                continue
            for _ in range(NOISE_ORDER):
                values = [b - a for a, b in pairwise(values)]
            found += [v for v in values if math.isfinite(v)]
        scale = math.sqrt(len(found) * math.comb(2 * NOISE_ORDER, NOISE_ORDER))
        return math.hypot(*found) / scale if found else math.nan

    def measure_noise(self, step: float, sides: tuple[float, ...]) -> None:
        """Measure the noise at the smallest spacings, up to a part of the step, where f varies.

        At the very smallest in any case: beside steps of few ulps all that varies counts as noise.
        """
        spacing = max(13.0 * math.ulp(self.x), step * 2.0**-80)
        measured: list[float] = []
        while spacing < max(step / 8.0, 14.0 * math.ulp(self.x)) and len(measured) < SPACINGS:
            noise = self.noise_at(spacing, sides)
            if noise == noise:
                measured.append(noise)
            spacing *= 5.0
        self.noise = max(measured, default=0.0)

    def drowned(self) -> bool:
        """Tell whether f is hardly more than noise around the point."""
        return max(self.noise, self.known) > DROWNING * self.level

    def jumps(self) -> bool:
        """Tell whether f at the point differs from all values close by on a side, not by rounding.

        Beside a jump f is as good as constant, which it is not where it is steep, or noise.
        """
        near = 2.0 * math.ulp(self.x) if self.x else 2.0**-1000
        reach, here = max(abs(self.x), 1.0), self.at(0.0)
        self.at(reach), self.at(-reach)
        rounding = max(GRANULE * self.level, JUMP * self.rounding(here))
        for side in (1.0, -1.0):
            first, *others = (self.at(side * near * 8.0**k) for k in range(5))
            jump = abs(first - here)
            if jump > rounding and all(abs(y - first) <= STEADY * jump for y in others):
                return True
        return False

    def flat(self, step: float, sides: Sequence[float]) -> bool:
        """Tell whether f is the same at a step to the sides."""
        return all(self.at(side * step) == self.at(0.0) for side in sides)

    def granule(self, step: float, limit: float, sides: Sequence[float]) -> float:
        """Return by how much f jumps at the end of a plateau, if rounding made the plateau.

        A function that is rounded inside, such as 1 - cos(x), is a staircase; one that is constant
        in truth, such as relu, leaves its plateau gradually, or by a jump of its own size. 0 if
        f is not constant within the step, or there is no end within the limit.
        """
        if not self.flat(step, sides) or self.flat(limit / 2.0, sides):
            return 0.0
        while step < limit and self.flat(step, sides):
            step *= 2.0
        for side in sides:
            low, high = step / 2.0, step
            if self.flat(high, [side]):
                continue
            while low < (middle := low / 2.0 + high / 2.0) < high:
                if self.x + side * middle in (self.x + side * low, self.x + side * high):
                    break
                low, high = (middle, high) if self.flat(middle, [side]) else (low, middle)
            here, beside = self.at(0.0), high + max(low * 2.0**-20, 4.0 * math.ulp(self.x + high))
            jump = abs(self.at(side * high) - here)
            if abs(self.at(side * beside) - here) <= 2.0 * jump <= GRANULE * self.level:
                return jump
        return 0.0

    def smooth_within(self, step: float, sides: tuple[float, ...]) -> bool:
        """Tell whether f varies no more at a part of the step than its noise explains."""
        level = max(map(abs, (self.at(0.0), self.at(step), self.at(-step))), default=0.0)
        limit = ROUGHNESS * max(self.noise, self.known, EPSILON * level)
        return not any(self.noise_at(step / part, sides) > limit for part in PARTS)


def exact_step(x: float, step: float) -> float:
    """Return a step near the given one that takes x to other floats exactly, where one does."""
    widened = abs(x) + step
    return widened - abs(x) if step < abs(x) and math.isfinite(widened) else step


def steps_below(x: float, start: float) -> Iterator[float]:
    """Yield steps, halved each time, down to the spacing of floats at x."""
    lowest = max(2.0 * math.ulp(x), 2.0**-1060)
    while start >= lowest:
        yield exact_step(x, start)
        start /= 2.0
