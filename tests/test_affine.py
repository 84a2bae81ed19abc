"""`linear` is `dot`, row by row and sample by sample, only quicker."""

from __future__ import annotations

import random
from typing import Any

import pytest

from autograd_lite import Value, dot, grad, hessian, linear, no_grad, scope, tanh, total
from autograd_lite.node import arguments

SIZES = [(1, 1), (3, 2), (5, 4)]


def weights(rng: random.Random, rows: int, columns: int) -> list[list[Value]]:
    return [[Value(rng.gauss(0.0, 1.0)) for _ in range(columns)] for _ in range(rows)]


def one_by_one(sample: list[Any], rows: list[list[Value]], bias: list[Value] | None) -> list[Any]:
    if bias is None:
        return [dot(row, sample) for row in rows]
    return [
        Value._record(dot([Value(1.0)], [1.0])._primitive, (*row, *sample, b))
        for row, b in zip(rows, bias, strict=True)
    ]


@pytest.mark.parametrize(("columns", "rows"), SIZES)
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("values", [True, False])
def test_a_batch_gives_the_numbers_and_gradients_of_single_dots_bit_for_bit(
    columns: int, rows: int, with_bias: bool, values: bool
) -> None:
    rng = random.Random(columns)
    w = weights(rng, rows, columns)
    bias = [Value(rng.gauss(0.0, 1.0)) for _ in range(rows)] if with_bias else None
    batch: list[list[Any]] = [[rng.gauss(0.0, 1.0) for _ in range(columns)] for _ in range(3)]
    if values:
        batch = [[Value(x) for x in sample] for sample in batch]
    leaves = [x for row in w for x in row] + (bias or [])
    leaves += [x for sample in batch for x in sample] if values else []

    def results(outputs: list[list[Value]]) -> list[Any]:
        for leaf in leaves:
            leaf.zero_grad()
        total([tanh(y) for sample in outputs for y in sample]).backward()
        return [
            [[(y.data, y.operands, y.partials, arguments(y)) for y in row] for row in outputs],
            [leaf.grad for leaf in leaves],
        ]

    assert results(linear(batch, w, bias)) == results([one_by_one(x, w, bias) for x in batch])
    assert [y.data for y in linear(batch[0], w, bias)] == [
        y.data for y in one_by_one(batch[0], w, bias)
    ]


def test_samples_share_the_weights_and_outputs_the_inputs() -> None:
    w = weights(random.Random(0), 2, 3)
    (a, b), (c, _) = linear([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], w)
    assert a._a is c._a
    assert a._db is b._db


def test_second_derivatives_go_through_it() -> None:
    def f(p: list[Any]) -> Any:
        (y,) = linear([p[0], p[1]], [[p[2], p[0]]], [p[1]])
        return y * y

    assert hessian(f)([1.0, 2.0, 3.0]) == [
        [50.0, 34.0, 24.0],
        [34.0, 8.0, 4.0],
        [24.0, 4.0, 2.0],
    ]
    assert grad(f)([1.0, 2.0, 3.0]) == [70.0, 28.0, 14.0]


def test_plain_numbers_give_floats_and_mixtures_give_values() -> None:
    assert linear([1.0, 2.0], [[3.0, 4.0]], [5.0]) == [16.0]
    (y,) = linear([1, Value(2.0)], [[3, 4.0]], [5])
    assert (y.data, y.partials) == (16.0, (4.0,))
    (y,) = linear([1.0, 2.0], [[Value(3.0), Value(4.0)]], [0])
    assert (y.data, y.partials) == (11.0, (1.0, 2.0))


def test_modes_hold() -> None:
    w = weights(random.Random(0), 1, 1)
    with no_grad():
        ((y,),) = linear([[2.0]], w, [Value(1.0)])
    assert (y.data, y.requires_grad, y.operands) == (2.0 * w[0][0].data + 1.0, False, ())
    with scope("layer"):
        (y,) = linear([2.0], w)
    assert y.scope == "layer"


def test_constant_weights_need_no_gradient() -> None:
    constant = Value(3.0, requires_grad=False)
    (y,) = linear([2.0], [[constant]])
    assert not y.requires_grad
    x = Value(2.0)
    (y,) = linear([x], [[constant]])
    y.backward()
    assert (x.grad, constant.grad) == (3.0, 0.0)


@pytest.mark.parametrize(
    ("arguments_", "message"),
    [
        (([1.0], [[Value(1.0), Value(2.0)]]), "linear expected 2 inputs for 2 weights, got 1"),
        (([[1.0, 2.0], [1.0]], [[Value(1.0), Value(2.0)]]), "linear expected 2 inputs"),
        (
            ([1.0], [[Value(1.0)]], []),
            "linear expected as many biases as rows of weights, 1, got 0",
        ),
        (([], [[Value(1.0)]]), "linear expected at least 1 operand, got 0"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(arguments_: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        linear(*arguments_)


def test_arrays_are_taken_like_lists() -> None:
    numpy = pytest.importorskip("numpy", reason="NumPy is not installed")
    w = [[Value(1.0), Value(2.0)]]
    ((y,),) = linear(numpy.array([[3.0, 4.0]]), w)
    assert y.data == 11.0
    with pytest.raises(TypeError, match="linear expected a list of numbers or Values, got int"):
        linear(3, w)  # type: ignore[arg-type]
