"""Execute the notebooks and keep their outputs, or check that the outputs still hold.

    python notebooks/run.py 01          executes notebooks/01_*.ipynb and saves it
    python notebooks/run.py             the same for all of them
    python notebooks/run.py --check 01  executes it, and compares with what is saved
    python notebooks/run.py --check --twice
                                        executes each twice; the two must be the same to the bit

README.md beside this file has the rules that notebooks follow, and what a comparison tolerates.
Needs nbclient and ipykernel, which the extra ``test`` has, and Pillow, which matplotlib brings.
"""

from __future__ import annotations

import argparse
import base64
import difflib
import html
import io
import os
import platform
import re
import stat
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import nbformat
from nbclient.exceptions import CellControlSignal

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("alt", "slideshow", "tags")  # of a cell's metadata
SECONDS = 120  # for one cell
TOLERANCE = 1e-9  # relative, for numbers in outputs
SIZE_TOLERANCE = 0.05  # for images: fonts differ a little between versions of matplotlib
MOST_BYTES = 600_000
MOST_LINES = 12  # of a difference
NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)")
IMAGE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=%]+")
MACHINE = re.compile(
    r"/(?:home|Users|root|tmp|private|var|opt)/\w[^\s\"']*|[A-Z]:\\\w+|\bat 0x[0-9a-f]{6,}"
    r"|ipykernel_\d+|site-packages"
)


# -- executing -----------------------------------------------------------------------------------


def execute(notebook: Any) -> Any:
    """Return the notebook as a fresh kernel executes it, in an empty folder, without ``dot``.

    Where PyTorch is not installed, cells with the tag ``torch`` keep the outputs that they have.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    fresh = nbformat.from_dict(notebook)
    with tempfile.TemporaryDirectory(prefix="nb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        work = folder / "work"
        work.mkdir()
        # Only the kernel that belongs to this interpreter, whatever else the user has installed.
        manager = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
            transport="tcp" if os.name == "nt" else "ipc",
            connection_file=str(folder / "kernel.json"),
        )
        client = NotebookClient(
            fresh,
            km=manager,
            timeout=SECONDS,
            record_timing=False,
            skip_cells_with_tag="torch" if skipped(fresh) else "",
            coalesce_streams=True,
            resources={"metadata": {"path": str(work)}},
        )
        client.execute(env=environment(folder), cleanup_kc=True)
    for output in (output for cell in fresh.cells for output in cell.get("outputs", ())):
        if "image/png" in output.get("data", {}):
            output.data["image/png"] = with_palette(output.data["image/png"])
    return clean(fresh)


def with_palette(png: str) -> str:
    """Return an image in 256 colours, less than half the size: outputs hold it twice."""
    from PIL import Image

    small = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(small, "png", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def skipped(notebook: Any) -> bool:
    """Tell whether it has cells that are not executed here, for lack of PyTorch."""
    tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", ())]
    return "torch" in tags and not find_spec("torch")


def environment(folder: Path) -> dict[str, str]:
    """Return the kernel's environment: no settings of the user's, and a ``dot`` that fails.

    Pictures then have the built-in layout, which is the same on every machine.
    """
    programs = folder / "bin"
    programs.mkdir()
    for name, text in (("dot", "#!/bin/sh\nexit 1\n"), ("dot.bat", "@exit /b 1\n")):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(stat.S_IRWXU)
    own = Path(sys.executable).parent
    known = {**os.environ}
    for name in ("MPLBACKEND", "PYTHONSTARTUP", "PYTHONWARNINGS", "MATPLOTLIBRC"):
        known.pop(name, None)
    paths = [str(ROOT), *filter(None, [known.get("PYTHONPATH")])]
    return {
        **known,
        "PATH": os.pathsep.join([str(programs), str(own), known.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(paths),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "COLUMNS": "100",
    }


def clean(notebook: Any) -> Any:
    """Return the notebook without what differs between machines, with alt texts and slides."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {k: cell.metadata[k] for k in KEPT if k in cell.metadata}
        )
        if cell.cell_type == "markdown" and "slideshow" not in cell.metadata:
            kind = "slide" if re.match("##? ", cell.source) else "subslide"
            cell.metadata["slideshow"] = nbformat.from_dict({"slide_type": kind})
        for output in cell.get("outputs", ()):
            _clean_output(output, cell.metadata.get("alt", ""))
    return notebook


