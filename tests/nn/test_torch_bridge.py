"""to_torch and from_torch: the same outputs, losses and gradients, and the same model back."""

import copy
import inspect
import io
import pickle
import random
import warnings

import pytest

import nn
from autograd_lite import Value, dot
from nn.activations import ACTIVATIONS
from nn.nested import elementwise, flat
from nn.state import ParameterArray, arrays
from nn.torch_bridge import CONTAINERS, SETTINGS

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


def drawn(*shape, seed=0):
    """Draw numbers with mean 0.3 and spread 2, nested in a shape."""
    rng = random.Random(seed)

    def some(sizes):
        return [some(sizes[1:]) for _ in range(sizes[0])] if sizes else rng.gauss(0.3, 2.0)

    return some(shape)


def started(model):
    """Set parameters to numbers other than the 0 and 1 that many start with."""
    for i, parameter in enumerate(model.parameters()):
        parameter.data += 0.1 * (i % 7 - 2.5)
    return model


def averaged(norm, shape=(5, 3)):
    """Let a batch norm see two batches."""
    for seed in (1, 2):
        norm(drawn(*shape, seed=seed))
    return norm


def shared():
    """Build a network with a layer in two places, and a matrix in two layers."""
    first = nn.Linear(3, 3, seed=0)
    last = nn.Linear(3, 3, seed=1)
    last.weight = first.weight
    return nn.Sequential(first, nn.Tanh(), first, nn.Sigmoid(), last)


def frozen():
    """Build a network with a constant first layer."""
    model = nn.Sequential(nn.Linear(3, 2, seed=0), nn.Mish(), nn.Linear(2, 2, seed=1))
    for parameter in model[0].parameters():
        parameter.requires_grad = False
    return model


