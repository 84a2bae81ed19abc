"""The boxes of a picture: their text, their size, and how large their gradient is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import ceil, inf, log10
from typing import NamedTuple

from autograd_lite.drawing.collapsing import Group, View
from autograd_lite.drawing.text import clipped, text_width
from autograd_lite.graphs import Graph, kind_of
from autograd_lite.node import arguments
from autograd_lite.notation import printable, short, written
from autograd_lite.value import Value

SIZE = 13.0
LINE = 19.0
PADDING = 9.0
MARK = 14.0
GAP = 14.0
NAME_WIDTH = 190.0
NOTE_WIDTH = 190.0
TINTS = 3


class Box(NamedTuple):
    """A box with a head and a few lines.

    Attributes
    ----------
    kind : str
        ``"leaf"``, ``"parameter"``, ``"constant"``, ``"operation"``, ``"module"``, ``"alike"``,
        ``"rest"`` or ``"product"`` (a term of an expanded dot).
    node : int or None
        The node that it is; None for several, and for products.
    part : str
        The path of the part of a network that it is, ``""`` for none.
    label : str
        The full name.
    head, note : str
        The name and the operation or kind as they are drawn.
    lines : tuple of (str, str)
        What each line is, and its text.
    tint : int or None
        Sign and size of the gradient from -3 to 3, 0 for exactly 0, None for none.
    data, grad : float or None
        For one node, with all digits.
    result : bool
        Whether it is, or holds, what was asked for.
    hint : str
        What is shown when the pointer rests on it.
    width, height : float
    """

    kind: str
    node: int | None
    part: str
    label: str
    head: str
    note: str
    lines: tuple[tuple[str, str], ...]
    tint: int | None
    data: float | None
    grad: float | None
    result: bool
    hint: str
    width: float
    height: float


def grad_scale(grads: Iterable[float | None]) -> float:
    """Return the largest finite size of a gradient."""
    return max((abs(grad) for grad in grads if grad is not None and abs(grad) < inf), default=0.0)


def tint_of(grad: float | None, scale: float) -> int | None:
    """Return sign and size of a gradient: ±3 above a tenth of the largest, ±2 a hundredth, else ±1.

    Examples
    --------
    >>> [tint_of(grad, 1.0) for grad in (1.0, 0.05, -1e-6, 0.0, None)]
    [3, 2, -1, 0, None]
    """
    if grad is None or grad != grad:
        return None
    if grad == 0.0:
        return 0
    relative = min(abs(grad) / scale, 1.0) if scale else 1.0
    size = max(TINTS - int(-log10(relative)), 1) if relative else 1
    return size if grad > 0.0 else -size


def box_of_node(
    view: View,
    index: int,
    frame: str,
    show: Collection[str],
    scale: float,
    grad_texts: Sequence[str] = (),
    *,
    expanded: bool = False,
) -> Box:
    """Return the box of one node; if it is expanded, as the sum of its products."""
    graph = view.graph
    value = graph._values[index]
    kind = kind_of(value)
    name, data, grad = graph._names[index], graph._data[index], graph._grads[index]
    takes_grad = value.requires_grad
    lines = []
    if "data" in show:
        lines.append(("data", short(data)))
    if "grad" in show and takes_grad:
        lines.append(("grad", "–" if grad is None else short(grad)))
    note = kind
    if kind == "operation":
        note = "sum" if expanded else operation(view, value, frame)
    what = f"{name} = {graph.expression(index)}" if kind == "operation" else f"{kind} {name}"
    hint = f"{what}\ndata {data!r}"
    if takes_grad:
        hint += f"\ngrad {'–' if grad is None else repr(grad)}"
    return make_box(
        kind,
        lines,
        node=index,
        label=name,
        head=within(name, frame),
        note=note,
        tint=tint_of(grad, scale) if "grad" in show else None,
        data=data,
        grad=grad,
        result=index == len(graph) - 1,
        hint=hint,
        room=grad_texts,
    )


def box_of_group(
    view: View, group: Group, frame: str, title: str, show: Collection[str], scale: float
) -> Box:
    """Return the box of a collapsed part, of nodes alike, or of what was left out."""
    graph = view.graph
    members = group.members
    values = [graph._values[index] for index in members]
    count = f"{len(members):,} values"
    lines: list[tuple[str, str]] = []
    note = ""
    if group.kind == "module":
        path = view.clusters.all[group.cluster].path
        head, label = within(path, frame), path
        parameters = sum(kind_of(value) == "parameter" for value in values)
        lines.append(("", f"{title} · {count}" if title else count))
        if parameters:
            noun = "parameter" if parameters == 1 else "parameters"
            lines.append(("", f"{parameters:,} {noun}"))
    elif group.kind == "rest":
        head = label = "…"
        lines.append(("", f"{count} left out"))
    else:
        head, label = _shared_name(graph, members, frame), ""
        note = _pattern(graph, members) if values[0].op else kind_of(values[0])
        head = head or note
        note = "" if head == note else note
        label = head
        lines.append(("", count))
        if "data" in show:
            lines.append(("data", _range(graph._data[index] for index in members)))
    grads = [grad for index in members if (grad := graph._grads[index]) is not None]
    largest = max(grads, key=abs, default=None)
    if "grad" in show and group.kind != "rest" and any(v.requires_grad for v in values):
        lines.append(("grad", _range(grads) if grads else "–"))
    names = [graph._names[index] for index in members[:12]]
    more = ", …" if len(members) > len(names) else ""
    return make_box(
        group.kind,
        lines,
        part=view.clusters.all[group.cluster].path if group.kind == "module" else "",
        label=label,
        head=head,
        note=note,
        tint=tint_of(largest, scale) if "grad" in show and group.kind != "rest" else None,
        result=len(graph) - 1 in members[-1:],
        hint=f"{count}: {', '.join(names)}{more}",
    )


def make_box(
    kind: str,
    lines: Sequence[tuple[str, str]],
    *,
    head: str,
    note: str,
    label: str,
    hint: str,
    node: int | None = None,
    part: str = "",
    tint: int | None = None,
    data: float | None = None,
    grad: float | None = None,
    result: bool = False,
    room: Sequence[str] = (),
) -> Box:
    """Return a box that its text fits in."""
    head = clipped(printable(head), NAME_WIDTH, SIZE, bold=True)
    note = clipped(printable(note), NOTE_WIDTH, SIZE)
    lines = [(what, printable(text)) for what, text in lines]
    top = text_width(head, SIZE, bold=True) + (MARK if kind in MARKED else 0.0)
    if note:
        top += GAP + text_width(note, SIZE)
    widths = [top]
    for what, text in lines:
        texts = (text, *room) if what == "grad" else (text,)
        side = text_width(what, SIZE) + GAP if what else 0.0
        widths.append(side + max(text_width(each, SIZE) for each in texts))
    hint = "\n".join(printable(line) for line in hint.split("\n"))
    return Box(
        kind,
        node,
        part,
        label,
        head,
        note,
        tuple(lines),
        tint,
        data,
        grad,
        result,
        hint if len(hint) <= 1000 else hint[:999] + "…",
        float(ceil(max(max(widths), 40.0) + 2 * PADDING)),
        (1 + len(lines)) * LINE + PADDING,
    )


DOTS = "…"

MARKED = ("leaf", "parameter", "constant")
"""Kinds that have a mark before their name."""


def operation(view: View, value: Value, frame: str) -> str:
    """Return the operation with the names of its operands and its plain numbers, if short.

    Otherwise with the numbers, and dots for the operands. Operands that nobody gave a name and
    that have no box of their own are dots too.
    """
    given = arguments(value)
    op = value.op
    if len(given) <= 8:
        full = written(op, [_name(view, x, frame) for x in given])
        if text_width(full, SIZE) <= NOTE_WIDTH:
            return full
    if len(given) > 3:
        return f"{op} of {len(given)}"
    return written(op, [DOTS if isinstance(x, Value) else short(x) for x in given])


def _pattern(graph: Graph, members: Sequence[int]) -> str:
    """Return the operation of nodes alike, with dots, and the numbers that all have."""
    last = graph._values[members[-1]]
    given = arguments(last)
    inside = {graph._values[index] for index in members}
    if len(members) > 1 and any(isinstance(x, Value) and x in inside for x in given):
        return f"{DOTS} {last.op} {DOTS} {last.op} {DOTS}"
    if len(given) > 3:
        return last.op
    all_given = [arguments(graph._values[index]) for index in members]
    texts = []
    for position, x in enumerate(given):
        same = all(each[position : position + 1] == (x,) for each in all_given)
        texts.append(short(x) if same and not isinstance(x, Value) else DOTS)
    return written(last.op, texts)


def _name(view: View, operand: Value | float, frame: str) -> str:
    if not isinstance(operand, Value):
        return short(operand)
    index = view.graph._index[operand]
    name = view.graph._names[index]
    if view.groups[view.group_of[index]].kind != "node" and not operand.label:
        return DOTS if name[:1] == "v" and name[1:].isdecimal() else within(name, frame)
    return within(name, frame)


def within(path: str, frame: str) -> str:
    """Return a path as it reads inside a frame: ``w[2]`` for ``fc1.w[2]`` inside ``fc1``."""
    rest = path.removeprefix(frame) if frame else path
    return rest if rest == path else rest.removeprefix(".") or path


def _shared_name(graph: Graph, members: Sequence[int], frame: str) -> str:
    """Return the name that nodes alike share: ``x[…]`` for ``x[0]``, ``x[1]``; ``""`` for none."""
    if not graph._values[members[0]].label:
        return ""
    names = [within(graph._names[index], frame) for index in members]
    start, end = names[0], names[-1]
    left = next((i for i, (a, b) in enumerate(zip(start, end, strict=False)) if a != b), 0)
    right = next(
        (i for i, (a, b) in enumerate(zip(start[::-1], end[::-1], strict=False)) if a != b), 0
    )
    return f"{start[:left]}…{start[len(start) - right :]}"


def _range(numbers: Iterable[float]) -> str:
    """Return the least and the greatest number with three digits."""
    finite = [x for x in numbers if x == x]
    if not finite:
        return "nan"
    low, high = f"{min(finite):.3g}", f"{max(finite):.3g}"
    return low if low == high else f"{low} … {high}"
