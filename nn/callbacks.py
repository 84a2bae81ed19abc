"""Callbacks: what `nn.fit` calls while it trains, and early stopping, which is one of them.

A callback is any callable of one argument, the `TrainingState`. `nn.fit` calls those of
``callbacks`` after every epoch, in their order, once its record is in the history and with the
model in inference mode; those of ``step_callbacks`` after every step, with the model in training
mode and the step's gradients still there. What it returns is ignored; what it raises ends the
training and comes out of `nn.fit`; ``state.stop()`` ends the training in order.

Where a callback has one of these methods, they are used as well:

- ``start(state)`` before the first epoch, and before a checkpoint is loaded. Here a callback can
  refuse, by an exception, what it cannot work with: nothing has changed yet.
- ``finish(state)`` once the training has ended by itself, after its last checkpoint; not after an
  exception. If it changes the model, the checkpoint is written again with that model, and keeps
  what it takes to go on from before.
- ``state_dict()`` and ``load_state_dict(state)``: what it remembers, as numbers, text, lists and
  dicts, goes into checkpoints and comes back with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from reprlib import repr as shortened
from typing import Any

from nn.data.samples import Dataset
from nn.history import History
from nn.module import Module
from nn.optim import Optimizer


class TrainingState:
    """What a callback is told, made by `fit`.

    Attributes
    ----------
    model : Module
    optimizer : Optimizer
    history : History
        ``history[-1]`` is the epoch that has just ended, ``history.steps[-1]`` the last step.
    validation : Dataset or None
        The validation data.
    metric : callable or None
        What computes `Epoch.metric`.
    epoch : int
        The number of the present epoch: 1 in the first of the history, 0 before it.
    last_epoch : int
        The number of the epoch with which the training is going to end.
    stopped : bool
        Whether a callback has called `stop`.

    Examples
    --------
    >>> import nn
    >>> def tell(state):
    ...     print(f"epoch {state.epoch} of {state.last_epoch}, step {state.step}")
    ...     if state.history[-1].loss < 100.0:
    ...         state.stop()
    >>> model = nn.MLP(2, [4, 1], seed=0)
    >>> history = nn.fit(
    ...     model,
    ...     nn.data.moons(40, labels=(-1, 1), seed=0),
    ...     loss=nn.HingeLoss(),
    ...     optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
    ...     epochs=5,
    ...     batch_size=10,
    ...     callbacks=[tell],
    ... )
    epoch 1 of 5, step 4
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        history: History,
        *,
        validation: Dataset | None,
        metric: Callable[[Any, Any], float] | None,
        last_epoch: int,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.history = history
        self.validation = validation
        self.metric = metric
        self.epoch = len(history)
        self.last_epoch = last_epoch
        self.stopped = False

    @property
    def step(self) -> int:
        """How many steps of the history have been done."""
        return len(self.history.steps)

    def stop(self) -> None:
        """End the training after this epoch, or, called after a step, after this step.

        An epoch that is not gone through is not recorded.
        """
        self.stopped = True


Callback = Callable[[TrainingState], object]


