"""Dropout: in training, numbers are set to 0 at random."""

from __future__ import annotations

import random
from typing import Any

from autograd_lite import lanes
from nn.activations import check_inplace
from nn.init import generator
from nn.init.seeds import uniforms
from nn.inputs import called
from nn.module import Module
from nn.nested import elementwise, flat, number_for


class Dropout(Module):
    """In training, sets each number to 0 with probability p and divides the others by 1 - p.

    In evaluation, and for p = 0, numbers pass as they are. Every call draws anew for every
    number of every sample.

    Parameters
    ----------
    p : float
        Probability to drop a number, from 0 to 1.
    inplace : bool
        As in PyTorch, but without effect: Values are never changed in place.
    seed : int, random.Random or None
        Where masks are drawn from; None is Python's ``random``.

    Attributes
    ----------
    p : float
    generator : random.Random or None
        The source of the masks, one ``random()`` for each number in reading order: the number is
        kept if that is at least p. None stands for Python's ``random``.

    Raises
    ------
    TypeError, ValueError
        For a p outside [0, 1].

    Notes
    -----
    Lectures often state it the other way round: a unit is *kept* with probability p in training,
    and at test time, when all units are there, its output is multiplied by p. With q = 1 - p for
    the probability to keep, the expectation of what the next layer gets is the same in training
    and at test time in both forms: q · x + (1 - q) · 0 = q · x there, and q · x/q + (1 - q) · 0 = x
    here. This form ("inverted dropout") leaves nothing to do at test time.

    A network with dropout on n units stands for the 2ⁿ networks with some of them missing. The
    average of their outputs, each as often as its mask comes, is the output in evaluation exactly
    when what follows is linear, otherwise approximately.

    References
    ----------
    Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html

    Examples
    --------
    >>> import nn
    >>> dropout = nn.Dropout(0.5, seed=0)
    >>> dropout([1.0, 2.0, 3.0, 4.0])
    [2.0, 4.0, 0.0, 0.0]
    >>> dropout.eval()([1.0, 2.0, 3.0, 4.0])
    [1.0, 2.0, 3.0, 4.0]
    """

    def __init__(
        self, p: float = 0.5, inplace: bool = False, *, seed: int | random.Random | None = None
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.p = float(number_for(f"{name}'s p expected a number", p))
        if not 0.0 <= self.p <= 1.0:
            raise ValueError(f"{name}'s p expected a probability from 0 to 1, got {p}")
        check_inplace(self, inplace)
        source = generator(seed)
        # Python's own is a module, with which models could be neither copied nor pickled.
        self.generator = None if source is generator(None) else source

    def forward(self, x: Any) -> Any:
        """Return the input with some of its numbers dropped; in evaluation, the input itself."""
        if not self.training or self.p == 0.0:
            return x
        wanted = f"{called(self)} expected numbers"
        if lanes.tracing():
            masks = iter(lanes.fresh(sum(1 for _ in flat(x)), self._masks))
            return elementwise(lambda given: number_for(wanted, given) * next(masks), x)
        draw, kept = generator(self.generator).random, self._factor()

        def dropped(given: Any) -> Any:
            # A product with 0 instead of a 0: gradients are 0 then, as PyTorch's, not missing.
            return number_for(wanted, given) * (kept if draw() >= self.p else 0.0)

        return elementwise(dropped, x)

    def _factor(self) -> float:
        """Return what the numbers that are kept are multiplied by."""
        return 1.0 / (1.0 - self.p) if self.p < 1.0 else 0.0

    def _masks(self, samples: int, size: int) -> Any:
        """Return the factors of a batch, drawn in the order in which `forward` draws them."""
        drawn, kept = uniforms(generator(self.generator), samples * size), self._factor()
        if isinstance(drawn, list):
            factors = [kept if number >= self.p else 0.0 for number in drawn]
            return [factors[i : i + size] for i in range(0, len(factors), size or 1)]
        return ((drawn >= self.p) * kept).reshape(samples, size)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace=False"