ACROSS_ALL = [[-30.0, -3.0, -0.5], [0.5, 3.0, 21.0], [-1.5, 0.9, 30.0]]
MODELS = {
    "Linear": (lambda: nn.Linear(3, 2, seed=0), drawn(4, 3)),
    "Linear, one sample": (lambda: nn.Linear(3, 2, bias=False, seed=0), drawn(3)),
    "Neuron": (lambda: nn.Neuron(3, "tanh", seed=0), drawn(4, 3)),
    "Neuron, one sample": (lambda: nn.Neuron(3, nn.ELU(0.5), bias=False, seed=0), drawn(3)),
    "Layer, module": (lambda: nn.Layer(3, 2, nn.LeakyReLU(nn.Parameter(0.2))), drawn(4, 3)),
    "Layer, linear": (lambda: nn.Layer(3, 2, None, bias=False, seed=0), drawn(4, 3)),
    "MLP": (lambda: nn.MLP(3, [4, 4, 2], ["relu", "gelu"], "sigmoid", seed=0), drawn(4, 3)),
    "MLP, one output": (lambda: nn.MLP(3, [4, 1], "tanh", seed=0), drawn(4, 3)),
    "MLP, one output and sample": (lambda: nn.MLP(3, [1], seed=0), drawn(3)),
    "MLP of one input": (lambda: nn.MLP(1, [2, 1], nn.SiLU(), bias=False, seed=0), drawn(4, 1)),
    "Sequential": (
        lambda: nn.Sequential(nn.Linear(3, 4, seed=0), nn.Tanh(), nn.Sequential(nn.Softmax())),
        drawn(4, 3),
    ),
    "empty Sequential": (nn.Sequential, drawn(2, 3)),
    "Residual": (lambda: nn.Residual(nn.Layer(3, 3, "silu", seed=0)), drawn(4, 3)),
    "Residual, shortcut": (
        lambda: nn.Residual(nn.Linear(3, 2, seed=0), shortcut=nn.Linear(3, 2, bias=False, seed=1)),
        drawn(4, 3),
    ),
    "WeightNorm": (lambda: nn.WeightNorm(nn.Linear(3, 2, seed=0)), drawn(4, 3)),
    "WeightNorm, no bias": (lambda: nn.WeightNorm(nn.Linear(3, 2, False, seed=0)), drawn(4, 3)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(3), drawn(5, 3)),
    "BatchNorm1d, settings": (lambda: nn.BatchNorm1d(3, 0.1, 0.3, bias=False), drawn(5, 3)),
    "BatchNorm1d, all the same weight": (
        lambda: averaged(nn.BatchNorm1d(3, momentum=None, affine=False)),
        drawn(5, 3),
    ),
    "BatchNorm1d, no averages": (
        lambda: nn.BatchNorm1d(3, track_running_stats=False),
        drawn(5, 3),
    ),
    "BatchNorm1d, evaluated": (lambda: averaged(nn.BatchNorm1d(3)).eval(), drawn(5, 3)),
    "LayerNorm": (lambda: nn.LayerNorm(3), drawn(4, 3)),
    "LayerNorm, settings": (lambda: nn.LayerNorm([2, 3], 0.1, bias=False), drawn(4, 2, 3)),
    "LayerNorm, plain": (lambda: nn.LayerNorm(3, elementwise_affine=False), drawn(3)),
    "Embedding": (
        lambda: nn.Sequential(nn.Embedding(5, 2, seed=0), nn.Flatten(), nn.Linear(4, 2, seed=0)),
        [[0, 4], [4, 4], [1, 2]],
    ),
    "Flatten": (lambda: nn.Flatten(0, -2), drawn(2, 3, 2)),
    "Dropout, evaluated": (lambda: nn.Dropout(0.3).eval(), drawn(4, 3)),
    "Dropout of nothing": (lambda: nn.Dropout(0.0), drawn(4, 3)),
    "Dropout of everything": (lambda: nn.Dropout(1.0), drawn(4, 3)),
    "Softmax": (lambda: nn.Softmax(0), drawn(4, 3)),
    "LogSoftmax": (lambda: nn.LogSoftmax(), drawn(2, 3, 2)),
    "LeakyReLU": (lambda: nn.LeakyReLU(0.3), drawn(4, 3)),
    "LeakyReLU, learned": (lambda: nn.LeakyReLU(nn.Parameter(0.3)), drawn(4, 3)),
    "ELU": (lambda: nn.ELU(0.7), drawn(4, 3)),
    "ELU, learned": (lambda: nn.ELU(nn.Parameter(0.7)), [[-800.0, -1.0], [2.0, 800.0]]),
    "GELU, tanh": (lambda: nn.GELU("tanh"), drawn(4, 3)),
    "Hardtanh": (lambda: nn.Hardtanh(-0.5, 2), drawn(4, 3)),
    "shared": (shared, drawn(4, 3)),
    "frozen": (frozen, drawn(4, 3)),
    **{
        kind.__name__: (kind, ACROSS_ALL)
        for kind in SETTINGS
        if issubclass(kind, nn.Activation) and kind.__name__ not in ("ELU", "LeakyReLU", "Hardtanh")
    },
    **{
        f"Layer, {name}": (lambda name=name: nn.Layer(3, 2, name, seed=0), drawn(4, 3))
        for name in ACTIVATIONS
    },
}
"""Models and what they are called with."""

SCORES, SIGNS = drawn(4, 3), [[1, -1, 1], [-1, 1, 1], [1, 1, 1], [-1, -1, 1]]
SHARES = [[0.1, 0.8, 0.5], [0.9, 0.3, 0.4], [0.2, 0.7, 0.6], [0.5, 0.5, 0.99]]
BITS, CLASSES = [[1, 0, 1], [0, 1, 1], [0.25, 0, 0], [1, 1, 0]], [2, 0, 1, 2]
WEIGHTS = {"weight": [0.5, 0.0, 3.0], "ignore_index": 1}
LOSSES = {
    "MSELoss": ({}, SCORES, BITS),
    "HalfMSELoss": ({}, SCORES, BITS),
    "L1Loss": ({}, SCORES, BITS),
    "HuberLoss": ({"delta": 0.6}, SCORES, BITS),
    "HingeLoss": ({}, SCORES, SIGNS),
    "LogisticLoss": ({}, [[800.0, -800.0, 21.0], *SCORES[1:]], SIGNS),
    "BCELoss": ({}, SHARES, BITS),
    "BCEWithLogitsLoss": ({}, SCORES, BITS),
    "BCEWithLogitsLoss, one weight": ({"pos_weight": 3.0}, SCORES, BITS),
    "BCEWithLogitsLoss, weights": ({"pos_weight": [0.5, 2.0, 3.0]}, SCORES, BITS),
    "NLLLoss": ({}, SCORES, CLASSES),
    "NLLLoss, weights": (WEIGHTS, SCORES, CLASSES),
    "CrossEntropyLoss": ({}, SCORES, CLASSES),
    "CrossEntropyLoss, settings": ({**WEIGHTS, "label_smoothing": 0.1}, SCORES, CLASSES),
    "CrossEntropyLoss, one sample": ({"label_smoothing": 0.2}, SCORES[0], 2),
}
"""Settings, predictions and targets."""


