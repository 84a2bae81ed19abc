"""The chain rule in reverse: accumulation, shared nodes, higher derivatives, failures, size."""

import contextvars
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from interrupting import interrupted
from threads import in_a_small_thread

import autograd_lite
from autograd_lite import (
    Primitive,
    SlipWarning,
    Value,
    collector_paused,
    dot,
    enable_grad,
    grad,
    jvp,
    no_grad,
    prod,
    sin,
    total,
)
from autograd_lite.modes import current_mode, runtime

# -- sums over consumers -------------------------------------------------------------------------


def test_leaves_accumulate_and_interior_nodes_start_afresh():
    x = Value(3.0)
    square = x * x
    y = square * x
    y.backward()
    assert (x.grad, square.grad, y.grad) == (27.0, 3.0, 1.0)
    y.backward()
    assert (x.grad, square.grad, y.grad) == (54.0, 3.0, 1.0)
    x.zero_grad()
    y.backward()
    assert x.grad == 27.0


def test_two_results_add_up_in_a_shared_leaf():
    x = Value(2.0)
    (x * 3.0).backward()
    (x * x).backward()
    assert x.grad == 7.0


def test_a_product_and_a_sum_with_itself():
    a = Value(5.0)
    (a * a).backward()
    assert a.grad == 10.0
    a.zero_grad()
    (a + a).backward()
    assert a.grad == 2.0
    a.zero_grad()
    (a - a).backward()
    assert a.grad == 0.0
    a.zero_grad()
    (a / a).backward()
    assert a.grad == 0.0
    a.zero_grad()
    (a**a).backward()
    assert a.grad == pytest.approx(5.0**5 * (1.0 + math.log(5.0)), rel=1e-15)


def test_a_diamond():
    x = Value(2.0)
    left, right = x * 3.0, x * x
    y = left * right  # 3 x³
    y.backward()
    assert (left.grad, right.grad, x.grad) == (4.0, 6.0, 36.0)


