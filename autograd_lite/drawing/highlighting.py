"""Edges of a graph that a picture draws bold, with the boxes at their ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from autograd_lite.drawing.collapsing import View
from autograd_lite.drawing.scene import Scene
from autograd_lite.graphs import GraphEdge


class Highlight(NamedTuple):
    """The places of boxes and arrows of a scene that are drawn bold."""

    boxes: frozenset[int] = frozenset()
    arrows: frozenset[int] = frozenset()


NOTHING = Highlight()


def highlight_of(scene: Scene, view: View, edges: Iterable[GraphEdge]) -> Highlight:
    """Return which boxes and arrows stand for edges of the graph.

    An arrow between boxes of several nodes is bold if one of its edges is, and so is the arrow
    from the product of an expanded dot to the sum.
    """
    single: set[tuple[int, int, int]] = set()
    between: set[tuple[int, int]] = set()
    boxes: set[int] = set()
    for edge in edges:
        ends = view.group_of[edge.operand], view.group_of[edge.consumer]
        single.add((edge.operand, edge.consumer, edge.position))
        between.add(ends)
        boxes.update(ends)
    arrows = set()
    for place, arrow in enumerate(scene.arrows):
        if arrow.edge in single or (arrow.edge is None and (arrow.tail, arrow.head) in between):
            arrows.add(place)
            boxes.add(arrow.head)
    first_product = len(view.groups)
    for place, arrow in enumerate(scene.arrows):
        if arrow.tail >= first_product and arrow.tail in boxes:
            arrows.add(place)
    return Highlight(frozenset(boxes), frozenset(arrows))
