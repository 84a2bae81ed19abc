"""What the page of steps looks like: nothing overlaps, everything is in view and large enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chromium import Browser
from lecture_graphs import document, hand_example, lecture, small_mlp

from autograd_lite import Value, sin, steps
from autograd_lite.stepping import Steps

GRAPHS = [lecture, hand_example, small_mlp]

OVERLAPS = """
const svg = document.querySelector('svg.autograd-graph');
const box = e => e.getBoundingClientRect();
const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
  && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5;
const name = e => e.textContent;
const written = [...svg.querySelectorAll('.partial, .frame-title text')];
const labels = written.map(e => [e, box(e)]);
const nodes = [...svg.querySelectorAll('.node')].map(g => [g, box(g.querySelector('.shape'))]);
const found = [];
for (const [label, a] of labels) {
  for (const [other, b] of labels) {
    if (label !== other && meet(a, b)) found.push(['labels', name(label), name(other)]);
  }
  for (const [node, b] of nodes) {
    if (meet(a, b)) found.push(['node', node.dataset.label, name(label)]);
  }
}
const line = svg.querySelector('.active .line');
if (line) {
  const matrix = line.getScreenCTM();
  const length = line.getTotalLength();
  for (let at = 0; at <= length; at += 1) {
    const p = line.getPointAtLength(at).matrixTransform(matrix);
    for (const [label, b] of labels) {
      if (label.parentNode !== line.parentNode
          && p.x > b.left && p.x < b.right && p.y > b.top && p.y < b.bottom) {
        found.push(['active edge', name(label)]);
      }
    }
  }
}
for (const [node, b] of nodes) {
  const texts = [...node.querySelectorAll('text')].map(e => [e, box(e)]);
  for (const [text, a] of texts) {
    if (a.left < b.left || a.right > b.right || a.top < b.top - 1 || a.bottom > b.bottom + 1) {
      found.push(['out of its node', name(text)]);
    }
    for (const [other, c] of texts) {
      const share = Math.min(a.right, c.right) - Math.max(a.left, c.left);
      const level = Math.abs(a.top - c.top) < 3;
      if (text !== other && level && share > 0.5) found.push(['texts', name(text), name(other)]);
    }
  }
}
return found;
"""


@pytest.mark.parametrize("size", [(1280, 720), (480, 800)], ids=["wide", "narrow"])
@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.__name__)
def test_at_no_state_anything_overlaps_a_label(
    browser: Browser, layout: str, graph: Callable[[], Steps], size: tuple[int, int]
) -> None:
    walk = graph()
    browser.open(document(walk), size=size)
    for state in range(len(walk) + 2):
        browser.go(state)
        assert browser.run(OVERLAPS) == [], state


def test_in_the_forward_pass_nothing_overlaps_a_label_and_what_is_computed_is_in_view(
    browser: Browser, layout: str
) -> None:
    walk = lecture(forward=True)
    browser.open(document(walk), size=(480, 800), prefers_reduced_motion="reduce")
    for state in range(1, 5):
        browser.go(state)
        assert browser.run(OVERLAPS) == [], state
        assert is_inside(box(browser, ".computed .shape"), box(browser, ".view")), state
        assert is_inside(box(browser, ".active .line"), box(browser, ".view")), state


# -- in view, and large enough -------------------------------------------------------------------


def box(browser: Browser, selector: str) -> dict[str, float]:
    found: dict[str, float] = browser.run(
        "const b = document.querySelector(arguments[0]).getBoundingClientRect();"
        "return {left: b.left, right: b.right, top: b.top, bottom: b.bottom}",
        selector,
    )
    return found


def is_inside(inner: dict[str, float], outer: dict[str, float]) -> bool:
    return (
        inner["left"] >= outer["left"] - 1
        and inner["right"] <= outer["right"] + 1
        and inner["top"] >= outer["top"] - 1
        and inner["bottom"] <= outer["bottom"] + 1
    )


def screen(size: tuple[int, int]) -> dict[str, float]:
    return {"left": 0, "top": 0, "right": size[0], "bottom": size[1]}


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (480, 800)])
def test_graph_formula_and_controls_are_on_one_screen(
    browser: Browser, without_dot: None, size: tuple[int, int]
) -> None:
    browser.open(document(lecture()), size=size)
    for state in range(8):
        browser.go(state)
        for part in ("svg.autograd-graph", ".formula", ".stepper-controls", "summary"):
            assert is_inside(box(browser, part), screen(size)), (part, state)


def pixels(browser: Browser, selector: str) -> float:
    """Return the size of the smallest text that is found, as it stands on the screen."""
    found: float = browser.run(
        "return Math.min(...[...document.querySelectorAll(arguments[0])].map(e =>"
        "parseFloat(getComputedStyle(e).fontSize) * (e.getScreenCTM ? e.getScreenCTM().a : 1)))",
        selector,
    )
    return found


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.__name__)
def test_a_lecture_hall_can_read_it(
    browser: Browser, without_dot: None, graph: Callable[[], Steps]
) -> None:
    browser.open(document(graph()), size=(1920, 1080))
    browser.go(4)
    assert pixels(browser, ".formula, .formula code, .formula em") >= 24.0
    assert pixels(browser, ".node text") >= 16.0
    assert pixels(browser, ".partial") >= 16.0


@pytest.mark.parametrize("graph", [lecture, hand_example], ids=lambda graph: graph.__name__)
def test_on_a_telephone_the_page_does_not_scroll_sideways_and_shows_the_active_edge(
    browser: Browser, without_dot: None, graph: Callable[[], Steps]
) -> None:
    walk = graph()
    browser.open(document(walk), size=(480, 800), prefers_reduced_motion="reduce")
    for state in range(len(walk) + 2):
        browser.go(state)
        assert browser.run("return document.documentElement.scrollWidth") <= 480
        if state > 1:
            view = box(browser, ".view")
            assert is_inside(box(browser, ".active .line"), view), state
            assert is_inside(box(browser, ".active .partial"), view), state


def test_of_an_edge_longer_than_the_view_the_end_that_receives_is_shown(
    browser: Browser, without_dot: None
) -> None:
    walk = small_mlp()
    browser.open(document(walk), size=(480, 800), prefers_reduced_motion="reduce")
    for state in range(2, len(walk) + 2):
        browser.go(state)
        assert browser.run("return document.documentElement.scrollWidth") <= 480
        assert is_inside(box(browser, ".receiving .shape"), box(browser, ".view")), state


# -- large graphs --------------------------------------------------------------------------------


def woven(count: int) -> Steps:
    """A graph of ``count`` nodes, each of two before it."""
    values = [Value(1.0 + i / 7.0) for i in range(5)]
    while len(values) < count:
        i = len(values)
        a, b = values[i - 1 - i % 3], values[i - 5]
        values.append(sin(a + b) if i % 4 else a * b)
        if i % 4:
            values.append(values[-1] * 0.5 + values[-2])
    total = values[-1]
    for value in values[-5:-1]:
        total = total + value
    return steps(total)


def test_three_hundred_nodes_stay_small_and_legible_and_quick(
    browser: Browser, without_dot: None
) -> None:
    walk = woven(180)
    assert len(walk.graph) >= 300
    html = document(walk)
    assert len(html.encode()) <= 600_000
    browser.open(html, prefers_reduced_motion="reduce")
    last = len(walk) + 1
    for state in range(2, last + 1, 13):
        browser.go(state)
        assert pixels(browser, ".active .partial, .giving text, .receiving text") >= 11.0
        view = box(browser, ".view")
        assert is_inside(box(browser, ".receiving .shape"), view), state


def test_a_step_touches_a_few_elements_however_large_the_graph(
    browser: Browser, without_dot: None
) -> None:
    changes = []
    for count in (60, 180):
        browser.open(document(woven(count)), prefers_reduced_motion="reduce")
        browser.go(40)
        changes.append(
            browser.run(
                "const seen = new MutationObserver(() => {});"
                "const everything = {attributes: true, childList: true, characterData: true};"
                "seen.observe(document.querySelector('svg'), {...everything, subtree: true});"
                "document.querySelector('[data-do=next]').click();"
                "return seen.takeRecords().length"
            )
        )
    assert changes[0] == changes[1] <= 20
