"""Layers: what turns a sample, or a whole batch of them, into the next.

One sample is a list of numbers or Values (a NumPy row too) and gives a list of outputs. A batch
is a list of samples (a 2-D array too) and gives a list of those; it is passed whole from layer to
layer. Only an `MLP` with one output gives the Value itself instead of a list of one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from reprlib import repr as shortened
from typing import Any

from autograd_lite import linear
from nn.activations import Function, activation_function
from nn.init import Initialiser, generator, initialiser
from nn.init.choosing import checked_draws
from nn.inputs import samples, size
from nn.module import Module, Parameter, flag
from nn.nested import is_list

Seed = int | random.Random | None


def _shown(activation: str | Function | None) -> str:
    """Return an activation as it stands in ``repr``."""
    if activation is None or isinstance(activation, str | Module):
        return repr(activation)
    return getattr(activation, "__name__", repr(activation))


class Neuron(Module):
    """One neuron: activation(w · x + b), recorded as one `dot` node and one activation.

    Parameters
    ----------
    nin : int
        Number of inputs.
    activation : str, callable or None
        A name (see `nn.activations`), a function of one Value, or None for a linear neuron.
    bias : bool
        Whether there is a b. It starts at 0.
    init : str or callable, optional
        Initialiser of the weights (see `nn.init`); by default the one suited to the activation.
    seed : int, random.Random or None
        Where weights are drawn from; None is Python's ``random``.
    fan_out : int
        Number of neurons in the layer that this one belongs to, for Xavier initialisation.

    Attributes
    ----------
    w : list of Parameter
    b : Parameter or None

    Raises
    ------
    TypeError, ValueError
        For a bias that is no bool, a size below 1, an unknown activation or initialiser.

    Examples
    --------
    >>> import nn
    >>> neuron = nn.Neuron(2, activation="sigmoid")
    >>> for parameter, number in zip(neuron.parameters(), [5.0, -5.0, 1.0]):
    ...     parameter.data = number
    >>> round(neuron([1.0, 0.0]).data, 6)
    0.997527
    """

    def __init__(
        self,
        nin: int,
        activation: str | Function | None = "relu",
        bias: bool = True,
        *,
        init: str | Initialiser | None = None,
        seed: Seed = None,
        fan_out: int = 1,
    ) -> None:
        super().__init__()
        self.nin = size(nin, f"{type(self).__name__}'s number of inputs")
        flag(bias, f"{type(self).__name__}'s bias")
        self.activation = activation
        activation_function(activation)  # refuses an unknown name here, not at the first call
        draw = checked_draws(type(self).__name__, initialiser(init, activation))
        rng = generator(seed)
        self.w = [Parameter(draw(rng, self.nin, fan_out)) for _ in range(self.nin)]
        self.b = Parameter(0.0) if bias else None

    def forward(self, x: Any) -> Any:
        """Return one Value for a sample, a list of Values for a batch."""
        inputs, batched = samples(self, self.nin, x)
        biases = None if self.b is None else [self.b]
        function = activation_function(self.activation)
        outputs = [function(y) for (y,) in linear(inputs, [self.w], biases)]
        return outputs if batched else outputs[0]

    def extra_repr(self) -> str:
        return f"{self.nin}, activation={_shown(self.activation)}, bias={self.b is not None}"

    def _title(self) -> str:
        return f"{type(self).__name__}({self.nin})"


class Layer(Module):
    """Neurons beside each other, all with the same inputs.

    All are computed at once, with the layer's activation, and recorded under the layer's name.

    Parameters
    ----------
    nin, nout : int
        Number of inputs and of neurons.
    activation, bias, init, seed
        As for `Neuron`.

    Attributes
    ----------
    neurons : list of Neuron

    Raises
    ------
    TypeError, ValueError
        For a bias that is no bool, a size below 1, an unknown activation or initialiser; when
        called, for a wrong number of inputs.

    Examples
    --------
    >>> import nn
    >>> layer = nn.Layer(3, 2, activation="tanh", seed=0)
    >>> layer
    Layer(3, 2, activation='tanh', bias=True), 8 parameters
    >>> len(layer([1.0, 2.0, 3.0]))
    2
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: str | Function | None = "relu",
        bias: bool = True,
        *,
        init: str | Initialiser | None = None,
        seed: Seed = None,
    ) -> None:
        super().__init__()
        self.nin = size(nin, f"{type(self).__name__}'s number of inputs")
        self.nout = size(nout, f"{type(self).__name__}'s number of neurons")
        flag(bias, f"{type(self).__name__}'s bias")
        self.activation = activation
        activation_function(activation)  # refuses an unknown name here, not at the first call
        rng = generator(seed)
        self.neurons = [
            Neuron(self.nin, activation, bias, init=init, seed=rng, fan_out=self.nout)
            for _ in range(self.nout)
        ]

    def forward(self, x: Any) -> list[Any]:
        """Return a list of outputs for a sample, a list of such lists for a batch."""
        inputs, batched = samples(self, self.nin, x)
        weight = [neuron.w for neuron in self.neurons]
        bias = [neuron.b for neuron in self.neurons] if self.neurons[0].b is not None else None
        function = activation_function(self.activation)
        outputs = [list(map(function, sample)) for sample in linear(inputs, weight, bias)]
        return outputs if batched else outputs[0]

    def _state_members(self) -> dict[str, Any]:
        members = dict(vars(self))
        neurons = members.pop("neurons")
        members["weight"] = [neuron.w for neuron in neurons]
        if neurons[0].b is not None:
            members["bias"] = [neuron.b for neuron in neurons]
        return members

    def extra_repr(self) -> str:
        return (
            f"{self.nin}, {self.nout}, activation={_shown(self.activation)},"
            f" bias={self.neurons[0].b is not None}"
        )

    def _title(self) -> str:
        return f"{type(self).__name__}({self.nin}→{self.nout})"


