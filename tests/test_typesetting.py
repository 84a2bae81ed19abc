"""Expressions and derivations in LaTeX."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import (
    Primitive,
    Value,
    Variadic,
    clamp,
    dot,
    exp,
    latex,
    max_of,
    no_grad,
    relu,
    sin,
    total,
)
from autograd_lite.formulas import formula_of
from autograd_lite.primitives import TABLE
from autograd_lite.tex import number, symbol


def lecture():
    x = Value(2.0)
    a = x**2
    b = sin(a)
    c = a + b
    f = c * a
    return f, {"x": x, "a": a, "b": b, "c": c, "f": f}


def aligned(*lines: str) -> str:
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


def expression(y: Value) -> str:
    """Return the expression's one line, without the name of the result."""
    lines = latex(y).expression.splitlines()
    assert len(lines) == 3, lines
    return lines[1].split("&", 1)[1]


def d(of: str, by: str) -> str:
    return rf"\frac{{\mathrm{{d}}{of}}}{{\mathrm{{d}}{by}}}"


def partial(of: str, by: str) -> str:
    return rf"\frac{{\partial {of}}}{{\partial {by}}}"


# -- the lecture's f -----------------------------------------------------------------------------


def test_the_expression_has_a_line_for_each_name() -> None:
    f, names = lecture()
    assert latex(f, names=names).expression == aligned(
        "a &= x^{2}", r"b &= \sin(a)", "c &= a + b", r"f &= c \cdot a"
    )


def test_without_names_the_expression_is_one_formula() -> None:
    x = Value(2.0, label="x")
    y = (x**2 + sin(x**2)) * x**2
    assert expression(y) == r"= (x^{2} + \sin(x^{2})) \cdot x^{2}"


def test_what_is_used_twice_is_written_once() -> None:
    x = Value(2.0, label="x")
    a = x + 1.0
    assert latex(sin(a) * a).expression == aligned(
        "v_{1} &= x + 1", r"v_{3} &= \sin(v_{1}) \cdot v_{1}"
    )


def test_the_values_are_those_of_the_forward_pass() -> None:
    f, names = lecture()
    assert latex(f, names=names).values == aligned(
        "x &= 2",
        "a &= x^{2} = 2^{2} = 4",
        r"b &= \sin(a) = \sin(4) \approx -0.756802",
        r"c &= a + b \approx 4 + (-0.756802) \approx 3.2432",
        r"f &= c \cdot a \approx 3.2432 \cdot 4 = 12.9728",
    )


def test_the_derivation_has_the_rule_the_textbook_and_the_numbers_of_each_gradient() -> None:
    f, names = lecture()
    assert latex(f, names=names).derivation == aligned(
        rf"{d('f', 'f')} &= 1",
        rf"{d('f', 'c')} &= {d('f', 'f')} \cdot {partial('f', 'c')}",
        rf"&= {d('f', 'f')} \cdot a",
        r"&= 1 \cdot 4 = 4",
        rf"{d('f', 'b')} &= {d('f', 'c')} \cdot {partial('c', 'b')}",
        rf"&= {d('f', 'c')} \cdot 1",
        r"&= 4 \cdot 1 = 4",
        rf"{d('f', 'a')} &= {d('f', 'f')} \cdot {partial('f', 'a')}"
        rf" + {d('f', 'c')} \cdot {partial('c', 'a')}"
        rf" + {d('f', 'b')} \cdot {partial('b', 'a')}",
        rf"&= {d('f', 'f')} \cdot c + {d('f', 'c')} \cdot 1 + {d('f', 'b')} \cdot \cos(a)",
        r"&\approx 1 \cdot 3.2432 + 4 \cdot 1 + 4 \cdot (-0.653644) \approx 4.62862",
        rf"{d('f', 'x')} &= {d('f', 'a')} \cdot {partial('a', 'x')}",
        rf"&= {d('f', 'a')} \cdot 2 x",
        r"&\approx 4.62862 \cdot 4 \approx 18.5145",
    )


def test_text_and_notebook_have_all_three_parts() -> None:
    f, names = lecture()
    found = latex(f, names=names)
    assert str(found) == "\n".join([found.expression, found.values, found.derivation])
    assert found._repr_latex_() == str(found)


