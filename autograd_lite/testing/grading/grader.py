"""Trying an engine at every milestone, in this process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd_lite.testing.grading import diagnosis, random_graphs
from autograd_lite.testing.grading.diagnosis import WrongNumber
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
        check = first_wrong(trial, observed)
        if check is not None:
            return _wrong(milestone, WrongNumber(trial, observed, check), value_class)
    outcome: Outcome = "passed" if tried else "skipped"
    return Result(milestone.name, outcome, missing=tuple(lacking))


def _raised(milestone: Milestone, trial: Trial, raised: Raised, value_class: type[Any]) -> Result:
    why = diagnosis.of_exception(trial, raised, value_class)
    words = f"{trial.title} gave {raised}: {why.words}"
    wanted = "no exception"
    for check, number in zip(trial.checks, expected(trial), strict=True):
        if raised.program == trial.program(check):
            wanted = _shown(number)
    return Result(milestone.name, "failed", raised.program, wanted, str(raised), words, why.cause)


def _wrong(milestone: Milestone, found: WrongNumber, value_class: type[Any]) -> Result:
    """Report a wrong number, of a random graph in the smallest one that gives wrong numbers."""
    if found.trial in random_graphs.DRAWN:
        found = _smaller(found, value_class)
    why = diagnosis.of_numbers(found, milestone.trials, _evidence(milestone), value_class)
    got, wanted = _shown(found.got), _shown(found.wanted)
    words = f"{found.trial.title} gave {found.name} = {got}, expected {wanted}: {why.words}"
    program = found.trial.program(found.name)
    return Result(milestone.name, "failed", program, wanted, got, words, why.cause)


def _smaller(found: WrongNumber, value_class: type[Any]) -> WrongNumber:
    """Return the wrong number of the smallest random graph that gives one."""
    smallest = found

    def fails(graph: random_graphs.Graph) -> bool:
        nonlocal smallest
        trial = random_graphs.trial(graph)
        observed = run(trial, value_class)
        check = first_wrong(trial, observed) if isinstance(observed, Numbers) else None
        if check is None or not isinstance(observed, Numbers):
            return False
        smallest = WrongNumber(trial, observed, check)
        return True

    random_graphs.smallest(random_graphs.DRAWN[found.trial], fails)
    return smallest


def _evidence(milestone: Milestone) -> list[Trial]:
    """Return earlier trials with no operations but arithmetic and those of this milestone."""
    known = set(OPERATORS.values()).union(*(operations(t.lines) for t in milestone.trials))
    before = MILESTONES[: MILESTONES.index(milestone)]
    return [t for m in before for t in m.trials if known.issuperset(operations(t.lines))]


def _shown(result: Any) -> str:
    """Return a number with as many digits as are needed, a whole one without a point."""
    return f"{result:.10g}" if isinstance(result, float) else str(result)


def grade(
    value_class: type[Any], *, name: str = "Value", milestones: Iterable[str] | None = None
) -> Report:
    """Try somebody's engine at every milestone, or at some, in this process.

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
    milestones : iterable of str, optional
        The names of those to try, as a report writes them; by default all. While an engine is
        being written, the next one or two.

    Returns
    -------
    Report
        ``print`` and a notebook show it; ``passed`` tells whether no milestone failed.

    Raises
    ------
    TypeError
        If ``value_class`` is not a class, or ``milestones`` is one text.
    ValueError
        If there is no milestone of a name, or none is to be tried.
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

    One milestone alone:

    >>> grade(faulty_engine("assigned"), milestones=["addition"]).passed
    True
    """
    if not isinstance(value_class, type):
        raise TypeError(f"grade takes an engine's class, got {value_class!r}")
    return Report(name, tuple(grade_milestone(m, value_class) for m in _wanted(milestones)))


def _wanted(names: Iterable[str] | None) -> tuple[Milestone, ...]:
    """Return the milestones of these names, in the order in which they are tried."""
    if names is None:
        return MILESTONES
    if isinstance(names, str):
        raise TypeError(f"milestones is a list of names, got text: {names!r}")
    wanted = list(names)
    known = [milestone.name for milestone in MILESTONES]
    for name in wanted:
        if name not in known:
            raise ValueError(f"there is no milestone {name!r}; there are {', '.join(known)}")
    if not wanted:
        raise ValueError("milestones is empty: there is nothing to try")
    return tuple(milestone for milestone in MILESTONES if milestone.name in wanted)
