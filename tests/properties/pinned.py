"""Every primitive by the textbook, at 320 bits, on the piece of it that a float run took.

Nothing here comes from the engine's own formulas: only the text that stands beside them in the
table. A condition (``a > 0``) is decided by the floats of the run, all else by exact numbers.
"""

from __future__ import annotations

import ast
from functools import cache, cached_property
from types import CodeType
from typing import Any, NamedTuple

from mpmath import mp, mpf
from textbook import FUNCTIONS

from autograd_lite.primitives import TABLE

BITS = 320

LINEAR = {
    *("floor", "ceil", "round", "sign", "copysign", "relu", "abs", "+", "-", "neg", "%", "fmod"),
    *("total", "mean", "max_of", "min_of", "maximum", "minimum", "clamp", "hardtanh", "where"),
}
"""Primitives that are linear between kinks: pinned, they are the tangent at the run's operands."""

CROSSED = {
    "clamp": "1 if a > c or b > c else 0",
    "hardtanh": "1 if a >= c or b > c else 0",
}
"""Derivatives for the upper limit that also hold where it is below the lower one."""

EXTREMES = {"maximum": max, "max_of": max, "minimum": min, "min_of": min}


# -- from the table's text to code -----------------------------------------------------------------


class _Pinned(ast.NodeTransformer):
    """Turns literals into exact numbers, and asks the run on which side of a kink it was."""

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        name = f"_{len(self.constants)}"
        self.constants[name] = mpf(node.value)
        return ast.copy_location(ast.Name(name, ast.Load()), node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        test = _OfTheRun().visit(node.test)
        self.generic_visit(node)
        node.test = test
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "abs":
            (x,) = node.args
            assert isinstance(x, ast.Name)
            side = ast.Call(ast.Name("sign", ast.Load()), [ast.Name(f"{x.id}_run", ast.Load())], [])
            return ast.copy_location(ast.BinOp(x, ast.Mult(), side), node)
        return node


class _OfTheRun(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(f"{node.id}_run", ast.Load()), node)


class _Code(NamedTuple):
    code: CodeType
    names: dict[str, Any]

    def __call__(self, operands: dict[str, Any]) -> Any:
        return eval(self.code, self.names, operands)


@cache
def compiled(text: str) -> _Code:
    """Make a formula of exact numbers, pinned to a run if it has conditions."""
    transformer = _Pinned()
    tree = ast.fix_missing_locations(transformer.visit(ast.parse(text, mode="eval")))
    names = FUNCTIONS | {"pi": mp.pi} | transformer.constants
    return _Code(compile(tree, text, "eval"), names)


def expanded(text: str, n: int) -> str:
    """Write out what ``…`` stands for: ``x[0] + x[1] + …`` as ``x[0] + x[1] + x[2]`` for n = 3."""
    while "…" in text:
        end = text.index("…")
        depth, start = 0, end
        while start and depth >= 0:
            start -= 1
            depth += {")": 1, "(": -1}.get(text[start], 0)
        start += depth < 0
        between = text[:end].rstrip()[-1]
        separator = ", " if between == "," else f" {between} "
        term = text[start:end].split(separator)[0]
        series = separator.join(term.replace("[0]", f"[{i}]") for i in range(n))
        text = text[:start] + series + text[end + 1 :]
    return text


# -- one primitive ---------------------------------------------------------------------------------


class Textbook:
    """Value and partials of one primitive with a number of operands, as the textbook has them."""

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.count = count
        self.variadic = TABLE[name].variadic

    @cached_property
    def texts(self) -> tuple[str, list[str]]:
        """The formula, and one derivative per operand."""
        primitive, name, n = TABLE[self.name], self.name, self.count
        if not self.variadic:
            derivatives = list(primitive.derivatives)
            if name in CROSSED:
                derivatives[2] = CROSSED[name]
            return primitive.formula, derivatives
        terms = {"dot": n // 2, "var": n - 1}.get(name, n)
        value = expanded(primitive.formula, terms)
        derivatives = [
            expanded(primitive.derivatives[0], terms).replace("[i]", f"[{i}]") for i in range(terms)
        ]
        if name == "dot":
            start = ["1"] if n % 2 else []
            value += f" + x[{n - 1}]" * len(start)
            xs = [primitive.derivatives[1].replace("[i]", f"[{i}]") for i in range(terms)]
            derivatives = [*derivatives, *xs, *start]
        if name == "prod":  # instead of a division by x[i], which may be 0
            derivatives = [
                " * ".join(f"x[{j}]" for j in range(n) if j != i) or "1" for i in range(n)
            ]
        if name == "var":
            mean = expanded("(x[0] + x[1] + …)", terms) + f" / {terms}"
            value = value.replace("mean", f"({mean})").replace("freedom", f"x[{n - 1}]")
            derivatives.append(primitive.derivatives[1].replace("y", f"({value})"))
            derivatives = [
                d.replace("mean", f"({mean})").replace("freedom", f"x[{n - 1}]")
                for d in derivatives
            ]
        return value, derivatives

    @cached_property
    def _value(self) -> _Code:
        return compiled(self.texts[0])

    @cached_property
    def _partials(self) -> list[_Code]:
        return [compiled(text) for text in self.texts[1]]

    def _named(self, operands: list[Any], run: list[Any]) -> dict[str, Any]:
        if self.variadic:
            half = self.count // 2
            ys = operands[half : 2 * half] if self.name == "dot" else None
            return {"x": operands, "y": ys, "x_run": run, "n": self.count}
        if self.count == 1:
            return {"x": operands[0], "x_run": run[0]}
        names = dict(zip("abc", operands, strict=False))
        return names | dict(zip(("a_run", "b_run", "c_run"), run, strict=False))

    def value(self, operands: list[Any], run: list[Any]) -> Any:
        return self._value(self._named(operands, run))

    def partial(self, i: int, operands: list[Any], run: list[Any]) -> Any:
        return self._partials[i](self._named(operands, run))

    def tangent(self, operands: list[Any], run: list[float]) -> tuple[Any, list[Any]]:
        """Return value and partials of the linear piece the run was on."""
        at = [mpf(x) for x in run]
        if self.name in EXTREMES:
            value = EXTREMES[self.name](at)
            share = 1 / mpf(at.count(value))  # at a tie in equal parts
            partials = [share if x == value else mpf(0) for x in at]
        else:
            names = self._named(at, at)
            value = self._value(names)
            if not self.variadic:
                names["y"] = value
            partials = [mpf(partial(names)) for partial in self._partials]
        moved = (p * (x - x0) for p, x, x0 in zip(partials, operands, at, strict=True))
        return sum(moved, value), partials


@cache
def textbook(name: str, count: int) -> Textbook:
    return Textbook(name, count)


# -- precision -------------------------------------------------------------------------------------

SATURATING = {
    *("expm1", "sinh", "cosh", "tanh", "sigmoid", "softplus", "log_sigmoid", "elu", "selu", "silu"),
    "mish",
}
GAUSSIAN = {"erf", "erfc", "normal_cdf", "gelu"}
GONE = 800.0
"""exp(-800) is 0 in floats, and in sums with 1 at the precision used."""


def decay(name: str, run: list[float]) -> float:
    """Return the largest t for which exp(-t) is added to something of size 1."""
    x = abs(run[0])
    if name in SATURATING:
        return 2.0 * x if x < GONE else 0.0
    if name in ("logaddexp", "logsumexp"):
        largest = max(run)
        return max(largest - x for x in run if largest - x < GONE)
    if name in GAUSSIAN:
        return x * x if x * x < 2.0 * GONE else 0.0
    if name == "gelu_tanh":
        exponent = 1.6 * (x + 0.045 * x**3)
        return exponent if exponent < GONE else 0.0
    return 0.0


def bits(name: str, run: list[float]) -> int:
    """Return how many bits a textbook formula needs where it cancels, as ``1 - tanh(x)**2`` does.

    Twice what is lost, since the formulas are also differentiated by differences.
    """
    lost = 1.5 * decay(name, run)
    return BITS if lost < 30.0 else BITS + 2 * round(lost)
