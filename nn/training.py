"""Training: `fit` runs the epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple, cast

from autograd_lite import collector_paused
from nn.callbacks import Callback, TrainingState
from nn.clipping import clip_grad_norm_, clip_grad_value_
from nn.compiled_steps import CompiledSteps
from nn.data.minibatches import Batches, batches
from nn.data.samples import Seed, array_dataset, as_pair, dataset
from nn.fit_arguments import check_arguments, check_batches, checked_validation
from nn.history import Epoch, History, Step
from nn.init import generator
from nn.interrupts import Interrupts
from nn.module import Module
from nn.optim import Optimizer
from nn.optim.lr_scheduler import CyclicLR, LRScheduler, OneCycleLR, ReduceLROnPlateau
from nn.progress import Silent, shown
from nn.resuming import Path, resumable
from nn.steps import Steps

PER_STEP = (OneCycleLR, CyclicLR)  # schedulers whose numbers PyTorch means as steps


def fit(
    model: Module,
    data: tuple[Any, Any],
    *,
    loss: Callable[[Any, Any], Any],
    optimizer: Optimizer,
    epochs: int,
    batch_size: int = 32,
    replacement: bool = False,
    drop_last: bool = False,
    seed: Seed = None,
    schedule: Callable[[int], float] | LRScheduler | None = None,
    clip_grad_norm: float | None = None,
    clip_grad_value: float | None = None,
    validation: tuple[Any, Any] | None = None,
    metric: Callable[[Any, Any], float] | None = None,
    callbacks: Sequence[Callback] = (),
    step_callbacks: Sequence[Callback] = (),
    checkpoint: Path | None = None,
    checkpoint_every: int = 1,
    resume: Path | None = None,
    progress: bool | None = None,
    history: History | None = None,
    compile: bool = False,
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
        How often to go through the data, at least 1; with ``resume``, together with the epochs
        that are behind the checkpoint.
    batch_size : int, optional
        Samples a step; 1 is the single-sample form, N full gradient descent.
    replacement : bool, optional
        Draw samples with replacement; see `nn.data.batches`.
    drop_last : bool, optional
        Leave out an epoch's last batch if it is of fewer than ``batch_size`` samples, as PyTorch's
        DataLoader does. (A model with a `BatchNorm1d` cannot be trained with a batch of one.)
    seed : int or random.Random, optional
        Makes the order of the samples repeatable, and thereby the training to the last bit (the
        initial weights, and modules such as `Dropout`, have seeds of their own). Without it
        Python's `random` draws.
    schedule : callable or LRScheduler, optional
        ``schedule(step)`` is the learning rate of a step, numbered from 0 over the whole history.
        Or a scheduler of `nn.optim.lr_scheduler` over the same optimiser, whose ``step`` is called
        as in PyTorch: for `OneCycleLR` and `CyclicLR` after every step, for the others after every
        epoch, for `ReduceLROnPlateau` with the validation loss. Without it the rate stays.
    clip_grad_norm : float, optional
        Scale each step's gradient down to this norm, as `clip_grad_norm_`; `math.inf` to have the
        norms in the history alone.
    clip_grad_value : float, optional
        Move each step's partial derivatives to at most this size, as `clip_grad_value_`.
    validation : Dataset or pair (inputs, targets), optional
        Samples to compute loss and metric on after every epoch. Nothing is learnt from them.
    metric : callable, optional
        ``metric(outputs, targets)`` of all validation data, outputs being plain floats: for
        example `nn.metrics.accuracy`.
    callbacks : list of callables, optional
        Each is called with a `TrainingState` after every epoch, such as `EarlyStopping`;
        `nn.callbacks` says more.
    step_callbacks : list of callables, optional
        The same after every step.
    checkpoint : str or os.PathLike, optional
        A file to write when epochs have ended, callbacks called, in place of the one before: with
        the model, the optimiser, the history, what callbacks remember, and all random numbers'
        states (of ``seed``, of modules, and of Python's `random`). `nn.load` reads it as well: the
        model of the last epoch so far, and after the end the one that ``fit`` leaves, with
        `EarlyStopping` that of the best epoch (not after a stop within an epoch).
    checkpoint_every : int, optional
        Write it after every n-th epoch for n = ``checkpoint_every``, and after the last.
    resume : str or os.PathLike, optional
        Such a file, to go on from as if there had been no interruption, to the last bit. All other
        arguments have to be as they were, but ``epochs`` can be more; the state of ``seed`` is
        taken from the file. Refused are another number of samples, ``batch_size``,
        ``replacement``, ``drop_last``, clipping, and other classes of modules, optimiser,
        scheduler and callbacks; what the samples are, ``loss``, ``metric`` and a ``schedule`` that
        is a function are not compared. If the training there was over, no epoch is added.
    progress : bool, optional
        One updating line on standard error or, in a notebook, as output. None means that in a
        terminal or notebook, and nothing elsewhere; True a line per epoch elsewhere; False nothing.
    history : History, optional
        A history to go on with: of an earlier call, or an empty one that will keep what was
        reached if training is interrupted.
    compile : bool, optional
        Whether to record model and loss once, with one sample, and to compute the batches by
        native programs: the same numbers up to rounding, many times as fast. (Without the packages
        of the extra ``fast`` the programs are Python.) See `autograd_lite.compile` for what
        cannot be recorded. The loss has to be the mean of those of the batch's samples. The
        model's own code runs for the recording alone, so hooks and prints in it are not seen.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        Before anything is changed, if an argument is not what is said above, the data are none
        (see `nn.data.dataset`), validation samples have another shape than those to train on, the
        optimiser has none of the model's parameters, a batch would be of one sample and the model
        has a `BatchNorm1d`, or a callback refuses the training; with ``compile`` if the loss of a
        few samples together is not the mean of theirs, or the data are not all numbers. Before the
        first step, if a loss of `nn` refuses a target, such as an unknown label, of the validation
        data too (not with ``compile``). Later, if ``loss`` returns no Value or ``schedule`` no
        learning rate, or when a step comes to samples that the model or ``loss`` refuses: the steps
        before have been taken. A note of the error says which rows of the data are refused.
    RuntimeError
        If ``compile`` is asked for and model or loss cannot be recorded. Nothing has changed then.
    CheckpointError, OSError
        If ``resume`` or ``checkpoint`` cannot be read, used or written; see `nn.load`, `nn.save`.
        What cannot be resumed has changed nothing.
    FloatingPointError
        If the loss becomes NaN or infinite, or so does the norm of a gradient that is clipped, of
        which no training recovers. That step is not taken. Also for the validation loss.

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

    With ``checkpoint=path, resume=path if os.path.exists(path) else None``, a script that was
    killed goes on when it is started again.
    """
    train = (array_dataset if compile is True else dataset)(*as_pair("fit", data))
    held_out = checked_validation(train, validation, metric)
    check_arguments(
        model,
        loss=loss,
        optimizer=optimizer,
        epochs=epochs,
        schedule=schedule,
        clip_grad_norm=clip_grad_norm,
        clip_grad_value=clip_grad_value,
        validation=validation,
        metric=metric,
        callbacks=callbacks,
        step_callbacks=step_callbacks,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        resume=resume,
        progress=progress,
        history=history,
        compile=compile,
    )
    order = generator(seed)
    steps = batches(*train, batch_size, replacement=replacement, drop_last=drop_last, seed=order)
    check_batches(model, steps)
    history = History() if history is None else history
    state = TrainingState(
        model,
        optimizer,
        history,
        validation=held_out,
        metric=metric,
        last_epoch=epochs if resume is not None else len(history) + epochs,
    )
    called = [*callbacks, *step_callbacks]
    settings = {
        "number of samples": len(train.inputs),
        "batch_size": batch_size,
        "replacement": bool(replacement),
        "drop_last": bool(drop_last),
        "clip_grad_norm": clip_grad_norm,
        "clip_grad_value": clip_grad_value,
    }
    saved = resumable(state, [schedule, *called], order, settings=settings, checkpoint=checkpoint)
    kind = CompiledSteps if compile else Steps
    compute = kind(model, loss, optimizer, train, held_out)
    _tell(called, "start", state)
    if resume is not None:
        saved.load(resume)
    if metric is not None:
        history.metric_name = getattr(metric, "__name__", "metric")
    clip = _clipping(optimizer, clip_grad_norm, clip_grad_value)
    interrupts = Interrupts()
    descend = _Descent(state, compute, schedule, clip, interrupts)
    modes = [(module, module.training) for module in model.modules()]
    ended: dict[str, Any] | None = None  # what the checkpoint of the last epoch says
    try:
        last = state.epoch if state.stopped else state.last_epoch
        numbers = range(state.epoch + 1, last + 1)
        with interrupts, shown(progress if numbers else False, numbers, len(steps)) as display:
            while state.epoch < state.last_epoch and not state.stopped:
                state.epoch += 1
                start = perf_counter()
                reached = descend.epoch(steps, step_callbacks, display)
                if reached is None:
                    break
                seconds = perf_counter() - start
                model.eval()
                validated = compute.validated(metric)
                record = Epoch(state.epoch, reached.loss, *validated, seconds, *reached[1:])
                history.epochs.append(record)
                display.epoch(state.epoch, record.loss, _results(record, history.metric_name))
                _step_scheduler(schedule, record)
                for callback in callbacks:
                    callback(state)
                over = state.stopped or state.epoch == state.last_epoch
                if checkpoint is not None and (over or state.epoch % checkpoint_every == 0):
                    written = saved.save(checkpoint)
                    ended = written if over else None
        _tell(called, "finish", state)
        if checkpoint is not None and ended is not None:
            saved.save_finished(checkpoint, ended)
    finally:
        for module, training in modes:
            module.training = training
    return history


