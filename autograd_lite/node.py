"""What one recorded number holds: the layout that recording, sweeping and drawing share.

A node has flat slots instead of containers, so that an operation costs one object. How the slots
are used depends on how many operands the operation had:

===========  ==============================  =======================================
operands     ``_a`` and ``_b``               ``_da`` and ``_db``
===========  ==============================  =======================================
none (leaf)  unset                           None, None
one          the operand; unset              its partial, None
two          the operands, Values or floats  their partials; None beside a float
many         the Values; all operands        None; a tuple of the Values' partials
===========  ==============================  =======================================

Edges point from results to operands only, so a graph has no cycles, and dropping the result frees
it by reference counting.
"""

from __future__ import annotations

from typing import Any

UNREACHED = float("0")
"""The 0.0 that stands in ``_grad`` until backward writes a gradient: told apart by identity."""


class Node:
    """A number, how it was computed, and its gradient.

    ``_grad`` is None for a constant (``requires_grad=False``). ``_position`` is 0 except while a
    sweep is under way. ``_stamp`` is the clock at the time of recording, or of the last change of
    ``_data``. ``_tag`` is unset unless there is a label or a scope.
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


def edges(node: Node) -> list[tuple[Any, float]]:
    """Return the Values that a node was computed from, in order, each with its partial."""
    da, db = node._da, node._db
    if type(db) is tuple:
        return list(zip(node._a, db, strict=True))
    found = [] if da is None else [(node._a, da)]
    return found if db is None else [*found, (node._b, db)]


def arguments(node: Node) -> tuple[Any, ...]:
    """Return everything a node was computed from, in order: Values and plain floats."""
    primitive = node._primitive
    if primitive is None:
        return ()
    if type(node._db) is tuple:
        return node._b
    return (node._a,) if primitive.arity == 1 else (node._a, node._b)
