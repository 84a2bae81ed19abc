"""Nothing outlives its last reference, with the cyclic collector off; and a node is small."""

import gc
import random
import tracemalloc
import weakref

import pytest

from autograd_lite import (
    Value,
    collector_paused,
    dot,
    enable_grad,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linear,
    logsumexp,
    no_grad,
    scope,
    softmax,
    total,
    value_and_grad,
    var,
    vjp,
)


@pytest.fixture
def _no_collector():
    gc.collect()
    with collector_paused():
        yield


def alive():
    return sum(issubclass(type(thing), Value) for thing in gc.get_objects())


def graph(x):
    """Return a result with every kind of node above ``x``."""
    a = (x * 2.0).tanh() + exp(x) / 3.0
    b = total([a, x, 1.0, a * a])
    c = dot([a, b, x], [b, 0.5, x]) - logsumexp([a, b])
    with scope("inner"):
        (d,) = linear([a, x], [[b, c]], [x])
    return sum(softmax([a, b, c])) * var([a, b, d]) ** 2.0 % 5.0


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("times", [0, 1, 2])
def test_dropping_the_result_frees_the_graph(times):
    before = alive()
    x = Value(0.5)
    y = graph(x)
    for _ in range(times):
        y.backward()
    assert alive() > before + 15
    del y
    assert alive() == before + 1
    del x
    assert alive() == before


@pytest.mark.usefixtures("_no_collector")
def test_an_operand_that_is_still_held_keeps_only_what_is_below_it():
    x = Value(0.5)
    a = x * x
    y = exp(a)
    result, middle, leaf = weakref.ref(y), weakref.ref(a), weakref.ref(x)
    del y, x
    assert result() is None
    assert middle() is a
    assert leaf() is a.operands[0]
    del a
    assert middle() is None
    assert leaf() is None


@pytest.mark.usefixtures("_no_collector")
def test_after_create_graph_zero_grad_frees_everything():
    before = alive()
    x, w = Value(0.5), Value(2.0)
    y = graph(x) * w
    y.backward(create_graph=True)
    (x.grad * w.grad).backward(create_graph=True)
    x.zero_grad()
    w.zero_grad()
    del y
    assert alive() == before + 2


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize(
    "work",
    [
        lambda: grad(graph)(0.5),
        lambda: value_and_grad(graph)(0.5),
        lambda: grad(grad(graph))(0.5),
        lambda: jacobian(lambda x: [graph(x), x])(0.5),
        lambda: hessian(lambda p: graph(p[0]) * p[1])([0.5, 2.0]),
        lambda: jvp(graph, (0.5,), (1.0,)),
        lambda: vjp(graph, 0.5)[1](1.0),
        lambda: hvp(graph, (0.5,), (1.0,)),
        lambda: jvp(grad(graph), (0.5,), (1.0,)),
        lambda: grad(lambda x: x * grad(lambda y: graph(x * y))(1.0))(0.5),
    ],
)
def test_transforms_leave_nothing_behind(work):
    work()
    before = alive()
    work()
    assert alive() == before


@pytest.mark.usefixtures("_no_collector")
def test_failures_leave_nothing_behind():
    x = Value(0.5)

    def fail():
        with pytest.raises(TypeError):
            graph(x) * "text"
        with pytest.raises(ValueError, match="at least 1 operand"):
            graph(x) + total([])
        y = x * 2.0
        x.data = 0.5
        with pytest.raises(RuntimeError, match="record again"):
            y.backward(create_graph=True)

    def differentiate_failing():
        def broken(x):
            graph(x)
            raise LookupError

        with pytest.raises(LookupError):
            grad(broken)(0.5)

    for work in (fail, differentiate_failing):
        work()
        gc.collect()  # pytest.raises itself keeps the traceback in a cycle
        before = alive()
        work()
        gc.collect()
        assert alive() == before


@pytest.mark.usefixtures("_no_collector")
def test_nothing_is_kept_under_no_grad():
    x = Value(0.5)
    before = alive()
    with no_grad():
        y = graph(x)
        assert alive() == before + 1
        with enable_grad():
            z = graph(x)
    del y, z
    assert alive() == before


@pytest.mark.usefixtures("_no_collector")
def test_a_detached_value_does_not_hold_its_graph():
    x = Value(0.5)
    y = graph(x)
    ref = weakref.ref(y)
    constant = y.detach()
    del y
    assert ref() is None
    assert constant.requires_grad is False


def irregular(operations):
    """Record a graph out of + - * / ** relu with operands far and near."""
    rng = random.Random(1)
    nodes = [Value(rng.uniform(0.5, 1.5)) for _ in range(100)]
    for _ in range(operations):
        a, b = rng.choice(nodes), rng.choice(nodes[-50:])
        kind = rng.randrange(6)
        if kind == 0:
            node = a + b
        elif kind == 1:
            node = a - b * 0.5
        elif kind == 2:
            node = a * b
        elif kind == 3:
            node = a / (b * b + 1.0)
        elif kind == 4:
            node = (b * 0.1) ** 2.0
        else:
            node = b.relu()
        nodes.append(node * 0.5 if abs(node.data) > 10.0 else node)
    return nodes


def test_bytes_per_operation():
    seen = set()
    with collector_paused():
        tracemalloc.start()
        try:
            nodes = irregular(10_000)
            result = total(nodes[-2_000:])
            del nodes
            result.backward()
            used, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    stack = [result]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(node.operands)
    operations = sum(bool(node.op) for node in seen)
    assert operations > 5_000
    assert used <= 200 * operations
