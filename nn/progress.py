"""What `nn.fit` shows while it runs: one updating line, a line per epoch, or nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

REFRESH = 0.1  # seconds between two pictures of the bar


class Silent:
    """Shows nothing."""

    def step(self, number: int, loss: float) -> None:
        """After a step: the number of the epoch, and the mean loss in it so far."""

    def epoch(self, number: int, loss: float, results: str) -> None:
        """After an epoch: its number, its mean loss, and the results of the validation."""


class Lines(Silent):
    """Writes a line per epoch to standard error."""

    def __init__(self, last: int) -> None:
        self._last = last

    def epoch(self, number: int, loss: float, results: str) -> None:
        width = len(str(self._last))
        sys.stderr.write(f"epoch {number:{width}}/{self._last}  loss {loss:.4f}{results}\n")
        sys.stderr.flush()


class Bar(Silent):
    """Keeps one line of a terminal up to date: epoch, bar, time left, loss, last results."""

    def __init__(self, bar: Any, task: Any) -> None:
        self._bar = bar
        self._task = task
        self._due = monotonic()
        self._results = ""

    def step(self, number: int, loss: float) -> None:
        now = monotonic()
        due = now >= self._due
        if due:
            self._due = now + REFRESH
        report = f"loss {loss:.4f}{self._results}"
        self._bar.update(self._task, advance=1, epoch=number, report=report, refresh=due)

    def epoch(self, number: int, loss: float, results: str) -> None:
        self._results = results
        self._bar.update(self._task, report=f"loss {loss:.4f}{results}", refresh=True)


@contextmanager
def shown(progress: bool | None, epochs: range, steps: int) -> Iterator[Silent]:
    """Show the epochs of the range, each of so many steps, while the block runs.

    ``progress`` None asks for the bar if there is a terminal, True also for lines if there is none.
    """
    stream = sys.stderr  # None where a program has no console at all
    terminal = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    if stream is None or progress is False or (progress is None and not terminal):
        yield Silent()
        return
    last = epochs.stop - 1
    if not terminal:
        yield Lines(last)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("epoch {task.fields[epoch]}" + f"/{last}"),
        BarColumn(bar_width=24),
        TimeRemainingColumn(),
        TextColumn("{task.fields[report]}", markup=False),
        console=Console(stderr=True, force_jupyter=False),
        auto_refresh=False,  # no second thread beside the training
    ) as bar:
        total = len(epochs) * steps
        yield Bar(bar, bar.add_task("", total=total, epoch=epochs.start, report=""))
