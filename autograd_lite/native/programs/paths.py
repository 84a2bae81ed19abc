"""The ways through a function: a tree of recordings that branches where comparisons differ.

A comparison of numbers is recorded with its answer. Lanes in which an answer differs belong to
another recording, which is made with the numbers of one of them and kept for the next time. So
every lane is computed by a recording of the branch that its own numbers take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

from autograd_lite.native.order import hides_infinities
from autograd_lite.native.programs.arguments import Batch
from autograd_lite.native.programs.capacity import check_capacity
from autograd_lite.native.programs.groups import Found, all_lanes, by_guard, gathered, with_nan
from autograd_lite.native.tape import LANE_MEAN, LANE_VARIANCE, PICK, Tape
from autograd_lite.native.tracing.surroundings import same

MOST_PATHS = 1000
"""Recordings of one structure that are kept; lanes beyond are computed by the function itself."""

MOST_ROOTS = 16
"""Recordings for different surroundings, such as plain numbers closed over, that are kept."""

newer = count(1).__next__
"""Gives stamps, each higher than those before."""


class Task(NamedTuple):
    """What is to be computed of the lanes of a batch.

    Attributes
    ----------
    name : str
        What the user called, for messages.
    seed : float or None
        The adjoint of one output in every lane; None for no derivatives.
    output : int or None
        Which output; None for the only one.
    drawn : dict or None
        Where one call evaluates several times: what was drawn for it.
    """

    name: str
    seed: float | None = None
    output: int | None = None
    drawn: dict[tuple[int, int], Any] | None = None


class _Lowered:
    """A plan, and for how many lanes it is known to find memory."""

    __slots__ = ("lanes", "plan")

    def __init__(self, plan: Any) -> None:
        self.plan = plan
        self.lanes = 0


class Recording:
    """One way through the function, and the ways that branch off from it."""

    def __init__(self, tape: Tape, sample: Sequence[list[Any]]) -> None:
        self.tape = tape
        self.sample = sample  # the numbers of each argument that it was recorded with
        self.branches: dict[int, list[Recording]] = {}
        self.plans: dict[tuple[frozenset[int], bool], _Lowered] = {}
        operations = tape.operations.different
        self.across = LANE_MEAN in operations or LANE_VARIANCE in operations
        self.several = isinstance(tape.result, list | tuple)
        # With draws, or numbers of all lanes, a lane computed again would be another one.
        alone = not (self.across or tape.draws)
        self.hides_infinities = alone and PICK in operations and hides_infinities(tape)
        self._watches = tape.watches

    def holds(self) -> bool:
        """Tell whether everything outside is still as it was when this was recorded."""
        for get, found in self._watches:
            now = get()
            if now is not found and not same(now, found):
                return False
        return True

    def plan_for(self, varying: frozenset[int]) -> Any:
        """Return a plan that was made for arguments that vary, or another one."""
        for key in ((varying, True), (varying, False)):
            if key in self.plans:
                return self.plans[key].plan
        return next(iter(self.plans.values())).plan if self.plans else None

    def leads_to(self, other: Recording, guard: int) -> bool:
        """Tell whether another recording goes the same way up to a guard, and another way there."""
        mine, others = self.tape.guards, other.tape.guards
        if len(others) <= guard or mine[:guard] != others[:guard]:
            return False
        question, asked = mine[guard], others[guard]
        return question[:3] == asked[:3] and question.answer != asked.answer


class Paths:
    """All recordings of a function for one structure of its arguments.

    Parameters
    ----------
    record : callable
        ``record(batch, lane)`` is a tape of the function for the numbers of one lane.
    lower : callable
        ``lower(tape, varying, differentiable)`` is a plan that evaluates a tape, and
        differentiates it if it is to be differentiable.
    alone : callable
        ``alone(batch, lane, task, tape)`` computes one lane by the function itself or, where a tape
        is given, by this recording of it run on Values.
    keep : callable, optional
        Where there are parameters: ``keep()`` returns a function that puts their gradients back to
        what they are now if one of them is NaN, and tells whether it has.

    Attributes
    ----------
    stamp : int
        The higher, the later it was used.
    """

    def __init__(
        self,
        record: Callable[[Batch, int], Tape],
        lower: Callable[[Tape, frozenset[int], bool], Any],
        alone: Callable[..., Found],
        keep: Callable[[], Callable[[], bool]] | None = None,
        *,
        threads: int = 1,
    ) -> None:
        self._keep = keep
        self._record = record
        self._lower = lower
        self._alone = alone
        self._threads = threads
        self.stamp = 0
        self.roots: list[Recording] = []
        self.used: tuple[Recording, ...] = ()

    def add(self, recording: Recording, branch: tuple[Recording, int] | None) -> None:
        """Take in a recording: the one that it branches off from, and at which guard."""
        if branch is None:
            self.roots[:] = [*self.roots[-MOST_ROOTS + 1 :], recording]
        else:
            parent, guard = branch
            holding = [known for known in parent.branches.get(guard, ()) if known.holds()]
            parent.branches[guard] = [*holding, recording]

    def __iter__(self) -> Iterator[Recording]:
        """Go through all recordings, those from which others branch off first."""
        open_ = list(reversed(self.roots))
        while open_:
            recording = open_.pop()
            yield recording
            open_ += [other for others in recording.branches.values() for other in others]

    def evaluate(self, batch: Batch, task: Task) -> Found:
        """Compute all lanes of a batch, each along its own path."""
        root = self._root(batch)
        found = self._run(root, batch, task)
        if found.failed is None:
            self.used = (root,)
            return _named(root, found)
        return self._regrouped(root, batch, task, found.failed)

    def _root(self, batch: Batch) -> Recording:
        for root in self.roots:
            if root.holds():
                return root
        root = self._recorded(batch, 0)
        self.add(root, None)
        return root

    def _recorded(self, batch: Batch, lane: int) -> Recording:
        return Recording(self._record(batch, lane), batch.numbers(lane))

    def _run(self, recording: Recording, batch: Batch, task: Task) -> Any:
        """Evaluate a recording; one lane as a point, in which more is found to be one product."""
        alone = batch.lanes == 1 and bool(batch.varying) and not recording.across
        varying = frozenset() if alone else batch.varying
        lowered = recording.plans.get((varying, True))
        if lowered is None:
            key = varying, task.seed is not None
            lowered = recording.plans.get(key)
            if lowered is None:
                lowered = recording.plans[key] = _Lowered(self._lower(recording.tape, *key))
        plan = lowered.plan
        if batch.lanes > lowered.lanes:
            check_capacity(plan, recording.tape, batch, self._threads)
            lowered.lanes = batch.lanes
        output = task.output
        if output is None:
            if recording.several and task.seed is not None:
                _refuse_several(recording.tape.result, task)
            output = 0
        rows = batch.rows
        if alone:
            rows = [row[0] if i in batch.varying else row for i, row in enumerate(rows)]
        drawn = None
        if task.drawn is not None:
            key_of_draws = id(recording), batch.lanes
            if key_of_draws not in task.drawn:
                draws = recording.tape.draws
                task.drawn[key_of_draws] = [x.function(batch.lanes, x.size) for x in draws]
            drawn = task.drawn[key_of_draws]
        doubtful = recording.hides_infinities and task.seed is not None
        put_back = self._keep() if doubtful and self._keep is not None else None
        found = plan.evaluate(
            rows,
            batch.lanes,
            seed=task.seed,
            output=output,
            threads=self._threads,
            drawn=drawn,
            tell=task is not _FORWARD and output == 0,
        )
        if alone and found.gradients:
            for position in batch.varying:
                gradient = found.gradients.get(position)
                if gradient is not None:
                    listed = isinstance(gradient, list)
                    found.gradients[position] = [gradient] if listed else gradient[None]
        if doubtful and found.failed is None:
            self._correct(found.gradients, recording.tape, batch, task, put_back)
        return found

    def _correct(
        self,
        gradients: dict[int, Any],
        tape: Tape,
        batch: Batch,
        task: Task,
        put_back: Callable[[], bool] | None,
    ) -> None:
        """Find gradients that are NaN eagerly: options that were not picked can have caused it."""
        if put_back is not None:
            for lane in range(batch.lanes) if put_back() else ():
                self._alone(batch, lane, task, tape)
            return
        for lane in with_nan(gradients):
            for position, row in self._alone(batch, lane, task, tape).gradients.items():
                if position in batch.varying:
                    gradients[position][lane] = row[0]
                elif position in gradients:
                    gradients[position] = row

    # -- lanes that go different ways --------------------------------------------------------

    def _regrouped(self, root: Recording, batch: Batch, task: Task, failed: Any) -> Found:
        """Compute lanes that go different ways: first find the way of each, then go it.

        The recordings are all made before any gradient is added up, so that an exception that
        the function raises leaves every gradient as it was.
        """
        groups, alone = self._ways(root, batch, failed)
        if len(groups) + len(alone) > 1 or alone:
            _refuse_statistics([root, *(recording for recording, _ in groups)])
        self.used = tuple({id(recording): recording for recording, _ in groups}.values())
        parts: list[tuple[Any, Found]] = []
        for recording, members in groups:
            found = self._run(recording, _part_of(batch, members), task)
            if found.failed is None:
                parts.append((members, _named(recording, found)))
            else:  # rounding is not always the same for few lanes as for many
                alone += list(members)
        parts += [([lane], self._alone(batch, lane, task)) for lane in map(int, alone)]
        return gathered(parts, batch.lanes)

    def _ways(
        self, root: Recording, batch: Batch, failed: Any
    ) -> tuple[list[tuple[Recording, Any]], list[int]]:
        """Return recordings with the lanes that they hold for, and lanes that none holds for."""
        groups: list[tuple[Recording, Any]] = []
        alone: list[int] = []
        open_ = [(root, all_lanes(failed), failed)]
        while open_:
            recording, lanes, failed = open_.pop()
            for guard, members in by_guard(lanes, failed):
                if guard == len(recording.tape.guards):
                    groups.append((recording, members))
                    continue
                branch, others = self._branch(recording, guard, batch, members, alone)
                if branch is None:
                    continue
                part = _part_of(batch, others)
                if part is not batch:
                    _refuse_statistics([branch])
                found = self._run(branch, part, _FORWARD)
                if found.failed is None:
                    groups.append((branch, others))
                else:
                    open_.append((branch, others, found.failed))
        return groups, alone

    def _branch(
        self, recording: Recording, guard: int, batch: Batch, members: Any, alone: list[int]
    ) -> tuple[Recording | None, Any]:
        """Return the recording for lanes that answer a guard differently, and these lanes.

        A lane whose answers the function itself does not find different, since they hang on the
        last bit of a number, is computed alone.
        """
        for known in recording.branches.get(guard, ()):
            if known.holds():
                return known, members
        while len(members):
            if sum(1 for _ in self) >= MOST_PATHS:
                alone += list(members)
                return None, members
            lane = int(members[0])
            branch = self._recorded(batch, lane)
            if recording.leads_to(branch, guard):
                self.add(branch, (recording, guard))
                return branch, members
            if recording.across:
                _refuse_statistics([recording])
            alone.append(lane)
            members = members[1:]
        return None, members


_FORWARD = Task("")


def _part_of(batch: Batch, lanes: Any) -> Batch:
    """Return some lanes of a batch; the batch itself if it is all of them."""
    return batch if len(lanes) == batch.lanes else batch.take(lanes)


def _named(recording: Recording, found: Any) -> Found:
    return Found(recording.tape.result, found.outputs, found.gradients)


def _refuse_several(result: Any, task: Task) -> None:
    raise TypeError(
        f"{task.name} needs a function that returns one number, this one returned a"
        f" {type(result).__name__} of {len(result)}"
        f"{'; use jacobian' if 'grad' in task.name else ''}"
    )


def _refuse_statistics(recordings: list[Recording]) -> None:
    """Refuse to compute numbers of all lanes for a part of them."""
    for recording in recordings:
        if recording.across:
            raise ValueError(
                "lanes take different branches in a function that computes a mean or variance"
                " over all lanes (as batch norm does in training), which would be over a part of"
                " them: use relu, maximum, max_of, clamp or where instead of comparisons"
            )
