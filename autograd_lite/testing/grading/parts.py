"""What two programs have in common that may be wrong: functions of the engine, and mechanisms."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from autograd_lite.testing.grading.trials import (
    Trial,
    doubles,
    operations,
    reuses,
    run,
    shares,
    size,
)

Parts = set[object]


class InCommon:
    """What is suspected because programs go wrong.

    Suspected are the parts of a broken program that no right one has; where each of its parts is
    in some right program, it is their combination, and then all its operations and mechanisms are
    suspected. A program that has all that another one is suspected for, and more, adds nothing.

    Parameters
    ----------
    broken, right : sequence of Trial
        The programs.
    value_class : type
        The engine. It is run: which of its functions a program calls is seen, not read.
    """

    def __init__(
        self, broken: Sequence[Trial], right: Sequence[Trial], value_class: type[Any]
    ) -> None:
        self._broken = broken
        self._right = right
        self._value_class = value_class

    def first_with(self, trial: Trial) -> Trial | None:
        """Return the first broken program of which a suspected part is in this one, too."""
        own = _parts(trial, self._value_class) if self._broken else set()
        return next((other for other, parts in self._suspected.items() if own & parts), None)

    @cached_property
    def _suspected(self) -> dict[Trial, Parts]:
        cleared: Parts = set()
        for trial in self._right if self._broken else ():
            cleared |= _parts(trial, self._value_class)
        found = {t: _parts(t, self._value_class) - cleared or _written(t) for t in self._broken}
        return {t: p for t, p in found.items() if not any(less < p for less in found.values())}


def _parts(trial: Trial, value_class: type[Any]) -> Parts:
    """Return the functions that a program calls, by their code, and what is written in it."""
    called: Parts = set()

    def note(frame: Any, event: str, argument: Any) -> None:
        ours = frame.f_globals.get("__package__") == __package__
        if event == "call" and not ours and frame.f_code.co_name != "<module>":
            called.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run(trial, value_class)
    finally:
        sys.setprofile(before)
    return called | _written(trial)


def _written(trial: Trial) -> Parts:
    """Return the operations of a program, and its mechanisms, such as a chain of operations."""
    mechanisms = {
        "chain": size(trial) > 1,
        "reuse": reuses(trial),
        "sharing": shares(trial),
        "an operand twice": doubles(trial),
    }
    return {name for name, used in mechanisms.items() if used} | set(operations(trial.lines))
