"""Copies by `copy`, `deepcopy` and `pickle`: the same graph again, however deep it is."""

import copy
import gc
import io
import math
import os
import pickle
import subprocess
import sys
from itertools import pairwise
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest
from threads import in_a_small_thread, switching_often, together

import autograd_lite
import nn
from autograd_lite import (
    Primitive,
    Value,
    Variadic,
    collector_paused,
    dot,
    exp,
    linear,
    logsumexp,
    scope,
    total,
)
from autograd_lite.node import UNREACHED

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def pickled(protocol):
    return lambda thing: pickle.loads(pickle.dumps(thing, protocol))


def pickled_in_python(thing):
    """The pickler that is written in Python, which subclasses of it run as well."""
    file = io.BytesIO()
    pickle._Pickler(file, 5).dump(thing)
    return pickle.loads(file.getvalue())


def forked(thing):
    """What multiprocessing does with what it sends."""
    return pickle.loads(ForkingPickler.dumps(thing))


WAYS = {
    "deepcopy": copy.deepcopy,
    "python": pickled_in_python,
    "multiprocessing": forked,
    **{f"protocol {p}": pickled(p) for p in PROTOCOLS},
}
each_way = pytest.mark.parametrize("copied", WAYS.values(), ids=WAYS)


def nodes_below(*roots):
    """Return all nodes below, each once, in an order that depends on the graph alone."""
    found, stack = {}, list(roots)
    while stack:
        node = stack.pop()
        if node not in found:
            found[node] = None
            stack.extend(node.operands)
    return list(found)


def described(*roots):
    """Return all that is to be said of the nodes below, bit for bit."""
    nodes = nodes_below(*roots)
    position = {node: i for i, node in enumerate(nodes)}
    return [
        (
            *(type(node).__name__, node.op, node.label, node.scope, node.requires_grad),
            *(node.data.hex(), [partial.hex() for partial in node.partials]),
            [position[operand] for operand in node.operands],
            node.grad.data.hex() if isinstance(node.grad, Value) else node.grad.hex(),
            node._grad is UNREACHED,
        )
        for node in nodes
    ]


def every_kind_of_node():
    """Return leaves, one of them frozen, and two results over all of them."""
    x, w = Value(0.7, label="x"), nn.Parameter(-1.3)
    c = Value(2.0, requires_grad=False)
    with scope("outer"), scope("inner"):
        a = x * x + (w - 0.5).tanh() * c
        a.label = "a"
    (b,) = linear([a, x], [[w, c]], [x])
    row = linear([0.5, 1.5], [[x, w], [w, x]])
    y = total([a, b, 1.0, a]) ** 2.0 / 3.0 + dot([a, 2.0, x], [b, x, x])
    return x, w, c, y * logsumexp([a, *row]), 1.0 - exp(a.clamp(-1.0, x)).gelu()


@each_way
@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_copy_is_the_same_graph(copied, times):
    *_, y, z = originals = every_kind_of_node()
    for _ in range(times):
        y.backward()
    twins = copied(originals)
    assert described(*twins) == described(*originals)
    assert not set(nodes_below(*twins)) & set(nodes_below(*originals))
    for node in (y, z, twins[-2], twins[-1]):
        node.backward()
    assert described(*twins) == described(*originals)


@each_way
def test_a_copy_and_its_original_go_on_apart(copied):
    x = Value(3.0)
    y = x * x
    y.backward()
    twin = copied(y)
    leaf, again = twin.operands
    assert leaf is again
    assert leaf is not x
    twin.backward()
    assert (leaf.grad, x.grad) == (12.0, 6.0)
    leaf.zero_grad()
    leaf.data = 5.0
    y.backward()
    assert (x.data, x.grad, leaf.grad) == (3.0, 12.0, 0.0)


@each_way
def test_higher_derivatives_of_a_copy(copied):
    x = Value(2.0)
    twin = copied(x**3.0 * exp(x))
    (leaf,) = [node for node in nodes_below(twin) if not node.op]
    twin.backward(create_graph=True)
    first = leaf.grad
    leaf.zero_grad()
    first.backward()
    assert leaf.grad == pytest.approx((8.0 + 2 * 12.0 + 12.0) * math.exp(2.0), rel=1e-15)


