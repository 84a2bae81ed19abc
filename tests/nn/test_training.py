"""`nn.fit` is the lectures' loop, repeatable to the last bit, and leaves things as it says."""

import gc
import io
import math
import os
import random
import re
import signal
import sys
import threading

import numpy as np
import pytest

import nn
from autograd_lite import Value

MOONS = nn.data.moons(60, noise=0.1, labels=(-1, 1), seed=0)


def network(seed=0):
    return nn.MLP(2, [8, 1], activation="tanh", seed=seed)


def fitted(model, data=MOONS, **options):
    options = {
        "loss": nn.HingeLoss(),
        "optimizer": nn.optim.SGD(model.parameters(), lr=0.1),
        "epochs": 2,
        "batch_size": 16,
        "seed": 0,
        **options,
    }
    return nn.fit(model, data, **options)


def weights(model):
    return [parameter.data for parameter in model.parameters()]


class StopError(Exception):
    """Raised by a test in the middle of things."""


class StoppingLoss(nn.HingeLoss):
    """Raises in the given call, of training and validation together."""

    def __init__(self, call, error):
        super().__init__()
        self.calls = 0
        self.call = call
        self.error = error

    def forward(self, prediction, target):
        self.calls += 1
        if self.calls == self.call:
            raise self.error
        return super().forward(prediction, target)


# -- what it computes ----------------------------------------------------------------------------


