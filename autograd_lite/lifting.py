"""Partials as Values: what makes a derivative something that can be differentiated again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.modes import lifting
from autograd_lite.node import Node, arguments, changed_at, edges
from autograd_lite.primitives.ieee import RAISED_BY_FLOATS, again
from autograd_lite.sweep import Partials


class Nothing:
    """The sum of no terms: adding to it gives the other term, without recording an addition."""

    def __add__(self, other: Any) -> Any:
        return other

    __radd__ = __add__

    def __mul__(self, other: Any) -> Nothing:
        return self

    __rmul__ = __mul__


NOTHING = Nothing()


def lifted(order: Sequence[Any]) -> dict[Node, Partials]:
    """Return the partials of every node as expressions of Values, from the primitives' formulas.

    Raises
    ------
    RuntimeError
        If the data of an operand, or of the result, was changed after the operation was
        recorded: the formulas would then be evaluated at another point than the operation was.
    TypeError
        If a formula turns a Value into a plain float.
    """
    found: dict[Node, Partials] = {}
    with lifting():
        for node in order:
            found[node] = _checked(node)
    return found


def _checked(node: Node) -> Partials:
    primitive = node._primitive
    if primitive is None:
        return None, None
    changed = [("operand", x) for x, _ in edges(node) if changed_at(x) > node._stamp]
    if changed_at(node):
        changed.append(("result", node))
    for what, value in changed:
        name = f" {value.label!r}" if value.label else ""
        raise RuntimeError(
            f"the data of the {what}{name} of {primitive.name!r} was changed after the"
            " operation was recorded; higher derivatives need it as it was: record again"
        )
    return _lifted(primitive, node)


def _lifted(primitive: Any, node: Node) -> Partials:
    given = arguments(node)
    if primitive.variadic:
        partials = primitive.all_partials(given, node)
        wanted = zip(given, partials, strict=True)
        return None, tuple(
            p if x._grad is not None else None for x, p in wanted if isinstance(x, Node)
        )
    partials = [
        _formula(formula, (*given, node)) if isinstance(x, Node) and x._grad is not None else None
        for x, formula in zip(given, primitive.partials, strict=True)
    ]
    if primitive.arity > 2:
        return None, tuple(p for x, p in zip(given, partials, strict=True) if isinstance(x, Node))
    return partials[0], (partials[1] if primitive.arity == 2 else None)


def _formula(formula: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
    try:
        return formula(*operands)
    except RAISED_BY_FLOATS:
        return again(formula, *operands)
