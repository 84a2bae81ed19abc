"""One operation of a program: exact, and how far floats may be off, in value and derivatives.

The model is a running error analysis to first order. An operation contributes a few units in the
last place of its result and of its partials, and passes on what its operands had, multiplied by
its derivatives. Nothing in it is tuned to a program; what is badly conditioned gets a large
tolerance, and no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mpmath import isfinite, mpf
from pinned import LINEAR, Textbook, textbook

from autograd_lite.primitives import TABLE

U = 2.0**-53  # half a unit in the last place of 1
ETA = 2.0**-1073  # what underflow takes from a result
TINY = 2.0**-800  # of a tangent: what comes of it is below all floats
STEP = mpf(2) ** -60  # of differences at 320 bits: exact to 36 digits

SMALLEST, LARGEST = 1e-20, 1e20  # of values
LONGEST = 1e60  # of a sum over paths of products of partials

# -- what one operation does to a float, in units of U ---------------------------------------------
# A pair (r, o): r times the size of the result, and o times what the result would change by if the
# operands moved by U of their size. The second is for sums, whose terms cancel.

VALUE_DEFAULT = (8.0, 0.0)
VALUE = dict.fromkeys(LINEAR, (0.0, 0.0)) | dict.fromkeys(("*", "/", "sqrt"), (1.0, 0.0))
VALUE |= dict.fromkeys(("+", "-", "%"), (1.0, 0.0)) | {"logaddexp": (8.0, 4.0)}
PARTIAL_DEFAULT = (16.0, 0.0)
PARTIAL = dict.fromkeys(LINEAR, (0.0, 0.0)) | {"*": (0.0, 0.0), "dot": (0.0, 0.0)}
PARTIAL |= {"/": (4.0, 0.0), "%": (2.0, 0.0), "fmod": (2.0, 0.0), "mean": (1.0, 0.0)}
PARTIAL |= {"logaddexp": (16.0, 4.0)}
RATE = 32.0  # of a partial's derivative, which is found through the partial's formula

VALUE_OF_MANY = {"total": (0, 1), "mean": (1, 1), "dot": (0, 2), "var": (2, 2), "prod": (1, 0)}
VALUE_OF_MANY |= {"norm": (2, 0), "logsumexp": (8, 2)}
PARTIAL_OF_MANY = {"var": (2, 2), "prod": (1, 0), "norm": (3, 0), "logsumexp": (8, 2)}

BILINEAR = {"*", "dot"}
FRANK = {"hypot", "norm", "logaddexp", "logsumexp"}  # a partial's slope is a sum of like terms
ROUND_THE_ORIGIN = {"hypot", "norm", "atan2"}  # linear along rays, with another slope on each


def noise(name: str, count: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the errors of the value and of the partials; n-ary ones grow with the operands."""
    value, partial = VALUE.get(name, VALUE_DEFAULT), PARTIAL.get(name, PARTIAL_DEFAULT)
    if name in VALUE_OF_MANY:
        value = tuple(count * x for x in VALUE_OF_MANY[name])
    if name in PARTIAL_OF_MANY:
        partial = tuple(count * x for x in PARTIAL_OF_MANY[name])
    return value, partial


@dataclass(slots=True)
class Number:
    """A node: exact, as the float run had it, its derivative along the direction, and bounds."""

    exact: Any
    run: float
    error: float
    tangent: Any
    tangent_error: float
    paths: float  # Σ |path products| from the inputs


@dataclass(slots=True)
class Operation:
    """An operation at its point: one entry per operand that is a node."""

    operands: list[int]
    partials: list[Any]
    partial_errors: list[float]
    rates: list[Any]  # derivatives of the partials along the direction
    rate_errors: list[float]


class InadmissibleError(ValueError):
    """The step leaves a domain, is out of range, or so badly conditioned that nothing is known."""


def size(x: Any) -> float:
    return float(abs(x))


def checked_run(name: str, run: list[float], places: list[int | None]) -> float:
    """Return the float result, if it and its partials are ordinary numbers."""
    primitive = TABLE[name]
    y = primitive.evaluate(*run)
    if not (y == 0.0 or SMALLEST < abs(y) < LARGEST):
        raise InadmissibleError("the value is out of range")
    if primitive.variadic:
        partials = primitive.evaluate_partials(run, y)
    else:
        partials = [
            primitive.partial(i, *run, y) for i, place in enumerate(places) if place is not None
        ]
    if not all(abs(p) < LONGEST for p in partials):
        raise InadmissibleError("a partial is out of range")
    if name == "copysign" and run[1] == 0.0:
        raise InadmissibleError("the sign of a zero is no number's")
    return y


