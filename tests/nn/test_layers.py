"""Layers: what shapes they give, what they compute, and which inputs they refuse."""

import math
import random
import re
from fractions import Fraction

import numpy as np
import pytest

import autograd_lite
import nn
from autograd_lite import Value
from nn.activations import ACTIVATIONS


def set_parameters(module, numbers):
    for parameter, number in zip(module.parameters(), numbers, strict=True):
        parameter.data = number


def data(outputs):
    return nn.predict(outputs, rule="value")


# -- shapes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Layer(2, 1, activation=None),
        lambda: nn.Linear(2, 1),
        lambda: nn.Sequential(nn.Linear(2, 1)),
    ],
    ids=["Layer", "Linear", "Sequential"],
)
def test_one_output_is_a_list_of_one(make):
    layer = make()
    set_parameters(layer, [2.0, 3.0, 0.5])
    assert data(layer([1.0, 10.0])) == [32.5]
    assert data(layer([[1.0, 10.0], [0.0, 0.0]])) == [[32.5], [0.5]]


def test_an_mlp_with_one_output_gives_the_value_itself():
    model = nn.MLP(2, [1])
    set_parameters(model, [2.0, 3.0, 0.5])
    assert isinstance(model([1.0, 10.0]), Value)
    assert data(model([[1.0, 10.0], [0.0, 0.0]])) == [32.5, 0.5]
    assert data(model([[1.0, 10.0]])) == [32.5]


def test_an_mlp_with_several_outputs_gives_lists():
    model = nn.MLP(1, [2])
    set_parameters(model, [1.0, 0.0, -1.0, 0.5])
    assert data(model([3.0])) == [3.0, -2.5]
    assert data(model([[3.0], [0.0]])) == [[3.0, -2.5], [0.0, 0.5]]


def test_a_neuron_gives_one_value_per_sample():
    neuron = nn.Neuron(2, activation="relu")
    set_parameters(neuron, [1.0, -1.0, 0.25])
    assert neuron([2.0, 1.0]).data == 1.25
    assert data(neuron([[2.0, 1.0], [1.0, 2.0]])) == [1.25, 0.0]


def test_a_batch_is_passed_whole_from_layer_to_layer():
    seen = []

    class Spy(nn.Module):
        def forward(self, x):
            seen.append(x)
            return x

    model = nn.Sequential(nn.Linear(2, 3), Spy(), nn.Linear(3, 1))
    model([[1.0, 2.0]] * 4)
    assert [len(x) for x in seen] == [4]
    assert [len(sample) for sample in seen[0]] == [3] * 4


@pytest.mark.parametrize(
    "x",
    [
        [1, 2],
        (1.0, 2.0),
        [True, Fraction(2)],
        [Value(1.0), Value(2.0)],
        [Value(1.0), 2],
        [nn.Parameter(1.0), 2.0],
        np.array([1.0, 2.0]),
        np.array([1, 2], dtype=np.int32),
        [np.float64(1.0), np.float32(2.0)],
        np.array([Value(1.0), Value(2.0)], dtype=object),
    ],
    ids=lambda x: f"{type(x).__name__} of {type(x[0]).__name__}",
)
def test_a_sample_may_hold_any_numbers(x):
    layer = nn.Linear(2, 1)
    set_parameters(layer, [2.0, 3.0, 0.5])
    (y,) = layer(x)
    assert y.data == 8.5
    y.backward()
    assert [p.grad for p in layer.parameters()] == [1.0, 2.0, 1.0]


@pytest.mark.parametrize(
    "batch",
    [
        [[1, 2], [3, 4]],
        ((1.0, 2.0), (3.0, 4.0)),
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        [np.array([1, 2]), np.array([3, 4])],
    ],
    ids=["lists", "tuples", "array", "rows"],
)
def test_a_batch_may_be_lists_or_arrays(batch):
    layer = nn.Layer(2, 1, activation=None)
    set_parameters(layer, [2.0, 3.0, 0.5])
    assert data(layer(batch)) == [[8.5], [18.5]]


def test_gradients_reach_inputs_that_are_values():
    layer = nn.Linear(2, 1)
    set_parameters(layer, [2.0, 3.0, 0.5])
    x = [Value(1.0), Value(2.0)]
    layer(x)[0].backward()
    assert [v.grad for v in x] == [2.0, 3.0]


# -- what they compute ---------------------------------------------------------------------------


