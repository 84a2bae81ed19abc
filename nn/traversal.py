"""How what is in a module is found: modules and parameters, also those in lists and dicts."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from nn.parameter import Parameter
from nn.state import Stateful

Found = tuple[int, str, tuple[Any, ...], Any]
"""Depth, path of the owning module, (attribute, position, …) in the owner, and what is there."""


class Tree(Stateful):
    """What holds parameters and others of its kind, as attributes."""

    def _walk(self) -> Iterator[Found]:
        """Yield every module and parameter below this one once, in the order of definition."""
        seen: set[int] = set()
        for found in self._walk_in_rows():
            depth, owner, keys, thing = found
            if isinstance(thing, Tree):
                yield found
                continue
            row = [(keys, thing)]
            if isinstance(thing, _CONTAINERS):
                row = [((*keys, key), element) for key, element in _pairs(thing)]
            for path, parameter in row:
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield depth, owner, path, parameter

    def _walk_in_rows(self, *, deep: bool = True, parameters: bool = True) -> Iterator[Found]:
        """Yield what `_walk` does, but a list, tuple or dict of parameters alone as it is.

        Parameters come as often as they are met. They are left out on request, and what modules
        below hold unless ``deep``.
        """
        seen: set[int] = {id(self)}
        followed = _followed(_FOLLOWED if parameters else _WITHOUT_PARAMETERS)
        stack = _members(self, 1, "", followed)
        while stack:
            found = stack.pop()
            depth, owner, keys, thing = found
            if isinstance(thing, _CONTAINERS):
                kinds = _kinds(thing)
                if not any(issubclass(kind, followed) for kind in kinds):
                    continue
                if all(issubclass(kind, Parameter) for kind in kinds):
                    yield found
                    continue
                stack += [
                    (depth, owner, (*keys, key), element)
                    for key, element in _pairs(thing)
                    if isinstance(element, followed)
                ][::-1]
            elif isinstance(thing, _SETS):
                if any(isinstance(element, followed) for element in thing):
                    raise TypeError(
                        f"{type(self).__name__} expected parameters and modules in lists, tuples,"
                        f" dicts or arrays, got a set in {path_of(owner, keys, thing)!r}, which has"
                        " no order"
                    )
            elif isinstance(thing, Parameter):
                yield found
            elif not isinstance(thing, Tree):  # an array, of objects perhaps
                held = thing.tolist() if thing.dtype.hasobject else None
                if isinstance(held, followed):
                    stack.append((depth, owner, keys, held))
            elif id(thing) not in seen:
                seen.add(id(thing))
                yield found
                if deep:
                    stack += _members(thing, depth + 1, path_of(owner, keys, thing), followed)


def elements_of(container: Any) -> Collection[Any]:
    """Return what is in a list, tuple or dict."""
    return container.values() if isinstance(container, dict) else container


def _pairs(container: Any) -> Iterable[tuple[Any, Any]]:
    """Return the keys or positions of what is in a list, tuple or dict, each with that."""
    return container.items() if isinstance(container, dict) else enumerate(container)


# Tuples, since a union of types would be built anew at each test.
_CONTAINERS = (list, tuple, dict)
_SETS = (set, frozenset)
_FOLLOWED: tuple[type, ...] = (Parameter, Tree, *_CONTAINERS, *_SETS)
_WITHOUT_PARAMETERS: tuple[type, ...] = (Tree, *_CONTAINERS, *_SETS)


def _followed(kinds: tuple[type, ...]) -> tuple[type, ...]:
    """Return the types to look at; arrays among them once somebody has imported NumPy."""
    array = getattr(sys.modules.get("numpy"), "ndarray", None)
    return kinds if array is None else (*kinds, array)


def _kinds(container: Any) -> set[type]:
    """Return the types of what is in a list, tuple or dict."""
    return set(map(type, elements_of(container)))


def _members(module: Tree, depth: int, path: str, followed: tuple[type, ...]) -> list[Found]:
    """Return a module's attributes that hold something, the first one last."""
    return [
        (depth, path, (name,), value)
        for name, value in vars(module).items()
        if isinstance(value, followed)
    ][::-1]


def name_in_owner(keys: tuple[Any, ...], thing: Any) -> str:
    """Return how the owner names what it holds: ``layers.0`` a module, ``w[2]`` a parameter."""
    if isinstance(thing, Tree):
        return ".".join(map(str, keys))
    attribute, *positions = keys
    return str(attribute) + "".join(f"[{position}]" for position in positions)


def path_of(owner: str, keys: tuple[Any, ...], thing: Any) -> str:
    """Return the whole name: the owner's, a dot, and that in the owner."""
    return f"{owner}.{name_in_owner(keys, thing)}" if owner else name_in_owner(keys, thing)
