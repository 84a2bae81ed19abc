"""Every notebook: run from a clean kernel, compared with what is committed, held to the rules."""

from __future__ import annotations

import base64
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

for package in ("nbclient", "ipykernel", "matplotlib"):
    pytest.importorskip(package, reason="needs the extra test")
nbformat = pytest.importorskip("nbformat", reason="needs the extra test")

FOLDER = Path(__file__).parent.parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def _load_run() -> Any:
    specification = importlib.util.spec_from_file_location("notebooks_run", FOLDER / "run.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


run = _load_run()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_a_clean_kernel_and_gives_what_is_committed(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "run.py"), "--check", path.name],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_keeps_to_the_rules(path: Path) -> None:
    assert run.problems(nbformat.read(path, as_version=4)) == []


def test_the_index_has_every_notebook_in_order() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d\d_\w+\.ipynb)\)", index) == [path.name for path in NOTEBOOKS]


# -- the checks notice what they are for ---------------------------------------------------------

DOT = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big")
).decode()


def sample(
    *outputs: dict[str, Any], source: str = "x", id: str = "forward-1", **metadata: Any
) -> Any:
    """Return a notebook with one code cell, which keeps to the rules if the outputs do."""
    slide = {"slideshow": {"slide_type": "slide"}}
    cells = [
        {"cell_type": "markdown", "id": "title", "metadata": slide, "source": "# A question"},
        {"cell_type": "markdown", "id": "end", "metadata": slide, "source": "## Exercises"},
        {
            "cell_type": "code",
            "id": id,
            "metadata": metadata,
            "execution_count": 1,
            "outputs": list(outputs),
            "source": source,
        },
    ]
    return nbformat.from_dict(
        {"cells": cells, "metadata": run.METADATA, "nbformat": 4, "nbformat_minor": 5}
    )


def printed(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data: str) -> dict[str, Any]:
    kinds = {name.replace("_", "/"): text for name, text in data.items()}
    return {"output_type": "display_data", "data": kinds, "metadata": {}}


@pytest.mark.parametrize(
    ("saved", "fresh"),
    [
        ("x = 1.0", "x = 1.0000000000000002"),
        ("[1.0,  2.5e-8]", "[1.0, 2.50000000001e-08]"),
        ("a  b\n1  2\n", "a b\n1 2"),
    ],
)
def test_numbers_may_differ_in_their_last_digits(saved: str, fresh: str) -> None:
    assert run.differences(sample(printed(saved)), sample(printed(fresh))) == []
    assert len(run.differences(sample(printed(saved)), sample(printed(fresh)), exact=True)) == (
        0 if saved.split() == fresh.split() else 1
    )


@pytest.mark.parametrize(
    ("saved", "fresh"),
    [
        ("x = 1.0", "x = 1.00000001"),
        ("x = 1.0", "x = -1.0"),
        ("x = 1.0", "y = 1.0"),
        ("x = 1.0", "x = 1.0 2.0"),
        ("x = 1.0", "x = nan"),
        ("0", "1e-300"),
    ],
)
def test_a_difference_is_found_and_shown(saved: str, fresh: str) -> None:
    (said,) = run.differences(sample(printed(saved)), sample(printed(fresh)))
    assert said.startswith("cell forward-1: stdout differs")
    assert f"-{saved}" in said
    assert f"+{fresh}" in said
    assert run.differences(sample(printed(saved), tags=["varies"]), sample(printed(fresh))) == []


def test_an_output_that_is_gone_is_found() -> None:
    for tags in ([], ["varies"]):
        (said,) = run.differences(sample(printed("1"), tags=tags), sample(tags=tags))
        assert "outputs were stdout; now none" in said


def test_images_are_compared_by_their_size() -> None:
    narrow = base64.b64encode(base64.b64decode(DOT)[:19] + b"\x08" + base64.b64decode(DOT)[20:])
    assert run.differences(sample(shown(image_png=DOT)), sample(shown(image_png=DOT))) == []
    (said,) = run.differences(
        sample(shown(image_png=DOT)), sample(shown(image_png=narrow.decode()))
    )
    assert "not (640, 480)" in said


