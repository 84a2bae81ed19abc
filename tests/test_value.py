"""What a Value is: its attributes, the numbers it takes, its operators, and what it refuses."""

import builtins
import math
from fractions import Fraction

import numpy as np
import pytest

from autograd_lite import (
    Primitive,
    SlipWarning,
    Value,
    Variadic,
    exp,
    grad,
    hessian,
    jvp,
    no_grad,
    sin,
    total,
)

# -- attributes ----------------------------------------------------------------------------------


def test_a_leaf_has_data_no_gradient_yet_and_no_operation():
    x = Value(2.5, label="x")
    assert (x.data, x.grad, x.label, x.op) == (2.5, 0.0, "x", "")
    assert (x.operands, x.partials, x.requires_grad, x.scope) == ((), (), True, "")
    assert (x._prev, x._op) == (set(), "")


def test_a_result_knows_operation_operands_in_order_and_partials():
    a, b = Value(6.0), Value(3.0)
    y = a / b
    assert y.op == y._op == "/"
    assert y.operands == (a, b)
    assert y.partials == (1.0 / 3.0, -2.0 / 3.0)
    assert y._prev == {a, b}


def test_duplicate_operands_are_kept():
    x = Value(3.0)
    y = x * x
    assert y.operands == (x, x)
    assert y.partials == (3.0, 3.0)
    assert total([x, x, x]).operands == (x, x, x)


def test_plain_numbers_are_not_among_the_operands():
    x = Value(4.0)
    for y, partial in [
        (x + 1.0, 1.0),
        (1.0 - x, -1.0),
        (2 * x, 2.0),
        (8.0 / x, -0.5),
        (x**2, 8.0),
        (2.0**x, 16.0 * math.log(2.0)),
        (total([1.0, x, 2.0]), 1.0),
    ]:
        assert y.operands == (x,)
        assert y.partials == pytest.approx((partial,), rel=1e-15)


def test_constants_made_by_requires_grad_false_are_operands_but_take_no_gradient():
    x, c = Value(3.0), Value(5.0, requires_grad=False)
    y = x * c
    assert y.operands == (x, c)
    assert len(y.partials) == 2
    y.backward()
    assert (x.grad, c.grad, c.requires_grad) == (5.0, 0.0, False)


def test_an_operation_of_constants_records_nothing():
    y = Value(2.0, requires_grad=False) * 3.0
    assert (y.data, y.op, y.operands, y.requires_grad) == (6.0, "", (), False)


@pytest.mark.parametrize("name", ["gard", "Data", "operand", "_foo", "__dict__"])
def test_an_unknown_attribute_raises_when_read_and_when_written(name):
    x = Value(1.0)
    with pytest.raises(AttributeError, match=name):
        getattr(x, name)
    with pytest.raises(AttributeError):
        setattr(x, name, 1.0)


@pytest.mark.parametrize("name", ["op", "operands", "partials", "scope"])
def test_what_was_recorded_cannot_be_assigned(name):
    y = Value(1.0) * 2.0
    with pytest.raises(AttributeError):
        setattr(y, name, ())


def test_data_can_be_assigned_and_what_was_recorded_stays():
    x = Value(3.0)
    y = x * x
    x.data = 10
    assert (x.data, type(x.data), y.data, y.partials) == (10.0, float, 9.0, (3.0, 3.0))
    with pytest.warns(SlipWarning, match="was changed after"):
        y.backward()
    assert x.grad == 6.0


def test_assigning_text_to_data_raises_and_leaves_everything_as_it_was():
    x = Value(3.0, label="x")
    y = x * x
    y.backward()
    with pytest.raises(TypeError, match="a number for data, got str: 'text'; convert text first"):
        x.data = "text"
    assert (x.data, x.grad, x.label) == (3.0, 6.0, "x")
    y.backward(create_graph=True)  # data counts as unchanged
    assert x.grad.data == 12.0


