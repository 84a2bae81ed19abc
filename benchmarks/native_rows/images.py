"""Images and labels of the size of those that people train with, and parameters to start from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Sizes = tuple[int, int, int]
DIGITS: Sizes = (64, 32, 10)
MNIST: Sizes = (784, 128, 10)


class Images(NamedTuple):
    """``x`` has one row of pixels from 0 to 1 for each image, ``y`` the labels."""

    x: np.ndarray
    y: np.ndarray


def images(count: int, sizes: Sizes, dtype: str = "float64") -> Images:
    """Return images of which half the pixels are empty; a random linear map has the labels."""
    rng = np.random.default_rng(0)
    x = np.maximum(rng.uniform(-1.0, 1.0, (count, sizes[0])), 0.0)
    y = np.argmax(x @ rng.normal(size=(sizes[0], sizes[2])), axis=1)
    return Images(x.astype(dtype), y)


def parameters(sizes: Sizes, dtype: str = "float64") -> np.ndarray:
    """Return parameters drawn as PyTorch draws them, all in one array."""
    inputs, hidden, outputs = sizes
    rng = np.random.default_rng(1)
    parts = []
    for fan_in, fan_out in ((inputs, hidden), (hidden, outputs)):
        bound = fan_in**-0.5
        parts += [rng.uniform(-bound, bound, fan_in * fan_out), rng.uniform(-bound, bound, fan_out)]
    return np.concatenate(parts).astype(dtype)