def tensor(given):
    if all(isinstance(x, int) for x in flat(given)):
        return torch.tensor(given)
    return torch.tensor(elementwise(float, given), dtype=torch.float64)


def assert_close(ours, theirs, what):
    """Compare numbers with a tensor to 1e-12 of the largest."""
    ours = [float(x) for x in flat(ours)]
    theirs = theirs.detach().reshape(-1).tolist()
    assert len(ours) == len(theirs), what
    bound = 1e-12 * max(map(abs, theirs), default=0.0)
    assert max(map(abs, map(float.__sub__, ours, theirs)), default=0.0) <= bound, what


def shape_of(given):
    return (len(given), *shape_of(given[0])) if isinstance(given, list) else ()


def compared(model, twin, x):
    """Compare outputs, the gradients of Σ c y², and what the state is after."""
    labels = all(isinstance(number, int) for number in flat(x))
    mine = x if labels else elementwise(Value, x)
    theirs = tensor(x) if labels else tensor(x).requires_grad_()
    y, z = model(mine), twin(theirs)
    assert shape_of(y) == tuple(z.shape)
    assert z.dtype == torch.float64
    assert_close(y, z, "outputs")
    factors = drawn(z.numel(), seed=1)
    outputs = [y * 1.0 for y in flat(y)]
    dot(factors, [output * output for output in outputs]).backward()
    (torch.tensor(factors, dtype=torch.float64) * z.reshape(-1) ** 2).sum().backward()
    if not labels:
        assert_close([value.grad for value in flat(mine)], theirs.grad, "gradient of the input")
    parameters = dict(twin.named_parameters(remove_duplicate=False))
    for name, array in arrays(model).items():
        if isinstance(array, ParameterArray):
            grad = parameters.pop(name).grad
            gradients = [parameter.grad for parameter in flat(array.values)]
            assert_close(gradients, torch.zeros(len(gradients)) if grad is None else grad, name)
    assert not parameters
    after = twin.state_dict()
    for name, numbers in model.state_dict().items():
        assert_close(numbers, after[name], name)


def bits(state):
    """Return a state as text, which tells -0.0 from 0.0."""
    return repr(sorted(state.items()))


def modes(model):
    return [(name, type(module), module.training) for name, module in model.named_modules()]


# -- the same numbers ----------------------------------------------------------------------------


def test_every_module_of_nn_has_a_twin_and_is_compared_here():
    abstract = {nn.Module, nn.Activation, nn.Loss}
    public = {
        thing
        for thing in map(nn.__dict__.get, nn.__all__)
        if inspect.isclass(thing) and issubclass(thing, nn.Module)
    }
    assert public - abstract == {*SETTINGS, *CONTAINERS}
    models = [make() for make, _ in MODELS.values()]
    kinds = {type(module) for model in models for module in model.modules()}
    uncalled = {nn.ModuleList}  # has a test of its own below
    compared_here = kinds | {getattr(nn, name.split(",")[0]) for name in LOSSES}
    assert compared_here | uncalled == public - abstract


def test_softplus_keeps_its_beta_both_ways():
    model = nn.Softplus(beta=2.0)
    twin = nn.to_torch(model)
    for x in (-3.0, 0.5, 30.0):
        assert twin(tensor(x)).item() == pytest.approx(model(x), rel=1e-14, abs=0.0)
    assert repr(nn.from_torch(twin)) == "Softplus(beta=2.0)"


