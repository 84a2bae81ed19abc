"""Backpropagation in matrix form (row 2.5 of the lectures), held against the engine."""

from __future__ import annotations

import math
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import Value, grad, relu
from nn.activations import ACTIVATIONS
from nn.nested import elementwise, flat

TOLERANCE = 1e-14

REGRESSION = [nn.MSELoss(), nn.HalfMSELoss("sum"), nn.HuberLoss(), nn.L1Loss()]
CLASSIFICATION = [nn.CrossEntropyLoss(), nn.CrossEntropyLoss(label_smoothing=0.1)]
SIGNED = [nn.HingeLoss(), nn.LogisticLoss()]


def assert_close(found: Any, expected: Any, sizes: Any) -> None:
    """Compare entry by entry, relative to the sum of the sizes of the terms of each.

    Where terms cancel, an entry loses digits whichever way it is summed, by the engine as well.
    """
    entries = list(zip(flat(found), flat(expected), flat(sizes), strict=True))
    assert all(abs(f - e) <= TOLERANCE * size for f, e, size in entries), entries


def weights_and_biases(model: Any) -> list[tuple[Any, Any]]:
    """Return the parameters of each layer, weights in rows."""
    found: list[tuple[Any, Any]] = []
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            found.append((layer.weight, layer.bias))
        elif isinstance(layer, nn.Layer):
            biases = [neuron.b for neuron in layer.neurons if neuron.b is not None]
            found.append(([neuron.w for neuron in layer.neurons], biases or None))
    return found


def as_batch(rows: Any) -> Any:
    return rows if isinstance(rows[0], list) else [rows]


def assert_same_as_engine(model: Any, x: Any, y: Any, loss: Any) -> None:
    result = nn.backprop(model, x, y, loss)
    inputs = elementwise(Value, x)
    model.zero_grad()
    outputs = model(inputs)
    value = loss(outputs, y)
    value.backward()
    assert result.loss == value.data
    assert list(flat(result.outputs)) == [v.data for v in flat(outputs)]
    sizes = None  # of the terms in Wᵀδ, by sample
    pairs = list(zip(weights_and_biases(model), result.layers, strict=True))
    for (weight, bias), layer in reversed(pairs):
        delta, a = as_batch(layer.delta), as_batch(layer.inputs)
        if sizes is None:
            sizes = elementwise(abs, delta)
        else:
            slopes = as_batch(layer.slopes)
            sizes = [
                [s * abs(slope) for s, slope in zip(*rows, strict=True)]
                for rows in zip(sizes, slopes, strict=True)
            ]
        by_weight = [
            [
                sum(row[i] * abs(v[j]) for row, v in zip(sizes, a, strict=True))
                for j in range(len(a[0]))
            ]
            for i in range(len(weight))
        ]
        assert_close(layer.weight_grad, [[w.grad for w in row] for row in weight], by_weight)
        assert (layer.bias_grad is None) == (bias is None)
        if bias is not None:
            by_bias = [sum(column) for column in zip(*sizes, strict=True)]
            assert_close(layer.bias_grad, [b.grad for b in bias], by_bias)
        sizes = [
            [
                sum(s * abs(row[j].data) for s, row in zip(sample, weight, strict=True))
                for j in range(len(weight[0]))
            ]
            for sample in sizes
        ]
    gradient = elementwise(lambda v: v.grad, as_batch(inputs))
    assert_close(as_batch(result.input_grad), gradient, sizes)


names = st.sampled_from(sorted(ACTIVATIONS))


