"""What `compile` is given: a function, its parameters, and how to compute it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from autograd_lite.value import Value


def check_function(function: Any) -> None:
    """Refuse what is no function, or gives no results when it is called."""
    if isinstance(function, type) or not callable(function):
        shown = f"the class {function.__name__}" if isinstance(function, type) else repr(function)
        raise TypeError(f"compile expected a function, got {shown}")
    called = function if inspect.isroutine(function) else type(function).__call__
    asynchronous = inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called)
    if asynchronous or inspect.isgeneratorfunction(called):
        raise TypeError(
            "compile expected a function that returns its results, got"
            f" {'an asynchronous one' if asynchronous else 'a generator'}:"
            f" {getattr(function, '__name__', function)!s}"
        )


def check_options(exact: Any, dtype: Any, threads: Any) -> None:
    """Refuse options that do not exist."""
    if not isinstance(exact, bool):
        raise TypeError(f"compile expected exact=True or False, got {exact!r}")
    if dtype not in ("float64", "float32"):
        raise ValueError(f"compile expected dtype='float64' or 'float32', got {dtype!r}")
    if not isinstance(threads, int) or isinstance(threads, bool):
        raise TypeError(f"compile expected a whole number of threads, got {threads!r}")
    if threads < 1:
        raise ValueError(f"compile expected one thread or more, got {threads}")


def checked_parameters(given: Any) -> tuple[Value, ...]:
    """Return the parameters, or say what is wrong with them."""
    if isinstance(given, Value) or not isinstance(given, Iterable):
        hint = "; write parameters=model.parameters()" if hasattr(given, "parameters") else ""
        raise TypeError(f"compile expected a list of parameters, got {type(given).__name__}{hint}")
    if isinstance(given, set | frozenset):
        raise TypeError("compile expected a list of parameters, got a set, which has no order")
    found = tuple(given)
    if not found:
        raise ValueError(
            "compile expected at least one parameter, got an empty list; leave parameters= out for"
            " a function of its arguments alone"
        )
    for position, parameter in enumerate(found):
        if not isinstance(parameter, Value):
            raise TypeError(
                f"compile expected Values as parameters, got {type(parameter).__name__} at"
                f" position {position}"
            )
        if parameter.op:
            raise ValueError(
                f"compile expected leaves as parameters, got the result of {parameter.op!r} at"
                f" position {position}"
            )
    if len({id(parameter) for parameter in found}) < len(found):
        raise ValueError("compile expected every parameter once, got one twice")
    return found
