"""Compiled layers and losses are the same functions, of a batch, as those that are not."""

import random

import numpy as np
import pytest

import autograd_lite
import nn
from autograd_lite import Value, lanes

ROWS = 7
DRAW = random.Random(0)
INPUTS = [[DRAW.uniform(-2.0, 2.0) for _ in range(3)] for _ in range(3 * ROWS)]
NUMBERS = [[DRAW.uniform(-2.0, 2.0) for _ in range(2)] for _ in range(3 * ROWS)]
CLASSES = [DRAW.randrange(3) for _ in range(3 * ROWS)]
SIGNS = [DRAW.choice((-1, 1)) for _ in range(3 * ROWS)]
BITS = [DRAW.randrange(2) for _ in range(3 * ROWS)]
SHARES = [DRAW.random() for _ in range(3 * ROWS)]


def batches(*columns):
    for start in range(0, 3 * ROWS, ROWS):
        yield [column[start : start + ROWS] for column in columns]


def close(found, expected):
    return np.allclose(np.array(found, float), np.array(expected, float), rtol=1e-11, atol=1e-13)


def check_steps(make, loss, inputs, targets, training=True):
    """Take three steps in both ways; compare losses, gradients, parameters and buffers."""
    eager, recorded = make().train(training), make().train(training)
    step = autograd_lite.compile(
        lambda x, y: loss(recorded([x]), [y]), parameters=recorded.parameters()
    )
    for x, y in batches(inputs, targets):
        expected = loss(eager(x), y)
        eager.zero_grad()
        recorded.zero_grad()
        expected.backward()
        assert close(step(np.array(x), np.array(y)), expected.data)
        ours, theirs = recorded.parameters(), eager.parameters()
        assert close([p.grad for p in ours], [p.grad for p in theirs])
        assert [p.reached for p in ours] == [True] * len(ours)
        for parameters in (ours, theirs):
            for p in parameters:
                p.data -= 0.1 * p.grad
        for (name, found), (_, wanted) in zip(
            recorded.named_buffers(), eager.named_buffers(), strict=True
        ):
            assert close(found, wanted), name


def with_middle(*middle):
    return lambda: nn.Sequential(
        nn.Linear(3, 4, seed=1), *[make() for make in middle], nn.Linear(4, 3, seed=2)
    )