@each_way
def test_gradients_that_are_graphs_are_copied_with_their_leaf(copied):
    x, w = Value(2.0), Value(5.0)
    (x * x * w).backward(create_graph=True)
    twin_x, twin_w = copied([x, w])
    assert twin_w in nodes_below(twin_x.grad)
    assert twin_x in nodes_below(twin_w.grad)
    first = twin_x.grad
    twin_x.zero_grad()
    twin_w.zero_grad()
    first.backward()
    assert (twin_x.grad, twin_w.grad) == (10.0, 4.0)
    assert (x.grad.data, w.grad.data) == (20.0, 4.0)
    x.zero_grad()
    w.zero_grad()
    first = None


@each_way
def test_many_leaves_whose_gradients_are_graphs_over_the_next_one(copied):
    leaves = [Value(1.0 + i / 1_500) for i in range(1_500)]
    total([a * b for a, b in pairwise(leaves)]).backward(create_graph=True)
    twins = copied(leaves)
    for leaf in leaves:
        assert leaf.grad.data >= 1.0
        leaf.zero_grad()
    for i in (1, 1_000):
        below = nodes_below(twins[i].grad)
        assert {node for node in below if not node.op} == {twins[i - 1], twins[i + 1]}
    for twin in twins:
        twin.zero_grad()


@each_way
def test_a_gradient_may_lead_back_to_the_result(copied):
    x = Value(3.0)
    y = x * x
    x.grad = y * 2.0
    twin = copied(y)
    leaf, _ = twin.operands
    assert leaf.grad.operands == (twin,)
    x.zero_grad()
    leaf.zero_grad()


@each_way
def test_a_change_after_recording_is_seen_in_the_copy(copied):
    x, w = Value(3.0), Value(2.0)
    y = x * x
    x.data = 4.0
    z = w * w
    stale, fresh = copied([y, z])
    with pytest.raises(RuntimeError, match="was changed after the operation was recorded"):
        stale.backward(create_graph=True)
    assert stale.operands[0].data == 4.0
    fresh.backward()
    assert fresh.operands[0].grad == 4.0


@each_way
def test_hooks_stay_with_the_original(copied):
    x = Value(3.0, label="x")
    seen = []
    x.register_hook(seen.append)
    y = x * 2.0
    y.register_hook(lambda gradient: 10.0 * gradient)
    twin = copied(y)
    twin.backward()
    assert seen == []
    assert (twin.operands[0].grad, twin.operands[0].label) == (2.0, "x")
    y.backward()
    assert seen == [20.0]


# -- size ----------------------------------------------------------------------------------------


