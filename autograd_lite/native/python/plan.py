"""The plan without NumPy and Numba: a recording runs as the Python text that `source` writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from threading import RLock
from typing import Any

from autograd_lite.native.found import Found
from autograd_lite.native.order import needing, swept
from autograd_lite.native.python.lane_numbers import Lanes
from autograd_lite.native.python.namespace import namespace, quick_namespace
from autograd_lite.native.python.naming import TAKEN, Given, Names, derived, entries_of
from autograd_lite.native.python.source import functions_of
from autograd_lite.native.tape import (
    LANE_MEAN,
    LANE_VARIANCE,
    Argument,
    Closure,
    Drawn,
    Parameter,
    Tape,
)
from autograd_lite.node import is_outdated
from autograd_lite.primitives.ieee import RAISED_BY_FLOATS
from autograd_lite.slips import warn_mixed
from autograd_lite.sweep import set_all
from autograd_lite.trees import leaves_of


class PythonPlan:
    """Evaluates a recording, and its derivatives, in plain Python.

    Lanes run one by one on floats; where Python's floats raise, and where a mean over all lanes is
    needed, they run on `Lanes`.

    Parameters
    ----------
    tape : Tape
    varying : collection of int
        The positions of arguments that differ between lanes.
    wanted : collection of int
        The positions of arguments to differentiate.
    parameters : sequence of Value
        Those that the recording counts. Their gradients are added to their ``grad``.

    Examples
    --------
    >>> from autograd_lite.native.python.plan import PythonPlan
    >>> from autograd_lite.native.tracing.recording import record
    >>> plan = PythonPlan(record(lambda x: x * x, (2.0,)), varying={0}, wanted={0})
    >>> found = plan.evaluate([[[1.0], [3.0]]], 2, seed=1.0)
    >>> found.outputs, found.gradients
    ([[1.0, 9.0]], {0: [[2.0], [6.0]]})
    """

    def __init__(
        self,
        tape: Tape,
        *,
        varying: Collection[int] = frozenset(),
        wanted: Collection[int] = frozenset(),
        parameters: Sequence[Any] = (),
    ) -> None:
        self.tape = tape
        self.varying = frozenset(varying)
        self.wanted = frozenset(wanted)
        self.parameters = parameters
        self._closures = [x.value for x in tape.leaves if isinstance(x, Closure)]
        self._code: dict[int | None, list[Any]] = {}
        self._made: dict[tuple[int | None, bool], dict[str, Any]] = {}
        self._reached: dict[int, frozenset[int]] = {}
        self._joins = not {LANE_MEAN, LANE_VARIANCE}.isdisjoint(tape.operations.different)
        self._lock = RLock()  # an effect may evaluate again

    def evaluate(
        self,
        arguments: Sequence[Any],
        lanes: int,
        *,
        seed: float | None = None,
        output: int = 0,
        threads: int = 1,
        drawn: Sequence[Any] | None = None,
        tell: bool = True,
    ) -> Found:
        """Run forward and, with a seed, backward.

        Parameters
        ----------
        arguments : sequence
            One per position: rows of numbers, one row per lane, where it varies, else one row.
        lanes : int
        seed : float, optional
            The adjoint of the output in every lane.
        output : int
            Which output is differentiated.
        threads : int
            Python runs in one thread, whatever this is.
        drawn : sequence, optional
            What the tape's draws gave, (lanes, size) each; by default they are drawn anew.
        tell : bool
            Whether the tape's effects are called.

        Returns
        -------
        Found
            As in the eager engine, sums start from 0.0, so that no derivative is -0.0.
        """
        given = [x.tolist() if hasattr(x, "tolist") else x for x in arguments]
        with self._lock:
            if not self._made:
                self._prepare(given)
            if drawn is None:
                drawn = [draw.function(lanes, draw.size) for draw in self.tape.draws]
            columns = self._columns(given, drawn)
            run = _Run(self, lanes, seed, output)
            if lanes > 1 and self._joins:
                run.in_lanes(columns)
            else:
                run.lane_by_lane(columns)
            return self._finished(run, tell=tell)

    def _prepare(self, given: Sequence[Any]) -> None:
        """Note what the arguments are like; they are the same in all calls."""
        self._given = [
            Given(f"x{at}", len(rows[0]) if at in self.varying else len(rows))
            for at, rows in enumerate(given)
        ]
        self.entries = entries_of(self.tape, self._given, Names(TAKEN))
        self.derived = derived(self.entries, self.wanted)

    def _columns(self, given: Sequence[Any], drawn: Sequence[Any]) -> list[list[list[float]]]:
        """Return what each entry is given: for each of its numbers that of every lane, or one."""
        found = []
        for entry in self.entries:
            if entry.kind is Argument and entry.position in self.varying:
                columns = [list(column) for column in zip(*given[entry.position], strict=True)]
            elif entry.kind is Argument:
                columns = [[x] for x in given[entry.position]]
            elif entry.kind is Drawn:
                rows = drawn[entry.position]
                columns = [[float(row[i]) for row in rows] for i in range(len(entry.nodes))]
            else:
                values = self.parameters if entry.kind is Parameter else self._closures
                columns = [[value.data] for value in values[: len(entry.nodes)]]
            found.append(columns)
        return found

    def functions(self, output: int | None, quick: bool) -> dict[str, Any]:
        """Return a namespace with ``forward`` and ``backward``, compiled when first needed."""
        if (output, quick) not in self._made:
            if output not in self._code:
                texts = functions_of(self.tape, self._given, self.wanted, output)
                self._code[output] = [compile(text, "<recording>", "exec") for text in texts]
            names = quick_namespace(self.tape) if quick else namespace(self.tape)
            for code in self._code[output]:
                exec(code, names)
            self._made[output, quick] = names
        return self._made[output, quick]

    def reached(self, output: int) -> frozenset[int]:
        """Return the nodes that backward comes to from an output."""
        if output not in self._reached:
            root = self.tape.outputs[output]
            order = swept(self.tape, root, needing(self.tape, self.wanted))
            self._reached[output] = frozenset(order)
        return self._reached[output]

    def _finished(self, run: _Run, *, tell: bool) -> Found:
        """Add the gradients of parameters, call the effects, and return the rest."""
        if run.failed is not None:
            return Found(run.outputs, run.failed, {})
        gradients: dict[int, list[Any]] = {}
        if run.seed is not None:
            for entry, columns in zip(self.derived, run.gradients, strict=True):
                if entry.kind is Parameter:
                    self._learn(run, entry.nodes, columns)
                elif entry.position in self.varying:
                    rows = zip(*map(run.per_lane, columns), strict=True)
                    gradients[entry.position] = [[0.0 + x for x in row] for row in rows]
                else:
                    gradients[entry.position] = list(map(run.total, columns))
        for effect, numbers in zip(self.tape.effects if tell else (), run.noted, strict=False):
            effect.function(*numbers)
        return Found(run.outputs, None, gradients)

    def _learn(self, run: _Run, nodes: Sequence[int | None], columns: Sequence[Any]) -> None:
        """Add what was found to the gradients of the parameters that backward has come to."""
        learned: list[Any] = []
        sums: list[float] = []
        for node, value, column in zip(nodes, self.parameters, columns, strict=False):
            if node in run.reached and value.requires_grad:
                learned.append(value)
                sums.append(float(value.grad) + run.total(column))
        mixed = [value for value in learned if is_outdated(value)]
        if mixed:
            warn_mixed(mixed)
        set_all(learned, "_grad", sums)


class _Run:
    """One evaluation, while it goes on."""

    def __init__(
        self, plan: PythonPlan, lanes: int, seed: float | None, output: int | None
    ) -> None:
        self.plan = plan
        self.lanes = lanes
        self.seed = seed
        self.output = None if seed is None else output
        self.reached = frozenset() if self.output is None else plan.reached(self.output)

    def _begin(self) -> None:
        self.asked = 0
        self.failed: list[int] | None = None
        self.noted: list[tuple[float, ...]] = [()] * len(self.plan.tape.effects)
        self.outputs: list[list[float]] = []
        self.gradients: list[list[Any]] = []

    def lane_by_lane(self, columns: list[list[list[float]]]) -> None:
        """Run one lane after the other, which is quicker wherever lanes know nothing of another."""
        self._begin()
        rows = [None if any(len(x) > 1 for x in entry) else _firsts(entry) for entry in columns]
        runs: list[_Run] = []
        seed = self.seed
        for lane in range(self.lanes):
            row = [
                [x[lane] if len(x) > 1 else x[0] for x in entry] if known is None else known
                for entry, known in zip(columns, rows, strict=True)
            ]
            run = _Run(self.plan, 1, seed, self.output)
            if not run.at_a_point(row):
                run.in_lanes([[[x] for x in entry] for entry in row])
            if run.failed is not None:
                seed = None  # there will be no gradient
            runs.append(run)
        self.outputs = [_firsts(x) for x in zip(*(run.outputs for run in runs), strict=True)]
        if any(run.failed for run in runs):
            none = len(self.plan.tape.guards)
            self.failed = [run.failed[0] if run.failed else none for run in runs]
            return
        self.noted = runs[0].noted
        for entries in zip(*(run.gradients for run in runs), strict=True):
            self.gradients.append([Lanes(x) for x in zip(*entries, strict=True)])

    def at_a_point(self, row: list[list[float]]) -> bool:
        """Run on floats; tell whether that went well."""
        self._begin()
        try:
            self._run(row, self.seed, quick=True)
        except (*RAISED_BY_FLOATS, TypeError):  # the latter where a number is complex
            return False
        return True

    def in_lanes(self, columns: list[list[list[float]]]) -> None:
        """Run on lanes."""
        self._begin()
        seed = None if self.seed is None else Lanes([self.seed] * self.lanes)
        self._run([[Lanes(x) for x in entry] for entry in columns], seed, quick=False)
        if self.lanes == 1:
            self.gradients = [[self.total(x) for x in entry] for entry in self.gradients]

    def _run(self, given: list[list[Any]], seed: Any, *, quick: bool) -> None:
        names = self.plan.functions(self.output, quick)
        names["expect"] = self._expect
        for i in range(len(self.noted)):
            names[f"after{i}"] = partial(self._note, i)
        result, saved = names["forward"](*given)
        self.outputs = [self.per_lane(x) for x in leaves_of(result)]
        if seed is None or self.failed is not None:
            return
        found = names["backward"](saved, seed)
        self.gradients = [found] if len(self.plan.derived) == 1 else list(found)
        if quick:
            self.gradients = [[float(x) for x in entry] for entry in self.gradients]

    def _expect(self, answer: Any, recorded: bool) -> None:
        """Note in which lanes a guard fails."""
        number = self.asked
        self.asked += 1
        answers = answer.spread(self.lanes) if isinstance(answer, Lanes) else [answer] * self.lanes
        if all(bool(one) is recorded for one in answers):
            return
        none = len(self.plan.tape.guards)
        before = self.failed or [none] * self.lanes
        self.failed = [
            number if first == none and bool(one) is not recorded else first
            for first, one in zip(before, answers, strict=True)
        ]

    def _note(self, effect: int, *numbers: Any) -> None:
        self.noted[effect] = tuple(self.per_lane(x)[0] for x in numbers)

    def per_lane(self, x: Any) -> list[float]:
        """Return a number for each lane."""
        return x.spread(self.lanes) if isinstance(x, Lanes) else [float(x)] * self.lanes

    def total(self, x: Any) -> float:
        """Return the sum over the lanes."""
        return 0.0 + (x.total(self.lanes) if isinstance(x, Lanes) else float(x))


def _firsts(columns: Iterable[Sequence[Any]]) -> list[Any]:
    return [column[0] for column in columns]
