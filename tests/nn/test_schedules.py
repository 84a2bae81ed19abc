"""Learning-rate schedules: the functions, and the schedulers that are built on them."""

import copy
import json
import math

import pytest
import torch_figures

import nn
from nn import schedules
from nn.optim import lr_scheduler

RECORDED = torch_figures.RECORDED["schedules"]


def named(recorded):
    settings = ", ".join(f"{name}={value}" for name, value in recorded["settings"].items())
    return f"{recorded['scheduler']}({settings})"


def made(recorded):
    """Return optimiser and scheduler as they were recorded: two groups, one parameter each."""
    groups = [{"params": [nn.Parameter(0.0)]}, {"params": [nn.Parameter(0.0)], "lr": 0.03}]
    optimizer = getattr(nn.optim, recorded["optimizer"])(groups, **recorded["optimizer_settings"])
    return optimizer, getattr(lr_scheduler, recorded["scheduler"])(
        optimizer, **recorded["settings"]
    )


def momenta(optimizer):
    return [
        group["betas"][0] if "betas" in group else group.get("momentum")
        for group in optimizer.param_groups
    ]


# -- PyTorch's figures ---------------------------------------------------------------------------


@pytest.mark.parametrize("recorded", RECORDED, ids=named)
def test_every_rate_and_momentum_of_100_steps_is_pytorchs(recorded):
    optimizer, scheduler = made(recorded)
    assert len(recorded["rates"]) == 101
    for step, rates in enumerate(recorded["rates"]):
        # PyTorch multiplies on from step to step, which costs it digits where a rate is about 0.
        assert scheduler.get_last_lr() == pytest.approx(rates, rel=1e-12, abs=1e-16), step
        if recorded["momenta"] and recorded["optimizer"] != "Adagrad":
            assert momenta(optimizer) == pytest.approx(recorded["momenta"][step], rel=1e-12)
        if step < 100:
            scheduler.step(*recorded["metrics"][step : step + 1])


@pytest.mark.parametrize("recorded", RECORDED, ids=named)
def test_a_scheduler_goes_on_from_its_state_exactly(recorded):
    _, whole = made(recorded)
    optimizer, first = made(recorded)
    for step in range(60):
        if step == 37:
            states = json.loads(json.dumps([first.state_dict(), optimizer.state_dict()]))
            optimizer, first = made(recorded)
            first.load_state_dict(states[0])
            optimizer.load_state_dict(states[1])
        metric = recorded["metrics"][step : step + 1]
        whole.step(*metric)
        first.step(*metric)
        assert first.get_last_lr() == whole.get_last_lr()
        assert momenta(first.optimizer) == momenta(whole.optimizer)


@pytest.mark.parametrize(
    ("make", "function"),
    [
        (lambda o: lr_scheduler.StepLR(o, 3, 0.5), schedules.step(0.4, 3, gamma=0.5)),
        (lambda o: lr_scheduler.MultiStepLR(o, [2, 5]), schedules.multi_step(0.4, [2, 5])),
        (lambda o: lr_scheduler.ExponentialLR(o, 0.9), schedules.exponential(0.4, 0.9)),
        (lambda o: lr_scheduler.LinearLR(o, 0.25), schedules.linear(0.1, 0.4, 5)),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 20), schedules.cosine(0.4, 20)),
        (lambda o: lr_scheduler.OneCycleLR(o, 2.0, 25), schedules.one_cycle(2.0, 25)),
        (lambda o: lr_scheduler.CyclicLR(o, 0.1, 2.0, 4), schedules.cyclic(0.1, 2.0, 4)),
        (lambda o: lr_scheduler.LambdaLR(o, lambda step: step), lambda step: 0.4 * step),
    ],
)
def test_the_classes_are_the_functions(make, function):
    optimizer = nn.optim.SGD([nn.Parameter(0.0)], lr=0.4)
    scheduler = make(optimizer)
    for step in range(25):
        assert optimizer.lr == function(step)
        scheduler.step()


# -- the functions -------------------------------------------------------------------------------


def test_warm_up_and_what_follows_are_put_together():
    rate = schedules.warm_up(schedules.cosine(0.3, 50), 10, start_factor=0.1)
    assert rate(0) == pytest.approx(0.03, rel=1e-15)
    assert rate(5) == pytest.approx(0.03 + 0.27 / 2, rel=1e-15)
    assert [rate(10 + step) for step in range(51)] == [
        schedules.cosine(0.3, 50)(step) for step in range(51)
    ]


def test_sequence_starts_each_part_at_its_own_step_0():
    rate = schedules.sequence([lambda s: s, lambda s: 10 + s, lambda s: 20 + s], [2, 5])
    assert [rate(step) for step in range(7)] == [0, 1, 10, 11, 12, 20, 21]


def test_one_cycle_peaks_once_and_stays_at_its_end():
    rate = schedules.one_cycle(2.0, 42, pct_start=0.5, div_factor=4.0, final_div_factor=10.0)
    rates = [rate(step) for step in range(60)]
    assert rates[0] == 0.5
    assert rates[20] == max(rates) == 2.0
    assert rates[41:] == [0.05] * 19


