"""Update rules as native loops: a rule is run once on symbols, which write down what it computes.

What comes from settings and counts alone is the same for all parameters. It becomes a small Python
function, run once a step, so that powers and the like are Python's own. The rest is sums, products,
quotients, roots and comparisons, which every machine rounds alike: it becomes a loop over arrays in
LLVM's language. So a step on arrays gives the bits that steps one by one give.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from autograd_lite.native.parameters.rule_loops import loop_text

Rule = Callable[..., tuple[Any, Any]]

COUNT, NUMBER, ABSENT = "count", "number", "absent"
"""The kinds of parts that a state has: a whole number, a float, None."""

Kinds = tuple[str, ...] | None
"""The kinds of a state's parts; None before the first step."""


class UntraceableError(Exception):
    """A rule does something that cannot be done on symbols, or on arrays."""


class Traced(NamedTuple):
    """What a rule computes, for one kind of state and one way through its branches.

    Attributes
    ----------
    scalars : callable
        Takes the numbers among the settings and the counts of the state. Returns the floats that
        the loop needs and the new counts; None if the rule would take another way.
    kinds : tuple of str or None
        The kinds of the parts of the new state.
    text : str
        The loop; see `rule_loops`.
    scalar_count : int
        How many floats it needs.
    """

    scalars: Callable[[Sequence[Any], Sequence[int]], tuple[tuple[float, ...], list[int]] | None]
    kinds: Kinds
    text: str
    scalar_count: int


def kinds_of(state: Any) -> Kinds:
    """Return the kinds of a parameter's state, or raise that it has parts of another kind."""
    if state is None:
        return None
    kinds = {int: COUNT, float: NUMBER, type(None): ABSENT}
    if type(state) is not tuple or any(type(part) not in kinds for part in state):
        raise UntraceableError("a state that is no tuple of floats and whole numbers")
    return tuple(kinds[type(part)] for part in state)


def is_pure(rule: Any) -> bool:
    """Tell whether a rule uses nothing but its arguments and functions of which the same holds.

    One that draws random numbers, say, or counts its calls, has to be called for each parameter.
    """
    waiting, seen = [rule], set()
    while waiting:
        function = waiting.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        if not isinstance(function, FunctionType) or function.__closure__:
            return False
        code, names = function.__code__, function.__globals__
        if any(isinstance(constant, CodeType) for constant in code.co_consts):
            return False
        waiting += [names[name] for name in code.co_names if name in names]
        if any(name in vars(builtins) and name not in (*names, "abs") for name in code.co_names):
            return False
    return True


def numbers_in(settings: Any) -> tuple[list[Any], Any]:
    """Return the numbers of (nested) settings, and the settings with places instead of them."""
    numbers: list[Any] = []

    def places(given: Any) -> Any:
        if isinstance(given, tuple):
            return tuple(map(places, given))
        if type(given) is float or type(given) is int:
            numbers.append(given)
            return NUMBER
        return type(given), given

    return numbers, places(settings)


def traced(
    rule: Rule, settings: tuple[Any, ...], state: tuple[Any, ...] | None, dtype: str
) -> Traced:
    """Run a rule on symbols, with these settings and the counts that are in this state.

    Raises
    ------
    UntraceableError
        If the rule does more than arithmetic, square roots and comparisons, or branches on what
        is not the same for all parameters.
    """
    trace = _Trace()
    data, gradient = trace.loaded("data"), trace.loaded("gradient")
    places = iter(range(len(numbers_in(settings)[0])))
    given_state = None if state is None else tuple(_symbols_of_state(trace, state))
    try:
        result = rule(data, gradient, given_state, _symbols(trace, settings, places), trace.sqrt)
        new_data, new_state = result
    except UntraceableError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        raise UntraceableError(str(error)) from error
    stores = [("data", trace.place(new_data))] if new_data is not data else []
    kinds: list[str] = []
    counts: list[str] = []
    for position, part in enumerate(new_state or ()):
        kind, name = _kind_of_result(part)
        kinds.append(kind)
        if kind == COUNT:
            counts.append(name)
        elif kind == NUMBER and (given_state is None or part is not given_state[position]):
            stores.append((f"part{position}", trace.place(part)))
    if new_state is not None and type(new_state) is not tuple:
        raise UntraceableError("a state that is no tuple")
    if state is not None and new_state is None:
        raise UntraceableError("a state that is forgotten")
    text = loop_text(trace.operations, stores, len(trace.scalars), len(kinds), dtype)
    new_kinds = None if new_state is None else tuple(kinds)
    return Traced(trace.function(counts), new_kinds, text, len(trace.scalars))


