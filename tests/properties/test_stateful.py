"""Whatever is done with Values, in whatever order: they are what a model of plain terms says.

The model of a node is its number and, for each operand, the partial that was recorded; it sums
gradients in an order of its own, so these agree to rounding. All else is exactly the same.
"""

import gc
import math
from contextlib import ExitStack

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from autograd_lite import (
    Primitive,
    Value,
    collector_paused,
    enable_grad,
    no_grad,
    set_slip_warnings,
    total,
)
from autograd_lite.modes import current_mode, runtime
from autograd_lite.node import changed_at

ROUNDING = 1e-12  # of sums over paths, in units of the sum of their magnitudes
LIMIT = 1e3  # of numbers, so that nothing overflows

numbers = st.floats(-2.0, 2.0).map(lambda x: round(x, 3))
keys = st.integers(0, 30)

UNARY = {
    "tanh": (Value.tanh, math.tanh, lambda x: 1.0 / math.cosh(x) ** 2),
    "sin": (Value.sin, math.sin, math.cos),
    "relu": (Value.relu, lambda x: max(x, 0.0), lambda x: 1.0 if x > 0.0 else 0.0),
    "negative": (lambda v: -v, lambda x: -x, lambda x: -1.0),
}
BINARY = {
    "+": (lambda a, b: a + b, lambda x, z: (1.0, 1.0)),
    "-": (lambda a, b: a - b, lambda x, z: (1.0, -1.0)),
    "*": (lambda a, b: a * b, lambda x, z: (z, x)),
}


def _raise(*operands):
    raise LookupError("on purpose")


raising = Primitive("raising", _raise, [_raise])
slope_raising = Primitive("slope_raising", lambda x: x, [_raise])


class Model:
    """What is known of one node: its number, its operands with partials, its gradient."""

    def __init__(self, data, terms=(), *, constant=False):
        self.data = data
        self.terms = terms
        self.constant = constant
        self.overwritten = False  # whether the data of a result was changed
        self.set_grad(0.0)

    def set_grad(self, grad):
        self.grad = grad
        self.scale = abs(grad)  # the sum of the magnitudes of all paths