def test_grad_can_be_written():
    x = Value(3.0)
    x.grad = 5
    assert (x.grad, type(x.grad)) == (5.0, float)
    (2.0 * x).backward()
    assert x.grad == 7.0
    x.grad -= 1.5
    assert x.grad == 5.5
    x.grad = None
    assert x.grad == 0.0


def test_assigning_nonsense_to_grad_raises_and_leaves_it():
    x = Value(3.0)
    x.grad = 5.0
    with pytest.raises(TypeError, match="a number or Value for grad, got list"):
        x.grad = [1.0]
    assert x.grad == 5.0


def test_a_constant_takes_no_gradient():
    c = Value(3.0, requires_grad=False)
    with pytest.raises(ValueError, match="requires_grad=False"):
        c.grad = 1.0
    c.grad = 0.0  # as zeroing loops do
    assert c.grad == 0.0


def test_a_label_can_be_changed_and_is_text():
    x = Value(1.0)
    x.label = "weight"
    assert x.label == "weight"
    with pytest.raises(TypeError, match="a label is text, got int: 3"):
        x.label = 3
    with pytest.raises(TypeError, match="a label is text"):
        Value(1.0, 2.0)
    assert x.label == "weight"


def test_requires_grad_is_true_or_false():
    with pytest.raises(TypeError, match=r"^requires_grad expected True or False, got str: 'no'$"):
        Value(1.0, requires_grad="no")
    x = Value(1.0)
    with pytest.raises(TypeError, match=r"^requires_grad expected True or False, got int: 0$"):
        x.requires_grad = 0
    assert x.requires_grad is True


def test_requires_grad_can_be_changed_on_leaves_only():
    x = Value(3.0)
    x.requires_grad = False
    assert (x * 2.0).requires_grad is False
    x.requires_grad = True
    y = x * 2.0
    y.backward()
    assert x.grad == 2.0
    with pytest.raises(RuntimeError, match=r"on leaves only.*result of '\*'"):
        y.requires_grad = False
    assert y.requires_grad is True


def test_freezing_a_leaf_after_recording_stops_its_gradient():
    x, w = Value(3.0), Value(2.0)
    y = x * w
    w.requires_grad = False
    y.backward()
    assert (x.grad, w.grad) == (2.0, 0.0)


def test_detach_stops_gradients_and_copies_the_number():
    x = Value(3.0)
    y = x * x.detach()
    y.backward()
    assert (y.data, x.grad) == (9.0, 3.0)
    assert (x.detach().requires_grad, x.detach().op) == (False, "")
    assert x.detach() is not x


def test_item_is_a_plain_float():
    assert type(Value(True).item()) is float
    assert Value(2).item() == 2.0


# -- numbers in ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (3, 3.0),
        (True, 1.0),
        (False, 0.0),
        (Fraction(1, 3), 1.0 / 3.0),
        (np.float64(0.1), 0.1),
        (np.float32(0.1), 0.10000000149011612),
        (np.float16(0.5), 0.5),
        (np.int64(-7), -7.0),
        (np.uint8(200), 200.0),
        (np.bool_(True), 1.0),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        (Fraction(-(10**400), 3), -math.inf),
        (2**53 + 1, 9007199254740992.0),
        (math.inf, math.inf),
    ],
)
def test_every_kind_of_real_number_is_taken(given, expected):
    x = Value(given)
    assert (x.data, type(x.data)) == (expected, float)
    y = Value(0.0)
    y.data = given
    assert (y.data, type(y.data)) == (expected, float)
    assert (Value(0.0) + given).data == expected
    assert (given + Value(0.0)).data == expected
    assert type((Value(1.0) * given).data) is float


