"""What a layout is made from and what it gives: sizes and places, no text and no colour."""

from __future__ import annotations

from typing import NamedTuple

Point = tuple[float, float]
"""x to the right and y downwards, in the unit of the sizes."""


MARGIN = 8.0
"""The empty room around a drawing."""

TITLE_INSET = 4.0
"""How far inside the top left corner of its frame the title of a cluster stands."""


class LayoutEdge(NamedTuple):
    """An edge to be drawn; several may join the same two nodes.

    Attributes
    ----------
    tail, head : int
        Indices of the nodes that it leaves and reaches.
    label_width, label_height : float
        Room for its label; 0 for an edge without one.
    """

    tail: int
    head: int
    label_width: float = 0.0
    label_height: float = 0.0


class LayoutCluster(NamedTuple):
    """Nodes to be framed together. Clusters are disjoint or one contains the other.

    Attributes
    ----------
    members : tuple of int
        Indices of the nodes, with those of clusters inside.
    title_width, title_height : float
        Room for its title, which stands `TITLE_INSET` inside the top left corner of the frame.
    """

    members: tuple[int, ...]
    title_width: float = 0.0
    title_height: float = 0.0


class Layout(NamedTuple):
    """Where everything is.

    Attributes
    ----------
    width, height : float
        Of the whole drawing, which begins at (0, 0).
    positions : list of Point
        The centre of each node.
    routes : list of list of Point
        For each edge the control points of a cubic Bézier spline from the border of its tail to
        the border of its head: the first point, then three for each piece, as in SVG's ``M`` and
        ``C`` and in Graphviz.
    labels : list of Point or None
        For each edge the centre of its label; None for an edge without one.
    frames : list of tuple of float
        For each cluster the x and y of its top left corner, its width and its height.
    """

    width: float
    height: float
    positions: list[Point]
    routes: list[list[Point]]
    labels: list[Point | None]
    frames: list[tuple[float, float, float, float]]
