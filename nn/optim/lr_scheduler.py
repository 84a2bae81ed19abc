"""Schedulers: classes under PyTorch's names that set an optimiser's learning rates.

They work on the functions of `nn.schedules`, one for each parameter group, and so compute each rate
from its step alone: rates that are set by hand in between last until the next step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nn import schedules
from nn.optim.cycling import CyclicLR, OneCycleLR
from nn.optim.optimizer import Optimizer
from nn.optim.plateau import ReduceLROnPlateau
from nn.optim.scheduler import LRScheduler, per_group
from nn.schedule_parts import Schedule, checked_milestones, checked_schedule
from nn.settings import checked_count, checked_number

__all__ = [
    "CosineAnnealingLR",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "StepLR",
]


class LambdaLR(LRScheduler):
    """The base rates times a function of the step, such as one of `nn.schedules`.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : function or list of functions
        For all groups, or one for each. They are not in the `state_dict`.

    Raises
    ------
    TypeError, ValueError
        As for `LRScheduler`.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter(1.0)], lr=0.5)
    >>> warm_up = nn.schedules.warm_up(nn.schedules.constant(1.0), 4)
    >>> scheduler = nn.optim.lr_scheduler.LambdaLR(optimizer, warm_up)
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Schedule | Sequence[Schedule]) -> None:
        name = type(self).__name__
        functions = per_group(name, "lr_lambda", optimizer, lr_lambda)
        self._factors = [checked_schedule(name, function) for function in functions]
        super().__init__(optimizer, {})

    def schedule(self, group: int) -> Schedule:
        base, factor = self.base_lrs[group], self._factors[group]
        return lambda step: base * factor(step)


class StepLR(LRScheduler):
    """The rate times ``gamma`` after every ``step_size`` steps: `nn.schedules.step`.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float

    Raises
    ------
    TypeError, ValueError
        As for `LRScheduler`.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter(1.0)], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.StepLR(optimizer, step_size=1)
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.05]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        name = type(self).__name__
        settings = {
            "step_size": checked_count(name, "step_size", step_size),
            "gamma": checked_number(name, "gamma", gamma),
        }
        super().__init__(optimizer, settings)

    def schedule(self, group: int) -> Schedule:
        return schedules.step(self.base_lrs[group], **self._settings)


class MultiStepLR(LRScheduler):
    """The rate times ``gamma`` at each milestone: `nn.schedules.multi_step`.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : list of int
    gamma : float

    Raises
    ------
    TypeError, ValueError
        As for `LRScheduler`.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter(1.0)], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.MultiStepLR(optimizer, [1, 30])
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.05]
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1) -> None:
        name = type(self).__name__
        settings = {
            "milestones": checked_milestones(name, milestones),
            "gamma": checked_number(name, "gamma", gamma),
        }
        super().__init__(optimizer, settings)

    def schedule(self, group: int) -> Schedule:
        return schedules.multi_step(self.base_lrs[group], **self._settings)


class ExponentialLR(LRScheduler):
    """The rate times ``gamma`` at each step: `nn.schedules.exponential`.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float

    Raises
    ------
    TypeError, ValueError
        As for `LRScheduler`.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter(1.0)], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        super().__init__(optimizer, {"gamma": checked_number(type(self).__name__, "gamma", gamma)})

    def schedule(self, group: int) -> Schedule:
        return schedules.exponential(self.base_lrs[group], **self._settings)


class LinearLR(LRScheduler):
    """A straight line between two factors of the rate, as for a warm-up: `nn.schedules.linear`.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor, end_factor : float
        Of the base rates, at step 0 and from step ``total_iters`` on.
    total_iters : int

    Raises
    ------
    TypeError, ValueError
        As for `LRScheduler`.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter(1.0)], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.375]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3.0,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        name = type(self).__name__
        settings = {
            "start_factor": checked_number(name, "start_factor", start_factor),
            "end_factor": checked_number(name, "end_factor", end_factor),
            "total_iters": checked_count(name, "total_iters", total_iters),
        }
        super().__init__(optimizer, settings)

    def schedule(self, group: int) -> Schedule:
        base, (start, end, steps) = self.base_lrs[group], self._settings.values()
        return schedules.linear(base * start, base * end, steps)


class CosineAnnealingLR(LRScheduler):
    """Half a cosine down to ``eta_min`` at step ``T_max``, and up again: `nn.schedules.cosine`.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
    eta_min : float

    Raises
    ------
    TypeError, ValueError
        As for `LRScheduler`.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter(1.0)], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
    ) -> None:
        name = type(self).__name__
        settings = {
            "T_max": checked_count(name, "T_max", T_max),
            "eta_min": checked_number(name, "eta_min", eta_min),
        }
        super().__init__(optimizer, settings)

    def schedule(self, group: int) -> Schedule:
        steps, low = self._settings.values()
        return schedules.cosine(self.base_lrs[group], steps, low=low)
