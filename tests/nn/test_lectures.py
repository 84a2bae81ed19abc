"""The lectures' figures about networks, by the rows of the list of what they teach."""

import json
import math
from pathlib import Path

import pytest

import nn
from autograd_lite import Value, sigmoid, softplus

RECORDED = json.loads(
    Path(__file__).with_name("torch_trajectories.json").read_text(encoding="utf-8")
)


def set_parameters(module, numbers):
    for parameter, number in zip(module.parameters(), numbers, strict=True):
        parameter.data = number


def gradients(parameters):
    return [parameter.grad for parameter in parameters]


# -- networks, forward and backward (rows 2.1 to 2.4) --------------------------------------------


def test_row_2_1_3_2_2_1_sigmoid_network_without_biases_has_12_weights():
    model = nn.MLP(3, [2, 2, 1], activation="sigmoid", bias=False, seed=0)
    assert len(model.parameters()) == 12


def test_row_2_1_two_weights_and_the_squared_loss():
    model = nn.MLP(1, [1, 1], activation="sigmoid", bias=False, seed=0)
    w1, w2 = model.parameters()
    w1.data, w2.data = 0.5, -1.0
    loss = nn.MSELoss()(model([2.0]), 1.0)
    loss.backward()
    assert w2.grad == pytest.approx(-2.5310104480370557, rel=1e-15, abs=0.0)
    assert w1.grad == pytest.approx(1.3613870947947877, rel=1e-15, abs=0.0)


def test_row_2_1_an_output_activation_on_request():
    linear = nn.MLP(1, [1], seed=0)
    squashed = nn.MLP(1, [1], output_activation="tanh", seed=0)
    set_parameters(linear, [2.0, 0.5])
    set_parameters(squashed, [2.0, 0.5])
    assert linear([1.0]).data == 2.5
    assert squashed([1.0]).data == math.tanh(2.5)


def test_row_2_1_an_activation_for_each_layer():
    model = nn.MLP(1, [1, 1, 1], activation=["tanh", "sigmoid"], bias=False, seed=0)
    set_parameters(model, [1.0, 1.0, 1.0])
    assert model([0.5]).data == pytest.approx(
        1 / (1 + math.exp(-math.tanh(0.5))), rel=1e-15, abs=0.0
    )


def test_row_2_2_hand_example_with_a_dead_neuron():
    model = nn.MLP(1, [2, 1], activation="relu", bias=False, seed=0)
    set_parameters(model, [2.0, -1.0, 1.0, 2.0])
    first, second = model.layers
    a = first([1.0])
    z = [v.operands[0] for v in a]
    assert [v.data for v in z] == [2.0, -1.0]
    assert [v.data for v in a] == [2.0, 0.0]
    g = model([1.0])
    loss = nn.MSELoss()(g, 3.0)
    assert (g.data, loss.data) == (2.0, 1.0)
    loss.backward()
    assert g.grad == -2.0
    assert gradients(second.parameters()) == [-4.0, 0.0]
    assert gradients(first.parameters()) == [-2.0, 0.0]


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([0.0, 0.0], -4.38635147178),
        ([1.0, 1.0], -4.38635147178),
        ([0.0, 1.0], -3.04654076042),
        ([1.0, 0.0], -3.04654076042),
    ],
)
def test_row_2_3_two_sigmoid_units_tell_equal_from_unequal(x, expected):
    model = nn.MLP(2, [2, 1], activation="sigmoid", seed=0)
    set_parameters(model, [5.0, -5.0, 1.0, -5.0, 5.0, 1.0, -3.0, -3.0, 0.0])
    assert model(x).data == pytest.approx(expected, abs=5e-12)


@pytest.mark.parametrize("x", [[1.0, 2.0], [-3.0, 0.5]])
def test_row_2_4_linear_regressor_has_gradient_2x_times_the_error(x):
    model = nn.Neuron(2, activation=None, bias=False)
    set_parameters(model, [0.5, -1.5])
    g = 0.5 * x[0] - 1.5 * x[1]
    nn.MSELoss()(model(x), 0.75).backward()
    assert gradients(model.w) == [2.0 * (g - 0.75) * x[0], 2.0 * (g - 0.75) * x[1]]


