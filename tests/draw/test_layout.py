"""The layout: nothing overlaps, nothing is lost, few lines cross, and the same graph always looks the same."""

from __future__ import annotations

import random
from functools import cache
from itertools import combinations, pairwise

import pytest

from adlab import gallery
from adlab.autodiff.programs import derivative
from adlab.draw.describe import describe, shared
from adlab.draw.layered.orders import ROUNDS, _crossings, order
from adlab.draw.layered.places import _mean, _median, spread
from adlab.draw.layered.ranks import ranks
from adlab.draw.layered.web import Extent, Web
from adlab.draw.layout import Layout, Point, _ordered, layout
from adlab.graph.graph import Graph

BOX, LABEL = Extent(30, 30, 20), Extent(3, 40, 18)


def graphs() -> dict[str, tuple[Graph, int]]:
    """Graphs of the gallery and their gradients, each with the number of crossings recorded for it."""
    worked, logistic = gallery.worked_example().graph, gallery.logistic_map(4, form="evaluated").graph
    return {
        "worked example": (worked, 1),
        "its gradient": (derivative(worked), 3),
        "baydin": (gallery.baydin().graph, 0),
        "baydin's gradient": (derivative(gallery.baydin().graph), 0),
        "speelpenning 4, gradient": (derivative(gallery.speelpenning(4).graph), 2),
        "speelpenning 8, gradient": (derivative(gallery.speelpenning(8).graph), 11),
        "squire & trapp, gradient": (derivative(gallery.squire_trapp().graph), 5),
        "rosenbrock 4, gradient": (derivative(gallery.rosenbrock(4).graph), 2),
        "network": (gallery.network(2, 2, 3, 1).graph, 2),
        "speelpenning 5": (gallery.speelpenning(5).graph, 0),
        "its gradient, five outputs": (derivative(gallery.speelpenning(5).graph), 2),
        "logistic map 4, evaluated": (logistic, 0),
        "its derivative": (derivative(logistic), 0),
        "logistic map 5, written": (gallery.logistic_map(5).graph, 0),
        "rosenbrock 3": (gallery.rosenbrock(3).graph, 0),
        "rosenbrock 5": (gallery.rosenbrock(5).graph, 3),
        "squire & trapp": (gallery.squire_trapp().graph, 0),
        "chain": (gallery.chain(10).graph, 0),
        "switched": (gallery.switched().graph, 3),
    }


GRAPHS = graphs()


@cache
def laid_out(graph: Graph, draw=layout) -> Layout:
    """The bare graph: boxes of one size, no labels, constants beside their readers."""
    diagram = describe(graph)
    edges = [(arrow.source, arrow.target) for arrow in diagram.arrows]
    pinned = {i for i, box in enumerate(diagram.boxes) if box.kind == "constant"} & {source for source, _ in edges}
    return draw([BOX] * len(diagram.boxes), edges, [None] * len(edges), None, pinned)


def crossings(routes) -> int:
    """Pairs of edges that cross, counted on the finished lines: each segment against each."""

    def side(p: Point, q: Point, r: Point) -> int:
        turn = (q.across - p.across) * (r.along - p.along) - (q.along - p.along) * (r.across - p.across)
        return (turn > 1e-6) - (turn < -1e-6)

    def cross(p: Point, q: Point, r: Point, s: Point) -> bool:
        return side(p, q, r) * side(p, q, s) < 0 and side(r, s, p) * side(r, s, q) < 0

    return sum(cross(*one, *other) for a, b in combinations(routes, 2) for one in pairwise(a) for other in pairwise(b))


def randomly(seed: int):
    """A graph of boxes and labels of many sizes, some edges double, some boxes pinned, in one half or in two."""
    draw = random.Random(seed)
    count = draw.randrange(2, 24)
    far = [draw.random() < i / count for i in range(count)] if seed % 2 else None
    edges = [(draw.randrange(t), t) for t in range(1, count) for _ in range(draw.randrange(4))]
    edges = [(s, t) for s, t in edges if far is None or far[t] or not far[s]]
    reads, read = {t for _, t in edges}, [s for s, _ in edges]
    pinned = {s for s in read if s not in reads and read.count(s) == 1 and draw.random() < 0.5}
    boxes = [Extent(w, w, draw.uniform(8, 40)) for w in (draw.uniform(5, 60) for _ in range(count))]
    labels = [LABEL if s not in pinned and draw.random() < 0.5 else None for s, _ in edges]
    return boxes, edges, labels, far, pinned


@cache
def laid_randomly(seed: int) -> Layout:
    return layout(*randomly(seed))


# --- what must hold of every layout -----------------------------------------------------------------------------


