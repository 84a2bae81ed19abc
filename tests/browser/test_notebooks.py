"""The page of steps as the output of a notebook: JupyterLab, Notebook 7, nbconvert."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Browser
from lecture_graphs import lecture

for package in ("jupyterlab", "notebook", "nbconvert", "ipykernel"):
    pytest.importorskip(package, reason="needs the extra notebooks")

RIGHT, LEFT, UP, DOWN = "\ue014", "\ue012", "\ue013", "\ue015"
END, SHIFT, ENTER = "\ue010", "\ue008", "\ue007"

SOURCES = [
    "from autograd_lite import Value, sin, steps\n"
    "x = Value(2.0)\na = x**2\nb = sin(a)\nc = a + b\nf = a * c\nsteps(f, names=locals())",
    "steps(f, names=locals())",
    "'the last cell'",
]

HAS_KERNEL = """
const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
const kernel = context?.isReady && context.session?.kernel;
return Boolean(kernel) && kernel.connectionStatus === "connected" && kernel.status === "idle";
"""

SEEN = """
const all = selector => [...document.querySelectorAll(selector)];
const focus = document.activeElement;
const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
return {
  prompts: all(".jp-CodeCell .jp-InputPrompt").map(e => e.textContent),
  outputs: all(".jp-CodeCell .jp-OutputArea").map(e => e.textContent.slice(0, 300)),
  steppers: all(".autograd-stepper").map(e => [e.className, e.dataset.step ?? null]),
  "active cell": all(".jp-Cell").findIndex(e => e.matches(".jp-mod-active")),
  "cell with the focus": all(".jp-Cell").findIndex(e => e.contains(focus)),
  focus: `${focus?.tagName}.${focus?.className}`,
  kernel: kernel ? `${kernel.connectionStatus}, ${kernel.status}` : "none",
  dialogs: all(".jp-Dialog").map(e => e.textContent),
};
"""


def notebook(*outputs: str) -> dict[str, Any]:
    """Return a notebook, with outputs that were made elsewhere, if any are given."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(SOURCES)
    ]
    for cell, html in zip(cells, outputs, strict=False):
        data = {"text/html": html, "text/plain": "steps"}
        cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


class Server:
    """Jupyter with a folder of notebooks."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.address = f"http://127.0.0.1:{port}"

    def open(self, browser: Browser, app: str, name: str, content: dict[str, Any]) -> None:
        """Open a notebook in an application and wait until it can be used."""
        (self.folder / name).write_text(json.dumps(content), encoding="utf-8")
        browser.resize((1400, 1600))
        path = "lab/tree" if app == "JupyterLab" else "notebooks"
        browser.driver.get(f"{self.address}/{path}/{name}")
        # Not the indicator: it says "idle" until it has heard of a kernel, and a cell that is run
        # before there is one makes JupyterLab start a second kernel and drop cells.
        wait(browser, lambda: browser.run(HAS_KERNEL), 90)

    def has_started(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/api/status"):
                return True
        except OSError:
            return False


@pytest.fixture(scope="module")
def server(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("jupyter")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "open_browser": False, "allow_root": True, "ip": "127.0.0.1", "port": port,
        "port_retries": 0, "root_dir": folder / "notebooks",
    }  # fmt: skip
    (folder / "notebooks").mkdir()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab"),
                *(f"--ServerApp.{name}={value}" for name, value in settings.items()),
                "--IdentityProvider.token=",
                "--LabApp.extension_manager=readonly",
                "--LabApp.news_url=",
                "--LabApp.expose_app_in_browser=True",
                "--JupyterNotebookApp.expose_app_in_browser=True",
            ],
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parent.parent.parent),
                "HOME": str(folder),
                **{f"JUPYTER_{what}_DIR": str(folder / what) for what in ("CONFIG", "DATA")},
                "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
                "IPYTHONDIR": str(folder / "ipython"),
                "JUPYTER_PREFER_ENV_PATH": "1",
            },
            stdout=log,
            stderr=log,
        )
        found = Server(folder / "notebooks", port)
        try:
            browser = Browser(chromium, folder)
            browser.wait(lambda: process.poll() is not None or found.has_started(), 60)
            assert process.poll() is None, (folder / "log").read_text()
            yield found
            chromium.get("about:blank")
        finally:
            process.terminate()
            process.wait()


def states(browser: Browser) -> list[str]:
    found: list[str] = browser.run(
        "return [...document.querySelectorAll('.autograd-stepper.ready')].map(r => r.dataset.step)"
    )
    return found


def cells(browser: Browser) -> list[str]:
    found: list[str] = browser.run(
        "return [...document.querySelectorAll('.jp-Cell .cm-content')].map(e => e.textContent)"
    )
    return found


def prompts(browser: Browser) -> list[str]:
    found: list[str] = browser.run(
        "return [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]"
        ".map(e => e.textContent)"
    )
    return found


def focused_cell(browser: Browser) -> int:
    """Return the number of the cell that gets the keys, -1 if none does."""
    return int(
        browser.run(
            "return [...document.querySelectorAll('.jp-Cell')].findIndex(cell =>"
            "cell.matches('.jp-mod-active') && cell.contains(document.activeElement))"
        )
    )


def wait(browser: Browser, condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for something that a notebook does; say what is to be seen if it does not come."""
    from selenium.common.exceptions import TimeoutException

    try:
        browser.wait(condition, seconds)
    except TimeoutException:
        seen = json.dumps(browser.run(SEEN), indent=1)
        pytest.fail(f"not within {seconds:g} s; the notebook shows {seen}")


