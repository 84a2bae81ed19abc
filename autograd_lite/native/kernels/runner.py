"""The loop that goes through the runs of a program: it calls one kernel after the other.

The loop is a few lines in LLVM's language, kept on disk like a kernel, so that a whole pass over a
program is one call from Python, during which Python's lock is free.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

from autograd_lite.native.kernels.building import address
from autograd_lite.native.kernels.convention import (
    CALL,
    CONTEXT,
    HEAD,
    LANES,
    RECORD,
    RECORD_LENGTH,
    kinds,
    loaded_fields,
    record,
)

_TEXT = f"""
define void @kernel(ptr %call) {{
entry:
{loaded_fields("call", kinds(CALL[:2]))}
  %own = getelementptr i64, ptr %call, i64 2
  %uniform = getelementptr i64, ptr %own, i64 {len(CONTEXT)}
  %last = getelementptr [{RECORD_LENGTH} x i64], ptr %records, i64 %count
  br label %next

next:
  %record = phi ptr [ %records, %entry ], [ %following, %run ]
  %done = icmp eq ptr %record, %last
  br i1 %done, label %finished, label %run

run:
{loaded_fields("record", kinds(RECORD[:2]))}
  %is.uniform = icmp eq i64 %space, 0
  %context = select i1 %is.uniform, ptr %uniform, ptr %own
  call void %kernel(ptr %context, ptr %record)
  %following = getelementptr [{RECORD_LENGTH} x i64], ptr %record, i64 1
  br label %next

finished:
  ret void
}}
"""

_NESTED = f"""
{HEAD}
entry:
{loaded_fields("record", kinds(RECORD[2:]), start=2)}
  %call = inttoptr i64 %first to ptr
  %run = inttoptr i64 %start to ptr
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

_ADVANCE = f"""
{HEAD}
{loaded_fields("record", kinds(RECORD[2:]), start=2)}
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
        ``run(at)``: the address of the fields of a `convention.call`. Whoever calls keeps the
        arrays alive. Calling it takes about 0.2 microseconds.

    Raises
    ------
    ImportError
        If NumPy, Numba or llvmlite is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.native.kernels import building, convention, runner
    >>> def twice(v, g, u, gu, index, labels, first, start, stop, lanes):
    ...     for row in range(start, stop):
    ...         v[row] = 2.0 * v[index[first + row - start]]
    >>> u, index = np.array([3.0, 0.0, 0.0]), np.array([0, 1], dtype=np.int32)
    >>> at = building.address("twice", lambda: twice, owner=twice)
    >>> runs = [(0, 1, 2), (1, 2, 3)]
    >>> records = np.array([convention.record(at, convention.UNIFORM, *run) for run in runs])
    >>> call = convention.call(records, u=u, index=index)
    >>> runner.runner()(call.ctypes.data)
    >>> u.tolist()
    [3.0, 6.0, 12.0]
    """
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_runner_address())


def nested(call: int, times: int = 1) -> list[int]:
    """Return the record of a run that goes through the records of another call, so many times.

    ``call`` is its address, as for `runner`. So records on other arrays join a pass.
    """
    at = address("nested", lambda: _NESTED)
    return record(at, LANES, call, _runner_address(), times)


def advance(place: int, step: int) -> list[int]:
    """Return the record of a run that adds one int64 to another, given their addresses."""
    return record(address("advance", lambda: _ADVANCE), LANES, place, step, 0)


def _runner_address() -> int:
    return address("run", lambda: _TEXT)
