"""How one value looks in a notebook: a line, however large the graph behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MOST = 4


def card(
    label: str, op: str, arguments: Sequence[Any], data: float, grad: float | None, takes_grad: bool
) -> str:
    """Return a line of HTML with a value's name, operation, data and gradient.

    Parameters
    ----------
    label, op : str
        Texts of any content.
    arguments : sequence of Value or float
        What the operation was applied to; the first four are named.
    data : float
    grad : float or None
        None until backward has reached the value.
    takes_grad : bool
        False for a constant.
    """
    from html import escape

    from autograd_lite.notation import printable, short, written

    parts = [f"<b>{escape(printable(label))}</b>"] if label else []
    if op:
        names = [
            short(x) if isinstance(x, float) else printable(x.label or short(x.data))
            for x in arguments[:MOST]
        ]
        whole = len(arguments) <= MOST
        text = written(op, names) if whole else f"{op}({', '.join([*names, '…'])})"
        parts.append(f"<code>{escape(text)}</code>")
    parts.append(f"data <b>{data!r}</b>")
    if takes_grad:
        parts.append(f"grad <b>{'–' if grad is None else repr(grad)}</b>")
    else:
        parts.append("constant")
    style = "display: inline-block; padding: 2px 10px; border: 1px solid; border-radius: 4px"
    return f'<span style="{style}">{" &nbsp; ".join(parts)}</span>'
