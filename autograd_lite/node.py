"""What one recorded number holds: the layout that recording, sweeping and drawing share.

A node has flat slots instead of containers, so that an operation costs one object. How the slots
are used depends on how many operands the operation had:

===========  ==============================  =======================================
operands     ``_a`` and ``_b``               ``_da`` and ``_db``
===========  ==============================  =======================================
none (leaf)  see below; unset                None, None
one          the operand; unset              its partial, None
two          the operands, Values or floats  their partials; None beside a float
many         the Values; all operands,       None; a tuple of the Values' partials
             in tuples that nodes may share
===========  ==============================  =======================================

``_a`` of a leaf is unset, or the float (a weak reference to the Value) that ``_grad`` was when the
data was last changed; see `is_outdated`. ``_b`` of a leaf is unset, or says where in which arrays
its numbers are; see `autograd_lite.native.parameters.binding`.

Edges point from results to operands only, so a graph has no cycles, and dropping the result frees
it by reference counting.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, SupportsFloat
from weakref import ref

from autograd_lite.modes import Tag, current_mode, current_recorder, runtime
from autograd_lite.primitives import is_number, number
from autograd_lite.slips import warn_comparison

UNREACHED = float("0")
"""The 0.0 that stands in ``_grad`` until backward writes a gradient: told apart by identity."""

OUTDATED = object()
"""What stands in ``_a`` of a leaf in arrays while its gradient belongs to older data."""


class Node:
    """A number, how it was computed, and its gradient.

    ``_grad`` is None for a constant (``requires_grad=False``). ``_position`` is 0 except while a
    sweep is under way. ``_stamp`` is the clock at the time of recording; of a leaf, at the last
    change of ``_data``. ``_tag`` is unset unless there is a label or a scope.
    """

    __slots__ = (
        "__weakref__",
        "_a",
        "_b",
        "_da",
        "_data",
        "_db",
        "_grad",
        "_position",
        "_primitive",
        "_stamp",
        "_tag",
    )

    _a: Any
    _b: Any
    _da: float | None
    _data: float
    _db: Any
    _grad: Any
    _position: int
    _primitive: Any
    _stamp: int
    _tag: Any

    @property
    def data(self) -> float:
        """The number. Assigning another does not change what was recorded before."""
        if runtime.special:
            _seen(self, ".data")
        return self._data

    @data.setter
    def data(self, data: SupportsFloat) -> None:
        if runtime.special:
            _refused(self, ".data = …")
        self._data = number(data, "a number for data")
        runtime.clock += 1
        if self._primitive is not None:
            self._tag = getattr(self, "_tag", Tag())._replace(changed=runtime.clock)
            return
        self._stamp = runtime.clock
        grad = self._grad
        if isinstance(grad, Node):
            self._a = ref(grad)
        elif grad:
            self._a = grad

    @property
    def grad(self) -> Any:
        """The derivative of what `backward` was called on, with respect to this: 0.0 at first.

        A float; a Value after ``backward(create_graph=True)``. Leaves accumulate over calls of
        `backward` until `zero_grad`; interior nodes start afresh with each call.
        """
        if runtime.special:
            _refused(self, ".grad")
        grad = self._grad
        return 0.0 if grad is None else grad

    @grad.setter
    def grad(self, grad: SupportsFloat | None) -> None:
        if runtime.special:
            _refused(self, ".grad = …")
        if grad is None:
            self.zero_grad()
            return
        given = grad if isinstance(grad, Node) else number(grad, "a number or Value for grad")
        if self._grad is not None:
            self._grad = given
        elif isinstance(given, Node) or given != 0.0:
            raise ValueError("this Value has requires_grad=False, so it takes no gradient")

    @property
    def label(self) -> str:
        """The name in pictures and messages, ``""`` unless given."""
        tag = getattr(self, "_tag", None)
        return "" if tag is None else tag.label

    @label.setter
    def label(self, label: str) -> None:
        if not isinstance(label, str):
            raise TypeError(f"a label is text, got {type(label).__name__}: {label!r}")
        tag = getattr(self, "_tag", None)
        self._tag = Tag(label=label) if tag is None else tag._replace(label=label)
        if (recorder := current_recorder()) is not None:
            recorder.labelled.append(self)

    @property
    def op(self) -> str:
        """The operation that made this Value, such as ``"*"`` or ``"tanh"``; ``""`` for a leaf."""
        return "" if self._primitive is None else self._primitive.name

    @property
    def operands(self) -> tuple[Any, ...]:
        """The Values this was computed from, in order, duplicates kept; () for a leaf."""
        return tuple(operand for operand, _ in edges(self))

    @property
    def partials(self) -> tuple[float, ...]:
        """The derivative with respect to each operand, recorded when the operation ran."""
        if runtime.special:
            _refused(self, ".partials")
        return tuple(partial for _, partial in edges(self))

    @property
    def scope(self) -> str:
        """The `scope` in which this Value was recorded, ``""`` for none."""
        tag = getattr(self, "_tag", None)
        return "" if tag is None or tag.scope is None else str(tag.scope)

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this Value. Can be changed on leaves."""
        return self._grad is not None

    @requires_grad.setter
    def requires_grad(self, required: bool) -> None:
        if runtime.special:
            _refused(self, ".requires_grad = …")
        if self._primitive is not None:
            raise RuntimeError(
                f"requires_grad can be changed on leaves only; this Value is the result of"
                f" {self.op!r}; use detach() for a constant copy"
            )
        if not flag(required, "requires_grad"):
            self._grad = None
        elif self._grad is None:
            self._grad = UNREACHED

    @property
    def reached(self) -> bool:
        """Whether a gradient was written, by `backward` or by hand, and not zeroed since."""
        return self._grad is not None and self._grad is not UNREACHED

    @property
    def _prev(self) -> set[Any]:
        """The operands as a set, under micrograd's name."""
        return set(self.operands)

    @property
    def _op(self) -> str:
        """The operation, under micrograd's name."""
        return self.op

    def item(self) -> float:
        """Return the number as a plain float."""
        if runtime.special:
            _seen(self, ".item()")
        return self._data

    def zero_grad(self) -> None:
        """Set the gradient back to 0.0."""
        if self._grad is not None:
            self._grad = UNREACHED

    # -- comparison and conversion ------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if is_number(other):
            warn_comparison()
        return NotImplemented  # what follows is the comparison of objects

    __hash__ = object.__hash__

    def __lt__(self, other: Any) -> bool:
        if runtime.special and (recorder := current_recorder()) is not None:
            return recorder.compare("<", self, other)
        return self._data < (other._data if isinstance(other, Node) else other)

    def __le__(self, other: Any) -> bool:
        if runtime.special and (recorder := current_recorder()) is not None:
            return recorder.compare("<=", self, other)
        return self._data <= (other._data if isinstance(other, Node) else other)

    def __gt__(self, other: Any) -> bool:
        if runtime.special and (recorder := current_recorder()) is not None:
            return recorder.compare(">", self, other)
        return self._data > (other._data if isinstance(other, Node) else other)

    def __ge__(self, other: Any) -> bool:
        if runtime.special and (recorder := current_recorder()) is not None:
            return recorder.compare(">=", self, other)
        return self._data >= (other._data if isinstance(other, Node) else other)

    def __bool__(self) -> bool:
        if runtime.special and (recorder := current_recorder()) is not None:
            return recorder.truth(self)
        return self._data != 0.0

    def __float__(self) -> float:
        if runtime.special:
            if current_mode().lifting:
                raise TypeError(
                    "a formula turned a Value into a plain float, which loses its derivative:"
                    " write it with operators and functions of autograd_lite, not with those of"
                    " math"
                )
            _seen(self, "float()")
        return self._data

    def __int__(self) -> int:
        if runtime.special:
            _seen(self, "int()")
        return int(self._data)

    def __round__(self, ndigits: int | None = None) -> float:
        if runtime.special:
            _seen(self, "round()")
        return round(self._data, ndigits)

    def __format__(self, specification: str) -> str:
        if not specification:
            return repr(self)
        if runtime.special:
            _seen(self, "format()")
        return format(self._data, specification)

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        constant = "" if self.requires_grad else ", requires_grad=False"
        given = _gradient(self)
        grad = given._data if isinstance(given, Node) else given
        return f"Value(data={self._data}, grad={grad}{label}{constant})"

    def _repr_html_(self) -> str:
        """Return a line for notebooks; `draw` shows the graph."""
        from autograd_lite.cards import card

        reached = _gradient(self)
        number_of = reached._data if isinstance(reached, Node) else float(reached)
        grad = None if self._grad is UNREACHED else number_of
        given = arguments(self)
        return card(self.label, self.op, given, self._data, grad, self.requires_grad)


