"""`nn.fit(compile=True)` is the same training, step by step, as without."""

import math
import random
import sys
import warnings

import numpy as np
import pytest

import autograd_lite
import nn
from autograd_lite import Value
from autograd_lite.native.programs import backend
from nn.compiled_steps import CompiledSteps

MOONS = nn.data.moons(50, noise=0.2, seed=0)
SIGNED = nn.data.moons(50, noise=0.2, labels=(-1, 1), seed=0)
HELD_OUT = nn.data.moons(30, noise=0.2, seed=1)


def network(seed=0):
    return nn.MLP(2, [6, 2], activation="tanh", seed=seed)


def normalising():
    return nn.Sequential(
        nn.Linear(2, 6, bias=False, seed=0),  # whose gradient would be rounding alone
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Dropout(0.2, seed=1),
        nn.Linear(6, 2, seed=2),
    )


def adam(model, **settings):
    return nn.optim.Adam(model.parameters(), lr=0.05, **settings)


def fitted(model, data=MOONS, **options):
    options = {
        "loss": nn.CrossEntropyLoss(),
        "optimizer": adam(model),
        "epochs": 3,
        "batch_size": 16,
        "seed": 0,
        **options,
    }
    return nn.fit(model, data, **options)


def numbers(record):
    """Return a record of a history without the time."""
    fields = record._asdict()
    fields.pop("seconds", None)
    return [math.nan if x is None else x for x in fields.values()]


def check_same(make, data=MOONS, **options):
    """Train in both ways; ``options`` are functions of the model if they are callable."""
    found = []
    for compiled in (False, True):
        random.seed(7)
        model = make()
        chosen = {name: given(model) for name, given in options.items()}
        found.append((model, fitted(model, data, compile=compiled, **chosen)))
    (eager, expected), (recorded, history) = found
    for ours, theirs in ((history.steps, expected.steps), (history.epochs, expected.epochs)):
        assert len(ours) == len(theirs)
        assert np.allclose(
            [*map(numbers, ours)], [*map(numbers, theirs)], rtol=1e-9, atol=1e-12, equal_nan=True
        )
    assert history.metric_name == expected.metric_name
    for name, theirs in eager.state_dict().items():
        assert np.allclose(recorded.state_dict()[name], theirs, rtol=1e-9, atol=1e-11), name
    return recorded, history


def always(given):
    return lambda model: given


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_size": always(1)},
        {"batch_size": always(50)},
        {"replacement": always(True)},
        {"drop_last": always(True)},
        {"seed": always(None)},
        {"loss": always(nn.CrossEntropyLoss([0.5, 2.0], label_smoothing=0.1))},
        {"clip_grad_norm": always(0.05)},
        {"clip_grad_norm": always(math.inf)},
        {"clip_grad_value": always(0.01)},
        {"schedule": always(lambda step: 0.1 / (1 + step))},
        {"validation": always(HELD_OUT), "metric": always(nn.metrics.accuracy)},
        {"optimizer": lambda m: nn.optim.SGD(m.parameters(), lr=0.1, momentum=0.9)},
        {"optimizer": lambda m: nn.optim.SGD(m.layers[1].parameters(), lr=0.1)},
        {
            "optimizer": lambda m: nn.optim.SGD(
                [
                    {"params": m.layers[0].parameters()},
                    {"params": m.layers[1].parameters(), "lr": 0.5},
                ],
                lr=0.1,
            )
        },
    ],
    ids="+".join,
)
def test_the_training_is_the_same(options):
    check_same(network, **options)


@pytest.mark.parametrize("seed", [0, None])
def test_the_training_is_the_same_with_batch_norm_and_dropout(seed):
    def make():
        model = normalising()
        model[3].generator = None if seed is None else random.Random(1)
        return model

    options = {"validation": always(HELD_OUT), "metric": always(nn.metrics.accuracy)}
    check_same(make, seed=always(seed), drop_last=always(True), **options)


def test_schedulers_of_steps_and_epochs_are_stepped():
    def per_step(model):
        return nn.optim.lr_scheduler.OneCycleLR(model.own, max_lr=0.1, total_steps=12)

    def plateau(model):
        return nn.optim.lr_scheduler.ReduceLROnPlateau(model.own, patience=0, threshold=10.0)

    def make():
        model = network()
        model.own = adam(model)
        return model

    for schedule in (per_step, plateau):
        check_same(make, optimizer=lambda m: m.own, schedule=schedule, validation=always(HELD_OUT))


