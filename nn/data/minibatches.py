"""Mini-batches, the steps of stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nn.data.samples import Seed, dataset
from nn.init import generator


class Batches:
    """Mini-batches of a data set; made by `batches`. Going through it once is an epoch.

    Parameters
    ----------
    inputs, targets, size, shuffle, replacement, drop_last, seed
        As for `batches`, also in what is refused.

    Attributes
    ----------
    data : Dataset
        All N samples and targets.
    size : int
        Samples a batch.
    shuffle, replacement : bool
        Whether an epoch's samples are drawn at random, and each from all of the data.
    drop_last : bool
        Whether a last batch of fewer samples is left out.

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
        drop_last: bool = False,
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
        if drop_last and size > len(self.data.inputs):
            raise ValueError(
                f"drop_last=True expected a batch size of at most the {len(self.data.inputs)}"
                f" samples, got {size}: no batch would be left"
            )
        self.size = size
        self.shuffle = shuffle
        self.replacement = replacement
        self.drop_last = drop_last
        self._random = generator(seed)

    def __len__(self) -> int:
        whole, rest = divmod(len(self.data.inputs), self.size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[list[Any], list[Any]]]:
        inputs, targets = self.data
        for rows in self.rows():
            yield [inputs[i] for i in rows], [targets[i] for i in rows]

    def rows(self) -> Iterator[list[int]]:
        """Go through the next epoch as numbers of samples, counted from 0, instead of samples."""
        order = self.order()
        for start in range(0, len(self) * self.size, self.size):
            yield order[start : start + self.size]

    def order(self) -> list[int]:
        """Draw the next epoch: the numbers of its samples, one batch after the other.

        With ``drop_last``, those of the batch that is left out are at the end.

        Examples
        --------
        >>> from nn import data
        >>> sorted(data.Batches([[0.0], [1.0], [2.0]], [0, 1, 2], 2, seed=0).order())
        [0, 1, 2]
        """
        order = list(range(len(self.data.inputs)))
        if self.replacement:
            order = self._random.choices(order, k=len(order))
        elif self.shuffle:
            self._random.shuffle(order)
        return order

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
    drop_last: bool = False,
    seed: Seed = None,
) -> Batches:
    """Return the mini-batches of stochastic gradient descent.

    Going through the result is one epoch: ⌈N / size⌉ steps that draw N samples together, the
    last batch being smaller, or left out, when ``size`` does not divide N. Going through it again
    is the next epoch, drawn anew. ``size=1`` is the lectures' single sample, ``size=N`` full
    gradient descent.

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
    drop_last : bool, optional
        Leave out a last batch of fewer samples than ``size``: of the samples in their order the
        last ones, of shuffled ones others in every epoch.
    seed : int or random.Random, optional
        Makes all epochs repeatable. Without it Python's `random` draws (`random.seed` counts).

    Returns
    -------
    Batches
        Iterable, again and again, of pairs (inputs, targets); its `len` is the number of steps.

    Raises
    ------
    TypeError, ValueError
        If the data are none (see `dataset`), the size is not a whole number of at least 1,
        ``replacement`` is asked for without ``shuffle``, or ``drop_last`` would leave no batch.

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
    return Batches(
        inputs,
        targets,
        size,
        shuffle=shuffle,
        replacement=replacement,
        drop_last=drop_last,
        seed=seed,
    )
