"""nn.save and nn.load: exact, whole or not at all, and nothing but what was saved."""

import errno
import hashlib
import json
import math
import os
import pickle
import random
import signal
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_lite import Value, saving


class Net(nn.Module):
    def __init__(self, seed=0):
        super().__init__()
        self.fc = nn.Linear(2, 2, seed=seed)
        self.mlp = nn.MLP(2, [2, 1], activation="tanh", seed=seed)
        self.register_buffer("running_mean", [0.0, 0.0])
        self.register_buffer("num_batches_tracked", 0)

    def forward(self, x):
        return self.mlp(self.fc(x))


def trained(seed, optimizer=nn.optim.Adam):
    """Return a model and its optimiser after three steps."""
    model = Net(seed)
    optimizer = optimizer(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        model([[0.5, -1.0], [2.0, 0.25]])[0].backward()
        optimizer.step()
    model.running_mean = [0.1 + 0.2, -0.0]
    model.num_batches_tracked = 3
    return model, optimizer


def bits(*parts):
    """Return states as text that tells -0.0 from 0.0 and equals itself with NaN."""
    return repr([part.state_dict() for part in parts])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.checkpoint"


@pytest.fixture
def saved(path):
    """Return the path of a file with a model, an optimiser and extra."""
    nn.save(path, *trained(0), epoch=3)
    return path


def refused(path, *parts):
    """Return how loading is refused, once it is certain that nothing has changed."""
    parts = parts or trained(1)
    before = bits(*parts)
    with pytest.raises(nn.CheckpointError) as refusal:
        nn.load(path, *parts)
    assert bits(*parts) == before
    message = str(refusal.value)
    assert message.startswith(repr(str(path)))
    return message.removeprefix(repr(str(path))).strip()


def with_checksum(version, body):
    first = b"autograd-lite checkpoint, format %d" % version
    digest = hashlib.sha256(first + b"\n" + body).hexdigest().encode()
    return first + b", sha256 " + digest + b"\n" + body


# -- what comes back -----------------------------------------------------------------------------


def test_model_optimizer_and_extra_come_back_exactly(path):
    model, optimizer = trained(0)
    nn.save(path, model, optimizer, epoch=3)
    other, other_optimizer = trained(1)
    assert nn.load(path, other, other_optimizer) == {"epoch": 3}
    assert bits(other, other_optimizer) == bits(model, optimizer)


@pytest.mark.parametrize("kind", [nn.optim.SGD, nn.optim.Adam, nn.optim.RMSprop])
def test_training_goes_on_from_a_checkpoint_to_the_same_bits(path, kind):
    def steps(model, optimizer):
        for _ in range(5):
            optimizer.zero_grad()
            model([[1.0, 2.0], [-1.0, 0.5]])[1].backward()
            optimizer.step()
        return bits(model, optimizer)

    model, optimizer = trained(0, kind)
    nn.save(path, model, optimizer)
    fresh = Net(5)
    fresh_optimizer = kind(fresh.parameters(), lr=0.7)
    nn.load(path, fresh, fresh_optimizer)
    assert steps(fresh, fresh_optimizer) == steps(model, optimizer)


def test_every_float_comes_back_to_the_bit(path):
    rng = random.Random(0)
    floats = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]
    floats += [math.ldexp(rng.random(), rng.randrange(-1080, 1024)) for _ in range(2000)]
    model, other = nn.Linear(len(floats), 1), nn.Linear(len(floats), 1)
    for parameter, number in zip(model.parameters(), floats, strict=False):
        parameter.data = number
    nn.save(path, model, floats=floats)
    extra = nn.load(path, other)
    assert bits(other) == bits(model)
    assert list(map(float.hex, extra["floats"])) == list(map(float.hex, floats))


