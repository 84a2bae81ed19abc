"""Lanes are computed in blocks: what a kernel keeps of each meanwhile is on the stack."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

BLOCK = 64
"""How many lanes are computed together."""


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
