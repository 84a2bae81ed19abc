"""Compiled functions, as users call them: natively, and as generated Python."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

import autograd_lite
from autograd_lite import Value, grad, hessian, hvp, jacobian, no_grad, value_and_grad
from autograd_lite.native.programs import backend, evaluation

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(params=["native", "python"], autouse=True)
def plans(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run every test with both kinds of plans."""
    if request.param == "python":
        monkeypatch.setattr(backend, "missing", lambda: ("llvmlite", "numba"))
        monkeypatch.setattr(backend, "_tell", lambda what: None)
    return str(request.param)


def f(x: Any, y: Any) -> Any:
    return (x * y).sin() + x**y


def rosenbrock(p: Any) -> Any:
    return sum((1.0 - a) ** 2 + 100.0 * (b - a * a) ** 2 for a, b in pairwise(p))


def test_numbers_give_plain_floats() -> None:
    compiled = autograd_lite.compile(f)
    eager = value_and_grad(f, (0, 1))
    for point in ((2.0, 3.0), (0.5, 1.5)):
        value, gradient = compiled.value_and_grad(*point)
        expected, derivatives = eager(*point)
        assert type(value) is float
        assert value == pytest.approx(expected, rel=1e-14)
        assert gradient == pytest.approx(derivatives, rel=1e-14)
        assert all(type(x) is float for x in gradient)
        assert compiled(*point) == pytest.approx(expected, rel=1e-14)
        assert compiled.grad(*point) == gradient
    assert len(compiled.recordings) == 1


def test_ints_fractions_and_numpy_scalars_are_numbers() -> None:
    compiled = autograd_lite.compile(lambda x: x * x / 4.0)
    for three in (3, 3.0, np.float64(3.0), np.float32(3.0), np.int64(3), np.array(3.0)):
        assert compiled.value_and_grad(three) == (2.25, 1.5)
    assert compiled.value_and_grad(True) == (0.25, 0.5)


def test_one_dimension_of_an_array_is_one_number_per_lane() -> None:
    compiled = autograd_lite.compile(f)
    xs, ys = np.array([2.0, 0.5, 1.25]), np.array([3.0, 1.5, -1.0])
    values, (dx, dy) = compiled.value_and_grad(xs, ys)
    eager = value_and_grad(f, (0, 1))
    for lane, (x, y) in enumerate(zip(xs.tolist(), ys.tolist(), strict=True)):
        value, (wx, wy) = eager(x, y)
        assert (values[lane], dx[lane], dy[lane]) == pytest.approx((value, wx, wy), rel=1e-13)
    assert values.shape == dx.shape == dy.shape == (3,)
    np.testing.assert_array_equal(compiled(xs, ys), values)


def test_two_dimensions_are_a_list_of_numbers_per_lane() -> None:
    compiled = autograd_lite.compile(rosenbrock)
    points = np.array([[1.0, 2.0, 3.0], [0.5, -0.5, 0.25]])
    values, gradients = compiled.value_and_grad(points)
    assert values.shape == (2,)
    assert gradients.shape == (2, 3)
    for lane, point in enumerate(points.tolist()):
        value, gradient = value_and_grad(rosenbrock)(point)
        assert values[lane] == pytest.approx(value, rel=1e-13)
        assert gradients[lane] == pytest.approx(gradient, rel=1e-13)


def test_further_dimensions_are_lists_in_lists() -> None:
    def total(rows: Any) -> Any:
        return sum((i + 1.0) * x * x for i, row in enumerate(rows) for x in row)

    given = np.arange(12.0).reshape(2, 3, 2)
    gradient = autograd_lite.compile(total).grad(given)
    np.testing.assert_array_equal(gradient, 2 * given * np.array([1.0, 2.0, 3.0])[:, None])


