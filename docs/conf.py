"""How the site is built: python -m sphinx -W --keep-going docs build/site.

Nothing is fetched, neither while it is built nor while it is read: fonts are the reader's own, and
MathJax, copied from a package, lies beside the pages.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from autograd_lite import Primitive, Variadic
from autograd_lite.derivations import Typeset
from autograd_lite.stepping import Steps
from autograd_lite.testing.grading.report import Result

HERE = Path(__file__).parent

project = "autograd-lite"
author = "the authors of autograd-lite"
version = release = version_of("autograd-lite")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
default_role = "py:obj"
add_module_names = False
toc_object_entries_show_parents = "hide"

# -- the notebooks, with the outputs they are committed with ---------------------------------------

nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3


def copy_the_notebooks() -> None:
    """Put the notebooks beside the pages; one that has not changed is not written again."""
    there = HERE / "tutorials"
    wanted = {path.name: path for path in (HERE.parent / "notebooks").glob("[0-9]*.ipynb")}
    for path in there.glob("*.ipynb"):
        if path.name not in wanted:
            path.unlink()
    for name, path in wanted.items():
        copy = there / name
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            shutil.copyfile(path, copy)


copy_the_notebooks()

# -- the reference, from the docstrings ------------------------------------------------------------

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False


def as_restructured_text(
    _app: Sphinx, _what: str, _name: str, thing: Any, _options: Any, lines: list[str]
) -> None:
    """Show an operation's formulas as they are; keep |x| and names_, which mean something there."""
    if isinstance(thing, Primitive | Variadic):
        end = lines.index("", 2)
        lines[2:end] = [".. code-block:: text", "", *("    " + line for line in lines[2:end])]
    block: int | None = None  # how far the text before a literal block is indented
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if block is not None and line and indent <= block:
            block = None
        if block is None and not line.lstrip().startswith((">>>", "...")):
            parts = re.split(r"(`+[^`]*`+)", line)
            parts[::2] = [re.sub(r"\||(?<=\w)_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
            lines[number] = "".join(parts)
            block = indent if line.endswith("::") else None


def signature_of_an_operation(
    _app: Sphinx, _what: str, _name: str, thing: Any, *_rest: Any
) -> tuple[str, str] | None:
    """Take an operation's arguments from the formula in its docstring."""
    if isinstance(thing, Primitive | Variadic):
        found = re.search(r"^\w+(\([^()]*\))(?: =|$)", thing.__doc__ or "", re.M)
        return (found[1] if found else "(*operands)"), ""
    return None


def is_left_out(
    _app: Sphinx, _what: str, _name: str, thing: Any, _skip: bool, _options: Any
) -> bool | None:
    """Leave out fields of named tuples: the docstring of the tuple tells what they are."""
    return True if isinstance(thing, type(Result.milestone)) else None


class CommandHelp(SphinxDirective):
    """What a command says about itself: ``.. command-help:: nn train``."""

    required_arguments = 1
    optional_arguments = 9

    def run(self) -> list[nodes.Node]:
        command = [sys.executable, "-m", *self.arguments, "--help"]
        env = {**os.environ, "COLUMNS": "79", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=True)
        return [nodes.literal_block(done.stdout, done.stdout, language="text")]


class Shown(SphinxDirective):
    """What a notebook shows for the last line of some code: a picture, steps, a derivation.

    The text after ``{shown}`` is the alternative text of a picture.
    """

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        *lines, last = self.content
        names: dict[str, Any] = {}
        exec("\n".join(lines), names)
        thing = eval(last, names)
        if isinstance(thing, Steps):
            return [nodes.raw("", thing._repr_html_(), format="html")]
        if isinstance(thing, Typeset):
            parts = (thing.expression, thing.values, thing.derivation)
            return [nodes.math_block(part, part, number=None) for part in parts]
        folder = HERE / "_pictures"
        folder.mkdir(exist_ok=True)
        name = hashlib.sha256("\n".join(self.content).encode()).hexdigest()[:12] + ".svg"
        thing.save(folder / name)
        return [nodes.image(uri=f"/_pictures/{name}", alt=self.arguments[0])]


def leave_environments_alone(_app: Sphinx, page: nodes.document) -> None:
    """Let formulas that are environments already, such as those of `latex`, be no parts of one."""
    for formula in page.findall(nodes.math_block):
        if formula.astext().lstrip().startswith(r"\begin{align"):
            formula["nowrap"] = True


def setup(app: Sphinx) -> None:
    """Connect these with Sphinx."""
    app.add_directive("shown", Shown)
    app.connect("doctree-read", leave_environments_alone)
    app.add_directive("command-help", CommandHelp)
    app.connect("autodoc-process-docstring", as_restructured_text, priority=400)
    app.connect("autodoc-process-signature", signature_of_an_operation)
    app.connect("autodoc-skip-member", is_left_out)


# -- the pages -------------------------------------------------------------------------------------

html_theme = "furo"
html_title = "autograd-lite"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "tango"
pygments_dark_style = "native"
copybutton_exclude = ".linenos, .gp, .go"

linkcheck_anchors = False
linkcheck_timeout = 30

mathjax_path = "tex-svg-full.js"
mathjax_package = find_spec("sphinx-mathjax-offline")
if mathjax_package is None or mathjax_package.origin is None:
    raise ImportError('the site needs the extra "docs": python -m pip install -e ".[docs]"')
html_static_path.append(str(Path(mathjax_package.origin).parent / "static/mathjax/tex-svg-full.js"))
del mathjax_package
