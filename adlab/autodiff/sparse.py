"""Sparse Jacobians: which entries may differ from 0, and the few sweeps from which all of them can be read.

Columns that share no row can share a forward sweep. Rows that share no column can share a reverse sweep (Curtis, Powell and
Reid 1974). Where a few rows are full, as in an arrow, those rows get reverse sweeps. Then only the other rows must be told
apart by columns (bicolouring: Coleman and Verma 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from adlab.arithmetic.sparsity import pattern
from adlab.autodiff.entries import Places, SparseMatrix
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.jacobian import Mode
from adlab.autodiff.orders import ORDERS, colors_needed, conflicts, least_sweeps
from adlab.graph.graph import Graph
from adlab.inputs import FloatArray

Pattern = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Coloring:
    """The sweeps that find a sparse Jacobian. Row i has entries in the columns `pattern[i]`.

    Columns of one colour share a forward sweep. Rows of one colour share a reverse sweep. A row or column with colour None takes
    part in no sweep. An entry of a coloured row is read off that row's reverse sweep, any other entry off its column's forward
    sweep.

    >>> arrow = [[0, 1, 2, 3], [0, 1], [0, 2], [0, 3]]
    >>> found = color(arrow, 4)
    >>> found.row_colors, found.column_colors, found.sweeps
    ([0, None, None, None], [0, 1, 1, 1], 3)
    """

    pattern: Pattern
    row_colors: list[int | None]
    column_colors: list[int | None]

    @property
    def forward_sweeps(self) -> int:
        return len({color for color in self.column_colors if color is not None})

    @property
    def reverse_sweeps(self) -> int:
        return len({color for color in self.row_colors if color is not None})

    @property
    def sweeps(self) -> int:
        """The number of sweeps of both kinds."""
        return self.forward_sweeps + self.reverse_sweeps

    @property
    def entries(self) -> int:
        """How many entries may differ from 0."""
        return sum(map(len, self.pattern))

    @property
    def reason(self) -> str:
        """Why these sweeps, in a sentence."""
        m, n = len(self.row_colors), len(self.column_colors)
        return (
            f"{self.forward_sweeps} forward and {self.reverse_sweeps} reverse sweeps find all {self.entries} entries; "
            f"dense, it would be {n} forward or {m} reverse sweeps; no fewer than {self.least} can tell the entries apart"
        )

    @property
    def least(self) -> int:
        """A bound from below on the sweeps of any colouring."""
        return least_sweeps(self.entries, len(self.row_colors), len(self.column_colors))

    @property
    def orders(self) -> dict[str, tuple[int, int]]:
        """(forward sweeps, reverse sweeps) of a colouring of columns alone, and of rows alone, by greedy order.

        Empty where the conflicts are too many to compare: a full row makes all columns differ.
        """
        m, n = len(self.row_colors), len(self.column_colors)
        transposed: list[list[int]] = [[] for _ in range(n)]
        for i, columns in enumerate(self.pattern):
            for j in columns:
                transposed[j].append(i)
        by_column, by_row = conflicts(self.pattern, n), conflicts(transposed, m)
        if by_column is None or by_row is None:
            return {}
        return {name: (colors_needed(by_column, order(by_column)), colors_needed(by_row, order(by_row)))
                for name, order in ORDERS.items()}  # fmt: skip

    @property
    def colors(self) -> tuple[list[int | None], list[int | None]]:
        """The colours of the rows, and the colours of the columns."""
        return self.row_colors, self.column_colors

    @cached_property
    def places(self) -> Places:
        """Where the entries stand."""
        return Places.of(self.pattern, len(self.column_colors))

    @cached_property
    def seeds(self) -> tuple[FloatArray, FloatArray]:
        """The vectors of the forward sweeps, and those of the reverse sweeps: a row for each."""
        return _vectors(self.column_colors), _vectors(self.row_colors)

    plot: ClassVar[Callable[..., Any]]
    """`plot(ax=None)` draws the pattern and its colours. The room that draws puts it here."""


def greedy(groups: Pattern, count: int, wanted: Sequence[int]) -> list[int | None]:
    """Colours for the `wanted` of `count` members, the fullest first. No group has two members of one colour.

    >>> greedy([[0, 1], [1, 2]], 3, [0, 1, 2])
    [1, 0, 1]
    """
    chosen = set(wanted)
    inside: list[list[int]] = [[] for _ in range(count)]
    for k, group in enumerate(groups):
        for member in group:
            if member in chosen:
                inside[member].append(k)
    used: list[set[int]] = [set() for _ in groups]
    colors: list[int | None] = [None] * count
    for member in sorted((i for i in wanted if inside[i]), key=lambda i: -len(inside[i])):
        taken = set().union(*(used[k] for k in inside[member]))
        color = next(c for c in range(len(taken) + 1) if c not in taken)
        colors[member] = color
        for k in inside[member]:
            used[k].add(color)
    return colors


def color(found: Pattern, n: int) -> Coloring:
    """The colouring with the fewest sweeps among three kinds: columns only, rows only, full rows with the other columns.

    The 1, 2, 4, 8, … fullest rows are tried. On a tie the colouring with fewer reverse sweeps is taken.
    """
    m = len(found)
    transposed: list[list[int]] = [[] for _ in range(n)]
    for i, columns in enumerate(found):
        for j in columns:
            transposed[j].append(i)
    fullest = sorted(range(m), key=lambda i: -len(found[i]))
    counts = [0, *(1 << k for k in range(m.bit_length()) if 1 << k < m), m]
    candidates = []
    for count in dict.fromkeys(counts):
        by_rows = set(fullest[:count])
        rest = [[] if i in by_rows else columns for i, columns in enumerate(found)]
        column_colors = greedy(rest, n, range(n))
        candidates.append(Coloring(found, greedy(transposed, m, sorted(by_rows)), column_colors))
    return min(candidates, key=lambda candidate: (candidate.sweeps, candidate.reverse_sweeps))


def coloring(graph: Graph) -> Coloring:
    """The colouring of a graph's Jacobian."""
    return color(pattern(graph), len(graph.inputs))


def sparse_jacobian(at: Evaluator, point: FloatArray, colors: Coloring, mode: Mode | None = None) -> SparseMatrix:
    """The Jacobian at one point, from one sweep for each colour; NaN where there is no partial.

    With a `mode` there is a sweep for each output, or for each input, instead: they may visit fewer operations. Where binary64 is
    not enough, the dense Jacobian is computed once with care. Raises OverflowedError for a partial that is beyond binary64.
    """
    rows, columns = colors.places.rows, colors.places.columns
    products = at.products(point, *colors.seeds) if mode is None else None
    if products is None:
        values = at.jacobian(point, mode or "reverse")[rows, columns]
    else:
        forward, backward = products
        values = np.array([
            backward[colors.row_colors[i]][j] if colors.row_colors[i] is not None else forward[colors.column_colors[j]][i]
            for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
        ])  # fmt: skip
    if np.isinf(values).any():
        k = int(np.argmax(np.isinf(values)))
        raise at.beyond(point, int(rows[k]), int(columns[k]))
    return SparseMatrix(values, colors.places, colors)


def _vectors(colors: Sequence[int | None]) -> FloatArray:
    """One vector for each colour: 1 at the colour's members and 0 elsewhere."""
    count = 1 + max((color for color in colors if color is not None), default=-1)
    return np.array([[float(color == c) for color in colors] for c in range(count)]).reshape(count, len(colors))
