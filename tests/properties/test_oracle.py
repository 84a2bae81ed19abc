"""The engine against exact arithmetic: every derivative is right to what rounding explains.

A thousand random programs in the test command, a hundred thousand in the nightly run, which says
``--hypothesis-profile=nightly``. Then the test of the tests: every planted bug is noticed.
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import nullcontext
from functools import cache

import pytest
from comparison import Expected, deviations
from mpmath import mp, mpf
from nightly import FIRST_SEED, NIGHTLY
from oracle import Oracle
from pinned import bits, expanded, textbook
from planted_bugs import BUGS
from rounding_model import InadmissibleError, size
from wide_programs import NAMES, draw_oracle, shrunk

from autograd_lite import Value, grad
from autograd_lite.testing import Program
from autograd_lite.testing.programs import Step

CHUNKS = 20
GRAPHS = 100_000 if NIGHTLY else 1_000


def wrong(oracle):
    return [deviation for deviation in deviations(Expected(oracle)) if deviation.wrong]


def complaint(oracle):
    """Return the shortest program that is still wrong, and what is wrong with it."""
    small = shrunk(oracle.program, oracle.direction, wrong)
    found = wrong(Oracle.of(small, oracle.direction)) or wrong(oracle)
    lines = [repr(small), f"along {oracle.direction}", *map(str, found[:3]), str(small)]
    return "\n".join(lines)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_derivative_is_exact_up_to_rounding(chunk):
    for seed in range(FIRST_SEED + chunk, FIRST_SEED + GRAPHS, CHUNKS):
        oracle = draw_oracle(seed)
        if wrong(oracle):
            pytest.fail(f"seed {seed}\n{complaint(oracle)}")


# -- the test of the tests -------------------------------------------------------------------------

FEW, MANY = 60, 300
RARE = {
    "tanh′ cancels in the tails",
    "sigmoid′ cancels in the tail",  # below -36, or it takes a tight tolerance
    "softplus is log(1 + exp(x))",
}
"""Bugs that show at few operands only, so that it takes more graphs to meet one."""


SUBTLE = ("sin", "exp", "log2", "erf", "log", "sqrt", "gelu", "norm")

drawn = cache(draw_oracle)


@cache
def expected(seed):
    return Expected(drawn(seed))


def noticed(seed, planted=nullcontext):
    """Tell whether a graph shows a bug; the graph itself is drawn without it."""
    wanted = expected(seed)
    with planted():
        return any(deviation.wrong for deviation in deviations(wanted))


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_noticed(bug):
    seeds = range(MANY if bug.name in RARE else FEW)
    first = next((seed for seed in seeds if noticed(seed, bug.planted)), None)
    assert first is not None
    assert not noticed(first)  # the bug is out again


def test_there_are_more_bugs_than_anybody_plants_by_accident():
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 50


def gradient(program):
    leaves = [Value(x) for x in program.inputs]
    program(leaves).backward()
    return [leaf.grad for leaf in leaves]


def test_nine_of_ten_gradients_that_a_gradcheck_would_pass_are_noticed():
    """PyTorch's passes what is off by less than 1e-5 + 1e-3 · |gradient|, and so do many tests."""
    right = {seed: gradient(drawn(seed).program) for seed in range(200)}
    passed = caught = 0
    for bug in BUGS:
        if not set(bug.affects) & set(SUBTLE):
            continue
        for seed, exact in right.items():
            with bug.planted():
                found = gradient(drawn(seed).program)
            off = [abs(x - y) for x, y in zip(found, exact, strict=True)]
            if all(d <= 1e-5 + 1e-3 * abs(y) for d, y in zip(off, exact, strict=True)):
                differs = any(d > 1e-11 * abs(y) for d, y in zip(off, exact, strict=True))
                passed += differs
                caught += differs and noticed(seed, bug.planted)
    assert passed >= 150
    assert caught >= 0.9 * passed


def test_a_wrong_program_is_shown_in_its_shortest_form():
    (bug,) = [bug for bug in BUGS if bug.affects == ("acos",)]
    oracle = next(x for x in map(drawn, range(MANY)) if len(x.steps) > 30 and spoilt(bug, x))
    with bug.planted():
        message = complaint(oracle)
    shown, direction, *found = message.splitlines()
    small = eval(shown)
    assert "acos" in {step.name for step in small.steps}
    assert len(small.steps) <= 3
    assert direction == f"along {oracle.direction}"
    assert found[0].startswith("backward[")
    assert not wrong(Oracle.of(small, oracle.direction))


