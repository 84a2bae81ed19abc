"""An update rule is written once, for floats and for arrays."""

import copy
import math
import random

import pytest
from torch_figures import RECORDED, named, started

import nn


@pytest.mark.parametrize("trajectory", RECORDED["trajectories"], ids=named)
def test_a_rule_does_to_an_array_what_it_does_to_100_scalars_bit_for_bit(trajectory):
    np = pytest.importorskip("numpy", reason="needs the extra fast")
    optimizer = started(trajectory)[1]
    rule, settings = optimizer.rule, optimizer.param_groups[0].settings
    rng = random.Random(1)
    numbers = [rng.gauss(0.0, 1.0) for _ in range(100)]
    states = [None] * 100
    array, state = np.array(numbers), None
    for _ in range(15):
        gradients = [rng.choice([0.0, 1.0]) * rng.gauss(0.0, 10.0) for _ in numbers]
        results = [
            rule(*given, settings, math.sqrt)
            for given in zip(numbers, gradients, states, strict=True)
        ]
        numbers, states = [data for data, _ in results], [kept for _, kept in results]
        before = (array.copy(), np.array(gradients), copy.deepcopy(state))
        given = (array, before[1].copy(), state)
        array, state = rule(*given, settings, np.sqrt)
        assert array.tolist() == numbers
        for kept, wanted in zip(given, before, strict=True):
            assert repr(kept) == repr(wanted)  # the rule has written into nothing
        if state is not None:
            for name, part, parts in zip(
                optimizer.state_names, state, zip(*states, strict=True), strict=True
            ):
                if name == "step" or part is None:
                    assert set(parts) == {part}
                else:
                    assert part.tolist() == list(parts)


def test_a_centred_mean_square_below_the_squared_mean_is_no_nan():
    # The same gradient again and again has no spread; rounding makes it less than none.
    w = nn.Parameter(0.0)
    optimizer = nn.optim.RMSprop([w], lr=1e-6, alpha=0.3, centered=True)
    spreads = []
    for _ in range(100):
        w.grad = 0.1
        optimizer.step()
        assert math.isfinite(w.data)
        square, _, average = optimizer.state[0]
        spreads.append(square - average * average)
    assert min(spreads) < 0.0
    np = pytest.importorskip("numpy", reason="needs the extra fast")
    settings = optimizer.param_groups[0].settings
    state = tuple(None if part is None else np.array([part]) for part in optimizer.state[0])
    data, _ = optimizer.rule(np.array([w.data]), np.array([0.1]), state, settings, np.sqrt)
    optimizer.step()
    assert data.tolist() == [w.data]
