"""Where in the data the samples are that a step of `nn.fit` could not be made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite import no_grad

SHOWN = 5  # rows that are named, of those that the loss refuses


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
    refused: dict[int, Any] = {}  # a batch drawn with replacement may have a row twice
    if isinstance(outputs, list) and len(outputs) == len(rows):
        for output, target, row in zip(outputs, targets, rows, strict=True):
            try:
                with no_grad():
                    loss([output], [target])
            except Exception as error:  # the one that is told of is not to be lost by any other
                if isinstance(error, kind):
                    refused[row] = target
    if 0 < len(refused) < len(set(rows)):
        named = ", ".join(f"{row} (target {refused[row]!r})" for row in sorted(refused)[:SHOWN])
        more = f" and {len(refused) - SHOWN} more" if len(refused) > SHOWN else ""
        return f"In the data, counted from 0, the loss refuses row {named}{more}."
    shown = ", ".join(map(str, rows))
    return f"Positions are those in this batch: rows {shown} of the data, counted from 0."
