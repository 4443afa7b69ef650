"""Where things stand: a layered layout of a directed acyclic graph, in five steps (Sugiyama, Tagawa & Toda 1981).

1. Ranks: every box stands below what it reads (longest paths); boxes then move, and push others, to shorten the edges.
2. Chains: an edge that spans several ranks gets a joint in each rank between; one of the joints holds its label.
3. Orders: barycentre sweeps and swaps of neighbours, keeping the order with the fewest crossings.
4. Places: in each rank what all boxes wish, in the mean and then in the median, keeping order and distance.
5. Routes: the joints of every edge, from the border of one box to the border of the other.

There is no randomness anywhere: the same graph gives the same layout. Coordinates are (across, along): `along` grows in
the direction of the flow, so the same layout serves pictures from top to bottom and from left to right.

>>> one = Extent(10, 10, 12)
>>> square = layout([one, one], [(0, 1), (0, 1)], [None, None])     # x*x: two edges
>>> square.places
(Point(across=10.0, along=6.0), Point(across=10.0, along=31.0))
>>> len(set(square.routes))
2
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

BESIDE = 11.0  # between boxes of one rank
BETWEEN = 13.0  # between ranks, at least
SLOPE, STEEPEST = 0.16, 34.0  # ranks move apart where an edge must cross far: by SLOPE × the distance, at most so much
ROUNDS = 12  # of ordering sweeps from each start
STARTS, SMALL = 12, 400  # starts for orders of at most so many vertices; larger ones have two
SETTLING = 40  # placing sweeps at most toward the mean, and as many toward the median, which makes lines straight
STILL = 0.05  # points; what moves less has settled
LOOSE = 0.05  # how hard a box pulls that only one other reads
SNAP = 4.0  # ports move by so much for a line to be straight
NEAR, BETWEEN_HALVES, FAR = range(3)

Edge = tuple[int, int]
Wish = tuple[float, float]
"""A place, and how strongly it is wished for."""
Middle = Callable[[Sequence[Wish]], float]


class Extent(NamedTuple):
    """The room a box takes around its anchor: `before` and `after` it across the flow, and `along` the flow."""

    before: float
    after: float
    along: float


class Point(NamedTuple):
    across: float
    along: float


JOINT = Extent(2.0, 2.0, 0.0)


@dataclass(frozen=True)
class Layout:
    """Anchors of the boxes and of the labels, the route of every edge from its source to its target, the size of all.

    `divide` is where, across, the far half begins.
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
    """The layout of boxes in topological order (each edge leads to a later box) and of labels, one place an edge.

    The boxes marked `far` stand in a half of their own, in which edges run back against the flow; a `pinned` box reads
    nothing, and stands close to the only one that reads it.
    """
    if not boxes:
        return Layout((), (), (), 0.0, 0.0)
    rank = ranks(len(boxes), edges, far, pinned)
    if not any(labels) and all(r % 2 == 0 for r in rank):
        rank = [r // 2 for r in rank]
    web = _Web(boxes, rank, edges, labels, far)
    web.order()
    web.place()
    return web.layout()


def ranks(
    count: int, edges: Sequence[Edge], far: Sequence[bool] | None = None, pinned: Collection[int] = ()
) -> list[int]:
    """The rank of every box, from 0; boxes that an edge joins are two apart at least, or lie in different halves.

    Near boxes have even ranks when far ones have odd ones, so no edge between the halves is flat. Between ranks that
    are two apart there is one for labels and for what is pinned.

    >>> ranks(4, [(0, 2), (1, 3), (2, 3)])
    [0, 2, 2, 4]
    """
    half = [bool(far and far[i]) for i in range(count)]
    over: list[list[int]] = [[] for _ in range(count)]
    under: list[list[int]] = [[] for _ in range(count)]
    beside: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        if source in pinned:
            continue
        if half[source] != half[target]:
            beside[source].append(target)
            beside[target].append(source)
        else:
            upper, lower = (target, source) if half[target] else (source, target)
            over[lower].append(upper)
            under[upper].append(lower)
    rank = [0] * count
    for i in range(count):
        if half[i]:
            reads = [rank[j] - 2 for j in under[i]] or [max((rank[j] for j in beside[i] if j < i), default=0) + 1]
            rank[i] = min(reads)
        else:
            rank[i] = max((rank[j] + 2 for j in over[i]), default=0)
    while any([_shorten(i, step, rank, over, under, beside) for i in range(count) for step in (2, -2)]):
        pass
    for source, target in edges:
        if source in pinned:
            rank[source] = rank[target] + (1 if half[target] else -1)
    least = min(rank)
    return [r - least for r in rank]


def _shorten(
    i: int, step: int, rank: list[int], over: list[list[int]], under: list[list[int]], beside: list[list[int]]
) -> bool:
    """Moves one box, and what it pushes along, by a step down or up if that makes all edges together shorter."""
    ahead = under if step > 0 else over
    pushed, stack = {i}, [i]
    while stack:
        j = stack.pop()
        tight = [k for k in ahead[j] if abs(rank[k] - rank[j]) == 2 and k not in pushed]
        pushed.update(tight)
        stack += tight
    change = sum(
        abs(rank[j] + step - rank[k]) - abs(rank[j] - rank[k])
        for j in pushed
        for k in (*over[j], *under[j], *beside[j])
        if k not in pushed
    )
    if change < 0:
        for j in pushed:
            rank[j] += step
    return change < 0


class _Web:
    """Boxes and joints, all called vertices, each on one rank; threads run between neighbouring ranks only."""

    def __init__(
        self,
        boxes: Sequence[Extent],
        rank: Sequence[int],
        edges: Sequence[Edge],
        labels: Sequence[Extent | None],
        far: Sequence[bool] | None,
    ) -> None:
        self.boxes, self.rank, self.edges, self.halves = len(boxes), list(rank), edges, far is not None
        self.extent = list(boxes)
        self.group = [FAR if far and far[i] else NEAR for i in range(len(boxes))]
        self.chains: list[list[int]] = []  # every edge as vertices from its upper to its lower end
        self.label: list[int | None] = []
        for edge, label in zip(edges, labels, strict=True):
            self._chain(edge, label)
        self.up: list[list[int]] = [[] for _ in self.rank]
        self.down: list[list[int]] = [[] for _ in self.rank]
        for chain in self.chains:
            for upper, lower in zip(chain, chain[1:], strict=False):
                self.down[upper].append(lower)
                self.up[lower].append(upper)
        self.layers: list[list[int]] = [[] for _ in range(max(self.rank) + 1)]
        self.index = [0] * len(self.rank)
        self.x = [0.0] * len(self.rank)

    def _chain(self, edge: Edge, label: Extent | None) -> None:
        source, target = edge
        upper, lower = sorted(edge, key=lambda i: self.rank[i])
        same = self.group[source] == self.group[target]
        group = self.group[target] if same else BETWEEN_HALVES
        joints = list(range(len(self.rank), len(self.rank) + self.rank[lower] - self.rank[upper] - 1))
        self.rank.extend(range(self.rank[upper] + 1, self.rank[lower]))
        self.extent.extend(JOINT for _ in joints)
        self.group.extend(group for _ in joints)
        self.chains.append([upper, *joints, lower])
        self.label.append(None)
        if label and joints:
            self.label[-1] = joints[-1] if lower == target else joints[0]  # beside the operation whose partial it is
            self.extent[self.label[-1]] = label

    # --- orders -------------------------------------------------------------------------------------------------

    def order(self) -> None:
        """Orders every rank; the best of all the sweeps is kept, from the order given, by branches, and from some that
        are shuffled, though the same each time."""
        count = len(self.rank)
        shuffled = (_shuffled(count, turn) for turn in range(1, STARTS if count <= SMALL else 1))
        best = None
        for start in (range(count), self._depth_first(), *shuffled):
            found = self._ordered(start)
            best = min(best or found, found)
            if best[0][0] == 0:
                break
        assert best is not None
        self._take(best[1])

    def _ordered(self, start: Iterable[int]) -> tuple[tuple[int, int], list[list[int]]]:
        """The best order of the sweeps from one start: the fewest crossings, then the least disorder."""
        layers: list[list[int]] = [[] for _ in self.layers]
        for vertex in start:
            layers[self.rank[vertex]].append(vertex)
        for layer in layers:
            layer.sort(key=lambda v: self.group[v])
        self._take(layers)
        found = []
        for turn in range(ROUNDS):
            self._sweep(downward=turn % 2 == 0)
            self._swap()
            merit = sum(map(self._crossings, self.layers)), sum(map(self._disorder, self.layers))
            found.append((merit, [list(layer) for layer in self.layers]))
        return min(found)

    def _take(self, layers: list[list[int]]) -> None:
        self.layers = layers
        for layer in layers:
            self._count_off(layer)

    def _count_off(self, layer: list[int]) -> None:
        for i, vertex in enumerate(layer):
            self.index[vertex] = i

    def _depth_first(self) -> list[int]:
        """All vertices, each before its neighbours below that nothing else has reached: branches stay together."""
        seen = [False] * len(self.rank)
        found = []
        stack = sorted(range(len(self.rank)), key=lambda v: (self.rank[v], v), reverse=True)
        while stack:
            vertex = stack.pop()
            if not seen[vertex]:
                seen[vertex] = True
                found.append(vertex)
                stack.extend(reversed(self.down[vertex]))
        return found

    def _sweep(self, downward: bool) -> None:
        """Orders each rank by the mean place of its neighbours in the rank before; who has none keeps its place."""
        toward = self.up if downward else self.down
        for layer in self.layers if downward else reversed(self.layers):
            share = {v: self._share(toward[v] or [v]) for v in layer}
            layer.sort(key=lambda v: (self.group[v], share[v]))  # noqa: B023 (used at once)
            self._count_off(layer)

    def _share(self, vertices: list[int]) -> float:
        return fmean((self.index[v] + 0.5) / len(self.layers[self.rank[v]]) for v in vertices)

    def _swap(self) -> None:
        """Swaps neighbours as long as that takes crossings away."""
        for _ in range(ROUNDS):
            if not any([self._swap_in(layer) for layer in self.layers]):
                return

    def _swap_in(self, layer: list[int]) -> bool:
        gained = False
        for i in range(len(layer) - 1):
            a, b = layer[i], layer[i + 1]
            if self.group[a] == self.group[b] and self._between(a, b) > self._between(b, a):
                layer[i], layer[i + 1] = b, a
                self.index[a], self.index[b], gained = i + 1, i, True
        return gained

    def _between(self, left: int, right: int) -> int:
        """Crossings among the threads of two vertices of one rank, in this order."""
        return sum(
            self.index[p] > self.index[q]
            for toward in (self.up, self.down)
            for p in toward[left]
            for q in toward[right]
        )

    def _crossings(self, layer: list[int]) -> int:
        """Crossings between this rank and the next: inversions among the ends of the threads."""
        ends: list[int] = []
        crossings = 0
        for vertex in layer:
            own = sorted(self.index[below] for below in self.down[vertex])
            crossings += sum(len(ends) - bisect_right(ends, end) for end in own)
            for end in own:
                insort(ends, end)
        return crossings

    def _disorder(self, layer: list[int]) -> int:
        """How many pairs of boxes do not stand as they were given: x2 before x1."""
        boxes = [v for v in layer if v < self.boxes]
        return sum(a > b for i, a in enumerate(boxes) for b in boxes[i + 1 :])

    # --- places -------------------------------------------------------------------------------------------------

    def place(self) -> None:
        """Where every vertex stands across the flow; the halves one beside the other."""
        self.ports = self._ports()
        self.pulls = self._pulls()
        sides = [[v for v in range(len(self.rank)) if self.group[v] == NEAR]]
        sides.append([v for v in range(len(self.rank)) if self.group[v] != NEAR])
        self.edge_of_half = 0.0
        for side in filter(None, sides):
            self._settle(set(side))
            shift = self.edge_of_half - min(self.x[v] - self.extent[v].before for v in side)
            for v in side:
                self.x[v] += shift
            self.edge_of_half = max(self.x[v] + self.extent[v].after for v in side) + 3 * BESIDE
            self.divide = min(self.x[v] - self.extent[v].before for v in side) - 1.5 * BESIDE

    def _ports(self) -> dict[tuple[int, int], float]:
        """Where each edge meets its boxes, from the anchor, by (edge, vertex): values leave from one port of a side,
        operands arrive each at its own."""
        sides: dict[tuple[int, bool], list[tuple[float, int, int]]] = defaultdict(list)
        for e, ((source, _), chain) in enumerate(zip(self.edges, self.chains, strict=True)):
            for vertex, next_one, below in ((chain[0], chain[1], True), (chain[-1], chain[-2], False)):
                sides[vertex, below].append((self.index[next_one], -1 if vertex == source else e, e))
        ports: dict[tuple[int, int], float] = {}
        self.shared: set[tuple[int, int]] = set()
        for (vertex, _), met in sides.items():
            leaving = [index for index, port, _ in met if port < 0]
            slots = {port: index for index, port, _ in met if port >= 0}
            if leaving:
                slots[-1] = fmean(leaving)
            if len(leaving) > 1:
                self.shared |= {(e, vertex) for _, port, e in met if port < 0}
            offsets = _comb(slots, self.extent[vertex])
            for _, port, e in met:
                ports[e, vertex] = offsets[port]
        return ports

    def _pulls(self) -> list[list[tuple[int, float, float]]]:
        """For every vertex what its threads pull it to: (vertex, distance from that, strength).

        Joints pull hard on each other, for long edges to be straight (the weights of Gansner et al. 1993); a box that
        only one other reads follows that one.
        """
        pulls: list[list[tuple[int, float, float]]] = [[] for _ in self.rank]
        ends = Counter(end for edge in self.edges for end in edge)
        for e, chain in enumerate(self.chains):
            firm = LOOSE if ends[self.edges[e][0]] == 1 else 1.0
            for upper, lower in zip(chain, chain[1:], strict=False):
                strength = firm * (1.0, 2.0, 8.0)[(upper >= self.boxes) + (lower >= self.boxes)]
                distance = self.ports.get((e, upper), 0.0) - self.ports.get((e, lower), 0.0)
                pulls[lower].append((upper, distance, strength))
                pulls[upper].append((lower, -distance, strength))
        return pulls

    def _settle(self, side: set[int]) -> None:
        """Sweeps until nothing moves any more, toward the mean of the wishes and then toward the median."""
        layers = [kept for layer in self.layers if (kept := [v for v in layer if v in side])]
        gaps = [self._gaps(layer) for layer in layers]
        for layer, apart in zip(layers, gaps, strict=True):
            left = -sum(apart) / 2
            for i, vertex in enumerate(layer):
                self.x[vertex] = left + sum(apart[:i])
        pulls = {v: [pull for pull in self.pulls[v] if pull[0] in side] for v in side}
        ranks_down = list(zip(layers, gaps, strict=True))
        for middle in (_mean, _median):
            for turn in range(SETTLING):
                moved = [self._pull(*rank, pulls, middle) for rank in (ranks_down if turn % 2 else ranks_down[::-1])]
                if max(moved) < STILL:
                    break

    def _pull(
        self, layer: Sequence[int], gaps: Sequence[float], pulls: dict[int, list[tuple[int, float, float]]], middle: Middle
    ) -> float:
        """Moves one rank to where it is pulled; returns how far the farthest moved."""
        wishes = [
            [(self.x[u] + distance, strength) for u, distance, strength in pulls[v]] or [(self.x[v], 0.1)] for v in layer
        ]
        farthest = 0.0
        for vertex, x in zip(layer, spread(wishes, gaps, middle), strict=True):
            farthest = max(farthest, abs(x - self.x[vertex]))
            self.x[vertex] = x
        return farthest

    def _gaps(self, layer: Sequence[int]) -> list[float]:
        return [
            self.extent[a].after + (BESIDE if max(a, b) < self.boxes else BESIDE / 2) + self.extent[b].before
            for a, b in zip(layer, layer[1:], strict=False)
        ]

    # --- the result ---------------------------------------------------------------------------------------------

    def layout(self) -> Layout:
        thickness = [max(self.extent[v].along for v in layer) for layer in self.layers]
        starts = [0.0]
        for r, layer in enumerate(self.layers[:-1]):
            far = max((abs(self.x[v] - self.x[u]) for v in layer for u in self.down[v]), default=0.0)
            joints = all(v >= self.boxes for v in layer) or all(v >= self.boxes for v in self.layers[r + 1])
            room = min(BETWEEN * (0.7 if joints else 1) + SLOPE * far, STEEPEST)
            starts.append(starts[r] + thickness[r] + room)
        self.bands = [(start, start + thick) for start, thick in zip(starts, thickness, strict=True)]
        return Layout(
            tuple(self._point(v) for v in range(self.boxes)),
            tuple(None if v is None else self._point(v) for v in self.label),
            tuple(self._route(e) for e in range(len(self.edges))),
            max(self.x[v] + self.extent[v].after for v in range(len(self.x))),
            self.bands[-1][1],
            self.divide if self.halves else None,
        )

    def _point(self, vertex: int) -> Point:
        return Point(self.x[vertex], sum(self.bands[self.rank[vertex]]) / 2)

    def _route(self, e: int) -> tuple[Point, ...]:
        upper, *joints, lower = self.chains[e]
        first, last = (self.x[end] + self.ports[e, end] for end in (upper, lower))
        if (e, upper) not in self.shared:
            first = _snapped(first, self.x[joints[0]] if joints else last)
        if (e, lower) not in self.shared:
            last = _snapped(last, self.x[joints[-1]] if joints else first)
        points = [*self._leave(upper, first, 1)]
        for joint in joints:
            points += [Point(self.x[joint], along) for along in self.bands[self.rank[joint]]]
        points += reversed(self._leave(lower, last, -1))
        if self.edges[e][0] != upper:
            points.reverse()
        return tuple(dict.fromkeys(points))

    def _leave(self, vertex: int, across: float, sign: int) -> list[Point]:
        """From the border of the box to the border of its rank."""
        border = self._point(vertex).along + sign * self.extent[vertex].along / 2
        return [Point(across, border), Point(across, self.bands[self.rank[vertex]][sign > 0])]


def _shuffled(count: int, turn: int) -> list[int]:
    """Another order of the first numbers for each turn: by their multiples modulo 2**32 (Knuth's golden ratio)."""
    return sorted(range(count), key=lambda i: (i + turn) * (2654435769 + 2 * turn) % 2**32)


def _snapped(across: float, wish: float) -> float:
    return wish if abs(across - wish) <= SNAP else across


def _comb(slots: dict[int, float], extent: Extent) -> dict[int, float]:
    """Ports side by side around the anchor, in the order of where they lead."""
    inner = 0.8 * min(extent.before, extent.after)
    step = min(12.0, 2 * inner / len(slots))
    order = sorted(slots, key=lambda port: (slots[port], port))
    return {port: (i - (len(order) - 1) / 2) * step for i, port in enumerate(order)}


def spread(
    wishes: Sequence[Sequence[Wish]], gaps: Iterable[float], middle: Middle
) -> list[float]:
    """The places that meet the wishes best and keep their order and the gaps between them.

    Pool adjacent violators (Barlow et al. 1972): in places less the room that gaps need, the order is all there is to
    keep; neighbours whose wishes go against it move as one, to the middle of all their wishes.

    >>> spread([[(0.0, 1.0)], [(0.0, 1.0)], [(10.0, 1.0)]], [4.0, 4.0], _mean)
    [-2.0, 2.0, 10.0]
    """
    need = [0.0]
    for gap in gaps:
        need.append(need[-1] + gap)
    pools: list[tuple[float, list[Wish], int]] = []  # where, all its wishes, its members
    for own, room in zip(wishes, need, strict=True):
        pool, members = [(wish - room, weight) for wish, weight in own], 1
        place = middle(pool)
        while pools and pools[-1][0] >= place:
            _, before, count = pools.pop()
            pool, members = [*before, *pool], members + count
            place = middle(pool)
        pools.append((place, pool, members))
    places = [place for place, _, members in pools for _ in range(members)]
    return [place + room for place, room in zip(places, need, strict=True)]


def _mean(wishes: Sequence[Wish]) -> float:
    return sum(wish * weight for wish, weight in wishes) / sum(weight for _, weight in wishes)


def _median(wishes: Sequence[Wish]) -> float:
    """Half way between the two ends of the weighted median, so that a box stands between its two operands."""
    half = sum(weight for _, weight in wishes) / 2
    ordered = sorted(wishes)
    return (_first_beyond(ordered, half) + _first_beyond(ordered[::-1], half)) / 2


def _first_beyond(wishes: Sequence[Wish], half: float) -> float:
    total = 0.0
    for wish, weight in wishes:
        total += weight
        if total >= half:
            return wish
    return wishes[-1][0]
