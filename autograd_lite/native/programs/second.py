"""Second derivatives as functions that can be recorded; those in labels are 0."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import repeat
from typing import Any

from autograd_lite.transforms import hessian, hvp
from autograd_lite.trees import shaped_like


def hessian_of(function: Callable[..., Any], labels: Collection[int]) -> Callable[..., Any]:
    """Return the function that computes the Hessian in all arguments.

    ``labels`` are the positions of arguments that are labels, which nothing can be differentiated
    with respect to.
    """

    def computed(*args: Any) -> Any:
        if len(args) == 1 and not labels:
            return hessian(function)(*args)
        chosen, inner = _without(function, args, labels)
        rows = hessian(inner, tuple(range(len(chosen))))(*(args[i] for i in chosen))
        place = {position: i for i, position in enumerate(chosen)}
        blocks = tuple(
            tuple(
                rows[place[i]][place[j]] if i in place and j in place else _zeros(args[i], args[j])
                for j in range(len(args))
            )
            for i in range(len(args))
        )
        return blocks[0][0] if len(args) == 1 else blocks

    return computed


def hvp_of(
    function: Callable[..., Any], number: int, labels: Collection[int]
) -> Callable[..., Any]:
    """Return the function of ``number`` arguments, and as many directions, that gives products."""

    def computed(*both: Any) -> Any:
        args, directions = both[:number], both[number:]
        chosen, inner = _without(function, args, labels)
        given = tuple(args[i] for i in chosen)
        found = hvp(inner, given, tuple(directions[i] for i in chosen)) if chosen else ()
        products = iter((found,) if len(chosen) == 1 else found)
        parts = tuple(
            next(products) if i in chosen else shaped_like(x, repeat(0.0))
            for i, x in enumerate(args)
        )
        return parts[0] if number == 1 else parts

    return computed


def _without(
    function: Callable[..., Any], args: Sequence[Any], labels: Collection[int]
) -> tuple[list[int], Callable[..., Any]]:
    """Return the positions of what is no label, and the function of these arguments alone."""
    chosen = [i for i in range(len(args)) if i not in labels]

    def inner(*some: Any) -> Any:
        everything = list(args)
        for position, argument in zip(chosen, some, strict=True):
            everything[position] = argument
        return function(*everything)

    return chosen, inner


def _zeros(rows: Any, columns: Any) -> Any:
    """Return the block of two arguments that do not interact."""
    return shaped_like(rows, (shaped_like(columns, repeat(0.0)) for _ in repeat(None)))
