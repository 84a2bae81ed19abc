"""The sets to learn from are what they claim to be, and say so when something is missing."""

import math
import random
import sys
from collections import Counter

import numpy as np
import pytest

from nn import data


def by_label(dataset):
    """Return the points of each label."""
    groups = {}
    for point, label in zip(*dataset, strict=True):
        groups.setdefault(label, []).append(point)
    return groups


# -- points in the plane -------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 7, 100])
def test_circles_without_noise_are_scikit_learn_s(n):
    make_circles = pytest.importorskip("sklearn.datasets").make_circles
    points, labels = make_circles(n, shuffle=False, factor=0.3)
    inputs, targets = data.circles(n, noise=0.0, factor=0.3, seed=0)
    ours = sorted((y, *np.round(x, 12)) for x, y in zip(inputs, targets, strict=True))
    theirs = sorted((int(y), *np.round(x, 12)) for x, y in zip(points, labels, strict=True))
    assert np.allclose(ours, theirs, rtol=0, atol=2e-12)


def test_the_arms_of_a_spiral_are_turned_copies_of_one_another():
    arms = by_label(data.spirals(60, noise=0.0, turns=1.5, labels=("a", "b", "c"), seed=0))
    assert {label: len(points) for label, points in arms.items()} == {"a": 20, "b": 20, "c": 20}
    radii = [sorted(math.hypot(*point) for point in points) for points in arms.values()]
    for found in radii:
        assert found == pytest.approx([(i + 1) / 20 for i in range(20)], rel=1e-14)
    turned = [
        complex(*p) * complex(math.cos(2 * math.pi / 3), math.sin(2 * math.pi / 3))
        for p in arms["a"]
    ]
    for point in turned:
        assert min(abs(point - complex(*other)) for other in arms["b"]) < 1e-14
    (outermost,) = [p for p in arms["a"] if math.hypot(*p) > 0.999]
    assert outermost == pytest.approx([-1.0, 0.0], abs=1e-14)  # after one and a half turns


def test_what_does_not_divide_goes_to_the_first_arms():
    assert Counter(data.spirals(8, labels=(0, 1, 2), seed=0).targets) == {0: 3, 1: 3, 2: 2}


def test_xor_is_in_order_and_comes_round_again():
    inputs, targets = data.xor(6, labels=(-1, 1))
    assert inputs == [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]
    assert targets == [-1, 1, 1, -1, -1, 1]


def test_no_line_fits_xor_better_than_a_mean_squared_error_of_a_quarter():
    inputs, targets = data.xor()
    design = np.column_stack([inputs, np.ones(4)])
    _, (residual,), *_ = np.linalg.lstsq(design, np.array(targets, dtype=float), rcond=None)
    assert residual / 4 == pytest.approx(0.25, rel=1e-14)


@pytest.mark.parametrize("name", ["circles", "spirals", "xor"])
def test_noise_and_order_are_repeatable_and_the_deviation_is_that_asked_for(name):
    make = getattr(data, name)
    assert make(20, noise=0.1, seed=3) == make(20, noise=0.1, seed=3)
    assert make(20, noise=0.1, seed=3) != make(20, noise=0.1, seed=4)
    random.seed(3)
    assert make(20, noise=0.1) == make(20, noise=0.1, seed=3)
    moved = np.array(make(4_000, noise=0.25, seed=1).inputs)
    moved -= np.array(make(4_000, noise=0.0, seed=1).inputs)
    assert moved.std() == pytest.approx(0.25, rel=0.03)  # ± 3 standard errors
    assert abs(moved.mean()) < 0.01


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: data.circles(1), ValueError, "circles expected at least 2 points, got 1"),
        (
            lambda: data.circles(9, factor=1.0),
            ValueError,
            "factor expected a number from 0 to below 1, got 1.0",
        ),
        (lambda: data.circles(9, factor="a"), TypeError, "factor expected a number, got str: 'a'"),
        (
            lambda: data.spirals(2, labels=(0, 1, 2)),
            ValueError,
            "spirals expected at least 3 points, got 2",
        ),
        (
            lambda: data.spirals(9, labels=[0]),
            ValueError,
            "spirals expected at least two labels, got 1: [0]",
        ),
        (
            lambda: data.spirals(9, labels=2),
            TypeError,
            "spirals expected a list of labels, got int: 2",
        ),
        (
            lambda: data.spirals(9, turns=math.inf),
            ValueError,
            "turns expected a finite number, got inf",
        ),
        (lambda: data.xor(3), ValueError, "xor expected at least 4 points, got 3"),
        (
            lambda: data.xor(4.0),
            TypeError,
            "xor expected a whole number of points, got float: 4.0",
        ),
        (
            lambda: data.xor(noise=-1.0),
            ValueError,
            "noise expected a finite number of at least 0, got -1.0",
        ),
    ],
)
def test_impossible_sets_are_refused(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert str(refusal.value) == message


# -- sets of scikit-learn ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shape", "counts"),
    [
        ("iris", (150, 4), {0: 50, 1: 50, 2: 50}),
        ("wine", (178, 13), {0: 59, 1: 71, 2: 48}),
        ("breast_cancer", (569, 30), {0: 212, 1: 357}),
    ],
)
def test_classes_are_counted_from_0(name, shape, counts):
    pytest.importorskip("sklearn")
    found = getattr(data, name)()
    assert np.array(found.inputs).shape == shape
    assert Counter(found.targets) == counts
    assert {type(label) for label in found.targets} == {int}
    assert data.dataset(*found) == found


def test_diabetes_is_in_the_units_of_the_measurement():
    pytest.importorskip("sklearn")
    inputs, targets = data.diabetes()
    ages = [sample[0] for sample in inputs]
    assert (len(inputs), {len(sample) for sample in inputs}) == (442, {10})
    assert (min(ages), max(ages)) == (19.0, 79.0)
    assert {sample[1] for sample in inputs} == {1.0, 2.0}
    assert (min(targets), max(targets)) == (25.0, 346.0)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_without_scikit_learn_the_error_names_the_set_and_the_extra(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ModuleNotFoundError) as refusal:
        getattr(data, name)()
    subject, _, rest = str(refusal.value).partition(" with ")
    assert subject.replace(" ", "_").startswith(name)
    assert rest == 'scikit-learn, which is not installed: pip install "autograd-lite[data]"'


# -- the names -----------------------------------------------------------------------------------


def test_names_are_a_thousand_words_of_the_letters_a_to_z():
    names = data.names()
    assert len(set(names)) == len(names) == 1000
    assert names == sorted(names)
    assert set("".join(names)) == set("abcdefghijklmnopqrstuvwxyz")
    assert {3, 12} == {min(map(len, names)), max(map(len, names))}
    assert {"ada", "wei", "kwame", "priya", "jose", "zeynep"} <= set(names)


def test_whoever_changes_the_names_has_changed_a_copy():
    data.names().clear()
    assert data.names()[0] == "abeer"
