"""Vanishing and exploding gradients and what helps against them (rows 2.6, 2.7 and 4.12)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

import nn
from autograd_lite import Value, dot, sigmoid

WIDTH = 16


def test_row_2_7_ten_sigmoid_neurons_in_a_chain() -> None:
    model = nn.MLP(1, [1] * 10, "sigmoid", "sigmoid", bias=False, init="ones")
    x = Value(0.5)
    model([x]).backward()
    assert f"{x.grad:.3g}" == "3.48e-07"
    result = nn.backprop(model, [0.5], 0.0, lambda output, target: output - target)
    assert result.input_grad == [pytest.approx(x.grad, rel=1e-14)]
    # Each layer takes at least the factor ¼, the largest slope of the sigmoid.
    deltas = [layer.delta[0] for layer in result.layers]
    assert all(below <= 0.25 * above for below, above in pairwise(deltas))


@pytest.mark.parametrize(("z", "slope"), [(0.0, 0.25), (5.0, 6.6481e-3), (10.0, 4.5396e-5)])
def test_row_2_7_a_saturated_sigmoid_neuron_hardly_learns(z: float, slope: float) -> None:
    neuron = nn.Neuron(1, "sigmoid", bias=False)
    neuron.w[0].data = z
    neuron([1.0]).backward()
    assert neuron.w[0].grad == pytest.approx(slope, rel=1e-4)
    # With the squared loss a neuron that is wrong and sure of it hardly learns; with binary
    # cross-entropy the slope of the loss, 1/(1 - σ), makes up for it.
    neuron.zero_grad()
    nn.MSELoss()(neuron([1.0]), 0.0).backward()
    assert neuron.w[0].grad == pytest.approx(2.0 * sigmoid(z) * slope, rel=1e-4)
    neuron.zero_grad()
    nn.BCELoss()(neuron([1.0]), 0.0).backward()
    assert neuron.w[0].grad == pytest.approx(sigmoid(z), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_row_2_7_ten_sigmoid_layers_vanish_and_ten_tanh_layers_with_xavier_do_not(
    seed: int, record_property: Callable[[str, float], None]
) -> None:
    rng = random.Random(seed)
    x = [[rng.gauss(0.0, 1.0) for _ in range(WIDTH)] for _ in range(8)]
    y = [rng.gauss(0.0, 1.0) for _ in x]
    norms = {}
    for activation in ("sigmoid", "tanh"):
        # "lecun" is N(0, 1/n), what the lectures call Xavier.
        model = nn.MLP(WIDTH, [WIDTH] * 10 + [1], activation, init="lecun", seed=seed)
        nn.MSELoss()(model(x), y).backward()
        norms[activation] = [layer.gradient_norm or 0.0 for layer in nn.gradient_flow(model)]
        record_property(
            f"{activation}, first by last", norms[activation][0] / norms[activation][-1]
        )
    assert all(below < above for below, above in pairwise(norms["sigmoid"]))
    assert norms["sigmoid"][0] < 1e-6 * norms["sigmoid"][-1]
    assert norms["tanh"][0] > 0.2 * norms["tanh"][-1]


# -- the remedies, each with and without ---------------------------------------------------------


def gain(block: Callable[[random.Random], list[Any]], depth: int) -> float:
    """Return log₁₀ ‖∂L/∂x‖/‖∂L/∂g‖ through ``depth`` blocks: the mean of five networks.

    0 if gradients pass undiminished, -6 if a millionth arrives at the input x.
    """
    logarithms = []
    for seed in range(5):
        rng = random.Random(seed)
        model = nn.Sequential(*(part for _ in range(depth) for part in block(rng)))
        batch = [[Value(rng.gauss(0.0, 1.0)) for _ in range(WIDTH)] for _ in range(8)]
        outputs = [output for sample in model(batch) for output in sample]
        slopes = [rng.gauss(0.0, 1.0) for _ in outputs]
        dot(outputs, slopes).backward()
        arrived = math.hypot(*(x.grad for sample in batch for x in sample))
        logarithms.append(math.log10(arrived / math.hypot(*slopes)))
    return sum(logarithms) / 5


def linear(rng: random.Random, init: Any) -> nn.Linear:
    return nn.Linear(WIDTH, WIDTH, init=init, seed=rng)


def relu(std: float, *between: Callable[[], Any]) -> Callable[[random.Random], list[Any]]:
    """Return what makes a block: weights N(0, std²), something, a ReLU."""
    init = nn.init.normal(0.0, std)
    return lambda rng: [linear(rng, init), *(make() for make in between), nn.ReLU()]


def with_lengths_of_their_own(rng: random.Random) -> list[Any]:
    """Return a block whose weights are tiny, and their lengths learned apart from them."""
    layer = nn.WeightNorm(linear(rng, nn.init.normal(0.0, 0.01)))
    for (length,) in layer.weight_g:
        length.data = math.sqrt(2.0)
    return [layer, nn.ReLU()]


def sigmoids(rng: random.Random) -> list[Any]:
    return [linear(rng, "lecun"), nn.Sigmoid()]


def batch_norm() -> nn.BatchNorm1d:
    return nn.BatchNorm1d(WIDTH, eps=1e-12)  # the pre-activations are far below the usual 1e-5


def layer_norm() -> nn.LayerNorm:
    return nn.LayerNorm(WIDTH, eps=1e-12)


HE, TINY, HUGE = math.sqrt(2.0 / WIDTH), 0.01, 1.0


@pytest.mark.parametrize(
    ("depth", "without", "expected_without", "remedy", "expected_with"),
    [
        # Bounds on log₁₀ of the gain; the five networks of a mean lie within ±0.4 of it, with
        # batch normalisation ±0.7.
        (
            10,
            sigmoids,
            (-7.0, -6.0),
            lambda rng: [linear(rng, "lecun"), nn.Tanh()],
            (-1.0, 0.0),
        ),
        (20, relu(HE * math.sqrt(0.5)), (-4.0, -3.0), relu(HE), (-0.7, 0.3)),
        (20, relu(HE * math.sqrt(2.0)), (2.3, 3.3), relu(HE), (-0.7, 0.3)),
        (10, relu(TINY), (-16.3, -15.0), with_lengths_of_their_own, (-0.6, 0.4)),
        (10, relu(TINY), (-16.3, -15.0), relu(TINY, batch_norm), (0.2, 2.0)),
        (10, relu(HUGE), (3.7, 5.0), relu(HUGE, batch_norm), (0.2, 2.0)),
        (10, relu(TINY), (-16.3, -15.0), relu(TINY, layer_norm), (-0.8, 0.3)),
        (10, relu(HUGE), (3.7, 5.0), relu(HUGE, layer_norm), (-0.8, 0.3)),
        (
            10,
            sigmoids,
            (-7.0, -6.0),
            lambda rng: [nn.Residual(nn.Sequential(*sigmoids(rng)))],
            (-0.1, 0.2),
        ),
        (
            10,
            relu(TINY),
            (-16.3, -15.0),
            lambda rng: [nn.Residual(nn.Sequential(*relu(TINY)(rng)))],
            (-0.01, 0.01),
        ),
    ],
    ids=[
        "activation",
        "initialisation, vanishing",
        "initialisation, exploding",
        "weight normalisation",
        "batch normalisation, vanishing",
        "batch normalisation, exploding",
        "layer normalisation, vanishing",
        "layer normalisation, exploding",
        "skip connections, sigmoid",
        "skip connections, tiny weights",
    ],
)
def test_row_2_7_each_remedy_with_and_without(
    depth: int,
    without: Any,
    expected_without: tuple[float, float],
    remedy: Any,
    expected_with: tuple[float, float],
    record_property: Callable[[str, float], None],
) -> None:
    for name, block, (low, high) in (
        ("log10 of the gain without", without, expected_without),
        ("log10 of the gain with", remedy, expected_with),
    ):
        found = gain(block, depth)
        record_property(name, found)
        assert low < found < high


def test_row_2_7_he_changes_the_gain_of_twenty_layers_by_the_power_that_theory_gives() -> None:
    # Weights of one seed differ by √2 alone: 2^(20/2) = 1024, a shift of 3.0103 exactly.
    shift = gain(relu(HE), 20) - gain(relu(HE * math.sqrt(0.5)), 20)
    assert shift == pytest.approx(math.log10(1024.0), rel=1e-9)


def trained(clip: float | None) -> tuple[list[float], float]:
    """Return the losses up to the first NaN, and the norm of the first gradient."""
    rng = random.Random(0)
    large = nn.init.normal(0.0, math.sqrt(4.0 / 8))
    blocks = [(nn.Linear(8, 8, init=large, seed=rng), nn.ReLU()) for _ in range(12)]
    hidden = [part for block in blocks for part in block]
    model = nn.Sequential(*hidden, nn.Linear(8, 1, seed=rng), nn.Flatten(0, 1))
    x = [[rng.gauss(0.0, 1.0) for _ in range(8)] for _ in range(8)]
    y = [rng.gauss(0.0, 1.0) for _ in x]
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    losses, first_norm = [], 0.0
    for step in range(40):
        optimizer.zero_grad()
        loss = nn.MSELoss()(model(x), y)
        losses.append(loss.data)
        if math.isnan(loss.data):
            break
        loss.backward()
        norm = nn.clip_grad_norm_(model.parameters(), math.inf if clip is None else clip)
        first_norm = norm if step == 0 else first_norm
        optimizer.step()
    return losses, first_norm


def test_row_2_7_and_4_12_clipping_trains_a_network_that_explodes_without() -> None:
    without, norm = trained(None)
    clipped, same_norm = trained(1.0)
    assert norm == same_norm > 1e4
    assert without[0] == clipped[0] > 1e3
    assert without[1] > 1e20
    assert math.isnan(without[-1])
    assert len(clipped) == 40
    assert clipped[-1] < 1e-3 * clipped[0]


# -- dead units ----------------------------------------------------------------------------------


def network_of_row_2_6(skip: bool) -> nn.Sequential:
    """Return M's network whose output neuron has z < 0."""
    first, second = nn.Linear(1, 2, bias=False), nn.Linear(2, 1, bias=False)
    first.load_state_dict({"weight": [[2.0], [-1.0]]})
    second.load_state_dict({"weight": [[-1.0, 2.0]]})
    output = nn.Residual(nn.ReLU()) if skip else nn.ReLU()
    return nn.Sequential(first, nn.ReLU(), second, output)


