"""What layers are given: sizes, and samples or batches of them, checked at the door."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from reprlib import repr as shortened
from typing import Any

from autograd_lite import Value
from nn.module import Module
from nn.nested import LISTS, as_lists, is_list, number


def size(given: Any, what: str) -> int:
    """Return a number of inputs or outputs, or say what is wrong with it.

    Raises
    ------
    TypeError, ValueError
        If it is no whole number, or below 1; ``what`` names it in the message.

    Examples
    --------
    >>> from nn.inputs import size
    >>> size(0, "Linear's in_features")
    Traceback (most recent call last):
        ...
    ValueError: Linear's in_features expected at least 1, got 0
    """
    try:
        count = index(given)
    except TypeError:
        raise TypeError(
            f"{what} expected a whole number, got {type(given).__name__}: {shortened(given)}"
        ) from None
    if count < 1:
        raise ValueError(f"{what} expected at least 1, got {count}")
    return count


def samples(layer: Module, expected: int, x: Any) -> tuple[list[Sequence[Any]], bool]:
    """Return the samples in ``x``, each of the expected size, and whether it is a batch.

    Parameters
    ----------
    layer : Module
        Named in messages.
    expected : int
        How many numbers a sample has.
    x : list of numbers or Values, or a list of such samples
        Arrays are taken as well.

    Raises
    ------
    TypeError
        For what is no list, or holds no numbers.
    ValueError
        For samples of another size, or none.

    Examples
    --------
    >>> import nn
    >>> from nn.inputs import samples
    >>> samples(nn.Linear(2, 1), 2, [1, 2])
    ([[1.0, 2.0]], False)
    """
    shape = getattr(x, "shape", ())  # which an empty array has, but its lists have lost
    x = as_lists(x)
    if not isinstance(x, LISTS):
        raise TypeError(
            f"{called(layer)} expected a list of {counted(expected, 'number')} or a batch of such"
            f" lists, got {type(x).__name__}: {shortened(x)}"
        )
    if not x:
        given = f"an empty batch of shape {shape}" if len(shape) > 1 else "an empty list"
        raise ValueError(
            f"{called(layer)} expected {counted(expected, 'input')} or a batch of at least one"
            f" sample, got {given}"
        )
    if not is_list(x[0]):
        return [_sample(layer, expected, x, "")], False
    return [
        _sample(layer, expected, sample, f" in sample {position} of the batch")
        for position, sample in enumerate(x)
    ], True


def _sample(layer: Module, expected: int, sample: Any, where: str) -> Sequence[Any]:
    """Return a sample as a list of Values and floats, or say what is wrong with it."""
    sample = as_lists(sample)
    if not isinstance(sample, LISTS):
        raise TypeError(
            f"{called(layer)} expected a list of {counted(expected, 'number')}{where}, got"
            f" {type(sample).__name__}: {shortened(sample)}"
        )
    if len(sample) != expected:
        wanted = counted(expected, "input")
        raise ValueError(f"{called(layer)} expected {wanted}, got {len(sample)}{where}")
    kinds = set(map(type, sample))
    if len(kinds) == 1 and (Value in kinds or float in kinds):
        return sample
    if any(map(is_list, sample)):
        raise TypeError(
            f"{called(layer)} expected {counted(expected, 'number')}{where}, got lists;"
            " nn.Flatten() makes one list of a nested sample"
        )
    return [number(element) for element in sample]


def counted(count: int, noun: str) -> str:
    """Return "1 input", "2 inputs", …

    Examples
    --------
    >>> from nn.inputs import counted
    >>> counted(2, "input")
    '2 inputs'
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def called(layer: Module) -> str:
    """Return how messages call a layer: its class and its name in the network.

    Examples
    --------
    >>> import nn
    >>> from nn.inputs import called
    >>> called(nn.ReLU())
    'ReLU'
    """
    name = type(layer).__name__
    return f"{name} {layer._scope_name!r}" if layer._scope_name else name
