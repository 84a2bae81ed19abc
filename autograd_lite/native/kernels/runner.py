"""The loop that goes through the runs of a program: it calls one kernel after the other.

A run is a record of eight int64: which kernel, in which space, and on which rows. The loop itself
is a few lines in LLVM's language, kept on disk like a kernel, so that a whole pass over a program
is one call from Python, during which Python's lock is free.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

from autograd_lite.native.kernels.building import address
from autograd_lite.native.kernels.llvm_text import loaded_fields

RECORD = ("kernel", "space", "first", "start", "stop")
"""What the first fields of a record are; all are int64."""

RECORD_LENGTH = 8

UNIFORM, LANES = 0, 1
"""The spaces: numbers that are the same in every lane, and numbers of each lane."""

CALL = ("records", "count", "v", "g", "u", "gu", "index", "labels", "lanes")
"""The fields of a call, all int64: the address of the first record, how many there are, addresses
of the arrays, and how many lanes there are."""

_KINDS = {"count": "i64", "lanes": "i64"}  # all others are pointers

_TEXT = f"""
define void @kernel(ptr %call) {{
entry:
{loaded_fields("call", [(name, _KINDS.get(name, "ptr")) for name in CALL])}
  %last = getelementptr [8 x i64], ptr %records, i64 %count
  br label %next

next:
  %record = phi ptr [ %records, %entry ], [ %following, %run ]
  %done = icmp eq ptr %record, %last
  br i1 %done, label %finished, label %run

run:
{loaded_fields("record", [("kernel", "ptr"), *((name, "i64") for name in RECORD[1:])])}
  %uniform = icmp eq i64 %space, 0
  %own.v = select i1 %uniform, ptr %u, ptr %v
  %own.g = select i1 %uniform, ptr %gu, ptr %g
  %own.lanes = select i1 %uniform, i64 1, i64 %lanes
  call void %kernel(ptr %own.v, ptr %own.g, ptr %u, ptr %gu, ptr %index, ptr %labels,
                    i64 %first, i64 %start, i64 %stop, i64 %own.lanes)
  %following = getelementptr [8 x i64], ptr %record, i64 1
  br label %next

finished:
  ret void
}}
"""

_HEAD = """
define void @kernel(ptr %v, ptr %g, ptr %u, ptr %gu, ptr %index, ptr %labels,
                    i64 %first, i64 %start, i64 %stop, i64 %lanes) {"""

_NESTED = f"""{_HEAD}
entry:
  %run = inttoptr i64 %start to ptr
  %call = inttoptr i64 %first to ptr
  br label %again

again:
  %left = phi i64 [ %stop, %entry ], [ %less, %once ]
  %done = icmp eq i64 %left, 0
  br i1 %done, label %finished, label %once

once:
  call void %run(ptr %call)
  %less = sub i64 %left, 1
  br label %again

finished:
  ret void
}}
"""

_ADVANCE = f"""{_HEAD}
  %place = inttoptr i64 %first to ptr
  %by = inttoptr i64 %start to ptr
  %old = load i64, ptr %place
  %step = load i64, ptr %by
  %new = add i64 %old, %step
  store i64 %new, ptr %place
  ret void
}}
"""


@cache
def runner() -> Callable[[int], None]:
    """Return the function that goes through records; it frees Python's lock meanwhile.

    Returns
    -------
    callable
        ``run(call)``: ``call`` is the address of nine int64, the fields of `CALL`. For a run in the
        uniform space, kernels get ``u`` and ``gu`` as ``v`` and ``g``, and one lane. Whoever calls
        keeps the arrays alive. Calling it takes about 0.3 microseconds.

    Raises
    ------
    ImportError
        If NumPy, Numba or llvmlite is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.native.kernels import building, runner
    >>> def twice(v, g, u, gu, index, labels, first, start, stop, lanes):
    ...     for row in range(start, stop):
    ...         v[row] = 2.0 * v[index[first + row - start]]
    >>> u, index = np.array([3.0, 0.0, 0.0]), np.array([0, 1], dtype=np.int32)
    >>> at = building.address("twice", lambda: twice, owner=twice)
    >>> records = np.zeros((2, runner.RECORD_LENGTH), dtype=np.int64)
    >>> records[:, 0] = at
    >>> records[:, 1:5] = [[runner.UNIFORM, 0, 1, 2], [runner.UNIFORM, 1, 2, 3]]
    >>> at_u, at_index = u.ctypes.data, index.ctypes.data
    >>> call = np.array([records.ctypes.data, 2, 0, 0, at_u, 0, at_index, 0, 1])
    >>> runner.runner()(call.ctypes.data)
    >>> u.tolist()
    [3.0, 6.0, 12.0]
    """
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_runner_address())


def nested(call: int, times: int = 1) -> tuple[int, ...]:
    """Return the record of a run that goes through the records of another call, so many times.

    ``call`` is its address, as for `runner`. So records on other arrays join a pass.
    """
    return _record("nested", _NESTED, call, _runner_address(), times)


def advance(place: int, step: int) -> tuple[int, ...]:
    """Return the record of a run that adds one int64 to another, given their addresses."""
    return _record("advance", _ADVANCE, place, step, 0)


def _record(name: str, text: str, *fields: int) -> tuple[int, ...]:
    return (address(name, lambda: text), LANES, *fields, *(0,) * (RECORD_LENGTH - len(RECORD)))


def _runner_address() -> int:
    return address("run", lambda: _TEXT)
