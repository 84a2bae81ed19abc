"""Parameters in arrays: a bound Value works as an unbound one does, and shares the arrays."""

import copy
import gc
import math
import pickle
import threading
import warnings
import weakref

import pytest

import nn
from autograd_lite import SlipWarning, Value, graph, no_grad, scope
from autograd_lite.native.parameters.binding import bind
from autograd_lite.testing import check_gradients

np = pytest.importorskip("numpy")


def three():
    return Value(2.0, label="a"), nn.Parameter(3.0), Value(5.0)


class Tagged(nn.Parameter):
    """A user's own parameter, with an attribute."""

    __slots__ = ("group",)


class Registered(Value):
    """A user's own class with attributes, which counts its subclasses."""

    subclasses = 0

    def __init_subclass__(cls, *, important: bool) -> None:
        Registered.subclasses += 1


# -- what does not change for whoever uses the Value ---------------------------------------------


def as_is(*values):
    """Leave Values unbound."""


def together(*values):
    bind(values)


def moved_twice(*values):
    bind([values[0], Value(9.0)])
    bind([Value(7.0), *reversed(values)])


@pytest.fixture(params=[as_is, together, moved_twice], ids=lambda f: f.__name__)
def put(request):
    return request.param


def test_numbers_gradients_and_names_stay(put):
    a, b, c = three()
    (a * b).backward()
    put(a, b, c)
    assert [repr(x) for x in (a, b, c)] == [
        "Value(data=2.0, grad=3.0, label='a')",
        "Parameter(data=3.0, grad=2.0)",
        "Value(data=5.0, grad=0.0)",
    ]
    assert [x.reached for x in (a, b, c)] == [True, True, False]
    assert [type(x).__name__ for x in (a, b, c)] == ["Value", "Parameter", "Value"]
    assert isinstance(b, nn.Parameter)
    assert not isinstance(a, nn.Parameter)
    assert [node.kind for node in graph(a * b).nodes] == ["leaf", "parameter", "operation"]


def test_backward_adds_and_zero_grad_zeroes(put):
    a, b, c = three()
    put(a, b, c)
    (a * b + c.sin() * a).backward()
    (a * b).backward()
    assert (a.grad, b.grad, c.grad) == (6.0 + math.sin(5.0), 4.0, math.cos(5.0) * 2.0)
    a.zero_grad()
    b.grad = None
    c.grad = 0.0
    assert [(x.grad, x.reached) for x in (a, b, c)] == [(0.0, False), (0.0, False), (0.0, True)]


def test_a_gradient_can_be_a_value(put):
    a, b, c = three()
    put(a, b, c)
    (a**3 * b).backward(create_graph=True)
    first = a.grad
    assert isinstance(first, Value)
    assert first.data == 36.0
    a.zero_grad()
    b.zero_grad()
    first.backward()
    assert (a.grad, b.grad) == (36.0, 12.0)


def test_a_gradient_that_is_a_value_moves_with_its_leaf():
    a, b, c = three()
    bind([a, b])
    (a**3).backward(create_graph=True)
    first = a.grad
    bind([a, b, c])
    assert a.grad is first
    a.data = 4.0
    with pytest.warns(SlipWarning, match="still had a gradient when its data was changed"):
        (a * b).backward()
    assert a.grad == 15.0


def test_constants_can_be_switched(put):
    a, b, c = three()
    b.requires_grad = False
    put(a, b, c)
    (a * b * c).backward()
    assert (a.grad, b.requires_grad, b.grad, b.reached) == (15.0, False, 0.0, False)
    with pytest.raises(ValueError, match="requires_grad=False, so it takes no gradient"):
        b.grad = 1.0
    b.requires_grad, c.requires_grad = True, False
    (a * b * c).backward()
    assert (a.grad, b.grad, c.grad) == (30.0, 10.0, 0.0)


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies_are_unbound_and_have_the_numbers(put, copied):
    _, b, _ = values = three()
    (b * b).backward()
    put(*values)
    twin = copied(b)
    assert type(twin) is nn.Parameter
    assert (twin.data, twin.grad) == (3.0, 6.0)
    twin.data = 8.0
    twin.zero_grad()
    assert (b.data, b.grad, twin.reached) == (3.0, 6.0, False)


