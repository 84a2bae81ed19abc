"""Losses that compare each prediction with the target in the same place."""

from __future__ import annotations

from typing import Any

from autograd_lite import Value, lanes
from nn.losses.reduction import Loss
from nn.nested import flat, number_for, shape_of


class Elementwise(Loss):
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

    def _label(self, given: Any, position: int, low: float, *, between: bool = False) -> Any:
        """Return a label that is ``low`` or 1 (or between them, on request) as a float."""
        name = type(self).__name__
        if isinstance(given, Value) and lanes.tracing():
            # Comparisons that all labels pass, so that they have one recording in common.
            off = (given - low) * (given - 1.0)
            if off <= 0.0 and (between or off >= 0.0):
                return given
        label = float(number_for(f"{name} expected numbers as labels", given, position))
        if label in (low, 1.0) or (between and low <= label <= 1.0):
            return label
        wanted = f"labels from {low:g} to 1" if between else f"labels {low:g} or 1"
        raise ValueError(f"{name} expected {wanted}, got {given!r} at position {position}")