def linear(name: str, operands: list[Number], places: list[int | None]) -> tuple[Number, Operation]:
    """Evaluate a primitive that is linear on the piece that the run was on."""
    (of_value, of_operands), (of_partial, _) = noise(name, len(operands))
    value, partials = textbook(name, len(operands)).tangent(
        [x.exact for x in operands], [x.run for x in operands]
    )
    sizes = [size(p) for p in partials]
    moved = sum(size(x.exact) * p for x, p in zip(operands, sizes, strict=True))
    error = U * (of_value * size(value) + of_operands * moved) + ETA
    error += sum(x.error * p for x, p in zip(operands, sizes, strict=True))
    kept = [i for i, place in enumerate(places) if place is not None]
    operation = Operation(
        [places[i] for i in kept],
        [partials[i] for i in kept],
        [of_partial * U * sizes[i] for i in kept],
        [mpf(0)] * len(kept),
        [0.0] * len(kept),
    )
    return result(value, error, operands, kept, operation), operation


def result(
    value: Any, error: float, operands: list[Number], kept: list[int], operation: Operation
) -> Number:
    """Return the node of an operation, with its tangent."""
    tangent, bound, total, paths = mpf(0), 0.0, 0.0, 0.0
    for i, partial, partial_error in zip(
        kept, operation.partials, operation.partial_errors, strict=True
    ):
        x, p = operands[i], size(partial)
        tangent += partial * x.tangent
        t = size(x.tangent)
        bound += p * x.tangent_error + t * partial_error
        total += p * t
        paths += p * x.paths
    bound += (len(kept) + 1) * (U * total + ETA)
    return Number(value, 0.0, error, tangent, bound, paths)


def scale(x: Any) -> Any:
    """Return a length within which formulas do not change much (x is 0, or beyond SMALLEST)."""
    return min(abs(x), mpf(1)) if abs(x) > SMALLEST else mpf(1)


def curved(name: str, operands: list[Number], places: list[int | None]) -> tuple[Number, Operation]:
    """Evaluate any other primitive: partials by the textbook, their derivatives by differences."""
    book = textbook(name, len(operands))
    (value_r, value_o), (partial_r, partial_o) = noise(name, len(operands))
    at, run = [x.exact for x in operands], [x.run for x in operands]
    everything = book.variadic or partial_o > 0.0
    kept = [i for i, place in enumerate(places) if everything or place is not None]
    value = book.value(at, run)
    here = [book.partial(i, at, run) for i in kept]
    if not all(isinstance(x, mpf) and isfinite(x) for x in (value, *here)):
        raise InadmissibleError("outside the domain")
    if any(1e-320 < size(p) < 1e-200 or size(p) > LONGEST for p in here):
        raise InadmissibleError("a partial is out of range")
    curvature = Curvature(book, at, run, kept, here, [operands[i].tangent for i in kept])
    errors = [operands[i].error for i in kept]
    sizes = [size(at[i]) for i in kept]
    tangents = [size(operands[i].tangent) for i in kept]
    tangent_errors = [operands[i].tangent_error for i in kept]

    # Beyond that a function may be flat here and steep where the run was.
    if any(e > 1e-4 * max(1.0, s) for e, s in zip(errors, sizes, strict=True)):
        raise InadmissibleError("an operand is mostly error")
    if name in ROUND_THE_ORIGIN and sum(errors) > 1e-2 * max(sizes):
        raise InadmissibleError("the origin is within the error of the operands")
    if name == "atan2" and run[1] < 0.0 and abs(run[0]) <= 2.0 * operands[0].error:
        raise InadmissibleError("at the cut of atan2")
    error = sum(size(p) * e for p, e in zip(here, errors, strict=True))
    moved = sum(size(p) * s for p, s in zip(here, sizes, strict=True)) if value_o else 0.0
    error += U * (value_r * size(value) + value_o * moved) + ETA
    # What a partial's formula may hide: its terms change by their size over a length of 1, or over
    # the operand where that is larger. Those of n-ary operations and lengths hide nothing.
    lengths = [0.0 if name in FRANK else 1.0 / max(1.0, s) for s in sizes]
    partial_errors, rate_errors = [], []
    remainder = 0.0
    for i, partial in enumerate(here):
        row, row_of_rates = curvature.sizes[i], curvature.rate_sizes[i]
        p = size(partial)
        inherited = dot(row, errors)
        bound = inherited + U * (partial_r * p + partial_o * dot(row, sizes)) + ETA
        remainder += 0.5 * inherited * errors[i]
        if len(here) == 1 and 0.5 * curvature.third * errors[0] ** 2 > 0.05 * bound:
            raise InadmissibleError("the partial is not linear within its error")
        partial_errors.append(bound)
        if name in BILINEAR:
            rate_errors.append(dot(row, tangent_errors))
            continue
        bound = dot(row, tangent_errors) + dot(row_of_rates, errors)
        bound += ETA * RATE * (1.0 + sum(tangents))  # of each term, before a tangent multiplies it
        bound += U * (RATE * dot(row, tangents) + partial_o * dot(row_of_rates, sizes))
        bound += U * RATE * p * dot(tangents, lengths)
        rate_errors.append(bound)
    if remainder > 0.01 * error:
        raise InadmissibleError("the operation is not linear within the error of its operands")
    wanted = [j for j, i in enumerate(kept) if places[i] is not None]
    operation = Operation(
        [places[kept[j]] for j in wanted],
        [here[j] for j in wanted],
        [partial_errors[j] for j in wanted],
        [curvature.rates[j] for j in wanted],
        [rate_errors[j] for j in wanted],
    )
    return result(value, error, operands, [kept[j] for j in wanted], operation), operation


