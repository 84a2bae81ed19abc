"""Calls at points that take the quick way: the same results, and nothing forgotten."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from autograd_lite import Value, compile, grad, no_grad, sin, value_and_grad
from autograd_lite.native.programs import evaluation

np = pytest.importorskip("numpy")
pytest.importorskip("numba")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the quick way was taken for, call after call."""
    from autograd_lite.native.running.point import Point

    calls: list[str] = []
    evaluate, begin = Point.evaluate, Point.__init__

    def noted(self: Any, arguments: Sequence[Any]) -> None:
        calls.append("evaluate")
        evaluate(self, arguments)

    def begun(self: Any, *given: Any) -> None:
        begin(self, *given)
        both = self.both

        def counted() -> None:
            calls.append("differentiate")
            both()

        self.both = counted

    monkeypatch.setattr(Point, "evaluate", noted)
    monkeypatch.setattr(Point, "__init__", begun)
    return calls


def powers(x: Any, y: Any) -> Any:
    return sin(x * y) + x**y


@pytest.mark.parametrize("options", [{}, {"exact": True}, {"dtype": "float32"}])
def test_a_further_call_is_quick_and_gives_the_same(taken: list[str], options: Any) -> None:
    program = compile(powers, **options)

    def results(*point: float) -> str:
        return repr([program.value_and_grad(*point), program.grad(*point), program(*point)])

    first = results(2.0, 3.0)
    assert taken == ["differentiate", "evaluate"]  # `grad` has the way of `value_and_grad`
    assert results(2.0, 3.0) == first
    assert taken[2:] == ["differentiate", "differentiate", "evaluate"]
    elsewhere = results(1.5, 2.5)
    program = compile(powers, **options)
    assert results(1.5, 2.5) == elsewhere


POINT = [0.5, 2.0, 3.0]


@pytest.mark.parametrize(
    ("given", "quick"),
    [
        (POINT, True),
        (np.array([POINT]), True),
        (np.array([POINT * 2])[:, ::2], True),
        (tuple(POINT), False),
        (np.array([POINT], np.float32), False),
        (np.array([POINT, POINT]), False),
        ([1, 2, 3], False),
    ],
)
def test_lists_and_arrays_of_one_lane(taken: list[str], given: Any, quick: bool) -> None:
    program = compile(lambda xs: sin(xs[0]) * xs[1] / xs[2])
    first, again = program.value_and_grad(given), program.value_and_grad(given)
    assert taken == ["differentiate"] * quick
    for one, other in zip(first, again, strict=True):
        assert type(one) is type(other)
        assert np.shape(one) == np.shape(other)
        assert np.array_equal(one, other)


