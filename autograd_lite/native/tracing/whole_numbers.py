"""Whole numbers of arguments, which can be labels."""

from __future__ import annotations

from typing import Any

from autograd_lite.modes import current_recorder
from autograd_lite.value import Value


class WholeNumber(Value):
    """A whole number among the arguments of a function that is being recorded.

    In arithmetic it is a Value like others. Where Python itself needs a whole number
    (``xs[label]``, ``range(label)``, a key of a dictionary), the recording holds for that number
    only. ``==`` compares numbers, as it does for whole numbers elsewhere.
    """

    __slots__ = ()

    def __index__(self) -> int:
        recorder = current_recorder()
        return int(self._data) if recorder is None else recorder.index(self)

    def __int__(self) -> int:
        return self.__index__()

    def __float__(self) -> float:
        return float(self.__index__())

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self.__index__(), ndigits)

    def __format__(self, specification: str) -> str:
        return format(self.__index__(), specification) if specification else repr(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int | float | WholeNumber):
            return not (self - other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.__index__())