def chain(n):
    """Return the leaf and the end of a chain of n operations."""
    x = Value(1.0, label="x")
    y = x
    for _ in range(n // 4):
        y = 1.0 - (y * 0.5 + x) / 2.0
    return x, y


def chain_of_totals(n):
    x = Value(0.5)
    y = x
    for _ in range(n):
        y = total([x, y, 1.0])
    return x, y


def fan(n):
    """Return a leaf, and the sum of n operations on it."""
    x = Value(2.0)
    return x, total([x * float(i) for i in range(n)])


def lattice(n):
    """Return a leaf and a graph with more paths than could be walked."""
    x = Value(1.0)
    a, b, half = x, x * 0.25, math.sqrt(0.5)
    for _ in range(n // 4):
        a, b = (a + b) * half, (a - b) * half
    return x, a + b


def round_trip(copied, graph, n):
    with collector_paused():
        x, y = graph(n)
        y.backward()
        leaf, twin = copied([x, y])
        assert leaf.grad == x.grad != 0.0
        assert twin.grad == 1.0
        for node in (x, leaf, y, twin):
            node.zero_grad()
        y.backward()
        twin.backward()
        assert leaf.grad == x.grad != 0.0
        assert leaf.label == x.label
        del y, twin  # frees both
    return True


@pytest.mark.parametrize("graph", [chain, fan])
@pytest.mark.parametrize("copied", [copy.deepcopy, pickled(5)], ids=["deepcopy", "pickle"])
def test_100_000_operations_in_a_thread_with_a_small_stack(copied, graph):
    assert in_a_small_thread(lambda: round_trip(copied, graph, 100_000))


@each_way
@pytest.mark.parametrize("graph", [chain, chain_of_totals, fan, lattice])
def test_5_000_operations_each_way_in_a_thread_with_a_small_stack(copied, graph):
    assert in_a_small_thread(lambda: round_trip(copied, graph, 5_000))


@each_way
def test_a_deep_graph_inside_other_things(copied):
    x, y = chain(8_000)
    thing = {"results": (y, [y * 2.0, x]), "model": nn.MLP(1, [1]), "again": y}
    twin = copied(thing)
    assert twin["results"][0] is twin["again"]
    assert twin["results"][1][0].operands == (twin["again"],)
    twin["results"][1][0].backward()
    y.backward()
    assert twin["results"][1][1].grad == 2.0 * x.grad


def test_a_pickle_of_many_results_has_every_node_once():
    x = Value(1.0)
    results = [x]
    for _ in range(4_000):
        results.append(results[-1] * 0.5 + x)
    alone = len(pickle.dumps(results[-1]))
    for given in (results, results[::-1]):
        data = pickle.dumps(given)
        assert len(data) < 1.5 * alone
        twins = pickle.loads(data)
        last = twins[given.index(results[-1])]
        assert set(twins) <= set(nodes_below(last))
        assert len(nodes_below(last)) == 8_001


@each_way
def test_operands_that_nodes_share_are_shared_by_their_copies(copied):
    weights = [nn.Parameter(0.1) for _ in range(50)]
    outputs = [linear([float(i)] * 50, [weights])[0] for i in range(20)]
    twins = copied(outputs)
    assert len({id(node._a) for node in twins}) == len({id(node._a) for node in outputs})
    assert twins[0].operands == twins[-1].operands != outputs[0].operands


# -- picklers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pickler_of", [pickle.Pickler, pickle._Pickler], ids=["C", "Python"])
def test_picklers_that_take_turns_each_get_everything(pickler_of):
    x, y = chain(8_000)
    z = y * x
    files = io.BytesIO(), io.BytesIO()
    first, second = map(pickler_of, files)
    first.dump(y)
    second.dump(z)
    first.dump(z)
    second.dump([y, x])
    second.dump(z * 2.0)
    first.dump(x)
    for file, count in zip(files, (3, 3), strict=True):
        file.seek(0)
        unpickler = pickle.Unpickler(file)
        found = [unpickler.load() for _ in range(count)]
        leaf = found[-1] if file is files[0] else found[1][1]
        end = found[1] if file is files[0] else found[0]
        end.backward()
        assert leaf.grad == pytest.approx(y.data - 0.4 * x.data, rel=1e-15)


def test_a_pickler_that_forgets_starts_anew():
    x, y = chain(8_000)
    file = io.BytesIO()
    pickler = pickle.Pickler(file)
    pickler.dump(y)
    length = file.tell()
    pickler.clear_memo()
    pickler.dump(y)
    assert file.tell() == 2 * length
    file.seek(length)
    assert pickle.load(file).data == y.data
    assert x.grad == 0.0


def test_threads_may_pickle_one_graph_at_once():
    x, y = chain(4_000)
    expected = pickle.dumps(y)
    with switching_often():
        found = together(*[lambda: [pickle.dumps(y) for _ in range(4)]] * 3)
    assert found == [[expected] * 4] * 3
    assert x.label == "x"


def test_a_failed_pickle_leaves_nothing_behind():
    x, y = chain(4_000)
    bad = cube_of_lambdas(y)
    for _ in range(2):
        with pytest.raises(pickle.PicklingError):
            pickle.dumps([x, bad])
        assert pickle.loads(pickle.dumps(y)).data == y.data


def test_pickling_keeps_nothing_alive():
    def alive():
        return sum(issubclass(type(thing), Value) for thing in gc.get_objects())

    gc.collect()
    with collector_paused():
        before = alive()
        x, y = chain(400)
        twin = pickle.loads(pickle.dumps(y))
        other = copy.deepcopy(y)
        assert alive() == before + 3 * 402 - 3
        del x, y, twin, other
        assert alive() == before


PROGRAM = """
import pickle, sys
from autograd_lite import Value
stale, fresh, leaf = pickle.load(sys.stdin.buffer)
fresh.backward()
print(fresh.operands[0].grad)
y = leaf * leaf
y.backward(create_graph=True)
print(leaf.grad.data)
leaf.zero_grad()
leaf.data = 1.0
for result in (stale, y):
    try:
        result.backward(create_graph=True)
    except RuntimeError:
        print("refused")
"""


def test_another_process_knows_what_was_changed_after_recording():
    x, w, v = Value(3.0), Value(2.0), Value(4.0)
    y, z = x * x, w * w
    for leaf in (v, x):
        leaf.data = leaf.data
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=pickle.dumps([y, z, v]),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(autograd_lite.__file__).parent.parent)},
    )
    assert done.stdout.decode().split() == ["4.0", "8.0", "refused", "refused"]


