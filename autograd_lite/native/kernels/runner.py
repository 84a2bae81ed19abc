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

RECORD = ("kernel", "space", "first", "start", "stop")
"""What the first fields of a record are; all are int64."""

RECORD_LENGTH = 8

UNIFORM, LANES = 0, 1
"""The spaces: numbers that are the same in every lane, and numbers of each lane."""

CALL = ("records", "count", "v", "g", "u", "gu", "index", "labels", "lanes")
"""The fields of a call, all int64: the address of the first record, how many there are, addresses
of the arrays, and how many lanes there are."""

_TEXT = """
define void @kernel(ptr %call) {
start:
  %records = load ptr, ptr %call
  %count.at = getelementptr i64, ptr %call, i64 1
  %count = load i64, ptr %count.at
  %v.at = getelementptr i64, ptr %call, i64 2
  %v = load ptr, ptr %v.at
  %g.at = getelementptr i64, ptr %call, i64 3
  %g = load ptr, ptr %g.at
  %u.at = getelementptr i64, ptr %call, i64 4
  %u = load ptr, ptr %u.at
  %gu.at = getelementptr i64, ptr %call, i64 5
  %gu = load ptr, ptr %gu.at
  %index.at = getelementptr i64, ptr %call, i64 6
  %index = load ptr, ptr %index.at
  %labels.at = getelementptr i64, ptr %call, i64 7
  %labels = load ptr, ptr %labels.at
  %lanes.at = getelementptr i64, ptr %call, i64 8
  %lanes = load i64, ptr %lanes.at
  %end = getelementptr [8 x i64], ptr %records, i64 %count
  br label %next

next:
  %record = phi ptr [ %records, %start ], [ %following, %run ]
  %done = icmp eq ptr %record, %end
  br i1 %done, label %finished, label %run

run:
  %kernel = load ptr, ptr %record
  %space.at = getelementptr i64, ptr %record, i64 1
  %space = load i64, ptr %space.at
  %first.at = getelementptr i64, ptr %record, i64 2
  %first = load i64, ptr %first.at
  %from.at = getelementptr i64, ptr %record, i64 3
  %from = load i64, ptr %from.at
  %to.at = getelementptr i64, ptr %record, i64 4
  %to = load i64, ptr %to.at
  %uniform = icmp eq i64 %space, 0
  %own.v = select i1 %uniform, ptr %u, ptr %v
  %own.g = select i1 %uniform, ptr %gu, ptr %g
  %own.lanes = select i1 %uniform, i64 1, i64 %lanes
  call void %kernel(ptr %own.v, ptr %own.g, ptr %u, ptr %gu, ptr %index, ptr %labels,
                    i64 %first, i64 %from, i64 %to, i64 %own.lanes)
  %following = getelementptr [8 x i64], ptr %record, i64 1
  br label %next

finished:
  ret void
}
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
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address("run", lambda: _TEXT))
