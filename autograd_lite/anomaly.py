"""`detect_anomaly`: where the first NaN or infinity was made, forward or backward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd_lite.modes import Mode, PlainSwitch, Tag, current_mode, runtime
from autograd_lite.node import Node, arguments, edges
from autograd_lite.places import Place, users_place

SHOWN = 4  # operands of an n-ary operation that a message shows


class detect_anomaly(PlainSwitch):
    """Raise where the first NaN or infinity is made. A context manager and a decorator.

    An operation on Values whose result is not finite raises at once. A sweep that meets such a
    gradient raises as well, before any gradient has changed, and tells which operation it came
    through and, if that was recorded inside the context too, on which line. Operations take
    several times longer meanwhile.

    Raises
    ------
    FloatingPointError
        With the operation, the numbers of its operands, and the line that recorded it.

    Examples
    --------
    >>> from autograd_lite import Value, detect_anomaly, sqrt
    >>> x = Value(0.0, label="x")
    >>> try:
    ...     with detect_anomaly():
    ...         sqrt(x).backward()
    ... except FloatingPointError as error:
    ...     print(str(error).partition(":")[0])
    the gradient is inf on its way back through sqrt(x=0.0) = 0.0
    """

    def _changed(self, mode: Mode) -> Mode:
        return mode.switched(watching=True)


def is_watching() -> bool:
    """Tell whether anomalies are looked for, here and now."""
    return runtime.special > 0 and current_mode().watching


def check_result(primitive: Any, operands: Sequence[Any], result: float) -> None:
    """Raise if an operation that is being recorded gave no finite number."""
    if not math.isfinite(result):
        called = _called(primitive.name, operands)
        raise FloatingPointError(
            f"{called} gave {result}, the first number here that is not finite"
            f"{_where(users_place())}"
        )


def placed(tag: Tag | None) -> Tag:
    """Return a tag that holds the user's line as well."""
    return Tag(scope=None if tag is None else tag.scope, place=users_place())


def check_adjoints(order: Sequence[Node], sums: Sequence[Any]) -> None:
    """Raise at the first gradient of a backward sweep that is not finite."""
    for node, given in zip(reversed(order), reversed(sums), strict=False):
        adjoint = _number(given)
        if not math.isfinite(adjoint):
            tag = getattr(node, "_tag", None)
            by_hook = tag is not None and tag.hooks
            cause = "as its hooks left it" if by_hook else "the sum of what came from its consumers"
            raise FloatingPointError(
                f"the gradient of {_described(node)} is {adjoint}, {cause}{_where(_place_of(node))}"
            )
        for operand, partial in edges(node):
            product = adjoint * partial
            if operand._grad is not None and not math.isfinite(product):
                raise FloatingPointError(
                    f"the gradient is {product} on its way back through {_described(node)}:"
                    f" {adjoint!r}, what came from above, times {partial!r}, the partial for the"
                    f" operand {_operand(operand)}{_where(_place_of(node))}"
                )


def check_tangents(order: Sequence[Node], along: Sequence[Any]) -> None:
    """Raise at the first tangent of a forward sweep that is not finite."""
    for position, node in enumerate(order, 1):
        tangent = _number(along[position])
        if not math.isfinite(tangent):
            raise FloatingPointError(
                f"the tangent of {_described(node)} is {tangent}, the first one that is not"
                f" finite{_where(_place_of(node))}"
            )


def _number(x: Any) -> float:
    """Return an operand or adjoint as a float; an adjoint that nothing was added to is 0."""
    if isinstance(x, Node):
        return x._data
    return x if type(x) is float else 0.0


def _described(node: Node) -> str:
    if node._primitive is None:
        return f"the leaf {_operand(node)}"
    return f"{_called(node.op, arguments(node))} = {node._data!r}"


def _called(name: str, operands: Sequence[Any]) -> str:
    shown = [_operand(x) for x in operands]
    if name.isidentifier() or len(shown) > 2:
        if len(shown) > SHOWN:
            shown[SHOWN - 1 :] = [f"… {len(operands)} operands"]
            shown += [
                f"operand {i} is {_operand(x)}"
                for i, x in enumerate(operands)
                if not math.isfinite(_number(x))
            ][:1]
        return f"{name}({', '.join(shown)})"
    return f" {name} ".join(shown) if len(shown) == 2 else f"{name}{shown[0]}"


def _operand(x: Any) -> str:
    if not isinstance(x, Node):
        return repr(x)
    return f"{x.label}={x._data!r}" if x.label else repr(x._data)


def _place_of(node: Node) -> Place | None:
    tag = getattr(node, "_tag", None)
    return None if tag is None else tag.place


def _where(place: Place | None) -> str:
    if place is None:
        return " (recorded outside of detect_anomaly(), or by the formula of a derivative)"
    return f"\n  {place}"
