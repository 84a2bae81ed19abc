"""The shortest way over many lanes: block after block in one native call.

A block of lanes is small enough for a cache, so there can be many of them. Where a plan is native
runs alone, Python would only bring the arguments of each block in and the results out. Here a
kernel does that as well, and others move its pointers on, so that Python is not needed in between
and its lock is free for other threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from autograd_lite.native.kernels.building import STRIP
from autograd_lite.native.kernels.convention import LANES, RECORD, UNIFORM
from autograd_lite.native.kernels.runner import nested
from autograd_lite.native.lowering.leaves import is_readable
from autograd_lite.native.lowering.schedule import Schedule
from autograd_lite.native.running.crossing import Crossing
from autograd_lite.native.running.machine import Machine
from autograd_lite.native.running.turns import in_turns
from autograd_lite.native.tape import Tape


class Sweep:
    """Blocks of as many lanes as a machine has room for, one after the other.

    If there are lanes left, the last block reaches back over some that are done: they get the same
    numbers again, in the memory that is in the caches already.

    Parameters
    ----------
    schedule : Schedule
        One that `can_sweep`.
    machine : Machine
        Of the lanes of one block.
    """

    def __init__(self, schedule: Schedule, machine: Machine) -> None:
        import numpy as np

        leaves = schedule.leaves
        row = machine.first_place[1]
        self.lanes = machine.lanes
        self._machine = machine  # it keeps what the native calls refer to
        self._given = {
            group.position: Crossing("forward", machine.v, group.rows)
            for group in leaves.arguments[LANES]
        }
        self._output = Crossing("backward", machine.v, slice(row, row + 1))
        self._gradients = {
            position: Crossing("backward", machine.g, groups[0].rows, leaving=True)
            for position, (_, groups) in leaves.wanted.items()
        }
        forward, keeping = (
            [
                *[record for x in self._given.values() for record in x.records],
                *machine.records(way).tolist(),
                *self._output.records,
            ]
            for way in ("forward", "keeping")
        )
        backward = [
            *machine.opening(LANES, row, 1).tolist(),
            *machine.records("backward").tolist(),
            *[record for x in self._gradients.values() for record in x.records],
        ]
        crossings = (*self._given.values(), self._output, *self._gradients.values())
        back = nested(machine.call_of(np.array([x.back for x in crossings], np.int64)))
        bodies = [np.array(x, np.int64) for x in (forward, [*keeping, *backward])]
        calls = [nested(machine.call_of(body)) for body in bodies]
        self._ways = [np.array([body, back, body], np.int64) for body in calls]
        self._runs = [machine.native(way) for way in self._ways]

    def __call__(
        self,
        arguments: Sequence[Any],
        output: Any,
        gradients: dict[int, Any],
        first: int,
        last: int,
    ) -> None:
        """Compute lanes from the first to before the last, as many as a block has or more.

        Parameters
        ----------
        arguments : sequence of arrays (lanes, width)
        output : array (lanes,)
            Where the function's numbers go.
        gradients : dict of arrays (lanes, width)
            By position, where those of arguments go; empty if there are to be none.
        """
        blocks, left = divmod(last - first, self.lanes)
        self._output.set(output[:, None], first, left)
        for position, crossing in self._given.items():
            crossing.set(arguments[position], first, left)
        for position, gradient in gradients.items():
            self._gradients[position].set(gradient, first, left)
        differentiating = bool(gradients)
        self._ways[differentiating][:, TIMES] = blocks, left > 0, left > 0
        self._runs[differentiating]()


TIMES = RECORD.index("stop")  # of what is nested
PIECE = 1 << 25  # numbers that one native call computes at most, some 50 ms; then Ctrl-C is heard
PIECES = 4  # for each of several threads at least, so that none waits long for another


class Sweeps:
    """The sweeps of a plan that `can_sweep`, and the lanes shared out between them.

    Parameters
    ----------
    schedule : Schedule
    machine : callable
        ``machine(lanes)`` gives room for so many lanes.
    """

    def __init__(self, schedule: Schedule, machine: Callable[[int], Machine]) -> None:
        self._schedule = schedule
        self._machine = machine
        self._free: list[Sweep] = []

    def accepts(self, arguments: Sequence[Any], seed: float | None) -> bool:
        """Tell whether kernels can read the arguments, and know the seed."""
        return seed in (None, 1.0) and all(
            is_readable(arguments[group.position], self._schedule.dtype)
            for group in self._schedule.leaves.arguments[LANES]
        )

    def __call__(
        self, arguments: Sequence[Any], output: Any, gradients: dict[int, Any], threads: int
    ) -> None:
        """Compute all lanes, a `STRIP` or more; arguments and results are as for `Sweep`."""

        def compute(piece: tuple[int, int]) -> Sweep:
            sweep = self._sweep()
            sweep(arguments, output, gradients, *piece)
            return sweep

        in_turns(threads, self._pieces(len(output), threads), compute, self._free.append)

    def _pieces(self, lanes: int, threads: int) -> list[tuple[int, int]]:
        """Return the first lane and the end of what goes into one call."""
        blocks = lanes // STRIP
        most = PIECE // (self._schedule.rows[LANES] * STRIP)
        fair = blocks if threads == 1 else blocks // threads // PIECES
        step = STRIP * max(1, min(most, fair))
        begins = range(0, blocks * STRIP, step)
        return list(zip(begins, [*begins[1:], lanes], strict=True))

    def _sweep(self) -> Sweep:
        with suppress(IndexError):  # several threads may ask
            return self._free.pop()
        return Sweep(self._schedule, self._machine(STRIP))


def can_sweep(tape: Tape, schedule: Schedule) -> bool:
    """Tell whether nothing else is to be done for a block than native runs."""
    leaves = schedule.leaves
    more = (
        schedule.products
        or schedule.runs.forward.python
        or schedule.parameters is not None
        or leaves.labels
        or leaves.draws[LANES]
        or tape.guards
        or len(tape.outputs) != 1
        or schedule.outputs[0][0] != LANES
        or any(group.columns is not None for group in leaves.arguments[LANES])
        or any(space == UNIFORM or not groups for space, groups in leaves.wanted.values())
    )
    return not more
