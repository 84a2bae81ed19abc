"""Schedules: plain functions from the number of a step to its learning rate.

Each maker here returns such a function; any function of one's own will do as well. `nn.fit` takes
them as ``schedule=``, and the classes of `nn.optim.lr_scheduler` are built on them. Steps are
counted from 0; a number below that is refused, a ValueError.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from nn.schedule_parts import (
    Schedule,
    annealed,
    between,
    checked_milestones,
    checked_schedule,
    cycle_ends,
    from_step_0,
)
from nn.settings import checked_count, checked_number


def constant(lr: float) -> Schedule:
    """Return the schedule that stays at one rate.

    Parameters
    ----------
    lr : float

    Raises
    ------
    TypeError, ValueError
        If ``lr`` is no finite number ≥ 0.

    Examples
    --------
    >>> from nn import schedules
    >>> schedules.constant(0.1)(1000)
    0.1
    """
    rate = checked_number("constant", "lr", lr)
    return from_step_0("constant", lambda step: rate)


def step(lr: float, step_size: int, *, gamma: float = 0.1) -> Schedule:
    """Return lr · gammaᵏ with k = ⌊step / step_size⌋: a staircase.

    Parameters
    ----------
    lr : float
        The rate of the first stair.
    step_size : int
        Steps on each stair, at least 1.
    gamma : float, optional
        The height of a stair in terms of that before.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or a rate or factor is below 0.

    Examples
    --------
    >>> from nn import schedules
    >>> rate = schedules.step(1.0, 2, gamma=0.5)
    >>> [rate(step) for step in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    rate = checked_number("step", "lr", lr)
    size = checked_count("step", "step_size", step_size)
    factor = checked_number("step", "gamma", gamma)
    return from_step_0("step", lambda step: rate * factor ** (step // size))


def multi_step(lr: float, milestones: Iterable[int], *, gamma: float = 0.1) -> Schedule:
    """Return a staircase with its stairs at given steps.

    Parameters
    ----------
    lr : float
        The rate of the first stair.
    milestones : iterable of int
        The first step of each further stair, in any order; twice the same for two stairs at once.
    gamma : float, optional
        The height of a stair in terms of that before.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or a rate or factor is below 0.

    Examples
    --------
    >>> from nn import schedules
    >>> rate = schedules.multi_step(1.0, [1, 4], gamma=0.5)
    >>> [rate(step) for step in range(6)]
    [1.0, 0.5, 0.5, 0.5, 0.25, 0.25]
    """
    rate = checked_number("multi_step", "lr", lr)
    stairs = checked_milestones("multi_step", milestones)
    factor = checked_number("multi_step", "gamma", gamma)
    return from_step_0("multi_step", lambda step: rate * factor ** bisect_right(stairs, step))


def exponential(lr: float, gamma: float) -> Schedule:
    """Return lr · gammaˢ at step s.

    Parameters
    ----------
    lr, gamma : float

    Raises
    ------
    TypeError, ValueError
        If an argument is no finite number ≥ 0.

    Examples
    --------
    >>> from nn import schedules
    >>> schedules.exponential(1.0, 0.5)(3)
    0.125
    """
    rate = checked_number("exponential", "lr", lr)
    factor = checked_number("exponential", "gamma", gamma)
    return from_step_0("exponential", lambda step: rate * factor**step)


def linear(start: float, end: float, steps: int) -> Schedule:
    """Return the straight line from ``start`` at step 0 to ``end`` at step ``steps``, then ``end``.

    Parameters
    ----------
    start, end : float
        Rates, finite and ≥ 0.
    steps : int
        At least 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.

    Examples
    --------
    >>> from nn import schedules
    >>> rate = schedules.linear(1.0, 0.0, 4)
    >>> [rate(step) for step in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    first = checked_number("linear", "start", start)
    last = checked_number("linear", "end", end)
    count = checked_count("linear", "steps", steps)
    return from_step_0(
        "linear", lambda step: between(first, last, (count - min(step, count)) / count)
    )


def cosine(lr: float, steps: int, *, low: float = 0.0) -> Schedule:
    """Return low + ½ (lr - low) (1 + cos(π · step / steps)), which goes up again after ``steps``.

    Parameters
    ----------
    lr : float
        The rate of step 0.
    steps : int
        The step that has the lowest rate, at least 1.
    low : float, optional
        The lowest rate.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or a rate is below 0.

    References
    ----------
    Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.

    Examples
    --------
    >>> from nn import schedules
    >>> rate = schedules.cosine(1.0, 4)
    >>> [round(rate(step), 4) for step in range(6)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.1464]
    """
    high = checked_number("cosine", "lr", lr)
    lowest = checked_number("cosine", "low", low)
    count = checked_count("cosine", "steps", steps)

    def rate(step: int) -> float:
        return between(high, lowest, (1.0 + math.cos(math.pi * step / count)) / 2.0)

    return from_step_0("cosine", rate)


def one_cycle(
    max_lr: float,
    total_steps: int,
    *,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule:
    """Return one rise to ``max_lr`` and the fall to nearly 0.

    Parameters
    ----------
    max_lr : float
        The highest rate.
    total_steps : int
        Steps in all; the last one has the lowest rate, which stays.
    pct_start : float, optional
        The share of the steps in which the rate rises, above 0 and below 1 (½ with three phases).
    anneal_strategy : "cos" or "linear", optional
        Along half a cosine, or a straight line.
    div_factor : float, optional
        ``max_lr`` over the rate of step 0.
    final_div_factor : float, optional
        The rate of step 0 over that of the last step.
    three_phase : bool, optional
        Fall to the first rate as fast as it rose, and from there to the last one.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or there are not enough steps to rise and fall.

    References
    ----------
    Smith and Topin, Super-Convergence, 2018; in the variant of PyTorch's ``OneCycleLR``.

    Examples
    --------
    >>> from nn import schedules
    >>> rate = schedules.one_cycle(1.0, 10, pct_start=0.5, anneal_strategy="linear", div_factor=5)
    >>> [round(rate(step), 2) for step in range(10)]
    [0.2, 0.4, 0.6, 0.8, 1.0, 0.8, 0.6, 0.4, 0.2, 0.0]
    """
    owner = "one_cycle"
    high = checked_number(owner, "max_lr", max_lr)
    first = high / checked_number(owner, "div_factor", div_factor, positive=True)
    last = first / checked_number(owner, "final_div_factor", final_div_factor, positive=True)
    levels = (first, high, first, last) if three_phase else (first, high, last)
    ends = cycle_ends(owner, total_steps, pct_start, three_phase=three_phase)
    return annealed(owner, levels, ends, anneal_strategy)


def cyclic(
    base_lr: float,
    max_lr: float,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    *,
    mode: str = "triangular",
    gamma: float = 1.0,
) -> Schedule:
    """Return a rise from ``base_lr`` to ``max_lr`` and the fall back, again and again.

    Parameters
    ----------
    base_lr, max_lr : float
        The lowest rate, and the highest of the first cycle.
    step_size_up, step_size_down : int, optional
        Steps of a rise and of a fall, at least 1; by default a fall takes as long as a rise.
    mode : "triangular", "triangular2" or "exp_range", optional
        Cycles of one height, each half as high as that before, or of the height gammaˢ at step s.
    gamma : float, optional
        For "exp_range".

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or a rate is below 0.

    References
    ----------
    Smith, Cyclical Learning Rates for Training Neural Networks, 2017.

    Examples
    --------
    >>> from nn import schedules
    >>> rate = schedules.cyclic(0.0, 1.0, 2, mode="triangular2")
    >>> [rate(step) for step in range(9)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25, 0.0]
    """
    low = checked_number("cyclic", "base_lr", base_lr)
    high = checked_number("cyclic", "max_lr", max_lr)
    up = checked_count("cyclic", "step_size_up", step_size_up)
    down = (
        up if step_size_down is None else checked_count("cyclic", "step_size_down", step_size_down)
    )
    factor = checked_number("cyclic", "gamma", gamma)
    if mode not in ("triangular", "triangular2", "exp_range"):
        raise ValueError(
            f'cyclic expected mode "triangular", "triangular2" or "exp_range", got {mode!r}'
        )

    def rate(step: int) -> float:
        cycle, position = divmod(step, up + down)
        share = position / up if position <= up else (up + down - position) / down
        if mode == "triangular2":
            share *= 0.5**cycle
        elif mode == "exp_range":
            share *= factor**step
        return between(high, low, share)

    return from_step_0("cyclic", rate)


def sequence(schedules: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """Return schedules one after the other, each counting its steps from 0.

    Parameters
    ----------
    schedules : sequence of n functions
    milestones : sequence of n - 1 int
        The first step of each but the first schedule, increasing.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.

    Examples
    --------
    >>> from nn import schedules
    >>> rate = schedules.sequence([schedules.constant(0.1), schedules.exponential(1.0, 0.5)], [2])
    >>> [rate(step) for step in range(5)]
    [0.1, 0.1, 1.0, 0.5, 0.25]
    """
    parts = list(schedules)
    for part in parts:
        checked_schedule("sequence", part)
    starts = checked_milestones("sequence", milestones)
    if len(starts) != len(parts) - 1 or starts != list(milestones):
        raise ValueError(
            f"sequence expected {max(len(parts) - 1, 0)} increasing milestones between {len(parts)}"
            f" schedules, got {list(milestones)}"
        )

    def rate(step: int) -> float:
        number = bisect_right(starts, step)
        return parts[number](step - starts[number - 1] if number else step)

    return from_step_0("sequence", rate)


def warm_up(schedule: Schedule, steps: int, *, start_factor: float = 0.0) -> Schedule:
    """Return a straight rise to the first rate of a schedule, and then the schedule from its start.

    Parameters
    ----------
    schedule : function
    steps : int
        Steps before the schedule begins, at least 1.
    start_factor : float, optional
        The rate of step 0 in terms of ``schedule(0)``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.

    Examples
    --------
    >>> from nn import schedules
    >>> rate = schedules.warm_up(schedules.linear(1.0, 0.0, 2), 4)
    >>> [rate(step) for step in range(8)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 0.5, 0.0, 0.0]
    """
    checked_schedule("warm_up", schedule)
    factor = checked_number("warm_up", "start_factor", start_factor)
    target = schedule(0)
    return sequence([linear(factor * target, target, steps), schedule], [steps])