def test_a_neuron_is_one_dot_and_one_activation():
    y = nn.Layer(16, 1, activation="tanh")([0.5] * 16)[0]
    assert y.op == "tanh"
    (z,) = y.operands
    assert z.op == "dot"
    assert len(z.operands) == 17
    assert not any(operand.op for operand in z.operands)


def by_hand(model, x):
    """Return an MLP's outputs, operation by operation."""
    for layer in model.layers:
        outputs = []
        for neuron in layer.neurons:
            z = neuron.b
            for w, xi in zip(neuron.w, x, strict=True):
                z = z + w * xi
            outputs.append(z.tanh() if layer.activation == "tanh" else z)
        x = outputs
    return x


@pytest.mark.parametrize("seed", range(5))
def test_values_and_gradients_are_those_of_single_operations(seed):
    model = nn.MLP(3, [4, 3, 2], activation="tanh", seed=seed)
    rng = random.Random(seed)
    batch = [[rng.gauss(0.0, 1.0) for _ in range(3)] for _ in range(4)]
    outputs, expected = model(batch), [by_hand(model, x) for x in batch]
    assert data(outputs) == data(expected)
    autograd_lite.total([y * y for sample in outputs for y in sample]).backward()
    gradients = [p.grad for p in model.parameters()]
    model.zero_grad()
    autograd_lite.total([y * y for sample in expected for y in sample]).backward()
    sizes = max(abs(p.grad) for p in model.parameters())
    for p, gradient in zip(model.parameters(), gradients, strict=True):
        assert abs(gradient - p.grad) <= 1e-15 * sizes


def test_weights_of_linear_have_pytorchs_shape():
    fc = nn.Linear(3, 2)
    assert (len(fc.weight), {len(row) for row in fc.weight}, len(fc.bias)) == (2, {3}, 2)
    set_parameters(fc, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.5, -0.5])
    assert data(fc([1.0, 1.0, 1.0])) == [6.5, 14.5]


@pytest.mark.parametrize("bias", [True, False])
def test_neuron_layer_and_linear_agree(bias):
    layer = nn.Layer(3, 2, activation=None, bias=bias, seed=1)
    linear = nn.Linear(3, 2, bias=bias)
    for row, neuron in zip(linear.weight, layer.neurons, strict=True):
        for theirs, ours in zip(row, neuron.w, strict=True):
            theirs.data = ours.data
    x = [0.3, -0.7, 1.1]
    assert data(layer(x)) == data(linear(x)) == [neuron(x).data for neuron in layer.neurons]
    assert (linear.bias is None) == (not bias)
    assert all((neuron.b is None) == (not bias) for neuron in layer.neurons)


def test_activations_by_layer_as_names_functions_and_modules():
    model = nn.MLP(1, [1, 1, 1, 1], ["tanh", lambda z: z * z, nn.LeakyReLU(0.5)], "identity", False)
    set_parameters(model, [1.0, 1.0, -1.0, 4.0])
    t = autograd_lite.tanh(0.75)
    assert model([0.75]).data == -0.5 * t * t * 4.0


def test_an_activation_can_be_changed_later():
    layer = nn.Layer(1, 1, activation="relu")
    set_parameters(layer, [1.0, 0.0])
    layer.activation = "tanh"
    assert layer([-0.5])[0].data == autograd_lite.tanh(-0.5)


MODULES = {
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "softplus": nn.Softplus(),
    "silu": nn.SiLU(),
    "gelu": nn.GELU(),
    "mish": nn.Mish(),
    "softsign": nn.Softsign(),
    "hardtanh": nn.Hardtanh(),
    "sigmoid": nn.Sigmoid(),
    "log_sigmoid": nn.LogSigmoid(),
    "tanh": nn.Tanh(),
    "identity": nn.Identity(),
}


def test_every_named_activation_has_a_module():
    assert set(MODULES) == set(ACTIVATIONS)


def test_identity_takes_any_arguments_and_returns_its_input():
    x = (1.0, [2.0])
    assert nn.Identity(54, unused=True)(x) is x


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"identity"}))
@pytest.mark.parametrize("x", [-1.5, 0.0, 0.7])
def test_names_and_modules_stand_for_the_engines_functions(name, x):
    expected = getattr(autograd_lite, name)(x)
    neuron = nn.Neuron(1, activation=name)
    set_parameters(neuron, [1.0, 0.0])
    y = neuron([x])
    assert y.data == expected
    assert y.op == getattr(autograd_lite, name)(Value(x)).op
    assert MODULES[name](x) == expected
    assert data(MODULES[name]([[Value(x), 0.5], [x, x]]))[0][0] == expected


