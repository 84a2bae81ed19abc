"""Embedding: a learned vector for each of a number of labels."""

from __future__ import annotations

import random
from operator import index
from reprlib import repr as shortened
from typing import Any

from autograd_lite import Value, lanes
from nn.init import Initialiser, generator, initialiser
from nn.init.choosing import checked_draws
from nn.inputs import called, size
from nn.module import Module, Parameter
from nn.nested import LISTS, as_lists


class Embedding(Module):
    """A table of learned vectors: label i gives row i.

    The same as a `Linear` without bias applied to one-hot vectors, without the multiplications.
    Gradients reach only the rows that were looked up, summed over all places of a label.

    Parameters
    ----------
    num_embeddings : int
        Number of labels.
    embedding_dim : int
        Size of the vectors.
    init : str or callable, optional
        Initialiser, for ``num_embeddings`` inputs and ``embedding_dim`` outputs (see `nn.init`). By
        default N(0, 1), as in PyTorch.
    seed : int, random.Random or None
        Where the vectors are drawn from; None is Python's ``random``.

    Attributes
    ----------
    weight : list of lists of Parameter
        One row for each label.

    Raises
    ------
    TypeError, ValueError
        For a size below 1 or an unknown initialiser; a TypeError when called with labels that are
        no whole numbers.
    IndexError
        When called with a label that is not in the table.

    Examples
    --------
    >>> import nn
    >>> embedding = nn.Embedding(10, 2, seed=0)
    >>> embedding
    Embedding(10, 2), 20 parameters
    >>> len(embedding(3)), len(embedding([3, 1, 3]))
    (2, 3)

    Two labels per sample, their vectors joined, in a network:

    >>> model = nn.Sequential(embedding, nn.Flatten(), nn.MLP(4, [8, 1], seed=0))
    >>> len(model([[3, 1], [0, 9], [5, 5]]))
    3
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        init: str | Initialiser | None = None,
        seed: int | random.Random | None = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = size(num_embeddings, f"{type(self).__name__}'s num_embeddings")
        self.embedding_dim = size(embedding_dim, f"{type(self).__name__}'s embedding_dim")
        draw = _standard_normal if init is None else initialiser(init)
        draw, rng = checked_draws(type(self).__name__, draw), generator(seed)
        labels, sizes = range(self.num_embeddings), range(self.embedding_dim)
        self.weight = [
            [Parameter(draw(rng, self.num_embeddings, self.embedding_dim)) for _ in sizes]
            for _ in labels
        ]

    def forward(self, labels: Any) -> list[Any]:
        """Return the row of a label, or those of (nested) lists of labels."""
        return self._rows(labels, ())

    def _rows(self, labels: Any, place: tuple[int, ...]) -> list[Any]:
        labels = as_lists(labels)
        if isinstance(labels, LISTS):
            return [self._rows(label, (*place, i)) for i, label in enumerate(labels)]
        recorded = isinstance(labels, Value) and hasattr(labels, "__index__")
        if recorded and 0 <= labels < self.num_embeddings:
            return [lanes.pick(feature, labels) for feature in zip(*self.weight, strict=True)]
        try:
            row = index(labels)
        except TypeError:
            raise TypeError(
                f"{called(self)} expected whole numbers as labels, got"
                f" {type(labels).__name__}{_at(place)}: {shortened(labels)}"
            ) from None
        if not 0 <= row < self.num_embeddings:
            raise IndexError(
                f"{called(self)} expected labels from 0 to {self.num_embeddings - 1}, got"
                f" {row}{_at(place)}"
            )
        return list(self.weight[row])

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}"

    def _title(self) -> str:
        return f"{type(self).__name__}({self.num_embeddings}→{self.embedding_dim})"


def _standard_normal(rng: random.Random, fan_in: int, fan_out: int) -> float:
    return rng.gauss(0.0, 1.0)


def _at(place: tuple[int, ...]) -> str:
    """Return where a label stands, as messages say it."""
    return f" at position {''.join(f'[{i}]' for i in place)}" if place else ""
