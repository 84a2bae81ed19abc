"""Optimisers: what a gradient does to the parameters. Names and update rules are PyTorch's.

An optimiser owns its state (velocities, running averages); parameters know nothing of it. A step
first computes all new numbers and then writes them, so a step that fails changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from reprlib import repr as shortened
from typing import Any

from autograd_lite import Value, warn_slip
from nn.module import flag


def _setting(owner: object, name: str, given: Any, *, below: float = math.inf) -> float:
    """Return a setting as a float in [0, below), or say what is wrong with it."""
    optimiser = type(owner).__name__
    wanted = f"a finite {name} >= 0" if below == math.inf else f"0 <= {name} < {below:g}"
    try:
        setting = float(given)
    except (TypeError, ValueError):
        raise TypeError(
            f"{optimiser} expected a number for {name}, got {type(given).__name__}:"
            f" {shortened(given)}"
        ) from None
    if not 0.0 <= setting < below:
        raise ValueError(f"{optimiser} expected {wanted}, got {given}")
    return setting


def _checked(owner: object, params: Any) -> list[Value]:
    """Return the parameters as a list, or say what is wrong with them."""
    optimiser = type(owner).__name__
    if isinstance(params, Value) or not isinstance(params, Iterable):
        raise TypeError(
            f"{optimiser} expected a list of parameters, as from model.parameters(), got"
            f" {type(params).__name__}"
        )
    given = list(params)
    if not given:
        raise ValueError(f"{optimiser} expected at least one parameter, got an empty list")
    seen: dict[int, int] = {}
    for position, parameter in enumerate(given):
        if not isinstance(parameter, Value):
            raise TypeError(
                f"{optimiser} expected Values as parameters, got {type(parameter).__name__} at"
                f" position {position}: {shortened(parameter)}"
            )
        if parameter.op:
            raise ValueError(
                f"{optimiser} expected leaves as parameters, got the result of {parameter.op!r} at"
                f" position {position}"
            )
        if seen.setdefault(id(parameter), position) != position:
            raise ValueError(
                f"{optimiser} expected every parameter once, got the same one at positions"
                f" {seen[id(parameter)]} and {position}"
            )
    return given


class Optimizer:
    """What optimisers have in common: the parameters, the learning rate, and the step.

    A subclass says in `_updated` what one step does to one parameter.

    Parameters
    ----------
    params : iterable of Value
        Leaves, as from ``model.parameters()``. Those with ``requires_grad=False`` are left alone.
    lr : float
        The learning rate, a finite number ≥ 0; can be set to another between steps.

    Attributes
    ----------
    params : list of Value
    lr : float
    state : list
        What the optimiser remembers about each parameter, None before the first step.

    Raises
    ------
    TypeError
        If ``params`` is not a list of Values, or a setting is not a number.
    ValueError
        For an empty list, a parameter given twice or computed from others, or a setting out of
        range.
    """

    def __init__(self, params: Iterable[Value], lr: float) -> None:
        self.params = _checked(self, params)
        self.lr = lr
        self.state: list[Any] = [None] * len(self.params)

    @property
    def lr(self) -> float:
        """The learning rate."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = _setting(self, "lr", lr)

    def __repr__(self) -> str:
        count = len(self.params)
        settings = [
            f"{name}={shortened(value)}"
            for name, value in {"lr": self.lr, **vars(self)}.items()
            if not name.startswith("_") and name not in ("params", "state")
        ]
        parameters = f"{count} parameter{'' if count == 1 else 's'}"
        return f"{type(self).__name__}({', '.join([parameters, *settings])})"

    def zero_grad(self) -> None:
        """Set the gradients of all parameters back to 0.0."""
        for parameter in self.params:
            parameter.zero_grad()

    def step(self) -> None:
        """Update all parameters once, from their gradients.

        What `backward` has not reached since the last `zero_grad` is left as it is, as in PyTorch,
        with a warning; unless it has reached other parameters of the same array (of one name up to
        the index): their gradient is 0 then.
        """
        active = [i for i, parameter in enumerate(self.params) if parameter.requires_grad]
        unreached = [i for i in active if not self.params[i].reached]
        if unreached:
            arrays = {self._array(i) for i in active if self.params[i].reached}
            unreached = [i for i in unreached if self._array(i) not in arrays]
            self._warn_unreached(unreached)
            active = sorted({*active} - {*unreached})
        updates = [
            self._updated(self.params[i].data, float(self.params[i].grad), self.state[i])
            for i in active
        ]
        for i, (data, state) in zip(active, updates, strict=True):
            self.params[i].data = data
            self.state[i] = state

    def _array(self, position: int) -> Any:
        """Return what the parameters of one array have in common."""
        return self.params[position].label.partition("[")[0] or position

    def _warn_unreached(self, positions: Sequence[int]) -> None:
        if not positions:
            return
        label = self.params[positions[0]].label
        named = f"the parameter {label!r}" if label else "a parameter"
        others = " (and others)" if len(positions) > 1 else ""
        warn_slip(
            f"{type(self).__name__}.step() found no gradient for {named}{others}, which so stays as"
            " it is: between zero_grad() and step(), call loss.backward() on a loss"
            " that was computed from all parameters"
        )

    def _updated(self, data: float, gradient: float, state: Any) -> tuple[float, Any]:
        """Return the new data of one parameter and what to remember about it."""
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and weight decay.

    g ← g + weight_decay · θ; v ← momentum · v + (1 - dampening) · g, at the first step v = g;
    θ ← θ - lr · v, with Nesterov θ ← θ - lr · (g + momentum · v). Without momentum, v = g. The
    velocity is a sum of gradients, not an average: three unit gradients at lr 0.1 and momentum 0.9
    move by -0.561.

    Parameters
    ----------
    params : iterable of Value
    lr : float
        The learning rate.
    momentum : float
    dampening : float
    weight_decay : float
        λ of the penalty ½λ‖θ‖², whose gradient is λθ.
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

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr)
        self.momentum = _setting(self, "momentum", momentum)
        self.dampening = _setting(self, "dampening", dampening)
        self.weight_decay = _setting(self, "weight_decay", weight_decay)
        self.nesterov = flag(nesterov, f"{type(self).__name__}'s nesterov")
        if nesterov and (self.momentum == 0.0 or self.dampening != 0.0):
            raise ValueError(
                "SGD with nesterov=True expected a momentum > 0 and dampening 0, got momentum"
                f" {momentum} and dampening {dampening}"
            )

    def _updated(self, data: float, gradient: float, state: Any) -> tuple[float, Any]:
        if self.weight_decay:
            gradient += self.weight_decay * data
        if not self.momentum:
            return data - self._lr * gradient, None
        if state is None:
            velocity = gradient
        else:
            velocity = self.momentum * state + (1.0 - self.dampening) * gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return data - self._lr * direction, velocity


