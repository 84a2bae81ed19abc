"""Kernels of the primitives with one, two or three operands, made from their formulas.

A forward kernel computes the rows of a run from the rows of their operands; a backward kernel adds
to the operands' adjoints what the chain rule says. Partials are computed from operands and result,
as the formulas want; but where value and partial have most of their work in common, the forward
kernel can keep the partial. `building` compiles what is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from autograd_lite.native.kernels.blocks import room
from autograd_lite.native.kernels.intrinsics import gathering, memory
from autograd_lite.native.kernels.loops import (
    LETTERS,
    PARTS,
    Outline,
    over_lanes,
    over_points,
    side_by_side,
)
from autograd_lite.native.kernels.translation import Untranslatable, translated
from autograd_lite.native.kernels.vector_math import (
    circular,
    cos,
    exp_within,
    in_exp_range,
    in_log_range,
    in_reciprocal_range,
    in_sine_range,
    in_tanh_range,
    log_within,
    sin,
    tanh_partial_within,
    tanh_within,
)
from autograd_lite.primitives import Primitive, Variadic, is_stated

DIRECTIONS = ("forward", "backward")
WRITERS = {"point": over_points, "together": side_by_side, "lanes": over_lanes}

_IN_BOTH = "expm1 sin cos sinh cosh tanh sigmoid softplus log_sigmoid silu"
SLOW = {"forward": f"{_IN_BOTH} sqrt exp exp2 log log1p", "backward": _IN_BOTH}
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
    return is_stated(primitive) and primitive.name in SLOW[direction].split()


class Special(NamedTuple):
    """Formulas that are faster, but do not hold for all operands; others take those of the table.

    Attributes
    ----------
    holds : callable
        Tells of operands whether the formulas hold for them.
    value : callable, optional
    partials : tuple of callables, None where there is none
    points : bool
        Whether they are faster for points too.
    """

    holds: Callable[..., bool]
    value: Callable[..., float] | None = None
    partials: tuple[Callable[..., float] | None, ...] = ()
    points: bool = False

    def formulas(self, names: Collection[str]) -> dict[str, Callable[..., float]]:
        """Return those that stand for some of the primitive's formulas, by their names."""
        given = zip(PARTS, (self.value, *self.partials), strict=False)
        return {name: formula for name, formula in given if name in names and formula is not None}


def _is_product(a: float, b: float) -> bool:
    return b == 2.0 or b == 3.0 or b == -1.0


def _product(a: float, b: float) -> float:
    return a * a if b == 2.0 else a * a * a if b == 3.0 else 1.0 / a


def _product_partial(a: float, b: float, y: float) -> float:
    return 2.0 * a if b == 2.0 else 3.0 * (a * a) if b == 3.0 else -y * y


def _has_reciprocal(a: float, b: float) -> bool:
    return in_reciprocal_range(b)


SPECIAL = {
    "/": Special(_has_reciprocal, partials=(None, lambda a, b, y: -y * (1.0 / b))),
    "exp": Special(in_exp_range, exp_within),
    "log": Special(in_log_range, log_within),
    "sin": Special(in_sine_range, sin, (lambda x, y: cos(x),)),
    "cos": Special(in_sine_range, cos, (lambda x, y: -sin(x),)),
    "tanh": Special(in_tanh_range, partials=(tanh_partial_within,)),
    "**": Special(_is_product, _product, (_product_partial,), points=True),
}
"""What may differ from libm in the last places, but is several times as fast."""

SHARED = {
    "sin": Special(in_sine_range, lambda x: circular(x)[0], (lambda x, y: circular(x)[1],)),
    "cos": Special(in_sine_range, lambda x: circular(x)[1], (lambda x, y: -circular(x)[0],)),
    "tanh": Special(in_tanh_range, lambda x: tanh_within(x)[0], (lambda x, y: tanh_within(x)[1],)),
}
"""What takes its place over lanes: value and partial from one formula, so that this can be kept."""

