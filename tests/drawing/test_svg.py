"""The SVG of pictures: well-formed for every label, accessible, readable on light and dark."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import Value, draw, sin
from autograd_lite.drawing.look import DARK, LIGHT, STYLE
from autograd_lite.drawing.text import clipped, text_width

SVG = "{http://www.w3.org/2000/svg}"

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    'a|b{"',
    "é漢",
    "",
    "&amp;&#x41;",
    "]]>",
    "\\N\\l\\",
    "a\x00b\ny\u202ec\ud800",
    "' onload='x",
    "very long " * 100,
]


@pytest.mark.parametrize("label", HOSTILE)
def test_every_label_is_text_and_nothing_else(label):
    x = Value(2.0, label=label)
    picture = draw(sin(x) * x)
    root = ET.fromstring(picture.svg)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "g", "rect", "path", "text"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in attributes if name.startswith("on") or name == "href"]
    shown = re.sub(r"[\x00\n\u202e\ud800]", "?", label) or "v1"
    assert shown in {group.get("data-label") for group in root.iter(f"{SVG}g")}
    if len(shown) < 20:
        assert shown in {text.text for text in root.iter(f"{SVG}text")}


@given(st.text())
def test_any_text_makes_well_formed_xml(label):
    ET.fromstring(draw(Value(1.0, label=label) * 2.0).svg)


def test_a_picture_has_a_role_a_title_and_a_description_and_no_ids():
    x = Value(2.0, label="x")
    root = ET.fromstring(draw(x * x, names={"y": x}).svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Computation graph of v1"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "Computation graph of v1"
    assert root[1].tag == f"{SVG}desc"
    assert root[1].text == (
        "2 values in 2 boxes with 2 arrows from operands to results; the result v1 is 4;"
        " gradients are not computed yet."
    )
    assert not any("id" in element.attrib for element in root.iter())


def test_every_box_and_arrow_says_more_when_the_pointer_rests_on_it():
    x = Value(1.0 / 3.0, label="x")
    y = x * 0.1
    y.backward()
    root = ET.fromstring(draw(y, names={"y": y}).svg)
    hints = [group[0].text for group in root.iter(f"{SVG}g")]
    assert hints == [
        "∂y/∂x = 0.1",
        "leaf x\ndata 0.3333333333333333\ngrad 0.1",
        "y = x * 0.1\ndata 0.03333333333333333\ngrad 1.0",
    ]


def test_names_of_parts_are_drawn_above_the_edges_that_enter_the_parts():
    model = nn.MLP(2, [2, 1], seed=0)
    source = draw(model([Value(1.0), Value(2.0)]), direction="TB").svg
    kinds = re.findall(r'<g class="(frame-title|frame|edge|node)', source)
    assert [kind for kind, _ in groupby(kinds)] == ["frame", "edge", "frame-title", "node"]


def test_the_same_graph_gives_the_same_picture():
    def picture():
        model = nn.MLP(2, [3, 1], seed=0)
        return draw(model([Value(1.0), Value(2.0)])).svg

    assert picture() == picture()


# -- colours -------------------------------------------------------------------------------------


def luminance(colour):
    """Return the relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


TINTS = ("zero", "p1", "p2", "p3", "n1", "n2", "n3")


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_enough_contrast_with_every_ground_it_stands_on(colours):
    for ground in ("paper", "box", "behind", "frame", *TINTS):
        assert contrast(colours["ink"], colours[ground]) >= 4.5, ground
        assert contrast(colours["quiet"], colours[ground]) >= 4.5, ground
    for ground in ("paper", "frame"):
        assert contrast(colours["partial"], colours[ground]) >= 4.5
        assert contrast(colours["edge"], colours[ground]) >= 3.0
    assert contrast(colours["border"], colours["box"]) >= 3.0


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_tints_all_differ(colours):
    assert len({colours[name] for name in (*TINTS, "box")}) == len(TINTS) + 1


def test_every_colour_has_a_plain_one_before_the_variable():
    assert "@" not in STYLE.replace("@media", "")
    for name in re.findall(r"(?<=: )var\(--([\w-]+)\)", STYLE):
        assert f": {LIGHT[name]}; " in STYLE
    assert STYLE.count("prefers-color-scheme: dark") == 1
    assert set(LIGHT) == set(DARK)


# -- text ----------------------------------------------------------------------------------------


def test_bold_text_is_wider_and_wide_letters_are_wide():
    assert text_width("gradient", 10.0, bold=True) > text_width("gradient", 10.0)
    assert text_width("漢字", 10.0) >= 20.0
    assert text_width("e\u0301", 10.0) == text_width("e", 10.0)


@pytest.mark.parametrize("text", ["short", "a_name_that_is_too_long", "W" * 10_000, "漢" * 50])
def test_clipped_text_fits_and_keeps_both_ends(text):
    found = clipped(text, 100.0, 13.0)
    assert text_width(found, 13.0) <= 100.0
    assert (found[0], found[-1]) == (text[0], text[-1])
