"""The place of things across their layers: edges straight where possible, nothing overlapping.

The method of Brandes and Köpf, "Fast and simple horizontal coordinate assignment" (2001): things
are aligned with a median neighbour into blocks, from either end and with either preference, and
the four results averaged. Blocks are packed by longest paths here, and the sides of clusters are
straight blocks as well.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise

from autograd_lite.drawing.layering import Layering


def place(layering: Layering) -> list[float]:
    """Return the place of every thing across its layer."""
    position = [0] * len(layering.layer)
    for things in layering.layers:
        for number, thing in enumerate(things):
            position[thing] = number
    blocked = _blocked(layering, position)
    candidates = []
    for down in (True, False):
        for first in (True, False):
            root = _align(layering, position, blocked, down, first)
            candidates.append(_pack(layering, root, first))
    widths = [max(found) - min(found) for found in candidates] if position else []
    narrowest = candidates[widths.index(min(widths))] if position else []
    low, high = min(narrowest, default=0.0), max(narrowest, default=0.0)
    shifted = []
    for found, first in zip(candidates, (True, False) * 2, strict=True):
        shift = low - min(found, default=0.0) if first else high - max(found, default=0.0)
        shifted.append([x + shift for x in found])
    middle = []
    for four in zip(*shifted, strict=True):
        _, second, third, _ = sorted(four)
        middle.append((second + third) / 2)
    return middle


def _blocked(layering: Layering, position: list[int]) -> set[tuple[int, int]]:
    """Return the links that cross the side of a cluster or a straight stretch of a long edge."""
    side = layering.side
    blocked: set[tuple[int, int]] = set()
    for things in layering.layers[1:]:
        links = [(upper, lower) for lower in things for upper in layering.above[lower]]
        sides = [(position[u], position[v]) for u, v in links if side[u] and side[v]]
        if sides:
            blocked.update(link for link in links if _crosses(link, sides, position))
        straight = _straight(layering, links, blocked, position)
        stretches = sorted((position[upper], position[lower]) for upper, lower in straight)
        uppers = {upper for upper, _ in straight}
        lowers = {lower for _, lower in straight}
        blocked.update(
            link
            for link in links
            if link not in straight
            and (link[0] in uppers or link[1] in lowers or _crosses(link, stretches, position))
        )
    return blocked


def _straight(
    layering: Layering,
    links: list[tuple[int, int]],
    blocked: set[tuple[int, int]],
    position: list[int],
) -> set[tuple[int, int]]:
    """Return links between dummies to be drawn straight: none cross, sides of clusters first."""
    found: dict[int, int] = {}
    last = -1
    for upper, lower in links:
        if upper < layering.count or lower < layering.count or (upper, lower) in blocked:
            continue
        if position[upper] > last:
            last = position[upper]
            found[upper] = lower
        elif position[upper] == last and layering.extents[found[upper]].length:
            found[upper] = lower  # what goes on is straighter than what branches off to a label
    return set(found.items())


def _crosses(link: tuple[int, int], stretches: list[tuple[int, int]], position: list[int]) -> bool:
    """Say whether a link crosses one of some stretches that do not cross each other."""
    upper, lower = position[link[0]], position[link[1]]
    before = bisect_left(stretches, (upper, -1))
    after = bisect_right(stretches, (upper, len(position)))
    return (before > 0 and stretches[before - 1][1] > lower) or (
        after < len(stretches) and stretches[after][1] < lower
    )


def _align(
    layering: Layering,
    position: list[int],
    blocked: set[tuple[int, int]],
    down: bool,
    first: bool,
) -> list[int]:
    """Return the block of each thing, named by one of its things."""
    root = list(range(len(position)))
    neighbours = layering.above if down else layering.below
    sign = 1 if first else -1
    for things in layering.layers if down else reversed(layering.layers):
        last = -1 if first else len(position)
        for thing in things if first else reversed(things):
            ends = [
                end
                for end in neighbours[thing]
                if ((end, thing) if down else (thing, end)) not in blocked
            ]
            ends.sort(key=position.__getitem__, reverse=not first)
            for end in ends[(len(ends) - 1) // 2 : len(ends) // 2 + 1]:
                if (position[end] - last) * sign > 0:
                    root[thing] = root[end]
                    last = position[end]
                    break
    return root


def _pack(layering: Layering, root: list[int], first: bool) -> list[float]:
    """Return places with all blocks as far to one side as they go, loose ones pulled back."""
    extents = layering.extents
    after: dict[int, list[tuple[int, float]]] = {block: [] for block in root}
    waiting = dict.fromkeys(after, 0)

    def keep_apart(one: int, other: int, distance: float) -> None:
        if not first:
            one, other = other, one
        after[root[one]].append((root[other], distance))
        waiting[root[other]] += 1

    for things in layering.layers:
        for one, other in pairwise(things):
            keep_apart(one, other, extents[one].after + extents[other].before)
    for padding, (uppers, lowers) in zip(layering.padding, layering.sides, strict=True):
        keep_apart(uppers[0], lowers[0], padding.breadth)
    at = dict.fromkeys(after, 0.0)
    order = [block for block, number in waiting.items() if not number]
    for block in order:
        here = at[block]
        for other, distance in after[block]:
            at[other] = max(at[other], here + distance)
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    for block in reversed(order):
        if after[block]:
            at[block] = min(at[other] - distance for other, distance in after[block])
    return [at[block] if first else -at[block] for block in root]
