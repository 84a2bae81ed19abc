"""Optimisers whose parameters are in arrays give the numbers of those whose parameters are not."""

import copy
import json
import math
import pickle
import random

import pytest

import nn
from autograd_lite import SlipWarning, Value
from autograd_lite.native.parameters.binding import bind
from nn.optim.optimizer import Optimizer

np = pytest.importorskip("numpy")
pytest.importorskip("numba")


class Lion(Optimizer):
    """The sign of an average: a rule of the user's own."""

    state_names = ("exp_avg",)

    def __init__(self, params, lr=1e-2):
        super().__init__(params, {"lr": lr, "betas": (0.9, 0.99)})

    @staticmethod
    def rule(data, gradient, state, settings, sqrt):
        lr, (beta1, beta2) = settings
        average = 0.0 if state is None else state[0]
        mixed = beta1 * average + (1.0 - beta1) * gradient
        sign = (mixed > 0.0) - (mixed < 0.0)
        return data - lr * sign, (beta2 * average + (1.0 - beta2) * gradient,)


class Cubed(Optimizer):
    """A rule with a power, which has no native loop: it runs on NumPy's arrays."""

    def __init__(self, params, lr=1e-2):
        super().__init__(params, {"lr": lr})

    @staticmethod
    def rule(data, gradient, state, settings, sqrt):
        return data - settings[0] * gradient**3, state


class Branching(Cubed):
    """A rule that can only be called for each parameter by itself."""

    @staticmethod
    def rule(data, gradient, state, settings, sqrt):
        return data - settings[0] * (1.0 if gradient > 0.0 else -1.0), state


class Noisy(Cubed):
    """A rule that draws a number for each parameter."""

    @staticmethod
    def rule(data, gradient, state, settings, sqrt):
        return data - settings[0] * (gradient + random.random()), state


class Counting(Cubed):
    """A rule whose state is not made of numbers."""

    @staticmethod
    def rule(data, gradient, state, settings, sqrt):
        return data - settings[0] * gradient, ["seen"] if state is None else [*state, "seen"]


MAKES = {
    "SGD": lambda p: nn.optim.SGD(p, lr=0.1),
    "momentum": lambda p: nn.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.01),
    "nesterov": lambda p: nn.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda p: nn.optim.Adam(p, lr=0.1),
    "Adam, other betas": lambda p: nn.optim.Adam(p, lr=0.1, betas=(0.3, 0.4), weight_decay=0.1),
    "AdamW": lambda p: nn.optim.AdamW(p, lr=0.1),
    "RMSprop": lambda p: nn.optim.RMSprop(p),
    "RMSprop, all": lambda p: nn.optim.RMSprop(p, momentum=0.5, centered=True, weight_decay=0.1),
    "Adagrad": lambda p: nn.optim.Adagrad(p, lr_decay=0.1, initial_accumulator_value=0.5),
    "Lion": Lion,
}
OWN = {"Branching": Branching, "Noisy": Noisy, "Counting": Counting}

COUNT = 37  # not a multiple of what a loop does at a time


def pair(make, count=COUNT, *, order=None, dtype="float64"):
    """Return two optimisers over equal parameters; those of the second are in arrays."""
    draw = random.Random(0)
    start = [draw.gauss(0.0, 1.0) for _ in range(count)]
    both = []
    for bound in (False, True):
        parameters = [nn.Parameter(x) for x in start]
        if bound:
            bind(parameters, order=order, dtype=dtype)
        both.append(make(parameters))
    return both


def gradients(seed, count=COUNT):
    draw = random.Random(seed)
    return [draw.gauss(0.0, 1.0) * 10.0 ** draw.uniform(-8.0, 3.0) for _ in range(count)]


def take(optimizer, given):
    optimizer.zero_grad()
    for parameter, gradient in zip(optimizer.params, given, strict=True):
        if gradient is not None:
            parameter.grad = gradient
    optimizer.step()


def numbers(optimizer):
    return [p.data for p in optimizer.params], list(optimizer.state), optimizer.state_dict()


def in_arrays(optimizer):
    return optimizer._array_steps is not None


