"""A function as a whole, once its operations are right: both sweeps, against differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from autograd_lite.lifting import NOTHING, lifted
from autograd_lite.node import Node, edges
from autograd_lite.primitives.ieee import RAISED_BY_FLOATS
from autograd_lite.sweep import adjoints, tangents, with_order
from autograd_lite.testing.extrapolation import EPSILON
from autograd_lite.testing.moved_points import MovedPoint
from autograd_lite.testing.operation_checks import MANY, OperationChecks, direction, extreme
from autograd_lite.testing.verdicts import DerivativeError, Verdict, judge
from autograd_lite.value import Value

Noise = Callable[[float], float]

MOVED = 2.0**10  # ulps that every number moves along a direction
ROUNDED = 2.0  # by how many times EPSILON an operation is off


class WholeChecks:
    """Checks the derivatives of a function whose operations are right.

    Parameters
    ----------
    moved : MovedPoint
    operations : OperationChecks
        Counts the comparisons and takes the notes here, too.
    modes : sequence of {"reverse", "forward"}
    """

    def __init__(
        self, moved: MovedPoint, operations: OperationChecks, modes: Sequence[str]
    ) -> None:
        self.moved = moved
        self.operations = operations
        self.modes = modes
        self._known: dict[tuple[float, ...], list[float]] = {}

    # -- first derivatives -------------------------------------------------------------------

    def check_first(self, output: int) -> None:
        """Check the gradient of one output."""
        numbers, names = self.moved.numbers, self.moved.names
        units = [[float(i == j) for j in range(len(numbers))] for i in range(len(numbers))]
        along = direction(numbers, seed=1)
        together = len(numbers) > MANY
        sums, slacks = self._run(numbers, output, _sums_over_paths)
        total = sum(a * g for a, g in zip(along, sums, strict=True))
        allowed = sum(abs(a) * slack for a, slack in zip(along, slacks, strict=True))
        for mode in self.modes if all(map(math.isfinite, slacks)) else ():
            self.operations.compared += len(numbers)
            if mode == "reverse":
                swept = self._run(numbers, output, _gradient)
                pairs = zip(names, swept, sums, slacks, strict=True)
            elif together:
                got = self._run(numbers, output, partial(_forward, along=along))
                pairs = zip(["a direction"], [got], [total], [allowed], strict=True)
            else:
                swept = [self._run(numbers, output, partial(_forward, along=u)) for u in units]
                pairs = zip(names, swept, sums, slacks, strict=True)
            for name, got, expected, slack in pairs:
                if not abs(got - expected) <= slack:
                    raise DerivativeError(
                        f"every operation by itself is right, but the {mode} sweep is wrong: the"
                        f" recorded partials make the derivative with respect to {name}"
                        f" {expected:.12g}, got {got:.12g}",
                        mode=mode,
                        expected=expected,
                        error=slack,
                        got=got,
                    )
        if together:
            f = self._value_along(output, along)
            noise = self._noise(output, partial(_rounding, along=True), along)
            verdict = self._judged(f, 0.0, total, allowed, noise)
            if verdict.right:
                return
        for i, x in enumerate(numbers):
            noise = self._noise(output, _rounding, units[i], start=x)
            verdict = self._judged(self._value_of(output, i), x, sums[i], slacks[i], noise)
            if not verdict.right:
                self._explain(names[i], verdict, sums[i], reached=slacks[i] > 0.0)

    def _explain(self, name: str, verdict: Verdict, got: float, *, reached: bool) -> None:
        """Say why a derivative differs although every operation and the sweeps are right."""
        told = (
            f"the derivative with respect to {name} is {got:.12g}, differences of the function"
            f" give {verdict.expected}"
        )
        if self.operations.special:
            self.operations.note(f"{told}: it is that of the branch taken at a kink")
            return
        lost = "nothing" if not reached else "not all"
        raise DerivativeError(
            f"every operation by itself is right, but {told}: the function turned a Value into a"
            f" plain float (float(x), x.data, a function of math), so that {lost} of its influence"
            " was recorded, or chose a branch that holds at this point only",
            expected=verdict.difference.value,
            error=verdict.difference.error,
            got=got,
        )

    # -- higher derivatives ------------------------------------------------------------------

    def check_higher(self, output: int, degree: int) -> None:
        """Check a derivative along ``degree`` directions against that along one fewer."""
        numbers = self.moved.numbers
        if extreme(numbers):
            self.operations.note(
                f"derivatives of order {degree} of the function as a whole are not checked: their"
                " products with such numbers leave the range of floats"
            )
            return
        directions = [direction(numbers, seed) for seed in range(degree)]
        *below, last = directions

        def lower(t: float) -> float:
            if _rounded_away(t, numbers, last):
                return math.nan
            moved = [x + t * step for x, step in zip(numbers, last, strict=True)]
            sweep = partial(_derivative, directions=below, mode="reverse")
            return float(self._run(moved, output, sweep))

        _, slacks = self._run(numbers, output, _sums_over_paths)
        slack = sum(abs(a) * size for a, size in zip(below[-1], slacks, strict=True))
        noise = self._noise(output, partial(_rounding_of_derivative, directions=below), last)
        for mode in self.modes:
            sweep = partial(_derivative, directions=directions, mode=mode)
            got = self._run(numbers, output, sweep)
            verdict = self._judged(lower, 0.0, got, slack, noise)
            if verdict.right or self.operations.special:
                continue
            raise DerivativeError(
                f"every operation by itself is right, but the derivative of order {degree} of the"
                f" function in {mode} mode is wrong: expected {verdict.expected}, got {got:.12g};"
                " either the function turned a Value into a plain float, or the sweep is wrong",
                order=degree,
                mode=mode,
                expected=verdict.difference.value,
                error=verdict.difference.error,
                got=got,
            )

    # -- the function as one of a number -----------------------------------------------------

    def _judged(
        self, f: Callable[[float], float], x: float, got: float, slack: float, noise: Noise
    ) -> Verdict:
        self.operations.compared += 1
        verdict = judge(f, x, got, slack=slack, noise=noise, cancels=True)
        if verdict.jump and not self.operations.special:
            self.operations.note(
                f"the function, or a derivative of it, jumps at this point; what follows is"
                f" {got:g}, that of the branch taken"
            )
        return verdict

    def _run(
        self, numbers: Sequence[float], output: int, use: Callable[[list[Value], Value], Any]
    ) -> Any:
        return self.moved.run(numbers, lambda inputs, outputs: use(inputs, outputs[output]))

    def _noise(
        self,
        output: int,
        bound: Callable[[list[Value], Value], float],
        along: Sequence[float],
        *,
        start: float = 0.0,
    ) -> Noise:
        """Return the rounding error of what is differentiated, at a step along a direction."""

        @cache
        def noise(t: float) -> float:
            moved = [
                x + (t - start) * step for x, step in zip(self.moved.numbers, along, strict=True)
            ]
            unknown = math.inf if t == start else 0.0
            try:
                found = float(self._run(moved, output, bound))
            except RAISED_BY_FLOATS:
                return unknown
            return found if math.isfinite(found) else unknown

        return noise

    def _values(self, numbers: tuple[float, ...]) -> list[float]:
        if numbers not in self._known:
            self._known[numbers] = self.moved.values(numbers)
        return self._known[numbers]

    def _value_of(self, output: int, i: int) -> Callable[[float], float]:
        """Return an output as a function of input i alone."""
        numbers = tuple(self.moved.numbers)
        return lambda x: self._values((*numbers[:i], x, *numbers[i + 1 :]))[output]

    def _value_along(self, output: int, along: Sequence[float]) -> Callable[[float], float]:
        """Return an output as a function of a step along a direction."""
        numbers = self.moved.numbers

        def value(t: float) -> float:
            if _rounded_away(t, numbers, along):
                return math.nan
            moved = (x + t * step for x, step in zip(numbers, along, strict=True))
            return self._values(tuple(moved))[output]

        return value


def _rounded_away(t: float, numbers: Sequence[float], along: Sequence[float]) -> bool:
    """Tell whether a step along a direction is so small that some numbers hardly move.

    Differences would then be those along another direction, and agree with each other.
    """
    if t == 0.0:
        return False
    return any(
        abs(t * step) < MOVED * EPSILON * abs(x) for x, step in zip(numbers, along, strict=True)
    )


# -- sweeps --------------------------------------------------------------------------------------


def _sums_over_paths(inputs: Sequence[Value], root: Value) -> tuple[list[float], list[float]]:
    """Return each input's derivative from the recorded partials, and its rounding error.

    Summed over a dict, apart from the engine's own sweeps; the rounding error is that of as many
    operations as there are, on the sum of the sizes of all paths.
    """
    order = with_order(root, list)
    sums = dict.fromkeys(order, (0.0, 0.0)) | {root: (1.0, 1.0)}
    for node in reversed(order):
        value, size = sums[node]
        for operand, slope in edges(node):
            before, size_before = sums[operand]
            sums[operand] = before + value * slope, size_before + size * abs(slope)
    found = [sums.get(x, (0.0, 0.0)) for x in inputs]
    epsilon = (16 + len(order)) * EPSILON
    return [value for value, _ in found], [epsilon * size for _, size in found]


def _rounding(inputs: Sequence[Value], root: Any, *, along: bool = False) -> float:
    """Return how far rounding may move a result: each number by its last bits, times its adjoint.

    The inputs are rounded as well when they all move ``along`` a direction.

    A running error bound (N. Higham, Accuracy and Stability of Numerical Algorithms, 2002, 3.3).
    """
    if not isinstance(root, Value):
        return 0.0

    def use(order: list[Any]) -> float:
        sums = adjoints(order, 1.0, 0.0)
        pairs = zip(sums[1:], order, strict=True)
        return sum(abs(a * node.data) for a, node in pairs if along or node._primitive is not None)

    return ROUNDED * EPSILON * with_order(root, use)


def _rounding_of_derivative(
    inputs: Sequence[Value], root: Any, directions: Sequence[Sequence[float]]
) -> float:
    """Return the same for a derivative along several directions."""
    for along in directions:
        if isinstance(root, Value):
            root = _lifted_sum(inputs, root, along)
    return _rounding(inputs, root, along=True)


def _gradient(inputs: Sequence[Value], root: Value) -> list[float]:
    """Sweep backward over the recorded partials."""

    def use(order: list[Any]) -> list[float]:
        sums = adjoints(order, 1.0, 0.0)
        return [sums[x._position] if x._position else 0.0 for x in inputs]

    return with_order(root, use)


def _forward(inputs: Sequence[Value], root: Value, along: Sequence[float]) -> float:
    """Sweep forward over the recorded partials."""
    seeds: dict[Node, float] = dict(zip(inputs, along, strict=True))
    return float(with_order(root, lambda order: tangents(order, seeds, 0.0)[-1]))


def _derivative(
    inputs: Sequence[Value], root: Any, directions: Sequence[Sequence[float]], mode: str
) -> float:
    """Return the derivative along several directions: reverse sweeps, the last one in a mode."""
    *first, last = directions
    for along in first:
        root = _lifted_sum(inputs, root, along)
        if not isinstance(root, Value):
            return 0.0
    if mode == "forward":
        return _forward(inputs, root, last)
    return sum(a * g for a, g in zip(last, _gradient(inputs, root), strict=True))


def _lifted_sum(inputs: Sequence[Value], root: Value, along: Sequence[float]) -> Any:
    """Return the derivative along a direction as a Value that can be differentiated again."""

    def use(order: list[Any]) -> list[Any]:
        sums = adjoints(order, 1.0, NOTHING, lifted(order))
        return [sums[x._position] if x._position else NOTHING for x in inputs]

    total: Any = 0.0
    for step, found in zip(along, with_order(root, use), strict=True):
        if found is not NOTHING:
            total = total + step * found
    return total