TEACHING = [
    ("3.0", "str: '3.0'; convert text first, as in Value\\(float\\(text\\)\\)"),
    (b"3", "bytes: b'3'; convert text first"),
    ([1.0], "list: \\[1.0\\]; make one Value per element"),
    ((1.0, 2.0), "tuple: \\(1.0, 2.0\\); make one Value per element"),
    (1j, "complex: 1j; autograd_lite differentiates real numbers: use z.real and z.imag"),
    (np.array([1.0, 2.0]), "ndarray: array.*; make one Value per element"),
    (np.array(1.0), "ndarray: array\\(1\\.0?\\); take the number out with \\.item\\(\\)"),
    (None, "NoneType: None"),
    ({}, "dict: {}"),
]


@pytest.mark.parametrize(("given", "message"), TEACHING)
def test_what_is_not_a_number_is_refused_with_advice(given, message):
    with pytest.raises(TypeError, match=f"expected a number, got {message}"):
        Value(given)
    with pytest.raises(TypeError, match=f"expected a number or Value for '\\*', got {message}"):
        Value(1.0) * given
    with pytest.raises(TypeError, match=f"expected a number or Value for '\\*\\*', got {message}"):
        Value(2.0) ** given


@pytest.mark.parametrize(("given", "message"), [t for t in TEACHING if not hasattr(t[0], "shape")])
def test_reflected_operators_refuse_the_same(given, message):
    if isinstance(given, str | bytes):
        with pytest.raises(TypeError):
            given % Value(1.0)  # formatting, str's own
    with pytest.raises(TypeError, match=message):
        given - Value(1.0)


def test_a_value_of_a_value_is_refused():
    with pytest.raises(TypeError, match="expected a number, got Value"):
        Value(Value(1.0))
    x = Value(2.0)
    with pytest.raises(TypeError, match="a number for data, got Value"):
        x.data = Value(3.0)
    assert x.data == 2.0


def test_a_long_wrong_argument_is_shortened_in_the_message():
    with pytest.raises(TypeError) as caught:
        Value("1" * 1000)
    assert len(str(caught.value)) < 130


def test_other_types_decide_for_themselves():
    class Length:
        def __rmul__(self, other):
            return ("length", other.data)

    assert Value(2.0) * Length() == ("length", 2.0)
    with pytest.raises(TypeError, match="unsupported operand"):
        Value(2.0) * object()


# -- comparison and conversion -------------------------------------------------------------------


def test_ordering_compares_data():
    a, b = Value(1.0), Value(2.0)
    assert a < b
    assert a <= b
    assert b > a
    assert b >= a
    assert not a > b
    assert a < 1.5 < b
    assert 0 < a <= 1
    assert a <= Value(1.0) <= a
    assert Value(1.0) < np.float64(2.0)


def test_comparison_with_nan_is_false():
    nan = Value(math.nan)
    assert not nan < 1.0
    assert not nan >= 1.0
    assert not nan <= nan


def test_comparison_with_text_raises():
    with pytest.raises(TypeError, match="not supported between"):
        Value(1.0) < "2"  # noqa: B015


def test_equality_and_hash_are_identity():
    a, b = Value(1.0), Value(1.0)
    assert a == a
    assert a != b
    with pytest.warns(SlipWarning, match=r"compared with a number by == or !="):
        assert a != 1.0
    assert len({a, b, a}) == 2
    assert {a: "first", b: "second"}[b] == "second"


def test_bool_is_data_unequal_zero():
    assert Value(0.5)
    assert Value(math.nan)
    assert not Value(0.0)
    assert not Value(-0.0)


def test_conversions():
    v = Value(-2.567)
    assert float(v) == -2.567
    assert int(v) == -2
    assert round(v) == -3
    assert type(round(v)) is int
    assert round(v, 1) == -2.6
    assert builtins.abs(v).data == 2.567
    assert builtins.abs(v).partials == (-1.0,)
    assert math.isclose(v, -2.567)
    assert math.floor(v) == -3
    assert math.sqrt(Value(4.0)) == 2.0


