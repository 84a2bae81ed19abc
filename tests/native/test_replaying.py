"""A recording on Values again: what the eager engine would have recorded."""

from __future__ import annotations

from eager_numbers import bits, value_and_gradient
from hypothesis import given, settings

import autograd_lite as ag
from autograd_lite import Value, lanes
from autograd_lite.native.python.replaying import replayed
from autograd_lite.native.tracing.recording import record
from autograd_lite.testing import expressions


@settings(max_examples=40, deadline=None)
@given(expressions(smooth=False))
def test_random_recordings_give_the_bits_of_the_eager_engine(program):
    inputs = program.inputs
    if not isinstance(program([Value(x) for x in inputs]), Value):
        return
    value, gradient = value_and_gradient(lambda *xs: program(list(xs)), inputs)
    leaves = [Value(x) for x in inputs]
    (y,) = replayed(record(lambda xs: program(xs), (list(inputs),)), [leaves])
    if y.requires_grad:
        y.backward()
    assert bits(y.data) == bits(value)
    assert bits([x.grad for x in leaves]) == bits(gradient)


def test_parameters_and_values_closed_over_are_in_the_graph():
    w, scale = Value(2.0), Value(5.0)
    tape = record(lambda x: w * x * scale, (3.0,), parameters=[w])
    (y,) = replayed(tape, [[4.0]], parameters=[w])
    y.backward()
    assert (y.data, w.grad, scale.grad) == (40.0, 20.0, 8.0)


def test_labels_are_those_of_the_recording():
    def function(x):
        h = x * x
        h.label = "square"
        return h + 1.0

    (y,) = replayed(record(function, (3.0,)), [[2.0]])
    (square,) = y.operands
    assert (square.label, square.operands[0].label) == ("square", "x")


def test_no_gradient_flows_where_none_did():
    def function(x):
        with ag.no_grad():
            held = x * x
        return held * x + x.detach()

    x = Value(3.0)
    (y,) = replayed(record(function, (2.0,)), [[x]])
    y.backward()
    assert (y.data, x.grad) == (30.0, 9.0)


def test_one_lane_is_all_there_is():
    def function(x, i):
        normal = (x - lanes.mean(x)) / (lanes.variance(x) + 1.0)
        (mask,) = lanes.fresh(1, lambda count, size: [[3.0] * size] * count)
        return lanes.pick([normal, x * mask], i)

    tape = record(function, (2.0, 0))
    x = Value(2.0)
    (y,) = replayed(tape, [[x], [1]])
    y.backward()
    assert (y.data, x.grad) == (6.0, 3.0)
    assert replayed(tape, [[2.0], [0]])[0].data == 0.0


def test_outputs_that_are_constants_are_values():
    (first, second) = replayed(record(lambda x: [x * x, 2.0], (1.0,)), [[3.0]])
    assert (first.data, second.data, second.requires_grad) == (9.0, 2.0, False)


def test_a_long_recording_replays():
    def function(x):
        for _ in range(20_000):
            x = x * 1.0 + 1.0
        return x

    (y,) = replayed(record(function, (0.0,)), [[1.0]])
    assert y.data == 20_001.0
