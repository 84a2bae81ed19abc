"""What a function uses beside its arguments: names outside of it, and random numbers."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

from autograd_lite.native.tape import Watch
from autograd_lite.native.tracing.refusals import RecordingError

_OURS = ("autograd_lite", "nn")
_MISSING = object()


def same(now: Any, found: Any) -> bool:
    """Tell whether what a recording holds for is still as it was found.

    Plain numbers, text, booleans, None and tuples of them are compared (-0.0 is another than 0.0,
    NaN the same as NaN); of everything else it has to be the same object.

    Examples
    --------
    >>> from autograd_lite.native.tracing.surroundings import same
    >>> same(0.5, 1.0 / 2.0), same(0.5, 0.1), same([], [])
    (True, False, False)
    """
    if now is found:
        return True
    if type(now) is not type(found):
        return False
    if isinstance(found, float):
        return repr(now) == repr(found)
    if isinstance(found, int | str | bytes):
        return bool(now == found)
    if isinstance(found, tuple) and len(now) == len(found):
        return all(map(same, now, found))
    return False


def watches_of(function: Callable[..., Any]) -> list[Watch]:
    """Return what the names outside of a function stand for: of its closure, and of its module.

    Functions in its closure, and those of its module that it names, are looked into as well.
    """
    return [Watch(get, get()) for get in _outside(function)]


class Randomness:
    """The state of the random numbers that a function could draw."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._states = {"Python's random": random.getstate}
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            self._states["NumPy's random"] = partial(_numpy_state, numpy.random)
        for get in _outside(function):
            source = get()
            if isinstance(source, random.Random):
                self._states[f"a random.Random ({id(source):#x})"] = source.getstate
        self._before = {name: state() for name, state in self._states.items()}

    def refuse_changes(self) -> None:
        """Raise if numbers were drawn meanwhile."""
        for name, state in self._states.items():
            if state() != self._before[name]:
                raise RecordingError(
                    f"the function drew numbers from {name.partition(' (')[0]} while it was being"
                    " recorded, which would freeze them into the program: use nn.Dropout, or"
                    " autograd_lite.lanes.fresh, which draws anew at every call"
                )


def _numpy_state(module: Any) -> tuple[Any, ...]:
    name, key, *rest = module.get_state()
    return (name, key.tobytes(), *rest)


def _outside(function: Callable[..., Any]) -> Iterator[Callable[[], Any]]:
    """Yield what reads each name outside of a function."""
    waiting: list[Any] = [function]
    seen: set[int] = set()
    while waiting:
        given = waiting.pop()
        while isinstance(given, partial | MethodType):
            given = given.func if isinstance(given, partial) else given.__func__
        if not isinstance(given, FunctionType):
            given = vars(type(given)).get("__call__")
        if not isinstance(given, FunctionType) or id(given) in seen:
            continue
        seen.add(id(given))
        if given.__defaults__ or given.__kwdefaults__:
            yield partial(_defaults, given)
        for cell in given.__closure__ or ():
            yield partial(_contents, cell)
            inside = _contents(cell)
            if isinstance(inside, FunctionType | MethodType | partial):
                waiting.append(inside)
        names = given.__globals__
        if str(names.get("__name__")).partition(".")[0] in _OURS:
            continue  # they document what they use, by `lanes.depends`
        for name in sorted(_globals_named(given.__code__)):
            if name in names:
                yield partial(names.get, name, _MISSING)
                found = names[name]
                if isinstance(found, FunctionType) and found.__globals__ is names:
                    waiting.append(found)


def _defaults(function: FunctionType) -> tuple[Any, ...]:
    return (function.__defaults__, *(function.__kwdefaults__ or {}).values())


def _contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet, or deleted
        return _MISSING


def _globals_named(code: CodeType) -> set[str]:
    """Return the names of its module that code uses, that of functions inside of it included."""
    from dis import get_instructions

    found = {x.argval for x in get_instructions(code) if x.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _globals_named(constant)
    return found