def test_formatting():
    v = Value(2.0 / 3.0)
    assert format(v, ".3f") == "0.667"
    assert f"{v:>8.2f}" == "    0.67"
    assert f"{v}" == str(v) == repr(v) == "Value(data=0.6666666666666666, grad=0.0)"
    assert "%.3f" % v == "0.667"  # noqa: UP031


def test_repr_shows_label_gradient_and_constancy():
    x = Value(3.0, label="x")
    (x * x).backward()
    assert repr(x) == "Value(data=3.0, grad=6.0, label='x')"
    assert repr(Value(1, requires_grad=False)) == "Value(data=1.0, grad=0.0, requires_grad=False)"
    x.zero_grad()
    (x * x).backward(create_graph=True)
    assert repr(x) == "Value(data=3.0, grad=6.0, label='x')"


def test_the_builtins_sum_max_min_and_sorted():
    a, b, c = Value(3.0), Value(1.0), Value(2.0)
    s = sum([a, b, c])
    assert s.data == 6.0
    s.backward()
    assert (a.grad, b.grad, c.grad) == (1.0, 1.0, 1.0)
    assert max([a, b, c]) is a
    assert min(a, b, c) is b
    assert sorted([a, b, c]) == [b, c, a]
    assert max(1.5, b) == 1.5
    assert math.fsum([a, b, c]) == 6.0


# -- operators -----------------------------------------------------------------------------------

BINARY = [
    ("+", lambda a, b: a + b, 1.0, 1.0),
    ("-", lambda a, b: a - b, 1.0, -1.0),
    ("*", lambda a, b: a * b, 2.5, 7.0),
    ("/", lambda a, b: a / b, 0.4, -1.12),
    ("**", lambda a, b: a**b, 2.5 * 7.0**1.5, 7.0**2.5 * math.log(7.0)),
    ("%", lambda a, b: a % b, 1.0, -2.0),
]


@pytest.mark.parametrize(("name", "operator", "da", "db"), BINARY, ids=[b[0] for b in BINARY])
def test_an_operator_takes_values_and_numbers_on_either_side(name, operator, da, db):
    expected = operator(7.0, 2.5)
    a, b = Value(7.0), Value(2.5)
    both, left, right = operator(a, b), operator(a, 2.5), operator(7.0, b)
    assert (both.data, left.data, right.data) == (expected,) * 3
    assert (both.op, left.op, right.op) == (name,) * 3
    assert (both.operands, left.operands, right.operands) == ((a, b), (a,), (b,))
    assert both.partials == pytest.approx((da, db), rel=1e-15)
    assert left.partials == pytest.approx((da,), rel=1e-15)
    assert right.partials == pytest.approx((db,), rel=1e-15)


@pytest.mark.parametrize(("name", "operator", "da", "db"), BINARY, ids=[b[0] for b in BINARY])
def test_an_operator_takes_ints_bools_and_numpy_scalars(name, operator, da, db):
    for three in (3, np.float64(3), np.float32(3), np.int64(3), Fraction(3), np.uint8(3)):
        assert operator(Value(7.0), three).data == operator(7.0, 3.0)
        assert operator(three, Value(7.0)).data == operator(3.0, 7.0)
        assert isinstance(operator(three, Value(7.0)), Value)
    assert operator(Value(7.0), True).data == operator(7.0, 1.0)


def test_augmented_assignment_makes_a_new_value():
    x = Value(2.0)
    y = x
    y += 1.0
    y *= x
    assert (x.data, y.data) == (2.0, 6.0)
    y.backward()
    assert x.grad == 5.0


def test_unary_operators():
    x = Value(-2.0)
    assert (-x).data == 2.0
    assert (-x).partials == (-1.0,)
    assert (+x).data == -2.0
    assert abs(x).data == 2.0
    assert abs(Value(0.0)).partials == (0.0,)


def test_a_power_with_a_constant_exponent_never_touches_the_logarithm():
    x = Value(-3.0)
    y = x**2.0
    y.backward()
    assert (y.data, x.grad) == (9.0, -6.0)


