"""A browser to open pages in, with and without Graphviz on the PATH."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Browser

SWITCHES = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars"
    " --disable-background-networking --disable-component-update --disable-sync"
)


def find_browser() -> tuple[str, str]:
    """Return the paths of Chromium and its driver, or skip."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    browser = next((found for name in names if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("needs Chromium and chromedriver on the PATH")
    return browser, driver


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs the package selenium")
    browser, driver = find_browser()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for switch in SWITCHES.split():
        options.add_argument(switch)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture
def browser(chromium: Any, tmp_path: Path) -> Browser:
    chromium.get("about:blank")
    for log in ("browser", "performance"):
        chromium.get_log(log)
    return Browser(chromium, tmp_path)


@pytest.fixture(scope="session")
def path_without_dot(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of links to all programs but Graphviz."""
    folder = tmp_path_factory.mktemp("programs")
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / program.name
            if program.stem != "dot" and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


@pytest.fixture(params=["built-in layout", "dot"])
def layout(
    request: pytest.FixtureRequest, path_without_dot: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Draw with and without Graphviz."""
    if request.param != "dot":
        monkeypatch.setenv("PATH", path_without_dot)
    elif shutil.which("dot") is None:
        pytest.skip("needs Graphviz")
    return str(request.param)


@pytest.fixture
def without_dot(path_without_dot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path_without_dot)
