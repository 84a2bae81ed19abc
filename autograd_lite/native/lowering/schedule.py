"""A schedule: all that is known of a tape before there are numbers. `machine` runs it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from autograd_lite.native.kernels.convention import LANES, RECORD_LENGTH, UNIFORM
from autograd_lite.native.kernels.table import Kernels
from autograd_lite.native.lowering.guarding import Guards
from autograd_lite.native.lowering.layout import NO_ROW, Analysed, Layout, analysed, laid_out
from autograd_lite.native.lowering.leaves import Leaves
from autograd_lite.native.lowering.matrices import Around, Placed, direct_arguments, placed
from autograd_lite.native.lowering.records import Recorded, recorded
from autograd_lite.native.parameters.binding import Binding
from autograd_lite.native.tape import Tape


class Schedule(NamedTuple):
    """Rows, runs and matrix products of a tape.

    Attributes
    ----------
    about : Analysed
    layout : Layout
    runs : Recorded
    index : int32 array
        The rows of adjoints and operands, those of what is around products with them.
    products : list of Placed
    around : list of Around
        What is before and after each product.
    leaves : Leaves
    guards : Guards
    rows : tuple of two int
        How many rows the uniform space and the lanes have.
    outputs : (array, array)
        The spaces and the rows of the outputs.
    zeroing : int64 array (1, 8), or None
        The record of the run that sets adjoints with lanes to 0, where they are added up.
    dtype : numpy.dtype
    parameters, gradients : arrays, or None
        Those of the binding.
    varying : frozenset of int
        The positions of the arguments with lanes.
    direct : list of int
        The positions of the arguments that products read from where the caller has them.
    """

    about: Analysed
    layout: Layout
    runs: Recorded
    index: Any
    products: list[Placed]
    around: list[Around]
    leaves: Leaves
    guards: Guards
    rows: tuple[int, int]
    outputs: tuple[Any, Any]
    zeroing: Any
    dtype: Any
    parameters: Any
    gradients: Any
    varying: frozenset[int]
    direct: list[int]

    @property
    def apart(self) -> bool:
        """Whether numbers without lanes are computed before all others, lanes block by block."""
        return self.rows[LANES] > 0 and not self.about.joined


def scheduled(
    tape: Tape,
    *,
    varying: Collection[int],
    wanted: Collection[int],
    binding: Binding | None,
    exact: bool,
    dtype: str,
    output: int | None = None,
) -> Schedule:
    """Make the schedule of a tape; see `plan.lower`."""
    import numpy as np

    about = analysed(tape, varying=varying, wanted=wanted, exact=exact, output=output)
    flat = about.flat
    live = np.bincount(flat.codes[about.live], minlength=len(flat.operations)) > 0
    kernels = Kernels(flat.operations, live.tolist(), exact=exact, dtype=dtype)
    direct = direct_arguments(about, sorted(wanted))
    layout = laid_out(about, [x for nodes in direct.values() for x in nodes], kernels)
    runs = recorded(about, layout, kernels)
    places = np.array(() if binding is None else binding.place, np.int64)
    products, rows = placed(about, layout, direct, places, layout.rows)
    index, around = _around(runs.index, products, kernels)
    zeroed = _rows_to_zero(about, layout, products, rows[LANES])
    zeroing = None
    if len(zeroed):
        at = kernels.special("zero", "forward", LANES)
        zeroing = np.array([[at, LANES, len(index), 0, len(zeroed), 0, 0, 0]], np.int64)
        index = np.concatenate([index, zeroed])
    outputs = np.array(tape.outputs, np.int64)
    return Schedule(
        about,
        layout,
        runs,
        index,
        products,
        around,
        Leaves(about, layout, runs.labels, places, varying, wanted),
        Guards(tape, layout, kernels),
        rows,
        (layout.space[outputs].astype(np.int64), layout.row[outputs]),
        zeroing,
        np.dtype(dtype),
        None if binding is None else binding.data,
        None if binding is None else binding.grad,
        frozenset(varying),
        [*direct],
    )


def _rows_to_zero(about: Analysed, layout: Layout, products: Sequence[Placed], rows: int) -> Any:
    """Return the rows with lanes whose adjoints are added up, none of their parts being written."""
    import numpy as np

    add = np.zeros(rows, bool)
    active = np.concatenate([about.active, about.active[layout.broadcast]])
    having = active & (layout.space == LANES) & (layout.row != NO_ROW) & ~layout.begun
    add[layout.row[having]] = True
    for product in products:
        if product.with_lanes and product.only_user:
            add[product.inputs.ravel()] = False
    return np.flatnonzero(add).astype(np.int32)


def _around(index: Any, products: Sequence[Placed], kernels: Kernels) -> tuple[Any, list[Around]]:
    """Return the index with what starts and copies need, and the records for these."""
    import numpy as np

    parts = [index]
    end = len(index)
    found = []
    for product in products:
        around = Around([], [], [], [])
        space = LANES if product.with_lanes else UNIFORM
        for what, rows, first, forward, backward in (
            ("copy", product.copied, product.inputs, around.before, around.before_backward),
            ("bias", product.starts, product.outputs, around.after, around.after_backward),
        ):
            if rows is None:
                continue
            begin = first.start if isinstance(first, slice) else int(first[0, 0])
            for direction, records in (("forward", forward), ("backward", backward)):
                at = kernels.special(what, direction, space)
                record = [at, space, end, begin, begin + rows.size]
                records.append(np.array([record + [0] * (RECORD_LENGTH - len(record))]))
            parts.append(rows.ravel())
            end += rows.size
        found.append(around)
    return np.concatenate(parts).astype(np.int32), found
