"""Which plans there are on this machine: native ones, or Python without the extra ``fast``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

from autograd_lite.native.kernels.building import missing_packages
from autograd_lite.native.parameters.binding import Binding
from autograd_lite.native.python.plan import PythonPlan
from autograd_lite.native.tape import Tape
from autograd_lite.places import users_frame


@cache
def missing() -> tuple[str, ...]:
    """Return the packages that native plans need and that are not installed."""
    return missing_packages()


def lowering(dtype: str) -> Callable[..., Any]:
    """Return the function that turns a tape into a plan; say once if plans are not native.

    Raises
    ------
    ImportError
        If ``dtype`` is float32 and plans are not native.
    """
    if not missing():
        from autograd_lite.native.running.plan import lower

        return lower
    what = " and ".join(missing())
    if dtype != "float64":
        raise ImportError(
            f"compile(dtype={dtype!r}) needs {what}: pip install 'autograd-lite[fast]'"
        )
    _tell(what)
    return _in_python


def _in_python(
    tape: Tape,
    *,
    varying: frozenset[int],
    wanted: frozenset[int],
    binding: Binding | None,
    exact: bool,
    dtype: str,
) -> PythonPlan:
    """Return a plan in Python, which is exact and float64 in any case."""
    values = () if binding is None else binding.values
    return PythonPlan(tape, varying=varying, wanted=wanted, parameters=values)


@cache
def _tell(what: str) -> None:
    """Say once per process that programs run as Python."""
    frame = users_frame()
    are = "are" if len(missing()) > 1 else "is"
    warnings.warn_explicit(
        f"compiled functions run as generated Python, since {what} {are} not installed; for native"
        " speed: pip install 'autograd-lite[fast]'",
        RuntimeWarning,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
    )