def _clean_output(output: Any, alt: str) -> None:
    if "text" in output:
        output["text"] = _without_machine(output["text"])
    if "traceback" in output:
        output["traceback"] = [_without_machine(line) for line in output["traceback"]]
    data = output.get("data", {})
    for kind, text in data.items():
        if isinstance(text, str) and kind != "image/png":
            data[kind] = _without_machine(text)
    if "image/png" in data:
        data["image/png"] = data["image/png"].replace("\n", "")
        if alt:
            # JupyterLab and nbconvert read alternative text in HTML only, and prefer HTML.
            data["text/html"] = (
                f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data["image/png"]}">'
            )
            output["metadata"] = {"image/png": {"alt": alt}}


def _without_machine(text: str) -> str:
    text = re.sub(r"\S*ipykernel_\d+[/\\]\d+\.py", "<cell>", text)
    return text.replace(str(ROOT) + os.sep, "")


# -- comparing -----------------------------------------------------------------------------------


def differences(saved: Any, fresh: Any, *, exact: bool = False) -> list[str]:
    """Say how the outputs of a fresh execution differ from those that are saved.

    Cells with the tag ``varies`` need only have outputs of the same kinds. ``exact`` is for two
    executions on one machine: numbers and images are then the same to the bit.
    """
    if [cell.source for cell in saved.cells] != [cell.source for cell in fresh.cells]:
        return ["the cells are not the same"]
    found = []
    for old, new in zip(saved.cells, fresh.cells, strict=True):
        if old.cell_type != "code":
            continue
        varies = "varies" in old.metadata.get("tags", ())
        said = _different_outputs(old.outputs, new.outputs, varies, exact)
        found += [f"cell {old.id}: {each}" for each in said]
    return found


def _different_outputs(saved: Any, fresh: Any, varies: bool, exact: bool) -> list[str]:
    before, after = _parts(saved), _parts(fresh)
    if [kind for kind, _ in before] != [kind for kind, _ in after]:
        kinds = [", ".join(kind for kind, _ in parts) or "none" for parts in (before, after)]
        return [f"outputs were {kinds[0]}; now {kinds[1]}{_excerpt(after)}"]
    if varies:
        return []
    found = []
    for (kind, old), (_, new) in zip(before, after, strict=True):
        if kind == "image/png":
            if exact and old != new:
                found.append("the image is not the same to the bit")
            elif not _same_size(old, new):
                found.append(f"the image has {_size(new)} pixels, not {_size(old)}")
        elif not same_text(old, new, 0.0 if exact else TOLERANCE):
            lines = difflib.unified_diff(
                old.splitlines(), new.splitlines(), "saved", "now", lineterm="", n=1
            )
            shown = [line[:300] for line in list(lines)[:MOST_LINES]]
            found.append("\n    ".join([f"{kind} differs", *shown]))
    return found


def _parts(outputs: Any) -> list[tuple[str, str]]:
    """Return every representation of every output with its kind."""
    found: list[tuple[str, str]] = []
    for output in outputs:
        if output.output_type == "stream":
            found.append((output.name, output.text))
        elif output.output_type == "error":
            found.append(("error", f"{output.ename}: {output.evalue}"))
        else:
            for kind in sorted(output.data):
                text = output.data[kind]
                if kind != "image/png":
                    text = IMAGE.sub("image", unquote(str(text)))
                found.append((kind, text))
    return found


def _excerpt(parts: list[tuple[str, str]]) -> str:
    errors = [text for kind, text in parts if kind in ("error", "stderr")]
    return f"\n    {errors[0][:600]}" if errors else ""


def same_text(saved: str, fresh: str, tolerance: float) -> bool:
    """Tell whether texts are equal but for white space and the last digits of numbers."""
    if saved == fresh:
        return True
    before, after = NUMBER.split(saved), NUMBER.split(fresh)
    if len(before) != len(after):
        return False
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        if place % 2 == 0:
            if " ".join(old.split()) != " ".join(new.split()):
                return False
        elif old != new and not abs(float(old) - float(new)) <= tolerance * abs(float(old)):
            return False
    return True


def _size(png: str) -> tuple[int, int]:
    header = base64.b64decode(png[:64])
    return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")


def _same_size(saved: str, fresh: str) -> bool:
    pairs = zip(_size(saved), _size(fresh), strict=True)
    return all(abs(old - new) <= SIZE_TOLERANCE * old for old, new in pairs)


# -- what every notebook keeps to ----------------------------------------------------------------


