"""How the error of difference quotients depends on the step: the V-shaped curve."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, SupportsFloat

from autograd_lite.node import Node
from autograd_lite.primitives import number
from autograd_lite.testing.differences import finite_difference
from autograd_lite.transforms import grad
from autograd_lite.value import Value

STEPS = tuple(float(f"1e-{k}") for k in range(17))
CURVES = ("forward", "central", "backward")
WIDTH = 24  # of the widest bar in text


class ErrorCurve(NamedTuple):
    """The error of a derivative by differences against the step; prints as a table.

    Attributes
    ----------
    derivative : float
        What the quotients are held against.
    steps : tuple of float
    errors : dict of str to tuple of float
        For each method the relative error at each step (absolute where the derivative is 0);
        NaN where there is no quotient.
    """

    derivative: float
    steps: tuple[float, ...]
    errors: dict[str, tuple[float, ...]]

    def best(self, method: str) -> tuple[float, float]:
        """Return the step with the smallest error, and that error."""
        pairs = zip(self.steps, self.errors[method], strict=True)
        return min((pair for pair in pairs if pair[1] == pair[1]), key=lambda pair: pair[1])

    def plot(self, ax: Any = None) -> Any:
        """Plot the curves on logarithmic axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to; by default a figure of its own.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ModuleNotFoundError
            If matplotlib, the extra ``plot``, is not installed.
        """
        if ax is None:
            try:
                from matplotlib.figure import Figure
            except ModuleNotFoundError as error:
                raise ModuleNotFoundError(
                    "ErrorCurve.plot needs matplotlib: pip install 'autograd-lite[plot]'"
                ) from error
            ax = Figure().subplots()
        for method, errors in self.errors.items():
            shown = [error if error > 0.0 else math.nan for error in errors]
            ax.loglog(self.steps, shown, marker="o", label=method)
        ax.set_xlabel("step h")
        ax.set_ylabel("relative error" if self.derivative else "absolute error")
        ax.legend()
        return ax

    def __str__(self) -> str:
        """Return a table with a bar per step, as long as the error has digits."""
        kind = "relative" if self.derivative else "absolute"
        lines = [f"{kind} error of the derivative {self.derivative!r}"]
        for method, errors in self.errors.items():
            lines += ["", f"{method} differences"]
            best = self.best(method)
            for pair in zip(self.steps, errors, strict=True):
                note = "  ← best" if pair == best else ""
                lines.append(f"  h = {pair[0]:<8.2g} {pair[1]:<8.1e} {_bar(pair[1])}{note}")
        return "\n".join(lines)


def _bar(error: float) -> str:
    """Return a bar that is a character longer for each factor of 5 above 1e-16."""
    if not 0.0 < error < math.inf:
        return ""
    return "▪" * max(0, min(WIDTH, round(math.log(error / 1e-16, 5.0))))


def error_curve(
    f: Callable[[Any], Any],
    x: SupportsFloat,
    *,
    derivative: float | None = None,
    steps: Sequence[float] = STEPS,
    methods: Sequence[str] = ("forward", "central"),
) -> ErrorCurve:
    """Compare difference quotients at many steps with the derivative.

    Large steps err by truncation, proportionally to h (forward, backward) or h² (central); small
    ones by the rounding of f, proportionally to 1/h.

    Parameters
    ----------
    f : callable
        From a number to a number.
    x : float
        The point.
    derivative : float, optional
        The exact derivative; by default what the engine's reverse mode gives, for which f must be
        written with operators and functions of autograd_lite.
    steps : sequence of float
        By default 1, 0.1, …, 1e-16.
    methods : sequence of {"forward", "central", "backward"}

    Returns
    -------
    ErrorCurve

    Raises
    ------
    TypeError
        If no derivative is given and f turns its argument into a plain float.
    ValueError
        If there are no steps, or a method is unknown.

    Examples
    --------
    >>> from autograd_lite import sin
    >>> from autograd_lite.testing import error_curve
    >>> curve = error_curve(lambda x: (x * x + sin(x * x)) * x * x, 2.0)
    >>> for method in curve.errors:
    ...     step, error = curve.best(method)
    ...     print(f"{method}: {error:.0e} at h = {step:g}")
    forward: 2e-08 at h = 1e-08
    central: 6e-11 at h = 1e-06
    """
    for method in methods:
        if method not in CURVES:
            raise ValueError(
                f"error_curve expected methods among {', '.join(CURVES)}, got {method!r}"
            )
    sizes = tuple(number(step, "numbers for steps") for step in steps)
    if not sizes:
        raise ValueError("error_curve expected at least one step, got none")
    at = x.data if isinstance(x, Node) else number(x, "a number for x")
    if derivative is None and not isinstance(f(Value(at)), Node):
        raise TypeError(
            "error_curve needs f to return a Value for a Value, but it turned the Value into a"
            " plain float, as functions of math do: write f with functions of autograd_lite, or"
            " give the derivative"
        )
    exact = grad(f)(at) if derivative is None else number(derivative, "a number for derivative")
    errors = {
        method: tuple(_error(f, at, method, step, exact) for step in sizes) for method in methods
    }
    return ErrorCurve(exact, sizes, errors)


def _error(f: Callable[[Any], Any], x: float, method: Any, step: float, exact: float) -> float:
    """Return the relative error of one quotient."""
    got = finite_difference(f, x, method=method, step=step).value
    if not exact:
        return abs(got)
    return abs(got - exact) / abs(exact)
