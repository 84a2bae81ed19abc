"""Programs of 1 to 60 operations of every primitive, with inputs from 1e-8 to 1e8, from a seed.

Each step is tried at several operands. What leaves a domain, overflows or is so badly conditioned
that nothing could be said about its derivative becomes a harmless step instead, so that no program
is thrown away.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from oracle import Oracle
from rounding_model import InadmissibleError

from autograd_lite.primitives import TABLE
from autograd_lite.testing import Program
from autograd_lite.testing.programs import Step

NAMES = sorted(TABLE)
TRIALS = 6
HARMLESS = ("asinh", "atan", "tanh", "softsign", "sigmoid", "sin")
EXPONENTS = (2.0, 3.0, -1.0, 0.5, -2.0, 1.5, 4.0)


def number(draw: random.Random) -> float:
    """Draw an input or a constant: ordinary, of any size from 1e-8 to 1e8, or whole."""
    kind = draw.random()
    if kind < 0.5:
        x = draw.uniform(-3.0, 3.0)
    elif kind < 0.85:
        x = draw.choice((-1.0, 1.0)) * 10.0 ** draw.uniform(-8.0, 8.0)
    elif kind < 0.95:
        x = float(draw.randint(-4, 4))
    else:
        x = draw.uniform(-60.0, 60.0)
    return x


def count(name: str, draw: random.Random) -> int:
    """Draw how many operands: dot has pairs and perhaps a start, var a divisor at the end."""
    primitive = TABLE[name]
    if not primitive.variadic:
        return primitive.arity
    if name == "dot":
        return 2 * draw.randint(1, 3) + (draw.random() < 0.2)
    return draw.randint(2, 5) + (name == "var")


def operands(name: str, oracle: Oracle, draw: random.Random) -> tuple[int | float, ...]:
    """Draw operands: mostly new or unused nodes, now and then the same twice, or a constant."""
    nodes, unused = len(oracle.nodes), sorted(oracle.unused)
    found: list[Any] = []
    for place in range(count(name, draw)):
        kind = draw.random()
        if place and kind < 0.25:
            found.append(number(draw))
        elif place and kind < 0.4:
            found.append(found[-1])
        elif kind < 0.7 and unused:
            found.append(nodes - 1 - draw.choice(unused[-4:]))
        elif kind < 0.9:
            found.append(min(int(draw.expovariate(0.8)), nodes - 1))
        else:
            found.append(draw.randrange(nodes))
    if name == "var" and draw.random() < 0.8:
        n = len(found) - 1
        found[-1] = float(draw.choice((n, n - 1)))
    if name == "**" and draw.random() < 0.5:
        found[1] = draw.choice(EXPONENTS)
    if len(found) > 1 and draw.random() < 0.1:
        found[0] = number(draw)
    if not any(isinstance(x, int) for x in found):
        found[0] = 0
    return tuple(found)


def extended(oracle: Oracle, draw: random.Random) -> None:
    """Append one step; a harmless one if none of the trials is admissible."""
    name = draw.choice(NAMES)
    nodes = len(oracle.nodes)
    telling = draw.random() < 0.6  # else relu may well be at a negative number
    for _ in range(TRIALS):
        try:
            oracle.add(Step(name, operands(name, oracle, draw)), telling=telling)
            return
        except InadmissibleError:
            continue
    for back in (0, draw.randrange(nodes), draw.randrange(nodes)):
        try:
            oracle.add(Step(draw.choice(HARMLESS), (back,)))
            return
        except InadmissibleError:
            continue
    oracle.add(Step("+", (nodes - 1, 1.0)))


def gathered(oracle: Oracle, draw: random.Random) -> None:
    """Append a step on what no step has used, so that more of the program counts."""
    unused = [len(oracle.nodes) - 1 - place for place in sorted(oracle.unused)[-6:]]
    chosen = draw.choice(("total", "mean", "norm", "logsumexp", "dot", "prod"))
    for name in (chosen, "total"):
        try:
            oracle.add(Step(name, tuple(unused)), telling=True)
            return
        except InadmissibleError:
            continue


def draw_oracle(seed: int, *, most: int = 60) -> Oracle:
    """Draw a program, most often a short one, with its exact derivatives."""
    draw = random.Random(seed)
    inputs = [number(draw) or 1.0 for _ in range(draw.randint(1, 5))]
    if draw.random() < 0.1:
        inputs[-1] = inputs[0]
    alike = draw.random() < 0.5
    direction = [round(draw.uniform(-1.0, 1.0), 3) * (abs(x) if alike else 1.0) for x in inputs]
    oracle = Oracle(inputs, direction)
    for _ in range(round(most ** draw.random())):
        extended(oracle, draw)
    if draw.random() < 0.7 and len(oracle.steps) < most and len(oracle.unused) > 1:
        gathered(oracle, draw)
    return oracle


def shrunk(program: Program, direction: list[float], fails: Callable[[Oracle], Any]) -> Program:
    """Leave steps out, one by one, for as long as the program still fails without one."""
    steps = list(program.steps)
    progress = True
    while progress:
        progress = False
        for place in range(len(steps) - 1, -1, -1):
            for instead in {x: None for x in steps[place].operands if isinstance(x, int)}:
                fewer = without(steps, place, instead)
                if still_fails(program.inputs, fewer, direction, fails):
                    steps, progress = fewer, True
                    break
    return Program(program.inputs, tuple(steps))


def still_fails(
    inputs: tuple[float, ...],
    steps: list[Step],
    direction: list[float],
    fails: Callable[[Oracle], Any],
) -> bool:
    try:
        oracle = Oracle.of(Program(inputs, tuple(steps)), direction)
    except InadmissibleError:
        return False
    return bool(steps) and bool(fails(oracle))


def without(steps: list[Step], place: int, instead: int) -> list[Step]:
    """Leave one step out; what used it uses the node ``instead``, counted back from that step."""
    kept = steps[:place]
    for later in range(place + 1, len(steps)):
        distance = later - place - 1  # counted back from the step, the one left out

        def moved(x: int | float, distance: int = distance) -> int | float:
            if not isinstance(x, int) or x < distance:
                return x
            return x + instead if x == distance else x - 1

        kept.append(Step(steps[later].name, tuple(map(moved, steps[later].operands))))
    return kept
