"""Exponentials, logarithms and circular functions without branches, for loops over lanes.

A call to C's library handles one number; these formulas are plain arithmetic, which a compiler
turns into instructions on four or eight numbers at once. They differ from C's library by at most 2
units of the last place (hyperbolic functions and `sigmoid` by 4), over the whole range: subnormal
results, zeros' signs, infinities and NaN included. `sin`, `cos` and what is named "within" have a
limit; a function tells of a number whether it is inside, else another formula must be taken.

Methods: W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980 (reduction by a
constant in several pieces); the coefficients of the logarithm are those of Sun's fdlibm, those of
the exponential a Chebyshev fit of (exp(r) - 1 - r) / r² of our own, those of the sine a fit of
(sin(r) - r) / r³ up to π/2 by Remez's algorithm, to 3e-19 of the sine.
"""

from __future__ import annotations

import math

from autograd_lite.native.kernels.intrinsics import bits, from_bits, multiply_add

# Adding 1.5 · 2⁵² rounds a float to the nearest whole number and leaves it in the low bits.
ROUNDER = 6755399441055744.0
ROUNDER_BITS = 0x4338000000000000
ONE_BITS = 0x3FF0000000000000
MANTISSA = 0x000FFFFFFFFFFFFF
SIGN = -0x8000000000000000
SIZE = 0x7FFFFFFFFFFFFFFF

LOG2_E = 1.4426950408889634
LN2_HEAD = 0.6931471803691238  # the first 33 bits: whole multiples are exact
LN2_TAIL = 1.9082149292705877e-10


def _exp_remainder(r: float) -> float:
    """Return exp(r) - 1 for |r| ≤ ½ ln 2."""
    z = r * r  # of the two chains neither waits for the other
    odd = multiply_add(z, 2.5100634461878497e-08, 2.7557267935231926e-06)
    odd = multiply_add(z, odd, 0.00019841269863392214)
    odd = multiply_add(z, odd, 0.008333333333329994)
    odd = multiply_add(z, odd, 0.16666666666666669)
    even = multiply_add(z, 2.762041219449885e-07, 2.4801520613566223e-05)
    even = multiply_add(z, even, 0.0013888888917654016)
    even = multiply_add(z, even, 0.04166666666662324)
    even = multiply_add(z, even, 0.5000000000000001)
    return multiply_add(z, multiply_add(r, odd, even), r)


def _parted(x: float) -> tuple[float, float]:
    """Return n and exp(r) - 1 with x = n ln 2 + r; the low bits of the first are those of n."""
    shifted = multiply_add(x, LOG2_E, ROUNDER)
    n = shifted - ROUNDER
    r = multiply_add(n, -LN2_TAIL, multiply_add(n, -LN2_HEAD, x))
    return shifted, _exp_remainder(r)


def in_exp_range(x: float) -> bool:
    """Tell whether `exp_within` holds: up to 708 the result is a normal number."""
    return abs(x) <= 708.0


def exp_within(x: float) -> float:
    """Return exp(x) = 2ⁿ · exp(r) with r = x - n ln 2, where neither over- nor underflows."""
    n, rest = _parted(x)
    return from_bits(bits(1.0 + rest) + (bits(n) << 52))


def exp(x: float) -> float:
    """Return exp(x) = 2ⁿ · exp(r) with r = x - n ln 2."""
    x = -750.0 if x < -750.0 else x
    x = 710.0 if x > 710.0 else x
    n, rest = _parted(x)
    half = multiply_add(n - ROUNDER, 0.5, ROUNDER)  # 2ⁿ itself can lie outside the range
    most = from_bits(bits(1.0 + rest) + (bits(half) << 52))
    return most * from_bits(((bits(n) - bits(half)) << 52) + ONE_BITS)


def expm1(x: float) -> float:
    """Return exp(x) - 1 = 2ⁿ · (exp(r) - 1) + (2ⁿ - 1)."""
    y = -40.0 if x < -40.0 else x
    y = 710.0 if y > 710.0 else y
    n, rest = _parted(y)
    half_power = from_bits(((bits(n) - 1) << 52) + ONE_BITS)
    grown = multiply_add(half_power, rest, half_power - 0.5)
    return x if abs(x) < 1e-20 else grown + grown


def _log_parted(x: float) -> tuple[float, float]:
    """Return k and m with x = 2ᵏ · m and m from √½ to √2, for a normal x."""
    # the offset makes the exponent turn over at √2
    turned = bits(x) + (ONE_BITS - 0x3FE6A09E667F3BCD)
    exponent = (turned & SIZE) >> 52  # of a number without sign: few machines shift these
    k = from_bits((exponent - 1023) + ROUNDER_BITS) - ROUNDER
    return k, from_bits((turned & MANTISSA) + 0x3FE6A09E667F3BCD)


