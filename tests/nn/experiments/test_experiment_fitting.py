"""What training reaches (rows 2.4, 4.13 to 4.16)."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import pytest

import nn
from autograd_lite import compile

# -- 2.4: regressors by stochastic gradient descent ----------------------------------------------


def samples(relu: bool) -> tuple[list[list[float]], list[float]]:
    """Return samples of 2x₁ - 3x₂ + ½, or of what a ReLU leaves of it."""
    rng = random.Random(0)
    inputs = [[rng.uniform(-1.0, 1.0), rng.uniform(-1.0, 1.0)] for _ in range(40)]
    targets = [2.0 * a - 3.0 * b + 0.5 for a, b in inputs]
    return inputs, [max(y, 0.0) for y in targets] if relu else targets


def fitted(neuron: nn.Neuron, data: Any, epochs: int = 100) -> nn.History:
    return nn.fit(
        neuron,
        data,
        loss=nn.MSELoss(),
        optimizer=nn.optim.SGD(neuron.parameters(), lr=0.1),
        epochs=epochs,
        batch_size=1,
        replacement=True,
        seed=0,
    )


@pytest.mark.parametrize("activation", [None, "relu"])
def test_row_2_4_linear_and_relu_regressors_find_the_weights_by_sgd(activation: str | None) -> None:
    neuron = nn.Neuron(2, activation, seed=1)
    history = fitted(neuron, samples(relu=activation == "relu"))
    assert [w.data for w in neuron.w] == pytest.approx([2.0, -3.0], abs=1e-6)
    assert neuron.b is not None
    assert neuron.b.data == pytest.approx(0.5, abs=1e-6)
    assert history[-1].loss < 1e-10 * history[0].loss


def test_row_2_4_a_relu_regressor_that_is_0_on_all_samples_learns_nothing() -> None:
    neuron = nn.Neuron(2, "relu", seed=1)
    assert neuron.b is not None
    neuron.b.data = -10.0
    before = [p.data for p in neuron.parameters()]
    history = fitted(neuron, samples(relu=True), epochs=3)
    assert [p.data for p in neuron.parameters()] == before
    assert history[-1].loss > 0.5


# -- 4.13: the loss is not monotonic -------------------------------------------------------------


def test_row_4_13_the_average_loss_falls_by_orders_of_magnitude_but_not_in_every_epoch() -> None:
    inputs, targets = samples(relu=False)
    rng = random.Random(1)
    noisy = (inputs, [y + rng.gauss(0.0, 0.1) for y in targets])
    losses = [epoch.loss for epoch in fitted(nn.Neuron(2, None, seed=1), noisy, epochs=40)]
    assert min(losses) < losses[0] / 100.0
    rises = sum(after > before for before, after in pairwise(losses))
    assert 10 < rises < 30  # a step on one sample is good for that one


# -- 4.14: a training loss of zero ---------------------------------------------------------------

THRESHOLD = (
    0.01  # of the mean cross-entropy: every sample has at least e^-0.32 = 0.73 for its class
)
COUNT, FEATURES = 32, 6


def points(seed: int) -> list[list[float]]:
    rng = random.Random(seed)
    return [[rng.gauss(0.0, 1.0) for _ in range(FEATURES)] for _ in range(COUNT)]


def steps_to_threshold(data: Any, seed: int) -> int:
    """Descend on all samples at once; return how many steps it takes."""
    inputs, targets = data
    model = nn.MLP(FEATURES, [32, 2], "relu", seed=seed)
    assert len(model.parameters()) > 8 * COUNT
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    loss = nn.CrossEntropyLoss()
    mean_loss = compile(lambda x, y: loss(model(x), y), parameters=model.parameters())
    for step in range(1000):
        optimizer.zero_grad()
        reached = mean_loss(inputs, targets)
        if reached < THRESHOLD:
            assert nn.predict(model(inputs), "argmax") == targets
            return step
        optimizer.step()
    raise AssertionError(f"the loss is {reached} after 1000 steps")


@pytest.mark.parametrize("seed", [0, 1])
def test_row_4_14_zero_training_loss_on_true_labels_and_slower_on_random_ones(
    seed: int, record_property: Any
) -> None:
    inputs = points(7)
    true = (inputs, [int(x[0] + x[1] > 0.0) for x in inputs])
    cases = {
        "true": true,
        "random labels": nn.data.random_labels(true, 2, seed=seed),
        "random inputs": (points(8), true[1]),
    }
    steps = {name: steps_to_threshold(data, seed) for name, data in cases.items()}
    record_property("steps", steps)
    assert steps["random labels"] > 2 * steps["true"]
    assert steps["random inputs"] > 2 * steps["true"]


def test_row_4_14_with_mini_batches_too() -> None:
    inputs = points(7)
    true = (inputs, [int(x[0] + x[1] > 0.0) for x in inputs])
    epochs = []
    for data in (true, nn.data.random_labels(true, 2, seed=0)):
        model = nn.MLP(FEATURES, [32, 2], "relu", seed=0)
        history = nn.fit(
            model,
            data,
            loss=nn.CrossEntropyLoss(),
            optimizer=nn.optim.SGD(model.parameters(), lr=0.3),
            epochs=60,
            batch_size=4,
            seed=0,
            compile=True,
        )
        epochs.append(next(epoch.number for epoch in history if epoch.loss < THRESHOLD))
    true_labels, random_labels = epochs
    assert random_labels > 2 * true_labels


# -- 4.15 and 4.16: one regression, several seeds ------------------------------------------------

XS = [[-1.0 + 2.0 * i / 19.0] for i in range(20)]
YS = [math.sin(3.0 * x) for (x,) in XS]


@pytest.fixture(scope="module")
def trained() -> list[tuple[nn.MLP, dict[str, Any]]]:
    """Return networks of four seeds, trained on sin 3x in [-1, 1], with their initial states.

    With a rate at which nothing oscillates: a change of 1e-10 in the data changes the losses in
    the 8th digit, so that the figures below are those of every machine.
    """
    found = []
    for seed in range(4):
        model = nn.MLP(1, [10, 1], "tanh", seed=seed)
        initial = model.state_dict()
        nn.fit(
            model,
            (XS, YS),
            loss=nn.MSELoss(),
            optimizer=nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
            epochs=400,
            batch_size=len(XS),
            seed=seed,
            compile=True,
        )
        found.append((model, initial))
    return found


def test_row_4_15_the_loss_along_the_line_from_initial_to_trained_weights(
    trained: list[tuple[nn.MLP, dict[str, Any]]],
) -> None:
    lines = []
    for model, initial in trained:
        final = model.state_dict()
        line = nn.loss_along_line(model, nn.MSELoss(), (XS, YS), initial, final, 21)
        assert line.losses[-1] == min(line.losses) == nn.MSELoss()(model(XS), YS).data
        assert model.state_dict() == final
        beyond = nn.loss_along_line(model, nn.MSELoss(), (XS, YS), initial, final, [1.0, 1.2])
        assert beyond.losses[1] > 3.0 * beyond.losses[0]  # it ends in a valley
        lines.append(line.losses)
    # For two it falls all along, as Goodfellow et al. found for most networks; for the others there
    # is a hump in between, around which gradient descent found its way.
    falling = [all(after < before for before, after in pairwise(losses)) for losses in lines]
    assert falling == [True, False, True, False]
    assert all(max(losses[8:]) > 1.5 * min(losses[:8]) for losses in (lines[1], lines[3]))


def test_row_4_16_seeds_differ_in_weights_and_away_from_the_data_but_not_in_loss(
    trained: list[tuple[nn.MLP, dict[str, Any]]],
) -> None:
    models = [model for model, _ in trained]
    losses = [nn.MSELoss()(model(XS), YS).data for model in models]
    assert max(losses) < 2.0 * min(losses)
    assert max(losses) < 0.02 * sum(y * y for y in YS) / len(YS)
    # The weights differ, and not just in the order of the neurons or, tanh being odd, their sign.
    for one, other in pairwise(models):
        sizes = [sorted(abs(n.w[0].data) for n in m.layers[0].neurons) for m in (one, other)]
        assert max(abs(a - b) for a, b in zip(*sizes, strict=True)) > 0.1
    near, far = (
        max(max(ys) - min(ys) for ys in ([model([x]).data for model in models] for x in xs))
        for xs in ((-0.5, 0.0, 0.5), (-5.0, 5.0))
    )
    assert near < 0.02
    assert far > 0.3
