"""What ``python -m nn train`` can be asked for: data sets, optimisers, options."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple, NoReturn

from nn.data import Dataset, digits, mnist, moons, split
from nn.optim import SGD, Adam, Optimizer


class Task(NamedTuple):
    """A data set that can be named on the command line, and what suits it."""

    load: Callable[[str | None], tuple[Dataset, Dataset]]  # from a folder: to learn from, to test
    about: str
    classes: int
    hidden: tuple[int, ...]
    epochs: int
    batch: int


TASKS = {
    "digits": Task(
        lambda _: _split(digits()),
        "1797 handwritten digits, 8 x 8 pixels (needs scikit-learn)",
        classes=10,
        hidden=(32,),
        epochs=20,
        batch=32,
    ),
    "moons": Task(
        lambda _: _split(moons(500, noise=0.15, seed=0)),
        "500 points on two interleaving half circles",
        classes=2,
        hidden=(16, 16),
        epochs=20,
        batch=16,
    ),
    "mnist": Task(
        lambda folder: (mnist(str(folder), "train"), mnist(str(folder), "test")),
        "70000 handwritten digits, 28 x 28 pixels, from the IDX files in --data (without"
        " native programs an epoch takes many minutes)",
        classes=10,
        hidden=(32,),
        epochs=1,
        batch=64,
    ),
}


def _split(data: Dataset) -> tuple[Dataset, Dataset]:
    return split(data, stratify=True, seed=0)  # the same test for every seed


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
  python -m nn train digits --save run.ckpt     a checkpoint after every epoch, and later, with
  python -m nn train digits --resume run.ckpt   the same options, on from there to the same end
  python -m nn train mnist --data FOLDER --clip 1

Ctrl-C ends the training and prints what was reached (exit code 130).
"""


def native_programs() -> bool:
    """Tell whether what programs are made native with is installed."""
    return all(find_spec(name) is not None for name in ("numpy", "llvmlite", "numba"))


def parser() -> Any:
    """Return the parser of the command's arguments."""
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

    command_line = Parser(
        prog="python -m nn",
        description="Train small networks whose every weight is a scalar Value.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = command_line.add_subparsers(metavar="train", required=True, dest="command")
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
    add(
        "--clip",
        type=checked(_rate),
        metavar="NORM",
        help="scale gradients down to this norm (default: as they are)",
    )
    add(
        "--data",
        metavar="FOLDER",
        help="where the files of mnist are, compressed with gzip or not",
    )
    add("--save", metavar="FILE", help="write a checkpoint into this file after every epoch")
    add(
        "--resume",
        metavar="FILE",
        help="go on from a checkpoint, in all other options the same command, up to --epochs",
    )
    add(
        "--compile",
        action=argparse.BooleanOptionalAction,
        help="train by programs that are recorded from the network once (default: where they are"
        " native, which needs pip install 'autograd-lite[fast]')",
    )
    add("--json", action="store_true", help="print the results as one line of JSON")
    return command_line


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
