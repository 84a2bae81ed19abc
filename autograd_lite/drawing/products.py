"""A dot taken apart into its products and their sum."""

from __future__ import annotations

from collections.abc import Collection

from autograd_lite.drawing.arrows import Arrow
from autograd_lite.drawing.boxes import Box, make_box, tint_of, within
from autograd_lite.drawing.collapsing import View
from autograd_lite.node import arguments
from autograd_lite.notation import printable, short, written
from autograd_lite.value import Value


def add_products(
    view: View,
    index: int,
    boxes: list[Box],
    arrows: list[Arrow],
    show: Collection[str],
    scale: float,
) -> list[int]:
    """Add a box for each product of a dot, with its arrows; return the places of the boxes."""
    graph = view.graph
    value = graph._values[index]
    head = view.group_of[index]
    given = arguments(value)
    half = len(given) // 2
    places = iter(range(len(given)))
    positions = [next(places) if isinstance(x, Value) else -1 for x in given]
    partials = value.partials

    def arrow(argument: int, box: int) -> None:
        position = positions[argument]
        if position >= 0:
            operand, partial = view.operands[index][position], partials[position]
            hint = f"∂{graph._names[index]}/∂{graph._names[operand]} = {partial!r}"
            label = short(partial) if "partials" in show else ""
            edge = (operand, index, position)
            arrows.append(Arrow(view.group_of[operand], box, label, printable(hint), edge, False))

    made = []
    for number in range(half):
        pair = given[number], given[half + number]
        names = [graph._names[graph._index[x]] if isinstance(x, Value) else short(x) for x in pair]
        made.append(len(boxes))
        boxes.append(_product(view, index, names, float(pair[0]) * float(pair[1]), show, scale))
        arrow(number, made[-1])
        arrow(half + number, made[-1])
        label = "1" if "partials" in show else ""
        arrows.append(
            Arrow(made[-1], head, label, "the derivative of a sum by a term", None, False)
        )
    if len(given) > 2 * half:
        arrow(2 * half, head)
    return made


def _product(
    view: View,
    index: int,
    names: list[str],
    data: float,
    show: Collection[str],
    scale: float,
) -> Box:
    """Return the box of one product, whose gradient is that of the sum."""
    graph = view.graph
    grad = graph._grads[index]
    frame = view.clusters.prefix_of(view.clusters.home[index])
    text = written("*", names)
    lines = []
    if "data" in show:
        lines.append(("data", short(data)))
    if "grad" in show:
        lines.append(("grad", "–" if grad is None else short(grad)))
    return make_box(
        "product",
        lines,
        head=written("*", [within(name, frame) for name in names]),
        note="",
        label=text,
        tint=tint_of(grad, scale) if "grad" in show else None,
        hint=f"{text} = {data!r}, a term of {graph._names[index]}",
    )
