"""Random graphs of sums and products, and how a failing one is made smaller."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from autograd_lite.testing.grading.trials import Trial

LEAVES = (2.0, -3.0, 0.5)
NAMES = "abcdefghijklmnopqrstuvwxyz"


class Step(NamedTuple):
    """One operation on nodes that come before it, counted from the first leaf."""

    sign: str
    left: int
    right: int


Graph = tuple[Step, ...]


def trial(graph: Graph) -> Trial:
    """Return a graph's program: only leaves and results that are used."""
    used = _used(graph)
    names = {node: NAMES[position] for position, node in enumerate(sorted(used))}
    lines = [f"{names[n]} = Value({LEAVES[n]})" for n in sorted(used) if n < len(LEAVES)]
    for node, (sign, left, right) in enumerate(graph, len(LEAVES)):
        if node in used:
            lines.append(f"{names[node]} = {names[left]} {sign} {names[right]}")
    result = names[len(LEAVES) + len(graph) - 1]
    checks = [f"{result}.data"]
    checks += [f"{names[n]}.grad" for n in sorted(used) if n < len(LEAVES)]
    return Trial(f"a random graph ({result})", (*lines, f"{result}.backward()"), tuple(checks))


def smallest(graph: Graph, fails: Callable[[Graph], bool]) -> Graph:
    """Return a smaller graph that still fails: no operation of it can be left out."""
    position = len(graph) - 1
    while position >= 0:
        for operand in (graph[position].left, graph[position].right):
            shorter = _without(graph, position, operand)
            if shorter and fails(shorter):
                graph = shorter
                position = len(graph)
                break
        position -= 1
    return graph


def _without(graph: Graph, position: int, operand: int) -> Graph:
    """Return a graph without one operation: its consumers take one of its operands instead."""
    gone = len(LEAVES) + position

    def moved(node: int) -> int:
        node = operand if node == gone else node
        return node - 1 if node > gone else node

    after = (Step(s, moved(left), moved(right)) for s, left, right in graph[position + 1 :])
    return (*graph[:position], *after)


def _used(graph: Graph) -> set[int]:
    """Return the nodes that the last one depends on."""
    used = {len(LEAVES) + len(graph) - 1}
    for node, step in reversed(list(enumerate(graph, len(LEAVES)))):
        if node in used:
            used |= {step.left, step.right}
    return used


def _random(random: Random, size: int) -> Graph:
    """Draw a graph in which recent nodes are likely operands, as they are in real ones."""
    steps = []
    for node in range(len(LEAVES), len(LEAVES) + size):
        left, right = (max(0, node - 1 - int(random.expovariate(0.5))) for _ in range(2))
        steps.append(Step(random.choice("++*"), left, right))
    return tuple(steps)


_DRAWN = tuple(_random(Random(seed), 2 + seed % 8) for seed in range(24))
DRAWN: dict[Trial, Graph] = {trial(graph): graph for graph in _DRAWN}
"""The graphs of the random trials."""

GRAPHS = tuple(DRAWN)
