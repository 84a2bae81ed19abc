"""Kernels of n-ary primitives give the table's numbers; those between the spaces do as they say."""

import functools
import math
import random

import numpy as np
import pytest

from autograd_lite.native.kernels import across, building, convention, many
from autograd_lite.native.kernels.blocks import BLOCK
from autograd_lite.native.kernels.translation import Untranslatable
from autograd_lite.native.running.aligned import aligned
from autograd_lite.primitives import TABLE, Variadic

NAMES = sorted(name for name, primitive in TABLE.items() if primitive.variadic)
EDGES = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, 1e-310, 700.0)
LANES = {"point": 1, "lanes": BLOCK + 3}

# Kernels for a point are those for lanes with one lane and C's exponential. Each takes a third of a
# second to compile, so some stand for all.
TESTED = [(name, "lanes") for name in NAMES]
TESTED += [(name, "point") for name in ("dot", "logsumexp", "max_of", "norm", "prod")]


@functools.cache
def variadic(name, direction, layout):
    """The kernel under the name that programs give it, so that they share one file."""
    return convention.callable_at(
        building.address(
            f"{name} {direction} {layout}",
            lambda: many.variadic_kernel(TABLE[name], direction, layout),
        )
    )


@functools.cache
def special(name, direction, layout, dtype="float64"):
    return convention.callable_at(
        building.address(
            f"{name} {direction} {layout}",
            lambda: across.special_kernel(name, direction, layout, dtype=dtype),
            dtype,
        )
    )


def run(kernel, *, v=None, g=None, u=None, gu=None, index, labels=None, rows, first=0, lanes=1):
    arrays = [0 if x is None else x.ctypes.data for x in (v, g, u, gu, index, labels)]
    kernel(*arrays, first, *rows, lanes)


def operands_of(name):
    """Lists of operands: of many lengths and sizes, and with everything that is special."""
    draw = random.Random(name)
    found = [
        [draw.gauss(0.0, 1.0) * size for _ in range(count)]
        for count in (1, 2, 3, 7, 32, 33, 70)
        for size in (1.0, 1e3, 1e-200, 1e200)
    ]
    found += [[draw.choice(EDGES) for _ in range(draw.randint(1, 5))] for _ in range(150)]
    if name == "var":
        found = [[*xs, draw.choice((1.0, 2.0, float(len(xs)), 0.0))] for xs in found]
    return found


def bits(numbers):
    """Numbers as text: -0.0 is not 0.0, and every NaN is like every other."""
    return [repr(float(x)) for x in numbers]


# -- n-ary primitives ------------------------------------------------------------------------------


def test_every_n_ary_primitive_of_the_table_has_a_kernel():
    assert sorted(many.FORMULAS) == NAMES


@pytest.mark.parametrize(("name", "layout"), TESTED)
def test_values_and_gradients_are_the_tables(name, layout):
    lanes = LANES[layout]
    primitive = TABLE[name]
    for operands in operands_of(name):
        n = len(operands)
        value = primitive.evaluate(*operands)
        partials = primitive.evaluate_partials(operands, value)
        v = np.zeros((n + 1, lanes))
        v[:n] = np.array(operands)[:, None]
        index = np.array([*range(n), 0, n], np.int32)
        run(
            variadic(name, "forward", layout),
            v=v, index=index, rows=(n, n + 1), first=n, lanes=lanes,
        )  # fmt: skip
        g = np.zeros((n + 1, lanes))
        g[n] = 0.75
        run(
            variadic(name, "backward", layout),
            v=v, g=g, index=index, rows=(n, n + 1), first=n, lanes=lanes,
        )  # fmt: skip
        expected = [0.0 + 0.75 * partial for partial in partials]
        for lane in {0, lanes - 1}:
            found = [v[n, lane], *g[:n, lane]]
            if name == "norm" or (name == "logsumexp" and layout == "lanes"):
                # other mathematics than Python's: one unit for the value, three for a derivative
                np.testing.assert_allclose(found[0], value, rtol=2.3e-16)
                np.testing.assert_allclose(found[1:], expected, rtol=7e-16, atol=1e-323)
            else:
                assert bits(found) == bits([value, *expected]), operands


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_lanes_are_computed_each_for_itself(direction):
    """Every lane has its own largest operand, and lanes go beyond one block."""
    lanes, n = 2 * BLOCK + 5, 4
    rows = np.random.default_rng(0).normal(size=(n + 1, lanes)) * 30.0
    index = np.array([*range(n), 0, n], np.int32)
    v, g = rows.copy(), np.zeros_like(rows)
    run(
        variadic("logsumexp", "forward", "lanes"),
        v=v,
        index=index,
        rows=(4, 5),
        first=4,
        lanes=lanes,
    )
    g[n] = np.arange(lanes)
    run(
        variadic("logsumexp", "backward", "lanes"),
        v=v, g=g, index=index, rows=(4, 5), first=4, lanes=lanes,
    )  # fmt: skip
    primitive = TABLE["logsumexp"]
    for lane in range(lanes):
        operands = rows[:n, lane].tolist()
        value = primitive.evaluate(*operands)
        assert v[n, lane] == pytest.approx(value, rel=2.3e-16)
        if direction == "backward":
            partials = np.array(primitive.evaluate_partials(operands, value))
            np.testing.assert_allclose(g[:n, lane], lane * partials, rtol=7e-16)


