"""Labels of K classes, 0 to K - 1: as vectors, and drawn at random."""

from __future__ import annotations

from operator import index
from typing import Any

from nn.data.samples import Dataset, Seed, as_pair, dataset
from nn.init import generator
from nn.nested import as_lists, elementwise, flat


def _classes(num_classes: Any, who: str) -> int:
    """Return a number of classes, or say what is wrong with it."""
    if isinstance(num_classes, bool) or not hasattr(num_classes, "__index__"):
        raise TypeError(
            f"{who} expected a whole number of classes, got {type(num_classes).__name__}:"
            f" {num_classes!r}"
        )
    count = index(num_classes)
    if count < 1:
        raise ValueError(f"{who} expected at least 1 class, got {count}")
    return count


def one_hot(labels: Any, num_classes: int | None = None) -> Any:
    """Return labels as vectors that are 1 in the place of the label and 0 elsewhere.

    Parameters
    ----------
    labels : int from 0 to K - 1, or a (nested) list or array of them
    num_classes : int, optional
        K, the length of the vectors. Without it, one more than the largest label: give it for
        parts of data, of which one may lack the last class.

    Returns
    -------
    list of K floats, or a list of such lists

    Raises
    ------
    TypeError
        For labels or a number of classes that are no whole numbers.
    ValueError
        For labels outside of 0 to K - 1, or none to count classes by.

    Examples
    --------
    >>> from nn import data
    >>> data.one_hot([2, 0], num_classes=3)
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    labels = as_lists(labels)
    given = list(flat(labels))
    for position, label in enumerate(given):
        if not hasattr(label, "__index__"):
            raise TypeError(
                f"one_hot expected whole numbers as labels, got {type(label).__name__} at position"
                f" {position}: {label!r}"
            )
    if num_classes is None and not given:
        raise ValueError("one_hot expected num_classes or at least one label, got neither")
    count = max(map(index, given)) + 1 if num_classes is None else _classes(num_classes, "one_hot")
    for position, label in enumerate(given):
        if not 0 <= index(label) < count:
            limit = "0 up" if num_classes is None else f"0 to {count - 1}"
            raise ValueError(
                f"one_hot expected labels from {limit}, got {label!r} at position {position}"
            )
    return elementwise(lambda label: [float(k == label) for k in range(count)], labels)


def random_labels(data: tuple[Any, Any], num_classes: int, *, seed: Seed = None) -> Dataset:
    """Return the same inputs with labels drawn at random, each class as likely.

    There is nothing to learn in them but each sample by heart: an over-parameterised network does
    so, only more slowly, and does no better than chance on others.

    Parameters
    ----------
    data : Dataset or pair (inputs, targets)
    num_classes : int
        K; labels are 0 to K - 1.
    seed : int or random.Random, optional
        Makes the labels repeatable. Without it Python's `random` draws.

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError, ValueError
        If the data are none, or K is no whole number of at least 1.

    References
    ----------
    Zhang et al., "Understanding deep learning requires rethinking generalization", 2017.

    Examples
    --------
    >>> from nn import data
    >>> moons = data.moons(200, seed=0)
    >>> shuffled = data.random_labels(moons, 2, seed=1)
    >>> sum(a == b for a, b in zip(moons.targets, shuffled.targets))
    101
    """
    inputs, targets = dataset(*as_pair("random_labels", data))
    count = _classes(num_classes, "random_labels")
    draw = generator(seed)
    return Dataset(inputs, [draw.randrange(count) for _ in targets])
