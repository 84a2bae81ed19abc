"""Data arrive checked, are divided and drawn repeatably, and are what they claim to be."""

import math
import random
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from autograd_lite import Value
from nn import data

TWELVE = ([[float(i)] for i in range(12)], list(range(12)))


# -- mini-batches --------------------------------------------------------------------------------


def test_60000_samples_in_batches_of_64_are_938_steps_the_last_of_32():
    steps = data.batches([[0.0]] * 60_000, [0] * 60_000, 64, seed=0)
    sizes = [len(targets) for _, targets in steps]
    assert len(steps) == len(sizes) == 938
    assert sizes == [64] * 937 + [32]


def test_an_epoch_without_replacement_shows_every_sample_once_with_its_own_target():
    seen = [
        (x[0], y)
        for inputs, targets in data.batches(*TWELVE, 5, seed=1)
        for x, y in zip(inputs, targets, strict=True)
    ]
    assert sorted(seen) == [(float(i), i) for i in range(12)]
    assert seen != sorted(seen)


def test_with_replacement_n_samples_are_drawn_and_the_share_not_seen_is_that_of_theory():
    n = 2_000
    steps = data.batches([[0.0]] * n, list(range(n)), 64, replacement=True, seed=2)
    counts = Counter(target for _, targets in steps for target in targets)
    assert counts.total() == n
    # each sample is missed with probability (1 - 1/n)^n = 0.3678; standard deviation 0.0069
    assert 1 - len(counts) / n == pytest.approx(0.3678, abs=0.025)


def test_every_epoch_is_drawn_anew_and_the_seed_repeats_them_all():
    def epochs(seed):
        steps = data.batches(*TWELVE, 5, seed=seed)
        return [[targets for _, targets in steps] for _ in range(3)]

    first, second, third = epochs(3)
    assert first != second != third
    assert epochs(3) == [first, second, third]
    assert epochs(4) != [first, second, third]


def test_without_a_seed_python_s_random_draws():
    random.seed(5)
    one = [targets for _, targets in data.batches(*TWELVE, 5)]
    random.seed(5)
    assert [targets for _, targets in data.batches(*TWELVE, 5)] == one


def test_a_generator_goes_on_where_it_is():
    source = random.Random(5)
    one = [targets for _, targets in data.batches(*TWELVE, 12, seed=source)]
    assert [targets for _, targets in data.batches(*TWELVE, 12, seed=source)] != one


def test_without_shuffling_samples_come_in_order_and_a_batch_may_be_larger_than_the_data():
    ((inputs, targets),) = data.batches(*TWELVE, 100, shuffle=False)
    assert inputs == TWELVE[0]
    assert targets == TWELVE[1]


def test_batches_describe_themselves():
    assert repr(data.batches(*TWELVE, 5)) == "Batches(12 samples, 5 a batch, 3 steps)"
    assert repr(data.batches(*TWELVE, 5, replacement=True)).endswith(", with replacement)")


@pytest.mark.parametrize(
    ("size", "options", "error", "message"),
    [
        (0, {}, ValueError, "batch size expected at least 1, got 0"),
        (-3, {}, ValueError, "batch size expected at least 1, got -3"),
        (2.0, {}, TypeError, "batch size expected a whole number, got float: 2.0"),
        (True, {}, TypeError, "batch size expected a whole number, got bool: True"),
        (
            2,
            {"shuffle": False, "replacement": True},
            ValueError,
            "replacement=True draws at random; it cannot keep shuffle=False",
        ),
    ],
)
def test_a_wrong_batch_size_or_order_is_refused(size, options, error, message):
    with pytest.raises(error) as caught:
        data.batches(*TWELVE, size, **options)
    assert str(caught.value) == message


# -- what is taken for data ----------------------------------------------------------------------


def test_arrays_tuples_and_lists_of_rows_become_the_same_plain_lists():
    rows = [[1.0, 2.0], [3.0, 4.0]]
    wanted = data.dataset(rows, [0, 1])
    for inputs in (np.array(rows), tuple(map(tuple, rows)), [np.array(row) for row in rows]):
        given = data.dataset(inputs, np.array([0, 1]))
        assert given == wanted
        assert {type(x) for row in given.inputs for x in row} == {float}
        assert {type(label) for label in given.targets} == {int}


def test_images_of_equal_shape_are_samples():
    assert data.dataset(np.zeros((3, 2, 4)), [0, 1, 2]).inputs[2] == [[0.0] * 4] * 2


