"""Derivatives of Python functions: shapes, nesting, confusion, control flow, errors."""

import math

import numpy as np
import pytest

from autograd_lite import (
    Value,
    dot,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    no_grad,
    sin,
    tanh,
    total,
    value_and_grad,
    vjp,
)
from autograd_lite.modes import runtime


def f(x):
    return x * sin(x)


def rosenbrock(p):
    x, y = p
    return (1.0 - x) ** 2 + 100.0 * (y - x**2) ** 2


# -- grad and value_and_grad ---------------------------------------------------------------------


def test_grad_of_a_scalar_function():
    found = grad(f)(2.0)
    assert found == pytest.approx(math.sin(2.0) + 2.0 * math.cos(2.0), rel=1e-15)
    assert type(found) is float


@pytest.mark.parametrize("two", [2, 2.0, True + 1, np.float64(2), np.float32(2), np.int64(2)])
def test_plain_numbers_of_every_kind_give_plain_floats(two):
    value, derivative = value_and_grad(lambda x: x**3)(two)
    assert (value, derivative) == (8.0, 12.0)
    assert type(value) is type(derivative) is float


def test_values_in_values_out():
    x = Value(2.0)
    value, derivative = value_and_grad(lambda x: x**3)(x)
    assert (value.data, derivative.data) == (8.0, 12.0)
    derivative.backward()
    assert x.grad == 12.0  # 6x
    value.backward()
    assert x.grad == 24.0


@pytest.mark.parametrize("g", [lambda x: 3.0 * x, lambda x: 5.0, lambda x: x])
def test_values_in_values_out_when_the_derivative_is_a_constant(g):
    x = Value(2.0)
    value, derivative = value_and_grad(g)(x)
    assert isinstance(value, Value)
    assert isinstance(derivative, Value)
    assert isinstance(jvp(g, (x,), (1.0,))[1], Value)
    assert isinstance(hessian(g)(x), Value)
    assert hessian(g)(x).data == 0.0


def test_argnums():
    def g(x, y, z=1.0):
        return x * y**2 * z

    assert grad(g)(2.0, 3.0) == 9.0
    assert grad(g, argnums=1)(2.0, 3.0) == 12.0
    assert grad(g, argnums=-1)(2.0, 3.0) == 12.0
    assert grad(g, argnums=(1, 0))(2.0, 3.0) == (12.0, 9.0)
    assert grad(g, argnums=(0,))(2.0, 3.0) == (9.0,)
    assert value_and_grad(g, argnums=(0, 1))(2.0, 3.0) == (18.0, (9.0, 12.0))
    assert grad(g, (0, 2))(2.0, 3.0, 5.0) == (45.0, 18.0)
    assert grad(g)(2.0, 3.0, z=5.0) == 45.0


def test_lists_tuples_and_arrays_keep_their_shape():
    def g(p):
        return p[0][0] * p[0][1] + p[1][0] ** 2

    assert grad(g)([[2.0, 3.0], [4.0]]) == [[3.0, 2.0], [8.0]]
    assert grad(g)(([2.0, 3.0], (4.0,))) == ([3.0, 2.0], (8.0,))
    assert grad(lambda p: dot(p, p))(np.array([1.0, 2.0])) == [2.0, 4.0]
    assert grad(lambda w: total([w[i][i] ** 2 for i in range(2)]))(np.eye(2)) == [[2, 0], [0, 2]]
    assert grad(lambda p: 1.0)([]) == []


def test_arguments_that_are_not_differentiated_are_passed_on_untouched():
    def g(x, text, mapping):
        return x * len(text) * mapping["k"]

    assert grad(g)(2.0, "abc", {"k": 5.0}) == 15.0


def test_numpy_code_inside_the_function():
    w = [[1.0, 2.0], [3.0, 4.0]]
    found = grad(lambda w: np.tanh(np.array(w) @ np.array([0.1, -0.2])).sum())(w)
    slopes = [1.0 - math.tanh(-0.3) ** 2, 1.0 - math.tanh(-0.5) ** 2]
    assert np.array(found) == pytest.approx(np.outer(slopes, [0.1, -0.2]), rel=1e-14)


def test_an_unused_argument_has_derivative_zero():
    assert grad(lambda x, y: y * 2.0)(3.0, 4.0) == 0.0
    assert grad(lambda x: 7)(3.0) == 0.0
    assert grad(lambda p: p[0])([1.0, 2.0]) == [1.0, 0.0]


