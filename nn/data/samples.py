"""Samples and their targets: checked, and divided into parts to train and to test on."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from numbers import Real
from random import Random
from typing import Any, NamedTuple

from autograd_lite import Value
from nn.data.array_rows import ArrayRows, array_rows
from nn.init import generator
from nn.nested import as_lists, flat, is_list, number_for, shape_of

Seed = int | Random | None
"""Where random numbers come from: a seed, a generator, or (None) Python's module `random`."""


class Dataset(NamedTuple):
    """Samples and their targets, of equal number. As a pair, it unpacks.

    Attributes
    ----------
    inputs : list
        N samples, each a list of numbers (or lists of them: rows of an image), all of one shape.
    targets : list
        N labels or numbers, or N lists of one length. The K classes of `CrossEntropyLoss` are
        called 0 to K - 1 (some lectures count them from 1).
    """

    inputs: Sequence[Any]
    targets: Sequence[Any]


def dataset(inputs: Any, targets: Any) -> Dataset:
    """Check samples and their targets, and return them as plain lists.

    Parameters
    ----------
    inputs : sequence or array of N samples
        Each sample a list of numbers, or of lists of them; all of one shape.
    targets : sequence or array of N targets
        Each a label or number, or a list of numbers; all of one shape. What a loss or metric
        expects of labels it says itself: `CrossEntropyLoss` whole numbers from 0 to K - 1.

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError
        If one of them is no list or array, a sample is a bare number, or it holds anything but
        numbers.
    ValueError
        If there is no sample, the numbers of samples and targets differ, or so do the shapes of
        two samples or of two targets; if a number is infinite or NaN (the message has its row and
        column).

    Examples
    --------
    >>> from nn import data
    >>> data.dataset([(0.0, 1.0), (1.0, 0.0)], (1, 0))
    Dataset(inputs=[[0.0, 1.0], [1.0, 0.0]], targets=[1, 0])
    """
    if isinstance(inputs, ArrayRows) and isinstance(targets, ArrayRows):
        return Dataset(inputs, targets)  # has been looked at
    samples = _rows(inputs, "inputs")
    wanted = _rows(targets, "targets")
    if len(samples) != len(wanted):
        raise ValueError(
            f"data expected one target per sample, got {len(samples)} samples and"
            f" {len(wanted)} targets"
        )
    if not samples:
        raise ValueError("data expected at least one sample, got none")
    sums = list(map(_sum_of, samples))
    _check_shapes(samples, "inputs", sums)
    _check_shapes(wanted, "targets", list(map(_sum_of, wanted)))
    if not is_list(samples[0]):
        raise TypeError(
            f"inputs expected samples that are lists of numbers, got {samples[0]!r} at position 0;"
            " write [[x] for x in inputs] for samples of one number"
        )
    _check_numbers(samples, sums)
    for position, target in enumerate(wanted):
        check_finite(target, position, "targets")
    return Dataset(samples, wanted)


def array_dataset(inputs: Any, targets: Any) -> Dataset:
    """Return what `dataset` does, but leave samples and targets in arrays that come in arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.data.samples import array_dataset
    >>> array_dataset(np.zeros((2, 1)), np.array([0, 1])).targets[1]
    1
    """
    samples, wanted = array_rows(inputs, samples=True), array_rows(targets, samples=False)
    if samples is None or wanted is None or len(samples) != len(wanted):
        return dataset(inputs, targets)
    return Dataset(samples, wanted)


_MAY_BE_LOST: tuple[Any, ...] = (Real, Value)  # what can be NaN or infinite


def _sum_of(row: Any) -> float | None:
    """Return the sum of a row of nothing but Python's numbers, None for any other row.

    Tells quickly what looking at each element would tell slowly: that there are no lists among
    them, and (by a finite sum) no NaN and no infinity.
    """
    if not isinstance(row, list):
        return None
    try:
        added = sum(row)
    except (TypeError, OverflowError):
        return None
    return added if type(added) in (float, int) else None


def _check_numbers(samples: Sequence[Any], sums: Sequence[float | None]) -> None:
    """Refuse inputs that hold anything but finite numbers and Values."""
    for position, (sample, added) in enumerate(zip(samples, sums, strict=True)):
        if added is None:
            for element in flat(sample):
                number_for("inputs expected samples of numbers", element, position)
        if added is None or not -inf < added < inf:
            check_finite(sample, position, "inputs")


def check_finite(row: Any, position: int, what: str) -> None:
    """Refuse NaN and infinities in a row; what is no number is a label and let through.

    Raises
    ------
    ValueError
        With the row's position and the column of the first such number.

    Examples
    --------
    >>> from nn.data.samples import check_finite
    >>> check_finite([0.5, float("nan")], 3, "inputs")
    Traceback (most recent call last):
        ...
    ValueError: inputs expected finite numbers, got nan in row 3, column 1 (counted from 0)
    """
    for count, element in enumerate(flat(row)):
        if isinstance(element, _MAY_BE_LOST) and not -inf < element < inf:
            shape = shape_of(row, what)
            places = [str(place) for place in _places(count, shape)]
            column = f", column {', '.join(places)}"
            raise ValueError(
                f"{what} expected finite numbers, got {float(element)!r} in row"
                f" {position}{column if places else ''} (counted from 0)"
            )


