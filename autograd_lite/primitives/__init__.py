"""The table of primitives: each one's value and partials, stated once.

`ieee` and `core` say what a primitive is; the other modules are the table, by subject. Every
interpreter of the mathematics (recording, higher derivatives, printing, tests) reads it from here.
"""

from autograd_lite.primitives import (
    activations,
    arithmetic,
    elementary,
    nary,
    piecewise,
    rounding,
)
from autograd_lite.primitives.core import TABLE, Primitive, Variadic, counted, number, operands_of

__all__ = [
    "TABLE",
    "Primitive",
    "Variadic",
    "activations",
    "arithmetic",
    "counted",
    "elementary",
    "nary",
    "number",
    "operands_of",
    "piecewise",
    "rounding",
]
