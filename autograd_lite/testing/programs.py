"""Programs: expression graphs as lists of operations, which run on any values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from autograd_lite.primitives import counted, number
from autograd_lite.testing.listing import source
from autograd_lite.testing.operations import Functions, Step, apply, checked, resolved

__all__ = ["Program", "Step", "apply", "resolved"]


@dataclass(frozen=True, repr=False)
class Program:
    """An expression graph as a list: inputs, then one operation per step; the last is the result.

    A step names its operands by counting back from the newest node, so that a node can be used
    many times, and twice by one operation; a list also shrinks well when steps are left out.

    Parameters
    ----------
    inputs : sequence of float
        The point at which to run.
    steps : sequence of Step
        The operations; ``(name, operands)`` will do.

    Raises
    ------
    ValueError
        For no inputs, an operation that does not exist, a wrong number of operands, a node that
        does not exist.

    Examples
    --------
    >>> from autograd_lite import grad
    >>> from autograd_lite.testing import Program
    >>> program = Program([2.0], [("*", (0, 0)), ("+", (0, 1)), ("exp", (0,))])
    >>> program([0.0]), grad(program)([0.0])
    (1.0, [1.0])
    """

    inputs: tuple[float, ...]
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        inputs = tuple(number(x, "a number for an input of a program") for x in self.inputs)
        if not inputs:
            raise ValueError("a program needs at least one input, got none")
        steps = []
        for i, given in enumerate(self.steps):
            step = given if isinstance(given, Step) else Step(*given)
            steps.append(checked(step, i + 1, len(inputs) + i))
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "steps", tuple(steps))

    def __call__(self, inputs: Iterable[Any] | None = None, *, functions: Functions = None) -> Any:
        """Run, and return the result.

        Parameters
        ----------
        inputs : sequence of float, Value, or another engine's values, optional
            As many as the program has inputs; by default the program's own, as floats.
        functions : mapping or module, optional
            Where to look for another engine's functions, by name, before its methods. Operations
            on many operands are written out with operators there.

        Raises
        ------
        ValueError
            For a wrong number of inputs.
        AttributeError
            If another engine lacks an operation.
        """
        return self.run(inputs, functions=functions)[-1]

    def run(self, inputs: Iterable[Any] | None = None, *, functions: Functions = None) -> list[Any]:
        """Run, and return all nodes: the inputs, then the result of each step."""
        nodes = list(self.inputs if inputs is None else inputs)
        if len(nodes) != len(self.inputs):
            wanted = counted(len(self.inputs), "input")
            raise ValueError(f"the program expected {wanted}, got {len(nodes)}")
        for step in self.steps:
            nodes.append(apply(step, resolved(step, nodes), functions=functions))
        return nodes

    def __str__(self) -> str:
        """Return the program as Python text that runs by itself, and gives the same bits."""
        return source(self.inputs, self.steps, self.run())

    def __repr__(self) -> str:
        """Return the call that makes this program, to be pasted into a test."""
        return f"Program({list(self.inputs)!r}, {list(self.steps)!r})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print as Python text in notebooks and in Hypothesis' reports."""
        for line in str(self).splitlines():
            printer.break_()
            printer.text(line)
        printer.break_()
