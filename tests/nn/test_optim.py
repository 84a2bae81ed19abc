"""Optimisers do what PyTorch's do, update by update, and refuse what makes no sense."""

import json
import math
import warnings
from pathlib import Path

import pytest

import nn
from autograd_lite import SlipWarning, Value

RECORDED = json.loads(
    Path(__file__).with_name("torch_trajectories.json").read_text(encoding="utf-8")
)


def named(trajectory):
    settings = ", ".join(f"{name}={value}" for name, value in trajectory["settings"].items())
    return f"{trajectory['optimizer']}({settings})"


@pytest.mark.parametrize("trajectory", RECORDED["trajectories"], ids=named)
def test_every_update_is_pytorchs(trajectory):
    # PyTorch fuses multiplication and addition, so single updates differ in the last bit; what is
    # left of that after later updates is measured against the largest number on the way.
    parameters = [nn.Parameter(x) for x in trajectory["start"]]
    optimizer = getattr(nn.optim, trajectory["optimizer"])(parameters, **trajectory["settings"])
    sizes = [abs(x) for x in trajectory["start"]]
    for update in trajectory["updates"]:
        for parameter, gradient in zip(parameters, update["gradients"], strict=True):
            parameter.grad = gradient
        optimizer.step()
        sizes = [max(size, abs(x)) for size, x in zip(sizes, update["data"], strict=True)]
        for parameter, expected, size in zip(parameters, update["data"], sizes, strict=True):
            assert abs(parameter.data - expected) <= 1e-15 * size


def test_default_settings_are_pytorchs():
    w = nn.Parameter(1.0)
    sgd, adam = nn.optim.SGD([w]), nn.optim.Adam([w])
    assert (sgd.lr, sgd.momentum, sgd.dampening, sgd.weight_decay, sgd.nesterov) == (
        1e-3,
        0.0,
        0.0,
        0.0,
        False,
    )
    assert (adam.lr, adam.betas, adam.eps, adam.weight_decay) == (1e-3, (0.9, 0.999), 1e-8, 0.0)


# -- the lectures' figures -----------------------------------------------------------------------


def test_three_unit_gradients_with_momentum_move_by_0_561_not_by_an_average():
    w = nn.Parameter(0.0)
    optimizer = nn.optim.SGD([w], lr=0.1, momentum=0.9)
    for _ in range(3):
        w.grad = 1.0
        optimizer.step()
    assert w.data == pytest.approx(-0.561, rel=1e-15, abs=0.0)


def test_weight_decay_adds_lambda_theta():
    w = nn.Parameter(2.0)
    w.grad = 0.0
    nn.optim.SGD([w], lr=0.1, weight_decay=0.5).step()
    assert w.data == 1.9


@pytest.mark.parametrize("gradient", [1e-3, 1.0, 1e6])
def test_adams_first_step_has_the_size_of_lr(gradient):
    w = nn.Parameter(0.0)
    w.grad = gradient
    nn.optim.Adam([w], lr=0.001).step()
    assert w.data == pytest.approx(-0.001 * gradient / (gradient + 1e-8), rel=1e-14, abs=0.0)


# -- state and parameters ------------------------------------------------------------------------


def test_state_belongs_to_the_optimiser():
    w = nn.Parameter(0.0)
    first = nn.optim.SGD([w], lr=1.0, momentum=0.5)
    w.grad = 1.0
    first.step()
    first.step()
    assert w.data == -2.5
    nn.optim.SGD([w], lr=1.0, momentum=0.5).step()
    assert w.data == -3.5


def test_the_learning_rate_can_change_between_steps():
    w = nn.Parameter(0.0)
    w.grad = 1.0
    optimizer = nn.optim.SGD([w], lr=1.0)
    optimizer.step()
    optimizer.lr = 0.25
    optimizer.step()
    assert w.data == -1.25


def test_parameters_without_gradient_are_left_alone():
    frozen, free = Value(1.0, requires_grad=False), Value(1.0)
    free.grad = 0.0
    nn.optim.SGD([frozen, free], lr=0.1, weight_decay=1.0).step()
    assert (frozen.data, free.data) == (1.0, 0.9)


@pytest.mark.parametrize(
    "make", [lambda p: nn.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1.0), nn.optim.Adam]
)
def test_what_backward_has_not_reached_stays_as_it_is_as_in_pytorch(make):
    used, unused = nn.Parameter(1.0, label="used"), nn.Parameter(1.0, label="unused")
    optimizer = make([used, unused])
    (3.0 * used).backward()
    with pytest.warns(SlipWarning, match="no gradient for the parameter 'unused', which so stays"):
        optimizer.step()
    assert used.data < 1.0
    assert unused.data == 1.0
    assert optimizer.state[1] is None


