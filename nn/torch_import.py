"""From PyTorch: a model that computes what a module there does, from the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from nn import activations, containers, embedding, losses, softmax
from nn.layers import MLP, Layer, Linear, Neuron
from nn.module import Module, Parameter
from nn.nested import flat
from nn.state import Buffer, arrays
from nn.torch_bridge import BIASED, CONTAINERS, DRAWN, LEARNED, SETTINGS, at, pytorch
from nn.weight_norm import WeightNorm

Some = TypeVar("Some", bound=Module)

FIXED: dict[type[Module], dict[str, Any]] = {
    embedding.Embedding: {
        "padding_idx": None,
        "max_norm": None,
        "scale_grad_by_freq": False,
        "sparse": False,
    },
    losses.BCELoss: {"weight": None},
    losses.BCEWithLogitsLoss: {"weight": None},
}
"""Settings of PyTorch that nn does not have, and what they are in nn."""

LEAST_THRESHOLD = 20.0
"""PyTorch's default, above which log(1 + exp(x)) is x but for 2.1e-9."""


def from_torch(module: Any) -> Module:
    """Return a model that computes what a module of PyTorch does.

    Its numbers are those of the module, exactly: float32 and shorter ones are float64 here. For
    what `to_torch` made, that is the model again, with the same settings and bits.

    Parameters
    ----------
    module : torch.nn.Module
        Modules of ``torch.nn`` that `nn` has too, nested in ``torch.nn.Sequential`` and those of
        `nn.torch_modules`; also in DataParallel or DistributedDataParallel, on any device. Linear
        layers may have ``weight_norm`` of either kind. ``PReLU`` with one slope becomes
        `LeakyReLU`, ``SoftMarginLoss`` `LogisticLoss`, and ``Softplus`` exact: PyTorch's leaves out
        less than 2.1e-9 above its threshold of 20.

    Returns
    -------
    Module
        With copies of the numbers; what is shared in the module is shared in the model, modes
        and ``requires_grad`` are the same.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    TypeError
        For another module, in it also, or a class.
    ValueError
        For a setting that `nn` does not have, or parameters that have been added.

    Examples
    --------
    >>> import nn, torch
    >>> module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LeakyReLU(0.2))
    >>> model = nn.from_torch(module)
    >>> model
    Sequential, 9 parameters
      0: Linear(in_features=2, out_features=3, bias=True), 9 parameters
      1: LeakyReLU(negative_slope=0.2)
    >>> model[0].bias[0].data == module[0].bias[0].item()
    True
    """
    torch, own = pytorch("from_torch")
    if isinstance(module, type):
        raise TypeError(f"from_torch expected a module of PyTorch, got the class {module.__name__}")
    if not isinstance(module, torch.nn.Module):
        hint = ", which is a model of nn already" if isinstance(module, Module) else ""
        raise TypeError(
            f"from_torch expected a module of PyTorch, got {type(module).__name__}{hint}"
        )
    return _Import(torch, own).model(module, "")


