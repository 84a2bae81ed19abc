"""`Parameter`, what a network learns."""

from __future__ import annotations

from autograd_lite import Value


class Parameter(Value):
    """A Value that a network learns: modules find it among their attributes by themselves.

    Examples
    --------
    >>> import nn
    >>> nn.Parameter(0.5)
    Parameter(data=0.5, grad=0.0)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "Parameter" + super().__repr__().removeprefix("Value")