def test_a_list_of_modules_has_a_list_as_its_twin():
    model = nn.ModuleList([nn.Linear(2, 1, seed=0), nn.Tanh()])
    twin = nn.to_torch(model)
    assert type(twin) is torch.nn.ModuleList
    assert twin[0].weight.tolist() == model.state_dict()["0.weight"]
    assert repr(nn.from_torch(twin)) == repr(model)


def test_names_in_a_sequential_are_kept_both_ways():
    relu = nn.ReLU()
    model = nn.Sequential({"fc": nn.Linear(2, 2, seed=0), "a": relu, "b": relu})
    twin = nn.to_torch(model)
    assert [*twin._modules] == ["fc", "a", "b"]
    assert [*twin.state_dict()] == ["fc.weight", "fc.bias"]
    back = nn.from_torch(twin)
    assert back.a is back.b
    assert bits(back.state_dict()) == bits(model.state_dict())


@pytest.mark.parametrize("name", MODELS)
def test_outputs_and_gradients_are_the_same(name):
    make, x = MODELS[name]
    model = started(make())
    compared(model, nn.to_torch(model), x)


@pytest.mark.parametrize("name", MODELS)
def test_the_way_back_gives_the_same_model_and_bits(name):
    make, x = MODELS[name]
    model = started(make())
    back = nn.from_torch(nn.to_torch(model))
    assert repr(back) == repr(model)
    assert bits(back.state_dict()) == bits(model.state_dict())
    assert modes(back) == modes(model)
    assert [p.requires_grad for p in back.parameters()] == [
        p.requires_grad for p in model.parameters()
    ]
    if name != "Dropout of everything":  # which is the same, but draws
        assert [float(y) for y in flat(back(x))] == [float(y) for y in flat(model(x))]


@pytest.mark.parametrize("name", MODELS)
def test_states_have_the_same_names_and_go_both_ways(name):
    make, _ = MODELS[name]
    model, twin = started(make()), nn.to_torch(make())
    state = {key: torch.tensor(numbers) for key, numbers in model.state_dict().items()}
    assert twin.load_state_dict(state) == ([], [])
    doubles = {k: torch.tensor(v, dtype=torch.float64) for k, v in model.state_dict().items()}
    assert twin.load_state_dict(doubles) == ([], [])
    fresh = make()
    assert fresh.load_state_dict(twin.state_dict()) == ([], [])
    assert bits(fresh.state_dict()) == bits(model.state_dict())


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_the_same_there_and_come_back(name, reduction):
    settings, prediction, target = LOSSES[name]
    loss = getattr(nn, name.split(",")[0])(**settings, reduction=reduction)
    twin = nn.to_torch(loss)
    back = nn.from_torch(twin)
    assert (repr(back), vars(back)) == (repr(loss), vars(loss))
    mine, theirs = elementwise(Value, prediction), tensor(prediction).requires_grad_()
    y, z = loss(mine, target), twin(theirs, tensor(target))
    assert_close(y, z, "losses")
    factors = drawn(z.numel(), seed=1)
    dot(factors, list(flat(y))).backward()
    (torch.tensor(factors, dtype=torch.float64) * z.reshape(-1)).sum().backward()
    assert_close([value.grad for value in flat(mine)], theirs.grad, "gradient")


def test_the_comparison_notices_the_last_digits():
    twin = nn.to_torch(started(nn.MLP(3, [2, 1], "tanh", seed=0)))
    model = nn.from_torch(twin)
    model.layers[1].neurons[0].w[0].data += 1e-11
    with pytest.raises(AssertionError, match="outputs"):
        compared(model, twin, drawn(4, 3))


def test_ten_steps_of_training_with_momentum_are_the_same_and_the_weights_come_back():
    first = nn.Linear(2, 4, bias=False, seed=0)
    model = nn.Sequential(first, nn.BatchNorm1d(4), nn.MLP(4, [3, 1], seed=1))
    twin = nn.to_torch(model)
    points, labels = nn.data.moons(20, noise=0.1, labels=(-1, 1), seed=0)
    mine = nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    theirs = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9)
    loss = nn.LogisticLoss()
    there = nn.to_torch(loss)
    for _ in range(10):
        mine.zero_grad()
        loss(model(points), labels).backward()
        mine.step()
        theirs.zero_grad()
        there(twin(tensor(points)), tensor(labels)).backward()
        theirs.step()
    trained = nn.from_torch(twin)
    for name, numbers in trained.state_dict().items():
        assert_close(model.state_dict()[name], tensor(numbers), name)
    model.load_state_dict(twin.state_dict())
    assert bits(model.state_dict()) == bits(trained.state_dict())