def _log_joined(k: float, f: float, lost: float) -> float:
    """Return k ln 2 + log(1 + f) + lost, for 1 + f from √½ to √2."""
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = multiply_add(w, 0.1531383769920937, 0.22222198432149784)
    odd = w * multiply_add(w, odd, 0.3999999999940942)
    even = multiply_add(w, 0.14798198605116586, 0.1818357216161805)
    even = multiply_add(w, even, 0.2857142874366239)
    even = z * multiply_add(w, even, 0.6666666666666735)
    square = 0.5 * f * f
    rest = multiply_add(s, square + (odd + even), multiply_add(k, LN2_TAIL, lost))
    return multiply_add(k, LN2_HEAD, f - (square - rest))


SMALLEST_NORMAL = 2.2250738585072014e-308


def in_log_range(x: float) -> bool:
    """Tell whether `log_within` holds: for normal numbers above 0."""
    return SMALLEST_NORMAL <= x < math.inf


def in_reciprocal_range(x: float) -> bool:
    """Tell whether 1 / x cannot overflow."""
    return abs(x) >= SMALLEST_NORMAL


def log_within(x: float) -> float:
    """Return log(x) = k ln 2 + log(m), with log(1 + f) as a series in f / (2 + f)."""
    k, m = _log_parted(x)
    return _log_joined(k, m - 1.0, 0.0)


def log(x: float) -> float:
    """Return log(x), for subnormal numbers by way of 2⁵⁴ x."""
    small = x < SMALLEST_NORMAL
    k, m = _log_parted(x * 18014398509481984.0 if small else x)
    found = _log_joined(k - 54.0 if small else k, m - 1.0, 0.0)
    found = found if x < math.inf else x  # NaN as well
    found = found if x > 0.0 else -math.inf
    return found if x >= 0.0 else math.nan


def log1p(x: float) -> float:
    """Return log(1 + x), what rounding 1 + x loses made good."""
    head = 1.0 + x
    lost = x - (head - 1.0) if x < 1.0 else 1.0 - (head - x)
    k, m = _log_parted(head)
    found = _log_joined(k, x if k == 0.0 else m - 1.0, 0.0 if k == 0.0 else lost / head)
    found = found if x < math.inf else x
    found = found if x > -1.0 else -math.inf
    found = found if x >= -1.0 else math.nan
    return x if x == 0.0 else found


SINE_LIMIT = 1e6
"""`sin` and `cos` are right up to this size of x (multiples of π/2 below 2²⁰)."""

PER_PI = 0.3183098861837907
PI_1 = 3.1415926534682512  # π in three pieces: 33 bits, 33 bits, the rest
PI_2 = 1.2154201012607932e-10
PI_3 = 4.044532497591901e-21


def in_sine_range(x: float) -> bool:
    """Tell whether `sin` and `cos` are right for this number."""
    return abs(x) <= SINE_LIMIT


def _sine_after(x: float, turns: float, sign: int) -> float:
    """Return sin(x - turns · π), for a result of this x from -π/2 to π/2.

    The sign is changed if that of a number, given as bits, is set.
    """
    r = multiply_add(turns, -PI_2, multiply_add(turns, -PI_1, x))
    r = multiply_add(turns, -PI_3, r)
    z = r * r
    series = multiply_add(z, 2.7212023131294977e-15, -7.642994328919779e-13)
    series = multiply_add(z, series, 1.6058939826673795e-10)
    series = multiply_add(z, series, -2.50521068755053e-08)
    series = multiply_add(z, series, 2.755731921117123e-06)
    series = multiply_add(z, series, -0.00019841269841209454)
    series = multiply_add(z, series, 0.008333333333333194)
    series = multiply_add(z, series, -0.16666666666666666)
    found = bits(multiply_add(z * r, series, r))
    size = found & SIZE
    size = ONE_BITS if size > ONE_BITS else size  # as whole numbers: bits are in order
    return from_bits(size | ((found ^ sign) & SIGN))


def sin(x: float) -> float:
    """Return sin(x) = (-1)ⁿ sin(|x| - n π) with the sign of x, up to the limit."""
    size = abs(x)
    shifted = multiply_add(size, PER_PI, ROUNDER)
    return _sine_after(size, shifted - ROUNDER, (bits(shifted) << 63) ^ bits(x))  # -0.0 as well


def cos(x: float) -> float:
    """Return cos(x) = (-1)ⁿ sin(|x| - (n - ½) π), up to the limit."""
    size = abs(x)
    shifted = multiply_add(size, PER_PI, 0.5) + ROUNDER
    return _sine_after(size, shifted - ROUNDER - 0.5, bits(shifted) << 63)


PER_QUARTER = 0.6366197723675814  # 2 / π


