"""The numbers of a plan, and the steps that go over them: native runs and matrix products in turn.

A `Machine` has room for a block of lanes. Its steps are prepared calls, so that a pass over the
schedule is a walk along a short list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from autograd_lite.native.kernels import convention
from autograd_lite.native.kernels.convention import LANES, RECORD_LENGTH, UNIFORM
from autograd_lite.native.kernels.runner import runner
from autograd_lite.native.kernels.table import LAYOUTS, special_address
from autograd_lite.native.lowering.schedule import Schedule
from autograd_lite.native.running.aligned import aligned
from autograd_lite.native.running.foreign import PythonNode
from autograd_lite.native.running.matrix import Matrix

Step = Callable[[], Any]


class Machine:
    """Room for the numbers of some lanes, and the steps of a plan over them.

    Parameters
    ----------
    schedule : Schedule
    lanes : int
    u, gu : arrays (rows,)
        The numbers without lanes, and their adjoints.
    space : `UNIFORM`, `LANES` or None
        The space that it goes over; None for both.
    whole : bool
        Whether these are all lanes that there are.

    Attributes
    ----------
    first_place : tuple of two int
        The space and the row of the first output.
    multiplies : bool
        Whether there are matrix products.
    guards : Failing or None
        The guards of these lanes.
    """

    def __init__(
        self, schedule: Schedule, lanes: int, u: Any, gu: Any, space: int | None, *, whole: bool
    ) -> None:
        import numpy as np

        self.schedule = schedule
        self.lanes = lanes
        self.whole = whole
        self.fresh = False
        self.arguments: Sequence[Any] = ()
        self.u, self.gu = u, gu
        rows = 0 if space == UNIFORM else schedule.rows[LANES]
        self.v = aligned(np.zeros, (rows, lanes), schedule.dtype)
        self.g = aligned(np.zeros, (rows, lanes), schedule.dtype)
        self.labels = np.zeros((len(schedule.leaves.labels), lanes), np.int32)
        self._space = space
        self._kept: list[Any] = []  # what native code refers to by address
        self._matrices = [
            Matrix(self, placed, around)
            for placed, around in zip(schedule.products, schedule.around, strict=True)
            if space in (None, int(placed.with_lanes))
        ]
        self.multiplies = bool(self._matrices)
        self._steps = {way: self.steps(way) for way in ("forward", "backward")}
        keeps = schedule.runs.keeping is not schedule.runs.forward
        self._steps["keeping"] = self.steps("keeping") if keeps else self._steps["forward"]
        self.guards = schedule.guards.of(lanes, self.v, self.u) if space != UNIFORM else None
        spaces, rows = schedule.outputs
        self._outputs = [*zip(spaces.tolist(), rows.tolist(), strict=True)]
        self.first_place = self._outputs[0]
        zeroing = schedule.zeroing if space != UNIFORM else None
        self._zero = None if zeroing is None else self.native(zeroing)

    def load(self, arguments: Sequence[Any], drawn: Sequence[Any]) -> None:
        """Bring in the numbers of the lanes."""
        self.arguments = arguments
        self.schedule.leaves.load_lanes(self.v, self.labels, arguments, drawn)

    def run(self, direction: str) -> None:
        """Go over the numbers ("keeping", if the adjoints are to follow), or over the adjoints."""
        for step in self._steps[direction]:
            step()

    def outputs(self) -> Any:
        """Return a copy of the outputs, (outputs, lanes)."""
        import numpy as np

        if len(self._outputs) == 1:
            return self.first_output().copy()[None]
        spaces, rows = self.schedule.outputs
        if not spaces.any():
            found = self.u[rows]
            return found[:, None] if self.lanes == 1 else np.repeat(found[:, None], self.lanes, 1)
        if spaces.all():
            return self.v[rows]
        return np.where(
            spaces[:, None], self.v[rows * spaces], self.u[rows * (1 - spaces)][:, None]
        )

    def first_output(self) -> Any:
        """Return the first output in every lane, valid until the next pass."""
        space, row = self._outputs[0]
        return self.v[row] if space == LANES else self.u[row : row + 1].repeat(self.lanes)

    def failing(self) -> Any:
        """Return the number of the first guard that fails in every lane; None if all hold."""
        return None if self.guards is None else self.guards()

    def differentiate(self, seed: float, output: int) -> None:
        """Go backward from an output."""
        self.gu.fill(0.0)
        if self._zero is not None:
            self._zero()
        space, row = self._outputs[output]
        if space == LANES:
            self.g[row].fill(seed)
        elif self._space is None:
            self.gu[row] = over_lanes(seed, self.lanes)
        self.run("backward")

    def collect(self) -> None:
        """Add the gradients of the weights of this block to those of all."""
        for matrix in self._matrices:
            if matrix.placed.learns and matrix.placed.of_parameters:
                matrix.collect()

    def opening(self, space: int, row: int, share: int) -> Any:
        """Return the records that begin the adjoints: 0, and 1 / share for an output's row."""
        import numpy as np

        dtype = self.schedule.dtype.name
        clear, seed = np.zeros((2, 1, RECORD_LENGTH), np.int64)
        clear[0, 0] = special_address("clear", "forward", "point", dtype)
        clear[0, 4] = len(self.gu)
        seed[0, 0] = special_address("seed", "forward", LAYOUTS[space], dtype)
        seed[0, 1:5] = space, share, row, row + 1
        zeroing = self.schedule.zeroing if self._space != UNIFORM else None
        return np.concatenate([clear, seed] if zeroing is None else [clear, zeroing, seed])

    def records(self, direction: str) -> Any:
        """Return the records of the runs in one direction, over one space or both."""
        records = getattr(self.schedule.runs, direction).records
        return records if self._space is None else records[records[:, 1] == self._space]

    def steps(self, direction: str, *, opening: Any = (), closing: Any = ()) -> list[Step]:
        """Return the steps in one direction, between records before and after them."""
        import numpy as np

        space = self._space
        runs = getattr(self.schedule.runs, direction)
        back = direction == "backward"
        sign = -1 if back else 1
        events: list[tuple[int, Any]] = [
            (place, self._in_python(node))
            for place, node in runs.python
            if space in (None, self.schedule.layout.space[node])
        ]
        events += [
            (sign * matrix.placed.place, matrix)
            for matrix in self._matrices
            if matrix.placed.active or not back
        ]
        records, place = self.records(direction), runs.place
        if space is not None:
            place = place[runs.records[:, 1] == space]
        parts: list[Any] = [_records(opening)]
        begin = 0
        for when, event in sorted(events, key=lambda pair: pair[0]):
            end = int(np.searchsorted(place, when, side="right"))
            parts += [records[begin:end], *event.parts("backward" if back else "forward")]
            begin = end
        return self._merged([*parts, records[begin:], _records(closing)])

    def _in_python(self, node: int) -> PythonNode:
        schedule = self.schedule
        if schedule.layout.space[node] == UNIFORM:
            return PythonNode(schedule, node, self.u[:, None], self.gu[:, None])
        return PythonNode(schedule, node, self.v, self.g)

    def _merged(self, parts: list[Any]) -> list[Step]:
        """Join records that follow each other, and make each stretch of them one call."""
        import numpy as np

        steps: list[Step] = []
        waiting: list[Any] = []
        for part in [*parts, None]:
            if part is not None and not callable(part):
                waiting.append(part)
                continue
            records = np.concatenate(waiting) if waiting else np.empty((0, RECORD_LENGTH), np.int64)
            waiting = []
            if len(records):
                steps.append(self.native(np.ascontiguousarray(records)))
            if part is not None:
                steps.append(part)
        return steps

    def native(self, records: Any) -> Step:
        """Return the native call that goes through these records, which may change later."""
        return partial(runner(), self.call_of(records))

    def call_of(self, records: Any) -> int:
        """Return the address of what `runner` takes, for these records on this machine's arrays."""
        fields = convention.call(
            records,
            v=self.v,
            g=self.g,
            u=self.u,
            gu=self.gu,
            index=self.schedule.index,
            labels=self.labels,
            lanes=self.lanes,
        )
        self._kept += [records, fields]
        return int(fields.ctypes.data)


def over_lanes(seed: float, lanes: int) -> float:
    """Return the sum of a seed over all lanes, which for that of a mean is exactly 1.

    >>> 49 * (1.0 / 49), over_lanes(1.0 / 49, 49), over_lanes(1.0, 49)
    (0.9999999999999999, 1.0, 49.0)
    """
    return 1.0 if seed == 1.0 / lanes else seed * lanes


def _records(given: Any) -> Any:
    """Return records, of which there may be none, as an array."""
    import numpy as np

    return np.array(given, np.int64).reshape(-1, RECORD_LENGTH)
