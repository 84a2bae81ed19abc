"""What a plan gives, a native one or one in Python."""

from __future__ import annotations

from typing import Any, NamedTuple


class Found(NamedTuple):
    """What an evaluation gives: arrays from a native plan, nested lists from one in Python.

    Attributes
    ----------
    outputs : (outputs, lanes)
        With one lane where nothing varies.
    failed : whole numbers (lanes,), or None
        The number of the first guard that does not hold, or how many there are; None if all hold.
    gradients : dict
        By position of the argument, of its shape: (lanes, width), or (width,) where it does not
        vary. Empty without a seed.
    """

    outputs: Any
    failed: Any
    gradients: dict[int, Any]
