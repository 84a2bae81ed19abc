"""A derivative that was computed, held against one by differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from autograd_lite.primitives.ieee import RAISED_BY_FLOATS
from autograd_lite.testing.differences import Difference, finite_difference
from autograd_lite.testing.extrapolation import EPSILON, JUMP

TOLERANCE = 4.0  # times the estimated error of the differences
ULPS = 32.0  # of the derivative itself
PLATEAU = 3  # doublings of the last bit of x within which a step function stays constant
CONSTANT = Difference(0.0, 0.0, 0.0, "constant", 0)
INVISIBLE = 2.0**-1000  # a change of a function that is 0 here, as good as none
WIDER = 4.0  # than the smallest step of a formula, its largest ones
UNSETTLED = 0.01  # relative error from which on differences do not contradict an infinity


class DerivativeError(AssertionError):
    """A derivative that differences contradict.

    Attributes
    ----------
    operation : str
        The name of the first wrong operation; ``""`` if every operation by itself is right.
    position : int
        Which operation of the graph it is, counted from 1 in topological order; 0 for none.
    order : int
        1 for a wrong first derivative, 2 for a wrong second one, …
    mode : str
        ``"reverse"`` or ``"forward"``; ``""`` if the operation itself is wrong, hence both.
    expected, error, got : float
        The derivative by differences, the estimate of its error, and what the engine has.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        position: int = 0,
        order: int = 1,
        mode: str = "",
        expected: float = math.nan,
        error: float = math.nan,
        got: float = math.nan,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.position = position
        self.order = order
        self.mode = mode
        self.expected = expected
        self.error = error
        self.got = got


class Verdict(NamedTuple):
    """Whether a derivative is right, at a kink or jump, or cannot be told (not ``settled``)."""

    right: bool
    difference: Difference

    @property
    def settled(self) -> bool:
        return math.isfinite(self.difference.error)

    @property
    def kink(self) -> bool:
        return bool(self.difference.method == "kink")

    @property
    def jump(self) -> bool:
        return bool(self.difference.method == "jump")

    @property
    def expected(self) -> str:
        """What the differences say, as text."""
        found = self.difference
        if self.kink:
            return (
                f"a number between {found.left:.12g} and {found.right:.12g}, the derivatives from"
                " the left and from the right (the point is at a kink)"
            )
        return f"{found.value:.12g} ± {found.error:.1g}"


def exact(x: float) -> float:
    """Return the rounding error of a function of which none is known."""
    return 0.0


def judge(
    f: Callable[[float], Any],
    x: float,
    got: float,
    *,
    slack: float = 0.0,
    noise: Callable[[float], float] = exact,
    cancels: bool = False,
) -> Verdict:
    """Hold a derivative of f at x against differences; twice, before calling it wrong.

    ``slack`` is the rounding error of the derivative; ``noise`` tells that of f at a point.

    At a kink any number between the one-sided derivatives is right: each is a subgradient. If f
    ``cancels``, being of several operations, that it is 0 all around may be due to rounding.
    """
    first = finite_difference(f, x, noise=noise(x))
    if _agrees(first, got, slack):
        return Verdict(True, first)
    noisy = max(noise(moved) for moved in (x, x - WIDER * first.step, x + WIDER * first.step))
    if noisy > noise(x):
        first = finite_difference(f, x, noise=noisy)
        if _agrees(first, got, slack):
            return Verdict(True, first)
    for options in (
        {"method": "central", "order": 4},
        {"method": "forward", "order": 3},
        {"method": "backward", "order": 3},
    ):
        second = finite_difference(f, x, noise=noisy, **options)  # type: ignore[arg-type]
        if math.isfinite(second.error):
            if _agrees(second, got, slack):
                return Verdict(True, second)
            break
    if got == 0.0 and (_constant_beside(f, x, 1.0) or _constant_beside(f, x, -1.0)):
        return Verdict(True, CONSTANT)
    if got != 0.0 and _vague(f, x, first, cancels):
        return Verdict(True, first._replace(error=math.inf))
    return Verdict(False, first)


def _constant_beside(f: Callable[[float], Any], x: float, side: float) -> bool:
    """Tell whether f is a step function at x: constant, until it jumps by more than rounding."""
    here = float(f(x))
    step = side * (math.ulp(x) if x else EPSILON)
    for doublings in range(64):
        jump = abs(float(f(x + step)) - here)
        if jump > 0.0:
            return doublings >= PLATEAU and jump > JUMP * EPSILON * abs(here)
        step *= 2.0
    return False


def _vague(f: Callable[[float], Any], x: float, found: Difference, cancels: bool) -> bool:
    """Tell whether the error of a difference quotient is that of f changing arbitrarily."""
    seen = max(UNSETTLED * _size(f, x, found.step), 0.0 if cancels else INVISIBLE)
    return found.left is None and found.error * found.step > seen


def _size(f: Callable[[float], Any], x: float, step: float) -> float:
    """Return the size of f around a point."""
    sizes = [0.0]
    for moved in (x, x + step, x - step):
        try:
            sizes.append(abs(float(f(moved))))
        except RAISED_BY_FLOATS:
            continue
    return max(size for size in sizes if math.isfinite(size))


def _agrees(found: Difference, got: float, slack: float) -> bool:
    """Tell whether a number lies where differences say that the derivative is."""
    if not math.isfinite(found.error):
        return True
    if math.isinf(got):
        return found.error > UNSETTLED * abs(found.value)
    jump = 0.0 if found.left is None else abs(found.right / 2.0 - found.left / 2.0)
    allowed = jump + TOLERANCE * (found.error - jump) + ULPS * EPSILON * abs(got) + slack
    return abs(got - found.value) <= allowed
