"""The table of primitives: higher derivatives, edges, operands. Accuracy: `test_accuracy.py`."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from measuring import FIXED, names_of
from mpmath import mp
from textbook import evaluate

from autograd_lite import Value, grad, linear
from autograd_lite.primitives import TABLE, Primitive

EVERY_PARTIAL = [(primitive, i) for primitive in FIXED for i in range(primitive.arity)]
EDGES = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1e308, -1e308]
EDGES += [1e-308, 0.5, -2.0, 3.0, 710.0, -745.0, 1e17]
FEW_EDGES = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e308, -5e-324]


def named(case):
    return case.name if isinstance(case, Primitive) else str(case)


# -- higher derivatives ----------------------------------------------------------------------------

ORDINARY = (
    -50.0,
    -10.3,
    -5.2,
    -2.1,
    -1.27,
    -0.9,
    -0.6,
    -0.1,
    0.0,
    0.3,
    0.7,
    1.3,
    4.2,
    30.0,
)
PAIRS = ((0.7, 1.3), (2.5, 0.4), (0.3, 0.2), (1.2, -2.3), (3.7, 3.1), (-0.6, 1.9), (-3.4, -0.8))
TRIPLES = ((0.3, -1.0, 2.0), (-1.5, -1.0, 2.0), (2.5, -1.0, 2.0))


def inside(primitive: Primitive, point) -> bool:
    limits = zip(point, primitive.domain, strict=True)
    return all(low < x < high for x, (low, high) in limits) and not (
        any(x in primitive.kinks for x in point)
    )


def ordinary_points(primitive: Primitive):
    candidates = {1: [(x,) for x in ORDINARY], 2: PAIRS, 3: TRIPLES}[primitive.arity]
    return [point for point in candidates if inside(primitive, point)]


@pytest.mark.parametrize(("primitive", "i"), EVERY_PARTIAL, ids=named)
def test_a_second_derivative_is_the_derivative_of_the_textbooks_first(primitive, i):
    compared = ordinary_points(primitive)
    assert len(compared) >= 3
    for point in compared:
        names = names_of(primitive, point)
        first = abs(primitive.partial(i, *point, primitive.evaluate(*point)))
        for j, name in enumerate(list(names)[: primitive.arity]):
            with mp.workprec(2600):
                exact = mp.diff(
                    lambda x, name=name, names=names: evaluate(
                        primitive.derivatives[i], **names | {name: x}
                    ),
                    names[name],
                    h=mp.mpf(2) ** -1200,
                )
            got = grad(grad(primitive, argnums=i), argnums=j)(*point)
            allowed = 1e-13 * max(abs(exact), first) + 1e-300
            assert abs(got - exact) <= allowed, (point, j, got, exact)


def test_the_third_derivative_of_tanh_at_0_is_minus_2():
    tanh = TABLE["tanh"]
    assert grad(grad(grad(tanh)))(0.0) == -2.0


@pytest.mark.parametrize("primitive", [p for p in FIXED if p.arity == 1], ids=named)
def test_a_third_derivative_is_the_second_derivative_of_the_textbooks_first(primitive):
    for point in ordinary_points(primitive)[1::2]:
        with mp.workprec(2600):
            exact = mp.diff(
                lambda x: evaluate(primitive.derivatives[0], x=x), point[0], 2, h=mp.mpf(2) ** -600
            )
        got = grad(grad(grad(primitive)))(*point)
        size = max(abs(exact), 1.0) if abs(point[0]) < 4.0 else abs(exact)
        assert abs(got - exact) <= 1e-12 * size + 1e-300, point


# -- edges -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("primitive", "i"), EVERY_PARTIAL, ids=named)
def test_a_nan_operand_gives_a_nan_and_so_do_the_partials_that_depend_on_it(primitive, i):
    point = [-0.75, -0.25, 0.5][: primitive.arity]
    point[i] = math.nan
    y = primitive.evaluate(*point)
    if (primitive.name, i) != ("copysign", 1):  # the sign bit of a NaN is a sign
        assert math.isnan(y)
    for k, text in enumerate(primitive.derivatives):
        if re.search(rf"\b{'x' if primitive.arity == 1 else 'abc'[i]}\b", text):
            assert math.isnan(primitive.partial(k, *point, y))


@pytest.mark.parametrize("name", ["abs", "sign", "relu", "leaky_relu", "elu", "clamp", "hardtanh"])
def test_a_kinked_function_hides_no_nan(name):
    primitive = TABLE[name]
    rest = (-1.0, 1.0)[: primitive.arity - 1]
    assert math.isnan(primitive.partial(0, math.nan, *rest, math.nan))


@pytest.mark.parametrize("name", ["floor", "ceil", "round"])
def test_a_flat_function_has_gradient_0_everywhere(name):
    for x in EDGES:
        assert TABLE[name].partial(0, x, TABLE[name].evaluate(x)) == 0.0


def bits(x: float) -> str:
    return x.hex()


@pytest.mark.parametrize("primitive", TABLE.values(), ids=lambda p: p.name)
def test_no_combination_of_edges_raises_or_turns_complex(primitive):
    arities = {"dot": (2,), "var": (2, 3)}.get(primitive.name, (1, 2, 3))
    for arity in arities if primitive.variadic else (primitive.arity,):
        for point in itertools.product(EDGES if arity < 3 else FEW_EDGES, repeat=arity):
            leaves = [Value(x) for x in point]
            plain = primitive(point) if primitive.variadic else primitive(*point)
            y = primitive(leaves) if primitive.variadic else primitive(*leaves)
            assert type(plain) is float
            assert bits(y.data) == bits(plain)
            assert all(type(partial) is float for partial in y.partials)
            y.backward(create_graph=True)
            gradient = [leaf.grad for leaf in leaves]
            for lifted, partial in zip(gradient, y.partials, strict=True):
                assert lifted.data == partial or (math.isnan(lifted.data) and math.isnan(partial))
                for leaf in leaves:
                    leaf.zero_grad()
                if lifted.requires_grad:
                    lifted.backward()


# -- operands --------------------------------------------------------------------------------------


@pytest.mark.parametrize("primitive", FIXED, ids=named)
def test_plain_numbers_give_floats_and_values_give_values(primitive):
    point = (0.5, 0.25, 0.75)[: primitive.arity]
    if primitive.name == "acosh":
        point = (1.5,)
    expected = primitive(*point)
    assert type(expected) is float
    for kind in (Fraction, np.float64, Value):
        got = primitive(*map(kind, point))
        assert type(got) is (Value if kind is Value else float)
        assert float(got) == expected
    with pytest.raises(TypeError, match=rf"expected {primitive.arity} operand"):
        primitive(*point, 1.0)
    with pytest.raises(TypeError, match="got str: 'one'"):
        primitive(*["one"] * primitive.arity)


@pytest.mark.parametrize(
    "one", [1, True, Fraction(1), np.float32(1.0), np.int64(1), np.bool_(True)]
)
def test_every_kind_of_real_number_is_accepted(one):
    assert TABLE["exp"](one) == math.e
    assert TABLE["hypot"](Value(0.0), one).data == 1.0


# -- the operators, stated a second time for speed -------------------------------------------------

OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_a_hand_written_operator_agrees_with_the_table_bit_for_bit(name):
    operator, primitive = OPERATORS[name], TABLE[name]
    for a, b in itertools.product([*EDGES, 0.1, math.pi], repeat=2):
        y = primitive.evaluate(a, b)
        partials = [primitive.partial(i, a, b, y) for i in (0, 1)]
        both, left, right = (
            operator(Value(a), Value(b)),
            operator(Value(a), b),
            operator(a, Value(b)),
        )
        assert {bits(both.data), bits(left.data), bits(right.data)} == {bits(y)}
        assert list(map(bits, both.partials)) == list(map(bits, partials))
        assert list(map(bits, left.partials + right.partials)) == list(map(bits, partials))
        assert both.op == left.op == right.op == name


def test_hand_written_negation_agrees_with_the_table_bit_for_bit():
    for x in EDGES:
        y = -Value(x)
        assert (bits(y.data), y.partials, y.op) == (bits(TABLE["neg"].evaluate(x)), (-1.0,), "neg")


@pytest.mark.parametrize(
    "inputs", [list, lambda xs: [Value(x) for x in xs]], ids=["floats", "Values"]
)
@pytest.mark.parametrize("bias", [None, 0.1, math.inf])
def test_linear_agrees_with_dot_bit_for_bit(inputs, bias):
    for a, b in itertools.product([*EDGES, 0.1, math.pi], repeat=2):
        x = inputs([a, b, 0.3])
        weights = [Value(w) for w in (b, 0.7, a)]
        start = [] if bias is None else [Value(bias)]
        (fast,) = linear(x, [weights], start or None)
        table = TABLE["dot"]([*weights, *x, *start])
        assert bits(fast.data) == bits(table.data)
        assert list(map(bits, fast.partials)) == list(map(bits, table.partials))
        assert fast.operands == table.operands
