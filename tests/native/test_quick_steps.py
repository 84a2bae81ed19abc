"""Training steps that take the short way: the same losses and gradients as any other step."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import pytest

import nn
from autograd_lite import compile, maximum, scope
from autograd_lite.modes import runtime

np = pytest.importorskip("numpy")
pytest.importorskip("numba")

LANES = 6


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return for every step that began on the short way whether it came to its end."""
    from autograd_lite.native.running.learning import Learning

    calls: list[bool] = []
    kept = Learning.__call__

    def noted(self: Any, arguments: Any) -> Any:
        found = kept(self, arguments)
        calls.append(found is not None)
        return found

    monkeypatch.setattr(Learning, "__call__", noted)
    return calls


class Parts:
    """A model, a program of its loss, and batches."""

    def __init__(self, make: Callable[[], nn.Module], loss: Any, labels: bool, **options: Any):
        self.model = make()
        self.parameters = self.model.parameters()
        self.program = compile(
            lambda x, y: loss(self.model(x), y), parameters=self.parameters, **options
        )
        rng = np.random.default_rng(0)
        dtype = options.get("dtype", "float64")
        self.batches = [
            (
                rng.normal(size=(LANES, 3)).astype(dtype),
                rng.integers(0, 2, LANES) if labels else rng.normal(size=(LANES, 2)).astype(dtype),
            )
            for _ in range(3)
        ]

    def step(self, batch: int) -> tuple[float, list[float]]:
        """Return the loss and the gradients after one more step."""
        loss = self.program(*self.batches[batch])
        return loss, [p.grad for p in self.parameters]

    def zero(self) -> None:
        for parameter in self.parameters:
            parameter.zero_grad()


def mlp() -> nn.Module:
    return nn.MLP(3, [4, 2], seed=0)


def with_penalty(model: nn.Module, loss: Any) -> Any:
    """Return a loss with a part that has no lanes."""
    return lambda outputs, y: loss(outputs, y) + 0.01 * sum(p * p for p in model.parameters())


def far_from(outputs: Any, y: Any) -> Any:
    return sum(maximum(0.0, z - t) + z * t for z, t in zip(outputs, y, strict=True))


MODELS = {
    "labels": (mlp, nn.CrossEntropyLoss(), True, {}),
    "float32": (mlp, nn.CrossEntropyLoss(), True, {"dtype": "float32"}),
    "exact": (mlp, nn.CrossEntropyLoss(), True, {"exact": True}),
    "numbers": (mlp, nn.MSELoss(), False, {}),
    "own loss": (mlp, far_from, False, {}),
    "no product": (lambda: nn.Linear(3, 2, seed=0), nn.MSELoss(), False, {}),
}


@pytest.mark.parametrize("name", MODELS)
def test_short_steps_give_the_bits_of_long_ones(taken: list[bool], name: str) -> None:
    make, loss, labels, options = MODELS[name]
    short, long = (Parts(make, loss, labels, **options) for _ in range(2))
    for batch in (0, 1, 2, 0):
        short.zero()
        # Gradients of 0.0 that were written are added to, which is no short way.
        for parameter in long.parameters:
            parameter.grad = 0.0
        before = len(taken)
        assert long.step(batch) == short.step(batch)
        assert taken[before:] in ([], [True])
    assert taken.count(True) >= 2


def test_gradients_are_added_up_where_there_are_some(taken: list[bool]) -> None:
    parts = Parts(mlp, nn.CrossEntropyLoss(), True)
    singles = []
    for batch in (0, 1):
        parts.zero()
        singles.append(parts.step(batch)[1])
    parts.zero()
    parts.step(0)
    before = len(taken)
    _, both = parts.step(1)
    assert len(taken) == before
    assert both == pytest.approx([a + b for a, b in zip(*singles, strict=True)], rel=1e-13)


def test_a_lane_that_takes_another_branch_ends_the_short_way(taken: list[bool]) -> None:
    def loss(outputs: Any, y: Any) -> Any:
        z = outputs[0] - y[0]
        return z * z if z < 5.0 else 10.0 * z

    parts = Parts(mlp, loss, False)
    usual = [parts.step(0)[1]]
    for _ in range(2):
        parts.zero()
        usual.append(parts.step(0)[1])
    assert usual[0] == usual[1] == usual[2]
    assert taken == [True, True]
    parts.zero()
    x, y = parts.batches[0]
    far = y.copy()
    far[2, 0] = -1000.0
    found = parts.program(x, far)
    assert taken == [True, True, False]
    other = Parts(mlp, loss, False)
    assert found == other.program(x, far)
    assert [p.grad for p in parts.parameters] == [p.grad for p in other.parameters]


