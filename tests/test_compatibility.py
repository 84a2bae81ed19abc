"""Code written for micrograd and microgpt runs with our Value, to the same numbers."""

import math
import random

import micrograd.engine
import micrograd.nn
import pytest
from graphviz import Digraph

from autograd_lite import Value

# -- micrograd's own tests -----------------------------------------------------------------------
# Its figures come from PyTorch there; they are recorded here.


def test_micrograd_sanity_check():
    x = Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)


def micrograd_more_ops(value):
    a = value(-4.0)
    b = value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return g.data, a.grad, b.grad


def test_micrograd_more_ops():
    found = micrograd_more_ops(Value)
    assert found == pytest.approx(
        (24.70408163265306, 138.83381924198252, 645.5772594752187), rel=1e-15
    )
    assert found == pytest.approx(micrograd_more_ops(micrograd.engine.Value), rel=1e-15)


# -- drawing -------------------------------------------------------------------------------------


def trace(root):
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


def draw_dot(root, digraph):
    """micrograd's drawing function as notebooks carry it around."""
    dot = digraph(format="svg", graph_attr={"rankdir": "LR"})
    nodes, edges = trace(root)
    for n in nodes:
        uid = str(id(n))
        dot.node(
            name=uid,
            label="{ %s | data %.4f | grad %.4f }" % (n.label, n.data, n.grad),  # noqa: UP031
            shape="record",
        )
        if n._op:
            dot.node(name=uid + n._op, label=n._op)
            dot.edge(uid + n._op, uid)
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    return dot


def test_draw_dot():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    d = (c + a).tanh()
    d.label = "d"
    d.backward()
    source = draw_dot(d, Digraph).source
    slope = 1.0 - math.tanh(-4.0) ** 2
    assert f"{{ a | data 2.0000 | grad {-2.0 * slope:.4f} }}" in source
    assert f"{{ c | data -6.0000 | grad {slope:.4f} }}" in source
    assert source.count("->") == 3 + 5  # one into each result, one per operand
    assert source.count("label=tanh") == 1


# -- micrograd's demo ----------------------------------------------------------------------------


def moons(n):
    rng = random.Random(5)
    points, labels = [], []
    for i in range(n):
        angle, upper = math.pi * rng.random(), i % 2 == 0
        x = math.cos(angle) if upper else 1.0 - math.cos(angle)
        y = math.sin(angle) if upper else 0.5 - math.sin(angle)
        points.append([x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)])
        labels.append(1 if upper else -1)
    return points, labels


def demo_steps(value, steps):
    """Train as micrograd's demo notebook does; return losses, accuracies and last gradients."""
    random.seed(1337)
    model = micrograd.nn.MLP(2, [16, 16, 1])
    points, labels = moons(20)
    history = []
    for k in range(steps):
        inputs = [list(map(value, row)) for row in points]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * si).relu() for yi, si in zip(labels, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        reg_loss = 1e-4 * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (si.data > 0) for yi, si in zip(labels, scores, strict=True)]
        model.zero_grad()
        total_loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
        history.append((total_loss.data, sum(accuracy)))
    return history, [p.grad for p in model.parameters()], str(model)


def test_micrograds_nn_and_demo_train_the_same_with_our_value(monkeypatch):
    expected, gradients, shown = demo_steps(micrograd.engine.Value, 5)
    monkeypatch.setattr(micrograd.nn, "Value", Value)
    found, ours, same = demo_steps(Value, 5)
    assert same == shown
    assert [hits for _, hits in found] == [hits for _, hits in expected]
    assert [x for x, _ in found] == pytest.approx([x for x, _ in expected], rel=1e-12)
    assert ours == pytest.approx(gradients, rel=1e-10, abs=1e-13)
    assert found[-1][0] < found[0][0]


# -- microgpt ------------------------------------------------------------------------------------


class Reference:
    """A Value in microgpt's style: children and local gradients, one loop for the chain rule."""

    def __init__(self, data, children=(), local_grads=()):
        self.data, self.grad = data, 0
        self.children, self.local_grads = children, local_grads

    def __add__(self, other):
        other = other if isinstance(other, Reference) else Reference(other)
        return Reference(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Reference) else Reference(other)
        return Reference(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other):
        return Reference(self.data**other, (self,), (other * self.data ** (other - 1),))

    def log(self):
        return Reference(math.log(self.data), (self,), (1 / self.data,))

    def exp(self):
        return Reference(math.exp(self.data), (self,), (math.exp(self.data),))

    def relu(self):
        return Reference(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for child in v.children:
                    visit(child)
                order.append(v)

        visit(self)
        self.grad = 1
        for v in reversed(order):
            for child, local in zip(v.children, v.local_grads, strict=True):
                child.grad += local * v.grad


def gpt_steps(value, steps):
    """Train one attention head and a two-layer network to predict the next letter."""
    rng = random.Random(42)
    vocabulary, width = 5, 4

    def matrix(rows, columns):
        return [[value(rng.gauss(0, 0.3)) for _ in range(columns)] for _ in range(rows)]

    state = {"wte": matrix(vocabulary, width), "wpe": matrix(6, width)}
    state |= {name: matrix(width, width) for name in ("wq", "wk", "wv", "wo")}
    state |= {"fc1": matrix(2 * width, width), "fc2": matrix(width, 2 * width)}
    state["lm_head"] = matrix(vocabulary, width)
    params = [p for rows in state.values() for row in rows for p in row]

    def linear(x, w):
        return [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]

    def softmax(logits):
        highest = max(v.data for v in logits)
        exps = [(v - highest).exp() for v in logits]
        whole = sum(exps)
        return [e / whole for e in exps]

    def rmsnorm(x):
        mean_square = sum(xi * xi for xi in x) / len(x)
        scale = (mean_square + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    def gpt(token, position, keys, values):
        x = [t + p for t, p in zip(state["wte"][token], state["wpe"][position], strict=True)]
        residual, x = x, rmsnorm(x)
        q = linear(x, state["wq"])
        keys.append(linear(x, state["wk"]))
        values.append(linear(x, state["wv"]))
        scores = [sum(q[j] * k[j] for j in range(width)) / width**0.5 for k in keys]
        weights = softmax(scores)
        head = [sum(weights[t] * values[t][j] for t in range(len(values))) for j in range(width)]
        x = [a + b for a, b in zip(linear(head, state["wo"]), residual, strict=True)]
        residual, x = x, rmsnorm(x)
        x = linear([h.relu() for h in linear(x, state["fc1"])], state["fc2"])
        x = [a + b for a, b in zip(x, residual, strict=True)]
        return linear(x, state["lm_head"])

    losses = []
    for step in range(steps):
        tokens = [0, 1 + step % 2, 3, 2, 4, 0]
        keys, values, terms = [], [], []
        for position in range(len(tokens) - 1):
            probabilities = softmax(gpt(tokens[position], position, keys, values))
            terms.append(-probabilities[tokens[position + 1]].log())
        loss = (1 / len(terms)) * sum(terms)
        loss.backward()
        losses.append(loss.data)
        gradients = [p.grad for p in params]
        for p in params:
            p.data -= 0.1 * p.grad
            p.grad = 0
    return losses, gradients


def test_a_script_in_microgpts_style_gives_the_same_numbers():
    expected, expected_gradients = gpt_steps(Reference, 4)
    losses, gradients = gpt_steps(Value, 4)
    assert losses == pytest.approx(expected, rel=1e-13)
    assert gradients == pytest.approx(expected_gradients, rel=1e-10, abs=1e-14)
    assert losses[-1] < losses[0]
