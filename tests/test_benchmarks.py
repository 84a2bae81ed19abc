"""The benchmark of native programs: its sides give the same numbers, and it would say if not."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import settings

pytest.importorskip("numba")

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
PEERS = {"casadi": "CasADi", "jax": "JAX", "torch": "PyTorch"}


@pytest.fixture
def rows(monkeypatch):
    """Return what imports a module of rows, in a process that has no peers but NumPy."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    for name in PEERS:
        monkeypatch.setitem(sys.modules, name, None)
    yield lambda name: importlib.import_module(f"native_rows.{name}")
    for name in [name for name in sys.modules if name.split(".")[0] == "native_rows"]:
        del sys.modules[name]


GROUPS = [
    ("moons", ["micrograd, collector on"]),
    ("irregular", ["NumPy, one call per node"]),
    ("networks", ["NumPy by hand"]),
]
LONG_GROUPS = [("gpt", ["microgpt's kind of Value, collector on"]), ("epochs", [])]
IS_NIGHTLY = settings.default.max_examples > 200


@pytest.mark.parametrize(("group", "peers"), GROUPS + LONG_GROUPS * IS_NIGHTLY)
def test_all_sides_agree_before_they_are_timed(group, peers, rows, capsys):
    measuring = rows("measuring")
    options = measuring.Options(rounds=1, quick=True)
    rows(group).rows(measuring.Table(options), options)
    printed = capsys.readouterr().out
    for peer in peers:
        assert f"| {peer} |" in printed
    absent = [name for name in PEERS if f"| no {name} |" in printed]
    assert absent == {"irregular": ["casadi", "jax"], "networks": ["jax", "torch"]}.get(
        group, ["torch"] if group == "epochs" else []
    )


def test_sides_that_differ_are_not_timed(rows):
    measuring = rows("measuring")
    measuring.agree("the same", [1.0, 1e-12], [1.0, 0.0])
    for other in ([1.0 + 2e-9, 0.0], [float("nan"), 0.0], [1.0]):
        with pytest.raises(measuring.DisagreementError, match="a pair"):
            measuring.agree("a pair", other, [1.0, 0.0])


def test_a_ratio_below_its_goal_is_marked_and_listed(rows, capsys):
    measuring = rows("measuring")
    table = measuring.Table(measuring.Options(rounds=3, quick=False))
    table.ratio("work", "peer", [3.0, 6.0, 4.0], [1.0, 2.0, 2.0], 3.0)
    table.ratio("more", "peer", [3.0, 6.0, 4.0], [1.0, 2.0, 2.0], 3.1)
    assert table.missed == ["more, peer"]
    kept, missed = capsys.readouterr().out.splitlines()
    assert kept == "| work | peer | 4.00 s | 2.00 s | 3.00 | 2.00 – 3.00 | ≥ 3 |"
    assert missed.endswith("| ≥ 3.1 **missed** |")


@pytest.mark.parametrize("functions", [0.0, 0.4])
def test_every_operation_of_an_irregular_program_counts(functions, rows):
    programs = rows("irregular_programs")
    program = programs.irregular_program(300, 30, 5, functions=functions)
    used = {operand for _, i, j in program.operations for operand in (i, j)}
    assert used == set(range(30 + 300 - 1))
    assert (len(program.operations), program.points.shape) == (300, (5, 30))
    assert any(name in programs.FUNCTIONS for name, _, _ in program.operations) == bool(functions)
