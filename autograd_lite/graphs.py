"""A frozen, ordered, named view of what was recorded: what pictures, steps and formulas read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd_lite.allocation import kind_of as class_of
from autograd_lite.modes import Scope
from autograd_lite.node import UNREACHED, arguments, edges
from autograd_lite.sweep import with_order
from autograd_lite.value import Value

if TYPE_CHECKING:
    import networkx


class GraphNode(NamedTuple):
    """One number of a graph.

    Attributes
    ----------
    index : int
        Its place in the graph's order, 0 for the first.
    name : str
        Given by ``names`` or ``label``, else ``v`` and a number.
    kind : str
        ``"leaf"``, ``"parameter"`` (a leaf of a subclass of Value, such as `nn.Parameter`),
        ``"constant"`` (needs no gradient) or ``"operation"``.
    op : str
        The operation, ``""`` for all but operations.
    data : float
    grad : float or None
        None until backward has reached the node.
    level : int
        The longest way down to a leaf, 0 for leaves.
    scope : str
        The path of the module (or other `scope`) in which it was recorded.
    operands : tuple of int
        Indices of the operands, in order, duplicates kept.
    partials : tuple of float
        One per operand.
    value : Value
        The number itself.
    """

    index: int  # type: ignore[assignment]  # stands above tuple's method
    name: str
    kind: str
    op: str
    data: float
    grad: float | None
    level: int
    scope: str
    operands: tuple[int, ...]
    partials: tuple[float, ...]
    value: Value


class GraphEdge(NamedTuple):
    """An operand of an operation.

    Attributes
    ----------
    operand, consumer : int
        Indices of the two nodes.
    position : int
        0 for the first operand, 1 for the second, …
    partial : float
        ∂consumer / ∂operand, recorded when the operation ran.
    """

    operand: int
    consumer: int
    position: int
    partial: float


class Graph(Sequence[GraphNode]):
    """The nodes below a root, operands before results, as they were when `graph` was called.

    Numbers and gradients are copied: what happens to the Values later does not show. A sequence
    of `GraphNode`, which are made when asked for, so that a million nodes are no burden.
    """

    def __init__(self, root: Value, names: Mapping[str, Any] | None = None) -> None:
        if not isinstance(root, Value):
            raise TypeError(
                f"a graph needs a Value that was computed from others, got"
                f" {type(root).__name__}: {root!r}"
            )
        self._values: list[Value] = with_order(root, list)
        self._index = {value: index for index, value in enumerate(self._values)}
        self._data = [value._data for value in self._values]
        self._grads = [_number_or_none(value._grad) for value in self._values]
        self._names = _named(self._values, {} if names is None else names)
        self._levels: list[int] = []
        for value in self._values:
            below = [self._levels[self._index[operand]] for operand, _ in edges(value)]
            self._levels.append(max(below) + 1 if below else 0)

    # -- nodes and edges ------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        value = self._values[index]
        found = edges(value)
        return GraphNode(
            index,
            self._names[index],
            kind_of(value),
            value.op,
            self._data[index],
            self._grads[index],
            self._levels[index],
            value.scope,
            tuple(self._index[operand] for operand, _ in found),
            tuple(partial for _, partial in found),
            value,
        )

    @property
    def nodes(self) -> Sequence[GraphNode]:
        """The nodes, operands before results: the graph itself, as a sequence."""
        return self

    @property
    def edges(self) -> Iterator[GraphEdge]:
        """The edges, by consumer and then by operand, duplicates kept."""
        for consumer, value in enumerate(self._values):
            for position, (operand, partial) in enumerate(edges(value)):
                yield GraphEdge(self._index[operand], consumer, position, partial)

    @property
    def root(self) -> GraphNode:
        """The node that the graph was asked for: the last one."""
        return self[-1]

    def find(self, wanted: Value | str) -> GraphNode:
        """Return the node of a Value, or the node with a name.

        Raises
        ------
        KeyError
            If there is none.
        """
        if isinstance(wanted, Value):
            if wanted not in self._index:
                raise KeyError(f"{wanted!r} is not part of the graph of {self.root.name!r}")
            return self[self._index[wanted]]
        for index, name in enumerate(self._names):
            if name == wanted:
                return self[index]
        some = ", ".join(self._names[:10])
        raise KeyError(f"no node of the graph is called {wanted!r}; there are {some}")

    def scope_of(self, index: int) -> Scope | None:
        """Return the scope in which a node was recorded, with the scopes around it."""
        tag = getattr(self._values[index], "_tag", None)
        return None if tag is None else tag.scope

    def expression(self, index: int) -> str:
        """Return the operation of a node in terms of the names of its operands: ``a * b``."""
        value = self._values[index]
        primitive = value._primitive
        if primitive is None:
            return self._names[index]
        given = [
            self._names[self._index[x]] if isinstance(x, Value) else f"{x:g}"
            for x in arguments(value)
        ]
        if primitive.name in _INFIX:
            left, right = (f"({x})" if x.startswith("-") else x for x in given)
            return f"{left} {primitive.name} {right}"
        if primitive.name == "neg":
            return f"-{given[0]}"
        if primitive.name == "same":
            return given[0]
        if len(given) > 8:
            given = [*given[:3], "…", given[-1]]
        return f"{primitive.name}({', '.join(given)})"

    # -- other forms ----------------------------------------------------------------------------

    def __str__(self) -> str:
        """Return the nodes as a table; of more than 60 the first and the last 30."""
        rows = [("name", "expression", "data", "grad", "partials")]
        shown = range(len(self)) if len(self) <= 60 else [*range(30), *range(-30, 0)]
        for index in shown:
            node = self[index]
            partials = [f"{partial:.6g}" for partial in node.partials]
            if len(partials) > 4:
                partials = [*partials[:3], f"… {len(partials)} in all"]
            rows.append(
                (
                    node.name,
                    self.expression(node.index) if node.op else node.kind,
                    f"{node.data:.6g}",
                    "–" if node.grad is None else f"{node.grad:.6g}",
                    ", ".join(partials),
                )
            )
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        if len(self) > 60:
            lines.insert(31, f"… {len(self) - 60} more …")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<graph of {self.root.name!r}: {len(self)} nodes>"

    def to_json(self) -> str:
        """Return nodes and edges as JSON text, with all digits.

        NaN and infinities are written as the texts ``"NaN"``, ``"Infinity"``, ``"-Infinity"``.
        """
        import json

        return json.dumps(
            {
                "nodes": [
                    {
                        "index": node.index,
                        "name": node.name,
                        "kind": node.kind,
                        "op": node.op,
                        "data": _portable(node.data),
                        "grad": _portable(node.grad),
                        "level": node.level,
                        "scope": node.scope,
                    }
                    for node in self
                ],
                "edges": [
                    {**edge._asdict(), "partial": _portable(edge.partial)} for edge in self.edges
                ],
            }
        )

    def to_networkx(self) -> networkx.MultiDiGraph:
        """Return a ``networkx.MultiDiGraph`` with the attributes of nodes and edges.

        Raises
        ------
        ModuleNotFoundError
            If networkx is not installed.
        """
        try:
            import networkx
        except ModuleNotFoundError:
            raise ModuleNotFoundError("to_networkx needs networkx: pip install networkx") from None

        found = networkx.MultiDiGraph()
        for node in self:
            found.add_node(node.index, **{k: v for k, v in node._asdict().items() if k != "index"})
        for edge in self.edges:
            found.add_edge(
                edge.operand, edge.consumer, position=edge.position, partial=edge.partial
            )
        return found


_INFIX = ("+", "-", "*", "/", "**", "%")


def graph(root: Value, *, names: Mapping[str, Any] | None = None) -> Graph:
    """Return a frozen, ordered, named view of what ``root`` was computed from.

    Parameters
    ----------
    root : Value
        The result.
    names : mapping of str to Value, optional
        Names for the nodes, such as ``locals()``; lists of Values and modules name their elements
        and parameters. What it does not name keeps its ``label``. The names under which a notebook
        keeps what its cells gave (``_``, ``__``, ``_12``) are passed over.

    Returns
    -------
    Graph
        ``str()`` is a table; see `Graph` for the rest.

    Raises
    ------
    TypeError
        If ``root`` is not a Value, or ``names`` not a mapping.
    ValueError
        If ``names`` gives one name to two nodes, or a name that is another node's label.

    Examples
    --------
    >>> from autograd_lite import Value, graph, sin
    >>> x = Value(2.0)
    >>> a = x**2
    >>> f = a * sin(a)
    >>> f.backward()
    >>> print(graph(f, names={"x": x, "a": a, "f": f}))
    name  expression  data      grad      partials
    x     leaf        2          -13.4855
    a     x ** 2      4          -3.37138  4
    v1    sin(a)      -0.756802  4         -0.653644
    f     a * v1      -3.02721   1         -0.756802, 4
    """
    return Graph(root, names)


def kind_of(value: Value) -> str:
    """Return ``"leaf"``, ``"parameter"``, ``"constant"`` or ``"operation"``."""
    if value._primitive is not None:
        return "operation"
    if value._grad is None:
        return "constant"
    return "leaf" if class_of(value) is Value else "parameter"


def _number_or_none(grad: Any) -> float | None:
    return None if grad is None or grad is UNREACHED else float(grad)


def _portable(x: float | None) -> float | str | None:
    if x is None or x - x == 0.0:
        return x
    return "NaN" if x != x else "Infinity" if x > 0.0 else "-Infinity"


def _named(values: Sequence[Value], names: Mapping[str, Any]) -> list[str]:
    """Return a name for every node, no two alike."""
    given = _given(names)
    taken: dict[str, Value] = {}
    for value in values:
        if value in given and taken.setdefault(given[value], value) is not value:
            raise ValueError(
                f"the name {given[value]!r} is given to two Values; choose another name"
            )
    chosen = set(taken)
    found = []
    unnamed = (f"v{number}" for number in count(1))
    for value in values:
        name = given.get(value, "")
        if not name and value.label:
            if value.label in chosen and class_of(value) is Value:
                raise ValueError(
                    f"the name {value.label!r} is given to one Value and is the label of another;"
                    " choose another name"
                )
            name = value.label
            repeated = count(2)
            while name in taken:
                name = f"{value.label}#{next(repeated)}"
        while not name or (value not in given and name in taken):
            name = next(unnamed)
        taken[name] = value
        found.append(name)
    return found


def _given(names: Mapping[str, Any]) -> dict[Value, str]:
    """Return the names that were asked for; those of a second model begin with its own name."""
    if not isinstance(names, Mapping):
        raise TypeError(
            f"names expected a dict such as locals(), got {type(names).__name__}: {names!r}"
        )
    given: dict[Value, str] = {}
    paths: dict[str, Value] = {}
    for name, thing in names.items():
        if not isinstance(name, str):
            raise TypeError(f"names expected text as names, got {type(name).__name__}: {name!r}")
        if re.fullmatch(r"_+\d*", name):
            continue  # in locals() of a notebook: what the last cells gave
        for path, value in _values_in(name, thing):
            if value not in given:
                if path in paths and not isinstance(thing, Value | list | tuple):
                    path = f"{name}.{path}"
                given[value] = path
                paths[path] = value
    return given


def _values_in(name: str, thing: Any) -> Iterator[tuple[str, Value]]:
    """Yield the Values that a variable holds: itself, elements of lists, a module's parameters."""
    if isinstance(thing, Value):
        yield name, thing
    elif isinstance(thing, list | tuple):
        for position, element in enumerate(thing):
            yield from _values_in(f"{name}[{position}]", element)
    elif not isinstance(thing, type) and hasattr(thing, "named_parameters"):
        yield from thing.named_parameters()
