"""Update rules on parameters in arrays, and what the rules remember about them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from struct import Struct
from typing import Any

from autograd_lite.native.parameters.binding import memory_of
from autograd_lite.native.parameters.memory import IS_WRITTEN, TYPECODES, Memory
from autograd_lite.native.parameters.rules import (
    COUNT,
    NUMBER,
    Kinds,
    Rule,
    Traced,
    UntraceableError,
    is_pure,
    kinds_of,
    numbers_in,
    traced,
)
from autograd_lite.native.parameters.spans import Spans, joined, spans_of, split, within


class Settings:
    """The settings of a rule, taken apart once for many steps."""

    __slots__ = ("given", "key", "numbers")

    def __init__(self, given: tuple[Any, ...]) -> None:
        self.given = given
        self.numbers, self.key = numbers_in(given)


class Update:
    """A rule, parameters that are in one memory, and what the rule remembers about them.

    A step is `prepare`, which can fail, and `commit`, which cannot. It is one native loop for all
    parameters that are at the same step (a cohort).

    Parameters
    ----------
    rule : callable
        ``rule(data, gradient, state, settings, sqrt)`` gives new data and new state: None, or a
        tuple of floats, whole numbers and None.
    memory : Memory
    places : list of int
        Where the parameters are.
    states : sequence
        What is remembered about each so far.

    Raises
    ------
    UntraceableError
        If the rule uses more than its arguments, or remembers something else than numbers.

    Attributes
    ----------
    rule, memory : as given
    spans : tuple of pairs
        The stretches of the arrays that are worked on.
    """

    def __init__(
        self, rule: Rule, memory: Memory, places: list[int], states: Sequence[Any]
    ) -> None:
        from autograd_lite.native.kernels import building

        if not is_pure(rule):
            raise UntraceableError("a rule that uses more than its arguments")
        self.rule = rule
        self.memory = memory
        self.spans = spans_of(places)
        self._places = places
        self._low = self.spans[0][0]
        self._arrays: list[Any] = []  # of the parts of the state, None for counts
        self._traces: dict[Any, list[Traced]] = {}
        self._loops = building.is_available()
        self._cohorts: list[_Cohort] = []
        self._active: list[_Cohort] = []
        self._changed: Spans = ()
        self._take(states)

    # -- which parameters have gradients --------------------------------------------------------

    def has_all(self) -> bool:
        """Tell whether every parameter has a gradient that is a number: the normal case."""
        memory = self.memory
        if memory.frozen or memory.graphs:
            return False
        return memory.all_in(self.spans)

    def has_graphs(self) -> bool:
        """Tell whether a gradient is a Value."""
        return any(within(place, self.spans) for place in self.memory.graphs)

    def activity(self) -> bytes:
        """Return which gradients were written, and which are required, for comparison."""
        memory = self.memory
        found = [
            memory.codes(start, stop).translate(IS_WRITTEN) + memory.required[start:stop]
            for start, stop in self.spans
        ]
        return b"".join(found)

    def spans_at(self, positions: Iterable[int]) -> Spans:
        """Return the stretches that some of the parameters take up."""
        return spans_of([self._places[position] for position in positions])

    # -- what is remembered ---------------------------------------------------------------------

    def states(self) -> list[Any]:
        """Return what is remembered about every parameter, in their order."""
        found: dict[int, Any] = {}
        for cohort in self._cohorts:
            for start, stop in cohort.spans:
                states = self._states(cohort, start, stop)
                found.update(zip(range(start, stop), states, strict=True))
        return [found[place] for place in self._places]

    def state(self, position: int) -> Any:
        """Return what is remembered about one parameter."""
        place = self._places[position]
        (cohort,) = [x for x in self._cohorts if within(place, x.spans)]
        return self._states(cohort, place, place + 1)[0]

    def _states(self, cohort: _Cohort, start: int, stop: int) -> list[Any]:
        """Return what is remembered about neighbours of one cohort."""
        if cohort.kinds is None:
            return [None] * (stop - start)
        counts = iter(cohort.counts)
        low = self._low
        parts: list[Any] = [
            self._arrays[position][start - low : stop - low].tolist()
            if kind == NUMBER
            else [next(counts) if kind == COUNT else None] * (stop - start)
            for position, kind in enumerate(cohort.kinds)
        ]
        return list(zip(*parts, strict=True)) if parts else [()] * (stop - start)

    def _take(self, states: Sequence[Any]) -> None:
        """Take over what is remembered about every parameter."""
        cohorts: dict[Any, list[int]] = {}
        for place, state in zip(self._places, states, strict=True):
            kinds = kinds_of(state)
            counts = tuple(part for part in state or () if type(part) is int)
            cohorts.setdefault((kinds, counts), []).append(place)
            self._make_room(kinds)
            for numbers, part in zip(self._arrays, state or (), strict=False):
                if type(part) is float:
                    numbers[place - self._low] = part
        self._cohorts = [
            _Cohort(spans_of(places), kinds, list(counts))
            for (kinds, counts), places in cohorts.items()
        ]

    def _make_room(self, kinds: Kinds) -> None:
        """Let there be arrays for the numbers of a state."""
        for position, kind in enumerate(kinds or ()):
            if position == len(self._arrays):
                self._arrays.append(None)
            if kind == NUMBER and self._arrays[position] is None:
                import numpy as np

                length = self.spans[-1][1] - self._low
                self._arrays[position] = np.zeros(length, self.memory.dtype)

    # -- the step -------------------------------------------------------------------------------

    def prepare(self, settings: Settings, active: Spans | None = None) -> None:
        """Compute a step as far as it can fail.

        Parameters
        ----------
        settings : Settings
        active : tuple of pairs, optional
            The stretches of the parameters to update, all without it. Where no gradient was
            written it counts as 0.0.

        Raises
        ------
        UntraceableError
            If the rule does not work on arrays.
        """
        if active is None:
            self._active = self._cohorts
            self._changed = self.spans
        else:
            self._active = self._separated(active)
            self._changed = active
            self.memory.write_zeros(active)
        for cohort in self._active:
            if not self._prepared(cohort, settings):
                self._prepare_arrays(cohort, settings)

    def commit(self) -> None:
        """Write what `prepare` has prepared."""
        for cohort in self._active:
            cohort.write()
        if self._changed:
            self.memory.change(self._changed)

    def _separated(self, active: Spans) -> list[_Cohort]:
        """Divide cohorts into those that are active and those that are not; return the former.

        Cohorts that have come to be alike become one.
        """
        known: dict[Any, list[_Cohort]] = {}
        for cohort in self._cohorts:
            known.setdefault((cohort.kinds, *cohort.counts), []).append(cohort)
        found: list[_Cohort] = []
        self._cohorts = []
        for alike in known.values():
            spans = joined(span for cohort in alike for span in cohort.spans)
            for part, is_active in zip(split(spans, active), (True, False), strict=True):
                same = [cohort for cohort in alike if cohort.spans == part]
                kept = same[0] if same else _Cohort(part, alike[0].kinds, alike[0].counts)
                if part:
                    self._cohorts.append(kept)
                if part and is_active:
                    found.append(kept)
        return found

    def _prepared(self, cohort: _Cohort, settings: Settings) -> bool:
        """Prepare a step of one cohort as a native loop; tell whether that is possible."""
        trace = cohort.trace
        found = None
        if trace is not None and cohort.key == settings.key:
            found = trace.scalars(settings.numbers, cohort.counts)
        if found is None:
            try:
                trace = self._traced(cohort, settings)
            except UntraceableError:
                self._loops = False
                return False
            found = trace.scalars(settings.numbers, cohort.counts)
            self._make_room(trace.kinds)
            cohort.load(trace, settings.key, self.memory, self._arrays, self._low)
        scalars, cohort.next_counts = found  # type: ignore[misc]  # of this way, so not None
        cohort.pack(cohort.scalars, 0, *scalars)
        return True

    def _traced(self, cohort: _Cohort, settings: Settings) -> Traced:
        """Return what the rule computes for a cohort."""
        if not self._loops:
            raise UntraceableError("the rule was found to be so before, or there is no compiler")
        known = self._traces.setdefault((cohort.kinds, settings.key), [])
        for trace in known:
            if trace.scalars(settings.numbers, cohort.counts) is not None:
                return trace
        counts = iter(cohort.counts)
        parts: list[Any] = [
            next(counts) if kind == COUNT else 0.0 if kind == NUMBER else None
            for kind in cohort.kinds or ()
        ]
        sample = None if cohort.kinds is None else tuple(parts)
        trace = traced(self.rule, settings.given, sample, self.memory.dtype)
        known.append(trace)
        return trace

    def _prepare_arrays(self, cohort: _Cohort, settings: Settings) -> None:
        """Prepare a step of one cohort by running the rule on NumPy's arrays."""
        import numpy as np

        def sqrt(x: Any) -> Any:
            return np.sqrt(x) if isinstance(x, np.ndarray) else math.sqrt(x)

        writes: list[tuple[Any, Any]] = []
        kinds: Kinds = cohort.kinds
        counts: list[int] = cohort.counts
        for start, stop in cohort.spans:
            own = slice(start - self._low, stop - self._low)
            data, gradient = self.memory.data[start:stop], self.memory.grad[start:stop]
            given = iter(cohort.counts)
            state: Any = [
                self._arrays[position][own]
                if kind == NUMBER
                else (next(given) if kind == COUNT else None)
                for position, kind in enumerate(cohort.kinds or ())
            ]
            state = None if cohort.kinds is None else tuple(state)
            try:
                with np.errstate(all="ignore"):
                    new, after = self.rule(data, gradient, state, settings.given, sqrt)
                writes.append((data, np.broadcast_to(new, data.shape)))
                parts = [x[0].item() if isinstance(x, np.ndarray) else x for x in after or ()]
                kinds = kinds_of(None if after is None else tuple(parts))
            except (TypeError, ValueError, AttributeError) as error:
                raise UntraceableError(str(error)) from error
            self._make_room(kinds)
            counts = [part for part in parts if type(part) is int]
            writes += [
                (self._arrays[position][own], part)
                for position, part in enumerate(after or ())
                if kinds is not None and kinds[position] == NUMBER
            ]
        cohort.trace, cohort.writes = None, writes
        cohort.next_kinds, cohort.next_counts = kinds, counts


