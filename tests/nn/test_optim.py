"""Optimisers do what PyTorch's do, update by update, and refuse what makes no sense."""

import math
import warnings

import pytest
from torch_figures import RECORDED, named, started, take

import nn
from autograd_lite import SlipWarning, Value


@pytest.mark.parametrize("trajectory", [*RECORDED["trajectories"], *RECORDED["grouped"]], ids=named)
def test_every_update_is_pytorchs(trajectory):
    # PyTorch fuses multiplication and addition, so single updates differ in the last bit; what is
    # left of that after later updates is measured against the largest number on the way.
    parameters, optimizer = started(trajectory)
    sizes = [abs(x) for x in trajectory["start"]]
    for update in trajectory["updates"]:
        take(optimizer, update)
        sizes = [max(size, abs(x)) for size, x in zip(sizes, update["data"], strict=True)]
        for parameter, expected, size in zip(parameters, update["data"], sizes, strict=True):
            assert abs(parameter.data - expected) <= 1e-15 * size


@pytest.mark.parametrize("name", RECORDED["defaults"])
def test_default_settings_are_pytorchs(name):
    defaults = getattr(nn.optim, name)([nn.Parameter(1.0)]).defaults
    recorded = RECORDED["defaults"][name]
    assert {key: [*v] if isinstance(v, tuple) else v for key, v in defaults.items()} == {
        key: recorded[key] for key in defaults
    }


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


@pytest.mark.parametrize("gradient", [1e-3, 1.0, 1e6])
def test_without_hats_adams_first_step_would_be_3_162_times_too_large(gradient):
    w = nn.Parameter(0.0)
    w.grad = gradient
    optimizer = nn.optim.Adam([w], lr=0.001, eps=1e-30)
    optimizer.step()
    _, average, square = optimizer.state[0]
    assert 0.001 * average / math.sqrt(square) == pytest.approx(-3.1623 * w.data, rel=1e-4)


def test_the_step_goes_against_the_gradient():
    for name in RECORDED["defaults"]:
        w = nn.Parameter(0.0)
        w.grad = 1.0
        getattr(nn.optim, name)([w], lr=0.1).step()
        assert w.data < 0.0


# -- weight decay --------------------------------------------------------------------------------


def trained(make, penalty):
    """Return the weights after 30 steps on a small regression problem, ½·penalty·‖θ‖² included."""
    model = nn.Linear(2, 1, seed=0)
    optimizer = make(model.parameters())
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.MSELoss()(model([[1.0, 2.0], [0.5, -1.0], [2.0, 0.3]]), [[1.0], [-3.0], [0.5]])
        if penalty:
            loss = loss + 0.5 * penalty * sum(w * w for w in model.parameters())
        loss.backward()
        optimizer.step()
    return [w.data for w in model.parameters()]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_for_sgd_weight_decay_is_the_penalty_half_lambda_theta_squared(momentum):
    in_loss = trained(lambda p: nn.optim.SGD(p, lr=0.05, momentum=momentum), 0.3)
    in_step = trained(lambda p: nn.optim.SGD(p, 0.05, momentum, weight_decay=0.3), 0.0)
    assert in_step == pytest.approx(in_loss, rel=1e-12)
    assert in_step != pytest.approx(trained(lambda p: nn.optim.SGD(p, 0.05, momentum), 0.0), 0.01)


def test_for_adam_weight_decay_is_that_penalty_too_and_for_adamw_it_is_not():
    in_loss = trained(lambda p: nn.optim.Adam(p, lr=0.05), 0.3)
    assert trained(lambda p: nn.optim.Adam(p, lr=0.05, weight_decay=0.3), 0.0) == pytest.approx(
        in_loss, rel=1e-9
    )
    decoupled = trained(lambda p: nn.optim.AdamW(p, lr=0.05, weight_decay=0.3), 0.0)
    assert decoupled != pytest.approx(in_loss, rel=0.01)


