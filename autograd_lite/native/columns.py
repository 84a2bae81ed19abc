"""The long columns of a tape: whole numbers in long lists, which become arrays in no time.

A tape can have millions of nodes. A tuple of operands for each of them would take memory, and the
time of the garbage collector.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise, repeat
from typing import Any


class Operations:
    """Of every node, its operation; None for a leaf.

    Attributes
    ----------
    different : list
        The different ones, in the order in which they were met; None comes first.
    codes : list of int
        Of every node, the position of its operation among these.

    Examples
    --------
    >>> from autograd_lite.native.columns import Operations
    >>> column = Operations([None, "sin", "sin"])
    >>> column[2], [*column], column.different, column.codes
    ('sin', [None, 'sin', 'sin'], [None, 'sin'], [0, 1, 1])
    """

    def __init__(self, given: Iterable[Any] = ()) -> None:
        self.different: list[Any] = [None]
        self.codes: list[int] = []
        self._code_of: dict[Any, int] = {None: 0}
        for operation in given:
            self.append(operation)

    def code(self, operation: Any) -> int:
        """Return the code of an operation, a new one if it has not been met."""
        code = self._code_of.get(operation)
        if code is None:
            code = self._code_of[operation] = len(self.different)
            self.different.append(operation)
        return code

    def append(self, operation: Any) -> None:
        """Add a node."""
        self.codes.append(self.code(operation))

    def add_leaves(self, count: int) -> None:
        """Add nodes without an operation."""
        self.codes.extend(repeat(0, count))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, node: int) -> Any:
        return self.different[self.codes[node]]

    def __iter__(self) -> Iterator[Any]:
        return map(self.different.__getitem__, self.codes)

    def __repr__(self) -> str:
        return repr([*self])


class Operands:
    """Of every node, its operands as a tuple of nodes; () for a leaf.

    Attributes
    ----------
    nodes : list of int
        The operands of all nodes, one after the other.
    starts : list of int
        Where those of each node begin, and where the last ones end.

    Examples
    --------
    >>> from autograd_lite.native.columns import Operands
    >>> column = Operands([(), (0, 0), (1,)])
    >>> column[1], [*column], column.nodes, column.starts
    ((0, 0), [(), (0, 0), (1,)], [0, 0, 1], [0, 0, 2, 3])
    """

    def __init__(self, given: Iterable[Iterable[int]] = ()) -> None:
        self.nodes: list[int] = []
        self.starts = [0]
        for operands in given:
            self.append(operands)

    def append(self, operands: Iterable[int]) -> None:
        """Add a node."""
        self.nodes.extend(operands)
        self.starts.append(len(self.nodes))

    def add_leaves(self, count: int) -> None:
        """Add nodes without operands."""
        self.starts.extend(repeat(len(self.nodes), count))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, node: int) -> tuple[int, ...]:
        return tuple(self.nodes[self.starts[node] : self.starts[node + 1]])

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return (tuple(self.nodes[begin:end]) for begin, end in pairwise(self.starts))

    def __repr__(self) -> str:
        return repr([*self])
