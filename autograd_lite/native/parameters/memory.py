"""Flat arrays that hold the data and gradients of leaves, and what goes with them.

Leaves whose numbers are in a `Memory` are of the classes that `bound_kind` makes: they have the
same slots, but read and write the arrays. Nothing here needs NumPy; with it, arrays are NumPy's.
"""

from __future__ import annotations

from array import array
from typing import Any
from weakref import WeakSet

from autograd_lite.allocation import Bound
from autograd_lite.modes import runtime
from autograd_lite.native.parameters.spans import Spans, within
from autograd_lite.node import OUTDATED, UNREACHED, Node

UNWRITTEN, WRITTEN, OLDER, RECORDED, RECORDED_OLDER = range(5)
"""What `Memory.reached` says of a gradient: none was written since the last zero_grad; a number;
a number that belongs to older data; a Value; a Value that belongs to older data."""

_AFTER_A_CHANGE = bytes((UNWRITTEN, OLDER, OLDER, RECORDED_OLDER, RECORDED_OLDER)).ljust(256)

_AS_IF_NEW = bytes((UNWRITTEN, WRITTEN, WRITTEN, RECORDED, RECORDED))

IS_WRITTEN = bytes((0, 1, 1, 1, 1)).ljust(256, b"\1")
"""What turns `Memory.reached` into 0 or 1."""

TYPECODES = {"float64": "d", "float32": "f"}

WRITES_KEPT = 8  # changes of other stretches that are remembered as such


class Memory:
    """The numbers of many leaves side by side.

    It knows the arrays but not the leaves, which know it; so there is no cycle, and each lives as
    long as it is used.

    Attributes
    ----------
    data, grad : arrays of one length
        NumPy arrays, or `array.array` without NumPy. A number in ``grad`` means something only
        where ``reached`` is not 0.
    numbers, gradients : memoryview
        The same; their elements are Python floats.
    reached, required : bytearray
        Of every leaf, whether a gradient was written, and whether it requires one.
    graphs : dict
        Gradients that are Values, by position.
    valid : bool
        False once leaves have moved to another memory.
    clear : bool
        Whether it is certain that no gradient was written.
    older : bool
        Whether some gradient may belong to older data.
    frozen : int
        How many leaves require no gradient.
    changes : int
        How often that has changed.
    """

    __slots__ = (
        "__weakref__",
        "_blank",
        "_older",
        "_writes",
        "_written",
        "bindings",
        "changes",
        "clear",
        "count",
        "data",
        "dtype",
        "frozen",
        "grad",
        "gradients",
        "graphs",
        "numbers",
        "older",
        "reached",
        "required",
        "stamps",
        "valid",
        "whole",
    )

    def __init__(self, count: int, dtype: str) -> None:
        self.count = count
        self.dtype = dtype
        self.data = zeros(count, dtype)
        self.grad = zeros(count, dtype)
        self.numbers: Any = memoryview(self.data)
        self.gradients: Any = memoryview(self.grad)
        self.reached = bytearray(count)
        self.required = bytearray(b"\1") * count
        self.stamps = array("q", bytes(8 * count))
        self.graphs: dict[int, Node] = {}
        self.bindings: WeakSet[Any] = WeakSet()
        self.valid = True
        self.clear = True
        self.older = False
        self.frozen = 0
        self.changes = 0
        self.whole: Spans = ((0, count),)
        self._blank = bytes(count)
        self._written = bytes((WRITTEN,)) * count
        self._older = bytes((OLDER,)) * count
        self._writes: dict[Spans, int] = {}

    # -- what native code tells -----------------------------------------------------------------

    def zero(self, spans: Spans) -> None:
        """Take note that there are no gradients any more."""
        if spans == self.whole:
            self.reached[:] = self._blank
            self.graphs.clear()
            self.clear = True
            self.older = False
            return
        for start, stop in spans:
            self.reached[start:stop] = self._blank[start:stop]
        for place in [i for i in self.graphs if not self.reached[i]]:
            del self.graphs[place]

    def nothing_in(self, spans: Spans) -> bool:
        """Tell whether there are no gradients there."""
        return self.clear or all(
            self.reached[start:stop] == self._blank[start:stop] for start, stop in spans
        )

    def write_zeros(self, spans: Spans) -> None:
        """Let all gradients be numbers: 0.0 where none was written, of a Value its own."""
        for start, stop in spans:
            written = self.reached[start:stop].translate(IS_WRITTEN)
            first = written.find(0)
            while first >= 0:
                last = written.find(1, first)
                last = len(written) if last < 0 else last
                self.gradients[start + first : start + last] = memoryview(
                    zeros(last - first, self.dtype)
                )
                first = written.find(0, last)
        for place in [i for i in self.graphs if within(i, spans)]:
            self.gradients[place] = float(self.graphs.pop(place))
            self.reached[place] -= RECORDED - WRITTEN

    def reach(self, spans: Spans) -> None:
        """Take note that gradients were written, numbers all of them."""
        if spans == self.whole:
            self.reached[:] = self._written
            self.older = False
        else:
            for start, stop in spans:
                self.reached[start:stop] = self._written[start:stop]
        self.clear = False

    def change(self, spans: Spans) -> None:
        """Take note that the data was changed, which moves the clock by one."""
        runtime.clock += 1
        self._writes[spans] = runtime.clock
        if len(self._writes) > WRITES_KEPT:
            self._settle()
        if self.clear:
            return
        self.older = True
        if spans == self.whole and self.reached == self._written:
            self.reached[:] = self._older
            return
        for start, stop in spans:
            if self.reached[start:stop] == self._written[start:stop]:
                self.reached[start:stop] = self._older[start:stop]
            else:
                self.reached[start:stop] = self.reached[start:stop].translate(_AFTER_A_CHANGE)

    def stamp(self, place: int) -> int:
        """Return the clock at the last change of one leaf's data."""
        newest = self.stamps[place]
        for spans, clock in self._writes.items():
            if clock > newest and within(place, spans):
                newest = clock
        return newest

    def _settle(self) -> None:
        """Write down with each leaf when it was changed last."""
        for spans, clock in sorted(self._writes.items(), key=lambda write: write[1]):
            for start, stop in spans:
                self.stamps[start:stop] = array("q", [clock]) * (stop - start)
        self._writes.clear()

    def is_outdated(self, place: int) -> bool:
        """Tell whether a gradient belongs to older data."""
        code = self.reached[place]
        return code == RECORDED_OLDER or (code == OLDER and self.gradients[place] != 0.0)


