"""What n-ary primitives give in exact arithmetic, and how much rounding they may show.

A sum whose terms cancel cannot be right in its last place, however well it is computed. So an
error is measured in units of 2⁻⁵² of the sizes that were added up: Σ|x| for a sum, and so on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mpmath import mp, mpf

from autograd_lite.primitives import TABLE, Variadic

NARY = [primitive for primitive in TABLE.values() if isinstance(primitive, Variadic)]
BITS = 3000  # products of 30 numbers; sums in which one term is 2**2000 times another
SMALLEST = mpf(2) ** -1074
LONGEST = 30


@dataclass(frozen=True)
class Exact:
    """A number, and the sum of sizes that its rounding errors are relative to."""

    number: mpf
    size: mpf

    def error(self, got: float) -> float:
        unit = max(self.size * mpf(2) ** -52, SMALLEST)
        return float(abs(mpf(got) - self.number) / unit)


def precisely(number: mpf) -> Exact:
    """Return a number whose terms do not cancel."""
    return Exact(number, abs(number))


def _sizes(xs):
    return mp.fsum(map(abs, xs))


def _total(xs):
    return Exact(mp.fsum(xs), _sizes(xs)), [precisely(mpf(1)) for _ in xs]


def _mean(xs):
    n = len(xs)
    return Exact(mp.fsum(xs) / n, _sizes(xs) / n), [precisely(mpf(1) / n) for _ in xs]


def _dot(operands):
    n = len(operands) // 2
    xs, ys, start = operands[:n], operands[n : 2 * n], operands[2 * n :]
    terms = [x * y for x, y in zip(xs, ys, strict=True)] + start
    ones = [mpf(1) for _ in start]
    return Exact(mp.fsum(terms), _sizes(terms)), [precisely(d) for d in (*ys, *xs, *ones)]


def _var(operands):
    *xs, freedom = operands
    n = len(xs)
    middle = mp.fsum(xs) / n
    sizes = [abs(x) + _sizes(xs) / n for x in xs]
    y = mp.fsum((x - middle) ** 2 for x in xs) / freedom
    slack = mp.fsum(abs(x - middle) * size for x, size in zip(xs, sizes, strict=True)) / freedom
    partials = [
        Exact(2 * (x - middle) / freedom, 2 * size / freedom)
        for x, size in zip(xs, sizes, strict=True)
    ]
    return Exact(y, y + slack), [*partials, Exact(-y / freedom, (y + slack) / freedom)]


def _prod(xs):
    whole = mp.fprod(xs)
    return precisely(whole), [precisely(whole / x) for x in xs]


def _extreme(choice: Callable):
    def exact(xs):
        y = choice(xs)
        share = mpf(1) / xs.count(y)
        return precisely(y), [precisely(share if x == y else mpf(0)) for x in xs]

    return exact


def _logsumexp(xs):
    """exp(x - max) magnifies the rounding of x - max by that difference itself."""
    largest = max(xs)
    grown = [mp.exp(x - largest) for x in xs]
    whole = mp.fsum(grown)
    shares = [e / whole for e in grown]
    spread = mp.fsum(p * abs(x - largest) for p, x in zip(shares, xs, strict=True))
    y = largest + mp.log(whole)
    partials = [
        Exact(p, p * (1 + abs(x - largest) + spread)) for p, x in zip(shares, xs, strict=True)
    ]
    return Exact(y, abs(largest) + abs(y) + spread), partials


def _norm(xs):
    length = mp.sqrt(mp.fsum(x * x for x in xs))
    return precisely(length), [precisely(x / length) for x in xs]


EXACT: dict[str, Callable[[list], tuple[Exact, list[Exact]]]] = {
    "total": _total,
    "dot": _dot,
    "mean": _mean,
    "var": _var,
    "prod": _prod,
    "max_of": _extreme(max),
    "min_of": _extreme(min),
    "logsumexp": _logsumexp,
    "norm": _norm,
}


def limit(operands: tuple[float, ...]) -> float:
    """Return the bound, which grows with the number of operations that round."""
    return 2.0 + 0.25 * len(operands)


def list_errors(primitive: Variadic, operands: tuple[float, ...]) -> Iterator[tuple[str, float]]:
    """Yield the error of the value, and of each partial, in the unit of its conditioning."""
    y = primitive.evaluate(*operands)
    partials = primitive.evaluate_partials(operands, y)
    with mp.workprec(BITS):
        value, derivatives = EXACT[primitive.name](list(map(mpf, operands)))
        yield "value", value.error(y)
        for got, derivative in zip(partials, derivatives, strict=True):
            yield "d/dx", derivative.error(got)


def lists(primitive: Variadic, how_many: int, *, seed: object = 0) -> Iterator[tuple[float, ...]]:
    """Draw lists of operands: like or very unlike in size, in every second one cancelling."""
    draw = random.Random(f"{primitive.name} {seed}")
    for _ in range(how_many):
        n = draw.randint(2, LONGEST)
        spread = draw.choice((1.0, 10.0, 30.0))
        shift = draw.choice((0.0, 0.0, 1000.0))
        xs = [
            shift + draw.choice((-1.0, 1.0)) * 2.0 ** draw.uniform(-spread, spread)
            for _ in range(n)
        ]
        if draw.getrandbits(1):
            xs[-1] = -sum(xs[:-1]) or 1.0
        if primitive.name == "dot" and draw.getrandbits(1):
            xs = xs[: n - n % 2]
        if primitive.name == "var":
            xs.append(float(len(xs) - draw.randint(0, 1)))
        yield tuple(xs)
