"""The backward pass taken apart: each contribution of the chain rule, in order of the sweep.

What shows them (a table, a terminal, a page) imports this module; `stepping` imports those.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from itertools import islice
from typing import Any, NamedTuple, Self, SupportsFloat

from autograd_lite.graphs import Graph
from autograd_lite.node import edges
from autograd_lite.primitives import number
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
    before, total : float
        The gradient of the operand so far, without and with this contribution.
    index, count : int
        This is contribution number ``index`` (from 1) of ``count`` to the operand's gradient.
    position : int
        Which operand of the consumer it is, from 0, as in `GraphEdge`.
    number : int
        The place of the step in the sweep, from 1.
    """

    node: Value
    operand: Value
    node_name: str
    operand_name: str
    upstream: float
    partial: float
    contribution: float
    before: float
    total: float
    index: int  # type: ignore[assignment]  # stands above tuple's method
    count: int  # type: ignore[assignment]
    position: int
    number: int


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


class Condition(NamedTuple):
    """What to stop at; see `BackwardPass.watch`."""

    node: Value | None
    zero: bool
    nan: bool
    larger_than: float | None

    def holds(self, step: Step) -> bool:
        """Whether a step is to the node (if one is given) and of the size (if one is given)."""
        if self.node is not None and step.operand is not self.node:
            return False
        contribution = step.contribution
        if not (self.zero or self.nan or self.larger_than is not None):
            return True
        return (
            (self.zero and contribution == 0.0)
            or (self.nan and contribution != contribution)
            or (self.larger_than is not None and abs(contribution) > self.larger_than)
        )


class _Sweep:
    """What a step cannot look up in the graph, worked out as far as it was asked for."""

    def __init__(self, graph: Graph, adjoints: Sequence[float], needed: Sequence[int]) -> None:
        self._given = graph, adjoints, needed
        self._start()

    def _start(self) -> None:
        self.consumer, self.position, self.index = array("q"), array("q"), array("q")
        self.before = array("d")
        self._rest = _sweep(*self._given, self.consumer, self.position, self.index, self.before)

    def reach(self, step: int) -> None:
        """Go on until a step is worked out."""
        missing = step + 1 - len(self.before)
        if missing > 0:
            try:
                for _ in islice(self._rest, missing):
                    pass
            except BaseException:  # such as Ctrl-C: a generator that was left cannot go on
                self._start()
                raise


def _sweep(
    graph: Graph,
    adjoints: Sequence[float],
    needed: Sequence[int],
    consumers: array[int],
    positions: array[int],
    indices: array[int],
    before: array[float],
) -> Iterator[None]:
    """Append to the four arrays, one step after the other."""
    values, place = graph._values, graph._index
    totals, seen = array("d", bytes(8 * len(values))), array("q", bytes(8 * len(values)))
    for consumer in range(len(values) - 1, -1, -1):
        upstream = adjoints[consumer]
        for position, (operand, partial) in enumerate(edges(values[consumer])):
            at = place[operand]
            if needed[at]:
                seen[at] += 1
                consumers.append(consumer)
                positions.append(position)
                indices.append(seen[at])
                before.append(totals[at])
                totals[at] += upstream * partial
                yield


