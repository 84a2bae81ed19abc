"""Ctrl-C, held back while things are half done."""

from __future__ import annotations

import signal
from threading import current_thread, main_thread
from typing import Any


class Interrupts:
    """Holds Ctrl-C back for moments of a block (in the main thread; others do not get it).

    One handler for the whole block: to change handlers at each step would take as long as a small
    step does.
    """

    def __init__(self) -> None:
        self._handler: Any = None
        self._holding = False
        self._received: tuple[int, Any] | None = None

    def __enter__(self) -> Interrupts:
        handler = signal.getsignal(signal.SIGINT)
        if current_thread() is main_thread() and callable(handler):
            self._handler = handler
            signal.signal(signal.SIGINT, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        # Who has set another handler within the block keeps it.
        if self._handler is not None and signal.getsignal(signal.SIGINT) == self._receive:
            signal.signal(signal.SIGINT, self._handler)

    def _receive(self, number: int, frame: Any) -> None:
        if self._holding:
            self._received = (number, frame)
        else:
            self._handler(number, frame)

    def hold(self) -> None:
        """From now on, note Ctrl-C only."""
        self._holding = True

    def release(self) -> None:
        """Let through what has been held back."""
        self._holding = False
        if self._received is not None:
            received, self._received = self._received, None
            self._handler(*received)