def test_many_paths_are_summed_without_walking_each():
    x = Value(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60  # as many paths


def test_a_node_used_early_and_late():
    x = Value(2.0)
    a = x * x
    b = a * 3.0
    c = b + a
    d = c * a
    d.backward()  # (3a + a) a = 4 a²
    assert (a.grad, x.grad) == (32.0, 128.0)
    assert (b.grad, c.grad) == (4.0, 4.0)


def test_an_nary_node_with_a_repeated_and_a_shared_operand():
    x, y = Value(2.0), Value(5.0)
    s = total([x, y, x, x * y])
    s.backward()
    assert (x.grad, y.grad) == (7.0, 3.0)
    x.zero_grad()
    prod([x, x, x]).backward()
    assert x.grad == 12.0


def test_only_what_lies_below_is_touched():
    x, other = Value(2.0), Value(7.0)
    above = (y := x * x) * 5.0
    beside = x * other
    y.backward()
    assert (above.grad, beside.grad, other.grad) == (0.0, 0.0, 0.0)
    assert x.grad == 4.0


def test_the_order_of_additions_is_the_order_of_consumers():
    x = Value(1.0)
    y = total([x * 1e16, x * 1.0, x * -1e16])
    y.backward()
    z = x * 1e16 + x * 1.0 + x * -1e16
    first = x.grad
    for _ in range(5):
        x.zero_grad()
        y.backward()
        assert x.grad == first  # 0.0 or 1.0, but always the same
    assert z.data == 0.0


def test_backward_on_a_leaf():
    x = Value(2.0)
    x.backward()
    assert x.grad == 1.0
    x.backward()
    assert x.grad == 2.0


@pytest.mark.parametrize("create_graph", [False, True])
def test_backward_on_what_needs_no_gradient_raises(create_graph):
    x = Value(2.0)
    with no_grad():
        hidden = x * x
    for constant in (Value(1.0, requires_grad=False), x.detach() * 2.0, hidden):
        with pytest.raises(RuntimeError, match=r"backward\(\) was called on a Value that needs no"):
            constant.backward(create_graph=create_graph)
    assert x.grad == 0.0


def test_a_gradient_to_start_from_is_not_taken_for_create_graph():
    x = Value(2.0)
    y = x * x
    with pytest.raises(TypeError, match=r"^backward's create_graph expected True .* float: 3\.0$"):
        y.backward(3.0)  # a gradient in PyTorch
    assert (x.reached, y.reached) == (False, False)


def test_changing_data_after_recording_does_not_corrupt_the_gradient():
    x, w = Value(3.0), Value(2.0)
    y = x * w
    w.data = 1000.0
    with pytest.warns(SlipWarning, match="after '\\*' had recorded it"):
        y.backward()
    assert (x.grad, w.grad) == (2.0, 3.0)


def test_backward_works_inside_no_grad():
    x = Value(3.0)
    y = x * x
    with no_grad():
        y.backward()
        assert x.grad == 6.0
        x.zero_grad()
        y.backward(create_graph=True)
    x.grad.backward()
    assert x.grad == 8.0  # 6, and the second derivative 2 on top


# -- gradients that are Values -------------------------------------------------------------------


def test_create_graph_gives_gradients_that_can_be_differentiated():
    x = Value(3.0)
    (x**4).backward(create_graph=True)
    first = x.grad
    assert isinstance(first, Value)
    assert first.data == 108.0
    x.zero_grad()
    first.backward(create_graph=True)
    second = x.grad
    assert second.data == 108.0
    x.zero_grad()
    second.backward(create_graph=True)
    assert x.grad.data == 72.0


def test_create_graph_with_a_linear_function_gives_a_value_too():
    x = Value(3.0)
    (2.0 * x + 1.0).backward(create_graph=True)
    assert isinstance(x.grad, Value)
    assert (x.grad.data, x.grad.requires_grad) == (2.0, False)


def test_create_graph_accumulates():
    x = Value(3.0)
    y = x * x * x
    y.backward()
    y.backward(create_graph=True)
    assert x.grad.data == 54.0
    y.backward(create_graph=True)
    assert x.grad.data == 81.0
    y.backward()
    assert x.grad == 108.0


def test_a_gradient_penalty():
    # minimise (d/dx w x²)² = (2 w x)²; its derivative by w is 8 w x²
    x, w = Value(3.0), Value(0.5)
    (w * x**2).backward(create_graph=True)
    penalty = x.grad**2
    w.zero_grad()
    penalty.backward()
    assert (penalty.data, w.grad) == (9.0, 36.0)


def test_gradients_of_interior_nodes_are_constants_under_create_graph():
    x = Value(3.0)
    a = x * x
    y = a * a
    y.backward(create_graph=True)
    assert (a.grad.data, a.grad.requires_grad, y.grad.data) == (18.0, False, 1.0)


def test_zero_grad_brings_back_a_float():
    x = Value(3.0)
    (x * x).backward(create_graph=True)
    x.zero_grad()
    assert (x.grad, type(x.grad)) == (0.0, float)


def test_create_graph_refuses_changed_data_and_leaves_gradients():
    x, w = Value(3.0, label="x"), Value(2.0)
    y = x * w
    y.backward()
    x.data = 4.0
    message = r"operand 'x' of '\*' was changed after the operation was recorded.*record again"
    with pytest.raises(RuntimeError, match=message):
        y.backward(create_graph=True)
    assert (x.grad, w.grad) == (2.0, 3.0)
    y = x * w  # recorded again
    with pytest.warns(SlipWarning, match="'x' still had a gradient when its data was changed"):
        y.backward(create_graph=True)
    assert w.grad.data == 7.0


def test_data_changed_before_recording_or_elsewhere_does_not_matter():
    x, other = Value(3.0), Value(1.0)
    x.data = 4.0
    y = x * x
    other.data = 5.0
    y.backward(create_graph=True)
    assert x.grad.data == 8.0


# -- all or nothing ------------------------------------------------------------------------------


def graph_of_every_kind_of_node():
    """Return some leaves and a result over them: one, two, three and many operands, shared."""
    three = Primitive(
        "three",
        lambda a, b, c: a * b + c,
        [lambda a, b, c, y: b, lambda a, b, c, y: a, lambda a, b, c, y: 1.0],
    )
    a, b, c = Value(0.5), Value(-1.5), Value(2.0)
    frozen = Value(3.0, requires_grad=False)
    shared = (a * b).tanh()
    many = total([shared, c, 1.0, a / c, shared])
    nested = dot([many, a, frozen], [shared, 2.0 - b, c])
    return [a, b, c], three(nested, 2.0, many) - many * frozen + 1.0


def nodes_below(*roots):
    found, stack = {}, list(roots)
    while stack:
        node = stack.pop()
        if id(node) not in found:
            found[id(node)] = node
            stack.extend(node.operands)
    return list(found.values())


def state(nodes):
    """Return what an interrupt must not change; gradients by identity."""
    return [(node._data, id(node._grad), node._position, node._stamp) for node in nodes]


def test_an_exception_in_the_middle_leaves_every_gradient():
    leaves, y = graph_of_every_kind_of_node()
    y.backward()
    nodes = nodes_below(y)
    leaves[1]._grad = "not a number"  # what no public name allows
    before = state(nodes)
    with pytest.raises(ValueError, match="could not convert"):
        y.backward()
    assert state(nodes) == before
    leaves[1].zero_grad()
    y.backward()
    expected = graph_of_every_kind_of_node()
    expected[1].backward()
    assert leaves[0].grad == 2.0 * expected[0][0].grad
    assert leaves[1].grad == expected[0][1].grad


def test_a_formula_that_raises_for_values_leaves_every_gradient():
    def only_for_floats(x, y):
        return 2.0 * x if isinstance(x, float) else [][0]

    square = Primitive("square", lambda x: x * x, [only_for_floats])
    x, z = Value(3.0), Value(1.0)
    y = square(x) * z
    y.backward()
    before = state(nodes_below(y))
    with pytest.raises(IndexError):
        y.backward(create_graph=True)
    assert state(nodes_below(y)) == before
    y.backward()
    assert x.grad == 12.0


def test_a_sweep_inside_a_sweep_is_refused():
    inner = Value(2.0) * 3.0

    def meddling(x, y):
        if isinstance(x, Value):
            inner.backward()
        return 2.0 * x

    square = Primitive("square", lambda x: x * x, [meddling])
    x = Value(3.0)
    y = square(x)
    with pytest.raises(RuntimeError, match="started inside another one"):
        y.backward(create_graph=True)
    assert x.grad == 0.0
    y.backward()
    assert x.grad == 6.0


@pytest.fixture
def modes_counted_anew():
    """An interrupt inside a mode switch may leave the count of modes too high.

    That costs time only: operations look closer than they need to. The tests after it shall not.
    """
    special, mode = runtime.special, current_mode()
    yield
    assert current_mode() == mode
    assert runtime.special >= special
    runtime.special = special


@pytest.mark.usefixtures("modes_counted_anew")
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("kind", ["at_calls", "at_lines"])
def test_an_interrupt_anywhere_leaves_all_or_nothing(kind, create_graph):
    _, twin = graph_of_every_kind_of_node()
    twin.backward(create_graph=create_graph)
    complete = [float(node.grad) for node in nodes_below(twin)]
    n = 0
    while True:
        n += 1
        leaves, y = graph_of_every_kind_of_node()
        nodes = nodes_below(y)
        before = state(nodes)
        if not interrupted(lambda y=y: y.backward(create_graph=create_graph), n, kind):
            break
        assert all(node._position == 0 for node in nodes)
        gradients = [float(node.grad) for node in nodes]
        assert state(nodes) == before or gradients == complete, f"at event {n}"
        for leaf in leaves:
            leaf.zero_grad()
        y.backward(create_graph=create_graph)
        assert [float(node.grad) for node in nodes] == complete
    assert n > 50


@pytest.mark.usefixtures("modes_counted_anew")
def test_an_interrupt_anywhere_in_a_transform_leaves_the_engine_usable():
    def f(x):
        return sin(x) * total([x, x * x, 1.0])

    expected = grad(f)(0.5), grad(grad(f))(0.5), jvp(f, (0.5,), (2.0,))

    def work():
        return grad(grad(f))(0.5), jvp(f, (0.5,), (2.0,))

    n = 0
    # in contexts of their own: the nesting depth is restored by a call, which comes after its line
    while contextvars.copy_context().run(interrupted, work, n := n + 1, "at_lines"):
        x = Value(2.0)
        y = x * x
        y.backward()
        assert x.grad == 4.0
    assert n > 100
    assert (grad(f)(0.5), *work()) == expected


# -- size ----------------------------------------------------------------------------------------


def million():
    """Record, differentiate and free a chain of 1,000,000 operations."""
    with collector_paused():
        x = Value(1.0)
        y = x
        for _ in range(250_000):
            y = 1.0 - (y * 0.5 + x) / 2.0
        y.backward()
        gradient = x.grad
        del y
    return gradient


def test_a_million_operations():
    # y ← 1 - (y/2 + x)/2: the fixed point has y' = -(y'/2 + 1)/2
    assert million() == pytest.approx(-0.4, rel=1e-15)


def test_a_million_operations_in_a_thread_with_a_small_stack():
    assert in_a_small_thread(million) == pytest.approx(-0.4, rel=1e-15)


def chain_of_nary_nodes():
    x = Value(0.5)
    y = x
    for _ in range(100_000):
        y = total([x, y, 1.0])
    y.backward()
    return x.grad


def chain_on_the_right():
    x = Value(1.0)
    y = x
    for _ in range(100_000):
        y = 1.0 - y
    for _ in range(100_000):
        y = x * (1.0 / y)
    y.backward()
    return x.grad


def higher_derivative_of_a_chain():
    x = Value(1.0)
    y = x
    for _ in range(3_000):
        y = y * 1.0 + x
    y = y * y
    y.backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.backward()
    return x.grad


def transforms_of_a_chain():
    def f(x):
        y = x
        for _ in range(20_000):
            y = y + x * x
        return y

    return grad(f)(2.0), jvp(f, (2.0,), (1.0,))[1], grad(grad(f))(2.0)


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (chain_of_nary_nodes, 100_001.0),
        (chain_on_the_right, 1.0),
        (higher_derivative_of_a_chain, 2.0 * 3_001.0**2),
        (transforms_of_a_chain, (80_001.0, 80_001.0, 40_000.0)),
    ],
)
def test_deep_graphs_of_other_kinds_in_a_thread_with_a_small_stack(work, expected):
    assert in_a_small_thread(work) == expected


