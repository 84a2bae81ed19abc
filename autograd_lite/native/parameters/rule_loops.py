"""Loops over the arrays of parameters, in LLVM's language.

``kernel(call)`` takes the address of int64 fields: the addresses of data, of gradients and of
stretches, how many stretches there are, the address of the scalars, and the addresses of the
arrays of the state. A stretch is a start and a stop. Numbers are worked on many at a time, as many
as wide registers hold, after those that would be left over, one by one.

A stretch is gone through from its end: a step of training has just written the last gradients, and
the next one begins with the first weights, so what the caches hold is what is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.native.kernels.convention import loaded_fields

FIELDS = 5
"""How many fields come before the addresses of the state's arrays."""

_TYPES = {"float64": ("double", "f64", 8), "float32": ("float", "f32", 16)}
"""LLVM's names of a type, and how many numbers are worked on at a time."""

_LOOP = """
declare {number} @llvm.sqrt.{short}({number})
declare {number} @llvm.fabs.{short}({number})
declare <{width} x {number}> @llvm.sqrt.v{width}{short}(<{width} x {number}>)
declare <{width} x {number}> @llvm.fabs.v{width}{short}(<{width} x {number}>)

define void @kernel(ptr %call) {{
start:
  %data = load ptr, ptr %call
{fields}
  %count = ptrtoint ptr %count.pointer to i64
{scalars}
  %end = getelementptr [2 x i64], ptr %stretches, i64 %count
  br label %next

next:
  %stretch = phi ptr [ %stretches, %start ], [ %following, %many ]
  %done = icmp eq ptr %stretch, %end
  br i1 %done, label %finished, label %enter

enter:
  %first = load i64, ptr %stretch
  %stop.at = getelementptr i64, ptr %stretch, i64 1
  %stop = load i64, ptr %stop.at
  %following = getelementptr [2 x i64], ptr %stretch, i64 1
  %length = sub i64 %stop, %first
  %rest = and i64 %length, {mask}
  %middle = sub i64 %stop, %rest
  br label %one

one:
  %i.one = phi i64 [ %middle, %enter ], [ %next.one, %work.one ]
  %more.one = icmp slt i64 %i.one, %stop
  br i1 %more.one, label %work.one, label %many

work.one:
{one}
  %next.one = add i64 %i.one, 1
  br label %one

many:
  %above = phi i64 [ %middle, %one ], [ %i.many, %work.many ]
  %more.many = icmp sgt i64 %above, %first
  br i1 %more.many, label %work.many, label %next

work.many:
  %i.many = sub i64 %above, {width}
{many}
  br label %many

finished:
  ret void
}}
"""


def loop_text(
    operations: Sequence[tuple[str, tuple[Any, ...]]],
    stores: Sequence[tuple[str, Any]],
    scalars: int,
    parts: int,
    dtype: str,
) -> str:
    """Return a loop that does operations for every parameter and stores some of their results.

    Parameters
    ----------
    operations : sequence of (name, operands)
        ``("load", (array,))``, with ``"data"``, ``"gradient"`` or ``"part0"`` and so on; or an
        instruction of LLVM on earlier operations, by number, and scalars, as ``"s0"``.
    stores : sequence of (array, operand)
    scalars, parts : int
        How many scalars and arrays of state there are.
    dtype : str
    """
    number, short, width = _TYPES[dtype]
    names = ["gradient", "stretches", "count.pointer", "scalars"]
    names += [f"part{part}" for part in range(parts)]
    fields = loaded_fields("call", [(name, "ptr") for name in names], start=1)
    many = f"<{width} x {number}>"
    loaded = []
    for scalar in range(scalars):
        s = f"%s{scalar}"
        loaded += [
            f"  {s}.at = getelementptr {number}, ptr %scalars, i64 {scalar}",
            f"  {s}.one = load {number}, ptr {s}.at",
            f"  {s}.first = insertelement {many} poison, {number} {s}.one, i64 0",
            f"  {s}.many = shufflevector {many} {s}.first, {many} poison,"
            f" <{width} x i32> zeroinitializer",
        ]
    needed = _needed(operations, [operand for _, operand in stores])
    size = {"double": 8, "float": 4}[number]

    def body(suffix: str, kind: str, bits: str, name: str) -> str:
        """Return the work on some numbers: ``suffix`` says how many."""
        lines = []

        def at(operand: Any) -> str:
            return f"%{operand}.{suffix}" if isinstance(operand, str) else f"%v{operand}.{suffix}"

        def pointer(array: str, line: str) -> str:
            place = f"%{line}.{suffix}.at"
            lines.append(f"  {place} = getelementptr {number}, ptr %{array}, i64 %i.{suffix}")
            return place

        for position, (operation, operands) in enumerate(operations):
            if position not in needed:
                continue
            result = f"  {at(position)} ="
            if operation == "load":
                place = pointer(operands[0], f"v{position}")
                lines.append(f"{result} load {kind}, ptr {place}, align {size}")
            elif operation in ("sqrt", "fabs"):
                lines.append(
                    f"{result} call {kind} @llvm.{operation}.{name}({kind} {at(operands[0])})"
                )
            elif operation.startswith("fcmp"):
                a, b = map(at, operands)
                lines.append(f"  %c{position}.{suffix} = {operation} {kind} {a}, {b}")
                lines.append(f"{result} uitofp {bits} %c{position}.{suffix} to {kind}")
            else:
                lines.append(f"{result} {operation} {kind} {', '.join(map(at, operands))}")
        for array, operand in stores:
            place = pointer(array, f"store.{array}")
            lines.append(f"  store {kind} {at(operand)}, ptr {place}, align {size}")
        return "\n".join(lines)

    return _LOOP.format(
        number=number,
        short=short,
        width=width,
        mask=width - 1,
        fields=fields,
        scalars="\n".join(loaded),
        many=body("many", many, f"<{width} x i1>", f"v{width}{short}"),
        one=body("one", number, "i1", short),
    )


def _needed(operations: Sequence[tuple[str, tuple[Any, ...]]], results: list[Any]) -> set[int]:
    """Return which operations the results depend on."""
    needed: set[int] = set()
    waiting = [result for result in results if isinstance(result, int)]
    while waiting:
        position = waiting.pop()
        if position not in needed:
            needed.add(position)
            waiting += [x for x in operations[position][1] if isinstance(x, int)]
    return needed
