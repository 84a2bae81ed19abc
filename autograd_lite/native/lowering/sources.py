"""The leaves of a tape as arrays: where the number of each comes from."""

from __future__ import annotations

from itertools import compress
from operator import itemgetter
from typing import Any, NamedTuple

from autograd_lite.native.lowering.flat import Flat
from autograd_lite.native.tape import Argument, Closure, Constant, Drawn, Parameter, Source, Tape

SOURCE_KINDS: tuple[type[Source], ...] = (Argument, Drawn, Closure, Constant, Parameter)
_KIND_OF = {kind: i for i, kind in enumerate(SOURCE_KINDS)}
_WITH_COLUMN = (Argument, Drawn)
_NUMBERED = (*_WITH_COLUMN, Parameter)


class Sources(NamedTuple):
    """Leaves, in the order of their nodes.

    Attributes
    ----------
    nodes : int64 array
    kind : int8 array
        Of each leaf, its position in `SOURCE_KINDS`.
    which : int64 array
        Which argument, which draw or which parameter; 0 for others.
    column : int64 array
        Which number of the argument, or of the draw; 0 for others.
    """

    nodes: Any
    kind: Any
    which: Any
    column: Any

    def are(self, kind: type[Source]) -> Any:
        """Mark those of one kind."""
        return self.kind == _KIND_OF[kind]

    def positions(self, kind: type[Source], count: int) -> Any:
        """Return an array of so many nodes: of leaves of one kind, ``which``; -1 for others."""
        import numpy as np

        found = np.full(count, -1)
        chosen = self.are(kind)
        found[self.nodes[chosen]] = self.which[chosen]
        return found


def sources_of(tape: Tape, flat: Flat) -> Sources:
    """Turn the sources of a tape into arrays.

    Examples
    --------
    >>> from autograd_lite.native.lowering.flat import flat
    >>> from autograd_lite.native.lowering.sources import sources_of
    >>> from autograd_lite.native.tracing.recording import record
    >>> tape = record(lambda x, y: x + 2.0 * y[1], (1.0, [3.0, 4.0]))
    >>> found = sources_of(tape, flat(tape.operations, tape.operands, tape.flows))
    >>> found.nodes.tolist(), found.kind.tolist()
    ([0, 1, 2, 3], [0, 0, 0, 3])
    >>> found.which.tolist(), found.column.tolist()
    ([0, 1, 1, 0], [0, 0, 1, 0])
    """
    import numpy as np

    leaves = list(tape.leaves)
    kind = np.fromiter(map(_KIND_OF.__getitem__, map(type, leaves)), np.int8, len(leaves))
    columns = []
    for field, kinds in enumerate((_NUMBERED, _WITH_COLUMN)):
        having = np.array([x in kinds for x in SOURCE_KINDS])[kind]
        column = np.zeros(len(leaves), np.int64)
        column[having] = list(map(itemgetter(field), compress(leaves, having.tolist())))
        columns.append(column)
    return Sources(np.flatnonzero(flat.codes == 0), kind, *columns)