def test_an_array_of_one_number_and_one_of_a_table() -> None:
    program = compile(lambda x: x * x)
    for _ in range(2):
        value, gradient = program.value_and_grad(np.array([3.0]))
        assert (value.tolist(), gradient.tolist()) == ([9.0], [6.0])
    table = compile(lambda rows: rows[0][1] * rows[1][0])
    for _ in range(2):
        value, gradient = table.value_and_grad(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
        assert (value.tolist(), gradient.tolist()) == ([6.0], [[[0.0, 3.0], [2.0, 0.0]]])


def test_results_are_the_callers_own(taken: list[str]) -> None:
    program = compile(lambda xs: xs[0] * xs[1])
    point = np.array([[2.0, 3.0]])
    program.value_and_grad(point)
    value, gradient = program.value_and_grad(point)
    program.value_and_grad(np.array([[5.0, 7.0]]))
    assert taken == ["differentiate"] * 2
    assert (value.tolist(), gradient.tolist()) == ([6.0], [[3.0, 2.0]])


def test_an_array_beside_a_number(taken: list[str]) -> None:
    program = compile(lambda xs, c: c * xs[0])
    for _ in range(2):
        _, (first, second) = program.value_and_grad(np.array([[2.0]]), 4.0)
        assert (first.tolist(), second.tolist()) == ([[4.0]], [2.0])
    assert taken == []


def test_another_branch_another_closure_and_other_values_are_seen() -> None:
    branching = compile(lambda x: x * x if x > 0.0 else -x)
    assert [branching.value_and_grad(x) for x in (3.0, 3.0, -3.0, 3.0)] == [
        (9.0, 6.0),
        (9.0, 6.0),
        (3.0, -1.0),
        (9.0, 6.0),
    ]
    factor = 2.0
    plain = compile(lambda x: factor * x)
    assert [plain(5.0), plain(5.0)] == [10.0, 10.0]
    factor = 3.0
    assert [plain(5.0), plain.value_and_grad(5.0)] == [15.0, (15.0, 3.0)]
    weight = Value(2.0)
    closing = compile(lambda x: weight * x)
    assert [closing(5.0), closing(5.0)] == [10.0, 10.0]
    weight.data = 3.0
    assert closing.value_and_grad(5.0) == (15.0, 3.0)


def test_inside_transforms_and_without_recording() -> None:
    program = compile(lambda x: x**3)
    assert [program(2.0), program(2.0)] == [8.0, 8.0]
    assert grad(lambda x: program(x) + program(2.0))(3.0) == 27.0
    assert grad(lambda x: x * program.grad(x))(2.0) == 36.0
    assert value_and_grad(lambda x: program(2.0) * x)(1.0) == (8.0, 8.0)
    with no_grad():
        assert program.value_and_grad(2.0) == (8.0, 12.0)


def test_what_is_forgotten_is_recorded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MOST_STRUCTURES", 2)
    lengths: list[int] = []

    def squares(xs: Any) -> Any:
        lengths.append(len(xs))
        return sum(x * x for x in xs)

    program = compile(squares)
    for n in (2, 3, 2, 2, 4, 2, 2, 3, 3):
        assert program.value_and_grad([1.0] * n) == (n, [2.0] * n)
    assert lengths == [2, 3, 4, 3]
    assert len(program.recordings) == 2


def test_the_last_call_is_the_one_that_is_told_of() -> None:
    program = compile(lambda xs: sum(xs))
    for n in (2, 3, 2):
        program([1.0] * n)
    assert program.source.count("xs[") == compile_and_call(2).count("xs[")


def compile_and_call(n: int) -> str:
    program = compile(lambda xs: sum(xs))
    program([1.0] * n)
    return str(program.source)


def test_threads_do_not_mix_their_numbers(taken: list[str]) -> None:
    program = compile(lambda xs: sin(xs[0]) * xs[1])
    wanted = {x: program.value_and_grad([x, 2.0]) for x in (0.1, 0.2, 0.3, 0.4)}
    wrong: list[float] = []

    def work(x: float) -> None:
        wrong.extend(x for _ in range(300) if program.value_and_grad([x, 2.0]) != wanted[x])

    threads = [threading.Thread(target=work, args=(x,)) for x in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(taken) >= 1200


def test_one_array_again_and_again(taken: list[str]) -> None:
    """Until it is another size or type, or what the function reads is another number."""
    factor = 2.0

    def weighted(xs: Any) -> Any:
        return factor * sin(xs[0]) * xs[-1]

    program = compile(weighted)

    def gradient(xs: Any) -> list[list[float]]:
        return [program.value_and_grad(xs)[1].tolist() for _ in range(3)]

    def wanted(row: list[float]) -> list[list[float]]:
        return [[grad(weighted)(row)]] * 3

    assert gradient(np.array([[0.5, 2.0]])) == wanted([0.5, 2.0])
    assert taken == ["differentiate"] * 2
    assert gradient(np.array([[1.5, -2.0]])) == wanted([1.5, -2.0])
    assert taken == ["differentiate"] * 5
    assert gradient(np.array([[1.5, 1.0, 3.0]])) == wanted([1.5, 1.0, 3.0])
    assert gradient(np.array([[1, 2]])) == wanted([1.0, 2.0])
    factor = 3.0
    assert gradient(np.array([[0.5, 2.0]])) == wanted([0.5, 2.0])
    two = program.value_and_grad(np.array([[0.5, 2.0], [1.5, -2.0]]))[1].tolist()
    assert two[1] == pytest.approx(wanted([1.5, -2.0])[0][0], rel=1e-14)
    assert gradient(np.array([[0.5, 2.0]])) == wanted([0.5, 2.0])


# -- many points -----------------------------------------------------------------------------------


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return, quick call after quick call, whether it went over the lanes."""
    from autograd_lite.native.running.plan import Plan

    calls: list[bool] = []
    sweep = Plan.sweep

    def noted(self: Any, *given: Any) -> Any:
        found = sweep(self, *given)
        calls.append(found is not None)
        return found

    monkeypatch.setattr(Plan, "sweep", noted)
    return calls


def of_three(xs: Any) -> Any:
    return sin(xs[0]) * xs[1] / xs[2]


MANY = np.random.default_rng(1).normal(size=(40, 3))


@pytest.mark.parametrize("options", [{}, {"exact": True}, {"threads": 2}])
def test_many_points_again_are_quick_and_give_the_same(swept: list[bool], options: Any) -> None:
    program = compile(of_three, **options)

    def results(points: Any) -> str:
        return repr([program.value_and_grad(points), program.grad(points), program(points)])

    first = results(MANY)
    assert swept == [True, True]
    assert results(MANY) == first
    assert swept == [True] * 5
    elsewhere = results(MANY + 1.0)
    assert swept == [True] * 8
    program = compile(of_three, **options)
    assert results(MANY + 1.0) == elsewhere


def test_values_alone_are_quick_too(swept: list[bool]) -> None:
    program = compile(of_three)
    first, again = program(MANY), program(MANY)
    assert swept == [True]
    assert first.tobytes() == again.tobytes()
    program.value_and_grad(MANY[:30])
    assert program(MANY[:20]).tobytes() == program(MANY[:20]).tobytes() == first[:20].tobytes()
    assert swept == [True] * 2


@pytest.mark.parametrize(
    ("points", "quick"),
    [
        (MANY[::2], [True]),
        (np.asfortranarray(MANY), [False]),
        (MANY[:, ::-1], [False]),
        (MANY[:10], [False]),
        (MANY.astype(np.float32), []),
        ([row.tolist() for row in MANY], []),
    ],
    ids=["every other", "columns", "backwards", "few", "float32", "lists"],
)
def test_layouts_in_memory(swept: list[bool], points: Any, quick: list[bool]) -> None:
    program = compile(of_three if not isinstance(points, list) else lambda rows: rows[0][0])
    first, again = program.value_and_grad(points), program.value_and_grad(points)
    assert swept == quick
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one, other)


def test_points_in_several_arrays_and_of_several_axes(swept: list[bool]) -> None:
    program = compile(
        lambda x, table: x * table[0][1] + table[1][0] ** 2 + table[0][0] - table[1][1]
    )
    x, table = MANY[:, 0].copy(), np.random.default_rng(2).normal(size=(40, 2, 2))
    program.value_and_grad(x, table)
    value, (first, second) = program.value_and_grad(x, table)
    assert swept == [True]
    rest = table[:, 0, 0] - table[:, 1, 1]
    assert value == pytest.approx(x * table[:, 0, 1] + table[:, 1, 0] ** 2 + rest, rel=1e-13)
    assert first.tolist() == table[:, 0, 1].tolist()
    assert second.shape == table.shape
    assert second[:, 0, 1].tolist() == x.tolist()
    assert second[:, 1, 0] == pytest.approx(2.0 * table[:, 1, 0], rel=1e-14)
    assert second[:, [0, 1], [0, 1]].tolist() == [[1.0, -1.0]] * 40


def test_results_over_lanes_are_the_callers_own(swept: list[bool]) -> None:
    program = compile(of_three)
    program.value_and_grad(MANY)
    value, gradient = program.value_and_grad(MANY)
    kept = value.copy(), gradient.copy()
    program.value_and_grad(2.0 * MANY)
    assert swept == [True, True]
    assert np.array_equal(value, kept[0])
    assert np.array_equal(gradient, kept[1])


def test_branches_and_closures_are_seen_over_lanes(swept: list[bool]) -> None:
    factor = Value(2.0)
    scaled = compile(lambda xs: factor * xs[0] * xs[1] * xs[2])
    parted = compile(lambda xs: xs[0] * xs[1] if xs[0] > 0.0 else xs[2])
    for number in (2.0, 3.0, 4.0):
        factor.data = number
        value, gradient = scaled.value_and_grad(MANY)
        assert value == pytest.approx(number * MANY.prod(axis=1), rel=1e-14)
        assert gradient[:, 1] == pytest.approx(number * MANY[:, 0] * MANY[:, 2], rel=1e-14)
        value, _ = parted.value_and_grad(number * MANY)
        wanted = np.where(MANY[:, 0] > 0.0, number * MANY[:, 0] * MANY[:, 1], MANY[:, 2])
        assert value == pytest.approx(number * wanted, rel=1e-14)
    assert swept == [True, True]  # where there are no branches


def test_the_last_call_over_lanes_is_the_one_that_is_told_of(swept: list[bool]) -> None:
    program = compile(of_three)
    program.value_and_grad(MANY)
    program.value_and_grad(MANY[0].tolist())
    assert "per lane" not in program.summary()
    program.value_and_grad(MANY)
    assert swept == [True]
    assert "for 40 lanes" in program.summary()