@given(
    st.data(),
    st.lists(st.integers(1, 5), min_size=2, max_size=5),
    st.sampled_from([*REGRESSION, *CLASSIFICATION, *SIGNED]),
    st.integers(0, 3),
    st.booleans(),
    st.integers(0, 2**32).map(random.Random),
)
def test_row_2_5_random_networks_have_the_engines_gradients(
    data: Any, sizes: list[int], loss: Any, samples: int, bias: bool, rng: Any
) -> None:
    hidden = data.draw(st.lists(names, min_size=len(sizes) - 2, max_size=len(sizes) - 2))
    model = nn.MLP(sizes[0], sizes[1:], hidden, data.draw(names), bias, seed=rng)
    for parameter in model.parameters():
        parameter.data += rng.gauss(0.0, 0.3)  # biases as well are something else than 0
    count = max(samples, 1)
    x = [[rng.gauss(0.0, 1.0) for _ in range(sizes[0])] for _ in range(count)]
    if loss in CLASSIFICATION and sizes[-1] == 1:
        loss = REGRESSION[0]  # one output is no class
    if loss in CLASSIFICATION:
        y: list[Any] = [rng.randrange(sizes[-1]) for _ in x]
    else:
        draw = (lambda: rng.choice([-1, 1])) if loss in SIGNED else (lambda: rng.gauss(0.0, 1.0))
        y = [[draw() for _ in range(sizes[-1])] for _ in x]
        if sizes[-1] == 1:
            y = [target for (target,) in y]
    if samples:
        assert_same_as_engine(model, x, y, loss)
    else:
        assert_same_as_engine(model, x[0], y[0], loss)


def test_row_2_5_delta_is_by_pre_activation_and_follows_the_recursion() -> None:
    model = nn.MLP(3, [4, 2, 2], activation=["tanh", "sigmoid"], seed=1)
    x, y = [0.5, -1.0, 2.0], 1
    first, second, last = nn.backprop(model, x, y, nn.CrossEntropyLoss()).layers
    p = [math.exp(z) / sum(map(math.exp, last.z)) for z in last.z]
    assert last.delta == pytest.approx([p[0], p[1] - 1.0], rel=1e-14)
    for below, above, phi in (
        (second, last, lambda a: a * (1.0 - a)),  # σ′ = σ (1 - σ), written in a = σ(z)
        (first, second, lambda a: 1.0 - a * a),
    ):
        layer = model.layers[1 if above is second else 2]
        for j, (a, delta) in enumerate(zip(below.activations, below.delta, strict=True)):
            pulled = sum(n.w[j].data * d for n, d in zip(layer.neurons, above.delta, strict=True))
            assert delta == pytest.approx(phi(a) * pulled, rel=1e-13)
    # W is out × in, and its gradient δ aᵀ as well.
    assert (len(first.weight_grad), len(first.weight_grad[0])) == (4, 3)
    assert first.weight_grad == [[d * v for v in x] for d in first.delta]
    assert first.bias_grad == first.delta
    # δ is the slope of the loss in z: moved z moves the loss by it.
    last_layer = nn.CrossEntropyLoss()
    assert last.delta == pytest.approx(grad(lambda z: last_layer(z, y))(last.z), rel=1e-14)


def test_row_2_5_a_batch_has_the_sum_of_its_samples_gradients() -> None:
    model = nn.MLP(2, [3, 2], activation="tanh", seed=2)
    x, y = [[1.0, 2.0], [-0.5, 0.25], [3.0, -1.0]], [0, 1, 1]
    batch = nn.backprop(model, x, y, nn.CrossEntropyLoss(reduction="sum"))
    single = [nn.backprop(model, *pair, nn.CrossEntropyLoss()) for pair in zip(x, y, strict=True)]
    assert batch.loss == pytest.approx(sum(one.loss for one in single), rel=1e-15)
    assert batch.input_grad == [one.input_grad for one in single]
    for position, layer in enumerate(batch.layers):
        assert layer.z == [one.layers[position].z for one in single]
        assert layer.delta == [one.layers[position].delta for one in single]
        gradients = [list(flat(one.layers[position].weight_grad)) for one in single]
        assert list(flat(layer.weight_grad)) == pytest.approx(
            [math.fsum(terms) for terms in zip(*gradients, strict=True)], rel=1e-14
        )


