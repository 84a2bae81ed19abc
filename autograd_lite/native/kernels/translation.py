"""Formulas of the table, which are Python functions, as functions that Numba compiles.

A formula calls other primitives, helper functions and Python's mathematics by name. Its translation
is the same code with other things behind the names: translations of the primitives' values and of
the helpers, and IEEE arithmetic where Python's mathematics raises exceptions. So the mathematics
stays stated once. Only what Python does in a way that machine code cannot has a second statement
here, which a test holds to the first: rounding, remainders, powers, ``max`` and ``min``.
"""

from __future__ import annotations

import builtins
import dis
import math
import operator
from collections.abc import Callable
from functools import cache
from threading import RLock
from types import BuiltinFunctionType, CellType, FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from autograd_lite.native.kernels import vector_math
from autograd_lite.native.kernels.intrinsics import (
    LIBM,
    LLVM,
    bits,
    from_bits,
    machine,
    multiply_add,
)
from autograd_lite.primitives import Primitive, activations, elementary, is_stated, rounding
from autograd_lite.primitives.core import plain
from autograd_lite.primitives.elementary import toward_one
from autograd_lite.primitives.ieee import divide, modulo, power


class Untranslatable(ValueError):  # noqa: N818  (it says what the function is)
    """A function that machine code cannot be made from, and why."""


# -- second statements -----------------------------------------------------------------------------


def _divide(a: float, b: float) -> float:
    return a / b


def _modulo(a: float, b: float) -> float:
    """Python's %: C's remainder, moved to the sign of b."""
    rest = math.fmod(a, b)
    if rest != 0.0:
        return rest + b if (b < 0.0) != (rest < 0.0) else rest
    return math.copysign(0.0, b)


def _identity(x: float) -> float:
    return x


def _floor(x: float) -> float:
    return math.copysign(math.floor(x), x)


def _ceil(x: float) -> float:
    return math.copysign(math.ceil(x), x)


def _isfinite(x: float) -> bool:
    return abs(x) < math.inf


def _isinf(x: float) -> bool:
    return abs(x) == math.inf


def _isnan(x: float) -> bool:
    return x != x


def _largest(*numbers: float) -> float:
    found = numbers[0]
    for x in numbers[1:]:
        if x > found:
            found = x
    return found


def _smallest(*numbers: float) -> float:
    found = numbers[0]
    for x in numbers[1:]:
        if x < found:
            found = x
    return found


EXPONENT = 0x7FF0000000000000


def _frexp(x: float) -> tuple[float, int]:
    """Return m and k with x = m · 2ᵏ and ½ ≤ |m| < 1."""
    if x == 0.0 or not abs(x) < math.inf:
        return x, 0
    small = abs(x) < 2.2250738585072014e-308
    found = bits(x * 18014398509481984.0 if small else x)
    exponent = ((found & EXPONENT) >> 52) - (1076 if small else 1022)
    return from_bits((found & ~EXPONENT) | (1022 << 52)), exponent


ALLOWED_BUILTINS = ("abs", "bool", "enumerate", "float", "len", "range", "reversed", "zip")


def _toward_one(*numbers: float) -> float:
    largest = abs(numbers[0])
    for x in numbers[1:]:
        if abs(x) > largest:
            largest = abs(x)
    if not 0.0 < largest < math.inf:
        return 1.0
    exponent = math.frexp(largest)[1]
    return math.ldexp(1.0, min(1 - exponent, 1022))


