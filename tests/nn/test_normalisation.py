"""Batch and layer normalisation: what they compute, what they leave out, what they refuse."""

from __future__ import annotations

import copy
import json
import math
import random
import re
from typing import Any

import numpy as np
import pytest

import nn
from autograd_lite import Value, dot, no_grad, total
from nn.nested import elementwise, flat

BATCH = [[1.0, -3.0], [2.0, 5.0], [3.0, 0.5], [4.0, 2.0]]


def numbers(outputs: Any) -> Any:
    return elementwise(float, outputs)


def close(got: Any, expected: Any, tolerance: float) -> bool:
    pairs = zip(flat(got), flat(expected), strict=True)
    return all(abs(a - b) <= tolerance for a, b in pairs)


def shifted(batch: list[list[float]], a: float, b: float) -> list[list[float]]:
    return [[a * x + b for x in sample] for sample in batch]


# -- batch normalisation: statistics -------------------------------------------------------------


def test_every_feature_has_mean_zero_and_variance_one_over_the_batch() -> None:
    columns = list(zip(*numbers(nn.BatchNorm1d(2, eps=1e-30)(BATCH)), strict=True))
    for column in columns:
        assert math.fsum(column) == pytest.approx(0.0, abs=1e-15)
        assert math.fsum(y * y for y in column) / 4 == pytest.approx(1.0, abs=1e-15)


def test_the_running_variance_averages_the_unbiased_one_as_in_pytorch() -> None:
    norm = nn.BatchNorm1d(1)
    norm([[1.0], [2.0], [3.0], [4.0]])
    assert norm.running_mean == pytest.approx([0.25], rel=1e-15)
    assert norm.running_var == pytest.approx([0.9 + 0.1 * 5 / 3], rel=1e-15)
    assert norm.num_batches_tracked == 1


def test_without_a_momentum_all_batches_count_the_same() -> None:
    norm = nn.BatchNorm1d(1, momentum=None)
    for batch in ([[0.0], [2.0]], [[4.0], [8.0]], [[-1.0], [0.0]]):
        norm(batch)
    assert norm.running_mean == pytest.approx([(1.0 + 6.0 - 0.5) / 3], rel=1e-15)
    assert norm.running_var == pytest.approx([(2.0 + 8.0 + 0.5) / 3], rel=1e-15)


def test_a_momentum_of_one_keeps_the_last_batch_alone() -> None:
    norm = nn.BatchNorm1d(1, momentum=1.0)
    norm([[5.0], [50.0]])
    norm([[1.0], [3.0]])
    assert (norm.running_mean, norm.running_var) == ([2.0], [2.0])


def test_evaluation_uses_the_running_averages_and_leaves_them() -> None:
    norm = nn.BatchNorm1d(1, eps=1.0, momentum=1.0)
    norm([[1.0], [7.0]])  # mean 4, unbiased variance 18
    norm.eval()
    before = norm.state_dict()
    expected = (10.0 - 4.0) / math.sqrt(18.0 + 1.0)
    assert numbers(norm([[10.0], [4.0]])) == [[pytest.approx(expected, rel=1e-15)], [0.0]]
    assert numbers(norm([10.0])) == [pytest.approx(expected, rel=1e-15)]
    assert norm.state_dict() == before


def test_running_averages_are_followed_without_a_graph_too() -> None:
    norm = nn.BatchNorm1d(1)
    with no_grad():
        norm([[1.0], [2.0], [3.0], [4.0]])
    assert norm.running_mean == pytest.approx([0.25], rel=1e-15)


def test_running_averages_are_plain_numbers_and_no_part_of_the_graph() -> None:
    norm = nn.BatchNorm1d(1, momentum=1.0)
    x = Value(3.0)
    norm([[x], [1.0]])
    assert norm.state_dict()["running_mean"] == [2.0]
    assert {type(n) for n in flat([norm.running_mean, norm.running_var])} == {float}
    y = Value(5.0)
    norm.eval()([y])[0].backward()
    assert (x.grad, y.grad) == (0.0, 1.0 / math.sqrt(2.0 + 1e-5))


