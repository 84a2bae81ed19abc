"""The command ``python -m autograd_lite``: derivations, merging, refusals, exit status."""

import io
import json
import math
import os
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite
from autograd_lite import Value, steps
from autograd_lite.commandline.application import run
from autograd_lite.commandline.derivation import derive
from autograd_lite.commandline.errors import ExpressionError
from autograd_lite.commandline.parsing import parse
from autograd_lite.commandline.report import as_data
from autograd_lite.commandline.vocabulary import FUNCTIONS, OPERATORS
from autograd_lite.notation import ASCII, UNICODE, symbols_for
from autograd_lite.primitives import arithmetic

LECTURE = "(x**2 + sin(x**2)) * x**2"
LECTURE_NAMED = "a = x**2; b = sin(a); (a + b) * a"


def written(capsys, *arguments):
    """Run the command in this process; return what it writes."""
    status = run(arguments)
    streams = capsys.readouterr()
    assert (status, streams.err) == (0, "")
    return streams.out


def data(capsys, *arguments):
    return json.loads(written(capsys, *arguments, "--json"))


def refused(capsys, *arguments):
    """Run the command in this process; return its error message."""
    status = run(arguments)
    streams = capsys.readouterr()
    assert (status, streams.out) == (2, "")
    return streams.err


def in_a_process(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "autograd_lite", *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        encoding="utf-8",
        check=False,
    )


# -- the lecture's example -----------------------------------------------------------------------


@pytest.mark.parametrize("expression", [LECTURE, LECTURE_NAMED])
def test_the_lectures_example_comes_out_with_its_figures(capsys, expression):
    found = data(capsys, expression, "x=2")
    assert [(row["name"], row["expression"], row["value"]) for row in found["forward"]] == [
        ("a", "x**2", 4.0),
        ("b", "sin(a)", -0.7568024953079282),
        ("c", "a + b", 3.2431975046920716),
        ("f", "c * a", 12.972790018768286),
    ]
    assert found["value"] == 12.972790018768286
    assert found["gradient"] == {"x": 18.514492084950497}
    assert found["variables"] == {"x": 2.0}
    assert found["expression"] == expression
    assert found["notes"] == []


@pytest.mark.parametrize("expression", [LECTURE, LECTURE_NAMED])
def test_the_six_contributions_come_in_the_order_of_the_sweep(capsys, expression):
    steps = data(capsys, expression, "x=2")["backward"]
    assert [(step["node"], step["operand"], step["total"]) for step in steps] == [
        ("f", "c", 4.0),
        ("f", "a", 3.2431975046920716),
        ("c", "a", 7.243197504692072),
        ("c", "b", 4.0),
        ("b", "a", 4.628623021237624),
        ("a", "x", 18.514492084950497),
    ]
    assert all(s["contribution"] == s["upstream"] * s["partial"] for s in steps)


def test_the_derivation_reads_as_in_the_lecture(capsys):
    assert written(capsys, LECTURE, "x=2").splitlines()[:15] == [
        "Forward pass",
        "  x          = 2",
        "  a = x**2   = 4",
        "  b = sin(a) = -0.756802",
        "  c = a + b  = 3.2432",
        "  f = c * a  = 12.9728",
        "",
        "Backward pass",
        "  ∂f/∂f = 1",
        "  ∂f/∂c += ∂f/∂f · ∂f/∂c = 1 · 4 → 4",
        "  ∂f/∂a += ∂f/∂f · ∂f/∂a = 1 · 3.2432 → 3.2432",
        "  ∂f/∂a += ∂f/∂c · ∂c/∂a = 4 · 1 → 7.2432",
        "  ∂f/∂b += ∂f/∂c · ∂c/∂b = 4 · 1 → 4",
        "  ∂f/∂a += ∂f/∂b · ∂b/∂a = 4 · (-0.653644) → 4.62862",
        "  ∂f/∂x += ∂f/∂a · ∂a/∂x = 4.62862 · 4 → 18.5145",
    ]


def test_the_gradient_stands_beside_the_finite_difference(capsys):
    *_, header, line = written(capsys, LECTURE, "x=2").rstrip().splitlines()
    assert header.split("  ") == [
        *("Gradient", "backward pass", "", "", " finite difference", " relative difference")
    ]
    name, exact, difference, relative = line.split()
    assert (name, exact) == ("∂f/∂x", "18.514492084950497")
    assert difference.startswith("18.51449208")
    assert float(relative) < 2e-10


# -- merging and names ---------------------------------------------------------------------------


@pytest.mark.parametrize("expression", [LECTURE, LECTURE_NAMED])
def test_equal_subexpressions_are_recorded_once(expression):
    program = parse(expression, ["x"])
    assert sum(entry.operation is not None for entry in program.entries) == 4


