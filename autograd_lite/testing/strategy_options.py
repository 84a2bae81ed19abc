"""What the strategies are asked for, and what they need."""

from __future__ import annotations

from typing import Any

from autograd_lite.primitives import TABLE, Primitive, Variadic, number

Operation = str | Primitive | Variadic


def primitive_of(operation: Operation) -> Primitive | Variadic:
    """Return a primitive that was given itself or by its name."""
    if isinstance(operation, Primitive | Variadic):
        return operation
    if not isinstance(operation, str):
        raise TypeError(
            f"an operation is a primitive or its name, got {type(operation).__name__}:"
            f" {operation!r}"
        )
    if operation not in TABLE:
        raise ValueError(f"the table of primitives has no {operation!r}; it has {', '.join(TABLE)}")
    return TABLE[operation]


def at_most(small: str, low: int, large: str, high: int, *, at_least: int) -> None:
    """Check the limits of a range."""
    if low < at_least:
        raise ValueError(f"{small} is at least {at_least}, got {low}")
    if high < low:
        raise ValueError(f"{large} is at least {small} = {low}, got {high}")


def positive(what: str, given: float, *, or_zero: bool = False) -> float:
    """Return a number that is positive (or zero), or say what it must be."""
    x = number(given, f"a number for {what}")
    if not (x >= 0.0 if or_zero else x > 0.0):
        wanted = "zero or more" if or_zero else "positive"
        raise ValueError(f"{what} is {wanted}, got {given!r}")
    return x


def hypothesis_strategies() -> Any:
    """Import Hypothesis' strategies, or say what to install."""
    try:
        from hypothesis import strategies
    except ImportError:
        raise ImportError(
            "drawing expressions and points needs Hypothesis: pip install hypothesis"
        ) from None
    return strategies
