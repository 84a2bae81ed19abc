"""Single machine operations that Python has no function for, and C's mathematics by name.

What compiles is imported when something is compiled, never before.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Any

# -- as Python has them ----------------------------------------------------------------------------
# Formulas in `vector_math` call these; `translation` puts the machine's operation in their place.


def multiply_add(a: float, b: float, c: float) -> float:
    """Return a · b + c, rounded once where the machine can, else twice."""
    return a * b + c


def bits(x: float) -> int:
    """Return the 64 bits of a float as a signed whole number."""
    found: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return found


def from_bits(n: int) -> float:
    """Return the float with these bits, the low 64 of them."""
    found: float = struct.unpack("<d", struct.pack("<Q", n & 0xFFFFFFFFFFFFFFFF))[0]
    return found


# -- as the machine has them -----------------------------------------------------------------------

LLVM = {
    "exp": 1,
    "exp2": 1,
    "log": 1,
    "log2": 1,
    "log10": 1,
    "sin": 1,
    "cos": 1,
    "sqrt": 1,
    "floor": 1,
    "ceil": 1,
    "rint": 1,
    "fabs": 1,
    "pow": 2,
    "copysign": 2,
    "fmuladd": 3,
}
"""Functions that LLVM knows, with the number of their operands. They become libm's calls."""

LIBM = {
    "expm1": 1,
    "log1p": 1,
    "cbrt": 1,
    "tan": 1,
    "asin": 1,
    "acos": 1,
    "atan": 1,
    "sinh": 1,
    "cosh": 1,
    "tanh": 1,
    "asinh": 1,
    "acosh": 1,
    "atanh": 1,
    "erf": 1,
    "erfc": 1,
    "atan2": 2,
    "hypot": 2,
    "fmod": 2,
}
"""Functions of C's library that LLVM leaves alone."""


def _emitted(name: str, count: int, *, attributes: tuple[str, ...] = ()) -> Any:
    """Return a compiled function that calls an external function of floats by its name."""
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        double = ir.DoubleType()
        kind = ir.FunctionType(double, [double] * count)
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        for attribute in attributes:
            function.attributes.add(attribute)
        return builder.call(function, arguments)

    return _intrinsic(types.float64, (types.float64,) * count, emit)


def _intrinsic(result: Any, operands: tuple[Any, ...], emit: Callable[..., Any]) -> Any:
    """Return a compiled function whose body is what ``emit`` writes."""
    from numba.core import typing
    from numba.extending import intrinsic

    signature = typing.signature(result, *operands)

    def one(typing_context: Any, a: Any) -> Any:
        return signature, emit

    def two(typing_context: Any, a: Any, b: Any) -> Any:
        return signature, emit

    def three(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
        return signature, emit

    return intrinsic((one, two, three)[len(operands) - 1])


@functools.cache
def machine(name: str) -> Any:
    """Return a machine operation or a function of C's library, callable from compiled code.

    Parameters
    ----------
    name : str
        One of `LLVM` or `LIBM`, ``"bits"`` or ``"from_bits"``.
    """
    from llvmlite import ir
    from numba import types

    if name in LLVM:
        return _emitted(f"llvm.{name}.f64", LLVM[name])
    if name in LIBM:
        return _emitted(name, LIBM[name], attributes=("nounwind",))
    if name == "ldexp":

        def emit_ldexp(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            from numba.core import cgutils

            kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType(), ir.IntType(32)])
            function = cgutils.get_or_insert_function(builder.module, kind, "ldexp")
            return builder.call(function, arguments)

        return _intrinsic(types.float64, (types.float64, types.int32), emit_ldexp)
    target, source, kind = {
        "bits": (types.int64, types.float64, ir.IntType(64)),
        "from_bits": (types.float64, types.int64, ir.DoubleType()),
    }[name]

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], kind)

    return _intrinsic(target, (source,), emit)


# -- memory ----------------------------------------------------------------------------------------