def test_extra_comes_back_equal_and_of_the_same_type(path):
    extra = {
        "text": 'ä "quoted" \ud800 \x00',
        "flags": [True, False, None],
        "whole": [0, -1, 2**200, 10**4000],
        "nested": {"a": [(), ((1,), [2.5]), {}], "tuple": (1,), "dict": {"dict": 1}},
        "keys": {1: "a", None: {True: "b"}, (2.5, "c"): {}, "1": "d"},
        "empty": [],
        "score": np.float64(0.25),
    }
    nn.save(path, nn.Linear(1, 1), **extra)
    loaded = nn.load(path, nn.Linear(1, 1))
    assert repr(loaded) == repr({**extra, "score": 0.25})


def test_the_state_of_a_generator_goes_on_where_it_was(path):
    rng = random.Random(7)
    rng.gauss(0.0, 1.0)  # keeps a second number for the next call
    nn.save(path, nn.Linear(1, 1), rng=rng.getstate())
    other = random.Random()
    other.setstate(nn.load(path, nn.Linear(1, 1))["rng"])
    assert [other.gauss(0.0, 1.0) for _ in range(9)] == [rng.gauss(0.0, 1.0) for _ in range(9)]


def test_an_optimizer_in_the_file_may_be_passed_over(saved):
    model = Net(1)
    assert nn.load(saved, model) == {"epoch": 3}
    assert bits(model) == bits(trained(0)[0])


def test_the_same_states_give_the_same_file(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    nn.save(first, *trained(0), epoch=3)
    nn.save(second, *trained(0), epoch=3)
    assert first.read_bytes() == second.read_bytes()


def test_the_file_is_text_whose_checksum_anybody_can_compute(saved):
    first, _, body = saved.read_bytes().partition(b"\n")
    assert first.startswith(b"autograd-lite checkpoint, format 1, sha256 ")
    assert first + b"\n" + body == with_checksum(1, body)
    content = json.loads(body)
    assert content["model"] == trained(0)[0].state_dict()
    assert content["modules"]["mlp.layers.0"] == "Layer with activation 'tanh'"


# -- damaged and foreign files -------------------------------------------------------------------


def test_a_flipped_bit_anywhere_is_noticed(path):
    model = nn.Linear(1, 1)
    nn.save(path, model)
    good = path.read_bytes()
    rng = random.Random(0)
    for position in range(len(good)):
        damaged = bytearray(good)
        damaged[position] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        assert "checkpoint" in refused(path, nn.Linear(1, 1))
    path.write_bytes(good)
    assert nn.load(path, model) == {}


def test_every_bit_of_the_first_line_is_noticed(path):
    model = nn.Linear(1, 1)
    nn.save(path, model)
    good = path.read_bytes()
    for bit in range(8 * (good.index(b"\n") + 1)):
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        refused(path, model)


def test_a_file_that_ends_early_anywhere_or_goes_on_is_noticed(path):
    model = nn.Linear(1, 1)
    nn.save(path, model)
    good = path.read_bytes()
    for size in range(len(good)):
        path.write_bytes(good[:size])
        assert "checkpoint" in refused(path, model)
    path.write_bytes(good + b"\n")
    assert refused(path, model) == (
        "is a damaged checkpoint: its content does not have the checksum that its first line gives"
    )


def test_line_ends_that_a_tool_has_changed_are_noticed(saved):
    saved.write_bytes(saved.read_bytes().replace(b"\n", b"\r\n"))
    assert refused(saved) == ("is a damaged checkpoint: its first line is not what nn.save writes")


def test_a_newer_format_is_named(saved):
    body = saved.read_bytes().partition(b"\n")[2]
    saved.write_bytes(with_checksum(2, body))
    assert refused(saved) == (
        "is a checkpoint of format 2, expected format 1: a newer version of autograd-lite wrote it"
        " and can read it"
    )


class Explosive:
    def __reduce__(self):
        return exec, ("raise SystemExit('executed')",)


def as_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            lambda path: path.write_bytes(b""),
            "is empty, expected a checkpoint written by nn.save",
        ),
        (
            as_zip,
            "is a zip file, perhaps of torch.save, expected a checkpoint written by nn.save",
        ),
        (
            lambda path: path.write_bytes(pickle.dumps(Explosive(), protocol=2)),
            "is no checkpoint written by nn.save: it starts with b'\\x80\\x02c__builtin__\\n'",
        ),
        (
            lambda path: path.write_bytes(b"GIF89a" + bytes(1000)),
            "is no checkpoint written by nn.save: it starts with"
            r" b'GIF89a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'",
        ),
    ],
    ids=["empty", "zip", "pickle", "image"],
)
def test_other_files_are_refused_and_never_executed(path, write, message):
    write(path)
    assert refused(path) == message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b"[" * 100_000,
        b'{"modules": [], "model": {}, "extra": {}}',
        b'{"modules": {}, "model": {}, "extra": []}',
        b'{"modules": {}, "model": {}, "extra": {"a": {"b": 1, "c": 2}}}',
        b'{"modules": {"": "Linear"}, "model": {"weight": [["1.0"]], "bias": [0.0]}, "extra": {}}',
        b'{"modules": {"": "Linear"}, "model": {"weight": [[null]], "bias": [0.0]}, "extra": {}}',
        b'{"modules": {"": "Linear"}, "model": {"weight": [[1]], "bias": [0]}, "extra": {},'
        b' "optimizer": 3}',
    ],
)
def test_a_right_checksum_over_a_wrong_content_is_refused(path, body):
    path.write_bytes(with_checksum(1, body))
    model = nn.Linear(1, 1)
    message = refused(path, model)
    assert message.startswith(("has the checksum of a checkpoint, but", "holds another model"))


