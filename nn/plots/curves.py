"""Curves: the loss over a training, over rates and along a line; the rate over a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from nn.history import History
from nn.loss_line import LossAlongLine
from nn.plots.axes import BLUE, BOLD, FAINT, LABEL, RED, TICK, drawing, label, log_if_possible
from nn.rate_search import RateSearch
from nn.schedule_parts import checked_schedule
from nn.settings import checked_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def loss_curves(history: History, *, smoothing: int | None = None, ax: Axes | None = None) -> Axes:
    """Draw how the loss fell: of each step faint, smoothed bold, on a log scale.

    Parameters
    ----------
    history : History
        As `nn.fit` returns it, with at least one step. All epochs are taken to have equally many
        steps, other than one that was interrupted at the end. Losses on validation data are drawn
        as well, one per epoch.
    smoothing : int, optional
        The bold lines are means of so many steps around each, and of as many epochs of validation
        as these make; by default of a twentieth of what there is. 1 smooths nothing.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Its lines have the labels "training, each step", "training", "validation, each epoch" and
        "validation". The scale is linear if a loss is negative or all are 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.
    ModuleNotFoundError
        Without matplotlib.
    """
    name = "loss_curves"
    if not isinstance(history, History):
        raise TypeError(f"{name} expected a History, got {type(history).__name__}")
    if not history.steps:
        raise ValueError(f"{name} expected a history of at least one step, got an empty one")
    width = None if smoothing is None else checked_count(name, "smoothing", smoothing)
    per_epoch = _steps_per_epoch(history)
    losses = history.step_losses
    epochs = [(step + 1) / per_epoch for step in range(len(losses))]
    validated = [
        (float(epoch.number), epoch.validation_loss)
        for epoch in history
        if epoch.validation_loss is not None
    ]
    with drawing(name, ax) as axes:
        _raw_and_smoothed(axes, epochs, losses, width, "training", "step", BLUE, "-")
        if validated:
            numbers, held_out = map(list, zip(*validated, strict=True))
            width = None if width is None else max(1, round(width / per_epoch))
            _raw_and_smoothed(axes, numbers, held_out, width, "validation", "epoch", RED, "--")
        log_if_possible(axes, [*losses, *(loss for _, loss in validated)])
        axes.legend(fontsize=TICK)
        unit = "epoch" if history.epochs else "step"
        axes.locator_params(axis="x", integer=True)
        label(axes, "Loss during training", unit, "loss, mean per sample")
    return axes


def _steps_per_epoch(history: History) -> int:
    """Return how many steps made an epoch; 1 where none was completed."""
    steps, epochs = len(history.steps), len(history)
    if not epochs:
        return 1
    sums = [0.0, *accumulate(history.step_losses)]
    for count in range(steps // epochs, steps // (epochs + 1), -1):
        if all(_could_be(count, sums, i * count, epoch.loss) for i, epoch in enumerate(history)):
            return count
    return max(1, steps // epochs)


def _could_be(count: int, sums: list[float], first: int, loss: float) -> bool:
    """Tell whether so many steps can make an epoch of that loss; its last batch may be smaller."""
    whole = (sums[first + count] - sums[first]) / count
    without_last = whole
    if count > 1:
        without_last = (sums[first + count - 1] - sums[first]) / (count - 1)
    rounding = 1e-9 * abs(sums[-1])
    low, high = sorted((whole, without_last))
    return low - rounding <= loss <= high + rounding


def _raw_and_smoothed(
    ax: Axes,
    x: Sequence[float],
    y: list[float],
    width: int | None,
    name: str,
    unit: str,
    colour: str,
    style: str,
) -> None:
    if width is None:
        width = max(1, len(y) // 20)
    marker = "o" if len(y) <= 30 else ""
    if width > 1:
        ax.plot(x, y, color=colour, alpha=0.35, linewidth=FAINT, label=f"{name}, each {unit}")
        y, marker = _smoothed(y, width), ""
    ax.plot(x, y, style, color=colour, linewidth=BOLD, marker=marker, label=name)


def _smoothed(numbers: list[float], width: int) -> list[float]:
    """Return the means over windows around each number, at the ends over what there is of them."""
    reach = width // 2
    windows = (numbers[max(0, i - reach) : i + reach + 1] for i in range(len(numbers)))
    return [math.fsum(window) / len(window) for window in windows]


def lr_range_test(found: RateSearch, *, ax: Axes | None = None) -> Axes:
    """Draw the loss over the learning rate, and the rate at which it falls fastest.

    Parameters
    ----------
    found : RateSearch
        As `nn.lr_range_test` returns it.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Its lines have the labels "each step", "smoothed" and, if there is a suggestion,
        "suggestion: lr = …".

    Raises
    ------
    TypeError, ValueError
        If it is something else, or has no losses.
    ModuleNotFoundError
        Without matplotlib.
    """
    name = "lr_range_test"
    if not isinstance(found, RateSearch):
        raise TypeError(f"{name} expected a RateSearch, got {type(found).__name__}")
    if not found.losses:
        raise ValueError(f"{name} expected a search of at least one step, got an empty one")
    suggestion = found.suggestion
    with drawing(name, ax) as axes:
        axes.plot(
            found.rates, found.losses, color=BLUE, alpha=0.35, linewidth=FAINT, label="each step"
        )
        axes.plot(found.rates, found.smoothed, color=BLUE, linewidth=BOLD, label="smoothed")
        if suggestion is not None:
            axes.axvline(
                suggestion,
                color=RED,
                linestyle="--",
                linewidth=BOLD,
                label=f"suggestion: lr = {suggestion:.2g}",
            )
        axes.set_xscale("log")
        log_if_possible(axes, found.losses)
        axes.legend(fontsize=TICK)
        label(axes, "Search for the learning rate", "learning rate", "loss of the step")
    return axes


def schedule(schedule: Callable[[int], float], steps: int, *, ax: Axes | None = None) -> Axes:
    """Draw the learning rate of each step.

    Parameters
    ----------
    schedule : callable
        From the number of the step, counted from 0, to the rate, such as those of `nn.schedules`.
    steps : int
        How many steps, at least 1.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.
    ModuleNotFoundError
        Without matplotlib.
    """
    rate = checked_schedule("schedule", schedule)
    numbers = list(range(checked_count("schedule", "steps", steps)))
    rates = [rate(number) for number in numbers]
    with drawing("schedule", ax) as axes:
        axes.plot(numbers, rates, color=BLUE, linewidth=BOLD, drawstyle="steps-post")
        axes.grid(visible=True, alpha=0.3)
        axes.set_ylim(bottom=0.0)
        label(axes, "Learning-rate schedule", "step", "learning rate")
    return axes


def loss_along_line(found: LossAlongLine, *, ax: Axes | None = None) -> Axes:
    """Draw the loss between two states of a model.

    Parameters
    ----------
    found : LossAlongLine
        As `nn.loss_along_line` returns it.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError
        If it is something else.
    ModuleNotFoundError
        Without matplotlib.
    """
    if not isinstance(found, LossAlongLine):
        raise TypeError(f"loss_along_line expected a LossAlongLine, got {type(found).__name__}")
    with drawing("loss_along_line", ax) as axes:
        axes.plot(found.positions, found.losses, color=BLUE, linewidth=BOLD, marker="o")
        log_if_possible(axes, found.losses)
        for position, text in ((0.0, "start"), (1.0, "end")):
            if min(found.positions) <= position <= max(found.positions):
                axes.axvline(position, color=RED, linestyle="--", linewidth=FAINT)
                axes.annotate(
                    text,
                    (position, 1.0),
                    xycoords=axes.get_xaxis_transform(),
                    xytext=(5 if position == 0.0 else -5, -5),
                    textcoords="offset points",
                    ha="left" if position == 0.0 else "right",
                    va="top",
                    color=RED,
                    fontsize=LABEL,
                )
        label(
            axes,
            "Loss along the line between two states",
            "position t of (1 − t) · start + t · end",
            "loss",
        )
    return axes
