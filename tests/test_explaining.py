"""A derivative as a sum over paths."""

from __future__ import annotations

import math
import re
import threading
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import (
    Value,
    cos,
    dot,
    draw,
    exp,
    explain,
    no_grad,
    relu,
    sin,
    tanh,
    total,
)


def lecture():
    x = Value(2.0, label="x")
    a = x**2
    b = sin(a)
    c = a + b
    f = c * a
    for value, label in ((a, "a"), (b, "b"), (c, "c"), (f, "f")):
        value.label = label
    return x, a, b, c, f


def test_the_lectures_f_has_three_paths_largest_first() -> None:
    x, a, b, c, f = lecture()
    found = explain(f, x)
    assert found.total == 18.514492084950497
    assert found.count == 3
    assert [path.names for path in found.paths] == [
        ("f", "c", "a", "x"),
        ("f", "a", "x"),
        ("f", "c", "b", "a", "x"),
    ]
    assert found.paths[0].nodes == (f, c, a, x)
    assert found.paths[2].nodes == (f, c, b, a, x)
    assert found.paths[2].partials == (4.0, 1.0, math.cos(4.0), 4.0)
    assert [path.product for path in found.paths] == [
        16.0,
        c.data * 4.0,
        4.0 * math.cos(4.0) * 4.0,
    ]
    assert found.remainder == 0.0


def test_the_text_shows_the_paths_their_partials_and_the_sum() -> None:
    x, *_, f = lecture()
    assert str(explain(f, x)) == (
        "∂f/∂x ≈ 18.5145, the sum over 3 paths\n"
        "path               partials                 product\n"
        "f → c → a → x      4 · 1 · 4                = 16\n"
        "f → a → x          3.2432 · 4               = 12.9728\n"
        "f → c → b → a → x  4 · 1 · (-0.653644) · 4  ≈ -10.4583\n"
        "sum                                         = 18.5145"
    )


def test_what_is_not_listed_is_counted_and_summed() -> None:
    x, *_, f = lecture()
    found = explain(f, x, max_paths=1)
    assert [path.product for path in found.paths] == [16.0]
    assert found.count == 3
    assert found.remainder == 18.514492084950497 - 16.0
    assert found.table().splitlines()[2:] == [
        "2 more                    ≈ 2.51449",
        "sum                       ≈ 18.5145",
    ]


def test_an_intermediate_node_can_be_asked_for() -> None:
    _, a, _, _, f = lecture()
    found = explain(f, a)
    assert found.total == 4.628623021237624
    assert found.count == 3


def test_two_edges_between_the_same_nodes_are_two_paths() -> None:
    x = Value(3.0, label="x")
    found = explain(x * x, x)
    assert found.count == 2
    assert [path.edges[0].position for path in found.paths] == [0, 1]
    assert [path.product for path in found.paths] == [3.0, 3.0]


def test_a_value_with_respect_to_itself_is_one_path_without_edges() -> None:
    x = Value(3.0, label="x")
    found = explain(x, x)
    assert (found.total, found.count, found.paths[0].product) == (1.0, 1, 1.0)
    assert found.paths[0].partials == ()


def test_a_product_of_zero_has_no_sign() -> None:
    w = Value(-1.0, label="w")
    assert "(-2) · 0  = 0" in explain(-2.0 * relu(w), w).table()


def test_no_path_is_an_answer() -> None:
    x, y = Value(3.0, label="x"), Value(4.0, label="y")
    for found in (explain(2.0 * y, x, names={"z": y}), explain(y, y * x)):
        assert (found.total, found.count, found.paths, found.remainder) == (0.0, 0, (), 0.0)
    assert str(explain(y, x)) == "∂y/∂x = 0: no path leads from y down to x"
    assert explain(y, x).table() == ""
    assert "<table>" not in explain(y, x)._repr_html_()


def test_what_is_not_in_the_graph_has_no_name_of_a_node_that_is() -> None:
    y = sin(Value(3.0))
    assert str(explain(y, Value(4.0))) == "∂v2/∂v1' = 0: no path leads from v2 down to v1'"


def test_a_million_million_paths_are_counted_and_the_largest_found() -> None:
    y = x = Value(3.0, label="x")
    for _ in range(40):
        y = y + 0.5 * y
    found = explain(y, x, max_paths=3)
    assert found.count == 2**40
    assert [path.product for path in found.paths] == [1.0, 0.5, 0.5]
    y.backward()
    assert found.total == x.grad
    assert found.remainder == x.grad - 2.0
    assert "1,099,511,627,773 more" in str(found)


