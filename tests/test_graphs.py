"""The frozen, ordered, named view of what was recorded."""

from __future__ import annotations

import json
import math
import sys
import threading

import pytest

import nn
from autograd_lite import SlipWarning, Value, dot, graph, no_grad, scope, sin, to_sympy


def lecture() -> dict[str, Value]:
    x = Value(2.0)
    a = x**2
    b = sin(a)
    c = a + b
    return {"x": x, "a": a, "b": b, "c": c, "f": a * c}


def test_nodes_come_operands_first_and_keep_edges_partials_and_levels() -> None:
    values = lecture()
    view = graph(values["f"], names=values)
    assert [node.name for node in view] == ["x", "a", "b", "c", "f"]
    assert [node.level for node in view] == [0, 1, 2, 3, 4]
    assert [node.op for node in view] == ["", "**", "sin", "+", "*"]
    assert [node.operands for node in view] == [(), (0,), (1,), (1, 2), (1, 3)]
    assert view.root.partials == (3.2431975046920716, 4.0)
    assert [tuple(edge) for edge in view.edges] == [
        (0, 1, 0, 4.0),
        (1, 2, 0, math.cos(4.0)),
        (1, 3, 0, 1.0),
        (2, 3, 1, 1.0),
        (1, 4, 0, 3.2431975046920716),
        (3, 4, 1, 4.0),
    ]
    assert view.find("c").value is values["c"]
    assert view.find(values["c"]).index == 3


def test_a_gradient_is_none_until_backward_has_reached_the_node() -> None:
    values = lecture()
    before = graph(values["f"])
    values["f"].backward()
    after = graph(values["f"])
    assert [node.grad for node in before] == [None] * 5
    assert after[0].grad == 18.514492084950497
    assert "–" in str(before)
    assert "–" not in str(after)


def test_the_view_is_frozen() -> None:
    values = lecture()
    view = graph(values["f"], names=values)
    table = str(view)
    values["x"].data = 7.0
    with pytest.warns(SlipWarning, match="was changed after"):
        values["f"].backward()
    assert str(view) == table
    with pytest.raises(TypeError):
        view[0] = view[1]  # type: ignore[index]


def test_both_edges_of_a_square_are_there() -> None:
    x = Value(3.0)
    assert [(e.position, e.partial) for e in graph(x * x).edges] == [(0, 3.0), (1, 3.0)]


def test_kinds() -> None:
    parameter, constant = nn.Parameter(1.0), Value(2.0, requires_grad=False)
    view = graph(parameter * constant + Value(3.0))
    assert sorted(node.kind for node in view) == [
        "constant",
        "leaf",
        "operation",
        "operation",
        "parameter",
    ]


def test_names_come_from_the_mapping_then_from_labels_then_from_the_order() -> None:
    x, y, w = Value(1.0, label="x"), Value(2.0, label="x"), [Value(3.0), Value(4.0)]
    view = graph(dot([x, y], w), names={"w": w})
    assert [node.name for node in view] == ["x", "x#2", "w[0]", "w[1]", "v1"]


def test_the_outputs_of_a_notebook_are_no_names() -> None:
    x = Value(3.0)
    f = x * x
    found = graph(f, names={"_": f, "__": f, "_12": x, "_i": x, "f": f})
    assert [node.name for node in found] == ["_i", "f"]


def test_a_name_that_is_another_ones_label_is_refused() -> None:
    x, y = Value(1.0), Value(2.0, label="a")
    with pytest.raises(ValueError, match="the name 'a' is given to one Value and is the label of"):
        graph(x * y, names={"a": x})


def test_parameters_have_their_path() -> None:
    model = nn.MLP(2, [2, 1], seed=0)
    names = {node.name for node in graph(model([1.0, 2.0]))}
    assert {"layers.0.neurons.1.w[0]", "layers.1.neurons.0.b"} <= names


def test_scopes_are_kept() -> None:
    with scope("outer"), scope("inner"):
        y = Value(1.0) * 2.0
    assert graph(y).root.scope == "outer.inner"


def test_json_has_all_digits_and_is_valid_for_infinities() -> None:
    x = Value(0.1)
    (x / 0.0).backward()
    found = json.loads(graph(x / 0.0).to_json())
    assert found["nodes"][0]["data"] == 0.1
    assert found["nodes"][1]["data"] == "Infinity"
    assert found["edges"] == [{"operand": 0, "consumer": 1, "position": 0, "partial": "Infinity"}]


def test_networkx() -> None:
    networkx = pytest.importorskip("networkx", reason="networkx is not installed")
    values = lecture()
    found = graph(values["f"], names=values).to_networkx()
    assert networkx.is_directed_acyclic_graph(found)
    assert found.number_of_edges() == 6
    assert found.nodes[3]["name"] == "c"
    assert found.edges[0, 1, 0]["partial"] == 4.0


def test_large_graphs_show_their_ends_only() -> None:
    y = Value(1.0)
    for _ in range(1000):
        y = y * 1.5
    lines = str(graph(y)).splitlines()
    assert len(lines) == 62
    assert "941 more" in lines[31]


def test_a_million_nodes_in_a_thread_with_a_small_stack() -> None:
    found: list[int] = []

    def work() -> None:
        y = Value(1.0)
        for _ in range(1_000_000):
            y = y * 1.0000001
        view = graph(y)
        found.extend([len(view), view.root.level, len(str(view).splitlines())])

    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert found == [1_000_001, 1_000_000, 62]


def test_what_is_not_a_value_is_refused() -> None:
    with pytest.raises(TypeError, match=r"a graph needs a Value .*, got float: 3\.0"):
        graph(3.0)  # type: ignore[arg-type]
    with no_grad():
        y = Value(2.0) * 3.0
    assert [node.kind for node in graph(y)] == ["constant"]


def test_an_unknown_name_lists_some_that_are_there() -> None:
    values = lecture()
    with pytest.raises(KeyError, match="no node of the graph is called 'z'; there are x, a, b"):
        graph(values["f"], names=values).find("z")


@pytest.mark.parametrize("package", ["networkx", "sympy"])
def test_a_package_that_is_missing_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    x = Value(2.0)
    convert = {"networkx": lambda: graph(x * x).to_networkx(), "sympy": lambda: to_sympy(x * x)}
    with pytest.raises(ModuleNotFoundError, match=f"to_{package} needs .*: pip install {package}"):
        convert[package]()
