"""What `nn.fit` shows while it runs: one updating line or output, a line per epoch, or nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic
from typing import Any

REFRESH = 0.25  # seconds between two pictures


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


class Picture(Silent):
    """Keeps one picture up to date, a few times a second; a subclass says how to draw it."""

    def __init__(self, epochs: range) -> None:
        self._number = epochs.start
        self._loss: float | None = None
        self._results = ""
        self._done = 0
        self._due = monotonic()

    def step(self, number: int, loss: float) -> None:
        self._done += 1
        self._number, self._loss = number, loss
        self._draw_if_due()

    def epoch(self, number: int, loss: float, results: str) -> None:
        self._number, self._loss, self._results = number, loss, results
        self._draw_if_due()

    def _draw_if_due(self) -> None:
        now = monotonic()
        if now >= self._due:
            self._due = now + REFRESH
            self.draw()

    def _report(self) -> str:
        return "" if self._loss is None else f"loss {self._loss:.4f}{self._results}"

    def draw(self) -> None:
        """Show how things are now."""
        raise NotImplementedError


class Bar(Picture):
    """One line of a terminal: epoch, bar, time left, loss, last results."""

    def __init__(self, epochs: range, bar: Any, task: Any) -> None:
        super().__init__(epochs)
        self._bar = bar
        self._task = task

    def draw(self) -> None:
        self._bar.update(
            self._task,
            completed=self._done,
            epoch=self._number,
            report=self._report(),
            refresh=True,
        )


class NotebookOutput(Picture):
    """One output of a notebook's cell: bar, epoch, time left, loss, last results."""

    def __init__(self, epochs: range, steps: int) -> None:
        from IPython.display import display

        super().__init__(epochs)
        self._last = epochs.stop - 1
        self._total = len(epochs) * steps
        self._begin = monotonic()
        self._output = display(self._bundle(), raw=True, display_id=True)

    def draw(self) -> None:
        self._output.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        """Return the picture as text and as HTML."""
        text = f"epoch {self._number}/{self._last}{self._time_left()}  {self._report()}".rstrip()
        bar = f'<progress value="{self._done}" max="{max(self._total, 1)}"></progress>'
        from html import escape

        shown = escape(text).replace("  ", "&emsp;")
        return {"text/plain": text, "text/html": f"<div>{bar} {shown}</div>"}

    def _time_left(self) -> str:
        if not 0 < self._done < self._total:
            return ""
        left = (monotonic() - self._begin) * (self._total - self._done) / self._done
        minutes, seconds = divmod(round(left), 60)
        return f"  {minutes}:{seconds:02} left"


@contextmanager
def shown(progress: bool | None, epochs: range, steps: int) -> Iterator[Silent]:
    """Show the epochs of the range, each of so many steps, while the block runs.

    ``progress`` None asks for a picture if there is a notebook or a terminal, True also for lines
    if there is neither.
    """
    stream = sys.stderr  # None where a program has no console at all
    terminal = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    notebook = in_notebook()
    if progress is False or not (notebook or terminal or (progress and stream is not None)):
        yield Silent()
        return
    if not (notebook or terminal):
        yield Lines(epochs.stop - 1)
        return
    place: AbstractContextManager[Picture] = (
        nullcontext(NotebookOutput(epochs, steps)) if notebook else _terminal_bar(epochs, steps)
    )
    with place as picture:
        try:
            yield picture
        finally:
            picture.draw()  # as it ended, however that was


def in_notebook() -> bool:
    """Tell whether this is a cell of a notebook: IPython runs, and behind it a kernel."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")


@contextmanager
def _terminal_bar(epochs: range, steps: int) -> Iterator[Picture]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("epoch {task.fields[epoch]}" + f"/{epochs.stop - 1}"),
        BarColumn(bar_width=24),
        TimeRemainingColumn(),
        TextColumn("{task.fields[report]}", markup=False),
        console=Console(stderr=True, force_jupyter=False),
        auto_refresh=False,  # no second thread beside the training
    ) as bar:
        total = len(epochs) * steps
        yield Bar(epochs, bar, bar.add_task("", total=total, epoch=epochs.start, report=""))
