"""Samples that stay in an array: for programs, which take arrays as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload


class ArrayRows(Sequence[Any]):
    """The rows of an array, each given as (nested) lists of plain numbers.

    Parameters
    ----------
    array : NumPy array (N, …)
        Of finite numbers, at least one.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.data.array_rows import ArrayRows
    >>> rows = ArrayRows(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> len(rows), rows[1]
    (2, [3.0, 4.0])
    """

    def __init__(self, array: Any) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, position: int) -> Any: ...

    @overload
    def __getitem__(self, position: slice) -> list[Any]: ...

    def __getitem__(self, position: int | slice) -> Any:
        return self.array[position].tolist()


def array_rows(given: Any, *, samples: bool) -> ArrayRows | None:
    """Return the rows of an array that holds finite numbers and nothing else; None otherwise.

    Parameters
    ----------
    given : object
    samples : bool
        Whether a row has to be more than a single number.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.data.array_rows import array_rows
    >>> len(array_rows(np.zeros((3, 2)), samples=True))
    3
    >>> array_rows(np.zeros(3), samples=True), array_rows([[0.0]], samples=True)
    (None, None)
    """
    shape, dtype = getattr(given, "shape", ()), getattr(given, "dtype", None)
    if len(shape) <= samples or 0 in shape or getattr(dtype, "kind", "") not in ("i", "u", "f"):
        return None
    import numpy as np

    return ArrayRows(given) if np.isfinite(given).all() else None
