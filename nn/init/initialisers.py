"""How one weight is drawn, given the sizes of its layer.

The variance of what a layer computes should be that of its inputs, layer after layer; which
spread of the weights does that depends on the activation.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

Initialiser = Callable[[random.Random, int, int], float]


def he_normal(rng: random.Random, fan_in: int, fan_out: int, *, gain: float | None = None) -> float:
    """Draw from N(0, 2 / fan_in): keeps the variance through ReLU, which halves it.

    He et al., Delving Deep into Rectifiers, 2015; in PyTorch ``kaiming_normal_``.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.
    gain : float, optional
        That of the activation (see `calculate_gain`) in place of ReLU's: gain² instead of 2.

    Examples
    --------
    >>> import random
    >>> from nn.init import he_normal
    >>> w = [he_normal(random.Random(i), 8, 1) for i in range(10000)]
    >>> round(sum(x * x for x in w) / len(w), 2)
    0.25
    """
    return rng.gauss(0.0, math.sqrt(_squared(gain) / fan_in))


def he_uniform(
    rng: random.Random, fan_in: int, fan_out: int, *, gain: float | None = None
) -> float:
    """Draw uniformly from ±√(6 / fan_in), with the variance of `he_normal`.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.
    gain : float, optional
        That of the activation (see `calculate_gain`) in place of ReLU's: gain² instead of 2.

    Examples
    --------
    >>> import random
    >>> from nn.init import he_uniform
    >>> w = [he_uniform(random.Random(i), 6, 3) for i in range(1000)]
    >>> -1.0 <= min(w) < -0.99, 0.99 < max(w) <= 1.0
    (True, True)
    """
    bound = math.sqrt(3.0 * _squared(gain) / fan_in)
    return rng.uniform(-bound, bound)


def xavier_normal(rng: random.Random, fan_in: int, fan_out: int, *, gain: float = 1.0) -> float:
    """Draw from N(0, 2 / (fan_in + fan_out)): a compromise of forward and backward variance.

    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
    2010.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.
    gain : float, optional
        That of the activation (see `calculate_gain`), a factor.

    Examples
    --------
    >>> import random
    >>> from nn.init import xavier_normal
    >>> w = [xavier_normal(random.Random(i), 8, 4) for i in range(10000)]
    >>> round(sum(x * x for x in w) / len(w), 2)
    0.17
    """
    return rng.gauss(0.0, gain * math.sqrt(2.0 / (fan_in + fan_out)))


def xavier_uniform(rng: random.Random, fan_in: int, fan_out: int, *, gain: float = 1.0) -> float:
    """Draw uniformly from ±√(6 / (fan_in + fan_out)), with the variance of `xavier_normal`.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.
    gain : float, optional
        That of the activation (see `calculate_gain`), a factor.

    Examples
    --------
    >>> import random
    >>> from nn.init import xavier_uniform
    >>> w = [xavier_uniform(random.Random(i), 3, 3) for i in range(1000)]
    >>> -1.0 <= min(w) < -0.99, 0.99 < max(w) <= 1.0
    (True, True)
    """
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-bound, bound)


def lecun_normal(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """Draw from N(0, 1 / fan_in), which keeps the variance through linear layers.

    What some lectures call Xavier initialisation, for tanh and sigmoid; Glorot's own, and
    PyTorch's, is `xavier_normal`. LeCun et al., Efficient BackProp, 1998.

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


def _squared(gain: float | None) -> float:
    """Return gain², that of ReLU being 2 to the last digit."""
    return 2.0 if gain is None else gain * gain


def ones(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """Return 1.

    Parameters
    ----------
    rng : random.Random
    fan_in, fan_out : int
        Number of inputs and outputs of the layer.

    Examples
    --------
    >>> import random
    >>> from nn.init import ones
    >>> ones(random.Random(0), 8, 4)
    1.0
    """
    return 1.0