def problems(notebook: Any) -> list[str]:
    """Say where a notebook does not keep to the rules in README.md."""
    found = []
    if dict(notebook.metadata) != METADATA:
        found.append("the notebook's metadata is more than the kernel: save it with run.py")
    first = notebook.cells[0]
    if first.cell_type != "markdown" or not first.source.startswith("# "):
        found.append("it does not begin with a title")
    if not any(re.search(r"^## Exercises", cell.source, re.M) for cell in notebook.cells):
        found.append("it has no section '## Exercises'")
    if len(nbformat.writes(notebook).encode()) > MOST_BYTES:
        found.append(f"it is larger than {MOST_BYTES} bytes")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("its cells were not executed from top to bottom")
    for cell in notebook.cells:
        found += [f"cell {cell.id}: {said}" for said in _problems_of_cell(cell)]
    return found


def _problems_of_cell(cell: Any) -> list[str]:
    found = []
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id) or re.fullmatch(
        r"[0-9a-f]{8}(-.*)?", cell.id
    ):
        found.append("the id is not a readable name, such as 'forward-1'")
    if set(cell.metadata) - set(KEPT):
        found.append(f"metadata other than {', '.join(KEPT)}: save it with run.py")
    if cell.cell_type == "markdown":
        if "slideshow" not in cell.metadata:
            found.append("it does not say whether it begins a slide: save it with run.py")
        if "\n## " in cell.source:
            found.append("a section in the middle of a cell: begin a new one")
    tags = cell.metadata.get("tags", ())
    texts = [cell.source]
    for output in cell.get("outputs", ()):
        if output.output_type == "error" and "raises-exception" not in tags:
            found.append(f"an error: {output.evalue}")
        if output.get("name") == "stderr" and "warns" not in tags:
            found.append(f"a warning: {output.text[:300]}")
        data = output.get("data", {})
        if "image/png" in data and len(str(cell.metadata.get("alt", ""))) < 30:
            found.append("an image without a description in the cell's metadata, 'alt'")
        texts += [text for _, text in _parts([output]) if not text.startswith("iVBOR")]
    for text in texts:
        images = re.findall(r"<img\b[^>]*>", text)
        found += [
            f"an image without alternative text: {image[:80]}"
            for image in images
            if not re.search(r'alt="[^"]{5}', image)
        ]
        seen = MACHINE.search(text)
        if seen or (len(platform.node()) > 3 and platform.node() in text):
            found.append(f"something of this machine: {seen[0] if seen else platform.node()}")
    return found


# -- the command ---------------------------------------------------------------------------------


def chosen(names: list[str]) -> list[Path]:
    """Return the notebooks whose file names begin so; all if nothing is given."""
    every = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
    if not names:
        return every
    found = []
    for name in names:
        matching = [path for path in every if path.name.startswith(Path(name).name)]
        if not matching:
            raise SystemExit(f"there is no notebook {name!r} among {[p.name for p in every]}")
        found += matching
    return found


def check(path: Path, *, twice: bool) -> list[str]:
    """Execute a notebook without saving it and return what is wrong."""
    saved = nbformat.read(path, as_version=4)
    fresh = execute(nbformat.read(path, as_version=4))
    found = problems(saved) + differences(saved, fresh)
    if twice:
        again = execute(nbformat.read(path, as_version=4))
        found += [f"two runs: {said}" for said in differences(fresh, again, exact=True)]
    return found


def save(path: Path) -> list[str]:
    """Execute a notebook, write it with its outputs, and return what is wrong with it."""
    notebook = nbformat.read(path, as_version=4)
    if skipped(notebook):
        return [
            "it has cells with the tag 'torch', and PyTorch, without which they have no outputs,"
            " is not installed"
        ]
    fresh = execute(notebook)
    nbformat.write(fresh, path)
    return problems(fresh)


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Execute the notebooks, or check them.")
    parser.add_argument("names", nargs="*", help="such as 01; all by default")
    parser.add_argument("--check", action="store_true", help="save nothing, compare instead")
    parser.add_argument("--twice", action="store_true", help="with --check: compare two runs")
    options = parser.parse_args(arguments)
    if options.twice and not options.check:
        parser.error("--twice goes with --check")
    failed = False
    for path in chosen(options.names):
        try:
            found = check(path, twice=options.twice) if options.check else save(path)
        except CellControlSignal as error:  # a cell failed, or took too long
            found = [re.sub(r"\x1b\[[\d;]*m", "", str(error))]
        failed |= bool(found)
        print(f"{path.name}: {'ok' if not found else ''}", *found, sep="\n  ")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
