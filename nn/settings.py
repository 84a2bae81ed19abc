"""Settings of optimisers, schedules and the like: numbers that are checked where they are given."""

from __future__ import annotations

import math
from reprlib import repr as shortened
from typing import Any


def checked_number(
    owner: str, name: str, given: Any, *, below: float = math.inf, positive: bool = False
) -> float:
    """Return a setting as a float in [0, below), or above 0, or say what is wrong with it."""
    wanted = f"a finite {name} >= 0" if below == math.inf else f"0 <= {name} < {below:g}"
    if positive:
        wanted = f"a finite {name} > 0"
    try:
        if isinstance(given, str):
            raise TypeError
        setting = float(given)
    except (TypeError, ValueError):
        raise TypeError(
            f"{owner} expected a number for {name}, got {type(given).__name__}: {shortened(given)}"
        ) from None
    if not 0.0 <= setting < below or (positive and setting == 0.0):
        raise ValueError(f"{owner} expected {wanted}, got {given}")
    return setting


def checked_count(owner: str, name: str, given: Any, *, least: int = 1) -> int:
    """Return a whole number that is large enough, or say what is wrong with it."""
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(
            f"{owner} expected a whole number for {name}, got {type(given).__name__}: {given!r}"
        )
    if given < least:
        raise ValueError(f"{owner} expected {name} >= {least}, got {given}")
    return given
