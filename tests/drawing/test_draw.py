"""What pictures show, when they collapse, and what `draw` refuses."""

from __future__ import annotations

import os
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import nn
from autograd_lite import Value, draw, linear, no_grad, relu, scope, sin, total
from autograd_lite.drawing.boxes import tint_of

SVG = "{http://www.w3.org/2000/svg}"


def lecture():
    """Return the lecture's f = (x² + sin x²)·x² at x = 2, and names for its parts."""
    x = Value(2.0)
    a = x**2
    b = sin(a)
    c = a + b
    f = a * c
    return f, {"x": x, "a": a, "b": b, "c": c, "f": f}


def elements(picture, kind):
    """Return the groups of a class, with their texts."""
    return [
        (group, [text.text or "" for text in group.iter(f"{SVG}text")])
        for group in ET.fromstring(picture.svg).iter(f"{SVG}g")
        if kind in group.get("class", "").split()
    ]


def texts_of(picture, label):
    """Return the texts in the box with a label."""
    (texts,) = [t for group, t in elements(picture, "node") if group.get("data-label") == label]
    return texts


def classes_of(picture, label):
    (group,) = [g for g, _ in elements(picture, "node") if g.get("data-label") == label]
    return group.get("class").split()


def note_of(picture):
    root = ET.fromstring(picture.svg)
    return " ".join(t.text for t in root.iter(f"{SVG}text") if t.get("class") == "note")


# -- what is shown -------------------------------------------------------------------------------


def test_a_box_shows_name_operation_data_and_gradient():
    f, names = lecture()
    f.backward()
    picture = draw(f, names=names)
    assert texts_of(picture, "c") == ["c", "a + b", "data", "3.2432", "grad", "4"]
    assert texts_of(picture, "a") == ["a", "x ** 2", "data", "4", "grad", "4.62862"]
    assert texts_of(picture, "x") == ["x", "leaf", "data", "2", "grad", "18.5145"]


def test_numbers_stand_with_all_digits_in_attributes():
    f, names = lecture()
    f.backward()
    nodes = {group.get("data-label"): group for group, _ in elements(draw(f, names=names), "node")}
    assert nodes["a"].get("data-grad") == "4.628623021237624"
    assert nodes["x"].get("data-grad") == "18.514492084950497"
    assert nodes["b"].get("data-value") == "-0.7568024953079282"
    assert [nodes[name].get("data-node") for name in "xabcf"] == ["0", "1", "2", "3", "4"]


def test_the_gradient_is_a_dash_before_backward_and_has_no_number():
    f, names = lecture()
    picture = draw(f, names=names)
    assert texts_of(picture, "a")[-2:] == ["grad", "–"]
    assert "data-grad" not in picture.svg


def test_each_arrow_shows_its_local_partial():
    f, names = lecture()
    shown = {
        (group.get("data-operand"), group.get("data-consumer")): texts
        for group, texts in elements(draw(f, names=names), "edge")
    }
    assert shown == {
        ("0", "1"): ["4"],
        ("1", "2"): ["-0.653644"],
        ("1", "3"): ["1"],
        ("2", "3"): ["1"],
        ("1", "4"): ["3.2432"],
        ("3", "4"): ["4"],
    }


def test_a_product_of_a_value_with_itself_has_two_arrows():
    x = Value(3.0, label="x")
    edges = elements(draw(x * x), "edge")
    assert [group.get("data-edge") for group, _ in edges] == ["1-0", "1-1"]
    assert [texts for _, texts in edges] == [["3"], ["3"]]


def test_plain_numbers_are_seen_in_the_operation():
    x, y = Value(2.0, label="x"), Value(-1.0, label="y")
    picture = draw(3.0 * x**2 + (y - 0.5) / -4.0)
    shown = {texts[1] for _, texts in elements(picture, "operation")}
    assert shown == {"x ** 2", "3 * v1", "y - 0.5", "v3 / (-4)", "v2 + v4"}