class _Cohort:
    """Parameters whose state has the same counts, and a loop for them once there was a step."""

    def __init__(self, spans: Spans, kinds: Kinds, counts: list[int]) -> None:
        self.spans = spans
        self.kinds = self.next_kinds = kinds
        self.counts = self.next_counts = counts
        self.trace: Traced | None = None
        self.key: Any = None
        self.writes: list[tuple[Any, Any]] = []

    def load(self, trace: Traced, key: Any, memory: Memory, arrays: list[Any], low: int) -> None:
        """Make a loop ready to be called, with addresses of all it needs."""
        code = TYPECODES[memory.dtype]
        size = memory.data.itemsize
        scalars = trace.scalar_count
        self.trace, self.key, self.next_kinds = trace, key, trace.kinds
        self.pack = Struct(f"{scalars}{code}").pack_into
        self.scalars = array(code, bytes(max(scalars, 1) * size))
        self._stretches = array("q", [place for span in self.spans for place in span])
        self._call = array(
            "q",
            [
                memory.data.ctypes.data,
                memory.grad.ctypes.data,
                self._stretches.buffer_info()[0],
                len(self.spans),
                self.scalars.buffer_info()[0],
                *(0 if x is None else x.ctypes.data - low * size for x in arrays),
            ],
        )
        self._at = self._call.buffer_info()[0]
        self._run = _loop(trace.text, memory.dtype)

    def write(self) -> None:
        """Write what was prepared."""
        if self.trace is not None:
            self._run(self._at)
        for target, numbers in self.writes:
            target[...] = numbers
        self.writes = []
        self.counts = self.next_counts
        if self.kinds != self.next_kinds:
            self.kinds = self.next_kinds
            self.trace = None


