"""``python -m nn train``: a network learns before your eyes, and is put to the test.

Results go to standard output, progress and errors to standard error, all in plain ASCII. Exit
codes: 0 done, 1 the training diverged, 2 the command was wrong or something is not installed, 130
interrupted by Ctrl-C (after printing what was reached).
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from random import Random
from time import perf_counter
from typing import Any, NamedTuple, NoReturn

from autograd_lite import no_grad
from nn.data import Dataset, digits, moons, split
from nn.history import History
from nn.layers import MLP
from nn.losses import CrossEntropyLoss
from nn.metrics import accuracy, confusion_matrix
from nn.optim import SGD, Adam, Optimizer
from nn.prediction import predict
from nn.training import fit


class Task(NamedTuple):
    """A data set that can be named on the command line, and what suits it."""

    load: Callable[[], Dataset]
    about: str
    classes: int
    hidden: tuple[int, ...]
    epochs: int
    batch: int


TASKS = {
    "digits": Task(
        digits,
        "1797 handwritten digits, 8 x 8 pixels (needs scikit-learn)",
        classes=10,
        hidden=(32,),
        epochs=20,
        batch=32,
    ),
    "moons": Task(
        lambda: moons(500, noise=0.15, seed=0),
        "500 points on two interleaving half circles",
        classes=2,
        hidden=(16, 16),
        epochs=20,
        batch=16,
    ),
}

OPTIMIZERS: dict[str, tuple[float, Callable[[list[Any], float], Optimizer]]] = {
    "adam": (0.02, lambda parameters, lr: Adam(parameters, lr=lr)),
    "sgd": (0.1, lambda parameters, lr: SGD(parameters, lr=lr, momentum=0.9)),
}
"""By name: the learning rate that suits it, and how it is made."""

EXAMPLES = """\
examples:
  python -m nn train digits                     read handwritten digits, with the defaults
  python -m nn train digits --hidden 64 --epochs 10
  python -m nn train digits --optimizer sgd --lr 0.05 --batch 16
  python -m nn train digits --seed 7            other initial weights, other order of samples
  python -m nn train moons --hidden 8,8,8       three hidden layers
  python -m nn train moons --json               results for machines, losses with all digits

Ctrl-C ends the training and prints what was reached (exit code 130). Nothing is saved.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the command with these arguments; return its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        return train(asked)
    except ModuleNotFoundError as error:
        return _refuse(2, error)
    except FloatingPointError as error:
        return _refuse(1, error)
    except OSError as error:
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

    @property
    def steps(self) -> int:
        return self.epochs * math.ceil(len(self.learn.inputs) / self.batch)


def train(asked: Any) -> int:
    """Train as asked, and write the results; return the exit code."""
    task = TASKS[asked.dataset]
    learn, test = split(task.load(), stratify=True, seed=0)  # the same test for every seed
    plan = Plan(
        learn,
        test,
        sizes=[len(learn.inputs[0]), *(asked.hidden or task.hidden), task.classes],
        optimizer=asked.optimizer,
        lr=OPTIMIZERS[asked.optimizer][0] if asked.lr is None else asked.lr,
        epochs=asked.epochs or task.epochs,
        batch=asked.batch or task.batch,
        seed=asked.seed,
    )
    seeds = Random(plan.seed)
    model = MLP(plan.sizes[0], plan.sizes[1:], seed=seeds.getrandbits(64))
    settings = _settings(asked.dataset, plan, model)
    if not asked.json:
        _write(_heading(settings))
    history = History()
    start = perf_counter()
    interrupted = _interrupted(plan, model, history, seeds.getrandbits(64))
    results = _results(model, plan, history, perf_counter() - start)
    if asked.json:
        import json

        _write(json.dumps(settings | {"interrupted": interrupted} | results) + "\n")
    else:
        _write(_report(settings | results, interrupted))
    return 130 if interrupted else 0


def _interrupted(plan: Plan, model: MLP, history: History, order_seed: int) -> bool:
    """Train the model; tell whether Ctrl-C ended it."""
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
            validation=plan.test,
            metric=accuracy,
            progress=True,
            history=history,
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
    }


def _results(model: MLP, plan: Plan, history: History, seconds: float) -> dict[str, Any]:
    """Put the model to the test."""
    model.eval()
    with no_grad():
        predictions = predict(model(plan.test.inputs), rule="argmax")
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
        "steps": len(history.steps),
        "seconds": seconds,
        "steps_per_second": len(history.steps) / seconds,
    }


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
        f" {result['steps_per_second']:.1f} steps per second",
    ]
    return "\n".join(lines) + "\n"


# -- what is asked -------------------------------------------------------------------------------


def _parser() -> Any:
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            """Say what is wrong in one line; the usage is for --help."""
            self.exit(2, f"{self.prog}: error: {message} (--help shows examples)\n")

    def checked(convert: Callable[[str], Any]) -> Callable[[str], Any]:
        """Return a conversion whose error says what was expected and given."""

        def converted(text: str) -> Any:
            try:
                return convert(text)
            except ValueError as error:
                shown = text if len(text) <= 40 else text[:37] + "..."
                raise argparse.ArgumentTypeError(f"expected {error}, got {shown!r}") from None

        return converted

    parser = Parser(
        prog="python -m nn",
        description="Train small networks whose every weight is a scalar Value.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="train", required=True, dest="command")
    command = commands.add_parser(
        "train",
        help="train a network and test it",
        description="Train a network, and test it on samples that it does not learn from: after"
        " every epoch, to show how it comes along, and at the end.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = command.add_argument
    about = "; ".join(f"{name}: {task.about}" for name, task in TASKS.items())
    rates = ", ".join(f"{rate:g} for {name}" for name, (rate, _) in OPTIMIZERS.items())
    add("dataset", type=checked(_one_of(TASKS)), help=about)
    add(
        "--hidden",
        type=checked(_sizes),
        metavar="N[,N...]",
        help=f"neurons of the hidden layers ({_defaults('hidden')})",
    )
    for name in ("epochs", "batch"):
        what = "how often to go through the data" if name == "epochs" else "samples per step"
        add(
            f"--{name}",
            type=checked(_at_least_1),
            metavar="N",
            help=f"{what} ({_defaults(name)})",
        )
    add(
        "--lr",
        type=checked(_rate),
        metavar="RATE",
        help=f"the first learning rate, which then falls evenly to 0 ({rates})",
    )
    add(
        "--optimizer",
        type=checked(_one_of(OPTIMIZERS)),
        default="adam",
        metavar="NAME",
        help="adam (default), or sgd with momentum 0.9",
    )
    add(
        "--seed",
        type=checked(_whole),
        default=0,
        metavar="N",
        help="of the initial weights and of the order of the samples; the same seed gives the same"
        " bits (default 0)",
    )
    add("--json", action="store_true", help="print the results as one line of JSON")
    return parser


def _defaults(field: str) -> str:
    """Return what a field of the tasks is by default, in words."""
    return ", ".join(
        f"{','.join(map(str, value)) if isinstance(value, tuple) else value} for {name}"
        for name, task in TASKS.items()
        for value in [getattr(task, field)]
    )


def _one_of(table: Any) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if text not in table:
            raise ValueError(" or ".join(table))
        return text

    return convert


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def _at_least_1(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise ValueError("a whole number of at least 1")
    return count


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(_at_least_1(size) for size in text.split(","))
    except ValueError:
        raise ValueError("whole numbers of at least 1, separated by commas") from None


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0.0 < rate < math.inf:
        raise ValueError("a finite number above 0")
    return rate
