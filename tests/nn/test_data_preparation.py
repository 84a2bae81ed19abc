"""Data are prepared for learning: lost numbers refused, standardised, labels as vectors."""

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

import nn
from autograd_lite import Value
from nn import data

NAN, INF = math.nan, math.inf


# -- numbers that are lost -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (
            [[1.0, 2.0], [3.0, NAN]],
            [0, 1],
            "inputs expected finite numbers, got nan in row 1, column 1 (counted from 0)",
        ),
        (
            [[1.0, 2.0], [-INF, INF]],
            [0, 1],
            "inputs expected finite numbers, got -inf in row 1, column 0 (counted from 0)",
        ),
        (
            np.array([[1.0, 2.0], [3.0, NAN]]),
            [0, 1],
            "inputs expected finite numbers, got nan in row 1, column 1 (counted from 0)",
        ),
        (
            [[np.float32(1.0), np.float32(NAN)]],
            [0],
            "inputs expected finite numbers, got nan in row 0, column 1 (counted from 0)",
        ),
        (
            [[Value(1.0), Value(NAN)]],
            [0],
            "inputs expected finite numbers, got nan in row 0, column 1 (counted from 0)",
        ),
        (
            [[[1.0, 2.0, 3.0], [4.0, 5.0, INF]]],
            [0],
            "inputs expected finite numbers, got inf in row 0, column 1, 2 (counted from 0)",
        ),
        (
            [[1.0], [2.0]],
            [0.0, NAN],
            "targets expected finite numbers, got nan in row 1 (counted from 0)",
        ),
        (
            [[1.0], [2.0]],
            [[0.0, 1.0], [0.0, INF]],
            "targets expected finite numbers, got inf in row 1, column 1 (counted from 0)",
        ),
    ],
)
def test_nan_and_infinities_are_refused_by_row_and_column(inputs, targets, message):
    calls = [
        data.dataset,
        lambda x, y: data.split((x, y), 0.5),
        lambda x, y: data.batches(x, y, 1),
        lambda x, y: data.Standardiser((x, y)),
        lambda x, y: data.random_labels((x, y), 2),
    ]
    for call in calls:
        with pytest.raises(ValueError) as refusal:
            call(inputs, targets)
        assert str(refusal.value) == message


def test_fit_refuses_lost_numbers_before_anything_is_changed():
    model = nn.Linear(1, 1, seed=0)
    before = [p.data for p in model.parameters()]
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    fine, lost = ([[1.0], [2.0]], [[1.0], [2.0]]), ([[1.0], [NAN]], [[1.0], [2.0]])
    for given in ({"data": lost}, {"data": fine, "validation": lost}):
        with pytest.raises(ValueError, match="got nan in row 1, column 0"):
            nn.fit(model, loss=nn.MSELoss(), optimizer=optimizer, epochs=1, **given)
    assert [p.data for p in model.parameters()] == before


