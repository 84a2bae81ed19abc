"""Random expressions and points: what is drawn, what it shrinks to, what is refused."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from autograd_lite import Primitive, Value, grad, logsumexp, relu, sin
from autograd_lite.primitives import TABLE
from autograd_lite.testing import Program, expressions, points
from autograd_lite.testing.operations import resolved
from autograd_lite.testing.smoothness import bounded, branches, partials, smooth

CUBE = Primitive("cube", lambda x: x * x * x, [lambda x, y: 3.0 * x * x])
LOGIT = Primitive(
    "logit",
    lambda p: math.log(p / (1.0 - p)),
    [lambda p, y: 1.0 / (p * (1.0 - p))],
    domain=[(0.0, 1.0)],
)
HINGE = Primitive(
    "hinge",
    lambda x: max(1.0 - x, 0.0),
    [lambda x, y: -1.0 if x < 1.0 else 0.0],
    kinks=[1.0],
)


def all_drawn(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Return examples, the same in every run with the same modules.

    Hypothesis also tries numbers that it finds in the text of the modules that are loaded.
    """
    drawn = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(strategy)
    def collect(example: Any) -> None:
        drawn.append(example)

    collect()
    return drawn


# -- what expressions shrink to --------------------------------------------------------------------


def assigned_instead_of_added(program: Program) -> list[float]:
    """Return the gradients of an engine in which a node keeps its last contribution only."""
    count = len(program.inputs)
    nodes = program.run()
    grads = [0.0] * len(nodes)
    grads[-1] = 1.0
    for i in range(len(nodes) - 1, count - 1, -1):
        step = program.steps[i - count]
        slopes = partials(step.primitive, resolved(step, nodes[:i]))
        for operand, slope in zip(step.operands, slopes, strict=True):
            if isinstance(operand, int):
                grads[i - 1 - operand] = grads[i] * slope
    return grads[:count]


def is_wrong(program: Program) -> bool:
    inputs = [Value(x) for x in program.inputs]
    result = program(inputs)
    if not isinstance(result, Value) or not result.requires_grad:
        return False
    result.backward()
    pairs = zip(assigned_instead_of_added(program), inputs, strict=True)
    return any(abs(g - x.grad) > 1e-9 * (1.0 + abs(x.grad)) for g, x in pairs)


def shares_a_result(program: Program) -> bool:
    count = len(program.inputs)
    used = [
        count + i - 1 - x
        for i, step in enumerate(program.steps)
        for x in step.operands
        if isinstance(x, int)
    ]
    return any(used.count(node) > 1 for node in range(count, count + len(program.steps)))


def smallest(condition: Callable[[Program], bool]) -> Program:
    return find(
        expressions(),
        condition,
        settings=settings(derandomize=True, database=None, max_examples=2000),
    )


@pytest.mark.parametrize(
    ("also", "operations"),
    [
        (lambda program: True, 1),
        (shares_a_result, 2),
        (lambda program: any(step.name == "gelu_tanh" for step in program.steps), 2),
        (lambda program: shares_a_result(program) and len(program.inputs) > 1, 2),
    ],
    ids=["any", "shared result", "with another operation", "with two inputs"],
)
def test_a_bug_of_shared_nodes_is_found_and_shrunk(
    also: Callable[[Program], bool], operations: int
) -> None:
    program = smallest(lambda program: also(program) and is_wrong(program))
    assert len(program.steps) == operations
    assert set(program.inputs) == {0.0}
    assert not any(isinstance(x, float) for step in program.steps for x in step.operands)


def test_a_failure_is_reported_as_python() -> None:
    @settings(derandomize=True, database=None)
    @given(program=expressions(operations=["sin", "*"]))
    def fails(program: Program) -> None:
        assert not is_wrong(program)

    with pytest.raises(AssertionError) as caught:
        fails()
    (note,) = [text for text in caught.value.__notes__ if "program=" in text]
    lines = [line.strip() for line in note.splitlines()]
    assert lines[lines.index("program=") + 1 : -2] == [
        "from autograd_lite import Value",
        "x = Value(1.0)",
        "v1 = x * x",
        "v1.backward()",
    ]


# -- what expressions are --------------------------------------------------------------------------


