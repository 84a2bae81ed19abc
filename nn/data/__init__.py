"""Data: checked samples and their targets, splits, mini-batches, and sets to learn from.

Labels of K classes are 0 to K - 1.
"""

from nn.data.bundled import breast_cancer, diabetes, digits, iris, wine
from nn.data.first_names import names
from nn.data.idx import mnist
from nn.data.labels import one_hot, random_labels
from nn.data.minibatches import Batches, batches
from nn.data.planar import circles, moons, spirals, xor
from nn.data.samples import Dataset, dataset, split
from nn.data.standardising import Standardiser, standardise

__all__ = [
    "Batches",
    "Dataset",
    "Standardiser",
    "batches",
    "breast_cancer",
    "circles",
    "dataset",
    "diabetes",
    "digits",
    "iris",
    "mnist",
    "moons",
    "names",
    "one_hot",
    "random_labels",
    "spirals",
    "split",
    "standardise",
    "wine",
    "xor",
]