def test_one_cycle_lr_ends_after_total_steps_as_pytorchs_does():
    optimizer = nn.optim.SGD([nn.Parameter(0.0)], momentum=0.9)
    scheduler = lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=10)
    for _ in range(10):
        scheduler.step()
    ended = scheduler.get_last_lr()
    assert ended == [0.5 / 25.0 / 1e4]
    message = r"OneCycleLR expected at most 10 calls of step\(\), its total_steps, got call 11"
    with pytest.raises(ValueError, match=message):
        scheduler.step()
    assert (scheduler.last_epoch, scheduler.get_last_lr()) == (10, ended)


@pytest.mark.parametrize(
    ("owner", "rate"),
    [
        ("constant", schedules.constant(0.1)),
        ("step", schedules.step(0.1, 3)),
        ("multi_step", schedules.multi_step(0.1, [3])),
        ("exponential", schedules.exponential(0.1, 0.5)),
        ("linear", schedules.linear(0.1, 0.2, 3)),
        ("cosine", schedules.cosine(0.1, 3)),
        ("one_cycle", schedules.one_cycle(0.1, 10)),
        ("cyclic", schedules.cyclic(0.1, 0.2, 3)),
        ("sequence", schedules.sequence([lambda step: 0.1, lambda step: 0.2], [3])),
        ("sequence", schedules.warm_up(schedules.constant(0.1), 3)),
    ],
)
def test_there_is_no_step_before_step_0(owner, rate):
    with pytest.raises(ValueError, match=f"^{owner} expected a step >= 0, got -5$"):
        rate(-5)


def test_fit_takes_the_functions():
    model = nn.MLP(2, [1], seed=0)
    optimizer = nn.optim.SGD(model.parameters(), lr=9.0)
    used = []

    def noted(step):
        used.append(schedules.step(0.1, 3)(step))
        return used[-1]

    nn.fit(
        model,
        nn.data.moons(20, seed=0),
        loss=nn.MSELoss(),
        optimizer=optimizer,
        epochs=2,
        batch_size=5,
        schedule=noted,
    )
    assert used == pytest.approx([0.1] * 3 + [0.01] * 3 + [0.001] * 2)
    assert optimizer.lr == used[-1]


# -- schedulers ----------------------------------------------------------------------------------


def test_groups_keep_their_ratio_under_a_scheduler():
    groups = [{"params": [nn.Parameter(0.0)]}, {"params": [nn.Parameter(0.0)], "lr": 0.03}]
    optimizer = nn.optim.SGD(groups, lr=0.3)
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for _ in range(9):
        scheduler.step()
        first, second = scheduler.get_last_lr()
        assert first == pytest.approx(10 * second, rel=1e-15)


def test_plateaus_reduce_after_patience_and_not_below_the_least():
    optimizer = nn.optim.SGD([nn.Parameter(0.0)], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=2, min_lr=0.05)
    rates = []
    for loss in [1.0, 0.5, math.nan, 0.5, 0.49999, 0.6, 0.6, 0.6, 0.1]:
        scheduler.step(loss)
        rates.append(optimizer.lr)
    # 0.49999 is better by less than the threshold; the NaN was no improvement either.
    assert rates == [1.0] * 4 + [0.1] * 3 + [0.05] * 2
    assert scheduler.best == 0.1


