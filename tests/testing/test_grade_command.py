"""``python -m autograd_lite grade``: engines that work, crash, hang, print; files that are none."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from shutil import which

import micrograd.engine
import pytest

from autograd_lite.commandline.application import run
from autograd_lite.testing import correct_engine, faulty_engine, grade, grade_file
from autograd_lite.testing.grading.milestones import MILESTONES

ENGINE = """\
class Value:
    def __init__(self, data, operands=(), partials=()):
        self.data = data
        self.grad = 0.0
        self.operands = operands
        self.partials = partials

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    __radd__ = __add__

    def tanh(self):
        ...

    def backward(self):
        order = []
        ready = set()

        def visit(node):
            if node not in ready:
                ready.add(node)
                for operand in node.operands:
                    visit(operand)
                order.append(node)

        visit(self)
        for node in order:
            if node.operands:
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            for operand, partial in zip(node.operands, node.partials):
                operand.grad += partial * node.grad
"""
TANH = 1 + ENGINE[: ENGINE.index("...")].count("\n")
BACKWARD = 1 + ENGINE[: ENGINE.index("order")].count("\n")
FILE = "my_engine.py"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Return a function that writes a student's file into the current folder."""

    def write(source=ENGINE, *, tanh=None, backward=None):
        if tanh is not None:
            source = source.replace("...", tanh)
        if backward is not None:
            source = source.replace("order = []", f"{backward}; order = []")
        Path(FILE).write_text(source, encoding="utf-8")
        return FILE

    monkeypatch.chdir(tmp_path)
    return write


def failures(report):
    return {result.milestone: result for result in report.results if result.outcome == "failed"}


def refusal(path, **options):
    """Grade what cannot be graded; return why."""
    report = grade_file(path, **options)
    (result,) = report.results
    assert (result.milestone, result.outcome, report.passed) == ("import", "failed", False)
    return result.diagnosis


