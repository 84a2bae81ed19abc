"""Labels of a finished layout moved to where nothing else is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from math import ceil, dist, hypot

from autograd_lite.drawing.geometry import (
    TITLE_INSET,
    Layout,
    LayoutCluster,
    LayoutEdge,
    Point,
)

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_CELL = 64.0
_STEP = 3.0
_SKIPPED = 3
_CLEAR = 2.0
_NEAR = 3.0
_TOGETHER = 80.0
"""So far may two edges run on one another. Those that meet at a node do so for up to 72 in drawings
that are easy to read."""


def clear(
    layout: Layout,
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[LayoutEdge],
    clusters: Sequence[LayoutCluster],
) -> Layout | None:
    """Return the layout with each label where it was or beside its edge, clear of everything else.

    None if a label has no such place, if an edge runs through a node that is not one of its two,
    if two edges run on one another, or a node or an edge on a title.
    """
    nodes = [_around(centre, *size) for centre, size in zip(layout.positions, sizes, strict=True)]
    traces = [list(_trace(points)) for points in layout.routes]
    cells: dict[tuple[int, int], list[tuple[int, Point]]] = {}
    for number, trace in enumerate(traces):
        for point in trace:
            cell = (int(point[0] // _CELL), int(point[1] // _CELL))
            cells.setdefault(cell, []).append((number, point))

    def passing(box: Box) -> Iterator[int]:
        """Yield the edges that run through a box."""
        for column in range(int(box[0] // _CELL), int(box[2] // _CELL) + 1):
            for row in range(int(box[1] // _CELL), int(box[3] // _CELL) + 1):
                for number, (x, y) in cells.get((column, row), ()):
                    if box[0] < x < box[2] and box[1] < y < box[3]:
                        yield number

    for node, box in enumerate(nodes):
        inner = _grown(box, -1.0)
        if any(node not in (edges[number].tail, edges[number].head) for number in passing(inner)):
            return None
    if _run_together(traces):
        return None

    titles = [
        (x, y, x + TITLE_INSET + cluster.title_width, y + TITLE_INSET + cluster.title_height)
        for cluster, (x, y, _, _) in zip(clusters, layout.frames, strict=True)
    ]
    if any(_overlap(title, node) for title in titles for node in nodes):
        return None
    if any(True for title in titles for _ in passing(title)):
        return None
    taken = nodes + titles
    labels: list[Point | None] = []
    for number, wanted in enumerate(layout.labels):
        if wanted is None:
            labels.append(None)
            continue
        size = (edges[number].label_width, edges[number].label_height)
        for place in _places(wanted, traces[number], size):
            box = _around(place, *size)
            if min(box[:2]) < 0.0 or box[2] > layout.width or box[3] > layout.height:
                continue
            roomy = _grown(box, _CLEAR)
            if any(_overlap(roomy, other) for other in taken):
                continue
            if any(True for _ in passing(roomy)):
                continue
            taken.append(box)
            labels.append(place)
            break
        else:
            return None
    return layout._replace(labels=labels)


def _run_together(traces: Sequence[Sequence[Point]]) -> bool:
    """Whether two edges run on one another so far that they cannot be told apart."""
    cells: dict[tuple[int, int], set[int]] = {}
    for number, trace in enumerate(traces):
        for x, y in trace:
            cells.setdefault((int(x // _NEAR), int(y // _NEAR)), set()).add(number)
    for number, trace in enumerate(traces):
        shared = dict.fromkeys(range(len(traces)), 0.0)
        for here, (x, y) in pairwise(trace):
            column, row = int(x // _NEAR), int(y // _NEAR)
            beside: set[int] = set()
            for cell in product((column - 1, column, column + 1), (row - 1, row, row + 1)):
                beside.update(cells.get(cell, ()))
            for other in beside - {number}:
                shared[other] += dist(here, (x, y))
                if shared[other] > _TOGETHER:
                    return True
    return False


def _places(wanted: Point, trace: Sequence[Point], size: tuple[float, float]) -> Iterator[Point]:
    """Yield places for a label: the wanted one, then those beside its edge, the nearest first."""
    yield wanted
    width, height = size
    beside: list[Point] = []
    for (x, y), (to_x, to_y) in pairwise(trace[::_SKIPPED]):
        length = hypot(to_x - x, to_y - y) or 1.0
        across, up = (to_y - y) / length, (x - to_x) / length
        touching = width / 2 * abs(across) + height / 2 * abs(up)
        for gap in (_CLEAR + 1.5, _CLEAR + 6.0):
            shifts = (touching + gap, -touching - gap)
            beside += [(x + shift * across, y + shift * up) for shift in shifts]
    yield from sorted(beside, key=lambda place: dist(place, wanted))


def _trace(points: Sequence[Point]) -> Iterator[Point]:
    """Yield points along a spline, at most a step apart."""
    for number in range(0, len(points) - 1, 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners = points[number : number + 4]
        length = sum(dist(a, b) for a, b in pairwise(corners))
        steps = max(1, ceil(length / _STEP))
        for step in range(steps + 1):
            t = step / steps
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3


def _around(centre: Point, width: float, height: float) -> Box:
    x, y = centre
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _grown(box: Box, by: float) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
