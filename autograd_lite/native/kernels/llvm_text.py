"""Pieces of text in LLVM's language that several native functions have in common."""

from __future__ import annotations

from collections.abc import Sequence


def loaded_fields(base: str, fields: Sequence[tuple[str, str]], start: int = 0) -> str:
    """Return lines that load neighbouring fields of eight bytes, from a number on.

    >>> print(loaded_fields("call", [("count", "i64")], start=1))
      %count.at = getelementptr i64, ptr %call, i64 1
      %count = load i64, ptr %count.at
    """
    lines = []
    for position, (name, kind) in enumerate(fields, start):
        lines += [
            f"  %{name}.at = getelementptr i64, ptr %{base}, i64 {position}",
            f"  %{name} = load {kind}, ptr %{name}.at",
        ]
    return "\n".join(lines)
