"""How nodes come to be, and how a long chain of them goes without overflowing the C stack.

Dropping a result drops its operands, which drops theirs, and so on. Python bounds that recursion:
at 50 levels in 3.11 and 3.12, by the size of the stack from 3.14 on. But 3.13 goes down 10,000
levels, which is more than a thread with a small stack can take. There, about every thousandth
node gets a finaliser that hands its operands to a list instead, which its outermost caller works
off. The nodes are counted by an iterator that runs in C, so the others pay next to nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, cycle, repeat
from threading import local
from typing import Any, TypeVar

from autograd_lite.node import Node

Kind = TypeVar("Kind", bound=Node)

# Between two finalisers; of mixed parity, so that no pattern in a program always misses them.
GAPS = (701, 998, 853, 1102, 947, 800)


def allocator(kind: type[Kind]) -> Callable[[], Kind]:
    """Return a function that makes a node of this class with all slots unset."""
    if sys.version_info[:2] == (3, 13):
        return _in_batches(kind)
    return partial(object.__new__, kind)


def _in_batches(kind: type[Kind]) -> Callable[[], Kind]:
    breaker: type[Kind] = type(kind.__name__, (_Breaker, kind), {"__slots__": ()})

    def classes(gap: int) -> Iterator[type[Kind]]:
        return chain((breaker,), repeat(kind, gap))

    return map(object.__new__, chain.from_iterable(map(classes, cycle(GAPS)))).__next__


def kind_of(node: Node) -> type[Node]:
    """Return the class of a node that users know."""
    kind = type(node)
    return kind.__bases__[1] if issubclass(kind, _Breaker | Bound) else kind


class Bound:
    """A leaf that keeps its numbers in arrays; see `autograd_lite.native.parameters.binding`."""

    __slots__ = ()

    _b: tuple[Any, int]

    def __init_subclass__(cls) -> None:
        """Stand before the method of a user's class, which such classes are no business of."""


class _Backlog(local):
    """What the finalisers of this thread have still to drop."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []
        self.worked_off = False


_backlog = _Backlog()


class _Breaker:
    """A node whose operands are dropped by the outermost finaliser, not by this one."""

    __slots__ = ()

    def __del__(self) -> None:
        backlog = _backlog
        waiting = backlog.waiting
        for slot in ("_a", "_b", "_grad"):
            waiting.append(getattr(self, slot, None))
            setattr(self, slot, None)
        if not backlog.worked_off:
            backlog.worked_off = True
            try:
                while waiting:
                    waiting.pop()
            finally:
                backlog.worked_off = False
