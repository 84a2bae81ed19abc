"""Activation functions of neural networks.

Names, parameters and defaults are PyTorch's. A parameter such as ``negative_slope`` is an operand
like any other: as a plain number it costs nothing, as a Value it is differentiated too.
"""

from __future__ import annotations

import math

from autograd_lite.primitives.core import Primitive, entry
from autograd_lite.primitives.elementary import erfc, exp, expm1, gaussian, log1p

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
ROOT_HALF = math.sqrt(0.5)
ONE_OVER_ROOT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)
ROOT_TWO_OVER_PI = math.sqrt(2.0 / math.pi)
CUBIC = 0.044715


def _sigmoid(x: float) -> float:
    if x > 0.0:
        return 1.0 / (1.0 + exp(-x))
    grown = exp(x)
    return grown / (1.0 + grown)


sigmoid: Primitive = entry(
    Primitive(
        "sigmoid",
        _sigmoid,
        [lambda x, y: y * sigmoid(-x)],
        formula="1 / (1 + exp(-x))",
        derivatives=("sigmoid(x) * (1 - sigmoid(x))",),
        doc="The logistic function.",
    )
)
softplus = entry(
    Primitive(
        "softplus",
        lambda x: x + log1p(exp(-x)) if x > 0.0 else log1p(exp(x)),
        [lambda x, y: sigmoid(x)],
        formula="log(1 + exp(x))",
        derivatives=("sigmoid(x)",),
        doc="A smooth stand-in for relu.",
    )
)
log_sigmoid = entry(
    Primitive(
        "log_sigmoid",
        lambda x: -log1p(exp(-x)) if x > 0.0 else x - log1p(exp(x)),
        [lambda x, y: sigmoid(-x)],
        formula="log(1 / (1 + exp(-x)))",
        derivatives=("1 - sigmoid(x)",),
        doc="The logarithm of the logistic function, accurate in both tails.",
    )
)
relu = entry(
    Primitive(
        "relu",
        lambda x: x if x > 0.0 else 0.0 if x <= 0.0 else x,
        [lambda x, y: 1.0 if x > 0.0 else 0.0 if x <= 0.0 else x],
        kinks=(0.0,),
        formula="max(0, x)",
        derivatives=("1 if x > 0 else 0",),
        doc="The rectified linear unit; its derivative at 0 is taken as 0.",
    )
)
leaky_relu = entry(
    Primitive(
        "leaky_relu",
        lambda x, slope: x if x > 0.0 else slope * x,
        [
            lambda x, slope, y: 1.0 if x > 0.0 else slope if x <= 0.0 else x,
            lambda x, slope, y: 0.0 if x > 0.0 else x,
        ],
        kinks=(0.0,),
        formula="a if a > 0 else b * a",
        derivatives=("1 if a > 0 else b", "0 if a > 0 else a"),
        doc="relu with a small slope on the left.",
    )
)
elu = entry(
    Primitive(
        "elu",
        lambda x, alpha: x if x > 0.0 else alpha * expm1(x),
        [
            lambda x, alpha, y: 1.0 if x > 0.0 else alpha * exp(x),
            lambda x, alpha, y: 0.0 if x > 0.0 else expm1(x),
        ],
        kinks=(0.0,),
        formula="a if a > 0 else b * (exp(a) - 1)",
        derivatives=("1 if a > 0 else b * exp(a)", "0 if a > 0 else exp(a) - 1"),
        doc="The exponential linear unit.",
    )
)
selu = entry(
    Primitive(
        "selu",
        lambda x: SELU_SCALE * (x if x > 0.0 else SELU_ALPHA * expm1(x)),
        [lambda x, y: SELU_SCALE if x > 0.0 else SELU_SCALE * SELU_ALPHA * exp(x)],
        kinks=(0.0,),
        formula="1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (exp(x) - 1))",
        derivatives=("1.0507009873554805 * (1 if x > 0 else 1.6732632423543772 * exp(x))",),
        doc="The self-normalising exponential linear unit.",
    )
)


def _far_left(x: float) -> bool:
    """Tell whether x is so negative that x times anything that decays like exp(x) is 0."""
    return x < -1000.0


silu = entry(
    Primitive(
        "silu",
        lambda x: -0.0 if _far_left(x) else x * sigmoid(x),
        [lambda x, y: _silu_partial(x)],
        formula="x / (1 + exp(-x))",
        derivatives=("sigmoid(x) * (1 + x * (1 - sigmoid(x)))",),
        doc="x times its logistic function, also called swish.",
    )
)


