"""The learning-rate range test finds the rate, and leaves no trace."""

import copy
import math
import random

import pytest

import nn

MOONS = nn.data.moons(40, seed=0)


def network():
    return nn.Sequential(nn.Linear(2, 6, seed=0), nn.Tanh(), nn.Linear(6, 2, seed=1))


def searched(model, optimizer, **arguments):
    settings = {"low": 1e-3, "high": 100.0, "steps": 40, "batch_size": 10, "seed": 0}
    loss = arguments.pop("loss", nn.CrossEntropyLoss())
    return nn.lr_range_test(model, MOONS, loss, optimizer, **{**settings, **arguments})


def everything(model, optimizer):
    """Return all numbers, as text with all their digits."""
    return repr(
        (
            [(p.data, p.grad, p.reached) for p in model.parameters()],
            [module.training for module in model.modules()],
            optimizer.state_dict(),
        )
    )


class Noisy(nn.Module):
    """Keeps a count, a running mean and a generator, and counts calls in a list."""

    def __init__(self):
        super().__init__()
        self.inner = network()
        self.count = 0
        self.running = [[0.0, 0.0], {"mean": 0.0}]
        self.source = random.Random(0)

    def forward(self, batch):
        self.count += 1
        self.running[0][0] += 0.5
        self.running[1]["mean"] = self.source.random()
        return self.inner(batch)


