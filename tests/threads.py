"""Threads with small stacks, and threads that take turns as often as Python can make them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any


def in_a_small_thread(work: Callable[[], Any]) -> Any:
    """Return what ``work`` returns in a thread with a stack of 512 KiB."""
    before = threading.stack_size(512 * 1024)
    try:
        return together(work)[0]
    finally:
        threading.stack_size(before)


@contextmanager
def switching_often() -> Generator[None]:
    """Let threads take turns after every microsecond."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run each work in a thread of its own, from one moment on; return or raise what they do."""
    ready = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)
    errors: list[BaseException] = []

    def run(position: int, work: Callable[[], Any]) -> None:
        try:
            ready.wait()
            results[position] = work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