def order_below(root, operands_of):
    """Return the nodes below, operands before results."""
    order, opened, stack = [], set(), [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in opened:
            opened.add(node)
            stack.append((node, True))
            stack.extend((operand, False) for operand in operands_of(node))
    return order


def alive():
    """Count the Values made since the last collection: the collector is off."""
    return sum(issubclass(type(thing), Value) for thing in gc.get_objects(generation=0))


def refused(kinds, words, action):
    """Run what must fail. (``pytest.raises`` would keep its nodes alive, in a cycle.)"""
    said = None
    try:
        action()
    except kinds as error:
        said = str(error)
    assert said is not None, f"nothing was raised, expected {kinds}"
    assert words in said


@pytest.fixture(autouse=True)
def what_other_tests_left_is_not_collected():
    """Keep the collector, which every example calls, from walking over all that is loaded."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Engine(RuleBasedStateMachine):
    """Runs the engine and the model side by side."""

    def __init__(self):
        super().__init__()
        gc.collect()
        self.at_end = ExitStack()
        self.at_end.enter_context(collector_paused())
        self.at_end.callback(set_slip_warnings, True)
        set_slip_warnings(False)
        self.before = alive()
        self.blocks = []  # those that are open, each with whether it records
        self.held = []  # pairs of Value and Model
        self.dropped = False

    def teardown(self):
        with self.at_end:
            while self.blocks:
                self.end_block()
            assert runtime.special == 0
            self.held.clear()
            assert alive() == self.before

    def pair(self, key):
        return self.held[key % len(self.held)]

    @property
    def recording(self):
        return not self.blocks or self.blocks[-1][1]

    def keep(self, value, data, operands, partials):
        """Keep a result, which is a constant if nothing is recorded or needs a gradient."""
        if abs(data) > LIMIT:
            return
        if not self.recording or all(operand.constant for operand in operands):
            self.held.append((value, Model(data, constant=True)))
            return
        for found, expected in zip(value.partials, partials, strict=True):
            assert math.isclose(found, expected, rel_tol=1e-14)
        terms = tuple(zip(operands, value.partials, strict=True))
        self.held.append((value, Model(data, terms)))

    # -- what can be done -----------------------------------------------------------------------

    @rule(x=numbers, constant=st.booleans())
    def leaf(self, x, constant):
        self.held.append((Value(x, requires_grad=not constant), Model(x, constant=constant)))

    @precondition(lambda self: self.held)
    @rule(key=keys, name=st.sampled_from(sorted(UNARY)))
    def unary(self, key, name):
        value, model = self.pair(key)
        operation, expected, slope = UNARY[name]
        self.keep(operation(value), expected(model.data), [model], [slope(model.data)])

    @precondition(lambda self: self.held)
    @rule(first=keys, second=keys, name=st.sampled_from(sorted(BINARY)))
    def binary(self, first, second, name):
        (a, left), (b, right) = self.pair(first), self.pair(second)
        operation, slopes = BINARY[name]
        data = operation(left.data, right.data)
        self.keep(operation(a, b), data, [left, right], slopes(left.data, right.data))

    @precondition(lambda self: self.held)
    @rule(key=keys, x=numbers, name=st.sampled_from(sorted(BINARY)), swap=st.booleans())
    def binary_with_a_number(self, key, x, name, swap):
        value, model = self.pair(key)
        operation, slopes = BINARY[name]
        given, data = ((x, value), (x, model.data)) if swap else ((value, x), (model.data, x))
        self.keep(operation(*given), operation(*data), [model], [slopes(*data)[swap]])

    @precondition(lambda self: self.held)
    @rule(several=st.lists(keys, min_size=1, max_size=4), x=numbers)
    def many(self, several, x):
        pairs = [self.pair(key) for key in several]
        data = x
        for _, model in pairs:
            data += model.data
        value = total([x, *(value for value, _ in pairs)])
        self.keep(value, data, [model for _, model in pairs], [1.0] * len(pairs))

    @precondition(lambda self: self.held)
    @rule(key=keys)
    def detach(self, key):
        value, model = self.pair(key)
        self.held.append((value.detach(), Model(model.data, constant=True)))

    @precondition(lambda self: self.held)
    @rule(key=keys)
    def backward(self, key):
        value, model = self.pair(key)
        if model.constant:
            refused(RuntimeError, "needs no gradient", value.backward)
            return
        value.backward()
        order = order_below(model, lambda node: [operand for operand, _ in node.terms])
        sums, scales = dict.fromkeys(order, 0.0), dict.fromkeys(order, 0.0)
        sums[model] = scales[model] = 1.0
        for node in reversed(order):
            for operand, partial in node.terms:
                sums[operand] += sums[node] * partial
                scales[operand] += scales[node] * abs(partial)
        for node in order:
            if not node.constant:
                accumulates = not node.terms
                node.grad = sums[node] + (node.grad if accumulates else 0.0)
                node.scale = scales[node] + (node.scale if accumulates else 0.0)

    @precondition(lambda self: self.held)
    @rule(key=keys)
    def backward_with_graphs(self, key):
        """Compare gradients as Values to those as floats, bit for bit; leave none of them."""
        value, model = self.pair(key)
        order = order_below(model, lambda node: [operand for operand, _ in node.terms])
        if model.constant:
            return
        values = order_below(value, lambda node: node.operands)
        before = [v._grad for v in values]
        stale = any(changed_at(operand) > v._stamp for v in values for operand in v.operands)
        if stale or any(node.overwritten for node in order):
            refused(RuntimeError, "was changed after", lambda: value.backward(create_graph=True))
            assert all(v._grad is grad for v, grad in zip(values, before, strict=True))
            return
        found = []
        for create_graph in (True, False):
            value.backward(create_graph=create_graph)
            found.append([float(v.grad) for v in values])
            for v, grad in zip(values, before, strict=True):
                v._grad = grad
        assert found[0] == found[1]

    @precondition(lambda self: self.held)
    @rule(key=keys)
    def zero_grad(self, key):
        value, model = self.pair(key)
        value.zero_grad()
        model.set_grad(0.0)

    @precondition(lambda self: self.held)
    @rule(key=keys, x=numbers)
    def change_data(self, key, x):
        value, model = self.pair(key)
        value.data = model.data = x
        model.overwritten = bool(model.terms)

    @precondition(lambda self: self.held)
    @rule(key=keys, x=numbers)
    def assign_grad(self, key, x):
        value, model = self.pair(key)
        if model.constant and x != 0.0:
            refused(ValueError, "takes no gradient", lambda: setattr(value, "grad", x))
            return
        value.grad = x
        model.set_grad(x)

    @precondition(lambda self: len(self.blocks) < 3)
    @rule(mode=st.sampled_from([no_grad, enable_grad]))
    def begin_block(self, mode):
        block = mode()
        block.__enter__()
        self.blocks.append((block, mode is enable_grad))

    @precondition(lambda self: self.blocks)
    @rule()
    def end_block(self):
        block, _ = self.blocks.pop()
        block.__exit__(None, None, None)

    @precondition(lambda self: self.held)
    @rule(key=keys)
    def fail_in_an_operation(self, key):
        """Fail in several ways; the invariants see that nothing has changed."""
        value, model = self.pair(key)
        refused(TypeError, "got str", lambda: value * 2.0 + "text")
        refused(TypeError, "expected a number for data", lambda: setattr(value, "data", [1.0]))
        refused(TypeError, "for grad", lambda: setattr(value, "grad", "text"))
        refused(LookupError, "on purpose", lambda: raising(value))
        if self.recording and not model.constant:
            refused(LookupError, "on purpose", lambda: slope_raising(value))

    @precondition(lambda self: self.held)
    @rule(key=keys, create_graph=st.booleans())
    def fail_in_backward(self, key, create_graph):
        value, model = self.pair(key)
        if model.constant:
            return
        with enable_grad():
            result = (value * 3.0).tanh() + value
        with value.register_hook(_raise):
            errors = (LookupError, RuntimeError)  # the latter where something is stale
            refused(errors, "", lambda: result.backward(create_graph=create_graph))
        assert result.grad == 0.0

    @precondition(lambda self: self.held)
    @rule(key=keys)
    def drop(self, key):
        del self.held[key % len(self.held)]
        self.dropped = True

    # -- what holds at any time -----------------------------------------------------------------

    @invariant()
    def everything_is_as_the_model_says(self):
        models = {}
        stack = list(self.held)
        while stack:
            value, model = stack.pop()
            if models.setdefault(value, model) is not model:
                raise AssertionError("one node where the model has two")
            assert value.partials == tuple(partial for _, partial in model.terms)
            assert value.data == model.data
            assert value.requires_grad is not model.constant
            assert abs(value.grad - model.grad) <= ROUNDING * model.scale
            assert value._position == 0
            operands = [operand for operand, _ in model.terms]
            stack += [
                pair
                for pair in zip(value.operands, operands, strict=True)
                if models.get(pair[0]) is not pair[1]
            ]
        assert len(set(models.values())) == len(models)
        if self.dropped:  # to count takes longer than all else
            self.dropped = False
            assert alive() - self.before == len(models)

    @invariant()
    def the_mode_is_that_of_the_innermost_block(self):
        assert runtime.special == len(self.blocks)
        assert current_mode().recording is self.recording
        assert not runtime.sweeping


@pytest.mark.parametrize("change_leaf", [False, True])
def test_higher_derivatives_are_refused_after_the_data_of_a_result_was_changed(change_leaf):
    x = Value(0.5)
    y = x.exp()
    if change_leaf:
        x.data = 0.25
    y.data = 3.0
    with pytest.raises(RuntimeError, match="was changed after"):
        y.backward(create_graph=True)


TestEngine = Engine.TestCase
TestEngine.settings = settings(
    max_examples=settings.default.max_examples // 5, stateful_step_count=40, deadline=None
)


# -- the machine must find these -----------------------------------------------------------------

kept = []


def data_that_follows_the_first_operand(value, data):
    value._data = float(data)
    if value.op in ("+", "sum"):
        value.operands[0]._data = float(data)


def detach_that_does_not(value):
    return value * 1.0


def detach_that_keeps_all(value):
    kept.append(Value(value.data, requires_grad=False))
    return kept[-1]


def backward_that_accumulates_inside(value, create_graph=False):
    if value._grad is None:
        raise RuntimeError("needs no gradient")
    before = {node: node.grad for node in order_below(value, lambda node: node.operands)}
    original_backward(value, create_graph)
    for node, grad in before.items():
        if node.op and not create_graph:
            node._grad = node.grad + grad


original_backward = Value.backward

PLANTED = [
    (Value, "data", property(lambda value: value._data, data_that_follows_the_first_operand)),
    (Value, "detach", detach_that_does_not),
    (Value, "backward", backward_that_accumulates_inside),
    (Value, "detach", detach_that_keeps_all),
]


@pytest.mark.parametrize(("owner", "name", "bug"), PLANTED, ids=[bug[1] for bug in PLANTED])
def test_planted_bugs_are_found(owner, name, bug, monkeypatch):
    monkeypatch.setattr(owner, name, bug)
    quick = settings(max_examples=200, phases=[Phase.generate], derandomize=True, database=None)
    quick = settings(quick, stateful_step_count=40, deadline=None)
    with pytest.raises((AssertionError, RuntimeError, TypeError)):
        run_state_machine_as_test(Engine, settings=quick)
    kept.clear()
