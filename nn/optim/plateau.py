"""The scheduler that looks at how training goes."""

from __future__ import annotations

import math
from typing import Any

from nn.optim.optimizer import Optimizer
from nn.optim.scheduler import LRScheduler, rates_per_group
from nn.settings import checked_count, checked_number


class ReduceLROnPlateau(LRScheduler):
    """Smaller rates whenever a metric, such as the validation loss, has stopped to improve.

    After more than ``patience`` steps in a row without a new best, every rate goes down to
    ``factor`` times itself. A NaN is no improvement.

    Parameters
    ----------
    optimizer : Optimizer
    mode : "min" or "max"
        Whether smaller or larger is better.
    factor : float
        In [0, 1).
    patience : int
        Steps without improvement that are waited for, at least 0.
    threshold : float
        How much better than the best so far counts as improvement.
    threshold_mode : "rel" or "abs"
        In terms of the best so far, or as it is.
    cooldown : int
        Steps after a reduction that are not counted, at least 0.
    min_lr : float or list of float
        Rates do not go below, for all parameter groups, or one for each.
    eps : float
        Reductions by less than that are left out.

    Attributes
    ----------
    best : float
    num_bad_epochs : int
    cooldown_counter : int

    Raises
    ------
    TypeError, ValueError
        As for `LRScheduler`.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter(1.0)], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    >>> rates = []
    >>> for loss in [3.0, 2.0, 2.0, 2.0, 2.0]:
    ...     scheduler.step(loss)
    ...     rates += scheduler.get_last_lr()
    >>> rates
    [0.5, 0.5, 0.5, 0.05, 0.05]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        name = type(self).__name__
        if mode not in ("min", "max"):
            raise ValueError(f'{name} expected mode "min" or "max", got {mode!r}')
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f'{name} expected threshold_mode "rel" or "abs", got {threshold_mode!r}'
            )
        settings = {
            "mode": mode,
            "factor": checked_number(name, "factor", factor, below=1.0),
            "patience": checked_count(name, "patience", patience, least=0),
            "threshold": checked_number(name, "threshold", threshold),
            "threshold_mode": threshold_mode,
            "cooldown": checked_count(name, "cooldown", cooldown, least=0),
            "min_lr": rates_per_group(name, "min_lr", optimizer, min_lr),
            "eps": checked_number(name, "eps", eps),
        }
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        super().__init__(optimizer, settings)

    def step(self, metrics: Any) -> None:  # type: ignore[override] # PyTorch's signature
        """Take note of the metric, a number or Value, and set the learning rates."""
        try:
            metric = float(metrics)
        except (TypeError, ValueError):
            raise TypeError(
                f"{type(self).__name__} expected a number as the metric, got"
                f" {type(metrics).__name__}"
            ) from None
        self._count()
        given = self._settings
        self.last_epoch += 1
        if self._better(metric):
            self.best = metric
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > given["patience"]:
            self.cooldown_counter = given["cooldown"]
            self.num_bad_epochs = 0
            for group, least in zip(self.optimizer.param_groups, given["min_lr"], strict=True):
                reduced = max(group["lr"] * given["factor"], least)
                if group["lr"] - reduced > given["eps"]:
                    group["lr"] = reduced

    def _better(self, metric: float) -> bool:
        given, best = self._settings, self.best
        sign = -1.0 if given["mode"] == "min" else 1.0
        if given["threshold_mode"] == "rel":
            wanted = best * (1.0 + sign * given["threshold"])
        else:
            wanted = best + sign * given["threshold"]
        return metric < wanted if given["mode"] == "min" else metric > wanted

    def _set_rates(self) -> None:
        """Rates stay until a metric has come."""

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "best": self.best,
            "num_bad_epochs": self.num_bad_epochs,
            "cooldown_counter": self.cooldown_counter,
        }