def test_equal_constants_are_merged_however_they_are_written():
    texts = parse("x**2 + y**2.0 + z**0x2", ["x", "y", "z"]).written()
    assert texts == ["x", "2", "x**2", "y", "y**2", "a + b", "z", "z**2", "c + d"]


def test_zeros_of_different_sign_are_different_constants(capsys):
    assert data(capsys, "atan2(0, -0.0) - atan2(0, 0.0) + x", "x=0")["value"] == math.pi


def test_operands_in_another_order_are_another_operation():
    assert parse("x*y + y*x", ["x", "y"]).written() == ["x", "y", "x * y", "y * x", "a + b"]


def test_a_duplicate_operand_contributes_twice(capsys):
    found = data(capsys, "x*x", "x=3")
    assert [step["total"] for step in found["backward"]] == [3.0, 6.0]


def test_generated_names_avoid_those_in_use(capsys):
    found = data(capsys, "b = sin(a); f = a*a + y; f + cos(y)*b", "a=1", "y=2")
    assert [row["name"] for row in found["forward"]] == ["b", "c", "f", "d", "g", "z"]
    assert found["result"] == "z"


def test_names_continue_after_the_letters(capsys):
    nested = "sin(" * 20 + "x" + ")" * 20
    names = [row["name"] for row in data(capsys, nested, "x=1")["forward"]]
    assert names == [*"abcdghkmnpqrstuvw", "v1", "v2", "f"]


def test_the_last_part_may_have_a_name(capsys):
    found = data(capsys, "a = x**2; loss = 3*a", "x=2")
    assert (found["result"], found["gradient"]) == ("loss", {"x": 12.0})
    assert "∂loss/∂a += ∂loss/∂loss · ∂loss/∂a = 1 · 3 → 3" in written(
        capsys, "a = x**2; loss = 3*a", "x=2"
    )


def test_a_second_name_for_the_same_value_is_listed(capsys):
    found = data(capsys, "a = x**2; b = x**2; a*b", "x=3")
    rows = [(row["name"], row["expression"]) for row in found["forward"]]
    assert rows == [("a", "x**2"), ("b", "a"), ("f", "a * a")]
    assert found["gradient"] == {"x": 108.0}


def test_a_variable_alone_has_derivative_one(capsys):
    found = data(capsys, "x", "x=5")
    assert (found["value"], found["backward"], found["gradient"]) == (5.0, [], {"x": 1.0})


def test_named_constants_are_listed_and_used_by_name(capsys):
    found = data(capsys, "k = 2*3; k*x", "x=5")
    assert [(row["name"], row["expression"]) for row in found["forward"]] == [
        ("k", "2 * 3"),
        ("f", "k * x"),
    ]


def test_parts_may_stand_on_lines_of_their_own(capsys):
    text = """
        a = x**2
        b = sin(a)
        (a
            + b) * a
    """
    assert data(capsys, text, "x=2")["gradient"] == {"x": 18.514492084950497}


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("-x**2", "-a"),
        ("x**-2", "x**-2"),
        ("x**(1/3)", "x**(1 / 3)"),
        ("x*(2 - 1)", "x * (2 - 1)"),
        ("x - (1 - (2 - 3))", "x - (1 - (2 - 3))"),
        ("x - (1 - 2 - 3)", "x - (1 - 2 - 3)"),
        ("x * (2**3**2)", "x * 2**3**2"),
        ("x * (2**3)**2", "x * (2**3)**2"),
        ("x * (-2)**2", "x * (-2)**2"),
        ("x + -(1 + 2)", "x + -(1 + 2)"),
        ("x * sin(pi/6)", "x * sin(pi / 6)"),
        ("clamp(x, max=3)", "clamp(x, max=3)"),
        ('gelu(x, approximate="tanh")', 'gelu(x, approximate="tanh")'),
        ("1 if x > 0 else 2", "where(x > 0, 1, 2)"),
        ("mean([x, 1, 2])", "mean(x, 1, 2)"),
        ("dot([x, 1], [2, x + 0])", "dot([x, 1], [2, a])"),
        ("var([x, 1], correction=0)", "var(x, 1, correction=0)"),
        ("var(x, 1, correction=0.5)", "var(x, 1, correction=0.5)"),
        ("x * 1_000", "x * 1_000"),
    ],
)
def test_operations_are_written_with_the_brackets_they_need(expression, text):
    assert parse(expression, ["x"]).written()[-1] == text


