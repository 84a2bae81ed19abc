"""What all losses share: how the losses of single predictions become one number."""

from __future__ import annotations

import math
from typing import Any

from autograd_lite import mean, total
from nn.module import Module
from nn.nested import as_lists, is_list, number_for


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
            return shaped(losses, shape)
        return mean(losses) if self.reduction == "mean" else total(losses)


def shaped(elements: list[Any], shape: tuple[int, ...]) -> Any:
    """Return a flat list in a shape."""
    for size in reversed(shape):
        elements = [elements[i : i + size] for i in range(0, len(elements), size)]
    return elements[0]


def checked_weights(given: Any, what: str) -> list[float]:
    """Return finite weights of at least 0 as floats, or say what is wrong with them."""
    if not is_list(given):
        raise TypeError(f"{what} expected a list of numbers, got {type(given).__name__}: {given!r}")
    rows = as_lists(given)
    weights = [
        float(number_for(f"{what} expected numbers", weight, position))
        for position, weight in enumerate(rows)
    ]
    for position, weight in enumerate(weights):
        if not 0.0 <= weight < math.inf:
            raise ValueError(
                f"{what} expected finite numbers of at least 0, got {weight!r} at position"
                f" {position}"
            )
    if not weights:
        raise ValueError(f"{what} expected at least one number, got an empty list")
    return weights