def test_row_2_4_with_relu_on_top_the_gradient_is_0_where_z_is_negative():
    model = nn.Neuron(2, activation="relu", bias=False)
    set_parameters(model, [0.5, -1.5])
    nn.MSELoss()(model([1.0, 2.0]), 0.75).backward()
    assert gradients(model.w) == [0.0, 0.0]
    model.zero_grad()
    nn.MSELoss()(model([4.0, 0.5]), 0.75).backward()
    assert gradients(model.w) == [2.0 * (1.25 - 0.75) * 4.0, 2.0 * (1.25 - 0.75) * 0.5]


def test_row_2_4_sgd_takes_the_step_of_that_gradient():
    model = nn.Neuron(1, activation=None, bias=False)
    set_parameters(model, [1.0])
    optimizer = nn.optim.SGD(model.parameters(), lr=0.25)
    nn.MSELoss()(model([2.0]), 3.0).backward()
    optimizer.step()
    assert model.w[0].data == 1.0 - 0.25 * 2.0 * 2.0 * (2.0 - 3.0)


# -- losses (rows 3.1 to 3.4 and 3.6) ------------------------------------------------------------


def test_row_3_1_squared_loss_averaged_with_and_without_one_half():
    predictions, targets = [Value(1.0), Value(2.0), Value(4.0)], [3.0, 2.0, 3.0]
    loss = nn.MSELoss()(predictions, targets)
    assert loss.data == pytest.approx(5.0 / 3.0, rel=1e-15, abs=0.0)
    half = nn.HalfMSELoss()(predictions, targets)
    assert half.data == pytest.approx(2.5 / 3.0, rel=1e-15, abs=0.0)
    half.backward()
    assert gradients(predictions) == pytest.approx([-2.0 / 3.0, 0.0, 1.0 / 3.0], rel=1e-15, abs=0.0)


@pytest.mark.parametrize("h", [-1000.0, -2.0, 0.0, 0.5, 1000.0])
@pytest.mark.parametrize("y", [-1, 1])
def test_row_3_2_logistic_loss_for_labels_plus_and_minus_1(h, y):
    score = Value(h)
    loss = nn.LogisticLoss()(score, y)
    loss.backward()
    assert loss.data == softplus(-y * h)
    assert score.grad == -y * sigmoid(-y * h)


def test_row_3_2_prediction_is_the_sign():
    assert nn.predict([Value(0.2), Value(-3.0)], rule="sign") == [1, -1]


def test_row_3_3_binary_cross_entropy_from_logits():
    loss = nn.BCEWithLogitsLoss()([Value(2.0), Value(-1.0)], [1, 0])
    p = [1 / (1 + math.exp(-2.0)), 1 / (1 + math.exp(1.0))]
    assert loss.data == pytest.approx(
        -(math.log(p[0]) + math.log(1 - p[1])) / 2, rel=1e-15, abs=0.0
    )


@pytest.mark.parametrize(
    ("z", "y", "loss", "slope"),
    [
        (1000.0, 1, 0.0, 0.0),
        (1000.0, 0, 1000.0, 1.0),
        (-1000.0, 1, 1000.0, -1.0),
        (-1000.0, 0, 0.0, 0.0),
    ],
)
def test_row_3_3_is_stable_at_logits_of_1000(z, y, loss, slope):
    logit = Value(z)
    result = nn.BCEWithLogitsLoss()(logit, y)
    result.backward()
    assert (result.data, logit.grad) == (loss, slope)


def test_row_3_4_softmax_cross_entropy():
    logits = [Value(1.0), Value(2.0), Value(3.0)]
    loss = nn.CrossEntropyLoss()(logits, 1)
    loss.backward()
    whole = math.exp(1.0) + math.exp(2.0) + math.exp(3.0)
    assert loss.data == pytest.approx(-math.log(math.exp(2.0) / whole), rel=1e-15, abs=0.0)
    p = [math.exp(k) / whole for k in (1.0, 2.0, 3.0)]
    assert gradients(logits) == pytest.approx([p[0], p[1] - 1.0, p[2]], rel=1e-15, abs=0.0)


