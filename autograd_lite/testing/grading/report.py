"""What a grader says about an engine: one result per milestone, as text and as data."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Outcome = Literal["passed", "failed", "skipped"]


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
        What is probably wrong, in one sentence; for a skipped milestone, what is missing.
    """

    milestone: str
    outcome: Outcome
    program: str = ""
    expected: str = ""
    got: str = ""
    diagnosis: str = ""


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
