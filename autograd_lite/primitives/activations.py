"""Activation functions of neural networks.

Names, parameters and defaults are PyTorch's. A parameter such as ``negative_slope`` is an operand
like any other: as a plain number it costs nothing, as a Value it is differentiated too.
"""

from __future__ import annotations

import math

from autograd_lite.primitives.core import Primitive, entry
from autograd_lite.primitives.elementary import cosh, erfc, exp, expm1, log1p, times_gaussian
from autograd_lite.primitives.rounding import rounded

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def _times_exp(factor: float, x: float) -> float:
    """Return factor · exp(x), without losing digits where exp(x) alone is subnormal."""
    half = exp(0.5 * x)
    return factor * half * half


def _sigmoid(x: float) -> float:
    if x > 0.0:
        decayed = exp(-x)
        return 1.0 - decayed / (1.0 + decayed)
    return 1.0 / (1.0 + exp(-x)) if x > -700.0 else exp(x)


def _sigmoid_partial(x: float, y: float) -> float:
    """Return y (1 - y), around 0 as the square of ½ / cosh(x/2), whose slope does not cancel."""
    if -1.0 < x < 1.0:
        half = 0.5 / cosh(0.5 * x)
        return half * half
    return y * sigmoid(-x)


sigmoid: Primitive = entry(
    Primitive(
        "sigmoid",
        _sigmoid,
        [_sigmoid_partial],
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
        lambda x: 0.0 if x < 0.0 else x,
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


def _elu_partial(x: float, alpha: float, y: float) -> float:
    if x > 0.0:
        return 1.0
    return _times_exp(alpha, x) if x < -700.0 else alpha * exp(x)


elu = entry(
    Primitive(
        "elu",
        lambda x, alpha: x if x > 0.0 else alpha * expm1(x),
        [
            _elu_partial,
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


# -- smooth relatives of relu --------------------------------------------------------------------
# Each falls to a minimum left of 0, rises from there, and tends to 0 at -∞. Two places need care.
# In the left tail exp(x) becomes subnormal: the factor before it comes in between two halves of
# the exponential. Around the minimum the textbook derivative is a difference of equal numbers:
# there it is written with the distance from its zero, so that all terms have one sign.


def _far_left(x: float) -> bool:
    """Tell whether x is so negative that x times anything that decays like exp(x) is 0."""
    return x < -1000.0


def _from_root(x: float, root: tuple[float, float]) -> float:
    """Return x - root, the root given to twice the precision of a float."""
    return (x - root[0]) - root[1]


def _grown_by(du: float, dw: float, exp_u: float) -> float:
    """Return exp(u) + 1 + w, for du and dw the distances from where it is 0.

    There 1 + w = -exp(u), hence it is exp(u) · (exp(du) - 1) + dw, with the exp(u) of that place.
    """
    return dw + exp_u * expm1(du)


SILU_ROOT = (-1.2784645427610737, -1.0946994183093437e-16)
SILU_ROOT_EXP = 0.2784645427610738  # exp(root)


def _silu(x: float) -> float:
    if x < -700.0:
        return -0.0 if _far_left(x) else _times_exp(x, x)
    return x - x * sigmoid(-x) if 0.0 < x < 1000.0 else x * sigmoid(x)


def _silu_partial(x: float, y: float) -> float:
    if x < -700.0:
        return -0.0 if _far_left(x) else _times_exp(1.0 + x, x)
    if -3.0 < x < -0.5:
        distance = _from_root(x, SILU_ROOT)
        return _grown_by(distance, distance, SILU_ROOT_EXP) * sigmoid(x) * sigmoid(-x)
    if x > 1000.0:
        return 1.0
    return sigmoid(x) * (1.0 + x * sigmoid(-x))


silu = entry(
    Primitive(
        "silu",
        _silu,
        [_silu_partial],
        formula="x / (1 + exp(-x))",
        derivatives=("sigmoid(x) * (1 + x * (1 - sigmoid(x)))",),
        doc="x times its logistic function, also called swish.",
    )
)

ONE_OVER_ROOT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)
ONE_OVER_ROOT_PI = 1.0 / math.sqrt(math.pi)
ROOT_HALF = math.sqrt(0.5)
ROOT_HALF_HEAD = 0.7071067839860916  # the first 26 bits of √½
ROOT_HALF_TAIL = -2.799544089368687e-09  # √½ - head


def _normal_cdf(x: float) -> float:
    """Φ(x) = ½ erfc(-x/√2), corrected by what rounding x/√2 would change, up to x² ulp."""
    if not -40.0 < x < 40.0:
        return 0.5 * erfc(-x * ROOT_HALF)
    head = rounded(x * 2.0**20) / 2.0**20
    exact = head * ROOT_HALF_HEAD
    rest = head * ROOT_HALF_TAIL + (x - head) * ROOT_HALF
    z = exact + rest
    return 0.5 * erfc(-z) + times_gaussian(ONE_OVER_ROOT_PI * (rest - (z - exact)), z)


normal_cdf = entry(
    Primitive(
        "normal_cdf",
        _normal_cdf,
        [lambda x, y: times_gaussian(ONE_OVER_ROOT_TWO_PI, x, 0.5)],
        formula="(1 + erf(x / sqrt(2))) / 2",
        derivatives=("exp(-x**2 / 2) / sqrt(2 * pi)",),
        doc="The standard normal distribution function Φ, accurate in the left tail.",
    )
)

GELU_ROOT = (-0.7517915246935645, 1.4956759177009883e-17)
GAUSS_LEGENDRE = (
    # nodes on (0, 1) and weights of the rule with seven nodes
    (0.025446043828620736, 0.06474248308443485),
    (0.12923440720030277, 0.13985269574463832),
    (0.2970774243113014, 0.19091502525255946),
    (0.5, 0.2089795918367347),
    (0.7029225756886985, 0.19091502525255946),
    (0.8707655927996972, 0.13985269574463832),
    (0.9745539561713793, 0.06474248308443485),
)


def _gelu(x: float) -> float:
    """Return x Φ(x); where Φ(x) is subnormal, by its asymptotic series, which x does not magnify.

    x Φ(x) = -φ(x) (1 - 1/x² + 3/x⁴ - 15/x⁶ + …) for x → -∞ (DLMF 7.12.1).
    """
    if x < -37.0:
        if _far_left(x):
            return -0.0
        z = 1.0 / (x * x)
        series = 1.0 - z * (
            1.0 - 3.0 * z * (1.0 - 5.0 * z * (1.0 - 7.0 * z * (1.0 - 9.0 * z * (1.0 - 11.0 * z))))
        )
        return times_gaussian(-ONE_OVER_ROOT_TWO_PI * series, x, 0.5)
    return x * normal_cdf(x)


def _gelu_partial(x: float, y: float) -> float:
    """Φ(x) + x φ(x); near its zero the integral of its own derivative, (2 - t²) φ(t)."""
    distance = _from_root(x, GELU_ROOT)
    if -0.5 < distance < 0.25:
        whole = 0.0
        for node, weight in GAUSS_LEGENDRE:
            t = GELU_ROOT[0] + distance * node
            whole = whole + times_gaussian(weight * (2.0 - t * t), t, 0.5)
        return distance * whole * ONE_OVER_ROOT_TWO_PI
    if _far_left(x):
        return -0.0
    if x > 1000.0:
        return 1.0
    return normal_cdf(x) + times_gaussian(x * ONE_OVER_ROOT_TWO_PI, x, 0.5)


gelu_none = entry(
    Primitive(
        "gelu",
        _gelu,
        [_gelu_partial],
        formula="x * (1 + erf(x / sqrt(2))) / 2",
        derivatives=("(1 + erf(x / sqrt(2))) / 2 + x * exp(-x**2 / 2) / sqrt(2 * pi)",),
        doc="The Gaussian error linear unit.",
    )
)

CUBIC = 0.044715
SLOPE = 2.0 * math.sqrt(2.0 / math.pi)
SLOPE_HEAD, SLOPE_TAIL = 1.5957691222429276, -6.37196839509747e-10  # the first 30 bits, the rest
CUBED_HEAD, CUBED_TAIL = 0.07135391235351562, 9.03919084620272e-07  # SLOPE · CUBIC: 16 bits, rest
GELU_TANH_ROOT = (-0.7524614220710163, 3.4358218314355225e-17)
GELU_TANH_ROOT_EXP = 0.29195521191476714  # exp(u(root))
GELU_TANH_END = -100.0  # left of it exp(u(x)) is 0, and its factors, one large, are not to be met


def _gelu_tanh_argument(x: float) -> float:
    """Return u(x), twice tanh's argument, since (1 + tanh(u/2)) / 2 = sigmoid(u)."""
    return SLOPE * x * (1.0 + CUBIC * x * x)


def _times_exp_of_argument(factor: float, x: float) -> float:
    """Return factor · exp(u(x)) for x < 0: u's large part from a head of x, without rounding."""
    head = rounded(x * 64.0) / 64.0
    tail = x - head
    cube = head * head * head
    rest = SLOPE_TAIL * head + CUBED_TAIL * cube
    rest = rest + tail * SLOPE * (1.0 + CUBIC * (x * x + x * head + head * head))
    return factor * exp(SLOPE_HEAD * head) * exp(CUBED_HEAD * cube) * exp(rest)


def _gelu_tanh(x: float) -> float:
    if x < -1.5:
        if x < GELU_TANH_END:
            return -0.0
        return _times_exp_of_argument(x, x) / (1.0 + _times_exp_of_argument(1.0, x))
    return x * sigmoid(_gelu_tanh_argument(x))


def _gelu_tanh_partial(x: float, y: float) -> float:
    # gelu_tanh(x) = x + gelu_tanh(-x), and there exp(u) is accurate
    return 1.0 - _gelu_tanh_slope(-x) if x > 3.0 else _gelu_tanh_slope(x)


def _gelu_tanh_slope(x: float) -> float:
    """Return the derivative for x ≤ 3."""
    if x < GELU_TANH_END:
        return -0.0
    if -1.5 < x < -0.3:
        root = GELU_TANH_ROOT[0]
        distance = SLOPE * _from_root(x, GELU_TANH_ROOT)
        cubic = CUBIC * (x * x + x * root + root * root)
        du, dw = distance * (1.0 + cubic), distance * (1.0 + 3.0 * cubic)
        decayed = _times_exp_of_argument(1.0, x)
        slope = decayed / ((1.0 + decayed) * (1.0 + decayed))  # sigmoid(u) · sigmoid(-u)
        return _grown_by(du, dw, GELU_TANH_ROOT_EXP) * slope
    growth = SLOPE * x * (1.0 + 3.0 * CUBIC * x * x)  # x · u'(x)
    if x < -1.0:
        grown = 1.0 + _times_exp_of_argument(1.0, x)
        return _times_exp_of_argument(1.0 + growth / grown, x) / grown
    argument = _gelu_tanh_argument(x)
    return sigmoid(argument) * (1.0 + growth * sigmoid(-argument))


gelu_tanh = entry(
    Primitive(
        "gelu_tanh",
        _gelu_tanh,
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

MISH_ROOT = (-1.1924312145154952, -4.8484829848031044e-17)
MISH_ROOT_EXP = 0.3034825352815289  # exp(root)


def _mish(x: float) -> float:
    """Return x · tanh(softplus(x)).

    tanh(log(1 + e)) = e(e + 2) / (e(e + 2) + 2) for e = exp(x).
    """
    if x > 0.0:
        e = exp(-x)
        square = 2.0 * e * e
        return x * (1.0 - square / (1.0 + 2.0 * e + square))
    if x < -700.0:
        return -0.0 if _far_left(x) else _times_exp(x, x)
    e = exp(x)
    n = e * (e + 2.0)
    return x * (n / (n + 2.0))


def _mish_partial(x: float, y: float) -> float:
    """Return exp(x) · (e³ + 4e² + 6e + 4 + 4x(1 + e)) / (e² + 2e + 2)² with e = exp(x).

    Near the zero of the bracket, that is the difference from its value there, term by term.
    """
    if x > 0.0:
        if x > 1000.0:
            return 1.0
        e = exp(-x)
        square = 2.0 * e * e
        n = 1.0 + 2.0 * e + square
        return 1.0 + square / n * (2.0 * x * (1.0 + e) / n - 1.0)
    if x < -700.0:
        return -0.0 if _far_left(x) else _times_exp(1.0 + x, x)
    e = exp(x)
    n = e * (e + 2.0) + 2.0
    if -3.0 < x < -0.4:
        root, r = MISH_ROOT[0], MISH_ROOT_EXP
        d = _from_root(x, MISH_ROOT)
        bracket = r * r * r * expm1(3.0 * d) + 4.0 * r * r * expm1(2.0 * d)
        bracket = bracket + r * (6.0 + 4.0 * root) * expm1(d) + 4.0 * d * (1.0 + e)
        return e * bracket / (n * n)
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
    return x / (1.0 + abs(x))


def _softsign_partial(x: float, y: float) -> float:
    grown = 1.0 + abs(x)
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