def test_a_deep_graph_in_a_thread_with_a_small_stack() -> None:
    y = x = Value(1.0, label="x")
    for _ in range(50_000):
        y = y * 1.0 + y * 0.0
    found = []

    def work() -> None:
        found.append(explain(y, x, max_paths=2))
        found.append(str(found[0]))

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert found[0].count == 2**50_000
    assert found[0].total == 1.0
    assert [path.product for path in found[0].paths] == [1.0, 0.0]
    assert len(found[0].paths[0].nodes) == 100_001
    assert found[1].startswith("∂v150000/∂x = 1, the sum over about 10^15051 paths\n")
    assert "… 99993 more …" in found[1]


def test_the_largest_of_many_paths_through_one_node() -> None:
    x = Value(1.0, label="x")
    y = total([x * float(weight) for weight in range(1000)])
    assert [path.product for path in explain(y, x, max_paths=3).paths] == [999.0, 998.0, 997.0]


def test_of_equal_paths_the_backward_pass_takes_the_first_first() -> None:
    x = Value(1.0, label="x")
    first, second = x * 2.0, x * -2.0
    found = explain(first + second, x, names={"first": first, "second": second})
    assert [path.names[1] for path in found.paths] == ["second", "first"]


def test_nan_and_infinite_paths_come_first() -> None:
    x = Value(0.0, label="x")
    a, b, c = x * 1e300, x * math.inf, x * math.nan
    found = explain(total([a, b, c]), x, names={"a": a, "b": b, "c": c})
    assert [path.names[1] for path in found.paths] == ["c", "b", "a"]
    assert math.isnan(found.total)


def test_nothing_is_changed_and_backward_before_makes_no_difference() -> None:
    x, a, _, _, f = lecture()
    before = str(explain(f, x))
    assert (x.grad, a.grad, f.grad) == (0.0, 0.0, 0.0)
    f.backward()
    f.backward()
    assert str(explain(f, x)) == before
    assert x.grad == 2 * 18.514492084950497
    x.data = 5.0
    assert str(explain(f, x)) == before


def test_names_are_those_of_the_graph() -> None:
    w, x = Value(2.0), Value(3.0)
    loss = dot([w], [x])
    assert explain(loss, w, names={"w": [w], "loss": loss}).paths[0].names == ("loss", "w[0]")


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("name", ["</script><img src=x onerror=alert(1)>", 'a|b{"', "é漢", "<b>&"])
def test_in_a_notebook_a_name_is_text(name: str) -> None:
    x = Value(2.0, label=name)
    page = _Texts()
    page.feed(explain(sin(x), x, names={"y": 0})._repr_html_())
    assert page.tags <= {"p", "table", "thead", "tbody", "tr", "th", "td"}
    assert f"v1 → {name}" in page.texts


def test_control_characters_do_not_reach_the_terminal() -> None:
    x = Value(2.0, label="\x1b[31mx\n")
    assert re.search(r"[\x00-\x09\x0b-\x1f]", str(explain(sin(x), x))) is None
    assert len(str(explain(sin(x), x)).splitlines()) == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x: explain(2.0, x),
            TypeError,
            "explain expected a Value for y, got float: 2.0",
        ),
        (
            lambda x: explain(x, [x.data]),
            TypeError,
            "explain expected a Value for x, got list: [3.0]",
        ),
        (
            lambda x: explain(x, x, max_paths=0),
            ValueError,
            "max_paths must be at least 1, got 0",
        ),
        (
            lambda x: explain(x, x, max_paths=2.5),
            TypeError,
            "max_paths is an int, got float: 2.5",
        ),
        (
            lambda x: explain(no_grad()(lambda: x * x)(), x, names={"y": x}),
            RuntimeError,
            "'v1' needs no gradient, so there is no derivative to explain: it is a constant, or it"
            " was computed from constants only, or under no_grad()",
        ),
        (
            lambda x: explain(x, Value(1.0, requires_grad=False, label="k")),
            RuntimeError,
            "'k' needs no gradient, so there is no derivative to explain: it is a constant, or it"
            " was computed from constants only, or under no_grad()",
        ),
    ],
)
def test_mistakes_are_explained(call, error, message) -> None:
    with pytest.raises(error) as raised:
        call(Value(3.0))
    assert str(raised.value) == message


# -- on the graph --------------------------------------------------------------------------------


def highlighted(svg: str) -> set[str]:
    """Return the edges (``data-edge``) and the labels of the nodes that are drawn bold."""
    edges = re.findall(r'class="edge highlighted" data-edge="(.*?)"', svg)
    nodes = re.findall(r'class="node [^"]*highlighted"[^>]* data-label="(.*?)"', svg)
    return {*edges, *nodes}


def test_one_path_or_all_are_highlighted_on_the_graph() -> None:
    x, *_, f = lecture()
    found = explain(f, x)
    # x, a, b, c, f are nodes 0 to 4; f = c * a has c at position 0 and a at position 1.
    assert highlighted(found.drawing(1).svg) == {"x", "a", "f", "1-0", "4-1"}
    assert highlighted(found.drawing(2).svg) == {*"xabcf", "1-0", "2-0", "3-1", "4-0"}
    assert len(highlighted(found.drawing().svg)) == 5 + 6
    assert highlighted(explain(f, Value(1.0)).drawing().svg) == set()


