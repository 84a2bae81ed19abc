"""From outputs to decisions: the rules that turn a network's outputs into predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nn.nested import as_lists, elementwise, is_list, number_for


def predict(outputs: Any, rule: str = "value") -> Any:
    """Return the predictions that a decision rule makes of outputs.

    Parameters
    ----------
    outputs : Value, number or (nested) list of them
        What a network gives for one sample or for a batch.
    rule : "value", "sign" or "argmax"
        Which rule follows from the loss:

        ========  ======================================  ==========================
        rule      prediction                              trained with
        ========  ======================================  ==========================
        value     the output itself, as a float           MSELoss
        sign      1 for an output ≥ 0, else -1            HingeLoss, LogisticLoss
        argmax    the number of the largest output; of    CrossEntropyLoss
                  equal ones the first
        ========  ======================================  ==========================

        For labels 0 and 1 (BCEWithLogitsLoss), the label is 1 where the sign is.

    Returns
    -------
    float, int or list
        "value" and "sign" keep the shape of the outputs; "argmax" gives one int for each
        innermost list.

    Raises
    ------
    ValueError
        For an unknown rule; for NaN, which has no sign and no largest; for "argmax" of nothing.
    TypeError
        For outputs that are no numbers; for "argmax" of a single one.

    Examples
    --------
    >>> import nn
    >>> from autograd_lite import Value
    >>> nn.predict([Value(0.3), Value(-1.2)], rule="sign")
    [1, -1]
    >>> nn.predict([[0.1, 2.0, 0.3], [4.0, 1.0, 0.0]], rule="argmax")
    [1, 0]
    >>> nn.predict(Value(2.5))
    2.5
    """
    rules: dict[str, Callable[[Any], Any]] = {
        "value": lambda given: elementwise(_number, given),
        "sign": lambda given: elementwise(_sign, given),
        "argmax": _argmax,
    }
    if rule not in rules:
        raise ValueError(f"predict expected a rule out of {', '.join(rules)}, got {rule!r}")
    return rules[rule](as_lists(outputs))


def _number(output: Any) -> float:
    return float(number_for("predict expected numbers as outputs", output))


def _ordered(output: Any) -> float:
    """Return a number that has a sign and can be the largest."""
    number = _number(output)
    if number != number:
        raise ValueError("predict expected outputs that are numbers, got NaN")
    return number


def _sign(output: Any) -> int:
    return 1 if _ordered(output) >= 0.0 else -1


def _argmax(outputs: Any) -> Any:
    """Return the position of the largest, for each innermost list."""
    if not is_list(outputs):
        raise TypeError(
            f'predict expected a list of outputs for the rule "argmax", got'
            f" {type(outputs).__name__}: {outputs!r}"
        )
    outputs = as_lists(outputs)
    if len(outputs) == 0:
        raise ValueError('predict expected at least one output for the rule "argmax", got none')
    if is_list(outputs[0]):
        return [_argmax(sample) for sample in outputs]
    numbers = [_ordered(output) for output in outputs]
    return numbers.index(max(numbers))
