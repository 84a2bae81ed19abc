"""`to_sympy`: what was recorded as an expression of SymPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autograd_lite.graphs import Graph
from autograd_lite.node import arguments
from autograd_lite.value import Value

if TYPE_CHECKING:
    import sympy


def to_sympy(root: Value, *, names: Mapping[str, Any] | None = None) -> sympy.Expr:
    """Return what ``root`` was computed from as an expression of SymPy.

    Parameters
    ----------
    root : Value
        The result.
    names : mapping of str to Value, optional
        Names for the nodes, as in `graph`; those of leaves become symbols.

    Returns
    -------
    sympy.Expr
        Its symbols are real (``sympy.Symbol("x", real=True)``), one per leaf; constants without
        a name are numbers, exact if they are whole or a short binary fraction. An operation whose
        formula SymPy cannot express is an undefined function of its name.

    Raises
    ------
    TypeError
        If ``root`` is not a Value.
    ModuleNotFoundError
        If SymPy is not installed.

    Notes
    -----
    The formulas are the textbook's, not the accurate ones that the engine evaluates: numbers that
    SymPy computes from them with 15 digits can be the worse ones. Operations that are used twice
    are one object of SymPy's, but many of SymPy's functions write them out twice.

    Examples
    --------
    >>> from autograd_lite import Value, sin, to_sympy
    >>> x = Value(2.0, label="x")
    >>> expression = to_sympy(x * sin(x))
    >>> expression
    x*sin(x)
    >>> (x,) = expression.free_symbols
    >>> expression.diff(x)
    x*cos(x) + sin(x)
    """
    graph = Graph(root, names)
    try:
        from sympy import Symbol
    except ModuleNotFoundError:
        raise ModuleNotFoundError("to_sympy needs SymPy: pip install sympy") from None

    from autograd_lite.sympy_formulas import applied, exact_number

    found: list[Any] = []
    for node in graph:
        if node.op:
            given = tuple(
                found[graph.find(x).index] if isinstance(x, Value) else exact_number(x)
                for x in arguments(node.value)
            )
            found.append(applied(node.value._primitive, given))
        elif node.kind == "constant" and not node.value.label and node.name not in (names or {}):
            found.append(exact_number(node.data))
        else:
            found.append(Symbol(node.name, real=True))
    return found[-1]
