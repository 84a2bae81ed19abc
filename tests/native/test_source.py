"""Generated Python: readable, and the numbers of the eager engine when it runs."""

from __future__ import annotations

import re

import pytest
from eager_numbers import bits, value_and_gradient
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import Primitive, Value, Variadic, lanes
from autograd_lite.native.python.lane_numbers import Lanes
from autograd_lite.native.python.namespace import namespace
from autograd_lite.native.python.naming import Given
from autograd_lite.native.python.source import source_of
from autograd_lite.native.tracing.recording import record
from autograd_lite.primitives import TABLE
from autograd_lite.testing import expressions


def run(text, *arguments, tape=None):
    """Run a text; return the result and what backward gives."""
    names = namespace(tape)
    exec(text, names)
    result, saved = names["forward"](*arguments)
    return result, names["backward"](saved)


def body(text, name):
    """Return the lines of one function of a text, without its first."""
    found = re.search(rf"def {name}\(.*?\):\n(.*?)(?=\n\n\n|\Z)", text, re.DOTALL)
    return [line.strip() for line in found[1].strip().splitlines()]


def test_the_example_of_the_readme_reads_like_this():
    text = source_of(record(lambda x, y: (x * y).sin() + x**y, (2.0, 3.0)))
    assert body(text, "forward") == [
        "v1 = x * y",
        "v2 = sin(v1)",
        "v3 = x ** y",
        "v4 = v2 + v3",
        "return v4, (x, y, v1, v3)",
    ]
    assert body(text, "backward") == [
        "x, y, v1, v3 = saved",
        "# v4 = v2 + v3",
        "d_v2 = d_v4",
        "d_v3 = d_v4",
        "# v3 = x ** y",
        "d_x = d_v3 * power_da(x, y, v3)",
        "d_y = d_v3 * power_db(x, y, v3)",
        "# v2 = sin(v1)",
        "d_v1 = d_v2 * cos(v1)",
        "# v1 = x * y",
        "d_x = d_x + d_v1 * y",
        "d_y = d_y + d_v1 * x",
        "return d_x, d_y",
    ]
    assert "def backward(saved, d_v4=1.0):" in text


def test_a_neuron_has_the_names_of_its_parameters():
    w = [Value(0.5, "w0"), Value(-0.5, "w1")]
    b = Value(0.1, "b")

    def neuron(x):
        h = ag.tanh(ag.linear(x, [w], [b])[0])
        h.label = "h"
        return h

    text = source_of(record(neuron, ([1.0, 2.0],), parameters=[*w, b]), wanted=())
    assert body(text, "forward") == [
        "x_0, x_1 = x",
        "w0, w1, b = parameters",
        "v1 = b + w0 * x_0 + w1 * x_1",
        "h = tanh(v1)",
        "return h, (x_0, x_1, v1, h)",
    ]
    assert body(text, "backward")[1:] == [
        "# h = tanh(v1)",
        "d_v1 = d_h * tanh_dx(v1, h)",
        "# v1 = b + w0 * x_0 + w1 * x_1",
        "d_w0 = d_v1 * x_0",
        "d_w1 = d_v1 * x_1",
        "d_b = d_v1",
        "return [d_w0, d_w1, d_b]",
    ]


def test_signs_are_written_as_signs_and_constants_into_the_formulas():
    text = source_of(record(lambda x, y: -(x - y) - 3.0 * x + x**3 / 4.0, (2.0, 3.0)))
    lines = body(text, "backward")
    assert "d_x = d_v5 * (3.0 * x ** 2.0)" in lines
    assert "d_v5 = d_v6 * 0.25" in lines
    assert "d_v3 = -d_v4" not in lines or "d_v1 = -d_v2" in lines
    assert not [line for line in lines if "1.0 *" in line or "* 1.0" in line]


