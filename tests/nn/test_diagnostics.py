"""Diagnostics: layer statistics, dead units, gradient flow, the loss along a line."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import pytest

import nn
from autograd_lite import Value, no_grad, tanh
from nn.diagnostics import DeadUnits, GradientFlow
from nn.observing import layer_parameters, layers_of

BATCH = [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]]
TARGETS = [1.0, -1.0, 0.5]


def set_parameters(model: nn.Module, numbers: list[float]) -> None:
    for parameter, number in zip(model.parameters(), numbers, strict=True):
        parameter.data = number


def row_2_2() -> nn.MLP:
    model = nn.MLP(1, [2, 1], bias=False, seed=0)
    set_parameters(model, [2.0, -1.0, 1.0, 2.0])
    return model


def linear(weight: list[list[float]]) -> nn.Linear:
    layer = nn.Linear(len(weight[0]), len(weight), bias=False)
    layer.load_state_dict({"weight": weight})
    return layer


def row_2_6(output: nn.Module) -> nn.Sequential:
    """Return the network of row 2.2 with w² = (-1, 2) and something at its output."""
    return nn.Sequential(linear([[2.0], [-1.0]]), nn.ReLU(), linear([[-1.0, 2.0]]), output)


# -- dead and saturated units --------------------------------------------------------------------


def test_row_2_2_has_one_dead_unit():
    first, second = nn.dead_units(row_2_2(), [[1.0], [0.25], [3.0]])
    assert first == DeadUnits("layers.0", "Layer", 2, (1,), ())
    assert second == DeadUnits("layers.1", "Layer", 1, (), ())


def test_a_unit_that_responds_to_one_sample_is_not_dead():
    first, _ = nn.dead_units(row_2_2(), [[1.0], [-0.25], [3.0]])
    assert first.dead == ()
    assert nn.dead_units(row_2_2(), [[-1.0]])[0].dead == (0,)


def test_row_2_6_a_dead_relu_is_detected():
    model = row_2_6(nn.ReLU())
    assert [layer.dead for layer in nn.dead_units(model, [[1.0]])] == [(), (1,), (), (0,)]
    nn.MSELoss()(model([1.0]), [3.0]).backward()
    assert [layer.gradient_norm for layer in nn.gradient_flow(model)] == [0.0, 0.0]


def test_row_2_6_with_a_skip_connection_nothing_is_dead_and_gradients_flow():
    model = row_2_6(nn.Residual(nn.ReLU()))
    found = nn.dead_units(model, [[1.0]])
    assert [(row.layer, row.dead) for row in found] == [
        ("0", ()),
        ("1", (1,)),
        ("2", ()),
        ("3.module", (0,)),
        ("3", ()),  # the sum is what goes on
    ]
    nn.MSELoss()(model([1.0]), [3.0]).backward()
    assert nn.gradient_flow(model) == (
        GradientFlow("0", "Linear", 2, 10.0),
        GradientFlow("2", "Linear", 2, 20.0),
    )


def inverse_tanh_slope(share: float) -> float:
    """Return the z > 0 at which tanh has that slope."""
    return math.atanh(math.sqrt(1.0 - share))


@pytest.mark.parametrize(
    ("activation", "edge"),
    [
        (nn.Tanh(), inverse_tanh_slope(0.06)),
        (nn.Sigmoid(), 2.0 * inverse_tanh_slope(0.06)),  # σ(2z) = (1 + tanh z) / 2
        (nn.Softsign(), 1.0 / math.sqrt(0.06) - 1.0),
        (nn.Hardtanh(), 1.0),
    ],
    ids=repr,
)
def test_a_unit_is_saturated_below_6_percent_of_the_largest_slope(activation, edge):
    model = nn.Sequential(linear([[1.0], [-1.0]]), activation)
    for z, expected in ((1.001 * edge, (0, 1)), (0.999 * edge, ())):
        _, found = nn.dead_units(model, [[z], [2.0 * edge], [-2.0 * edge]])
        assert found.saturated == expected
    *_, statistics = nn.layer_statistics(model, [[0.999 * edge], [0.0], [2.0 * edge], [9.9 * edge]])
    assert statistics.saturated == 0.5


def test_only_bounded_activations_saturate():
    model = nn.Sequential(linear([[1.0]]), nn.ReLU(), nn.Tanh(), nn.Softplus())
    found = nn.layer_statistics(model, [[-40.0], [40.0]])
    assert [row.saturated for row in found] == [None, None, 0.5, None]


# -- statistics ----------------------------------------------------------------------------------


def test_statistics_of_row_2_2_are_those_by_hand():
    model = row_2_2()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    first, second = nn.layer_statistics(
        model, [[1.0]], [3.0], loss=nn.MSELoss(), optimizer=optimizer
    )
    # a¹ = (2, 0), g = 2; dL/dw² = (-4, 0), dL/dw¹ = (-2, 0)
    assert first == (
        *("layers.0", "Layer", 2, 1.0, 1.0, 0.5, None, 2.0),
        pytest.approx(0.1 * 2.0 / math.sqrt(5.0)),
    )
    assert second == (
        *("layers.1", "Layer", 1, 2.0, 0.0, 0.0, None, 4.0),
        pytest.approx(0.1 * 4.0 / math.sqrt(5.0)),
    )


def test_mean_and_spread_are_over_units_and_samples():
    model = linear([[1.0], [10.0]])
    (row,) = nn.layer_statistics(model, [[1.0], [3.0], [5.0]])
    numbers = [1.0, 10.0, 3.0, 30.0, 5.0, 50.0]
    assert row.mean == pytest.approx(16.5)
    assert row.spread == pytest.approx(math.sqrt(sum((y - 16.5) ** 2 for y in numbers) / 6))
    assert (row.layer, row.gradient_norm, row.update_ratio) == ("Linear", None, None)


def test_without_a_loss_the_gradients_are_the_model_s_own():
    model = nn.MLP(2, [3, 1], "tanh", seed=1)
    nn.MSELoss()(model(BATCH), TARGETS).backward()
    own = nn.layer_statistics(model, BATCH)
    assert [row.gradient_norm for row in own] == [
        row.gradient_norm for row in nn.gradient_flow(model)
    ]
    others = nn.layer_statistics(model, BATCH, [0.0, 0.0, 0.0], loss=nn.MSELoss())
    assert own[0].gradient_norm != others[0].gradient_norm
    model.zero_grad()
    assert nn.layer_statistics(model, BATCH)[0].gradient_norm is None


OPTIMISERS = {
    "SGD": lambda p: nn.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "Adam": lambda p: nn.optim.Adam(p, lr=0.01),
    "RMSprop": lambda p: nn.optim.RMSprop(p, lr=0.01, centered=True),
    "Adagrad": lambda p: nn.optim.Adagrad(p, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("steps", [0, 3])
def test_the_update_ratio_is_that_of_the_step_that_follows(name, steps):
    model = nn.MLP(2, [3, 1], "tanh", seed=1)
    optimizer = OPTIMISERS[name](model.parameters())
    for _ in range(steps + 1):
        optimizer.zero_grad()
        nn.MSELoss()(model(BATCH), TARGETS).backward()
        found = nn.layer_statistics(model, BATCH, optimizer=optimizer)
        before = [[p.data for p in layer.parameters()] for layer in model.layers]
        optimizer.step()
    for row, layer, old in zip(found, model.layers, before, strict=True):
        change = math.dist([p.data for p in layer.parameters()], old)
        assert row.update_ratio == pytest.approx(change / math.hypot(*old), rel=1e-9)


def test_parameters_of_several_groups_are_updated_with_their_own_settings():
    model = nn.Sequential(linear([[3.0]]), linear([[4.0]]))
    optimizer = nn.optim.SGD(
        [
            {"params": model[0].parameters(), "lr": 0.5},
            {"params": model[1].parameters()},
        ],
        lr=0.25,
    )
    model([1.0])[0].backward()
    ratios = [row.update_ratio for row in nn.layer_statistics(model, [[1.0]], optimizer=optimizer)]
    assert ratios == [0.5 * 4.0 / 3.0, 0.25 * 3.0 / 4.0]


def test_what_the_optimiser_does_not_have_does_not_move():
    model = nn.Sequential(linear([[3.0]]), linear([[4.0]]))
    optimizer = nn.optim.SGD(model[0].parameters(), lr=0.5)
    model([1.0])[0].backward()
    ratios = [row.update_ratio for row in nn.layer_statistics(model, [[1.0]], optimizer=optimizer)]
    assert ratios == [2.0 / 3.0, 0.0]


def test_weights_of_0_that_move_change_infinitely():
    model = linear([[0.0]])
    model([1.0])[0].backward()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    assert nn.layer_statistics(model, [[1.0]], optimizer=optimizer)[0].update_ratio == math.inf


def test_outputs_that_have_exploded_are_described_too():
    model = nn.Sequential(linear([[1e200], [-1e200]]), linear([[1e200, 0.0], [0.0, 1e200]]))
    first, second = nn.layer_statistics(model, [[1.0]])
    assert (first.mean, first.spread) == (0.0, pytest.approx(1e200))
    assert math.isnan(second.mean)
    assert math.isnan(second.spread)
    assert nn.dead_units(model, [[1.0]])[1].dead == ()


# -- gradient flow -------------------------------------------------------------------------------


def test_row_2_7_gradients_vanish_in_a_chain_of_sigmoid_neurons():
    model = nn.MLP(1, [1] * 10, "sigmoid", "sigmoid", bias=False, init="ones")
    x = Value(0.5)
    model([x]).backward()
    assert x.grad == pytest.approx(3.48e-7, rel=2e-3)
    activations = [0.5]
    for _ in range(10):
        activations.append(1.0 / (1.0 + math.exp(-activations[-1])))
    delta, expected = 1.0, []
    for before, after in reversed(list(pairwise(activations))):
        delta *= after * (1.0 - after)  # to the pre-activation, and on, since w = 1
        expected.insert(0, delta * before)
    found = [row.gradient_norm for row in nn.gradient_flow(model)]
    assert found == pytest.approx(expected, rel=1e-12)
    assert found[0] < 1e-5 * found[-1]


def test_layers_that_backward_has_not_reached_have_no_gradient():
    model = nn.Sequential(linear([[1.0]]), linear([[1.0]]))
    model[1]([2.0])[0].backward()
    assert [row.gradient_norm for row in nn.gradient_flow(model)] == [None, 2.0]


# -- any module ----------------------------------------------------------------------------------


class Net(nn.Module):
    """Nested, with a Parameter of its own, a layer that is used twice, and a function."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [nn.Linear(2, 2, seed=0), nn.Linear(2, 2, seed=1)]
        self.scale = nn.Parameter(3.0)

    def forward(self, x: Any) -> Any:
        x = self.blocks[0](x)
        x = [[tanh(y) for y in sample] for sample in x]
        x = [self.blocks[1](sample) for sample in x]
        x = self.blocks[0](x)
        return [[self.scale * y for y in sample] for sample in x]


