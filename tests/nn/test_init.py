"""Initialisation: the spread of the weights, and that seeds decide them."""

import math
import random
from functools import partial

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
    "he": lambda n, m: 2 / n,
    "xavier": lambda n, m: 2 / (n + m),
    "lecun": lambda n, m: 1 / n,
    "kaiming": lambda n, m: 2 / n,
    "kaiming_normal": lambda n, m: 2 / n,
    "kaiming_uniform": lambda n, m: 2 / n,
    "zeros": lambda n, m: 0.0,
    "ones": lambda n, m: 0.0,
    "uniform": lambda n, m: 1 / 12,
    "normal": lambda n, m: 1.0,
}
MEANS = {"ones": 1.0, "uniform": 0.5}


def weights(module):
    return [p.data for p in module.parameters()]


@pytest.mark.parametrize("name", INITIALISERS)
def test_mean_and_variance(name):
    n, m, count = 8, 24, 40_000
    rng = random.Random(0)
    drawn = [INITIALISERS[name](rng, n, m) for _ in range(count)]
    variance = VARIANCES[name](n, m)
    mean = MEANS.get(name, 0.0)
    # Five standard errors; the fourth moment of a normal distribution is 3σ⁴.
    assert abs(math.fsum(drawn) / count - mean) <= 5 * math.sqrt(variance / count)
    measured = math.fsum((x - mean) ** 2 for x in drawn) / count
    assert abs(measured - variance) <= 5 * variance * math.sqrt(2 / count)


def test_the_distributions_parameters_are_asked_for():
    rng = random.Random(0)
    draw = nn.init.uniform(-2.0, -1.5)
    assert all(-2.0 <= draw(rng, 1, 1) <= -1.5 for _ in range(1000))
    draw = nn.init.normal(3.0, 0.1)
    drawn = [draw(rng, 1, 1) for _ in range(10_000)]
    assert math.fsum(drawn) / 10_000 == pytest.approx(3.0, abs=0.005)
    assert math.fsum((x - 3.0) ** 2 for x in drawn) / 10_000 == pytest.approx(0.01, rel=0.07)
    assert nn.init.constant(7)(rng, 1, 1) == 7.0


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


# -- gains, and PyTorch's functions that write into parameters -----------------------------------


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [  # torch.nn.init.calculate_gain of PyTorch 2.13
        ("linear", None, 1.0),
        ("sigmoid", None, 1.0),
        ("tanh", None, 1.6666666666666667),
        ("relu", None, 1.4142135623730951),
        ("leaky_relu", None, 1.4141428569978354),
        ("leaky_relu", 0.2, 1.3867504905630728),
        ("selu", None, 0.75),
    ],
)
def test_gains_are_pytorchs(name, param, gain):
    assert nn.init.calculate_gain(name, param) == gain


@pytest.mark.parametrize("name", ["he_normal", "he_uniform", "xavier_normal", "xavier_uniform"])
def test_a_gain_is_a_factor_of_the_spread(name):
    draw = INITIALISERS[name]
    own = math.sqrt(2.0) if name.startswith("he") else 1.0
    assert draw(random.Random(0), 8, 24, gain=3.0) == pytest.approx(
        3.0 / own * draw(random.Random(0), 8, 24), rel=1e-15
    )


@pytest.mark.parametrize(
    ("fill", "draw"),
    [
        (nn.init.xavier_normal_, INITIALISERS["xavier_normal"]),
        (nn.init.xavier_uniform_, INITIALISERS["xavier_uniform"]),
        (partial(nn.init.kaiming_normal_, nonlinearity="relu"), INITIALISERS["he_normal"]),
        (partial(nn.init.kaiming_uniform_, nonlinearity="relu"), INITIALISERS["he_uniform"]),
        (nn.init.kaiming_normal_, INITIALISERS["he_normal"]),  # leaky_relu of slope 0
        (nn.init.normal_, nn.init.normal()),
        (partial(nn.init.uniform_, a=-1.0), nn.init.uniform(-1.0)),
        (partial(nn.init.kaiming_normal_, a=1.0), INITIALISERS["lecun"]),
        (
            partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"),
            lambda rng, n, m: rng.gauss(0.0, math.sqrt(2.0 / m)),
        ),
    ],
)
def test_filling_rows_of_weights_draws_as_a_layer_does(fill, draw):
    layer, other = nn.Linear(3, 5), nn.Linear(3, 5, init=draw, seed=4)
    assert fill(layer.weight, seed=4) is layer.weight
    assert weights(layer) == pytest.approx(weights(other), rel=1e-15)


