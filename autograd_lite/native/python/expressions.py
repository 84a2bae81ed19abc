"""Operations and their partials as Python text, read off the table of primitives.

A formula of the table runs on whatever has operators. Here it runs on `Text`, whose operators write
down what they are asked to do; so no formula is stated a second time. A formula that branches
cannot be written down in that way: it is called by a name instead, such as ``relu_dx``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from autograd_lite.native.tape import LANE_MEAN, LANE_VARIANCE, PICK, Special
from autograd_lite.primitives import Primitive, Variadic, is_stated
from autograd_lite.primitives.ieee import RAISED_BY_FLOATS, again

LONGEST = 40  # letters of a partial that is written out
MOST_QUESTIONS = 8  # of a partial that is written out
WRITTEN_OUT = 6  # terms of a sum or dot that is written with operators
NAMES = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "**": "power", "%": "modulo"}
"""What operators are called in the names of their partials."""

_INFIX = {"+": ast.Add, "-": ast.Sub, "*": ast.Mult, "/": ast.Div, "**": ast.Pow, "%": ast.Mod}


class Branches:
    """Answers the questions that a formula asks, along one way after the other."""

    def __init__(self) -> None:
        self.answers: list[bool] = []
        self.asked = 0

    def ask(self) -> bool:
        self.asked += 1
        if self.asked > MOST_QUESTIONS:
            raise TypeError("the formula branches too often")
        if self.asked > len(self.answers):
            self.answers.append(True)
        return self.answers[self.asked - 1]

    def turn(self) -> bool:
        """Go on to the next way; tell whether there is one."""
        while self.answers and not self.answers[-1]:
            self.answers.pop()
        if self.answers:
            self.answers[-1] = False
        self.asked = 0
        return bool(self.answers)


class Text:
    """An expression that is being written: operators and primitives on it give longer ones."""

    __slots__ = ("branches", "tree")
    __hash__ = None  # type: ignore[assignment]  # nothing here is hashed

    def __init__(self, tree: ast.expr, branches: Branches) -> None:
        self.tree = tree
        self.branches = branches

    def __str__(self) -> str:
        return ast.unparse(self.tree)

    @staticmethod
    def _record(primitive: Any, operands: Sequence[Any]) -> Text:
        branches = next(x.branches for x in operands if isinstance(x, Text))
        trees = [tree_of(x) for x in operands]
        if primitive.variadic:
            trees = [ast.List(trees, ast.Load())]
        elif primitive.name in _INFIX:
            return _combined(trees[0], _INFIX[primitive.name], trees[1], branches)
        return Text(ast.Call(ast.Name(primitive.name, ast.Load()), trees, []), branches)

    def __neg__(self) -> Text:
        return Text(ast.UnaryOp(ast.USub(), self.tree), self.branches)

    def _asked(self, *others: Any) -> bool:
        return self.branches.ask()

    __lt__ = __le__ = __gt__ = __ge__ = _asked

    def __bool__(self) -> bool:
        raise TypeError("an expression has no number")

    def __float__(self) -> float:
        raise TypeError("an expression has no number")


def tree_of(x: Any) -> ast.expr:
    """Return what stands for an operand: an expression, or a number."""
    return x.tree if isinstance(x, Text) else ast.Constant(float(x))


def _combined(a: ast.expr, kind: type[ast.operator], b: ast.expr, branches: Branches) -> Text:
    if kind is ast.Pow and isinstance(b, ast.Constant) and b.value == 1.0:
        return Text(a, branches)
    return Text(ast.BinOp(a, kind(), b), branches)


def _operator(kind: type[ast.operator]) -> tuple[Callable[..., Text], Callable[..., Text]]:
    def method(self: Text, other: Any) -> Text:
        return _combined(self.tree, kind, tree_of(other), self.branches)

    def reflected(self: Text, other: Any) -> Text:
        return _combined(tree_of(other), kind, self.tree, self.branches)

    return method, reflected


for _name, _kind in (
    ("add", ast.Add),
    ("sub", ast.Sub),
    ("mul", ast.Mult),
    ("truediv", ast.Div),
    ("pow", ast.Pow),
    ("mod", ast.Mod),
):
    _method, _reflected = _operator(_kind)
    setattr(Text, f"__{_name}__", _method)
    setattr(Text, f"__r{_name}__", _reflected)


RESULT, ADJOINT, PARTIALS = "{y}", "{d}", "{p}"
"""What stands in templates for the result, for its adjoint, and for a list of partials."""


class Term(NamedTuple):
    """What a node contributes to the adjoint of one operand, as a template.

    Attributes
    ----------
    text : str
        Without its sign.
    negative : bool
    reads : frozenset of int
        The operands whose numbers it needs.
    reads_result : bool
    """

    text: str
    negative: bool
    reads: frozenset[int]
    reads_result: bool


class Backward(NamedTuple):
    """How a node hands its adjoint on: an assignment to make first ("" for none), and the terms.

    The assignment is a template of a list of partials, which takes all operands and the result.
    """

    first: str
    terms: tuple[Term, ...]


def stated_name(operation: Any) -> str:
    """Return what an operation of the table, or one that only programs have, is called."""
    return NAMES.get(operation.name, operation.name)


def helper_name(primitive: Any, name: str, position: int = 0) -> str:
    """Return the name of a partial in the text, such as ``relu_dx``, for what is called ``name``.

    Of an operation on any number of operands: the name for all its partials.
    """
    if primitive.variadic or primitive.arity == 1:
        return f"{name}_dx"
    return f"{name}_d{'abcdefghijkl'[position]}"


@cache
def forward_template(operation: Any, count: int, name: str) -> str:
    """Return an operation on so many operands as a template of its operands; no bracket around."""
    x = [f"{{{i}}}" for i in range(count)]
    listed = ", ".join(x)
    if operation is PICK:
        return f"{name}({x[0]}, [{', '.join(x[1:])}])"
    if isinstance(operation, Special) or not is_stated(operation):
        in_list = not isinstance(operation, Special) and operation.variadic
        return f"{name}([{listed}])" if in_list else f"{name}({listed})"
    if operation.name in _INFIX:
        return f"{x[0]} {operation.name} {x[1]}"
    if operation.name == "neg":
        return f"-{x[0]}"
    if operation.name == "where":
        return x[0]
    if operation.name == "dot":
        n = count // 2
        pairs = [f"{a} * {b}" for a, b in zip(x[:n], x[n : 2 * n], strict=True)]
        if n <= WRITTEN_OUT:
            return " + ".join([*x[2 * n :], *pairs])
        rest = "".join(f", {start}" for start in x[2 * n :])
        return f"{name}([{', '.join(x[:n])}], [{', '.join(x[n : 2 * n])}]{rest})"
    if operation.name == "total" and 1 < count <= WRITTEN_OUT:
        return " + ".join(x)
    if operation.name == "var":
        return f"{name}([{', '.join(x[:-1])}], {x[-1]})"
    return f"{name}([{listed}])" if operation.variadic else f"{name}({listed})"


@cache
def backward_template(operation: Any, count: int, name: str) -> Backward:
    """Return what an operation on so many operands adds to their adjoints.

    ``name`` is what the operation is called by; the partials are called after it.
    """
    everything = frozenset(range(count))
    if operation is PICK:
        terms = [
            Term(f"picked({{d}}, {{0}}, {i})", False, frozenset([0]), False)
            for i in range(count - 1)
        ]
        return Backward("", (Term("0.0", False, frozenset(), False), *terms))
    if operation is LANE_MEAN:
        return Backward("", (Term("shared({d})", False, frozenset(), False),))
    if operation is LANE_VARIANCE:
        text = "shared({d}) * lane_variance_dx({0})"
        return Backward("", (Term(text, False, everything, False),))
    if operation.variadic:
        return _variadic_template(operation, count, name)
    operands = (None,) * operation.arity
    return Backward("", tuple(term_of(operation, i, name, operands) for i in range(count)))


@lru_cache(4096)
def term_of(
    primitive: Primitive, position: int, name: str, constants: tuple[float | None, ...]
) -> Term:
    """Return one operand's term: its partial written out, or called by name.

    ``constants`` has the numbers of operands that are constants, which can decide a branch.
    """
    found = _written_out(primitive, position, constants)
    if found is not None:
        return found
    listed = ", ".join([*(f"{{{i}}}" for i in range(primitive.arity)), RESULT])
    text = f"{ADJOINT} * {helper_name(primitive, name, position)}({listed})"
    return Term(text, False, frozenset(range(primitive.arity)), True)


def _written_out(
    primitive: Primitive, position: int, constants: tuple[float | None, ...]
) -> Term | None:
    """Return a term with its partial written out, if all its branches are one, and short."""
    if not is_stated(primitive):
        return None
    branches = Branches()
    operands = [
        Text(ast.Name(f"{{{i}}}", ast.Load()), branches) if x is None else x
        for i, x in enumerate(constants)
    ]
    result = Text(ast.Name(RESULT, ast.Load()), branches)
    found: Term | None = None
    while True:
        try:
            term = _times(primitive.partials[position](*operands, result))
        except RAISED_BY_FLOATS:  # between constants
            branches.asked = 0
            term = _times(again(primitive.partials[position], *operands, result))
        except TypeError:  # a function that takes nothing but numbers
            return None
        if term is None or (found is not None and term != found):
            return None
        found = term
        if not branches.turn():
            return found


def _times(partial: Any) -> Term | None:
    """Return the product of the adjoint and a partial; None if it is too long to be read."""
    if not isinstance(partial, Text):
        if partial in (1.0, -1.0):
            return Term(ADJOINT, partial < 0.0, frozenset(), False)
        return Term(f"{ADJOINT} * {float(partial)!r}", False, frozenset(), False)
    names = {x.id for x in ast.walk(partial.tree) if isinstance(x, ast.Name)}
    tree = ast.BinOp(ast.Name(ADJOINT, ast.Load()), ast.Mult(), partial.tree)
    text = ast.unparse(tree)
    if len(text) > LONGEST:
        return None
    reads = frozenset(int(x[1:-1]) for x in names if x[1:-1].isdigit())
    return Term(text, False, reads, RESULT in names)


def _variadic_template(operation: Variadic, count: int, name: str) -> Backward:
    """Return the terms of an operation on many operands: names and numbers, or from a list."""
    if is_stated(operation) and operation.name in ("total", "dot", "mean"):
        branches = Branches()
        operands = [Text(ast.Name(f"{{{i}}}", ast.Load()), branches) for i in range(count)]
        partials = operation.all_partials(operands, Text(ast.Name(RESULT, ast.Load()), branches))
        terms = [_times(partial) for partial in partials]
        return Backward("", tuple(term for term in terms if term is not None))
    listed = ", ".join(f"{{{i}}}" for i in range(count))
    first = f"{helper_name(operation, name)}([{listed}], {RESULT})"
    reads = frozenset(range(count))
    return Backward(
        first,
        tuple(Term(f"{ADJOINT} * {PARTIALS}[{i}]", False, reads, True) for i in range(count)),
    )
