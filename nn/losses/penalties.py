"""Penalties on the size of the weights, to be added to a loss."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from autograd_lite import dot
from nn.nested import flat, number_for


def l2_penalty(parameters: Sequence[Any], lam: float) -> Any:
    """Return weight decay as a penalty, λ‖Θ‖² = λ Σ θ², to be added to a loss.

    Its gradient is 2λΘ, where an optimiser's ``weight_decay=λ`` adds λΘ: for SGD (and for Adam,
    but not for AdamW, which decays apart from the gradient) the penalty with λ/2 is the same as
    the setting with λ.

    One step at learning rate η goes to θ - η (∇L + 2λθ). In some lectures the step forgets η before
    λ∇Ω, with Ω = ‖θ‖², and goes to θ - η∇L - 2λθ: from θ = 2 with ∇L = 0, η = 0.1 and λ = 0.5 that
    gives 0, where the penalty gives 1.8 and ``weight_decay=0.5`` 1.9.

    It comes from a prior: if weights are normal with variance τ², -log of their density is
    ‖Θ‖² / (2τ²) and a constant. Beside a negative log-likelihood summed over the data λ is
    1 / (2τ²), beside one averaged over N samples 1 / (2τ²N).

    Parameters
    ----------
    parameters : (nested) list of Values or numbers
        Such as ``model.parameters()``, or the weights alone, without biases.
    lam : float
        λ, finite and at least 0.

    Returns
    -------
    Value
        Two nodes, however many parameters. A float if nothing is a Value.

    Raises
    ------
    ValueError
        For another λ, or no parameters.
    TypeError
        For what is no number.

    Examples
    --------
    >>> import nn
    >>> theta = [nn.Parameter(2.0), nn.Parameter(-1.0)]
    >>> penalty = nn.l2_penalty(theta, 0.5)
    >>> penalty.backward()
    >>> penalty.data, [p.grad for p in theta]
    (2.5, [2.0, -1.0])
    """
    strength = float(number_for("l2_penalty expected a number for lam", lam))
    if not 0.0 <= strength < inf:
        raise ValueError(f"l2_penalty expected a finite lam of at least 0, got {lam!r}")
    wanted = "l2_penalty expected numbers as parameters"
    weights = [number_for(wanted, weight, i) for i, weight in enumerate(flat(parameters))]
    if not weights:
        raise ValueError("l2_penalty expected at least one parameter, got an empty list")
    return dot(weights, weights) * strength
