"""One step of a program, and how it is carried out: on floats, on Values, by other engines."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from types import ModuleType
from typing import Any, NamedTuple

from autograd_lite.primitives import TABLE, Primitive, Variadic, counted

Functions = Mapping[str, Callable[..., Any]] | ModuleType | None

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "%": operator.mod,
    "neg": operator.neg,
    "abs": operator.abs,
}


class Step(NamedTuple):
    """One operation of a `Program`.

    Parameters
    ----------
    name : str
        The name of a primitive of the table (``"+"``, ``"sin"``, ``"dot"``, …).
    operands : tuple of int and float
        An int is a node, counted back from the newest (0 is the newest); a float is a constant.
    own : Primitive or Variadic, optional
        The primitive itself, if it is not one of the library's.

    Examples
    --------
    >>> from autograd_lite.testing.operations import Step, apply, resolved
    >>> step = Step("-", (0, 1))
    >>> resolved(step, [1.0, 10.0])
    [10.0, 1.0]
    >>> apply(step, resolved(step, [1.0, 10.0]))
    9.0
    """

    name: str
    operands: tuple[int | float, ...]
    own: Primitive | Variadic | None = None

    @property
    def primitive(self) -> Primitive | Variadic:
        """The primitive that the step applies."""
        return TABLE[self.name] if self.own is None else self.own

    def __repr__(self) -> str:
        own = "" if self.own is None else f", {self.own.name}"
        return f"Step({self.name!r}, {self.operands!r}{own})"


def resolved(step: Step, nodes: Sequence[Any]) -> list[Any]:
    """Return the operands of a step, given all nodes before it."""
    return [nodes[-1 - x] if isinstance(x, int) else x for x in step.operands]


def apply(step: Step | str, operands: Sequence[Any], *, functions: Functions = None) -> Any:
    """Carry out one operation.

    Parameters
    ----------
    step : Step or str
        The step, or the name of a primitive of the table.
    operands : sequence of float, Value, or another engine's values
        Floats alone give a float. With Values among them the operators are used as a user writes
        them, so that what is recorded is what a user would have recorded. With another engine's
        values as well; its other functions are found by name.
    functions : mapping or module, optional
        Where to look for another engine's functions before its methods.

    Raises
    ------
    AttributeError
        If the other engine has neither function nor method of that name.
    """
    if isinstance(step, str):
        step = Step(step, ())
    primitive = step.primitive
    values = [x for x in operands if x.__class__ is not float]
    if values and primitive is TABLE.get(step.name) and step.name in OPERATORS:
        return OPERATORS[step.name](*operands)
    if all(_known(x) for x in values):
        return primitive(operands) if primitive.variadic else primitive(*operands)
    return _Elsewhere(functions, next(x for x in values if not _known(x))).apply(
        step.name, operands
    )


def _known(x: Any) -> bool:
    """Tell whether primitives take x: a number, or a Value."""
    return hasattr(x, "_record") or isinstance(x, int | float)


class _Elsewhere:
    """Operations as another engine spells them."""

    def __init__(self, functions: Functions, example: Any) -> None:
        self.functions = functions
        self.example = example

    def apply(self, name: str, operands: Sequence[Any]) -> Any:
        """Apply an operation; those on many operands are written out with operators."""
        if name in _WRITTEN_OUT:
            return _WRITTEN_OUT[name](self, operands)
        if self.functions is not None:
            given = self.functions
            found = given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)
            if found is not None:
                return found(*operands)
        first, *others = operands
        if isinstance(first, int | float):
            first = type(self.example)(first)
        method = getattr(first, name, None)
        if method is None:
            kind = type(self.example)
            raise AttributeError(
                f"the program needs {name}, but {kind.__module__}.{kind.__qualname__} has no method"
                f" {name}(): give functions={{{name!r}: ...}}, or leave {name} out of the program"
            )
        return method(*others)

    def fold(self, name: str, operands: Sequence[Any]) -> Any:
        return reduce(lambda a, b: self.apply(name, (a, b)), operands)


def _added(operands: Sequence[Any]) -> Any:
    return reduce(operator.add, operands)


def _dot(_: _Elsewhere, operands: Sequence[Any]) -> Any:
    n = len(operands) // 2
    return reduce(
        operator.add, map(operator.mul, operands, operands[n : 2 * n]), *operands[2 * n :]
    )


def _var(_: _Elsewhere, operands: Sequence[Any]) -> Any:
    *xs, freedom = operands
    middle = _added(xs) / float(len(xs))
    return _added([(x - middle) * (x - middle) for x in xs]) / freedom


_WRITTEN_OUT: dict[str, Callable[[_Elsewhere, Sequence[Any]], Any]] = {
    "total": lambda there, xs: _added(xs),
    "dot": _dot,
    "mean": lambda there, xs: _added(xs) / float(len(xs)),
    "var": _var,
    "prod": lambda there, xs: reduce(operator.mul, xs),
    "max_of": lambda there, xs: there.fold("maximum", xs),
    "min_of": lambda there, xs: there.fold("minimum", xs),
    "logsumexp": lambda there, xs: there.apply(
        "log", [_added([there.apply("exp", [x]) for x in xs])]
    ),
    "norm": lambda there, xs: there.apply("sqrt", [_added([x * x for x in xs])]),
    "where": lambda there, xs: xs[0],
}


def checked(step: Step, place: int, before: int) -> Step:
    """Return a step of a program that has ``before`` nodes so far, or say what is wrong with it."""
    name, operands, own = step.name, step.operands, step.own
    if own is None and name not in TABLE:
        raise ValueError(f"step {place} names {name!r}, which is not in the table of primitives")
    primitive = step.primitive
    if isinstance(primitive, Primitive) and len(operands) != primitive.arity:
        wanted = counted(primitive.arity, "operand")
        raise ValueError(f"step {place}: {name} expected {wanted}, got {len(operands)}")
    if not operands:
        raise ValueError(f"step {place}: {name} expected at least 1 operand, got 0")
    for x in operands:
        if not isinstance(x, int | float):
            raise TypeError(
                f"step {place}: an operand is an int (a node, counted back) or a float"
                f" (a constant), got {type(x).__name__}: {x!r}"
            )
        if isinstance(x, int) and not 0 <= x < before:
            raise ValueError(
                f"step {place} refers to the node {x} back from the newest, but has"
                f" {counted(before, 'node')} before it"
            )
    return step