def test_dropout_drops_as_often_there():
    torch.manual_seed(0)
    y = nn.to_torch(nn.Dropout(0.3))(torch.ones(20_000, dtype=torch.float64))
    assert set(y.tolist()) == {0.0, 1.0 / 0.7}
    assert (y == 0.0).double().mean().item() == pytest.approx(0.3, abs=0.01)


# -- what is kept --------------------------------------------------------------------------------


def test_each_module_keeps_its_own_mode():
    model = nn.Sequential(nn.Dropout(), nn.Residual(nn.MLP(2, [2], nn.Tanh(), nn.ReLU())))
    model[0].eval()
    model[1].module.layers[0].activation.eval()
    twin = nn.to_torch(model)
    layer = twin[1].module.layers[0]
    assert [m.training for m in (twin, twin[0], layer, layer.activation)] == [True, False] * 2
    assert modes(nn.from_torch(twin)) == modes(model)


def test_what_is_shared_or_frozen_stays_so_in_both_directions():
    twin = nn.to_torch(shared())
    assert twin[0] is twin[2]
    assert twin[4].weight is twin[0].weight
    assert len(list(twin.parameters())) == 3
    back = nn.from_torch(twin)
    assert back[0] is back[2]
    assert back[4].weight[1][2] is back[0].weight[1][2]
    assert len(back.parameters()) == 9 + 3 + 3
    assert [p.requires_grad for p in nn.to_torch(frozen()).parameters()] == [False] * 2 + [True] * 2


def test_the_numbers_are_copies_in_both_directions():
    model = nn.Linear(1, 1, seed=0)
    before = model.weight[0][0].data
    twin = nn.to_torch(model)
    with torch.no_grad():
        twin.weight += 1.0
    assert model.weight[0][0].data == before
    back = nn.from_torch(twin)
    back.weight[0][0].data = 0.0
    assert twin.weight.item() == before + 1.0


def test_no_random_numbers_are_used_up():
    model = nn.MLP(3, [2, 1], seed=0)
    states = random.getstate(), torch.get_rng_state()
    nn.from_torch(nn.to_torch(nn.Sequential(model, nn.Embedding(2, 2, seed=0))))
    assert random.getstate() == states[0]
    assert torch.equal(torch.get_rng_state(), states[1])


def test_the_twin_is_float64_whatever_pytorchs_default_is():
    torch.set_default_dtype(torch.float16)
    try:
        model = nn.MLP(3, [2, 1], "tanh", seed=0)
        twin = nn.to_torch(model)
    finally:
        torch.set_default_dtype(torch.float32)
    compared(model, twin, drawn(4, 3))


@pytest.mark.parametrize("name", ["MLP", "Residual", "WeightNorm", "ELU, learned", "Neuron"])
def test_twins_can_be_pickled_copied_and_saved_whole(name):
    make, x = MODELS[name]
    twin = nn.to_torch(make())
    file = io.BytesIO()
    torch.save(twin, file)
    file.seek(0)
    saved = torch.load(file, weights_only=False)
    for other in (pickle.loads(pickle.dumps(twin)), copy.deepcopy(twin), saved):
        assert torch.equal(other(tensor(x)), twin(tensor(x)))


def test_twins_describe_themselves():
    twin = nn.to_torch(nn.MLP(3, [2, 1], nn.Tanh(), "sigmoid"))
    assert repr(twin) == (
        "MLP(\n  (layers): ModuleList(\n"
        "    (0): Layer(\n      in_features=3, out_features=2, bias=True\n"
        "      (activation): Tanh()\n    )\n"
        "    (1): Layer(in_features=2, out_features=1, bias=True, activation='sigmoid')\n  )\n)"
    )