def test_parameters_of_activations_are_used():
    assert nn.LeakyReLU(0.25)(-2.0) == -0.5
    assert nn.LeakyReLU(negative_slope=0.25)([-2.0]) == [-0.5]
    assert nn.ELU(2.0)(-1.0) == autograd_lite.elu(-1.0, 2.0)
    assert nn.GELU("tanh")(1.0) == autograd_lite.gelu(1.0, "tanh") != nn.GELU()(1.0)
    assert nn.Hardtanh(-2.0, 3.0)([-5.0, 1.0, 5.0]) == [-2.0, 1.0, 3.0]


@pytest.mark.parametrize(
    "make", [nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.SiLU, nn.Mish, nn.Hardtanh]
)
def test_inplace_is_accepted_where_pytorch_has_it_and_changes_nothing(make):
    x = [Value(-2.0), Value(0.5)]
    plain, inplace = make(), make(inplace=True)
    assert [y.data for y in inplace(x)] == [y.data for y in plain(x)]
    assert [value.data for value in x] == [-2.0, 0.5]
    assert repr(inplace) == repr(plain)


def test_positional_arguments_of_activations_are_pytorchs():
    assert nn.LeakyReLU(0.5, True)(-2.0) == -1.0
    assert nn.ELU(2.0, True)(-1000.0) == -2.0
    assert nn.Hardtanh(0.0, 6.0, True)(8.0) == 6.0


def test_softplus_with_a_beta_is_steeper_and_as_exact():
    x = Value(1.0)
    y = nn.Softplus(beta=2.0)(x)
    y.backward()
    assert y.data == pytest.approx(math.log1p(math.exp(2.0)) / 2.0, rel=1e-15)
    assert x.grad == pytest.approx(1.0 / (1.0 + math.exp(-2.0)), rel=1e-15)
    # At βx > 20, where PyTorch leaves out what is small beside x: exp(-22) / 2.
    assert nn.Softplus(2.0, 20.0)(11.0) - 11.0 == pytest.approx(math.exp(-22.0) / 2.0, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Softplus(beta=0.0), "Softplus expected a finite beta > 0, got 0.0"),
        (
            lambda: nn.Softplus(threshold=5.0),
            "Softplus expected a threshold of at least 20, got 5.0: it computes the exact formula"
            " everywhere",
        ),
    ],
)
def test_softplus_refuses_settings_that_it_does_not_compute(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def test_a_slope_that_is_a_parameter_is_learned():
    activation = nn.LeakyReLU(nn.Parameter(0.25))
    activation(Value(-2.0)).backward()
    assert [p.grad for p in activation.parameters()] == [-2.0]


def test_activations_keep_the_shape_and_take_arrays():
    assert nn.ReLU()(np.array([[-1.0, 2.0], [3.0, -4.0]])) == [[0.0, 2.0], [3.0, 0.0]]
    assert nn.ReLU()([]) == []
    assert nn.ReLU()(-3) == 0.0


# -- Sequential and Flatten ----------------------------------------------------------------------


def test_sequential_is_a_sequence_of_modules():
    parts = [nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)]
    model = nn.Sequential(*parts)
    assert len(model) == 3
    assert list(model) == parts
    assert (model[0], model[-1]) == (parts[0], parts[2])
    assert list(model[1:]) == parts[1:]
    assert next(name for name, _ in model.named_parameters()) == "0.weight[0][0]"
    with pytest.raises(IndexError):
        model[3]


def test_an_empty_sequential_is_the_identity():
    assert nn.Sequential()([1.0]) == [1.0]


def test_plain_functions_may_stand_in_a_sequential():
    assert nn.Sequential(nn.ReLU(), sum)([1.0, -5.0, 2.0]) == 3.0


CUBE = [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]


@pytest.mark.parametrize(
    ("arguments", "x", "expected"),
    [
        ((), CUBE, [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]),
        ((0,), CUBE, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
        ((0, 1), CUBE, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]),
        ((-2, -1), CUBE, [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]),
        ((1, 1), CUBE, CUBE),
        ((0, 1), [[1.0], [2.0]], [1.0, 2.0]),
        ((), [[1.0, 2.0]], [[1.0, 2.0]]),
        ((0, 0), [1.0, 2.0], [1.0, 2.0]),
        ((), np.array(CUBE), [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]),
        ((0, -1), 3.0, [3.0]),
    ],
)
def test_flatten_joins_dimensions_as_pytorch_does(arguments, x, expected):
    assert nn.Flatten(*arguments)(x) == expected


