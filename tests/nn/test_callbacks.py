"""`nn.fit` with callbacks, early stopping, schedulers and clipping, and in a notebook."""

import math
import sys
import types

import pytest

import nn
from autograd_lite import Value

MOONS = nn.data.moons(60, noise=0.1, labels=(-1, 1), seed=0)
HELD_OUT = nn.data.moons(30, noise=0.1, labels=(-1, 1), seed=1)
scheduler = nn.optim.lr_scheduler


def network(seed=0):
    return nn.MLP(2, [8, 1], activation="tanh", seed=seed)


def fitted(model, data=MOONS, **options):
    options = {
        "loss": nn.HingeLoss(),
        "optimizer": nn.optim.SGD(model.parameters(), lr=0.1),
        "epochs": 3,
        "batch_size": 20,
        "seed": 0,
        **options,
    }
    return nn.fit(model, data, **options)


class Scripted(nn.Module):
    """A parameter θ and a counter; what it puts out in epoch n is the n-th number of a script."""

    def __init__(self, script):
        super().__init__()
        self.theta = nn.Parameter(0.0)
        self.register_buffer("calls", 0)
        self.script = script

    def forward(self, x):
        if self.training:
            self.calls += 1
            return [self.theta * 1.0 for _ in x]
        return [Value(self.script[self.calls - 1]) for _ in x]


def scripted(script, stopping, **options):
    """Train with one step an epoch, θ growing by 1 in each, and the script as validation loss."""
    model = Scripted(script)
    history = nn.fit(
        model,
        ([[0.0]], [0.0]),
        loss=lambda outputs, targets: -outputs[0] if model.training else outputs[0],
        optimizer=nn.optim.SGD(model.parameters(), lr=1.0),
        epochs=len(script),
        validation=([[0.0]], [0.0]),
        callbacks=[stopping],
        **options,
    )
    return model, history


# -- the contract --------------------------------------------------------------------------------


def test_callbacks_come_after_every_epoch_in_order_and_step_callbacks_after_every_step():
    seen = []
    model = network()
    fitted(
        model,
        epochs=2,
        callbacks=[
            lambda state: seen.append(("first", state.epoch, state.step, len(state.history))),
            lambda state: seen.append(("second", state.epoch, state.step, state.last_epoch)),
        ],
        step_callbacks=[
            lambda state: seen.append((state.epoch, state.step, len(state.history.steps)))
        ],
    )
    assert seen == [
        *[(1, 1, 1), (1, 2, 2), (1, 3, 3), ("first", 1, 3, 1), ("second", 1, 3, 2)],
        *[(2, 4, 4), (2, 5, 5), (2, 6, 6), ("first", 2, 6, 2), ("second", 2, 6, 2)],
    ]


def test_a_callback_sees_what_is_trained_in_the_mode_that_suits_it():
    model = network()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    modes = []

    def look(state):
        assert state.model is model
        assert state.optimizer is optimizer
        modes.append((model.training, any(p.grad != 0.0 for p in model.parameters())))

    fitted(model, optimizer=optimizer, epochs=1, batch_size=60, step_callbacks=[look])
    fitted(model, optimizer=optimizer, epochs=1, batch_size=60, callbacks=[look])
    assert modes == [(True, True), (False, True)]
    assert model.training


def test_callbacks_that_only_look_do_not_touch_the_training():
    with_them, without = network(), network()
    fitted(with_them, callbacks=[lambda state: with_them(MOONS.inputs)])
    fitted(without)
    assert with_them.state_dict() == without.state_dict()


def test_a_callback_ends_the_training_after_its_epoch_and_later_ones_are_still_called():
    seen = []
    history = fitted(
        network(),
        epochs=9,
        callbacks=[
            lambda state: state.stop() if state.epoch == 2 else None,
            lambda state: seen.append((state.epoch, state.stopped)),
        ],
    )
    assert len(history) == 2
    assert seen == [(1, False), (2, True)]


@pytest.mark.parametrize(("step", "epochs"), [(4, 1), (6, 2)])
def test_a_step_callback_ends_the_training_at_once_an_epoch_counts_only_if_it_is_whole(
    step, epochs
):
    def stop(state):
        if state.step == step:
            state.stop()

    history = fitted(network(), epochs=9, step_callbacks=[stop])  # three steps an epoch
    assert len(history.steps) == step
    assert len(history) == epochs