class Listed(nn.Module):
    """Layers in a plain list, and a parameter of its own."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(3, 3, seed=seed) for seed in range(2))
        self.scale = nn.Parameter(1.5)

    def forward(self, x):
        for layer in self.layers:
            x = nn.Tanh()(layer(x))
        return [[self.scale * y for y in sample] for sample in x]


MODELS = {
    "MLP": lambda: nn.MLP(3, [5, 3], seed=0),
    **{
        f"MLP with {name}": lambda name=name: nn.MLP(3, [4, 3], name, seed=0)
        for name in nn.activations.ACTIVATIONS
    },
    **{
        type(module).__name__ + module.extra_repr(): with_middle(lambda module=module: module)
        for module in (
            nn.ReLU(),
            nn.SELU(),
            nn.Softplus(2.0),
            nn.SiLU(),
            nn.Mish(),
            nn.Softsign(),
            nn.Sigmoid(),
            nn.LogSigmoid(),
            nn.Tanh(),
            nn.LeakyReLU(),
            nn.ELU(0.7),
            nn.GELU(),
            nn.GELU("tanh"),
            nn.Hardtanh(-0.5, 0.5),
            nn.Identity(),
            nn.Softmax(),
            nn.LogSoftmax(),
        )
    },
    "learned slope": with_middle(lambda: nn.LeakyReLU(nn.Parameter(0.2))),
    "LayerNorm": with_middle(lambda: nn.LayerNorm(4)),
    "BatchNorm1d": with_middle(lambda: nn.BatchNorm1d(4)),
    "BatchNorm1d, cumulative": with_middle(lambda: nn.BatchNorm1d(4, momentum=None, affine=False)),
    "BatchNorm1d without averages": with_middle(
        lambda: nn.BatchNorm1d(4, track_running_stats=False)
    ),
    "Dropout": with_middle(lambda: nn.Dropout(0.4, seed=3)),
    "Dropout of everything": with_middle(lambda: nn.Dropout(1.0)),
    "two Dropouts of one generator": lambda: two_dropouts(),
    "WeightNorm": lambda: nn.Sequential(
        nn.WeightNorm(nn.Linear(3, 4, seed=1)), nn.Tanh(), nn.Linear(4, 3, seed=2)
    ),
    "Residual": with_middle(lambda: nn.Residual(nn.Linear(4, 4, seed=5))),
    "ModuleList": Listed,
}


def two_dropouts():
    source = random.Random(4)
    return nn.Sequential(
        nn.Dropout(0.3, seed=source),
        nn.Linear(3, 40, seed=1),
        nn.Dropout(0.5, seed=source),
        nn.Linear(40, 3, seed=2),
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_model_trains_as_it_does_uncompiled(name):
    check_steps(MODELS[name], nn.CrossEntropyLoss(), INPUTS, CLASSES)


def regression():
    return nn.MLP(3, [4, 2], "tanh", seed=0)


def score():
    return nn.MLP(3, [4, 1], "tanh", seed=0)


def squashed():
    return nn.MLP(3, [4, 1], "tanh", "sigmoid", seed=0)


def classifier():
    return nn.MLP(3, [4, 3], "tanh", seed=0)


def logarithms():
    return nn.Sequential(nn.Linear(3, 3, seed=0), nn.LogSoftmax())


LOSSES = {
    "MSE": (nn.MSELoss(), regression, NUMBERS),
    "half MSE": (nn.HalfMSELoss(), regression, NUMBERS),
    "L1": (nn.L1Loss(), regression, NUMBERS),
    "Huber": (nn.HuberLoss(delta=0.5), regression, NUMBERS),
    "MSE of whole numbers": (nn.MSELoss(), score, SIGNS),
    "hinge": (nn.HingeLoss(), score, SIGNS),
    "hinge of floats": (nn.HingeLoss(), score, list(map(float, SIGNS))),
    "logistic": (nn.LogisticLoss(), score, SIGNS),
    "BCE": (nn.BCELoss(), squashed, BITS),
    "BCE of shares": (nn.BCELoss(), squashed, SHARES),
    "BCE with logits": (nn.BCEWithLogitsLoss(), score, BITS),
    "BCE with logits of shares": (nn.BCEWithLogitsLoss(), score, SHARES),
    "BCE with weighted logits": (nn.BCEWithLogitsLoss(pos_weight=3.0), score, BITS),
    "BCE with weights of outputs": (
        nn.BCEWithLogitsLoss(pos_weight=[0.5, 0.0]),
        regression,
        [[a, 1 - a] for a in BITS],
    ),
    "NLL": (nn.NLLLoss(), logarithms, CLASSES),
    "NLL with weights": (nn.NLLLoss([1.0, 0.0, 2.5]), logarithms, CLASSES),
    "cross-entropy with weights": (nn.CrossEntropyLoss([1.0, 0.5, 2.5]), classifier, CLASSES),
    "cross-entropy, a class ignored": (nn.CrossEntropyLoss(ignore_index=1), classifier, CLASSES),
    "cross-entropy, smoothed": (nn.CrossEntropyLoss(label_smoothing=0.2), classifier, CLASSES),
    "cross-entropy, everything": (
        nn.CrossEntropyLoss([1.0, 0.5, 2.5], ignore_index=0, label_smoothing=0.2),
        classifier,
        CLASSES,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_the_same_function_of_outputs_and_targets(name):
    loss, make, targets = LOSSES[name]
    check_steps(make, loss, INPUTS, targets)


def test_a_penalty_is_part_of_the_mean_once():
    model = classifier()
    weights = model.parameters()
    step = autograd_lite.compile(
        lambda x, y: nn.CrossEntropyLoss()([model(x)], [y]) + nn.l2_penalty(weights, 0.1),
        parameters=weights,
    )
    expected = nn.CrossEntropyLoss()(model(INPUTS), CLASSES) + nn.l2_penalty(weights, 0.1)
    assert close(step(np.array(INPUTS), np.array(CLASSES)), expected.data)


def test_labels_of_an_embedding_pick_rows():
    def make():
        return nn.Sequential(nn.Embedding(5, 2, seed=0), nn.Flatten(), nn.Linear(4, 3, seed=1))

    labels = [[DRAW.randrange(5), DRAW.randrange(5)] for _ in range(3 * ROWS)]
    eager, recorded = make(), make()
    step = autograd_lite.compile(
        lambda x, y: nn.CrossEntropyLoss()(recorded([x]), [y]), parameters=recorded.parameters()
    )
    loss = nn.CrossEntropyLoss()(eager(labels), CLASSES)
    loss.backward()
    assert close(step(np.array(labels), np.array(CLASSES)), loss.data)
    assert close([p.grad for p in recorded.parameters()], [p.grad for p in eager.parameters()])
    assert len(step.recordings) == 1


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.HingeLoss(), nn.BCEWithLogitsLoss()])
def test_all_labels_have_one_recording_in_common(loss):
    model = classifier() if isinstance(loss, nn.CrossEntropyLoss) else score()
    targets = {nn.HingeLoss: SIGNS, nn.BCEWithLogitsLoss: BITS}.get(type(loss), CLASSES)
    step = autograd_lite.compile(lambda x, y: loss(model([x]), [y]), parameters=model.parameters())
    for x, y in batches(INPUTS, targets):
        step(np.array(x), np.array(y))
    assert len(step.recordings) == 1


# -- training and evaluation ---------------------------------------------------------------------


def test_evaluation_follows_the_running_averages_of_the_training():
    model = MODELS["BatchNorm1d"]()
    outputs = autograd_lite.compile(lambda x: model([x])[0])
    for x, _ in batches(INPUTS, CLASSES):
        model.train()(x)
        model.eval()
        expected = [[y.data for y in sample] for sample in model(INPUTS)]
        assert close(outputs(np.array(INPUTS)), expected)
    assert len(outputs.recordings) == 1


def test_a_change_of_mode_leads_to_another_recording():
    model = MODELS["Dropout"]()
    outputs = autograd_lite.compile(lambda x: model([x])[0])
    trained = outputs(np.array(INPUTS))
    evaluated = model.eval() and outputs(np.array(INPUTS))
    assert not close(trained, evaluated)
    assert close(evaluated, [[y.data for y in sample] for sample in model(INPUTS)])
    model.train()
    assert not close(outputs(np.array(INPUTS)), trained)  # fresh masks
    assert len(outputs.recordings) == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda model: setattr(model[1], "beta", 3.0), "another setting"),
        (lambda model: setattr(model, "1", nn.ReLU()), "another part"),
        (lambda model: model.append(nn.Sigmoid()), "one more part"),
    ],
)
def test_what_is_changed_after_compiling_counts(change, expected):
    model = nn.Sequential(nn.Linear(3, 2, seed=0), nn.Softplus(), nn.Softplus())
    outputs = autograd_lite.compile(lambda x: model([x])[0])
    before = outputs(np.array(INPUTS))
    change(model)
    after = outputs(np.array(INPUTS))
    assert not close(after, before), expected
    assert close(after, [[y.data for y in sample] for sample in model(INPUTS)])


def test_dropout_draws_the_masks_that_it_draws_uncompiled():
    for size in (2, 40):  # drawn one by one, and in an array
        eager, recorded = nn.Dropout(0.5, seed=0), nn.Dropout(0.5, seed=0)
        ones = [[1.0] * size] * ROWS
        program = autograd_lite.compile(lambda x, layer=recorded: layer([x])[0])
        for _ in range(2):
            assert np.array_equal(program(np.array(ones)), eager(ones))
        assert recorded.generator.getstate() == eager.generator.getstate()


def test_dropout_draws_from_a_generator_of_another_kind():
    class Counting(random.Random):
        def random(self):
            self.count = getattr(self, "count", 0) + 1
            return self.count % 2 * 0.9

    layer = nn.Dropout(0.5, seed=Counting())
    program = autograd_lite.compile(lambda x: layer([x])[0])
    found = program(np.ones((ROWS, 40)))
    assert np.array_equal(found, np.tile([2.0, 0.0], (ROWS, 20)))


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "model", "targets", "message"),
    [
        (nn.CrossEntropyLoss(), classifier, CLASSES, "expected labels from 0 to 2"),
        (nn.NLLLoss(), logarithms, CLASSES, "expected labels from 0 to 2"),
        (nn.HingeLoss(), score, SIGNS, "expected labels -1 or 1"),
        (nn.LogisticLoss(), score, SIGNS, "expected labels -1 or 1"),
        (nn.BCEWithLogitsLoss(), score, BITS, "expected labels from 0 to 1"),
        (nn.BCELoss(), squashed, BITS, "expected labels from 0 to 1"),
    ],
)
def test_a_wrong_label_is_refused_whenever_it_comes(loss, model, targets, message):
    model = model()
    step = autograd_lite.compile(lambda x, y: loss(model([x]), [y]), parameters=model.parameters())
    inputs, labels = np.array(INPUTS), np.array(targets)
    step(inputs, labels)
    before = [p.grad for p in model.parameters()]
    labels[4] = 5
    with pytest.raises(ValueError, match=message) as caught:
        step(inputs, labels)
    assert "row 4" in caught.value.__notes__[0]
    assert [p.grad for p in model.parameters()] == before


def test_a_wrong_label_of_an_embedding_is_refused():
    embedding = nn.Embedding(3, 2, seed=0)
    program = autograd_lite.compile(lambda x: embedding(x))
    program(np.array([0, 2]))
    with pytest.raises(IndexError, match="expected labels from 0 to 2, got 3"):
        program(np.array([0, 3]))
    with pytest.raises(TypeError, match="expected whole numbers as labels"):
        program(np.array([0.0, 1.0]))


def test_labels_that_are_no_whole_numbers_are_refused():
    model = classifier()
    step = autograd_lite.compile(
        lambda x, y: nn.CrossEntropyLoss()([model(x)], [y]), parameters=model.parameters()
    )
    with pytest.raises(TypeError, match="expected whole numbers as labels"):
        step(np.array(INPUTS), np.array(CLASSES, float))


def test_samples_to_be_left_out_of_the_mean_are_refused():
    model = classifier()
    step = autograd_lite.compile(
        lambda x, y: nn.CrossEntropyLoss()([model(x)], [y]), parameters=model.parameters()
    )
    labels = np.array(CLASSES)
    labels[2] = -100
    with pytest.raises(ValueError, match="ignore_index from 0 to 2"):
        step(np.array(INPUTS), labels)


def test_a_batch_of_ignored_samples_is_refused():
    model = classifier()
    step = autograd_lite.compile(
        lambda x, y: nn.CrossEntropyLoss(ignore_index=1)([model(x)], [y]),
        parameters=model.parameters(),
    )
    step(np.array(INPUTS[:2]), np.array([0, 1]))
    with pytest.raises(ValueError, match="labels that all are to be ignored"):
        step(np.array(INPUTS[:2]), np.array([1, 1]))


def test_a_batch_of_one_is_refused_where_the_model_normalises_over_batches():
    model = MODELS["BatchNorm1d"]()
    step = autograd_lite.compile(
        lambda x, y: nn.CrossEntropyLoss()(model([x]), [y]), parameters=model.parameters()
    )
    step(np.array(INPUTS[:2]), np.array(CLASSES[:2]))
    buffers = list(model.buffers())
    with pytest.raises(ValueError, match="expected a batch of at least 2 samples in training"):
        step(np.array(INPUTS[:1]), np.array(CLASSES[:1]))
    assert list(model.buffers()) == buffers


def test_evaluation_before_training_is_refused_at_every_call():
    norm = nn.BatchNorm1d(3).eval()
    program = autograd_lite.compile(lambda x: norm([x])[0])
    with pytest.raises(RuntimeError, match="has seen no training batch yet"):
        program(np.array(INPUTS))
    norm.train()(INPUTS)
    norm.eval()
    program(np.array(INPUTS))
    norm.reset_running_stats()
    with pytest.raises(RuntimeError, match="has seen no training batch yet"):
        program(np.array(INPUTS))


def test_what_is_no_probability_gives_nan():
    for p in (-0.5, 1.5, float("nan")):
        program = autograd_lite.compile(lambda p, y: nn.BCELoss()(p, y) + Value(0.0))
        assert np.isnan(program(np.array([p]), np.array([1]))).all()


def test_modules_tell_recordings_nothing_while_there_are_none():
    assert not lanes.tracing()
    assert MODELS["Dropout"]().eval()(INPUTS)[0][0].requires_grad