def test_a_copy_has_averages_of_its_own() -> None:
    norm = nn.BatchNorm1d(1)
    norm(BATCH := [[1.0], [3.0]])
    other = copy.deepcopy(norm)
    other(BATCH)
    assert (norm.num_batches_tracked, other.num_batches_tracked) == (1, 2)
    assert norm.running_mean == pytest.approx([0.2], rel=1e-15)


def test_without_running_averages_evaluation_normalises_its_batch() -> None:
    norm = nn.BatchNorm1d(2, track_running_stats=False)
    trained = numbers(norm(BATCH))
    assert numbers(norm.eval()(BATCH)) == trained
    assert list(norm.state_dict()) == ["weight", "bias"]


def test_the_state_has_pytorchs_names_and_goes_into_another_model() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    model(BATCH)
    state = json.loads(json.dumps(model.state_dict()))
    assert list(state)[2:] == [
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
    ]
    other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    other.load_state_dict(state)
    assert numbers(other.eval()(BATCH)) == numbers(model.eval()(BATCH))


# -- batch normalisation: what it is invariant to ------------------------------------------------


@pytest.mark.parametrize(("a", "b"), [(3.0, 0.0), (1.0, -7.0), (0.01, 2.0), (250.0, 40.0)])
def test_scaling_and_shifting_the_input_changes_nothing(a: float, b: float) -> None:
    norm = nn.BatchNorm1d(2, eps=1e-30)
    assert close(numbers(norm(shifted(BATCH, a, b))), numbers(norm(BATCH)), 1e-12)


def test_that_holds_as_epsilon_goes_to_zero() -> None:
    differences = []
    for eps in (1e-1, 1e-2, 1e-3, 1e-4):
        norm = nn.BatchNorm1d(1, eps=eps)
        batch = [[1.0], [2.0]]
        differences.append(norm(batch)[1][0].data - norm(shifted(batch, 0.5, 0.0))[1][0].data)
    # Of first order in eps: (1 + eps / σ²)^(-1/2) at σ² = 1/4 and 1/16 differ by 6 eps.
    assert differences[0] > differences[1] > differences[2] > differences[3] > 0.0
    assert differences[3] / 1e-4 == pytest.approx(6.0, rel=0.01)


def test_a_negative_factor_turns_the_sign() -> None:
    norm = nn.BatchNorm1d(2, eps=1e-30)
    assert close(
        numbers(norm(shifted(BATCH, -2.0, 1.0))), shifted(numbers(norm(BATCH)), -1, 0), 1e-14
    )


def test_gamma_and_beta_can_undo_it() -> None:
    norm = nn.BatchNorm1d(1, eps=0.5)
    norm.weight[0].data = math.sqrt(1.25 + 0.5)  # √(σ² + ε)
    norm.bias[0].data = 2.5  # μ
    batch = [[1.0], [2.0], [3.0], [4.0]]
    assert close(numbers(norm(batch)), batch, 1e-15)


def test_a_bias_before_it_gets_no_gradient() -> None:
    model = nn.Sequential(nn.Linear(2, 3, seed=0), nn.BatchNorm1d(3), nn.Tanh())
    rng = random.Random(0)
    outputs = list(flat(model(BATCH)))
    dot(outputs, [rng.gauss(0.0, 1.0) for _ in outputs]).backward()
    weights = [w.grad for w in flat(model[0].weight)]
    assert max(map(abs, weights)) > 0.01
    assert max(abs(b.grad) for b in model[0].bias) < 1e-15


def test_an_output_depends_on_the_rest_of_the_training_batch_only_in_training() -> None:
    norm = nn.BatchNorm1d(1)
    x = [Value(1.0), Value(2.0), Value(4.0)]
    first = norm([[v] for v in x])[0][0]
    first.backward()
    assert all(abs(v.grad) > 0.1 for v in x)
    assert norm([[1.0], [2.0], [9.0]])[0][0].data != first.data
    norm.eval()
    assert norm([[1.0], [2.0]])[0][0].data == norm([[1.0], [9.0]])[0][0].data


def test_a_constant_feature_comes_out_as_beta() -> None:
    norm = nn.BatchNorm1d(1)
    x = [Value(3.0), Value(3.0)]
    outputs = norm([[v] for v in x])
    assert numbers(outputs) == [[0.0], [0.0]]
    outputs[0][0].backward()
    assert [v.grad for v in x] == pytest.approx([0.5 / math.sqrt(1e-5), -0.5 / math.sqrt(1e-5)])


