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
    records : list of records
        What moves the lanes of one block, and then on to the next.
    back : record
        What goes back so far that the lanes that are left after the last block end a block too.
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
        self._steps = np.zeros(2, np.int64)  # in bytes, from a block to the next, and back
        at, steps = int(self._call.ctypes.data), int(self._steps.ctypes.data)
        place = at + self._call.itemsize * MATRIX
        self.records = [nested(at), advance(place, steps)]
        self.back = advance(place, steps + self._steps.itemsize)

    def set(self, matrix: Any, lane: int = 0, left: int = 0) -> None:
        """Take a matrix, from a lane on; some are left after the last whole block of them."""
        step = matrix.strides[0]
        if self._streaming is not None:
            streams = matrix.nbytes >= LARGE and is_aligned(matrix)
            self._record[0, KERNEL] = self._streaming if streams else self._kernel
        self._record[0, FIRST] = step // matrix.itemsize
        self._call[MATRIX] = matrix.ctypes.data + lane * step
        self._steps[:] = step * self._lanes, step * (left - self._lanes)


LARGE = 4 << 20  # bytes: more than stays in a fast cache anyway
KERNEL, FIRST = RECORD.index("kernel"), RECORD.index("first")
MATRIX = CALL.index("u")  # where the matrix is, in a crossing's call
