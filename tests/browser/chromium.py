"""Chromium with a page of steps in it, as tests use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = "document.querySelector('.autograd-stepper')"


class Browser:
    """Chromium with pages of steps in it."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver = driver
        self.folder = folder

    def open(
        self, html: str, *, size: tuple[int, int] = (1280, 720), dark: bool = False, **media: str
    ) -> None:
        """Show a page, and wait until its script has run."""
        self.load(html, size=size, dark=dark, **media)
        self.wait(lambda: self.run(f"return {ROOT}.classList.contains('ready')"))

    def load(
        self, html: str, *, size: tuple[int, int] = (1280, 720), dark: bool = False, **media: str
    ) -> None:
        """Show a page."""
        file = self.folder / "page.html"
        file.write_text(html, encoding="utf-8")
        self.resize(size)
        features = {"prefers-color-scheme": "dark" if dark else "light", **media}
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": k.replace("_", "-"), "value": features[k]} for k in features]},
        )
        self.driver.get(file.as_uri())
        # A busy renderer may lay the page out before it has heard of the size.
        self.wait(lambda: tuple(self.run("return [innerWidth, innerHeight]")) == size)

    def resize(self, size: tuple[int, int]) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False},
        )

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: Callable[[], Any], seconds: float = 20.0) -> Any:
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, seconds, 0.05).until(lambda _: condition())

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        found: list[Any] = self.driver.find_elements("css selector", selector)
        return found

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def press_with(self, held: str, key: str) -> None:
        """Press a key where the focus is while another is held down."""
        from selenium.webdriver.common.action_chains import ActionChains

        chain = ActionChains(self.driver, duration=0)
        chain.key_down(held).send_keys(key).key_up(held).perform()

    @property
    def state(self) -> int:
        return int(self.run(f"return {ROOT}.dataset.step"))

    def go(self, state: int) -> None:
        """Move the slider, and wait until the view has followed."""
        self.run(
            f"const slider = {ROOT}.querySelector('input'); slider.value = arguments[0];"
            "slider.dispatchEvent(new Event('input'))",
            state,
        )
        assert self.state == state

    def text(self, selector: str) -> str:
        """Return the text of an element with single spaces."""
        return " ".join(self.find(selector).text.split())
