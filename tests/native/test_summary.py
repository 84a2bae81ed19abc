"""What a summary tells."""

from __future__ import annotations

import autograd_lite as ag
from autograd_lite import Value, lanes
from autograd_lite.native.programs.summary import Facts, summary
from autograd_lite.native.tracing.recording import record


def rows_of(text):
    """Return what is told, by title."""
    rows = {}
    title = ""
    for line in text.splitlines()[1:]:
        title = line[:16].strip() or title
        rows[title] = " ".join([*([rows[title]] if title in rows else []), line[16:]])
    return rows


def test_operations_come_by_frequency_and_unused_ones_do_not_count():
    def function(x):
        x.exp()
        return x * x * x + x.sin() + Value(2.0, requires_grad=False) ** 3.0

    text = summary(record(function, (2.0,)))
    assert text.splitlines()[0] == "5 operations in 4 levels, 1 output"
    rows = rows_of(text)
    assert rows["operations"] == "* 2x, + 2x, sin"
    assert rows["leaves"] == "1 number of arguments, 2 constants"
    assert rows["runs"] == "as generated Python"


def test_a_network_has_products_parameters_and_a_lane_free_part():
    weights = [[Value(0.1) for _ in range(3)] for _ in range(4)]
    parameters = [w for row in weights for w in row]

    def loss(x):
        penalty = ag.total([w * w for w in parameters])
        return ag.total(ag.linear(x, weights)) + penalty

    tape = record(loss, ([1.0, 2.0, 3.0],), parameters=parameters)
    facts = Facts(((4, 3, 1), (4, 3, 1), (10, 32, 7)), 25, 9, itemsize=4)
    text = summary(tape, facts, varying={0}, lanes=32)
    rows = rows_of(text)
    assert rows["operations"] == "* 12x, dot 4x, total 2x, +"
    assert rows["leaves"] == "3 numbers of arguments, 12 parameters"
    assert rows["without lanes"] == "13 operations"
    assert rows["products"] == "(4 x 3)(3) 2x, (10 x 32)(32 x 7)"
    assert rows["memory"] == "200 B and 72 B per lane; 2.4 KiB for 32 lanes"


def test_guards_draws_effects_and_python_are_told():
    def function(x, i):
        lanes.after(print, lanes.mean(x))
        (mask,) = lanes.fresh(1, lambda count, size: [[1.0] * size] * count)
        if x > 0.0 and not x >= 5.0 and x:
            return [x * mask, x][i]
        return x

    rows = rows_of(summary(record(function, (1.0, 0)), Facts((), 0, 4, through_python=("cube",))))
    assert rows["guards"] == "4: x > 0, not x >= 5, x is not 0, i is 0"
    assert rows["draws"] == "1 number per lane"
    assert rows["effects"] == "1 function called after each run"
    assert rows["runs"] == "as native kernels; through Python: cube"


def test_many_guards_are_cut_and_lines_are_short():
    def function(x):
        y = x
        for limit in range(40):
            y = y * 1.5 if y > float(limit) else y + 0.25
        return y

    text = summary(record(function, (2.0,)))
    assert rows_of(text)["guards"].endswith(", and 36 more")
    assert max(map(len, text.splitlines())) <= 80
