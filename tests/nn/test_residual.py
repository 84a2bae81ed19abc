"""Residual connections: x + module(x)."""

from __future__ import annotations

import re
from typing import Any

import pytest

import nn
from autograd_lite import Value
from nn.nested import elementwise


def numbers(outputs: Any) -> Any:
    return elementwise(float, outputs)


def linear(weight: list[list[float]], bias: list[float]) -> nn.Linear:
    layer = nn.Linear(len(weight[0]), len(weight))
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def test_the_input_is_added_to_a_number_a_sample_and_a_batch() -> None:
    block = nn.Residual(nn.ReLU())
    assert block(3.0) == 6.0
    assert block([-1.0, 3.0]) == [-1.0, 6.0]
    assert block([[-1.0, 3.0], [0.5, -2.0]]) == [[-1.0, 6.0], [1.0, -2.0]]


def test_a_shortcut_changes_the_size_of_the_input() -> None:
    block = nn.Residual(linear([[1.0, 1.0]], [0.0]), shortcut=linear([[10.0, 100.0]], [0.5]))
    assert numbers(block([[1.0, 2.0], [0.0, 1.0]])) == [[213.5], [101.5]]
    assert len(block.parameters()) == 6


def test_a_dead_relu_passes_no_gradient_and_a_residual_one_does() -> None:
    before = linear([[1.0]], [0.0])
    dead = nn.Sequential(before, nn.ReLU())
    (y,) = dead([-2.0])
    y.backward()
    assert (y.data, before.weight[0][0].grad) == (0.0, 0.0)
    before.zero_grad()
    (y,) = nn.Sequential(before, nn.Residual(nn.ReLU()))([-2.0])
    y.backward()
    assert (y.data, before.weight[0][0].grad) == (-2.0, -2.0)


def gradients_of_row_2_6(output: nn.Module) -> tuple[float, float, list[float], list[float]]:
    """Return g, loss, dL/dw² and dL/dw¹ of M's network whose output neuron is dead."""
    first, second = linear([[2.0], [-1.0]], [0.0, 0.0]), linear([[-1.0, 2.0]], [0.0])
    (g,) = nn.Sequential(first, nn.ReLU(), second, output)([1.0])
    loss = nn.MSELoss()([g], [3.0])
    loss.backward()
    by_second = [w.grad for w in second.weight[0]]
    return g.data, loss.data, by_second, [w.grad for (w,) in first.weight]


def test_row_2_6_a_skip_connection_revives_the_layers_before_a_dead_relu() -> None:
    assert gradients_of_row_2_6(nn.ReLU()) == (0.0, 9.0, [0.0, 0.0], [0.0, 0.0])
    skip = nn.Residual(nn.ReLU())
    assert gradients_of_row_2_6(skip) == (-2.0, 25.0, [-20.0, 0.0], [10.0, 0.0])


@pytest.mark.parametrize("depth", [1, 10, 40])
def test_the_gradient_reaches_the_input_undiminished_through_blocks_of_zeros(depth: int) -> None:
    blocks = [
        nn.Residual(nn.Sequential(nn.Linear(2, 2, init="zeros"), nn.Tanh())) for _ in range(depth)
    ]
    x = [Value(0.5), Value(-1.0)]
    nn.Sequential(*blocks)(x)[0].backward()
    assert [v.grad for v in x] == [1.0, 0.0]


def test_names_are_those_of_the_parts() -> None:
    block = nn.Residual(nn.Linear(2, 1), shortcut=nn.Linear(2, 1, bias=False))
    assert list(block.state_dict()) == ["module.weight", "module.bias", "shortcut.weight"]
    assert list(nn.Residual(nn.Linear(2, 2)).state_dict()) == ["module.weight", "module.bias"]


def test_plain_functions_will_do() -> None:
    assert nn.Residual(lambda x: [2.0 * v for v in x])([1.0, 2.0]) == [3.0, 6.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.Residual(nn.Linear(3, 2))([1.0, 2.0, 3.0]),
            ValueError,
            "Residual expected its module's output in the shape of the input, (3,), got (2,); pass"
            " shortcut= to change the input",
        ),
        (
            lambda: nn.Residual(nn.Linear(3, 2), shortcut=nn.Linear(3, 1))([[1.0, 2.0, 3.0]]),
            ValueError,
            "Residual expected its module's output in the shape of the shortcut's output, (1, 1),"
            " got (1, 2)",
        ),
        (
            lambda: nn.Residual(nn.MLP(1, [1]))([1.0]),
            ValueError,
            "in the shape of the input, (1,), got ()",
        ),
        (
            lambda: nn.Residual(nn.ReLU),
            TypeError,
            "Residual expected modules, got the class ReLU; write nn.ReLU()",
        ),
        (lambda: nn.Residual(3), TypeError, "Residual expected modules, got int: 3"),
        (
            lambda: nn.Residual(nn.ReLU(), shortcut=3),
            TypeError,
            "Residual's shortcut expected modules, got int: 3",
        ),
        (
            lambda: nn.Residual(lambda x: ["a"])([1.0]),
            TypeError,
            "Residual expected numbers, got str: 'a'",
        ),
    ],
)
def test_what_cannot_be_added_is_refused(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()
