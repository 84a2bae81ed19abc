"""Sets of points in the plane: small tasks, each with a shape that a line cannot divide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nn.data.samples import Dataset, Seed
from nn.init import generator
from nn.nested import is_list, number_for

Point = tuple[float, float]


def _checked(who: str, n: Any, noise: Any, labels: Any, *, least: int, several: bool) -> float:
    """Refuse what makes no points; return the noise as a float."""
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"{who} expected a whole number of points, got {type(n).__name__}: {n!r}")
    if n < least:
        raise ValueError(f"{who} expected at least {least} points, got {n}")
    deviation = float(number_for("noise expected a number", noise))
    if not 0.0 <= deviation < math.inf:
        raise ValueError(f"noise expected a finite number of at least 0, got {noise!r}")
    wanted = "a list" if several else "a pair"
    if not is_list(labels):
        raise TypeError(
            f"{who} expected {wanted} of labels, got {type(labels).__name__}: {labels!r}"
        )
    if len(labels) < 2 or (len(labels) > 2 and not several):
        wanted = "at least two" if several else "two"
        raise ValueError(f"{who} expected {wanted} labels, got {len(labels)}: {labels!r}")
    return deviation


def _scattered(
    points: list[tuple[Point, Any]], deviation: float, seed: Seed, *, shuffle: bool = True
) -> Dataset:
    """Return labelled points with noise, in random order."""
    draw = generator(seed)
    if shuffle:
        draw.shuffle(points)
    inputs = [
        [x + draw.gauss(0.0, deviation), y + draw.gauss(0.0, deviation)] for (x, y), _ in points
    ]
    return Dataset(inputs, [label for _, label in points])


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
    deviation = _checked("moons", n, noise, labels, least=2, several=False)
    upper = [(math.cos(t), math.sin(t)) for t in _angles(n // 2)]
    lower = [(1.0 - math.cos(t), 0.5 - math.sin(t)) for t in _angles(n - n // 2)]
    points = [(p, labels[0]) for p in upper] + [(p, labels[1]) for p in lower]
    return _scattered(points, deviation, seed)


def _angles(n: int) -> list[float]:
    return [math.pi * i / max(n - 1, 1) for i in range(n)]


def circles(
    n: int = 100,
    *,
    noise: float = 0.1,
    factor: float = 0.5,
    labels: tuple[Any, Any] = (0, 1),
    seed: Seed = None,
) -> Dataset:
    """Return a circle of radius 1 around a smaller one, points evenly on each, in random order.

    The same points as scikit-learn's `make_circles`, apart from noise and order.

    Parameters
    ----------
    n : int, optional
        Number of points, at least 2. Of an odd number, the inner circle gets one more.
    noise : float, optional
        Standard deviation of the normal noise that is added to each coordinate.
    factor : float, optional
        Radius of the inner circle, from 0 to below 1.
    labels : pair, optional
        What the targets call the outer and the inner circle.
    seed : int or random.Random, optional
        Makes noise and order repeatable. Without it Python's `random` draws.

    Returns
    -------
    Dataset
        n samples of 2 coordinates, n labels.

    Raises
    ------
    TypeError, ValueError
        For arguments that are not as said.

    Examples
    --------
    >>> from nn import data
    >>> inputs, targets = data.circles(4, noise=0.0, seed=0)
    >>> sorted((y, round(x[0], 9) + 0.0, round(x[1], 9) + 0.0) for x, y in zip(inputs, targets))
    [(0, -1.0, 0.0), (0, 1.0, 0.0), (1, -0.5, 0.0), (1, 0.5, 0.0)]
    """
    deviation = _checked("circles", n, noise, labels, least=2, several=False)
    radius = float(number_for("factor expected a number", factor))
    if not 0.0 <= radius < 1.0:
        raise ValueError(f"factor expected a number from 0 to below 1, got {factor!r}")
    points = []
    for size, r, label in ((n // 2, 1.0, labels[0]), (n - n // 2, radius, labels[1])):
        angles = [2.0 * math.pi * i / size for i in range(size)]
        points += [((r * math.cos(t), r * math.sin(t)), label) for t in angles]
    return _scattered(points, deviation, seed)


def spirals(
    n: int = 100,
    *,
    noise: float = 0.02,
    turns: float = 1.0,
    labels: Sequence[Any] = (0, 1),
    seed: Seed = None,
) -> Dataset:
    """Return spirals that wind around each other, one for each label, in random order.

    Arm k of K has the points r (cos t, sin t) with r evenly up to 1 and t = 2π (turns · r + k / K).

    Parameters
    ----------
    n : int, optional
        Number of points, at least one for each label. What does not divide goes to the first
        labels.
    noise : float, optional
        Standard deviation of the normal noise that is added to each coordinate.
    turns : float, optional
        How often a spiral goes around the middle: the more, the harder.
    labels : list of K labels, optional
        What the targets call the spirals, at least two: three make a task for `CrossEntropyLoss`.
    seed : int or random.Random, optional
        Makes noise and order repeatable. Without it Python's `random` draws.

    Returns
    -------
    Dataset
        n samples of 2 coordinates, n labels.

    Raises
    ------
    TypeError, ValueError
        For arguments that are not as said.

    Examples
    --------
    >>> from nn import data
    >>> inputs, targets = data.spirals(90, labels=(0, 1, 2), seed=0)
    >>> len(inputs), [targets.count(label) for label in (0, 1, 2)]
    (90, [30, 30, 30])
    """
    least = len(labels) if is_list(labels) else 2
    deviation = _checked("spirals", n, noise, labels, least=least, several=True)
    rounds = float(number_for("turns expected a number", turns))
    if not -math.inf < rounds < math.inf:
        raise ValueError(f"turns expected a finite number, got {turns!r}")
    points = []
    for k, label in enumerate(labels):
        size = n // len(labels) + (k < n % len(labels))
        for i in range(size):
            r = (i + 1) / size
            t = 2.0 * math.pi * (rounds * r + k / len(labels))
            points.append(((r * math.cos(t), r * math.sin(t)), label))
    return _scattered(points, deviation, seed)


def xor(
    n: int = 4, *, noise: float = 0.0, labels: tuple[Any, Any] = (0, 1), seed: Seed = None
) -> Dataset:
    """Return the exclusive or: the corners of the unit square, of which opposite ones are alike.

    Unlike the other sets, in fixed order: (0, 0), (0, 1), (1, 0), (1, 1) and from the start again.

    Parameters
    ----------
    n : int, optional
        Number of points, at least 4, one for each corner.
    noise : float, optional
        Standard deviation of the normal noise that is added to each coordinate.
    labels : pair, optional
        What the targets call equal and unequal coordinates.
    seed : int or random.Random, optional
        Makes the noise repeatable. Without it Python's `random` draws.

    Returns
    -------
    Dataset
        n samples of 2 coordinates, n labels.

    Raises
    ------
    TypeError, ValueError
        For arguments that are not as said.

    Examples
    --------
    >>> from nn import data
    >>> data.xor()
    Dataset(inputs=[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], targets=[0, 1, 1, 0])
    """
    deviation = _checked("xor", n, noise, labels, least=4, several=False)
    corners = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]
    points = [((x, y), labels[x != y]) for x, y in (corners[i % 4] for i in range(n))]
    return _scattered(points, deviation, seed, shuffle=False)
