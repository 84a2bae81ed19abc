"""How much memory there is, so that a program that needs more can be refused before it starts."""

from __future__ import annotations

import os
import sys
from typing import Any

from autograd_lite.native.programs.arguments import Batch
from autograd_lite.native.running.turns import AHEAD
from autograd_lite.native.tape import Tape
from autograd_lite.primitives import counted

LARGE = 2**27
"""Bytes from which on it is worth asking the system: 128 MiB."""

BYTES_OF_A_FLOAT = 32  # of Python's, and a pointer to it


def check_capacity(plan: Any, tape: Tape, batch: Batch, threads: int) -> None:
    """Refuse a batch whose numbers do not fit into the memory that is available.

    Native plans compute lanes in blocks, and have a number and an adjoint for every row of one;
    plans in Python have both, as objects, for every operation and lane.

    Raises
    ------
    MemoryError
        If they do not.
    """
    results = 8 * batch.lanes * (len(tape.outputs) + sum(form.width for form in batch.forms))
    if hasattr(plan, "block"):
        blocks = threads if threads == 1 else AHEAD * threads
        room = 2 * plan.dtype.itemsize * sum(plan.rows) * plan.block(batch.lanes) * blocks
    else:
        room = 2 * BYTES_OF_A_FLOAT * len(tape.sources) * batch.lanes
    needed = room + results
    if needed < LARGE:
        return
    available = available_memory()
    if available is not None and needed > available:
        raise MemoryError(
            f"{counted(len(tape.sources), 'number')} in {counted(batch.lanes, 'lane')} would need"
            f" {size_of(needed)} of memory, and {size_of(available)} are available: give fewer"
            " lanes at a time, or compile a part of the function"
        )


def available_memory() -> int | None:
    """Return the bytes that can be allocated without swapping; None where this cannot be told."""
    if sys.platform == "win32":
        return _available_on_windows()
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # not Linux: what is built in tells
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _available_on_windows() -> int | None:
    """Ask GlobalMemoryStatusEx: a structure of 64 bytes, whose third field is what is available."""
    import ctypes

    status = (ctypes.c_uint64 * 8)(64)  # the first four bytes are the length of the structure
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined,unused-ignore]
        return None
    return int(status[2])


def size_of(count: int) -> str:
    """Return a number of bytes as people say it.

    >>> size_of(80), size_of(3 * 2**20), size_of(3 * 2**30)
    ('80 B', '3.0 MiB', '3.0 GiB')
    """
    if count < 1024:
        return f"{count} B"
    scale, unit = next(
        (scale, unit)
        for scale, unit in ((2**10, "KiB"), (2**20, "MiB"), (2**30, "GiB"), (2**40, "TiB"))
        if count < 1024 * scale or unit == "TiB"
    )
    return f"{count / scale:.1f} {unit}"
