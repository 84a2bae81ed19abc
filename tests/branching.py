"""Functions with branches, from a seed: nested ifs, loops, choices by comparison, ties."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable
from typing import Any

from autograd_lite import clamp, dot, max_of, maximum, no_grad, where

Statement = Callable[[list[Any]], Any]
"""Returns a new node, given those before it."""

ARITHMETIC = (operator.add, operator.sub, operator.mul)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge)
SMOOTH: tuple[Callable[[Any], Any], ...] = (
    lambda x: x.tanh(),
    lambda x: x.sqrt(),
    operator.neg,
    lambda x: x * x,
)
CHOICES: tuple[Callable[[list[Any]], Any], ...] = (
    max,
    min,
    lambda xs: sorted(xs)[len(xs) // 2],
    lambda xs: abs(xs[0]) - abs(xs[1]),
)
KINKS: tuple[Callable[[list[Any]], Any], ...] = (
    max_of,
    lambda xs: maximum(*xs[:2]),
    lambda xs: clamp(xs[0], -1.0, 1.0),
    lambda xs: where(xs[0] > xs[1], xs[1], xs[-1]),
)
ROUND = (0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, 0.25)
STRANGE = (float("nan"), float("inf"), float("-inf"), 1e300, 5e-324)


def number(draw: random.Random, *, strange: bool = False) -> float:
    """Draw an input, often one at which comparisons are ties; now and then no ordinary number."""
    if strange and draw.random() < 0.15:
        return draw.choice(STRANGE)
    return draw.choice(ROUND) if draw.random() < 0.6 else draw.uniform(-2.0, 2.0)


def function(seed: int) -> tuple[Callable[[list[Any]], Any], int]:
    """Draw a function of a list of numbers; return how many they are, too."""
    draw = random.Random(seed)
    statements = body(draw, depth=3, most=8)
    return lambda xs: statements(xs) * 1.0, draw.randint(1, 4)


def body(draw: random.Random, *, depth: int, most: int) -> Statement:
    """Draw some statements, one after the other, with the result of the last one."""
    statements = [statement(draw, depth) for _ in range(draw.randint(1, most))]

    def run(nodes: list[Any]) -> Any:
        nodes = [*nodes]
        for one in statements:
            nodes.append(one(nodes))
        return nodes[-1]

    return run


def statement(draw: random.Random, depth: int) -> Statement:
    kinds = (arithmetic, smooth, choice, loop, kink, weighted, held, without_gradient)
    kind = draw.choice(kinds + (arithmetic,) * 2)
    return branch(draw, depth - 1) if depth and draw.random() < 0.35 else kind(draw)


def operand(draw: random.Random) -> Statement:
    share, near = draw.random(), draw.random() < 0.5

    def chosen(nodes: list[Any]) -> Any:
        reach = min(4, len(nodes)) if near else len(nodes)
        return nodes[-1 - int(share * reach)]

    return chosen


def operands(draw: random.Random, count: int) -> Statement:
    chosen = [operand(draw) for _ in range(count)]
    return lambda nodes: [one(nodes) for one in chosen]


def arithmetic(draw: random.Random) -> Statement:
    operation, pair = draw.choice(ARITHMETIC), operands(draw, 2)
    if draw.random() < 0.3:
        constant = draw.choice(ROUND)
        return lambda nodes: operation(pair(nodes)[0], constant)
    return lambda nodes: operation(*pair(nodes))


def smooth(draw: random.Random) -> Statement:
    formula, x = draw.choice(SMOOTH), operand(draw)
    return lambda nodes: formula(x(nodes))


def choice(draw: random.Random) -> Statement:
    choose, xs = draw.choice(CHOICES), operands(draw, draw.randint(2, 4))
    return lambda nodes: choose(xs(nodes))


def kink(draw: random.Random) -> Statement:
    bend, xs = draw.choice(KINKS), operands(draw, 3)
    return lambda nodes: bend(xs(nodes))


def weighted(draw: random.Random) -> Statement:
    terms = draw.randint(2, 5)
    xs, ys = operands(draw, terms), operands(draw, terms)
    return lambda nodes: dot(xs(nodes), ys(nodes))


def held(draw: random.Random) -> Statement:
    pair = operands(draw, 2)
    return lambda nodes: pair(nodes)[0] * (pair(nodes)[1] * 2.0).detach()


def without_gradient(draw: random.Random) -> Statement:
    operation, pair = draw.choice(ARITHMETIC), operands(draw, 2)

    def run(nodes: list[Any]) -> Any:
        with no_grad():
            fixed = operation(*pair(nodes))
        return nodes[-1] + fixed

    return run


def loop(draw: random.Random) -> Statement:
    x, bound, turns = operand(draw), draw.choice((0.5, 1.0, 2.0)), draw.randint(1, 5)

    def run(nodes: list[Any]) -> Any:
        found, count = x(nodes), 0
        while found < bound and count < turns:
            found = found * found + 0.25 if count % 2 else found + 0.5
            count += 1
        return found

    return run


def branch(draw: random.Random, depth: int) -> Statement:
    asked = condition(draw)
    one, other = body(draw, depth=depth, most=3), body(draw, depth=depth, most=3)
    return lambda nodes: one(nodes) if asked(nodes) else other(nodes)


def condition(draw: random.Random) -> Statement:
    """Draw a question: between nodes, with a constant, whether a number is 0; under no_grad too."""
    compare, pair, kind = draw.choice(COMPARISONS), operands(draw, 2), draw.randrange(5)
    constant = draw.choice(ROUND)

    def without(nodes: list[Any]) -> bool:
        with no_grad():
            return bool(compare(pair(nodes)[0] * 1.0, pair(nodes)[1]))

    questions: tuple[Statement, ...] = (
        lambda nodes: compare(*pair(nodes)),
        lambda nodes: compare(pair(nodes)[0], constant),
        lambda nodes: bool(pair(nodes)[0]),
        lambda nodes: not pair(nodes)[0],
        without,
    )
    return questions[kind]
