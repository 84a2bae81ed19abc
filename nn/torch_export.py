"""To PyTorch: a module there that computes what a model does, from the same numbers."""

from __future__ import annotations

from typing import Any

from autograd_lite import Value
from nn import activations, containers
from nn.layers import MLP, Layer, Neuron
from nn.module import Module, Parameter, refuse_class
from nn.nested import flat
from nn.state import ParameterArray, arrays, shape
from nn.torch_bridge import BIASED, LEARNED, SETTINGS, at, pytorch
from nn.weight_norm import WeightNorm


def to_torch(model: Module) -> Any:
    """Return a module of PyTorch that computes the same, in float64.

    Outputs, losses and gradients agree to about 15 digits. The twin starts with the numbers of the
    model, which are copies, and has the same names for them, so that a state goes back after
    training there: ``model.load_state_dict(twin.state_dict())``; `from_torch` makes a new model.

    Parameters
    ----------
    model : Module
        Any layer, activation, container or loss of `nn`, nested as you like. What is shared in it
        is shared in the twin; modes (`train`, `eval`) and ``requires_grad`` are the same.

    Returns
    -------
    torch.nn.Module
        Modules of ``torch.nn`` where that has them (so a `Sequential` of `Linear` and activations
        is theirs alone), others of `nn.torch_modules`. It takes tensors of dtype float64, a sample
        or a batch; labels of classes and for `Embedding` have dtype long, and losses take targets
        of the shapes that they have here.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    TypeError
        For a class of your own (the message says what to do instead), and for functions in place of
        modules or of names of activations.
    ValueError
        If parameters are shared, frozen or added in a way that arrays cannot be.

    Notes
    -----
    Gradients, the state of optimisers and the seeds of `Dropout` stay behind. `BatchNorm1d` of
    PyTorch can be evaluated before training.

    The twin trains in several processes, and on several machines, as any module of PyTorch does.
    This program runs two on one machine, each with half of every batch; the gradients are those
    of the mean over the whole batch. Each process makes its own twin, since PyTorch does not copy
    the tensors that it passes to processes: both would write into the same ones::

        import tempfile
        from pathlib import Path

        import torch
        from torch.nn.parallel import DistributedDataParallel

        import nn

        POINTS, LABELS = nn.data.moons(64, noise=0.1, labels=(-1, 1), seed=0)

        def work(rank, model, meeting, saved):
            torch.distributed.init_process_group(
                "gloo", init_method=meeting, rank=rank, world_size=2
            )
            points = torch.tensor(POINTS, dtype=torch.float64)[rank::2]
            labels = torch.tensor(LABELS, dtype=torch.float64)[rank::2]
            loss = nn.to_torch(nn.LogisticLoss())
            twin = nn.to_torch(model)
            parallel = DistributedDataParallel(twin)
            optimizer = torch.optim.SGD(parallel.parameters(), lr=0.5, momentum=0.9)
            for step in range(5):
                optimizer.zero_grad()
                loss(parallel(points), labels).backward()
                optimizer.step()
            if rank == 0:
                torch.save(twin.state_dict(), saved)
            torch.distributed.destroy_process_group()

        if __name__ == "__main__":
            model = nn.MLP(2, [8, 1], "tanh", seed=0)
            with tempfile.TemporaryDirectory() as folder:
                meeting, saved = Path(folder, "meeting").as_uri(), Path(folder, "state.pt")
                torch.multiprocessing.spawn(work, (model, meeting, saved), nprocs=2)
                model.load_state_dict(torch.load(saved))
            print(nn.LogisticLoss()(model(POINTS), LABELS).data)

    Examples
    --------
    >>> import nn, torch
    >>> model = nn.Sequential(nn.Linear(2, 3, seed=0), nn.Tanh(), nn.Linear(3, 1, seed=1))
    >>> twin = nn.to_torch(model)
    >>> twin
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Tanh()
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    >>> y = twin(torch.tensor([[0.5, -1.0]], dtype=torch.float64))
    >>> abs(y.item() - model([0.5, -1.0])[0].data) < 1e-15
    True
    """
    refuse_class(model, "to_torch expected a model")
    if not isinstance(model, Module):
        raise TypeError(f"to_torch expected a model, got {type(model).__name__}: {model!r}")
    torch, own = pytorch("to_torch")
    with torch.random.fork_rng(devices=[]):  # initialisation there is not to be noticed
        twin = _Export(torch, own).twin(model, "").double()
    _copy(torch, model, twin)
    return twin


