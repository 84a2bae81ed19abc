"""By how much weights have to be larger before an activation that shrinks what it gets."""

from __future__ import annotations

import math

from nn.nested import number_for

GAINS = {
    "linear": 1.0,
    "identity": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4.0,
}
"""PyTorch's gains; that of leaky_relu depends on its slope."""


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor on the spread of the weights that suits an activation.

    √2 for relu, √(2 / (1 + slope²)) for leaky_relu, 5/3 for tanh, 1 for sigmoid and linear, ¾ for
    selu: PyTorch's, which for tanh and selu were found by experiment.

    Parameters
    ----------
    nonlinearity : str
        The activation's name.
    param : float, optional
        The slope of leaky_relu, 0.01 unless given.

    Raises
    ------
    ValueError
        If no gain is known for that name, or a param is given for another than leaky_relu.
    TypeError
        If the slope is no number.

    Examples
    --------
    >>> from functools import partial
    >>> import nn
    >>> nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    >>> init = partial(nn.init.xavier_uniform, gain=nn.init.calculate_gain("tanh"))
    >>> layer = nn.Layer(4, 3, "tanh", init=init, seed=0)
    """
    if nonlinearity == "leaky_relu":
        wanted = "calculate_gain expected a number as the slope of leaky_relu"
        slope = 0.01 if param is None else float(number_for(wanted, param))
        return math.sqrt(2.0 / (1.0 + slope * slope))
    if nonlinearity not in GAINS:
        known = ", ".join([*GAINS, "leaky_relu"])
        raise ValueError(f"calculate_gain expected one of {known}, got {nonlinearity!r}")
    if param is not None:
        raise ValueError(f"calculate_gain expected no param for {nonlinearity}, got {param!r}")
    return GAINS[nonlinearity]
