"""Collapsing keeps every node, in every graph, and keeps to the limit."""

from __future__ import annotations

from contextlib import ExitStack

from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite import Value, dot, draw, scope, sin, total
from autograd_lite.drawing.collapsing import collapse
from autograd_lite.graphs import graph

SCOPES = [(), ("a",), ("b",), ("a", "b"), ("a", "b", "c")]
OPERATIONS = [
    lambda x, y: x + y,
    lambda x, y: x * y,
    lambda x, y: sin(x),
    lambda x, y: x - 0.5,
    lambda x, y: total([x, y, x]),
    lambda x, y: dot([x, y], [y, 2.0]),
]
PROGRAMS = st.lists(
    st.tuples(
        st.integers(0, len(OPERATIONS) - 1),
        st.integers(1, 8),
        st.integers(1, 8),
        st.integers(0, len(SCOPES) - 1),
        st.booleans(),
    ),
    min_size=1,
    max_size=80,
)


def recorded(program):
    """Run a list of (operation, operands counted back from the newest, scopes, whether named)."""
    values = [Value(0.1 * i, label=f"x[{i}]") for i in range(4)]
    for operation, left, right, where, named in program:
        a, b = values[-min(left, len(values))], values[-min(right, len(values))]
        with ExitStack() as stack:
            for name in SCOPES[where]:
                stack.enter_context(scope(name))
            values.append(OPERATIONS[operation](a, b))
        if named:
            values[-1].label = f"n{len(values)}"
    return values[-1]


@given(PROGRAMS, st.integers(2, 40), st.none() | st.integers(0, 3))
def test_every_node_is_in_one_box_and_there_are_no_more_than_wanted(program, most, depth):
    found = graph(recorded(program))
    view = collapse(found, max_nodes=most, depth=depth)
    assert len(view.groups) <= most
    members = [(member, number) for number, group in enumerate(view.groups) for member in group[1]]
    assert sorted(members) == list(enumerate(view.group_of))


@given(PROGRAMS, st.integers(2, 40))
def test_what_is_left_out_is_below_what_is_drawn(program, most):
    view = collapse(graph(recorded([(*step[:3], 0, step[4]) for step in program])), max_nodes=most)
    rest = [number for number, group in enumerate(view.groups) if group.kind == "rest"]
    assert not [pair for pair in view.arrows() if pair[1] in rest]


@settings(max_examples=60)
@given(PROGRAMS, st.integers(2, 90), st.sampled_from(["a", "a.b", "b"]))
def test_every_graph_can_be_drawn(program, most, part):
    root = recorded(program)
    parts = {cluster.path for cluster in collapse(graph(root), max_nodes=None).clusters.all}
    picture = draw(root, max_nodes=most, expand=[part] if part in parts else [])
    assert picture.svg.endswith("</svg>\n")
