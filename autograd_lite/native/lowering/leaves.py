"""The leaves of a plan: how their numbers come in, and their gradients go out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, NamedTuple, get_args

from autograd_lite.native.kernels.convention import LANES, UNIFORM, callable_at
from autograd_lite.native.kernels.table import special_address
from autograd_lite.native.lowering.layout import NO_ROW, Analysed, Layout
from autograd_lite.native.parameters.binding import memory_of
from autograd_lite.native.tape import Argument, Closure, Constant, Drawn, Parameter, Source

COUNTED = (Argument, Drawn)
LARGE = 4096  # numbers from which on a kernel turns rows into columns, not NumPy


class Rows(NamedTuple):
    """Where the numbers of an argument, or of a draw, are.

    Attributes
    ----------
    position : int
        Which argument, or which draw.
    rows : slice
    columns : list of int, or None
        Which of its numbers have rows; None for all of them, in order.
    """

    position: int
    rows: slice
    columns: list[int] | None


class Learned(NamedTuple):
    """Parameters with rows of their own: the rows, and where the numbers are in the binding."""

    rows: Any
    places: Any


class _Leaf(NamedTuple):
    """A leaf that has a row."""

    row: int
    space: int
    node: int
    source: Any


class Leaves:
    """All leaves that have rows.

    Parameters
    ----------
    about : Analysed
    layout : Layout
    labels : list of int
        The leaves whose whole numbers picks go by.
    places : sequence of int
        Of every parameter, where its number is in the binding.
    varying, wanted : collections of int
        The positions of the arguments with lanes, and of those to differentiate.
    """

    def __init__(
        self,
        about: Analysed,
        layout: Layout,
        labels: Sequence[int],
        places: Sequence[int],
        varying: Collection[int],
        wanted: Collection[int],
    ) -> None:
        import numpy as np

        sources = about.tape.sources
        nodes = about.flat.leaves()
        widths = _widths([sources[node] for node in nodes])
        having = zip(layout.row[nodes].tolist(), layout.space[nodes].tolist(), nodes, strict=True)
        found: dict[Any, list[_Leaf]] = {kind: [] for kind in get_args(Source)}
        for row, space, node in sorted(having):
            if row != NO_ROW:
                source = sources[node]
                found[type(source)].append(_Leaf(row, space, node, source))
        self._varying = frozenset(varying)
        self.arguments = _grouped(found[Argument], widths)
        self.draws = _grouped(found[Drawn], widths)
        self.labels = [_argument(sources[leaf]) for leaf in labels]
        constants = found[Constant]
        self.constants = [x.row for x in constants], [x.source.number for x in constants]
        closed = found[Closure]
        self.closures = (
            np.array([x.row for x in closed], np.int64),
            [x.source.value for x in closed],
        )
        learned = found[Parameter]
        self.learned = _learned(learned, places)
        self.learning = _learned([x for x in learned if about.active[x.node]], places)
        self.wanted = {
            position: (space, [rows for rows in self.arguments[space] if rows.position == position])
            for position in sorted(wanted)
            for space in (UNIFORM, LANES)
            if space == (position in varying)
        }

    def load_uniform(
        self, u: Any, arguments: Sequence[Any], drawn: Sequence[Any], parameters: Any
    ) -> None:
        """Bring in what has no lanes."""
        for position, rows, columns in self.arguments[UNIFORM]:
            numbers = arguments[position]
            u[rows] = numbers if columns is None else [numbers[column] for column in columns]
        for position, rows, columns in self.draws[UNIFORM]:
            numbers = drawn[position][0]
            u[rows] = numbers if columns is None else numbers[columns]
        rows, values = self.closures
        if values:
            u[rows] = _data_of(values)
        if self.learned is not None:
            u[self.learned.rows] = parameters[self.learned.places]

    def load_lanes(
        self, v: Any, labels: Any, arguments: Sequence[Any], drawn: Sequence[Any]
    ) -> None:
        """Bring in the numbers of a block of lanes."""
        for given, groups in ((arguments, self.arguments[LANES]), (drawn, self.draws[LANES])):
            for position, rows, columns in groups:
                numbers = given[position]
                if columns is not None:
                    numbers = numbers[:, columns]
                if not _turned("forward", v, rows, numbers):
                    v[rows] = numbers.T
        for row, (position, column) in enumerate(self.labels):
            numbers = arguments[position]
            labels[row] = numbers[:, column] if position in self._varying else numbers[column]

    def views(self, v: Any, labels: Any) -> list[tuple[Any, int, Any]]:
        """Return where the numbers of a block of lanes go, as `load_lanes` brings them in.

        That is of arguments with lanes alone: a part of ``v`` or of ``labels``, the position of the
        argument, and which column or columns of it; None for all of them, turned into rows.
        """
        found: list[tuple[Any, int, Any]] = []
        for position, rows, columns in self.arguments[LANES]:
            if columns is None:
                found.append((v[rows], position, None))
            else:
                first = range(rows.start, rows.stop)
                found += [(v[row], position, c) for row, c in zip(first, columns, strict=True)]
        found += [(labels[row], *place) for row, place in enumerate(self.labels)]
        return found

    def gradient(self, position: int, g: Any, gu: Any, found: Any) -> None:
        """Write the gradient of an argument, from the adjoints of its rows, into ``found``."""
        space, groups = self.wanted[position]
        if not groups or groups[0].columns is not None:
            found.fill(0.0)
        for _, rows, columns in groups:
            if space == UNIFORM:
                found[slice(None) if columns is None else columns] = gu[rows]
            elif columns is not None:
                found[:, columns] = g[rows].T
            elif not _turned("backward", g, rows, found):
                found[...] = g[rows].T


def is_readable(matrix: Any, dtype: Any) -> bool:
    """Tell whether a kernel can read a caller's matrix, row by row, or write it."""
    return bool(matrix.dtype == dtype and matrix.strides[1] == dtype.itemsize)


