"""Places for boxes, arrows and labels: by Graphviz where it is installed, else by the project."""

from __future__ import annotations

from collections.abc import Sequence

from autograd_lite.drawing.dot_layout import dot_layout
from autograd_lite.drawing.geometry import Layout, LayoutCluster, LayoutEdge, Point
from autograd_lite.drawing.layered import layered

__all__ = ["Layout", "LayoutCluster", "LayoutEdge", "Point", "lay_out"]

DIRECTIONS = ("LR", "RL", "TB", "BT")


def lay_out(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[LayoutEdge],
    *,
    direction: str = "LR",
    clusters: Sequence[LayoutCluster] = (),
) -> Layout:
    """Return places for nodes, edges, their labels and frames around clusters.

    Nodes, labels and frames do not overlap, a frame holds its members and no other node, and an
    edge runs through no node but its own two and through no label but its own.

    Parameters
    ----------
    sizes : sequence of (float, float)
        The width and height of each node.
    edges : sequence of LayoutEdge
        First operands first: the order of the edges decides where nothing else does.
    direction : str
        Where edges lead: ``"LR"`` to the right, ``"RL"``, ``"TB"`` downwards or ``"BT"``.
    clusters : sequence of LayoutCluster
        Nodes to be framed, clusters inside clusters allowed.

    Returns
    -------
    Layout
        In the unit of the sizes, y downwards.

    Raises
    ------
    ValueError
        If the direction is another one, an edge or a cluster names a node that there is not, an
        edge leads from a node to itself, or two clusters overlap without one holding the other.

    Examples
    --------
    >>> found = lay_out([(40, 20), (40, 20)], [LayoutEdge(0, 1), LayoutEdge(0, 1)])
    >>> found.positions[0][0] + 40 < found.positions[1][0]
    True
    >>> len(found.routes), found.labels
    (2, [None, None])
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"direction must be one of {', '.join(DIRECTIONS)}, got {direction!r}")
    for number, edge in enumerate(edges):
        if not (0 <= edge.tail < len(sizes) and 0 <= edge.head < len(sizes)):
            raise ValueError(
                f"edge {number} leads from node {edge.tail} to node {edge.head}, expected nodes"
                f" from 0 to {len(sizes) - 1}"
            )
        if edge.tail == edge.head:
            raise ValueError(f"edge {number} leads from node {edge.tail} to itself")
    for number, cluster in enumerate(clusters):
        if not cluster.members or not all(0 <= node < len(sizes) for node in cluster.members):
            raise ValueError(
                f"cluster {number} needs one or more members from 0 to {len(sizes) - 1}, got"
                f" {cluster.members}"
            )
    found = dot_layout(sizes, edges, direction=direction, clusters=clusters)
    return found or layered(sizes, edges, direction=direction, clusters=clusters)
