"""The layout of Graphviz ``dot``, where that program is installed."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from autograd_lite.drawing.clearance import clear
from autograd_lite.drawing.geometry import (
    MARGIN,
    TITLE_INSET,
    Layout,
    LayoutCluster,
    LayoutEdge,
    Point,
)
from autograd_lite.drawing.nesting import Nesting
from autograd_lite.drawing.ranking import acyclic, lengths

_MOST_EDGES = 250
_POINTS_PER_INCH = 72.0
_NODE_DISTANCE, _RANK_DISTANCE = 0.22, 0.36  # inches
_SPREADS = (1.0, 1.6)


def dot_layout(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[LayoutEdge],
    *,
    direction: str = "LR",
    clusters: Sequence[LayoutCluster] = (),
) -> Layout | None:
    """Return dot's layout with labels moved clear of everything; see `lay_out`.

    None where ``dot`` is missing or fails, where the graph is so large that it would take seconds,
    or where its drawing does not keep what `lay_out` promises.
    """
    from shutil import which

    if len(edges) > _MOST_EDGES or not sizes or which("dot") is None:
        return None
    import json
    from subprocess import CalledProcessError

    from graphviz import ExecutableNotFound

    for spread in _SPREADS:
        try:
            text = _source(sizes, edges, direction, clusters, spread).pipe(
                "json0", encoding="utf-8", quiet=True
            )
            found = _layout(json.loads(text), len(sizes), len(edges), len(clusters))
        except (ExecutableNotFound, CalledProcessError, OSError, ValueError, LookupError):
            return None
        cleared = clear(found, sizes, edges, clusters)
        if cleared is not None:
            return cleared
    return None


def _source(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[LayoutEdge],
    direction: str,
    clusters: Sequence[LayoutCluster],
    spread: float,
) -> Any:
    """Return the graph for dot, with room in place of all text."""
    from graphviz import Digraph

    graph = Digraph(
        graph_attr={
            "rankdir": direction,
            "nodesep": f"{_NODE_DISTANCE * spread:.3f}",
            "ranksep": f"{_RANK_DISTANCE * spread:.3f}",
        },
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
        edge_attr={"arrowhead": "none"},
    )
    for number, (width, height) in enumerate(sizes):
        graph.node(
            f"n{number}",
            width=f"{width / _POINTS_PER_INCH:.4f}",
            height=f"{height / _POINTS_PER_INCH:.4f}",
        )
    nesting = Nesting(len(sizes), clusters)
    drawn = {
        number: Digraph(
            name=f"cluster_{number}",
            graph_attr={
                "label": _room(
                    cluster.title_width + TITLE_INSET, cluster.title_height + TITLE_INSET
                ),
                "labeljust": "l",
                "labelloc": "t",
            },
        )
        for number, cluster in enumerate(clusters)
    }
    for node, home in enumerate(nesting.home):
        if home >= 0:
            drawn[home].node(f"n{node}")
    for number in reversed(nesting.order):
        around = nesting.parents[number]
        (drawn[around] if around >= 0 else graph).subgraph(drawn[number])
    links = acyclic(len(sizes), [(edge.tail, edge.head) for edge in edges])
    for number, (edge, length) in enumerate(zip(edges, lengths(links, nesting), strict=True)):
        graph.edge(
            f"n{edge.tail}",
            f"n{edge.head}",
            id=str(number),
            minlen=str(length),
            label=_room(edge.label_width, edge.label_height),
        )
    return graph


def _room(width: float, height: float) -> str:
    """Return an HTML-like label without text, of a size that dot cannot misjudge by its fonts."""
    if not (width and height):
        return ""
    return (
        '<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" FIXEDSIZE="TRUE"'
        f' WIDTH="{ceil(width)}" HEIGHT="{ceil(height)}"><TR><TD></TD></TR></TABLE>>'
    )


def _layout(found: dict[str, Any], nodes: int, edges: int, clusters: int) -> Layout:
    """Read dot's JSON, whose y runs upwards."""
    left, bottom, right, top = _numbers(found["bb"])

    def point(x: float, y: float) -> Point:
        return x - left + MARGIN, top - y + MARGIN

    placed = {thing["name"]: thing for thing in found.get("objects", ())}
    drawn = {int(edge["id"]): edge for edge in found.get("edges", ())}
    routes = []
    labels: list[Point | None] = []
    for number in range(edges):
        numbers = _numbers(drawn[number]["pos"])
        routes.append([point(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)])
        place = drawn[number].get("lp")
        labels.append(point(*_numbers(place)) if place else None)
    frames = []
    for number in range(clusters):
        x0, y0, x1, y1 = _numbers(placed[f"cluster_{number}"]["bb"])
        frames.append((*point(x0, y1), x1 - x0, y1 - y0))
    return Layout(
        right - left + 2 * MARGIN,
        top - bottom + 2 * MARGIN,
        [point(*_numbers(placed[f"n{number}"]["pos"])) for number in range(nodes)],
        routes,
        labels,
        frames,
    )


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.replace(",", " ").split()]
