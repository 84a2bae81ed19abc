"""The backward pass taken apart: each contribution of the chain rule, in order of the sweep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from autograd_lite.graphs import Graph
from autograd_lite.node import edges
from autograd_lite.sweep import adjoints, with_order
from autograd_lite.value import Value


class Step(NamedTuple):
    """What one consumer adds to the gradient of one of its operands.

    Attributes
    ----------
    node, operand : Value
        The consumer, and the operand whose gradient grows.
    node_name, operand_name : str
        What the graph calls them.
    upstream : float
        The gradient of the consumer, complete by then.
    partial : float
        ∂node / ∂operand, recorded when the operation ran.
    contribution : float
        ``upstream * partial``.
    total : float
        The gradient of the operand so far, with this contribution.
    index, count : int
        This is contribution number ``index`` (from 1) of ``count`` to the operand's gradient.
    """

    node: Value
    operand: Value
    node_name: str
    operand_name: str
    upstream: float
    partial: float
    contribution: float
    total: float
    index: int  # type: ignore[assignment]  # stands above tuple's method
    count: int  # type: ignore[assignment]


class ForwardStep(NamedTuple):
    """One operation of the forward pass.

    Attributes
    ----------
    node : Value
        What was computed.
    name : str
        What the graph calls it.
    expression : str
        The operation in terms of the names of its operands.
    data : float
        The result.
    """

    node: Value
    name: str
    expression: str
    data: float


class Steps:
    """The contributions of a backward pass, one by one; see `steps`.

    Attributes
    ----------
    graph : Graph
        The graph that the steps walk over.
    """

    def __init__(self, root: Value, names: Mapping[str, Any] | None = None) -> None:
        self.graph = Graph(root, names)
        if not root.requires_grad:
            raise RuntimeError(
                f"{self.graph.root.name!r} needs no gradient, so there are no steps: it is a"
                " constant, or it was computed from constants only, or under no_grad()"
            )
        self._values = [node.value for node in self.graph]
        self._names = {node.value: node.name for node in self.graph}
        self._adjoints = with_order(root, lambda order: adjoints(order, 1.0, 0.0))[1:]

    def __len__(self) -> int:
        return sum(self._counts().values())

    def _counts(self) -> Counter[Value]:
        return Counter(
            operand for node in self._values for operand, _ in edges(node) if operand.requires_grad
        )

    def __iter__(self) -> Iterator[Step]:
        counts = self._counts()
        indices: Counter[Value] = Counter()
        totals = dict.fromkeys(self._values, 0.0)
        for node, upstream in zip(reversed(self._values), reversed(self._adjoints), strict=True):
            for operand, partial in edges(node):
                if not operand.requires_grad:
                    continue
                contribution = upstream * partial
                totals[operand] += contribution
                indices[operand] += 1
                yield Step(
                    node,
                    operand,
                    self._names[node],
                    self._names[operand],
                    upstream,
                    partial,
                    contribution,
                    totals[operand],
                    indices[operand],
                    counts[operand],
                )

    def forward(self) -> Iterator[ForwardStep]:
        """Yield the operations of the forward pass, in the order in which they could have run."""
        for node in self.graph:
            if node.op:
                expression = self.graph.expression(node.index)
                yield ForwardStep(node.value, node.name, expression, node.data)


def steps(root: Value, *, names: Mapping[str, Any] | None = None) -> Steps:
    """Return the steps of the backward pass from ``root``, in the order of the sweep.

    Reading them changes nothing: they can be had before or after one's own ``backward()``, and no
    ``.data`` or ``.grad`` is touched.

    Parameters
    ----------
    root : Value
        Where the backward pass starts, with gradient 1.
    names : mapping of str to Value, optional
        Names for the nodes, as in `graph`.

    Returns
    -------
    Steps
        To iterate over, to show, to save.

    Raises
    ------
    TypeError
        If ``root`` is not a Value.
    RuntimeError
        If ``root`` needs no gradient.

    Examples
    --------
    >>> from autograd_lite import Value, sin, steps
    >>> x = Value(2.0)
    >>> a = x**2
    >>> f = a * sin(a)
    >>> for step in steps(f, names=locals()):
    ...     print(step.operand_name, step.contribution, step.total, (step.index, step.count))
    a -0.7568024953079282 -0.7568024953079282 (1, 2)
    v1 4.0 4.0 (1, 1)
    a -2.6145744834544478 -3.3713769787623757 (2, 2)
    x -13.485507915049503 -13.485507915049503 (1, 1)
    """
    return Steps(root, names)
