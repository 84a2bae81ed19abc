"""A training that goes on from a checkpoint is the one that was never interrupted, bit for bit."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import nn

REPOSITORY = Path(__file__).parents[2]
MOONS = nn.data.moons(40, noise=0.3, seed=0)
HELD_OUT = nn.data.moons(20, noise=0.3, seed=1)

TRAINING = """
import json, random, sys
import nn

epochs, checkpoint, resume, seed, patience = json.loads(sys.argv[1])
random.seed(resume is None)  # what Python's own generator is at does not matter to a resumed run
model = nn.Sequential(
    nn.Linear(2, 6, seed=0),
    nn.BatchNorm1d(6),
    nn.Tanh(),
    nn.Dropout(0.2, seed=1),
    nn.Dropout(0.1),
    nn.Linear(6, 2, seed=2),
)
optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
stopping = nn.EarlyStopping(patience=patience)
history = nn.fit(
    model,
    nn.data.moons(40, noise=0.3, seed=0),
    loss=nn.CrossEntropyLoss(),
    optimizer=optimizer,
    epochs=epochs,
    batch_size=16,
    seed=seed,
    schedule=nn.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5),
    clip_grad_norm=0.5,
    validation=nn.data.moons(20, noise=0.3, seed=1),
    metric=nn.metrics.accuracy,
    callbacks=[stopping],
    checkpoint=checkpoint,
    resume=resume,
)
print(json.dumps({
    "model": model.state_dict(),
    "optimizer": optimizer.state_dict(),
    "epochs": [epoch._replace(seconds=0.0) for epoch in history],
    "steps": history.steps,
    "stopping": stopping.state_dict(),
    "next": [random.random(), model[3].generator.random()],
}))
"""


def trained(epochs, checkpoint=None, resume=None, *, seed=3, patience=50):
    """Train in a new process; return all that is left at its end."""
    arguments = [epochs, *(str(p) if p else None for p in (checkpoint, resume)), seed, patience]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", TRAINING, json.dumps(arguments)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        timeout=120,
        text=True,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def network(seed=0):
    return nn.MLP(2, [4, 2], seed=seed)


def fitted(model, epochs=2, data=MOONS, **options):
    options = {
        "loss": nn.CrossEntropyLoss(),
        "optimizer": nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        "batch_size": 10,
        "seed": 0,
        **options,
    }
    return nn.fit(model, data, epochs=epochs, **options)


@pytest.mark.parametrize("seed", [3, None])
def test_ten_epochs_are_four_a_new_process_and_six_more(tmp_path, seed):
    whole = trained(10, seed=seed)
    trained(4, checkpoint=tmp_path / "four", seed=seed)
    resumed = trained(10, resume=tmp_path / "four", seed=seed)
    assert resumed == whole
    assert len(resumed["epochs"]) == 10
    assert len({lr for _, lr, _ in resumed["steps"]}) > 1  # the scheduler did something
    assert resumed["stopping"]["best_epoch"] < 10  # and so did early stopping


def test_a_training_that_was_stopped_early_is_over_also_when_it_is_resumed(tmp_path):
    whole = trained(40, patience=3)
    ended_at = len(whole["epochs"])
    assert ended_at == whole["stopping"]["best_epoch"] + 3 < 40
    trained(ended_at - 2, checkpoint=tmp_path / "part", patience=3)
    assert trained(40, tmp_path / "end", tmp_path / "part", patience=3) == whole
    assert trained(40, resume=tmp_path / "end", patience=3) == whole


def test_a_script_that_is_killed_and_started_again_ends_where_it_would_have(tmp_path):
    class Killed(BaseException):
        pass

    def kill(state):
        if state.step == 11:  # in the third epoch
            raise Killed

    def script(*step_callbacks):
        model = network()
        history = fitted(
            model,
            5,
            checkpoint=path,
            resume=path if path.exists() else None,
            step_callbacks=step_callbacks,
        )
        return model.state_dict(), history.steps

    path = tmp_path / "run"
    with pytest.raises(Killed):
        script(kill)
    resumed = script()
    path.unlink()
    assert resumed == script()
    assert script() == resumed  # all done: nothing is added


@pytest.mark.parametrize(("every", "epochs", "saved"), [(1, 3, [1, 2, 3]), (2, 5, [2, 4, 5])])
def test_checkpoints_are_written_every_so_many_epochs_and_after_the_last(
    tmp_path, monkeypatch, every, epochs, saved
):
    written = []
    save = nn.save

    def spy(path, model, optimizer, **extra):
        written.append(len(extra["training"]["history"]["epochs"]))
        save(path, model, optimizer, **extra)

    monkeypatch.setattr("nn.resuming.save", spy)
    fitted(network(), epochs, checkpoint=tmp_path / "run", checkpoint_every=every)
    assert written == saved


def test_an_end_by_a_callback_is_saved_too(tmp_path):
    def stop(state):
        if state.epoch == 3:
            state.stop()

    path = tmp_path / "run"
    fitted(network(), 9, checkpoint=path, checkpoint_every=2, callbacks=[stop])
    assert len(fitted(network(), 9, resume=path)) == 3


def test_the_model_in_a_checkpoint_is_that_of_the_last_epoch_and_nn_load_reads_it(tmp_path):
    model, other = network(), network(seed=1)
    fitted(model, checkpoint=tmp_path / "run")
    nn.load(tmp_path / "run", other)
    assert other.state_dict() == model.state_dict()


@pytest.mark.parametrize("patience", [3, 100])  # stopped early, and over after the last epoch
def test_after_the_end_nn_load_gives_the_best_model_and_resuming_goes_on_from_the_last(
    tmp_path, patience
):
    def run(epochs, **options):
        model, stopping = network(), nn.EarlyStopping(patience)
        optimizer = nn.optim.SGD(model.parameters(), lr=2.0, momentum=0.9)  # a restless one
        last = []
        history = fitted(
            model,
            epochs,
            optimizer=optimizer,
            validation=HELD_OUT,
            callbacks=[stopping, lambda state: last.append(state.model.state_dict())],
            **options,
        )
        left = model.state_dict(), stopping.state_dict(), optimizer.state_dict(), history.steps
        return left, last

    path = tmp_path / "run"
    left, last = run(12, checkpoint=path)
    assert left[0] == left[1]["best_state"] != last[-1]
    assert (len(last) < 12) == (patience == 3)
    other = network(seed=1)
    nn.load(path, other)
    assert other.state_dict() == left[0]
    whole, epochs = run(15)
    for _ in range(2):  # from a file that was written twice, and from one of a resumed training
        resumed, more = run(15, resume=path, checkpoint=path)
        assert resumed == whole
        assert last + more == epochs
        last += more


def test_a_checkpoint_of_a_stop_within_an_epoch_is_that_of_the_epoch_before(tmp_path):
    def stop(state):
        if state.step == 10:  # in the third epoch, of four steps
            state.stop()

    path = tmp_path / "run"
    options = {"validation": HELD_OUT, "callbacks": [nn.EarlyStopping(9)]}
    fitted(network(), 5, checkpoint=path, step_callbacks=[stop], **options)
    assert fitted(network(), 5, resume=path, **options).steps == (
        fitted(network(), 5, **options).steps
    )


def test_a_training_that_was_over_shows_nothing(tmp_path, capsys):
    def stop(state):
        state.stop()

    for options in ({}, {"callbacks": [stop]}):
        path = tmp_path / "run"
        done = fitted(network(), 2, checkpoint=path, **options)
        again = fitted(network(), 2, resume=path, progress=True, **options)
        assert again.epochs == done.epochs
    assert capsys.readouterr() == ("", "")


def test_a_training_is_resumed_into_a_history_that_is_given(tmp_path):
    fitted(network(), checkpoint=tmp_path / "run")
    history = nn.History()
    assert fitted(network(), 3, resume=tmp_path / "run", history=history) is history
    assert [epoch.number for epoch in history] == [1, 2, 3]


def test_one_generator_for_all_stays_one(tmp_path):
    def run(epochs, **options):
        source = random.Random(5)
        model = nn.Sequential(
            nn.Linear(2, 4, seed=source), nn.Dropout(0.5, seed=source), nn.Linear(4, 2, seed=source)
        )
        history = fitted(model, epochs, seed=source, **options)
        return history.steps, source.random()

    whole = run(4)
    run(2, checkpoint=tmp_path / "run")
    assert run(4, resume=tmp_path / "run") == whole


def test_a_callback_of_one_s_own_remembers_through_a_checkpoint(tmp_path):
    class Count:
        total = 0

        def __call__(self, state):
            self.total += state.step

        def state_dict(self):
            return {"total": self.total}

        def load_state_dict(self, state):
            self.total = state["total"]

    fitted(network(), 2, checkpoint=tmp_path / "run", callbacks=[Count(), Count()])
    first, second = Count(), Count()
    second.total = 100  # is forgotten
    looking_on = [first, lambda state: None, second]  # what remembers nothing may join
    fitted(network(), 3, resume=tmp_path / "run", callbacks=looking_on)
    assert first.total == second.total == 4 + 8 + 12


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"epochs": 1},
            ValueError,
            "fit expected epochs of at least 2, those that '.*' has behind",
        ),
        ({"seed": None}, nn.CheckpointError, "of this one none$"),
        ({"callbacks": []}, nn.CheckpointError, "are EarlyStopping, those of this one none$"),
        (
            {"batch_size": 20, "clip_grad_norm": 1.0},
            nn.CheckpointError,
            "training: its batch_size is 10, that of this one 20; its clip_grad_norm is None, that"
            " of this one 1.0$",
        ),
        ({"clip_grad_value": 2}, nn.CheckpointError, "its clip_grad_value is None, that of this"),
        ({"replacement": True}, nn.CheckpointError, "replacement is False, that of this one True$"),
        ({"drop_last": True}, nn.CheckpointError, "drop_last is False, that of this one True$"),
        (
            {"data": nn.data.moons(41, seed=0)},
            nn.CheckpointError,
            "its number of samples is 40, that of this one 41$",
        ),
        ({"batch_size": 0}, ValueError, "batch size expected at least 1"),
        ({"validation": None}, ValueError, "EarlyStopping expected validation data"),
    ],
)
def test_what_does_not_fit_the_checkpoint_is_said_and_nothing_has_changed(
    tmp_path, options, error, message
):
    stopping = nn.EarlyStopping(9)
    common = {"validation": HELD_OUT, "callbacks": [stopping]}
    fitted(network(), 2, checkpoint=tmp_path / "run", **common)
    model, history = network(seed=1), nn.History()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5, momentum=0.5)
    random.seed(8)

    def everything():
        return model.state_dict(), optimizer.state_dict(), history.steps, random.getstate()

    before = everything()
    with pytest.raises(error, match=message):
        fitted(
            model,
            **{
                "epochs": 4,
                "optimizer": optimizer,
                "resume": tmp_path / "run",
                "history": history,
                **common,
                **options,
            },
        )
    assert everything() == before
    assert len(history) == 0


def test_a_model_that_was_saved_by_itself_is_no_training(tmp_path):
    path = tmp_path / "model"
    other = network()
    nn.save(path, other, nn.optim.SGD(other.parameters(), lr=0.7, momentum=0.9))
    model = network(seed=1)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    before = model.state_dict()
    with pytest.raises(nn.CheckpointError, match=r"to hold a training, which fit writes with"):
        fitted(model, optimizer=optimizer, resume=path)
    assert model.state_dict() == before
    assert optimizer.lr == 0.1


def test_a_missing_file_a_missing_folder_and_another_model_are_said(tmp_path):
    with pytest.raises(FileNotFoundError):
        fitted(network(), resume=tmp_path / "none")
    model = network()
    before = model.state_dict()
    with pytest.raises(FileNotFoundError, match=r"checkpoint expected an existing folder, got '"):
        fitted(model, checkpoint=tmp_path / "none" / "run")
    assert model.state_dict() == before
    fitted(network(), checkpoint=tmp_path / "run")
    with pytest.raises(nn.CheckpointError, match="holds another model"):
        fitted(nn.MLP(2, [5, 2]), resume=tmp_path / "run")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"checkpoint": 3}, TypeError, "checkpoint expected a path, got int: 3"),
        ({"resume": True}, TypeError, "resume expected a path, got bool: True"),
        ({"checkpoint_every": 0}, ValueError, "checkpoint_every expected at least 1, got 0"),
        (
            {"checkpoint": "run", "seed": random.SystemRandom()},
            TypeError,
            "checkpoint expected random numbers that can be repeated, got SystemRandom for the"
            " order of the samples",
        ),
    ],
)
def test_a_wrong_argument_is_named(options, error, message):
    with pytest.raises(error) as caught:
        fitted(network(), **options)
    assert str(caught.value) == message


def test_a_history_with_steps_is_not_overwritten(tmp_path):
    history = fitted(network(), checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match=r"an empty history with resume=, got one of 8 steps$"):
        fitted(network(), 4, resume=tmp_path / "run", history=history)
    assert len(history.steps) == 8


@pytest.mark.parametrize("state", [{}, {"metric_name": "x", "epochs": [[1]], "steps": []}, None])
def test_a_history_takes_only_its_own_state(state):
    history = fitted(network())
    with pytest.raises(ValueError, match=r"^History\.load_state_dict expected what state_dict\(\)"):
        history.load_state_dict(state)
    assert len(history.steps) == 8


def test_a_history_comes_back_from_its_state():
    history, other = fitted(network(), clip_grad_norm=1.0), nn.History()
    other.load_state_dict(json.loads(json.dumps(history.state_dict())))
    assert (other.epochs, other.steps) == (history.epochs, history.steps)
    assert repr(other) == repr(history)