# -- the same numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_twenty_steps_give_the_same_bits(make):
    one_by_one, at_once = pair(make)
    for seed in range(20):
        for optimizer in (one_by_one, at_once):
            take(optimizer, gradients(seed))
    assert in_arrays(at_once)
    assert at_once._array_steps.updates[0][1]._loops
    assert numbers(at_once) == numbers(one_by_one)


@pytest.mark.parametrize("make", OWN.values(), ids=OWN)
def test_a_rule_that_is_not_for_arrays_is_called_for_each_parameter(make):
    one_by_one, at_once = pair(make)
    for optimizer in (one_by_one, at_once):
        random.seed(0)
        for seed in range(3):
            take(optimizer, gradients(seed))
    assert [p.data for p in at_once.params] == [p.data for p in one_by_one.params]
    assert list(at_once.state) == list(one_by_one.state)


def test_a_rule_with_powers_runs_on_numpy_to_the_last_bit_but_one():
    one_by_one, at_once = pair(Cubed)
    for seed in range(20):
        for optimizer in (one_by_one, at_once):
            take(optimizer, gradients(seed))
    assert in_arrays(at_once)
    for a, b in zip(at_once.params, one_by_one.params, strict=True):
        assert math.isclose(a.data, b.data, rel_tol=1e-14)


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_numpy_stands_in_for_a_compiler(make, monkeypatch):
    from autograd_lite.native.kernels import building

    monkeypatch.setattr(building, "is_available", lambda: False)
    one_by_one, at_once = pair(make)
    for seed in range(5):
        for optimizer in (one_by_one, at_once):
            take(optimizer, gradients(seed))
    if make is Lion:  # NumPy subtracts no truths
        assert not in_arrays(at_once)
    else:
        assert in_arrays(at_once)
    assert numbers(at_once) == numbers(one_by_one)


def test_not_a_number_and_infinity_go_where_they_go_one_by_one():
    for make in MAKES.values():
        one_by_one, at_once = pair(make, 3)
        for given in ([math.inf, math.nan, 1e200], [1.0, 1.0, -1e200]):
            for optimizer in (one_by_one, at_once):
                take(optimizer, given)
        assert repr(numbers(at_once)) == repr(numbers(one_by_one))


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop, all"])
def test_float32_is_close(name):
    one_by_one, at_once = pair(MAKES[name], dtype="float32")
    for seed in range(5):
        given = [x / (1.0 + abs(x)) for x in gradients(seed)]
        for optimizer in (one_by_one, at_once):
            take(optimizer, given)
    worst = max(
        abs(a.data - b.data) for a, b in zip(at_once.params, one_by_one.params, strict=True)
    )
    assert 0.0 < worst < 2e-6
    assert all(float(np.float32(p.data)) == p.data for p in at_once.params)


# -- which parameters are updated ------------------------------------------------------------------


def named(optimizer):
    """Give the parameters names: three arrays and single ones."""
    for i, parameter in enumerate(optimizer.params):
        parameter.label = f"array{i // 10}[{i % 10}]" if i < 30 else f"single{i}"


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@pytest.mark.filterwarnings("ignore::autograd_lite.SlipWarning")
def test_parameters_without_a_gradient_stay_and_those_of_a_reached_array_do_not(make):
    one_by_one, at_once = pair(make, order=[*range(20, COUNT), *range(20)])
    for optimizer in (one_by_one, at_once):
        named(optimizer)
        optimizer.params[4].requires_grad = False
        for seed in range(12):
            draw = random.Random(seed)
            given = gradients(seed)
            reached = draw.sample(range(COUNT), draw.choice([1, 5, COUNT]))
            take(optimizer, [g if i in reached and i != 4 else None for i, g in enumerate(given)])
    assert in_arrays(at_once)
    assert numbers(at_once) == numbers(one_by_one)


def test_a_missing_gradient_is_told_before_anything_changes():
    _, at_once = pair(MAKES["Adam"])
    at_once.params[3].label = "bias"
    before = numbers(at_once)
    with pytest.raises(SlipWarning, match="found no gradient for the parameter 'bias'"):
        take(at_once, [None if i == 3 else 1.0 for i in range(COUNT)])
    assert numbers(at_once) == before
    with pytest.warns(SlipWarning, match="Adam.step\\(\\) found no gradient"):
        take(at_once, [None] * COUNT)
    assert numbers(at_once) == before


