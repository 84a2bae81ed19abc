"""Which part of a network each node belongs to: its module, and in a layer its neuron."""

from __future__ import annotations

from typing import NamedTuple

from autograd_lite.graphs import Graph, kind_of
from autograd_lite.modes import Scope
from autograd_lite.node import edges

OUTSIDE = -1


class Cluster(NamedTuple):
    """A part of the graph that is drawn as a frame, or collapsed as one box.

    Attributes
    ----------
    path : str
        What ``expand`` calls it: the scope, or the path of a neuron.
    prefix : str
        What names inside leave out: the path, or that of the only neuron.
    title : str
        What it is, such as ``"Layer(16→16)"``; ``""`` where nobody said.
    parent : int
        The cluster around it, or `OUTSIDE`.
    depth : int
        0 for the outermost.
    """

    path: str
    prefix: str
    title: str
    parent: int
    depth: int


class Clusters:
    """The clusters of a graph.

    Parameters
    ----------
    graph : Graph
    operands : list of list of int
        The operands of each node, as indices.

    Attributes
    ----------
    all : list of Cluster
    home : list of int
        The innermost cluster of each node, or `OUTSIDE`. Parameters belong to the part that uses
        them, nameless constants too.
    """

    def __init__(self, graph: Graph, operands: list[list[int]]) -> None:
        self.all: list[Cluster] = []
        self._known: dict[tuple[int, str, str], int] = {}
        self._graph = graph
        self._operands = operands
        self._movable = [
            kind == "parameter" or (kind == "constant" and not value.label)
            for value in graph._values
            for kind in (kind_of(value),)
        ]
        self.home = self._scopes()
        self._take_in_leaves()
        self._neurons()

    def prefix_of(self, cluster: int) -> str:
        """Return what names in a cluster leave out."""
        return "" if cluster == OUTSIDE else self.all[cluster].prefix

    def path_of(self, cluster: int) -> list[int]:
        """Return the clusters around and with ``cluster``, the outermost first."""
        path = []
        while cluster != OUTSIDE:
            path.append(cluster)
            cluster = self.all[cluster].parent
        return path[::-1]

    def _cluster(self, path: str, title: str, parent: int) -> int:
        key = (parent, path, title)
        if key not in self._known:
            depth = 0 if parent == OUTSIDE else self.all[parent].depth + 1
            self._known[key] = len(self.all)
            self.all.append(Cluster(path, path, title, parent, depth))
        return self._known[key]

    def _scopes(self) -> list[int]:
        """Return the cluster of each operation's scope."""
        seen: dict[int, int] = {}  # by identity of the scope, which the graph keeps alive
        home = []
        for index in range(len(self._graph)):
            scope = self._graph.scope_of(index)
            missing: list[Scope] = []
            while scope is not None and id(scope) not in seen:
                missing.append(scope)
                scope = scope.parent
            cluster = OUTSIDE if scope is None else seen[id(scope)]
            for scope in reversed(missing):
                if scope.name:
                    above = "" if cluster == OUTSIDE else f"{self.all[cluster].path}."
                    cluster = self._cluster(above + scope.name, scope.title, cluster)
                seen[id(scope)] = cluster
            home.append(cluster)
        return home

    def _take_in_leaves(self) -> None:
        """Give leaves that belong to a part to the innermost cluster around their consumers."""
        found: dict[int, int] = {}
        for consumer, cluster in enumerate(self.home):
            if cluster == OUTSIDE:
                continue
            for operand in self._operands[consumer]:
                if self._movable[operand]:
                    known = found.setdefault(operand, cluster)
                    if known != cluster:
                        found[operand] = self._common(known, cluster)
        for leaf, cluster in found.items():
            self.home[leaf] = cluster

    def _common(self, one: int, other: int) -> int:
        paths = zip(self.path_of(one), self.path_of(other), strict=False)
        shared = [a for a, b in paths if a == b]
        return shared[-1] if shared else OUTSIDE

    # -- neurons ----------------------------------------------------------------------------------

    def _neurons(self) -> None:
        """Make clusters in a layer: a weighted sum, its weights, and the activation of it."""
        sums: dict[int, dict[int, list[int]]] = {}  # by layer and first weight
        weights: dict[int, list[int]] = {}  # by first weight, of its first sum
        owners: dict[int, set[int]] = {}  # by weight: the first weights of the sums it is in
        for index, value in enumerate(self._graph._values):
            layer = self.home[index]
            if layer == OUTSIDE or value.op != "dot":
                continue
            own = [x for x in self._operands[index] if self._movable[x] and self.home[x] == layer]
            if own:
                sums.setdefault(layer, {}).setdefault(own[0], []).append(index)
                weights.setdefault(own[0], own)
                for weight in own:
                    owners.setdefault(weight, set()).add(own[0])
        of_sum = {}
        for layer, by_weight in sums.items():
            if len(by_weight) < 2:
                (first,) = by_weight
                only = self._path(layer, weights[first], 0)
                if only != f"{self.all[layer].path}[0]":
                    self.all[layer] = self.all[layer]._replace(prefix=only)
                continue
            for number, (first, found) in enumerate(by_weight.items()):
                neuron = self._cluster(self._path(layer, weights[first], number), "", layer)
                for weight in weights[first]:
                    if len(owners[weight]) == 1:
                        self.home[weight] = neuron
                for index in found:
                    of_sum[index] = self.home[index] = neuron
        for index, value in enumerate(self._graph._values):
            below = self._operands[index]
            if below and below[0] in of_sum and len(edges(value)) == 1:
                neuron = of_sum[below[0]]
                if self.home[index] == self.all[neuron].parent:
                    self.home[index] = neuron

    def _path(self, layer: int, weights: list[int], number: int) -> str:
        """Return the path of a neuron: that of its module, which the names of its weights tell."""
        layer_path = self.all[layer].path
        paths = {self._graph._names[weight].rpartition(".")[0] for weight in weights}
        path = paths.pop()
        if not paths and path.startswith(f"{layer_path}."):
            return path
        return f"{layer_path}[{number}]"
