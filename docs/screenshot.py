"""Take the pictures of the stepper that the README and the site show, with Chromium.

    python docs/screenshot.py

It needs selenium, chromium and chromedriver, which .ci/run installs, and Pillow to make the files
small. To be run again when the stepper looks different.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from autograd_lite import Value, sin, steps

HERE = Path(__file__).parent
STATE = 6  # the last of the three contributions to ∂f/∂a
WIDTH = 1000


def stepper(folder: Path) -> Path:
    """Write the page: the lecture's f = (x² + sin x²)·x² at x = 2."""
    x = Value(2.0, label="x")
    a = x**2
    b = sin(a)
    c = a + b
    f = c * a
    f.backward()
    page = folder / "steps.html"
    steps(f, names={"x": x, "a": a, "b": b, "c": c, "f": f}).save(page)
    return page


def main() -> None:
    """Take a picture in light colours and one in dark colours."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": WIDTH, "height": 430, "deviceScaleFactor": 1.5, "mobile": False},
        )
        for colours in ("light", "dark"):
            scheme = {"name": "prefers-color-scheme", "value": colours}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
            with tempfile.TemporaryDirectory() as folder:
                driver.get(stepper(Path(folder)).as_uri())
                root = driver.find_element(By.CLASS_NAME, "autograd-stepper")
                body = driver.find_element(By.TAG_NAME, "body")  # the stepper would get its ring
                for _ in range(STATE):
                    body.send_keys(Keys.ARROW_RIGHT)
                picture = Image.open(io.BytesIO(root.screenshot_as_png)).convert("RGB")
            small = picture.quantize(64, dither=Image.Dither.NONE)
            small.save(HERE / f"_static/stepper-{colours}.png", optimize=True)
    finally:
        driver.quit()


if __name__ == "__main__":
    main()