def test_a_power_with_a_modulus_is_refused():
    with pytest.raises(TypeError):
        pow(Value(2.0), 3, 5)


def test_division_by_zero_gives_ieee_results():
    x = Value(1.0)
    assert (x / 0.0).data == math.inf
    assert (x / 0).data == math.inf
    assert (-1.0 / Value(0.0)).data == -math.inf
    assert math.isnan((Value(0.0) / Value(0.0)).data)


# -- NumPy ---------------------------------------------------------------------------------------


def test_numpy_scalars_from_the_left():
    v = Value(3.0)
    y = np.float64(2) * v
    assert isinstance(y, Value)
    assert (y.data, y.operands, y.partials) == (6.0, (v,), (2.0,))
    assert (np.int64(-1) * v).data == -3.0
    assert (np.float32(1) / v).partials == (-1.0 / 3.0 / 3.0,)


def test_object_arrays_of_values():
    m = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    x = np.array([Value(0.5), Value(-1.0)])
    y = np.tanh(m @ x + 1.0)
    loss = (np.exp(y) * 2.0).sum()
    loss.backward()
    z = [0.5 - 2.0 + 1.0, 1.5 - 4.0 + 1.0]
    slopes = [2.0 * math.exp(math.tanh(u)) * (1.0 - math.tanh(u) ** 2) for u in z]
    assert [w.grad for w in m.ravel()] == pytest.approx(
        [slopes[0] * 0.5, -slopes[0], slopes[1] * 0.5, -slopes[1]], rel=1e-14
    )
    assert x[0].grad == pytest.approx(slopes[0] * 1.0 + slopes[1] * 3.0, rel=1e-14)


def test_a_value_times_an_object_array_is_elementwise_from_both_sides():
    v, xs = Value(2.0), np.array([Value(1.0), Value(3.0)])
    assert [y.data for y in v * xs] == [2.0, 6.0]
    assert [y.data for y in xs * v] == [2.0, 6.0]
    assert [y.data for y in v - xs] == [1.0, -1.0]
    assert [y.data for y in v**xs] == [2.0, 8.0]


def test_a_value_times_an_array_of_floats_is_refused():
    with pytest.raises(TypeError, match="make one Value per element"):
        Value(2.0) * np.array([1.0, 2.0])


# -- operations of one's own ---------------------------------------------------------------------

cube = Primitive("cube", lambda x: x * x * x, [lambda x, y: 3.0 * x * x])
quotient_of_squares = Primitive(
    "quotient_of_squares",
    lambda a, b: a * a / (b * b),
    [lambda a, b, y: 2.0 * a / (b * b), lambda a, b, y: -2.0 * y / b],
)
sum_of_squares = Variadic(
    "sum_of_squares",
    lambda xs: sum(x * x for x in xs),
    lambda xs, y: [2.0 * x for x in xs],
)
muladd = Primitive(
    "muladd",
    lambda a, b, c: a * b + c,
    [lambda a, b, c, y: b, lambda a, b, c, y: a, lambda a, b, c, y: 1.0],
)


def test_a_primitive_of_ones_own_is_recorded_and_differentiated():
    x = Value(2.0)
    y = cube(x)
    assert (y.data, y.op, y.operands, y.partials) == (8.0, "cube", (x,), (12.0,))
    y.backward()
    assert x.grad == 12.0
    assert cube(2) == 8.0
    assert type(cube(2)) is float


def test_a_primitive_of_ones_own_has_forward_and_higher_derivatives():
    assert jvp(cube, (2.0,), (10.0,)) == (8.0, 120.0)
    assert [f(2.0) for f in (grad(cube), grad(grad(cube)), grad(grad(grad(cube))))] == [12, 12, 6]
    assert hessian(lambda p: quotient_of_squares(*p))([3.0, 2.0]) == [[0.5, -1.5], [-1.5, 3.375]]


