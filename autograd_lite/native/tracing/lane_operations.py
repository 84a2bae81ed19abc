"""What stands, while a function is recorded, for the operations that are about lanes.

A recording sees one lane. There the mean over all lanes is the number itself, and a pick is the
one number that was picked. The tape holds the special operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.native.tape import LANE_MEAN, LANE_VARIANCE, PICK, Special
from autograd_lite.native.tracing.refusals import RecordingError
from autograd_lite.node import Node
from autograd_lite.primitives import Primitive, Variadic


def _across_lanes(partial: float) -> Any:
    """Return a partial that is not to be differentiated, since it concerns other lanes too."""

    def formula(x: Any, y: Any) -> float:
        if isinstance(y, Node):
            raise RecordingError(
                "a derivative inside of the function came to a mean or variance over all lanes, of"
                " which it sees one: let the program differentiate what the function returns"
            )
        return partial

    return formula


def _picked(operands: Sequence[Any]) -> Any:
    label, *options = operands
    return options[int(label)]


def _picked_partials(operands: Sequence[Any], y: Any) -> list[Any]:
    """Return 1 for the option that was picked, else 0: a pick again."""
    label, *options = operands
    count = len(options)
    return [0.0, *(pick((label, *(float(i == k) for i in range(count)))) for k in range(count))]


pick: Variadic = Variadic("pick", _picked, _picked_partials)
lane_mean = Primitive("lane_mean", lambda x: x, [_across_lanes(1.0)])
lane_variance = Primitive("lane_variance", lambda x: 0.0, [_across_lanes(0.0)])

SPECIAL: dict[Any, Special] = {pick: PICK, lane_mean: LANE_MEAN, lane_variance: LANE_VARIANCE}
"""What the tape holds in place of an operation."""
