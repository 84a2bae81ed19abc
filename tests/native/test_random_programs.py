"""Random programs, with all primitives and with branches: compiled is eager, lane by lane.

``--hypothesis-profile=nightly`` takes many more of them, others each time.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import branching
import numpy as np
import pytest
from comparison import Expected
from mpmath import mp, mpf
from nightly import FIRST_SEED, NIGHTLY
from pinned import BITS
from wide_programs import draw_oracle

import autograd_lite
from autograd_lite import value_and_grad
from autograd_lite.native.running import blocks

MOST = 60 if NIGHTLY else 8  # operations: each has kernels to be compiled, once per machine
LANES = (1, 2, 7, 8, 33)
FACTORS = (1.0, 1.1, -1.0, 0.0, 1e3, 1e-3, math.inf, math.nan)


def seeds(few: int, many: int) -> range:
    return range(FIRST_SEED, FIRST_SEED + (many if NIGHTLY else few))


def bits(numbers: Any) -> list[str]:
    """Return numbers so that equal ones have the same bits; all NaN are one."""
    return [x.hex() if x == x else "nan" for x in np.ravel(numbers).tolist()]


def rows(found: tuple[Any, Any]) -> list[list[float]]:
    """Return value and gradient of every lane in one row."""
    value, gradient = found
    return np.column_stack([value, gradient]).tolist()


def expected(function: Any, points: Sequence[list[float]]) -> list[list[float]]:
    """Return value and gradient of the eager engine at every point in one row."""
    eager = value_and_grad(function)
    return [[value, *gradient] for value, gradient in map(eager, points)]


# -- all primitives --------------------------------------------------------------------------------


def around(inputs: Sequence[float], draw: random.Random) -> list[list[float]]:
    """Return a point in the middle of others that are not ordinary."""
    points = [[x * draw.choice(FACTORS) for x in inputs] for _ in range(draw.choice(LANES))]
    points[len(points) // 2] = list(inputs)
    return points


@pytest.mark.parametrize("seed", seeds(6, 4_000))
def test_exact_programs_have_the_bits_of_the_eager_engine(seed: int) -> None:
    """The sign of a NaN is nobody's promise, so nothing may be read from it but that it is one."""
    program = draw_oracle(seed, most=MOST).program
    points = around(program.inputs, random.Random(seed))
    compiled = autograd_lite.compile(lambda xs: program(xs), exact=True)
    (wanted,) = expected(program, [list(program.inputs)])
    value, gradient = compiled.value_and_grad(list(program.inputs))
    assert bits([value, *gradient]) == bits(wanted)
    if not any(step.name == "copysign" for step in program.steps):
        found = rows(compiled.value_and_grad(np.array(points)))
        assert bits(found) == bits(expected(program, points))


@pytest.mark.parametrize("seed", seeds(4, 2_500))
def test_programs_are_right_up_to_rounding(seed: int) -> None:
    oracle = draw_oracle(seed, most=MOST)
    wanted = Expected(oracle)
    exact = [wanted.values[-1], *wanted.gradient]
    jumps = any(step.name in ("%", "fmod") for step in oracle.steps)  # where one unit may matter
    points = around(oracle.program.inputs, random.Random(seed))
    compiled = autograd_lite.compile(lambda xs: oracle.program(xs))
    value, gradient = compiled.value_and_grad(points[len(points) // 2])
    lanes = rows(compiled.value_and_grad(np.array(points)))
    with mp.workprec(BITS):
        for found in ([value, *gradient], lanes[len(points) // 2])[: 1 if jumps else 2]:
            for number, (truth, tolerance) in zip(found, exact, strict=True):
                assert abs(mpf(number) - truth) <= 2.0 * tolerance


# -- branches --------------------------------------------------------------------------------------


def assert_close(found: Sequence[float], wanted: Sequence[float]) -> None:
    """Compare to 1e-12 of what the numbers are computed with; NaN and infinities are equal."""
    scale = max([1.0, *(abs(x) for x in wanted if math.isfinite(x))])
    for x, y in zip(found, wanted, strict=True):
        assert bits(x) == bits(y) or abs(x - y) <= 1e-12 * scale


@pytest.mark.parametrize("seed", seeds(40, 6_000))
def test_every_lane_takes_its_own_branches(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then in blocks of lanes, and in two threads."""
    if seed % 3 == 0:
        for name, size in (("BLOCK_BYTES", 1), ("NARROWEST", 8), ("WIDEST", 8)):
            monkeypatch.setattr(blocks, name, size)
    function, count = branching.function(seed)
    draw = random.Random(seed)
    points = [
        [branching.number(draw, strange=seed % 2 == 1) for _ in range(count)]
        for _ in range(draw.choice(LANES))
    ]
    wanted = expected(function, points)
    exact = autograd_lite.compile(function, exact=True, threads=1 + seed % 2)
    compiled = autograd_lite.compile(function, threads=1 + seed % 2)
    for _ in range(2):
        assert bits(rows(exact.value_and_grad(np.array(points)))) == bits(wanted)
        for found, row in zip(rows(compiled.value_and_grad(np.array(points))), wanted, strict=True):
            assert_close(found, row)
    assert bits(exact(np.array(points))) == bits([value for value, *_ in wanted])
    for point, row in zip(points[:3], wanted, strict=False):
        value, gradient = exact.value_and_grad(point)
        assert bits([value, *gradient]) == bits(row)


def test_the_functions_branch() -> None:
    """What is drawn takes several ways through most functions, and meets ties."""
    recordings, ties = [], 0
    for seed in range(20):
        function, count = branching.function(seed)
        draw = random.Random(seed)
        points = [[branching.number(draw) for _ in range(count)] for _ in range(33)]
        compiled = autograd_lite.compile(function)
        compiled(np.array(points))
        recordings.append(len(compiled.recordings))
        ties += any(0.5 in point for point in points)
    assert sum(one > 1 for one in recordings) >= 8
    assert max(recordings) >= 4
    assert ties == 20
