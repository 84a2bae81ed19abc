"""Checkpoints of a training: all that it takes to go on as if it had never ended."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from nn.callbacks import TrainingState
from nn.checkpoint import CheckpointError, load, save

Path = str | os.PathLike[str]


class Resumable(NamedTuple):
    """A training that can be saved between two epochs, and taken up again.

    Attributes
    ----------
    state : TrainingState
        With the model, the optimiser and the history.
    parts : dict of str to object
        What else has a ``state_dict`` and a ``load_state_dict``: callbacks and schedulers.
    order : random.Random
        What draws the order of the samples.
    settings : dict of str to number or None
        What a training that goes on has to have in common with the one that was saved.
    """

    state: TrainingState
    parts: dict[str, Any]
    order: Random
    settings: dict[str, float | None]

    def save(self, path: Path) -> dict[str, Any]:
        """Write a checkpoint; return what it says of the training, the model with it."""
        training = self._state_dict()
        save(path, self.state.model, self.state.optimizer, training=training)
        return {**training, "model": self.state.model.state_dict()}

    def save_finished(self, path: Path, training: dict[str, Any]) -> None:
        """Give a checkpoint the present model, where callbacks have exchanged that of the end.

        ``training`` is what `save` returned: who goes on from there goes on with that model.
        """
        if self.state.model.state_dict() != training["model"]:
            save(path, self.state.model, self.state.optimizer, training=training)

    def load(self, path: Path) -> None:
        """Set everything to what it was at a checkpoint; after an error, nothing has changed."""
        model, optimizer = self.state.model, self.state.optimizer
        before = model.state_dict(), optimizer.state_dict(), self._state_dict()
        name = os.fsdecode(path)
        try:
            extra = load(path, model, optimizer)
            if "training" not in extra:
                raise CheckpointError(
                    f"{name!r} was expected to hold a training, which fit writes with checkpoint=,"
                    " got a model that was saved by itself"
                )
            try:
                self._load_state_dict(extra["training"])
            except (KeyError, TypeError, ValueError) as error:
                raise CheckpointError(f"{name!r} holds another training: {error}") from error
            if len(self.state.history) > self.state.last_epoch:
                raise ValueError(
                    f"fit expected epochs of at least {len(self.state.history)}, those that"
                    f" {name!r} has behind it, got {self.state.last_epoch}: with resume=, epochs"
                    " counts from the first"
                )
        except BaseException:
            model.load_state_dict(before[0])
            optimizer.load_state_dict(before[1])
            self._load_state_dict(before[2])
            raise

    def check_generators(self) -> None:
        """Refuse generators that have no state to save, such as random.SystemRandom."""
        for name, source in self._generators().items():
            try:
                source.getstate()
            except NotImplementedError:
                raise TypeError(
                    "checkpoint expected random numbers that can be repeated, got"
                    f" {type(source).__name__} for {name}"
                ) from None

    def _state_dict(self) -> dict[str, Any]:
        return {
            "settings": self.settings,
            "history": self.state.history.state_dict(),
            "stopped": self.state.stopped,
            "parts": {name: part.state_dict() for name, part in self.parts.items()},
            "random": random.getstate(),
            "generators": {name: source.getstate() for name, source in self._generators().items()},
        }

    def _load_state_dict(self, saved: Mapping[str, Any]) -> None:
        generators = self._generators()
        for what, own, given in (
            ("callbacks and schedulers", self.parts, saved["parts"]),
            ("random numbers with seeds of their own", generators, saved["generators"]),
        ):
            if list(own) != list(given):
                raise ValueError(
                    f"its {what} are {', '.join(given) or 'none'}, those of this one"
                    f" {', '.join(own) or 'none'}"
                )
        differences = [
            f"its {name} is {saved['settings'][name]}, that of this one {own}"
            for name, own in self.settings.items()
            if saved["settings"][name] != own
        ]
        if differences:
            raise ValueError("; ".join(differences))
        if "model" in saved:
            self.state.model.load_state_dict(saved["model"])
        self.state.history.load_state_dict(saved["history"])
        self.state.stopped = saved["stopped"]
        self.state.epoch = len(self.state.history)
        for name, part in self.parts.items():
            part.load_state_dict(saved["parts"][name])
        random.setstate(saved["random"])
        for name, source in generators.items():
            source.setstate(saved["generators"][name])

    def _generators(self) -> dict[str, Random]:
        """Return the generators that are not Python's own, by what they are for."""
        found: dict[str, Any] = {"the order of the samples": self.order}
        for path, module in self.state.model.named_modules():
            for attribute, held in vars(module).items():
                found[f"{path}.{attribute}" if path else attribute] = held
        return {name: held for name, held in found.items() if isinstance(held, Random)}


def resumable(
    state: TrainingState,
    others: list[Any],
    order: Random,
    *,
    settings: dict[str, float | None],
    checkpoint: Path | None,
) -> Resumable:
    """Return what can be saved of a training, having looked at where to and what.

    ``others`` are the callbacks and schedulers; those without a ``state_dict`` remember nothing.
    """
    parts: dict[str, Any] = {}
    for other in others:
        if hasattr(other, "state_dict") and hasattr(other, "load_state_dict"):
            kind = type(other).__name__
            number = sum(name.partition(" ")[0] == kind for name in parts) + 1
            parts[kind if number == 1 else f"{kind} {number}"] = other
    training = Resumable(state, parts, order, settings)
    if checkpoint is not None:
        folder = os.path.dirname(os.path.realpath(os.fsdecode(checkpoint)))
        if not os.path.isdir(folder):
            fault = f"checkpoint expected an existing folder, got {folder!r}"
            raise FileNotFoundError(errno.ENOENT, fault, os.fspath(checkpoint))
        training.check_generators()
    return training
