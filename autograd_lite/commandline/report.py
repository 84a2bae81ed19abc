"""A derivation as text for people, and as JSON for machines."""

from __future__ import annotations

import math
from typing import Any

from autograd_lite.commandline.derivation import Derivation, Row
from autograd_lite.contributions import Step
from autograd_lite.notation import UNICODE, Symbols, factor, short

# -- for people ----------------------------------------------------------------------------------


def as_text(derivation: Derivation, symbols: Symbols = UNICODE) -> str:
    """Write out the forward pass, the backward pass step by step, the gradient and its check.

    Numbers of the two passes have six digits, those of the gradient all.
    """
    parts = [_forward(derivation)]
    if derivation.point:
        parts += [_backward(derivation, symbols), _gradient(derivation, symbols)]
    else:
        parts.append(["There is no variable, hence no gradient."])
    if derivation.notes:
        parts.append([f"Note: {note}." for note in derivation.notes])
    return "\n".join("\n".join([*part, ""]) for part in parts)


def _forward(derivation: Derivation) -> list[str]:
    cells = [(name, "", value) for name, value in derivation.point.items()]
    cells += [(row.name, row.expression, row.value) for row in derivation.rows]
    named = max(len(name) for name, _, _ in cells)
    lefts = [f"{name:<{named}} = {text}" if text else name for name, text, _ in cells]
    width = min(max(map(len, lefts)), 60)
    lines = [
        f"  {left:<{width}} = {short(value)}"
        for left, (_, _, value) in zip(lefts, cells, strict=True)
    ]
    return ["Forward pass", *lines]


def _backward(derivation: Derivation, symbols: Symbols) -> list[str]:
    f = derivation.result
    lines = [f"  {symbols.derivative(f, derivation.root_name)} = 1"]
    lines += [_contribution(f, step, symbols) for step in derivation.steps]
    return ["Backward pass", *lines]


def _contribution(f: str, step: Step, symbols: Symbols) -> str:
    times = f" {symbols.times} "
    node, operand = step.node_name, step.operand_name
    gradient = symbols.derivative(f, operand)
    chain = times.join((symbols.derivative(f, node), symbols.derivative(node, operand)))
    numbers = times.join((factor(step.upstream), factor(step.partial)))
    return f"  {gradient} += {chain} = {numbers} {symbols.arrow} {short(step.total)}"


def _gradient(derivation: Derivation, symbols: Symbols) -> list[str]:
    table = [("Gradient", "backward pass", "finite difference", "relative difference")]
    for name, exact in derivation.gradient.items():
        check = derivation.checks[name]
        relative = symbols.none if math.isnan(check.relative) else f"{check.relative:.2g}"
        derivative = f"  {symbols.derivative(derivation.result, name)}"
        table.append((derivative, repr(exact), repr(check.difference.value), relative))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


# -- for machines --------------------------------------------------------------------------------


def as_data(derivation: Derivation) -> dict[str, Any]:
    """Return everything as dicts, lists, text and finite numbers, ready for JSON.

    NaN and infinities, which JSON has not, become the texts "NaN", "Infinity" and "-Infinity",
    which Python's ``float`` and JavaScript's ``Number`` read back.
    """
    return {
        "variables": derivation.point,
        "result": derivation.result,
        "value": _number(derivation.value),
        "forward": [_record(row) for row in derivation.rows],
        "backward": [_contribution_record(step) for step in derivation.steps],
        "gradient": {name: _number(exact) for name, exact in derivation.gradient.items()},
        "finite_differences": {
            name: {
                "value": _number(check.difference.value),
                "step": _number(check.difference.step),
                "error_estimate": _number(check.difference.error),
                "relative_difference": _number(check.relative),
            }
            for name, check in derivation.checks.items()
        },
        "notes": derivation.notes,
    }


def _record(row: Row) -> dict[str, Any]:
    return {field: _jsonable(value) for field, value in row._asdict().items()}


def _contribution_record(step: Step) -> dict[str, Any]:
    numbers = ("upstream", "partial", "contribution", "total")
    return {
        "node": step.node_name,
        "operand": step.operand_name,
        **{field: _number(getattr(step, field)) for field in numbers},
    }


def _jsonable(value: Any) -> Any:
    if isinstance(value, float):
        return _number(value)
    return [_jsonable(x) for x in value] if isinstance(value, tuple) else value


def _number(x: float) -> float | str:
    if math.isfinite(x):
        return x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
