"""Recordings in files: readable text with a checksum, from which reading never executes code.

The first line names the format and a SHA-256 checksum of all the rest. Then comes JSON, whose
floats are exact, NaN and infinities as Python's `json` writes them: one node of a recording per
line, ``["argument", 0, 2]`` or ``["sin", 4]``, an operation with the nodes that it takes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from autograd_lite.native.columns import Operands, Operations
from autograd_lite.native.tape import (
    DETACHED,
    LANE_MEAN,
    LANE_VARIANCE,
    PICK,
    Argument,
    Closure,
    Constant,
    Drawn,
    Guard,
    Parameter,
    Source,
    Tape,
)
from autograd_lite.primitives import TABLE
from autograd_lite.saving import Seal, write_whole
from autograd_lite.value import Value

_SEAL = Seal("autograd-lite program", 1, "program", "save")
_OPERATIONS: dict[str, Any] = {
    **TABLE,
    **{one.name: one for one in (DETACHED, PICK, LANE_MEAN, LANE_VARIANCE)},
}
_TESTS = ("<", "<=", ">", ">=", "truth", "index")


class RecordingFileError(ValueError):
    """A file holds no recordings, is damaged, or is of a newer version."""


class Stored(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    tapes : list of Tape
        They share the Values closed over.
    parameters : list of Value
        Fresh ones, with the numbers and labels of those that were saved.
    extra : object
        What else was saved.
    """

    tapes: list[Tape]
    parameters: list[Value]
    extra: Any


def save_recordings(
    path: str | os.PathLike[str],
    tapes: Iterable[Tape],
    *,
    parameters: Sequence[Value] = (),
    extra: Any = None,
) -> None:
    """Write recordings, with their parameters and the Values closed over, into a file.

    Parameters
    ----------
    path : str or os.PathLike
        Where to; any extension. What stood there is replaced once the new file is complete.
    tapes : iterable of Tape
    parameters : sequence of Value
        Those that the recordings count.
    extra : object
        Whatever else is to come back: numbers, text, None, and lists and dicts of these.

    Raises
    ------
    ValueError
        If a recording has something that no file can hold: primitives of the user's own, numbers
        that are drawn anew, functions to call.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> from autograd_lite.native.programs.files import load_recordings, save_recordings
    >>> from autograd_lite.native.tracing.recording import record
    >>> path = os.path.join(tempfile.mkdtemp(), "f.program")
    >>> save_recordings(path, [record(lambda x: x * x, (2.0,))])
    >>> (tape,) = load_recordings(path).tapes
    >>> tape.operands
    [(), (0, 0)]
    """
    import json

    closed: dict[int, tuple[int, Any]] = {}
    written = [_text_of(tape, closed) for tape in tapes]
    values = [_value_data(value) for value in parameters]
    closures = [_value_data(value) for _, value in closed.values()]
    parts = [
        f'"parameters": {json.dumps(values)}',
        f'"closures": {json.dumps(closures)}',
        f'"extra": {json.dumps(extra)}',
        f'"recordings": [{", ".join(written)}]',
    ]
    body = ("{\n" + ",\n".join(parts) + "\n}\n").encode()
    write_whole(path, _SEAL.sealed(body))


def load_recordings(path: str | os.PathLike[str]) -> Stored:
    """Return what `save_recordings` has written.

    Raises
    ------
    RecordingFileError
        If the file holds no recordings, is damaged, or is of a newer version. It is a ValueError.
    OSError
        If the file cannot be read.
    """
    name = os.fsdecode(path)
    try:
        content = _SEAL.read(name)
    except ValueError as error:
        raise RecordingFileError(f"{name!r} {error}") from None
    try:
        closures = [Value(**data) for data in content["closures"]]
        parameters = [Value(**data) for data in content["parameters"]]
        tapes = [_tape_from(data, closures, len(parameters)) for data in content["recordings"]]
        return Stored(tapes, parameters, content["extra"])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        # Whoever wrote that knew how to make the checksum.
        raise RecordingFileError(
            f"{name!r} has the checksum of a program, but not the content of one: {error!r}"
        ) from None


# -- one recording ---------------------------------------------------------------------------------


