"""Activation functions: by name for layers, and as modules. Names and defaults are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd_lite
from autograd_lite import Value
from nn.module import Module, flag, refuse_class
from nn.nested import elementwise, is_list
from nn.settings import checked_number

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
        If it is neither a name nor a function, or a class (``nn.ReLU`` instead of ``nn.ReLU()``).
    """
    if activation is None:
        return ACTIVATIONS["identity"]
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise ValueError(f"activation expected one of {known}, got {activation!r}")
        return ACTIVATIONS[activation]
    refuse_class(activation, "activation expected a name, a function of one Value or None")
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


def check_inplace(module: Module, inplace: Any) -> None:
    """Accept what PyTorch's modules take; also catches ``nn.ReLU(x)`` for ``nn.ReLU()(x)``.

    Raises
    ------
    TypeError
        If ``inplace`` is neither True nor False.

    Examples
    --------
    >>> import nn
    >>> from nn.activations import check_inplace
    >>> check_inplace(nn.ReLU(), [-1.0, 2.0])
    Traceback (most recent call last):
        ...
    TypeError: ReLU's inplace expected True or False, got list; a module is made first and then
    called, as in nn.ReLU()(x)
    """
    name = type(module).__name__
    if isinstance(inplace, Value) or is_list(inplace):
        raise TypeError(
            f"{name}'s inplace expected True or False, got {type(inplace).__name__}; a module is"
            f" made first and then called, as in nn.{name}()(x)"
        )
    flag(inplace, f"{name}'s inplace")


