"""Sets of positions in an array, as stretches in ascending order, none of which touch."""

from __future__ import annotations

from collections.abc import Iterable

Spans = tuple[tuple[int, int], ...]
"""Stretches of an array, each from a start to a stop."""


def spans_of(places: Iterable[int]) -> Spans:
    """Return the stretches that positions make up.

    >>> spans_of([4, 1, 2, 3, 7])
    ((1, 5), (7, 8))
    """
    distinct = set(places)
    if distinct and max(distinct) - min(distinct) + 1 == len(distinct):
        return ((min(distinct), max(distinct) + 1),)
    return joined((place, place + 1) for place in distinct)


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """Return the union of stretches.

    >>> joined([(4, 6), (0, 2), (2, 3)])
    ((0, 3), (4, 6))
    """
    found: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return tuple(found)


def within(place: int, spans: Spans) -> bool:
    """Tell whether a position is in one of the stretches."""
    return any(start <= place < stop for start, stop in spans)


def split(spans: Spans, others: Spans) -> tuple[Spans, Spans]:
    """Return what of some stretches is in others, and what is not.

    >>> split(((0, 5), (6, 9)), ((3, 7),))
    (((3, 5), (6, 7)), ((0, 3), (7, 9)))
    """
    inside: list[tuple[int, int]] = []
    outside: list[tuple[int, int]] = []
    remaining = iter([*others, None])
    other = next(remaining)
    for start, stop in spans:
        while start < stop:
            while other is not None and other[1] <= start:
                other = next(remaining)
            if other is None or other[0] >= stop:
                outside.append((start, stop))
                break
            if other[0] > start:
                outside.append((start, other[0]))
                start = other[0]
            inside.append((start, min(stop, other[1])))
            start = min(stop, other[1])
    return tuple(inside), tuple(outside)