def test_the_norm_of_many_numbers_is_as_accurate_as_pythons():
    """Plain sums of squares would be off by some tens of units."""
    draw = random.Random(3)
    for _ in range(30):
        n = 2000
        operands = [draw.gauss(0.0, 1.0) for _ in range(n)]
        v = np.array([*operands, 0.0])
        index = np.array([*range(n), 0, n], np.int32)
        run(variadic("norm", "forward", "point"), v=v, index=index, rows=(n, n + 1), first=n)
        assert v[n] == pytest.approx(math.hypot(*operands), rel=2.3e-16)


def test_operands_may_be_one_row_and_gradients_add_up():
    """Dot of (a, b) and (b, b): the derivatives are b, and a + 2b; adjoints start from 10."""
    v, g = np.array([3.0, 5.0, 0.0]), np.array([10.0, 10.0, 2.0])
    index = np.array([0, 1, 1, 1, 0, 4], np.int32)
    run(variadic("dot", "forward", "point"), v=v, index=index, rows=(2, 3), first=4)
    assert v[2] == 40.0
    run(variadic("dot", "backward", "point"), v=v, g=g, index=index, rows=(2, 3), first=4)
    assert g.tolist() == [20.0, 36.0, 2.0]


def test_a_dot_of_odd_length_starts_from_its_last_operand():
    v, g = np.array([2.0, 3.0, 100.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0])
    index = np.array([0, 1, 2, 0, 3], np.int32)
    run(variadic("dot", "forward", "point"), v=v, index=index, rows=(3, 4), first=3)
    run(variadic("dot", "backward", "point"), v=v, g=g, index=index, rows=(3, 4), first=3)
    assert v[3] == 106.0
    assert g.tolist() == [3.0, 2.0, 1.0, 1.0]


def test_the_nodes_of_a_run_have_their_own_operands():
    """Sums of 1, 2 and 3 operands, the last of sums before: backward goes from the end."""
    v, g = np.array([1.0, 10.0, 0.0, 0.0, 0.0]), np.zeros(5)
    index = np.array([0, 0, 1, 1, 2, 3, 0, 1, 3, 6], np.int32)
    run(variadic("total", "forward", "point"), v=v, index=index, rows=(2, 5), first=6)
    assert v.tolist() == [1.0, 10.0, 1.0, 11.0, 22.0]
    g[4] = 1.0
    run(variadic("total", "backward", "point"), v=v, g=g, index=index, rows=(2, 5), first=6)
    assert g.tolist() == [2.0, 2.0, 1.0, 1.0, 1.0]


def test_single_numbers_are_added_in_double_precision():
    v = np.array([1.0, *[3e-8] * 10, 0.0], np.float32)
    index = np.array([*range(11), 0, 11], np.int32)
    at = building.address(
        "total forward point",
        lambda: many.variadic_kernel(TABLE["total"], "forward", "point", dtype="float32"),
        "float32",
    )
    run(convention.callable_at(at), v=v, index=index, rows=(11, 12), first=11)
    assert v[11] == np.float32(1.0 + 3e-7)
    assert v[11] != 1.0


def test_an_n_ary_primitive_of_a_users_own_has_no_kernel():
    own = Variadic("total", lambda xs: sum(xs), lambda xs, y: [1.0 for _ in xs])
    with pytest.raises(Untranslatable, match="total is n-ary, and not one of the table"):
        many.variadic_kernel(own, "forward", "point")


# -- between the spaces ----------------------------------------------------------------------------