def descend(model: Any, steps: int) -> list[float]:
    optimizer = nn.optim.SGD(model.parameters(), lr=0.02)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.MSELoss()(model([1.0]), [3.0])
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
    return losses


def test_row_2_6_a_dead_relu_stays_dead_and_a_residual_connection_revives_the_first_layer() -> None:
    dead = network_of_row_2_6(skip=False)
    assert descend(dead, 100) == [9.0] * 100
    assert dead.state_dict() == network_of_row_2_6(skip=False).state_dict()
    alive = network_of_row_2_6(skip=True)
    losses = descend(alive, 100)
    assert losses[0] == 25.0
    assert losses[-1] < 1e-6
    first = alive[0].weight
    assert first[0][0].data != 2.0  # dw¹ was (10, 0) in the first step
    assert first[1][0].data == -1.0  # the hidden neuron that is dead stays so: no skip around it


def test_row_2_6_a_unit_dies_of_one_large_step() -> None:
    neuron = nn.Neuron(1, "relu")
    neuron.w[0].data, neuron.b.data = 1.0, 0.0
    xs, ys = [[1.0], [2.0], [3.0]], [0.5, 1.0, 1.5]
    optimizer = nn.optim.SGD(neuron.parameters(), lr=1.0)
    states = []
    for _ in range(20):
        optimizer.zero_grad()
        nn.MSELoss()(neuron(xs), ys).backward()
        optimizer.step()
        states.append((neuron.w[0].data, neuron.b.data))
    assert all(w * x + b < 0.0 for w, b in states for (x,) in xs)
    assert len(set(states)) == 1
