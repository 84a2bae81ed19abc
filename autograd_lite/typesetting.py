"""`latex`: an expression, its numbers and the derivation of each gradient, typeset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autograd_lite.value import Value

if TYPE_CHECKING:
    from autograd_lite.derivations import Typeset


def latex(root: Value, *, names: Mapping[str, Any] | None = None, max_nodes: int = 60) -> Typeset:
    r"""Return what ``root`` was computed from, and the derivation of every gradient, in LaTeX.

    Works before and after one's own ``backward()`` and changes nothing.

    Parameters
    ----------
    root : Value
        The result.
    names : mapping of str to Value, optional
        Names for the nodes, as in `graph`. Indices become subscripts: ``w[2]`` is w₂.
    max_nodes : int
        Of more nodes than this, each part shows the first and the last.

    Returns
    -------
    Typeset
        Shows itself in a notebook; ``str()`` is for a document that uses the package amsmath.
        Numbers have six significant digits, and ``\approx`` where the shown digits do not give the
        shown result.

    Raises
    ------
    TypeError
        If ``root`` is not a Value, or ``max_nodes`` not an int.
    RuntimeError
        If ``root`` needs no gradient.
    ValueError
        If ``max_nodes`` is less than 2.

    Examples
    --------
    >>> from autograd_lite import Value, latex, sin
    >>> x = Value(2.0)
    >>> y = x * sin(x)
    >>> found = latex(y, names=locals())
    >>> print(found.expression)
    \begin{align*}
    y &= x \cdot \sin(x)
    \end{align*}
    >>> print(found.values)
    \begin{align*}
    x &= 2 \\
    v_{1} &= \sin(x) = \sin(2) \approx 0.909297 \\
    y &= x \cdot v_{1} \approx 2 \cdot 0.909297 \approx 1.81859
    \end{align*}
    >>> print(found.derivation.splitlines()[-2])
    &\approx 1 \cdot 0.909297 + 2 \cdot (-0.416147) \approx 0.0770038
    """
    from autograd_lite.derivations import Typeset

    if type(max_nodes) is not int:
        raise TypeError(f"max_nodes is an int, got {type(max_nodes).__name__}: {max_nodes!r}")
    if max_nodes < 2:
        raise ValueError(f"max_nodes must be at least 2, got {max_nodes}")
    return Typeset(root, names, max_nodes)
