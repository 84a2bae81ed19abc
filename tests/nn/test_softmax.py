"""Softmax and LogSoftmax as modules."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import autograd_lite
import nn
from autograd_lite import Value
from nn.nested import elementwise, flat

X = [[1.0, -2.0, 0.5], [3.0, 3.0, 3.0]]


def numbers(outputs: Any) -> Any:
    return elementwise(float, outputs)


def test_each_sample_adds_up_to_one() -> None:
    outputs = nn.Softmax()(X)
    assert [math.fsum(row) for row in outputs] == pytest.approx([1.0, 1.0], rel=1e-15)
    assert outputs[0] == autograd_lite.softmax(X[0])
    assert nn.Softmax()(X[1]) == [1 / 3] * 3


def test_another_dimension_adds_up_to_one_instead() -> None:
    outputs = nn.Softmax(0)(np.array(X))
    assert [math.fsum(column) for column in zip(*outputs, strict=True)] == pytest.approx([1.0] * 3)
    cube = [[[1.0, 2.0], [3.0, 5.0]], [[0.0, -1.0], [2.0, 2.0]]]
    for dim in range(3):
        got, sums = np.array(nn.Softmax(dim)(cube)), np.array(nn.Softmax(dim - 3)(cube))
        expected = np.exp(cube) / np.exp(cube).sum(axis=dim, keepdims=True)
        assert np.abs(got - expected).max() < 1e-15
        assert (got == sums).all()


def test_extreme_logits_neither_overflow_nor_lose_digits() -> None:
    assert nn.Softmax()([1000.0, -1000.0]) == [1.0, 0.0]
    assert nn.LogSoftmax()([1000.0, -1000.0]) == [0.0, -2000.0]
    assert nn.LogSoftmax()([40.0, 0.0])[0] == pytest.approx(-math.exp(-40.0), rel=1e-12)


def test_log_softmax_is_the_logarithm_and_its_gradient_is_that_of_cross_entropy() -> None:
    logs = nn.LogSoftmax()(X)
    assert [math.exp(y) for y in flat(logs)] == pytest.approx(list(flat(nn.Softmax()(X))))
    x, z = [Value(v) for v in X[0]], [Value(v) for v in X[0]]
    (-nn.LogSoftmax()(x)[1]).backward()
    nn.CrossEntropyLoss()(z, 1).backward()
    assert [v.grad for v in x] == pytest.approx([v.grad for v in z], rel=1e-15)


def test_they_stand_at_the_end_of_a_network() -> None:
    model = nn.Sequential(nn.Linear(2, 3, seed=0), nn.Softmax())
    assert math.fsum(numbers(model([1.0, 2.0]))) == pytest.approx(1.0, rel=1e-15)
    assert repr(model[1]) == "Softmax(dim=-1)"
    assert repr(nn.LogSoftmax(dim=1)) == "LogSoftmax(dim=1)"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.Softmax(1)([1.0, 2.0]),
            IndexError,
            "Softmax expected a dimension from -1 to 0, since its input has 1 dimension, got 1",
        ),
        (
            lambda: nn.Softmax()(3.0),
            TypeError,
            "Softmax expected a list of numbers or a batch of such lists, got float: 3.0",
        ),
        (
            lambda: nn.LogSoftmax()([[1.0, 2.0], [1.0]]),
            ValueError,
            "LogSoftmax expected samples of one size, got shape (2,) at position 0 and (1,)",
        ),
        (lambda: nn.Softmax()([]), ValueError, "softmax expected at least 1 operand, got 0"),
        (
            lambda: nn.Softmax()([1.0, "x"]),
            TypeError,
            "Softmax expected numbers, got str at position 1: 'x'",
        ),
        (
            lambda: nn.Softmax([1.0, 2.0]),
            TypeError,
            "Softmax's dim expected a whole number, got list: [1.0, 2.0]",
        ),
    ],
)
def test_wrong_dimensions_and_inputs_are_refused(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()
