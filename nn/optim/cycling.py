"""Schedulers that move the momentum against the learning rate."""

from __future__ import annotations

from typing import Any

from nn import schedules
from nn.module import flag
from nn.optim.optimizer import Optimizer
from nn.optim.scheduler import LRScheduler, per_group, rates_per_group
from nn.schedule_parts import Schedule, annealed, cycle_ends
from nn.settings import checked_count, checked_number


class _Cycling(LRScheduler):
    """A scheduler of rates and, if wanted, of SGD's momentum or of Adam's first beta."""

    def __init__(
        self,
        optimizer: Optimizer,
        settings: dict[str, Any],
        *,
        cycle_momentum: bool,
        base_momentum: float | list[float],
        max_momentum: float | list[float],
    ) -> None:
        name = type(self).__name__
        self._momentum = ""
        if flag(cycle_momentum, f"{name}'s cycle_momentum"):
            known = [key for key in ("betas", "momentum") if key in optimizer.defaults]
            if not known:
                raise ValueError(
                    f"{name} expected an optimiser with momentum or betas, got"
                    f" {type(optimizer).__name__}; pass cycle_momentum=False"
                )
            self._momentum = known[0]
        bounds = {
            key: [
                checked_number(name, key, one, below=1.0)
                for one in per_group(name, key, optimizer, given)
            ]
            for key, given in (("base_momentum", base_momentum), ("max_momentum", max_momentum))
        }
        super().__init__(optimizer, {**settings, "cycle_momentum": cycle_momentum, **bounds})

    def momentum(self, group: int) -> Schedule:
        """Return the function that gives the momenta of one parameter group."""
        raise NotImplementedError

    def _set_rates(self) -> None:
        super()._set_rates()
        if not self._momentum:
            return
        for number, group in enumerate(self.optimizer.param_groups):
            momentum = self.momentum(number)(self.last_epoch)
            beta = self._momentum == "betas"
            group[self._momentum] = (momentum, *group["betas"][1:]) if beta else momentum


