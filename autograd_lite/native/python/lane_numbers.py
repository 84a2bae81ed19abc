"""`Lanes`: one number per lane, with operators that follow IEEE 754. Primitives run over it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import repeat
from typing import Any

from autograd_lite.primitives import is_stated
from autograd_lite.primitives.ieee import RAISED_BY_FLOATS, divide, modulo, power


def lanewise(function: Callable[..., Any], *operands: Any) -> Lanes:
    """Apply a function to the numbers of each lane; operands are Lanes or plain numbers."""
    return Lanes(list(map(function, *_columns(operands))))


def lane_count(operands: Iterable[Any]) -> int:
    """Return how many lanes there are among operands; 0 if none of them is of this kind."""
    return max((len(x.numbers) for x in operands if isinstance(x, Lanes)), default=0)


def _columns(operands: Sequence[Any]) -> list[Iterable[Any]]:
    """Return something to iterate over for each operand; what has lanes ends it."""
    count = lane_count(operands)
    columns: list[Iterable[Any]] = []
    for x in operands:
        if not isinstance(x, Lanes):
            columns.append(repeat(float(x)))
        else:
            columns.append(x.numbers if len(x.numbers) == count else repeat(x.numbers[0]))
    return columns


def _operator(quick: Callable[..., Any], safe: Callable[..., Any]) -> tuple[Any, Any]:
    """Return an operator's method and its reflected form; ``safe`` never raises."""

    def apply(a: Any, b: Any) -> Any:
        try:
            return lanewise(quick, a, b)
        except RAISED_BY_FLOATS:
            return lanewise(safe, a, b)

    def method(self: Lanes, other: Any) -> Any:
        return apply(self, other) if isinstance(other, Lanes | float | int) else NotImplemented

    def reflected(self: Lanes, other: Any) -> Any:
        return apply(other, self) if isinstance(other, float | int) else NotImplemented

    return method, reflected


class Lanes:
    """Numbers side by side; a single one stands for the same number in every lane.

    Examples
    --------
    >>> from autograd_lite import sin
    >>> from autograd_lite.native.python.lane_numbers import Lanes
    >>> x = Lanes([0.0, 2.0])
    >>> 1.0 / x + Lanes([1.0]) * sin(x)
    Lanes([inf, 1.4092974268256817])
    """

    __slots__ = ("numbers",)
    __hash__ = None  # type: ignore[assignment]  # compared lane by lane

    def __init__(self, numbers: Sequence[Any]) -> None:
        self.numbers = numbers

    def __repr__(self) -> str:
        return f"Lanes({list(self.numbers)!r})"

    @staticmethod
    def _record(primitive: Any, operands: Sequence[Any]) -> Lanes:
        """Apply a primitive lane by lane."""
        columns = _columns(operands)
        stated = is_stated(primitive)  # then its values are floats
        if stated:
            try:
                if primitive.variadic:
                    return Lanes(list(map(primitive.value, zip(*columns, strict=False))))
                return Lanes(list(map(primitive.value, *columns)))
            except RAISED_BY_FLOATS:
                pass
        return Lanes(list(map(primitive.evaluate, *columns)))

    __add__, __radd__ = _operator(operator.add, operator.add)
    __sub__, __rsub__ = _operator(operator.sub, operator.sub)
    __mul__, __rmul__ = _operator(operator.mul, operator.mul)
    __truediv__, __rtruediv__ = _operator(operator.truediv, divide)
    __pow__, __rpow__ = _operator(power, power)
    __mod__, __rmod__ = _operator(operator.mod, modulo)
    __lt__, __gt__ = _operator(operator.lt, operator.lt)[0], _operator(operator.gt, operator.gt)[0]
    __le__, __ge__ = _operator(operator.le, operator.le)[0], _operator(operator.ge, operator.ge)[0]
    __eq__, __ne__ = _operator(operator.eq, operator.eq)[0], _operator(operator.ne, operator.ne)[0]

    def __neg__(self) -> Lanes:
        return Lanes(list(map(operator.neg, self.numbers)))

    def __abs__(self) -> Lanes:
        return Lanes(list(map(abs, self.numbers)))

    def total(self, lanes: int) -> float:
        """Return the sum over so many lanes, from left to right."""
        numbers = self.numbers if len(self.numbers) == lanes else [self.numbers[0]] * lanes
        return float(reduce(operator.add, numbers))

    def spread(self, lanes: int) -> list[Any]:
        """Return one number for each of so many lanes."""
        return list(self.numbers) if len(self.numbers) == lanes else [self.numbers[0]] * lanes
