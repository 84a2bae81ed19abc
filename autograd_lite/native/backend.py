"""Which plans there are on this machine: native ones, or Python without the extra ``fast``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

NEEDED = ("numpy", "llvmlite", "numba")


@cache
def missing() -> tuple[str, ...]:
    """Return the packages that native plans need and that are not installed."""
    return tuple(name for name in NEEDED if find_spec(name) is None)


def lowering(dtype: str) -> Callable[..., Any]:
    """Return the function that turns a tape into a plan; say once if plans are not native.

    Raises
    ------
    ImportError
        If ``dtype`` is float32 and plans are not native.
    """
    if not missing():
        from autograd_lite.native.machine import lower as native

        return native
    from autograd_lite.native.python_plan import lower

    what = " and ".join(missing())
    if dtype != "float64":
        raise ImportError(
            f"compile(dtype={dtype!r}) needs {what}: pip install 'autograd-lite[fast]'"
        )
    _tell(what)
    return lower


@cache
def _tell(what: str) -> None:
    """Say once per process that programs run as Python."""
    warnings.warn(
        f"compiled functions run as generated Python, since {what} is not installed; for native"
        " speed: pip install 'autograd-lite[fast]'",
        RuntimeWarning,
        stacklevel=5,
    )