def test_kinds_have_different_shapes_and_marks():
    x, k = Value(1.0, label="x"), Value(2.0, label="k", requires_grad=False)
    w = nn.Parameter(3.0)
    w.label = "w"
    picture = draw(w * x + k)
    look = {}
    for group, texts in elements(picture, "node"):
        shapes = [
            (part.tag.removeprefix(SVG), part.get("class"), part.get("rx"), part.get("d") or "")
            for part in group
            if part.get("class") in ("shape", "inner", "mark")
        ]
        marks = tuple(re.sub(r"[-\d.,]+", "", shape[3]) for shape in shapes)
        look[texts[0]] = (tuple(shape[:3] for shape in shapes), marks)
    assert len(set(look.values())) == 4  # the two operations look alike but for the result's border
    assert classes_of(picture, "v2") == ["node", "operation", "result"]
    assert [texts_of(picture, name)[1] for name in "xwk"] == ["leaf", "parameter", "constant"]
    assert "grad" not in texts_of(picture, "k")


def test_gradients_are_tinted_by_sign_and_size_and_zero_is_distinct():
    x, y, z = Value(1.0, label="x"), Value(1.0, label="y"), Value(-1.0, label="z")
    (100.0 * x - 0.5 * y + relu(z)).backward()
    f = 100.0 * x - 0.5 * y + relu(z)
    tints = {
        texts[0]: rect.get("class")
        for group, texts in elements(draw(f), "node")
        for rect in group.iter(f"{SVG}rect")
        if "tint" in rect.get("class", "")
    }
    assert [tints[name] for name in "xyz"] == ["tint p3", "tint n1", "tint zero"]
    assert set(tints.values()) == {"tint p3", "tint n1", "tint zero", "tint none"}


@pytest.mark.parametrize(
    ("grad", "tint"),
    [(2.0, 3), (0.3, 3), (0.03, 2), (-0.019, -1), (-2.0, -3), (1e-300, 1), (float("inf"), 3)],
)
def test_the_tint_is_relative_to_the_largest_gradient(grad, tint):
    assert tint_of(grad, 2.0) == tint


def test_show_chooses_what_is_written():
    f, names = lecture()
    picture = draw(f, names=names, show=["grad"])
    assert texts_of(picture, "a") == ["a", "x ** 2", "grad", "–"]
    assert not any(texts for _, texts in elements(picture, "edge"))
    assert texts_of(draw(f, names=names, show=()), "a") == ["a", "x ** 2"]


def test_a_picture_is_of_the_moment_when_it_was_drawn():
    x = Value(3.0, label="x")
    y = x * x
    picture = draw(y)
    y.backward()
    x.data = 100.0
    assert texts_of(picture, "x") == ["x", "leaf", "data", "3", "grad", "–"]


@pytest.mark.parametrize(("direction", "axis"), [("LR", 0), ("TB", 1), ("RL", 0), ("BT", 1)])
def test_arrows_lead_in_the_direction(direction, axis):
    f, names = lecture()
    picture = draw(f, names=names, direction=direction)
    place = {}
    for group, texts in elements(picture, "node"):
        shape = next(part for part in group if part.get("class") == "shape")
        place[texts[0]] = (float(shape.get("x")), float(shape.get("y")))[axis]
    assert sorted(place, key=place.get, reverse=direction in ("RL", "BT")) == list("xabcf")


# -- networks ------------------------------------------------------------------------------------


def network_loss():
    model = nn.MLP(2, [16, 16, 1], seed=0)
    return nn.MSELoss()(model([0.5, -1.0]), 1.0)


def test_a_small_network_is_drawn_whole_with_a_frame_for_each_part():
    model = nn.MLP(2, [2, 1], seed=0)
    picture = draw(model([Value(0.5), Value(-1.0)]))
    frames = {group.get("data-part"): texts for group, texts in elements(picture, "frame-title")}
    assert frames == {
        "layers.0": ["layers.0 · Layer(2→2)"],
        "layers.0.neurons.0": ["neurons.0"],
        "layers.0.neurons.1": ["neurons.1"],
        "layers.1": ["layers.1 · Layer(2→1)"],
    }
    assert texts_of(picture, "layers.0.neurons.1.w[0]")[:2] == ["w[0]", "parameter"]
    assert note_of(picture) == ""


def test_a_larger_network_starts_collapsed_with_counts_and_says_so():
    picture = draw(network_loss())
    assert texts_of(picture, "layers.1")[:3] == [
        "layers.1",
        "Layer(16→16) · 304 values",
        "272 parameters",
    ]
    assert [texts[0] for _, texts in elements(picture, "module")] == [
        "layers.0",
        "layers.1",
        "layers.2",
    ]
    assert note_of(picture) == (
        '405 values in 6 boxes. expand="layers.1" opens a part, max_nodes=405 all.'
    )


