"""Where random numbers come from."""

from __future__ import annotations

import random
import sys
from operator import index
from typing import Any, cast

FEW = 64  # numbers that are drawn one by one more quickly than in an array


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


def uniforms(source: random.Random, count: int) -> Any:
    """Return the next numbers of ``source.random()``: in an array if they are many.

    Parameters
    ----------
    source : random.Random
    count : int

    Returns
    -------
    list of float, or NumPy array (count,)
        An array if NumPy has been imported by somebody. The source is left as after ``count``
        calls.

    Examples
    --------
    >>> from nn.init.seeds import generator, uniforms
    >>> source, twin = generator(0), generator(0)
    >>> list(uniforms(source, 100)) == [twin.random() for _ in range(100)]
    True
    """
    np = sys.modules.get("numpy")
    known = source is generator(None) or type(source) is random.Random
    if np is None or count < FEW or not known:
        draw = source.random
        return [draw() for _ in range(count)]
    # random() makes its 53 bits of two words of the generator, 27 and 26 of them; getrandbits()
    # gives the same words, the first one lowest.
    words = source.getrandbits(64 * count).to_bytes(8 * count, "little")
    pairs = np.frombuffer(words, "<u4")
    return ((pairs[::2] >> 5) * 67108864.0 + (pairs[1::2] >> 6)) * (1.0 / 9007199254740992.0)