def dot(xs: list[float], ys: list[float]) -> float:
    return sum(x * y for x, y in zip(xs, ys, strict=True))


class Curvature:
    r"""How the partials of one operation change: with each operand, and along the tangents.

    ``sizes[i][k]`` is |∂Pᵢ/∂xₖ|, ``rates[i]`` = Σₖ ∂Pᵢ/∂xₖ · tₖ, ``rate_sizes[i][k]`` is
    |∂ratesᵢ/∂xₖ|, ``third`` is |∂²P/∂x²| of a function of one operand.
    """

    def __init__(
        self,
        book: Textbook,
        at: list[Any],
        run: list[float],
        kept: list[int],
        here: list[Any],
        tangents: list[Any],
    ) -> None:
        self.third = 0.0
        steps = [STEP * scale(at[i]) for i in kept]

        def moved(i: int, moves: list[tuple[int, Any]]) -> Any:
            point = list(at)
            for k, by in moves:
                point[k] += by
            found = book.partial(i, point, run)
            if not isinstance(found, mpf):
                raise InadmissibleError("at the end of the domain")
            return found

        if len(kept) == 1:
            (i,), (h,), (t,), (middle,) = kept, steps, tangents, here
            up, down = moved(i, [(i, h)]), moved(i, [(i, -h)])
            slope, bend = (up - down) / (2 * h), (up - 2 * middle + down) / (h * h)
            self.sizes, self.rates = [[size(slope)]], [slope * t]
            self.rate_sizes, self.third = [[size(bend * t)]], size(bend)
            return
        slopes = [
            [
                (moved(i, [(k, h)]) - moved(i, [(k, -h)])) / (2 * h)
                for k, h in zip(kept, steps, strict=True)
            ]
            for i in kept
        ]
        self.sizes = [[size(x) for x in row] for row in slopes]
        self.rates = [
            sum((x * t for x, t in zip(row, tangents, strict=True)), mpf(0)) for row in slopes
        ]
        self.rate_sizes = [[0.0] * len(kept) for _ in kept]
        moving = [h / abs(t) for h, t in zip(steps, tangents, strict=True) if abs(t) > TINY]
        if book.name in BILINEAR or not moving:
            return
        s = min(moving)
        forward = [(k, s * t) for k, t in zip(kept, tangents, strict=True)]
        backward = [(k, -by) for k, by in forward]
        for row, (i, rate) in enumerate(zip(kept, self.rates, strict=True)):
            for column, (k, h) in enumerate(zip(kept, steps, strict=True)):
                there = (moved(i, [*forward, (k, h)]) - moved(i, [*backward, (k, h)])) / (2 * s)
                self.rate_sizes[row][column] = size((there - rate) / h)