def test_fit_is_the_loop_one_writes_by_hand_to_the_last_bit():
    by_hand = network()
    optimizer = nn.optim.Adam(by_hand.parameters(), lr=0.01)
    losses = []
    batches = nn.data.batches(*MOONS, 16, seed=5)
    for _ in range(2):
        for inputs, targets in batches:
            optimizer.zero_grad()
            loss = nn.HingeLoss()(by_hand(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.data)

    model = network()
    adam = nn.optim.Adam(model.parameters(), lr=0.01)
    history = fitted(model, optimizer=adam, seed=5)

    assert history.step_losses == losses
    assert weights(model) == weights(by_hand)


def test_fit_adds_little_to_the_loop_one_writes_by_hand():
    inputs, targets = [[0.1]] * 50, [0.0] * 50

    def square(outputs, targets):
        return outputs[0][0] * outputs[0][0]

    def by_hand(model, optimizer, epochs):
        for _ in range(epochs):
            for batch, wanted in nn.data.batches(inputs, targets, 1, seed=0):
                loss = square(model(batch), wanted)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    def by_fit(model, optimizer, epochs):
        data = (inputs, targets)
        nn.fit(model, data, loss=square, optimizer=optimizer, epochs=epochs, batch_size=1, seed=0)

    def calls_per_step(train):
        model = nn.Linear(1, 1, seed=0)
        optimizer = nn.optim.SGD(model.parameters(), lr=0.01)
        one, three = (calls(train, model, optimizer, epochs) for epochs in (1, 3))
        return (three - one) / 100

    # Calls of functions, C's among them: seconds would depend on what else the machine does.
    assert calls_per_step(by_fit) - calls_per_step(by_hand) <= 30


def calls(function, *arguments):
    """Count the calls of functions that a call of this one leads to."""
    counted = 0

    def count(frame, event, argument):
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function(*arguments)
    finally:
        sys.setprofile(before)
    return counted


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples_not_over_its_batches():
    history = fitted(network(), epochs=1, batch_size=40)
    first, second = history.step_losses  # of 40 and of 20 samples
    assert first != second
    assert history[0].loss == (40 * first + 20 * second) / 60


def test_full_gradient_descent_is_one_step_an_epoch_and_lowers_the_loss_every_time():
    history = fitted(network(), batch_size=60, epochs=20)
    assert len(history.step_losses) == 20
    assert [epoch.loss for epoch in history] == history.step_losses
    assert history.step_losses == sorted(history.step_losses, reverse=True)


def test_single_samples_with_replacement_train_as_well():
    history = fitted(network(), batch_size=1, replacement=True, epochs=1)
    assert len(history.step_losses) == 60


def test_two_moons_are_told_apart():
    train, test = nn.data.split(nn.data.moons(240, noise=0.1, labels=(-1, 1), seed=1), seed=1)
    model = nn.MLP(2, [12, 12, 1], seed=1)
    history = fitted(
        model,
        train,
        optimizer=nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        epochs=15,
        validation=test,
        metric=nn.metrics.accuracy,
    )
    assert history[-1].metric >= 0.97
    assert history[-1].validation_loss < 0.1


def test_handwritten_digits_are_read_after_four_epochs():
    pytest.importorskip("sklearn")
    train, test = nn.data.split(nn.data.digits(), 0.2, stratify=True, seed=0)
    model = nn.MLP(64, [16, 10], seed=0)
    history = nn.fit(
        model,
        train,
        loss=nn.CrossEntropyLoss(),
        optimizer=nn.optim.Adam(model.parameters(), lr=0.02),
        epochs=4,
        batch_size=32,
        seed=0,
        validation=test,
        metric=nn.metrics.accuracy,
    )
    assert history[-1].metric >= 0.9


def test_arrays_train_as_lists_do():
    from_lists, from_arrays = network(), network()
    fitted(from_lists, validation=MOONS)
    arrays = tuple(map(np.array, MOONS))
    fitted(from_arrays, arrays, validation=arrays)
    assert weights(from_arrays) == weights(from_lists)


def test_the_seed_repeats_the_order_and_another_changes_it():
    runs = [network() for _ in range(3)]
    histories = [fitted(model, seed=seed) for model, seed in zip(runs, (7, 7, 8), strict=True)]
    assert histories[0].step_losses == histories[1].step_losses != histories[2].step_losses
    assert weights(runs[0]) == weights(runs[1]) != weights(runs[2])


def test_without_a_seed_python_s_random_decides():
    losses = []
    for _ in range(2):
        random.seed(3)
        losses.append(fitted(network(), seed=None).step_losses)
    assert losses[0] == losses[1]


def test_validation_does_not_touch_the_training():
    with_it, without = network(), network()
    fitted(with_it, validation=MOONS)
    fitted(without)
    assert weights(with_it) == weights(without)


def test_a_schedule_sets_the_learning_rate_of_each_step_over_the_whole_history():
    model = network()
    asked, used = [], []
    optimizer = nn.optim.SGD(model.parameters(), lr=9.0)
    take_step = optimizer.step
    optimizer.step = lambda: (used.append(optimizer.lr), take_step())

    def schedule(step):
        asked.append(step)
        return 0.1 / (1 + step)

    history = fitted(model, optimizer=optimizer, schedule=schedule, batch_size=30)
    fitted(model, optimizer=optimizer, schedule=schedule, batch_size=30, epochs=1, history=history)
    assert asked == [0, 1, 2, 3, 4, 5]
    assert used == [0.1 / (1 + step) for step in asked]


# -- validation ----------------------------------------------------------------------------------


def test_loss_and_metric_are_those_of_the_model_after_the_epoch_on_all_validation_data():
    held_out = nn.data.moons(600, noise=0.3, labels=(-1, 1), seed=9)
    model = network()
    history = fitted(model, epochs=1, validation=held_out, metric=nn.metrics.accuracy)
    outputs = model(held_out.inputs)
    right = sum((o.data > 0) == (y > 0) for o, y in zip(outputs, held_out.targets, strict=True))
    assert history[-1].validation_loss == nn.HingeLoss()(outputs, held_out.targets).data
    assert history[-1].metric == right / 600


def test_the_metric_gets_plain_floats():
    seen = []

    def spread(outputs, targets):
        seen.extend(outputs)
        return max(outputs) - min(outputs)

    history = fitted(network(), epochs=1, validation=MOONS, metric=spread)
    assert {type(output) for output in seen} == {float}
    assert len(seen) == 60
    assert history[-1].metric == max(seen) - min(seen)
    assert history.metric_name == "spread"


def test_steps_run_in_training_mode_validation_in_inference_mode_and_both_are_undone():
    modes = []

    class Spy(nn.Module):
        def forward(self, x):
            modes.append((self.training, (x[0][0] * 1.0).requires_grad))
            return x

    frozen = nn.Sequential(nn.Linear(2, 1), Spy(), nn.Flatten(0, 1))
    frozen.eval()
    fitted(frozen, epochs=1, batch_size=60, validation=MOONS)
    assert modes == [(True, True), (False, False)]
    assert {module.training for module in frozen.modules()} == {False}


# -- interruptions -------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [StopError, KeyboardInterrupt])
def test_what_stops_a_step_comes_out_with_the_steps_before_it_done(error):
    reference = network()
    whole = fitted(reference, epochs=1, batch_size=30)  # two steps

    model = network().eval()
    history = nn.History()
    with pytest.raises(error):
        fitted(model, loss=StoppingLoss(3, error()), batch_size=30, history=history)
    assert history.step_losses == whole.step_losses
    assert [epoch.loss for epoch in history] == [epoch.loss for epoch in whole]
    assert weights(model) == weights(reference)
    assert not model.training
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("model", "data", "loss"),
    [
        (network(), ([[1.0, 2.0, 3.0]], [1]), nn.HingeLoss()),
        (network(), ([[1.0, 2.0]], [3]), nn.HingeLoss()),
        (network(), ([[math.nan, 2.0]], [1]), nn.HingeLoss()),
        (network(), ([[1.0, 2.0]], [1]), lambda outputs, targets: 1.0),
    ],
    ids=["sample of another size", "no label", "NaN", "loss that is no Value"],
)
def test_what_is_refused_in_a_step_leaves_the_gradients_as_they_were(model, data, loss):
    for position, parameter in enumerate(model.parameters()):
        parameter.grad = float(position + 1)
    with pytest.raises((TypeError, ValueError, FloatingPointError)):
        fitted(model, data, loss=loss)
    count = len(model.parameters())
    assert [parameter.grad for parameter in model.parameters()] == list(range(1, count + 1))


