"""Initialisation: what weights are before training.

An initialiser is a function ``init(rng, fan_in, fan_out)`` that draws one weight, where ``rng`` is
a `random.Random`, ``fan_in`` the number of inputs and ``fan_out`` the number of outputs of the
layer. Layers take one as ``init=``, by name ("he", "xavier", "lecun", "zeros", …) or as a function;
biases start at 0. Functions whose names end in ``_`` write into parameters, as in PyTorch.

Lectures differ in what they call Xavier: variance 1 / fan_in is `lecun_normal`, Glorot's (and
PyTorch's) 2 / (fan_in + fan_out) is `xavier_normal`; He's 2 / fan_in is `he_normal`, by PyTorch's
name "kaiming_normal".
"""

from nn.init.choosing import INITIALISERS, initialiser, suited_to
from nn.init.distributions import constant, normal, uniform
from nn.init.gains import calculate_gain
from nn.init.in_place import (
    constant_,
    kaiming_normal_,
    kaiming_uniform_,
    normal_,
    ones_,
    uniform_,
    xavier_normal_,
    xavier_uniform_,
    zeros_,
)
from nn.init.initialisers import (
    Initialiser,
    he_normal,
    he_uniform,
    lecun_normal,
    ones,
    xavier_normal,
    xavier_uniform,
    zeros,
)
from nn.init.seeds import generator

__all__ = [
    "INITIALISERS",
    "Initialiser",
    "calculate_gain",
    "constant",
    "constant_",
    "generator",
    "he_normal",
    "he_uniform",
    "initialiser",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal",
    "normal",
    "normal_",
    "ones",
    "ones_",
    "suited_to",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros",
    "zeros_",
]
