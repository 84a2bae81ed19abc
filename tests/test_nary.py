"""Operations on many numbers, by hand-checked figures."""

from __future__ import annotations

import math
import random

import pytest
from mpmath import mp, mpf
from textbook import ulps

from autograd_lite import (
    Value,
    dot,
    grad,
    log_softmax,
    logsumexp,
    max_of,
    mean,
    min_of,
    norm,
    prod,
    softmax,
    total,
    var,
)

E = math.e


def gradient(f, *numbers):
    """Return the value of f at a list of numbers, and its gradient."""
    xs = [Value(x) for x in numbers]
    y = f(xs)
    y.backward()
    return y.data, [x.grad for x in xs]


@pytest.mark.parametrize(
    ("f", "numbers", "value", "partials"),
    [
        (total, (1.0, 2.0, 4.0), 7.0, [1.0, 1.0, 1.0]),
        (mean, (1.0, 2.0, 4.0, 5.0), 3.0, [0.25, 0.25, 0.25, 0.25]),
        (prod, (2.0, 3.0, 5.0), 30.0, [15.0, 10.0, 6.0]),
        (prod, (2.0, 0.0, 5.0), 0.0, [0.0, 10.0, 0.0]),
        (prod, (0.0, 3.0, 0.0), 0.0, [0.0, 0.0, 0.0]),
        (norm, (3.0, 4.0, 12.0), 13.0, [3.0 / 13.0, 4.0 / 13.0, 12.0 / 13.0]),
        (norm, (0.0, 0.0), 0.0, [0.0, 0.0]),
        (norm, (3e200, 4e200), 5e200, [0.6, 0.8]),
        (norm, (3e-320, 4e-320), 5e-320, [0.6, 0.8]),
        (max_of, (1.0, 3.0, 2.0), 3.0, [0.0, 1.0, 0.0]),
        (max_of, (3.0, 1.0, 3.0, 3.0), 3.0, [1.0 / 3.0, 0.0, 1.0 / 3.0, 1.0 / 3.0]),
        (min_of, (1.0, 3.0, 1.0), 1.0, [0.5, 0.0, 0.5]),
        (logsumexp, (0.0, math.log(3.0)), math.log(4.0), [0.25, 0.75]),
        (logsumexp, (1000.0, 1000.0), 1000.0 + math.log(2.0), [0.5, 0.5]),
        (logsumexp, (-1000.0, 0.0), 0.0, [0.0, 1.0]),
        (logsumexp, (-math.inf, 0.0), 0.0, [0.0, 1.0]),
        (var, (1.0, 2.0, 3.0, 6.0), 14.0 / 3.0, [-4.0 / 3.0, -2.0 / 3.0, 0.0, 2.0]),
        (lambda xs: var(xs, correction=0), (1.0, 2.0, 3.0, 6.0), 3.5, [-1.0, -0.5, 0.0, 1.5]),
    ],
)
def test_value_and_gradient(f, numbers, value, partials):
    y, found = gradient(f, *numbers)
    assert y == pytest.approx(value, rel=1e-15, abs=0.0)
    assert found == pytest.approx(partials, rel=4e-16, abs=1e-300)
    assert f(list(numbers)) == y


def test_dot():
    xs, ys = [Value(1.0), Value(2.0)], [Value(3.0), Value(5.0)]
    y = dot(xs, ys)
    assert (y.data, y.op) == (13.0, "dot")
    assert y.operands == (*xs, *ys)
    assert y.partials == (3.0, 5.0, 1.0, 2.0)


def test_a_dot_with_itself_counts_both_sides():
    y, found = gradient(lambda xs: dot(xs, xs), 3.0, -4.0)
    assert (y, found) == (25.0, [6.0, -8.0])


@pytest.mark.parametrize("f", [total, prod, mean, norm, logsumexp, max_of, min_of])
def test_one_number_alone(f):
    assert gradient(f, 7.0) == (7.0, [1.0])


@pytest.mark.parametrize("f", [total, prod, mean, norm, var, logsumexp, max_of, min_of])
def test_an_operation_on_many_numbers_is_one_node(f):
    xs = [Value(1.5), Value(2.5), Value(3.5)]
    y = f(xs)
    assert y.op == f.__name__
    assert y.operands == tuple(xs)


@pytest.mark.parametrize(
    ("f", "name"),
    [
        *((f, f.name) for f in (total, prod, mean, norm, logsumexp, max_of, min_of)),
        (var, "var"),
        (softmax, "softmax"),
        (log_softmax, "log_softmax"),
        (lambda xs: dot(xs, xs), "dot"),
    ],
)
def test_an_empty_list_is_refused(f, name):
    with pytest.raises(ValueError, match=f"^{name} expected at least 1 operand, got 0$"):
        f([])


