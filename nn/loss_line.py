"""The loss along a straight line between two states of a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from autograd_lite import no_grad
from nn.data.samples import as_pair, dataset
from nn.module import Module
from nn.nested import LISTS, as_lists, number_for
from nn.observing import checked_model
from nn.restoring import restored
from nn.settings import checked_count
from nn.tables import lines


class LossAlongLine(NamedTuple):
    """The loss between two states of a model.

    Attributes
    ----------
    positions : list of float
        0 stands for the start, 1 for the end.
    losses : list of float
    """

    positions: list[float]
    losses: list[float]

    def __repr__(self) -> str:
        return "\n".join(lines([("position", *self.positions), ("loss", *self.losses)]))


def loss_along_line(
    model: Module,
    loss: Callable[[Any, Any], Any],
    data: tuple[Any, Any],
    start: Mapping[str, Any],
    end: Mapping[str, Any],
    points: int | Sequence[float] = 21,
) -> LossAlongLine:
    """Return the loss on the straight line from one state of a model to another.

    At position t, every parameter and every running average is (1 - t) · start + t · end. The model
    is in inference mode (`Module.eval`) meanwhile, and nothing is recorded.

    Parameters
    ----------
    model : Module
    loss : callable
        ``loss(outputs, targets)``, one Value or number.
    data : Dataset or pair (inputs, targets)
        All of it is computed at once.
    start, end : dict
        ``model.state_dict()``, taken before and after training, for example.
    points : int or sequence of float, optional
        How many positions from 0 to 1, at least 2, evenly spaced; or the positions themselves.

    Returns
    -------
    LossAlongLine

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is said above, or a state is not that of such a model.

    References
    ----------
    Goodfellow, Vinyals and Saxe, Qualitatively Characterizing Neural Network Optimization Problems,
    2015.

    Examples
    --------
    >>> import nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> start, end = {"weight": [[-1.0]]}, {"weight": [[1.0]]}
    >>> nn.loss_along_line(model, nn.MSELoss(), ([[2.0]], [[0.0]]), start, end, 3)
    position  loss
           0     4
         0.5     0
           1     4
    """
    name = "loss_along_line"
    inputs, targets = dataset(*as_pair(name, data))
    checked_model(name, model)
    if not callable(loss):
        raise TypeError(f"{name} expected a function as loss, got {type(loss).__name__}: {loss!r}")
    for what, state in (("start", start), ("end", end)):
        if not isinstance(state, Mapping):
            raise TypeError(
                f"{name} expected what state_dict() returns as {what}, got {type(state).__name__}"
            )
    positions = _positions(name, points)
    losses = []
    with restored(model), no_grad():
        model.eval()
        first, last = (_as_states_are(model, state) for state in (start, end))
        for t in positions:
            model.load_state_dict({key: _mixed(first[key], last[key], t) for key in first})
            losses.append(float(loss(model(inputs), targets)))
    return LossAlongLine(positions, losses)


def _positions(owner: str, points: Any) -> list[float]:
    points = as_lists(points)
    if not isinstance(points, LISTS):
        count = checked_count(owner, "points", points, least=2)
        return [i / (count - 1) for i in range(count)]
    if not points:
        raise ValueError(f"{owner} expected at least one position as points, got none")
    positions = [float(number_for(f"{owner} expected numbers as points", t)) for t in points]
    for t in positions:
        if not math.isfinite(t):
            raise ValueError(f"{owner} expected finite numbers as points, got {t}")
    return positions


def _as_states_are(model: Module, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state in lists of floats, and ints where something is counted; refuse another's."""
    model.load_state_dict(state)
    return model.state_dict()


def _mixed(start: Any, end: Any, t: float) -> Any:
    """Return the numbers at t; of what is counted, those of the end."""
    if isinstance(end, LISTS):
        return [_mixed(a, b, t) for a, b in zip(start, end, strict=True)]
    return end if isinstance(end, int) else (1.0 - t) * start + t * end