def test_layers_of_a_module_of_one_s_own():
    net = Net()
    found = nn.layer_outputs(net, BATCH)
    assert [*found] == ["blocks.0", "blocks.1", "Net"]
    assert [len(found[name]) for name in found] == [6, 3, 3]
    with no_grad():
        assert found["Net"] == [[y.data for y in sample] for sample in net(BATCH)]
        first = [[y.data for y in sample] for sample in net.blocks[0](BATCH)]
    assert found["blocks.0"][:3] == first
    assert [[3.0 * y for y in sample] for sample in found["blocks.0"][3:]] == found["Net"]


def test_parameters_belong_to_one_layer_each():
    net = Net()
    own = {name: len(parameters) for name, parameters in layer_parameters(net).items()}
    assert own == {"Net": 1, "blocks.0": 6, "blocks.1": 6}
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    own = {name: len(parameters) for name, parameters in layer_parameters(tied).items()}
    assert own == {"0": 6, "1": 2}


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (nn.MLP(2, [3, 1], activation=nn.Tanh()), ["layers.0", "layers.1"]),
        (nn.Sequential(nn.Flatten(), nn.WeightNorm(nn.Linear(2, 3)), nn.Identity()), ["1"]),
        (nn.Sequential(nn.Linear(2, 1), nn.Flatten(0, 1)), ["0"]),
        (nn.Sequential(nn.Linear(2, 4), nn.Dropout(0.5).eval(), nn.Tanh()), ["0", "2"]),
        (nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.ReLU()), ["0", "1", "2"]),
        (nn.Neuron(2), ["Neuron"]),
        (nn.Sequential(nn.Embedding(3, 2), nn.Flatten()), ["0"]),
    ],
    ids=["MLP", "weight norm", "one output", "dropout", "batch norm", "neuron", "embedding"],
)
def test_layers_are_those_that_put_out_something_new(model, names):
    batch = [[0, 1], [2, 2]] if "0: Embedding" in repr(model) else BATCH
    assert [row.layer for row in nn.layer_statistics(model, batch)] == names
    assert {*names} <= {*layers_of(model)}


