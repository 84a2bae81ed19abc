import shutil
from bisect import bisect
from itertools import combinations, pairwise
from math import ceil, dist
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite.drawing.clearance import clear
from autograd_lite.drawing.dot_layout import dot_layout
from autograd_lite.drawing.geometry import TITLE_INSET
from autograd_lite.drawing.layered import layered
from autograd_lite.drawing.layout import Layout, LayoutCluster, LayoutEdge, lay_out

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
DIRECTIONS = ("LR", "RL", "TB", "BT")


# -- what is promised ---------------------------------------------------------------------------


def box(centre, size):
    (x, y), (width, height) = centre, size
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(one, other, slack=1e-6):
    return (
        one[0] + slack < other[2]
        and other[0] + slack < one[2]
        and one[1] + slack < other[3]
        and other[1] + slack < one[3]
    )


def inside(one, other, slack=1e-6):
    return (
        one[0] >= other[0] - slack
        and one[1] >= other[1] - slack
        and one[2] <= other[2] + slack
        and one[3] <= other[3] + slack
    )


def trace(points):
    for number in range(0, len(points) - 1, 3):
        corners = points[number : number + 4]
        steps = max(2, ceil(sum(dist(a, b) for a, b in pairwise(corners)) / 3))
        for step in range(steps + 1):
            t = step / steps
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            yield tuple(
                sum(w * corner[axis] for w, corner in zip(weights, corners, strict=True))
                for axis in (0, 1)
            )


def runs_through(points, rectangle, slack):
    """Say whether any of some points, sorted, lies in a rectangle."""
    left, top, right, bottom = rectangle
    within = points[bisect(points, (left + slack,)) : bisect(points, (right - slack,))]
    return any(top + slack < y < bottom - slack for _, y in within)


def distance_to_border(point, rectangle):
    left, top, right, bottom = rectangle
    x, y = point
    outside = dist(point, (min(max(x, left), right), min(max(y, top), bottom)))
    return outside or min(x - left, right - x, y - top, bottom - y)


def check(found, sizes, edges, clusters):
    nodes = [box(centre, size) for centre, size in zip(found.positions, sizes, strict=True)]
    for one, other in combinations(nodes, 2):
        assert not overlap(one, other)

    labels = {}
    for number, (edge, place) in enumerate(zip(edges, found.labels, strict=True)):
        assert (place is None) == (not edge.label_width)
        if place is not None:
            labels[number] = box(place, (edge.label_width, edge.label_height))
    for one, other in combinations(labels.values(), 2):
        assert not overlap(one, other)
    for label in labels.values():
        assert not any(overlap(label, node) for node in nodes)

    for number, (edge, points) in enumerate(zip(edges, found.routes, strict=True)):
        assert len(points) % 3 == 1
        assert distance_to_border(points[0], nodes[edge.tail]) < 1.5
        assert distance_to_border(points[-1], nodes[edge.head]) < 1.5
        traced = sorted(trace(points))
        for node, rectangle in enumerate(nodes):
            if node not in (edge.tail, edge.head):
                assert not runs_through(traced, rectangle, 1.0)
        for other, rectangle in labels.items():
            assert not runs_through(traced, rectangle, 0.0 if other == number else -1.0)

    frames = [(x, y, x + width, y + height) for x, y, width, height in found.frames]
    for cluster, frame in zip(clusters, frames, strict=True):
        title = (
            frame[0] + TITLE_INSET,
            frame[1] + TITLE_INSET,
            frame[0] + TITLE_INSET + cluster.title_width,
            frame[1] + TITLE_INSET + cluster.title_height,
        )
        assert inside(title, frame)
        for node, rectangle in enumerate(nodes):
            assert not overlap(title, rectangle)
            assert inside(rectangle, frame) == (node in cluster.members)
            assert overlap(rectangle, frame) == (node in cluster.members)
        assert not any(overlap(title, label) for label in labels.values())
    for (one, first), (other, second) in combinations(zip(clusters, frames, strict=True), 2):
        if set(one.members) & set(other.members):
            assert inside(first, second) or inside(second, first)
        else:
            assert not overlap(first, second)

    everything = [*nodes, *labels.values(), *frames]
    whole = (0.0, 0.0, found.width, found.height)
    assert all(inside(rectangle, whole, slack=1.0) for rectangle in everything)


