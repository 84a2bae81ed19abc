"""Losses: their values and gradients, and what they refuse instead of guessing."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest

import nn
from autograd_lite import Value

NAMES = ["MSELoss", "HalfMSELoss", "L1Loss", "HingeLoss", "LogisticLoss", "BCEWithLogitsLoss"]


def gradients(values):
    return [value.grad for value in values]


# -- shapes and reductions -----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_reductions_agree(name):
    scores, labels = [[0.5, -2.0], [3.0, 0.1], [-1.0, 1.5]], [[1, 1]] * 3
    loss = getattr(nn, name)
    each = loss(reduction="none")(scores, labels)
    assert [len(row) for row in each] == [2, 2, 2]
    total = loss(reduction="sum")(scores, labels)
    assert total == pytest.approx(math.fsum(x for row in each for x in row), rel=1e-15, abs=0.0)
    assert loss()(scores, labels) == pytest.approx(total / 6, rel=1e-15, abs=0.0)
    assert repr(loss("sum")) == f"{name}(reduction='sum')"


@pytest.mark.parametrize("name", NAMES)
def test_one_value_against_one_number(name):
    loss = getattr(nn, name)()
    z = Value(0.25)
    assert loss(z, 1).data == loss([z], [1]).data == loss([[z]], [[1]]).data
    assert getattr(nn, name)("none")(z, 1).data == loss(z, 1).data


@pytest.mark.parametrize("name", [*NAMES, "CrossEntropyLoss"])
def test_plain_numbers_give_a_float(name):
    loss = getattr(nn, name)()
    result = loss([[0.5, 1.0]], [1]) if name == "CrossEntropyLoss" else loss([0.5], [1])
    assert type(result) is float


@pytest.mark.parametrize("name", NAMES)
def test_targets_may_be_arrays_and_any_numbers(name):
    loss = getattr(nn, name)()
    scores = [0.5, -2.0]
    expected = loss(scores, [1.0, 1.0])
    for targets in (np.ones(2), np.ones(2, dtype=int), (True, Fraction(1)), [np.float32(1), 1]):
        assert loss(scores, targets) == expected
    assert loss(np.array(scores), [1, 1]) == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("prediction", "target", "shapes"),
    [
        ([[1.0], [2.0]], [1.0, 1.0], "(2, 1) and (2,)"),
        ([1.0, 2.0], [1.0], "(2,) and (1,)"),
        ([1.0], 1.0, "(1,) and ()"),
        (1.0, [1.0], "() and (1,)"),
        ([[1.0, 2.0]], [[1.0], [1.0]], "(1, 2) and (2, 1)"),
    ],
)
def test_unequal_shapes_are_refused(name, prediction, target, shapes):
    with pytest.raises(ValueError) as refusal:
        getattr(nn, name)()(prediction, target)
    assert str(refusal.value) == f"{name} expected prediction and target of equal shapes, got " + (
        shapes
    )


@pytest.mark.parametrize("name", NAMES)
def test_nothing_and_ragged_batches_are_refused(name):
    loss = getattr(nn, name)()
    with pytest.raises(ValueError, match=r"expected at least one prediction, got shape \(0,\)"):
        loss([], [])
    with pytest.raises(ValueError, match="expected samples of one size"):
        loss([[1.0, 2.0], [1.0]], [[1, 1], [1]])


@pytest.mark.parametrize("name", [*NAMES, "CrossEntropyLoss"])
def test_unknown_reductions_are_refused(name):
    with pytest.raises(ValueError) as refusal:
        getattr(nn, name)(reduction="average")
    assert str(refusal.value) == (
        f'{name} expected reduction "mean", "sum" or "none", got \'average\''
    )


# -- squared loss --------------------------------------------------------------------------------


def test_gradients_of_the_squared_loss():
    g = [Value(1.0), Value(5.0)]
    nn.MSELoss()(g, [3.0, 3.0]).backward()
    assert gradients(g) == [-2.0, 2.0]
    h = [Value(1.0), Value(5.0)]
    nn.HalfMSELoss(reduction="sum")(h, [3.0, 3.0]).backward()
    assert gradients(h) == [-2.0, 2.0]


def test_targets_of_the_squared_loss_may_be_values():
    y = Value(3.0)
    nn.MSELoss()(Value(1.0), y).backward()
    assert y.grad == 4.0


def test_a_missing_target_is_not_hidden():
    assert math.isnan(nn.MSELoss()([1.0, 2.0], [1.0, float("nan")]))


# -- labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HingeLoss", "LogisticLoss"])
@pytest.mark.parametrize("label", [0, 2, 0.5, float("nan"), -1.5])
def test_labels_other_than_plus_and_minus_1_are_refused(name, label):
    with pytest.raises(ValueError) as refusal:
        getattr(nn, name)()([1.0, 1.0], [1, label])
    assert str(refusal.value) == f"{name} expected labels -1 or 1, got {label!r} at position 1"


@pytest.mark.parametrize("label", [-1, 2, 1.01, float("nan")])
def test_binary_labels_outside_0_to_1_are_refused(label):
    with pytest.raises(ValueError) as refusal:
        nn.BCEWithLogitsLoss()([1.0], [label])
    assert str(refusal.value) == (
        f"BCEWithLogitsLoss expected labels from 0 to 1, got {label!r} at position 0"
    )


def test_labels_that_are_text_are_refused():
    with pytest.raises(TypeError, match="expected numbers as labels, got str at position 0: 'yes'"):
        nn.HingeLoss()([1.0], ["yes"])


def test_binary_labels_may_be_probabilities():
    z = Value(0.5)
    loss = nn.BCEWithLogitsLoss()(z, 0.3)
    loss.backward()
    p = 1 / (1 + math.exp(-0.5))
    expected = -0.3 * math.log(p) - 0.7 * math.log(1 - p)
    assert loss.data == pytest.approx(expected, rel=1e-15, abs=0.0)
    assert z.grad == pytest.approx(p - 0.3, rel=1e-14, abs=0.0)


# -- precision -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("z", "y"), [(40.0, 1), (-40.0, 0)])
def test_small_binary_cross_entropies_keep_their_digits(z, y):
    logit = Value(z)
    loss = nn.BCEWithLogitsLoss()(logit, y)
    loss.backward()
    assert loss.data == pytest.approx(math.exp(-40.0), rel=1e-15, abs=0.0)
    assert abs(logit.grad) == pytest.approx(math.exp(-40.0), rel=1e-15, abs=0.0)


def test_small_cross_entropies_keep_their_digits():
    logits = [Value(50.0), Value(10.0)]
    loss = nn.CrossEntropyLoss()(logits, 0)
    loss.backward()
    assert loss.data == pytest.approx(math.exp(-40.0), rel=1e-15, abs=0.0)
    assert gradients(logits) == pytest.approx(
        [-math.exp(-40.0), math.exp(-40.0)], rel=1e-15, abs=0.0
    )


@pytest.mark.parametrize(("z", "y", "loss"), [(math.inf, 1, 0.0), (-math.inf, 1, math.inf)])
def test_infinite_logits_have_their_limits(z, y, loss):
    assert nn.BCEWithLogitsLoss()(z, y) == loss
    assert nn.BCEWithLogitsLoss()(-z, 1 - y) == loss


# -- cross-entropy -------------------------------------------------------------------------------


def test_cross_entropy_of_a_batch_is_the_mean_over_samples():
    batch, labels = [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [2, 1]
    one = [nn.CrossEntropyLoss()(z, y) for z, y in zip(batch, labels, strict=True)]
    assert one[1] == pytest.approx(math.log(3.0), rel=1e-15, abs=0.0)
    assert nn.CrossEntropyLoss()(batch, labels) == (one[0] + one[1]) / 2
    assert nn.CrossEntropyLoss(reduction="sum")(batch, labels) == one[0] + one[1]
    assert nn.CrossEntropyLoss(reduction="none")(batch, labels) == one


def test_cross_entropy_takes_arrays():
    batch, labels = [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [2, 1]
    expected = nn.CrossEntropyLoss()(batch, labels)
    assert nn.CrossEntropyLoss()(np.array(batch), np.array(labels)) == expected
    assert nn.CrossEntropyLoss()(batch, [np.int64(2), np.uint8(1)]) == expected


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        (
            [[0.0, 0.0, 0.0]] * 2,
            [1, 3],
            "CrossEntropyLoss expected labels from 0 to 2, got 3 at position 1",
        ),
        ([0.0, 0.0], -1, "CrossEntropyLoss expected labels from 0 to 1, got -1 at position 0"),
        (
            [[0.0, 0.0]] * 3,
            [0, 1],
            "CrossEntropyLoss expected one label for each sample, shape (3,) for logits of shape"
            " (3, 2), got labels of shape (2,)",
        ),
        (
            nn.MLP(2, [1])([[0.0, 1.0]] * 3),
            [0, 1, 1],
            "CrossEntropyLoss expected a list of logits for each sample, one for each class and so"
            " at least two, got one number for each of 3 labels; a model with one output takes"
            " BCEWithLogitsLoss or LogisticLoss",
        ),
        (
            [0.0, 0.0],
            [1],
            "CrossEntropyLoss expected one label for each sample, shape () for logits of shape"
            " (2,), got labels of shape (1,)",
        ),
        (
            [[0.0, 0.0], [0.0]],
            [0, 0],
            "CrossEntropyLoss expected samples of one size, got shape (2,) at position 0 and (1,)"
            " at position 1",
        ),
        (
            [],
            [],
            "CrossEntropyLoss expected a list of logits for each sample of a batch, or for one"
            " sample, got shape (0,)",
        ),
        (
            Value(1.0),
            0,
            "CrossEntropyLoss expected a list of logits for each sample of a batch, or for one"
            " sample, got shape ()",
        ),
    ],
)
def test_cross_entropy_refuses_wrong_labels_and_shapes(prediction, target, message):
    with pytest.raises(ValueError) as refusal:
        nn.CrossEntropyLoss()(prediction, target)
    assert str(refusal.value) == message


@pytest.mark.parametrize("label", [1.0, "1", None])
def test_cross_entropy_refuses_labels_that_are_not_whole_numbers(label):
    message = f"whole numbers as labels, got {type(label).__name__} at position 0: {label!r}"
    with pytest.raises(TypeError, match=re.escape(message)):
        nn.CrossEntropyLoss()([[0.0, 0.0]], [label])


def test_a_refused_loss_leaves_gradients_as_they_were():
    logits = [Value(0.0), Value(0.0)]
    nn.CrossEntropyLoss()(logits, 0).backward()
    with pytest.raises(ValueError):
        nn.CrossEntropyLoss()(logits, 2)
    assert gradients(logits) == [-0.5, 0.5]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.CrossEntropyLoss()([["a", "b"]], [1]),
            "CrossEntropyLoss expected numbers as logits, got str: 'a'",
        ),
        (
            lambda: nn.MSELoss()([1.0, "a"], [1.0, 2.0]),
            "MSELoss expected numbers as predictions, got str at position 1: 'a'",
        ),
        (
            lambda: nn.MSELoss()([1.0, 2.0], [None, 2.0]),
            "MSELoss expected numbers as targets, got NoneType at position 0: None",
        ),
        (
            lambda: nn.HingeLoss()([1.0], ["1"]),
            "HingeLoss expected numbers as labels, got str at position 0: '1'",
        ),
    ],
)
def test_what_is_no_number_is_refused(call, message):
    with pytest.raises(TypeError) as refusal:
        call()
    assert str(refusal.value) == message
