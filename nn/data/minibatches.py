"""Mini-batches, the steps of stochastic gradient descent."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from nn.data.samples import Seed, dataset
from nn.init import generator


class Batches:
    """Mini-batches of a data set; made by `batches`. Going through it once is an epoch.

    Parameters
    ----------
    inputs, targets, size, shuffle, replacement, seed
        As for `batches`, also in what is refused.

    Attributes
    ----------
    data : Dataset
        All N samples and targets.
    size : int
        Samples a batch.
    shuffle, replacement : bool
        Whether an epoch's samples are drawn at random, and each from all of the data.

    Examples
    --------
    >>> from nn import data
    >>> steps = data.Batches([[0.0], [1.0], [2.0]], [0, 1, 2], 2, seed=0)
    >>> len(steps), steps.size, len(steps.data.inputs)
    (2, 2, 3)
    >>> sorted(target for _, targets in steps for target in targets)
    [0, 1, 2]
    """

    def __init__(
        self,
        inputs: Any,
        targets: Any,
        size: int,
        *,
        shuffle: bool = True,
        replacement: bool = False,
        seed: Seed = None,
    ) -> None:
        self.data = dataset(inputs, targets)
        if not isinstance(size, int) or isinstance(size, bool):
            raise TypeError(
                f"batch size expected a whole number, got {type(size).__name__}: {size!r}"
            )
        if size < 1:
            raise ValueError(f"batch size expected at least 1, got {size}")
        if replacement and not shuffle:
            raise ValueError("replacement=True draws at random; it cannot keep shuffle=False")
        self.size = size
        self.shuffle = shuffle
        self.replacement = replacement
        self._random = generator(seed)

    def __len__(self) -> int:
        return math.ceil(len(self.data.inputs) / self.size)

    def __iter__(self) -> Iterator[tuple[list[Any], list[Any]]]:
        inputs, targets = self.data
        order = list(range(len(inputs)))
        if self.replacement:
            order = self._random.choices(order, k=len(order))
        elif self.shuffle:
            self._random.shuffle(order)
        for start in range(0, len(order), self.size):
            drawn = order[start : start + self.size]
            yield [inputs[i] for i in drawn], [targets[i] for i in drawn]

    def __repr__(self) -> str:
        how = ", with replacement" if self.replacement else "" if self.shuffle else ", in order"
        samples = len(self.data.inputs)
        return f"Batches({samples} samples, {self.size} a batch, {len(self)} steps{how})"


def batches(
    inputs: Any,
    targets: Any,
    size: int,
    *,
    shuffle: bool = True,
    replacement: bool = False,
    seed: Seed = None,
) -> Batches:
    """Return the mini-batches of stochastic gradient descent.

    Going through the result is one epoch: ⌈N / size⌉ steps that draw N samples together, the
    last batch being smaller when ``size`` does not divide N. Going through it again is the next
    epoch, drawn anew. ``size=1`` is the lectures' single sample, ``size=N`` full gradient descent.

    Parameters
    ----------
    inputs : sequence or array of N samples
    targets : sequence or array of N targets
    size : int
        Samples a batch, at least 1.
    shuffle : bool, optional
        Whether to draw at random. Otherwise the samples come in their order.
    replacement : bool, optional
        Draw each sample from all of the data, so that an epoch may show one twice and another
        not at all. Otherwise an epoch shows every sample once.
    seed : int or random.Random, optional
        Makes all epochs repeatable. Without it Python's `random` draws (`random.seed` counts).

    Returns
    -------
    Batches
        Iterable, again and again, of pairs (inputs, targets); its `len` is the number of steps.

    Raises
    ------
    TypeError, ValueError
        If the data are none (see `dataset`), the size is not a whole number of at least 1, or
        ``replacement`` is asked for without ``shuffle``.

    Examples
    --------
    >>> from nn import data
    >>> steps = data.batches([[0.0], [1.0], [2.0]], [0, 1, 2], 2, shuffle=False)
    >>> steps
    Batches(3 samples, 2 a batch, 2 steps, in order)
    >>> for inputs, targets in steps:
    ...     print(inputs, targets)
    [[0.0], [1.0]] [0, 1]
    [[2.0]] [2]
    """
    return Batches(inputs, targets, size, shuffle=shuffle, replacement=replacement, seed=seed)
