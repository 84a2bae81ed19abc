"""Programs as Python text that runs by itself and gives the same bits."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from keyword import iskeyword

from autograd_lite.primitives import TABLE
from autograd_lite.testing.operations import OPERATORS, Step, resolved

INFIX = ("+", "-", "*", "/", "**", "%")
RAISING = ("/", "**", "%")  # between plain floats, where Python raises or turns complex
MODULES = {
    "normal_cdf": "autograd_lite.primitives.activations",
    "dot_product": "autograd_lite.primitives.nary",
    "variance": "autograd_lite.primitives.nary",
}


def assigned_names(inputs: int, steps: int) -> list[str]:
    """Return the names of all nodes: x1, x2, … for inputs, v1, v2, … for results."""
    leaves = ["x"] if inputs == 1 else [f"x{i}" for i in range(1, inputs + 1)]
    return leaves + [f"v{i}" for i in range(1, steps + 1)]


def expression(step: Step, names: Sequence[str]) -> tuple[str, set[str]]:
    """Return a step as an expression of the nodes before it, and the functions that it calls."""
    x = [
        operand if isinstance(operand, str) else literal(operand)
        for operand in resolved(step, names)
    ]
    if step.own is not None:
        listed = f"[{', '.join(x)}]" if step.primitive.variadic else ", ".join(x)
        return f"{step.name}({listed})", {step.name}
    if step.name in INFIX:
        left = f"({x[0]})" if step.name == "**" and x[0].startswith("-") else x[0]
        return f"{left} {step.name} {x[1]}", set()
    if step.name == "neg":
        return (f"-({x[0]})" if x[0].startswith("-") else f"-{x[0]}"), set()
    if step.name == "abs":
        return f"abs({x[0]})", set()
    name, arguments = _called(step, x)
    return f"{name}({arguments})", {name}


def _called(step: Step, x: list[str]) -> tuple[str, str]:
    """Return the public function that records a primitive, and its arguments."""
    n = len(x)
    if step.name == "dot":
        if n % 2:
            return "dot_product", f"[{', '.join(x)}]"
        return "dot", f"[{', '.join(x[: n // 2])}], [{', '.join(x[n // 2 :])}]"
    if step.name == "var":
        freedom = step.operands[-1]
        correction = n - 1 - freedom
        if isinstance(freedom, float) and freedom > 0.0 and n - 1 - correction == freedom:
            return "var", f"[{', '.join(x[:-1])}], correction={literal(correction)}"
        return "variance", f"[{', '.join(x)}]"
    if step.primitive.variadic:
        return step.name, f"[{', '.join(x)}]"
    if step.name == "where":
        return "where", f"True, {x[0]}, 0.0"
    if step.name == "gelu_tanh":
        return "gelu", f'{x[0]}, approximate="tanh"'
    return step.name, ", ".join(x)


def literal(x: float) -> str:
    """Return a float as Python writes it, infinities and NaN included."""
    return repr(x) if math.isfinite(x) else f'float("{x}")'


def source(inputs: Sequence[float], steps: Sequence[Step], numbers: Sequence[object]) -> str:
    """Return a program as Python.

    Parameters
    ----------
    inputs, steps : sequences
        Those of the program.
    numbers : sequence
        Its nodes at its own inputs, as floats.
    """
    names = assigned_names(len(inputs), len(steps))
    variable = [True] * len(inputs)
    lines = [f"{name} = Value({literal(x)})" for name, x in zip(names, inputs, strict=False)]
    called: set[str] = set()
    own: set[str] = set()
    for i, step in enumerate(steps, start=len(inputs)):
        variable.append(any(isinstance(x, int) and variable[-1 - x] for x in step.operands))
        text, functions = expression(step, names[:i])
        if step.name in RAISING and step.own is None and not variable[-1]:
            text = f"{literal(float(numbers[i]))}  # {text}"  # type: ignore[arg-type]
        lines.append(f"{names[i]} = {text}")
        (called if step.own is None else own).update(functions)
    if variable[-1]:
        lines.append(f"{names[-1]}.backward()")
    return "\n".join([*_imports(called, own), *lines])


def _imports(called: set[str], own: set[str]) -> list[str]:
    public = sorted({"Value", *called} - set(MODULES))
    lines = [f"from autograd_lite import {', '.join(public)}"]
    lines += [f"from {MODULES[name]} import {name}" for name in sorted(called & set(MODULES))]
    lines += [f"# {name} is a primitive of your own" for name in sorted(own)]
    return lines


def printable(name: str) -> bool:
    """Tell whether a primitive that is not of the table can be called by its name in a listing."""
    taken = name in {"Value", *TABLE, *OPERATORS} or re.fullmatch(r"x\d*|v\d+", name)
    return name.isidentifier() and not iskeyword(name) and not taken
