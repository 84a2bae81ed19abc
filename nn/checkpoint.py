"""Checkpoints: a model, its optimiser and what else a training needs, in one file.

The file is text. Its first line names the format and a SHA-256 checksum of all the rest; then comes
JSON, whose floats are exact (NaN and infinities as Python's `json` writes them). Reading it never
executes code.
"""

from __future__ import annotations

import errno
import os
from reprlib import repr as shortened
from typing import Any

from autograd_lite import saving
from nn.json_values import decoded, encoded
from nn.module import Module, refuse_class
from nn.optim import Optimizer
from nn.state import checked, shape

FORMAT = 1
Path = str | os.PathLike[str]

_SEAL = saving.Seal("autograd-lite checkpoint", FORMAT, "checkpoint", "nn.save")


class CheckpointError(ValueError):
    """A file is no checkpoint, is damaged, or is one of another model or a newer version.

    Examples
    --------
    >>> import nn
    >>> issubclass(nn.CheckpointError, ValueError)
    True
    """


def save(path: Path, model: Module, optimizer: Optimizer | None = None, **extra: Any) -> None:
    """Write a model, its optimiser and anything else that a training needs into one file.

    What stood there before is replaced at once and only when the new file is complete: whoever is
    interrupted, even by a kill or a power cut, has the old file or the new one. Folders are not
    made. What a killed save leaves behind, a hidden file ending in ``.part``, a later save to the
    same path removes.

    Parameters
    ----------
    path : str or os.PathLike
        Where to; any extension.
    model : Module
        Its `state_dict` is saved, and the classes of its modules to know it by.
    optimizer : Optimizer, optional
        Its ``state_dict`` is saved.
    **extra
        Whatever `load` shall return: numbers, text, True, False, None, and lists, tuples and
        dicts of these. They come back equal and of the same type (a NumPy
        float64 as a float); so does the state of a generator, ``rng.getstate()``.

    Raises
    ------
    TypeError
        For a path, model or optimiser that is none, and for anything else among ``extra``.
    ValueError
        If ``extra`` is nested more than 100 deep, or has a whole number too large to be written.
    OSError
        If the file cannot be written, such as a missing folder; the old file stays.

    Examples
    --------
    >>> import nn, os, random, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "xor.checkpoint")
    >>> model = nn.MLP(2, [4, 1])
    >>> nn.save(path, model, epoch=12, rng=random.Random(0).getstate())
    >>> other = nn.MLP(2, [4, 1])
    >>> extra = nn.load(path, other)
    >>> extra["epoch"], other.state_dict() == model.state_dict()
    (12, True)
    >>> random.Random().setstate(extra["rng"])
    """
    import json  # here, since most who import nn save nothing

    target = os.path.realpath(_path("nn.save", path))
    _check_parts("nn.save", model, optimizer)
    _check_target(target, path)
    content: dict[str, Any] = {"modules": _kinds(model), "model": model.state_dict()}
    if optimizer is not None:
        content["optimizer"] = {
            "class": type(optimizer).__name__,
            "state": encoded(optimizer.state_dict(), "the optimizer's state_dict()"),
        }
    content["extra"] = {name: encoded(given, name) for name, given in extra.items()}
    body = json.dumps(content, separators=(",", ":")).encode() + b"\n"
    saving.write_whole(path, _SEAL.sealed(body))


