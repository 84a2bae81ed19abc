"""Backpropagation as lectures write it: layer by layer, with matrices, no graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add, mul
from typing import Any, NamedTuple

from autograd_lite import Value, graph, value_and_grad
from nn.activations import Activation, Function, activation_function
from nn.containers import Flatten, Sequential
from nn.data.samples import check_finite
from nn.inputs import samples
from nn.layers import MLP, Layer, Linear
from nn.module import Module, Parameter, refuse_class
from nn.nested import elementwise, is_list
from nn.softmax import LogSoftmax, Softmax

Matrix = list[list[float]]


class BackpropLayer(NamedTuple):
    """What the algorithm computes in layer l, for n_in inputs and n_out outputs.

    For a batch of B samples, what stands for one sample becomes a list of B such lists, and the
    gradients are summed over the samples.

    Attributes
    ----------
    inputs : list of n_in floats
        a⁽ˡ⁻¹⁾, the activations of the layer before, or the sample.
    z : list of n_out floats
        The pre-activations W⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾.
    activations : list of n_out floats
        a⁽ˡ⁾ = φ(z⁽ˡ⁾).
    slopes : list of n_out floats
        φ′(z⁽ˡ⁾).
    delta : list of n_out floats
        δ⁽ˡ⁾ = ∂loss/∂z⁽ˡ⁾.
    weight_grad : n_out lists of n_in floats
        ∂loss/∂W⁽ˡ⁾ = δ⁽ˡ⁾ a⁽ˡ⁻¹⁾ᵀ.
    bias_grad : list of n_out floats, or None
        ∂loss/∂b⁽ˡ⁾ = δ⁽ˡ⁾; None for a layer without biases.
    """

    inputs: list[Any]
    z: list[Any]
    activations: list[Any]
    slopes: list[Any]
    delta: list[Any]
    weight_grad: Matrix
    bias_grad: list[float] | None

    def __repr__(self) -> str:
        names = {
            "z": self.z,
            "a": self.activations,
            "φ′": self.slopes,
            "δ": self.delta,
            "∂W": self.weight_grad,
            "∂b": self.bias_grad,
        }
        lines = [f"{len(self.weight_grad[0])} → {len(self.weight_grad)}"]
        lines += [f"  {name:<2} {_shown(x)}" for name, x in names.items() if x is not None]
        return "\n".join(lines)


class Backpropagation(NamedTuple):
    """The result of `backprop`.

    Attributes
    ----------
    loss : float
    outputs : list
        What the model gives: of the last layer, and what follows it.
    layers : tuple of BackpropLayer
        One for each weight matrix, the first one first.
    input_grad : list of floats, or of such lists
        ∂loss/∂x = W⁽¹⁾ᵀ δ⁽¹⁾, in the shape of x.
    """

    loss: float
    outputs: Any
    layers: tuple[BackpropLayer, ...]
    input_grad: list[Any]

    def __repr__(self) -> str:
        lines = [f"loss {self.loss:.6g}, outputs {_shown(self.outputs)}"]
        lines += [f"layer {number}: {layer!r}" for number, layer in enumerate(self.layers, 1)]
        return "\n".join(lines)


def backprop(model: Module, x: Any, y: Any, loss: Callable[[Any, Any], Any]) -> Backpropagation:
    """Compute all gradients of a multi-layer perceptron by the matrix form of backpropagation.

    Forward, for l = 1, …, L and a⁽⁰⁾ = x::

        z⁽ˡ⁾ = W⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾        a⁽ˡ⁾ = φ(z⁽ˡ⁾)

    Backward, for l = L, …, 1::

        δ⁽ᴸ⁾ = φ′(z⁽ᴸ⁾) ⊙ ∂loss/∂a⁽ᴸ⁾    δ⁽ˡ⁾ = φ′(z⁽ˡ⁾) ⊙ (W⁽ˡ⁺¹⁾ᵀ δ⁽ˡ⁺¹⁾)
        ∂loss/∂W⁽ˡ⁾ = δ⁽ˡ⁾ a⁽ˡ⁻¹⁾ᵀ       ∂loss/∂b⁽ˡ⁾ = δ⁽ˡ⁾

    Plain lists of floats and these formulas; what comes from the engine is φ′, the derivative of
    a function of one number, and the slope of the loss in the outputs. The model's own gradients
    are neither used nor changed; they are the same numbers after ``loss(model(x), y).backward()``,
    up to rounding.

    Parameters
    ----------
    model : MLP, Layer, Linear, or Sequential of those and activations
        Last may come what has no parameters but mixes numbers (`Softmax`, `LogSoftmax`,
        `Flatten`); it is taken as part of the loss, so that δ⁽ᴸ⁾ is still ∂loss/∂z⁽ᴸ⁾.
    x : list of numbers, or a batch of such lists
        A batch is a matrix with one column per sample in the formulas; its gradients are sums over
        the samples (the mean is in the loss).
    y : target of the sample, or of the batch
        As ``loss`` takes it.
    loss : callable
        ``loss(outputs, y)``, one Value, of the outputs and targets alone.

    Returns
    -------
    Backpropagation

    Raises
    ------
    TypeError
        For a model that is made of other things, or has parameters other than weights and biases;
        for a loss that returns no single Value.
    ValueError
        For samples of another size; for NaN or an infinity in x or y (the message has its row and
        column); for a loss that depends on parameters other than through the
        outputs, such as one with a penalty.

    Notes
    -----
    Conventions, on which lectures differ: δ is the slope of the loss by pre-activation (in some by
    post-activation, which is what stands in the parentheses above); W is out × in, so Wx and not
    xW; L counts the layers of weights, the output's included. Two misprints go round in lectures
    that take δ by post-activation: the gradient of the last weights has y⁽ᴷ⁻¹⁾ᵀ, the outputs of
    the layer before, where z⁽ᴷ⁻¹⁾ᵀ is printed, and the derivative of g(f(x)) is g′·f′(x) where
    g′·f(x) is printed.

    References
    ----------
    Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986.

    Examples
    --------
    Two ReLU neurons, of which the second is dead, and a linear output:

    >>> import nn
    >>> model = nn.MLP(1, [2, 1], activation="relu", bias=False)
    >>> for parameter, number in zip(model.parameters(), [2.0, -1.0, 1.0, 2.0]):
    ...     parameter.data = number
    >>> result = nn.backprop(model, [1.0], 3.0, nn.MSELoss())
    >>> result
    loss 1, outputs 2
    layer 1: 1 → 2
      z  [2, -1]
      a  [2, 0]
      φ′ [1, 0]
      δ  [-2, 0]
      ∂W [[-2], [0]]
    layer 2: 2 → 1
      z  [2]
      a  [2]
      φ′ [1]
      δ  [-2]
      ∂W [[-4, 0]]
    >>> result.layers[1].weight_grad
    [[-4.0, 0.0]]
    """
    refuse_class(model, "backprop expected a model")
    refuse_class(loss, "backprop expected a loss")
    if not callable(loss):
        raise TypeError(
            f"backprop expected a loss, a function of outputs and targets, got"
            f" {type(loss).__name__}: {loss!r}"
        )
    layers, head = _taken_apart(model)
    given, batched = samples(layers[0].module, len(layers[0].weight[0]), x)
    for what, rows in (("x", given), ("y", y if batched and is_list(y) else [y])):
        for position, row in enumerate(rows):
            check_finite(row, position, f"backprop's {what}")

    # Forward. Matrices have one column per sample.
    a = [_transposed([[float(number) for number in sample] for sample in given])]
    z: list[Matrix] = []
    slopes: list[Matrix] = []
    for layer in layers:
        z.append(_product(layer.weight, a[-1], layer.bias))
        activated = [[layer.activated(number) for number in row] for row in z[-1]]
        a.append([[value for value, _ in row] for row in activated])
        slopes.append([[slope for _, slope in row] for row in activated])

    # The loss, and its slope in the outputs of the last layer.
    def measured(outputs: Any) -> Any:
        value = loss(head(outputs), y)
        _check_loss(value, model)
        return value

    by_sample = _by_sample(a[-1], batched)
    loss_data, slope = value_and_grad(measured)(by_sample)
    propagated = _transposed(slope if batched else [slope])

    # Backward.
    found: list[BackpropLayer] = []
    for l in range(len(layers) - 1, -1, -1):  # noqa: E741 - the lectures' name
        delta = _hadamard(slopes[l], propagated)
        weight_grad = _product(delta, _transposed(a[l]))
        bias_grad = [reduce(add, row) for row in delta]
        found.append(
            BackpropLayer(
                inputs=_by_sample(a[l], batched),
                z=_by_sample(z[l], batched),
                activations=_by_sample(a[l + 1], batched),
                slopes=_by_sample(slopes[l], batched),
                delta=_by_sample(delta, batched),
                weight_grad=weight_grad,
                bias_grad=None if layers[l].bias is None else bias_grad,
            )
        )
        propagated = _product(_transposed(layers[l].weight), delta)

    outputs = elementwise(float, head(by_sample))
    return Backpropagation(
        loss_data, outputs, tuple(reversed(found)), _by_sample(propagated, batched)
    )


# -- the model, taken apart ----------------------------------------------------------------------


class _Affine(NamedTuple):
    """A layer's numbers, and the activations that follow it."""

    module: Any
    weight: Matrix
    bias: list[float] | None
    activations: list[Function]

    def activated(self, z: float) -> tuple[float, float]:
        """Return φ(z) and φ′(z); several activations are one function."""
        return value_and_grad(lambda x: reduce(lambda y, phi: phi(y), self.activations, x))(z)


