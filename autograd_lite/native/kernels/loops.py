"""The text of kernels of the primitives with one, two or three operands.

Kernels are written as text, since the number of operands differs, and loops over them are slow. By
name they call ``value`` or ``partial_a``, ``partial_b``, ``partial_c``; where there are quicker
formulas that do not hold for all operands, ``quick_value`` and so on, and ``holds``, which tells
whether they do. A lane's result never depends on what other lanes of its row hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from autograd_lite.native.kernels.blocks import BLOCK
from autograd_lite.native.kernels.intrinsics import WIDTH

LETTERS = "abc"
PARTS = ("value", "partial_a", "partial_b", "partial_c")
_HEAD = "def kernel(v, g, u, gu, index, labels, first, start, stop, lanes):"


class Outline(NamedTuple):
    """What a kernel is written from.

    Attributes
    ----------
    arity : int
    forward : bool
    mask, sole : sequences of bool
        Of every operand, whether its adjoint is needed, and whether it is written, not added to.
    quick : collection of str
        The names of the formulas that have a quicker one.
    in_one : bool
        Whether lanes are gone through once for all results, whose formulas then share what they
        compute.
    keeps : bool
        Whether the way forward keeps partials, of one operand, for the way back.
    """

    arity: int
    forward: bool
    mask: Sequence[bool]
    sole: Sequence[bool]
    quick: Collection[str]
    in_one: bool
    keeps: bool

    @property
    def letters(self) -> str:
        """A letter for every operand."""
        return LETTERS[: self.arity]

    @property
    def results(self) -> list[str]:
        """The names of the formulas that are evaluated."""
        if self.forward:
            return ["value", "partial_a"] if self.keeps else ["value"]
        return [name for name, needed in zip(PARTS[1:], self.mask, strict=False) if needed]

    @property
    def rows(self) -> str:
        """The range of rows, the last first when going backward."""
        return "start, stop" if self.forward else "stop - 1, start - 1, -1"


def over_points(outline: Outline) -> Iterator[str]:
    """Write a kernel for numbers, one row after the other."""
    letters = outline.letters
    operands = ", ".join(f"float64(v[{x}])" for x in letters)
    given = operands if outline.forward else f"{operands}, float64(v[y])"
    yield _HEAD
    yield f"    for y in range({outline.rows}):"
    yield f"        at = first + {outline.arity} * (y - start)"
    for i, x in enumerate(letters):
        yield f"        {x} = int64(index[at + {i}])"
    for name in outline.results:
        found = f"{name}({given})"
        if name in outline.quick:
            found = f"quick_{found} if holds({operands}) else {found}"
        if outline.forward:
            yield f"        v[y] = T({found})"
        else:
            yield f"        g[{name[-1]}] += T(float64(g[y]) * ({found}))"


def over_lanes(outline: Outline) -> Iterator[str]:
    """Write a kernel for rows of lanes, one row after the other.

    Where there are quicker formulas, all rows are gone through with these; then, if they did not
    hold everywhere, again for the lanes in which they did not. Until then these have a wrong
    number, and nothing is added to an adjoint. Partials that are kept have the rows behind those of
    the run.
    """
    letters, forward = outline.letters, outline.forward
    operands = ", ".join(f"read(v, {x} + lane)" for x in letters)
    holds = f"holds({operands})"

    def found(name: str, how: str = "") -> str:
        if name == "value":
            return f"{how}value({operands})"
        if forward:
            return f"{how}{name}({operands}, {how}value({operands}))"
        if outline.keeps:
            return "read(g, adjoint + lane) * read(v, kept + lane)"
        return f"read(g, adjoint + lane) * {how}{name}({operands}, read(v, y + lane))"

    def writes(name: str) -> bool:
        return forward or outline.sole[letters.index(name[-1])]

    def result(name: str, number: str) -> str:
        if forward:
            return f"write(v, {'y' if name == 'value' else 'kept'} + lane, T({number}))"
        how = "write" if writes(name) else "accumulate"
        return f"{how}(g, {name[-1]} + lane, T({number}))"

    def rows() -> Iterator[str]:
        yield f"    for row in range({outline.rows}):"
        yield f"        at = first + {outline.arity} * (row - start)"
        yield "        y = row * lanes"
        if not forward:
            yield "        adjoint = int64(index[row]) * lanes"
        for i, x in enumerate(letters):
            yield f"        {x} = int64(index[at + {i}]) * lanes"
        if outline.keeps:
            yield "        kept = (row + stop - start) * lanes"

    yield _HEAD
    if outline.quick:
        yield "    missing = False"
    yield from rows()
    if outline.quick:
        yield "        far = False"  # of this row: so no row waits for the one before
    for i, name in enumerate(outline.results):
        if i == 0 or not outline.in_one:
            yield "        for lane in range(lanes):"
        if i == 0 and outline.quick:
            yield f"            far |= not {holds}"
        number = found(name)
        if name in outline.quick:
            number = found(name, "quick_")
            if not writes(name):
                number += f" if {holds} else 0.0"
        yield f"            {result(name, number)}"
    if not outline.quick:
        return
    yield "        missing |= far"
    yield "    if missing:"
    for line in rows():
        yield f"    {line}"
    yield "            for lane in range(lanes):"
    yield f"                if not {holds}:"
    for name in outline.quick:
        yield f"                    {result(name, found(name))}"


def side_by_side(outline: Outline) -> Iterator[str]:
    """Write a kernel for numbers: some rows at a time, operands brought side by side first.

    The last rows of a run are computed several times, rather than one by one.
    """
    letters, forward = outline.letters, outline.forward
    operands = ", ".join(f"operand_{x}[i]" for x in letters)
    kept = [f"operand_{x}" for x in letters] + ([] if forward else ["result", "adjoint"])
    yield _HEAD
    for name in [*kept, "found"]:
        yield f"    {name} = block(1)"
    yield f"    for begin in range(start, stop, {BLOCK}):"
    yield f"        width = min(stop - begin, {BLOCK})"
    yield f"        padded = (width + {WIDTH - 1}) // {WIDTH} * {WIDTH}"
    yield f"        at = first + {outline.arity} * (begin - start)"
    yield "        last = width - 1"
    yield f"        for i in range(0, padded, {WIDTH}):"
    for slot, x in enumerate(letters):
        yield f"            gather(operand_{x}, i, v, index, at + {slot}, {outline.arity}, last)"
    if not forward:
        yield "            take(result, i, v, begin, last)"
        yield "            take(adjoint, i, g, begin, last)"
    for name in outline.results:
        given = operands if forward else f"{operands}, result[i]"
        times = "" if forward else "adjoint[i] * "
        if name in outline.quick:
            yield "        missing = False"
            yield "        for i in range(padded):"
            yield f"            missing |= not holds({operands})"
            yield f"            found[i] = {times}quick_{name}({given})"
            yield "        if missing:"
            yield "            for i in range(padded):"
            yield f"                if not holds({operands}):"
            yield f"                    found[i] = {times}{name}({given})"
        else:
            yield "        for i in range(padded):"
            yield f"            found[i] = {times}{name}({given})"
        yield "        for i in range(width):"
        if forward:
            yield "            v[begin + i] = T(found[i])"
        else:
            slot = letters.index(name[-1])
            yield f"            g[index[at + {outline.arity} * i + {slot}]] += T(found[i])"