# -- what an expression may use ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value", "gradient"),
    [
        ("x % 3", 1.0, 1.0),
        ("+x", 7.0, 1.0),
        ("abs(-x)", 7.0, 1.0),
        ("x / 2", 3.5, 0.5),
        ("pi * x", 7 * math.pi, math.pi),
        ("e * x", 7 * math.e, math.e),
        ("atan2(x, 0)", math.pi / 2, 0.0),
        ("hypot(x, 24)", 25.0, 0.28),
        ("maximum(x, 9)", 9.0, 0.0),
        ("clamp(x, 0, 5)", 5.0, 0.0),
        ("clamp(x, min=0)", 7.0, 1.0),
        ("leaky_relu(-x, negative_slope=0.5)", -3.5, -0.5),
        ("leaky_relu(-x, 0.5)", -3.5, -0.5),
        ("where(x > 5, 2*x, x/0)", 14.0, 2.0),
        ("2*x if x != 7 else 3*x", 21.0, 3.0),
        ("total(x, x, 1)", 15.0, 2.0),
        ("mean([x, 2, 3])", 4.0, 1 / 3),
        ("prod(x, x, x)", 343.0, 147.0),
        ("max_of(x, 3, 5)", 7.0, 1.0),
        ("norm(x, 24)", 25.0, 0.28),
        ("var(x, 9)", 2.0, -2.0),
        ("var(x, 9, correction=0)", 1.0, -1.0),
        ("var([x, 9], correction=0) + var([x, 9], correction=1)", 3.0, -3.0),
        ("var(x, correction=0)", 0.0, 0.0),
        ("dot([x, 1], [2, x])", 21.0, 3.0),
        ("dot([x], [x])", 49.0, 14.0),
    ],
)
def test_operators_and_functions_are_those_of_the_engine(capsys, expression, value, gradient):
    found = data(capsys, expression, "x=7")
    assert found["value"] == value
    assert found["gradient"]["x"] == pytest.approx(gradient, rel=1e-15)


def test_every_function_on_scalars_is_available():
    on_lists = {"linear", "softmax", "log_softmax"}
    others = {"Value", "Primitive", "Variadic", "no_grad", "enable_grad", "collector_paused"}
    others |= {"scope", "grad", "value_and_grad", "jacobian", "hessian", "jvp", "vjp", "hvp"}
    others |= {"graph", "draw", "draw_dot", "steps", "explain", "latex", "to_sympy"}
    others |= {"detect_anomaly", "SlipWarning", "set_slip_warnings", "warn_slip", "compile"}
    others |= {"load_program", "arrays", "lanes", "saving"}
    missing = set(autograd_lite.__all__) - set(FUNCTIONS) - on_lists - others
    assert missing == set()
    assert set(FUNCTIONS) - set(autograd_lite.__all__) == {"abs"}


def test_a_function_of_several_numbers_is_one_step(capsys):
    found = data(capsys, "var(x, 9) + x", "x=7")
    assert [(row["name"], row["expression"]) for row in found["forward"]] == [
        ("a", "var(x, 9)"),
        ("f", "a + x"),
    ]
    assert found["backward"][-1]["total"] == found["gradient"]["x"] == -1.0


def test_the_users_names_come_before_the_constants(capsys):
    assert data(capsys, "e * pi", "e=2", "pi=3")["gradient"] == {"e": 3.0, "pi": 2.0}
    assert data(capsys, "e = x**2; e", "x=3")["value"] == 9.0


def test_a_variable_may_share_its_name_with_a_function(capsys):
    assert data(capsys, "exp(exp)", "exp=0")["gradient"] == {"exp": 1.0}


def test_letters_of_other_scripts_are_names_in_their_normal_form(capsys):
    # The micro sign µ on the keyboard and the Greek letter μ are the same name to Python.
    assert data(capsys, "λ**2 + μ", "λ=3", "µ=1")["gradient"] == {"λ": 6.0, "μ": 1.0}


@pytest.mark.parametrize(
    ("given", "value"),
    [("2", 2.0), ("-1e-3", -0.001), ("1/3", 1 / 3), ("pi/2", math.pi / 2), ("-sqrt(4)", -2.0)],
)
def test_values_may_be_computed(capsys, given, value):
    assert data(capsys, "1*x", f"x={given}")["variables"] == {"x": value}


@pytest.mark.parametrize(
    "arguments",
    [["-x**2", "x=-2"], ["x=-2", "-x**2"][::-1], ["--", "-x**2", "x=-2"], ["-(x*x)", "x=-2"]],
)
def test_an_expression_may_begin_with_a_minus_sign(capsys, arguments):
    assert "= -4\n" in written(capsys, *arguments)


def test_options_may_stand_anywhere(capsys):
    for arguments in (["--json", "x*y", "x=2", "y=3"], ["x*y", "x=2", "--json", "y=3"]):
        assert json.loads(written(capsys, *arguments))["value"] == 6.0


