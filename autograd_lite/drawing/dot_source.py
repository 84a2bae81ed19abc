"""A picture as source for Graphviz, which draws it in its own look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd_lite.drawing.boxes import Box
from autograd_lite.drawing.highlighting import NOTHING, Highlight
from autograd_lite.drawing.look import LIGHT
from autograd_lite.drawing.nesting import Nesting
from autograd_lite.drawing.ranking import acyclic, lengths
from autograd_lite.drawing.scene import Scene
from autograd_lite.drawing.svg import tint_class
from autograd_lite.notation import printable

if TYPE_CHECKING:
    from graphviz import Digraph

SHAPES = {
    "leaf": {"style": "rounded"},
    "parameter": {"peripheries": "2"},
    "constant": {"style": "dashed"},
    "operation": {},
    "product": {"style": "dotted"},
    "module": {"shape": "box3d"},
    "alike": {"shape": "folder"},
    "rest": {"style": "dotted", "shape": "folder"},
}
"""Attributes by which kinds of boxes are told apart without colour."""

BOLD = {"penwidth": "3", "color": LIGHT["highlight"]}
"""Attributes of what is highlighted."""


def digraph(scene: Scene, direction: str, highlight: Highlight = NOTHING) -> Digraph:
    """Return a scene as a ``graphviz.Digraph``; see `draw_dot`."""
    from graphviz import Digraph

    font = "Helvetica,Arial,sans-serif"
    dot = Digraph(
        "graph",
        graph_attr={"rankdir": direction, "fontname": font, "fontsize": "11", "bgcolor": "white"},
        node_attr={"shape": "box", "fontname": font, "fontsize": "11", "margin": "0.1,0.05"},
        edge_attr={"fontname": font, "fontsize": "10", "arrowsize": "0.7"},
    )
    if scene.note:
        dot.attr(label=_escaped(scene.note), labeljust="l")
    for index, box in enumerate(scene.boxes):
        dot.node(f"n{index}", _label(box), tooltip=_escaped(box.hint), **_attributes(box))
        if index in highlight.boxes:
            dot.node(f"n{index}", **BOLD)
    nesting = Nesting(len(scene.boxes), scene.layout_clusters())
    parts = []
    for number, frame in enumerate(scene.frames):
        parts.append(Digraph(f"cluster_{number}"))
        parts[-1].attr(label=_escaped(frame.title), labeljust="l", color=LIGHT["frame-border"])
    for index, home in enumerate(nesting.home):
        if home >= 0:
            parts[home].node(f"n{index}")
    for number in reversed(nesting.order):
        around = nesting.parents[number]
        (parts[around] if around >= 0 else dot).subgraph(parts[number])
    links = acyclic(len(scene.boxes), [(arrow.tail, arrow.head) for arrow in scene.arrows])
    for number, (arrow, length) in enumerate(
        zip(scene.arrows, lengths(links, nesting), strict=True)
    ):
        tip = _escaped(arrow.hint)
        more = dict(BOLD) if number in highlight.arrows else {}
        if length > 1:
            more["minlen"] = str(length)
        ends = f"n{arrow.tail}", f"n{arrow.head}"
        dot.edge(*ends, label=_escaped(arrow.label), tooltip=tip, **more)
    return dot


def _label(box: Box) -> str:
    first = f"{box.head} : {box.note}" if box.note else box.head
    lines = [first, *(f"{what} {text}" if what else text for what, text in box.lines)]
    return "".join(f"{_escaped(line)}\\l" for line in lines)


def _attributes(box: Box) -> dict[str, str]:
    found = dict(SHAPES[box.kind])
    if box.result:
        found["penwidth"] = "3"
    if box.tint is not None:
        found["style"] = ",".join(filter(None, (found.get("style"), "filled")))
        found["fillcolor"] = LIGHT[tint_class(box.tint)]
    return found


def _escaped(text: str) -> str:
    """Return text that Graphviz shows as it is: no escapes, no entities, no HTML."""
    plain = "\n".join(printable(line) for line in text.split("\n"))
    plain = plain.replace("&", "&amp;").replace("\\", "\\\\").replace("\n", "\\n")
    return plain.replace("<", "&lt;").replace(">", "&gt;")
