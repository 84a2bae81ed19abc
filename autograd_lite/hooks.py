"""Hooks: functions that see, and may change, a gradient as it passes a node.

A hook is held by its node, so both go together. A sweep must not ask every node, though: a list
of weak references tells which nodes in the process have hooks, and is mostly empty.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from types import TracebackType
from typing import Any
from weakref import ref

from autograd_lite.modes import Tag
from autograd_lite.node import Node
from autograd_lite.primitives import number

_hooked: dict[int, ref[Node]] = {}


class RemovableHandle:
    """What `Value.register_hook` returns: removes the hook, at once or when a with-block ends.

    Examples
    --------
    >>> from autograd_lite import Value
    >>> x = Value(3.0)
    >>> with x.register_hook(lambda gradient: 10.0 * gradient):
    ...     (2.0 * x).backward()
    >>> (2.0 * x).backward()
    >>> x.grad
    22.0
    """

    __slots__ = ("_node", "function")

    def __init__(self, node: Node, function: Callable[[Any], Any]) -> None:
        self.function = function
        self._node = ref(node)

    def remove(self) -> None:
        """Take the hook away; does nothing the second time."""
        node = self._node()
        tag = getattr(node, "_tag", None)
        if node is None or tag is None:
            return
        rest = tuple(hook for hook in tag.hooks if hook is not self)
        node._tag = tag._replace(hooks=rest)
        if not rest:
            _hooked.pop(id(node), None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


def add_hook(node: Node, function: Callable[[Any], Any]) -> RemovableHandle:
    """Attach a hook to a node, after those that it has."""
    handle = RemovableHandle(node, function)
    tag = getattr(node, "_tag", Tag())
    node._tag = tag._replace(hooks=(*tag.hooks, handle))
    key = id(node)
    _hooked[key] = ref(node, lambda _: _hooked.pop(key, None))
    return handle


def hooked(order: Iterable[Node]) -> Collection[Node]:
    """Return the nodes with hooks among those of an order that is in use."""
    if not _hooked:
        return ()
    alive = {node for reference in list(_hooked.values()) if (node := reference()) is not None}
    return alive.intersection(order)


def through_hooks(
    nodes: Collection[Node], pairs: Iterable[tuple[Node, Any]], sums: list[Any], zero: Any
) -> Iterator[tuple[Node, Any]]:
    """Yield pairs of node and adjoint, with what the hooks of ``nodes`` make of the adjoints."""
    for node, adjoint in pairs:
        if node in nodes and adjoint is not zero:
            for hook in node._tag.hooks:
                given = hook.function(adjoint)
                if given is not None:
                    adjoint = _checked(given, zero)
            sums[node._position] = adjoint
        yield node, adjoint


def _checked(given: Any, zero: Any) -> Any:
    """Return what a hook made of a gradient, as a float where gradients are floats."""
    if isinstance(given, Node):
        return given._data if type(zero) is float else given
    return number(given, "a number, a Value or None from a hook")
