"""Modules that put others together, or their outputs in another shape."""

from __future__ import annotations

from collections.abc import Iterator
from operator import index
from typing import Any

from nn.module import Module, refuse_class
from nn.nested import as_lists, shape_of


class Sequential(Module):
    """Modules behind each other: the output of one is the input of the next.

    Parameters
    ----------
    *modules : Module
        Any callables will do; those that are modules bring their parameters.

    Raises
    ------
    TypeError
        For anything else, also for a class (``nn.ReLU`` instead of ``nn.ReLU()``).

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 1), nn.Flatten(0, 1))
    >>> model
    Sequential, 22 parameters
      0: Linear(in_features=5, out_features=3, bias=True), 18 parameters
      1: ReLU()
      2: Linear(in_features=3, out_features=1, bias=True), 4 parameters
      3: Flatten(start_dim=0, end_dim=1)
    >>> len(model), model[1]
    (4, ReLU())
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        for position, module in enumerate(modules):
            refuse_class(module, f"Sequential expected modules at position {position}")
            if not callable(module):
                raise TypeError(
                    f"Sequential expected modules, got {type(module).__name__} at position"
                    f" {position}: {module!r}"
                )
            setattr(self, str(position), module)  # hence named "0", "1", … as in PyTorch
        self._length = len(modules)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(position)) for position in range(self._length))

    def __getitem__(self, position: int | slice) -> Any:
        """Return one module, or for a slice a Sequential of several."""
        chosen = list(self)[position]
        return Sequential(*chosen) if isinstance(chosen, list) else chosen

    def forward(self, x: Any) -> Any:
        """Pass a sample or a batch through all modules."""
        for module in self:
            x = module(x)
        return x


class Flatten(Module):
    """Joins nested dimensions into one, as in PyTorch.

    Parameters
    ----------
    start_dim, end_dim : int
        First and last of the dimensions to join; negative ones count from the end. By default all
        but the first, which is the batch.

    Raises
    ------
    IndexError
        When called, if the input has no such dimension.
    ValueError
        When called, if samples differ in size, or start_dim comes after end_dim.

    Examples
    --------
    >>> import nn
    >>> nn.Flatten()([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]
    >>> nn.Flatten(0, 1)([[1.0], [2.0]])
    [1.0, 2.0]
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = index(start_dim)
        self.end_dim = index(end_dim)

    def forward(self, x: Any) -> Any:
        """Return the same numbers with the dimensions joined."""
        dimensions = len(shape_of(x, "Flatten"))
        if dimensions == 0:
            return [x]
        start = self._dimension(self.start_dim, dimensions)
        end = self._dimension(self.end_dim, dimensions)
        if start > end:
            raise ValueError(
                f"Flatten expected start_dim not to come after end_dim, got {self.start_dim} and"
                f" {self.end_dim} for an input of {dimensions} dimensions"
            )
        for _ in range(end - start):
            x = _joined(x, start)
        return as_lists(x)

    def _dimension(self, given: int, dimensions: int) -> int:
        if not -dimensions <= given < dimensions:
            noun = "dimension" if dimensions == 1 else "dimensions"
            raise IndexError(
                f"Flatten expected a dimension from {-dimensions} to {dimensions - 1}, since its"
                f" input has {dimensions} {noun}, got {given}"
            )
        return given % dimensions

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


def _joined(x: Any, at: int) -> list[Any]:
    """Join the dimension ``at`` with the one in it."""
    if at > 0:
        return [_joined(element, at - 1) for element in as_lists(x)]
    return [inner for element in as_lists(x) for inner in as_lists(element)]
