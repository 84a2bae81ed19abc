"""The table's formulas as syntax trees: what typesetting and SymPy read.

A formula is a Python expression, with ``…`` in those of n-ary operations: ``x[0] + x[1] + …``.
"""

from __future__ import annotations

import ast
from functools import cache
from typing import Any, NamedTuple

SERIES = "series"
"""The name that stands in a tree for the terms that ``…`` continues."""

_CONTINUED = "continued"


class Formula(NamedTuple):
    """A formula, read.

    Attributes
    ----------
    tree : ast.expr
        The expression; where it had ``x[0] + x[1] + …`` stands the name ``series``.
    term : ast.expr or None
        The term that is continued, with ``x[1]`` for the operand: None if there is no ``…``.
    between : str
        What stands between the terms: ``"+"``, ``"*"`` or ``","``.
    names : frozenset of str
        The names in the formula.
    """

    tree: ast.expr
    term: ast.expr | None
    between: str
    names: frozenset[str]


class _SeriesReader(ast.NodeTransformer):
    """Replaces ``x[0] + x[1] + continued`` by ``series``."""

    term: ast.expr | None = None
    between = ""

    def visit_BinOp(self, node: ast.BinOp) -> Any:  # ast's name
        if _is_continued(node.right) and isinstance(node.left, ast.BinOp):
            self.term = node.left.right
            self.between = "+" if isinstance(node.op, ast.Add) else "*"
            return ast.Name(SERIES, ast.Load())
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> Any:  # ast's name
        if len(node.args) == 3 and _is_continued(node.args[-1]):
            self.term, self.between = node.args[1], ","
            return ast.Call(node.func, [ast.Name(SERIES, ast.Load())], [])
        return self.generic_visit(node)


def _is_continued(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == _CONTINUED


@cache
def formula_of(text: str) -> Formula | None:
    """Read a formula; None if there is none, or if it is not a Python expression.

    Examples
    --------
    >>> import ast
    >>> from autograd_lite.formulas import formula_of
    >>> found = formula_of("log(exp(x[0]) + exp(x[1]) + …)")
    >>> ast.unparse(found.tree), ast.unparse(found.term), found.between
    ('log(series)', 'exp(x[1])', '+')
    """
    try:
        tree = ast.parse(text.strip().replace("…", _CONTINUED), mode="eval").body
    except SyntaxError:
        return None
    names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    reader = _SeriesReader()
    tree = reader.visit(tree)
    return Formula(tree, reader.term, reader.between, names)


class Operands(NamedTuple):
    """What the names in a formula stand for.

    Attributes
    ----------
    single : dict
        An operand for ``x``, or for ``a``, ``b``, ``c``; the result for ``y``. Of an n-ary
        operation: the last operand for ``freedom``.
    lists : dict
        The operands of an n-ary operation, for ``x``, or half of them for ``x``, half for ``y``.
    rest : tuple
        What is left over by two lists: what the sum starts from.
    """

    single: dict[str, Any]
    lists: dict[str, tuple[Any, ...]]
    rest: tuple[Any, ...] = ()


def operands_by_name(primitive: Any, operands: tuple[Any, ...], result: Any) -> Operands:
    """Give the operands of a primitive the names that its formulas use."""
    if not primitive.variadic:
        letters = "x" if primitive.arity == 1 else "abcdefgh"
        return Operands({**dict(zip(letters, operands, strict=False)), "y": result}, {})
    n, second = _lists(primitive, len(operands))
    single = {"y": result}
    if second == "y":
        lists = {"x": operands[:n], "y": operands[n : 2 * n]}
        return Operands(single, lists, operands[2 * n :])
    if second == "freedom":
        single["freedom"] = operands[n]
    return Operands(single, {"x": operands[:n]})


def _lists(primitive: Any, count: int) -> tuple[int, str]:
    """Return how many of an n-ary operation's operands are called x, and what comes after them."""
    found = formula_of(primitive.formula)
    if found is not None and "y" in found.names:
        return count // 2, "y"
    if found is not None and "freedom" in found.names:
        return count - 1, "freedom"
    return count, ""


def derivative_of(primitive: Any, position: int, count: int) -> tuple[Formula | None, int]:
    """Return the textbook derivative with respect to one of ``count`` operands, and its index i.

    None if the table states none.
    """
    which, index = 0, 0
    if not primitive.variadic:
        which = position
    else:
        n, second = _lists(primitive, count)
        which, index = divmod(position, n)
        if which == 2 and second == "y":  # what a sum of products starts from
            return formula_of("1"), 0
    stated = primitive.derivatives
    return (formula_of(stated[which]) if which < len(stated) else None), index
