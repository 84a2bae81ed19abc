"""Binding: the numbers of parameters move into flat arrays, where native code finds them.

A bound Value looks and works as before. Its ``data`` and ``grad`` read and write the arrays, so
that a write is seen by the next call of a program, and what a program computes is seen at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import RLock
from typing import Any

from autograd_lite.allocation import Bound, kind_of
from autograd_lite.native.parameters.memory import (
    OLDER,
    RECORDED_OLDER,
    TYPECODES,
    Memory,
    bound_kind,
)
from autograd_lite.native.parameters.spans import Spans, spans_of, within
from autograd_lite.node import Node, is_outdated
from autograd_lite.slips import warn_mixed
from autograd_lite.value import Value

_lock = RLock()


class Binding:
    """Parameters in the order given, and where their numbers are.

    Several bindings can be of one memory: those of programs that share parameters. A binding keeps
    its Values alive; Values keep the arrays alive, but no binding.

    Attributes
    ----------
    values : tuple of Value
        The parameters, in the order given.
    place : list of int
        Of every parameter, the position in the arrays.
    spans : tuple of pairs
        The stretches of the arrays that are theirs.
    memory : Memory
        The arrays, which may hold other parameters too.
    data, grad : arrays
        Those of the memory, all of them.
    """

    __slots__ = ("__weakref__", "data", "grad", "memory", "place", "spans", "values")

    def __init__(self, memory: Memory, values: tuple[Any, ...]) -> None:
        self.memory = memory
        self.data = memory.data
        self.grad = memory.grad
        self.values = values
        self.place: list[int] = [value._b[1] for value in values]
        self.spans = spans_of(self.place)
        memory.bindings.add(self)

    @property
    def dtype(self) -> str:
        """The type of the numbers, ``"float64"`` or ``"float32"``."""
        return self.memory.dtype

    @property
    def changes(self) -> int:
        """A number that is another one after ``requires_grad`` of some parameter has changed."""
        return self.memory.changes

    def spans_at(self, positions: Iterable[int]) -> Spans:
        """Return the stretches of the arrays that some of the parameters take up."""
        chosen = {*positions}
        if len(chosen) == len(self.place):
            return self.spans
        return spans_of([self.place[position] for position in chosen])

    def is_clear(self, spans: Spans) -> bool:
        """Tell whether nothing there has a gradient, so that it can be overwritten.

        The numbers in ``grad`` mean nothing then: they are those from before `zero_grad`.
        """
        return self.memory.nothing_in(spans)

    def prepare(self, spans: Spans) -> None:
        """Make ``grad`` what gradients can be added to: 0.0 where there was none.

        Gives a `SlipWarning` if there is one that belongs to older data.
        """
        memory = self.memory
        if memory.older:
            self._look_for_mixed(spans)
        memory.write_zeros(spans)

    def reach(self, spans: Spans) -> None:
        """Take note that gradients were added to ``grad`` there."""
        self.memory.reach(spans)

    def change(self, spans: Spans) -> None:
        """Take note that ``data`` was written to there: as one change, at one time."""
        self.memory.change(spans)

    def _look_for_mixed(self, spans: Spans) -> None:
        memory = self.memory
        codes = [memory.codes(start, stop) for start, stop in spans]
        if any(code in part for part in codes for code in (OLDER, RECORDED_OLDER)):
            mixed = [
                value
                for value, place in zip(self.values, self.place, strict=True)
                if within(place, spans) and memory.is_outdated(place)
            ]
            if mixed:
                warn_mixed(mixed)


def bind(
    values: Iterable[Value], *, order: Sequence[int] | None = None, dtype: str = "float64"
) -> Binding:
    """Move the numbers of leaves into arrays, if they are not there already.

    Leaves that are all in one memory stay there, in the order that they have there. Otherwise all
    move into a new one, and with them what else belongs to programs that use one of them, so that
    those find everything in one place again; their bindings are no longer valid.

    Parameters
    ----------
    values : iterable of Value
        Leaves, no two of them the same.
    order : sequence of int, optional
        How they should lie in memory: the positions among ``values``, first place first.
    dtype : str
        ``"float64"`` or ``"float32"``, which rounds the numbers.

    Returns
    -------
    Binding

    Raises
    ------
    TypeError
        If something is not a Value.
    ValueError
        If something is not a leaf or is given twice, or a program uses one in another precision.

    Examples
    --------
    >>> from autograd_lite import Value
    >>> from autograd_lite.native.parameters.binding import bind
    >>> a, b = Value(1.0), Value(2.0)
    >>> binding = bind([a, b], order=[1, 0])
    >>> binding.place, list(binding.data) == [2.0, 1.0]
    ([1, 0], True)
    >>> binding.data[1] = 5.0
    >>> a
    Value(data=5.0, grad=0.0)
    """
    given = _checked(values)
    if dtype not in TYPECODES:
        raise ValueError(f"expected the dtype 'float64' or 'float32', got {dtype!r}")
    with _lock:
        memory = memory_of(given)
        if memory is None or memory.dtype != dtype:
            memory = _moved(given, range(len(given)) if order is None else order, dtype)
        return Binding(memory, given)


def memory_of(values: Sequence[Any]) -> Memory | None:
    """Return the memory that all of the leaves are in, None if there is none."""
    if not values or not isinstance(values[0], Bound):
        return None
    memory: Memory = values[0]._b[0]
    if not memory.valid:
        return None
    for value in values:
        if not isinstance(value, Bound) or value._b[0] is not memory:
            return None
    return memory


def _checked(values: Iterable[Any]) -> tuple[Any, ...]:
    given = tuple(values)
    for position, value in enumerate(given):
        if not isinstance(value, Value):
            raise TypeError(
                f"expected Values as parameters, got {type(value).__name__} at position {position}"
            )
        if value._primitive is not None:
            raise ValueError(
                f"expected leaves as parameters, got the result of {value.op!r} at position"
                f" {position}"
            )
    if len({id(value) for value in given}) < len(given):
        raise ValueError("expected every parameter once, got one twice")
    return given


def _moved(given: tuple[Any, ...], order: Sequence[int], dtype: str) -> Memory:
    """Move leaves, and all that programs use together with them, into a new memory."""
    if sorted(order) != [*range(len(given))]:
        raise ValueError(f"expected an order of {len(given)} positions, got {[*order]}")
    together = {id(value): value for value in (given[position] for position in order)}
    left = {value._b[0] for value in given if isinstance(value, Bound)}
    bindings = [binding for memory in left for binding in memory.bindings]
    waiting = list(left)
    for memory in waiting:
        if memory.bindings and memory.dtype != dtype:
            raise ValueError(
                f"these parameters are in use by a program with dtype={memory.dtype!r}, so another"
                f" one cannot have {dtype!r}; compile both with the same dtype"
            )
    for binding in bindings:
        for value in binding.values:
            together.setdefault(id(value), value)
    values = list(together.values())
    kinds = {kind: bound_kind(kind) for kind in {kind_of(value) for value in values}}
    memory = Memory(len(values), dtype)
    for place, value in enumerate(values):
        found = (value._data, value._grad, value._stamp, is_outdated(value))
        kind = kinds[kind_of(value)]
        value._b = (memory, place)
        value.__class__ = kind
        _fill(value, *found)
    for old in left:
        old.valid = False
    memory.changes = 1 + max((old.changes for old in left), default=0)
    return memory


def _fill(value: Any, data: float, grad: Any, stamp: int, outdated: bool) -> None:
    value._data = data
    value._grad = grad
    value._stamp = stamp
    if outdated:
        value._a = grad
    for name in ("_data", "_grad", "_a"):  # what the slots still hold
        getattr(Node, name).__set__(value, None)