def test_arrays_of_any_layout_and_precision_are_read_right() -> None:
    compiled = autograd_lite.compile(lambda p: p[0] * 10.0 + p[1])
    points = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    for given in (np.asfortranarray(points), points.astype(np.float32), points.astype(np.uint8)):
        np.testing.assert_array_equal(compiled(given), [12.0, 34.0, 56.0])
    np.testing.assert_array_equal(compiled(np.repeat(points, 2, axis=0)[::2]), [12.0, 34.0, 56.0])
    np.testing.assert_array_equal(compiled(points > 2.0), [0.0, 11.0, 11.0])


def test_lists_never_carry_lanes_without_parameters() -> None:
    value, gradient = autograd_lite.compile(rosenbrock).value_and_grad([1.0, 2.0, 3.0])
    assert (value, gradient) == value_and_grad(rosenbrock)([1.0, 2.0, 3.0])
    assert isinstance(gradient, list)


def test_gradients_have_the_structure_of_the_argument() -> None:
    def g(tree: Any, scale: Any) -> Any:
        (a, [b, c]), d = tree
        return scale * (a * b + c * d)

    compiled = autograd_lite.compile(g)
    value, (tree, scale) = compiled.value_and_grad(((1.0, [2.0, 3.0]), 4.0), 2.0)
    assert (value, tree, scale) == (28.0, ((4.0, [2.0, 8.0]), 6.0), 14.0)


def test_mixed_calls_broadcast_and_give_every_gradient_per_lane() -> None:
    compiled = autograd_lite.compile(lambda x, w, b: x * w[0] * w[1] + b)
    xs = np.array([1.0, 2.0, 3.0])
    values, (dx, dw, db) = compiled.value_and_grad(xs, [2.0, 5.0], 0.5)
    np.testing.assert_array_equal(values, [10.5, 20.5, 30.5])
    np.testing.assert_array_equal(dx, [10.0, 10.0, 10.0])
    np.testing.assert_array_equal(dw, [[5.0, 2.0], [10.0, 4.0], [15.0, 6.0]])
    np.testing.assert_array_equal(db, [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(compiled(xs, [2.0, 5.0], 0.5), values)
    assert len(compiled.recordings) == 1  # lanes are no matter of the recording


def test_what_a_program_returns_is_not_overwritten_by_the_next_call() -> None:
    compiled = autograd_lite.compile(lambda p: p[0] * p[1])
    first = compiled.value_and_grad(np.array([[1.0, 2.0], [3.0, 4.0]]))
    kept = [x.copy() for x in first]
    compiled.value_and_grad(np.array([[5.0, 6.0], [7.0, 8.0]]))
    for before, after in zip(kept, first, strict=True):
        np.testing.assert_array_equal(before, after)


def test_several_outputs_come_in_the_structure_of_the_function() -> None:
    compiled = autograd_lite.compile(lambda x: ([x, x * x], x + 1.0))
    assert compiled(3.0) == ([3.0, 9.0], 4.0)
    pair, single = compiled(np.array([3.0, 4.0]))
    np.testing.assert_array_equal(pair, [[3.0, 9.0], [4.0, 16.0]])
    np.testing.assert_array_equal(single, [4.0, 5.0])
    assert autograd_lite.compile(lambda x: [x, 1.0])(2.0) == [2.0, 1.0]
    ragged = autograd_lite.compile(lambda x: [x, [x * x]])(np.array([3.0, 4.0]))
    np.testing.assert_array_equal(ragged[0], [3.0, 4.0])
    np.testing.assert_array_equal(ragged[1], [[9.0], [16.0]])


def test_an_argument_that_is_not_used_has_gradient_zero() -> None:
    compiled = autograd_lite.compile(lambda x, y: x * 2.0)
    assert compiled.grad(1.0, [1.0, 2.0]) == (2.0, [0.0, 0.0])
    dx, dy = compiled.grad(np.array([1.0, 2.0]), np.ones((2, 3)))
    np.testing.assert_array_equal(dx, [2.0, 2.0])
    np.testing.assert_array_equal(dy, np.zeros((2, 3)))


def test_keyword_arguments_are_bound_to_positions() -> None:
    compiled = autograd_lite.compile(lambda x, y=2.0, z=5.0: x - y * z)
    assert compiled(y=3.0, x=20.0) == 5.0
    assert compiled(20.0, z=4.0) == 12.0
    assert compiled.grad(20.0, y=3.0) == (1.0, -5.0)
    assert compiled(20.0) == 10.0
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        compiled(y=3.0)
    with pytest.raises(TypeError, match="'scale' is keyword-only"):
        autograd_lite.compile(lambda x, *, scale: x * scale)(1.0, scale=2.0)


def test_a_decorator_with_and_without_options() -> None:
    @autograd_lite.compile
    def plain(x: Any) -> Any:
        """Square."""
        return x * x

    @autograd_lite.compile(exact=True)
    def exact(x: Any) -> Any:
        return x.sin()

    assert plain.grad(3.0) == 6.0
    assert exact.value_and_grad(3.0) == value_and_grad(lambda x: x.sin())(3.0)
    assert (plain.__name__, plain.__doc__) == ("plain", "Square.")
    assert "plain, 1 recording>" in repr(plain)


# -- derivatives of several outputs, and second ones -----------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda p: [p[0] * p[1], p[0] + p[1], p[1].exp()],
        lambda p: (p[0] * p[1], [p[0].sin()]),
        lambda p: p[0] / p[1],
    ],
)
def test_jacobians_are_those_of_the_transform(function: Callable[..., Any]) -> None:
    expected = jacobian(function)([2.0, 5.0])
    assert autograd_lite.compile(function).jacobian([2.0, 5.0]) == expected