def test_training_goes_on_where_it_was_interrupted():
    model = network()
    history = nn.History()
    with pytest.raises(StopError):
        fitted(model, loss=StoppingLoss(6, StopError()), history=history)
    fitted(model, history=history, epochs=1)
    assert [epoch.number for epoch in history] == [1, 2]
    assert len(history.step_losses) == 4 + 1 + 4


@pytest.mark.skipif(os.name == "nt", reason="raises a POSIX signal in the process itself")
def test_ctrl_c_in_the_middle_of_an_optimiser_s_step_waits_for_its_end():
    class Interrupted(nn.optim.SGD):
        updates = 0

        @staticmethod
        def rule(*arguments):
            Interrupted.updates += 1
            if Interrupted.updates == 5:
                signal.raise_signal(signal.SIGINT)
            return nn.optim.SGD.rule(*arguments)

    reference, model = network(), network()
    whole = fitted(reference, epochs=1, batch_size=60)
    handler = signal.getsignal(signal.SIGINT)
    optimizer = Interrupted(model.parameters(), lr=0.1)
    history = nn.History()
    with pytest.raises(KeyboardInterrupt):
        fitted(model, optimizer=optimizer, epochs=1, batch_size=60, history=history)
    assert weights(model) == weights(reference)
    assert history.step_losses == whole.step_losses
    assert len(history) == 0  # the epoch did not end
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_handler_that_is_set_during_the_training_stays():
    before = signal.getsignal(signal.SIGINT)

    def other(number, frame):
        pass

    try:
        fitted(network(), step_callbacks=[lambda state: signal.signal(signal.SIGINT, other)])
        assert signal.getsignal(signal.SIGINT) is other
    finally:
        signal.signal(signal.SIGINT, before)


