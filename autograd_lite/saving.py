"""Files that are either written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection


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
    exists = os.path.exists(target)
    if exists:
        with open(target, "ab"):  # whether it may be changed is for its own permissions to say
            pass
    folder, name = os.path.split(target)
    part = os.path.join(folder, f".{name[:100]}.{os.getpid()}.part")
    try:
        with open(part, "xb") as file:
            file.write(data)
        if exists:
            os.chmod(part, os.stat(target).st_mode & 0o7777)
        os.replace(part, target)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise
