"""Losses for two classes, labelled 0 and 1 or -1 and 1."""

from __future__ import annotations

from typing import Any

from autograd_lite import Primitive, Value, dot, lanes, log, log1p, relu, softplus
from nn.losses.elementwise import Elementwise
from nn.losses.reduction import checked_weights
from nn.nested import is_list


class HingeLoss(Elementwise):
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


class LogisticLoss(Elementwise):
    """log(1 + exp(-y·h)) for scores h and labels y = ±1, averaged.

    The binary cross-entropy of `BCEWithLogitsLoss` for labels ±1: the negative log-likelihood of
    labels with P(y = 1) = σ(h). Stable for all h.

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


class BCEWithLogitsLoss(Elementwise):
    """Binary cross-entropy of sigmoid(z) for logits z and labels y = 0 or 1, averaged.

    -y log σ(z) - (1 - y) log σ(-z), with -log σ(z) = softplus(-z), so that it neither overflows
    nor cancels: at z = ±1000 it is exact. It is the negative log-likelihood of a Bernoulli variable
    with P(y = 1) = σ(z). Labels between 0 and 1 are probabilities.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"
    pos_weight : number or list of K numbers, optional
        Factor ≥ 0 of the term with y, so that rare positive samples count more: one for all
        predictions, or one for each of the K outputs of a sample. The mean stays one over the
        number of predictions, as in PyTorch.

    Raises
    ------
    ValueError, TypeError
        For a pos_weight that is no finite number ≥ 0, or a list of another size than the samples.

    Examples
    --------
    >>> import nn
    >>> nn.BCEWithLogitsLoss(reduction="none")([1000.0, -1000.0], [1, 1])
    [0.0, 1000.0]
    >>> nn.BCEWithLogitsLoss(pos_weight=3.0)([-1000.0, 1000.0], [1, 0])
    2000.0
    """

    def __init__(self, reduction: str = "mean", *, pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.pos_weight: float | list[float] | None = None
        if pos_weight is not None:
            what = "BCEWithLogitsLoss's pos_weight"
            several = is_list(pos_weight)
            given = checked_weights(pos_weight if several else [pos_weight], what)
            self.pos_weight = given if several else given[0]

    def extra_repr(self) -> str:
        extra = super().extra_repr()
        return extra if self.pos_weight is None else f"{extra}, pos_weight={self.pos_weight}"

    def _target(self, given: Any, position: int) -> Any:
        return self._label(given, position, 0.0, between=True)

    def _compared(self, predictions: list[Any], targets: list[Any], shape: tuple[int, ...]) -> Any:
        weight = self.pos_weight
        weights = weight if isinstance(weight, list) else [1.0 if weight is None else weight]
        if isinstance(weight, list) and shape[-1:] != (len(weights),):
            raise ValueError(
                f"BCEWithLogitsLoss expected samples of {len(weights)} predictions, one for each"
                f" pos_weight, got predictions of shape {shape}"
            )
        repeated = weights * (len(predictions) // len(weights))
        return self._reduced(list(map(_from_logit, predictions, targets, repeated)), shape)


def _from_logit(logit: Any, target: Any, positive: float) -> Any:
    """Return the cross-entropy; a term of weight 0 is left out, as it would be 0 · inf."""
    if isinstance(target, Value):  # in a recording
        if not hasattr(target, "__index__"):
            return dot([softplus(-logit), softplus(logit)], [target * positive, 1.0 - target])
        rare = softplus(-logit) * positive if positive else 0.0
        return lanes.pick([softplus(logit), rare], target)
    weights, terms = [], []
    if target * positive != 0.0:
        weights.append(target * positive)
        terms.append(softplus(-logit))
    if target != 1.0:
        weights.append(1.0 - target)
        terms.append(softplus(logit))
    if weights == [1.0]:
        return terms[0]
    return dot(terms, weights) if terms else softplus(-logit) * 0.0


LOG_FLOOR = -100.0  # PyTorch's, so that a certain and wrong prediction does not cost infinity
SLOPE_FLOOR = 9.999999960041972e-13  # PyTorch's, of p(1 - p): 1e-12 in single precision


def _floored(logarithm: Any) -> Any:
    return LOG_FLOOR if logarithm < LOG_FLOOR else logarithm  # a NaN stays


def _from_probability(p: Any, y: Any) -> Any:
    return -(y * _floored(log(p)) + (1.0 - y) * _floored(log1p(-p)))


def _slope_by_probability(p: Any, y: Any, loss: Any) -> Any:
    denominator = p * (1.0 - p)
    return (p - y) / (denominator if denominator >= SLOPE_FLOOR else SLOPE_FLOOR)


def _slope_by_target(p: Any, y: Any, loss: Any) -> Any:
    return _floored(log1p(-p)) - _floored(log(p))


_binary_cross_entropy = Primitive(
    "binary_cross_entropy",
    _from_probability,
    [_slope_by_probability, _slope_by_target],
    domain=((0.0, 1.0), (0.0, 1.0)),
    formula="-(b * log(a) + (1 - b) * log(1 - a))",
    derivatives=("(a - b) / (a * (1 - a))", "log(1 - a) - log(a)"),
    doc="The binary cross-entropy of a probability a and a label b.",
)


class BCELoss(Elementwise):
    """Binary cross-entropy of probabilities p and labels y = 0 or 1, averaged.

    -y log p - (1 - y) log(1 - p), the negative log-likelihood of a Bernoulli variable with
    P(y = 1) = p. As in PyTorch, logarithms are not taken below -100, so that the loss stays finite
    at p = 0 and 1, and the denominator of the derivative (p - y) / (p (1 - p)) not below 1e-12.
    Labels between 0 and 1 are probabilities.

    Parameters
    ----------
    reduction : "mean", "sum" or "none"

    See Also
    --------
    BCEWithLogitsLoss : the same before the sigmoid, where nothing has to be cut off.

    Notes
    -----
    Predictions outside of [0, 1] are a ValueError, NaN too: a sigmoid is missing, or the network
    has diverged. (In a compiled function they give NaN.)

    Examples
    --------
    >>> import nn
    >>> from autograd_lite import Value
    >>> p = Value(0.25)
    >>> loss = nn.BCELoss()(p, 1)
    >>> loss.backward()
    >>> round(loss.data, 6), p.grad
    (1.386294, -4.0)
    >>> nn.BCELoss("none")([0.0, 0.0], [0, 1])
    [0.0, 100.0]
    """

    def _target(self, given: Any, position: int) -> float:
        return self._label(given, position, 0.0, between=True)

    def _compared(self, predictions: list[Any], targets: list[Any], shape: tuple[int, ...]) -> Any:
        # In a recording they are other ones at every call, and what is no probability gives NaN.
        for position, prediction in enumerate([] if lanes.tracing() else predictions):
            if not 0.0 <= prediction <= 1.0:
                raise ValueError(
                    "BCELoss expected probabilities from 0 to 1, got"
                    f" {float(prediction)!r} at position {position}; for outputs without a sigmoid"
                    " take BCEWithLogitsLoss"
                )
        return super()._compared(predictions, targets, shape)

    def _loss(self, prediction: Any, target: Any) -> Any:
        return _binary_cross_entropy(prediction, target)
