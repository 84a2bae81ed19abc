"""Clocks, comparisons in turn, and the table."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

SHORTEST = 20e-3  # seconds that each side runs in a round, at least

Work = Callable[[], object]


class Options(NamedTuple):
    """How often to measure, and whether it is only to be seen that everything runs."""

    rounds: int
    quick: bool

    def size(self, full: int, quick: int) -> int:
        """Return the size of a piece of work."""
        return quick if self.quick else full

    @property
    def few(self) -> int:
        """Rounds for what takes seconds."""
        return max(1, self.rounds // 4)


class DisagreementError(Exception):
    """Two sides gave different numbers."""


# -- the table -----------------------------------------------------------------------------------


def duration(seconds: float) -> str:
    """Write a time with three digits, in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{digits(seconds / size)} {unit}"
    return f"{digits(seconds / 1e-9)} ns"


def digits(x: float) -> str:
    """Write a number with three digits."""
    if x >= 1000:
        return f"{x:,.0f}"
    return f"{x:.{max(0, 2 - math.floor(math.log10(x)))}f}" if x > 0 else f"{x:.2f}"


class Table:
    """Rows of Markdown, printed as they come, and which of them missed their goal."""

    def __init__(self, options: Options) -> None:
        self.judging = not options.quick
        self.missed: list[str] = []

    def begin(self) -> None:
        print("| work | peer | peer | ours | peer ÷ ours | from – to | goal |")
        print("|---|---|--:|--:|--:|--:|--:|")

    def ratio(
        self,
        what: str,
        peer: str,
        theirs: list[float],
        ours: list[float],
        goal: float | None = None,
    ) -> None:
        """Print a row of times that were taken in turn, and judge the median of their ratios."""
        ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
        middle = statistics.median(ratios)
        self._print(
            what,
            peer,
            duration(statistics.median(theirs)),
            duration(statistics.median(ours)),
            digits(middle),
            f"{digits(min(ratios))} – {digits(max(ratios))}",
            self._judged(what, peer, goal, "≥", goal is None or middle >= goal),
        )

    def figure(
        self,
        what: str,
        found: float,
        shown: str,
        *,
        goal: float | None = None,
        goal_shown: str = "",
        at_least: bool = False,
    ) -> None:
        """Print a row about our side alone."""
        met = goal is None or (found >= goal if at_least else found <= goal)
        sign = "≥" if at_least else "≤"
        self._print(
            what,
            "",
            "",
            shown,
            "",
            "",
            self._judged(what, "", goal, sign, met, goal_shown),
        )

    def absent(self, what: str, peer: str, error: ImportError) -> None:
        """Print that a peer is not installed."""
        self._print(what, peer, f"no {error.name}", "", "", "", "")

    def _judged(
        self, what: str, peer: str, goal: float | None, sign: str, met: bool, shown: str = ""
    ) -> str:
        if goal is None or not self.judging:
            return ""
        if not met:
            self.missed.append(f"{what}, {peer}" if peer else what)
        return f"{sign} {shown or digits_of_goal(goal)}{'' if met else ' **missed**'}"

    def _print(self, *cells: str) -> None:
        print("| " + " | ".join(cells) + " |", flush=True)


def digits_of_goal(goal: float) -> str:
    return f"{goal:,g}"


# -- clocks --------------------------------------------------------------------------------------


@contextmanager
def collector(enabled: bool) -> Iterator[None]:
    """Switch Python's collector of cycles, and keep what lives already out of its sight."""
    gc.collect()
    gc.freeze()
    (gc.enable if enabled else gc.disable)()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def seconds(work: Work, times: int = 1) -> float:
    """Return the seconds of one call, over so many; what the calls leave behind is collected."""
    start = time.perf_counter()
    for _ in range(times):
        found = work()
    if hasattr(found, "block_until_ready"):  # JAX computes while Python goes on
        found.block_until_ready()
    passed = time.perf_counter() - start
    gc.collect()
    return passed / times


def in_turn(works: list[Work], rounds: int, *, enabled: bool = True) -> list[list[float]]:
    """Return the seconds of each piece of work, round by round; in a round each has its turn."""
    with collector(enabled):
        times = [_times(work) for work in works]
        found = [
            [seconds(work, often) for work, often in zip(works, times, strict=True)]
            for _ in range(rounds)
        ]
    return [list(column) for column in zip(*found, strict=True)]


def _times(work: Work) -> int:
    """Return how often to call in a round; by this, each side is warm."""
    once = seconds(work)
    return 1 if once > SHORTEST * 10 else max(1, math.ceil(SHORTEST / min(once, seconds(work))))


class Peer(NamedTuple):
    """Another's version of a piece of work, and how much slower than ours it is to be."""

    name: str
    work: Work
    goal: float | None = None


def compare(
    table: Table,
    what: str,
    ours: Work,
    peers: list[Peer],
    options: Options,
    *,
    enabled: bool = True,
    parts: int = 1,
) -> None:
    """Time our version and all others in turn, and print a row for each of them.

    Where a piece of work has several ``parts``, the row is about one of them.
    """
    mine, *others = in_turn([ours, *(peer.work for peer in peers)], options.rounds, enabled=enabled)
    for peer, theirs in zip(peers, others, strict=True):
        table.ratio(
            what, peer.name, [t / parts for t in theirs], [t / parts for t in mine], peer.goal
        )


# -- agreement -----------------------------------------------------------------------------------


def agree(what: str, ours: Any, theirs: Any, tolerance: float = 1e-9) -> None:
    """Stop unless two sides have the same numbers, up to rounding of the largest of them."""
    a, b = np.asarray(ours, float), np.asarray(theirs, float)
    if a.shape != b.shape:
        raise DisagreementError(f"{what}: the shapes are {a.shape} and {b.shape}")
    scale = float(np.max(np.abs(b), initial=0.0))
    off = float(np.max(np.abs(a - b), initial=0.0))
    if not off <= tolerance * scale:
        raise DisagreementError(f"{what}: off by {off:.3g} where the largest number is {scale:.3g}")
