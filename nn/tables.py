"""Tables: records that print themselves as rows and columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

Record = TypeVar("Record", covariant=True)


class Table(tuple[Record, ...]):
    """A tuple of named tuples of one kind, shown as a table; columns of None are left out.

    Examples
    --------
    >>> from collections import namedtuple
    >>> from nn.tables import Table
    >>> Row = namedtuple("Row", "layer gradient_norm")
    >>> Table([Row("first", 0.5), Row("second", 1e-7)])
    layer   gradient norm
    first             0.5
    second          1e-07
    """

    __slots__ = ()

    def __repr__(self) -> str:
        if not self:
            return "no layers"
        first: Any = self[0]
        titles = [field.replace("_", " ") for field in first._fields]
        rows: list[Any] = list(self)
        columns = [
            (title, column)
            for title, column in zip(titles, zip(*rows, strict=True), strict=True)
            if any(cell is not None for cell in column)
        ]
        return "\n".join(lines([(title, *column) for title, column in columns]))


def lines(columns: Iterable[Sequence[Any]]) -> list[str]:
    """Return the lines of a table: text to the left, numbers to the right.

    Examples
    --------
    >>> from nn.tables import lines
    >>> lines([("layer", "a", "bc"), ("loss", 0.25, None)])
    ['layer  loss', 'a      0.25', 'bc        –']
    """
    cells = []
    for title, *column in columns:
        texts = [title, *map(_text, column)]
        width = max(map(len, texts))
        left = all(isinstance(entry, str) for entry in column)
        cells.append([text.ljust(width) if left else text.rjust(width) for text in texts])
    return ["  ".join(row).rstrip() for row in zip(*cells, strict=True)]


def _text(cell: Any) -> str:
    if cell is None or cell == ():
        return "–"
    if isinstance(cell, float):
        return f"{cell:.3g}"
    if isinstance(cell, tuple):
        return ", ".join(map(str, cell))
    return str(cell)
