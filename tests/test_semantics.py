"""Values and gradients at the edges, row by row against what PyTorch 2.13 gives.

Each row of ``data/edge_cases.json`` is an operation, its operands, and PyTorch's value and
gradient. The engine gives the same, but for the deviations listed here; each has a rule, and the
test checks the rule, not only that there is a difference.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import pytest
from mpmath import mp
from textbook import exactly, ulps

import autograd_lite as al
from autograd_lite import Value
from autograd_lite.primitives import TABLE

ROWS = json.loads((Path(__file__).parent / "data" / "edge_cases.json").read_text())["rows"]


def first_of_largest(a, b):
    return al.where(a >= b, a, b)


def huber(x):
    return al.where(abs(x) <= 1.0, 0.5 * x * x, abs(x) - 0.5)


def binary_cross_entropy_with_logits(z, y):
    return (1.0 - y) * z + al.softplus(-z)


EXPRESSIONS = {
    "a+b": lambda a, b: a + b,
    "a-b": lambda a, b: a - b,
    "a*b": lambda a, b: a * b,
    "a/b": lambda a, b: a / b,
    "a+a": lambda a: a + a,
    "a*a": lambda a: a * a,
    "a-a": lambda a: a - a,
    "a/a": lambda a: a / a,
    "-a": lambda a: -a,
    "reciprocal": lambda a: 1.0 / a,
    "a**b (both tensors)": lambda a, b: a**b,
    "a**b (python **)": lambda a, b: a**b,
    "a**const": lambda a, b: a**b,
    "const**b": lambda a, b: a**b,
    "square": lambda a: a**2,
    "a**a": lambda a: a**a,
    "abs": abs,
    "sign": al.sign,
    "relu": al.relu,
    "relu via max(x,0)": lambda x: al.maximum(x, 0.0),
    "clamp(min=0)": lambda x: al.clamp(x, min=0.0),
    "relu6": lambda x: al.hardtanh(x, 0.0, 6.0),
    "leaky_relu(0.01)": al.leaky_relu,
    "elu": al.elu,
    "selu": al.selu,
    "celu": al.elu,  # the same for alpha = 1
    "hardtanh": al.hardtanh,
    "hardsigmoid": lambda x: al.hardtanh(x + 3.0, 0.0, 6.0) / 6.0,
    "hardswish": lambda x: x * al.hardtanh(x + 3.0, 0.0, 6.0) / 6.0,
    "clamp(-1,1)": lambda x: al.clamp(x, -1.0, 1.0),
    "clamp(x,lo,hi) tensors": al.clamp,
    "maximum": al.maximum,
    "minimum": al.minimum,
    "max reduce [a,b]": lambda a, b: al.max_of([a, b]),
    "amax reduce [a,b]": lambda a, b: al.max_of([a, b]),
    "max(dim=0).values [a,b]": first_of_largest,
    "max reduce [a,b,c] tie3": lambda a, b, c: al.max_of([a, b, c]),
    "floor": al.floor,
    "round": al.round,
    "fmod/%": al.fmod,
    "remainder (python %)": lambda a, b: a % b,
    "copysign": al.copysign,
    "huber(delta=1) at |d|=1": huber,
    "smooth_l1(beta=1)": huber,  # the same for delta = beta = 1
    "l1_loss(a,0)": abs,
    "where(x>0,log(x),0)": lambda x: al.where(x > 0.0, al.log(x), 0.0),
    "where(x>0,sqrt(x),0)": lambda x: al.where(x > 0.0, al.sqrt(x), 0.0),
    "sqrt": al.sqrt,
    "rsqrt": lambda x: x**-0.5,
    "cbrt": al.cbrt,
    "log": al.log,
    "log2": al.log2,
    "log10": al.log10,
    "log1p": al.log1p,
    "exp": al.exp,
    "exp2": al.exp2,
    "expm1": al.expm1,
    "sin": al.sin,
    "cos": al.cos,
    "tan": al.tan,
    "asin": al.asin,
    "acos": al.acos,
    "atan": al.atan,
    "atan2(y,x)": al.atan2,
    "hypot": al.hypot,
    "norm sqrt(a^2+b^2)": lambda a, b: al.sqrt(a * a + b * b),
    "linalg.norm([a,b])": lambda a, b: al.norm([a, b]),
    "sinh": al.sinh,
    "cosh": al.cosh,
    "asinh": al.asinh,
    "acosh": al.acosh,
    "atanh": al.atanh,
    "erf": al.erf,
    "erfc": al.erfc,
    "logit": lambda p: al.log(p) - al.log1p(-p),
    "xlogy": al.xlogy,
    "tanh": al.tanh,
    "sigmoid": al.sigmoid,
    "softplus": al.softplus,
    "log_sigmoid": al.log_sigmoid,
    "silu": al.silu,
    "gelu(erf)": al.gelu,
    "gelu(tanh)": lambda x: al.gelu(x, approximate="tanh"),
    "mish": al.mish,
    "softsign": al.softsign,
    "logaddexp": al.logaddexp,
    "logsumexp([a,b])": lambda a, b: al.logsumexp([a, b]),
    "softmax([a,b])[0]": lambda a, b: al.softmax([a, b])[0],
    "log_softmax([a,b])[0]": lambda a, b: al.log_softmax([a, b])[0],
    "BCEWithLogits(z, y=const)": binary_cross_entropy_with_logits,
    "MSE(a,b)": lambda a, b: (a - b) ** 2,
    "inf*0 backward: exp(1000)*0 const": lambda x: al.exp(x) * 0.0,
    "tanh(x)/x": lambda x: al.tanh(x) / x,
    "sqrt(x)*0 (dead branch nan)": lambda x: al.sqrt(x) * 0.0,
    "sqrt(x*x)": lambda x: al.sqrt(x * x),
    "log(exp(x))": lambda x: al.log(al.exp(x)),
}

NOT_IN_THE_ENGINE = {
    "BCE(p, y=const)": "a loss with logarithms cut at -100 and 1e-12 in its gradient",
    "fmax": "ignores NaN, which the engine never does",
    "fmin": "ignores NaN, which the engine never does",
    "erfinv": "no such primitive",
    "lgamma": "no such primitive",
    "sinc": "no such primitive; sin(πx) / (πx) is NaN at 0",
}


def stated(name: str) -> tuple[str, tuple[str, ...]]:
    """Return formula and derivatives of a primitive, as the table states them."""
    return TABLE[name].formula, TABLE[name].derivatives


# -- the rules for deviating -----------------------------------------------------------------------

# The textbook's formula and derivatives of what is no primitive, or is one under another name.
TEXTBOOK = {
    "gelu(erf)": stated("gelu"),
    "gelu(tanh)": stated("gelu_tanh"),
    "atan2(y,x)": stated("atan2"),
    "linalg.norm([a,b])": stated("hypot"),
    "logsumexp([a,b])": stated("logaddexp"),
    "hardsigmoid": ("(x + 3) / 6", ("1 / 6",)),
    "softmax([a,b])[0]": (
        "1 / (1 + exp(b - a))",
        ("exp(a + b) / (exp(a) + exp(b))**2", "-exp(a + b) / (exp(a) + exp(b))**2"),
    ),
}
NAN_OUT = {
    *("abs", "sign", "relu", "relu via max(x,0)", "relu6", "clamp(min=0)", "clamp(-1,1)"),
    *("leaky_relu(0.01)", "elu", "hardtanh", "maximum", "minimum"),
}
OUTSIDE = {
    "log": lambda x: x < 0.0,
    "log2": lambda x: x < 0.0,
    "log10": lambda x: x < 0.0,
    "log1p": lambda x: x < -1.0,
    "atanh": lambda x: abs(x) > 1.0,
}
LIMITS = {
    (op, side): limit
    for op in ("silu", "gelu(erf)", "gelu(tanh)", "mish")
    for side, limit in ((math.inf, (math.inf, 1.0)), (-math.inf, (-0.0, 0.0)))
} | {
    ("softsign", math.inf): (1.0, 0.0),
    ("softsign", -math.inf): (-1.0, 0.0),
    ("log_sigmoid", math.inf): (-0.0, 0.0),
    ("cbrt", 0.0): (0.0, math.inf),
}
LAST_DIGITS = 1.5  # ulp, where PyTorch's library happens to round better than Python's


def rule_for(op: str, operands: list[float], position: int, ours: float, theirs: float) -> str:
    """Name the rule by which the value (position 0) or a gradient may differ from PyTorch's."""
    if op in NAN_OUT and any(map(math.isnan, operands)):
        assert math.isnan(ours)
        return "1 NaN in, NaN out"
    if op in ("hypot", "linalg.norm([a,b])") and not any(operands):
        assert ours == 0.0
        return "3 subgradient of the norm"
    if op in OUTSIDE and OUTSIDE[op](*operands):
        assert math.isnan(ours)
        return "4 outside the domain"
    if op.startswith("where("):
        assert ours == 0.0
        return "5 the untaken side"
    if (op, *operands) in LIMITS:
        limit = LIMITS[(op, *operands)][position]
        assert same(ours, limit, sign=position == 0)
        return "2 the exact limit"
    formula, derivatives = TEXTBOOK.get(op) or stated(op)
    names = dict(zip("abc" if len(operands) > 1 else "x", operands, strict=False))
    exact = exactly((formula, *derivatives)[position], **names)
    error = ulps(ours, exact)
    if error < ulps(theirs, exact):
        assert error <= 8.0
        return "2 more accurate"
    if ours == theirs == 0.0:
        assert math.copysign(1.0, ours) == mp.sign(exact)
        return "2 the sign of what underflows"
    assert error <= LAST_DIGITS
    return "2 last digits"


