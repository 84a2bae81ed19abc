"""A plan: a tape made ready to be evaluated natively, for one point or for many lanes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from threading import RLock
from typing import Any, NamedTuple, cast

from autograd_lite.native.binding import Binding
from autograd_lite.native.guarding import Guards
from autograd_lite.native.kernels.runner import LANES, RECORD_LENGTH, UNIFORM
from autograd_lite.native.kernels.table import Kernels
from autograd_lite.native.leaves import Leaves
from autograd_lite.native.lowering import NO_ROW, analysed, laid_out
from autograd_lite.native.machine import Machine
from autograd_lite.native.matrices import Around, direct_arguments, placed
from autograd_lite.native.records import recorded
from autograd_lite.native.tape import Parameter, Tape

BLOCK_BYTES = 1 << 23  # numbers and adjoints of a block of lanes, so that they stay in a cache
NARROWEST, WIDEST = 16, 512  # lanes in a block, more or less


class Found(NamedTuple):
    """What an evaluation gives.

    Attributes
    ----------
    outputs : array (outputs, lanes)
        With one lane where nothing varies.
    failed : int array (lanes,), or None
        The number of the first guard that does not hold, or how many there are; None if all hold.
    gradients : dict
        By position of the argument, arrays like it.
    """

    outputs: Any
    failed: Any
    gradients: dict[int, Any]


def lower(
    tape: Tape,
    *,
    varying: Collection[int],
    wanted: Collection[int],
    binding: Binding | None = None,
    exact: bool = False,
    dtype: str = "float64",
) -> Plan:
    """Make a plan of a tape.

    Parameters
    ----------
    tape : Tape
    varying, wanted : collections of int
        The positions of the arguments that differ between lanes, and of those to differentiate.
    binding : Binding, optional
        Where the parameters are, which are differentiated in any case.
    exact : bool
        Whether to give the eager engine's own bits.
    dtype : {"float64", "float32"}
    """
    return Plan(tape, varying=varying, wanted=wanted, binding=binding, exact=exact, dtype=dtype)


class Plan:
    """A tape that is ready to be evaluated; made by `lower`.

    Attributes
    ----------
    tape : Tape
    about : Analysed
    layout : Layout
    runs : Recorded
    placed : list of Placed
        The matrix products.
    leaves : Leaves
    rows : tuple of two int
        How many rows the uniform space and the lanes have.
    dtype : numpy.dtype
    binding : Binding or None
    """

    def __init__(
        self,
        tape: Tape,
        *,
        varying: Collection[int],
        wanted: Collection[int],
        binding: Binding | None,
        exact: bool,
        dtype: str,
    ) -> None:
        import numpy as np

        self.tape = tape
        self.dtype = np.dtype(dtype)
        self._varying = frozenset(varying)
        self.binding = binding
        self.parameters = None if binding is None else binding.data
        self.gradients = None if binding is None else binding.grad
        places: Sequence[int] = () if binding is None else binding.place
        self.about = about = analysed(tape, varying=varying, wanted=wanted, exact=exact)
        flat = about.flat
        live = np.bincount(flat.codes[about.live], minlength=len(flat.operations)) > 0
        self._kernels = Kernels(flat.operations, live.tolist(), exact=exact, dtype=dtype)
        direct = direct_arguments(about, sorted(wanted))
        self._direct = [*direct]
        self.layout = layout = laid_out(about, [x for nodes in direct.values() for x in nodes])
        self.runs = recorded(about, layout, self._kernels)
        self.placed, self.rows = placed(about, layout, direct, places, layout.rows)
        self.index, self.around = self._records_around()
        self.leaves = Leaves(about, layout, self.runs.labels, places, varying, wanted)
        outputs = np.array(tape.outputs, np.int64)
        self.outputs = layout.space[outputs].astype(np.int64), layout.row[outputs]
        self.guards = Guards(tape, layout, self._kernels)
        self.zeroed = self._rows_to_zero()
        active = [tape.sources[node] for node in flat.leaves() if about.active[node]]
        used = [source.position for source in active if isinstance(source, Parameter)]
        self._spans = () if binding is None else binding.spans_at(sorted(used))
        self._overwrites = all(
            x.alone and x.in_order for x in self.placed if x.learns and x.of_parameters
        )
        self._u = np.zeros(self.rows[UNIFORM], self.dtype)
        self._gu = np.zeros(self.rows[UNIFORM], self.dtype)
        rows, numbers = self.leaves.constants
        self._u[rows] = numbers
        self._apart = self.rows[LANES] > 0 and not about.joined
        self._point: Plan | None = None
        self._without_lanes = partial(
            Plan, tape, varying=(), wanted=wanted, binding=binding, exact=exact, dtype=dtype
        )
        self._machines: dict[tuple[int, bool], list[Machine]] = {}
        self._lock = RLock()
        self._first = (
            Machine(self, 1, self._u, self._gu, UNIFORM, whole=True) if self._apart else None
        )

    def block(self, lanes: int) -> int:
        """Return how many of so many lanes are computed together."""
        if not self._apart:
            return lanes
        room = BLOCK_BYTES // (2 * self.dtype.itemsize * self.rows[LANES])
        return min(lanes, max(NARROWEST, min(WIDEST, room // 8 * 8)))

    def evaluate(
        self,
        arguments: Sequence[Any],
        lanes: int,
        seed: float | None = None,
        output: int = 0,
        threads: int = 1,
    ) -> Found:
        """Compute the outputs, and what is asked for of their gradients.

        Parameters
        ----------
        arguments : sequence of arrays
            Of every argument its numbers: (lanes, width) where it varies, else (width,), which can
            be a list as well.
        lanes : int
        seed : float, optional
            The adjoint of an output in every lane; without it nothing is differentiated.
        output : int
            Which output that is.
        threads : int
            How many blocks of lanes are computed at a time.

        Returns
        -------
        Found
            If a guard fails, with ``failed`` and without gradients; those of parameters are then
            as they were. Otherwise these are added to the binding's.
        """
        import numpy as np

        if lanes == 1 and self._apart:
            return self._of_one_lane(arguments, seed, output)
        with self._lock:
            if self._direct:
                arguments = list(arguments)
                for position in self._direct:
                    arguments[position] = np.asarray(arguments[position], self.dtype)
            drawn = [np.asarray(draw.function(lanes, draw.size)) for draw in self.tape.draws]
            self.leaves.load_uniform(self._u, arguments, drawn, self.parameters)
            if self._first is not None:
                self._first.run("forward")
            size = self.block(lanes)
            if size == lanes:
                return self._whole(arguments, drawn, lanes, seed, output)
            blocks = [slice(i, min(i + size, lanes)) for i in range(0, lanes, size)]
            return self._in_blocks(arguments, drawn, blocks, seed, output, threads)

    def _of_one_lane(self, arguments: Sequence[Any], seed: float | None, output: int) -> Found:
        """Evaluate as a point: without lanes, more is found to be one product."""
        if self._point is None:
            self._point = self._without_lanes()
        given = [x[0] if i in self._varying else x for i, x in enumerate(arguments)]
        found = self._point.evaluate(given, 1, seed, output)
        gradients = {
            position: gradient[None] if position in self._varying else gradient
            for position, gradient in found.gradients.items()
        }
        return Found(found.outputs, found.failed, gradients)

    def _whole(
        self,
        arguments: Sequence[Any],
        drawn: Sequence[Any],
        lanes: int,
        seed: float | None,
        output: int,
    ) -> Found:
        """Evaluate all lanes together."""
        machine = self._machine(lanes, whole=True)
        machine.load(arguments, drawn)
        machine.run("forward")
        outputs = machine.outputs()
        failed = machine.failing()
        if failed is not None:
            return Found(outputs, failed, {})
        gradients: dict[int, Any] = {}
        if seed is not None:
            fresh = machine.fresh = self._open(whole=True)
            machine.differentiate(seed, output)
            gradients = self._gradients(machine, arguments)
            self._close(seed, output, lanes, fresh=fresh)
        self._tell()
        return Found(outputs, None, gradients)

    def _in_blocks(
        self,
        arguments: Sequence[Any],
        drawn: Sequence[Any],
        blocks: Sequence[slice],
        seed: float | None,
        output: int,
        threads: int,
    ) -> Found:
        """Evaluate block after block; what they add up is added in their order."""
        import numpy as np

        lanes = blocks[-1].stop
        outputs = np.empty((len(self.tape.outputs), lanes), self.dtype)
        gradients: dict[int, Any] = {}

        def forward(machine: Machine, block: slice) -> Any:
            part = [x[block] if i in self._varying else x for i, x in enumerate(arguments)]
            machine.load(part, [x[block] for x in drawn])
            machine.run("forward")
            outputs[:, block] = machine.outputs()
            return machine.failing()

        def both(machine: Machine, block: slice) -> None:
            forward(machine, block)
            machine.differentiate(cast(float, seed), output)
            for position, found in self._gradients(machine, machine.arguments).items():
                gradients[position][block] = found

        if seed is None or self.tape.guards:
            parts = [part for _, part in self._each(blocks, threads, forward)]
            failed = self.guards.joined(parts, blocks)
            if failed is not None:
                return Found(outputs, failed, {})
        if seed is not None:
            gradients = {p: np.empty(arguments[p].shape, self.dtype) for p in self.leaves.wanted}
            self._open(whole=False)
            summed = np.zeros_like(self._gu)
            for machine, _ in self._each(blocks, threads, both):
                machine.collect()
                summed += machine.gu
            self._gu[:] = summed
            self._close(seed, output, lanes, fresh=False)
        self._tell()
        return Found(outputs, None, gradients)

    # -- machines -----------------------------------------------------------------------------

    def _machine(self, lanes: int, *, whole: bool) -> Machine:
        """Return room for so many lanes; its adjoints without lanes are the plan's if all are."""
        import numpy as np

        free = self._machines.setdefault((lanes, whole), [])
        if free and whole:
            return free[0]
        if free:
            return free.pop()
        space = LANES if self._apart else None
        gu = self._gu if whole else np.zeros_like(self._gu)
        machine = Machine(self, lanes, self._u, gu, space, whole=whole)
        if whole:
            free.append(machine)
        return machine

    def _each(
        self, blocks: Sequence[slice], threads: int, compute: Callable[[Machine, slice], Any]
    ) -> Iterator[Any]:
        """Compute blocks, some at a time, and yield results in order, each with its machine."""
        waiting = list(blocks)
        with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
            while waiting:
                now, waiting = waiting[:threads], waiting[threads:]
                machines = [self._machine(x.stop - x.start, whole=False) for x in now]
                run = map if pool is None else pool.map
                for machine, part in zip(machines, run(compute, machines, now), strict=True):
                    yield machine, part
                    self._machines[machine.lanes, False].append(machine)

    # -- gradients ----------------------------------------------------------------------------

    def _gradients(self, machine: Machine, arguments: Sequence[Any]) -> dict[int, Any]:
        """Return the gradients of arguments, as far as they are wanted."""
        return {
            position: self.leaves.gradient(position, machine.g, machine.gu, arguments[position])
            for position in self.leaves.wanted
        }

    def _open(self, *, whole: bool) -> bool:
        """Make the parameters' gradients ready; return whether they are to be overwritten."""
        binding = self.binding
        if binding is None or not self._spans:
            return False
        if whole and self._overwrites and binding.is_clear(self._spans):
            return True
        binding.prepare(self._spans)
        return False

    def _close(self, seed: float, output: int, lanes: int, *, fresh: bool) -> None:
        """Go on to what has no lanes, and note that parameters have gradients."""
        if self._first is not None:
            spaces, rows = self.outputs
            if spaces[output] == UNIFORM:
                self._gu[rows[output]] += seed * lanes
            self._first.fresh = fresh
            self._first.run("backward")
        learning = self.leaves.learning
        if learning is not None and self.gradients is not None:
            if fresh:
                self.gradients[learning.places] = self._gu[learning.rows]
            else:
                self.gradients[learning.places] += self._gu[learning.rows]
        if self.binding is not None and self._spans:
            self.binding.reach(self._spans)

    def _tell(self) -> None:
        """Call what wanted to know numbers of this evaluation."""
        for effect in self.tape.effects:
            effect.function(*(float(self._u[self.layout.row[node]]) for node in effect.nodes))

    def _rows_to_zero(self) -> list[slice]:
        """Return the rows with lanes whose adjoints are added up, not written by a product."""
        import numpy as np

        add = np.zeros(self.rows[LANES], bool)
        layout, active = self.layout, self.about.active
        active = np.concatenate([active, active[layout.broadcast]])
        having = active & (layout.space == LANES) & (layout.row != NO_ROW)
        add[layout.row[having]] = True
        for product in self.placed:
            if product.with_lanes and product.only_user:
                add[product.inputs.ravel()] = False
        edges = np.flatnonzero(np.diff(np.concatenate([[0], add.astype(np.int8), [0]])))
        return [slice(int(a), int(b)) for a, b in edges.reshape(-1, 2)]

    # -- what is around matrix products --------------------------------------------------------

    def _records_around(self) -> tuple[Any, list[Around]]:
        """Return the index with what starts and copies need, and the records for these."""
        import numpy as np

        parts = [self.runs.index]
        end = len(parts[0])
        found = []
        for product in self.placed:
            around = Around([], [], [], [])
            space = LANES if product.with_lanes else UNIFORM
            for what, rows, first, forward, backward in (
                ("copy", product.copied, product.inputs, around.before, around.before_backward),
                ("bias", product.starts, product.outputs, around.after, around.after_backward),
            ):
                if rows is None:
                    continue
                begin = first.start if isinstance(first, slice) else int(first[0, 0])
                for direction, records in (("forward", forward), ("backward", backward)):
                    at = self._kernels.special(what, direction, space)
                    record = [at, space, end, begin, begin + rows.size]
                    records.append(np.array([record + [0] * (RECORD_LENGTH - len(record))]))
                parts.append(rows.ravel())
                end += rows.size
            found.append(around)
        return np.concatenate(parts).astype(np.int32), found
