"""Programs: what they compute, how they print, what they refuse, how other engines run them."""

from __future__ import annotations

import math
import random
import struct
import types

import micrograd.engine
import numpy as np
import pytest
from hypothesis import given, settings

import autograd_lite
from autograd_lite import Primitive, Value, grad
from autograd_lite.primitives import TABLE
from autograd_lite.testing import Program, expressions
from autograd_lite.testing.operations import Step, apply, resolved

CUBE = Primitive("cube", lambda x: x * x * x, [lambda x, y: 3.0 * x * x])


def bits(x: float) -> bytes:
    return b"nan" if math.isnan(x) else struct.pack("<d", x)


def outcome(inputs: list[Value], result: object) -> list[bytes]:
    """Return the bits of a value and its gradient; after `backward`, if there is one."""
    return [bits(float(result))] + [bits(x.grad) for x in inputs]  # type: ignore[arg-type]


def recorded(program: Program) -> list[bytes]:
    inputs = [Value(x) for x in program.inputs]
    result = program(inputs)
    if isinstance(result, Value) and result.requires_grad:
        result.backward()
    return outcome(inputs, result)


def printed(program: Program, **names: object) -> list[bytes]:
    """Run what a program prints."""
    exec(str(program), names)
    count = len(program.inputs)
    inputs = [names["x" if count == 1 else f"x{i + 1}"] for i in range(count)]
    last = inputs[-1] if not program.steps else names[f"v{len(program.steps)}"]
    return outcome(inputs, last)  # type: ignore[arg-type]


# -- what they compute -----------------------------------------------------------------------------


def test_operands_count_back_from_the_newest_node() -> None:
    program = Program([2.0, 5.0], [("-", (0, 1)), ("*", (0, 0)), ("-", (0, 3))])
    assert program() == (5.0 - 2.0) ** 2 - 2.0
    assert program.run([1.0, 3.0]) == [1.0, 3.0, 2.0, 4.0, 3.0]
    assert grad(program)([2.0, 5.0]) == [-7.0, 6.0]
    assert resolved(Step("-", (0, 2.5)), [7.0, 1.0]) == [1.0, 2.5]


def test_operators_are_used_as_a_user_writes_them() -> None:
    called = []

    class Watched(Value):
        __slots__ = ()

        def __add__(self, other: object) -> Value:
            called.append(other)
            return super().__add__(other)

    assert apply("+", [Watched(1.0), 2.0]).data == 3.0
    assert called == [2.0]


def test_floats_follow_ieee_where_python_raises() -> None:
    assert Program([0.0], [("/", (1.0, 0))])() == math.inf
    assert math.isnan(Program([-1.0], [("**", (0, 0.5))])())


def test_programs_are_equal_if_their_parts_are() -> None:
    one, same = (Program([1], [Step("sin", (0,))]) for _ in range(2))
    assert one == same == Program((1.0,), (("sin", (0,)),))
    assert len({one, same}) == 1
    assert one != Program([1.0], [("cos", (0,))])


# -- how they print --------------------------------------------------------------------------------


def test_a_listing_has_one_line_per_operation_in_the_usual_spelling() -> None:
    steps = [("sin", (0,)), ("*", (0, 1)), ("neg", (0,)), ("**", (0, 2.0)), ("dot", (0, 1, 2, 0.5))]
    assert str(Program([0.7], steps)) == (
        "from autograd_lite import Value, dot, sin\n"
        "x = Value(0.7)\n"
        "v1 = sin(x)\n"
        "v2 = v1 * x\n"
        "v3 = -v2\n"
        "v4 = v3 ** 2.0\n"
        "v5 = dot([v4, v3], [v2, 0.5])\n"
        "v5.backward()"
    )


def test_the_representation_makes_the_same_program_again() -> None:
    program = Program([0.5, -1.0], [("+", (0, 1)), Step("cube", (0,), CUBE)])
    assert eval(repr(program), {"Program": Program, "Step": Step, "cube": CUBE}) == program


@pytest.mark.parametrize("name", TABLE)
def test_the_listing_of_every_operation_gives_the_same_bits(name: str) -> None:
    """At ordinary points, beyond domains, at kinks and infinities, with constants in any place."""
    rng = random.Random(name)
    special = (0.0, -0.0, 1.0, -1.0, 1e200, 1e-200, math.inf, -math.inf, math.nan)
    for trial in range(60):
        arity = getattr(TABLE[name], "arity", 2 * rng.randint(1, 2) + (name == "var"))
        draw = (lambda: rng.choice(special)) if trial % 3 == 0 else lambda: rng.uniform(-2.0, 2.0)
        operands = tuple(draw() if rng.random() < 0.3 else rng.randint(0, 2) for _ in range(arity))
        program = Program([draw(), draw()], [("+", (0, 1)), (name, operands)])
        assert printed(program) == recorded(program), program


def test_unusual_operands_have_a_spelling_too() -> None:
    odd = Program([0.5, 2.0], [("dot", (0, 1, 0.25)), ("var", (0, 1, 2)), ("var", (0, 1, 0.1))])
    assert "dot_product([x2, x1, 0.25])" in str(odd)
    assert "variance([v1, x2, x1])" in str(odd)
    assert printed(odd) == recorded(odd)
    constant = Program([0.5], [("**", (-8.0, 0.5)), ("neg", (-2.0,)), ("/", (-1.0, 0.0))])
    assert 'v1 = float("nan")  # (-8.0) ** 0.5' in str(constant)
    assert "backward" not in str(constant)
    assert printed(constant) == recorded(constant)