def test_the_rates_are_a_log_grid_and_each_has_the_loss_before_its_step():
    model = network()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    found = searched(model, optimizer, high=0.1, steps=5, batch_size=40)
    assert found.rates == pytest.approx([1e-3, 10**-2.5, 1e-2, 10**-1.5, 0.1], rel=1e-13)
    assert found.rates[-1] == 0.1
    by_hand = copy.deepcopy(model)
    losses = []
    for rate in found.rates:
        by_hand.zero_grad()
        loss = nn.CrossEntropyLoss()(by_hand(MOONS.inputs), MOONS.targets)
        losses.append(loss.data)
        loss.backward()
        nn.optim.SGD(by_hand.parameters(), lr=rate).step()
    assert found.losses == pytest.approx(losses, rel=1e-12)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_model_and_optimiser_are_restored_to_the_bit(name):
    model = Noisy()
    optimizer = getattr(nn.optim, name)(model.parameters(), lr=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(model(MOONS.inputs), MOONS.targets).backward()
        optimizer.step()
    model.eval()
    before = everything(model, optimizer)
    kept = (model.count, copy.deepcopy(model.running), model.source.getstate())
    running = model.running
    searched(model, optimizer)
    assert everything(model, optimizer) == before
    assert (model.count, model.running, model.source.getstate()) == kept
    assert model.running is running


def test_what_backward_had_not_reached_is_unreached_again():
    model = network()
    optimizer = nn.optim.SGD(model.parameters())
    searched(model, optimizer, steps=3)
    assert not any(p.reached for p in model.parameters())


def test_an_exception_on_the_way_leaves_no_trace_either():
    model = network()
    optimizer = nn.optim.Adam(model.parameters(), lr=0.01)
    before = everything(model, optimizer)
    calls = []

    def loss(outputs, targets):
        calls.append(targets)
        if len(calls) == 6:
            raise RuntimeError("enough")
        return nn.CrossEntropyLoss()(outputs, targets)

    with pytest.raises(RuntimeError, match="enough"):
        searched(model, optimizer, loss=loss)
    assert everything(model, optimizer) == before


def test_the_same_seed_finds_the_same():
    model = network()
    optimizer = nn.optim.SGD(model.parameters())
    assert searched(model, optimizer) == searched(model, optimizer)


def test_it_ends_where_the_loss_diverges():
    # On θ²/2 a step multiplies θ by 1 - rate: above rate 2 it grows.
    class Weight(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(1.0)

        def forward(self, batch):
            return [self.w for _ in batch]

    model = Weight()
    found = nn.lr_range_test(
        model,
        ([[0.0]], [0.0]),
        lambda outputs, targets: outputs[0] * outputs[0] / 2.0,
        nn.optim.SGD(model.parameters()),
        low=1e-3,
        high=1e6,
        steps=180,
    )
    assert len(found.rates) == len(found.losses) < 180
    assert 2.0 < found.rates[-1] < 1e3
    assert math.isfinite(found.losses[-1])
    assert 0.01 < found.suggestion < 2.0
    # The loss falls to 0: where has it half its first value, smoothed over 19 rates of 10^(1/20)?
    weight, by_hand = 1.0, []
    for rate, loss in zip(found.rates, found.losses, strict=True):
        by_hand.append(weight**2 / 2.0)
        assert loss == pytest.approx(by_hand[-1], rel=1e-9)
        weight *= 1.0 - rate
    half = next(rate for rate, loss in zip(found.rates, by_hand, strict=True) if loss < 0.25)
    assert half / 1.5 < found.suggestion < half * 1.5


def fresh(sizes, data, rule, seed):
    """Return the rate that is found for fresh weights, and what a training leaves of the loss."""
    model = nn.MLP(sizes[0], sizes[1:], seed=seed)
    optimizer = getattr(nn.optim, rule)(model.parameters())
    loss = nn.CrossEntropyLoss()
    found = nn.lr_range_test(model, data, loss, optimizer, seed=seed).suggestion
    optimizer.lr = found
    history = nn.fit(model, data, loss=loss, optimizer=optimizer, epochs=15, seed=seed)
    return found, history[-1].loss / history[0].loss


@pytest.mark.parametrize("rule", ["SGD", "Adam"])
@pytest.mark.parametrize(
    ("sizes", "data"),
    [((2, 8, 2), nn.data.moons(100, seed=0)), ((4, 8, 3), nn.data.iris())],
    ids=["moons", "iris"],
)
def test_with_the_defaults_every_seed_gets_a_rate_that_trains(sizes, data, rule):
    for seed in range(3):
        rate, left = fresh(sizes, data, rule, seed)
        assert 1e-3 < rate < 0.5
        assert left < 0.5  # of the loss of the first of 15 epochs


def test_with_mini_batches_of_16_every_rate_is_sane_or_none_is_suggested():
    data = nn.data.moons(100, seed=0)
    found = []
    for seed in range(10):
        model = nn.MLP(2, [8, 2], seed=seed)
        optimizer = nn.optim.SGD(model.parameters())
        search = nn.lr_range_test(
            model, data, nn.CrossEntropyLoss(), optimizer, steps=60, batch_size=16, seed=seed
        )
        found.append(search.suggestion)
    sane = [rate for rate in found if rate is not None]
    assert len(sane) >= 8
    assert all(0.02 < rate < 0.6 for rate in sane)


def test_where_small_batches_hide_the_fall_more_steps_show_it():
    data = nn.data.moons(100, seed=0)
    model = nn.MLP(2, [8, 2], seed=0)
    optimizer = nn.optim.SGD(model.parameters())
    few, many = (
        nn.lr_range_test(
            model, data, nn.CrossEntropyLoss(), optimizer, steps=steps, batch_size=4, seed=0
        ).suggestion
        for steps in (60, 200)
    )
    assert few is None
    assert 0.01 < many < 0.3


@pytest.mark.parametrize("steps", [40, 60, 100, 400])
def test_noise_alone_gives_no_suggestion_but_for_a_few(steps):
    rng = random.Random(0)
    searches = [
        nn.RateSearch([0.1] * steps, [rng.gauss(1.0, 0.1) for _ in range(steps)], steps // 10 | 1)
        for _ in range(300)
    ]
    assert sum(search.suggestion is not None for search in searches) < 0.04 * 300


def test_a_clear_fall_is_found_where_it_is_half_way_whatever_the_noise_before():
    rng = random.Random(0)
    rates = [10.0 ** (i / 20 - 5) for i in range(100)]
    for _ in range(100):
        losses = [0.2 + 0.6 / (1.0 + rate / 0.1) + rng.gauss(0.0, 0.05) for rate in rates]
        found = nn.RateSearch(rates, losses, width=11).suggestion
        assert 0.03 < found < 0.3


def test_training_at_the_suggested_rate_learns():
    model = network()
    optimizer = nn.optim.SGD(model.parameters())
    found = searched(model, optimizer)
    optimizer.lr = found.suggestion
    history = nn.fit(
        model, MOONS, loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=10, seed=0
    )
    assert history[-1].loss < 0.6 * history[0].loss


def test_smoothing_is_the_mean_of_what_lies_around():
    found = nn.RateSearch([1.0] * 6, [0.0, 3.0, 6.0, 0.0, 3.0, 9.0], width=3)
    assert found.smoothed == [0.0, 3.0, 3.0, 3.0, 4.0, 9.0]


def test_the_suggestion_is_where_the_loss_has_fallen_half_way():
    rates = [0.1, 0.2, 0.4, 0.8, 1.6]
    assert nn.RateSearch(rates, [5.0, 4.9, 3.7, 2.5, 9.0], width=1).suggestion == 0.4
    assert nn.RateSearch(rates, [5.0, 4.9, 3.8, 2.5, 9.0], width=1).suggestion == 0.8
    # Below that level by chance is not yet where it stays below until the minimum.
    assert nn.RateSearch(rates, [5.0, 3.0, 4.0, 2.5, 9.0], width=1).suggestion == 0.8


def test_only_fully_smoothed_losses_count():
    # The last loss is the smallest, but no mean of three; the smallest such mean is 4/3.
    found = nn.RateSearch([*range(1, 11)], [4.0] * 7 + [2.0, 2.0, 0.0], width=3)
    assert found.smoothed[6:] == [10 / 3, 8 / 3, 4 / 3, 0.0]
    assert found.suggestion == 9


@pytest.mark.parametrize("losses", [[], [1.0], [1.0, 0.5], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0]])
def test_without_a_fall_there_is_no_suggestion(losses):
    assert nn.RateSearch([0.1] * len(losses), losses, width=1).suggestion is None


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"low": 0.0}, ValueError, "lr_range_test expected a finite low > 0, got 0.0"),
        ({"low": 1.0, "high": 1.0}, ValueError, "lr_range_test expected low < high, got 1.0 and"),
        ({"high": math.inf}, ValueError, "lr_range_test expected a finite high > 0, got inf"),
        ({"steps": 1}, ValueError, "lr_range_test expected steps >= 2, got 1"),
        ({"steps": 9.5}, TypeError, "lr_range_test expected a whole number for steps, got float"),
        ({"batch_size": 0}, ValueError, "batch size expected at least 1, got 0"),
        ({"loss": lambda g, y: 1.0}, TypeError, "expected the loss to be one Value, got float"),
    ],
)
def test_senseless_searches_are_refused(arguments, error, message):
    model = network()
    with pytest.raises(error) as refusal:
        searched(model, nn.optim.SGD(model.parameters()), **arguments)
    assert message in str(refusal.value)


def test_what_is_no_model_or_optimiser_is_refused():
    model = network()
    with pytest.raises(TypeError, match=r"^lr_range_test expected a Module, got function$"):
        searched(lambda x: x, nn.optim.SGD(model.parameters()))
    with pytest.raises(TypeError, match=r"^lr_range_test expected an optimiser, got float$"):
        searched(model, 0.1)


def test_groups_of_different_rates_are_refused():
    first, second = nn.Linear(2, 3, seed=0), nn.Linear(3, 2, seed=1)
    model = nn.Sequential(first, second)
    optimizer = nn.optim.SGD(
        [{"params": first.parameters(), "lr": 0.1}, {"params": second.parameters()}]
    )
    with pytest.raises(ValueError, match=r"groups with the learning rates 0\.001, 0\.1, which"):
        searched(model, optimizer)