# -- another model or optimiser ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "differences"),
    [
        (
            nn.MLP(3, [5, 1], seed=0),
            "layers.0.weight has shape (4, 3) in the file and (5, 3) in the model; layers.0.bias"
            " has shape (4,) in the file and (5,) in the model; layers.1.weight has shape (1, 4) in"
            " the file and (1, 5) in the model",
        ),
        (
            nn.MLP(3, [4, 1], bias=False),
            "layers.0.bias is not in the model; layers.1.bias is not in the model",
        ),
        (
            nn.MLP(3, [4, 1, 1]),
            "layers.2.weight is not in the file; layers.2.bias is not in the file",
        ),
        (
            nn.Linear(3, 4),
            "weight is not in the file; bias is not in the file; layers.0.weight is not in the"
            " model; and 3 more differences",
        ),
        (
            nn.MLP(3, [4, 1], activation="relu", output_activation="tanh"),
            "module 'layers.0' is Layer with activation 'tanh' in the file and Layer with"
            " activation 'relu' in the model; module 'layers.0.neurons.0' is Neuron with activation"
            " 'tanh' in the file and Neuron with activation 'relu' in the model; module"
            " 'layers.0.neurons.1' is Neuron with activation 'tanh' in the file and Neuron with"
            " activation 'relu' in the model; and 4 more differences",
        ),
    ],
    ids=["width", "bias", "depth", "class", "activation"],
)
def test_another_architecture_is_refused_and_the_first_differences_named(path, other, differences):
    nn.save(path, nn.MLP(3, [4, 1], activation="tanh"))
    assert refused(path, other) == f"holds another model: {differences}"


def test_modules_without_parameters_tell_architectures_apart(path):
    nn.save(path, nn.Sequential(nn.Linear(1, 1), nn.ReLU()))
    assert refused(path, nn.Sequential(nn.Linear(1, 1), nn.Tanh())) == (
        "holds another model: module '1' is ReLU in the file and Tanh in the model"
    )
    assert refused(path, nn.Sequential(nn.Linear(1, 1))) == (
        "holds another model: module '1' is ReLU in the file and missing in the model"
    )


def test_another_optimizer_is_refused(path):
    model, optimizer = trained(0)
    nn.save(path, model)
    assert refused(path, *trained(1)) == (
        "was expected to hold the state of the optimizer Adam, got none"
    )
    nn.save(path, model, optimizer)
    assert refused(path, *trained(1, nn.optim.SGD)) == (
        "was expected to hold the state of the optimizer SGD, got that of Adam"
    )
    fewer = Net(1)
    some = nn.optim.Adam(fewer.parameters()[1:], lr=0.1)
    assert refused(path, fewer, some).startswith("holds another optimizer: ")