def test_a_part_can_be_opened_by_its_path_and_the_others_stay_collapsed():
    picture = draw(network_loss(), expand="layers.0.neurons.3")
    assert [texts[0] for _, texts in elements(picture, "frame-title")] == [
        "layers.0 · Layer(2→16)",
        "neurons.3",
    ]
    modules = [texts[0] for _, texts in elements(picture, "module")]
    assert len(modules) == 17
    assert {"neurons.2", "neurons.4", "layers.1"} < set(modules)
    assert texts_of(picture, "layers.0.neurons.3.b")[:2] == ["b", "parameter"]


def test_depth_says_how_many_levels_of_parts_are_open():
    loss = network_loss()
    modules = [len(elements(draw(loss, depth=depth), "module")) for depth in (0, 1, 2)]
    assert modules[:2] == [3, 33 - 1]  # the last layer is one neuron: its own parts are drawn
    small = draw(nn.MLP(2, [2, 1], seed=0)([1.0, 2.0]), depth=0)
    assert len(elements(small, "module")) == 2


def test_a_batch_collapses_to_its_layers_and_to_losses_that_are_alike():
    model = nn.MLP(2, [16, 16, 1], seed=0)
    points, labels = nn.data.moons(100, labels=(-1, 1), seed=0)
    loss = nn.HingeLoss()(model(points), labels)
    picture = draw(loss)
    assert [texts[:2] for _, texts in elements(picture, "alike")] == [
        ["… * …", "100 values"],
        ["… + 1", "100 values"],
        ["relu(…)", "100 values"],
    ]
    assert len(elements(picture, "node")) == 7


def test_a_sum_over_many_weights_is_one_box_however_it_was_added_up():
    weights = [Value(float(i), label=f"w[{i}]") for i in range(100)]
    picture = draw(0.5 * sum(w * w for w in weights))
    assert [texts[:2] for _, texts in elements(picture, "alike")] == [
        ["w[…]", "leaf"],
        ["… * …", "100 values"],
        ["… + … + …", "100 values"],
    ]


def test_scopes_of_the_user_are_parts_too():
    x = Value(0.5, label="x")
    with scope("outer", title="everything"), scope("inner"):
        y = sin(x) * x
    picture = draw(y + 1.0)
    assert [texts[0] for _, texts in elements(picture, "frame-title")] == [
        "outer · everything",
        "inner",
    ]
    assert texts_of(draw(y + 1.0, depth=0), "outer")[1] == "everything · 2 values"


def test_the_title_of_a_scope_is_text():
    with pytest.raises(TypeError, match="scope expected a title as text, got int: 3"):
        scope("part", title=3)


def test_a_part_that_is_used_again_and_again_is_one_box():
    cell = nn.Linear(2, 1, seed=0)
    model = nn.Module()
    model.cell = cell

    def run(h):
        for _ in range(80):
            (h,) = cell([h, 1.0])
        return h

    model.forward = run
    picture = draw(model(Value(1.0, label="h")))
    assert texts_of(picture, "cell")[1:3] == ["Linear(2→1) · 83 values", "3 parameters"]


def test_ten_thousand_irregular_nodes_are_cut_to_those_nearest_the_result():
    y = Value(0.5, label="x")
    for i in range(5_000):
        y = sin(y) * (1.0 + i % 7 / 100.0)
    picture = draw(y)
    nodes = elements(picture, "node")
    assert len(nodes) == 60
    (rest,) = elements(picture, "rest")
    assert rest[1] == ["…", "9,942 values left out"]
    assert note_of(picture) == (
        "10,001 values in 60 boxes, 9,942 of them left out."
        " A larger max_nodes shows more, 10001 all."
    )
    names = {texts[0] for _, texts in nodes}
    assert "v10000" in names
    assert len(elements(draw(y, max_nodes=10), "node")) == 10


def test_leaves_of_what_is_kept_are_kept():
    rate = Value(0.1, label="rate")
    y = Value(1.0, label="start")
    for _ in range(500):
        y = sin(y) * rate
    names = {texts[0] for _, texts in elements(draw(y), "node")}
    assert "rate" in names
    assert "start" not in names


