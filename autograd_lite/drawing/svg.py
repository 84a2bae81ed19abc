"""The SVG of a picture: the only writer, whoever made the layout.

The structure, for styles and scripts:

===============================  ===================================================================
``svg.autograd-graph``           the picture; its colours are CSS variables (`look`)
``g.node`` and its kind          ``data-node`` the index, ``data-label`` the name, ``data-value``
                                 and ``data-grad`` the numbers with all digits (no ``data-grad``
                                 before backward). Kinds are those of `Box`; also class ``result``.
                                 In it ``.data`` and ``.grad`` hold the numbers that are shown.
                                 A box of several nodes has no ``data-node``, but a ``data-part``,
                                 the path of the part, if it is one.
``g.edge``                       ``data-edge`` the consumer's index and the operand's position
                                 (``7-1``), ``data-operand``, ``data-consumer``; in it the line, the
                                 head, and the ``.partial``. An arrow that stands for several edges
                                 has none of these attributes
``.highlighted``                 an edge or node that is drawn bold
``g.frame``, ``g.frame-title``   a part of a network and its name; ``data-part`` its path
===============================  ===================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from autograd_lite.drawing.arrows import Arrow
from autograd_lite.drawing.boxes import LINE, MARK, MARKED, PADDING, SIZE, Box
from autograd_lite.drawing.geometry import TITLE_INSET, Layout, Point
from autograd_lite.drawing.highlighting import NOTHING, Highlight
from autograd_lite.drawing.look import STYLE
from autograd_lite.drawing.scene import LABEL_SIZE, TITLE_HEIGHT, Frame, Scene
from autograd_lite.drawing.text import text_width
from autograd_lite.notation import printable

HEAD_LENGTH = 9.0
HEAD_WIDTH = 7.0
STACK = 4.0
NOTE_SIZE = 12.0
NOTE_LINE = 17.0
MARGIN = 10.0


def svg(scene: Scene, layout: Layout, *, highlight: Highlight = NOTHING) -> str:
    """Return a scene as a complete SVG document.

    Parameters
    ----------
    scene : Scene
    layout : Layout
        Places for the scene's boxes, arrows and frames.
    highlight : Highlight
        What is drawn bold.

    Returns
    -------
    str
        Without ids, so that any number of pictures can stand on one page.
    """
    notes = _wrapped(scene.note, max(layout.width - 2 * MARGIN, 420.0))
    widest = max((text_width(line, NOTE_SIZE) for line in notes), default=0.0)
    width = max(layout.width, widest + 2 * MARGIN)
    height = layout.height + (len(notes) * NOTE_LINE + MARGIN if notes else 0.0)
    box = f"{_n(width)} {_n(height)}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="autograd-graph" width="{_n(width)}"'
        f' height="{_n(height)}" viewBox="0 0 {box}" role="img"'
        f' aria-label="{_text(scene.title)}">',
        f"<title>{_text(scene.title)}</title>",
        f"<desc>{_text(scene.description)}</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{_n(width)}" height="{_n(height)}" rx="6"/>',
    ]
    parts += [
        _frame(frame, place) for frame, place in zip(scene.frames, layout.frames, strict=True)
    ]
    parts += [
        _arrow(arrow, route, label, bold=number in highlight.arrows)
        for number, (arrow, route, label) in enumerate(
            zip(scene.arrows, layout.routes, layout.labels, strict=True)
        )
    ]
    parts += [
        _title(frame, place) for frame, place in zip(scene.frames, layout.frames, strict=True)
    ]
    parts += [
        _box(each, place, bold=number in highlight.boxes)
        for number, (each, place) in enumerate(zip(scene.boxes, layout.positions, strict=True))
    ]
    top = layout.height + NOTE_LINE - 5.0
    parts += [
        f'<text class="note" x="{_n(MARGIN)}" y="{_n(top + i * NOTE_LINE)}">{_text(line)}</text>'
        for i, line in enumerate(notes)
    ]
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _text(text: str) -> str:
    """Return text as it stands in XML, in elements and in attributes."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


def _n(number: float) -> str:
    """Return a coordinate with one digit after the point."""
    return f"{number:.1f}".removesuffix(".0")


def _wrapped(text: str, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, NOTE_SIZE) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


# -- frames and arrows ---------------------------------------------------------------------------


def _frame(frame: Frame, place: tuple[float, float, float, float]) -> str:
    x, y, width, height = place
    return (
        f'<g class="frame" data-part="{_text(printable(frame.path))}">'
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="8"/></g>'
    )


def _title(frame: Frame, place: tuple[float, float, float, float]) -> str:
    """Return the name of a part, above the edges that enter the part where it stands."""
    left, base = _n(place[0] + TITLE_INSET + 4.0), _n(place[1] + TITLE_HEIGHT - 4.0)
    return (
        f'<g class="frame-title" data-part="{_text(printable(frame.path))}">'
        f'<text x="{left}" y="{base}">{_text(frame.title)}</text></g>'
    )


def _arrow(arrow: Arrow, route: Sequence[Point], label: Point | None, *, bold: bool) -> str:
    more = " highlighted" if bold else ""
    attributes = f' class="edge{" several" if arrow.several else ""}{more}"'
    if arrow.edge is not None:
        operand, consumer, position = arrow.edge
        attributes = (
            f' class="edge{more}" data-edge="{consumer}-{position}" data-operand="{operand}"'
            f' data-consumer="{consumer}"'
        )
    line, head = _line_and_head(route)
    text = ""
    if label is not None and arrow.label:
        x, y = label
        text = (
            f'<text class="partial" x="{_n(x)}" y="{_n(y + LABEL_SIZE * 0.36)}">'
            f"{_text(arrow.label)}</text>"
        )
    return (
        f'<g{attributes}><title>{_text(arrow.hint)}</title><path class="line" d="{line}"/>'
        f'<path class="head" d="{head}"/>{text}</g>'
    )