# -- points without a derivative, and numbers that are not finite --------------------------------


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (["relu(x)", "x=0"], "relu has no derivative at 0; its partial is taken as 0"),
        (["abs(-x)", "x=0"], "abs has no derivative at 0; its partial is taken as 0"),
        (["abs(x)", "x=0"], "abs has no derivative at 0; its partial is taken as 0"),
        (
            ["maximum(x, y)", "x=1", "y=1"],
            "maximum has no derivative at a tie; each partial is taken as 0.5",
        ),
        (["log(x)", "x=0"], "f = log(x) is -inf at this point"),
        (["1 + log(x)", "x=-1"], "a = log(x) is nan at this point"),
        (["sqrt(x)", "x=0"], "the derivative of f with respect to x is inf at this point"),
        (
            ["1 if x == 1 else x*x", "x=1"],
            "f is constant on the branch taken, so its gradient is 0",
        ),
        (
            ["x if x == 1 else x*x", "x=1"],
            "the finite difference with respect to x disagrees: f may have no derivative at this"
            " point, and the gradient is then that of the branch taken",
        ),
        (
            ["sin(x)", "x=pi/2"],
            "the derivative with respect to x is too small beside f for finite differences, which"
            " err by about 1e-14 here",
        ),
    ],
)
def test_a_note_says_what_is_special_about_a_point(capsys, arguments, note):
    assert data(capsys, *arguments)["notes"][0] == note
    assert f"Note: {note}." in written(capsys, *arguments)


def test_a_place_without_a_derivative_is_noted_once_also_as_minus_zero(capsys):
    found = data(capsys, "relu(x) - relu(-x)", "x=0")
    assert found["notes"] == ["relu has no derivative at 0; its partial is taken as 0"]


def test_a_finite_difference_that_does_not_exist_has_no_relative_difference(capsys):
    assert written(capsys, "log(x)", "x=0").splitlines()[-3].split() == [
        *("∂f/∂x", "inf", "nan", "–")
    ]


def test_numbers_that_json_has_not_are_written_as_text(capsys):
    found = data(capsys, "log(x) + 0*y", "x=0", "y=1")
    assert found["value"] == "-Infinity"
    assert found["gradient"] == {"x": "Infinity", "y": 0.0}
    assert found["finite_differences"]["x"]["value"] == "NaN"
    assert found["forward"][0]["partials"] == ["Infinity"]
    assert float(found["value"]) == -math.inf


def test_without_variables_there_is_a_value_but_no_gradient(capsys):
    assert written(capsys, "2*3") == (
        "Forward pass\n  f = 2 * 3 = 6\n\nThere is no variable, hence no gradient.\n"
    )


# -- refusals ------------------------------------------------------------------------------------

SYNTAX = "not a Python expression"
ALLOWED = (
    "an expression has numbers, variables, + - * / ** %, parentheses, functions, and parts such"
    " as 'a = x**2;'"
)


