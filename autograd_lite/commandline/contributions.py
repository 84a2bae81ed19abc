"""The backward pass taken apart: one contribution per edge, in the order of the sweep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from autograd_lite.node import edges
from autograd_lite.sweep import with_order
from autograd_lite.value import Value


class Contribution(NamedTuple):
    """What one consumer adds to the gradient of one of its operands.

    Attributes
    ----------
    node, operand : Value
        The consumer and its operand.
    upstream : float
        The gradient of the consumer.
    partial : float
        The derivative of the consumer with respect to the operand.
    contribution : float
        ``upstream * partial``.
    total : float
        The gradient of the operand so far, with this contribution.
    """

    node: Value
    operand: Value
    upstream: float
    partial: float
    contribution: float
    total: float


def contributions(root: Value) -> Iterator[Contribution]:
    """Yield what `Value.backward`, called on ``root`` before, has added up.

    Examples
    --------
    >>> from autograd_lite import Value
    >>> from autograd_lite.commandline.contributions import contributions
    >>> x = Value(3.0)
    >>> y = x * x
    >>> y.backward()
    >>> [(step.contribution, step.total) for step in contributions(y)]
    [(3.0, 3.0), (3.0, 6.0)]
    """
    order: list[Value] = with_order(root, list)
    totals = dict.fromkeys(order, 0.0)
    for node in reversed(order):
        for operand, partial in edges(node):
            if operand.requires_grad:
                contribution = node.grad * partial
                totals[operand] += contribution
                yield Contribution(node, operand, node.grad, partial, contribution, totals[operand])
