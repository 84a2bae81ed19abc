"""A scalar Value in the manner of microgpt: slots, operands and local derivatives in two tuples."""

from __future__ import annotations

import math
from typing import Any


class Value:
    """A number that remembers its operands and the derivatives by them."""

    __slots__ = ("_children", "_local_grads", "data", "grad")

    def __init__(self, data: float, children: Any = (), local_grads: Any = ()) -> None:
        self.data = data
        self.grad = 0.0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power: float) -> Value:
        return Value(self.data**power, (self,), (power * self.data ** (power - 1),))

    def exp(self) -> Value:
        y = math.exp(self.data)
        return Value(y, (self,), (y,))

    def log(self) -> Value:
        return Value(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self) -> Value:
        return Value(max(0.0, self.data), (self,), (float(self.data > 0.0),))

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Any) -> Value:
        return self + (-other)

    def __truediv__(self, other: Any) -> Value:
        return self * other**-1

    __radd__ = __add__
    __rmul__ = __mul__

    def __rtruediv__(self, other: Any) -> Value:
        return other * self**-1

    def backward(self) -> None:
        """Sort what led here, and add to every gradient along the edges, backwards."""
        order: list[Value] = []
        visited = set()

        def visit(value: Value) -> None:
            if value not in visited:
                visited.add(value)
                for child in value._children:
                    visit(child)
                order.append(value)

        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            for child, local in zip(value._children, value._local_grads, strict=True):
                child.grad += local * value.grad


class Adam:
    """Adam as one writes it for such Values: lists, and a loop over the parameters."""

    def __init__(self, parameters: list[Any], lr: float, betas: tuple[float, float]) -> None:
        self.parameters, self.lr, self.betas, self.eps = parameters, lr, betas, 1e-8
        self.m = [0.0] * len(parameters)
        self.v = [0.0] * len(parameters)
        self.steps = 0

    def step(self) -> None:
        """Make a step, and set the gradients back to 0."""
        beta1, beta2 = self.betas
        self.steps += 1
        for i, p in enumerate(self.parameters):
            self.m[i] = beta1 * self.m[i] + (1 - beta1) * p.grad
            self.v[i] = beta2 * self.v[i] + (1 - beta2) * p.grad**2
            mean = self.m[i] / (1 - beta1**self.steps)
            size = self.v[i] / (1 - beta2**self.steps)
            p.data -= self.lr * mean / (size**0.5 + self.eps)
            p.grad = 0.0
