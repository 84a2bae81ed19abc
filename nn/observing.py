"""The layers of any model: which there are, whose parameters are whose, and what each puts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from reprlib import repr as shortened
from typing import Any, NamedTuple

from autograd_lite import Value, enable_grad
from nn.data.samples import check_finite
from nn.module import Module
from nn.nested import as_lists, flat, is_list
from nn.restoring import restored


class Outputs(NamedTuple):
    """What one layer put out for a batch.

    Attributes
    ----------
    name : str
        The layer's path in the model, its class if it is the model itself.
    layer : Module
    samples : list of N lists of K Values or numbers
        K units for each of N samples; nested samples are flattened.
    """

    name: str
    layer: Module
    samples: list[list[Any]]


def layers_of(model: Module) -> dict[str, Module]:
    """Return a model's modules by name; of those that `repr` shows in one line, not what is inside.

    Examples
    --------
    >>> import nn
    >>> from nn.observing import layers_of
    >>> [*layers_of(nn.MLP(2, [3, 1]))]
    ['MLP', 'layers.0', 'layers.1']
    """
    found: dict[str, Module] = {}
    closed: str | None = None
    for path, module in model.named_modules():
        if closed is not None and path.startswith(closed):
            continue
        found[path or type(module).__name__] = module
        if module.extra_repr():
            closed = f"{path}." if path else ""
    return found


def layer_parameters(model: Module) -> dict[str, list[Value]]:
    """Return the parameters of each layer that has some of its own.

    Examples
    --------
    >>> import nn
    >>> from nn.observing import layer_parameters
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> {name: len(parameters) for name, parameters in layer_parameters(model).items()}
    {'0': 8, '2': 3}
    """
    layers = layers_of(model)
    inside = {id(module) for module in layers.values()}
    taken: set[int] = set()
    found: dict[str, list[Value]] = {}
    for name, layer in layers.items():
        below = [m for m in layer.modules() if m is not layer and id(m) in inside]
        others = {id(p) for module in below for p in module.parameters()}
        own = [p for p in layer.parameters() if id(p) not in others | taken]
        taken.update(map(id, own))
        if own:
            found[name] = own
    return found


def checked_model(owner: str, model: Any) -> Module:
    """Return the model, or say what was given instead."""
    if not isinstance(model, Module):
        raise TypeError(f"{owner} expected a Module, got {type(model).__name__}")
    return model


def _checked_batch(owner: str, batch: Any) -> list[Any]:
    lists = as_lists(batch)
    if not is_list(lists):
        raise TypeError(
            f"{owner} expected a batch, a list of samples, got {type(batch).__name__}:"
            f" {shortened(batch)}"
        )
    if not len(lists):
        raise ValueError(f"{owner} expected a batch of at least one sample, got none")
    if not is_list(lists[0]):
        raise ValueError(
            f"{owner} expected a batch, a list of samples that are lists of numbers, got"
            f" {shortened(lists)}; write [x] for a single sample x"
        )
    for position, sample in enumerate(lists):
        check_finite(sample, position, f"{owner}'s batch")
    return list(lists)


@contextmanager
def observed(owner: str, model: Any, batch: Any) -> Iterator[tuple[Any, list[Outputs]]]:
    """Give what the model puts out for a batch, and what its layers do, in the order of their ends.

    The model is called with recording, in the mode it is in. After the block it is as it was. Left
    out are layers that put out what another one has put out already, such as an `MLP`, what its
    last layer did; those whose outputs do not depend on Values; and calls with a single number.

    Parameters
    ----------
    owner : str
        Named in messages.
    model : Module
    batch : list of samples

    Raises
    ------
    TypeError, ValueError
        If there is no batch; if it holds NaN or an infinity (the message has its row and column);
        if a layer's samples differ in size.
    """
    samples = _checked_batch(owner, batch)
    calls: dict[str, list[list[Any]]] = {}
    with restored(checked_model(owner, model)), enable_grad():
        layers = layers_of(model)
        for name, layer in layers.items():
            # Found before the class's method, and only in this model; `restored` takes it away.
            vars(layer)["forward"] = _noting(layer.forward, name, calls)
        outputs = model(samples)
        yield outputs, _new_ones(owner, layers, calls)


def _noting(
    forward: Callable[..., Any], name: str, calls: dict[str, list[list[Any]]]
) -> Callable[..., Any]:
    """Return a forward that notes its outputs, sample by sample."""

    def noting(*args: Any, **kwargs: Any) -> Any:
        outputs = forward(*args, **kwargs)
        given = args[0] if args else next(iter(kwargs.values()), None)
        if is_list(given) and is_list(outputs):
            rows = as_lists(outputs)
            batched = _nested(given) or _nested(rows)
            noted = calls.setdefault(name, [])
            noted += [list(flat(row)) for row in rows] if batched else [list(flat(rows))]
        return outputs

    return noting


def _nested(given: Any) -> bool:
    lists = as_lists(given)
    return len(lists) > 0 and is_list(lists[0])


def _new_ones(
    owner: str, layers: dict[str, Module], calls: dict[str, list[list[Any]]]
) -> list[Outputs]:
    """Return the outputs that are not those of a layer before."""
    seen: set[int] = set()
    found = []
    for name, samples in calls.items():
        fresh = {id(y) for sample in samples for y in sample if isinstance(y, Value)} - seen
        if not fresh:
            continue
        seen |= fresh
        sizes = sorted({len(sample) for sample in samples})
        if len(sizes) > 1:
            raise ValueError(
                f"{owner} expected outputs of one size for all samples, got samples of"
                f" {' and '.join(map(str, sizes))} numbers from the layer {name!r}"
            )
        found.append(Outputs(name, layers[name], samples))
    return found
