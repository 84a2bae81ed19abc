"""Small programs that an engine is tried with, and what came of them."""

from __future__ import annotations

import ast
import math
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from autograd_lite.notation import printable, shortened
from autograd_lite.value import Value

RELATIVE_ERROR = 1e-9
"""What is still taken for right: formulas differ in their last digits, bugs in the first ones."""

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.Div: "__truediv__",
    ast.Pow: "__pow__",
    ast.USub: "__neg__",
}
SIGNS = {"__add__": "+", "__sub__": "-", "__mul__": "*", "__truediv__": "/", "__pow__": "**"}


class Trial(NamedTuple):
    """A program that is run with an engine's class as ``Value``.

    Attributes
    ----------
    title : str
        What is tried, as an expression: ``"a + a"``.
    lines : tuple of str
        Statements; a loop with its body is one of them.
    checks : tuple of str
        Expressions, evaluated afterwards: each has to give the right number.
    declines : bool
        Whether the engine may refuse the operation, by whatever exception, and lose nothing.
    most_calls : int, optional
        How many calls of functions the program may take: far more than it needs.
    """

    title: str
    lines: tuple[str, ...]
    checks: tuple[str, ...]
    declines: bool = False
    most_calls: int | None = None

    def program(self, check: str) -> str:
        """Return the program as it can be run, up to one check."""
        return "\n".join((*self.lines, f"print({check})"))


class Raised(NamedTuple):
    """An exception that ended a trial."""

    kind: type[BaseException]
    message: str
    program: str
    recording: bool

    @property
    def name(self) -> str:
        """The name of the exception's class."""
        return self.kind.__name__

    def __str__(self) -> str:
        if issubclass(self.kind, TooManyCalls):
            return self.message
        return f"{self.name}: {self.message}" if self.message else self.name


class TooManyCalls(BaseException):
    """Ends a program whose work grows with the number of paths; no ``except Exception`` gets it."""


class Missing(NamedTuple):
    """What an engine would need for a trial, and lacks."""

    operations: tuple[str, ...]


class Numbers(NamedTuple):
    """The results of a trial's checks: numbers, or what else was found there."""

    results: tuple[Any, ...]


Observed = Raised | Missing | Numbers


def run(trial: Trial, value_class: type[Any]) -> Observed:
    """Run a trial with an engine; nothing that the engine raises gets out but KeyboardInterrupt.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts.
    """
    namespace: dict[str, Any] = {"Value": value_class}
    done: list[str] = []
    results = []
    try:
        if missing := [m for m in operations(trial.lines) if not hasattr(value_class, m)]:
            return Missing(tuple(map(_written, missing)))
        with warnings.catch_warnings(action="ignore"), _at_most(trial.most_calls):
            for line in trial.lines:
                done.append(line)
                exec(_code(line, "exec"), namespace)
        for check in trial.checks:
            done.append(f"print({check})")
            results.append(_result(eval(_code(check, "eval"), namespace)))
            done.pop()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        recording = bool(done) and not ("backward" in done[-1] or done[-1].startswith("print"))
        if isinstance(error, NotImplementedError) or (recording and trial.declines):
            return Missing((trial.title,))
        return Raised(type(error), _message(error), "\n".join(done), recording)
    return Numbers(tuple(results))


@cache
def expected(trial: Trial) -> tuple[float, ...]:
    """Return the right numbers: those of `autograd_lite.Value`, which exact arithmetic checks."""
    observed = run(trial, Value)
    if not isinstance(observed, Numbers):
        raise TypeError(f"{trial.title} is no program for autograd_lite.Value: {observed}")
    return observed.results


def close(got: Any, wanted: float) -> bool:
    """Whether a result is a number and the wanted one, but for rounding."""
    if not isinstance(got, float):
        return False
    if math.isnan(wanted):
        return math.isnan(got)
    return math.isclose(got, wanted, rel_tol=RELATIVE_ERROR, abs_tol=1e-12)


def first_wrong(trial: Trial, observed: Numbers) -> int | None:
    """Return the position of the first check that gave a wrong number, or None."""
    for position, (got, wanted) in enumerate(
        zip(observed.results, expected(trial), strict=True),
    ):
        if not close(got, wanted):
            return position
    return None


def operations(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return the methods that a class needs for a program, beside ``backward``."""
    return tuple(dict.fromkeys(operations_in_order(lines)))


@cache
def operations_in_order(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return the methods that a program calls, each as often as it stands there."""
    found: list[str] = []
    for node in ast.walk(ast.parse("\n".join(lines))):
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
                continue
            case ast.BinOp(op=op) | ast.UnaryOp(op=op) | ast.AugAssign(op=op):
                found.append(OPERATORS[type(op)])
            case ast.Call(func=ast.Name(id="abs")):
                found.append("__abs__")
            case ast.Call(func=ast.Attribute(attr=name)) if name != "backward":
                found.append(name)
            case _:
                pass
    return tuple(found)


@contextmanager
def _at_most(calls: int | None) -> Iterator[None]:
    """End what runs inside after a number of calls; a count, unlike a clock, is always the same."""
    if calls is None:
        yield
        return
    left = calls

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooManyCalls(f"more than {calls:,} calls of functions")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


def size(trial: Trial) -> int:
    """Return how many operations a program records, a loop's body counted once."""
    return len(operations_in_order(trial.lines))


def shares(trial: Trial) -> bool:
    """Whether a program uses the result of an operation more than once."""
    return any(not formula.startswith("Value(") for formula in _used_again(trial))


def reuses(trial: Trial) -> bool:
    """Whether a program uses a leaf or the result of an operation more than once."""
    return bool(_used_again(trial))


def doubles(trial: Trial) -> bool:
    """Whether both operands of an operation are one, as in ``a + a``."""
    tree = ast.walk(ast.parse("\n".join(trial.lines)))
    operands = [(node.left, node.right) for node in tree if isinstance(node, ast.BinOp)]
    return any(
        isinstance(left, ast.Name) and isinstance(right, ast.Name) and left.id == right.id
        for left, right in operands
    )


def _used_again(trial: Trial) -> list[str]:
    """Return the formulas of what a program uses more than once."""
    nodes = [line.split(" = ") for line in trial.lines if " = " in line]
    uses = " ".join(formula for _, formula in nodes)
    return [formula for name, formula in nodes if len(re.findall(rf"\b{name}\b", uses)) > 1]


def _written(name: str) -> str:
    """Return a method's name as a user writes the operation."""
    special = {"__neg__": "-a", "__abs__": "abs(a)"}
    return special.get(name) or (f"a {SIGNS[name]} b" if name in SIGNS else f"a.{name}()")


@cache
def _code(line: str, mode: str) -> Any:
    return compile(line, "<program>", mode)


def _result(found: Any) -> Any:
    """Return a float, or a description of what is none."""
    if found is None or isinstance(found, str | bytes | complex):
        return repr(found)
    try:
        return float(found)
    except (TypeError, ValueError, OverflowError):
        return shortened(printable(repr(found)), 80)


def _message(error: BaseException) -> str:
    """Return an exception's message on one line, whatever its ``__str__`` does."""
    try:
        return shortened(printable(" ".join(str(error).split())), 200)
    except Exception:
        return ""
