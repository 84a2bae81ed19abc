"""Elementary functions: exponentials, logarithms, roots, circular and hyperbolic functions.

The partials are written so that nothing cancels and nothing overflows before the result does;
the textbook formula stands beside each as text, and a test holds the two together.
"""

from __future__ import annotations

import math
from functools import reduce

from autograd_lite.primitives.core import POSITIVE, Interval, Primitive, entry, plain
from autograd_lite.primitives.ieee import INFINITY, NAN
from autograd_lite.primitives.rounding import floor, rounded

UNIT: Interval = (-1.0, 1.0)
LN2 = math.log(2.0)
LOG2_E = 1.0 / LN2
LOG10_E = 1.0 / math.log(10.0)
TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)


def is_zero(x: float) -> bool:
    """Tell whether x is 0 by ordered comparison, which compares data for Values as well."""
    return 0.0 <= x <= 0.0


def _nan(*operands: float) -> float:
    return NAN


def _infinite(x: float) -> float:
    return INFINITY


def _at_zero_minus_infinity(x: float) -> float:
    return -INFINITY if x == 0.0 else NAN


exp = entry(
    Primitive(
        "exp",
        math.exp,
        [lambda x, y: y],
        beyond=_infinite,
        formula="exp(x)",
        derivatives=("exp(x)",),
        doc="The exponential function.",
    )
)
exp2: Primitive = entry(
    Primitive(
        "exp2",
        math.exp2,
        [lambda x, y: y * LN2 if x < 1024.0 else exp2(x - 1.0) * (2.0 * LN2)],
        beyond=_infinite,
        formula="2**x",
        derivatives=("2**x * log(2)",),
        doc="Two to the power x.",
    )
)
expm1 = entry(
    Primitive(
        "expm1",
        math.expm1,
        [lambda x, y: exp(x)],
        beyond=_infinite,
        formula="exp(x) - 1",
        derivatives=("exp(x)",),
        doc="exp(x) - 1, accurate near 0.",
    )
)
log = entry(
    Primitive(
        "log",
        math.log,
        [lambda x, y: NAN if x < 0.0 else 1.0 / x],
        beyond=_at_zero_minus_infinity,
        domain=(POSITIVE,),
        formula="log(x)",
        derivatives=("1 / x",),
        doc="The natural logarithm.",
    )
)
log2 = entry(
    Primitive(
        "log2",
        math.log2,
        [lambda x, y: NAN if x < 0.0 else LOG2_E / x],
        beyond=_at_zero_minus_infinity,
        domain=(POSITIVE,),
        formula="log(x) / log(2)",
        derivatives=("1 / (x * log(2))",),
        doc="The logarithm to base 2.",
    )
)
log10 = entry(
    Primitive(
        "log10",
        math.log10,
        [lambda x, y: NAN if x < 0.0 else LOG10_E / x],
        beyond=_at_zero_minus_infinity,
        domain=(POSITIVE,),
        formula="log(x) / log(10)",
        derivatives=("1 / (x * log(10))",),
        doc="The logarithm to base 10.",
    )
)
log1p = entry(
    Primitive(
        "log1p",
        math.log1p,
        [lambda x, y: NAN if x < -1.0 else 1.0 / (1.0 + x)],
        beyond=lambda x: -INFINITY if x == -1.0 else NAN,
        domain=((-1.0, INFINITY),),
        formula="log(1 + x)",
        derivatives=("1 / (1 + x)",),
        doc="log(1 + x), accurate near 0.",
    )
)
sqrt = entry(
    Primitive(
        "sqrt",
        math.sqrt,
        [lambda x, y: 0.5 / y],
        beyond=_nan,
        domain=(POSITIVE,),
        formula="x**0.5",
        derivatives=("1 / (2 * sqrt(x))",),
        doc="The square root.",
    )
)


def _cbrt_partial(x: float, y: float) -> float:
    """Return 1 / (3 y²); in y / (3 x) the error of y, 3 ulp in some libraries, counts once.

    Next to 0 the slope of y / (3 x) is a difference of infinities. There the square comes first.
    """
    if -1e-180 < x < 1e-180:
        large = x * 2.0**600
        return 2.0**400 / (3.0 * cbrt(large * large))
    return y / x / 3.0 if -INFINITY < x < INFINITY else 1.0 / (3.0 * y * y)


