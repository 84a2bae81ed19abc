"""Random expression graphs: lists of (primitive, operands counted back from the newest node).

A list shrinks well, shares nodes and repeats operands, which trees never do. Where an operand is
near a kink or the edge of a domain, or the result or a partial would be large, the step becomes a
harmless one, so that every program is differentiable around its inputs.
"""

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any, NamedTuple

from hypothesis import strategies as st

from autograd_lite.primitives import TABLE, Variadic

MARGIN = 0.05  # distance from kinks and edges
LIMIT = 20.0  # of values and partials

WHOLE = {"floor", "ceil", "round"}
REMAINDERS = {"%", "fmod"}
LENGTHS = {"norm", "hypot", "atan2"}  # not differentiable at the origin


class Step(NamedTuple):
    """One operation: a primitive of the table, and nodes counted back (or constants)."""

    name: str
    operands: tuple[int | float, ...]


class Program(NamedTuple):
    """Inputs and steps; the result is the last node."""

    inputs: tuple[float, ...]
    steps: tuple[Step, ...]

    def __call__(self, inputs: Any) -> Any:
        """Run on floats or on Values."""
        nodes = list(inputs)
        for step in self.steps:
            nodes.append(apply(step.name, resolved(step, nodes)))
        return nodes[-1]

    def branches(self, inputs: Any) -> list[Any] | None:
        """Return which piece of each primitive is taken; None at an edge."""
        nodes = list(inputs)
        pieces = []
        for step in self.steps:
            operands = resolved(step, nodes)
            if not smooth(step.name, operands, margin=0.0):
                return None
            pieces.append(piece(step.name, operands))
            nodes.append(apply(step.name, operands))
        return pieces


def resolved(step: Step, nodes: list[Any]) -> list[Any]:
    """Look the operands up; an int counts back from the newest node, a float is a constant."""
    return [nodes[-1 - x] if isinstance(x, int) else x for x in step.operands]


def apply(name: str, operands: list[Any]) -> Any:
    """Apply a primitive of the table."""
    primitive = TABLE[name]
    return primitive(operands) if isinstance(primitive, Variadic) else primitive(*operands)


def _kinks(name: str) -> tuple[float, ...]:
    """Return where a primitive has no derivative, or (softsign) its derivative has none."""
    more = name in ("max_of", "min_of", "softsign", "copysign")
    return (0.0,) if more else getattr(TABLE[name], "kinks", ())


def piece(name: str, operands: list[float]) -> Any:
    """Return on which side of its kinks a primitive is: the same piece, the same formula."""
    if name in WHOLE:
        return math.floor(2.0 * operands[0])
    if name in REMAINDERS:
        return math.floor(operands[0] / operands[1])
    if name in LENGTHS:
        return [x > 0.0 for x in operands]
    if not _kinks(name):
        return None
    signs = [x > k for x in operands for k in _kinks(name)]
    return (*signs, *(a > b for a, b in combinations(operands, 2)))


def smooth(name: str, operands: list[float], margin: float = MARGIN) -> bool:
    """Tell whether a primitive is differentiable at these operands, and around them."""
    primitive = TABLE[name]
    domain = getattr(primitive, "domain", ((-math.inf, math.inf),) * len(operands))
    if not all(
        low + margin < x < high - margin for x, (low, high) in zip(operands, domain, strict=True)
    ):
        return False
    for kink in _kinks(name):
        if any(abs(x - kink) <= margin for x in operands):
            return False
        if any(abs(a - b - kink) <= margin for a, b in combinations(operands, 2)):
            return False
    if name in WHOLE:
        return abs(2.0 * operands[0] - round(2.0 * operands[0])) > margin
    if name in REMAINDERS:
        ratio = operands[0] / operands[1]
        return abs(ratio - round(ratio)) * abs(operands[1]) > margin and abs(ratio) < LIMIT
    if name == "/":
        return abs(operands[1]) > margin
    if name == "tan":
        return abs(math.cos(operands[0])) > margin
    if name == "atan2" and operands[1] <= margin:
        return abs(operands[0]) > margin
    if name in LENGTHS:
        return math.hypot(*operands) > margin
    return True


def admissible(name: str, operands: list[float]) -> bool:
    """Tell whether a step may stand in a program."""
    if not smooth(name, operands):
        return False
    primitive = TABLE[name]
    y = primitive.evaluate(*operands)
    if not abs(y) < LIMIT:
        return False
    if isinstance(primitive, Variadic):
        partials = primitive.evaluate_partials(operands, y)
    else:
        partials = tuple(primitive.partial(i, *operands, y) for i in range(primitive.arity))
    return all(abs(p) < LIMIT for p in partials)


NAMES = sorted(TABLE)
numbers = st.floats(-3.0, 3.0).map(lambda x: round(x, 4))


def arity(name: str, draw: Callable[..., Any]) -> int:
    """Return how many operands to draw: pairs for dot, two or more for var, else up to five."""
    primitive = TABLE[name]
    if not isinstance(primitive, Variadic):
        return primitive.arity
    return (
        2 * draw(st.integers(1, 3)) if name == "dot" else draw(st.integers(1 + (name == "var"), 5))
    )


@st.composite
def programs(draw: Callable[..., Any], max_inputs: int = 4, max_steps: int = 12) -> Program:
    """Draw a program of smooth steps."""
    inputs = draw(st.lists(numbers, min_size=1, max_size=max_inputs))
    nodes = list(inputs)
    steps = []
    for _ in range(draw(st.integers(1, max_steps))):
        name = draw(st.sampled_from(NAMES))
        references = []
        for _ in range(arity(name, draw)):
            back = draw(st.integers(-1, min(len(nodes), 8) - 1))
            references.append(back if back >= 0 else draw(numbers))
        if name == "var":
            references.append(draw(st.sampled_from((1.0, 2.5))))  # what it divides by
        step = Step(name, tuple(references))
        if not admissible(name, resolved(step, nodes)):
            step = Step("tanh", (0,))
        steps.append(step)
        nodes.append(apply(step.name, resolved(step, nodes)))
    return Program(tuple(inputs), tuple(steps))
