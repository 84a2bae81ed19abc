"""The classic slips: each is told, once per place, with what happened and what to write instead."""

import math
import warnings

import pytest

from autograd_lite import SlipWarning, Value, dot, set_slip_warnings, sin


def told(action, times=1):
    """Return the warnings that an action gives, as Python shows them by default."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(times):
            action()
    return [str(w.message) for w in caught]


# -- stale graph ---------------------------------------------------------------------------------


def test_backward_through_a_graph_that_was_recorded_before_an_update():
    w = Value(2.0, label="w")
    loss = (w - 5.0) ** 2.0
    w.data = 3.0
    (message,) = told(loss.backward)
    assert message.startswith("the data of the leaf 'w' was changed after '-' had recorded it")
    assert message.endswith("compute the expression again, then call backward() on the new result")
    assert w.grad == -6.0


def test_a_part_that_was_recorded_before_is_enough():
    w = Value(2.0)
    hidden = sin(w)
    w.data = 3.0
    (message,) = told((hidden * w).backward)
    assert message.startswith("the data of a leaf was changed after 'sin'")


def test_a_constant_that_was_changed_counts_as_well():
    x, w = Value(1.0, "x", requires_grad=False), Value(2.0)
    loss = w * x
    x.data = 10.0
    (message,) = told(loss.backward)
    assert "the leaf 'x' was changed after '*'" in message


def test_an_operand_of_an_n_ary_operation_counts_as_well():
    xs = [Value(1.0), Value(2.0, label="b")]
    loss = dot(xs, [3.0, 4.0])
    xs[1].data = 7.0
    (message,) = told(loss.backward)
    assert "the leaf 'b' was changed after 'dot'" in message


def test_recording_anew_after_every_change_is_no_slip():
    w, kept = Value(2.0), Value(1.0) * 2.0
    for _ in range(3):
        w.zero_grad()
        loss = sin(w) * kept
        assert told(loss.backward) == []
        w.data = w.data - 0.1 * w.grad


def test_a_leaf_made_after_some_operations_is_not_stale():
    w = Value(2.0)
    hidden = sin(w)
    Value(0.0).data = 1.0  # of another graph
    assert told((hidden * Value(3.0)).backward) == []


# -- forgotten zero_grad -------------------------------------------------------------------------


def updated(w):
    """Return a loss of w, recorded after one step from an earlier loss."""
    (w * w).backward()
    w.data -= 0.1 * w.grad
    return w * w


def test_a_gradient_on_top_of_one_at_older_data():
    w = Value(2.0, label="w")
    loss = updated(w)
    (message,) = told(loss.backward)
    assert message.startswith("the leaf 'w' still had a gradient when its data was changed")
    assert message.endswith("mixes gradients at two points: call zero_grad() after each update")
    assert w.grad == pytest.approx(4.0 + 3.2, rel=1e-15)


def test_many_such_leaves_are_one_warning():
    ws = [Value(1.0), Value(2.0), Value(3.0)]
    dot(ws, ws).backward()
    for w in ws:
        w.data -= 0.1 * w.grad
    (message,) = told(dot(ws, ws).backward)
    assert message.startswith("a leaf (and others) still had a gradient")


@pytest.mark.parametrize("clear", [Value.zero_grad, lambda w: setattr(w, "grad", 0.0)])
def test_zeroing_before_or_after_the_update_is_no_slip(clear):
    w = Value(2.0)
    loss = updated(w)
    clear(w)
    assert told(loss.backward) == []
    clear(w)
    w.data = 1.0
    assert told((w * w).backward) == []


def test_accumulating_over_batches_without_an_update_is_no_slip():
    w = Value(2.0)
    w.data = 3.0
    assert told(lambda: (w * w).backward(), times=3) == []
    assert w.grad == 18.0


def test_a_gradient_that_is_a_value_on_top_of_one_at_older_data():
    w = Value(2.0, label="w")
    (w * w).backward(create_graph=True)
    w.data = 1.0
    (message,) = told(lambda: (w * w * w).backward(create_graph=True))
    assert message.startswith("the leaf 'w' still had a gradient when its data was changed")
    w.zero_grad()
    assert told(lambda: (w * w).backward(create_graph=True)) == []
    w.zero_grad()


def test_a_gradient_of_0_is_not_mixed_with_anything():
    w = Value(0.0)
    loss = updated(w)
    assert told(loss.backward) == []


# -- == with a number ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 1.0, True])
def test_comparing_with_a_number_by_equality(number):
    v = Value(1.0)
    results = []
    messages = told(lambda: results.append((v == number, v != number)))
    assert results == [(False, True)]
    assert len(messages) == 1
    assert "compared with a number by == or !=" in messages[0]
    assert messages[0].endswith("write v.data == x, or math.isclose(v, x)")


def test_a_numpy_number_is_a_number_too():
    numpy = pytest.importorskip("numpy", reason="needs the extra fast")
    assert len(told(lambda: Value(1.0) == numpy.float64(1.0))) >= 1


@pytest.mark.parametrize("other", [Value(1.0), None, "text", (1.0,), object()])
def test_comparing_with_anything_else_is_silent(other):
    v = Value(1.0)
    results = []
    assert told(lambda: results.append((v == other, other == v, v == v, v != other))) == []
    assert results == [(False, False, True, True)]


def test_what_the_message_recommends_works():
    v = Value(1.0)
    assert v.data == 1.0
    assert math.isclose(v, 1.0)


def test_values_stay_in_sets_dicts_and_lists():
    a, b = Value(1.0), Value(1.0)
    assert told(lambda: ({a, b, a}, {a: 1}[a], [a, b].index(b))) == []
    assert len({a, b, a}) == 2
    assert [a, b].index(b) == 1


# -- how they are told ---------------------------------------------------------------------------


def test_a_warning_names_the_users_line_and_comes_once_per_place():
    v = Value(1.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            v == 1.0  # noqa: B015
        v == 1.0  # noqa: B015
    assert [w.filename for w in caught] == [__file__] * 2
    assert caught[1].lineno == caught[0].lineno + 1
    assert {w.category for w in caught} == {SlipWarning}


def test_a_loop_that_goes_on_is_warned_once():
    w = Value(1.0)

    def step():
        ((w - 3.0) ** 2.0).backward()
        w.data -= 0.001 * w.grad

    assert len(told(step, times=20)) == 1
    assert len(told(lambda: [w == i for i in range(20)])) == 1


def test_as_errors_they_come_before_any_gradient_has_changed():
    x, w = Value(1.0), Value(2.0)
    loss = x * w
    w.data = 5.0
    with pytest.raises(SlipWarning, match="was changed after"):
        loss.backward()
    assert (x.grad, w.grad) == (0.0, 0.0)
    assert not x.reached


def test_one_switch_turns_all_of_them_off():
    w = Value(2.0)
    loss = updated(w)
    w.data = 4.0
    set_slip_warnings(False)
    try:
        assert told(loss.backward) == []
        assert told(lambda: w == 4.0) == []
    finally:
        set_slip_warnings(True)
    assert len(told(lambda: w == 4.0)) == 1


def test_the_switch_takes_true_or_false():
    with pytest.raises(TypeError, match="expected True or False, got 0"):
        set_slip_warnings(0)


def test_reached_tells_whether_a_gradient_was_written():
    x, constant = Value(0.0), Value(1.0, requires_grad=False)
    assert not x.reached
    (x * x * constant).backward()
    assert x.grad == 0.0
    assert x.reached
    assert not constant.reached
    x.zero_grad()
    assert not x.reached


def test_changing_a_result_does_not_hide_that_a_leaf_was_changed():
    w = Value(2.0, label="w")
    y = sin(w)
    w.data = 3.0
    y.data = 0.5
    (message,) = told(y.backward)
    assert "the leaf 'w' was changed after 'sin'" in message
    assert w.grad == math.cos(2.0)
