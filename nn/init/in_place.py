"""PyTorch's functions that initialise what is there: ``nn.init.xavier_uniform_(fc.weight)``.

They take a parameter, a list of them, or rows of them (one per output, as in `Linear.weight`),
write new numbers into all of them, and return what they were given. ``seed`` is as everywhere.
"""

from __future__ import annotations

import random
from functools import partial
from typing import Any

from autograd_lite import Value
from nn.init.distributions import constant, normal, uniform
from nn.init.gains import calculate_gain
from nn.init.initialisers import (
    Initialiser,
    he_normal,
    he_uniform,
    xavier_normal,
    xavier_uniform,
)
from nn.init.seeds import generator
from nn.nested import flat, shape_of

Seed = int | random.Random | None


def _fill(who: str, tensor: Any, draw: Initialiser, seed: Seed, *, fans: bool = False) -> Any:
    """Draw all numbers, then write them, in reading order."""
    parameters = list(flat(tensor))
    for position, parameter in enumerate(parameters):
        if not isinstance(parameter, Value):
            raise TypeError(
                f"{who} expected parameters, got {type(parameter).__name__} at position {position}:"
                f" {parameter!r}"
            )
    shape = shape_of(tensor, who)
    if fans and (len(shape) != 2 or 0 in shape):
        raise ValueError(
            f"{who} expected rows of weights, one for each output, to count inputs and outputs by,"
            f" got shape {shape}"
        )
    fan_out, fan_in = shape if fans else (1, 1)
    rng = generator(seed)
    numbers = [draw(rng, fan_in, fan_out) for _ in parameters]
    for parameter, number in zip(parameters, numbers, strict=True):
        parameter.data = number
    return tensor


def constant_(tensor: Any, val: float) -> Any:
    """Set all to one value.

    Examples
    --------
    >>> import nn
    >>> fc = nn.Linear(2, 3)
    >>> [b.data for b in nn.init.constant_(fc.bias, 0.1)]
    [0.1, 0.1, 0.1]
    """
    return _fill("constant_", tensor, constant(val), None)


def zeros_(tensor: Any) -> Any:
    """Set all to 0.

    Examples
    --------
    >>> import nn
    >>> nn.init.zeros_(nn.Parameter(3.0)).data
    0.0
    """
    return _fill("zeros_", tensor, constant(0.0), None)


def ones_(tensor: Any) -> Any:
    """Set all to 1.

    Examples
    --------
    >>> import nn
    >>> nn.init.ones_(nn.Parameter(3.0)).data
    1.0
    """
    return _fill("ones_", tensor, constant(1.0), None)


def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, *, seed: Seed = None) -> Any:
    """Draw all uniformly from a to b.

    Examples
    --------
    >>> import nn
    >>> fc = nn.Linear(2, 3)
    >>> 2.0 <= nn.init.uniform_(fc.weight, 2.0, 2.5, seed=0)[0][0].data <= 2.5
    True
    """
    return _fill("uniform_", tensor, uniform(a, b), seed)


def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, *, seed: Seed = None) -> Any:
    """Draw all from a normal distribution.

    Examples
    --------
    >>> import nn
    >>> fc = nn.Linear(2, 3)
    >>> abs(nn.init.normal_(fc.weight, std=0.01, seed=0)[0][0].data) < 0.05
    True
    """
    return _fill("normal_", tensor, normal(mean, std), seed)


def xavier_uniform_(tensor: Any, gain: float = 1.0, *, seed: Seed = None) -> Any:
    """Draw all uniformly from ±gain · √(6 / (fan_in + fan_out)); see `xavier_uniform`.

    Examples
    --------
    >>> import nn
    >>> fc = nn.Linear(2, 4)
    >>> abs(nn.init.xavier_uniform_(fc.weight, seed=0)[0][0].data) <= 1.0
    True
    """
    return _fill("xavier_uniform_", tensor, partial(xavier_uniform, gain=gain), seed, fans=True)


def xavier_normal_(tensor: Any, gain: float = 1.0, *, seed: Seed = None) -> Any:
    """Draw all from N(0, gain² · 2 / (fan_in + fan_out)); see `xavier_normal`.

    Examples
    --------
    >>> import nn
    >>> fc = nn.Linear(2, 4)
    >>> weights = nn.init.xavier_normal_(fc.weight, nn.init.calculate_gain("tanh"), seed=0)
    """
    return _fill("xavier_normal_", tensor, partial(xavier_normal, gain=gain), seed, fans=True)


def kaiming_uniform_(
    tensor: Any,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    seed: Seed = None,
) -> Any:
    """Draw all uniformly from ±gain · √(3 / fan), He's initialisation; see `he_uniform`.

    Parameters
    ----------
    tensor : rows of parameters
    a : float
        The slope of leaky_relu; 0 means relu.
    mode : "fan_in" or "fan_out"
        What to divide by, which keeps the variance of activations or of gradients.
    nonlinearity : str
        A name for `calculate_gain`.
    seed : int, random.Random or None

    Raises
    ------
    ValueError, TypeError
        For another mode or nonlinearity, or what is no rows of parameters.

    Examples
    --------
    >>> import nn
    >>> fc = nn.Linear(6, 4)
    >>> abs(nn.init.kaiming_uniform_(fc.weight, nonlinearity="relu", seed=0)[0][0].data) <= 1.0
    True
    """
    draw = _he("kaiming_uniform_", he_uniform, a, mode, nonlinearity)
    return _fill("kaiming_uniform_", tensor, draw, seed, fans=True)


def kaiming_normal_(
    tensor: Any,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    seed: Seed = None,
) -> Any:
    """Draw all from N(0, gain² / fan), He's initialisation; see `he_normal`.

    Parameters
    ----------
    tensor, a, mode, nonlinearity, seed
        As for `kaiming_uniform_`.

    Raises
    ------
    ValueError, TypeError
        For another mode or nonlinearity, or what is no rows of parameters.

    Examples
    --------
    >>> import nn
    >>> fc = nn.Linear(6, 4)
    >>> weights = nn.init.kaiming_normal_(fc.weight, mode="fan_out", nonlinearity="relu", seed=0)
    """
    draw = _he("kaiming_normal_", he_normal, a, mode, nonlinearity)
    return _fill("kaiming_normal_", tensor, draw, seed, fans=True)


def _he(who: str, draw: Any, a: float, mode: str, nonlinearity: str) -> Initialiser:
    """Return He's initialiser with the gain of an activation, for inputs or for outputs."""
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f'{who} expected mode "fan_in" or "fan_out", got {mode!r}')
    # A slope is looked at for leaky_relu alone, as in PyTorch.
    gain = calculate_gain(nonlinearity, a if nonlinearity == "leaky_relu" else None)

    def initialiser(rng: random.Random, fan_in: int, fan_out: int) -> float:
        fans = (fan_in, fan_out) if mode == "fan_in" else (fan_out, fan_in)
        return draw(rng, *fans, gain=gain)

    return initialiser
