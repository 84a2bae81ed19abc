"""The step of micrograd's demo notebook, with micrograd."""

from __future__ import annotations

import micrograd.nn
from micrograd.engine import Value

from native_rows.moons_ours import DECAY, LR


class Demo:
    """The network, started from given numbers, and its step on all samples."""

    def __init__(self, inputs: list[list[float]], labels: list[int], flat: list[float]) -> None:
        self.inputs, self.labels = inputs, labels
        self.model = micrograd.nn.MLP(2, [16, 16, 1])
        for p, number in zip(self.model.parameters(), flat, strict=True):
            p.data = number

    def step(self) -> float:
        scores = [self.model(list(map(Value, row))) for row in self.inputs]
        losses = [
            (1 + -label * score).relu() for label, score in zip(self.labels, scores, strict=True)
        ]
        data_loss = sum(losses) * (1.0 / len(losses))
        penalty = DECAY * sum(p * p for p in self.model.parameters())
        loss = data_loss + penalty
        self.model.zero_grad()
        loss.backward()
        for p in self.model.parameters():
            p.data -= LR * p.grad
        return loss.data
