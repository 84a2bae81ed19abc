"""Kernels of the primitives with one, two or three operands, made from their formulas.

A forward kernel computes the rows of a run from the rows of their operands; a backward kernel adds
to the operands' adjoints what the chain rule says. Partials are computed from operands and result,
as the formulas want; nothing is kept from the forward pass. `building` compiles what is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from autograd_lite.native.kernels.blocks import BLOCK, room
from autograd_lite.native.kernels.intrinsics import memory
from autograd_lite.native.kernels.translation import Untranslatable, translated
from autograd_lite.native.kernels.vector_math import cos, in_sine_range, sin
from autograd_lite.primitives import TABLE, Primitive, Variadic
from autograd_lite.primitives.arithmetic import to_the_power

DIRECTIONS = ("forward", "backward")
LETTERS = "abc"
PARTS = ("value", "partial_a", "partial_b", "partial_c")


WIDTH = 8
"""How many rows of a point go into one vector (of AVX-512)."""

SLOW = {
    "forward": "exp exp2 expm1 log log1p sin cos sinh cosh tanh sigmoid softplus log_sigmoid silu",
    "backward": "expm1 sin cos sinh cosh tanh sigmoid softplus log_sigmoid silu",
}
"""Primitives for which bringing operands side by side takes less time than it saves."""


def pays_together(primitive: Primitive, direction: str) -> bool:
    """Tell whether the kernel of the layout "together" is the faster one for eight rows or more.

    Examples
    --------
    >>> from autograd_lite.native.kernels.elementwise import pays_together
    >>> from autograd_lite.primitives import TABLE
    >>> pays_together(TABLE["sin"], "forward"), pays_together(TABLE["*"], "forward")
    (True, False)
    """
    return _is_of_table(primitive) and primitive.name in SLOW[direction].split()


class Special(NamedTuple):
    """Formulas for operands that pass a test; others take those of the table."""

    test: Callable[..., bool]
    value: Callable[..., float]
    partials: tuple[Callable[..., float], ...]
    points: bool = False


def _is_product(a: float, b: float) -> bool:
    return b == 2.0 or b == 3.0 or b == -1.0


def _product(a: float, b: float) -> float:
    return a * a if b == 2.0 else a * a * a if b == 3.0 else 1.0 / a


def _product_partial(a: float, b: float, y: float) -> float:
    return 2.0 * a if b == 2.0 else 3.0 * (a * a) if b == 3.0 else -y * y


SPECIAL = {
    "sin": Special(in_sine_range, sin, (lambda x, y: cos(x),)),
    "cos": Special(in_sine_range, cos, (lambda x, y: -sin(x),)),
    "**": Special(_is_product, _product, (_product_partial, to_the_power.partials[1]), points=True),
}
"""What may differ from libm in the last places, but is several times as fast."""

NOT_PYTHONS = {
    "hypot": DIRECTIONS,
    "norm": DIRECTIONS,
    "atan": ("backward",),
    "asinh": ("backward",),
}


def matches_python(primitive: Primitive | Variadic, direction: str) -> bool:
    """Tell whether an accurate kernel on float64 gives the bits of Python's own evaluation.

    Python's functions of mathematics are C's, with checks around them; so all of the table matches
    but what needs `math.hypot`, for which Python has an algorithm of its own: hypot, norm, and the
    derivatives of atan and asinh. A user's primitive does not count as matching, since a
    whole-number power, an int or ``%`` in it can be another thing in machine code.

    Parameters
    ----------
    primitive : Primitive or Variadic
    direction : {"forward", "backward"}

    Examples
    --------
    >>> from autograd_lite.native.kernels.elementwise import matches_python
    >>> from autograd_lite.primitives import TABLE
    >>> matches_python(TABLE["tanh"], "backward"), matches_python(TABLE["hypot"], "forward")
    (True, False)
    """
    return TABLE.get(primitive.name) is primitive and direction not in NOT_PYTHONS.get(
        primitive.name, ()
    )


def elementwise_kernel(
    primitive: Primitive,
    direction: str,
    mask: Sequence[bool],
    layout: str,
    *,
    accurate: bool = False,
    sole: Sequence[bool] = (False, False, False),
    dtype: str = "float64",
) -> Callable[..., None]:
    """Return the kernel of a primitive as a Python function for `building.address`.

    Every row of a run, forwards::

        v[row] = value(v[operand], …)

    or, in the opposite order of rows, for one needed operand after the other::

        g[operand] += g[row] * partial(v[operand], …, v[row])

    for every lane. Several operands may be one row, and several results may share operands; but in
    lanes no result may be an operand in the same run, which the compiler relies on. Formulas are
    evaluated in float64, and their results rounded to the numbers' type.

    Parameters
    ----------
    primitive : Primitive
        With up to three operands; of the table or a user's own.
    direction : {"forward", "backward"}
    mask : sequence of bool
        Of every operand, whether its adjoint is needed; partials of others are not evaluated.
        Forwards it has no effect.
    layout : {"point", "together", "lanes"}
        Whether rows have one lane, and are computed one by one or some together, or any number.
    accurate : bool
        Take the mathematics of C's library in lanes too, which Python takes, instead of formulas
        that are evaluated for several numbers at once (`vector_math`, `SPECIAL`).
    sole : sequence of bool
        Of every operand, whether this is the first that its adjoint gets: then it is written, in
        lanes, not added to.
    dtype : {"float64", "float32"}

    Returns
    -------
    callable
        With the parameters that `building` states.

    Raises
    ------
    Untranslatable
        If machine code cannot be made from a formula; such a primitive must be called in Python.
    """
    vectorised = layout != "point" and not accurate
    special = SPECIAL.get(primitive.name) if _is_of_table(primitive) else None
    if accurate or (special is not None and layout == "point" and not special.points):
        special = None
    names = _formulas(primitive, direction, mask, vectorised)
    if special is not None:
        names["test"] = translated(special.test, vectorised=vectorised)
        given = (special.value, *special.partials)
        names |= {
            f"special_{which}": translated(formula, vectorised=vectorised)
            for which, formula in zip(PARTS, given, strict=False)
        }
    if layout == "together":
        lines = _lines_together(primitive.arity, direction, mask, special is not None)
        names["block"] = room()
    else:
        lines = _lines(primitive.arity, direction, mask, sole, layout, special is not None)
    text = "\n".join(lines)
    import numba

    names |= {"T": getattr(numba, dtype), "float64": numba.float64, "int64": numba.int64}
    names |= memory()
    exec(compile(text, f"<{primitive.name} {direction} {layout}>", "exec"), names)
    kernel: Callable[..., None] = names["kernel"]
    return kernel


def _is_of_table(primitive: Primitive) -> bool:
    return TABLE.get(primitive.name) is primitive


def _formulas(
    primitive: Primitive, direction: str, mask: Sequence[bool], vectorised: bool
) -> dict[str, Any]:
    """Return the translations of the formulas that a kernel needs, by the names it gives them."""
    if primitive.arity > len(LETTERS):
        raise Untranslatable(
            f"{primitive.name} has {primitive.arity} operands; kernels are for at most 3"
        )
    given: dict[str, Any] = {"value": primitive}
    if direction == "backward":
        wanted = zip(PARTS[1:], primitive.partials, mask, strict=False)
        given = {name: partial for name, partial, needed in wanted if needed}
    found = {name: translated(formula, vectorised=vectorised) for name, formula in given.items()}
    if not _is_of_table(primitive):
        for name, formula in found.items():
            _check_compiles(primitive, name, formula, primitive.arity + (name != "value"))
    return found


def _check_compiles(primitive: Primitive, name: str, formula: Any, count: int) -> None:
    """Say now whether a user's formula compiles to a number."""
    from numba import float64, njit, types
    from numba.core.errors import NumbaError

    parameters = ", ".join(f"x{i}" for i in range(count))
    names: dict[str, Any] = {"formula": formula}
    exec(f"def called({parameters}): return formula({parameters})", names)
    try:
        compiled = njit((float64,) * count, error_model="numpy")(names["called"])
    except NumbaError as error:
        which = "value" if name == "value" else "partials"
        reason = str(error).strip().splitlines()[-1]
        raise Untranslatable(
            f"the {which} of the primitive {primitive.name!r} cannot be compiled: {reason}"
        ) from error
    result = compiled.nopython_signatures[0].return_type
    if not isinstance(result, types.Float | types.Integer | types.Boolean):
        raise Untranslatable(f"the primitive {primitive.name!r} gives {result}, not a number")


