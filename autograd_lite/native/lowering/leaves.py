"""The leaves of a plan: how their numbers come in, and their gradients go out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, NamedTuple

from autograd_lite.native.kernels.convention import LANES, UNIFORM, callable_at
from autograd_lite.native.kernels.table import special_address
from autograd_lite.native.lowering.layout import NO_ROW, Analysed, Layout, begins_of_runs
from autograd_lite.native.lowering.sources import Sources
from autograd_lite.native.parameters.binding import memory_of
from autograd_lite.native.tape import Argument, Closure, Constant, Drawn, Parameter, Source

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


class Leaves:
    """All leaves that have rows.

    Parameters
    ----------
    about : Analysed
    layout : Layout
    labels : list of int
        The leaves whose whole numbers picks go by.
    places : int array
        Of every parameter, where its number is in the binding.
    varying, wanted : collections of int
        The positions of the arguments with lanes, and of those to differentiate.
    """

    def __init__(
        self,
        about: Analysed,
        layout: Layout,
        labels: Sequence[int],
        places: Any,
        varying: Collection[int],
        wanted: Collection[int],
    ) -> None:
        import numpy as np

        sources = about.sources
        rows, spaces = layout.row[sources.nodes], layout.space[sources.nodes]
        order = np.lexsort((rows, spaces))
        order = order[rows[order] != NO_ROW]

        def of(kind: type[Source]) -> Any:
            return order[sources.are(kind)[order]]

        def own(kind: type[Source]) -> tuple[Any, list[Any]]:
            chosen = of(kind)
            return rows[chosen], [about.tape.sources[i] for i in sources.nodes[chosen].tolist()]

        self._varying = frozenset(varying)
        self.arguments, self.draws = (
            _grouped(of(kind), sources, kind, rows, spaces) for kind in (Argument, Drawn)
        )
        self.labels = [_argument(about.tape.sources[leaf]) for leaf in labels]
        at, constants = own(Constant)
        self.constants = at, [x.number for x in constants]
        at, closures = own(Closure)
        self.closures = at, [x.value for x in closures]
        learned = of(Parameter)
        learning = learned[about.active[sources.nodes[learned]]]
        self.learned, self.learning = (
            _learned(rows[x], sources.which[x], places) for x in (learned, learning)
        )
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


def _grouped(
    chosen: Any, sources: Sources, kind: type[Source], rows: Any, spaces: Any
) -> tuple[list[Rows], list[Rows]]:
    """Return, by space, the rows of each argument, or of each draw."""
    import numpy as np

    every = sources.are(kind)
    widths = np.zeros(1 + int(sources.which.max(initial=0)), np.int64)
    np.maximum.at(widths, sources.which[every], sources.column[every] + 1)
    begins = begins_of_runs(spaces[chosen], sources.which[chosen])
    found: tuple[list[Rows], list[Rows]] = ([], [])
    for group in np.split(chosen, begins[1:]) if len(chosen) else ():
        which, first = int(sources.which[group[0]]), int(rows[group[0]])
        columns = sources.column[group].tolist()
        whole = columns == [*range(widths[which])]
        placed = Rows(which, slice(first, first + len(group)), None if whole else columns)
        found[spaces[group[0]]].append(placed)
    return found


def _learned(rows: Any, which: Any, places: Any) -> Learned | None:
    if not len(rows):
        return None
    return Learned(_stretch(rows), _stretch(places[which]))


def _stretch(numbers: Any) -> Any:
    """Return neighbours as a slice, other numbers as they are."""
    first, count = int(numbers[0]), len(numbers)
    return slice(first, first + count) if (numbers[1:] - numbers[:-1] == 1).all() else numbers


def _data_of(values: list[Any]) -> Any:
    """Return the numbers of Values, at once where they are in arrays."""
    memory = memory_of(values)
    if memory is None:
        return [value._data for value in values]
    return memory.data[[value._b[1] for value in values]]
