"""The engine's derivatives of a program, by every route it has, held against the oracle's."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from math import inf, isfinite
from typing import Any, NamedTuple

from mpmath import mp, mpf
from oracle import Oracle
from pinned import BITS
from rounding_model import size

from autograd_lite import Value, dot, grad, hvp, jvp


class Expected:
    """What each route has to give for one program."""

    def __init__(self, oracle: Oracle) -> None:
        self.program = oracle.program
        self.direction = oracle.direction
        self.values = [(x.exact, x.error) for x in oracle.nodes]
        adjoints = oracle.adjoints()
        self.adjoints = [(x.exact, x.error) for x in adjoints]
        n = len(oracle.inputs)
        self.gradient = self.adjoints[:n]
        self.product = [(x.rate, x.rate_error) for x in adjoints[:n]]
        last = oracle.nodes[-1]
        self.tangent = (last.tangent, last.tangent_error)


class Deviation(NamedTuple):
    """A number from the engine, what it should have been, and the error over the tolerance."""

    route: str
    place: int
    got: float
    exact: Any
    tolerance: float
    ratio: float

    @property
    def wrong(self) -> bool:
        return not self.ratio <= 1.0

    def __str__(self) -> str:
        exact, off = mp.nstr(self.exact, 20), mp.nstr(abs(mpf(self.got) - self.exact), 3)
        return (
            f"{self.route}[{self.place}] = {self.got!r}, exactly {exact}: off by {off}, where"
            f" rounding explains {self.tolerance:.3g}"
        )


def deviations(expected: Expected) -> Iterator[Deviation]:
    """Yield every number that the engine gives, with how far off it is."""
    with mp.workprec(BITS):
        for route, got, wanted in routes(expected):
            for place, (found, (exact, tolerance)) in enumerate(zip(got, wanted, strict=True)):
                number = float(found)
                off = size(mpf(number) - exact) if isfinite(number) else inf
                ratio = off / tolerance if off else 0.0
                yield Deviation(route, place, number, exact, tolerance, ratio)


Wanted = list[tuple[Any, float]]


def doubled(wanted: Wanted) -> Wanted:
    return [(2 * exact, 3.0 * tolerance) for exact, tolerance in wanted]


def routes(expected: Expected) -> Iterator[tuple[str, list[Any], Wanted]]:
    """Run the engine forward, backward twice, by transforms, and to second order."""
    program, direction = expected.program, expected.direction
    n = len(program.inputs)
    leaves = [Value(x) for x in program.inputs]
    nodes = program.run(leaves)
    yield "value", [x.data for x in nodes], expected.values
    backward_elsewhere(nodes[-1], leaves)
    yield "backward", [x.grad for x in nodes], expected.adjoints
    backward_elsewhere(nodes[-1], leaves)
    again = doubled(expected.gradient) + expected.adjoints[n:]
    yield "backward twice", [x.grad for x in nodes], again

    inputs = list(program.inputs)
    yield "grad", grad(program)(inputs), expected.gradient
    value, tangent = jvp(program, (inputs,), (direction,))
    yield "jvp", [value, tangent], [expected.values[-1], expected.tangent]
    yield "hvp", hvp(program, (inputs,), (direction,)), expected.product

    leaves = [Value(x) for x in program.inputs]
    program(leaves).backward(create_graph=True)
    first = [x.grad for x in leaves]
    yield "create_graph", first, expected.gradient
    along = dot(first, direction)
    for leaf in leaves:
        leaf.zero_grad()
    if along.requires_grad:
        along.backward()
    yield "create_graph twice", [x.grad for x in leaves], expected.product


def backward_elsewhere(root: Value, leaves: list[Value]) -> None:
    """Sweep after the leaves have moved on: the gradient is still the one that was recorded."""
    before = [leaf.data for leaf in leaves]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for leaf in leaves:
            leaf.data = 2.0 * leaf.data + 1.0
        root.backward()
        for leaf, x in zip(leaves, before, strict=True):
            leaf.data = x
