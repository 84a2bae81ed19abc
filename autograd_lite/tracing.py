"""One run of a function on fresh leaves, and the sweeps over what it recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

from autograd_lite.anomaly import check_adjoints, check_tangents, is_watching
from autograd_lite.hooks import hooked
from autograd_lite.lifting import NOTHING, lifted
from autograd_lite.modes import current_recorder, enable_grad, recording_derivatives
from autograd_lite.node import Node
from autograd_lite.primitives import Primitive, counted, nary, number
from autograd_lite.sweep import adjoints, tangents, with_order
from autograd_lite.trees import leaves_of, shaped_like, unpacked
from autograd_lite.value import Value

_depth: ContextVar[int] = ContextVar("autograd_lite_transform_depth", default=0)
_same = Primitive("same", lambda x: x, [lambda x, y: 1.0])


def inside_transform() -> bool:
    """Tell whether a function runs inside of a transform, which may want its operations."""
    return _depth.get() > 0


class Trace:
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
        recorder = current_recorder()
        self.recorded = recorder is not None
        self.trees: list[Any] = []
        self.given: list[Any] = []
        self.inputs: list[Value] = []
        for position in positions:
            tree = unpacked(args[position])
            given = [given_leaf(leaf, name, position) for leaf in leaves_of(tree)]
            if recorder is None:
                fresh = [Value(float(x)) for x in given]
            else:
                given = recorder.operands(given)
                fresh = [recorder.fresh(x) for x in given]
            called[position] = shaped_like(tree, iter(fresh))
            self.trees.append(tree)
            self.given += given
            self.inputs += fresh
        self.outer = _depth.get() > 0
        self.nested = any(isinstance(x, Value) for x in self.given)
        depth = _depth.get()
        try:
            _depth.set(depth + 1)
            with enable_grad():
                self.result = unpacked(f(*called, **kwargs))
        finally:
            _depth.set(depth)
        self.outputs = [self._output(leaf) for leaf in leaves_of(self.result)]

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
        if self.nested or self.recorded:
            return True
        if not self.outer:
            return False
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
        values = self.nested or self.recorded
        if values or (self.outer and any(with_order(x, self._lifts) for x in self.outputs)):
            return shaped_like(self.result, iter(self.outputs))
        return shaped_like(self.result, iter([x.data for x in self.outputs]))

    def per_argument(self, flat: Sequence[Any]) -> list[Any]:
        """Shape derivatives like the arguments."""
        found = iter(flat)
        return [shaped_like(tree, found) for tree in self.trees]


def _check_argnums(name: str, positions: Sequence[int], count: int) -> None:
    """Refuse argument numbers that do not exist or come twice."""
    for position in positions:
        if not -count <= position < count:
            raise TypeError(
                f"{name} expected an argument number {position} (argnums), but the function"
                f" was called with {counted(count, 'positional argument')}"
            )
    if len({position % count for position in positions}) < len(positions):
        raise ValueError(f"{name} expected different argnums, got {tuple(positions)}")


def given_leaf(leaf: Any, name: str, position: int) -> Any:
    """Return a number or Value of an argument, or say what was given instead."""
    if isinstance(leaf, Value):
        return leaf
    return number(leaf, f"{name} to be given numbers, lists or Values (argument {position})")