def _tell(callbacks: Sequence[Callback], what: str, state: TrainingState) -> None:
    """Call the method of those callbacks that have it."""
    for callback in callbacks:
        method = getattr(callback, what, None)
        if method is not None:
            method(state)


def _step_scheduler(schedule: Any, record: Epoch) -> None:
    """Tell a scheduler of epochs that one has ended."""
    if isinstance(schedule, ReduceLROnPlateau):
        schedule.step(record.validation_loss)
    elif isinstance(schedule, LRScheduler) and not isinstance(schedule, PER_STEP):
        schedule.step()


# -- steps ---------------------------------------------------------------------------------------


class _Descent(NamedTuple):
    """The steps of a training."""

    state: TrainingState
    compute: Steps
    schedule: Callable[[int], float] | LRScheduler | None
    clip: Callable[[], float | None] | None
    interrupts: Interrupts

    def epoch(self, steps: Batches, callbacks: Sequence[Callback], display: Silent) -> Step | None:
        """Go through the data once; return what it came to, None if a callback cut it short."""
        state = self.state
        state.model.train()
        summed, samples = 0.0, 0
        first = state.step
        rate = None if isinstance(self.schedule, LRScheduler) else self.schedule
        after_step = self.schedule.step if isinstance(self.schedule, PER_STEP) else None
        for number, rows in enumerate(self.compute.epoch(steps), start=1):
            if rate is not None:
                self._set_rate(rate, state.step)
            summed += self._step(rows) * len(rows)
            if after_step is not None:
                after_step()
            samples += len(rows)
            display.step(state.epoch, summed / samples)
            for callback in callbacks:
                callback(state)
            if state.stopped and number < len(steps):
                return None
        done = state.history.steps[first:]
        norms = [step.gradient_norm for step in done if step.gradient_norm is not None]
        return Step(summed / samples, done[-1].lr, max(norms, default=None))

    def _set_rate(self, schedule: Callable[[int], float], step: int) -> None:
        try:
            self.state.optimizer.lr = schedule(step)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"schedule, asked for step {step}: {error}") from error

    def _step(self, rows: Sequence[int]) -> float:
        """Descend once; note and return the loss before it."""
        optimizer = self.state.optimizer
        with collector_paused():
            loss = self.compute.descend(rows)
            record = Step(loss, optimizer.lr, None if self.clip is None else self.clip())
            self.interrupts.hold()
            try:
                optimizer.step()
                self.state.history.steps.append(record)
            finally:
                self.interrupts.release()
        return loss


def _clipping(
    optimizer: Optimizer, norm: float | None, size: float | None
) -> Callable[[], float | None] | None:
    """Return what clips the gradients, and returns their norm before if that is what it clips."""

    def clip_norm() -> float:
        try:
            return clip_grad_norm_(optimizer.params, cast(float, norm), error_if_nonfinite=True)
        except RuntimeError as error:
            raise FloatingPointError(
                f"{error}: the steps are too large (try a smaller learning rate), or the loss has"
                " no finite slope here"
            ) from None

    if norm is not None:
        return clip_norm
    if size is not None:
        return lambda: clip_grad_value_(optimizer.params, size)
    return None


def _results(record: Epoch, metric_name: str) -> str:
    """Return the results of the validation as they are shown after the loss."""
    text = ""
    if record.validation_loss is not None:
        text += f"  validation loss {record.validation_loss:.4f}"
    if record.metric is not None:
        text += f"  {metric_name} {record.metric:.4f}"
    return text
