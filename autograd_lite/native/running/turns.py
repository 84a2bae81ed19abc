"""Work that several threads share out, and whose results are taken in one order all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Condition
from typing import Any


class _StoppedError(Exception):
    """Another thread has failed."""


class _Turns:
    """A counter that threads wait for."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._next = 0
        self._stopped = False

    def take(self, number: int, act: Callable[[], object]) -> None:
        """Act when all lower numbers have."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopped or self._next == number)
            if self._stopped:
                raise _StoppedError
            act()
            self._next += 1
            self._condition.notify_all()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()


def in_turns(
    threads: int,
    items: Sequence[Any],
    compute: Callable[[Any], Any],
    take: Callable[[Any], object],
) -> None:
    """Compute something of each item, and take what comes out in the order of the items.

    Parameters
    ----------
    threads : int
        How many items are computed at a time, each by a thread of its own if there are several:
        the calling thread has the first item, another one the second, and so on in turn.
    items : sequence
    compute : callable
        ``compute(item)``.
    take : callable
        ``take(result)``; by the thread that has computed it.

    Examples
    --------
    >>> taken = []
    >>> in_turns(2, [1, 2, 3, 4, 5], lambda item: item * item, taken.append)
    >>> taken
    [1, 4, 9, 16, 25]
    """
    if threads == 1:
        for item in items:
            take(compute(item))
        return
    turns = _Turns()

    def work(first: int) -> Exception | None:
        try:
            for number in range(first, len(items), threads):
                turns.take(number, partial(take, compute(items[number])))
        except Exception as error:  # handed on below, once no thread waits
            turns.stop()
            return error
        return None

    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(work, first) for first in range(1, threads)]
        try:
            errors = [work(0)]
        except BaseException:  # Ctrl-C, which comes to the first thread alone
            turns.stop()
            raise
        errors += [other.result() for other in others]
    for error in errors:
        if error is not None and not isinstance(error, _StoppedError):
            raise error
