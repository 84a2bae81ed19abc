"""What a picture shows: boxes with their text, arrows, frames; no places yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from autograd_lite.drawing.arrows import Arrow, arrows_of
from autograd_lite.drawing.boxes import Box, box_of_group, box_of_node, grad_scale, within
from autograd_lite.drawing.clusters import OUTSIDE
from autograd_lite.drawing.collapsing import View
from autograd_lite.drawing.geometry import LayoutCluster, LayoutEdge
from autograd_lite.drawing.products import add_products
from autograd_lite.drawing.text import clipped, text_width
from autograd_lite.notation import printable, short

LABEL_SIZE = 12.0
LABEL_HEIGHT = 16.0
TITLE_SIZE = 12.0
TITLE_HEIGHT = 20.0
TITLE_WIDTH = 260.0
MANY = 2_000
"""With more nodes than this, a picture does not advise to draw them all."""


class Frame(NamedTuple):
    """A part of a network, drawn around its boxes."""

    path: str
    title: str
    members: tuple[int, ...]


class Scene(NamedTuple):
    """Everything that a picture shows.

    Attributes
    ----------
    boxes : list of Box
    arrows : list of Arrow
    frames : list of Frame
    title, description : str
        For screen readers.
    note : str
        What was collapsed or left out; ``""`` for nothing.
    """

    boxes: list[Box]
    arrows: list[Arrow]
    frames: list[Frame]
    title: str
    description: str
    note: str

    def sizes(self) -> list[tuple[float, float]]:
        """Return the width and height of each box, for `lay_out`."""
        return [(box.width, box.height) for box in self.boxes]

    def layout_edges(self) -> list[LayoutEdge]:
        """Return the arrows, for `lay_out`."""
        return [
            LayoutEdge(arrow.tail, arrow.head, text_width(arrow.label, LABEL_SIZE), LABEL_HEIGHT)
            if arrow.label
            else LayoutEdge(arrow.tail, arrow.head)
            for arrow in self.arrows
        ]

    def layout_clusters(self) -> list[LayoutCluster]:
        """Return the frames, for `lay_out`."""
        return [
            LayoutCluster(
                frame.members, text_width(frame.title, TITLE_SIZE, bold=True) + 8.0, TITLE_HEIGHT
            )
            for frame in self.frames
        ]


def scene_of(
    view: View,
    *,
    show: Collection[str] = ("data", "grad", "partials"),
    grad_texts: Mapping[int, Sequence[str]] | None = None,
) -> Scene:
    """Return what a view of a graph shows.

    Parameters
    ----------
    view : View
    show : collection of str
        Of ``"data"``, ``"grad"`` and ``"partials"``.
    grad_texts : mapping of int to sequence of str, optional
        By node, further texts that the place of its gradient must have room for.
    """
    graph = view.graph
    scale = grad_scale(graph._grads)
    boxes: list[Box] = []
    for group in view.groups:
        frame = view.clusters.prefix_of(group.cluster)
        if group.kind == "node":
            (index,) = group.members
            room = (grad_texts or {}).get(index, ())
            box = box_of_node(
                view, index, frame, show, scale, room, expanded=index in view.expanded
            )
            boxes.append(box)
        else:
            title = ""
            if group.kind == "module":
                cluster = view.clusters.all[group.cluster]
                title = cluster.title
                frame = view.clusters.prefix_of(cluster.parent)
            boxes.append(box_of_group(view, group, frame, title, show, scale))
    arrows = arrows_of(view, "partials" in show)
    members = [[position] for position in range(len(boxes))]
    for index in sorted(view.expanded):
        position = view.group_of[index]
        if view.groups[position].kind == "node":
            members[position] += add_products(view, index, boxes, arrows, show, scale)
    return Scene(
        boxes,
        arrows,
        _frames(view, members),
        f"Computation graph of {printable(graph.root.name)}",
        _description(view, arrows),
        _note(view),
    )


def _frames(view: View, members: Sequence[Sequence[int]]) -> list[Frame]:
    """Return the open clusters that hold more than one box."""
    clusters = view.clusters
    inside: dict[int, list[int]] = {}
    for group, its in zip(view.groups, members, strict=True):
        cluster = group.cluster
        if group.kind == "module":
            cluster = clusters.all[cluster].parent
        while cluster != OUTSIDE:
            inside.setdefault(cluster, []).extend(its)
            cluster = clusters.all[cluster].parent
    found = []
    for index, boxes in sorted(inside.items()):
        if len(boxes) > 1:
            part = clusters.all[index]
            text = within(part.path, clusters.prefix_of(part.parent))
            text = f"{text} · {part.title}" if part.title else text
            title = clipped(printable(text), TITLE_WIDTH, TITLE_SIZE, bold=True)
            found.append(Frame(part.path, title, tuple(sorted(boxes))))
    return found


def _description(view: View, arrows: Sequence[Arrow]) -> str:
    count = len(view.graph)
    root = view.graph.root
    grads = "computed" if root.grad is not None else "not computed yet"
    return (
        f"{count:,} {'value' if count == 1 else 'values'} in {len(view.groups)} boxes with"
        f" {len(arrows)} arrows from operands to results; the result {printable(root.name)} is"
        f" {short(root.data)}; gradients are {grads}."
    )


def _note(view: View) -> str:
    """Return what was collapsed or left out, and how to see it."""
    if view.whole:
        return ""
    count, boxes = len(view.graph), len(view.groups)
    rest = sum(len(group.members) for group in view.groups if group.kind == "rest")
    parts = [group for group in view.groups if group.kind == "module"]
    text = f"{count:,} values in {boxes} boxes"
    if rest:
        text += f", {rest:,} of them left out"
    if parts:
        largest = max(parts, key=lambda group: len(group.members))
        path = printable(view.clusters.all[largest.cluster].path)
        text += f'. expand="{path}" opens a part'
        return f"{text}, max_nodes={count} all." if count <= MANY else f"{text}."
    return f"{text}. A larger max_nodes shows more, {count} all."
