"""Branches: every lane is computed the way that its own numbers take."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite
from autograd_lite import Value, lanes, value_and_grad
from autograd_lite.native.programs import backend, paths


@pytest.fixture(params=["native", "python"], autouse=True)
def plans(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run every test with both kinds of plans."""
    if request.param == "python":
        monkeypatch.setattr(backend, "missing", lambda: ("llvmlite", "numba"))
        monkeypatch.setattr(backend, "_tell", lambda what: None)
    return str(request.param)


def branching(x: Any) -> Any:
    if x < -1.0:
        return x * x
    if x >= 2.0:
        return x.exp() if x < 3.0 else 1.0 / x
    return 5.0 * x


def collatz_like(x: Any) -> Any:
    """Take a number of steps that depends on the number."""
    steps = 0.0
    while x > 1.0:
        x = x / 2.0
        steps = steps + x * x
    return x + steps


def check(function: Any, points: list[float], *, compiled: Any = None) -> Any:
    """Compare values and gradients of lanes with those of the eager engine."""
    compiled = compiled or autograd_lite.compile(function)
    values, gradients = compiled.value_and_grad(np.array(points))
    eager = [value_and_grad(function)(x) for x in points]
    np.testing.assert_allclose(values, [value for value, _ in eager], rtol=1e-13)
    np.testing.assert_allclose(gradients, [gradient for _, gradient in eager], rtol=1e-13)
    np.testing.assert_array_equal(compiled(np.array(points)), values)
    return compiled


def test_lanes_on_all_sides_of_branches() -> None:
    compiled = check(branching, [0.5, -3.0, 2.5, 4.0, -2.0, 0.25, 2.0, -1.0, 3.0])
    assert len(compiled.recordings) == 4
    check(branching, [4.0, 4.5, -3.0], compiled=compiled)
    assert len(compiled.recordings) == 4  # kept for the next time


def test_single_points_take_their_side_too() -> None:
    compiled = autograd_lite.compile(branching)
    for x in (0.5, -3.0, 2.5, 0.5, 4.0):
        assert compiled.value_and_grad(x) == pytest.approx(value_and_grad(branching)(x), rel=1e-14)
    assert len(compiled.recordings) == 4


def test_loops_that_end_at_different_times() -> None:
    compiled = check(collatz_like, [0.5, 3.0, 100.0, 1.5, 7.0, 1.0, 2.0, 1e6, -4.0])
    assert compiled(1000.0) == pytest.approx(value_and_grad(collatz_like)(1000.0)[0], rel=1e-14)


def test_truth_is_a_question_too() -> None:
    check(lambda x: x * 3.0 if x else Value(1.0) + x, [0.0, 2.0, -0.0, -1.0])


def test_not_a_number_takes_the_side_that_it_takes_eagerly() -> None:
    function = lambda x: x * 2.0 if x < 1.0 else x * 3.0  # noqa: E731
    values, gradients = autograd_lite.compile(function).value_and_grad(
        np.array([0.5, math.nan, math.inf, -math.inf])
    )
    np.testing.assert_array_equal(values, [1.0, math.nan, math.inf, -math.inf])
    np.testing.assert_array_equal(gradients, [2.0, 3.0, 3.0, 2.0])


def test_python_minimum_and_sorting_compare_values() -> None:
    def function(p: Any) -> Any:
        low, *_, high = sorted(p)
        return low * 10.0 + high * max(p[0], p[2])

    points = [[3.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 2.0, 1.0], [9.0, 8.0, 7.0]]
    values, gradients = autograd_lite.compile(function).value_and_grad(np.array(points))
    for lane, point in enumerate(points):
        value, gradient = value_and_grad(function)(point)
        assert values[lane] == value
        assert gradients[lane].tolist() == gradient


def test_labels_that_index_lists_have_a_recording_each() -> None:
    table = [Value(1.0), Value(10.0), Value(100.0)]
    compiled = autograd_lite.compile(lambda x, label: table[label] * x)
    labels = np.array([2, 0, 1, 0, 2, 2])
    values, (dx, _) = compiled.value_and_grad(np.arange(6.0), labels)
    np.testing.assert_array_equal(dx, [100.0, 1.0, 10.0, 1.0, 100.0, 100.0])
    np.testing.assert_array_equal(values, dx * np.arange(6.0))
    assert len(compiled.recordings) == 3
    with pytest.raises(IndexError) as raised:
        compiled(np.ones(2), np.array([0, 3]))
    assert "row 1 of the batch" in raised.value.__notes__[0]


