"""How numbers and derivatives are written as text, on a console of any encoding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Symbols(NamedTuple):
    """The signs of a derivation."""

    d: str
    times: str
    arrow: str
    none: str
    almost: str
    pointer: str
    bullet: str
    gap: str

    def derivative(self, of: str, by: str) -> str:
        """Return ``∂of/∂by``."""
        return f"{self.d}{of}/{self.d}{by}"


UNICODE = Symbols("∂", "·", "→", "–", "≈", "▶", "•", "⋮")
ASCII = Symbols("d ", "*", "->", "-", "~", ">", "*", ":")


def symbols_for(encoding: str | None) -> Symbols:
    """Return the signs that an encoding can write."""
    try:
        "".join(UNICODE).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


# -- numbers -------------------------------------------------------------------------------------


def short(number: float) -> str:
    """Return a number with six significant digits."""
    return f"{number:.6g}"


def factor(number: float) -> str:
    """Return a number as it stands in a sum or a product: in parentheses if it is negative."""
    text = short(number)
    return f"({text})" if text.startswith("-") else text


class Equation(NamedTuple):
    """Terms, a sign, and what they come to; the sign says whether the *shown* numbers agree."""

    terms: str
    sign: str
    result: str

    def __str__(self) -> str:
        return f"{self.terms} {self.sign} {self.result}"


def product(a: float, b: float, result: float, symbols: Symbols = UNICODE) -> Equation:
    """Write out a · b, with ``≈`` where the shown factors do not give the shown result.

    Examples
    --------
    >>> from autograd_lite.notation import product
    >>> print(product(4.0, 1.0, 4.0))
    4 · 1 = 4
    >>> print(product(4.0, -0.6536436208636119, -2.6145744834544478))
    4 · (-0.653644) ≈ -2.61457
    """
    sign = "=" if _agree("*", a, b, result) else symbols.almost
    terms = f"{factor(a)} {symbols.times} {factor(b)}"
    return Equation(terms, sign, short(result + 0.0))  # -0 is 0


def summed(a: float, b: float, result: float, symbols: Symbols = UNICODE) -> Equation:
    """Write out a + b, with ``≈`` where the shown terms do not add up to the shown result.

    Examples
    --------
    >>> from autograd_lite.notation import summed
    >>> print(summed(7.243197504692072, -2.6145744834544478, 4.628623021237624))
    7.2432 + (-2.61457) ≈ 4.62862
    """
    sign = "=" if _agree("+", a, b, result) else symbols.almost
    return Equation(f"{factor(a)} + {factor(b)}", sign, short(result))


def _agree(operator: str, *numbers: float) -> bool:
    """Whether an equation holds exactly between numbers as they are shown."""
    if not all(x - x == 0.0 for x in numbers):
        return True
    from fractions import Fraction

    a, b, result = (Fraction(short(x)) for x in numbers)
    return (a * b if operator == "*" else a + b) == result


_INFIX = ("+", "-", "*", "/", "**", "%")


def written(op: str, given: Sequence[str]) -> str:
    """Return an operation applied to texts.

    Examples
    --------
    >>> from autograd_lite.notation import written
    >>> written("*", ["x", "-2"]), written("dot", ["a", "b", "x", "y"]), written("sin", ["x"])
    ('x * (-2)', 'a·x + b·y', 'sin(x)')
    """
    if op in (*_INFIX, "neg", "dot"):
        given = [f"({x})" if x.startswith("-") else x for x in given]
    if op in _INFIX:
        return f"{given[0]} {op} {given[1]}"
    if op == "neg":
        return f"-{given[0]}"
    if op == "same":
        return given[0]
    if op == "dot":
        half = len(given) // 2
        pairs = zip(given[:half], given[half : 2 * half], strict=True)
        return " + ".join([f"{a}·{b}" for a, b in pairs] + list(given[2 * half :]))
    return f"{op}({', '.join(given)})"


# -- text for a console --------------------------------------------------------------------------


def printable(text: str) -> str:
    """Return text with ``?`` for control characters, which could steer a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def shortened(text: str, most: int) -> str:
    """Return text of at most so many letters: where paths differ, at the end, most is kept.

    Examples
    --------
    >>> from autograd_lite.notation import shortened
    >>> shortened("layers.0.neurons.13.w[2]", 16)
    'laye...s.13.w[2]'
    """
    if len(text) <= most:
        return text
    start = most // 4
    return f"{text[:start]}...{text[len(text) - (most - 3 - start) :]}"


def encodable(text: str, encoding: str | None) -> str:
    """Return text with escapes for the letters that an encoding lacks."""
    try:
        return text.encode(encoding or "ascii", "backslashreplace").decode(encoding or "ascii")
    except LookupError:
        return text.encode("ascii", "backslashreplace").decode("ascii")


def width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def padded(text: str, columns: int) -> str:
    """Return text with spaces up to a number of columns of a terminal."""
    return text + " " * (columns - width(text))
