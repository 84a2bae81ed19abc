"""Nested lists: how one sample, a batch and rows of weights are held.

One sample is a list of numbers or Values, a batch is a list of samples. NumPy arrays (and
whatever else has ``tolist``) are taken wherever lists are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import index
from reprlib import repr as shortened
from typing import Any

from autograd_lite import Value

# Tuples, since a union of types would be built anew at each test.
LISTS = (list, tuple)
KEPT = (list, tuple, Value)


def is_list(given: Any) -> bool:
    """Tell whether ``given`` holds several numbers: a list, a tuple or an array."""
    return isinstance(given, LISTS) or getattr(given, "ndim", 0) > 0


def as_lists(given: Any) -> Any:
    """Return arrays as nested lists, everything else as it is."""
    if isinstance(given, KEPT):
        return given
    tolist = getattr(given, "tolist", None)
    return given if tolist is None else tolist()


def elementwise(function: Callable[[Any], Any], given: Any) -> Any:
    """Apply ``function`` to every element; the nesting stays."""
    given = as_lists(given)
    if isinstance(given, LISTS):
        return [elementwise(function, element) for element in given]
    return function(given)


def flat(given: Any) -> Iterator[Any]:
    """Yield every element in reading order."""
    given = as_lists(given)
    if isinstance(given, LISTS):
        for element in given:
            yield from flat(element)
    else:
        yield given


def shape_of(given: Any, what: str) -> tuple[int, ...]:
    """Return the sizes of nested lists, outermost first; () for one number.

    Raises
    ------
    ValueError
        If lists beside each other differ in size; ``what`` names them in the message.
    """
    given = as_lists(given)
    if not isinstance(given, LISTS):
        return ()
    shapes = [shape_of(element, what) for element in given]
    for position, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"{what} expected samples of one size, got shape {shapes[0]} at position 0 and"
                f" {shape} at position {position}"
            )
    return (len(shapes), *shapes[0]) if shapes else (0,)


def dimension(owner: str, given: int, dimensions: int) -> int:
    """Return the number of a dimension, which may have been counted from the end.

    Raises
    ------
    IndexError
        If there is no such dimension; ``owner`` says in the message who wanted it.

    Examples
    --------
    >>> from nn.nested import dimension
    >>> dimension("Softmax", -1, 2)
    1
    """
    if not -dimensions <= given < dimensions:
        noun = "dimension" if dimensions == 1 else "dimensions"
        raise IndexError(
            f"{owner} expected a dimension from {-dimensions} to {dimensions - 1}, since its"
            f" input has {dimensions} {noun}, got {given}"
        )
    return given % dimensions


def checked_dimension(what: str, given: Any) -> int:
    """Return the number of a dimension, which an input may not have, or say what was given."""
    try:
        return index(given)
    except TypeError:
        raise TypeError(
            f"{what} expected a whole number, got {type(given).__name__}: {shortened(given)}"
        ) from None


def number(given: Any) -> Any:
    """Return Values and floats as they are and other numbers as floats; refuse all else."""
    if isinstance(given, Value) or given.__class__ is float:
        return given
    return Value(given, requires_grad=False).data


def number_for(wanted: str, given: Any, position: int | None = None) -> Any:
    """Return what `number` returns, or say what was wanted instead, and where."""
    try:
        return number(given)
    except TypeError:
        where = "" if position is None else f" at position {position}"
        raise TypeError(
            f"{wanted}, got {type(given).__name__}{where}: {shortened(given)}"
        ) from None