def _places(count: int, shape: tuple[int, ...]) -> list[int]:
    """Return the position in each dimension of an element counted in reading order."""
    places = []
    for size in reversed(shape):
        count, place = divmod(count, size)
        places.append(place)
    return places[::-1]


def _rows(given: Any, what: str) -> list[Any]:
    """Return a list of the rows, arrays among them as lists and tuples too."""
    if not is_list(given):
        raise TypeError(f"{what} expected a list or array, got {type(given).__name__}")
    return [list(row) if isinstance(row, tuple) else row for row in map(as_lists, as_lists(given))]


def _check_shapes(rows: Sequence[Any], what: str, sums: Sequence[float | None]) -> None:
    first = shape_of(rows[0], what)
    if 0 in first:
        raise ValueError(f"{what} expected rows that hold numbers, got {rows[0]!r} at position 0")
    for position, (row, added) in enumerate(zip(rows, sums, strict=True)):
        shape = shape_of(row, what) if added is None else (len(row),)
        if shape != first:
            raise ValueError(
                f"{what} expected rows of one shape, got {_shape(first)} at position 0 and"
                f" {_shape(shape)} at position {position}"
            )


def _shape(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    return " x ".join(map(str, shape)) + (" numbers" if len(shape) == 1 else "")


def split(
    data: tuple[Any, Any], test: float = 0.2, *, stratify: bool = False, seed: Seed = None
) -> tuple[Dataset, Dataset]:
    """Divide data at random into a part to train on and a part to test on.

    Parameters
    ----------
    data : Dataset or pair (inputs, targets)
    test : float, optional
        Share of the N samples that the test part gets, between 0 and 1; rounded to whole samples.
    stratify : bool, optional
        Keep each label's share in both parts, to within one sample. Needs targets that are labels,
        each of at least 2 samples. Without it, chance decides which labels a part has.
    seed : int or random.Random, optional
        Makes the division repeatable. Without it Python's `random` draws.

    Returns
    -------
    train, test : Dataset

    Raises
    ------
    TypeError
        If ``data`` is no pair, or ``stratify`` meets targets that are lists.
    ValueError
        If the share is not between 0 and 1, or would leave one part empty; with ``stratify``, if a
        label has a single sample, or would have none in the training part.

    Examples
    --------
    >>> from nn import data
    >>> train, test = data.split(data.moons(50, seed=0), stratify=True, seed=0)
    >>> len(train.inputs), len(test.inputs), sum(test.targets)
    (40, 10, 5)
    """
    inputs, targets = dataset(*as_pair("split", data))
    if isinstance(test, bool) or not isinstance(test, int | float):
        raise TypeError(f"test expected a share, got {type(test).__name__}: {test!r}")
    if not 0.0 < test < 1.0:
        raise ValueError(f"test expected a share between 0 and 1, got {test!r}")
    total = len(inputs)
    count = round(test * total)
    if not 0 < count < total:
        raise ValueError(
            f"split expected samples in both parts, got {total - count} to train on and {count} to"
            f" test on: a share of {test!r} of {total} samples"
        )
    draw = generator(seed)
    order = list(range(total))
    draw.shuffle(order)
    held_out = set(_stratified(order, targets, count) if stratify else order[:count])
    train, rest = [
        Dataset([inputs[i] for i in part], [targets[i] for i in part])
        for part in (
            [i for i in order if i not in held_out],
            [i for i in order if i in held_out],
        )
    ]
    return train, rest


def as_pair(who: str, data: Any) -> tuple[Any, Any]:
    """Return the inputs and targets of a pair, or say who expected one."""
    if not isinstance(data, tuple | list) or len(data) != 2:
        size = f" of length {len(data)}" if isinstance(data, tuple | list) else ""
        raise TypeError(
            f"{who} expected data as a pair (inputs, targets), got {type(data).__name__}{size}"
        )
    return data[0], data[1]


def _stratified(order: Sequence[int], targets: Sequence[Any], count: int) -> list[int]:
    """Choose ``count`` places, of each label its share: largest remainders are rounded up."""
    by_label: dict[Any, list[int]] = {}
    for place in order:
        if is_list(targets[place]):
            raise TypeError(
                f"stratify expected targets that are labels, got {targets[place]!r} at position"
                f" {place}"
            )
        by_label.setdefault(targets[place], []).append(place)
    for label, group in by_label.items():
        if len(group) == 1:
            raise ValueError(
                f"stratify expected at least 2 samples of each label, got 1 of {label!r}, at"
                f" position {group[0]}"
            )
    groups = list(by_label.values())
    exact = [divmod(len(group) * count, len(order)) for group in groups]
    left_over = count - sum(whole for whole, _ in exact)
    fullest = sorted(range(len(groups)), key=lambda i: -exact[i][1])[:left_over]
    chosen = []
    for i, (label, group) in enumerate(by_label.items()):
        taken = exact[i][0] + (i in fullest)
        if taken == len(group):
            raise ValueError(
                f"stratify expected to leave samples of each label to train on, got none of"
                f" {label!r}: the test part takes all {taken}; give a smaller share"
            )
        chosen += group[:taken]
    return chosen
