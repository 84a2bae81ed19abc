"""Random expression graphs, as a Hypothesis strategy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from autograd_lite.primitives import TABLE, Primitive, Variadic, is_stated
from autograd_lite.testing.listing import printable
from autograd_lite.testing.operations import Step, apply, resolved
from autograd_lite.testing.programs import Program
from autograd_lite.testing.smoothness import MARGIN, admissible
from autograd_lite.testing.strategy_options import (
    Operation,
    at_most,
    hypothesis_strategies,
    positive,
    primitive_of,
)

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

RawStep = tuple[Operation, Sequence[int | float]]

REACH = 8  # how many nodes an operand is counted back at most
SIMPLEST_FIRST = ("+", "*", "neg", "-", "/", "sin", "exp", "tanh", "relu")
DIVISORS = (1.0, 2.5)  # of var


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
    at_most("min_operations", min_operations, "max_operations", max_operations, at_least=0)
    at_most("min_inputs", min_inputs, "max_inputs", max_inputs, at_least=1)
    margin = positive("margin", margin, or_zero=True)
    limit = positive("limit", limit)
    pool = _pool(operations)
    st = hypothesis_strategies()
    if numbers is None:
        numbers = st.floats(-3.0, 3.0).map(lambda x: round(x, 4))

    def allowed(primitive: Primitive | Variadic, operands: list[float]) -> bool:
        return not smooth or admissible(primitive, operands, margin, limit)

    raw = _raw_steps(st, pool, numbers)
    longer = st.lists(raw, min_size=max_operations // 2, max_size=2 * max_operations)
    shorter = st.lists(raw, min_size=min_operations, max_size=2 * max_operations)
    inputs = st.lists(numbers, min_size=min_inputs, max_size=max_inputs)
    drawn = st.tuples(inputs, shorter | longer)
    programs = drawn.map(lambda parts: _assembled(parts[0], parts[1], max_operations, allowed))
    return programs.filter(lambda program: len(program.steps) >= min_operations)


def _pool(operations: Iterable[Operation] | None) -> list[Operation]:
    """Return what to draw from, the simplest first: this is where Hypothesis shrinks to."""
    if isinstance(operations, str):
        raise TypeError(f"operations is a list of operations, got text: {operations!r}")
    given = list(TABLE) if operations is None else list(operations)
    if not given:
        raise ValueError("operations is empty: there is nothing to draw")
    pool: list[Operation] = []
    for one in given:
        primitive = primitive_of(one)
        if is_stated(primitive):
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


def _raw_steps(
    st: Any, pool: list[Operation], numbers: SearchStrategy[float]
) -> SearchStrategy[RawStep]:
    """Draw an operation, and operands whatever the nodes before them: the list can be cut."""
    backs = st.integers(0, REACH)

    def draw_operand(draw: Callable[..., Any]) -> int | float:
        back = draw(backs)
        return back if back < REACH else draw(numbers)

    operand = st.composite(draw_operand)()
    operands = [_operands(st, primitive_of(one), operand) for one in pool]
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
    allowed: Callable[[Primitive | Variadic, list[float]], bool],
) -> Program:
    """Make a program of the raw steps that are allowed where they stand, or nearby."""
    nodes: list[float] = [float(x) for x in inputs]
    steps: list[Step] = []
    for name, back in raw:
        if len(steps) == max_operations:
            break
        for step in _placed(name, back, len(nodes)):
            operands = resolved(step, nodes)
            if allowed(step.primitive, operands):
                steps.append(step)
                nodes.append(apply(step, operands))
                break
    return Program(tuple(inputs), tuple(steps))


def _placed(name: Operation, back: Sequence[int | float], count: int) -> Iterator[Step]:
    """Yield a step, then the same one on other nodes."""
    for shift in range(min(count, REACH)):
        operands = tuple((x + shift) % count if isinstance(x, int) else x for x in back)
        yield Step(name, operands) if isinstance(name, str) else Step(name.name, operands, name)
