"""Kernels of what is no formula: numbers that go from one space to the other, choices, guards.

The two spaces are the numbers that are the same in all lanes (u, and gu for their adjoints) and
those of each lane (v and g). Sums over lanes are made in a fixed order, so they always come out the
same. ``operand(row)`` below stands for ``index[first + row - start]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.native.kernels.blocks import BLOCK, inlined, room
from autograd_lite.native.kernels.intrinsics import TILE, tile_turner

Kernel = Callable[..., None]

TESTS = ("<", "<=", ">", ">=", "truth", "index")
"""What a guard's first entry in ``index`` stands for."""

GUARD_LENGTH = 4


def special_kernel(
    name: str, direction: str, layout: str, *, dtype: str = "float64"
) -> Callable[..., None]:
    """Return a kernel that belongs to no primitive, as a Python function for `building.address`.

    Forwards, for every row of a run and every lane:

    ``"copy"``
        ``v[row] = v[operand(row)]``
    ``"broadcast"``
        ``v[row] = u[operand(row)]``: the same in all lanes.
    ``"bias"``
        ``v[row] += u[operand(row)]``
    ``"pick"``
        ``v[row] = v[option[labels[label]]]``. ``index`` is as for n-ary primitives: a table of
        where a node's operands begin; they are the row of its label in ``labels`` (int32, as many
        lanes as ``v``), then the rows of the options. NaN where the label is none of 0, 1, …, which
        passes nothing back.
    ``"pick uniform"``
        ``v[row] = u[option[labels[label]]]``
    ``"lane_mean"``
        ``u[row]`` is the mean of ``v[operand(row)]`` over all lanes.
    ``"lane_variance"``
        ``u[row]`` is the mean of (``v[operand(row)]`` - its mean)². In two passes.
    ``"zero"``
        ``g[operand(row)] = 0``, forwards only.
    ``"turn"``
        ``v[row] = u[column]``: ``u`` is a matrix of somebody else's with a row for each lane, of
        which column 0 belongs to the row ``start``; ``first`` is the distance of its rows.
        Backwards ``u[column] = g[row]``, which is written, not added to.
    ``"stream"``
        What "turn" does backwards, past the caches, to rows of ``u`` that begin at a multiple of
        64 bytes; forwards only.
    ``"clear"``, ``"seed"``
        ``g[row] = 0``, ``g[row] = 1 / first``; forwards only, without operands.
    ``"lane_total"``
        ``u[row - start]`` is the sum of ``v[row]`` over all lanes, from the first to the last;
        forwards only.
    ``"guards"``
        Rows are the numbers of guards; guard k has four entries at ``first + 4 * (k - start)`` of
        ``index``: a position in `TESTS`, a, b, and the answer that it got (for ``"index"``: the
        whole number that a was). a and b are rows of ``v``, or of ``u`` where negative: ``~a`` is
        the row. Writes to ``labels``, one int32 per lane, the number of the first guard that gives
        another answer; the caller has put in their number before. If there is one, writes 1 behind
        the last lane. There is no way backward.

    Backward kernels add to the adjoints of operands what the chain rule says.

    Parameters
    ----------
    name : str
        One of the above.
    direction : {"forward", "backward"}
    layout : {"point", "lanes"}
        Whether rows have one lane, or any number.
    dtype : {"float64", "float32"}
        Sums are made in float64 in any case.

    Returns
    -------
    callable
        With the parameters that `building` states.
    """
    made: tuple[Kernel, ...] = MAKERS[name](layout == "point")
    return made[direction == "backward"]


def _copy(point: bool) -> tuple[Kernel, ...]:
    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        for row in range(start, stop):
            x = index[first + row - start] * lanes
            for lane in range(lanes):
                v[row * lanes + lane] = v[x + lane]

    def backward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        for row in range(stop - 1, start - 1, -1):
            x = index[first + row - start] * lanes
            for lane in range(lanes):
                g[x + lane] += g[row * lanes + lane]

    return forward, backward


def _zero(point: bool) -> tuple[Kernel, ...]:
    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        for row in range(start, stop):
            x = index[first + row - start] * lanes
            for lane in range(lanes):
                g[x + lane] = 0.0

    return (forward,)