def zeros(count: int, dtype: str) -> Any:
    """Return a flat array of zeros: NumPy's, if there is NumPy."""
    try:
        import numpy as np
    except ImportError:
        code = TYPECODES[dtype]
        return array(code, bytes(count * array(code).itemsize))
    return np.zeros(count, dtype)


# -- leaves whose numbers are there ---------------------------------------------------------------


def bound_kind(kind: type[Node]) -> type[Node]:
    """Return the subclass of a class of Values whose instances keep their numbers in a memory.

    It looks like the class itself. There is one per class, for as long as it is used.
    """
    for known in kind.__subclasses__():
        if issubclass(known, Bound):
            return known
    looks = {name: getattr(kind, name) for name in ("__module__", "__qualname__", "__doc__")}
    content = {"__slots__": (), **looks, **_PROPERTIES}
    metaclass: Any = type(kind)
    made: type[Node] = metaclass(kind.__name__, (Bound, kind), content)
    return made


def _data(leaf: Any) -> float:
    memory, place = leaf._b
    number: float = memory.numbers[place]
    return number


def _set_data(leaf: Any, data: float) -> None:
    memory, place = leaf._b
    memory.numbers[place] = data


def _grad(leaf: Any) -> Any:
    memory, place = leaf._b
    code = memory.reached[place]
    if not memory.required[place]:
        return None
    if code == UNWRITTEN:
        return UNREACHED
    return memory.gradients[place] if code < RECORDED else memory.graphs[place]


def _set_grad(leaf: Any, grad: Any) -> None:
    memory, place = leaf._b
    required = grad is not None
    if memory.required[place] != required:
        memory.required[place] = required
        memory.frozen += -1 if required else 1
        memory.changes += 1
    if memory.graphs:
        memory.graphs.pop(place, None)
    if grad is None or grad is UNREACHED:
        memory.reached[place] = UNWRITTEN
        return
    memory.clear = False
    if isinstance(grad, Node):
        memory.graphs[place] = grad
        memory.reached[place] = RECORDED
    else:
        memory.gradients[place] = grad
        memory.reached[place] = WRITTEN


def _outdated(leaf: Any) -> object:
    memory, place = leaf._b
    if memory.is_outdated(place):
        return OUTDATED
    raise AttributeError("_a")  # as of a slot that is not set


def _set_outdated(leaf: Any, grad: Any) -> None:
    memory, place = leaf._b
    table = _AS_IF_NEW if grad is None else _AFTER_A_CHANGE
    memory.reached[place] = table[memory.reached[place]]
    memory.older = True


def _stamp(leaf: Any) -> int:
    memory, place = leaf._b
    stamp: int = memory.stamp(place)
    return stamp


def _set_stamp(leaf: Any, clock: int) -> None:
    memory, place = leaf._b
    memory.stamps[place] = clock


_PROPERTIES = {
    "_data": property(_data, _set_data),
    "_grad": property(_grad, _set_grad),
    "_a": property(_outdated, _set_outdated),
    "_stamp": property(_stamp, _set_stamp),
}
