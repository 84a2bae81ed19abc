"""The operators: ``+ - * / ** %``, negation and absolute value."""

from __future__ import annotations

import math
import operator

from autograd_lite.primitives.core import POSITIVE, REALS, Primitive, entry
from autograd_lite.primitives.elementary import is_zero, log
from autograd_lite.primitives.ieee import INFINITY, NAN, divide, modulo, power
from autograd_lite.primitives.rounding import rounded

add = entry(
    Primitive(
        "+",
        operator.add,
        [lambda a, b, y: 1.0, lambda a, b, y: 1.0],
        formula="a + b",
        derivatives=("1", "1"),
        doc="The sum of two numbers.",
    )
)
subtract = entry(
    Primitive(
        "-",
        operator.sub,
        [lambda a, b, y: 1.0, lambda a, b, y: -1.0],
        formula="a - b",
        derivatives=("1", "-1"),
        doc="The difference of two numbers.",
    )
)
multiply = entry(
    Primitive(
        "*",
        operator.mul,
        [lambda a, b, y: b, lambda a, b, y: a],
        formula="a * b",
        derivatives=("b", "a"),
        doc="The product of two numbers.",
    )
)
divided = entry(
    Primitive(
        "/",
        operator.truediv,
        [lambda a, b, y: 1.0 / b, lambda a, b, y: -y / b],
        beyond=divide,
        formula="a / b",
        derivatives=("1 / b", "-a / b**2"),
        doc="The quotient of two numbers.",
    )
)


TINY = 1e-300  # 1 / a is finite beyond


def _power_partial(a: float, b: float, y: float) -> float:
    """Return b · a^(b - 1); as b · y / a where b - 1 is not exact, since a magnifies its error."""
    if is_zero(b) and not (a > TINY or a < -TINY):  # elsewhere b · a^(b - 1) has a slope in b
        return 0.0
    below = b - 1.0
    if 0.0 < a < INFINITY and (below + 1.0 < b or below + 1.0 > b):
        return b * (y / a)
    return b * to_the_power(a, below)


to_the_power: Primitive = entry(
    Primitive(
        "**",
        power,
        [
            _power_partial,
            lambda a, b, y: 0.0 if is_zero(a) and b >= 0.0 else y * log(a),
        ],
        domain=(POSITIVE, REALS),
        formula="a**b",
        derivatives=("b * a**(b - 1)", "a**b * log(a)"),
        doc="A number to a power; NaN where the real power does not exist.",
    )
)
negative = entry(
    Primitive(
        "neg",
        operator.neg,
        [lambda x, y: -1.0],
        formula="-x",
        derivatives=("-1",),
        doc="The negative of a number.",
    )
)
absolute = entry(
    Primitive(
        "abs",
        operator.abs,
        [lambda x, y: 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x <= 0.0 else x],
        kinks=(0.0,),
        formula="abs(x)",
        derivatives=("sign(x)",),
        doc="The absolute value; its derivative at 0 is taken as 0.",
    )
)
remainder = entry(
    Primitive(
        "%",
        operator.mod,
        [lambda a, b, y: 1.0, lambda a, b, y: -quotient(a, b, y)],
        beyond=modulo,
        domain=(REALS, POSITIVE),
        formula="a % b",
        derivatives=("1", "-floor(a / b)"),
        doc="The remainder with the sign of b, as Python's %.",
    )
)


def quotient(a: float, b: float, y: float) -> float:
    """Return the whole number (a - y) / b for a remainder y; a / b where y is NaN."""
    return rounded((a - y) / b) if y <= 0.0 or y >= 0.0 else a / b


fmod = entry(
    Primitive(
        "fmod",
        math.fmod,
        [lambda a, b, y: 1.0, lambda a, b, y: -quotient(a, b, y)],
        beyond=lambda a, b: NAN,
        domain=(REALS, POSITIVE),
        formula="fmod(a, b)",
        derivatives=("1", "-trunc(a / b)"),
        doc="The remainder with the sign of a, as C's fmod.",
    )
)
