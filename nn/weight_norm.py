"""Weight normalisation: the length of a weight vector learned apart from its direction."""

from __future__ import annotations

from copy import copy
from random import Random
from typing import Any

from autograd_lite import norm
from nn.layers import Linear
from nn.module import Module, Parameter, refuse_class


class WeightNorm(Module):
    """A linear layer whose weights are w = g · v / ‖v‖, one length g and direction v per output.

    The gradients are those of g and v: ∂L/∂g = ∇w · v / ‖v‖ and, with it,
    ∂L/∂v = g / ‖v‖ · (∇w - ∂L/∂g · v / ‖v‖), which is orthogonal to v.

    Parameters
    ----------
    module : Linear
        Its weights become v, and their lengths g, so that outputs stay what they are. The wrapper
        takes over the Parameters of the weights and biases; use it in place of the layer.

    Attributes
    ----------
    weight_g : list of lists of one Parameter
        g, a column as in PyTorch.
    weight_v : list of lists of Parameter
        v, one row per output.
    module : Linear
        The layer without weights of its own.

    Raises
    ------
    TypeError
        If ``module`` is no `Linear`.
    ValueError
        If all weights of an output are 0: they have no direction.

    References
    ----------
    Salimans and Kingma, Weight Normalization: A Simple Reparameterization to Accelerate Training
    of Deep Neural Networks, 2016.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html

    Examples
    --------
    >>> import nn
    >>> fc = nn.Linear(2, 1)
    >>> _ = fc.load_state_dict({"weight": [[3.0, 4.0]], "bias": [0.5]})
    >>> layer = nn.WeightNorm(fc)
    >>> layer
    WeightNorm(in_features=2, out_features=1, bias=True), 4 parameters
    >>> layer.weight_g[0][0].data, layer([1.0, 1.0])[0].data
    (5.0, 7.5)
    >>> layer.weight_g[0][0].data = 10.0
    >>> layer.remove().state_dict()
    {'weight': [[6.0, 8.0]], 'bias': [0.5]}
    """

    def __init__(self, module: Any) -> None:
        super().__init__()
        refuse_class(module, "WeightNorm expected a Linear layer")
        if not isinstance(module, Linear):
            raise TypeError(f"WeightNorm expected a Linear layer, got {type(module).__name__}")
        for output, row in enumerate(module.weight):
            if not any(weight.data for weight in row):
                raise ValueError(
                    "WeightNorm expected weights that have a direction, got only zeros in row"
                    f" {output} of the layer's weight"
                )
        self.module = copy(module)
        self.module.weight = []
        self.weight_g = [[Parameter(norm([w.data for w in row]))] for row in module.weight]
        self.weight_v = module.weight

    def weight(self) -> list[list[Any]]:
        """Return the weights w as Values computed from g and v, one row per output.

        Examples
        --------
        >>> import nn
        >>> fc = nn.Linear(2, 1, init=lambda rng, fan_in, fan_out: 0.5)
        >>> nn.WeightNorm(fc).weight()[0][0].data
        0.5
        """
        rows = []
        for (length,), direction in zip(self.weight_g, self.weight_v, strict=True):
            scale = length / norm(direction)
            rows.append([v * scale for v in direction])
        return rows

    def forward(self, x: Any) -> list[Any]:
        """Return a list of outputs for a sample, a list of such lists for a batch."""
        # A copy for this call alone, so that threads do not get each other's weights.
        layer = copy(self.module)
        layer.weight = self.weight()
        return layer.forward(x)

    def remove(self) -> Linear:
        """Return a plain layer that computes the same, with new Parameters.

        Examples
        --------
        >>> import nn
        >>> fc = nn.WeightNorm(nn.Linear(2, 1, seed=0)).remove()
        >>> fc
        Linear(in_features=2, out_features=1, bias=True), 3 parameters
        """
        old = self.module
        layer = Linear(old.in_features, old.out_features, old.bias is not None, init=_zero)
        layer.weight = [[Parameter(w.data) for w in row] for row in self.weight()]
        if old.bias is not None:
            layer.bias = [Parameter(b.data) for b in old.bias]
        return layer.train(self.training)

    def _state_members(self) -> dict[str, Any]:
        """Name the arrays as PyTorch's weight_norm does."""
        members = dict(vars(self))
        layer = members.pop("module")
        return {**members, "bias": layer.bias}

    def extra_repr(self) -> str:
        return self.module.extra_repr()

    def _title(self) -> str:
        return f"{type(self).__name__}({self.module.in_features}→{self.module.out_features})"


def _zero(rng: Random, fan_in: int, fan_out: int) -> float:
    return 0.0