def test_what_no_gradient_needs_is_not_computed():
    def function(x, y):
        unused = x.exp() * y  # noqa: F841
        return x * x + y.detach() * 3.0

    text = source_of(record(function, (2.0, 3.0)), wanted=[0])
    assert "exp" not in text
    backward = body(text, "backward")
    assert not [line for line in backward if re.search(r"d_y|detach\(", line) and "#" not in line]
    assert backward[-1] == "return d_x"
    assert run(text, 2.0, 3.0) == (13.0, 4.0)


def test_operations_on_constants_are_numbers():
    text = source_of(record(lambda x: x * (Value(3.0, requires_grad=False) ** 2.0), (2.0,)))
    assert body(text, "forward") == ["v1 = x * 9.0", "return v1, ()"]
    assert body(text, "backward") == ["# v1 = x * 9.0", "d_x = d_v1 * 9.0", "return d_x"]


def test_negative_bases_are_in_brackets():
    text = source_of(record(lambda x: (-2.0) ** x + (-2.0) * x, (2.0,)))
    assert "v1 = (-2.0) ** x" in text
    assert run(text, 3.0)[0] == -14.0


def test_guards_are_expected():
    text = source_of(record(lambda x: x * x if x > 1.0 else x, (2.0,)))
    assert "    expect(x > 1.0, True)\n" in text
    assert run(text, 3.0) == (9.0, 6.0)
    with pytest.raises(RuntimeError, match="a comparison has another answer for these numbers"):
        run(text, 0.5)


def test_results_have_the_structure_that_the_function_gives_them():
    tape = record(lambda x: [x * x, (x.exp(), 2.0)], (0.0,))
    assert run(source_of(tape), 0.0) == ([0.0, (1.0, 2.0)], 0.0)
    assert run(source_of(tape, output=1), 0.0)[1] == 1.0
    assert run(source_of(tape, output=2), 0.0)[1] == 0.0


def test_arguments_can_be_named():
    tape = record(lambda x, y: x[0] * x[1] * y, ([1.0, 2.0], 3.0))
    text = source_of(tape, arguments=[Given("features", 2), Given("lambda")])
    assert "def forward(features, lambda_):" in text
    assert run(text, [3.0, 5.0], 7.0) == (105.0, ([35.0, 21.0], 15.0))


@pytest.mark.parametrize(
    "labels",
    [
        ("x", "x"),
        ("d_x", "x"),
        ("saved", "forward"),
        ("sin", "sin_dx"),
        ("v1", "v2"),
        ("2", "if"),
        ("parameters", "p_v1"),
        ("ﬁ", "fi"),
        ("a b", "a-b"),
        ("", "日本"),
        ("match", "inf"),
    ],
)
def test_names_never_collide(labels):
    a, b = (Value(x, label) for x, label in zip((0.5, 0.75), labels, strict=True))

    def function(x):
        v = (a * b).sin() * ag.softmax([a, x])[0]
        v.label = labels[0]
        return v * b

    text = source_of(record(function, (0.25,), parameters=[a, b]))
    result, (d_x, (d_a, d_b)) = run(text, 0.25, [0.5, 0.75])
    x = Value(0.25)
    y = function(x)
    y.backward()
    assert bits([result, d_x, d_a, d_b]) == bits([y.data, x.grad, a.grad, b.grad])


def test_primitives_of_your_own_are_called_by_their_names():
    cube = Primitive("cube", lambda x: x * x * x, [lambda x, y: 3.0 * x * x])
    other = Primitive("cube", lambda x: x * x * x + 1.0, [lambda x, y: 3.0 * x * x])
    squares = Variadic("sin", lambda xs: sum(x * x for x in xs), lambda xs, y: [2 * x for x in xs])
    tape = record(lambda x: cube(x) + other(x) + squares([x, 1.0]), (2.0,))
    text = source_of(tape)
    assert "v1 = cube(x)" in text
    assert "v2 = cube_2(x)" in text
    assert "sin_2([x, 1.0])" in text
    assert run(text, 2.0, tape=tape) == (8.0 + 9.0 + 5.0, 12.0 + 12.0 + 4.0)


