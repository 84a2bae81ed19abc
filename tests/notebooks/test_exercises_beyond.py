"""The exercises on fast programs, PyTorch and the GPT: right answers are told from others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="notebooks need the extra test")
matplotlib = pytest.importorskip("matplotlib", reason="their plots need the extra plot")

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
FAST = "10_fast"
MOVING = "12_moving_on"
GPT = "13_a_gpt_of_scalars"

ANSWERS = {
    (FAST, 1): "recordings = 3",
    (FAST, 2): """
def limited(x):
    return autograd_lite.minimum(autograd_lite.maximum(x, 0), 1)
""",
    (FAST, 3): "printed = 6.0",
    (FAST, 4): """
def fitted(x, y):
    w, b = nn.Parameter(0.0), nn.Parameter(0.0)
    loss = autograd_lite.compile(lambda x, y: (w * x + b - y) ** 2, parameters=[w, b])
    optimizer = nn.optim.SGD([w, b], lr=0.5)
    for _ in range(100):
        optimizer.zero_grad()
        loss(x, y)
        optimizer.step()
    return w.data, b.data
""",
    (MOVING, 1): "shape = [3, 7]",
    (MOVING, 2): """
def outputs(state, x):
    depth = len(state) // 2
    for layer in range(depth):
        x = x @ state[f"layers.{layer}.weight"].T + state[f"layers.{layer}.bias"]
        if layer < depth - 1:
            x = np.tanh(x)
    return x
""",
    (MOVING, 3): """
def combined(gradients, sizes):
    return sum(n * g for g, n in zip(gradients, sizes)) / sum(sizes)
""",
    (MOVING, 4): "mean_squared_error = 0.5",
    (GPT, 1): "faces = math.e**2",
    (GPT, 2): """
def logit_gradient(logits, label):
    return [p - (k == label) for k, p in enumerate(softmax(logits))]
""",
    (GPT, 3): """
def attend(query, keys, values):
    shares = softmax([dot(query, key) / len(query) ** 0.5 for key in keys])
    return [dot(shares, column) for column in zip(*values)]
""",
    (GPT, 4): "def dot_products(n): return 2 * n * (n + 1)",
}

WRONG = {
    (FAST, 1): "recordings = 5",
    (FAST, 2): "def limited(x): return autograd_lite.maximum(x, 0)",
    (FAST, 3): "printed = 10.0",
    (FAST, 4): "def fitted(x, y): return 3.0, -1.0",
    (MOVING, 1): "shape = (7, 3)",
    (MOVING, 2): """
def outputs(state, x):
    for layer in range(len(state) // 2):
        x = np.tanh(x @ state[f"layers.{layer}.weight"].T + state[f"layers.{layer}.bias"])
    return x
""",
    (MOVING, 3): "def combined(gradients, sizes): return sum(gradients)",
    (MOVING, 4): "mean_squared_error = 1.0",
    (GPT, 1): "faces = 2**2",
    (GPT, 2): "def logit_gradient(logits, label): return softmax(logits)",
    (GPT, 3): """
def attend(query, keys, values):
    shares = softmax([dot(query, key) for key in keys])
    return [dot(shares, column) for column in zip(*values)]
""",
    (GPT, 4): "def dot_products(n): return 4 * n * n",
}


def said(name: str, number: int, answer: str | None, capsys: Any) -> str:
    """Return what an exercise's check prints: of the notebook's own cell, or of an answer."""
    cells = {cell.id: cell.source for cell in nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4).cells}
    names: dict[str, Any] = {}
    with matplotlib.rc_context():
        for source in (
            cells["imports"],
            cells[f"exercise-{number}"] if answer is None else answer,
            cells[f"check-{number}"],
        ):
            exec(source, names)
    return str(capsys.readouterr().out)


@pytest.mark.parametrize(("name", "number"), ANSWERS)
def test_a_right_answer_is_accepted(name: str, number: int, capsys: Any) -> None:
    printed = said(name, number, ANSWERS[name, number], capsys)
    assert "right" in printed
    assert "not yet" not in printed


@pytest.mark.parametrize(("name", "number"), WRONG)
def test_a_wrong_answer_is_not(name: str, number: int, capsys: Any) -> None:
    assert "not yet" in said(name, number, WRONG[name, number], capsys)


@pytest.mark.parametrize(("name", "number"), ANSWERS)
def test_no_answer_is_not_either(name: str, number: int, capsys: Any) -> None:
    assert "not yet" in said(name, number, None, capsys)


def test_every_exercise_has_both() -> None:
    found = {
        (name, int(cell.id.removeprefix("exercise-")))
        for name in {name for name, _ in ANSWERS}
        for cell in nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4).cells
        if cell.cell_type == "code" and cell.id.startswith("exercise-")
    }
    assert found == set(ANSWERS) == set(WRONG)
