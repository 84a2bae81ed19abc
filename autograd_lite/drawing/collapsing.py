"""What of a graph is drawn: single nodes, or many of them collapsed as one box."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from autograd_lite.drawing.clusters import OUTSIDE, Clusters
from autograd_lite.drawing.merging import merged
from autograd_lite.graphs import Graph
from autograd_lite.value import Value


class Group(NamedTuple):
    """What one box stands for.

    Attributes
    ----------
    kind : str
        ``"node"``; ``"module"``, a collapsed cluster; ``"alike"``, nodes that do the same; or
        ``"rest"``, what was left out.
    members : list of int
        Indices of nodes.
    cluster : int
        The collapsed cluster, else the one around the box, or `OUTSIDE`.
    """

    kind: str
    members: list[int]
    cluster: int


class View:
    """A graph as it is drawn.

    Attributes
    ----------
    graph : Graph
    operands : list of list of int
        The operands of each node.
    clusters : Clusters
    groups : list of Group
        The boxes, operands first as far as there is such an order.
    group_of : list of int
        The box of each node.
    expanded : set of int
        Nodes of which the terms are to be drawn.
    """

    def __init__(
        self, graph: Graph, operands: list[list[int]], clusters: Clusters, expanded: set[int]
    ) -> None:
        self.graph = graph
        self.operands = operands
        self.clusters = clusters
        self.expanded = expanded
        self.groups: list[Group] = []
        self.group_of: list[int] = []

    def arrows(self) -> dict[tuple[int, int], int]:
        """Return how many edges lead from one box to another."""
        found: dict[tuple[int, int], int] = {}
        group_of = self.group_of
        for consumer, below in enumerate(self.operands):
            head = group_of[consumer]
            for operand in below:
                tail = group_of[operand]
                if tail != head:
                    found[tail, head] = found.get((tail, head), 0) + 1
        return found

    @property
    def whole(self) -> bool:
        """Whether every node has its own box."""
        return len(self.groups) == len(self.graph)


ARROWS_PER_BOX = 2


def collapse(
    graph: Graph,
    *,
    max_nodes: int | None,
    depth: int | None = None,
    expand: Any = (),
) -> View:
    """Return what of a graph is drawn; see `draw` for the arguments."""
    place = graph._index
    operands = [[place[x] for x in value.operands] for value in graph._values]
    clusters = Clusters(graph, operands)
    named, expanded = _wanted(graph, clusters, expand)
    opened = {around for cluster in named for around in clusters.path_of(cluster)}
    view = View(graph, operands, clusters, expanded)
    most = len(graph) if max_nodes is None else max_nodes
    deepest = max((cluster.depth + 1 for cluster in clusters.all), default=0)
    depths = range(deepest, -1, -1) if depth is None else [min(depth, deepest)]

    for each in depths:
        _group(view, _closed(clusters, each, opened), None)
        crowded = depth is None and each > 0 and max_nodes is not None
        if len(view.groups) <= most and (
            not crowded or view.whole or len(view.arrows()) <= ARROWS_PER_BOX * most
        ):
            return view
    for each in reversed(depths):
        closed = _closed(clusters, each, opened)
        _group(view, closed, merged(graph, operands, clusters, closed, expanded))
        if len(view.groups) >= min(_FEW, most):
            break
    if len(view.groups) > most:
        _leave_out(view, most, named)
    return view


_FEW = 4  # a picture of fewer boxes says too little


def _wanted(graph: Graph, clusters: Clusters, expand: Any) -> tuple[set[int], set[int]]:
    """Return the clusters to be opened (or to be opened around) and the nodes to be expanded."""
    by_path: dict[str, list[int]] = {}
    for index, cluster in enumerate(clusters.all):
        by_path.setdefault(cluster.path, []).append(index)
    named: set[int] = set()
    expanded: set[int] = set()
    single = isinstance(expand, str) or not isinstance(expand, Iterable)
    for wanted in [expand] if single else expand:
        if not isinstance(wanted, str | Value):
            raise TypeError(
                "expand expected names or Values of the graph, got"
                f" {type(wanted).__name__}: {wanted!r}"
            )
        if isinstance(wanted, str) and wanted in by_path:
            named.update(by_path[wanted])
            continue
        try:
            node = graph.find(wanted)
        except KeyError:
            parts = "".join(f" {path!r}," for path in list(by_path)[:10])
            shown = repr(wanted)
            raise ValueError(
                f"there is no part and no node {shown} to expand;"
                + (f" parts are{parts.rstrip(',')}" if parts else " the graph has no parts")
            ) from None
        if node.op != "dot":
            what = f"a {node.kind}" if not node.op else f"the result of {node.op!r}"
            raise ValueError(
                f"only a part of a network or a dot can be expanded; {node.name!r} is {what}"
            )
        expanded.add(node.index)
        if clusters.home[node.index] != OUTSIDE:
            named.add(clusters.home[node.index])
    return named, expanded


def _closed(clusters: Clusters, depth: int, opened: set[int]) -> Callable[[int], int]:
    """Return a function from a cluster to the outermost closed one around or with it."""
    outermost: list[int] = []
    for index, cluster in enumerate(clusters.all):  # parents stand before what is in them
        above = OUTSIDE if cluster.parent == OUTSIDE else outermost[cluster.parent]
        if above == OUTSIDE and cluster.depth >= depth and index not in opened:
            above = index
        outermost.append(above)
    return lambda cluster: OUTSIDE if cluster == OUTSIDE else outermost[cluster]


def _group(view: View, closed: Callable[[int], int], alike: Sequence[int] | None) -> None:
    """Make the boxes: one for each closed cluster, one for each node or class of nodes alike."""
    home = view.clusters.home
    found: dict[tuple[str, int], Group] = {}
    for index in range(len(view.graph)):
        cluster = closed(home[index])
        key = ("module", cluster)
        if cluster == OUTSIDE:
            cluster = home[index]
            key = ("node", index if alike is None else alike[index])
        if key in found:
            found[key].members.append(index)
        else:
            found[key] = Group(key[0], [index], cluster)
    groups = sorted(found.values(), key=lambda group: group.members[-1])
    view.groups = [
        group._replace(kind="alike") if group.kind == "node" and len(group.members) > 1 else group
        for group in groups
    ]
    view.group_of = [0] * len(view.graph)
    for number, group in enumerate(groups):
        for member in group.members:
            view.group_of[member] = number


def _leave_out(view: View, most: int, named: set[int]) -> None:
    """Keep the boxes nearest to the result and put all others into one.

    Nearest is what has the longest way down to a leaf: whatever uses such a box is nearer still,
    so that the rest is below everything that is drawn. Leaves that the kept boxes use are kept
    too, while there is room. What is in parts that were named, or is expanded, comes first.
    """
    levels = _levels(view)
    last = len(view.groups) - 1
    ranking = sorted(range(last), key=lambda group: (-levels[group], -group))
    room = max(most - 2, 0)
    asked = [group for group in ranking if _asked_for(view, view.groups[group], named)]
    inner = [group for group in ranking if levels[group] > 0]
    kept = {view.group_of[-1], *asked[:room], *inner[: max(room * 2 // 3 - len(asked), 0)]}
    for tail in _leaves_below(view, kept, levels):
        if len(kept) > room:
            break
        kept.add(tail)
    for group in inner:
        if len(kept) > room:
            break
        kept.add(group)
    rest = [i for i in range(len(view.graph)) if view.group_of[i] not in kept]
    chosen = sorted(kept)
    new = {group: position + 1 for position, group in enumerate(chosen)}
    view.groups = [Group("rest", rest, OUTSIDE), *(view.groups[group] for group in chosen)]
    view.group_of = [new.get(group, 0) for group in view.group_of]


def _levels(view: View) -> list[int]:
    """Return the longest way down from each box; collapsed parts in a circle go by their order."""
    levels = [0] * len(view.groups)
    heads: list[list[int]] = [[] for _ in view.groups]
    missing = [0] * len(view.groups)
    for tail, head in view.arrows():
        heads[tail].append(head)
        missing[head] += 1
    ready = [group for group, count in enumerate(missing) if not count]
    for group in range(len(view.groups)):
        if missing[group] > 0 and not ready:
            missing[group] = 0
            ready.append(group)
        while ready:
            tail = ready.pop()
            for head in heads[tail]:
                if missing[head] > 0:
                    levels[head] = max(levels[head], levels[tail] + 1)
                    missing[head] -= 1
                    if not missing[head]:
                        ready.append(head)
    return levels


def _asked_for(view: View, group: Group, named: set[int]) -> bool:
    """Whether a box was asked for: its node is expanded, or it stands in a part that was named."""
    cluster = group.cluster
    if group.kind == "module":
        cluster = view.clusters.all[cluster].parent
    return cluster in named or group.members[0] in view.expanded


def _leaves_below(view: View, kept: set[int], levels: Sequence[int]) -> Iterator[int]:
    """Yield the leaves that kept boxes use, each once, those nearest to the result first."""
    seen: set[int] = set()
    for consumer in range(len(view.graph) - 1, -1, -1):
        if view.group_of[consumer] in kept:
            for operand in view.operands[consumer]:
                tail = view.group_of[operand]
                if levels[tail] == 0 and tail not in kept and tail not in seen:
                    seen.add(tail)
                    yield tail
