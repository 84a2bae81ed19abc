"""What `draw_dot` hands to Graphviz: valid for every label, and still the same graph."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from json import loads

import graphviz
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd_lite import Value, draw_dot, sin

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's dot")

HOSTILE = [
    "</script><img src=x>",
    "<b>bold</b>",
    "<",
    'a|b{"}',
    '"quoted"',
    "back\\slash\\",
    "\\N\\G\\l",
    "&amp;",
    "&lt;",
    "é漢",
    "a;b -> c [x=y] //z #",
    "/* comment */",
    "new\nline\x00",
]


def drawn(dot):
    """Return the texts of the picture that Graphviz makes of a source."""
    svg = dot.pipe(format="svg", quiet=False).decode()
    root = ET.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", svg))
    return [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]


@needs_dot
@pytest.mark.parametrize("label", HOSTILE)
def test_graphviz_shows_every_label_as_it_is(label):
    x = Value(2.0, label=label)
    shown = re.sub(r"[\n\x00]", "?", label)
    texts = [text.replace("\xa0", " ") for text in drawn(draw_dot(x * 3.0))]
    assert f"{shown} : leaf" in texts


@needs_dot
@settings(max_examples=20)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_two_labels_make_valid_source(one, other):
    x = Value(2.0, label=one)
    y = Value(2.0, label=other)
    assert len(drawn(draw_dot(x * y + x))) >= 12


def test_nodes_and_arrows_are_those_of_the_graph():
    x = Value(2.0, label="x")
    dot = draw_dot(x * x, direction="TB", show=["partials"])
    assert isinstance(dot, graphviz.Digraph)
    assert dot.source.count("n0 -> n1 [label=2") == 2
    assert "rankdir=TB" in dot.source
    assert "data" not in re.sub(r'tooltip="[^"]*"', "", dot.source)


def test_kinds_are_told_apart_and_parts_are_clusters():
    model = nn.MLP(2, [2, 1], seed=0)
    source = draw_dot(model([Value(1.0), 2.0])).source
    assert "peripheries=2" in source
    assert "style=rounded" in source
    assert "penwidth=3" in source
    assert source.count("subgraph cluster_") == 4
    assert "layers.0 · Layer(2→2)" in source
    assert source.count("\t\tsubgraph cluster_") == 2  # the neurons, inside their layer


@needs_dot
def test_graphviz_draws_layers_one_after_the_other():
    model = nn.MLP(2, [2, 1], seed=0)
    json = draw_dot(model([Value(1.0, label="x1"), 2.0])).pipe(format="json0", encoding="utf-8")
    parts = {thing["name"]: thing for thing in loads(json)["objects"] if "bb" in thing}
    boxes = [[float(x) for x in part["bb"].split(",")] for part in parts.values()]
    outermost = sorted(box for box in boxes if not any(inside(box, other) for other in boxes))
    assert len(outermost) == 2
    assert outermost[0][2] < outermost[1][0]


def inside(box, other):
    return box != other and box[0] >= other[0] and box[2] <= other[2] and box[1] >= other[1]


def test_a_collapsed_graph_says_so_in_the_source():
    x = Value(1.0)
    for _ in range(100):
        x = sin(x)
    assert "101 values in 10 boxes, 92 of them left out." in draw_dot(x, max_nodes=10).source


def test_the_source_is_made_where_graphviz_is_not_installed(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert draw_dot(Value(1.0) * 2.0).source.startswith("digraph")
