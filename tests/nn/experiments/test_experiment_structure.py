"""What networks can and cannot compute, and at what cost (rows 1.6 and 2.8 to 2.10)."""

from __future__ import annotations

import math
from itertools import permutations, product
from typing import Any

import pytest

import nn
from autograd_lite import graph, hessian, tanh, value_and_grad

XOR = ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 1.0, 0.0])


def trained(model: Any, data: Any, optimizer: Any, steps: int) -> list[float]:
    """Descend on all data at once; return the losses, the last one after the last step."""
    xs, ys = data
    losses = []
    for step in range(steps + 1):
        loss = nn.MSELoss()(model(xs), ys)
        losses.append(loss.data)
        if step < steps:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return losses


# -- 2.8: without a non-linearity ----------------------------------------------------------------


@pytest.mark.parametrize("hidden", [[], [4], [8, 8]], ids=["linear", "1 hidden", "2 hidden"])
def test_row_2_8_a_linear_network_of_any_depth_gets_no_further_than_0_25_on_xor(
    hidden: list[int],
) -> None:
    model = nn.MLP(2, [*hidden, 1], activation=None, seed=0)
    losses = trained(model, XOR, nn.optim.SGD(model.parameters(), lr=0.1), 400)
    assert min(losses) >= 0.25 - 1e-15
    assert losses[-1] == pytest.approx(0.25, abs=1e-3)
    assert [v.data for v in model(XOR[0])] == pytest.approx([0.5] * 4, abs=0.05)


def test_row_2_8_one_relu_layer_solves_xor() -> None:
    model = nn.MLP(2, [8, 1], activation="relu", seed=0)
    losses = trained(model, XOR, nn.optim.SGD(model.parameters(), lr=0.1), 400)
    assert losses[-1] < 1e-6


def test_row_2_8_a_deep_linear_network_is_one_matrix() -> None:
    model = nn.MLP(2, [3, 4, 2], activation=None, seed=1)
    offset = [v.data for v in model([0.0, 0.0])]
    columns = [
        [v.data - b for v, b in zip(model(unit), offset, strict=True)]
        for unit in ([1.0, 0.0], [0.0, 1.0])
    ]
    x = [0.3, -1.7]
    expected = [b + columns[0][i] * x[0] + columns[1][i] * x[1] for i, b in enumerate(offset)]
    assert [v.data for v in model(x)] == pytest.approx(expected, rel=1e-14)


# -- 2.9: the loss is not convex -----------------------------------------------------------------


def test_row_2_9_the_loss_of_two_weights_has_a_saddle_with_eigenvalues_2_and_minus_2() -> None:
    def loss(w: list[Any]) -> Any:
        return (w[1] * tanh(w[0] * 1.0) - 1.0) ** 2

    assert value_and_grad(loss)([0.0, 0.0]) == (1.0, [0.0, 0.0])
    (a, b), (c, d) = hessian(loss)([0.0, 0.0])
    assert ((a, b), (c, d)) == ((0.0, -2.0), (-2.0, 0.0))
    middle, radius = (a + d) / 2.0, math.hypot((a - d) / 2.0, b)
    assert (middle + radius, middle - radius) == (2.0, -2.0)
    # A network computes the same function: gradient descent stays on the saddle.
    model = nn.MLP(1, [1, 1], "tanh", bias=False, init="zeros")
    losses = trained(model, ([[1.0]], [1.0]), nn.optim.SGD(model.parameters(), lr=0.5), 20)
    assert losses == [1.0] * 21


def test_row_2_9_two_minima_with_a_higher_loss_between_them() -> None:
    # (w₁, w₂) and (-w₁, -w₂) are the same function, since tanh is odd; their middle is the saddle.
    model = nn.MLP(1, [1, 1], "tanh", bias=False, init="ones")
    trained(model, ([[1.0]], [1.0]), nn.optim.SGD(model.parameters(), lr=0.2), 100)
    at = {}
    weights = [p.data for p in model.parameters()]
    for factor in (1.0, 0.0, -1.0):
        for parameter, weight in zip(model.parameters(), weights, strict=True):
            parameter.data = factor * weight
        at[factor] = nn.MSELoss()(model([[1.0]]), [1.0]).data
    assert at[1.0] == at[-1.0] < 1e-6
    assert at[0.0] == 1.0


# -- 2.10: permutations of hidden neurons --------------------------------------------------------


def permuted(state: dict[str, Any], orders: Any) -> dict[str, Any]:
    """Return weights of the same function, with the neurons of hidden layers in another order."""
    before: Any = range(len(state["layers.0.weight"][0]))
    found = {}
    for position, order in enumerate([*orders, [0]]):
        weight = state[f"layers.{position}.weight"]
        found[f"layers.{position}.weight"] = [[weight[i][j] for j in before] for i in order]
        before = order
    return found


def test_row_2_10_the_3_2_2_1_network_has_4_equivalent_versions() -> None:
    model = nn.MLP(3, [2, 2, 1], "sigmoid", bias=False, seed=0)
    state = model.state_dict()
    versions = [permuted(state, orders) for orders in product(permutations(range(2)), repeat=2)]
    assert len(versions) == 4
    assert len({str(version) for version in versions}) == 4
    assert state in versions
    samples = [[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]]
    expected = [v.data for v in model(samples)]
    for version in versions:
        model.load_state_dict(version)
        # The order of the sums changes, and that alone.
        assert [v.data for v in model(samples)] == pytest.approx(expected, rel=1e-15)
    # Swapped in one place alone it is another function.
    broken = dict(state)
    broken["layers.0.weight"] = state["layers.0.weight"][::-1]
    model.load_state_dict(broken)
    assert [v.data for v in model(samples)] != pytest.approx(expected, rel=1e-6)


# -- 1.6: cost -----------------------------------------------------------------------------------


def edges(width: int, depth: int, nin: int = 2) -> int:
    """Return how many partials the backward pass of a network multiplies with."""
    model = nn.MLP(nin, [width] * (depth - 1) + [1], "tanh", seed=0)
    return sum(1 for _ in graph(model([0.5] * nin)).edges)


def test_row_1_6_the_backward_pass_costs_k_squared_l() -> None:
    # A neuron has an edge to every weight, to its bias, and to every unit of the layer before,
    # which inputs that are plain numbers are not; its activation has one.
    for width, depth in ((1, 2), (3, 2), (4, 5), (16, 3), (8, 9)):
        first = width * (2 + 1 + 1)
        hidden = (depth - 2) * width * (2 * width + 1 + 1)
        last = 2 * width + 1
        assert edges(width, depth) == first + hidden + last
    by_depth = [edges(16, depth) for depth in (4, 8, 12)]
    assert by_depth[2] - by_depth[1] == by_depth[1] - by_depth[0] == 4 * (2 * 16**2 + 2 * 16)
    assert edges(64, 10) / edges(32, 10) == pytest.approx(4.0, rel=0.03)


def test_row_1_6_a_gradient_costs_twice_the_function_whatever_the_number_of_weights() -> None:
    # Forward, a neuron multiplies once for each weight; backward twice, for weight and input.
    for width in (16, 32, 64):
        weights = len(nn.MLP(2, [width] * 5 + [1]).parameters())
        assert 1.9 < edges(width, 6) / weights < 2.0