def click(browser: Browser, selector: str) -> bool:
    """Click on something that the notebook may be about to draw anew."""
    from selenium.common.exceptions import WebDriverException

    try:
        browser.find(selector).click()
    except WebDriverException:
        return False
    return True


def run_from_first_cell(browser: Browser, count: int) -> None:
    """Run cells by the keyboard, each when the one before it is done and the focus has come."""
    wait(browser, lambda: click(browser, ".jp-Cell .cm-line"))
    for number in range(count):
        wait(browser, lambda number=number: focused_cell(browser) == number)
        before = prompts(browser)[number]
        browser.press_with(SHIFT, ENTER)

        def is_done(number: int = number, before: str = before) -> bool:
            prompt = prompts(browser)[number]
            return prompt != before and re.fullmatch(r"\[\d+\]:", prompt) is not None

        wait(browser, is_done)


@pytest.mark.parametrize("app", ["JupyterLab", "Notebook 7"])
def test_keys_pressed_in_a_stepper_leave_the_cells_alone(
    browser: Browser, server: Server, app: str
) -> None:
    server.open(browser, app, "keys.ipynb", notebook())
    run_from_first_cell(browser, 2)
    wait(browser, lambda: states(browser) == ["0", "0"])
    before = cells(browser)

    first, second = browser.all(".autograd-stepper")
    first.find_element("css selector", "[data-do=next]").click()
    at = focused_cell(browser)
    browser.press("b", "x", "d", "d", "a", RIGHT, RIGHT, DOWN, UP)
    second.find_element("css selector", "input").click()
    browser.press("b", "x", "d", "d", END, LEFT)
    assert states(browser) == ["3", "6"]
    for part in ("[data-do=previous]", "[data-do=play]", "input", "summary"):
        browser.run("arguments[0].focus()", second.find_element("css selector", part))
        browser.press("b", "x", "d", "d", UP, DOWN)
    assert cells(browser) == before
    assert at == 0

    run_from_first_cell(browser, 1)
    wait(browser, lambda: states(browser) == ["0", "6"])
    browser.all(".autograd-stepper [data-do=next]")[0].click()
    assert states(browser) == ["1", "6"]
    ids = browser.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert [name for name in ids if ids.count(name) > 1] == []

    # The same key does what it says where the notebook has the focus.
    browser.all(".jp-Cell .jp-InputPrompt")[2].click()
    wait(browser, lambda: focused_cell(browser) == 2)
    browser.press("b")
    wait(browser, lambda: len(cells(browser)) == len(before) + 1)


@pytest.mark.parametrize("app", ["JupyterLab", "Notebook 7"])
def test_code_of_the_formula_has_the_ground_of_the_formula(
    browser: Browser, server: Server, app: str
) -> None:
    server.open(browser, app, "ground.ipynb", notebook())
    run_from_first_cell(browser, 1)
    wait(browser, lambda: states(browser) == ["0"])
    browser.go(4)
    ground = "return getComputedStyle(document.querySelector('.formula code')).backgroundColor"
    assert browser.run(ground) == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("app", ["JupyterLab", "Notebook 7"])
def test_in_a_notebook_that_is_not_trusted_picture_and_list_remain(
    browser: Browser, server: Server, app: str
) -> None:
    server.open(browser, app, "untrusted.ipynb", notebook(lecture()._repr_html_()))
    wait(browser, lambda: browser.all(".jp-OutputArea li"))
    assert states(browser) == []
    assert len(browser.all(".jp-OutputArea li")) == 8
    assert "a.grad = 3.2432 + 4 = 7.2432 2 of 3" in browser.text(".jp-OutputArea ol")
    width = "return document.querySelector('.jp-OutputArea img').naturalWidth"
    wait(browser, lambda: browser.run(width) > 600)


def convert(folder: Path, *options: str) -> str:
    """Return a notebook with the steps as its output, as nbconvert writes it."""
    source = folder / "converted.ipynb"
    source.write_text(json.dumps(notebook(lecture()._repr_html_())), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", *options, str(source)],
        check=True,
        capture_output=True,
    )
    return source.with_suffix(".html").read_text(encoding="utf-8")


def test_nbconvert_keeps_picture_list_and_stepper(browser: Browser, tmp_path: Path) -> None:
    html = convert(tmp_path, "--HTMLExporter.mathjax_url=", "--HTMLExporter.require_js_url=")
    assert html.count(" data-on=") == 6
    browser.open(html)
    browser.go(4)
    assert "a.grad = 3.2432 + 4 = 7.2432" in browser.text(".formula")


def test_with_the_sanitiser_of_nbconvert_the_list_remains(browser: Browser, tmp_path: Path) -> None:
    html = convert(tmp_path, "--HTMLExporter.sanitize_html=True")
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.load(html)
        items = [" ".join(item.text.split()) for item in browser.all("li")]
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert len(items) == 8
    assert items[4].endswith("a.grad = 3.2432 + 4 = 7.2432 2 of 3")
