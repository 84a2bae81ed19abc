"""What may be wrong with an engine: engines with one bug each, whose numbers can be compared.

The bugs of the bug lab are hypotheses; so are further forms of the same mistakes, such as other
wrong orders, and the mistakes in one operation only.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from autograd_lite.testing import lab_engine
from autograd_lite.testing.bug_lab import ACCUMULATION, BUGS, RESET, Edit, engine_with
from autograd_lite.testing.grading.trials import Numbers, Observed, Trial, close, run

Edits = tuple[Edit, ...]


class Hypothesis(NamedTuple):
    """What would be wrong, in one sentence, and the engine in which it is."""

    cause: str
    diagnosis: str
    edits: Edits

    def predicts(self, trial: Trial, observed: Observed) -> bool:
        """Whether the engine gives just these numbers."""
        if not isinstance(observed, Numbers):
            return True
        predicted = _run(self.edits, trial)
        return isinstance(predicted, Numbers) and all(
            isinstance(wanted, float) and close(got, wanted)
            for got, wanted in zip(observed.results, predicted.results, strict=True)
        )


@cache
def _run(edits: Edits, trial: Trial) -> Observed:
    return run(trial, _engine(edits))


@cache
def _engine(edits: Edits) -> type[Any]:
    return engine_with(edits)


DIAGNOSES = {bug.name: bug.diagnosis for bug in BUGS}
"""A sentence for every cause."""

_SUBTRACTION = Edit(
    'return Value(self.data - other.data, (self, other), (1.0, -1.0), "-")',
    "return self + (-other)",
)
_DIVISION = Edit(
    'return Value(y, (self, other), (1.0 / other.data, -y / other.data), "/")',
    "return self * other**-1",
)
_NEGATION = Edit('return Value(-self.data, (self,), (-1.0,), "neg")', "return self * -1")
_RIGHT_FIRST = Edit("for operand in node._prev)", "for operand in reversed(node._prev))")
_STYLES: tuple[Edits, ...] = (
    (),
    (_RIGHT_FIRST,),
    (_SUBTRACTION, _DIVISION),
    (_SUBTRACTION, _DIVISION, _NEGATION),
)
"""Ways to write a correct engine, on which the consequences of a bug may depend."""

_SWEEP = "        order =" + inspect.getsource(lab_engine.Value.backward).split("    order =")[1]
_PUSH = """\
            for operand, partial in zip(node._prev, node._partials, strict=False):
                operand.grad += partial * node.grad
"""
_START = f"""\
        for node in self._topological_order():
{RESET}        self.grad += 1.0
"""
_SEEN_FIRST = f"""\
        waiting, seen = [self], {{self}}
{_START}        while waiting:
            node = waiting.pop(0)
{_PUSH}\
                if operand not in seen:
                    seen.add(operand)
                    waiting.append(operand)
"""
_LAST_FIRST = _SEEN_FIRST.replace("waiting.pop(0)", "waiting.pop()")
_NOT_SEEN_FIRST = f"""\
        waiting = [self]
{_START}        while waiting:
            node = waiting.pop(0)
{_PUSH}\
                waiting.append(operand)
"""
_NOT_SEEN_LAST = _NOT_SEEN_FIRST.replace("waiting.pop(0)", "waiting.pop()")
_RECURSIVE = f"""\
{_START}
        def visit(node: Value) -> None:
{_PUSH}\
            for operand in node._prev:
                visit(operand)

        visit(self)
"""
_RECURSIVE_SETS = _RECURSIVE.replace(
    "operand in node._prev:", "operand in dict.fromkeys(node._prev):"
)
_AT_ONCE = f"""\
{_START}
        def visit(node: Value) -> None:
            for operand, partial in zip(node._prev, node._partials, strict=False):
                operand.grad += partial * node.grad
                visit(operand)

        visit(self)
