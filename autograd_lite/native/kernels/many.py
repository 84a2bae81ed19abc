"""Kernels of the operations on any number of operands: sums, dot products, extremes, norms.

Here the table's formulas are stated a second time, as loops that need no memory of their own: a
formula of the table makes lists. Tests hold the two together, values, partials and edges. The order
of additions is the table's, so numbers are equal to the last bit wherever the mathematics that is
called is the same (not the norm's: it is within a unit of the last place).

What a run's ``index`` holds: ``index[first + row - start]`` and the next one bound the places in
``index`` where the rows of this node's operands are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from autograd_lite.native.kernels.blocks import BLOCK, inlined, room
from autograd_lite.native.kernels.translation import Untranslatable, translated
from autograd_lite.primitives import TABLE, Variadic


class Node(NamedTuple):
    """What the formulas below see: one node, in some lanes next to each other.

    Attributes
    ----------
    v, g : pointers to numbers
    index : pointer to int32
    begin, end : int
        Where in ``index`` the rows of the operands are.
    result : int
        Where in ``v`` and ``g`` the node's first lane is.
    lanes : int
        How many lanes a row has.
    lane, width : int
        The first of the lanes to compute, and how many they are: `BLOCK` at most.
    """

    v: Any
    g: Any
    index: Any
    begin: int
    end: int
    result: int
    lanes: int
    lane: int
    width: int


Formula = Callable[[Node], None]


def variadic_kernel(
    primitive: Variadic,
    direction: str,
    layout: str,
    *,
    accurate: bool = False,
    dtype: str = "float64",
) -> Callable[..., None]:
    """Return the kernel of an n-ary primitive as a Python function for `building.address`.

    Every row of a run, forwards::

        v[row] = value(v[operand], …)

    or, in the opposite order of rows, for all operands from left to right::

        g[operand] += g[row] * partial

    for every lane. Several operands may be one row; adjoints of operands that need none are added
    to as well. Formulas are evaluated in float64, and their results rounded to the numbers' type.

    Parameters
    ----------
    primitive : Variadic
        One of the table.
    direction : {"forward", "backward"}
    layout : {"point", "lanes"}
        Whether rows have one lane, or any number.
    accurate : bool
        Take exponentials and logarithms of C's library in lanes too, which Python takes, instead
        of those that are evaluated for several lanes at once. Points always do.
    dtype : {"float64", "float32"}

    Returns
    -------
    callable
        With the parameters that `building` states.

    Raises
    ------
    Untranslatable
        If the primitive is not one of the table.
    """
    formulas = FORMULAS.get(primitive.name)
    if formulas is None or TABLE.get(primitive.name) is not primitive:
        raise Untranslatable(f"{primitive.name} is n-ary, and not one of the table")
    forward, backward = formulas(layout == "lanes" and not accurate)
    node = inlined(forward if direction == "forward" else backward)
    point, ascending = layout == "point", direction == "forward"

    def kernel(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        for i in range(stop - start):
            row = start + i if ascending else stop - 1 - i
            begin, end = index[first + row - start], index[first + row - start + 1]
            for lane in range(0, lanes, BLOCK):
                width = lanes - lane if lanes - lane < BLOCK else BLOCK
                node(Node(v, g, index, begin, end, row * lanes + lane, lanes, lane, width))

    return kernel


# -- sums ------------------------------------------------------------------------------------------


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


def _total(vectorised: bool) -> tuple[Formula, Formula]:
    return _sum(divided=False)


def _mean(vectorised: bool) -> tuple[Formula, Formula]:
    return _sum(divided=True)


def _dot(vectorised: bool) -> tuple[Formula, Formula]:
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


def _variance(vectorised: bool) -> tuple[Formula, Formula]:
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
"""How many products of the factors before are kept; they are computed again for each segment."""


def _prod(vectorised: bool) -> tuple[Formula, Formula]:
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
        before, after = block(SEGMENT), block(1)
        for i in range(node.width):
            after[i] = 1.0
        count = node.end - node.begin
        for segment in range((count - 1) // SEGMENT, -1, -1):
            begin = node.begin + segment * SEGMENT
            end = min(node.end, begin + SEGMENT)
            for i in range(node.width):
                before[i] = 1.0
            for k in range(node.begin, begin):
                x = index[k] * node.lanes + node.lane
                for i in range(node.width):
                    before[i] = before[i] * v[x + i]
            for k in range(begin + 1, end):
                x = index[k - 1] * node.lanes + node.lane
                at = (k - begin) * BLOCK
                for i in range(node.width):
                    before[at + i] = before[at - BLOCK + i] * v[x + i]
            for k in range(end - 1, begin - 1, -1):
                x = index[k] * node.lanes + node.lane
                at = (k - begin) * BLOCK
                for i in range(node.width):
                    g[x + i] += g[node.result + i] * (before[at + i] * after[i])
                    after[i] = v[x + i] * after[i]

    return forward, backward


# -- extremes --------------------------------------------------------------------------------------


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


def _max_of(vectorised: bool) -> tuple[Formula, Formula]:
    return _extreme(smallest=False)


def _min_of(vectorised: bool) -> tuple[Formula, Formula]:
    return _extreme(smallest=True)


def _logsumexp(vectorised: bool) -> tuple[Formula, Formula]:
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
                own = counted[i] == 0.0 and shift[i] <= number
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


def _norm(vectorised: bool) -> tuple[Formula, Formula]:
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
    frexp, ldexp, sqrt = map(translated, (math.frexp, math.ldexp, math.sqrt))

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


FORMULAS: dict[str, Callable[[bool], tuple[Formula, Formula]]] = {
    "total": _total,
    "mean": _mean,
    "dot": _dot,
    "var": _variance,
    "prod": _prod,
    "max_of": _max_of,
    "min_of": _min_of,
    "logsumexp": _logsumexp,
    "norm": _norm,
}
"""By the primitive's name: from whether to vectorise, the value and what the chain rule adds."""