cbrt: Primitive = entry(
    Primitive(
        "cbrt",
        math.cbrt,
        [_cbrt_partial],
        formula="sign(x) * abs(x)**(1/3)",
        derivatives=("1 / (3 * cbrt(x)**2)",),
        kinks=(0.0,),
        doc="The cube root, real for negative numbers too.",
    )
)
sin = entry(
    Primitive(
        "sin",
        math.sin,
        [lambda x, y: cos(x)],
        beyond=_nan,
        formula="sin(x)",
        derivatives=("cos(x)",),
        doc="The sine.",
    )
)
cos: Primitive = entry(
    Primitive(
        "cos",
        math.cos,
        [lambda x, y: -sin(x)],
        beyond=_nan,
        formula="cos(x)",
        derivatives=("-sin(x)",),
        doc="The cosine.",
    )
)
tan = entry(
    Primitive(
        "tan",
        math.tan,
        [lambda x, y: 1.0 + y * y],
        beyond=_nan,
        formula="sin(x) / cos(x)",
        derivatives=("1 / cos(x)**2",),
        doc="The tangent.",
    )
)


def _one_minus_square(x: float) -> float:
    """Return 1 - x²: as a product where that would cancel, elsewhere so that its slope does not."""
    return 1.0 - x * x if -0.5 < x < 0.5 else (1.0 - x) * (1.0 + x)


asin = entry(
    Primitive(
        "asin",
        math.asin,
        [lambda x, y: 1.0 / sqrt(_one_minus_square(x))],
        beyond=_nan,
        domain=(UNIT,),
        formula="asin(x)",
        derivatives=("1 / sqrt(1 - x**2)",),
        doc="The inverse of the sine.",
    )
)
acos = entry(
    Primitive(
        "acos",
        math.acos,
        [lambda x, y: -1.0 / sqrt(_one_minus_square(x))],
        beyond=_nan,
        domain=(UNIT,),
        formula="acos(x)",
        derivatives=("-1 / sqrt(1 - x**2)",),
        doc="The inverse of the cosine.",
    )
)


def _atan_partial(x: float, y: float) -> float:
    root = hypot(1.0, x)
    return 1.0 / root / root


atan = entry(
    Primitive(
        "atan",
        math.atan,
        [_atan_partial],
        formula="atan(x)",
        derivatives=("1 / (1 + x**2)",),
        doc="The inverse of the tangent.",
    )
)


def _largest_size(*numbers: float) -> float:
    """Return the largest absolute value, as a constant."""
    sizes = [abs(plain(x)) for x in numbers]
    held = [size for size in sizes if size.__class__ is not float]
    if not held:
        return max(sizes)
    floats = [size for size in sizes if size.__class__ is float]
    return reduce(lambda a, b: a.maximum(b), held + floats)  # which is the largest may change


def _power_toward_one(size: float) -> float:
    """Return the power of two that brings a number > 0 near 1, as far as there is one."""
    if hasattr(size, "minimum"):
        return exp2((-floor(log2(size))).minimum(1022.0))
    return math.ldexp(1.0, min(1 - math.frexp(size)[1], 1022))


def toward_one(*numbers: float) -> float:
    """Return the power of two that brings the largest of the numbers near 1, exactly.

    Squares of numbers so scaled neither overflow nor lose digits to underflow.
    """
    largest = _largest_size(*numbers)
    if not 0.0 < largest < INFINITY:
        return 1.0
    return _power_toward_one(largest)


def _per_square(x: float, a: float, b: float) -> float:
    """Return x / (a² + b²), for x one of a, b; x itself where both are 0."""
    scale = toward_one(a, b)
    p, q = a * scale, b * scale
    square = p * p + q * q
    return x if is_zero(square) else x * scale * scale / square


def _per_length(a: float, b: float) -> float:
    """Return a / √(a² + b²), 0 where both are 0: by the ratio of the smaller to the larger.

    So it changes by terms of like signs, also where a is almost the whole length.
    """
    if abs(plain(b)) <= abs(plain(a)):
        return 0.0 if is_zero(a) else _sign(a) / hypot(1.0, b / a)
    ratio = a / abs(b)
    return ratio / hypot(1.0, ratio)


def _sign(x: float) -> float:
    """Return the sign of x ≠ 0 as a constant; NaN for an infinity, of which nothing is a part."""
    constant = plain(x)
    return constant / abs(constant) if abs(constant) < INFINITY else NAN


