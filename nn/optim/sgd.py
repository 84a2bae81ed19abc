"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd_lite import Value
from nn.optim.optimizer import Optimizer


def _sgd(
    data: Any, gradient: Any, state: Any, settings: tuple[Any, ...], sqrt: Callable[[Any], Any]
) -> tuple[Any, Any]:
    """Return θ and (v,) after one step; see `SGD`."""
    lr, momentum, dampening, weight_decay, nesterov = settings
    if weight_decay:
        gradient = gradient + weight_decay * data
    if not momentum:
        return data - lr * gradient, state
    velocity = gradient if state is None else momentum * state[0] + (1.0 - dampening) * gradient
    direction = gradient + momentum * velocity if nesterov else velocity
    return data - lr * direction, (velocity,)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and weight decay.

    g ← g + weight_decay · θ; v ← momentum · v + (1 - dampening) · g, at the first step v = g;
    θ ← θ - lr · v, with Nesterov θ ← θ - lr · (g + momentum · v). Without momentum, v = g.

    The step goes down, against the gradient; lectures that write θ + μ∇J go up. The velocity is a
    sum of gradients, not an average: three unit gradients at lr 0.1 and momentum 0.9 move by -0.561
    (with the running average of some lectures, (1 - momentum) · g, by -0.0561; here that is the
    learning rate (1 - momentum) · lr, or ``dampening=0.9`` but for the first gradient, which counts
    in full).

    Parameters
    ----------
    params : iterable of Value or of dicts
        See `Optimizer`.
    lr : float
        The learning rate.
    momentum : float
    dampening : float
    weight_decay : float
        λ of the penalty ½λ‖θ‖², whose gradient is λθ: θ = 2 without another gradient goes to 1.9 at
        lr 0.1 and λ = 0.5. A penalty λ‖θ‖² in the loss has the gradient 2λθ, and gives 1.8. (It
        gives 0 in lectures that forget lr before it, θ - lr · ∇L - 2λθ.)
    nesterov : bool
        Look ahead along the velocity; needs a momentum and no dampening.

    Raises
    ------
    TypeError, ValueError
        As for `Optimizer`; a ValueError for nesterov without momentum or with dampening.

    References
    ----------
    https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> optimizer
    SGD(1 parameter, lr=0.1, momentum=0.9, dampening=0.0, weight_decay=0.0, nesterov=False)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     w.backward()
    ...     optimizer.step()
    >>> round(w.data, 12)
    0.439
    """

    rule = staticmethod(_sgd)
    state_names = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Value] | Iterable[Mapping[str, Any]],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
        }
        super().__init__(params, defaults)

    @classmethod
    def check_settings(cls, settings: Mapping[str, Any]) -> None:
        momentum, dampening = settings["momentum"], settings["dampening"]
        if settings["nesterov"] and (momentum == 0.0 or dampening != 0.0):
            raise ValueError(
                f"{cls.__name__} with nesterov=True expected a momentum > 0 and dampening 0, got"
                f" momentum {momentum} and dampening {dampening}"
            )
