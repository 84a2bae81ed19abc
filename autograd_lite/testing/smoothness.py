"""Where operations are differentiable, and around which operands they stay on one smooth piece."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from autograd_lite.primitives import Primitive, Variadic, is_stated
from autograd_lite.testing.operations import apply, resolved
from autograd_lite.testing.programs import Program

MARGIN = 0.05
LARGEST_RATIO = 20.0  # of remainders: beyond, the next jump is too near

WHOLE = {"floor", "ceil", "round"}
REMAINDERS = {"%", "fmod"}
LENGTHS = {"norm", "hypot", "atan2"}  # not differentiable at the origin
KINKS_AT_ZERO = {"max_of", "min_of", "copysign", "softsign"}  # softsign's derivative has one


def kinks(primitive: Primitive | Variadic) -> tuple[float, ...]:
    """Return the operands, or differences of two, at which a derivative does not exist."""
    if is_stated(primitive) and primitive.name in KINKS_AT_ZERO:
        return (0.0,)
    return primitive.kinks if isinstance(primitive, Primitive) else ()


def piece(primitive: Primitive | Variadic, operands: Sequence[float]) -> Any:
    """Return on which side of its kinks an operation is: the same piece, the same formula."""
    name = primitive.name
    if is_stated(primitive):
        if name in WHOLE:
            return math.floor(2.0 * operands[0])
        if name in REMAINDERS:
            return math.floor(operands[0] / operands[1])
        if name in LENGTHS:
            return [x > 0.0 for x in operands]
    places = kinks(primitive)
    if not places:
        return None
    signs = [x > k for x in operands for k in places]
    return (*signs, *(a > b for a, b in combinations(operands, 2)))


def smooth(
    primitive: Primitive | Variadic, operands: Sequence[float], *, margin: float = MARGIN
) -> bool:
    """Tell whether an operation is differentiable at these operands, and nearer than the margin.

    Examples
    --------
    >>> from autograd_lite import log, relu
    >>> from autograd_lite.testing.smoothness import smooth
    >>> smooth(relu, [0.06]), smooth(relu, [0.04]), smooth(log, [-1.0])
    (True, False, False)
    """
    if isinstance(primitive, Primitive):
        pairs = zip(operands, primitive.domain, strict=True)
        if not all(low + margin < x < high - margin for x, (low, high) in pairs):
            return False
    for kink in kinks(primitive):
        if any(abs(x - kink) <= margin for x in operands):
            return False
        if any(abs(a - b - kink) <= margin for a, b in combinations(operands, 2)):
            return False
    return not is_stated(primitive) or _smooth_by_name(primitive.name, operands, margin)


def _smooth_by_name(name: str, operands: Sequence[float], margin: float) -> bool:
    """Tell what the table's domains and kinks do not say."""
    if name in WHOLE:
        return abs(2.0 * operands[0] - round(2.0 * operands[0])) > margin
    if name in REMAINDERS:
        ratio = operands[0] / operands[1]
        if not abs(ratio) < LARGEST_RATIO:
            return False
        return abs(ratio - round(ratio)) * abs(operands[1]) > margin
    if name == "/":
        return abs(operands[1]) > margin
    if name == "var":
        return operands[-1] > margin
    if name == "tan":
        return abs(math.cos(operands[0])) > margin
    if name == "atan2" and operands[1] <= margin:
        return abs(operands[0]) > margin
    if name in LENGTHS:
        return math.hypot(*operands) > margin
    return True


def partials(primitive: Primitive | Variadic, operands: Sequence[float]) -> tuple[float, ...]:
    """Return all partials of an operation at floats."""
    y = primitive.evaluate(*operands)
    if isinstance(primitive, Variadic):
        return primitive.evaluate_partials(operands, y)
    return tuple(primitive.partial(i, *operands, y) for i in range(primitive.arity))


def bounded(primitive: Primitive | Variadic, operands: Sequence[float], limit: float) -> bool:
    """Tell whether the result and all partials of an operation are smaller than a limit."""
    if not abs(primitive.evaluate(*operands)) < limit:
        return False
    return all(abs(p) < limit for p in partials(primitive, operands))


def admissible(
    primitive: Primitive | Variadic, operands: Sequence[float], margin: float, limit: float
) -> bool:
    """Tell whether an operation is both smooth and bounded."""
    return smooth(primitive, operands, margin=margin) and bounded(primitive, operands, limit)


def branches(program: Program, inputs: Iterable[float]) -> list[Any] | None:
    """Return which piece of each operation a program takes at floats; None at a kink or edge."""
    nodes = list(inputs)
    pieces = []
    for step in program.steps:
        operands = resolved(step, nodes)
        if not smooth(step.primitive, operands, margin=0.0):
            return None
        pieces.append(piece(step.primitive, operands))
        nodes.append(apply(step, operands))
    return pieces