def _line_and_head(route: Sequence[Point]) -> tuple[str, str]:
    """Return the curve, which ends where the head begins, and the triangle of the head."""
    *before, last, (x, y) = route
    dx, dy = x - last[0], y - last[1]
    if not (dx or dy):
        dx, dy = x - before[-1][0], y - before[-1][1]
    length = hypot(dx, dy) or 1.0
    dx, dy = dx / length, dy / length
    back = min(HEAD_LENGTH, hypot(x - route[-4][0], y - route[-4][1]) * 0.8)
    base = (x - dx * back, y - dy * back)
    if length > back:
        points = [*before, (last[0] - dx * back, last[1] - dy * back), base]
    else:
        points = [*before, base, base]
    start, *others = [f"{_n(px)},{_n(py)}" for px, py in points]
    side_x, side_y = -dy * HEAD_WIDTH / 2, dx * HEAD_WIDTH / 2
    corners = [(x, y), (base[0] + side_x, base[1] + side_y), (base[0] - side_x, base[1] - side_y)]
    head = "L".join(f"{_n(px)},{_n(py)}" for px, py in corners)
    return f"M{start}C{' '.join(others)}", f"M{head}Z"


# -- boxes ---------------------------------------------------------------------------------------


def _box(box: Box, centre: Point, *, bold: bool) -> str:
    x, y = centre[0] - box.width / 2, centre[1] - box.height / 2
    more = f"{' result' if box.result else ''}{' highlighted' if bold else ''}"
    attributes = f' class="node {box.kind}{more}"'
    if box.node is not None:
        attributes += f' data-node="{box.node}" data-value="{box.data!r}"'
    if box.grad is not None:
        attributes += f' data-grad="{box.grad!r}"'
    if box.part:
        attributes += f' data-part="{_text(printable(box.part))}"'
    parts = [
        f'<g{attributes} data-label="{_text(printable(box.label))}">'
        f"<title>{_text(box.hint)}</title>",
        *_outline(box, x, y),
    ]
    left, right = x + PADDING, x + box.width - PADDING
    line = y + PADDING / 2 + LINE * 0.72
    if box.kind in MARKED:
        parts.append(_mark(box.kind, left + 4.5, line - SIZE * 0.36))
    start = left + (MARK if box.kind in MARKED else 0.0)
    parts.append(f'<text class="name" x="{_n(start)}" y="{_n(line)}">{_text(box.head)}</text>')
    if box.note:
        parts.append(_right("op", right, line, box.note))
    for what, text in box.lines:
        line += LINE
        if what == "grad":
            parts.append(_strip(box, x, line - LINE * 0.74))
        if what:
            parts.append(f'<text class="what" x="{_n(left)}" y="{_n(line)}">{what}</text>')
            parts.append(_right(what, right, line, text))
        else:
            parts.append(f'<text class="what" x="{_n(left)}" y="{_n(line)}">{_text(text)}</text>')
    return "".join(parts) + "</g>"


def _right(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}">{_text(text)}</text>'


def _outline(box: Box, x: float, y: float) -> list[str]:
    """Return the shape of a box, by which its kind is told apart without colour."""
    radius = {"leaf": 14.0, "constant": 0.0, "module": 8.0}.get(box.kind, 3.0)

    def rectangle(kind: str, inset: float, dx: float = 0.0) -> str:
        return (
            f'<rect class="{kind}" x="{_n(x + inset + dx)}" y="{_n(y + inset - dx)}"'
            f' width="{_n(box.width - 2 * inset)}" height="{_n(box.height - 2 * inset)}"'
            f' rx="{_n(max(radius - inset, 0.0))}"/>'
        )

    behind = [rectangle("shape", 0.0, STACK)] if box.kind in ("module", "alike", "rest") else []
    inner = [rectangle("inner", 3.0)] if box.kind == "parameter" else []
    return [*behind, rectangle("shape", 0.0), *inner]


def _mark(kind: str, x: float, y: float) -> str:
    """Return a dot for a leaf, a diamond for a parameter, a hollow square for a constant."""
    shape = {
        "leaf": f"M{_n(x - 3.5)},{_n(y)}a3.5,3.5 0 1 0 7,0a3.5,3.5 0 1 0 -7,0Z",
        "parameter": f"M{_n(x)},{_n(y - 4.5)}l4.5,4.5l-4.5,4.5l-4.5,-4.5Z",
        "constant": f"M{_n(x - 3)},{_n(y - 3)}h6v6h-6Z",
    }[kind]
    return f'<path class="mark" d="{shape}"/>'


def _strip(box: Box, x: float, y: float) -> str:
    """Return the ground of the gradient, coloured by its sign and size."""
    inset = 5.0
    return (
        f'<rect class="tint {tint_class(box.tint)}" x="{_n(x + inset)}" y="{_n(y)}"'
        f' width="{_n(box.width - 2 * inset)}" height="{_n(LINE - 1)}" rx="3"/>'
    )


def tint_class(tint: int | None) -> str:
    """Return the class of the ground of a gradient: ``none``, ``zero``, ``p1`` … ``n3``."""
    if not tint:
        return "none" if tint is None else "zero"
    return f"{'n' if tint < 0 else 'p'}{abs(tint)}"