def test_a_sum_of_many_operands():
    xs = [Value(float(i % 7)) for i in range(100_000)]
    y = total(xs) + dot(xs, xs)
    y.backward()
    assert [x.grad for x in xs[:8]] == [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 1.0]


def test_a_leaf_with_many_consumers():
    x = Value(2.0)
    y = total([x * float(i) for i in range(50_000)])
    y.backward()
    assert x.grad == 50_000 * 49_999 / 2


# -- counted cost --------------------------------------------------------------------------------


def operations(roots):
    """Count what was recorded for the roots together."""
    return sum(bool(node.op) for node in nodes_below(*roots))


@pytest.mark.parametrize("inputs", [1, 10, 100, 1_000, 10_000, 100_000])
def test_a_gradient_costs_a_small_multiple_of_the_function_whatever_the_number_of_inputs(inputs):
    with collector_paused():
        xs = [Value(0.5 + 1.0 / (i + 1)) for i in range(inputs)]
        y = xs[0].tanh()
        for x in xs:
            y = y * 0.5 + x / (1.0 + x)
        function = operations([y])
        y.backward(create_graph=True)
        gradients = operations([x.grad for x in xs])
        for x in xs:
            x.zero_grad()
    assert function == 4 * inputs + 1
    assert gradients <= 4 * function


