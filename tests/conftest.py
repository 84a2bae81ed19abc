"""What holds for all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import settings

# The test command is reproducible; the nightly run looks further, anew each time.
settings.register_profile("default", derandomize=True, deadline=None, max_examples=200)
settings.register_profile("nightly", derandomize=False, deadline=None, max_examples=10_000)
settings.load_profile("default")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Shells start what a script leaves in the background so, and whatever the tests start inherits
    # it: those that press Ctrl-C would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)

NOTHING_OPTIONAL = os.environ.get("AUTOGRAD_LITE_REQUIRE_OPTIONAL") == "1"


def _refuse_skipping(report: Any) -> Any:
    if NOTHING_OPTIONAL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where every optional part is installed: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return _refuse_skipping((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return _refuse_skipping((yield))


EXAMPLES_NEED = {"symbolic.py": "sympy", "torch_export.py": "torch", "torch_import.py": "torch"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the examples that need a package which is not installed."""
    for file, package in EXAMPLES_NEED.items():
        if find_spec(package) is None:
            for item in items:
                if isinstance(item, pytest.DoctestItem) and item.path.name == file:
                    item.add_marker(pytest.mark.skip(reason=f"{package} is not installed"))
