"""A network with one hidden layer in NumPy: every product into an array made beforehand."""

from __future__ import annotations

import numpy as np


class Network:
    """Linear, ReLU, linear, softmax cross-entropy, and Adam over one flat array of parameters.

    Parameters
    ----------
    sizes : (inputs, hidden, outputs)
    batch : int
    flat : array
        The parameters: weights (outputs × inputs) and biases of the first layer, of the second.
    """

    def __init__(self, sizes: tuple[int, int, int], batch: int, flat: np.ndarray) -> None:
        _, hidden, outputs = sizes
        self.flat = flat.copy()
        self.gradient = np.zeros_like(flat)
        self.w1, self.b1, self.w2, self.b2 = self._parts(self.flat, sizes)
        self.gw1, self.gb1, self.gw2, self.gb2 = self._parts(self.gradient, sizes)
        self.h = np.empty((batch, hidden), flat.dtype)
        self.gh = np.empty_like(self.h)
        self.active = np.empty((batch, hidden), bool)
        self.z = np.empty((batch, outputs), flat.dtype)
        self.row = np.empty((batch, 1), flat.dtype)
        self.rows = np.arange(batch)
        self.m, self.v = np.zeros_like(flat), np.zeros_like(flat)
        self.change, self.size = np.empty_like(flat), np.empty_like(flat)
        self.steps = 0

    def _parts(self, flat: np.ndarray, sizes: tuple[int, int, int]) -> list[np.ndarray]:
        inputs, hidden, outputs = sizes
        ends = np.cumsum([hidden * inputs, hidden, outputs * hidden])
        w1, b1, w2, b2 = np.split(flat, ends)
        return [w1.reshape(hidden, inputs), b1, w2.reshape(outputs, hidden), b2]

    def loss_and_gradient(self, x: np.ndarray, y: np.ndarray) -> float:
        """Return the mean loss of a batch; its gradient is in ``gradient``."""
        h, gh, z, row = self.h, self.gh, self.z, self.row
        np.matmul(x, self.w1.T, out=h)
        h += self.b1
        np.maximum(h, 0.0, out=h)
        np.matmul(h, self.w2.T, out=z)
        z += self.b2
        np.max(z, axis=1, keepdims=True, out=row)
        z -= row
        chosen = z[self.rows, y]
        np.exp(z, out=z)
        np.sum(z, axis=1, keepdims=True, out=row)
        loss = float((np.log(row[:, 0]) - chosen).mean())
        z /= row
        z[self.rows, y] -= 1.0
        z *= 1.0 / len(x)
        np.matmul(z.T, h, out=self.gw2)
        np.sum(z, axis=0, out=self.gb2)
        np.matmul(z, self.w2, out=gh)
        np.greater(h, 0.0, out=self.active)
        gh *= self.active
        np.matmul(gh.T, x, out=self.gw1)
        np.sum(gh, axis=0, out=self.gb1)
        return loss

    def adam(self, lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> None:
        """Make Adam's step from the gradient."""
        self.steps += 1
        change, size = self.change, self.size
        self.m *= beta1
        np.multiply(self.gradient, 1.0 - beta1, out=change)
        self.m += change
        self.v *= beta2
        np.multiply(self.gradient, self.gradient, out=change)
        change *= 1.0 - beta2
        self.v += change
        np.sqrt(self.v, out=size)
        size *= 1.0 / (1.0 - beta2**self.steps) ** 0.5
        size += eps
        np.divide(self.m, size, out=change)
        change *= lr / (1.0 - beta1**self.steps)
        self.flat -= change

    def step(self, x: np.ndarray, y: np.ndarray, lr: float) -> float:
        loss = self.loss_and_gradient(x, y)
        self.adam(lr)
        return loss