def test_fit_runs_in_another_thread():
    lengths = []
    thread = threading.Thread(target=lambda: lengths.append(len(fitted(network()))))
    thread.start()
    thread.join()
    assert lengths == [2]


@pytest.mark.parametrize(("lost", "name"), [(math.nan, "NaN"), (math.inf, "inf")])
def test_a_loss_that_becomes_nan_or_infinite_ends_the_training_at_that_step(lost, name):
    model = network()
    history = nn.History()
    with pytest.raises(FloatingPointError) as caught:
        fitted(
            model,
            loss=lambda outputs, targets: outputs[0] * 0.0 + (lost if len(history) else 1.0),
            batch_size=60,
            history=history,
        )
    assert str(caught.value) == (
        f"the loss became {name}: the steps are too large (try a smaller learning rate), or the"
        " loss has no finite value here"
    )
    assert len(history.step_losses) == 1
    assert all(map(math.isfinite, weights(model)))


def test_an_infinite_validation_loss_is_refused_as_well():
    def loss(outputs, targets):
        return (
            outputs[0] if isinstance(outputs[0], Value) and outputs[0].requires_grad else math.inf
        )

    with pytest.raises(FloatingPointError, match=r"^the validation loss became inf: the steps are"):
        fitted(network(), loss=loss, validation=MOONS)


def test_far_too_large_steps_end_before_a_weight_is_lost():
    model = nn.MLP(2, [8, 1], seed=0)
    data = (MOONS.inputs, [float(y) for y in MOONS.targets])
    optimizer = nn.optim.SGD(model.parameters(), lr=1e6)
    with pytest.raises(FloatingPointError, match=r"^the loss became inf"):
        fitted(model, data, loss=nn.MSELoss(), optimizer=optimizer, epochs=50)
    assert all(map(math.isfinite, weights(model)))


# -- history and progress ------------------------------------------------------------------------


def test_a_history_prints_as_a_table_of_what_was_asked_for():
    history = nn.History()
    history.steps += [nn.history.Step(1.0, 0.1, None)] * 6
    history.epochs += [nn.history.Epoch(1, 0.75, None, None, 0.1, 0.01, None)]
    assert repr(history) == "History: 1 epochs, 6 steps\nepoch    loss\n    1  0.7500"
    history.metric_name = "accuracy"
    history.epochs += [nn.history.Epoch(2, 0.5, 0.6, 0.912345, 0.1, 0.01, None)]
    assert repr(history).splitlines()[1:] == [
        "epoch    loss  validation loss  accuracy",
        "    1  0.7500                           ",
        "    2  0.5000           0.6000    0.9123",
    ]


def test_a_long_history_shows_its_first_and_last_epochs():
    history = nn.History()
    history.epochs += [
        nn.history.Epoch(i, 1 / i, None, None, 0.1, 0.01, None) for i in range(1, 101)
    ]
    numbers = [line.split()[0] for line in repr(history).splitlines()[2:]]
    assert numbers == ["1", "2", "3", "4", "5", "...", "96", "97", "98", "99", "100"]


def test_without_a_terminal_nothing_is_shown_unless_asked_for(capsys):
    fitted(network())
    assert capsys.readouterr() == ("", "")
    fitted(network(), progress=True, validation=MOONS, metric=nn.metrics.accuracy)
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith("epoch 1/2  loss 0.")
    assert "  validation loss 0." in second
    assert "  accuracy 0." in second


