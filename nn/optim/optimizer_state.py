"""An optimiser's state as plain data: packed under names, and checked when it comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from reprlib import repr as shortened
from typing import Any


def packed_state(state: Sequence[Any], names: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Return what is remembered, by position and name, without what is not there."""
    return {
        position: {
            name: part for name, part in zip(names, remembered, strict=True) if part is not None
        }
        for position, remembered in enumerate(state)
        if remembered is not None
    }


def load_state(
    owner: str,
    given: Any,
    sizes: Sequence[int],
    settings: Sequence[str],
    names: Sequence[str],
    optional: frozenset[str],
) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return the settings of each group and the state of each parameter, or say what is wrong."""
    if not isinstance(given, Mapping):
        raise TypeError(f"{owner} expected a state_dict, got {type(given).__name__}")
    missing = [key for key in ("optimizer", "state", "param_groups") if key not in given]
    if missing:
        raise ValueError(
            f"{owner} expected a state_dict of an optimiser, got one without {missing[0]!r}"
        )
    if given["optimizer"] != owner:
        raise ValueError(f"{owner} expected the state of {owner}, got that of {given['optimizer']}")
    groups = given["param_groups"]
    if not isinstance(groups, list | tuple) or not all(isinstance(g, Mapping) for g in groups):
        raise TypeError(
            f"{owner} expected param_groups as a list of dicts, got {shortened(groups)}"
        )
    if len(groups) != len(sizes):
        raise ValueError(
            f"{owner} expected the state of {len(sizes)} parameter groups, got that of"
            f" {len(groups)}"
        )
    start = 0
    for number, (group, size) in enumerate(zip(groups, sizes, strict=True)):
        for key in ("params", *settings):
            if key not in group:
                raise ValueError(f"{owner} expected {key!r} in group {number}, got none")
        positions = group["params"]
        if not isinstance(positions, list | tuple) or len(positions) != size:
            count = len(positions) if isinstance(positions, list | tuple) else repr(positions)
            raise ValueError(
                f"{owner} expected the state of {size} parameters in group {number}, got that of"
                f" {count}"
            )
        if list(positions) != [*range(start, start + size)]:
            raise ValueError(
                f"{owner} expected the parameters of group {number} at positions {start} to"
                f" {start + size - 1}, got {shortened(list(positions))}"
            )
        start += size
    loaded: list[Any] = [None] * start
    if not isinstance(given["state"], Mapping):
        raise TypeError(f"{owner} expected state as a dict, got {type(given['state']).__name__}")
    for key, parts in given["state"].items():
        position = _position(owner, key, start)
        loaded[position] = _remembered(owner, position, parts, names, optional)
    return [{name: group[name] for name in settings} for group in groups], loaded


def _position(owner: str, key: Any, count: int) -> int:
    """Return a parameter's position, which JSON turns into text."""
    position = int(key) if isinstance(key, str) and key.isdecimal() else key
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < count:
        raise ValueError(f"{owner} expected state of parameters 0 to {count - 1}, got {key!r}")
    return position


def _remembered(
    owner: str, position: int, parts: Any, names: Sequence[str], optional: frozenset[str]
) -> tuple[Any, ...]:
    """Return the state of one parameter as its rule keeps it."""
    where = f"in the state of parameter {position}"
    given = set(parts) if isinstance(parts, Mapping) else set()
    if not set(names) - optional <= given <= set(names):
        raise ValueError(f"{owner} expected {' and '.join(names)} {where}, got {shortened(parts)}")
    for name, part in parts.items():
        kind = int if name == "step" else float
        if type(part) is not kind or (kind is int and part < 0):
            wanted = "a count" if kind is int else "a float"
            raise ValueError(f"{owner} expected {wanted} as {name} {where}, got {shortened(part)}")
    return tuple(parts.get(name) for name in names)