def load(path: Path, model: Module, optimizer: Optimizer | None = None) -> dict[str, Any]:
    """Set a model, and its optimiser, to what `save` has written; return the rest.

    All is checked before anything is set: after an error, both are as they were.

    Parameters
    ----------
    path : str or os.PathLike
    model : Module
        Made as the one that was saved: the same modules with the same names and shapes.
    optimizer : Optimizer, optional
        Of the class that was saved, over the parameters of ``model``. Without it, the state of an
        optimiser in the file is passed over.

    Returns
    -------
    dict
        What `save` was given as ``extra``.

    Raises
    ------
    TypeError
        For a path, model or optimiser that is none.
    CheckpointError
        If the file is no checkpoint, damaged, of another model or optimiser, or of a newer
        version of the format; the first differences are named. It is a ValueError.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import nn, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "small.checkpoint")
    >>> nn.save(path, nn.Linear(2, 3))
    >>> try:
    ...     nn.load(path, nn.Linear(2, 4))
    ... except nn.CheckpointError as error:
    ...     print(str(error).replace(repr(path), "'small.checkpoint'"))
    'small.checkpoint' holds another model: weight has shape (3, 2) in the file and (4, 2) in
    the model; bias has shape (3,) in the file and (4,) in the model
    """
    name = _path("nn.load", path)
    _check_parts("nn.load", model, optimizer)
    content = _content(name)
    try:
        kinds, state = content["modules"], content["model"]
        extra = {key: decoded(held) for key, held in content["extra"].items()}
        differences = _differences(kinds, state, model)
        if not differences:
            change = checked(model, state)
        optimizer_class: str | None = None
        optimizer_state: Any = None
        if "optimizer" in content:
            optimizer_class = content["optimizer"]["class"]
            optimizer_state = decoded(content["optimizer"]["state"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        # Whoever wrote that knew how to make the checksum.
        raise CheckpointError(
            f"{name!r} has the checksum of a checkpoint, but not the content of one: {error}"
        ) from None
    if differences:
        more = f"; and {len(differences) - 3} more differences" if len(differences) > 3 else ""
        raise CheckpointError(f"{name!r} holds another model: {'; '.join(differences[:3])}{more}")
    if optimizer is not None:
        if optimizer_class != type(optimizer).__name__:
            held = f"that of {optimizer_class}" if optimizer_class else "none"
            raise CheckpointError(
                f"{name!r} was expected to hold the state of the optimizer"
                f" {type(optimizer).__name__}, got {held}"
            )
        try:
            optimizer.load_state_dict(optimizer_state)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{name!r} holds another optimizer: {error}") from error
    change.apply()
    return extra


# -- what is given -------------------------------------------------------------------------------


def _path(function: str, path: Any) -> str:
    """Return a path as text."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"{function} expected a path first, got {type(path).__name__}: {shortened(path)}"
        )
    return os.fsdecode(path)


def _check_parts(function: str, model: Any, optimizer: Any) -> None:
    """Refuse what is no model, or no optimiser."""
    refuse_class(model, f"{function} expected a model")
    if not isinstance(model, Module):
        raise TypeError(
            f"{function} expected a model, got {type(model).__name__}: {shortened(model)}"
        )
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"{function} expected an optimizer, got {type(optimizer).__name__}:"
            f" {shortened(optimizer)}"
        )


def _check_target(target: str, path: Path) -> None:
    """Refuse a place where no file can be."""
    folder = os.path.dirname(target)
    if os.path.isdir(target):
        fault: tuple[int, str] = (errno.EISDIR, "nn.save expected a file, got a folder")
    elif not os.path.isdir(folder):
        fault = (errno.ENOENT, f"nn.save expected an existing folder, got {folder!r}")
    elif os.path.exists(target) and not os.path.isfile(target):
        fault = (errno.EINVAL, "nn.save expected a file, got a device or a pipe")
    else:
        return
    raise OSError(*fault, os.fspath(path))


# -- which model it is ---------------------------------------------------------------------------


def _kinds(model: Module) -> dict[str, str]:
    """Return the class of each module by name, with its activation where it has one."""
    return {name: _kind(module) for name, module in model.named_modules()}


def _kind(module: Module) -> str:
    kind = type(module).__name__
    if "activation" not in vars(module):
        return kind
    activation: Any = vars(module)["activation"]
    shown = (
        repr(activation)
        if activation is None or isinstance(activation, str)
        else getattr(activation, "__name__", type(activation).__name__)
    )
    return f"{kind} with activation {shown}"


def _differences(kinds: dict[str, str], state: dict[str, Any], model: Module) -> list[str]:
    """Return how the model of a file differs from another, one sentence for each difference."""
    own = model.state_dict()
    found = []
    for name in own | state:
        if name not in own:
            found.append(f"{name} is not in the model")
        elif name not in state:
            found.append(f"{name} is not in the file")
        elif shape(state[name]) != shape(own[name]):
            found.append(
                f"{name} has shape {shape(state[name])} in the file and {shape(own[name])} in the"
                " model"
            )
    if found:
        return found
    own_kinds = _kinds(model)
    return [
        f"{f'module {name!r}' if name else 'the whole'} is {kinds.get(name, 'missing')} in the file"
        f" and {own_kinds.get(name, 'missing')} in the model"
        for name in own_kinds | kinds
        if kinds.get(name) != own_kinds.get(name)
    ]


# -- the file ------------------------------------------------------------------------------------


def _content(name: str) -> dict[str, Any]:
    """Return what is in a file, or say why it cannot be used."""
    if os.path.isdir(name):  # which Windows calls a lack of permission
        raise IsADirectoryError(errno.EISDIR, "nn.load expected a file, got a folder", name)
    try:
        return _SEAL.read(name)
    except ValueError as error:
        raise CheckpointError(f"{name!r} {error}") from None