@pytest.mark.parametrize(("progress", "seen"), [(None, True), (True, True), (False, False)])
def test_in_a_terminal_one_line_is_kept_up_to_date(monkeypatch, progress, seen):
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("nn.progress.REFRESH", 0.0)
    fitted(network(), progress=progress, validation=MOONS, metric=nn.metrics.accuracy)
    text = sys.stderr.getvalue()
    pictures = re.findall(r"epoch (\d)/2", text)
    assert pictures == sorted(pictures)
    if seen:  # one picture for each of four steps, one for the epoch's results
        assert min(pictures.count("1"), pictures.count("2")) >= 5
    else:
        assert text == ""
    assert text.count("\n") == (1 if seen else 0)
    assert ("accuracy" in text) is seen


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 61, "drop_last": True}, ValueError, "at most the 60 samples, got 61"),
        ({"epochs": 0}, ValueError, "epochs expected at least 1, got 0"),
        ({"epochs": 1.5}, TypeError, "epochs expected a whole number, got float: 1.5"),
        ({"batch_size": 0}, ValueError, "batch size expected at least 1, got 0"),
        ({"data": ([], [])}, ValueError, "data expected at least one sample, got none"),
        ({"data": MOONS.inputs}, TypeError, "fit expected data as a pair (inputs, targets)"),
        (
            {"data": (MOONS.inputs, MOONS.targets[1:])},
            ValueError,
            "data expected one target per sample, got 60 samples and 59 targets",
        ),
        ({"loss": nn.HingeLoss}, TypeError, "such as nn.MSELoss(), got HingeLoss"),
        ({"optimizer": nn.optim.SGD}, TypeError, "such as nn.optim.Adam(model.parameters()), got"),
        ({"metric": nn.metrics.accuracy}, ValueError, "got no validation="),
        ({"validation": MOONS, "metric": 3}, TypeError, "metric expected a function of outputs"),
        ({"validation": ([[1.0]], [1])}, ValueError, "to train on, (2,), got (1,)"),
        ({"validation": ([], [])}, ValueError, "validation: data expected at least one sample"),
        (
            {"data": ([[1.0, 2.0], [3.0, math.nan]], [1, -1])},
            ValueError,
            "inputs expected finite numbers, got nan in row 1, column 1 (counted from 0)",
        ),
        (
            {"validation": ([[math.inf, 2.0]], [1])},
            ValueError,
            "validation: inputs expected finite numbers, got inf in row 0, column 0",
        ),
        ({"schedule": nn.schedules.constant}, TypeError, "schedule, asked for step 0: SGD expect"),
        (
            {"schedule": 0.1},
            TypeError,
            "schedule expected a function of the number of the step, or a scheduler",
        ),
        ({"progress": "yes"}, TypeError, "progress expected True, False or None, got str: 'yes'"),
        ({"history": []}, TypeError, "history expected a History to go on with, got list: []"),
        ({"seed": 0.5}, TypeError, "seed expected"),
        (
            {"optimizer": nn.optim.SGD([Value(1.0)], lr=0.1)},
            ValueError,
            "fit expected an optimiser of the model's parameters, got one of others",
        ),
        (
            {"loss": lambda outputs, targets: outputs},
            TypeError,
            "fit expected the loss to be one Value, got list",
        ),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_has_changed(options, error, message):
    model = network()
    before = weights(model)
    with pytest.raises(error) as caught:
        fitted(model, **options)
    assert message in str(caught.value)
    assert weights(model) == before
    assert {parameter.grad for parameter in model.parameters()} == {0.0}


def test_a_label_that_a_step_refuses_is_found_in_the_data():
    labels = [i % 2 for i in range(100)]
    labels[77], labels[78] = 7, -1
    data = ([[float(i), 1.0] for i in range(100)], labels)
    for seed in range(5):
        model = nn.MLP(2, [2], seed=0)
        with pytest.raises(ValueError, match=r"labels from 0 to 1, got (7|-1) at pos") as caught:
            fitted(model, data, loss=nn.CrossEntropyLoss(), batch_size=10, seed=seed)
        (note,) = caught.value.__notes__
        number = re.search(r"got (\S+) at", str(caught.value))[1]
        assert f"{77 if number == '7' else 78} (target {number})" in note
        assert note.startswith("In the data, counted from 0, the loss refuses row 7")
        assert {"77", "78"}.issuperset(re.findall(r"(\d+) \(target", note))


