"""Compiled kernels: the address of a loop's machine code, compiled once per machine.

A kernel is a plain Python function on pointers. Numba turns it into LLVM's language, LLVM turns
that into an object file, which is kept on disk; a later process loads the file with llvmlite alone,
since importing Numba costs more than a whole training run of a small network.

Every kernel is written with the same parameters, for T = float64 or float32::

    kernel(v: T*, g: T*, u: T*, gu: T*, index: int32*, labels: int32*,
           first: int64, start: int64, stop: int64, lanes: int64) -> None
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

from autograd_lite.native.kernels import caching
from autograd_lite.native.kernels.convention import (
    CONTEXT,
    HEAD,
    NUMBERS,
    PARAMETERS,
    RECORD,
    kinds,
    loaded_fields,
)
from autograd_lite.native.kernels.intrinsics import BARRIER

DTYPES = ("float64", "float32")
STRIP = 16
"""A number of lanes that kernels are compiled for, besides any number: two vectors of AVX-512."""

NEEDED = ("numpy", "llvmlite", "numba")

Make = Callable[[], Callable[..., None] | str]
"""Gives a kernel as a Python function that Numba compiles, or as text in LLVM's language.

The text defines ``kernel``, which may have parameters of its own.
"""

_lock = RLock()
_loaded: dict[tuple[str, str], int] = {}
_own: WeakKeyDictionary[Any, dict[tuple[str, str], tuple[int, Any]]] = WeakKeyDictionary()


def missing_packages() -> tuple[str, ...]:
    """Return which of the packages that kernels need are not installed."""
    return tuple(
        name
        for name in NEEDED
        if sys.modules.get(name) is None and (name in sys.modules or find_spec(name) is None)
    )


def is_available() -> bool:
    """Tell whether kernels can be compiled here: whether NumPy, Numba and llvmlite are installed.

    Examples
    --------
    >>> from autograd_lite.native.kernels import building
    >>> building.is_available() == (not building.missing_packages())
    True
    """
    return not missing_packages()


def why_unavailable() -> str:
    """Return what to install for kernels, as a sentence; "" if all is there."""
    missing = missing_packages()
    if not missing:
        return ""
    which = " and ".join(missing) + (" is" if len(missing) == 1 else " are")
    return f'{which} not installed; for native speed: pip install "autograd-lite[fast]"'


def address(
    key: str,
    make: Make,
    dtype: str = "float64",
    *,
    owner: object | None = None,
    in_strips: bool = False,
) -> int:
    """Return the address of a kernel, compiling it if no process on this machine has yet.

    Parameters
    ----------
    key : str
        What the kernel is, such as ``"tanh backward 10 lanes"``. Equal keys mean equal kernels.
    make : callable
        Gives the kernel: a Python function with the parameters above, or text in LLVM's language
        that defines ``kernel``. Called only if the kernel has to be compiled; when the text of the
        module changes where this is defined, or of a module beside this one, it will be again.
    dtype : {"float64", "float32"}
    owner : object, optional
        Whatever a kernel outside this package's source text is made from, such as a `Primitive` of
        the user's own. Such a kernel is never kept on disk, since its formula may be another
        tomorrow, and it is freed together with its owner.
    in_strips : bool
        Whether the kernel is compiled for a `STRIP` of lanes as well, since a loop of constant
        length becomes a few instructions.

    Returns
    -------
    int
        It stays valid for the life of the process, or of ``owner``.

    Raises
    ------
    ImportError
        If NumPy, Numba or llvmlite is missing.

    Examples
    --------
    >>> from autograd_lite.native.kernels import building
    >>> from autograd_lite.native.kernels.convention import callable_at
    >>> def twice(v, g, u, gu, index, labels, first, start, stop, lanes):
    ...     for row in range(start, stop):
    ...         v[row] = 2.0 * v[index[first + row - start]]
    >>> import numpy as np
    >>> v, index = np.array([3.0, 0.0]), np.array([0], dtype=np.int32)
    >>> at = building.address("twice", lambda: twice, owner=twice)
    >>> callable_at(at)(v.ctypes.data, 0, 0, 0, index.ctypes.data, 0, 0, 1, 2, 1)
    >>> v.tolist()
    [3.0, 6.0]
    """
    known = (key, dtype)
    if owner is None:
        found = _loaded.get(known)
        if found is None:
            with _lock:
                found = _loaded.get(known)
                if found is None:
                    found = _from_disk_or_compiled(key, make, dtype, in_strips)
                    _loaded[known] = found
        return found
    _check_available()
    with _lock:
        kernels = _own.setdefault(owner, {})
        if known not in kernels:
            engine = _new_engine()
            compiled = _compiled(make(), dtype, "kernel", in_strips)
            kernels[known] = _load(engine, *compiled, "kernel"), engine
        return kernels[known][0]


def _check_available() -> None:
    if not is_available():
        raise ImportError(why_unavailable())


def _from_disk_or_compiled(key: str, make: Make, dtype: str, in_strips: bool) -> int:
    _check_available()
    symbol = f"kernel_{hashlib.sha256(f'{key} {dtype}'.encode()).hexdigest()[:32]}"
    name = caching.file_name(key, dtype, make.__module__)
    content = caching.read(name) if name is not None else None
    if content is None:
        symbols, machine_code = _compiled(make(), dtype, symbol, in_strips)
        if name is not None and all(_of_mathematics(needed) for needed in symbols):
            caching.write(name, " ".join(symbols).encode() + b"\n" + machine_code)
    else:
        first_line, _, machine_code = content.partition(b"\n")
        symbols = first_line.decode().split()
    return _load(_shared_engine(), symbols, machine_code, symbol)


# -- from a function to machine code ---------------------------------------------------------------


def target_machine() -> Any:
    """Return LLVM's description of this machine's processor."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        jit=True,
    )


