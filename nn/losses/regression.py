"""Losses for targets that are numbers."""

from __future__ import annotations

from typing import Any

from autograd_lite import clamp, dot
from nn.losses.elementwise import Elementwise
from nn.nested import number_for


class _Regression(Elementwise):
    """A loss of the difference of prediction and target."""

    def _target(self, given: Any, position: int) -> Any:
        return number_for(f"{type(self).__name__} expected numbers as targets", given, position)


class MSELoss(_Regression):
    """Mean squared error: the mean of (g - y)² over all predictions g and targets y.

    The negative log-likelihood of targets with normal noise: -log N(y; g, σ²) is
    (g - y)² / (2σ²) + log(σ√(2π)), which for σ² = ½ is the squared loss and a constant.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    Notes
    -----
    As in PyTorch, a mean and without ½. Lectures that put ½ before it mean `HalfMSELoss`, those
    that sum over the samples ``reduction="sum"``. Some average the loss by itself, but sum it where
    they add a penalty λ‖Θ‖²: for n predictions, beside the mean that λ is λ/n.

    See Also
    --------
    HalfMSELoss : the form with ½.
    l2_penalty : a penalty on the weights.

    Examples
    --------
    >>> import nn
    >>> from autograd_lite import Value
    >>> g = [Value(1.0), Value(4.0)]
    >>> loss = nn.MSELoss()(g, [3.0, 3.0])
    >>> loss.backward()
    >>> loss.data, g[0].grad
    (2.5, -2.0)
    """

    def _compared(self, predictions: list[Any], targets: list[Any], shape: tuple[int, ...]) -> Any:
        differences = [g - y for g, y in zip(predictions, targets, strict=True)]
        if self.reduction == "none":
            return self._reduced([self._scaled(d * d) for d in differences], shape)
        squares = self._scaled(dot(differences, differences))
        return squares / float(len(differences)) if self.reduction == "mean" else squares

    def _scaled(self, square: Any) -> Any:
        return square


class HalfMSELoss(MSELoss):
    """Half the mean squared error, ½ (g - y)² averaged: its derivative has no factor 2.

    The negative log-likelihood of targets with normal noise of variance 1, apart from the constant
    log √(2π). (Some lectures define the squared loss so; PyTorch's `MSELoss` has no ½.)

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import nn
    >>> nn.HalfMSELoss()([1.0, 4.0], [3.0, 3.0])
    1.25
    """

    def _scaled(self, square: Any) -> Any:
        return square * 0.5


class L1Loss(_Regression):
    """Mean absolute error: the mean of |g - y| over all predictions g and targets y.

    The negative log-likelihood of targets with Laplace noise exp(-|y - g|) / 2, apart from log 2.
    Outliers pull no more than others; where g = y the derivative is taken as 0.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import nn
    >>> nn.L1Loss()([1.0, 5.0], [3.0, 4.0])
    1.5
    """

    def _loss(self, prediction: Any, target: Any) -> Any:
        return abs(prediction - target)


class HuberLoss(_Regression):
    """Squared loss near the target, absolute loss far from it, averaged.

    ½ d² for |d| ≤ δ, else δ (|d| - ½ δ), with d = g - y; its derivative is d limited to ±δ.
    Huber, Robust Estimation of a Location Parameter, 1964. Like PyTorch's, it is δ times its
    SmoothL1Loss.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"
    delta : float
        Where it turns from one to the other, > 0.

    Raises
    ------
    ValueError, TypeError
        For a delta that is no positive number.

    Examples
    --------
    >>> import nn
    >>> nn.HuberLoss("none")([1.0, 1.0], [1.5, 5.0])
    [0.125, 3.5]
    >>> nn.HuberLoss(delta=0.1)(1.0, 5.0)
    0.395
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = float(number_for("HuberLoss expected a number for delta", delta))
        if not self.delta > 0.0:
            raise ValueError(f"HuberLoss expected delta > 0, got {delta!r}")

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, delta={self.delta}"

    def _compared(self, predictions: list[Any], targets: list[Any], shape: tuple[int, ...]) -> Any:
        differences = [g - y for g, y in zip(predictions, targets, strict=True)]
        limited = [clamp(d, -self.delta, self.delta) for d in differences]
        # c·d - ½ c² with the limited difference c: both branches at once, and few nodes.
        if self.reduction == "none":
            pairs = zip(limited, differences, strict=True)
            return self._reduced([c * (d - c * 0.5) for c, d in pairs], shape)
        summed = dot(limited, differences) - dot(limited, limited) * 0.5
        return summed / float(len(differences)) if self.reduction == "mean" else summed
