"""What is typed after ``python -m autograd_lite``."""

from __future__ import annotations

import argparse
import math
import re
import textwrap
from collections.abc import Sequence
from keyword import iskeyword
from typing import NoReturn
from unicodedata import normalize

from autograd_lite.commandline.errors import ExpressionError, UsageError
from autograd_lite.commandline.parsing import parse
from autograd_lite.commandline.vocabulary import FUNCTIONS
from autograd_lite.saving import extension_of

OPTION = re.compile(r"-h|--([a-z][a-z-]+(=.*)?)?", re.DOTALL)

DESCRIPTION = """\
Derive the gradient of an expression, step by step: the forward pass with every
intermediate value, the backward pass with every contribution, the gradient,
and the same gradient by finite differences.
"""

EXAMPLES = """\
examples:
  python -m autograd_lite "(x**2 + sin(x**2)) * x**2" x=2
  python -m autograd_lite "a = x**2; b = sin(a); (a + b) * a" x=2
  python -m autograd_lite "tanh(w*x + b)" x=1 w=-0.5 b=1/3
  python -m autograd_lite "where(x > 0, x, 0.1*x)" x=-2
  python -m autograd_lite "-x**2 % 3" x=pi/2 --json
  python -m autograd_lite "x*y + sin(x)" x=2 y=3 --step
  python -m autograd_lite "x*y + sin(x)" x=2 y=3 --svg graph.svg --html steps.html

An expression is written as in Python, with + - * / ** %, parentheses, the
constants pi and e (unless you use these names yourself), and these functions:

{functions}

total, mean, var, prod, norm, logsumexp, max_of and min_of take any number of
arguments, or a list of them, as in mean([x, 2]). dot([x, 1], [2, x]) takes two
lists. var(x, 2, correction=0) divides by n instead of n - 1. A comparison may
stand as the condition of where(condition, a, b) or of 'a if condition else b'.
Intermediate values may be named, 'a = x**2; ...'; the others get a letter.
Equal subexpressions are computed once.

--json writes expression, variables, result, value, forward, backward,
gradient, finite_differences and notes, with all digits. NaN and infinities are
written as the texts "NaN", "Infinity" and "-Infinity".

--step shows one step after the other. In a terminal n or the right arrow goes
on, p or the left arrow back, q ends; elsewhere it reads commands line by line.

"python -m autograd_lite grade my_engine.py" grades an engine of your own; its
options: "python -m autograd_lite grade --help".

exit status: 0 if the derivation was written (also where a value is NaN or
infinite, as a note then says), 1 if the output or a file could not be written,
2 if the command was wrong, 130 after Ctrl-C.
"""


class Parser(argparse.ArgumentParser):
    """An `argparse.ArgumentParser` whose errors are the command's own."""

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError`."""
        raise UsageError(f"{message}; --help shows examples")


def parser() -> Parser:
    """Return the parser of the command line for expressions."""
    names = textwrap.fill(", ".join(sorted(FUNCTIONS)), 76)
    found = Parser(
        prog="python -m autograd_lite",
        description=DESCRIPTION,
        epilog=EXAMPLES.format(functions=textwrap.indent(names, "  ")),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    found.add_argument(
        "expression", nargs="?", help='what to differentiate, such as "x**2 + sin(x)"'
    )
    found.add_argument(
        "assignments",
        nargs="*",
        metavar="name=number",
        help="a value for each variable, such as x=2, x=-1e-3, x=1/3 or x=pi/2",
    )
    instead = found.add_mutually_exclusive_group()
    instead.add_argument("--json", action="store_true", help="write JSON instead of text")
    instead.add_argument(
        "--step", action="store_true", help="walk through both passes, one step at a time"
    )
    found.add_argument("--svg", metavar="FILE", help="save a picture of the graph")
    found.add_argument("--html", metavar="FILE", help="save a page to step through, offline")
    return found


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the arguments of the command line for expressions.

    An argument that begins with a minus sign but is not spelt like an option is an expression.
    """
    shielded = [
        f" {text}" if text.startswith("-") and not OPTION.fullmatch(text) else text
        for text in given
    ]
    options = parser().parse_intermixed_args(shielded)
    if options.expression is None:
        raise UsageError('no expression is given; try python -m autograd_lite "x**2 + sin(x)" x=2')
    options.expression = options.expression.removeprefix(" ")
    if options.svg is not None:
        options.svg = _path("--svg", options.svg, ".svg")
    if options.html is not None:
        options.html = _path("--html", options.html, ".html")
    return options


def _path(option: str, given: str, extension: str) -> str:
    path = given[1:] if given.startswith(" -") else given
    try:
        extension_of(path, [extension])
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    return path


def point_from(assignments: Sequence[str]) -> dict[str, float]:
    """Return the numbers of assignments ``name=number``, by name.

    Raises
    ------
    UsageError
        If one is not of that form, its number is not finite, or a name comes twice.

    Examples
    --------
    >>> from autograd_lite.commandline.arguments import point_from
    >>> point_from(["x=2", "y=-1/4"])
    {'x': 2.0, 'y': -0.25}
    """
    point: dict[str, float] = {}
    seen: dict[str, str] = {}
    for given in assignments:
        written, equals, number = given.partition("=")
        name = normalize("NFKC", written.strip())
        if not equals or not name.isidentifier() or iskeyword(name):
            raise UsageError(f"{_shown(given)}: expected name=number, such as x=2")
        if name in seen:
            raise UsageError(f"{name} is given twice: {_shown(seen[name])} and {_shown(given)}")
        seen[name] = given
        point[name] = _number(given, name, number)
    return point


def _number(given: str, name: str, text: str) -> float:
    wanted = f"expected a number for {name}, such as 2, -1e-3, 1/3 or pi/2"
    if "=" in text:
        raise UsageError(f"{_shown(given)}: {wanted}")
    try:
        program = parse(text)
    except ExpressionError:
        raise UsageError(f"{_shown(given)}: {wanted}") from None
    number = float(program.evaluate({})[program.result])
    if not math.isfinite(number):
        raise UsageError(f"{_shown(given)}: {name} would be {number}, expected a finite number")
    return number


def _shown(text: str) -> str:
    """Return an argument on one line, shortened."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."
