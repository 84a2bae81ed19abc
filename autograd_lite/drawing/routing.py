"""The place of layers along the drawing, and the curves of edges between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from autograd_lite.drawing.geometry import Point
from autograd_lite.drawing.layering import Layering

GAP = 20.0
WIDEST_GAP = 100.0
STEEPEST = 6.0
PORT_DISTANCE = 10.0


class Columns:
    """Where each layer begins and ends along the drawing, and the frames around clusters.

    Attributes
    ----------
    begin, end : list of float
        Of each layer: all that is in it lies between.
    outer_begin, outer_end : list of float
        The same with the frames of clusters that begin or end there: edges bend outside.
    frames : list of (float, float)
        Begin and end of each cluster.
    """

    def __init__(self, layering: Layering, across: Sequence[float]) -> None:
        count = len(layering.layers)
        before, after = [0.0] * count, [0.0] * count
        nesting, spans = layering.nesting, layering.spans
        inset: dict[int, tuple[float, float]] = {}
        for cluster in reversed(nesting.order):
            padding = layering.padding[cluster]
            first, last = spans[cluster]
            inside = [child for child, up in enumerate(nesting.parents) if up == cluster]
            start = max((inset[c][0] for c in inside if spans[c][0] == first), default=0.0)
            end = max((inset[c][1] for c in inside if spans[c][1] == last), default=0.0)
            inset[cluster] = (start + padding.start, end + padding.end)
            before[first] = max(before[first], inset[cluster][0])
            after[last] = max(after[last], inset[cluster][1])
        size = [
            max((layering.extents[thing].length for thing in things), default=0.0)
            for things in layering.layers
        ]
        gaps = [
            min(max(GAP, steepest / STEEPEST), WIDEST_GAP) for steepest in _slopes(layering, across)
        ]
        self._set(size, before, after, gaps)
        for cluster in reversed(nesting.order):
            first, last = spans[cluster]
            length = self.end[last] + inset[cluster][1] - (self.begin[first] - inset[cluster][0])
            if length < layering.padding[cluster].length:
                size[last] += layering.padding[cluster].length - length
                self._set(size, before, after, gaps)
        self.frames = [
            (self.begin[first] - inset[cluster][0], self.end[last] + inset[cluster][1])
            for cluster, (first, last) in enumerate(spans)
        ]

    def _set(
        self, size: list[float], before: list[float], after: list[float], gaps: list[float]
    ) -> None:
        self.begin, self.end, self.outer_begin, self.outer_end = [], [], [], []
        at = 0.0
        for number, length in enumerate(size):
            self.outer_begin.append(at)
            self.begin.append(at + before[number])
            self.end.append(self.begin[-1] + length)
            self.outer_end.append(self.end[-1] + after[number])
            at = self.outer_end[-1] + (gaps[number] if number < len(gaps) else 0.0)


def _slopes(layering: Layering, across: Sequence[float]) -> list[float]:
    """Return how far across the links after each layer lead at most."""
    return [
        max((abs(across[end] - across[t]) for t in things for end in layering.below[t]), default=0)
        for things in layering.layers[:-1]
    ]


def ports(
    layering: Layering, across: Sequence[float], breadths: Sequence[float]
) -> list[tuple[float, float]]:
    """Return for each chain where it leaves its first node and reaches its last, across."""
    leaving: list[list[tuple[float, int]]] = [[] for _ in range(layering.count)]
    reaching: list[list[tuple[float, int]]] = [[] for _ in range(layering.count)]
    for number, chain in enumerate(layering.chains):
        leaving[chain[0]].append((across[chain[1]], number))
        reaching[chain[-1]].append((across[chain[-2]], number))
    starts = [0.0] * len(layering.chains)
    ends = [0.0] * len(layering.chains)
    for places, sides in ((starts, leaving), (ends, reaching)):
        for node, wanted in enumerate(sides):
            wanted.sort()
            room = breadths[node] * 0.42
            for (_, number), at in zip(
                wanted, _spread([x for x, _ in wanted], across[node], room), strict=True
            ):
                places[number] = at
    return list(zip(starts, ends, strict=True))


def _spread(wanted: list[float], centre: float, room: float) -> list[float]:
    """Return places as near to the wanted ones as the room around the centre and distance allow."""
    if not wanted:
        return []
    distance = min(PORT_DISTANCE, 2 * room / max(1, len(wanted) - 1))
    found: list[float] = []
    for number, at in enumerate(wanted):
        low = centre - room + number * distance
        high = centre + room - (len(wanted) - 1 - number) * distance
        at = min(max(at, low), high)
        found.append(max(at, found[-1] + distance) if found else at)
    return found


def route(
    columns: Columns,
    layering: Layering,
    across: Sequence[float],
    chain: Sequence[int],
    ends: tuple[float, float],
    borders: tuple[float, float],
) -> list[Point]:
    """Return the control points of one chain: straight through layers, curved between them."""
    points: list[Point] = [(borders[0], ends[0])]
    places = [ends[0], *(across[thing] for thing in chain[1:-1]), ends[1]]
    for (here, at), (there, to) in pairwise(zip(chain, places, strict=True)):
        if abs(to - at) > 1e-6:
            leave = columns.outer_end[layering.layer[here]]
            reach = columns.outer_begin[layering.layer[there]]
            _straight(points, leave)
            points += [((leave + reach) / 2, at), ((leave + reach) / 2, to), (reach, to)]
    _straight(points, borders[1])
    return points


def _straight(points: list[Point], to: float) -> None:
    begin, at = points[-1]
    if to > begin:
        third = (to - begin) / 3
        points += [(begin + third, at), (to - third, at), (to, at)]
