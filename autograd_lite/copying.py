"""Copies of graphs by `copy` and `pickle`, none of which recurses along a chain of operations.

A shallow copy is one more node for the same operation. A deep copy makes a twin of every node that
is reachable, through operands and through gradients that are graphs, and then connects the twins.

A pickler recurses into whatever an object refers to, unless it has met it before. So the first
node that it meets announces all that are reachable from it, operands before results: by the time
an announced node comes to be pickled, the pickler knows its operands. Which nodes a pickler has
met, a `_Session` says. Only the pickler's own memo keeps it alive, so it ends with the pickler.

What a node is called, its recorded partials, its stamp and its gradient are copied, also that no
gradient was written yet. Hooks are not, nor whether the gradient belongs to older data.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from copy import deepcopy
from threading import local
from typing import Any
from weakref import ref

from autograd_lite.allocation import Bound, allocator, kind_of
from autograd_lite.modes import current_recorder, runtime
from autograd_lite.node import UNREACHED, Node

State = tuple[dict[str, Any] | None, dict[str, Any]]

_NOTHING: State = (None, {})

_SHARED = ("_db", "_primitive", "_tag")
"""Slots whose contents never change, so that copies share them."""


def shallow_copy(node: Node) -> Node:
    """Return another node of the same operation, operands and gradient."""
    _refuse_while_recorded(node)
    twin = _initial(_blank_like(node), node._stamp)
    for state in _states(node):
        _fill(twin, state)
    return twin


def deep_copy(node: Node, memo: dict[int, Any]) -> Any:
    """Return a copy of the graph below; nodes that ``memo`` has are not copied again."""
    _refuse_while_recorded(node)
    nodes = _reachable(node, memo)
    for original in nodes:
        memo[id(original)] = _initial(_blank_like(original), original._stamp)
    for original in nodes:
        (_, slots), more = _states(original)
        for name, part in slots.items():
            slots[name] = part if name in _SHARED else deepcopy(part, memo)
        twin = memo[id(original)]
        _fill(twin, (None, slots))
        _fill(twin, deepcopy(more, memo))
    return memo[id(node)]


def reduced(node: Node) -> tuple[Any, ...]:
    """Return what `pickle` makes the node from: for the first one, all that are reachable."""
    _refuse_while_recorded(node)
    session = _current.session()
    known = session is not None and id(node) not in session.reduced
    if session is None or not known:  # no pickler, or another one, has been here
        session = _Session()
        _current.session = ref(session)
    session.reduced.add(id(node))
    is_leaf = node._primitive is None
    make, arguments = _leaf if is_leaf else _recorded, (kind_of(node), node._stamp)
    own, more = _states(node)
    alone = id(node) in session.announced or (is_leaf and more == _NOTHING)
    if alone and known:
        return make, arguments, own
    nodes = [node] if alone else _reachable(node, session.reduced)
    session.announced.update(map(id, nodes))
    others = [x for x in nodes if x is not node]
    late = [(x, _states(x)[1]) for x in nodes if _has_more(x)]
    return make, arguments, (session, others, own, late), None, None, _restore


def _refuse_while_recorded(node: Node) -> None:
    """Raise if a program is being recorded: the copy would be a number of its own."""
    recorder = current_recorder()
    if recorder is not None:
        recorder.refuse(node, "copy()")


class _Session:
    """The nodes that one pickler has asked for, and those that it will come to by itself."""

    __slots__ = ("__weakref__", "announced", "reduced")

    def __init__(self) -> None:
        self.announced: set[int] = set()
        self.reduced: set[int] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave nothing in the pickle: to be in the memo is all that this is pickled for."""
        return tuple, ()


class _Current(local):
    """The session of this thread, while it lives."""

    def __init__(self) -> None:
        self.session: Callable[[], _Session | None] = lambda: None


_current = _Current()


def _reachable(root: Node, known: Container[int]) -> list[Node]:
    """Return the root and what it needs, operands before results, but nothing that is known.

    After all operands come the nodes of gradients that are graphs, and what these need.
    """
    order: list[Node] = []
    opened: set[int] = set()
    placed: set[int] = set()  # nodes, and tuples of operands that nodes share
    roots = [root]
    for start in roots:
        stack = [start]
        while stack:
            node = stack.pop()
            key = id(node)
            if key in placed or (key in known and node is not root):
                continue
            many = type(node._db) is tuple
            if key in opened:
                order.append(node)
                placed.add(key)
                if many:
                    placed.add(id(node._a))
                if isinstance(node._grad, Node):
                    roots.append(node._grad)
                continue
            opened.add(key)
            stack.append(node)
            if many:
                if id(node._a) not in placed:
                    stack.extend(reversed(node._a))
                continue
            if node._db is not None:
                stack.append(node._b)
            if node._da is not None:
                stack.append(node._a)
    return order


def _states(node: Node) -> tuple[State, State]:
    """Return what a copy has to be filled with: the node itself, and what may lead back to it.

    The latter are the attributes that subclasses add, and a gradient that is a graph.
    """
    state: Any = object.__getstate__(node)  # the attributes, and the slots that are set
    attributes, slots = state
    own = {name: slots.pop(name) for name in Node.__slots__ if name in slots}
    grad = own["_grad"]
    for name in ("_position", "_stamp", "_grad"):
        del own[name]
    if isinstance(grad, Node):
        slots["_grad"] = grad
    elif grad is not UNREACHED:
        own["_grad"] = grad
    if node._primitive is None:
        own.pop("_a", None)
        own.pop("_b", None)
    if "_tag" in own and node._tag.hooks:
        own["_tag"] = node._tag._replace(hooks=())
    return (None, own), (attributes, slots)


def _blank_like(node: Node) -> Node:
    """Make a node of the same class; beside a leaf in arrays, one that is in none."""
    return object.__new__(kind_of(node) if isinstance(node, Bound) else type(node))


def _has_more(node: Node) -> bool:
    """Tell whether there is a second state, and `reduced` is what the class pickles by."""
    kind = type(node)
    by_itself = kind.__reduce__ is not reduced or kind.__reduce_ex__ is not object.__reduce_ex__
    return not by_itself and _states(node)[1] != _NOTHING


def _initial(node: Node, stamp: int) -> Node:
    """Make an empty node one that no gradient has reached; let the clock not be behind it."""
    node._position = 0
    node._grad = UNREACHED
    node._stamp = stamp
    if stamp > runtime.clock:
        runtime.clock = stamp
    return node


def _fill(node: Node, state: State) -> None:
    attributes, slots = state
    if attributes is not None:
        vars(node).update(attributes)
    for name, part in slots.items():
        setattr(node, name, part)


# -- what a pickle calls: these names stand in every pickle --------------------------------------

_allocators: dict[type[Node], Callable[[], Node]] = {}


def _leaf(kind: type[Node], stamp: int) -> Node:
    return _initial(object.__new__(kind), stamp)


def _recorded(kind: type[Node], stamp: int) -> Node:
    """Make a node that can be in a long chain."""
    make = _allocators.get(kind)
    if make is None:
        make = _allocators.setdefault(kind, allocator(kind))
    return _initial(make(), stamp)


def _restore(node: Node, state: tuple[Any, list[Node], State, list[tuple[Node, State]]]) -> None:
    """Fill the node that announced others, and all with what may lead back to them."""
    _, _, own, late = state
    _fill(node, own)
    for owner, more in late:
        _fill(owner, more)