OPTIONS = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""IEEE arithmetic, and nothing to call it from Python, which would take longer to compile."""


@cache
def _second_statements(vectorised: bool) -> dict[Any, Any]:
    """Return what stands for what: machine operations, or Python functions to translate."""
    names = (*LLVM, *LIBM, "ldexp")
    found: dict[Any, Any] = {
        getattr(math, name): machine(name) for name in names if hasattr(math, name)
    }
    found |= {
        math.floor: machine("floor"),
        math.ceil: machine("ceil"),
        math.frexp: _frexp,
        math.isfinite: _isfinite,
        math.isinf: _isinf,
        math.isnan: _isnan,
        builtins.round: machine("rint"),
        builtins.pow: machine("pow"),
        builtins.max: _largest,
        builtins.min: _smallest,
        operator.abs: machine("fabs"),
        operator.mod: _modulo,
        operator.pow: machine("pow"),
        divide: _divide,
        modulo: _modulo,
        power: machine("pow"),
        plain: _identity,
        toward_one: _toward_one,
        rounding.floor.value: _floor,
        rounding.ceil.value: _ceil,
        rounding.rounded.value: machine("rint"),
        multiply_add: machine("fmuladd"),
        bits: machine("bits"),
        from_bits: machine("from_bits"),
    }
    if vectorised:
        found |= {
            math.exp: vector_math.exp,
            math.expm1: vector_math.expm1,
            math.log: vector_math.log,
            math.log1p: vector_math.log1p,
            math.tanh: vector_math.tanh,
            elementary.tanh.partials[0]: vector_math.tanh_partial,
            math.sinh: vector_math.sinh,
            math.cosh: vector_math.cosh,
            activations.softplus.value: vector_math.softplus,
            activations.log_sigmoid.value: vector_math.log_sigmoid,
            activations.sigmoid.value: vector_math.sigmoid,
            activations.sigmoid.partials[0]: vector_math.sigmoid_partial,
        }
    return found


_translating = RLock()
_translations: WeakKeyDictionary[FunctionType, dict[bool, Any]] = WeakKeyDictionary()


def translated(function: Callable[..., Any], *, vectorised: bool = False) -> Any:
    """Return a function that compiled code can call in place of a Python function.

    Translated are functions and lambdas on numbers and tuples of them, with what Numba compiles
    inside: arithmetic, comparisons, ``if``, loops, unpacking, defaults, ``*numbers``, calls of
    themselves; None and booleans as settings. By name they may use numbers, strings, tuples of
    numbers, `Primitive` objects, other such functions, the modules ``math`` and ``operator``, and
    of the builtins abs, bool, enumerate, float, len, max, min, pow, range, reversed, round and
    zip. What a name stands for is fixed when the translation compiles.

    Division, logarithms and the like give infinities and NaN instead of exceptions, ``%`` written
    as an operator the result of Numba, and ``**`` with a whole number of type int multiplies
    repeatedly; with floats it is C's ``pow``.

    Parameters
    ----------
    function : callable
        A Python function, or a function of ``math`` or ``operator``.
    vectorised : bool
        Take exponentials, logarithms and hyperbolic functions from `vector_math`.

    Returns
    -------
    object
        For use by name within functions that Numba compiles.

    Raises
    ------
    Untranslatable
        If the function, or one that it uses, is or does something else.

    Examples
    --------
    >>> import math
    >>> from numba import njit
    >>> from autograd_lite.native.kernels.translation import translated
    >>> logarithm = translated(lambda x: 2.0 * math.log(x))
    >>> njit(lambda x: logarithm(x))(0.0)
    -inf
    """
    second = _second_statements(vectorised)
    if isinstance(function, Primitive):
        if not is_stated(function) and function.beyond is not None:
            raise Untranslatable(
                f"the primitive {function.name!r} has a function for where Python raises exceptions"
                " (beyond), which compiled code does not"
            )
        function = function.value
    found = second.get(function) if function.__hash__ is not None else None
    if found is not None:
        function = found
    if not isinstance(function, FunctionType):
        if found is not None or (
            isinstance(function, BuiltinFunctionType) and function.__module__ == "_operator"
        ):
            return function
        raise Untranslatable(f"{_called(function)} cannot be compiled")
    with _translating:  # so that no thread takes what another has not finished
        known = _translations.get(function, {}).get(vectorised)
        return known if known is not None else _rebuilt(function, vectorised)


def _rebuilt(function: FunctionType, vectorised: bool) -> Any:
    """Compile a copy of a function that has translations behind the names that it uses."""
    from numba import njit

    _refuse_exceptions(function)
    names: dict[str, Any] = {"__builtins__": builtins}
    cells = tuple(CellType() for _ in function.__closure__ or ())
    copy = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, cells or None
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    compiled = njit(**OPTIONS, forceinline=vectorised)(copy)
    known = _translations.setdefault(function, {})
    known[vectorised] = compiled  # before its names: it may call itself
    try:
        for name in _global_names(function):
            if name in function.__globals__:
                names[name] = _meaning(function.__globals__[name], name, function, vectorised)
            elif hasattr(builtins, name):
                given = getattr(builtins, name)
                if name not in ALLOWED_BUILTINS:
                    names[name] = _meaning(given, name, function, vectorised)
            else:
                raise Untranslatable(f"{_called(function)} uses the name {name!r}, not yet defined")
        for name, cell, given in zip(
            function.__code__.co_freevars, cells, function.__closure__ or (), strict=True
        ):
            cell.cell_contents = _meaning(given.cell_contents, name, function, vectorised)
    except BaseException:
        del known[vectorised]
        raise
    return compiled


def _meaning(given: Any, name: str, user: FunctionType, vectorised: bool) -> Any:
    """Return what compiled code shall find behind a name."""
    if given is math:
        return _mathematics(vectorised)
    if given is operator or given is None or _is_constant(given):
        return given
    if isinstance(given, float):
        return float(given)
    if isinstance(given, Primitive) or callable(given):
        try:
            return translated(given, vectorised=vectorised)
        except Untranslatable as error:
            raise Untranslatable(f"{_called(user)} uses {name}, and {error}") from None
    raise Untranslatable(f"{_called(user)} uses {name}, {type(given).__name__}: not a number")


def _is_constant(given: Any) -> bool:
    if isinstance(given, tuple):
        return all(map(_is_constant, given))
    return type(given) in (float, int, bool, str)


@cache
def _mathematics(vectorised: bool) -> ModuleType:
    """Return Python's module of mathematics with machine operations in it."""
    module = ModuleType("machine_mathematics")
    for name, given in vars(math).items():
        if type(given) is float:
            setattr(module, name, given)
        elif not name.startswith("_") and given in _second_statements(vectorised):
            setattr(module, name, translated(given, vectorised=vectorised))
    return module


def _global_names(function: FunctionType) -> list[str]:
    instructions = dis.get_instructions(function.__code__)
    return sorted({x.argval for x in instructions if x.opname in ("LOAD_GLOBAL", "LOAD_NAME")})


def _refuse_exceptions(function: FunctionType) -> None:
    for instruction in dis.get_instructions(function.__code__):
        if instruction.opname in ("RAISE_VARARGS", "PUSH_EXC_INFO", "SETUP_FINALLY"):
            raise Untranslatable(f"{_called(function)} raises or catches exceptions")
        if instruction.opname in ("IMPORT_NAME", "STORE_GLOBAL", "YIELD_VALUE"):
            raise Untranslatable(f"{_called(function)} does more than compute")


def _called(function: Any) -> str:
    return f"the function {getattr(function, '__qualname__', function)!s}"
