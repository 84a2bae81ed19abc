"""state_dict and load_state_dict: PyTorch's names and shapes; all is written, or nothing."""

import copy
import math
import pickle

import numpy as np
import pytest

import nn
from autograd_lite import Value


class Normalised(nn.Module):
    """Buffers before and after parameters, modules between them."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 3, seed=0)
        self.register_buffer("running_mean", [0, 0, 0])
        self.gain = nn.Parameter(2.0)
        self.register_buffer("num_batches_tracked", 0)
        self.blocks = [nn.Linear(1, 1, bias=False, seed=1), nn.ReLU(), nn.MLP(2, [2, 1], seed=2)]


def torch_twin():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    class Normalised(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(2, 3)
            self.register_buffer("running_mean", torch.zeros(3))
            self.gain = torch.nn.Parameter(torch.tensor(2.0))
            self.register_buffer("num_batches_tracked", torch.tensor(0))
            mlp = torch.nn.Module()
            mlp.layers = torch.nn.ModuleList([torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)])
            blocks = [torch.nn.Linear(1, 1, bias=False), torch.nn.ReLU(), mlp]
            self.blocks = torch.nn.ModuleList(blocks)

    return Normalised().double()


def bits(state):
    """Return a state as text that tells -0.0 from 0.0 and equals itself with NaN."""
    return repr(state)


# -- names and shapes ----------------------------------------------------------------------------


def test_names_shapes_and_order_are_pytorchs():
    state = Normalised().state_dict()
    assert {name: np.shape(numbers) for name, numbers in state.items()} == {
        "gain": (),
        "running_mean": (3,),
        "num_batches_tracked": (),
        "fc.weight": (3, 2),
        "fc.bias": (3,),
        "blocks.0.weight": (1, 1),
        "blocks.2.layers.0.weight": (2, 2),
        "blocks.2.layers.0.bias": (2,),
        "blocks.2.layers.1.weight": (1, 2),
        "blocks.2.layers.1.bias": (1,),
    }
    assert list(state)[:4] == ["gain", "running_mean", "num_batches_tracked", "fc.weight"]


def test_a_torch_module_of_the_same_parts_has_the_same_state_dict_and_both_exchange_it():
    twin = torch_twin()
    import torch

    model = Normalised()
    model.num_batches_tracked = 7
    state = model.state_dict()
    assert list(state) == list(twin.state_dict())
    tensors = {
        name: torch.tensor(numbers, dtype=twin.state_dict()[name].dtype)
        for name, numbers in state.items()
    }
    twin.load_state_dict(tensors)
    other = Normalised()
    other.load_state_dict(twin.state_dict())
    assert other.state_dict() == state
    assert type(other.num_batches_tracked) is int


def test_a_layer_of_neurons_has_the_arrays_of_a_linear_one_row_per_neuron():
    mlp = nn.MLP(3, [4, 1], seed=0)
    state = mlp.state_dict()
    assert state["layers.0.weight"] == [[w.data for w in n.w] for n in mlp.layers[0].neurons]
    assert state["layers.0.bias"] == [0.0] * 4
    assert "layers.0.bias" not in nn.MLP(3, [4, 1], bias=False).state_dict()


def test_a_parameter_of_a_subclassed_layer_is_not_forgotten():
    class Gained(nn.Layer):
        def __init__(self):
            super().__init__(2, 1)
            self.gain = nn.Parameter(5.0)

    class Leaky(nn.Neuron):
        def __init__(self):
            super().__init__(2)
            self.slope = nn.Parameter(0.1)

    layer = Gained()
    layer.neurons[0] = Leaky()
    state = layer.state_dict()
    assert list(state) == ["gain", "weight", "bias", "parameters"]
    assert state["parameters"] == [0.1]


def test_values_are_copies_made_of_plain_floats():
    model = Normalised()
    state = model.state_dict()
    assert {type(w) for row in state["fc.weight"] for w in row} == {float}
    state["fc.weight"][0][0] = math.pi
    state["running_mean"][0] = math.pi
    assert model.fc.weight[0][0].data != math.pi
    assert model.running_mean[0] == 0.0


def test_lists_of_unequal_size_and_dicts_are_split_into_arrays():
    net = nn.Module()
    net.ragged = [[nn.Parameter(1.0)], [nn.Parameter(2.0), nn.Parameter(3.0)]]
    net.mixed = (nn.Parameter(4.0), None, nn.Linear(1, 1, init="zeros", bias=False), 0.5)
    net.gains = {"low": nn.Parameter(5.0), "high": [nn.Parameter(6.0)]}
    net.grid = np.array([[nn.Parameter(7.0)], [nn.Parameter(8.0)]], dtype=object)
    net.samples, net.empty = [[1.0, 2.0]] * 3, []
    assert net.state_dict() == {
        "ragged.0": [1.0],
        "ragged.1": [2.0, 3.0],
        "mixed.0": 4.0,
        "gains.low": 5.0,
        "gains.high": [6.0],
        "grid": [[7.0], [8.0]],
        "mixed.2.weight": [[0.0]],
    }


def test_what_is_used_twice_has_two_names_and_a_module_may_know_its_owner():
    fc = nn.Linear(1, 1, init="zeros", bias=False)
    net = nn.Sequential(fc, fc)
    fc.owner = net
    assert net.state_dict() == {"0.weight": [[0.0]], "1.weight": [[0.0]]}


def test_plain_values_that_parameters_lists_are_in_the_state():
    class Plain(nn.Module):
        def __init__(self):
            hidden = Value(3.0)
            self.reveal = lambda: hidden
            self.w, self.last_output = [Value(1.0), Value(2.0)], Value(9.0)

        def parameters(self):
            return [*self.w, self.reveal()]

    net = nn.Sequential(Plain())
    assert net.state_dict() == {"0.w": [1.0, 2.0], "parameters": [3.0]}
    net.load_state_dict({"0.w": [4.0, 5.0], "parameters": [6.0]})
    assert [p.data for p in net.parameters()] == [4.0, 5.0, 6.0]


def test_two_arrays_of_one_name_are_an_error_and_not_one_of_them():
    net = nn.Module()
    net.w = {"0": nn.Parameter(1.0), 0: nn.Parameter(2.0)}
    with pytest.raises(ValueError, match=r"expected one array of each name, got two called 'w\.0'"):
        net.state_dict()


# -- buffers -------------------------------------------------------------------------------------


def test_a_buffer_is_an_attribute_of_plain_floats_that_is_not_learned():
    net = nn.Module()
    net.register_buffer("mean", np.array([[1, 2], [3, 4]]))
    net.register_buffer("count", 2**70)
    net.register_buffer("rate", Value(0.25))
    net.register_buffer("unused", None)
    assert repr(net.mean) == "[[1.0, 2.0], [3.0, 4.0]]"
    assert net.unused is None
    assert net.parameters() == []
    assert net.state_dict() == {"mean": [[1.0, 2.0], [3.0, 4.0]], "count": 2**70, "rate": 0.25}


def test_a_buffer_may_be_changed_in_place_or_set_anew_or_registered_again():
    net = nn.Module()
    net.register_buffer("mean", [0.0, 0.0])
    net.mean[0] = 1.0
    assert net.state_dict() == {"mean": [1.0, 0.0]}
    net.mean = np.array([3, 4])
    assert repr(net.state_dict()) == "{'mean': [3.0, 4.0]}"
    net.register_buffer("mean", [5.0])
    assert net.state_dict() == {"mean": [5.0]}
    del net.mean
    assert net.state_dict() == {}


def test_buffers_belong_to_their_module_and_survive_copies_and_pickles():
    first, second = nn.Module(), nn.Module()
    first.register_buffer("mean", [1.0])
    assert second.state_dict() == {}
    for twin in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        twin.mean[0] = 2.0
        assert twin.state_dict() == {"mean": [2.0]}
        assert first.state_dict() == {"mean": [1.0]}


@pytest.mark.parametrize(
    ("name", "numbers", "error", "message"),
    [
        (3, 0.0, TypeError, "Linear.register_buffer expected text as the name, got int: 3"),
        ("", 0.0, ValueError, "Linear.register_buffer expected a name without dots, got ''"),
        ("a.b", 0.0, ValueError, "Linear.register_buffer expected a name without dots, got 'a.b'"),
        (
            "weight",
            0.0,
            ValueError,
            "Linear.register_buffer expected a new name, got 'weight', which is another attribute",
        ),
        ("mean", ["x"], TypeError, "mean expected numbers, got str: 'x'"),
        (
            "mean",
            [[1.0], [1.0, 2.0]],
            ValueError,
            "mean expected lists of one size beside each other, got others",
        ),
    ],
)
def test_bad_buffers_are_refused(name, numbers, error, message):
    model = nn.Linear(1, 1)
    before = bits(vars(model))
    with pytest.raises(error) as refusal:
        model.register_buffer(name, numbers)
    assert str(refusal.value) == message
    assert bits(vars(model)) == before


# -- loading -------------------------------------------------------------------------------------


def test_loading_sets_exactly_what_was_saved_also_nan_infinities_and_minus_zero():
    state = Normalised().state_dict()
    state["fc.weight"] = [[math.nan, math.inf], [-math.inf, -0.0], [5e-324, 0.1 + 0.2]]
    state["running_mean"] = [math.nan, 1e308, -0.0]
    model = Normalised()
    assert model.load_state_dict(state) == ([], [])
    assert bits(model.state_dict()) == bits(state)


def test_loading_changes_neither_gradients_nor_what_the_caller_holds():
    model = nn.Linear(2, 1)
    model([1.0, 2.0])[0].backward()
    state = {"weight": [[3.0, 4.0]], "bias": [5.0]}
    model.load_state_dict(state)
    assert [p.grad for p in model.parameters()] == [1.0, 2.0, 1.0]
    buffered = nn.Module()
    buffered.register_buffer("mean", [0.0])
    given = {"mean": [1.0]}
    buffered.load_state_dict(given)
    buffered.mean[0] = 2.0
    assert given == {"mean": [1.0]}


@pytest.mark.parametrize(
    "weight",
    [
        np.array([[1.5, 2.0]]),
        np.array([[1.5, 2.0]], dtype=np.float32),
        [np.array([1.5, 2.0])],
        ((np.float64(1.5), 2),),
        [[Value(1.5), True + True]],
    ],
)
def test_arrays_tuples_and_numbers_of_all_kinds_are_taken(weight):
    model = nn.Linear(2, 1, bias=False)
    model.load_state_dict({"weight": weight})
    assert repr(model.state_dict()) == "{'weight': [[1.5, 2.0]]}"


def test_an_int_among_the_buffers_stays_one_and_takes_whole_numbers_only():
    model = nn.Module()
    model.register_buffer("count", 0)
    for given, kept in [(3, 3), (4.0, 4), (np.int64(5), 5), (np.array(6), 6), (2**70 + 1,) * 2]:
        model.load_state_dict({"count": given})
        assert (type(model.count), model.count) == (int, kept)
    for given in (0.5, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"count expected a whole number, got {given}"):
            model.load_state_dict({"count": given})
    assert model.count == 2**70 + 1


def changed(**changes):
    """Return a state of `Normalised` with other arrays; None takes one away."""
    state = {**Normalised().state_dict(), "fc.bias": [9.0, 9.0, 9.0], **changes}
    return {name: numbers for name, numbers in state.items() if numbers is not None}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (
            {"gain": None, "blocks.0.weight": None},
            ['Missing key(s) in state_dict: "gain", "blocks.0.weight".'],
        ),
        ({"gian": 1.0, 3: 1.0}, ['Unexpected key(s) in state_dict: "gian", "3".']),
        (
            {"fc.weight": [[1.0] * 3] * 2},
            [
                "size mismatch for fc.weight: copying a param with shape (2, 3) from checkpoint,"
                " the shape in current model is (3, 2)."
            ],
        ),
        (
            {"fc.weight": [[1.0, 2.0], [3.0, 4.0], [5.0]]},
            [
                "size mismatch for fc.weight: copying a param with shape of unequal rows from"
                " checkpoint, the shape in current model is (3, 2)."
            ],
        ),
        (
            {"gain": None, "running_mean": 1.0, "num_batches_tracked": [1], "more": []},
            [
                'Missing key(s) in state_dict: "gain".',
                'Unexpected key(s) in state_dict: "more".',
                "size mismatch for running_mean: copying a param with shape () from checkpoint,"
                " the shape in current model is (3,).",
                "size mismatch for num_batches_tracked: copying a param with shape (1,) from"
                " checkpoint, the shape in current model is ().",
            ],
        ),
    ],
)
def test_a_state_of_another_model_is_refused_as_pytorch_says_it(changes, faults):
    model = Normalised()
    before = bits(model.state_dict())
    with pytest.raises(ValueError) as refusal:
        model.load_state_dict(changed(**{str(k): v for k, v in changes.items()}))
    title = "Error(s) in loading state_dict for Normalised:"
    assert str(refusal.value) == "\n\t".join([title, *faults])
    assert bits(model.state_dict()) == before


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (changed(gain="2.0"), "gain expected numbers, got str: '2.0'"),
        (changed(**{"fc.weight": [[1.0, 1j], [1.0] * 2]}), "fc.weight expected numbers, got compl"),
        (changed(running_mean=[1.0, None, 2.0]), "running_mean expected numbers, got NoneType"),
        ([1.0], "load_state_dict expected a dict as from state_dict(), got list: [1.0]"),
        (nn.ReLU(), "load_state_dict expected a dict as from state_dict(), got ReLU: ReLU()"),
    ],
)
def test_what_is_no_number_or_no_dict_is_a_type_error_and_nothing_changes(state, message):
    model = Normalised()
    before = bits(model.state_dict())
    with pytest.raises(TypeError) as refusal:
        model.load_state_dict(state)
    assert str(refusal.value).startswith(message)
    assert bits(model.state_dict()) == before


def test_not_strict_sets_what_fits_by_name_and_reports_the_rest():
    model = Normalised()
    state = {"fc.bias": [1.0, 2.0, 3.0], "head.weight": [[1.0]]}
    keys = model.load_state_dict(state, strict=False)
    assert keys.missing_keys == [name for name in model.state_dict() if name != "fc.bias"]
    assert keys.unexpected_keys == ["head.weight"]
    assert model.state_dict()["fc.bias"] == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match=r"size mismatch for fc\.bias"):
        model.load_state_dict({"fc.bias": [1.0]}, strict=False)
    with pytest.raises(TypeError, match="strict expected True or False, got int: 0"):
        model.load_state_dict(state, strict=0)


def test_an_interruption_in_the_middle_of_loading_leaves_the_model_as_it_was():
    class Interrupted(nn.Parameter):
        __slots__ = ("wanted",)

        def __setattr__(self, name, value):
            if name == "data" and value == 4.0:
                raise KeyboardInterrupt
            super().__setattr__(name, value)

    model = nn.Sequential(nn.Linear(1, 2), nn.Linear(1, 1, bias=False))
    model[1].weight[0][0] = Interrupted(0.5)
    before = model.state_dict()
    with pytest.raises(KeyboardInterrupt):
        model.load_state_dict({"0.weight": [[1.0], [2.0]], "0.bias": [3.0, 3.0], "1.weight": [[4]]})
    assert model.state_dict() == before
