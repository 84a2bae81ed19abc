"""Where random numbers come from."""

from __future__ import annotations

import random
from operator import index
from typing import cast


def generator(seed: int | random.Random | None) -> random.Random:
    """Return the source of random numbers for a seed.

    Parameters
    ----------
    seed : int, random.Random or None
        An int starts a generator of its own, so the same seed gives the same numbers. A
        `random.Random` goes on where it is. None draws from the functions of module `random`,
        which ``random.seed(...)`` makes reproducible.

    Examples
    --------
    >>> from nn.init import generator
    >>> generator(0).random() == generator(0).random()
    True
    """
    # The module's functions are the methods of its one shared generator.
    shared = cast(random.Random, random)
    if seed is None or seed is shared:
        return shared
    if isinstance(seed, random.Random):
        return seed
    try:
        return random.Random(index(seed))
    except TypeError:
        raise TypeError(
            f"seed expected an int, a random.Random or None, got {type(seed).__name__}: {seed!r}"
        ) from None