class EarlyStopping:
    """A callback that ends the training when the validation loss no longer falls.

    Once the training has ended, by this or as its epochs are over, the model gets the parameters
    and buffers back that it had after its best epoch. (Not after an exception or Ctrl-C: then the
    model is as the last step left it, and ``model.load_state_dict(stopping.best_state)`` does it.)
    The state of the optimiser is that of the last epoch. `nn.load` then gives them too, from the
    ``checkpoint`` of `fit`, while ``resume`` goes on from the last epoch.

    Parameters
    ----------
    patience : int
        The training ends after so many epochs in a row without improvement.
    min_delta : float, optional
        By how much the figure has to be better than the best so far to be an improvement.
    monitor : "validation_loss", "loss" or "metric", optional
        Which figure of an `Epoch`.
    mode : "min" or "max", optional
        Whether small or large figures are good.

    Attributes
    ----------
    best : float or None
        The best figure, None before the first epoch.
    best_epoch : int or None
        The number of its epoch.
    best_state : dict or None
        The model's ``state_dict()`` after that epoch.
    waited : int
        How many epochs have come since.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above; from `fit`, before it trains, if there are no
        validation data or no metric to monitor.

    References
    ----------
    Prechelt, Early Stopping - But When?, 1998.

    Examples
    --------
    >>> import nn
    >>> train, held_out = nn.data.split(nn.data.moons(60, noise=0.4, seed=3), 0.5, seed=0)
    >>> model = nn.MLP(2, [16, 2], seed=0)
    >>> stopping = nn.EarlyStopping(patience=5)
    >>> history = nn.fit(
    ...     model,
    ...     train,
    ...     loss=nn.CrossEntropyLoss(),
    ...     optimizer=nn.optim.Adam(model.parameters(), lr=0.1),
    ...     epochs=100,
    ...     batch_size=10,
    ...     seed=0,
    ...     validation=held_out,
    ...     callbacks=[stopping],
    ... )
    >>> len(history) == stopping.best_epoch + 5
    True
    >>> stopping.best == min(epoch.validation_loss for epoch in history)
    True
    """

    def __init__(
        self,
        patience: int,
        *,
        min_delta: float = 0.0,
        monitor: str = "validation_loss",
        mode: str = "min",
    ) -> None:
        if isinstance(patience, bool) or not isinstance(patience, int):
            raise TypeError(
                f"EarlyStopping expected a whole number of epochs as patience, got"
                f" {type(patience).__name__}: {patience!r}"
            )
        if patience < 1:
            raise ValueError(f"EarlyStopping expected a patience of at least 1, got {patience}")
        if isinstance(min_delta, bool) or not isinstance(min_delta, int | float):
            raise TypeError(
                f"EarlyStopping expected a number as min_delta, got {type(min_delta).__name__}:"
                f" {min_delta!r}"
            )
        if not 0.0 <= min_delta < math.inf:
            raise ValueError(f"EarlyStopping expected a finite min_delta >= 0, got {min_delta}")
        if monitor not in ("validation_loss", "loss", "metric"):
            raise ValueError(
                'EarlyStopping expected to monitor "validation_loss", "loss" or "metric", got'
                f" {monitor!r}"
            )
        if mode not in ("min", "max"):
            raise ValueError(f'EarlyStopping expected the mode "min" or "max", got {mode!r}')
        self.patience = patience
        self.min_delta = min_delta
        self.monitor = monitor
        self.mode = mode
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.best_epoch: int | None = None
        self.best_state: dict[str, Any] | None = None
        self.waited = 0

    def start(self, state: TrainingState) -> None:
        """Refuse a training without the figure; forget another training."""
        if self.monitor == "validation_loss" and state.validation is None:
            raise ValueError(
                'EarlyStopping expected validation data for monitor="validation_loss", got none:'
                ' give fit validation=, or monitor the training loss, monitor="loss"'
            )
        if self.monitor == "metric" and state.metric is None:
            raise ValueError(
                'EarlyStopping expected a metric for monitor="metric", got none: give fit metric='
                " and validation="
            )
        if not state.history.steps:
            self._reset()

    def __call__(self, state: TrainingState) -> None:
        figure = getattr(state.history[-1], self.monitor)
        if self._improves(figure):
            self.best = figure
            self.best_epoch = state.epoch
            self.best_state = state.model.state_dict()
            self.waited = 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            state.stop()

    def _improves(self, figure: float) -> bool:
        """Tell whether a figure is better than the best; NaN, which a metric may be, never is."""
        if self.best is None:
            return not math.isnan(figure)
        if self.mode == "min":
            return figure < self.best - self.min_delta
        return figure > self.best + self.min_delta

    def finish(self, state: TrainingState) -> None:
        """Give the model its best parameters and buffers back."""
        if self.best_state is not None:
            state.model.load_state_dict(self.best_state)

    def state_dict(self) -> dict[str, Any]:
        """Return what has been found so far; the settings are not part of it."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_state": self.best_state,
            "waited": self.waited,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned.

        Raises
        ------
        ValueError
            If it is something else. Nothing has changed then.
        """
        if not isinstance(state_dict, Mapping) or set(state_dict) != set(self.state_dict()):
            raise ValueError(
                "EarlyStopping.load_state_dict expected what state_dict() returns, got"
                f" {shortened(state_dict)}"
            )
        vars(self).update(state_dict)

    def __repr__(self) -> str:
        return (
            f"EarlyStopping(patience={self.patience}, min_delta={self.min_delta},"
            f" monitor={self.monitor!r}, mode={self.mode!r})"
        )