@pytest.mark.parametrize(
    ("expression", "message", "column"),
    [
        ("x + y", "no value is given for 'y' (given: x)", 4),
        ("x + sin", "'sin' is a function: call it, as in sin(x)", 4),
        ("x + sine(x)", "unknown function 'sine'; did you mean 'sin'?", 4),
        ("max(x, 0)", "unknown function 'max'; did you mean 'maximum'?", 0),
        ("ln(x)", "unknown function 'ln'; did you mean 'log'?", 0),
        ("__import__('os')", "unknown function '__import__'; --help lists the functions", 0),
        ("2*atan2(x)", "atan2 takes 2 arguments (a, b), got 1", 2),
        ("sin(x, x)", "sin takes 1 argument (x), got 2", 0),
        ("clamp(x)", "clamp takes 2 or 3 arguments (x, min, max), got 1", 0),
        ("hardtanh(x, 0, 1, 2)", "hardtanh takes 1 to 3 arguments (x, min_val, max_val), got 4", 0),
        ("mean()", "mean takes 1 argument or more, got 0", 0),
        ("2*dot(x, 1)", "dot takes two lists, as in dot([x, 1], [2, x])", 2),
        ("dot([x, 1])", "dot takes two lists, as in dot([x, 1], [2, x])", 0),
        ("dot([x], [1], 2)", "dot takes two lists, as in dot([x, 1], [2, x])", 0),
        (
            "dot([x, 1], [2])",
            "dot takes two equally long lists of at least one number, got 2 and 1",
            0,
        ),
        ("dot([], [])", "dot takes two equally long lists of at least one number, got 0 and 0", 0),
        ("dot([x], [1], c=2)", "dot has no argument 'c'", 14),
        ("var(x)", "var takes 2 arguments or more, got 1", 0),
        ("var(x, 1, ddof=0)", "var has no argument 'ddof'; it has correction", 10),
        *(
            (
                f"var(x, 1, correction={given})",
                "correction has to be a number from 0 on and less than 2, the number of values",
                21,
            )
            for given in ("2", "-1", "x", "True", "'a'")
        ),
        ("elu(x, beta=1)", "elu has no argument 'beta'; it has alpha", 7),
        ("sin(x, a=1)", "sin has no argument 'a'", 7),
        ("elu(x, 2, alpha=1)", "the argument 'alpha' is given twice", 10),
        ("elu(alpha=1)", "elu takes 1 or 2 arguments (x, alpha); x has to be given", 0),
        ("gelu(x, approximate='erf')", 'approximate has to be "none" or "tanh"', 20),
        ("x(2)", "'x' is a number, not a function; write a product with *", 0),
        ("2(x)", "only functions can be called; write a product with *", 0),
        ("a = x; a = 2*x", "'a' is assigned twice; give each value a name of its own", 7),
        ("x = 3; x", "'x' is assigned here and given a value as well", 0),
        ("b + 1; b = x", "only the last part can go without a name; write 'name = ...' here", 0),
        ("c = b; b = x", "'b' is used before it is assigned", 4),
        ("a = b = x", "assign to one name at a time, as in 'a = x**2'", 0),
        ("a, b = x", "assign to one name at a time, as in 'a = x**2'", 0),
        ("x; import os", "only the last part can go without a name; write 'name = ...' here", 0),
        ("import os", f"this is not available here: {ALLOWED}", 0),
        ("x += 1", f"this is not available here: {ALLOWED}", 0),
        ("2*x.real", f"an attribute is not available: {ALLOWED}", 2),
        ("x[0]", f"an index is not available: {ALLOWED}", 0),
        ("1 + (lambda: x)", f"a lambda is not available: {ALLOWED}", 5),
        ("x + [x]", f"a list is not available: {ALLOWED}", 4),
        ("x, x", f"a tuple is not available: {ALLOWED}", 0),
        ("f'{x}'", f"text is not available: {ALLOWED}", 0),
        ("(y := x)", f"':=' is not available: {ALLOWED}", 1),
        ("x^2", "the operator ^ is not available: a power is written **", 1),
        ("(x) // (2)", "the operator // is not available: write floor(a / b)", 4),
        ("x @ x", "the operator @ is not available: write a product with *", 2),
        ("2 * ~x", f"the operator ~ is not available: {ALLOWED}", 4),
        ("'a' + x", "'a' is not a real number", 0),
        ("2j * x", "2j is not a real number", 0),
        ("True + x", "True is not a real number", 0),
        ("x + 1e999", "this number is too large: floats end at 1.797e+308", 4),
        ("x < 1", "a comparison is available only as a condition, as in where(x > 0, x, 0)", 0),
        ("where(x, 1, 2)", "the condition has to be one comparison, such as x > 0", 6),
        ("where(0 < x < 1, 1, 2)", "the condition has to be one comparison, such as x > 0", 6),
        ("1 if x else 2", "the condition has to be one comparison, such as x > 0", 5),
        ("1 if x is x else 2", "the condition has to compare with one of < <= > >= == !=", 5),
        ("x +", f"{SYNTAX}: invalid syntax", 3),
        ("(x", f"{SYNTAX}: '(' was never closed", 0),
        ("x)", f"{SYNTAX}: unmatched ')'", 1),
        ("x x", f"{SYNTAX}: invalid syntax", 2),
        ("x + 2x", f"{SYNTAX}: a number runs into a name; write a product with *", 4),
        ("x²", f"{SYNTAX}: invalid character '²' (U+00B2)", 1),
        ("(" * 201 + "x", f"{SYNTAX}: too many nested parentheses (the limit is 200)", None),
    ],
)
def test_what_is_refused_is_pointed_at(capsys, expression, message, column):
    first, *rest = refused(capsys, expression, "x=2").splitlines()
    assert first == f"error: {message}"
    if column is not None:
        assert rest == [f"  {expression}", "  " + " " * column + "^"]


@pytest.mark.parametrize("space", ["\t", "\N{NO-BREAK SPACE}"])
def test_white_space_is_shown_as_a_space_above_the_caret(capsys, space):
    message = refused(capsys, f"x + {space}foo(x)", "x=2")
    assert message.splitlines()[1] == "  x +  foo(x)"


def test_the_caret_after_a_tab_stands_below_the_place(capsys):
    message = refused(capsys, "x + \tfoo(x)", "x=2")
    assert message.splitlines()[1:] == ["  x +  foo(x)", "       ^"]


def test_the_caret_counts_characters_not_bytes(capsys):
    message = refused(capsys, "λ*λ + é", "λ=2")
    assert message.splitlines()[1:] == ["  λ*λ + é", "        ^"]


def test_the_caret_stands_below_wide_letters(capsys):
    message = refused(capsys, "漢 + é", "漢=2")
    assert message.splitlines()[1:] == ["  漢 + é", "       ^"]


def test_control_characters_do_not_reach_the_terminal(capsys):
    message = refused(capsys, "x\x1b[31m + y", "x=2")
    assert "\x1b" not in message
    assert message.splitlines()[1:] == ["  x?[31m + y", "   ^"]


