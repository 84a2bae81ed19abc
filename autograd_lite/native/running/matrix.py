"""A matrix product of a plan, on the arrays of a machine: by kernels on tiles, or by BLAS.

Tiles are for what fits a cache, where the processor has registers for them. They are computed from
the rows as they are, as part of a native pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from autograd_lite.native.kernels import tiles
from autograd_lite.native.lowering.leaves import is_readable
from autograd_lite.native.lowering.matrices import Around, Placed, view
from autograd_lite.native.running.crossing import Crossing

WORTH_TURNING = 1 << 18  # terms from which on a caller's inputs are turned for tiles

Step = Callable[[], Any]


class Matrix:
    """A product in a machine: its arrays.

    Parameters
    ----------
    machine : Machine
        Of which it uses the arrays, and while it runs ``arguments`` and ``fresh``.
    placed : Placed
    around : Around
    """

    def __init__(self, machine: Any, placed: Placed, around: Around) -> None:
        import numpy as np

        schedule = machine.schedule
        self.machine = machine
        self.placed = placed
        self.around = around
        m, n, columns = placed.m, placed.n, placed.columns
        source = schedule.parameters if placed.of_parameters else machine.u
        sink = schedule.gradients if placed.of_parameters else machine.gu
        weights = view(source, placed.weights)
        self.gathered = weights is None
        self.source, self.sink = source, sink
        self.weights = np.empty((m, n), schedule.dtype) if weights is None else weights
        self.slope = view(sink, placed.weights)  # None where it has to be scattered
        self.overwrites = placed.in_order and placed.alone and machine.whole
        self.own_slope = np.empty((m, n), schedule.dtype)
        shape = (m, machine.lanes) if placed.with_lanes else (columns, m)
        numbers, adjoints = (machine.v, machine.g) if placed.with_lanes else (machine.u, machine.gu)
        self.out = numbers[placed.outputs].reshape(shape)
        self.out_adjoint = adjoints[placed.outputs].reshape(shape)
        self.inputs: Any = None
        self.input_adjoint: Any = None
        if placed.argument is None:
            if placed.with_lanes:
                first = int(placed.inputs[0, 0])
                self.inputs = numbers[first : first + n]
                self.input_adjoint = adjoints[first : first + n]
            else:
                self.inputs = view(numbers, placed.inputs)
                self.input_adjoint = view(adjoints, placed.inputs)
        self._kept: list[Any] = []  # what native code refers to by address
        self._learning: dict[bool, tuple[Any, Step]] = {}
        self._turning: tuple[Crossing, Step] | None = None
        if placed.with_lanes and not self.gathered:
            self._prepare()

    def _prepare(self) -> None:
        """Make the native calls that read the caller's arrays, or choose where they write."""
        import numpy as np

        machine, placed = self.machine, self.placed
        lanes, dtype = machine.lanes, machine.schedule.dtype
        direct = placed.argument is not None
        if direct and placed.m * placed.n * lanes >= WORTH_TURNING:
            turned = np.empty((placed.n, lanes), dtype)
            small = turned.nbytes <= tiles.LARGEST
            tile = self._tiles(self.weights, turned, self.out) if small else None
            if tile is not None:
                crossing = Crossing("forward", turned, slice(0, placed.n))
                self._kept += [turned]
                records = np.array([crossing.records[0], tile], np.int64)
                self._turning = crossing, machine.native(records)
        rows = np.empty((lanes, placed.n), dtype)  # the inputs of one lane after the other
        for into in {False, self.overwrites} if placed.learns else ():
            slope = self.slope if into else self.own_slope
            tile = None if slope is None else self._tiles(self.out_adjoint, rows, slope)
            if tile is None:
                continue
            fields = self._kept[-1][0]
            before = []
            if not direct:
                crossing = Crossing("backward", self.inputs, slice(0, placed.n))
                crossing.set(rows)
                self._kept += [crossing]
                before = crossing.records[:1]
            records = np.array([*before, tile], np.int64)
            self._learning[into] = fields, machine.native(records)

    def _tiles(self, a: Any, b: Any, c: Any, *, add: bool = False) -> list[int] | None:
        """Return the record of ``c = a @ b``, None where that is for BLAS."""
        size = c.itemsize
        together = b.strides[1] == size and c.strides[1] == size
        if not (together and tiles.fits(len(a), c.shape[1], len(b), size)):
            return None
        fields = tiles.fields_of(a, b, c, add=add)
        self._kept.append((fields, a, b, c))
        return tiles.product(fields, c.dtype.name)

    def parts(self, direction: str) -> list[Any]:
        """Return what has to be done, one after the other: native records and calls."""
        around = self.around
        if direction == "forward":
            return [*around.before, self._forward(), *around.after]
        return [*around.after_backward, *self._backward(), *around.before_backward]

    def _forward(self) -> Any:
        """Return the records or the call that computes the product."""
        import numpy as np

        if self.gathered:
            return self._gathered_forward
        if self.placed.argument is not None:
            return self._direct_forward
        if not self.placed.with_lanes:
            return partial(np.dot, self.inputs, self.weights.T, self.out)
        tile = self._tiles(self.weights, self.inputs, self.out)
        if tile is not None:
            return np.array([tile], np.int64)
        return partial(np.dot, self.weights, self.inputs, self.out)

    def _given(self) -> Any:
        """Return the inputs: an argument as the caller has it, or rows."""
        argument = self.placed.argument
        return self.inputs if argument is None else self.machine.arguments[argument].T

    def _direct_forward(self) -> None:
        import numpy as np

        argument = self.machine.arguments[self.placed.argument]
        if self._turning is not None and is_readable(argument, self.out.dtype):
            crossing, run = self._turning
            crossing.set(argument)
            run()
        else:
            np.dot(self.weights, argument.T, self.out)

    def _gathered_forward(self) -> None:
        import numpy as np

        np.take(self.source, self.placed.weights, out=self.weights)
        if self.placed.with_lanes:
            np.dot(self.weights, self._given(), self.out)
        else:
            np.dot(self.inputs, self.weights.T, self.out)

    def _backward(self) -> list[Any]:
        """Return what takes the adjoints of the results to weights and inputs."""
        import numpy as np

        placed = self.placed
        steps: list[Any] = [self._learn] if placed.learns else []
        if not placed.passes_on:
            return steps
        into = self.input_adjoint
        adds = not (placed.only_user and into.flags.c_contiguous)
        if not placed.with_lanes:
            left, right = self.out_adjoint, self.weights
        else:
            left, right = self.weights.T, self.out_adjoint
            tile = None if self.gathered else self._tiles(left, right, into, add=adds)
            if tile is not None:
                return [*steps, np.array([tile], np.int64)]
        if adds:
            spare = np.empty(into.shape, into.dtype)
            return [*steps, partial(self._pass_on, left, right, spare)]
        return [*steps, partial(np.dot, left, right, into)]

    def _pass_on(self, left: Any, right: Any, spare: Any) -> None:
        import numpy as np

        self.input_adjoint += np.dot(left, right, spare)

    def _learn(self) -> None:
        """Add to (or write) the gradient of the weights."""
        overwrites = self.overwrites and self.machine.fresh
        self._learn_into(overwrites)
        if not overwrites and (self.machine.whole or not self.placed.of_parameters):
            self.collect()

    def _learn_into(self, overwrites: bool) -> None:
        import numpy as np

        prepared = self._learning.get(overwrites)
        if prepared is not None:
            fields, run = prepared
            if self.placed.argument is None:
                run()
                return
            argument = self.machine.arguments[self.placed.argument]
            if is_readable(argument, self.out.dtype):
                fields[_B] = argument.ctypes.data
                fields[_B_ROW] = argument.strides[0] // argument.itemsize
                run()
                return
        if self.placed.with_lanes:
            left, right = self.out_adjoint, self._given().T
        else:
            left, right = self.out_adjoint.T, self.inputs
        np.dot(left, right, self.slope if overwrites else self.own_slope)

    def collect(self) -> None:
        """Add the gradient of this block's weights to that of all."""
        import numpy as np

        if self.slope is not None:
            self.slope += self.own_slope
        else:
            np.add.at(self.sink, self.placed.weights, self.own_slope)


_B, _B_ROW = tiles.FIELDS.index("b"), tiles.FIELDS.index("b_row")