class Adam(Optimizer):
    """Adaptive moment estimation, with bias correction.

    m ← β₁m + (1 - β₁)g; s ← β₂s + (1 - β₂)g²; θ ← θ - lr · m̂ / (√ŝ + eps) with m̂ = m / (1 - β₁ᵗ)
    and ŝ = s / (1 - β₂ᵗ) at step t.

    Parameters
    ----------
    params : iterable of Value
    lr : float
        The learning rate.
    betas : pair of floats
        β₁ and β₂, each in [0, 1).
    eps : float
        Keeps the quotient finite.
    weight_decay : float
        λ of the penalty ½λ‖θ‖², whose gradient λθ is added to g.

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

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        try:
            beta1, beta2 = betas
        except (TypeError, ValueError):
            raise TypeError(f"Adam expected betas as a pair of numbers, got {betas!r}") from None
        self.betas = (
            _setting(self, "beta1", beta1, below=1.0),
            _setting(self, "beta2", beta2, below=1.0),
        )
        self.eps = _setting(self, "eps", eps)
        self.weight_decay = _setting(self, "weight_decay", weight_decay)

    def _updated(self, data: float, gradient: float, state: Any) -> tuple[float, Any]:
        beta1, beta2 = self.betas
        if self.weight_decay:
            gradient += self.weight_decay * data
        step, average, square = (0, 0.0, 0.0) if state is None else state
        step += 1
        average = _interpolated(average, gradient, 1.0 - beta1)
        square = beta2 * square + (1.0 - beta2) * gradient * gradient
        rate = self._lr / (1.0 - beta1**step)
        root = math.sqrt(square) / math.sqrt(1.0 - beta2**step)
        return data - rate * (average / (root + self.eps)), (step, average, square)


def _interpolated(start: float, end: float, weight: float) -> float:
    """Return start + weight · (end - start), exactly ``end`` for weight 1."""
    if weight < 0.5:
        return start + weight * (end - start)
    return end - (end - start) * (1.0 - weight)