def spoilt(bug, oracle):
    with bug.planted():
        return bool(wrong(oracle))


# -- what the oracle says, against hand-checked figures --------------------------------------------


def derivatives(program, direction=None):
    """Return the oracle's gradient and its tolerance, and the Hessian times the direction."""
    oracle = Oracle.of(program, [1.0] * len(program.inputs) if direction is None else direction)
    adjoints = oracle.adjoints()[: len(program.inputs)]
    return [x.exact for x in adjoints], [x.error for x in adjoints], [x.rate for x in adjoints]


def program(inputs, *steps):
    return Program(inputs, [Step(name, tuple(operands)) for name, *operands in steps])


def test_gradient_and_second_derivative_to_thirty_digits():
    (g,), _, (h,) = derivatives(program([0.5], ("sin", 0), ("*", 0, 1)))  # x sin x
    with mp.workprec(320):
        x = mpf(0.5)
        assert abs(g - (mp.sin(x) + x * mp.cos(x))) < mpf(10) ** -90
        assert abs(h - (2 * mp.cos(x) - x * mp.sin(x))) < mpf(10) ** -30


def test_a_mixed_second_derivative():
    _, _, found = derivatives(program([2.0, 3.0], ("**", 1, 0)), [0.0, 1.0])  # a**b along b
    with mp.workprec(320):
        a, b = mpf(2), mpf(3)
        exact = [a ** (b - 1) * (1 + b * mp.log(a)), a**b * mp.log(a) ** 2]
        assert all(abs(x - y) < mpf(10) ** -30 for x, y in zip(found, exact, strict=True))


TINY = ("+", 0, 1e-17)  # to 1.0: nothing for floats


@pytest.mark.parametrize(
    ("x", "steps", "slope"),
    [
        (1.0, [TINY, ("-", 0, 1.0), ("relu", 0)], 0.0),  # at 0.0 in floats, exactly at 1e-17
        (1.0, [TINY, ("-", 0, 1.0), ("abs", 0)], 0.0),
        (1.0, [TINY, ("-", 0, 1.0), ("leaky_relu", 0, 0.25)], 0.25),
        (1.0, [TINY, ("maximum", 0, 1.0)], 0.5),
        (1.0, [TINY, ("max_of", 0, 1.0, 1.0)], 1.0 / 3.0),
        (1.0, [("-", 0, 1e-17), ("%", 0, 1.0), ("*", 0, 2)], 1.0),  # 0.0, not almost 1
        (49.0, [("/", 1.0, 0), ("*", 0, 1), ("floor", 0), ("*", 0, 3)], 0.0),  # 49 (1/49) < 1
    ],
)
def test_branches_are_those_of_the_float_run(x, steps, slope):
    at_an_edge = program([x], *steps)
    (exact,), _, _ = derivatives(at_an_edge)
    assert float(exact) == slope
    assert not wrong(Oracle.of(at_an_edge, [1.0]))


def test_a_well_conditioned_gradient_must_be_right_to_fourteen_digits():
    (exact,), (tolerance,), _ = derivatives(program([0.7], ("sin", 0), ("exp", 0), ("*", 0, 2)))
    assert tolerance < 1e-14 * size(exact)


def test_the_tolerance_grows_with_what_cancels():
    """(x + 10⁸) - 10⁸ loses eight digits, and 1/x, the derivative of its logarithm, with it."""
    cancelling = program([0.7], ("+", 0, 1e8), ("-", 0, 1e8), ("log", 0))
    (exact,), (tolerance,), _ = derivatives(cancelling)
    off = abs(grad(cancelling)([0.7])[0] - 1.0 / 0.7)
    assert float(exact) == pytest.approx(1.0 / 0.7)
    assert 1e-9 < off < tolerance < 1e-7


@pytest.mark.parametrize(
    ("x", "step"),
    [
        (-1.0, ("log", 0)),
        (1e5, ("exp", 0)),
        (0.0, ("cbrt", 0)),
        (0.0, ("hypot", 0, 0)),
        (1e-8, ("**", 0, 3.0)),
        (2.0, ("acos", 0)),
        (-2.0, ("**", 0, 0.5)),
        (1.0, ("copysign", 0, -0.0)),
        (0.0, ("xlogy", 0, 0.0)),
    ],
)
def test_steps_out_of_domain_or_range_are_refused(x, step):
    oracle = Oracle([x], [1.0])
    with pytest.raises(InadmissibleError):
        oracle.add(Step(step[0], step[1:]))
    assert (oracle.steps, len(oracle.nodes)) == ([], 1)


