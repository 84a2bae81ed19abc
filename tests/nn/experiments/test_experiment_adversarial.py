"""The gradient with respect to the input: an adversarial digit (row 1.9 of the lectures)."""

from __future__ import annotations

import math
import random
from typing import Any, NamedTuple

import pytest

import nn

STEP = 0.15  # of a pixel, which goes from 0 to 1


class Reader(NamedTuple):
    """A trained network, and images that it has not seen and reads rightly."""

    model: nn.MLP
    images: list[list[float]]
    labels: list[int]


@pytest.fixture(scope="module")
def reader() -> Reader:
    pytest.importorskip("sklearn", reason="digits need the extra data")
    train, test = nn.data.split(nn.data.digits(), 0.6, seed=0)
    model = nn.MLP(64, [16, 10], seed=0)
    nn.fit(
        model,
        (train.inputs[:600], train.targets[:600]),
        loss=nn.CrossEntropyLoss(),
        optimizer=nn.optim.Adam(model.parameters(), lr=0.01),
        epochs=4,
        batch_size=20,
        seed=0,
    )
    pairs = zip(test.inputs[:100], test.targets[:100], strict=True)
    right = [(x, y) for x, y in pairs if nn.predict(model(x), "argmax") == y]
    return Reader(model, [x for x, _ in right], [y for _, y in right])


def stepped(image: list[float], directions: list[float], size: float) -> list[float]:
    """Move every pixel by ``size`` in a direction, within what a pixel can be."""
    moved = (x + math.copysign(size, d) for x, d in zip(image, directions, strict=True))
    return [min(1.0, max(0.0, x)) for x in moved]


def slope(reader: Reader, image: list[float], label: int) -> list[float]:
    return nn.backprop(reader.model, image, label, nn.CrossEntropyLoss()).input_grad


def misread(reader: Reader, images: Any) -> int:
    predicted = nn.predict(reader.model(list(images)), "argmax")
    return sum(p != y for p, y in zip(predicted, reader.labels, strict=True))


def test_row_1_9_a_small_step_along_the_input_gradient_is_misread_a_random_one_is_not(
    reader: Reader,
) -> None:
    count = len(reader.images)
    assert count > 80  # of 100: it does read
    slopes = [
        slope(reader, image, label)
        for image, label in zip(reader.images, reader.labels, strict=True)
    ]
    adversarial = [stepped(image, g, STEP) for image, g in zip(reader.images, slopes, strict=True)]
    rng = random.Random(0)
    noisy = [
        stepped(image, [rng.choice((-1.0, 1.0)) for _ in image], STEP) for image in reader.images
    ]
    assert max(abs(a - b) for a, b in zip(adversarial[0], reader.images[0], strict=True)) <= (
        STEP + 1e-15
    )
    assert misread(reader, adversarial) > 0.75 * count
    assert misread(reader, noisy) < 0.15 * count
    # Downhill along the same gradient, the digit only becomes surer.
    downhill = [
        stepped(image, [-d for d in g], STEP)
        for image, g in zip(reader.images, slopes, strict=True)
    ]
    assert misread(reader, downhill) == 0


def test_row_1_9_the_gradient_tells_how_the_loss_of_a_pixel_changes(reader: Reader) -> None:
    image, label = reader.images[0], reader.labels[0]
    found = slope(reader, image, label)
    pixel = max(range(64), key=lambda i: abs(found[i]))
    h = 1e-5
    losses = []
    for sign in (1.0, -1.0):
        moved = list(image)
        moved[pixel] += sign * h
        losses.append(nn.CrossEntropyLoss()(reader.model(moved), label).data)
    assert found[pixel] == pytest.approx((losses[0] - losses[1]) / (2.0 * h), rel=1e-6)
