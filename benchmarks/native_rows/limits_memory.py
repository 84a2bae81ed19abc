"""Print the memory that a program's first call needs at its peak, in bytes, and its seconds.

The arguments are operations, inputs and lanes. Memory is read as Linux tells it. What the process
had once and gave back before the call counts as well, so that the figure is rather too large.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from native_rows.irregular_ours import compiled
from native_rows.irregular_programs import irregular_program

DRAWN = 4  # points that the program is drawn for; the lanes repeat them


def memory(which: str) -> int:
    """Return a figure of this process, in bytes: "VmRSS" has it now, "VmHWM" had it at most."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(which))


def main() -> None:
    length, inputs, lanes = map(int, sys.argv[1:])
    program = irregular_program(length, inputs, DRAWN)
    points = np.resize(program.points, (lanes, inputs))
    small = irregular_program(100, 10, 2)
    compiled(small).value_and_grad(small.points)  # loads what every program needs
    before = memory("VmRSS")
    started = time.perf_counter()
    compiled(program).value_and_grad(points)
    print(memory("VmHWM") - before, time.perf_counter() - started)


main()
