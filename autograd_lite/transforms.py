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

from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from autograd_lite.anomaly import check_adjoints, check_tangents, is_watching
from autograd_lite.hooks import hooked
from autograd_lite.lifting import NOTHING, lifted
from autograd_lite.modes import enable_grad, recording_derivatives
from autograd_lite.node import Node
from autograd_lite.primitives import Primitive, counted, nary, number
from autograd_lite.sweep import adjoints, tangents, with_order
from autograd_lite.value import Value

Argnums = int | tuple[int, ...]

_depth: ContextVar[int] = ContextVar("autograd_lite_transform_depth", default=0)
_same = Primitive("same", lambda x: x, [lambda x, y: 1.0])


# -- nested lists --------------------------------------------------------------------------------


def _leaves(tree: Any) -> list[Any]:
    """Return the numbers of nested lists, left to right."""
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in _leaves(branch)]
    return [tree]


def _shaped(tree: Any, leaves: Iterator[Any]) -> Any:
    """Return nested lists like ``tree`` with other numbers."""
    if isinstance(tree, list):
        return [_shaped(branch, leaves) for branch in tree]
    if isinstance(tree, tuple):
        return tuple(_shaped(branch, leaves) for branch in tree)
    return next(leaves)


def _unpacked(argument: Any) -> Any:
    """Turn a NumPy array into nested lists; leave everything else."""
    return argument.tolist() if getattr(argument, "shape", ()) != () else argument


def _single(values: Sequence[Any], argnums: Argnums) -> Any:
    return values[0] if isinstance(argnums, int) else tuple(values)


# -- running a function on fresh leaves ----------------------------------------------------------


class _Trace:
    """One run of a function: its result, and the leaves that stood for its arguments."""

    def __init__(
        self,
        name: str,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        argnums: tuple[int, ...] | None = None,
    ) -> None:
        """Run ``f``, differentiable in the arguments ``argnums`` (all of them if None)."""
        self.name = name
        positions = range(len(args)) if argnums is None else argnums
        _check_argnums(name, positions, len(args))
        called = list(args)
        self.trees: list[Any] = []
        self.given: list[Any] = []
        self.inputs: list[Value] = []
        for position in positions:
            tree = _unpacked(args[position])
            given = [_given(leaf, name, position) for leaf in _leaves(tree)]
            fresh = [Value(float(x)) for x in given]
            called[position] = _shaped(tree, iter(fresh))
            self.trees.append(tree)
            self.given += given
            self.inputs += fresh
        self.outer = _depth.get() > 0
        self.nested = any(isinstance(x, Value) for x in self.given)
        depth = _depth.get()
        try:
            _depth.set(depth + 1)
            with enable_grad():
                self.result = _unpacked(f(*called, **kwargs))
        finally:
            _depth.set(depth)
        self.outputs = [self._output(leaf) for leaf in _leaves(self.result)]

    def _output(self, leaf: Any) -> Value:
        if isinstance(leaf, Value):
            return leaf
        return Value(
            number(leaf, f"{self.name} to get a number from the function"), requires_grad=False
        )

    def scalar(self) -> Value:
        """Return the only output."""
        if isinstance(self.result, list | tuple):
            raise TypeError(
                f"{self.name} needs a function that returns one number, this one returned a"
                f" {type(self.result).__name__} of {len(self.result)}; use jacobian or vjp"
            )
        return self.outputs[0]

    def _lifts(self, order: list[Value]) -> bool:
        """Tell whether derivatives have to be Values, see the top of this module."""
        if self.nested or not self.outer:
            return self.nested
        own = set(self.inputs)
        return any(
            node._primitive is None and node._grad is not None and node not in own for node in order
        )

    def reverse(self, root: Value, seed: Any = 1.0, *, lift: bool = False) -> list[Any]:
        """Return d root / d input for each input, times ``seed``."""

        watched = is_watching()

        def use(order: list[Value]) -> list[Any]:
            passed = hooked(order)
            if lift or isinstance(seed, Value) or self._lifts(order):
                sums = adjoints(order, seed, NOTHING, lifted(order), hooked=passed)
            else:
                sums = adjoints(order, seed, 0.0, hooked=passed)
            if watched:
                check_adjoints(order, sums)
            return [self._derivative(sums[leaf._position]) for leaf in self.inputs]

        with recording_derivatives():
            return with_order(root, use)

    def forward(self, roots: Sequence[Any], directions: Sequence[Any]) -> list[Any]:
        """Return the derivative of each root along a direction in the space of the inputs."""
        recorded = [root for root in roots if isinstance(root, Value)]
        if not recorded:
            return [self._derivative(NOTHING)] * len(roots)
        seeds: dict[Node, Any] = dict(zip(self.inputs, directions, strict=True))
        watched = is_watching()

        def use(order: list[Value]) -> list[Any]:
            if any(isinstance(x, Value) for x in directions) or self._lifts(order):
                along = tangents(order, seeds, NOTHING, lifted(order))
            else:
                along = tangents(order, seeds, 0.0)
            if watched:
                check_tangents(order, along)
            return [
                self._derivative(along[root._position] if isinstance(root, Value) else NOTHING)
                for root in roots
            ]

        with recording_derivatives():
            below_all = Value._record(nary.total, tuple(recorded))
            return with_order(below_all, use)

    def _derivative(self, found: Any) -> Any:
        """Return what was summed; as a Value in any case if Values were given."""
        found = 0.0 if found is NOTHING else found
        if self.nested and not isinstance(found, Value):
            return Value(found, requires_grad=False)
        return found

    def link(self) -> None:
        """Turn leaves that stood for Values into recorded copies of them.

        Done after the sweeps of this trace, which end at its leaves; sweeps from outside then go
        through them.
        """
        for leaf, given in zip(self.inputs, self.given, strict=True):
            if isinstance(given, Value):
                leaf._primitive, leaf._a, leaf._da = _same, given, 1.0

    def value(self) -> Any:
        """Return what the function returned: as Values inside another transform, else floats."""
        if self.nested or (self.outer and any(with_order(x, self._lifts) for x in self.outputs)):
            return _shaped(self.result, iter(self.outputs))
        return _shaped(self.result, iter([x.data for x in self.outputs]))

    def per_argument(self, flat: Sequence[Any]) -> list[Any]:
        """Shape derivatives like the arguments."""
        found = iter(flat)
        return [_shaped(tree, found) for tree in self.trees]


