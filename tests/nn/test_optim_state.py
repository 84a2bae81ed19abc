"""`state_dict` and `load_state_dict` of optimisers: exact, checked, and whole or not at all."""

import copy
import json
import pickle

import pytest
from torch_figures import RECORDED, named, started, take

import nn

SHARED = nn.Parameter(1.0)


@pytest.mark.parametrize("trajectory", [*RECORDED["trajectories"], *RECORDED["grouped"]], ids=named)
def test_training_goes_on_from_a_state_dict_to_the_bit(trajectory):
    whole_parameters, whole = started(trajectory)
    parameters, optimizer = started(trajectory)
    for number, update in enumerate(trajectory["updates"]):
        if number == 7:
            saved = json.loads(json.dumps(optimizer.state_dict()))
            numbers = [p.data for p in parameters]
            parameters, optimizer = started({**trajectory, "start": numbers})
            optimizer.load_state_dict(saved)
            assert optimizer.state_dict() == whole.state_dict()
        take(whole, update)
        take(optimizer, update)
        assert [p.data for p in parameters] == [p.data for p in whole_parameters]


def test_the_state_dict_has_pytorchs_structure_and_names():
    w, v = nn.Parameter(1.0), nn.Parameter(1.0)
    optimizer = nn.optim.Adam([{"params": [v]}, {"params": [w], "lr": 0.5}], betas=(0.5, 0.75))
    w.grad = v.grad = 2.0
    optimizer.step()
    shared = {"betas": (0.5, 0.75), "eps": 1e-8, "weight_decay": 0.0}
    assert optimizer.state_dict() == {
        "optimizer": "Adam",
        "state": {
            0: {"step": 1, "exp_avg": 1.0, "exp_avg_sq": 1.0},
            1: {"step": 1, "exp_avg": 1.0, "exp_avg_sq": 1.0},
        },
        "param_groups": [
            {"lr": 1e-3, **shared, "params": [0]},
            {"lr": 0.5, **shared, "params": [1]},
        ],
    }


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda p: nn.optim.SGD(p, momentum=0.9), {"momentum_buffer"}),
        (nn.optim.AdamW, {"step", "exp_avg", "exp_avg_sq"}),
        (nn.optim.RMSprop, {"square_avg"}),
        (
            lambda p: nn.optim.RMSprop(p, momentum=0.5, centered=True),
            {"square_avg", "momentum_buffer", "grad_avg"},
        ),
        (nn.optim.Adagrad, {"step", "sum"}),
    ],
)
def test_state_has_pytorchs_names(make, names):
    w = nn.Parameter(1.0)
    optimizer = make([w])
    assert optimizer.state_dict()["state"] == {}
    w.grad = 1.0
    optimizer.step()
    assert optimizer.state_dict()["state"][0].keys() == names


def test_a_state_dict_is_a_copy():
    w = nn.Parameter(1.0)
    optimizer = nn.optim.SGD([w], lr=0.5, momentum=0.5)
    saved = optimizer.state_dict()
    optimizer.lr = 0.1
    w.grad = 1.0
    optimizer.step()
    assert saved["state"] == {}
    assert saved["param_groups"][0]["lr"] == 0.5


def changed(path, value):
    """Return a change of a state dict at a path of keys."""

    def change(state):
        for key in path[:-1]:
            state = state[key]
        state[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(["optimizer"], "SGD"), "Adam expected the state of Adam, got that of SGD"),
        (
            lambda s: s.pop("state"),
            "Adam expected a state_dict of an optimiser, got one without 's",
        ),
        (
            lambda s: s["param_groups"].append({}),
            "Adam expected the state of 2 parameter groups, got that of 3",
        ),
        (
            changed(["param_groups", 1, "params"], [1, 2, 3]),
            "Adam expected the state of 2 parameters in group 1, got that of 3",
        ),
        (
            changed(["param_groups", 1, "params"], [2, 1]),
            "Adam expected the parameters of group 1 at positions 1 to 2, got [2, 1]",
        ),
        (
            lambda s: s["param_groups"][1].pop("eps"),
            "Adam expected 'eps' in group 1, got none",
        ),
        (changed(["param_groups", 1, "lr"], -1.0), "Adam expected a finite lr >= 0, got -1.0"),
        (changed(["state", 3], {}), "Adam expected state of parameters 0 to 2, got 3"),
        (
            lambda s: s["state"][1].pop("step"),
            "Adam expected step and exp_avg and exp_avg_sq in the state of parameter 1, got",
        ),
        (
            changed(["state", 2, "sum"], 1.0),
            "Adam expected step and exp_avg and exp_avg_sq in the state of parameter 2, got",
        ),
        (
            changed(["state", 2, "step"], -1),
            "Adam expected a count as step in the state of parameter 2, got -1",
        ),
        (
            changed(["state", 2, "exp_avg"], [1.0]),
            "Adam expected a float as exp_avg in the state of parameter 2, got [1.0]",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, message):
    parameters = [nn.Parameter(float(i)) for i in range(3)]
    optimizer = nn.optim.Adam([{"params": parameters[:1]}, {"params": parameters[1:]}], lr=0.1)
    for parameter in parameters:
        parameter.grad = 1.0
    optimizer.step()
    before = optimizer.state_dict()
    other = copy.deepcopy(before)
    for group in other["param_groups"]:
        group["lr"] = 0.7
    change(other)
    with pytest.raises(ValueError) as refusal:
        optimizer.load_state_dict(other)
    assert str(refusal.value).startswith(message)
    assert optimizer.state_dict() == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 2], "SGD expected a state_dict, got list"),
        (
            {"optimizer": "SGD", "state": {}, "param_groups": 3},
            "SGD expected param_groups as a list of dicts, got 3",
        ),
    ],
)
def test_what_is_no_state_is_refused(given, message):
    with pytest.raises(TypeError) as refusal:
        nn.optim.SGD([SHARED]).load_state_dict(given)
    assert str(refusal.value) == message


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copied_optimiser_goes_on_with_copied_parameters(copied):
    w = nn.Parameter(1.0)
    optimizer = nn.optim.SGD([w], lr=0.5, momentum=0.5)
    w.grad = 1.0
    optimizer.step()
    other = copied(optimizer)
    other.params[0].grad = 1.0
    other.step()
    assert (w.data, other.params[0].data) == (0.5, -0.25)
    with pytest.raises(ValueError, match="SGD expected a finite lr"):
        other.param_groups[0]["lr"] = -1