def test_start_and_finish_of_a_callback_enclose_a_training_that_ends_by_itself():
    calls = []

    class Recorder:
        def start(self, state):
            calls.append(("start", state.epoch, state.step))

        def __call__(self, state):
            calls.append(state.epoch)
            if state.epoch == 5:
                raise OSError

        def finish(self, state):
            calls.append(("finish", state.epoch, state.model.training))

    model = network()
    history = fitted(model, epochs=2, callbacks=[Recorder()])
    assert calls == [("start", 0, 0), 1, 2, ("finish", 2, False)]
    calls.clear()
    with pytest.raises(OSError, match=r"^$"):
        fitted(model, epochs=9, callbacks=[Recorder()], history=history)
    assert calls == [("start", 2, 6), 3, 4, 5]
    assert len(history) == 5
    assert model.training


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"callbacks": [print, 3]},
            "callbacks at position 1 expected a function of the training's",
        ),
        ({"callbacks": nn.EarlyStopping(3)}, "callbacks expected a list of functions of the"),
        ({"callbacks": [nn.EarlyStopping]}, "callbacks at position 0 expected a function of the"),
        ({"step_callbacks": [None]}, "step_callbacks at position 0 expected a function"),
    ],
)
def test_what_is_no_callback_is_refused_before_anything_happens(given, message):
    model = network()
    before = model.state_dict()
    with pytest.raises(TypeError, match=f"^{message}"):
        fitted(model, **given)
    assert model.state_dict() == before


# -- early stopping ------------------------------------------------------------------------------


def test_training_stops_when_patience_is_over_with_the_best_epoch_s_weights_and_buffers():
    stopping = nn.EarlyStopping(patience=2)
    model, history = scripted([5.0, 3.0, 4.0, 2.0, 2.5, 2.0, 1.0], stopping)
    assert [epoch.validation_loss for epoch in history] == [5.0, 3.0, 4.0, 2.0, 2.5, 2.0]
    assert (stopping.best, stopping.best_epoch) == (2.0, 4)
    assert model.theta.data == 4.0  # grows by 1 in each epoch
    assert model.calls == 4


def test_the_best_weights_come_back_as_well_when_the_epochs_are_over():
    stopping = nn.EarlyStopping(patience=50)
    model, history = scripted([2.0, 1.0, 1.5], stopping)
    assert len(history) == 3
    assert (model.theta.data, model.calls) == (2.0, 2)


@pytest.mark.parametrize(
    ("min_delta", "length", "best_epoch"), [(0.0, 5, 5), (0.5, 4, 2), (1.0, 3, 1)]
)
def test_less_than_min_delta_is_no_improvement(min_delta, length, best_epoch):
    stopping = nn.EarlyStopping(patience=2, min_delta=min_delta)
    _, history = scripted([4.0, 3.25, 3.0, 2.875, 2.75], stopping)
    assert (len(history), stopping.best_epoch) == (length, best_epoch)


def test_min_delta_counts_upwards_for_what_should_be_large():
    figures = iter([0.25, 0.5, 0.375])
    stopping = nn.EarlyStopping(patience=2, monitor="metric", mode="max", min_delta=0.25)
    _, history = scripted([0.0] * 9, stopping, metric=lambda outputs, targets: next(figures))
    assert (len(history), stopping.best) == (3, 0.25)


def test_a_metric_is_watched_for_its_largest_and_nan_is_never_the_best():
    figures = iter([math.nan, 0.5, 0.75, 0.75, math.nan, 0.9])
    stopping = nn.EarlyStopping(patience=2, monitor="metric", mode="max")
    model, history = scripted([0.0] * 6, stopping, metric=lambda outputs, targets: next(figures))
    assert len(history) == 5
    assert (stopping.best, stopping.best_epoch, model.theta.data) == (0.75, 3, 3.0)


