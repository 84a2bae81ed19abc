"""A tape as arrays: who uses whom, in compressed rows, and what that says about every node."""

from __future__ import annotations

from typing import Any, NamedTuple

from autograd_lite.native.columns import Operands, Operations
from autograd_lite.native.tape import Special
from autograd_lite.primitives.core import Primitive, Variadic

Operation = Primitive | Variadic | Special
ANY = -1  # number of operands


class Flat(NamedTuple):
    """The operations of a tape as arrays of n nodes and their operands.

    Attributes
    ----------
    operations : list
        The different operations; None stands for all leaves and comes first.
    codes : int32 array (n,)
        Of every node, its operation's position in ``operations``.
    starts : int64 array (n + 1,)
        Where the operands of node i begin in ``operands``, and with i + 1 where they end.
    operands : int32 array
        The operands of all nodes.
    flows : uint8 array (n,)
    """

    operations: list[Operation | None]
    codes: Any
    starts: Any
    operands: Any
    flows: Any

    def users(self) -> Any:
        """Return, for every entry of ``operands``, the node whose operand it is."""
        import numpy as np

        return np.repeat(np.arange(len(self.codes), dtype=np.int64), np.diff(self.starts))

    def operands_of(self, node: int) -> list[int]:
        """Return the operands of one node."""
        found: list[int] = self.operands[self.starts[node] : self.starts[node + 1]].tolist()
        return found

    def using(self, *operations: Operation) -> Any:
        """Return the numbers of the nodes with one of these operations."""
        import numpy as np

        chosen = np.array([known in operations for known in self.operations])
        return np.flatnonzero(chosen[self.codes])


def flat(operations: Operations, operands: Operands, flows: list[bool]) -> Flat:
    """Turn the columns of a tape into arrays of NumPy."""
    import numpy as np

    codes = np.fromiter(operations.codes, np.int32, len(operations))
    counts = np.array([_count(operation) for operation in operations.different])
    if (counts == ANY).any():
        starts = np.fromiter(operands.starts, np.int64, len(operands.starts))
    else:  # which is the same, in a tenth of the time
        starts = np.concatenate([[0], np.cumsum(counts[codes])])
    return Flat(
        operations.different,
        codes,
        starts,
        np.fromiter(operands.nodes, np.int32, len(operands.nodes)),
        np.frombuffer(bytes(flows), np.uint8),
    )


def _count(operation: Operation | None) -> int:
    """Return how many operands an operation has, `ANY` if any number."""
    if operation is None:
        return 0
    return operation.arity if isinstance(operation, Primitive) else ANY
