"""Engines held against the table: right ones pass, each wrong one is told by its first mistake."""

from __future__ import annotations

import math
from typing import Any

import micrograd.engine
import pytest
from hypothesis import find, given, settings

from autograd_lite import Value
from autograd_lite.testing import Program, assert_same_gradients, expressions

ARITHMETIC = ("+", "*", "-", "neg", "/", "relu", "total", "dot", "mean", "var", "prod")


class Engine:
    """An engine in which single mistakes can be planted by overriding a method."""

    def __init__(self, data: float, edges: tuple[tuple[Engine, float], ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.edges = edges

    def make(self, data: float, *edges: tuple[Any, float]) -> Engine:
        return type(self)(data, tuple((x, p) for x, p in edges if isinstance(x, Engine)))

    def __add__(self, other: Any) -> Engine:
        return self.make(self.data + number(other), (self, 1.0), (other, 1.0))

    def __mul__(self, other: Any) -> Engine:
        return self.make(self.data * number(other), (self, number(other)), (other, self.data))

    __radd__ = __add__
    __rmul__ = __mul__

    def tanh(self) -> Engine:
        return self.make(math.tanh(self.data), (self, math.cosh(self.data) ** -2.0))

    def __abs__(self) -> Engine:
        return self.make(abs(self.data), (self, math.copysign(1.0, self.data)))

    def order(self) -> list[Engine]:
        """Return all nodes below, operands before results."""
        order: list[Engine] = []

        def visit(node: Engine) -> None:
            if node not in order:
                for x, _ in node.edges:
                    visit(x)
                order.append(node)

        visit(self)
        return order

    def pass_on(self, operand: Engine, amount: float) -> None:
        operand.grad += amount

    def backward(self) -> None:
        self.grad = 1.0
        for node in reversed(self.order()):
            for x, partial in node.edges:
                self.pass_on(x, partial * node.grad)


def number(x: Any) -> float:
    return x.data if isinstance(x, Engine) else float(x)


class Assigning(Engine):
    def pass_on(self, operand: Engine, amount: float) -> None:
        operand.grad = amount


class WrongTanh(Engine):
    def tanh(self) -> Engine:
        right = super().tanh()
        return self.make(right.data, (self, right.edges[0][1] * (1.0 + 1e-13)))


class InaccurateTanh(Engine):
    def tanh(self) -> Engine:
        e = math.exp(2.0 * self.data)
        return self.make((e - 1.0) / (e + 1.0), *super().tanh().edges)


class InSinglePrecision(Engine):
    def __mul__(self, other: Any) -> Engine:
        import numpy as np

        product = float(np.float32(self.data * number(other)))
        return self.make(product, (self, number(other)), (other, self.data))


class MutatingAbs(Engine):
    def __abs__(self) -> Engine:
        self.data = abs(self.data)
        return self


class InOrderOfRecording(Engine):
    """No topological order: nodes are visited by depth first, and again when met again."""

    def order(self) -> list[Engine]:
        order, stack = [], [self]
        while stack:
            node = stack.pop()
            if node not in order:
                order.append(node)
                stack.extend(x for x, _ in node.edges)
        return order[::-1]


class WithoutGradientsInside(Engine):
    def backward(self) -> None:
        super().backward()
        for node in self.order():
            if node.edges:
                node.grad = None  # type: ignore[assignment]


@settings(max_examples=settings.default.max_examples // 2)
@given(expressions(max_operations=20))
def test_this_engine_is_right(program: Program) -> None:
    assert_same_gradients(program, Value, ulps=4.0)


@settings(max_examples=settings.default.max_examples // 2)
@given(expressions(operations=ARITHMETIC))
def test_micrograd_is_right_about_arithmetic(program: Program) -> None:
    assert_same_gradients(program, micrograd.engine.Value)


@settings(max_examples=settings.default.max_examples // 2)
@given(expressions(operations=["+", "*", "tanh", "abs"]))
def test_an_engine_without_mistakes_passes(program: Program) -> None:
    assert_same_gradients(program, Engine)


def smallest_failure(engine: type[Engine], **options: Any) -> str:
    """Return the report about the smallest program at which an engine is found to be wrong."""
    reports = {}

    def fails(program: Program) -> bool:
        try:
            assert_same_gradients(program, engine, **options)
        except AssertionError as error:
            reports[program] = str(error)
        return program in reports

    program = find(
        expressions(operations=["+", "*", "tanh", "abs"], max_operations=6),
        fails,
        settings=settings(derandomize=True, database=None, max_examples=500),
    )
    return reports[program]


def test_the_report_names_the_operation_and_shows_the_program() -> None:
    assert smallest_failure(Assigning) == (
        f"{__name__}.Assigning is wrong at the gradient of x = 0.0\n"
        "  expected 2.0\n"
        "  got      1.0\n"
        "  expected is the sum of 2 contributions:\n"
        "    1.0 through v1 = x + x\n"
        "    1.0 through v1 = x + x\n"
        "in the program\n"
        "  from autograd_lite import Value\n"
        "  x = Value(0.0)\n"
        "  v1 = x + x\n"
        "  v1.backward()"
    )


@pytest.mark.parametrize(
    ("engine", "ulps", "place"),
    [
        (WrongTanh, 16.0, "the gradient of x ="),
        (InaccurateTanh, 6.0, "= tanh("),
        (InSinglePrecision, 1e6, "v1 = x * x"),
        (MutatingAbs, 16.0, "x = -"),
        (InOrderOfRecording, 16.0, "the gradient of x ="),
    ],
)
def test_a_planted_mistake_is_found(engine: type[Engine], ulps: float, place: str) -> None:
    first, *others = smallest_failure(engine, ulps=ulps).splitlines()
    assert first.startswith(f"{__name__}.{engine.__name__} is wrong at ")
    assert place in first
    assert others[0].startswith("  expected ")
    assert len([line for line in others if line.startswith("  v")]) <= 5


def test_the_first_wrong_operation_is_named_although_the_result_is_wrong_too() -> None:
    steps = [("*", (0, 0)), ("tanh", (0,)), ("+", (0, 1)), ("*", (0, 0))]
    with pytest.raises(AssertionError) as caught:
        assert_same_gradients(Program([0.01], steps), InaccurateTanh)
    assert str(caught.value).startswith(f"{__name__}.InaccurateTanh is wrong at v2 = tanh(v1)\n")


def test_a_wrong_gradient_is_told_where_it_arises_not_where_it_arrives() -> None:
    steps = [("+", (0, 1.0)), ("tanh", (0,)), ("*", (0, 0.5)), ("+", (0, 0))]
    with pytest.raises(AssertionError) as caught:
        assert_same_gradients(Program([0.3], steps), WrongTanh)
    report = str(caught.value)
    assert f"{__name__}.WrongTanh is wrong at the gradient of v1 = x + 1.0\n" in report
    assert "expected is the sum of 1 contribution:\n" in report
    assert " through v2 = tanh(v1)\n" in report


def test_a_tolerance_accepts_what_is_merely_inaccurate() -> None:
    program = Program([1e-4], [("tanh", (0,))])
    assert_same_gradients(program, InaccurateTanh, ulps=1e6)
    with pytest.raises(AssertionError):
        assert_same_gradients(program, InaccurateTanh)


def test_programs_that_do_not_depend_on_an_input_compare_values_only() -> None:
    assert_same_gradients(Program([1.0], [("tanh", (0.5,))]), Engine)


def test_a_node_may_stand_for_several() -> None:
    """The sum of one number is that number's own node where sums are written out."""
    program = Program([2.0], [("total", (0,)), ("*", (0, 1)), ("prod", (0,))])
    assert_same_gradients(program, Engine)


def test_infinities_and_nan_must_be_the_same() -> None:
    overflow = Program([1e200], [("*", (0, 0))])
    assert_same_gradients(overflow, Engine)

    class Saturating(Engine):
        def __mul__(self, other: Any) -> Engine:
            return self.make(1.7e308, (self, number(other)), (other, self.data))

    with pytest.raises(AssertionError, match=r"expected inf\n  got      1\.7e\+308"):
        assert_same_gradients(overflow, Saturating)


def test_an_engine_without_gradients_inside_is_told_so() -> None:
    program = Program([0.5], [("tanh", (0,)), ("+", (0, 0))])
    with pytest.raises(TypeError, match="need a number as 'grad', of interior nodes too"):
        assert_same_gradients(program, WithoutGradientsInside)


def test_functions_of_the_engine_are_found_by_name() -> None:
    program = Program([0.5], [("sin", (0,))])

    def sine(x: Engine) -> Engine:
        return x.make(math.sin(x.data), (x, math.cos(x.data)))

    assert_same_gradients(program, Engine, functions={"sin": sine})
    with pytest.raises(AttributeError, match=r"has no method sin\(\)"):
        assert_same_gradients(program, Engine)