# -- bad arguments -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((nn.ReLU(), "net"), "expected a path first, got ReLU: ReLU()"),
        ((1, nn.ReLU()), "expected a path first, got int: 1"),
        (("net", nn.ReLU), "expected a model, got the class ReLU; write nn.ReLU()"),
        (("net", {"weight": 1.0}), "expected a model, got dict: {'weight': 1.0}"),
        (("net", nn.ReLU(), nn.ReLU()), "expected an optimizer, got ReLU: ReLU()"),
    ],
)
@pytest.mark.parametrize("function", [nn.save, nn.load], ids=["save", "load"])
def test_bad_arguments_are_type_errors(function, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError) as refusal:
        function(*arguments)
    assert str(refusal.value) == f"nn.{function.__name__} {message}"
    assert os.listdir(tmp_path) == []


WANTED = "nn.save expected numbers, text, True, False, None, lists, tuples or dicts for "


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({1, 2}, TypeError, WANTED + "it, got set: {1, 2}"),
        ([0, {"a": (1, b"x")}], TypeError, WANTED + "it[1]['a'][1], got bytes: b'x'"),
        (Value(2.0), TypeError, WANTED + "it, got Value: Value(data=2.0"),
        (np.zeros(1), TypeError, WANTED + "it, got ndarray: array([0.])"),
        (random.Random(0), TypeError, WANTED + "it, got Random: "),
        ({"a": {b"x": 2}}, TypeError, WANTED + "a key of it['a'], got bytes: b'x'"),
        (10**5000, ValueError, "nn.save expected a smaller whole number for it"),
    ],
    ids=["set", "bytes", "Value", "array", "Random", "key", "digits"],
)
def test_extra_that_a_file_cannot_hold_is_refused_and_the_old_file_stays(
    saved, given, error, message
):
    before = saved.read_bytes()
    with pytest.raises(error) as refusal:
        nn.save(saved, Net(), it=given)
    assert str(refusal.value).startswith(message)
    assert saved.read_bytes() == before


def test_what_is_nested_too_deeply_or_holds_itself_is_refused(path):
    deep = ["innermost"]
    for _ in range(49):
        deep = [{"inner": deep}]
    nn.save(path, Net(), deep=deep)
    assert nn.load(path, Net()) == {"deep": deep}
    endless = []
    endless.append(endless)
    for given in ([[deep]], endless):
        with pytest.raises(ValueError) as refusal:
            nn.save(path, Net(), given=given)
        assert str(refusal.value) == (
            "nn.save expected lists, tuples and dicts nested at most 100 deep, got more in given,"
            " unless one holds itself"
        )


@pytest.mark.parametrize("function", [nn.save, nn.load])
def test_a_folder_is_refused(function, tmp_path):
    with pytest.raises(IsADirectoryError) as refusal:
        function(tmp_path, Net())
    assert f"nn.{function.__name__} expected a file, got a folder" in str(refusal.value)
    assert refusal.value.filename == str(tmp_path)


def test_a_missing_folder_is_named_and_not_made(tmp_path):
    path = tmp_path / "runs" / "net"
    with pytest.raises(FileNotFoundError) as refusal:
        nn.save(path, Net())
    folder = os.path.realpath(path.parent)
    assert f"nn.save expected an existing folder, got {folder!r}" in str(refusal.value)
    with pytest.raises(FileNotFoundError):
        nn.load(path, Net())
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="there is no such device here")
def test_a_device_is_refused():
    with pytest.raises(OSError, match="expected a file, got a device or a pipe"):
        nn.save("/dev/null", Net())
    assert refused("/dev/null", Net()).startswith("is empty")