def test_picks_draws_closures_and_effects_are_in_the_text():
    scale = Value(2.0, "scale")
    seen = []

    def function(x, i):
        mask = lanes.fresh(2, lambda count, size: [[0.0, 2.0]] * count)
        lanes.after(seen.append, lanes.mean(x[0]))
        return lanes.pick([x[0] * mask[0], x[1] * mask[1]], i) * scale

    tape = record(function, ([1.0, 3.0], 1))
    seen.clear()
    text = source_of(tape)
    assert "def forward(x, i, closures, drawn0):" in text
    assert "(scale,) = closures" in text
    result, gradient = run(text, [1.0, 3.0], 1, [5.0], [0.0, 2.0], tape=tape)
    assert (result, gradient) == (30.0, [0.0, 10.0])
    assert seen == [1.0]


# -- numbers ---------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(expressions())
def test_random_programs_give_the_numbers_of_the_eager_engine(program):
    inputs = list(program.inputs)
    if not isinstance(program([Value(x) for x in inputs]), Value):
        return
    value, gradient = value_and_gradient(lambda *xs: program(list(xs)), inputs)
    text = source_of(record(lambda xs: program(xs), (inputs,)))
    result, found = run(text, inputs)
    assert result.hex() == value.hex()
    assert found == gradient


@pytest.mark.parametrize("name", TABLE)
def test_every_operation_of_the_table_runs(name):
    primitive = TABLE[name]
    if primitive.variadic:
        point = [1.25, 0.5, 2.0, 0.75, 1.5]
        operation = primitive
    else:
        point = [1.5 if low >= 1.0 else 0.5 for low, _ in primitive.domain]
        operation = lambda xs: primitive(*xs)  # noqa: E731
    value, gradient = value_and_gradient(lambda *xs: operation(list(xs)), point)
    tape = record(lambda x: operation(x), (point,))
    result, found = run(source_of(tape), point)
    assert (result, found) == (value, gradient)
    result, found = run(source_of(tape), [Lanes([x]) for x in point])
    assert result.numbers == [value]
    assert [x.numbers[0] if isinstance(x, Lanes) else x for x in found] == gradient


def test_the_forward_text_runs_on_values_too():
    text = source_of(record(lambda x, y: (x * y).sin() / ag.logsumexp([x, y]), (2.0, 3.0)))
    names = namespace()
    exec(text, names)
    x, y = Value(2.0), Value(3.0)
    z, _ = names["forward"](x, y)
    z.backward()
    assert (x.grad, y.grad) == names["backward"](names["forward"](2.0, 3.0)[1])


# -- long programs ---------------------------------------------------------------------------------


@given(st.integers(1990, 2010))
@settings(max_examples=3, deadline=None)
def test_programs_around_the_length_where_the_form_changes(count):
    def function(x, y):
        for i in range(count):
            x = x * y if i % 2 else x + y
        return x

    tape = record(function, (0.5, 0.9))
    text = source_of(tape)
    assert ("forward_1" in text) == (count > 2000)
    value, gradient = value_and_gradient(function, (0.5, 0.9))
    assert run(text, 0.5, 0.9) == (value, tuple(gradient))


def test_a_hundred_thousand_operations_compile():
    def function(x):
        y = x[0]
        for _ in range(50_000):
            y = (y + x[1]) * x[2]
        return y

    tape = record(function, ([0.5, 0.25, 0.5],))
    text = source_of(tape, wanted=())  # the lines of backward are no longer, and as many
    assert text.count("\n") > 100_000
    assert run(text, [0.5, 0.25, 0.5]) == (0.25, ())


def test_a_wide_layer_is_a_call_of_dot():
    weights = [Value(0.5) for _ in range(20)]
    tape = record(lambda x: ag.dot(weights, x), ([1.0] * 20,), parameters=weights)
    text = source_of(tape)
    assert "v1 = dot(" in text
    assert max(map(len, text.splitlines())) <= 100
    result, (d_x, d_p) = run(text, [2.0] * 20, [0.5] * 20)
    assert (result, d_x, d_p) == (20.0, [0.5] * 20, [2.0] * 20)
