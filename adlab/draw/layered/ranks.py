"""Ranks: every box is below the boxes that it reads, and moving boxes up and down makes all edges together as short as
possible."""

from __future__ import annotations

from collections.abc import Collection, Sequence

APART = 2  # ranks from a box to its reader; between is a rank for labels, and for pinned boxes


def ranks(
    count: int,
    edges: Sequence[tuple[int, int]],
    far: Sequence[bool] | None = None,
    pinned: Collection[int] = (),
    below: Sequence[tuple[int, int]] = (),
) -> list[int]:
    """The rank of every box, from 0, for edges that lead to later boxes.

    In the half of the boxes marked `far`, edges lead up. Near boxes have even ranks and far ones odd ranks, or the reverse, so
    that no edge between the halves is flat. A pinned box has the rank just before that of its only reader. For each pair in
    `below`, boxes of the near half, the second is below the first.

    >>> ranks(4, [(0, 2), (1, 3), (2, 3)])    # box 1 moves down to where it is read
    [0, 2, 2, 4]
    >>> ranks(3, [(0, 1), (0, 2)], below=[(1, 2)])
    [0, 2, 4]
    """
    half = [bool(far and far[i]) for i in range(count)]
    web = _Constraints(count)
    for source, target in edges:
        if source not in pinned:
            web.add(source, target, half)
    for upper, lower in below:
        web.part(upper, lower)
    web.longest_paths(half)
    while sum(web.shorten(i, step) for i in range(count) for step in (APART, -APART)):
        pass
    for source, target in edges:
        if source in pinned:
            web.rank[source] = web.rank[target] + (1 if half[target] else -1)
    least = min(web.rank)
    return [r - least for r in web.rank]


class _Constraints:
    """For each box: the boxes that must be above it, those that must be below it, those of the other half joined to it, and all
    joined to it."""

    def __init__(self, count: int) -> None:
        self.over: list[list[int]] = [[] for _ in range(count)]
        self.under: list[list[int]] = [[] for _ in range(count)]
        self.beside: list[list[int]] = [[] for _ in range(count)]
        self.joined: list[list[int]] = [[] for _ in range(count)]
        self.rank = [0] * count

    def add(self, source: int, target: int, half: Sequence[bool]) -> None:
        self.joined[source].append(target)
        self.joined[target].append(source)
        if half[source] != half[target]:
            self.beside[source].append(target)
            self.beside[target].append(source)
        else:
            upper, lower = (target, source) if half[target] else (source, target)
            self.part(upper, lower)

    def part(self, upper: int, lower: int) -> None:
        """Puts one box below another, whether they are joined or not."""
        self.over[lower].append(upper)
        self.under[upper].append(lower)

    def longest_paths(self, half: Sequence[bool]) -> None:
        """As high as possible: in the far half above their readers there, else beside the boxes that they read in the near
        half."""
        rank = self.rank
        for i, is_far in enumerate(half):
            if not is_far:
                rank[i] = max((rank[j] + APART for j in self.over[i]), default=0)
            elif self.under[i]:
                rank[i] = min(rank[j] - APART for j in self.under[i])
            else:
                rank[i] = max((rank[j] for j in self.beside[i] if j < i), default=0) + 1

    def shorten(self, i: int, step: int) -> bool:
        """Moves one box, with the boxes that it pushes, up or down by a step, if that makes all edges together shorter."""
        rank, ahead = self.rank, self.under if step > 0 else self.over
        pushed, stack = {i}, [i]
        while stack:
            j = stack.pop()
            tight = [k for k in ahead[j] if abs(rank[k] - rank[j]) == APART and k not in pushed]
            pushed.update(tight)
            stack += tight
        change = sum(
            abs(rank[j] + step - rank[k]) - abs(rank[j] - rank[k])
            for j in pushed
            for k in self.joined[j]
            if k not in pushed
        )
        if change < 0:
            for j in pushed:
                rank[j] += step
        return change < 0