@pytest.mark.parametrize("where", ["data", "validation data"])
@pytest.mark.parametrize(("wrong", "error"), [(2, ValueError), (0.5, TypeError)])
def test_an_unknown_label_is_refused_before_the_first_step(where, wrong, error):
    inputs, labels = [[float(i), 1.0] for i in range(40)], [i % 2 for i in range(40)]
    broken = (inputs, [*labels[:39], wrong])
    data, validation = (broken, None) if where == "data" else ((inputs, labels), broken)
    for seed in range(5):
        model = nn.MLP(2, [2], seed=0)
        before = weights(model)
        with pytest.raises(error, match="CrossEntropyLoss expected") as caught:
            fitted(
                model,
                data,
                validation=validation,
                loss=nn.CrossEntropyLoss(),
                batch_size=8,
                seed=seed,
            )
        assert caught.value.__notes__ == [
            f"In the {where}, counted from 0, the loss refuses row 39 (target {wrong})."
        ]
        assert weights(model) == before
        assert {parameter.grad for parameter in model.parameters()} == {0.0}


def test_of_validation_data_that_have_no_known_label_the_first_few_are_named():
    inputs = [[float(i), 1.0] for i in range(9)]
    with pytest.raises(ValueError, match="HingeLoss expected labels -1 or 1, got 0 at") as caught:
        fitted(network(), (inputs, [1] * 9), validation=(inputs, [0] * 9), loss=nn.HingeLoss())
    (note,) = caught.value.__notes__
    assert note.startswith("In the validation data, counted from 0, the loss refuses row 0 (target")
    assert note.endswith(" and 4 more.")


def test_what_a_loss_of_ones_own_takes_is_left_to_it():
    class Pairs(nn.CrossEntropyLoss):
        def forward(self, prediction, target):
            if len(target) < 2:
                raise ValueError("a pair is wanted")
            return super().forward(prediction, [abs(label) for label in target])

    data = ([[float(i), 1.0] for i in range(4)], [-1, 0, 1, 0])
    model = nn.MLP(2, [2], seed=0)
    assert len(fitted(model, data, validation=data, loss=Pairs(), batch_size=2)) == 2


def test_labels_that_are_ignored_are_not_among_those_refused():
    labels = [0, -100, 1, 5, 1, -100]
    data = ([[float(i), 1.0] for i in range(6)], labels)
    with pytest.raises(ValueError, match="labels from 0 to 1, got 5") as caught:
        fitted(nn.MLP(2, [2], seed=0), data, loss=nn.CrossEntropyLoss(), batch_size=6)
    assert caught.value.__notes__ == [
        "In the data, counted from 0, the loss refuses row 3 (target 5)."
    ]
    sorted_labels = ([[float(i), 1.0] for i in range(6)], [-100, -100, -100, 0, 1, 1])
    model = nn.MLP(2, [2], seed=0)
    assert len(fitted(model, sorted_labels, loss=nn.CrossEntropyLoss(), batch_size=6)) == 2


def test_samples_that_the_model_refuses_are_found_by_their_batch():
    class Picky(nn.Linear):
        def forward(self, x):
            for position, sample in enumerate(x):
                if sample[0] == 3.0:
                    raise ValueError(f"got 3.0 at position {position}")
            return super().forward(x)

    data = ([[float(i)] for i in range(6)], [[1.0]] * 6)
    with pytest.raises(ValueError, match=r"got 3\.0 at position") as caught:
        fitted(Picky(1, 1), data, loss=nn.MSELoss(), batch_size=3)
    (note,) = caught.value.__notes__
    start, rows, end = re.split(r"rows | of", note)
    assert (start, end) == ("Positions are those in this batch: ", " the data, counted from 0.")
    position = int(str(caught.value)[-1])
    assert len(rows.split(", ")) == 3
    assert rows.split(", ")[position] == "3"


