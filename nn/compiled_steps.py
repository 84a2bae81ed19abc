"""The computations of a training by programs, which were recorded from the model once."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from numbers import Real
from typing import Any

import autograd_lite
from autograd_lite import Value, no_grad
from nn.data.array_rows import ArrayRows
from nn.data.minibatches import Batches
from nn.data.samples import Dataset
from nn.gradients import gradients_restored, zero_gradients
from nn.module import Module
from nn.nested import as_lists, flat
from nn.optim import Optimizer
from nn.refused_rows import check_targets, places
from nn.restoring import attributes_restored
from nn.steps import Loss, Metric, Steps, check_loss, check_number

EXAMPLES = 4  # samples of which the loss is looked at before the training
_ADVICE = "fit(compile=True) could not compile this training: try compile=False"
LOOKED_THROUGH = 1000  # samples among which examples of different targets are looked for


class CompiledSteps(Steps):
    """The same as `Steps`, by programs that see one sample and compute a batch of them.

    The data are converted to arrays once. Modules are called with a batch of one sample.

    Parameters
    ----------
    model, loss, optimizer, train, held_out
        As for `Steps`.

    Raises
    ------
    ValueError
        If the loss of a batch is not the mean of those of its samples.
    RuntimeError
        If model or loss cannot be recorded.
    TypeError
        If the data hold something else than numbers.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        train: Dataset,
        held_out: Dataset | None,
    ) -> None:
        super().__init__(model, loss, optimizer, train, held_out)
        self._inputs, self._targets = map(_array, train, ("inputs", "targets"))
        given = (*optimizer.params, *model.parameters())
        parameters = list(dict(zip(map(id, given), given, strict=True)).values())
        self._step = autograd_lite.compile(_loss_of_one(model, loss), parameters=parameters)
        self._validation = autograd_lite.compile(_loss_and_outputs_of_one(model, loss))
        self._held_out: list[Any] | None = None
        if model._scope_name is None:
            model._give_names()  # once, before the model is put back to what it is now
        state = random.getstate()
        try:
            with gradients_restored(parameters), attributes_restored(model):
                self._check_examples(parameters)
        finally:
            random.setstate(state)

    def epoch(self, batches: Batches) -> Iterator[Sequence[int]]:
        order: Any = batches.order()
        if hasattr(self._inputs, "shape"):
            import numpy as np

            order = np.array(order)
        size = batches.size
        for start in range(0, len(batches) * size, size):
            yield order[start : start + size]

    def descend(self, rows: Sequence[int]) -> float:
        """Set the gradients to those of one batch, and return its loss.

        After an error the gradients are not what they were.
        """
        self.optimizer.zero_grad()
        try:
            found: float = self._step(*self._samples(rows))
            check_number(found, "loss")
        except FloatingPointError:
            self._explain(rows)
            raise
        except Exception as error:
            self._explain(rows)
            error.add_note(_ADVICE)
            raise
        return found

    def _samples(self, rows: Any) -> tuple[Any, Any]:
        """Return the inputs and targets of a batch."""
        inputs, targets = self._inputs, self._targets
        if hasattr(inputs, "shape"):
            return inputs.take(rows, 0), targets.take(rows, 0)
        return [inputs[i] for i in rows], [targets[i] for i in rows]

    def _explain(self, rows: Sequence[int]) -> None:
        """Raise what the model itself, or the loss, has to say of a batch, if it refuses it."""
        data = self.train
        inputs, targets = [data.inputs[i] for i in rows], [data.targets[i] for i in rows]
        outputs = None
        with attributes_restored(self.model), no_grad():
            try:
                outputs = self.model(inputs)
                self.loss(outputs, targets)
            except (TypeError, ValueError, IndexError) as error:
                numbers = [int(row) for row in rows]
                error.add_note(places(self.loss, outputs, targets, numbers, type(error)))
                raise error from None

    # -- what cannot be compiled ------------------------------------------------------------------

    def _check_examples(self, parameters: Sequence[Value]) -> None:
        """Compute the loss of a few samples in both ways."""
        rows = _examples(self.train.targets)
        self.model.train()
        state = random.getstate()
        with attributes_restored(self.model):
            expected = self._together(rows)
        random.setstate(state)
        zero_gradients(parameters)
        found = self._recorded(rows)
        if not math.isfinite(expected):
            return  # which the first step will say
        if not math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9):
            raise ValueError(
                "fit can compile a loss that is the mean of those of a batch's samples, each of"
                " which depends on the sample alone and on no random numbers but those of modules"
                f" such as Dropout; got {expected:.6g} for {len(rows)} samples together and"
                f" {found:.6g} as the mean of theirs: write such a loss, or compile=False"
            )

    def _together(self, rows: list[int]) -> float:
        data = self.train
        inputs, targets = [data.inputs[i] for i in rows], [data.targets[i] for i in rows]
        outputs = None
        try:
            with no_grad():
                outputs = self.model(inputs)
                value = self.loss(outputs, targets)
        except (TypeError, ValueError, IndexError) as error:
            error.add_note(places(self.loss, outputs, targets, rows, type(error)))
            raise
        check_loss(value, self.loss)
        check_targets(self.loss, outputs, data, self.held_out)
        return float(value)

    def _recorded(self, rows: list[int]) -> float:
        try:
            found: float = self._step(*self._samples(rows))
        except Exception as error:
            error.add_note(_ADVICE)
            raise
        return found

    # -- validation -------------------------------------------------------------------------------

    def validated(self, metric: Metric | None) -> tuple[float | None, float | None]:
        held_out = self.held_out
        if held_out is None or not hasattr(self._inputs, "shape"):
            return super().validated(metric)
        if self._held_out is None:
            self._held_out = [*map(_array, held_out, ("inputs", "targets"))]
        losses, outputs = self._validation(*self._held_out)
        found = float(losses.mean())
        check_number(found, "validation loss")
        if metric is None:
            return found, None
        return found, float(metric(outputs.tolist(), held_out.targets))