def test_adam_decays_weights_with_large_gradients_less_and_adamw_all_alike():
    # One step each way cancels the gradient, so that only the decay is left.
    def left(make):
        weights = [nn.Parameter(1.0), nn.Parameter(1.0)]
        optimizer = make(weights)
        for step in range(400):
            for w, size in zip(weights, (0.1, 10.0), strict=True):
                w.grad = size * (-1.0) ** step
            optimizer.step()
        return [w.data for w in weights]

    small, large = left(lambda p: nn.optim.Adam(p, lr=1e-3, weight_decay=0.01))
    assert large - small > 0.02
    small, large = left(lambda p: nn.optim.AdamW(p, lr=1e-3, weight_decay=0.5))
    assert small == pytest.approx(large, rel=1e-6)
    assert large < 0.83
    sgd = left(lambda p: nn.optim.SGD(p, lr=1e-3, weight_decay=0.5))
    assert sgd == pytest.approx([(1.0 - 1e-3 * 0.5) ** 400] * 2, rel=0.01)


def test_a_penalty_without_the_half_decays_twice_as_fast_and_needs_the_rate():
    w = nn.Parameter(2.0)
    (0.5 * w * w).backward()  # λ‖θ‖² with λ = 0.5
    nn.optim.SGD([w], lr=0.1).step()
    assert w.data == pytest.approx(1.8, rel=1e-15)


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

    @staticmethod
    def rule(data, gradient, *arguments):
        if math.isnan(gradient):
            raise ArithmeticError("no")
        return nn.optim.SGD.rule(data, gradient, *arguments)


def test_a_step_that_fails_changes_nothing():
    w, v = nn.Parameter(1.0), nn.Parameter(2.0)
    optimizer = Bomb([w, v], lr=1.0, momentum=0.9)
    w.grad, v.grad = 1.0, float("nan")
    with pytest.raises(ArithmeticError):
        optimizer.step()
    assert (w.data, v.data, optimizer.state) == (1.0, 2.0, [None, None])


class SignDescent(nn.optim.Optimizer):
    """An optimiser of one's own: steps of one size, which shrink by a share each time."""

    state_names = ("size",)

    def __init__(self, params, lr=0.5, shrink=0.5):
        super().__init__(params, {"lr": lr, "shrink": shrink})

    @staticmethod
    def rule(data, gradient, state, settings, sqrt):
        lr, shrink = settings
        size = lr if state is None else state[0] * shrink
        return data - size * ((gradient > 0.0) - (gradient < 0.0)), (size,)


def test_an_optimiser_of_one_s_own_is_a_rule_and_its_settings():
    w, v = nn.Parameter(1.0), nn.Parameter(1.0)
    optimizer = SignDescent([{"params": [w]}, {"params": [v], "shrink": 0.25}])
    for _ in range(3):
        optimizer.zero_grad()
        (7.0 * w - 0.1 * v).backward()
        optimizer.step()
    assert (w.data, v.data) == (1.0 - 0.5 - 0.25 - 0.125, 1.0 + 0.5 + 0.125 + 0.03125)
    assert optimizer.state_dict()["state"] == {0: {"size": 0.125}, 1: {"size": 0.03125}}
    with pytest.raises(ValueError, match="SignDescent expected a finite shrink >= 0, got -1"):
        SignDescent([w], shrink=-1)


def test_without_a_rule_there_is_no_step():
    w = nn.Parameter(1.0)
    w.grad = 1.0
    with pytest.raises(NotImplementedError, match="an optimiser expected a rule"):
        nn.optim.Optimizer([w], {"lr": 0.1}).step()


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
        ("RMSprop", {"alpha": 1.0}, "RMSprop expected 0 <= alpha < 1, got 1.0"),
        ("RMSprop", {"eps": 0}, "RMSprop expected a finite eps > 0, got 0"),
        ("Adagrad", {"lr_decay": -1}, "Adagrad expected a finite lr_decay >= 0, got -1"),
        (
            "Adagrad",
            {"initial_accumulator_value": -1},
            "Adagrad expected a finite initial_accumulator_value >= 0, got -1",
        ),
        ("AdamW", {"weight_decay": -1}, "AdamW expected a finite weight_decay >= 0, got -1"),
        ("Adam", {"betas": (1.0, 0.9)}, "Adam expected 0 <= beta1 < 1, got 1.0"),
        ("Adam", {"betas": (0.9, -0.5)}, "Adam expected 0 <= beta2 < 1, got -0.5"),
        ("Adam", {"eps": -1e-8}, "Adam expected a finite eps > 0, got -1e-08"),
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
        ("SGD", {"lr": "0.1"}, "SGD expected a number for lr, got str: '0.1'"),
        (
            "RMSprop",
            {"centered": 1},
            "RMSprop's centered expected True or False, got int: 1",
        ),
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
