"""Guards at run time: which lanes would have gone another way than the recording."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from autograd_lite.native.kernels import convention
from autograd_lite.native.kernels.across import GUARD_LENGTH, TESTS
from autograd_lite.native.kernels.convention import LANES, UNIFORM
from autograd_lite.native.kernels.runner import nested, runner
from autograd_lite.native.kernels.table import Kernels
from autograd_lite.native.lowering.layout import Layout
from autograd_lite.native.tape import Tape


class Failing:
    """The guards of so many lanes, ready to be asked: the call is `Machine.failing`.

    Attributes
    ----------
    record : tuple of int
        What asks them as part of a native call, after which `found` tells.
    """

    def __init__(self, at: int, space: int, index: Any, lanes: int, v: Any, u: Any) -> None:
        import numpy as np

        self._count = len(index)
        self._lanes = lanes
        self._width = lanes if space == LANES else 1
        self._failed = np.full(self._width + 1, self._count, np.int32)
        self._failed[self._width] = 0
        self._told = memoryview(self._failed)  # whose numbers are Python's, at once
        records = np.array([convention.record(at, space, 0, 0, self._count)], np.int64)
        fields = convention.call(records, v=v, u=u, index=index, labels=self._failed, lanes=lanes)
        self._kept = records, fields, index, v, u  # what native code refers to by address
        self.record = nested(int(fields.ctypes.data))
        self._run = partial(runner(), int(fields.ctypes.data))

    def __call__(self) -> Any:
        self._run()
        return self.found()

    def found(self) -> Any:
        """Return the number of the first guard that fails in every lane; None if all hold."""
        if not self._told[self._width]:
            return None
        found = self._failed[: self._width].repeat(self._lanes // self._width)
        self._failed.fill(self._count)
        self._failed[self._width] = 0
        return found


class Guards:
    """The guards of a plan, laid out for the kernel that asks them."""

    def __init__(self, tape: Tape, layout: Layout, kernels: Kernels) -> None:
        import numpy as np

        self.count = len(tape.guards)
        self._kernels = kernels
        self._space = LANES if layout.rows[LANES] else UNIFORM

        def place(node: int) -> int:
            row = int(layout.row[node])
            return row if layout.space[node] == self._space else ~row

        index = np.zeros((self.count, GUARD_LENGTH), np.int32)
        for entry, (test, a, b, answer) in zip(index, tape.guards, strict=True):
            other = place(b) if test in ("<", "<=", ">", ">=") else 0
            entry[:] = TESTS.index(test), place(a), other, int(answer)
        self._index = index

    def of(self, lanes: int, v: Any, u: Any) -> Failing | None:
        """Return what asks the guards of so many lanes."""
        if not self.count:
            return None
        at = self._kernels.special("guards", "forward", self._space)
        return Failing(at, self._space, self._index, lanes, v, u)

    def joined(self, parts: Sequence[Any], blocks: Sequence[slice]) -> Any:
        """Put together what the blocks of lanes found; None if all guards hold."""
        import numpy as np

        if all(part is None for part in parts):
            return None
        failed = np.full(blocks[-1].stop, self.count, np.int32)
        for part, block in zip(parts, blocks, strict=True):
            if part is not None:
                failed[block] = part
        return failed
