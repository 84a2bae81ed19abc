"""Everything that takes up room in a layered drawing, each thing in one layer.

Layers follow each other *along* the direction of the edges; in a layer things lie next to each
other *across* it. Between two layers of nodes there is a layer for labels where one is needed. An
edge that passes a layer has a dummy there, a cluster has one at either side in each layer it spans.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from autograd_lite.drawing.nesting import Nesting
from autograd_lite.drawing.ranking import Link

NODE_MARGIN = 8.0
EDGE_MARGIN = 5.0
LABEL_MARGIN = 3.0
FRAME_PADDING = 8.0
FRAME_MARGIN = 6.0

_MANY_DUMMIES = 6000


class Extent(NamedTuple):
    """The room of a thing: its length along the edges, and before and after its place across."""

    length: float
    before: float
    after: float


class Padding(NamedTuple):
    """The room between a frame and what is in it, and the least size of the frame."""

    start: float
    end: float
    before: float
    after: float
    length: float
    breadth: float


class Layering:
    """Things (nodes first, then dummies, labels and sides of clusters) and the links between them.

    Attributes
    ----------
    extents : list of Extent
        Of each thing, margins included.
    layer : list of int
        Of each thing.
    owner : list of int
        The innermost cluster around each thing, -1 for none.
    side : list of int
        -1 and 1 for the sides of a cluster, 0 for other things.
    above, below : list of list of int
        The things that each is linked with in the layer before and in the layer after.
    chains : list of list of int
        For each link the things along it, both nodes included.
    spans : list of (int, int)
        The first and the last layer of each cluster.
    sides : list of (list of int, list of int)
        The things on the two sides of each cluster, by layer.
    layers : list of list of int
        The things of each layer, in order.
    """

    def __init__(
        self,
        nodes: Sequence[Extent],
        links: Sequence[Link],
        labels: Sequence[Extent | None],
        rank: Sequence[int],
        nesting: Nesting,
        padding: Sequence[Padding],
    ) -> None:
        self.count = len(nodes)
        self.nesting = nesting
        self.padding = padding
        self.extents = list(nodes)
        self.owner = list(nesting.home)
        self.side = [0] * len(nodes)
        self.above: list[list[int]] = [[] for _ in nodes]
        self.below: list[list[int]] = [[] for _ in nodes]
        labelled = {rank[head] for (_, head), label in zip(links, labels, strict=True) if label}
        layer_of_rank = []
        layers = 0
        for number in range(max(rank, default=-1) + 1):
            layers += number in labelled
            layer_of_rank.append(layers)
            layers += 1
        self.layer = [layer_of_rank[number] for number in rank]
        self.layers: list[list[int]] = [[] for _ in range(layers)]
        self.spans = self._spans()
        self.chains = self._chains(links, labels)
        self.sides = self._sides()
        for thing, layer in enumerate(self.layer):
            self.layers[layer].append(thing)

    def _add(self, extent: Extent, layer: int, owner: int, side: int = 0) -> int:
        self.extents.append(extent)
        self.layer.append(layer)
        self.owner.append(owner)
        self.side.append(side)
        self.above.append([])
        self.below.append([])
        return len(self.extents) - 1

    def _join(self, upper: int, lower: int) -> None:
        self.below[upper].append(lower)
        self.above[lower].append(upper)

    def _spans(self) -> list[tuple[int, int]]:
        spans = [(len(self.layers), -1)] * len(self.padding)
        for node in range(self.count):
            layer = self.layer[node]
            for cluster in self.nesting.path(self.owner[node]):
                first, last = spans[cluster]
                spans[cluster] = (min(first, layer), max(last, layer))
        return spans

    def _chains(self, links: Sequence[Link], labels: Sequence[Extent | None]) -> list[list[int]]:
        """Make the dummies. Where they are very many, edges of one tail, or all, share them."""
        layer = self.layer
        longest: dict[int, int] = {}
        for tail, head in links:
            longest[tail] = max(longest.get(tail, 0), layer[head] - layer[tail] - 1)
        if sum(layer[head] - layer[tail] - 1 for tail, head in links) <= _MANY_DUMMIES:
            bundles = list(range(len(links)))
        elif sum(longest.values()) <= _MANY_DUMMIES:
            bundles = [tail for tail, _ in links]
        else:
            bundles = [0] * len(links)
        dummy = Extent(0.0, EDGE_MARGIN, EDGE_MARGIN)
        shared: dict[tuple[int, int, int], int] = {}
        joined: set[tuple[int, int]] = set()
        chains = []
        for (tail, head), label, bundle in zip(links, labels, bundles, strict=True):
            chain = [tail]
            for passed in range(layer[tail] + 1, layer[head]):
                owner = self._owner_on_the_way(tail, head, passed)
                if label and passed == layer[head] - 1:
                    chain.append(self._add(label, passed, owner))
                else:
                    key = (bundle, passed, owner)
                    if key not in shared:
                        shared[key] = self._add(dummy, passed, owner)
                    chain.append(shared[key])
            chain.append(head)
            chains.append(chain)
            for pair in pairwise(chain):
                if pair not in joined or len(chain) == 2:
                    joined.add(pair)
                    self._join(*pair)
        return chains

    def _owner_on_the_way(self, tail: int, head: int, layer: int) -> int:
        """Return the cluster in which an edge passes a layer: the deepest around an end."""
        if self.owner[tail] == self.owner[head]:
            return self.owner[tail]
        down, up = (self.nesting.path(self.owner[end]) for end in (tail, head))
        common = sum(1 for a, b in zip(down, up, strict=False) if a == b)
        for path in (down, up):
            for cluster in reversed(path[common:]):
                if self.spans[cluster][0] <= layer <= self.spans[cluster][1]:
                    return cluster
        return down[common - 1] if common else -1

    def _sides(self) -> list[tuple[list[int], list[int]]]:
        found = []
        for cluster, (first, last) in enumerate(self.spans):
            padding = self.padding[cluster]
            upper = Extent(0.0, FRAME_MARGIN, padding.before)
            lower = Extent(0.0, padding.after, FRAME_MARGIN)
            pair = (
                [self._add(upper, layer, cluster, -1) for layer in range(first, last + 1)],
                [self._add(lower, layer, cluster, 1) for layer in range(first, last + 1)],
            )
            for chain in pair:
                for before, after in pairwise(chain):
                    self._join(before, after)
            found.append(pair)
        return found
