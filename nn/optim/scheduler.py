"""What schedulers have in common: they set the rates of the groups, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nn.optim.optimizer import Optimizer
from nn.schedule_parts import Schedule
from nn.settings import checked_number


class LRScheduler:
    """What schedulers have in common. Making one sets the rates of step 0; `step` goes on.

    Call `step` after the optimiser's, once a batch or once an epoch as the scheduler's numbers are
    meant.

    Parameters
    ----------
    optimizer : Optimizer
        Its rates now are the ``base_lrs``.
    settings : mapping
        What the scheduler was made with, for `state_dict`.

    Attributes
    ----------
    optimizer : Optimizer
    base_lrs : list of float
        The rate of each parameter group that the schedule begins with.
    last_epoch : int
        How often `step` was called.

    Raises
    ------
    TypeError, ValueError
        If an argument makes no sense; the optimiser's rates stay as they are then.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter(1.0)], lr=0.1)
    >>> scheduler = nn.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> w = optimizer.params[0]
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     w.backward()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.025]
    """

    def __init__(self, optimizer: Optimizer, settings: Mapping[str, Any]) -> None:
        self.optimizer = checked_optimizer(type(self).__name__, optimizer)
        self.base_lrs = [float(group["lr"]) for group in optimizer.param_groups]
        self.last_epoch = 0
        self._settings = dict(settings)
        self._set_rates()

    def schedule(self, group: int) -> Schedule:
        """Return the function that gives the rates of one parameter group."""
        raise NotImplementedError

    def step(self) -> None:
        """Set the learning rates of the next step."""
        self._count()
        self.last_epoch += 1
        self._set_rates()

    def get_last_lr(self) -> list[float]:
        """Return the learning rate of each parameter group."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def _count(self) -> None:
        """Refuse groups that have come in since."""
        groups = len(self.optimizer.param_groups)
        if groups != len(self.base_lrs):
            raise ValueError(
                f"{type(self).__name__} was made for {len(self.base_lrs)} parameter groups, got"
                f" {groups}; add groups before making the scheduler"
            )

    def _set_rates(self) -> None:
        rates = [self.schedule(i)(self.last_epoch) for i in range(len(self.base_lrs))]
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def state_dict(self) -> dict[str, Any]:
        """Return where the scheduler is as plain data; rates now are in the optimiser's."""
        return {
            "scheduler": type(self).__name__,
            "settings": {**self._settings},
            "base_lrs": [*self.base_lrs],
            "last_epoch": self.last_epoch,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where another scheduler was.

        Load the optimiser's state after making the scheduler, which sets its rates.

        Parameters
        ----------
        state_dict : mapping
            What `state_dict` of one of this class and these settings returned.

        Raises
        ------
        TypeError, ValueError
            If it is of another class, other settings or another number of groups, or damaged.
            Nothing is changed then.

        Examples
        --------
        >>> import nn
        >>> def made():
        ...     optimizer = nn.optim.SGD([nn.Parameter(1.0)], lr=1.0)
        ...     return nn.optim.lr_scheduler.StepLR(optimizer, 2)
        >>> old, new = made(), made()
        >>> old.step()
        >>> new.load_state_dict(old.state_dict())
        >>> new.step()
        >>> new.get_last_lr()
        [0.1]
        """
        name = type(self).__name__
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{name} expected a state_dict, got {type(state_dict).__name__}")
        wanted = self.state_dict()
        if state_dict.keys() != wanted.keys():
            raise ValueError(
                f"{name} expected a state_dict of {', '.join(wanted)}, got {', '.join(state_dict)}"
            )
        if state_dict["scheduler"] != name:
            raise ValueError(
                f"{name} expected the state of {name}, got that of {state_dict['scheduler']}"
            )
        if state_dict["settings"] != wanted["settings"]:
            raise ValueError(
                f"{name} expected the state of one with the settings {wanted['settings']}, got"
                f" {state_dict['settings']}"
            )
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError(
                f"{name} expected the state of {len(self.base_lrs)} parameter groups, got that of"
                f" {len(state_dict['base_lrs'])}"
            )
        rates = [checked_number(name, "base_lrs", rate) for rate in state_dict["base_lrs"]]
        reached = {
            key: _same_kind(name, key, state_dict[key], wanted[key])
            for key in wanted
            if key not in ("scheduler", "settings", "base_lrs")
        }
        vars(self).update(reached, base_lrs=rates)


def checked_optimizer(owner: str, given: Any) -> Optimizer:
    """Return an optimiser, or say what was given instead."""
    if not isinstance(given, Optimizer):
        raise TypeError(f"{owner} expected an optimiser, got {type(given).__name__}")
    return given


def _same_kind(owner: str, name: str, given: Any, like: Any) -> Any:
    """Return a part of a state if it is of the type that it has here."""
    if type(given) is not type(like) or (isinstance(like, int) and given < 0):
        kind = "a count" if isinstance(like, int) else "a float"
        raise ValueError(f"{owner} expected {kind} for {name}, got {given!r}")
    return given


def per_group(owner: str, name: str, optimizer: Any, given: Any) -> list[Any]:
    """Return one thing for each parameter group: a list of them, or one for all."""
    groups = len(checked_optimizer(owner, optimizer).param_groups)
    if not isinstance(given, list | tuple):
        return [given] * groups
    if len(given) != groups:
        raise ValueError(
            f"{owner} expected {name} for each of {groups} parameter groups, got {len(given)}"
        )
    return list(given)


def rates_per_group(owner: str, name: str, optimizer: Any, given: Any) -> list[float]:
    """Return a finite number ≥ 0 for each parameter group."""
    return [checked_number(owner, name, one) for one in per_group(owner, name, optimizer, given)]