def test_only_the_offending_line_is_shown(capsys):
    message = refused(capsys, "a = x\n  b = a ^ 2\nb", "x=2")
    assert message.splitlines()[1:] == ["  b = a ^ 2", "        ^"]


def test_of_a_long_line_the_surroundings_are_shown(capsys):
    first, line, caret = refused(
        capsys, "+".join(["x"] * 200 + ["y"] + ["x"] * 200), "x=2"
    ).splitlines()
    assert first == "error: no value is given for 'y' (given: x)"
    assert len(line) == 2 + 3 + 76 + 3
    assert line[caret.index("^")] == "y"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], 'no expression is given; try python -m autograd_lite "x**2 + sin(x)" x=2'),
        ([""], "the expression is empty; write one such as 'x**2 + sin(x)'"),
        (["  "], "the expression is empty; write one such as 'x**2 + sin(x)'"),
        (["# x"], "the expression is empty: it is only a comment"),
        (["x", "x=abc"], "x=abc: expected a number for x, such as 2, -1e-3, 1/3 or pi/2"),
        (["x", "x="], "x=: expected a number for x, such as 2, -1e-3, 1/3 or pi/2"),
        (["x", "x==2"], "x==2: expected a number for x, such as 2, -1e-3, 1/3 or pi/2"),
        (["x", "x=nan"], "x=nan: expected a number for x, such as 2, -1e-3, 1/3 or pi/2"),
        (["x", "x=1/0"], "x=1/0: x would be inf, expected a finite number"),
        (["x", "x"], "x: expected name=number, such as x=2"),
        (["x", "2=x"], "2=x: expected name=number, such as x=2"),
        (["x", "lambda=2"], "lambda=2: expected name=number, such as x=2"),
        (["x", "-x=2"], "-x=2: expected name=number, such as x=2"),
        (["x", "x=1", "x=2"], "x is given twice: x=1 and x=2"),
        (["x", "x=1", "y=2"], "y is given a value, but is not in the expression (it has x)"),
        (["2", "y=2"], "y is given a value, but is not in the expression (it has no variables)"),
        (["x", "x=1", "--jsn"], "unrecognized arguments: --jsn; --help shows examples"),
    ],
)
def test_a_wrong_command_gets_one_clear_line(capsys, arguments, message):
    assert refused(capsys, *arguments) == f"error: {message}\n"


def test_a_missing_value_is_asked_for(capsys):
    assert refused(capsys, "2*x") == (
        "error: no value is given for 'x': add it after the expression, as in x=2\n  2*x\n    ^\n"
    )


# -- bounds --------------------------------------------------------------------------------------


def test_powers_are_those_of_floats(capsys):
    found = data(capsys, "9**9**9**9")
    assert found["value"] == "Infinity"
    assert data(capsys, "x**9**9", "x=1")["gradient"] == {"x": 387420489.0}


def test_an_expression_may_be_long_and_deep(capsys):
    assert data(capsys, "+".join(["x"] * 1000), "x=2")["gradient"] == {"x": 1000.0}
    assert data(capsys, "-" * 999 + "x", "x=2")["gradient"] == {"x": -1.0}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("-" * 100_000 + "x", "the expression has 100,001 characters; the limit is 10,000"),
        ("-" * 9_000 + "x", "the expression is nested more than 1,000 levels deep"),
        ("-" * 1_000 + "x", "the expression is nested more than 1,000 levels deep"),
        ("+".join("x" * 1_001), "the expression is nested more than 1,000 levels deep"),
        ("**".join("9" * 3_000), "the expression is nested more than 1,000 levels deep"),
        ("9" * 5_000, "not a Python expression: a number has more than 4,300 digits\n"),
    ],
)
def test_size_and_depth_are_bounded(capsys, expression, message):
    assert refused(capsys, expression, "x=2").startswith(f"error: {message}")


@pytest.mark.parametrize("expression", ["x\0", "\udc80", "x + '\ud800'"])
def test_what_is_not_text_is_refused(expression):
    with pytest.raises(ExpressionError, match=r"null|not text"):
        parse(expression, ["x"])


# -- the process ---------------------------------------------------------------------------------


