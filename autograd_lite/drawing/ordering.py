"""The order of things in each layer, so that few edges cross.

Sweeps over the layers put each thing at the barycentre of its neighbours (Sugiyama, Tagawa and
Toda, 1981); swapping adjacent things follows. The order at first comes from following operands from
the end, first operands first, and is only left for one with fewer crossings; distances from the
outskirts are tried as a start as well.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence

from autograd_lite.drawing.layering import Layering

_SWEEPS = 12
_FRUITLESS_SWEEPS = 4
_SWAPPING_PASSES = 8
_SWAPPED_THINGS = 2500

Keys = dict[int, float]


def order(layering: Layering) -> None:
    """Order the things of every layer, those of a cluster next to each other."""
    sorter = _Sorter(layering)
    best: list[list[int]] = []
    fewest = -1
    for numbering in (_first_visits, _rings):
        number = numbering(layering)
        sorter.start({thing: float(place) for thing, place in enumerate(number)})
        found, layers = _sweep(layering, sorter)
        if not best or found < fewest:
            fewest, best = found, layers
        if not fewest:
            break
    layering.layers[:] = best
    if fewest and len(layering.layer) <= _SWAPPED_THINGS:
        _swap(layering)


def _sweep(layering: Layering, sorter: _Sorter) -> tuple[int, list[list[int]]]:
    """Return the fewest crossings that sweeps up and down find, and the layers with them."""
    fewest, best = crossings(layering), _copy(layering.layers)
    since = 0
    for sweep in range(_SWEEPS):
        if not fewest or since >= _FRUITLESS_SWEEPS:
            break
        sorter.rank_clusters(sorter.centred())
        if sweep % 2:
            sorter.sweep(range(len(best)), layering.above)
        else:
            sorter.sweep(range(len(best) - 1, -1, -1), layering.below)
        found = crossings(layering)
        since += 1
        if found < fewest:
            fewest, best, since = found, _copy(layering.layers), 0
    return fewest, best


def crossings(layering: Layering) -> int:
    """Return how many pairs of links cross."""
    found = 0
    for things, nexts in zip(layering.layers, layering.layers[1:], strict=False):
        place = {thing: number for number, thing in enumerate(nexts)}
        seen: list[int] = []
        for thing in things:
            ends = sorted([place[end] for end in layering.below[thing]])
            for end in ends:
                found += len(seen) - bisect_right(seen, end)
            for end in ends:
                insort(seen, end)
    return found


def _copy(layers: list[list[int]]) -> list[list[int]]:
    return [list(things) for things in layers]


def _first_visits(layering: Layering) -> list[int]:
    """Number the things as they are met on the way back from the last ones, operand by operand."""
    above = layering.above
    visited = [-1] * len(above)
    number = 0
    for start in range(len(above) - 1, -1, -1):
        if layering.below[start] or visited[start] >= 0:
            continue
        pending = [start]
        while pending:
            thing = pending.pop()
            if visited[thing] < 0:
                visited[thing] = number
                number += 1
                pending.extend(reversed(above[thing]))
    return visited


def _rings(layering: Layering) -> list[int]:
    """Number the things by their distance from one at the outskirts, whatever the direction."""
    neighbours = [
        above + below for above, below in zip(layering.above, layering.below, strict=True)
    ]
    number = [-1] * len(neighbours)
    count = 0
    for start in range(len(neighbours) - 1, -1, -1):
        if number[start] >= 0:
            continue
        for thing in _breadth_first(_breadth_first(start, neighbours)[-1], neighbours):
            number[thing] = count
            count += 1
    return number


def _breadth_first(start: int, neighbours: list[list[int]]) -> list[int]:
    found = [start]
    seen = {start}
    for thing in found:
        for other in neighbours[thing]:
            if other not in seen:
                seen.add(other)
                found.append(other)
    return found


class _Sorter:
    """Sorts layers by keys, keeping clusters together and in one order in all layers."""

    def __init__(self, layering: Layering) -> None:
        self.layering = layering
        self.cluster_rank: Sequence[int] = ()

    def centred(self) -> Keys:
        return {
            thing: number - len(things) / 2
            for things in self.layering.layers
            for number, thing in enumerate(things)
        }

    def start(self, keys: Keys) -> None:
        """Sort all layers by the same keys."""
        self.rank_clusters(keys)
        for number in range(len(self.layering.layers)):
            self.sort(number, keys)

    def rank_clusters(self, keys: Keys) -> None:
        """Fix the order of clusters by the mean of the keys of the nodes in them."""
        nesting = self.layering.nesting
        sums = [[0.0, 0] for _ in nesting.parents]
        for node, home in enumerate(nesting.home):
            for cluster in nesting.path(home):
                sums[cluster][0] += keys[node]
                sums[cluster][1] += 1
        means = [total / number for total, number in sums]
        self.cluster_rank = [0] * len(means)
        for number, cluster in enumerate(sorted(range(len(means)), key=means.__getitem__)):
            self.cluster_rank[cluster] = number

    def sweep(self, numbers: Sequence[int], neighbours: list[list[int]]) -> None:
        layers = self.layering.layers
        place: dict[int, int] = {}
        for number in numbers:
            keys = _barycentres(layers[number], neighbours, place)
            self.sort(number, keys)
            place.update((thing, position) for position, thing in enumerate(layers[number]))

    def sort(self, number: int, keys: Keys) -> None:
        things = self.layering.layers[number]
        if not self.cluster_rank:
            things.sort(key=keys.__getitem__)
            return
        layering = self.layering
        path = layering.nesting.path
        inside: dict[int, list[int]] = {}
        position = {}
        for place, thing in enumerate(things):
            position[thing] = place
            for cluster in path(layering.owner[thing]):
                inside.setdefault(cluster, []).append(thing)
        siblings: dict[int, list[int]] = {}
        for cluster in inside:
            siblings.setdefault(layering.nesting.parents[cluster], []).append(cluster)
        slots: dict[int, tuple[float, float]] = {}
        for children in siblings.values():
            free = sorted(
                (
                    sum(keys[thing] for thing in inside[child]) / len(inside[child]),
                    float(position[inside[child][0]]),
                )
                for child in children
            )
            children.sort(key=self.cluster_rank.__getitem__)
            slots.update(zip(children, free, strict=True))
        prefix: dict[int, tuple[float, ...]] = {-1: ()}
        for cluster in inside:
            prefix[cluster] = tuple(x for around in path(cluster) for x in slots[around])
        far = float("inf")

        def full(thing: int) -> tuple[float, ...]:
            side = layering.side[thing]
            last = (side * far, 0.0) if side else (keys[thing], float(position[thing]))
            return prefix[layering.owner[thing]] + last

        things.sort(key=full)


def _barycentres(things: Sequence[int], neighbours: list[list[int]], place: dict[int, int]) -> Keys:
    """Return the mean place of each thing's neighbours; between those next to it without any."""
    keys: Keys = {}
    if not place:
        return {thing: float(position) for position, thing in enumerate(things)}
    missing: list[int] = []
    last = None
    for thing in things:
        ends = neighbours[thing]
        if not ends:
            missing.append(thing)
            continue
        key = sum([place[end] for end in ends]) / len(ends)
        for gap in missing:
            keys[gap] = key if last is None else (last + key) / 2
        missing.clear()
        keys[thing] = last = key
    for gap in missing:
        keys[gap] = 0.0 if last is None else last
    return keys


def _swap(layering: Layering) -> None:
    """Swap adjacent things as long as that saves crossings."""
    layers, owner, side = layering.layers, layering.owner, layering.side
    place = {thing: number for things in layers for number, thing in enumerate(things)}
    count = _pair_counter(layering, place)
    for _ in range(_SWAPPING_PASSES):
        swapped = False
        for things in layers:
            for number in range(len(things) - 1):
                first, second = things[number], things[number + 1]
                if owner[first] != owner[second] or side[first] or side[second]:
                    continue
                now, then = count(first, second)
                if then < now:
                    things[number], things[number + 1] = second, first
                    place[first], place[second] = number + 1, number
                    swapped = True
        if not swapped:
            return


def _pair_counter(
    layering: Layering, place: dict[int, int]
) -> Callable[[int, int], tuple[int, int]]:
    def count(first: int, second: int) -> tuple[int, int]:
        """Return the crossings of the links of two things, as they are and swapped."""
        now = then = 0
        for neighbours in (layering.above, layering.below):
            ends = [place[end] for end in neighbours[second]]
            for end in neighbours[first]:
                here = place[end]
                for other in ends:
                    now += here > other
                    then += here < other
        return now, then

    return count
