"""The page of steps does what its buttons and keys say, in a real browser."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from chromium import Browser
from lecture_graphs import document, lecture

from autograd_lite import Value, steps
from autograd_lite.drawing.stepper import page
from autograd_lite.stepping import Steps

RIGHT, LEFT, HOME, END = "\ue014", "\ue012", "\ue011", "\ue010"


def gradients(browser: Browser) -> dict[str, float]:
    """Return the gradients that the nodes have, by name."""
    found = browser.run(
        "return [...document.querySelectorAll('[data-node]')].map("
        "g => [g.dataset.label, g.dataset.grad])"
    )
    return {name: float(grad) for name, grad in found if grad is not None}


def gradients_after(walk: Steps, count: int) -> dict[str, float]:
    found = {walk.graph.root.name: 1.0}
    for step in walk[:count]:
        found[step.operand_name] = step.total
    return found


def disabled(browser: Browser) -> list[str]:
    return [
        button.get_attribute("data-do")
        for button in browser.all("button")
        if not button.is_enabled()
    ]


def click(browser: Browser, what: str) -> None:
    browser.find(f"[data-do={what}]").click()


# -- a file of its own ---------------------------------------------------------------------------


def test_a_file_asks_nothing_of_the_network_and_says_nothing_on_the_console(
    browser: Browser, layout: str
) -> None:
    html = document(lecture())
    assert len(html.encode()) <= 60_000
    browser.open(html)
    for state in range(8):
        browser.go(state)
    assert browser.driver.get_log("browser") == []
    messages = [
        json.loads(entry["message"])["message"] for entry in browser.driver.get_log("performance")
    ]
    asked = {
        message["params"]["request"]["url"].split(":")[0]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    }
    assert asked <= {"file", "data", "about"}


def test_the_states_are_the_start_the_seed_and_one_for_each_contribution(
    browser: Browser, layout: str
) -> None:
    walk = lecture()
    browser.open(document(walk))
    assert browser.state == 0
    assert len(browser.all("[data-edge]")) == 6
    assert [g.get_attribute("data-label") for g in browser.all("[data-node]")] == list("xabcf")
    for state in range(8):
        browser.go(state)
        active = [g.get_attribute("data-edge") for g in browser.all("[data-edge].active")]
        expected = []
        if state > 1:
            step = walk[state - 2]
            expected = [f"{walk.graph.find(step.node).index}-{step.position}"]
        assert active == expected
        assert len(browser.all("[data-edge].done")) == max(state - 1, 0)


def test_gradients_are_those_of_the_engine_to_the_last_digit_at_every_state(
    browser: Browser, layout: str
) -> None:
    walk = lecture()
    browser.open(document(walk))
    assert gradients(browser) == {}
    for state in [1, 2, 3, 4, 5, 6, 7, 4, 6, 2, 7]:
        browser.go(state)
        assert gradients(browser) == gradients_after(walk, state - 1), state
    assert gradients(browser)["a"] == 4.628623021237624
    assert gradients(browser)["x"] == 18.514492084950497
    browser.go(0)
    assert gradients(browser) == {}


def test_shown_gradients_follow_and_are_dashes_before(browser: Browser, layout: str) -> None:
    browser.open(document(lecture()))
    shown = [browser.text("[data-label=a] .grad")]
    for state in (2, 4, 6, 0):
        browser.go(state)
        shown.append(browser.text("[data-label=a] .grad"))
    assert shown == ["–", "3.2432", "7.2432", "4.62862", "–"]


def test_the_formula_says_what_is_added_to_what(browser: Browser, layout: str) -> None:
    browser.open(document(lecture()))
    browser.go(4)
    assert browser.text(".formula") == (
        "a.grad += c.grad · ∂c/∂a = 4 · 1 = 4 a.grad = 3.2432 + 4 = 7.2432 2 of 3"
    )
    browser.go(6)
    assert browser.text(".formula") == (
        "a.grad += b.grad · ∂b/∂a = 4 · (-0.653644) ≈ -2.61457"
        " a.grad = 7.2432 + (-2.61457) ≈ 4.62862 3 of 3"
    )
    browser.go(1)
    assert "f.grad = ∂f/∂f = 1" in browser.text(".formula")


# -- the forward pass first ----------------------------------------------------------------------

KNOWN = """
const shown = e => getComputedStyle(e).visibility === 'visible';
const some = selector => [...document.querySelectorAll(selector)].filter(shown);
return [
  some('.node .data').map(e => e.closest('.node').dataset.label).join(''),
  some('.edge .partial').map(e => e.closest('.edge').dataset.edge).sort().join(' '),
  [...document.querySelectorAll('.edge.active')].map(e => e.dataset.edge).sort().join(' '),
];
"""


def test_the_forward_pass_makes_numbers_and_partials_known_one_operation_at_a_time(
    browser: Browser, layout: str
) -> None:
    browser.open(document(lecture(forward=True)))
    forwards = [
        ["x", "", ""],
        ["xa", "1-0", "1-0"],
        ["xab", "1-0 2-0", "2-0"],
        ["xabc", "1-0 2-0 3-0 3-1", "3-0 3-1"],
        ["xabcf", "1-0 2-0 3-0 3-1 4-0 4-1", "4-0 4-1"],
    ]
    for state in (0, 1, 2, 3, 4, 2, 11, 3, 0):
        browser.go(state)
        if state < 5:
            assert browser.run(KNOWN) == forwards[state], state
            assert gradients(browser) == {}
    browser.go(3)
    assert browser.text(".formula") == "c = a + b = 3.2432 ∂c/∂a = 1, ∂c/∂b = 1 operation 3 of 4"
    assert browser.driver.get_log("browser") == []


def test_after_the_forward_pass_the_backward_pass_is_as_ever(browser: Browser) -> None:
    walk = lecture(forward=True)
    browser.open(document(walk))
    for state in range(5, 12):
        browser.go(state)
        assert gradients(browser) == gradients_after(walk, state - 5), state
        assert browser.run(KNOWN)[0] == "xabcf"
        assert len(browser.all(".edge.active")) == (state > 5)
    browser.resize((480, 800))
    browser.wait(lambda: browser.run(KNOWN)[2] == "1-0")
    browser.go(2)
    assert browser.run(KNOWN) == ["xab", "1-0 2-0", "2-0"]


# -- buttons, keys, slider -----------------------------------------------------------------------


def test_buttons_keys_and_slider_agree(browser: Browser, layout: str) -> None:
    browser.open(document(lecture()))
    assert disabled(browser) == ["first", "previous"]
    click(browser, "next")
    assert browser.state == 1
    browser.press(RIGHT, RIGHT, LEFT, RIGHT)
    assert browser.state == 3
    assert browser.find("input").get_attribute("value") == "3"
    assert disabled(browser) == []
    click(browser, "previous")
    assert browser.state == 2
    click(browser, "last")
    assert browser.state == 7
    assert disabled(browser) == ["next", "last"]
    browser.press(HOME)
    assert browser.state == 0
    browser.press(END)
    assert browser.state == 7
    click(browser, "first")
    assert browser.state == 0
    browser.run("document.querySelector('input').focus()")
    browser.press(RIGHT, RIGHT)
    assert browser.state == 2
    browser.press(END, RIGHT)
    assert browser.state == 7
    browser.press(HOME, LEFT)
    assert browser.state == 0
    assert disabled(browser) == ["first", "previous"]


def test_a_page_of_its_own_has_the_keys_without_a_click(browser: Browser) -> None:
    browser.open(document(lecture()))
    assert browser.run("return document.activeElement === document.body")
    browser.press(RIGHT, RIGHT, RIGHT)
    assert browser.state == 3


def test_a_button_that_is_disabled_leaves_the_focus_in_the_stepper(browser: Browser) -> None:
    browser.open(document(lecture()))
    browser.run("document.querySelector('[data-do=last]').focus()")
    browser.press("\ue007")
    assert browser.state == 7
    browser.press(LEFT)
    assert browser.state == 6


def test_a_step_of_the_list_leads_to_its_state(browser: Browser) -> None:
    browser.open(document(lecture()))
    assert not browser.find("li").is_displayed()
    browser.find("summary").click()
    browser.all("li")[5].click()
    assert browser.state == 5
    assert (
        browser.run(
            "return [...document.querySelectorAll('li')].findIndex(li => li.ariaCurrent == 'step')"
        )
        == 5
    )


def stop_the_clock(browser: Browser) -> None:
    """Let time pass in the page by `pass_time` only, however busy the machine is."""
    browser.run(
        "window.due = null;"
        "window.setTimeout = (task, after) => { window.due = {task, after}; return 1; };"
        "window.clearTimeout = () => { window.due = null; };"
    )


def pass_time(browser: Browser) -> float | None:
    """Do what is due next, and return after how many seconds; None if nothing is."""
    found: int | None = browser.run(
        "const due = window.due; window.due = null; due?.task(); return due?.after ?? null"
    )
    return None if found is None else found / 1000.0


def face_of_play(browser: Browser) -> str | None:
    label: str | None = browser.find("[data-do=play]").get_attribute("aria-label")
    return label


def test_play_goes_to_the_end_and_stops_there(browser: Browser) -> None:
    browser.open(document(lecture()))
    stop_the_clock(browser)
    browser.go(5)
    browser.find("[data-do=next]").click()
    browser.press(" ")
    assert face_of_play(browser) == "Pause (space)"
    assert browser.state == 6
    assert pass_time(browser) == 1.2
    assert browser.state == 7
    assert face_of_play(browser) == "Play (space)"
    assert pass_time(browser) is None


def test_play_goes_on_by_itself(browser: Browser) -> None:
    browser.open(document(lecture()))
    browser.go(5)
    click(browser, "play")
    browser.wait(lambda: browser.state == 7)
    assert face_of_play(browser) == "Play (space)"


@pytest.mark.parametrize("by", ["slider", "key", "button", "space", "list"])
def test_play_pauses_when_the_reader_does_something(browser: Browser, by: str) -> None:
    browser.open(document(lecture()))
    stop_the_clock(browser)
    click(browser, "play")
    pass_time(browser)
    assert browser.state == 1
    assert face_of_play(browser) == "Pause (space)"
    {
        "slider": lambda: browser.go(4),
        "key": lambda: browser.press(RIGHT),
        "button": lambda: click(browser, "next"),
        "space": lambda: browser.press(" "),
        "list": lambda: browser.run("document.querySelectorAll('li')[3].click()"),
    }[by]()
    assert face_of_play(browser) == "Play (space)"
    assert pass_time(browser) is None


def test_play_at_the_end_begins_again(browser: Browser) -> None:
    browser.open(document(lecture()))
    stop_the_clock(browser)
    browser.go(7)
    click(browser, "play")
    assert browser.state == 0
    pass_time(browser)
    assert browser.state == 1


def test_breakpoints_stop_the_play_and_the_key_b_goes_to_the_next(browser: Browser) -> None:
    walk = lecture()
    browser.open(document(walk.watch("b")))
    stop_the_clock(browser)
    click(browser, "next")
    browser.press("b")
    assert browser.state == 5
    assert walk[3].operand_name == "b"
    browser.press("b")
    assert browser.state == 5
    browser.go(4)
    click(browser, "play")
    pass_time(browser)
    assert browser.state == 5
    assert face_of_play(browser) == "Play (space)"
    assert pass_time(browser) is None


# -- several on a page ---------------------------------------------------------------------------


def test_two_steppers_on_one_page_are_independent_and_share_no_id(browser: Browser) -> None:
    walk = lecture()
    browser.open(f"<!DOCTYPE html><meta charset=utf-8>{page(walk)}{page(walk)}")
    assert len(browser.all(".ready")) == 2
    browser.go(3)
    assert browser.run(
        "return [...document.querySelectorAll('.autograd-stepper')].map(r => r.dataset.step)"
    ) == ["3", "0"]
    ids = browser.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids)


# -- names that mean harm ------------------------------------------------------------------------

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    'a|b{"',
    "é漢",
    "'\"><svg onload=alert(1)>",
    "&lt;b&gt;%3Cb%3E",
    "]]>&amp;",
]


def test_names_are_shown_as_text_and_nothing_in_them_runs(browser: Browser, layout: str) -> None:
    x = Value(2.0, label=HOSTILE[0])
    for name in HOSTILE[1:]:
        x = x * 2.0 + x
        x.label = name
    last = x * 1.5
    last.label = ""
    browser.open(document(steps(last)))
    labels = [g.get_attribute("data-label") for g in browser.all("[data-node]")]
    assert [label for label in labels if not re.fullmatch(r"v\d+", label)] == HOSTILE
    browser.run("document.querySelector('details').open = true")
    text = browser.text("ol")
    for name in HOSTILE:
        assert f"{name}.grad" in text
    for state in range(len(steps(last)) + 2):
        browser.go(state)
    assert browser.driver.get_log("browser") == []
    assert browser.all("img, svg script, svg svg") == []


# -- for everybody -------------------------------------------------------------------------------


def test_each_step_is_announced_and_the_parts_have_names(browser: Browser) -> None:
    browser.open(document(lecture()))
    formula = browser.find(".formula")
    assert formula.get_attribute("aria-live") == "polite"
    browser.go(4)
    assert browser.find("input").get_attribute("aria-valuetext") == "step 4 of 7"
    assert browser.find(".autograd-stepper").accessible_name == "Backward pass of f, step by step"
    assert all(button.accessible_name for button in browser.all("button"))
    assert browser.find("input").accessible_name == "Step"


def test_the_focus_has_a_ring(browser: Browser) -> None:
    browser.open(document(lecture()))
    for _ in range(5):
        browser.press("\ue004")
        style = browser.run(
            "const s = getComputedStyle(document.activeElement);"
            "return [s.outlineStyle, parseFloat(s.outlineWidth)]"
        )
        assert style == ["solid", 3]


def test_the_ring_of_the_stepper_itself_is_not_cut_off_by_the_window(browser: Browser) -> None:
    browser.open(document(lecture()))
    browser.press("\ue004")
    left, top = browser.run(
        "const e = document.activeElement, box = e.getBoundingClientRect();"
        "const s = getComputedStyle(e);"
        "const reach = parseFloat(s.outlineWidth) + parseFloat(s.outlineOffset);"
        "return e.matches('.autograd-stepper') ? [box.left - reach, box.top - reach] : []"
    )
    assert min(left, top) >= 0


def test_nothing_moves_for_those_who_prefer_it_so(browser: Browser) -> None:
    script = "return getComputedStyle(document.querySelector('.active .line')).animationName"
    browser.open(document(lecture()), prefers_reduced_motion="reduce")
    browser.go(4)
    assert browser.run(script) == "none"
    browser.open(document(lecture()), prefers_reduced_motion="no-preference")
    browser.go(4)
    assert browser.run(script) != "none"


CONTRASTS = """
const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parse = text => text.match(/[\\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
const contrast = (a, b) => {
  const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
const ground = element => {
  for (let e = element; e; e = e.parentElement) {
    const colour = parse(getComputedStyle(e).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const found = [];
const root = document.querySelector('.autograd-stepper');
const texts = '.title, .formula *, .counter, summary, li, li *, button';
for (const e of root.querySelectorAll(texts)) {
  if (e.disabled || !e.checkVisibility()) continue;
  found.push([e.className || e.tagName, contrast(parse(getComputedStyle(e).color), ground(e))]);
}
const paper = parse(getComputedStyle(root.querySelector('.paper')).fill);
for (const text of root.querySelectorAll('svg.autograd-graph text')) {
  const node = text.closest('.node');
  let behind = paper;
  if (node) behind = parse(getComputedStyle(node.querySelector('.shape')).fill);
  if (text.matches('.grad')) {
    const tint = getComputedStyle(node.querySelector('.tint')).fill;
    if (tint !== 'none') behind = parse(tint);
  }
  found.push([text.textContent, contrast(parse(getComputedStyle(text).fill), behind)]);
}
for (const [name, where] of [['.active .line', paper], ['.receiving .shape', paper]]) {
  const e = root.querySelector(name);
  if (e) found.push([name, contrast(parse(getComputedStyle(e).stroke), where)]);
}
return found;
"""


INKS = """
return [...document.querySelectorAll('button path')].map(path => {
  const ink = [];
  for (let x = 0.25; x < 18; x += 0.5) for (let y = 0.25; y < 18; y += 0.5)
    if (path.isPointInFill(new DOMPoint(x, y))) ink.push(`${x} ${y}`);
  return [path.closest('button').dataset.do, ink];
});
"""


def test_buttons_side_by_side_do_not_look_alike(browser: Browser) -> None:
    browser.open(document(lecture()))
    inks = {what: set(ink) for what, ink in browser.run(INKS)}
    assert len(inks) == 5
    alike = {
        (one, other): len(inks[one] & inks[other]) / len(inks[one] | inks[other])
        for one, other in pairwise(inks)
    }
    assert {pair: share for pair, share in alike.items() if share > 0.5} == {}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(browser: Browser, dark: bool) -> None:
    browser.open(document(lecture()), dark=dark)
    browser.run("document.querySelector('details').open = true")
    assert browser.run(
        "return getComputedStyle(document.querySelector('.autograd-stepper')).backgroundColor"
    ) == ("rgb(21, 25, 31)" if dark else "rgb(255, 255, 255)")
    for state in range(8):
        browser.go(state)
        found: list[tuple[str, float]] = browser.run(CONTRASTS)
        assert len(found) > 40
        assert [(what, ratio) for what, ratio in found if ratio < 4.5] == []


@pytest.mark.parametrize("lab_is_light", ["true", "false"])
def test_the_theme_of_jupyterlab_counts_more_than_that_of_the_system(
    browser: Browser, lab_is_light: str
) -> None:
    html = f"<!DOCTYPE html><body data-jp-theme-light={lab_is_light}>{page(lecture())}"
    browser.open(html, dark=lab_is_light == "true")
    theme = {"true": "light", "false": "dark"}
    assert browser.find(".autograd-stepper").get_attribute("data-theme") == theme[lab_is_light]
    other = {"true": "false", "false": "true"}[lab_is_light]
    browser.run("document.body.dataset.jpThemeLight = arguments[0]", other)
    browser.wait(
        lambda: browser.find(".autograd-stepper").get_attribute("data-theme") == theme[other]
    )


@pytest.mark.parametrize("element", ["body", "documentElement"])
def test_the_theme_of_a_site_counts_more_than_that_of_the_system(
    browser: Browser, element: str
) -> None:
    browser.open(document(lecture()))
    root = browser.find(".autograd-stepper")
    for theme, shown in (("dark", "dark"), ("light", "light"), ("dark", "dark"), ("auto", "light")):
        browser.run(f"document.{element}.dataset.theme = arguments[0]", theme)
        browser.wait(lambda shown=shown: root.get_attribute("data-theme") == shown)


def test_the_active_edge_is_told_apart_without_colour(browser: Browser) -> None:
    browser.open(document(lecture()))
    browser.go(4)
    style: Any = browser.run(
        "return [...document.querySelectorAll('.edge .line')].map(line => {"
        "const s = getComputedStyle(line);"
        "return [line.parentNode.matches('.active'), s.strokeDasharray, parseFloat(s.strokeWidth)]"
        "})"
    )
    assert sorted(width for active, dashes, width in style if not active)[-1] <= 2.0
    assert [(dashes != "none", width) for active, dashes, width in style if active] == [(True, 4.0)]


# -- without a script ----------------------------------------------------------------------------


def test_without_scripts_there_are_the_picture_and_the_list(browser: Browser) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.load(document(lecture()))
        items = [" ".join(item.text.split()) for item in browser.all("li")]
        picture = browser.find("img")
        assert picture.is_displayed()
        assert picture.size["width"] > 600
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert len(items) == 8
    assert items[4].endswith("a.grad = 3.2432 + 4 = 7.2432 2 of 3")
    assert browser.run("return document.querySelector('img').naturalWidth") > 600