def test_outputs_are_recorded_under_no_grad_too():
    with no_grad():
        found = nn.layer_statistics(row_2_2(), [[1.0]], [3.0], loss=nn.MSELoss())
    assert [row.gradient_norm for row in found] == [2.0, 4.0]


# -- nothing is left behind ----------------------------------------------------------------------


def noisy() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(2, 4, seed=0), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.5, seed=7)
    )


def snapshot(model: nn.Module) -> Any:
    return (
        model.state_dict(),
        [(p.data, p.grad, p.reached, p.label) for p in model.parameters()],
        [
            {
                name: value.getstate() if isinstance(value, random.Random) else value
                for name, value in vars(module).items()
                if not isinstance(value, nn.Module)
            }
            for module in model.modules()
        ],
    )


DIAGNOSTICS = {
    "layer_outputs": lambda model: nn.layer_outputs(model, BATCH),
    "layer_statistics": lambda model: nn.layer_statistics(
        model, BATCH, [[0.0] * 4] * 3, loss=nn.MSELoss()
    ),
    "dead_units": lambda model: nn.dead_units(model, BATCH),
    "loss_along_line": lambda model: nn.loss_along_line(
        model,
        nn.MSELoss(),
        (BATCH, [[0.0] * 4] * 3),
        {**model.state_dict(), "1.num_batches_tracked": 1},
        {**model.state_dict(), "1.num_batches_tracked": 1},
    ),
}


