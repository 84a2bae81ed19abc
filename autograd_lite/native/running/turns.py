"""Work that several threads share out, and whose results are taken in one order all the same.

Whoever is free begins the next item, so that a thread on a slower processor, or one that has other
things to do, keeps nobody waiting: it just gets fewer items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Condition
from typing import Any

AHEAD = 2
"""Items per thread that are begun and not taken yet, at most; so many results need room."""


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
        How many items are computed at a time, the calling thread among those that do.
    items : sequence
    compute : callable
        ``compute(item)``.
    take : callable
        ``take(result)``; by any of the threads, one at a time.

    Raises
    ------
    Exception
        What computing an item raises, or taking what came out; of several the first in the order of
        the items. Nothing is taken from there on.

    Examples
    --------
    >>> taken = []
    >>> in_turns(2, [1, 2, 3, 4, 5], lambda item: item * item, taken.append)
    >>> taken
    [1, 4, 9, 16, 25]
    """
    threads = min(threads, len(items))
    if threads <= 1:
        for item in items:
            take(compute(item))
        return
    work = _Work(items, compute, take, AHEAD * threads)
    with ThreadPoolExecutor(threads - 1) as pool:
        for _ in range(threads - 1):
            pool.submit(work.share)
        work.share()
    if work.errors:
        raise work.errors[min(work.errors)]


class _FailedError(Exception):
    """Something went wrong, which is noted."""


class _Work:
    """Items that threads share out.

    Attributes
    ----------
    errors : dict
        What went wrong, by the number of the item; -1 for Ctrl-C, which comes to the first thread.
    """

    def __init__(
        self,
        items: Sequence[Any],
        compute: Callable[[Any], Any],
        take: Callable[[Any], object],
        ahead: int,
    ) -> None:
        self._items = items
        self._compute = compute
        self._take = take
        self._ahead = ahead
        self._changed = Condition()
        self._begun = 0
        self._taken = 0
        self._found: dict[int, Any] = {}  # by the number of the item, until it is taken
        self.errors: dict[int, BaseException] = {}

    def share(self) -> None:
        """Compute items until none is left, or something goes wrong."""
        try:
            while (number := self._next()) is not None:
                self._hand_in(number, self._tried(number, self._compute, self._items[number]))
        except _FailedError:
            pass
        except BaseException as error:
            self.errors[-1] = error
        finally:
            with self._changed:
                self._changed.notify_all()

    def _next(self) -> int | None:
        """Return the number of an item to compute; None if there is no more to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._begun - self._taken < self._ahead)
            if self._is_over:
                return None
            self._begun += 1
            return self._begun - 1

    @property
    def _is_over(self) -> bool:
        return bool(self.errors) or self._begun == len(self._items)

    def _hand_in(self, number: int, found: Any) -> None:
        """Take all results whose turn it is now."""
        with self._changed:
            self._found[number] = found
            while not self.errors and self._taken in self._found:
                self._tried(self._taken, self._take, self._found.pop(self._taken))
                self._taken += 1
            self._changed.notify_all()

    def _tried(self, number: int, function: Callable[[Any], Any], given: Any) -> Any:
        """Call a function; note what goes wrong with an item."""
        try:
            return function(given)
        except Exception as error:
            self.errors[number] = error
            raise _FailedError from None