def test_nothing_is_changed_and_backward_before_makes_no_difference() -> None:
    f, names = lecture()
    before = str(latex(f, names=names))
    assert names["x"].grad == 0.0
    f.backward()
    assert str(latex(f, names=names)) == before
    assert names["x"].grad == 18.514492084950497


# -- every primitive -----------------------------------------------------------------------------

CASES = r"\begin{cases} %s & \text{if } %s \\ %s & \text{otherwise} \end{cases}"
PRIMITIVES = {
    "exp": ("e^{x}", "e^{x}"),
    "exp2": ("2^{x}", r"2^{x} \cdot \log(2)"),
    "expm1": ("e^{x} - 1", "e^{x}"),
    "log": (r"\log(x)", r"\frac{1}{x}"),
    "log2": (r"\log_{2}(x)", r"\frac{1}{x \cdot \log(2)}"),
    "log10": (r"\log_{10}(x)", r"\frac{1}{x \cdot \log(10)}"),
    "log1p": (r"\log(1 + x)", r"\frac{1}{1 + x}"),
    "sqrt": (r"\sqrt{x}", r"\frac{1}{2 \sqrt{x}}"),
    "cbrt": (r"\sqrt[3]{x}", r"\frac{1}{3 \sqrt[3]{x}^{2}}"),
    "sin": (r"\sin(x)", r"\cos(x)"),
    "cos": (r"\cos(x)", r"-\sin(x)"),
    "tan": (r"\tan(x)", r"\frac{1}{\cos^{2}(x)}"),
    "asin": (r"\arcsin(x)", r"\frac{1}{\sqrt{1 - x^{2}}}"),
    "acos": (r"\arccos(x)", r"-\frac{1}{\sqrt{1 - x^{2}}}"),
    "atan": (r"\arctan(x)", r"\frac{1}{1 + x^{2}}"),
    "atan2": (
        r"\operatorname{atan2}(a, b)",
        r"\frac{b}{a^{2} + b^{2}}",
        r"-\frac{a}{a^{2} + b^{2}}",
    ),
    "hypot": (
        r"\sqrt{a^{2} + b^{2}}",
        r"\frac{a}{\sqrt{a^{2} + b^{2}}}",
        r"\frac{b}{\sqrt{a^{2} + b^{2}}}",
    ),
    "sinh": (r"\sinh(x)", r"\cosh(x)"),
    "cosh": (r"\cosh(x)", r"\sinh(x)"),
    "tanh": (r"\tanh(x)", r"1 - \tanh^{2}(x)"),
    "asinh": (r"\operatorname{arsinh}(x)", r"\frac{1}{\sqrt{x^{2} + 1}}"),
    "acosh": (r"\operatorname{arcosh}(x)", r"\frac{1}{\sqrt{x^{2} - 1}}"),
    "atanh": (r"\operatorname{artanh}(x)", r"\frac{1}{1 - x^{2}}"),
    "erf": (r"\operatorname{erf}(x)", r"\frac{2}{\sqrt{\pi}} \cdot e^{-x^{2}}"),
    "erfc": (r"1 - \operatorname{erf}(x)", r"-\frac{2}{\sqrt{\pi}} \cdot e^{-x^{2}}"),
    "floor": (r"\left\lfloor x\right\rfloor", "0"),
    "ceil": (r"\left\lceil x\right\rceil", "0"),
    "round": (r"\operatorname{round}(x)", "0"),
    "sign": (r"\operatorname{sign}(x)", "0"),
    "copysign": (
        r"\operatorname{copysign}(a, b)",
        r"\operatorname{sign}(a) \cdot \operatorname{sign}(y)",
        "0",
    ),
    "sigmoid": (r"\sigma(x)", r"\sigma(x) \cdot (1 - \sigma(x))"),
    "softplus": (r"\log\left(1 + e^{x}\right)", r"\sigma(x)"),
    "log_sigmoid": (r"\log\left(\frac{1}{1 + e^{-x}}\right)", r"1 - \sigma(x)"),
    "relu": (r"\max(0, x)", CASES % ("1", "x > 0", "0")),
    "leaky_relu": (
        CASES % ("a", "a > 0", r"b \cdot a"),
        CASES % ("1", "a > 0", "b"),
        CASES % ("0", "a > 0", "a"),
    ),
    "elu": (
        CASES % ("a", "a > 0", r"b \cdot \left(e^{a} - 1\right)"),
        CASES % ("1", "a > 0", r"b \cdot e^{a}"),
        CASES % ("0", "a > 0", "e^{a} - 1"),
    ),
    "selu": (
        "1.0507009873554805 "
        + CASES % ("x", "x > 0", r"1.6732632423543772 \left(e^{x} - 1\right)"),
        "1.0507009873554805 " + CASES % ("1", "x > 0", "1.6732632423543772 e^{x}"),
    ),
    "silu": (r"\frac{x}{1 + e^{-x}}", r"\sigma(x) \cdot (1 + x \cdot (1 - \sigma(x)))"),
    "normal_cdf": (
        r"\frac{1 + \operatorname{erf}\left(\frac{x}{\sqrt{2}}\right)}{2}",
        r"\frac{e^{-\frac{x^{2}}{2}}}{\sqrt{2 \pi}}",
    ),
    "gelu": (
        r"\frac{x \cdot \left(1 + \operatorname{erf}\left(\frac{x}{\sqrt{2}}\right)\right)}{2}",
        r"\frac{1 + \operatorname{erf}\left(\frac{x}{\sqrt{2}}\right)}{2}"
        r" + \frac{x \cdot e^{-\frac{x^{2}}{2}}}{\sqrt{2 \pi}}",
    ),
    "mish": (
        r"x \cdot \tanh\left(\log\left(1 + e^{x}\right)\right)",
        r"\tanh\left(\log\left(1 + e^{x}\right)\right) + x \cdot \sigma(x) \cdot"
        r" \left(1 - \tanh^{2}\left(\log\left(1 + e^{x}\right)\right)\right)",
    ),
    "softsign": (
        r"\frac{x}{1 + \left|x\right|}",
        r"\frac{1}{\left(1 + \left|x\right|\right)^{2}}",
    ),
    "+": ("a + b", "1", "1"),
    "-": ("a - b", "1", "-1"),
    "*": (r"a \cdot b", "b", "a"),
    "/": (r"\frac{a}{b}", r"\frac{1}{b}", r"-\frac{a}{b^{2}}"),
    "**": ("a^{b}", r"b \cdot a^{b - 1}", r"a^{b} \cdot \log(a)"),
    "neg": ("-x", "-1"),
    "abs": (r"\left|x\right|", r"\operatorname{sign}(x)"),
    "%": (r"a \bmod b", "1", r"-\left\lfloor \frac{a}{b}\right\rfloor"),
    "fmod": (
        r"\operatorname{fmod}(a, b)",
        "1",
        r"-\operatorname{trunc}\left(\frac{a}{b}\right)",
    ),
    "maximum": (r"\max(a, b)", CASES % ("1", "a > b", "0"), CASES % ("1", "b > a", "0")),
    "minimum": (r"\min(a, b)", CASES % ("1", "a < b", "0"), CASES % ("1", "b < a", "0")),
    "clamp": (
        r"\min(\max(a, b), c)",
        CASES % ("1", r"b \le a \le c", "0"),
        CASES % ("1", "a < b < c", "0"),
        CASES % ("1", "a > c", "0"),
    ),
    "hardtanh": (
        r"\min(\max(a, b), c)",
        CASES % ("1", "b < a < c", "0"),
        CASES % ("1", r"a \le b < c", "0"),
        CASES % ("1", r"a \ge c", "0"),
    ),
    "where": ("x", "1"),
    "logaddexp": (
        r"\log\left(e^{a} + e^{b}\right)",
        r"\frac{e^{a}}{e^{a} + e^{b}}",
        r"\frac{e^{b}}{e^{a} + e^{b}}",
    ),
    "xlogy": (r"a \cdot \log(b)", r"\log(b)", r"\frac{a}{b}"),
    "total": ("x_{0} + x_{1} + x_{2} + x_{3}", *["1"] * 4),
    "dot": (r"x_{0} \cdot x_{2} + x_{1} \cdot x_{3}", "x_{2}", "x_{3}", "x_{0}", "x_{1}"),
    "mean": (r"\frac{x_{0} + x_{1} + x_{2} + x_{3}}{4}", *[r"\frac{1}{4}"] * 4),
    "prod": (
        r"x_{0} \cdot x_{1} \cdot x_{2} \cdot x_{3}",
        *[
            rf"\frac{{x_{{0}} \cdot x_{{1}} \cdot x_{{2}} \cdot x_{{3}}}}{{x_{{{i}}}}}"
            for i in range(4)
        ],
    ),
    "max_of": (
        r"\max(x_{0}, x_{1}, x_{2}, x_{3})",
        *[
            CASES % ("1", rf"x_{{{i}}} \ge \max(x_{{0}}, x_{{1}}, x_{{2}}, x_{{3}})", "0")
            for i in range(4)
        ],
    ),
    "min_of": (
        r"\min(x_{0}, x_{1}, x_{2}, x_{3})",
        *[
            CASES % ("1", rf"x_{{{i}}} \le \min(x_{{0}}, x_{{1}}, x_{{2}}, x_{{3}})", "0")
            for i in range(4)
        ],
    ),
    "logsumexp": (
        r"\log\left(e^{x_{0}} + e^{x_{1}} + e^{x_{2}} + e^{x_{3}}\right)",
        *[
            rf"\frac{{e^{{x_{{{i}}}}}}}" + "{e^{x_{0}} + e^{x_{1}} + e^{x_{2}} + e^{x_{3}}}"
            for i in range(4)
        ],
    ),
    "norm": (
        r"\sqrt{x_{0}^{2} + x_{1}^{2} + x_{2}^{2} + x_{3}^{2}}",
        *[
            rf"\frac{{x_{{{i}}}}}" + r"{\sqrt{x_{0}^{2} + x_{1}^{2} + x_{2}^{2} + x_{3}^{2}}}"
            for i in range(4)
        ],
    ),
}
LONG = {"gelu_tanh"}  # only its structure is tested