@pytest.mark.parametrize(
    ("model", "y", "loss"),
    [
        (
            nn.Sequential(nn.Linear(3, 4, seed=0), nn.ReLU(), nn.Linear(4, 2, seed=1)),
            [0, 1],
            nn.CrossEntropyLoss(),
        ),
        (
            nn.Sequential(nn.Linear(3, 2, seed=0), nn.Linear(2, 2, False, seed=1), nn.LogSoftmax()),
            [1, 1],
            nn.NLLLoss(),
        ),
        (
            nn.Sequential(nn.Linear(3, 1, seed=0), nn.Tanh(), nn.Softplus(), nn.Flatten(0, 1)),
            [0.5, -1.0],
            nn.MSELoss(),
        ),
        (
            nn.Sequential(
                nn.Sequential(nn.Layer(3, 2, nn.LeakyReLU(0.3), seed=0), nn.GELU()),
                nn.MLP(2, [2, 1], "elu", seed=1),
            ),
            [1, 0],
            nn.BCEWithLogitsLoss(),
        ),
        (
            nn.Sequential(nn.Linear(3, 2, seed=0), nn.Softmax()),
            [[0.0, 1.0], [1.0, 0.0]],
            lambda p, y: nn.MSELoss()(p, y) * 3.0,
        ),
        (nn.Linear(3, 2, seed=0), [[0.0, 1.0], [1.0, 0.0]], nn.BCEWithLogitsLoss()),
        (nn.Layer(3, 2, relu, seed=0), [[0.0, 1.0], [1.0, 0.0]], nn.MSELoss()),
    ],
    ids=["sequential", "log_softmax", "flatten", "nested", "softmax", "linear", "layer"],
)
def test_row_2_5_sequential_models_of_many_kinds(model: Any, y: Any, loss: Any) -> None:
    assert_same_as_engine(model, [[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], y, loss)


def test_a_layer_used_twice_has_a_record_for_each_use() -> None:
    shared = nn.Linear(2, 2, seed=0)
    model = nn.Sequential(shared, nn.Tanh(), shared)
    first, second = nn.backprop(model, [1.0, 2.0], 0, nn.CrossEntropyLoss()).layers
    nn.CrossEntropyLoss()(model([1.0, 2.0]), 0).backward()
    both = zip(flat(first.weight_grad), flat(second.weight_grad), strict=True)
    assert [a + b for a, b in both] == pytest.approx(
        [w.grad for w in flat(shared.weight)], rel=1e-14
    )


def test_the_model_is_left_as_it_was() -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    model.parameters()[0].grad = 7.0
    before = [(p.data, p.grad, p.reached, p.label) for p in model.parameters()]
    nn.backprop(model, [[1.0, 2.0], [0.5, 0.5]], [1.0, 2.0], nn.MSELoss())
    assert [(p.data, p.grad, p.reached, p.label) for p in model.parameters()] == before


def test_values_arrays_and_whole_numbers_are_samples() -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    expected = nn.backprop(model, [1.0, 2.0], 3.0, nn.MSELoss())
    assert nn.backprop(model, [Value(1.0), Value(2.0)], Value(3.0), nn.MSELoss()) == expected
    assert nn.backprop(model, (1, 2), 3, nn.MSELoss()) == expected


def test_the_record_reads_layer_by_layer_and_shortens_what_is_long() -> None:
    model = nn.MLP(6, [5, 1], activation="tanh", init="zeros")
    assert repr(nn.backprop(model, [0.0] * 6, 1.0, nn.MSELoss())).splitlines() == [
        "loss 1, outputs 0",
        "layer 1: 6 → 5",
        "  z  [0, 0, 0, …, 0]",
        "  a  [0, 0, 0, …, 0]",
        "  φ′ [1, 1, 1, …, 1]",
        "  δ  [0, 0, 0, …, 0]",
        "  ∂W [[0, 0, 0, …, 0], [0, 0, 0, …, 0], [0, 0, 0, …, 0], …, [0, 0, 0, …, 0]]",
        "  ∂b [0, 0, 0, …, 0]",
        "layer 2: 5 → 1",
        "  z  [0]",
        "  a  [0]",
        "  φ′ [1]",
        "  δ  [-2]",
        "  ∂W [[0, 0, 0, …, 0]]",
        "  ∂b [-2]",
    ]


def test_the_record_cannot_be_changed() -> None:
    result = nn.backprop(nn.MLP(1, [1]), [1.0], 1.0, nn.MSELoss())
    with pytest.raises(AttributeError):
        result.loss = 0.0  # type: ignore[misc]
    with pytest.raises(AttributeError):
        result.layers[0].delta = []  # type: ignore[misc]


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 1)

    def forward(self, x: Any) -> Any:
        return self.fc(x)


