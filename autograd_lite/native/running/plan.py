"""A plan: a tape made ready to be evaluated natively, for one point or for many lanes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import nullcontext, suppress
from functools import cached_property, partial
from threading import RLock
from typing import Any

from autograd_lite.native.found import Found
from autograd_lite.native.kernels.building import STRIP
from autograd_lite.native.kernels.convention import LANES, UNIFORM
from autograd_lite.native.lowering.schedule import Schedule, scheduled
from autograd_lite.native.parameters.binding import Binding
from autograd_lite.native.running.aligned import aligned
from autograd_lite.native.running.learning import Learning, can_be_short, mean_of
from autograd_lite.native.running.machine import Machine, over_lanes
from autograd_lite.native.running.point import Point, is_simple
from autograd_lite.native.running.sweep import Sweeps, can_sweep
from autograd_lite.native.running.turns import in_turns
from autograd_lite.native.tape import Parameter, Tape

BLOCK_BYTES = 6 << 20  # numbers and adjoints of a block of lanes, so that they stay in a cache
NARROWEST, WIDEST = 16, 512  # lanes in a block, more or less
SIZES_KEPT = 8  # numbers of lanes for which there is room without asking for memory again


def lower(
    tape: Tape,
    *,
    varying: Collection[int],
    wanted: Collection[int],
    binding: Binding | None = None,
    exact: bool = False,
    dtype: str = "float64",
    output: int | None = None,
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
    output : int, optional
        The only output that is differentiated; by default any of them is.
    """
    schedule = scheduled(
        tape,
        varying=varying,
        wanted=wanted,
        binding=binding,
        exact=exact,
        dtype=dtype,
        output=output,
    )
    several = output is None and len(set(tape.outputs)) > 1
    return Plan(tape, schedule, binding, several=several)