def _silu_partial(x: float) -> float:
    if _far_left(x):
        return -0.0
    if x > 1000.0:
        return 1.0
    return sigmoid(x) * (1.0 + x * sigmoid(-x))


def _phi(x: float) -> float:
    """Return the standard normal distribution function."""
    return 0.5 * erfc(-x * ROOT_HALF)


def _gelu_partial(x: float, y: float) -> float:
    if _far_left(x):
        return -0.0
    if x > 1000.0:
        return 1.0
    return _phi(x) + x * (ONE_OVER_ROOT_TWO_PI * gaussian(x * ROOT_HALF))


gelu_none = entry(
    Primitive(
        "gelu",
        lambda x: -0.0 if _far_left(x) else x * _phi(x),
        [_gelu_partial],
        formula="x * (1 + erf(x / sqrt(2))) / 2",
        derivatives=("(1 + erf(x / sqrt(2))) / 2 + x * exp(-x**2 / 2) / sqrt(2 * pi)",),
        doc="The Gaussian error linear unit.",
    )
)


def _gelu_tanh_argument(x: float) -> float:
    """Return twice tanh's argument: (1 + tanh u) / 2 is sigmoid(2u)."""
    return 2.0 * ROOT_TWO_OVER_PI * x * (1.0 + CUBIC * x * x)


def _gelu_tanh_partial(x: float, y: float) -> float:
    if _far_left(x):
        return -0.0
    if x > 1000.0:
        return 1.0
    argument = _gelu_tanh_argument(x)
    slope = 2.0 * ROOT_TWO_OVER_PI * (1.0 + 3.0 * CUBIC * x * x)
    return sigmoid(argument) * (1.0 + x * slope * sigmoid(-argument))


gelu_tanh = entry(
    Primitive(
        "gelu_tanh",
        lambda x: -0.0 if _far_left(x) else x * sigmoid(_gelu_tanh_argument(x)),
        [_gelu_tanh_partial],
        formula="x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2",
        derivatives=(
            "(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2"
            " + x / 2 / cosh(sqrt(2 / pi) * (x + 0.044715 * x**3))**2"
            " * sqrt(2 / pi) * (1 + 3 * 0.044715 * x**2)",
        ),
        doc="GELU with the tanh approximation.",
    )
)


def _mish(x: float) -> float:
    """X · tanh(softplus(x)), with tanh(log(1 + e)) = e(e + 2) / (e(e + 2) + 2) for e = exp(x)."""
    if x > 0.0:
        e = exp(-x)
        return x * ((1.0 + 2.0 * e) / (1.0 + 2.0 * e + 2.0 * e * e))
    if _far_left(x):
        return -0.0
    e = exp(x)
    n = e * (e + 2.0)
    return x * (n / (n + 2.0))


def _mish_partial(x: float, y: float) -> float:
    if x > 0.0:
        if x > 1000.0:
            return 1.0
        e = exp(-x)
        n = 1.0 + 2.0 * e + 2.0 * e * e
        return (1.0 + 2.0 * e) / n + x * (4.0 * e * e * (1.0 + e) / (n * n))
    if _far_left(x):
        return -0.0
    e = exp(x)
    n = e * (e + 2.0) + 2.0
    return e * (e + 2.0) / n + x * (4.0 * e * (1.0 + e) / (n * n))


mish = entry(
    Primitive(
        "mish",
        _mish,
        [_mish_partial],
        formula="x * tanh(log(1 + exp(x)))",
        derivatives=("tanh(log(1 + exp(x))) + x * sigmoid(x) * (1 - tanh(log(1 + exp(x)))**2)",),
        doc="x times the hyperbolic tangent of its softplus.",
    )
)


def _softsign(x: float) -> float:
    if x > 1e300:
        return 1.0
    if x < -1e300:
        return -1.0
    return x / (1.0 + (x if x > 0.0 else -x))


def _softsign_partial(x: float, y: float) -> float:
    grown = 1.0 + (x if x > 0.0 else -x)
    return 1.0 / grown / grown


softsign = entry(
    Primitive(
        "softsign",
        _softsign,
        [_softsign_partial],
        formula="x / (1 + abs(x))",
        derivatives=("1 / (1 + abs(x))**2",),
        doc="x / (1 + |x|).",
    )
)
