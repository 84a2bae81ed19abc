"""A program at a point: every value, every contribution to the gradient, and the check."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from autograd_lite.commandline.program import Program
from autograd_lite.commandline.vocabulary import ATOM, FUNCTIONS, OPERATORS
from autograd_lite.contributions import Step
from autograd_lite.node import arguments
from autograd_lite.primitives import piecewise
from autograd_lite.stepping import steps
from autograd_lite.sweep import with_order
from autograd_lite.testing.differences import Difference, finite_difference, relative_difference
from autograd_lite.value import Value

DISAGREEMENT = 1e-3
"""The relative difference from which on the finite difference deserves a note."""


class Row(NamedTuple):
    """One line of the forward pass; the operation is "" for a variable or another name."""

    name: str
    expression: str
    value: float
    operation: str = ""
    operands: tuple[str, ...] = ()
    partials: tuple[float, ...] = ()


class Check(NamedTuple):
    """A finite difference beside the derivative that it approximates."""

    difference: Difference
    relative: float


class Derivation(NamedTuple):
    """All that is known of a function at a point.

    The root is what was recorded last, None if that needs no gradient; the names are those of
    all recorded nodes.
    """

    point: dict[str, float]
    result: str
    root: Value | None
    root_name: str
    names: dict[str, Value]
    value: float
    rows: list[Row]
    steps: list[Step]
    gradient: dict[str, float]
    checks: dict[str, Check]
    notes: list[str]


def derive(program: Program, point: Mapping[str, float]) -> Derivation:
    """Record a program at a point, differentiate it, and check the gradient.

    Parameters
    ----------
    program : Program
    point : mapping
        A number for each of the program's variables.

    Returns
    -------
    Derivation

    Examples
    --------
    >>> from autograd_lite.commandline.derivation import derive
    >>> from autograd_lite.commandline.parsing import parse
    >>> derivation = derive(parse("x * y", ["x", "y"]), {"x": 2.0, "y": 3.0})
    >>> derivation.value, derivation.gradient
    (6.0, {'x': 3.0, 'y': 2.0})
    """
    leaves = {name: Value(point[name], label=name) for name in program.variables}
    values = program.evaluate(leaves)
    names: dict[Value, str] = {}
    rows = list(_rows(program, values, names))
    root = values[program.result]
    given = {name: node for node, name in names.items()}
    contributions: list[Step] = []
    if differentiable := isinstance(root, Value) and root.requires_grad:
        root.backward()
        contributions = list(steps(root, names=given))
    gradient = {name: leaf.grad for name, leaf in leaves.items()}
    checks = {name: _check(program, point, name, gradient[name]) for name in leaves}
    value = float(root)
    return Derivation(
        {name: leaf.data for name, leaf in leaves.items()},
        program.result_name,
        root if differentiable else None,
        names[root] if isinstance(root, Value) else program.result_name,
        given,
        value,
        rows,
        contributions,
        gradient,
        checks,
        list(_notes(program.result_name, root, rows, gradient, checks)),
    )


# -- the forward pass ----------------------------------------------------------------------------


def _rows(program: Program, values: list[Any], names: dict[Value, str]) -> Iterator[Row]:
    """Yield a row per name and varying operation; enter the names of all recorded nodes."""
    texts = program.written()
    fresh = program.fresh_names()
    given: dict[int, list[str]] = {}
    for name, position in program.names.items():
        given.setdefault(position, []).append(name)
    for position, (entry, value) in enumerate(zip(program.entries, values, strict=True)):
        own = given.get(position, [])
        if entry.variable:
            first, *others = own
            names[value] = first
        elif own:
            first, *others = own
            if isinstance(value, Value) and value not in names:
                yield from _inner_rows(value, names, fresh)
                names[value] = first
            yield _row(first, texts[position], value, names)
        else:
            continue
        for other in others:
            yield Row(other, first, float(value))


def _inner_rows(result: Value, names: dict[Value, str], fresh: Iterator[str]) -> Iterator[Row]:
    """Yield rows for what a function of several operations has recorded on the way."""
    if all(operand in names for operand in result.operands):
        return
    for node in with_order(result, list):
        if node.operands and node not in names and node is not result:
            names[node] = next(fresh)
            yield _row(names[node], _written(node, names), node, names)


def _row(name: str, text: str, value: Any, names: dict[Value, str]) -> Row:
    if not isinstance(value, Value):
        return Row(name, text, value)
    operands = tuple(names[operand] for operand in value.operands)
    return Row(name, text, value.data, value.op, operands, value.partials)


def _written(node: Value, names: dict[Value, str]) -> str:
    """Return a recorded operation as text."""
    texts = [(names[x] if isinstance(x, Value) else f"{x:.6g}", ATOM) for x in arguments(node)]
    for operator in OPERATORS.values():
        if operator.apply is node._primitive:
            return operator.written(texts)
    if node.op in FUNCTIONS:
        return FUNCTIONS[node.op].written(texts)
    return f"{node.op}({', '.join(text for text, _ in texts)})"


# -- the check -----------------------------------------------------------------------------------


def _check(program: Program, point: Mapping[str, float], name: str, exact: float) -> Check:
    def along(x: float) -> float:
        return float(program.evaluate({**point, name: x})[program.result])

    difference = finite_difference(along, point[name])
    return Check(difference, relative_difference(exact, difference.value))


# -- what to know about the point ----------------------------------------------------------------


def _notes(
    result: str,
    root: Any,
    rows: list[Row],
    gradient: Mapping[str, float],
    checks: Mapping[str, Check],
) -> Iterator[str]:
    kinks = list(dict.fromkeys(_kinks(root))) if isinstance(root, Value) else []
    yield from kinks
    for row in rows:
        if not math.isfinite(row.value):
            yield f"{row.name} = {row.expression} is {row.value} at this point"
            return
    if gradient and not (isinstance(root, Value) and root.requires_grad):
        yield f"{result} is constant on the branch taken, so its gradient is 0"
    for name, derivative in gradient.items():
        with_respect_to = f"with respect to {name}"
        difference, relative = checks[name]
        if not math.isfinite(derivative):
            yield f"the derivative of {result} {with_respect_to} is {derivative} at this point"
        elif relative <= DISAGREEMENT:
            continue
        elif abs(difference.value - derivative) <= 10.0 * difference.error:
            yield (
                f"the derivative {with_respect_to} is too small beside {result} for finite"
                f" differences, which err by about {difference.error:.0e} here"
            )
        elif not kinks:
            yield (
                f"the finite difference {with_respect_to} disagrees: {result} may have no"
                " derivative at this point, and the gradient is then that of the branch taken"
            )


def _kinks(root: Value) -> Iterator[str]:
    """Yield a sentence for each operation that has no derivative where it was evaluated."""
    for node in with_order(root, list):
        primitive, operands = node._primitive, [float(x) for x in arguments(node)]
        if primitive in (piecewise.maximum, piecewise.minimum):
            if operands[0] == operands[1]:
                yield f"{node.op} has no derivative at a tie; each partial is taken as 0.5"
        elif len(operands) == 1 and operands[0] in getattr(primitive, "kinks", ()):
            place = operands[0] + 0.0  # which is the same place, 0, for -0.0
            yield (
                f"{node.op} has no derivative at {place:g}; its partial is taken as"
                f" {node.partials[0]:g}"
            )