"""

_ALL_RESET = Edit(
    f"{RESET}        self.grad += 1.0",
    "            node.grad = 0.0\n        self.grad = 1.0",
)
_CURRENT_DATA = (
    Edit(
        'Value(self.data**other, (self,), (other * self.data ** (other - 1),), "**")',
        'Value(self.data**other, (self,), (0.0,), f"**{other}")',
    ),
    Edit(
        "            for operand, partial in zip",
        """\
            if node._op == "*":
                a, b = node._prev
                node._partials = (b.data, a.data)
            elif node._op.startswith("**"):
                n = float(node._op[2:] or 1)
                node._partials = (n * node._prev[0].data ** (n - 1),)
            for operand, partial in zip""",
    ),
)
_BY_DATA = """\
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)

    def __neg__"""

_FUNCTIONS = ("relu", "exp", "log", "tanh", "sigmoid", "sin", "cos", "sqrt", "abs")
_ARITHMETIC = ("+", "-", "*", "/", "**", "neg")


def _variants() -> Iterator[tuple[str, Edits]]:
    """Yield causes and edits: the bugs of the lab first, then their further forms."""
    for bug in BUGS:
        yield bug.name, bug.edits
    for sweep in (_SEEN_FIRST, _LAST_FIRST):
        yield "topological-order", (Edit(_SWEEP, sweep),)
    for sweep in (_NOT_SEEN_FIRST, _NOT_SEEN_LAST, _RECURSIVE, _RECURSIVE_SETS, _AT_ONCE):
        yield "visited-twice", (Edit(_SWEEP, sweep),)
    yield "second-backward", (Edit(RESET, "            pass\n"),)
    yield "leaves-reset", (_ALL_RESET,)
    yield "current-data", _CURRENT_DATA
    yield from _in_one_operation(_ARITHMETIC)


def _in_one_operation(operations: tuple[str, ...]) -> Iterator[tuple[str, Edits]]:
    """Yield mistakes of a closure for each operation: made once, where ours are made for all."""
    for op in operations:
        once = f'partial * node.grad + operand.grad * (node._op != "{op}")'
        yield "assigned", (Edit(ACCUMULATION, f"operand.grad = {once}"),)
        local = f'partial * (1.0 if node._op == "{op}" else node.grad)'
        yield "upstream", (Edit(ACCUMULATION, f"operand.grad += {local}"),)


def _equal_data() -> Iterator[tuple[str, str, Edits]]:
    """Yield engines whose sets, of visited nodes or also of operands, merge equal data."""
    words = "nodes with equal data are taken for one node: __eq__ and __hash__ compare data"
    in_sets = Edit("    def __neg__", _BY_DATA)
    operands = Edit("for operand in node._prev)", "for operand in dict.fromkeys(node._prev))")
    yield "equal-data", words, (in_sets,)
    yield "equal-data", words, (in_sets, operands)


def _negated() -> Iterator[tuple[str, str, Edits]]:
    """Yield wrong signs and wrong factors of local derivatives, with a diagnosis of each."""
    yield (
        "negation-sign",
        "the gradient of a negation has the wrong sign: d(-a)/da = -1",
        (Edit('(-1.0,), "neg")', '(1.0,), "neg")'),),
    )
    yield (
        "power-exponent",
        "the exponent of the power rule is not lowered: d(a**n)/da = n * a**(n - 1)",
        (Edit("(other * self.data ** (other - 1),)", "(other * self.data**other,)"),),
    )
    yield (
        "swapped-factors",
        "the gradients of a product's factors are swapped: d(a * b)/da = b",
        (Edit("(other.data, self.data)", "(self.data, other.data)"),),
    )


def _pasted() -> Iterator[tuple[str, str, Edits]]:
    """Yield functions with the derivative of another one."""
    partials = {name: _partial(name) for name in _FUNCTIONS}
    for name, own in partials.items():
        for other, partial in partials.items():
            if partial != own:
                diagnosis = f"the derivative of {name} is that of {other}, pasted"
                edit = Edit(f'({own},), "{name}")', f'({partial},), "{name}")')
                if (name, other) != ("tanh", "relu"):  # that one is a bug of the lab
                    yield "pasted-derivative", diagnosis, (edit,)


def _partial(name: str) -> str:
    """Return the source of a function's derivative."""
    source = inspect.getsource(lab_engine)
    return source.split(f',), "{name}")')[0].rsplit("(self,), (", 1)[1]


@cache
def hypotheses() -> tuple[Hypothesis, ...]:
    """Return all hypotheses, those outside functions on every style that leaves them a place."""
    source = inspect.getsource(lab_engine)
    found = []
    everywhere = [(cause, DIAGNOSES[cause], edits) for cause, edits in _variants()]
    for cause, diagnosis, edits in (*everywhere, *_equal_data(), *_negated()):
        for style in _STYLES:
            changed = source
            for before, after in style:
                changed = changed.replace(before, after)
            if all(changed.count(edit.before) == 1 for edit in edits):
                found.append(Hypothesis(cause, diagnosis, (*style, *edits)))
    in_functions = [(c, DIAGNOSES[c], edits) for c, edits in _in_one_operation(_FUNCTIONS)]
    found += [Hypothesis(*parts) for parts in (*in_functions, *_pasted())]
    return tuple(found)
