"""Names, numbers and the table's formulas in LaTeX: what a document and MathJax both understand."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd_lite.formulas import SERIES, Formula, Operands, derivative_of, formula_of
from autograd_lite.formulas import operands_by_name as by_name
from autograd_lite.notation import short

SUM, NEGATIVE, PRODUCT, POWER, ATOM = range(5)
SHOWN = 6
"""So many operands of one operation are shown; of more the first three and the last."""


class Tex(NamedTuple):
    r"""A piece of a formula.

    Attributes
    ----------
    text : str
    binding : int
        How tightly it holds together, from SUM to ATOM.
    number : float or None
        The number that it is, if it is one.
    given : bool
        Whether that number is an operand, and not part of a formula of the table.
    raised : str
        The text up to where an exponent can stand: ``\sin`` of ``\sin(x)``.
    """

    text: str
    binding: int = ATOM
    number: float | None = None
    given: bool = False
    raised: str = ""


# -- numbers -------------------------------------------------------------------------------------


def number(x: float, *, given: bool = False) -> Tex:
    r"""Return a number with six significant digits.

    Examples
    --------
    >>> from autograd_lite.tex import number
    >>> number(-0.25).text, number(1.5e-9).text, number(float("inf")).text
    ('-0.25', '1.5 \\times 10^{-9}', '\\infty')
    """
    digits, _, exponent = short(x + 0.0).partition("e")  # 0, not -0
    if exponent:
        digits = f"{digits} \\times 10^{{{int(exponent)}}}"
    elif x != x:
        digits = r"\mathrm{NaN}"
    digits = digits.replace("inf", r"\infty")
    binding = NEGATIVE if digits.startswith("-") else PRODUCT if exponent else ATOM
    return Tex(digits, binding, x, given)


def factor(x: float) -> str:
    """Return a number as it stands in a product: in parentheses if it is negative."""
    return within(number(x), PRODUCT)


# -- names ---------------------------------------------------------------------------------------

_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau"
    "|upsilon|phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
)
_SPECIAL = {
    **{c: "\\" + c for c in "_%&#$"},
    "{": r"\{",
    "}": r"\}",
    "\\": r"\backslash ",
    "^": r"\wedge ",
    "~": r"\sim ",
    " ": r"\ ",
    "<": "{<}",
    ">": "{>}",
}


def symbol(name: str) -> str:
    r"""Return the name of a node for mathematics, with indices as subscripts.

    Examples
    --------
    >>> from autograd_lite.tex import symbol
    >>> for name in ("x", "v12", "w[2]", "w_hh", "theta", "learning_rate", "layers.0.w[3][1]"):
    ...     print(symbol(name))
    x
    v_{12}
    w_{2}
    w_{\mathrm{hh}}
    \theta
    \mathrm{learning\_rate}
    \mathrm{layers}_{0}.w_{3,1}
    """
    name = "".join(c if c.isprintable() else " " for c in name)
    found: list[tuple[str, list[str]]] = []
    for part in name.split("."):
        if part.isdecimal() and found:
            found[-1][1].append(part)
        elif match := re.fullmatch(r"(\w+?)((?:\[\d+\])*)", part):
            base, own = _split(match[1])
            found.append((_word(base), own + re.findall(r"\d+", match[2])))
        else:
            return _word(name)
    return ".".join(f"{base}_{{{','.join(own)}}}" if own else base for base, own in found)


def _split(word: str) -> tuple[str, list[str]]:
    """Split x12, x_12 and x_ij into a base and a subscript."""
    if numbered := re.fullmatch(r"(\w*?[^\W\d_])_?(\d+)", word):
        return numbered[1], [numbered[2]]
    head, _, tail = word.partition("_")
    if tail and (len(head) == 1 or _GREEK.fullmatch(head)):
        return head, [_word(tail)]
    return word, []


def _word(word: str) -> str:
    """Return a word: one letter in italics, more upright, other alphabets as text."""
    if _GREEK.fullmatch(word):
        return "\\" + word
    if len(word) == 1 and word.isascii() and word.isalnum():
        return word
    if len(word) == 1 and (letter := _greek_letter(word)):
        return letter
    if not word.isascii() and not any(c in _SPECIAL for c in word):
        return f"\\text{{{word}}}"
    return "".join(
        f"\\mathrm{{{_escaped(run)}}}" if run.isascii() else f"\\text{{{run}}}"
        for run in re.findall(r"[\x00-\x7f]+|[^\x00-\x7f]+", word)
    )


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(c, c) for c in text)


def _greek_letter(letter: str) -> str:
    from unicodedata import name

    words = name(letter, "").split()
    if len(words) == 4 and words[0] == "GREEK" and words[2] == "LETTER":
        found = words[3].replace("LAMDA", "LAMBDA").lower()
        found = found if words[1] == "SMALL" else found.capitalize()
        return "\\" + found if _GREEK.fullmatch(found) else ""
    return ""


# -- formulas ------------------------------------------------------------------------------------

_COMMANDS = {
    **{name: "\\" + name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: "\\" + name for name in ("log", "max", "min")},
    "asin": r"\arcsin",
    "acos": r"\arccos",
    "atan": r"\arctan",
    "sigmoid": r"\sigma",
    "log2": r"\log_{2}",
    "log10": r"\log_{10}",
    **{f"a{name}": rf"\operatorname{{ar{name}}}" for name in ("sinh", "cosh", "tanh")},
}
_DELIMITED = {
    "exp": ("e^{", "}", POWER),
    "sqrt": (r"\sqrt{", "}", ATOM),
    "cbrt": (r"\sqrt[3]{", "}", ATOM),
    "abs": (r"\left|", r"\right|", ATOM),
    "floor": (r"\left\lfloor ", r"\right\rfloor", ATOM),
    "ceil": (r"\left\lceil ", r"\right\rceil", ATOM),
}
_RELATIONS = {ast.Gt: ">", ast.Lt: "<", ast.GtE: r"\ge", ast.LtE: r"\le"}


def within(piece: Tex, binding: int) -> str:
    """Return a piece, in parentheses if it binds less tightly than its place wants."""
    return piece.text if piece.binding >= binding else _parenthesised(piece.text)


def _parenthesised(text: str) -> str:
    high = re.search(r"\\frac|\\sqrt|\\begin|\\left|\^\{\d?[^\d}]", text)
    return rf"\left({text}\right)" if high else f"({text})"


def operation(primitive: Any, operands: Sequence[Tex], *, simplify: bool = True) -> Tex:
    """Return an operation on operands, as the table writes it.

    Parameters
    ----------
    primitive : Primitive or Variadic
    operands : sequence of Tex
    simplify : bool
        Whether a factor or an exponent of 1 is left out.
    """
    if primitive.name in _COMMANDS or primitive.name in _DELIMITED:
        return _applied(primitive.name, list(operands))
    found = formula_of(primitive.formula)
    if found is None:
        return _applied(primitive.name, shortened(list(operands), Tex(r"\ldots")))
    bound = by_name(primitive, tuple(operands), Tex("y"))
    tex = _Typesetter(found, bound, 0, simplify).tex(found.tree)
    if not bound.rest:
        return tex
    return Tex(" + ".join([tex.text, *(within(x, PRODUCT) for x in bound.rest)]), SUM)


def derivative(primitive: Any, position: int, operands: Sequence[Tex], result: Tex) -> Tex | None:
    """Return the textbook derivative with respect to one operand; None if the table has none."""
    found, index = derivative_of(primitive, position, len(operands))
    if found is None:
        return None
    bound = by_name(primitive, tuple(operands), result)
    return _Typesetter(found, bound, index, True).tex(found.tree)


class _Typesetter:
    """Turns the tree of a formula into LaTeX; the depth is that of a formula of the table."""

    def __init__(self, formula: Formula, operands: Operands, index: int, simplify: bool) -> None:
        self._formula = formula
        self._operands = operands
        self._index = index
        self._simplify = simplify

    def tex(self, node: ast.expr) -> Tex:
        found: Tex = getattr(self, f"_{type(node).__name__.lower()}")(node)
        return found

    def _constant(self, node: ast.Constant) -> Tex:
        assert isinstance(node.value, int | float)
        return Tex(repr(node.value), number=float(node.value))  # with all digits

    def _name(self, node: ast.Name) -> Tex:
        if node.id == SERIES:
            between, terms = self._formula.between, self._terms()
            if len(terms) == 1:
                return terms[0]
            joint, binding = {"+": (" + ", SUM), "*": (r" \cdot ", PRODUCT), ",": (", ", ATOM)}[
                between
            ]
            place = SUM if between == "," else PRODUCT
            first = within(terms[0], PRODUCT if between == "*" else SUM)
            return Tex(joint.join([first, *(within(x, place) for x in terms[1:])]), binding)
        if node.id == "n" and self._operands.lists:
            return number(len(self._operands.lists["x"]))
        if node.id in ("pi", "mean"):
            return Tex({"pi": r"\pi", "mean": r"\bar{x}"}[node.id])
        return self._operands.single.get(node.id) or Tex(symbol(node.id))

    def _terms(self) -> list[Tex]:
        """Return the terms that ``…`` continues, the middle of many left out."""
        assert self._formula.term is not None
        found = []
        for place in shortened(list(range(len(self._operands.lists["x"]))), None):
            if place is None:
                found.append(Tex(r"\cdots"))
            else:
                term = _Typesetter(self._formula, self._operands, place, self._simplify)
                found.append(term.tex(self._formula.term))
        return found

    def _subscript(self, node: ast.Subscript) -> Tex:
        assert isinstance(node.value, ast.Name)
        found: Tex = self._operands.lists[node.value.id][self._index]
        return found

    def _unaryop(self, node: ast.UnaryOp) -> Tex:
        operand = self.tex(node.operand)
        return Tex(
            f"-{within(operand, PRODUCT)}",
            NEGATIVE,
            None if operand.number is None else -operand.number,
            operand.given,
        )

    def _binop(self, node: ast.BinOp) -> Tex:
        left, right = self.tex(node.left), self.tex(node.right)
        kind = type(node.op)
        if self._simplify and (simpler := _simplified(kind, left, right)):
            return simpler
        if kind is ast.Add:
            return Tex(f"{left.text} + {within(right, PRODUCT)}", SUM)
        if kind is ast.Sub:
            return Tex(f"{left.text} - {within(right, PRODUCT)}", SUM)
        if kind is ast.Mult:
            return multiplied(left, right)
        if kind is ast.Div:
            numbers = left.number is not None and right.number is not None
            sign = "-" if left.binding == NEGATIVE and not numbers else ""
            quotient = rf"{sign}\frac{{{left.text.removeprefix(sign)}}}{{{right.text}}}"
            return Tex(quotient, NEGATIVE if sign else PRODUCT)
        if kind is ast.Mod:
            return Tex(rf"{within(left, PRODUCT)} \bmod {within(right, POWER)}", PRODUCT)
        if right.number == 0.5:
            return Tex(rf"\sqrt{{{left.text}}}")
        if left.raised and right.number is not None and right.number in range(2, 10):
            return Tex(f"{left.raised}^{{{right.text}}}{left.text[len(left.raised) :]}")
        return Tex(f"{within(left, ATOM)}^{{{right.text}}}", POWER)

    def _call(self, node: ast.Call) -> Tex:
        assert isinstance(node.func, ast.Name)
        return _applied(node.func.id, [self.tex(x) for x in node.args])

    def _ifexp(self, node: ast.IfExp) -> Tex:
        condition = self._condition(node.test)
        return Tex(
            rf"\begin{{cases}} {self.tex(node.body).text} & \text{{if }} {condition} \\"
            rf" {self.tex(node.orelse).text} & \text{{otherwise}} \end{{cases}}",
        )

    def _condition(self, node: ast.expr) -> str:
        assert isinstance(node, ast.Compare)
        parts = [self.tex(node.left).text]
        for relation, right in zip(node.ops, node.comparators, strict=True):
            parts += [_RELATIONS[type(relation)], self.tex(right).text]
        return " ".join(parts)


def multiplied(left: Tex, right: Tex) -> Tex:
    """Return a product; a number stands close before a symbol."""
    numbers = left.number is not None and right.number is not None
    first, second = within(left, PRODUCT if numbers else NEGATIVE), within(right, PRODUCT)
    close = left.number is not None and right.number is None and second[0] not in "(0123456789"
    binding = NEGATIVE if first.startswith("-") else PRODUCT
    return Tex(f"{first} {second}" if close else rf"{first} \cdot {second}", binding)


def _simplified(kind: type[ast.operator], left: Tex, right: Tex) -> Tex | None:
    """Leave out factors and exponents of 1, and work out b - 1 for an operand b that is known."""
    a, b = left.number, right.number
    if a is not None and b is not None and (left.given or right.given):
        if kind is ast.Sub:
            return number(a - b, given=True)
        if kind is ast.Mult:
            return number(a * b, given=True)
    if kind in (ast.Mult, ast.Div, ast.Pow) and b == 1.0:
        return left
    return right if kind is ast.Mult and a == 1.0 else None


def _applied(name: str, operands: list[Tex]) -> Tex:
    if name in _DELIMITED:
        before, after, binding = _DELIMITED[name]
        return Tex(before + operands[0].text + after, binding)
    if name == "hypot":
        return Tex(rf"\sqrt{{{' + '.join(f'{within(x, ATOM)}^{{2}}' for x in operands)}}}")
    command = _COMMANDS.get(name) or rf"\operatorname{{{_escaped(name)}}}"
    inside = _parenthesised(", ".join(x.text for x in operands))
    return Tex(command + inside, raised=command if command[1:] in _COMMANDS else "")


def shortened(parts: list[Any], gap: Any) -> list[Any]:
    """Leave out the middle of a long list."""
    return parts if len(parts) <= SHOWN else [*parts[:3], gap, parts[-1]]
