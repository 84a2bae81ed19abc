"""What an engine has to manage, from easy to hard."""

from __future__ import annotations

from typing import NamedTuple

from autograd_lite.testing.grading.diagnosis import LEAF
from autograd_lite.testing.grading.random_graphs import GRAPHS
from autograd_lite.testing.grading.trials import Trial

OTHER_FUNCTIONS = (
    *("sin", "cos", "tan", "sqrt", "asin", "acos", "atan", "sinh", "cosh", "asinh"),
    *("atanh", "expm1", "log1p", "exp2", "log2", "log10", "softplus", "silu", "erf", "cbrt"),
)
"""Methods that are tried wherever a class has them, at points inside all their domains."""


class Milestone(NamedTuple):
    """A thing to get right.

    Attributes
    ----------
    name : str
        What it is called in a report.
    trials : tuple of Trial
        Programs from small to large: the first that fails is the one to show.
    """

    name: str
    trials: tuple[Trial, ...]


def _of(expression: str, *, declines: bool = False, title: str = "", **leaves: float) -> Trial:
    """Return the trial of one expression: its value, its operands' data, their gradients."""
    lines = [f"{name} = Value({x})" for name, x in leaves.items()]
    lines += [*expression.split("; ")[:-1], f"y = {expression.split('; ')[-1]}", "y.backward()"]
    checks = ("y.data", *(f"{x}.data" for x in leaves), *(f"{x}.grad" for x in leaves))
    return Trial(title or expression, tuple(lines), checks, declines)


def _steps(title: str, program: str, checks: str, *, declines: bool = False) -> Trial:
    return Trial(title, tuple(program.split("; ")), tuple(checks.split(", ")), declines)


def _function(call: str, *points: float) -> tuple[Trial, ...]:
    """Return the trials of a function: alone at some points, inside a chain, beside its operand."""
    first = points[0]
    return (
        *(_of(call, a=x) for x in points),
        _of(f"{call} * b", a=first, b=3.0),
        _of(f"a + {call}", a=first),
    )


def _method(name: str, *points: float) -> Milestone:
    return Milestone(name, _function(f"a.{name}()", *points))