def _check_argnums(name: str, positions: Sequence[Any], count: int) -> None:
    """Refuse argument numbers that do not exist or come twice."""
    for position in positions:
        if not isinstance(position, int):
            raise TypeError(
                f"{name} expected argnums to be an int or a tuple of ints, got {position!r}"
            )
        if not -count <= position < count:
            raise TypeError(
                f"{name} expected an argument number {position} (argnums), but the function"
                f" was called with {counted(count, 'positional argument')}"
            )
    if len({position % count for position in positions}) < len(positions):
        raise ValueError(f"{name} expected different argnums, got {tuple(positions)}")


def _given(leaf: Any, name: str, position: int) -> Any:
    if isinstance(leaf, Value):
        return leaf
    return number(leaf, f"{name} to be given numbers, lists or Values (argument {position})")


def _positions(argnums: Any) -> tuple[Any, ...]:
    return tuple(argnums) if isinstance(argnums, tuple | list) else (argnums,)


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
    for position, (tree, direction) in enumerate(zip(trees, map(_unpacked, given), strict=True)):
        if _outline(tree) != _outline(direction):
            raise ValueError(
                f"{name} expected tangent {position} to have the shape of its primal,"
                f" {_outline(tree)}, got {_outline(direction)}"
            )
        flat += [_given(leaf, name, position) for leaf in _leaves(direction)]
    return flat


def _outline(tree: Any) -> str:
    if isinstance(tree, list | tuple):
        return "[" + ", ".join(_outline(branch) for branch in tree) + "]"
    return "number"


# -- the transforms ------------------------------------------------------------------------------


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
        When called, if ``f`` does not return one number or an argument is not made of numbers.

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

    def gradient(*args: Any, **kwargs: Any) -> Any:
        trace = _Trace("grad", f, args, kwargs, _positions(argnums))
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

    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        trace = _Trace("value_and_grad", f, args, kwargs, _positions(argnums))
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
    trace = _Trace("vjp", f, primals, {})
    value = trace.value()
    trace.link()

    def pull_back(cotangent: Any) -> tuple[Any, ...]:
        expected, got = _outline(trace.result), _outline(_unpacked(cotangent))
        if expected != got:
            raise ValueError(
                f"vjp expected a cotangent of the shape of the value, {expected}, got {got}"
            )
        weights = [_given(leaf, "vjp", 0) for leaf in _leaves(_unpacked(cotangent))]
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
    along_each = _sequence("jvp", "tangents", tangents)
    trace = _Trace("jvp", f, _sequence("jvp", "primals", primals), {})
    directions = _directions("jvp", trace.trees, along_each)
    along = trace.forward(trace.outputs, directions)
    value = trace.value()
    trace.link()
    return value, _shaped(trace.result, iter(along))


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

    def computed(*args: Any, **kwargs: Any) -> Any:
        trace = _Trace("jacobian", f, args, kwargs, _positions(argnums))
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
        return _single([_shaped(trace.result, iter(block)) for block in blocks], argnums)

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

    def computed(*args: Any, **kwargs: Any) -> Any:
        trace = _Trace("hessian", f, args, kwargs, _positions(argnums))
        first = trace.reverse(trace.scalar(), lift=True)
        matrix = [trace.reverse(g) if isinstance(g, Value) else [0.0] * len(first) for g in first]
        trace.link()
        mirrored = [
            [matrix[max(i, j)][min(i, j)] for j in range(len(first))] for i in range(len(first))
        ]
        rows = iter([_single(trace.per_argument(row), argnums) for row in mirrored])
        blocks = [_shaped(tree, rows) for tree in trace.trees]
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
    along_each = _sequence("hvp", "tangents", tangents)
    trace = _Trace("hvp", f, _sequence("hvp", "primals", primals), {})
    directions = _directions("hvp", trace.trees, along_each)
    first = trace.reverse(trace.scalar(), lift=True)
    products = trace.forward(first, directions)
    trace.link()
    found = trace.per_argument(products)
    return found[0] if len(found) == 1 else tuple(found)
