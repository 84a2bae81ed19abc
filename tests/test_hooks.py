"""register_hook: seeing and changing gradients as they pass, with PyTorch's rules."""

import gc
import math
import weakref

import pytest

from autograd_lite import Value, collector_paused, exp, grad, hessian, hooks, steps, total


@pytest.fixture(autouse=True)
def _no_hooks_are_left():
    gc.collect()
    assert hooks._hooked == {}
    yield
    gc.collect()
    assert hooks._hooked == {}


def test_a_hook_sees_the_gradient_summed_over_all_consumers():
    x = Value(2.0)
    a = x * x
    seen = []
    a.register_hook(seen.append)
    (a * 3.0 + a * a).backward()
    assert seen == [11.0]
    assert x.grad == 44.0


def test_a_leafs_hook_sees_what_this_backward_adds_and_not_what_was_there():
    x = Value(2.0)
    seen = []
    x.register_hook(seen.append)
    (x * 3.0).backward()
    (x * 4.0).backward()
    assert seen == [3.0, 4.0]
    assert x.grad == 7.0


def test_what_a_hook_returns_goes_on_to_the_operands():
    x = Value(1.0)
    y = exp(x)
    y.register_hook(lambda gradient: gradient / 2.0)
    y.register_hook(lambda gradient: max(-1.0, min(1.0, gradient)))
    (10.0 * y).backward()
    assert y.grad == 1.0
    assert x.grad == math.e


def test_hooks_run_in_the_order_of_registration_and_none_changes_nothing():
    x = Value(1.0)
    x.register_hook(lambda gradient: gradient + 1.0)
    x.register_hook(lambda gradient: None)
    x.register_hook(lambda gradient: 10 * gradient)
    (2.0 * x).backward()
    assert x.grad == 30.0


def test_a_removed_hook_is_not_called():
    x = Value(1.0)
    first = x.register_hook(lambda gradient: 5.0)
    second = x.register_hook(lambda gradient: gradient * 2.0)
    first.remove()
    first.remove()
    (3.0 * x).backward()
    assert x.grad == 6.0
    second.remove()
    (3.0 * x).backward()
    assert x.grad == 9.0


def test_a_hook_ends_with_its_block():
    x = Value(1.0)
    with x.register_hook(lambda gradient: -gradient):
        (3.0 * x).backward()
    (3.0 * x).backward()
    assert x.grad == 0.0


def test_a_hook_on_the_root_sees_1_and_may_scale_everything():
    x = Value(3.0)
    y = x * x
    y.register_hook(lambda gradient: 0.5 * gradient)
    y.backward()
    assert (y.grad, x.grad) == (0.5, 3.0)


def test_a_hook_on_what_the_result_does_not_depend_on_is_not_called():
    x, other = Value(3.0), Value(4.0)
    other.register_hook(lambda gradient: 1.0 / 0.0)
    (x * x).backward()
    assert x.grad == 6.0


def test_with_create_graph_a_hook_gets_a_value_and_its_result_can_be_differentiated():
    x = Value(3.0)
    seen = []
    x.register_hook(lambda gradient: (seen.append(gradient), gradient * x)[1])
    (x * x).backward(create_graph=True)
    first = x.grad
    assert (seen[0].data, first.data) == (6.0, 18.0)
    x.zero_grad()
    first.backward()  # of 2x · x = 2x², through the same hook: 4x · x
    assert x.grad == 36.0
    x.zero_grad()


def test_transforms_call_hooks_too():
    def f(x):
        y = x * x
        y.register_hook(lambda gradient: 3.0 * gradient)
        return y

    assert grad(f)(5.0) == 30.0
    assert hessian(f)(5.0) == 6.0


def test_looking_at_a_graph_calls_no_hook():
    x = Value(3.0)
    y = x * x
    calls = []
    y.register_hook(calls.append)
    assert [step.total for step in steps(y)] == [3.0, 6.0]
    assert calls == []


def test_an_exception_in_a_hook_leaves_every_gradient_as_it_was():
    x, w = Value(3.0), Value(4.0)
    y = x * w
    y.backward()
    x.register_hook(lambda gradient: gradient / 0.0)
    with pytest.raises(ZeroDivisionError):
        y.backward()
    assert (x.grad, w.grad) == (4.0, 3.0)


@pytest.mark.parametrize("given", ["text", [1.0], 1j])
def test_a_hook_must_return_a_number(given):
    x = Value(3.0)
    x.register_hook(lambda gradient: given)
    with pytest.raises(TypeError, match="a number, a Value or None from a hook, got"):
        (x * x).backward()
    assert x.grad == 0.0


def test_a_hook_that_starts_a_sweep_is_refused():
    x = Value(3.0)
    x.register_hook(lambda gradient: (x * x).backward())
    with pytest.raises(RuntimeError, match="inside another one"):
        (x * x).backward()


def test_a_constant_takes_no_hook():
    with pytest.raises(RuntimeError, match="needs no gradient"):
        Value(1.0, requires_grad=False).register_hook(print)


def test_a_hook_is_a_function():
    with pytest.raises(TypeError, match=r"expected a function of the gradient, got float: 2\.0"):
        Value(1.0).register_hook(2.0)


def test_label_and_hook_live_together():
    x = Value(3.0, label="x")
    x.register_hook(lambda gradient: 2.0 * gradient)
    x.label = "y"
    (1.0 * x).backward()
    assert (x.label, x.scope, x.grad) == ("y", "", 2.0)


def test_a_hook_dies_with_its_node():
    x = Value(3.0)
    y = x * x
    y.register_hook(lambda gradient: 0.0)
    watch = weakref.ref(y)
    with collector_paused():
        del y
        assert watch() is None
    assert hooks._hooked == {}


def test_a_hook_that_refers_to_its_node_is_collected_with_it():
    def watched():
        x = Value(3.0)
        x.register_hook(lambda gradient: x.data * gradient)
        (x * 1.0).backward()
        assert x.grad == 3.0
        return weakref.ref(x)

    watch = watched()
    gc.collect()
    assert watch() is None


def test_hooks_on_operands_of_an_n_ary_node():
    xs = [Value(1.0), Value(2.0), Value(3.0)]
    xs[1].register_hook(lambda gradient: 100.0 * gradient)
    total(xs).backward()
    assert [x.grad for x in xs] == [1.0, 100.0, 1.0]