def apply(primitive):
    if primitive.variadic:
        leaves = [Value(0.5 + i, label=f"x[{i}]") for i in range(4)]
        return primitive(leaves), leaves
    letters = "x" if primitive.arity == 1 else "abc"
    leaves = [Value(0.5 + 0.25 * i, label=letters[i]) for i in range(primitive.arity)]
    return primitive(*leaves), leaves


def textbook(primitive) -> list[str]:
    """Return the derivative with respect to each operand, as it stands in the derivation."""
    y, leaves = apply(primitive)
    y.label = "y"
    rows = latex(y).derivation.splitlines()
    found = []
    for leaf in leaves:
        place = next(i for i, row in enumerate(rows) if row.startswith(d("y", symbol(leaf.label))))
        form = re.sub(r" \\\\$", "", rows[place + 1]).removeprefix(rf"&= {d('y', 'y')} \cdot ")
        found.append(form)
    return found


@pytest.mark.parametrize("name", [name for name in TABLE if name not in LONG])
def test_a_primitive_and_its_derivatives_are_the_textbooks(name) -> None:
    own, *derivatives = PRIMITIVES[name]
    y, _ = apply(TABLE[name])
    assert expression(y) == f"= {own}"
    for got, expected in zip(textbook(TABLE[name]), derivatives, strict=True):
        bare = re.fullmatch(r"\\left\((.*)\\right\)|\((.*)\)", got)
        assert expected in (got, *(bare.groups() if bare else ()))


