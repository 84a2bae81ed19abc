"""An irregular graph in NumPy: one call for each operation, over all points at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from native_rows.irregular_programs import Program

Call = tuple[Callable[..., Any], tuple[np.ndarray, ...]]


class OneCallPerNode:
    """The calls of the forward and of the backward pass, on rows of two arrays made beforehand."""

    def __init__(self, program: Program) -> None:
        nodes = program.inputs + len(program.operations)
        lanes = len(program.points)
        self.inputs = program.inputs
        self.points = np.ascontiguousarray(program.points.T)
        self.numbers = np.zeros((nodes, lanes))
        self.adjoints = np.zeros((nodes, lanes))
        self.spare = np.zeros(lanes)
        v, g = list(self.numbers), list(self.adjoints)
        self.forward: list[Call] = []
        backward: list[list[Call]] = []
        for k, (name, i, j) in enumerate(program.operations, start=program.inputs):
            self.forward.append(self._forward(name, v[i], v[j], v[k]))
            backward.append(self._backward(name, (v[i], v[j], v[k]), (g[i], g[j], g[k])))
        self.backward = [call for calls in reversed(backward) for call in calls]

    def run(self) -> None:
        """Compute values and gradients at all points."""
        self.numbers[: self.inputs] = self.points
        for function, rows in self.forward:
            function(*rows)
        self.adjoints[:-1] = 0.0
        self.adjoints[-1] = 1.0
        for function, rows in self.backward:
            function(*rows)

    @property
    def values(self) -> np.ndarray:
        return self.numbers[-1]

    @property
    def gradients(self) -> np.ndarray:
        return self.adjoints[: self.inputs].T

    def _forward(self, name: str, a: np.ndarray, b: np.ndarray, y: np.ndarray) -> Call:
        arithmetic = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
        if name in arithmetic:
            return arithmetic[name], (a, b, y)
        return getattr(np, name), (a, y)

    def _backward(
        self, name: str, numbers: tuple[np.ndarray, ...], adjoints: tuple[np.ndarray, ...]
    ) -> list[Call]:
        """Return the calls that add an operation's part to its operands' adjoints."""
        a, b, y = numbers
        ga, gb, gy = adjoints
        t = self.spare
        add_to_a = (np.add, (ga, t, ga))
        times_gy = (np.multiply, (t, gy, t))
        if name == "+":
            return [(np.add, (ga, gy, ga)), (np.add, (gb, gy, gb))]
        if name == "-":
            return [(np.add, (ga, gy, ga)), (np.subtract, (gb, gy, gb))]
        if name == "*":
            return [
                (np.multiply, (gy, b, t)),
                add_to_a,
                (np.multiply, (gy, a, t)),
                (np.add, (gb, t, gb)),
            ]
        if name == "/":
            return [
                (np.divide, (gy, b, t)),
                add_to_a,
                (np.multiply, (t, y, t)),
                (np.subtract, (gb, t, gb)),
            ]
        if name == "sin":
            return [(np.cos, (a, t)), times_gy, add_to_a]
        if name == "cos":
            return [(np.sin, (a, t)), times_gy, (np.subtract, (ga, t, ga))]
        if name == "exp":
            return [(np.multiply, (gy, y, t)), add_to_a]
        if name == "tanh":
            one = np.ones(())
            return [(np.multiply, (y, y, t)), (np.subtract, (one, t, t)), times_gy, add_to_a]
        if name == "sqrt":
            half = np.full((), 0.5)
            return [(np.divide, (gy, y, t)), (np.multiply, (t, half, t)), add_to_a]
        return [(np.divide, (gy, a, t)), add_to_a]
