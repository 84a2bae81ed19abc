"""Ranks for a layered drawing: every edge leads from a rank to a later one, and is short."""

from __future__ import annotations

from collections.abc import Sequence

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


def ranks(count: int, links: Sequence[Link]) -> list[int]:
    """Return a rank for every node of an acyclic graph, 0 for the first, none left empty.

    The longest path to the end gives the first ranks, so that leaves stand next to what they are
    used by; then what has more operands than consumers moves back to its operands.
    """
    tails: list[list[int]] = [[] for _ in range(count)]
    heads: list[list[int]] = [[] for _ in range(count)]
    for tail, head in links:
        heads[tail].append(head)
        tails[head].append(tail)
    order = _topological(tails, heads)
    rank = [0] * count
    for node in reversed(order):
        rank[node] = min((rank[head] for head in heads[node]), default=1) - 1
    for node in order:
        if len(tails[node]) > len(heads[node]):
            rank[node] = max(rank[tail] for tail in tails[node]) + 1
    dense = {old: new for new, old in enumerate(sorted(set(rank)))}
    return [dense[old] for old in rank]


def _topological(tails: list[list[int]], heads: list[list[int]]) -> list[int]:
    waiting = [len(before) for before in tails]
    order = [node for node, number in enumerate(waiting) if not number]
    for node in order:
        for head in heads[node]:
            waiting[head] -= 1
            if not waiting[head]:
                order.append(head)
    return order
