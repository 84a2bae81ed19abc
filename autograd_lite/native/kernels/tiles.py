"""Matrix products of moderate size: tiles that stay in registers, without repacking the matrices.

``c[i, j] = Σ a[i, k] b[k, j]``. A tile of c is four rows of some vectors; for every k it takes the
vectors of one row of b, and one number of a for each of its own rows. Libraries copy matrices into
an order of their own first, which pays for large ones. Here every number of c is summed up in the
order of k with one rounding for each term, so that it does not depend on which tile it is in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from autograd_lite.native.kernels.building import address
from autograd_lite.native.kernels.convention import HEAD, LANES, loaded_fields, record

FIELDS = ("a", "a_row", "a_column", "b", "b_row", "c", "c_row", "rows", "columns", "terms", "add")
"""What a product is about, int64 each: addresses, how many numbers apart rows (and the columns of
a) are, the sizes, and whether c is added to."""

ROWS, VECTORS = 4, 4  # of a tile
LARGEST = 1 << 20  # bytes of a, and of a tile's columns of b, that stay in a cache
MOST_TERMS = 1 << 24  # some half a millisecond

_KINDS = [(name, "ptr" if name in "abc" else "i64") for name in FIELDS]
_GIVEN = ", ".join(f"{kind} %{name}" for name, kind in _KINDS)


@cache
def has_wide_registers() -> bool:
    """Tell whether the tiles fit this processor: 32 registers of 64 bytes."""
    import llvmlite.binding as llvm

    return bool(llvm.get_host_cpu_features().get("avx512f"))


def fits(rows: int, columns: int, terms: int, itemsize: int) -> bool:
    """Tell whether a product is better computed here than by a library.

    A library can share out a large one between processors.

    >>> fits(10_000, 32, 10_000, 8), fits(128, 4096, 784, 8)
    (False, False)
    """
    near = max(rows, 32) * terms * itemsize <= LARGEST
    return near and 0 < rows * columns * terms <= MOST_TERMS and has_wide_registers()


def fields_of(a: Any, b: Any, c: Any, *, add: bool = False) -> Any:
    """Return the fields of ``c = a @ b`` or ``c += a @ b``, which are to be kept with the arrays.

    The numbers of each row of b and c are next to each other.
    """
    import numpy as np

    size = c.itemsize
    steps = [a.strides[0], a.strides[1], b.strides[0], c.strides[0]]
    a_row, a_column, b_row, c_row = (step // size for step in steps)
    at = [array.ctypes.data for array in (a, b, c)]
    sizes = (*c.shape, a.shape[1])
    return np.array([at[0], a_row, a_column, at[1], b_row, at[2], c_row, *sizes, add], np.int64)


def product(fields: Any, dtype: str) -> list[int]:
    """Return the record of a run that computes a product, of some fields."""
    at = address("product of matrices", lambda: _text(dtype), dtype)
    return record(at, LANES, int(fields.ctypes.data), 0, 0)


def _text(dtype: str) -> str:
    number, width = {"float64": ("double", 8), "float32": ("float", 16)}[dtype]
    kinds = _Kinds(number, width)
    parts = [_tile(kinds, rows, whole=whole) for whole in (True, False) for rows in (ROWS, 1)]
    strips = [_strip(kinds, whole=whole) for whole in (True, False)]
    return "\n".join([kinds.declared, *parts, *strips, _kernel(width)])


class _Kinds:
    """LLVM's names for numbers, vectors of them, and what is done with vectors."""

    def __init__(self, number: str, width: int) -> None:
        self.number, self.width = number, width
        self.size = {"double": 8, "float": 4}[number]
        self.vector, self.mask = f"<{width} x {number}>", f"<{width} x i1>"
        short = f"v{width}f{8 * self.size}"
        self.multiply_add = f"@llvm.fma.{short}"
        self._load, self._store = f"@llvm.masked.load.{short}.p0", f"@llvm.masked.store.{short}.p0"

    @property
    def declared(self) -> str:
        """What a text has to declare."""
        vector, mask = self.vector, self.mask
        return f"""
declare {vector} {self.multiply_add}({vector}, {vector}, {vector})
declare {vector} {self._load}(ptr, i32, {mask}, {vector})
declare void {self._store}({vector}, ptr, i32, {mask})"""

    def load(self, at: str, *, whole: bool) -> str:
        """Return what loads a vector, or of its numbers those that the mask names, 0 for others."""
        if whole:
            return f"load {self.vector}, ptr {at}, align {self.size}"
        given = f"ptr {at}, i32 {self.size}, {self.mask} %mask, {self.vector} zeroinitializer"
        return f"call {self.vector} {self._load}({given})"

    def store(self, vector: str, at: str, *, whole: bool) -> str:
        """Return what stores a vector, or of its numbers those that the mask names."""
        if whole:
            return f"store {self.vector} {vector}, ptr {at}, align {self.size}"
        given = f"{self.vector} {vector}, ptr {at}, i32 {self.size}, {self.mask} %mask"
        return f"call void {self._store}({given})"

    def spread(self, name: str, number: str, kind: str) -> list[str]:
        """Return lines that make a vector of one number."""
        vector = f"<{self.width} x {kind}>"
        return [
            f"  {name}.first = insertelement {vector} poison, {kind} {number}, i64 0",
            f"  {name} = shufflevector {vector} {name}.first, {vector} poison,"
            f" <{self.width} x i32> zeroinitializer",
        ]