def in_a_process(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "autograd_lite", "grade", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={
            **os.environ,
            "TMPDIR": os.getcwd(),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        **options,
    )


# -- engines that run ----------------------------------------------------------------------------


def test_an_engine_in_a_file_gets_the_results_that_its_class_gets_in_this_process():
    path = micrograd.engine.__file__
    report = grade_file(path)
    assert report.engine == "Value in engine.py"
    assert report.results == grade(micrograd.engine.Value).results
    assert len(report.results) == len(MILESTONES)


def test_an_engine_imports_its_neighbours_and_does_not_run_as_main(file):
    Path("layers.py").write_text("from my_engine import Value\nclass Neuron: value = Value\n")
    main = 'if __name__ == "__main__":\n    raise RuntimeError\n'
    report = grade_file(file(ENGINE + "import layers\n" + main))
    assert "addition" not in failures(report)
    assert report.results[0].outcome == "passed"


def test_a_class_of_another_name_is_graded_where_it_is_named(file):
    report = grade_file(file(ENGINE.replace("Value", "Scalar")), class_name="Scalar")
    assert report.engine == "Scalar in my_engine.py"
    assert report.results[0].outcome == "passed"


def test_noise_changes_nothing(file, capfd):
    quiet = grade_file(file())
    noise = (
        "import os, sys; print('x' * 10**6); os.write(1, b'y' * 10**6); sys.stderr.write('é\\0')"
    )
    assert grade_file(file(backward=noise)) == quiet
    assert grade_file(file("import sys\nsys.stdout.close(); sys.stderr = None\n" + ENGINE)) == quiet
    assert capfd.readouterr() == ("", "")


def test_threads_exit_handlers_and_copies_of_the_process_keep_nothing_from_ending(file):
    quiet = grade_file(file())
    waits = (
        "import atexit, threading, time\n"
        "atexit.register(time.sleep, 1000)\n"
        "threading.Thread(target=time.sleep, args=[1000]).start()\n"
    )
    assert grade_file(file(waits + ENGINE)) == quiet


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_copy_of_the_process_does_not_report_as_well(file):
    copied = "from os import fork\ncopies = []\n" + ENGINE
    once = "copies.append(1); len(copies) == 1 and fork()"
    assert grade_file(file(copied, backward=once)) == grade_file(file())


# -- engines that do not -------------------------------------------------------------------------


def test_an_endless_loop_fails_its_milestone_and_says_where_it_is(file):
    reports = grade_file(file(tanh="while True: pass"), time_limit=2.0)
    tanh = failures(reports)["tanh"]
    assert "tanh()" in tanh.program
    assert tanh.got == "no answer within 2 s"
    assert tanh.diagnosis == (
        f"an endless loop, or far too slow: it was in tanh, line {TANH} of my_engine.py"
    )
    assert tanh.cause == "time-limit"
    assert reports.results[0].outcome == "passed"
    names = [result.milestone for result in reports.results]
    assert names[: names.index("tanh") + 2] == [
        milestone.name for milestone in MILESTONES[: names.index("tanh") + 2]
    ]


def test_an_engine_that_never_returns_is_given_up_after_two_milestones(file, capsys):
    engine = file(backward="import time; time.sleep(1000)")
    assert run(["grade", engine, "--time-limit", "0.5", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    results = data["results"]
    assert [result["milestone"] for result in results] == [item.name for item in MILESTONES]
    assert {result["outcome"] for result in results} == {"failed"}
    rest = len(MILESTONES) - 2
    assert [result["cause"] for result in results] == ["time-limit"] * 2 + ["time"] * rest
    words = "not tried: two milestones in a row took longer than 0.5 s"
    assert {result["diagnosis"] for result in results[2:]} == {words}
    assert data["totals"]["failed"] == len(MILESTONES)


def test_what_was_not_tried_is_one_line_of_the_text(file):
    report = grade_file(file(backward="import time; time.sleep(1000)"), time_limit=0.5)
    lines = report.text("ascii").splitlines()
    assert lines[2:5] == [
        "FAILED a number in a Value",
        "FAILED addition",
        f"FAILED {len(MILESTONES) - 2} more milestones, from multiplication to deep graphs,"
        " not tried: two milestones in a row",
    ]
    assert lines[5].strip() == "took longer than 0.5 s"
    assert lines[6:8] == ["", "a number in a Value:"]
    assert "\n".join(lines).count("not tried") == 1
    assert lines[-1] == f"0 of {len(MILESTONES)} milestones passed, 0 skipped"


def test_two_endless_loops_with_an_answer_in_between_stop_nothing(file):
    endless = "while True: pass"
    source = ENGINE.replace(
        "    def tanh", f"    def relu(self):\n        {endless}\n\n    def tanh"
    )
    results = grade_file(file(source, tanh=endless), time_limit=1.0).results
    failed = {result.milestone: result.cause for result in results if result.outcome == "failed"}
    assert (failed["relu"], failed["tanh"]) == ("time-limit", "time-limit")
    assert "time" not in failed.values()


def test_a_slow_engine_is_given_up_after_five_times_the_limit(file):
    slow = "import time; time.sleep(0.7); raise ValueError"
    results = grade_file(file(backward=slow), time_limit=1.0).results
    assert [result.milestone for result in results] == [item.name for item in MILESTONES]
    failed = [result.cause for result in results if result.outcome == "failed"]
    tried = failed.count("")
    assert 1 <= tried <= 8
    assert failed == [""] * tried + ["time"] * (len(failed) - tried)
    assert results[-1].diagnosis == "not tried: there was no time left after 5 s in all"


@pytest.mark.parametrize(
    ("statement", "cause", "got", "diagnosis"),
    [
        (
            "import os; os._exit(0)",
            "exit",
            "the process ended, with exit status 0",
            "os._exit or the like was called; an engine may not end the program that uses it",
        ),
        pytest.param(
            "import os; os.kill(os.getpid(), 9)",
            "crash",
            "the process was ended by signal SIGKILL",
            "Python itself was stopped; too much memory can be a reason",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX"),
        ),
        pytest.param(
            "import os; print('a\\nb\\nc\\nd', flush=True); os.kill(os.getpid(), 11)",
            "crash",
            "the process was ended by signal SIGSEGV",
            f"Python itself crashed in tanh, line {TANH} of my_engine.py: deep recursion does that"
            " where sys.setrecursionlimit allows it; walk the graph in a loop instead; it printed"
            " last: b | c | d",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX"),
        ),
    ],
)
def test_a_crash_fails_its_milestone_and_the_next_one_is_tried(
    file, statement, cause, got, diagnosis
):
    results = grade_file(file(tanh=statement)).results
    assert [result.milestone for result in results] == [item.name for item in MILESTONES]
    (tanh,) = (result for result in results if result.milestone == "tanh")
    assert (tanh.outcome, tanh.cause) == ("failed", cause)
    assert (tanh.got, tanh.diagnosis) == (got, diagnosis)
    assert tanh.program.splitlines()[-1].startswith("print(")
    assert results[0].outcome == results[1].outcome == "passed"


@pytest.mark.parametrize(
    "error", ["SystemExit(3)", "KeyboardInterrupt", "MemoryError", "GeneratorExit"]
)
def test_no_exception_of_an_engine_ends_the_grading(file, error):
    results = grade_file(file(tanh=f"raise {error}")).results
    assert [result.milestone for result in results] == [item.name for item in MILESTONES]
    (tanh,) = (result for result in results if result.milestone == "tanh")
    assert tanh.outcome == "failed"
    assert error.removesuffix("(3)") in tanh.got


# -- files that are no engines -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("class Value:\n    def f(self)\n", "is not valid Python in line 2: expected ':'"),
        ("x = 1\0", "is not valid Python"),
        ("", "has no class called Value; it has no class at all"),
        (
            "from fractions import Fraction\nclass Scalar: ...\nclass Node: ...",
            "has no class called Value; it has Scalar, Node",
        ),
        ("Value = 3", "Value in my_engine.py is not a class, but of type int"),
        (
            "import math\nimport no_such_module",
            "my_engine.py cannot be imported: it raises ModuleNotFoundError: No module named"
            " 'no_such_module' (line 2 of my_engine.py)",
        ),
        (
            "def f():\n    return 1 / 0\n\nf()",
            "my_engine.py cannot be imported: it raises ZeroDivisionError: division by zero (line 2"
            " of my_engine.py)",
        ),
        ("input()", "it raises EOFError: EOF when reading a line (line 1 of my_engine.py)"),
        ("exit('bye')", "it raises SystemExit (line 1 of my_engine.py)"),
        (
            "import os; os._exit(3)",
            "my_engine.py cannot be graded: on the way to Value(2.0) the process ended, with exit"
            " status 3",
        ),
        (
            "class Value:\n    def __init__(self): ...",
            "Value(2.0) does not work: it raises TypeError: Value.__init__() takes 1 positional"
            " argument but 2 were given",
        ),
        (
            "class Value:\n    def __init__(self, data): self.data = data",
            "Value(2.0) has no grad and no backward; it needs data, grad and backward()",
        ),
        (
            ENGINE.replace("self.data = data", "self.data = [data]"),
            "Value(2.0).data is [2.0], expected the number 2.0",
        ),
        (
            ENGINE.replace("def backward", "backward = 1\n    def back"),
            "Value(2.0).backward is not a method, but of type int",
        ),
    ],
)
def test_a_file_that_cannot_be_graded_gets_a_sentence(file, source, sentence):
    assert sentence in refusal(file(source))


def test_a_file_that_is_not_utf8_gets_a_sentence_unless_it_says_so(file):
    path = Path(file())
    wrong = "my_engine.py is not UTF-8 text, see line 2; save it with that encoding"
    path.write_bytes(b"import math\n# caf\xe9\n" + ENGINE.encode())
    assert refusal(path) == wrong
    path.write_bytes(b"# coding: latin-1\n# caf\xe9\n" + ENGINE.encode())
    assert grade_file(path).results[0].outcome == "passed"
    path.write_text(ENGINE, encoding="utf-16")
    assert refusal(path) == wrong.replace("line 2", "line 1")


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("x = 1\nwhile True: pass\n", "line 2"),
        (
            "class Value:\n    def __init__(self, data):\n        while True: pass",
            "__init__, line 3",
        ),
    ],
)
def test_a_file_that_never_gets_to_a_value_gets_a_sentence(file, source, place):
    assert refusal(file(source), time_limit=0.5) == (
        "my_engine.py cannot be graded: there was no Value(2.0) within 0.5 s; it was in"
        f" {place} of my_engine.py"
    )


