"""``python -m nn train``: what it prints, how it ends, and that a seed gives the same bits."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nn
from nn.train_command import main
from nn.train_options import parser

REPOSITORY = Path(__file__).parents[2]
TINY = ("train", "moons", "--epochs", "2", "--hidden", "4", "--batch", "50")


def environment(**changes):
    kept = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **changes}


def run(*arguments, **changes):
    """Return exit code, standard output and standard error of the command in a new process."""
    done = subprocess.run(
        [sys.executable, "-m", "nn", *arguments],
        capture_output=True,
        env=environment(**changes),
        timeout=120,
    )
    # ASCII, whatever the console can show
    return done.returncode, done.stdout.decode("ascii"), done.stderr.decode("ascii")


def results(capsys, *arguments):
    """Return the exit code and the JSON of the command, run in this process."""
    status = main([*arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


# -- results -------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bits_in_another_process():
    runs = []
    for hash_seed in ("1", "2"):
        status, out, _ = run(*TINY, "--seed", "3", "--json", PYTHONHASHSEED=hash_seed)
        assert status == 0
        result = json.loads(out)
        del result["seconds"], result["steps_per_second"]
        runs.append(result)
    assert runs[0] == runs[1]
    assert len(repr(runs[0]["history"][-1]["loss"])) > 12  # all digits are there


def test_another_seed_gives_other_losses_on_the_same_test(capsys):
    (_, one), (_, other) = (results(capsys, *TINY, "--seed", seed) for seed in "34")
    assert one["history"][0]["loss"] != other["history"][0]["loss"]
    assert [sum(row) for row in one["confusion_matrix"]] == [50, 50]
    assert [sum(row) for row in other["confusion_matrix"]] == [50, 50]


def test_moons_are_told_apart(capsys):
    status, result = results(capsys, "train", "moons", "--epochs", "12")
    assert status == 0
    assert result["accuracy"] >= 0.95
    assert result["history"][-1]["accuracy"] == result["accuracy"]
    matrix = result["confusion_matrix"]
    assert (matrix[0][0] + matrix[1][1]) / 100 == result["accuracy"]
    assert result["steps"] == 12 * 25


def test_digits_are_read_by_either_optimiser(capsys):
    pytest.importorskip("sklearn")
    for name, epochs in (("adam", "3"), ("sgd", "3")):
        arguments = ("--hidden", "12", "--epochs", epochs, "--optimizer", name)
        status, result = results(capsys, "train", "digits", *arguments)
        assert status == 0
        assert result["accuracy"] >= 0.85
        assert result["layers"] == [64, 12, 10]
        assert result["parameters"] == 64 * 12 + 12 + 12 * 10 + 10
        assert result["steps"] == 3 * 45
        assert sum(map(sum, result["confusion_matrix"])) == result["test_samples"] == 359


def test_the_report_says_what_was_trained_how_well_and_how_fast(capsys):
    assert main([*TINY, "--optimizer", "sgd", "--lr", "0.25"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "moons: 400 samples to learn from, 100 to be tested on"
    assert lines[1] == (
        "network 2-4-2, 22 parameters; sgd, learning rate 0.25, batches of 50, 2 epochs, seed 0"
    )
    assert re.fullmatch(r"test accuracy (\d+)\.00% \(\1 of 100\)", lines[3])
    assert lines[5].startswith("confusion matrix (row: what it is")
    rows = [[int(x) if x != "." else 0 for x in line.split()[1:]] for line in lines[7:9]]
    assert [sum(row) for row in rows] == [50, 50]
    assert f"test accuracy {rows[0][0] + rows[1][1]}.00%" in lines[3]
    assert re.fullmatch(
        r"16 steps in \d+\.\d s, \d+\.\d steps per second, computed by native programs", lines[-1]
    )
    assert [line[:10] for line in err.splitlines()] == ["epoch 1/2 ", "epoch 2/2 "]


def test_without_native_programs_the_training_is_the_same(capsys, monkeypatch):
    results = []
    for options, installed in (("--compile", True), ("--no-compile", True), ("--json", False)):
        monkeypatch.setattr("nn.train_command.native_programs", lambda found=installed: found)
        assert main([*TINY, options, "--json"]) == 0
        results.append(json.loads(capsys.readouterr().out))
    assert [result["compiled"] for result in results] == [True, False, False]
    losses = [[epoch["loss"] for epoch in result["history"]] for result in results]
    assert losses[1] == losses[2] == pytest.approx(losses[0], rel=1e-9)
    assert main([*TINY, "--no-compile"]) == 0
    assert "computed by the model itself" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "utf-8"])
def test_plain_ascii_suffices_without_a_terminal(encoding):
    status, out, err = run(*TINY, PYTHONIOENCODING=f"{encoding}:strict", PYTHONUTF8="0")
    assert status == 0
    assert "test accuracy" in out
    assert "epoch 2/2  loss" in err


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("encoding", "bar"), [("ascii", b"---"), ("utf-8", "━━━".encode())])
def test_in_a_terminal_one_line_shows_a_bar_in_what_it_can_encode(encoding, bar):
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nn", *TINY],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(PYTHONIOENCODING=encoding, TERM="xterm", COLUMNS="100"),
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # how Linux says that the other side has closed
        pass
    finally:
        os.close(ours)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert bar in shown
    assert b"epoch 2/2" in shown
    assert shown.count(b"\n") == 1


def test_a_resumed_run_ends_as_one_that_was_not_interrupted(tmp_path, capsys):
    checkpoint = str(tmp_path / "run.ckpt")
    options = ("train", "moons", "--hidden", "4", "--batch", "50", "--clip", "0.5")
    _, whole = results(capsys, *options, "--epochs", "3")
    # Of one epoch alone, the learning rate would fall faster: so stop a run of three.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nn.train_command.fit", fit_one_epoch)
        status, part = results(capsys, *options, "--epochs", "3", "--save", checkpoint)
    assert (status, part["interrupted"], part["steps"]) == (130, True, 8)
    status, resumed = results(capsys, *options, "--epochs", "3", "--resume", checkpoint)
    assert (status, resumed["steps"]) == (0, 16)
    assert resumed["history"] == whole["history"]
    assert resumed["confusion_matrix"] == whole["confusion_matrix"]


def fit_one_epoch(*arguments, step_callbacks, **options):
    def interrupt(state):
        if state.step == 9:
            raise KeyboardInterrupt

    nn.fit(*arguments, step_callbacks=[interrupt, *step_callbacks], **options)


def test_clipping_changes_the_training(capsys):
    (_, free), (_, clipped) = (
        results(capsys, *TINY, *options) for options in ((), ("--clip", "0.01"))
    )
    assert clipped["history"][0]["loss"] != free["history"][0]["loss"]


def test_mnist_is_read_from_a_folder(tmp_path, capsys):
    source = random.Random(0)
    for part, count in (("train", 60), ("t10k", 20)):
        labels = [i % 10 for i in range(count)]
        pixels = [source.randrange(256) for _ in range(4 * count)]
        for name, header, content in (
            ("images-idx3", (2051, count, 2, 2), pixels),
            ("labels-idx1", (2049, count), labels),
        ):
            written = b"".join(number.to_bytes(4, "big") for number in header) + bytes(content)
            (tmp_path / f"{part}-{name}-ubyte").write_bytes(written)
    status, result = results(capsys, "train", "mnist", "--data", str(tmp_path), "--hidden", "3")
    assert status == 0
    assert result["layers"] == [4, 3, 10]
    assert (result["train_samples"], result["test_samples"]) == (60, 20)


# -- ends that are not the usual one -------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_ctrl_c_prints_what_was_reached_and_exits_with_130():
    process = subprocess.Popen(
        [sys.executable, "-m", "nn", "train", "moons", "--hidden", "8", "--epochs", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONUNBUFFERED="1"),
        text=True,
    )
    process.stderr.readline()  # the first epoch is done
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    reached = re.search(r"^interrupted in epoch (\d+) of 100000; reached so far:$", out, re.M)
    assert int(reached[1]) >= 2
    assert "test accuracy " in out
    assert "steps per second" in out
    assert "Traceback" not in out + err


def test_ctrl_c_after_the_last_epoch_is_not_in_one_that_was_never_asked_for(monkeypatch, capsys):
    def fit_then_interrupt(*arguments, **options):
        nn.fit(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr("nn.train_command.fit", fit_then_interrupt)
    assert main(TINY) == 130
    assert "\ninterrupted after the last epoch; reached so far:\n" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is another error there")
def test_a_reader_that_leaves_early_is_no_error_message():
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [sys.executable, "-m", "nn", *TINY],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment(),
        timeout=60,
    )
    os.close(theirs)
    assert done.returncode == 1
    assert done.stderr == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_said_in_one_line():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nn", *TINY],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"python -m nn train: error: the output could not be written: ")
    assert done.stderr.count(b"\n") == 1


def test_training_that_diverges_is_said_in_one_line(capsys):
    status = main(["train", "moons", "--lr", "1e200", "--optimizer", "sgd"])
    err = capsys.readouterr().err
    assert status == 1
    assert re.fullmatch(
        r"python -m nn train: error: the (validation )?loss became (NaN|inf): the steps are"
        r" too large \(try a smaller learning rate\), or the loss has no finite value here\n",
        err,
    )


def test_without_scikit_learn_digits_name_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert main(["train", "digits"]) == 2
    assert capsys.readouterr() == (
        "",
        "python -m nn train: error: digits come with scikit-learn, which is not installed:"
        ' pip install "autograd-lite[data]"\n',
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("mnist", "mnist needs the folder with its files: --data FOLDER"),
        ("moons --data x", "--data is for mnist, got it with moons"),
        ("mnist --data none-here", "mnist expected a folder, got 'none-here', which is none"),
        ("moons --resume none-here", "No such file or directory: 'none-here'"),
        ("moons --resume README.md", "'README.md' is no checkpoint written by nn.save: it starts"),
        ("moons --save none/run", "checkpoint expected an existing folder, got"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(arguments, message, capsys, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert main(["train", *arguments.split()]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"python -m nn train: error: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train iris", "argument dataset: expected digits or moons or mnist, got 'iris'"),
        ("train digits --lr nan", "argument --lr: expected a finite number above 0, got 'nan'"),
        ("train digits --lr abc", "argument --lr: expected a finite number above 0, got 'abc'"),
        ("train digits --lr inf", "argument --lr: expected a finite number above 0, got 'inf'"),
        ("train digits --lr -1", "argument --lr: expected a finite number above 0, got '-1'"),
        ("train digits --lr 0", "argument --lr: expected a finite number above 0, got '0'"),
        (
            "train digits --epochs -1",
            "argument --epochs: expected a whole number of at least 1, got '-1'",
        ),
        (
            "train digits --batch 2.5",
            "argument --batch: expected a whole number of at least 1, got '2.5'",
        ),
        (
            "train digits --hidden 0",
            "argument --hidden: expected whole numbers of at least 1, separated by commas, got '0'",
        ),
        (
            "train digits --hidden 16,,16",
            "argument --hidden: expected whole numbers of at least 1, separated by commas, got"
            " '16,,16'",
        ),
        ("train digits --seed x", "argument --seed: expected a whole number, got 'x'"),
        (
            "train moons --optimizer lion",
            "argument --optimizer: expected adam or sgd, got 'lion'",
        ),
        (f"train moons --seed {'x' * 5000}", f"expected a whole number, got '{'x' * 37}...'"),
        (f"train moons --epochs {'9' * 5000}", f"of at least 1, got '{'9' * 37}...'"),
        ("train", "the following arguments are required: dataset"),
        ("train moons --hid 3", "unrecognized arguments: --hid 3"),
        ("", "the following arguments are required: train"),
    ],
)
def test_a_wrong_command_is_one_clear_line_and_exit_code_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments.split())
    out, err = capsys.readouterr()
    assert caught.value.code == 2
    assert out == ""
    assert message in err
    assert err.startswith("python -m nn")
    assert err.endswith(" (--help shows examples)\n")
    assert err.count("\n") == 1


def test_errors_of_the_real_command_have_no_traceback():
    assert run("train", "digits", "--lr", "nan") == (
        2,
        "",
        "python -m nn train: error: argument --lr: expected a finite number above 0, got 'nan'"
        " (--help shows examples)\n",
    )


# -- help ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]])
def test_help_teaches_by_examples_that_are_understood(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    out = capsys.readouterr().out
    assert caught.value.code == 0
    examples = re.findall(r"^  python -m nn (train .*?)(?:   .*)?$", out, re.M)
    assert len(examples) >= 5
    for example in examples:
        assert parser().parse_args(example.split()).dataset in ("digits", "moons", "mnist")


def test_help_names_the_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    out = " ".join(capsys.readouterr().out.split())
    for words in (
        "(32 for digits, 16,16 for moons, 32 for mnist)",
        "(20 for digits, 20 for moons, 1 for mnist)",
        "(32 for digits, 16 for moons, 64 for mnist)",
        "(0.02 for adam, 0.1 for sgd)",
    ):
        assert words in out