@pytest.mark.parametrize(
    ("inputs", "targets", "error", "message"),
    [
        ([], [], ValueError, "data expected at least one sample, got none"),
        (
            [[1.0], [2.0]],
            [1],
            ValueError,
            "data expected one target per sample, got 2 samples and 1 targets",
        ),
        (
            [[1.0], [2.0, 3.0]],
            [0, 1],
            ValueError,
            "inputs expected rows of one shape, got 1 numbers at position 0 and 2 numbers at"
            " position 1",
        ),
        (
            [[1.0, 2.0], 3.0],
            [0, 1],
            ValueError,
            "inputs expected rows of one shape, got 2 numbers at position 0 and a number at"
            " position 1",
        ),
        (
            [[[1.0, 2.0]], [[1.0], [2.0]]],
            [0, 1],
            ValueError,
            "inputs expected rows of one shape, got 1 x 2 at position 0 and 2 x 1 at position 1",
        ),
        (
            [[1.0], [2.0]],
            [[0.0], 1.0],
            ValueError,
            "targets expected rows of one shape, got 1 numbers at position 0 and a number at"
            " position 1",
        ),
        ([[], []], [0, 1], ValueError, "inputs expected rows that hold numbers, got [] at"),
        ([1.0, 2.0], [0, 1], TypeError, "write [[x] for x in inputs]"),
        ("ab", [0, 1], TypeError, "inputs expected a list or array, got str"),
        ([[1.0]], 3, TypeError, "targets expected a list or array, got int"),
    ],
)
def test_what_is_no_data_is_refused_by_name(inputs, targets, error, message):
    with pytest.raises(error) as caught:
        data.dataset(inputs, targets)
    assert message in str(caught.value)


# -- splitting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"replacement": True}])
def test_drop_last_leaves_out_the_smaller_batch_and_nothing_else(options):
    whole = data.batches(*TWELVE, 5, seed=0, **options)
    cut = data.batches(*TWELVE, 5, drop_last=True, seed=0, **options)
    assert (len(whole), len(cut)) == (3, 2)
    for _ in range(2):
        assert list(cut) == list(whole)[:2]
    assert len(data.batches(*TWELVE, 4, drop_last=True)) == 3  # 4 divides 12


def test_drop_last_does_not_leave_an_epoch_without_batches():
    with pytest.raises(ValueError) as caught:
        data.batches(*TWELVE, 13, drop_last=True)
    assert str(caught.value) == (
        "drop_last=True expected a batch size of at most the 12 samples, got 13: no batch would be"
        " left"
    )


def test_a_split_uses_every_sample_once_and_the_seed_repeats_it():
    train, test = data.split(TWELVE, 0.25, seed=0)
    assert len(test.inputs) == 3
    assert sorted(train.targets + test.targets) == TWELVE[1]
    assert [x for (x,) in train.inputs] == [float(y) for y in train.targets]
    assert data.split(TWELVE, 0.25, seed=0) == (train, test)
    assert data.split(TWELVE, 0.25, seed=1) != (train, test)


def test_a_stratified_split_keeps_each_label_s_share_to_within_one_sample():
    labels = ["a"] * 50 + ["b"] * 33 + ["c"] * 15 + ["d"] * 2
    for seed in range(20):
        _, test = data.split(([[0.0]] * 100, labels), 0.3, stratify=True, seed=seed)
        counts = Counter(test.targets)
        assert counts.total() == 30
        assert counts["a"] == 15
        assert counts["b"] in (9, 10)
        assert counts["c"] in (4, 5)
        assert counts["d"] in (0, 1)


@pytest.mark.parametrize(
    ("labels", "share", "message"),
    [
        (
            [0, 0, 1, 0],
            0.5,
            "stratify expected at least 2 samples of each label, got 1 of 1, at position 2",
        ),
        (
            ["a"] * 10 + ["b"] * 2,
            0.8,
            "stratify expected to leave samples of each label to train on, got none of 'b': the"
            " test part takes all 2; give a smaller share",
        ),
    ],
)
def test_a_stratified_split_leaves_no_label_out_of_the_training_part(labels, share, message):
    for seed in range(5):
        with pytest.raises(ValueError) as caught:
            data.split(([[0.0]] * len(labels), labels), share, stratify=True, seed=seed)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((TWELVE, 0.0), {}, ValueError, "test expected a share between 0 and 1, got 0.0"),
        ((TWELVE, math.nan), {}, ValueError, "test expected a share between 0 and 1, got nan"),
        ((TWELVE, 3), {}, ValueError, "test expected a share between 0 and 1, got 3"),
        ((TWELVE, "half"), {}, TypeError, "test expected a share, got str: 'half'"),
        ((TWELVE, 0.01), {}, ValueError, "got 12 to train on and 0 to test on"),
        (([[1.0]],), {}, TypeError, "a pair (inputs, targets), got list of length 1"),
        ((TWELVE,), {"seed": "x"}, TypeError, "seed expected"),
        (
            (([[0.0], [1.0]], [[0.0], [1.0]]), 0.5),
            {"stratify": True},
            TypeError,
            "stratify expected targets that are labels, got [",
        ),
    ],
)
def test_an_impossible_split_is_refused(arguments, options, error, message):
    with pytest.raises(error) as caught:
        data.split(*arguments, **options)
    assert message in str(caught.value)