@settings(max_examples=settings.default.max_examples // 2)
@given(expressions(max_operations=20))
def test_listings_give_the_same_bits(program: Program) -> None:
    assert printed(program) == recorded(program)


@settings(max_examples=settings.default.max_examples // 2)
@given(expressions(smooth=False))
def test_listings_give_the_same_bits_at_kinks_and_beyond_domains(program: Program) -> None:
    assert printed(program) == recorded(program)


def test_a_primitive_of_ones_own_is_named_in_the_listing() -> None:
    program = Program([2.0], [Step("cube", (0,), CUBE), ("+", (0, 1))])
    assert "# cube is a primitive of your own\n" in str(program)
    assert printed(program, cube=CUBE) == recorded(program)
    assert grad(program)([2.0]) == [13.0]


# -- what they refuse ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "steps", "message"),
    [
        ([], [], "a program needs at least one input, got none"),
        ([1.0], [("sinn", (0,))], "step 1 names 'sinn', which is not in the table of primitives"),
        ([1.0], [("sin", (0,)), ("+", (0,))], "step 2: + expected 2 operands, got 1"),
        ([1.0], [("total", ())], "step 1: total expected at least 1 operand, got 0"),
        (
            [1.0],
            [("sin", (1,))],
            "step 1 refers to the node 1 back from the newest, but has 1 node before it",
        ),
    ],
)
def test_a_program_that_cannot_run_is_refused(
    inputs: list[float], steps: list[tuple[str, tuple[int, ...]]], message: str
) -> None:
    with pytest.raises(ValueError, match="^" + message.replace("+", r"\+") + "$"):
        Program(inputs, steps)  # type: ignore[arg-type]


def test_operands_and_inputs_are_numbers() -> None:
    with pytest.raises(TypeError, match=r"^step 1: an operand is an int .* got str: 'x'$"):
        Program([1.0], [("sin", ("x",))])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"^expected a number for an input of a program, got str"):
        Program(["1"], [])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^the program expected 2 inputs, got 1$"):
        Program([1.0, 2.0], [])([1.0])


# -- other engines ---------------------------------------------------------------------------------


def test_another_engine_runs_a_program_with_its_operators_and_methods() -> None:
    steps = [("*", (0, 0)), ("-", (1.0, 0)), ("relu", (0,)), ("mean", (0, 3, 2.0)), ("/", (0, 1))]
    program = Program([0.5, -0.5], steps)
    theirs = [micrograd.engine.Value(x) for x in program.inputs]
    result = program(theirs)
    result.backward()
    assert result.data == program()
    assert [x.grad for x in theirs] == pytest.approx(grad(program)(list(program.inputs)), rel=1e-15)


@pytest.mark.parametrize("functions", [np, {"tanh": np.tanh, "atan2": np.arctan2}])
def test_functions_are_looked_up_by_name(functions: object) -> None:
    program = Program([0.5, 2.0], [("tanh", (0,)), ("*", (0, 2)), ("total", (0, 1, 2))])
    arrays = [np.array([0.5, 1.0]), np.array([2.0, 3.0])]
    found = program(arrays, functions=functions)  # type: ignore[arg-type]
    expected = [program([0.5, 2.0]), program([1.0, 3.0])]
    assert found.tolist() == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", ["total", "dot", "mean", "var", "prod", "max_of", "min_of"])
def test_operations_on_many_operands_are_written_out(name: str) -> None:
    functions = types.SimpleNamespace(maximum=np.maximum, minimum=np.minimum)
    operands = (0, 1, 2, 1.5, 0, 2.0) if name != "var" else (0, 1, 2, 1.5, 2.5)
    program = Program([0.5, -2.0, 1.25], [(name, operands)])
    arrays = [np.array([x]) for x in program.inputs]
    assert program(arrays, functions=functions)[0] == pytest.approx(program(), rel=1e-15)


@pytest.mark.parametrize("name", ["norm", "logsumexp"])
def test_norms_are_written_out_with_other_functions(name: str) -> None:
    program = Program([0.5, -2.0], [(name, (0, 1, 1.0))])
    arrays = [np.array([x]) for x in program.inputs]
    assert program(arrays, functions=np)[0] == pytest.approx(program(), rel=1e-15)


def test_a_constant_on_the_left_becomes_the_other_engines_value() -> None:
    class Number:
        def __init__(self, data: float) -> None:
            self.data = data

        def hypot(self, other: Number) -> Number:
            return Number(math.hypot(self.data, other.data))

    assert Program([4.0], [("hypot", (3.0, 0))])([Number(4.0)]).data == 5.0


def test_what_another_engine_lacks_is_named() -> None:
    program = Program([1.0], [("sin", (0,))])
    with pytest.raises(AttributeError) as caught:
        program([micrograd.engine.Value(1.0)])
    assert str(caught.value) == (
        "the program needs sin, but micrograd.engine.Value has no method sin():"
        " give functions={'sin': ...}, or leave sin out of the program"
    )


def test_every_name_that_listings_import_exists() -> None:
    for name, primitive in TABLE.items():
        count = getattr(primitive, "arity", 4)
        text = str(Program([0.5], [(name, (0,) * count)]))
        imported = text.splitlines()[0].removeprefix("from autograd_lite import ").split(", ")
        assert set(imported) <= set(autograd_lite.__all__)