def test_picks_need_one_recording_only() -> None:
    table = [Value(1.0), Value(10.0), Value(100.0)]
    compiled = autograd_lite.compile(lambda x, label: lanes.pick(table, label) * x)
    values = compiled(np.ones(4), np.array([2, 0, 1, 0]))
    np.testing.assert_array_equal(values, [100.0, 1.0, 10.0, 1.0])
    assert len(compiled.recordings) == 1


def test_gradients_of_parameters_come_from_all_branches() -> None:
    w = Value(2.0)

    def loss(x: Any) -> Any:
        return w * x if x > 0.0 else w * w * x

    step = autograd_lite.compile(loss, parameters=[w])
    assert step([1.0, -1.0, 3.0, -2.0]) == (2.0 - 4.0 + 6.0 - 8.0) / 4
    assert w.grad == (1.0 - 4.0 + 3.0 - 8.0) / 4


def test_comparisons_of_what_has_no_lanes_move_all_lanes() -> None:
    w = Value(2.0)
    step = autograd_lite.compile(lambda x: w * x if w > 0.0 else w * w * x, parameters=[w])
    assert step([1.0, 2.0]) == 3.0
    w.data = -3.0
    w.zero_grad()
    assert step([1.0, 2.0]) == 13.5
    assert w.grad == -9.0


def test_a_watch_inside_of_a_branch() -> None:
    settings = {"factor": 2.0}

    def function(x: Any) -> Any:
        if x > 0.0:
            lanes.depends(lambda: settings["factor"])
            return x * settings["factor"]
        return x

    compiled = autograd_lite.compile(function)
    points = np.array([-1.0, 1.0])
    np.testing.assert_array_equal(compiled(points), [-1.0, 2.0])
    settings["factor"] = 5.0
    np.testing.assert_array_equal(compiled(points), [-1.0, 5.0])
    settings["factor"] = 2.0
    np.testing.assert_array_equal(compiled(points), [-1.0, 2.0])


def test_surroundings_that_change_at_every_call_do_not_pile_up() -> None:
    rate = 0.0

    def scaled(x: Any) -> Any:
        return x * rate

    compiled = autograd_lite.compile(scaled)
    for step in range(40):
        rate = float(step)
        assert compiled(2.0) == 2.0 * step
    assert len(compiled.recordings) == paths.MOST_ROOTS


def test_branches_with_results_of_different_structures() -> None:
    compiled = autograd_lite.compile(lambda x: [x] if x > 0.0 else [x, x * x])
    assert compiled(2.0) == [2.0]
    assert compiled(-2.0) == [-2.0, 4.0]
    with pytest.raises(ValueError, match=r"different lanes: \[number\] and \[number, number\]"):
        compiled(np.array([2.0, -2.0]))


def test_a_branch_of_plain_numbers() -> None:
    compiled = autograd_lite.compile(lambda x: x * x if x > 0.0 else 0.0)
    values, gradients = compiled.value_and_grad(np.array([3.0, -1.0]))
    np.testing.assert_array_equal(values, [9.0, 0.0])
    np.testing.assert_array_equal(gradients, [6.0, 0.0])


def test_hessians_and_jacobians_have_branches_too() -> None:
    def function(p: Any) -> Any:
        return p[0] ** 3.0 * p[1] if p[0] > p[1] else p[0] * p[1] ** 2.0

    found = autograd_lite.compile(function).hessian(np.array([[2.0, 1.0], [1.0, 2.0]]))
    np.testing.assert_allclose(found, [[[12.0, 12.0], [12.0, 0.0]], [[0.0, 4.0], [4.0, 2.0]]])
    pair = autograd_lite.compile(lambda x: [x, x * x] if x > 0.0 else [x * 3.0, -x])
    np.testing.assert_array_equal(pair.jacobian(np.array([2.0, -2.0])), [[1.0, 4.0], [3.0, -1.0]])