def test_max_nodes_none_draws_everything():
    y = total([Value(1.0) for _ in range(150)])
    assert len(elements(draw(y, max_nodes=None), "node")) == 151
    assert len(elements(draw(y), "node")) == 2


def test_two_models_in_one_graph_keep_their_names_apart():
    one, two = nn.MLP(1, [1], seed=0), nn.MLP(1, [1], seed=1)
    picture = draw(two([one([1.0])]), names={"one": one, "two": two})
    labels = {group.get("data-label") for group, _ in elements(picture, "parameter")}
    assert {"layers.0.neurons.0.b", "two.layers.0.neurons.0.b"} < labels


# -- dots ----------------------------------------------------------------------------------------


def test_a_dot_shows_its_sum_and_expands_into_products():
    w, b = [Value(0.5, label="w0"), Value(1.5, label="w1")], Value(0.1, label="b")
    x = [Value(2.0, label="x0"), -3.0]
    (y,) = linear(x, [w], [b])
    y.backward()
    names = {"y": y}
    assert texts_of(draw(y, names=names), "y")[1] == "w0·x0 + w1·(-3) + b"

    picture = draw(y, names=names, expand=y)
    assert texts_of(picture, "y")[1] == "sum"
    assert [texts for _, texts in elements(picture, "product")] == [
        ["w0 * x0", "data", "1", "grad", "1"],
        ["w1 * (-3)", "data", "-4.5", "grad", "1"],
    ]
    edges = {group.get("data-edge", "sum")[-1]: texts for group, texts in elements(picture, "edge")}
    assert edges == {"0": ["2"], "1": ["-3"], "2": ["0.5"], "3": ["1"], "m": ["1"]}
    assert len(elements(picture, "edge")) == 6


def test_a_node_can_be_expanded_by_its_name():
    w = Value(0.5, label="w")
    (y,) = linear([2.0], [[w]])
    assert len(elements(draw(y, names={"y": y}, expand=["y"]), "product")) == 1


# -- what is refused -----------------------------------------------------------------------------


def under_no_grad():
    with no_grad():
        return Value(2.0) * 3.0


