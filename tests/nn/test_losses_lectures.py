"""The lectures' rows 3.5 and 3.7: weight decay, and the likelihoods that losses come from."""

import math

import pytest

import nn
from autograd_lite import Value


def gradients(values):
    return [value.grad for value in values]


# -- weight decay (row 3.5) ----------------------------------------------------------------------


def test_the_penalty_s_gradient_is_2_lambda_theta():
    theta = [Value(2.0), Value(-3.0)]
    penalty = nn.l2_penalty(theta, 0.5)
    penalty.backward()
    assert (penalty.data, gradients(theta)) == (6.5, [2.0, -3.0])


def test_g_s_step_keeps_the_rate_before_the_penalty_s_gradient():
    """θ = 2, η = 0.1, λ = 0.5: 1.8 by the penalty λθ², 1.9 by the optimiser's λ."""
    theta = nn.Parameter(2.0)
    nn.l2_penalty([theta], 0.5).backward()
    nn.optim.SGD([theta], lr=0.1).step()
    assert theta.data == 1.8
    theta = nn.Parameter(2.0)
    (theta * 0.0).backward()
    nn.optim.SGD([theta], lr=0.1, weight_decay=0.5).step()
    assert theta.data == 1.9


def decayed(optimizer, *, penalty, **settings):
    """Return the weights of a regression after some steps of an optimiser."""
    model = nn.Linear(3, 1, seed=0)
    optimizer = optimizer(model.parameters(), lr=0.05, **settings)
    for _ in range(20):
        optimizer.zero_grad()
        loss = nn.MSELoss()(model([[1.0, 2.0, -1.0], [0.5, -1.0, 3.0]]), [[1.0], [2.0]])
        (loss + nn.l2_penalty(model.parameters(), penalty)).backward()
        optimizer.step()
    return [p.data for p in model.parameters()]


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_for_sgd_and_adam_a_penalty_of_half_lambda_is_the_optimiser_s_weight_decay(name):
    optimizer = getattr(nn.optim, name)
    assert decayed(optimizer, penalty=0.1) == pytest.approx(
        decayed(optimizer, penalty=0.0, weight_decay=0.2), rel=1e-12, abs=0.0
    )


def test_adamw_decays_apart_from_the_gradient_which_is_something_else():
    with_penalty = decayed(nn.optim.Adam, penalty=0.1)
    apart = decayed(nn.optim.AdamW, penalty=0.0, weight_decay=0.2)
    assert max(abs(a - b) for a, b in zip(with_penalty, apart, strict=True)) > 0.01


# -- where losses come from (row 3.7) ------------------------------------------------------------


def normal_density(x, mean, deviation):
    return math.exp(-((x - mean) ** 2) / (2 * deviation**2)) / (deviation * math.sqrt(2 * math.pi))


def test_row_3_7_normal_noise_gives_the_squared_loss():
    g, y = [0.5, -1.0, 2.0], [1.0, 0.25, 1.5]
    likelihood = math.prod(normal_density(b, a, 1.0) for a, b in zip(g, y, strict=True))
    constant = 3 * math.log(math.sqrt(2 * math.pi))
    assert -math.log(likelihood) == pytest.approx(nn.HalfMSELoss("sum")(g, y) + constant, rel=1e-14)
    narrow = math.prod(normal_density(b, a, math.sqrt(0.5)) for a, b in zip(g, y, strict=True))
    constant = 3 * math.log(math.sqrt(math.pi))
    assert -math.log(narrow) == pytest.approx(nn.MSELoss("sum")(g, y) + constant, rel=1e-14)


def test_row_3_7_laplace_noise_gives_the_absolute_loss():
    g, y = [0.5, -1.0], [1.0, 0.25]
    likelihood = math.prod(math.exp(-abs(b - a)) / 2 for a, b in zip(g, y, strict=True))
    expected = nn.L1Loss("sum")(g, y) + 2 * math.log(2)
    assert -math.log(likelihood) == pytest.approx(expected, rel=1e-14)


def test_row_3_7_a_bernoulli_variable_gives_the_binary_cross_entropy():
    logits, y = [0.5, -1.0, 2.0], [1, 0, 0]
    p = [1 / (1 + math.exp(-z)) for z in logits]
    surprise = -math.log(math.prod(q if label else 1 - q for q, label in zip(p, y, strict=True)))
    assert nn.BCELoss("sum")(p, y) == pytest.approx(surprise, rel=1e-14)
    assert nn.BCEWithLogitsLoss("sum")(logits, y) == pytest.approx(surprise, rel=1e-14)
    signs = [2 * label - 1 for label in y]
    assert nn.LogisticLoss("sum")(logits, signs) == pytest.approx(surprise, rel=1e-14)


def test_row_3_7_a_categorical_variable_gives_the_softmax_cross_entropy():
    logits, y = [[0.5, -1.0, 2.0], [0.0, 1.0, 0.0]], [0, 1]
    p = [[math.exp(z) / sum(map(math.exp, row)) for z in row] for row in logits]
    surprise = -math.log(p[0][0] * p[1][1])
    assert nn.CrossEntropyLoss(reduction="sum")(logits, y) == pytest.approx(surprise, rel=1e-14)
    logs = [[math.log(q) for q in row] for row in p]
    assert nn.NLLLoss(reduction="sum")(logs, y) == pytest.approx(surprise, rel=1e-14)


def test_row_3_7_a_normal_prior_gives_the_penalty():
    theta, deviation = [0.5, -2.0, 1.0], 0.7
    prior = math.prod(normal_density(t, 0.0, deviation) for t in theta)
    constant = 3 * math.log(deviation * math.sqrt(2 * math.pi))
    penalty = nn.l2_penalty(theta, 1 / (2 * deviation**2))
    assert -math.log(prior) == pytest.approx(penalty + constant, rel=1e-14)