# -- moons and digits ----------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 100, 101])
def test_moons_without_noise_are_scikit_learn_s(n):
    make_moons = pytest.importorskip("sklearn.datasets").make_moons
    points, labels = make_moons(n, shuffle=False)
    inputs, targets = data.moons(n, noise=0.0, seed=0)
    ours = sorted((y, *x) for x, y in zip(inputs, targets, strict=True))
    theirs = sorted((int(y), *x) for x, y in zip(points.tolist(), labels, strict=True))
    assert np.allclose(sorted(ours), sorted(theirs), rtol=0, atol=1e-15)


def test_the_noise_of_moons_has_the_deviation_asked_for():
    clean = data.moons(4_000, noise=0.0, seed=1).inputs
    noisy = data.moons(4_000, noise=0.25, seed=1).inputs
    moved = np.array(noisy) - np.array(clean)
    assert moved.std() == pytest.approx(0.25, rel=0.03)  # ± 3 standard errors
    assert abs(moved.mean()) < 0.01


def test_moons_are_mixed_labelled_as_asked_and_repeatable():
    inputs, targets = data.moons(101, labels=(-1, 1), seed=2)
    assert Counter(targets) == {-1: 50, 1: 51}
    assert targets[:50] != [-1] * 50
    assert data.moons(101, labels=(-1, 1), seed=2) == (inputs, targets)
    assert data.moons(101, labels=(-1, 1), seed=3) != (inputs, targets)


@pytest.mark.parametrize(
    ("n", "options", "error", "message"),
    [
        (1, {}, ValueError, "moons expected at least 2 points, got 1"),
        (10.0, {}, TypeError, "moons expected a whole number of points, got float: 10.0"),
        (10, {"noise": -0.1}, ValueError, "noise expected a finite number of at least 0"),
        (10, {"noise": math.nan}, ValueError, "noise expected a finite number of at least 0"),
        (10, {"labels": (0, 1, 2)}, ValueError, "moons expected two labels, got 3: (0, 1, 2)"),
    ],
)
def test_impossible_moons_are_refused(n, options, error, message):
    with pytest.raises(error) as caught:
        data.moons(n, **options)
    assert message in str(caught.value)


def test_digits_are_1797_images_scaled_to_0_1():
    pytest.importorskip("sklearn")
    inputs, targets = data.digits()
    assert len(inputs) == len(targets) == 1797
    assert {len(image) for image in inputs} == {64}
    pixels = {pixel for image in inputs for pixel in image}
    assert pixels == {level / 16 for level in range(17)}
    assert Counter(targets)[0] == 178
    assert set(targets) == set(range(10))


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        data.digits()
    assert str(caught.value) == (
        'digits come with scikit-learn, which is not installed: pip install "autograd-lite[data]"'
    )


def test_importing_data_loads_neither_numpy_nor_scikit_learn():
    code = "import sys, nn.data; print([m for m in ('numpy', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.moons(5, noise="a"), "noise expected a number, got str: 'a'"),
        (lambda: data.moons(5, labels=3), "moons expected a pair of labels, got int: 3"),
        (lambda: data.moons(5, labels="ab"), "moons expected a pair of labels, got str: 'ab'"),
        (
            lambda: data.batches([["a"], ["b"]], [1, 2], 2),
            "inputs expected samples of numbers, got str at position 0: 'a'",
        ),
        (
            lambda: data.dataset([[[1.0, 2.0]], [[3.0, None]]], [1, 2]),
            "inputs expected samples of numbers, got NoneType at position 1: None",
        ),
    ],
)
def test_what_is_no_number_is_refused(call, message):
    with pytest.raises(TypeError) as refusal:
        call()
    assert str(refusal.value) == message


def test_numbers_of_any_kind_and_values_are_data():
    inputs = [[1, True], [np.int64(2), np.float32(0.5)], [Value(1.0), 2.0]]
    assert data.dataset(inputs, ["a", "b", "c"]) == (inputs, ["a", "b", "c"])


def test_a_row_of_lists_beside_a_row_of_numbers_is_refused():
    with pytest.raises(ValueError, match="got 2 numbers at position 0 and 2 x 1 at position 1"):
        data.dataset([[1.0, 2.0], [[3.0], [4.0]]], [0, 1])


def test_noise_may_be_any_number_and_coordinates_are_floats():
    inputs, _ = data.moons(4, noise=np.float32(0.5), seed=0)
    assert {type(x) for sample in inputs for x in sample} == {float}
