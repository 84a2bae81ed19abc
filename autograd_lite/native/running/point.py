"""The shortest way from one point to value and gradient: numbers in, one native call, numbers out.

A plan serves any number of lanes, several outputs, guards, products and effects, and each of them
asks something of every call. Where a plan has none of these, all that is left to do is what is
prepared here, in about a microsecond and a half besides the native code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.native.kernels.convention import LANES, UNIFORM
from autograd_lite.native.lowering.schedule import Schedule
from autograd_lite.native.running.machine import Machine
from autograd_lite.native.tape import Tape


class Point:
    """One point of a plan that is native runs alone.

    Parameters
    ----------
    schedule : Schedule
        One that `is_simple`.
    machine : Machine
        Of one lane.

    Attributes
    ----------
    arguments : list of arrays (width,)
        Where the numbers of each argument go.
    value : array (1,)
        The output, until the next call.
    gradients : list of arrays (width,)
        Those of all arguments, until the next call; none where the plan does not differentiate.
    both : callable
        Computes the value and the gradients of the numbers that are in ``arguments``.
    """

    def __init__(self, schedule: Schedule, machine: Machine) -> None:
        import numpy as np

        leaves = schedule.leaves
        row = int(schedule.outputs[1][0])
        rows = {group.position: group.rows for group in leaves.arguments[UNIFORM]}
        self.arguments = [machine.u[rows[position]] for position in sorted(rows)]
        self.value = machine.u[row : row + 1]
        self.gradients = [machine.gu[rows[position]] for position in sorted(leaves.wanted)]
        self._machine = machine  # it keeps what the native calls refer to
        forward, backward = machine.records("forward"), machine.records("backward")
        both = np.concatenate([forward, machine.opening(UNIFORM, row, 1), backward])
        self._forward = machine.native(forward)
        self.both = machine.native(both)

    def evaluate(self, arguments: Sequence[Any]) -> None:
        """Compute the value: arguments are arrays or lists, of the numbers of one row each."""
        for position, numbers in enumerate(arguments):
            self.arguments[position][...] = numbers
        self._forward()

    def differentiate(self, arguments: Sequence[Any]) -> None:
        """Compute the value and the gradients."""
        for position, numbers in enumerate(arguments):
            self.arguments[position][...] = numbers
        self.both()


def is_simple(tape: Tape, schedule: Schedule) -> bool:
    """Tell whether a call of the plan has nothing else to do than a `Point` does."""
    leaves = schedule.leaves
    positions = [group.position for group in leaves.arguments[UNIFORM]]
    more = (
        schedule.rows[LANES]
        or schedule.products
        or schedule.runs.forward.python
        or leaves.labels
        or leaves.closures[1]
        or leaves.learned is not None
        or tape.guards
        or tape.draws
        or tape.effects
        or len(tape.outputs) != 1
        or any(group.columns is not None for group in leaves.arguments[UNIFORM])
    )
    known = sorted(positions)
    return not more and known == [*range(len(known))] and [*leaves.wanted] in ([], known)