@pytest.mark.parametrize("function", [nn.save, nn.load])
def test_what_may_not_be_read_or_written_stays(function, saved, monkeypatch):
    def denied(path, mode):  # permissions do not bind an administrator, as whom tests may run
        raise PermissionError(errno.EACCES, "Permission denied", path)

    before = saved.read_bytes()
    model = Net(4)
    monkeypatch.setitem(vars(saving), "open", denied)
    with pytest.raises(PermissionError) as refusal:
        function(saved, model)
    assert str(refusal.value) == f"[Errno {errno.EACCES}] Permission denied: {str(saved)!r}"
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]
    assert bits(model) == bits(Net(4))


# -- whole or not at all -------------------------------------------------------------------------


def test_a_file_keeps_its_permissions_and_a_link_stays_one(saved, tmp_path):
    if os.name == "posix":
        saved.chmod(0o640)
    link = tmp_path / "latest"
    try:
        link.symlink_to(saved)
    except OSError:  # Windows asks for a privilege
        link = saved
    nn.save(link, Net(4))
    assert link == saved or link.is_symlink()
    model = Net(1)
    nn.load(saved, model)
    assert bits(model) == bits(Net(4))
    if os.name == "posix":
        assert stat.S_IMODE(saved.stat().st_mode) == 0o640


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(saved, fails, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device", "the part")

    before = saved.read_bytes()
    monkeypatch.setattr(os, fails, full)
    with pytest.raises(OSError, match="No space left on device") as refusal:
        nn.save(saved, Net(4))
    assert refusal.value.filename == str(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]


def test_a_rename_that_somebody_blocks_for_a_while_is_tried_again(saved, monkeypatch):
    replace, blocked = os.replace, [PermissionError(13, "in use")] * 3
    waits = []

    def busy(source, target):
        if blocked:
            raise blocked.pop()
        replace(source, target)

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(time, "sleep", waits.append)
    nn.save(saved, Net(4))
    assert len(waits) == 3
    model = Net(1)
    nn.load(saved, model)
    assert bits(model) == bits(Net(4))
    blocked += [PermissionError(13, "in use")] * 1000
    with pytest.raises(PermissionError, match="in use"):
        nn.save(saved, Net(5))
    assert 3 < len(waits) < 20
    assert os.listdir(saved.parent) == [saved.name]


def test_parts_that_killed_saves_have_left_are_removed_once_they_are_old(saved):
    old = saved.parent / f".{saved.name}.0123456789abcdef.part"
    new = saved.parent / f".{saved.name}.fedcba9876543210.part"
    others = saved.parent / ".others.checkpoint.0123456789abcdef.part"
    for part in (old, new, others):
        part.write_bytes(b"x")
    for part in (old, others):
        os.utime(part, (time.time() - 2 * saving.STALE,) * 2)
    nn.save(saved, Net())
    assert not old.exists()
    assert new.exists()
    assert others.exists()


def killed(path, *settings):
    """Return the states that a file held after each kill, and whether parts were left."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("killed_saves.py"), path, *map(str, settings)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(nn.__file__).parent.parent)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), list(path.parent.glob(".*.part"))


needs_sigkill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills are of POSIX")


@needs_sigkill
def test_a_kill_before_any_line_of_a_save_leaves_the_old_state_or_the_new_one(path):
    states, _ = killed(path, "each_line")
    new = states.index("2.0")
    assert states == ["1.0"] * new + ["2.0"] * (len(states) - new)
    assert new > 40
    assert states[-1] == "2.0"  # of the saver that was spared


@needs_sigkill
def test_kills_at_random_moments_leave_one_state_whole(path):
    states, parts = killed(path, "at_random", 0, 30)
    assert len(states) == 30
    numbers = list(map(float, states))
    assert numbers == sorted(numbers)
    assert numbers[-1] > numbers[0]
    assert parts  # some were killed while they wrote


@needs_sigkill
def test_the_kills_would_find_a_save_that_writes_in_place(path):
    states, _ = killed(path, "in_place", 0, 300)
    assert states[-1] == "broken"
