"""What a program is called with: the structure of its arguments, and their numbers in rows.

A recording holds for one structure: how the lists nest, and which arguments are whole numbers.
The numbers of one argument, from left to right, are a row; where the argument differs between
lanes, there is a row for every lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from autograd_lite.native.programs.groups import repeated, take
from autograd_lite.native.tracing.whole_numbers import WholeNumber
from autograd_lite.node import Node
from autograd_lite.primitives import counted, number
from autograd_lite.trees import leaves_of, outline, shaped_like

Shape = Any
"""None for a number, ``(kind, n, shape)`` for a list or tuple of n alike, ``(kind, shapes)``."""


class ValuesGivenError(Exception):
    """There are Values among the arguments: the function is to run as it is."""


class Form(NamedTuple):
    """The structure of one argument, without lanes."""

    shape: Shape
    whole: bool  # whether all its numbers are whole, so that they can be labels

    @property
    def tree(self) -> Any:
        """Nested lists of this structure."""
        return _tree(self.shape)

    @property
    def sizes(self) -> tuple[int, ...] | None:
        """The lengths of lists that nest regularly; None for tuples and the rest."""
        return _sizes(self.shape)

    @property
    def width(self) -> int:
        """How many numbers there are."""
        return _width(self.shape)


class Batch(NamedTuple):
    """The arguments of one call.

    Attributes
    ----------
    rows : list
        For every argument, its numbers: a row for every lane if it varies, else one row.
    forms : tuple of Form
    lanes : int
        1 where nothing varies.
    varying : frozenset of int
        The positions of arguments that differ between lanes.
    """

    rows: list[Any]
    forms: tuple[Form, ...]
    lanes: int
    varying: frozenset[int]

    def sample(self, lane: int) -> list[Any]:
        """Return what the function is called with for one lane: numbers and nested lists."""
        rows = zip(self.numbers(lane), self.forms, strict=True)
        return [shaped_like(form.tree, iter(numbers)) for numbers, form in rows]

    def numbers(self, lane: int) -> list[list[Any]]:
        """Return the numbers of every argument for one lane, from left to right."""
        rows = [row[lane] if i in self.varying else row for i, row in enumerate(self.rows)]
        return [row.tolist() if hasattr(row, "tolist") else list(row) for row in rows]

    def take(self, lanes: Any) -> Batch:
        """Return some of the lanes."""
        rows = [
            take(row, lanes) if position in self.varying else row
            for position, row in enumerate(self.rows)
        ]
        return Batch(rows, self.forms, len(lanes), self.varying)

    def first(self, count: int) -> Batch:
        """Return a batch of the first arguments only."""
        varying = frozenset(position for position in self.varying if position < count)
        return Batch(self.rows[:count], self.forms[:count], self.lanes, varying)

    def spread(self) -> Batch:
        """Return a batch in which every argument varies, for gradients that are per lane."""
        if len(self.varying) in (0, len(self.rows)):
            return self
        arrays = any(hasattr(row, "shape") for row in self.rows)
        rows = [
            row if position in self.varying else repeated(row, self.lanes, array=arrays)
            for position, row in enumerate(self.rows)
        ]
        return Batch(rows, self.forms, self.lanes, frozenset(range(len(rows))))


class Reader:
    """Reads the arguments of a program's calls.

    Parameters
    ----------
    arrays : bool
        Whether rows are wanted as NumPy arrays.
    batches : bool
        Whether axis 0 of every list is the lane axis too, as it is with ``parameters=``.
    dtype : str
        The type of numbers in arrays.
    """

    def __init__(self, *, arrays: bool, batches: bool, dtype: str = "float64") -> None:
        self._arrays = arrays
        self._batches = batches
        self._dtypes = (dtype, "int64")
        self._forms: dict[Any, tuple[Form, bool]] = {}
        self._numbers: dict[tuple[type, ...], tuple[Form, ...]] = {}
        if arrays:
            import numpy as np

            self._contiguous = np.ascontiguousarray
            self._kind = np.ndarray

    def read(self, args: Sequence[Any]) -> Batch:
        """Return the arguments of one call in rows.

        Raises
        ------
        ValuesGivenError
            If there are Values among them.
        TypeError, ValueError
            If they are not numbers in lists or arrays, or if their lanes do not fit together.
        """
        kinds = tuple(map(type, args))
        numbers = self._numbers.get(kinds)
        if numbers is not None:
            return Batch([[x] for x in args], numbers, 1, _NONE)
        rows: list[Any] = []
        forms: list[Form] = []
        lanes: int | None = None
        varying: list[int] = []
        for position, given in enumerate(args):
            if getattr(given, "shape", ()) != ():
                row, form = self._array(given, position)
            elif isinstance(given, list | tuple):
                if not self._batches:
                    row, form = _flat(given, position)
                    rows.append(row)
                    forms.append(form)
                    continue
                row, form = self._batch(given, position)
            else:
                row, form = _flat(given, position)
                rows.append(row)
                forms.append(form)
                continue
            if lanes is None:
                lanes = len(row)
            if len(row) != lanes or not lanes:
                _refuse_lanes(varying, lanes, position, len(row))
            varying.append(position)
            rows.append(row)
            forms.append(form)
        structure = tuple(forms)
        if set(kinds) <= {float, int}:
            self._numbers[kinds] = structure
        found = frozenset(varying) if varying else _NONE
        return Batch(rows, structure, 1 if lanes is None else lanes, found)

    def _array(self, given: Any, position: int) -> tuple[Any, Form]:
        """Return the rows of an array, and the structure of each."""
        key = (given.shape[1:], given.dtype)
        known = self._forms.get(key)
        if known is None:
            whole = _is_whole(given, position)
            form = Form(_rectangular(key[0]), whole)
            known = self._forms[key] = form, str(given.dtype) == self._dtypes[whole]
        form, right = known
        if not self._arrays:
            return _rows_of(given.tolist()), form
        found = given
        if not right or type(given) is not self._kind or not given.flags.c_contiguous:
            found = self._contiguous(given, self._dtypes[form.whole])
        if found.ndim == 2:
            return found, form
        return found.reshape(len(found), form.width) if found.ndim > 2 else found[:, None], form

    def _batch(self, given: Any, position: int) -> tuple[Any, Form]:
        """Return the rows of a list of samples, and the structure of each."""
        if self._arrays:
            import numpy as np

            try:
                array = np.array(given)
            except ValueError:  # ragged, or something that the search below finds
                array = None
            if array is not None and array.size and array.dtype.kind in "fiu":
                return self._array(array, position)
        if not given:
            _refuse_lanes([], 0, position, 0)
        rows, forms = zip(*(_flat(sample, position) for sample in given), strict=True)
        first = forms[0]
        for row, form in enumerate(forms):
            if form.shape != first.shape:
                raise ValueError(
                    f"expected samples of one structure in argument {position}, got"
                    f" {outline(given[0])} in row 0 and {outline(given[row])} in row {row}: pad"
                    " them, or call once per length"
                )
        form = Form(first.shape, all(form.whole for form in forms))
        if not self._arrays:
            return list(rows), form
        return np.array(rows, dtype=self._dtypes[form.whole]), form


_NONE: frozenset[int] = frozenset()


def form_of(given: Any) -> Form:
    """Return the structure of numbers or Values in nested lists."""
    whole = all(type(leaf) is int or isinstance(leaf, WholeNumber) for leaf in leaves_of(given))
    return Form(_shape(given), whole)


def _flat(given: Any, position: int) -> tuple[list[Any], Form]:
    """Return the numbers of nested lists from left to right, and their structure."""
    listed = type(given) is list
    kinds = set(map(type, given)) if listed else set()
    if listed and kinds == {float}:
        return given.copy(), Form((list, len(given), None), False)
    leaves = leaves_of(given)
    kinds = set(map(type, leaves))
    whole = kinds == {int}
    if not whole and kinds != {float}:
        whole = bool(leaves) and all(map(_whole_number, leaves))
        leaves = [_checked(leaf, position, given) for leaf in leaves]
    return leaves, Form(_shape(given), whole)


def _checked(leaf: Any, position: int, given: Any) -> Any:
    if isinstance(leaf, Node):
        raise ValuesGivenError
    if getattr(leaf, "shape", ()) != ():
        raise TypeError(
            f"expected numbers in the list of argument {position}, got an array of shape"
            f" {tuple(leaf.shape)}: pass the array as an argument of its own, or as"
            " array.tolist() for numbers without lanes"
        )
    if _whole_number(leaf):
        return int(leaf)
    if leaf is given:
        what = f"a number, a list or an array for argument {position}"
    else:
        what = f"numbers in the lists of argument {position}"
    return number(leaf.item() if hasattr(leaf, "item") else leaf, what)


def _whole_number(leaf: Any) -> bool:
    """Tell whether this is a whole number: an int, or NumPy's."""
    kind = getattr(getattr(leaf, "dtype", None), "kind", "")
    return type(leaf) is int or (kind in ("i", "u") and getattr(leaf, "shape", ()) == ())