def test_it_records_three_nodes_per_number() -> None:
    seen: set[Value] = set()
    stack = list(flat(nn.BatchNorm1d(1)([[Value(float(i))] for i in range(50)])))
    while stack:
        node = stack.pop()
        if node.op and node not in seen:
            seen.add(node)
            stack += node.operands
    assert len(seen) == 3 * 50 + len(("mean", "var", "+ ε", "√", "1 /", "· γ"))


# -- layer normalisation -------------------------------------------------------------------------


def test_layer_norm_is_the_same_in_training_and_evaluation_and_for_each_sample_alone() -> None:
    norm = nn.LayerNorm(3)
    batch = [[1.0, -2.0, 4.0], [0.5, 0.25, 8.0]]
    trained = numbers(norm(batch))
    assert numbers(norm.eval()(batch)) == trained
    assert [numbers(norm(sample)) for sample in batch] == trained
    assert list(norm.state_dict()) == ["weight", "bias"]


def test_layer_norm_is_batch_norm_of_the_transposed_batch() -> None:
    transposed = [list(column) for column in zip(*BATCH, strict=True)]
    expected = zip(*numbers(nn.BatchNorm1d(4)(transposed)), strict=True)
    assert close(numbers(nn.LayerNorm(2)(BATCH)), list(expected), 1e-15)


def test_layer_norm_is_invariant_per_sample() -> None:
    norm = nn.LayerNorm(3, eps=1e-30)
    x = [1.0, -2.0, 4.0]
    assert close(norm([3.0 * v - 5.0 for v in x]), norm(x), 1e-14)


def test_layer_norm_over_several_dimensions() -> None:
    x = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    norm = nn.LayerNorm([2, 3], eps=1e-30)
    outputs = norm(np.array(x))
    assert close(outputs, [[(v - 3.5) / math.sqrt(35 / 12) for v in row] for row in x], 1e-15)
    assert [len(row) for row in norm.weight] == [3, 3]
    assert repr(nn.LayerNorm((2, 3), bias=False)).startswith(
        "LayerNorm((2, 3), eps=1e-05, elementwise_affine=True, bias=False), 6 parameters"
    )


# -- in networks ---------------------------------------------------------------------------------


def test_train_and_eval_reach_nested_layers() -> None:
    inner = nn.Sequential(nn.BatchNorm1d(2), nn.Residual(nn.Sequential(nn.Dropout(0.5))))
    model = nn.Sequential(inner, nn.LayerNorm(2))
    model.eval()
    assert {module.training for module in model.modules()} == {False}
    model.train()
    model(BATCH)
    assert inner[0].num_batches_tracked == 1
    model.eval()
    assert numbers(model(BATCH)) == numbers(model(BATCH))
    assert inner[0].num_batches_tracked == 1


def test_a_network_with_batch_norm_trains_and_evaluates_single_samples() -> None:
    rng = random.Random(1)
    inputs = [[rng.uniform(-2.0, 2.0), rng.uniform(50.0, 90.0)] for _ in range(40)]
    targets = [[x * x] for x, _ in inputs]
    model = nn.Sequential(
        nn.BatchNorm1d(2),
        nn.Linear(2, 8, seed=0),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Linear(8, 1, seed=1),
    )
    optimizer = nn.optim.Adam(model.parameters(), lr=0.1)
    mean_squared_error = nn.MSELoss()
    for _ in range(60):
        optimizer.zero_grad()
        mean_squared_error(model(inputs), targets).backward()
        optimizer.step()
    model.eval()
    outputs = numbers(model(inputs))
    assert mean_squared_error(outputs, targets) < 0.1  # the targets' variance is 1.57
    assert [numbers(model(sample)) for sample in inputs] == outputs


def test_gradients_flow_through_plain_inputs_to_the_parameters() -> None:
    norm = nn.BatchNorm1d(1, eps=1e-30)
    total(list(flat(norm([[1.0], [3.0], [5.0]])[2:]))).backward()
    assert norm.weight[0].grad == pytest.approx(2.0 / math.sqrt(8 / 3), rel=1e-15)
    assert norm.bias[0].grad == 1.0


