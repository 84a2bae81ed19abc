"""What `.ci/nightly` does otherwise than the test command: more, and something else each time."""

from __future__ import annotations

import os
import random

from hypothesis import settings

NIGHTLY = not settings.default.derandomize
# Processes that share tests out have to agree what these are.
_run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
FIRST_SEED = random.Random(_run).randrange(10**12) if NIGHTLY else 0