class OwnSequential(nn.Sequential):
    def forward(self, x: Any) -> Any:
        return x


MODEL = nn.MLP(2, [2, 1], seed=0)


@pytest.mark.parametrize(
    ("model", "x", "loss", "error", "message"),
    [
        (nn.MLP, [1.0, 2.0], nn.MSELoss(), TypeError, "expected a model, got the class MLP"),
        (Own(), [1.0, 2.0], nn.MSELoss(), TypeError, "layers and activations, got Own"),
        (
            OwnSequential(nn.Linear(2, 1)),
            [1.0, 2.0],
            nn.MSELoss(),
            TypeError,
            "got OwnSequential with a forward() of its own",
        ),
        (
            3,
            [1.0, 2.0],
            nn.MSELoss(),
            TypeError,
            "nn.Sequential of layers and activations, got int",
        ),
        (
            nn.Sequential(nn.Linear(2, 2), nn.Dropout(), nn.Linear(2, 1)),
            [1.0, 2.0],
            nn.MSELoss(),
            TypeError,
            "got Dropout",
        ),
        (
            nn.Sequential(nn.ReLU(), nn.Linear(2, 1)),
            [1.0, 2.0],
            nn.MSELoss(),
            TypeError,
            "expected a model that starts with a layer, got ReLU first",
        ),
        (
            nn.Sequential(nn.Linear(2, 2), nn.Softmax(), nn.Linear(2, 1)),
            [1.0, 2.0],
            nn.MSELoss(),
            TypeError,
            "expected no layer after Flatten, Softmax, LogSoftmax or an MLP of one output, got"
            " Linear",
        ),
        (nn.Sequential(), [1.0], nn.MSELoss(), TypeError, "with a layer, got an empty Sequential"),
        (
            nn.Sequential(nn.Linear(2, 1), nn.LeakyReLU(nn.Parameter(0.1))),
            [1.0, 2.0],
            nn.MSELoss(),
            TypeError,
            "weights and biases as the only parameters, since the matrix form has no others, got"
            " '1.negative_slope'",
        ),
        (MODEL, [1.0], nn.MSELoss(), ValueError, "expected 2 inputs, got 1"),
        (MODEL, [], nn.MSELoss(), ValueError, "got an empty list"),
        (MODEL, [[1.0, 2.0], [1.0]], nn.MSELoss(), ValueError, "got 1 in sample 1 of the batch"),
        (MODEL, [1.0, 2.0], nn.MSELoss, TypeError, "expected a loss, got the class MSELoss"),
        (
            MODEL,
            [1.0, 2.0],
            "mse",
            TypeError,
            "expected a loss, a function of outputs and targets, got str: 'mse'",
        ),
        (
            MODEL,
            [1.0, 2.0],
            lambda g, y: [g - y],
            TypeError,
            "expected the loss to return one Value, got list",
        ),
        (
            MODEL,
            [1.0, 2.0],
            lambda g, y: (g - y) ** 2 + nn.l2_penalty(MODEL.parameters(), 0.1),
            ValueError,
            "got one that depends on 'layers.0.neurons.0.w[0]'; add the gradient of a penalty"
            " afterwards",
        ),
    ],
)
def test_what_the_matrix_form_cannot_do_is_refused(
    model: Any, x: Any, loss: Any, error: Any, message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        nn.backprop(model, x, 3.0, loss)
