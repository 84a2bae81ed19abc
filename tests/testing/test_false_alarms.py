"""`check_gradients` blames no right function, however much its values lose to rounding."""

import math
import random
from functools import partial

import pytest
from hypothesis import settings

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.testing import check_gradients

SHARE = settings.default.max_examples / 200  # 1 in the test command, 50 in the nightly run

UNARY = [
    ag.sin,
    ag.cos,
    ag.exp,
    ag.tanh,
    ag.cosh,
    ag.atan,
    ag.log,
    ag.relu,
    abs,
    lambda x: 1.0 - x,
    lambda x: x * x,
    lambda x: x**3,
    lambda x: 1.0 / x,
    lambda x: 1e-9 * x,
    lambda x: (x + 1e6) - 1e6,
    lambda x: ag.exp(x) - 1.0,
    lambda x: ag.exp(-x * x),
    lambda x: ag.sqrt(1.0 + x * x),
    lambda x: ag.sqrt(x * x + 1.0) - x,
    lambda x: ag.log(1.0 + x * x),
    lambda x: ag.acosh(1.0 + x * x),
    lambda x: 1.0 / (1.0 + ag.exp(-x)),
    lambda x: x / (1.0 + abs(x)),
]
BINARY = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (1.0 + b * b),
    lambda a, b: (1.0 + a * a) ** (b / (1.0 + abs(b))),
]


def random_function(drawn, depth, inputs):
    """Return a function of a list of Values: functions of functions."""
    if depth == 0:
        place = drawn.randrange(inputs)
        return lambda values: values[place]
    inner = random_function(drawn, depth - 1, inputs)
    if drawn.random() < 0.7:
        outer = drawn.choice(UNARY)
        return lambda values: outer(inner(values))
    other = random_function(drawn, drawn.randrange(depth), inputs)
    joined = drawn.choice(BINARY)
    return lambda values: joined(inner(values), other(values))


def random_number(drawn):
    if drawn.random() < 0.4:
        return drawn.uniform(-3.0, 3.0)
    return drawn.choice((-1.0, 1.0)) * 10.0 ** drawn.uniform(-12, 11)


@pytest.mark.parametrize("seed", range(4))
def test_no_composed_function_raises_a_false_alarm_at_any_magnitude(seed):
    checked = 0
    for case in range(int(20 * SHARE)):
        drawn = random.Random(f"{seed} {case}")
        point = [random_number(drawn) for _ in range(drawn.choice((1, 1, 2)))]
        f = random_function(drawn, drawn.randint(1, 3), len(point))
        try:
            finite = math.isfinite(f([Value(x) for x in point]).data)
        except (ValueError, ZeroDivisionError, OverflowError):
            continue
        if finite:
            check_gradients(f, point, order=drawn.choice((1, 2, 3)))
            checked += 1
    assert checked > 15 * SHARE


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (lambda x: 1.0 - ag.cos(x), (-4.35e-8,)),
        (lambda x: ag.log(ag.cosh(x)), (1e-8,)),
        (lambda x: (x + 1e6) - 1e6, (1.3e-8,)),
        (
            lambda x, y: (1.0 + x * x) ** (y / (1.0 + abs(y))),
            (-0.0009864062840296652, 0.00037506058883808526),
        ),
        (lambda x: ag.acosh(1.0 + x * x), (0.00021665998186040953,)),
        (lambda x: ag.log(ag.exp(x)) * ag.log(ag.exp(x)), (-3.5607934145935392e-09,)),
    ],
)
def test_rounding_of_intermediate_values_raises_no_false_alarm(f, point):
    check_gradients(f, *point, order=3)


@pytest.mark.parametrize("x", [0.7, 1e-3])
def test_beside_rounding_what_is_lost_is_found(x):
    """The tolerance is that of the rounding, no more."""
    for share in (1.0, 1e-3):
        lost = partial(lambda share, x: (x + 1e3) - 1e3 + share * x.data**2, share)
        with pytest.raises(AssertionError, match="turned a Value into a plain float"):
            check_gradients(lost, x, order=1)
