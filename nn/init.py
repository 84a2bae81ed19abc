"""Initialisation: what weights are before training.

The variance of what a layer computes should be that of its inputs, layer after layer; which
spread of the weights does that depends on the activation. An initialiser is a function
``init(rng, fan_in, fan_out)`` that draws one weight, where ``rng`` is a `random.Random`, ``fan_in``
the number of inputs and ``fan_out`` the number of outputs of the layer. Layers take one by name
or as a function; biases start at 0.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from operator import index
from typing import cast

Initialiser = Callable[[random.Random, int, int], float]


def he_normal(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """Draw from N(0, 2 / fan_in): keeps the variance through ReLU, which halves it.

    He et al., Delving Deep into Rectifiers, 2015.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.

    Examples
    --------
    >>> import random
    >>> from nn.init import he_normal
    >>> w = [he_normal(random.Random(i), 8, 1) for i in range(10000)]
    >>> round(sum(x * x for x in w) / len(w), 2)
    0.25
    """
    return rng.gauss(0.0, math.sqrt(2.0 / fan_in))


def he_uniform(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """Draw uniformly from ±√(6 / fan_in), with the variance of `he_normal`.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.

    Examples
    --------
    >>> import random
    >>> from nn.init import he_uniform
    >>> w = [he_uniform(random.Random(i), 6, 3) for i in range(1000)]
    >>> -1.0 <= min(w) < -0.99, 0.99 < max(w) <= 1.0
    (True, True)
    """
    bound = math.sqrt(6.0 / fan_in)
    return rng.uniform(-bound, bound)


def xavier_normal(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """Draw from N(0, 2 / (fan_in + fan_out)): a compromise of forward and backward variance.

    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
    2010.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.

    Examples
    --------
    >>> import random
    >>> from nn.init import xavier_normal
    >>> w = [xavier_normal(random.Random(i), 8, 4) for i in range(10000)]
    >>> round(sum(x * x for x in w) / len(w), 2)
    0.17
    """
    return rng.gauss(0.0, math.sqrt(2.0 / (fan_in + fan_out)))


def xavier_uniform(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """Draw uniformly from ±√(6 / (fan_in + fan_out)), with the variance of `xavier_normal`.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.

    Examples
    --------
    >>> import random
    >>> from nn.init import xavier_uniform
    >>> w = [xavier_uniform(random.Random(i), 3, 3) for i in range(1000)]
    >>> -1.0 <= min(w) < -0.99, 0.99 < max(w) <= 1.0
    (True, True)
    """
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-bound, bound)


def lecun_normal(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """Draw from N(0, 1 / fan_in), which keeps the variance through linear layers.

    What some lectures call Xavier initialisation. LeCun et al., Efficient BackProp, 1998.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.

    Examples
    --------
    >>> import random
    >>> from nn.init import lecun_normal
    >>> w = [lecun_normal(random.Random(i), 8, 4) for i in range(10000)]
    >>> round(sum(x * x for x in w) / len(w), 2)
    0.12
    """
    return rng.gauss(0.0, math.sqrt(1.0 / fan_in))


def zeros(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """Return 0: to see that a network of zeros does not learn.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.

    Examples
    --------
    >>> import random
    >>> from nn.init import zeros
    >>> zeros(random.Random(0), 8, 4)
    0.0
    """
    return 0.0


INITIALISERS: dict[str, Initialiser] = {
    function.__name__: function
    for function in (he_normal, he_uniform, xavier_normal, xavier_uniform, lecun_normal, zeros)
}
"""The initialisers by name."""

_SUITED_TO: dict[str, Initialiser] = {
    "relu": he_normal,
    "leakyrelu": he_normal,
    "elu": he_normal,
    "softplus": he_normal,
    "silu": he_normal,
    "gelu": he_normal,
    "mish": he_normal,
    "selu": lecun_normal,
}


def suited_to(activation: object) -> Initialiser:
    """Return the initialiser for weights whose sums go through an activation.

    He for those that are about 0 on the left (relu, leaky_relu, elu, softplus, silu, gelu, mish),
    LeCun for selu, Xavier for all others: tanh, sigmoid, none, or a function of one's own.

    Parameters
    ----------
    activation : str, callable or None
        A name, a function (judged by its name) or an activation module.

    Examples
    --------
    >>> from nn.init import suited_to
    >>> suited_to("relu").__name__, suited_to("tanh").__name__, suited_to(None).__name__
    ('he_normal', 'xavier_normal', 'xavier_normal')
    """
    if isinstance(activation, str):
        name = activation
    else:
        name = getattr(activation, "__name__", type(activation).__name__)
    # One key for "leaky_relu", the engine's function of that name, and the module LeakyReLU.
    return _SUITED_TO.get(name.replace("_", "").lower(), xavier_normal)


def initialiser(init: str | Initialiser | None, activation: object = None) -> Initialiser:
    """Return an initialiser given by name or as a function; for None the one for the activation.

    Raises
    ------
    ValueError
        If no initialiser has that name.
    """
    if init is None:
        return suited_to(activation)
    if isinstance(init, str):
        if init not in INITIALISERS:
            raise ValueError(f"init expected one of {', '.join(INITIALISERS)}, got {init!r}")
        return INITIALISERS[init]
    if not callable(init):
        raise TypeError(
            f"init expected a name or a function of (rng, fan_in, fan_out), got"
            f" {type(init).__name__}: {init!r}"
        )
    return init


def generator(seed: int | random.Random | None) -> random.Random:
    """Return the source of random numbers for a seed.

    Parameters
    ----------
    seed : int, random.Random or None
        An int starts a generator of its own, so the same seed gives the same numbers. A
        `random.Random` goes on where it is. None draws from the functions of module `random`,
        which ``random.seed(...)`` makes reproducible.

    Examples
    --------
    >>> from nn.init import generator
    >>> generator(0).random() == generator(0).random()
    True
    """
    # The module's functions are the methods of its one shared generator.
    shared = cast(random.Random, random)
    if seed is None or seed is shared:
        return shared
    if isinstance(seed, random.Random):
        return seed
    try:
        return random.Random(index(seed))
    except TypeError:
        raise TypeError(
            f"seed expected an int, a random.Random or None, got {type(seed).__name__}: {seed!r}"
        ) from None