def test_flatten_refuses_dimensions_that_are_not_there():
    with pytest.raises(
        IndexError,
        match=re.escape(
            "Flatten expected a dimension from -1 to 0, since its input has 1 dimension, got 1"
        ),
    ):
        nn.Flatten()([1.0, 2.0])
    with pytest.raises(ValueError, match="start_dim not to come after end_dim, got 1 and 0"):
        nn.Flatten(1, 0)([[1.0]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]],), "Flatten's start_dim expected a whole number, got list: [[1.0]]"),
        ((0, 1.5), "Flatten's end_dim expected a whole number, got float: 1.5"),
    ],
)
def test_flatten_takes_whole_numbers(arguments, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        nn.Flatten(*arguments)


def test_flatten_refuses_samples_of_different_sizes():
    with pytest.raises(
        ValueError,
        match=re.escape(
            "Flatten expected samples of one size, got shape (2,) at position 0 and (1,) at"
            " position 1"
        ),
    ):
        nn.Flatten(0, 1)([[1.0, 2.0], [3.0]])


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Linear(3, 1)([1.0, 2.0]), "Linear expected 3 inputs, got 2"),
        (lambda: nn.Layer(1, 1)([1.0, 2.0]), "Layer expected 1 input, got 2"),
        (
            lambda: nn.Neuron(3)([]),
            "Neuron expected 3 inputs or a batch of at least one sample, got an empty list",
        ),
        (
            lambda: nn.MLP(2, [2, 1])(np.zeros((0, 2))),
            "Layer 'layers.0' expected 2 inputs or a batch of at least one sample, got an empty"
            " batch of shape (0, 2)",
        ),
        (
            lambda: nn.Linear(2, 1)(np.zeros((3, 0))),
            "Linear expected 2 inputs, got 0 in sample 0 of the batch",
        ),
        (
            lambda: nn.Linear(2, 1)([[1.0, 2.0], [1.0]]),
            "Linear expected 2 inputs, got 1 in sample 1 of the batch",
        ),
        (
            lambda: nn.Linear(2, 1)(np.zeros((2, 3))),
            "Linear expected 2 inputs, got 3 in sample 0 of the batch",
        ),
        (lambda: nn.MLP(2, [2, 1])([1.0]), "Layer 'layers.0' expected 2 inputs, got 1"),
        (
            lambda: nn.Sequential(nn.Linear(1, 2), nn.Linear(3, 1))([1.0]),
            "Linear '1' expected 3 inputs, got 2",
        ),
        (lambda: nn.MLP(2, []), "MLP expected at least one layer size, got an empty list"),
        (lambda: nn.MLP(2, [3, 0]), "Layer's number of neurons expected at least 1, got 0"),
        (lambda: nn.MLP(0, [3]), "Layer's number of inputs expected at least 1, got 0"),
        (lambda: nn.Linear(-2, 1), "Linear's in_features expected at least 1, got -2"),
        (lambda: nn.Linear(2, 0), "Linear's out_features expected at least 1, got 0"),
        (lambda: nn.Neuron(0), "Neuron's number of inputs expected at least 1, got 0"),
        (
            lambda: nn.MLP(2, [3, 3, 1], ["relu"]),
            "MLP expected one activation for each of 2 hidden layers (the last layer takes"
            " output_activation), got 1",
        ),
        (
            lambda: nn.MLP(2, [3, 1], "rleu"),
            "activation expected one of relu, leaky_relu, elu, selu, softplus, silu, gelu, mish,"
            " softsign, hardtanh, sigmoid, log_sigmoid, tanh, identity, got 'rleu'",
        ),
        (
            lambda: nn.Linear(1, 1, init="glorot"),
            f"init expected one of {', '.join(nn.init.INITIALISERS)}, got 'glorot'",
        ),
        (lambda: nn.Hardtanh(1.0, 1.0), "Hardtanh expected min_val < max_val, got 1.0 and 1.0"),
        (lambda: nn.GELU("exact"), 'approximate must be "none" or "tanh", got \'exact\''),
    ],
)
def test_wrong_numbers_are_refused(call, message):
    with pytest.raises(ValueError) as refusal:
        call()
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.Linear(2, 1)(1.0),
            "Linear expected a list of 2 numbers or a batch of such lists, got float: 1.0",
        ),
        (
            lambda: nn.Linear(2, 1)([[1.0, 2.0], 3.0]),
            "Linear expected a list of 2 numbers in sample 1 of the batch, got float: 3.0",
        ),
        (
            lambda: nn.Linear(1, 1)([[[1.0, 2.0]]]),
            "Linear expected 1 number in sample 0 of the batch, got lists; nn.Flatten() makes one"
            " list of a nested sample",
        ),
        (
            lambda: nn.Linear(2, 1)([1.0, "2"]),
            "expected a number, got str: '2'; convert text first, as in Value(float(text))",
        ),
        (
            lambda: nn.Linear(2, 1)("x" * 1000),
            "Linear expected a list of 2 numbers or a batch of such lists, got str:"
            " 'xxxxxxxxxxxx...xxxxxxxxxxxxx'",
        ),
        (lambda: nn.MLP(2, 1), "MLP expected a list of layer sizes, such as [16, 16, 1], got int"),
        (lambda: nn.Linear(2.0, 1), "Linear's in_features expected a whole number, got float: 2.0"),
        (lambda: nn.Neuron(1, activation=3), "activation expected a name, a function of one Value"),
        (lambda: nn.Sequential([nn.ReLU()]), "Sequential expected modules, got list at position 0"),
        (
            lambda: nn.Sequential(nn.Linear(2, 1), nn.ReLU),
            "Sequential expected modules at position 1, got the class ReLU; write nn.ReLU()",
        ),
        *(
            (
                lambda activation=activation, nouts=nouts: nn.MLP(2, nouts, activation),
                "activation expected a name, a function of one Value or None, got the class ReLU;"
                " write nn.ReLU()",
            )
            for activation, nouts in ((nn.ReLU, [4, 1]), ([nn.ReLU], [4, 1]), (nn.ReLU, [1]))
        ),
        (
            lambda: nn.Neuron(2, float),  # would give numbers without gradients
            "activation expected a name, a function of one Value or None, got the class float",
        ),
        (lambda: nn.MLP(2, [3, 1], bias="no"), "MLP's bias expected True or False, got str: 'no'"),
        (lambda: nn.Layer(2, 3, bias=0), "Layer's bias expected True or False, got int: 0"),
        (lambda: nn.Neuron(2, bias=None), "Neuron's bias expected True or False, got NoneType"),
        (lambda: nn.Linear(2, 1, [0.0]), "Linear's bias expected True or False, got list: [0.0]"),
        (lambda: nn.ELU(inplace=1), "ELU's inplace expected True or False, got int: 1"),
        *(
            (
                lambda make=make: make(Value(1.0)),
                f"{make.__name__}'s inplace expected True or False, got Value; a module is made"
                f" first and then called, as in nn.{make.__name__}()(x)",
            )
            for make in (nn.ReLU, nn.SELU, nn.SiLU, nn.Mish)
        ),
    ],
)
def test_things_of_another_kind_are_refused(call, message):
    with pytest.raises(TypeError) as refusal:
        call()
    assert str(refusal.value).startswith(message)


