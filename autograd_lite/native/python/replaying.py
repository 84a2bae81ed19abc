"""A recording run on Values again, to be drawn, explained and stepped through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.modes import enable_grad, no_grad
from autograd_lite.native.python.namespace import index
from autograd_lite.native.tape import (
    DETACHED,
    LANE_MEAN,
    LANE_VARIANCE,
    PICK,
    Argument,
    Closure,
    Constant,
    Parameter,
    Tape,
)
from autograd_lite.primitives import piecewise
from autograd_lite.value import Value


def replayed(
    tape: Tape,
    arguments: Sequence[Sequence[Any]],
    *,
    parameters: Sequence[Value] = (),
) -> list[Value]:
    """Run a recording on Values, which records it as the eager engine does.

    Parameters
    ----------
    tape : Tape
    arguments : sequence of lists of Value or number
        One flat list for each argument: the numbers of one lane.
    parameters : sequence of Value, optional
        Those that the recording counts; they, and Values closed over, are in the new graph.

    Returns
    -------
    list of Value
        The outputs, labelled as they were in the recording. A mean over all lanes is that over
        this one; numbers are drawn anew, and the effects of the function are left out. Guards are
        not asked: this is the recorded way, at any point.

    Examples
    --------
    >>> from autograd_lite import Value
    >>> from autograd_lite.native.tracing.recording import record
    >>> from autograd_lite.native.python.replaying import replayed
    >>> tape = record(lambda x: (x * x).sin(), (2.0,))
    >>> x = Value(0.5)
    >>> (y,) = replayed(tape, [[x]])
    >>> y.op, y.operands[0].op, y.operands[0].operands == (x, x)
    ('sin', '*', True)
    """
    drawn = [draw.function(1, draw.size)[0] for draw in tape.draws]
    made: list[Any] = []
    x: Any
    with enable_grad():
        for node, source in enumerate(tape.sources):
            if isinstance(source, Argument):
                given = arguments[source.position][source.column]
                x = given if isinstance(given, Value) else Value(given)
            elif isinstance(source, Parameter):
                x = parameters[source.position]
            elif isinstance(source, Closure):
                x = source.value
            elif isinstance(source, Constant):
                x = source.number
            elif source is not None:
                x = Value(float(drawn[source.draw][source.column]), requires_grad=False)
            else:
                operands = [made[operand] for operand in tape.operands[node]]
                x = _applied(tape.operations[node], operands, tape.flows[node])
            label = tape.names.get(node, "")
            if label and isinstance(x, Value) and not x.label and not isinstance(source, Closure):
                x.label = label
            made.append(x)
    outputs = [made[node] for node in tape.outputs]
    return [x if isinstance(x, Value) else Value(x, requires_grad=False) for x in outputs]


def _applied(operation: Any, operands: list[Any], flows: bool) -> Any:
    """Apply an operation to Values and numbers."""
    if operation is DETACHED:
        (x,) = operands
        return x.detach() if isinstance(x, Value) else x
    if operation is PICK:
        label, *options = operands
        return piecewise.taken(options[index(float(label), len(options))])
    if operation is LANE_MEAN:
        return piecewise.taken(operands[0])
    if operation is LANE_VARIANCE:
        return 0.0
    if not flows:
        with no_grad():
            return operation(operands) if operation.variadic else operation(*operands)
    return operation(operands) if operation.variadic else operation(*operands)
