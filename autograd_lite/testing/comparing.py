"""Another engine held against the table of primitives, operation by operation."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.primitives import TABLE, counted
from autograd_lite.testing.listing import assigned_names, expression
from autograd_lite.testing.operations import Functions, Step, resolved
from autograd_lite.testing.programs import Program
from autograd_lite.testing.smoothness import partials

EPSILON = sys.float_info.epsilon
SMALLEST = 5e-324


class _Contribution(NamedTuple):
    """What one operand of one step should receive: adjoint times partial."""

    place: int
    step: int
    amount: float
    size: float  # what its rounding error is relative to


def assert_same_gradients(
    program: Program,
    engine: Callable[[float], Any],
    *,
    ulps: float = 16.0,
    functions: Functions = None,
) -> None:
    """Assert that another engine gives a program's values and gradients.

    Each operation is compared by itself: its value with the table's at the operands that the
    engine computed, and each gradient with the sum over the operations that use the node, from the
    gradients that the engine computed for those. So rounding errors do not add up, and the report
    names the first operation that is wrong.

    Parameters
    ----------
    program : Program
        What to run, at its own inputs; drawn by `expressions`, or written by hand.
    engine : callable
        Makes a value from a float: the engine's class. Values have ``data``, ``grad`` (of interior
        nodes too; ``retain_grad()`` is called where there is one), ``backward()``, operators, and
        the functions that the program needs as methods.
    ulps : float
        How far a result may be off, in units of the last place: of the value; of the largest
        term for sums and gradients.
    functions : mapping or module, optional
        Where to look for the engine's functions, by name, before its methods.

    Raises
    ------
    AssertionError
        If a value or gradient differs; the message names the first operation that is wrong, what
        was expected and what came, and shows the program as Python.
    AttributeError
        If the engine lacks an operation of the program; leave it out of ``operations``.

    Examples
    --------
    A property that finds the smallest program at which an engine is wrong:

    >>> from hypothesis import given, settings
    >>> from micrograd.engine import Value
    >>> from autograd_lite.testing import assert_same_gradients, expressions
    >>> @settings(deadline=None)
    ... @given(expressions(operations=["+", "*", "-", "relu"], max_operations=4))
    ... def test_my_engine(program):
    ...     assert_same_gradients(program, Value)
    >>> test_my_engine()
    """
    leaves = [engine(x) for x in program.inputs]
    nodes = program.run(leaves, functions=functions)
    for node in nodes:
        if hasattr(node, "retain_grad"):
            node.retain_grad()
    names = assigned_names(len(leaves), len(program.steps))
    report = _Report(program, names, engine)
    data = [_number(node, "data") for node in nodes]
    for i, x in enumerate(program.inputs):
        if not _near(data[i], x, 0.0, 0.0):
            report.fail(i, "", data[i], x, [])  # an operation has changed its operand
    for i, step in enumerate(program.steps, start=len(leaves)):
        operands = resolved(step, data[:i])
        expected = step.primitive.evaluate(*operands)
        size = abs(expected)
        if step.primitive.variadic:
            scale = _scale(step, operands, partials(step.primitive, operands))
            size = max(size, scale * sum(map(abs, operands)))
        if not _near(data[i], expected, size, ulps):
            report.fail(i, "", data[i], expected, [])
    if not _depends(program)[-1]:
        return
    nodes[-1].backward()
    _check_gradients(program, nodes, data, ulps, report)


def _check_gradients(
    program: Program, nodes: Sequence[Any], data: list[float], ulps: float, report: _Report
) -> None:
    """Compare gradients from the result towards the inputs."""
    depends = _depends(program)
    received: list[list[_Contribution]] = [[] for _ in nodes]
    first: dict[int, int] = {}  # the sum of one number may be that number's own node
    same = [first.setdefault(id(node), i) for i, node in enumerate(nodes)]
    for i in range(len(nodes) - 1, -1, -1):
        last = i == same[-1]
        if not depends[i] or same[i] != i or not (last or received[i]):
            continue
        expected = sum([1.0 if last else 0.0, *(c.amount for c in received[i])])
        size = max([1.0 if last else 0.0, *(c.size for c in received[i])])
        found = _number(nodes[i], "grad")
        if not _near(found, expected, size, ulps * max(1, len(received[i]))):
            report.fail(i, "the gradient of ", found, expected, received[i])
        if i >= len(program.inputs):
            for c in _contributions(program, i, data, found):
                received[same[c.place]].append(c)


def _contributions(
    program: Program, i: int, data: list[float], adjoint: float
) -> list[_Contribution]:
    """Return what each operand of a node receives from it."""
    step = program.steps[i - len(program.inputs)]
    operands = resolved(step, data[:i])
    slopes = partials(step.primitive, operands)
    floor = _scale(step, operands, slopes) if step.primitive.variadic else 0.0
    return [
        _Contribution(i - 1 - x, i, adjoint * p, abs(adjoint) * max(abs(p), floor))
        for x, p in zip(step.operands, slopes, strict=True)
        if isinstance(x, int)
    ]


def _scale(step: Step, operands: Sequence[float], slopes: Sequence[float]) -> float:
    """Return what the rounding errors of a sum's partials are relative to."""
    largest = max(map(abs, slopes))
    if step.primitive is TABLE["var"]:  # x - mean rounds as x does
        return max(largest, 2.0 * max(map(abs, operands[:-1])) / abs(operands[-1]))
    return largest