def _lines(
    arity: int,
    direction: str,
    mask: Sequence[bool],
    sole: Sequence[bool],
    layout: str,
    special: bool,
) -> Iterator[str]:
    """Write a kernel: text, since the number of operands differs, and loops over them are slow."""
    letters = LETTERS[:arity]
    forward, lanes = direction == "forward", layout == "lanes"
    times = " * lanes" if lanes else ""
    element = "read(v, {} + lane)" if lanes else "float64(v[{}])"
    operands = ", ".join(map(element.format, letters))
    row = "row" if lanes else "y"
    yield "def kernel(v, g, u, gu, index, labels, first, start, stop, lanes):"
    rows = "start, stop" if forward else "stop - 1, start - 1, -1"
    yield f"    for {row} in range({rows}):"
    yield f"        at = first + {arity} * ({row} - start)"
    if lanes:
        yield "        y = row * lanes"
    for i, x in enumerate(letters):
        yield f"        {x} = int64(index[at + {i}]){times}"

    results = [f"partial_{x}" for x, needed in zip(letters, mask, strict=True) if needed]

    def loops(formula: str, indent: str) -> Iterator[str]:
        """Write a loop per result; "{}(…)" in the formula is the function that gives it."""
        for name in ["value"] if forward else results:
            given = operands if forward else f"{operands}, {element.format('y')}"
            found = formula.replace("…", given).format(name)
            at, x = indent, name[-1]
            if lanes:
                yield f"{at}for lane in range(lanes):"
                at += "    "
            if forward:
                yield at + (f"write(v, y + lane, T({found}))" if lanes else f"v[y] = T({found})")
            elif lanes:
                how = "write" if sole[letters.index(x)] else "accumulate"
                yield f"{at}{how}(g, {x} + lane, T(read(g, y + lane) * ({found})))"
            else:
                yield f"{at}g[{x}] += T(float64(g[y]) * ({found}))"

    if not special:
        yield from loops("{}(…)", " " * 8)
        return
    # A lane's result does not depend on what other lanes of its row hold.
    mixed = f"special_{{0}}(…) if test({operands}) else {{0}}(…)"
    if not lanes:
        yield from loops(mixed, " " * 8)
        return
    yield "        others = 0"
    yield "        for lane in range(lanes):"
    yield f"            if not test({operands}):"
    yield "                others += 1"
    yield "        if others == 0:"
    yield from loops("special_{}(…)", " " * 12)
    yield "        else:"
    yield from loops(mixed, " " * 12)