def test_filling_with_a_value():
    layer = nn.Linear(2, 3)
    nn.init.ones_(layer.weight)
    nn.init.constant_(layer.bias, -0.5)
    assert weights(layer) == [1.0] * 6 + [-0.5] * 3
    nn.init.zeros_(layer.weight)
    assert weights(layer) == [0.0] * 6 + [-0.5] * 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.init.xavier_normal_(nn.Linear(2, 3).bias),
            ValueError,
            "xavier_normal_ expected rows of weights, one for each output, to count inputs and"
            " outputs by, got shape (3,)",
        ),
        (
            lambda: nn.init.zeros_([1.0]),
            TypeError,
            "zeros_ expected parameters, got float at position 0: 1.0",
        ),
        (
            lambda: nn.init.kaiming_normal_(nn.Linear(2, 3).weight, mode="in"),
            ValueError,
            'kaiming_normal_ expected mode "fan_in" or "fan_out", got \'in\'',
        ),
        (
            lambda: nn.init.calculate_gain("rely"),
            ValueError,
            "calculate_gain expected one of linear, identity, sigmoid, tanh, relu, selu,"
            " leaky_relu, got 'rely'",
        ),
        (
            lambda: nn.init.calculate_gain("relu", 0.1),
            ValueError,
            "calculate_gain expected no param for relu, got 0.1",
        ),
        (
            lambda: nn.init.normal(std=-1.0),
            ValueError,
            "normal expected std >= 0, got -1.0",
        ),
        (
            lambda: nn.init.uniform(1.0, 0.0),
            ValueError,
            "uniform expected a <= b, got 1.0 and 0.0",
        ),
        (
            lambda: nn.init.constant(math.nan),
            ValueError,
            "constant's val expected a finite number, got nan",
        ),
        (
            lambda: nn.init.normal("a"),
            TypeError,
            "normal's mean expected a number, got str: 'a'",
        ),
        (
            lambda: nn.Linear(2, 3, init=nn.init.uniform),
            TypeError,
            "init expected an initialiser, got the function uniform that makes one: call it"
            " first, as in nn.init.uniform(0.5)",
        ),
        (
            lambda: nn.Linear(2, 3, init="glorot"),
            ValueError,
            f"init expected one of {', '.join(INITIALISERS)}, got 'glorot'",
        ),
        (
            lambda: nn.Linear(2, 3, init=lambda: 1.0),
            TypeError,
            "init expected a function of (rng, fan_in, fan_out), got <lambda>, which cannot be"
            " called with three arguments",
        ),
        (
            lambda: nn.Linear(2, 3, init=lambda rng, n, m: math.nan),
            ValueError,
            "Linear's init expected a function that returns finite numbers, got one that returned"
            " nan",
        ),
        (
            lambda: nn.MLP(2, [3, 1], init=lambda rng, n, m: -math.inf),
            ValueError,
            "Neuron's init expected a function that returns finite numbers, got one that returned"
            " -inf",
        ),
        (
            lambda: nn.Embedding(2, 3, init=lambda rng, n, m: "0.5"),
            TypeError,
            "Embedding's init expected a function that returns finite numbers, got str: '0.5'",
        ),
    ],
)
def test_what_initialises_nothing_is_refused(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert str(refusal.value) == message


def test_zeros_do_not_learn():
    model = nn.MLP(2, [3, 1], init="zeros")
    nn.MSELoss()(model([[1.0, 2.0], [3.0, -1.0]]), [1.0, 2.0]).backward()
    moved = [name for name, p in model.named_parameters() if p.grad != 0.0]
    assert moved == ["layers.1.neurons.0.b"]


def test_other_initialisers_are_refused():
    with pytest.raises(TypeError, match=r"init expected a name or a function of \(rng, fan_in"):
        nn.Linear(1, 1, init=0.1)
