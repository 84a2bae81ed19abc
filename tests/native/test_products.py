"""Matrix products that are found again in a recording: whatever their weights and inputs are."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from nightly import FIRST_SEED, NIGHTLY

import autograd_lite
from autograd_lite import Value, dot, no_grad, total, value_and_grad
from autograd_lite.affine import linear
from autograd_lite.native.kernels import tiles
from autograd_lite.native.lowering import products
from autograd_lite.native.running import blocks, matrix


@pytest.fixture(autouse=True, params=["tiles", "BLAS"])
def products_of_any_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take small products for products too, which otherwise are not worth a call; in both ways."""
    monkeypatch.setattr(tiles, "has_wide_registers", lambda: request.param == "tiles")
    monkeypatch.setattr(matrix, "WORTH_TURNING", 1)
    monkeypatch.setattr(products, "WORTH_A_CALL", 1)
    monkeypatch.setattr(products, "WORTH_A_CALL_WITH_LANES", 1)


def blocks_of(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("BLOCK_BYTES", 1), ("NARROWEST", lanes), ("WIDEST", lanes)):
        monkeypatch.setattr(blocks, name, size)


def learned(
    loss: Callable[[Any], Any], parameters: list[Value], batch: Any
) -> tuple[float, list[float | None]]:
    """Return the mean loss and the gradients of the eager engine."""
    mean = total([loss(sample) for sample in batch.tolist()]) / len(batch)
    mean.backward()
    found = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.zero_grad()
    return mean.data, found


def assert_learns(
    loss: Callable[[Any], Any], parameters: list[Value], batch: Any, **options: Any
) -> Any:
    """Compare two steps, whose gradients add up, with the eager engine's."""
    value, gradient = learned(loss, parameters, batch)
    step = autograd_lite.compile(loss, parameters=parameters, **options)
    scale = max([1.0, *(abs(x) for x in gradient if x is not None)])
    tolerance = 3e-5 if "dtype" in options else 1e-12
    for times in (1, 2):
        assert step(batch) == pytest.approx(value, rel=tolerance, abs=tolerance)
        for parameter, wanted in zip(parameters, gradient, strict=True):
            if wanted is None:
                assert parameter.grad is None
            else:
                assert parameter.grad == pytest.approx(times * wanted, abs=tolerance * scale)
    for parameter in parameters:
        parameter.zero_grad()
    return step


def numbers(count: int, seed: int = 0) -> list[Value]:
    draw = random.Random(seed)
    return [Value(draw.uniform(-1.0, 1.0)) for _ in range(count)]


def batch_of(lanes: int, width: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (lanes, width))


# -- nodes of one product that do not all get a gradient ------------------------------------------


