"""Nested lists of numbers: what the transforms take and return."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BRANCHES = (list, tuple)


def leaves_of(tree: Any) -> list[Any]:
    """Return the numbers of nested lists, left to right."""
    if not isinstance(tree, BRANCHES):
        return [tree]
    found = []
    for branch in tree:
        if isinstance(branch, BRANCHES):
            found += leaves_of(branch)
        else:
            found.append(branch)
    return found


def shaped_like(tree: Any, leaves: Iterator[Any]) -> Any:
    """Return nested lists like ``tree`` with other numbers."""
    if isinstance(tree, list):
        return [shaped_like(branch, leaves) for branch in tree]
    if isinstance(tree, tuple):
        return tuple(shaped_like(branch, leaves) for branch in tree)
    return next(leaves)


def unpacked(argument: Any) -> Any:
    """Turn a NumPy array into nested lists; leave everything else."""
    return argument.tolist() if getattr(argument, "shape", ()) != () else argument


def outline(tree: Any) -> str:
    """Return the shape of nested lists, for messages."""
    if isinstance(tree, BRANCHES):
        return "[" + ", ".join(outline(branch) for branch in tree) + "]"
    return "number"
