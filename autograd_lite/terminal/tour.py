"""Where one is in a walk through the forward and backward pass, and what is known there."""

from __future__ import annotations

from array import array

from autograd_lite.contributions import BackwardPass, Step
from autograd_lite.notation import Symbols, printable, shortened
from autograd_lite.step_table import in_words, operation_in_words

LONGEST_NAME = 30  # letters, of a name in an equation


class Tour:
    """A place in a walk: the start, the operations if asked for, the seed, each contribution.

    Attributes
    ----------
    walk : BackwardPass
    at, last : int
        The place, from 0, and the last one there is.
    grads : dict
        The gradients so far, by index of the node, and how many contributions they have had.
    """

    def __init__(self, walk: BackwardPass, *, forward: bool = False) -> None:
        self.walk = walk
        values = walk.graph._values
        operations = (i for i, value in enumerate(values) if value.op) if forward else ()
        self._operations = array("q", operations)
        self.seed = len(self._operations) + 1
        self.last = self.seed + len(walk)
        self.at = 0
        self.grads: dict[int, tuple[float, int]] = {}

    @property
    def step(self) -> Step | None:
        """The contribution that has just been made."""
        return self._step(self.at)

    @property
    def operation(self) -> int | None:
        """The index of the operation that has just been computed."""
        return self._operations[self.at - 1] if 0 < self.at < self.seed else None

    def _step(self, place: int) -> Step | None:
        return self.walk[place - self.seed - 1] if place > self.seed else None

    def is_computed(self, index: int) -> bool:
        """Whether the forward pass has come to a node."""
        if self.at >= self.seed - 1 or not self.walk.graph._values[index].op:
            return True
        return self.at > 0 and index <= self._operations[self.at - 1]

    def index_of(self, step: Step) -> tuple[int, int]:
        """Return the indices of a step's consumer and operand."""
        index = self.walk.graph._index
        return index[step.node], index[step.operand]

    # -- moving ----------------------------------------------------------------------------------

    def go(self, place: int) -> None:
        """Go to a place, or as far in its direction as there are places."""
        place = min(max(place, 0), self.last)
        if place == 0:
            self.at = 0
            self.grads.clear()
        while self.at < place:
            self._forward()
        while self.at > place:
            self._back()

    def _forward(self) -> None:
        self.at += 1
        if self.at == self.seed:
            self.grads[len(self.walk.graph) - 1] = (1.0, 0)
        elif step := self.step:
            self.grads[self.index_of(step)[1]] = (step.total, step.index)

    def _back(self) -> None:
        if self.at == self.seed:
            self.grads.clear()
        elif step := self.step:
            operand = self.index_of(step)[1]
            if step.index == 1:
                del self.grads[operand]
            else:
                self.grads[operand] = (step.before, step.index - 1)
        self.at -= 1

    def next_stop(self, *, backward: bool = False) -> int | None:
        """Return the nearest place with a breakpoint, after or before this one, if there is one."""
        places = (
            range(self.at - 1, self.seed, -1) if backward else range(self.at + 1, self.last + 1)
        )
        for place in places:
            step = self._step(place)
            if step is not None and self.walk.stops_at(step):
                return place
        return None

    def stops_here(self) -> bool:
        """Whether there is a breakpoint at this place."""
        step = self.step
        return step is not None and self.walk.stops_at(step)

    def search(self, wanted: str) -> None:
        """Set a breakpoint: at a node's name, ``0``, ``nan``, or ``> bound``.

        Raises
        ------
        ValueError
            With one sentence, if it is none of these.
        """
        wanted = wanted.strip()
        try:
            if wanted in self.walk.graph._names:
                self.walk = self.walk.watch(wanted)
            elif wanted == "0":
                self.walk = self.walk.watch(zero=True)
            elif wanted.lower() == "nan":
                self.walk = self.walk.watch(nan=True)
            elif wanted.startswith(">"):
                self.walk = self.walk.watch(larger_than=float(wanted[1:]))
            else:
                raise ValueError
        except ValueError:
            shown = printable(wanted)
            raise ValueError(f"{shown!r} is no node's name, nor 0, nan or > number") from None

    # -- in words --------------------------------------------------------------------------------

    def title(self) -> str:
        """Say which part of which pass this is: ``Backward pass of f: step 3 of 6``."""
        root = _shortened(self.walk.graph.root.name)
        if self.operation is not None or self.at < self.seed - 1:
            done = f"operation {self.at} of {self.seed - 1}" if self.at else "start"
            return f"Forward pass of {root}: {done}"
        done = f"step {self.at - self.seed} of {len(self.walk)}"
        if self.at <= self.seed:
            done = "seed" if self.at == self.seed else "start"
        return f"Backward pass of {root}: {done}"

    def account(self, symbols: Symbols) -> list[str]:
        """Say what has just happened, in one to three lines."""
        graph = self.walk.graph
        if self.operation is not None:
            made = operation_in_words(graph, self.operation, symbols, _shortened)
            return [f"{made.name} = {made.expression} = {made.result}", made.partials]
        if step := self.step:
            named = step._replace(
                node_name=_shortened(step.node_name), operand_name=_shortened(step.operand_name)
            )
            text = in_words(named, symbols)
            name = " " * len(text.gradient)
            return [
                f"{text.gradient} += {text.rule}",
                f"{name} += {text.numbers} {text.contribution}",
                f"{text.gradient}  = {text.total}    ({text.place})",
            ]
        root = _shortened(graph.root.name)
        if self.at == self.seed:
            return [f"{root}.grad = {symbols.derivative(root, root)} = 1"]
        if self.seed > 1:
            return ["The leaves are given; the operations follow, each with its local partials."]
        return ["All numbers are computed, no gradient is known yet."]


def _shortened(name: str) -> str:
    """Return a name that fits a line several times."""
    return printable(shortened(name, LONGEST_NAME))
