"""What an engine has to manage, from easy to hard."""

from __future__ import annotations

from typing import NamedTuple

from autograd_lite.testing.grading.trials import Trial


class Milestone(NamedTuple):
    """A thing to get right.

    Attributes
    ----------
    name : str
        What it is called in a report.
    trials : tuple of Trial
        Programs from small to large: the first that fails is the one to show.
    """

    name: str
    trials: tuple[Trial, ...]


def _trial(title: str, *lines: str, checks: str, declines: bool = False) -> Trial:
    return Trial(title, lines, tuple(checks.split(", ")), declines)


def _of(expression: str, *, a: float, b: float | None = None, declines: bool = False) -> Trial:
    """Return the trial of one expression of a, or of a and b: its value, and its gradients."""
    lines = [f"a = Value({a})"]
    checks = ["c.data", "a.grad"]
    if b is not None:
        lines.append(f"b = Value({b})")
        checks.append("b.grad")
    lines += [f"c = {expression}", "c.backward()"]
    return Trial(expression, tuple(lines), tuple(checks), declines)


MILESTONES: tuple[Milestone, ...] = (
    Milestone("addition", (_of("a + b", a=2.0, b=3.0), _of("a + b", a=-1.5, b=0.25))),
    Milestone("multiplication", (_of("a * b", a=2.0, b=3.0), _of("a * b", a=-1.5, b=0.25))),
)
"""All milestones, in the order in which they are tried and reported."""
