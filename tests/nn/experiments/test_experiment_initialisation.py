"""Initialisation (row 4.7 of the lectures): what happens to the signal, layer after layer."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import pytest

import nn
from autograd_lite import no_grad

WIDTH, DEPTH, NETWORKS = 64, 20, 2000


def mean_squares(draw: Any) -> list[float]:
    """Return the mean square of each layer's pre-activations, over networks and inputs.

    Given the activations a of the layer before, the sums w · a of normal weights of variance σ² are
    independent and N(0, σ²‖a‖²), exactly. So one draw of a weight, times ‖a‖, is the pre-activation
    of one unit, and a layer of 64 × 64 weights takes 64 draws.
    """
    rng = random.Random(0)
    summed = [0.0] * DEPTH
    for _ in range(NETWORKS):
        square = sum(rng.gauss(0.0, math.sqrt(0.5)) ** 2 for _ in range(WIDTH))
        for layer in range(DEPTH):
            length, square = math.sqrt(square), 0.0
            for _ in range(WIDTH):
                z = length * draw(rng, WIDTH, WIDTH)
                summed[layer] += z * z
                square += z * z if z > 0.0 else 0.0
    return [total / (NETWORKS * WIDTH) for total in summed]


@pytest.mark.parametrize(
    ("draw", "factor"),
    [
        (nn.init.he_normal, 1.0),
        (nn.init.lecun_normal, 0.5),
        (nn.init.normal(0.0, math.sqrt(4.0 / WIDTH)), 2.0),
    ],
    ids=["N(0, 2/n)", "N(0, 1/n)", "N(0, 4/n)"],
)
def test_row_4_7_mean_square_of_the_pre_activations_layer_after_layer(
    draw: Any, factor: float
) -> None:
    # A layer multiplies the mean square of a single network by a factor of mean 1 and variance
    # 5/64, so that of layer 20 has a deviation of √((1 + 5/64)²⁰ - 1) = 1.9, and the mean over
    # 2,000 networks one of 4.2 %: 15 % are 3.6 of them.
    found = mean_squares(draw)
    # Inputs have mean square ½, as what comes out of a ReLU, so that He starts at 1.
    for layer, mean_square in enumerate(found, 1):
        assert mean_square == pytest.approx(factor**layer, rel=0.15)
    assert found[-1] == pytest.approx({1.0: 1.0, 0.5: 2.0**-20, 2.0: 2.0**20}[factor], rel=0.15)


def test_row_4_7_the_same_with_all_4096_weights_of_every_layer_drawn() -> None:
    numpy = pytest.importorskip("numpy", reason="164 million weights need the extra data")
    rng = numpy.random.default_rng(0)
    found = numpy.zeros(DEPTH)
    blocks = 20
    for _ in range(blocks):
        a = rng.standard_normal((NETWORKS // blocks, WIDTH, 1)) * math.sqrt(0.5)
        for layer in range(DEPTH):
            weight = rng.standard_normal((NETWORKS // blocks, WIDTH, WIDTH))
            z = weight @ a * math.sqrt(2.0 / WIDTH)
            found[layer] += (z * z).mean() / blocks
            a = numpy.maximum(z, 0.0)
    assert abs(found - 1.0).max() < 0.15


@pytest.mark.parametrize(("init", "factor"), [("he", 1.0), ("lecun", 0.5)])
def test_row_4_7_real_layers_that_widen_and_narrow_keep_the_law_by_their_fan_in(
    init: str, factor: float
) -> None:
    # Widths change, so that variances by fan_out would be wrong by a factor of 2 in each layer.
    networks, widths = 16, [64, 32] * (DEPTH // 2) + [64]
    ratios: dict[tuple[int, int], list[float]] = {(64, 32): [], (32, 64): []}
    rng = random.Random(0)
    for _ in range(networks):
        a = [rng.gauss(0.0, 1.0) for _ in range(widths[0])]
        before = None
        for nin, nout in pairwise(widths):
            with no_grad():
                z = [float(v) for v in nn.Linear(nin, nout, init=init, seed=rng)(a)]
            square = math.fsum(v * v for v in z) / nout
            if before is not None:
                ratios[nin, nout].append(square / before)
            a, before = [max(v, 0.0) for v in z], square
    # Given the direction of z, uniform on a sphere, ‖relu(z)‖² / ‖z‖² has mean ½ and mean square
    # (nin + 5) / (4 (nin + 2)); the mean square of nout normal numbers has variance 2/nout. So each
    # ratio has mean `factor` exactly, and the ratios of all layers and networks are independent.
    for (nin, nout), found in ratios.items():
        variance = (1.0 + 2.0 / nout) * (nin + 5) / (nin + 2) - 1.0
        error = math.sqrt(variance / len(found))
        assert error < 0.03
        assert math.fsum(found) / len(found) / factor == pytest.approx(1.0, abs=4.0 * error)


def relu_network(init: Any) -> nn.Sequential:
    rng = random.Random(3)
    layers = [nn.Linear(WIDTH, WIDTH, init=init, seed=rng) for _ in range(DEPTH)]
    return nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))


def test_row_4_7_a_single_network_scatters_but_its_ratios_are_exact() -> None:
    # One seed draws the same weights, but for their spread, and ReLU passes a factor on: the three
    # networks differ by powers of 2 alone.
    x = [random.Random(4).gauss(0.0, 1.0) for _ in range(WIDTH)]
    squares = {}
    for name, init in (
        ("he", "he"),
        ("lecun", "lecun"),
        ("large", nn.init.normal(0.0, math.sqrt(4.0 / WIDTH))),
    ):
        model = relu_network(init)
        with_activations = x
        found = []
        with_z: list[float] = []
        for part in model:
            with_activations = [float(v) for v in part(with_activations)]
            if isinstance(part, nn.Linear):
                with_z = with_activations
                found.append(math.fsum(v * v for v in with_z) / WIDTH)
        squares[name] = found
    for layer in range(DEPTH):
        he = squares["he"][layer]
        assert squares["lecun"][layer] / he == pytest.approx(2.0 ** -(layer + 1), rel=1e-12)
        assert squares["large"][layer] / he == pytest.approx(2.0 ** (layer + 1), rel=1e-12)
    assert max(squares["he"]) / min(squares["he"]) > 2.0  # alone it is far from constant


# -- all zeros -----------------------------------------------------------------------------------

XS, YS = [[0.0, 1.0], [1.0, 0.5], [-1.0, 2.0], [0.5, -0.5]], [1.0, -2.0, 0.5, 3.0]


def trained_from_zeros(activation: str, steps: int = 200) -> nn.MLP:
    model = nn.MLP(2, [3, 3, 1], activation, init="zeros")
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.MSELoss()(model(XS), YS).backward()
        optimizer.step()
    return model


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_row_4_7_from_zeros_relu_and_tanh_networks_move_the_output_bias_alone(
    activation: str,
) -> None:
    *others, output_bias = trained_from_zeros(activation).parameters()
    assert [p.data for p in others] == [0.0] * 24
    # A constant is all that is left: the best is the mean of the targets.
    assert output_bias.data == pytest.approx(sum(YS) / 4, rel=1e-12)


def test_row_4_7_from_zeros_sigmoid_units_of_a_layer_stay_identical() -> None:
    model = trained_from_zeros("sigmoid")
    for layer in model.layers[:-1]:
        first, *others = ([p.data for p in neuron.parameters()] for neuron in layer.neurons)
        assert all(other == first for other in others)
        assert any(first)  # they do move, all together
    assert len({w.data for w in model.layers[-1].neurons[0].w}) == 1


def test_row_4_7_random_weights_break_the_symmetry() -> None:
    model = nn.MLP(2, [3, 3, 1], "sigmoid", seed=0)
    first, *others = ([p.data for p in n.parameters()] for n in model.layers[0].neurons)
    assert first not in others


# -- too large and too small ---------------------------------------------------------------------


def test_row_4_7_large_weights_saturate_tanh_and_small_ones_make_it_vanish() -> None:
    def layers(std: float) -> tuple[float, float]:
        """Return the share of saturated units and the mean square of the last activations."""
        model = nn.MLP(WIDTH, [WIDTH] * 10, "tanh", "tanh", seed=0, init=nn.init.normal(0.0, std))
        rng = random.Random(1)
        x = [[rng.gauss(0.0, 1.0) for _ in range(WIDTH)] for _ in range(2)]
        a = [float(v) for sample in model(x) for v in sample]
        return sum(abs(v) > 0.99 for v in a) / len(a), sum(v * v for v in a) / len(a)

    saturated, _ = layers(1.0)
    kept, mean_square = layers(math.sqrt(1.0 / WIDTH))  # Xavier as the lectures have it
    _, vanished = layers(0.1 * math.sqrt(1.0 / WIDTH))
    assert saturated > 0.7
    assert kept == 0.0
    assert 0.03 < mean_square < 0.3
    assert vanished < 1e-19  # a tenth of the spread: (1/100)¹⁰ of the mean square, at most
