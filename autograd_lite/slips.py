"""The classic slips of a training loop, told where they happen instead of by a wrong number.

Each is a `SlipWarning`, given once per place of the user's code, as Python's warnings are. They are
looked for where it costs next to nothing: once per leaf and sweep, not once per operation.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from autograd_lite.modes import runtime
from autograd_lite.places import cell_title, users_frame


class SlipWarning(UserWarning):
    """Something that is allowed, and is most often a mistake in the use of gradients.

    Python's own filters apply: ``warnings.filterwarnings("ignore", category=SlipWarning)`` hides
    them, ``"error"`` makes them exceptions, raised before any gradient has changed.
    `set_slip_warnings` switches off the looking as well.
    """


def set_slip_warnings(enabled: bool) -> None:
    """Switch the warnings about classic slips on or off, in the whole process.

    The slips are: ``backward()`` after a leaf's data was changed (stale graph), or into a gradient
    that belongs to older data (forgotten ``zero_grad()``); an optimiser's step without a gradient;
    ``==`` between a Value and a number, which compares objects.

    Parameters
    ----------
    enabled : bool
        They are on at first.

    Examples
    --------
    >>> from autograd_lite import Value, set_slip_warnings
    >>> set_slip_warnings(False)
    >>> Value(1.0) == 1.0
    False
    >>> set_slip_warnings(True)
    """
    if not isinstance(enabled, bool):
        raise TypeError(f"set_slip_warnings expected True or False, got {enabled!r}")
    runtime.slips = enabled


def warn_slip(message: str) -> None:
    """Give a `SlipWarning` at the line of the user's code that is running, once per place.

    For packages on top of this one; says nothing while `set_slip_warnings` has switched it off.

    Parameters
    ----------
    message : str
        What happened, why it matters, and what to write instead.

    Examples
    --------
    >>> import warnings
    >>> from autograd_lite import warn_slip
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_slip("the batch is empty, so nothing is learned: leave it out")
    >>> str(caught[0].message)
    'the batch is empty, so nothing is learned: leave it out'
    """
    if not runtime.slips:
        return
    frame = users_frame()
    file = frame.f_code.co_filename
    warnings.warn_explicit(
        message,
        SlipWarning,
        filename=cell_title(file) or file,
        lineno=frame.f_lineno,
        module=frame.f_globals.get("__name__", "<unknown>"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


# No message holds a number that may change from one time to the next at the same place: Python
# tells warnings that it has shown from others by their text.


def warn_comparison() -> None:
    """Say that ``==`` between a Value and a number is always False."""
    warn_slip(
        "a Value was compared with a number by == or !=, which compare objects, not numbers, so"
        " they are never equal: write v.data == x, or math.isclose(v, x)"
    )


def warn_stale(consumer: Any, leaf: Any) -> None:
    """Say that a leaf was changed after an operation had used it."""
    warn_slip(
        f"the data of {_named(leaf)} was changed after {consumer.op!r} had recorded it, so"
        " this gradient is the one at the old number: compute the expression again, then call"
        " backward() on the new result"
    )


def warn_mixed(leaves: Sequence[Any]) -> None:
    """Say that leaves receive a gradient on top of one that belongs to older data."""
    others = " (and others)" if len(leaves) > 1 else ""
    warn_slip(
        f"{_named(leaves[0])}{others} still had a gradient when its data was changed, and this"
        " backward() adds to it, so that the sum mixes gradients at two points: call zero_grad()"
        " after each update"
    )


def _named(leaf: Any) -> str:
    return f"the leaf {leaf.label!r}" if leaf.label else "a leaf"
