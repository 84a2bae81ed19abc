"""Recordings of any structure: shared nodes, several outputs, long chains, numbers of all lanes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd_lite
from autograd_lite import Value, dot, grad, lanes, logsumexp, total, value_and_grad
from autograd_lite.native.programs import backend
from autograd_lite.native.running import blocks
from autograd_lite.testing import Program
from autograd_lite.testing.programs import Step

BOTH = pytest.mark.parametrize("exact", [False, True])


@pytest.fixture(params=["whole", "blocks", "python"])
def evaluation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """All lanes at once, four by four, or as generated Python."""
    if request.param == "blocks":
        for name, size in (("BLOCK_BYTES", 1), ("NARROWEST", 4), ("WIDEST", 4)):
            monkeypatch.setattr(blocks, name, size)
    if request.param == "python":
        monkeypatch.setattr(backend, "missing", lambda: ("llvmlite", "numba"))
        monkeypatch.setattr(backend, "_tell", lambda what: None)
    return str(request.param)


# -- several outputs -------------------------------------------------------------------------------


@BOTH
@pytest.mark.usefixtures("evaluation")
def test_every_output_is_differentiated_as_if_it_were_the_only_one(exact: bool) -> None:
    """What another output alone depends on adds nothing to it, not even where 0 * inf is NaN."""

    def function(p: Any) -> Any:
        x, y = p
        shared = x * y
        return [
            shared + x,
            x.log() * y,
            (shared * x).exp() - shared,
            y,
            y,
            shared.exp(),
            Value(3.0),
        ]

    points = [[0.3, 0.7], [0.0, 2.0], [math.inf, 1.0], [0.5, -1.0], [2.0, 0.0]]
    compiled = autograd_lite.compile(function, exact=exact)
    rows = [grad(lambda p, i=i: 1.0 * function(p)[i]) for i in range(7)]
    wanted = [[row(point) for row in rows] for point in points]
    tolerance = 0.0 if exact else 1e-14
    for given, expected in ((np.array(points), wanted), (points[0], wanted[0])):
        np.testing.assert_allclose(compiled.jacobian(given), expected, rtol=tolerance)
    found = compiled.jacobian(points[1])
    assert found[1] == [math.inf, -math.inf]
    assert found[0] == [3.0, 0.0]  # and no NaN of the logarithm's


@pytest.mark.usefixtures("evaluation")
def test_all_rows_of_a_jacobian_are_of_the_same_draws() -> None:
    calls = itertools.count(1)

    def draw(lanes: int, count: int) -> list[list[float]]:
        return [[float(next(calls))] * count for _ in range(lanes)]

    def function(x: Any) -> Any:
        (drawn,) = lanes.fresh(1, draw)
        return [x * drawn, 2.0 * x * drawn, (x - x).sqrt() * drawn] if x > 0.0 else [x, x, x]

    compiled = autograd_lite.compile(function)
    for given in (np.array([3.0, -1.0, 4.0, 5.0, -2.0]), np.array([1.0] * 5)):
        found = np.array(compiled.jacobian(given))
        np.testing.assert_array_equal(found[given > 0, 1], 2.0 * found[given > 0, 0])
    assert compiled.jacobian(1.0)[1] == 2.0 * compiled.jacobian(1.0)[0] - 2.0


@pytest.mark.usefixtures("evaluation")
def test_effects_are_called_once_a_call() -> None:
    """However many outputs are differentiated, and when a guard sends all lanes another way."""
    seen: list[float] = []
    factor = Value(2.0)

    def function(x: Any) -> Any:
        lanes.after(seen.append, lanes.mean(x) * factor)
        return [x * factor, x + factor] if factor > 0.0 else [x - factor, x]

    compiled = autograd_lite.compile(function)
    batch = np.array([1.0, 2.0, 6.0])
    compiled.jacobian(batch)
    assert seen == [6.0]
    for number in (-1.0, 3.0, -2.0):
        factor.data = number
        seen.clear()
        compiled(batch)
        assert seen == [3.0 * number]
        compiled.jacobian(batch)
        assert seen == [3.0 * number] * 2


# -- shared and repeated nodes, long and wide programs ---------------------------------------------

FUNCTIONS: list[Callable[[Any], Any]] = [
    lambda x: x,
    lambda x: x * x,
    lambda x: x + x - x * x,
    lambda x: total([x] * 300) + x * 2.0,
    lambda x: sum([x] * 300) * x,
    lambda x: dot([x, x, x], [x, 2.0, x]),
    lambda x: autograd_lite.prod([x, x, 0.5, x, x] * 20) + x,
    lambda x: Value(3.0) * 2.0,
    lambda x: Value(3.0) + 0.0 * x,
]


@BOTH
@pytest.mark.parametrize("function", FUNCTIONS)
def test_nodes_are_used_again_and_again(function: Callable[[Any], Any], exact: bool) -> None:
    points = [0.3, -1.25, 1.0]
    values, gradients = autograd_lite.compile(function, exact=exact).value_and_grad(
        np.array(points)
    )
    for lane, point in enumerate(points):
        wanted = value_and_grad(function)(point)
        tolerance = 0.0 if exact else 1e-13
        assert (values[lane], gradients[lane]) == pytest.approx(wanted, rel=tolerance, abs=0.0)
        assert autograd_lite.compile(function, exact=True).value_and_grad(point) == wanted


def test_chains_are_as_long_as_they_are() -> None:
    def chain(x: Any) -> Any:
        y = x
        for i in range(100_000):
            y = y * 0.9999 + x if i % 2 else y * y - 0.5
        return y

    compiled = autograd_lite.compile(chain)
    point = compiled.value_and_grad(0.0003)
    values, gradients = compiled.value_and_grad(np.array([0.0003, 0.0004]))
    assert (values[0], gradients[0]) == pytest.approx(point, rel=1e-12)
    assert point == pytest.approx(value_and_grad(chain)(0.0003), rel=1e-11)


def test_unused_arguments_do_not_hide_a_guard_without_lanes() -> None:
    compiled = autograd_lite.compile(lambda x, y: y * 2.0 if y > 0.0 else y * y)
    batch = np.ones(4)
    np.testing.assert_array_equal(compiled(batch, 1.0), [2.0] * 4)
    np.testing.assert_array_equal(compiled(batch, -3.0), [9.0] * 4)
    np.testing.assert_array_equal(compiled.grad(batch, -3.0)[1], [-6.0] * 4)
    assert len(compiled.recordings) == 2


# -- numbers of all lanes --------------------------------------------------------------------------


def parameters() -> list[Value]:
    return [Value(math.sin(3.0 * i + 1.0)) for i in range(8)]


def normalised(weights: list[Value]) -> Callable[..., Any]:
    def loss(x: Any, label: Any) -> Any:
        hidden = [dot(weights[3 * i : 3 * i + 3], x) for i in range(2)]
        hidden = [
            (h - lanes.mean(h)) / (lanes.variance(h) + 1e-5).sqrt() * weights[6] for h in hidden
        ]
        return logsumexp(hidden) - lanes.pick(hidden, label) + 0.1 * lanes.pick(weights[6:], label)

    return loss


def by_hand(weights: list[Value], batch: Any, labels: Any) -> Any:
    """Compute the same loss with statistics that are written out."""
    hidden = [[dot(weights[3 * i : 3 * i + 3], x) for x in batch.tolist()] for i in range(2)]
    rows = []
    for column in hidden:
        mean = total(column) / len(column)
        variance = total([(h - mean) ** 2 for h in column]) / len(column)
        rows.append([(h - mean) / (variance + 1e-5).sqrt() * weights[6] for h in column])
    losses = [
        logsumexp(pair) - pair[label] + 0.1 * weights[6 + label]
        for pair, label in zip(zip(*rows, strict=True), labels.tolist(), strict=True)
    ]
    return total(losses) / len(losses)


@pytest.mark.usefixtures("evaluation")
def test_statistics_and_labels_are_those_of_the_batch() -> None:
    batch = np.sin(np.arange(27.0)).reshape(9, 3)
    labels = np.arange(9) % 2
    weights, eager = parameters(), parameters()
    step = autograd_lite.compile(normalised(weights), parameters=weights)
    mean = by_hand(eager, batch, labels)
    mean.backward()
    for times in (1, 2):
        assert step(batch, labels) == pytest.approx(mean.data, rel=1e-13)
        wanted = [times * weight.grad for weight in eager]
        assert [weight.grad for weight in weights] == pytest.approx(wanted, rel=1e-10, abs=1e-15)


# -- edges -----------------------------------------------------------------------------------------

NUMBERS = (0.0, -0.0, 1.0, -2.0, math.inf, -math.inf, math.nan, 1e300, -1e22, 5e-324, -745.0)
UNARY = ("exp", "sin", "sqrt", "log")
BINARY = ("/", "**", "maximum")


def edges(name: str) -> Iterator[tuple[float, ...]]:
    return itertools.product(NUMBERS, repeat=1 if name in UNARY else 2)


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_edges_are_those_of_the_eager_engine(name: str) -> None:
    """In lanes side by side, of which each stays what it is whatever its neighbours are."""
    points = list(edges(name))
    program = Program((1.0,) * len(points[0]), (Step(name, tuple(range(len(points[0])))[::-1]),))
    values, gradients = autograd_lite.compile(lambda xs: program(xs)).value_and_grad(
        np.array(points)
    )
    for lane, point in enumerate(points):
        value, gradient = value_and_grad(program)(list(point))
        np.testing.assert_allclose(values[lane], value, rtol=1e-14, atol=0.0)
        np.testing.assert_allclose(gradients[lane], gradient, rtol=1e-14, atol=0.0)


def test_a_kernel_for_one_gradient_is_not_taken_for_another() -> None:
    """Of x + y that y gets no gradient from, and then of one that both get theirs from."""
    points = np.array([[0.5, 2.0], [-1.0, 3.0]])
    alone = autograd_lite.compile(lambda p: (p[0] * p[0] + (p[1] * 3.0).detach()) * p[0])
    np.testing.assert_array_equal(alone.grad(points), [[6.75, 0.0], [12.0, 0.0]])
    both = autograd_lite.compile(lambda p: (p[0] * p[0] + p[1]) * p[1])
    np.testing.assert_array_equal(both.grad(points), [[2.0, 4.25], [-6.0, 7.0]])
