"""Pictures as a browser draws them."""

from __future__ import annotations

import pytest
from chromium import Browser

import nn
from autograd_lite import Value, draw, sin
from autograd_lite.drawing.look import DARK, LIGHT

OVERFLOWS = """
const found = [];
for (const node of document.querySelectorAll(".node")) {
  const box = [...node.querySelectorAll(".shape")].at(-1).getBoundingClientRect();
  const texts = [...node.querySelectorAll("text")].map((t) => t.getBoundingClientRect());
  for (const text of texts)
    if (text.left < box.left || text.right > box.right || text.top < box.top - 1
        || text.bottom > box.bottom + 1)
      found.push(node.dataset.label + " leaves its box");
  for (const one of texts) for (const other of texts)
    if (one !== other && one.left < other.right && other.left < one.right
        && Math.abs(one.top - other.top) < 5)
      found.push(node.dataset.label + " overlaps itself");
}
return found;
"""


def labelled():
    labels = [
        "x",
        "WWWWWWWWWW",
        "iiiiiiiiii",
        "a_rather_long_name " * 9,
        "αβγ ∂ ≈ ²",
        "Ünïcödé",
        "mmmm",
    ]
    f = Value(-1.23456789e-7, label="f")
    for number, label in enumerate(labels):
        f = f * Value(1e5 / 3.0 + number, label=label) - 0.1
    f.backward()
    return draw(f)


def network():
    model = nn.MLP(2, [3, 1], "tanh", seed=1)
    loss = nn.MSELoss()(model([Value(0.5), Value(-1.0)]), 1.0)
    loss.backward()
    return draw(loss)


def collapsed():
    model = nn.MLP(2, [16, 16, 1], seed=0)
    points, labels = nn.data.moons(20, labels=(-1, 1), seed=0)
    loss = nn.HingeLoss()(model(points), labels)
    loss.backward()
    return draw(loss, expand="layers.0")


@pytest.mark.parametrize("make", [labelled, network, collapsed], ids=lambda make: make.__name__)
def test_all_text_fits_its_box(browser: Browser, make) -> None:
    browser.load(f"<!DOCTYPE html><meta charset=utf-8>{make().svg}")
    assert browser.run("return document.querySelectorAll('.node text').length") > 20
    assert browser.run(OVERFLOWS) == []


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_a_picture_is_light_or_dark_as_the_system_is(browser: Browser, dark, colours) -> None:
    browser.load(draw(sin(Value(2.0))).svg.join(["<meta charset=utf-8>", ""]), dark=dark)
    ground = browser.run("return getComputedStyle(document.querySelector('.paper')).fill")
    red, green, blue = (int(colours["paper"][i : i + 2], 16) for i in (1, 3, 5))
    assert ground == f"rgb({red}, {green}, {blue})"


@pytest.mark.parametrize(
    ("attribute", "colours"),
    [
        ('data-jp-theme-light="true"', LIGHT),
        ('data-jp-theme-light="false"', DARK),
        ('data-theme="dark"', DARK),
    ],
)
def test_a_picture_follows_the_page_around_it(browser: Browser, attribute, colours) -> None:
    page = f"<!DOCTYPE html><meta charset=utf-8><body {attribute}>{draw(Value(2.0) * 2.0).svg}"
    browser.load(page, dark=colours is LIGHT)
    ground = browser.run("return getComputedStyle(document.querySelector('.paper')).fill")
    red, green, blue = (int(colours["paper"][i : i + 2], 16) for i in (1, 3, 5))
    assert ground == f"rgb({red}, {green}, {blue})"


def test_notebook_output_keeps_its_size_and_scrolls(browser: Browser) -> None:
    x = Value(1.0, label="x")
    for _ in range(20):
        x = sin(x)
    picture = draw(x)
    browser.load(f"<!DOCTYPE html><body>{picture._repr_mimebundle_()['text/html']}")
    browser.wait(lambda: browser.run("return document.images[0].complete"))
    width = browser.run("return document.images[0].getBoundingClientRect().width")
    assert width > 1280
    assert f'width="{width:g}"' in picture.svg
    assert browser.run("return document.documentElement.scrollWidth") <= 1280