def test_weight_normalisation_has_the_right_second_derivatives():
    twin = nn.to_torch(nn.WeightNorm(nn.Linear(3, 2, seed=0)))
    x = tensor(drawn(2, 3)).requires_grad_()

    def outputs(x, g, v):
        return torch.func.functional_call(twin, {"weight_g": g, "weight_v": v}, (x,))

    assert torch.autograd.gradgradcheck(outputs, (x, twin.weight_g, twin.weight_v))


# -- from what others have built -----------------------------------------------------------------


def test_modules_in_single_precision_become_exactly_those_numbers():
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(inplace=True)
    )
    module(torch.randn(5, 3))
    model = nn.from_torch(module.eval())
    for name, numbers in model.state_dict().items():
        assert torch.equal(tensor(numbers).double(), module.state_dict()[name].double())
    assert model.training is False
    compared(model, module.double(), drawn(4, 3))
    half = torch.nn.Linear(1, 1, dtype=torch.bfloat16)
    assert nn.from_torch(half).weight[0][0].data == half.weight.item()


def linear():
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2, dtype=torch.float64)


def old_weight_norm():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return torch.nn.utils.weight_norm(linear())


@pytest.mark.parametrize(
    "make", [old_weight_norm, lambda: torch.nn.utils.parametrizations.weight_norm(linear())]
)
def test_both_weight_norms_of_pytorch_are_known(make):
    module = make()
    x = tensor(drawn(4, 3))
    model = nn.from_torch(torch.nn.Sequential(module))
    assert repr(model[0]).startswith("WeightNorm(in_features=3, out_features=2, bias=True)")
    assert_close(model(drawn(4, 3)), module(x), "outputs")
    (module(x) ** 2).sum().backward()
    y = list(flat(model(drawn(4, 3))))
    dot(y, y).backward()
    names = ["weight_g", "weight_v"]
    if not hasattr(module, "weight_g"):
        names = ["parametrizations.weight.original0", "parametrizations.weight.original1"]
    for name, parameters in zip(names, (model[0].weight_g, model[0].weight_v), strict=True):
        grad = module.get_parameter(name).grad
        assert_close([p.grad for p in flat(parameters)], grad, name)
    with torch.no_grad():
        expected = module(x)
        for parameter in module.parameters():
            parameter.mul_(0.5)
    module.load_state_dict({k: tensor(v) for k, v in model[0].state_dict().items()})
    assert torch.equal(module(x), expected)


def test_a_prelu_is_a_leaky_relu_that_learns():
    model = nn.from_torch(torch.nn.PReLU(init=0.125).double())
    assert model([-8.0, 8.0])[0].data == -1.0
    assert isinstance(model.negative_slope, nn.Parameter)


def test_the_soft_margin_loss_is_the_logistic_loss():
    module = torch.nn.SoftMarginLoss(reduction="sum")
    loss = nn.from_torch(module)
    assert repr(loss) == "LogisticLoss(reduction='sum')"
    assert_close(loss(SCORES, SIGNS), module(tensor(SCORES), tensor(SIGNS)), "loss")


def test_pytorchs_softplus_differs_by_less_than_the_documentation_says():
    x = 20.0 + 1e-9
    difference = nn.from_torch(torch.nn.Softplus())(x) - torch.nn.Softplus()(tensor(x)).item()
    assert 2.0e-9 < difference < 2.1e-9


def test_parameters_shared_within_a_module_are_shared_in_the_model():
    module = torch.nn.LayerNorm(2)
    module.bias = module.weight
    model = nn.from_torch(module)
    assert model.bias[1] is model.weight[1]
    assert model([1.0, 3.0])[1].data == pytest.approx(module(torch.tensor([1.0, 3.0]))[1].item())


def test_wrapped_for_several_devices_it_is_the_module():
    assert repr(nn.from_torch(torch.nn.DataParallel(linear()))) == repr(nn.from_torch(linear()))


# -- what cannot be ------------------------------------------------------------------------------


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 1, seed=0)

    def forward(self, x):
        return self.fc(x)


def with_an_extra_parameter():
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    model.scale = nn.Parameter(1.0)
    return model


def partly_shared():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight[0] = model[0].weight[0]
    return model


