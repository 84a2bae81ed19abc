"""Many lanes, block after block: each small enough for its numbers to stay in a cache."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from autograd_lite.native.found import Found
from autograd_lite.native.kernels.convention import LANES
from autograd_lite.native.lowering.schedule import Schedule
from autograd_lite.native.parameters.binding import Binding
from autograd_lite.native.running.aligned import aligned
from autograd_lite.native.running.machine import Machine
from autograd_lite.native.running.turns import in_turns
from autograd_lite.native.running.uniform import Uniform
from autograd_lite.native.tape import Tape

BLOCK_BYTES = 6 << 20  # numbers and adjoints of a block of lanes, so that they stay in a cache
NARROWEST, WIDEST = 16, 512  # lanes in a block, more or less


class Blocks:
    """The lanes of a plan in blocks.

    Parameters
    ----------
    tape : Tape
    schedule : Schedule
    uniform : Uniform
    binding : Binding or None
    """

    def __init__(
        self, tape: Tape, schedule: Schedule, uniform: Uniform, binding: Binding | None
    ) -> None:
        self._schedule = schedule
        self._uniform = uniform
        self._outputs = len(tape.outputs)
        self._memory = binding.memory if binding and tape.guards else None
        self._lane_bytes = 2 * schedule.dtype.itemsize * schedule.rows[LANES]
        self._free: dict[int, list[Machine]] = {}  # of so many lanes
        self._expects_success = True  # that all guards will hold

    def size(self, lanes: int) -> int:
        """Return how many of so many lanes are computed together."""
        if not self._schedule.apart:
            return lanes
        room = BLOCK_BYTES // self._lane_bytes
        return min(lanes, max(NARROWEST, min(WIDEST, room // 8 * 8)))

    def machine(self, lanes: int) -> Machine:
        """Return room for a block of so many lanes."""
        with suppress(IndexError):  # several threads may ask
            return self._free.setdefault(lanes, []).pop()
        return self._uniform.machine(lanes, whole=False)

    def evaluate(
        self,
        arguments: Sequence[Any],
        drawn: Sequence[Any],
        lanes: int,
        seed: float | None,
        output: int,
        threads: int,
    ) -> Found:
        """Evaluate block after block; what they add up is added in their order.

        If a guard fails somewhere, gradients are not to have changed. Most do not: then they are
        computed with the rest, and put back if need be. After a failure guards are asked first.
        """
        import numpy as np

        size = self.size(lanes)
        blocks = [slice(i, min(i + size, lanes)) for i in range(0, lanes, size)]
        outputs = np.empty((self._outputs, lanes), self._schedule.dtype)
        if seed is not None and self._expects_success:
            memory = self._memory
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

        schedule, uniform = self._schedule, self._uniform
        gradients = {} if seed is None else room_for_gradients(schedule, arguments)
        parts: list[Any] = []
        summed = np.zeros_like(uniform.gu)
        if seed is not None:
            uniform.prepare()

        # NumPy's threads do not inherit that it is not to warn.

        def compute(block: slice) -> tuple[Machine, Any]:
            machine = self.machine(block.stop - block.start)
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
        uniform.gu[:] = summed
        uniform.close(seed, output, blocks[-1].stop)
        return Found(outputs, None, gradients)


def room_for_gradients(schedule: Schedule, arguments: Sequence[Any]) -> dict[int, Any]:
    """Return arrays for the gradients of arguments, by position, as far as they are wanted."""
    import numpy as np

    shapes = {position: np.shape(arguments[position]) for position in schedule.leaves.wanted}
    return {p: aligned(np.empty, shape, schedule.dtype) for p, shape in shapes.items()}
