"""How kernels are called: with the address of a context, and of a record that says what to do.

A context is seven int64: where the arrays are, and how many lanes there are. A record is eight
int64: which kernel, in which space, and on which rows. What a kernel is written as has all of it as
parameters of its own (`PARAMETERS`); only what it uses is loaded.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

POINTERS = ("v", "g", "u", "gu", "index", "labels")
NUMBERS = ("first", "start", "stop", "lanes")
PARAMETERS = (*POINTERS, *NUMBERS)
"""The parameters of a kernel in Python."""

CONTEXT = (*POINTERS, "lanes")
"""The fields of a context; addresses of arrays, but for the last."""

RECORD = ("kernel", "space", "first", "start", "stop")
"""What the first fields of a record are."""

RECORD_LENGTH = 8

UNIFORM, LANES = 0, 1
"""The spaces: numbers that are the same in every lane, and numbers of each lane."""

CALL = ("records", "count", *CONTEXT, *(f"uniform {name}" for name in CONTEXT))
"""The fields of a call, which goes through records: the address of the first, how many there are,
and two contexts. That for the uniform space has ``u`` and ``gu`` as ``v`` and ``g``, and one lane.
"""


def record(kernel: int, space: int, first: int, start: int, stop: int) -> list[int]:
    """Return a record.

    >>> record(4096, LANES, 0, 2, 5)
    [4096, 1, 0, 2, 5, 0, 0, 0]
    """
    return [kernel, space, first, start, stop] + [0] * (RECORD_LENGTH - len(RECORD))


def call(
    records: Any,
    *,
    v: Any = None,
    g: Any = None,
    u: Any = None,
    gu: Any = None,
    index: Any = None,
    labels: Any = None,
    lanes: int = 1,
) -> Any:
    """Return the fields of a call as an array. Whoever uses it keeps the other arrays alive."""
    import numpy as np

    v, g, u, gu, index, labels = (_address(x) for x in (v, g, u, gu, index, labels))
    own, uniform = (v, g, u, gu, index, labels, lanes), (u, gu, u, gu, index, labels, 1)
    return np.array([_address(records), len(records), *own, *uniform], np.int64)


def _address(array: Any) -> int:
    return 0 if array is None else int(array.ctypes.data)


def callable_at(at: int) -> Callable[..., None]:
    """Return a kernel as a Python function with its `PARAMETERS`: addresses are whole numbers."""
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(at)
    context_of, record_of = ctypes.c_int64 * len(CONTEXT), ctypes.c_int64 * RECORD_LENGTH

    def run(*given: int) -> None:
        first, start, stop, lanes = given[len(POINTERS) :]
        context = context_of(*given[: len(POINTERS)], lanes)
        function(context, record_of(*record(at, LANES, first, start, stop)))

    return run


def loaded_fields(base: str, fields: Sequence[tuple[str, str]], start: int = 0) -> str:
    """Return lines in LLVM's language that load neighbouring fields, from a number on.

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


HEAD = "define void @kernel(ptr %context, ptr %record) {"
"""How a kernel begins in LLVM's language."""


def kinds(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return fields with LLVM's names of their types.

    >>> kinds(["u", "lanes"])
    [('u', 'ptr'), ('lanes', 'i64')]
    """
    return [(name, "ptr" if name in (*POINTERS, "kernel", "records") else "i64") for name in names]
