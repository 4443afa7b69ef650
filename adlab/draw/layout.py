"""Where things stand: a layered layout of a directed acyclic graph, in five steps (Sugiyama, Tagawa & Toda 1981).

1. Ranks: every box is below the boxes that it reads (longest paths). Then boxes move, and push others, to shorten the edges.
Where lines
   cross, other ranks of about the same length are tried.
2. Chains: an edge that spans several ranks gets a joint in each rank between. One of the joints holds its label.
3. Orders: barycentre sweeps and swaps of neighbours. The order with the fewest crossings is kept.
4. Places: in each rank the boxes get what they wish, in the mean and then in the median, and keep order and distance.
5. Routes: the joints of every edge, from the border of one box to the border of the other.

There is no randomness: the same graph gives the same layout. Coordinates are (across, along), and `along` grows in the
direction of the flow. So the same layout serves pictures from top to bottom and from left to right.

>>> one = Extent(10, 10, 12)
>>> square = layout([one, one], [(0, 1), (0, 1)], [None, None])     # x*x: two edges
>>> square.places
(Point(across=10.0, along=6.0), Point(across=10.0, along=31.0))
>>> len(set(square.routes))
2
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adlab.draw.layered.orders import order
from adlab.draw.layered.places import Positions
from adlab.draw.layered.ranks import ranks
from adlab.draw.layered.web import Edge, Extent, Web

__all__ = ["Edge", "Extent", "Layout", "Point", "layout"]

BETWEEN = 13.0  # points between ranks, at least
EFFORT = 2000  # vertices to put in order, in all, while ranks with fewer crossings are searched for
LONGER = 1.2  # fewer crossings may lengthen all edges together by this factor
SLOPE, STEEPEST = 0.16, 34.0  # where an edge crosses far, ranks move apart by SLOPE × the distance, at most STEEPEST


class Point(NamedTuple):
    across: float
    along: float


@dataclass(frozen=True)
class Layout:
    """Anchors of the boxes and of the labels, the route of every edge from its source to its target, the size of all.

    `divide` is the place across the flow at which the far half begins.
    """

    places: tuple[Point, ...]
    labels: tuple[Point | None, ...]
    routes: tuple[tuple[Point, ...], ...]
    breadth: float
    length: float
    divide: float | None = None


def layout(
    boxes: Sequence[Extent],
    edges: Sequence[Edge],
    labels: Sequence[Extent | None],
    far: Sequence[bool] | None = None,
    pinned: Collection[int] = (),
) -> Layout:
    """The layout of boxes in topological order (each edge leads to a later box), and of labels: one place for each edge.

    The boxes marked `far` are in a half of their own, in which edges run against the flow. A `pinned` box reads nothing, and
    stands close to its only reader.
    """
    if not boxes:
        return Layout((), (), (), 0.0, 0.0)
    web = _ordered(boxes, edges, labels, far, pinned)
    return _Router(web, Positions(web, far is not None)).layout()


def _ordered(
    boxes: Sequence[Extent],
    edges: Sequence[Edge],
    labels: Sequence[Extent | None],
    far: Sequence[bool] | None,
    pinned: Collection[int],
) -> Web:
    """Ranks, chains and orders with the fewest crossings found.

    Short edges alone leave ties. Where lines cross, one of two operations of a rank is put below the other. That is kept if
    fewer lines cross and the edges are not much longer.
    """

    def ranked(below: Sequence[Edge]) -> Web:
        rank = ranks(len(boxes), edges, far, pinned, below)
        if not any(labels) and all(r % 2 == 0 for r in rank):
            rank = [r // 2 for r in rank]
        return Web(boxes, rank, edges, labels, far)

    web = ranked(())
    crossings, effort, most = order(web), EFFORT, LONGER * web.length()
    below: list[Edge] = []
    ties = _ties(web) if far is None else iter(())
    while crossings and effort > 0 and (tie := next(ties, None)):
        other = ranked([*below, tie])
        effort -= len(other.rank)
        if other.length() <= most and (fewer := order(other, starts=2)) < crossings:
            web, crossings, ties = other, fewer, _ties(other)
            below.append(tie)
    if below:
        order(web)
    return web


def _ties(web: Web) -> Iterator[Edge]:
    """Pairs of boxes of one rank that read something."""
    reading = [v for v in range(web.boxes) if web.up[v]]
    return ((a, b) for i, a in enumerate(reading) for b in reading[i + 1 :] if web.rank[a] == web.rank[b])


class _Router:
    """Places the ranks one after the other, and takes every edge from the border of one box to that of the other."""

    def __init__(self, web: Web, places: Positions) -> None:
        self.web, self.places, self.x = web, places, places.x
        self.thick = [max((web.extent[v].along for v in layer), default=0.0) for layer in web.layers]
        starts = [0.0]
        for r in range(len(web.layers) - 1):
            starts.append(starts[r] + self.thick[r] + self._room(r))
        self.bands = [(start, start + thick) for start, thick in zip(starts, self.thick, strict=True)]

    def _room(self, r: int) -> float:
        """Between one rank and the next."""
        web, (layer, below) = self.web, self.web.layers[r : r + 2]
        farthest = max((abs(self.x[v] - self.x[u]) for v in layer for u in web.down[v]), default=0.0)
        only_joints = any(min(vertices, default=web.boxes) >= web.boxes for vertices in (layer, below))
        return min(BETWEEN * (0.7 if only_joints else 1) + SLOPE * farthest, STEEPEST)

    def layout(self) -> Layout:
        web = self.web
        return Layout(
            tuple(map(self._point, range(web.boxes))),
            tuple(None if v is None else self._point(v) for v in web.label),
            tuple(map(self._route, range(len(web.edges)))),
            max(x + extent.after for x, extent in zip(self.x, web.extent, strict=True)),
            self.bands[-1][1],
            self.places.divide,
        )

    def _point(self, vertex: int) -> Point:
        return Point(self.x[vertex], sum(self.bands[self.web.rank[vertex]]) / 2)

    def _route(self, e: int) -> tuple[Point, ...]:
        web = self.web
        upper, *joints, lower = web.chains[e]
        first, last = (self.x[end] + self.places.ports[e, end] for end in (upper, lower))
        first = _straight(first, self.x[joints[0]] if joints else last, self.places.slack[e, upper])
        last = _straight(last, self.x[joints[-1]] if joints else first, self.places.slack[e, lower])
        points = self._leave(upper, first, 1)
        for joint in joints:
            points += [Point(self.x[joint], along) for along in self.bands[web.rank[joint]]]
        points += reversed(self._leave(lower, last, -1))
        if web.edges[e][0] != upper:
            points.reverse()
        return tuple(dict.fromkeys(points))

    def _leave(self, vertex: int, across: float, sign: int) -> list[Point]:
        """From the border of a box to the border of its rank."""
        rank = self.web.rank[vertex]
        edge, inset = self.bands[rank][sign > 0], (self.thick[rank] - self.web.extent[vertex].along) / 2
        return [Point(across, edge - sign * inset), Point(across, edge)]


def _straight(across: float, wish: float, slack: float) -> float:
    """The end of an edge, moved along its box to make the line straight, if it may move so far."""
    return wish if abs(across - wish) <= slack else across
