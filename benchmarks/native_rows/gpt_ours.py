"""The GPT with our Values: compiled, in operators alone or with the functions that we have."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite
import nn
from autograd_lite import lanes
from native_rows.gpt_model import BETAS, LR, Operators, flat, mean_loss, weights


class Looked(Operators):
    """Operators, where labels are looked up, so that a program takes any label."""

    @staticmethod
    def row(matrix: list[list[Any]], label: Any) -> list[Any]:
        return [lanes.pick(column, label) for column in zip(*matrix, strict=True)]

    @classmethod
    def loss(cls, logits: list[Any], label: Any) -> Any:
        return -lanes.pick(cls.softmax(logits), label).log()


class Functions(Looked):
    """The words of our library: one node for a neuron, cross-entropy without an overflow."""

    cross_entropy = nn.CrossEntropyLoss()

    @staticmethod
    def linear(xs: list[Any], matrix: list[list[Any]]) -> list[Any]:
        return autograd_lite.linear(xs, matrix)

    @staticmethod
    def softmax(xs: list[Any]) -> list[Any]:
        return autograd_lite.softmax(xs)

    @classmethod
    def loss(cls, logits: list[Any], label: Any) -> Any:
        return cls.cross_entropy(logits, label)


class Gpt:
    """The weights, a compiled loss of one document, and Adam."""

    def __init__(self, words: Any) -> None:
        self.model = weights(lambda number, label: nn.Parameter(number, label=label))
        self.parameters = flat(self.model)
        self.optimizer = nn.optim.Adam(self.parameters, lr=LR, betas=BETAS)
        self.loss = autograd_lite.compile(
            lambda tokens: mean_loss(self.model, tokens, words), parameters=self.parameters
        )

    def step(self, tokens: np.ndarray) -> float:
        """Train on one document: its tokens, as the one row of an array."""
        self.optimizer.zero_grad()
        loss = self.loss(tokens)
        self.optimizer.step()
        return loss
