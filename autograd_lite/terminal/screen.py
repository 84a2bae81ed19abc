"""A tour drawn on a whole terminal screen: what happened, the nodes so far, the keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from autograd_lite.notation import Symbols, encodable, printable, short, shortened, symbols_for
from autograd_lite.terminal.tour import Tour

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

KEYS = (
    ("n", " next"),
    ("p", " back"),
    ("q", " quit"),
    ("Space", " play"),
    ("/", " search"),
    ("b", " breakpoint"),
    ("Home/End", ""),
)
FORMULA_LINES = 3
LEAST_ROWS = 5
WIDE = 64  # columns, from which on there is room for the expressions


def drawn(
    tour: Tour, console: Console, *, message: str = "", playing: bool = False
) -> RenderableType:
    """Return what stands on the screen."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    symbols = symbols_for(console.encoding)

    def line(text: str, style: str = "") -> Text:
        return Text(encodable(text, console.encoding), style, no_wrap=True, overflow="ellipsis")

    account = tour.account(symbols)
    account += [""] * (FORMULA_LINES - len(account))
    stop = "  breakpoint" if tour.stops_here() else ""
    heading = line(tour.title() + ("  playing" if playing else ""), "bold")
    heading.append(stop, "bold red")
    spacious = console.height >= 16
    blank = [line("")] if spacious else []
    above: list[RenderableType] = [
        heading,
        line(_bar(tour, console.width, console.encoding), "dim"),
        *blank,
        *(
            Padding(line(text, "" if i else "bold magenta"), (0, 2))
            for i, text in enumerate(account)
        ),
        *blank,
    ]
    below = [*blank, _keys() if not message else line(message, "reverse")]
    rows = console.height - len(above) - len(below) - 1
    return Group(*above, _nodes(tour, console, symbols, max(rows, LEAST_ROWS)), *below)


def _bar(tour: Tour, columns: int, encoding: str) -> str:
    """Return a line that says how far the tour has come."""
    full, empty = ("━", "─") if encodable("━─", encoding) == "━─" else ("#", "-")
    done = round(columns * tour.at / tour.last)
    return full * done + empty * (columns - done)


def _keys() -> RenderableType:
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ellipsis")
    for key, meaning in KEYS:
        text.append(key, "bold reverse")
        text.append(f"{meaning}  ")
    return text


def _nodes(tour: Tour, console: Console, symbols: Symbols, most: int) -> RenderableType:
    """Return the nodes that there is room for, the consumer and the operand of the step marked."""
    from rich.table import Table
    from rich.text import Text

    graph = tour.walk.graph
    consumer, operand = _current(tour)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="underline")
    wide = console.width >= WIDE
    widest = max((console.width - 36) // (2 if wide else 1), 10)  # the numbers take the rest
    for heading in ("   name", "expression") if wide else ("   name",):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", max_width=widest)
    for heading in ("data", "grad so far"):
        table.add_column(heading, no_wrap=True, min_width=len(heading))
    table.add_column("", no_wrap=True)

    def cell(text: str) -> Text:
        return Text(encodable(printable(text), console.encoding))

    shown = list(_window(len(graph), consumer, operand, most))
    for index in shown:
        if index is None:
            table.add_row(f"   {symbols.gap}")
            continue
        node = graph[index]
        grad, had = tour.grads.get(index, (None, 0))
        of = tour.walk._counts[index] if tour.walk._needed[index] else 0
        mark = symbols.pointer if index == operand else symbols.bullet if index == consumer else " "
        expression = cell(graph.expression(index) if node.op else node.kind)
        table.add_row(
            cell(f"{mark}  {shortened(node.name, widest - 3)}"),
            *([expression] if wide else []),
            short(node.data) if tour.is_computed(index) else symbols.none,
            symbols.none if grad is None else short(grad),
            f"{had} of {of}" if had else "",
            style="bold magenta" if index == operand else "bold" if index == consumer else "",
        )
    for _ in range(most - len(shown)):
        table.add_row()
    return table


def _current(tour: Tour) -> tuple[int, int]:
    """Return the nodes that the last step was about: where from, and where to."""
    if step := tour.step:
        return tour.index_of(step)
    root = len(tour.walk.graph) - 1
    if tour.operation is not None:
        return tour.operation, tour.operation
    return (root, root) if tour.at == tour.seed else (-1, -1)


def _window(count: int, consumer: int, operand: int, most: int) -> Iterator[int | None]:
    """Yield the indices to show, None where some are left out: both nodes and their neighbours."""
    if count <= most:
        yield from range(count)
        return
    focus = sorted({max(consumer, 0), max(operand, 0)})
    if focus[-1] - focus[0] < most - 2:
        sizes = [most - 2]
        focus = [(focus[0] + focus[-1]) // 2]
    else:
        sizes = [(most - 3) // 2] * 2
    end = 0
    for centre, size in zip(focus, sizes, strict=True):
        begin = min(max(centre - size // 2, end), count - size)
        if begin > end:
            yield None
        end = begin + max(size, 1)
        yield from range(begin, min(end, count))
    if end < count:
        yield None
