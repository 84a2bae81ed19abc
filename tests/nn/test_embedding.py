"""Embedding: labels in, learned rows out."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import nn
from autograd_lite import total
from nn.nested import elementwise, flat, shape_of


def test_a_label_gives_its_row_of_parameters() -> None:
    embedding = nn.Embedding(4, 3, seed=0)
    assert all(a is b for a, b in zip(embedding(2), embedding.weight[2], strict=True))
    assert [row[0] for row in embedding([3, 0])] == [
        embedding.weight[3][0],
        embedding.weight[0][0],
    ]
    embedding(2).clear()
    assert len(embedding.weight[2]) == 3


@pytest.mark.parametrize(
    ("labels", "shape"),
    [
        (1, (2,)),
        ([1, 2, 3], (3, 2)),
        ([[1, 2, 3], [0, 0, 0]], (2, 3, 2)),
        (np.array([[1], [2]]), (2, 1, 2)),
        (np.int64(3), (2,)),
    ],
)
def test_labels_of_any_shape_give_rows(labels: Any, shape: tuple[int, ...]) -> None:
    assert shape_of(nn.Embedding(4, 2)(labels), "rows") == shape


def test_it_is_a_linear_layer_of_one_hot_vectors() -> None:
    embedding, linear = nn.Embedding(4, 3, seed=0), nn.Linear(4, 3, bias=False)
    rows = embedding.state_dict()["weight"]
    linear.load_state_dict({"weight": [list(column) for column in zip(*rows, strict=True)]})
    one_hot = [[float(i == label) for i in range(4)] for label in (3, 1, 3)]
    outputs, expected = embedding([3, 1, 3]), linear(one_hot)
    assert elementwise(float, outputs) == elementwise(float, expected)
    for rows_of in (outputs, expected):
        total([y * y for y in flat(rows_of)]).backward()
    transposed = zip(*[[w.grad for w in row] for row in linear.weight], strict=True)
    assert [[w.grad for w in row] for row in embedding.weight] == [list(row) for row in transposed]
    assert [w.grad for w in embedding.weight[0]] == [0.0, 0.0, 0.0]


def test_a_network_learns_its_vectors() -> None:
    """Whether two labels are the same parity, from pairs of labels."""
    pairs = [[i, j] for i in range(4) for j in range(4)]
    targets = [1 if (i + j) % 2 == 0 else -1 for i, j in pairs]
    embedding = nn.Embedding(4, 3, seed=0)
    model = nn.Sequential(embedding, nn.Flatten(), nn.MLP(6, [8, 1], "tanh", seed=0))
    assert len(model.parameters()) == 12 + 65
    before = embedding.state_dict()
    optimizer = nn.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(40):
        optimizer.zero_grad()
        nn.LogisticLoss()(model(pairs), targets).backward()
        optimizer.step()
    assert [1 if score.data > 0.0 else -1 for score in model(pairs)] == targets
    assert embedding.state_dict() != before


def test_vectors_are_standard_normal_unless_told_otherwise() -> None:
    drawn = list(flat(nn.Embedding(100, 40, seed=0).state_dict()["weight"]))
    assert sum(drawn) / 4000 == pytest.approx(0.0, abs=0.07)
    assert sum(x * x for x in drawn) / 4000 == pytest.approx(1.0, abs=0.1)
    seen = []

    def init(rng: Any, fan_in: int, fan_out: int) -> float:
        seen.append((fan_in, fan_out))
        return 0.25

    assert nn.Embedding(3, 2, init=init).state_dict() == {"weight": [[0.25] * 2] * 3}
    assert set(seen) == {(3, 2)}
    seeded = [nn.Embedding(3, 2, seed=seed).state_dict() for seed in (1, 1, 2)]
    assert seeded[0] == seeded[1] != seeded[2]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda e: e(4),
            IndexError,
            "Embedding expected labels from 0 to 3, got 4",
        ),
        (
            lambda e: e([0, 1, -1]),
            IndexError,
            "Embedding expected labels from 0 to 3, got -1 at position [2]",
        ),
        (lambda e: e([[0, 1], [2, 9]]), IndexError, "got 9 at position [1][1]"),
        (
            lambda e: e([0, 1.0]),
            TypeError,
            "Embedding expected whole numbers as labels, got float at position [1]: 1.0",
        ),
        (lambda e: e("2"), TypeError, "expected whole numbers as labels, got str: '2'"),
        (
            lambda e: nn.Embedding(0, 2),
            ValueError,
            "Embedding's num_embeddings expected at least 1, got 0",
        ),
        (
            lambda e: nn.Embedding(2, 1.5),
            TypeError,
            "Embedding's embedding_dim expected a whole number, got float: 1.5",
        ),
        (lambda e: nn.Embedding(2, 2, init="unknown"), ValueError, "init expected one of"),
    ],
)
def test_wrong_settings_and_labels_are_refused(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call(nn.Embedding(4, 2))
