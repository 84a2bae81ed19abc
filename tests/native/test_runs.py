"""Operations of one kind are computed together, those first that most has to wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autograd_lite import compile, exp, sin

pytest.importorskip("numpy")
pytest.importorskip("numba")


def one_waits(xs: Any) -> list[Any]:
    """Three sums are ready at once, but a fourth one is if they wait for the sine."""
    return [xs[0] + xs[1], xs[2] + xs[3], xs[4] + xs[5], sin(xs[6]) + xs[7]]


def two_chains(xs: Any) -> list[Any]:
    """All sines come before the exponential, though more exponentials than sines are ready."""
    return [exp(sin(sin(xs[0]))), exp(sin(sin(xs[1]))), *(exp(xs[i]) for i in range(2, 8))]


@pytest.mark.parametrize(("function", "runs"), [(one_waits, 2), (two_chains, 3)])
def test_a_point_takes_few_runs(function: Callable[[Any], list[Any]], runs: int) -> None:
    program = compile(function)
    given = [0.5 + 0.125 * i for i in range(8)]
    found = program(given)
    assert found == pytest.approx([float(x) for x in function(given)], rel=1e-15)
    ((lowered,),) = [recording.plans.values() for recording in program.recordings]
    assert len(lowered.plan.schedule.runs.forward.records) == runs
