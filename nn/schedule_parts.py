"""What the functions of `nn.schedules` and the schedulers built on them share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nn.settings import checked_count, checked_number

Schedule = Callable[[int], float]


def cycle_ends(
    owner: str, total_steps: Any, pct_start: Any, *, three_phase: bool
) -> tuple[float, ...]:
    """Return the steps at which the phases of one cycle end."""
    steps = checked_count(owner, "total_steps", total_steps)
    share = checked_number(owner, "pct_start", pct_start)
    most = 0.5 if three_phase else 1.0
    if not 0.0 < share < most:
        raise ValueError(f"{owner} expected 0 < pct_start < {most:g}, got {pct_start}")
    rise = share * steps - 1.0
    ends = (rise, 2.0 * rise, steps - 1.0) if three_phase else (rise, steps - 1.0)
    if not 0.0 < rise < ends[-1]:
        raise ValueError(
            f"{owner} expected more than {1.0 / share:g} steps for pct_start {share:g}, got {steps}"
        )
    return ends


def annealed(
    owner: str, levels: Sequence[float], ends: Sequence[float], anneal_strategy: str
) -> Schedule:
    """Return the schedule that goes from level to level, reaching each where a phase ends."""
    if anneal_strategy not in ("cos", "linear"):
        raise ValueError(
            f'{owner} expected anneal_strategy "cos" or "linear", got {anneal_strategy!r}'
        )
    starts = (0.0, *ends)

    def level(step: int) -> float:
        phase = next((i for i, end in enumerate(ends) if step <= end), len(ends) - 1)
        begin, end = starts[phase], ends[phase]
        share = min((step - begin) / (end - begin), 1.0)
        left = 1.0 - share
        if anneal_strategy == "cos":
            left = (1.0 + math.cos(math.pi * share)) / 2.0
        return between(levels[phase], levels[phase + 1], left)

    return from_step_0(owner, level)


def from_step_0(owner: str, schedule: Schedule) -> Schedule:
    """Return a schedule that refuses steps before the first one."""

    def rate(step: int) -> float:
        if step < 0:
            raise ValueError(f"{owner} expected a step >= 0, got {step}")
        return schedule(step)

    return rate


def between(first: float, last: float, left: float) -> float:
    """Return what is at a share of the way that is left, with both ends exact."""
    if left < 0.5:
        return last + (first - last) * left
    return first - (first - last) * (1.0 - left)


def checked_milestones(owner: str, milestones: Any) -> list[int]:
    """Return the numbers of steps in increasing order."""
    if not isinstance(milestones, Iterable):
        raise TypeError(
            f"{owner} expected a list of steps as milestones, got {type(milestones).__name__}"
        )
    return sorted(checked_count(owner, "milestones", step) for step in milestones)


def checked_schedule(owner: str, schedule: Any) -> Schedule:
    """Return a function of the number of the step."""
    if not callable(schedule) or isinstance(schedule, type):
        raise TypeError(
            f"{owner} expected functions of the number of the step, got {type(schedule).__name__}"
        )
    checked: Schedule = schedule
    return checked