def _compiled(
    made: Callable[..., None] | str, dtype: str, symbol: str, in_strips: bool
) -> tuple[list[str], bytes]:
    """Return which outside functions the machine code needs, and an object file of it."""
    machine = target_machine()
    module = optimised(made, dtype, symbol, in_strips, machine)
    symbols = [thing.name for thing in module.functions if thing.is_declaration]
    symbols += [thing.name for thing in module.global_variables if thing.is_declaration]
    symbols = [name for name in symbols if not name.startswith("llvm.")]
    return symbols, machine.emit_object(module)


def optimised(
    made: Callable[..., None] | str, dtype: str, symbol: str, in_strips: bool, machine: Any
) -> Any:
    """Return LLVM's module of a kernel, optimised for a machine."""
    import llvmlite.binding as llvm

    text = made if isinstance(made, str) else _translated(made, dtype, in_strips)
    module = llvm.parse_assembly(text)
    module.verify()
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    for thing in (*module.functions, *module.global_variables):
        if thing.name == "kernel":
            thing.name = symbol
        elif not thing.is_declaration:
            thing.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_strip_dead_prototype_pass()
    tuning = llvm.create_pipeline_tuning_options()
    tuning.loop_unrolling = False  # a loop that is unrolled becomes no vectors
    builder = llvm.create_pass_builder(machine, tuning)
    passes.run(module, builder)  # now the length of loops is known, where it is constant
    builder.getModulePassManager().run(module, builder)
    return module


def _translated(kernel: Callable[..., None], dtype: str, in_strips: bool) -> str:
    """Compile with Numba; return LLVM's text, with ``kernel`` as a plain C function in it."""
    import numba

    number, index = getattr(numba.types, dtype), numba.types.int32
    pointers = [*[number] * 4, index, index]
    signature = numba.void(*map(numba.types.CPointer, pointers), *[numba.int64] * len(NUMBERS))
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    collecting = gc.isenabled()
    gc.disable()  # Numba makes so many objects that collections are a sixth of the time
    try:
        compiled = numba.njit(signature, error_model="numpy", **options)(kernel)
    finally:
        if collecting:
            gc.enable()
    name = compiled.get_compile_result(signature).fndesc.llvm_func_name
    lines = compiled.inspect_llvm(signature.args).splitlines()
    text = "\n".join(line for line in lines if BARRIER not in line)
    # Numba's own convention has two places for results in front, which are of no use here.
    given = ", ".join(f"{kind} %{name}" for name, kind in kinds(PARAMETERS))
    lanes = f"i64 %{PARAMETERS[-1]}"
    choices = {"any": lanes, "strip": f"i64 {STRIP}"} if in_strips else {"any": lanes}
    calls = "".join(
        f"""
{label}:
  %status.{label} = call i32 @"{name}"(ptr %result, ptr %exception,
                                       {given.replace(lanes, count)}) alwaysinline
  ret void
"""
        for label, count in choices.items()
    )
    others = f"i64 {STRIP}, label %strip" if in_strips else ""
    return f"""{text}
{HEAD}
  %result = alloca ptr
  %exception = alloca ptr
{loaded_fields("context", kinds(CONTEXT))}
{loaded_fields("record", kinds(RECORD[2:]), start=2)}
  switch {lanes}, label %any [{others}]
{calls}
}}
"""


# -- from machine code to an address ---------------------------------------------------------------


@cache
def _shared_engine() -> Any:
    return _new_engine()


def _new_engine() -> Any:
    import llvmlite.binding as llvm

    machine = target_machine()
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def _load(engine: Any, symbols: list[str], machine_code: bytes, symbol: str) -> int:
    """Load machine code, after a check that nothing is missing: LLVM would end the process."""
    import llvmlite.binding as llvm

    for name in symbols:
        if llvm.address_of_symbol(name) is None:
            found = _of_mathematics(name)
            if found is None:
                raise ImportError(f"a kernel needs the function {name}, which this system lacks")
            llvm.add_symbol(name, found)
    engine.add_object_file(llvm.ObjectFileRef.from_data(machine_code))
    engine.finalize_object()
    return int(engine.get_function_address(symbol))


@cache
def _mathematics() -> ctypes.CDLL:
    """Return the C library of mathematical functions."""
    names = {"win32": "ucrtbase", "darwin": "libm.dylib"}
    return ctypes.CDLL(names.get(sys.platform, "libm.so.6"))


@cache
def _of_mathematics(name: str) -> int | None:
    """Return the address of a function of the C library, None if it has no such function."""
    try:
        return ctypes.cast(getattr(_mathematics(), name), ctypes.c_void_p).value
    except (AttributeError, OSError):
        return None
