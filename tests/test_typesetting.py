"""Expressions, values and derivations in LaTeX."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from latex_reading import apply, balanced, d, expression, partial

import nn
from autograd_lite import Value, latex, no_grad, sin, total
from autograd_lite.primitives import TABLE


def lecture():
    x = Value(2.0)
    a = x**2
    b = sin(a)
    c = a + b
    f = c * a
    return f, {"x": x, "a": a, "b": b, "c": c, "f": f}


def aligned(*lines: str) -> str:
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


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
    found = latex(f, names=names).derivation
    assert found.count(r" \\[1ex]") == 4  # between the five gradients
    assert found.replace("[1ex]", "") == aligned(
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


def test_a_wide_line_is_broken_before_its_numbers() -> None:
    xs = [Value(1.25, label=f"temperature[{i}]") for i in range(4)]
    y = total(xs)
    y.label = "y"
    assert latex(y).values.splitlines()[-4:-1] == [
        "y &= " + " + ".join(rf"\mathrm{{temperature}}_{{{i}}}" for i in range(4)) + r" \\",
        r"&= 1.25 + 1.25 + 1.25 + 1.25 \\",
        "&= 5",
    ]


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