# -- random drawings ----------------------------------------------------------------------------


@st.composite
def drawings(draw):
    count = draw(st.integers(1, 14))
    length = st.integers(8, 120)
    sizes = [(draw(length), draw(length)) for _ in range(count)]
    edges = []
    if count > 1:
        ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
        label = st.one_of(
            st.just((0, 0)), st.tuples(st.integers(5, 80), st.integers(8, 20)), st.just((40, 12))
        )
        pairs = st.lists(ends.filter(lambda pair: pair[0] != pair[1]), max_size=22)
        edges = [LayoutEdge(min(pair), max(pair), *draw(label)) for pair in draw(pairs)]
    parents = [draw(st.integers(-1, number - 1)) for number in range(draw(st.integers(0, 5)))]
    home = [draw(st.integers(-1, len(parents) - 1)) for _ in range(count)]
    members = [[] for _ in parents]
    for node, cluster in enumerate(home):
        while cluster >= 0:
            members[cluster].append(node)
            cluster = parents[cluster]
    clusters = [
        LayoutCluster(tuple(nodes), draw(st.integers(0, 150)), draw(st.integers(0, 20)))
        for nodes in members
        if nodes
    ]
    return sizes, edges, clusters


@settings(max_examples=150, deadline=None)
@given(drawings(), st.sampled_from(DIRECTIONS))
def test_the_built_in_layout_keeps_everything_apart(drawing, direction):
    sizes, edges, clusters = drawing
    found = layered(sizes, edges, direction=direction, clusters=clusters)
    check(found, sizes, edges, clusters)
    axis, sign = ("LR RL".find(direction) < 0) * 1, 1 if direction in ("LR", "TB") else -1
    for edge in edges:
        tail, head = found.positions[edge.tail][axis], found.positions[edge.head][axis]
        apart = (sizes[edge.tail][axis] + sizes[edge.head][axis]) / 2
        assert (head - tail) * sign > apart


@needs_dot
@settings(max_examples=40, deadline=None)
@given(drawings(), st.sampled_from(DIRECTIONS))
def test_the_layout_of_dot_keeps_everything_apart_or_is_not_taken(drawing, direction):
    sizes, edges, clusters = drawing
    found = dot_layout(sizes, edges, direction=direction, clusters=clusters)
    if found is not None:
        check(found, sizes, edges, clusters)


# -- what anybody would see -----------------------------------------------------------------------

BOX = (80, 50)


def both(*arguments, **options):
    """Return the layouts of both makers, of dot only where it is installed."""
    found = [layered(*arguments, **options), dot_layout(*arguments, **options)]
    return [layout for layout in found if layout is not None]


