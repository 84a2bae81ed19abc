"""The figures that the lectures give for automatic differentiation (rows as test names)."""

import math
from itertools import pairwise

import pytest

from autograd_lite import (
    Value,
    grad,
    hessian,
    jacobian,
    jvp,
    log,
    logsumexp,
    maximum,
    minimum,
    no_grad,
    relu,
    sin,
    softmax,
    softplus,
    total,
    value_and_grad,
    vjp,
)


def lecture(x):
    a = x**2
    b = sin(a)
    return (a + b) * a


def recorded(root):
    """Count the operations of a graph."""
    seen, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(node.operands)
    return sum(bool(node.op) for node in seen)


# -- 1.1: reverse mode ---------------------------------------------------------------------------


def test_1_1_values_and_gradients_of_every_node():
    x = Value(2.0)
    a = x**2
    b = sin(a)
    c = a + b
    f = a * c
    assert (a.data, b.data, c.data) == (4.0, -0.7568024953079282, 3.2431975046920716)
    assert f.data == 12.972790018768286
    f.backward()
    assert (f.grad, c.grad, b.grad) == (1.0, 4.0, 4.0)
    assert a.grad == 4.628623021237624
    assert x.grad == 18.514492084950497
    assert float(f"{a.grad:.3g}") == 4.63  # the lecture prints 4.625 and 18.50, rounded on the way
    assert abs(x.grad - 18.50) < 0.02


def test_1_1_three_contributions_reach_a():
    x = Value(2.0)
    a = x**2
    b = sin(a)
    c = a + b
    f = a * c
    from_f, from_b, from_c = f.partials[0], 4.0 * b.partials[0], 4.0 * c.partials[0]
    assert f.operands == (a, c)
    assert (from_f, from_b, from_c) == (c.data, 4.0 * math.cos(4.0), 4.0)
    assert from_f + from_b + from_c == pytest.approx(4.628623021237624, rel=1e-15)


# -- 1.3: not symbolic differentiation -----------------------------------------------------------


def test_1_3_the_example_records_four_operations():
    assert recorded(lecture(Value(2.0))) == 4


def naive_sizes(steps):
    """Count the operations of lₙ₊₁ = 4·lₙ·(1 - lₙ) and of its derivative, nothing shared.

    (4 l (1 - l))′ = 4 l′ (1 - l) + 4 l (-l′), each l and l′ written out in full.
    """
    value, slope = 0, 0
    for _ in range(steps):
        value, slope = 2 * value + 3, 2 * value + 2 * slope + 7
    return value, slope


def test_1_3_the_logistic_map_records_thirty_operations():
    x = Value(0.3)
    y = x
    for _ in range(10):
        y = 4.0 * y * (1.0 - y)
    assert recorded(y) == 30
    assert naive_sizes(10) == (3_069, 31_743)
    y.backward()
    plain, slope = 0.3, 1.0
    for _ in range(10):
        plain, slope = 4.0 * plain * (1.0 - plain), 4.0 * slope * (1.0 - 2.0 * plain)
    assert y.data == pytest.approx(plain, rel=1e-12)
    assert x.grad == pytest.approx(slope, rel=1e-11)


# -- 1.4: control flow ---------------------------------------------------------------------------


def test_1_4_a_while_loop():
    def halved(x):
        while x > 1.0:
            x = x / 2.0
        return x * x

    assert value_and_grad(halved)(12.0) == (0.5625, 2.0 * 0.75 / 16.0)


def test_1_4_a_branch_on_equality():
    def f(x):
        return 1 if float(x) == 1 else x * x

    assert grad(f)(1.0) == 0.0  # the function's derivative is 2
    assert grad(f)(1.5) == 3.0
    assert f(1.0) == 1


# -- 1.5: reverse and forward --------------------------------------------------------------------


def test_1_5_both_modes_give_the_same_numbers():
    def many_to_one(p):
        return total([sin(x) * y for x, y in pairwise(p)])

    p = [0.1, 0.5, -0.3, 2.0, 1.2]
    reverse = grad(many_to_one)(p)
    forward = [jvp(many_to_one, (p,), ([float(i == j) for j in range(5)],))[1] for i in range(5)]
    assert forward == pytest.approx(reverse, rel=1e-15)

    def one_to_many(x):
        return [x**2, sin(x), x / 3.0]

    value, tangent = jvp(one_to_many, (2.0,), (1.0,))
    _, pull_back = vjp(one_to_many, 2.0)
    assert value == [4.0, math.sin(2.0), 2.0 / 3.0]
    units = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    assert [pull_back(unit)[0] for unit in units] == tangent == jacobian(one_to_many)(2.0)
    assert jvp(lecture, (2.0,), (1.0,)) == (12.972790018768286, 18.514492084950497)