atan2 = entry(
    Primitive(
        "atan2",
        math.atan2,
        [lambda a, b, y: _per_square(b, a, b), lambda a, b, y: -_per_square(a, a, b)],
        formula="atan2(a, b)",
        derivatives=("b / (a**2 + b**2)", "-a / (a**2 + b**2)"),
        doc="The angle of the point (b, a); at (0, 0) its derivatives are taken as 0.",
    )
)
hypot: Primitive = entry(
    Primitive(
        "hypot",
        math.hypot,
        [lambda a, b, y: _per_length(a, b), lambda a, b, y: _per_length(b, a)],
        beyond=lambda a, b: INFINITY,
        formula="(a**2 + b**2)**0.5",
        derivatives=("a / hypot(a, b)", "b / hypot(a, b)"),
        doc="The length of the vector (a, b); at (0, 0) its derivatives are taken as 0.",
    )
)
sinh = entry(
    Primitive(
        "sinh",
        math.sinh,
        [lambda x, y: cosh(x)],
        beyond=lambda x: math.copysign(INFINITY, x),
        formula="(exp(x) - exp(-x)) / 2",
        derivatives=("cosh(x)",),
        doc="The hyperbolic sine.",
    )
)
cosh: Primitive = entry(
    Primitive(
        "cosh",
        math.cosh,
        [lambda x, y: sinh(x)],
        beyond=_infinite,
        formula="(exp(x) + exp(-x)) / 2",
        derivatives=("sinh(x)",),
        doc="The hyperbolic cosine.",
    )
)


def _tanh_partial(x: float, y: float) -> float:
    if -0.5 < y < 0.5:
        return 1.0 - y * y
    decay = exp(-2.0 * x if x > 0.0 else 2.0 * x)
    return 4.0 * decay / ((1.0 + decay) * (1.0 + decay))


tanh = entry(
    Primitive(
        "tanh",
        math.tanh,
        [_tanh_partial],
        formula="tanh(x)",
        derivatives=("1 - tanh(x)**2",),
        doc="The hyperbolic tangent.",
    )
)
asinh = entry(
    Primitive(
        "asinh",
        math.asinh,
        [lambda x, y: 1.0 / hypot(1.0, x)],
        formula="asinh(x)",
        derivatives=("1 / sqrt(x**2 + 1)",),
        doc="The inverse of the hyperbolic sine.",
    )
)
acosh = entry(
    Primitive(
        "acosh",
        math.acosh,
        [lambda x, y: 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0))],
        beyond=_nan,
        domain=((1.0, INFINITY),),
        formula="acosh(x)",
        derivatives=("1 / sqrt(x**2 - 1)",),
        doc="The inverse of the hyperbolic cosine.",
    )
)
atanh = entry(
    Primitive(
        "atanh",
        math.atanh,
        [lambda x, y: NAN if x < -1.0 or x > 1.0 else 1.0 / _one_minus_square(x)],
        beyond=lambda x: math.copysign(INFINITY, x) if abs(x) == 1.0 else NAN,
        domain=(UNIT,),
        formula="atanh(x)",
        derivatives=("1 / (1 - x**2)",),
        doc="The inverse of the hyperbolic tangent.",
    )
)


def times_gaussian(factor: float, x: float, rate: float = 1.0) -> float:
    """Return factor · exp(-rate · x²) for a rate of 1 or ½, accurate in the tails.

    x² is rounded, and exp magnifies that by x² itself. So x is split into a head h of few bits,
    whose square is exact, and exp(-x²) = exp(-h²) · exp(-(x - h)(x + h)). In the tails exp(-h²) is
    the square of exp(-h²/2), so that the factor comes in before anything underflows.
    """
    if not -64.0 < x < 64.0:
        return factor * exp(-rate * (x * x))
    head = rounded(x * 64.0) / 64.0
    rest = -rate * ((x - head) * (x + head))
    if -16.0 < x < 16.0:
        large = exp(-rate * (head * head))
        return factor * (large + large * expm1(rest))
    half = exp(-0.5 * rate * (head * head))
    return factor * half * exp(rest) * half


erf = entry(
    Primitive(
        "erf",
        math.erf,
        [lambda x, y: times_gaussian(TWO_OVER_ROOT_PI, x)],
        formula="erf(x)",
        derivatives=("2 / sqrt(pi) * exp(-x**2)",),
        doc="The error function.",
    )
)
erfc = entry(
    Primitive(
        "erfc",
        math.erfc,
        [lambda x, y: times_gaussian(-TWO_OVER_ROOT_PI, x)],
        formula="1 - erf(x)",
        derivatives=("-2 / sqrt(pi) * exp(-x**2)",),
        doc="The complementary error function, accurate in the right tail.",
    )
)
