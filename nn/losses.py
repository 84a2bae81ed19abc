"""Losses: how far predictions are from targets. Names and reductions are PyTorch's.

Predictions and targets must have equal shapes: nothing is broadcast, because predictions
[[1], [2]] against targets [1, 2] would silently compare each with each.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from autograd_lite import dot, logsumexp, mean, relu, softplus, total
from nn.module import Module
from nn.nested import as_lists, flat, number_for, shape_of


class Loss(Module):
    """A module of a prediction and a target.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"
        The mean over all elements (for `CrossEntropyLoss`: samples), their sum, or the loss of
        each in the shape of the target.

    Raises
    ------
    ValueError
        For another ``reduction``.
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(
                f'{type(self).__name__} expected reduction "mean", "sum" or "none", got'
                f" {reduction!r}"
            )
        self.reduction = reduction

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"

    def _reduced(self, losses: list[Any], shape: tuple[int, ...]) -> Any:
        """Return the mean, the sum, or the losses in a shape."""
        if self.reduction == "none":
            return _shaped(losses, shape)
        return mean(losses) if self.reduction == "mean" else total(losses)


class _Elementwise(Loss):
    """A loss that compares a prediction with the target in the same place."""

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the loss.

        Parameters
        ----------
        prediction : number, Value, or (nested) list of them
        target : the same shape

        Returns
        -------
        Value
            Reduced; for reduction "none" in the shape of the target. A float if nothing is a Value.

        Raises
        ------
        ValueError
            For unequal shapes, no elements, or targets that this loss has no meaning for.
        TypeError
            For what is no number.
        """
        name = type(self).__name__
        shape, target_shape = shape_of(prediction, name), shape_of(target, name)
        if shape != target_shape:
            raise ValueError(
                f"{name} expected prediction and target of equal shapes, got {shape} and"
                f" {target_shape}"
            )
        if 0 in shape:
            raise ValueError(f"{name} expected at least one prediction, got shape {shape}")
        targets = [self._target(t, i) for i, t in enumerate(flat(target))]
        wanted = f"{name} expected numbers as predictions"
        predictions = [number_for(wanted, p, i) for i, p in enumerate(flat(prediction))]
        return self._compared(predictions, targets, shape)

    def _target(self, given: Any, position: int) -> Any:
        """Return a target as the formula needs it, or refuse it."""
        raise NotImplementedError

    def _compared(self, predictions: list[Any], targets: list[Any], shape: tuple[int, ...]) -> Any:
        """Return the reduced loss."""
        return self._reduced(list(map(self._loss, predictions, targets)), shape)

    def _loss(self, prediction: Any, target: Any) -> Any:
        """Return the loss of one prediction."""
        raise NotImplementedError

    def _label(self, given: Any, position: int, low: float, *, between: bool = False) -> float:
        """Return a label that is ``low`` or 1 (or between them, on request) as a float."""
        name = type(self).__name__
        label = float(number_for(f"{name} expected numbers as labels", given, position))
        if label in (low, 1.0) or (between and low <= label <= 1.0):
            return label
        wanted = f"labels from {low:g} to 1" if between else f"labels {low:g} or 1"
        raise ValueError(f"{name} expected {wanted}, got {given!r} at position {position}")


def _shaped(elements: list[Any], shape: tuple[int, ...]) -> Any:
    """Return a flat list in a shape."""
    for size in reversed(shape):
        elements = [elements[i : i + size] for i in range(0, len(elements), size)]
    return elements[0]


class MSELoss(_Elementwise):
    """Mean squared error: the mean of (g - y)² over all predictions g and targets y.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    See Also
    --------
    HalfMSELoss : the form with ½.

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

    def _target(self, given: Any, position: int) -> Any:
        return number_for(f"{type(self).__name__} expected numbers as targets", given, position)

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


class HingeLoss(_Elementwise):
    """max(0, 1 - y·g) for scores g and labels y = ±1, averaged.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import nn
    >>> nn.HingeLoss()([0.5, 3.0], [1, -1])
    2.25
    """

    def _target(self, given: Any, position: int) -> float:
        return self._label(given, position, -1.0)

    def _loss(self, prediction: Any, target: Any) -> Any:
        return relu(prediction * -target + 1.0)


