"""Facts about the whole repository that its prose claims."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import autograd_lite
import nn

ROOT = Path(__file__).parent.parent
MAP = (ROOT / "docs/explanation/modules.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
SOURCES = sorted([*ROOT.glob("autograd_lite/**/*.py"), *ROOT.glob("nn/**/*.py")])


def run(*command: str, cwd: Path = ROOT) -> str:
    """Run a command and return what it printed; fail with all of it if the command fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# -- the checkers --------------------------------------------------------------------------------


def test_the_linter_finds_nothing() -> None:
    run(sys.executable, "-m", "ruff", "check", "--no-cache")


def test_the_formatter_changes_nothing() -> None:
    run(sys.executable, "-m", "ruff", "format", "--check", "--no-cache")


def test_the_type_checker_finds_nothing() -> None:
    run(sys.executable, "-m", "mypy")


# -- the structure -------------------------------------------------------------------------------


def imports_of(path: Path) -> set[str]:
    """Return the modules of this project that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if is_module(name) else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("autograd_lite", "nn")}


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_two_modules_import_each_other() -> None:
    graph = {module_name(path): imports_of(path) for path in SOURCES}
    state: dict[str, str] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert state.get(name) != "open", " → ".join((*trail, name))
        if name in state or name not in graph:
            return
        state[name] = "open"
        for imported in sorted(graph[name]):
            visit(imported, (*trail, name))
        state[name] = "done"

    for name in graph:
        visit(name, ())


def test_the_engine_knows_nothing_of_nn() -> None:
    for path in SOURCES:
        if path.is_relative_to(ROOT / "autograd_lite"):
            assert not [name for name in imports_of(path) if name.split(".")[0] == "nn"], path


def test_nn_uses_only_public_names_of_the_engine() -> None:
    for path in SOURCES:
        if not path.is_relative_to(ROOT / "nn"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autograd_lite"):
                assert node.module == "autograd_lite", path
                for alias in node.names:
                    assert alias.name in autograd_lite.__all__, (path, alias.name)


@pytest.mark.parametrize("package", [autograd_lite, nn], ids=lambda package: package.__name__)
def test_every_exported_name_exists_and_is_documented(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert len(set(names)) == len(names)
    for name in names:
        assert (getattr(package, name).__doc__ or "").strip(), name


def test_the_examples_of_primitives_run() -> None:
    for name in autograd_lite.__all__:
        thing = getattr(autograd_lite, name)
        if isinstance(thing, autograd_lite.Primitive | autograd_lite.Variadic):
            examples = doctest.DocTestParser().get_doctest(thing.__doc__ or "", {}, name, None, 0)
            assert len(examples.examples) == 2, name
            assert doctest.DocTestRunner().run(examples).failed == 0


def test_no_function_hides_a_submodule_of_the_same_name() -> None:
    for package in (autograd_lite, nn):
        folder = Path(package.__file__ or "").parent
        submodules = {path.stem for path in folder.iterdir()} - {"__init__", "__main__"}
        for name in submodules & set(package.__all__):
            module = importlib.import_module(f"{package.__name__}.{name}")
            assert getattr(package, name) is module, name


def test_importing_loads_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import autograd_lite, nn;"
        " print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    loaded = set(run(sys.executable, "-c", code).split())
    assert loaded - set(sys.stdlib_module_names) == {"autograd_lite", "nn"}
    assert not loaded & {"argparse", "asyncio", "dataclasses", "inspect", "json", "unittest"}


def test_importing_nn_leaves_to_later_what_few_programs_need() -> None:
    code = (
        "import sys, nn; print(*(name for name in sys.modules if name.startswith('nn.')));"
        " print(set(nn.__all__) - set(dir(nn)), nn.plots.__name__, nn.backprop.__module__)"
    )
    loaded, found = run(sys.executable, "-c", code).splitlines()
    later = {"plots", "torch_export", "torch_import", "diagnostics", "matrix_backprop"}
    assert not {f"nn.{name}" for name in later} & set(loaded.split())
    assert found == "set() nn.plots nn.matrix_backprop"


# -- the documents -------------------------------------------------------------------------------


def test_the_site_maps_every_module() -> None:
    for path in SOURCES:
        if path.name not in ("__init__.py", "__main__.py") and path.parent.parent == ROOT:
            assert f"`{path.name}`" in MAP, path


def test_the_version_is_in_the_changelog() -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    assert f"## {version[1]}" in CHANGELOG


# -- the package ---------------------------------------------------------------------------------


def test_the_wheel_works_from_an_empty_environment(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), ".")
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    for path in SOURCES:
        assert path.relative_to(ROOT).as_posix() in packed
    assert {"autograd_lite/py.typed", "nn/py.typed"} <= packed
    assert {f"autograd_lite/drawing/stepper.{kind}" for kind in ("css", "js")} <= packed
    assert "nn/data/first_names.txt" in packed
    assert not [name for name in packed if name.startswith(("tests", "benchmarks", "notebooks"))]

    run(sys.executable, "-m", "venv", str(tmp_path / "env"))
    folder = "Scripts" if os.name == "nt" else "bin"
    python = str(tmp_path / "env" / folder / "python")
    run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    printed = run(python, "-m", "autograd_lite", "x**2", "x=3", "--json", cwd=elsewhere)
    assert '"x": 6.0' in printed
    code = "import nn; print(len(nn.MLP(2, [16, 16, 1]).parameters()), nn.__file__)"
    printed = run(python, "-c", code, cwd=elsewhere)
    assert printed.startswith("337 ")
    assert str(tmp_path) in printed
