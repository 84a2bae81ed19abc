"""Modules of PyTorch for what `nn` has and ``torch.nn`` has not, with the names that `nn` uses.

Only `nn.to_torch` and `nn.from_torch` import this file: it needs PyTorch. The classes are ordinary
modules of PyTorch, in files of `torch.save` and in other processes too, wherever this package can
be imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

SOFTPLUS_THRESHOLD = 40.0
"""Where softplus becomes x: exp(-40) is lost in rounding; PyTorch's own 20 leaves out 2e-9."""


def softplus(x: Any) -> Any:
    """Return log(1 + exp(x)) to the last digit."""
    return functional.softplus(x, threshold=SOFTPLUS_THRESHOLD)


FUNCTIONS: dict[str, Any] = {
    "relu": functional.relu,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "selu": functional.selu,
    "softplus": softplus,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "mish": functional.mish,
    "softsign": functional.softsign,
    "hardtanh": functional.hardtanh,
    "sigmoid": torch.sigmoid,
    "log_sigmoid": functional.logsigmoid,
    "tanh": torch.tanh,
}
"""The function on tensors for each name of `nn.activations`, but for the identity."""


def _activated(x: Any, activation: Any) -> Any:
    if activation is None or activation == "identity":
        return x
    return FUNCTIONS[activation](x) if isinstance(activation, str) else activation(x)


def _named(activation: Any) -> str:
    """Return what ``repr`` says of an activation that is not shown as a module of its own."""
    return "" if isinstance(activation, torch.nn.Module) else f", activation={activation!r}"


class Neuron(torch.nn.Module):
    """One neuron, activation(w · x + b), as `nn.Neuron`.

    Parameters
    ----------
    nin : int
    activation : str, torch.nn.Module or None
    bias : bool
    """

    def __init__(self, nin: int, activation: Any, bias: bool) -> None:
        super().__init__()
        self.nin = nin
        self.activation = activation
        self.w = torch.nn.Parameter(torch.zeros(nin))
        self.b = torch.nn.Parameter(torch.zeros(())) if bias else None

    def forward(self, x: Any) -> Any:
        """Return () for a sample, (n,) for a batch."""
        y = x @ self.w
        return _activated(y if self.b is None else y + self.b, self.activation)

    def extra_repr(self) -> str:
        return f"{self.nin}{_named(self.activation)}, bias={self.b is not None}"


class Layer(torch.nn.Linear):
    """A linear layer and its activation, as `nn.Layer`.

    Parameters
    ----------
    nin, nout : int
    activation : str, torch.nn.Module or None
    bias : bool
    """

    def __init__(self, nin: int, nout: int, activation: Any, bias: bool) -> None:
        super().__init__(nin, nout, bias)
        self.activation = activation

    def forward(self, x: Any) -> Any:
        """Return (nout,) for a sample, (n, nout) for a batch."""
        return _activated(super().forward(x), self.activation)

    def extra_repr(self) -> str:
        return super().extra_repr() + _named(self.activation)


class MLP(torch.nn.Module):
    """A multi-layer perceptron, as `nn.MLP`.

    Parameters
    ----------
    layers : sequence of Layer
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(layers)

    def forward(self, x: Any) -> Any:
        """Return (nout,) for a sample, (n, nout) for a batch; with one output, () and (n,)."""
        for layer in self.layers:
            x = layer(x)
        return x.squeeze(-1) if self.layers[-1].out_features == 1 else x


class Residual(torch.nn.Module):
    """A residual connection, x + module(x) or shortcut(x) + module(x), as `nn.Residual`.

    Parameters
    ----------
    module : torch.nn.Module
    shortcut : torch.nn.Module or None
    """

    def __init__(self, module: Any, shortcut: Any = None) -> None:
        super().__init__()
        self.module = module
        self.shortcut = shortcut

    def forward(self, x: Any) -> Any:
        """Return the sum, in the shape of the module's output."""
        passed = x if self.shortcut is None else self.shortcut(x)
        changed = self.module(x)
        if passed.shape != changed.shape:  # which an addition might broadcast
            raise ValueError(
                f"Residual expected its module's output in shape {tuple(passed.shape)}, got"
                f" {tuple(changed.shape)}"
            )
        return passed + changed


class WeightNorm(torch.nn.Module):
    """A linear layer whose weights are g · v / ‖v‖, as `nn.WeightNorm`.

    Unlike ``torch.nn.utils.parametrizations.weight_norm``, it can be pickled, has ``weight_g``
    and ``weight_v`` in its state, and the right second derivatives (those of PyTorch 2.13 are
    wrong: its backward pass takes ‖v‖ for a constant).

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
    """

    def __init__(self, in_features: int, out_features: int, bias: bool) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight_g = torch.nn.Parameter(torch.ones(out_features, 1))
        self.weight_v = torch.nn.Parameter(torch.ones(out_features, in_features))
        self.bias = torch.nn.Parameter(torch.zeros(out_features)) if bias else None

    @property
    def weight(self) -> Any:
        """The weights, (out_features, in_features), computed from g and v."""
        lengths = torch.linalg.vector_norm(self.weight_v, dim=1, keepdim=True)
        return self.weight_v * (self.weight_g / lengths)

    def forward(self, x: Any) -> Any:
        """Return (out_features,) for a sample, (n, out_features) for a batch."""
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={bias}"


class LeakyReLU(torch.nn.Module):
    """`nn.LeakyReLU` with a slope that is learned; starts at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.negative_slope = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x: Any) -> Any:
        """Return x where it is positive, else negative_slope · x."""
        return torch.where(x > 0, x, self.negative_slope * x)


class ELU(torch.nn.Module):
    """`nn.ELU` with an alpha that is learned; starts at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x: Any) -> Any:
        """Return x where it is positive, else alpha · (exp(x) - 1)."""
        # The limit keeps exp from overflowing where it is not used: inf · 0 would be a gradient.
        return torch.where(x > 0, x, self.alpha * torch.expm1(x.clamp(max=0)))


class _Loss(torch.nn.Module):
    """A loss of each prediction and target, reduced."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def _reduced(self, losses: Any) -> Any:
        if self.reduction == "none":
            return losses
        return losses.mean() if self.reduction == "mean" else losses.sum()

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class HalfMSELoss(_Loss):
    """Half the mean squared error, as `nn.HalfMSELoss`."""

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return ½ (g - y)², reduced."""
        return self._reduced(0.5 * (prediction - target) ** 2)


class HingeLoss(_Loss):
    """The hinge loss of scores and labels ±1, as `nn.HingeLoss`."""

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return max(0, 1 - y·g), reduced."""
        return self._reduced(functional.relu(1.0 - target * prediction))


class LogisticLoss(_Loss):
    """The logistic loss of scores and labels ±1, as `nn.LogisticLoss`.

    ``torch.nn.SoftMarginLoss`` is the same, but overflows.
    """

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return log(1 + exp(-y·h)), reduced."""
        return self._reduced(softplus(-target * prediction))
