"""Losses: what weights, smoothing, ignored labels and other settings do, and which are refused."""

import math

import pytest

import nn
from autograd_lite import Value, graph


def gradients(values):
    return [value.grad for value in values]


def test_settings_are_shown():
    assert repr(nn.HuberLoss(delta=2.0)) == "HuberLoss(reduction='mean', delta=2.0)"
    assert repr(nn.BCEWithLogitsLoss(pos_weight=[1, 2])) == (
        "BCEWithLogitsLoss(reduction='mean', pos_weight=[1.0, 2.0])"
    )
    assert repr(nn.CrossEntropyLoss([1, 2], ignore_index=0, label_smoothing=0.1)) == (
        "CrossEntropyLoss(weight=[1.0, 2.0], ignore_index=0, reduction='mean', label_smoothing=0.1)"
    )


def test_the_mean_of_weighted_classes_is_that_of_the_samples_by_their_weights():
    batch, labels, weight = [[0.0, 1.0], [2.0, 0.0], [0.5, 0.5]], [0, 1, 1], [3.0, 0.5]
    each = nn.CrossEntropyLoss(reduction="none")(batch, labels)
    weighted = nn.CrossEntropyLoss(weight)(batch, labels)
    assert weighted == pytest.approx(
        (3.0 * each[0] + 0.5 * each[1] + 0.5 * each[2]) / 4.0, rel=1e-15, abs=0.0
    )


def test_smoothed_labels_keep_their_loss_where_logits_are_large_and_close():
    near = nn.CrossEntropyLoss(label_smoothing=0.1)([0.25, 0.5, 0.0], 1)
    far = nn.CrossEntropyLoss(label_smoothing=0.1)([2.0**40 + 0.25, 2.0**40 + 0.5, 2.0**40], 1)
    assert far == near


def test_an_ignored_sample_has_neither_loss_nor_gradient_whatever_is_in_it():
    batch = [[Value(1.0), Value(0.0)], [Value(float("nan")), Value(0.0)]]
    each = nn.CrossEntropyLoss(reduction="none")(batch, [0, -100])
    assert each[1].data == 0.0
    loss = nn.CrossEntropyLoss()(batch, [0, -100])
    assert loss.data == nn.CrossEntropyLoss()([1.0, 0.0], 0)
    loss.backward()
    assert gradients(batch[1]) == [0.0, 0.0]


def test_the_sum_of_ignored_samples_is_0_and_their_mean_is_refused():
    z = [Value(1.0), Value(2.0)]
    nothing = nn.NLLLoss(ignore_index=1, reduction="sum")([z, z], [1, 1])
    nothing.backward()
    assert (nothing.data, gradients(z)) == (0.0, [0.0, 0.0])
    for loss in (nn.NLLLoss(ignore_index=1), nn.NLLLoss([1.0, 0.0])):
        with pytest.raises(ValueError) as refusal:
            loss([z, z], [1, 1])
        assert str(refusal.value) == (
            "NLLLoss expected a sample to take the mean of, got labels that all are to be ignored"
            " or have weight 0"
        )


def test_the_loss_of_a_single_class_is_0_with_gradient_0():
    z = Value(3.0)
    loss = nn.CrossEntropyLoss()([[z]], [0])
    loss.backward()
    assert (loss.data, z.grad) == (0.0, 0.0)


@pytest.mark.parametrize("z", [1000.0, -1000.0])
@pytest.mark.parametrize("name", ["L1Loss", "HuberLoss", "MSELoss"])
def test_regression_losses_at_1000(name, z):
    g = Value(z)
    loss = getattr(nn, name)()(g, 0.0)
    loss.backward()
    expected = {"L1Loss": 1000.0, "HuberLoss": 999.5, "MSELoss": 1e6}[name]
    slope = {"L1Loss": 1.0, "HuberLoss": 1.0, "MSELoss": 2000.0}[name]
    assert (loss.data, g.grad) == (expected, math.copysign(slope, z))


def test_huber_s_loss_bends_at_delta():
    d = [Value(x) for x in (-3.0, -2.0, 1.0, 2.0, 5.0)]
    loss = nn.HuberLoss("sum", 2.0)(d, [0.0] * 5)
    loss.backward()
    assert loss.data == 4.0 + 2.0 + 0.5 + 2.0 + 8.0
    assert gradients(d) == [-2.0, -2.0, 1.0, 2.0, 2.0]


def test_a_certain_and_wrong_probability_costs_100_with_a_finite_gradient():
    p = [Value(0.0), Value(1.0)]
    loss = nn.BCELoss("sum")(p, [1, 0])
    loss.backward()
    assert loss.data == 200.0
    assert gradients(p) == pytest.approx([-1e12, 1e12], rel=1e-7)


def test_binary_cross_entropy_has_higher_derivatives():
    p = Value(0.25)
    nn.BCELoss()(p, 1).backward(create_graph=True)
    first = p.grad
    p.zero_grad()
    first.backward()
    assert p.grad == pytest.approx(1 / 0.25**2, rel=1e-14)


def test_positive_samples_weigh_more_in_each_place_of_a_sample():
    z, y = [[0.5, -1.0], [2.0, 0.25]], [[1, 0], [0, 1]]
    each = nn.BCEWithLogitsLoss("none")(z, y)
    weighted = nn.BCEWithLogitsLoss("none", pos_weight=[10.0, 3.0])(z, y)
    assert weighted == [[10.0 * each[0][0], each[0][1]], [each[1][0], 3.0 * each[1][1]]]


