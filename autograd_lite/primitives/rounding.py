"""Whole numbers and signs: functions that are constant almost everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable

from autograd_lite.primitives.core import Primitive, entry


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    """Make floor, ceil or round keep infinities, NaN and the sign of zero."""

    def value(x: float) -> float:
        return math.copysign(float(function(x)), x) if math.isfinite(x) else x

    return value


floor = entry(
    Primitive(
        "floor",
        _whole(math.floor),
        [lambda x, y: 0.0],
        formula="floor(x)",
        derivatives=("0",),
        doc="The largest whole number that is not above x.",
    )
)
ceil = entry(
    Primitive(
        "ceil",
        _whole(math.ceil),
        [lambda x, y: 0.0],
        formula="ceil(x)",
        derivatives=("0",),
        doc="The smallest whole number that is not below x.",
    )
)
rounded = entry(
    Primitive(
        "round",
        _whole(round),
        [lambda x, y: 0.0],
        formula="round(x)",
        derivatives=("0",),
        doc="The nearest whole number, halves to even.",
    )
)
sign = entry(
    Primitive(
        "sign",
        lambda x: 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else x,
        [lambda x, y: 0.0 if x <= 0.0 or x >= 0.0 else x],
        kinks=(0.0,),
        formula="sign(x)",
        derivatives=("0",),
        doc="1, 0 or -1.",
    )
)
copysign = entry(
    Primitive(
        "copysign",
        math.copysign,
        [
            lambda a, b, y: sign(a) * sign(y),
            lambda a, b, y: 0.0,
        ],
        formula="copysign(a, b)",
        derivatives=("sign(a) * sign(y)", "0"),
        doc="The size of a with the sign of b.",
    )
)