def test_a_gradient_that_is_a_value_stays_one():
    one_by_one, at_once = pair(MAKES["Adam"], 4)
    for optimizer in (one_by_one, at_once):
        for seed in range(3):
            take(optimizer, gradients(seed, 4))
        optimizer.zero_grad()
        sum(p**3 for p in optimizer.params).backward(create_graph=True)
        optimizer.step()
        assert all(isinstance(p.grad, Value) for p in optimizer.params)
        take(optimizer, gradients(4, 4))
    assert numbers(at_once) == numbers(one_by_one)


# -- groups, settings, state -----------------------------------------------------------------------


def test_groups_rates_and_schedules_work_as_they_do():
    def make(parameters):
        groups = [{"params": parameters[::2]}, {"params": parameters[1::2], "lr": 0.5}]
        return nn.optim.Adam(groups, lr=0.1, weight_decay=0.1)

    one_by_one, at_once = pair(make)
    for optimizer in (one_by_one, at_once):
        schedule = nn.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, total_steps=20)
        for seed in range(10):
            take(optimizer, gradients(seed))
            schedule.step()
        optimizer.param_groups[0]["weight_decay"] = 0.0
        optimizer.param_groups[1]["betas"] = (0.2, 0.3)
        take(optimizer, gradients(11))
    assert in_arrays(at_once)
    assert numbers(at_once) == numbers(one_by_one)


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_a_state_goes_from_one_to_the_other(make):
    one_by_one, at_once = pair(make)
    for seed in range(10):
        given = [one_by_one, at_once]
        for optimizer in given:
            take(optimizer, gradients(seed))
        saved = [json.loads(json.dumps(optimizer.state_dict())) for optimizer in given]
        assert saved[0] == saved[1]
        if seed % 4 == 1:
            at_once.load_state_dict(saved[0])
            one_by_one.load_state_dict(saved[1])
    assert numbers(at_once) == numbers(one_by_one)


def test_the_state_is_a_sequence_of_tuples():
    _, optimizer = pair(MAKES["momentum"], 3)
    state = optimizer.state
    assert (len(state), state == [None] * 3, repr(state)) == (3, True, "[None, None, None]")
    take(optimizer, [1.0, 2.0, 3.0])
    assert (state[0], state[-1], state[1:]) == ((1.0 + w(0),), state[2], [state[1], state[2]])
    state[0] = (0.0,)
    data = optimizer.params[0].data
    take(optimizer, [0.0, 0.0, 0.0])
    assert state[0] == (0.5 * 0.01 * data,)
    with pytest.raises(IndexError):
        state[3]


def w(position):
    """Return 0.01 times what a parameter of `pair` began with."""
    return 0.01 * pair(MAKES["SGD"], position + 1)[0].params[position].data


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_goes_on_by_itself(copied):
    one_by_one, at_once = pair(MAKES["Adam"])
    for optimizer in (one_by_one, at_once):
        take(optimizer, gradients(0))
    twin = copied(at_once)
    for optimizer in (one_by_one, at_once, twin):
        take(optimizer, gradients(1))
    assert numbers(at_once) == numbers(twin) == numbers(one_by_one)
    take(twin, gradients(2))
    assert numbers(at_once) == numbers(one_by_one)


def test_parameters_may_move_and_come_in_between_steps():
    one_by_one, at_once = pair(MAKES["Adam"])
    for number, optimizer in enumerate((one_by_one, at_once)):
        late = [nn.Parameter(1.0), nn.Parameter(2.0)]
        take(optimizer, gradients(0))
        if number:
            kept = bind([late[0], *optimizer.params[5:9]])
        take(optimizer, gradients(1))
        optimizer.add_param_group({"params": late, "lr": 0.3})
        take(optimizer, gradients(2, COUNT + 2))
        if number:
            assert not in_arrays(optimizer)
            kept = bind([*late, *optimizer.params[:-2]])
        take(optimizer, gradients(3, COUNT + 2))
        if number:
            assert in_arrays(optimizer)
            assert kept.memory.valid
    assert numbers(at_once) == numbers(one_by_one)