def test_every_primitive_has_a_readable_formula_and_one_derivative_per_operand() -> None:
    for primitive in TABLE.values():
        assert formula_of(primitive.formula) is not None, primitive
        for text in primitive.derivatives:
            assert formula_of(text) is not None, primitive
        assert primitive.derivatives, primitive


# -- a primitive of one's own --------------------------------------------------------------------


def test_a_new_primitive_needs_one_entry() -> None:
    cube = Primitive(
        "cube",
        lambda x: x**3,
        [lambda x, y: 3 * x**2],
        formula="x**3",
        derivatives=("3 * x**2",),
    )
    y = cube(Value(2.0, label="x"))
    y.label = "y"
    assert expression(y) == "= x^{3}"
    assert latex(y).derivation.splitlines()[3:5] == [
        rf"&= {d('y', 'y')} \cdot 3 x^{{2}} \\",
        r"&= 1 \cdot 12 = 12",
    ]


def test_a_primitive_without_formulas_is_a_function_with_a_partial() -> None:
    bump = Primitive("my_bump", lambda a, b: a * b, [lambda a, b, y: b, lambda a, b, y: a])
    y = bump(Value(2.0, label="p"), Value(3.0, label="q"))
    y.label = "y"
    assert expression(y) == r"= \operatorname{my\_bump}(p, q)"
    assert latex(y).derivation.splitlines()[-3:-1] == [
        rf"{d('y', 'p')} &= {d('y', 'y')} \cdot {partial('y', 'p')} \\",
        r"&= 1 \cdot 3 = 3",
    ]


