"""Training: `fit` runs the epochs, `History` tells how they went."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, NamedTuple

from autograd_lite import Value, collector_paused, no_grad
from nn.data.minibatches import batches
from nn.data.samples import Dataset, Seed, as_pair, dataset
from nn.module import Module
from nn.nested import as_lists, elementwise, shape_of
from nn.optim import Optimizer
from nn.progress import shown

VALIDATION_BATCH = 256  # samples that validation computes at a time, which bounds its memory


class Epoch(NamedTuple):
    """What one epoch came to.

    Attributes
    ----------
    number : int
        1 for the first epoch of a history.
    loss : float
        The training loss: the mean over the epoch's samples, each as its step found it.
    validation_loss : float or None
        The loss on the validation data after the epoch, if there are any.
    metric : float or None
        The metric on the validation data after the epoch, if one was asked for.
    seconds : float
        How long the steps took, without the validation.
    """

    number: int
    loss: float
    validation_loss: float | None
    metric: float | None
    seconds: float


class History:
    """How a training went. `fit` returns it, or goes on with one that it is given.

    Attributes
    ----------
    epochs : list of Epoch
        One record for each whole epoch.
    step_losses : list of float
        The loss of each step, of an interrupted epoch too.
    metric_name : str
        What the metric is called.

    Examples
    --------
    >>> import nn
    >>> model = nn.MLP(2, [8, 1], activation="tanh", seed=0)
    >>> history = nn.fit(
    ...     model,
    ...     nn.data.moons(50, labels=(-1, 1), seed=0),
    ...     loss=nn.HingeLoss(),
    ...     optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
    ...     epochs=2,
    ...     batch_size=10,
    ...     seed=0,
    ... )
    >>> len(history), len(history.step_losses)
    (2, 10)
    >>> history[-1].loss < history[0].loss
    True
    """

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []
        self.step_losses: list[float] = []
        self.metric_name = "metric"

    def __len__(self) -> int:
        return len(self.epochs)

    def __getitem__(self, position: int) -> Epoch:
        return self.epochs[position]

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def __repr__(self) -> str:
        rows: list[tuple[str, ...]] = [("epoch", "loss", "validation loss", self.metric_name)]
        rows += [
            (
                str(epoch.number),
                *(
                    "" if figure is None else f"{figure:.4f}"
                    for figure in (epoch.loss, epoch.validation_loss, epoch.metric)
                ),
            )
            for epoch in self.epochs
        ]
        columns = [c for c in zip(*rows, strict=True) if any(c[1:]) or c[0] == "epoch"]
        widths = [max(map(len, column)) for column in columns]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in zip(*columns, strict=True)
        ]
        if len(lines) > 16:  # the first and the last epochs tell most
            lines[6:-5] = ["...".rjust(widths[0])]
        title = f"History: {len(self.epochs)} epochs, {len(self.step_losses)} steps"
        return "\n".join([title, *lines] if self.epochs else [title])


def fit(
    model: Module,
    data: tuple[Any, Any],
    *,
    loss: Callable[[Any, Any], Any],
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 32,
    replacement: bool = False,
    seed: Seed = None,
    schedule: Callable[[int], float] | None = None,
    validation: tuple[Any, Any] | None = None,
    metric: Callable[[Any, Any], float] | None = None,
    progress: bool | None = None,
    history: History | None = None,
) -> History:
    """Train a model: epochs of steps, each loss, `zero_grad`, `backward`, `step`.

    An exception or Ctrl-C ends the training and comes out of `fit`. The model then is as the last
    whole step left it (Ctrl-C waits for a step of the optimiser to end), its modules are in the
    mode they were in before, and ``history`` has what was reached.

    Parameters
    ----------
    model : Module
        Called with a batch, a list of samples. In training mode (`Module.train`) during the
        steps, in inference mode (`Module.eval`) and without recording during validation.
    data : Dataset or pair (inputs, targets)
        N samples and their targets.
    loss : callable
        ``loss(outputs, targets)`` of a batch, one Value: a module such as `CrossEntropyLoss`, or
        a function. Means over the batch are expected (for the loss of an epoch).
    optimizer : Optimizer
        Of the model's parameters, or some of them.
    epochs : int
        How often to go through the data, at least 1.
    batch_size : int, optional
        Samples a step; 1 is the single-sample form, N full gradient descent.
    replacement : bool, optional
        Draw samples with replacement; see `nn.data.batches`.
    seed : int or random.Random, optional
        Makes the order of the samples repeatable, and thereby the training to the last bit (the
        initial weights have a seed of their own). Without it Python's `random` draws.
    schedule : callable, optional
        ``schedule(step)`` is the learning rate of a step, numbered from 0 over the whole history.
        Without it that of the optimiser stays.
    validation : Dataset or pair (inputs, targets), optional
        Samples to compute loss and metric on after every epoch. Nothing is learnt from them.
    metric : callable, optional
        ``metric(outputs, targets)`` of all validation data, outputs being plain floats: for
        example `nn.metrics.accuracy`.
    progress : bool, optional
        One updating line on standard error, which is what None means in a terminal and nothing
        elsewhere; with True a line per epoch where there is no terminal; False: nothing.
    history : History, optional
        A history to go on with: of an earlier call, or an empty one that will keep what was
        reached if training is interrupted.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        Before anything is changed, if an argument is not what is said above, the data are none
        (see `nn.data.dataset`), validation samples have another shape than those to train on, or
        the optimiser has none of the model's parameters. Later, if ``loss`` returns no Value.
    FloatingPointError
        If the loss becomes NaN, of which no training recovers.

    Examples
    --------
    >>> import nn
    >>> train, test = nn.data.split(nn.data.moons(200, seed=0), seed=0)
    >>> model = nn.MLP(2, [16, 2], seed=0)
    >>> history = nn.fit(
    ...     model,
    ...     train,
    ...     loss=nn.CrossEntropyLoss(),
    ...     optimizer=nn.optim.Adam(model.parameters(), lr=0.05),
    ...     epochs=10,
    ...     batch_size=8,
    ...     seed=0,
    ...     validation=test,
    ...     metric=nn.metrics.accuracy,
    ... )
    >>> history[-1].metric > 0.9
    True
    """
    train = dataset(*as_pair("fit", data))
    held_out = _checked_validation(train, validation, metric)
    _check_arguments(model, loss, optimizer, epochs, schedule, metric, progress, history)
    steps = batches(*train, batch_size, replacement=replacement, seed=seed)
    history = History() if history is None else history
    if metric is not None:
        history.metric_name = getattr(metric, "__name__", "metric")
    first = len(history) + 1
    numbers = range(first, first + epochs)
    modes = [(module, module.training) for module in model.modules()]
    try:
        with shown(progress, numbers, len(steps)) as display:
            for number in numbers:
                start = perf_counter()
                model.train()
                summed, samples = 0.0, 0
                for inputs, targets in steps:
                    if schedule is not None:
                        optimizer.lr = schedule(len(history.step_losses))
                    found = _step(model, loss, optimizer, inputs, targets, history)
                    summed += found * len(inputs)
                    samples += len(inputs)
                    display.step(number, summed / samples)
                seconds = perf_counter() - start
                validated = _validated(model, loss, metric, held_out)
                record = Epoch(number, summed / samples, *validated, seconds)
                history.epochs.append(record)
                display.epoch(number, record.loss, _results(record, history.metric_name))
    finally:
        for module, training in modes:
            module.training = training
    return history


def _step(
    model: Module,
    loss: Callable[[Any, Any], Any],
    optimizer: Optimizer,
    inputs: list[Any],
    targets: list[Any],
    history: History,
) -> float:
    """Descend once; note and return the loss before it."""
    with collector_paused():
        value = loss(model(inputs), targets)
        if not isinstance(value, Value):
            raise TypeError(
                f"fit expected the loss to be one Value, got {type(value).__name__} from {loss!r}"
            )
        _check_number(value.data, "loss")
        optimizer.zero_grad()  # only now: what is refused above leaves the gradients as they were
        value.backward()
        with _interrupt_deferred():
            optimizer.step()
            history.step_losses.append(value.data)
    return value.data


@contextmanager
def _interrupt_deferred() -> Iterator[None]:
    """Hold Ctrl-C back until the block has ended (in the main thread; others do not get it)."""
    import signal
    from threading import current_thread, main_thread

    handler = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or not callable(handler):
        yield
        return
    received: list[tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda number, frame: received.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if received:
            handler(*received[-1])


def _validated(
    model: Module,
    loss: Callable[[Any, Any], Any],
    metric: Callable[[Any, Any], float] | None,
    held_out: Dataset | None,
) -> tuple[float | None, float | None]:
    """Return loss and metric on the validation data, as far as they are asked for."""
    if held_out is None:
        return None, None
    model.eval()
    outputs: list[Any] = []
    with no_grad():
        for start in range(0, len(held_out.inputs), VALIDATION_BATCH):
            outputs += as_lists(model(held_out.inputs[start : start + VALIDATION_BATCH]))
        found = float(loss(outputs, held_out.targets))
    _check_number(found, "validation loss")
    if metric is None:
        return found, None
    return found, float(metric(elementwise(float, outputs), held_out.targets))


def _check_number(loss: float, what: str) -> None:
    if loss != loss:
        raise FloatingPointError(
            f"the {what} became NaN: the steps are too large (try a smaller learning rate), or"
            " there are NaNs in the data"
        )


def _results(record: Epoch, metric_name: str) -> str:
    """Return the results of the validation as they are shown after the loss."""
    text = ""
    if record.validation_loss is not None:
        text += f"  validation loss {record.validation_loss:.4f}"
    if record.metric is not None:
        text += f"  {metric_name} {record.metric:.4f}"
    return text


# -- what is refused -----------------------------------------------------------------------------


def _checked_validation(
    train: Dataset, validation: tuple[Any, Any] | None, metric: Any
) -> Dataset | None:
    if validation is None:
        if metric is not None:
            raise ValueError("fit computes the metric on validation data; got no validation=")
        return None
    held_out = dataset(*as_pair("validation", validation))
    for what, ours, theirs in zip(("inputs", "targets"), train, held_out, strict=True):
        wanted, given = shape_of(ours[0], what), shape_of(theirs[0], what)
        if given != wanted:
            raise ValueError(
                f"validation expected {what} of the same shape as those to train on, {wanted}, got"
                f" {given}"
            )
    return held_out


def _check_arguments(
    model: Any,
    loss: Any,
    optimizer: Any,
    epochs: Any,
    schedule: Any,
    metric: Any,
    progress: Any,
    history: Any,
) -> None:
    def refuse(what: str, wanted: str, given: Any) -> None:
        kind = given.__name__ if isinstance(given, type) else f"{type(given).__name__}: {given!r}"
        raise TypeError(f"{what} expected {wanted}, got {kind}")

    if not isinstance(model, Module):
        refuse("fit", "a Module to train", model)
    if isinstance(loss, type) or not callable(loss):
        refuse("loss", "a function of outputs and targets such as nn.MSELoss()", loss)
    if not isinstance(optimizer, Optimizer):
        refuse("optimizer", "an optimiser such as nn.optim.Adam(model.parameters())", optimizer)
    if schedule is not None and not callable(schedule):
        refuse("schedule", "a function of the number of the step", schedule)
    if metric is not None and not callable(metric):
        refuse("metric", "a function of outputs and targets", metric)
    if isinstance(epochs, bool) or not isinstance(epochs, int):
        refuse("epochs", "a whole number", epochs)
    if epochs < 1:
        raise ValueError(f"epochs expected at least 1, got {epochs}")
    if progress is not None and not isinstance(progress, bool):
        refuse("progress", "True, False or None", progress)
    if history is not None and not isinstance(history, History):
        refuse("history", "a History to go on with", history)
    held = {id(parameter) for parameter in optimizer.params}
    if not any(id(parameter) in held for parameter in model.parameters()):
        raise ValueError(
            "fit expected an optimiser of the model's parameters, got one of others: was the model"
            " made anew after the optimiser?"
        )
