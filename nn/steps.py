"""What the steps of a training and its validation compute: losses, gradients, outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd_lite import Value, no_grad
from nn.data.minibatches import Batches
from nn.data.samples import Dataset
from nn.module import Module
from nn.nested import as_lists, elementwise
from nn.optim import Optimizer
from nn.refused_rows import check_targets, places

VALIDATION_BATCH = 256  # samples that validation computes at a time, which bounds its memory

Loss = Callable[[Any, Any], Any]
Metric = Callable[[Any, Any], float]


class Steps:
    """The computations of a training, by the model as it is written.

    Parameters
    ----------
    model : Module
    loss : callable
    optimizer : Optimizer
    train : Dataset
    held_out : Dataset or None
        For validation.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        train: Dataset,
        held_out: Dataset | None,
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.train = train
        self.held_out = held_out
        self._targets_checked = False

    def epoch(self, batches: Batches) -> Iterator[Sequence[int]]:
        """Go through the next epoch: the rows of the data that each step is made with."""
        return batches.rows()

    def descend(self, rows: Sequence[int]) -> float:
        """Set the gradients to those of one batch, and return its loss.

        Raises
        ------
        FloatingPointError
            If the loss is NaN or infinite.
        """
        data = self.train
        inputs, targets = [data.inputs[i] for i in rows], [data.targets[i] for i in rows]
        outputs = None
        try:
            outputs = self.model(inputs)
            value = self.loss(outputs, targets)
        except (TypeError, ValueError, IndexError) as error:
            error.add_note(places(self.loss, outputs, targets, list(rows), type(error)))
            raise
        check_loss(value, self.loss)
        check_number(value.data, "loss")
        if not self._targets_checked:
            check_targets(self.loss, outputs, data, self.held_out)
            self._targets_checked = True
        self.optimizer.zero_grad()  # only now: what is refused above leaves gradients as they were
        value.backward()
        found: float = value.data
        return found

    def validated(self, metric: Metric | None) -> tuple[float | None, float | None]:
        """Return loss and metric on the validation data, as far as they are asked for."""
        held_out = self.held_out
        if held_out is None:
            return None, None
        outputs: list[Any] = []
        with no_grad():
            for start in range(0, len(held_out.inputs), VALIDATION_BATCH):
                outputs += as_lists(self.model(held_out.inputs[start : start + VALIDATION_BATCH]))
            found = float(self.loss(outputs, held_out.targets))
        check_number(found, "validation loss")
        if metric is None:
            return found, None
        return found, float(metric(elementwise(float, outputs), held_out.targets))


def check_loss(value: Any, loss: Loss) -> None:
    """Refuse what a loss has returned, unless it is a Value."""
    if not isinstance(value, Value):
        raise TypeError(
            f"fit expected the loss to be one Value, got {type(value).__name__} from {loss!r}"
        )


def check_number(loss: float, what: str) -> None:
    """Refuse a loss that is NaN or infinite."""
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the {what} became {'NaN' if math.isnan(loss) else loss}: the steps are too large (try"
            " a smaller learning rate), or the loss has no finite value here"
        )
