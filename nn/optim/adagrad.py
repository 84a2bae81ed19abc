"""Gradients divided by the root of the sum of their squares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd_lite import Value
from nn.optim.optimizer import Optimizer


def _adagrad(
    data: Any, gradient: Any, state: Any, settings: tuple[Any, ...], sqrt: Callable[[Any], Any]
) -> tuple[Any, Any]:
    """Return θ and (t, s) after one step; see `Adagrad`."""
    lr, lr_decay, weight_decay, initial_accumulator_value, eps = settings
    if weight_decay:
        gradient = gradient + weight_decay * data
    step, summed = (0, initial_accumulator_value) if state is None else state
    summed = summed + gradient * gradient
    rate = lr / (1.0 + step * lr_decay)
    return data - rate * (gradient / (sqrt(summed) + eps)), (step + 1, summed)


class Adagrad(Optimizer):
    """Steps of the gradient divided by the root of the sum of all its squares.

    s ← s + g²; θ ← θ - lr / (1 + (t - 1) · lr_decay) · g / (√s + eps) at step t. The sum only
    grows, so the steps become ever smaller: as 1/√t for gradients of one size.

    Parameters
    ----------
    params : iterable of Value or of dicts
        See `Optimizer`.
    lr : float
        The learning rate.
    lr_decay : float
        How fast the learning rate itself falls.
    weight_decay : float
        λ of the penalty ½λ‖θ‖², whose gradient λθ is added to g.
    initial_accumulator_value : float
        s before the first step.
    eps : float
        Above 0; keeps the quotient finite.

    Raises
    ------
    TypeError, ValueError
        As for `Optimizer`.

    References
    ----------
    Duchi, Hazan and Singer, Adaptive Subgradient Methods, 2011.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.optim.Adagrad([w], lr=0.5)
    >>> for _ in range(4):
    ...     w.grad = 1000.0
    ...     optimizer.step()
    >>> round(1.0 - w.data, 9) == round(0.5 * (1 + 2**-0.5 + 3**-0.5 + 4**-0.5), 9)
    True
    """

    rule = staticmethod(_adagrad)
    state_names = ("step", "sum")

    def __init__(
        self,
        params: Iterable[Value] | Iterable[Mapping[str, Any]],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
        }
        super().__init__(params, defaults)
