"""The table of primitives: each one's value and partials, stated once.

`ieee` and `core` say what a primitive is; the other modules are the table, by subject. Every
interpreter of the mathematics (recording, higher derivatives, printing, tests) reads it from here.

Values and gradients are PyTorch's, edges included. ``tests/data/edge_cases.json`` has 795 rows of
what PyTorch 2.13 gives, and a test holds the engine to them; it differs, on purpose, here:

===================================  =====================  ======================================
where                                PyTorch                here
===================================  =====================  ======================================
abs, sign, relu, leaky_relu, elu,    gradient 0, 1 or the   NaN: a NaN is not to be hidden
clamp, hardtanh, maximum, minimum    slope; sign(nan) = 0
at NaN
tails and zeros of derivatives       cancels, underflows    within 8 units of the last place of the
(tanh, sigmoid, softplus, silu,      or overflows           exact derivative
gelu, mish, asinh, acosh, atan2,
norm, logsumexp, exp2 at 1024, …)
silu, gelu, mish, softsign at ±inf   NaN                    the limit
cbrt at 0                            gradient NaN           gradient inf
log_sigmoid(1000)                    0.0                    -0.0: what underflows is negative
hypot and the norm at the origin     gradient NaN           gradient 0, a subgradient
log, log2, log10, log1p, atanh       a finite gradient      NaN, as the value
outside the domain
where(x > 0, log(x), 0) at 0         gradient NaN           gradient 0: the taken side alone counts
===================================  =====================  ======================================

Elsewhere the last digit may differ (by less than 1.5 units) with the platform's mathematics. What
PyTorch's fmax and fmin (which ignore NaN) and its BCE on probabilities (with constants of its own)
give cannot be had.
"""

from autograd_lite.primitives import (
    activations,
    arithmetic,
    elementary,
    nary,
    piecewise,
    rounding,
)
from autograd_lite.primitives.core import (
    TABLE,
    Primitive,
    Variadic,
    counted,
    is_number,
    is_stated,
    number,
    operands_of,
)

__all__ = [
    "TABLE",
    "Primitive",
    "Variadic",
    "activations",
    "arithmetic",
    "counted",
    "elementary",
    "is_number",
    "is_stated",
    "nary",
    "number",
    "operands_of",
    "piecewise",
    "rounding",
]
