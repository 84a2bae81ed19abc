"""Properties of random expression graphs: reverse, forward and finite differences agree."""

import math
import random
import sys
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from autograd_lite import Value, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from autograd_lite.primitives import TABLE
from autograd_lite.testing import Program, expressions
from autograd_lite.testing.smoothness import bounded, branches, smooth

EPSILON = sys.float_info.epsilon
STEPS = 12


def checked(share):
    """Run a share of the examples that the profile asks for."""
    return settings(
        max_examples=int(share * settings.default.max_examples),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


directions = st.lists(st.floats(-1.0, 1.0).map(lambda x: round(x, 3)), min_size=4, max_size=4)


def order_below(root):
    """Return the nodes below, operands before results."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((x, False) for x in node.operands)
    return order


def conditioning(program, inputs):
    """Return Σ |path products| for each input, and Σ over nodes of that times |value|.

    The first bounds what rounding does to a derivative, the second what it does to the value.
    """
    leaves = [Value(x) for x in inputs]
    root = program(leaves)
    weights = dict.fromkeys(leaves, 0.0)
    if not isinstance(root, Value):
        return [0.0] * len(leaves), abs(root)
    order = order_below(root)
    weights |= dict.fromkeys(order, 0.0)
    weights[root] = 1.0
    for node in reversed(order):
        for operand, partial in zip(node.operands, node.partials, strict=True):
            weights[operand] += weights[node] * abs(partial)
    return [weights[x] for x in leaves], sum(weights[n] * abs(n.data) for n in order)


def extrapolated(g, h):
    """Return g′(0) by central differences, twice extrapolated, with an estimate of the error."""
    first = [(g(s) - g(-s)) / (2.0 * s) for s in (h, h / 2.0, h / 4.0)]
    second = [b + (b - a) / 3.0 for a, b in pairwise(first)]
    third = second[1] + (second[1] - second[0]) / 15.0
    return third, abs(third - second[1])


def step_size(program, direction):
    """Return a step within which no branch changes, as far as sampling tells."""

    def moved(t):
        return [x + t * d for x, d in zip(program.inputs, direction, strict=True)]

    here = branches(program, program.inputs)
    h = 0.01
    for _ in range(8):
        sampled = (-h, -h / 2.0, -h / 4.0, h / 4.0, h / 2.0, h)
        if all(branches(program, moved(t)) == here for t in sampled):
            return h, moved
        h /= 4.0
    return None, moved


@checked(4)
@given(expressions(max_operations=STEPS), directions)
def test_the_gradient_agrees_with_finite_differences(program, direction):
    direction = direction[: len(program.inputs)]
    h, moved = step_size(program, direction)
    assume(h is not None)
    places = [conditioning(program, moved(t)) for t in (-h, 0.0, h)]
    paths = max(sum(paths) for paths, _ in places)
    noise = max(noise for _, noise in places)
    found = sum(g * d for g, d in zip(grad(program)(list(program.inputs)), direction, strict=True))
    for _ in range(4):
        estimate, error = extrapolated(lambda t: program(moved(t)), h)
        rounding = 16.0 * EPSILON * (noise + paths) / h
        if error <= 1e-7 * (1.0 + paths):
            break
        h /= 4.0
    assume(error <= 1e-4 * (1.0 + paths))
    assert abs(found - estimate) <= 10.0 * error + rounding


@checked(4)
@given(expressions(max_operations=STEPS), directions)
def test_forward_and_reverse_agree(program, direction):
    direction = direction[: len(program.inputs)]
    inputs = list(program.inputs)
    value, tangent = jvp(program, (inputs,), (direction,))
    same, gradient = value_and_grad(program)(inputs)
    assert value == same == program(inputs)
    along = sum(g * d for g, d in zip(gradient, direction, strict=True))
    paths, _ = conditioning(program, inputs)
    scale = sum(p * abs(d) for p, d in zip(paths, direction, strict=True))
    assert abs(along - tangent) <= 8.0 * STEPS * EPSILON * scale
    _, pull_back = vjp(program, inputs)
    assert pull_back(1.0) == (gradient,)
    assert jacobian(program)(inputs) == gradient


@checked(2)
@given(expressions(max_operations=STEPS))
def test_gradients_as_values_have_the_same_bits(program):
    leaves, twins = ([Value(x) for x in program.inputs] for _ in range(2))
    y, z = program(leaves), program(twins)
    assume(isinstance(y, Value) and y.requires_grad)
    y.backward()
    z.backward(create_graph=True)
    assert [x.grad for x in leaves] == [float(x.grad) for x in twins]


@checked(1.5)
@given(expressions(max_operations=6), directions)
def test_second_derivatives_agree_with_differences_of_first(program, direction):
    direction = direction[: len(program.inputs)]
    h, moved = step_size(program, direction)
    assume(h is not None)
    inputs = list(program.inputs)
    product = hvp(program, (inputs,), (direction,))
    matrix = hessian(program)(inputs)
    paths = max(sum(conditioning(program, moved(t))[0]) for t in (-h, 0.0, h))
    for i, row in enumerate(matrix):
        assert row == [other[i] for other in matrix]
        terms = [m * d for m, d in zip(row, direction, strict=True)]
        spread = 1.0 + sum(map(abs, terms)) + paths * 20.0**2
        assert abs(sum(terms) - product[i]) <= 1e3 * EPSILON * spread
        along, size = product[i], h
        for _ in range(4):
            estimate, error = extrapolated(lambda t, i=i: grad(program)(moved(t))[i], size)
            if error <= 1e-7 * (1.0 + abs(estimate)):
                break
            size /= 4.0
        rounding = 1e3 * EPSILON * (paths + abs(along)) / size
        if error <= 1e-3 * (1.0 + abs(estimate)):
            assert abs(along - estimate) <= 10.0 * error + rounding


@pytest.mark.parametrize("name", TABLE)
def test_every_operation_of_the_table_is_smooth_somewhere(name):
    rng = random.Random(0)
    primitive = TABLE[name]
    count = getattr(primitive, "arity", 4)
    drawn = [[rng.uniform(-3.0, 3.0) for _ in range(count)] for _ in range(200)]
    assert sum(smooth(primitive, x) and bounded(primitive, x, 20.0) for x in drawn) >= 10


def test_a_wrong_partial_is_caught():
    program = Program([0.7], [("sin", (0,)), ("*", (0, 1))])
    h, moved = step_size(program, [1.0])
    estimate, error = extrapolated(lambda t: program(moved(t)), h)
    right = math.sin(0.7) + 0.7 * math.cos(0.7)
    assert abs(right - estimate) <= 10.0 * error + 1e-12
    assert not abs(right * (1.0 + 1e-6) - estimate) <= 10.0 * error + 1e-12


def test_a_branch_change_within_the_step_is_noticed():
    program = Program([0.0603], [("relu", (0,))])
    h, _ = step_size(program, [1.0])
    assert h == pytest.approx(0.01)
    h, _ = step_size(Program([0.003], [("relu", (0,))]), [1.0])
    assert h == pytest.approx(0.01 / 4.0)
