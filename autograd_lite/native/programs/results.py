"""What a program gives back: numbers shaped like what they belong to.

Without lanes that is nested lists of floats. With lanes it is an array whose axis 0 is the lane
axis, and lists that nest regularly are its other axes; tuples, and lists that do not, stay as they
are and hold arrays.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.native.programs.arguments import Batch
from autograd_lite.native.programs.groups import Found
from autograd_lite.trees import leaves_of, shaped_like


def shaped(found: Found, batch: Batch, *, arrays: bool) -> Any:
    """Shape the outputs; lanes as arrays or, without NumPy, as lists."""
    outputs = found.outputs
    if not batch.varying:
        row = [x for (x,) in outputs] if type(outputs) is list else outputs[:, 0]
        return of_one_lane(found.result, row)
    if arrays:
        return of_lanes(found.result, in_array(outputs).T)
    return of_lanes(found.result, list(zip(*outputs, strict=True)))


def gradients(found: Found, batch: Batch, *, arrays: bool) -> list[Any]:
    """Shape the gradient of every argument like the argument."""
    parts = []
    for position, form in enumerate(batch.forms):
        rows = found.gradients.get(position)
        if rows is None:  # the recording does not use it
            rows = [0.0] * form.width
            rows = rows if not batch.varying else [rows] * batch.lanes
        if not batch.varying and arrays and form.sizes is not None:
            parts.append(in_array(rows).reshape(form.sizes).tolist())
        elif not batch.varying:
            parts.append(of_one_lane(form.tree, rows))
        else:
            rows = in_array(rows) if arrays else rows
            parts.append(of_lanes(form.tree, rows, form.sizes))
    return parts


def of_one_lane(tree: Any, row: Any) -> Any:
    """Shape the numbers of one lane, in an array or list."""
    numbers = row if type(row) is list or type(row) is tuple else row.tolist()
    return shaped_like(tree, iter(numbers))


def of_lanes(tree: Any, rows: Any, sizes: tuple[int, ...] | None = None) -> Any:
    """Shape the numbers of many lanes, one row for each.

    Lists of rows give nested lists, with the lane axis outside. ``sizes`` are those of the lists,
    if they nest regularly and that is known.
    """
    if isinstance(rows, list):
        return [of_one_lane(tree, row) for row in rows]
    sizes = _sizes(tree) if sizes is None else sizes
    if sizes is not None:
        import numpy as np

        return np.ascontiguousarray(rows).reshape(len(rows), *sizes)
    parts = []
    start = 0
    for branch in tree:
        stop = start + len(leaves_of(branch))
        parts.append(of_lanes(branch, rows[:, start:stop]))
        start = stop
    return parts if isinstance(tree, list) else tuple(parts)


def in_array(rows: Any) -> Any:
    """Return rows as an array."""
    import numpy as np

    return np.asarray(rows, dtype=np.float64) if isinstance(rows, list) else rows


def stacked(tree: Any, parts: list[Any]) -> Any:
    """Put what belongs to each output together: lists that nest regularly are axes behind lanes."""
    sizes = _sizes(tree)
    if sizes is None or not all(hasattr(part, "shape") for part in parts):
        return shaped_like(tree, iter(parts))
    import numpy as np

    table = np.stack(parts, axis=1)
    return table.reshape(len(table), *sizes, *table.shape[2:])


def _sizes(tree: Any) -> tuple[int, ...] | None:
    """Return the lengths of lists that nest regularly; None for tuples and the rest."""
    if not isinstance(tree, list | tuple):
        return ()
    if not isinstance(tree, list) or not tree:
        return None
    inner = [_sizes(branch) for branch in tree]
    first = inner[0]
    if first is None or any(sizes != first for sizes in inner):
        return None
    return len(tree), *first
