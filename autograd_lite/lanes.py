"""For authors of modules that are compiled: what a batch has to do with one of its samples.

A program runs a function for many samples at once, its lanes, after the function was recorded with
one of them. What is different in every lane or at every call, or concerns all lanes together, is
said by these functions. They do the natural thing for one sample where nothing is recorded, so one
piece of code serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

from autograd_lite.modes import current_recorder
from autograd_lite.native.tape import Watch
from autograd_lite.native.tracing import lane_operations
from autograd_lite.native.tracing.whole_numbers import WholeNumber


def tracing() -> bool:
    """Tell whether a function is being recorded, here and now.

    Examples
    --------
    >>> from autograd_lite import lanes
    >>> lanes.tracing()
    False
    """
    return current_recorder() is not None


def fresh(count: int, draw: Callable[[int, int], Any]) -> list[Any]:
    """Return numbers that are drawn anew for every lane, and at every call of a program.

    Parameters
    ----------
    count : int
        How many.
    draw : callable
        ``draw(lanes, count)`` gives ``lanes`` rows of ``count`` numbers, as lists or an array.

    Returns
    -------
    list of count numbers
        Values while a function is recorded (``draw`` is not called then), else floats: the only
        row of ``draw(1, count)``.

    Raises
    ------
    TypeError
        If ``draw`` is no function.
    ValueError
        If the row has another number of numbers.

    Examples
    --------
    >>> import random
    >>> from autograd_lite import lanes
    >>> source = random.Random(0)
    >>> def draw(lanes, count):
    ...     return [[source.random() for _ in range(count)] for _ in range(lanes)]
    >>> [round(x, 3) for x in lanes.fresh(2, draw)]
    [0.844, 0.758]
    """
    if not callable(draw):
        raise TypeError(
            f"fresh expected a function of the numbers of lanes and of draws, got"
            f" {type(draw).__name__}: {draw!r}"
        )
    recorder = current_recorder()
    if recorder is not None:
        return recorder.draw(draw, count)
    (row,) = draw(1, count)
    numbers = [float(x) for x in row]
    if len(numbers) != count:
        raise ValueError(f"fresh expected rows of {count} numbers from draw, got {len(numbers)}")
    return numbers


def mean(x: Any) -> Any:
    """Return the mean of a number over all lanes; of a single sample the number itself.

    Examples
    --------
    >>> from autograd_lite import lanes
    >>> lanes.mean(3.0)
    3.0
    """
    return lane_operations.lane_mean(x) if tracing() else x


def variance(x: Any) -> Any:
    """Return the (biased) variance of a number over all lanes; of a single sample 0.

    Examples
    --------
    >>> from autograd_lite import lanes
    >>> lanes.variance(3.0)
    0.0
    """
    return lane_operations.lane_variance(x) if tracing() else 0.0


def pick(xs: Sequence[Any], label: Any) -> Any:
    """Return ``xs[label]``, for a label that may be another one in every lane.

    (``xs[label]`` itself gives the same; but a recording of it holds for one label only.)

    Parameters
    ----------
    xs : sequence of numbers or Values
    label : int from 0 to len(xs) - 1
        An argument of the function that is recorded, or any whole number.

    Raises
    ------
    TypeError
        If the label is no whole number.
    IndexError
        If there is no such x.

    Examples
    --------
    >>> from autograd_lite import lanes
    >>> lanes.pick([2.0, 3.0, 5.0], 1)
    3.0
    """
    recorded = isinstance(label, WholeNumber) and tracing()
    try:
        chosen = label if recorded else index(label)
    except TypeError:
        raise TypeError(
            f"pick expected a whole number as label, got {type(label).__name__}: {label!r}"
        ) from None
    if not 0 <= chosen < len(xs):  # two guards while it is recorded, so no lane is outside
        raise IndexError(f"pick expected a label from 0 to {len(xs) - 1}, got {index(label)}")
    return lane_operations.pick((label, *xs)) if recorded else xs[chosen]


def after(function: Callable[..., None], *values: Any) -> None:
    """Have a function called with numbers, now and after every call of a program.

    Parameters
    ----------
    function : callable
        Takes a float for each of the values. While a function is recorded it is not called.
    *values : numbers or Values
        In a program numbers that are the same in all lanes, such as a `mean`.

    Examples
    --------
    >>> from autograd_lite import Value, lanes
    >>> seen = []
    >>> lanes.after(seen.append, Value(2.0) * 3.0)
    >>> seen
    [6.0]
    """
    recorder = current_recorder()
    if recorder is not None:
        recorder.effect(function, values)
    else:
        function(*map(float, values))


def depends(get: Callable[[], Any]) -> None:
    """Say that what is being recorded holds only as long as ``get()`` gives the same.

    Does nothing while nothing is recorded.

    Parameters
    ----------
    get : callable
        Takes nothing; returns a number, text, a boolean, None or a tuple of these, which are
        compared, or any other object, which then has to be the same one.

    Examples
    --------
    >>> from autograd_lite import lanes
    >>> settings = {"training": True}
    >>> lanes.depends(lambda: settings["training"])
    """
    recorder = current_recorder()
    if recorder is not None:
        recorder.watch(Watch(get, get()))
