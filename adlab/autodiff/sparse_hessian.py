"""Sparse Hessians: so few Hessian-vector products that every entry can be read off one of them.

Variables of one colour share a product. An entry H[i, j] can be read at row i of the product of j's colour if no other neighbour
of i has that colour, or else at row j of the product of i's colour. A *star colouring* makes sure that one of the two holds:
neighbours differ, and every path of four variables has three colours (Coleman and Moré 1984; the greedy algorithm is 4.1 of
Gebremedhin, Manne and Pothen, SIAM Review 47 (2005) 629).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adlab.arithmetic.sparsity import pattern
from adlab.autodiff import programs
from adlab.autodiff.acyclic import acyclic_coloring, substituted
from adlab.autodiff.entries import Places, SparseMatrix
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.orders import ORDERS, clique, largest_first
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray


@dataclass(frozen=True)
class HessianColoring:
    """Which products find a sparse Hessian. Row i has entries in the columns `pattern[i]`; the pattern is symmetric.

    `colors[j]` is the colour of variable j, None where its row is empty.

    >>> HessianColoring.of([[0, 1, 2, 3], [0, 1], [0, 2], [0, 3]]).colors
    [0, 1, 1, 1]
    """

    pattern: Sequence[Sequence[int]]
    colors: list[int | None]
    kind: str = "star"

    @classmethod
    def of(cls, found: Sequence[Sequence[int]]) -> HessianColoring:
        """The star colouring of a symmetric pattern."""
        neighbours = [[j for j in row if j != i] for i, row in enumerate(found)]
        return cls(found, star_coloring(neighbours, [i for i in largest_first(neighbours) if found[i]]))

    @cached_property
    def _neighbours(self) -> list[list[int]]:
        return [[j for j in row if j != i] for i, row in enumerate(self.pattern)]

    def acyclic(self) -> HessianColoring:
        """An acyclic colouring of the same pattern: often fewer products, but entries are subtracted from each other."""
        colors = min(
            (acyclic_coloring(self._neighbours, self._ordered(name)) for name in ORDERS),
            key=lambda colors: max((color for color in colors if color is not None), default=-1),
        )
        return HessianColoring(self.pattern, colors, "acyclic")

    @property
    def orders(self) -> dict[str, int]:
        """The products that a star colouring takes, by the order in which the variables are coloured."""
        return {name: 1 + max((c for c in star_coloring(self._neighbours, self._ordered(name)) if c is not None), default=-1)
                for name in ORDERS}  # fmt: skip

    @property
    def least(self) -> int:
        """No colouring takes fewer products: variables that all meet each other differ, and a product gives n numbers."""
        unknown = (self.entries + sum(i in row for i, row in enumerate(self.pattern))) // 2
        return max(clique(self._neighbours), -(-unknown // max(len(self.pattern), 1))) if self.entries else 0

    def _ordered(self, name: str) -> list[int]:
        return [i for i in ORDERS[name](self._neighbours) if self.pattern[i]]

    @property
    def sweeps(self) -> int:
        """How many Hessian-vector products it takes."""
        return 1 + max((color for color in self.colors if color is not None), default=-1)

    @property
    def entries(self) -> int:
        """How many entries may differ from 0."""
        return sum(map(len, self.pattern))

    @property
    def reason(self) -> str:
        """Why so many products, in a sentence."""
        return (
            f"{self.sweeps} Hessian-vector products find all {self.entries} entries, instead of {len(self.pattern)}; "
            f"no colouring takes fewer than {self.least}"
        )


def star_coloring(neighbours: Sequence[Sequence[int]], order: Sequence[int]) -> list[int | None]:
    """A colour for each member of `order`: the smallest that keeps the colouring a star colouring."""
    colors: list[int | None] = [None] * len(neighbours)
    for v in order:
        forbidden = set()
        for w in neighbours[v]:
            if colors[w] is not None:
                forbidden.add(colors[w])
            for x in neighbours[w]:
                if x == v or colors[x] is None:
                    continue
                # v - w - x: with w uncoloured, v and x must differ; else no path v - w - x - y may have y like w
                if colors[w] is None or any(y != w and colors[y] == colors[w] for y in neighbours[x]):
                    forbidden.add(colors[x])
        colors[v] = next(c for c in range(len(forbidden) + 1) if c not in forbidden)
    return colors


def symmetric(found: Sequence[Sequence[int]]) -> list[list[int]]:
    """The places (i, j) for which the pattern also holds (j, i): both sides must allow an entry of a Hessian."""
    reach = list(map(set, found))
    return [sorted(j for j in row if i in reach[j]) for i, row in enumerate(reach)]


def hessian_coloring(graph: Graph) -> HessianColoring:
    """The colouring of the Hessian of a graph with one output. The pattern is that of the gradient program's Jacobian."""
    return HessianColoring.of(symmetric(pattern(programs.derivative(graph, "reverse"))))


def sparse_hessian(at: Evaluator, point: FloatArray, coloring: HessianColoring) -> SparseMatrix:
    """The entries at one point. Raises as a dense Hessian does."""
    colors, count = coloring.colors, coloring.sweeps
    seeds = np.array([[float(color == c) for c in range(count)] for color in colors]).reshape(len(colors), count)
    products = at.second_or_reason(point, seeds)
    if coloring.kind == "acyclic":
        known = substituted(coloring.pattern, colors, products)
        return SparseMatrix(known, Places.of(coloring.pattern, len(colors)), coloring)
    values = []
    for i, row in enumerate(coloring.pattern):
        alike = [colors[j] for j in row]
        for j in row:
            alone = alike.count(colors[j]) == 1
            values.append(products[i, colors[j]] if alone else products[j, colors[i]])
    return SparseMatrix(np.array(values, dtype=float), Places.of(coloring.pattern, len(colors)), coloring)