def test_the_training_loss_can_be_watched_without_validation():
    model = network()
    stopping = nn.EarlyStopping(patience=1, monitor="loss")
    history = fitted(model, epochs=200, callbacks=[stopping], optimizer=_rough(model))
    losses = [epoch.loss for epoch in history]
    assert len(losses) < 200
    assert losses[-1] >= losses[-2] == min(losses) == stopping.best


def _rough(model):
    return nn.optim.SGD(model.parameters(), lr=1.0)


def test_an_exception_leaves_the_last_step_s_weights_and_the_best_within_reach():
    def interrupt(state):
        if state.epoch == 3:
            raise KeyboardInterrupt

    stopping = nn.EarlyStopping(patience=5)
    model = Scripted([1.0, 2.0, 3.0])
    with pytest.raises(KeyboardInterrupt):
        nn.fit(
            model,
            ([[0.0]], [0.0]),
            loss=lambda outputs, targets: -outputs[0] if model.training else outputs[0],
            optimizer=nn.optim.SGD(model.parameters(), lr=1.0),
            epochs=3,
            validation=([[0.0]], [0.0]),
            callbacks=[stopping, interrupt],
        )
    assert model.theta.data == 3.0
    model.load_state_dict(stopping.best_state)
    assert model.theta.data == 1.0


def test_a_new_training_begins_with_no_best_epoch():
    stopping = nn.EarlyStopping(patience=2)
    scripted([1.0, 2.0, 3.0], stopping)
    model, history = scripted([9.0, 8.0, 8.5, 7.0], stopping)
    assert len(history) == 4
    assert model.theta.data == 4.0


def test_early_stopping_generalises_better_than_the_end_of_the_training():
    train, rest = nn.data.split(nn.data.moons(120, noise=0.45, seed=2), 0.75, seed=0)
    held_out, test = nn.data.split(rest, 0.5, seed=0)
    losses = []
    for callbacks in ([], [nn.EarlyStopping(patience=8)]):
        model = nn.MLP(2, [16, 2], seed=0)
        history = nn.fit(
            model,
            train,
            loss=nn.CrossEntropyLoss(),
            optimizer=nn.optim.Adam(model.parameters(), lr=0.1),
            epochs=60,
            batch_size=10,
            seed=0,
            validation=held_out,
            callbacks=callbacks,
        )
        losses.append(nn.CrossEntropyLoss()(model(test.inputs), test.targets).data)
    stopped_at = len(history)
    best = min(range(stopped_at), key=lambda i: history[i].validation_loss)
    assert stopped_at == best + 1 + 8 < 60
    assert losses[1] < 0.8 * losses[0]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.EarlyStopping(0), ValueError, "expected a patience of at least 1, got 0"),
        (lambda: nn.EarlyStopping(1.5), TypeError, "number of epochs as patience, got float: 1.5"),
        (lambda: nn.EarlyStopping(1, min_delta=-1), ValueError, "finite min_delta >= 0, got -1"),
        (lambda: nn.EarlyStopping(1, min_delta="a"), TypeError, "as min_delta, got str: 'a'"),
        (lambda: nn.EarlyStopping(1, monitor="val_loss"), ValueError, "got 'val_loss'"),
        (lambda: nn.EarlyStopping(1, mode="auto"), ValueError, '"min" or "max", got \'auto\''),
        (
            lambda: nn.EarlyStopping(1).load_state_dict({"best": 1.0}),
            ValueError,
            "expected what state_dict() returns, got {'best': 1.0}",
        ),
    ],
)
def test_early_stopping_says_what_is_wrong_with_its_arguments(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value).startswith("EarlyStopping")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("monitor", "message"),
    [("validation_loss", "validation data for monitor"), ("metric", "a metric for monitor")],
)
def test_early_stopping_without_its_figure_is_refused_before_training(monitor, message):
    model = network()
    before = model.state_dict()
    validation = HELD_OUT if monitor == "metric" else None
    with pytest.raises(ValueError, match=f"^EarlyStopping expected {message}=.*, got none: give"):
        fitted(
            model, validation=validation, callbacks=[nn.EarlyStopping(patience=2, monitor=monitor)]
        )
    assert model.state_dict() == before
    assert model.training


# -- schedulers ----------------------------------------------------------------------------------


def rates(schedule, optimizer, model, **options):
    return [s.lr for s in fitted(model, optimizer=optimizer, schedule=schedule, **options).steps]


