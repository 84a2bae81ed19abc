"""Lanes are computed in blocks; what a formula on many operands keeps meanwhile is on the stack."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

BLOCK = 64
"""How many lanes are computed together."""


class Node(NamedTuple):
    """What the formulas below see: one node, in some lanes next to each other.

    Attributes
    ----------
    v, g : pointers to numbers
    index : pointer to int32
    begin, end : int
        Where in ``index`` the rows of the operands are.
    result : int
        Where in ``v`` and ``g`` the node's first lane is.
    lanes : int
        How many lanes a row has.
    lane, width : int
        The first of the lanes to compute, and how many they are: `BLOCK` at most.
    """

    v: Any
    g: Any
    index: Any
    begin: int
    end: int
    result: int
    lanes: int
    lane: int
    width: int


Formula = Callable[[Node], None]


@cache
def room() -> Any:
    """Return a compiled function: ``room()(times)`` is a pointer to so many float64 of each lane.

    ``times`` is a constant. The memory is the calling kernel's own, until it returns; where a block
    is one lane, it becomes a register.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    def block(typing_context: Any, times: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            made = cgutils.alloca_once(builder, ir.DoubleType(), size=BLOCK * times.literal_value)
            made.align = 64  # of a cache line: vectors across two would take twice the time
            return made

        return types.CPointer(types.float64)(types.literal(times.literal_value)), emit

    return intrinsic(prefer_literal=True)(block)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function into whatever calls it, constants of the call included."""
    import numba

    return numba.njit(error_model="numpy", inline="always")(function)
