"""Options that a label does not pick: backward does not come to them, however steep they are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

import nn
from autograd_lite import Value, compile, exp, load_program, log, softmax, sqrt, value_and_grad
from autograd_lite.native.order import GENTLE, hides_infinities
from autograd_lite.native.programs import backend
from autograd_lite.native.tracing.recording import record
from autograd_lite.primitives import TABLE

np = pytest.importorskip("numpy")


@pytest.fixture(params=["native", "python"], autouse=True)
def plans(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test with both kinds of plans."""
    if request.param == "python":
        monkeypatch.setattr(backend, "missing", lambda: ("llvmlite", "numba"))
        monkeypatch.setattr(backend, "_tell", lambda what: None)


def steep() -> nn.Linear:
    """Return a layer after which all probabilities but one are exactly 0."""
    model = nn.Linear(1, 3, seed=0)
    for row, weight in zip(model.weight, (0.0, 2000.0, -2000.0), strict=True):
        row[0].data = weight
    return model


def of_logarithms(model: Any) -> Any:
    loss = nn.NLLLoss()
    return lambda x, y: loss([log(p) for p in softmax(model(x))], y)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_loss_of_logarithms_of_zero_learns_as_the_engine_does(batch: int) -> None:
    eager, compiled = steep(), steep()
    step = compile(of_logarithms(compiled), parameters=compiled.parameters())
    x, y = np.linspace(1.0, 0.5, batch)[:, None], np.ones(batch, int)
    for before in (0.0, 0.25):  # which is what there is already
        for parameter in (*eager.parameters(), *compiled.parameters()):
            parameter.zero_grad()
            parameter.grad = before
        losses = []
        for row in x.tolist():
            loss = of_logarithms(eager)(row, 1) * (1.0 / batch)
            loss.backward()
            losses.append(loss.data)
        for _ in range(2):
            for parameter in compiled.parameters():
                parameter.grad = before
            assert step(x, y) == pytest.approx(sum(losses))
            assert [p.grad for p in compiled.parameters()] == pytest.approx(
                [p.grad for p in eager.parameters()], rel=1e-12
            )


def test_a_program_that_was_loaded_needs_no_function_for_it(tmp_path: Path) -> None:
    model = steep()
    step = compile(of_logarithms(model), parameters=model.parameters())
    x, y = np.ones((2, 1)), np.ones(2, int)
    step(x, y)
    wanted = [p.grad for p in model.parameters()]
    step.save(tmp_path / "step.json")
    loaded = load_program(tmp_path / "step.json")
    for _ in range(2):
        for parameter in loaded.parameters:
            parameter.zero_grad()
        loaded(x, y)
        assert [p.grad for p in loaded.parameters] == wanted


def test_other_lanes_keep_what_native_code_found() -> None:
    loss = nn.NLLLoss()
    program = compile(lambda xs, y: loss([log(x) for x in xs], y))
    points = np.array([[0.5, 0.25], [0.0, 0.5], [0.5, 0.0], [0.0, 0.5]])
    labels = np.array([0, 1, 1, 0])
    _, (gradients, _) = program.value_and_grad(points, labels)
    assert gradients.tolist() == [[-2.0, 0.0], [0.0, -2.0], [0.0, -math.inf], [-math.inf, 0.0]]
    value, (gradient, _) = program.value_and_grad([0.0, 0.5], 1)
    assert (value, gradient) == (-math.log(0.5), [0.0, -2.0])


def test_a_nan_of_the_functions_own_stays() -> None:
    loss = nn.NLLLoss()

    def function(xs: Any, y: Any) -> Any:
        return loss([log(x) * sqrt(x) for x in xs], y)

    program = compile(function)
    wanted = value_and_grad(lambda xs: function(xs, 0))([0.0, 0.5])
    value, (gradient, _) = program.value_and_grad([0.0, 0.5], 0)
    assert repr((value, gradient)) == repr(wanted)
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("loss", "hides"),
    [
        (lambda xs, y: nn.NLLLoss()([log(x) for x in xs], y), True),
        (lambda xs, y: nn.NLLLoss()([x / xs[0] for x in xs], y), True),
        (lambda xs, y: nn.NLLLoss()([exp(x) + 1.0 for x in xs], y), True),
        (lambda xs, y: nn.NLLLoss()([2.0 * x for x in xs], y), False),
        (lambda xs, y: nn.CrossEntropyLoss()(xs, y), False),
        (lambda xs, y: nn.CrossEntropyLoss()([log(x) for x in xs], y), False),  # all are reached
        (lambda xs, y: log(xs[0]), False),
    ],
)
def test_only_steep_options_that_nothing_else_reaches_are_looked_at(loss: Any, hides: bool) -> None:
    assert hides_infinities(record(loss, ([1.0, 2.0], 1))) is hides


SIZES = (0.0, -0.0, 5e-324, 1e-300, 1.0, 700.0, 1e8, 1e150, 1e300)


@pytest.mark.parametrize("name", GENTLE.split())
def test_gentle_operations_have_finite_partials_for_finite_operands(name: str) -> None:
    primitive = TABLE[name]
    numbers = [*SIZES, *(-x for x in SIZES)]
    arity = 2 if primitive.variadic else primitive.arity
    for a in numbers:
        for b in numbers if arity > 1 else [0.0]:
            operands = [a, b, 1.0][:arity]
            result = primitive.evaluate(*operands)
            if primitive.variadic:
                partials = primitive.evaluate_partials(tuple(operands), result)
            else:
                partials = [primitive.partial(i, *operands, result) for i in range(arity)]
            assert all(math.isfinite(p) for p in partials), (operands, partials)


def test_eager_backward_does_not_come_to_what_is_not_picked() -> None:
    x = Value(0.0)
    options = [log(x), x + 1.0]
    options[1].backward()
    assert x.grad == 1.0