# Functions, not methods: what they close over is looked at again at every call.


def _loss_of_one(model: Module, loss: Loss) -> Callable[[Any, Any], Any]:
    """Return the loss of one sample as a function of it and its target."""

    def loss_of_one(x: Any, y: Any) -> Any:
        value = loss(model([x]), [y])
        check_loss(value, loss)
        return value

    return loss_of_one


def _loss_and_outputs_of_one(model: Module, loss: Loss) -> Callable[[Any, Any], Any]:
    """Return the loss and the outputs for one sample as a function of it and its target."""

    def loss_and_outputs_of_one(x: Any, y: Any) -> Any:
        outputs = model([x])
        return loss(outputs, [y]), as_lists(outputs)[0]

    return loss_and_outputs_of_one


def _array(rows: Sequence[Any], what: str) -> Any:
    """Return rows of numbers as an array, or as they are where NumPy is not installed."""
    if isinstance(rows, ArrayRows):
        return rows.array
    if find_spec("numpy") is None:
        return rows
    import numpy as np

    array = np.array(rows)
    if array.dtype.kind == "b":
        return array.astype(np.int64)
    if array.dtype.kind not in "iuf":
        for position, row in enumerate(rows):
            for element in flat(row):
                if not isinstance(element, Real):
                    raise TypeError(
                        f"fit(compile=True) expected numbers as {what}, got"
                        f" {type(element).__name__} at position {position}: {element!r}; write"
                        " compile=False"
                    )
        return array.astype(np.float64)
    return array


def _examples(targets: Sequence[Any]) -> list[int]:
    """Return rows of a few samples, with different targets as far as there are some."""
    rows: list[int] = []
    for row, target in enumerate(targets[:LOOKED_THROUGH]):
        if all(target != targets[known] for known in rows):
            rows.append(row)
        if len(rows) == EXAMPLES:
            return rows
    others = (row for row in range(len(targets)) if row not in rows)
    return [*rows, *others][:EXAMPLES]