def test_a_group_that_comes_in_later_is_refused():
    optimizer = nn.optim.SGD([nn.Parameter(0.0)], lr=1.0)
    scheduler = lr_scheduler.StepLR(optimizer, 1)
    optimizer.add_param_group({"params": [nn.Parameter(0.0)]})
    with pytest.raises(ValueError, match=r"^StepLR was made for 1 parameter groups, got 2; add"):
        scheduler.step()
    assert (optimizer.lr, scheduler.last_epoch) == (1.0, 0)


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: schedules.step(-1, 2), ValueError, "step expected a finite lr >= 0, got -1"),
        (lambda: schedules.step(1.0, 0), ValueError, "step expected step_size >= 1, got 0"),
        (
            lambda: schedules.step(1.0, 2.5),
            TypeError,
            "step expected a whole number for step_size, got float: 2.5",
        ),
        (
            lambda: schedules.exponential(1.0, math.nan),
            ValueError,
            "exponential expected a finite gamma >= 0, got nan",
        ),
        (
            lambda: schedules.multi_step(1.0, 30),
            TypeError,
            "multi_step expected a list of steps as milestones, got int",
        ),
        (
            lambda: schedules.cosine("fast", 10),
            TypeError,
            "cosine expected a number for lr, got str: 'fast'",
        ),
        (
            lambda: schedules.one_cycle(1.0, 100, pct_start=1.0),
            ValueError,
            "one_cycle expected 0 < pct_start < 1, got 1.0",
        ),
        (
            lambda: schedules.one_cycle(1.0, 2),
            ValueError,
            "one_cycle expected more than 3.33333 steps for pct_start 0.3, got 2",
        ),
        (
            lambda: schedules.one_cycle(1.0, 9, anneal_strategy="cosine"),
            ValueError,
            'one_cycle expected anneal_strategy "cos" or "linear", got \'cosine\'',
        ),
        (
            lambda: schedules.cyclic(0.1, 1.0, mode="square"),
            ValueError,
            'cyclic expected mode "triangular", "triangular2" or "exp_range", got \'square\'',
        ),
        (
            lambda: schedules.sequence([schedules.constant(1.0)], [3]),
            ValueError,
            "sequence expected 0 increasing milestones between 1 schedules, got [3]",
        ),
        (
            lambda: schedules.warm_up(0.1, 3),
            TypeError,
            "warm_up expected functions of the number of the step, got float",
        ),
    ],
)
def test_senseless_schedules_are_refused(call, error, message):
    with pytest.raises(error) as refusal:
        call()
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("StepLR", {"step_size": 0}, ValueError, "StepLR expected step_size >= 1, got 0"),
        (
            "ExponentialLR",
            {"gamma": -0.5},
            ValueError,
            "ExponentialLR expected a finite gamma >= 0, got -0.5",
        ),
        (
            "CosineAnnealingLR",
            {"T_max": 10, "eta_min": -1},
            ValueError,
            "CosineAnnealingLR expected a finite eta_min >= 0, got -1",
        ),
        (
            "OneCycleLR",
            {"max_lr": 1.0},
            ValueError,
            "OneCycleLR expected total_steps, or epochs and steps_per_epoch, got neither",
        ),
        (
            "OneCycleLR",
            {"max_lr": [1.0, 2.0], "total_steps": 10},
            ValueError,
            "OneCycleLR expected max_lr for each of 1 parameter groups, got 2",
        ),
        (
            "CyclicLR",
            {"base_lr": 0.1, "max_lr": 1.0, "max_momentum": 1.0},
            ValueError,
            "CyclicLR expected 0 <= max_momentum < 1, got 1.0",
        ),
        (
            "ReduceLROnPlateau",
            {"factor": 1.0},
            ValueError,
            "ReduceLROnPlateau expected 0 <= factor < 1, got 1.0",
        ),
        (
            "ReduceLROnPlateau",
            {"mode": "least"},
            ValueError,
            'ReduceLROnPlateau expected mode "min" or "max", got \'least\'',
        ),
        (
            "LambdaLR",
            {"lr_lambda": 0.5},
            TypeError,
            "LambdaLR expected functions of the number of the step, got float",
        ),
    ],
)
def test_senseless_schedulers_are_refused_and_leave_the_rate(name, arguments, error, message):
    optimizer = nn.optim.SGD([nn.Parameter(0.0)], lr=0.5, momentum=0.25)
    with pytest.raises(error) as refusal:
        getattr(lr_scheduler, name)(optimizer, **arguments)
    assert str(refusal.value) == message
    assert (optimizer.lr, optimizer.param_groups[0]["momentum"]) == (0.5, 0.25)


def test_momentum_is_cycled_only_where_there_is_one():
    optimizer = nn.optim.Adagrad([nn.Parameter(0.0)])
    with pytest.raises(ValueError, match="momentum or betas, got Adagrad; pass cycle_momentum=Fal"):
        lr_scheduler.OneCycleLR(optimizer, 1.0, 10)


def test_a_model_is_no_optimiser():
    with pytest.raises(TypeError, match=r"^StepLR expected an optimiser, got MLP$"):
        lr_scheduler.StepLR(nn.MLP(2, [1]), 10)


def test_a_plateau_needs_a_number():
    scheduler = lr_scheduler.ReduceLROnPlateau(nn.optim.SGD([nn.Parameter(0.0)]))
    with pytest.raises(TypeError, match="expected a number as the metric, got NoneType"):
        scheduler.step(None)
    assert scheduler.last_epoch == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scheduler": "LinearLR"}, "expected the state of StepLR, got that of LinearLR"),
        ({"settings": {"step_size": 3, "gamma": 0.1}}, "expected the state of one with the sett"),
        ({"base_lrs": [1.0, 2.0]}, "expected the state of 1 parameter groups, got that of 2"),
        ({"base_lrs": [-1.0]}, "expected a finite base_lrs >= 0, got -1.0"),
        ({"last_epoch": -3}, "expected a count for last_epoch, got -3"),
        ({"last_epoch": 2.0}, "expected a count for last_epoch, got 2.0"),
        ({"more": 1}, "expected a state_dict of scheduler, settings, base_lrs, last_epoch, got"),
    ],
)
def test_another_scheduler_s_state_is_refused_and_changes_nothing(change, message):
    scheduler = lr_scheduler.StepLR(nn.optim.SGD([nn.Parameter(0.0)], lr=1.0), 2)
    scheduler.step()
    before = copy.deepcopy(scheduler.state_dict())
    with pytest.raises(ValueError) as refusal:
        scheduler.load_state_dict({**before, **change})
    assert message in str(refusal.value)
    assert scheduler.state_dict() == before