def _started(point: bool, seed: bool) -> tuple[Kernel, ...]:
    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        number = 1.0 / first if seed else 0.0
        for i in range(start * lanes, stop * lanes):
            g[i] = number

    return (forward,)


def _clear(point: bool) -> tuple[Kernel, ...]:
    return _started(point, seed=False)


def _seed(point: bool) -> tuple[Kernel, ...]:
    return _started(point, seed=True)


# -- between the spaces ----------------------------------------------------------------------------

WIDTH = 8
"""How many sums over lanes go side by side, so that the machine can add several at once."""


def _sum_of() -> Any:
    """Return a compiled function: the sum of (numbers - shift)ᵏ over all lanes, k being 1 or 2."""
    block = room()

    def sum_of(numbers: Any, at: int, lanes: int, shift: float, squared: bool) -> float:
        sums = block(1)
        for i in range(WIDTH):
            sums[i] = 0.0
        whole = lanes - lanes % WIDTH
        for lane in range(0, whole, WIDTH):
            for i in range(WIDTH):
                x = numbers[at + lane + i] - shift
                sums[i] = sums[i] + (x * x if squared else x)
        rest = 0.0
        for lane in range(whole, lanes):
            x = numbers[at + lane] - shift
            rest = rest + (x * x if squared else x)
        fours = (sums[0] + sums[4]) + (sums[1] + sums[5])
        return fours + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest

    return inlined(sum_of)


def _summed_back(point: bool) -> Kernel:
    """Return the way back from every lane to a number without lanes."""
    sum_of = _sum_of()

    def backward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        for row in range(stop - 1, start - 1, -1):
            gu[index[first + row - start]] += sum_of(g, row * lanes, lanes, 0.0, False)

    return backward


def _broadcast(point: bool) -> tuple[Kernel, ...]:
    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        for row in range(start, stop):
            number = u[index[first + row - start]]
            for lane in range(lanes):
                v[row * lanes + lane] = number

    return forward, _summed_back(point)


def _bias(point: bool) -> tuple[Kernel, ...]:
    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        for row in range(start, stop):
            number = u[index[first + row - start]]
            for lane in range(lanes):
                v[row * lanes + lane] += number

    return forward, _summed_back(point)


def _lane_total(point: bool) -> tuple[Kernel, ...]:
    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        for row in range(start, stop):
            total = float(v[row * lanes])
            for lane in range(1, lanes):
                total += v[row * lanes + lane]
            u[row - start] = total

    return (forward,)


def _lane_mean(point: bool) -> tuple[Kernel, ...]:
    sum_of = _sum_of()

    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        for row in range(start, stop):
            x = index[first + row - start] * lanes
            u[row] = sum_of(v, x, lanes, 0.0, False) / lanes

    def backward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        for row in range(stop - 1, start - 1, -1):
            x = index[first + row - start] * lanes
            adjoint = gu[row] * (1.0 / lanes)
            for lane in range(lanes):
                g[x + lane] += adjoint

    return forward, backward


def _lane_variance(point: bool) -> tuple[Kernel, ...]:
    sum_of = _sum_of()

    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        for row in range(start, stop):
            x = index[first + row - start] * lanes
            mean = sum_of(v, x, lanes, 0.0, False) / lanes
            u[row] = sum_of(v, x, lanes, mean, True) / lanes

    def backward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        for row in range(stop - 1, start - 1, -1):
            x = index[first + row - start] * lanes
            mean = sum_of(v, x, lanes, 0.0, False) / lanes
            adjoint = float(gu[row])
            for lane in range(lanes):
                g[x + lane] += adjoint * (2.0 * (v[x + lane] - mean) / lanes)

    return forward, backward


def _turn(point: bool) -> tuple[Kernel, ...]:
    turned = tile_turner()

    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        whole, last = lanes - lanes % TILE, stop - (stop - start) % TILE
        for lane in range(0, whole, TILE):
            for row in range(start, last, TILE):
                turned(u, lane * first + row - start, first, v, row * lanes + lane, lanes)
        for row in range(start, stop):
            for lane in range(whole if row < last else 0, lanes):
                v[row * lanes + lane] = u[lane * first + row - start]

    return forward, _turned_back(streams=False)


