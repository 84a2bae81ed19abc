"""The nightly run begins: that it ends well is for the night."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parent / "native" / "test_random_programs.py"


def test_processes_agree_on_the_tests_of_a_nightly_run() -> None:
    pytest.importorskip("numba")
    options = ["-n", "2", "--hypothesis-profile=nightly", "--setup-plan", "-k", "up_to_rounding"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(FILE)],
        cwd=FILE.parent.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:]
