"""Dropout: masks, expectations, and the ensemble it stands for."""

from __future__ import annotations

import copy
import math
import pickle
import random
import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

import nn
from autograd_lite import SlipWarning, Value, total
from nn.nested import elementwise, flat


class Masks(random.Random):
    """A source of masks that are given: True keeps a number."""

    def __init__(self, mask: tuple[bool, ...]) -> None:
        super().__init__(0)
        self.mask: Iterator[bool] = iter(mask)

    def random(self) -> float:
        return 0.999 if next(self.mask) else 0.0


def numbers(outputs: Any) -> Any:
    return elementwise(float, outputs)


# -- what it does --------------------------------------------------------------------------------


def test_kept_numbers_are_divided_by_the_probability_to_keep() -> None:
    dropout = nn.Dropout(0.75, seed=Masks((True, False, False, True)))
    assert dropout([[1.0, 2.0], [3.0, 4.0]]) == [[4.0, 0.0], [0.0, 16.0]]


def test_the_share_of_dropped_numbers_is_p() -> None:
    outputs = nn.Dropout(0.3, seed=0)([1.0] * 20_000)
    assert set(outputs) == {0.0, 1.0 / 0.7}
    deviation = math.sqrt(0.3 * 0.7 / 20_000)
    assert outputs.count(0.0) / 20_000 == pytest.approx(0.3, abs=4 * deviation)


def test_every_call_and_every_sample_draws_anew() -> None:
    dropout = nn.Dropout(0.5, seed=0)
    first, second = dropout([[1.0] * 40] * 2), dropout([[1.0] * 40] * 2)
    rows = {tuple(row) for row in (*first, *second)}
    assert len(rows) == 4


def test_a_seed_repeats_and_a_generator_goes_on() -> None:
    x = [1.0] * 40
    assert nn.Dropout(seed=3)(x) == nn.Dropout(seed=3)(x) != nn.Dropout(seed=4)(x)
    rng = random.Random(3)
    first = nn.Dropout(seed=rng)
    assert first(x) == nn.Dropout(seed=3)(x)
    assert nn.Dropout(seed=rng)(x) != nn.Dropout(seed=3)(x)
    random.seed(5)
    drawn = nn.Dropout()(x)
    random.seed(5)
    assert nn.Dropout()(x) == drawn


@pytest.mark.parametrize("seed", [None, random, 3], ids=["None", "module", "int"])
def test_it_can_be_copied_and_pickled(seed: Any) -> None:
    dropout = nn.Dropout(0.5, seed=seed)
    for other in (copy.deepcopy(dropout), pickle.loads(pickle.dumps(dropout))):
        random.seed(1)
        expected = copy.deepcopy(dropout)([1.0] * 40)
        random.seed(1)
        assert other([1.0] * 40) == expected


def test_evaluation_returns_the_input_itself() -> None:
    dropout = nn.Dropout(1.0).eval()
    x = [Value(1.0), Value(2.0)]
    assert dropout(x) is x


def test_p_zero_changes_nothing_and_p_one_drops_all() -> None:
    assert nn.Dropout(0.0)([1.0, -2.0]) == [1.0, -2.0]
    assert nn.Dropout(1.0)([1.0, 2.0]) == [0.0, 0.0]


def test_gradients_are_those_of_the_mask() -> None:
    x = [Value(3.0), Value(4.0)]
    outputs = nn.Dropout(0.5, seed=Masks((True, False)))(x)
    total(outputs).backward()
    assert numbers(outputs) == [6.0, 0.0]
    assert [(v.grad, v.reached) for v in x] == [(2.0, True), (0.0, True)]


def test_an_optimiser_does_not_complain_about_units_that_are_dropped() -> None:
    """Gradients are 0 as PyTorch's, not missing, even where all units are dropped."""
    model = nn.Sequential(nn.Linear(1, 2, seed=0), nn.Dropout(1.0), nn.Linear(2, 1, seed=0))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    model([1.0])[0].backward()
    optimizer.step()  # a SlipWarning would be an error here
    assert issubclass(SlipWarning, Warning)
    assert [w.grad for w in flat(model[0].weight)] == [0.0, 0.0]


def test_repr_is_pytorchs() -> None:
    assert repr(nn.Dropout(0.25, seed=1)) == "Dropout(p=0.25, inplace=False)"


# -- expectations: the average over all masks ----------------------------------------------------


def average_over_masks(network: Callable[[nn.Dropout], float], units: int, p: float) -> float:
    """Return the expectation of what a network gives with dropout on some units."""
    terms = []
    for mask in product((False, True), repeat=units):
        probability = math.prod(1.0 - p if kept else p for kept in mask)
        terms.append(probability * network(nn.Dropout(p, seed=Masks(mask))))
    return math.fsum(terms)


HIDDEN = [0.5, -1.25, 2.0, 0.75, -0.3]


def output_layer(activation: Callable[[float], float]) -> Callable[[Any], float]:
    layer = nn.Linear(5, 1, seed=2)
    return lambda units: activation(layer(units)[0].data)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_before_a_linear_layer_the_ensemble_is_evaluation_exactly(p: float) -> None:
    output = output_layer(lambda z: z)
    ensemble = average_over_masks(lambda dropout: output(dropout(HIDDEN)), 5, p)
    assert ensemble == pytest.approx(output(nn.Dropout(p).eval()(HIDDEN)), rel=1e-14)


def test_before_a_sigmoid_it_is_evaluation_only_approximately() -> None:
    output = output_layer(lambda z: 1.0 / (1.0 + math.exp(-z)))
    ensemble = average_over_masks(lambda dropout: output(dropout(HIDDEN)), 5, 0.5)
    difference = abs(ensemble - output(HIDDEN))
    assert 0.001 < difference < 0.1


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9])
def test_multiplying_by_p_at_test_time_is_the_same_in_expectation(keep: float) -> None:
    """The lectures keep a unit with probability p and multiply by p at test time."""

    def plain(mask: tuple[bool, ...]) -> list[float]:
        return [x if kept else 0.0 for x, kept in zip(HIDDEN, mask, strict=True)]

    masks = list(product((False, True), repeat=5))
    weights = [math.prod(keep if kept else 1.0 - keep for kept in mask) for mask in masks]
    output = output_layer(lambda z: z)
    trained = math.fsum(w * output(plain(mask)) for w, mask in zip(weights, masks, strict=True))
    at_test_time = output([keep * x for x in HIDDEN])
    assert trained == pytest.approx(at_test_time, rel=1e-14)
    # Inverted dropout is this, all divided by the probability to keep.
    inverted = average_over_masks(lambda dropout: output(dropout(HIDDEN)), 5, 1.0 - keep)
    assert inverted * keep == pytest.approx(at_test_time, rel=1e-14)


# -- what it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.Dropout(1.5),
            ValueError,
            "Dropout's p expected a probability from 0 to 1, got 1.5",
        ),
        (lambda: nn.Dropout(-0.1), ValueError, "a probability from 0 to 1, got -0.1"),
        (lambda: nn.Dropout(math.nan), ValueError, "a probability from 0 to 1, got nan"),
        (lambda: nn.Dropout("x"), TypeError, "Dropout's p expected a number, got str: 'x'"),
        (lambda: nn.Dropout(0.5, 1), TypeError, "inplace expected True or False, got int"),
        (lambda: nn.Dropout(seed="x"), TypeError, "seed expected an int, a random.Random or None"),
        (lambda: nn.Dropout()(["x"]), TypeError, "Dropout expected numbers, got str: 'x'"),
    ],
)
def test_wrong_settings_and_inputs_are_refused(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()
