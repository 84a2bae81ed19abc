"""Matrix products in a recording: `dot` nodes that multiply the same numbers by other weights."""

from __future__ import annotations

from typing import Any, NamedTuple

from autograd_lite.native.lowering.flat import Flat
from autograd_lite.primitives import nary

WORTH_A_CALL = 512  # multiplications without lanes, and
WORTH_A_CALL_WITH_LANES = 8  # with them, from which on a call of a matrix product pays


class Product(NamedTuple):
    """The product of a matrix of weights and columns of inputs: m rows, n terms, T columns.

    Attributes
    ----------
    weights : list of m tuples of n nodes
        Without lanes.
    inputs : list of T tuples of n nodes
        With lanes T is 1, and each node stands for the numbers of all lanes.
    outputs : list of T lists of m nodes
    starts : list of T lists of m nodes, or None
        What the sums start from.
    """

    weights: list[tuple[int, ...]]
    inputs: list[tuple[int, ...]]
    outputs: list[list[int]]
    starts: list[list[int]] | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """m, n and T."""
        return len(self.weights), len(self.weights[0]), len(self.inputs)


class _Dot(NamedTuple):
    """One `dot` node: its weights and inputs."""

    node: int
    weights: tuple[int, ...]
    inputs: tuple[int, ...]
    start: tuple[int, ...]

    def alike(self, level: Any, active: Any) -> tuple[int, bool, bool]:
        """Return what all nodes of one product have in common."""
        return int(level[self.node]), bool(active[self.node]), bool(self.start)


def products_of(flat: Flat, *, live: Any, varies: Any, active: Any, level: Any) -> list[Product]:
    """Find the products among the nodes that are needed.

    Parameters
    ----------
    flat : Flat
    live, varies, active : arrays (n,) of bool
        Whether a node's number is needed, is another one in every lane, and gets a gradient.
    level : int array (n,)
        The longest way to a leaf; nodes of one level do not depend on each other.
    """
    nodes = [node for node in flat.using(nary.dot_product).tolist() if live[node]]
    if not nodes:
        return []
    lanes = varies.tolist()  # a list is quicker to look things up in
    split = {node: _halves(flat.operands_of(node)) for node in nodes}
    with_lanes, without = [], []
    for node, (xs, ys, start) in split.items():
        if not lanes[node]:
            without.append((node, xs, ys, start))
        elif not any(lanes[s] for s in start):
            dot = _with_uniform_weights(node, xs, ys, start, lanes)
            if dot is not None:
                with_lanes.append(dot)
    found = []
    for group in _sharing_inputs(with_lanes, level, active):
        product = _product([group])
        if _work(product) >= WORTH_A_CALL_WITH_LANES:
            found.append(product)
    groups = _sharing_inputs(_oriented(without), level, active)
    for columns in _sharing_weights(groups, level, active):
        product = _product(columns)
        if _work(product) >= WORTH_A_CALL:
            found.append(product)
    return found


def _halves(operands: list[int]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    n = len(operands) // 2
    return tuple(operands[:n]), tuple(operands[n : 2 * n]), tuple(operands[2 * n :])


def _with_uniform_weights(
    node: int,
    xs: tuple[int, ...],
    ys: tuple[int, ...],
    start: tuple[int, ...],
    lanes: list[bool],
) -> _Dot | None:
    """Return the node with the factors that are the same in all lanes as its weights."""
    pairs = [*zip(xs, ys, strict=True)]
    if any(lanes[x] == lanes[y] for x, y in pairs):
        return None
    weights, inputs = zip(*[(y, x) if lanes[x] else (x, y) for x, y in pairs], strict=True)
    return _Dot(node, weights, inputs, start)


def _oriented(dots: list[Any]) -> list[_Dot]:
    """Take as inputs of each node that half which more of them share."""
    users: dict[tuple[int, ...], int] = {}
    for _, xs, ys, _ in dots:
        for half in (xs, ys):
            users[half] = users.get(half, 0) + 1
    return [
        _Dot(node, xs, ys, start) if users[ys] >= users[xs] else _Dot(node, ys, xs, start)
        for node, xs, ys, start in dots
    ]


def _sharing_inputs(dots: list[_Dot], level: Any, active: Any) -> list[list[_Dot]]:
    """Group the nodes that multiply the same inputs and are alike."""
    groups: dict[Any, list[_Dot]] = {}
    for dot in dots:
        key = dot.inputs, dot.alike(level, active)
        groups.setdefault(key, []).append(dot)
    return list(groups.values())


def _sharing_weights(groups: list[list[_Dot]], level: Any, active: Any) -> list[list[list[_Dot]]]:
    """Put groups with the same weights side by side, as columns."""
    columns: dict[Any, list[list[_Dot]]] = {}
    for group in groups:
        weights = tuple(dot.weights for dot in group)
        key = weights, group[0].alike(level, active)
        columns.setdefault(key, []).append(group)
    return list(columns.values())


def _product(columns: list[list[_Dot]]) -> Product:
    first = columns[0]
    starts = [[dot.start[0] for dot in group] for group in columns] if first[0].start else None
    return Product(
        [dot.weights for dot in first],
        [group[0].inputs for group in columns],
        [[dot.node for dot in group] for group in columns],
        starts,
    )


def _work(product: Product) -> int:
    m, n, columns = product.shape
    return m * n * columns
