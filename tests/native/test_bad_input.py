"""What compiled functions say to what they cannot use: one sentence each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite
from autograd_lite import SlipWarning, Value
from autograd_lite.native.programs import backend, capacity

ROOT = Path(__file__).parent.parent.parent


@autograd_lite.compile
def product(x: Any, y: Any) -> Any:
    return x * y


@autograd_lite.compile
def first(p: Any) -> Any:
    return p[0] * 2.0


w = Value(2.0, label="w")
step = autograd_lite.compile(lambda x: w * x[0], parameters=[w])


# -- arguments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: product("1", 2.0), TypeError, "argument 0, got str: '1'; convert text first"),
        (lambda: product(1.0, None), TypeError, "a list or an array for argument 1, got NoneType"),
        (lambda: product(1.0, {"a": 1.0}), TypeError, "argument 1, got dict"),
        (lambda: product(1.0, 2j), TypeError, "argument 1, got complex: 2j"),
        (lambda: first(["a"]), TypeError, "numbers in the lists of argument 0, got str: 'a'"),
        (lambda: first([np.ones(2)]), TypeError, r"an array of shape \(2,\): pass the array as"),
        (lambda: first(np.array(["a"])), TypeError, "array of numbers for argument 0, got dtype"),
        (lambda: first(np.ones((1, 1)) * 1j), TypeError, "dtype complex128: pass array.real"),
        (
            lambda: first(np.array([[1.0], [1.0, 2.0]], dtype=object)),
            TypeError,
            r"one of objects \(dtype=object\): rows of different lengths cannot be lanes",
        ),
        (lambda: first(np.empty((0, 2))), ValueError, "at least one lane, got an empty batch in"),
        (
            lambda: product(np.ones(3), np.ones(4)),
            ValueError,
            r"same number of lanes \(axis 0\), got 3 lanes in argument 0 and 4 in argument 1",
        ),
        (lambda: step([]), ValueError, "at least one lane, got an empty batch in argument 0"),
        (
            lambda: step([[1.0], [1.0, 2.0]]),
            ValueError,
            r"one structure in argument 0, got \[number\] in row 0 and \[number, number\] in row 1",
        ),
        (lambda: step([["a"], ["b"]]), TypeError, "numbers in the lists of argument 0, got str"),
        (lambda: step.grad([[1.0]]), TypeError, "grad is for programs without parameters="),
        (lambda: autograd_lite.compile(lambda: w).grad(), TypeError, "grad expected arguments"),
        (lambda: product(1.0), TypeError, "missing 1 required positional argument: 'y'"),
        (lambda: product.hvp(1.0, 2.0), TypeError, "hvp expected a tuple of arguments, one per"),
    ],
)
def test_arguments(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as raised:
        call()
    assert "\n" not in str(raised.value)


# -- what compile is given -------------------------------------------------------------------------


async def asynchronous(x: Any) -> Any:
    return x


async def streaming(x: Any) -> AsyncIterator[Any]:
    yield x


def generator(x: Any) -> Iterator[Any]:
    yield x


@pytest.mark.parametrize(
    ("function", "options", "kind", "message"),
    [
        (3.0, {}, TypeError, "compile expected a function, got 3.0"),
        (Value, {}, TypeError, "compile expected a function, got the class Value"),
        (asynchronous, {}, TypeError, "got an asynchronous one: asynchronous"),
        (streaming, {}, TypeError, "got an asynchronous one: streaming"),
        (generator, {}, TypeError, "got a generator: generator"),
        (abs, {"exact": 1}, TypeError, "exact=True or False, got 1"),
        (abs, {"dtype": "float16"}, ValueError, "'float64' or 'float32', got 'float16'"),
        (abs, {"threads": 0}, ValueError, "one thread or more, got 0"),
        (abs, {"threads": 1.5}, TypeError, "a whole number of threads, got 1.5"),
        (abs, {"parameters": []}, ValueError, "at least one parameter, got an empty list"),
        (abs, {"parameters": w}, TypeError, "a list of parameters, got Value"),
        (abs, {"parameters": {w}}, TypeError, "got a set, which has no order"),
        (abs, {"parameters": [1.0]}, TypeError, "Values as parameters, got float at position 0"),
        (abs, {"parameters": [w * w]}, ValueError, r"leaves as parameters, got the result of '\*'"),
        (abs, {"parameters": [w, w]}, ValueError, "every parameter once, got one twice"),
    ],
)
def test_what_compile_is_given(
    function: Any, options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        autograd_lite.compile(function, **options)


def test_a_module_in_place_of_its_parameters() -> None:
    import nn

    with pytest.raises(TypeError, match=r"got Linear; write parameters=model.parameters\(\)"):
        autograd_lite.compile(abs, parameters=nn.Linear(1, 1))


# -- functions -------------------------------------------------------------------------------------


def test_a_function_without_values() -> None:
    with pytest.raises(TypeError, match=r"this one returned the plain number 3\.0"):
        autograd_lite.compile(lambda x: 3.0)(1.0)
    with pytest.raises(TypeError, match="this one returned None"):
        autograd_lite.compile(lambda x: None)(1.0)


def test_parameters_that_the_function_does_not_use() -> None:
    other = Value(1.0, label="other")
    with pytest.raises(ValueError, match="uses none of the 1 parameters that compile was given"):
        autograd_lite.compile(lambda x: w * x, parameters=[other])([1.0])
    used = autograd_lite.compile(lambda x: w * x, parameters=[w, other])
    with pytest.warns(SlipWarning, match=r"uses 1 of the 2 parameters.* \(other\) get no grad"):
        used([1.0])
    used([1.0])  # said once


def test_several_outputs_have_no_mean() -> None:
    with pytest.raises(TypeError, match=r"program with parameters needs .* one number"):
        autograd_lite.compile(lambda x: [w, x], parameters=[w])([1.0])


def test_a_program_that_is_too_large_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "LARGE", 2**10)
    monkeypatch.setattr(capacity, "available_memory", lambda: 3 * 2**20)
    compiled = autograd_lite.compile(lambda p: p[0] + p[1])
    assert compiled(np.zeros((1000, 2))).shape == (1000,)
    message = r"3 numbers in 200000 lanes would need \d.\d MiB of memory, and 3.0 MiB are avail"
    with pytest.raises(MemoryError, match=message):
        compiled(np.zeros((200_000, 2)))


def test_the_available_memory_is_known() -> None:
    available = capacity.available_memory()
    assert available is not None
    assert 2**20 < available < 2**50


# -- without the extra -----------------------------------------------------------------------------


def without(*packages: str, code: str) -> str:
    """Run code in a process where packages cannot be imported."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({packages!r}))\n"
    done = subprocess.run(
        [sys.executable, "-c", blocked + code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_numpy_programs_run_as_python_and_say_so_once() -> None:
    code = """
import warnings, autograd_lite
from autograd_lite import Value
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    f = autograd_lite.compile(lambda x, y: x * y if x > 0.0 else x - y)
    w = Value(3.0)
    step = autograd_lite.compile(lambda x, y: (w * x - y) ** 2, parameters=[w])
print(f.value_and_grad(2.0, 3.0), f.grad(-2.0, 3.0), f.hessian(2.0, 3.0))
print(step([1.0, 2.0], [1.0, 2.0]), w.grad)
print([(x.category.__name__, str(x.message), x.filename) for x in seen])
"""
    printed = without("numpy", "numba", "llvmlite", code=code).splitlines()
    assert printed[0] == "(6.0, (3.0, 2.0)) (1.0, -1.0) ((0.0, 1.0), (1.0, 0.0))"
    assert printed[1] == "10.0 10.0"
    ((category, message, file),) = eval(printed[2])
    assert (category, file) == ("RuntimeWarning", "<string>")
    assert "numpy and llvmlite and numba are not installed" in message
    assert "pip install 'autograd-lite[fast]'" in message


def test_one_missing_package_is_told_in_the_singular() -> None:
    code = """
import warnings, autograd_lite
warnings.simplefilter("error")
try:
    autograd_lite.compile(lambda x: x * x)(2.0)
except RuntimeWarning as told:
    print(told)
"""
    assert "since numba is not installed; for native" in without("numba", code=code)


def test_without_numba_single_precision_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "missing", lambda: ("numba",))
    with pytest.raises(ImportError, match=r"compile\(dtype='float32'\) needs numba: pip install"):
        autograd_lite.compile(abs, dtype="float32")


def test_importing_loads_nothing_that_compiles() -> None:
    late = [
        f"autograd_lite.native.{name}"
        for name in ("programs.program", "tracing.recording", "running.plan", "python.plan")
    ]
    assert all(find_spec(name) for name in late)
    code = f"""
import sys, autograd_lite
print({{"numpy", "llvmlite", "numba", *{late!r}}} & set(sys.modules))
"""
    assert without(code=code).strip() == "set()"
