"""A function at a point, and at points beside it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd_lite.modes import enable_grad
from autograd_lite.node import Node
from autograd_lite.primitives import counted, number
from autograd_lite.trees import unpacked
from autograd_lite.value import Value


class MovedPoint:
    """Runs a function at its point, or at another one of the same shape.

    Numbers and Values of the point are replaced by Values of their own; what has parameters (a
    module) is passed as it is, and its parameters are changed for the call and put back after it,
    also when the function raises.

    Attributes
    ----------
    names : list of str
        What each input is called in messages.
    numbers : list of float
        The point itself.
    """

    def __init__(self, f: Callable[..., Any], point: tuple[Any, ...]) -> None:
        self.f = f
        self.point = [unpacked(argument) for argument in point]
        self.names: list[str] = []
        self.numbers: list[float] = []
        self._parameters: list[Value] = []
        for position, argument in enumerate(self.point):
            self._enter(argument, f"argument {position}")
        if not self.numbers:
            raise ValueError("check_gradients expected numbers in the point, got none")
        for name, x in zip(self.names, self.numbers, strict=True):
            if not math.isfinite(x):
                raise ValueError(
                    f"check_gradients expected finite numbers in the point, got {x} ({name})"
                )
        _check_count(f, len(point))

    def _enter(self, tree: Any, name: str) -> None:
        if isinstance(tree, list | tuple):
            for index, branch in enumerate(tree):
                self._enter(branch, f"{name}[{index}]")
        elif callable(getattr(tree, "parameters", None)):
            for index, parameter in enumerate(tree.parameters()):
                if not isinstance(parameter, Value):
                    raise TypeError(
                        f"check_gradients expected the parameters of {name} to be Values, got"
                        f" {type(parameter).__name__}"
                    )
                if not any(parameter is known for known in self._parameters):
                    self._parameters.append(parameter)
                    self.names.append(parameter.label or f"parameter {index} of {name}")
                    self.numbers.append(parameter.data)
        else:
            self.names.append(getattr(tree, "label", "") or name)
            wanted = "the point to be made of numbers, lists and modules"
            self.numbers.append(tree.data if isinstance(tree, Node) else number(tree, wanted))

    def run(self, numbers: Sequence[float], use: Callable[[list[Any], list[Value]], Any]) -> Any:
        """Return ``use(inputs, outputs)`` for the function at other numbers.

        Parameters of modules have those numbers until ``use`` has returned.
        """
        found = iter(numbers)
        before = [(x, x._data, x._stamp, x._grad, getattr(x, "_a", None)) for x in self._parameters]
        inputs: list[Any] = []
        try:
            arguments = [self._moved(argument, found, inputs) for argument in self.point]
            with enable_grad():
                return use(inputs, _outputs(self.f(*arguments)))
        finally:
            for parameter, data, stamp, grad, outdated in before:
                parameter._data = data
                parameter._stamp = stamp
                parameter._grad = grad
                if parameter._primitive is None:
                    parameter._a = outdated

    def _moved(self, tree: Any, found: Iterator[float], inputs: list[Any]) -> Any:
        if isinstance(tree, list):
            return [self._moved(branch, found, inputs) for branch in tree]
        if isinstance(tree, tuple):
            return tuple(self._moved(branch, found, inputs) for branch in tree)
        if callable(getattr(tree, "parameters", None)):
            for parameter in tree.parameters():
                if not any(parameter is known for known in inputs):
                    moved = next(found)
                    if moved != parameter.data:
                        parameter.data = moved
                    inputs.append(parameter)
            return tree
        inputs.append(Value(next(found), getattr(tree, "label", "")))
        return inputs[-1]

    def values(self, numbers: Sequence[float]) -> list[float]:
        """Return the outputs as numbers."""
        return list(self.run(numbers, lambda inputs, outputs: [y.data for y in outputs]))


def _check_count(f: Callable[..., Any], given: int) -> None:
    """Refuse a point of the wrong length where the function tells how many arguments it takes."""
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*[None] * given)
    except TypeError as error:
        raise TypeError(
            f"check_gradients was given a point of {counted(given, 'argument')}, but the function"
            f" takes {signature}: {error}"
        ) from None


def _outputs(result: Any) -> list[Value]:
    """Return what a function returned as a list of Values."""
    tree = unpacked(result)
    if isinstance(tree, list | tuple):
        found = [output for branch in tree for output in _outputs(branch)]
        if not found:
            raise TypeError("check_gradients expected the function to return numbers, got none")
        return found
    if isinstance(tree, Value):
        return [tree]
    wanted = "the function to return a Value, a number or a list of them"
    return [Value(number(tree, wanted), requires_grad=False)]
