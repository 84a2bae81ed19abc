"""Recordings in files: what comes back is what was saved, and what is no such file is refused."""

from __future__ import annotations

import hashlib
import json
import math

import pytest
from eager_numbers import bits
from hypothesis import given, settings

import autograd_lite as ag
import nn
from autograd_lite import Primitive, Value, lanes
from autograd_lite.native.programs.files import RecordingFileError, load_recordings, save_recordings
from autograd_lite.native.python.plan import PythonPlan
from autograd_lite.native.tracing.recording import record
from autograd_lite.testing import expressions


@pytest.fixture
def path(tmp_path):
    return tmp_path / "f.program"


@pytest.fixture
def saved(path):
    save_recordings(path, [record(lambda x: x * x if x > 0.0 else x, (2.0,))])
    return path


def comparable(tape):
    """Return a tape without watches, and with text that tells NaN and -0.0 from other numbers."""
    fields = tape.sources, tape.operations, tape.operands, tape.flows, tape.names, tape.outputs
    return repr([*fields, tape.result, tape.guards])


@settings(max_examples=40, deadline=None)
@given(expressions(smooth=False))
def test_random_recordings_come_back(tmp_path_factory, program):
    path = tmp_path_factory.mktemp("recordings") / "p.program"
    if not isinstance(program([Value(x) for x in program.inputs]), Value):
        return
    tape = record(lambda xs: program(xs), (list(program.inputs),))
    save_recordings(path, [tape])
    (back,) = load_recordings(path).tapes
    assert comparable(back) == comparable(tape)


def test_edges_of_floats_structures_and_lanes_come_back(path):
    def function(x, i):
        shown = lanes.pick([x[0] * math.inf, x[1] + math.nan, x[0] * -0.0], i)
        statistics = x[0].detach() - lanes.mean(x[0]) + lanes.variance(x[1])
        with ag.no_grad():
            held = x[0] * 5e-324
        return [shown, (statistics, held)] if x[0] > 0.1 else x[0]

    tape = record(function, ([1.0, 2.0], 1))
    save_recordings(path, [tape, tape], extra={"form": [1, None, "x"]})
    first, second = load_recordings(path).tapes
    assert comparable(first) == comparable(second) == comparable(tape)
    assert load_recordings(path).extra == {"form": [1, None, "x"]}


def test_parameters_and_values_closed_over_come_back_as_fresh_ones(path):
    w, b, scale = Value(0.1, "w"), Value(-0.0, requires_grad=False), Value(1e-310, "scale")
    w.grad = 3.0
    tapes = [
        record(lambda x: (w * x + b) * scale, (2.0,), parameters=[w, b]),
        record(lambda x: scale * x, (2.0,), parameters=[w, b]),
    ]
    save_recordings(path, tapes, parameters=[w, b])
    stored = load_recordings(path)
    new_w, new_b = stored.parameters
    assert (new_w.data, new_w.label, new_w.grad, new_w.requires_grad) == (0.1, "w", 0.0, True)
    assert (new_b.data.hex(), new_b.label, new_b.requires_grad) == ("-0x0.0p+0", "", False)
    closed = [s.value for tape in stored.tapes for s in tape.sources if hasattr(s, "value")]
    assert closed[0] is closed[1]
    assert closed[0] is not scale
    assert (closed[0].data, closed[0].label) == (1e-310, "scale")
    plan = PythonPlan(stored.tapes[0], parameters=stored.parameters)
    found = plan.evaluate([[2.0]], 1, seed=1.0)
    assert bits(found.outputs[0][0]) == bits((0.1 * 2.0 + -0.0) * 1e-310)
    assert new_w.grad == 2.0 * 1e-310
    assert w.grad == 3.0


def test_a_file_can_be_read_by_people(saved):
    lines = saved.read_text().splitlines()
    assert lines[0].startswith("autograd-lite program, format 1, sha256 ")
    assert '["argument", 0, 0],' in lines
    assert '["*", 0, 0]' in lines
    assert '"names": {"0": "x"},' in lines


