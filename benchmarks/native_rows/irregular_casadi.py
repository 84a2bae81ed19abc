"""An irregular graph in CasADi: its virtual machine, generated C, and C over many points."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import casadi
import numpy as np

from native_rows.irregular_programs import Program, evaluate


def value_and_gradient(program: Program) -> casadi.Function:
    """Return the function x → value, gradient, in scalar expressions."""
    x = casadi.SX.sym("x", program.inputs)
    y = evaluate(program, [x[i] for i in range(program.inputs)], casadi)
    gradient = casadi.densify(casadi.gradient(y, x))
    return casadi.Function("f", [x], [y, gradient])


def in_c(function: casadi.Function, folder: Path) -> casadi.Function:
    """Generate C, compile it with gcc -O2, and load the library."""
    here = Path.cwd()
    os.chdir(folder)  # CasADi writes where it stands
    try:
        function.generate("f.c")
        subprocess.run(["gcc", "-O2", "-fPIC", "-shared", "f.c", "-o", "f.so", "-lm"], check=True)
    finally:
        os.chdir(here)
    return casadi.external("f", str(folder / "f.so"))


class Buffered:
    """A function with its numbers in arrays of ours: the call that copies nothing.

    Parameters
    ----------
    function : casadi.Function
        Of one argument, with a value and a gradient.
    points : array of shape (points, inputs)
        One point, or as many as the function is mapped over.
    """

    def __init__(self, function: casadi.Function, points: np.ndarray) -> None:
        self.points = np.ascontiguousarray(points)
        self.values = np.zeros(len(points))
        self.gradients = np.zeros(points.shape)
        self.buffer, self.run = function.buffer()
        self.buffer.set_arg(0, memoryview(self.points))
        self.buffer.set_res(0, memoryview(self.values))
        self.buffer.set_res(1, memoryview(self.gradients))