def test_wrong_operands_are_refused():
    with pytest.raises(TypeError, match=r"^total expected a list of numbers or Values, got float$"):
        total(1.0)
    with pytest.raises(TypeError, match=r"^total expected one list of .*, got 2 arguments$"):
        total(Value(1.0), 2.0)
    with pytest.raises(TypeError, match=r"^max_of expected one list .*, got 3 arguments$"):
        max_of(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match="got str: 'a'"):
        total(["a", Value(1.0)])
    with pytest.raises(ValueError, match=r"^dot expected two equally long lists, got 1 and 2$"):
        dot([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"^var needs more than correction = 1 numbers, got 1$"):
        var([Value(1.0)])


@pytest.mark.parametrize(
    "f", [total, lambda xs: dot(xs, [1.0] * len(xs)), lambda xs: 4.0 * mean(xs)]
)
def test_sums_go_from_left_to_right(f):
    """A compensated sum, as the builtin's from Python 3.12 on, gives 2.0."""
    numbers = [1.0, 1e100, 1.0, -1e100]
    assert f(numbers) == 0.0
    assert f([Value(x) for x in numbers]).data == 0.0


def test_the_order_of_a_sum_shows_in_its_last_bits():
    assert total([0.1, 0.2, 0.3]) == 0.1 + 0.2 + 0.3 != 0.3 + 0.2 + 0.1 == total([0.3, 0.2, 0.1])


def test_prod_has_second_derivatives_where_factors_are_zero():
    def mixed(i, j):
        def first(*xs):
            return grad(lambda *ys: prod(ys), argnums=i)(*xs)

        return grad(first, argnums=j)(0.0, 0.0, 5.0)

    assert mixed(0, 1) == 5.0
    assert (mixed(0, 0), mixed(0, 2), mixed(1, 2)) == (0.0, 0.0, 0.0)


def test_var_has_second_derivatives():
    def mixed(j):
        return grad(lambda *ys: grad(lambda *xs: var(xs))(*ys), argnums=j)(1.0, 2.0, 6.0)

    assert [mixed(0), mixed(1), mixed(2)] == pytest.approx(
        [2 / 3, -1 / 3, -1 / 3], rel=1e-15, abs=0.0
    )


def test_norm_has_second_derivatives():
    second = grad(lambda x: grad(lambda t: norm([t, 4.0]))(x))(3.0)
    assert second == pytest.approx(16.0 / 125.0, rel=1e-15, abs=0.0)


def test_logsumexp_has_the_second_derivative_p_times_1_minus_p():
    second = grad(lambda x: grad(lambda t: logsumexp([t, 0.0, 0.0]))(x))(math.log(2.0))
    assert second == pytest.approx(0.25, rel=1e-15, abs=0.0)


def test_nan_in_nan_out():
    for f in (total, prod, mean, norm, logsumexp, max_of, min_of):
        for numbers in ((math.nan, 1.0), (1.0, math.nan), (1.0, math.nan, 2.0)):
            assert math.isnan(f(numbers)), f


# -- accuracy --------------------------------------------------------------------------------------


def test_norm_and_its_partials_are_exact_to_the_last_digits_at_every_scale():
    draw = random.Random("norm")
    for _ in range(300):
        scale = 2.0 ** draw.uniform(-1060.0, 1000.0)
        numbers = [draw.uniform(-1.0, 1.0) * scale for _ in range(4)]
        y, partials = gradient(norm, *numbers)
        with mp.workprec(300):
            exact = mp.sqrt(sum(mpf(x) ** 2 for x in numbers))
            slopes = [mpf(x) / exact for x in numbers]
        assert ulps(y, exact) <= 1.0
        assert all(ulps(p, slope) <= 2.0 for p, slope in zip(partials, slopes, strict=True))


def test_logsumexp_and_its_partials_are_as_exact_as_the_differences_of_the_operands():
    """exp(x - max) magnifies the rounding of x - max by the difference itself."""
    draw = random.Random("logsumexp")
    for _ in range(300):
        numbers = [draw.uniform(-1.0, 1.0) * 10.0 ** draw.uniform(0.0, 2.8) for _ in range(4)]
        y, partials = gradient(logsumexp, *numbers)
        with mp.workprec(3000):
            grown = [mp.exp(x) for x in numbers]
            exact = mp.log(mp.fsum(grown))
            shares = [e / mp.fsum(grown) for e in grown]
        assert abs(y - exact) <= 2.0 * math.ulp(max(map(abs, numbers)))
        for x, p, share in zip(numbers, partials, shares, strict=True):
            assert ulps(p, share) <= 8.0 + (max(numbers) - x)


# -- softmax ---------------------------------------------------------------------------------------


def test_softmax_and_its_jacobian():
    xs = [Value(0.0), Value(math.log(3.0))]
    p, q = softmax(xs)
    assert (p.data, q.data) == pytest.approx((0.25, 0.75), rel=1e-15, abs=0.0)
    p.backward()
    assert [x.grad for x in xs] == pytest.approx([0.1875, -0.1875], rel=1e-14, abs=0.0)


@pytest.mark.parametrize("shift", [-1000.0, 0.0, 1000.0])
def test_softmax_and_log_softmax_do_not_overflow(shift):
    assert softmax([shift, shift]) == [0.5, 0.5]
    assert softmax([shift, shift - 2000.0]) == [1.0, 0.0]
    assert log_softmax([shift, shift - 2000.0]) == [0.0, -2000.0]


def test_log_softmax_keeps_its_digits_near_certainty():
    """log(softmax) would be 0: the probability of the other class is lost beside 1."""
    xs = [Value(0.0), Value(-50.0)]
    certain, unlikely = log_softmax(xs)
    assert certain.data == pytest.approx(-math.exp(-50.0), rel=1e-15, abs=0.0)
    assert unlikely.data == -50.0
    certain.backward()
    # 1 - p and -p; the first vanishes, as in PyTorch, once p rounds to 1
    assert [x.grad for x in xs] == [0.0, -math.exp(-50.0)]


def test_softmax_of_one_number():
    assert softmax([3.0]) == [1.0]
    assert log_softmax([3.0]) == [0.0]