def _taken_apart(model: Module) -> tuple[list[_Affine], Callable[[Any], Any]]:
    """Return the layers with their activations, and what follows the last one."""
    layers: list[_Affine] = []
    head: list[Callable[[Any], Any]] = []
    known: set[int] = set()
    for part in _parts(model):
        if _is_affine(part) and not head:
            weight, bias, function = _affine(part)
            known.update(id(p) for p in [*(w for row in weight for w in row), *(bias or [])])
            layers.append(
                _Affine(
                    part,
                    [[w.data for w in row] for row in weight],
                    None if bias is None else [b.data for b in bias],
                    [function],
                )
            )
        elif isinstance(part, Activation) and layers and not head:
            layers[-1].activations.append(part.forward)
        elif isinstance(part, Flatten | Softmax | LogSoftmax | Activation) and layers:
            head.append(part.forward)
        elif part is _single and layers:
            head.append(part)
        else:
            raise TypeError(_refusal(part, bool(layers)))
    if not layers:
        raise TypeError("backprop expected a model with a layer, got an empty Sequential")
    for name, parameter in model.named_parameters():
        if id(parameter) not in known:
            raise TypeError(
                "backprop expected weights and biases as the only parameters, since the matrix"
                f" form has no others, got {name!r}"
            )
    return layers, lambda outputs: reduce(lambda x, part: part(x), head, outputs)


