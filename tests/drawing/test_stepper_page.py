"""What the page of steps holds, before any browser has seen it."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from threading import Thread
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from autograd_lite import Value, exp, log, sin, steps
from autograd_lite.drawing.stepper import page
from autograd_lite.stepping import Steps

ALONE = "{http://www.w3.org/2000/svg}"


def lecture() -> Steps:
    x = Value(2.0)
    a = x**2
    b = sin(a)
    c = a + b
    f = a * c
    return steps(f, names={"x": x, "a": a, "b": b, "c": c, "f": f})


class Reader(HTMLParser):
    """Collects the start tags of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def pictures(html: str) -> list[ElementTree.Element]:
    """Return the pictures of a page: the wide one, and the upright one if there is one."""
    reader = Reader(html)
    sources = [reader.all("img")[0]["src"], *(each["srcset"] for each in reader.all("source"))]
    found = []
    for source in sources:
        assert source is not None
        assert source.startswith("data:image/svg+xml,")
        found.append(ElementTree.fromstring(unquote(source.split(",", 1)[1])))
    return found


def test_the_picture_shows_the_end_and_the_list_every_step() -> None:
    walk = lecture()
    html = page(walk)
    wide, upright = pictures(html)
    for picture in (wide, upright):
        grads = {
            g.get("data-label"): g.get("data-grad")
            for g in picture.iter(f"{ALONE}g")
            if g.get("data-node")
        }
        assert grads == {
            "x": "18.514492084950497",
            "a": "4.628623021237624",
            "b": "4.0",
            "c": "4.0",
            "f": "1.0",
        }
    items = Reader(html).all("li")
    assert [item.get("data-grad") for item in items[2:]] == [repr(step.total) for step in walk]
    assert items[4]["data-on"] == "3-0"
    assert Reader(html).all("div")[0]["data-step"] == "7"


def test_the_upright_picture_is_for_narrow_places_and_stands_upright() -> None:
    wide, upright = pictures(page(lecture()))
    width, height = (float(upright.get(name, "")) for name in ("width", "height"))
    assert width < height
    assert float(wide.get("width", "")) > float(wide.get("height", ""))


def test_reading_the_page_changes_nothing_and_gives_the_same_text_again() -> None:
    walk = lecture()
    root = walk.graph.root.value
    root.backward()
    before = [(node.value.data, node.value.grad) for node in walk.graph]
    assert page(walk) == page(walk)
    assert [(node.value.data, node.value.grad) for node in walk.graph] == before


def test_the_gradients_are_those_of_one_pass_whatever_was_accumulated() -> None:
    x = Value(3.0, label="x")
    y = x * x
    for _ in range(2):
        y.backward()
    assert x.grad == 12.0
    assert Reader(page(steps(y))).all("li")[-1]["data-grad"] == "6.0"


def test_a_document_lets_no_script_run_but_its_own() -> None:
    html = page(lecture(), document=True)
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.S)
    fingerprint = b64encode(sha256(script.encode()).digest()).decode()
    (policy,) = [
        meta["content"]
        for meta in Reader(html).all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert f"script-src 'sha256-{fingerprint}'" in policy
    assert policy.startswith("default-src 'none'; ")


def test_an_element_for_a_notebook_has_no_ids_and_is_no_document() -> None:
    html = page(lecture())
    assert html.startswith("<div ")
    assert not [tag for tag, attributes in Reader(html).tags if "id" in attributes]
    assert [g for picture in pictures(html) for g in picture.iter() if g.get("id")] == []


def test_no_class_has_a_name_that_reveal_js_places_on_slides() -> None:
    named = re.findall(r'class(?:=|: ?)"([^"]*)"', lecture()._repr_html_())
    used = {name for names in named for name in names.split()}
    assert {"stepper-controls", "view"} <= used
    assert not used & {"controls", "progress", "slides", "backgrounds", "playback", "overlay"}


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("</script><img src=x onerror=alert(1)>", "</script><img src=x onerror=alert(1)>"),
        ("<!--<script>", "<!--<script>"),
        ('a|b{"', 'a|b{"'),
        ("&lt;%3C&#60;", "&lt;%3C&#60;"),
        ("é漢", "é漢"),
        ("a\x00b\nc", "a?b?c"),
        ("\ud800", "?"),
        ("", "v1"),
    ],
)
def test_a_label_is_text_wherever_it_stands(label: str, shown: str) -> None:
    x = Value(2.0, label=label)
    walk = steps(x * 3.0)
    html = page(walk, document=True)
    html.encode("utf-8")
    reader = Reader(html)
    assert len(reader.all("script")) == 1
    assert len(reader.all("img")) == 1
    for picture in pictures(html):
        labels = [g.get("data-label") for g in picture.iter(f"{ALONE}g") if g.get("data-node")]
        assert labels[0] == shown