def test_a_label_that_is_none_is_told_and_leaves_the_gradients(taken: list[bool]) -> None:
    parts = Parts(mlp, nn.CrossEntropyLoss(), True)
    parts.step(0)
    parts.zero()
    x, y = parts.batches[0]
    wrong = y.copy()
    wrong[1] = 7
    with pytest.raises((ValueError, IndexError), match="7"):
        parts.program(x, wrong)
    assert taken == [False]
    assert not any(p.reached for p in parts.parameters)
    parts.step(0)
    assert taken == [False, True]


def test_batches_of_several_sizes_and_what_was_changed_between(taken: list[bool]) -> None:
    parts = Parts(mlp, nn.CrossEntropyLoss(), True)
    x, y = parts.batches[0]
    for rows in (6, 3, 6, 3):
        parts.zero()
        parts.program(x[:rows], y[:rows])
    assert taken == [True, True]
    parts.parameters[0].data += 0.5
    parts.zero()
    changed = parts.step(0)
    fresh = Parts(mlp, nn.CrossEntropyLoss(), True)
    fresh.parameters[0].data += 0.5
    assert fresh.step(0) == changed


def test_what_has_no_lanes_is_learned_as_well(taken: list[bool]) -> None:
    model = mlp()
    steps = []
    for _ in range(2):
        model = mlp()
        parts = Parts(lambda model=model: model, with_penalty(model, nn.CrossEntropyLoss()), True)
        for batch in (0, 1):
            parts.zero()
            steps.append(parts.step(batch))
    assert steps[:2] == steps[2:]
    eager = mlp()
    losses = []
    for x, y in zip(*parts.batches[1], strict=True):
        losses.append(nn.CrossEntropyLoss()(eager(x.tolist()), int(y)))
    total = sum(losses) / LANES + 0.01 * sum(p * p for p in eager.parameters())
    total.backward()
    assert steps[1][0] == pytest.approx(total.data, rel=1e-12)
    assert steps[1][1] == pytest.approx([p.grad for p in eager.parameters()], rel=1e-12)


def test_a_loss_without_lanes_has_the_same_gradient_in_every_step() -> None:
    model = mlp()
    parameters = model.parameters()
    program = compile(lambda x: sum(p**3 for p in parameters) + 0.0 * x[0], parameters=parameters)
    alone = compile(lambda x: sum(p**3 for p in parameters), parameters=parameters)
    batch = np.ones((49, 3))
    for step in (program, alone):
        found = []
        for _ in range(3):
            for parameter in parameters:
                parameter.zero_grad()
            step(batch)
            found.append([p.grad for p in parameters])
        assert found[0] == found[1] == found[2]
    assert found[0] == [3.0 * (p.data * p.data) for p in parameters]


def test_a_step_that_overflows_warns_of_nothing(taken: list[bool]) -> None:
    parts = Parts(mlp, nn.MSELoss(), False)
    x, y = parts.batches[0]
    for scale in (1.0, 1.0, 1e200, 1e300):  # warnings are errors here
        parts.zero()
        found = parts.program(x * scale, y)
    assert not np.isfinite(found)
    assert taken == [True] * 3
    with pytest.warns(RuntimeWarning):
        np.float64(1e200) * np.float64(1e200)  # NumPy's own state is as before


def test_models_whose_inner_layers_pass_gradients_on(taken: list[bool]) -> None:
    def deep() -> nn.Module:
        return nn.MLP(3, [4, 5, 2], activation="tanh", seed=0)

    short, long = (Parts(deep, nn.MSELoss(), False) for _ in range(2))
    for batch in (0, 1, 2):
        short.zero()
        for parameter in long.parameters:
            parameter.grad = 0.0
        assert short.step(batch) == long.step(batch)
    assert taken == [True, True]


def test_a_step_keeps_no_mode_switched_on(taken: list[bool]) -> None:
    before = runtime.special
    parts = Parts(mlp, nn.CrossEntropyLoss(), True)
    with scope("outside"):
        parts.step(0)
    assert runtime.special == before
    for batch in (0, 1):
        parts.zero()
        parts.step(batch)
    assert taken == [True, True]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_losses_are_added_up_in_the_order_of_lanes(taken: list[bool], dtype: str) -> None:
    model = mlp()
    program = compile(
        lambda x, y: y[0] + 0.0 * model(x)[0], parameters=model.parameters(), dtype=dtype
    )
    numbers = np.random.default_rng(3).normal(size=300) * 10.0 ** np.linspace(-9.0, 9.0, 300)
    given = numbers.astype(dtype)
    in_order = reduce(add, given.tolist()) / len(given)  # Python's `sum` makes rounding good
    assert in_order != reduce(add, given.tolist()[::-1]) / len(given)
    for _ in range(3):
        for parameter in model.parameters():
            parameter.zero_grad()
        assert program(np.ones((len(given), 3), dtype), given[:, None]) == in_order
    assert taken == [True, True]