def test_a_formula_that_is_no_expression_is_not_guessed_at() -> None:
    odd = Primitive("odd", lambda x: x, [lambda x, y: 1.0], formula="x²", derivatives=("2x",))
    assert expression(odd(Value(2.0, label="x"))) == r"= \operatorname{odd}(x)"


def test_an_n_ary_primitive_without_formulas() -> None:
    first = Variadic("first", lambda xs: xs[0], lambda xs, y: (1.0, *[0.0] * (len(xs) - 1)))
    y = first([Value(float(i), label=f"x{i}") for i in range(9)])
    assert expression(y) == r"= \operatorname{first}(x_{0}, x_{1}, x_{2}, \ldots, x_{8})"


# -- precedence ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x, w: x - (w - 1), "= x - (w - 1)"),
        (lambda x, w: x - w - 1, "= x - w - 1"),
        (lambda x, w: x - (-3), "= x - (-3)"),
        (lambda x, w: -2.0 * x, "= -2 x"),
        (lambda x, w: x * -w, r"= x \cdot (-w)"),
        (lambda x, w: -(x + w), "= -(x + w)"),
        (lambda x, w: -(x**2), "= -x^{2}"),
        (lambda x, w: (-x) ** 2, "= (-x)^{2}"),
        (lambda x, w: (x**2) ** 3, "= (x^{2})^{3}"),
        (lambda x, w: (x * w) ** 2, r"= (x \cdot w)^{2}"),
        (lambda x, w: (x / w) ** 2, r"= \left(\frac{x}{w}\right)^{2}"),
        (lambda x, w: x ** (w + 1), "= x^{w + 1}"),
        (lambda x, w: x**-2, "= x^{-2}"),
        (lambda x, w: x**0.5, r"= \sqrt{x}"),
        (lambda x, w: sin(x) ** 2, r"= \sin^{2}(x)"),
        (lambda x, w: sin(x) ** -1, r"= \sin(x)^{-1}"),
        (lambda x, w: x / (w + 1) / 2, r"= \frac{\frac{x}{w + 1}}{2}"),
        (lambda x, w: (x + w) % 3, r"= (x + w) \bmod 3"),
        (lambda x, w: exp(-x * w), r"= e^{-x \cdot w}"),
        (lambda x, w: 1e-9 * x, r"= 1 \times 10^{-9} x"),
        (lambda x, w: clamp(x, min=0), r"= \min(\max(x, 0), \infty)"),
        (lambda x, w: x * (1 / 3), r"\approx x \cdot 0.333333"),
        (lambda x, w: sin(x * (1 / 3)), r"\approx \sin(x \cdot 0.333333)"),
        (lambda x, w: dot([x, w], [-1.0, w + 1]), r"= x \cdot (-1) + w \cdot (w + 1)"),
        (lambda x, w: max_of([x, -1.0]), r"= \max(x, -1)"),
        (lambda x, w: total([x]), "= x"),
        (lambda x, w: x * Value(5.0, requires_grad=False), r"= x \cdot 5"),
        (lambda x, w: x * Value(5.0, requires_grad=False, label="k"), r"= x \cdot k"),
    ],
)
def test_parentheses_stand_where_they_are_needed(function, expected) -> None:
    assert expression(function(Value(2.0, label="x"), Value(3.0, label="w"))) == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x, w: x * w, r"= x \cdot w = (-3) \cdot (-2) = 6"),
        (lambda x, w: x + w, "= x + w = -3 + (-2) = -5"),
        (lambda x, w: x - w, "= x - w = -3 - (-2) = -1"),
        (lambda x, w: x**2, "= x^{2} = (-3)^{2} = 9"),
        (lambda x, w: -x, "= -x = -(-3) = 3"),
        (lambda x, w: x / w, r"= \frac{x}{w} = \frac{-3}{-2} = 1.5"),
        (lambda x, w: x * 0.1, r"= x \cdot 0.1 = (-3) \cdot 0.1 = -0.3"),
        (
            lambda x, w: dot([x, w], [w, x]),
            r"= x \cdot w + w \cdot x = (-3) \cdot (-2) + (-2) \cdot (-3) = 12",
        ),
        (lambda x, w: relu(x), r"= \max(0, x) = \max(0, -3) = 0"),
        (lambda x, w: (x + 3) % 2, "= v_{1} \\bmod 2 = 0 \\bmod 2 = 0"),
    ],
)
def test_numbers_are_substituted_and_negative_factors_stand_in_parentheses(
    function, expected
) -> None:
    y = function(Value(-3.0, label="x"), Value(-2.0, label="w"))
    assert latex(y).values.splitlines()[-2].split("&", 1)[1] == expected