def _kernel(width: int) -> str:
    """Write the loops over strips of columns: of several vectors, then of one each for the rest."""
    return f"""
{HEAD}
entry:
{loaded_fields("record", [("first", "i64")], start=2)}
  %fields = inttoptr i64 %first to ptr
{loaded_fields("fields", _KINDS)}
  br label %whole
whole:
  %j = phi i64 [ 0, %entry ], [ %next, %one.whole ]
  %next = add i64 %j, {VECTORS * width}
  %more = icmp sle i64 %next, %columns
  br i1 %more, label %one.whole, label %part
one.whole:
  call void @whole.strip({_GIVEN}, i64 %j)
  br label %whole
part:
  %k = phi i64 [ %j, %whole ], [ %following, %one.part ]
  %following = add i64 %k, {width}
  %left = icmp slt i64 %k, %columns
  br i1 %left, label %one.part, label %end
one.part:
  call void @part.strip({_GIVEN}, i64 %k)
  br label %part
end:
  ret void
}}"""


def _strip(kinds: _Kinds, *, whole: bool) -> str:
    """Write the loop over the rows of a strip of columns: four at a time, then one by one."""
    which = "whole" if whole else "part"
    return f"""
define internal void @{which}.strip({_GIVEN}, i64 %j) {{
entry:
  br label %fours
fours:
  %i = phi i64 [ 0, %entry ], [ %next, %four ]
  %next = add i64 %i, {ROWS}
  %more = icmp sle i64 %next, %rows
  br i1 %more, label %four, label %ones
four:
  call void @{which}.tile{ROWS}({_GIVEN}, i64 %i, i64 %j)
  br label %fours
ones:
  %k = phi i64 [ %i, %fours ], [ %following, %one ]
  %following = add i64 %k, 1
  %another = icmp sle i64 %following, %rows
  br i1 %another, label %one, label %end
one:
  call void @{which}.tile1({_GIVEN}, i64 %k, i64 %j)
  br label %ones
end:
  ret void
}}"""


def _tile(kinds: _Kinds, rows: int, *, whole: bool) -> str:
    """Write the computation of one tile."""
    return "\n".join(_tile_lines(kinds, rows, whole=whole))


def _tile_lines(kinds: _Kinds, rows: int, *, whole: bool) -> Iterator[str]:
    number, width, vector = kinds.number, kinds.width, kinds.vector
    count = VECTORS if whole else 1
    sums = [(r, q) for r in range(rows) for q in range(count)]
    name = f"{'whole' if whole else 'part'}.tile{rows}"
    yield f"define internal void @{name}({_GIVEN}, i64 %i, i64 %j) alwaysinline {{"
    yield "entry:"
    yield f"  %b.at = getelementptr {number}, ptr %b, i64 %j"
    yield f"  %c.at = getelementptr {number}, ptr %c, i64 %j"
    if not whole:
        yield "  %left = sub i64 %columns, %j"
        yield from kinds.spread("%left.all", "%left", "i64")
        places = ", ".join(f"i64 {place}" for place in range(width))
        yield f"  %mask = icmp slt <{width} x i64> <{places}>, %left.all"
    for r in range(rows):
        yield f"  %i{r} = add i64 %i, {r}"
        yield f"  %a.offset{r} = mul i64 %i{r}, %a_row"
        yield f"  %a{r} = getelementptr {number}, ptr %a, i64 %a.offset{r}"
    yield "  br label %next"
    yield "next:"
    yield "  %k = phi i64 [ 0, %entry ], [ %k.next, %term ]"
    for r, q in sums:
        yield f"  %s{r}.{q} = phi {vector} [ zeroinitializer, %entry ], [ %t{r}.{q}, %term ]"
    yield "  %more = icmp slt i64 %k, %terms"
    yield "  br i1 %more, label %term, label %summed"
    yield "term:"
    yield "  %k.next = add i64 %k, 1"
    yield "  %b.offset = mul i64 %k, %b_row"
    yield "  %a.offset = mul i64 %k, %a_column"
    yield f"  %b.row = getelementptr {number}, ptr %b.at, i64 %b.offset"
    for q in range(count):
        yield f"  %b{q}.at = getelementptr {number}, ptr %b.row, i64 {q * width}"
        yield f"  %b{q} = {kinds.load(f'%b{q}.at', whole=whole)}"
    for r in range(rows):
        yield f"  %x{r}.at = getelementptr {number}, ptr %a{r}, i64 %a.offset"
        yield f"  %x{r}.one = load {number}, ptr %x{r}.at"
        yield from kinds.spread(f"%x{r}", f"%x{r}.one", number)
        for q in range(count):
            given = f"{vector} %x{r}, {vector} %b{q}, {vector} %s{r}.{q}"
            yield f"  %t{r}.{q} = call {vector} {kinds.multiply_add}({given})"
    yield "  br label %next"
    yield "summed:"
    yield "  %adds = icmp ne i64 %add, 0"
    for r in range(rows):
        yield f"  %c.offset{r} = mul i64 %i{r}, %c_row"
        yield f"  %c{r} = getelementptr {number}, ptr %c.at, i64 %c.offset{r}"
        for q in range(count):
            yield f"  %c{r}.{q}.at = getelementptr {number}, ptr %c{r}, i64 {q * width}"
    yield "  br i1 %adds, label %adding, label %storing"
    yield "adding:"
    for r, q in sums:
        yield f"  %o{r}.{q} = {kinds.load(f'%c{r}.{q}.at', whole=whole)}"
        yield f"  %p{r}.{q} = fadd {vector} %o{r}.{q}, %s{r}.{q}"
    yield "  br label %storing"
    yield "storing:"
    for r, q in sums:
        yield f"  %z{r}.{q} = phi {vector} [ %s{r}.{q}, %summed ], [ %p{r}.{q}, %adding ]"
    for r, q in sums:
        yield f"  {kinds.store(f'%z{r}.{q}', f'%c{r}.{q}.at', whole=whole)}"
    yield "  ret void"
    yield "}"
