"""Clipping makes gradients smaller, by PyTorch's rule, and nothing else."""

import math

import pytest
import torch_figures
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import Value

RECORDED = torch_figures.RECORDED["clipped"]


def parameters_with(gradients):
    parameters = [nn.Parameter(1.0) for _ in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    return parameters


def clipped(gradients, *arguments, **settings):
    parameters = parameters_with(gradients)
    norm = nn.clip_grad_norm_(parameters, *arguments, **settings)
    return norm, [p.grad for p in parameters]


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: str(recorded["settings"]))
def test_norm_and_gradients_are_pytorchs(recorded):
    norm, gradients = clipped(recorded["gradients"], **recorded["settings"])
    assert norm == pytest.approx(recorded["norm"], rel=1e-14)
    assert gradients == pytest.approx(recorded["clipped"], rel=1e-14)


def test_3_4_at_1_gives_pytorchs_figures_not_the_lecture_s():
    norm, gradients = clipped([3.0, 4.0], 1.0)
    assert norm == 5.0
    assert gradients == pytest.approx([3 / (5 + 1e-6), 4 / (5 + 1e-6)], rel=1e-15)
    assert round(gradients[0], 8) == 0.59999988


FINITE = st.floats(1e-100, 1e100) | st.floats(-1e100, -1e-100) | st.just(0.0)


@given(st.lists(FINITE, min_size=2, max_size=6), st.floats(1e-3, 1e3))
def test_the_direction_stays_and_the_norm_is_below_the_bound(gradients, bound):
    largest = max(gradients, key=abs)
    norm, after = clipped(gradients, bound)
    assert norm == pytest.approx(math.hypot(*gradients), rel=1e-14)
    if norm + 1e-6 <= bound:
        assert after == gradients
    else:
        assert math.hypot(*after) <= bound * (1.0 + 1e-12)
        factor = after[gradients.index(largest)] / largest
        assert 0.0 < factor <= 1.0
        assert after == pytest.approx([factor * g for g in gradients], rel=1e-15, abs=0.0)


def test_what_is_small_enough_stays_to_the_bit():
    _, gradients = clipped([0.3, -0.4], 1.0)
    assert gradients == [0.3, -0.4]


def test_unreached_parameters_do_not_count_and_stay_unreached():
    used, unused = nn.Parameter(1.0), nn.Parameter(1.0)
    (10.0 * used).backward()
    assert nn.clip_grad_norm_([used, unused], 1.0) == 10.0
    nn.clip_grad_value_([used, unused], 0.5)
    assert used.grad == 0.5
    assert not unused.reached
    frozen = Value(1.0, requires_grad=False)
    assert nn.clip_grad_norm_(frozen, 1.0) == 0.0


def test_values_as_gradients_become_numbers():
    w = Value(3.0)
    (w * w).backward(create_graph=True)
    nn.clip_grad_norm_(w, 1.0)
    assert type(w.grad) is float
    assert w.grad == 6.0 / (6.0 + 1e-6)


def test_the_largest_norm_alone_is_measured_with_an_infinite_bound():
    assert clipped([3.0, -4.0], math.inf, math.inf) == (4.0, [3.0, -4.0])


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0])
def test_norms_do_not_overflow_on_the_way(order):
    norm, _ = clipped([1e300, 1e300], 1.0, order)
    assert norm == pytest.approx(1e300 * 2 ** (1 / order), rel=1e-14)


@pytest.mark.parametrize("order", [1.0, 2.0, math.inf])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_gradients_that_are_not_finite_are_refused_on_request(order, bad):
    parameters = parameters_with([1.0, bad, math.inf])
    with pytest.raises(RuntimeError, match="expected gradients of a finite norm, got norm"):
        nn.clip_grad_norm_(parameters, 1.0, order, error_if_nonfinite=True)
    assert parameters[0].grad == 1.0
    norm = nn.clip_grad_norm_(parameters, 1.0, order)
    assert math.isnan(norm) if math.isnan(bad) else norm == math.inf
    if math.isnan(bad):
        assert all(math.isnan(p.grad) for p in parameters)
    else:
        assert parameters[0].grad == 0.0
        assert math.isnan(parameters[1].grad)


def test_values_are_clipped_one_by_one():
    parameters = parameters_with([3.0, -4.0, 0.25, -math.inf, math.nan])
    nn.clip_grad_value_(parameters, 0.5)
    assert [p.grad for p in parameters[:4]] == [0.5, -0.5, 0.25, -0.5]
    assert math.isnan(parameters[4].grad)


W = nn.Parameter(1.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([W], -1.0), ValueError, "clip_grad_norm_ expected a finite max_norm > 0, got -1.0"),
        (([W], 0), ValueError, "clip_grad_norm_ expected a finite max_norm > 0, got 0"),
        (([W], math.nan), ValueError, "clip_grad_norm_ expected a finite max_norm > 0, got nan"),
        (([W], "1"), TypeError, "clip_grad_norm_ expected a number for max_norm, got str: '1'"),
        (([W], 1.0, 0.0), ValueError, "clip_grad_norm_ expected a finite norm_type > 0, got 0.0"),
        (([], 1.0), ValueError, "clip_grad_norm_ expected at least one parameter, got an empty"),
        (([W, 1.0], 1.0), TypeError, "clip_grad_norm_ expected Values as parameters, got float at"),
        (([W, W], 1.0), ValueError, "clip_grad_norm_ expected every parameter once, got the same"),
        (
            ([W], 1.0, 2.0, "yes"),
            TypeError,
            "clip_grad_norm_'s error_if_nonfinite expected True or False, got str: 'yes'",
        ),
    ],
)
def test_senseless_clipping_is_refused(arguments, error, message):
    with pytest.raises(error) as refusal:
        nn.clip_grad_norm_(*arguments)
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize("bound", [0.0, -2.0, math.nan])
def test_senseless_bounds_are_refused(bound):
    with pytest.raises(ValueError, match="clip_grad_value_ expected a finite clip_value > 0, got"):
        nn.clip_grad_value_([W], bound)
