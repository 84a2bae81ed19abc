"""`steps`: the backward pass, one contribution at a time, to read, print and walk through."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from autograd_lite.contributions import BackwardPass
from autograd_lite.value import Value

MOST_ON_A_PAGE = 2000  # contributions, above which a notebook would be slow


class Steps(BackwardPass):
    """The steps of a backward pass and the ways to look at them; see `steps`.

    A sequence of `Step`, worked out as far as it is read, so that a million nodes are no burden.
    """

    def table(self) -> str:
        """Return all steps as text, one line each.

        A sign ``≈`` stands where the shown digits, six at most, do not give the shown result. A
        star marks what `watch` stops at. Signs that the console cannot show are replaced.

        Examples
        --------
        >>> from autograd_lite import Value, steps
        >>> x = Value(3.0, label="x")
        >>> print(steps(x**2 - x).table())
        step  chain rule                    numbers   contribution  running sum
           0  v2.grad = ∂v2/∂v2                       = 1           1
           1  v1.grad += v2.grad · ∂v2/∂v1  1 · 1     = 1           1             1 of 1
           2  x.grad += v2.grad · ∂v2/∂x    1 · (-1)  = -1          -1            1 of 2
           3  x.grad += v1.grad · ∂v1/∂x    1 · 6     = 6           (-1) + 6 = 5  2 of 2
        """
        return self._as_text(None)

    def run(self, *, forward: bool = False) -> None:
        """Walk through the steps in a terminal.

        Keys: n or → next, p or ← back, Home and End, Space plays and pauses, / searches for a
        name, 0, nan or > bound, b and B go to the next and the last breakpoint (see `watch`),
        q quits. Where there is no terminal, the same is read from lines of input.

        Parameters
        ----------
        forward : bool
            Begin with the operations of the forward pass, also where `steps` was not told to.
        """
        from autograd_lite.terminal.session import walk_through

        walk_through(self, forward=forward or self.begins_forward)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the interactive page to a file that needs no network, such as for a lecture.

        Parameters
        ----------
        path : path-like
            A name that ends in ``.html``.

        Raises
        ------
        ValueError
            If it ends in something else.
        OSError
            If the file cannot be written. No half-written file is left.

        Examples
        --------
        >>> from autograd_lite import Value, steps
        >>> x = Value(3.0, label="x")
        >>> steps(x * x).save("square.doc")
        Traceback (most recent call last):
            ...
        ValueError: 'square.doc' has the extension '.doc', expected .html
        """
        from autograd_lite.drawing.stepper import page
        from autograd_lite.saving import extension_of, write_whole

        extension_of(path, [".html"])
        write_whole(path, page(self, document=True))

    def _repr_html_(self) -> str:
        """Return the interactive page for a notebook; of very many steps a table."""
        if len(self) > MOST_ON_A_PAGE:
            from html import escape

            return f"<pre>{escape(str(self))}</pre>"
        from autograd_lite.drawing.stepper import page

        return page(self)

    def __str__(self) -> str:
        """Return the table; of more than 60 steps the first and the last 30."""
        return self._as_text(60)

    def _as_text(self, most: int | None) -> str:
        import sys

        from autograd_lite.notation import encodable, symbols_for
        from autograd_lite.step_table import step_table

        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        return encodable(step_table(self, symbols_for(encoding), most), encoding)


def steps(root: Value, *, names: Mapping[str, Any] | None = None, forward: bool = False) -> Steps:
    """Return the steps of the backward pass from ``root``, in the order of the sweep.

    Reading them changes nothing: they can be had before or after one's own ``backward()``, and no
    ``.data`` or ``.grad`` is touched.

    Parameters
    ----------
    root : Value
        Where the backward pass starts, with gradient 1.
    names : mapping of str to Value, optional
        Names for the nodes, as in `graph`.
    forward : bool
        Show the operations of the forward pass first, one at a time, in notebooks, on saved pages
        and in a terminal. The sequence holds the contributions of the backward pass all the same.

    Returns
    -------
    Steps
        A sequence of `Step`. A notebook shows it as an interactive page, ``.save("f.html")``
        writes that to a file, ``.run()`` is the same for a terminal, ``.table()`` is all steps
        as text; ``.find()`` searches, ``.watch()`` sets breakpoints.

    Raises
    ------
    TypeError
        If ``root`` is not a Value.
    RuntimeError
        If ``root`` needs no gradient.

    Examples
    --------
    >>> from autograd_lite import Value, sin, steps
    >>> x = Value(2.0)
    >>> a = x**2
    >>> f = a * sin(a)
    >>> for step in steps(f, names=locals()):
    ...     print(step.operand_name, step.contribution, step.total, (step.index, step.count))
    a -0.7568024953079282 -0.7568024953079282 (1, 2)
    v1 4.0 4.0 (1, 1)
    a -2.6145744834544478 -3.3713769787623757 (2, 2)
    x -13.485507915049503 -13.485507915049503 (1, 1)
    """
    return Steps(root, names, forward=forward)