def _turned(direction: str, rows: Any, which: slice, matrix: Any) -> bool:
    """Turn a caller's matrix into rows with lanes, or back; tell whether that could be done."""
    size = rows.itemsize
    if matrix.size < LARGE or not is_readable(matrix, rows.dtype):
        return False
    turn = _turn(direction, rows.dtype.name)
    v, g = (rows.ctypes.data, 0) if direction == "forward" else (0, rows.ctypes.data)
    step = matrix.strides[0] // size
    turn(v, g, matrix.ctypes.data, 0, 0, 0, step, which.start, which.stop, rows.shape[1])
    return True


@cache
def _turn(direction: str, dtype: str) -> Callable[..., None]:
    return callable_at(special_address("turn", direction, "lanes", dtype))


def _argument(source: Any) -> tuple[int, int]:
    return source.position, source.column


def _widths(sources: Sequence[Source | None]) -> dict[tuple[Any, int], int]:
    """Return how many numbers every argument and every draw has."""
    widths: dict[tuple[Any, int], int] = {}
    for source in sources:
        if isinstance(source, COUNTED):
            key = type(source), source[0]
            if source.column >= widths.get(key, 0):
                widths[key] = source.column + 1
    return widths


def _grouped(
    leaves: list[_Leaf], widths: dict[tuple[Any, int], int]
) -> tuple[list[Rows], list[Rows]]:
    """Return, by space, the rows of each argument, or of each draw."""
    groups: dict[tuple[int, int], list[_Leaf]] = {}
    for leaf in leaves:
        groups.setdefault((leaf.space, leaf.source[0]), []).append(leaf)
    found: tuple[list[Rows], list[Rows]] = ([], [])
    for (space, position), group in groups.items():
        columns = [leaf.source.column for leaf in group]
        whole = columns == [*range(widths[type(group[0].source), position])]
        first = group[0].row
        rows = slice(first, first + len(group))
        found[space].append(Rows(position, rows, None if whole else columns))
    return found


def _learned(leaves: list[_Leaf], places: Sequence[int]) -> Learned | None:
    if not leaves:
        return None
    rows = [leaf.row for leaf in leaves]
    return Learned(_stretch(rows), _stretch([places[leaf.source.position] for leaf in leaves]))


def _stretch(numbers: list[int]) -> Any:
    """Return neighbours as a slice, other numbers as an array."""
    import numpy as np

    if numbers == [*range(numbers[0], numbers[0] + len(numbers))]:
        return slice(numbers[0], numbers[0] + len(numbers))
    return np.array(numbers, np.int64)


def _data_of(values: list[Any]) -> Any:
    """Return the numbers of Values, at once where they are in arrays."""
    memory = memory_of(values)
    if memory is None:
        return [value._data for value in values]
    return memory.data[[value._b[1] for value in values]]
