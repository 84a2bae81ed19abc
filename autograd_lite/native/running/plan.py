"""A plan: a tape made ready to be evaluated natively, for one point or for many lanes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import nullcontext
from functools import cached_property
from threading import RLock
from typing import Any

from autograd_lite.native.found import Found
from autograd_lite.native.kernels.building import STRIP
from autograd_lite.native.lowering.schedule import Schedule, scheduled
from autograd_lite.native.parameters.binding import Binding
from autograd_lite.native.running.blocks import Blocks, room_for_gradients
from autograd_lite.native.running.learning import Learning, can_be_short, mean_of
from autograd_lite.native.running.machine import Machine
from autograd_lite.native.running.point import Point, is_simple
from autograd_lite.native.running.sweep import Sweeps, can_sweep
from autograd_lite.native.running.uniform import Uniform
from autograd_lite.native.tape import Tape

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

    Parameters
    ----------
    tape : Tape
    schedule : Schedule
    binding : Binding or None
    several : bool
        Whether it is any of several outputs that is differentiated.

    Attributes
    ----------
    tape, schedule, binding
        As given.
    sweeps : bool
        Whether many lanes are native runs alone.
    """

    def __init__(
        self, tape: Tape, schedule: Schedule, binding: Binding | None, *, several: bool
    ) -> None:
        self.tape = tape
        self.schedule = schedule
        self.binding = binding
        self._several = several
        self._single: dict[int, Plan] = {}
        self._uniform = Uniform(schedule, binding)
        self._blocks = Blocks(tape, schedule, self._uniform, binding)
        # NaN and infinities are results like others, but NumPy would warn of them.
        self._warns = bool(schedule.products or schedule.runs.forward.python or binding)
        self._whole_machines: dict[int, Machine] = {}
        self._short_ways: dict[int, Learning | None] = {}  # of steps over so many lanes
        self.sweeps = schedule.apart and can_sweep(tape, schedule)
        self._sweeps = Sweeps(schedule, self._blocks.machine)
        self._lock = RLock()

    def block(self, lanes: int) -> int:
        """Return how many of so many lanes are computed together."""
        return self._blocks.size(lanes)

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
        machine = self._whole_machines.get(1) or self._uniform.machine(1, whole=True)
        return Point(self.schedule, machine)

    def sweep(
        self, arguments: Sequence[Any], lanes: int, seed: float | None, threads: int
    ) -> Found | None:
        """Do what `evaluate` does, for a plan that ``sweeps``; None where that has to do it.

        It has for fewer lanes than a block's, and for arguments that kernels cannot read.
        """
        with self._lock:
            if not self._accepts(arguments, lanes, seed):
                return None
            self._uniform.begin(arguments, ())
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
        short = self._short_ways[lanes]
        if short is not None and self._uniform.is_clear:
            with self._lock:
                mean = short(arguments)
                if mean is not None:
                    self._uniform.reach()
                    self._tell()
                return mean
        with self._lock, np.errstate(all="ignore"):
            self._uniform.begin(arguments, ())
            machine.load(arguments, ())
            machine.run("keeping")
            if machine.failing() is not None:
                return None
            self._uniform.differentiate(machine, 1.0 / lanes, 0)
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
            self._uniform.begin(arguments, drawn)
            if self._accepts(arguments, lanes, seed):
                return self._swept(arguments, lanes, seed, threads)
            if self.block(lanes) == lanes:
                return self._whole(arguments, drawn, lanes, seed, output)
            return self._blocks.evaluate(arguments, drawn, lanes, seed, output, threads)

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
            uniform = self._uniform
            machine = self._whole_machines[lanes] = uniform.machine(lanes, whole=True)
            short = self.binding is not None and can_be_short(self.schedule, machine, uniform.first)
            way = Learning(self.schedule, machine, uniform.first) if short else None
            self._short_ways[lanes] = way
        machine.load(arguments, drawn)
        machine.run("forward" if seed is None else "keeping")
        outputs = machine.outputs()
        failed = machine.failing()
        if failed is not None:
            return Found(outputs, failed, {})
        gradients: dict[int, Any] = {}
        if seed is not None:
            self._uniform.differentiate(machine, seed, output)
            gradients = room_for_gradients(self.schedule, arguments)
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
        gradients = {} if seed is None else room_for_gradients(self.schedule, arguments)
        self._sweeps(arguments, outputs[0], gradients, threads)
        return Found(outputs, None, gradients)

    def _tell(self) -> None:
        """Call what wanted to know numbers of this evaluation."""
        rows = self.schedule.layout.row
        for effect in self.tape.effects:
            effect.function(*(float(self._uniform.u[rows[node]]) for node in effect.nodes))