def partly_frozen():
    model = nn.Linear(2, 2)
    model.bias[0].requires_grad = False
    return model


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (Net, TypeError, r"^to_torch knows the modules of nn, not the class Net: write Net as a"),
        (lambda: nn.Sequential(nn.ReLU(), Net()), TypeError, "the class Net at '1': write"),
        (lambda: nn.Residual(nn.Sequential(Net())), TypeError, "the class Net at 'module.0'"),
        (
            lambda: nn.Sequential(abs),
            TypeError,
            "expected modules, got builtin_function_or_method at '0'",
        ),
        (
            lambda: nn.MLP(1, [2, 1], abs),
            TypeError,
            r"name of an activation or a module at 'layers.0', got <built-in function abs>; write",
        ),
        (lambda: nn.LeakyReLU(Value(0.1)), TypeError, "LeakyReLU's negative_slope to be a number"),
        (lambda: nn.Linear, TypeError, r"got the class Linear; write nn.Linear\(\)"),
        (lambda: [1.0], TypeError, r"^to_torch expected a model, got list: \[1.0\]"),
        (linear, TypeError, "^to_torch expected a model, got Linear"),
        (with_an_extra_parameter, ValueError, "got Sequential with others called scale$"),
        (partly_shared, ValueError, "shared whole, got 1.weight with single ones"),
        (partly_frozen, ValueError, "got bias with requires_grad False for some"),
    ],
)
def test_what_has_no_twin_is_refused_with_what_to_do(make, error, message):
    with pytest.raises(error, match=message):
        nn.to_torch(make())


def test_what_the_message_for_own_classes_says_works():
    model = Net()
    with pytest.raises(TypeError) as caught:
        nn.to_torch(model)

    class Twin(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(2, 1)

    twin = Twin()
    _, _, advice = str(caught.value).partition("numbers by ")
    exec(advice, {"twin": twin, "model": model, "torch": torch})
    assert torch.equal(twin.fc.weight, tensor(model.state_dict()["fc.weight"]))


def with_a_parameter(module):
    module.scale = torch.nn.Parameter(torch.ones(()))
    return module


def pruned():
    from torch.nn.utils import prune

    return prune.l1_unstructured(linear(), "weight", 2)


def with_two_parametrizations():
    module = torch.nn.utils.parametrizations.weight_norm(linear())
    torch.nn.utils.parametrize.register_parametrization(module, "bias", torch.nn.Tanh())
    return module


def with_a_matrix_of_another():
    twin = nn.to_torch(nn.Sequential(nn.Linear(2, 2), nn.Layer(2, 2)))
    twin[1].weight = twin[0].weight
    return twin


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1)),
            TypeError,
            r"modules that nn has too at '0', got Conv2d; these are BCELoss, .*Linear",
        ),
        (lambda: torch.nn.PReLU(3), TypeError, "got PReLU"),
        (lambda: torch.nn.Linear, TypeError, "got the class Linear$"),
        (lambda: nn.ReLU(), TypeError, "got ReLU, which is a model of nn already"),
        (lambda: torch.ones(1), TypeError, "expected a module of PyTorch, got Tensor"),
        (
            lambda: torch.nn.Embedding(3, 2, padding_idx=0),
            ValueError,
            "expected Embedding with padding_idx=None, got 0, which nn does not have",
        ),
        (lambda: torch.nn.Softplus(threshold=5), ValueError, "at least 20, got 5"),
        (lambda: torch.nn.Softmax(), ValueError, "expected Softmax with a dim, got None"),
        (lambda: torch.nn.BCELoss(torch.ones(2)), ValueError, "BCELoss with weight=None"),
        (
            lambda: torch.nn.Sequential(with_a_parameter(linear())),
            ValueError,
            "expected Linear at '0' with the parameters it is made with, got it with scale",
        ),
        (
            lambda: torch.nn.utils.parametrizations.spectral_norm(linear()),
            TypeError,
            "got ParametrizedLinear",
        ),
        (pruned, ValueError, "expected Linear with the parameters .*, got it with weight_orig"),
        (with_two_parametrizations, TypeError, "got ParametrizedLinear"),
        (with_a_matrix_of_another, ValueError, "cannot share weight of Layer at '1'"),
    ],
)
def test_what_nn_has_not_is_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        nn.from_torch(make())