class LogisticLoss(_Elementwise):
    """log(1 + exp(-y·h)) for scores h and labels y = ±1, averaged.

    The binary cross-entropy of `BCEWithLogitsLoss` for labels ±1. Stable for all h.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import nn
    >>> nn.LogisticLoss()([1000.0, -1000.0], [1, 1])
    500.0
    """

    def _target(self, given: Any, position: int) -> float:
        return self._label(given, position, -1.0)

    def _loss(self, prediction: Any, target: Any) -> Any:
        return softplus(prediction * -target)


class BCEWithLogitsLoss(_Elementwise):
    """Binary cross-entropy of sigmoid(z) for logits z and labels y = 0 or 1, averaged.

    -y log σ(z) - (1 - y) log σ(-z), with -log σ(z) = softplus(-z), so that it neither overflows
    nor cancels: at z = ±1000 it is exact. Labels between 0 and 1 are probabilities.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import nn
    >>> nn.BCEWithLogitsLoss(reduction="none")([1000.0, -1000.0], [1, 1])
    [0.0, 1000.0]
    """

    def _target(self, given: Any, position: int) -> float:
        return self._label(given, position, 0.0, between=True)

    def _loss(self, prediction: Any, target: Any) -> Any:
        # Left out where the weight is 0: it would be 0 · inf for an infinite logit.
        if target == 1.0:
            return softplus(-prediction)
        if target == 0.0:
            return softplus(prediction)
        return softplus(-prediction) * target + softplus(prediction) * (1.0 - target)


class CrossEntropyLoss(Loss):
    """Softmax cross-entropy -log softmax(z)[y] for K logits z and a class y, averaged.

    Computed as log Σ exp(z_k - z_y), the term k = y being 1, so that a loss near 0 keeps its
    digits and logits of ±1000 do no harm.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    Examples
    --------
    >>> import nn
    >>> from autograd_lite import Value
    >>> z = [Value(0.0), Value(0.0)]
    >>> loss = nn.CrossEntropyLoss()(z, 1)
    >>> loss.backward()
    >>> round(loss.data, 6), [v.grad for v in z]
    (0.693147, [0.5, -0.5])
    >>> nn.CrossEntropyLoss()([[1000.0, -1000.0], [-1000.0, 1000.0]], [0, 0])
    1000.0
    """

    def forward(self, prediction: Any, target: Any) -> Any:
        """Return the loss.

        Parameters
        ----------
        prediction : list of K logits, or a batch of n such lists
        target : int from 0 to K - 1, or n of them

        Raises
        ------
        ValueError
            For samples of different sizes, another number of labels than of samples, labels out
            of range.
        TypeError
            For logits that are no numbers, and for labels that are not whole ones.
        """
        logits, labels = as_lists(prediction), as_lists(target)
        shape = shape_of(logits, "CrossEntropyLoss")
        label_shape = shape_of(labels, "CrossEntropyLoss")
        if len(shape) not in (1, 2) or 0 in shape:
            raise ValueError(
                "CrossEntropyLoss expected a list of logits for each sample of a batch, or for one"
                f" sample, got shape {shape}"
            )
        if label_shape != shape[:-1]:
            raise ValueError(
                f"CrossEntropyLoss expected one label for each sample, shape {shape[:-1]} for"
                f" logits of shape {shape}, got labels of shape {label_shape}"
            )
        if len(shape) == 1:
            logits, labels = [logits], [labels]
        classes = [_class(label, shape[-1], position) for position, label in enumerate(labels)]
        losses = [_cross_entropy(as_lists(z), y) for z, y in zip(logits, classes, strict=True)]
        return self._reduced(losses, label_shape)


def _class(label: Any, count: int, position: int) -> int:
    """Return the number of a class, or say what is wrong with it."""
    try:
        number_of_class = index(label)
    except TypeError:
        raise TypeError(
            f"CrossEntropyLoss expected whole numbers as labels, got {type(label).__name__} at"
            f" position {position}: {label!r}"
        ) from None
    if not 0 <= number_of_class < count:
        raise ValueError(
            f"CrossEntropyLoss expected labels from 0 to {count - 1}, got {label!r} at position"
            f" {position}"
        )
    return number_of_class


def _cross_entropy(logits: Sequence[Any], label: int) -> Any:
    """Return log Σ exp(z_k - z_y)."""
    logits = [number_for("CrossEntropyLoss expected numbers as logits", z) for z in logits]
    chosen = logits[label]
    return logsumexp([0.0 if k == label else z - chosen for k, z in enumerate(logits)])
