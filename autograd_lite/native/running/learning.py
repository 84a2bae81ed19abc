"""The shortest way of a training step: all lanes together, gradients that are overwritten.

Beside the native code and the matrix products, a step of a small network has to do little: bring
arguments in, call what is prepared, and take the gradients of biases out. Where a plan asks for
more (numbers that are drawn, gradients that are added to others), `Plan.evaluate` does it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import Context
from functools import reduce
from operator import add
from typing import Any

from autograd_lite.native.kernels import convention
from autograd_lite.native.kernels.convention import LANES, UNIFORM
from autograd_lite.native.kernels.runner import nested
from autograd_lite.native.kernels.table import special_address
from autograd_lite.native.lowering.leaves import Learned
from autograd_lite.native.lowering.schedule import Schedule
from autograd_lite.native.running.machine import Machine


class Learning:
    """A step of a plan over so many lanes.

    Parameters
    ----------
    schedule : Schedule
        One that `can_be_short`.
    machine : Machine
        Of all lanes.
    first : Machine or None
        Of what has no lanes, where that is computed before.
    """

    def __init__(self, schedule: Schedule, machine: Machine, first: Machine | None) -> None:
        leaves = schedule.leaves
        space, row = machine.first_place
        self._multiplying = [x for x in (machine, first) if x is not None and x.multiplies]
        self._given = leaves.views(machine.v, machine.labels)
        self._learned = _pair(leaves.learned, machine.u, schedule.parameters)
        self._learning = _pair(leaves.learning, machine.gu, schedule.gradients)
        self._guards = machine.guards
        closing = [] if self._guards is None else [self._guards.record]
        if space == LANES and schedule.dtype.itemsize == 8:
            total = Total(machine, row)
            closing.append(total.record)
            self._mean: Callable[[], float] = total.mean
        else:
            self._mean = lambda: mean_of(machine.first_output())
        self._before = [] if first is None else first.steps("forward")
        self._forward = machine.steps("keeping", closing=closing)
        opening = machine.opening(space, row, machine.lanes if space == LANES else 1)
        self._backward = machine.steps("backward", opening=opening)
        self._after = [] if first is None else first.steps("backward")
        self._quietly = _without_warnings()

    def __call__(self, arguments: Sequence[Any]) -> float | None:
        """Write the gradients of the mean over the lanes; return that mean.

        None, with nothing written, where a guard fails.
        """
        return self._quietly(self._step, arguments)

    def _step(self, arguments: Sequence[Any]) -> float | None:
        for machine in self._multiplying:
            machine.fresh = True
            machine.arguments = arguments
        for into, rows, numbers, places in self._learned:
            into[rows] = numbers[places]
        for step in self._before:
            step()
        for into, position, column in self._given:
            numbers = arguments[position]
            into[...] = numbers.T if column is None else numbers[:, column]
        for step in self._forward:
            step()
        if self._guards is not None and self._guards.found() is not None:
            return None
        for step in self._backward:
            step()
        for step in self._after:
            step()
        for numbers, rows, into, places in self._learning:
            into[places] = numbers[rows]
        return self._mean()


class Total:
    """The sum of a row over all lanes, as part of a native call.

    Attributes
    ----------
    record : tuple of int
        What adds it up.
    """

    def __init__(self, machine: Machine, row: int) -> None:
        import numpy as np

        self._lanes = machine.lanes
        total = np.zeros(1)
        self._told = memoryview(total)  # whose numbers are Python's, at once
        kernel = special_address("lane_total", "forward", "lanes", "float64")
        records = np.array([convention.record(kernel, LANES, 0, row, row + 1)], np.int64)
        fields = convention.call(records, v=machine.v, u=total, lanes=machine.lanes)
        self._kept = records, fields, machine  # what native code refers to by address
        self.record = nested(int(fields.ctypes.data))

    def mean(self) -> float:
        """Return what was added up, divided by the number of lanes."""
        return self._told[0] / self._lanes


def mean_of(losses: Any) -> float:
    """Return the mean of the lanes' losses, added up from left to right as the eager mean is.

    >>> mean_of([1.0, 2.0, 6.0])
    3.0
    """
    if isinstance(losses, list):
        return float(reduce(add, losses)) / len(losses)
    import numpy as np

    with np.errstate(all="ignore"):  # infinities are results like others
        return float(np.add.accumulate(losses, dtype=float)[-1]) / len(losses)


def can_be_short(schedule: Schedule, machine: Machine, first: Machine | None) -> bool:
    """Tell whether a step has nothing else to do than a `Learning` does."""
    leaves = schedule.leaves
    more = leaves.closures[1] or leaves.arguments[UNIFORM] or leaves.draws[UNIFORM]
    more = more or leaves.draws[LANES] or schedule.runs.forward.python
    seen = machine.first_place[0] == LANES or first is None
    return seen and not more


def _without_warnings() -> Callable[..., Any]:
    """Return what calls a function meanwhile NumPy warns of no overflow; one call at a time.

    A context that was entered once is entered again in a tenth of the time of `numpy.errstate`.
    """
    import numpy as np

    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        context = Context()  # an empty one, which keeps no mode of the caller
        context.run(np.errstate(all="ignore").__enter__)
        return context.run

    def run(function: Callable[..., Any], *args: Any) -> Any:
        with np.errstate(all="ignore"):  # of the thread, before NumPy 2
            return function(*args)

    return run


def _pair(learned: Learned | None, own: Any, others: Any) -> list[tuple[Any, Any, Any, Any]]:
    """Return rows of a machine's array and of the parameters' array, views where possible."""
    if learned is None:
        return []
    return [(*_viewed(own, learned.rows), *_viewed(others, learned.places))]


def _viewed(numbers: Any, places: Any) -> tuple[Any, Any]:
    return (numbers[places], ...) if isinstance(places, slice) else (numbers, places)