def test_plain_backward_visits_each_edge_once():
    class Counted(float):
        multiplications = 0

        def __mul__(self, other):
            Counted.multiplications += 1
            return float(self) * other

        __rmul__ = __mul__

    xs = [Value(float(i)) for i in range(1_000)]
    y = total([x * x + 3.0 * x for x in xs])
    edges = 0
    for node in nodes_below(y):
        edges += len(node.operands)
        if type(node._db) is tuple:
            node._db = tuple(map(Counted, node._db))
        else:
            node._da = None if node._da is None else Counted(node._da)
            node._db = None if node._db is None else Counted(node._db)
    y.backward()
    assert edges == 6_000
    assert Counted.multiplications == edges
    assert xs[7].grad == 17.0


# -- determinism ---------------------------------------------------------------------------------

PROGRAM = """
import random
from autograd_lite import Value, dot, logsumexp, total
rng = random.Random(7)
leaves = [Value(rng.gauss(0, 1)) for _ in range(50)]
values = list(leaves)
for _ in range(2000):
    a, b = rng.choice(values[-60:]), rng.choice(values[-60:])
    values.append(rng.choice([
        lambda: a * b * 0.3, lambda: (a - b).tanh(), lambda: total([a, b, a]) / 3.0,
        lambda: dot([a, b], [b, 0.1]).tanh(), lambda: logsumexp([a, b, 0.5]) - 1.0,
    ])())
y = total(values[-40:])
y.backward()
print(y.data.hex(), *[x.grad.hex() for x in leaves])
y.backward(create_graph=True)
print(*[float(x.grad).hex() for x in leaves])
"""


def test_two_processes_give_the_same_bits():
    outputs = set()
    for seed in ("1", "2"):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(Path(autograd_lite.__file__).parent.parent),
        }
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert "nan" not in outputs.pop()


def test_enable_grad_inside_no_grad_records_for_backward():
    x = Value(2.0)
    with no_grad(), enable_grad():
        y = x * x
    y.backward()
    assert x.grad == 4.0