@pytest.mark.parametrize(
    ("root", "keywords", "error", "message"),
    [
        (2.0, {}, TypeError, "a graph needs a Value that was computed from others, got float: 2.0"),
        (under_no_grad(), {}, RuntimeError, "there is nothing to draw: 'v1' is a constant"),
        (None, {"direction": "up"}, ValueError, "direction expected one of LR, RL, TB, BT, got"),
        (None, {"show": "data"}, ValueError, 'show expected a collection of "data", "grad" and'),
        (None, {"show": ["grads"]}, ValueError, "got 'grads'"),
        (None, {"max_nodes": 0}, ValueError, "max_nodes expected at least 1, got 0"),
        (None, {"max_nodes": 2.5}, TypeError, "max_nodes expected a whole number or None, got flo"),
        (None, {"depth": -1}, ValueError, "depth expected at least 0, got -1"),
        (None, {"expand": "q"}, ValueError, "there is no part and no node 'q' to expand"),
        (None, {"expand": "f"}, ValueError, "'f' is the result of '*'"),
        (None, {"expand": [3]}, TypeError, "expand expected names or Values of the graph, got int"),
        (None, {"names": ["x"]}, TypeError, "names expected a dict such as locals(), got list"),
        (None, {"names": {3: None}}, TypeError, "names expected text as names, got int: 3"),
        (None, {"show": None}, ValueError, '"grad" and "partials", got None'),
        (None, {"expand": 3}, TypeError, "expand expected names or Values of the graph, got int"),
        (None, {"expand": None}, TypeError, "names or Values of the graph, got NoneType"),
        (None, {"highlight": None}, TypeError, "highlight expected edges, such as explain(y, x)"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(root, keywords, error, message):
    f, names = lecture()
    keywords = {"names": names, **keywords}
    with pytest.raises(error, match=re.escape(message)) as caught:
        draw(f if root is None else root, **keywords)
    assert "\n" not in str(caught.value)


def test_a_name_that_is_used_twice_is_refused():
    x, y = Value(1.0), Value(2.0)
    with pytest.raises(ValueError, match=re.escape("the name 'a[0]' is given to two Values")):
        draw(x * y, names={"a": [x], "a[0]": y})
    x.label = "y"
    with pytest.raises(ValueError, match="'y' is given to one Value and is the label of another"):
        draw(x * y, names={"y": y})


# -- files and notebooks -------------------------------------------------------------------------


def test_a_picture_is_saved_as_svg_page_or_source(tmp_path):
    f, names = lecture()
    picture = draw(f, names=names)
    for name in ("f.svg", "f.html", "f.dot"):
        picture.save(tmp_path / name)
    assert (tmp_path / "f.svg").read_text(encoding="utf-8") == picture.svg
    page = (tmp_path / "f.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert picture.svg in page
    assert (tmp_path / "f.dot").read_text(encoding="utf-8").startswith("digraph")


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's dot")
@pytest.mark.parametrize(("name", "magic"), [("f.png", b"\x89PNG"), ("f.pdf", b"%PDF")])
def test_graphviz_draws_png_and_pdf(tmp_path, name, magic):
    f, names = lecture()
    draw(f, names=names).save(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(magic)


@pytest.mark.parametrize("name", ["f.png", "f.pdf"])
def test_without_dot_png_and_pdf_say_what_is_missing_and_leave_no_file(tmp_path, monkeypatch, name):
    monkeypatch.setenv("PATH", str(tmp_path))
    picture = draw(lecture()[0])
    with pytest.raises(RuntimeError, match=r"is drawn by Graphviz, whose program 'dot' was not fo"):
        picture.save(tmp_path / name)
    picture.save(tmp_path / "f.svg")
    assert os.listdir(tmp_path) == ["f.svg"]


def test_an_unknown_extension_and_a_folder_that_is_not_there_are_refused(tmp_path):
    picture = draw(lecture()[0])
    with pytest.raises(ValueError, match=r"has the extension '\.jpg', expected \.svg, \.html"):
        picture.save(tmp_path / "f.jpg")
    with pytest.raises(OSError, match=r"No such file or directory") as caught:
        picture.save(tmp_path / "no" / "f.svg")
    assert Path(caught.value.filename).name == "f.svg"
    assert os.listdir(tmp_path) == []


def test_notebooks_get_svg_an_image_and_a_table():
    f, names = lecture()
    picture = draw(f, names=names)
    bundle = picture._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/html", "text/plain"}
    assert bundle["text/plain"].splitlines()[-1].startswith("f     a * c")
    assert re.match(
        r'<div [^<>]*><img [^<>]* src="data:image/svg\+xml,[^<>"]*"></div>$', bundle["text/html"]
    )


def test_a_value_displays_itself_in_a_line_however_large_its_graph():
    x = Value(2.0, label="<b>")
    y = x
    for _ in range(100_000):
        y = y * 1.0
    z = y * x
    z.label = "z"
    line = z._repr_html_()
    assert len(line) < 400
    assert "<b>z</b> &nbsp; <code>2 * &lt;b&gt;</code> &nbsp; data <b>4.0</b>" in line
    assert "grad <b>–</b>" in line
    z.backward()
    assert "grad <b>1.0</b>" in z._repr_html_()
    assert "constant" in Value(1.0, requires_grad=False)._repr_html_()
    assert "<code>-(-3)</code>" in (-Value(-3.0))._repr_html_()
    assert "<code>total(2, 2, 2, 2, …)</code>" in total([x * 1.0] * 5)._repr_html_()


def test_parts_that_use_each_other_in_turn_do_not_hide_what_is_nearest_the_result():
    y = Value(0.5, label="x")
    for _ in range(50):
        for name in "ab":
            with scope(name):
                y = sin(y)
    for _ in range(100):
        y = y * sin(y)
    names = {texts[0] for _, texts in elements(draw(y, max_nodes=12), "node")}
    assert {"v300", "v299", "v298", "v297", "v296", "v295"} < names


def test_what_was_asked_for_is_never_left_out():
    model = nn.MLP(60, [80, 1], seed=0)
    x = [Value(0.1, label=f"x[{i}]") for i in range(60)]
    picture = draw(model(x), expand="layers.0.neurons.3")
    assert len(elements(picture, "node")) == 60
    assert len(elements(picture, "rest")) == 1
    assert texts_of(picture, "layers.0.neurons.3.b")[0] == "b"
