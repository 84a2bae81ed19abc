"""Single keys from a terminal, on POSIX systems and on Windows.

A key is what it writes, such as ``"n"``, or one of the names ``"left"``, ``"right"``, ``"up"``,
``"down"``, ``"home"``, ``"end"``, ``"enter"``, ``"space"``, ``"backspace"``, ``"escape"``,
``"closed"`` (no more keys will come) and ``""`` (a key without a meaning here).
"""

from __future__ import annotations

import os
import re
from codecs import getincrementaldecoder
from contextlib import suppress
from importlib import import_module
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Protocol, Self

_ENDINGS = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "H": "home",
    "F": "end",
    "1~": "home",
    "7~": "home",
    "4~": "end",
    "8~": "end",
}
"""What follows ``ESC [`` or ``ESC O``: terminals differ in Home and End."""

_SEQUENCE = re.compile(r"\x1b(?:\[([0-9;?]*[ -/]*[@-~])|O(.))")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*|O)?")
_PLAIN = {
    "\r": "enter",
    "\n": "enter",
    " ": "space",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x1b": "escape",
    "\x04": "closed",
}
_WINDOWS = {
    "H": "up",
    "P": "down",
    "M": "right",
    "K": "left",
    "G": "home",
    "O": "end",
}
"""What follows NUL or à in msvcrt: scan codes as letters."""

ESCAPE_DELAY = 0.05  # seconds within which the rest of an escape sequence follows


class Keyboard(Protocol):
    """Where keys come from while the with-block runs."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def read(self, timeout: float) -> str | None:
        """Return the next key, or None if none comes within so many seconds."""


def keyboard(descriptor: int) -> Keyboard:
    """Return the keyboard of this system for a terminal's file descriptor."""
    return WindowsKeyboard() if os.name == "nt" else PosixKeyboard(descriptor)


class PosixKeyboard:
    """Reads keys as they are pressed, without echo; the terminal is set back in any case."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._pending = ""

    def __enter__(self) -> Self:
        termios: Any = import_module("termios")
        self._before = termios.tcgetattr(self._descriptor)
        changed = termios.tcgetattr(self._descriptor)
        changed[3] &= ~(termios.ECHO | termios.ICANON)
        changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
        changed[6][termios.VSUSP] = b"\0"  # Ctrl-Z would leave the shell with this terminal
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, changed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        termios: Any = import_module("termios")
        with suppress(termios.error):  # if the terminal is gone
            # What was typed and not read goes, lest it become a command of the shell.
            termios.tcsetattr(self._descriptor, termios.TCSAFLUSH, self._before)

    def read(self, timeout: float) -> str | None:
        if not self._pending and not self._receive(timeout):
            return None
        while _UNFINISHED.fullmatch(self._pending) and self._receive(ESCAPE_DELAY):
            pass
        sequence = _SEQUENCE.match(self._pending)
        if sequence:
            self._pending = self._pending[sequence.end() :]
            return _ENDINGS.get(sequence[1] or sequence[2], "")
        key, self._pending = self._pending[0], self._pending[1:]
        return _PLAIN.get(key, key if key.isprintable() else "")

    def _receive(self, timeout: float) -> bool:
        """Wait for input; whether there is any."""
        import select

        if not select.select([self._descriptor], [], [], timeout)[0]:
            return False
        try:
            received = os.read(self._descriptor, 1024)
        except OSError:  # the terminal is gone
            received = b""
        self._pending += self._decoder.decode(received) if received else "\x04"
        return bool(self._pending)


class WindowsKeyboard:
    """Reads keys of a Windows console, which needs no setting up."""

    def __enter__(self) -> Self:
        self._msvcrt: Any = import_module("msvcrt")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._msvcrt.kbhit():
            self._msvcrt.getwch()

    def read(self, timeout: float) -> str | None:
        until = monotonic() + timeout
        while not self._msvcrt.kbhit():
            if monotonic() >= until:
                return None
            sleep(0.01)
        key: str = self._msvcrt.getwch()
        if key in ("\0", "\xe0") and self._msvcrt.kbhit():
            return _WINDOWS.get(self._msvcrt.getwch(), "")
        if key == "\x03":
            raise KeyboardInterrupt
        return _PLAIN.get(key, key if key.isprintable() else "")