# -- the rows --------------------------------------------------------------------------------------


def number(text: str) -> float:
    return float.fromhex(text.removeprefix("const:"))


def same(ours: float, theirs: float, *, sign: bool) -> bool:
    """Compare bits; the sign of a zero only if asked: a gradient, starting from 0.0, loses it."""
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    return ours == theirs and (not sign or math.copysign(1.0, ours) == math.copysign(1.0, theirs))


def run(op: str, inputs: list[str]) -> list[float]:
    """Return the value and the gradients."""
    operands = [number(x) if x.startswith("const:") else Value(number(x)) for x in inputs]
    result = EXPRESSIONS[op](*operands)
    if result.requires_grad:
        result.backward()
    return [result.data, *(x.grad for x in operands if isinstance(x, Value))]


def rules_used(row) -> list[str]:
    """Compare one row; return the rules of its deviations."""
    operands = [number(x) for x in row["inputs"]]
    expected = [number(x) for x in (row["torch_value"], *row["torch_grads"])]
    return [
        rule_for(row["op"], operands, position, ours, theirs)
        for position, (ours, theirs) in enumerate(
            zip(run(row["op"], row["inputs"]), expected, strict=True)
        )
        if not same(ours, theirs, sign=position == 0)
    ]


def described(row) -> str:
    return f"{row['op']} at {', '.join(str(number(x)) for x in row['inputs'])}"


COMPARED = [row for row in ROWS if row["op"] not in NOT_IN_THE_ENGINE]


@pytest.mark.parametrize("row", COMPARED, ids=described)
def test_an_edge_is_pytorchs_or_deviates_by_a_rule(row):
    rules_used(row)


def test_every_row_of_the_table_is_compared_or_named_as_missing():
    assert {row["op"] for row in ROWS} == {*EXPRESSIONS, *NOT_IN_THE_ENGINE}
    assert not EXPRESSIONS.keys() & NOT_IN_THE_ENGINE.keys()
    assert len(ROWS) == 795
    assert len(COMPARED) == 749


def test_how_many_numbers_deviate_by_each_rule():
    used = Counter(rule for row in COMPARED for rule in rules_used(row))
    del used["2 more accurate"], used["2 last digits"]  # depend on the platform's mathematics
    assert used == {
        "1 NaN in, NaN out": 27,
        "2 the exact limit": 18,
        "2 the sign of what underflows": 1,
        "3 subgradient of the norm": 2,
        "4 outside the domain": 5,
        "5 the untaken side": 3,
    }