# -- jacobian, hessian, products -----------------------------------------------------------------


def test_jacobian_with_more_outputs_and_with_more_inputs():
    tall = jacobian(lambda p: [p[0], p[0] * p[1], p[1] ** 2, 5.0])
    assert tall([2.0, 3.0]) == [[1.0, 0.0], [3.0, 2.0], [0.0, 6.0], [0.0, 0.0]]
    wide = jacobian(lambda p: [dot(p, p), p[0]])
    assert wide([1.0, 2.0, 3.0]) == [[2.0, 4.0, 6.0], [1.0, 0.0, 0.0]]


def test_jacobian_forward_and_backward_agree():
    def g(p):
        return [sin(p[0] * p[1]), exp(p[0]) / p[1], tanh(p[0] - p[1])]

    p = [0.7, 1.3]
    forward = jacobian(g)(p)  # three outputs, two inputs: by columns
    backward = [grad(lambda p, i=i: g(p)[i])(p) for i in range(3)]
    for row, expected in zip(forward, backward, strict=True):
        assert row == pytest.approx(expected, rel=1e-15)


def test_jacobian_shapes():
    assert jacobian(lambda x: x**2)(3.0) == 6.0
    assert jacobian(lambda x: [x, [x**2, x**3]])(2.0) == [1.0, [4.0, 12.0]]
    assert jacobian(lambda w: [w[0][1] * 2.0])([[1.0, 2.0]]) == [[[0.0, 2.0]]]
    assert jacobian(lambda x, y: [x * y, x], argnums=(0, 1))(2.0, 3.0) == ([3.0, 1.0], [2.0, 0.0])
    assert jacobian(lambda p: [])([1.0]) == []
    assert jacobian(lambda p: [1.0])([]) == [[]]
    assert jacobian(lambda p: np.array(p) * 2.0)([1.0, 2.0]) == [[2.0, 0.0], [0.0, 2.0]]