@pytest.mark.parametrize("name", DIAGNOSTICS)
@pytest.mark.parametrize("trained", [False, True])
def test_the_model_is_left_as_it_was(name, trained):
    model = noisy()
    if trained:
        nn.MSELoss()(model(BATCH), [[0.0] * 4] * 3).backward()
    before = snapshot(model)
    DIAGNOSTICS[name](model)
    assert snapshot(model) == before


def test_the_model_is_left_as_it_was_after_an_exception():
    model = noisy()
    before = snapshot(model)
    with pytest.raises(ValueError, match=r"^Linear '0' expected 2 inputs, got 3"):
        nn.layer_statistics(model, [[1.0, 2.0, 3.0]] * 2)
    with pytest.raises(ZeroDivisionError):
        nn.layer_statistics(model, BATCH, TARGETS, loss=lambda outputs, targets: 1 / 0)
    assert snapshot(model) == before


# -- tables --------------------------------------------------------------------------------------


def test_tables_show_what_there_is():
    model = nn.MLP(1, [3, 1], bias=False, output_activation="tanh", init="ones")
    set_parameters(model, [-1.0, 1.0, -2.0, 4.0, 4.0, 4.0])
    assert repr(nn.layer_statistics(model, [[1.0], [2.0]])) == (
        "layer     kind   units  mean    spread   dead  saturated\n"
        "layers.0  Layer      3   0.5     0.764  0.667          –\n"
        "layers.1  Layer      1     1  0.000335      0          1"
    )
    assert repr(nn.dead_units(model, [[1.0], [2.0]])) == (
        "layer     kind   units  dead  saturated\n"
        "layers.0  Layer      3  0, 2          –\n"
        "layers.1  Layer      1     –          0"
    )