def test_the_sign_says_whether_the_shown_numbers_agree() -> None:
    x = Value(1 / 3, label="x")
    rows = latex(x * 3.0).values.splitlines()
    assert rows[1:3] == [
        r"x &\approx 0.333333 \\",
        r"v_{1} &= x \cdot 3 \approx 0.333333 \cdot 3 \approx 1",
    ]


def test_numbers_that_are_none() -> None:
    assert number(float("nan")).text == r"\mathrm{NaN}"
    assert number(float("-inf")).text == r"-\infty"
    assert number(-0.0).text == "0"
    assert number(-2.5e300).text == r"-2.5 \times 10^{300}"


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x", "x"),
        ("loss", r"\mathrm{loss}"),
        ("x12", "x_{12}"),
        ("x_12", "x_{12}"),
        ("w[2]", "w_{2}"),
        ("w[2][0]", "w_{2,0}"),
        ("fc1", r"\mathrm{fc}_{1}"),
        ("layers.0.w[3]", r"\mathrm{layers}_{0}.w_{3}"),
        ("layers.0.neurons.3.b", r"\mathrm{layers}_{0}.\mathrm{neurons}_{3}.b"),
        ("0.weight[1][2]", r"0.\mathrm{weight}_{1,2}"),
        ("w_hh", r"w_{\mathrm{hh}}"),
        ("w_hh[2]", r"w_{\mathrm{hh},2}"),
        ("learning_rate", r"\mathrm{learning\_rate}"),
        ("theta", r"\theta"),
        ("θ_1", r"\theta_{1}"),
        ("Σ", r"\Sigma"),
        ("λ", r"\lambda"),
        ("é漢", r"\text{é漢}"),
        ("50%", r"\mathrm{50\%}"),
        ("a&b", r"\mathrm{a\&b}"),
        ("x#2", r"\mathrm{x\#2}"),
        ("my loss", r"\mathrm{my\ loss}"),
        ("{a}", r"\mathrm{\{a\}}"),
        ("a\\b", r"\mathrm{a\backslash b}"),
        ("$a^~", r"\mathrm{\$a\wedge \sim }"),
        ("<script>", r"\mathrm{{<}script{>}}"),
        ("naïve_x", r"\mathrm{na}\text{ï}\mathrm{ve\_x}"),
        ("a\nb", r"\mathrm{a\ b}"),
        ("", ""),
    ],
)
def test_names_are_escaped_and_indices_become_subscripts(name, expected) -> None:
    assert symbol(name) == expected


