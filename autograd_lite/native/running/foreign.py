"""Nodes that no kernel computes, such as those of a user's own primitive: Python does them."""

from __future__ import annotations

from typing import Any

from autograd_lite.native.lowering.schedule import Schedule


class PythonNode:
    """One node, computed by its primitive's own functions, lane after lane."""

    def __init__(self, schedule: Schedule, node: int, numbers: Any, adjoints: Any) -> None:
        flat, layout = schedule.about.flat, schedule.layout
        self.primitive: Any = flat.operations[flat.codes[node]]
        self.numbers = numbers
        self.adjoints = adjoints
        operands = layout.operands[flat.starts[node] : flat.starts[node + 1]]
        self.rows = layout.row[operands].tolist()
        self.row = int(layout.row[node])
        self.active = schedule.about.active[flat.operands_of(node)].tolist()

    def parts(self, direction: str) -> list[Any]:
        """Return what has to be done."""
        return [self.forward if direction == "forward" else self.backward]

    def forward(self) -> None:
        """Compute the numbers."""
        given = self.numbers[self.rows].T.tolist()
        self.numbers[self.row] = [self.primitive.evaluate(*numbers) for numbers in given]

    def backward(self) -> None:
        """Add to the operands' adjoints, one after the other."""
        given = self.numbers[self.rows].T.tolist()
        results = self.numbers[self.row].tolist()
        adjoints = self.adjoints[self.row].copy()
        for lane, (numbers, result) in enumerate(zip(given, results, strict=True)):
            partials = self._partials(numbers, result)
            for row, active, position in zip(
                self.rows, self.active, range(len(self.rows)), strict=True
            ):
                if active:
                    self.adjoints[row, lane] += adjoints[lane] * partials(position)

    def _partials(self, numbers: list[float], result: float) -> Any:
        """Return a function of an operand's position."""
        primitive = self.primitive
        if primitive.variadic:
            return primitive.evaluate_partials(tuple(numbers), result).__getitem__
        return lambda position: primitive.partial(position, *numbers, result)
