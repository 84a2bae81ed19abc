"""Weight normalisation: w = g · v / ‖v‖."""

from __future__ import annotations

import math
import random
import re
from typing import Any

import pytest

import nn
from autograd_lite import dot, total
from nn.nested import elementwise, flat

BATCH = [[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]]


def numbers(outputs: Any) -> Any:
    return elementwise(float, outputs)


@pytest.mark.parametrize("bias", [True, False])
def test_wrapping_changes_no_output(bias: bool) -> None:
    linear = nn.Linear(3, 2, bias=bias, seed=0)
    before = numbers(linear(BATCH)), numbers(linear(BATCH[0]))
    layer = nn.WeightNorm(linear)
    assert (numbers(layer(BATCH)), numbers(layer(BATCH[0]))) == before
    assert len(layer.parameters()) == 6 + 2 + (2 if bias else 0)
    lengths = [math.hypot(*row) for row in numbers(linear.weight)]
    assert numbers(layer.weight_g) == [[length] for length in lengths]


def test_the_lengths_of_the_weights_are_g_whatever_v_is() -> None:
    layer = nn.WeightNorm(nn.Linear(3, 2, seed=0))
    layer.weight_g[0][0].data, layer.weight_g[1][0].data = 7.0, -0.5
    for v in layer.weight_v[0]:
        v.data *= 1000.0
    assert [math.hypot(*row) for row in numbers(layer.weight())] == pytest.approx([7.0, 0.5])


def test_gradients_are_those_of_salimans_and_kingma() -> None:
    linear = nn.Linear(3, 1, seed=0)
    layer = nn.WeightNorm(linear)
    layer.weight_g[0][0].data = 1.75
    plain = layer.remove()
    for network in (plain, layer):
        outputs = list(flat(network(BATCH)))
        dot(outputs, outputs).backward()
    by_weight = [w.grad for w in plain.weight[0]]
    v = numbers(layer.weight_v[0])
    length = math.hypot(*v)
    by_g = math.fsum(d * x for d, x in zip(by_weight, v, strict=True)) / length
    by_v = [1.75 / length * (d - by_g * x / length) for d, x in zip(by_weight, v, strict=True)]
    assert layer.weight_g[0][0].grad == pytest.approx(by_g, rel=1e-14)
    gradients = [x.grad for x in layer.weight_v[0]]
    assert gradients == pytest.approx(by_v, rel=1e-13)
    assert abs(math.fsum(d * x for d, x in zip(gradients, v, strict=True))) < 1e-14


def test_it_trains_in_a_network_and_remove_gives_the_plain_layer() -> None:
    rng = random.Random(0)
    batch = [[rng.gauss(0.0, 1.0) for _ in range(3)] for _ in range(20)]
    targets = [[2.0 * a - b + 0.5] for a, b, _ in batch]
    model = nn.Sequential(nn.WeightNorm(nn.Linear(3, 1, seed=0)))
    optimizer = nn.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        loss = nn.MSELoss()(model(batch), targets)
        loss.backward()
        optimizer.step()
    assert loss.data < 1e-3
    plain = model[0].eval().remove()
    assert isinstance(plain, nn.Linear)
    assert numbers(plain(batch)) == numbers(model(batch))
    assert plain.weight[0][0].data == pytest.approx(2.0, abs=0.1)
    assert not plain.training
    for parameter in plain.parameters():
        parameter.data = 0.0
    assert numbers(model(batch)) != numbers(plain(batch))


def test_the_state_has_the_names_and_shapes_of_pytorchs_weight_norm() -> None:
    layer = nn.WeightNorm(nn.Linear(3, 2, seed=0))
    shapes = {
        name: (len(array), len(array[0]) if isinstance(array[0], list) else None)
        for name, array in layer.state_dict().items()
    }
    assert shapes == {"weight_g": (2, 1), "weight_v": (2, 3), "bias": (2, None)}
    other = nn.WeightNorm(nn.Linear(3, 2, seed=1))
    other.load_state_dict(layer.state_dict())
    assert numbers(other(BATCH)) == numbers(layer(BATCH))


def test_parameters_are_the_layers_own_so_that_an_optimiser_keeps_them() -> None:
    linear = nn.Linear(2, 1)
    held = set(linear.parameters())
    layer = nn.WeightNorm(linear)
    assert held < set(layer.parameters())
    total(layer([1.0, 2.0])).backward()
    assert all(parameter.reached for parameter in layer.parameters())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.WeightNorm(nn.ReLU()),
            TypeError,
            "WeightNorm expected a Linear layer, got ReLU",
        ),
        (
            lambda: nn.WeightNorm(nn.Linear),
            TypeError,
            "WeightNorm expected a Linear layer, got the class Linear; write nn.Linear()",
        ),
        (
            lambda: nn.WeightNorm(nn.Linear(2, 3, init="zeros")),
            ValueError,
            "WeightNorm expected weights that have a direction, got only zeros in row 0",
        ),
        (
            lambda: nn.WeightNorm(nn.Linear(2, 3))([1.0]),
            ValueError,
            "Linear 'module' expected 2 inputs, got 1",
        ),
    ],
)
def test_other_layers_and_zero_weights_are_refused(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()
