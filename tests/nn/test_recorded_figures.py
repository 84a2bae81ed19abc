"""The recorded figures are PyTorch's: where it is installed, they come out again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from record_torch_trajectories import TARGET, record


def numbers(thing: Any) -> Iterator[float | str]:
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield key
            yield from numbers(value)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from numbers(value)
    else:
        yield thing


def test_the_recording_script_gives_the_recorded_figures() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    recorded = json.loads(TARGET.read_text(encoding="utf-8"))
    anew = record(torch)
    del recorded["torch"], anew["torch"]
    pairs = list(zip(numbers(recorded), numbers(anew), strict=True))
    assert len(pairs) > 3000
    for old, new in pairs:
        # Another processor's vector units may round the last digit differently.
        same = math.isclose(old, new, rel_tol=1e-13) if isinstance(old, float) else old == new
        assert same, (old, new)
