"""The gradients of parameters in arrays, all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd_lite.native.binding import memory_of
from autograd_lite.native.memory import RECORDED, UNWRITTEN, WRITTEN, Memory
from autograd_lite.native.spans import Spans, spans_of


class Gradients:
    """The gradients of some parameters, which are in one memory."""

    __slots__ = ("_in_order", "memory", "places", "spans")

    def __init__(self, memory: Memory, places: list[int]) -> None:
        self.memory = memory
        self.places = places
        self.spans: Spans = spans_of(places)
        self._in_order = len(self.spans) == 1 and places == [*range(*self.spans[0])]

    def zero(self) -> None:
        """Set all back to 0.0, so that no parameter is reached."""
        self.memory.zero(self.spans)

    def written(self) -> list[float]:
        """Return those that were written, in the order of the parameters."""
        memory = self.memory
        if self._are_plain() and self._in_order:
            (span,) = self.spans
            numbers: list[float] = memory.gradients[slice(*span)].tolist()
            return numbers
        return [
            memory.gradients[place]
            if memory.reached[place] < RECORDED
            else float(memory.graphs[place])
            for place in self.places
            if memory.reached[place] != UNWRITTEN and memory.required[place]
        ]

    def scale(self, factor: float) -> None:
        """Multiply all that were written by one factor."""
        if self._are_plain():
            for start, stop in self.spans:
                self.memory.grad[start:stop] *= factor
        else:
            self._write([factor * gradient for gradient in self.written()])

    def clamp(self, bound: float) -> None:
        """Move all that were written into [-bound, bound]."""
        if self._are_plain():
            for start, stop in self.spans:
                part = self.memory.grad[start:stop]
                part.clip(-bound, bound, out=part)
        else:
            self._write([math.copysign(bound, x) if abs(x) > bound else x for x in self.written()])

    def _are_plain(self) -> bool:
        """Tell whether all are numbers, and in NumPy's arrays: the normal case."""
        memory = self.memory
        return (
            hasattr(memory.grad, "clip")
            and not (memory.graphs or memory.frozen or memory.older)
            and all(memory.reached.find(UNWRITTEN, *span) < 0 for span in self.spans)
        )

    def _write(self, numbers: Sequence[float]) -> None:
        memory = self.memory
        remaining = iter(numbers)
        for place in self.places:
            if memory.reached[place] != UNWRITTEN and memory.required[place]:
                memory.graphs.pop(place, None)
                memory.gradients[place] = next(remaining)
                memory.reached[place] = WRITTEN


def gradients_of(values: Sequence[Any]) -> Gradients | None:
    """Return the gradients of parameters if all are in one memory."""
    memory = memory_of(values)
    return None if memory is None else Gradients(memory, [value._b[1] for value in values])
