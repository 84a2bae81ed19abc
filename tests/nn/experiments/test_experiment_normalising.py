"""Batch normalisation's larger steps (row 4.8) and dropout's ensemble (rows 4.10 and 4.18).

What they are invariant to, and their expectations, stand in the tests of the layers themselves.
"""

from __future__ import annotations

import math
import random
from itertools import product
from statistics import median
from typing import Any

import pytest

import nn
from autograd_lite import no_grad

RATES = [10.0 ** (half / 2) for half in range(-6, 3)]  # 0.001 to 10, two a decade


def largest_usable(*, batch_norm: bool, seed: int) -> int:
    """Return the place of the largest rate whose training gets clearly below a coin's loss."""
    return next(
        place
        for place in reversed(range(len(RATES)))
        if loss_after_25_steps(batch_norm=batch_norm, lr=RATES[place], seed=seed) < 0.5
    )


def loss_after_25_steps(*, batch_norm: bool, lr: float, seed: int) -> float:
    """Train five hidden layers on two moons whose coordinates are 20 times as large as usual."""
    rng = random.Random(seed)
    parts: list[Any] = []
    for nin in (2, 8, 8, 8, 8):
        parts.append(nn.Linear(nin, 8, init="he", seed=rng))
        if batch_norm:
            parts.append(nn.BatchNorm1d(8))
        parts.append(nn.ReLU())
    model = nn.Sequential(*parts, nn.Linear(8, 2, seed=rng))
    inputs, targets = nn.data.moons(24, noise=0.1, seed=0)
    inputs = [[20.0 * a, 20.0 * b] for a, b in inputs]
    optimizer = nn.optim.SGD(model.parameters(), lr=lr)
    for _ in range(25):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(model(inputs), targets).backward()
        optimizer.step()
    with no_grad():
        return float(nn.CrossEntropyLoss()(model(inputs), targets))


def test_row_4_8_batch_normalisation_allows_at_least_ten_times_the_rate_for_every_seed() -> None:
    # The inputs are far from unit variance: that is what makes the network without it so sensitive.
    decades = []
    for seed in range(4):
        without = largest_usable(batch_norm=False, seed=seed)
        with_it = largest_usable(batch_norm=True, seed=seed)
        assert without > 0
        assert with_it < len(RATES) - 1  # the search began above both
        decades.append((with_it - without) / 2)
    assert min(decades) >= 1.0
    assert median(decades) >= 1.5


# -- dropout -------------------------------------------------------------------------------------


class Masks(random.Random):
    """Draws that keep just the units of a mask."""

    def __init__(self, mask: tuple[bool, ...]) -> None:
        super().__init__(0)
        self.draws = iter([1.0 - 1e-9 if kept else 0.0 for kept in mask])

    def random(self) -> float:
        return next(self.draws)


UNITS = 8


@pytest.fixture(scope="module")
def trained() -> tuple[nn.Sequential, list[Any]]:
    """Return a classifier trained with dropout on its hidden units, and samples."""
    inputs, targets = nn.data.moons(60, noise=0.2, seed=0)
    dropout = nn.Dropout(0.5, seed=1)
    first, last = nn.Linear(2, UNITS, init="he", seed=2), nn.Linear(UNITS, 2, seed=3)
    model = nn.Sequential(first, nn.ReLU(), dropout, last)
    optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(40):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(model(inputs), targets).backward()
        optimizer.step()
    return model, inputs[:5]


def thinned(model: nn.Sequential, x: list[float]) -> list[list[float]]:
    """Return the logits of all 2⁸ networks that dropout samples from."""
    found = []
    with no_grad():
        hidden = model[1](model[0](x))
        for mask in product((False, True), repeat=UNITS):
            dropout = nn.Dropout(0.5, seed=Masks(mask))
            found.append([float(z) for z in model[3](dropout(hidden))])
    return found


def evaluated(model: nn.Sequential, x: list[float]) -> list[float]:
    model.eval()
    with no_grad():
        found = [float(z) for z in model(x)]
    model.train()
    return found


def test_row_4_18_the_mean_of_all_masks_is_evaluation_exactly_before_the_softmax(
    trained: tuple[nn.Sequential, list[Any]],
) -> None:
    model, samples = trained
    for x in samples:
        ensemble = thinned(model, x)
        means = [math.fsum(column) / 2**UNITS for column in zip(*ensemble, strict=True)]
        assert means == pytest.approx(evaluated(model, x), rel=1e-12)


def test_row_4_18_after_the_softmax_it_is_the_geometric_mean_exactly_the_arithmetic_nearly(
    trained: tuple[nn.Sequential, list[Any]],
) -> None:
    model, samples = trained
    differences = []
    for x in samples:
        probabilities = [[float(p) for p in nn.Softmax()(z)] for z in thinned(model, x)]
        columns = list(zip(*probabilities, strict=True))
        geometric = [math.exp(math.fsum(map(math.log, p)) / 2**UNITS) for p in columns]
        found = nn.Softmax()(evaluated(model, x))
        assert [g / sum(geometric) for g in geometric] == pytest.approx(found, rel=1e-12)
        arithmetic = [math.fsum(p) / 2**UNITS for p in columns]
        differences.append(abs(arithmetic[0] - found[0]))
    assert 1e-4 < max(differences) < 0.1
