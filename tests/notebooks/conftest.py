"""Answering the exercises of notebooks."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "notebooks"

Answer = Callable[[str, dict[str, str]], dict[str, str]]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return the function that puts answers into a notebook and says what its cells print.

    It takes the beginning of the notebook's file name and the sources of the cells that are
    answered, by their ids, and runs all cells as a program (so magics are none of its business).
    """
    pytest.importorskip("matplotlib", reason="needs the extra test")
    monkeypatch.setenv("MPLBACKEND", "agg")

    def answered(name: str, answers: dict[str, str]) -> dict[str, str]:
        (path,) = FOLDER.glob(f"{name}*.ipynb")
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert set(answers) <= {cell["id"] for cell in cells}
        names: dict[str, object] = {"__name__": "__main__"}
        printed = {}
        for cell in cells:
            if cell["cell_type"] == "code":
                said = io.StringIO()
                source = answers.get(cell["id"], "".join(cell["source"]))
                with redirect_stdout(said):
                    exec(compile(source, f"<{cell['id']}>", "exec"), names)
                printed[cell["id"]] = said.getvalue().strip()
        return printed

    return answered
