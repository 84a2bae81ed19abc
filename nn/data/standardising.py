"""Standardising: mean 0 and standard deviation 1 for every column of the training part."""

from __future__ import annotations

import math
from typing import Any

from nn.data.samples import Dataset, as_pair, dataset
from nn.nested import as_lists, is_list


class Standardiser:
    """What standardises data: (x - mean) / std, column by column, with the statistics of one part.

    These are to be those of the training part alone; a test part that took part in them would
    not tell any more how the network does on new data.

    Parameters
    ----------
    train : Dataset or pair (inputs, targets)
        N samples, each a list of d numbers.

    Attributes
    ----------
    mean, std : list of d floats
        Mean and standard deviation (divided by N, as scikit-learn does) of each column. A column
        whose numbers are all the same has deviation 0; it is shifted, and not divided.

    Raises
    ------
    TypeError, ValueError
        If the data are none (see `dataset`), samples are no flat lists; when called, if samples
        have another number of columns.

    Examples
    --------
    >>> from nn import data
    >>> standardiser = data.Standardiser(([[1.0, 5.0], [3.0, 5.0]], [0, 1]))
    >>> standardiser.mean, standardiser.std
    ([2.0, 5.0], [1.0, 0.0])
    >>> standardiser(([[4.0, 6.0]], [1]))
    Dataset(inputs=[[2.0, 1.0]], targets=[1])
    """

    def __init__(self, train: tuple[Any, Any]) -> None:
        inputs, _ = dataset(*as_pair("Standardiser", train))
        if is_list(inputs[0][0]):
            raise ValueError(
                "Standardiser expected samples that are lists of numbers, got lists of lists;"
                " flatten them first"
            )
        columns = [[float(x) for x in column] for column in zip(*inputs, strict=True)]
        self.mean = [_mean(column) for column in columns]
        self.std = [
            math.hypot(*(x - middle for x in column)) / math.sqrt(len(column))
            for column, middle in zip(columns, self.mean, strict=True)
        ]

    def __call__(self, data: tuple[Any, Any]) -> Dataset:
        """Return a part with its inputs standardised; the targets stay.

        Parameters
        ----------
        data : Dataset or pair (inputs, targets)
            The training part or another one.
        """
        inputs, targets = dataset(*as_pair("Standardiser", data))
        if len(inputs[0]) != len(self.mean) or is_list(inputs[0][0]):
            raise ValueError(
                f"Standardiser expected samples of {len(self.mean)} numbers, as those it was made"
                f" with, got {inputs[0]!r} at position 0"
            )
        scales = [(mean, std or 1.0) for mean, std in zip(self.mean, self.std, strict=True)]
        return Dataset(
            [
                [(x - mean) / std for x, (mean, std) in zip(as_lists(row), scales, strict=True)]
                for row in inputs
            ],
            targets,
        )

    def __repr__(self) -> str:
        return f"Standardiser({len(self.mean)} columns)"


def _mean(column: list[float]) -> float:
    """Return the mean, which of equal numbers is that number, to the last digit."""
    return column[0] if min(column) == max(column) else math.fsum(column) / len(column)


def standardise(train: tuple[Any, Any], *others: tuple[Any, Any]) -> list[Dataset]:
    """Return the parts with inputs of mean 0 and deviation 1, by the statistics of the first.

    Parameters
    ----------
    train : Dataset or pair (inputs, targets)
        The part to train on, which alone decides mean and deviation of each column.
    *others : Dataset or pair (inputs, targets)
        Parts to validate and test on.

    Returns
    -------
    list of Dataset
        As many as were given, in that order. Columns that are constant in the first are shifted to
        0 there, and not divided.

    Raises
    ------
    TypeError, ValueError
        If the data are none (see `dataset`), or samples are not flat lists of one length.

    See Also
    --------
    Standardiser : keeps mean and deviation, for samples that come later.

    Examples
    --------
    >>> from nn import data
    >>> train, test = data.split(data.wine(), stratify=True, seed=0)
    >>> train, test = data.standardise(train, test)
    >>> abs(sum(sample[0] for sample in train.inputs)) < 1e-9
    True
    """
    standardiser = Standardiser(train)
    return [standardiser(part) for part in (train, *others)]
