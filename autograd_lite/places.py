"""Where in the user's code something happened: the innermost line outside of these packages."""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import NamedTuple

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OURS = tuple(os.path.join(_ROOT, package) + os.sep for package in ("autograd_lite", "nn"))


class Place(NamedTuple):
    """A line of a file, and the function that it belongs to."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        import linecache

        source = linecache.getline(self.file, self.line).strip()
        file = cell_title(self.file) or f'File "{self.file}"'
        where = f"{file}, line {self.line}, in {self.function}"
        return f"{where}\n    {source}" if source else where


def cell_title(file: str) -> str:
    """Return how IPython names the cell that it has put into a file, "" for any other file.

    The file itself is a temporary one, with a name that tells a reader nothing.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "compile"):
        return ""
    return " ".join(shell.compile.format_code_name(file) or ())


def users_frame() -> FrameType:
    """Return the frame of the user's call: the innermost one outside of these packages."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_OURS) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def users_place() -> Place:
    """Return the user's line that is running."""
    frame = users_frame()
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