BARRIER = 'asm sideeffect "", ""'
"""What keeps Numba from making vectors of a loop: an empty piece of assembly, as LLVM prints it.

Numba would do it before the number of lanes is known, for any number, with a loop for what is left
over, another one for what that leaves over, and so on. `building` takes these lines out.
"""


@functools.cache
def memory() -> dict[str, Any]:
    """Return how compiled loops over lanes read and write rows, by name.

    ``read(pointer, i)`` gives a float64; ``write(pointer, i, x)`` and ``accumulate(pointer, i, x)``
    set and add to a number. What is read with ``read`` is no place that the same call of a kernel
    writes: LLVM is told so, and need not prove it, which it cannot where an index says which rows.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import typing
    from numba.extending import intrinsic

    def mark(module: Any, instruction: Any, kind: str) -> Any:
        domain = module.add_metadata(["autograd_lite rows"])
        instruction.set_metadata(kind, module.add_metadata([module.add_metadata(["read", domain])]))
        return instruction

    def leave_for_later(builder: Any) -> None:
        builder.asm(ir.FunctionType(ir.VoidType(), []), "", "", [], side_effect=True)

    def place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_data_type(signature.args[0].dtype)
        return builder.gep(arguments[0], [arguments[1]], source_etype=kind), kind

    def loaded(builder: Any, at: Any, kind: Any, mark_as: str) -> Any:
        return mark(builder.module, builder.load(at, typ=kind), mark_as)

    @intrinsic  # type: ignore[untyped-decorator]
    def read(typing_context: Any, pointer: Any, i: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            at, kind = place(context, builder, signature, arguments)
            found = loaded(builder, at, kind, "alias.scope")
            return context.cast(builder, found, pointer.dtype, types.float64)

        return typing.signature(types.float64, pointer, types.int64), emit

    @intrinsic  # type: ignore[untyped-decorator]
    def write(typing_context: Any, pointer: Any, i: Any, x: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            at, _ = place(context, builder, signature, arguments)
            mark(builder.module, builder.store(arguments[2], at), "noalias")
            leave_for_later(builder)
            return context.get_dummy_value()

        return typing.signature(types.void, pointer, types.int64, pointer.dtype), emit

    @intrinsic  # type: ignore[untyped-decorator]
    def accumulate(typing_context: Any, pointer: Any, i: Any, x: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            at, kind = place(context, builder, signature, arguments)
            whole = builder.fadd(loaded(builder, at, kind, "noalias"), arguments[2])
            mark(builder.module, builder.store(whole, at), "noalias")
            leave_for_later(builder)
            return context.get_dummy_value()

        return typing.signature(types.void, pointer, types.int64, pointer.dtype), emit

    return {"read": read, "write": write, "accumulate": accumulate}


WIDTH = 8
"""How many numbers `gathering` puts next to each other: a vector of AVX-512."""


@functools.cache
def gathering() -> dict[str, Any]:
    """Return how compiled loops bring numbers next to each other in a block, by name.

    For k below `WIDTH`, ``gather(block, i, source, index, first, step, last)`` writes
    ``block[i + k] = source[index[first + min(i + k, last) * step]]``, and
    ``take(block, i, source, first, last)`` the same of ``source[first + min(i + k, last)]``. The
    numbers are put together in a register: read as a vector from where they were written one by
    one, they would have to reach the cache first.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import typing
    from numba.extending import intrinsic

    whole = types.int64

    def emitted(context: Any, builder: Any, signature: Any, arguments: Any, read: Any) -> Any:
        block, i, source, *_, last = arguments
        number = signature.args[2].dtype
        kind = context.get_data_type(number)
        vector = ir.VectorType(ir.DoubleType(), WIDTH)
        found = ir.Constant(vector, ir.Undefined)
        for k in range(WIDTH):
            row = builder.add(i, ir.Constant(i.type, k))
            row = builder.select(builder.icmp_signed("<", row, last), row, last)
            x = builder.load(builder.gep(source, [read(row)], source_etype=kind), typ=kind)
            x = context.cast(builder, x, number, types.float64)
            found = builder.insert_element(found, x, ir.Constant(ir.IntType(32), k))
        to = builder.gep(block, [i], source_etype=ir.DoubleType())
        builder.store(found, builder.bitcast(to, vector.as_pointer()), align=WIDTH * 8)
        return context.get_dummy_value()

    @intrinsic  # type: ignore[untyped-decorator]
    def gather(
        typing_context: Any,
        block: Any,
        i: Any,
        source: Any,
        index: Any,
        first: Any,
        step: Any,
        last: Any,
    ) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            *_, index, first, step, _ = arguments
            kind = ir.IntType(32)

            def read(row: Any) -> Any:
                place = builder.add(first, builder.mul(row, step))
                at = builder.gep(index, [place], source_etype=kind)
                return builder.sext(builder.load(at, typ=kind), row.type)

            return emitted(context, builder, signature, arguments, read)

        return typing.signature(types.void, block, whole, source, index, *[whole] * 3), emit

    @intrinsic  # type: ignore[untyped-decorator]
    def take(typing_context: Any, block: Any, i: Any, source: Any, first: Any, last: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            def read(row: Any) -> Any:
                return builder.add(arguments[3], row)

            return emitted(context, builder, signature, arguments, read)

        return typing.signature(types.void, block, whole, source, whole, whole), emit

    return {"gather": gather, "take": take}


TILE = 8
"""Rows and columns of what `tile_turner` turns: a cache line of float64 in every row."""


@functools.cache
def tile_turner(*, streams: bool = False) -> Any:
    """Return a compiled function that writes a tile of a matrix the other way round.

    ``turn(source, start, step, target, begin, pace)``: for i and j below `TILE`,
    ``target[begin + j * pace + i] = source[start + i * step + j]``. All of the tile is read first,
    row by row, and stays in registers: pairs of rows exchange halves, then quarters, then eighths.

    With ``streams``, the tile is written past the caches, to rows that begin at a multiple of its
    width.
    """
    from llvmlite import ir
    from numba import types
    from numba.core import typing
    from numba.extending import intrinsic

    def exchanged(builder: Any, rows: list[Any], width: int) -> list[Any]:
        """Exchange parts of so many numbers between rows that are as far apart."""
        found = list(rows)
        for i in range(TILE):
            if not i & width:
                a, b = rows[i], rows[i + width]
                for row, part in ((i, 0), (i + width, width)):
                    places = [
                        part + j if not j & width else TILE + part + j - width for j in range(TILE)
                    ]
                    mask = ir.Constant(ir.VectorType(ir.IntType(32), TILE), places)
                    found[row] = builder.shuffle_vector(a, b, mask)
        return found

    @intrinsic  # type: ignore[untyped-decorator]
    def turn(
        typing_context: Any, source: Any, start: Any, step: Any, target: Any, begin: Any, pace: Any
    ) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            source_at, start_at, step_by, target_at, begin_at, pace_by = arguments
            kind = context.get_data_type(source.dtype)
            vector = ir.VectorType(kind, TILE)

            def place(base: Any, first: Any, by: Any, i: int) -> Any:
                offset = builder.add(first, builder.mul(by, ir.Constant(by.type, i)))
                at = builder.gep(base, [offset], source_etype=kind)
                return builder.bitcast(at, vector.as_pointer())

            size = source.dtype.bitwidth // 8
            rows = [
                builder.load(place(source_at, start_at, step_by, i), align=size)
                for i in range(TILE)
            ]
            for width in (4, 2, 1):
                rows = exchanged(builder, rows, width)
            for j, row in enumerate(rows):
                at = place(target_at, begin_at, pace_by, j)
                stored = builder.store(row, at, align=TILE * size if streams else size)
                if streams:
                    one = ir.Constant(ir.IntType(32), 1)
                    stored.set_metadata("nontemporal", builder.module.add_metadata([one]))
            return context.get_dummy_value()

        return typing.signature(
            types.void, source, types.int64, types.int64, target, types.int64, types.int64
        ), emit

    return turn
