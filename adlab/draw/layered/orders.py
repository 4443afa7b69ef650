"""Orders: barycentre sweeps (Sugiyama, Tagawa & Toda 1981) and swaps of neighbours. The best order found is kept."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from statistics import fmean

from adlab.draw.layered.web import Web

ROUNDS = 12  # sweeps from each start
STARTS, SMALL = 12, 400  # starts for graphs of at most so many vertices; larger ones have two

Merit = tuple[int, int]
"""Crossings, then pairs of boxes that are not in the order in which they were given."""


def order(web: Web, starts: int = STARTS) -> int:
    """Puts every rank in the best order found. It starts from the given order, by branches, and from some fixed shuffles.

    It stops at an order without crossings. Returns the number of crossings.
    """
    count = len(web.rank)
    shuffles = range(1, starts - 1) if count <= SMALL else range(0)
    best: tuple[Merit, list[int]] | None = None
    for start in (range(count), _by_branches(web), *(_shuffled(count, turn) for turn in shuffles)):
        found = _swept(web, start)
        best = min(best or found, found)
        if best[0][0] == 0:
            break
    assert best is not None
    web.take(best[1])
    return best[0][0]


def _swept(web: Web, start: Sequence[int]) -> tuple[Merit, list[int]]:
    """The best order of the sweeps from one start."""
    web.take(start)
    found = []
    for turn in range(ROUNDS):
        _sweep(web, downward=turn % 2 == 0)
        _swap(web)
        merit = sum(_crossings(web, layer) for layer in web.layers), sum(_disorder(web, layer) for layer in web.layers)
        found.append((merit, [vertex for layer in web.layers for vertex in layer]))
    return min(found)


def _by_branches(web: Web) -> list[int]:
    """All vertices, depth first from the top, so that branches stay together."""
    seen = [False] * len(web.rank)
    found = []
    stack = sorted(range(len(web.rank)), key=lambda v: (web.rank[v], v), reverse=True)
    while stack:
        vertex = stack.pop()
        if not seen[vertex]:
            seen[vertex] = True
            found.append(vertex)
            stack.extend(reversed(web.down[vertex]))
    return found


def _shuffled(count: int, turn: int) -> list[int]:
    """The first numbers, in another order each turn: by their multiples modulo 2**32 (Knuth's golden ratio)."""
    return sorted(range(count), key=lambda i: (i + turn) * (2654435769 + 2 * turn) % 2**32)


def _sweep(web: Web, downward: bool) -> None:
    """Orders each rank by the mean place of its neighbours in the rank before. A vertex without any keeps its place."""
    toward = web.up if downward else web.down

    def place(vertex: int) -> float:
        there = toward[vertex] or [vertex]
        return fmean((web.index[v] + 0.5) / len(web.layers[web.rank[v]]) for v in there)

    for layer in web.layers if downward else reversed(web.layers):
        places = {v: place(v) for v in layer}
        layer.sort(key=lambda v: (web.group[v], places[v]))
        web.count_off(layer)


def _swap(web: Web) -> None:
    """Swaps neighbours as long as that removes crossings."""
    for _ in range(ROUNDS):
        if not sum(_swap_in(web, layer) for layer in web.layers):
            return


def _swap_in(web: Web, layer: list[int]) -> bool:
    gained = False
    for i in range(len(layer) - 1):
        a, b = layer[i], layer[i + 1]
        if web.group[a] == web.group[b] and _between(web, a, b) > _between(web, b, a):
            layer[i], layer[i + 1] = b, a
            web.index[a], web.index[b], gained = i + 1, i, True
    return gained


def _between(web: Web, left: int, right: int) -> int:
    """Crossings among the threads of two vertices of one rank, in this order."""
    index = web.index
    return sum(index[p] > index[q] for toward in (web.up, web.down) for p in toward[left] for q in toward[right])


def _crossings(web: Web, layer: list[int]) -> int:
    """Crossings between this rank and the next: inversions among the ends of the threads."""
    ends: list[int] = []
    crossings = 0
    for vertex in layer:
        own = sorted(web.index[below] for below in web.down[vertex])
        crossings += sum(len(ends) - bisect_right(ends, end) for end in own)
        for end in own:
            insort(ends, end)
    return crossings


def _disorder(web: Web, layer: list[int]) -> int:
    """Pairs of boxes that are not in the order in which they were given: x2 before x1."""
    boxes = [v for v in layer if v < web.boxes]
    return sum(a > b for i, a in enumerate(boxes) for b in boxes[i + 1 :])
