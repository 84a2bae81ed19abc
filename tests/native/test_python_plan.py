"""The plan in plain Python: the eager engine's numbers, to the last bit where there is one lane."""

from __future__ import annotations

import math
import random

import pytest
from eager_numbers import bits, value_and_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Primitive, Value, lanes
from autograd_lite.native.python.plan import PythonPlan
from autograd_lite.native.tape import Guard
from autograd_lite.native.tracing.recording import record
from autograd_lite.testing import expressions


def spread(program):
    """Return a program as a function of its inputs one by one."""
    return lambda *inputs: program(list(inputs))


def plan_of(function, point, **options):
    tape = record(function, point)
    wanted = frozenset(range(len(point)))
    return PythonPlan(tape, wanted=wanted, **options)


@settings(max_examples=60, deadline=None)
@given(expressions(smooth=False))
def test_random_programs_give_the_bits_of_the_eager_engine(program):
    function = spread(program)
    if not isinstance(function(*map(Value, program.inputs)), Value):
        return
    value, gradient = value_and_gradient(function, program.inputs)
    plan = plan_of(function, program.inputs)
    found = plan.evaluate([[x] for x in program.inputs], 1, seed=1.0)
    assert found.failed is None
    assert bits(found.outputs[0][0]) == bits(value)
    assert bits([found.gradients[i][0] for i in range(len(gradient))]) == bits(gradient)


@settings(max_examples=30, deadline=None)
@given(expressions(smooth=False, min_inputs=2), st.integers(0, 2**32))
def test_every_lane_is_as_if_it_were_alone(program, seed):
    function = spread(program)
    point = list(program.inputs)
    if not isinstance(function(*map(Value, point)), Value):
        return
    source = random.Random(seed)
    edges = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e308)
    rows = [point, *([source.choice(edges) for _ in point] for _ in range(4))]
    varying = set(range(1, len(point)))
    plan = plan_of(function, point, varying=varying)
    given_ = [[point[0]]] + [[[row[i]] for row in rows] for i in range(1, len(point))]
    found = plan.evaluate(given_, len(rows), seed=1.0)
    for lane, row in enumerate(rows):
        held = [point[0], *row[1:]]
        if found.failed is not None and found.failed[lane] < len(plan.tape.guards):
            continue
        value, gradient = value_and_gradient(function, held)
        assert bits(found.outputs[0][lane]) == bits(value)
        if found.failed is None:
            got = [found.gradients[i][lane][0] for i in range(1, len(point))]
            assert bits(got) == bits(gradient[1:])


def test_what_does_not_vary_has_the_sum_over_lanes_as_its_gradient():
    plan = plan_of(lambda a, x: a * a * x, (2.0, 3.0), varying={1})
    found = plan.evaluate([[2.0], [[3.0], [5.0]]], 2, seed=1.0)
    assert found.outputs == [[12.0, 20.0]]
    assert found.gradients == {0: [4.0 * 3.0 + 4.0 * 5.0], 1: [[4.0], [4.0]]}


def test_without_a_seed_there_is_no_backward():
    found = plan_of(lambda x: x * x, (3.0,)).evaluate([[3.0]], 1)
    assert found.outputs == [[9.0]]
    assert found.gradients == {}


def test_any_output_can_be_differentiated():
    plan = plan_of(lambda x: [x * x, [x.exp(), x]], (0.0,))
    found = [plan.evaluate([[0.0]], 1, seed=2.0, output=i).gradients[0] for i in range(3)]
    assert found == [[0.0], [2.0], [2.0]]


@pytest.mark.parametrize(
    ("function", "x", "value", "slope"),
    [
        (lambda x: 1.0 / x, 0.0, math.inf, -math.inf),
        (lambda x: x**0.5, -8.0, math.nan, math.nan),
        (lambda x: abs(x**0.5), -8.0, math.nan, math.nan),
        (lambda x: ag.sin(x), math.inf, math.nan, math.nan),
        (lambda x: ag.exp(x), 1000.0, math.inf, math.inf),
        (lambda x: x % 0.0, 1.0, math.nan, 1.0),
        (lambda x: ag.logsumexp([x, 1.0 / x]), 0.0, math.inf, math.nan),
    ],
)
def test_where_python_raises_or_turns_complex_ieee_goes_on(function, x, value, slope):
    found = plan_of(function, (1.0,)).evaluate([[x]], 1, seed=1.0)
    assert bits(found.outputs[0][0]) == bits(value)
    assert bits(found.gradients[0][0]) == bits(slope)
    assert bits(value_and_gradient(function, [x])) == bits((value, [slope]))