def test_a_scheduler_of_epochs_is_stepped_after_each_epoch():
    model = network()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    found = rates(scheduler.StepLR(optimizer, 2, gamma=0.5), optimizer, model)
    assert found == [0.5] * 6 + [0.25] * 3
    assert optimizer.lr == 0.25


def test_one_cycle_is_stepped_after_each_step_as_in_pytorch():
    model = network()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    cycle = scheduler.OneCycleLR(optimizer, 0.4, total_steps=9, cycle_momentum=False)
    by_hand = nn.schedules.one_cycle(0.4, 9)
    assert rates(cycle, optimizer, model) == pytest.approx(
        [by_hand(i) for i in range(9)], rel=1e-12
    )


def test_reduce_on_plateau_looks_at_the_validation_loss():
    model = Scripted([1.0, 1.0, 1.0, 0.5])
    optimizer = nn.optim.SGD(model.parameters(), lr=1.0)
    history = nn.fit(
        model,
        ([[0.0]], [0.0]),
        loss=lambda outputs, targets: -outputs[0] if model.training else outputs[0],
        optimizer=optimizer,
        epochs=4,
        validation=([[0.0]], [0.0]),
        schedule=scheduler.ReduceLROnPlateau(optimizer, patience=1),
    )
    assert [epoch.lr for epoch in history] == [1.0, 1.0, 1.0, 0.1]


def test_schedulers_that_cannot_work_are_refused():
    model = network()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    plateau = scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(
        ValueError, match=r"^ReduceLROnPlateau expected validation data, whose loss"
    ):
        fitted(model, optimizer=optimizer, schedule=plateau)
    with pytest.raises(ValueError, match=r"^fit expected a StepLR of its optimizer, got one of an"):
        fitted(model, schedule=scheduler.StepLR(optimizer, 1))


def test_a_schedule_that_falls_below_zero_names_the_step_and_keeps_what_was_reached():
    model = network()
    history = nn.History()
    with pytest.raises(ValueError, match=r"^schedule, asked for step 4: .*, got -0\.1"):
        fitted(model, schedule=lambda step: -0.1 if step == 4 else 0.1, history=history)
    assert len(history.steps) == 4


# -- clipping ------------------------------------------------------------------------------------


def test_clipping_by_norm_bounds_the_step_and_notes_the_norm_before():
    model, clipped = network(), network()
    free = fitted(model, epochs=1, batch_size=60, clip_grad_norm=math.inf)
    bound = free.steps[0].gradient_norm / 4
    history = fitted(clipped, epochs=1, batch_size=60, clip_grad_norm=bound)
    assert history.steps == free.steps
    start = network().parameters()
    moved, moved_less = (
        [p.data - s.data for p, s in zip(m.parameters(), start, strict=True)]
        for m in (model, clipped)
    )
    assert math.hypot(*moved) == pytest.approx(0.1 * free.steps[0].gradient_norm)
    assert [4 * x for x in moved_less] == pytest.approx(moved, rel=1e-5)  # PyTorch's 1e-6


def test_without_clipping_fit_is_the_same_and_notes_no_norm():
    model, other = network(), network()
    free = fitted(model)
    noted = fitted(other, clip_grad_norm=math.inf)
    assert model.state_dict() == other.state_dict()
    assert {step.gradient_norm for step in free.steps} == {None}
    assert free[-1].gradient_norm is None
    for number, epoch in enumerate(noted):
        norms = [step.gradient_norm for step in noted.steps[3 * number : 3 * number + 3]]
        assert epoch.gradient_norm == max(norms)
        assert len({*norms}) == 3


def test_clipping_by_value_bounds_every_parameter_s_move():
    model = network()
    start = network().parameters()
    fitted(model, epochs=1, batch_size=60, clip_grad_value=0.01)
    moves = [abs(p.data - s.data) for p, s in zip(model.parameters(), start, strict=True)]
    assert max(moves) == pytest.approx(0.1 * 0.01)