def room(extent: Extent, at: Point) -> tuple[float, float, float, float]:
    half = extent.along / 2
    return at.across - extent.before, at.across + extent.after, at.along - half, at.along + half


def apart(a, b) -> bool:
    return a[1] <= b[0] + 1e-6 or b[1] <= a[0] + 1e-6 or a[3] <= b[2] + 1e-6 or b[3] <= a[2] + 1e-6


@pytest.mark.parametrize("seed", range(16))
def test_boxes_and_labels_do_not_overlap_and_lie_inside(seed: int) -> None:
    (boxes, *_), found = randomly(seed), laid_randomly(seed)
    rooms = [room(box, at) for box, at in zip(boxes, found.places, strict=True)]
    rooms += [room(LABEL, at) for at in found.labels if at]
    assert all(apart(a, b) for a, b in combinations(rooms, 2))
    for left, right, top, bottom in rooms:
        assert -1e-6 <= left <= right <= found.breadth + 1e-6
        assert -1e-6 <= top <= bottom <= found.length + 1e-6


@pytest.mark.parametrize("seed", range(16))
def test_every_edge_runs_from_border_to_border_and_through_no_other_box(seed: int) -> None:
    (boxes, edges, *_), found = randomly(seed), laid_randomly(seed)
    rooms = [room(box, at) for box, at in zip(boxes, found.places, strict=True)]
    assert len(found.routes) == len(edges)
    for (source, target), route in zip(edges, found.routes, strict=True):
        for end, at in ((source, route[0]), (target, route[-1])):
            left, right, top, bottom = rooms[end]
            assert left < at.across < right
            assert min(abs(at.along - top), abs(at.along - bottom)) < 1e-6
        for other in set(range(len(boxes))) - {source, target}:
            left, right, top, bottom = rooms[other]
            for p, q in pairwise(route):  # between ranks lines go anywhere; beside boxes, straight along the flow
                if max(p.along, q.along) > top + 1e-6 and min(p.along, q.along) < bottom - 1e-6:
                    assert not left + 1e-6 < p.across < right - 1e-6


@pytest.mark.parametrize("seed", range(16))
def test_edges_follow_the_flow_and_in_the_far_half_go_against_it(seed: int) -> None:
    (_, edges, _, far, _), found = randomly(seed), laid_randomly(seed)
    for (source, target), route in zip(edges, found.routes, strict=True):
        way = [b.along - a.along for a, b in pairwise(route)]
        assert all(step >= 0 for step in way) or all(step <= 0 for step in way)
        if far is None or far[source] == far[target]:
            assert (sum(way) < 0) == bool(far and far[target])
    if far and found.divide is not None:
        for i, at in enumerate(found.places):
            assert (at.across > found.divide) == far[i]


def test_an_operand_used_twice_has_two_lines() -> None:
    found = layout([BOX, BOX], [(0, 1), (0, 1)], [LABEL, LABEL])
    assert len(set(found.routes)) == 2
    assert len(set(found.labels)) == 2
    assert len(set(layout([BOX, BOX], [(0, 1), (0, 1)], [None, None]).routes)) == 2


def test_labels_stand_on_their_own_edges() -> None:
    found = layout([BOX] * 3, [(0, 1), (0, 2), (1, 2)], [LABEL] * 3)
    for at, route in zip(found.labels, found.routes, strict=True):
        assert any(p.across == q.across == at.across and p.along < at.along < q.along for p, q in pairwise(route))


def test_no_boxes_and_no_edges_are_layouts_too() -> None:
    assert layout([], [], []).places == ()
    assert len(layout([BOX, BOX], [], []).places) == 2


# --- crossings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GRAPHS)
def test_no_more_lines_cross_than_are_recorded(name: str) -> None:
    graph, recorded = GRAPHS[name]
    assert crossings(laid_out(graph).routes) <= recorded


def test_of_two_ranks_equally_short_that_with_fewer_crossings_is_taken() -> None:
    """Both products of x1·x2·x3·x4's halves could stand side by side: then eight lines cross, and below each other two."""
    graph, recorded = GRAPHS["speelpenning 4, gradient"]
    edges = [(operand, i) for i in graph.operations for operand in graph.nodes[i].operands]
    side_by_side = Web([BOX] * len(graph), ranks(len(graph), edges), edges, [None] * len(edges), None)
    found = _ordered([BOX] * len(graph), edges, [None] * len(edges), None, ())
    assert order(side_by_side) == 8 > recorded == crossings(laid_out(graph).routes)
    assert found.length() * 2 == side_by_side.length()  # in ranks half as far apart: no edge has grown