@pytest.mark.parametrize(
    ("label", "loss", "slopes"), [(0, 0.0, [0.0, 0.0]), (1, 2000.0, [1.0, -1.0])]
)
def test_row_3_4_is_stable_at_logits_of_1000(label, loss, slopes):
    logits = [Value(1000.0), Value(-1000.0)]
    result = nn.CrossEntropyLoss()(logits, label)
    result.backward()
    assert result.data == loss
    assert gradients(logits) == slopes


def test_row_3_4_prediction_is_the_argmax():
    assert nn.predict([[1.0, 5.0, 3.0], [7.0, 5.0, 3.0]], rule="argmax") == [1, 0]


def test_row_3_6_hinge_loss():
    scores = [Value(0.5), Value(2.0), Value(-0.5), Value(1.0)]
    loss = nn.HingeLoss()(scores, [1, 1, 1, -1])
    loss.backward()
    assert loss.data == (0.5 + 0.0 + 1.5 + 2.0) / 4
    assert gradients(scores) == [-0.25, 0.0, -0.25, 0.25]


# -- training (rows 4.2, 4.4 and 4.5) ------------------------------------------------------------


def test_row_4_2_adam_without_bias_correction_would_step_3_162_times_too_far():
    w = nn.Parameter(0.0)
    w.grad = 1.0
    nn.optim.Adam([w], lr=0.001, betas=(0.9, 0.999), eps=1e-8).step()
    average, square = 0.1, 0.001
    uncorrected = 0.001 * average / math.sqrt(square)
    assert w.data == pytest.approx(-0.001, rel=1e-7, abs=0.0)
    assert uncorrected / -w.data == pytest.approx(3.162, abs=5e-4)


def load(module, weights):
    """Give a model the weights that PyTorch started from."""
    for name, parameter in module.named_parameters():
        path, *positions = name.replace("]", "").split("[")
        number = weights[path]
        for position in positions:
            number = number[int(position)]
        parameter.data = number


def numbers_in(weights):
    return [x for part in weights.values() for x in flat(part)]


def flat(part):
    return [x for element in part for x in flat(element)] if isinstance(part, list) else [part]


def test_row_4_4_the_training_loop_gives_pytorchs_losses_and_weights():
    recorded = RECORDED["regression"]
    model = nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 1), nn.Flatten(0, 1))
    load(model, recorded["first"])
    loss_function = nn.MSELoss()
    optimizer = nn.optim.SGD(model.parameters(), lr=1e-3)
    losses = []
    for _ in recorded["losses"]:
        optimizer.zero_grad()
        loss = loss_function(model(recorded["inputs"]), recorded["targets"])
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
    assert len(model.parameters()) == 22
    assert losses == pytest.approx(recorded["losses"], rel=1e-14, abs=0.0)
    assert [p.data for p in model.parameters()] == pytest.approx(
        numbers_in(recorded["last"]), rel=1e-14, abs=0.0
    )


def test_row_4_4_without_flatten_the_loss_refuses_to_broadcast():
    predictions = [[Value(1.0)], [Value(2.0)]]
    with pytest.raises(ValueError, match=r"equal shapes, got \(2, 1\) and \(2,\)"):
        nn.MSELoss()(predictions, [1.0, 2.0])
    assert nn.MSELoss()(nn.Flatten(0, 1)(predictions), [1.0, 2.0]).data == 0.0


class Net(nn.Module):
    """G's model class."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 4)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(4, 3)

    def forward(self, x):
        x = self.fc1(x)
        x = self.relu(x)
        return self.fc2(x)


def test_row_4_5_a_model_class_trains_as_pytorchs_does():
    recorded = RECORDED["classification"]
    model = Net()
    load(model, recorded["first"])
    criterion = nn.CrossEntropyLoss()
    optimizer = nn.optim.Adam(model.parameters(), lr=0.01)
    inputs, targets = recorded["inputs"], recorded["targets"]
    losses = []
    for _ in range(8):
        for i in range(0, 12, 4):
            optimizer.zero_grad()
            loss = criterion(model(inputs[i : i + 4]), targets[i : i + 4])
            loss.backward()
            optimizer.step()
            losses.append(loss.data)
    assert losses == pytest.approx(recorded["losses"], rel=1e-14, abs=0.0)
    assert [p.data for p in model.parameters()] == pytest.approx(
        numbers_in(recorded["last"]), rel=1e-14, abs=0.0
    )