def test_a_copied_graph_has_leaves_of_its_own(put):
    a, b, c = three()
    put(a, b, c)
    y = a * b + c
    twin = copy.deepcopy(y)
    twin.backward()
    assert (a.grad, [x.grad for x in twin.operands]) == (0.0, [1.0, 1.0])
    y.backward()
    assert (a.grad, b.grad, c.grad) == (3.0, 2.0, 1.0)


def test_a_slip_is_told(put):
    a, b, c = three()
    put(a, b, c)
    stale = a * b
    a.data = 1.0
    with pytest.warns(SlipWarning, match="the data of the leaf 'a' was changed after '\\*'"):
        stale.backward()
    with pytest.raises(RuntimeError, match="was changed after the operation was recorded"):
        stale.backward(create_graph=True)
    a.zero_grad()
    b.zero_grad()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (a * b).backward()
        a.grad = 2.0  # one of the present data
        (a * b).backward()
    assert a.grad == 5.0
    a.data = 7.0
    with pytest.warns(SlipWarning, match="mixes gradients at two points"):
        (a * b).backward()


def test_labels_scopes_and_modes_work(put):
    a, b, c = three()
    put(a, b, c)
    b.label = "b"
    with scope("layer"):
        y = a * b
    with no_grad():
        z = a * c
    assert (y.scope, z.requires_grad, b.label) == ("layer", False, "b")
    assert check_gradients(lambda x: (x * b).tanh() + c, 2.0)


def test_a_hook_sees_the_gradient(put):
    a, b, c = three()
    put(a, b, c)
    seen = []
    a.register_hook(seen.append)
    (a * b).backward()
    assert (seen, a.grad) == ([3.0], 3.0)


def test_users_own_slots_stay():
    w = Tagged(1.0)
    w.group = "first"
    bind([w])
    assert (w.group, type(w).__name__, copy.copy(w).group) == ("first", "Tagged", "first")
    assert type(copy.copy(w)) is Tagged


def test_a_users_class_may_have_attributes_and_opinions_on_subclasses():
    x = Registered(2.0)
    x.source = "here"
    bind([x])
    (x * x).backward()
    twin = copy.deepcopy(x)
    assert (x.source, x.grad, Registered.subclasses) == ("here", 4.0, 0)
    assert (twin.source, twin.grad, type(twin)) == ("here", 4.0, Registered)


def test_gradients_of_threads_add_up(put):
    a, b, c = three()
    put(a, b, c)

    def work():
        for _ in range(100):
            (a * b).backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (a.grad, b.grad) == (1200.0, 800.0)


# -- the arrays ------------------------------------------------------------------------------------


def test_values_and_arrays_show_the_same_numbers():
    a, b, c = three()
    binding = bind([a, b, c], order=[2, 0, 1])
    assert (binding.place, binding.data.tolist()) == ([1, 2, 0], [5.0, 2.0, 3.0])
    b.data = 0.5
    a.grad = 4.0
    assert (binding.data[2], binding.grad[1]) == (0.5, 4.0)
    binding.data[1] = 8.0
    assert (a.data, type(a.data)) == (8.0, float)


def test_float32_rounds():
    a = nn.Parameter(0.1)
    bind([a], dtype="float32")
    assert a.data == float(np.float32(0.1))
    a.data = 1.0 / 3.0
    assert a.data == float(np.float32(1.0 / 3.0))


def test_those_that_are_together_stay():
    a, b, c = three()
    first = bind([a, b, c])
    second = bind([c, a])
    assert second.memory is first.memory
    assert first.memory.valid
    assert (second.place, second.spans) == ([2, 0], ((0, 1), (2, 3)))


