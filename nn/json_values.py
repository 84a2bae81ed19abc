"""JSON from which values of Python come back equal: tuples stay tuples, keys what they were."""

from __future__ import annotations

from reprlib import repr as shortened
from typing import Any

_DEPTH = 100  # of what is nested: far from where Python stops


def encoded(given: Any, *where: Any) -> Any:
    """Return something that JSON can hold.

    Parameters
    ----------
    given : object
        Numbers, text, True, False, None, and lists, tuples and dicts of these.
    *where : object
        For messages: a name, and the positions and keys in what it names.

    Raises
    ------
    TypeError
        For anything else.
    ValueError
        If that is nested more than 100 deep, or has a whole number with too many digits.

    Examples
    --------
    >>> from nn.json_values import encoded
    >>> encoded({"loss": [0.5], "shape": (2, 3)}, "extra")
    {'dict': {'loss': [0.5], 'shape': {'tuple': [2, 3]}}}
    """
    kind = type(given)
    if kind in (float, str, bool) or given is None:
        return given
    if kind is int:
        try:
            str(given)
        except ValueError:  # Python limits the digits
            raise ValueError(
                f"nn.save expected a smaller whole number for {_called(where)}"
            ) from None
        return given
    if isinstance(given, float):
        return float(given)
    if len(where) > _DEPTH:
        raise ValueError(
            f"nn.save expected lists, tuples and dicts nested at most {_DEPTH} deep, got more in"
            f" {where[0]}, unless one holds itself"
        )
    if kind in (list, tuple):
        elements = [encoded(element, *where, i) for i, element in enumerate(given)]
        return elements if kind is list else {"tuple": elements}
    if kind is dict:
        elements = [encoded(element, *where, key) for key, element in given.items()]
        if all(type(key) is str for key in given):
            return {"dict": dict(zip(given, elements, strict=True))}
        keys = [encoded(key, f"a key of {_called(where)}") for key in given]
        return {"pairs": list(zip(keys, elements, strict=True))}
    raise TypeError(
        f"nn.save expected numbers, text, True, False, None, lists, tuples or dicts for"
        f" {_called(where)}, got {kind.__name__}: {shortened(given)}"
    )


def _called(where: tuple[Any, ...]) -> str:
    name, *keys = where
    return str(name) + "".join(f"[{key!r}]" for key in keys)


def decoded(data: Any) -> Any:
    """Return what was encoded.

    Raises
    ------
    TypeError, ValueError, AttributeError
        If ``data`` is nothing that `encoded` returns.

    Examples
    --------
    >>> from nn.json_values import decoded
    >>> decoded({"pairs": [[1, {"tuple": [2, 3]}]]})
    {1: (2, 3)}
    """
    if isinstance(data, list):
        return [decoded(element) for element in data]
    if isinstance(data, dict):
        ((kind, content),) = data.items()
        if kind == "tuple":
            return tuple(map(decoded, content))
        if kind == "pairs":
            return {decoded(key): decoded(element) for key, element in content}
        return {key: decoded(element) for key, element in content.items()}
    return data
