"""What the tests of LaTeX share."""

from __future__ import annotations

import re

from autograd_lite import Value, latex


def expression(y: Value) -> str:
    """Return the expression's one line, without the name of the result."""
    lines = latex(y).expression.splitlines()
    assert len(lines) == 3, lines
    return lines[1].split("&", 1)[1]


def d(of: str, by: str) -> str:
    return rf"\frac{{\mathrm{{d}}{of}}}{{\mathrm{{d}}{by}}}"


def partial(of: str, by: str) -> str:
    return rf"\frac{{\partial {of}}}{{\partial {by}}}"


def apply(primitive):
    if primitive.variadic:
        leaves = [Value(0.5 + i, label=f"x[{i}]") for i in range(4)]
        return primitive(leaves), leaves
    letters = "x" if primitive.arity == 1 else "abc"
    leaves = [Value(0.5 + 0.25 * i, label=letters[i]) for i in range(primitive.arity)]
    return primitive(*leaves), leaves


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