# -- 1.7: points without a derivative ------------------------------------------------------------


def test_1_7_the_choices_are_those_of_pytorch():
    assert grad(relu)(0.0) == 0.0
    assert grad(abs)(0.0) == 0.0
    assert grad(maximum, argnums=(0, 1))(1.0, 1.0) == (0.5, 0.5)
    assert grad(minimum, argnums=(0, 1))(1.0, 1.0) == (0.5, 0.5)


def test_1_7_the_limits_of_a_subgradient():
    def identity(x):
        return relu(x) - relu(-x)

    assert grad(identity)(0.0) == 0.0  # where the derivative is 1
    assert grad(identity)(1e-300) == 1.0
    assert grad(identity)(-1e-300) == 1.0


# -- 1.8: smooth stand-ins -----------------------------------------------------------------------


def test_1_8_softmax_stands_in_for_argmax():
    scores = [1.0, 3.0, 2.0]
    for sharpness, tolerance in ((1.0, 0.4), (10.0, 1e-4), (100.0, 1e-43)):
        found = softmax([sharpness * s for s in scores])
        assert sum(found) == pytest.approx(1.0, rel=1e-15)
        assert 1.0 - found[1] <= tolerance
        assert found[0] <= tolerance
    e = [math.exp(s) for s in scores]
    assert softmax(scores) == pytest.approx([x / sum(e) for x in e], rel=1e-15)
    slopes = jacobian(lambda s: softmax(s))(scores)
    s = softmax(scores)
    for i in range(3):
        expected = [s[i] * ((i == j) - s[j]) for j in range(3)]
        assert slopes[i] == pytest.approx(expected, rel=1e-14)


def test_1_8_logsumexp_stands_in_for_max():
    scores = [1.0, 3.0, 2.0]
    assert logsumexp(scores) == pytest.approx(math.log(sum(map(math.exp, scores))), rel=1e-15)
    assert max(scores) <= logsumexp(scores) <= max(scores) + math.log(3.0)
    assert logsumexp([100.0 * s for s in scores]) / 100.0 == 3.0
    assert grad(logsumexp)(scores) == pytest.approx(softmax(scores), rel=1e-15)
    assert logsumexp([1000.0, 1000.0]) == 1000.0 + math.log(2.0)


def test_1_8_softplus_stands_in_for_relu():
    assert softplus(0.0) == math.log(2.0)
    for x in (-40.0, -2.0, 0.0, 2.0, 40.0):
        assert 0.0 <= softplus(x) - relu(x) <= math.log(2.0)
        assert grad(softplus)(x) == pytest.approx(1.0 / (1.0 + math.exp(-x)), rel=1e-15)
    assert grad(softplus)(0.0) == 0.5


# -- 1.10: requires_grad, no_grad, zero_grad -----------------------------------------------------


def test_1_10_requires_grad_no_grad_and_zero_grad():
    w, x = Value(0.5), Value(2.0, requires_grad=False)
    loss = (w * x - 3.0) ** 2
    loss.backward()
    assert (w.grad, x.grad) == (-8.0, 0.0)
    loss.backward()
    assert w.grad == -16.0  # gradients accumulate
    w.zero_grad()
    assert w.grad == 0.0
    with no_grad():
        w.data = w.data + 0.25
        hidden = w * x
    assert (hidden.data, hidden.requires_grad) == (1.5, False)
    with pytest.raises(RuntimeError, match="needs no gradient"):
        hidden.backward()


# -- 1.11: chain rule exercises ------------------------------------------------------------------


def test_1_11_a_power_of_a_linear_function():
    def h(theta):
        return (2.0 * theta + 1.0) ** 4

    assert value_and_grad(h)(0.5) == (16.0, 64.0)
    for theta in (-1.3, 0.0, 0.7):
        assert grad(h)(theta) == pytest.approx(8.0 * (2.0 * theta + 1.0) ** 3, rel=1e-15)
    assert hessian(h)(0.5) == 48.0 * 4.0


def test_1_11_the_vector_chain_rule():
    def u(theta):
        a, b = theta
        return [a * b, a + 2.0 * b, sin(a)]

    def outer(u):
        return u[0] ** 2 + u[1] * log(2.0 + u[2])

    theta = [0.6, -0.4]
    du = grad(outer)(u(theta))
    inner = jacobian(u)(theta)
    expected = [sum(du[j] * inner[j][i] for j in range(3)) for i in range(2)]
    assert grad(lambda theta: outer(u(theta)))(theta) == pytest.approx(expected, rel=1e-14)
