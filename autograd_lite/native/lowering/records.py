"""Runs of equal operations on neighbouring rows, as records for the native loop."""

from __future__ import annotations

from typing import Any, NamedTuple

from autograd_lite.native.kernels.convention import LANES, RECORD_LENGTH, UNIFORM
from autograd_lite.native.kernels.table import ACTIVE, KINDS, Kernels
from autograd_lite.native.lowering.layout import Analysed, Layout, begins_of_runs
from autograd_lite.native.order import swept


class Runs(NamedTuple):
    """All runs of one direction.

    Attributes
    ----------
    records : int64 array (runs, 8)
        As `runner.RECORD` says.
    place : int array (runs,)
        When each of them comes, in ascending order.
    python : list of (place, node)
        What no kernel does, and when; after the runs of that place.
    """

    records: Any
    place: Any
    python: list[tuple[int, int]]


class Recorded(NamedTuple):
    """The runs of both directions, with what they refer to.

    Attributes
    ----------
    forward, keeping, backward : Runs
        On the way forward partials are kept if a way back is to follow.
    index : int32 array
        The rows of adjoints, and of operands.
    labels : list of int
        The leaves whose whole numbers picks go by, in the order of their rows.
    """

    forward: Runs
    keeping: Runs
    backward: Runs
    index: Any
    labels: list[int]


