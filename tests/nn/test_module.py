"""Modules find what is in them, name it, and record under those names."""

import copy
import pickle
import re

import numpy as np
import pytest

import nn
from autograd_lite import Value, scope


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 2)
        self.gain = nn.Parameter(3.0)
        self.fc2 = nn.Linear(2, 1)

    def forward(self, x):
        return [self.gain * y for y in self.fc2(self.fc1(x))]


class Forgetful(nn.Module):
    def __init__(self):
        self.layers = [nn.Linear(1, 1, bias=False)]
        self.layers.append(nn.Linear(1, 1, bias=False))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


# -- parameters ----------------------------------------------------------------------------------


def test_a_parameter_is_a_value_without_anything_added():
    p = nn.Parameter(2.0)
    assert isinstance(p, Value)
    assert repr(p) == "Parameter(data=2.0, grad=0.0)"
    with pytest.raises(AttributeError):
        p.momentum = 0.0
    assert type(p * p) is Value


def test_parameters_come_in_the_order_of_definition():
    assert [name for name, _ in Net().named_parameters()] == [
        "fc1.weight[0][0]",
        "fc1.weight[0][1]",
        "fc1.weight[1][0]",
        "fc1.weight[1][1]",
        "fc1.bias[0]",
        "fc1.bias[1]",
        "gain",
        "fc2.weight[0][0]",
        "fc2.weight[0][1]",
        "fc2.bias[0]",
    ]


def test_names_of_an_mlps_parameters():
    names = [name for name, _ in nn.MLP(3, [4, 1]).named_parameters()]
    assert len(names) == 4 * 4 + 5
    assert names[:5] == [
        "layers.0.neurons.0.w[0]",
        "layers.0.neurons.0.w[1]",
        "layers.0.neurons.0.w[2]",
        "layers.0.neurons.0.b",
        "layers.0.neurons.1.w[0]",
    ]
    assert names[-1] == "layers.1.neurons.0.b"


def test_parameters_is_a_list_of_what_named_parameters_names():
    net = Net()
    parameters = net.parameters()
    assert type(parameters) is list
    assert parameters == [parameter for _, parameter in net.named_parameters()]


def test_object_arrays_are_searched_in_their_order():
    class Net(nn.Module):
        def __init__(self):
            self.w = np.array([[nn.Parameter(1.0), nn.Parameter(2.0)], [None, "x"]])
            self.mean = np.zeros(3)  # numbers are none
            self.scale = np.array(nn.Parameter(3.0), dtype=object)
            self.nothing = np.array(None, dtype=object)
            self.blocks = [np.array([nn.ReLU(), nn.Linear(1, 1, bias=False)], dtype=object)]

    net = Net()
    assert [name for name, _ in net.named_parameters()] == [
        "w[0][0]",
        "w[0][1]",
        "scale",
        "blocks.0.1.weight[0][0]",
    ]
    assert [p.data for p in net.parameters()][:3] == [1.0, 2.0, 3.0]
    net.zero_grad()
    net.eval()
    assert not net.blocks[0][1].training


@pytest.mark.parametrize("kind", [set, frozenset])
def test_parameters_in_a_set_are_refused_since_they_have_no_order(kind):
    net = nn.Sequential(nn.ReLU())
    net[0].names = kind(["a", "b"])
    assert net.parameters() == []  # a set of anything else is nobody's business
    net[0].names = kind([nn.Parameter(1.0)])
    with pytest.raises(TypeError) as refusal:
        net.parameters()
    assert str(refusal.value) == (
        "Sequential expected parameters and modules in lists, tuples, dicts or arrays, got a set"
        " in '0.names', which has no order"
    )


def test_lists_tuples_and_dicts_of_any_nesting_are_searched():
    net = nn.Module()
    net.heads = {"left": nn.Neuron(1), "right": (nn.Neuron(1), [nn.Neuron(1, bias=False)])}
    net.table = {"a": [nn.Parameter(0.0)], 1: nn.Parameter(0.0)}
    net.other = {"text": "left alone", "number": 1.0, "constant": Value(1.0)}
    assert [name for name, _ in net.named_modules()] == [
        "",
        "heads.left",
        "heads.right.0",
        "heads.right.1.0",
    ]
    assert [name for name, _ in net.named_parameters()][-3:] == [
        "heads.right.1.0.w[0]",
        "table[a][0]",
        "table[1]",
    ]


