"""Sums and products of many operands: for each the value, and what the chain rule adds.

The functions take whether to vectorise the mathematics over lanes, of which there is none here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.native.kernels.blocks import BLOCK, Formula, Node, inlined, room


def _sum(divided: bool) -> tuple[Formula, Formula]:
    """The sum, or the mean."""
    block = room()

    def forward(node: Node) -> None:
        v, index = node.v, node.index
        sums = block(1)
        x = index[node.begin] * node.lanes + node.lane
        for i in range(node.width):
            sums[i] = v[x + i]
        for k in range(node.begin + 1, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                sums[i] = sums[i] + v[x + i]
        count = float(node.end - node.begin)
        for i in range(node.width):
            v[node.result + i] = sums[i] / count if divided else sums[i]

    def backward(node: Node) -> None:
        g, index = node.g, node.index
        adjoint = block(1)
        partial = 1.0 / float(node.end - node.begin) if divided else 1.0
        for i in range(node.width):
            adjoint[i] = g[node.result + i] * partial
        for k in range(node.begin, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                g[x + i] += adjoint[i]

    return forward, backward


def total(vectorised: bool) -> tuple[Formula, Formula]:
    """The sum."""
    return _sum(divided=False)


def mean(vectorised: bool) -> tuple[Formula, Formula]:
    """The sum over the number of operands."""
    return _sum(divided=True)


def dot(vectorised: bool) -> tuple[Formula, Formula]:
    """Operands x…, y… and, where their number is odd, what the sum starts from."""
    block = room()

    def forward(node: Node) -> None:
        v, index = node.v, node.index
        sums = block(1)
        count = (node.end - node.begin) // 2
        if (node.end - node.begin) % 2 == 1:
            skipped = 0
            x = index[node.end - 1] * node.lanes + node.lane
            for i in range(node.width):
                sums[i] = v[x + i]
        else:
            skipped = 1
            x = index[node.begin] * node.lanes + node.lane
            y = index[node.begin + count] * node.lanes + node.lane
            for i in range(node.width):
                sums[i] = float(v[x + i]) * v[y + i]
        for k in range(node.begin + skipped, node.begin + count):
            x = index[k] * node.lanes + node.lane
            y = index[k + count] * node.lanes + node.lane
            for i in range(node.width):
                sums[i] = sums[i] + float(v[x + i]) * v[y + i]
        for i in range(node.width):
            v[node.result + i] = sums[i]

    def backward(node: Node) -> None:
        v, g, index = node.v, node.g, node.index
        adjoint = block(1)
        count = (node.end - node.begin) // 2
        for i in range(node.width):
            adjoint[i] = g[node.result + i]
        for k in range(node.begin, node.begin + 2 * count):
            x = index[k] * node.lanes + node.lane
            other = k + count if k < node.begin + count else k - count
            y = index[other] * node.lanes + node.lane
            for i in range(node.width):
                g[x + i] += adjoint[i] * v[y + i]
        if (node.end - node.begin) % 2 == 1:
            x = index[node.end - 1] * node.lanes + node.lane
            for i in range(node.width):
                g[x + i] += adjoint[i]

    return forward, backward


def variance(vectorised: bool) -> tuple[Formula, Formula]:
    """Of all operands but the last, which is what the sum of squares is divided by."""
    block, take_means = room(), inlined(_means())

    def forward(node: Node) -> None:
        v, index = node.v, node.index
        means, sums = block(1), block(1)
        take_means(node, means)
        for k in range(node.begin, node.end - 1):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                deviation = v[x + i] - means[i]
                square = deviation * deviation
                sums[i] = sums[i] + square if k > node.begin else square
        freedom = index[node.end - 1] * node.lanes + node.lane
        for i in range(node.width):
            v[node.result + i] = sums[i] / v[freedom + i]

    def backward(node: Node) -> None:
        v, g, index = node.v, node.g, node.index
        means = block(1)
        take_means(node, means)
        freedom = index[node.end - 1] * node.lanes + node.lane
        for k in range(node.begin, node.end - 1):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                partial = 2.0 * (v[x + i] - means[i]) / v[freedom + i]
                g[x + i] += g[node.result + i] * partial
        for i in range(node.width):
            partial = -float(v[node.result + i]) / v[freedom + i]
            g[freedom + i] += g[node.result + i] * partial

    return forward, backward


def _means() -> Callable[[Node, Any], None]:
    def means(node: Node, found: Any) -> None:
        """Write the means of all operands but the last."""
        for k in range(node.begin, node.end - 1):
            x = node.index[k] * node.lanes + node.lane
            for i in range(node.width):
                found[i] = found[i] + node.v[x + i] if k > node.begin else float(node.v[x + i])
        for i in range(node.width):
            found[i] = found[i] / float(node.end - 1 - node.begin)

    return means


# -- products --------------------------------------------------------------------------------------

SEGMENT = 32
"""How many products of the factors after are kept; they are computed again for each segment."""


def prod(vectorised: bool) -> tuple[Formula, Formula]:
    """The partials are the products of the other factors: those before times those after."""
    block = room()

    def forward(node: Node) -> None:
        v, index = node.v, node.index
        products = block(1)
        x = index[node.begin] * node.lanes + node.lane
        for i in range(node.width):
            products[i] = v[x + i]
        for k in range(node.begin + 1, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                products[i] = products[i] * v[x + i]
        for i in range(node.width):
            v[node.result + i] = products[i]

    def backward(node: Node) -> None:
        v, g, index = node.v, node.g, node.index
        before, after = block(1), block(SEGMENT)
        for i in range(node.width):
            before[i] = 1.0
        count = node.end - node.begin
        for segment in range((count - 1) // SEGMENT + 1):  # first operands first, as `backward`
            begin = node.begin + segment * SEGMENT
            end = min(node.end, begin + SEGMENT)
            last = (end - 1 - begin) * BLOCK
            for i in range(node.width):
                after[last + i] = 1.0
            for k in range(node.end - 1, end - 1, -1):
                x = index[k] * node.lanes + node.lane
                for i in range(node.width):
                    after[last + i] = v[x + i] * after[last + i]
            for k in range(end - 1, begin, -1):
                x = index[k] * node.lanes + node.lane
                at = (k - begin) * BLOCK
                for i in range(node.width):
                    after[at - BLOCK + i] = v[x + i] * after[at + i]
            for k in range(begin, end):
                x = index[k] * node.lanes + node.lane
                at = (k - begin) * BLOCK
                for i in range(node.width):
                    g[x + i] += g[node.result + i] * (before[i] * after[at + i])
                    before[i] = before[i] * v[x + i]

    return forward, backward