def test_gradients_that_are_no_numbers_are_written_as_python_does() -> None:
    x = Value(0.0, label="x")
    items = Reader(page(steps(log(x) * 0.0))).all("li")
    assert [item["data-grad"] for item in items[1:]] == ["1.0", "0.0", "nan"]
    y = Value(800.0, label="y")
    assert Reader(page(steps(exp(y)))).all("li")[-1]["data-grad"] == "inf"


def test_breakpoints_are_marked() -> None:
    items = Reader(page(lecture().watch("a"))).all("li")
    assert [number for number, item in enumerate(items) if "data-stop" in item] == [2, 4, 6]


def test_the_forward_pass_comes_first_if_it_is_asked_for() -> None:
    root = lecture().graph.root.value
    walk = steps(root, forward=True)
    html = page(walk)
    items = Reader(html).all("li")
    assert [item.get("data-made") for item in items] == [None, *"1234", *[None] * 7]
    assert [item.get("data-grad") for item in items[6:]] == [repr(step.total) for step in walk]
    assert Reader(html).all("div")[0]["data-step"] == "11"
    assert len(page(walk, document=True).encode()) <= 60_000
    assert list(walk) == list(steps(root))
    assert page(steps(root, forward=True).watch(zero=True)) == html


# -- many nodes ----------------------------------------------------------------------------------


def chain(count: int) -> Value:
    x = Value(1.0, label="x")
    for _ in range(count):
        x = x * 1.0001
    return x


def test_a_thousand_nodes_are_all_drawn() -> None:
    html = page(steps(chain(999)))
    (picture,) = pictures(html)
    assert sum(1 for g in picture.iter(f"{ALONE}g") if g.get("data-node")) == 1000
    assert len(Reader(html).all("li")) == 1001
    assert "left-out" not in [div.get("class") for div in Reader(html).all("p")]


def test_of_a_long_chain_the_first_steps_are_there_and_the_page_says_so() -> None:
    made: list[str] = []
    thread = Thread(target=lambda: made.append(page(steps(chain(10_000)))))
    thread.start()
    thread.join()
    (html,) = made
    assert (
        "Here are the first 999 of 10,000 contributions and the numbers that they concern; the"
        " graph has 10,001 numbers." in html
    )
    (picture,) = pictures(html)
    assert sum(1 for g in picture.iter(f"{ALONE}g") if g.get("data-node")) == 1000
    assert len(Reader(html).all("li")) == 1001
    assert Reader(html).all("div")[0]["data-step"] == "1000"


def test_where_only_the_first_steps_are_there_the_page_says_that_the_forward_pass_is_not() -> None:
    html = page(steps(chain(1_500), forward=True))
    assert "The forward pass is left out." in html
    assert "data-made" not in html.split("<script>")[0]
    assert "The forward pass is left out." not in page(steps(chain(1_500)))


def test_fewer_nodes_can_be_asked_for() -> None:
    walk = lecture()
    html = page(walk, max_nodes=3)
    assert "the first 3 of 6 contributions" in html
    wide, _ = pictures(html)
    labels = [g.get("data-label") for g in wide.iter(f"{ALONE}g") if g.get("data-node")]
    assert labels == ["a", "c", "f"]
