"""An irregular graph as a native program of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd_lite
from native_rows.irregular_programs import Program, evaluate


def function_of(program: Program) -> Callable[[Any], Any]:
    """Return the program as a function of a list of inputs."""

    def value(xs: Any) -> Any:
        return evaluate(program, xs, autograd_lite)

    return value


def compiled(program: Program, **options: Any) -> Any:
    """Return that function compiled; it is recorded at its first call."""
    return autograd_lite.compile(function_of(program), **options)


def recorded(program: Program) -> tuple[float, list[float]]:
    """Return value and gradient at the first point, computed by the eager engine."""
    xs = [autograd_lite.Value(x) for x in program.points[0].tolist()]
    root = evaluate(program, xs, autograd_lite)
    root.backward()
    return root.data, [x.grad for x in xs]