def _symbols(trace: _Trace, settings: Any, places: Iterator[int]) -> Any:
    if isinstance(settings, tuple):
        return tuple(_symbols(trace, given, places) for given in settings)
    if type(settings) is float or type(settings) is int:
        return trace.same(f"numbers[{next(places)}]", settings)
    return settings


def _symbols_of_state(trace: _Trace, state: tuple[Any, ...]) -> Iterator[Any]:
    counts = 0
    for position, part in enumerate(state):
        if type(part) is int:
            yield trace.same(f"counts[{counts}]", part)
            counts += 1
        else:
            yield None if part is None else trace.loaded(f"part{position}")


def _kind_of_result(part: Any) -> tuple[str, str]:
    """Return the kind of a part of a new state, of a count also how it is computed."""
    if part is None:
        return ABSENT, ""
    known = part.value if isinstance(part, _Same) else part
    if type(known) is int:
        return COUNT, part.name if isinstance(part, _Same) else repr(part)
    if (isinstance(part, _Each) and not part.whole) or type(known) is float:
        return NUMBER, ""
    raise UntraceableError(f"a state with the part {part!r}")


class _Trace:
    """What was written down so far: lines of Python, and operations of the loop."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names = 0
        self.scalars: dict[str, int] = {}  # what the loop needs of the lines, by name
        self.operations: list[tuple[str, tuple[Any, ...]]] = []

    def same(self, expression: str, value: Any) -> _Same:
        """Write down a number that is the same for all parameters."""
        name = f"x{self.names}"
        self.names += 1
        self.lines.append(f"{name} = {expression}")
        return _Same(self, name, value)

    def each(self, operation: str, *operands: Any, whole: bool = False) -> _Each:
        """Write down a number that each parameter has its own of."""
        self.operations.append((operation, tuple(map(self.place, operands))))
        return _Each(self, len(self.operations) - 1, whole)

    def loaded(self, array: str) -> _Each:
        """Write down that a number comes from an array."""
        self.operations.append(("load", (array,)))
        return _Each(self, len(self.operations) - 1, False)

    def place(self, operand: Any) -> Any:
        """Return how an operation refers to an operand: by its number, or by a scalar's name."""
        if isinstance(operand, _Each):
            return operand.position
        if not isinstance(operand, _Same):
            operand = self.same(_written(operand), operand)
        return f"s{self.scalars.setdefault(operand.name, len(self.scalars))}"

    def sqrt(self, x: Any) -> Any:
        """Return the square root, as the rule is given it."""
        if isinstance(x, _Each):
            return self.each("sqrt", x)
        if isinstance(x, _Same):
            return self.same(f"sqrt({x.name})", math.sqrt(x.value))
        return math.sqrt(x)

    def function(self, counts: list[str]) -> Any:
        """Return the function of scalars."""
        lines = [
            "def scalars(numbers, counts):",
            *self.lines,
            f"return ({''.join(f'{name}, ' for name in self.scalars)}), [{', '.join(counts)}]",
        ]
        found: dict[str, Any] = {"sqrt": math.sqrt}
        exec("\n    ".join(lines), found)  # made here, of names and operators
        return found["scalars"]