class OneCycleLR(_Cycling):
    """One rise to ``max_lr`` and the fall to nearly 0: `nn.schedules.one_cycle`.

    The momentum (or first beta) falls and rises meanwhile. A `step` after each of ``total_steps``
    steps of the optimiser is all there are: one more is refused, as in PyTorch. (The rate after the
    last of them, which nothing uses, is the lowest one still; in PyTorch it has risen a little.)

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float or list of float
        For all parameter groups, or one for each.
    total_steps : int, optional
        Or ``epochs`` times ``steps_per_epoch``.
    epochs, steps_per_epoch : int, optional
    pct_start : float
    anneal_strategy : "cos" or "linear"
    cycle_momentum : bool
    base_momentum, max_momentum : float or list of float
        The momentum where the rate is highest, and that of the first and last step.
    div_factor, final_div_factor : float
    three_phase : bool

    Raises
    ------
    TypeError, ValueError
        As for `LRScheduler`, or if the momentum of an optimiser without one is to be cycled. A
        ValueError from `step` when it is called more than ``total_steps`` times.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.optim.Adam([nn.Parameter(1.0)])
    >>> scheduler = nn.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, total_steps=100)
    >>> scheduler.get_last_lr(), optimizer.param_groups[0]["betas"]
    ([0.02], (0.95, 0.999))
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        name = type(self).__name__
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError(
                    f"{name} expected total_steps, or epochs and steps_per_epoch, got neither"
                )
            per_epoch = checked_count(name, "steps_per_epoch", steps_per_epoch)
            total_steps = checked_count(name, "epochs", epochs) * per_epoch
        settings = {
            "max_lr": rates_per_group(name, "max_lr", optimizer, max_lr),
            "total_steps": checked_count(name, "total_steps", total_steps),
            "pct_start": pct_start,
            "anneal_strategy": anneal_strategy,
            "div_factor": checked_number(name, "div_factor", div_factor, positive=True),
            "final_div_factor": checked_number(
                name, "final_div_factor", final_div_factor, positive=True
            ),
            "three_phase": flag(three_phase, f"{name}'s three_phase"),
        }
        super().__init__(
            optimizer,
            settings,
            cycle_momentum=cycle_momentum,
            base_momentum=base_momentum,
            max_momentum=max_momentum,
        )

    def step(self) -> None:
        total_steps = self._settings["total_steps"]
        if self.last_epoch >= total_steps:
            raise ValueError(
                f"{type(self).__name__} expected at most {total_steps} calls of step(), its"
                f" total_steps, got call {self.last_epoch + 1}"
            )
        super().step()

    def schedule(self, group: int) -> Schedule:
        given = self._settings
        return schedules.one_cycle(
            given["max_lr"][group],
            given["total_steps"],
            pct_start=given["pct_start"],
            anneal_strategy=given["anneal_strategy"],
            div_factor=given["div_factor"],
            final_div_factor=given["final_div_factor"],
            three_phase=given["three_phase"],
        )

    def momentum(self, group: int) -> Schedule:
        given, name = self._settings, type(self).__name__
        low, high = given["base_momentum"][group], given["max_momentum"][group]
        ends = cycle_ends(
            name, given["total_steps"], given["pct_start"], three_phase=given["three_phase"]
        )
        levels = (high, low, high, high)[: len(ends) + 1]
        return annealed(name, levels, ends, given["anneal_strategy"])


class CyclicLR(_Cycling):
    """Rises from ``base_lr`` to ``max_lr`` and falls, again and again: `nn.schedules.cyclic`.

    The momentum (or first beta) falls and rises meanwhile.

    Parameters
    ----------
    optimizer : Optimizer
    base_lr, max_lr : float or list of float
        For all parameter groups, or one for each.
    step_size_up : int
    step_size_down : int, optional
    mode : "triangular", "triangular2" or "exp_range"
    gamma : float
    cycle_momentum : bool, optional
    base_momentum, max_momentum : float or list of float, optional
        The momentum where the rate is highest, and where it is lowest.

    Raises
    ------
    TypeError, ValueError
        As for `LRScheduler`, or if the momentum of an optimiser without one is to be cycled.

    Examples
    --------
    >>> import nn
    >>> optimizer = nn.optim.SGD([nn.Parameter(1.0)], momentum=0.9)
    >>> scheduler = nn.optim.lr_scheduler.CyclicLR(optimizer, 0.1, 0.5, step_size_up=2)
    >>> scheduler.step()
    >>> scheduler.get_last_lr(), round(optimizer.param_groups[0]["momentum"], 12)
    ([0.3], 0.85)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        *,
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
    ) -> None:
        name = type(self).__name__
        settings = {
            "base_lr": rates_per_group(name, "base_lr", optimizer, base_lr),
            "max_lr": rates_per_group(name, "max_lr", optimizer, max_lr),
            "step_size_up": checked_count(name, "step_size_up", step_size_up),
            "step_size_down": step_size_down
            if step_size_down is None
            else checked_count(name, "step_size_down", step_size_down),
            "mode": mode,
            "gamma": checked_number(name, "gamma", gamma),
        }
        super().__init__(
            optimizer,
            settings,
            cycle_momentum=cycle_momentum,
            base_momentum=base_momentum,
            max_momentum=max_momentum,
        )

    def schedule(self, group: int) -> Schedule:
        return self._cycles(self._settings["base_lr"][group], self._settings["max_lr"][group])

    def momentum(self, group: int) -> Schedule:
        given = self._settings
        return self._cycles(given["max_momentum"][group], given["base_momentum"][group])

    def _cycles(self, start: float, turn: float) -> Schedule:
        given = self._settings
        return schedules.cyclic(
            start,
            turn,
            given["step_size_up"],
            given["step_size_down"],
            mode=given["mode"],
            gamma=given["gamma"],
        )
