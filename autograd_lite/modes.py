"""Modes: whether operations are recorded, and under which name.

A mode belongs to a thread or async task (a context variable). Asking for it at every operation
would be slow, so `runtime.special` counts the modes that are switched on anywhere in the process,
and only while it is not 0 does an operation look closer.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from functools import wraps
from threading import RLock
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from autograd_lite.places import Place

Function = TypeVar("Function", bound=Callable[..., Any])

GENERATOR, COROUTINE, ASYNC_GENERATOR = 0x20, 0x80, 0x200  # code flags, as in module inspect


class Runtime:
    """State of the process that every operation reads."""

    __slots__ = ("clock", "slips", "special", "sweeping")

    def __init__(self) -> None:
        self.special = 0  # modes switched on anywhere
        self.clock = 0  # changes of data so far
        self.slips = True  # whether to warn about them
        self.sweeping = False  # whether an order is in use


class Scope(NamedTuple):
    """A name under which operations are recorded, the scope around it, and what is recorded."""

    name: str
    parent: Scope | None
    title: str = ""

    def __str__(self) -> str:
        above = str(self.parent) if self.parent is not None else ""
        return f"{above}.{self.name}" if above and self.name else above or self.name


class Tag(NamedTuple):
    """What few nodes have: a label, the scope and place they were recorded in, hooks.

    ``changed`` is the clock at the last change of the data of a result, 0 if there was none.
    """

    label: str = ""
    scope: Scope | None = None
    place: Place | None = None
    hooks: tuple[Any, ...] = ()
    changed: int = 0


class Mode:
    """What holds for operations in this thread or task. It never changes.

    With slots, since every operation that a recorder is told of reads it several times.

    Attributes
    ----------
    recording : bool
    tag : Tag or None
    lifting : bool
        Whether formulas run on Values, for higher derivatives.
    watching : bool
        Whether every result is looked at, and its place kept.
    recorder : object
        Who is told of every operation, while a program is made.
    short : bool
        Recording and not watching: an operation may take the short way.
    note : callable or None
        Called with every result that took it: puts it on the recorder's list.
    """

    __slots__ = ("lifting", "note", "recorder", "recording", "short", "tag", "watching")

    def __init__(
        self,
        recording: bool = True,
        tag: Tag | None = None,
        lifting: bool = False,
        watching: bool = False,
        recorder: Any = None,
    ) -> None:
        self.recording = recording
        self.tag = tag
        self.lifting = lifting
        self.watching = watching
        self.recorder = recorder
        self.short = recording and not watching
        self.note = None if recorder is None else recorder.results.append

    def _fields(self) -> dict[str, Any]:
        return {
            "recording": self.recording,
            "tag": self.tag,
            "lifting": self.lifting,
            "watching": self.watching,
            "recorder": self.recorder,
        }

    def switched(self, **fields: Any) -> Mode:
        """Return the mode with some fields changed."""
        return Mode(**{**self._fields(), **fields})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mode) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(tuple(self._fields().values()))


runtime = Runtime()
_lock = RLock()  # a finaliser may come in between
_mode: ContextVar[Mode] = ContextVar("autograd_lite_mode", default=Mode())  # noqa: B039  # immutable


class _Counted:
    """Counts one switch that is on, for as long as a context has it.

    Tasks inherit the context in which they were started, and may outlive the block that they were
    started in.
    """

    on = False

    def __init__(self) -> None:
        with _lock:
            runtime.special += 1
            self.on = True

    def __del__(self, lock: Any = _lock, runtime: Runtime = runtime) -> None:
        if self.on:
            with lock:
                runtime.special -= 1


_Entered = tuple["ModeSwitch", Mode, _Counted]

_entered: ContextVar[tuple[_Entered, ...]] = ContextVar("autograd_lite_entered", default=())
"""The switches that are on in this thread or task, each with the mode that it found."""

current_mode = _mode.get


def current_recorder() -> Any:
    """Return who is told of the operations of this thread or task, None in general."""
    return _mode.get().recorder if runtime.special else None


class ModeSwitch:
    """Switches a mode on for a with-block or, as a decorator, for each call of a function."""

    def _changed(self, mode: Mode) -> Mode:
        raise NotImplementedError

    def _copy(self) -> ModeSwitch:
        return type(self)()

    def __enter__(self) -> None:
        # Counted before and uncounted after: an interrupt in between costs time, not correctness.
        counted = _Counted()
        found = _mode.get()
        _entered.set((*_entered.get(), (self, found, counted)))
        _mode.set(self._changed(found))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entered = _entered.get()
        for position in reversed(range(len(entered))):
            switch, found, _ = entered[position]
            if switch is self:  # what was entered after it, by a generator, say, ends with it
                _mode.set(found)
                _entered.set(entered[:position])
                break

    def __call__(self, function: Function) -> Function:
        if not callable(function):
            raise TypeError(
                f"{type(self).__name__} expected a function to decorate, got"
                f" {type(function).__name__}: {function!r}"
            )
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
        if flags & GENERATOR:
            return self._around_generator(function)
        if flags & COROUTINE:
            return self._around_coroutine(function)
        if flags & ASYNC_GENERATOR:
            return self._around_async_generator(function)

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._copy():
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    def _around_generator(self, function: Function) -> Function:
        """Switch the mode on while the generator runs, off while its caller does."""

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            generator = function(*args, **kwargs)
            resume, sent = generator.send, None
            try:
                while True:
                    try:
                        with self._copy():
                            item = resume(sent)
                    except StopIteration as end:
                        return end.value
                    try:
                        resume, sent = generator.send, (yield item)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        resume, sent = generator.throw, error
            finally:
                with self._copy():
                    generator.close()

        return wrapper  # type: ignore[return-value]

    def _around_coroutine(self, function: Function) -> Function:
        @wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self._copy():
                return await function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]

    def _around_async_generator(self, function: Function) -> Function:
        @wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            generator = function(*args, **kwargs)
            resume, sent = generator.asend, None
            try:
                while True:
                    try:
                        with self._copy():
                            item = await resume(sent)
                    except StopAsyncIteration:
                        return
                    try:
                        resume, sent = generator.asend, (yield item)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        resume, sent = generator.athrow, error
            finally:
                with self._copy():
                    await generator.aclose()

        return wrapper  # type: ignore[return-value]


class PlainSwitch(ModeSwitch):
    """A switch without options, which decorates with or without parentheses."""

    def __new__(cls, function: Any = None) -> Any:
        switch = super().__new__(cls)
        return switch if function is None else switch(function)


class no_grad(PlainSwitch):
    """Do not record: results are constants. A context manager and a decorator.

    The mode is restored when the block ends, however it ends, and does not reach other threads
    or async tasks. A decorated generator switches it on only while it runs itself; a bare
    ``with no_grad():`` around a ``yield`` stays on for the caller, as in PyTorch.

    Examples
    --------
    >>> from autograd_lite import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.requires_grad
    (9.0, False)
    """

    def _changed(self, mode: Mode) -> Mode:
        return mode.switched(recording=False)


class enable_grad(PlainSwitch):
    """Record again inside `no_grad`. A context manager and a decorator.

    Examples
    --------
    >>> from autograd_lite import Value, enable_grad, no_grad
    >>> x = Value(3.0)
    >>> with no_grad(), enable_grad():
    ...     y = x * x
    >>> y.requires_grad
    True
    """

    def _changed(self, mode: Mode) -> Mode:
        return mode.switched(recording=True)


class recording_derivatives(ModeSwitch):
    """Record what a sweep computes; what it makes of the user's operations is not his to watch."""

    def _changed(self, mode: Mode) -> Mode:
        return mode.switched(recording=True, watching=False)