@pytest.mark.parametrize("block", [8, 512])
def test_the_best_of_several_scores_alone_learns(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks_of(block, monkeypatch)
    weights = numbers(24)
    rows = [weights[i : i + 6] for i in range(0, 24, 6)]
    assert_learns(lambda x: max(dot(row, x) for row in rows), weights, batch_of(21, 6))


@pytest.mark.parametrize("block", [8, 512])
def test_scores_that_are_compared_only_do_not_learn(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks_of(block, monkeypatch)
    weights = numbers(24, 1)
    rows = [weights[i : i + 6] for i in range(0, 24, 6)]

    def loss(x: Any) -> Any:
        scores = [dot(row, x) for row in rows]
        return scores[1] * 1.5 if scores[0] > 0.0 else scores[3] * scores[3]

    assert_learns(loss, weights, batch_of(21, 6))


@pytest.mark.parametrize("block", [8, 512])
def test_products_without_gradient_are_apart_from_those_with(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks_of(block, monkeypatch)
    weights = numbers(12, 2)
    rows = [weights[:6], weights[6:]]

    def loss(x: Any) -> Any:
        with no_grad():
            fixed = [dot(row, x) for row in rows]
        free = [dot(row, x) for row in rows]
        return (free[0] - 0.5 * fixed[1]) ** 2 + free[1].detach() * fixed[0]

    assert_learns(loss, weights, batch_of(21, 6))


# -- weights and inputs of all kinds --------------------------------------------------------------


def network(seed: int) -> tuple[Callable[[Any], Any], list[Value], int]:
    """Draw a network of two layers over some tokens, its parameters, and how many inputs it has."""
    draw = random.Random(seed)
    width, hidden, tokens, outputs = (draw.randint(1, n) for n in (5, 4, 4, 3))
    weights = numbers(width * hidden, seed)
    more = numbers(hidden * outputs, seed + 1)
    biases = numbers(hidden + outputs, seed + 2)
    factor = Value(0.75)
    parameters = [*more, *biases[::-1], *weights, factor]
    first = [weights[i * width : (i + 1) * width] for i in range(hidden)]
    second = [more[i * hidden : (i + 1) * hidden] for i in range(outputs)]
    kinds = ("transposed", "tied", "random", "scaled", "reused", "own")
    kind = draw.choice(kinds)
    if kind == "transposed":
        first = [weights[i::hidden] for i in range(hidden)]
    elif kind == "tied":
        first = [[*row[:-1], row[0]] for row in first]
    elif kind == "random":
        first = [[draw.choice(parameters) for _ in row] for row in first]
    elif kind == "reused":
        second = [[first[j][i % width] for j in range(hidden)] for i in range(outputs)]
    way = draw.choice(("linear", "dot", "sum"))
    options = (
        "biased permuted constant parameter attention detached frozen penalty squares branch half"
    )
    chosen = {name: draw.random() < 0.35 for name in options.split()}
    order = draw.sample(range(width), width) if chosen["permuted"] else range(width)
    if chosen["frozen"]:
        for parameter in draw.sample(parameters, len(parameters) // 3):
            parameter.requires_grad = False

    def layer(x: list[Any], rows: list[list[Any]], bias: list[Value]) -> list[Any]:
        if way == "linear":
            return linear(x, rows, bias if chosen["biased"] else None)
        if way == "dot":
            return [dot(row, x) if i % 2 else dot(x, row) for i, row in enumerate(rows)]
        start: list[Any] = list(bias) if chosen["biased"] else [0.0] * len(rows)
        return [
            sum((w * z for w, z in zip(row, x, strict=True)), start=b)
            for row, b in zip(rows, start, strict=False)
        ]

    def loss(numbers: list[Any]) -> Any:
        rows = [[w * factor for w in row] for row in first] if kind == "scaled" else first
        inputs = [[numbers[t * width + i] for i in order] for t in range(tokens)]
        if chosen["constant"]:
            inputs[0] = [0.5, *inputs[0][1:]]
        if chosen["parameter"]:
            inputs[-1] = [factor * factor, *inputs[-1][1:]]
        seen = [[z.tanh() for z in layer(x, rows, biases[:hidden])] for x in inputs]
        if chosen["detached"]:
            seen = [[seen[0][0].detach(), *seen[0][1:]], *seen[1:]]
        if chosen["attention"]:
            scores = [[dot(query, key) for key in seen] for query in seen]
            seen = [[dot(row, column) for column in zip(*seen, strict=True)] for row in scores]
        found = [layer(x, second, biases[hidden:]) for x in seen]
        flat = [y for row in found for y in (row[:1] if chosen["half"] else row)]
        if chosen["branch"]:
            flat = [y * y if y > 0.1 else y * 0.5 for y in flat]
        result = total([y * y for y in flat])
        if chosen["squares"]:
            result = result + dot(seen[0], seen[0]) + dot(inputs[0], inputs[-1])
        return result + 0.1 * dot(parameters, parameters) if chosen["penalty"] else result

    return loss, parameters, width * tokens


@pytest.mark.filterwarnings("ignore:the function uses")
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + (5_000 if NIGHTLY else 32)))
def test_networks_learn_as_in_the_eager_engine(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without lanes as well, with the gradients of the inputs, and in blocks of lanes."""
    loss, parameters, width = network(seed)
    lanes = (1, 2, 7, 33)[seed % 4]
    batch = batch_of(lanes, width, seed)
    if seed % 3 == 0:
        blocks_of(8, monkeypatch)
    assert_learns(loss, parameters, batch, threads=1 + seed % 2)
    compiled = autograd_lite.compile(loss)
    values, gradients = compiled.value_and_grad(batch)
    for lane, point in enumerate(batch.tolist()):
        value, gradient = value_and_grad(loss)(point)
        assert values[lane] == pytest.approx(value, rel=1e-12, abs=1e-13)
        assert gradients[lane] == pytest.approx(gradient, rel=1e-11, abs=1e-12)
    value, gradient = compiled.value_and_grad(point)
    assert [value, *gradient] == pytest.approx([values[-1], *gradients[-1]], rel=1e-11, abs=1e-12)


@pytest.mark.filterwarnings("ignore:the function uses")
def test_networks_of_single_precision_are_near() -> None:
    for seed in (6, 9):
        loss, parameters, width = network(seed)
        assert_learns(loss, parameters, batch_of(7, width), dtype="float32")


# -- what is in a product is what is multiplied, NaN and infinities too ----------------------------


@pytest.mark.parametrize("strange", [float("nan"), float("inf"), 0.0])
@pytest.mark.parametrize("width", [1, 2, 5, 16, 17])
def test_zero_times_infinity_is_no_number(strange: float, width: int) -> None:
    weights = [Value(0.0)] * (width - 1) + [Value(2.0)]
    rows = [weights, weights[::-1], [Value(float("inf"))] * width]
    point = [strange] + [1.0] * (width - 1)

    def function(x: Any) -> Any:
        return total([dot(row, x) for row in rows])

    wanted, gradient = value_and_grad(function)(point)
    values, gradients = autograd_lite.compile(function).value_and_grad(np.array([point] * 9))
    np.testing.assert_array_equal(values, [wanted] * 9)
    np.testing.assert_array_equal(gradients, [gradient] * 9)


# -- threads and blocks ----------------------------------------------------------------------------


def test_two_threads_give_the_bits_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a last block that is shorter, and lanes that go two ways."""
    blocks_of(8, monkeypatch)
    batch = batch_of(61, 5)

    def found(threads: int) -> list[float]:
        weights = numbers(20)
        rows = [weights[i : i + 5] for i in range(0, 20, 5)]

        def loss(x: Any) -> Any:
            if x[0] > 0.0:
                return total([dot(row, x).tanh() for row in rows]) * weights[0]
            return dot(weights, weights) * x[1]

        step = autograd_lite.compile(loss, parameters=weights, threads=threads)
        return [step(batch), step(batch), *(weight.grad for weight in weights)]

    assert found(1) == found(2) == found(3)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_guard_that_fails_late_adds_nothing_before(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """Gradients of blocks in which all guards hold are added as long as no other one fails."""
    blocks_of(8, monkeypatch)
    passes: list[bool] = []
    kept = blocks.Blocks._pass

    def noted(self: Any, *given: Any) -> Any:
        found = kept(self, *given)
        passes.append(len(given) > 5)
        return found

    monkeypatch.setattr(blocks.Blocks, "_pass", noted)
    weights = numbers(5)

    def loss(x: Any) -> Any:
        return dot(weights, x).tanh() if x[0] > -50.0 else 3.0 * weights[0] * x[1]

    usual, strange = batch_of(40, 5), batch_of(40, 5)
    strange[37, 0] = -100.0
    step = autograd_lite.compile(loss, parameters=weights, threads=threads)
    sum_of = [0.0] * len(weights)
    for batch in (usual, strange, strange, usual, usual):
        for weight in weights:
            weight.zero_grad()
        value, wanted = learned(loss, weights, batch)
        for weight, number in zip(weights, sum_of, strict=True):
            weight.grad = number
        assert step(batch) == pytest.approx(value, rel=1e-13)
        sum_of = [x + float(y or 0.0) for x, y in zip(sum_of, wanted, strict=True)]
        assert [w.grad for w in weights] == pytest.approx(sum_of, rel=1e-12)
        passes.append(False)
    ends = [i for i, differentiating in enumerate(passes) if not differentiating]
    assert ends[0] == 1  # one pass forward and back, then the first call's end
    assert passes[-2:] == [True, False]  # as it is again after a call in which all guards held


def test_parameters_and_closures_are_read_at_every_call() -> None:
    weights, factor = numbers(6), Value(2.0, requires_grad=False)
    batch = batch_of(5, 3)

    def loss(x: Any) -> Any:
        return dot([w * factor for w in weights[:3]], x) ** 2 + dot(weights[3:], x)

    step = assert_learns(loss, weights, batch)
    for weight in weights[::2]:
        weight.data = -1.5 * weight.data
    factor.data = -0.25
    value, gradient = learned(loss, weights, batch)
    assert step(batch) == pytest.approx(value, rel=1e-13)
    assert [weight.grad for weight in weights] == pytest.approx(gradient, rel=1e-12)
    with no_grad():
        assert step(batch) == pytest.approx(value, rel=1e-13)
    assert [weight.grad for weight in weights] == pytest.approx(gradient, rel=1e-12)
