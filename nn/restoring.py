"""Putting a model back as it was: for what only tries something with it."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from autograd_lite import Value
from nn.gradients import gradients_restored
from nn.module import Module


@contextmanager
def restored(model: Module, others: Iterable[Value] = ()) -> Iterator[None]:
    """Put back, after the block, whatever steps and calls change in a model, to the bit.

    That is the data, gradients and labels of its parameters, and the attributes of its modules:
    buffers, modes, random generators, names.

    Parameters
    ----------
    model : Module
    others : iterable of Value, optional
        Parameters that are not the model's, to be put back as well.

    Examples
    --------
    >>> import nn
    >>> from nn.restoring import restored
    >>> model = nn.Linear(1, 1, init="zeros")
    >>> with restored(model):
    ...     model.weight[0][0].data = 7.0
    ...     model.eval().training
    False
    >>> model.weight[0][0].data, model.training
    (0.0, True)
    """
    parameters = list({id(p): p for p in (*model.parameters(), *others)}.values())
    numbers = [(p, p.data, p.label) for p in parameters]
    with gradients_restored(parameters):
        try:
            with attributes_restored(model):
                yield
        finally:
            for parameter, data, label in numbers:
                parameter.data = data
                parameter.label = label


@contextmanager
def attributes_restored(model: Module) -> Iterator[None]:
    """Put back, after the block, the attributes of a model's modules, but not its parameters.

    Examples
    --------
    >>> import nn
    >>> from nn.restoring import attributes_restored
    >>> norm = nn.BatchNorm1d(1)
    >>> with attributes_restored(norm):
    ...     _ = norm([[1.0], [3.0]])
    >>> norm.running_mean
    [0.0]
    """
    undo = _kept(model)
    try:
        yield
    finally:
        for put_back in undo:
            put_back()


_CHANGEABLE = (dict, list, tuple, random.Random)


def _kept(model: Module) -> list[Callable[[], None]]:
    """Return what puts back the attributes of all modules, in the containers they are in now."""
    undo: list[Callable[[], None]] = []
    seen: set[int] = set()
    stack: list[Any] = [vars(module) for module in model.modules()]
    while stack:
        thing = stack.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, dict):
            undo.append(_refill(thing, dict(thing)))
            stack += _changeable(thing.values())
        elif isinstance(thing, list):
            undo.append(_refill_list(thing, list(thing)))
            stack += _changeable(thing)
        elif isinstance(thing, tuple):
            stack += _changeable(thing)
        elif isinstance(thing, random.Random):
            undo.append(_rewind(thing, thing.getstate()))
    return undo


def _changeable(members: Collection[Any]) -> list[Any]:
    """Return those that can be changed in place."""
    if not any(issubclass(kind, _CHANGEABLE) for kind in {*map(type, members)}):
        return []  # a long list of parameters, perhaps
    return [x for x in members if isinstance(x, _CHANGEABLE)]


def _refill(members: dict[Any, Any], kept: dict[Any, Any]) -> Callable[[], None]:
    def put_back() -> None:
        members.clear()
        members.update(kept)

    return put_back


def _refill_list(members: list[Any], kept: list[Any]) -> Callable[[], None]:
    def put_back() -> None:
        members[:] = kept

    return put_back


def _rewind(source: random.Random, state: Any) -> Callable[[], None]:
    return lambda: source.setstate(state)
