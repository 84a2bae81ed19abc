"""Weighted sums, the work of a neural network: one recorded node per neuron."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from autograd_lite.allocation import allocator
from autograd_lite.modes import current_mode, runtime
from autograd_lite.node import UNREACHED
from autograd_lite.primitives import nary, operands_of
from autograd_lite.value import Value

_blank = allocator(Value)


def linear(
    x: Sequence[Any], weight: Sequence[Sequence[Any]], bias: Sequence[Any] | None = None
) -> list[Any]:
    """Return Wx + b: one `dot` node per row of ``weight``, each added from left to right.

    Parameters
    ----------
    x : n numbers or Values
    weight : m rows of n numbers or Values
    bias : m numbers or Values, optional
        What the sums start from.

    Returns
    -------
    list
        m Values (floats if there is no Value among the arguments).

    Raises
    ------
    ValueError
        If a row has not as many weights as there are inputs, or not every row has a bias.

    Examples
    --------
    >>> from autograd_lite import Value, linear
    >>> w = [[Value(2.0), Value(3.0)]]
    >>> (y,) = linear([1.0, 10.0], w, [Value(0.5)])
    >>> y.data
    32.5
    >>> y.partials
    (1.0, 10.0, 1.0)
    """
    operands = operands_of("linear", x)
    biases: Sequence[Any] = (None,) * len(weight) if bias is None else bias
    if len(biases) != len(weight):
        raise ValueError(
            f"linear expected as many biases as rows of weights, {len(weight)}, got {len(biases)}"
        )
    recording, tag = current_mode() if runtime.special else (True, None)
    try:
        right = [v._data for v in operands]
        with_values = True
    except AttributeError:
        right = list(operands)
        with_values = False
        if any(type(v) is not float for v in right):
            return [_row(operands, row, b) for row, b in zip(weight, biases, strict=True)]
    outputs: list[Any] = []
    for row, b in zip(weight, biases, strict=True):
        try:
            left = [w._data for w in row]
            start = () if b is None else (b._data,)
            learned = row[0]._grad is not None
        except (AttributeError, IndexError):
            learned = False
        if not learned or len(left) != len(right):
            outputs.append(_row(operands, row, b))
            continue
        y = reduce(add, map(mul, left, right), *start)
        if not recording:
            outputs.append(Value(y, requires_grad=False))
            continue
        out = _blank()
        out._data = y
        out._primitive = nary.dot_product
        out._da = None
        ending, ones = ((), ()) if b is None else ((b,), (1.0,))
        if with_values:
            out._a = out._b = (*row, *operands, *ending)
            out._db = (*right, *left, *ones)
        else:
            out._a = (*row, *ending)
            out._b = (*row, *operands, *ending)
            out._db = (*right, *ones)
        out._grad = UNREACHED
        out._position = 0
        out._stamp = runtime.clock
        if tag is not None:
            out._tag = tag
        outputs.append(out)
    return outputs


def _row(x: Sequence[Any], row: Sequence[Any], bias: Any) -> Any:
    if len(row) != len(x):
        raise ValueError(f"linear expected {len(row)} inputs for {len(row)} weights, got {len(x)}")
    return nary.dot_product((*row, *x) if bias is None else (*row, *x, bias))
