"""What a plan has once, however many lanes: numbers without lanes, and gradients of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.native.kernels.convention import LANES, UNIFORM
from autograd_lite.native.lowering.schedule import Schedule
from autograd_lite.native.parameters.binding import Binding
from autograd_lite.native.running.machine import Machine, over_lanes
from autograd_lite.native.tape import Parameter


class Uniform:
    """The numbers without lanes of a plan, their adjoints, and the gradients of parameters.

    Attributes
    ----------
    u, gu : arrays
        The numbers and their adjoints.
    first : Machine or None
        What computes them, where that is done before all lanes.
    """

    def __init__(self, schedule: Schedule, binding: Binding | None) -> None:
        import numpy as np

        self._schedule = schedule
        self._binding = binding
        about = schedule.about
        learned = about.sources.are(Parameter) & about.active[about.sources.nodes]
        used = about.sources.which[learned].tolist()
        self._spans = () if binding is None else binding.spans_at(used)
        self._overwrites = all(
            x.alone and x.in_order for x in schedule.products if x.learns and x.of_parameters
        )
        self.u = np.zeros(schedule.rows[UNIFORM], schedule.dtype)
        self.gu = np.zeros(schedule.rows[UNIFORM], schedule.dtype)
        rows, numbers = schedule.leaves.constants
        self.u[rows] = numbers
        self.first: Machine | None = None
        if schedule.apart:
            self.first = Machine(schedule, 1, self.u, self.gu, UNIFORM, whole=True)

    def machine(self, lanes: int, *, whole: bool) -> Machine:
        """Return room for so many lanes; if those are all, adjoints without lanes go to ``gu``."""
        import numpy as np

        space = LANES if self._schedule.apart else None
        gu = self.gu if whole else np.zeros_like(self.gu)
        return Machine(self._schedule, lanes, self.u, gu, space, whole=whole)

    def begin(self, arguments: Sequence[Any], drawn: Sequence[Any]) -> None:
        """Bring in and compute what has no lanes."""
        schedule = self._schedule
        schedule.leaves.load_uniform(self.u, arguments, drawn, schedule.parameters)
        if self.first is not None:
            self.first.run("forward")

    # -- gradients of parameters ----------------------------------------------------------------

    @property
    def is_clear(self) -> bool:
        """Whether the parameters' gradients can be overwritten."""
        binding = self._binding
        return self._overwrites and binding is not None and binding.is_clear(self._spans)

    def prepare(self) -> None:
        """Make the parameters' gradients what can be added to."""
        if self._binding is not None and self._spans:
            self._binding.prepare(self._spans)

    def reach(self) -> None:
        """Note that the parameters have gradients."""
        if self._binding is not None and self._spans:
            self._binding.reach(self._spans)

    def differentiate(self, machine: Machine, seed: float, output: int) -> None:
        """Go backward over all lanes together, and on to what has none."""
        machine.fresh = self.is_clear
        if not machine.fresh:
            self.prepare()
        machine.differentiate(seed, output)
        self.close(seed, output, machine.lanes, fresh=machine.fresh)

    def close(self, seed: float, output: int, lanes: int, *, fresh: bool = False) -> None:
        """Go on from lanes to what has none: gradients are ``fresh`` if they are overwritten."""
        schedule = self._schedule
        if self.first is not None:
            spaces, rows = schedule.outputs
            if spaces[output] == UNIFORM:
                self.gu[rows[output]] += over_lanes(seed, lanes)
            self.first.fresh = fresh
            self.first.run("backward")
        learning, gradients = schedule.leaves.learning, schedule.gradients
        if learning is not None:
            if fresh:
                gradients[learning.places] = self.gu[learning.rows]
            else:
                gradients[learning.places] += self.gu[learning.rows]
        self.reach()
