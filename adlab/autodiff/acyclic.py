"""Acyclic colouring of a Hessian: fewer products than a star colouring, at the price of a few subtractions for each entry.

Neighbours differ, and no cycle has two colours only. So the variables of any two colours form trees. A leaf's entry can be
read off. It is subtracted from the product of its neighbour, which then is a leaf (Coleman and Cai 1986; Gebremedhin, Tarafdar,
Manne and Pothen 2007). Each subtraction adds its rounding. A star colouring needs none, and is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adlab.inputs import FloatArray


def acyclic_coloring(neighbours: Sequence[Sequence[int]], order: Sequence[int]) -> list[int | None]:
    """A colour for each member of `order`: the smallest that closes no cycle of two colours.

    >>> square = [[1, 3], [0, 2], [1, 3], [0, 2]]
    >>> acyclic_coloring(square, [0, 1, 2, 3])
    [0, 1, 0, 2]
    """
    colors: list[int | None] = [None] * len(neighbours)
    trees: dict[tuple[int, int, int], tuple[int, int, int]] = {}

    def root(member: int, one: int, other: int) -> tuple[int, int, int]:
        """What stands for the tree of a member among the members of two colours."""
        key = (member, min(one, other), max(one, other))
        while (above := trees.get(key, key)) != key:
            trees[key] = trees.get(above, above)  # halves the path
            key = above
        return key

    for v in order:
        beside: dict[int, list[int]] = {}
        for w in neighbours[v]:
            if (color := colors[w]) is not None:
                beside.setdefault(color, []).append(w)
        chosen = next(
            c for c in range(len(neighbours) + 1)
            if c not in beside and all(len({root(w, c, d) for w in those}) == len(those) for d, those in beside.items())
        )  # fmt: skip
        colors[v] = chosen
        for d, those in beside.items():
            for w in those:
                trees[root(w, chosen, d)] = root(v, chosen, d)
    return colors


def substituted(pattern: Sequence[Sequence[int]], colors: Sequence[Any], products: FloatArray) -> FloatArray:
    """The entries, row by row, from the products: column c is the Hessian times the sum of the unit vectors of colour c."""
    left = np.array(products, dtype=float)
    found = {(i, i): left[i, colors[i]] for i, row in enumerate(pattern) if i in row}
    open_: dict[tuple[int, int], set[int]] = {}
    """For each variable and colour, the neighbours of that colour whose entries are not known yet."""
    for i, row in enumerate(pattern):
        for j in row:
            if j != i:
                open_.setdefault((i, colors[j]), set()).add(j)
    leaves = [key for key, those in open_.items() if len(those) == 1]
    while leaves:
        i, color = leaves.pop()
        if len(open_[i, color]) != 1:
            continue
        [j] = open_[i, color]
        found[i, j] = found[j, i] = left[i, color]
        open_[i, color].clear()
        back = open_[j, colors[i]]
        back.discard(i)
        left[j, colors[i]] -= found[i, j]
        if len(back) == 1:
            leaves.append((j, colors[i]))
    return np.array([found[i, j] for i, row in enumerate(pattern) for j in row], dtype=float)
