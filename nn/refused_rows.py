"""Where in the data the samples and targets are that `nn.fit` cannot train with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from autograd_lite import no_grad
from nn.data.samples import Dataset
from nn.losses import Loss
from nn.nested import elementwise

SHOWN = 5  # rows that are named, of those that the loss refuses


def check_targets(loss: Any, outputs: Any, train: Dataset, held_out: Dataset | None) -> None:
    """Refuse, before the first step, targets that a loss of `nn` would refuse at a later one.

    ``outputs`` are those of the model for the first batch. What another loss takes may depend on
    the rest of a batch; it is left to the steps.
    """
    if not type(loss).__module__.startswith("nn.losses.") or not isinstance(outputs, list):
        return
    output = elementwise(float, outputs[0])
    alone = _for_each(loss)
    for what, data in (("data", train), ("validation data", held_out)):
        if data is None:
            continue
        targets = list(data.targets)
        different = _different(targets)
        try:
            alone([output] * len(different), different)
        except (TypeError, ValueError) as error:
            same = [output] * len(targets)
            refused = _refused(loss, same, targets, range(len(targets)), type(error))
            error.add_note(_named(refused, what))
            raise


def places(
    loss: Callable[[Any, Any], Any],
    outputs: Any,
    targets: list[Any],
    rows: list[int],
    kind: type[Exception],
) -> str:
    """Say which rows of the data a batch is of that the model or the loss has refused.

    ``outputs`` are the model's, None if it was the model. Then, and where no single sample is to
    blame, the rows of the whole batch are told, in the order that positions in the error mean.
    """
    if isinstance(outputs, list) and len(outputs) == len(rows):
        refused = _refused(loss, outputs, targets, rows, kind)
        if 0 < len(refused) < len(set(rows)):
            return _named(refused, "data")
    shown = ", ".join(map(str, rows))
    return f"Positions are those in this batch: rows {shown} of the data, counted from 0."


def _different(targets: list[Any]) -> list[Any]:
    """Return targets without repetitions, as labels are that can be told apart."""
    try:
        return list({(type(target), target): target for target in targets}.values())
    except TypeError:  # lists
        return targets


def _for_each(loss: Any) -> Any:
    """Return a loss without the mean, which samples that are all to be ignored have not."""
    if not isinstance(loss, Loss):
        return loss
    alone = copy(loss)
    alone.reduction = "none"
    return alone


def _refused(
    loss: Any,
    outputs: Sequence[Any],
    targets: Sequence[Any],
    rows: Sequence[int],
    kind: type[Exception],
) -> dict[int, Any]:
    """Return the rows that the loss refuses one by one, with their targets."""
    alone = _for_each(loss)
    refused: dict[int, Any] = {}  # a batch drawn with replacement may have a row twice
    for output, target, row in zip(outputs, targets, rows, strict=True):
        try:
            with no_grad():
                alone([output], [target])
        except Exception as error:  # the one that is told of is not to be lost by any other
            if isinstance(error, kind):
                refused[row] = target
    return refused


def _named(refused: dict[int, Any], what: str) -> str:
    named = ", ".join(f"{row} (target {refused[row]!r})" for row in sorted(refused)[:SHOWN])
    more = f" and {len(refused) - SHOWN} more" if len(refused) > SHOWN else ""
    return f"In the {what}, counted from 0, the loss refuses row {named}{more}."
