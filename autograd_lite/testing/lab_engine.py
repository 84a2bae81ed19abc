"""A small engine in the manner of micrograd; `autograd_lite.testing.bug_lab` plants bugs in it.

An operation states its result, its operands, and the partial derivative with respect to each of
them; `Value.backward` is the only place that knows the chain rule.
"""

from __future__ import annotations

import math


class Value:
    """A number that remembers how it was computed."""

    def __init__(
        self,
        data: float,
        operands: tuple[Value, ...] = (),
        partials: tuple[float, ...] = (),
        op: str = "",
    ) -> None:
        self.data = data
        self.grad = 0.0
        self._prev = operands
        self._partials = partials
        self._op = op

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    @staticmethod
    def lifted(x: Value | float) -> Value:
        """Return a Value for a plain number."""
        return x if isinstance(x, Value) else Value(x)

    # -- arithmetic -------------------------------------------------------------------------------

    def __add__(self, other: Value | float) -> Value:
        other = Value.lifted(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0), "+")

    def __sub__(self, other: Value | float) -> Value:
        other = Value.lifted(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0), "-")

    def __mul__(self, other: Value | float) -> Value:
        other = Value.lifted(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data), "*")

    def __truediv__(self, other: Value | float) -> Value:
        other = Value.lifted(other)
        y = self.data / other.data
        return Value(y, (self, other), (1.0 / other.data, -y / other.data), "/")

    def __pow__(self, other: Value | float) -> Value:
        if isinstance(other, Value):
            y, b = self.data**other.data, other.data
            by_base, by_exponent = b * self.data ** (b - 1), y * math.log(self.data)
            return Value(y, (self, other), (by_base, by_exponent), "**")
        return Value(self.data**other, (self,), (other * self.data ** (other - 1),), "**")

    def __neg__(self) -> Value:
        return Value(-self.data, (self,), (-1.0,), "neg")

    def __radd__(self, other: float) -> Value:
        return Value(other) + self

    def __rsub__(self, other: float) -> Value:
        return Value(other) - self

    def __rmul__(self, other: float) -> Value:
        return Value(other) * self

    def __rtruediv__(self, other: float) -> Value:
        return Value(other) / self

    def __rpow__(self, other: float) -> Value:
        return Value(other) ** self

    # -- functions --------------------------------------------------------------------------------

    def __abs__(self) -> Value:
        y = abs(self.data)
        return Value(y, (self,), (1.0 if self.data > 0 else -1.0,), "abs")

    def relu(self) -> Value:
        y = max(self.data, 0.0)
        return Value(y, (self,), (1.0 if y > 0 else 0.0,), "relu")

    def exp(self) -> Value:
        y = math.exp(self.data)
        return Value(y, (self,), (y,), "exp")

    def log(self) -> Value:
        y = math.log(self.data)
        return Value(y, (self,), (1.0 / self.data,), "log")

    def tanh(self) -> Value:
        y = math.tanh(self.data)
        return Value(y, (self,), (1.0 - y * y,), "tanh")

    def sigmoid(self) -> Value:
        y = 1.0 / (1.0 + math.exp(-self.data))
        return Value(y, (self,), (y * (1.0 - y),), "sigmoid")

    def sin(self) -> Value:
        y = math.sin(self.data)
        return Value(y, (self,), (math.cos(self.data),), "sin")

    def cos(self) -> Value:
        y = math.cos(self.data)
        return Value(y, (self,), (-math.sin(self.data),), "cos")

    def sqrt(self) -> Value:
        y = math.sqrt(self.data)
        return Value(y, (self,), (0.5 / y,), "sqrt")

    # -- the chain rule ---------------------------------------------------------------------------

    def zero_grad(self) -> None:
        """Forget the gradient that earlier calls of ``backward`` have added up."""
        self.grad = 0.0

    def backward(self) -> None:
        """Add d self / d leaf to the ``grad`` of every leaf below."""
        order = self._topological_order()
        for node in order:
            if node._prev:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            for operand, partial in zip(node._prev, node._partials, strict=False):
                operand.grad += partial * node.grad

    def _topological_order(self) -> list[Value]:
        """Return all nodes below, operands before what was computed from them."""
        order: list[Value] = []
        seen: set[Value] = set()
        stack = [(self, False)]
        while stack:
            node, operands_done = stack.pop()
            if operands_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((operand, False) for operand in node._prev)
        return order
