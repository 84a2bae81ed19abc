"""The paths between two nodes of a graph: how many there are, and which weigh most.

Neither lists them all: there can be more than there are atoms. Both walk once over the graph, in
the order of the backward pass.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from heapq import nsmallest
from typing import NamedTuple

from autograd_lite.graphs import Graph, GraphEdge
from autograd_lite.node import edges
from autograd_lite.value import Value


class Path(NamedTuple):
    """One way from a result y down to an operand x.

    Attributes
    ----------
    product : float
        The partials multiplied, from y's side on: what this path contributes to dy/dx.
    nodes : tuple of Value
        From y to x, both included.
    names : tuple of str
        What the graph calls them.
    edges : tuple of GraphEdge
        The operands that the path takes, from y's side on; ``x * x`` has two edges to x.
    """

    product: float
    nodes: tuple[Value, ...]
    names: tuple[str, ...]
    edges: tuple[GraphEdge, ...]

    @property
    def partials(self) -> tuple[float, ...]:
        """The local partial of each edge, from y's side on."""
        return tuple(edge.partial for edge in self.edges)


def descendants(graph: Graph, index: int) -> bytearray:
    """Return for every node 1 if it is the one with this index or was computed from it, else 0."""
    found = bytearray(len(graph))
    found[index] = 1
    for edge in graph.edges:
        if found[edge.operand]:
            found[edge.consumer] = 1
    return found


def count_paths(graph: Graph, index: int) -> int:
    """Return the number of paths from the root to a node, as an exact int.

    The numbers can have as many digits as the graph has nodes, so each is dropped once it has
    been passed on to the operands.

    Examples
    --------
    >>> from autograd_lite import Value, graph
    >>> from autograd_lite.paths import count_paths
    >>> y = x = Value(1.0)
    >>> for _ in range(40):
    ...     y = y * y
    >>> count_paths(graph(y), 0)
    1099511627776
    """
    leading = descendants(graph, index)
    values, place = graph._values, graph._index
    waiting = {len(graph) - 1: 1} if leading[-1] else {}
    for node in range(len(graph) - 1, index, -1):
        here = waiting.pop(node, 0)
        if here:
            for value, _ in edges(values[node]):
                operand = place[value]
                if leading[operand]:
                    waiting[operand] = waiting.get(operand, 0) + here
    return waiting.get(index, 0)


_Candidate = tuple[float, float, int, int]
"""What an entry will hold, but for the node."""


class _Entries(NamedTuple):
    """Beginnings of paths, from the root on: each is another one and a further edge."""

    product: array[float]
    partial: array[float]
    shorter: array[int]  # -1 for the root itself
    node: array[int]
    position: array[int]


def largest_paths(graph: Graph, index: int, most: int) -> Iterator[Path]:
    """Yield the paths from the root to a node with the largest products in absolute value.

    Largest first; of equals the one that the backward pass takes first. NaN counts as larger than
    any number.

    The best beginnings that end in a node are among those that go on from the best beginnings
    that end in its consumers, since a product with a larger factor is not smaller, rounded too.
    """
    leading = descendants(graph, index)
    if not leading[-1]:
        return
    values, place = graph._values, graph._index
    entries = _Entries(array("d"), array("d"), array("q"), array("q"), array("q"))
    waiting: dict[int, list[_Candidate]] = {len(graph) - 1: [(1.0, 1.0, -1, 0)]}
    for node in range(len(graph) - 1, index - 1, -1):
        candidates = waiting.pop(node, None)
        if candidates is None:
            continue
        first = len(entries.product)
        for product, partial, shorter, position in nsmallest(most, candidates, key=_smallness):
            entries.product.append(product)
            entries.partial.append(partial)
            entries.shorter.append(shorter)
            entries.node.append(node)
            entries.position.append(position)
        if node == index:
            break
        for position, (value, partial) in enumerate(edges(values[node])):
            operand = place[value]
            if leading[operand]:
                arriving = waiting.setdefault(operand, [])
                arriving += [
                    (entries.product[entry] * partial, partial, entry, position)
                    for entry in range(first, len(entries.product))
                ]
                if len(arriving) > 100 + 10 * most:
                    arriving[:] = nsmallest(most, arriving, key=_smallness)
    for entry in range(first, len(entries.product)):
        yield _traced(graph, entries, entry)


def _smallness(candidate: _Candidate) -> tuple[bool, float]:
    """Sort by this for NaN first, then the largest absolute value."""
    product = candidate[0]
    is_number = product == product
    return is_number, -abs(product) if is_number else 0.0


def _traced(graph: Graph, entries: _Entries, entry: int) -> Path:
    """Return the path that ends with an entry."""
    product = entries.product[entry]
    taken: list[GraphEdge] = []
    operand = entries.node[entry]
    nodes = [operand]
    while entries.shorter[entry] >= 0:
        position, partial = entries.position[entry], entries.partial[entry]
        entry = entries.shorter[entry]
        consumer = entries.node[entry]
        taken.append(GraphEdge(operand, consumer, position, partial))
        nodes.append(consumer)
        operand = consumer
    nodes.reverse()
    taken.reverse()
    return Path(
        product,
        tuple(graph._values[node] for node in nodes),
        tuple(graph._names[node] for node in nodes),
        tuple(taken),
    )
