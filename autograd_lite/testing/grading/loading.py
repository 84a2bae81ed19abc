"""From a student's file to the class that is to be graded, or what is wrong with it."""

from __future__ import annotations

import sys
from importlib.util import decode_source
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from autograd_lite.notation import printable, shortened

NEEDED = ("data", "grad", "backward")


class EngineError(Exception):
    """Why a file or a class in it cannot be graded, in one sentence."""


def load_class(path: Path, name: str) -> type:
    """Run a Python file as a module and return a class of it that can be graded.

    The file's own folder comes first in ``sys.path``, as for a script, but ``__name__`` is the
    file's name: what stands under ``if __name__ == "__main__"`` is not run.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        The name of the class.

    Returns
    -------
    type
        The class; one number constructs it, and it has ``data``, ``grad`` and ``backward()``.

    Raises
    ------
    EngineError
        If the file is not a Python module that can be imported, has no such class, or the class
        lacks something without which nothing can be graded.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from autograd_lite.testing.grading.loading import load_class
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "my_engine.py")
    ...     _ = path.write_text("class Scalar: ...")
    ...     load_class(path, "Value")
    Traceback (most recent call last):
    autograd_lite.testing.grading.loading.EngineError: my_engine.py has no class called Value; it
    has Scalar
    """
    module = _imported(path)
    found = getattr(module, name, None)
    if found is None:
        classes = ", ".join(_classes_of(module))
        has = f"it has {classes}" if classes else "it has no class at all"
        raise EngineError(f"{path.name} has no class called {name}; {has}")
    if not isinstance(found, type):
        raise EngineError(f"{name} in {path.name} is not a class, but of type {_type_of(found)}")
    _check(found, path)
    return found


def described(error: BaseException, path: Path) -> str:
    """Return the type, the message and, within the student's file, the line of an exception."""
    try:
        message = "" if isinstance(error, SystemExit) else " ".join(str(error).split())
    except Exception:
        message = ""
    text = _type_of(error) + (f": {shortened(printable(message), 200)}" if message else "")
    line = _line_in(path, error)
    return text if line is None else f"{text} (line {line} of {path.name})"


def _imported(path: Path) -> ModuleType:
    code = _compiled(path)
    name = path.stem
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"graded_{name}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.path.insert(0, str(path.parent))
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)
    except (Exception, SystemExit) as error:
        raise EngineError(
            f"{path.name} cannot be imported: it raises {described(error, path)}"
        ) from None
    return module


def _compiled(path: Path) -> CodeType:
    source = path.read_bytes()
    try:
        return compile(decode_source(source), str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        if line is None and (line := _not_utf8(source)) is not None:
            raise EngineError(
                f"{path.name} is not UTF-8 text, see line {line}; save it with that encoding"
            ) from None
        where = "" if line is None else f" in line {line}"
        what = error.msg if isinstance(error, SyntaxError) else described(error, path)
        raise EngineError(f"{path.name} is not valid Python{where}: {what}") from None


def _not_utf8(source: bytes) -> int | None:
    """Return the first line that is not UTF-8, or None."""
    try:
        source.decode()
    except UnicodeDecodeError as error:
        return source.count(b"\n", 0, error.start) + 1
    return None


def _check(engine: type, path: Path) -> None:
    """Raise `EngineError` unless a class has what no grading can do without."""
    made = f"{engine.__name__}(2.0)"
    try:
        value: Any = engine(2.0)
        missing = [name for name in NEEDED if not hasattr(value, name)]
    except (Exception, SystemExit) as error:
        raise EngineError(f"{made} does not work: it raises {described(error, path)}") from None
    if missing:
        lacks = " and no ".join(missing)
        raise EngineError(f"{made} has no {lacks}; it needs data, grad and backward()")
    if not callable(value.backward):
        raise EngineError(
            f"{made}.backward is not a method, but of type {_type_of(value.backward)}"
        )
    try:
        right = bool(value.data == 2.0)
    except Exception:
        right = False
    if not right:
        shown = shortened(printable(repr(value.data)), 60)
        raise EngineError(f"{made}.data is {shown}, expected the number 2.0")


def _classes_of(module: ModuleType) -> list[str]:
    return [
        name
        for name, thing in vars(module).items()
        if isinstance(thing, type) and thing.__module__ == module.__name__
    ]


def _line_in(path: Path, error: BaseException) -> int | None:
    """Return the innermost line of a file that an exception came through."""
    line = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _type_of(thing: object) -> str:
    return type(thing).__name__
