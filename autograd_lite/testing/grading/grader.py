"""Trying an engine at every milestone, in this process."""

from __future__ import annotations

from typing import Any

from autograd_lite.testing.grading import diagnosis, random_graphs
from autograd_lite.testing.grading.milestones import MILESTONES, Milestone
from autograd_lite.testing.grading.report import Outcome, Report, Result
from autograd_lite.testing.grading.trials import (
    OPERATORS,
    Missing,
    Numbers,
    Raised,
    Trial,
    expected,
    first_wrong,
    operations,
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
    tried = False
    for trial in milestone.trials:
        observed = run(trial, value_class)
        if isinstance(observed, Missing):
            lacking.update(dict.fromkeys(observed.operations))
            continue
        tried = True
        if isinstance(observed, Raised):
            return _raised(milestone, trial, observed, value_class)
        position = first_wrong(trial, observed)
        if position is not None:
            return _wrong(milestone, trial, position, value_class)
    outcome: Outcome = "passed" if tried else "skipped"
    return Result(milestone.name, outcome, missing=tuple(lacking))


def _raised(milestone: Milestone, trial: Trial, raised: Raised, value_class: type[Any]) -> Result:
    found = diagnosis.of_exception(trial, raised, value_class)
    words = f"{trial.title} raised {raised.name}: {found.words}"
    wanted = "no exception" if raised.recording else _shown(expected(trial)[0])
    return Result(milestone.name, "failed", raised.program, wanted, str(raised), words, found.cause)


def _wrong(milestone: Milestone, trial: Trial, position: int, value_class: type[Any]) -> Result:
    """Report a wrong number, of a random graph in the smallest one that gives wrong numbers."""
    trials: tuple[Trial, ...] = milestone.trials
    if trial in random_graphs.DRAWN:
        trial, position = _smaller(trial, position, value_class)
        trials = (trial, *trials)
    earlier = _evidence(milestone)
    found = diagnosis.of_numbers(trial, position, trials, earlier, value_class)
    observed = run(trial, value_class)
    results = observed.results if isinstance(observed, Numbers) else ()
    check, wanted, got = trial.checks[position], expected(trial)[position], results[position]
    words = f"{trial.title} gave {check} = {_shown(got)}, expected {_shown(wanted)}: {found.words}"
    program = trial.program(check)
    return Result(
        milestone.name, "failed", program, _shown(wanted), _shown(got), words, found.cause
    )


def _smaller(trial: Trial, position: int, value_class: type[Any]) -> tuple[Trial, int]:
    """Return the smallest random graph that gives a wrong number, and where it does."""

    def wrong(graph: random_graphs.Graph) -> int | None:
        smaller = random_graphs.trial(graph)
        observed = run(smaller, value_class)
        return first_wrong(smaller, observed) if isinstance(observed, Numbers) else None

    graph = random_graphs.smallest(random_graphs.DRAWN[trial], lambda g: wrong(g) is not None)
    return random_graphs.trial(graph), wrong(graph) or 0


def _evidence(milestone: Milestone) -> list[Trial]:
    """Return earlier trials with no operations but arithmetic and those of this milestone."""
    known = set(OPERATORS.values()).union(*(operations(t.lines) for t in milestone.trials))
    before = MILESTONES[: MILESTONES.index(milestone)]
    return [t for m in before for t in m.trials if known.issuperset(operations(t.lines))]


def _shown(result: Any) -> str:
    """Return a number with as many digits as are needed, a whole one without a point."""
    return f"{result:.10g}" if isinstance(result, float) else str(result)


def grade(value_class: type[Any], *, name: str = "Value") -> Report:
    """Try somebody's engine at every milestone, in this process.

    The class needs ``data``, ``grad``, ``backward()`` and operators. What it lacks is skipped and
    listed, and does not fail it. Right is what `autograd_lite.Value` does: leaves accumulate,
    interior nodes start afresh, so that d(x³)/dx at 3 is 27 and after a second backward() 54;
    local derivatives are those at the time of the operation; no graph is too deep.

    Parameters
    ----------
    value_class : type
        The engine's class of values, made from one number.
    name : str
        What the report calls the engine.

    Returns
    -------
    Report
        ``print`` shows it; ``passed`` tells whether no milestone failed.

    Raises
    ------
    TypeError
        If ``value_class`` is not a class.
    KeyboardInterrupt
        If the user interrupts.

    Notes
    -----
    This is a grader, not a sandbox: the class's code runs with all rights of this process, and
    one that never returns is waited for. `grade_file` runs a file in a process of its own, with a
    time limit.

    Examples
    --------
    >>> from autograd_lite.testing import faulty_engine, grade
    >>> report = grade(faulty_engine("assigned"))
    >>> failed = next(result for result in report.results if result.outcome == "failed")
    >>> print(failed.diagnosis)  # doctest: +NORMALIZE_WHITESPACE
    a + a gave a.grad = 1, expected 2: the gradient is assigned, not added
    (write += instead of =)
    >>> print(failed.program)
    a = Value(3.0)
    y = a + a
    y.backward()
    print(a.grad)
    """
    if not isinstance(value_class, type):
        raise TypeError(f"grade takes an engine's class, got {value_class!r}")
    return Report(name, tuple(grade_milestone(m, value_class) for m in MILESTONES))