def test_a_variadic_primitive_of_ones_own():
    xs = [Value(1.0), Value(-2.0)]
    y = sum_of_squares([*xs, 3.0])
    assert (y.data, y.operands, y.partials) == (14.0, tuple(xs), (2.0, -4.0))
    y.backward()
    assert [x.grad for x in xs] == [2.0, -4.0]
    assert sum_of_squares([1, 2]) == 5.0
    assert hessian(sum_of_squares)([1.0, -2.0]) == [[2.0, 0.0], [0.0, 2.0]]
    assert jvp(sum_of_squares, ([1.0, -2.0],), ([1.0, 1.0],)) == (5.0, -2.0)


def test_a_primitive_with_three_operands():
    a, c = Value(2.0), Value(5.0)
    y = muladd(a, 3.0, c)
    assert (y.data, y.operands, y.partials) == (11.0, (a, c), (3.0, 1.0))
    assert hessian(lambda p: muladd(*p))([2.0, 3.0, 5.0]) == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_a_primitive_called_with_the_wrong_number_of_operands():
    with pytest.raises(TypeError, match="cube expected 1 operand, got 2"):
        cube(Value(1.0), 2.0)
    with pytest.raises(ValueError, match="sum_of_squares expected at least 1 operand, got 0"):
        sum_of_squares([])
    with pytest.raises(TypeError, match="sum_of_squares expected a list"):
        sum_of_squares(Value(1.0))


def test_a_primitive_needs_partials():
    with pytest.raises(ValueError, match="'nothing' needs one partial per operand"):
        Primitive("nothing", lambda: 0.0, [])


def test_a_formula_that_raises_leaves_gradients_and_graph_alone():
    def broken(x, y):
        raise LookupError("no derivative today")

    odd = Primitive("odd", lambda x: x * x, [broken])
    x = Value(3.0)
    (x * x).backward()
    with pytest.raises(LookupError, match="no derivative today"):
        odd(x)
    assert (x.data, x.grad) == (3.0, 6.0)
    with no_grad():
        assert odd(x).data == 9.0  # needs no derivative
    (x * x).backward()
    assert x.grad == 12.0


def test_functions_take_numbers_and_give_floats():
    assert sin(1) == math.sin(1.0)
    assert type(exp(Fraction(1, 2))) is float
    assert type(exp(np.float32(1))) is float
    with pytest.raises(TypeError, match="convert text first"):
        sin("1")


def test_a_primitive_is_checked_when_it_is_made():
    with pytest.raises(TypeError, match="a primitive's name is text, got int: 3"):
        Primitive(3, abs, [abs])
    for value, partials in ((3, [abs]), (abs, abs), (abs, [3])):
        with pytest.raises(TypeError, match="primitive 'a' expected a function for its value"):
            Primitive("a", value, partials)
    table = {1.0: 2.0}
    looked_up = Primitive("looked_up", lambda x: table[x], [lambda x, y: 1.0], doc="From a table.")
    assert looked_up(1.0) == 2.0
    assert looked_up.__doc__.startswith("From a table.\n\nlooked_up(x)")


def test_a_variadic_is_checked_when_it_is_made():
    with pytest.raises(TypeError, match="a primitive's name is text, got int: 3"):
        Variadic(3, sum, sum)
    for value, partials in ((3, sum), (sum, [sum])):
        with pytest.raises(TypeError, match="primitive 'a' expected a function for its value and"):
            Variadic("a", value, partials)


def test_a_variadic_needs_one_partial_per_operand():
    wrong = Variadic("three", lambda xs: xs[0] + xs[1], lambda xs, y: [1.0, 1.0])
    with pytest.raises(ValueError, match="the partials of 'three' are 2 for 3 operands"):
        wrong([Value(1.0), 2.0, 3.0])


def test_a_label_that_is_no_text_is_refused_even_if_it_is_false():
    with pytest.raises(TypeError, match="a label is text, got int: 0"):
        Value(1.0, label=0)
