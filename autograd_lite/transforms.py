"""Derivatives of ordinary Python functions, with JAX's conventions.

A function is run once on fresh leaves that stand for its arguments, and the recorded graph is
swept backward (`grad`, `vjp`), forward (`jvp`), or both (`hvp`). Arguments and results are numbers
or lists of them, nested as one likes; derivatives have the shape of what they belong to.

Transforms nest. A derivative is computed with partials as Values (and so can be differentiated
again) when an argument is a Value, or when the function runs inside another transform and uses
that one's variables. Because each call has leaves of its own, the variables of an inner and an
outer derivative cannot be confused. Plain numbers in, plain floats out otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.modes import enable_grad
from autograd_lite.primitives import counted, nary
from autograd_lite.tracing import Trace, given_leaf
from autograd_lite.trees import leaves_of, outline, shaped_like, unpacked
from autograd_lite.value import Value

Argnums = int | tuple[int, ...]


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the function that computes the gradient of ``f``.

    Parameters
    ----------
    f : callable
        Takes numbers or (nested) lists of numbers, returns one number.
    argnums : int or tuple of int
        Which positional arguments to differentiate with respect to.

    Returns
    -------
    callable
        Takes the arguments of ``f``; returns the derivative with the shape of the argument, or a
        tuple of them if ``argnums`` is a tuple.

    Raises
    ------
    TypeError
        If ``f`` is no function; when called, if it does not return one number or an argument is
        not made of numbers.

    Examples
    --------
    >>> from autograd_lite import grad, sin
    >>> grad(lambda x: (x**2 + sin(x**2)) * x**2)(2.0)
    18.514492084950497
    >>> grad(grad(grad(lambda x: x**4)))(2.0)
    48.0
    >>> grad(lambda p: p[0] * p[1])([3.0, 5.0])
    [5.0, 3.0]
    """
    positions = _checked("grad", f, argnums)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        trace = Trace("grad", f, args, kwargs, positions)
        found = trace.reverse(trace.scalar())
        trace.link()
        return _single(trace.per_argument(found), argnums)

    return gradient


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the function that computes ``(f(...), gradient)`` in one go.

    Parameters, errors and the shape of the gradient are those of `grad`.

    Examples
    --------
    >>> from autograd_lite import value_and_grad
    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(3.0, 5.0)
    (15.0, (5.0, 3.0))
    """
    positions = _checked("value_and_grad", f, argnums)

    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        trace = Trace("value_and_grad", f, args, kwargs, positions)
        found = trace.reverse(trace.scalar())
        value = trace.value()
        trace.link()
        return value, _single(trace.per_argument(found), argnums)

    return value_and_gradient


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return ``f(*primals)`` and the function that pulls cotangents back (reverse mode).

    Parameters
    ----------
    f : callable
        Takes and returns numbers or (nested) lists.
    *primals : numbers or lists
        The point.

    Returns
    -------
    value : number or list
    pull_back : callable
        Takes a cotangent of the shape of ``value``; returns a tuple, for each primal the sum over
        outputs of cotangent · ∂output/∂primal. Can be called again and again.

    Examples
    --------
    >>> from autograd_lite import vjp
    >>> value, pull_back = vjp(lambda x, y: [x * y, x + y], 2.0, 5.0)
    >>> value, pull_back([1.0, 10.0])
    ([10.0, 7.0], (15.0, 12.0))
    """
    _check_function("vjp", f)
    trace = Trace("vjp", f, primals, {})
    value = trace.value()
    trace.link()

    def pull_back(cotangent: Any) -> tuple[Any, ...]:
        expected, got = outline(trace.result), outline(unpacked(cotangent))
        if expected != got:
            raise ValueError(
                f"vjp expected a cotangent of the shape of the value, {expected}, got {got}"
            )
        weights = [given_leaf(leaf, "vjp", 0) for leaf in leaves_of(unpacked(cotangent))]
        with enable_grad():
            root = Value._record(nary.dot_product, (*trace.outputs, *weights))
        lift = any(isinstance(weight, Value) for weight in weights)
        return tuple(trace.per_argument(trace.reverse(root, lift=lift)))

    return value, pull_back


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return ``f(*primals)`` and its derivative along ``tangents`` (forward mode).

    Parameters
    ----------
    f : callable
        Takes and returns numbers or (nested) lists.
    primals, tangents : sequences, one entry per argument of ``f``
        The point and the direction, of the same shapes.

    Returns
    -------
    (value, tangent)
        Both of the shape of what ``f`` returns.

    Raises
    ------
    ValueError
        If a tangent has not the shape of its primal.

    Examples
    --------
    >>> from autograd_lite import jvp
    >>> jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.0))
    (10.0, 5.0)
    """
    _check_function("jvp", f)
    along_each = _sequence("jvp", "tangents", tangents)
    trace = Trace("jvp", f, _sequence("jvp", "primals", primals), {})
    directions = _directions("jvp", trace.trees, along_each)
    along = trace.forward(trace.outputs, directions)
    value = trace.value()
    trace.link()
    return value, shaped_like(trace.result, iter(along))


def jacobian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the function that computes all derivatives of all outputs of ``f``.

    Sweeps backward once per output or forward once per input, whichever is fewer.

    Parameters
    ----------
    f : callable
        Takes and returns numbers or (nested) lists.
    argnums : int or tuple of int
        Which positional arguments to differentiate with respect to.

    Returns
    -------
    callable
        Returns nested lists of the shape of the output, with the shape of the argument inside.

    Examples
    --------
    >>> from autograd_lite import jacobian
    >>> jacobian(lambda p: [p[0] * p[1], p[0] + p[1]])([2.0, 5.0])
    [[5.0, 2.0], [1.0, 1.0]]
    """
    positions = _checked("jacobian", f, argnums)

    def computed(*args: Any, **kwargs: Any) -> Any:
        trace = Trace("jacobian", f, args, kwargs, positions)
        count = len(trace.inputs)
        if 0 < count < len(trace.outputs):
            units = [[float(i == j) for j in range(count)] for i in range(count)]
            columns = [trace.forward(trace.outputs, unit) for unit in units]
            rows = [list(row) for row in zip(*columns, strict=True)]
        else:
            rows = [trace.reverse(output) for output in trace.outputs]
        trace.link()
        shaped = [trace.per_argument(row) for row in rows]
        blocks = [[row[i] for row in shaped] for i in range(len(trace.trees))]
        return _single([shaped_like(trace.result, iter(block)) for block in blocks], argnums)

    return computed


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the function that computes the matrix of second derivatives of ``f``.

    Only the lower triangle is computed; the upper is its mirror image, so the result is symmetric
    to the last bit.

    Parameters
    ----------
    f : callable
        Takes numbers or (nested) lists of numbers, returns one number.
    argnums : int or tuple of int
        Which positional arguments to differentiate with respect to.

    Returns
    -------
    callable
        Returns nested lists of the shape of the argument, with the same shape inside: a float for
        a number, n lists of n floats for a list of n. If ``argnums`` is a tuple, a tuple of
        tuples of such blocks.

    Examples
    --------
    >>> from autograd_lite import hessian
    >>> hessian(lambda p: p[0] ** 2 * p[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    positions = _checked("hessian", f, argnums)

    def computed(*args: Any, **kwargs: Any) -> Any:
        trace = Trace("hessian", f, args, kwargs, positions)
        first = trace.reverse(trace.scalar(), lift=True)
        matrix = [trace.reverse(g) if isinstance(g, Value) else [0.0] * len(first) for g in first]
        trace.link()
        mirrored = [
            [matrix[max(i, j)][min(i, j)] for j in range(len(first))] for i in range(len(first))
        ]
        rows = iter([_single(trace.per_argument(row), argnums) for row in mirrored])
        blocks = [shaped_like(tree, rows) for tree in trace.trees]
        if isinstance(argnums, int):
            return blocks[0]
        return tuple(
            tuple(_picked(tree, block, j) for j in range(len(blocks)))
            for tree, block in zip(trace.trees, blocks, strict=True)
        )

    return computed


def _picked(tree: Any, block: Any, j: int) -> Any:
    """Return nested lists like ``tree`` with element ``j`` of each of the tuples in ``block``."""
    if isinstance(tree, list | tuple):
        return type(tree)(_picked(*pair, j) for pair in zip(tree, block, strict=True))
    return block[j]


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return the Hessian of ``f`` times a vector, without forming the matrix.

    Forward over reverse: the derivative of the gradient along ``tangents``, at a small constant
    times the cost of ``f``.

    Parameters
    ----------
    f : callable
        Takes numbers or (nested) lists of numbers, returns one number.
    primals, tangents : sequences, one entry per argument of ``f``
        The point and the vector, of the same shapes.

    Returns
    -------
    number, list, or a tuple of them
        Of the shape of the argument; a tuple if ``f`` has several arguments.

    Examples
    --------
    >>> from autograd_lite import hvp
    >>> hvp(lambda p: p[0] ** 2 * p[1], ([3.0, 5.0],), ([1.0, 0.0],))
    [10.0, 6.0]
    """
    _check_function("hvp", f)
    along_each = _sequence("hvp", "tangents", tangents)
    trace = Trace("hvp", f, _sequence("hvp", "primals", primals), {})
    directions = _directions("hvp", trace.trees, along_each)
    first = trace.reverse(trace.scalar(), lift=True)
    products = trace.forward(first, directions)
    trace.link()
    found = trace.per_argument(products)
    return found[0] if len(found) == 1 else tuple(found)


# -- what they are given ---------------------------------------------------------------------------


def _check_function(name: str, f: Any) -> None:
    if not callable(f):
        raise TypeError(f"{name} expected a function, got {type(f).__name__}: {f!r}")


def _checked(name: str, f: Any, argnums: Any) -> tuple[int, ...]:
    """Return the positions of the arguments after a look at what a transform is given."""
    _check_function(name, f)
    positions = tuple(argnums) if isinstance(argnums, tuple | list) else (argnums,)
    for position in positions:
        if not isinstance(position, int):
            raise TypeError(
                f"{name} expected argnums to be an int or a tuple of ints, got {position!r}"
            )
    return positions


def _single(values: Sequence[Any], argnums: Argnums) -> Any:
    return values[0] if isinstance(argnums, int) else tuple(values)


def _sequence(name: str, what: str, given: Any) -> tuple[Any, ...]:
    """Return the primals or tangents, one per argument of the function."""
    if not isinstance(given, tuple | list):
        raise TypeError(
            f"{name} expected a tuple of {what}, one per argument of the function, got"
            f" {type(given).__name__}"
        )
    return tuple(given)


def _directions(name: str, trees: Sequence[Any], given: Sequence[Any]) -> list[Any]:
    """Flatten tangents after checking that they have the shapes they belong to."""
    if len(given) != len(trees):
        raise ValueError(f"{name} expected {counted(len(trees), 'tangent')}, got {len(given)}")
    flat: list[Any] = []
    for position, (tree, direction) in enumerate(zip(trees, map(unpacked, given), strict=True)):
        if outline(tree) != outline(direction):
            raise ValueError(
                f"{name} expected tangent {position} to have the shape of its primal,"
                f" {outline(tree)}, got {outline(direction)}"
            )
        flat += [given_leaf(leaf, name, position) for leaf in leaves_of(direction)]
    return flat
