"""`check_gradients` finds what is wrong, names it, and raises no false alarm."""

import math
import random

import pytest
from hypothesis import HealthCheck, given, settings

import autograd_lite as ag
import nn
from autograd_lite import Primitive, Value, Variadic, cos, exp, sin
from autograd_lite.primitives import TABLE
from autograd_lite.testing import DerivativeError, check_gradients, expressions, whole_checks

SHARE = settings.default.max_examples / 200  # 1 in the test command, 50 in the nightly run


def in_the_middle(primitive):
    """Return a function that uses a primitive between two others."""
    return lambda x: exp(0.1 * primitive(sin(x) + 2.0))


# -- what it must reject -------------------------------------------------------------------------

WRONG = {
    "wrong sign": ("s", math.sin, lambda x, y: -cos(x)),
    "off by 0.09 %": ("s", math.sin, lambda x, y: 1.0009 * cos(x)),
    "off by 1e-6": ("s", math.sin, lambda x, y: (1.0 + 1e-6) * cos(x)),
    "off by 1e-10": ("s", math.sin, lambda x, y: (1.0 + 1e-10) * cos(x)),
    "zero where the slope is 1e-6": ("z", lambda x: 1.0 + 1e-6 * x, lambda x, y: 0.0),
    "zero where the slope is 1e-9": ("z", lambda x: 1e-9 * x, lambda x, y: 0.0),
    "another function's": ("t", math.tanh, lambda x, y: 1.0 if x > 0.0 else 0.0),
    "a constant in the place of a variable": ("c", lambda x: x**3, lambda x, y: 12.0),
    "NaN": ("n", lambda x: x * x, lambda x, y: math.nan),
    "infinite": ("n", lambda x: x * x, lambda x, y: math.inf),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_partial_is_found_and_the_operation_named(kind):
    name, value, partial = WRONG[kind]
    with pytest.raises(DerivativeError) as caught:
        check_gradients(in_the_middle(Primitive(name, value, [partial])), 0.7)
    error = caught.value
    assert (error.operation, error.position, error.order, error.mode) == (name, 3, 1, "")
    assert str(error).startswith(f"operation 3 of 5, {name}(2.64422): the partial with respect to")
    assert error.expected == pytest.approx(
        (value(2.6442176872376912 + 1e-5) - value(2.6442176872376912 - 1e-5)) / 2e-5, rel=1e-4
    )


@pytest.mark.parametrize("x", [-0.05, -0.5, -3.0, -7.0, -1e3, -1e9])
@pytest.mark.parametrize("partial", [1.0, 1e-6])
def test_a_gradient_where_the_function_is_0_all_around_is_found(x, partial):
    relu = Primitive("my_relu", lambda x: max(x, 0.0), [lambda x, y: partial])
    with pytest.raises(DerivativeError, match="my_relu"):
        check_gradients(relu, x)


def test_the_message_has_what_was_expected_its_error_and_what_came():
    cube = Primitive("cube", lambda x: x * x * x, [lambda x, y: 2.0 * x * x])
    with pytest.raises(AssertionError) as caught:
        check_gradients(lambda x: sin(x) * cube(x), 2.0)
    message = str(caught.value)
    assert message.startswith(
        "operation 2 of 3, cube(2): the partial with respect to operand 0 is wrong: expected 12 ± "
    )
    assert message.endswith(", got 8")
    assert (caught.value.got, caught.value.error < 1e-11) == (8.0, True)


def test_the_first_of_two_wrong_operations_is_named():
    first = Primitive("first", lambda x: x * x, [lambda x, y: x])
    second = Primitive("second", lambda x: x * x, [lambda x, y: x])
    with pytest.raises(DerivativeError, match="operation 1 of 2, first"):
        check_gradients(lambda x: second(first(x)), 1.5)


def test_the_wrong_operand_of_several_is_named():
    weighted = Primitive(
        "weighted",
        lambda a, b, c: a * b + c,
        [lambda a, b, c, y: b, lambda a, b, c, y: b, lambda a, b, c, y: 1.0],
    )
    with pytest.raises(DerivativeError, match="with respect to operand 1 is wrong: expected 2 ±"):
        check_gradients(weighted, 2.0, 3.0, 4.0)


@pytest.mark.parametrize("x", [1e11, 1e-300, -1e-12, 1e150])
def test_a_zero_gradient_is_found_at_any_magnitude(x):
    line = Primitive("line", lambda x: 1e-9 * x, [lambda x, y: 0.0])
    with pytest.raises(DerivativeError, match=r"line.*expected 1e-09 ± .*, got 0$"):
        check_gradients(line, x)


@pytest.mark.parametrize("x", [1e-31, -1e-31, 1e-40, 1e-100, -1e-200])
@pytest.mark.parametrize(
    ("value", "partial", "expected"),
    [
        (math.sin, -5.0, 1.0),
        (math.sin, 0.5, 1.0),
        (lambda x: 3.0 * x, 2.999, 3.0),
        (math.exp, 1.001, 1.0),
        (math.tanh, -1.0, 1.0),
        (math.cos, -5.0, 0.0),
    ],
)
def test_a_wrong_partial_is_found_beside_0(value, partial, expected, x):
    with pytest.raises(DerivativeError) as caught:
        check_gradients(Primitive("p", value, [lambda x, y: partial]), x, order=1)
    assert (caught.value.operation, caught.value.expected) == ("p", pytest.approx(expected))


def test_a_wrong_partial_is_found_where_it_should_be_tiny_itself():
    square = Primitive("p", lambda x: x * x, [lambda x, y: 1000.0 * x])
    with pytest.raises(DerivativeError, match=r"expected 2e-100 ± .*, got 1e-97"):
        check_gradients(square, 1e-100, order=1)


@pytest.mark.parametrize(
    ("partial", "message"),
    [
        (lambda x, y: None, "^bad: its partial is no number: TypeError: .*NoneType"),
        (lambda x, y: [1.0], "^bad: its partial is no number: TypeError: .*list"),
        (lambda x, y: "a", "^bad: its partial is no number: ValueError: .*'a'"),
        (lambda x, y: {}[x], "^bad: its partial is no number: KeyError: 1"),
    ],
)
def test_a_partial_that_is_no_number_is_found_and_the_operation_named(partial, message):
    with pytest.raises(DerivativeError, match=message) as caught:
        check_gradients(Primitive("bad", math.sin, [partial]), 1.0)
    assert caught.value.operation == "bad"


def test_partials_that_are_too_few_are_found_and_the_operation_named():
    few = Variadic("few", sum, lambda xs, y: [1.0])
    with pytest.raises(DerivativeError, match=r"^few: its partial is no number: .* are 1 for 2"):
        check_gradients(lambda p: few(p), [1.0, 2.0])


def test_what_the_function_raises_itself_comes_with_the_point():
    with pytest.raises(IndexError) as caught:
        check_gradients(lambda p: p[0] * p[1], [2.5])
    assert caught.value.__notes__ == ["check_gradients called the function at [2.5]"]


@pytest.mark.parametrize(
    ("partial", "message"),
    [
        (lambda x, y: 3.0 * getattr(x, "data", x) ** 2, r"order 2 .* expected 7\.8 ± .*, got 0$"),
        (
            lambda x, y: 3.0 * float(x) ** 2,
            "cannot be differentiated .* of order 2: a formula turn",
        ),
        (lambda x, y: 3.0 * math.pow(x, 2), "cannot be differentiated for a derivative of order 2"),
    ],
)
def test_a_partial_that_is_right_as_a_number_only_is_found_at_the_second_order(partial, message):
    cube = Primitive("cube", lambda x: x * x * x, [partial])
    check_gradients(cube, 1.3, order=1)
    with pytest.raises(DerivativeError, match=message) as caught:
        check_gradients(cube, 1.3)
    assert (caught.value.operation, caught.value.order) == ("cube", 2)


def test_a_wrong_third_derivative_is_found_at_the_third_order():
    inner = Primitive(
        "inner",
        lambda x: 4.0 * x**3,
        [lambda x, y: 12.0 * ag.Value.detach(x) ** 2 if isinstance(x, Value) else 12.0 * x * x],
    )
    quartic = Primitive("quartic", lambda x: x**4, [lambda x, y: inner(x)])
    check_gradients(quartic, 1.3)
    with pytest.raises(DerivativeError, match=r"quartic.*order 3.*got 0$"):
        check_gradients(quartic, 1.3, order=3)


@pytest.mark.parametrize("count", [3, 40])
def test_wrong_partials_of_many_operands_are_found(count):
    def partials(operands, y):
        return [(1.0 if i == count - 2 else 2.0) * x for i, x in enumerate(operands)]

    squares = Variadic("squares", lambda xs: sum(x * x for x in xs), partials)
    with pytest.raises(DerivativeError, match="operation 1 of 1, squares"):
        check_gradients(squares, [0.1 * (i + 1) for i in range(count)])


def test_wrong_second_derivatives_of_many_operands_are_found():
    squares = Variadic(
        "squares",
        lambda xs: sum(x * x for x in xs),
        lambda xs, y: [2.0 * getattr(x, "data", x) for x in xs],
    )
    check_gradients(squares, [1.0, 2.0, 3.0], order=1)
    with pytest.raises(DerivativeError, match=r"squares.*order 2 along directions"):
        check_gradients(squares, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_a_sweep_that_is_wrong_is_told_from_wrong_operations(monkeypatch, mode):
    name = "adjoints" if mode == "reverse" else "tangents"
    right = getattr(whole_checks, name)

    def wrong(*arguments, **options):
        return [1.0009 * x for x in right(*arguments, **options)]

    monkeypatch.setattr(whole_checks, name, wrong)
    with pytest.raises(DerivativeError, match=f"by itself is right, but the {mode} sweep is wrong"):
        check_gradients(lambda x: x * sin(x), 0.7, order=1)
    other = {"reverse": "forward", "forward": "reverse"}[mode]
    check_gradients(lambda x: x * sin(x), 0.7, order=1, modes=[other])


@pytest.mark.parametrize(
    ("f", "told"),
    [
        (lambda x: x.data**2 + 0.5 * x, "not all"),
        (lambda x: x * float(x), "not all"),
        (lambda x: Value(math.sin(x)), "nothing"),
        (lambda x: math.sin(x), "nothing"),
    ],
)
def test_a_function_that_turns_values_into_floats_is_explained(f, told):
    with pytest.raises(
        DerivativeError, match=f"turned a Value into a plain float .* so that {told} of"
    ):
        check_gradients(f, 1.5)


@pytest.mark.usefixtures("looked_up")
def test_a_wrong_second_derivative_is_found_at_0_beside_a_larger_input():
    """Steps that the 1 hardly feels have no value; the larger ones tell."""
    with pytest.raises(DerivativeError, match="derivative of order 2") as caught:
        check_gradients(lambda x, z: z**3 + z * z - 2.0 * z.data * z, 1.0, 0.0)
    assert abs(caught.value.expected) < 1e-9 < abs(caught.value.got)


def test_one_input_among_many_that_is_lost_is_named():
    with pytest.raises(
        DerivativeError, match=r"with respect to argument 0\[17\] is 2.7, differences.* give 5.4 ±"
    ):
        check_gradients(
            lambda p: ag.dot(p, [*p[:17], p[17].data, *p[18:]]),
            [0.1 * i + 1.0 for i in range(40)],
        )


# -- what it must accept -------------------------------------------------------------------------


def drawn_operand(drawn, low, high):
    while True:
        kind = drawn.random()
        if kind < 0.5:
            x = drawn.uniform(-3.0, 3.0)
        elif kind < 0.9:
            exponent = drawn.uniform(-8, 8) if kind < 0.7 else drawn.uniform(-300, 300)
            x = math.copysign(10**exponent, drawn.random() - 0.5)
        else:
            x = drawn.choice((1e11, 1e-300, -1e11, 1e-9, 0.0, -0.0, 100.0, -1.0, 2.0))
        if low < x < high:
            return x


@pytest.mark.parametrize("name", TABLE)
def test_no_primitive_of_the_table_raises_a_false_alarm(name):
    primitive = TABLE[name]
    drawn = random.Random(name)
    for _ in range(max(1, int(4 * SHARE))):
        if isinstance(primitive, Variadic):
            count = 2 * drawn.randint(1, 3) if name == "dot" else drawn.randint(1, 5)
            numbers = [drawn_operand(drawn, -math.inf, math.inf) for _ in range(count)]
            numbers += [2.0] * (name == "var")
            f = lambda *operands: primitive(list(operands))  # noqa: E731
        else:
            numbers = [drawn_operand(drawn, *interval) for interval in primitive.domain]
            f = primitive
        if math.isfinite(f(*numbers)):
            check_gradients(f, *numbers)


@settings(
    max_examples=int(0.2 * settings.default.max_examples),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(expressions(max_inputs=3, max_operations=8))
def test_no_random_program_raises_a_false_alarm(program):
    check_gradients(program, list(program.inputs))


@pytest.mark.parametrize("n", [1, 40])
def test_a_number_beside_0_raises_no_false_alarm(n):
    """A step that the 0 feels and the 1 does not would give derivatives along another direction."""
    found = check_gradients(lambda x, y: sum(a * ag.log(y) for a in x), [0.0] * n, 1.0)
    assert f"{n + 1} inputs" in str(found)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, z: z**3,
        lambda x, z: z * z * z,
        lambda x, z: z**4,
        lambda x, z: z**5,
        lambda x, z: x * z**3,
        lambda x, z: z**6 * x,
        lambda x, z: sin(z) ** 3 * x,
        lambda x, z: (x - 1.0) * z**3,
        lambda x, z: (x - 1.0) ** 2 * z * z,
        lambda x, z: 0.0 * z * x,
        lambda x, z: exp(-1.0 / (z + 0.01) ** 2) * x,
    ],
)
@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.usefixtures("looked_up")
def test_a_check_ends_where_a_function_is_flat_at_0_beside_a_larger_input(f, order):
    calls = []
    check_gradients(lambda x, z: calls.append(0) or f(x, z), 1.0, 0.0, order=order)
    assert len(calls) < 2000


@pytest.mark.parametrize("x", [-9.839421337893097e-12, 1e-13])
def test_a_function_that_rounding_makes_0_all_around_raises_no_false_alarm(x):
    check_gradients(lambda x: (x + 1e6) - 1e6, x)


def test_the_report_counts_and_prints():
    report = check_gradients(lambda x, y: [sin(x * y), x + y], 2.0, 3.0, order=3)
    assert (report.inputs, report.outputs, report.operations, report.order) == (2, 2, 3, 3)
    assert report.notes == ()
    assert str(report).endswith(
        f"{report.compared} derivatives of order up to 3 agree with differences: 3 operations,"
        " 2 inputs, 2 outputs, reverse and forward mode"
    )


def test_points_may_be_nested_lists():
    report = check_gradients(lambda p, q: p[0] * p[1][0] + q * p[1][1], [1.0, [2.0, 3.0]], 4.0)
    assert report.inputs == 4


def test_a_constant_has_the_gradient_0():
    assert check_gradients(lambda x: 3.0, 1.5).operations == 0
    assert check_gradients(lambda x, y: y * y, 1.5, 2.0).inputs == 2


def test_modules_are_checked_in_their_parameters_which_come_back_unchanged():
    model = nn.MLP(2, [3, 1])
    before = [(p.data, p.grad) for p in model.parameters()]
    report = check_gradients(lambda model, x: model(x), model, [0.3, -0.4])
    assert report.inputs == len(before) + 2
    assert [(p.data, p.grad) for p in model.parameters()] == before


def test_gradients_of_a_module_can_be_added_to_after_a_check():
    """A parameter that was moved and put back has its gradient for the data it has."""
    model = nn.Linear(2, 1)
    model([1.0, 2.0])[0].backward()
    once = [p.grad for p in model.parameters()]
    check_gradients(lambda model: model([0.5, -1.0]), model)
    model([1.0, 2.0])[0].backward()  # a warning of mixed gradients would be an error here
    assert [p.grad for p in model.parameters()] == [2.0 * g for g in once]


def test_a_gradient_that_belonged_to_older_data_still_does_after_a_check():
    model = nn.Linear(1, 1)
    model([1.0])[0].backward()
    for parameter in model.parameters():
        parameter.data += 0.5
    check_gradients(lambda model: model([2.0]), model)
    with pytest.warns(ag.SlipWarning, match="gradient"):
        model([1.0])[0].backward()


def test_parameters_come_back_when_the_function_raises():
    model = nn.Linear(2, 1)
    before = [p.data for p in model.parameters()]

    def fragile(model):
        if [p.data for p in model.parameters()] != before:
            raise KeyError("moved")
        return model([1.0, 2.0])

    with pytest.raises(KeyError):
        check_gradients(fragile, model)
    assert [p.data for p in model.parameters()] == before


def test_the_gradients_of_the_users_own_values_are_left_alone():
    x, other = Value(2.0), Value(3.0)
    (x * other).backward()
    check_gradients(lambda a: a * other, x)
    assert (x.grad, other.grad, x.data) == (3.0, 2.0, 2.0)


@pytest.mark.parametrize("subgradient", [-1.0, -0.3, 0.0, 1.0])
def test_at_a_kink_any_subgradient_is_right(subgradient):
    distance = Primitive(
        "distance",
        abs,
        [lambda x, y: 1.0 if x > 0.0 else -1.0 if x < 0.0 else subgradient],
        kinks=[0.0],
    )
    report = check_gradients(lambda x: distance(x) + x, 0.0)
    assert report.notes[0].startswith(
        f"operation 1 of 2, distance(0): at a kink; the partial with respect to operand 0 is"
        f" {subgradient:g}, a number between -1 and 1, the derivatives from the left and"
    )


def test_at_a_kink_what_is_no_subgradient_is_wrong():
    distance = Primitive("distance", abs, [lambda x, y: 1.1])
    with pytest.raises(DerivativeError, match=r"expected a number between -1 and 1, .* got 1\.1$"):
        check_gradients(distance, 0.0)


@pytest.mark.parametrize("got", [0.0, 1.0])
def test_a_jump_is_noted(got):
    steps = Primitive("steps", math.floor, [lambda x, y: got])
    report = check_gradients(steps, 2.0, order=1)
    assert report.notes[0] == (
        "operation 1 of 1, steps(2): at a jump, with no derivative; the partial with respect to"
        f" operand 0 is {got:g}"
    )


def test_a_jump_of_the_function_as_a_whole_is_noted():
    report = check_gradients(lambda x: 3.0 * x if x > 1.0 else x, 1.0, order=1)
    assert "jumps at this point" in report.notes[0]


def test_a_derivative_of_the_branch_taken_is_noted_at_a_kink():
    report = check_gradients(lambda x: ag.relu(x) - ag.relu(-x), 0.0, order=1)
    assert "differences of the function give 1 ± " in report.notes[-1]
    assert report.notes[-1].endswith("it is that of the branch taken at a kink")


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "point", "options", "kind", "message"),
    [
        (3, (1.0,), {}, TypeError, "expected a function, got int: 3"),
        (sin, (), {}, ValueError, "needs a point: one argument per argument of the function"),
        (lambda p: p, ([],), {}, ValueError, "expected numbers in the point, got none"),
        (sin, (math.nan,), {}, ValueError, r"finite numbers in the point, got nan \(argument 0\)"),
        (sum, ([1.0, math.inf],), {}, ValueError, r"got inf \(argument 0\[1\]\)"),
        (sin, ("a",), {}, TypeError, "the point to be made of numbers, lists and modules, got str"),
        (
            lambda x, y: x,
            (1.0,),
            {},
            TypeError,
            r"a point of 1 argument, but the function takes \(x, y\): missing a required argument",
        ),
        (
            lambda x: x,
            (1.0, 2.0),
            {},
            TypeError,
            r"a point of 2 arguments, but the function takes \(x\): too many positional arguments",
        ),
        (lambda x: None, (1.0,), {}, TypeError, "to return a Value, a number or a list.*NoneType"),
        (lambda x: "x", (1.0,), {}, TypeError, "to return a Value, a number or a list .* got str"),
        (lambda x: [], (1.0,), {}, TypeError, "expected the function to return numbers, got none"),
        (ag.log, (0.0,), {}, ValueError, "a finite value of the function, got -inf at this point"),
        (
            lambda x, drawn=random.Random(1): x * drawn.random(),  # noqa: B008  # once is meant
            (1.0,),
            {},
            ValueError,
            r"the same each time; this one gave \[.*\] and then \[.*\]: fix its random numbers",
        ),
        (sin, (1.0,), {"order": 4}, ValueError, "an order of 1, 2 or 3, got 4"),
        (sin, (1.0,), {"order": 1.5}, ValueError, "an order of 1, 2 or 3, got 1.5"),
        (sin, (1.0,), {"modes": ()}, ValueError, r"among 'reverse' and 'forward', got \(\)"),
        (sin, (1.0,), {"modes": "up"}, ValueError, "among 'reverse' and 'forward', got 'up'"),
    ],
)
def test_what_cannot_be_checked_is_refused(f, point, options, kind, message):
    with pytest.raises(kind, match=message):
        check_gradients(f, *point, **options)
