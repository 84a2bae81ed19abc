"""Programs in files: their recordings, and for which arguments and answers each one holds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from inspect import Parameter, Signature
from typing import Any, NamedTuple

from autograd_lite.native.programs.arguments import Form, Shape, form_of
from autograd_lite.native.programs.files import RecordingFileError, load_recordings, save_recordings
from autograd_lite.native.programs.paths import Recording
from autograd_lite.native.python.replaying import replayed
from autograd_lite.native.tape import Tape
from autograd_lite.trees import leaves_of, outline, shaped_like
from autograd_lite.value import Value

ABOUT = ("name", "arguments", "learns", "exact", "dtype")
"""What a file tells of the function and of how it was compiled."""

Branch = tuple[int, int] | None
"""Which recording another one branches off from, and at which guard; None for the first ones."""


class Structure(NamedTuple):
    """The recordings for arguments of one structure, those first from which others branch off."""

    forms: tuple[Form, ...]
    tapes: list[Tape]
    samples: list[list[list[float]]]
    branches: list[Branch]

    def recordings(self) -> Iterator[tuple[Recording, tuple[Recording, int] | None]]:
        """Go through the recordings, each with where it branches off."""
        made: list[Recording] = []
        for tape, sample, branch in zip(self.tapes, self.samples, self.branches, strict=True):
            made.append(Recording(tape, sample))
            yield made[-1], None if branch is None else (made[branch[0]], branch[1])


def save(
    path: str | os.PathLike[str],
    structures: Sequence[tuple[tuple[Form, ...], Sequence[Recording]]],
    parameters: Sequence[Value],
    about: dict[str, Any],
) -> None:
    """Write recordings that hold at present, and what `ABOUT` lists, into a file."""
    tapes: list[Tape] = []
    described = []
    for forms, roots in structures:
        branches: list[Branch] = []
        samples: list[Any] = []
        waiting: list[tuple[Recording, Branch]] = [(root, None) for root in roots]
        for recording, branch in waiting:
            if not recording.holds():
                continue
            waiting += [
                (other, (len(branches), guard))
                for guard, others in recording.branches.items()
                for other in others
            ]
            branches.append(branch)
            samples.append(recording.sample)
            tapes.append(recording.tape)
        if not branches:
            continue
        shapes = [[_packed(form.shape), form.whole] for form in forms]
        described.append({"forms": shapes, "samples": samples, "branches": branches})
    extra = {**about, "structures": described}
    save_recordings(path, tapes, parameters=parameters, extra=extra)


def load(
    path: str | os.PathLike[str],
) -> tuple[list[Structure], list[Value], dict[str, Any]]:
    """Return what `save` has written."""
    stored = load_recordings(path)
    name = os.fsdecode(path)
    tapes = iter(stored.tapes)
    structures = []
    try:
        about = {key: stored.extra[key] for key in ABOUT}
        for described in stored.extra["structures"]:
            forms = tuple(
                Form(_unpacked(shape), bool(whole)) for shape, whole in described["forms"]
            )
            branches = [
                None if x is None else _branch(x, i) for i, x in enumerate(described["branches"])
            ]
            own = [next(tapes) for _ in branches]
            structures.append(Structure(forms, own, described["samples"], branches))
    except (KeyError, TypeError, ValueError, StopIteration, RecursionError) as error:
        raise RecordingFileError(f"{name!r} holds recordings, but no program: {error!r}") from None
    return structures, stored.parameters, about


def _branch(data: Any, position: int) -> Branch:
    parent, guard = map(int, data)
    if not 0 <= parent < position or guard < 0:
        raise ValueError(f"a recording branches off from number {parent} at {guard}")
    return parent, guard


def _packed(shape: Shape) -> Any:
    """Return the structure of an argument for JSON."""
    if shape is None:
        return None
    kind, *rest = shape
    if len(rest) == 1:
        return [kind.__name__, [_packed(branch) for branch in rest[0]]]
    return [kind.__name__, rest[0], _packed(rest[1])]


def _unpacked(data: Any) -> Shape:
    if data is None:
        return None
    kind, *rest = data
    kind = {"list": list, "tuple": tuple}[kind]
    if len(rest) == 1:
        return kind, tuple(_unpacked(branch) for branch in rest[0])
    return kind, int(rest[0]), _unpacked(rest[1])


class Stored:
    """What stands for the function of a program that was loaded: its recordings, run on Values.

    Only recordings without comparisons can be run for other numbers than those of a call; the
    file has no code for answers that were never given.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        structures: Sequence[Structure],
        parameters: Sequence[Value],
    ) -> None:
        self.__name__ = self.__qualname__ = name
        kind = Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = Signature([Parameter(argument, kind) for argument in arguments])
        self._structures = {structure.forms: structure for structure in structures}
        self._parameters = parameters

    def __call__(self, *args: Any) -> Any:
        structure = self._structures.get(tuple(map(form_of, args)))
        if structure is None:
            known = "; ".join(
                ", ".join(outline(form.tree) for form in forms) for forms in self._structures
            )
            raise RuntimeError(
                f"the program {self.__name__!r} was loaded from a file, without its function, and"
                f" was recorded for other arguments ({known}): compile the function"
            )
        tape = structure.tapes[0]
        if tape.guards:
            raise RuntimeError(
                f"the program {self.__name__!r} was loaded from a file, without its function, and"
                " comes to a comparison with an answer for which nothing was recorded: compile the"
                " function"
            )
        given = [leaves_of(argument) for argument in args]
        found = replayed(tape, given, parameters=self._parameters)
        return shaped_like(tape.result, iter(found))