def test_hessian():
    assert hessian(rosenbrock)([1.0, 1.0]) == [[802.0, -400.0], [-400.0, 200.0]]
    assert hessian(lambda x: x**4)(2.0) == 48.0
    assert hessian(lambda p: 3.0)([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert hessian(lambda p: p[0] + 2.0 * p[1])([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert hessian(lambda x, p: x * p[0] * p[1], argnums=1)(2.0, [3.0, 5.0]) == [[0, 2], [2, 0]]
    nested = hessian(lambda w: w[0][0] * w[1][0])([[2.0], [3.0]])
    assert nested == [[[[0.0], [1.0]]], [[[1.0], [0.0]]]]


def test_hessians_are_symmetric_to_the_last_bit():
    def g(p):
        a, b, c = p
        return tanh(a * b) / (1.1 + sin(b - c)) + exp(c * a) * log(2.0 + a * a + b) ** 1.7

    h = hessian(g)([0.3, 0.7, -0.4])
    for i in range(3):
        for j in range(3):
            assert h[i][j] == h[j][i]
            entry = jvp(
                lambda p, i=i: grad(g)(p)[i], ([0.3, 0.7, -0.4],), ([j == k for k in range(3)],)
            )
            assert h[i][j] == pytest.approx(entry[1], rel=1e-13)


def test_second_derivatives_of_a_power_where_the_exponent_is_zero():
    # ∂²/∂a∂b of a^b at b = 0 is 1/a; ∂²/∂b² is (log a)²
    def power(p):
        return p[0] ** p[1]

    expected = [[0.0, 0.5], [0.5, math.log(2.0) ** 2]]
    assert hessian(power)([2.0, 0.0]) == expected
    assert hvp(power, ([2.0, 0.0],), ([0.0, 1.0],)) == expected[1]
    assert hvp(power, ([2.0, 0.0],), ([1.0, 0.0],)) == expected[0]
    assert grad(power)([0.0, 0.0]) == [0.0, 0.0]


def test_hvp_is_the_hessian_times_a_vector():
    p, v = [0.3, 0.7], [1.5, -2.0]
    h = hessian(rosenbrock)(p)
    expected = [sum(h[i][j] * v[j] for j in range(2)) for i in range(2)]
    assert hvp(rosenbrock, (p,), (v,)) == pytest.approx(expected, rel=1e-14)
    assert hvp(lambda x, y: x * x * y, (2.0, 3.0), (1.0, 0.0)) == (6.0, 4.0)


def test_jvp_and_vjp_are_transposes():
    def g(x, p):
        return [x * p[0], p[0] / p[1], sin(x)]

    primals, tangents, cotangent = (0.5, [2.0, 4.0]), (1.0, [0.5, -1.0]), [1.0, -2.0, 3.0]
    value, pull_back = vjp(g, *primals)
    same_value, along = jvp(g, primals, tangents)
    assert value == same_value == [1.0, 0.5, math.sin(0.5)]
    dx, dp = pull_back(cotangent)
    left = sum(c * a for c, a in zip(cotangent, along, strict=True))
    right = dx * tangents[0] + sum(d * t for d, t in zip(dp, tangents[1], strict=True))
    assert left == pytest.approx(right, rel=1e-14)
    assert pull_back([0.0, 1.0, 0.0]) == (0.0, [0.25, -0.125])  # again and again


def test_jvp_of_a_function_with_one_input_and_many_outputs_in_one_go():
    value, tangent = jvp(lambda x: [x**2, [x**3, 1.0]], (2.0,), (10.0,))
    assert (value, tangent) == ([4.0, [8.0, 1.0]], [40.0, [120.0, 0.0]])


def test_jvp_with_values_as_tangents_can_be_differentiated_by_them():
    t = Value(2.0)
    _, tangent = jvp(lambda x: x**3, (3.0,), (t,))
    tangent.backward()
    assert (tangent.data, t.grad) == (54.0, 27.0)


# -- nesting -------------------------------------------------------------------------------------


def test_third_derivatives():
    assert grad(grad(grad(lambda x: x**4)))(2.0) == 48.0
    assert grad(grad(grad(tanh)))(0.0) == -2.0
    assert grad(grad(grad(lambda x: 3.0 * x)))(2.0) == 0.0
    found = grad(grad(grad(grad(sin))))(0.7)
    assert found == pytest.approx(math.sin(0.7), rel=1e-15)
    assert type(found) is float


def test_every_transform_inside_every_other():
    def cube(x):
        return x * x * x

    inner = {
        "grad": grad(cube),
        "value_and_grad": lambda x: value_and_grad(cube)(x)[1],
        "jvp": lambda x: jvp(cube, (x,), (1.0,))[1],
        "vjp": lambda x: vjp(cube, x)[1](1.0)[0],
        "jacobian": jacobian(cube),
    }
    for first in inner.values():
        assert first(2.0) == 12.0
        assert grad(first)(2.0) == 12.0
        assert value_and_grad(first)(2.0) == (12.0, 12.0)
        assert jvp(first, (2.0,), (10.0,)) == (12.0, 120.0)
        assert vjp(first, 2.0)[1](10.0) == (120.0,)
        assert jacobian(lambda x, g=first: [g(x), x])(2.0) == [12.0, 1.0]
        assert hessian(first)(2.0) == 6.0
        assert hvp(first, (2.0,), (10.0,)) == 60.0
    assert grad(hessian(cube))(2.0) == 6.0
    assert grad(lambda x: hvp(cube, (x,), (1.0,)))(2.0) == 6.0
    assert grad(lambda x: value_and_grad(cube)(x)[0])(2.0) == 12.0


def test_perturbations_are_not_confused():
    # d/dx (x · d/dy (x + y)) is 1; a confused system says 2
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert jvp(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,)) == (1.0, 1.0)
    assert jvp(lambda x: x * grad(lambda y: x + y)(1.0), (1.0,), (1.0,)) == (1.0, 1.0)
    assert grad(lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1])(1.0) == 1.0


def test_a_variable_of_the_outer_derivative_inside_the_inner_function():
    # d/dx (d/dy x y² at y = 3) = 6; d/dx (x · d/dy (x² y³)) = d/dx 3x³y²
    assert grad(lambda x: grad(lambda y: x * y * y)(3.0))(2.0) == 6.0
    assert grad(lambda x: x * grad(lambda y: x * x * y**3)(2.0))(5.0) == 900.0
    # and where the point of the inner derivative is the outer variable
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0  # 2x² → 4x
    assert grad(lambda x: value_and_grad(lambda y: y * x)(2.0)[0])(3.0) == 2.0


def test_three_levels_with_shared_variables():
    # ∂³/∂x∂y∂z of x² y³ z⁴ at (1, 2, 3): 2x · 3y² · 4z³
    found = grad(
        lambda x: grad(lambda y: grad(lambda z: x**2 * y**3 * z**4)(3.0))(2.0),
    )(1.0)
    assert found == 2.0 * 12.0 * 108.0


def test_a_curried_derivative_used_at_two_levels():
    # Siskind and Pearlmutter's shift operator: D(s)(h)(x) = h'(x + offset), applied twice
    def shifted(offset):
        return lambda h: lambda x: grad(lambda u: h(u + offset))(x)

    twice = grad(lambda o: shifted(o)(shifted(o)(sin))(1.0))(0.5)
    assert twice == pytest.approx(-2.0 * math.cos(2.0), rel=1e-14)


# -- ordinary Python inside ----------------------------------------------------------------------


def test_loops_and_branches():
    def collatz_like(x):
        steps = 0
        while x > 1.0:
            x = x / 2.0 if steps % 2 == 0 else x * 0.9 - 0.1
            steps += 1
        return x

    assert grad(collatz_like)(10.0) == 0.5 * 0.9 * 0.5 * 0.9 * 0.5

    def newton(a):
        root = a
        while abs(root * root - a) > 1e-12:
            root = 0.5 * (root + a / root)
        return root

    assert grad(newton)(2.0) == pytest.approx(0.5 / math.sqrt(2.0), rel=1e-9)


def test_the_derivative_is_that_of_the_branch_taken():
    def square(x):
        return 1 if x.data == 1 else x * x

    assert grad(square)(1.0) == 0.0  # where the function's derivative is 2
    assert grad(square)(3.0) == 6.0


def test_closures_over_parameters_leave_their_gradients_alone():
    w = Value(3.0)
    w.grad = 7.0
    g = grad(lambda x: w * x * x)
    assert g(2.0) == 12.0
    assert jacobian(lambda x: [w * x, w])(2.0) == [3.0, 0.0]
    assert jvp(lambda x: w * x, (2.0,), (1.0,)) == (6.0, 3.0)
    assert hessian(lambda x: w * x * x)(2.0) == 6.0
    assert w.grad == 7.0


def test_a_derivative_of_a_closure_is_differentiable_by_the_outer_function_only():
    w = Value(3.0)
    assert type(grad(lambda x: w * x * x)(2.0)) is float
    assert grad(lambda x: grad(lambda y: w * y * y * x)(2.0))(5.0) == 12.0
    assert w.grad == 0.0


def test_transforms_record_inside_no_grad():
    with no_grad():
        assert grad(lambda x: x**3)(2.0) == 12.0
        assert hessian(lambda x: x**3)(2.0) == 12.0
        assert jvp(lambda x: x**3, (2.0,), (1.0,)) == (8.0, 12.0)
        assert (Value(1.0) * 2.0).requires_grad is False

    def half_hidden(x):
        with no_grad():
            c = x * x
        return c * x

    assert grad(half_hidden)(3.0) == 9.0


def test_an_exception_inside_the_function_restores_everything():
    def broken(x):
        _ = x * x
        raise LookupError("inside")

    for transform in (grad, jacobian, hessian, value_and_grad):
        with pytest.raises(LookupError, match="inside"):
            transform(broken)(1.0)
    with pytest.raises(LookupError, match="inside"):
        grad(lambda x: grad(broken)(x))(1.0)
    assert runtime.special == 0
    w = Value(1.0)
    assert type(grad(lambda x: x * w)(2.0)) is float  # not taken for a nested one


def test_a_function_that_calls_backward_itself():
    def g(x):
        y = Value(2.0)
        (y * y).backward()
        return x * y.grad

    assert grad(g)(5.0) == 4.0


# -- errors --------------------------------------------------------------------------------------


def square(x):
    return x * x


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: grad(square, argnums=1)(2.0),
            TypeError,
            r"grad expected an argument number 1 \(argnums\), but .* with 1 positional argument",
        ),
        (lambda: grad(square, argnums=-2)(2.0), TypeError, "argument number -2"),
        (
            lambda: grad(square, argnums=0.0)(2.0),
            TypeError,
            "grad expected argnums to be an int or a tuple of ints, got 0.0",
        ),
        (lambda: grad(square, argnums="x")(2.0), TypeError, "int or a tuple of ints, got 'x'"),
        (
            lambda: grad(lambda x, y: x, argnums=(0, -2))(1.0, 2.0),
            ValueError,
            r"grad expected different argnums, got \(0, -2\)",
        ),
        (
            lambda: grad(square)("2"),
            TypeError,
            r"grad to be given numbers, lists or Values \(argument 0\), got str: '2'",
        ),
        (lambda: grad(square)([1.0, None]), TypeError, "got NoneType: None"),
        (
            lambda: grad(lambda x: [x, x])(2.0),
            TypeError,
            "grad needs a function that returns one number, this one returned a list of 2; "
            "use jacobian or vjp",
        ),
        (lambda: grad(lambda x: None)(2.0), TypeError, "get a number from the function, got None"),
        (lambda: grad(lambda x: "x")(2.0), TypeError, "from the function, got str: 'x'"),
        (lambda: hessian(lambda x: [x])(2.0), TypeError, "hessian needs a function that returns"),
        (
            lambda: jvp(square, (2.0,), ([1.0],)),
            ValueError,
            r"jvp expected tangent 0 to have the shape of its primal, number, got \[number\]",
        ),
        (lambda: jvp(square, (2.0,), (1.0, 2.0)), ValueError, "jvp expected 1 tangent, got 2"),
        (lambda: jvp(square, 2.0, 1.0), TypeError, "jvp expected a tuple of tangents.*got float"),
        (lambda: jvp(square, 2.0, (1.0,)), TypeError, "jvp expected a tuple of primals"),
        (lambda: hvp(square, 2.0, (1.0,)), TypeError, "hvp expected a tuple of primals"),
        (lambda: hvp(square, (2.0,), ("1",)), TypeError, "hvp to be given numbers.*got str"),
        (
            lambda: vjp(lambda x: [x, x], 2.0)[1]([1.0]),
            ValueError,
            r"cotangent of the shape of the value, \[number, number\], got \[number\]",
        ),
    ],
)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian])
def test_what_is_no_function_is_refused_when_it_is_given(transform):
    with pytest.raises(TypeError, match=f"^{transform.__name__} expected a function, got float: 3"):
        transform(3.0)
    with pytest.raises(TypeError, match=f"^{transform.__name__} expected argnums .* got 'x'"):
        transform(square, argnums="x")


