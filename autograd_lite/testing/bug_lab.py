"""A small engine with planted bugs, for exercises: find what is wrong.

A lecturer hands out an engine by number, so that the name gives nothing away; students read and
run it, and repair it::

    from autograd_lite.testing import faulty_engine, grade

    Engine = faulty_engine(3)
    print(inspect.getsource(Engine))        # the whole engine; one place in it is wrong
    print(grade(Engine))                    # the milestones it fails, and why

``bug_lab.bugs()`` lists the names in the order of their numbers, `solution` tells what was
changed, and `correct_engine` is what a repaired engine should look like. None of this touches
`autograd_lite.Value`: the engine here is a separate one, `autograd_lite.testing.lab_engine`.

Examples
--------
>>> from autograd_lite.testing import faulty_engine, grade
>>> Engine = faulty_engine("assigned")
>>> a = Engine(3.0)
>>> (a + a).backward()
>>> a.grad
1.0
>>> grade(Engine).passed
False
"""

from __future__ import annotations

import inspect
import linecache
import sys
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

from autograd_lite.testing import lab_engine


class Edit(NamedTuple):
    """A place of the correct engine's source, and what stands there instead."""

    before: str
    after: str


class Fault(NamedTuple):
    """A bug: its name, what is wrong in one sentence, and how the source is changed."""

    name: str
    diagnosis: str
    edits: tuple[Edit, ...]


def _fault(name: str, diagnosis: str, *edits: tuple[str, str]) -> Fault:
    return Fault(name, diagnosis, tuple(Edit(*edit) for edit in edits))


ACCUMULATION = "operand.grad += partial * node.grad"
RESET = """\
            if node._prev:
                node.grad = 0.0
"""
_ORDER = inspect.getsource(lab_engine.Value._topological_order)
_RECURSIVE_ORDER = '''\
    def _topological_order(self) -> list[Value]:
        """Return all nodes below, operands before what was computed from them."""
        order: list[Value] = []
        seen: set[Value] = set()

        def visit(node: Value) -> None:
            if node not in seen:
                seen.add(node)
                for operand in node._prev:
                    visit(operand)
                order.append(node)

        visit(self)
        return order
'''

BUGS = (
    _fault(
        "assigned",
        "the gradient is assigned, not added (write += instead of =)",
        (ACCUMULATION, "operand.grad = partial * node.grad"),
    ),
    _fault(
        "duplicate-operands",
        "an operand that occurs twice in one operation counts once: operands are kept in a set"
        " (keep them in a tuple)",
        ("self._prev = operands", "self._prev = tuple(dict.fromkeys(operands))"),
    ),
    _fault(
        "topological-order",
        "a node passes its gradient on before all its consumers have contributed, or more than"
        " once: backward() needs a topological order",
        ("stack.append((node, True))", "order.insert(0, node)"),
    ),
    _fault(
        "result-only",
        "no gradient gets beyond the operands of the result: backward() has to process all nodes,"
        " from the result back to the leaves",
        ("for node in reversed(order):", "for node in order:"),
    ),
    _fault(
        "upstream",
        "the local derivative is not multiplied by the gradient of the result (out.grad): that"
        " is the chain rule",
        (ACCUMULATION, "operand.grad += partial"),
    ),
    _fault(
        "seed",
        "every gradient stays 0: backward() has to start from self.grad = 1",
        ("        self.grad += 1.0\n", ""),
    ),
    _fault(
        "subtraction-sign",
        "the second operand's gradient has the wrong sign: d(a - b)/db = -1",
        ('(1.0, -1.0), "-")', '(1.0, 1.0), "-")'),
    ),
    _fault(
        "division-sign",
        "the divisor's gradient has the wrong sign: d(a / b)/db = -a / b**2",
        ("-y / other.data", "y / other.data"),
    ),
    _fault(
        "reflected-operator",
        "a number on the left of a Value is not supported (the class lacks the reflected operator)",
        (inspect.getsource(lab_engine.Value.__rmul__) + "\n", ""),
    ),
    _fault(
        "reflected-swapped",
        "the reflected operator has its operands swapped: __rsub__(self, other) is other - self",
        ("return Value(other) - self", "return self - other"),
    ),
    _fault(
        "power-rule",
        "the factor n of the power rule is missing: d(a**n)/da = n * a**(n - 1)",
        ("(other * self.data ** (other - 1),)", "(self.data ** (other - 1),)"),
    ),
    _fault(
        "exponent-gradient",
        "the exponent's gradient is wrong: d(a**b)/db = a**b * log(a)",
        ("y * math.log(self.data)", "0.0"),
    ),
    _fault(
        "relu-derivative",
        "relu lets the gradient through where its result is 0: the derivative there is 0",
        ("1.0 if y > 0 else 0.0", "1.0"),
    ),
    _fault(
        "pasted-derivative",
        "the derivative of tanh is that of relu, pasted: it should be 1 - tanh(a)**2",
        ("1.0 - y * y", "1.0 if y > 0 else 0.0"),
    ),
    _fault(
        "exp-power-rule",
        "exp is differentiated like a power: d exp(a)/da = exp(a)",
        ('(y,), "exp"', '(self.data * math.exp(self.data - 1),), "exp"'),
    ),
    _fault(
        "second-backward",
        "a second backward() adds to the gradients of interior nodes that the first one left:"
        " set them to 0 before the sweep (leaves accumulate)",
        (f"        for node in order:\n{RESET}        self.grad += 1.0", "        self.grad = 1.0"),
    ),
    _fault(
        "leaves-reset",
        "backward() sets the gradients of leaves to 0 first: leaves accumulate until they are"
        " reset by the user",
        (RESET, "            node.grad = 0.0\n"),
    ),
    _fault(
        "not-reset",
        "zero_grad() does not set the gradient to 0, so the next backward() adds to the old one",
        (
            "        self.grad = 0.0\n\n    def backward",
            "        self._grad = 0.0\n\n    def backward",
        ),
    ),
    _fault(
        "mutated-operand",
        "the operation changes the data of its operand: compute into a new Value",
        ("y = abs(self.data)", "y = self.data = abs(self.data)"),
    ),
    _fault(
        "current-data",
        "the local derivative is computed from the operands' data at the time of backward(), not"
        " of the operation: keep the numbers when the operation is recorded",
        ('(other.data, self.data), "*")', '(), "*")'),
        (
            "            for operand, partial in zip",
            '            if node._op == "*":\n'
            "                a, b = node._prev\n"
            "                node._partials = (b.data, a.data)\n"
            "            for operand, partial in zip",
        ),
    ),
    _fault(
        "numbers",
        "a plain number as operand is not turned into a Value",
        ("x if isinstance(x, Value) else Value(x)", "x"),
    ),
    _fault(
        "recursion-limit",
        "backward() calls itself once per operation and exceeds Python's recursion limit: walk"
        " the graph with a loop and a list",
        (_ORDER, _RECURSIVE_ORDER),
    ),
    _fault(
        "visited-twice",
        "backward() walks through a shared node once per path, so the time doubles with every"
        " sharing, and counts it too often: remember the nodes that were visited",
        ("elif node not in seen:", "else:"),
    ),
)
"""The bugs in the order of their numbers, which start at 1."""


