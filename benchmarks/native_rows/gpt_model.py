"""A GPT of microgpt's shape in plain functions of scalars, for any class with operators.

One layer, 16 wide, 4 heads, context 16, 27 characters; RMSNorm, no biases, ReLU, an MLP four times
as wide. The same functions run on the other class, on our Values, and inside `compile`. What a
scalar class may have a way of its own for is asked of ``words``: the loss of a list of logits, a
row of a table, a softmax, a matrix times a vector.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

WIDTH, HEADS, CONTEXT, CHARACTERS = 16, 4, 16, 27
BOUNDARY = CHARACTERS - 1  # the token before and after a name
HEAD = WIDTH // HEADS
LR, BETAS = 0.01, (0.85, 0.99)

NAMES = ["ada", "emmy", "alonzo", "dorothy"]


def shapes() -> dict[str, tuple[int, int]]:
    """Return rows and columns of every matrix of weights."""
    attention = dict.fromkeys(("query", "key", "value", "attention"), (WIDTH, WIDTH))
    return {
        "token": (CHARACTERS, WIDTH),
        "position": (CONTEXT, WIDTH),
        "out": (CHARACTERS, WIDTH),
        **attention,
        "up": (4 * WIDTH, WIDTH),
        "down": (WIDTH, 4 * WIDTH),
    }


def weights(make: Callable[[float, str], Any], seed: int = 42) -> dict[str, list[list[Any]]]:
    """Draw the weights, each made into a Value by ``make(number, label)``."""
    rng = random.Random(seed)
    return {
        name: [
            [make(rng.gauss(0.0, 0.08), f"{name}[{row}][{column}]") for column in range(columns)]
            for row in range(rows)
        ]
        for name, (rows, columns) in shapes().items()
    }


def flat(model: dict[str, list[list[Any]]]) -> list[Any]:
    return [w for matrix in model.values() for row in matrix for w in row]


def tokens_of(name: str) -> list[int]:
    """Return a name as tokens, boundaries on both sides, cut to the context."""
    inside = [ord(letter) - ord("a") for letter in name]
    return [BOUNDARY, *inside, BOUNDARY][: CONTEXT + 1]


class Operators:
    """What the model needs, in operators alone, as one writes it for any scalar class."""

    @staticmethod
    def linear(xs: list[Any], matrix: list[list[Any]]) -> list[Any]:
        return [sum(w * x for w, x in zip(row, xs, strict=True)) for row in matrix]

    @staticmethod
    def softmax(xs: list[Any]) -> list[Any]:
        """Return exp(x) / Σ exp(x). The logits of so small a model need no shift."""
        powers = [x.exp() for x in xs]
        total = sum(powers)
        return [power / total for power in powers]

    @staticmethod
    def row(matrix: list[list[Any]], label: int) -> list[Any]:
        return matrix[label]

    @classmethod
    def loss(cls, logits: list[Any], label: int) -> Any:
        return -cls.softmax(logits)[label].log()


def rms_norm(xs: list[Any]) -> list[Any]:
    scale = (sum(x * x for x in xs) / len(xs) + 1e-5) ** -0.5
    return [x * scale for x in xs]


def mean_loss(model: dict[str, list[list[Any]]], tokens: Sequence[Any], words: Any) -> Any:
    """Return the mean loss of predicting each token of a document from those before it."""
    keys: list[list[Any]] = []
    values: list[list[Any]] = []
    losses = []
    for position, (token, following) in enumerate(pairwise(tokens)):
        logits = predict(model, token, position, keys, values, words)
        losses.append(words.loss(logits, following))
    return sum(losses) / len(losses)


def predict(
    model: dict[str, list[list[Any]]],
    token: Any,
    position: int,
    keys: list[list[Any]],
    values: list[list[Any]],
    words: Any,
) -> list[Any]:
    """Return the logits of the next token; what was at earlier positions is in keys and values."""
    embedded = zip(words.row(model["token"], token), model["position"][position], strict=True)
    x = rms_norm([a + b for a, b in embedded])

    before, x = x, rms_norm(x)
    query = words.linear(x, model["query"])
    keys.append(words.linear(x, model["key"]))
    values.append(words.linear(x, model["value"]))
    attended: list[Any] = []
    for head in range(HEADS):
        part = slice(head * HEAD, (head + 1) * HEAD)
        scores = [score / HEAD**0.5 for score in words.linear(query[part], [k[part] for k in keys])]
        shares = words.softmax(scores)
        columns = [list(column) for column in zip(*(v[part] for v in values), strict=True)]
        attended += words.linear(shares, columns)
    x = [a + b for a, b in zip(words.linear(attended, model["attention"]), before, strict=True)]

    before, x = x, rms_norm(x)
    x = [h.relu() for h in words.linear(x, model["up"])]
    x = [a + b for a, b in zip(words.linear(x, model["down"]), before, strict=True)]
    return words.linear(x, model["out"])
