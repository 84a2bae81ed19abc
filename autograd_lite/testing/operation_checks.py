"""Each recorded operation by itself: its partials against differences of its own value."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd_lite.node import Node, arguments, changed_at, edges
from autograd_lite.primitives import Primitive, Variadic, arithmetic, rounding
from autograd_lite.testing.extrapolation import EPSILON
from autograd_lite.testing.verdicts import DerivativeError, Verdict, judge
from autograd_lite.transforms import grad

MANY = 24  # operands from which on they are moved together
SHOWN = 6  # operands in messages


class OperationChecks:
    """Checks the operations of a graph; what was checked once is not checked again.

    Attributes
    ----------
    compared : int
        How many derivatives were compared.
    notes : list of str
        What is special: kinks, and operations that differences say nothing about.
    special : bool
        Whether there are such operations, so that the whole may disagree with differences.
    """

    def __init__(self) -> None:
        self.compared = 0
        self.notes: list[str] = []
        self.special = False
        self._known: set[tuple[Any, ...]] = set()

    def check(self, order: Sequence[Node], highest: int) -> None:
        """Check all derivatives up to the order ``highest``, operands before results.

        Raises
        ------
        DerivativeError
            For the first operation that is wrong; a wrong first derivative comes before any
            second one.
        """
        recorded = [node for node in order if node._primitive is not None]
        for degree in range(1, highest + 1):
            for position, node in enumerate(recorded, 1):
                self._check(node, position, len(recorded), degree)

    def _check(self, node: Node, position: int, count: int, degree: int) -> None:
        primitive = node._primitive
        numbers = tuple(float(x) for x in map(_number, arguments(node)))
        wanted = tuple(isinstance(x, Node) for x in arguments(node))
        partials = node.partials if degree == 1 else ()
        key = (degree, primitive, numbers, wanted, *map(repr, partials))
        if key in self._known:
            return
        self._known.add(key)
        shown = [f"{x:.6g}" for x in numbers[:SHOWN]] + ["…"] * (len(numbers) > SHOWN)
        called = f"{node.op}({', '.join(shown)})"
        place = f"operation {position} of {count}, {called}"
        if node.label:
            place += f", label {node.label!r}"
        if any(changed_at(operand) > node._stamp for operand, _ in edges(node)):
            self.special = True
            self.note(f"{place}: not checked, an operand's data was changed after it was recorded")
            return
        if not all(map(math.isfinite, (*numbers, node._data))):
            self.special = True
            self.note(f"{place}: not checked, its numbers are not finite")
            return
        if _finer_than_floats(primitive, numbers):
            self.special = True
            self.note(f"{place}: not checked, floats are too coarse here to see its jumps")
            return
        try:
            for what, f, x, got, slack in _comparisons(node, numbers, wanted, degree):
                self.compared += 1
                verdict = judge(f, x, got, slack=slack)
                if not verdict.right:
                    raise _wrong(place, what, verdict, got, node.op, position, degree)
                self.special = self.special or verdict.kink or not verdict.settled
                if verdict.kink:
                    self.note(f"{place}: at a kink; {what} is {got:g}, {verdict.expected}")
                elif verdict.jump:
                    self.note(f"{place}: at a jump, with no derivative; {what} is {got:g}")
                elif not verdict.settled:
                    self.note(f"{place}: {what} is {got:g}; differences do not settle here")
        except _LiftingError as error:
            raise DerivativeError(
                f"{place}: its formula cannot be differentiated for a derivative of order"
                f" {degree}: {error}",
                operation=node.op,
                position=position,
                order=degree,
            ) from error

    def note(self, note: str) -> None:
        """Add a note, once."""
        if note not in self.notes:
            self.notes.append(note)


def _finer_than_floats(primitive: Any, numbers: Sequence[float]) -> bool:
    """Tell whether a function with jumps has more of them than floats nearby can show."""
    if primitive in (rounding.floor, rounding.ceil, rounding.rounded):
        return abs(numbers[0]) >= 2.0**48
    if primitive in (arithmetic.remainder, arithmetic.fmod):
        return abs(numbers[0]) >= 2.0**40 * abs(numbers[1])
    return False


class _LiftingError(Exception):
    """A formula of partials that does not work on Values."""


def _number(operand: Any) -> float:
    return operand._data if isinstance(operand, Node) else operand


def _wrong(
    place: str, what: str, verdict: Verdict, got: float, name: str, position: int, degree: int
) -> DerivativeError:
    return DerivativeError(
        f"{place}: {what} is wrong: expected {verdict.expected}, got {got:.12g}",
        operation=name,
        position=position,
        order=degree,
        expected=verdict.difference.value,
        error=verdict.difference.error,
        got=got,
    )


Comparison = tuple[str, Callable[[float], float], float, float, float]
"""What is compared, f, x, the derivative of f at x that the engine has, and its rounding error."""


def _comparisons(
    node: Node, numbers: tuple[float, ...], wanted: tuple[bool, ...], degree: int
) -> Iterator[Comparison]:
    primitive = node._primitive
    places = [i for i, needed in enumerate(wanted) if needed]
    together = len(places) > MANY or (primitive.variadic and degree > 1)
    if together and degree == 1:
        yield _along_a_direction(primitive, numbers, places, node.partials)
    elif degree == 1:
        for i, partial in zip(places, node.partials, strict=True):
            name = f"the partial with respect to operand {i}"
            yield name, _moving(primitive.evaluate, numbers, i), numbers[i], partial, 0.0
    elif together and not extreme(numbers):
        yield _higher_along_directions(primitive, numbers, places, degree)
    elif not together:
        yield from _higher(primitive, numbers, places, degree)


def _moving(
    f: Callable[..., float], numbers: tuple[float, ...], i: int
) -> Callable[[float], float]:
    """Return f as a function of operand i alone."""
    return lambda x: f(*numbers[:i], x, *numbers[i + 1 :])


# -- one operand after the other -----------------------------------------------------------------


def _higher(
    primitive: Primitive, numbers: tuple[float, ...], places: Sequence[int], degree: int
) -> Iterator[Comparison]:
    """Yield the mixed derivatives of an order: each that of the order below, once more."""
    chains: list[tuple[int, ...]] = [(i,) for i in places]
    for _ in range(degree - 1):
        chains = [(*chain, i) for chain in chains for i in places]
    for chain in chains:
        *before, last = chain
        name = f"the derivative of order {degree} with respect to the operands {chain}"
        f = _derivative(primitive, before)
        got = _lifted(_derivative(primitive, [*before, last]), numbers)
        yield name, _moving(f, numbers, last), numbers[last], got, 0.0


def _derivative(primitive: Primitive, operands: Sequence[int]) -> Callable[..., float]:
    """Return a mixed derivative of a primitive, as the engine computes it."""
    found: Callable[..., Any] = primitive
    for i in operands:
        found = grad(found, argnums=i)
    return found


def _lifted(f: Callable[..., float], numbers: Sequence[float]) -> float:
    try:
        return f(*numbers)
    except TypeError as error:
        raise _LiftingError(str(error)) from error


# -- many operands at once -----------------------------------------------------------------------


def extreme(numbers: Sequence[float]) -> bool:
    """Tell whether squares of the numbers leave the range of floats, as second derivatives do."""
    return any(x and not 2.0**-250 < abs(x) < 2.0**250 for x in numbers)


def direction(numbers: Sequence[float], seed: int) -> list[float]:
    """Return a direction in which each number moves by about its own size."""
    drawn = random.Random(seed)
    typical = sum(map(abs, numbers)) / len(numbers) or 1.0
    return [
        drawn.choice((-1.0, 1.0)) * drawn.uniform(0.5, 1.0) * (abs(x) or typical) for x in numbers
    ]


def _moved(numbers: Sequence[Any], along: Sequence[float], places: Sequence[int], t: Any) -> Any:
    moved = list(numbers)
    for i, step in zip(places, along, strict=True):
        moved[i] = moved[i] + t * step
    return moved


def _along_a_direction(
    primitive: Any, numbers: Sequence[float], places: Sequence[int], partials: Sequence[float]
) -> Comparison:
    along = direction([numbers[i] for i in places], seed=1)
    terms = [step * partial for step, partial in zip(along, partials, strict=True)]
    slack = len(terms) * EPSILON * sum(map(abs, terms))
    name = f"the derivative along a direction in the space of its {len(places)} operands"

    def f(t: float) -> float:
        return float(primitive.evaluate(*_moved(numbers, along, places, t)))

    return name, f, 0.0, sum(terms), slack


def _higher_along_directions(
    primitive: Variadic, numbers: Sequence[float], places: Sequence[int], degree: int
) -> Comparison:
    """Compare a derivative along several directions with that of the order below."""
    chosen = [numbers[i] for i in places]
    directions = [direction(chosen, seed) for seed in range(degree)]

    def moved_by(*ts: Any) -> Any:
        operands: Any = numbers
        for t, along in zip(ts, directions, strict=True):
            operands = _moved(operands, along, places, t)
        return primitive(operands)

    below = moved_by
    for i in range(degree - 1):
        below = grad(below, argnums=i)
    at_zero = [0.0] * degree
    got = _lifted(grad(below, argnums=degree - 1), at_zero)
    name = f"the derivative of order {degree} along directions in the space of its operands"
    slack = len(places) * EPSILON * abs(below(*at_zero))
    return name, _moving(below, tuple(at_zero), degree - 1), 0.0, got, slack