@pytest.mark.parametrize(
    "call",
    [
        lambda f: jvp(f, (2.0,), (1.0,)),
        lambda f: vjp(f, 2.0),
        lambda f: hvp(f, (2.0,), (1.0,)),
    ],
)
def test_what_is_no_function_is_refused_with_its_point(call):
    with pytest.raises(TypeError, match=r"^[jhv]+p expected a function, got Value: Value\(data=4"):
        call(square(Value(2.0)))


def test_a_pullback_is_differentiable_in_its_cotangent():
    _, pull_back = vjp(lambda x: x**2, 3.0)
    assert grad(lambda c: pull_back(c)[0])(2.0) == 6.0
    assert jvp(lambda c: pull_back(c)[0], (2.0,), (1.0,)) == (12.0, 6.0)
    assert vjp(lambda c: pull_back(c)[0], 1.0)[1](1.0) == (6.0,)
    (pulled,) = pull_back(Value(2.0))
    assert isinstance(pulled, Value)
    assert pull_back(2.0) == (12.0,)


def test_hessian_blocks_for_several_arguments():
    def f(x, y):
        return x[0] * y[0] * y[1] + x[0] * x[0]

    assert hessian(f, argnums=(0, 1))([2.0], [3.0, 4.0]) == (
        ([[2.0]], [[4.0, 3.0]]),
        ([[4.0], [3.0]], [[0.0, 2.0], [2.0, 0.0]]),
    )
    assert hessian(lambda x, y: x * y, argnums=(1, 0))(2.0, 3.0) == ((0.0, 1.0), (1.0, 0.0))


def test_a_formula_that_loses_derivatives_is_refused_when_they_are_needed():
    from autograd_lite import Primitive, cos

    careless = Primitive("sine", math.sin, [lambda x, y: math.cos(x)])
    careful = Primitive("sine", math.sin, [lambda x, y: cos(x)])
    assert grad(careless)(1.0) == math.cos(1.0)
    with pytest.raises(TypeError, match="a formula turned a Value into a plain float"):
        grad(grad(careless))(1.0)
    assert grad(grad(careful))(1.0) == -math.sin(1.0)
    assert float(Value(2.0)) == 2.0  # and only then