# -- what nodes are made of ----------------------------------------------------------------------


class Named(Value):
    """A leaf with attributes, and a slot of its own."""

    __slots__ = ("__dict__", "unit")

    def __init__(self, data, names):
        super().__init__(data)
        self.names = names
        self.unit = "m"


class Replaced(Value):
    """Pickles in a way of its own."""

    __slots__ = ()

    def __reduce__(self):
        return Value, (2.0 * self.data,)


@each_way
def test_every_result_of_a_large_graph_comes_back_as_a_value(copied):
    x = Value(3.0)
    kinds = {type(copied(x * 2.0)) for _ in range(1_500)}  # more than one on 3.13
    assert all(issubclass(kind, Value) and kind.__name__ == "Value" for kind in kinds)


@each_way
def test_subclasses_keep_their_class_and_attributes(copied):
    x = Named(2.0, ["x"])
    twin, parameter = copied(x * nn.Parameter(3.0)).operands
    assert type(twin) is Named
    assert type(parameter) is nn.Parameter
    assert (twin.names, twin.unit, twin.data, twin._grad is UNREACHED) == (["x"], "m", 2.0, True)
    assert twin.names is not x.names


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_subclasses_may_pickle_in_a_way_of_their_own(protocol):
    twin = pickled(protocol)(Replaced(3.0) * 5.0)
    twin.backward()
    (leaf,) = twin.operands
    assert (type(leaf), leaf.data, leaf.grad) == (Value, 6.0, 5.0)


def test_an_attribute_may_hold_a_graph():
    _, y = chain(2_000)
    x = Named(2.0, [y])
    twin = pickle.loads(pickle.dumps([x * y, y]))
    leaf, end = twin[0].operands
    assert leaf.names[0] is end is twin[1]


def _cube(x):
    return x * x * x


def _cube_partial(x, y):
    return 3.0 * x * x


def _partials_of_sum(xs, y):
    return [1.0] * len(xs)


cube = Primitive("cube", _cube, [_cube_partial])
cube_of_lambdas = Primitive("cube", _cube, [lambda x, y: 3.0 * x * x])
sum_of_builtin = Variadic("sum", math.fsum, _partials_of_sum)


@each_way
def test_primitives_of_ones_own_made_of_functions_with_names(copied):
    twin = copied(cube(Value(2.0)) * sum_of_builtin([Value(1.0), 4.0]))
    power, added = twin.operands
    twin.backward(create_graph=True)
    assert (power.op, power.operands[0].grad.data) == ("cube", 60.0)
    assert (added.op, added.operands[0].grad.data) == ("sum", 8.0)
    power.operands[0].zero_grad()
    added.operands[0].zero_grad()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_primitives_made_of_lambdas_say_why_they_cannot_be_pickled(protocol):
    with pytest.raises(
        pickle.PicklingError,
        match=r"the primitive 'cube' cannot be pickled, because pickle stores functions by name and"
        r" '<lambda>' of '.*test_copying' is not to be found by name: write its functions with def"
        " at the top of a module",
    ):
        pickle.dumps(cube_of_lambdas(Value(2.0)), protocol)

    def local(xs, y):
        return [2.0 * x for x in xs]

    squares = Variadic("squares", math.hypot, local)
    with pytest.raises(pickle.PicklingError, match=r"'squares' cannot be .*<locals>.local'"):
        pickle.dumps(squares, protocol)