def recorded(about: Analysed, layout: Layout, kernels: Kernels) -> Recorded:
    """Write the records of a layout."""
    import numpy as np

    flat, n = about.flat, len(about.flat.codes)
    order = layout.order
    in_python = kernels.in_python[flat.codes]
    native = np.concatenate([~in_python, np.ones(len(layout.broadcast), bool)])[order]
    nodes, place, kind = order[native], layout.place[native], layout.kind[native]
    labels, index, first = _index(about, layout, nodes, kernels)
    row = layout.row[nodes]
    space = np.where(kernels.joining[np.where(nodes < n, kind // KINDS, 0)], 1, layout.space[nodes])
    # A run over lanes must not use its own results; as points go one after the other, it may.
    turn = np.where(about.exact & (space == UNIFORM), 0, place)
    begins = begins_of_runs(kind, space, turn, row - np.arange(len(row)))
    ends = np.append(begins[1:], len(nodes))[: len(begins)]  # none if all are matrix products
    runs = np.zeros((len(begins), RECORD_LENGTH), np.int64)
    runs[:, 1] = space[begins]
    runs[:, 2] = first[begins]
    runs[:, 3] = row[begins]
    runs[:, 4] = row[begins] + ends - begins
    forward = runs.copy()
    forward[:, 0] = kernels.addresses("forward", kind[begins], space[begins], ends - begins)
    python = [(int(p), int(x)) for p, x in zip(layout.place[~native], order[~native], strict=True)]
    going_up = keeping = _joined(Runs(forward, place[ends - 1], python))
    if layout.rows[LANES] and kernels.keeping.any():
        records = forward.copy()
        records[:, 0] = kernels.addresses("keeping", kind[begins], space[begins], ends - begins)
        keeping = _joined(Runs(records, place[ends - 1], python))
    if about.exact:
        return Recorded(
            going_up, keeping, _swept(about, layout, nodes, first, kernels), index, labels
        )
    with_gradient = (kind[begins] % KINDS & ACTIVE) > 0
    backward = runs[with_gradient][::-1].copy()
    sizes = backward[:, 4] - backward[:, 3]
    kinds = kind[begins][with_gradient][::-1]
    backward[:, 0] = kernels.addresses("backward", kinds, backward[:, 1], sizes)
    down = -place[begins][with_gradient][::-1]
    python = [(-p, x) for p, x in reversed(python) if about.active[x]]
    return Recorded(going_up, keeping, Runs(backward, down, python), index, labels)


def _joined(runs: Runs) -> Runs:
    """Make one run of those that differ in their way back alone."""
    import numpy as np

    records, place = runs.records, runs.place
    gone = np.cumsum(records[:, 4] - records[:, 3])
    begins = begins_of_runs(records[:, 0], records[:, 1], place, records[:, 4] - gone)
    found = records[begins]
    found[:, 4] = records[np.append(begins[1:], len(records))[: len(begins)] - 1, 4]
    return runs._replace(records=found, place=place[begins])


def _index(
    about: Analysed, layout: Layout, nodes: Any, kernels: Kernels
) -> tuple[list[int], Any, Any]:
    """Return the labels' leaves, the rows of all operands, and where those of each node begin.

    For every row with lanes, the row of its adjoint comes first. Nodes with a fixed number of
    operands follow. For the others there is a table of where each one's operands begin; what counts
    is where the table has the node.
    """
    import numpy as np

    flat = about.flat
    starts = np.concatenate(
        [flat.starts[:-1], len(flat.operands) + np.arange(len(layout.broadcast))]
    )
    counts = np.concatenate([np.diff(flat.starts), np.ones(len(layout.broadcast), np.int64)])
    operands = np.concatenate([layout.operands, layout.broadcast])
    rows = layout.row[operands]
    labels: list[int] = []
    labelled = np.flatnonzero(kernels.labelled[flat.codes] & about.live)
    if len(labelled):
        slots = flat.starts[labelled]
        leaves, numbers = np.unique(flat.operands[slots], return_inverse=True)
        labels = leaves.tolist()
        rows[slots] = numbers
    tabled = np.concatenate([kernels.tabled[flat.codes], np.zeros(len(layout.broadcast), bool)])
    first = np.zeros(len(nodes), np.int64)
    passing = np.flatnonzero(layout.heir != np.arange(len(layout.heir)))
    adjoints = np.arange(layout.rows[LANES])
    adjoints[layout.row[passing]] = layout.row[layout.heir[passing]]
    parts = [adjoints]
    begin = len(adjoints)
    for several in (False, True):
        chosen = tabled[nodes] == several
        picked = nodes[chosen]
        ends = begin + np.cumsum(counts[picked])
        begins = ends - counts[picked]
        steps = np.arange(begin, int(ends[-1]) if len(ends) else begin)
        parts.append(rows[steps + np.repeat(starts[picked] - begins, counts[picked])])
        if several:
            first[chosen] = begin + len(steps) + np.arange(len(picked))
            parts.append(np.append(begins, begin + len(steps)))
        else:
            first[chosen] = begins
            begin += len(steps)
    return labels, np.concatenate(parts).astype(np.int32), first


def _swept(about: Analysed, layout: Layout, nodes: Any, first: Any, kernels: Kernels) -> Runs:
    """Return one record per node, in the order in which the eager engine sweeps over them."""
    import numpy as np

    n = len(about.flat.codes)
    sweep = swept(about.tape, about.tape.outputs[about.output], about.active.tolist())
    turn = np.zeros(len(layout.row), np.int64)
    turn[sweep] = 1 + np.arange(len(sweep))
    active = np.concatenate([about.active, about.active[layout.broadcast]])
    chosen = np.flatnonzero(active[nodes])
    chosen = chosen[np.argsort(-turn[nodes[chosen]], kind="stable")]
    if not about.joined:  # all lanes before what is without
        chosen = chosen[np.argsort(-layout.space[nodes[chosen]].astype(int), kind="stable")]
    records = np.zeros((len(chosen), RECORD_LENGTH), np.int64)
    row = layout.row[nodes[chosen]]
    records[:, 1] = layout.space[nodes[chosen]]
    records[:, 2] = first[chosen]
    records[:, 3] = row
    records[:, 4] = row + 1
    kind = np.zeros(len(layout.row), np.int64)
    kind[layout.order] = layout.kind
    records[:, 0] = kernels.addresses(
        "backward", kind[nodes[chosen]], records[:, 1], np.ones(len(chosen))
    )
    place = np.arange(len(chosen))
    python = [x for x in layout.order.tolist() if x < n and kernels.in_python[about.flat.codes[x]]]
    when = [
        (int(np.searchsorted(-turn[nodes[chosen]], -turn[x])) - 1, x) for x in python if active[x]
    ]
    return Runs(records, place, sorted(when, key=lambda pair: -turn[pair[1]]))
