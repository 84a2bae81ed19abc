"""Adaptive moment estimation, with weight decay in the gradient (Adam) or beside it (AdamW)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd_lite import Value
from nn.optim.optimizer import Optimizer, interpolated


def _adam(
    data: Any, gradient: Any, state: Any, settings: tuple[Any, ...], sqrt: Callable[[Any], Any]
) -> tuple[Any, Any]:
    """Return θ and (t, m, s) after one step; see `Adam`."""
    lr, (beta1, beta2), eps, weight_decay = settings
    if weight_decay:
        gradient = gradient + weight_decay * data
    step, average, square = (0, 0.0, 0.0) if state is None else state
    step += 1
    average = interpolated(average, gradient, 1.0 - beta1)
    square = beta2 * square + (1.0 - beta2) * gradient * gradient
    # m̂ / (√ŝ + eps) with both sides of the quotient times √(1 - β₂ᵗ): one division less for each θ
    scale = sqrt(1.0 - beta2**step)
    rate = lr * scale / (1.0 - beta1**step)
    return data - rate * (average / (sqrt(square) + eps * scale)), (step, average, square)


def _adamw(
    data: Any, gradient: Any, state: Any, settings: tuple[Any, ...], sqrt: Callable[[Any], Any]
) -> tuple[Any, Any]:
    """Return θ and (t, m, s) after one step; see `AdamW`."""
    lr, betas, eps, weight_decay = settings
    data = data * (1.0 - lr * weight_decay)
    return _adam(data, gradient, state, (lr, betas, eps, 0.0), sqrt)


class Adam(Optimizer):
    """Adaptive moment estimation, with bias correction.

    m ← β₁m + (1 - β₁)g; s ← β₂s + (1 - β₂)g²; θ ← θ - lr · m̂ / (√ŝ + eps) with m̂ = m / (1 - β₁ᵗ)
    and ŝ = s / (1 - β₂ᵗ) at step t. Lectures that leave the hats out of the last line make the
    first step (1 - β₁) / √(1 - β₂) times as large: 3.162 times with the default betas.

    Parameters
    ----------
    params : iterable of Value or of dicts
        See `Optimizer`.
    lr : float
        The learning rate.
    betas : pair of floats
        β₁ and β₂, each in [0, 1).
    eps : float
        Above 0; keeps the quotient finite.
    weight_decay : float
        λ of the penalty ½λ‖θ‖², whose gradient λθ is added to g. It is divided by √ŝ with the rest
        of g, so weights with large gradients decay less; see `AdamW`.

    Raises
    ------
    TypeError, ValueError
        As for `Optimizer`.

    References
    ----------
    Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html

    Examples
    --------
    The first step has the size of lr, however large the gradient is.

    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.optim.Adam([w], lr=0.1)
    >>> (1000.0 * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 9)
    0.9
    """

    rule = staticmethod(_adam)
    state_names = ("step", "exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Value] | Iterable[Mapping[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)


class AdamW(Optimizer):
    """Adam with decoupled weight decay.

    θ ← θ - lr · weight_decay · θ, and then Adam's step from the gradient alone: all weights decay
    at the same rate. (`Adam` adds the decay to the gradient, which is another method.)

    Parameters
    ----------
    params : iterable of Value or of dicts
        See `Optimizer`.
    lr : float
        The learning rate.
    betas : pair of floats
        β₁ and β₂, each in [0, 1).
    eps : float
        Above 0; keeps the quotient finite.
    weight_decay : float
        The share lr · weight_decay of each weight is lost at every step.

    Raises
    ------
    TypeError, ValueError
        As for `Optimizer`.

    References
    ----------
    Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html

    Examples
    --------
    Without a gradient all that is left is the decay.

    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (0.0 * w).backward()
    >>> optimizer.step()
    >>> w.data
    0.95
    """

    rule = staticmethod(_adamw)
    state_names = ("step", "exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Value] | Iterable[Mapping[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)