def _text_of(tape: Tape, closed: dict[int, tuple[int, Any]]) -> str:
    """Return a recording as JSON; note the Values closed over, each once."""
    import json

    _refuse(tape)
    nodes: list[list[Any]] = []
    for node, source in enumerate(tape.sources):
        if isinstance(source, Argument):
            kind = "whole argument" if source.whole else "argument"
            nodes.append([kind, source.position, source.column])
        elif isinstance(source, Parameter):
            nodes.append(["parameter", source.position])
        elif isinstance(source, Closure):
            place, _ = closed.setdefault(id(source.value), (len(closed), source.value))
            nodes.append(["closure", place])
        elif isinstance(source, Constant):
            nodes.append(["constant", source.number])
        else:
            operation: Any = tape.operations[node]
            nodes.append([operation.name, *tape.operands[node]])
    parts = {
        "names": {str(node): name for node, name in tape.names.items()},
        "outputs": tape.outputs,
        "result": _packed(tape.result),
        "guards": tape.guards,
        "held": [node for node, flows in enumerate(tape.flows) if not flows],
    }
    lines = [f'"{key}": {json.dumps(part)}' for key, part in parts.items()]
    listed = ",\n".join(map(json.dumps, nodes))
    return "{\n" + ",\n".join(lines) + f',\n"nodes": [\n{listed}\n]' + "}"


def _refuse(tape: Tape) -> None:
    """Say what of a recording cannot be written."""
    for operation in tape.operations.different:
        if operation is not None and _OPERATIONS.get(operation.name) is not operation:
            raise ValueError(
                f"a program with the primitive {operation.name!r} of your own cannot be saved: a"
                " file holds operations by their names in the library, and no code"
            )
    if tape.draws or any(isinstance(source, Drawn) for source in tape.leaves):
        raise ValueError(
            "a program that draws numbers anew at every call, such as dropout in training, cannot"
            " be saved: a file holds no code that draws; switch to evaluation first"
        )
    if tape.effects:
        raise ValueError(
            "a program that calls functions after every call, such as batch norm in training,"
            " cannot be saved: a file holds no code; switch to evaluation first"
        )


def _tape_from(data: dict[str, Any], closures: Sequence[Value], parameters: int) -> Tape:
    """Return a recording, or raise if it is none."""
    sources: list[Source | None] = []
    operations = Operations()
    operands = Operands()
    for node, (kind, *numbers) in enumerate(data["nodes"]):
        if kind == "constant":
            source: Source | None = Constant(float(numbers[0]))
        elif kind == "closure":
            source = Closure(closures[_below(numbers[0], len(closures))])
        elif kind == "parameter":
            source = Parameter(_below(numbers[0], parameters))
        elif kind in ("argument", "whole argument"):
            position, column = (_below(x, 2**31) for x in numbers)
            source = Argument(position, column, kind == "whole argument")
        else:
            source = None
        sources.append(source)
        operation = _OPERATIONS[kind] if source is None else None
        given = [_below(x, node) for x in numbers] if source is None else []
        if getattr(operation, "arity", len(given)) != len(given) or (operation and not given):
            raise ValueError(f"{kind} has {len(given)} operands")
        operations.append(operation)
        operands.append(given)
    count = len(sources)
    held = {_below(x, count) for x in data["held"]}
    guards = []
    for test, a, b, answer in data["guards"]:
        if test not in _TESTS:
            raise ValueError(f"no guard is called {test!r}")
        guards.append(Guard(test, _below(a, count), _below(b, count), answer))
    return Tape(
        sources,
        operations,
        operands,
        [node not in held for node in range(count)],
        {_below(int(node), count): str(name) for node, name in data["names"].items()},
        tuple(_below(x, count) for x in data["outputs"]),
        _unpacked(data["result"], len(data["outputs"])),
        tuple(guards),
    )


def _below(x: Any, limit: int) -> int:
    """Return a number that counts something, or raise."""
    if type(x) is not int or not 0 <= x < limit:
        raise ValueError(f"{x!r} is not one of 0, …, {limit - 1}")
    return x


def _packed(tree: Any) -> Any:
    """Return nested lists for JSON, which has no tuples."""
    if isinstance(tree, tuple):
        return {"tuple": [_packed(branch) for branch in tree]}
    return [_packed(branch) for branch in tree] if isinstance(tree, list) else tree


def _unpacked(data: Any, outputs: int) -> Any:
    if isinstance(data, dict):
        return tuple(_unpacked(branch, outputs) for branch in data["tuple"])
    if isinstance(data, list):
        return [_unpacked(branch, outputs) for branch in data]
    return _below(data, outputs)


def _value_data(value: Value) -> dict[str, Any]:
    return {"data": value.data, "label": value.label, "requires_grad": value.requires_grad}
