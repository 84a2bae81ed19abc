"""Data: checked samples and their targets, splits, mini-batches, and sets to learn from."""

from nn.data.minibatches import Batches, batches
from nn.data.samples import Dataset, dataset, split
from nn.data.sets import digits, moons

__all__ = ["Batches", "Dataset", "batches", "dataset", "digits", "moons", "split"]
