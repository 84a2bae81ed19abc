"""Names, numbers and the table's formulas in LaTeX."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from latex_reading import apply, balanced, d, expression, partial

from autograd_lite import (
    Primitive,
    Value,
    Variadic,
    clamp,
    dot,
    exp,
    latex,
    max_of,
    relu,
    sin,
    total,
)
from autograd_lite.formulas import formula_of
from autograd_lite.primitives import TABLE
from autograd_lite.tex import number, symbol

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
    "var": (
        r"\frac{(x_{0} - \bar{x})^{2} + (x_{1} - \bar{x})^{2} + (x_{2} - \bar{x})^{2}}{x_{3}}",
        *[rf"\frac{{2 \cdot (x_{{{i}}} - \bar{{x}})}}{{x_{{3}}}}" for i in range(3)],
        r"-\frac{y}{x_{3}}",
    ),
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


@given(st.text(max_size=12))
def test_any_name_is_sound_latex(name) -> None:
    assert balanced(symbol(name))
    assert not re.search(r"<[a-zA-Z/!?]", symbol(name))


@pytest.mark.parametrize("name", [*TABLE])
def test_every_part_is_balanced(name) -> None:
    y, _ = apply(TABLE[name])
    assert balanced(str(latex(y)))