def test_a_gradient_that_is_not_finite_is_not_taken_where_it_is_clipped():
    model = nn.Linear(1, 1, init="zeros")
    before = model.state_dict()
    with pytest.raises(FloatingPointError, match=r"finite norm, got norm inf: the steps are too"):
        nn.fit(
            model,
            ([[1.0]], [[0.0]]),
            loss=lambda outputs, targets: outputs[0][0].sqrt(),
            optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
            epochs=1,
            clip_grad_norm=1.0,
        )
    assert model.state_dict() == before


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"clip_grad_norm": 0.0}, ValueError, "clip_grad_norm expected a number above 0, got 0.0"),
        ({"clip_grad_value": -1}, ValueError, "clip_grad_value expected a number above 0, got -1"),
        ({"clip_grad_norm": math.nan}, ValueError, "clip_grad_norm expected a number above 0, got"),
        ({"clip_grad_norm": "1"}, TypeError, "clip_grad_norm expected a number, got str: '1'"),
        (
            {"clip_grad_norm": 1.0, "clip_grad_value": 1.0},
            ValueError,
            "fit expected clip_grad_norm or clip_grad_value, got both",
        ),
    ],
)
def test_a_wrong_bound_is_refused(options, error, message):
    with pytest.raises(error) as caught:
        fitted(network(), **options)
    assert str(caught.value).startswith(message)


# -- notebooks -----------------------------------------------------------------------------------


class Output:
    """What IPython's `display` returns: an output that can be shown anew."""

    def __init__(self, first):
        self.pictures = [first]

    def update(self, bundle, raw):
        assert raw is True
        self.pictures.append(bundle)


@pytest.fixture
def notebook(monkeypatch):
    """A stand-in for IPython with a kernel behind it; the list of its outputs."""
    outputs = []

    def display(bundle, *, raw, display_id):
        assert (raw, display_id) == (True, True)
        outputs.append(Output(bundle))
        return outputs[-1]

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return outputs


@pytest.mark.parametrize("progress", [None, True])
def test_in_a_notebook_one_output_is_kept_up_to_date(notebook, monkeypatch, capsys, progress):
    monkeypatch.setattr("nn.progress.REFRESH", 0.0)
    fitted(network(), progress=progress, validation=HELD_OUT, metric=nn.metrics.accuracy)
    (output,) = notebook
    assert output.pictures[0]["text/plain"] == "epoch 1/3"
    texts = [picture["text/plain"] for picture in output.pictures]
    numbers = [int(text[6]) for text in texts]
    assert numbers == sorted(numbers)
    assert len(texts) == 1 + 9 + 3 + 1  # at first, steps, epochs, at the end
    assert texts[-1].startswith("epoch 3/3  loss 0.")
    assert "  validation loss 0." in texts[-1]
    assert "  accuracy 0." in texts[-1]
    assert all(" left  loss" in text for text in texts[1:8])
    assert '<progress value="9" max="9"></progress>' in output.pictures[-1]["text/html"]
    assert capsys.readouterr() == ("", "")


def test_a_notebook_s_output_changes_a_few_times_a_second_and_at_the_end(notebook, monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr("nn.progress.monotonic", lambda: next(clock) / 100)  # 10 ms a look
    fitted(network(), epochs=100, batch_size=60)  # 200 looks: 2 s, and those at the time left
    (output,) = notebook
    assert 6 <= len(output.pictures) <= 12
    assert output.pictures[-1]["text/plain"].startswith("epoch 100/100  loss 0.")


def test_a_notebook_shows_how_far_an_interrupted_training_came(notebook):
    def interrupt(state):
        if state.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(network(), step_callbacks=[interrupt])
    assert notebook[0].pictures[-1]["text/plain"].startswith("epoch 2/3  ")


def test_what_a_notebook_shows_is_no_markup(notebook):
    def metric(outputs, targets):
        return 1.0

    metric.__name__ = "<b>"
    fitted(network(), validation=HELD_OUT, metric=metric)
    assert "&lt;b&gt; 1.0000" in notebook[0].pictures[-1]["text/html"]


def test_a_notebook_is_left_alone_without_progress_and_ipython_in_a_terminal_is_none(
    notebook, monkeypatch, capsys
):
    fitted(network(), progress=False)
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", types.SimpleNamespace)
    fitted(network())
    assert notebook == []
    assert capsys.readouterr() == ("", "")