def test_a_derivation_ends_with_status_0():
    ended = in_a_process(LECTURE, "x=2")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "  ∂f/∂a += ∂f/∂c · ∂c/∂a = 4 · 1 → 7.2432\n" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x +", "x=2"], "error: not a Python expression: invalid syntax\n  x +\n     ^\n"),
        (["x", "x=abc"], "error: x=abc: expected a number for x, such as 2, -1e-3, 1/3 or pi/2\n"),
        (
            ["-" * 100_000 + "x", "x=2"],
            "error: the expression has 100,001 characters; the limit is 10,000\n",
        ),
        (
            ["-" * 9_999 + "x", "x=2"],
            "error: the expression is nested more than 1,000 levels deep\n",
        ),
    ],
)
def test_a_wrong_command_ends_with_status_2_and_no_traceback(arguments, message):
    ended = in_a_process(*arguments)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", message)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_where_the_console_has_no_such_letters_the_output_is_ascii(encoding):
    ended = in_a_process(LECTURE, "x=2", PYTHONIOENCODING=encoding)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.isascii()
    assert "  d f/d a += d f/d c * d c/d a = 4 * 1 -> 7.2432\n" in ended.stdout


def test_a_users_own_letters_are_escaped_on_an_ascii_console():
    ended = in_a_process("2*λ", "λ=3", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "f = 2 * \\u03bb = 6\n" in ended.stdout


def test_symbols_fit_the_encoding():
    assert symbols_for("utf-8") is UNICODE
    assert symbols_for("cp437") is symbols_for("unheard-of") is symbols_for(None) is ASCII


@pytest.mark.skipif(os.name != "posix", reason="pipes are closed this way on POSIX only")
def test_a_closed_pipe_ends_the_command_quietly():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "autograd_lite", LECTURE, "x=2"],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device here")
def test_output_that_cannot_be_written_ends_with_status_1():
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "autograd_lite", "x", "x=2"],
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr == "error: the output could not be written: No space left on device\n"


