"""From matrices that have a row for each lane to rows of lanes, and back."""

from __future__ import annotations

from typing import Any

from autograd_lite.native.kernels import convention
from autograd_lite.native.kernels.convention import CALL, LANES, RECORD
from autograd_lite.native.kernels.runner import advance, nested
from autograd_lite.native.kernels.table import special_address


class Crossing:
    """A matrix of the caller's with a row for each lane; its columns are rows of a machine.

    Attributes
    ----------
    records : list of tuples
        What moves the lanes of one block, and then on to the next.
    """

    def __init__(self, direction: str, numbers: Any, rows: slice) -> None:
        import numpy as np

        self._lanes = numbers.shape[1]
        kernel = special_address("turn", direction, "lanes", numbers.dtype.name)
        self._record = np.array(
            [convention.record(kernel, LANES, 0, rows.start, rows.stop)], np.int64
        )
        self._call = convention.call(self._record, v=numbers, g=numbers, lanes=self._lanes)
        self._step = np.zeros(1, np.int64)  # from a block to the next, in bytes
        at = int(self._call.ctypes.data)
        place = at + self._call.itemsize * MATRIX
        self.records = [nested(at), advance(place, int(self._step.ctypes.data))]

    def set(self, matrix: Any, lane: int) -> None:
        """Take a matrix, from a lane on."""
        step = matrix.strides[0]
        self._record[0, RECORD.index("first")] = step // matrix.itemsize
        self._call[MATRIX] = matrix.ctypes.data + lane * step
        self._step[0] = step * self._lanes


MATRIX = CALL.index("u")  # where the matrix is, in a crossing's call
