"""Ranks for a layered drawing: every edge leads from a rank to a later one, and is short."""

from __future__ import annotations

from collections.abc import Sequence

from autograd_lite.drawing.nesting import Nesting

Link = tuple[int, int]


def acyclic(count: int, links: Sequence[Link]) -> list[Link]:
    """Return the links with some turned round, so that no cycle is left.

    Recorded graphs have no cycles, but folding nodes into one can close some.
    """
    leaving: list[list[int]] = [[] for _ in range(count)]
    for number, (tail, _) in enumerate(links):
        leaving[tail].append(number)
    found = list(links)
    state = [0] * count  # 1 while a node is on the path that is being followed, 2 afterwards
    for start in range(count):
        if state[start]:
            continue
        state[start] = 1
        path = [(start, iter(leaving[start]))]
        while path:
            node, rest = path[-1]
            for number in rest:
                head = links[number][1]
                if state[head] == 1:
                    found[number] = (head, node)
                elif state[head] == 0:
                    state[head] = 1
                    path.append((head, iter(leaving[head])))
                    break
            else:
                state[node] = 2
                path.pop()
    return found


def lengths(links: Sequence[Link], nesting: Nesting) -> list[int]:
    """Return over how many ranks each link of an acyclic graph leads at least.

    What leads into a cluster begins before all that leads to the same node inside, so that the
    layers of a network stand one after the other and not one below the other.
    """
    tails, heads = _neighbours(len(nesting.home), links)
    paths = [nesting.path(home) for home in nesting.home]
    depths: list[list[int]] = [[] for _ in paths]
    for node in _topological(tails, heads):
        depths[node] = [
            max((depths[x][at] + 1 for x in tails[node] if cluster in paths[x]), default=0)
            for at, cluster in enumerate(paths[node])
        ]
    found = []
    for tail, head in links:
        common = sum(1 for a, b in zip(paths[tail], paths[head], strict=False) if a == b)
        found.append(1 + sum(depths[head][common : common + 1]))
    return found


def ranks(count: int, links: Sequence[Link], lengths: Sequence[int]) -> list[int]:
    """Return a rank for every node of an acyclic graph, 0 for the first, none left empty.

    The longest path to the end gives the first ranks, so that leaves stand next to what they are
    used by; then what has more operands than consumers moves back to its operands.
    """
    order = _topological(*_neighbours(count, links))
    before: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    after: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for (tail, head), length in zip(links, lengths, strict=True):
        after[tail].append((head, length))
        before[head].append((tail, length))
    rank = [0] * count
    for node in reversed(order):
        rank[node] = min((rank[head] - length for head, length in after[node]), default=0)
    for node in order:
        if len(before[node]) > len(after[node]):
            rank[node] = max(rank[tail] + length for tail, length in before[node])
    dense = {old: new for new, old in enumerate(sorted(set(rank)))}
    return [dense[old] for old in rank]


def _neighbours(count: int, links: Sequence[Link]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the tails of the links to each node, and the heads of those from it."""
    tails: list[list[int]] = [[] for _ in range(count)]
    heads: list[list[int]] = [[] for _ in range(count)]
    for tail, head in links:
        heads[tail].append(head)
        tails[head].append(tail)
    return tails, heads


def _topological(tails: list[list[int]], heads: list[list[int]]) -> list[int]:
    waiting = [len(before) for before in tails]
    order = [node for node, number in enumerate(waiting) if not number]
    for node in order:
        for head in heads[node]:
            waiting[head] -= 1
            if not waiting[head]:
                order.append(head)
    return order