@pytest.mark.parametrize("seed", range(10))
def test_what_must_stand_below_does(seed: int) -> None:
    draw = random.Random(seed)
    edges = [(draw.randrange(t), t) for t in range(1, 15) for _ in range(2)]
    below = [(a, b) for a, b in ((draw.randrange(7), draw.randrange(7, 15)) for _ in range(4))]
    rank = ranks(15, edges, below=below)
    assert all(rank[b] - rank[a] >= 2 for a, b in [*edges, *below])


def test_the_finished_lines_cross_as_often_as_the_order_says() -> None:
    """Counted twice, by inversions of the order and by geometry: routing adds no crossing."""
    for name in ("worked example", "its gradient", "rosenbrock 3", "switched"):
        graph, _ = GRAPHS[name]
        edges = [(operand, i) for i in graph.operations for operand in graph.nodes[i].operands]
        web = _ordered([BOX] * len(graph), edges, [LABEL] * len(edges), None, ())
        counted = sum(_crossings(web, layer) for layer in web.layers)
        assert crossings(layout([BOX] * len(graph), edges, [LABEL] * len(edges)).routes) == counted


def test_crossings_are_counted() -> None:
    straight = [(Point(0, 0), Point(0, 9)), (Point(5, 0), Point(5, 9))]
    crossed = [(Point(0, 0), Point(5, 9)), (Point(5, 0), Point(0, 9))]
    assert (crossings(straight), crossings(crossed)) == (0, 1)
    assert crossings([(Point(0, 0), Point(5, 9)), (Point(0, 0), Point(0, 9))]) == 0  # they only leave together


# --- the steps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_ranks_are_as_short_as_pushing_one_box_could_make_them(seed: int) -> None:
    draw = random.Random(seed)
    edges = [(draw.randrange(t), t) for t in range(1, 15) for _ in range(2)]
    rank = ranks(15, edges)

    def length(changed: list[int]) -> float:
        fits = all(changed[t] - changed[s] >= 2 for s, t in edges)
        return sum(changed[t] - changed[s] for s, t in edges) if fits else float("inf")

    assert min(rank) == 0
    for i in range(15):
        for step in (2, -2):
            assert length([r + step * (j == i) for j, r in enumerate(rank)]) >= length(rank)


@pytest.mark.parametrize("middle", [_mean, _median])
@pytest.mark.parametrize("seed", range(10))
def test_spreading_keeps_order_and_gaps_and_moves_nobody_without_need(seed: int, middle) -> None:
    draw = random.Random(seed)
    gaps = [draw.uniform(0, 5) for _ in range(7)]
    wishes = [[(draw.uniform(0, 20), draw.uniform(0.1, 3)) for _ in range(draw.randrange(1, 4))] for _ in range(8)]
    found = spread(wishes, gaps, middle)
    assert all(b - a >= gap - 1e-9 for (a, b), gap in zip(pairwise(found), gaps, strict=True))
    assert spread([[(x, 1.0)] for x in found], gaps, middle) == pytest.approx(found)


@pytest.mark.parametrize("seed", range(10))
def test_spreading_is_the_least_squares_answer(seed: int) -> None:
    """No small step that keeps order and gaps comes nearer to the wishes."""
    draw = random.Random(seed)
    gaps, wishes = [3.0] * 5, [(draw.uniform(0, 12), draw.uniform(0.1, 3)) for _ in range(6)]
    found = spread([[wish] for wish in wishes], gaps, _mean)

    def cost(places) -> float:
        return sum(weight * (x - wish) ** 2 for x, (wish, weight) in zip(places, wishes, strict=True))

    for _ in range(200):
        near = [x + draw.uniform(-0.1, 0.1) for x in found]
        if all(b - a >= 3.0 for a, b in pairwise(near)):
            assert cost(near) >= cost(found) - 1e-9


def test_inputs_stand_in_their_order_when_nothing_speaks_against_it() -> None:
    """Of two orders with equally few crossings the one that reads x1, x2, x3 is kept."""
    assert ROUNDS > 1
    found = layout([BOX] * 4, [(0, 3), (1, 3), (2, 3)], [None] * 3)
    assert found.places[0].across < found.places[1].across < found.places[2].across


def test_the_same_graph_has_the_same_layout() -> None:
    for name in ("worked example", "its gradient", "rosenbrock 3"):
        assert laid_out(GRAPHS[name][0]) == laid_out.__wrapped__(GRAPHS[name][0])


def test_what_a_gradient_shares_with_its_function_is_found() -> None:
    f = gallery.worked_example().graph
    program = derivative(f, value=True)
    own = shared(program, f)
    assert sum(own) == len(f)
    assert [program.names[i] for i, mine in enumerate(own) if mine][:2] == ["x1", "x2"]
    assert not any(own[output] for output in program.outputs[1:])
