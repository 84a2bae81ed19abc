"""Passes over a recording that have to go node by node: native loops, with a kernel's parameters.

All arrays of a pass stand in one int32 array, the `Workspace`, which begins with a table of where
each of them begins. The loops read that table; they use nothing else of a kernel's parameters.
"""

from __future__ import annotations

from collections.abc import Callable
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
    "computed",  # whether a kernel computes it
    "kind",  # which one
    "turn",  # the number of the run that it is in
    "waiting",  # how many of its operands are still to be computed
    "following",  # the next node that waits for a kernel of the same kind, or -1
    "ahead",  # the operations on the longest way from a node on
    "user_starts",  # where the users of each node begin, as ``starts``
    "users",  # of all nodes
    "queues",  # of every kind, four numbers on the nodes that are ready
)
STARTS, OPERANDS, FLOWS, JOINS, VARIES, WANTS, LIVE, CARRIES, LEVEL = range(1, 10)
COMPUTED, KIND, TURN, WAITING, FOLLOWING, AHEAD, USER_STARTS, USERS, QUEUES = range(10, 19)

FIRST, LAST, COUNT, FARTHEST = range(4)
"""Of a queue: the first node and the last, how many there are, the most that is ahead of one."""

QUEUE = 4


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
    computed: Any
    kind: Any
    turn: Any

    def __init__(self, starts: Any, operands: Any, kinds: int = 0) -> None:
        import numpy as np

        nodes = len(starts) - 1
        own = {
            "starts": nodes + 1,
            "operands": len(operands),
            "user_starts": nodes + 1,
            "users": len(operands),
            "queues": QUEUE * kinds,
        }
        sizes = [own.get(name, nodes) for name in COLUMNS]
        head = 1 + len(COLUMNS)
        begins = np.cumsum([head, *sizes])
        self.memory = np.zeros(begins[-1], np.int32)
        self.memory[0] = nodes
        self.memory[1:head] = begins[:-1]
        for name, begin, size in zip(COLUMNS, begins[:-1], sizes, strict=True):
            setattr(self, name, self.memory[begin : begin + size])
        self.starts[:] = starts
        self.operands[:] = operands

    def run(self, name: str, kinds: int = 0) -> None:
        """Go through the nodes with one of the passes below."""
        from autograd_lite.native.kernels.building import address
        from autograd_lite.native.kernels.convention import callable_at

        at = address(f"{name} of nodes", PASSES[name])
        callable_at(at)(0, 0, 0, 0, self.memory.ctypes.data, 0, 0, 0, 0, kinds)


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


def turn_taking() -> Any:
    """Return the pass that puts nodes into runs of one kind, the longest way first.

    Again and again comes the kind with the node that has most ahead of it, of several kinds that of
    which most are ready; what has less ahead can wait for more of its kind, so runs are few. (T. C.
    Hu, Parallel sequencing and assembly line problems, Operations Research 9, 1961.) The pass takes
    the number of kinds as ``lanes``.
    """
    from autograd_lite.native.kernels.blocks import inlined

    put = inlined(_put)

    def take_turns(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        nodes, starts, operands = index[0], index[STARTS], index[OPERANDS]
        computed, turn = index[COMPUTED], index[TURN]
        waiting, following, queues = index[WAITING], index[FOLLOWING], index[QUEUES]
        ahead, user_starts, users = index[AHEAD], index[USER_STARTS], index[USERS]
        for i in range(nodes):
            node = nodes - 1 - i
            if index[computed + node]:
                for k in range(index[starts + node], index[starts + node + 1]):
                    operand = index[operands + k]
                    index[ahead + operand] = max(index[ahead + operand], index[ahead + node] + 1)
        for node in range(nodes):  # count users, and what is waited for
            if index[computed + node]:
                for k in range(index[starts + node], index[starts + node + 1]):
                    operand = index[operands + k]
                    if index[computed + operand]:
                        index[waiting + node] += 1
                        index[user_starts + operand + 1] += 1
        for node in range(nodes):
            index[user_starts + node + 1] += index[user_starts + node]
        for node in range(nodes):
            if index[computed + node]:
                for k in range(index[starts + node], index[starts + node + 1]):
                    operand = index[operands + k]
                    if index[computed + operand]:
                        at = user_starts + operand
                        index[users + index[at]] = node
                        index[at] += 1
        left = 0
        for node in range(nodes):
            if index[computed + node]:
                left += 1
                if index[waiting + node] == 0:
                    put(index, node)
        run = 0
        while left > 0:
            chosen = queues
            for i in range(lanes):
                queue = queues + QUEUE * i
                longer = index[queue + FARTHEST] - index[chosen + FARTHEST]
                if index[chosen + COUNT] == 0 or longer > 0:
                    better = index[queue + COUNT] > 0
                else:
                    better = longer == 0 and index[queue + COUNT] > index[chosen + COUNT]
                if better:
                    chosen = queue
            node = index[chosen + FIRST]
            left -= index[chosen + COUNT]
            index[chosen + COUNT] = index[chosen + FARTHEST] = 0
            run += 1
            while node >= 0:
                index[turn + node] = run
                begin = index[user_starts + node - 1] if node > 0 else 0
                for k in range(begin, index[user_starts + node]):
                    user = index[users + k]
                    index[waiting + user] -= 1
                    if index[waiting + user] == 0:
                        put(index, user)
                node = index[following + node]

    return take_turns


def _put(index, node):  # type: ignore[no-untyped-def]
    """Put a node that is ready at the end of the queue of its kind."""
    queue = index[QUEUES] + QUEUE * index[index[KIND] + node]
    following = index[FOLLOWING]
    index[following + node] = -1
    if index[queue + COUNT] == 0:
        index[queue + FIRST] = node
    else:
        index[following + index[queue + LAST]] = node
    index[queue + LAST] = node
    index[queue + COUNT] += 1
    index[queue + FARTHEST] = max(index[queue + FARTHEST], index[index[AHEAD] + node])


PASSES: dict[str, Callable[[], Any]] = {
    "spread": lambda: spread,
    "reach": lambda: reach,
    "rank": lambda: rank,
    "take_turns": turn_taking,
}