def test_all_that_programs_share_moves_together():
    a, b, c = three()
    d = Value(7.0)
    first, second = bind([a, b]), bind([c, d])
    both = bind([b, c])
    assert (first.memory.valid, second.memory.valid, both.memory.valid) == (False, False, True)
    assert [bind(x.values).memory is both.memory for x in (first, second)] == [True, True]
    assert [x.data for x in (a, b, c, d)] == [2.0, 3.0, 5.0, 7.0]


def test_what_no_program_uses_any_more_is_left_behind():
    a, b, c = three()
    bind([a, b])
    later = bind([b, c])
    assert len(later.data) == 2
    a.data = 1.0
    assert (a.data, b.data) == (1.0, 3.0)


def test_gradients_of_native_code_count_as_those_of_backward():
    a, b, c = three()
    c.label = "c"
    binding = bind([a, b, c])
    a.grad = 1.0
    spans = binding.spans_at([0, 2])
    assert (spans, binding.is_clear(spans), binding.is_clear(binding.spans_at([1]))) == (
        ((0, 1), (2, 3)),
        False,
        True,
    )
    binding.grad[2] = 99.0  # left from before a zero_grad
    binding.prepare(spans)
    binding.grad[[0, 2]] += 10.0
    binding.reach(spans)
    assert [(x.grad, x.reached) for x in (a, b, c)] == [(11.0, True), (0.0, False), (10.0, True)]
    a.zero_grad()
    c.data = 6.0
    with pytest.warns(SlipWarning, match="the leaf 'c' still had a gradient"):
        binding.prepare(spans)


def test_a_change_of_native_code_makes_recordings_stale():
    a, b, c = three()
    binding = bind([a, b, c])
    of_a, of_c = a * 2.0, c * 2.0
    (a * c).backward()
    a.zero_grad()
    binding.change(binding.spans_at([0, 1]))
    with pytest.warns(SlipWarning, match="was changed after"):
        of_a.backward()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of_c.backward()
    assert c.grad == 4.0


def test_many_changes_are_remembered_for_each():
    values = [Value(float(i)) for i in range(30)]
    binding = bind(values)
    recorded = [value * 2.0 for value in values]
    for i in range(0, 30, 2):
        binding.change(binding.spans_at([i]))
    for i, y in enumerate(recorded):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            y.backward()
        assert bool(caught) is (i % 2 == 0)


def test_a_binding_ends_with_its_users_and_arrays_with_the_values():
    gc.collect()
    gc.disable()
    try:
        model = nn.MLP(2, [3, 1])
        binding = bind(model.parameters())
        loss = model([1.0, 2.0])
        loss.backward()
        memory, ended = weakref.ref(binding.memory), weakref.ref(binding)
        del binding, loss
        assert (ended(), memory() is None) == (None, False)
        del model
        assert memory() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: bind([1.0]), TypeError, "expected Values as parameters, got float at position 0"),
        (
            lambda: bind([Value(1.0), Value(1.0) * 2.0]),
            ValueError,
            "expected leaves as parameters, got the result of '*' at position 1",
        ),
        (
            lambda: bind([Value(1.0)] * 2),
            ValueError,
            "expected every parameter once, got one twice",
        ),
        (
            lambda: bind([Value(1.0)], dtype="float16"),
            ValueError,
            "expected the dtype 'float64' or 'float32', got 'float16'",
        ),
    ],
)
def test_senseless_bindings_are_refused(make, error, message):
    with pytest.raises(error) as refusal:
        make()
    assert str(refusal.value) == message


def test_two_programs_cannot_have_the_same_parameters_in_two_precisions():
    a, b, _ = three()
    binding = bind([a, b])
    with pytest.raises(ValueError, match="in use by a program with dtype='float64'"):
        bind([a], dtype="float32")
    del binding
    assert bind([a], dtype="float32").dtype == "float32"