IN_ONE = ("*", "/")
"""Primitives whose partials are computed in one loop: they share operands, or a reciprocal."""


def can_keep(primitive: Primitive | Variadic) -> bool:
    """Tell whether a kernel over lanes can compute value and partial together, and keep this one.

    Examples
    --------
    >>> from autograd_lite.native.kernels.elementwise import can_keep
    >>> from autograd_lite.primitives import TABLE
    >>> can_keep(TABLE["tanh"]), can_keep(TABLE["exp"])
    (True, False)
    """
    return is_stated(primitive) and primitive.name in SHARED


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
    return is_stated(primitive) and direction not in NOT_PYTHONS.get(primitive.name, ())


def elementwise_kernel(
    primitive: Primitive,
    direction: str,
    mask: Sequence[bool],
    layout: str,
    *,
    accurate: bool = False,
    sole: Sequence[bool] = (False, False, False),
    keeps: bool = False,
    dtype: str = "float64",
) -> Callable[..., None]:
    """Return the kernel of a primitive as a Python function for `building.address`.

    Every row of a run, forwards::

        v[row] = value(v[operand], …)

    or, in the opposite order of rows, for one needed operand after the other::

        g[operand] += g[adjoint] * partial(v[operand], …, v[row])

    for every lane. Over lanes, ``index`` begins with the row of every row's adjoint, which may be
    that of another one; else it is the row itself. Several operands may be one row, and several
    results may share operands; but in lanes no result may be an operand in the same run, and no
    adjoint that is read one that is written, which the compiler relies on. Formulas are evaluated
    in float64, and their results rounded to the numbers' type.

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
    keeps : bool
        In lanes, of a primitive of which `can_keep` tells so: the forward kernel also writes the
        partial, ``v[row + stop - start] = partial(v[operand], v[row])``, so a run of n rows has n
        more behind it; the backward kernel takes it from there.
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
    forward = direction == "forward"
    special = None if accurate else _special(primitive, layout)
    outline = Outline(
        primitive.arity, forward, mask, sole, (), keeps or primitive.name in IN_ONE, keeps
    )
    used = () if keeps and not forward else outline.results
    names = _formulas(primitive, used, vectorised)
    quick = {} if special is None else special.formulas(used)
    if special is not None and quick:
        names["holds"] = translated(special.holds, vectorised=vectorised)
        names |= {f"quick_{x}": translated(quick[x], vectorised=vectorised) for x in quick}
    if layout == "together":
        names |= {"block": room(), **gathering()}
    text = "\n".join(WRITERS[layout](outline._replace(quick=quick)))
    import numba

    names |= {"T": getattr(numba, dtype), "float64": numba.float64, "int64": numba.int64}
    names |= memory()
    exec(compile(text, f"<{primitive.name} {direction} {layout}>", "exec"), names)
    kernel: Callable[..., None] = names["kernel"]
    return kernel


def _special(primitive: Primitive, layout: str) -> Special | None:
    """Return the faster formulas for a layout, if there are any."""
    if not is_stated(primitive):
        return None
    if layout == "lanes" and primitive.name in SHARED:
        return SHARED[primitive.name]
    special = SPECIAL.get(primitive.name)
    return special if special is None or layout != "point" or special.points else None


def _formulas(primitive: Primitive, used: Collection[str], vectorised: bool) -> dict[str, Any]:
    """Return the translations of the formulas that a kernel needs, by the names it gives them."""
    if primitive.arity > len(LETTERS):
        raise Untranslatable(
            f"{primitive.name} has {primitive.arity} operands; kernels are for at most 3"
        )
    all_of_it: list[Callable[..., Any]] = [primitive, *primitive.partials]
    given = {name: x for name, x in zip(PARTS, all_of_it, strict=False) if name in used}
    found = {name: translated(formula, vectorised=vectorised) for name, formula in given.items()}
    if not is_stated(primitive):
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