def test_forgetting_backward_is_told_once_per_line_for_all_parameters():
    parameters = [nn.Parameter(1.0), nn.Parameter(2.0), nn.Parameter(3.0)]
    optimizer = nn.optim.SGD(parameters, lr=0.1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            optimizer.step()
    (warning,) = caught
    assert "no gradient for a parameter (and others), which so stays" in str(warning.message)
    assert "between zero_grad() and step(), call loss.backward()" in str(warning.message)
    assert warning.filename == __file__
    assert [p.data for p in parameters] == [1.0, 2.0, 3.0]


def test_an_array_that_backward_has_reached_in_part_has_gradient_0_elsewhere():
    first, second = nn.Parameter(1.0, label="table[0]"), nn.Parameter(1.0, label="table[1]")
    optimizer = nn.optim.SGD([first, second], lr=0.5, weight_decay=1.0)
    (2.0 * first).backward()
    optimizer.step()
    assert (first.data, second.data) == (-0.5, 0.5)


def test_gradients_that_are_values_are_taken_as_numbers():
    w = Value(3.0)
    (w * w).backward(create_graph=True)
    nn.optim.SGD([w], lr=0.5).step()
    assert w.data == 0.0
    assert isinstance(w.data, float)


def test_zero_grad_sets_every_gradient_to_zero():
    w, v = Value(3.0), Value(4.0)
    optimizer = nn.optim.Adam([w, v])
    (w * v).backward()
    assert (w.grad, v.grad) == (4.0, 3.0)
    optimizer.zero_grad()
    assert (w.grad, v.grad) == (0.0, 0.0)


def test_any_iterable_of_parameters_will_do():
    model = nn.MLP(2, [1], seed=0)
    assert len(nn.optim.SGD(parameter for parameter in model.parameters()).params) == 3


class Bomb(nn.optim.SGD):
    """Fails at the parameter whose gradient is NaN."""

    def _updated(self, data, gradient, state):
        if math.isnan(gradient):
            raise ArithmeticError("no")
        return super()._updated(data, gradient, state)


def test_a_step_that_fails_changes_nothing():
    w, v = nn.Parameter(1.0), nn.Parameter(2.0)
    optimizer = Bomb([w, v], lr=1.0, momentum=0.9)
    w.grad, v.grad = 1.0, float("nan")
    with pytest.raises(ArithmeticError):
        optimizer.step()
    assert (w.data, v.data, optimizer.state) == (1.0, 2.0, [None, None])


# -- what is refused -----------------------------------------------------------------------------

W = Value(1.0)


@pytest.mark.parametrize(
    ("optimizer", "arguments", "message"),
    [
        ("SGD", {"lr": float("nan")}, "SGD expected a finite lr >= 0, got nan"),
        ("SGD", {"lr": -0.1}, "SGD expected a finite lr >= 0, got -0.1"),
        ("Adam", {"lr": float("inf")}, "Adam expected a finite lr >= 0, got inf"),
        ("SGD", {"momentum": -1}, "SGD expected a finite momentum >= 0, got -1"),
        ("SGD", {"weight_decay": float("nan")}, "SGD expected a finite weight_decay >= 0, got nan"),
        ("Adam", {"betas": (1.0, 0.9)}, "Adam expected 0 <= beta1 < 1, got 1.0"),
        ("Adam", {"betas": (0.9, -0.5)}, "Adam expected 0 <= beta2 < 1, got -0.5"),
        ("Adam", {"eps": -1e-8}, "Adam expected a finite eps >= 0, got -1e-08"),
        (
            "SGD",
            {"nesterov": True},
            "SGD with nesterov=True expected a momentum > 0 and dampening 0, got momentum 0.0 and"
            " dampening 0.0",
        ),
        (
            "SGD",
            {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
            "SGD with nesterov=True expected a momentum > 0 and dampening 0, got momentum 0.9 and"
            " dampening 0.1",
        ),
        ("SGD", {"params": []}, "SGD expected at least one parameter, got an empty list"),
        (
            "SGD",
            {"params": [W, Value(2.0), W]},
            "SGD expected every parameter once, got the same one at positions 0 and 2",
        ),
        (
            "SGD",
            {"params": [W, W * 2.0]},
            "SGD expected leaves as parameters, got the result of '*' at position 1",
        ),
    ],
)
def test_senseless_settings_are_refused(optimizer, arguments, message):
    with pytest.raises(ValueError) as refusal:
        getattr(nn.optim, optimizer)(**{"params": [W], **arguments})
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("optimizer", "arguments", "message"),
    [
        (
            "SGD",
            {"params": [W, 1.0]},
            "SGD expected Values as parameters, got float at position 1: 1.0",
        ),
        (
            "Adam",
            {"params": W},
            "Adam expected a list of parameters, as from model.parameters(), got Value",
        ),
        ("SGD", {"lr": "fast"}, "SGD expected a number for lr, got str: 'fast'"),
        ("Adam", {"betas": 0.9}, "Adam expected betas as a pair of numbers, got 0.9"),
    ],
)
def test_things_of_another_kind_are_refused(optimizer, arguments, message):
    with pytest.raises(TypeError) as refusal:
        getattr(nn.optim, optimizer)(**{"params": [W], **arguments})
    assert str(refusal.value) == message


def test_a_senseless_learning_rate_is_refused_later_too():
    optimizer = nn.optim.SGD([W], lr=0.1)
    with pytest.raises(ValueError, match="expected a finite lr >= 0"):
        optimizer.lr = float("nan")
    assert optimizer.lr == 0.1


def test_an_optimiser_shows_its_settings_as_they_are_now():
    parameters = nn.Linear(2, 1).parameters()
    optimizer = nn.optim.SGD(parameters, 0.1, momentum=0.9, nesterov=True)
    optimizer.lr = 0.05
    assert repr(optimizer) == (
        "SGD(3 parameters, lr=0.05, momentum=0.9, dampening=0.0, weight_decay=0.0, nesterov=True)"
    )
    assert repr(nn.optim.Adam(parameters[:1])) == (
        "Adam(1 parameter, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0)"
    )


def test_nesterov_is_true_or_false():
    with pytest.raises(TypeError, match=r"^SGD's nesterov expected True or False, got str: 'no'$"):
        nn.optim.SGD([nn.Parameter(1.0)], momentum=0.9, nesterov="no")