def test_shared_parameters_and_modules_count_once():
    net = Net()
    net.again = net.fc1
    net.fc2.weight[0][0] = net.gain
    assert len(net.parameters()) == 9
    assert [name for name, _ in net.named_modules()] == ["", "fc1", "fc2"]


def test_a_module_that_refers_to_its_parent_is_no_endless_loop():
    net = Net()
    net.fc1.parent = net
    assert len(net.parameters()) == 10
    assert len(list(net.modules())) == 3
    assert "fc2: Linear" in repr(net)


def test_deeply_nested_modules_are_searched_without_recursion():
    net = inner = nn.Module()
    for _ in range(1500):
        inner.inner = nn.Module()
        inner = inner.inner
    inner.w = nn.Parameter(1.0)
    ((name, parameter),) = net.named_parameters()
    assert parameter is inner.w
    assert name == "inner." * 1500 + "w"


def test_super_init_may_be_forgotten():
    net = Forgetful()
    assert [name for name, _ in net.named_parameters()] == [
        "layers.0.weight[0][0]",
        "layers.1.weight[0][0]",
    ]
    assert net.training is True
    assert net([2.0])[0].data == 2.0 * net.parameters()[0].data * net.parameters()[1].data


class ByHand(nn.Module):
    """Written as for micrograd: plain Values and an own list of parameters."""

    def __init__(self):
        self.w = [Value(1.0), Value(2.0)]

    def __call__(self, x):
        return self.w[0] * x + self.w[1]

    def parameters(self):
        return self.w


def test_a_model_may_list_its_parameters_itself():
    model = ByHand()
    model(3.0).backward()
    assert [p.grad for p in model.parameters()] == [3.0, 1.0]
    assert [name for name, _ in model.named_parameters()] == ["parameters[0]", "parameters[1]"]
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0, 0.0]


def test_such_a_model_inside_another_is_found():
    net = nn.Module()
    net.first, net.second = nn.Parameter(0.0), ByHand()
    assert net.parameters() == [net.first, *net.second.w]
    assert [name for name, _ in net.named_parameters()] == [
        "first",
        "second.parameters[0]",
        "second.parameters[1]",
    ]


# -- what can be done with a module --------------------------------------------------------------


def test_zero_grad_reaches_every_parameter():
    net = Net()
    net([1.0, 2.0])[0].backward()
    assert any(p.grad != 0.0 for p in net.parameters())
    net.zero_grad()
    assert [p.grad for p in net.parameters()] == [0.0] * 10


def test_train_and_eval_switch_every_module_and_return_the_model():
    net = Net()
    assert net.eval() is net
    assert [module.training for module in net.modules()] == [False] * 3
    assert net.train() is net
    assert [module.training for module in net.modules()] == [True] * 3
    assert Net().training is True


def test_train_takes_a_truth_value_only():
    with pytest.raises(TypeError, match="train expected True or False, got str: 'yes'"):
        Net().train("yes")


def test_a_deep_copy_has_parameters_of_its_own():
    net = Net()
    twin = copy.deepcopy(net)
    x = [0.5, -1.0]
    assert twin(x)[0].data == net(x)[0].data
    assert not set(twin.parameters()) & set(net.parameters())
    before = net(x)[0].data
    twin.gain.data = 100.0
    assert net(x)[0].data == before
    assert twin(x)[0].data == pytest.approx(before / 3.0 * 100.0, rel=1e-15, abs=0.0)


@pytest.mark.parametrize(
    "net",
    [
        nn.MLP(2, [3, 1], activation=["gelu"], output_activation="identity"),
        nn.Sequential(nn.Linear(2, 3), nn.LeakyReLU(0.2), nn.Tanh(), nn.Linear(3, 1), nn.ReLU()),
    ],
    ids=["MLP", "Sequential"],
)
def test_a_model_can_be_pickled(net):
    twin = pickle.loads(pickle.dumps(net))
    assert nn.predict(twin([0.5, -1.0])) == nn.predict(net([0.5, -1.0]))
    assert not set(twin.parameters()) & set(net.parameters())


def test_calling_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=re.escape("Module has no forward()")):
        nn.Module()([1.0])


# -- names in recordings -------------------------------------------------------------------------


