"""Files that are either written whole or not at all, and that tell when they are damaged."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any, NamedTuple

STALE = 3600.0
"""Seconds after which a part of a file was left by a writer that has been killed."""

_ATTEMPTS = 10  # to rename


def extension_of(path: str | os.PathLike[str], allowed: Collection[str]) -> str:
    """Return the extension of a path in lower case, such as ``".svg"``.

    Raises
    ------
    TypeError
        If ``path`` is no path.
    ValueError
        If the extension is not one of those allowed.

    Examples
    --------
    >>> from autograd_lite.saving import extension_of
    >>> extension_of("slides/f.HTML", [".html"])
    '.html'
    >>> extension_of("f.doc", [".svg", ".html"])
    Traceback (most recent call last):
        ...
    ValueError: 'f.doc' has the extension '.doc', expected .svg or .html
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"expected a path to save to, got {type(path).__name__}: {path!r}")
    name = os.fsdecode(path)
    extension = os.path.splitext(name)[1].lower()
    if extension not in allowed:
        has = f"the extension {extension!r}" if extension else "no extension"
        *others, last = allowed
        expected = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"{name!r} has {has}, expected {expected}")
    return extension


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write a file; if that fails, what stood there before is left as it was.

    What stood there is replaced at once and only when the new file is complete: whoever is
    interrupted, even by a kill or a power cut, has the old file or the new one. What a killed
    writer leaves behind, a hidden file ending in ``.part``, a later one to the same path removes.
    Text is written as UTF-8, its line ends as they are.

    Raises
    ------
    OSError
        If the file cannot be written, with the path that was given.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    target = os.path.realpath(path)
    try:
        if os.path.exists(target) and not os.path.isfile(target):
            with open(target, "wb") as pipe:  # or a device: nothing stood there before
                pipe.write(data)
        else:
            _replace(target, data)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from None


def _replace(target: str, data: bytes) -> None:
    """Write beside the target, then put the new file in its place."""
    import secrets

    exists = os.path.exists(target)
    if exists:
        with open(target, "ab"):  # whether it may be changed is for its own permissions to say
            pass
    folder, name = os.path.split(target)
    prefix = f".{name[:100]}."
    _remove_stale(folder, prefix)
    part = os.path.join(folder, f"{prefix}{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # the content before the name: the power may fail
        if exists:
            os.chmod(part, os.stat(target).st_mode & 0o7777)
        _rename(part, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(part)
        raise


def _rename(part: str, target: str) -> None:
    """Rename; on Windows that fails while somebody, such as a virus scanner, reads the target."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            os.replace(part, target)
        except PermissionError:
            if attempt == _ATTEMPTS:
                raise
            time.sleep(0.01 * attempt)
        else:
            return


def _remove_stale(folder: str, prefix: str) -> None:
    """Remove what writers to the same path that were killed long ago have left."""
    pattern = re.compile(re.escape(prefix) + r"[0-9a-f]{16}\.part")
    with os.scandir(folder) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name):
                with suppress(OSError):  # another writer may have been faster
                    if time.time() - entry.stat().st_mtime > STALE:
                        os.unlink(entry.path)


class Seal(NamedTuple):
    """The first line of a kind of files: it names the format and a SHA-256 checksum of the rest.

    The rest is JSON, so that reading a file never executes code.

    Attributes
    ----------
    title : str
        What the first line begins with.
    version : int
        Of the format.
    noun : str
        What such a file is called in messages.
    writer : str
        The function that writes such files.

    Examples
    --------
    >>> from autograd_lite.saving import Seal
    >>> Seal("a title", 1, "file", "save").sealed(b"{}").splitlines()[1]
    b'{}'
    """

    title: str
    version: int
    noun: str
    writer: str

    def sealed(self, body: bytes) -> bytes:
        """Return the content of a file: the first line and the JSON."""
        checksum = self._checksum(self.version, body)
        return f"{self.title}, format {self.version}, sha256 {checksum}\n".encode() + body

    def _checksum(self, version: int, body: bytes) -> str:
        import hashlib

        return hashlib.sha256(f"{self.title}, format {version}\n".encode() + body).hexdigest()

    def read(self, name: str) -> dict[str, Any]:
        """Return the JSON object in a file.

        Raises
        ------
        ValueError
            If it is another kind of file, damaged, or of another version, which the message says
            of what it leaves to the caller to name.
        OSError
            If the file cannot be read.
        """
        import json

        title = self.title.encode()
        pattern = re.escape(title) + rb", format (\d{1,9}), sha256 ([0-9a-f]{64})\n"
        with open(name, "rb") as file:
            first = file.readline(200)
            match = re.fullmatch(pattern, first)
            body = file.read() if match else b""
        if match is None:
            raise ValueError(self._other_kind(first))
        version = int(match[1])
        if self._checksum(version, body) != match[2].decode():
            raise ValueError(
                f"is a damaged {self.noun}: its content does not have the checksum that its first"
                " line gives"
            )
        if version != self.version:
            raise ValueError(
                f"is a {self.noun} of format {version}, expected format {self.version}: a newer"
                " version of autograd-lite wrote it and can read it"
            )
        content = None
        with suppress(ValueError, RecursionError):
            content = json.loads(body)
        if not isinstance(content, dict):
            raise ValueError(f"has the checksum of a {self.noun}, but is no JSON object")
        return content

    def _other_kind(self, first: bytes) -> str:
        """Say what a file is that begins with another line."""
        expected = f"expected a {self.noun} written by {self.writer}"
        if not first:
            return f"is empty, {expected}"
        if first.startswith(self.title.encode()):
            return f"is a damaged {self.noun}: its first line is not what {self.writer} writes"
        if first.startswith(b"autograd-lite "):
            return f"is another file of autograd-lite, {expected}: it starts with {first[:40]!r}"
        if first.startswith(b"PK\x03\x04"):
            return f"is a zip file, perhaps of torch.save, {expected}"
        return f"is no {self.noun} written by {self.writer}: it starts with {first[:16]!r}"