_LEAF = (
    _steps("Value(3.0)", "a = Value(3.0)", "a.data"),
    _steps("Value(-0.25)", "a = Value(-0.25)", "a.data"),
    LEAF,
)
_CHAIN = (
    _of("(a * b) * c", a=2.0, b=3.0, c=5.0),
    _of("(a + b) * c", a=2.0, b=3.0, c=5.0),
    _of("(a * b + c) * d", a=2.0, b=-3.0, c=5.0, d=-0.5),
)
_REUSED = (
    _of("a + a", a=3.0),
    _of("a * a", a=3.0),
    _of("m = a * b; m + m", a=3.0, b=2.0),
    _of("a * b + a", a=3.0, b=2.0),
    _of("p = a * b; q = a * b; p + q", a=3.0, b=2.0),
    _of("(a + b) * (a + b)", a=3.0, b=2.0),
)
_NUMBERS = (
    _of("a + 2", a=3.0),
    _of("2 + a", a=3.0),
    _of("a * 2", a=3.0),
    _of("2 * a", a=3.0),
    _of("2.5 * a + 0.5", a=3.0),
    _of("a - 2", a=5.0),
    _of("2 - a", a=5.0),
    _of("a / 2", a=5.0),
    _of("2 / a", a=4.0),
)
_SUBTRACTION = (
    _of("-a", a=3.0),
    _of("a - b", a=5.0, b=3.0),
    _of("-a * b", a=3.0, b=2.0),
    _of("(a - b) * c", a=5.0, b=3.0, c=-2.0),
    _of("a + (b - a) * c", a=5.0, b=3.0, c=-2.0),
)
_DIVISION = (
    _of("a / b", a=6.0, b=4.0),
    _of("a / b", a=-1.0, b=8.0),
    _of("(a / b) * c", a=6.0, b=4.0, c=-2.0),
    _of("a + a / b", a=6.0, b=4.0),
)
_POWERS = (
    _of("a**2", a=3.0),
    _of("a**3", a=-2.0),
    _of("a**-1", a=4.0),
    _of("a**0.5", a=9.0),
    _of("a**3 * b", a=2.0, b=5.0),
    _of("a + a**2", a=3.0),
)
_EXPONENTS = (
    _of("a**b", a=2.0, b=3.0, declines=True),
    _of("a**b", a=3.0, b=-0.5, declines=True),
    _of("2**a", a=3.0, declines=True),
    _of("a**b * c", a=2.0, b=3.0, c=5.0, declines=True),
)
_ORDER = (
    _of("m = a * b; m + m * c", a=2.0, b=3.0, c=5.0),
    _of("m = a * b; m * c + m", a=2.0, b=3.0, c=5.0),
    _of("m = a * b; m * c + m * d", a=2.0, b=3.0, c=5.0, d=7.0),
    _of("m = a * b; m * c * d + m", a=2.0, b=3.0, c=5.0, d=7.0),
    _of("m = a + b; n = m * c + m; n * m + n", a=2.0, b=3.0, c=5.0),
    _of("m = a + b; n = m + m * c; n + n * m", a=2.0, b=3.0, c=5.0),
)
_TWICE = (
    _steps(
        "backward() of a * b and of a * c",
        "a = Value(2.0); b = Value(3.0); c = Value(5.0); p = a * b; q = a * c"
        "; p.backward(); q.backward()",
        "a.grad, b.grad",
    ),
    _steps(
        "backward() twice of a * b",
        "a = Value(2.0); b = Value(3.0); y = a * b; y.backward(); y.backward()",
        "a.grad, b.grad",
    ),
    _steps(
        "backward() twice of x * x * x",
        "x = Value(3.0); y = x * x * x; y.backward(); y.backward()",
        "x.grad",
    ),
    _steps(
        "backward() of two results that share a node",
        "a = Value(2.0); m = a * a; p = m * a; q = m + a; p.backward(); q.backward()",
        "a.grad",
    ),
)
_RESET = (
    _steps(
        "backward() after a.grad = 0.0",
        "a = Value(2.0); b = Value(3.0); y = a * b; y.backward(); a.grad = 0.0"
        "; z = a * b; z.backward()",
        "a.grad, b.grad",
        declines=True,
    ),
    _steps(
        "backward() after a.zero_grad()",
        "a = Value(2.0); b = Value(3.0); y = a * b; y.backward(); a.zero_grad()"
        "; z = a * b; z.backward()",
        "a.grad, b.grad",
    ),
)
_OPERANDS = (
    *(
        _steps(f"{e}, then a.data", f"a = Value(2.0); b = Value(3.0); y = {e}", "a.data, b.data")
        for e in ("a + b", "a * b", "a - b", "a / b", "-a")
    ),
    *(
        _steps(f"{call}, then a.data", f"a = Value({x}); y = {call}", "a.data")
        for call, x in (("a.relu()", -2.0), ("abs(a)", -2.0), ("a.tanh()", 0.5), ("a.exp()", 0.5))
    ),
    *(
        _steps(
            f"b = a; b {sign}= c, then a.data",
            f"a = Value(2.0); c = Value(3.0); b = a; b {sign}= c; b.backward()",
            "b.data, a.data, a.grad",
            declines=True,
        )
        for sign in "+*-"
    ),
)
_RECORDED = (
    _steps(
        "a * b, then a.data = 10.0",
        "a = Value(2.0); b = Value(3.0); y = a * b; a.data = 10.0; y.backward()",
        "a.grad, b.grad",
        declines=True,
    ),
    _steps(
        "a * a, then a.data = 10.0",
        "a = Value(2.0); y = a * a; a.data = 10.0; y.backward()",
        "a.grad",
        declines=True,
    ),
    _steps(
        "a**2, then a.data = 10.0",
        "a = Value(3.0); y = a**2; a.data = 10.0; y.backward()",
        "a.grad",
        declines=True,
    ),
)
_SHARED = tuple(
    _steps(
        f"a + a, {times} times over",
        f"a = Value(1.0); y = a; for _ in range({times}):\n    y = y + y; y.backward()",
        "a.grad",
    )._replace(most_calls=50_000)
    for times in (3, 10, 40)
)
_DEEP = tuple(
    _steps(
        f"{times:,} operations in a row",
        f"a = Value(1.0); b = Value(1.0); y = a; for _ in range({times}):\n    y = y {sign} b"
        "; y.backward()",
        "a.grad, b.grad",
    )
    for times, sign in ((100, "+"), (1000, "+"), (1000, "*"), (10_000, "+"))
)

MILESTONES: tuple[Milestone, ...] = (
    Milestone("a number in a Value", _LEAF),
    Milestone("addition", (_of("a + b", a=2.0, b=3.0), _of("a + b", a=-1.5, b=0.25))),
    Milestone("multiplication", (_of("a * b", a=2.0, b=3.0), _of("a * b", a=-1.5, b=0.25))),
    Milestone("the chain", _CHAIN),
    Milestone("reuse of a node", _REUSED),
    Milestone("subtraction and negation", _SUBTRACTION),
    Milestone("powers", _POWERS),
    Milestone("division", _DIVISION),
    Milestone("constants and reflected operators", _NUMBERS),
    Milestone("Values as exponents", _EXPONENTS),
    _method("relu", 2.0, -1.5),
    _method("exp", 0.5, -2.0),
    _method("tanh", 0.5, -2.0),
    _method("log", 2.0, 0.25),
    _method("sigmoid", 0.5, -2.0),
    Milestone("abs", _function("abs(a)", -2.0, 1.5)),
    Milestone(
        "other functions",
        tuple(t for name in OTHER_FUNCTIONS for t in _function(f"a.{name}()", 0.5, 0.3)),
    ),
    Milestone("topological order", _ORDER),
    Milestone("random graphs", GRAPHS),
    Milestone("operands left alone", _OPERANDS),
    Milestone("backward twice", _TWICE),
    Milestone("gradients set to zero", _RESET),
    Milestone("data changed afterwards", _RECORDED),
    Milestone("many paths", _SHARED),
    Milestone("deep graphs", _DEEP),
)
"""All milestones, in the order in which they are tried and reported."""
