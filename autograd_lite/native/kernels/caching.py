"""Where compiled kernels are kept between processes, and what makes one stale.

A kernel's file is named after everything that its machine code depends on, so a changed formula,
another processor or another compiler simply looks for another file. Nothing here ever fails: what
cannot be read or written is compiled again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

DIRECTORY_VARIABLE = "AUTOGRAD_LITE_CACHE"
DIGEST_LENGTH = hashlib.sha256().digest_size


@cache
def digest_of(*files: Path) -> str | None:
    """Return a digest of source text as it was when first asked for; None where there is none."""
    digest = hashlib.sha256()
    try:
        for file in files:
            text = file.read_bytes()
            digest.update(f"{file.parent.name} {file.name} {len(text)}\n".encode())
            digest.update(text)
    except OSError:
        return None
    return digest.hexdigest()


@cache
def _sources() -> str | None:
    """Return a digest of the text that all kernels depend on: that of kernels and primitives."""
    kernels = Path(__file__).parent
    primitives = kernels.parent.parent / "primitives"
    return digest_of(*sorted([*kernels.glob("*.py"), *primitives.glob("*.py")]))


@cache
def surroundings() -> str | None:
    """Return what every kernel depends on, as text; None if that cannot be told.

    The text of kernels and primitives, the compilers' versions, Python's, the processor.
    """
    from importlib.metadata import PackageNotFoundError, version

    import llvmlite.binding as llvm

    try:
        compilers = f"numba {version('numba')} llvmlite {version('llvmlite')}"
    except PackageNotFoundError:
        return None
    sources = _sources()
    if sources is None:
        return None
    processor = f"{llvm.get_default_triple()} {llvm.get_host_cpu_name()}"
    features = llvm.get_host_cpu_features().flatten()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return "\n".join([sources, compilers, python, processor, features])


def file_name(key: str, dtype: str, module: str) -> str | None:
    """Return the name of a kernel's file: readable, with a digest of what it depends on.

    ``module`` is where the kernel is made, whose text counts as well.
    """
    origin = getattr(sys.modules.get(module), "__file__", None)
    own = digest_of(Path(origin)) if origin else None
    everything = surroundings()
    if everything is None or own is None:
        return None
    digest = hashlib.sha256(f"{key}\n{dtype}\n{own}\n{everything}".encode()).hexdigest()[:32]
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', f'{key} {dtype}')[:60]}-{digest}.kernel"


def _users_directory() -> Path | None:
    """Return where the platform keeps what a user's programs may lose."""
    try:
        if sys.platform == "win32":
            local = os.environ.get("LOCALAPPDATA")
            return Path(local) if local else Path.home() / "AppData" / "Local"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches"
        given = os.environ.get("XDG_CACHE_HOME", "")
        return Path(given) if os.path.isabs(given) else Path.home() / ".cache"
    except RuntimeError:  # there is no home directory
        return None


def _own_temporary_directory() -> Path | None:
    """Return a directory among the temporary files that nobody else can write to."""
    try:
        if not hasattr(os, "getuid"):  # Windows: temporary files are a user's own
            path = Path(tempfile.gettempdir()) / "autograd-lite"
            path.mkdir(exist_ok=True)
            return path
        path = Path(tempfile.gettempdir()) / f"autograd-lite-{os.getuid()}"
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        ours = found.st_uid == os.getuid() and found.st_mode & 0o777 == 0o700
        return path if ours and path.is_dir() and not path.is_symlink() else None
    except OSError:
        return None


def directories() -> list[Path]:
    """Return where kernels are looked for, in order; the first that can be written to is used.

    ``AUTOGRAD_LITE_CACHE`` alone where it is set. Otherwise the user's cache directory, which may
    be read-only, then a directory of this user's among the temporary files.
    """
    given = os.environ.get(DIRECTORY_VARIABLE)
    if given:
        return [Path(given)]
    users, temporary = _users_directory(), _own_temporary_directory()
    found = [users / "autograd-lite"] if users is not None else []
    return found if temporary is None else [*found, temporary]


def read(name: str) -> bytes | None:
    """Return what was written under this name, None if it is not there or damaged."""
    for directory in directories():
        try:
            found = (directory / name).read_bytes()
        except OSError:
            continue
        digest, content = found[:DIGEST_LENGTH], found[DIGEST_LENGTH:]
        if hashlib.sha256(content).digest() == digest:
            return content
    return None


def write(name: str, content: bytes) -> None:
    """Keep this under this name, if there is a place for it: whole or not at all."""
    for directory in directories():
        unfinished = None
        try:
            directory.mkdir(parents=True, exist_ok=True)
            handle, unfinished = tempfile.mkstemp(dir=directory, suffix=".unfinished")
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.replace(unfinished, directory / name)
        except OSError:  # a full disk, a read-only home; on Windows another process reads the file
            if unfinished is not None:
                with suppress(OSError):
                    os.unlink(unfinished)
        else:
            return