@pytest.mark.parametrize("lanes", [1, 7, 8, 100])
def test_a_broadcast_goes_to_all_lanes_and_its_gradient_is_their_sum(lanes):
    u, gu = np.array([5.0, 7.0]), np.array([0.0, 1.0])
    v, g = np.zeros((2, lanes)), np.zeros((2, lanes))
    g[0] = np.arange(lanes) ** 2
    index = np.array([1], np.int32)
    run(special("broadcast", "forward", "lanes"), v=v, u=u, index=index, rows=(0, 1), lanes=lanes)
    assert (v[0] == 7.0).all()
    assert (v[1] == 0.0).all()
    run(
        special("broadcast", "backward", "lanes"),
        g=g, gu=gu, index=index, rows=(0, 1), lanes=lanes,
    )  # fmt: skip
    assert gu.tolist() == [0.0, 1.0 + sum(lane**2 for lane in range(lanes))]


def test_a_bias_is_added_to_what_is_there():
    u, gu = np.array([5.0, 7.0]), np.zeros(2)
    v = np.array([[1.0, 2.0], [3.0, 4.0]])
    index = np.array([1, 0], np.int32)
    run(special("bias", "forward", "lanes"), v=v, u=u, index=index, rows=(0, 2), lanes=2)
    assert v.tolist() == [[8.0, 9.0], [8.0, 9.0]]
    g = np.array([[1.0, 2.0], [10.0, 20.0]])
    run(special("bias", "backward", "lanes"), g=g, gu=gu, index=index, rows=(0, 2), lanes=2)
    assert gu.tolist() == [30.0, 3.0]
    assert g.tolist() == [[1.0, 2.0], [10.0, 20.0]]


@pytest.mark.parametrize(("layout", "lanes"), [("point", 1), ("lanes", 3)])
def test_rows_are_copied(layout, lanes):
    v = np.arange(3.0 * lanes).reshape(3, lanes)
    g = np.ones((3, lanes))
    expected = [v[1].tolist(), v[1].tolist(), v[2].tolist()]
    index = np.array([1], np.int32)
    run(special("copy", "forward", layout), v=v, index=index, rows=(0, 1), lanes=lanes)
    assert v.tolist() == expected
    run(special("copy", "backward", layout), g=g, index=index, rows=(0, 1), lanes=lanes)
    assert g.tolist() == [[1.0] * lanes, [2.0] * lanes, [1.0] * lanes]


