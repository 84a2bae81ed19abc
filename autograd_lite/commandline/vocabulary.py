"""The words of an expression: operators, comparisons, functions and constants."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NamedTuple

from autograd_lite import functions
from autograd_lite.primitives import (
    Primitive,
    Variadic,
    activations,
    arithmetic,
    elementary,
    nary,
    piecewise,
    rounding,
)
from autograd_lite.primitives.core import counted

COMPARISON, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)
"""How tightly a written expression binds, from loosest to tightest."""


class Operator(NamedTuple):
    """What an operator does and how it is written."""

    name: str
    apply: Callable[..., Any]
    level: int

    def written(self, operands: list[tuple[str, int]], keywords: tuple[str, ...] = ()) -> str:
        """Return the expression as text; operands are texts with their levels."""
        if len(operands) == 1:
            return self.name + _bracketed(operands[0], self.level)
        left, right = operands
        if self.level == POWER:
            return f"{_bracketed(left, ATOM)}**{_bracketed(right, SIGN)}"
        tighter = _bracketed(right, self.level + 1)
        return f"{_bracketed(left, self.level)} {self.name} {tighter}"


class Function(NamedTuple):
    """What a function does and how it is called.

    One with ``pairs`` is called with two equally long lists; its operands are those of the first
    and then those of the second.
    """

    name: str
    apply: Callable[..., Any]
    parameters: tuple[str, ...]
    least: int
    most: float
    by_name: bool = False
    pairs: bool = False
    level: int = ATOM

    def written(self, operands: list[tuple[str, int]], keywords: tuple[str, ...] = ()) -> str:
        """Return the call as text; the last operands are given by keyword."""
        texts = [text for text, _ in operands]
        if self.pairs:
            half = len(texts) // 2
            return f"{self.name}([{', '.join(texts[:half])}], [{', '.join(texts[half:])}])"
        positional = len(texts) - len(keywords)
        named = [
            f"{keyword}={text}" for keyword, text in zip(keywords, texts[positional:], strict=True)
        ]
        return f"{self.name}({', '.join([*texts[:positional], *named])})"

    @property
    def takes(self) -> str:
        """Say how many arguments the function takes."""
        if self.most == math.inf:
            return f"{counted(self.least, 'argument')} or more"
        names = f" ({', '.join(self.parameters)})"
        if self.least == self.most:
            return counted(self.least, "argument") + names
        to = " or " if self.most == self.least + 1 else " to "
        return f"{self.least}{to}{counted(int(self.most), 'argument')}" + names


def _bracketed(operand: tuple[str, int], level: int) -> str:
    text, binds = operand
    return text if binds >= level else f"({text})"


OPERATORS: dict[type[ast.AST], Operator] = {
    ast.Add: Operator("+", arithmetic.add, SUM),
    ast.Sub: Operator("-", arithmetic.subtract, SUM),
    ast.Mult: Operator("*", arithmetic.multiply, PRODUCT),
    ast.Div: Operator("/", arithmetic.divided, PRODUCT),
    ast.Mod: Operator("%", arithmetic.remainder, PRODUCT),
    ast.Pow: Operator("**", arithmetic.to_the_power, POWER),
    ast.USub: Operator("-", arithmetic.negative, SIGN),
}


UNAVAILABLE: dict[type[ast.AST], str] = {
    ast.FloorDiv: "//",
    ast.MatMult: "@",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Invert: "~",
    ast.Not: "not",
}
"""Python's operators that an expression cannot use, as they are written."""

INSTEAD = {
    "^": "a power is written **",
    "//": "write floor(a / b)",
    "@": "write a product with *",
}
"""What to write in place of some of them."""


def _comparison(name: str, holds: Callable[[float, float], bool]) -> Operator:
    return Operator(name, lambda a, b: holds(float(a), float(b)), COMPARISON)


COMPARISONS: dict[type[ast.AST], Operator] = {
    ast.Lt: _comparison("<", operator.lt),
    ast.LtE: _comparison("<=", operator.le),
    ast.Gt: _comparison(">", operator.gt),
    ast.GtE: _comparison(">=", operator.ge),
    ast.Eq: _comparison("==", operator.eq),
    ast.NotEq: _comparison("!=", operator.ne),
}

CONSTANTS = {"pi": math.pi, "e": math.e}


def _function(name: str, primitive: Primitive | Variadic) -> Function:
    if isinstance(primitive, Variadic):
        return Function(name, lambda *xs: primitive(xs), (), 1, math.inf)
    parameters = ("x",) if primitive.arity == 1 else tuple("abc"[: primitive.arity])
    return Function(name, primitive, parameters, primitive.arity, primitive.arity)


def _variance(*xs: Any, correction: float = 1.0) -> Any:
    return functions.var(xs, correction)


def _dot(*factors: Any) -> Any:
    half = len(factors) // 2
    return functions.dot(factors[:half], factors[half:])


_PRIMITIVES: tuple[Primitive | Variadic, ...] = (
    elementary.exp,
    elementary.exp2,
    elementary.expm1,
    elementary.log,
    elementary.log2,
    elementary.log10,
    elementary.log1p,
    elementary.sqrt,
    elementary.cbrt,
    elementary.sin,
    elementary.cos,
    elementary.tan,
    elementary.asin,
    elementary.acos,
    elementary.atan,
    elementary.atan2,
    elementary.sinh,
    elementary.cosh,
    elementary.tanh,
    elementary.asinh,
    elementary.acosh,
    elementary.atanh,
    elementary.erf,
    elementary.erfc,
    elementary.hypot,
    activations.sigmoid,
    activations.log_sigmoid,
    activations.relu,
    activations.selu,
    activations.softplus,
    activations.silu,
    activations.mish,
    activations.softsign,
    piecewise.maximum,
    piecewise.minimum,
    rounding.sign,
    rounding.floor,
    rounding.ceil,
    rounding.rounded,
    rounding.copysign,
    arithmetic.fmod,
    arithmetic.absolute,
    piecewise.logaddexp,
    piecewise.xlogy,
    nary.total,
    nary.mean,
    nary.prod,
    nary.logsumexp,
    nary.norm,
    nary.max_of,
    nary.min_of,
)

WHERE = Function("where", functions.where, ("condition", "a", "b"), 3, 3)

FUNCTIONS: dict[str, Function] = {
    **{primitive.name: _function(primitive.name, primitive) for primitive in _PRIMITIVES},
    "leaky_relu": Function(
        "leaky_relu", functions.leaky_relu, ("x", "negative_slope"), 1, 2, by_name=True
    ),
    "elu": Function("elu", functions.elu, ("x", "alpha"), 1, 2, by_name=True),
    "gelu": Function("gelu", functions.gelu, ("x", "approximate"), 1, 2, by_name=True),
    "hardtanh": Function(
        "hardtanh", functions.hardtanh, ("x", "min_val", "max_val"), 1, 3, by_name=True
    ),
    "clamp": Function("clamp", functions.clamp, ("x", "min", "max"), 2, 3, by_name=True),
    "var": Function("var", _variance, ("xs", "correction"), 2, math.inf, by_name=True),
    "dot": Function("dot", _dot, (), 2, math.inf, pairs=True),
    "where": WHERE,
}

_ELSEWHERE = {
    "max": "maximum",
    "min": "minimum",
    "sum": "total",
    "ln": "log",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "swish": "silu",
}
"""What other languages and libraries call some of the functions."""


def closest_function(name: str) -> str | None:
    """Return the function that a misspelt or foreign name most likely means."""
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    matches = get_close_matches(name, FUNCTIONS, n=1)
    return matches[0] if matches else None
