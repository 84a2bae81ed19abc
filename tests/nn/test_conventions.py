"""Where lectures differ in their conventions: what holds here, beside the figures of the others."""

import pytest

import nn
from autograd_lite import Value


def set_rows(parameters, rows):
    for row, numbers in zip(parameters, rows, strict=True):
        for parameter, number in zip(row, numbers, strict=True):
            parameter.data = number


# -- shapes and counting -------------------------------------------------------------------------


def test_layers_are_counted_by_their_weights_not_by_the_hidden_ones():
    model = nn.MLP(2, [16, 16, 1], seed=0)
    assert len(model.layers) == 3
    assert list(model.state_dict())[-2:] == ["layers.2.weight", "layers.2.bias"]


def test_a_weight_is_outputs_by_inputs_the_transpose_of_x_w():
    x, w = [1.0, 10.0, 100.0], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]  # inputs × outputs
    fc = nn.Linear(3, 2, bias=False)
    set_rows(fc.weight, zip(*w, strict=True))
    outputs = [sum(x[i] * w[i][j] for i in range(3)) for j in range(2)]
    assert [y.data for y in fc(x)] == outputs == [531.0, 642.0]


def test_gradients_of_a_linear_layer_have_the_shapes_of_what_they_are_of():
    fc = nn.Linear(3, 2, bias=False)
    set_rows(fc.weight, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    x = [Value(1.0), Value(10.0), Value(100.0)]
    delta = [1.0, -1.0]
    y = fc(x)
    (delta[0] * y[0] + delta[1] * y[1]).backward()
    # Wᵀδ: W itself, 2 × 3, cannot be multiplied by δ.
    assert [v.grad for v in x] == [1.0 - 4.0, 2.0 - 5.0, 3.0 - 6.0]
    assert [[p.grad for p in row] for row in fc.weight] == [[1.0, 10.0, 100.0], [-1.0, -10, -100.0]]


# -- losses and penalties ------------------------------------------------------------------------


def test_the_squared_loss_is_a_mean_without_one_half():
    g, y = [1.0, 4.0, 3.0, 5.0], [3.0, 3.0, 3.0, 3.0]  # squares 4, 1, 0 and 4
    assert nn.MSELoss()(g, y) == 2.25
    assert nn.HalfMSELoss()(g, y) == 1.125
    assert nn.MSELoss(reduction="sum")(g, y) == 9.0


def slope_at_2(reduction, lam):
    """Return the gradient of a regression on four points and its penalty at θ = 2."""
    theta = nn.Parameter(2.0)
    predictions = [theta * x for x in (1.0, 2.0, -1.0, 0.5)]
    loss = nn.MSELoss(reduction=reduction)(predictions, [1.0, 1.0, 0.0, 2.0])
    (loss + nn.l2_penalty([theta], lam)).backward()
    return theta.grad


def test_beside_the_mean_the_lambda_of_a_sum_is_divided_by_the_number_of_predictions():
    assert slope_at_2("sum", 0.5) == 4.0 * slope_at_2("mean", 0.5 / 4.0)
    assert slope_at_2("sum", 0.5) != 4.0 * slope_at_2("mean", 0.5)


def test_a_step_that_forgets_the_rate_before_the_penalty_goes_to_0_not_to_1_8():
    eta, lam = 0.1, 0.5
    theta = nn.Parameter(2.0)
    nn.l2_penalty([theta], lam).backward()
    assert theta.data - theta.grad == 0.0  # λ∇Ω is the penalty's gradient, and ∇L is 0
    nn.optim.SGD([theta], lr=eta).step()
    assert theta.data == 1.8


# -- running averages ----------------------------------------------------------------------------


def moved(**settings):
    """Return how far three unit gradients move a parameter."""
    w = nn.Parameter(0.0)
    optimizer = nn.optim.SGD([w], **settings)
    for _ in range(3):
        optimizer.zero_grad()
        w.backward()
        optimizer.step()
    return w.data


def test_a_velocity_is_a_sum_where_an_average_would_move_a_tenth_as_far():
    average = place = 0.0
    for _ in range(3):
        average = 0.9 * average + (1.0 - 0.9) * 1.0
        place -= 0.1 * average
    assert place == pytest.approx(-0.0561, rel=1e-14)
    assert moved(lr=0.1, momentum=0.9) == pytest.approx(-0.561, rel=1e-14)
    assert moved(lr=0.1 * (1.0 - 0.9), momentum=0.9) == pytest.approx(place, rel=1e-14)
    # Dampening spares the first gradient: 1, 1 and 1 instead of 0.1, 0.19 and 0.271.
    assert moved(lr=0.1, momentum=0.9, dampening=0.9) == pytest.approx(-0.3, rel=1e-14)


def test_batch_norm_averages_the_unbiased_variance_1_0667_not_the_biased_1_025():
    batch = [1.0, 2.0, 3.0, 4.0]
    norm = nn.BatchNorm1d(1, momentum=0.1)
    outputs = norm([[x] for x in batch])
    squares = sum((x - 2.5) ** 2 for x in batch)
    assert norm.running_var == pytest.approx([0.9 + 0.1 * squares / 3.0], rel=1e-15)
    assert round(norm.running_var[0], 4) == 1.0667
    assert 0.9 + 0.1 * squares / 4.0 == pytest.approx(1.025, rel=1e-15)
    # The batch itself is divided by the biased one.
    assert outputs[0][0].data == pytest.approx(-1.5 / (squares / 4.0 + 1e-5) ** 0.5, rel=1e-14)