def test_any_finite_time_limit_will_do(file):
    assert grade_file(file(), time_limit=1e300) == grade_file(FILE)
    assert grade_file(FILE, time_limit=1e-300).results[-1].cause in ("time", "import")


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_limit_is_a_finite_number_above_0(file, limit):
    with pytest.raises(ValueError, match=r"time_limit has to be a finite number above 0, got"):
        grade_file(file(), time_limit=limit)


# -- the command ---------------------------------------------------------------------------------


def test_the_status_is_0_if_nothing_failed_and_json_has_the_totals(file, capsys):
    assert run(["grade", file("from autograd_lite import Value"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["file", "class", "engine", "passed", "results", "totals"]
    assert (data["file"], data["class"], data["passed"]) == (FILE, "Value", True)
    assert [result["milestone"] for result in data["results"]] == [m.name for m in MILESTONES]
    assert data["totals"] == {
        "milestones": len(MILESTONES),
        "passed": sum(result["outcome"] == "passed" for result in data["results"]),
        "failed": 0,
        "skipped": sum(result["outcome"] == "skipped" for result in data["results"]),
    }


def test_the_status_is_1_if_a_milestone_failed(file, capsys):
    engine = file(ENGINE.replace("(1.0, 1.0)", "(1.0, -1.0)"))
    assert run(["grade", engine]) == 1
    text = capsys.readouterr().out
    assert "b.grad" in text
    assert "addition" in text
    assert "-1" in text


def test_a_mistake_that_shows_at_many_milestones_is_written_out_once():
    report = grade(faulty_engine("assigned"))
    failed = [result.milestone for result in report.results if result.outcome == "failed"]
    assert len(failed) > 10
    text = report.text("ascii")
    assert text.count("the gradient is assigned, not added") == 1
    likewise = text.split("\n  likewise:  ")[1].split("\n\n")[0]
    assert likewise.replace("\n" + " " * 13, " ") == ", ".join(failed[1:])


def test_one_kind_of_mistake_in_two_operations_is_two_mistakes():
    class Wrong(correct_engine()):
        def exp(self):
            return super().tanh()

        def sigmoid(self):
            return super().tanh()

    text = grade(Wrong).text()
    assert "\nexp:\n" in text
    assert "\nsigmoid:\n" in text


def test_the_status_is_1_if_there_is_nothing_to_grade(file, capsys):
    assert run(["grade", file("x ="), "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["passed"] is False
    assert (
        data["results"][0]["diagnosis"]
        == "my_engine.py is not valid Python in line 1: invalid syntax"
    )
    assert data["totals"] == {
        "milestones": len(MILESTONES),
        "passed": 0,
        "failed": len(MILESTONES),
        "skipped": 0,
    }
    assert run(["grade", FILE]) == 1
    assert "my_engine.py is not valid Python in line 1: invalid syntax" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: FILE; --help shows examples"),
        (["no_such_file.py"], "no_such_file.py: No such file or directory"),
        (["."], ".: this is not a file"),
        (["x.ipynb"], "x.ipynb is a notebook; save the class in a file that ends with .py"),
        (
            [FILE, "--time-limit", "0"],
            "argument --time-limit: expected a finite number of seconds above 0, got 0; --help"
            " shows examples",
        ),
        ([FILE, "--fast"], "unrecognized arguments: --fast; --help shows examples"),
    ],
)
def test_the_status_is_2_if_the_command_is_wrong(file, capsys, arguments, message):
    file()
    assert run(["grade", *arguments]) == 2
    assert capsys.readouterr() == ("", f"error: {message}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such program")
def test_a_machine_that_starts_no_process_gets_a_sentence(file, capsys, monkeypatch):
    monkeypatch.setattr(sys, "executable", which("false"))
    assert run(["grade", file()]) == 2
    assert capsys.readouterr().err == (
        "error: no process could be started for the engine: the process ended, with exit status 1\n"
    )


def test_help_says_that_it_is_no_sandbox(capsys):
    assert run(["grade", "--help"]) == 0
    assert "a grader, not a sandbox: the file runs with your rights" in capsys.readouterr().out
    assert run(["--help"]) == 0
    assert '"python -m autograd_lite grade my_engine.py"' in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_what_the_student_writes_does_not_steer_the_terminal(file, capsys):
    Path(file("raise ValueError('\\33[31mred')")).rename("\33[2J.py")
    assert run(["grade", "\33[2J.py"]) == 1
    assert capsys.readouterr().out == (
        "Value in ?[2J.py\n\n?[2J.py cannot be imported: it raises ValueError: ?[31mred (line 1 of"
        " ?[2J.py)\n"
    )


def test_a_variable_may_still_be_called_grade(capsys):
    assert run(["grade**2", "grade=3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gradient"] == {"grade": 6.0}


# -- nothing is left behind ----------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="signals and named pipes are POSIX")
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (9, -9)])
def test_the_engine_ends_with_the_command(file, sent, status):
    held_open = (
        "import os, time; held = os.open('pipe', os.O_WRONLY); os.write(held, b'x');"
        " time.sleep(1000)"
    )
    os.mkfifo("pipe")
    reading = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    with in_a_process(file(backward=held_open), "--time-limit", "1000") as command:
        assert select.select([reading], [], [], 60.0)[0], "the engine has not begun"
        assert os.read(reading, 1) == b"x"
        command.send_signal(sent)
        assert command.communicate() == (b"", b"")
        assert command.returncode == status
    assert select.select([reading], [], [], 60.0)[0], "the engine goes on"
    assert os.read(reading, 1) == b""
    assert sorted(os.listdir()) == [FILE, "pipe"]
    os.close(reading)


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are POSIX")
def test_what_an_engine_starts_ends_with_it(file):
    started = (
        "import os, subprocess, sys; held = os.open('pipe', os.O_WRONLY); subprocess.Popen("
        "[sys.executable, '-c', 'import time; time.sleep(1000)'], pass_fds=[held]); os._exit(0)"
    )
    os.mkfifo("pipe")
    reading = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    report = grade_file(file(tanh=started))
    assert failures(report)["tanh"].cause == "exit"
    assert select.select([reading], [], [], 60.0)[0], "what the engine has started goes on"
    assert os.read(reading, 1) == b""
    os.close(reading)