def _stream(point: bool) -> tuple[Kernel, ...]:
    return (_turned_back(streams=True),)


def _turned_back(*, streams: bool) -> Kernel:
    turned = tile_turner(streams=streams)

    def backward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        whole, last = lanes - lanes % TILE, stop - (stop - start) % TILE
        for lane in range(0, whole, TILE):
            for row in range(start, last, TILE):
                turned(g, row * lanes + lane, lanes, u, lane * first + row - start, first)
        for row in range(start, stop):
            for lane in range(whole if row < last else 0, lanes):
                u[lane * first + row - start] = g[row * lanes + lane]

    return backward


# -- choices ---------------------------------------------------------------------------------------


def _pick(point: bool, uniform: bool) -> tuple[Kernel, ...]:
    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        for row in range(start, stop):
            begin, end = index[first + row - start], index[first + row - start + 1]
            for lane in range(lanes):
                label = labels[index[begin] * lanes + lane]
                number = float("nan")
                if 0 <= label < end - begin - 1:
                    option = index[begin + 1 + label]
                    number = float(u[option]) if uniform else float(v[option * lanes + lane])
                v[row * lanes + lane] = number

    def backward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        for row in range(stop - 1, start - 1, -1):
            begin, end = index[first + row - start], index[first + row - start + 1]
            for lane in range(lanes):
                label = labels[index[begin] * lanes + lane]
                if 0 <= label < end - begin - 1:
                    option = index[begin + 1 + label]
                    if uniform:
                        gu[option] += g[row * lanes + lane]
                    else:
                        g[option * lanes + lane] += g[row * lanes + lane]

    return forward, backward


def _own_pick(point: bool) -> tuple[Kernel, ...]:
    return _pick(point, uniform=False)


def _uniform_pick(point: bool) -> tuple[Kernel, ...]:
    return _pick(point, uniform=True)


# -- guards ----------------------------------------------------------------------------------------

TRUTH = TESTS.index("truth")


def _guards(point: bool) -> tuple[Kernel, ...]:
    block = room()

    def fetch(v: Any, u: Any, row: int, lanes: int, lane: int, width: int, found: Any) -> None:
        if row >= 0:
            for i in range(width):
                found[i] = v[row * lanes + lane + i]
        else:
            for i in range(width):
                found[i] = u[~row]

    fetched = inlined(fetch)

    def forward(v, g, u, gu, index, labels, first, start, stop, lanes):  # type: ignore[no-untyped-def]
        if point:
            lanes = 1
        a, b = block(1), block(1)
        for lane in range(0, lanes, BLOCK):
            width = lanes - lane if lanes - lane < BLOCK else BLOCK
            for guard in range(start, stop):
                at = first + GUARD_LENGTH * (guard - start)
                test, answer = index[at], index[at + 3]
                fetched(v, u, index[at + 1], lanes, lane, width, a)
                if test < TRUTH:
                    fetched(v, u, index[at + 2], lanes, lane, width, b)
                for i in range(width):
                    if test == 0:
                        same = (a[i] < b[i]) == (answer != 0)
                    elif test == 1:
                        same = (a[i] <= b[i]) == (answer != 0)
                    elif test == 2:
                        same = (a[i] > b[i]) == (answer != 0)
                    elif test == 3:
                        same = (a[i] >= b[i]) == (answer != 0)
                    elif test == TRUTH:
                        same = (a[i] != 0.0) == (answer != 0)
                    else:
                        same = a[i] == answer
                    if not same and labels[lane + i] > guard:
                        labels[lane + i] = guard
                        labels[lanes] = 1

    return (forward,)


MAKERS: dict[str, Callable[[bool], tuple[Kernel, ...]]] = {
    "copy": _copy,
    "zero": _zero,
    "turn": _turn,
    "stream": _stream,
    "clear": _clear,
    "seed": _seed,
    "broadcast": _broadcast,
    "bias": _bias,
    "pick": _own_pick,
    "pick uniform": _uniform_pick,
    "lane_total": _lane_total,
    "lane_mean": _lane_mean,
    "lane_variance": _lane_variance,
    "guards": _guards,
}
"""By name: from whether there is one lane, the kernel forward and, for most, that backward."""