@pytest.mark.parametrize(
    ("loss", "nodes"),
    [
        ("L1Loss", 2 * 6 + 1),  # a difference and its size; the mean
        ("HuberLoss", 2 * 6 + 5),
        ("MSELoss", 6 + 2),
        ("BCELoss", 6 + 1),
        ("CrossEntropyLoss", 2 * 3 + 1),  # K - 1 differences and a logsumexp a sample
        ("NLLLoss", 2 + 2),
    ],
)
def test_few_nodes_are_recorded(loss, nodes):
    x = [[Value(0.25), Value(0.5), Value(0.125)], [Value(0.75), Value(0.5), Value(1.0)]]
    targets = [0, 2] if loss in ("CrossEntropyLoss", "NLLLoss") else [[0, 1, 1], [1, 0, 0]]
    options = {"weight": [1.0, 2.0, 3.0]} if loss == "NLLLoss" else {}
    recorded = graph(getattr(nn, loss)(**options)(x, targets))
    assert sum(bool(node.operands) for node in recorded.nodes) == nodes


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.HuberLoss(delta=0.0), ValueError, "HuberLoss expected delta > 0, got 0.0"),
        (
            lambda: nn.HuberLoss(delta=math.nan),
            ValueError,
            "HuberLoss expected delta > 0, got nan",
        ),
        (
            lambda: nn.HuberLoss(delta="1"),
            TypeError,
            "HuberLoss expected a number for delta, got str: '1'",
        ),
        (
            lambda: nn.CrossEntropyLoss("sum"),
            TypeError,
            "CrossEntropyLoss expected a list of weights of the classes, got 'sum'; write"
            " reduction='sum'",
        ),
        (
            lambda: nn.CrossEntropyLoss(2.0),
            TypeError,
            "CrossEntropyLoss's weight expected a list of numbers, got float: 2.0",
        ),
        (
            lambda: nn.NLLLoss([1.0, -1.0]),
            ValueError,
            "NLLLoss's weight expected finite numbers of at least 0, got -1.0 at position 1",
        ),
        (
            lambda: nn.NLLLoss([]),
            ValueError,
            "NLLLoss's weight expected at least one number, got an empty list",
        ),
        (
            lambda: nn.NLLLoss([1.0, "a"]),
            TypeError,
            "NLLLoss's weight expected numbers, got str at position 1: 'a'",
        ),
        (
            lambda: nn.NLLLoss([1.0, 2.0])([[0.0, 0.0, 0.0]], [1]),
            ValueError,
            "NLLLoss expected samples of 2 log-probabilities, one for each weight, got 3",
        ),
        (
            lambda: nn.NLLLoss(ignore_index=1.0),
            TypeError,
            "NLLLoss expected a whole number for ignore_index, got float: 1.0",
        ),
        (
            lambda: nn.CrossEntropyLoss(label_smoothing=1.5),
            ValueError,
            "CrossEntropyLoss expected label_smoothing from 0 to 1, got 1.5",
        ),
        (
            lambda: nn.CrossEntropyLoss(label_smoothing="a"),
            TypeError,
            "CrossEntropyLoss expected a number for label_smoothing, got str: 'a'",
        ),
        (
            lambda: nn.BCEWithLogitsLoss(pos_weight=-1.0),
            ValueError,
            "BCEWithLogitsLoss's pos_weight expected finite numbers of at least 0, got -1.0 at"
            " position 0",
        ),
        (
            lambda: nn.BCEWithLogitsLoss(pos_weight=[1.0, 2.0])([[0.0], [0.0]], [[1], [1]]),
            ValueError,
            "BCEWithLogitsLoss expected samples of 2 predictions, one for each pos_weight, got"
            " predictions of shape (2, 1)",
        ),
        (
            lambda: nn.BCELoss()([0.5, 1.5], [1, 1]),
            ValueError,
            "BCELoss expected probabilities from 0 to 1, got 1.5 at position 1; for outputs without"
            " a sigmoid take BCEWithLogitsLoss",
        ),
        (
            lambda: nn.BCELoss()([math.nan], [1]),
            ValueError,
            "BCELoss expected probabilities from 0 to 1, got nan at position 0; for outputs without"
            " a sigmoid take BCEWithLogitsLoss",
        ),
        (
            lambda: nn.BCELoss()([0.5], [-1]),
            ValueError,
            "BCELoss expected labels from 0 to 1, got -1 at position 0",
        ),
        (
            lambda: nn.l2_penalty([Value(1.0)], -1.0),
            ValueError,
            "l2_penalty expected a finite lam of at least 0, got -1.0",
        ),
        (
            lambda: nn.l2_penalty([], 1.0),
            ValueError,
            "l2_penalty expected at least one parameter, got an empty list",
        ),
        (
            lambda: nn.l2_penalty(["a"], 1.0),
            TypeError,
            "l2_penalty expected numbers as parameters, got str at position 0: 'a'",
        ),
    ],
)
def test_settings_without_a_meaning_are_refused(make, error, message):
    with pytest.raises(error) as refusal:
        make()
    assert str(refusal.value) == message