def test_large_numbers_whose_sum_overflows_are_no_reason_to_refuse():
    rows = [[1e308, 1e308, -1e308], [10**400 // 10**100, Fraction(1, 3), True]]
    assert data.dataset(rows, ["nan", "inf"]) == (rows, ["nan", "inf"])


# -- standardising -------------------------------------------------------------------------------


def test_the_training_part_gets_mean_0_and_deviation_1_as_in_scikit_learn():
    scaler = pytest.importorskip("sklearn.preprocessing").StandardScaler()
    train, test = data.split(data.wine(), stratify=True, seed=0)
    scaler.fit(train.inputs)
    ours = data.standardise(train, test)
    for part, given in zip(ours, (train, test), strict=True):
        assert np.allclose(part.inputs, scaler.transform(given.inputs), rtol=1e-12, atol=1e-13)
        assert part.targets == given.targets
    columns = list(zip(*ours[0].inputs, strict=True))
    assert [math.fsum(column) for column in columns] == pytest.approx([0.0] * 13, abs=1e-10)
    assert [math.hypot(*column) for column in columns] == pytest.approx([math.sqrt(142)] * 13)


def test_the_test_part_has_no_say():
    train, test = ([[0.0], [2.0]], [0, 1]), ([[100.0], [-50.0]], [0, 1])
    standardised, other = data.standardise(train, test)
    assert standardised.inputs == [[-1.0], [1.0]]
    assert other.inputs == [[99.0], [-51.0]]


def test_a_constant_column_is_shifted_to_exactly_0_and_not_divided():
    constant = 0.1  # of which the mean of three is 0.10000000000000002 if summed up
    train = ([[constant, 1.0], [constant, 2.0], [constant, 3.0]], [0, 0, 1])
    standardiser = data.Standardiser(train)
    assert standardiser.mean == [0.1, 2.0]
    assert standardiser.std == [0.0, pytest.approx(math.sqrt(2 / 3), rel=1e-15)]
    assert [row[0] for row in standardiser(train).inputs] == [0.0, 0.0, 0.0]
    assert standardiser(([[0.6, 2.0]], [1])).inputs == [[0.5, 0.0]]
    assert repr(standardiser) == "Standardiser(2 columns)"


def test_deviations_of_huge_and_tiny_numbers_neither_overflow_nor_vanish():
    standardiser = data.Standardiser(([[1e200, 1e-200], [-1e200, -1e-200]], [0, 1]))
    assert standardiser.std == pytest.approx([1e200, 1e-200], rel=1e-15, abs=0.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: data.Standardiser(([[1.0], [2.0]], [0, 1]))(([[1.0, 2.0]], [0])),
            ValueError,
            "Standardiser expected samples of 1 numbers, as those it was made with, got [1.0, 2.0]"
            " at position 0",
        ),
        (
            lambda: data.Standardiser(([[[1.0], [2.0]]], [0])),
            ValueError,
            "Standardiser expected samples that are lists of numbers, got lists of lists; flatten"
            " them first",
        ),
        (
            lambda: data.standardise([[1.0], [2.0], [3.0]]),
            TypeError,
            "Standardiser expected data as a pair (inputs, targets), got list of length 3",
        ),
        (
            lambda: data.standardise(([], [])),
            ValueError,
            "data expected at least one sample, got none",
        ),
    ],
)
def test_what_cannot_be_standardised_is_refused(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert str(refusal.value) == message


# -- labels --------------------------------------------------------------------------------------


def test_one_hot_vectors_keep_the_shape_of_the_labels():
    assert data.one_hot(1, 3) == [0.0, 1.0, 0.0]
    assert data.one_hot([0, 2]) == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert data.one_hot(np.array([[1], [0]])) == [[[0.0, 1.0]], [[1.0, 0.0]]]
    assert data.one_hot([np.uint8(1), True], 2) == [[0.0, 1.0], [0.0, 1.0]]
    assert data.one_hot([], 2) == []


@pytest.mark.parametrize(
    ("labels", "classes", "error", "message"),
    [
        ([0, 3], 3, ValueError, "one_hot expected labels from 0 to 2, got 3 at position 1"),
        ([0, -1], None, ValueError, "one_hot expected labels from 0 up, got -1 at position 1"),
        (
            [0.0],
            None,
            TypeError,
            "one_hot expected whole numbers as labels, got float at position 0: 0.0",
        ),
        (
            [],
            None,
            ValueError,
            "one_hot expected num_classes or at least one label, got neither",
        ),
        ([0], 0, ValueError, "one_hot expected at least 1 class, got 0"),
        ([0], 2.0, TypeError, "one_hot expected a whole number of classes, got float: 2.0"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, classes, error, message):
    with pytest.raises(error) as refusal:
        data.one_hot(labels, classes)
    assert str(refusal.value) == message


def test_random_labels_have_nothing_to_do_with_the_inputs():
    moons = data.moons(3_000, seed=0)
    inputs, labels = data.random_labels(moons, 3, seed=1)
    assert inputs == moons.inputs
    pairs = Counter(zip(moons.targets, labels, strict=True))
    # each of 6 pairs has probability 1/6: 500 of 3,000, standard deviation 20.4
    assert all(abs(pairs[moon, label] - 500) < 82 for moon in (0, 1) for label in range(3))
    assert data.random_labels(moons, 3, seed=1).targets == labels
    assert data.random_labels(moons, 3, seed=2).targets != labels
    with pytest.raises(TypeError, match="random_labels expected a whole number of classes, got"):
        data.random_labels(moons, [0, 1])