def _shape(tree: Any) -> Shape:
    if not isinstance(tree, list | tuple):
        return None
    kind = list if isinstance(tree, list) else tuple
    inner = [_shape(branch) for branch in tree]
    if all(shape == inner[0] for shape in inner):
        return kind, len(inner), inner[0] if inner else None
    return kind, tuple(inner)


@lru_cache(1024)
def _width(shape: Shape) -> int:
    return len(leaves_of(_tree(shape)))


@lru_cache(1024)
def _sizes(shape: Shape) -> tuple[int, ...] | None:
    if shape is None:
        return ()
    kind, *rest = shape
    if kind is not list or len(rest) == 1:
        return None
    inner = _sizes(rest[1])
    return None if inner is None or not rest[0] else (rest[0], *inner)


@lru_cache(1024)
def _tree(shape: Shape) -> Any:
    if shape is None:
        return 0
    kind, *rest = shape
    if len(rest) == 1:
        return kind(_tree(branch) for branch in rest[0])
    return kind(_tree(rest[1]) for _ in range(rest[0]))


def _rectangular(sizes: tuple[int, ...]) -> Shape:
    """Return the structure of one row of an array: lists in lists."""
    shape: Shape = None
    for size in reversed(sizes):
        shape = (list, size, shape)
    return shape


