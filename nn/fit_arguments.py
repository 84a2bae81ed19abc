"""What `nn.fit` refuses, before it changes anything."""

from __future__ import annotations

import math
import os
from typing import Any, NoReturn

from nn.data.minibatches import Batches
from nn.data.samples import Dataset, as_pair, dataset
from nn.history import History
from nn.module import Module
from nn.nested import shape_of
from nn.normalisation import BatchNorm1d
from nn.optim import Optimizer
from nn.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau


def checked_validation(
    train: Dataset, validation: tuple[Any, Any] | None, metric: Any
) -> Dataset | None:
    """Return the validation data, or say what is wrong with them."""
    if validation is None:
        if metric is not None:
            raise ValueError("fit computes the metric on validation data; got no validation=")
        return None
    pair = as_pair("validation", validation)
    try:
        held_out = dataset(*pair)
    except TypeError as error:
        raise TypeError(f"validation: {error}") from None
    except ValueError as error:
        raise ValueError(f"validation: {error}") from None
    for what, ours, theirs in zip(("inputs", "targets"), train, held_out, strict=True):
        wanted, given = shape_of(ours[0], what), shape_of(theirs[0], what)
        if given != wanted:
            raise ValueError(
                f"validation expected {what} of the same shape as those to train on, {wanted}, got"
                f" {given}"
            )
    return held_out


def check_arguments(model: Any, **given: Any) -> None:
    """Raise what is wrong with the arguments of `nn.fit`, which are given by name."""
    if not isinstance(model, Module):
        _refuse("fit", "a Module to train", model)
    loss, optimizer = given["loss"], given["optimizer"]
    if isinstance(loss, type) or not callable(loss):
        _refuse("loss", "a function of outputs and targets such as nn.MSELoss()", loss)
    if not isinstance(optimizer, Optimizer):
        _refuse("optimizer", "an optimiser such as nn.optim.Adam(model.parameters())", optimizer)
    _check_schedule(given["schedule"], optimizer, given["validation"])
    if given["metric"] is not None and not callable(given["metric"]):
        _refuse("metric", "a function of outputs and targets", given["metric"])
    for name in ("epochs", "checkpoint_every"):
        _check_count(name, given[name])
    for name in ("clip_grad_norm", "clip_grad_value"):
        _check_bound(name, given[name])
    if given["clip_grad_norm"] is not None and given["clip_grad_value"] is not None:
        raise ValueError("fit expected clip_grad_norm or clip_grad_value, got both")
    for name in ("callbacks", "step_callbacks"):
        _check_callbacks(name, given[name])
    for name in ("checkpoint", "resume"):
        if given[name] is not None and not isinstance(given[name], str | os.PathLike):
            _refuse(name, "a path", given[name])
    if given["progress"] is not None and not isinstance(given["progress"], bool):
        _refuse("progress", "True, False or None", given["progress"])
    if not isinstance(given["compile"], bool):
        _refuse("compile", "True or False", given["compile"])
    history = given["history"]
    if history is not None and not isinstance(history, History):
        _refuse("history", "a History to go on with", history)
    if history is not None and given["resume"] is not None and history.steps:
        raise ValueError(
            f"fit expected an empty history with resume=, got one of {len(history.steps)} steps"
        )
    held = {id(parameter) for parameter in optimizer.params}
    if not any(id(parameter) in held for parameter in model.parameters()):
        raise ValueError(
            "fit expected an optimiser of the model's parameters, got one of others: was the model"
            " made anew after the optimiser?"
        )


def check_batches(model: Module, steps: Batches) -> None:
    """Refuse a batch of one sample where the model normalises over batches."""
    samples, size = len(steps.data.inputs), steps.size
    last = samples % size or size
    if (last > 1 and size > 1) or (last < size and steps.drop_last):
        return
    modes = [(module, module.training) for module in model.modules()]
    model.train()  # a model may override it to keep modules in inference mode
    used = [(n, m) for n, m in model.named_modules() if m.training and isinstance(m, BatchNorm1d)]
    for module, training in modes:
        module.training = training
    if used:
        name, module = used[0]
        called = f"{type(module).__name__} {name!r}" if name else type(module).__name__
        raise ValueError(
            f"fit expected batches of at least 2 samples, over which the {called}"
            f" normalises, got {samples} samples with batch_size={size}, which leaves"
            f" {'a last batch' if size > 1 else 'batches'} of one: choose"
            f" {'drop_last=True or ' if samples > size > 1 else ''}another batch_size"
        )


def _refuse(what: str, wanted: str, given: Any) -> NoReturn:
    kind = given.__name__ if isinstance(given, type) else f"{type(given).__name__}: {given!r}"
    raise TypeError(f"{what} expected {wanted}, got {kind}")


def _check_count(name: str, given: Any) -> None:
    if isinstance(given, bool) or not isinstance(given, int):
        _refuse(name, "a whole number", given)
    if given < 1:
        raise ValueError(f"{name} expected at least 1, got {given}")


def _check_bound(name: str, given: Any) -> None:
    if given is None:
        return
    if isinstance(given, bool) or not isinstance(given, int | float):
        _refuse(name, "a number", given)
    if math.isnan(given) or given <= 0.0:
        raise ValueError(f"{name} expected a number above 0, got {given}")


def _check_schedule(given: Any, optimizer: Optimizer, validation: Any) -> None:
    if isinstance(given, LRScheduler):
        name = type(given).__name__
        if given.optimizer is not optimizer:
            raise ValueError(f"fit expected a {name} of its optimizer, got one of another")
        if isinstance(given, ReduceLROnPlateau) and validation is None:
            raise ValueError(
                f"{name} expected validation data, whose loss it looks at, got none: give fit"
                " validation="
            )
    elif given is not None and (isinstance(given, type) or not callable(given)):
        _refuse("schedule", "a function of the number of the step, or a scheduler", given)


def _check_callbacks(name: str, given: Any) -> None:
    if not isinstance(given, list | tuple):
        _refuse(name, "a list of functions of the training's state", given)
    for position, callback in enumerate(given):
        if isinstance(callback, type) or not callable(callback):
            _refuse(
                f"{name} at position {position}", "a function of the training's state", callback
            )