def test_copies_share_primitives_whatever_they_are_made_of():
    x = Value(2.0)
    twin = copy.deepcopy(cube_of_lambdas(x))
    assert copy.copy(cube_of_lambdas) is copy.deepcopy([cube_of_lambdas])[0] is cube_of_lambdas
    twin.backward()
    assert (twin.operands[0].grad, x.grad) == (12.0, 0.0)


@pytest.mark.parametrize("name", autograd_lite.primitives.TABLE)
def test_primitives_of_the_table_are_the_same_object_after_all(name):
    primitive = autograd_lite.primitives.TABLE[name]
    for copied in WAYS.values():
        assert copied(primitive) is primitive


# -- shallow copies ------------------------------------------------------------------------------


def test_a_shallow_copy_is_another_node_of_the_same_operation():
    x = Value(3.0)
    y = x * x
    y.label = "y"
    twin = copy.copy(y)
    assert twin is not y
    assert (twin.data, twin.op, twin.label, twin.operands) == (9.0, "*", "y", (x, x))
    (y + twin * 10.0).backward()
    assert (y.grad, twin.grad, x.grad) == (1.0, 10.0, 66.0)


def test_a_shallow_copy_of_a_leaf_has_a_gradient_of_its_own():
    x = nn.Parameter(3.0)
    fresh = copy.copy(x)
    assert fresh._grad is UNREACHED
    (x * 2.0).backward()
    twin = copy.copy(x)
    assert (type(twin), twin.data, twin.grad, twin.op) == (nn.Parameter, 3.0, 2.0, "")
    (twin * 5.0).backward()
    twin.data = 4.0
    assert (twin.grad, x.grad, x.data, fresh.grad) == (7.0, 2.0, 3.0, 0.0)
    assert copy.copy(Value(1.0, requires_grad=False)).requires_grad is False


def test_a_shallow_copy_shares_attributes_and_a_gradient_that_is_a_graph():
    x = Named(2.0, ["x"])
    (x * x).backward(create_graph=True)
    twin = copy.copy(x)
    assert twin.names is x.names
    assert twin.grad is x.grad
    x.zero_grad()
    assert twin.grad.data == 4.0
    twin.names = []
    assert x.names == ["x"]


def test_a_shallow_copy_of_a_deep_graph_shares_all_that_is_below():
    x, y = chain(100_000)
    twin = copy.copy(y)
    assert twin.operands == y.operands
    twin.backward()
    assert x.grad == pytest.approx(-0.4, rel=1e-15)


# -- models --------------------------------------------------------------------------------------

INPUTS = [[0.5, -1.0], [1.5, 0.25], [-0.75, 1.0]]


def trained(model, optimizer, steps):
    """Return the losses of some steps, and the parameters after them, bit for bit."""
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = total([(out - 1.0) ** 2.0 for out in model(INPUTS)])
        loss.backward()
        optimizer.step()
        losses.append(loss.data.hex())
    return losses, [p.data.hex() for p in model.parameters()]


@each_way
@pytest.mark.parametrize("optimizer_of", [nn.optim.SGD, nn.optim.Adam])
def test_training_goes_on_in_a_copy_as_in_the_original(copied, optimizer_of):
    model = nn.MLP(2, [4, 1])
    optimizer = optimizer_of(model.parameters(), lr=0.05)
    trained(model, optimizer, 3)
    twin, its_optimizer = copied((model, optimizer))
    assert its_optimizer.params[0] in twin.parameters()
    assert [p.grad for p in twin.parameters()] == [p.grad for p in model.parameters()]
    assert [p.label for p in twin.parameters()] == [p.label for p in model.parameters()]
    expected = trained(model, optimizer, 4)
    assert trained(twin, its_optimizer, 4) == expected


@each_way
def test_a_model_goes_with_the_loss_that_was_computed_with_it(copied):
    model = nn.MLP(2, [4, 1])
    loss = total(model(INPUTS))
    twin, same = copied((model, loss))
    loss.backward()
    same.backward()
    assert [p.grad for p in twin.parameters()] == [p.grad for p in model.parameters()]
    assert any(p.grad for p in twin.parameters())