def test_the_picture_keeps_the_names_and_takes_options_of_draw() -> None:
    x = Value(2.0)
    names = {"x": x}
    found = explain(sin(x), x, names=names)
    names.clear()
    assert highlighted(found.drawing(show=()).svg) == {"x", "v1", "1-0"}
    assert 'class="data"' not in found.drawing(show=()).svg


def test_a_path_through_collapsed_layers_and_expanded_neurons_is_highlighted() -> None:
    model = nn.MLP(2, [3, 1], seed=0)
    y = model([1.0, -2.0])
    found = explain(y, model.parameters()[0], names={"model": model})
    collapsed = found.drawing(depth=0).svg
    assert len(re.findall(r'class="edge several highlighted"', collapsed)) == 1
    products = found.drawing(0, expand=[y]).svg
    assert products.count('class="node product highlighted"') == 1
    assert products.count('class="edge highlighted"') == 4  # w → v1 → v2 → product → sum


def test_graphviz_draws_the_path_bold_too(tmp_path) -> None:
    x, *_, f = lecture()
    explain(f, x).drawing(1).save(tmp_path / "path.dot")
    lines = (tmp_path / "path.dot").read_text(encoding="utf-8").splitlines()
    bold = [line for line in lines if "penwidth=3" in line and "->" in line]
    assert [line.split("[")[0].strip() for line in bold] == ["n0 -> n1", "n1 -> n4"]


def test_what_is_highlighted_must_be_listed_and_in_the_graph() -> None:
    x, *_, f = lecture()
    with pytest.raises(IndexError, match="path 3 was asked for, but 3 are listed"):
        explain(f, x).drawing(3)
    with pytest.raises(TypeError, match="path is an int or None, got str: 'f'"):
        explain(f, x).drawing("f")
    edge = explain(f, x).paths[0].edges[0]
    with pytest.raises(
        ValueError, match=r"GraphEdge\(.*\) in highlight is not in the graph of 'x'"
    ):
        draw(x, highlight=[edge])
    with pytest.raises(TypeError, match=r"highlight expected edges, such as .*, got str: 'x'"):
        draw(f, highlight=["x"])


# -- on random graphs ----------------------------------------------------------------------------

OPERATIONS = [
    *(sin, cos, tanh, relu, lambda a: exp(-a * a)),
    *(lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b),
    *(lambda a, b: total([a, b, a]), lambda a, b: dot([a, b], [b, b])),
]
# An operation and its operands, counted back from the newest node.
PROGRAMS = st.lists(
    st.tuples(st.integers(0, len(OPERATIONS) - 1), st.integers(1, 4), st.integers(1, 4)),
    min_size=1,
    max_size=9,
)
STARTS = st.tuples(st.floats(-2.0, 2.0), st.floats(-2.0, 2.0))


def run(program, start):
    leaves = [Value(data) for data in start]
    nodes = list(leaves)
    for which, first, second in program:
        a, b = nodes[-min(first, len(nodes))], nodes[-min(second, len(nodes))]
        nodes.append(OPERATIONS[which](a) if which < 5 else OPERATIONS[which](a, b))
    return leaves, nodes[-1]


def all_products(y, x):
    """List the product along every path, one by one."""
    open_, found = [(y, 1.0)], []
    while open_:
        node, product = open_.pop()
        if node is x:
            found.append(product)
        open_ += [
            (operand, product * partial)
            for operand, partial in zip(node.operands, node.partials, strict=True)
        ]
    return found


@given(PROGRAMS, STARTS)
def test_the_sum_over_paths_is_the_engines_gradient(program, start) -> None:
    leaves, y = run(program, start)
    for x in leaves:
        products = all_products(y, x)
        found = explain(y, x, max_paths=len(products) + 1)
        x.zero_grad()
        y.backward()
        assert found.total == x.grad
        assert found.count == len(found.paths) == len(products)
        size = sum(map(abs, products))
        assert abs(math.fsum(path.product for path in found.paths) - x.grad) <= 1e-13 * size


@given(PROGRAMS, STARTS, st.integers(1, 5))
def test_the_listed_paths_are_the_largest_and_the_remainder_is_the_rest(program, start, k) -> None:
    leaves, y = run(program, start)
    found = explain(y, leaves[0], max_paths=k)
    products = sorted(map(abs, all_products(y, leaves[0])), reverse=True)
    assert [abs(path.product) for path in found.paths] == products[:k]
    assert found.count == len(products)
    for path in found.paths:
        assert path.product == math.prod(path.partials)
        assert path.nodes[0] is y
        assert path.nodes[-1] is leaves[0]
    listed = sum(path.product for path in found.paths)
    assert found.remainder == (found.total - listed if len(products) > k else 0.0)
