"""Which initialiser a layer takes: by name, or the one that suits its activation."""

from __future__ import annotations

import math
import random
from typing import Any

from autograd_lite import Value
from nn.init.distributions import constant, normal, uniform
from nn.init.initialisers import (
    Initialiser,
    he_normal,
    he_uniform,
    lecun_normal,
    ones,
    xavier_normal,
    xavier_uniform,
    zeros,
)
from nn.nested import number_for

INITIALISERS: dict[str, Initialiser] = {
    "he": he_normal,
    "xavier": xavier_normal,
    "lecun": lecun_normal,
    "kaiming": he_normal,  # PyTorch's name for He's
    "kaiming_normal": he_normal,
    "kaiming_uniform": he_uniform,
    **{
        function.__name__: function
        for function in (
            he_normal,
            he_uniform,
            xavier_normal,
            xavier_uniform,
            lecun_normal,
            zeros,
            ones,
        )
    },
    "uniform": uniform(),
    "normal": normal(),
}
"""The initialisers by name."""

_SUITED_TO: dict[str, Initialiser] = {
    "relu": he_normal,
    "leakyrelu": he_normal,
    "elu": he_normal,
    "softplus": he_normal,
    "silu": he_normal,
    "gelu": he_normal,
    "mish": he_normal,
    "selu": lecun_normal,
}


def suited_to(activation: object) -> Initialiser:
    """Return the initialiser for weights whose sums go through an activation.

    He for those that are about 0 on the left (relu, leaky_relu, elu, softplus, silu, gelu, mish),
    LeCun for selu, Xavier for all others: tanh, sigmoid, none, or a function of one's own.

    Parameters
    ----------
    activation : str, callable or None
        A name, a function (judged by its name) or an activation module.

    Examples
    --------
    >>> from nn.init import suited_to
    >>> suited_to("relu").__name__, suited_to("tanh").__name__, suited_to(None).__name__
    ('he_normal', 'xavier_normal', 'xavier_normal')
    """
    if isinstance(activation, str):
        name = activation
    else:
        name = getattr(activation, "__name__", type(activation).__name__)
    # One key for "leaky_relu", the engine's function of that name, and the module LeakyReLU.
    return _SUITED_TO.get(name.replace("_", "").lower(), xavier_normal)


def initialiser(init: str | Initialiser | None, activation: object = None) -> Initialiser:
    """Return an initialiser given by name or as a function; for None the one for the activation.

    Parameters
    ----------
    init : str, callable or None
        A name in `INITIALISERS`, or a function ``init(rng, fan_in, fan_out)`` that draws a weight.
    activation : str, callable or None, optional
        As for `suited_to`.

    Raises
    ------
    ValueError
        If no initialiser has that name.
    TypeError
        If it is neither a name nor a function, or one that cannot be called with three arguments.

    Examples
    --------
    >>> from nn.init import initialiser
    >>> initialiser("he").__name__, initialiser(None, "selu").__name__
    ('he_normal', 'lecun_normal')
    """
    if init is None:
        return suited_to(activation)
    if isinstance(init, str):
        if init not in INITIALISERS:
            raise ValueError(f"init expected one of {', '.join(INITIALISERS)}, got {init!r}")
        return INITIALISERS[init]
    makers: tuple[object, ...] = (constant, uniform, normal)
    if init in makers:
        name = getattr(init, "__name__", "")
        raise TypeError(
            f"init expected an initialiser, got the function {name} that makes one: call it first,"
            f" as in nn.init.{name}(0.5)"
        )
    if not callable(init):
        raise TypeError(
            f"init expected a name or a function of (rng, fan_in, fan_out), got"
            f" {type(init).__name__}: {init!r}"
        )
    if not _takes_three(init):
        name = getattr(init, "__name__", repr(init))
        raise TypeError(
            f"init expected a function of (rng, fan_in, fan_out), got {name}, which cannot be"
            " called with three arguments"
        )
    return init


def _takes_three(function: Any) -> bool:
    """Tell whether a function can be called with three arguments, as far as can be known."""
    from inspect import signature  # which takes long to import and few need

    try:
        described = signature(function)
    except (TypeError, ValueError):  # of some functions in C nothing is known
        return True
    try:
        described.bind(None, None, None)
    except TypeError:
        return False
    return True


def checked_draws(owner: str, draw: Initialiser) -> Initialiser:
    """Return an initialiser for a layer that says so if a user's function gives no finite number.

    Parameters
    ----------
    owner : str
        The layer's class, for messages.
    draw : callable
        As `initialiser` returns it; those in `INITIALISERS` need no check.

    Raises
    ------
    TypeError
        When the result is called, if ``draw`` returns what is no number.
    ValueError
        When the result is called, if ``draw`` returns NaN or an infinity.

    Examples
    --------
    >>> from nn.init.choosing import checked_draws
    >>> checked_draws("Linear", lambda rng, fan_in, fan_out: 1 / fan_in)(None, 4, 2)
    0.25
    """
    if draw in INITIALISERS.values():
        return draw

    def checked(rng: random.Random, fan_in: int, fan_out: int) -> float:
        wanted = f"{owner}'s init expected a function that returns finite numbers"
        given: Any = number_for(wanted, draw(rng, fan_in, fan_out))
        weight = float(given.data if isinstance(given, Value) else given)
        if not math.isfinite(weight):
            raise ValueError(f"{wanted}, got one that returned {weight}")
        return weight

    return checked
