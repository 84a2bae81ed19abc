"""What the eager engine gives for a function at a point, to hold programs against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite import Value


def value_and_gradient(
    function: Callable[..., Any], point: Sequence[float]
) -> tuple[float, list[float]]:
    """Return a function's value and gradient at a point, by recording and `backward`."""
    leaves = [Value(x) for x in point]
    y = function(*leaves)
    if not isinstance(y, Value):
        return y, [0.0] * len(point)
    if y.requires_grad:
        y.backward()
    return y.data, [leaf.grad for leaf in leaves]


def bits(numbers: Any) -> Any:
    """Return numbers so that ``==`` compares all their bits; there is one NaN."""
    if isinstance(numbers, list | tuple):
        return [bits(x) for x in numbers]
    return "nan" if numbers != numbers else numbers.hex()
