"""Sets to learn from."""

from __future__ import annotations

import math
from typing import Any

from nn.data.samples import Dataset, Seed
from nn.init import generator
from nn.nested import is_list, number_for


def moons(
    n: int = 100,
    *,
    noise: float = 0.1,
    labels: tuple[Any, Any] = (0, 1),
    seed: Seed = None,
) -> Dataset:
    """Return two interleaving half circles in the plane, a customary small task.

    Half of the points lie on the upper half of the unit circle, (cos t, sin t), the others on the
    lower half of the circle around (1, ½), (1 − cos t, ½ − sin t), t evenly from 0 to π; in random
    order. The same points as scikit-learn's `make_moons`, apart from noise and order.

    Parameters
    ----------
    n : int, optional
        Number of points, at least 2. Of an odd number, the second moon gets one more.
    noise : float, optional
        Standard deviation of the normal noise that is added to each coordinate.
    labels : pair, optional
        What the targets call the first and the second moon: (0, 1) for cross-entropy, (-1, 1)
        for the hinge and the logistic loss.
    seed : int or random.Random, optional
        Makes noise and order repeatable. Without it Python's `random` draws.

    Returns
    -------
    Dataset
        n samples of 2 coordinates, n labels.

    Raises
    ------
    TypeError, ValueError
        If n is not a whole number of at least 2, the noise is not a finite number of at least 0,
        or there are not two labels.

    Examples
    --------
    >>> from nn import data
    >>> inputs, targets = data.moons(100, noise=0.1, labels=(-1, 1), seed=0)
    >>> len(inputs), len(inputs[0]), targets.count(-1), targets.count(1)
    (100, 2, 50, 50)
    """
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"moons expected a whole number of points, got {type(n).__name__}: {n!r}")
    if n < 2:
        raise ValueError(f"moons expected at least 2 points, got {n}")
    deviation = float(number_for("noise expected a number", noise))
    if not 0.0 <= deviation < math.inf:
        raise ValueError(f"noise expected a finite number of at least 0, got {noise!r}")
    if not is_list(labels):
        raise TypeError(f"moons expected a pair of labels, got {type(labels).__name__}: {labels!r}")
    if len(labels) != 2:
        raise ValueError(f"moons expected two labels, got {len(labels)}: {labels!r}")
    draw = generator(seed)
    upper = [(math.cos(t), math.sin(t)) for t in _angles(n // 2)]
    lower = [(1.0 - math.cos(t), 0.5 - math.sin(t)) for t in _angles(n - n // 2)]
    points = [(p, labels[0]) for p in upper] + [(p, labels[1]) for p in lower]
    draw.shuffle(points)
    inputs = [
        [x + draw.gauss(0.0, deviation), y + draw.gauss(0.0, deviation)] for (x, y), _ in points
    ]
    return Dataset(inputs, [label for _, label in points])


def _angles(n: int) -> list[float]:
    return [math.pi * i / max(n - 1, 1) for i in range(n)]


def digits() -> Dataset:
    """Return 1797 handwritten digits, from scikit-learn, which has to be installed.

    Returns
    -------
    Dataset
        1797 images of 8 × 8 pixels, each a list of 64 numbers from 0 (background) to 1 (ink) in
        reading order, and the labels 0 to 9.

    Raises
    ------
    ModuleNotFoundError
        If scikit-learn is not installed; the message says how to install it.

    References
    ----------
    E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, 1998 (its test part). https://doi.org/10.24432/C50P49

    Examples
    --------
    >>> from nn import data
    >>> inputs, targets = data.digits()
    >>> len(inputs), len(inputs[0]), max(map(max, inputs)), targets[:10]
    (1797, 64, 1.0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "digits come with scikit-learn, which is not installed:"
            ' pip install "autograd-lite[data]"',
            name=error.name,
        ) from error
    pixels, labels = load_digits(return_X_y=True)
    return Dataset((pixels / 16.0).tolist(), labels.tolist())
