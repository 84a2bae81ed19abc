"""Recorded graphs as expressions of SymPy, and the table's derivatives held against SymPy's."""

from __future__ import annotations

import ast
import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings

from autograd_lite import (
    Primitive,
    Value,
    dot,
    graph,
    logsumexp,
    mean,
    relu,
    sin,
    steps,
    to_sympy,
    total,
)
from autograd_lite.formulas import derivative_of, operands_by_name
from autograd_lite.primitives import TABLE
from autograd_lite.sympy_formulas import applied, evaluated
from autograd_lite.testing import expressions

sympy = pytest.importorskip("sympy", reason="SymPy is not installed")

x_, y_ = sympy.symbols("x y", real=True)


# -- conversion ----------------------------------------------------------------------------------


def test_the_lectures_f_is_its_formula() -> None:
    x = Value(2.0, label="x")
    a = x**2
    f = (a + sin(a)) * a
    found = to_sympy(f)
    assert found == (x_**2 + sympy.sin(x_**2)) * x_**2
    assert found.diff(x_).evalf(30, subs={x_: 2}) == pytest.approx(18.514492084950497, rel=1e-15)


def test_leaves_are_symbols_by_their_names_and_operations_are_not() -> None:
    w, b = Value(2.0), Value(1.0)
    y = w * b + b
    y.label = "loss"
    assert {str(s) for s in to_sympy(y, names={"w": [w], "b": b}).free_symbols} == {"w[0]", "b"}


def test_constants_are_exact_numbers_where_they_can_be() -> None:
    x = Value(2.0, label="x")
    assert to_sympy(x * 0.5 + 3) == x_ / 2 + 3
    assert to_sympy(x * 0.1) == sympy.Float(0.1) * x_
    assert to_sympy(x * Value(0.25, requires_grad=False)) == x_ / 4
    k = Value(0.25, requires_grad=False, label="k")
    assert to_sympy(x * k) == x_ * sympy.Symbol("k", real=True)
    assert to_sympy(x * math.inf) == x_ * sympy.oo


def test_many_operands() -> None:
    x, y = Value(1.0, label="x"), Value(2.0, label="y")
    assert to_sympy(total([x, y, x])) == 2 * x_ + y_
    assert to_sympy(mean([x, y])) == (x_ + y_) / 2
    assert to_sympy(dot([x, y], [y, 3.0])) == x_ * y_ + 3 * y_
    assert to_sympy(logsumexp([x, y])) == sympy.log(sympy.exp(x_) + sympy.exp(y_))


def test_a_neuron_with_a_bias() -> None:
    import nn

    (y,) = nn.Linear(2, 1, seed=0)([Value(1.0, label="x"), Value(2.0, label="y")])
    found = to_sympy(y)
    assert len(found.args) == 3
    assert found.coeff(x_) != 0


def test_what_sympy_cannot_express_is_an_undefined_function() -> None:
    nameless = Primitive("bump", lambda x: x, [lambda x, y: 1.0])
    assert to_sympy(nameless(Value(2.0, label="x"))) == sympy.Function("bump")(x_)


def test_a_deep_chain_is_converted_without_recursion() -> None:
    y = Value(2.0, label="x")
    for _ in range(3000):
        y = relu(y) + 1.0
    found = to_sympy(y)
    assert isinstance(found, sympy.Add)


def test_a_number_is_no_graph() -> None:
    with pytest.raises(TypeError, match=r"a graph needs a Value .*, got float: 2\.0"):
        to_sympy(2.0)


# -- derivatives ---------------------------------------------------------------------------------

# SymPy has no derivative for steps, and none that is right for what is made of them.
STEPS = {"floor", "ceil", "round", "%", "fmod", "sign"}


