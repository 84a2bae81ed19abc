"""Trying an engine at every milestone, in this process."""

from __future__ import annotations

from typing import Any

from autograd_lite.testing.grading.milestones import MILESTONES, Milestone
from autograd_lite.testing.grading.report import Report, Result
from autograd_lite.testing.grading.trials import (
    Missing,
    Raised,
    expected,
    first_wrong,
    run,
)


def grade_milestone(milestone: Milestone, value_class: type[Any]) -> Result:
    """Try an engine at one milestone.

    Parameters
    ----------
    milestone : Milestone
        One of ``MILESTONES``.
    value_class : type
        The class that is graded. It is run, not confined: see `grade`.

    Returns
    -------
    Result
        Whatever the engine does: an exception of its own is a failure that is reported.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupts.
    """
    lacking: dict[str, None] = {}
    tried = 0
    for trial in milestone.trials:
        observed = run(trial, value_class)
        if isinstance(observed, Missing):
            lacking.update(dict.fromkeys(observed.operations))
            continue
        tried += 1
        if isinstance(observed, Raised):
            program, wanted, got = observed.program, expected(trial)[0], str(observed)
        else:
            position = first_wrong(trial, observed)
            if position is None:
                continue
            program = trial.program(trial.checks[position])
            wanted, got = expected(trial)[position], str(observed.results[position])
        return Result(milestone.name, "failed", program, str(wanted), got, "")
    if not tried:
        return Result(milestone.name, "skipped", diagnosis="missing: " + ", ".join(lacking))
    return Result(milestone.name, "passed")


def grade(value_class: type[Any], *, name: str = "Value") -> Report:
    """Try an engine at all milestones, in this process."""
    return Report(name, tuple(grade_milestone(m, value_class) for m in MILESTONES))
