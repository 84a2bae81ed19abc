"""Functions with options, with a condition, or of several lists of numbers.

Like the primitives they are built from, they take plain numbers and Values alike: plain numbers
in, plain floats out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd_lite.modes import current_recorder
from autograd_lite.primitives import activations, elementary, nary, number, operands_of, piecewise
from autograd_lite.primitives.core import plain


def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Any:
    """Return x for x > 0, else negative_slope · x.

    Parameters
    ----------
    x, negative_slope : number or Value

    Examples
    --------
    >>> from autograd_lite import leaky_relu
    >>> leaky_relu(-2.0)
    -0.02
    """
    return activations.leaky_relu(x, negative_slope)


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """Return x for x > 0, else alpha · (exp(x) - 1).

    Parameters
    ----------
    x, alpha : number or Value

    Examples
    --------
    >>> from autograd_lite import elu
    >>> round(elu(-1.0), 6)
    -0.632121
    """
    return activations.elu(x, alpha)


def gelu(x: Any, approximate: str = "none") -> Any:
    """Return x · Φ(x), Φ the standard normal distribution function.

    Parameters
    ----------
    x : number or Value
    approximate : "none" or "tanh"
        The exact function, or x / 2 · (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Examples
    --------
    >>> from autograd_lite import gelu
    >>> round(gelu(1.0), 6), round(gelu(1.0, approximate="tanh"), 6)
    (0.841345, 0.841192)
    """
    if approximate == "none":
        return activations.gelu_none(x)
    if approximate == "tanh":
        return activations.gelu_tanh(x)
    raise ValueError(f'approximate must be "none" or "tanh", got {approximate!r}')


def hardtanh(x: Any, min_val: Any = -1.0, max_val: Any = 1.0) -> Any:
    """Return x limited to [min_val, max_val]; at the ends the derivative is taken as 0.

    Parameters
    ----------
    x, min_val, max_val : number or Value

    Examples
    --------
    >>> from autograd_lite import hardtanh
    >>> hardtanh(1.5)
    1.0
    """
    return piecewise.hardtanh_between(x, min_val, max_val)


def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """Return x limited to [min, max]; at the ends the derivative is 1.

    Parameters
    ----------
    x, min, max : number or Value
        A limit of None is no limit; one of them is needed.

    Examples
    --------
    >>> from autograd_lite import clamp
    >>> clamp(1.5, -1.0, 1.0), clamp(-3.0, min=0.0)
    (1.0, 0.0)
    """
    if min is None and max is None:
        raise ValueError("clamp needs min, max or both, got neither")
    low = -float("inf") if min is None else min
    high = float("inf") if max is None else max
    return piecewise.clamp_between(x, low, high)


def where(condition: Any, a: Any, b: Any) -> Any:
    """Return a if the condition is true, else b; only that side is recorded.

    The side that is not taken never poisons the gradient with a NaN. Both are evaluated, though,
    before `where` is called.

    Parameters
    ----------
    condition : bool or Value
        A Value is true where its number is not 0.
    a, b : number or Value

    Examples
    --------
    >>> from autograd_lite import Value, log, where
    >>> x = Value(0.0)
    >>> y = where(x > 0.0, log(x), 0.0)
    >>> y.data
    0.0
    """
    chosen, other = (a, b) if condition else (b, a)
    if hasattr(other, "_record") and not hasattr(chosen, "_record"):
        return other._constant(number(chosen))
    return piecewise.taken(chosen)


def dot(xs: Iterable[Any], ys: Iterable[Any]) -> Any:
    """Return Σ x·y as one node, added from left to right.

    Parameters
    ----------
    xs, ys : iterables of numbers or Values, equally long

    Examples
    --------
    >>> from autograd_lite import Value, dot
    >>> x = [Value(1.0), Value(2.0)]
    >>> y = dot(x, [3.0, 4.0])
    >>> y.data, y.partials
    (11.0, (3.0, 4.0))
    """
    left, right = operands_of("dot", xs), operands_of("dot", ys)
    if len(left) != len(right):
        raise ValueError(f"dot expected two equally long lists, got {len(left)} and {len(right)}")
    return nary.dot_product((*left, *right))


def var(xs: Iterable[Any], correction: float = 1) -> Any:
    """Return the variance Σ (x - mean)² / (n - correction) as one node.

    Parameters
    ----------
    xs : iterable of numbers or Values
    correction : float
        1 for the unbiased estimate, 0 for the mean square deviation.

    Raises
    ------
    ValueError
        If there are not more numbers than ``correction``.

    Examples
    --------
    >>> from autograd_lite import var
    >>> var([1.0, 2.0, 3.0, 4.0], correction=0)
    1.25
    """
    given = operands_of("var", xs)
    freedom = len(given) - number(correction, "a number for correction")
    if freedom <= 0:
        raise ValueError(f"var needs more than correction = {correction} numbers, got {len(given)}")
    return nary.variance((*given, freedom))


def softmax(xs: Iterable[Any]) -> list[Any]:
    """Return exp(x) / Σ exp(x) for each x: positive numbers that add up to 1.

    Shifted by the largest x, which changes nothing and avoids overflow.

    Parameters
    ----------
    xs : iterable of numbers or Values, at least one

    Raises
    ------
    ValueError
        For an empty list.

    Examples
    --------
    >>> from autograd_lite import softmax
    >>> softmax([1000.0, 1000.0])
    [0.5, 0.5]
    """
    grown = [elementary.exp(x) for x in _shifted("softmax", xs)]
    whole = nary.total(grown)
    return [e / whole for e in grown]


def log_softmax(xs: Iterable[Any]) -> list[Any]:
    """Return x - log Σ exp(x) for each x: the logarithms of `softmax`, accurate when it is near 1.

    Parameters
    ----------
    xs : iterable of numbers or Values, at least one

    Raises
    ------
    ValueError
        For an empty list.

    Examples
    --------
    >>> from autograd_lite import log_softmax
    >>> [round(x, 6) for x in log_softmax([0.0, 0.0])]
    [-0.693147, -0.693147]
    """
    shifted = _shifted("log_softmax", xs)
    normaliser = nary.logsumexp(shifted)
    return [x - normaliser for x in shifted]


def _shifted(name: str, xs: Iterable[Any]) -> list[Any]:
    """Subtract the largest number (a constant) from all."""
    given = operands_of(name, xs)
    # While it is recorded: the maximum itself, since which of them is the largest may change.
    recorded = current_recorder() is not None
    largest = plain(nary.max_of(given)) if recorded else max(map(plain, given))
    return [x - largest for x in given]
