"""The tape: what a function did, operation by operation, once it was recorded. It never changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from autograd_lite.native.columns import Operands, Operations
from autograd_lite.primitives.core import Primitive

# -- where the numbers of leaves come from --------------------------------------------------------


class Argument(NamedTuple):
    """A number of an argument: which argument, and which of its numbers from left to right."""

    position: int
    column: int
    whole: bool = False  # whether it is a whole number, which can be a label


class Parameter(NamedTuple):
    """A number that is learned, by its position in the list of parameters."""

    position: int


class Closure(NamedTuple):
    """A Value that the function uses without having been given it; read at every call."""

    value: Any


class Constant(NamedTuple):
    """A number that is always the same."""

    number: float


class Drawn(NamedTuple):
    """A number that is drawn anew at every call: which of the draws, and which of its numbers."""

    draw: int
    column: int


Source = Argument | Parameter | Closure | Constant | Drawn


# -- operations that only programs have ------------------------------------------------------------

DETACHED = Primitive("detach", lambda x: x, [lambda x, y: 0.0])
"""The same number, through which no gradient flows."""


class Special:
    """An operation that the table of primitives does not have, since it is about lanes."""

    def __init__(self, name: str, doc: str) -> None:
        self.name = name
        self.__doc__ = doc

    def __repr__(self) -> str:
        return f"<{self.name}>"


PICK = Special("pick", "pick(label, x0, x1, …) is x[label]. The label is a leaf.")
LANE_MEAN = Special("lane_mean", "The mean of one number over all lanes: a number without lanes.")
LANE_VARIANCE = Special("lane_variance", "The (biased) variance of one number over all lanes.")


# -- what else happened ----------------------------------------------------------------------------


class Guard(NamedTuple):
    """A question that the function asked about its numbers, and the answer that it got.

    ``test`` is "<", "<=", ">" or ">=" between the nodes ``a`` and ``b``, "truth" (``a`` is not 0)
    or "index" (``a`` is this whole number).
    """

    test: str
    a: int
    b: int
    answer: bool | int


class Draw(NamedTuple):
    """Numbers that are drawn anew at every call: ``function(lanes, size)`` gives rows of them."""

    function: Callable[[int, int], Any]
    size: int


class Effect(NamedTuple):
    """A function to call with the numbers of some nodes after every call (a float each)."""

    function: Callable[..., None]
    nodes: tuple[int, ...]


class Watch(NamedTuple):
    """Something outside that the recording holds for, and what it was."""

    get: Callable[[], Any]
    found: Any


class Tape(NamedTuple):
    """One recording. Nodes are numbered from 0, operands before results.

    Attributes
    ----------
    sources : list of Source or None
        Of every node, where its number comes from; None for the result of an operation.
    operations : Operations
        Of every node, its `Primitive`, `Variadic` or `Special`; None for a leaf.
    operands : Operands
        Of every node, the operands in order, duplicates kept; () for a leaf.
    flows : list of bool
        Of every node, whether gradients flow through it, as far as it goes (not those recorded
        under `no_grad`, or `DETACHED`).
    names : dict
        Labels of nodes that have one.
    outputs : tuple of int
        The nodes that the function returned, from left to right.
    result : object
        What it returned, with 0, 1, … in place of the outputs: nested lists, or 0 alone.
    guards : tuple of Guard
        In the order in which they were asked.
    draws, effects, watches : tuples
    """

    sources: list[Source | None]
    operations: Operations
    operands: Operands
    flows: list[bool]
    names: dict[int, str]
    outputs: tuple[int, ...]
    result: Any
    guards: tuple[Guard, ...] = ()
    draws: tuple[Draw, ...] = ()
    effects: tuple[Effect, ...] = ()
    watches: tuple[Watch, ...] = ()

    @property
    def leaves(self) -> Iterator[Source]:
        """The sources of all leaves."""
        return filter(None, self.sources)