def drawing(x):
    return x * lanes.fresh(1, lambda count, size: [[0.5] * size] * count)[0]


def calling(x):
    lanes.after(print, lanes.mean(x))
    return x * x


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            Primitive("cube", lambda x: x * x * x, [lambda x, y: 3.0 * x * x]),
            "a program with the primitive 'cube' of your own cannot be saved",
        ),
        (drawing, "draws numbers anew at every call, such as dropout in training, cannot be"),
        (calling, "calls functions after every call, such as batch norm in training, cannot be"),
    ],
)
def test_what_no_file_can_hold_is_refused_and_nothing_written(path, function, message):
    tape = record(lambda x: function(x), (1.0,))
    with pytest.raises(ValueError, match=message):
        save_recordings(path, [tape])
    assert not path.exists()


def refusal(path):
    with pytest.raises(RecordingFileError) as refused:
        load_recordings(path)
    message = str(refused.value)
    assert message.startswith(repr(str(path)))
    return message.removeprefix(repr(str(path))).strip()


def test_every_damaged_byte_is_found(saved):
    whole = saved.read_bytes()
    for at in range(0, len(whole), 7):
        saved.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert refusal(saved)
    saved.write_bytes(whole[:-20])
    assert refusal(saved).startswith("is a damaged program: its content does not have the")


def test_files_of_another_kind_are_named(path):
    path.write_bytes(b"")
    assert refusal(path) == "is empty, expected a program written by save"
    path.write_bytes(b"\x89PNG\r\n")
    assert refusal(path) == "is no program written by save: it starts with b'\\x89PNG\\r\\n'"
    nn.save(path, nn.Linear(1, 1))
    assert refusal(path).startswith("is another file of autograd-lite, expected a program")
    with pytest.raises(FileNotFoundError):
        load_recordings(path.parent / "missing")


def rewritten(path, change, version=1):
    """Change the content of a file, with the right checksum."""
    _, _, body = path.read_bytes().partition(b"\n")
    content = json.loads(body)
    change(content)
    body = json.dumps(content).encode()
    title = b"autograd-lite program"
    checksum = hashlib.sha256(b"%s, format %d\n" % (title, version) + body).hexdigest()
    path.write_bytes(b"%s, format %d, sha256 %s\n" % (title, version, checksum.encode()) + body)


def test_a_newer_version_is_named(saved):
    rewritten(saved, lambda content: None, version=2)
    assert refusal(saved) == (
        "is a program of format 2, expected format 1: a newer version of autograd-lite wrote it"
        " and can read it"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("parameters"),
        lambda c: c["recordings"][0].pop("nodes"),
        lambda c: c["recordings"][0]["nodes"].append(["sin", 99]),
        lambda c: c["recordings"][0]["nodes"].append(["sin", 0, 0]),
        lambda c: c["recordings"][0]["nodes"].append(["eval", 0]),
        lambda c: c["recordings"][0]["nodes"].append(["parameter", 0]),
        lambda c: c["recordings"][0]["nodes"].append(["total"]),
        lambda c: c["recordings"][0].update(outputs=[-1]),
        lambda c: c["recordings"][0].update(result=3),
        lambda c: c["recordings"][0].update(guards=[["!=", 0, 0, True]]),
        lambda c: c.update(recordings=3),
        lambda c: c.update(closures=[{"data": "x"}]),
    ],
)
def test_content_that_is_none_is_refused(saved, change):
    rewritten(saved, change)
    assert refusal(saved).startswith("has the checksum of a program, but not the content of one")


def test_a_failing_save_leaves_the_old_file(saved):
    before = saved.read_bytes()
    with pytest.raises(TypeError):
        save_recordings(saved, [], extra=object())
    assert saved.read_bytes() == before
