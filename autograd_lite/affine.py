"""Weighted sums, the work of a neural network: one recorded node per neuron."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from autograd_lite.allocation import allocator
from autograd_lite.modes import Mode, current_mode, runtime
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
    x : n numbers or Values, or a list of such samples
    weight : m rows of n numbers or Values
    bias : m numbers or Values, optional
        What the sums start from.

    Returns
    -------
    list
        m Values (floats if there is no Value among the arguments); a list of such lists for a
        list of samples.

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
    x = x.tolist() if hasattr(x, "tolist") else operands_of("linear", x)
    biases: Sequence[Any] = (None,) * len(weight) if bias is None else bias
    if len(biases) != len(weight):
        raise ValueError(
            f"linear expected as many biases as rows of weights, {len(weight)}, got {len(biases)}"
        )
    rows = [_Row(operands_of("linear", row), b) for row, b in zip(weight, biases, strict=True)]
    mode = current_mode() if runtime.special else None
    if mode is None or not (mode.watching or mode.recorder is not None):
        for row in rows:
            row.read()
    if isinstance(x[0], list | tuple):
        return [_outputs(operands_of("linear", sample), rows, mode) for sample in x]
    return _outputs(tuple(x), rows, mode)


class _Row:
    """The weights of one output and its bias, with what all samples need of them.

    ``learned`` is whether they were read, so that the quick way is open.
    """

    __slots__ = ("bias", "data", "learned", "ones", "start", "values", "weights")

    def __init__(self, weights: Sequence[Any], bias: Any) -> None:
        self.weights = tuple(weights)
        self.bias = () if bias is None else (bias,)
        self.values = self.weights + self.bias
        self.ones = (1.0,) * len(self.bias)
        self.learned = False

    def read(self) -> None:
        """Read the numbers of what is learned, for the quick way."""
        try:
            self.data = [w._data for w in self.weights]
            self.start = [b._data for b in self.bias]
            self.learned = self.weights[0]._grad is not None
        except (AttributeError, IndexError):  # plain numbers, or no weights at all
            return

    def dot(self, x: tuple[Any, ...]) -> Any:
        """Record the weighted sum by the general way."""
        wanted = len(self.weights)
        if wanted != len(x):
            raise ValueError(f"linear expected {wanted} inputs for {wanted} weights, got {len(x)}")
        return nary.dot_product(self.weights + x + self.bias)


def _outputs(x: tuple[Any, ...], rows: Sequence[_Row], mode: Mode | None) -> list[Any]:
    """Return all weighted sums of one sample.

    Nodes share what they can: those of one row their weights, those of one sample its numbers.
    """
    recording, tag = (True, None) if mode is None else (mode.recording, mode.tag)
    try:
        numbers: tuple[Any, ...] = tuple([v._data for v in x])
        with_values = True
    except AttributeError:
        numbers = x
        with_values = False
        if any(type(v) is not float for v in x):
            return [row.dot(x) for row in rows]
    outputs: list[Any] = []
    padded: dict[tuple[float, ...], tuple[float, ...]] = {(): numbers, (1.0,): (*numbers, 1.0)}
    for row in rows:
        if not row.learned or len(row.data) != len(numbers):
            outputs.append(row.dot(x))
            continue
        y = reduce(add, map(mul, row.data, numbers), *row.start)
        if not recording:
            outputs.append(Value(y, requires_grad=False))
            continue
        out = _blank()
        out._data = y
        out._primitive = nary.dot_product
        out._da = None
        if with_values:
            out._a = row.weights + x + row.bias
            out._b = (out._a,)
            out._db = (*numbers, *row.data, *row.ones)
        else:
            out._a = row.values
            out._b = (row.weights, x, row.bias)
            out._db = padded[row.ones]
        out._grad = UNREACHED
        out._position = 0
        out._stamp = runtime.clock
        if tag is not None:
            out._tag = tag
        outputs.append(out)
    return outputs
