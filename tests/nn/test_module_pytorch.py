"""What a user of PyTorch tries on modules: its names are here, and mean the same."""

from collections import OrderedDict

import pytest

import nn
from autograd_lite import Value


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2, seed=0), nn.Linear(2, 1, seed=1)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class PlainStack(Stack):
    def __init__(self):
        super().__init__()
        self.layers = [*self.layers]


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(1, 1)
        self.inner = nn.Sequential(self.shared, nn.BatchNorm1d(1))
        self.parts = {"b": nn.ReLU(), "a": [nn.Tanh(), self.shared]}


def test_apply_calls_once_with_every_module_those_below_first():
    model = Pair()
    met = []
    assert model.apply(met.append) is model
    assert met == [model.shared, model.inner[1], model.inner, *met[3:5], model]
    assert met[3:5] == [model.parts["b"], model.parts["a"][0]]


def test_apply_initialises_as_pytorchs_idiom_does():
    def start(m):
        if isinstance(m, nn.Linear):
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu", seed=0)
            nn.init.zeros_(m.bias)

    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    model.apply(start)
    state = model.state_dict()
    assert state["0.weight"] == state["1.0.weight"]  # of one seed
    assert state["0.bias"] == [0.0, 0.0]


def test_apply_visits_what_was_there_when_it_began():
    model = nn.Sequential(nn.ReLU())
    model.apply(lambda module: isinstance(module, nn.ReLU) and model.append(nn.ReLU()))
    assert len(model) == 2


def test_children_are_one_level_of_modules():
    model = Pair()
    assert [name for name, _ in model.named_children()] == [
        "shared",
        "inner",
        "parts.b",
        "parts.a.0",
    ]
    assert [*model.children()] == [child for _, child in model.named_children()]
    assert [*nn.ReLU().children()] == []


def test_named_children_leave_out_grandchildren_but_not_what_they_share():
    shared = nn.ReLU()
    model = nn.Sequential(nn.Sequential(shared), nn.Tanh())
    assert [name for name, _ in model.named_children()] == ["0", "1"]
    model.append(shared)
    assert [name for name, _ in model.named_children()] == ["0", "1", "2"]


def test_buffers_are_those_of_all_modules_and_alive():
    model = Pair()
    names = [name for name, _ in model.named_buffers()]
    assert names == [
        f"inner.1.{buffer}" for buffer in ("running_mean", "running_var", "num_batches_tracked")
    ]
    next(model.buffers())[0] = 7.0
    assert model.inner[1].running_mean == [7.0]
    assert [*nn.BatchNorm1d(1, track_running_stats=False).buffers()] == []


def test_what_does_not_require_grad_is_neither_reached_nor_trained():
    model = Stack()
    assert model.layers[0].requires_grad_(False) is model.layers[0]
    before = model.state_dict()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    model([1.0, 1.0])[0].backward()
    optimizer.step()
    after = model.state_dict()
    assert [name for name in before if before[name] != after[name]] == [
        "layers.1.weight",
        "layers.1.bias",
    ]
    model.requires_grad_()
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("set_to_none", [True, False])
@pytest.mark.parametrize("owner", ["model", "optimizer"])
def test_after_zero_grad_gradients_are_0_and_unreached_either_way(owner, set_to_none):
    model = Stack()
    optimizer = nn.optim.Adam(model.parameters())
    model([1.0, 1.0])[0].backward()
    (model if owner == "model" else optimizer).zero_grad(set_to_none=set_to_none)
    assert {(p.grad, p.reached) for p in model.parameters()} == {(0.0, False)}


# -- containers ----------------------------------------------------------------------------------


def test_a_sequential_takes_names_from_a_dict():
    model = nn.Sequential(OrderedDict([("fc1", nn.Linear(2, 1)), ("act", nn.ReLU())]))
    assert model.act is model[1]
    assert list(model.state_dict()) == ["fc1.weight", "fc1.bias"]
    assert repr(model).splitlines()[-1] == "  act: ReLU()"
    tail = model.append(nn.Tanh())[1:]
    assert [name for name, _ in tail.named_children()] == ["act", "1"]


def test_a_part_of_a_subclass_with_arguments_of_its_own_is_a_sequential():
    class Deep(nn.Sequential):
        def __init__(self, depth):
            super().__init__(*(nn.Linear(2, 2) for _ in range(depth)))

    model = Deep(3)
    assert type(model[1:]) is nn.Sequential
    assert [*model[1:]] == [model[1], model[2]]


def test_append_goes_on_counting_and_trains_what_it_adds():
    model = nn.Sequential(nn.Linear(2, 2))
    assert model.append(nn.Linear(2, 1)) is model
    assert list(model.state_dict())[2:] == ["1.weight", "1.bias"]
    assert len(model([1.0, 2.0])) == 1


def test_a_module_list_is_as_a_list_of_modules():
    listed, plain = Stack(), PlainStack()
    for model in (listed, plain):
        y = model([Value(1.0), Value(2.0)])[0]
        assert y.data == plain([1.0, 2.0])[0].data
    assert list(listed.state_dict()) == list(plain.state_dict())
    assert [p.label for p in listed.parameters()] == [p.label for p in plain.parameters()]
    assert [m._scope_name for m in listed.layers] == ["layers.0", "layers.1"]
    assert [m._scope_name for m in plain.layers] == ["layers.0", "layers.1"]


def test_a_module_list_grows_and_is_cut():
    layers = nn.ModuleList().append(nn.ReLU()).extend([nn.Tanh(), nn.Sigmoid()])
    assert [str(layer) for layer in layers] == ["ReLU()", "Tanh()", "Sigmoid()"]
    assert isinstance(layers[1:], nn.ModuleList)
    assert layers[1:][-1] is layers[2]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.ReLU().apply(3),
            TypeError,
            "ReLU.apply expected a function of a module, got int: 3",
        ),
        (
            lambda: nn.ReLU().requires_grad_(0),
            TypeError,
            "ReLU.requires_grad_ expected True or False, got int: 0",
        ),
        (
            lambda: nn.ReLU().zero_grad(None),
            TypeError,
            "ReLU.zero_grad's set_to_none expected True or False, got NoneType: None",
        ),
        (
            lambda: nn.Sequential({"a.b": nn.ReLU()}),
            ValueError,
            "Sequential expected names without dots, got 'a.b'",
        ),
        (
            lambda: nn.Sequential({"forward": nn.ReLU()}),
            ValueError,
            "Sequential expected a new name, got 'forward', which is an attribute",
        ),
        (
            lambda: nn.Sequential({0: nn.ReLU()}),
            TypeError,
            "Sequential expected text as names, got int: 0",
        ),
        (
            lambda: nn.Sequential({"act": nn.ReLU}),
            TypeError,
            "Sequential expected modules at position 0, 'act', got the class ReLU; write nn.ReLU()",
        ),
        (
            lambda: nn.ModuleList(nn.ReLU()),
            TypeError,
            "ModuleList expected a list of modules, got ReLU: ReLU()",
        ),
        (
            lambda: nn.ModuleList([nn.ReLU(), 3]),
            TypeError,
            "ModuleList expected modules, got int at position 1: 3",
        ),
        (
            lambda: nn.ModuleList([nn.ReLU()])([1.0]),
            NotImplementedError,
            "ModuleList cannot be called; call its modules one by one, or use nn.Sequential",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == message