def _lines_together(
    arity: int, direction: str, mask: Sequence[bool], special: bool
) -> Iterator[str]:
    """Write a kernel for points: some rows at a time, operands brought side by side first.

    The last rows of a run are computed several times, rather than one by one.
    """
    letters = LETTERS[:arity]
    forward = direction == "forward"
    given = ", ".join(f"operand_{x}[i]" for x in letters)
    results = [f"partial_{x}" for x, needed in zip(letters, mask, strict=True) if needed]
    kept = [f"operand_{x}" for x in letters] + ([] if forward else ["result", "adjoint"])
    yield "def kernel(v, g, u, gu, index, labels, first, start, stop, lanes):"
    for name in [*kept, "found"]:
        yield f"    {name} = block(1)"
    yield f"    for begin in range(start, stop, {BLOCK}):"
    yield f"        width = min(stop - begin, {BLOCK})"
    yield f"        padded = (width + {WIDTH - 1}) // {WIDTH} * {WIDTH}"
    yield f"        at = first + {arity} * (begin - start)"
    yield "        for i in range(padded):"
    yield "            row = min(i, width - 1)"
    for slot, x in enumerate(letters):
        yield f"            operand_{x}[i] = v[index[at + {arity} * row + {slot}]]"
    if not forward:
        yield "            result[i] = v[begin + row]"
        yield "            adjoint[i] = g[begin + row]"
    if special:
        yield "        others = 0"
        yield "        for i in range(padded):"
        yield f"            if not test({given}):"
        yield "                others += 1"
    for name in ["value"] if forward else results:
        formula = (
            f"{{}}{name}({given})" if forward else f"adjoint[i] * {{}}{name}({given}, result[i])"
        )
        plain = formula.format("")
        if special:
            yield "        if others == 0:"
            yield "            for i in range(padded):"
            yield f"                found[i] = {formula.format('special_')}"
            yield "        else:"
            yield "            for i in range(padded):"
            yield f"                if test({given}):"
            yield f"                    found[i] = {formula.format('special_')}"
            yield "                else:"
            yield f"                    found[i] = {plain}"
        else:
            yield "        for i in range(padded):"
            yield f"            found[i] = {plain}"
        yield "        for i in range(width):"
        if forward:
            yield "            v[begin + i] = T(found[i])"
        else:
            slot = letters.index(name[-1])
            yield f"            g[index[at + {arity} * i + {slot}]] += T(found[i])"
