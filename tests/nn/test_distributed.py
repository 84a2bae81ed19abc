"""What was built here trains in several processes of PyTorch."""

import inspect
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if not torch.distributed.is_available():
    pytest.skip("this PyTorch has no torch.distributed", allow_module_level=True)

ROOT = Path(nn.__file__).parent.parent


def documented_program():
    """Return the program in the documentation of to_torch."""
    _, _, rest = inspect.getdoc(nn.to_torch).partition("into the same ones::\n")
    program, _, _ = rest.partition("\nExamples\n")
    return textwrap.dedent(program).strip() + "\n"


def run(program, folder):
    """Run a program in a process of its own, for at most five minutes; return its two lines."""
    path = folder / "program.py"
    path.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def trained_here(steps):
    """Train the documented program's model in the engine, on whole batches."""
    points, labels = nn.data.moons(64, noise=0.1, labels=(-1, 1), seed=0)
    model, loss = nn.MLP(2, [8, 1], "tanh", seed=0), nn.LogisticLoss()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model(points), labels).backward()
        optimizer.step()
    return model, loss(model(points), labels).data


def test_two_processes_learn_what_one_learns_from_the_whole_batch(tmp_path):
    program = documented_program()
    loss_shown = "print(nn.LogisticLoss()(model(POINTS), LABELS).data)"
    assert program.endswith(f"    {loss_shown}\n")
    program += "    print(model.state_dict())\n"
    loss, state = map(eval, run(program, tmp_path))
    model, here = trained_here(5)
    assert loss == pytest.approx(here, rel=1e-12, abs=0)
    for name, numbers in model.state_dict().items():
        there, ours = (torch.tensor(x, dtype=torch.float64) for x in (state[name], numbers))
        assert there.shape == ours.shape
        assert (there - ours).abs().max() <= 1e-12 * ours.abs().max(), name
    _, before = trained_here(0)
    assert loss < 0.7 * before