def test_a_model_without_layers_to_show_says_so():
    assert repr(nn.dead_units(nn.Flatten(), [[1.0]])) == "no layers"


# -- the loss along a line -----------------------------------------------------------------------


def test_the_loss_of_a_linear_model_is_a_parabola_along_the_line():
    model = nn.Linear(1, 1)
    start, end = {"weight": [[1]], "bias": [0]}, {"weight": [[3]], "bias": [-2]}
    points = [-1.0, 0.0, 0.25, 1.0, 2.0]
    found = nn.loss_along_line(model, nn.MSELoss(), ([[2.0]], [[5.0]]), start, end, points)
    # 2 w + b - 5 with w = 1 + 2t and b = -2t
    assert found.positions == points
    assert found.losses == [(2.0 * t - 3.0) ** 2 for t in points]


def test_row_4_15_both_ends_have_the_losses_of_their_states():
    data = nn.data.moons(30, seed=0)
    model = nn.MLP(2, [8, 2], "tanh", seed=0)
    loss = nn.CrossEntropyLoss()
    start = model.state_dict()
    losses = [float(loss(model(data.inputs), data.targets))]
    optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
    nn.fit(model, data, loss=loss, optimizer=optimizer, epochs=5, seed=0)
    losses.append(float(loss(model(data.inputs), data.targets)))
    found = nn.loss_along_line(model, loss, data, start, model.state_dict())
    assert len(found.losses) == 21
    assert found.positions[:3] == [0.0, 0.05, 0.1]
    assert [found.losses[0], found.losses[-1]] == losses
    assert found.losses[10] != sum(losses) / 2


def test_running_averages_lie_on_the_line_and_counters_do_not():
    model = nn.Sequential(nn.BatchNorm1d(1, affine=False))
    state = {"0.running_mean": [0.0], "0.running_var": [1.0], "0.num_batches_tracked": 3}
    end = {**state, "0.running_mean": [4.0], "0.num_batches_tracked": 8}
    data = ([[0.0]], [[0.0]])
    found = nn.loss_along_line(model, nn.MSELoss(), data, state, end, 3)
    assert found.losses == pytest.approx([0.0, 4.0, 16.0], rel=1e-4)


# -- bad input -----------------------------------------------------------------------------------

