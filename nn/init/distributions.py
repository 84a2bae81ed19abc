"""Initialisers of a value or distribution of one's own, whatever the sizes of the layer."""

from __future__ import annotations

import math
import random

from nn.init.initialisers import Initialiser
from nn.nested import number_for


def _finite(given: float, what: str) -> float:
    number = float(number_for(f"{what} expected a number", given))
    if not math.isfinite(number):
        raise ValueError(f"{what} expected a finite number, got {given!r}")
    return number


def constant(val: float) -> Initialiser:
    """Return the initialiser that gives every weight the same value.

    Neurons of one layer then stay identical, as nothing tells them apart.

    Parameters
    ----------
    val : float

    Raises
    ------
    TypeError, ValueError
        If it is no finite number.

    Examples
    --------
    >>> import nn
    >>> [w.data for w in nn.Linear(3, 1, init=nn.init.constant(0.5)).weight[0]]
    [0.5, 0.5, 0.5]
    """
    value = _finite(val, "constant's val")

    def initialiser(rng: random.Random, fan_in: int, fan_out: int) -> float:
        return value

    return initialiser


def uniform(a: float = 0.0, b: float = 1.0) -> Initialiser:
    """Return the initialiser that draws uniformly from a to b.

    Parameters
    ----------
    a, b : float
        As in PyTorch from 0 to 1 unless given, so not around 0.

    Raises
    ------
    TypeError, ValueError
        If they are no finite numbers, or a > b.

    Examples
    --------
    >>> import nn
    >>> layer = nn.Linear(3, 1, init=nn.init.uniform(-0.1, 0.1), seed=0)
    >>> all(-0.1 <= w.data <= 0.1 for w in layer.weight[0])
    True
    """
    low, high = _finite(a, "uniform's a"), _finite(b, "uniform's b")
    if low > high:
        raise ValueError(f"uniform expected a <= b, got {a!r} and {b!r}")

    def initialiser(rng: random.Random, fan_in: int, fan_out: int) -> float:
        return rng.uniform(low, high)

    return initialiser


def normal(mean: float = 0.0, std: float = 1.0) -> Initialiser:
    """Return the initialiser that draws from a normal distribution.

    Parameters
    ----------
    mean, std : float
        Its mean and standard deviation. Deviation 1 is far too large for wide layers.

    Raises
    ------
    TypeError, ValueError
        If they are no finite numbers, or the deviation is negative.

    Examples
    --------
    >>> import nn
    >>> layer = nn.Linear(3, 1, init=nn.init.normal(std=0.01), seed=0)
    >>> max(abs(w.data) for w in layer.weight[0]) < 0.05
    True
    """
    middle, deviation = _finite(mean, "normal's mean"), _finite(std, "normal's std")
    if deviation < 0.0:
        raise ValueError(f"normal expected std >= 0, got {std!r}")

    def initialiser(rng: random.Random, fan_in: int, fan_out: int) -> float:
        return rng.gauss(middle, deviation)

    return initialiser
