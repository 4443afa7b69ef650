"""Places: where every vertex stands across the flow, and where edges meet the borders of boxes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

from adlab.draw.layered.web import NEAR, Web

BESIDE = 11.0  # points between boxes of one rank
PORT = 12.0  # points between the ends of edges on one border
SETTLING = 24  # sweeps at most toward the mean, and as many toward the median, which makes lines straight
STILL = 0.05  # points; a smaller movement counts as settled
LEAVING = -1  # the slot of edges that leave a box; an operand's slot is the number of its edge
LOOSE = 0.05  # how strongly a box pulls that only one other box reads

Wish = tuple[float, float]
"""A place, and how strongly it is wished for."""
Middle = Callable[[Sequence[Wish]], float]
Port = tuple[int, int]
"""An edge and one of its two boxes."""


class Pull(NamedTuple):
    """What a thread does to a vertex: it pulls it to a distance from another vertex."""

    vertex: int
    distance: float
    strength: float


class Positions:
    """Where the vertices of an ordered web stand (`x`), and where the far half begins (`divide`).

    `ports` are the places where edges meet their boxes, from the anchors. An end may move by its `slack` without meeting another.
    """

    def __init__(self, web: Web, halves: bool) -> None:
        self.web = web
        self.x = [0.0] * len(web.rank)
        self.ports: dict[Port, float] = {}
        self.slack: dict[Port, float] = {}
        self._add_ports()
        self.pulls = self._pulls()
        self.divide: float | None = None
        vertices = range(len(web.rank))
        right = self._stand([v for v in vertices if web.group[v] == NEAR or not halves], 0.0)
        if halves:
            self.divide = right + 1.5 * BESIDE
            self._stand([v for v in vertices if web.group[v] != NEAR], right + 3 * BESIDE)

    def _add_ports(self) -> None:
        """Values leave by one port of a side. Operands arrive each at its own port, in the order of their origins."""
        web = self.web
        sides: dict[tuple[int, bool], list[tuple[int, int, int]]] = defaultdict(list)
        for e, ((source, _), chain) in enumerate(zip(web.edges, web.chains, strict=True)):
            for vertex, neighbour, below in ((chain[0], chain[1], True), (chain[-1], chain[-2], False)):
                sides[vertex, below].append((web.index[neighbour], LEAVING if vertex == source else e, e))
        for (vertex, _), met in sides.items():
            slots: dict[int, float] = {slot: index for index, slot, _ in met if slot != LEAVING}
            leaving = [index for index, slot, _ in met if slot == LEAVING]
            if leaving:
                slots[LEAVING] = fmean(leaving)
            step = min(PORT, 1.6 * min(web.extent[vertex][:2]) / len(slots))
            offsets = _comb(slots, step)
            for _, slot, e in met:
                self.ports[e, vertex] = offsets[slot]
                self.slack[e, vertex] = 0.0 if slot == LEAVING and len(leaving) > 1 else 0.4 * step

    def _pulls(self) -> list[list[Pull]]:
        """For every vertex, the pulls of its threads.

        Joints pull strongly on each other, which makes long edges straight (the weights of Gansner et al. 1993). A box that
        only one other box reads follows that one.
        """
        web = self.web
        pulls: list[list[Pull]] = [[] for _ in web.rank]
        ends = Counter(end for edge in web.edges for end in edge)
        for e, chain in enumerate(web.chains):
            firm = LOOSE if ends[web.edges[e][0]] == 1 else 1.0
            for upper, lower in pairwise(chain):
                strength = firm * (1.0, 2.0, 8.0)[(upper >= web.boxes) + (lower >= web.boxes)]
                distance = self.ports.get((e, upper), 0.0) - self.ports.get((e, lower), 0.0)
                pulls[lower].append(Pull(upper, distance, strength))
                pulls[upper].append(Pull(lower, -distance, strength))
        return pulls

    def _stand(self, side: Collection[int], left: float) -> float:
        """Places the vertices of one side, from `left` on. Returns where they end."""
        if not side:
            return left
        self._settle(set(side))
        extent = self.web.extent
        shift = left - min(self.x[v] - extent[v].before for v in side)
        for v in side:
            self.x[v] += shift
        return max(self.x[v] + extent[v].after for v in side)

    def _settle(self, side: set[int]) -> None:
        """Sweeps until nothing moves any more: toward the mean of the wishes, then toward the median."""
        layers = [kept for layer in self.web.layers if (kept := [v for v in layer if v in side])]
        ranks = [(layer, self._gaps(layer)) for layer in layers]
        for layer, gaps in ranks:
            for i, vertex in enumerate(layer):
                self.x[vertex] = sum(gaps[:i]) - sum(gaps) / 2
        pulls = {v: [pull for pull in self.pulls[v] if pull.vertex in side] for v in side}
        for middle in (_mean, _median):
            for turn in range(SETTLING):
                moved = [self._pull(layer, gaps, pulls, middle) for layer, gaps in ranks[:: 1 if turn % 2 else -1]]
                if max(moved) < STILL:
                    break

    def _pull(
        self, layer: Sequence[int], gaps: Sequence[float], pulls: dict[int, list[Pull]], middle: Middle
    ) -> float:
        """Moves one rank to where it is pulled. Returns how far the farthest vertex moved."""
        x = self.x
        wishes = [[(x[u] + distance, strength) for u, distance, strength in pulls[v]] or [(x[v], 1.0)] for v in layer]
        farthest = 0.0
        for vertex, place in zip(layer, spread(wishes, gaps, middle), strict=True):
            farthest = max(farthest, abs(place - x[vertex]))
            x[vertex] = place
        return farthest

    def _gaps(self, layer: Sequence[int]) -> list[float]:
        extent, boxes = self.web.extent, self.web.boxes
        return [
            extent[a].after + (BESIDE if max(a, b) < boxes else BESIDE / 2) + extent[b].before
            for a, b in pairwise(layer)
        ]


def _comb(slots: dict[int, float], step: float) -> dict[int, float]:
    """Ports side by side around the anchor, in the order of their slots."""
    order = sorted(slots, key=lambda slot: (slots[slot], slot))
    return {slot: (i - (len(order) - 1) / 2) * step for i, slot in enumerate(order)}


def spread(
    wishes: Sequence[Sequence[Wish]], gaps: Iterable[float], middle: Middle
) -> list[float]:
    """The places that fit the wishes best and keep their order and the gaps between them.

    Pool adjacent violators (Barlow et al. 1972): with the gaps subtracted from the places, only the order must be kept.
    Neighbours whose wishes contradict the order move together, to the middle of all their wishes.

    >>> spread([[(0.0, 1.0)], [(0.0, 1.0)], [(10.0, 1.0)]], [4.0, 4.0], _mean)
    [-2.0, 2.0, 10.0]
    """
    need = [0.0]
    for gap in gaps:
        need.append(need[-1] + gap)
    pools: list[tuple[float, list[Wish], int]] = []  # the place, all its wishes, its members
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
