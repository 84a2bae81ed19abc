"""Steps of an optimiser whose parameters are in arrays: all at once, as one by one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from itertools import accumulate, pairwise
from typing import Any, overload

from autograd_lite import arrays
from nn.optim.param_group import ParamGroup

SETS_KEPT = 64  # sets of parameters with gradients, of which it is known what to update


class States(MutableSequence[Any]):
    """What an optimiser remembers about each of its parameters: a list, wherever the numbers are.

    Those of a group that is updated in arrays are fetched from there. Whoever writes, takes all
    back into a list first.
    """

    def __init__(self) -> None:
        self.listed: list[Any] = []
        self.updates: list[tuple[range, arrays.Update]] = []

    def take_back(self) -> None:
        """Let nothing be in arrays any more."""
        updates, self.updates = self.updates, []
        for positions, update in updates:
            self.listed[positions.start : positions.stop] = update.states()

    def _all(self) -> list[Any]:
        found = list(self.listed)
        for positions, update in self.updates:
            found[positions.start : positions.stop] = update.states()
        return found

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._all()[index]
        position = range(len(self.listed))[index]
        for positions, update in self.updates:
            if position in positions:
                return update.state(position - positions.start)
        return self.listed[position]

    def __setitem__(self, index: Any, state: Any) -> None:
        self.take_back()
        self.listed[index] = state

    def __delitem__(self, index: int | slice) -> None:
        self.take_back()
        del self.listed[index]

    def insert(self, index: int, value: Any) -> None:
        """Insert before a position, as a list does."""
        self.take_back()
        self.listed.insert(index, value)

    def __len__(self) -> int:
        return len(self.listed)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, States):
            other = other._all()
        return isinstance(other, list) and self._all() == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._all())


class ArraySteps:
    """The groups of an optimiser that are in arrays, for as long as they stay there.

    Attributes
    ----------
    updates : list of (range, Update)
        Of each group, the positions of its parameters among all.
    """

    def __init__(
        self,
        rule: Callable[..., Any],
        groups: Sequence[ParamGroup],
        updates: Sequence[arrays.Update],
    ) -> None:
        self.rule = rule
        self._groups = [*groups]
        stops = [0, *accumulate(len(group["params"]) for group in groups)]
        positions = [range(start, stop) for start, stop in pairwise(stops)]
        self.updates = [*zip(positions, updates, strict=True)]
        self._settings = [(group.data, arrays.Settings(group.settings)) for group in groups]
        self._active: list[Any] = []
        self._known: dict[tuple[bytes, ...], tuple[list[Any], list[int]]] = {}

    def is_valid(self, rule: Callable[..., Any], groups: int, states: States) -> bool:
        """Tell whether parameters and what is remembered about them are still in the arrays."""
        if states.updates is not self.updates or groups != len(self._groups):
            return False
        if self.rule is not rule:
            return False
        for _, update in self.updates:  # noqa: SIM110  # a generator takes three times as long
            if not update.memory.valid:
                return False
        return True

    def has_all(self) -> bool:
        """Tell whether all parameters have gradients that are numbers."""
        for _, update in self.updates:  # noqa: SIM110
            if not update.has_all():
                return False
        return True

    def has_graphs(self) -> bool:
        """Tell whether some gradients are Values, which are to stay so."""
        return any(update.has_graphs() for _, update in self.updates)

    def settings(self, number: int) -> arrays.Settings:
        """Return the settings of a group, which rarely change."""
        group = self._groups[number]
        data, settings = self._settings[number]
        if data is not group.data:
            settings = arrays.Settings(group.settings)
            self._settings[number] = group.data, settings
        return settings

    def step(self) -> None:
        """Update all parameters."""
        for number, (_, update) in enumerate(self.updates):
            update.prepare(self.settings(number))
        for _, update in self.updates:
            update.commit()

    def look(self, find: Callable[[], tuple[list[int], list[int]]]) -> list[int]:
        """Find out which parameters to update; return the positions of those without a gradient.

        ``find`` returns the positions of both. It is asked when gradients were written to a set of
        parameters for the first time; such sets come again, as with documents of some lengths.
        """
        activity = tuple(update.activity() for _, update in self.updates)
        found = self._known.get(activity)
        if found is None:
            if len(self._known) >= SETS_KEPT:
                self._known.clear()
            active, missing = find()
            spans = []
            for own, update in self.updates:
                first, last = bisect_left(active, own.start), bisect_left(active, own.stop)
                spans.append(update.spans_at(i - own.start for i in active[first:last]))
            found = self._known[activity] = spans, missing
        self._active, missing = found
        return missing

    def step_some(self) -> None:
        """Update those parameters that `look` has found."""
        for number, (_, update) in enumerate(self.updates):
            update.prepare(self.settings(number), self._active[number])
        for _, update in self.updates:
            update.commit()


def array_steps(
    rule: Callable[..., Any], groups: Sequence[ParamGroup], states: States
) -> ArraySteps | None:
    """Move what is remembered about parameters in arrays into arrays, too.

    None, with nothing done, if some group is not in arrays or has to be updated one by one.
    """
    states.take_back()
    updates: list[arrays.Update] = []
    start = 0
    for group in groups:
        stop = start + len(group["params"])
        update = arrays.update_of(rule, group["params"], states.listed[start:stop])
        if update is None:
            return None
        updates.append(update)
        start = stop
    steps = ArraySteps(rule, groups, updates)
    states.updates = steps.updates
    return steps
