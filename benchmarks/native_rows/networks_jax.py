"""A network with one hidden layer in JAX: the whole training step as one compiled function."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def loss_of(parameters: Any, x: Any, y: Any) -> Any:
    w1, b1, w2, b2 = parameters
    h = jax.nn.relu(x @ w1.T + b1)
    logits = h @ w2.T + b2
    chosen = jnp.take_along_axis(logits, y[:, None], axis=1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(logits, axis=1) - chosen)


@partial(jax.jit, donate_argnums=0, static_argnums=3)
def train_step(state: Any, x: Any, y: Any, lr: float) -> tuple[Any, Any]:
    """Make a step of Adam; the old state's memory is given away for the new one's."""
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    parameters, m, v, count = state
    loss, gradient = jax.value_and_grad(loss_of)(parameters, x, y)
    count = count + 1
    m = jax.tree.map(lambda a, g: beta1 * a + (1.0 - beta1) * g, m, gradient)
    v = jax.tree.map(lambda a, g: beta2 * a + (1.0 - beta2) * g * g, v, gradient)
    mean, size = 1.0 / (1.0 - beta1**count), 1.0 / (1.0 - beta2**count)
    parameters = jax.tree.map(
        lambda p, a, b: p - lr * (a * mean) / (jnp.sqrt(b * size) + eps), parameters, m, v
    )
    return (parameters, m, v, count), loss


class Network:
    """The state of training, and a step that replaces it."""

    def __init__(self, sizes: tuple[int, int, int], flat: np.ndarray, lr: float) -> None:
        jax.config.update("jax_enable_x64", True)
        inputs, hidden, outputs = sizes
        ends = np.cumsum([hidden * inputs, hidden, outputs * hidden])
        w1, b1, w2, b2 = np.split(flat, ends)
        parts = (w1.reshape(hidden, inputs), b1, w2.reshape(outputs, hidden), b2)
        parameters = tuple(jnp.array(part) for part in parts)
        m, v = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
        self.state: Any = (parameters, m, v, jnp.zeros((), flat.dtype))
        self.lr = lr

    def step(self, x: Any, y: Any) -> Any:
        self.state, loss = train_step(self.state, x, y, self.lr)
        return loss

    @property
    def flat(self) -> np.ndarray:
        return np.concatenate([np.ravel(part) for part in self.state[0]])


def arrays(*given: np.ndarray) -> list[Any]:
    jax.config.update("jax_enable_x64", True)
    return [jnp.asarray(array) for array in given]
