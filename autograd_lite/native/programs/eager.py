"""One lane computed by the function itself, where no recording holds for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

from autograd_lite.modes import enable_grad, recording_derivatives
from autograd_lite.native.programs.arguments import Form
from autograd_lite.native.programs.groups import Found
from autograd_lite.native.programs.paths import Task
from autograd_lite.native.tracing.whole_numbers import WholeNumber
from autograd_lite.node import Node
from autograd_lite.primitives import is_number
from autograd_lite.sweep import adjoints, with_order
from autograd_lite.trees import leaves_of, shaped_like, unpacked
from autograd_lite.value import Value


def run(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Run a function on Values, as it runs when it is recorded."""
    return function(*map(_as_values, args), **{name: _as_values(x) for name, x in kwargs.items()})


def _as_values(given: Any) -> Any:
    """Return numbers in nested lists as constants; leave what is no number."""
    if getattr(given, "shape", ()) != ():
        if str(given.dtype) == "object":
            return given
        raise TypeError(
            "a compiled function that runs inside of a transform or of another program, or with"
            f" Values, takes numbers and lists there, got an array of shape {tuple(given.shape)}:"
            " call it once for every lane"
        )
    if isinstance(given, list | tuple):
        return type(given)(map(_as_values, given))
    if isinstance(given, Node) or not is_number(given):
        return given
    whole = isinstance(given, Integral) and not isinstance(given, bool)
    kind = WholeNumber if whole else Value
    return kind(given, requires_grad=False)


def alone(
    function: Callable[..., Any], sample: Sequence[Any], forms: Sequence[Form], task: Task
) -> Found:
    """Compute one lane, and the gradient with respect to all its numbers.

    ``outputs`` of what is found has one number in each row, gradients have one row each.
    """
    given = [
        [WholeNumber(float(x)) if form.whole else Value(float(x)) for x in leaves_of(tree)]
        for tree, form in zip(sample, forms, strict=True)
    ]
    with enable_grad():
        result = unpacked(
            function(*(shaped_like(*pair) for pair in zip(sample, map(iter, given), strict=True)))
        )
    leaves = leaves_of(result)
    shape = shaped_like(result, iter(range(len(leaves))))
    outputs = [[float(leaf)] for leaf in leaves]
    if task.seed is None:
        return Found(shape, outputs, {})
    root = leaves[task.output or 0]
    zeros = {position: [[0.0] * len(row)] for position, row in enumerate(given)}
    if not isinstance(root, Value) or not root.requires_grad:
        return Found(shape, outputs, zeros)

    def use(order: list[Value]) -> dict[int, Any]:
        sums = adjoints(order, task.seed, 0.0)
        return {
            position: [[sums[leaf._position] if leaf._position else 0.0 for leaf in row]]
            for position, row in enumerate(given)
        }

    with recording_derivatives():
        return Found(shape, outputs, with_order(root, use))


def learned_alone(function: Callable[..., Any], sample: Sequence[Any], seed: float | None) -> Found:
    """Compute one lane, and add its gradient to that of all leaves."""
    loss = function(*sample)
    if seed is not None:
        (loss * seed).backward()
    return Found(0, [[float(loss)]], {})
