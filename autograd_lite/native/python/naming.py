"""What the numbers and functions of a recording are called in generated Python."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import count
from keyword import iskeyword, issoftkeyword
from typing import Any, NamedTuple
from unicodedata import normalize

from autograd_lite.native.python.expressions import helper_name, stated_name
from autograd_lite.native.tape import (
    DETACHED,
    LANE_MEAN,
    LANE_VARIANCE,
    PICK,
    Argument,
    Closure,
    Drawn,
    Parameter,
    Tape,
)
from autograd_lite.primitives import TABLE, is_stated

SPECIAL = (PICK, LANE_MEAN, LANE_VARIANCE)


def partial_names(operation: Any, name: str) -> set[str]:
    """Return what the partials of an operation are called, if it is called ``name``."""
    if operation in SPECIAL:
        return set()
    positions = range(1 if operation.variadic else operation.arity)
    return {helper_name(operation, name, position) for position in positions}


TAKEN = {
    *map(stated_name, TABLE.values()),
    *(x for one in TABLE.values() for x in partial_names(one, stated_name(one))),
    *(special.name for special in SPECIAL),
    *("backward", "detach", "expect", "forward", "inf", "lane_variance_dx", "nan", "picked"),
    *("saved", "seed", "shared", "parameters", "closures", "v", "d"),
}
"""Names that mean something in every generated text."""


class Given(NamedTuple):
    """What generated Python calls one thing that it is given.

    Attributes
    ----------
    name : str
    width : int or None
        How many numbers it has, in a list; None for a number without a list.
    """

    name: str
    width: int | None = None


class Entry(NamedTuple):
    """One thing that ``forward`` is given.

    Attributes
    ----------
    kind : type
        Of the leaves that it is for: `Argument`, `Parameter`, `Closure` or `Drawn`.
    position : int
        Of the argument, or of the draw.
    name : str
    width : int or None
        As in `Given`.
    nodes : list of int or None
        For each of its numbers the node, None for those that the recording does not use.
    """

    kind: type
    position: int
    name: str
    width: int | None
    nodes: list[int | None]


def identifier(label: str) -> str:
    """Return a label as a name of Python; "" if nothing is left of it.

    Examples
    --------
    >>> from autograd_lite.native.python.naming import identifier
    >>> identifier("layers.0.weight[2]"), identifier("2nd"), identifier("lambda")
    ('layers_0_weight_2', 'n2nd', 'lambda_')
    """
    name = re.sub(r"\W+", "_", normalize("NFKC", label)).strip("_")
    if name and not name.isidentifier():
        name = "n" + name
    if name.startswith(("d_", "p_")):  # adjoints and partials are called so
        name = "n" + name
    return name + "_" if iskeyword(name) or issoftkeyword(name) else name


class Names:
    """Gives every name once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)

    def unique(self, wanted: str) -> str:
        """Return the name that is wanted, with a number behind it if it is taken."""
        name = wanted
        if name in self.taken:
            name = next(x for i in count(2) if (x := f"{wanted}_{i}") not in self.taken)
        self.taken.add(name)
        return name

    def numbered(self, letter: str, numbers: Iterator[int]) -> str:
        """Return the next free name such as ``v3``."""
        name = next(x for i in numbers if (x := f"{letter}{i}") not in self.taken)
        self.taken.add(name)
        return name


def operation_names(tape: Tape) -> dict[Any, str]:
    """Return what each operation of a tape is called, the user's own primitives among them."""
    names = Names(TAKEN)
    found: dict[Any, str] = {}
    for operation in tape.operations.different:
        if operation is None:
            continue
        if operation in SPECIAL or operation is DETACHED or is_stated(operation):
            found[operation] = stated_name(operation)
        else:
            found[operation] = names.unique(identifier(operation.name) or "operation")
            names.taken.update(partial_names(operation, found[operation]))
    return found


def entries_of(tape: Tape, given: Sequence[Given] | None, names: Names) -> list[Entry]:
    """Return what ``forward`` is given: arguments, parameters, Values closed over, draws."""
    found: dict[tuple[type, int], dict[int, int]] = {}
    closures = 0
    for node, source in enumerate(tape.sources):
        if isinstance(source, Argument):
            found.setdefault((Argument, source.position), {})[source.column] = node
        elif isinstance(source, Parameter):
            found.setdefault((Parameter, 0), {})[source.position] = node
        elif isinstance(source, Closure):
            found.setdefault((Closure, 0), {})[closures] = node
            closures += 1
        elif isinstance(source, Drawn):
            found.setdefault((Drawn, source.draw), {})[source.column] = node
    if given is None:
        last = max((at for kind, at in found if kind is Argument), default=-1)
        given = [_guessed(tape, at, found.get((Argument, at), {})) for at in range(last + 1)]
    entries = []
    for at, one in enumerate(given):
        nodes = found.get((Argument, at), {})
        columns_of = [nodes.get(i) for i in range(1 if one.width is None else one.width)]
        name = names.unique(identifier(one.name) or f"x{at}")
        entries.append(Entry(Argument, at, name, one.width, columns_of))
    for kind, called in ((Parameter, "parameters"), (Closure, "closures")):
        nodes = found.get((kind, 0), {})
        if nodes:
            width = 1 + max(nodes)
            entries.append(Entry(kind, 0, called, width, [nodes.get(i) for i in range(width)]))
    for at, draw in enumerate(tape.draws):
        nodes = found.get((Drawn, at), {})
        columns_of = [nodes.get(i) for i in range(draw.size)]
        entries.append(Entry(Drawn, at, names.unique(f"drawn{at}"), draw.size, columns_of))
    return entries


def _guessed(tape: Tape, position: int, nodes: dict[int, int]) -> Given:
    """Return what an argument is called, from the labels of its numbers: ``x``, or ``x[0]``."""
    first = next(iter(nodes.values()), None)
    name, bracket, _ = (
        tape.names.get(first, "").partition("[") if first is not None else ("", "", "")
    )
    width = 1 + max(nodes, default=0)
    return Given(name or f"x{position}", width if bracket or width > 1 else None)


def derived(entries: Iterable[Entry], wanted: Collection[int]) -> list[Entry]:
    """Return the entries that ``backward`` differentiates with respect to."""
    return [
        entry
        for entry in entries
        if entry.kind is Parameter or (entry.kind is Argument and entry.position in wanted)
    ]


def number_names(
    tape: Tape, entries: Sequence[Entry], computed: Iterable[int], names: Names
) -> list[str]:
    """Return what the nodes that occur are called: the label if there is one, else x0, p0, v1, …"""
    leaves = {leaf for entry in entries for leaf in entry.nodes if leaf is not None}
    results = dict.fromkeys(computed)
    called = [""] * len(tape.sources)
    for entry in entries:
        if entry.width is None and entry.nodes[0] is not None:
            called[entry.nodes[0]] = entry.name
    for node, label in tape.names.items():
        wanted = identifier(label) if node in leaves or node in results else ""
        if wanted and not called[node]:
            called[node] = names.unique(wanted)
    letters: dict[type, str] = {Parameter: "p", Closure: "c"}
    for entry in entries:
        letter = letters.get(entry.kind, f"{entry.name}_")
        for column, leaf in enumerate(entry.nodes):
            if leaf is not None and not called[leaf]:
                called[leaf] = names.unique(f"{letter}{column}")
    numbers = count(1)
    for node in results:
        if not called[node]:
            called[node] = names.numbered("v", numbers)
    return called
