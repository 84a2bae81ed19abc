"""Random programs: what is computed natively is what the eager engine computes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings

import autograd_lite
from autograd_lite import value_and_grad
from autograd_lite.testing import expressions


def branched(program: Any) -> Any:
    """Return a function of two branches, whose condition and results are those of a program."""

    def function(inputs: Any) -> Any:
        y = program(inputs)
        return y * inputs[0] if y < 0.5 else y - inputs[-1]

    return function


def bits(x: Any) -> list[str]:
    """Return numbers so that equal ones are the same to the last bit; NaN is NaN."""
    return [x.hex() if not math.isnan(x) else "nan" for x in np.ravel(x).tolist()]


def points_around(program: Any) -> list[list[float]]:
    """Return points that may take other branches than the program's own."""
    point = list(program.inputs)
    return [point, [-x for x in point], [x + 0.5 for x in point]]


@settings(max_examples=settings.default.max_examples // 7)
@given(expressions(max_operations=8, smooth=False))
def test_exact_programs_give_the_same_bits(program: Any) -> None:
    function = branched(program)
    compiled = autograd_lite.compile(function, exact=True)
    eager = value_and_grad(function)
    values, gradients = compiled.value_and_grad(np.array(points_around(program)))
    for lane, point in enumerate(points_around(program)):
        value, gradient = eager(point)
        assert bits(values[lane]) == bits(value)
        assert bits(gradients[lane]) == bits(gradient)
    value, gradient = compiled.value_and_grad(list(program.inputs))
    assert bits(value) == bits(values[0])
    assert bits(gradient) == bits(gradients[0])


@settings(max_examples=settings.default.max_examples // 7)
@given(expressions(max_operations=8))
def test_programs_give_the_same_numbers(program: Any) -> None:
    def function(inputs: Any) -> Any:
        return program(inputs) + inputs[0]  # programs of constants alone are refused

    compiled = autograd_lite.compile(function)
    value, gradient = value_and_grad(function)(list(program.inputs))
    found, slopes = compiled.value_and_grad(np.array([program.inputs]))
    scale = 1.0 + abs(value) + max(map(abs, gradient))
    assert abs(found[0] - value) <= 1e-12 * scale
    assert np.abs(slopes[0] - gradient).max() <= 1e-12 * scale
