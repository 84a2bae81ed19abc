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

Kept = tuple[bytes, int | None, bytes, dict[int, Any], bool]
"""Gradients and what goes with them."""

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
    reached : bytearray
        What there is of every leaf's gradient. Whoever may write to it has to ask for it anew.
    required : bytearray
        Of every leaf, whether it requires a gradient.
    graphs : dict
        Gradients that are Values, by position.
    valid : bool
        False once leaves have moved to another memory.
    alike : int or None
        What ``reached`` is for all leaves, where that is known to be the same; a training loop
        goes on with this one number, and ``reached`` is not written until somebody asks for it.
    older : bool
        Whether some gradient may belong to older data.
    frozen : int
        How many leaves require no gradient.
    changes : int
        How often that has changed.
    """

    __slots__ = (
        "__weakref__",
        "_reached",
        "_writes",
        "alike",
        "bindings",
        "changes",
        "count",
        "data",
        "dtype",
        "frozen",
        "grad",
        "gradients",
        "graphs",
        "numbers",
        "older",
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
        self._reached = bytearray(count)
        self.alike: int | None = UNWRITTEN
        self.required = bytearray(b"\1") * count
        self.stamps = array("q", bytes(8 * count))
        self.graphs: dict[int, Node] = {}
        self.bindings: WeakSet[Any] = WeakSet()
        self.valid = True
        self.older = False
        self.frozen = 0
        self.changes = 0
        self.whole: Spans = ((0, count),)
        self._writes: dict[Spans, int] = {}

    @property
    def reached(self) -> bytearray:
        """What there is of every leaf's gradient, which may become different for each of them."""
        if self.alike is not None:
            self._reached[:] = bytes((self.alike,)) * self.count
            self.alike = None
        return self._reached

    def code(self, place: int) -> int:
        """Return what there is of one leaf's gradient."""
        return self._reached[place] if self.alike is None else self.alike

    def codes(self, start: int, stop: int) -> bytes | bytearray:
        """Return what there is of the gradients of neighbours."""
        if self.alike is None:
            return self._reached[start:stop]
        return bytes((self.alike,)) * (stop - start)

    # -- what native code tells -----------------------------------------------------------------

    def zero(self, spans: Spans) -> None:
        """Take note that there are no gradients any more."""
        if spans == self.whole:
            self.graphs.clear()
            self.alike = UNWRITTEN
            self.older = False
            return
        reached = self.reached
        for start, stop in spans:
            reached[start:stop] = bytes(stop - start)
        for place in [i for i in self.graphs if not reached[i]]:
            del self.graphs[place]

    def nothing_in(self, spans: Spans) -> bool:
        """Tell whether there are no gradients there."""
        if self.alike is not None:
            return self.alike == UNWRITTEN
        return not any(self._reached[start:stop].strip(b"\0") for start, stop in spans)

    def all_in(self, spans: Spans) -> bool:
        """Tell whether all gradients there were written."""
        if self.alike is not None:
            return self.alike != UNWRITTEN
        find = self._reached.find
        for start, stop in spans:  # noqa: SIM110  # a generator costs more than the search
            if find(UNWRITTEN, start, stop) >= 0:
                return False
        return True

    def write_zeros(self, spans: Spans) -> None:
        """Let all gradients be numbers: 0.0 where none was written, of a Value its own."""
        if not self.graphs and self.all_in(spans):
            return
        for start, stop in spans:
            written = self.codes(start, stop).translate(IS_WRITTEN)
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
            self.alike = WRITTEN
            self.older = False
        else:
            reached = self.reached
            for start, stop in spans:
                reached[start:stop] = bytes((WRITTEN,)) * (stop - start)

    def change(self, spans: Spans) -> None:
        """Take note that the data was changed, which moves the clock by one."""
        runtime.clock += 1
        self._writes[spans] = runtime.clock
        if len(self._writes) > WRITES_KEPT:
            self._settle()
        if self.alike == UNWRITTEN:
            return
        self.older = True
        if spans == self.whole and self.alike is not None:
            self.alike = _AFTER_A_CHANGE[self.alike]
            return
        reached = self.reached
        for start, stop in spans:
            reached[start:stop] = reached[start:stop].translate(_AFTER_A_CHANGE)

    def kept(self) -> Kept:
        """Return all gradients, for `put_back`."""
        return (
            self.gradients.tobytes(),
            self.alike,
            bytes(self._reached),
            dict(self.graphs),
            self.older,
        )

    def put_back(self, kept: Kept) -> None:
        """Let all gradients be what they were."""
        numbers, self.alike, reached, graphs, self.older = kept
        self.gradients.cast("B")[:] = numbers
        self._reached[:] = reached
        self.graphs = dict(graphs)

    def has_nan(self) -> bool:
        """Tell whether some gradient that was written is NaN."""
        if hasattr(self.grad, "nonzero"):  # NumPy's
            places: list[int] = (self.grad != self.grad).nonzero()[0].tolist()
        else:
            places = [i for i, x in enumerate(self.gradients) if x != x]
        return any(self.code(place) != UNWRITTEN for place in places)

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
        code = self.code(place)
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
    code = memory.code(place)
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
