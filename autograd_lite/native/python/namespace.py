"""The functions that generated Python calls: primitives, their partials, and what lanes need."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from operator import add, mul
from typing import Any

from autograd_lite.native.python.expressions import helper_name, stated_name
from autograd_lite.native.python.lane_numbers import Lanes, lane_count, lanewise
from autograd_lite.native.python.naming import TAKEN, operation_names
from autograd_lite.native.tape import Tape
from autograd_lite.primitives import TABLE, Primitive, Variadic, nary
from autograd_lite.primitives.core import plain
from autograd_lite.primitives.ieee import RAISED_BY_FLOATS

Function = Callable[..., Any]


def namespace(tape: Tape | None = None) -> dict[str, Any]:
    """Return the functions that generated Python calls, by name.

    They take floats and `Lanes`; all but the partials of ``relu`` and other functions with
    branches, which are numbers, take Values too.

    Parameters
    ----------
    tape : Tape, optional
        The recording whose text it is, if it has primitives of your own or calls functions.

    Returns
    -------
    dict
        Every primitive of the table under its name; ``relu_dx``, ``hypot_da``, ``hypot_db``, … for
        the partial of a primitive with respect to its only, first, second, … operand, given its
        operands and its result; for an operation on a list, ``logsumexp_dx``, … for all of them.
        ``expect(answer, recorded)`` raises a RuntimeError where a comparison has another answer
        than when the function was recorded. ``pick(i, options)`` is ``options[i]``;
        ``picked(d, i, k)`` is d where i is k, else 0. ``lane_mean`` and ``lane_variance`` are over
        all lanes, and ``shared(d)`` is the mean of adjoints over all lanes.

    Examples
    --------
    >>> from autograd_lite.native.python.namespace import namespace
    >>> names = namespace()
    >>> names["sin"](0.0), names["relu_dx"](2.0, 2.0)
    (0.0, 1.0)
    """
    names: dict[str, Any] = {"nan": math.nan, "inf": math.inf, "expect": _expect}
    names |= {"pick": _pick, "picked": _picked, "detach": _detach}
    names |= {"lane_mean": _lane_mean, "shared": _lane_mean, "lane_variance": _lane_variance}
    names["lane_variance_dx"] = _lane_variance_slope
    for primitive in TABLE.values():
        _add(names, primitive, stated_name(primitive))
    names |= {"dot": _dot, "var": _var}
    if tape is not None:
        for operation, name in operation_names(tape).items():
            if name not in TAKEN:
                _add(names, operation, name)
        for i, effect in enumerate(tape.effects):
            names[f"after{i}"] = effect.function
    return names


def quick_namespace(tape: Tape) -> dict[str, Any]:
    """Return the same functions for floats alone: quicker, and they raise where Python does."""
    names = namespace(tape)
    for primitive in TABLE.values():
        name = stated_name(primitive)
        names[name] = primitive.value
        if isinstance(primitive, Variadic):
            names[helper_name(primitive, name)] = primitive.all_partials
        else:
            for i, partial in enumerate(primitive.partials):
                names[helper_name(primitive, name, i)] = partial
    names |= {"pick": _quick_pick, "picked": _quick_picked}
    return names | {"abs": math.fabs, "dot": _quick_dot, "var": _quick_var}


def _add(names: dict[str, Any], primitive: Any, name: str) -> None:
    """Add a primitive and its partials."""
    names[name] = primitive
    if primitive.variadic:
        names[helper_name(primitive, name)] = _all_partials(primitive)
    else:
        for i in range(primitive.arity):
            names[helper_name(primitive, name, i)] = _partial(primitive, i)


def _partial(primitive: Primitive, position: int) -> Function:
    """Return one partial as a function of the operands and the result."""

    def partial(*numbers: Any) -> Any:
        if not lane_count(numbers):
            return primitive.partial(position, *numbers)
        try:
            return lanewise(primitive.partials[position], *numbers)
        except RAISED_BY_FLOATS:
            return lanewise(lambda *one: primitive.partial(position, *one), *numbers)

    return partial


def _all_partials(primitive: Variadic) -> Function:
    """Return all partials as a function of the list of operands and the result."""

    def partials(operands: Sequence[Any], result: Any) -> Sequence[Any]:
        if not lane_count([*operands, result]):
            return primitive.evaluate_partials(tuple(operands), result)
        rows = lanewise(
            lambda *one: primitive.evaluate_partials(one[:-1], one[-1]), *operands, result
        )
        return [Lanes(column) for column in zip(*rows.numbers, strict=True)]

    return partials


def _dot(xs: Sequence[Any], ys: Sequence[Any], *start: Any) -> Any:
    return nary.dot_product((*xs, *ys, *start))


def _quick_dot(xs: Sequence[float], ys: Sequence[float], *start: float) -> Any:
    return reduce(add, map(mul, xs, ys), *start)


def _var(xs: Sequence[Any], freedom: Any) -> Any:
    return nary.variance((*xs, freedom))


def _quick_var(xs: Sequence[float], freedom: float) -> Any:
    return nary.variance.value((*xs, freedom))


def _detach(x: Any) -> Any:
    return x.detach() if hasattr(x, "detach") else x


def _expect(answer: Any, recorded: bool) -> None:
    answers = answer.numbers if isinstance(answer, Lanes) else [answer]
    if any(bool(one) is not recorded for one in answers):
        raise RuntimeError(
            "a comparison has another answer for these numbers than for those that the function"
            " was recorded with, so this text is not the function at these numbers"
        )


# -- choices, and statistics over lanes ------------------------------------------------------------


def _pick(label: Any, options: Sequence[Any]) -> Any:
    if lane_count([label, *options]):
        return lanewise(lambda i, *xs: xs[index(i, len(xs))], label, *options)
    return _quick_pick(plain(label), options)


def _quick_pick(label: float, options: Sequence[Any]) -> Any:
    return options[index(label, len(options))]


def index(label: float, count: int) -> int:
    """Return a label as an index, or say that it is none."""
    if label == int(label) and 0 <= label < count:
        return int(label)
    raise IndexError(f"a label was expected to be one of 0, …, {count - 1}, got {label:g}")


def _picked(adjoint: Any, label: Any, option: int) -> Any:
    if lane_count([adjoint, label]):
        return lanewise(lambda d, i: _quick_picked(d, i, option), adjoint, label)
    return _quick_picked(adjoint, label, option)


def _quick_picked(adjoint: Any, label: float, option: int) -> Any:
    return adjoint if label == option else 0.0


def _lane_mean(x: Any) -> Any:
    if not isinstance(x, Lanes):
        return x
    count = len(x.numbers)
    return Lanes([x.total(count) / count] * count)


def _deviation(x: Any) -> Any:
    return x - _lane_mean(x)


def _lane_variance(x: Any) -> Any:
    deviation = _deviation(x)
    return _lane_mean(deviation * deviation)


def _lane_variance_slope(x: Any) -> Any:
    return 2.0 * _deviation(x)
