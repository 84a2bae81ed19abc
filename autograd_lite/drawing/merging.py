"""Nodes that do the same in different places: a loop over samples or weights seen as one box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.drawing.clusters import OUTSIDE, Clusters
from autograd_lite.graphs import Graph, kind_of
from autograd_lite.node import arguments
from autograd_lite.value import Value

CHAINED = ("+", "*")


def merged(
    graph: Graph,
    operands: list[list[int]],
    clusters: Clusters,
    closed: Callable[[int], int],
    expanded: set[int],
) -> list[int]:
    """Return a class for each node: nodes of one class are drawn as one box.

    Leaves are alike when they are of one kind in one part of the network and their names differ in
    their positions only (``x[0]``, ``x[1]``). Results are alike when they come from one operation
    in one part, with operands that are alike. A chain of additions (or products) that nothing else
    looks into, as `sum` makes it, is one class; how long it is does not matter.
    """
    consumers = [0] * len(graph)
    only: list[int] = [0] * len(graph)
    for consumer, below in enumerate(operands):
        for operand in below:
            consumers[operand] += 1
            only[operand] = consumer
    numbers: dict[Any, int] = {}
    classes: list[int] = []
    # By node in the middle of a chain: all nodes so far, and the classes of their terms.
    chains: dict[int, tuple[list[int], set[Any]]] = {}
    root = len(graph) - 1
    for index, value in enumerate(graph._values):
        cluster = closed(clusters.home[index])
        if cluster != OUTSIDE:
            key: Any = ("part", cluster)
        elif index == root or index in expanded:
            key = ("single", index)
        elif not operands[index]:
            key = ("leaf", kind_of(value), clusters.home[index], _stem(value.label))
        elif value.op in CHAINED:
            members, terms = _chain(index, value, operands[index], classes, chains)
            top = only[index]
            if (
                consumers[index] == 1
                and not value.label
                and graph._values[top].op == value.op
                and clusters.home[top] == clusters.home[index]
            ):
                chains[index] = members, terms
                classes.append(-1)
                continue
            key = (value.op, clusters.home[index], _stem(value.label), frozenset(terms))
            number = numbers.setdefault(key, len(numbers))
            for member in members[:-1]:
                classes[member] = number
            classes.append(number)
            continue
        else:
            given = _arguments(value, classes, graph)
            key = (value.op, clusters.home[index], _stem(value.label), given)
        classes.append(numbers.setdefault(key, len(numbers)))
    return classes


def _chain(
    index: int,
    value: Value,
    below: Sequence[int],
    classes: Sequence[int],
    chains: dict[int, tuple[list[int], set[Any]]],
) -> tuple[list[int], set[Any]]:
    """Return the members and terms of the chain that ends in a node, out of those it continues."""
    parts = [chains.pop(operand) for operand in dict.fromkeys(below) if operand in chains]
    parts.sort(key=lambda part: -len(part[0]))
    members, terms = parts[0] if parts else ([], set())
    for other_members, other_terms in parts[1:]:
        members += other_members
        terms |= other_terms
    members.append(index)
    terms.update(classes[operand] for operand in below if classes[operand] >= 0)
    if len(below) == 1:
        terms.add("number")
    return members, terms


def _arguments(value: Value, classes: Sequence[int], graph: Graph) -> tuple[Any, ...]:
    """Return the classes of what an operation was applied to, repetitions left out."""
    found: list[Any] = []
    for argument in arguments(value):
        if isinstance(argument, Value):
            this: Any = classes[graph._index[argument]]
        else:
            this = argument if value.op == "**" else "number"
        if not found or found[-1] != this:
            found.append(this)
    return tuple(found)


def _stem(label: str) -> str:
    """Return a label without the positions in it: ``w[]`` for ``w[2]``, ``x`` for ``x3``."""
    if not label or not any(map(str.isdigit, label)):
        return label
    return "".join(letter for letter in label if not letter.isdigit())
