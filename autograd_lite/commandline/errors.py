"""What can be wrong with a command, and where in its text."""

from __future__ import annotations

from autograd_lite.notation import printable, width

WIDTH = 76


class UsageError(Exception):
    """What is wrong with the command line, in one sentence."""


class SavingError(Exception):
    """Which file could not be written, and why, in one sentence."""


class ExpressionError(UsageError):
    """What is wrong with an expression, and where.

    Parameters
    ----------
    message : str
    source : str
        The text of the expression.
    place : int, optional
        The index in ``source`` of the character to point at; nowhere by default.
    """

    def __init__(self, message: str, source: str = "", place: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.place = place

    def __str__(self) -> str:
        if self.place is None:
            return self.message
        begin = self.source.rfind("\n", 0, self.place) + 1
        line = self.source[begin:].partition("\n")[0]
        column = self.place - begin
        if len(line) > WIDTH:
            start = max(0, min(column - WIDTH // 2, len(line) - WIDTH))
            end = start + WIDTH
            before, after = "..." if start else "", "..." if end < len(line) else ""
            column += len(before) - start
            line = before + line[start:end] + after
        shown = printable("".join(" " if c.isspace() else c for c in line))
        return f"{self.message}\n  {shown}\n  {' ' * width(shown[:column])}^"