def test_every_operation_is_drawn_and_nodes_are_shared() -> None:
    programs = all_drawn(expressions(), 2_000)  # the rarest operation, clamp, is in some 40 of them
    drawn = {step.name for program in programs for step in program.steps}
    assert drawn == set(TABLE)
    assert sum(map(shares_a_result, programs)) > 1_000
    constants = [x for p in programs for s in p.steps for x in s.operands if isinstance(x, float)]
    assert len(constants) > 1_250


def test_the_numbers_of_operations_and_inputs_are_as_asked() -> None:
    asked = expressions(min_operations=5, max_operations=8, min_inputs=2, max_inputs=3)
    programs = all_drawn(asked, 200)
    assert {len(program.steps) for program in programs} == {5, 6, 7, 8}
    assert {len(program.inputs) for program in programs} == {2, 3}
    (empty,) = {len(p.steps) for p in all_drawn(expressions(min_operations=0, max_operations=0), 5)}
    assert empty == 0


def test_large_programs_can_be_had() -> None:
    programs = all_drawn(expressions(min_operations=60, max_operations=60), 10)
    assert [len(program.steps) for program in programs] == [60] * len(programs)


def test_operations_are_names_functions_or_primitives_of_ones_own() -> None:
    programs = all_drawn(expressions(operations=["+", sin, logsumexp, CUBE, relu]), 200)
    names = {step.name for program in programs for step in program.steps}
    assert names == {"+", "sin", "logsumexp", "cube", "relu"}
    assert all(s.own is (CUBE if s.name == "cube" else None) for p in programs for s in p.steps)
    for program in programs[:50]:
        gradient = grad(program)(list(program.inputs))
        assert all(map(math.isfinite, gradient))


def test_smooth_expressions_keep_a_margin_and_a_limit() -> None:
    for program in all_drawn(expressions(max_operations=20, margin=0.2, limit=4.0), 100):
        nodes = program.run()
        for i, step in enumerate(program.steps, start=len(program.inputs)):
            operands = resolved(step, nodes[:i])
            assert smooth(step.primitive, operands, margin=0.2)
            assert bounded(step.primitive, operands, 4.0)
            assert abs(nodes[i]) < 4.0
        assert branches(program, program.inputs) is not None


def test_kinks_and_infinities_occur_on_request() -> None:
    asked = expressions(operations=["relu", "log", "-", "/"], smooth=False)
    programs = all_drawn(asked, 200)
    assert any(branches(program, program.inputs) is None for program in programs)
    assert any(math.isnan(x) for program in programs for x in program.run())
    assert any(math.isinf(x) for program in programs for x in program.run())


def test_numbers_come_from_the_strategy_that_is_given() -> None:
    wide = st.sampled_from([1e-8, 1e8])
    programs = all_drawn(expressions(operations=["+", "*"], numbers=wide, limit=1e30), 100)
    found = {x for p in programs for x in p.inputs}
    found |= {x for p in programs for s in p.steps for x in s.operands if isinstance(x, float)}
    assert found == {1e-8, 1e8}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"operations": []}, "operations is empty: there is nothing to draw"),
        (
            {"min_operations": 3, "max_operations": 2},
            "max_operations is at least min_operations = 3, got 2",
        ),
        ({"max_inputs": 0}, "max_inputs is at least min_inputs = 1, got 0"),
        ({"min_inputs": 0}, "min_inputs is at least 1, got 0"),
        ({"margin": -0.1}, "margin is zero or more, got -0.1"),
        ({"limit": 0}, "limit is positive, got 0"),
        (
            {"operations": [Primitive("sin", math.sin, [lambda x, y: math.cos(x)])]},
            "a primitive of your own needs a name that can be called in Python and that the table"
            " does not have, got 'sin'",
        ),
    ],
)
def test_a_bad_option_of_expressions_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        expressions(**options)
    assert str(caught.value) == message


def test_an_unknown_operation_is_named() -> None:
    with pytest.raises(ValueError, match=r"^the table of primitives has no 'sinn'; it has floor, "):
        expressions(operations=["sinn"])
    with pytest.raises(TypeError, match=r"^operations is a list of operations, got text: 'sin'$"):
        expressions(operations="sin")
    with pytest.raises(TypeError, match=r"^an operation is a primitive or its name, got builtin"):
        expressions(operations=[math.sin])  # type: ignore[list-item]


