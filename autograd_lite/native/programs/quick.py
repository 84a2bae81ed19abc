"""Quick ways: a call with arguments like those of one before asks little anew.

Most of a small call would go into finding out what its arguments are, which recording and which
plan are theirs, and into bringing the results into shape. What one call found is kept by the types
and shapes of its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from autograd_lite.native.programs.arguments import Batch
from autograd_lite.native.programs.evaluation import Evaluator, Last
from autograd_lite.native.programs.groups import Found
from autograd_lite.native.programs.paths import Recording, newer
from autograd_lite.tracing import inside_transform

MOST_KINDS = 64  # shapes of arguments that are remembered


class _Way(NamedTuple):
    """What a call with such arguments took: ``run`` is a `_StepWay`, `_PointWay` or `_LanesWay`."""

    recording: Recording
    run: Any
    last: Last


class _Ways:
    """The ways that are known."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._known: dict[Any, _Way] = {}

    def get(self, key: Any) -> _Way | None:
        """Return a way that can still be taken, and take note of it as that of the last call.

        To be called while the evaluator's lock is held.
        """
        way = self._known.get(key)
        if way is None:
            return None
        recording, _, last = way
        paths = last[0]
        if not paths.roots or paths.roots[0] is not recording or not recording.holds():
            return None
        if self.evaluator.last is not last:
            self.evaluator.last = last
            paths.stamp = newer()
            paths.used = (recording,)
        return way

    def recording_of(self, batch: Batch) -> Recording | None:
        """Return the recording that all lanes of the last call took."""
        paths = self.evaluator.structures.get(batch.forms)
        return paths.used[0] if paths is not None and len(paths.used) == 1 else None

    def add(self, key: Any, recording: Recording, run: Any) -> None:
        """Remember the way of the last call."""
        last = self.evaluator.last
        if last is None:
            return
        self._known[key] = _Way(recording, run, last)
        if len(self._known) > MOST_KINDS:
            del self._known[next(iter(self._known))]


class _StepWay(NamedTuple):
    """A plan, how many lanes there are, and which arguments have to be brought into rows."""

    plan: Any
    lanes: int
    shapes: Sequence[tuple[int, tuple[int, ...]]]