class _InplaceAccepted(Activation):
    """An activation without parameters that has ``inplace`` in PyTorch."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        check_inplace(self, inplace)


class ReLU(_InplaceAccepted):
    """The rectified linear unit max(0, x).

    Parameters
    ----------
    inplace : bool
        As in PyTorch, but without effect: Values are never changed in place.

    Examples
    --------
    >>> import nn
    >>> nn.ReLU()([[-1.0, 2.0], [3.0, -4.0]])
    [[0.0, 2.0], [3.0, 0.0]]
    """

    function = _of_either("relu")


class SELU(_InplaceAccepted):
    """The self-normalising exponential linear unit.

    scale · (x if x > 0 else α (exp(x) - 1)) with α = 1.6733 and scale = 1.0507; Klambauer et al.,
    2017.

    Parameters
    ----------
    inplace : bool
        Without effect, as for `ReLU`.

    Examples
    --------
    >>> import nn
    >>> [round(y, 4) for y in nn.SELU()([-1.0, 0.0, 1.0])]
    [-1.1113, 0.0, 1.0507]
    """

    function = _of_either("selu")


class Softplus(Activation):
    """log(1 + exp(βx)) / β, a smooth stand-in for ReLU.

    Parameters
    ----------
    beta : float
        β, above 0; the larger, the closer to ReLU.
    threshold : float
        Without effect, at least 20: PyTorch returns x where βx is above it, which leaves out less
        than 2.1e-9 / β; here the formula is exact everywhere.

    Raises
    ------
    TypeError, ValueError
        For a β that is no finite number above 0, or a smaller threshold.

    Examples
    --------
    >>> import nn
    >>> [round(y, 4) for y in nn.Softplus()([-1000.0, 0.0, 1000.0])]
    [0.0, 0.6931, 1000.0]
    >>> nn.Softplus(beta=2.0), round(nn.Softplus(beta=2.0)(0.0), 4)
    (Softplus(beta=2.0), 0.3466)
    """

    _function = _of_either("softplus")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = checked_number("Softplus", "beta", beta, positive=True)
        if checked_number("Softplus", "threshold", threshold) < 20.0:
            raise ValueError(
                f"Softplus expected a threshold of at least 20, got {threshold}: it computes the"
                " exact formula everywhere"
            )

    def function(self, x: Any) -> Any:
        if self.beta == 1.0:
            return self._function(x)
        return self._function(x * self.beta) / self.beta

    def extra_repr(self) -> str:
        return "" if self.beta == 1.0 else f"beta={self.beta}"


class SiLU(_InplaceAccepted):
    """x · sigmoid(x), also called swish.

    Parameters
    ----------
    inplace : bool
        Without effect, as for `ReLU`.

    Examples
    --------
    >>> import nn
    >>> [round(y, 4) for y in nn.SiLU()([-1.0, 0.0, 1.0])]
    [-0.2689, 0.0, 0.7311]
    """

    function = _of_either("silu")


class Mish(_InplaceAccepted):
    """x · tanh(softplus(x)).

    Parameters
    ----------
    inplace : bool
        Without effect, as for `ReLU`.

    Examples
    --------
    >>> import nn
    >>> [round(y, 4) for y in nn.Mish()([-1.0, 0.0, 1.0])]
    [-0.3034, 0.0, 0.8651]
    """

    function = _of_either("mish")


class Softsign(Activation):
    """x / (1 + |x|).

    Examples
    --------
    >>> import nn
    >>> nn.Softsign()([-1.0, 0.0, 3.0])
    [-0.5, 0.0, 0.75]
    """

    function = _of_either("softsign")


class Sigmoid(Activation):
    """The logistic function 1 / (1 + exp(-x)).

    Examples
    --------
    >>> import nn
    >>> [round(y, 4) for y in nn.Sigmoid()([-1.0, 0.0, 1.0])]
    [0.2689, 0.5, 0.7311]
    """

    function = _of_either("sigmoid")


class LogSigmoid(Activation):
    """log(sigmoid(x)), accurate in both tails.

    Examples
    --------
    >>> import nn
    >>> [round(y, 4) for y in nn.LogSigmoid()([-1000.0, 0.0, 1.0])]
    [-1000.0, -0.6931, -0.3133]
    """

    function = _of_either("log_sigmoid")


class Tanh(Activation):
    """The hyperbolic tangent.

    Examples
    --------
    >>> import nn
    >>> [round(y, 4) for y in nn.Tanh()([-1.0, 0.0, 1.0])]
    [-0.7616, 0.0, 0.7616]
    """

    function = _of_either("tanh")


class LeakyReLU(Activation):
    """x for x > 0, else negative_slope · x.

    Parameters
    ----------
    negative_slope : number or Parameter
        A Parameter makes it a slope that is learned.
    inplace : bool
        Without effect, as for `ReLU`.

    Examples
    --------
    >>> import nn
    >>> nn.LeakyReLU(0.5)([-2.0, 2.0])
    [-1.0, 2.0]
    """

    def __init__(self, negative_slope: Any = 0.01, inplace: bool = False) -> None:
        super().__init__()
        check_inplace(self, inplace)
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
    inplace : bool
        Without effect, as for `ReLU`.

    Examples
    --------
    >>> import nn
    >>> [round(y, 4) for y in nn.ELU(2.0)([-1.0, 0.0, 1.0])]
    [-1.2642, 0.0, 1.0]
    """

    def __init__(self, alpha: Any = 1.0, inplace: bool = False) -> None:
        super().__init__()
        check_inplace(self, inplace)
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

    Examples
    --------
    >>> import nn
    >>> round(nn.GELU()(1.0), 4), round(nn.GELU("tanh")(1.0), 4)
    (0.8413, 0.8412)
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
    inplace : bool
        Without effect, as for `ReLU`.

    Raises
    ------
    ValueError
        If min_val is not less than max_val.

    Examples
    --------
    >>> import nn
    >>> nn.Hardtanh()([-3.0, 0.5, 3.0]), nn.Hardtanh(0.0, 6.0)(8.0)
    ([-1.0, 0.5, 1.0], 6.0)
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        check_inplace(self, inplace)
        if not min_val < max_val:
            raise ValueError(f"Hardtanh expected min_val < max_val, got {min_val} and {max_val}")
        self.min_val = min_val
        self.max_val = max_val

    def function(self, x: Any) -> Any:
        return autograd_lite.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class Identity(Activation):
    """Passes everything as it is: a place for an activation in a network that has none.

    Parameters
    ----------
    *args, **kwargs
        Accepted and ignored, as in PyTorch.

    Examples
    --------
    >>> import nn
    >>> nn.Identity()([1.0, -2.0])
    [1.0, -2.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def function(self, x: Any) -> Any:
        return x

    def forward(self, x: Any) -> Any:
        """Return the input itself."""
        return x
