"""Speed of the eager engine, side by side with micrograd in one run.

    python -m pip install -e . micrograd==0.1.0
    python benchmarks/eager.py

Every comparison runs the two sides in turn, round after round, and prints the median of the
rounds' ratios with the smallest and the largest: the machine's speed drifts, the ratio hardly does.
Both sides are first checked to give the same numbers. A clock includes the side's own
`gc.collect()`, so that nobody leaves garbage for the other to clean up.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from types import ModuleType
from typing import Any

import micrograd.engine

import autograd_lite
import nn

SAMPLES = 100
LEARNING_RATE = 0.05


# -- what is measured ----------------------------------------------------------------------------


def micrograd_nn(value: type) -> ModuleType:
    """Load a copy of micrograd's own nn that builds its networks from another Value class."""
    spec = importlib.util.find_spec("micrograd.nn")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.Value = value  # type: ignore[attr-defined]
    return module


def two_moons() -> tuple[list[list[float]], list[int]]:
    rng = random.Random(0)
    inputs, labels = [], []
    for i in range(SAMPLES):
        angle = math.pi * rng.random()
        upper = i % 2 == 0
        x = math.cos(angle) if upper else 1.0 - math.cos(angle)
        y = math.sin(angle) if upper else 0.5 - math.sin(angle)
        inputs.append([x + rng.gauss(0.0, 0.1), y + rng.gauss(0.0, 0.1)])
        labels.append(1 if upper else -1)
    return inputs, labels


