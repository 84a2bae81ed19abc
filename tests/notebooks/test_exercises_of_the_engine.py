"""The checks of the exercises in notebooks 01 to 03 accept right answers, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Answer = Callable[[str, dict[str, str]], dict[str, str]]  # the fixture of conftest.py

RIGHT = {
    "01": {
        "exercise-1": (
            "from autograd_lite import cos\n"
            "def k(x):\n    return x**2 * sin(3 * x)\n"
            "def k_slope(x):\n    return 2 * x * sin(3 * x) + 3 * x**2 * cos(3 * x)"
        ),
        "exercise-2": "arrows, slope = 4, 8.0",
        "exercise-3": (
            "def cube_root(y):\n"
            "    x = Value(max(y, 1.0))\n"
            "    for _ in range(60):\n"
            "        gap = x**3 - y\n"
            "        x.zero_grad()\n"
            "        gap.backward()\n"
            "        x.data -= gap.data / x.grad\n"
            "    return x.data"
        ),
        "exercise-4": (
            "from math import cos as c, sin as s\n"
            "def polar_gradient(r, phi):\n"
            "    u0, u1 = r * c(phi), r * s(phi)\n"
            "    return [2 * u0 * c(phi) + 6 * u1 * s(phi), -2 * u0 * u1 + 6 * u1 * u0]"
        ),
    },
    "02": {
        "exercise-1": "order = 'tsrqp'",
        "exercise-2": "paths = 4**3",
        "exercise-3": "w1_new, w2_new = [2.0, 1.0], [1.0, 2.0]",
        "exercise-4": (
            "def sweep(root, order):\n"
            "    for node in order:\n        node.grad = 0.0\n"
            "    root.grad = 1.0\n"
            "    for node in order:\n"
            "        for operand, partial in zip(node.operands, node.partials):\n"
            "            operand.grad += node.grad * partial"
        ),
    },
    "03": {
        "exercise-1": (
            "def best_step(epsilon, value, third):\n"
            "    return (3 * epsilon * value / third) ** (1 / 3)"
        ),
        "exercise-2": (
            "def curve_points(angle):\n"
            "    return [sin(k * angle) / k for k in range(1, 101)]\n"
            "def all_slopes(angle):\n"
            "    return jvp(curve_points, (angle,), (1.0,))[1]"
        ),
        "exercise-3": (
            "def heron(y):\n"
            "    r = y\n"
            "    while abs(r * r - y) > 1e-12:\n"
            "        r = (r + y / r) / 2\n"
            "    return r"
        ),
        "exercise-4": "def third_by_hand(theta):\n    return 192 * (2 * theta + 1)",
    },
}

WRONG = {
    "01": {
        "exercise-1": (
            "def k(x):\n    return x**2 * sin(3 * x)\n"
            "def k_slope(x):\n    return 2 * x * sin(3 * x)"
        ),
        "exercise-2": "arrows, slope = 3, 8.0",
        "exercise-3": "def cube_root(y):\n    return y / 9 * 1.0",
        "exercise-4": "def polar_gradient(r, phi):\n    return [2 * r, 0.0]",
    },
    "02": {
        "exercise-1": "order = 'trsqp'",
        "exercise-2": "paths = 4**4",
        "exercise-3": "w1_new, w2_new = [2.0, -1.0], [1.0, 1.0]",
        "exercise-4": (
            "def sweep(root, order):\n"
            "    root.grad = 1.0\n"
            "    for node in order:\n"
            "        for operand, partial in zip(node.operands, node.partials):\n"
            "            operand.grad = node.grad * partial"
        ),
    },
    "03": {
        "exercise-1": "def best_step(epsilon, value, third):\n    return epsilon ** (1 / 3)",
        "exercise-2": "def all_slopes(angle):\n    return [0.0] * 100",
        "exercise-3": "def heron(y):\n    return sqrt(float(y))\nfrom math import sqrt",
        "exercise-4": "def third_by_hand(theta):\n    return 192 * theta",
    },
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_are_accepted(name: str, answer: Answer) -> None:
    for cell, said in answer(name, RIGHT[name]).items():
        if cell.startswith("check-"):
            assert "right" in said, (cell, said)
            assert "not yet" not in said, (cell, said)


@pytest.mark.parametrize("answers", [{}, WRONG], ids=["none", "wrong"])
@pytest.mark.parametrize("name", RIGHT)
def test_no_answer_and_wrong_ones_are_not(
    name: str, answers: dict[str, dict[str, str]], answer: Answer
) -> None:
    checks = {c: said for c, said in answer(name, answers.get(name, {})).items() if "check-" in c}
    assert len(checks) == 4
    for cell, said in checks.items():
        assert "not yet" in said, (cell, said)