def correct_engine() -> type[Any]:
    """Return the engine without a bug.

    Examples
    --------
    >>> from autograd_lite.testing import correct_engine, grade
    >>> grade(correct_engine()).passed
    True
    """
    return lab_engine.Value


def bugs() -> tuple[str, ...]:
    """Return the names of the bugs; the first is number 1.

    Examples
    --------
    >>> from autograd_lite.testing import bug_lab
    >>> bug_lab.bugs()[:3]
    ('assigned', 'duplicate-operands', 'topological-order')
    """
    return tuple(bug.name for bug in BUGS)


def faulty_engine(which: int | str) -> type[Any]:
    """Return an engine with one bug.

    Parameters
    ----------
    which : int or str
        The bug's number, from 1, or its name.

    Returns
    -------
    type
        A class ``Value``, with the source that `inspect.getsource` shows. The same each time.

    Raises
    ------
    ValueError
        If there is no such bug.

    Examples
    --------
    >>> from autograd_lite.testing import faulty_engine
    >>> Engine = faulty_engine("subtraction-sign")
    >>> a, b = Engine(5.0), Engine(3.0)
    >>> (a - b).backward()
    >>> b.grad
    1.0
    """
    return _registered(BUGS.index(_found(which)) + 1)


def solution(which: int | str) -> str:
    """Return what is wrong with a faulty engine, and the lines that were changed.

    Raises
    ------
    ValueError
        If there is no such bug.

    Examples
    --------
    >>> from autograd_lite.testing import bug_lab
    >>> print(bug_lab.solution("subtraction-sign"))
    The second operand's gradient has the wrong sign: d(a - b)/db = -1.
    correct:
        (1.0, -1.0), "-")
    faulty:
        (1.0, 1.0), "-")
    """
    bug = _found(which)
    parts = [bug.diagnosis[0].upper() + bug.diagnosis[1:] + "."]
    for edit in bug.edits:
        parts += ["correct:", _indented(edit.before), "faulty:", _indented(edit.after)]
    return "\n".join(parts)


def engine_with(edits: tuple[Edit, ...]) -> type[Any]:
    """Return the engine with places of its source replaced."""
    namespace: dict[str, Any] = {"__name__": f"{lab_engine.__name__}_edited"}
    exec(compile(_source(edits), "<edited engine>", "exec", dont_inherit=True), namespace)
    engine: type[Any] = namespace["Value"]
    return engine


def _found(which: int | str) -> Fault:
    for number, bug in enumerate(BUGS, 1):
        if which in (number, bug.name):
            return bug
    raise ValueError(
        f"there is no bug {which!r}: give a number from 1 to {len(BUGS)} or a name of bugs()"
    )


@cache
def _registered(number: int) -> type[Any]:
    """Make a module of a faulty engine, so that tracebacks and `inspect` show its source."""
    source = _source(BUGS[number - 1].edits)
    module = ModuleType(f"{__package__}.faulty_engine_{number}")
    module.__file__ = filename = f"<faulty engine {number}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    sys.modules[module.__name__] = module
    exec(compile(source, filename, "exec", dont_inherit=True), module.__dict__)
    engine: type[Any] = module.__dict__["Value"]
    return engine


def _source(edits: tuple[Edit, ...]) -> str:
    """Return the engine's source with each edit made at its one place."""
    source = _correct_source()
    for before, after in edits:
        if source.count(before) != 1:
            raise ValueError(f"the engine's source has {source.count(before)} places {before!r}")
        source = source.replace(before, after)
    return source


@cache
def _correct_source() -> str:
    return inspect.getsource(lab_engine)


def _indented(text: str) -> str:
    """Return lines of source indented by four, or what says that there are none."""
    lines = text.strip("\n").splitlines() or ["(nothing)"]
    margin = min(len(line) - len(line.lstrip()) for line in lines if line)
    return "\n".join("    " + line[margin:] for line in lines).rstrip()