def points(primitive, how_many):
    draw = random.Random(primitive.name)
    found = []
    while len(found) < how_many:
        domain = [(-2.0, 2.0)] * 4 if primitive.variadic else primitive.domain
        point = tuple(
            draw.uniform(max(low, -3.0) if low > -math.inf else -3.0, min(high, 3.0))
            for low, high in domain
        )
        if primitive.variadic or primitive.arity < 3 or point[1] <= point[2]:
            found.append(point)
    return found


def symbols_of(primitive):
    count = 4 if primitive.variadic else primitive.arity
    return sympy.symbols(f"x:{count}", real=True)


def engine_partials(primitive, point):
    result = primitive.evaluate(*point)
    if primitive.variadic:
        return primitive.evaluate_partials(point, result)
    return [primitive.partial(i, *point, result) for i in range(primitive.arity)]


@pytest.mark.parametrize("name", [name for name in TABLE if name not in STEPS])
def test_the_engines_partials_are_sympys_derivatives(name) -> None:
    primitive = TABLE[name]
    symbols = symbols_of(primitive)
    function = applied(primitive, symbols)
    derivatives = [function.diff(symbol) for symbol in symbols]
    for point in points(primitive, 5):
        values = {s: sympy.Float(x, 40) for s, x in zip(symbols, point, strict=True)}
        assert primitive.evaluate(*point) == pytest.approx(
            float(function.evalf(30, subs=values)), rel=1e-13
        )
        for got, derivative in zip(engine_partials(primitive, point), derivatives, strict=True):
            exact = derivative.subs(values).doit().evalf(30)
            assert got == pytest.approx(float(exact), rel=1e-13, abs=1e-300), (point, derivative)


@pytest.mark.parametrize("name", sorted(STEPS))
def test_of_the_steps_sympy_gives_no_number(name) -> None:
    primitive = TABLE[name]
    symbols = symbols_of(primitive)
    derivative = applied(primitive, symbols).diff(symbols[-1])
    values = dict(zip(symbols, points(primitive, 1)[0], strict=True))
    assert not derivative.subs(values).doit().is_Float


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name].variadic])
def test_the_textbook_derivatives_of_n_ary_primitives_are_the_engines(name) -> None:
    primitive = TABLE[name]
    symbols = symbols_of(primitive)
    for point in points(primitive, 5):
        values = dict(zip(symbols, point, strict=True))
        for position, got in enumerate(engine_partials(primitive, point)):
            formula, index = derivative_of(primitive, position, len(point))
            bound = operands_by_name(primitive, symbols, applied(primitive, symbols))
            stated = evaluated(formula, bound, index)
            assert got == pytest.approx(float(stated.subs(values)), rel=1e-13)


def test_the_start_of_a_dot_counts_once() -> None:
    formula, _ = derivative_of(TABLE["dot"], 4, 5)
    assert evaluated(formula, operands_by_name(TABLE["dot"], (x_,) * 5, None)) == 1


def test_a_whole_gradient_is_sympys() -> None:
    x, y = Value(0.7, label="x"), Value(-1.3, label="y")
    z = sin(x * y) / (1.0 + x**2) - (y * x.exp()).tanh()
    z.backward()
    expression = to_sympy(z)
    at = {x_: sympy.Float(0.7, 40), y_: sympy.Float(-1.3, 40)}
    assert x.grad == pytest.approx(float(expression.diff(x_).subs(at)), rel=1e-14)
    assert y.grad == pytest.approx(float(expression.diff(y_).subs(at)), rel=1e-14)


def exact_floats(expression):
    """Return an expression with every float as the binary fraction that it is."""
    floats = expression.atoms(sympy.Float)
    return expression.xreplace({x: sympy.Rational(*float(x).as_integer_ratio()) for x in floats})