class recorded_by(ModeSwitch):
    """Tell a recorder of every operation, whatever the modes around were."""

    def __init__(self, recorder: Any) -> None:
        self._recorder = recorder

    def _copy(self) -> recorded_by:
        return recorded_by(self._recorder)

    def _changed(self, mode: Mode) -> Mode:
        return Mode(recorder=self._recorder)


class lifting(ModeSwitch):
    """Formulas run on Values: whatever turns one into a plain float would lose a derivative."""

    def _changed(self, mode: Mode) -> Mode:
        return mode.switched(lifting=True)


class scope(ModeSwitch):
    """Record under a name, such as a module's path. Scopes nest: the names join with dots.

    Parameters
    ----------
    path : str
        The name.
    title : str
        What it is, for pictures, such as ``"Layer(16→16)"``.

    Examples
    --------
    >>> from autograd_lite import Value, scope
    >>> with scope("layers"), scope("0"):
    ...     y = Value(3.0) * 2.0
    >>> y.scope
    'layers.0'
    """

    def __init__(self, path: str, *, title: str = "") -> None:
        for what, given in (("name", path), ("title", title)):
            if not isinstance(given, str):
                raise TypeError(
                    f"scope expected a {what} as text, got {type(given).__name__}: {given!r}"
                )
        self._path = path
        self._title = title

    def _copy(self) -> scope:
        return scope(self._path, title=self._title)

    def _changed(self, mode: Mode) -> Mode:
        parent = None if mode.tag is None else mode.tag.scope
        return mode.switched(tag=Tag(scope=Scope(self._path, parent, self._title)))


class collector_paused:
    """Pause Python's cyclic garbage collector for a block, for speed.

    Graphs have no cycles, so reference counting frees them; the cyclic collector only walks over
    them in vain, which can cost more than the arithmetic. (`create_graph=True` is the exception:
    there a leaf's gradient is a graph over the leaf until ``zero_grad()``.) Blocks nest; the
    collector is restored when the last one ends.

    Examples
    --------
    >>> import gc
    >>> from autograd_lite import collector_paused
    >>> with collector_paused():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """

    _depth = 0
    _was_enabled = False

    def __enter__(self) -> None:
        with _lock:
            if collector_paused._depth == 0:
                collector_paused._was_enabled = gc.isenabled()
                gc.disable()
            collector_paused._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _lock:
            collector_paused._depth -= 1
            if collector_paused._depth == 0 and collector_paused._was_enabled:
                gc.enable()
