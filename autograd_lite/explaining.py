"""`explain`: a derivative taken apart by paths, dy/dx as a sum over all ways from y down to x."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograd_lite.graphs import Graph
from autograd_lite.notation import (
    UNICODE,
    Symbols,
    encodable,
    factor,
    padded,
    printable,
    short,
    symbols_for,
    width,
)
from autograd_lite.paths import Path, count_paths, largest_paths
from autograd_lite.sweep import adjoints, with_order
from autograd_lite.value import Value

if TYPE_CHECKING:
    from autograd_lite.drawing.pictures import Drawing


class Explanation:
    """The derivative of y with respect to x as a sum over paths; see `explain`.

    Attributes
    ----------
    total : float
        dy/dx, the very number that ``y.backward()`` adds to ``x.grad``.
    count : int
        How many paths there are.
    paths : tuple of Path
        The largest of them, by the absolute value of their products, largest first; of equals the
        one that the backward pass takes first. NaN counts as larger than any number.
    remainder : float
        What the paths that are not listed contribute together: ``total`` minus the sum of the
        listed products; 0.0 if all are listed.
    graph : Graph
        The graph of y, which gave the names.
    y_name, x_name : str
        What y and x are called.

    Notes
    -----
    The backward pass multiplies and adds in another order, which rounds otherwise: products and
    remainder add up to ``total`` but for some 1e-16 of the largest product per operation.
    """

    def __init__(self, graph: Graph, x: Value, x_name: str, max_paths: int) -> None:
        self.graph = graph
        self.y_name, self.x_name = graph.root.name, x_name
        self.total, self.count, self.remainder = 0.0, 0, 0.0
        self.paths: tuple[Path, ...] = ()
        try:
            index = graph.find(x).index
        except KeyError:
            return
        self.count = count_paths(graph, index)
        self.paths = tuple(largest_paths(graph, index, max_paths))
        y = graph.root.value
        self.total = with_order(y, lambda order: adjoints(order, 1.0, 0.0))[index + 1]
        if self.count > len(self.paths):
            self.remainder = self.total - sum(path.product for path in self.paths)

    def __repr__(self) -> str:
        return (
            f"<d{self.y_name}/d{self.x_name} = {self.total!r}: {_counted(self.count)} paths,"
            f" {len(self.paths)} listed>"
        )

    def __str__(self) -> str:
        """Return a sentence with the derivative and the number of paths, and the table."""
        return _in_console(
            lambda symbols: "\n".join([self._heading(symbols), *self._lines(symbols)])
        )

    def table(self) -> str:
        """Return the listed paths as text, one line each, with what remains and the sum.

        A sign ``≈`` stands where the shown digits, six at most, do not give the shown result.

        Examples
        --------
        >>> from autograd_lite import Value, explain
        >>> x = Value(3.0, label="x")
        >>> print(explain(x * x - x, x).table())
        path         partials  product
        v2 → v1 → x  1 · 3     = 3
        v2 → v1 → x  1 · 3     = 3
        v2 → x       -1        = -1
        sum                    = 5
        """
        return _in_console(lambda symbols: "\n".join(self._lines(symbols)))

    def drawing(self, path: int | None = None, **options: Any) -> Drawing:
        """Draw the graph with the listed paths highlighted, or with one of them.

        Parameters
        ----------
        path : int, optional
            Which of ``paths``, from 0; all of them by default.
        **options
            As for `draw`: ``direction``, ``show``, ``max_nodes``, ``depth``, ``expand``.

        Returns
        -------
        Drawing

        Raises
        ------
        TypeError
            If ``path`` is not an int.
        IndexError
            If there is no such path.

        Examples
        --------
        >>> from autograd_lite import Value, explain
        >>> x = Value(3.0, label="x")
        >>> picture = explain(x * x - x, x).drawing(2)
        >>> picture.svg.count('class="edge highlighted"')
        1
        """
        from autograd_lite.drawing.pictures import draw

        if path is not None and type(path) is not int:
            raise TypeError(f"path is an int or None, got {type(path).__name__}: {path!r}")
        if path is not None and not 0 <= path < len(self.paths):
            raise IndexError(f"path {path} was asked for, but {len(self.paths)} are listed")
        chosen = self.paths if path is None else self.paths[path : path + 1]
        taken = dict.fromkeys(edge for each in chosen for edge in each.edges)
        names = dict(zip(self.graph._names, self.graph._values, strict=True))
        return draw(self.graph.root.value, names=names, highlight=taken, **options)

    def _repr_html_(self) -> str:
        """Return the sentence and the table for a notebook."""
        from html import escape

        rows = [
            "".join(f'<td style="text-align: left">{escape(cell)}</td>' for cell in row)
            for row in self._rows(UNICODE)[1:]
        ]
        heads = "".join(
            f'<th style="text-align: left">{name}</th>' for name in ("path", "partials", "product")
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        return f"<p>{escape(self._heading(UNICODE))}</p>{table if self.count else ''}"

    def _heading(self, symbols: Symbols) -> str:
        y, x = printable(self.y_name), printable(self.x_name)
        derivative = symbols.derivative(y, x)
        if self.count == 0:
            return f"{derivative} = 0: no path leads from {y} down to {x}"
        total = short(self.total)
        sign = symbols.almost if float(total) < self.total or float(total) > self.total else "="
        if self.count == 1:
            return f"{derivative} {sign} {total}, the product along the only path"
        return f"{derivative} {sign} {total}, the sum over {_counted(self.count)} paths"

    def _rows(self, symbols: Symbols) -> list[tuple[str, str, str]]:
        """Return the cells of the table, its heads first."""
        rows = [("path", "partials", "product")]
        for path in self.paths:
            route = _shortened([printable(name) for name in path.names])
            factors = _shortened([factor(x) for x in path.partials])
            if len(path.partials) == 1:
                factors = [short(path.partials[0])]
            shown = path.partials if len(factors) == len(path.partials) else None
            sign = "=" if _agree(math.prod, shown, path.product) else symbols.almost
            rows.append(
                (
                    f" {symbols.arrow} ".join(route),
                    f" {symbols.times} ".join(factors),
                    f"{sign} {short(path.product + 0.0)}",  # -0 is 0
                )
            )
        terms = [path.product for path in self.paths]
        if self.count > len(self.paths):
            rest = f"{_counted(self.count - len(self.paths))} more"
            rows.append((rest, "", f"{symbols.almost} {short(self.remainder)}"))
            terms.append(self.remainder)
        if self.count > 1:
            sign = "=" if _agree(sum, terms, self.total) else symbols.almost
            rows.append(("sum", "", f"{sign} {short(self.total)}"))
        return rows

    def _lines(self, symbols: Symbols) -> list[str]:
        if not self.count:
            return []
        rows = self._rows(symbols)
        widths = [max(width(row[column]) for row in rows) for column in range(3)]
        return ["  ".join(map(padded, row, widths)).rstrip() for row in rows]


def explain(
    y: Value, x: Value, *, names: Mapping[str, Any] | None = None, max_paths: int = 10
) -> Explanation:
    """Return dy/dx as the sum over all paths from y down to x of the products of partials.

    Works before and after one's own ``backward()`` and changes nothing. The paths are counted
    without listing them, so that a graph may have 10¹² of them and more.

    Parameters
    ----------
    y, x : Value
        The result, and what it is differentiated with respect to: a leaf or anything between.
    names : mapping of str to Value, optional
        Names for the nodes, as in `graph`.
    max_paths : int
        How many paths are listed at most, the largest.

    Returns
    -------
    Explanation
        With ``total``, ``count``, ``paths`` and ``remainder``; a table as text and in notebooks.
        If y was not computed from x, ``count`` is 0 and ``total`` 0.0.

    Raises
    ------
    TypeError
        If y or x is not a Value, or ``max_paths`` not an int.
    RuntimeError
        If y or x needs no gradient.
    ValueError
        If ``max_paths`` is less than 1.

    Notes
    -----
    dy/dx = Σ over paths y = v₀ → v₁ → … → vₙ = x of Π ∂vᵢ₋₁/∂vᵢ (F. L. Bauer, Computational graphs
    and rounding error, 1974).

    Examples
    --------
    >>> from autograd_lite import Value, explain, sin
    >>> x = Value(2.0)
    >>> a = x**2
    >>> b = sin(a)
    >>> c = a + b
    >>> f = c * a
    >>> print(explain(f, x, names=locals()))
    ∂f/∂x ≈ 18.5145, the sum over 3 paths
    path               partials                 product
    f → c → a → x      4 · 1 · 4                = 16
    f → a → x          3.2432 · 4               = 12.9728
    f → c → b → a → x  4 · 1 · (-0.653644) · 4  ≈ -10.4583
    sum                                         = 18.5145
    """
    for name, given in (("y", y), ("x", x)):
        if not isinstance(given, Value):
            raise TypeError(
                f"explain expected a Value for {name}, got {type(given).__name__}: {given!r}"
            )
    if type(max_paths) is not int:
        raise TypeError(f"max_paths is an int, got {type(max_paths).__name__}: {max_paths!r}")
    if max_paths < 1:
        raise ValueError(f"max_paths must be at least 1, got {max_paths}")
    graph = Graph(y, names)
    try:
        x_name = graph.find(x).name
    except KeyError:
        x_name = x.label or Graph(x, names).root.name
        while x_name in graph._names:  # of a node of y, which x is not
            x_name += "'"
    for name, value in ((graph.root.name, y), (x_name, x)):
        if not value.requires_grad:
            raise RuntimeError(
                f"{name!r} needs no gradient, so there is no derivative to explain: it is a"
                " constant, or it was computed from constants only, or under no_grad()"
            )
    return Explanation(graph, x, x_name, max_paths)


def _in_console(text: Callable[[Symbols], str]) -> str:
    """Return text in signs that the console can show."""
    import sys

    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return encodable(text(symbols_for(encoding)), encoding)


def _counted(count: int) -> str:
    """Return a number with commas, or its order of magnitude where nobody would read it."""
    return f"{count:,}" if count < 10**18 else f"about 10^{math.log10(count):.0f}"


def _shortened(parts: list[str]) -> list[str]:
    """Leave out the middle of a long list."""
    if len(parts) <= 10:
        return parts
    return [*parts[:4], f"… {len(parts) - 8} more …", *parts[-4:]]


def _agree(
    combine: Callable[[Sequence[Any]], Any], terms: Sequence[float] | None, result: float
) -> bool:
    """Whether an equation holds exactly between numbers as they are shown (None: not all are)."""
    if terms is None:
        return False
    if not all(x - x == 0.0 for x in (*terms, result)):
        return True
    from fractions import Fraction

    return bool(combine([Fraction(short(x)) for x in terms]) == Fraction(short(result)))
