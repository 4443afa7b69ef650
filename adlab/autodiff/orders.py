"""Greedy colouring in several orders, and bounds from below: how close a colouring is to the best one.

A greedy colouring depends on the order in which it takes its members. The orders here are those of Gebremedhin, Manne and
Pothen, What color is your Jacobian? (SIAM Review 47, 2005). A bound from below needs no colouring: see `least_sweeps`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence

Neighbours = Sequence[Sequence[int]]
LARGEST = 300_000
"""The most pairs of conflicting members for which all orders are compared."""


def conflicts(groups: Sequence[Sequence[int]], count: int) -> list[list[int]] | None:
    """For each of `count` members those that share a group with it; None where there would be too many pairs."""
    if sum(len(group) ** 2 for group in groups) > 2 * LARGEST:
        return None
    beside: list[set[int]] = [set() for _ in range(count)]
    for group in groups:
        for member in group:
            beside[member].update(group)
    return [sorted(others - {i}) for i, others in enumerate(beside)]


def natural(beside: Neighbours) -> list[int]:
    """As they are numbered."""
    return list(range(len(beside)))


def largest_first(beside: Neighbours) -> list[int]:
    """Those with the most neighbours first."""
    return sorted(range(len(beside)), key=lambda i: -len(beside[i]))


def smallest_last(beside: Neighbours) -> list[int]:
    """The one with the fewest neighbours is the last; the others in the same way without it."""
    return _one_by_one(beside, -1)[::-1]


def incidence(beside: Neighbours) -> list[int]:
    """Next is the one with the most neighbours among those that were taken."""
    return _one_by_one(beside, 1)


def _one_by_one(beside: Neighbours, sign: int) -> list[int]:
    """Takes one after another: with `sign` 1 the one with the most taken neighbours, with -1 that with the fewest left."""
    score = [0 if sign > 0 else -len(others) for others in beside]
    queue = [(-score[i], i) for i in range(len(beside))]
    heapq.heapify(queue)
    taken, order = [False] * len(beside), []
    while queue:
        key, i = heapq.heappop(queue)
        if taken[i] or -key != score[i]:
            continue
        taken[i] = True
        order.append(i)
        for j in beside[i]:
            if not taken[j]:
                score[j] += 1
                heapq.heappush(queue, (-score[j], j))
    return order


ORDERS: dict[str, Callable[[Neighbours], list[int]]] = {
    "largest first": largest_first, "smallest last": smallest_last, "incidence degree": incidence, "natural": natural,
}  # fmt: skip


def colors_needed(beside: Neighbours, order: Sequence[int]) -> int:
    """The colours of the greedy colouring in this order: each member has the first colour that no neighbour has.

    >>> path = [[1], [0, 2], [1, 3], [2]]
    >>> colors_needed(path, [0, 1, 2, 3]), colors_needed(path, [0, 3, 1, 2])
    (2, 3)
    """
    colors: dict[int, int] = {}
    for i in order:
        used = {colors[j] for j in beside[i] if j in colors}
        colors[i] = next(c for c in range(len(used) + 1) if c not in used)
    return 1 + max(colors.values(), default=-1)


def clique(beside: Neighbours) -> int:
    """The size of a clique, found greedily from each of the members with the most neighbours. So many colours are needed."""
    sets = [set(others) for others in beside]
    best = min(len(beside), 1)
    for start in largest_first(beside)[:20]:
        left, size = set(sets[start]), 1
        while left:
            chosen = max(left, key=lambda i: (len(sets[i] & left), -i))
            left &= sets[chosen]
            size += 1
        best = max(best, size)
    return best


def least_sweeps(entries: int, rows: int, columns: int) -> int:
    """No fewer sweeps can tell so many entries apart: a forward sweep gives one number for each row, a reverse one for each
    column.

    >>> least_sweeps(1498, 500, 500)  # the arrow of 500 × 500
    3
    """
    return -(-entries // max(rows, columns, 1))