def test_scores_and_labels_of_other_losses_train():
    def scores():
        return nn.Sequential(nn.MLP(2, [6, 1], seed=0), nn.Identity())

    def column():
        return nn.Sequential(
            nn.Linear(2, 6, seed=0), nn.Tanh(), nn.Linear(6, 1, seed=1), nn.Flatten(0, 1)
        )

    for make in (scores, column):
        check_same(
            make,
            SIGNED,
            loss=always(nn.HingeLoss()),
            validation=always(SIGNED),
            metric=always(nn.metrics.accuracy),
        )


def test_a_function_as_loss_is_recorded_with_its_penalty():
    def loss(model):
        weights = model.parameters()
        return lambda outputs, targets: (
            nn.CrossEntropyLoss()(outputs, targets) + nn.l2_penalty(weights, 0.01)
        )

    check_same(network, loss=loss)


def test_a_number_that_a_loss_closes_over_can_change():
    def change(model):
        strength = 0.0

        def loss(outputs, targets):
            return nn.CrossEntropyLoss()(outputs, targets) + nn.l2_penalty(
                model.parameters(), strength
            )

        def raise_it(state):
            nonlocal strength
            strength += 0.01

        model.raise_it = [raise_it]
        return loss

    check_same(network, loss=change, callbacks=lambda m: m.raise_it)


@pytest.mark.parametrize("without", ["numba", "numpy"])
def test_programs_in_python_train_too(monkeypatch, without):
    monkeypatch.setitem(sys.modules, without, None)
    backend.missing.cache_clear()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            check_same(
                normalising,
                drop_last=always(True),
                validation=always(HELD_OUT),
                metric=always(nn.metrics.accuracy),
            )
    finally:
        backend.missing.cache_clear()


def test_what_is_frozen_stays():
    def make():
        model = network()
        model.layers[0].requires_grad_(False)
        return model

    model, _ = check_same(make)
    assert model.layers[0].neurons[0].w[0].data == network().layers[0].neurons[0].w[0].data


def test_lanes_take_the_branches_of_their_own_numbers():
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.ways = [nn.Linear(2, 2, seed=seed) for seed in range(2)]

        def forward(self, x):
            return [self.ways[a > 0.5](nn.Tanh()([a, b])) for a, b in x]

    check_same(Branching, drop_last=always(True))


def test_nested_samples_and_whole_numbers_train():
    def pictures():
        return nn.Sequential(nn.Flatten(), nn.Linear(4, 2, seed=0))

    images = [[[a, b], [b, a]] for a, b in MOONS.inputs]
    check_same(pictures, (images, MOONS.targets))

    def embedded():
        return nn.Sequential(nn.Embedding(4, 3, seed=0), nn.Flatten(), nn.Linear(6, 2, seed=1))

    draw = random.Random(3)
    labels = [[draw.randrange(4), draw.randrange(4)] for _ in MOONS.targets]
    check_same(embedded, (labels, MOONS.targets))


def test_arrays_train_as_lists_do():
    _, of_lists = check_same(network)
    model = network()
    arrays = np.array(MOONS.inputs), np.array(MOONS.targets)
    assert fitted(model, arrays, compile=True).step_losses == of_lists.step_losses


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (np.zeros(4), np.zeros(4, int), "inputs expected samples that are lists of numbers"),
        (np.full((4, 2), np.nan), np.zeros(4, int), "got nan in row 0, column 0"),
        (np.zeros((4, 2)), np.zeros(3, int), "one target per sample, got 4 samples and 3 targets"),
        (np.zeros((4, 2)), np.full(4, 7), "expected labels from 0 to 1, got 7"),
    ],
)
def test_arrays_are_refused_as_lists_are(inputs, targets, message):
    for compiled in (False, True):
        with pytest.raises((TypeError, ValueError), match=message):
            fitted(network(), (inputs, targets), compile=compiled)


# -- callbacks, checkpoints ----------------------------------------------------------------------


def test_callbacks_see_the_model_and_its_gradients():
    def looking(model):
        model.seen = []
        return [lambda state: model.seen.append([p.grad for p in state.model.parameters()])]

    recorded, _ = check_same(network, step_callbacks=looking)
    eager = network()
    fitted(eager, step_callbacks=looking(eager))
    assert np.allclose(recorded.seen, eager.seen, rtol=1e-9, atol=1e-12)


def test_early_stopping_gives_the_best_model_back():
    stopped = []

    def stopping(model):
        stopped.append(nn.EarlyStopping(patience=2, min_delta=0.01))
        return stopped[-1:]

    _, history = check_same(
        network, epochs=always(40), validation=always(HELD_OUT), callbacks=stopping
    )
    assert len(history) < 40
    assert stopped[0].best_epoch == stopped[1].best_epoch


