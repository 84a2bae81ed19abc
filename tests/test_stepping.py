"""`steps`: the contributions of a backward pass, read, searched and printed."""

from __future__ import annotations

import gc
import io
import math
import os
import subprocess
import sys
import weakref
from threading import Thread

import pytest

import nn
from autograd_lite import SlipWarning, Value, contributions, no_grad, relu, sin, steps


def lecture():
    """Return x, a, b, c and f of the lecture's f(x) = (x² + sin x²)·x² at 2."""
    x = Value(2.0, label="x")
    a = x**2
    b = sin(a)
    c = a + b
    f = a * c
    for value, label in zip((a, b, c, f), "abcf", strict=True):
        value.label = label
    return x, a, b, c, f


def mlp_loss():
    model = nn.MLP(3, [4, 4, 1], seed=1)
    points = [[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]
    return model, nn.MSELoss()(model(points), [1.0, -1.0])


# -- the steps -----------------------------------------------------------------------------------


def test_the_lectures_f_has_six_steps():
    *_, f = lecture()
    read = [
        (s.node_name, s.operand_name, s.upstream, s.partial, s.contribution, s.total)
        for s in steps(f)
    ]
    cos4 = math.cos(4.0)
    assert read == [
        ("f", "a", 1.0, 3.2431975046920716, 3.2431975046920716, 3.2431975046920716),
        ("f", "c", 1.0, 4.0, 4.0, 4.0),
        ("c", "a", 4.0, 1.0, 4.0, 7.243197504692072),
        ("c", "b", 4.0, 1.0, 4.0, 4.0),
        ("b", "a", 4.0, cos4, 4.0 * cos4, 4.628623021237624),
        ("a", "x", 4.628623021237624, 4.0, 18.514492084950497, 18.514492084950497),
    ]


def test_a_step_says_which_contribution_of_how_many_it_is():
    _, a, *_, f = lecture()
    to_a = [s for s in steps(f) if s.operand is a]
    assert [(s.index, s.count, s.number, s.before) for s in to_a] == [
        (1, 3, 1, 0.0),
        (2, 3, 3, 3.2431975046920716),
        (3, 3, 5, 7.243197504692072),
    ]


def test_a_square_has_two_steps_to_its_one_operand():
    x = Value(3.0)
    assert [(s.position, s.index, s.count, s.total) for s in steps(x * x)] == [
        (0, 1, 2, 3.0),
        (1, 2, 2, 6.0),
    ]


def test_constants_receive_nothing():
    x, k = Value(3.0), Value(5.0, requires_grad=False)
    (step,) = steps(k * x)
    assert (step.operand, step.position, step.count, len(steps(k * x))) == (x, 1, 1, 1)


def test_a_leaf_has_no_steps():
    assert list(steps(Value(3.0))) == []


@pytest.mark.parametrize("before", [False, True])
def test_reading_the_steps_changes_no_gradient(before):
    x, a, b, c, f = lecture()
    if before:
        f.backward()
    grads = [v.grad for v in (x, a, b, c, f)]
    list(steps(f))
    str(steps(f))
    assert [v.grad for v in (x, a, b, c, f)] == grads
    f.backward()
    assert x.grad == (2 if before else 1) * 18.514492084950497


def test_what_happens_to_the_values_later_does_not_show():
    x, *_, f = lecture()
    walk = steps(f)
    x.data, x.requires_grad = 100.0, False
    with pytest.warns(SlipWarning, match="was changed after"):
        f.backward()
    assert [s.total for s in walk][-1] == 18.514492084950497


def test_the_last_totals_are_the_gradients_of_the_engine_bit_for_bit():
    model, loss = mlp_loss()
    totals = {s.operand: s.total for s in steps(loss)}
    loss.backward()
    assert [totals[p] for p in model.parameters()] == [p.grad for p in model.parameters()]
    complete = [s for s in steps(loss) if s.index == s.count]
    assert all(s.total == s.operand.grad for s in complete)


def test_parameters_have_the_names_that_their_module_gives():
    model, loss = mlp_loss()
    names = {s.operand_name for s in steps(loss, names={"net": model})}
    assert names >= {name for name, _ in model.named_parameters()}


def test_steps_are_a_sequence():
    *_, f = lecture()
    walk = steps(f)
    assert (len(walk), repr(walk)) == (6, "<steps of 'f': 6 contributions>")
    assert walk[-1] == walk[5] == list(walk)[5]
    assert [s.number for s in walk[1:6:2]] == [2, 4, 6]
    assert [s.number for s in reversed(walk)] == [6, 5, 4, 3, 2, 1]
    with pytest.raises(IndexError, match="step 6 was asked for, but there are 6 steps"):
        walk[6]
    with pytest.raises(TypeError, match="steps are asked for by number, got str: 'a'"):
        walk["a"]


def test_two_readers_of_one_walk_do_not_disturb_each_other():
    *_, f = lecture()
    walk = steps(f)
    assert [(s.number, t.number) for s, t in zip(walk, walk, strict=True)] == [
        (n, n) for n in range(1, 7)
    ]


def test_the_forward_pass_has_a_step_for_each_operation():
    *_, f = lecture()
    assert [(s.name, s.expression, s.data) for s in steps(f).forward()] == [
        ("a", "x ** 2", 4.0),
        ("b", "sin(a)", -0.7568024953079282),
        ("c", "a + b", 3.2431975046920716),
        ("f", "a * c", 12.972790018768286),
    ]


def test_a_million_nodes_are_read_where_one_looks_and_nothing_recurses():
    y = x = Value(1.0)
    for _ in range(1_000_000):
        y = -y
    found = []

    def look():
        walk = steps(y)
        found.extend([len(walk), walk[2].total, walk[999_999].operand is x, walk[999_999].total])
        found.append(str(walk).count("\n"))

    thread = Thread(target=look)
    thread.start()
    thread.join()
    assert found == [1_000_000, -1.0, True, 1.0, 62]


def test_dropping_the_steps_frees_the_graph_without_the_cyclic_collector():
    f = lecture()[-1]
    walk = steps(f).watch(zero=True)
    walk[2]
    gone = weakref.ref(f)
    gc.disable()
    try:
        del f, walk
        assert gone() is None
    finally:
        gc.enable()


def test_a_walk_that_was_interrupted_can_be_read_again(monkeypatch):
    *_, f = lecture()
    walk = steps(f)
    walk[1]
    looked_up = contributions.edges

    def interrupted(node):
        monkeypatch.setattr(contributions, "edges", looked_up)
        raise KeyboardInterrupt

    monkeypatch.setattr(contributions, "edges", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(walk)
    assert [s.total for s in walk] == [s.total for s in steps(f)]


@pytest.mark.parametrize("root", [2.0, "f", None, [Value(1.0)]])
def test_only_a_value_has_steps(root):
    with pytest.raises(TypeError, match="needs a Value that was computed from others, got"):
        steps(root)


def test_what_was_recorded_under_no_grad_has_no_steps():
    with no_grad():
        f = Value(2.0) * 3.0
    with pytest.raises(RuntimeError, match=r"needs no gradient, so there are no steps: .* no_grad"):
        steps(f)


# -- search and breakpoints ----------------------------------------------------------------------


def numbers(found):
    return [s.number for s in found]


def test_contributions_to_a_node_are_found_by_value_and_by_name():
    _, a, *_, f = lecture()
    assert numbers(steps(f).find(a)) == numbers(steps(f).find("a")) == [1, 3, 5]


def sizes():
    """Return a sum whose contributions to its leaf x are 1000, 0, NaN, −inf and 1 in size."""
    x = Value(-1.0, label="x")
    terms = [1000.0 * x, relu(x), Value(math.nan) * x, x * -math.inf, x + 0.0]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"zero": True}, [0.0]),
        ({"nan": True}, [math.nan]),
        ({"larger_than": 999}, [-math.inf, 1000.0]),
        ({"larger_than": 1000.0}, [-math.inf]),
        ({"zero": True, "nan": True}, [math.nan, 0.0]),
    ],
)
def test_contributions_to_a_node_are_found_by_size(condition, expected):
    found = [s.contribution for s in steps(sizes()).find("x", **condition)]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_without_a_node_all_nodes_are_searched():
    found = list(steps(sizes()).find(zero=True))
    assert [(s.node.op, s.operand_name) for s in found] == [("relu", "x")]


