"""The exact-arithmetic oracle: derivatives of a program at 320 bits, and how far floats may be off.

The exact derivatives come from the textbook (`pinned`), by the chain rule written out once more
here; the tolerance comes from the conditioning of the program (`rounding_model`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mpmath import mp, mpf
from pinned import BITS, LINEAR, bits
from rounding_model import (
    ETA,
    LARGEST,
    LONGEST,
    SMALLEST,
    InadmissibleError,
    Number,
    Operation,
    U,
    checked_run,
    curved,
    linear,
    size,
)

from autograd_lite.testing import Program
from autograd_lite.testing.programs import Step, resolved


@dataclass(slots=True)
class Adjoint:
    """d result / d node, its derivative along the direction, and bounds of what floats get."""

    exact: Any
    error: float
    rate: Any
    rate_error: float


class Oracle:
    """A program that grows by steps, evaluated exactly, with the derivatives along a direction."""

    def __init__(self, inputs: list[float], direction: list[float]) -> None:
        self.inputs = inputs
        self.direction = direction
        self.steps: list[Step] = []
        self.nodes = [
            Number(mpf(x), x, 0.0, mpf(t), 0.0, 1.0) for x, t in zip(inputs, direction, strict=True)
        ]
        self.operations: list[Operation] = []
        self.unused = set(range(len(inputs)))

    @classmethod
    def of(cls, program: Program, direction: list[float]) -> Oracle:
        """Evaluate a program.

        Raises
        ------
        InadmissibleError
            If a step is.
        """
        oracle = cls(list(program.inputs), direction)
        for step in program.steps:
            oracle.add(step)
        return oracle

    @property
    def program(self) -> Program:
        return Program(tuple(self.inputs), tuple(self.steps))

    def add(self, step: Step, *, telling: bool = False) -> None:
        """Append a step, or raise `InadmissibleError` and leave all as it was.

        With ``telling`` also if the derivative along the direction is 0 or not known to 4 digits.
        """
        places = [len(self.nodes) - 1 - x if isinstance(x, int) else None for x in step.operands]
        given = resolved(step, self.nodes)
        operands = [
            x if isinstance(x, Number) else Number(mpf(x), x, 0.0, mpf(0), 0.0, 0.0) for x in given
        ]
        run = [x.run for x in operands]
        y = checked_run(step.name, run, places)
        with mp.workprec(bits(step.name, run)):
            if step.name in LINEAR:
                node, operation = linear(step.name, operands, places)
            else:
                try:
                    node, operation = curved(step.name, operands, places)
                except ZeroDivisionError:
                    raise InadmissibleError("at a singular point") from None
        node.run = y
        if not (y == 0.0 or SMALLEST < size(node.exact) < LARGEST) or node.paths > LONGEST:
            raise InadmissibleError("too large or too small")
        if telling and not node.tangent_error < 1e-4 * size(node.tangent):
            raise InadmissibleError("nothing to see")
        self.nodes.append(node)
        self.operations.append(operation)
        self.steps.append(step)
        self.unused.difference_update(operation.operands)
        self.unused.add(len(self.nodes) - 1)

    def adjoints(self) -> list[Adjoint]:
        """Sweep backward from the last node: one adjoint per node."""
        found = [Adjoint(mpf(0), 0.0, mpf(0), 0.0) for _ in self.nodes]
        sums = [[0, 0.0, 0.0] for _ in self.nodes]  # terms, and the sums of their sizes
        found[-1] = Adjoint(mpf(1), 0.0, mpf(0), 0.0)
        first = len(self.inputs)
        with mp.workprec(BITS):
            for place in range(len(self.nodes) - 1, -1, -1):
                above = found[place]
                terms, total, total_rate = sums[place]
                above.error += terms * U * total + terms * ETA
                above.rate_error += (terms + 2) * U * total_rate + terms * ETA
                if place < first or (not above.exact and not above.error and not above.rate):
                    continue
                operation = self.operations[place - first]
                a, b = size(above.exact), size(above.rate)
                for i, operand in enumerate(operation.operands):
                    below = found[operand]
                    partial, rate = operation.partials[i], operation.rates[i]
                    p, r = size(partial), size(rate)
                    dp, dr = operation.partial_errors[i], operation.rate_errors[i]
                    below.exact += above.exact * partial
                    below.error += above.error * p + a * dp
                    below.rate += above.rate * partial + above.exact * rate
                    below.rate_error += above.rate_error * p + b * dp + above.error * r + a * dr
                    sums[operand][0] += 1
                    sums[operand][1] += a * p
                    sums[operand][2] += 2.0 * (b * p + a * r)
        for adjoint in found:
            adjoint.error += U * size(adjoint.exact)
        return found