def test_constants_may_divide_by_zero():
    function = lambda x: x * (Value(1.0, requires_grad=False) / 0.0)  # noqa: E731
    plan = plan_of(function, (2.0,), varying={0})
    assert plan.evaluate([[[2.0], [-2.0]]], 2).outputs == [[math.inf, -math.inf]]


# -- parameters, values closed over ----------------------------------------------------------------


def test_gradients_of_parameters_are_added_up():
    w, unused = Value(2.0), Value(1.0)
    w.grad = 10.0
    tape = record(lambda x: w * w * x, (3.0,), parameters=[w, unused])
    plan = PythonPlan(tape, varying={0}, parameters=[w, unused])
    found = plan.evaluate([[[3.0], [5.0]]], 2, seed=0.5)
    assert found.outputs == [[12.0, 20.0]]
    assert w.grad == 10.0 + 0.5 * (4.0 * 3.0 + 4.0 * 5.0)
    assert not unused.reached
    w.data = 1.0
    assert plan.evaluate([[[3.0], [5.0]]], 2).outputs == [[3.0, 5.0]]


def test_a_parameter_that_needs_no_gradient_gets_none():
    w = Value(2.0)
    plan = PythonPlan(record(lambda x: w * x, (3.0,), parameters=[w]), parameters=[w])
    w.requires_grad = False
    plan.evaluate([[3.0]], 1, seed=1.0)
    assert w.grad == 0.0
    assert not w.reached


def test_parameters_may_be_bound():
    from autograd_lite.native.parameters.binding import bind

    w = Value(2.0)
    binding = bind([w])
    tape = record(lambda x: w * x, (3.0,), parameters=[w])
    plan = PythonPlan(tape, parameters=binding.values)
    plan.evaluate([[3.0]], 1, seed=1.0)
    assert w.grad == 3.0
    assert w.reached


def test_values_closed_over_are_read_at_every_call():
    scale = Value(2.0)
    plan = plan_of(lambda x: scale * x, (3.0,))
    assert plan.evaluate([[3.0]], 1).outputs == [[6.0]]
    scale.data = 5.0
    assert plan.evaluate([[3.0]], 1).outputs == [[15.0]]
    assert scale.grad == 0.0


# -- guards ----------------------------------------------------------------------------------------


def sided(x, y):
    z = x * y
    return z * z if z > 1.0 else (z.exp() if x >= 0.0 else z)


def test_guards_name_the_first_that_fails_in_each_lane():
    plan = plan_of(sided, (1.0, 0.5), varying={0})
    assert [guard.test for guard in plan.tape.guards] == [">", ">="]
    found = plan.evaluate([[[1.0], [4.0], [-1.0]], [0.5]], 3, seed=1.0)
    assert found.failed == [2, 0, 1]
    assert found.gradients == {}
    assert found.outputs[0][0] == math.exp(0.5)


def test_a_failing_guard_at_a_point_adds_no_gradient():
    w = Value(1.0)
    plan = PythonPlan(
        record(lambda x: w * x if x > 0.0 else w, (1.0,), parameters=[w]), parameters=[w]
    )
    assert plan.evaluate([[-1.0]], 1, seed=1.0).failed == [0]
    assert not w.reached
    assert plan.evaluate([[2.0]], 1, seed=1.0).failed is None
    assert w.grad == 2.0


def test_a_guard_of_nan_is_answered_as_eager_answers_it():
    plan = plan_of(lambda x: x * x if x > 0.0 else x, (-1.0,), varying={0})
    assert plan.evaluate([[[-1.0], [math.nan]]], 2).failed is None
    assert plan.evaluate([[[1.0], [math.nan]]], 2).failed == [0, 1]


def test_truth_and_index_are_guards_too():
    tape = record(lambda x, i: [x * 2.0, x * 3.0][i] if x else x, (1.0, 1))
    assert {guard.test for guard in tape.guards} == {"truth", "index"}
    plan = PythonPlan(tape, varying={0, 1})
    order = [guard.test for guard in tape.guards]
    found = plan.evaluate([[[1.0], [0.0], [1.0]], [[1], [1], [0]]], 3)
    assert found.failed == [2, order.index("truth"), order.index("index")]


def test_guards_come_in_the_order_in_which_they_were_asked():
    tape = record(lambda x: x, (1.0,))
    guards = (Guard("<", 0, 0, False), Guard("truth", 0, 0, True))
    late = tape._replace(guards=guards)
    assert PythonPlan(late, varying={0}).evaluate([[[0.0]]], 1).failed == [1]


# -- what is about lanes ---------------------------------------------------------------------------


