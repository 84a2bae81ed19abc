"""Initialisation: the spread of the weights, and that seeds decide them."""

import math
import random

import pytest

import nn
from autograd_lite import Value, relu
from nn.init import INITIALISERS, suited_to

VARIANCES = {
    "he_normal": lambda n, m: 2 / n,
    "he_uniform": lambda n, m: 2 / n,
    "xavier_normal": lambda n, m: 2 / (n + m),
    "xavier_uniform": lambda n, m: 2 / (n + m),
    "lecun_normal": lambda n, m: 1 / n,
    "zeros": lambda n, m: 0.0,
}


def weights(module):
    return [p.data for p in module.parameters()]


@pytest.mark.parametrize("name", INITIALISERS)
def test_mean_and_variance(name):
    n, m, count = 8, 24, 40_000
    rng = random.Random(0)
    drawn = [INITIALISERS[name](rng, n, m) for _ in range(count)]
    variance = VARIANCES[name](n, m)
    # Five standard errors; the fourth moment of a normal distribution is 3σ⁴.
    assert abs(math.fsum(drawn) / count) <= 5 * math.sqrt(variance / count)
    measured = math.fsum(x * x for x in drawn) / count
    assert abs(measured - variance) <= 5 * variance * math.sqrt(2 / count)


@pytest.mark.parametrize("name", ["he_uniform", "xavier_uniform"])
def test_uniform_numbers_fill_their_interval(name):
    rng = random.Random(0)
    bound = math.sqrt(3 * VARIANCES[name](8, 24))
    drawn = [INITIALISERS[name](rng, 8, 24) for _ in range(10_000)]
    assert 0.999 * bound < max(drawn) <= bound
    assert -bound <= min(drawn) < -0.999 * bound


@pytest.mark.parametrize(
    ("activation", "init"),
    [
        ("relu", "he_normal"),
        ("leaky_relu", "he_normal"),
        ("elu", "he_normal"),
        ("softplus", "he_normal"),
        ("silu", "he_normal"),
        ("gelu", "he_normal"),
        ("mish", "he_normal"),
        ("selu", "lecun_normal"),
        ("tanh", "xavier_normal"),
        ("sigmoid", "xavier_normal"),
        ("identity", "xavier_normal"),
        (None, "xavier_normal"),
        (Value.sin, "xavier_normal"),
        (lambda z: z * z, "xavier_normal"),
        (relu, "he_normal"),
        (nn.ReLU(), "he_normal"),
        (nn.LeakyReLU(0.1), "he_normal"),
        (nn.SELU(), "lecun_normal"),
        (nn.Tanh(), "xavier_normal"),
    ],
)
def test_the_initialiser_follows_from_the_activation(activation, init):
    assert suited_to(activation) is INITIALISERS[init]
    assert weights(nn.Layer(4, 3, activation, seed=1)) == weights(
        nn.Layer(4, 3, activation, init=init, seed=1)
    )


def test_xavier_knows_the_width_of_the_layer():
    scale = math.sqrt(2 / (4 + 12))
    layer = nn.Layer(4, 12, activation="tanh", init="xavier_normal", seed=3)
    rng = random.Random(3)
    assert layer.neurons[0].w[0].data == rng.gauss(0.0, scale)
    assert nn.Linear(4, 12, seed=3).weight[0][0].data == random.Random(3).gauss(0.0, scale)


def test_biases_start_at_0():
    assert [n.b.data for n in nn.Layer(2, 3, seed=0).neurons] == [0.0, 0.0, 0.0]
    assert [b.data for b in nn.Linear(2, 3, seed=0).bias] == [0.0, 0.0, 0.0]


def test_a_seed_decides_all_weights():
    assert weights(nn.MLP(3, [4, 2], seed=7)) == weights(nn.MLP(3, [4, 2], seed=7))
    assert weights(nn.MLP(3, [4, 2], seed=7)) != weights(nn.MLP(3, [4, 2], seed=8))


def test_layers_of_one_seed_differ_from_each_other():
    model = nn.MLP(3, [3, 3, 3], activation=None, seed=7)
    first, second, third = map(weights, model.layers)
    assert first != second != third != first


def test_without_a_seed_pythons_random_decides():
    random.seed(5)
    first = weights(nn.MLP(3, [4, 2]))
    second = weights(nn.Linear(3, 4))
    random.seed(5)
    assert weights(nn.MLP(3, [4, 2])) == first
    assert weights(nn.Linear(3, 4)) == second
    assert weights(nn.MLP(3, [4, 2])) != first


def test_a_seed_leaves_pythons_random_alone():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    nn.MLP(3, [4, 2], seed=1)
    assert random.random() == expected


def test_a_generator_goes_on_where_it_is():
    rng = random.Random(0)
    first, second = nn.Linear(2, 2, seed=rng), nn.Linear(2, 2, seed=rng)
    assert weights(first) == weights(nn.Linear(2, 2, seed=0)) != weights(second)


@pytest.mark.parametrize("seed", [1.5, "0", [0]])
def test_other_seeds_are_refused(seed):
    with pytest.raises(TypeError, match=r"seed expected an int, a random.Random or None, got"):
        nn.MLP(2, [1], seed=seed)


def test_an_initialiser_of_ones_own():
    layer = nn.Layer(3, 2, init=lambda rng, fan_in, fan_out: fan_in + 10 * fan_out, bias=False)
    assert weights(layer) == [23.0] * 6


def test_zeros_do_not_learn():
    model = nn.MLP(2, [3, 1], init="zeros")
    nn.MSELoss()(model([[1.0, 2.0], [3.0, -1.0]]), [1.0, 2.0]).backward()
    moved = [name for name, p in model.named_parameters() if p.grad != 0.0]
    assert moved == ["layers.1.neurons.0.b"]


def test_other_initialisers_are_refused():
    with pytest.raises(TypeError, match=r"init expected a name or a function of \(rng, fan_in"):
        nn.Linear(1, 1, init=0.1)
