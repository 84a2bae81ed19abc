"""Arrays that begin at a cache line, so that vectors of a whole line do not straddle two."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

CACHE_LINE = 64  # bytes


def aligned(make: Callable[..., Any], shape: tuple[int, ...], dtype: Any) -> Any:
    """Return an array made by ``numpy.zeros`` or ``numpy.empty`` that begins at a cache line.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.native.running.aligned import aligned
    >>> found = aligned(np.zeros, (3, 4), np.dtype(float))
    >>> found.shape, found.ctypes.data % 64
    ((3, 4), 0)
    """
    size = math.prod(shape) * dtype.itemsize
    room = make(size + CACHE_LINE, "uint8")
    begin = -room.ctypes.data % CACHE_LINE
    return room[begin : begin + size].view(dtype).reshape(shape)


def is_aligned(matrix: Any) -> bool:
    """Tell whether every row of a matrix begins at a cache line."""
    return not (matrix.ctypes.data | matrix.strides[0]) % CACHE_LINE