def scopes(root):
    """Return the scopes of everything recorded below ``root``."""
    found, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node.op:
            found.add(node.scope)
        stack.extend(node.operands)
    return found


@pytest.mark.parametrize("model", [nn.MLP(2, [3, 2, 1]), Forgetful()], ids=["MLP", "own"])
def test_operations_are_recorded_under_the_paths_of_modules(model):
    y = model([1.0, 2.0]) if isinstance(model, nn.MLP) else model([1.0])[0]
    paths = {name for name, _ in model.named_modules()}
    assert scopes(y) <= paths
    assert {name for name in paths if re.fullmatch(r"layers\.\d", name)} == scopes(y)


def test_own_operations_of_a_model_have_no_name_and_those_of_its_parts_do():
    y = Net()([1.0, 2.0])[0]
    assert y.scope == ""
    assert scopes(y) == {"", "fc1", "fc2"}


def test_names_join_below_modules_in_modules_and_scopes():
    net = nn.Module()
    net.encoder = nn.MLP(1, [1, 1])
    net.forward = lambda x: net.encoder(x)
    with scope("net"):
        y = net([1.0])
    assert scopes(y) == {"net.encoder.layers.0", "net.encoder.layers.1"}


def test_a_model_called_alone_first_gets_its_name_when_it_becomes_a_part():
    part = nn.MLP(1, [1])
    assert scopes(part([1.0])) == {"layers.0"}
    whole = nn.Sequential(part, nn.ReLU())
    assert scopes(whole([1.0])) == {"0.layers.0", "1"}


def test_a_layer_that_is_added_later_still_works():
    net = Forgetful()
    net([1.0])
    net.layers.append(nn.Linear(1, 1))
    assert net([1.0])[0].op == "dot"


# -- how it looks --------------------------------------------------------------------------------


def test_repr_shows_the_parts_their_sizes_and_parameter_counts():
    net = Net()
    net.table = [[nn.Parameter(0.0) for _ in range(3)] for _ in range(2)]
    net.mlp = nn.MLP(2, [3, 1], activation="tanh")
    assert repr(net).splitlines() == [
        "Net, 29 parameters",
        "  fc1: Linear(in_features=2, out_features=2, bias=True), 6 parameters",
        "  gain: parameter",
        "  fc2: Linear(in_features=2, out_features=1, bias=True), 3 parameters",
        "  table: parameters of shape 2 × 3",
        "  mlp: MLP, 13 parameters",
        "    layers.0: Layer(2, 3, activation='tanh', bias=True), 9 parameters",
        "    layers.1: Layer(3, 1, activation=None, bias=True), 4 parameters",
    ]


def test_parameters_without_a_label_are_called_by_their_path_after_the_first_call():
    model = nn.MLP(2, [2, 1])
    model.layers[1].neurons[0].b.label = "b"
    assert {parameter.label for parameter in model.parameters()} == {"", "b"}
    model([1.0, 2.0])
    assert [parameter.label for parameter in model.parameters()][-4:] == [
        "layers.0.neurons.1.b",
        "layers.1.neurons.0.w[0]",
        "layers.1.neurons.0.w[1]",
        "b",
    ]


def test_parameters_of_a_model_that_becomes_a_part_are_called_by_their_new_path():
    part = nn.MLP(1, [1])
    part.layers[0].neurons[0].b.label = "mine"
    part([1.0])
    assert part.parameters()[0].label == "layers.0.neurons.0.w[0]"
    nn.Sequential(part, nn.ReLU())([1.0])
    assert [p.label for p in part.parameters()] == ["0.layers.0.neurons.0.w[0]", "mine"]


@pytest.mark.parametrize(
    ("part", "title"),
    [
        (nn.MLP(2, [16, 1]), "MLP(2→16→1)"),
        (nn.Layer(16, 16), "Layer(16→16)"),
        (nn.Neuron(3), "Neuron(3)"),
        (nn.Linear(5, 3), "Linear(5→3)"),
        (nn.ReLU(), "ReLU"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_a_scope_says_what_the_part_is(part, title):
    model = nn.Sequential(part)
    x = [1.0] * (2 if isinstance(part, nn.MLP) else getattr(part, "nin", 5))
    model([Value(number) for number in x])
    assert part._scope_title == title