def test_two_edges_of_a_square_are_apart_and_have_a_label_each():
    edges = [LayoutEdge(0, 1, 20, 12), LayoutEdge(0, 1, 20, 12)]
    for found in both([BOX, BOX], edges):
        middles = [points[len(points) // 2][1] for points in found.routes]
        assert abs(middles[0] - middles[1]) >= 8
        assert found.labels[0] != found.labels[1]


@pytest.mark.parametrize("label", [(0, 0), (30, 12)])
def test_first_operands_stand_above_second_ones(label):
    edges = [LayoutEdge(0, 2, *label), LayoutEdge(1, 2, *label)]
    swapped = [LayoutEdge(1, 2, *label), LayoutEdge(0, 2, *label)]
    first, second, _ = layered([BOX] * 3, edges).positions
    assert first[1] < second[1]
    first, second, _ = layered([BOX] * 3, swapped).positions
    assert second[1] < first[1]


def test_a_chain_is_a_straight_line():
    edges = [LayoutEdge(number, number + 1, 30, 12) for number in range(5)]
    for found in both([BOX] * 6, edges):
        assert len({round(y, 3) for _, y in found.positions}) == 1
        assert all(
            abs(y - found.positions[0][1]) < 0.01 for route in found.routes for _, y in route
        )


def test_a_leaf_stands_next_to_what_it_is_used_by():
    """The bias of the last step of a long chain does not stand at the beginning of the chain."""
    edges = [LayoutEdge(number, number + 1) for number in range(6)] + [LayoutEdge(7, 6)]
    for found in both([BOX] * 8, edges):
        assert found.positions[7][0] == pytest.approx(found.positions[5][0], abs=1.0)


def test_edges_that_need_not_cross_do_not():
    """Five pairs in orders that cross 10 times, joined so that no component decides alone."""
    edges = [LayoutEdge(number, 9 - number, 20, 12) for number in range(5)]
    edges += [LayoutEdge(number, 10, 20, 12) for number in (7, 5, 9, 6, 8)]
    for found in both([BOX] * 11, edges):
        tails = sorted(range(5), key=lambda node: found.positions[node][1])
        heads = sorted(range(5, 10), key=lambda node: found.positions[node][1])
        assert [9 - node for node in tails] == heads


def test_the_other_directions_are_the_same_drawing_mirrored():
    sizes, edges = random_graph(15, seed=1)
    right, left = layered(sizes, edges), layered(sizes, edges, direction="RL")
    for (x, y), (mirrored, same) in zip(right.positions, left.positions, strict=True):
        assert mirrored == pytest.approx(right.width - x)
        assert same == y
    down, up = (layered(sizes, edges, direction=towards) for towards in ("TB", "BT"))
    for (x, y), (same, mirrored) in zip(down.positions, up.positions, strict=True):
        assert same == x
        assert mirrored == pytest.approx(down.height - y)


@needs_dot
@pytest.mark.parametrize("seed", range(4))
def test_the_built_in_drawing_is_not_much_larger_than_dots(seed):
    sizes, edges = random_graph(20, seed)
    own, dot = layered(sizes, edges), dot_layout(sizes, edges)
    assert dot is not None
    assert own.width * own.height < 1.5 * dot.width * dot.height


def test_a_node_with_many_operands_stands_next_to_them():
    """One long edge to its consumer is drawn, not two long ones from its operands."""
    edges = [LayoutEdge(number, number + 1) for number in range(5)]
    edges += [LayoutEdge(0, 6), LayoutEdge(1, 6), LayoutEdge(6, 5)]
    for found in both([BOX] * 7, edges):
        assert found.positions[6][0] == pytest.approx(found.positions[2][0], abs=1.0)


@pytest.mark.parametrize("seed", range(5))
def test_a_zigzag_in_any_order_is_drawn_without_crossings(seed):
    upper, lower = list(range(8)), list(range(8, 16))
    Random(seed).shuffle(upper)
    Random(seed + 100).shuffle(lower)
    edges = [LayoutEdge(*pair) for pair in zip(upper, lower, strict=True)]
    edges += [LayoutEdge(*pair) for pair in zip(upper[1:], lower, strict=False)]
    Random(seed + 200).shuffle(edges)
    y = [place[1] for place in layered([BOX] * 16, edges).positions]
    for one, other in combinations(edges, 2):
        assert (y[one.tail] - y[other.tail]) * (y[one.head] - y[other.head]) >= 0


def test_an_edge_inside_a_cluster_stays_inside_and_one_from_outside_enters_where_it_begins():
    edges = [LayoutEdge(0, 1), LayoutEdge(1, 2), LayoutEdge(2, 3), LayoutEdge(1, 3)]
    edges += [LayoutEdge(0, 3), LayoutEdge(3, 4), LayoutEdge(2, 4), LayoutEdge(4, 5)]
    clusters = [LayoutCluster((1, 2, 3, 4), 40, 12), LayoutCluster((1, 2, 3), 40, 12)]
    found = layered([BOX] * 6, edges, clusters=clusters)
    for number, (left, top, width, height) in ((0, found.frames[0]), (1, found.frames[1])):
        for edge, points in zip(edges, found.routes, strict=True):
            if edge.head in clusters[number].members:
                within = [y for x, y in trace(points) if left <= x <= left + width]
                if edge.tail in (0, *clusters[number].members):
                    assert all(top < y < top + height for y in within)


def test_labels_that_dot_puts_on_each_other_are_moved_apart():
    edges = [LayoutEdge(0, 1, 30, 12), LayoutEdge(2, 3, 30, 12)]
    centres = [(40.0, 40.0), (240.0, 40.0), (40.0, 100.0), (240.0, 100.0)]
    routes = [[(80.0, y), (120.0, y), (160.0, y), (200.0, y)] for y in (40.0, 100.0)]
    wanted = Layout(280.0, 140.0, centres, routes, [(140.0, 70.0), (141.0, 70.0)], [])
    found = clear(wanted, [BOX] * 4, edges, [])
    assert found.labels[0] == (140.0, 70.0)
    check(found, [BOX] * 4, edges, [])


def test_a_drawing_of_dot_with_an_edge_through_a_node_is_not_taken():
    centres = [(40.0, 40.0), (140.0, 40.0), (240.0, 40.0)]
    route = [(80.0, 40.0), (120.0, 40.0), (160.0, 40.0), (200.0, 40.0)]
    drawn = Layout(280.0, 80.0, centres, [route], [None], [])
    assert clear(drawn, [BOX] * 3, [LayoutEdge(0, 2)], []) is None


@pytest.mark.parametrize(("gap", "taken"), [(2.0, False), (8.0, True)])
def test_a_drawing_of_dot_with_edges_on_one_another_is_not_taken(gap, taken):
    centres = [(40.0, 40.0), (40.0, 100.0), (340.0, 40.0), (340.0, 100.0)]
    routes = [
        [(80.0, y), *((x, middle) for x in (100.0, 100.0, 120.0, 180.0, 240.0, 300.0))]
        for y, middle in ((40.0, 70.0), (100.0, 70.0 + gap))
    ]
    drawn = Layout(380.0, 140.0, centres, routes, [None, None], [])
    edges = [LayoutEdge(0, 2), LayoutEdge(1, 3)]
    assert (clear(drawn, [BOX] * 4, edges, []) is not None) == taken


def layers(*counts):
    """Return the edges of a network and a cluster for each layer, of units with a weight each."""
    edges, clusters, given, number = [], [], range(counts[0]), counts[0]
    for count in counts[1:]:
        weights, units = range(number, number + count), range(number + count, number + 2 * count)
        for weight, unit in zip(weights, units, strict=True):
            edges += [LayoutEdge(tail, unit, 30, 12) for tail in (*given, weight)]
        clusters.append(LayoutCluster((*weights, *units), 60, 12))
        given, number = units, number + 2 * count
    return [BOX] * number, edges, clusters


def test_layers_of_a_network_stand_one_after_the_other():
    sizes, edges, clusters = layers(2, 3, 2, 1)
    for found in both(sizes, edges, clusters=clusters):
        check(found, sizes, edges, clusters)
        ends = [max(found.positions[node][0] for node in (0, 1))]
        for left, _, width, _ in found.frames:
            assert left > ends[-1]
            ends.append(left + width)


@needs_dot
def test_a_network_that_dot_draws_with_edges_on_one_another_is_drawn_without_it():
    sizes, edges, clusters = layers(2, 4, 4, 1)
    assert dot_layout(sizes, edges, clusters=clusters) is None
    found = lay_out(sizes, edges, clusters=clusters)
    assert found == layered(sizes, edges, clusters=clusters)


@pytest.mark.parametrize("above", [False, True])
def test_a_drawing_of_dot_with_an_edge_on_a_title_is_not_taken(above):
    centres = [(60.0, 60.0), (260.0, 60.0)]
    height = 20.0 if above else 60.0
    route = [(100.0, 60.0), (100.0, height), (110.0, height), (160.0, height)]
    route += [(210.0, height), (220.0, height), (220.0, 60.0)]
    frame = (150.0, 8.0, 170.0, 90.0)
    drawn = Layout(340.0, 120.0, centres, [route], [None], [frame])
    found = clear(drawn, [BOX] * 2, [LayoutEdge(0, 1)], [LayoutCluster((1,), 60, 14)])
    assert (found is None) == above


def test_folding_that_closes_a_cycle_is_drawn_all_the_same():
    edges = [LayoutEdge(0, 1, 30, 12), LayoutEdge(1, 2, 30, 12), LayoutEdge(2, 0, 30, 12)]
    for found in both([BOX] * 3, edges):
        check(found, [BOX] * 3, edges, [])


def test_the_same_drawing_is_laid_out_the_same_again():
    sizes, edges = random_graph(40, seed=3)
    clusters = [LayoutCluster(tuple(range(12, 20)), 60, 12)]
    assert layered(sizes, edges, clusters=clusters) == layered(sizes, edges, clusters=clusters)


def random_graph(count, seed, labels=True):
    rng = Random(seed)
    edges = [
        LayoutEdge(rng.randrange(node), node, *((rng.uniform(10, 60), 13) if labels else (0, 0)))
        for node in range(count // 4, count)
        for _ in range(rng.choice((1, 2, 2)))
    ]
    return [(rng.uniform(50, 110), rng.uniform(30, 60)) for _ in range(count)], edges


@pytest.mark.parametrize("count", [60, 200])
def test_larger_graphs_keep_everything_apart(count):
    sizes, edges = random_graph(count, seed=count)
    check(layered(sizes, edges), sizes, edges, [])


def test_a_chain_of_10000_nodes_is_a_line():
    found = layered([BOX] * 10_000, [LayoutEdge(number, number + 1) for number in range(9_999)])
    assert found.height == BOX[1] + 32
    assert found.positions[-1][0] > 9_999 * BOX[0]


def test_many_long_edges_from_one_node_share_a_line():
    """Of their own they would need half a million places, and the drawing would be 2,500 high."""
    edges = [LayoutEdge(number, number + 1) for number in range(999)]
    edges += [LayoutEdge(0, number) for number in range(2, 1000, 2)]
    assert layered([BOX] * 1000, edges).height < 200


def test_long_edges_that_share_neither_end_still_miss_all_nodes():
    edges = [LayoutEdge(number, number + 1, 20, 12) for number in range(119)]
    edges += [LayoutEdge(number, 119 - number, 20, 12) for number in range(59)]
    sizes = [(10, 20)] * 120
    check(layered(sizes, edges), sizes, edges, [])


@needs_dot
def test_dot_is_used_where_it_is_installed():
    edges = [LayoutEdge(0, 1, 30, 12)]
    assert lay_out([BOX, BOX], edges) == dot_layout([BOX, BOX], edges)


@pytest.mark.parametrize("program", [None, "exit 1", "echo nonsense"])
def test_without_a_working_dot_the_built_in_layout_is_used(program, tmp_path, monkeypatch):
    if program:
        (tmp_path / "dot").write_text(f"#!/bin/sh\n{program}\n")
        (tmp_path / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    edges = [LayoutEdge(0, 1, 30, 12)]
    assert lay_out([BOX, BOX], edges) == layered([BOX, BOX], edges)


def test_nothing_is_laid_out_as_nothing():
    found = lay_out([], [])
    assert found.positions == found.routes == found.labels == found.frames == []


@pytest.mark.parametrize(
    ("edges", "options", "message"),
    [
        ([], {"direction": "left"}, "direction must be one of LR, RL, TB, BT, got 'left'"),
        ([LayoutEdge(0, 3)], {}, "edge 0 leads from node 0 to node 3, expected nodes from 0 to 2"),
        ([LayoutEdge(0, 1), LayoutEdge(1, 1)], {}, "edge 1 leads from node 1 to itself"),
        ([], {"clusters": [LayoutCluster(())]}, "cluster 0 needs one or more members"),
        ([], {"clusters": [LayoutCluster((3,))]}, "cluster 0 needs one or more members"),
        (
            [],
            {"clusters": [LayoutCluster((0, 1)), LayoutCluster((1, 2))]},
            "cluster 1 needs members of which none or all lie in each other cluster",
        ),
    ],
)
def test_impossible_drawings_are_refused(edges, options, message):
    with pytest.raises(ValueError, match=message):
        lay_out([BOX] * 3, edges, **options)