class Plan:
    """A tape that is ready to be evaluated; made by `lower`.

    Attributes
    ----------
    tape : Tape
    schedule : Schedule
    binding : Binding or None
    sweeps : bool
        Whether many lanes are native runs alone.
    several : bool
        Whether it is any of several outputs that is differentiated.
    """

    def __init__(
        self, tape: Tape, schedule: Schedule, binding: Binding | None, *, several: bool
    ) -> None:
        import numpy as np

        self.tape = tape
        self.schedule = schedule
        self.binding = binding
        self._several = several
        self._single: dict[int, Plan] = {}
        about = schedule.about
        learned = about.sources.are(Parameter) & about.active[about.sources.nodes]
        used = sorted(about.sources.which[learned].tolist())
        self._spans = () if binding is None else binding.spans_at(used)
        self._overwrites = all(
            x.alone and x.in_order for x in schedule.products if x.learns and x.of_parameters
        )
        self._u = np.zeros(schedule.rows[UNIFORM], schedule.dtype)
        self._gu = np.zeros(schedule.rows[UNIFORM], schedule.dtype)
        rows, numbers = schedule.leaves.constants
        self._u[rows] = numbers
        # NaN and infinities are results like others, but NumPy would warn of them.
        self._warns = bool(schedule.products or schedule.runs.forward.python or binding)
        self._lane_bytes = 2 * schedule.dtype.itemsize * schedule.rows[LANES]
        self._whole_machines: dict[int, Machine] = {}
        self._short_ways: dict[int, Learning | None] = {}  # of steps over so many lanes
        self._free: dict[int, list[Machine]] = {}  # for blocks of so many lanes
        self.sweeps = schedule.apart and can_sweep(tape, schedule)
        self._sweeps = Sweeps(schedule, partial(self._machine, whole=False))
        self._lock = RLock()
        self._expects_success = True  # that all guards will hold
        self._first: Machine | None = None
        if schedule.apart:
            self._first = Machine(schedule, 1, self._u, self._gu, UNIFORM, whole=True)

    def block(self, lanes: int) -> int:
        """Return how many of so many lanes are computed together."""
        if not self.schedule.apart:
            return lanes
        room = BLOCK_BYTES // self._lane_bytes
        return min(lanes, max(NARROWEST, min(WIDEST, room // 8 * 8)))

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows the uniform space and the lanes have."""
        return self.schedule.rows

    @property
    def dtype(self) -> Any:
        """The type of the numbers."""
        return self.schedule.dtype

    @property
    def products(self) -> tuple[tuple[int, int, int], ...]:
        """The matrix products: rows of weights, terms, and columns of inputs."""
        return tuple((one.m, one.n, one.columns) for one in self.schedule.products)

    @property
    def through_python(self) -> tuple[str, ...]:
        """The names of operations that have no kernel, one for every time."""
        flat = self.schedule.about.flat
        return tuple(
            flat.operations[flat.codes[node]].name for _, node in self.schedule.runs.forward.python
        )

    def evaluate(
        self,
        arguments: Sequence[Any],
        lanes: int,
        seed: float | None = None,
        output: int = 0,
        threads: int = 1,
        *,
        drawn: Sequence[Any] | None = None,
        tell: bool = True,
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
        drawn : sequence, optional
            What the tape's draws gave, (lanes, size) each; by default they are drawn anew.
        tell : bool
            Whether the tape's effects are called.

        Returns
        -------
        Found
            If a guard fails, with ``failed`` and without gradients; those of parameters are then
            as they were. Otherwise these are added to the binding's.
        """
        import numpy as np

        if drawn is None:
            drawn = [draw.function(lanes, draw.size) for draw in self.tape.draws]
        drawn = [np.asarray(numbers) for numbers in drawn]
        with self._lock:  # an effect may evaluate again
            plan = self
            several = self._several and seed is not None
            if several and self.schedule.about.exact:  # in the order of this output's own sweep
                plan = self._alone(output)
            found = plan._evaluate(arguments, lanes, seed, output, threads, drawn)
            if several and any(np.isnan(x).any() for x in found.gradients.values()):
                # What this output does not depend on is not to add 0.0 * inf to its gradient.
                plan = self._alone(output)
                found = plan._evaluate(arguments, lanes, seed, output, threads, drawn)
            if tell and found.failed is None:
                plan._tell()
            return found

    @property
    def varies(self) -> bool:
        """Whether there are lanes."""
        return bool(self.schedule.varying)

    @cached_property
    def point(self) -> Point | None:
        """The shortest way from one point to value and gradient; None where it asks for more."""
        if not is_simple(self.tape, self.schedule):
            return None
        return Point(self.schedule, self._machine(1, whole=True))

    def sweep(
        self, arguments: Sequence[Any], lanes: int, seed: float | None, threads: int
    ) -> Found | None:
        """Do what `evaluate` does, for a plan that ``sweeps``; None where that has to do it.

        It has for fewer lanes than a block's, and for arguments that kernels cannot read.
        """
        with self._lock:
            if not self._accepts(arguments, lanes, seed):
                return None
            self._begin(arguments, ())
            return self._swept(arguments, lanes, seed, threads)

    def learn(self, arguments: Sequence[Any], lanes: int) -> float | None:
        """Add the gradients of the mean over lanes to the parameters', as `evaluate` does.

        Returns
        -------
        float or None
            The mean. None if nothing was done: where a guard fails, and for numbers of lanes that
            have not been before.
        """
        import numpy as np

        machine = self._whole_machines.get(lanes)
        if machine is None or self.tape.draws:
            return None
        short, binding = self._short_ways[lanes], self.binding
        if short is not None and binding is not None and self._is_clear:
            with self._lock:
                mean = short(arguments)
                if mean is not None:
                    binding.reach(self._spans)
                    self._tell()
                return mean
        with self._lock, np.errstate(all="ignore"):
            self._begin(arguments, ())
            machine.load(arguments, ())
            machine.run("keeping")
            if machine.failing() is not None:
                return None
            self._differentiate(machine, 1.0 / lanes, 0)
            self._tell()
            return mean_of(machine.first_output())

    def _evaluate(
        self,
        arguments: Sequence[Any],
        lanes: int,
        seed: float | None,
        output: int,
        threads: int,
        drawn: Sequence[Any],
    ) -> Found:
        import numpy as np

        schedule = self.schedule
        with self._lock, np.errstate(all="ignore") if self._warns else nullcontext():
            if schedule.direct:
                arguments = list(arguments)
                for position in schedule.direct:
                    arguments[position] = np.asarray(arguments[position], schedule.dtype)
            self._begin(arguments, drawn)
            if self._accepts(arguments, lanes, seed):
                return self._swept(arguments, lanes, seed, threads)
            size = self.block(lanes)
            if size == lanes:
                return self._whole(arguments, drawn, lanes, seed, output)
            blocks = [slice(i, min(i + size, lanes)) for i in range(0, lanes, size)]
            return self._in_blocks(arguments, drawn, blocks, seed, output, threads)

    def _begin(self, arguments: Sequence[Any], drawn: Sequence[Any]) -> None:
        """Bring in and compute what has no lanes."""
        schedule = self.schedule
        schedule.leaves.load_uniform(self._u, arguments, drawn, schedule.parameters)
        if self._first is not None:
            self._first.run("forward")

    def _differentiate(self, machine: Machine, seed: float, output: int) -> None:
        """Go backward over all lanes together, and on to what has none."""
        machine.fresh = self._open(whole=True)
        machine.differentiate(seed, output)
        self._close(seed, output, machine.lanes, fresh=machine.fresh)

    def _alone(self, output: int) -> Plan:
        """Return a plan of the same tape for one output."""
        if output in self._single:
            return self._single[output]
        schedule = self.schedule
        self._single[output] = lower(
            self.tape,
            varying=schedule.varying,
            wanted=schedule.leaves.wanted,
            binding=self.binding,
            exact=schedule.about.exact,
            dtype=schedule.dtype.name,
            output=output,
        )
        return self._single[output]

    def _whole(
        self,
        arguments: Sequence[Any],
        drawn: Sequence[Any],
        lanes: int,
        seed: float | None,
        output: int,
    ) -> Found:
        """Evaluate all lanes together."""
        machine = self._whole_machines.get(lanes)
        if machine is None:
            if len(self._whole_machines) >= SIZES_KEPT:
                oldest = next(iter(self._whole_machines))
                del self._whole_machines[oldest], self._short_ways[oldest]
            machine = self._whole_machines[lanes] = self._machine(lanes, whole=True)
            short = self.binding is not None and can_be_short(self.schedule, machine, self._first)
            way = Learning(self.schedule, machine, self._first) if short else None
            self._short_ways[lanes] = way
        machine.load(arguments, drawn)
        machine.run("forward" if seed is None else "keeping")
        outputs = machine.outputs()
        failed = machine.failing()
        if failed is not None:
            return Found(outputs, failed, {})
        gradients: dict[int, Any] = {}
        if seed is not None:
            self._differentiate(machine, seed, output)
            gradients = self._gradients(arguments)
            for position, gradient in gradients.items():
                self.schedule.leaves.gradient(position, machine.g, machine.gu, gradient)
        return Found(outputs, None, gradients)

    def _accepts(self, arguments: Sequence[Any], lanes: int, seed: float | None) -> bool:
        """Tell whether all lanes go into native calls."""
        return self.sweeps and lanes >= STRIP and self._sweeps.accepts(arguments, seed)

    def _swept(
        self, arguments: Sequence[Any], lanes: int, seed: float | None, threads: int
    ) -> Found:
        """Evaluate blocks that are native runs alone."""
        import numpy as np

        outputs = np.empty((1, lanes), self.schedule.dtype)
        gradients = {} if seed is None else self._gradients(arguments)
        self._sweeps(arguments, outputs[0], gradients, threads)
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
        """Evaluate block after block; what they add up is added in their order.

        If a guard fails somewhere, gradients are not to have changed. Most do not: then they are
        computed with the rest, and put back if need be. After a failure guards are asked first.
        """
        import numpy as np

        outputs = np.empty((len(self.tape.outputs), blocks[-1].stop), self.schedule.dtype)
        differentiating = seed is not None and self._expects_success
        if differentiating:
            memory = self.binding.memory if self.binding and self.tape.guards else None
            kept = None if memory is None else memory.kept()
            found = self._pass(arguments, drawn, blocks, outputs, threads, seed, output)
            self._expects_success = found.failed is None
            if found.failed is not None and memory is not None and kept is not None:
                memory.put_back(kept)
            return found
        found = self._pass(arguments, drawn, blocks, outputs, threads)
        if found.failed is not None or seed is None:
            return found
        self._expects_success = True
        return self._pass(arguments, drawn, blocks, outputs, threads, seed, output)

    def _pass(
        self,
        arguments: Sequence[Any],
        drawn: Sequence[Any],
        blocks: Sequence[slice],
        outputs: Any,
        threads: int,
        seed: float | None = None,
        output: int = 0,
    ) -> Found:
        """Go over all blocks, with a seed forward and back."""
        import numpy as np

        schedule = self.schedule
        gradients = {} if seed is None else self._gradients(arguments)
        parts: list[Any] = []
        summed = np.zeros_like(self._gu)
        if seed is not None:
            self._open(whole=False)

        # NumPy's threads do not inherit that it is not to warn.

        def compute(block: slice) -> tuple[Machine, Any]:
            machine = self._machine(block.stop - block.start, whole=False)
            part = [x[block] if i in schedule.varying else x for i, x in enumerate(arguments)]
            machine.load(part, [x[block] for x in drawn])
            with np.errstate(all="ignore"):
                machine.run("forward" if seed is None else "keeping")
                outputs[:, block] = machine.outputs()
                failed = machine.failing()
                if seed is not None and failed is None:
                    machine.differentiate(seed, output)
                    for position, gradient in gradients.items():
                        schedule.leaves.gradient(position, machine.g, machine.gu, gradient[block])
            return machine, failed

        def take(found: tuple[Machine, Any]) -> None:
            machine, failed = found
            parts.append(failed)
            if seed is not None and failed is None:
                with np.errstate(all="ignore"):
                    machine.collect()
                    np.add(summed, machine.gu, summed)
            self._free[machine.lanes].append(machine)

        in_turns(threads, blocks, compute, take)
        failed = schedule.guards.joined(parts, blocks)
        if seed is None or failed is not None:
            return Found(outputs, failed, {})
        self._gu[:] = summed
        self._close(seed, output, blocks[-1].stop, fresh=False)
        return Found(outputs, None, gradients)

    # -- machines -----------------------------------------------------------------------------

    def _machine(self, lanes: int, *, whole: bool) -> Machine:
        """Return room for so many lanes; its adjoints without lanes are the plan's if all are."""
        import numpy as np

        free = self._free.setdefault(lanes, [])
        if not whole:
            with suppress(IndexError):  # several threads may ask
                return free.pop()
        space = LANES if self.schedule.apart else None
        gu = self._gu if whole else np.zeros_like(self._gu)
        return Machine(self.schedule, lanes, self._u, gu, space, whole=whole)

    # -- gradients ----------------------------------------------------------------------------

    def _gradients(self, arguments: Sequence[Any]) -> dict[int, Any]:
        """Return room for the gradients of arguments, as far as they are wanted."""
        import numpy as np

        shapes = {
            position: np.shape(arguments[position]) for position in self.schedule.leaves.wanted
        }
        return {p: aligned(np.empty, shape, self.schedule.dtype) for p, shape in shapes.items()}

    def _open(self, *, whole: bool) -> bool:
        """Make the parameters' gradients ready; return whether they are to be overwritten."""
        binding = self.binding
        if binding is None or not self._spans:
            return False
        if whole and self._is_clear:
            return True
        binding.prepare(self._spans)
        return False

    @property
    def _is_clear(self) -> bool:
        """Whether the parameters' gradients can be overwritten."""
        binding = self.binding
        return self._overwrites and binding is not None and binding.is_clear(self._spans)

    def _close(self, seed: float, output: int, lanes: int, *, fresh: bool) -> None:
        """Go on to what has no lanes, and note that parameters have gradients."""
        if self._first is not None:
            spaces, rows = self.schedule.outputs
            if spaces[output] == UNIFORM:
                self._gu[rows[output]] += over_lanes(seed, lanes)
            self._first.fresh = fresh
            self._first.run("backward")
        learning, gradients = self.schedule.leaves.learning, self.schedule.gradients
        if learning is not None:
            if fresh:
                gradients[learning.places] = self._gu[learning.rows]
            else:
                gradients[learning.places] += self._gu[learning.rows]
        if self.binding is not None and self._spans:
            self.binding.reach(self._spans)

    def _tell(self) -> None:
        """Call what wanted to know numbers of this evaluation."""
        rows = self.schedule.layout.row
        for effect in self.tape.effects:
            effect.function(*(float(self._u[rows[node]]) for node in effect.nodes))
