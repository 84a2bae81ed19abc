"""A network with one hidden layer as our nn writes it, its training step compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite
import nn


class Network:
    """An `nn.MLP`, cross-entropy, Adam.

    Parameters
    ----------
    sizes : (inputs, hidden, outputs)
    flat : array
        The parameters, as for the NumPy side.
    lr : float
    options
        Of `compile`: dtype, threads.
    """

    def __init__(
        self, sizes: tuple[int, int, int], flat: np.ndarray, lr: float, **options: Any
    ) -> None:
        inputs, hidden, outputs = sizes
        ends = np.cumsum([hidden * inputs, hidden, outputs * hidden])
        w1, b1, w2, b2 = np.split(flat.astype(float), ends)
        self.model = nn.MLP(inputs, [hidden, outputs])
        self.model.load_state_dict(
            {
                "layers.0.weight": w1.reshape(hidden, inputs).tolist(),
                "layers.0.bias": b1.tolist(),
                "layers.1.weight": w2.reshape(outputs, hidden).tolist(),
                "layers.1.bias": b2.tolist(),
            }
        )
        self.loss = nn.CrossEntropyLoss()
        self.optimizer = nn.optim.Adam(self.model.parameters(), lr=lr)
        self.mean_loss = autograd_lite.compile(
            lambda x, y: self.loss(self.model(x), y),
            parameters=self.model.parameters(),
            **options,
        )

    def loss_and_gradient(self, x: np.ndarray, y: np.ndarray) -> float:
        self.optimizer.zero_grad()
        return self.mean_loss(x, y)

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        loss = self.loss_and_gradient(x, y)
        self.optimizer.step()
        return loss

    def epoch(self, x: np.ndarray, y: np.ndarray, batch: int, rng: np.random.Generator) -> float:
        """Go through the data once, shuffled, in a loop of one's own; return the mean loss."""
        order = rng.permutation(len(x))
        losses = []
        for start in range(0, len(x), batch):
            chosen = order[start : start + batch]
            losses.append(self.step(x[chosen], y[chosen]))
        return sum(losses) / len(losses)

    def fit(self, x: np.ndarray, y: np.ndarray, batch: int, epochs: int) -> float:
        """Train with `nn.fit`, which compiles anew; return the last epoch's mean loss."""
        history = nn.fit(
            self.model,
            (x, y),
            loss=self.loss,
            optimizer=self.optimizer,
            epochs=epochs,
            batch_size=batch,
            compile=True,
            progress=False,
        )
        return history.epochs[-1].loss

    @property
    def flat(self) -> np.ndarray:
        return self._numbers("data")

    @property
    def gradient(self) -> np.ndarray:
        return self._numbers("grad")

    def _numbers(self, name: str) -> np.ndarray:
        """Return what the parameters have, weights of a layer before its biases."""
        numbers = []
        for layer in self.model.layers:
            numbers += [getattr(w, name) for neuron in layer.neurons for w in neuron.w]
            numbers += [getattr(neuron.b, name) for neuron in layer.neurons]
        return np.array(numbers)
