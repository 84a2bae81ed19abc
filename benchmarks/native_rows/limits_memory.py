"""Print the memory that a program's first call needs at its peak, in bytes, and its seconds.

The arguments are operations, inputs and lanes. Memory is read as Linux tells it. What the process
had once and gave back before the call counts as well, so that the figure is rather too large.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

from native_rows.irregular_ours import compiled
from native_rows.irregular_programs import irregular_program

DRAWN = 4  # points that the program is drawn for; the lanes repeat them


def now() -> int:
    """Return the memory that this process has, in bytes."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()


def peak() -> int:
    """Return the most memory that this process has had so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    length, inputs, lanes = map(int, sys.argv[1:])
    program = irregular_program(length, inputs, DRAWN)
    points = np.resize(program.points, (lanes, inputs))
    small = irregular_program(100, 10, 2)
    compiled(small).value_and_grad(small.points)  # loads what every program needs
    before = now()
    started = time.perf_counter()
    compiled(program).value_and_grad(points)
    print(peak() - before, time.perf_counter() - started)


main()