class _Export:
    """The twins of modules, each made once."""

    def __init__(self, torch: Any, own: Any) -> None:
        self.torch, self.own = torch, own
        self.twins: dict[int, Any] = {}

    def twin(self, given: Any, path: str) -> Any:
        """Return the twin of a module, with numbers of its own yet."""
        if id(given) not in self.twins:
            made = self.twins[id(given)] = self.made(given, path)
            made.training = given.training
        return self.twins[id(given)]

    def below(self, given: Any, path: str, name: str) -> Any:
        """Return the twin of a module in a module."""
        return self.twin(given, f"{path}.{name}" if path else name)

    def made(self, given: Any, path: str) -> Any:
        kind = type(given)
        if kind is containers.Sequential:
            twin = self.torch.nn.Sequential()
            for name, module in zip(given._names, given, strict=True):
                twin.add_module(name, self.below(module, path, name))
            return twin
        if kind is containers.ModuleList:
            return self.torch.nn.ModuleList(
                self.below(module, path, str(i)) for i, module in enumerate(given)
            )
        if kind is containers.Residual:
            shortcut = given.shortcut
            return self.own.Residual(
                self.below(given.module, path, "module"),
                None if shortcut is None else self.below(shortcut, path, "shortcut"),
            )
        if kind is MLP:
            return self.own.MLP(
                [self.below(layer, path, f"layers.{i}") for i, layer in enumerate(given.layers)]
            )
        if kind is Layer:
            bias = given.neurons[0].b is not None
            return self.own.Layer(given.nin, given.nout, self.activation(given, path), bias)
        if kind is Neuron:
            return self.own.Neuron(given.nin, self.activation(given, path), given.b is not None)
        if kind is WeightNorm:
            layer = given.module
            bias = layer.bias is not None
            return self.own.WeightNorm(layer.in_features, layer.out_features, bias)
        if isinstance(getattr(given, LEARNED.get(kind, ""), None), Parameter):
            return getattr(self.own, kind.__name__)()
        if kind is activations.Softplus:
            return self.torch.nn.Softplus(given.beta, threshold=self.own.SOFTPLUS_THRESHOLD)
        if kind in SETTINGS:
            return self.simple(given, path)
        raise TypeError(_no_twin(given, path))

    def activation(self, given: Layer | Neuron, path: str) -> Any:
        """Return the activation of a layer: a name or None as it is, or a module."""
        activation = given.activation
        if activation is None or isinstance(activation, str):
            return activation
        if isinstance(activation, Module):
            return self.below(activation, path, "activation")
        raise TypeError(
            f"to_torch expected the name of an activation or a module{at(path)}, got"
            f" {activation!r}; write activation='tanh' or nn.Tanh() for tanh, for instance"
        )

    def simple(self, given: Module, path: str) -> Any:
        """Return a module with the same name and settings."""
        kind = type(given)
        settings = {name: getattr(given, name) for name in SETTINGS[kind]}
        for name, setting in settings.items():
            if isinstance(setting, Value):
                raise TypeError(
                    f"to_torch expected {kind.__name__}'s {name} to be a number or a"
                    f" Parameter{at(path)}, got {setting!r}"
                )
            if name in ("weight", "pos_weight") and setting is not None:
                settings[name] = self.torch.tensor(setting, dtype=self.torch.float64)
        name = kind.__name__
        twins = self.torch.nn if hasattr(self.torch.nn, name) else self.own
        twin = getattr(twins, name)(**settings)
        if kind in BIASED and getattr(given, "bias", None) is None:
            twin.bias = None
        return twin


def _no_twin(given: Any, path: str) -> str:
    """Say what to do with what has no twin."""
    if not isinstance(given, Module):
        return f"to_torch expected modules, got {type(given).__name__}{at(path)}: {given!r}"
    name = type(given).__name__
    return (
        f"to_torch knows the modules of nn, not the class {name}{at(path)}: write {name} as a"
        " torch.nn.Module with attributes of the same names, and give it the numbers by"
        " twin.double().load_state_dict({name: torch.tensor(numbers, dtype=torch.float64) for"
        " name, numbers in model.state_dict().items()})"
    )


def _copy(torch: Any, model: Module, twin: Any) -> None:
    """Give the twin the numbers of a model, and share and freeze what is in the model."""
    state = model.state_dict()
    parameters = dict(twin.named_parameters(remove_duplicate=False))
    differing = sorted(set(state) - set(twin.state_dict()) | set(parameters) - set(state))
    if differing:
        raise ValueError(
            f"to_torch expected modules with the parameters they are made with, got"
            f" {type(model).__name__} with others called {', '.join(differing)}"
        )
    twin.load_state_dict(
        {name: torch.tensor(numbers, dtype=torch.float64) for name, numbers in state.items()},
        strict=False,  # losses have settings there that count as state
    )
    known: dict[tuple[Any, ...], Any] = {}
    seen: set[int] = set()
    for name, array in arrays(model).items():
        if not isinstance(array, ParameterArray):
            continue
        leaves = list(flat(array.values))
        ids = set(map(id, leaves))
        key = (shape(array.values), *map(id, leaves))
        if key in known:
            owner, _, attribute = name.rpartition(".")
            setattr(twin.get_submodule(owner), attribute, known[key])
            continue
        if len(seen | ids) < len(seen) + len(leaves):
            raise ValueError(
                f"to_torch expected arrays of parameters to be shared whole, got {name} with single"
                " ones that are elsewhere too"
            )
        seen |= ids
        required = {leaf.requires_grad for leaf in leaves}
        if len(required) > 1:
            raise ValueError(
                f"to_torch expected all of an array's parameters to learn, or none, got {name} with"
                " requires_grad False for some"
            )
        known[key] = parameters[name].requires_grad_(required.pop())