class _Symbol:
    """Stands for a number, and writes down what is done with it."""

    trace: _Trace

    def __add__(self, other: Any) -> Any:
        return _applied("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return _applied("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return _applied("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _applied("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return _applied("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _applied("*", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _applied("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _applied("/", other, self)

    def __pow__(self, other: Any) -> Any:
        return _applied("**", self, other)

    def __rpow__(self, other: Any) -> Any:
        return _applied("**", other, self)

    def __lt__(self, other: Any) -> Any:
        return _applied("<", self, other)

    def __le__(self, other: Any) -> Any:
        return _applied("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return _applied(">", self, other)

    def __ge__(self, other: Any) -> Any:
        return _applied(">=", self, other)

    def __eq__(self, other: object) -> Any:
        return _applied("==", self, other)

    def __ne__(self, other: object) -> Any:
        return _applied("!=", self, other)

    __hash__ = None  # type: ignore[assignment]


class _Same(_Symbol):
    """A number from settings and counts; what it is now decides which way the rule takes."""

    def __init__(self, trace: _Trace, name: str, value: Any) -> None:
        self.trace, self.name, self.value = trace, name, value

    def __bool__(self) -> bool:
        answer = bool(self.value)
        self.trace.lines.append(f"if bool({self.name}) is not {answer}: return None")
        return answer

    def __neg__(self) -> Any:
        return self.trace.same(f"-{self.name}", -self.value)

    def __abs__(self) -> Any:
        return self.trace.same(f"abs({self.name})", abs(self.value))


class _Each(_Symbol):
    """A number that each parameter has its own of. ``whole``: made of comparisons alone."""

    def __init__(self, trace: _Trace, position: int, whole: bool) -> None:
        self.trace, self.position, self.whole = trace, position, whole

    def __bool__(self) -> bool:
        raise UntraceableError("a branch on what is not the same for all parameters")

    def __neg__(self) -> Any:
        if self.whole:
            raise UntraceableError("the negative of a comparison")
        return self.trace.each("fneg", self)

    def __abs__(self) -> Any:
        return self.trace.each("fabs", self)


_OPERATIONS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "+": ("fadd", operator.add),
    "-": ("fsub", operator.sub),
    "*": ("fmul", operator.mul),
    "/": ("fdiv", operator.truediv),
    "**": ("", operator.pow),
    "<": ("fcmp olt", operator.lt),
    "<=": ("fcmp ole", operator.le),
    ">": ("fcmp ogt", operator.gt),
    ">=": ("fcmp oge", operator.ge),
    "==": ("fcmp oeq", operator.eq),
    "!=": ("fcmp une", operator.ne),
}
"""What LLVM and Python call them; LLVM's power is not Python's."""


def _applied(symbol: str, a: Any, b: Any) -> Any:
    """Write down an operation."""
    trace = (a if isinstance(a, _Symbol) else b).trace
    name, function = _OPERATIONS[symbol]
    if not isinstance(a, _Each) and not isinstance(b, _Each):
        left, right = (x.name if isinstance(x, _Same) else _written(x) for x in (a, b))
        values = [x.value if isinstance(x, _Same) else x for x in (a, b)]
        return trace.same(f"{left} {symbol} {right}", function(*values))
    if not name:
        raise UntraceableError("a power of what is not the same for all parameters")
    whole = _is_whole(a) and _is_whole(b)
    compared = name.startswith("fcmp")
    if whole and symbol not in ("+", "-") and not compared:
        raise UntraceableError("products of whole numbers")  # which have no negative zero
    return trace.each(name, a, b, whole=whole or compared)


def _is_whole(x: Any) -> bool:
    if isinstance(x, _Each):
        return x.whole
    return isinstance(x.value if isinstance(x, _Same) else x, int)


def _written(x: Any) -> str:
    """Return a number of the rule's own as Python writes it."""
    if not isinstance(x, int | float) or not math.isfinite(x):
        raise UntraceableError(f"arithmetic with {x!r}")
    return f"({x!r})"
