"""The arrows of a picture, from operands to results, with their local partials."""

from __future__ import annotations

from typing import NamedTuple

from autograd_lite.drawing.collapsing import View
from autograd_lite.node import edges
from autograd_lite.notation import printable, short


class Arrow(NamedTuple):
    """An edge of the graph, or all those from one box to another.

    Attributes
    ----------
    tail, head : int
        Boxes.
    label : str
        The local partial, or how many edges there are.
    hint : str
        The same with all digits.
    edge : tuple of int or None
        Operand, consumer and position, where it stands for one edge of the graph.
    several : bool
        Whether it leads from or to a box of several nodes.
    """

    tail: int
    head: int
    label: str
    hint: str
    edge: tuple[int, int, int] | None
    several: bool


def arrows_of(view: View, partials: bool) -> list[Arrow]:
    """Return one arrow for each edge between single nodes, one for all others between two boxes."""
    graph = view.graph
    counts = view.arrows()
    single = [group.kind == "node" for group in view.groups]
    found: list[Arrow] = []
    drawn: set[tuple[int, int]] = set()
    for consumer, value in enumerate(graph._values):
        head = view.group_of[consumer]
        if single[head] and consumer in view.expanded:
            continue
        below = view.operands[consumer]
        pairs = edges(value) if single[head] else [(None, 0.0)] * len(below)
        for position, (operand, (_, partial)) in enumerate(zip(below, pairs, strict=True)):
            tail = view.group_of[operand]
            if tail == head:
                continue
            if single[head] and single[tail]:
                name, by = graph._names[consumer], graph._names[operand]
                hint = printable(f"∂{name}/∂{by} = {partial!r}")
                label = short(partial) if partials else ""
                edge = (operand, consumer, position)
                found.append(Arrow(tail, head, label, hint, edge, False))
            elif (tail, head) not in drawn:
                drawn.add((tail, head))
                count = counts[tail, head]
                label = f"×{count:,}" if partials and count > 1 else ""
                hint = f"{count:,} edges" if count > 1 else "1 edge"
                found.append(Arrow(tail, head, label, hint, None, True))
    return found