def test_a_row_that_was_drawn_twice_is_named_once():
    data = ([[0.0, 1.0]] * 3, [1, 3, -1])
    seed = next(n for n in range(99) if random.Random(n).choices(range(3), k=3) == [1, 0, 1])
    with pytest.raises(ValueError, match="HingeLoss expected labels") as caught:
        fitted(network(), data, replacement=True, batch_size=3, seed=seed)
    assert caught.value.__notes__ == [
        "In the data, counted from 0, the loss refuses row 1 (target 3)."
    ]


def test_the_error_of_a_batch_is_not_replaced_by_another_of_single_samples():
    def loss(outputs, targets):
        raise ValueError("three") if len(targets) == 3 else KeyError("one")

    with pytest.raises(ValueError, match=r"^three\n") as caught:
        fitted(network(), ([[0.0, 1.0]] * 3, [1, 1, 1]), loss=loss)
    assert caught.value.__notes__[0].startswith("Positions are those in this batch: rows ")


def test_a_loss_that_refuses_every_sample_names_no_single_one():
    with pytest.raises(ValueError) as caught:
        fitted(network(), (MOONS.inputs, [7] * 60), batch_size=60)
    assert caught.value.__notes__[0].startswith("Positions are those in this batch: rows ")


@pytest.mark.parametrize(
    ("samples", "batch_size", "how", "hint"),
    [
        (33, 32, "33 samples with batch_size=32, which leaves a last batch", "drop_last=True or "),
        (5, 2, "5 samples with batch_size=2, which leaves a last batch", "drop_last=True or "),
        (4, 1, "4 samples with batch_size=1, which leaves batches", ""),
        (1, 8, "1 samples with batch_size=8, which leaves a last batch", ""),
    ],
)
def test_a_batch_of_one_for_batch_normalisation_is_refused_before_the_first_step(
    samples, batch_size, how, hint
):
    data = ([[float(i), 1.0] for i in range(samples)], [1] * samples)
    model = normalising()
    with pytest.raises(ValueError) as caught:
        fitted(model, data, batch_size=batch_size)
    assert str(caught.value) == (
        "fit expected batches of at least 2 samples, over which the BatchNorm1d '0' normalises, got"
        f" {how} of one: choose {hint}another batch_size"
    )
    assert weights(model) == weights(normalising())
    fitted(network(), data, batch_size=batch_size)  # others train on single samples


@pytest.mark.parametrize(("samples", "batch_size", "steps"), [(33, 32, 1), (34, 32, 2), (4, 2, 2)])
def test_batch_normalisation_trains_on_batches_of_two_or_more(samples, batch_size, steps):
    data = ([[float(i), 1.0] for i in range(samples)], [1] * samples)
    options = {"batch_size": batch_size, "epochs": 1, "drop_last": samples == 33}
    assert len(fitted(normalising(), data, **options).steps) == steps


def test_batch_normalisation_that_stays_in_inference_mode_trains_on_single_samples():
    class Frozen(nn.Sequential):
        def train(self, mode=True):
            super().train(mode)
            self[0].eval()
            return self

    model = Frozen(*normalising())
    model[0].load_state_dict({**model[0].state_dict(), "running_mean": [1.0, 0.0]})
    assert len(fitted(model, batch_size=1, epochs=1).steps) == 60


def normalising():
    return nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1, seed=0), nn.Flatten(0, 1))


def test_an_epoch_without_its_last_batch_is_one_of_the_samples_before():
    history = fitted(network(), epochs=2, drop_last=True)  # 60 samples, 16 a batch
    assert len(history.steps) == 6
    assert history[0].loss == sum(history.step_losses[:3]) * 16 / 48
    whole = fitted(network(), epochs=1)
    assert history.step_losses[:3] == whole.step_losses[:3]
    stopped = fitted(network(), drop_last=True, step_callbacks=[stop_at_3])
    assert len(stopped) == 1  # the third step is the last: the epoch is whole


def stop_at_3(state):
    if state.step == 3:
        state.stop()


