"""Gradient clipping: gradients that are too large are made smaller before the step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from autograd_lite import Value, arrays
from nn.module import flag
from nn.optim.param_group import checked_parameters
from nn.settings import checked_number


def clip_grad_norm_(
    parameters: Value | Iterable[Value],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients by one factor, so that their norm is at most ``max_norm``.

    ``torch.nn.utils.clip_grad_norm_`` in PyTorch; there is no ``nn.utils`` here.

    If ‖∇‖ > max_norm, ∇ ← max_norm · ∇ / (‖∇‖ + 1e-6), which keeps the direction. The 1e-6 is
    PyTorch's: the gradient (3, 4) becomes (0.59999988, 0.79999984) for ``max_norm=1``, where the
    lectures, without it, have (0.6, 0.8).

    Parameters
    ----------
    parameters : Value or iterable of Value
        What `backward` has not reached since `zero_grad` is not counted and left as it is.
    max_norm : float
        Above 0; `math.inf` to compute the norm alone.
    norm_type : float
        p of the norm (Σ|∂|ᵖ)^(1/p), above 0; `math.inf` for the largest absolute value.
    error_if_nonfinite : bool
        Whether to refuse gradients whose norm is infinite or NaN. Otherwise they become 0 and NaN,
        as in PyTorch.

    Returns
    -------
    float
        The norm before.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.
    RuntimeError
        If the norm is infinite or NaN and ``error_if_nonfinite``; the gradients stay as they are.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html

    Examples
    --------
    >>> import nn
    >>> w, v = nn.Parameter(1.0), nn.Parameter(1.0)
    >>> (3.0 * w + 4.0 * v).backward()
    >>> nn.clip_grad_norm_([w, v], max_norm=1.0)
    5.0
    >>> round(w.grad, 8), round(v.grad, 8)
    (0.59999988, 0.79999984)
    """
    name = "clip_grad_norm_"
    largest = _bound(name, "max_norm", max_norm)
    order = _bound(name, "norm_type", norm_type)
    flag(error_if_nonfinite, f"{name}'s error_if_nonfinite")
    given, in_arrays = _parameters(name, parameters)
    reached = [] if in_arrays is not None else [p for p in given if p.reached]
    if in_arrays is not None and order == 2.0:
        norm = in_arrays.norm()
    else:
        written = in_arrays.written() if in_arrays is not None else None
        norm = _norm([float(p.grad) for p in reached] if written is None else written, order)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(f"clip_grad_norm_ expected gradients of a finite norm, got norm {norm}")
    factor = largest / (norm + 1e-6)
    if not (factor >= 1.0 or largest == math.inf):
        if in_arrays is not None:
            in_arrays.scale(factor)
        for parameter in reached:
            parameter.grad = factor * float(parameter.grad)
    return norm


def clip_grad_value_(parameters: Value | Iterable[Value], clip_value: float) -> None:
    """Move every gradient into [-clip_value, clip_value], which may turn the direction.

    Parameters
    ----------
    parameters : Value or iterable of Value
        What `backward` has not reached since `zero_grad` is left as it is.
    clip_value : float
        Above 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html

    Examples
    --------
    >>> import nn
    >>> w, v = nn.Parameter(1.0), nn.Parameter(1.0)
    >>> (3.0 * w - 0.5 * v).backward()
    >>> nn.clip_grad_value_([w, v], clip_value=1.0)
    >>> w.grad, v.grad
    (1.0, -0.5)
    """
    name = "clip_grad_value_"
    bound = _bound(name, "clip_value", clip_value)
    given, in_arrays = _parameters(name, parameters)
    if in_arrays is not None:
        in_arrays.clamp(bound)
        return
    for parameter in given:
        gradient = float(parameter.grad)
        if parameter.reached and abs(gradient) > bound:
            parameter.grad = math.copysign(bound, gradient)


def _bound(owner: str, name: str, given: Any) -> float:
    """Return a number above 0, perhaps infinite."""
    return (
        math.inf
        if given in (math.inf, "inf")
        else checked_number(owner, name, given, positive=True)
    )


def _parameters(owner: str, parameters: Any) -> tuple[list[Value], arrays.Gradients | None]:
    """Return the parameters, and their gradients if these are in arrays."""
    known = arrays.known_gradients_of(parameters)
    if known is not None:
        return parameters, known
    given = checked_parameters(owner, [parameters] if isinstance(parameters, Value) else parameters)
    return given, arrays.gradients_of(given)


def _norm(gradients: list[float], order: float) -> float:
    """Return the norm, without overflow or underflow on the way."""
    sizes = [abs(gradient) for gradient in gradients]
    if any(map(math.isnan, sizes)):
        return math.nan
    if order == 2.0:
        return math.hypot(*sizes)
    largest = max(sizes, default=0.0)
    if order == math.inf or largest in (0.0, math.inf):
        return largest
    summed = math.fsum((size / largest) ** order for size in sizes)
    return largest * _power(summed, 1.0 / order)


def _power(base: float, exponent: float) -> float:
    try:
        return float(base**exponent)
    except OverflowError:  # of the norm of a tiny order
        return math.inf
