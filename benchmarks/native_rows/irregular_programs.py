"""Irregular graphs: random programs in which every operation counts."""

from __future__ import annotations

import operator
import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

ARITHMETIC = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
FUNCTIONS = ("sin", "cos", "exp", "tanh", "sqrt", "log")
SMALLEST, LARGEST = 0.05, 20.0


class Program(NamedTuple):
    """Operations (name, operand, operand), numbered on from the inputs, and points for the inputs.

    A function has its operand twice. ``points`` has one row for each point.
    """

    inputs: int
    operations: list[tuple[str, int, int]]
    points: np.ndarray

    @property
    def depth(self) -> int:
        """The longest chain of operations."""
        depths = [0] * self.inputs
        for _, i, j in self.operations:
            depths.append(1 + max(depths[i], depths[j]))
        return depths[-1]

    def __str__(self) -> str:
        names = [name for name, _, _ in self.operations]
        functions = sum(name in FUNCTIONS for name in names) / len(names)
        return (
            f"{len(names):,} operations of {self.inputs:,} inputs, {self.depth} deep,"
            f" {1 - functions:.0%} of them + − × ÷, {functions:.0%} sin cos exp tanh sqrt log"
        )


def irregular_program(
    length: int, inputs: int, points: int, *, functions: float = 0.4, seed: int = 1
) -> Program:
    """Draw a program; ``functions`` is how often a function is drawn, not one of + - * /.

    Each operation takes the oldest result that nothing has used yet, and perhaps another one from
    anywhere, so that all of them count in the one result; at the end stand sums of pairs. An
    operation is drawn until its results at all points are between 0.05 and 20 in size.
    """
    rng = random.Random(seed)
    centre = np.array([rng.uniform(0.5, 2.0) for _ in range(inputs)])
    spread = np.random.default_rng(seed).uniform(0.99, 1.01, (points, inputs))
    at = centre * spread
    numbers = [np.ascontiguousarray(column) for column in at.T]
    operations: list[tuple[str, int, int]] = []
    oldest = 0
    while len(operations) < length:
        i = oldest
        oldest += 1
        if length - len(operations) < inputs:
            j = oldest
            oldest += 1
            operations.append(("+", i, j))
            numbers.append(numbers[i] + numbers[j])
        else:
            name, j, result = _drawn(rng, functions, numbers, i)
            operations.append((name, i, j))
            numbers.append(result)
    return Program(inputs, operations, at)


def _drawn(
    rng: random.Random, functions: float, numbers: list[np.ndarray], i: int
) -> tuple[str, int, np.ndarray]:
    a = numbers[i]
    while True:
        if rng.random() < functions:
            name, j = rng.choice(FUNCTIONS), i
            if name in ("sqrt", "log") and a.min() <= 0.0:
                continue
            result = getattr(np, name)(a)
        else:
            name, j = rng.choice([*ARITHMETIC]), rng.randrange(len(numbers))
            result = ARITHMETIC[name](a, numbers[j])
        size = np.abs(result)
        if size.min() >= SMALLEST and size.max() <= LARGEST:
            return name, j, result


def evaluate(program: Program, inputs: Sequence[Any], functions: Any) -> Any:
    """Run a program on anything that has operators, with the functions of a module."""
    chosen = {name: getattr(functions, name) for name in FUNCTIONS}
    values = list(inputs)
    for name, i, j in program.operations:
        if name in chosen:
            values.append(chosen[name](values[i]))
        else:
            values.append(ARITHMETIC[name](values[i], values[j]))
    return values[-1]