def test_a_length_that_is_mostly_error_is_refused():
    """√(x² + 0²) is |x|, whose slope would be a guess where the sign of x is one."""
    cancelled = program([1e-5], ("+", 0, 1e11), ("-", 0, 1e11))
    oracle = Oracle.of(cancelled, [1.0])
    with pytest.raises(InadmissibleError, match="the origin is within the error"):
        oracle.add(Step("hypot", (0, 0.0)))


def test_an_operand_that_is_0_in_floats_only_is_not_divided_by():
    oracle = Oracle.of(program([-1e6], ("sigmoid", 0)), [1.0])  # exactly about 10⁻⁴³⁴²⁹⁴
    with pytest.raises(InadmissibleError, match="a partial is out of range"):
        oracle.add(Step("atan2", (0, 0)))


@pytest.mark.parametrize(
    ("large", "name", "complaint"),
    [(1e13, "sin", "mostly error"), (1e11, "log", "not linear within its error")],
)
def test_a_step_at_an_operand_that_is_mostly_error_is_refused(large, name, complaint):
    oracle = Oracle.of(program([1e-5], ("+", 0, large), ("-", 0, large), ("+", 0, 1e-5)), [1.0])
    with pytest.raises(InadmissibleError, match=complaint):
        oracle.add(Step(name, (0,)))


@pytest.mark.parametrize(
    ("text", "n", "written_out"),
    [
        ("x[0] + x[1] + …", 3, "x[0] + x[1] + x[2]"),
        ("x[0] * y[0] + x[1] * y[1] + …", 1, "x[0] * y[0]"),
        ("x[i] / (x[0]**2 + x[1]**2 + …)**0.5", 2, "x[i] / (x[0]**2 + x[1]**2)**0.5"),
        ("max(x[0], x[1], …)", 2, "max(x[0], x[1])"),
        ("exp(x[i]) / (exp(x[0]) + exp(x[1]) + …)", 1, "exp(x[i]) / (exp(x[0]))"),
    ],
)
def test_dots_are_written_out(text, n, written_out):
    assert expanded(text, n) == written_out


@pytest.mark.parametrize("x", [30.0, -50.0, -300.0])
def test_the_precision_is_enough_for_textbook_formulas_that_cancel(x):
    with mp.workprec(bits("tanh", [x])):
        cancelling = textbook("tanh", 1).partial(0, [mpf(x)], [x])
        assert abs(cancelling * mp.cosh(mpf(x)) ** 2 - 1) < mpf(10) ** -40


# -- what is drawn ---------------------------------------------------------------------------------


def test_the_programs_are_wide_and_tell_something():
    oracles = [drawn(seed) for seed in range(200)]
    told, lengths, inputs = Counter(), [], []
    telling = 0
    for oracle in oracles:
        adjoints = oracle.adjoints()
        n = len(oracle.inputs)
        known = [x.exact != 0 and x.error < 1e-6 * size(x.exact) for x in adjoints]
        telling += any(known[:n])
        told.update(step.name for step, k in zip(oracle.steps, known[n:], strict=True) if k)
        lengths.append(len(oracle.steps))
        inputs += [abs(x) for x in oracle.inputs]
    assert telling >= 0.9 * len(oracles)
    assert min(told[name] for name in NAMES) >= 5
    assert (min(lengths), max(lengths)) == (1, 60)
    assert (round(math.log10(min(inputs))), round(math.log10(max(inputs)))) == (-8, 8)


def test_operands_repeat_and_nodes_fan_out():
    repeated = fanned = constants = 0
    for oracle in map(drawn, range(100)):
        nodes = oracle.program.run([Value(x) for x in oracle.inputs])
        uses = Counter(x for node in nodes for x in set(node.operands))
        repeated += any(len(set(node.operands)) < len(node.operands) for node in nodes)
        fanned += any(count > 1 for count in uses.values())
        constants += any(isinstance(x, float) for step in oracle.steps for x in step.operands)
    assert min(repeated, fanned, constants) >= 50
