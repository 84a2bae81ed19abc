"""What a recording consists of, and what its plan made of it, as text of 80 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from textwrap import wrap
from typing import Any, NamedTuple

from autograd_lite.native.order import fixed, observed, used
from autograd_lite.native.programs.capacity import size_of
from autograd_lite.native.tape import (
    LANE_MEAN,
    LANE_VARIANCE,
    Argument,
    Closure,
    Constant,
    Drawn,
    Guard,
    Parameter,
    Tape,
)
from autograd_lite.primitives import counted

WIDTH = 80
_TITLES = 16  # letters before what is told
_GUARDS = 4  # that are written out
_LEAVES: dict[type, str] = {
    Argument: "number of arguments",
    Parameter: "parameter",
    Closure: "Value closed over",
    Constant: "constant",
    Drawn: "number drawn",
}


class Facts(NamedTuple):
    """What is known of a native plan.

    Attributes
    ----------
    products : tuple of (m, n, columns)
        The matrix products that were found: m rows of weights times columns of n numbers.
    uniform_rows, lane_rows : int
        How many numbers are kept once, and how many for each lane.
    itemsize : int
        Bytes of a number.
    through_python : tuple of str
        The names of operations that have no kernel.
    """

    products: tuple[tuple[int, int, int], ...]
    uniform_rows: int
    lane_rows: int
    itemsize: int = 8
    through_python: tuple[str, ...] = ()


def summary(
    tape: Tape,
    facts: Facts | None = None,
    *,
    varying: Collection[int] = (),
    lanes: int | None = None,
) -> str:
    """Return a summary of a recording.

    Parameters
    ----------
    tape : Tape
    facts : Facts, optional
        Of its native plan. Without them it runs as generated Python.
    varying : collection of int
        The positions of arguments that differ between lanes.
    lanes : int, optional
        A number of lanes to tell the memory for.

    Returns
    -------
    str
        Lines of at most 80 letters, without a line end after the last.

    Examples
    --------
    >>> from autograd_lite.native.tracing.recording import record
    >>> from autograd_lite.native.programs.summary import Facts, summary
    >>> tape = record(lambda x, y: (x * y).sin() + x**2, (2.0, 3.0))
    >>> print(summary(tape, Facts((), 1, 6), varying={0, 1}, lanes=1000))
    4 operations in 3 levels, 1 output
    operations      *, **, +, sin
    leaves          2 numbers of arguments, 1 constant
    without lanes   no operation
    memory          16 B and 96 B per lane; 93.8 KiB for 1000 lanes
    runs            as native kernels
    """
    known = fixed(tape)
    needed = used(tape, observed(tape))
    live = [node for node in range(len(tape.sources)) if needed[node]]
    computed = [x for x in live if tape.operations[x] is not None and x not in known]
    operations = Counter(tape.operations[node].name for node in computed)
    leaves = Counter(type(tape.sources[x]) for x in live if tape.sources[x] is not None)
    rows = [("operations", _listed(_times(name, n) for name, n in _sorted(operations)) or "none")]
    rows.append(("leaves", _listed(_counted(leaves[kind], noun) for kind, noun in _LEAVES.items())))
    if tape.guards:
        rows.append(("guards", _guards(tape)))
    if tape.draws:
        rows.append(("draws", _listed(_drawn(draw.size) for draw in tape.draws)))
    if tape.effects:
        rows.append(("effects", f"{counted(len(tape.effects), 'function')} called after each run"))
    if varying:
        varies = _varies(tape, varying)
        once = [node for node in computed if not varies[node]]
        rows.append(("without lanes", counted(len(once), "operation") if once else "no operation"))
    if facts is None:
        rows.append(("runs", "as generated Python"))
    else:
        rows += _native(facts, lanes)
    head = (
        f"{counted(len(computed), 'operation')} in {counted(_levels(tape, computed), 'level')},"
        f" {counted(len(tape.outputs), 'output')}"
    )
    return "\n".join([head, *(line for row in rows for line in _row(*row))])


def _native(facts: Facts, lanes: int | None) -> list[tuple[str, str]]:
    """Return what there is to tell of a native plan."""
    rows = []
    if facts.products:
        shapes = Counter(facts.products)
        texts = [
            _times(f"({m} x {n})({n}{f' x {t}' if t > 1 else ''})", count)
            for (m, n, t), count in shapes.items()
        ]
        rows.append(("products", _listed(texts)))
    once, each = (2 * facts.itemsize * x for x in (facts.uniform_rows, facts.lane_rows))
    memory = size_of(once)
    if each:
        memory += f" and {size_of(each)} per lane"
        if lanes is not None:
            memory += f"; {size_of(once + lanes * each)} for {counted(lanes, 'lane')}"
    rows.append(("memory", memory))
    how = "as native kernels"
    if facts.through_python:
        how += f"; through Python: {_listed(sorted(facts.through_python))}"
    return [*rows, ("runs", how)]


def _levels(tape: Tape, computed: Iterable[int]) -> int:
    """Return the operations on the longest way from a leaf to a result."""
    level = [0] * len(tape.sources)
    for node in computed:
        level[node] = 1 + max(level[operand] for operand in tape.operands[node])
    return max(level, default=0)


def _varies(tape: Tape, varying: Collection[int]) -> list[bool]:
    """Tell of every node whether its number differs between lanes."""
    found: list[bool] = []
    for node, source in enumerate(tape.sources):
        if source is None:
            joins = tape.operations[node] in (LANE_MEAN, LANE_VARIANCE)
            found.append(not joins and any(found[x] for x in tape.operands[node]))
        elif isinstance(source, Argument):
            found.append(source.position in varying)
        else:
            found.append(isinstance(source, Drawn))
    return found


def _guards(tape: Tape) -> str:
    """Return how many guards there are, and the first of them."""
    texts = [_asked(tape, guard) for guard in tape.guards[:_GUARDS]]
    more = len(tape.guards) - len(texts)
    return f"{len(tape.guards)}: {_listed(texts)}{f', and {more} more' if more else ''}"


def _asked(tape: Tape, guard: Guard) -> str:
    a, b = _called(tape, guard.a), _called(tape, guard.b)
    if guard.test == "truth":
        return f"{a} is {'not ' * guard.answer}0"
    if guard.test == "index":
        return f"{a} is {guard.answer}"
    return f"{'' if guard.answer else 'not '}{a} {guard.test} {b}"


def _called(tape: Tape, node: int) -> str:
    """Return what a message calls a node."""
    source, operation = tape.sources[node], tape.operations[node]
    if isinstance(source, Constant):
        return f"{source.number:g}"
    if node in tape.names:
        return tape.names[node]
    return f"a result of {operation.name}" if operation is not None else "a number"


def _sorted(counts: Counter[str]) -> list[tuple[str, int]]:
    """Return the most frequent first, equally frequent ones by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _times(name: str, count: int) -> str:
    return name if count == 1 else f"{name} {count}x"


def _drawn(size: int) -> str:
    return f"{counted(size, 'number')} per lane"


def _counted(number_of: int, noun: str) -> str:
    """Return "2 numbers of arguments", "" for none."""
    if not number_of:
        return ""
    first, *rest = noun.split(" ", 1)
    return " ".join([counted(number_of, first), *rest])


def _listed(texts: Iterable[Any]) -> str:
    return ", ".join(text for text in texts if text)


def _row(title: str, text: str) -> list[str]:
    lines = wrap(text, WIDTH - _TITLES, break_on_hyphens=False)
    return [f"{title if i == 0 else '':{_TITLES}}{line}".rstrip() for i, line in enumerate(lines)]
