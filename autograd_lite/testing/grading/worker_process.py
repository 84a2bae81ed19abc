"""Starting, watching and ending the process in which a student's engine runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import IO, Any

from autograd_lite.notation import printable, shortened
from autograd_lite.testing.grading.worker import PLACES, RECORDS

START = """\
import json, sys
path, arguments = map(json.loads, sys.argv[1:])
sys.argv[:] = arguments[1:2]
sys.path[:] = path
from pathlib import Path
from autograd_lite.testing.grading.worker import work
work(Path(arguments[0]), Path(arguments[1]), *arguments[2:])
"""

TAIL = 4096
"""How many bytes of what an engine prints are kept, the last ones."""

WINDOWS_CRASHES = {0xC0000005: "access violation", 0xC00000FD: "stack overflow"}


class WorkerProcess:
    """A worker, to be used in a ``with`` statement, at whose end no process of it is left.

    Parameters
    ----------
    path : Path
        The student's file.
    class_name : str
        The class to grade.
    first : int
        The index of the milestone to begin with.
    time_limit : float
        Seconds after which the worker writes down where it is.
    """

    def __init__(self, path: Path, class_name: str, first: int, time_limit: float) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="grade-", ignore_cleanup_errors=True)
        self._path = path
        self._read = 0
        self._printed = b""
        arguments = [self._folder.name, str(path), class_name, first, time_limit]
        try:
            self._process = _start([json.dumps(sys.path), json.dumps(arguments)])
        except BaseException:
            self._folder.cleanup()
            raise
        self._reader = Thread(target=self._keep_what_is_printed, daemon=True)
        self._reader.start()

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()
        with contextlib.suppress(OSError):
            _pipe(self._process.stdin).close()
        self._folder.cleanup()

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; return whether the process has ended."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def records(self) -> list[dict[str, Any]]:
        """Return the records written since the last call."""
        try:
            with Path(self._folder.name, RECORDS).open("rb") as file:
                file.seek(self._read)
                new = file.read()
        except FileNotFoundError:
            return []
        complete = new[: new.rfind(b"\n") + 1]
        self._read += len(complete)
        return [json.loads(line) for line in complete.splitlines()]

    def end(self) -> None:
        """End the process and all that it started, as far as the operating system knows them."""
        if sys.platform == "win32":
            if self._process.poll() is None:
                subprocess.run(
                    ["taskkill", "/F", "/T", "/PID", str(self._process.pid)],
                    capture_output=True,
                    check=False,
                )
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        # Whoever has left the group may hold the pipe open: what it prints is of no interest.
        self._reader.join(1.0)

    def how_it_ended(self) -> str:
        """Say how the process ended, in the words of the operating system."""
        status = self._process.returncode
        if status < 0:
            return f"the process was ended by signal {_signal(-status)}"
        if status in WINDOWS_CRASHES:
            return f"the process crashed: {WINDOWS_CRASHES[status]}"
        return f"the process ended, with exit status {status}"

    def why_it_ended(self) -> tuple[str, str]:
        """Say what is probably the reason that the process ended, as a cause and in words."""
        status = self._process.returncode
        at = f" in {place}" if (place := self.place()) else ""
        if status in (-signal.SIGSEGV, 0xC00000FD):
            return "crash", (
                f"Python itself crashed{at}: deep recursion does that where sys.setrecursionlimit"
                " allows it; walk the graph in a loop instead"
            )
        if status < 0 or status in WINDOWS_CRASHES:
            return "crash", f"Python itself was stopped{at}; too much memory can be a reason"
        return "exit", (
            "os._exit or the like was called; an engine may not end the program that uses it"
        )

    def place(self) -> str:
        """Return where in the student's file the process was when it crashed or ran out of time."""
        shown = str(self._path).encode("ascii", "backslashreplace").decode()
        start = f'  File "{shown}", line '
        try:
            lines = Path(self._folder.name, PLACES).read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return ""
        for line in lines:
            if line.startswith(start):
                number, _, name = line.removeprefix(start).partition(" in ")
                function = "" if name == "<module>" else f"{name}, "
                return f"{function}line {number} of {self._path.name}"
        return ""

    def last_lines(self, count: int) -> list[str]:
        """Return the end of what the engine printed."""
        lines = self._printed.decode("utf-8", "replace").splitlines()
        return [shortened(printable(line), 100) for line in lines[-count:]]

    def _keep_what_is_printed(self) -> None:
        with _pipe(self._process.stdout) as pipe:
            while new := os.read(pipe.fileno(), 1 << 16):
                self._printed = (self._printed + new)[-TAIL:]


def _start(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a worker with a group of its own, so that Ctrl-C reaches this process alone."""
    return subprocess.Popen(
        [sys.executable, "-P", "-c", START, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace"},
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
