"""``python -m nn train``: a network learns before your eyes, and is put to the test.

Results go to standard output, progress and errors to standard error, all in plain ASCII. Exit
codes: 0 done, 1 the training diverged, 2 the command was wrong, a file could not be used or
something is not installed, 130 interrupted by Ctrl-C (after printing what was reached).
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from random import Random
from time import perf_counter
from typing import Any, NamedTuple

import autograd_lite
from autograd_lite import no_grad
from nn.data import Dataset
from nn.history import History
from nn.layers import MLP
from nn.losses import CrossEntropyLoss
from nn.metrics import accuracy, confusion_matrix
from nn.prediction import predict
from nn.train_options import OPTIMIZERS, TASKS, native_programs, parser
from nn.training import fit


def main(arguments: Sequence[str]) -> int:
    """Run the command with these arguments; return its exit code."""
    asked = parser().parse_args(arguments)
    try:
        return train(asked)
    except ModuleNotFoundError as error:
        return _refuse(2, error)
    except FloatingPointError as error:
        return _refuse(1, error)
    except ValueError as error:  # of files that are not what was expected
        return _refuse(2, error)
    except OSError as error:
        if error.errno is None:  # raised here, with all there is to say
            return _refuse(2, error)
        if error.filename is not None:
            return _refuse(2, f"{error.strerror}: {str(error.filename)!r}")
        # What is left in the buffer goes nowhere, else Python complains while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 1
        return _refuse(1, f"the output could not be written: {error.strerror}")


def _refuse(status: int, reason: object) -> int:
    sys.stderr.write(f"python -m nn train: error: {reason}\n")
    return status


# -- training and testing ------------------------------------------------------------------------


class Plan(NamedTuple):
    """What was asked for, with the defaults filled in."""

    learn: Dataset
    test: Dataset
    sizes: list[int]
    optimizer: str
    lr: float
    epochs: int
    batch: int
    seed: int
    clip: float | None
    save: str | None
    resume: str | None
    compile: bool

    @property
    def steps(self) -> int:
        return self.epochs * math.ceil(len(self.learn.inputs) / self.batch)


def train(asked: Any) -> int:
    """Train as asked, and write the results; return the exit code."""
    task = TASKS[asked.dataset]
    if asked.dataset == "mnist" and asked.data is None:
        return _refuse(2, "mnist needs the folder with its files: --data FOLDER")
    if asked.dataset != "mnist" and asked.data is not None:
        return _refuse(2, f"--data is for mnist, got it with {asked.dataset}")
    learn, test = task.load(asked.data)
    plan = Plan(
        learn,
        test,
        sizes=[len(learn.inputs[0]), *(asked.hidden or task.hidden), task.classes],
        optimizer=asked.optimizer,
        lr=OPTIMIZERS[asked.optimizer][0] if asked.lr is None else asked.lr,
        epochs=asked.epochs or task.epochs,
        batch=asked.batch or task.batch,
        seed=asked.seed,
        clip=asked.clip,
        save=asked.save,
        resume=asked.resume,
        compile=native_programs() if asked.compile is None else asked.compile,
    )
    seeds = Random(plan.seed)
    model = MLP(plan.sizes[0], plan.sizes[1:], seed=seeds.getrandbits(64))
    settings = _settings(asked.dataset, plan, model)
    if not asked.json:
        _write(_heading(settings))
    history = History()
    taken: list[int] = []
    start = perf_counter()
    interrupted = _interrupted(plan, model, history, taken, seeds.getrandbits(64))
    results = _results(model, plan, history, len(taken), perf_counter() - start)
    if asked.json:
        import json

        _write(json.dumps(settings | {"interrupted": interrupted} | results) + "\n")
    else:
        _write(_report(settings | results, interrupted))
    return 130 if interrupted else 0


def _interrupted(
    plan: Plan, model: MLP, history: History, taken: list[int], order_seed: int
) -> bool:
    """Train the model, noting the steps that are taken now; tell whether Ctrl-C ended it."""
    try:
        fit(
            model,
            plan.learn,
            loss=CrossEntropyLoss(),
            optimizer=OPTIMIZERS[plan.optimizer][1](model.parameters(), plan.lr),
            epochs=plan.epochs,
            batch_size=plan.batch,
            seed=order_seed,
            # A falling learning rate lets the weights come to rest: about half a percent better.
            schedule=lambda step: plan.lr * (1 - step / plan.steps),
            clip_grad_norm=plan.clip,
            validation=plan.test,
            metric=accuracy,
            step_callbacks=[lambda state: taken.append(state.step)],
            checkpoint=plan.save,
            resume=plan.resume,
            progress=True,
            history=history,
            compile=plan.compile,
        )
    except KeyboardInterrupt:
        return True
    return False


def _settings(dataset: str, plan: Plan, model: MLP) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "train_samples": len(plan.learn.inputs),
        "test_samples": len(plan.test.inputs),
        "layers": plan.sizes,
        "parameters": len(model.parameters()),
        "optimizer": plan.optimizer,
        "lr": plan.lr,
        "batch": plan.batch,
        "epochs": plan.epochs,
        "seed": plan.seed,
        "compiled": plan.compile,
    }


def _results(
    model: MLP, plan: Plan, history: History, taken: int, seconds: float
) -> dict[str, Any]:
    """Put the model to the test."""
    model.eval()
    predictions = predict(_outputs(model, plan), rule="argmax")
    matrix = confusion_matrix(predictions, plan.test.targets, labels=range(plan.sizes[-1]))
    right = sum(matrix[i][i] for i in range(len(matrix)))
    return {
        "history": [
            {
                "epoch": epoch.number,
                "loss": epoch.loss,
                "test_loss": epoch.validation_loss,
                "accuracy": epoch.metric,
            }
            for epoch in history
        ],
        "right": right,
        "accuracy": right / len(plan.test.inputs),
        "confusion_matrix": matrix,
        "steps": taken,
        "seconds": seconds,
        "steps_per_second": taken / seconds,
    }


def _outputs(model: MLP, plan: Plan) -> Any:
    """Return what the model puts out for the samples to be tested on."""
    if plan.compile and find_spec("numpy") is not None:
        import numpy as np

        return autograd_lite.compile(lambda x: model([x])[0])(np.array(plan.test.inputs))
    with no_grad():
        return model(plan.test.inputs)


# -- what is written -----------------------------------------------------------------------------


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _heading(result: dict[str, Any]) -> str:
    layers = "-".join(map(str, result["layers"]))
    return (
        f"{result['dataset']}: {result['train_samples']} samples to learn from,"
        f" {result['test_samples']} to be tested on\n"
        f"network {layers}, {result['parameters']} parameters; {result['optimizer']}, learning"
        f" rate {result['lr']:g}, batches of {result['batch']}, {result['epochs']} epochs, seed"
        f" {result['seed']}\n"
    )


def _computed_by(compiled: bool) -> str:
    if not compiled:
        return "the model itself"
    return "native programs" if native_programs() else "programs in Python"


def _report(result: dict[str, Any], interrupted: bool) -> str:
    matrix = result["confusion_matrix"]
    lines = [""]
    if interrupted:
        done, asked = len(result["history"]), result["epochs"]
        where = f"in epoch {done + 1} of {asked}" if done < asked else "after the last epoch"
        lines += [f"interrupted {where}; reached so far:", ""]
    lines += [
        f"test accuracy {result['accuracy']:.2%} ({result['right']} of {result['test_samples']})",
        "",
        "confusion matrix (row: what it is, column: what it was taken for)",
    ]
    width = max(4, len(str(result["test_samples"])) + 1)
    lines.append(" " * 6 + "".join(f"{label:{width}}" for label in range(len(matrix))))
    lines += [
        f"{label:6}" + "".join(f"{count or '.':>{width}}" for count in row)
        for label, row in enumerate(matrix)
    ]
    lines += [
        "",
        f"{result['steps']} steps in {result['seconds']:.1f} s,"
        f" {result['steps_per_second']:.1f} steps per second, computed by"
        f" {_computed_by(result['compiled'])}",
    ]
    return "\n".join(lines) + "\n"
