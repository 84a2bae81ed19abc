"""The checks of the exercises in notebooks 04, 05 and 11: right answers pass, others do not."""

from __future__ import annotations

import io
import linecache
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import nbformat
import pytest
from hypothesis import settings

from autograd_lite.testing import faulty_engine

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
BEFORE = {"04": ("imports", "engine"), "05": ("imports",), "11": ("imports",)}

_CLOSURES = """
class Closures:
    def __init__(self, data, operands=()):
        self.data, self.grad, self.operands = data, 0.0, operands
        self.pass_on = lambda: None

    def __add__(self, other):
        out = Closures(self.data + other.data, (self, other))

        def pass_on():
            self.grad += out.grad
            other.grad += out.grad

        out.pass_on = pass_on
        return out

    def __mul__(self, other):
        out = Closures(self.data * other.data, (self, other))

        def pass_on():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.pass_on = pass_on
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for operand in node.operands:
                    visit(operand)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.pass_on()
"""


def cells(notebook: str) -> dict[str, str]:
    """Return the sources of a notebook's cells by their ids."""
    (path,) = NOTEBOOKS.glob(f"{notebook}_*.ipynb")
    return {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}


def engine(name: str, before: str = "", after: str = "") -> str:
    """Return the source of notebook 04's engine under another name, with one place changed."""
    source = cells("04")["engine"]
    assert before in source
    return source.replace(before, after).replace("Value", name)


RIGHT = {
    ("04", 1): """
Repaired = faulty_engine(7)
def subtract(a, b):
    b = Repaired.lifted(b)
    return Repaired(a.data - b.data, (a, b), (1.0, -1.0))
Repaired.__sub__ = subtract
""",
    ("04", 2): """
Value.relu = lambda a: Value(max(a.data, 0.0), (a,), (float(a.data > 0),))
Value.exp = lambda a: Value(math.exp(a.data), (a,), (math.exp(a.data),))
Value.log = lambda a: Value(math.log(a.data), (a,), (1 / a.data,))
Value.sigmoid = lambda a: 1 / (1 + (-a).exp())
Value.__abs__ = lambda a: Value(abs(a.data), (a,), (math.copysign(1.0, a.data),))
""",
    ("04", 3): _CLOSURES,
    ("04", 4): engine("OneBug", "if node.operands:", "if False:"),
    ("05", 1): "zero = lambda x: relu(-x) - relu(x) + x",
    ("05", 2): "smooth_abs = lambda x, beta: ag.logsumexp([beta * x, -beta * x]) / beta",
    ("05", 3): """
def log1mexp(x):
    return log(-ag.expm1(-x)) if x < 0.5 else ag.log1p(-exp(-x))
""",
    ("05", 4): cells("05")["exercise-4"].replace("number = None", "number = 7"),
    ("05", 5): """
def train():
    w = Value(0.0, label="w")
    for _ in range(40):
        loss = (w - 3) ** 2
        w.zero_grad()
        loss.backward()
        w.data -= 0.1 * w.grad
    return w.data
""",
    ("11", 1): 'suspect = "**"',
    ("11", 2): engine("Mine"),
    ("11", 3): """
ratio = Primitive(
    "ratio",
    lambda a, b: a / (a + b),
    [lambda a, b, y: b / (a + b) ** 2, lambda a, b, y: -a / (a + b) ** 2],
    domain=[(0.0, math.inf), (0.0, math.inf)],
)
""",
    ("11", 4): """
def partial(x, y):
    e = exp(-2 * abs(x))
    return 4 * e / (1 + e) ** 2
tanh2 = Primitive("tanh2", tanh, [partial])
""",
}

WRONG = {
    ("04", 1): "Repaired = faulty_engine(8)",
    ("04", 2): "Value.relu = lambda a: Value(max(a.data, 0.0), (a,), (1.0,))",
    ("04", 3): engine("Closures"),
    ("04", 4): engine("OneBug", "operand.grad += ", "operand.grad = "),
    ("05", 1): "zero = lambda x: relu(x) - relu(x)",
    ("05", 2): "smooth_abs = lambda x, beta: ag.softplus(x) + ag.softplus(-x)",
    ("05", 3): "log1mexp = lambda x: log(-ag.expm1(-x))",
    ("05", 4): cells("05")["exercise-4"].replace("number = None", "number = 6"),
    ("05", 5): cells("05")["exercise-5"].replace(
        "loss.backward()", "w.zero_grad(); loss.backward()"
    ),
    ("11", 1): 'suspect = "tanh"',
    ("11", 2): engine("Mine", "operand.grad += ", "operand.grad = "),
    ("11", 3): """
ratio = Primitive(
    "ratio",
    lambda a, b: a / (a + b),
    [lambda a, b, y: b / (a + b) ** 2, lambda a, b, y: a / (a + b) ** 2],
    domain=[(0.0, math.inf), (0.0, math.inf)],
)
""",
    ("11", 4): """
from autograd_lite import cosh
tanh2 = Primitive("tanh2", tanh, [lambda x, y: 1 / cosh(x) ** 2])
""",
}


@pytest.fixture(autouse=True)
def left_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the engine that an answer repairs, and Hypothesis' settings, for other tests."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr(faulty_engine(7), "__sub__", faulty_engine(7).__sub__)
    settings.register_profile("before", settings())
    yield
    settings.load_profile("before")


def said(notebook: str, number: int, answer: str | None) -> str:
    """Return what an exercise's check prints: of the notebook's own cell, or of an answer."""
    own = cells(notebook)
    sources = [own[id] for id in BEFORE[notebook]]
    sources += [own[f"exercise-{number}"] if answer is None else answer, own[f"check-{number}"]]
    names: dict[str, object] = {"__name__": "__main__"}
    out = io.StringIO()
    with redirect_stdout(out), warnings.catch_warnings():
        for i, source in enumerate(sources):
            file = f"<{notebook}-{number}-{i}>"
            linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
            exec(compile(source, file, "exec"), names)
    return out.getvalue()


@pytest.mark.parametrize(("notebook", "number"), RIGHT)
def test_a_right_answer_is_accepted(notebook: str, number: int) -> None:
    printed = said(notebook, number, RIGHT[notebook, number])
    assert "not yet" not in printed
    assert "right" in printed


@pytest.mark.parametrize(("notebook", "number"), WRONG)
def test_a_wrong_answer_is_not(notebook: str, number: int) -> None:
    assert "not yet" in said(notebook, number, WRONG[notebook, number])


@pytest.mark.parametrize(("notebook", "number"), RIGHT)
def test_no_answer_is_not_either(notebook: str, number: int) -> None:
    assert "not yet" in said(notebook, number, None)


def test_every_exercise_has_both() -> None:
    found = {
        (notebook, int(id.removeprefix("exercise-")))
        for notebook in BEFORE
        for id in cells(notebook)
        if id.startswith("exercise-") and not id.endswith("-text")
    }
    assert found == set(RIGHT) == set(WRONG)


def test_the_engine_of_the_course_has_forty_lines() -> None:
    assert sum(bool(line.strip()) for line in cells("04")["engine"].splitlines()) == 40