def demo_step(value: type, model: Any, inputs: list[list[float]], labels: list[int]) -> float:
    """Make one step of micrograd's demo notebook: hinge loss and L2, plain gradient descent."""
    scores = [model(list(map(value, row))) for row in inputs]
    losses = [(1 + -label * score).relu() for label, score in zip(labels, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    penalty = 1e-4 * sum(p * p for p in model.parameters())
    loss = data_loss + penalty
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= LEARNING_RATE * p.grad
    return float(loss.data)


def nn_step(model: nn.MLP, inputs: list[list[float]], labels: list[int]) -> float:
    """Make the same step as one writes it with our nn."""
    scores = model(inputs)
    loss = nn.HingeLoss()(scores, labels) + 1e-4 * autograd_lite.dot(
        model.parameters(), model.parameters()
    )
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= LEARNING_RATE * p.grad
    return float(loss.data)


Program = list[tuple[str, int, int]]


def irregular_program(length: int) -> tuple[list[float], Program]:
    """Return 1,000 inputs and ``length`` operations out of + - * / ** relu on earlier results.

    Each operation consumes the oldest result that nothing has used yet, and perhaps another one
    from anywhere, so that every operation counts and the graph is shallow enough for micrograd's
    recursion; sums of pairs come last. An operation is drawn until its result is between 1e-3
    and 1e3 in size.
    """
    rng = random.Random(1)
    numbers = [rng.uniform(0.5, 2.0) for _ in range(1000)]
    inputs = list(numbers)
    program: Program = []
    oldest = 0
    while len(program) < length:
        i, j = oldest, rng.randrange(len(numbers))
        oldest += 1
        if length - len(program) < len(inputs):
            op, j = "+", oldest
            oldest += 1
            result = numbers[i] + numbers[j]
        else:
            op, result = drawn(rng, numbers[i], numbers[j])
        program.append((op, i, j))
        numbers.append(result)
    return inputs, program


def drawn(rng: random.Random, a: float, b: float) -> tuple[str, float]:
    while True:
        op = rng.choice(("+", "-", "*", "/", "**", "relu"))
        results = {"+": a + b, "-": a - b, "*": a * b, "/": a / b, "**": a**2, "relu": max(a, 0.0)}
        if 1e-3 < abs(results[op]) < 1e3:
            return op, results[op]


def run_program(value: type, inputs: list[float], program: Program) -> tuple[Any, list[Any]]:
    leaves = [value(x) for x in inputs]
    values = list(leaves)
    push = values.append
    for op, i, j in program:
        if op == "+":
            push(values[i] + values[j])
        elif op == "-":
            push(values[i] - values[j])
        elif op == "*":
            push(values[i] * values[j])
        elif op == "/":
            push(values[i] / values[j])
        elif op == "**":
            push(values[i] ** 2)
        else:
            push(values[i].relu())
    values[-1].backward()
    return values[-1], leaves


# -- clocks --------------------------------------------------------------------------------------


@contextmanager
def collector(enabled: bool) -> Iterator[None]:
    (gc.enable if enabled else gc.disable)()
    try:
        yield
    finally:
        gc.enable()


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    result = work()
    del result
    gc.collect()
    return time.perf_counter() - start


def in_turn(
    theirs: Callable[[], object], ours: Callable[[], object], rounds: int, *, enabled: bool
) -> tuple[float, float, list[float]]:
    """Return both medians in seconds and the ratios theirs / ours, round by round."""
    with collector(enabled):
        seconds(theirs)
        seconds(ours)
        pairs = [(seconds(theirs), seconds(ours)) for _ in range(rounds)]
    slow, fast = zip(*pairs, strict=True)
    return statistics.median(slow), statistics.median(fast), [a / b for a, b in pairs]


def row(what: str, theirs: float, ours: float, ratios: list[float], goal: str) -> None:
    print(
        f"{what:<46} {theirs * 1e3:>9.1f} {ours * 1e3:>9.2f} {statistics.median(ratios):>8.1f}"
        f"   {min(ratios):.1f}–{max(ratios):.1f}   {goal}"
    )


def close(a: float, b: float) -> None:
    if not math.isclose(a, b, rel_tol=1e-9):
        raise SystemExit(f"the two sides disagree: {a!r} and {b!r}")


# -- the rows ------------------------------------------------------------------------------------


def demo_rows(rounds: int) -> None:
    inputs, labels = two_moons()

    def fresh(module: ModuleType) -> Any:
        random.seed(1337)
        return module.MLP(2, [16, 16, 1])

    theirs_nn, ours_nn = micrograd_nn(micrograd.engine.Value), micrograd_nn(autograd_lite.Value)
    theirs, ours = fresh(theirs_nn), fresh(ours_nn)
    ours_packaged = nn.MLP(2, [16, 16, 1])
    for mine, its in zip(ours_packaged.parameters(), theirs.parameters(), strict=True):
        mine.data = its.data
    for _ in range(3):
        loss = demo_step(micrograd.engine.Value, theirs, inputs, labels)
        close(loss, demo_step(autograd_lite.Value, ours, inputs, labels))
        close(loss, nn_step(ours_packaged, inputs, labels))

    def step_of_micrograd() -> float:
        return demo_step(micrograd.engine.Value, theirs, inputs, labels)

    def step_of_ours() -> float:
        return demo_step(autograd_lite.Value, ours, inputs, labels)

    def step_of_nn() -> float:
        return nn_step(ours_packaged, inputs, labels)

    for enabled, goals in ((True, ("≥ 7", "≥ 20")), (False, ("≥ 4", ""))):
        word = "on" if enabled else "off"
        row(
            f"demo step, operation by operation, gc {word}",
            *in_turn(step_of_micrograd, step_of_ours, rounds, enabled=enabled),
            goals[0],
        )
        row(
            f"demo step, through nn, gc {word}",
            *in_turn(step_of_micrograd, step_of_nn, rounds, enabled=enabled),
            goals[1],
        )


def irregular_rows(rounds: int) -> None:
    inputs, program = irregular_program(10_000)
    root, leaves = run_program(autograd_lite.Value, inputs, program)
    other_root, other_leaves = run_program(micrograd.engine.Value, inputs, program)
    close(root.data, other_root.data)
    for mine, its in zip(leaves, other_leaves, strict=True):
        close(mine.grad, its.grad)
    del root, leaves, other_root, other_leaves
    for enabled, goal in ((True, "≥ 3.5"), (False, "")):
        row(
            f"irregular graph, 10,000 operations, gc {'on' if enabled else 'off'}",
            *in_turn(
                lambda: run_program(micrograd.engine.Value, inputs, program),
                lambda: run_program(autograd_lite.Value, inputs, program),
                rounds,
                enabled=enabled,
            ),
            goal,
        )


def bytes_per_operation(value: type, inputs: list[float], program: Program) -> float:
    gc.collect()
    tracemalloc.start()
    root, leaves = run_program(value, inputs, program)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del root, leaves
    return used / len(program)


def memory_row() -> None:
    inputs, program = irregular_program(10_000)
    theirs = bytes_per_operation(micrograd.engine.Value, inputs, program)
    ours = bytes_per_operation(autograd_lite.Value, inputs, program)
    print(
        f"\nbytes per operation after backward: micrograd {theirs:.0f},"
        f" autograd_lite {ours:.0f} (goal ≤ 200)"
    )


def scaling_row(rounds: int) -> None:
    small, large = irregular_program(10_000), irregular_program(1_000_000)
    ratios = []
    with autograd_lite.collector_paused():
        for _ in range(max(3, rounds // 3)):
            many = seconds(lambda: run_program(autograd_lite.Value, *large)) / len(large[1])
            few = min(
                seconds(lambda: run_program(autograd_lite.Value, *small)) / len(small[1])
                for _ in range(10)
            )
            ratios.append(many / few)
    print(
        f"cost per operation at 1,000,000 operations ÷ at 10,000:"
        f" {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}, goal ≤ 1.5)"
    )


def import_row(rounds: int) -> None:
    cached = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def started(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=cached)
        return time.perf_counter() - start

    started("import autograd_lite, nn")  # writes the bytecode
    differences = [
        started("import autograd_lite, nn") - started("pass") for _ in range(max(10, rounds))
    ]
    print(
        f"import autograd_lite, nn: {statistics.median(differences) * 1e3:.0f} ms"
        f" ({min(differences) * 1e3:.0f}–{max(differences) * 1e3:.0f}, goal ≤ 60)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the eager engine against micrograd.")
    parser.add_argument("--rounds", type=int, default=20, help="rounds in turn (default 20)")
    rounds = parser.parse_args().rounds
    print(
        f"CPython {platform.python_version()} on {platform.machine()},"
        f" micrograd {version('micrograd')}, {rounds} rounds in turn\n"
    )
    print(f"{'':<46} {'micrograd':>9} {'ours':>9} {'ratio':>8}   range   goal")
    print(f"{'':<46} {'ms':>9} {'ms':>9}")
    demo_rows(rounds)
    irregular_rows(rounds)
    memory_row()
    scaling_row(rounds)
    import_row(rounds)


if __name__ == "__main__":
    main()
