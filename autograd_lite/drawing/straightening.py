"""A placed drawing made smaller and its edges straighter, with nothing overlapping at any time."""

from __future__ import annotations

from itertools import pairwise
from math import inf

from autograd_lite.drawing.layering import Layering

_PASSES = 10
_BREADTHS = (1.25, 1.1, 1.0)
_TOUCHING = 0.01


def straighten(layering: Layering, places: list[float]) -> list[float]:
    """Return places across the layers with shorter edges.

    Drawings not much broader than they must be are tried as well, and taken if their edges are not
    longer: pressed together, trees get crooked, but where many edges cross it mostly helps.
    """
    found = _Straightener(layering, places)
    found.shorten()
    best, shortest = list(found.places), found.length()
    for spare in _BREADTHS:
        if found.compress(spare):
            found.shorten()
            length = found.length()
            if length <= shortest:
                best, shortest = list(found.places), length
    return best


class _Straightener:
    def __init__(self, layering: Layering, places: list[float]) -> None:
        count = len(places)
        extents = layering.extents
        self.layering = layering
        self.places = list(places)
        self.before, self.after = [-1] * count, [-1] * count
        self.distance = [0.0] * count  # to the thing before
        for things in layering.layers:
            for one, other in pairwise(things):
                self.before[other], self.after[one] = one, other
                self.distance[other] = extents[one].after + extents[other].before
        self.neighbours = [
            above + below for above, below in zip(layering.above, layering.below, strict=True)
        ]
        self.opposite: dict[int, tuple[int, float]] = {}
        for padding, (uppers, lowers) in zip(layering.padding, layering.sides, strict=True):
            self.opposite[uppers[0]] = (lowers[0], padding.breadth)
            self.opposite[lowers[0]] = (uppers[0], padding.breadth)

    def length(self) -> float:
        """Return how far across all links lead, together."""
        places = self.places
        return sum(
            abs(places[end] - here)
            for here, below in zip(places, self.layering.below, strict=True)
            for end in below
        )

    def shorten(self) -> None:
        """Move things that are in line together to the median of their neighbours."""
        places = self.places
        for number in range(_PASSES):
            groups, group_of = self._groups()
            moved = False
            for group in groups if number % 2 else reversed(groups):
                here = places[group[0]]
                wanted = self._wanted(group, group_of, here)
                if wanted is None or abs(wanted - here) < 1e-6:
                    continue
                moved = True
                for thing in group:
                    places[thing] = wanted
            if not moved:
                return

    def _groups(self) -> tuple[list[list[int]], list[int]]:
        places, neighbours = self.places, self.neighbours
        group_of = [-1] * len(places)
        groups: list[list[int]] = []
        for start in range(len(places)):
            if group_of[start] >= 0:
                continue
            group_of[start] = len(groups)
            group = [start]
            for thing in group:
                here = places[thing]
                for other in neighbours[thing]:
                    if group_of[other] < 0 and abs(places[other] - here) < _TOUCHING:
                        group_of[other] = len(groups)
                        group.append(other)
            groups.append(group)
        return groups, group_of

    def _wanted(self, group: list[int], group_of: list[int], here: float) -> float | None:
        """Return the place for a group that makes its edges shortest, as far as there is room."""
        places, before, after, distance = self.places, self.before, self.after, self.distance
        own = group_of[group[0]]
        low, high = -inf, inf
        around: list[float] = []
        for thing in group:
            one, other = before[thing], after[thing]
            if one >= 0:
                low = max(low, places[one] + distance[thing])
            if other >= 0:
                high = min(high, places[other] - distance[other])
            around += [places[end] for end in self.neighbours[thing] if group_of[end] != own]
        side = self.layering.side[group[0]]
        if side:
            across, breadth = self.opposite[min(group)]
            wanted = (
                min(high, places[across] - breadth)
                if side < 0
                else max(low, places[across] + breadth)
            )
        elif around:
            around.sort()
            wanted = min(max(here, around[(len(around) - 1) // 2]), around[len(around) // 2])
        else:
            return None
        return min(max(wanted, low), high)

    def compress(self, spare: float) -> bool:
        """Bring a drawing that is broader to ``spare`` times the least breadth; say if it was.

        Stretches of long edges stay straight. The lowest and the highest possible place of each
        thing keep all distances, so what is moved into the limits keeps them too.
        """
        layering, places = self.layering, self.places
        block = self._straight_stretches()
        following: list[list[tuple[int, float]]] = [[] for _ in places]
        waiting = [0] * len(places)

        def keep_apart(one: int, other: int, distance: float) -> None:
            following[block[one]].append((block[other], distance))
            waiting[block[other]] += 1

        for other, one in enumerate(self.before):
            if one >= 0:
                keep_apart(one, other, self.distance[other])
        for padding, (uppers, lowers) in zip(layering.padding, layering.sides, strict=True):
            keep_apart(uppers[0], lowers[0], padding.breadth)
        order = [thing for thing, number in enumerate(waiting) if not number]
        lowest = [0.0] * len(places)
        for thing in order:
            for other, distance in following[thing]:
                lowest[other] = max(lowest[other], lowest[thing] + distance)
                waiting[other] -= 1
                if not waiting[other]:
                    order.append(other)
        breadth = max(lowest, default=0.0) * spare
        excess = max(places, default=0.0) - min(places, default=0.0) - breadth
        if excess <= 0.0:
            return False
        start = min(places) + excess / 2
        highest = [breadth] * len(places)
        for thing in reversed(order):
            for other, distance in following[thing]:
                highest[thing] = min(highest[thing], highest[other] - distance)
        for thing, part in enumerate(block):
            places[thing] = min(max(places[thing], start + lowest[part]), start + highest[part])
        return True

    def _straight_stretches(self) -> list[int]:
        layering, places = self.layering, self.places
        block = list(range(len(places)))
        for things in layering.layers:
            for thing in things:
                if thing < layering.count:
                    continue
                for other in layering.below[thing]:
                    if other >= layering.count and abs(places[other] - places[thing]) < _TOUCHING:
                        block[other] = block[thing]
        return block
