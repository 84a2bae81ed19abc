"""`check_gradients`: the derivatives of a function against differences, operation by operation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd_lite.node import Node
from autograd_lite.primitives import Primitive, Variadic, counted
from autograd_lite.sweep import with_order
from autograd_lite.testing.moved_points import MovedPoint
from autograd_lite.testing.operation_checks import OperationChecks
from autograd_lite.testing.verdicts import DerivativeError
from autograd_lite.testing.whole_checks import WholeChecks
from autograd_lite.value import Value

MODES = ("reverse", "forward")
HIGHEST = 3
PARTIALS = (Primitive.partial.__code__, Variadic.evaluate_partials.__code__)


class GradientCheck(NamedTuple):
    """What `check_gradients` has found to be right; prints as a sentence or several.

    Attributes
    ----------
    inputs, outputs, operations : int
        How many the function has at this point.
    compared : int
        How many derivatives were compared with differences.
    order : int
        The highest derivative that was checked.
    modes : tuple of str
    notes : tuple of str
        Where differences could not tell, or the point is at a kink or jump.
    """

    inputs: int
    outputs: int
    operations: int
    compared: int
    order: int
    modes: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        text = (
            f"{counted(self.compared, 'derivative')} of order up to {self.order} agree with"
            f" differences: {counted(self.operations, 'operation')},"
            f" {counted(self.inputs, 'input')}, {counted(self.outputs, 'output')},"
            f" {' and '.join(self.modes)} mode"
        )
        return "\n".join([text, *(f"note: {note}" for note in self.notes)])


def check_gradients(
    f: Callable[..., Any],
    *point: Any,
    order: int = 2,
    modes: Sequence[str] = MODES,
) -> GradientCheck:
    """Check the derivatives of a function at a point, and find the operation that is wrong.

    First every recorded operation by itself: its partials against differences of its own value
    at its own operands, in topological order, and then its higher derivatives against differences
    of those below. Then the whole: the gradient of each output, in both modes, against
    differences of the function. A derivative is wrong if it is off by more than four times the
    estimated error of `finite_difference`, typically 1e-13 relative, and a second formula agrees
    that it is. At a kink any number between the derivatives from the left and the right is right;
    at a jump, where there is none, anything is, with a note.

    Parameters
    ----------
    f : callable
        Takes and returns Values or (nested) lists of them; written with operators and functions
        of autograd_lite, with primitives of your own, or both.
    *point : numbers, (nested) lists of numbers, modules
        One per argument of ``f``. What has a method ``parameters()`` is passed as it is, and
        differentiated with respect to its parameters.
    order : int
        The highest derivative to check: 1, 2 or 3.
    modes : sequence of {"reverse", "forward"}
        The sweeps to check.

    Returns
    -------
    GradientCheck
        How much was checked, with notes on kinks, jumps and on what differences could not tell.

    Raises
    ------
    DerivativeError
        An AssertionError; the message names the first wrong operation, expected and got.
    TypeError
        If f is no function or returns something else than numbers, or the point does not fit it.
    ValueError
        If the point holds a NaN or infinity or nothing at all, f has no finite value there or a
        different one each time, or an option is unknown.

    Examples
    --------
    >>> from autograd_lite import Primitive, sin
    >>> from autograd_lite.testing import check_gradients
    >>> print(check_gradients(lambda x, y: sin(x * y), 2.0, 3.0))
    16 derivatives of order up to 2 agree with differences: 2 operations, 2 inputs, 1 output,
    reverse and forward mode
    >>> cube = Primitive("cube", lambda x: x * x * x, [lambda x, y: 2.0 * x * x])
    >>> check_gradients(lambda x: sin(x) * cube(x), 2.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    autograd_lite.testing.verdicts.DerivativeError: operation 2 of 3, cube(2): the partial with
    respect to operand 0 is wrong: expected 12 ± ..., got 8
    """
    if not callable(f):
        raise TypeError(f"check_gradients expected a function, got {type(f).__name__}: {f!r:.40}")
    if not isinstance(order, int) or isinstance(order, bool) or not 1 <= order <= HIGHEST:
        raise ValueError(f"check_gradients expected an order of 1, 2 or 3, got {order!r}")
    wanted = (modes,) if isinstance(modes, str) else tuple(modes)
    if not wanted or any(mode not in MODES for mode in wanted):
        raise ValueError(
            f"check_gradients expected modes among 'reverse' and 'forward', got {modes!r}"
        )
    if not point:
        raise ValueError("check_gradients needs a point: one argument per argument of the function")
    moved = MovedPoint(f, point)
    try:
        values = _stable_values(moved)
    except Exception as error:
        name = _failed_partial(error)
        if name:
            raise DerivativeError(
                f"{name}: its partial is no number: {type(error).__name__}: {error}",
                operation=name,
            ) from error
        error.add_note(f"check_gradients called the function at {moved.numbers}")
        raise
    operations = OperationChecks()
    recorded = moved.run(
        moved.numbers, lambda inputs, outputs: _check_operations(outputs, operations, order)
    )
    whole = WholeChecks(moved, operations, wanted)
    for output in range(len(values)):
        whole.check_first(output)
        for degree in range(2, order + 1):
            whole.check_higher(output, degree)
    return GradientCheck(
        len(moved.numbers),
        len(values),
        recorded,
        operations.compared,
        order,
        wanted,
        tuple(operations.notes),
    )


def _failed_partial(error: BaseException) -> str:
    """Return the name of the operation whose partial an exception comes from; "" for none."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in PARTIALS:
            return str(trace.tb_frame.f_locals["self"].name)
        trace = trace.tb_next
    return ""


def _stable_values(moved: MovedPoint) -> list[float]:
    """Return the outputs at the point, after making sure that they are numbers and stay so."""
    values, again = moved.values(moved.numbers), moved.values(moved.numbers)
    for value in values:
        if not math.isfinite(value):
            raise ValueError(
                f"check_gradients needs a finite value of the function, got {value} at this point"
            )
    if values != again:
        raise ValueError(
            f"check_gradients needs a function that gives the same each time; this one gave"
            f" {values} and then {again}: fix its random numbers"
        )
    return values


def _check_operations(outputs: Sequence[Value], operations: OperationChecks, order: int) -> int:
    """Check every operation; return how many there are."""
    found: dict[Node, None] = {}
    for output in outputs:
        found |= dict.fromkeys(with_order(output, list))
    operations.check(list(found), order)
    return sum(node._primitive is not None for node in found)
