"""The exercises of notebooks 06 to 10, 12 and 13: right answers are told from others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="notebooks need the extra test")
matplotlib = pytest.importorskip("matplotlib", reason="their plots need the extra plot")

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

ANSWERS = {
    ("06_neurons_to_mlps", 1): "dw2, dw1 = [0.0, -2.0], [0.0, 4.0]",
    ("06_neurons_to_mlps", 2): """
from autograd_lite import relu
def squared_hinge(h, y): return relu(1 - y * h) ** 2
def slope(h, y): return -2 * y * max(0, 1 - y * h)
""",
    ("06_neurons_to_mlps", 3): """
hidden_weight, hidden_bias = [[1, 1], [1, 1]], [0, -1]
output_weight, output_bias = [[1, -2]], [0]
""",
    ("06_neurons_to_mlps", 4): """
import math
def weight_gradient(w1, w2, x, y):
    a = [math.tanh(sum(w * xi for w, xi in zip(row, x, strict=True))) for row in w1]
    delta2 = 2 * (sum(w * ai for w, ai in zip(w2, a, strict=True)) - y)
    delta1 = [(1 - ai**2) * w * delta2 for ai, w in zip(a, w2, strict=True)]
    return [[d * xi for xi in x] for d in delta1]
""",
    ("07_training", 1): "second_step = -0.001",
    ("07_training", 2): """
def momentum_step(theta, gradient, velocity, lr, beta):
    for i in range(len(theta)):
        velocity[i] = beta * velocity[i] + gradient[i]
        theta[i] -= lr * velocity[i]
""",
    ("07_training", 3): "largest_rate, newton_steps = 2 / 40, 1",
    ("07_training", 4): """
def my_schedule(step):
    return 0.02 * step if step < 10 else 0.2 * 0.5 ** ((step - 10) // 20)
""",
    ("08_why_deep_is_hard", 1): "depth = 20",
    ("08_why_deep_is_hard", 2): "gamma, beta = (1.25 + 1e-5) ** 0.5, 2.5",
    ("08_why_deep_is_hard", 3): "dw1 = [0.64, 0.0]",
    ("08_why_deep_is_hard", 4): """
def clipped(gradient, tau):
    norm = math.hypot(*gradient)
    return [g * tau / norm for g in gradient] if norm > tau else gradient
""",
    ("09_generalising", 1): "with_penalty, with_weight_decay = 3.1, 3.3",
    ("09_generalising", 2): """
def my_dropout(numbers, p, draw):
    return [0.0 if draw() < p else x / (1 - p) for x in numbers]
""",
    ("09_generalising", 3): "ends_after, keeps = 6, 4",
    ("09_generalising", 4): """
def input_gradient(w, a, y):
    return [(a - y) * wi for wi in w]
""",
    ("10_fast", 1): "recordings = 3",
    ("10_fast", 2): """
def limited(x):
    return autograd_lite.minimum(autograd_lite.maximum(x, 0), 1)
""",
    ("10_fast", 3): "printed = 6.0",
    ("10_fast", 4): """
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
    ("12_moving_on", 1): "shape = [3, 7]",
    ("12_moving_on", 2): """
def outputs(state, x):
    depth = len(state) // 2
    for layer in range(depth):
        x = x @ state[f"layers.{layer}.weight"].T + state[f"layers.{layer}.bias"]
        if layer < depth - 1:
            x = np.tanh(x)
    return x
""",
    ("12_moving_on", 3): """
def combined(gradients, sizes):
    return sum(n * g for g, n in zip(gradients, sizes)) / sum(sizes)
""",
    ("12_moving_on", 4): "mean_squared_error = 0.5",
    ("13_a_gpt_of_scalars", 1): "faces = math.e**2",
    ("13_a_gpt_of_scalars", 2): """
def logit_gradient(logits, label):
    return [p - (k == label) for k, p in enumerate(softmax(logits))]
""",
    ("13_a_gpt_of_scalars", 3): """
def attend(query, keys, values):
    shares = softmax([dot(query, key) / len(query) ** 0.5 for key in keys])
    return [dot(shares, column) for column in zip(*values)]
""",
    ("13_a_gpt_of_scalars", 4): "def dot_products(n): return 2 * n * (n + 1)",
}

WRONG = {
    ("06_neurons_to_mlps", 1): "dw2, dw1 = [-4.0, 0.0], [-2.0, 0.0]",
    ("06_neurons_to_mlps", 2): """
from autograd_lite import relu
def squared_hinge(h, y): return relu(1 - y * h) ** 2
def slope(h, y): return -2 * max(0, 1 - y * h)
""",
    ("06_neurons_to_mlps", 3): """
hidden_weight, hidden_bias = [[1, 1], [1, 1]], [0, -1]
output_weight, output_bias = [[1, -1]], [0]
""",
    ("06_neurons_to_mlps", 4): """
def weight_gradient(w1, w2, x, y): return [[0.0] * 3, [0.0] * 3]
""",
    ("07_training", 1): "second_step = 0.001",
    ("07_training", 2): """
def momentum_step(theta, gradient, velocity, lr, beta):
    for i in range(len(theta)):
        velocity[i] = beta * velocity[i] + (1 - beta) * gradient[i]
        theta[i] -= lr * velocity[i]
""",
    ("07_training", 3): "largest_rate, newton_steps = 1 / 40, 1",
    ("07_training", 4): """
def my_schedule(step):
    return 0.02 * step if step < 10 else 0.2 * 0.5 ** (step // 20)
""",
    ("08_why_deep_is_hard", 1): "depth = 21",
    ("08_why_deep_is_hard", 2): "gamma, beta = 1.25**0.5, 2.5",
    ("08_why_deep_is_hard", 3): "dw1 = [0.64, -1.28]",
    ("08_why_deep_is_hard", 4): """
def clipped(gradient, tau):
    return [max(-tau, min(tau, g)) for g in gradient]
""",
    ("09_generalising", 1): "with_penalty, with_weight_decay = 3.1, 3.1",
    ("09_generalising", 2): """
def my_dropout(numbers, p, draw):
    return [x / (1 - p) if draw() < p else 0.0 for x in numbers]
""",
    ("09_generalising", 3): "ends_after, keeps = 8, 8",
    ("09_generalising", 4): """
def input_gradient(w, a, y):
    return [(y - a) * wi for wi in w]
""",
    ("10_fast", 1): "recordings = 5",
    ("10_fast", 2): "def limited(x): return autograd_lite.maximum(x, 0)",
    ("10_fast", 3): "printed = 10.0",
    ("10_fast", 4): "def fitted(x, y): return 3.0, -1.0",
    ("12_moving_on", 1): "shape = (7, 3)",
    ("12_moving_on", 2): """
def outputs(state, x):
    for layer in range(len(state) // 2):
        x = np.tanh(x @ state[f"layers.{layer}.weight"].T + state[f"layers.{layer}.bias"])
    return x
""",
    ("12_moving_on", 3): "def combined(gradients, sizes): return sum(gradients)",
    ("12_moving_on", 4): "mean_squared_error = 1.0",
    ("13_a_gpt_of_scalars", 1): "faces = 2**2",
    ("13_a_gpt_of_scalars", 2): "def logit_gradient(logits, label): return softmax(logits)",
    ("13_a_gpt_of_scalars", 3): """
def attend(query, keys, values):
    shares = softmax([dot(query, key) for key in keys])
    return [dot(shares, column) for column in zip(*values)]
""",
    ("13_a_gpt_of_scalars", 4): "def dot_products(n): return 4 * n * n",
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