def _parts(model: Any) -> Iterator[Any]:
    """Yield layers, activations and what else there is, in the order in which they are called."""
    forward = getattr(type(model), "forward", None)
    if forward is MLP.forward:
        yield from model.layers
        if model.layers[-1].nout == 1:
            yield _single
    elif forward is Sequential.forward:
        for part in model:
            yield from _parts(part)
    else:
        yield model


def _single(outputs: Any) -> Any:
    """Return what an MLP with one output gives: no lists of one."""
    return [sample[0] for sample in outputs] if isinstance(outputs[0], list) else outputs[0]


def _is_affine(part: Any) -> bool:
    return getattr(type(part), "forward", None) in (Layer.forward, Linear.forward)


def _affine(
    part: Layer | Linear,
) -> tuple[list[list[Parameter]], list[Parameter] | None, Function]:
    """Return a layer's parameters and its own activation."""
    if isinstance(part, Linear):
        return part.weight, part.bias, activation_function(None)
    function = activation_function(part.activation)
    if isinstance(function, Module):
        function = function.forward  # a call would name the module as the root of a model
    biases = [neuron.b for neuron in part.neurons if neuron.b is not None]
    return [neuron.w for neuron in part.neurons], biases or None, function


def _refusal(part: Any, after_layer: bool) -> str:
    """Return what to say about a part that the matrix form does not have in that place."""
    name = type(part).__name__
    if not after_layer and isinstance(part, Activation | Flatten | Softmax | LogSoftmax):
        return f"backprop expected a model that starts with a layer, got {name} first"
    if _is_affine(part):
        return (
            "backprop expected no layer after Flatten, Softmax, LogSoftmax or an MLP of one"
            f" output, got {name}"
        )
    own = isinstance(part, MLP | Sequential | Layer | Linear)
    return (
        "backprop expected a model of the matrix form, nn.MLP or nn.Sequential of layers and"
        f" activations, got {name}{' with a forward() of its own' if own else ''}"
    )


def _check_loss(value: Any, model: Module) -> None:
    """Refuse losses that are no Value, or that depend on parameters other than by the outputs."""
    if not isinstance(value, Value):
        raise TypeError(
            f"backprop expected the loss to return one Value, got {type(value).__name__}"
        )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for node in graph(value):
        if id(node.value) in names:
            raise ValueError(
                "backprop expected a loss of outputs and targets alone, got one that depends on"
                f" {names[id(node.value)]!r}; add the gradient of a penalty afterwards"
            )


# -- matrices as lists of rows -------------------------------------------------------------------


def _transposed(matrix: Sequence[Sequence[float]]) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def _product(left: Matrix, right: Matrix, start: Sequence[float] | None = None) -> Matrix:
    """Return left · right, with a number added to each row; summed from left to right."""
    columns = _transposed(right)
    starts = [0.0] * len(left) if start is None else start
    return [
        [reduce(add, map(mul, row, column), first) for column in columns]
        for row, first in zip(left, starts, strict=True)
    ]


def _hadamard(left: Matrix, right: Matrix) -> Matrix:
    """Return left ⊙ right, the product element by element."""
    return [list(map(mul, *rows)) for rows in zip(left, right, strict=True)]


def _by_sample(matrix: Matrix, batched: bool) -> list[Any]:
    """Return the columns of a matrix, or its only one."""
    columns = _transposed(matrix)
    return columns if batched else columns[0]


def _shown(x: Any, most: int = 4) -> str:
    """Return numbers with six digits, long lists by their first and last ones."""
    if not isinstance(x, list):
        return f"{x + 0.0:.6g}"  # 0 and not -0
    shown = [_shown(element) for element in x]
    if len(shown) > most:
        shown = [*shown[: most - 1], "…", shown[-1]]
    return f"[{', '.join(shown)}]"
