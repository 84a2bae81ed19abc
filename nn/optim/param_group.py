"""Parameter groups: parameters and the settings that an optimiser updates them with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from reprlib import repr as shortened
from typing import Any, Protocol

from autograd_lite import Value


def checked_parameters(owner: str, params: Any) -> list[Value]:
    """Return the parameters as a list, or say what is wrong with them."""
    if isinstance(params, Value) or not isinstance(params, Iterable):
        raise TypeError(
            f"{owner} expected a list of parameters, as from model.parameters(), got"
            f" {type(params).__name__}"
        )
    if isinstance(params, set | frozenset):
        raise TypeError(f"{owner} expected a list of parameters, got a set, which has no order")
    given = list(params)
    if not given:
        raise ValueError(f"{owner} expected at least one parameter, got an empty list")
    seen: dict[int, int] = {}
    for position, parameter in enumerate(given):
        if not isinstance(parameter, Value):
            raise TypeError(
                f"{owner} expected Values as parameters, got {type(parameter).__name__} at"
                f" position {position}: {shortened(parameter)}"
            )
        if parameter.op:
            raise ValueError(
                f"{owner} expected leaves as parameters, got the result of {parameter.op!r} at"
                f" position {position}"
            )
        if seen.setdefault(id(parameter), position) != position:
            raise ValueError(
                f"{owner} expected every parameter once, got the same one at positions"
                f" {seen[id(parameter)]} and {position}"
            )
    return given


class Checks(Protocol):
    """What a group needs of the class of its optimiser."""

    @classmethod
    def check_setting(cls, name: str, given: Any) -> Any:
        """Return a setting as the update rule needs it, or raise what is wrong with it."""

    @classmethod
    def check_settings(cls, settings: Mapping[str, Any]) -> None:
        """Raise what is wrong with settings that are right one by one."""


class ParamGroup(MutableMapping[str, Any]):
    """Parameters with their settings, used like PyTorch's dicts: ``group["lr"] = 0.01``.

    A setting is checked when it is assigned. The names and the parameters stay as they are.

    Parameters
    ----------
    optimizer : class
        The class of the optimiser, which says what settings there are.
    params : list of Value
    settings : mapping
        All settings, in the order of the optimiser's arguments.

    Raises
    ------
    TypeError, ValueError
        If a setting is not what the optimiser can work with.

    Examples
    --------
    >>> import nn
    >>> layer = nn.Linear(2, 1)
    >>> group = nn.optim.SGD(layer.parameters(), lr=0.1).param_groups[0]
    >>> group["lr"] /= 10
    >>> group
    ParamGroup(3 parameters, lr=0.01, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False)
    >>> group["lr"] = -1
    Traceback (most recent call last):
        ...
    ValueError: SGD expected a finite lr >= 0, got -1
    """

    def __init__(
        self, optimizer: type[Checks], params: list[Value], settings: Mapping[str, Any]
    ) -> None:
        self._optimizer = optimizer
        checked = {name: optimizer.check_setting(name, given) for name, given in settings.items()}
        optimizer.check_settings(checked)
        self.data: dict[str, Any] = {"params": params, **checked}

    @property
    def settings(self) -> tuple[Any, ...]:
        """The settings without their names, as update rules take them."""
        _, *settings = self.data.values()
        return tuple(settings)

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __setitem__(self, name: str, given: Any) -> None:
        optimizer = self._optimizer
        if name == "params":
            raise ValueError(
                f"{optimizer.__name__} keeps the parameters of a group; use add_param_group for"
                " others"
            )
        refuse_unknown(optimizer.__name__, [name], [key for key in self.data if key != "params"])
        changed = {**self.data, name: optimizer.check_setting(name, given)}
        optimizer.check_settings(changed)
        self.data = changed

    def __delitem__(self, name: str) -> None:
        raise ValueError(f"{self._optimizer.__name__} needs {name!r} in each group; it stays")

    def __repr__(self) -> str:
        return f"ParamGroup({self.description()})"

    def description(self) -> str:
        """Return the number of parameters and the settings in one line."""
        count = len(self["params"])
        settings = [
            f"{name}={shortened(value)}" for name, value in self.items() if name != "params"
        ]
        return ", ".join([f"{count} parameter{'' if count == 1 else 's'}", *settings])


def refuse_unknown(owner: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Say which settings there are, if one is given that there is not."""
    known = list(known)
    for name in given:
        if name not in known:
            raise ValueError(f"{owner} has no setting {name!r}; it has {', '.join(known)}")
