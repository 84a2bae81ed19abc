"""The leaves of a plan: how their numbers come in, and their gradients go out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from autograd_lite.native.kernels.runner import LANES, UNIFORM
from autograd_lite.native.lowering.layout import NO_ROW, Analysed, Layout
from autograd_lite.native.parameters.binding import memory_of
from autograd_lite.native.tape import Argument, Closure, Constant, Drawn, Parameter, Source

TILE = 64  # rows that are turned into columns at a time, so that they stay in the nearest cache


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
        having = [i for i in about.flat.leaves() if layout.row[i] != NO_ROW]
        having.sort(key=lambda node: int(layout.row[node]))
        self._varying = frozenset(varying)
        self._widths = _widths([sources[i] for i in about.flat.leaves()])
        self.arguments = self._grouped(having, layout, sources, Argument)
        self.draws = self._grouped(having, layout, sources, Drawn)
        self.labels = [_argument(sources[leaf]) for leaf in labels]
        constants = [
            (layout.row[i], x.number) for i in having if isinstance(x := sources[i], Constant)
        ]
        self.constants = [x for x, _ in constants], [x for _, x in constants]
        closed = [(layout.row[i], x.value) for i in having if isinstance(x := sources[i], Closure)]
        self.closures = np.array([x for x, _ in closed], np.int64), [x for _, x in closed]
        learned = [i for i in having if isinstance(sources[i], Parameter)]
        self.learned = _learned(learned, layout, sources, places)
        self.learning = _learned([i for i in learned if about.active[i]], layout, sources, places)
        self.wanted = {
            position: (space, [rows for rows in self.arguments[space] if rows.position == position])
            for position in sorted(wanted)
            for space in (UNIFORM, LANES)
            if space == (position in varying)
        }

    def _grouped(
        self, having: list[int], layout: Layout, sources: Sequence[Source | None], kind: Any
    ) -> tuple[list[Rows], list[Rows]]:
        """Return, by space, rows of leaves of a kind, those of one argument (or draw) together."""
        groups: dict[tuple[int, int], list[int]] = {}
        for node in having:
            source: Any = sources[node]
            if isinstance(source, kind):
                groups.setdefault((int(layout.space[node]), source[0]), []).append(node)
        found: tuple[list[Rows], list[Rows]] = ([], [])
        for (space, position), nodes in groups.items():
            columns = [sources[node].column for node in nodes]  # type: ignore[union-attr]
            whole = columns == [*range(self._widths[kind, position])]
            first = int(layout.row[nodes[0]])
            rows = slice(first, first + len(nodes))
            found[space].append(Rows(position, rows, None if whole else columns))
        return found

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
                v[rows] = (numbers if columns is None else numbers[:, columns]).T
        for row, (position, column) in enumerate(self.labels):
            numbers = arguments[position]
            labels[row] = numbers[:, column] if position in self._varying else numbers[column]

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
            else:
                for start in range(0, found.shape[1], TILE):
                    stop = start + TILE
                    found[:, start:stop] = g[rows][start:stop].T


def _argument(source: Any) -> tuple[int, int]:
    return source.position, source.column


def _widths(sources: Sequence[Source | None]) -> dict[tuple[Any, int], int]:
    """Return how many numbers every argument and every draw has."""
    widths: dict[tuple[Any, int], int] = {}
    for source in sources:
        if isinstance(source, Argument | Drawn):
            key = type(source), source[0]
            widths[key] = max(widths.get(key, 0), source.column + 1)
    return widths


def _learned(
    nodes: list[int], layout: Layout, sources: Sequence[Any], places: Sequence[int]
) -> Learned | None:
    if not nodes:
        return None
    rows = [int(layout.row[node]) for node in nodes]
    return Learned(_stretch(rows), _stretch([places[sources[node].position] for node in nodes]))


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
