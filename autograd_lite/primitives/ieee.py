"""IEEE 754 arithmetic where Python raises an exception.

Python's ``1.0 / 0.0``, ``math.exp(1000.0)`` and ``math.log(0.0)`` raise, and ``(-8.0) ** 0.5``
turns complex. Inside a computation the IEEE result is what a user wants: an infinity or a NaN
that travels on. The normal path pays nothing for that: a formula runs on plain floats, and only
when it raises it runs once more on `IEEE` numbers, whose operators never do.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

INFINITY = math.inf
NAN = math.nan

RAISED_BY_FLOATS = (ZeroDivisionError, OverflowError, ValueError)
"""What Python's float arithmetic raises where IEEE 754 has a result."""


def divide(a: float, b: float) -> float:
    """Return ``a / b``, with a signed infinity or NaN for division by zero."""
    if b != 0.0:
        return a / b
    if a == 0.0 or math.isnan(a) or math.isnan(b):
        return NAN
    return math.copysign(INFINITY, a) * math.copysign(1.0, b)


def power(a: float, b: float) -> float:
    """Return ``a ** b`` as C's ``pow`` does: never complex, never an exception."""
    try:
        return math.pow(a, b)
    except RAISED_BY_FLOATS:
        if a < 0.0 and b != math.floor(b):
            return NAN
        odd = math.fmod(b, 2.0) != 0.0 and b == math.floor(b)
        return math.copysign(INFINITY, a) if odd else INFINITY


def modulo(a: float, b: float) -> float:
    """Return ``a % b`` (the sign of ``b``), NaN for ``b = 0``."""
    return a % b if b != 0.0 else NAN


def _operator(formula: Callable[[float, float], float]) -> tuple[Any, Any]:
    """Return a method and its reflected form that leave Values to their own operators."""

    def method(self: IEEE, other: Any) -> Any:
        if not isinstance(other, float | int):
            return NotImplemented
        return IEEE(formula(float(self), float(other)))

    def reflected(self: IEEE, other: Any) -> Any:
        if not isinstance(other, float | int):
            return NotImplemented
        return IEEE(formula(float(other), float(self)))

    return method, reflected


class IEEE(float):
    """A float whose ``/``, ``**`` and ``%`` follow IEEE 754 and whose results stay `IEEE`."""

    __slots__ = ()

    __add__, __radd__ = _operator(operator.add)
    __sub__, __rsub__ = _operator(operator.sub)
    __mul__, __rmul__ = _operator(operator.mul)
    __truediv__, __rtruediv__ = _operator(divide)
    __pow__, __rpow__ = _operator(power)
    __mod__, __rmod__ = _operator(modulo)

    def __neg__(self) -> IEEE:
        return IEEE(-float(self))

    def __abs__(self) -> IEEE:
        return IEEE(abs(float(self)))


def again(formula: Callable[..., Any], *operands: Any) -> Any:
    """Run a formula that raised once more, in IEEE arithmetic."""
    return formula(*(IEEE(x) if x.__class__ is float else x for x in operands))