class BackwardPass(Sequence[Step]):
    """The contributions of a backward pass, as a sequence that is worked out as far as it is read.

    Nothing is written to the Values, and what happens to them later does not show.

    Attributes
    ----------
    graph : Graph
        The graph that the steps walk over.
    conditions : tuple of Condition
        What `watch` was given.
    begins_forward : bool
        Whether the operations of the forward pass are shown before the contributions.
    """

    def __init__(
        self, root: Value, names: Mapping[str, Any] | None = None, *, forward: bool = False
    ) -> None:
        self.graph = Graph(root, names)
        self.begins_forward = forward
        self.conditions: tuple[Condition, ...] = ()
        if not root.requires_grad:
            raise RuntimeError(
                f"{self.graph.root.name!r} needs no gradient, so there are no steps: it is a"
                " constant, or it was computed from constants only, or under no_grad()"
            )
        self._adjoints = array("d", with_order(root, lambda order: adjoints(order, 1.0, 0.0))[1:])
        self._needed = bytes(value.requires_grad for value in self.graph._values)
        self._counts = array("q", bytes(8 * len(self.graph)))
        place = self.graph._index
        for value in self.graph._values:
            for operand, _ in edges(value):
                self._counts[place[operand]] += 1
        self._length = sum(
            n for n, needed in zip(self._counts, self._needed, strict=True) if needed
        )
        self._sweep = _Sweep(self.graph, self._adjoints, self._needed)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        try:
            index = range(self._length)[index]
        except IndexError:
            raise IndexError(
                f"step {index} was asked for, but there are {self._length} steps"
            ) from None
        except TypeError:
            raise TypeError(
                f"steps are asked for by number, got {type(index).__name__}: {index!r}"
            ) from None
        self._sweep.reach(index)
        consumer, position = self._sweep.consumer[index], self._sweep.position[index]
        node = self.graph._values[consumer]
        operand, partial = edges(node)[position]
        at = self.graph._index[operand]
        upstream, before = self._adjoints[consumer], self._sweep.before[index]
        return Step(
            node,
            operand,
            self.graph._names[consumer],
            self.graph._names[at],
            upstream,
            partial,
            upstream * partial,
            before,
            before + upstream * partial,
            self._sweep.index[index],
            self._counts[at],
            position,
            index + 1,
        )

    def __iter__(self) -> Iterator[Step]:
        for index in range(self._length):
            yield self[index]

    def __repr__(self) -> str:
        return f"<steps of {self.graph.root.name!r}: {len(self)} contributions>"

    def forward(self) -> Iterator[ForwardStep]:
        """Yield the operations of the forward pass, in the order in which they could have run.

        Examples
        --------
        >>> from autograd_lite import Value, sin, steps
        >>> x = Value(2.0, label="x")
        >>> [step.expression for step in steps(sin(x**2)).forward()]
        ['x ** 2', 'sin(v1)']
        """
        for node in self.graph:
            if node.op:
                expression = self.graph.expression(node.index)
                yield ForwardStep(node.value, node.name, expression, node.data)

    # -- search and breakpoints -------------------------------------------------------------------

    def find(
        self,
        node: Value | str | None = None,
        *,
        zero: bool = False,
        nan: bool = False,
        larger_than: SupportsFloat | None = None,
    ) -> Iterator[Step]:
        """Yield the steps to a node, or with a contribution of some size, in order.

        Parameters
        ----------
        node : Value or str, optional
            Contributions to the gradient of this Value, or of the one with this name.
        zero, nan : bool
            Contributions that are 0; that are NaN.
        larger_than : float, optional
            Contributions whose absolute value is larger than this.

        Yields
        ------
        Step
            A step to ``node``, if one is given, that has one of the sizes, if any is given.

        Raises
        ------
        KeyError
            If the graph has no such node.
        ValueError
            If no condition is given, or ``larger_than`` is negative or NaN.

        Examples
        --------
        >>> from autograd_lite import Value, relu, steps
        >>> x = Value(-1.0, label="x")
        >>> y = 1000.0 * x + relu(x)
        >>> [step.total for step in steps(y).find(x)]
        [0.0, 1000.0]
        >>> next(steps(y).find(zero=True)).operand_name
        'x'
        """
        condition = self._condition(node, zero, nan, larger_than)
        return (step for step in self if condition.holds(step))

    def watch(
        self,
        node: Value | str | None = None,
        *,
        zero: bool = False,
        nan: bool = False,
        larger_than: SupportsFloat | None = None,
    ) -> Self:
        """Return the same steps with a breakpoint at those that `find` would yield.

        The table marks them, and in a terminal the key b goes to the next one.

        Parameters
        ----------
        node, zero, nan, larger_than
            As in `find`. Several calls add up.

        Raises
        ------
        KeyError, ValueError
            As in `find`.

        Examples
        --------
        >>> from autograd_lite import Value, steps
        >>> x = Value(3.0, label="x")
        >>> watched = steps(x * x + 2.0 * x).watch(larger_than=2.5).watch(nan=True)
        >>> [step.number for step in watched if watched.stops_at(step)]
        [4, 5]
        """
        condition = self._condition(node, zero, nan, larger_than)
        watched = copy(self)
        watched.conditions = (*self.conditions, condition)
        return watched

    def stops_at(self, step: Step) -> bool:
        """Whether a step is one that `watch` was told of."""
        return any(condition.holds(step) for condition in self.conditions)

    def _condition(
        self, node: Value | str | None, zero: bool, nan: bool, larger_than: SupportsFloat | None
    ) -> Condition:
        if node is None and not zero and not nan and larger_than is None:
            raise ValueError("a condition is needed: a node, zero=True, nan=True or larger_than=…")
        bound = None if larger_than is None else number(larger_than, "a number for larger_than")
        if bound is not None and not bound >= 0.0:
            raise ValueError(f"larger_than bounds an absolute value, so it is ≥ 0, got {bound}")
        found = None if node is None else self.graph.find(node).value
        return Condition(found, zero, nan, bound)
