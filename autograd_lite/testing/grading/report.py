"""What a grader says about an engine: one result per milestone, as text and as data."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from typing import Any, Literal, NamedTuple

from autograd_lite.notation import encodable
from autograd_lite.primitives import counted

Outcome = Literal["passed", "failed", "skipped"]

WIDTH = 100
"""Columns of the text."""

LISTED = 6
"""How many missing operations are named on one line."""


class Result(NamedTuple):
    """How an engine did at one milestone.

    Attributes
    ----------
    milestone : str
        What was tried, such as ``"reuse of a node"``.
    outcome : "passed", "failed" or "skipped"
        Skipped if the engine lacks an operation that the milestone needs.
    program : str
        The smallest failing program, as lines of Python; ``""`` unless failed.
    expected, got : str
        What the program should have given, and what it gave.
    diagnosis : str
        What is probably wrong, in one sentence.
    cause : str
        The same as a name that a program can compare, such as ``"assigned"``; ``""`` if no known
        mistake explains the numbers.
    missing : tuple of str
        The operations that the engine lacks and that were therefore not tried.
    """

    milestone: str
    outcome: Outcome
    program: str = ""
    expected: str = ""
    got: str = ""
    diagnosis: str = ""
    cause: str = ""
    missing: tuple[str, ...] = ()


OF_ONE_OPERATION = {
    *("", "local-derivative", "no-gradient", "pasted-derivative", "precision", "sign", "value")
}
"""Causes that two milestones can share although the mistakes are two."""


class Report(NamedTuple):
    """The results of an engine, in the order of the milestones."""

    engine: str
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether no milestone failed; skipped ones do not count."""
        return all(result.outcome != "failed" for result in self.results)

    def as_data(self) -> dict[str, Any]:
        """Return the report as plain dicts and lists, for JSON."""
        results = [result._asdict() for result in self.results]
        return {"engine": self.engine, "passed": self.passed, "results": results}

    def text(self, encoding: str | None = "utf-8") -> str:
        """Return the report for a console: a line per milestone, then what failed, then a sum.

        Failures with one cause are written out once; `as_data` has them all.

        Parameters
        ----------
        encoding : str, optional
            Letters that it lacks are replaced; None is plain ASCII.

        Examples
        --------
        >>> from autograd_lite.testing import faulty_engine, grade
        >>> report = grade(faulty_engine("subtraction-sign"), name="mine")
        >>> for line in report.text("ascii").splitlines()[5:8]:
        ...     print(line)
        ok     the chain
        ok     reuse of a node
        FAILED subtraction and negation
        """
        marks = _marks(encoding)
        lines = [self.engine, ""]
        for result in self.results:
            if result.cause == "time":  # so have all that follow
                break
            note = _not_tried(result.missing)
            lines.append(f"{marks[result.outcome]} {result.milestone}{note}")
        lines += _out_of_time(self.results, marks["failed"])
        for first, *others in self._by_cause():
            lines += ["", *_failure(first)]
            if others:
                names = ", ".join(result.milestone for result in others)
                lines += wrapped("  likewise:  ", names)
        counts = Counter(result.outcome for result in self.results)
        lines += ["", f"{counts['passed']} of {counted(len(self.results), 'milestone')} passed"]
        lines[-1] += f", {counts['skipped']} skipped"
        return encodable("\n".join(lines), encoding)

    def _by_cause(self) -> list[list[Result]]:
        """Return what failed, together where one mistake explains it: that is reported once."""
        found: dict[tuple[str, str], list[Result]] = {}
        for result in self.results:
            if result.outcome == "failed" and result.cause != "time":
                own = _of_its_own(result) if result.cause in OF_ONE_OPERATION else ""
                found.setdefault((result.cause, own), []).append(result)
        return list(found.values())

    def __str__(self) -> str:
        return self.text(getattr(sys.stdout, "encoding", None))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the report, not a tuple, in notebooks."""
        printer.text(self.text())


def _of_its_own(result: Result) -> str:
    """Return what tells a failure from others: an exception, or else the milestone."""
    try:
        float(result.got)
    except ValueError:
        return result.got
    return result.milestone


def _marks(encoding: str | None) -> dict[Outcome, str]:
    """Return a sign for every outcome that an encoding can write."""
    signs = "✓✗–"
    if encodable(signs, encoding) != signs:
        return {"passed": "ok    ", "failed": "FAILED", "skipped": "-     "}
    return dict(zip(("passed", "failed", "skipped"), signs, strict=True))


def _not_tried(missing: tuple[str, ...]) -> str:
    """Return a note on what an engine lacks; `Report.as_data` has it all."""
    shown = ", ".join(missing[:LISTED])
    more = f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
    return f" (not tried: {shown}{more})" if missing else ""


def _out_of_time(results: tuple[Result, ...], mark: str) -> list[str]:
    """Return what there is to say about all milestones for which there was no time."""
    rest = [result for result in results if result.cause == "time"]
    if not rest:
        return []
    first, last = rest[0].milestone, rest[-1].milestone
    which = f"{len(rest)} more milestones, from {first} to {last}" if len(rest) > 1 else first
    return wrapped(f"{mark} ", f"{which}, {rest[0].diagnosis}")


def wrapped(label: str, sentence: str) -> list[str]:
    """Return a sentence on lines of a console, all below its beginning."""
    return textwrap.wrap(
        sentence,
        WIDTH,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _failure(result: Result) -> list[str]:
    """Return the lines about a milestone that failed."""
    parts = (result.program, result.expected, result.got, result.diagnosis)
    if not any(parts[:3]):
        return wrapped("", f"{result.milestone}: {result.diagnosis}")
    program, expected, got, diagnosis = parts
    return [
        f"{result.milestone}:",
        *(f"    {line}" for line in program.splitlines()),
        f"  expected:  {expected}",
        f"  got:       {got}",
        *wrapped("  diagnosis: ", diagnosis),
    ]