class _Import:
    """The models for modules of PyTorch, each made once, and their arrays of parameters."""

    def __init__(self, torch: Any, own: Any) -> None:
        self.torch, self.own = torch, own
        self.models: dict[int, Module] = {}
        self.arrays: dict[int, Any] = {}
        self.kinds: dict[Any, type[Module]] = {
            getattr(where, kind.__name__): kind
            for kind in (*SETTINGS, *CONTAINERS)
            for where in (torch.nn, own)
            if hasattr(where, kind.__name__)
        }
        self.kinds[torch.nn.SoftMarginLoss] = losses.LogisticLoss
        parallel = torch.nn.parallel
        self.wrappers = (torch.nn.DataParallel, parallel.DistributedDataParallel)

    def model(self, given: Any, path: str) -> Module:
        """Return the model for a module."""
        if isinstance(given, self.wrappers):
            return self.model(given.module, path)
        if id(given) not in self.models:
            made = self.models[id(given)] = self.made(given, path)
            if made.training != given.training:
                made.training = given.training
            added = [
                name
                for name, parameter in given.named_parameters(recurse=False)
                if id(parameter) not in self.arrays
            ]
            if added:
                raise ValueError(
                    f"from_torch expected {type(given).__name__}{at(path)} with the parameters it"
                    f" is made with, got it with {', '.join(added)}"
                )
        return self.models[id(given)]

    def below(self, given: Any, path: str, name: str) -> Module:
        """Return the model for a module in a module."""
        return self.model(given, f"{path}.{name}" if path else name)

    def made(self, given: Any, path: str) -> Module:
        normed = self.weight_normed(given, path)
        if normed is not None:
            return normed
        if type(given) is self.torch.nn.PReLU and given.num_parameters == 1:
            slope = given.weight
            self.arrays[id(slope)] = Parameter(slope.item(), requires_grad=slope.requires_grad)
            return activations.LeakyReLU(self.arrays[id(slope)])
        kind = self.kinds.get(type(given))
        if kind is None:
            known = ", ".join(sorted({kind.__name__ for kind in self.kinds}))
            raise TypeError(
                f"from_torch expected modules that nn has too{at(path)}, got"
                f" {type(given).__name__}; these are {known}"
            )
        if kind is containers.Sequential:
            # not named_children(), which leaves out what is shared
            named = zip(given._modules, given, strict=True)
            return containers.Sequential(
                {name: self.below(module, path, name) for name, module in named}
            )
        if kind is containers.ModuleList:
            return containers.ModuleList(
                self.below(module, path, str(i)) for i, module in enumerate(given)
            )
        if kind is containers.Residual:
            shortcut = given.shortcut
            return containers.Residual(
                self.below(given.module, path, "module"),
                shortcut=None if shortcut is None else self.below(shortcut, path, "shortcut"),
            )
        if kind is MLP:
            return self.mlp(given, path)
        if kind is Layer:
            return self.layer(given, path)
        if kind is Neuron:
            neuron = Neuron(given.nin, self.activation(given, path), given.b is not None, seed=0)
            return self.filled(neuron, {"w": given.w, "b": given.b}, path)
        if kind in LEARNED and type(given) is getattr(self.own, kind.__name__):
            name = LEARNED[kind]
            return self.filled(kind(Parameter(0.0)), {name: getattr(given, name)}, path)
        return self.simple(given, kind, path)

    def mlp(self, given: Any, path: str) -> MLP:
        layers: list[Any] = [
            self.below(layer, path, f"layers.{i}") for i, layer in enumerate(given.layers)
        ]
        model = MLP(1, [1], seed=0)
        model.layers = layers  # with which all its settings come
        return model

    def layer(self, given: Any, path: str) -> Layer:
        activation, bias = self.activation(given, path), given.bias is not None
        layer = Layer(given.in_features, given.out_features, activation, bias, seed=0)
        for neuron in layer.neurons:
            neuron.training = given.training
        return self.filled(layer, {"weight": given.weight, "bias": given.bias}, path)

    def activation(self, given: Any, path: str) -> Any:
        """Return the activation of a layer: a name or None as it is, or a module."""
        activation = given.activation
        if activation is None or isinstance(activation, str):
            return activation
        return self.below(activation, path, "activation")

    def simple(self, given: Any, kind: type[Module], path: str) -> Module:
        """Return a module with the same name and settings."""
        name = f"{type(given).__name__}{at(path)}"
        for setting, wanted in FIXED.get(kind, {}).items():
            if getattr(given, setting) != wanted:
                raise ValueError(
                    f"from_torch expected {name} with {setting}={wanted}, got"
                    f" {getattr(given, setting)!r}, which nn does not have"
                )
        if kind is activations.Softplus and not given.threshold >= LEAST_THRESHOLD:
            raise ValueError(
                f"from_torch expected {name} with a threshold of at least {LEAST_THRESHOLD:g}, got"
                f" {given.threshold}: nn computes it exactly"
            )
        if kind in (softmax.Softmax, softmax.LogSoftmax) and given.dim is None:
            raise ValueError(f"from_torch expected {name} with a dim, got None, which is a guess")
        settings = {setting: getattr(given, setting) for setting in SETTINGS[kind]}
        for setting in ("weight", "pos_weight"):
            if settings.get(setting) is not None:
                settings[setting] = settings[setting].tolist()
        if kind in BIASED:
            settings["bias"] = given.bias is not None
        if kind in DRAWN:
            settings["seed"] = 0  # nobody's own generator moves on
        model = kind(**settings)
        return self.filled(model, {name: getattr(given, name) for name in arrays(model)}, path)

    def weight_normed(self, given: Any, path: str) -> Module | None:
        """Return the model for a linear layer with weight normalisation, None for others."""
        g = v = None
        if isinstance(given, self.own.WeightNorm) or type(given) is self.torch.nn.Linear:
            g, v = getattr(given, "weight_g", None), getattr(given, "weight_v", None)
        elif list(getattr(given, "parametrizations", ())) == ["weight"]:
            ways = given.parametrizations.weight
            before = self.torch.nn.utils.parametrize.type_before_parametrizations(given)
            kinds = [type(way).__name__ for way in ways]
            if before is self.torch.nn.Linear and kinds == ["_WeightNorm"]:
                g, v = ways.original0, ways.original1
        if g is None or v is None:
            return None
        linear = Linear(given.in_features, given.out_features, given.bias is not None, seed=0)
        model = WeightNorm(linear)
        model.module.training = given.training
        return self.filled(model, {"weight_g": g, "weight_v": v, "bias": given.bias}, path)

    def filled(self, model: Some, tensors: Mapping[str, Any], path: str) -> Some:
        """Give a model the numbers of tensors, share and freeze what is shared and frozen."""
        given = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        own = arrays(model)
        model.load_state_dict(
            {name: tensor.detach().tolist() for name, tensor in given.items()}, strict=False
        )
        for name, tensor in given.items():
            array = own[name]
            if isinstance(array, Buffer):
                continue
            if id(tensor) not in self.arrays:
                self.arrays[id(tensor)] = array.values
                for parameter in flat(array.values):
                    parameter.requires_grad = tensor.requires_grad
            elif isinstance(model, Layer | WeightNorm):
                raise ValueError(
                    f"from_torch cannot share {name} of {type(model).__name__}{at(path)} with"
                    " another module; use a Linear layer"
                )
            else:
                setattr(model, name, self.arrays[id(tensor)])
        return model