def test_an_interrupt_ends_quietly(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("autograd_lite.commandline.application.derive", interrupted)
    assert run(["x", "x=2"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def no_lines(monkeypatch):
    """Standard input is at its end, and is no terminal."""
    monkeypatch.setattr("sys.stdin", io.StringIO())


def test_help_teaches_by_examples_that_work(capsys, no_lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    help_ = written(capsys, "--help")
    assert help_ == written(capsys, "x**2", "-h")
    assert all(name in help_ for name in FUNCTIONS)
    examples = [line for line in help_.splitlines() if line.startswith("  python -m autograd_lite")]
    assert len(examples) == 7
    for example in examples:
        _, expression, rest = example.split('"')
        assert written(capsys, expression, *rest.split())
    assert sorted(os.listdir()) == ["graph.svg", "steps.html"]


# -- step by step --------------------------------------------------------------------------------


def test_step_walks_through_the_forward_and_the_backward_pass(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("\nend\nq\n"))
    assert written(capsys, LECTURE, "x=2", "--step").splitlines()[1:] == [
        "Forward pass of f: start",
        "  The leaves are given; the operations follow, each with its local partials.",
        "> Forward pass of f: operation 1 of 4",
        "  a = x ** 2 = 4",
        "  ∂a/∂x = 4",
        "> Backward pass of f: step 6 of 6",
        "  x.grad += a.grad · ∂a/∂x",
        "         += 4.62862 · 4 ≈ 18.5145",
        "  x.grad  = 18.5145    (1 of 1)",
        "> ",
    ]


def test_the_steps_have_the_names_of_the_derivation(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\nn\n"))
    text = written(capsys, "u = 2*x; w = u*v1", "x=2", "v1=3", "--step")
    assert "  u = 2 * x = 4\n" in text
    assert "  w = u * v1 = 12\n" in text


@pytest.mark.parametrize("arguments", [["3"], ["x*0 if x < 0 else 1", "x=2"]])
def test_where_no_gradient_is_needed_there_are_no_steps_to_show(capsys, arguments):
    message = refused(capsys, *arguments, "--step")
    assert message == "error: f needs no gradient at this point, so there is nothing to show\n"


@pytest.mark.parametrize("option", ["--svg", "--html"])
def test_where_no_gradient_is_needed_no_file_is_written(capsys, tmp_path, option):
    path = tmp_path / f"f.{option[2:]}"
    message = refused(capsys, "3", option, str(path))
    assert message == "error: f needs no gradient at this point, so there is nothing to show\n"
    assert os.listdir(tmp_path) == []


def test_steps_are_for_people_json_is_for_machines(capsys):
    message = refused(capsys, "x", "x=2", "--step", "--json")
    assert message.startswith("error: argument --json: not allowed with argument --step;")


# -- files ---------------------------------------------------------------------------------------


def test_picture_and_page_are_saved_beside_the_derivation(capsys, tmp_path):
    svg, html = tmp_path / "f.svg", tmp_path / "f.html"
    text = written(capsys, LECTURE, "x=2", "--svg", str(svg), f"--html={html}")
    assert text == written(capsys, LECTURE, "x=2") + f"\nSaved {svg}.\nSaved {html}.\n"
    picture = svg.read_text(encoding="utf-8")
    assert picture.count('class="edge"') == 6
    assert 'data-label="a"' in picture
    assert "18.514492084950497" in html.read_text(encoding="utf-8")


def test_json_says_nothing_of_saved_files(capsys, tmp_path):
    found = data(capsys, LECTURE, "x=2", "--html", str(tmp_path / "f.html"))
    assert found == data(capsys, LECTURE, "x=2")
    assert os.listdir(tmp_path) == ["f.html"]


def test_a_file_name_may_begin_with_a_minus_sign(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert written(capsys, "-x", "x=2", "--svg", "-x.svg").endswith("\nSaved -x.svg.\n")
    assert os.listdir() == ["-x.svg"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--svg=f.png", "--svg: 'f.png' has the extension '.png', expected .svg"),
        ("--html=f", "--html: 'f' has no extension, expected .html"),
        ("--html=f.svg", "--html: 'f.svg' has the extension '.svg', expected .html"),
    ],
)
def test_an_unknown_extension_is_refused_before_anything_is_done(capsys, option, message):
    assert refused(capsys, "x", "x=2", option) == f"error: {message}\n"


@pytest.mark.parametrize("option", ["--svg", "--html"])
def test_a_file_that_cannot_be_written_ends_with_status_1(capsys, tmp_path, option):
    path = tmp_path / "missing" / f"f.{option[2:]}"
    assert run(["x*x", "x=2", option, str(path)]) == 1
    message = f"error: {path} could not be written: No such file or directory\n"
    assert capsys.readouterr() == ("", message)


# -- for every expression ------------------------------------------------------------------------

POINT = {"x": 0.7, "y": -1.3, "z": 2.5}
UNARY = sorted(name for name, f in FUNCTIONS.items() if f.most == 1)
NAMED = {name: FUNCTIONS[name].apply for name in UNARY}
BINARY = {o.name: o.apply for o in OPERATORS.values() if o.apply is not arithmetic.negative}

numbers = st.floats(0, 1e3).map(lambda x: (repr(x), lambda point: x))
names = st.sampled_from(sorted(POINT)).map(lambda name: (name, lambda point: point[name]))


def _called(name, a):
    return f"{name}({a[0]})", lambda point: NAMED[name](a[1](point))


def _between(name, a, b):
    return f"({a[0]}) {name} ({b[0]})", lambda point: BINARY[name](a[1](point), b[1](point))


def _chosen(a, b, c):
    def choose(point):
        condition, left, right = a[1](point), b[1](point), c[1](point)
        return autograd_lite.where(condition > 0.5, left, right)

    return f"where({a[0]} > 0.5, {b[0]}, {c[0]})", choose


expressions = st.recursive(
    names | numbers,
    lambda inner: st.one_of(
        st.builds(_called, st.sampled_from(UNARY), inner),
        st.builds(_between, st.sampled_from(sorted(BINARY)), inner, inner),
        st.builds(_chosen, inner, inner, inner),
    ),
    max_leaves=12,
)


@given(expressions)
def test_an_expression_has_the_value_that_the_engine_gives_directly(expression):
    text, directly = expression
    program = parse(text, list(POINT))
    expected = directly({name: Value(x) for name, x in POINT.items()})
    assert repr(derive(program, POINT).value) == repr(float(expected))


@given(expressions)
def test_the_totals_of_the_contributions_are_the_gradients_of_the_engine(expression):
    program = parse(expression[0], list(POINT))
    leaves = {name: Value(x) for name, x in POINT.items()}
    root = program.evaluate(leaves)[program.result]
    if not (isinstance(root, Value) and root.requires_grad):
        return
    root.backward()
    totals = {step.operand: step.total for step in steps(root)}
    assert all(repr(operand.grad) == repr(total) for operand, total in totals.items())


@given(expressions)
def test_what_is_written_can_be_read_again(expression):
    found = derive(parse(expression[0], list(POINT)), POINT)
    text = "; ".join(f"{row.name} = {row.expression}" for row in found.rows)
    again = derive(parse(text, list(POINT)), POINT)
    assert again.rows == found.rows or "nan" in repr(found.rows)
    assert repr(sorted(again.gradient.items())) == repr(sorted(found.gradient.items()))


@given(expressions)
def test_a_derivation_is_always_valid_json(expression):
    found = derive(parse(expression[0], list(POINT)), POINT)
    json.dumps(as_data(found), allow_nan=False)


@given(st.text() | st.text("xy0123456789.+-*/%()=;, sincoexp[]'\"\n\\#λ²^<>:ifelse", max_size=60))
def test_any_other_text_is_refused_with_a_message_of_our_own(text):
    with suppress(ExpressionError):
        derive(parse(text, ["x", "y"]), {"x": 1.5, "y": -2.0})


@given(st.text("-x2=", max_size=6), st.lists(st.text("-xyj2= ", max_size=6), max_size=3))
def test_no_arguments_make_the_command_raise(expression, assignments):
    assert run([expression, *assignments]) in (0, 2)
