"""The pages: the site builds, links lead somewhere, every name is there, every example runs."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
import textwrap
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest
from sphinx.util.inventory import InventoryFile

import autograd_lite.testing
import nn

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, *sorted(DOCS.rglob("*.md"))]
JAX = find_spec("jax") is not None
PAGES_NEED = {"plot.md": ["matplotlib"]}
WITH_PROSE = [autograd_lite, autograd_lite.arrays, autograd_lite.testing]
WITH_PROSE += [nn, nn.data, nn.init, nn.losses, nn.optim, nn.optim.lr_scheduler, nn.plots]


def run(*command: str, cwd: Path = ROOT) -> str:
    """Run a command and return what it printed; fail with all of it if the command fails."""
    env = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# -- the site ------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a page has for others to point at, what it points at, and what it loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.pictures_without_words = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.names |= {given[name] for name in ("id", "name") if name in given}
        if tag == "img" and not given.get("alt"):
            self.pictures_without_words += 1
        if "src" in given and not given["src"].startswith("data:"):
            self.loaded.append(given["src"])
        if tag == "link" and given.get("href"):
            self.loaded.append(given["href"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


def without_an_end(site: Path, pages: dict[Path, Page]) -> list[str]:
    """Return the links inside the site that lead nowhere."""
    found = []
    for path, page in pages.items():
        for link in page.links + page.loaded:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists() or (
                target in pages and unquote(address.fragment) not in pages[target].names | {""}
            ):
                found.append(f"{path.relative_to(site)}: {link}")
    return found


def public_names() -> dict[str, object]:
    names = {}
    for package in WITH_PROSE:
        for name in package.__all__:
            thing = getattr(package, name)
            if not isinstance(thing, ModuleType):
                names[f"{package.__name__}.{name}"] = thing
    return names


def test_the_site_builds_and_holds_together(tmp_path: Path) -> None:
    site = (tmp_path / "site").resolve()
    run(sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(DOCS), str(site))
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 40

    assert without_an_end(site, pages) == []
    fetched = [link for page in pages.values() for link in page.loaded if urlsplit(link).netloc]
    assert fetched == []  # the site is read without a network
    assert {path for path, page in pages.items() if page.pictures_without_words} == set()

    with (site / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", os.path.join)
    described = {name for kind, found in inventory.items() if "py:" in kind for name in found}
    names = public_names()
    same = {id(thing) for name, thing in names.items() if name in described}
    assert [name for name, thing in names.items() if id(thing) not in same] == []


# -- the files beside it ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_what_a_file_links_to_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text) + re.findall(r'src(?:set)?="([^"]+)"', text)
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_the_readme_lists_every_notebook_in_order() -> None:
    listed = re.findall(r"\(notebooks/(\d.*?\.ipynb)\)", README.read_text(encoding="utf-8"))
    assert listed == sorted(path.name for path in ROOT.glob("notebooks/[0-9]*.ipynb"))


def test_the_citation_is_of_this_version() -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    assert f"\nversion: {version[1]}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


# -- the examples --------------------------------------------------------------------------------


def python_examples(text: str) -> list[str]:
    blocks = re.finditer(r"^( *)```python\n(.*?)^\1```", text, re.S | re.M)
    return [as_doctest(textwrap.dedent(block[2])) for block in blocks]


def as_doctest(block: str) -> str:
    """Mark empty lines that are printed, where doctest would take the output to end."""
    return re.sub(r"\n(?=\n(?!\n*>>> )\n*\S)", "\n<BLANKLINE>", block)


def commands(text: str) -> list[tuple[str, str]]:
    """Return the commands of a page, and what they print."""
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.S | re.M)
    pattern = re.compile(r"^\$ python (.*?)\n(.*?)(?=^\$|\Z)", re.S | re.M)
    return [found for block in blocks for found in pattern.findall(block)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_example_of_a_page_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"^ *```(?!python\n|py\n)[^\n]*\n *>>>", text, re.M), "not run"
    for package in PAGES_NEED.get(path.name, ()):
        pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    globs: dict[str, object] = {}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for number, block in enumerate(python_examples(text), 1):
        example = doctest.DocTestParser().get_doctest(
            block, globs, f"{path.name} {number}", None, 0
        )
        assert example.examples, block
        assert runner.run(example, clear_globs=False).failed == 0, block
        globs = example.globs
    for command, expected in commands(text):
        assert run(sys.executable, *shlex.split(command), cwd=tmp_path).strip() == expected.strip()


# JAX is no part of the project's optional packages: without it there is nothing to skip.
LIBRARIES = {"micrograd": "micrograd", "PyTorch": "torch", **({"JAX": "jax"} if JAX else {})}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # theirs, of each other
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_code_of_another_library_prints_what_stands_beside_ours(library: str) -> None:
    pytest.importorskip(LIBRARIES[library], reason=f"{library} is not installed")
    text = (DOCS / "coming-from.md").read_text(encoding="utf-8")
    tab = rf"^:::{{tab-item}} {library}\n:sync: {library}\n\n?```py\n(.*?)^```"
    blocks = re.findall(tab, text, re.S | re.M)
    assert len(blocks) > 5
    example = doctest.DocTestParser().get_doctest("".join(blocks), {}, library, None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    assert runner.run(example).failed == 0


def test_the_readme_shows_a_command() -> None:
    assert commands(README.read_text(encoding="utf-8"))
