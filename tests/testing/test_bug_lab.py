"""The bug lab: each engine has its one bug, shows it, and is given its diagnosis."""

import builtins
import inspect
import re

import pytest

import autograd_lite
from autograd_lite.testing import bug_lab, correct_engine, faulty_engine, grade, lab_engine

CORRECT = inspect.getsource(lab_engine)


def test_there_are_bugs_enough_and_their_names_differ():
    assert len(bug_lab.bugs()) == len(set(bug_lab.bugs())) >= 12


def test_the_correct_engine_passes_and_lacks_nothing_but_some_functions():
    report = grade(correct_engine())
    assert {r.outcome for r in report.results} == {"passed"}
    assert {r.milestone for r in report.results if r.missing} == {"other functions"}


@pytest.mark.parametrize("name", bug_lab.bugs())
def test_every_failure_of_a_faulty_engine_has_the_bug_as_its_cause(name):
    failed = [r for r in grade(faulty_engine(name)).results if r.outcome == "failed"]
    assert {r.cause for r in failed} == {name}


@pytest.mark.parametrize("distance", [1, 6, 11])
def test_of_two_bugs_none_is_blamed_that_is_not_there(distance):
    for one, other in zip(bug_lab.BUGS, bug_lab.BUGS[distance:], strict=False):
        try:
            engine = bug_lab.engine_with((*one.edits, *other.edits))
        except ValueError:  # both change the same line
            continue
        report = grade(engine)
        causes = {c for r in report.results if r.cause for c in r.cause.split(" or ")}
        assert not report.passed
        assert causes & {one.name, other.name}
        assert causes <= {one.name, other.name, "earlier-mistake"}


@pytest.mark.parametrize("number", range(1, len(bug_lab.bugs()) + 1))
def test_a_program_in_the_report_gives_what_the_report_says(number, capsys):
    engine = faulty_engine(number)
    for result in grade(engine).results:
        if ": " in result.got:
            kind, message = result.got.split(": ", 1)
            with pytest.raises(getattr(builtins, kind), match=f"^{re.escape(message)}$"):
                exec(result.program, {"Value": engine})
        elif result.outcome == "failed":
            exec(result.program, {"Value": engine})
            assert float(capsys.readouterr().out) == pytest.approx(float(result.got))


@pytest.mark.parametrize("number", range(1, len(bug_lab.bugs()) + 1))
def test_the_source_shows_the_bug_and_does_not_name_it(number):
    name = bug_lab.bugs()[number - 1]
    engine = faulty_engine(number)
    shown = inspect.getsource(engine)
    (bug,) = [bug for bug in bug_lab.BUGS if bug.name == name]
    for before, after in bug.edits:
        assert after in shown
        assert before not in shown or before in after or after in before
    assert name not in inspect.getsource(inspect.getmodule(engine))
    assert name not in f"{engine.__module__} {engine.__qualname__}"


@pytest.mark.parametrize("number", range(1, len(bug_lab.bugs()) + 1))
def test_undoing_the_edits_gives_the_correct_engine(number):
    bug = bug_lab.BUGS[number - 1]
    assert all(CORRECT.count(before) == 1 for before, _ in bug.edits)
    assert inspect.getsource(inspect.getmodule(faulty_engine(number))) != CORRECT


def test_number_and_name_give_the_same_class_each_time():
    assert faulty_engine(1) is faulty_engine("assigned") is faulty_engine(1)
    assert faulty_engine(2) is not faulty_engine(1)


def test_a_traceback_shows_the_line_of_the_faulty_engine():
    with pytest.raises(AttributeError) as raised:
        faulty_engine("numbers")(1.0) + 2
    assert "other.data" in str(raised.traceback[-1].statement)


@pytest.mark.parametrize("which", [0, len(bug_lab.bugs()) + 1, "asigned", None])
def test_an_unknown_bug_is_refused(which):
    with pytest.raises(ValueError, match=f"there is no bug {which!r}: give a number from 1 to"):
        faulty_engine(which)
    with pytest.raises(ValueError, match="there is no bug"):
        bug_lab.solution(which)


def test_a_solution_has_both_lines():
    assert bug_lab.solution("assigned").splitlines() == [
        "The gradient is assigned, not added (write += instead of =).",
        "correct:",
        "    operand.grad += partial * node.grad",
        "faulty:",
        "    operand.grad = partial * node.grad",
    ]


def test_a_solution_says_where_lines_are_gone():
    assert bug_lab.solution("seed").endswith("faulty:\n    (nothing)")


def test_the_engine_itself_is_not_touched():
    for name in bug_lab.bugs():
        assert not issubclass(faulty_engine(name), (autograd_lite.Value, lab_engine.Value))
    x = lab_engine.Value(3.0)
    (x + x).backward()
    assert x.grad == 2.0


def test_an_edit_that_does_not_fit_the_engine_is_refused():
    with pytest.raises(ValueError, match="0 places 'no such line'"):
        bug_lab.engine_with((bug_lab.Edit("no such line", ""),))