def balanced(text: str) -> bool:
    """Whether braces, environments, \\left and \\right pair up, and nothing is unescaped."""
    bare = re.sub(r"\\[\\{}%&#$_ |]", "", text)
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        if depth < 0:
            return False
    begun = re.findall(r"\\begin\{(.*?)\}", bare)
    return (
        depth == 0
        and sorted(begun) == sorted(re.findall(r"\\end\{(.*?)\}", bare))
        and len(re.findall(r"\\left\b", bare)) == len(re.findall(r"\\right\b", bare))
        and not re.search(r"[%#$\x00-\x09\x0b-\x1f]", bare)
        and "}_{" not in re.sub(r"\\(mathrm|text)\{[^{}]*\}_", "", bare)
    )


@given(st.text(max_size=12))
def test_any_name_is_sound_latex(name) -> None:
    assert balanced(symbol(name))
    assert not re.search(r"<[a-zA-Z/!?]", symbol(name))


@pytest.mark.parametrize("name", [*TABLE])
def test_every_part_is_balanced(name) -> None:
    y, _ = apply(TABLE[name])
    assert balanced(str(latex(y)))


# -- size ----------------------------------------------------------------------------------------


def test_many_operands_and_contributions_are_shortened() -> None:
    x = Value(2.0, label="x")
    y = total([x * float(i) for i in range(20)])
    y.label = "y"
    found = latex(y)
    assert found.expression.splitlines()[-2] == (r"y &= v_{1} + v_{2} + v_{3} + \cdots + v_{20}")
    assert found.derivation.splitlines()[-2] == (
        r"&= 1 \cdot 19 + 1 \cdot 18 + 1 \cdot 17 + \cdots + 1 \cdot 0 = 190"
    )


def test_many_nodes_are_shortened() -> None:
    x = Value(2.0, label="x")
    y = x
    for _ in range(50):
        y = sin(y)
        y = y * y
    found = latex(y, max_nodes=4)
    assert found.values.splitlines()[3] == r"& \;\;\vdots \quad \text{(97 more)} \\"
    assert found.values.splitlines()[1] == r"x &= 2 \\"
    assert found.derivation.count(r"\vdots") == 1
    assert found.derivation.splitlines()[-2].startswith(r"&\approx")
    assert balanced(str(found))


def test_a_long_chain_in_a_thread_with_a_small_stack() -> None:
    y = x = Value(2.0, label="x")
    for _ in range(30_000):
        y = y * 1.0
    found = []
    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(latex(y, names={"x": x})))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert len(str(found[0])) < 30_000
    assert found[0].derivation.splitlines()[-2] == r"&= 1 \cdot 1 = 1"


def test_a_network_has_the_paths_of_its_parameters() -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    found = str(latex(model([1.0, -2.0]), names={"model": model}))
    assert r"\mathrm{layers}_{0}.\mathrm{neurons}_{1}.w_{0}" in found
    assert balanced(found)


# -- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: latex(2.0),
            TypeError,
            "a graph needs a Value that was computed from others, got float: 2.0",
        ),
        (
            lambda x: latex(no_grad()(lambda: x * x)()),
            RuntimeError,
            "'v1' needs no gradient, so there is no derivation: it is a constant, or it was"
            " computed from constants only, or under no_grad()",
        ),
        (lambda x: latex(x, max_nodes=1), ValueError, "max_nodes must be at least 2, got 1"),
        (lambda x: latex(x, max_nodes="9"), TypeError, "max_nodes is an int, got str: '9'"),
    ],
)
def test_mistakes_are_explained(call, error, message) -> None:
    with pytest.raises(error) as raised:
        call(Value(3.0))
    assert str(raised.value) == message


# -- in a document -------------------------------------------------------------------------------


# Not a test that is skipped: .ci/run allows none, and does without some gigabytes of LaTeX.
if shutil.which("pdflatex"):

    def test_it_compiles_in_a_document(tmp_path: Path) -> None:
        parts = [str(latex(apply(primitive)[0])) for primitive in TABLE.values()]
        parts += [
            str(latex(sin(Value(1.0, label=label)))) for label in ("a_b%&#${}\\^~", "é", "θ_1")
        ]
        body = "\n\n".join(parts)
        document = (
            f"\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\\allowdisplaybreaks\n"
            f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
        )
        (tmp_path / "all.tex").write_text(document, encoding="utf-8")
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            errors="replace",
        )
        assert done.returncode == 0, done.stdout[-2000:]
