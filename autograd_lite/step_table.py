"""The steps of a backward pass, and the operations before it, as lines of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from autograd_lite.contributions import BackwardPass, Step
from autograd_lite.graphs import Graph
from autograd_lite.notation import Symbols, padded, printable, product, short, summed, width

MOST_PARTIALS = 4


class StepText(NamedTuple):
    """A step in words: what grows, by which rule, with which numbers, to what."""

    gradient: str
    rule: str
    numbers: str
    contribution: str
    total: str
    place: str


def in_words(step: Step, symbols: Symbols) -> StepText:
    """Write out a step.

    Examples
    --------
    >>> from autograd_lite import Value, steps
    >>> from autograd_lite.notation import ASCII
    >>> from autograd_lite.step_table import in_words
    >>> x = Value(3.0, label="x")
    >>> for text in in_words(steps(x * x)[1], ASCII):
    ...     print(text)
    x.grad
    v1.grad * d v1/d x
    1 * 3
    = 3
    3 + 3 = 6
    2 of 2
    """
    node, operand = printable(step.node_name), printable(step.operand_name)
    grown = product(step.upstream, step.partial, step.contribution, symbols)
    total = summed(step.before, step.contribution, step.total, symbols)
    return StepText(
        f"{operand}.grad",
        f"{node}.grad {symbols.times} {symbols.derivative(node, operand)}",
        grown.terms,
        f"{grown.sign} {grown.result}",
        str(total) if step.index > 1 else total.result,
        f"{step.index} of {step.count}",
    )


class OperationText(NamedTuple):
    """An operation in words: what was computed, how, to what, with which local partials."""

    name: str
    expression: str
    result: str
    partials: str


def operation_in_words(
    graph: Graph, index: int, symbols: Symbols, name: Callable[[str], str] = printable
) -> OperationText:
    """Write out an operation of the forward pass; ``name`` says how names are written.

    Examples
    --------
    >>> from autograd_lite import Value, graph
    >>> from autograd_lite.notation import ASCII
    >>> from autograd_lite.step_table import operation_in_words
    >>> x = Value(3.0, label="x")
    >>> operation_in_words(graph(x * x), 1, ASCII)
    OperationText(name='v1', expression='x * x', result='9', partials='d v1/d x = 3, d v1/d x = 3')
    """
    node = graph[index]
    pairs = list(zip(node.operands, node.partials, strict=True))
    partials = [
        f"{symbols.derivative(name(node.name), name(graph[operand].name))} = {short(partial)}"
        for operand, partial in pairs[:MOST_PARTIALS]
    ]
    if len(pairs) > MOST_PARTIALS:
        partials.append(f"{len(pairs)} in all")
    return OperationText(
        name(node.name), printable(graph.expression(index)), short(node.data), ", ".join(partials)
    )


def step_table(walk: BackwardPass, symbols: Symbols, most: int | None = None) -> str:
    """Return the steps as a table, one line each; of more than ``most`` the first and the last."""
    left_out = 0 if most is None else max(len(walk) - most, 0)
    half = (len(walk) - left_out) // 2
    chosen = [*range(half), *range(half + left_out, len(walk))]
    root = printable(walk.graph.root.name)
    rows = [("step", "chain rule", "numbers", "contribution", "running sum", "")]
    rows.append(("0", f"{root}.grad = {symbols.derivative(root, root)}", "", "= 1", "1", ""))
    for place in chosen:
        step = walk[place]
        text = in_words(step, symbols)
        star = "*" if walk.stops_at(step) else ""
        rule = f"{text.gradient} += {text.rule}"
        rows.append(
            (f"{star}{step.number}", rule, text.numbers, text.contribution, text.total, text.place)
        )
    widths = [max(width(row[column]) for row in rows) for column in range(6)]
    lines = [
        "  ".join([row[0].rjust(widths[0]), *map(padded, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
    if left_out:
        lines.insert(half + 2, f"{symbols.gap} {left_out} more {symbols.gap}")
    return "\n".join(lines)
