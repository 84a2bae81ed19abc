"""The table's formulas evaluated with SymPy."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from autograd_lite.formulas import SERIES, Formula, Operands, formula_of, operands_by_name


def applied(primitive: Any, operands: tuple[Any, ...]) -> Any:
    """Return an operation on expressions of SymPy."""
    import sympy

    formula = formula_of(primitive.formula)
    if formula is None:
        return sympy.Function(primitive.name)(*operands)
    bound = operands_by_name(primitive, operands, None)
    return sympy.Add(evaluated(formula, bound), *bound.rest)


def evaluated(formula: Formula, operands: Operands, index: int = 0) -> Any:
    """Return a formula of the table for operands of SymPy, for the operand x[index] if n-ary."""
    return _Evaluator(formula, operands, index).value(formula.tree)


def exact_number(x: float) -> Any:
    """Return a whole number or a short binary fraction as an exact number, else a float."""
    import sympy

    if x - x != 0.0:
        return sympy.nan if x != x else sympy.oo if x > 0.0 else -sympy.oo
    numerator, denominator = x.as_integer_ratio()
    if denominator <= 1024 and abs(numerator) < 2**53:
        return sympy.Rational(numerator, denominator)
    return sympy.Float(x)


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Mod: operator.mod,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _functions() -> dict[str, Callable[..., Any]]:
    """Return what formulas call and SymPy calls otherwise, or lacks."""
    import sympy

    def trunc(x: Any) -> Any:
        return sympy.sign(x) * sympy.floor(sympy.Abs(x))

    return {
        "abs": sympy.Abs,
        "max": sympy.Max,
        "min": sympy.Min,
        "ceil": sympy.ceiling,
        "trunc": trunc,
        "fmod": lambda a, b: a - b * trunc(a / b),
        "cbrt": lambda x: sympy.sign(x) * sympy.Abs(x) ** sympy.Rational(1, 3),
        "copysign": lambda a, b: sympy.Abs(a) * sympy.Piecewise((1, b >= 0), (-1, True)),
        "hypot": lambda a, b: sympy.sqrt(a**2 + b**2),
        "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    }


class _Evaluator:
    """Evaluates the tree of a formula with SymPy; the depth is that of a formula of the table."""

    def __init__(self, formula: Formula, operands: Operands, index: int) -> None:
        self._formula = formula
        self._operands = operands
        self._index = index
        self._functions = _functions()

    def value(self, node: ast.expr) -> Any:
        return getattr(self, f"_{type(node).__name__.lower()}")(node)

    def _constant(self, node: ast.Constant) -> Any:
        assert isinstance(node.value, int | float)
        return exact_number(float(node.value))

    def _name(self, node: ast.Name) -> Any:
        import sympy

        if node.id == SERIES:
            combine = sympy.Add if self._formula.between == "+" else sympy.Mul
            return combine(*self._series())
        if node.id == "n" and self._operands.lists:
            return sympy.Integer(len(self._operands.lists["x"]))
        if node.id == "mean" and self._operands.lists:
            given = self._operands.lists["x"]
            return sympy.Add(*given) / len(given)
        return sympy.pi if node.id == "pi" else self._operands.single[node.id]

    def _series(self) -> list[Any]:
        """Return the terms that ``…`` continues."""
        assert self._formula.term is not None
        return [
            _Evaluator(self._formula, self._operands, index).value(self._formula.term)
            for index in range(len(self._operands.lists["x"]))
        ]

    def _subscript(self, node: ast.Subscript) -> Any:
        assert isinstance(node.value, ast.Name)
        return self._operands.lists[node.value.id][self._index]

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        return -self.value(node.operand)

    def _binop(self, node: ast.BinOp) -> Any:
        return _OPERATORS[type(node.op)](self.value(node.left), self.value(node.right))

    def _call(self, node: ast.Call) -> Any:
        import sympy

        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if self._formula.between == "," and _is_series(node.args[0]):
            given = self._series()
        else:
            given = [self.value(x) for x in node.args]
        function = self._functions.get(name) or getattr(sympy, name, None) or sympy.Function(name)
        return function(*given)

    def _ifexp(self, node: ast.IfExp) -> Any:
        import sympy

        condition = self.value(node.test)
        return sympy.Piecewise((self.value(node.body), condition), (self.value(node.orelse), True))

    def _compare(self, node: ast.Compare) -> Any:
        import sympy

        parts = [self.value(x) for x in (node.left, *node.comparators)]
        pairs = zip(node.ops, parts, parts[1:], strict=False)
        return sympy.And(*(_OPERATORS[type(relation)](a, b) for relation, a, b in pairs))


def _is_series(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == SERIES
