"""Metrics: how well predictions agree with labels."""

from __future__ import annotations

from collections.abc import Sequence
from reprlib import repr as shortened
from typing import Any

from nn.nested import as_lists, is_list, number_for, shape_of
from nn.prediction import predict


def accuracy(outputs: Any, targets: Any, *, rule: str | None = None) -> float:
    """Return the share of samples that are predicted rightly.

    Parameters
    ----------
    outputs : sequence of N
        What a network gives for N samples: each a list of K ≥ 2 scores, or one score.
    targets : sequence of N labels
        For K scores the classes 0 to K - 1; for one score -1 and 1, or 0 and 1.
    rule : "argmax", "sign" or "value", optional
        How to make labels of outputs (see `nn.predict`). Without it the largest of K scores, or
        the sign of one score: positive means label 1. "value" compares the outputs as they are.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    TypeError
        If outputs or targets are no list or array, or what is in them is no number.
    ValueError
        If there is no sample, or not one output per target, or if outputs differ in size, are
        lists of one score (of which the largest is always the first), or NaN.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.accuracy([[0.1, 2.0], [3.0, 1.0]], [1, 1])
    0.5
    >>> metrics.accuracy([0.3, -1.2, 0.8], [1, -1, -1])
    0.6666666666666666
    """
    outputs, targets = _paired("accuracy", outputs, targets)
    shape_of(outputs, "accuracy")  # refuses outputs of different sizes
    if rule is None:
        rule = "argmax" if is_list(outputs[0]) else "sign"
    if rule == "argmax" and is_list(outputs[0]) and len(outputs[0]) < 2:
        raise ValueError(
            "accuracy expected at least 2 scores per sample to choose from, got lists of"
            f" {len(outputs[0])}; flatten them, as nn.Flatten(0, 1) does, to decide by sign"
        )
    predictions = predict(outputs, rule)
    if rule != "value":  # text would be wrong for every sample, or could not be compared with 0
        wanted = "accuracy expected numbers as targets"
        targets = [number_for(wanted, target, i) for i, target in enumerate(targets)]
    if rule == "sign":
        right = [(p > 0) == (t > 0) for p, t in zip(predictions, targets, strict=True)]
    else:
        right = [p == t for p, t in zip(predictions, targets, strict=True)]
    return sum(right) / len(right)


def confusion_matrix(
    predictions: Any, targets: Any, *, labels: Sequence[Any] | None = None
) -> list[list[int]]:
    """Count how often each label was predicted as each label.

    Parameters
    ----------
    predictions : sequence of N labels
        As `nn.predict` gives them.
    targets : sequence of N labels
        The right ones.
    labels : sequence, optional
        The labels in the order wanted; otherwise all that occur, ascending.

    Returns
    -------
    list of lists of int
        Row i counts the samples of label i, column j those among them predicted as label j.

    Raises
    ------
    TypeError
        If predictions or targets are no list or array, or what is in them is a list.
    ValueError
        If there is no sample, or not one prediction per target, or a label is not among
        ``labels``.

    Examples
    --------
    >>> from nn import metrics
    >>> metrics.confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    """
    predictions, targets = _paired("confusion_matrix", predictions, targets)
    for what, given in (("predictions", predictions), ("targets", targets)):
        for position, label in enumerate(given):
            if is_list(label):
                raise TypeError(
                    f"confusion_matrix expected labels as {what}, got {type(label).__name__} at"
                    f" position {position}: {shortened(label)}"
                )
    if labels is None:
        labels = sorted({*predictions, *targets})
    place = {label: i for i, label in enumerate(labels)}
    counts = [[0] * len(labels) for _ in labels]
    for prediction, target in zip(predictions, targets, strict=True):
        for label in (prediction, target):
            if label not in place:
                raise ValueError(
                    f"confusion_matrix expected labels out of {list(labels)}, got {label!r}"
                )
        counts[place[target]][place[prediction]] += 1
    return counts


def _paired(who: str, outputs: Any, targets: Any) -> tuple[Any, Any]:
    for what, given in (("predictions", outputs), ("targets", targets)):
        if not is_list(given):
            raise TypeError(
                f"{who} expected a list or array of {what}, got {type(given).__name__}:"
                f" {shortened(given)}"
            )
    outputs, targets = as_lists(outputs), as_lists(targets)
    if len(outputs) != len(targets) or not len(targets):
        raise ValueError(
            f"{who} expected one prediction per target and at least one, got {len(outputs)}"
            f" predictions and {len(targets)} targets"
        )
    return outputs, targets
