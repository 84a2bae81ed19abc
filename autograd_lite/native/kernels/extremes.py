"""Extremes of many operands, and what is scaled by the largest of them so as not to overflow.

The functions take whether to vectorise the mathematics over lanes, and give the formula of the
value and that of what the chain rule adds.
"""

from __future__ import annotations

import math
from typing import Any

from autograd_lite.native.kernels.blocks import Formula, Node, inlined, room
from autograd_lite.native.kernels.translation import translated


def _largest(smallest: bool) -> Any:
    """Return a compiled function that writes the largest operand, or the smallest; or a NaN."""

    def largest(node: Node, found: Any) -> None:
        x = node.index[node.begin] * node.lanes + node.lane
        for i in range(node.width):
            found[i] = node.v[x + i]
        for k in range(node.begin + 1, node.end):
            x = node.index[k] * node.lanes + node.lane
            for i in range(node.width):
                best, number = found[i], float(node.v[x + i])
                kept = best < number if smallest else number < best
                found[i] = best if kept or best != best else number

    return inlined(largest)


def _hits(x: float, y: float) -> bool:
    """Tell whether both are the same number, or NaN; without branches, which lanes cannot take."""
    return (x == y) | ((x != x) & (y != y))


def _extreme(smallest: bool) -> tuple[Formula, Formula]:
    block, largest, hits = room(), _largest(smallest), inlined(_hits)

    def forward(node: Node) -> None:
        found = block(1)
        largest(node, found)
        for i in range(node.width):
            node.v[node.result + i] = found[i]

    def backward(node: Node) -> None:
        """Operands that attain the result, or are NaN as it is, share the derivative."""
        v, g, index = node.v, node.g, node.index
        counts, adjoint = block(1), block(1)
        for i in range(node.width):
            counts[i] = 0.0
            adjoint[i] = g[node.result + i]
        for k in range(node.begin, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                counts[i] = counts[i] + (1.0 if hits(v[x + i], v[node.result + i]) else 0.0)
        for i in range(node.width):
            counts[i] = adjoint[i] * (1.0 / counts[i])
            adjoint[i] = adjoint[i] * 0.0
        for k in range(node.begin, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                hit = hits(v[x + i], v[node.result + i])
                g[x + i] += counts[i] if hit else adjoint[i]

    return forward, backward


def max_of(vectorised: bool) -> tuple[Formula, Formula]:
    """The largest operand."""
    return _extreme(smallest=False)


def min_of(vectorised: bool) -> tuple[Formula, Formula]:
    """The smallest operand."""
    return _extreme(smallest=True)


def logsumexp(vectorised: bool) -> tuple[Formula, Formula]:
    """Shifted by the largest operand; its own term, exactly 1, is left to log1p."""
    block, largest = room(), _largest(smallest=False)
    exp = translated(math.exp, vectorised=vectorised)
    log1p = translated(math.log1p, vectorised=vectorised)

    def forward(node: Node) -> None:
        v, index = node.v, node.index
        shift, rest, counted = block(1), block(1), block(1)
        largest(node, shift)
        for i in range(node.width):
            rest[i] = 0.0
            counted[i] = 0.0
        for k in range(node.begin, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                number = float(v[x + i])
                term = exp(number - shift[i])
                own = (counted[i] == 0.0) & (shift[i] <= number)
                counted[i] = 1.0 if own else counted[i]
                rest[i] = rest[i] + (0.0 if own else term)
        for i in range(node.width):
            found = shift[i] + log1p(rest[i])
            v[node.result + i] = found if abs(shift[i]) < math.inf else shift[i]

    def backward(node: Node) -> None:
        """The softmax. (Where the largest is infinite, exp(x - y), of which nothing is divided.)"""
        v, g, index = node.v, node.g, node.index
        shift, whole = block(1), block(1)
        largest(node, shift)
        for k in range(node.begin, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                term = exp(float(v[x + i]) - shift[i])
                whole[i] = whole[i] + term if k > node.begin else term
        for i in range(node.width):
            if not abs(shift[i]) < math.inf:
                shift[i], whole[i] = v[node.result + i], 1.0
        for k in range(node.begin, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                share = exp(float(v[x + i]) - shift[i]) / whole[i]
                g[x + i] += g[node.result + i] * share

    return forward, backward


# -- the norm --------------------------------------------------------------------------------------

LARGEST_EXPONENT = 1022
LARGEST_SCALE = 2.0**LARGEST_EXPONENT
SPLITTER = 134217729.0  # 2²⁷ + 1: halves a float's digits


def _square_error(x: float, square: float) -> float:
    """Return x² - square, exactly, for square = x² rounded (T. J. Dekker, 1971)."""
    scaled = x * SPLITTER
    head = scaled - (scaled - x)
    tail = x - head
    return ((head * head - square) + 2.0 * head * tail) + tail * tail


def norm(vectorised: bool) -> tuple[Formula, Formula]:
    """Scaled by a power of two, so that no square overflows."""
    block, lengths = room(), _lengths()

    def forward(node: Node) -> None:
        scales, length = block(1), block(1)
        lengths(node, scales, length)
        for i in range(node.width):
            node.v[node.result + i] = length[i] / scales[i]

    def backward(node: Node) -> None:
        v, g, index = node.v, node.g, node.index
        scales, length = block(1), block(1)
        lengths(node, scales, length)
        for i in range(node.width):  # as far up as can be, for partials that are subnormal
            factor = 2.0 if scales[i] < LARGEST_SCALE and length[i] < math.inf else 1.0
            scales[i], length[i] = scales[i] * factor, length[i] * factor
        for k in range(node.begin, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                partial = 0.0 if length[i] == 0.0 else v[x + i] * scales[i] / length[i]
                g[x + i] += g[node.result + i] * partial

    return forward, backward


def _lengths() -> Any:
    """Return a compiled function: of the operands times a power of two, the norm, and that power.

    The squares are summed with their rounding errors, and the root is corrected once, which is what
    Python's `math.hypot` does.
    """
    block, square_error = room(), inlined(_square_error)
    frexp, ldexp, sqrt = (translated(f) for f in (math.frexp, math.ldexp, math.sqrt))

    def lengths(node: Node, scales: Any, length: Any) -> None:
        v, index = node.v, node.index
        largest, sums, lost = block(1), block(1), block(1)
        for i in range(node.width):
            largest[i] = 0.0
        for k in range(node.begin, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                size = abs(float(v[x + i]))
                largest[i] = size if size > largest[i] else largest[i]
        for i in range(node.width):
            scales[i] = 1.0
            if 0.0 < largest[i] < math.inf:
                scales[i] = ldexp(1.0, min(-frexp(largest[i])[1], LARGEST_EXPONENT))
            sums[i], lost[i] = 1.0, 0.0
        for k in range(node.begin, node.end):
            x = index[k] * node.lanes + node.lane
            for i in range(node.width):
                number = v[x + i] * scales[i]
                square = number * number
                larger = sums[i] + square
                error = square - (larger - sums[i])
                lost[i] = lost[i] + (square_error(number, square) + error)
                sums[i] = larger
        for i in range(node.width):
            root = sqrt(sums[i] - 1.0 + lost[i])
            square = root * root
            rest = sums[i] - square
            error = -square - (rest - sums[i])
            rest = rest - 1.0 + (lost[i] - square_error(root, square) + error)
            root = root + rest / (2.0 * root) if root > 0.0 else root
            length[i] = root if largest[i] < math.inf else math.inf

    return inlined(lengths)
