"""The built-in layout: layers along the direction of the edges. It needs nothing but Python.

The steps are those of Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical
system structures" (1981): ranks, order within them, places, curves.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd_lite.drawing import layering as rooms
from autograd_lite.drawing.geometry import MARGIN, Layout, LayoutCluster, LayoutEdge, Point
from autograd_lite.drawing.layering import Extent, Layering, Padding
from autograd_lite.drawing.nesting import Nesting
from autograd_lite.drawing.ordering import order
from autograd_lite.drawing.placing import place
from autograd_lite.drawing.ranking import acyclic, lengths, ranks
from autograd_lite.drawing.routing import Columns, ports, route
from autograd_lite.drawing.straightening import straighten


def layered(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[LayoutEdge],
    *,
    direction: str = "LR",
    clusters: Sequence[LayoutCluster] = (),
) -> Layout:
    """Return a layout made without any other program; see `lay_out`."""
    horizontal = direction in ("LR", "RL")
    flow = [size if horizontal else size[::-1] for size in sizes]
    nodes = [
        Extent(along, across / 2 + rooms.NODE_MARGIN, across / 2 + rooms.NODE_MARGIN)
        for along, across in flow
    ]
    nesting = Nesting(len(sizes), clusters)
    links = acyclic(len(sizes), [(edge.tail, edge.head) for edge in edges])
    layering = Layering(
        nodes,
        links,
        [_label(edge, horizontal) for edge in edges],
        ranks(len(sizes), links, lengths(links, nesting)),
        nesting,
        [_padding(cluster, direction) for cluster in clusters],
    )
    order(layering)
    across = straighten(layering, place(layering))
    columns = Columns(layering, across)
    along = [(columns.begin[layer] + columns.end[layer]) / 2 for layer in layering.layer]

    routes = []
    labels: list[Point | None] = []
    ends = ports(layering, across, [breadth for _, breadth in flow])
    for edge, link, chain, at in zip(edges, links, layering.chains, ends, strict=True):
        tail, head = link
        borders = (along[tail] + flow[tail][0] / 2, along[head] - flow[head][0] / 2)
        points = route(columns, layering, across, chain, at, borders)
        routes.append(points if tail == edge.tail else points[::-1])
        label = _label(edge, horizontal)
        if label is None:
            labels.append(None)
            continue
        thing = chain[-2]
        shift = rooms.LABEL_MARGIN + (edge.label_height if horizontal else edge.label_width) / 2
        labels.append((along[thing], across[thing] + (-shift if horizontal else shift)))
    frames = [
        (
            columns.frames[cluster][0],
            across[uppers[0]],
            columns.frames[cluster][1] - columns.frames[cluster][0],
            across[lowers[0]] - across[uppers[0]],
        )
        for cluster, (uppers, lowers) in enumerate(layering.sides)
    ]
    low, high = _reach(layering, across)
    length = columns.outer_end[-1] if columns.outer_end else 0.0
    return _turned(
        list(zip(along[: len(sizes)], across, strict=False)),
        routes,
        labels,
        frames,
        (low, length, high - low),
        direction,
    )


def _label(edge: LayoutEdge, horizontal: bool) -> Extent | None:
    """Return the room of a label: above its edge, or to the right of an upright one."""
    if not (edge.label_width and edge.label_height):
        return None
    gap = rooms.LABEL_MARGIN
    if horizontal:
        return Extent(edge.label_width, edge.label_height + 2 * gap, rooms.EDGE_MARGIN)
    return Extent(edge.label_height, rooms.EDGE_MARGIN, edge.label_width + 2 * gap)


def _padding(cluster: LayoutCluster, direction: str) -> Padding:
    pad = rooms.FRAME_PADDING
    titled = pad + cluster.title_height
    width = cluster.title_width + 2 * pad
    if direction in ("LR", "RL"):
        return Padding(pad, pad, titled, pad, width, 0.0)
    if direction == "TB":
        return Padding(titled, pad, pad, pad, 0.0, width)
    return Padding(pad, titled, pad, pad, 0.0, width)


def _reach(layering: Layering, across: Sequence[float]) -> tuple[float, float]:
    """Return the least and the greatest place across that anything takes up."""
    ends = [things[i] for things in layering.layers for i in (0, -1)]
    low = min((across[thing] - layering.extents[thing].before for thing in ends), default=0.0)
    high = max((across[thing] + layering.extents[thing].after for thing in ends), default=0.0)
    return low, high


def _turned(
    positions: list[Point],
    routes: list[list[Point]],
    labels: list[Point | None],
    frames: list[tuple[float, float, float, float]],
    box: tuple[float, float, float],
    direction: str,
) -> Layout:
    """Return the layout with what runs along and across as x and y."""
    low, length, breadth = box

    def turned(point: Point) -> Point:
        along, across = point[0] + MARGIN, point[1] - low + MARGIN
        if direction in ("RL", "BT"):
            along = length + 2 * MARGIN - along
        return (along, across) if direction in ("LR", "RL") else (across, along)

    found = []
    for along, across, long, broad in frames:
        corners = (turned((along, across)), turned((along + long, across + broad)))
        (left, right), (top, bottom) = (sorted(xs) for xs in zip(*corners, strict=True))
        found.append((left, top, right - left, bottom - top))
    size = (length + 2 * MARGIN, breadth + 2 * MARGIN)
    return Layout(
        *(size if direction in ("LR", "RL") else size[::-1]),
        [turned(point) for point in positions],
        [[turned(point) for point in points] for points in routes],
        [None if point is None else turned(point) for point in labels],
        found,
    )
