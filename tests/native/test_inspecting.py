"""What a program tells about itself, and programs in files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite
from autograd_lite import Value, grad, hessian, value_and_grad
from autograd_lite.native.python.namespace import namespace


def branching(p: Any, scale: Any) -> Any:
    x, y = p
    return (x * y + scale).tanh() if x > y else x / y


POINTS = np.array([[0.5, 0.25], [1.0, 2.0], [0.75, 0.5]])


# -- text and pictures -----------------------------------------------------------------------------


def test_the_source_gives_the_numbers_of_the_program() -> None:
    compiled = autograd_lite.compile(branching)
    value, (dp, ds) = compiled.value_and_grad([0.5, 0.25], 3.0)
    names = namespace()
    exec(compiled.source, names)
    names["expect"] = lambda answer, recorded: None
    result, saved = names["forward"]([0.5, 0.25], 3.0)
    assert result == pytest.approx(value, rel=1e-15)
    d_p, d_s = names["backward"](saved)
    assert d_p == pytest.approx(dp, rel=1e-14)
    assert d_s == pytest.approx(ds, rel=1e-14)
    assert "def forward(p, scale):" in compiled.source


def test_the_source_and_summary_show_every_way_of_the_last_call() -> None:
    compiled = autograd_lite.compile(branching)
    compiled(POINTS, 3.0)
    assert compiled.source.count("def forward(p, scale):") == 2
    assert "# Recording 2 of 2" in compiled.source
    assert "not p[0] > p[1]" in compiled.summary()
    assert "for 3 lanes" in compiled.summary()
    compiled([2.0, 1.0], 3.0)
    assert compiled.source.count("def forward(p, scale):") == 1
    assert "3 operations in 3 levels, 1 output" in compiled.summary()
    assert len(compiled.recordings) == 2


def test_a_summary_tells_the_matrix_products() -> None:
    import nn

    network = nn.MLP(4, [8, 2]) if hasattr(nn, "MLP") else nn.Linear(4, 8)
    step = autograd_lite.compile(
        lambda x: sum(y * y for y in network(x)), parameters=network.parameters()
    )
    step(np.ones((5, 4)))
    assert "(8 x 4)(4)" in step.summary()
    assert "d_x" not in step.source


def test_before_the_first_call_there_is_nothing_to_show(tmp_path: Path) -> None:
    compiled = autograd_lite.compile(branching)
    for show in (lambda: compiled.source, compiled.summary, compiled.draw):
        with pytest.raises(RuntimeError, match="nothing is recorded yet: call the program first"):
            show()
    with pytest.raises(RuntimeError, match="nothing is recorded yet"):
        compiled.save(tmp_path / "f.program")


def test_a_picture_shows_the_numbers_of_the_recording() -> None:
    compiled = autograd_lite.compile(lambda x: (x * 2.0, x.exp()))
    compiled(np.array([3.0, 4.0]))
    picture = compiled.draw().svg
    assert ">x<" in picture
    assert "6" in picture
    assert "exp" in compiled.draw(output=1).svg


# -- files -----------------------------------------------------------------------------------------


def test_a_program_comes_back_from_a_file(tmp_path: Path) -> None:
    compiled = autograd_lite.compile(branching)
    expected = compiled.value_and_grad(POINTS, 3.0)
    compiled.save(tmp_path / "f.program")
    loaded = autograd_lite.load_program(tmp_path / "f.program")
    values, (dp, ds) = loaded.value_and_grad(POINTS, scale=3.0)
    np.testing.assert_array_equal(values, expected[0])
    np.testing.assert_array_equal(dp, expected[1][0])
    np.testing.assert_array_equal(ds, expected[1][1])
    assert loaded.source == compiled.source
    assert loaded([1.0, 2.0], 0.0) == 0.5
    assert "branching, 2 recordings>" in repr(loaded)


def test_a_loaded_program_learns_on(tmp_path: Path) -> None:
    w = [Value(0.5, label="a"), Value(-1.0, label="b")]
    step = autograd_lite.compile(lambda x, y: (w[0] * x + w[1] - y) ** 2, parameters=w)
    loss = step([1.0, 2.0], [3.0, 4.0])
    step.save(tmp_path / "line.program")
    loaded = autograd_lite.load_program(tmp_path / "line.program")
    assert loaded([1.0, 2.0], [3.0, 4.0]) == loss
    assert [p.label for p in loaded.parameters] == ["a", "b"]
    assert [p.grad for p in loaded.parameters] == [p.grad for p in w]
    loaded.parameters[0].data = 10.0
    assert w[0].data == 0.5


def test_without_comparisons_a_loaded_program_can_be_differentiated_again(tmp_path: Path) -> None:
    def f(p: Any) -> Any:
        return (p[0] * p[1]).sin() + p[0] ** 3.0

    compiled = autograd_lite.compile(f)
    compiled([0.5, 2.0])
    compiled.save(tmp_path / "f.program")
    loaded = autograd_lite.load_program(tmp_path / "f.program")
    for row, expected in zip(loaded.hessian([0.5, 2.0]), hessian(f)([0.5, 2.0]), strict=True):
        assert row == pytest.approx(expected, rel=1e-13)
    assert grad(lambda x: loaded([x, 2.0]))(0.5) == grad(lambda x: f([x, 2.0]))(0.5)


def test_what_a_loaded_program_cannot_do(tmp_path: Path) -> None:
    compiled = autograd_lite.compile(branching)
    compiled([2.0, 1.0], 3.0)
    compiled.save(tmp_path / "f.program")
    loaded = autograd_lite.load_program(tmp_path / "f.program")
    with pytest.raises(RuntimeError, match=r"recorded for other arguments \(\[number, number\], n"):
        loaded([1.0, 2.0, 3.0], 3.0)
    with pytest.raises(RuntimeError, match="comparison with an answer for which nothing was rec"):
        loaded([1.0, 2.0], 3.0)
    assert loaded([2.0, 1.0], 0.0) == math.tanh(2.0)


def test_recordings_that_no_longer_hold_are_not_saved(tmp_path: Path) -> None:
    rate = 2.0

    def scaled(x: Any) -> Any:
        return rate * x

    compiled = autograd_lite.compile(scaled)
    compiled(1.0)
    rate = 5.0
    compiled(1.0)
    compiled.save(tmp_path / "f.program")
    loaded = autograd_lite.load_program(tmp_path / "f.program")
    assert loaded(1.0) == 5.0
    assert len(loaded.recordings) == 1
    assert value_and_grad(scaled)(1.0) == loaded.value_and_grad(1.0)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.program"
    path.write_text("no program")
    with pytest.raises(ValueError, match=r"f\.program"):
        autograd_lite.load_program(path)
    from autograd_lite.native.programs.files import save_recordings

    save_recordings(path, [])
    with pytest.raises(ValueError, match="holds recordings, but no program"):
        autograd_lite.load_program(path)