def flag(given: Any, what: str) -> bool:
    """Return True or False, or say what was given instead."""
    if not isinstance(given, bool):
        raise TypeError(f"{what} expected True or False, got {type(given).__name__}: {given!r}")
    return given


def _gradient(node: Node) -> Any:
    return 0.0 if node._grad is None else node._grad


def _seen(node: Node, how: str) -> None:
    """Tell who records that the number is to leave the graph; it raises where that is wrong."""
    recorder = current_recorder()
    if recorder is not None:
        recorder.seen(node, how)


def _refused(node: Node, what: str) -> None:
    """Raise if a program is being recorded, which cannot have this."""
    recorder = current_recorder()
    if recorder is not None:
        recorder.refuse(node, what)


def edges(node: Node) -> list[tuple[Any, float]]:
    """Return the Values that a node was computed from, in order, each with its partial."""
    da, db = node._da, node._db
    if type(db) is tuple:
        return list(zip(node._a, db, strict=True))
    found = [] if da is None else [(node._a, da)]
    return found if db is None else [*found, (node._b, db)]


def changed_at(node: Node) -> int:
    """Return the clock at the last change of a node's data; of a result, 0 if there was none."""
    if node._primitive is None:
        return node._stamp
    tag = getattr(node, "_tag", None)
    return 0 if tag is None else int(tag.changed)


def is_outdated(leaf: Node) -> bool:
    """Tell whether a leaf has a gradient that belongs to older data."""
    grad = leaf._grad
    if grad is None or grad is UNREACHED:
        return False
    then = getattr(leaf, "_a", None)
    return then is OUTDATED or (then() if isinstance(then, ref) else then) is grad


def arguments(node: Node) -> tuple[Any, ...]:
    """Return everything a node was computed from, in order: Values and plain floats."""
    primitive = node._primitive
    if primitive is None:
        return ()
    if type(node._db) is tuple:
        return tuple(chain.from_iterable(node._b))
    return (node._a,) if primitive.arity == 1 else (node._a, node._b)
