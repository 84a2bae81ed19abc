"""Topological order and the chain rule, in both directions: the only place gradients are summed.

Nothing here recurses, so a chain of a million operations is as welcome as one of three. An order
uses the nodes' ``_position`` slots, hence one sweep at a time: the caller holds `sweeping`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain, repeat
from threading import RLock
from typing import Any, TypeVar

from autograd_lite.hooks import through_hooks
from autograd_lite.modes import runtime
from autograd_lite.node import Node

Partials = tuple[Any, Any]
Result = TypeVar("Result")

_sweeping = RLock()
"""Held while an order is in use, so that threads that share leaves lose no contribution."""


def set_all(nodes: Collection[Node], attribute: str, values: Collection[Any]) -> None:
    """Set one attribute on many nodes, in one step that no signal or thread can interrupt.

    The loop runs in C and calls no Python code, so it is all or nothing. Leaves in arrays do run
    Python code; if a signal interrupts that, the loop is done once more, from start to end.
    """
    try:
        deque(map(setattr, nodes, repeat(attribute), values), maxlen=0)
    except BaseException:
        deque(map(setattr, nodes, repeat(attribute), values), maxlen=0)
        raise


def topological_order(root: Node, order: list[Any], opened: list[Any]) -> None:
    """Append all nodes below ``root`` to ``order``, operands before results; number them from 1.

    The depth-first walk descends into a first operand and leaves the others, and then the node
    itself, on a stack. A node's position is 0 until it is placed (-1 for an n-ary node whose
    operands are on the stack; these are also appended to ``opened``). So a walk that is
    interrupted, wherever that is, has changed no positions but those of ``order`` and ``opened``.
    """
    place = order.append
    stack: list[Any] = []
    push, pop = stack.append, stack.pop
    node: Any = root
    count = 0
    placed: set[int] = set()
    try:
        while True:
            if node._da is not None:
                operand = node._a
                if not operand._position:
                    push(node)
                    if node._db is not None and not node._b._position:
                        push(node._b)
                    node = operand
                    continue
                if node._db is not None:
                    operand = node._b
                    if not operand._position:
                        push(node)
                        node = operand
                        continue
            elif type(node._db) is tuple:
                if not node._position and id(node._a) not in placed:
                    opened.append(node)
                    node._position = -1
                    push(node)
                    stack.extend([x for x in reversed(node._a) if not x._position])
                    node = pop()
                    continue
                placed.add(id(node._a))
            elif node._db is not None:
                operand = node._b
                if not operand._position:
                    push(node)
                    node = operand
                    continue
            place(node)
            count += 1
            node._position = count
            node = pop()
            while node._position > 0:
                node = pop()
    except IndexError:  # from pop: nothing is left
        return


def adjoints(
    order: Sequence[Node],
    seed: Any,
    zero: Any,
    lifted: Mapping[Node, Partials] | None = None,
    *,
    hooked: Collection[Node] = (),
) -> list[Any]:
    """Sweep backward: d root / d node for every node of the order, by the chain rule.

    adjoint(operand) += adjoint(node) · ∂node/∂operand, summed over consumers in a fixed order.

    Parameters
    ----------
    order : sequence of Node
        From `with_order`; the root comes last.
    seed : float or Value
        The adjoint of the root.
    zero : object
        What the sums start from.
    lifted : mapping, optional
        Partials to use instead of the recorded ones: as Values, for higher derivatives.
    hooked : collection of Node
        Nodes whose hooks are called with their adjoints, and may change them.

    Returns
    -------
    list
        One adjoint per position; position 0 is not used.
    """
    sums = [zero] * (len(order) + 1)
    sums[-1] = seed
    pairs: Iterable[tuple[Node, Any]] = zip(reversed(order), reversed(sums), strict=False)
    if hooked:
        pairs = through_hooks(hooked, pairs, sums, zero)
    for node, adjoint in pairs:
        if lifted is None:
            da = node._da
            db = node._db
        else:
            da, db = lifted[node]
        if da is not None:
            sums[node._a._position] += adjoint * da
            if db is not None:
                sums[node._b._position] += adjoint * db
        elif db is not None:
            if type(db) is tuple:
                for operand, partial in zip(node._a, db, strict=True):
                    if partial is not None:
                        sums[operand._position] += adjoint * partial
            else:
                sums[node._b._position] += adjoint * db
    return sums


def tangents(
    order: Sequence[Node],
    seeds: Mapping[Node, Any],
    zero: Any,
    lifted: Mapping[Node, Partials] | None = None,
) -> list[Any]:
    """Sweep forward: the derivative of every node along the seeds, by the chain rule.

    tangent(node) = Σ ∂node/∂operand · tangent(operand). Arguments and result as in `adjoints`;
    ``seeds`` gives the tangents of leaves, all others are ``zero``.
    """
    along: list[Any] = [zero]
    for node in order:
        da, db = (node._da, node._db) if lifted is None else lifted[node]
        tangent = seeds.get(node, zero)
        if da is not None:
            tangent = tangent + along[node._a._position] * da
        if type(db) is tuple:
            for operand, partial in zip(node._a, db, strict=True):
                if partial is not None:
                    tangent = tangent + along[operand._position] * partial
        elif db is not None:
            tangent = tangent + along[node._b._position] * db
        along.append(tangent)
    return along


def with_order(root: Node, use: Callable[[list[Any]], Result]) -> Result:
    """Return ``use(order)`` for the topological order below ``root``; end its use in any case.

    Positions are set back by one call into C, the first thing that happens when the order is no
    longer needed: Python delivers signals (Ctrl-C) before or after such a call.
    """
    with _sweeping:
        if runtime.sweeping:
            raise RuntimeError(
                "a backward or forward sweep was started inside another one (by a formula,"
                " a hook or a signal handler); start it after the first has ended"
            )
        order: list[Any] = []
        opened: list[Any] = []
        cleared = map(setattr, chain(opened, order), repeat("_position"), repeat(0))
        runtime.sweeping = True
        try:
            try:
                topological_order(root, order, opened)
                return use(order)
            finally:
                deque(cleared, maxlen=0)
        finally:
            runtime.sweeping = False
