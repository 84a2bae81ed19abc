"""Kernels of the operations on any number of operands: sums, dot products, extremes, norms.

Here the table's formulas are stated a second time (in `reductions` and `extremes`), as loops that
need no memory of their own: a formula of the table makes lists. Tests hold the two together,
values, partials and edges. The order of additions is the table's, so numbers are equal to the last
bit wherever the mathematics that is called is the same (not the norm's: it is within a unit of the
last place).

What a run's ``index`` holds: ``index[first + row - start]`` and the next one bound the places in
``index`` where the rows of this node's operands are.
"""

from __future__ import annotations

from collections.abc import Callable

from autograd_lite.native.kernels import extremes, reductions
from autograd_lite.native.kernels.blocks import BLOCK, Formula, Node, inlined
from autograd_lite.native.kernels.translation import Untranslatable
from autograd_lite.primitives import Variadic, is_stated

FORMULAS: dict[str, Callable[[bool], tuple[Formula, Formula]]] = {
    "total": reductions.total,
    "mean": reductions.mean,
    "dot": reductions.dot,
    "var": reductions.variance,
    "prod": reductions.prod,
    "max_of": extremes.max_of,
    "min_of": extremes.min_of,
    "logsumexp": extremes.logsumexp,
    "norm": extremes.norm,
}
"""By the primitive's name: from whether to vectorise, the value and what the chain rule adds."""


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
    if formulas is None or not is_stated(primitive):
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
