"""The gradients of parameters, all at once where a program has moved them into arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from autograd_lite import Value, arrays


def zero_gradients(parameters: Sequence[Value]) -> None:
    """Set the gradients of parameters back to 0.0, all at once where they are in arrays."""
    known = arrays.gradients_of(parameters)
    if known is not None:
        known.zero()
        return
    for parameter in parameters:
        parameter.zero_grad()


@contextmanager
def gradients_restored(parameters: Sequence[Value]) -> Iterator[None]:
    """Put back, after the block, the gradients of parameters.

    Examples
    --------
    >>> import nn
    >>> from nn.gradients import gradients_restored
    >>> model = nn.Linear(1, 1)
    >>> weight = model.weight[0][0]
    >>> weight.grad = 2.0
    >>> with gradients_restored(model.parameters()):
    ...     model([5.0])[0].backward()
    >>> weight.grad
    2.0
    """
    known = arrays.gradients_of(parameters)
    if known is not None:
        gradients = known.each()
    else:
        gradients = [p.grad if p.reached else None for p in parameters]
    try:
        yield
    finally:
        known = arrays.gradients_of(parameters)  # a program may have moved them
        if known is not None:
            known.put_back(gradients)
        else:
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.zero_grad()
                if gradient is not None:
                    parameter.grad = gradient