def test_an_optimiser_of_some_parameters_leaves_the_others():
    parameters = [nn.Parameter(1.0) for _ in range(6)]
    bind(parameters)
    optimizer = nn.optim.SGD(parameters[1:5:2], lr=1.0)
    for parameter in parameters:
        parameter.grad = 0.25
    optimizer.step()
    optimizer.zero_grad()
    assert [p.data for p in parameters] == [1.0, 0.75, 1.0, 0.75, 1.0, 1.0]
    assert [p.reached for p in parameters] == [True, False, True, False, True, True]


def test_a_step_makes_what_was_recorded_before_stale():
    a, b = nn.Parameter(1.0), nn.Parameter(2.0)
    bind([a, b])
    optimizer = nn.optim.SGD([a], lr=0.5)
    y, z = a * 3.0, b * 3.0
    y.backward()
    optimizer.step()
    optimizer.zero_grad()
    with pytest.warns(SlipWarning, match="the data of a leaf was changed after"):
        y.backward()
    z.backward()
    optimizer.step()
    with pytest.warns(SlipWarning, match="still had a gradient when its data was changed"):
        (a * 1.0).backward()


# -- clipping and whole models ---------------------------------------------------------------------


@pytest.mark.parametrize("missing", [(), (2, 5)])
@pytest.mark.parametrize("norm", [1.0, 2.0, math.inf])
def test_clipping_gives_the_same_numbers(missing, norm):
    found = []
    for optimizer in pair(MAKES["SGD"], order=[*reversed(range(COUNT))]):
        for i, gradient in enumerate(gradients(1)):
            if i not in missing:
                optimizer.params[i].grad = gradient
        before = nn.clip_grad_norm_(optimizer.params, 0.5, norm_type=norm)
        nn.clip_grad_value_(optimizer.params, 1e-3)
        found.append((before, [p.grad for p in optimizer.params]))
        assert [i for i, p in enumerate(optimizer.params) if not p.reached] == [*missing]
    assert math.isclose(found[0][0], found[1][0], rel_tol=1e-15)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        assert math.isclose(one, other, rel_tol=1e-15)


@pytest.mark.parametrize(
    ("given", "norm"),
    [
        ([3e200, 4e200], 5e200),
        ([3e-200, 4e-200], 5e-200),
        ([0.0, 0.0], 0.0),
        ([math.inf, 1.0], math.inf),
        ([math.inf, math.nan], math.nan),
    ],
)
def test_norms_in_arrays_neither_overflow_nor_lose_a_nan(given, norm):
    parameters = [nn.Parameter(1.0), nn.Parameter(1.0)]
    binding = bind(parameters)
    for parameter, gradient in zip(parameters, given, strict=True):
        parameter.grad = gradient
    found = nn.clip_grad_norm_(binding.values, math.inf)
    assert math.isclose(found, norm, rel_tol=1e-15) or (math.isnan(found) and math.isnan(norm))


def test_a_training_run_gives_the_same_numbers_when_parameters_are_bound(tmp_path):
    x = [[random.Random(i).gauss(0.0, 1.0), i / 10.0] for i in range(12)]
    y = [a * b for a, b in x]
    found = []
    for bound in (False, True):
        model = nn.MLP(2, [4, 1], seed=0)
        if bound:
            binding = bind(model.parameters())
        optimizer = nn.optim.AdamW(model.parameters(), lr=0.05)
        path = tmp_path / f"{bound}.json"
        nn.fit(
            model,
            (x, y),
            optimizer=optimizer,
            loss=nn.MSELoss(),
            epochs=3,
            batch_size=4,
            seed=0,
            clip_grad_value=0.1,
        )
        nn.save(path, model, optimizer)
        for parameter in model.parameters():
            parameter.data = 0.0
        nn.load(path, model, optimizer=optimizer)
        found.append(numbers(optimizer))
        model.zero_grad()
        assert not any(p.reached for p in model.parameters())
    assert binding.memory.valid
    assert found[0] == found[1]