def test_what_is_no_module_is_not_trained():
    optimizer = nn.optim.SGD([Value(1.0)], lr=0.1)
    with pytest.raises(TypeError, match=r"^fit expected a Module to train, got function"):
        nn.fit(lambda x: x, MOONS, loss=nn.HingeLoss(), optimizer=optimizer, epochs=1)


# -- metrics -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "targets", "options", "share"),
    [
        ([[1.0, 3.0, 2.0], [5.0, 5.0, 0.0]], [1, 1], {}, 0.5),
        ([0.5, -0.5, -2.0, 0.0], [1, -1, 1, 1], {}, 0.75),
        ([0.5, -0.5, -2.0, 3.0], [1, 0, 1, 1], {}, 0.75),
        ([0, 7, 3], [0, 7, 4], {"rule": "value"}, 2 / 3),
    ],
)
def test_accuracy_is_the_share_of_right_predictions(outputs, targets, options, share):
    assert nn.metrics.accuracy(outputs, targets, **options) == share


def test_accuracy_refuses_what_would_count_wrongly():
    with pytest.raises(ValueError, match="lists of 1; flatten them"):
        nn.metrics.accuracy([[0.3], [-0.2]], [1, -1])
    with pytest.raises(ValueError, match="got 1 predictions and 2 targets"):
        nn.metrics.accuracy([0.3], [1, -1])
    with pytest.raises(ValueError, match="at least one, got 0 predictions and 0 targets"):
        nn.metrics.accuracy([], [])


@pytest.mark.parametrize(
    ("metric", "predictions", "targets", "message"),
    [
        (
            nn.metrics.accuracy,
            [1.0, [2.0, 3.0]],
            [1, 1],
            "accuracy expected samples of one size, got shape () at position 0 and (2,) at"
            " position 1",
        ),
        (
            nn.metrics.accuracy,
            [0.3],
            ["a"],
            "accuracy expected numbers as targets, got str at position 0: 'a'",
        ),
        (
            nn.metrics.accuracy,
            [[0.3, 0.1]] * 2,
            [0, "0"],
            "accuracy expected numbers as targets, got str at position 1: '0'",
        ),
        (
            nn.metrics.confusion_matrix,
            [1],
            [[1]],
            "confusion_matrix expected labels as targets, got list at position 0: [1]",
        ),
    ],
)
def test_metrics_refuse_what_cannot_be_compared(metric, predictions, targets, message):
    with pytest.raises((TypeError, ValueError)) as refusal:
        metric(predictions, targets)
    assert str(refusal.value) == message


def test_metrics_are_of_lists():
    with pytest.raises(TypeError) as refusal:
        nn.metrics.accuracy(Value(1.0), 1)
    assert str(refusal.value) == (
        "accuracy expected a list or array of predictions, got Value: Value(data=1.0, grad=0.0)"
    )
    with pytest.raises(
        TypeError, match="confusion_matrix expected a list or array of targets, got"
    ):
        nn.metrics.confusion_matrix([1], 1)


def test_a_confusion_matrix_has_the_right_labels_in_rows_and_predictions_in_columns():
    predictions, targets = [0, 0, 0, 2], [0, 1, 1, 2]
    assert nn.metrics.confusion_matrix(predictions, targets) == [[1, 0, 0], [2, 0, 0], [0, 0, 1]]
    assert nn.metrics.confusion_matrix([1], [-1], labels=(-1, 0, 1)) == [
        [0, 0, 1],
        [0, 0, 0],
        [0, 0, 0],
    ]
    with pytest.raises(ValueError, match=r"expected labels out of \[0, 1\], got 2"):
        nn.metrics.confusion_matrix([2], [0], labels=[0, 1])


def test_confusion_agrees_with_scikit_learn():
    theirs = pytest.importorskip("sklearn.metrics")
    source = random.Random(0)
    predictions, targets = ([source.randrange(4) for _ in range(200)] for _ in range(2))
    wanted = theirs.confusion_matrix(targets, predictions).tolist()
    assert nn.metrics.confusion_matrix(predictions, targets) == wanted