def _rows_of(rows: list[Any]) -> list[list[Any]]:
    return [leaves_of(row) for row in rows]


def _is_whole(array: Any, position: int) -> bool:
    """Tell whether an array has whole numbers; refuse one that has no numbers."""
    dtype = array.dtype
    kind = getattr(dtype, "kind", None)
    if kind is None:  # not NumPy's, such as a tensor's: its numbers tell
        return _flat(array.tolist(), position)[1].whole
    if kind == "O":
        if any(isinstance(leaf, Node) for leaf in leaves_of(array.tolist())):
            raise ValuesGivenError
        raise TypeError(
            f"expected an array of numbers for argument {position}, got one of objects"
            " (dtype=object): rows of different lengths cannot be lanes, and numbers need"
            " array.astype(float)"
        )
    if kind == "c":
        raise TypeError(
            f"expected an array of real numbers for argument {position}, got dtype {dtype}:"
            " pass array.real and array.imag"
        )
    if kind not in "biuf":
        raise TypeError(f"expected an array of numbers for argument {position}, got dtype {dtype}")
    return kind in "iu"


def _refuse_lanes(varying: Sequence[int], lanes: int, position: int, found: int) -> None:
    if not found:
        raise ValueError(f"expected at least one lane, got an empty batch in argument {position}")
    raise ValueError(
        f"expected arguments of the same number of lanes (axis 0), got {counted(lanes, 'lane')} in"
        f" argument {varying[0]} and {found} in argument {position}"
    )
