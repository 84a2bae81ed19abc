"""Steps: Adam's by hand, larger batches, Newton's (rows 4.2, 4.3 and 4.17)."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Any

import pytest

import nn
from autograd_lite import Value, exp, grad, hessian, value_and_grad

# -- 4.2: Adam's first steps ---------------------------------------------------------------------


def test_row_4_2_adams_first_three_steps_by_hand() -> None:
    # Gradients 1, -1, 3; β₁ = 9/10, β₂ = 999/1000, in fractions:
    # m = 1/10, -1/100, 291/1000 and m̂ = m / (1 - β₁ᵗ) = 1, -1/19, 291/271;
    # v = 1/1000, 1999/10⁶, … and v̂ = v / (1 - β₂ᵗ) = 1, 1, 10.994/2.997….
    first, second = Fraction(9, 10), Fraction(999, 1000)
    m = v = Fraction(0)
    hats = []
    for t, g in enumerate((1, -1, 3), 1):
        m, v = first * m + (1 - first) * g, second * v + (1 - second) * g * g
        hats.append((m / (1 - first**t), v / (1 - second**t)))
    assert [m_hat for m_hat, _ in hats] == [1, Fraction(-1, 19), Fraction(291, 271)]
    assert [v_hat for _, v_hat in hats[:2]] == [1, 1]
    assert float(hats[2][1]) == pytest.approx(3.669336, abs=1e-6)

    w = nn.Parameter(0.0)
    optimizer = nn.optim.Adam([w])  # μ = 0.001, ε = 1e-8
    moves = []
    for g in (1.0, -1.0, 3.0):
        before = w.data
        w.grad = g
        optimizer.step()
        moves.append(w.data - before)
    by_hand = [-0.001 * float(m) / (math.sqrt(v) + 1e-8) for m, v in hats]
    assert moves == pytest.approx(by_hand, rel=1e-12)
    # Whatever the size of the first gradient, the first step has that of μ.
    assert moves == pytest.approx([-0.001, 0.001 / 19.0, -0.000560570], rel=1e-6)


# -- 4.3: k times the batch with k times the rate ------------------------------------------------

K, BATCH = 4, 8


def regression(count: int) -> tuple[list[list[float]], list[float]]:
    rng = random.Random(0)
    inputs = [[rng.gauss(0.0, 1.0) for _ in range(3)] for _ in range(count)]
    return inputs, [2.0 * a - b + 0.5 * c + rng.gauss(0.0, 0.1) for a, b, c in inputs]


def moved(lr: float, batch: int) -> list[float]:
    """Return how far one pass over K · BATCH samples moves the weights of a linear model."""
    inputs, targets = regression(K * BATCH)
    model = nn.MLP(3, [1], seed=0)
    optimizer = nn.optim.SGD(model.parameters(), lr=lr)
    before = [p.data for p in model.parameters()]
    for start in range(0, K * BATCH, batch):
        optimizer.zero_grad()
        part = slice(start, start + batch)
        nn.MSELoss()(model(inputs[part]), targets[part]).backward()
        optimizer.step()
    return [p.data - b for p, b in zip(model.parameters(), before, strict=True)]


def difference(lr: float, factor: int) -> float:
    """Compare one step of K · BATCH at ``factor`` · lr with K steps of BATCH at lr."""
    small, large = moved(lr, BATCH), moved(factor * lr, K * BATCH)
    gap = math.hypot(*(a - b for a, b in zip(small, large, strict=True)))
    return gap / math.hypot(*small)


def test_row_4_3_k_times_the_batch_with_k_times_the_rate_moves_as_k_steps_do() -> None:
    # To first order in the rate: the relative difference is proportional to it, and so vanishes.
    coarse, fine = difference(0.002, K), difference(0.001, K)
    assert fine < 0.01
    assert coarse / fine == pytest.approx(2.0, abs=0.05)
    # At the same rate it moves a K-th of the way.
    assert difference(0.001, 1) == pytest.approx(1.0 - 1.0 / K, abs=0.01)


def test_row_4_3_and_so_it_trains_as_fast_by_epochs() -> None:
    data = regression(256)

    def losses(lr: float, batch: int) -> list[float]:
        model = nn.MLP(3, [1], seed=0)
        history = nn.fit(
            model,
            data,
            loss=nn.MSELoss(),
            optimizer=nn.optim.SGD(model.parameters(), lr=lr),
            epochs=K,
            batch_size=batch,
            seed=0,
            validation=data,
        )
        return [epoch.validation_loss or math.nan for epoch in history]

    small = losses(0.005, 8)
    scaled, unscaled = losses(K * 0.005, K * 8), losses(0.005, K * 8)
    assert scaled == pytest.approx(small, rel=0.1)
    # With the rate left alone, the larger batch needs K epochs for one.
    assert unscaled[K - 1] == pytest.approx(small[0], rel=0.02)
    assert unscaled[-1] > 4.0 * scaled[-1]


# -- 4.17: Newton's method, and optimisation with bare Values ------------------------------------


def valley(p: Any) -> Any:
    """Return ½(x² + 100 y²), whose Hessian is diag(1, 100)."""
    x, y = p
    return (x * x + 100.0 * y * y) * 0.5


def turned(p: Any) -> Any:
    """Return the same valley, turned by 45°."""
    x, y = p
    return valley([(x + y) * math.sqrt(0.5), (x - y) * math.sqrt(0.5)])


def solved(matrix: Any, right: Any) -> list[float]:
    (a, b), (c, d) = matrix
    determinant = a * d - b * c
    return [
        (d * right[0] - b * right[1]) / determinant,
        (a * right[1] - c * right[0]) / determinant,
    ]


@pytest.mark.parametrize("f", [valley, turned])
def test_row_4_17_newtons_method_takes_one_step_on_a_quadratic(f: Any) -> None:
    p = [3.0, -2.0]
    step = solved(hessian(f)(p), grad(f)(p))
    assert [a - s for a, s in zip(p, step, strict=True)] == pytest.approx([0.0, 0.0], abs=1e-14)


def test_row_4_17_the_diagonal_of_the_hessian_is_enough_only_along_the_axes() -> None:
    p = [3.0, -2.0]

    def after_one_step(f: Any) -> list[float]:
        matrix, slope = hessian(f)(p), grad(f)(p)
        return [a - slope[i] / matrix[i][i] for i, a in enumerate(p)]

    assert hessian(valley)(p) == [[1.0, 0.0], [0.0, 100.0]]
    assert after_one_step(valley) == [0.0, 0.0]  # a step size for each coordinate
    assert hessian(turned)(p)[0] == pytest.approx([50.5, -49.5], rel=1e-14)
    x, y = after_one_step(turned)  # the neglected entry remains: (49.5 / 50.5) of the other
    assert [x, y] == pytest.approx([-2.0 * 49.5 / 50.5, 3.0 * 49.5 / 50.5], rel=1e-12)


def test_row_4_17_gradient_descent_needs_as_many_steps_as_the_valley_is_long() -> None:
    # The rate is bounded by the steep direction, 2/100; the flat one then shrinks by 1 - lr a step.
    def steps(lr: list[float]) -> int:
        p, count = [3.0, -2.0], 0
        while valley(p) > 1e-6:
            p = [a - rate * g for a, rate, g in zip(p, lr, grad(valley)(p), strict=True)]
            count += 1
        return count

    # 4.5 · 0.99²ⁿ < 1e-6 for n = 763 steps of 1/100; rates 1/h for each coordinate need one.
    assert steps([0.01, 0.01]) == math.ceil(math.log(4.5e6) / (-2.0 * math.log(0.99))) == 763
    assert steps([1.0, 0.01]) == 1
    p = [3.0, -2.0]
    for _ in range(100):
        p = [a - 0.021 * g for a, g in zip(p, grad(valley)(p), strict=True)]
    assert valley(p) > 1e6  # beyond 2/100 it diverges


def test_row_4_17_newtons_method_converges_quadratically() -> None:
    # The minimum of eˣ - 2x is at log 2; the error of a step is half the square of the one before.
    def f(x: Any) -> Any:
        return exp(x) - 2.0 * x

    x, errors = 0.0, []
    for _ in range(6):
        x -= grad(f)(x) / hessian(f)(x)
        errors.append(abs(x - math.log(2.0)))
    assert errors[1] / errors[0] ** 2 == pytest.approx(0.5, rel=0.1)
    assert errors[2] / errors[1] ** 2 == pytest.approx(0.5, rel=0.02)
    assert errors[3] / errors[2] ** 2 == pytest.approx(0.5, rel=0.001)
    assert errors[-1] < 1e-15


def test_row_4_17_bare_values_are_optimised_without_a_network() -> None:
    # Of all boxes without lid of surface 12, that of 2 × 2 × 1 holds the most: 4.
    def volume(sides: Any) -> Any:
        a, b = sides
        return a * b * (12.0 - a * b) / (2.0 * (a + b))

    a, b = Value(1.0), Value(3.0)
    optimizer = nn.optim.SGD([a, b], lr=0.3)
    for _ in range(100):
        optimizer.zero_grad()
        (-volume((a, b))).backward()
        optimizer.step()
    assert [a.data, b.data] == pytest.approx([2.0, 2.0], abs=1e-6)
    value, slope = value_and_grad(volume)([2.0, 2.0])
    assert (value, slope) == (4.0, [0.0, 0.0])
