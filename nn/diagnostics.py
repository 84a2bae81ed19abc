"""Diagnostics: what goes on in the layers of a network.

They try things with a model and leave it as it was, to the bit: parameters, gradients, buffers,
modes, random generators. They work for any `Module`. Its layers are the modules that `repr` shows
in a line of their own; an activation that a module's ``forward`` applies as a function belongs to
no layer and is not seen, other than as a module such as `Tanh` or as the activation of a `Layer`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from autograd_lite import Value
from nn.data.samples import check_finite
from nn.module import Module
from nn.nested import is_list
from nn.observing import Outputs, checked_model, layer_parameters, layers_of, observed
from nn.optim import Optimizer
from nn.tables import Table

SATURATED = 0.06  # of its largest slope; of tanh, that is where |tanh z| > 0.97
_LARGEST_SLOPE = {"sigmoid": 0.25, "tanh": 1.0, "hardtanh": 1.0, "softsign": 1.0}


class LayerStatistics(NamedTuple):
    """What a layer does with a batch.

    Attributes
    ----------
    layer : str
        Its name in the model.
    kind : str
        Its class.
    units : int
        How many numbers it puts out for a sample.
    mean, spread : float
        Of its outputs, over units and samples: the mean and the standard deviation (of all these
        numbers, divided by their count).
    dead : float
        The share of units that put out 0 for every sample.
    saturated : float or None
        The share of outputs at which a sigmoid, tanh, hardtanh or softsign has less than 6 % of its
        largest slope; None if none of these made the outputs.
    gradient_norm : float or None
        ‖∇θ‖ over the layer's own parameters; None without parameters that `backward` has reached.
    update_ratio : float or None
        ‖Δθ‖ / ‖θ‖ of the optimiser's next step, before clipping; None without an optimiser or
        gradients. About 1e-3 is usual for a training that goes well.
    """

    layer: str
    kind: str
    units: int
    mean: float
    spread: float
    dead: float
    saturated: float | None
    gradient_norm: float | None
    update_ratio: float | None


class DeadUnits(NamedTuple):
    """The units of a layer that do not respond to a batch.

    Attributes
    ----------
    layer, kind : str
        Its name in the model, and its class.
    units : int
        How many it has.
    dead : tuple of int
        The numbers of those that put out 0 for every sample.
    saturated : tuple of int
        The numbers of those that are saturated for every sample (see `LayerStatistics`): hardly any
        gradient passes them.
    """

    layer: str
    kind: str
    units: int
    dead: tuple[int, ...]
    saturated: tuple[int, ...]


class GradientFlow(NamedTuple):
    """How large the gradient is in a layer.

    Attributes
    ----------
    layer, kind : str
        Its name in the model, and its class.
    parameters : int
        How many it has itself.
    gradient_norm : float or None
        ‖∇θ‖ over those that `backward` has reached; None for none.
    """

    layer: str
    kind: str
    parameters: int
    gradient_norm: float | None


def layer_outputs(model: Module, batch: Any) -> dict[str, list[list[float]]]:
    """Return what every layer puts out for a batch.

    Parameters
    ----------
    model : Module
        Called in the mode it is in.
    batch : list of N samples

    Returns
    -------
    dict
        By the layer's name, N lists of the outputs of its units, in the order of computation. Left
        out are modules that only hand on what others put out.

    Raises
    ------
    TypeError, ValueError
        If one of the arguments is not what is said above; if the batch holds NaN or an infinity
        (the message has its row and column).

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 1, init="ones"), nn.ReLU(), nn.Flatten(0, 1))
    >>> nn.layer_outputs(model, [[1.0, 2.0], [-3.0, 1.0]])
    {'0': [[3.0], [-2.0]], '1': [[3.0], [0.0]]}
    """
    with observed("layer_outputs", model, batch) as (_, layers):
        return {
            name: [list(map(float, sample)) for sample in samples] for name, _, samples in layers
        }


def layer_statistics(
    model: Module,
    batch: Any,
    targets: Any = None,
    *,
    loss: Callable[[Any, Any], Any] | None = None,
    optimizer: Optimizer | None = None,
) -> Table[LayerStatistics]:
    """Return what every layer does with a batch: size of outputs, gradients and updates.

    Parameters
    ----------
    model : Module
        Called in the mode it is in.
    batch : list of N samples
    targets : list of N targets, optional
    loss : callable, optional
        ``loss(outputs, targets)``, one Value. With it the gradients are those of this loss, and the
        model's own stay what they are; without it they are the model's own, as the last `backward`
        has left them.
    optimizer : Optimizer, optional
        Whose next step to compare with the parameters. It is not taken.

    Returns
    -------
    Table of LayerStatistics
        A tuple that prints itself, in the order of computation.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or one of ``targets`` and ``loss`` is missing; if
        the batch or the targets hold NaN or an infinity (the message has its row and column).

    Examples
    --------
    >>> import nn
    >>> model = nn.MLP(2, [2, 1], bias=False, init="ones")
    >>> inputs, targets = [[1.0, 1.0], [2.0, -2.0]], [0.0, 0.0]
    >>> optimizer = nn.optim.SGD(model.parameters(), lr=0.01)
    >>> nn.layer_statistics(model, inputs, targets, loss=nn.MSELoss(), optimizer=optimizer)
    layer     kind   units  mean  spread  dead  gradient norm  update ratio
    layers.0  Layer      2     1       1     0              8          0.04
    layers.1  Layer      1     2       2     0           11.3          0.08
    """
    name = "layer_statistics"
    if (targets is None) != (loss is None):
        given, missing = ("targets", "loss") if loss is None else ("loss", "targets")
        raise ValueError(f"{name} expected both targets and loss, got {given} without {missing}")
    if not (loss is None or callable(loss)):
        raise TypeError(f"{name} expected a function as loss, got {type(loss).__name__}: {loss!r}")
    if not (optimizer is None or isinstance(optimizer, Optimizer)):
        raise TypeError(f"{name} expected an optimiser, got {type(optimizer).__name__}")
    for position, target in enumerate(targets if is_list(targets) else ()):
        check_finite(target, position, f"{name}'s targets")
    with observed(name, model, batch) as (outputs, layers):
        if loss is not None:
            found = loss(outputs, targets)
            if not isinstance(found, Value):
                raise TypeError(
                    f"{name} expected the loss to be one Value, got {type(found).__name__} from"
                    f" {loss!r}"
                )
            model.zero_grad()
            found.backward()
        parameters = layer_parameters(model)
        updates = {} if optimizer is None else _updates(optimizer)
        return Table(
            _statistics(
                layer,
                [p for p in parameters.get(layer.name, ()) if p.reached],
                None if optimizer is None else updates,
            )
            for layer in layers
        )


def _statistics(
    outputs: Outputs, parameters: list[Value], updates: Mapping[int, float] | None
) -> LayerStatistics:
    numbers = [float(y) for sample in outputs.samples for y in sample]
    mean = _mean(numbers)
    spread = math.hypot(*(y - mean for y in numbers)) / math.sqrt(len(numbers))
    units = len(outputs.samples[0])
    saturated = [_is_saturated(y) for sample in outputs.samples for y in sample]
    bounded = [flag for flag in saturated if flag is not None]
    ratio = None
    if parameters and updates is not None:
        size = math.hypot(*(p.data for p in parameters))
        change = math.hypot(*(updates.get(id(p), 0.0) for p in parameters))
        ratio = change / size if size else math.inf if change else 0.0
    return LayerStatistics(
        outputs.name,
        type(outputs.layer).__name__,
        units,
        mean,
        spread,
        len(_dead(outputs)) / units,
        sum(bounded) / len(bounded) if bounded else None,
        _norm(parameters),
        ratio,
    )


def _mean(numbers: Sequence[float]) -> float:
    try:
        return math.fsum(numbers) / len(numbers)
    except (OverflowError, ValueError):  # of outputs that have exploded
        return sum(numbers) / len(numbers)


def _is_saturated(y: Any) -> bool | None:
    """Tell whether an activation is flat where it was computed; None for others."""
    if not isinstance(y, Value) or y.op not in _LARGEST_SLOPE or not y.partials:
        return None
    return y.partials[0] < SATURATED * _LARGEST_SLOPE[y.op]


def _dead(outputs: Outputs) -> tuple[int, ...]:
    units = zip(*outputs.samples, strict=True)
    return tuple(i for i, unit in enumerate(units) if not any(map(float, unit)))


def _norm(parameters: Sequence[Value]) -> float | None:
    reached = [float(p.grad) for p in parameters if p.reached]
    return math.hypot(*reached) if reached else None


def _updates(optimizer: Optimizer) -> dict[int, float]:
    """Return what the optimiser would add to each parameter that has a gradient."""
    found: dict[int, float] = {}
    states = iter(optimizer.state)
    for group in optimizer.param_groups:
        for parameter, state in zip(group["params"], states, strict=False):
            if parameter.reached:
                data, grad = parameter.data, float(parameter.grad)
                new, _ = type(optimizer).rule(data, grad, state, group.settings, math.sqrt)
                found[id(parameter)] = new - data
    return found


def dead_units(model: Module, batch: Any) -> Table[DeadUnits]:
    """Return which units do not respond to a batch: those that are 0, and those saturated.

    A ReLU unit that is 0 for every sample passes no gradient, so that the weights before it do not
    learn: it stays dead, if these samples are all there are and nothing before it changes.

    Parameters
    ----------
    model : Module
        Called in the mode it is in.
    batch : list of N samples

    Returns
    -------
    Table of DeadUnits
        A tuple that prints itself, in the order of computation.

    Raises
    ------
    TypeError, ValueError
        If one of the arguments is not what is said above; if the batch holds NaN or an infinity
        (the message has its row and column).

    Examples
    --------
    >>> import nn
    >>> model = nn.MLP(1, [2, 1], bias=False)
    >>> for parameter, number in zip(model.parameters(), [2.0, -1.0, 1.0, 2.0]):
    ...     parameter.data = number
    >>> nn.dead_units(model, [[1.0], [0.5]])
    layer     kind   units  dead  saturated
    layers.0  Layer      2     1          –
    layers.1  Layer      1     –          –
    """
    with observed("dead_units", model, batch) as (_, layers):
        return Table(
            DeadUnits(
                outputs.name,
                type(outputs.layer).__name__,
                len(outputs.samples[0]),
                _dead(outputs),
                tuple(
                    i
                    for i, unit in enumerate(zip(*outputs.samples, strict=True))
                    if all(map(_is_saturated, unit))
                ),
            )
            for outputs in layers
        )


def gradient_flow(model: Module) -> Table[GradientFlow]:
    """Return how large the gradient is in each layer, to see it vanish or explode.

    Parameters
    ----------
    model : Module
        After `backward`.

    Returns
    -------
    Table of GradientFlow
        A tuple that prints itself: the layers with parameters, in the order of definition.

    Raises
    ------
    TypeError
        If ``model`` is no Module.
    ValueError
        If `backward` has reached none of its parameters.

    Examples
    --------
    >>> import nn
    >>> chain = nn.MLP(1, [1, 1, 1], activation="sigmoid", bias=False, init="ones")
    >>> chain([0.5]).backward()
    >>> nn.gradient_flow(chain)
    layer     kind   parameters  gradient norm
    layers.0  Layer           1         0.0267
    layers.1  Layer           1          0.141
    layers.2  Layer           1          0.651

    Ten layers, the norm of the first by that of the last: with sigmoids the gradient vanishes, each
    slope being at most ¼; with tanh and weights of variance 1/n (Xavier, of the lectures) it stays.

    >>> import random
    >>> rng = random.Random(0)
    >>> inputs = [[rng.gauss(0.0, 1.0) for _ in range(16)] for _ in range(4)]
    >>> for activation in ("sigmoid", "tanh"):
    ...     model = nn.MLP(16, [16] * 10 + [1], activation, init="lecun", seed=0)
    ...     nn.MSELoss()(model(inputs), [0.0] * 4).backward()
    ...     first, *_, last = nn.gradient_flow(model)
    ...     print(f"{activation}: {first.gradient_norm / last.gradient_norm:.1g}")
    sigmoid: 2e-07
    tanh: 0.4
    """
    layers = layers_of(checked_model("gradient_flow", model))
    found = Table(
        GradientFlow(name, type(layers[name]).__name__, len(parameters), _norm(parameters))
        for name, parameters in layer_parameters(model).items()
    )
    if all(layer.gradient_norm is None for layer in found):
        raise ValueError(
            "gradient_flow expected a model with gradients, got none; call backward() on a loss"
            " computed from it first"
        )
    return found
