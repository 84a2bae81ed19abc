"""Many lanes in one native call: the numbers are those of every lane for itself."""

from __future__ import annotations

from typing import Any

import pytest

from autograd_lite import Value, compile, cos, dot, exp, sin, tanh

np = pytest.importorskip("numpy")
pytest.importorskip("numba")

WIDTH = 5


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """Return the size of blocks, the first lane and the end of every native call."""
    from autograd_lite.native.running.sweep import Sweep

    calls: list[tuple[int, int, int]] = []
    kept = Sweep.__call__

    def noted(self: Any, arguments: Any, output: Any, gradients: Any, first: int, last: int) -> Any:
        calls.append((self.lanes, first, last))
        return kept(self, arguments, output, gradients, first, last)

    monkeypatch.setattr(Sweep, "__call__", noted)
    return calls


def function(xs: Any) -> Any:
    a, b, c, d, e = xs
    return sin(a * b) * c + exp(-d) / (1.5 + e * e) - a * a * e + tanh(sin(e)) * tanh(c) * cos(d)


def points(lanes: int, dtype: str = "float64") -> Any:
    return np.random.default_rng(lanes).normal(size=(lanes, WIDTH)).astype(dtype)


def packed(numbers: Any) -> Any:
    """Return rows that are not a whole number of numbers apart."""
    records = np.zeros(len(numbers), [("row", float, WIDTH), ("mark", np.int8)])
    records["row"] = numbers
    return records["row"]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("lanes", [33, 40, 64, 71, 500, 1000])
def test_every_lane_has_its_own_value_and_gradient(
    swept: list[tuple[int, int, int]], lanes: int, dtype: str, threads: int
) -> None:
    given = points(lanes, dtype)
    program = compile(function, dtype=dtype, threads=threads)
    values, gradients = program.value_and_grad(given)
    assert sum(last - first for _, first, last in swept) == lanes
    assert {first for _, first, _ in swept} ^ {last for *_, last in swept} == {0, lanes}
    alone = compile(function, dtype=dtype, exact=True)
    rounding = 1e-14 if dtype == "float64" else 1e-6
    for row, value, gradient in zip(given[:80], values, gradients, strict=False):
        wanted, slope = alone.value_and_grad(row.astype(float).tolist())
        assert value == pytest.approx(wanted, rel=rounding, abs=rounding)
        assert gradient.tolist() == pytest.approx(slope, rel=rounding, abs=rounding)
    once_more = program.value_and_grad(given)
    assert np.array_equal(values, once_more[0])
    assert np.array_equal(gradients, once_more[1])
    assert np.array_equal(program(given), values)


def test_large_programs_have_strips_of_16_lanes_too(swept: list[tuple[int, int, int]]) -> None:
    def long(xs: Any) -> Any:
        total = xs[0]
        for k in range(9_000):
            total = total * 0.5 + sin(xs[k % WIDTH])
        return total

    compile(long, exact=True).value_and_grad(points(20))
    assert swept == [(16, 0, 20)]


def test_the_bits_of_a_lane_do_not_depend_on_its_neighbours(
    swept: list[tuple[int, int, int]],
) -> None:
    """Nor on the number of threads, nor on how many lanes go into a block."""
    given = points(999)
    given[500] = [1e7, 1e3, np.inf, np.nan, -0.0]  # sines of such numbers are computed otherwise
    one, three = (compile(function, threads=count) for count in (1, 3))
    values, gradients = one.value_and_grad(given)
    again = three.value_and_grad(given)
    assert np.array_equal(again[0], values, equal_nan=True)
    assert np.array_equal(again[1], gradients, equal_nan=True)
    assert len(swept) > 8
    for begin, end in ((0, 7), (480, 520), (3, 999)):
        part = one.value_and_grad(given[begin:end])
        assert np.array_equal(part[0], values[begin:end], equal_nan=True)
        assert np.array_equal(part[1], gradients[begin:end], equal_nan=True)


@pytest.mark.parametrize(
    "given",
    [
        points(2 * 50)[::2],
        np.asfortranarray(points(50)),
        np.ascontiguousarray(points(50)[:, ::-1])[:, ::-1],
        points(50, "float32"),
        np.arange(50 * WIDTH).reshape(50, WIDTH) % 7,
        packed(points(50)),
        np.broadcast_to(points(1), (50, WIDTH)),
    ],
    ids=["every other row", "columns", "backwards", "float32", "whole", "packed", "broadcast"],
)
def test_any_matrix_will_do(given: Any) -> None:
    program = compile(function)
    found = program.value_and_grad(given)
    wanted = program.value_and_grad(np.ascontiguousarray(given, dtype=float))
    assert np.array_equal(found[0], wanted[0])
    assert np.array_equal(found[1], wanted[1])