MODEL = nn.MLP(2, [2, 1], seed=0)
STATE = MODEL.state_dict()
DATA = ([[1.0, 2.0]], [1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.layer_outputs(lambda x: x, BATCH),
            TypeError,
            "layer_outputs expected a Module, got function",
        ),
        (
            lambda: nn.dead_units(MODEL, 3.0),
            TypeError,
            "dead_units expected a batch, a list of samples, got float: 3.0",
        ),
        (
            lambda: nn.dead_units(MODEL, []),
            ValueError,
            "dead_units expected a batch of at least one sample, got none",
        ),
        (
            lambda: nn.layer_statistics(MODEL, [0.5, 1.0]),
            ValueError,
            "layer_statistics expected a batch, a list of samples that are lists of numbers, got"
            " [0.5, 1.0]; write [x] for a single sample x",
        ),
        (
            lambda: nn.layer_statistics(MODEL, BATCH, TARGETS),
            ValueError,
            "layer_statistics expected both targets and loss, got targets without loss",
        ),
        (
            lambda: nn.layer_statistics(MODEL, BATCH, loss=nn.MSELoss()),
            ValueError,
            "layer_statistics expected both targets and loss, got loss without targets",
        ),
        (
            lambda: nn.layer_statistics(MODEL, BATCH, TARGETS, loss=3),
            TypeError,
            "layer_statistics expected a function as loss, got int: 3",
        ),
        (
            lambda: nn.layer_statistics(MODEL, BATCH, TARGETS, loss=zip),
            TypeError,
            "layer_statistics expected the loss to be one Value, got zip from <class 'zip'>",
        ),
        (
            lambda: nn.layer_statistics(MODEL, BATCH, optimizer=0.1),
            TypeError,
            "layer_statistics expected an optimiser, got float",
        ),
        (
            lambda: nn.gradient_flow(nn.Linear(1, 1)),
            ValueError,
            "gradient_flow expected a model with gradients, got none; call backward() on a loss"
            " computed from it first",
        ),
        (
            lambda: nn.gradient_flow([1.0]),
            TypeError,
            "gradient_flow expected a Module, got list",
        ),
        (
            lambda: nn.loss_along_line(MODEL, nn.MSELoss(), DATA, [0.0], STATE),
            TypeError,
            "loss_along_line expected what state_dict() returns as start, got list",
        ),
        (
            lambda: nn.loss_along_line(MODEL, nn.MSELoss(), DATA, STATE, STATE, 1),
            ValueError,
            "loss_along_line expected points >= 2, got 1",
        ),
        (
            lambda: nn.loss_along_line(MODEL, nn.MSELoss(), DATA, STATE, STATE, []),
            ValueError,
            "loss_along_line expected at least one position as points, got none",
        ),
        (
            lambda: nn.loss_along_line(MODEL, nn.MSELoss(), DATA, STATE, STATE, ["a"]),
            TypeError,
            "loss_along_line expected numbers as points, got str: 'a'",
        ),
        (
            lambda: nn.loss_along_line(MODEL, nn.MSELoss(), DATA, STATE, STATE, [math.nan]),
            ValueError,
            "loss_along_line expected finite numbers as points, got nan",
        ),
        (
            lambda: nn.loss_along_line(MODEL, 3, DATA, STATE, STATE),
            TypeError,
            "loss_along_line expected a function as loss, got int: 3",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_a_state_of_another_model_is_refused():
    other = nn.MLP(2, [3, 1]).state_dict()
    before = MODEL.state_dict()
    with pytest.raises(ValueError, match="layers"):
        nn.loss_along_line(MODEL, nn.MSELoss(), DATA, STATE, other)
    assert MODEL.state_dict() == before


class Ragged(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x: Any) -> Any:
        w = Value(1.0)
        return [self.relu([w] * (1 + i)) for i in range(len(x))]


def test_samples_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r"got samples of 1 and 2 numbers from the layer 'relu'$"):
        nn.layer_outputs(Ragged(), [[1.0], [2.0]])


LOST = nn.MLP(2, [2, 1], seed=0)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "look",
    [
        nn.layer_outputs,
        nn.layer_statistics,
        nn.dead_units,
        lambda model, batch: nn.backprop(model, batch, [0.0, 0.0], nn.MSELoss()),
    ],
    ids=["layer_outputs", "layer_statistics", "dead_units", "backprop"],
)
def test_a_batch_that_holds_no_finite_number_is_refused_with_its_place(look, number):
    with pytest.raises(ValueError, match=r"expected finite numbers, got .* in row 1, column 0 "):
        look(LOST, [[0.5, 1.0], [number, 1.0]])


def test_targets_that_are_nan_are_refused_with_their_place():
    inputs, targets, loss = [[0.5, 1.0], [1.0, 1.0]], [0.0, math.nan], nn.MSELoss()
    with pytest.raises(ValueError, match=r"^layer_statistics's targets expected .* nan in row 1 "):
        nn.layer_statistics(LOST, inputs, targets, loss=loss)
    with pytest.raises(ValueError, match=r"^backprop's y expected finite numbers, .* in row 1 "):
        nn.backprop(LOST, inputs, targets, loss)
    with pytest.raises(
        ValueError, match=r"^backprop's y expected finite numbers, got nan in row 0"
    ):
        nn.backprop(LOST, inputs[0], math.nan, loss)
    with pytest.raises(ValueError, match=r"^backprop's x .* got nan in row 0, column 1 "):
        nn.backprop(LOST, [0.5, math.nan], 0.0, loss)
