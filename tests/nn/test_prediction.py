"""The lectures' decision rules."""

import numpy as np
import pytest

import nn
from autograd_lite import Value


def test_value_gives_floats_in_the_same_shape():
    assert nn.predict(Value(2.5)) == 2.5
    assert nn.predict([[Value(1.0)], [Value(2.0)]], rule="value") == [[1.0], [2.0]]
    assert type(nn.predict([Value(1.0)])[0]) is float
    assert np.isnan(nn.predict(float("nan")))


def test_sign_gives_1_from_0_on_and_minus_1_below():
    assert nn.predict([3.0, 0.0, -0.0, -1e-300], rule="sign") == [1, 1, 1, -1]
    assert nn.predict([[Value(-2.0)], [Value(2.0)]], rule="sign") == [[-1], [1]]
    assert nn.predict(Value(-2.0), rule="sign") == -1


def test_argmax_gives_one_class_per_sample():
    assert nn.predict([Value(0.1), Value(0.7), Value(0.2)], rule="argmax") == 1
    assert nn.predict(np.array([[0.1, 0.7], [3.0, 2.0]]), rule="argmax") == [1, 0]


def test_of_equal_outputs_argmax_takes_the_first():
    assert nn.predict([1.0, 2.0, 2.0], rule="argmax") == 1


def test_predictions_of_a_model():
    model = nn.MLP(1, [2], seed=0)
    for p, number in zip(model.parameters(), [1.0, 0.0, -1.0, 0.0], strict=True):
        p.data = number
    assert nn.predict(model([[3.0], [-3.0]]), rule="argmax") == [0, 1]


@pytest.mark.parametrize("rule", ["sign", "argmax"])
def test_nan_has_no_sign_and_no_largest(rule):
    with pytest.raises(ValueError, match="predict expected outputs that are numbers, got NaN"):
        nn.predict([1.0, float("nan")], rule=rule)


def test_unknown_rules_are_refused():
    with pytest.raises(
        ValueError, match="predict expected a rule out of value, sign, argmax, got 'max'"
    ):
        nn.predict([1.0], rule="max")


def test_argmax_of_one_number_or_none_is_refused():
    with pytest.raises(TypeError, match='a list of outputs for the rule "argmax", got float'):
        nn.predict(1.0, rule="argmax")
    with pytest.raises(ValueError, match="at least one output"):
        nn.predict([], rule="argmax")


@pytest.mark.parametrize("rule", ["value", "sign", "argmax"])
def test_text_is_no_output_even_if_it_could_be_read_as_a_number(rule):
    with pytest.raises(TypeError) as refusal:
        nn.predict(["1"], rule)
    assert str(refusal.value) == "predict expected numbers as outputs, got str: '1'"
