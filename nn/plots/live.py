"""Live updating: the loss curves in a notebook, while `nn.fit` trains."""

from __future__ import annotations

import io
from base64 import b64encode
from time import monotonic
from typing import Any

from nn.callbacks import TrainingState
from nn.plots.axes import SIZE, matplotlib_module
from nn.plots.curves import loss_curves
from nn.progress import in_notebook

REFRESH = 0.5  # seconds between two pictures


class LiveLoss:
    """A callback that keeps the loss curves up to date in one output of a notebook.

    There is a new picture at most twice a second, and the last one when training ends. As one of
    ``callbacks`` it is asked after every epoch; where these are long, put it among
    ``step_callbacks``. Outside of notebooks it does nothing and needs no matplotlib.

    Raises
    ------
    ModuleNotFoundError
        Before training, in a notebook without matplotlib.

    Examples
    --------
    >>> import nn
    >>> model = nn.MLP(2, [4, 2], seed=0)
    >>> history = nn.fit(
    ...     model,
    ...     nn.data.moons(20, seed=0),
    ...     loss=nn.CrossEntropyLoss(),
    ...     optimizer=nn.optim.Adam(model.parameters(), lr=0.05),
    ...     epochs=2,
    ...     callbacks=[nn.plots.LiveLoss()],
    ... )
    """

    def __init__(self) -> None:
        self._output: Any = None
        self._due = 0.0

    def start(self, state: TrainingState) -> None:
        """Open an output, if this is a notebook."""
        self._output = None
        if not in_notebook():
            return
        matplotlib_module("figure")
        from IPython.display import display

        self._output = display({"text/plain": "no loss yet"}, raw=True, display_id=True)
        self._due = monotonic()

    def __call__(self, state: TrainingState) -> None:
        if self._output is not None and monotonic() >= self._due:
            self._show(state)

    def finish(self, state: TrainingState) -> None:
        """Show how it ended."""
        if self._output is not None and state.history.steps:
            self._show(state)

    def _show(self, state: TrainingState) -> None:
        # Not of pyplot, which would show the figure a second time.
        figure = matplotlib_module("figure").Figure(figsize=SIZE, layout="constrained")
        loss_curves(state.history, ax=figure.subplots())
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=100)
        text = _description(state)
        self._output.update(
            {"image/png": b64encode(picture.getvalue()).decode(), "text/plain": text},
            raw=True,
            metadata={"image/png": {"alt": text}},
        )
        self._due = monotonic() + REFRESH  # after drawing, so that training has its share


def _description(state: TrainingState) -> str:
    """Return what the picture shows in words, for those who do not see it."""
    text = f"Loss during training, epoch {state.epoch} of {state.last_epoch}: "
    if not len(state.history):
        return f"{text}{state.history.steps[-1].loss:.4g} at step {state.step}"
    first, last = state.history[0], state.history[-1]
    text += f"from {first.loss:.4g} to {last.loss:.4g}"
    return (
        text if last.validation_loss is None else f"{text}, validation {last.validation_loss:.4g}"
    )