SUMS = {
    "a tree": (lambda a, b, c: (sin(a) + b * c) + (a * b + exp(c)), 6),
    "a chain": (lambda a, b, c: a * b + b * c + c * a + sin(a) - cos(b), 7),
    "differences": (lambda a, b, c: (a * b - b * c) - (sin(a) - sin(c)), 3),
    "twice the same": (lambda a, b, c: next(s + s for s in [a * b + c * c]), 2),
    "used twice": (lambda a, b, c: next(s + s * c for s in [a * b + c * c]), 3),
    "an argument": (lambda a, b, c: a + (b + c) + a * a, 3),
    "numbers": (lambda a, b, c: 2.0 + (3.0 + a * b) - (1.0 - sin(c)), 3),
    "dot": (lambda a, b, c: dot([a, b], [b, c]) + (sin(a) + dot([a, a], [c, c])), 2),
}


@pytest.mark.parametrize("name", SUMS)
def test_what_goes_into_one_sum_alone_has_its_adjoint(name: str) -> None:
    function, shared = SUMS[name]
    given = points(20)[:, :3]
    program = compile(lambda xs: function(*xs))
    values, gradients = program.value_and_grad(given)
    for row, value, gradient in zip(given.tolist(), values, gradients, strict=True):
        xs = [Value(x) for x in row]
        result = function(*xs)
        result.backward()
        assert value == pytest.approx(result.data, rel=1e-14)
        assert gradient.tolist() == pytest.approx([x.grad for x in xs], rel=1e-14)
    [plan] = [lowered.plan for lowered in program.recordings[0].plans.values()]
    heir = plan.schedule.layout.heir
    assert np.count_nonzero(heir != np.arange(len(heir))) == shared


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("dtype", "width", "streams"), [("float64", 8, 1), ("float32", 16, 1), ("float64", 9, 0)]
)
def test_large_gradients_are_those_of_their_parts(
    monkeypatch: pytest.MonkeyPatch, dtype: str, width: int, streams: int, threads: int
) -> None:
    from autograd_lite.native.running import crossing

    given = np.random.default_rng(width).normal(size=(1_001, width)).astype(dtype)
    program = compile(lambda xs: function(xs[:WIDTH]) + dot(xs, xs), dtype=dtype, threads=threads)
    value, gradient = program.value_and_grad(given)
    monkeypatch.setattr(crossing, "LARGE", 1)
    asked = []
    kept = crossing.is_aligned
    monkeypatch.setattr(crossing, "is_aligned", lambda x: asked.append(kept(x)) or asked[-1])
    again, streamed = program.value_and_grad(given)
    assert np.array_equal(value, again)
    assert np.array_equal(gradient, streamed)
    assert set(asked) == {bool(streams)}


def test_several_arguments_some_without_lanes(swept: list[tuple[int, int, int]]) -> None:
    x, y = points(70), points(70)[:, 0]
    program = compile(lambda xs, y, z: function(xs) * y + 0.0 * z)
    value, (dx, dy, dz) = program.value_and_grad(x, y, 2.0)
    plain, slope = compile(function).value_and_grad(x)
    np.testing.assert_allclose(value, plain * y, rtol=1e-12)
    np.testing.assert_allclose(dx, slope * y[:, None], rtol=1e-12)
    np.testing.assert_allclose(dy, plain, rtol=1e-12)
    assert (dz == 0.0).all()


def test_an_argument_that_is_not_used_has_gradients_of_zero() -> None:
    value, (dx, dy) = compile(lambda x, y: x * x).value_and_grad(np.arange(40.0), np.ones(40))
    assert value.tolist() == [x * x for x in range(40)]
    assert dx.tolist() == [2.0 * x for x in range(40)]
    assert not dy.any()


USERS = {
    "sum": lambda x, y: x + y,
    "difference": lambda x, y: y - x,
    "product": lambda x, y: x * y,
    "quotient": lambda x, y: y / x,
    "square": lambda x, y: x * x,
    "sine": lambda x, y: sin(x),
    "several": lambda x, y: dot([x, y, x], [y, y, x]),
}


@pytest.mark.parametrize("one", USERS)
@pytest.mark.parametrize("other", USERS)
def test_adjoints_begin_anew_with_every_call_whichever_users_a_number_has(
    one: str, other: str
) -> None:
    def function(x: Any, y: Any) -> Any:
        x, y = exp(x), exp(y)
        return USERS[one](x, y) * (USERS[other](x, y) - x)

    program, exact = compile(function), compile(function, exact=True)
    for lanes in (8, 40, 8):
        given = points(lanes).T[:2]
        wanted = exact.value_and_grad(*given)
        found = program.value_and_grad(*given)
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12)
        np.testing.assert_allclose(found[1], wanted[1], rtol=1e-12, atol=1e-12)
