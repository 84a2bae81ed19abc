"""Gradients divided by a running root mean square."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd_lite import Value
from nn.optim.optimizer import Optimizer, interpolated


def _rmsprop(
    data: Any, gradient: Any, state: Any, settings: tuple[Any, ...], sqrt: Callable[[Any], Any]
) -> tuple[Any, Any]:
    """Return θ and (s, v, m) after one step, None for what is not needed; see `RMSprop`."""
    lr, alpha, eps, weight_decay, momentum, centered = settings
    if weight_decay:
        gradient = gradient + weight_decay * data
    square, velocity, average = (0.0, None, None) if state is None else state
    square = alpha * square + (1.0 - alpha) * gradient * gradient
    if centered:
        average = interpolated(0.0 if average is None else average, gradient, 1.0 - alpha)
        variance = square - average * average
        root = sqrt(variance * (variance > 0.0))  # rounding can make it negative
    else:
        root = sqrt(square)
    step = gradient / (root + eps)
    if momentum:
        step = velocity = step if velocity is None else momentum * velocity + step
    return data - lr * step, (square, velocity, average)


class RMSprop(Optimizer):
    """Steps of the gradient divided by the root of its running mean square.

    s ← alpha · s + (1 - alpha) · g²; θ ← θ - lr · g / (√s + eps). Centred, √(s - m²) stands in
    place of √s, with m ← alpha · m + (1 - alpha) · g. With momentum, v ← momentum · v + g / (√s +
    eps) and θ ← θ - lr · v. All averages begin with 0 and are not corrected for it, so the first
    step is 1 / √(1 - alpha) times lr.

    Parameters
    ----------
    params : iterable of Value or of dicts
        See `Optimizer`.
    lr : float
        The learning rate.
    alpha : float
        How much of the averages is kept, in [0, 1).
    eps : float
        Above 0; keeps the quotient finite.
    weight_decay : float
        λ of the penalty ½λ‖θ‖², whose gradient λθ is added to g.
    momentum : float
    centered : bool
        Divide by the spread of the gradient. A mean square that rounding has made less than the
        squared mean counts as equal to it (PyTorch goes on with NaN).

    Raises
    ------
    TypeError, ValueError
        As for `Optimizer`.

    References
    ----------
    Tieleman and Hinton, lecture 6e of Neural Networks for Machine Learning, 2012.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.optim.RMSprop([w], lr=0.01)
    >>> (1000.0 * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 9)
    0.9
    """

    rule = staticmethod(_rmsprop)
    state_names = ("square_avg", "momentum_buffer", "grad_avg")
    state_optional = frozenset({"momentum_buffer", "grad_avg"})

    def __init__(
        self,
        params: Iterable[Value] | Iterable[Mapping[str, Any]],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
        }
        super().__init__(params, defaults)
