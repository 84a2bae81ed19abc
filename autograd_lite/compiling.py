"""`compile`: from a function to a program. What programs are made of is loaded when one is made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from autograd_lite.native.programs.program import Program
    from autograd_lite.value import Value


@overload
def compile(
    function: Callable[..., Any],
    *,
    parameters: Iterable[Value] | None = None,
    exact: bool = False,
    dtype: str = "float64",
    threads: int = 1,
) -> Program: ...


@overload
def compile(
    *,
    parameters: Iterable[Value] | None = None,
    exact: bool = False,
    dtype: str = "float64",
    threads: int = 1,
) -> Callable[[Callable[..., Any]], Program]: ...


def compile(
    function: Callable[..., Any] | None = None,
    *,
    parameters: Iterable[Value] | None = None,
    exact: bool = False,
    dtype: str = "float64",
    threads: int = 1,
) -> Any:
    """Compile a function: it is recorded once, and computed natively from then on.

    The first call runs the function on Values and records every operation. Further calls compute
    the recording, for one point or for many, and its derivatives. Where the function compares
    numbers, each answer has a recording of its own, made when it is first given. A recording is
    made anew for arguments of another structure, such as a longer list; those made before are kept.

    Without ``parameters``, NumPy arrays carry lanes: axis 0 of an array is one call after the
    other, and the function sees a number, or a list for what further axes hold. Numbers and lists
    are the same in all lanes. With ``parameters``, axis 0 of lists is the lane axis too, the
    function sees one sample, and a call gives the mean over all samples, and adds the gradients of
    the mean to the parameters.

    Parameters
    ----------
    function : callable
        Takes numbers and (nested) lists of them, returns Values or (nested) lists of them. Written
        with operators and functions of autograd_lite. Ints can be labels, as in ``xs[label]``.
        Without it, `compile` is a decorator with options.
    parameters : list of Value, optional
        What the function learns, such as ``model.parameters()``. Their numbers move into an array;
        they look and work as before.
    exact : bool
        Compute everything in the order and with the functions of the eager engine, to the last
        bit. Otherwise results can differ in the last digits, since sums are reordered.
    dtype : str
        ``"float64"`` or ``"float32"``, the precision of the numbers in between.
    threads : int
        How many threads share the lanes of one call.

    Returns
    -------
    Program
        To be called like the function. It also has ``value_and_grad``, ``grad``, ``jacobian``,
        ``hessian`` and ``hvp``.

    Raises
    ------
    TypeError, ValueError
        If what is given cannot be compiled.
    ImportError
        If ``dtype="float32"`` and the extra ``fast`` is not installed. Without it, programs run as
        generated Python.

    Notes
    -----
    Values that the function uses without having been given them are read at every call. Plain
    numbers in its closure or module are watched: if one changes, the function is recorded again.
    Numbers inside of other objects, and whatever else it reads, have to stay as they are.

    Called with Values, inside of a transform such as `grad`, and while another program is
    recorded, a program runs its function eagerly, so that it can be a part of something larger.

    Examples
    --------
    >>> import autograd_lite
    >>> f = autograd_lite.compile(lambda x, y: (x * y).sin() + x**y)
    >>> value, (dx, dy) = f.value_and_grad(2.0, 3.0)
    >>> f"{value:.6f} {dx:.6f} {dy:.6f}"
    '7.720585 14.880511 7.465518'

    A function with a branch, on three lanes:

    >>> import numpy as np
    >>> @autograd_lite.compile
    ... def shrunk(x):
    ...     return x - 1.0 if x > 1.0 else 0.0 * x
    >>> shrunk.grad(np.array([0.5, 2.0, 3.0]))
    array([0., 1., 1.])
    """
    from autograd_lite.native.programs.program import Program

    def compiled(function: Callable[..., Any]) -> Program:
        return Program(function, parameters=parameters, exact=exact, dtype=dtype, threads=threads)

    return compiled if function is None else compiled(function)


def load_program(path: str | os.PathLike[str]) -> Program:
    """Return a program from the file that `Program.save` has written.

    It computes what was recorded before it was saved, without the function that was compiled: no
    code is in the file, and reading it executes none. Its ``parameters`` are new Values.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    Program

    Raises
    ------
    ValueError
        If the file holds no program, is damaged, or is of a newer version.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import os, tempfile
    >>> import autograd_lite
    >>> program = autograd_lite.compile(lambda x, y: x * y)
    >>> program(2.0, 3.0)
    6.0
    >>> path = os.path.join(tempfile.mkdtemp(), "product.program")
    >>> program.save(path)
    >>> autograd_lite.load_program(path).grad(5.0, 7.0)
    (7.0, 5.0)
    """
    from autograd_lite.native.programs.program import load

    return load(path)