# Every partial is below 4, and six operations are at most in a row: rounding grows by at most 4⁶,
# which leaves 1e-11 of 1e-16 a factor of twenty for the number of paths and of roundings.
@settings(max_examples=150)
@given(
    expressions(
        operations=[name for name in TABLE if name not in STEPS],
        min_operations=2,
        max_operations=6,
        max_inputs=2,
        limit=4.0,
    )
)
def test_gradients_of_random_programs_are_sympys(program) -> None:
    leaves = [Value(x, label=f"x{i}") for i, x in enumerate(program.inputs)]
    result = program(leaves)
    if not isinstance(result, Value):
        return
    result.backward()
    expression = exact_floats(to_sympy(result))
    symbols = [sympy.Symbol(leaf.label, real=True) for leaf in leaves]
    at = {s: sympy.Float(x, 40) for s, x in zip(symbols, program.inputs, strict=True)}
    assert result.data == pytest.approx(float(expression.evalf(30, subs=at)), rel=1e-11, abs=1e-11)
    for leaf, symbol in zip(leaves, symbols, strict=True):
        exact = float(expression.diff(symbol).subs(at).doit().evalf(30))
        assert leaf.grad == pytest.approx(exact, rel=1e-11, abs=1e-11), symbol


# -- automatic differentiation is not symbolic differentiation (lectures row 1.3) ------------------


def operations(root: Value) -> int:
    return sum(node.op != "" for node in graph(root))


def logistic(times: int) -> Value:
    y = Value(0.3, label="l")
    for _ in range(times):
        y = 4.0 * y * (1.0 - y)
    return y


def naive_product_rule(root: Value) -> str:
    """Write (uv)′ = u′v + uv′ out for a graph of 4·u, 1 - u and u·v, every expression in full."""
    text: dict[Value, tuple[str, str]] = {}
    for node in graph(root):
        value = node.value
        below = [text[v] for v in value.operands]
        if not below:
            text[value] = "l", "1"
        elif len(below) == 2:
            (u, du), (v, dv) = below
            text[value] = f"({u})*({v})", f"({du})*({v}) + ({u})*({dv})"
        else:
            ((u, du),) = below
            product = node.op == "*"
            text[value] = (f"4*({u})", f"4*({du})") if product else (f"1-({u})", f"-({du})")
    return text[root][1]


def operators(text: str) -> int:
    return sum(isinstance(node, ast.BinOp | ast.UnaryOp) for node in ast.walk(ast.parse(text)))


def test_the_recorded_operations_grow_linearly_where_a_symbolic_derivative_blows_up() -> None:
    x = Value(2.0, label="x")
    a = x**2
    f = (a + sin(a)) * a
    assert operations(f) == 4
    assert len(steps(f)) == 6
    assert sympy.count_ops(to_sympy(f).diff(x_)) == 15  # the lecture's printed form has one more

    assert [operations(logistic(n)) for n in (1, 2, 10, 100)] == [3, 6, 30, 300]
    assert operators(naive_product_rule(logistic(10))) == 31_743
    assert [len(steps(logistic(n))) for n in (1, 10)] == [4, 40]
    symbolic = [sympy.count_ops(to_sympy(logistic(n)).diff()) for n in range(1, 6)]
    assert all(later > 2 * earlier for earlier, later in pairwise(symbolic))


@pytest.mark.parametrize("times", [1, 2, 10])
def test_the_naive_expression_is_the_derivative_that_the_engine_has(times) -> None:
    y = logistic(times)
    y.backward()
    (leaf,) = (node.value for node in graph(y) if not node.op)
    exact = eval(naive_product_rule(y), {"l": sympy.Float(0.3, 40)})
    assert leaf.grad == pytest.approx(float(exact), rel=1e-11)


def test_both_ways_give_the_same_derivative() -> None:
    y = logistic(5)
    y.backward()
    (leaf,) = (node.value for node in graph(y) if not node.op)
    (symbol,) = to_sympy(y).free_symbols
    exact = to_sympy(y).diff(symbol).subs({symbol: sympy.Float(0.3, 40)})
    assert leaf.grad == pytest.approx(float(exact), rel=1e-13)