def test_breakpoints_add_up_and_leave_the_steps_they_were_set_on_alone():
    _, a, b, _, f = lecture()
    plain = steps(f)
    watched = plain.watch(b).watch(larger_than=10.0)
    assert numbers(filter(watched.stops_at, watched)) == [4, 6]
    assert not any(map(plain.stops_at, plain))
    assert numbers(filter(plain.watch(a, larger_than=3.5).stops_at, plain)) == [3]


@pytest.mark.parametrize(
    ("arguments", "condition", "error", "message"),
    [
        ((), {}, ValueError, "a condition is needed: a node, zero=True, nan=True or larger_than"),
        ((), {"larger_than": -1}, ValueError, r"it is ≥ 0, got -1\.0"),
        ((), {"larger_than": math.nan}, ValueError, "it is ≥ 0, got nan"),
        ((), {"larger_than": "big"}, TypeError, "a number for larger_than, got str: 'big'"),
        (("z",), {}, KeyError, "no node of the graph is called 'z'; there are x, a, b, c, f"),
        ((Value(1.0),), {}, KeyError, "is not part of the graph of 'f'"),
    ],
)
@pytest.mark.parametrize("method", ["find", "watch"])
def test_a_condition_that_makes_no_sense_is_refused_at_once(
    method, arguments, condition, error, message
):
    *_, f = lecture()
    with pytest.raises(error, match=message):
        getattr(steps(f), method)(*arguments, **condition)