def test_a_refused_batch_records_nothing_and_changes_nothing():
    layer = nn.Linear(2, 1, seed=0)
    before = [p.data for p in layer.parameters()]
    with pytest.raises(ValueError):
        layer([[1.0, 2.0], [1.0]])
    assert [(p.data, p.grad) for p in layer.parameters()] == [(x, 0.0) for x in before]


# -- code written for micrograd ------------------------------------------------------------------


def test_micrograds_demo_runs_unchanged():
    random.seed(1337)
    points = [[random.uniform(-1, 1), random.uniform(-1, 1)] for _ in range(20)]
    labels = [1 if x * y > 0 else -1 for x, y in points]
    model = nn.MLP(2, [16, 16, 1])
    assert len(model.parameters()) == 337

    def loss():
        inputs = [list(map(Value, row)) for row in points]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(labels, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        reg_loss = 1e-4 * sum(p * p for p in model.parameters())
        return data_loss + reg_loss

    first = loss()
    for k in range(10):
        total_loss = loss()
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
    assert loss().data < 0.7 * first.data
    expected = nn.HingeLoss()(model(points), labels) + 1e-4 * sum(p * p for p in model.parameters())
    assert loss().data == pytest.approx(expected.data, rel=1e-14, abs=0.0)


def test_an_unknown_activation_is_refused_even_without_hidden_layers() -> None:
    with pytest.raises(ValueError, match="'rleu'"):
        nn.MLP(2, [3], activation="rleu")
