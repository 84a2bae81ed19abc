"""Passes over a recording that have to go node by node: native loops, with a kernel's parameters.

All arrays of a pass stand in one int32 array, the `Workspace`, which begins with a table of where
each of them begins. The loops read that table; they use nothing else of a kernel's parameters.
"""

from __future__ import annotations

from typing import Any

COLUMNS = (
    "starts",  # where the operands of each node begin; one more entry for the end of the last
    "operands",  # of all nodes
    "flows",  # whether gradients flow through a node
    "joins",  # whether a node makes one number of those of all lanes
    "varies",  # whether its number is another one in every lane
    "wants",  # whether it depends on something to differentiate
    "live",  # whether its number is needed
    "carries",  # whether a gradient comes to it from an output
    "level",  # the operations on the longest way from a leaf
)
STARTS, OPERANDS, FLOWS, JOINS, VARIES, WANTS, LIVE, CARRIES, LEVEL = range(1, 10)


class Workspace:
    """The arrays of the passes, as attributes: one entry per node, all 0 at first."""

    starts: Any
    operands: Any
    flows: Any
    joins: Any
    varies: Any
    wants: Any
    live: Any
    carries: Any
    level: Any

    def __init__(self, starts: Any, operands: Any) -> None:
        import numpy as np

        nodes = len(starts) - 1
        sizes = [len(starts), len(operands), *[nodes] * (len(COLUMNS) - 2)]
        head = 1 + len(COLUMNS)
        begins = np.cumsum([head, *sizes])
        self.memory = np.zeros(begins[-1], np.int32)
        self.memory[0] = nodes
        self.memory[1:head] = begins[:-1]
        for name, begin, size in zip(COLUMNS, begins[:-1], sizes, strict=True):
            setattr(self, name, self.memory[begin : begin + size])
        self.starts[:] = starts
        self.operands[:] = operands

    def run(self, name: str) -> None:
        """Go through the nodes with one of the passes below."""
        from autograd_lite.native.kernels.building import address, callable_at

        function = PASSES[name]
        at = address(f"{name} of nodes", lambda: function)
        callable_at(at)(0, 0, 0, 0, self.memory.ctypes.data, 0, 0, 0, 0, 0)


def spread(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
    """Mark what varies and what wants, given the leaves that do."""
    starts, operands = index[STARTS], index[OPERANDS]
    for node in range(index[0]):
        for k in range(index[starts + node], index[starts + node + 1]):
            operand = index[operands + k]
            if index[index[VARIES] + operand] and not index[index[JOINS] + node]:
                index[index[VARIES] + node] = 1
            if index[index[WANTS] + operand] and index[index[FLOWS] + node]:
                index[index[WANTS] + node] = 1


def reach(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
    """Mark what is live and what carries, from the nodes that are marked already down."""
    starts, operands = index[STARTS], index[OPERANDS]
    for i in range(index[0]):
        node = index[0] - 1 - i
        for k in range(index[starts + node], index[starts + node + 1]):
            operand = index[operands + k]
            if index[index[LIVE] + node]:
                index[index[LIVE] + operand] = 1
            if index[index[CARRIES] + node] and index[index[WANTS] + operand]:
                index[index[CARRIES] + operand] = 1


def rank(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
    """Count levels."""
    starts, operands, level = index[STARTS], index[OPERANDS], index[LEVEL]
    for node in range(index[0]):
        highest = -1
        for k in range(index[starts + node], index[starts + node + 1]):
            below = index[level + index[operands + k]]
            highest = max(highest, below)
        index[level + node] = highest + 1


PASSES = {"spread": spread, "reach": reach, "rank": rank}
