"""The graphs that are looked at in a browser."""

from __future__ import annotations

import nn
from autograd_lite import Value, relu, sin, steps
from autograd_lite.drawing.stepper import page
from autograd_lite.stepping import Steps


def lecture(*, forward: bool = False) -> Steps:
    """f = (x² + sin x²)·x² at 2, lectures row 1.1."""
    x = Value(2.0)
    a = x**2
    b = sin(a)
    c = a + b
    f = a * c
    return steps(f, names={"x": x, "a": a, "b": b, "c": c, "f": f}, forward=forward)


def hand_example() -> Steps:
    """The network with one input, two ReLU neurons and one output of lectures row 2.2."""
    x, y = Value(1.0, label="x"), 3.0
    w = [Value(2.0, label="w11"), Value(-1.0, label="w12")]
    v = [Value(1.0, label="w21"), Value(2.0, label="w22")]
    z = [x * weight for weight in w]
    a = [relu(each) for each in z]
    g = a[0] * v[0] + a[1] * v[1]
    loss = (g - y) ** 2
    names = {"z1": z[0], "z2": z[1], "a1": a[0], "a2": a[1], "g": g, "L": loss}
    return steps(loss, names=names)


def small_mlp() -> Steps:
    """A network with two inputs, three hidden neurons and one output, and its squared loss."""
    model = nn.MLP(2, [3, 1], seed=0)
    y = model([Value(1.0, label="x1"), Value(-0.5, label="x2")])
    loss = (y - 1.0) ** 2
    return steps(loss, names={"model": model, "y": y, "loss": loss})


def document(walk: Steps) -> str:
    return page(walk, document=True)
