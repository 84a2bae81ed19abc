"""What optimisers have in common: parameters in groups, the step, and the state."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, MutableSequence, Sequence
from typing import Any, ClassVar

from autograd_lite import Value, arrays, warn_slip
from nn.module import flag
from nn.optim.array_steps import ArraySteps, States, array_steps
from nn.optim.optimizer_state import load_state, packed_state
from nn.optim.param_group import ParamGroup, checked_parameters, refuse_unknown
from nn.settings import checked_number


class Optimizer:
    """Parameters, their settings, what is remembered about them, and the step.

    An optimiser owns its state (velocities, running averages); parameters know nothing of it. A
    step first computes all new numbers and then writes them, so one that fails changes nothing.

    A subclass says what one step does in ``rule``, a static method that takes data, gradient, state
    (None before the first step), the settings as a tuple, and the square root; it returns new data
    and new state and changes nothing it is given. It has no other arithmetic than operators, so
    that it runs on one parameter's floats, and with ``numpy.sqrt`` on the arrays of many.

    Parameters
    ----------
    params : iterable of Value or of dicts
        Leaves, as from ``model.parameters()``. Those with ``requires_grad=False`` are left alone.
        Or parameter groups, dicts of ``params`` and of settings that are different in this group.
    defaults : mapping
        The settings of all other groups, by name, in the order of the optimiser's arguments.

    Attributes
    ----------
    param_groups : list of ParamGroup
        Parameters and settings, such as ``param_groups[0]["lr"]``, which can be set to others
        between steps.
    params : list of Value
        The parameters of all groups.
    state : sequence
        What the rule remembers about each of ``params``, None before the first step.
    defaults : dict

    Raises
    ------
    TypeError
        If ``params`` is not a list of Values or dicts, or a setting is of another kind.
    ValueError
        For an empty list, a parameter given twice or computed from others, a setting out of range
        or of an unknown name.

    Examples
    --------
    >>> import nn
    >>> model = nn.MLP(2, [8, 1], seed=0)
    >>> optimizer = nn.optim.SGD(
    ...     [
    ...         {"params": model.layers[0].parameters()},
    ...         {"params": model.layers[1].parameters(), "lr": 0.01},
    ...     ],
    ...     lr=0.1,
    ...     momentum=0.9,
    ... )
    >>> [(len(group["params"]), group["lr"]) for group in optimizer.param_groups]
    [(24, 0.1), (9, 0.01)]
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    """What `state_dict` calls the parts of a parameter's state."""
    state_optional: ClassVar[frozenset[str]] = frozenset()
    """Those that are None where the settings do not need them."""

    def __init__(
        self, params: Iterable[Value] | Iterable[Mapping[str, Any]], defaults: Mapping[str, Any]
    ) -> None:
        checked = ParamGroup(type(self), [], defaults)
        self.defaults = {name: checked[name] for name in defaults}
        self.param_groups: list[ParamGroup] = []
        self.params: list[Value] = []
        self._states = States()
        self._array_steps: ArraySteps | None = None
        self._gradients: arrays.Gradients | None = None
        self._one_by_one: Any = None  # a rule that arrays are not for
        given: Any = params
        if isinstance(given, Iterable) and not isinstance(given, Value | Mapping | set | frozenset):
            given = list(given)
        if isinstance(given, list) and given and isinstance(given[0], Mapping):
            for group in given:
                self.add_param_group(group)
        else:
            self.add_param_group({"params": given})

    @staticmethod
    def rule(
        data: Any, gradient: Any, state: Any, settings: tuple[Any, ...], sqrt: Callable[[Any], Any]
    ) -> tuple[Any, Any]:
        """Return new data and new state. To be written by every optimiser."""
        raise NotImplementedError("an optimiser expected a rule(), which says what a step does")

    @classmethod
    def check_setting(cls, name: str, given: Any) -> Any:
        """Return a setting as the rule needs it, or raise what is wrong with it."""
        if name == "betas":
            return _pair(cls.__name__, given)
        if name in ("nesterov", "centered"):
            return flag(given, f"{cls.__name__}'s {name}")
        below = 1.0 if name == "alpha" else math.inf
        return checked_number(cls.__name__, name, given, below=below, positive=name == "eps")

    @classmethod
    def check_settings(cls, settings: Mapping[str, Any]) -> None:
        """Raise what is wrong with settings that are right one by one: nothing, here."""

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add parameters with settings of their own.

        Parameters
        ----------
        param_group : mapping
            ``params``, and the settings that differ from ``defaults``.

        Raises
        ------
        TypeError, ValueError
            As for the optimiser, or if a parameter is in another group; nothing is added then.

        Examples
        --------
        >>> import nn
        >>> first, second = nn.Linear(2, 2), nn.Linear(2, 1)
        >>> optimizer = nn.optim.Adam(first.parameters(), lr=0.1)
        >>> optimizer.add_param_group({"params": second.parameters(), "lr": 0.001})
        >>> len(optimizer.params)
        9
        """
        name = type(self).__name__
        if not isinstance(param_group, Mapping):
            raise TypeError(
                f"{name} expected a dict with params and settings as a parameter group, got"
                f" {type(param_group).__name__}"
            )
        if "params" not in param_group:
            raise ValueError(f"{name} expected 'params' in a parameter group, got {param_group!r}")
        settings = {key: given for key, given in param_group.items() if key != "params"}
        refuse_unknown(name, settings, self.defaults)
        params = checked_parameters(name, param_group["params"])
        group = ParamGroup(type(self), params, {**self.defaults, **settings})
        positions = {id(parameter): i for i, parameter in enumerate(self.params)}
        for parameter in params:
            if id(parameter) in positions:
                raise ValueError(
                    f"{name} expected every parameter in one group, got that at position"
                    f" {positions[id(parameter)]} in another one too"
                )
        self.param_groups.append(group)
        self.params += params
        self._states.extend([None] * len(params))

    @property
    def state(self) -> MutableSequence[Any]:
        """What the rule remembers about each of ``params``, None before the first step."""
        return self._states

    @state.setter
    def state(self, state: Iterable[Any]) -> None:
        self._states[:] = state

    @property
    def lr(self) -> float:
        """The learning rate, with several groups that of the first one.

        Setting it sets that of all groups, and is refused, a ValueError, while they differ: their
        ratios would be lost. Set ``param_groups[i]["lr"]`` then, or use `nn.optim.lr_scheduler`.
        """
        return float(self.param_groups[0]["lr"])

    @lr.setter
    def lr(self, lr: float) -> None:
        rates = sorted({group["lr"] for group in self.param_groups})
        if len(rates) > 1:
            raise ValueError(
                f"{type(self).__name__} has parameter groups with the learning rates"
                f" {', '.join(map(str, rates))}, which one lr cannot stand for; set"
                ' param_groups[i]["lr"], or use a scheduler of nn.optim.lr_scheduler'
            )
        for group in self.param_groups:
            group["lr"] = lr

    def __repr__(self) -> str:
        groups = [group.description() for group in self.param_groups]
        return f"{type(self).__name__}({'; '.join(groups)})"

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters back to 0.0.

        Parameters
        ----------
        set_to_none : bool
            Accepted as in PyTorch, without effect: a gradient is 0.0 and no longer
            `Value.reached` afterwards either way, and `step` leaves such parameters alone.
        """
        if set_to_none is not True:
            flag(set_to_none, f"{type(self).__name__}.zero_grad's set_to_none")
        gradients = self._gradients
        if gradients is None or not gradients.memory.valid:
            self._gradients = gradients = arrays.gradients_of(self.params)
        if gradients is not None:
            gradients.zero()
            return
        for parameter in self.params:
            parameter.zero_grad()

    def step(self) -> None:
        """Update all parameters once, from their gradients.

        What `backward` has not reached since the last `zero_grad` is left as it is, as in PyTorch,
        with a warning; unless it has reached other parameters of the same array (of one name up to
        the index): their gradient is 0 then.

        Parameters of a compiled program are updated all at once. That gives the same numbers, to
        the bit in float64, but an operation that would raise, such as a division by 0, gives
        infinity or NaN.
        """
        steps = self._in_arrays()
        if steps is not None:
            try:
                if steps.has_all():
                    steps.step()
                    return
                if not steps.has_graphs():
                    self._warn_unreached(steps.look(self._active))
                    steps.step_some()
                    return
            except arrays.UntraceableError:
                self._one_by_one = type(self).rule
        self._states.take_back()
        self._step_one_by_one()

    def _in_arrays(self) -> ArraySteps | None:
        """Return how to update in arrays, None if no group is in arrays."""
        rule, steps = type(self).rule, self._array_steps
        if steps is None or not steps.is_valid(rule, len(self.param_groups), self._states):
            steps = None
            if rule is not self._one_by_one:
                steps = array_steps(rule, self.param_groups, self._states)
            self._array_steps = steps
        return steps

    def _step_one_by_one(self) -> None:
        params, state, rule, sqrt = self.params, self._states.listed, type(self).rule, math.sqrt
        active, missing = self._active()
        self._warn_unreached(missing)
        updates: list[tuple[Any, Any]] = []
        stop = 0
        for group in self.param_groups:
            stop += len(group["params"])
            settings = group.settings
            updates += [
                rule(params[i].data, float(params[i].grad), state[i], settings, sqrt)
                for i in active[len(updates) : bisect_left(active, stop)]
            ]
        for i, (data, remembered) in zip(active, updates, strict=True):
            params[i].data = data
            state[i] = remembered

    def __getstate__(self) -> dict[str, Any]:
        """Return what copies and pickles are made from: what they share no arrays for."""
        self._states.take_back()
        self._array_steps = self._gradients = None
        return vars(self)

    def _active(self) -> tuple[list[int], list[int]]:
        """Return the positions of the parameters to update, and of those without a gradient."""
        params = self.params
        reached = [i for i, parameter in enumerate(params) if parameter.reached]
        if len(reached) == len(params):
            return reached, []
        known = {self._array(i) for i in reached}
        others = [i for i in {*range(len(params))} - {*reached} if params[i].requires_grad]
        missing = sorted(i for i in others if self._array(i) not in known)
        return sorted([*reached, *(i for i in others if self._array(i) in known)]), missing

    def _array(self, position: int) -> Any:
        """Return what the parameters of one array have in common."""
        return self.params[position].label.partition("[")[0] or position

    def _warn_unreached(self, positions: Sequence[int]) -> None:
        if not positions:
            return
        label = self.params[positions[0]].label
        named = f"the parameter {label!r}" if label else "a parameter"
        others = " (and others)" if len(positions) > 1 else ""
        warn_slip(
            f"{type(self).__name__}.step() found no gradient for {named}{others}, which so stays as"
            " it is: between zero_grad() and step(), call loss.backward() on a loss that was"
            " computed from all parameters"
        )

    # -- saving and loading ---------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return settings and state as plain data, of PyTorch's structure.

        Returns
        -------
        dict
            ``optimizer``, the name of the class; ``param_groups``, the settings of each group, with
            the positions of its parameters as ``params``; ``state``, what is remembered about each
            parameter, by its position and under PyTorch's names. It survives JSON exactly.

        Examples
        --------
        >>> import nn
        >>> w = nn.Parameter(1.0)
        >>> optimizer = nn.optim.SGD([w], lr=0.5, momentum=0.9)
        >>> w.backward()
        >>> optimizer.step()
        >>> optimizer.state_dict()["state"]
        {0: {'momentum_buffer': 1.0}}
        """
        groups = []
        start = 0
        for group in self.param_groups:
            stop = start + len(group["params"])
            groups.append(
                {**{name: group[name] for name in self.defaults}, "params": [*range(start, stop)]}
            )
            start = stop
        return {
            "optimizer": type(self).__name__,
            "state": packed_state(self._states[:], self.state_names),
            "param_groups": groups,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over settings and state that `state_dict` returned, so that training goes on.

        Parameters
        ----------
        state_dict : mapping
            Of an optimiser of the same class, with as many parameters in each group.

        Raises
        ------
        TypeError, ValueError
            If it is of another class or another number of parameters, or damaged. Nothing is
            changed then.

        Examples
        --------
        >>> import nn
        >>> old, new = (nn.optim.Adam([nn.Parameter(1.0)], lr=lr) for lr in (0.1, 0.2))
        >>> new.load_state_dict(old.state_dict())
        >>> new
        Adam(1 parameter, lr=0.1, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0)
        """
        name = type(self).__name__
        sizes = [len(group["params"]) for group in self.param_groups]
        settings, state = load_state(
            name, state_dict, sizes, [*self.defaults], self.state_names, self.state_optional
        )
        groups = [
            ParamGroup(type(self), group["params"], loaded)
            for group, loaded in zip(self.param_groups, settings, strict=True)
        ]
        # Groups and lists stay the same objects, for those who hold them.
        for group, loaded_group in zip(self.param_groups, groups, strict=True):
            group.data = loaded_group.data
        self._states[:] = state


def interpolated(start: Any, end: Any, weight: float) -> Any:
    """Return start + weight · (end - start), exactly ``end`` for weight 1."""
    if weight < 0.5:
        return start + weight * (end - start)
    return end - (end - start) * (1.0 - weight)


def _pair(owner: str, betas: Any) -> tuple[float, float]:
    try:
        beta1, beta2 = betas
    except (TypeError, ValueError):
        raise TypeError(f"{owner} expected betas as a pair of numbers, got {betas!r}") from None
    return (
        checked_number(owner, "beta1", beta1, below=1.0),
        checked_number(owner, "beta2", beta2, below=1.0),
    )