# -- the table -----------------------------------------------------------------------------------


def test_the_table_adds_up_or_says_that_it_is_rounded():
    *_, f = lecture()
    assert steps(f).table().splitlines() == [
        "step  chain rule                numbers          contribution  running sum",
        "   0  f.grad = ∂f/∂f                             = 1           1",
        "   1  a.grad += f.grad · ∂f/∂a  1 · 3.2432       = 3.2432      3.2432"
        "                         1 of 3",
        "   2  c.grad += f.grad · ∂f/∂c  1 · 4            = 4           4"
        "                              1 of 1",
        "   3  a.grad += c.grad · ∂c/∂a  4 · 1            = 4           3.2432 + 4 = 7.2432"
        "            2 of 3",
        "   4  b.grad += c.grad · ∂c/∂b  4 · 1            = 4           4"
        "                              1 of 1",
        "   5  a.grad += b.grad · ∂b/∂a  4 · (-0.653644)  ≈ -2.61457"
        "    7.2432 + (-2.61457) ≈ 4.62862  3 of 3",
        "   6  x.grad += a.grad · ∂a/∂x  4.62862 · 4      ≈ 18.5145     18.5145"
        "                        1 of 1",
    ]


def test_a_star_marks_the_steps_with_a_breakpoint():
    *_, f = lecture()
    lines = steps(f).watch("a").table().splitlines()
    assert [line[2:4] for line in lines] == ["ep", " 0", "*1", " 2", "*3", " 4", "*5", " 6"]


def test_on_a_console_without_the_signs_the_table_is_ascii():
    code = (
        "from autograd_lite import Value, steps; x = Value(3.0, label='λ');"
        "print(steps(x * 0.1 * x))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    ).stdout
    assert printed.isascii()
    assert b"\\u03bb.grad += v1.grad * d v1/d \\u03bb" in printed


def test_text_without_an_encoding_takes_all_signs(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    x = Value(3.0, label="λ")
    assert "λ.grad += v1.grad · ∂v1/∂λ" in steps(x * x).table()


def test_as_text_a_long_walk_is_shortened_but_its_table_is_not():
    y = Value(1.0)
    for _ in range(100):
        y = -y
    lines = str(steps(y)).splitlines()
    assert len(lines) == 63
    assert [line.split()[0] for line in (lines[31], lines[33])] == ["30", "71"]
    assert lines[32] == "⋮ 40 more ⋮"
    assert len(steps(y).table().splitlines()) == 102


def test_control_characters_of_a_label_do_not_reach_the_terminal():
    x = Value(2.0, label="\x1b[2Jx\n\u202e")
    assert "?[2Jx??.grad += v1.grad" in steps(x * 3.0).table()


def test_columns_stand_below_each_other_with_wide_letters_too():
    x, y = Value(2.0, label="漢字"), Value(2.0, label="éé")
    lines = steps(x * y).table().splitlines()
    assert lines[2].index("1 · 2") + 4 == lines[3].index("1 · 2")  # four letters twice as wide


def test_nan_and_infinity_are_steps_like_any_other():
    x = Value(math.inf, label="x")
    table = steps(x * x - x / 0.0 * 1.0).table()
    assert "(-1) · inf  = -inf" in table
    assert "(-inf) + inf = nan" in table


# -- the page ------------------------------------------------------------------------------------


def test_the_page_is_saved_whole_with_all_digits_of_each_gradient(tmp_path):
    *_, f = lecture()
    path = tmp_path / "f.html"
    steps(f).save(path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "4.628623021237624" in text
    assert "18.514492084950497" in text
    assert os.listdir(tmp_path) == ["f.html"]


def test_a_page_that_cannot_be_made_leaves_no_file(tmp_path, monkeypatch):
    def fails(*_, **__):
        raise MemoryError

    monkeypatch.setattr("autograd_lite.drawing.stepper.page", fails)
    with pytest.raises(MemoryError):
        steps(lecture()[-1]).save(tmp_path / "f.html")
    assert os.listdir(tmp_path) == []


def test_a_page_is_saved_where_it_can_be_written_under_a_name_that_says_html(tmp_path):
    walk = steps(lecture()[-1])
    with pytest.raises(ValueError, match=r"'f\.svg' has the extension '\.svg', expected \.html"):
        walk.save("f.svg")
    with pytest.raises(FileNotFoundError, match=r"No such file or directory: '.*missing.f\.html'"):
        walk.save(tmp_path / "missing" / "f.html")


def test_a_notebook_shows_the_page_but_of_very_many_steps_a_table():
    x = y = Value(1.0, label="<x>")
    for _ in range(2001):
        y = -y
    shown = steps(y)._repr_html_()
    assert shown.startswith("<pre>step  chain rule")
    assert "&lt;x&gt;.grad += " in shown
    assert len(shown) < 10_000
    assert 'class="autograd-stepper' in steps(x * x)._repr_html_()
