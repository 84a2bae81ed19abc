"""The step of micrograd's demo notebook, compiled."""

from __future__ import annotations

import math
import random

import numpy as np

import autograd_lite
import nn

LR, DECAY = 0.05, 1e-4


def two_moons(count: int) -> tuple[list[list[float]], list[int]]:
    """Return points on two half circles, and on which of them they are, 1 or -1."""
    rng = random.Random(0)
    inputs, labels = [], []
    for i in range(count):
        angle, upper = math.pi * rng.random(), i % 2 == 0
        x = math.cos(angle) if upper else 1.0 - math.cos(angle)
        y = math.sin(angle) if upper else 0.5 - math.sin(angle)
        inputs.append([x + rng.gauss(0.0, 0.1), y + rng.gauss(0.0, 0.1)])
        labels.append(1 if upper else -1)
    return inputs, labels


class Demo:
    """The network, hinge loss and penalty as one program, and gradient descent."""

    def __init__(self, inputs: list[list[float]], labels: list[int]) -> None:
        self.x, self.y = np.array(inputs), np.array(labels, float)
        self.model = nn.MLP(2, [16, 16, 1], seed=1337)
        parameters = self.model.parameters()
        self.optimizer = nn.optim.SGD(parameters, lr=LR)
        self.loss = autograd_lite.compile(
            lambda x, y: (1 - y * self.model(x)).relu() + DECAY * sum(p * p for p in parameters),
            parameters=parameters,
        )

    def step(self) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(self.x, self.y)
        self.optimizer.step()
        return loss

    @property
    def flat(self) -> list[float]:
        return [p.data for p in self.model.parameters()]