def _depends(program: Program) -> list[bool]:
    """Return for each node whether it depends on an input."""
    found = [True] * len(program.inputs)
    for step in program.steps:
        found.append(any(isinstance(x, int) and found[-1 - x] for x in step.operands))
    return found


def _number(node: Any, what: str) -> float:
    """Return the data or the gradient of another engine's value as a float."""
    if isinstance(node, int | float):
        return float(node)
    try:
        return float(getattr(node, what))
    except (AttributeError, TypeError, ValueError) as error:
        kind = type(node)
        raise TypeError(
            f"values of {kind.__module__}.{kind.__qualname__} need a number as {what!r}, of"
            f" interior nodes too, to be compared: {error}"
        ) from None


def _near(found: float, expected: float, size: float, ulps: float) -> bool:
    if found == expected or (math.isnan(found) and math.isnan(expected)):
        return True
    return math.isfinite(expected) and abs(found - expected) <= ulps * (EPSILON * size + SMALLEST)


class _Report:
    """What went wrong, as a message."""

    def __init__(self, program: Program, names: list[str], engine: Callable[[float], Any]) -> None:
        self.program = program
        self.names = names
        module, name = getattr(engine, "__module__", ""), getattr(engine, "__qualname__", "")
        self.engine = f"{module}.{name}" if name else repr(engine)

    def line(self, i: int) -> str:
        """Return a node as it stands in the listing."""
        first = len(self.program.inputs)
        if i < first:
            return f"{self.names[i]} = {self.program.inputs[i]!r}"
        text, _ = expression(self.program.steps[i - first], self.names[:i])
        return f"{self.names[i]} = {text}"

    def fail(
        self, i: int, what: str, found: float, expected: float, received: list[_Contribution]
    ) -> None:
        """Raise, with the contributions to a gradient spelled out."""
        lines = [
            f"{self.engine} is wrong at {what}{self.line(i)}",
            f"  expected {expected!r}",
            f"  got      {found!r}",
        ]
        if received:
            lines.append(f"  expected is the sum of {counted(len(received), 'contribution')}:")
            lines += [f"    {c.amount!r} through {self.line(c.step)}" for c in received]
        lines += ["in the program", *(f"  {line}" for line in str(self.program).splitlines())]
        raise AssertionError("\n".join(lines))