def test_pictures_in_urls_are_compared_as_text() -> None:
    def picture(number: str) -> Any:
        return sample(shown(text_html=f'<img alt="a graph" src="data:image/svg+xml,%3C{number}">'))

    assert run.differences(picture("2.0"), picture("2.00000000000001")) == []
    assert len(run.differences(picture("2.0"), picture("2.1"))) == 1


@pytest.mark.parametrize(
    ("notebook", "said"),
    [
        (sample(printed("/home/somebody/project/x.py")), "of this machine"),
        (sample(printed("<object at 0x7f00aa11bb22>")), "of this machine"),
        (sample(source="open('/tmp/x')"), "of this machine"),
        (sample(printed("careful", "stderr")), "a warning: careful"),
        (sample(shown(image_png=DOT)), "an image without a description"),
        (sample(shown(text_html="<img src='x.png'>")), "an image without alternative text"),
        (sample(id="a1b2c3d4"), "not a readable name"),
        (sample(execution={"started": "now"}), "metadata other than"),
        (
            sample(
                {"output_type": "error", "ename": "E", "evalue": "failed", "traceback": []},
            ),
            "an error: failed",
        ),
    ],
)
def test_a_notebook_that_breaks_a_rule_is_told(notebook: Any, said: str) -> None:
    (found,) = run.problems(notebook)
    assert said in found


def test_a_notebook_that_keeps_the_rules_is_not_told_anything() -> None:
    alt = "A line that falls from 1 to 0 in ten steps"
    assert run.problems(sample(printed("1.0"), shown(image_png=DOT), alt=alt)) == []


def test_the_kernel_and_the_order_of_execution_are_checked() -> None:
    notebook = sample()
    notebook.metadata["widgets"] = {}
    notebook.cells[-1].execution_count = 7
    assert len(run.problems(notebook)) == 2


def test_slides_begin_where_sections_do() -> None:
    notebook = sample()
    notebook.cells[0].metadata = nbformat.from_dict({})
    notebook.cells[1].source = "A word before.\n\n## Exercises"
    assert [said.partition(": ")[0] for said in run.problems(notebook)] == [
        "cell title",
        "cell end",
    ]
    notebook = run.clean(notebook)
    assert notebook.cells[0].metadata.slideshow.slide_type == "slide"
    assert len(run.problems(notebook)) == 1


def test_executing_cleans_and_describes() -> None:
    alt = "A straight line from 0 up to 1, and 'quotes' in it"
    notebook = sample(source="import matplotlib.pyplot as plt\nplt.plot([0, 1]);", alt=alt)
    notebook.metadata["widgets"] = {}
    notebook.cells[-1].metadata["collapsed"] = True
    found = run.execute(notebook)
    (output,) = found.cells[-1].outputs
    assert found.cells[-1].metadata == {"alt": alt}
    assert found.metadata == run.METADATA
    assert output.metadata == {"image/png": {"alt": alt}}
    assert output.data["text/html"].startswith(
        '<img alt="A straight line from 0 up to 1, and &#x27;'
    )
    assert run.problems(found) == []


def test_without_pytorch_its_cells_keep_their_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = printed("a figure of PyTorch's")
    notebook = sample(shown, source="raise SystemError", tags=["torch"])
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    assert run.execute(notebook).cells[-1].outputs == [shown]


def test_without_pytorch_a_notebook_that_uses_it_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "12.ipynb"
    nbformat.write(sample(printed("1"), tags=["torch"]), path)
    before = path.read_bytes()
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    (said,) = run.save(path)
    assert "PyTorch" in said
    assert path.read_bytes() == before


def test_pictures_are_laid_out_without_graphviz() -> None:
    notebook = sample(source="import subprocess\nsubprocess.run(['dot', '-V']).returncode")
    (output,) = run.execute(notebook).cells[-1].outputs
    assert output.data["text/plain"] == "1"
