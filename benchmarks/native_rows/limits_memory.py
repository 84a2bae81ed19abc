"""Print the memory that a program's first call needs at its peak, in bytes, and its seconds.

The arguments are operations, inputs and lanes. (The peak of a process is known on Linux and macOS.)
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from native_rows.irregular_ours import compiled
from native_rows.irregular_programs import irregular_program

DRAWN = 4  # points that the program is drawn for; the lanes repeat them


def peak() -> int:
    """Return the most memory that this process has had so far, in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def main() -> None:
    length, inputs, lanes = map(int, sys.argv[1:])
    program = irregular_program(length, inputs, DRAWN)
    points = np.resize(program.points, (lanes, inputs))
    small = irregular_program(100, 10, 2)
    compiled(small).value_and_grad(small.points)  # loads what every program needs
    before = peak()
    started = time.perf_counter()
    compiled(program).value_and_grad(points)
    print(peak() - before, time.perf_counter() - started)


main()