def test_a_pick_is_by_the_label_of_its_lane():
    tape = record(lambda x, i: lanes.pick([x, x * x, 3.0 * x], i), (2.0, 0))
    plan = PythonPlan(tape, varying={0, 1}, wanted={0})
    found = plan.evaluate([[[2.0], [2.0], [5.0]], [[0], [1], [2]]], 3, seed=1.0)
    assert found.outputs == [[2.0, 4.0, 15.0]]
    assert found.gradients[0] == [[1.0], [4.0], [3.0]]
    assert plan.evaluate([[[2.0]], [[1]]], 1, seed=1.0).gradients[0] == [[4.0]]


def test_batch_statistics_flow_back_to_all_lanes():
    def normal(x):
        return (x - lanes.mean(x)) / (lanes.variance(x) + 1e-5) ** 0.5 * x

    numbers = [0.5, -1.0, 2.0, 4.0]
    plan = PythonPlan(record(normal, (0.5,)), varying={0}, wanted={0})
    found = plan.evaluate([[[x] for x in numbers]], 4, seed=1.0)

    values = [Value(x) for x in numbers]
    mean = ag.mean(values)
    variance = ag.mean([(x - mean) * (x - mean) for x in values])
    outputs = [(x - mean) / (variance + 1e-5) ** 0.5 * x for x in values]
    ag.total(outputs).backward()
    assert found.outputs[0] == pytest.approx([y.data for y in outputs], rel=1e-14)
    gradient = [row[0] for row in found.gradients[0]]
    assert gradient == pytest.approx([x.grad for x in values], rel=1e-12)


def test_the_gradient_of_a_statistic_of_something_uniform_is_not_counted_twice():
    w = Value(3.0)
    tape = record(lambda x: lanes.mean(w * w) * x, (1.0,), parameters=[w])
    plan = PythonPlan(tape, varying={0}, parameters=[w])
    assert plan.evaluate([[[1.0], [2.0]]], 2, seed=1.0).outputs == [[9.0, 18.0]]
    assert w.grad == 6.0 * 1.0 + 6.0 * 2.0


def test_draws_are_made_at_every_call_and_for_every_lane():
    made = []

    def draw(count, size):
        made.append((count, size))
        return [[float(10 * len(made) + lane)] * size for lane in range(count)]

    plan = PythonPlan(record(lambda x: x * lanes.fresh(1, draw)[0], (1.0,)), varying={0})
    made.clear()
    assert plan.evaluate([[[1.0], [1.0]]], 2).outputs == [[10.0, 11.0]]
    assert plan.evaluate([[[1.0]]], 1).outputs == [[20.0]]
    assert made == [(2, 1), (1, 1)]


def test_effects_see_the_numbers_of_every_call_that_holds():
    seen = []

    def function(x):
        lanes.after(seen.append, lanes.mean(x))
        return x * x if x > 0.0 else x

    plan = PythonPlan(record(function, (1.0,)), varying={0})
    seen.clear()
    plan.evaluate([[[1.0], [3.0]]], 2)
    plan.evaluate([[[5.0]]], 1)
    plan.evaluate([[[-5.0]]], 1)
    assert seen == [2.0, 5.0]


def test_primitives_of_your_own_run_in_lanes():
    cube = Primitive("cube", lambda x: x * x * x, [lambda x, y: 3.0 * x * x])
    plan = plan_of(lambda x: cube(x) + ag.sin(x), (2.0,), varying={0})
    found = plan.evaluate([[[2.0], [math.inf]]], 2, seed=1.0)
    assert bits(found.outputs[0]) == bits([8.0 + math.sin(2.0), math.nan])
    assert bits(found.gradients[0][0]) == bits([12.0 + math.cos(2.0)])


# -- long recordings -------------------------------------------------------------------------------


def chain(x, y, count):
    for i in range(count):
        x = x * y if i % 3 else (x + y).sin()
    return x


def test_a_long_recording_gives_the_same_bits():
    function = lambda x, y: chain(x, y, 2500)  # noqa: E731
    plan = plan_of(function, (0.5, 0.75))
    found = plan.evaluate([[0.5], [0.75]], 1, seed=1.0)
    value, gradient = value_and_gradient(function, (0.5, 0.75))
    assert bits(found.outputs[0][0]) == bits(value)
    assert bits([found.gradients[0][0], found.gradients[1][0]]) == bits(gradient)
    rows = plan_of(function, (0.5, 0.75), varying={0}).evaluate([[[0.5]] * 2, [0.75]], 2, seed=1.0)
    assert bits(rows.outputs[0]) == bits([value] * 2)
    assert bits(rows.gradients[0]) == bits([[gradient[0]]] * 2)
