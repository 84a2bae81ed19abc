"""Lanes in groups: some of them taken out, and the results of groups put back in their places.

Rows of numbers are NumPy arrays or, where it is not installed, lists; what is here knows both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from autograd_lite.trees import outline


class Found(NamedTuple):
    """What was computed for the lanes of a batch.

    Attributes
    ----------
    result : object
        What the function returns, with 0, 1, … in place of the outputs.
    outputs : array or list (outputs, lanes)
    gradients : dict
        Of every wanted argument, its gradient: (lanes, width), or (width,) where it does not vary.
    """

    result: Any
    outputs: Any
    gradients: dict[int, Any]


def take(rows: Any, lanes: Any) -> Any:
    """Return some of the rows of an array or list."""
    return rows[lanes] if hasattr(rows, "shape") else [rows[lane] for lane in lanes]


def repeated(row: Any, lanes: int, *, array: bool) -> Any:
    """Return the same row for every lane."""
    if not array:
        return [row] * lanes
    import numpy as np

    return np.ascontiguousarray(np.broadcast_to(np.asarray(row), (lanes, len(row))))


def all_lanes(failed: Any) -> Any:
    """Return the numbers of all lanes for which there is an entry."""
    if not hasattr(failed, "shape"):
        return list(range(len(failed)))
    import numpy as np

    return np.arange(len(failed))


def by_guard(lanes: Any, failed: Any) -> Iterator[tuple[int, Any]]:
    """Go through the guards that failed first in some lane, each with the lanes where it did."""
    if not hasattr(failed, "shape"):
        for guard in sorted(set(failed)):
            yield guard, [lane for lane, found in zip(lanes, failed, strict=True) if found == guard]
        return
    import numpy as np

    for guard in np.unique(failed).tolist():
        yield guard, lanes[failed == guard]


def with_nan(gradients: dict[int, Any]) -> list[int]:
    """Return the lanes in whose gradients there is a NaN; what does not vary is of lane 0."""
    found: set[int] = set()
    for rows in gradients.values():
        if hasattr(rows, "shape"):
            spoilt = (rows != rows).any(axis=-1).reshape(-1)
            found.update(spoilt.nonzero()[0].tolist())
            continue
        listed = [rows] if rows and not isinstance(rows[0], list) else rows
        found.update(lane for lane, row in enumerate(listed) if any(x != x for x in row))
    return sorted(found)


def gathered(parts: Sequence[tuple[Any, Found]], lanes: int) -> Found:
    """Put the results of groups of lanes together: each comes with the lanes that it is of.

    A group of all lanes is the only one; its gradients may be of arguments that do not vary.

    Raises
    ------
    ValueError
        If they are results of different structures.
    """
    parts = sorted(parts, key=lambda part: int(part[0][0]))
    first = parts[0][1]
    for _, found in parts:
        if found.result != first.result:
            raise ValueError(
                "the function returned results of different structures for different lanes:"
                f" {outline(first.result)} and {outline(found.result)}"
            )
    if len(parts) == 1 and len(parts[0][0]) == lanes:
        return first
    lists = all(isinstance(found.outputs, list) for _, found in parts)
    put = _put_lists if lists else _put_arrays
    outputs = put([(members, _turned(found.outputs)) for members, found in parts], lanes)
    gradients = {
        position: put([(members, found.gradients[position]) for members, found in parts], lanes)
        for position in first.gradients
    }
    return Found(first.result, _turned(outputs), gradients)


def _turned(table: Any) -> Any:
    return list(map(list, zip(*table, strict=True))) if isinstance(table, list) else table.T


def _put_lists(parts: list[tuple[Any, Any]], lanes: int) -> list[Any]:
    rows: list[Any] = [None] * lanes
    for members, found in parts:
        for lane, row in zip(members, found, strict=True):
            rows[lane] = row
    return rows


def _put_arrays(parts: list[tuple[Any, Any]], lanes: int) -> Any:
    import numpy as np

    rows = np.empty((lanes, np.shape(parts[0][1])[1]))
    for members, found in parts:
        rows[members] = found
    return rows