# -- what they refuse ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "given", "hint"),
    [
        ([[1.0, 2.0]], "a batch of one", "; choose a batch size that leaves no last batch of one"),
        ([1.0, 2.0], "one sample", ""),
    ],
)
def test_a_training_batch_of_one_is_refused_with_the_reason(x: Any, given: str, hint: str) -> None:
    norm = nn.BatchNorm1d(2)
    before = norm.state_dict()
    message = (
        f"BatchNorm1d expected a batch of at least 2 samples in training, got {given}: the"
        f" variance over one sample is 0, so that all inputs would give the same output{hint}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        norm(x)
    assert norm.state_dict() == before


def test_without_running_averages_one_sample_is_refused_in_evaluation_too() -> None:
    norm = nn.BatchNorm1d(1, track_running_stats=False).eval()
    with pytest.raises(ValueError, match=r"in evaluation \(it has no running averages\), got one"):
        norm([1.0])


def test_evaluating_before_any_training_batch_is_refused_and_nothing_is_lost() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).eval()
    before = model.state_dict()
    message = (
        "BatchNorm1d '1' has seen no training batch yet, so it has no running averages to evaluate"
        " with: train the model, or call it once in training mode (model.train())"
    )
    with pytest.raises(RuntimeError, match=f"^{re.escape(message)}$"):
        model(BATCH)
    assert model.state_dict() == before
    model.train()(BATCH)
    assert len(model.eval()(BATCH)) == 4


def test_running_averages_that_were_set_can_be_evaluated() -> None:
    norm = nn.BatchNorm1d(1, eps=1.0, affine=False).eval()
    norm.running_mean, norm.running_var = [1.0], [3.0]
    assert norm([5.0]) == [2.0]


def test_a_refused_batch_leaves_the_averages() -> None:
    norm = nn.BatchNorm1d(2)
    norm(BATCH)
    before = norm.state_dict()
    with pytest.raises(ValueError, match="BatchNorm1d expected 2 inputs, got 3 in sample 1"):
        norm([[1.0, 2.0], [1.0, 2.0, 3.0]])
    assert norm.state_dict() == before


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.BatchNorm1d(0), ValueError, "num_features expected at least 1, got 0"),
        (lambda: nn.BatchNorm1d(2.5), TypeError, "num_features expected a whole number, got float"),
        (
            lambda: nn.BatchNorm1d(2, eps=0.0),
            ValueError,
            "eps expected a finite number > 0, got 0.0",
        ),
        (lambda: nn.BatchNorm1d(2, eps=math.nan), ValueError, "eps expected a finite number > 0"),
        (lambda: nn.BatchNorm1d(2, eps="x"), TypeError, "eps expected a number, got str: 'x'"),
        (
            lambda: nn.BatchNorm1d(2, momentum=1.5),
            ValueError,
            "momentum expected a number from 0 to 1, got 1.5",
        ),
        (
            lambda: nn.BatchNorm1d(2, momentum="x"),
            TypeError,
            "momentum expected a number or None, got str: 'x'",
        ),
        (lambda: nn.BatchNorm1d(2, affine=1), TypeError, "affine expected True or False, got int"),
        (lambda: nn.LayerNorm(0), ValueError, "normalized_shape expected at least 1, got 0"),
        (lambda: nn.LayerNorm([]), ValueError, "normalized_shape expected at least one size"),
        (lambda: nn.LayerNorm(2, eps=-1.0), ValueError, "eps expected a finite number > 0, got -1"),
        (
            lambda: nn.LayerNorm(3)([1.0, 2.0]),
            ValueError,
            "LayerNorm expected samples of shape (3,), got an input of shape (2,)",
        ),
        (
            lambda: nn.LayerNorm(1)([["x"]]),
            TypeError,
            "LayerNorm expected numbers, got str: 'x'",
        ),
        (
            lambda: nn.LayerNorm(2)([[1.0, 2.0], [1.0]]),
            ValueError,
            "LayerNorm expected samples of one size, got shape (2,) at position 0 and (1,) at"
            " position 1",
        ),
    ],
)
def test_wrong_settings_and_inputs_are_refused(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()
