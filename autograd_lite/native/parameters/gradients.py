"""The gradients of parameters in arrays, all at once."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from autograd_lite.allocation import Bound
from autograd_lite.native.parameters.binding import memory_of
from autograd_lite.native.parameters.memory import OLDER, RECORDED, UNWRITTEN, WRITTEN, Memory
from autograd_lite.native.parameters.spans import Spans, spans_of

_SAFE = 1e-250
"""Sums of squares between this and its inverse have lost nothing to overflow or underflow."""


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

    def nothing(self) -> bool:
        """Tell whether none was written."""
        return self.memory.nothing_in(self.spans)

    def each(self) -> list[Any]:
        """Return that of every parameter, in their order; None where none was written."""
        memory = self.memory
        numbers = memory.gradients.tolist()
        if memory.alike in (WRITTEN, OLDER) and not memory.frozen:
            return [numbers[place] for place in self.places]
        return [
            None
            if memory.code(place) == UNWRITTEN or not memory.required[place]
            else numbers[place]
            if memory.code(place) < RECORDED
            else memory.graphs[place]
            for place in self.places
        ]

    def put_back(self, gradients: Sequence[Any]) -> None:
        """Let that of every parameter be what `each` returned."""
        self.zero()
        memory = self.memory
        if all(isinstance(gradient, float) for gradient in gradients):
            for place, gradient in zip(self.places, gradients, strict=True):
                memory.gradients[place] = gradient
            memory.reach(self.spans)
            return
        for place, gradient in zip(self.places, gradients, strict=True):
            if isinstance(gradient, float):
                memory.gradients[place] = gradient
                memory.reached[place] = WRITTEN
            elif gradient is not None:
                memory.graphs[place] = gradient
                memory.reached[place] = RECORDED

    def written(self) -> list[float]:
        """Return those that were written, in the order of the parameters."""
        memory = self.memory
        if self._are_plain() and self._in_order:
            (span,) = self.spans
            numbers: list[float] = memory.gradients[slice(*span)].tolist()
            return numbers
        return [float(gradient) for gradient in self.each() if gradient is not None]

    def norm(self) -> float:
        """Return the root of the sum of the squares of all that were written, to about 1e-15.

        NumPy's sums go in pairs, so they are in no danger of losing more.
        """
        if self._are_plain():
            import numpy as np

            parts = [self.memory.grad[start:stop] for start, stop in self.spans]
            with np.errstate(all="ignore"):
                summed = sum(float(np.square(part, dtype="float64").sum()) for part in parts)
            if _SAFE < summed < 1.0 / _SAFE:
                return math.sqrt(summed)
        written = self.written()
        return math.nan if any(map(math.isnan, written)) else math.hypot(*written)

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
            and memory.all_in(self.spans)
        )

    def _write(self, numbers: Sequence[float]) -> None:
        memory = self.memory
        remaining = iter(numbers)
        for place in self.places:
            if memory.code(place) != UNWRITTEN and memory.required[place]:
                memory.graphs.pop(place, None)
                memory.gradients[place] = next(remaining)
                memory.reached[place] = WRITTEN


_known: WeakKeyDictionary[Any, Gradients] = WeakKeyDictionary()


def known_gradients_of(values: Any) -> Gradients | None:
    """Return the gradients of a list of parameters that is exactly that of some program.

    This is faster than to look at each of them, and they need no checks.
    """
    if not isinstance(values, list | tuple) or not values or not isinstance(values[0], Bound):
        return None
    memory = values[0]._b[0]
    given = tuple(values)
    for binding in memory.bindings if memory.valid else ():
        if len(binding.values) == len(given) and all(map(operator.is_, binding.values, given)):
            if binding not in _known:
                _known[binding] = Gradients(memory, binding.place)
            return _known[binding]
    return None


def gradients_of(values: Sequence[Any]) -> Gradients | None:
    """Return the gradients of parameters if all are in one memory, else None.

    Examples
    --------
    >>> from autograd_lite import Value, arrays
    >>> from autograd_lite.native.parameters.binding import bind
    >>> values = [Value(1.0), Value(2.0)]
    >>> binding = bind(values)
    >>> (3.0 * values[0] + 4.0 * values[1]).backward()
    >>> arrays.gradients_of(values).norm()
    5.0
    """
    known = known_gradients_of(values)
    if known is not None:
        return known
    memory = memory_of(values)
    return None if memory is None else Gradients(memory, [value._b[1] for value in values])