def update_of(rule: Rule, values: Sequence[Any], states: Sequence[Any]) -> Update | None:
    """Return the update of parameters in arrays; None if it has to be done one by one.

    That is so if they are not all in one memory, NumPy is missing, or the rule or what it
    remembers is of a kind that arrays are not for; see `Update`.

    Examples
    --------
    >>> from autograd_lite import Value, arrays
    >>> from autograd_lite.native.parameters.binding import bind
    >>> def rule(data, gradient, state, settings, sqrt):
    ...     (lr,) = settings
    ...     return data - lr * gradient, state
    >>> values = [Value(1.0), Value(2.0)]
    >>> binding = bind(values)
    >>> for value in values:
    ...     value.grad = 4.0
    >>> update = arrays.update_of(rule, values, [None, None])
    >>> update.prepare(arrays.Settings((0.5,)))
    >>> update.commit()
    >>> [value.data for value in values]
    [-1.0, 0.0]
    """
    memory = memory_of(values)
    if memory is None or not hasattr(memory.data, "ctypes"):
        return None
    try:
        return Update(rule, memory, [value._b[1] for value in values], states)
    except UntraceableError:
        return None


@cache
def _loop(text: str, dtype: str) -> Callable[[int], None]:
    """Return a loop as a function of the address of a call's fields. It keeps Python's lock."""
    import ctypes

    from autograd_lite.native.kernels import building

    at = building.address(f"update {text}", lambda: text, dtype)
    return ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(at)