def test_a_callback_stops_within_an_epoch():
    def stopping(model):
        return [lambda state: state.stop() if state.step == 6 else None]

    _, history = check_same(network, step_callbacks=stopping)
    assert len(history.steps) == 6


def test_a_training_is_resumed_to_the_last_bit(tmp_path):
    whole = normalising()
    fitted(whole, drop_last=True, epochs=4, compile=True)
    path = tmp_path / "training"
    fitted(normalising(), drop_last=True, epochs=2, checkpoint=path, compile=True)
    model = normalising()
    history = fitted(model, drop_last=True, epochs=4, resume=path, compile=True)
    assert len(history) == 4
    assert model.state_dict() == whole.state_dict()


def test_a_training_goes_on_uncompiled_and_the_other_way_round(tmp_path):
    whole = network()
    fitted(whole, epochs=4)
    for first in (False, True):
        path = tmp_path / str(first)
        fitted(network(), epochs=2, checkpoint=path, compile=first)
        model = network()
        fitted(model, epochs=4, resume=path, compile=not first)
        for name, expected in whole.state_dict().items():
            assert np.allclose(model.state_dict()[name], expected, rtol=1e-9), name


def test_one_model_is_trained_twice():
    def twice(compiled):
        model = network()
        first = fitted(model, compile=compiled)
        return fitted(model, history=first, compile=compiled).step_losses

    assert np.allclose(twice(True), twice(False), rtol=1e-9)


# -- what it does not touch ----------------------------------------------------------------------


def test_looking_at_examples_changes_nothing():
    model = normalising()
    optimizer = adam(model)
    fitted(model, optimizer=optimizer, drop_last=True, epochs=1)
    model.eval()
    random.seed(3)
    before = (
        model.state_dict(),
        [(p.grad, p.reached, p.label) for p in model.parameters()],
        model[3].generator.getstate(),
        random.getstate(),
        [module.training for module in model.modules()],
    )
    CompiledSteps(model, nn.CrossEntropyLoss(), optimizer, MOONS, None)
    assert before == (
        model.state_dict(),
        [(p.grad, p.reached, p.label) for p in model.parameters()],
        model[3].generator.getstate(),
        random.getstate(),
        [module.training for module in model.modules()],
    )


def test_a_step_runs_no_code_of_the_model():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2, seed=0)

        def forward(self, x):
            calls.append(len(x))
            return self.layer(x)

    calls = []
    fitted(Counting(), validation=HELD_OUT, compile=True)
    # A few examples together, and a sample: recorded once for training, once for validation.
    assert sorted(calls) == [1, 1, 4]


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(reduction="sum"),
        lambda outputs, targets: nn.CrossEntropyLoss()(outputs, targets) * len(targets),
        lambda outputs, targets: autograd_lite.max_of(
            [nn.CrossEntropyLoss()(o, t) for o, t in zip(outputs, targets, strict=True)]
        ),
    ],
    ids=["sum", "number of samples", "largest"],
)
def test_a_loss_that_is_no_mean_is_refused(loss):
    model = network()
    before = model.state_dict()
    with pytest.raises(ValueError, match="a loss that is the mean of those of a batch's samples"):
        fitted(model, loss=loss, compile=True)
    assert model.state_dict() == before
    fitted(model, loss=loss)


class Centred(nn.Linear):
    """Takes the mean over the batch away."""

    def forward(self, x):
        columns = list(zip(*super().forward(x), strict=True))
        means = [autograd_lite.mean(column) for column in columns]
        return [
            [y - m for y, m in zip(row, means, strict=True)] for row in zip(*columns, strict=True)
        ]


class Noisy(nn.Linear):
    """Adds random numbers of its own."""

    def forward(self, x):
        return [[y + DRAW.gauss(0.0, 1.0) for y in row] for row in super().forward(x)]


DRAW = random.Random(0)


@pytest.mark.parametrize("kind", [Centred, Noisy])
def test_a_model_that_mixes_samples_or_draws_by_itself_is_refused(kind):
    with pytest.raises(
        (ValueError, RuntimeError), match=r"depends on the sample alone|drew numbers"
    ):
        fitted(kind(2, 2, seed=0), compile=True)


class Reading(nn.Linear):
    """Reads numbers of samples whose first one is above a bound."""

    bound = -9.0

    def forward(self, x):
        rows = super().forward(x)
        for row, sample in zip(rows, x, strict=True):
            if sample[0] > self.bound:
                row[0] = row[0] * abs(row[0].data)
        return rows