def circular(x: float) -> tuple[float, float]:
    """Return sin(x) and cos(x) up to the limit, from those of |x| - n π/2; faster than one by one.

    The coefficients are those of Sun's fdlibm.
    """
    size = abs(x)
    shifted = multiply_add(size, PER_QUARTER, ROUNDER)
    quarters = shifted - ROUNDER
    r = multiply_add(quarters, -0.5 * PI_2, multiply_add(quarters, -0.5 * PI_1, size))
    r = multiply_add(quarters, -0.5 * PI_3, r)
    z = r * r
    sine = multiply_add(z, 1.58969099521155010221e-10, -2.50507602534068634195e-08)
    sine = multiply_add(z, sine, 2.75573137070700676789e-06)
    sine = multiply_add(z, sine, -1.98412698298579493134e-04)
    sine = multiply_add(z, sine, 8.33333333332248946124e-03)
    sine = multiply_add(z, sine, -1.66666666666666324348e-01)
    sine = multiply_add(z * r, sine, r)
    cosine = multiply_add(z, -1.13596475577881948265e-11, 2.08757232129817482790e-09)
    cosine = multiply_add(z, cosine, -2.75573143513906633035e-07)
    cosine = multiply_add(z, cosine, 2.48015872894767294178e-05)
    cosine = multiply_add(z, cosine, -1.38888888888741095749e-03)
    cosine = multiply_add(z, cosine, 4.16666666666666019037e-02)
    cosine = multiply_add(z, multiply_add(z, cosine, -0.5), 1.0)
    n = bits(shifted)
    odd = n & 1 != 0
    first, second = bits(cosine if odd else sine), bits(sine if odd else cosine)
    return (
        from_bits(first ^ (((n << 62) ^ bits(x)) & SIGN)),
        from_bits(second ^ (((n + 1) << 62) & SIGN)),
    )


def tanh(x: float) -> float:
    """Return (exp(2x) - 1) / (exp(2x) + 1)."""
    size = abs(x)
    size = 20.0 if size > 20.0 else size  # from there it is 1
    n, rest = _parted(size + size)
    power = from_bits((bits(n) << 52) + ONE_BITS)
    grown = multiply_add(power, rest, power - 1.0)
    return math.copysign(grown / (grown + 2.0), x)


def sinh(x: float) -> float:
    """Return (exp(|x|) - exp(-|x|)) / 2 with the sign of x, as t + t / (t + 1) for t = expm1."""
    size = abs(x)
    grown = expm1(size)
    middle = 0.5 * (grown + grown / (grown + 1.0))
    root = exp(0.5 * size)
    return math.copysign(0.5 * root * root if size > 709.0 else middle, x)


def cosh(x: float) -> float:
    """Return (exp(|x|) + exp(-|x|)) / 2, where the first overflows as a product of two halves."""
    size = abs(x)
    grown = exp(size)
    root = exp(0.5 * size)
    return 0.5 * root * root if size > 709.0 else 0.5 * grown + 0.5 / grown


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)), by what decays."""
    decayed = exp(-abs(x))
    share = decayed / (1.0 + decayed)
    return 1.0 - share if x > 0.0 else share


def tanh_partial(x: float, y: float) -> float:
    """Return 4 σ(2x) σ(-2x)."""
    return 4.0 * sigmoid_partial(x + x, y)


def in_tanh_range(x: float) -> bool:
    """Tell whether `tanh_partial_within` holds: where exp(-2|x|) is a normal number."""
    return abs(x) <= 354.0


def tanh_partial_within(x: float, y: float) -> float:
    """Return 4 exp(-2|x|) / (1 + exp(-2|x|))²."""
    size = abs(x)
    decayed = exp_within(-(size + size))
    grown = 1.0 + decayed
    twice = decayed + decayed
    return (twice + twice) / (grown * grown)


def tanh_within(x: float) -> tuple[float, float]:
    """Return tanh(x) and its derivative: t s and s (2 - s), for x above 0, with

    t = (exp(2x) - 1) / 2 and s = 1 / (1 + t).
    """
    size = abs(x)
    n, rest = _parted(size + size)
    half_power = from_bits(((bits(n) - 1) << 52) + ONE_BITS)
    t = multiply_add(half_power, rest, half_power - 0.5)
    s = 1.0 / (1.0 + t)
    return math.copysign(t * s, x), s * (2.0 - s)


def sigmoid_partial(x: float, y: float) -> float:
    """Return σ(x) σ(-x)."""
    decayed = exp(-abs(x))
    grown = 1.0 + decayed
    return decayed / (grown * grown)


def softplus(x: float) -> float:
    """Return log(1 + exp(x))."""
    rest = log1p(exp(-abs(x)))
    return x + rest if x > 0.0 else rest


def log_sigmoid(x: float) -> float:
    """Return log(σ(x))."""
    rest = log1p(exp(-abs(x)))
    return -rest if x > 0.0 else x - rest