def test_mean_and_variance_over_lanes_have_their_derivatives():
    """Far from zero: one pass over squares would have no digit right."""
    lanes = 21
    v = (1e9 + np.arange(lanes) % 5.0).reshape(1, lanes)
    u, gu, g = np.zeros(2), np.array([6.0, 3.0]), np.zeros((1, lanes))
    index = np.array([0], np.int32)
    for row, name in enumerate(("lane_mean", "lane_variance")):
        arrays = {"v": v, "u": u, "index": index, "rows": (row, row + 1), "lanes": lanes}
        run(special(name, "forward", "lanes"), **arrays)
        run(special(name, "backward", "lanes"), g=g, gu=gu, **arrays)
    deviations = v[0] - v[0].mean()
    np.testing.assert_allclose(u, [v[0].mean(), (deviations**2).mean()], rtol=1e-15)
    np.testing.assert_allclose(g[0], (6.0 + 3.0 * 2.0 * deviations) / lanes, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("lanes", [1, 7, 8, 24, 35])
@pytest.mark.parametrize("columns", [1, 8, 13])
def test_a_matrix_of_the_callers_is_turned_into_rows_and_back(dtype, lanes, columns):
    draw = np.random.default_rng(lanes)
    wider = draw.normal(size=(lanes, columns + 3)).astype(dtype)
    given = wider[:, 2 : 2 + columns]
    v, g = np.full((2, columns + 4, lanes), -1.0, dtype)
    arrays = {"index": np.zeros(1, np.int32), "rows": (3, 3 + columns), "lanes": lanes}
    arrays |= {"first": columns + 3, "u": given}
    run(special("turn", "forward", "lanes", dtype), v=v, **arrays)
    assert np.array_equal(v[3:-1], given.T)
    assert (v[:3] == -1.0).all()
    assert (v[-1] == -1.0).all()
    g[3:-1] = draw.normal(size=(columns, lanes))
    kept = wider.copy()
    run(special("turn", "backward", "lanes", dtype), g=g, **arrays)
    assert np.array_equal(given, g[3:-1].T)
    wider[:, 2 : 2 + columns] = kept[:, 2 : 2 + columns]
    assert np.array_equal(wider, kept)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("lanes", [1, 8, 21])
@pytest.mark.parametrize("columns", [3, 8, 29, 48])
def test_rows_are_turned_past_the_caches_too(dtype, lanes, columns):
    g = np.random.default_rng(lanes).normal(size=(columns + 2, lanes)).astype(dtype)
    into = aligned(np.zeros, (lanes, 48), np.dtype(dtype))
    arrays = {"index": np.zeros(1, np.int32), "rows": (2, 2 + columns), "lanes": lanes}
    run(special("stream", "forward", "lanes", dtype), g=g, u=into, first=48, **arrays)
    assert np.array_equal(into[:, :columns], g[2:].T)
    assert not into[:, columns:].any()


@pytest.mark.parametrize("layout", ["point", "lanes"])
def test_adjoints_begin_with_zeros_and_a_share(layout):
    lanes = 1 if layout == "point" else 5
    g = np.full((4, lanes), 7.0)
    index = np.zeros(1, np.int32)
    run(special("clear", "forward", layout), g=g, index=index, rows=(1, 3), lanes=lanes)
    assert g[:, 0].tolist() == [7.0, 0.0, 0.0, 7.0]
    run(special("seed", "forward", layout), g=g, index=index, rows=(2, 3), first=3, lanes=lanes)
    assert g.tolist() == [[x] * lanes for x in (7.0, 0.0, 1.0 / 3.0, 7.0)]


# -- choices ---------------------------------------------------------------------------------------


def test_a_label_picks_one_option_in_each_lane():
    labels = np.array([[9, 9, 9, 9], [2, 0, -1, 3]], np.int32)  # row 1 counts; two lanes are wrong
    v = np.array([[1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0], [0.0] * 4])
    g = np.array([[0.0] * 4, [0.0] * 4, [1.0, 2.0, 3.0, 4.0]])
    index = np.array([1, 0, 1, 1, 0, 4], np.int32)  # the label's row; three options
    arrays = {"v": v, "index": index, "labels": labels, "rows": (2, 3), "first": 4, "lanes": 4}
    run(special("pick", "forward", "lanes"), **arrays)
    assert bits(v[2]) == ["10.0", "2.0", "nan", "nan"]
    run(special("pick", "backward", "lanes"), g=g, **arrays)
    assert g[:2].tolist() == [[0.0, 2.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]


def test_options_may_be_the_same_in_all_lanes():
    labels = np.array([[1, 0, 1]], np.int32)
    u, gu = np.array([5.0, 6.0, 7.0]), np.zeros(3)
    v, g = np.zeros((1, 3)), np.array([[1.0, 10.0, 100.0]])
    index = np.array([0, 0, 2, 0, 3], np.int32)
    arrays = {"index": index, "labels": labels, "rows": (0, 1), "first": 3, "lanes": 3}
    run(special("pick uniform", "forward", "lanes"), v=v, u=u, **arrays)
    assert v.tolist() == [[7.0, 5.0, 7.0]]
    run(special("pick uniform", "backward", "lanes"), g=g, gu=gu, **arrays)
    assert gu.tolist() == [10.0, 0.0, 101.0]


# -- guards ----------------------------------------------------------------------------------------


def holds(test, a, b, answer):
    """What the guard kernel has to find out, in Python."""
    found = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "truth": a != 0.0, "index": a}[
        test
    ]
    return found == answer


@pytest.mark.parametrize("lanes", [1, BLOCK + 9])
def test_each_lane_gets_the_first_guard_that_fails(lanes):
    draw = random.Random(lanes)
    numbers = (0.0, -0.0, 1.0, 2.0, math.nan, math.inf)
    layout = "point" if lanes == 1 else "lanes"
    for _ in range(60):
        v = np.array([[draw.choice(numbers) for _ in range(lanes)] for _ in range(3)])
        u = np.array([draw.choice(numbers) for _ in range(2)])
        guards = []
        for _ in range(draw.randint(0, 6)):
            test = draw.choice(across.TESTS)
            answer = draw.randint(0, 2) if test == "index" else draw.randint(0, 1)
            guards.append((test, draw.randint(-2, 2), draw.randint(-2, 2), answer))
        index = np.array(
            [[across.TESTS.index(test), *rest] for test, *rest in guards], np.int32
        ).reshape(-1)
        failed = np.full(lanes + 1, len(guards), np.int32)
        failed[lanes] = 0
        run(
            special("guards", "forward", layout),
            v=v, u=u, index=index, labels=failed, rows=(0, len(guards)), lanes=lanes,
        )  # fmt: skip
        for lane in range(lanes):
            rows = [*v[:, lane], *u[::-1]]  # row -1 of v is u[0], -2 is u[1]
            answers = [holds(test, rows[a], rows[b], answer) for test, a, b, answer in guards]
            expected = answers.index(False) if False in answers else len(guards)
            assert failed[lane] == expected, (guards, rows)
        assert failed[lanes] == any(failed[:lanes] < len(guards))
