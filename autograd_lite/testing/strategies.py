"""Hypothesis strategies: random programs of operations, and points in the domains of functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from autograd_lite.primitives import TABLE, Primitive, Variadic, number
from autograd_lite.testing.listing import printable
from autograd_lite.testing.operations import Step, apply, resolved
from autograd_lite.testing.programs import Program
from autograd_lite.testing.smoothness import MARGIN, bounded, kinks, smooth

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Operation = str | Primitive | Variadic
Interval = tuple[float, float]
RawStep = tuple[Operation, Sequence[int | float]]

REACH = 8  # how many nodes an operand is counted back at most
SIMPLEST_FIRST = ("+", "*", "neg", "-", "/", "sin", "exp", "tanh", "relu")
DIVISORS = (1.0, 2.5)  # of var
LARGEST_EXPONENT = 300


def expressions(
    *,
    operations: Iterable[Operation] | None = None,
    min_operations: int = 1,
    max_operations: int = 12,
    min_inputs: int = 1,
    max_inputs: int = 4,
    numbers: SearchStrategy[float] | None = None,
    smooth: bool = True,
    margin: float = MARGIN,
    limit: float = 20.0,
) -> SearchStrategy[Program]:
    """Draw random expression graphs, with nodes that are used many times.

    A drawn `Program` is called with floats, Values or another engine's values. It shrinks to the
    few operations that matter, and Hypothesis prints it as Python that runs by itself.

    Parameters
    ----------
    operations : iterable of str, Primitive or Variadic, optional
        Which operations to draw: names of the table (``"+"``, ``"sin"``, ``"dot"``, …), the
        library's functions, or primitives of your own. By default the whole table.
    min_operations, max_operations : int
        How many operations a program has.
    min_inputs, max_inputs : int
        How many inputs a program has.
    numbers : strategy of floats, optional
        Inputs and constants; by default between -3 and 3, with four decimals.
    smooth : bool
        Only operations that are differentiable at their operands. If False, kinks, edges and what
        lies outside a domain occur too, and so do infinities and NaN.
    margin : float
        With ``smooth``, how near an operand may come to a kink or the edge of a domain.
    limit : float
        With ``smooth``, what results and partials stay below, in absolute value.

    Returns
    -------
    SearchStrategy of Program

    Raises
    ------
    ImportError
        If Hypothesis is not installed.
    ValueError
        For an unknown operation, none at all, a largest number below the smallest.

    Examples
    --------
    A property of your own code that holds at every expression:

    >>> from hypothesis import given, settings
    >>> from autograd_lite import grad, jvp
    >>> from autograd_lite.testing import expressions
    >>> @settings(deadline=None)
    ... @given(expressions(max_inputs=1, max_operations=6))
    ... def test_forward_and_reverse_agree(program):
    ...     point = list(program.inputs)
    ...     _, tangent = jvp(program, (point,), ([1.0],))
    ...     (gradient,) = grad(program)(point)
    ...     assert abs(tangent - gradient) <= 1e-9 * (1.0 + abs(gradient))
    >>> test_forward_and_reverse_agree()

    A primitive of your own, among others, whose result it works on and which work on its own
    (for points all over its domain see `points`):

    >>> from autograd_lite import Primitive
    >>> from autograd_lite.testing import check_gradients
    >>> cube = Primitive("cube", lambda x: x * x * x, [lambda x, y: 3.0 * x * x])
    >>> @settings(max_examples=20, deadline=None)
    ... @given(expressions(operations=[cube, "+", "*"], max_operations=3))
    ... def test_cube(program):
    ...     check_gradients(program, list(program.inputs))
    >>> test_cube()

    An engine of your own, whose class has operators and methods, is compared by
    `assert_same_gradients`.
    """
    _at_most("min_operations", min_operations, "max_operations", max_operations, at_least=0)
    _at_most("min_inputs", min_inputs, "max_inputs", max_inputs, at_least=1)
    margin = _positive("margin", margin, or_zero=True)
    limit = _positive("limit", limit)
    pool = _pool(operations)
    st = _hypothesis()
    if numbers is None:
        numbers = st.floats(-3.0, 3.0).map(lambda x: round(x, 4))

    def admissible(primitive: Primitive | Variadic, operands: list[float]) -> bool:
        return not smooth or _admissible(primitive, operands, margin, limit)

    raw = _raw_steps(st, pool, numbers)
    longer = st.lists(raw, min_size=max_operations // 2, max_size=2 * max_operations)
    shorter = st.lists(raw, min_size=min_operations, max_size=2 * max_operations)
    inputs = st.lists(numbers, min_size=min_inputs, max_size=max_inputs)
    drawn = st.tuples(inputs, shorter | longer)
    programs = drawn.map(lambda parts: _assembled(parts[0], parts[1], max_operations, admissible))
    return programs.filter(lambda program: len(program.steps) >= min_operations)


def points(
    of: Operation | int | Sequence[Interval],
    *,
    length: int | None = None,
    extreme: bool = False,
    smooth: bool = True,
    margin: float = MARGIN,
) -> SearchStrategy[list[float]]:
    """Draw points in the domain of a function, as lists of floats.

    Parameters
    ----------
    of : str, Primitive, Variadic, int or sequence of (low, high)
        A primitive (or its name in the table), whose domain and kinks are known; or a number of
        coordinates, any real numbers; or the open interval of each coordinate.
    length : int, optional
        How many coordinates, for an operation on any number of operands; by default up to five.
    extreme : bool
        Magnitudes from 1e-300 to 1e300 too, and points close to the ends of intervals.
    smooth : bool
        Keep away from kinks and edges. If False, these are drawn too.
    margin : float
        How far away; with ``extreme``, a point may come as near as floats allow.

    Returns
    -------
    SearchStrategy of list of float
        Of a primitive, points at which its value and partials are finite numbers (unless
        ``smooth`` is False).

    Raises
    ------
    ImportError
        If Hypothesis is not installed.
    ValueError
        For an unknown operation, a length that does not fit, an empty interval.

    Examples
    --------
    The partials of a primitive of your own, held against differences wherever it is defined:

    >>> from hypothesis import given, settings
    >>> from autograd_lite import Primitive, sin
    >>> from autograd_lite.testing import check_gradients, points
    >>> logit = Primitive(
    ...     "logit",
    ...     lambda p: math.log(p / (1.0 - p)),
    ...     [lambda p, y: 1.0 / (p * (1.0 - p))],
    ...     domain=[(0.0, 1.0)],
    ... )
    >>> @settings(max_examples=20, deadline=None)
    ... @given(points(logit))
    ... def test_logit(point):
    ...     check_gradients(logit, *point)
    >>> test_logit()

    A function of two variables, one of them positive:

    >>> @settings(max_examples=20, deadline=None)
    ... @given(points([(-math.inf, math.inf), (0.0, math.inf)]))
    ... def test_a_function(point):
    ...     check_gradients(lambda x, y: sin(x) / y, *point)
    >>> test_a_function()
    """
    margin = 0.0 if extreme else _positive("margin", margin, or_zero=True)
    primitive = _primitive(of) if isinstance(of, str | Primitive | Variadic) else None
    st = _hypothesis()
    lengths, domain = _coordinates(of, primitive, length)
    places = kinks(primitive) if primitive is not None else ()
    reals = _extreme_reals(st) if extreme else st.floats(-4.0, 4.0).map(lambda x: round(x, 4))

    def coordinates(n: int) -> SearchStrategy[list[float]]:
        intervals = domain if domain is not None else _variadic_domain(primitive, n)
        drawn = [
            _inside(st, reals, interval, places, extreme=extreme, smooth=smooth)
            for interval in intervals
        ]
        return st.tuples(*drawn).map(list)

    found = st.sampled_from(lengths).flatmap(coordinates)
    if not smooth:
        return found
    if primitive is None:
        intervals = domain or []
        return found.filter(lambda point: _within(point, intervals, margin))
    return found.filter(lambda point: _admissible(primitive, point, margin, math.inf))


# -- programs ------------------------------------------------------------------------------------


def _pool(operations: Iterable[Operation] | None) -> list[Operation]:
    """Return what to draw from, the simplest first: this is where Hypothesis shrinks to."""
    if isinstance(operations, str):
        raise TypeError(f"operations is a list of operations, got text: {operations!r}")
    given = list(TABLE) if operations is None else list(operations)
    if not given:
        raise ValueError("operations is empty: there is nothing to draw")
    pool: list[Operation] = []
    for one in given:
        primitive = _primitive(one)
        if TABLE.get(primitive.name) is primitive:
            pool.append(primitive.name)
        elif printable(primitive.name):
            pool.append(primitive)
        else:
            raise ValueError(
                f"a primitive of your own needs a name that can be called in Python and that the"
                f" table does not have, got {primitive.name!r}"
            )
    first = [one for one in SIMPLEST_FIRST if one in pool]
    return [*first, *(one for one in pool if one not in first)]


def _primitive(operation: Operation) -> Primitive | Variadic:
    if isinstance(operation, Primitive | Variadic):
        return operation
    if not isinstance(operation, str):
        raise TypeError(
            f"an operation is a primitive or its name, got {type(operation).__name__}:"
            f" {operation!r}"
        )
    if operation not in TABLE:
        raise ValueError(f"the table of primitives has no {operation!r}; it has {', '.join(TABLE)}")
    return TABLE[operation]


def _raw_steps(
    st: Any, pool: list[Operation], numbers: SearchStrategy[float]
) -> SearchStrategy[RawStep]:
    """Draw an operation, and operands whatever the nodes before them: the list can be cut."""
    backs = st.integers(0, REACH)

    def draw_operand(draw: Callable[..., Any]) -> int | float:
        back = draw(backs)
        return back if back < REACH else draw(numbers)

    operand = st.composite(draw_operand)()
    operands = [_operands(st, _primitive(one), operand) for one in pool]
    indices = st.integers(0, len(pool) - 1)

    def draw_step(draw: Callable[..., Any]) -> RawStep:
        index = draw(indices)
        return pool[index], draw(operands[index])

    return st.composite(draw_step)()


def _operands(
    st: Any, primitive: Primitive | Variadic, operand: SearchStrategy[int | float]
) -> SearchStrategy[Sequence[int | float]]:
    """Draw as many operands as an operation takes."""
    if isinstance(primitive, Primitive):
        return st.tuples(*[operand] * primitive.arity)
    if primitive is TABLE["dot"]:
        pairs = st.lists(st.tuples(operand, operand), min_size=1, max_size=3)
        return pairs.map(lambda both: [x for half in zip(*both, strict=True) for x in half])
    if primitive is TABLE["var"]:
        spread = st.lists(operand, min_size=2, max_size=5)
        return st.tuples(spread, st.sampled_from(DIVISORS)).map(lambda p: [*p[0], p[1]])
    return st.lists(operand, min_size=1, max_size=5)


def _assembled(
    inputs: list[float],
    raw: list[RawStep],
    max_operations: int,
    admissible: Callable[[Primitive | Variadic, list[float]], bool],
) -> Program:
    """Make a program of the raw steps that are admissible where they stand, or nearby."""
    nodes: list[float] = [float(x) for x in inputs]
    steps: list[Step] = []
    for name, back in raw:
        if len(steps) == max_operations:
            break
        for step in _placed(name, back, len(nodes)):
            operands = resolved(step, nodes)
            if admissible(step.primitive, operands):
                steps.append(step)
                nodes.append(apply(step, operands))
                break
    return Program(tuple(inputs), tuple(steps))


def _placed(name: Operation, back: Sequence[int | float], count: int) -> Iterator[Step]:
    """Yield a step, then the same one on other nodes."""
    for shift in range(min(count, REACH)):
        operands = tuple((x + shift) % count if isinstance(x, int) else x for x in back)
        yield Step(name, operands) if isinstance(name, str) else Step(name.name, operands, name)


def _admissible(
    primitive: Primitive | Variadic, operands: list[float], margin: float, limit: float
) -> bool:
    return smooth(primitive, operands, margin=margin) and bounded(primitive, operands, limit)


# -- points --------------------------------------------------------------------------------------


def _coordinates(
    of: Any, primitive: Primitive | Variadic | None, length: int | None
) -> tuple[list[int], list[Interval] | None]:
    """Return the possible numbers of coordinates, and their intervals where they are known."""
    if isinstance(primitive, Variadic):
        return _lengths(primitive.name, length), None
    if length is not None:
        raise ValueError("length is for operations on any number of operands; leave it out here")
    if primitive is not None:
        return [primitive.arity], list(primitive.domain)
    if isinstance(of, int):
        if of < 1:
            raise ValueError(f"points expected at least 1 coordinate, got {of}")
        return [of], [(-math.inf, math.inf)] * of
    try:
        domain = [(float(low), float(high)) for low, high in of]
    except (TypeError, ValueError):
        raise TypeError(
            "points expected a primitive or its name, a number of coordinates, or a list of"
            f" (low, high), got {type(of).__name__}: {of!r}"
        ) from None
    if not domain:
        raise ValueError("points expected at least 1 coordinate, got an empty list")
    for low, high in domain:
        if not low < high:
            raise ValueError(f"points expected intervals with low < high, got ({low}, {high})")
    return [len(domain)], domain


def _lengths(name: str, length: int | None) -> list[int]:
    smallest, step = {"dot": (2, 2), "var": (3, 1)}.get(name, (1, 1))
    if length is None:
        return list(range(smallest, 7, step))
    if length < smallest or (length - smallest) % step:
        wanted = "an even length" if step == 2 else f"a length of at least {smallest}"
        raise ValueError(f"points of {name} have {wanted}, got {length}")
    return [length]


def _variadic_domain(primitive: Any, n: int) -> list[Interval]:
    reals = [(-math.inf, math.inf)] * n
    return [*reals[:-1], (0.0, math.inf)] if primitive is TABLE["var"] else reals


def _extreme_reals(st: Any) -> SearchStrategy[float]:
    """Draw numbers of all magnitudes."""
    exponents = st.integers(-LARGEST_EXPONENT, LARGEST_EXPONENT)
    parts = st.tuples(st.sampled_from((1.0, -1.0)), st.floats(1.0, 9.99), exponents)
    return parts.map(lambda p: p[0] * p[1] * 10.0 ** p[2])


def _inside(
    st: Any,
    reals: SearchStrategy[float],
    interval: Interval,
    places: Sequence[float],
    *,
    extreme: bool,
    smooth: bool,
) -> SearchStrategy[float]:
    """Draw a coordinate: a real number folded into its interval, or a special place."""
    low, high = interval
    found = reals.map(lambda x: _folded(x, low, high))
    if extreme:
        distances = st.integers(1, 15).map(lambda k: 10.0**-k)
        width = min(high - low, 1.0)
        if math.isfinite(low):
            found |= distances.map(lambda d: low + width * d)
        if math.isfinite(high):
            found |= distances.map(lambda d: high - width * d)
    if not smooth:
        ends = [x for x in interval if math.isfinite(x)]
        special = sorted({0.0, *places, *ends})
        found |= st.sampled_from([x for x in special if low <= x <= high] or [low])
    return found


def _folded(x: float, low: float, high: float) -> float:
    """Return x, or where it is not in the interval another number that is."""
    if low < x < high:
        return x
    if math.isfinite(low) and math.isfinite(high):
        return low + (x - low) % (high - low)
    return 2.0 * low - x if math.isfinite(low) else 2.0 * high - x


def _within(point: Sequence[float], intervals: Sequence[Interval], margin: float) -> bool:
    """Tell whether a point is inside, by a margin that narrow intervals have room for."""
    for x, (low, high) in zip(point, intervals, strict=True):
        room = min(margin, 0.1 * (high - low))
        if not low + room <= x <= high - room or x in (low, high):
            return False
    return True


# -- options -------------------------------------------------------------------------------------


def _at_most(small: str, low: int, large: str, high: int, *, at_least: int) -> None:
    if low < at_least:
        raise ValueError(f"{small} is at least {at_least}, got {low}")
    if high < low:
        raise ValueError(f"{large} is at least {small} = {low}, got {high}")


def _positive(what: str, given: float, *, or_zero: bool = False) -> float:
    x = number(given, f"a number for {what}")
    if not (x >= 0.0 if or_zero else x > 0.0):
        wanted = "zero or more" if or_zero else "positive"
        raise ValueError(f"{what} is {wanted}, got {given!r}")
    return x


def _hypothesis() -> Any:
    try:
        from hypothesis import strategies
    except ImportError:
        raise ImportError(
            "drawing expressions and points needs Hypothesis: pip install hypothesis"
        ) from None
    return strategies