# -- points ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("extreme", [False, True], ids=["ordinary", "extreme"])
@pytest.mark.parametrize("name", TABLE)
def test_points_lie_where_value_and_partials_are_finite(name: str, extreme: bool) -> None:
    primitive = TABLE[name]
    drawn = all_drawn(points(name, extreme=extreme), 20)
    assert len(drawn) == 20
    for point in drawn:
        assert smooth(primitive, point, margin=0.0 if extreme else 0.05)
        assert math.isfinite(primitive.evaluate(*point))
        assert all(map(math.isfinite, partials(primitive, point)))


def test_extreme_points_have_all_magnitudes() -> None:
    sizes = [abs(x) for (x,) in all_drawn(points("atan", extreme=True), 100)]
    assert min(sizes) < 1e-200
    assert max(sizes) > 1e200
    near = [x for (x,) in all_drawn(points("acosh", extreme=True), 100)]
    assert 1.0 < min(near) < 1.0 + 1e-10
    assert all(0.05 < x < 8.0 for (x,) in all_drawn(points("log"), 100))


def test_kinks_and_ends_of_domains_are_drawn_on_request() -> None:
    assert [0.0] in all_drawn(points("relu", smooth=False), 100)
    assert [1.0] in all_drawn(points(HINGE, smooth=False), 100)
    ends = all_drawn(points("asin", smooth=False), 100)
    assert [1.0] in ends
    assert [-1.0] in ends
    assert all(-1.0 <= x <= 1.0 for (x,) in ends)


def test_a_primitive_of_ones_own_says_its_domain_and_kinks() -> None:
    assert all(0.05 < p < 0.95 for (p,) in all_drawn(points(LOGIT), 60))
    assert all(abs(x - 1.0) > 0.05 for (x,) in all_drawn(points(HINGE), 60))


def test_operations_on_many_operands_have_a_length() -> None:
    assert {len(x) for x in all_drawn(points("dot"), 100)} == {2, 4, 6}
    assert {len(x) for x in all_drawn(points(logsumexp, length=7), 20)} == {7}
    assert all(x[-1] > 0.0 for x in all_drawn(points("var"), 100))


def test_points_of_a_number_of_coordinates_or_of_intervals() -> None:
    assert {len(x) for x in all_drawn(points(3), 20)} == {3}
    intervals = [(0.0, math.inf), (-math.inf, -2.0), (0.25, 0.26)]
    for a, b, c in all_drawn(points(intervals), 60):
        assert a >= 0.05
        assert b <= -2.05
        assert 0.251 <= c <= 0.259
    for a, b, c in all_drawn(points(intervals, extreme=True), 60):
        assert a > 0.0
        assert b < -2.0
        assert 0.25 < c < 0.26


@pytest.mark.parametrize(
    ("given", "length", "message"),
    [
        (0, None, "points expected at least 1 coordinate, got 0"),
        ([(1.0, 1.0)], None, "points expected intervals with low < high, got (1.0, 1.0)"),
        ([], None, "points expected at least 1 coordinate, got an empty list"),
        ("dot", 3, "points of dot have an even length, got 3"),
        ("var", 2, "points of var have a length of at least 3, got 2"),
        ("sin", 2, "length is for operations on any number of operands; leave it out here"),
    ],
)
def test_a_bad_option_of_points_is_named(given: Any, length: int | None, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        points(given, length=length)
    assert str(caught.value) == message


def test_what_points_cannot_be_of_is_named() -> None:
    with pytest.raises(TypeError) as caught:
        points(1.5)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "points expected a primitive or its name, a number of coordinates, or a list of"
        " (low, high), got float: 1.5"
    )


# -- Hypothesis is optional ------------------------------------------------------------------------


def test_importing_the_testing_package_does_not_import_hypothesis() -> None:
    code = (
        "import sys; import autograd_lite.testing;"
        " print({'hypothesis', 'numpy', 'mpmath', 'matplotlib', 'pytest'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


@pytest.mark.parametrize("strategy", [expressions, lambda: points("sin")])
def test_a_missing_hypothesis_is_named(
    strategy: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ImportError) as caught:
        strategy()
    assert str(caught.value) == (
        "drawing expressions and points needs Hypothesis: pip install hypothesis"
    )
