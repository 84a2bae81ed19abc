"""Choices between operands, and functions of two or three operands with special points."""

from __future__ import annotations

from autograd_lite.primitives.activations import sigmoid
from autograd_lite.primitives.core import POSITIVE, REALS, Primitive, entry
from autograd_lite.primitives.elementary import LN2, exp, is_zero, log, log1p
from autograd_lite.primitives.ieee import NAN


def _share_of_larger(a: float, b: float) -> float:
    """Return a's share of maximum's derivative: 1, 0, or ½ at a tie; NaN where one is NaN."""
    return 1.0 if a > b else 0.0 if a < b else 0.5 if a <= b else NAN


maximum = entry(
    Primitive(
        "maximum",
        lambda a, b: a if a >= b else b if b > a else NAN,
        [lambda a, b, y: _share_of_larger(a, b), lambda a, b, y: _share_of_larger(b, a)],
        kinks=(0.0,),
        formula="max(a, b)",
        derivatives=("1 if a > b else 0", "1 if b > a else 0"),
        doc="The larger of two numbers; at a tie each has half of the derivative.",
    )
)
minimum = entry(
    Primitive(
        "minimum",
        lambda a, b: a if a <= b else b if b < a else NAN,
        [lambda a, b, y: _share_of_larger(b, a), lambda a, b, y: _share_of_larger(a, b)],
        kinks=(0.0,),
        formula="min(a, b)",
        derivatives=("1 if a < b else 0", "1 if b < a else 0"),
        doc="The smaller of two numbers; at a tie each has half of the derivative.",
    )
)


def _clamp(x: float, low: float, high: float) -> float:
    raised = x if x >= low else low if x < low else NAN
    return raised if raised <= high else high if raised > high else NAN


def _one_if(taken: bool, *operands: float) -> float:
    """Return 1 for the operand that is taken, else 0; NaN where there is a NaN among them."""
    for x in operands:
        if not x <= x:
            return NAN
    return 1.0 if taken else 0.0


clamp_between = entry(
    Primitive(
        "clamp",
        _clamp,
        [
            lambda x, low, high, y: _one_if(low <= x <= high, x, low, high),
            lambda x, low, high, y: _one_if(x < low < high, x, low, high),
            lambda x, low, high, y: _one_if(x > high or low > high, x, low, high),
        ],
        kinks=(0.0,),
        formula="min(max(a, b), c)",
        derivatives=("1 if b <= a <= c else 0", "1 if a < b < c else 0", "1 if a > c else 0"),
        doc="x limited to the interval from low to high; at its ends the derivative is 1.",
    )
)
hardtanh_between = entry(
    Primitive(
        "hardtanh",
        _clamp,
        [
            lambda x, low, high, y: _one_if(low < x < high, x, low, high),
            lambda x, low, high, y: _one_if(x <= low < high, x, low, high),
            lambda x, low, high, y: _one_if(x >= high or low > high, x, low, high),
        ],
        kinks=(0.0,),
        formula="min(max(a, b), c)",
        derivatives=("1 if b < a < c else 0", "1 if a <= b < c else 0", "1 if a >= c else 0"),
        doc="x limited to the interval from low to high; at its ends the derivative is 0.",
    )
)
taken = entry(
    Primitive(
        "where",
        lambda x: x,
        [lambda x, y: 1.0],
        formula="x",
        derivatives=("1",),
        doc="The side of a `where` that was taken.",
    )
)


def _logaddexp(a: float, b: float) -> float:
    if a > b:
        return a + log1p(exp(b - a))
    if b > a:
        return b + log1p(exp(a - b))
    return a + LN2 if a <= b else NAN


logaddexp = entry(
    Primitive(
        "logaddexp",
        _logaddexp,
        [lambda a, b, y: sigmoid(a - b), lambda a, b, y: sigmoid(b - a)],
        formula="log(exp(a) + exp(b))",
        derivatives=("exp(a) / (exp(a) + exp(b))", "exp(b) / (exp(a) + exp(b))"),
        doc="log(exp(a) + exp(b)), without overflow.",
    )
)
xlogy = entry(
    Primitive(
        "xlogy",
        lambda a, b: 0.0 if is_zero(a) and (b <= 0.0 or b >= 0.0) else a * log(b),
        [
            lambda a, b, y: 0.0 if is_zero(a) and b <= 0.0 else log(b),
            lambda a, b, y: a / b,
        ],
        domain=(REALS, POSITIVE),
        formula="a * log(b)",
        derivatives=("log(b)", "a / b"),
        doc="a · log(b), and 0 where a is 0.",
    )
)
