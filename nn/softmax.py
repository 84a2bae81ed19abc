"""Softmax and its logarithm as modules: activations of several numbers at once."""

from __future__ import annotations

from reprlib import repr as shortened
from typing import Any

import autograd_lite
from nn.module import Module
from nn.nested import as_lists, checked_dimension, dimension, is_list, number_for, shape_of


class _AlongDimension(Module):
    """An activation of several numbers at once: those along one dimension.

    Parameters
    ----------
    dim : int
        The dimension; negative ones count from the end.

    Raises
    ------
    TypeError
        If ``dim`` is no whole number.
    IndexError
        When called, if the input has no such dimension.
    ValueError
        When called, if samples differ in size.
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = checked_dimension(f"{type(self).__name__}'s dim", dim)

    def function(self, xs: list[Any]) -> list[Any]:
        """Return the activations of a list of numbers or Values."""
        raise NotImplementedError

    def forward(self, x: Any) -> Any:
        """Apply the function along the dimension; the shape stays."""
        name = type(self).__name__
        x = as_lists(x)
        dimensions = len(shape_of(x, name))
        if dimensions == 0:
            raise TypeError(
                f"{name} expected a list of numbers or a batch of such lists, got"
                f" {type(x).__name__}: {shortened(x)}"
            )
        return self._along(x, dimension(name, self.dim, dimensions))

    def _along(self, x: Any, dim: int) -> list[Any]:
        x = as_lists(x)
        if dim > 0:
            return [self._along(element, dim - 1) for element in x]
        if x and is_list(x[0]):
            columns = [self._along(column, 0) for column in zip(*map(as_lists, x), strict=True)]
            return [list(row) for row in zip(*columns, strict=True)]
        wanted = f"{type(self).__name__} expected numbers"
        return self.function([number_for(wanted, e, i) for i, e in enumerate(x)])

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongDimension):
    """exp(x) / Σ exp(x): positive numbers that add up to 1, without overflow.

    Before `CrossEntropyLoss` it must not stand: that takes logits.

    Parameters
    ----------
    dim : int
        The dimension along which they add up to 1; negative ones count from the end. By default
        the last: each sample for itself. (PyTorch's default, None, guesses it.)

    Raises
    ------
    TypeError, IndexError, ValueError
        If ``dim`` is no whole number; when called, if the input has no such dimension, or samples
        differ in size.

    Examples
    --------
    >>> import nn
    >>> nn.Softmax()([[1000.0, 1000.0], [5.0, -1000.0]])
    [[0.5, 0.5], [1.0, 0.0]]
    """

    def function(self, xs: list[Any]) -> list[Any]:
        return autograd_lite.softmax(xs)


class LogSoftmax(_AlongDimension):
    """x - log Σ exp(x): the logarithms of `Softmax`, accurate where it is near 0 or 1.

    Before `NLLLoss`, the same as `CrossEntropyLoss` alone.

    Parameters
    ----------
    dim : int
        As for `Softmax`.

    Raises
    ------
    TypeError, IndexError, ValueError
        As for `Softmax`.

    Examples
    --------
    >>> import nn
    >>> [round(y, 4) for y in nn.LogSoftmax()([0.0, 0.0])], nn.LogSoftmax()([0.0, -1000.0])
    ([-0.6931, -0.6931], [0.0, -1000.0])
    """

    def function(self, xs: list[Any]) -> list[Any]:
        return autograd_lite.log_softmax(xs)