def test_jacobians_over_lanes() -> None:
    compiled = autograd_lite.compile(lambda p, s: [s * p[0] * p[1], s + p[2]])
    points = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    dp, ds = compiled.jacobian(points, 2.0)
    assert dp.shape == (2, 2, 3)
    np.testing.assert_array_equal(dp[1], [[10.0, 8.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_array_equal(ds, [[2.0, 1.0], [20.0, 1.0]])


def test_hessians_are_those_of_the_transform() -> None:
    compiled = autograd_lite.compile(rosenbrock)
    point = [0.5, -0.25, 2.0]
    for row, expected in zip(compiled.hessian(point), hessian(rosenbrock)(point), strict=True):
        assert row == pytest.approx(expected, rel=1e-12)
    found = compiled.hessian(np.array([point, point[::-1]]))
    assert found.shape == (2, 3, 3)
    np.testing.assert_allclose(found[1], hessian(rosenbrock)(point[::-1]), rtol=1e-12)


def test_hessians_of_several_arguments_are_blocks() -> None:
    def g(x: Any, p: Any) -> Any:
        return x * x * p[0] * p[1]

    found = autograd_lite.compile(g).hessian(3.0, [2.0, 5.0])
    assert found == hessian(g, (0, 1))(3.0, [2.0, 5.0])
    (_, mixed), _ = autograd_lite.compile(g).hessian(np.array([3.0, 1.0]), [2.0, 5.0])
    np.testing.assert_array_equal(mixed, [[30.0, 12.0], [10.0, 4.0]])


def test_hessian_vector_products_are_those_of_the_transform() -> None:
    compiled = autograd_lite.compile(rosenbrock)
    point, direction = [0.5, -0.25, 2.0], [1.0, -2.0, 0.5]
    expected = hvp(rosenbrock, (point,), (direction,))
    assert compiled.hvp((point,), (direction,)) == pytest.approx(expected, rel=1e-12)
    lanes = compiled.hvp((np.array([point, point]),), (np.array([direction, [0.0, 0.0, 1.0]]),))
    assert lanes[0] == pytest.approx(expected, rel=1e-12)
    assert lanes[1] == pytest.approx(hvp(rosenbrock, (point,), ([0.0, 0.0, 1.0],)), rel=1e-12)
    both = autograd_lite.compile(f).hvp((2.0, 3.0), (1.0, 0.5))
    assert both == pytest.approx(hvp(f, (2.0, 3.0), (1.0, 0.5)), rel=1e-12)
    with pytest.raises(ValueError, match="as many directions as arguments, 2, got 1"):
        autograd_lite.compile(f).hvp((2.0, 3.0), (1.0,))


def test_second_derivatives_beside_a_label() -> None:
    compiled = autograd_lite.compile(lambda p, label: [p[0] * p[0], p[0] * p[1]][label])
    (block, mixed), (_, last) = compiled.hessian([2.0, 3.0], 1)
    assert (block, mixed, last) == ([[0.0, 1.0], [1.0, 0.0]], [0.0, 0.0], 0.0)
    points, labels = np.array([[2.0, 3.0], [4.0, 5.0]]), np.array([1, 0])
    (blocks, _), _ = compiled.hessian(points, labels)
    np.testing.assert_array_equal(blocks, [[[0.0, 1.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 0.0]]])
    product, nothing = compiled.hvp((points, labels), (np.ones((2, 2)), np.zeros(2)))
    np.testing.assert_array_equal(product, [[1.0, 1.0], [2.0, 0.0]])
    np.testing.assert_array_equal(nothing, [0.0, 0.0])
    assert autograd_lite.compile(lambda x: x**3.0).hessian(2) == 12.0


def test_several_outputs_have_no_gradient() -> None:
    compiled = autograd_lite.compile(lambda x: [x, x * x])
    for name in ("grad", "value_and_grad"):
        with pytest.raises(TypeError, match=rf"{name} needs .* one number.* list of 2; use jacob"):
            getattr(compiled, name)(1.0)


# -- as a part of something larger -----------------------------------------------------------------


def test_with_values_the_function_runs_eagerly() -> None:
    compiled = autograd_lite.compile(f)
    x = Value(2.0)
    y = compiled(x, 3.0)
    y.backward()
    assert x.grad == grad(f)(2.0, 3.0)
    assert compiled.recordings == ()
    assert grad(grad(compiled))(2.0, 3.0) == grad(grad(f))(2.0, 3.0)
    assert hessian(lambda p: compiled(*p))([2.0, 3.0]) == hessian(lambda p: f(*p))([2.0, 3.0])
    assert compiled.grad(Value(2.0), 3.0)[0].data == grad(f)(2.0, 3.0)


def test_inside_a_transform_what_it_closes_over_is_differentiated() -> None:
    def outer(w: Any) -> Any:
        return autograd_lite.compile(lambda x: w * x)(3.0)

    assert grad(outer)(2.0) == 3.0
    assert autograd_lite.compile(outer).grad(2.0) == 3.0


def test_a_program_inside_of_a_program_is_recorded_with_it() -> None:
    inner = autograd_lite.compile(lambda x: x.exp())
    outer = autograd_lite.compile(lambda x: inner(x) * inner(1.0))
    assert outer.grad(2.0) == pytest.approx(math.exp(3.0), rel=1e-14)
    assert grad(lambda x: inner(1.0) * x)(2.0) == math.e
    assert inner.recordings == ()
    with pytest.raises(TypeError, match="takes numbers and lists there, got an array"):
        grad(lambda x: inner(np.ones(3)) * x)(2.0)


def test_values_closed_over_are_read_at_every_call() -> None:
    w = Value(2.0)
    compiled = autograd_lite.compile(lambda x: w * x)
    assert compiled(3.0) == 6.0
    w.data = 5.0
    assert compiled(3.0) == 15.0
    np.testing.assert_array_equal(compiled.grad(np.array([1.0, 2.0])), [5.0, 5.0])
    assert w.grad == 0.0
    assert len(compiled.recordings) == 1


def test_plain_numbers_closed_over_are_watched() -> None:
    rate = 2.0

    def scaled(x: Any) -> Any:
        return rate * x

    compiled = autograd_lite.compile(scaled)
    assert compiled(3.0) == 6.0
    rate = 4.0
    assert compiled(3.0) == 12.0
    rate = 2.0
    assert compiled(3.0) == 6.0
    assert len(compiled.recordings) == 2


# -- structures ------------------------------------------------------------------------------------


def test_each_length_is_recorded_once_and_kept() -> None:
    calls = []

    def total(xs: Any) -> Any:
        calls.append(len(xs))
        return sum(x * x for x in xs)

    compiled = autograd_lite.compile(total)
    for n in (2, 3, 2, 5, 3, 2):
        assert compiled([1.0] * n) == n
    assert calls == [2, 3, 5]


def test_the_structure_that_was_not_used_for_longest_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evaluation, "MOST_STRUCTURES", 2)
    calls = []

    def total(xs: Any) -> Any:
        calls.append(len(xs))
        return sum(xs)

    compiled = autograd_lite.compile(total)
    for n in (2, 3, 2, 4, 2, 3):
        assert compiled([1.0] * n) == n
    assert calls == [2, 3, 4, 3]
    assert len(compiled.recordings) == 2


# -- parameters ------------------------------------------------------------------------------------


@pytest.fixture
def line() -> tuple[Value, Value]:
    return Value(2.0, label="w"), Value(0.5, label="b")


def loss(line: tuple[Value, Value], x: Any, y: Any) -> Any:
    w, b = line
    return (w * x + b - y) ** 2


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_a_step_gives_the_mean_and_adds_its_gradient(line: Any, kind: Any) -> None:
    step = autograd_lite.compile(partial(loss, line), parameters=line)
    xs, ys = [1.0, 2.0, 4.0], [1.0, 5.0, 8.0]
    mean = sum((loss(line, x, y) for x, y in zip(xs, ys, strict=True)), Value(0.0)) / 3.0
    mean.backward()
    expected = [p.grad for p in line]
    for p in line:
        p.zero_grad()
    assert step(kind(xs), kind(ys)) == pytest.approx(mean.data, rel=1e-14)
    assert [p.grad for p in line] == pytest.approx(expected, rel=1e-14)
    assert all(p.reached for p in line)
    step(kind(xs), kind(ys))
    assert [p.grad for p in line] == pytest.approx([2 * g for g in expected], rel=1e-14)


def test_a_step_under_no_grad_adds_nothing(line: Any) -> None:
    step = autograd_lite.compile(partial(loss, line), parameters=line)
    with no_grad():
        assert step([1.0], [2.0]) == 0.25
    assert not line[0].reached
    assert step([1.0], [2.0]) == 0.25
    assert line[0].grad == 1.0


def test_a_step_sees_what_was_written_to_the_parameters(line: Any) -> None:
    step = autograd_lite.compile(partial(loss, line), parameters=line)
    step([1.0], [2.0])
    line[0].data = 3.0
    line[0].zero_grad()
    assert step([1.0], [2.0]) == 2.25
    assert line[0].grad == 3.0


def test_samples_can_be_nested_lists_and_numbers_are_for_all_lanes(line: Any) -> None:
    w, b = line
    step = autograd_lite.compile(
        lambda xs, scale: scale * (w * xs[0] + b * xs[1][0]), parameters=line
    )
    assert step([[1.0, [2.0]], [3.0, [4.0]]], 10.0) == 55.0
    assert (w.grad, b.grad) == (20.0, 30.0)


@pytest.mark.parametrize("kind", [list, np.array])
def test_whole_numbers_are_labels(kind: Any) -> None:
    weights = [Value(x) for x in (1.0, 2.0, 3.0)]
    step = autograd_lite.compile(lambda x, label: weights[label] * x, parameters=weights)
    assert step([1.0, 10.0, 100.0, 1000.0], kind([0, 2, 1, 2])) == (1 + 30 + 200 + 3000) / 4
    assert [w.grad for w in weights] == [0.25, 25.0, 252.5]


def test_whole_numbers_are_numbers_as_well(line: Any) -> None:
    step = autograd_lite.compile(partial(loss, line), parameters=line)
    assert step([1, 2], [2, 5]) == 0.25
    assert step(np.array([[1], [2]], dtype=np.uint8)[:, 0], [2, 5]) == 0.25
    labelled = autograd_lite.compile(lambda x, n: [x, x * x, x**3][n] * n)
    np.testing.assert_array_equal(
        labelled(np.array([2.0, 2.0, 2.0]), np.array([0, 1, 2])), [0, 4, 16]
    )
    assert labelled.value_and_grad(3.0, 1) == (9.0, (6.0, 9.0))


def test_a_gradient_is_changed_by_nobody_if_a_lane_raises(line: Any) -> None:
    def checked(x: Any) -> Any:
        if x > 3.0:
            raise ArithmeticError("too large")
        return line[0] * x + line[1]

    step = autograd_lite.compile(checked, parameters=line)
    with pytest.raises(ArithmeticError, match="too large") as raised:
        step([1.0, 2.0, 5.0])
    assert "row 2 of the batch" in raised.value.__notes__[0]
    assert not line[0].reached
    assert step([1.0, 2.0]) == 3.5


def test_programs_may_share_parameters(line: Any) -> None:
    first = autograd_lite.compile(lambda x: line[0] * x, parameters=line[:1])
    assert first([3.0]) == 6.0
    both = autograd_lite.compile(partial(loss, line), parameters=line)
    assert both([1.0], [2.0]) == 0.25
    assert first([3.0]) == 6.0
    assert [p.grad for p in line] == [3.0 + 1.0 + 3.0, 1.0]


def test_single_precision(plans: str) -> None:
    if plans == "python":
        return  # refused, see test_bad_input
    compiled = autograd_lite.compile(lambda x: x.exp(), dtype="float32")
    found = compiled(np.array([1.0, 2.0]))
    assert found.tolist() == pytest.approx([math.e, math.e**2], rel=1e-6)
    assert found.dtype == np.float32
    assert found.tolist()[0] != math.e
    assert type(compiled.grad(1.0)) is float


def test_a_program_is_not_pickled() -> None:
    with pytest.raises(TypeError, match=r"write program\.save\(path\)"):
        copy.deepcopy(autograd_lite.compile(f))


# -- threads ---------------------------------------------------------------------------------------


def test_threads_may_share_a_program(line: Any) -> None:
    compiled = autograd_lite.compile(rosenbrock)
    step = autograd_lite.compile(partial(loss, line), parameters=line)
    points = [np.full((50, 3), float(i)) + np.arange(3.0) for i in range(4)]
    expected = [compiled.value_and_grad(point) for point in points]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(20):
            value, gradient = compiled.value_and_grad(points[i])
            same = (value == expected[i][0]).all() and (gradient == expected[i][1]).all()
            if not same or step([1.0, 1.0], [2.0, 2.0]) != 0.25:
                wrong.append(i)

    threads = [Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert line[0].grad == 80.0


def test_more_threads_give_the_same_bits() -> None:
    points = np.linspace(-2.0, 2.0, 6000).reshape(-1, 3)
    one = autograd_lite.compile(rosenbrock).value_and_grad(points)
    two = autograd_lite.compile(rosenbrock, threads=2).value_and_grad(points)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_infinite_losses_have_a_mean(line: Any) -> None:
    step = autograd_lite.compile(lambda x: line[0] * x + line[1], parameters=line)
    for repeated in (1, 100):
        assert math.isnan(step(np.array([math.inf, -math.inf] * repeated))) is True
        assert step(np.array([1e308, 1e308] * repeated)) == math.inf
    exact = autograd_lite.compile(lambda x: line[0] * x, parameters=line[:1], exact=True)
    assert exact([1e308, 1e308]) == math.inf


def test_batches_of_batches_without_numbers() -> None:
    compiled = autograd_lite.compile(lambda p, x: x * 2.0 + sum(sum(row) for row in p))
    np.testing.assert_array_equal(compiled(np.empty((3, 2, 0)), 4.0), [8.0, 8.0, 8.0])
