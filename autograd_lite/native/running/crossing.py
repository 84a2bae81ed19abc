"""From matrices that have a row for each lane to rows of lanes, and back."""

from __future__ import annotations

from typing import Any

from autograd_lite.native.kernels import convention
from autograd_lite.native.kernels.convention import CALL, LANES, RECORD
from autograd_lite.native.kernels.runner import advance, nested
from autograd_lite.native.kernels.table import special_address
from autograd_lite.native.running.aligned import is_aligned


class Crossing:
    """A matrix of the caller's with a row for each lane; its columns are rows of a machine.

    Parameters
    ----------
    direction : {"forward", "backward"}
        From the matrix to the rows, or back.
    numbers : array (rows, lanes)
        Those of the machine.
    rows : slice
    leaving : bool
        Whether nothing reads the matrix soon: on the way back, a large one can then be written past
        the caches, which keep what the next block needs.

    Attributes
    ----------
    records : list of tuples
        What moves the lanes of one block, and then on to the next.
    """

    def __init__(self, direction: str, numbers: Any, rows: slice, *, leaving: bool = False) -> None:
        import numpy as np

        self._lanes = numbers.shape[1]
        dtype = numbers.dtype.name
        self._kernel = special_address("turn", direction, "lanes", dtype)
        self._streaming = special_address("stream", "forward", "lanes", dtype) if leaving else None
        self._record = np.array(
            [convention.record(self._kernel, LANES, 0, rows.start, rows.stop)], np.int64
        )
        self._call = convention.call(self._record, v=numbers, g=numbers, lanes=self._lanes)
        self._step = np.zeros(1, np.int64)  # from a block to the next, in bytes
        at = int(self._call.ctypes.data)
        place = at + self._call.itemsize * MATRIX
        self.records = [nested(at), advance(place, int(self._step.ctypes.data))]

    def set(self, matrix: Any, lane: int) -> None:
        """Take a matrix, from a lane on."""
        step = matrix.strides[0]
        if self._streaming is not None:
            streams = matrix.nbytes >= LARGE and is_aligned(matrix)
            self._record[0, RECORD.index("kernel")] = self._streaming if streams else self._kernel
        self._record[0, RECORD.index("first")] = step // matrix.itemsize
        self._call[MATRIX] = matrix.ctypes.data + lane * step
        self._step[0] = step * self._lanes


LARGE = 4 << 20  # bytes: more than stays in a fast cache anyway
MATRIX = CALL.index("u")  # where the matrix is, in a crossing's call
