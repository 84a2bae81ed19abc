"""Activation functions: by name for layers, and as modules. Names and defaults are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd_lite
from autograd_lite import Value
from nn.module import Module
from nn.nested import elementwise

Function = Callable[[Any], Any]

# A layer's weighted sums are Values: their methods are quicker than the functions for anything.
ACTIVATIONS: dict[str, Function] = {
    "relu": Value.relu,
    "leaky_relu": Value.leaky_relu,
    "elu": Value.elu,
    "selu": Value.selu,
    "softplus": Value.softplus,
    "silu": Value.silu,
    "gelu": Value.gelu,
    "mish": Value.mish,
    "softsign": Value.softsign,
    "hardtanh": Value.hardtanh,
    "sigmoid": Value.sigmoid,
    "log_sigmoid": Value.log_sigmoid,
    "tanh": Value.tanh,
    "identity": lambda x: x,
}
"""The function of one Value that each name stands for."""


def activation_function(activation: str | Function | None) -> Function:
    """Return the function of one Value that an activation stands for.

    Parameters
    ----------
    activation : str, callable or None
        A name, a function of one Value (an activation module is one), or None for the identity.

    Raises
    ------
    ValueError
        If no activation has that name.
    TypeError
        If it is neither a name nor a function.
    """
    if activation is None:
        return ACTIVATIONS["identity"]
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise ValueError(f"activation expected one of {known}, got {activation!r}")
        return ACTIVATIONS[activation]
    if not callable(activation):
        raise TypeError(
            "activation expected a name, a function of one Value or None, got"
            f" {type(activation).__name__}: {activation!r}"
        )
    return activation


class Activation(Module):
    """A module that applies one function to every element of a number, a sample or a batch."""

    def function(self, x: Any) -> Any:
        """Return the activation of one number (a float) or Value (a Value)."""
        raise NotImplementedError(f"{type(self).__name__} has no function(); write one to call it")

    def forward(self, x: Any) -> Any:
        """Apply the function to every element; the shape stays."""
        return elementwise(self.function, x)


def _of_either(name: str) -> Any:
    """Return the engine's function of this name, through the quicker method for Values."""
    of_values, of_numbers = getattr(Value, name), getattr(autograd_lite, name)

    def function(x: Any) -> Any:
        return of_values(x) if isinstance(x, Value) else of_numbers(x)

    return staticmethod(function)


class ReLU(Activation):
    """The rectified linear unit max(0, x).

    Examples
    --------
    >>> import nn
    >>> nn.ReLU()([[-1.0, 2.0], [3.0, -4.0]])
    [[0.0, 2.0], [3.0, 0.0]]
    """

    function = _of_either("relu")


class SELU(Activation):
    """The self-normalising exponential linear unit.

    scale · (x if x > 0 else α (exp(x) - 1)) with α = 1.6733 and scale = 1.0507; Klambauer et al.,
    2017.
    """

    function = _of_either("selu")


class Softplus(Activation):
    """log(1 + exp(x)), a smooth stand-in for ReLU."""

    function = _of_either("softplus")


class SiLU(Activation):
    """x · sigmoid(x), also called swish."""

    function = _of_either("silu")


class Mish(Activation):
    """x · tanh(softplus(x))."""

    function = _of_either("mish")


class Softsign(Activation):
    """x / (1 + |x|)."""

    function = _of_either("softsign")


class Sigmoid(Activation):
    """The logistic function 1 / (1 + exp(-x))."""

    function = _of_either("sigmoid")


class LogSigmoid(Activation):
    """log(sigmoid(x)), accurate in both tails."""

    function = _of_either("log_sigmoid")


class Tanh(Activation):
    """The hyperbolic tangent."""

    function = _of_either("tanh")


class LeakyReLU(Activation):
    """x for x > 0, else negative_slope · x.

    Parameters
    ----------
    negative_slope : number or Parameter
        A Parameter makes it a slope that is learned.

    Examples
    --------
    >>> import nn
    >>> nn.LeakyReLU(0.5)([-2.0, 2.0])
    [-1.0, 2.0]
    """

    def __init__(self, negative_slope: Any = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def function(self, x: Any) -> Any:
        return autograd_lite.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(Activation):
    """x for x > 0, else alpha · (exp(x) - 1).

    Parameters
    ----------
    alpha : number or Parameter
        The limit on the left is -alpha.
    """

    def __init__(self, alpha: Any = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def function(self, x: Any) -> Any:
        return autograd_lite.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class GELU(Activation):
    """x · Φ(x), Φ the standard normal distribution function.

    Parameters
    ----------
    approximate : "none" or "tanh"
        The exact function, or its approximation with tanh.

    Raises
    ------
    ValueError
        For any other ``approximate``.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        autograd_lite.gelu(0.0, approximate)  # refuses an unknown name here, not at the first call
        self.approximate = approximate

    def function(self, x: Any) -> Any:
        return autograd_lite.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Hardtanh(Activation):
    """x limited to [min_val, max_val]; at the ends the derivative is taken as 0.

    Parameters
    ----------
    min_val, max_val : number

    Raises
    ------
    ValueError
        If min_val is not less than max_val.
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        if not min_val < max_val:
            raise ValueError(f"Hardtanh expected min_val < max_val, got {min_val} and {max_val}")
        self.min_val = min_val
        self.max_val = max_val

    def function(self, x: Any) -> Any:
        return autograd_lite.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"
