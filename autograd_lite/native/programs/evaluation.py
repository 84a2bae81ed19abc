"""From the numbers of a call to values and derivatives, through recordings and plans."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

from autograd_lite.modes import collector_paused
from autograd_lite.native.order import memory_order
from autograd_lite.native.parameters.binding import Binding, bind
from autograd_lite.native.parameters.memory import Memory
from autograd_lite.native.programs import backend
from autograd_lite.native.programs.acceptance import check_draws, check_parameters, with_numbers
from autograd_lite.native.programs.arguments import Batch, Form
from autograd_lite.native.programs.eager import alone, learned_alone
from autograd_lite.native.programs.groups import Found
from autograd_lite.native.programs.paths import Paths, Recording, Task, newer
from autograd_lite.native.python.replaying import replayed
from autograd_lite.native.tape import Argument, Tape
from autograd_lite.native.tracing.recording import record
from autograd_lite.slips import warn_slip
from autograd_lite.trees import leaves_of, shaped_like
from autograd_lite.value import Value

MOST_STRUCTURES = 256
"""Structures of arguments, such as lengths of lists, whose recordings are kept."""

_together: WeakKeyDictionary[Memory, Any] = WeakKeyDictionary()
"""Of every memory of parameters the lock of the programs that add gradients up in it."""

Last = tuple[Paths, tuple[Form, ...], int, frozenset[int]]
"""Of the last call its recordings, the structure of its arguments, its lanes, and what varied."""


class Evaluator:
    """Records a function when that is needed, and evaluates the recordings.

    Parameters
    ----------
    function : callable
    parameters : tuple of Value, or None
        What is learned: then gradients are theirs, otherwise those of the arguments.
    exact, dtype, threads
        As in `autograd_lite.compile`.

    Attributes
    ----------
    structures : dict
        For each structure of the arguments the recordings.
    last : tuple or None
        About the last call.
    lock, together : RLock
        Held while a call is evaluated; the second by all programs that learn the same parameters.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        parameters: tuple[Value, ...] | None,
        *,
        exact: bool,
        dtype: str,
        threads: int,
    ) -> None:
        self._function = function
        self._parameters = parameters or ()
        self._learns = parameters is not None
        self._exact = exact
        self._dtype = dtype
        self._threads = threads
        self._lower = backend.lowering(dtype)
        self.structures: dict[tuple[Form, ...], Paths] = {}
        self.last: Last | None = None
        self.lock = RLock()
        self.together = RLock()  # of all programs whose parameters are in the same arrays
        self._binding: Binding | None = None
        self._bound = 0
        self._warned = False

    @property
    def is_bound(self) -> bool:
        """Whether the parameters are where plans expect them."""
        binding = self._binding
        if binding is None:
            return False
        memory = binding.memory
        return memory.valid and memory.changes == self._bound

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """All recordings."""
        return tuple(recording for paths in self.structures.values() for recording in paths)

    def evaluate(self, batch: Batch, task: Task) -> Found:
        """Compute the lanes of a batch."""
        with self.lock, self.together:
            if self._learns:
                self._check_binding()
            paths = self.structures.get(batch.forms)
            if paths is not None:
                return self._along(paths, batch, task)
            with collector_paused():  # or it would go over all that is recorded, for nothing
                return self._along(self.new_structure(batch.forms), batch, task)

    def _along(self, paths: Paths, batch: Batch, task: Task) -> Found:
        """Compute the lanes by the recordings of their structure."""
        paths.stamp = newer()
        self.last = paths, batch.forms, batch.lanes, batch.varying
        return paths.evaluate(batch, task)

    def new_structure(self, forms: tuple[Form, ...]) -> Paths:
        """Return where recordings for arguments of a new structure go."""
        if len(self.structures) >= MOST_STRUCTURES:
            oldest = min(self.structures, key=lambda known: self.structures[known].stamp)
            self.structures.pop(oldest).roots.clear()  # quick ways end with their recording
        keep = self.keep if self._learns else None
        paths = Paths(self._record, self._plan, self._alone, keep, threads=self._threads)
        self.structures[forms] = paths
        return paths

    def _check_binding(self) -> None:
        """Forget plans for arrays that the parameters are no longer in."""
        if self._binding is not None and not self.is_bound:
            for recording in self.recordings:
                recording.plans.clear()
            self._binding = None

    def _bind(self, tape: Tape) -> Binding:
        """Move the parameters into arrays: weights of matrix products next to each other."""
        order = memory_order(tape, len(self._parameters))
        self._binding = binding = bind(self._parameters, order=order, dtype=self._dtype)
        self._bound = binding.changes
        self.together = _together.setdefault(binding.memory, RLock())
        return binding

    def _record(self, batch: Batch, lane: int) -> Tape:
        """Record the function for the numbers of one lane."""
        try:
            tape = record(self._function, batch.sample(lane), parameters=self._parameters)
        except Exception as error:
            if batch.varying:
                error.add_note(f"raised for row {lane} of the batch, while it was being recorded")
            raise
        tape = with_numbers(tape)
        check_draws(tape)
        if self._learns:
            slip = check_parameters(tape, self._parameters)
            if slip and not self._warned:
                self._warned = True
                warn_slip(slip)
        return tape

    def _plan(self, tape: Tape, varying: frozenset[int], differentiable: bool) -> Any:
        """Return what evaluates a recording."""
        positions = {source.position for source in tape.leaves if isinstance(source, Argument)}
        if self._learns and self._binding is None:
            self._bind(tape)
        with collector_paused():
            return self._lower(
                tape,
                varying=varying,
                wanted=frozenset(positions if differentiable and not self._learns else ()),
                binding=self._binding,
                exact=self._exact,
                dtype=self._dtype,
            )

    def keep(self) -> Callable[[], bool]:
        """Return what puts gradients back to what they are now, as `Paths` says."""
        memory = None if self._binding is None else self._binding.memory
        if memory is None:
            raise RuntimeError("parameters are bound before a plan of them is evaluated")
        kept = memory.kept()

        def put_back() -> bool:
            spoilt = memory.has_nan()
            if spoilt:
                memory.put_back(kept)
            return spoilt

        return put_back

    def _alone(self, batch: Batch, lane: int, task: Task, tape: Tape | None = None) -> Found:
        """Compute one lane on Values: by the function itself, or by a recording of it."""
        function = self._function if tape is None else partial(self._replayed, tape)
        sample = batch.sample(lane)
        if self._learns:
            return learned_alone(function, sample, task.seed)
        found = alone(function, sample, batch.forms, task)
        if batch.varying:
            return found
        rows = {position: rows[0] for position, rows in found.gradients.items()}
        return Found(found.result, found.outputs, rows)

    def _replayed(self, tape: Tape, *args: Any) -> Any:
        """Return what the function returned when it was recorded, for other numbers."""
        given = [leaves_of(argument) for argument in args]
        return shaped_like(tape.result, iter(replayed(tape, given, parameters=self._parameters)))