class QuickSteps:
    """Steps of a program with parameters, for arrays of shapes and types that it has had before.

    Parameters
    ----------
    evaluator : Evaluator
        Of the program.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        import numpy as np

        self._evaluator = evaluator
        self._kind = np.ndarray
        self._same_memory = np.may_share_memory
        self._ways = _Ways(evaluator)

    def remember(self, args: tuple[Any, ...], batch: Batch) -> None:
        """Take note of how a step was taken, if the next one could be quick."""
        key = self._key(args)
        recording = self._ways.recording_of(batch)
        if key is None or recording is None:
            return
        if recording.hides_infinities and recording.tape.effects:  # it may have to be done twice
            return
        varying = batch.varying if batch.lanes > 1 or recording.across else frozenset()
        lowered = recording.plans.get((varying, True))
        as_given = all(map(self._same_memory, batch.rows, args))
        if lowered is not None and as_given and hasattr(lowered.plan, "learn"):
            shape = (batch.lanes, -1) if lowered.plan.varies else (-1,)
            shapes = [(i, shape) for i, arg in enumerate(args) if arg.ndim != len(shape)]
            run = _StepWay(lowered.plan, batch.lanes, shapes)
            self._ways.add(key, recording, run)

    def take(self, args: tuple[Any, ...]) -> float | None:
        """Take a step and return the mean loss; None where it has to be taken the usual way."""
        evaluator = self._evaluator
        with evaluator.lock, evaluator.together:
            way = self._ways.get(self._key(args))
            if way is None or not evaluator.is_bound:
                return None
            plan, lanes, shapes = way.run
            rows = list(args)
            for position, shape in shapes:
                rows[position] = rows[position].reshape(shape)
            put_back = evaluator.keep() if way.recording.hides_infinities else None
            mean: float | None = plan.learn(rows, lanes)
            return None if put_back is not None and put_back() else mean

    def _key(self, args: tuple[Any, ...]) -> Any:
        """Return shapes and types of arrays; None if something else is among the arguments."""
        kind = self._kind
        found = []
        for arg in args:
            if type(arg) is not kind or not arg.flags.c_contiguous:
                return None
            found.append((arg.shape, arg.dtype))
        return tuple(found)


class _PointWay(NamedTuple):
    """A point of a plan, and what reads its results in the form that they are given out."""

    point: Any
    value: Callable[[], Any]
    gradients: Callable[[], Any]

    def evaluate(self, args: tuple[Any, ...]) -> Any:
        self.point.evaluate(args)
        return self.value()

    def differentiate(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        self.point.differentiate(args)
        return self.value(), self.gradients()


class _LanesWay(NamedTuple):
    """A plan that goes over so many lanes in one native call."""

    plan: Any
    lanes: int
    threads: int

    def evaluate(self, args: tuple[Any, ...]) -> Any:
        found = self._found(args, None)
        return None if found is None else found.outputs[0]

    def differentiate(self, args: tuple[Any, ...]) -> tuple[Any, Any] | None:
        found = self._found(args, 1.0)
        if found is None:
            return None
        read = [found.gradients[i].reshape(arg.shape) for i, arg in enumerate(args)]
        return found.outputs[0], read[0] if len(read) == 1 else tuple(read)

    def _found(self, args: tuple[Any, ...], seed: float | None) -> Found | None:
        rows = [arg if arg.ndim == 2 else arg.reshape(self.lanes, -1) for arg in args]
        found: Found | None = self.plan.sweep(rows, self.lanes, seed, self.threads)
        return found


class QuickPoints:
    """Values and gradients: of floats and flat lists of floats, of arrays of one lane or many.

    Parameters
    ----------
    evaluator : Evaluator
        Of the program.
    dtype : str
        Of its numbers.
    threads : int
        How many share out the lanes.
    """

    def __init__(self, evaluator: Evaluator, dtype: str, threads: int) -> None:
        import numpy as np

        self._array = np.ndarray
        self._dtype = np.dtype(dtype)
        self._threads = threads
        self._evaluator = evaluator
        self._lock = evaluator.lock
        self._again: Callable[[Any], Any] = _nothing  # the last way, if one array took it
        self._values = _Ways(evaluator)
        self._gradients = _Ways(evaluator)

    def remember(self, args: tuple[Any, ...], batch: Batch, *, differentiable: bool) -> None:
        """Take note of how a call was answered, if the next one could be quick."""
        key = self._key(args)
        ways = self._gradients if differentiable else self._values
        recording = ways.recording_of(batch)
        if key is None or recording is None or recording.hides_infinities:
            return
        plans, varying = recording.plans, batch.varying if batch.lanes > 1 else _NONE
        lowered = plans.get((varying, True)) or plans.get((varying, differentiable))
        plan = lowered and lowered.plan
        run: _PointWay | _LanesWay | None = None
        if batch.lanes == 1:
            point = getattr(plan, "point", None)
            run = None if point is None else _point_way(point, args, batch)
        elif getattr(plan, "sweeps", False) and not recording.tape.effects:
            run = _LanesWay(plan, batch.lanes, self._threads)
        if run is not None:
            ways.add(key, recording, run)

    def value(self, args: tuple[Any, ...]) -> Any:
        """Return the value; None where it has to be found the usual way."""
        key = self._key(args)
        if key is None or inside_transform():
            return None
        with self._lock:
            way = self._gradients.get(key) or self._values.get(key)
            return None if way is None else way.run.evaluate(args)

    def value_and_grad(self, args: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return value and gradient; None where they have to be found the usual way."""
        both = self._again(args)
        if both is not None:
            return both
        key = self._key(args)
        if key is None or inside_transform():
            return None
        with self._lock:
            way = self._gradients.get(key)
            if way is None:
                return None
            self._again = self._repeated(way, args)
            found: tuple[Any, Any] | None = way.run.differentiate(args)
            return found

    def _repeated(self, way: _Way, args: tuple[Any, ...]) -> Callable[[Any], Any]:
        """Return the shortest form of a way, for calls with one array as large as this one.

        With nothing to be looked up: a small function takes a tenth less time.
        """
        alone = len(args) == 1 and type(args[0]) is self._array
        if not alone or type(way.run) is not _PointWay:
            return _nothing
        array, dtype, lock, evaluator = self._array, self._dtype, self._lock, self._evaluator
        shape = args[0].shape
        recording, (point, value, gradient), last = way
        row, differentiate = point.arguments[0].reshape(shape), point.both
        watches = recording.tape.watches

        def again(args: tuple[Any, ...]) -> Any:
            if len(args) != 1 or inside_transform():
                return None
            (x,) = args
            if type(x) is not array or x.shape != shape or x.dtype is not dtype:
                return None
            with lock:
                if evaluator.last is not last:  # else its recording is still the one to take
                    return None
                for read, found in watches:
                    if read() is not found:  # perhaps an equal one, of which `holds` knows
                        return None
                row[...] = x
                differentiate()
                return value(), gradient()

        return again

    def _key(self, args: tuple[Any, ...]) -> Any:
        """Return types and sizes; None if there is something else, or not arrays alone."""
        if len(args) == 1 and type(args[0]) is self._array:
            return (args[0].shape,) if args[0].dtype is self._dtype else None
        found: list[Any] = []
        arrays = 0
        for arg in args:
            kind = type(arg)
            if kind is self._array and arg.dtype is self._dtype:
                found.append(arg.shape)
                arrays += 1
            elif kind is float:
                found.append(float)
            elif kind is list and {*map(type, arg)} == {float}:
                found.append(len(arg))
            else:
                return None
        return tuple(found) if arrays in (0, len(args)) else None


_NONE: frozenset[int] = frozenset()


def _point_way(point: Any, args: tuple[Any, ...], batch: Batch) -> _PointWay | None:
    """Return the way to a point; None where the arguments are not as it has them."""
    if any(getattr(arg, "ndim", 0) > 2 for arg in args):
        return None
    if [len(row) for row in point.arguments] != [form.width for form in batch.forms]:
        return None
    value = point.value.copy if batch.varying else point.value.item
    read = [_reader(arg, row) for arg, row in zip(args, point.gradients, strict=False)]
    return _PointWay(point, value, read[0] if len(read) == 1 else partial(_all_of, read))


def _nothing(args: Any) -> None:
    """Know no way."""


def _all_of(read: Sequence[Callable[[], Any]]) -> tuple[Any, ...]:
    return tuple([one() for one in read])


def _reader(arg: Any, row: Any) -> Any:
    """Return a function that gives a copy of a row of numbers, shaped like an argument."""
    if isinstance(arg, float):
        return row.item
    if isinstance(arg, list):
        return row.tolist
    return row.reshape(arg.shape).copy
