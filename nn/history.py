"""How a training went: a record of each step and of each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from reprlib import repr as shortened
from typing import Any, NamedTuple


class Step(NamedTuple):
    """What one step came to.

    Attributes
    ----------
    loss : float
        Of the step's batch, before the step.
    lr : float
        The learning rate of the step; with several parameter groups that of the first one.
    gradient_norm : float or None
        ‖∇‖ before clipping, where `fit` clips by norm.
    """

    loss: float
    lr: float
    gradient_norm: float | None


class Epoch(NamedTuple):
    """What one epoch came to.

    Attributes
    ----------
    number : int
        1 for the first epoch of a history.
    loss : float
        The training loss: the mean over the epoch's samples, each as its step found it.
    validation_loss : float or None
        The loss on the validation data after the epoch, if there are any.
    metric : float or None
        The metric on the validation data after the epoch, if one was asked for.
    seconds : float
        How long the steps took, without the validation.
    lr : float
        The learning rate of the epoch's last step.
    gradient_norm : float or None
        The largest ‖∇‖ before clipping among the steps, where `fit` clips by norm.
    """

    number: int
    loss: float
    validation_loss: float | None
    metric: float | None
    seconds: float
    lr: float
    gradient_norm: float | None


class History:
    """How a training went. `fit` returns it, or goes on with one that it is given.

    Attributes
    ----------
    epochs : list of Epoch
        One record for each whole epoch; ``len``, indices and ``for`` are those of this list.
    steps : list of Step
        One record for each step, of an interrupted epoch too.
    metric_name : str
        What the metric is called.

    Examples
    --------
    >>> import nn
    >>> model = nn.MLP(2, [8, 1], activation="tanh", seed=0)
    >>> history = nn.fit(
    ...     model,
    ...     nn.data.moons(50, labels=(-1, 1), seed=0),
    ...     loss=nn.HingeLoss(),
    ...     optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
    ...     epochs=2,
    ...     batch_size=10,
    ...     seed=0,
    ... )
    >>> len(history), len(history.steps)
    (2, 10)
    >>> history[-1].loss < history[0].loss
    True
    """

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []
        self.steps: list[Step] = []
        self.metric_name = "metric"

    @property
    def step_losses(self) -> list[float]:
        """The loss of each step."""
        return [step.loss for step in self.steps]

    def __len__(self) -> int:
        return len(self.epochs)

    def __getitem__(self, position: int) -> Epoch:
        return self.epochs[position]

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def state_dict(self) -> dict[str, Any]:
        """Return all records as plain lists, such as `nn.save` takes.

        Examples
        --------
        >>> import nn
        >>> history = nn.History()
        >>> history.steps.append(nn.history.Step(0.5, 0.1, None))
        >>> history.state_dict()
        {'metric_name': 'metric', 'epochs': [], 'steps': [[0.5, 0.1, None]]}
        """
        return {
            "metric_name": self.metric_name,
            "epochs": [list(epoch) for epoch in self.epochs],
            "steps": [list(step) for step in self.steps],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the records that `state_dict` returned, instead of those that are here.

        Raises
        ------
        ValueError
            If it is something else. Nothing has changed then.

        Examples
        --------
        >>> import nn
        >>> history = nn.History()
        >>> history.load_state_dict(
        ...     {"metric_name": "accuracy", "epochs": [], "steps": [[0.5, 0.1, None]]}
        ... )
        >>> history.steps
        [Step(loss=0.5, lr=0.1, gradient_norm=None)]
        """
        try:
            name = str(state_dict["metric_name"])
            epochs = [Epoch(*record) for record in state_dict["epochs"]]
            steps = [Step(*record) for record in state_dict["steps"]]
        except (KeyError, TypeError):
            raise ValueError(
                "History.load_state_dict expected what state_dict() returns, got"
                f" {shortened(state_dict)}"
            ) from None
        self.metric_name, self.epochs, self.steps = name, epochs, steps

    def __repr__(self) -> str:
        rows: list[tuple[str, ...]] = [("epoch", "loss", "validation loss", self.metric_name)]
        rows += [
            (
                str(epoch.number),
                *(
                    "" if figure is None else f"{figure:.4f}"
                    for figure in (epoch.loss, epoch.validation_loss, epoch.metric)
                ),
            )
            for epoch in self.epochs
        ]
        columns = [c for c in zip(*rows, strict=True) if any(c[1:]) or c[0] == "epoch"]
        widths = [max(map(len, column)) for column in columns]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in zip(*columns, strict=True)
        ]
        if len(lines) > 16:  # the first and the last epochs tell most
            lines[6:-5] = ["...".rjust(widths[0])]
        title = f"History: {len(self.epochs)} epochs, {len(self.steps)} steps"
        return "\n".join([title, *lines] if self.epochs else [title])