class MLP(Module):
    """A multi-layer perceptron: layers behind each other.

    Parameters
    ----------
    nin : int
        Number of inputs.
    nouts : sequence of int
        Number of neurons of each layer; the last is the number of outputs.
    activation : str, callable, None, or a list of them
        Of the hidden layers; a list has one for each.
    output_activation : str, callable or None
        Of the last layer.
    bias : bool
        Whether neurons have a bias.
    seed : int, random.Random or None
        One generator for all layers; None draws from Python's ``random``.
    init : str or callable, optional
        Initialiser of all weights; by default the one suited to each layer's activation.

    Attributes
    ----------
    layers : list of Layer

    Raises
    ------
    TypeError, ValueError
        For a bias that is no bool, no layers, a size below 1, an unknown activation, a wrong
        number of activations.

    Notes
    -----
    With one output, a sample gives the Value itself and a batch a list of Values; with more, lists.

    Layers are counted by their weights: ``MLP(2, [16, 16, 1])`` has L = 3, two hidden ones and the
    output's, which is number L. Some lectures count the hidden layers alone, L = 2 here, and call
    the output's L + 1.

    Examples
    --------
    >>> import nn
    >>> model = nn.MLP(2, [16, 16, 1], seed=0)
    >>> len(model.parameters())
    337
    >>> model([0.5, -1.0]).op
    'dot'
    >>> len(nn.MLP(3, [2, 2, 1], "sigmoid", "sigmoid", bias=False).parameters())
    12
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: str | Function | Sequence[str | Function | None] | None = "relu",
        output_activation: str | Function | None = None,
        bias: bool = True,
        seed: Seed = None,
        *,
        init: str | Initialiser | None = None,
    ) -> None:
        super().__init__()
        if not is_list(nouts):
            raise TypeError(
                f"MLP expected a list of layer sizes, such as [16, 16, 1], got"
                f" {type(nouts).__name__}: {shortened(nouts)}"
            )
        sizes = [nin, *nouts]
        hidden = len(sizes) - 2
        if hidden < 0:
            raise ValueError("MLP expected at least one layer size, got an empty list")
        flag(bias, f"{type(self).__name__}'s bias")
        activations: list[Any] = [activation]
        if isinstance(activation, list | tuple):
            activations = list(activation)
        else:
            activation_function(*activations)  # is one, even where no hidden layer takes it
            activations *= hidden
        if len(activations) != hidden:
            raise ValueError(
                f"MLP expected one activation for each of {hidden} hidden layers (the last layer"
                f" takes output_activation), got {len(activations)}"
            )
        activations.append(output_activation)
        rng = generator(seed)
        self.layers = [
            Layer(fan_in, fan_out, chosen, bias, init=init, seed=rng)
            for fan_in, fan_out, chosen in zip(sizes[:-1], sizes[1:], activations, strict=True)
        ]

    def forward(self, x: Any) -> Any:
        """Return the outputs of a sample, or a list of those of a batch."""
        for layer in self.layers:
            x = layer(x)
        if self.layers[-1].nout > 1:
            return x
        return [sample[0] for sample in x] if isinstance(x[0], list) else x[0]

    def _title(self) -> str:
        sizes = [self.layers[0].nin, *(layer.nout for layer in self.layers)]
        return f"{type(self).__name__}({'→'.join(map(str, sizes))})"


class Linear(Module):
    """The affine map Wx + b, one `dot` node per output.

    Parameters
    ----------
    in_features, out_features : int
        Number of inputs and outputs.
    bias : bool
        Whether there is a b. It starts at 0.
    init : str or callable, optional
        Initialiser of W. By default ``"xavier_normal"``, since the layer does not know which
        activation follows; before a ReLU, ``init="he_normal"`` is the better choice. (PyTorch draws
        W and b uniformly from ±1/√in_features.)
    seed : int, random.Random or None
        Where weights are drawn from; None is Python's ``random``.

    Attributes
    ----------
    weight : list of lists of Parameter
        W, of shape outputs × inputs, as in PyTorch: one row per output.
    bias : list of Parameter, or None

    Raises
    ------
    TypeError, ValueError
        For a bias that is no bool, a size below 1 or an unknown initialiser; when called, for a
        wrong number of inputs.

    Notes
    -----
    Lectures that write xW + b, with x as a row, have W as inputs × outputs: the transpose of
    ``weight``. The gradient of the loss by W has the shape of W here, ∂loss/∂W = δ xᵀ with
    δ = ∂loss/∂(Wx + b). In denominator layout the derivative ∂(Wx + b)/∂x is Wᵀ, in numerator
    layout (that of Jacobians) W; the gradient by x is Wᵀ δ in either.

    Examples
    --------
    >>> import nn
    >>> fc = nn.Linear(3, 2)
    >>> len(fc.weight), len(fc.weight[0]), len(fc.bias)
    (2, 3, 2)
    >>> len(fc([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]))
    3
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: str | Initialiser | None = None,
        seed: Seed = None,
    ) -> None:
        super().__init__()
        self.in_features = nin = size(in_features, f"{type(self).__name__}'s in_features")
        self.out_features = nout = size(out_features, f"{type(self).__name__}'s out_features")
        flag(bias, f"{type(self).__name__}'s bias")
        draw, rng = checked_draws(type(self).__name__, initialiser(init)), generator(seed)
        self.weight = [[Parameter(draw(rng, nin, nout)) for _ in range(nin)] for _ in range(nout)]
        self.bias = [Parameter(0.0) for _ in range(nout)] if bias else None

    def forward(self, x: Any) -> list[Any]:
        """Return a list of outputs for a sample, a list of such lists for a batch."""
        inputs, batched = samples(self, self.in_features, x)
        outputs = linear(inputs, self.weight, self.bias)
        return outputs if batched else outputs[0]

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features},"
            f" bias={self.bias is not None}"
        )

    def _title(self) -> str:
        return f"{type(self).__name__}({self.in_features}→{self.out_features})"
