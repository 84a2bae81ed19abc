"""A search for the learning rate: the loss while the rate grows from tiny to huge."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

from autograd_lite import Value, collector_paused
from nn.data.minibatches import Batches, batches
from nn.data.samples import Seed, as_pair, dataset
from nn.module import Module
from nn.optim import Optimizer
from nn.restoring import restored
from nn.settings import checked_count, checked_number

DIVERGED = 4.0  # times the smallest smoothed loss: enough has been seen
CLEAR = 4.0  # standard errors: a larger fall is more than noise


class RateSearch(NamedTuple):
    """What `lr_range_test` found.

    Attributes
    ----------
    rates : list of float
        The learning rates that were tried, each a constant factor above that before.
    losses : list of float
        The loss of each step, before it was taken with that rate.
    width : int
        Steps, an odd number, that ``smoothed`` takes the mean of.
    """

    rates: list[float]
    losses: list[float]
    width: int

    @property
    def smoothed(self) -> list[float]:
        """The means of ``width`` losses around each, of fewer at the ends."""
        return [
            _mean(self.losses[i - reach : i + reach + 1])
            for i, reach in enumerate(
                min(i, len(self.losses) - 1 - i, self.width // 2) for i in range(len(self.losses))
            )
        ]

    @property
    def suggestion(self) -> float | None:
        """The rate at which the smoothed loss has fallen half way, None without a clear fall.

        Half way from where it starts, the mean of the first quarter of the losses, to its minimum:
        there it falls well, and larger rates are still stable. It counts the last time that the
        smoothed loss comes below that level before its minimum, and only where it is the mean of
        all ``width`` losses. None if there are less than ``3 * width`` losses, or the fall is
        within four standard errors of these two means, by the noise of the first quarter (from the
        differences between neighbours, which a slow fall hardly changes). Of losses that are
        nothing but noise, about one in fifty does look like a fall.
        """
        width, reach = self.width, self.width // 2
        if len(self.losses) < 3 * width:
            return None
        first = self.losses[: max(width, len(self.losses) // 4)]
        start = _mean(first)
        squares = [(b - a) ** 2 for a, b in pairwise(first)] or [0.0]
        error = math.sqrt(_mean(squares) / 2.0 * (1.0 / width + 1.0 / len(first)))
        smoothed = self.smoothed
        place = min(range(reach, len(smoothed) - reach), key=smoothed.__getitem__)
        fall = start - smoothed[place]
        if not fall > CLEAR * error:
            return None
        while place > reach and smoothed[place - 1] < start - fall / 2.0:
            place -= 1
        return self.rates[place]


def lr_range_test(
    model: Module,
    data: tuple[Any, Any],
    loss: Callable[[Any, Any], Any],
    optimizer: Optimizer,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    batch_size: int = 32,
    seed: Seed = None,
) -> RateSearch:
    """Train with a learning rate that grows from step to step, and put everything back.

    The rates lie on a log grid from ``low`` to ``high``. The test ends before that if the loss is
    no finite number any more, or its mean over a window is four times the smallest such mean.

    Afterwards, also after an exception, the model and the optimiser are what they were, to the bit:
    parameters, gradients, buffers, the modes and random generators of modules, the optimiser's
    state and settings. Python's global `random`, which draws the batches if there is no ``seed``,
    has gone on.

    Parameters
    ----------
    model : Module
        Called with a batch, in training mode.
    data : Dataset or pair (inputs, targets)
        N samples and their targets, gone through as often as is needed.
    loss : callable
        ``loss(outputs, targets)`` of a batch, one Value.
    optimizer : Optimizer
        Its parameter groups must have one learning rate.
    low, high : float, optional
        The first and the last rate, 0 < low < high.
    steps : int, optional
        How many rates, at least 2.
    batch_size : int, optional
        Samples a step.
    seed : int or random.Random, optional
        Makes the order of the samples repeatable.

    Returns
    -------
    RateSearch
        ``rates``, ``losses``, ``smoothed``, and a ``suggestion``: where the loss has fallen half
        way, or None where batches are so small and steps so few that its fall does not stand out
        from the noise. Then more ``steps`` or a larger ``batch_size`` help.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.

    References
    ----------
    Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3.

    Examples
    --------
    >>> import nn
    >>> model = nn.MLP(2, [8, 2], seed=0)
    >>> optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    >>> data = nn.data.moons(60, seed=0)
    >>> found = nn.lr_range_test(
    ...     model, data, nn.CrossEntropyLoss(), optimizer, low=1e-3, high=100.0, steps=40, seed=0
    ... )
    >>> 0.01 < found.suggestion < 10
    True
    >>> optimizer.lr
    0.1
    """
    name = "lr_range_test"
    train = dataset(*as_pair(name, data))
    if not isinstance(model, Module):
        raise TypeError(f"{name} expected a Module, got {type(model).__name__}")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name} expected an optimiser, got {type(optimizer).__name__}")
    first = checked_number(name, "low", low, positive=True)
    last = checked_number(name, "high", high, positive=True)
    if not first < last:
        raise ValueError(f"{name} expected low < high, got {low} and {high}")
    count = checked_count(name, "steps", steps, least=2)
    grid = [first * (last / first) ** (i / (count - 1)) for i in range(count - 1)] + [last]
    drawn = _endless(batches(*train, batch_size, seed=seed))
    losses: list[float] = []
    width = count // 10 | 1
    lowest = math.inf
    with _restored(model, optimizer):
        model.train()
        for rate, (inputs, targets) in zip(grid, drawn, strict=False):
            optimizer.lr = rate
            found = _step(model, loss, optimizer, inputs, targets)
            if not math.isfinite(found):
                break
            losses.append(found)
            recent = _mean(losses[-width:])
            if recent > DIVERGED * lowest > 0.0:
                break
            if len(losses) >= width:
                lowest = min(lowest, recent)
    return RateSearch(grid[: len(losses)], losses, width)


def _step(
    model: Module, loss: Callable[[Any, Any], Any], optimizer: Optimizer, inputs: Any, targets: Any
) -> float:
    """Return the loss; descend once if it is a finite number."""
    with collector_paused():
        value = loss(model(inputs), targets)
        if not isinstance(value, Value):
            raise TypeError(
                f"lr_range_test expected the loss to be one Value, got {type(value).__name__} from"
                f" {loss!r}"
            )
        if math.isfinite(value.data):
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
    return value.data


def _endless(steps: Batches) -> Iterator[tuple[list[Any], list[Any]]]:
    while True:
        yield from steps


def _mean(numbers: list[float]) -> float:
    return math.fsum(numbers) / len(numbers)


@contextmanager
def _restored(model: Module, optimizer: Optimizer) -> Iterator[None]:
    """Put back, after the block, whatever steps change in model and optimiser."""
    groups = [dict(group.data) for group in optimizer.param_groups]
    state = [*optimizer.state]
    with restored(model, optimizer.params):
        try:
            yield
        finally:
            for group, settings in zip(optimizer.param_groups, groups, strict=True):
                group.data = settings
            optimizer.state[:] = state
