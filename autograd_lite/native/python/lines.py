"""Lines of generated Python: statements that are wrapped where they are long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import indent, shorten, wrap

WIDTH = 88  # letters in a line


def function(name: str, given: str, body: Iterable[str]) -> str:
    """Return the definition of a function of the parameters ``given``."""
    head = f"def {name}({given}):"
    if len(head) > WIDTH:
        head = f"def {name}(\n{indent(chr(10).join(wrap(given, WIDTH - 8)), ' ' * 8)}\n):"
    return head + "\n" + indent("\n".join(body), "    ")


def statement(target: str, text: str) -> list[str]:
    """Return an assignment, on several lines if it is long."""
    line = f"{target} = {text}"
    if len(line) <= WIDTH:
        return [line]
    if len(target) > WIDTH // 2:
        *lines, last = _in_brackets("", target)
        return [*lines, f"{last} = {text}"]
    return _in_brackets(f"{target} = ", text)


def tuple_of(names: Sequence[str]) -> str:
    """Return a tuple."""
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"


def target_of(names: Sequence[str]) -> str:
    """Return what a list is unpacked to."""
    return f"({names[0]},)" if len(names) == 1 else ", ".join(names)


def returned(results: Sequence[str]) -> list[str]:
    """Return the statement that ends a function."""
    text = ", ".join(results) or "()"
    if len(text) + 7 <= WIDTH:
        return [f"return {text}"]
    return _in_brackets("return ", text if len(results) == 1 else f"({text})")


def _in_brackets(before: str, text: str) -> list[str]:
    """Return a long expression on several lines, in its own brackets if it has them."""
    opening, closing = "(", ")"
    if text[0] in "([" and _closes_last(text):
        opening, text, closing = text[0], text[1:-1], text[-1]
    lines = wrap(text, WIDTH - 8, break_long_words=False, break_on_hyphens=False)
    return [f"{before}{opening}", *(f"    {line}" for line in lines), closing]


def _closes_last(text: str) -> bool:
    """Tell whether the bracket that a text begins with is closed at its end."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0:
            return at == len(text) - 1
    return False


def comment(text: str) -> str:
    """Return a comment, cut where it is long."""
    return f"# {shorten(text, WIDTH - 2, placeholder=' …')}"


def shortened(text: str) -> list[str]:
    """Return a line of a comment, cut where it is long."""
    return [text] if len(text) <= WIDTH else [f"{text[: WIDTH - 2]} …"]


def runs(nodes: Sequence[int | None]) -> Iterable[tuple[int, int, int]]:
    """Yield (column, first node, length) of runs of neighbouring nodes in neighbouring columns."""
    start = 0
    while start < len(nodes):
        first = nodes[start]
        if first is None:
            start += 1
            continue
        stop = start + 1
        while stop < len(nodes) and nodes[stop] == first + stop - start:
            stop += 1
        yield start, first, stop - start
        start = stop