def test_too_many_ways_are_computed_by_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_PATHS", 3)
    compiled = check(collatz_like, [3.0, 100.0, 1.5, 7.0, 1.0, 2.0, 1e6, 1000.0])
    assert len(compiled.recordings) == 3
    w = Value(2.0)
    step = autograd_lite.compile(lambda x: collatz_like(x * w), parameters=[w])
    points = [3.0, 100.0, 1.5, 7.0, 1.0, 2.0, 1e6, 1000.0]
    eager = sum((collatz_like(x * w) for x in points), Value(0.0)) / 8.0
    eager.backward()
    expected = w.grad
    w.zero_grad()
    assert step(points) == pytest.approx(eager.data, rel=1e-13)
    assert w.grad == pytest.approx(expected, rel=1e-13)
    assert len(step.recordings) == 3


def test_answers_that_hang_on_the_last_bit_are_those_of_the_function() -> None:
    """Native code may round differently; then the function itself decides, lane by lane."""

    def edge(x: Any) -> Any:
        return x * 2.0 if x.sin() ** 2.0 + x.cos() ** 2.0 >= 1.0 else x * 3.0

    points = np.linspace(-3.0, 3.0, 61)
    found = autograd_lite.compile(edge, exact=True).grad(points)
    np.testing.assert_array_equal(found, [value_and_grad(edge)(x)[1] for x in points.tolist()])
    assert set(autograd_lite.compile(edge).grad(points).tolist()) <= {2.0, 3.0}


def test_branches_beside_a_mean_over_all_lanes_are_refused() -> None:
    def centred(x: Any) -> Any:
        y = x - lanes.mean(x)
        return y if x > 0.0 else y * 2.0

    compiled = autograd_lite.compile(centred)
    np.testing.assert_array_equal(compiled(np.array([1.0, 3.0])), [-1.0, 1.0])
    np.testing.assert_array_equal(compiled(np.array([-1.0, -3.0])), [2.0, -2.0])
    with pytest.raises(ValueError, match="different branches in a function that computes a mean"):
        compiled(np.array([-1.0, 3.0]))


def test_comparisons_of_a_mean_over_all_lanes_are_refused_where_they_differ() -> None:
    def centred(x: Any) -> Any:
        return x if lanes.variance(x) < 1.0 else x * 2.0

    compiled = autograd_lite.compile(centred)
    np.testing.assert_array_equal(compiled(np.array([1.0, 1.5])), [1.0, 1.5])
    with pytest.raises(ValueError, match="over all lanes"):
        compiled(np.array([1.0, 9.0]))


def test_comparisons_of_drawn_numbers_are_refused() -> None:
    source = random.Random(0)

    def draw(lanes: int, count: int) -> list[list[float]]:
        return [[source.random() for _ in range(count)] for _ in range(lanes)]

    def dropped(x: Any) -> Any:
        (kept,) = lanes.fresh(1, draw)
        return x if kept * x > 0.25 else x * 0.0

    with pytest.raises(ValueError, match="drawn anew at every call, as those of dropout are"):
        autograd_lite.compile(dropped)(np.ones(3))


numbers = st.floats(-4.0, 4.0).map(lambda x: round(x, 3))


@settings(max_examples=25)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=12), st.data())
def test_random_branches(points: list[tuple[float, float]], data: st.DataObject) -> None:
    """The same values and gradients as the eager engine, whatever branches there are."""
    questions = data.draw(
        st.lists(st.tuples(st.integers(0, 2), numbers, st.integers(0, 3)), min_size=1, max_size=4)
    )

    def function(p: Any) -> Any:
        x, y = p
        for which, bound, action in questions:
            if (x, y, x * y)[which] < bound:
                x = (x + y, x * 2.0 - 1.0, x.sin() * y, x)[action]
            else:
                y = (y * x, y - 0.5, (y * 0.25).exp(), y + x * x)[action]
        return x * 0.5 + y

    compiled = autograd_lite.compile(function)
    values, gradients = compiled.value_and_grad(np.array(points))
    for lane, point in enumerate(points):
        value, gradient = value_and_grad(function)(list(point))
        assert values[lane] == pytest.approx(value, rel=1e-12, abs=1e-12)
        assert gradients[lane] == pytest.approx(gradient, rel=1e-12, abs=1e-12)