def test_a_model_that_cannot_be_recorded_is_refused():
    model = Reading(2, 2, seed=0)
    with pytest.raises(RuntimeError, match=r"\.data was used on") as caught:
        fitted(model, compile=True)
    assert "compile=False" in caught.value.__notes__[-1]
    assert model.state_dict() == Reading(2, 2, seed=0).state_dict()


def test_a_branch_that_cannot_be_recorded_is_refused_when_a_sample_takes_it():
    model = Reading(2, 2, seed=0)
    model.bound = 9.0
    inputs = [*MOONS.inputs[:-1], [10.0, 0.0]]
    history = nn.History()
    with pytest.raises(RuntimeError, match=r"\.data was used on") as caught:
        fitted(model, (inputs, MOONS.targets), batch_size=1, history=history, compile=True)
    assert "compile=False" in caught.value.__notes__[-1]
    assert 0 < len(history.steps) < 50


def test_a_loss_that_returns_no_value_is_refused():
    with pytest.raises(TypeError, match="expected the loss to be one Value, got float"):
        fitted(network(), loss=lambda outputs, targets: 1.0, compile=True)


def test_data_that_are_no_numbers_are_refused():
    names = [["no", "yes"][label] for label in MOONS.targets]
    with pytest.raises(
        TypeError, match="expected numbers as targets, got str at position 0: 'yes'"
    ):
        fitted(network(), (MOONS.inputs, names), compile=True)


def test_inputs_that_are_learned_are_refused():
    inputs = [[Value(a), b] for a, b in MOONS.inputs]
    with pytest.raises(TypeError, match="expected numbers as inputs, got Value at position 0"):
        fitted(network(), (inputs, MOONS.targets), compile=True)


def test_compile_is_true_or_false():
    with pytest.raises(TypeError, match="compile expected True or False, got int: 1"):
        fitted(network(), compile=1)


@pytest.mark.parametrize("classes", [2, 5])  # of more than are looked at before the training
def test_a_label_that_is_refused_is_told_by_its_row(classes):
    targets = [row % classes for row in range(50)]
    targets[30] = 7
    for compiled in (False, True):
        model = nn.MLP(2, [classes], seed=0)
        with pytest.raises(ValueError, match=f"from 0 to {classes - 1}, got 7") as caught:
            fitted(model, (MOONS.inputs, targets), batch_size=10, compile=compiled)
        assert "the loss refuses row 30 (target 7)." in caught.value.__notes__[-1]
        if classes == 2 and compiled:
            assert model.state_dict() == nn.MLP(2, [classes], seed=0).state_dict()


def test_a_training_that_diverges_ends_before_the_step():
    model = network()
    seen = []
    with pytest.raises(FloatingPointError, match="the loss became"):
        fitted(
            model,
            SIGNED,
            loss=lambda outputs, targets: (outputs[0][0] / 0.0) * targets[0],
            step_callbacks=[seen.append],
            compile=True,
        )
    assert not seen
    assert model.state_dict() == network().state_dict()


def test_outputs_that_are_no_probabilities_are_told_as_uncompiled():
    model = nn.Sequential(nn.Linear(2, 1, seed=0), nn.Flatten(0, 1), nn.Identity())
    for p in model.parameters():
        p.data = 0.0
    model[0].bias[0].data = 0.5  # a probability still, but not for long
    with pytest.raises(ValueError, match="expected probabilities from 0 to 1"):
        fitted(
            model,
            loss=nn.BCELoss(),
            optimizer=nn.optim.SGD(model.parameters(), lr=10.0),
            compile=True,
        )


@pytest.mark.parametrize("where", ["data", "validation data"])
def test_an_unknown_label_is_refused_before_the_first_step(where: str) -> None:
    inputs, labels = [[float(i), 1.0] for i in range(60)], [i % 4 for i in range(60)]
    broken = (inputs, [*labels[:59], 4])
    data, validation = (broken, None) if where == "data" else ((inputs, labels), broken)
    model = nn.MLP(2, [4], seed=0)
    before = [p.data for p in model.parameters()]
    with pytest.raises(ValueError, match="labels from 0 to 3, got 4") as caught:
        nn.fit(
            model,
            data,
            validation=validation,
            loss=nn.CrossEntropyLoss(),
            optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
            epochs=1,
            batch_size=8,
            compile=True,
            progress=False,
        )
    notes = [f"In the {where}, counted from 0, the loss refuses row 59 (target 4)."]
    assert caught.value.__notes__ == notes
    assert [p.data for p in model.parameters()] == before
    assert not any(p.reached for p in model.parameters())
