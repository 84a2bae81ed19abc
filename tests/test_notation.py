"""How numbers and equations are written."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite.notation import ASCII, UNICODE, encodable, padded, printable, product, summed

numbers = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-100, 100)
    | st.integers(-50, 50).map(float)
    | st.integers(-999, 999).map(lambda n: n / 8)
)


def shown(text):
    """Return the exact value of a number as it is written in an equation."""
    return Fraction(text.strip("()"))


@given(numbers, numbers)
def test_shown_terms_add_up_to_the_shown_sum_or_carry_a_sign(a, b):
    if abs(a + b) == float("inf"):
        return
    equation = summed(a, b, a + b)
    first, second = equation.terms.split(" + ")
    adds_up = shown(first) + shown(second) == shown(equation.result)
    assert equation.sign == ("=" if adds_up else "≈")


def test_a_product_of_nothing_is_0_as_the_sum_with_it_is():
    assert str(product(-2.0, 0.0, -0.0)) == "(-2) · 0 = 0"


@given(numbers, numbers)
def test_shown_factors_give_the_shown_product_or_carry_a_sign(a, b):
    if abs(a * b) == float("inf"):
        return
    equation = product(a, b, a * b)
    first, second = equation.terms.split(" · ")
    gives = shown(first) * shown(second) == shown(equation.result)
    assert equation.sign == ("=" if gives else "≈")


@given(numbers, numbers)
def test_negative_terms_are_in_parentheses(a, b):
    for equation in (summed(a, b, a + b), product(a, b, a * b)):
        assert all(
            term.startswith("(-") == term.endswith(")") == ("-" in f"{number:.6g}"[:1])
            for term, number in zip(
                equation.terms.replace(" · ", " + ").split(" + "), (a, b), strict=True
            )
        )


@pytest.mark.parametrize(
    ("equation", "text"),
    [
        (product(2.0, -3.0, -6.0), "2 · (-3) = -6"),
        (product(2.0, -3.0, -6.0, ASCII), "2 * (-3) = -6"),
        (product(1 / 3, 3.0, 1.0, ASCII), "0.333333 * 3 ~ 1"),
        (product(0.0, float("-inf"), float("nan")), "0 · (-inf) = nan"),
        (summed(0.1, 0.2, 0.1 + 0.2), "0.1 + 0.2 = 0.3"),
        (summed(1e300, 1e-300, 1e300), "1e+300 + 1e-300 ≈ 1e+300"),
        (summed(1234567.0, 1.0, 1234568.0), "1.23457e+06 + 1 ≈ 1.23457e+06"),
    ],
)
def test_equations_read_as_in_a_book(equation, text):
    assert str(equation) == text


def test_derivatives_are_written_with_the_signs_of_the_console():
    assert (UNICODE.derivative("f", "x"), ASCII.derivative("f", "x")) == ("∂f/∂x", "d f/d x")


def test_letters_that_an_encoding_lacks_are_escaped():
    assert encodable("∂é", "latin-1") == "\\u2202é"
    assert encodable("∂é", None) == encodable("∂é", "unheard-of") == "\\u2202\\xe9"


def test_what_steers_a_terminal_is_not_printed():
    assert printable("a\x1b[1mb\u202ec\n") == "a?[1mb?c?"


def test_padding_counts_columns_not_letters():
    assert padded("漢字", 6) == "漢字  "
    assert padded("e\u0301", 3) == "e\u0301  "
