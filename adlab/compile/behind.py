"""The same numbers as a compiled program, computed with care, for the points at which the program cannot be trusted.

A compiled program computes in binary64 and stays on the real line. Behind it is the function's evaluator, which knows unlimited
exponents, limits at kinks, and ways through the complex numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.domain import beyond_reach, has_narrow
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.principal import real_values
from adlab.arithmetic.rows import doubtful_rows, special_rows
from adlab.arithmetic.scaled import settled_rows
from adlab.autodiff.evaluator import Evaluator
from adlab.errors import DomainError, GaveUp
from adlab.graph.graph import Graph

FloatArray = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
MANY = 8
"""Rows that are worth being walked together: fewer are computed one by one sooner."""
BLOCK = 4096
"""Points that are examined together; so many values of each node are held at once."""


class Behind:
    """The rows of a program, computed with care.

    `row(point)` is one row, NaN where there is no value or no derivative. `raw()` is the program without guards: `m` values,
    then the entries, equally many for each value, in the order of the values. `values` tells whether a row starts with the
    values. With `together` an entry exists only where all the values do. A value beyond binary64 is infinite; a derivative
    beyond it is NaN, and `plain` is the number of values in a row, which come first.
    """

    def __init__(
        self,
        row: Callable[[FloatArray], FloatArray],
        raw: Callable[[], Graph],
        m: int,
        values: bool = False,
        together: bool = False,
        owners: Sequence[int] | None = None,
    ) -> None:
        self.at, self.raw, self.m, self.values, self.together = row, raw, m, values, together
        self.owners = owners
        """For each entry the value that it belongs to, where they are not as many for each value."""
        self.plain = m if values else 0
        self._f: Graph | None = None  # whose values tell whether there may be an answer; by default those of `raw`

    def inside(self, evaluator: Evaluator) -> Behind:
        """The same, with no answer where the function that `evaluator` differentiates has none."""
        if evaluator.within is None and not evaluator.declared:
            return self
        n, at, root = evaluator.n, self.at, evaluator
        while root.within is not None:
            root = root.within

        def row(point: FloatArray) -> FloatArray:
            found = at(point)
            return found if evaluator.inside(point[:n]) else np.full_like(found, np.nan)

        made = Behind(row, self.raw, self.m, self.values, self.together, self.owners)
        made._f, made.plain = root.graph, min(self.plain, evaluator.plain)
        return made

    @classmethod
    def of(cls, evaluator: Evaluator, values: bool, partials: bool) -> Behind:
        """The care behind a program of the values, of all partials, or of both."""

        def raw() -> Graph:
            return evaluator.program() if partials else evaluator.graph

        return cls(lambda point: evaluator.row(point, values, partials), raw, evaluator.m, values)

    def asked(self, point: FloatArray) -> FloatArray:
        """One row, computed with care."""
        return self._refused(self.at(point))

    def mended(self, graph: Graph, points: FloatArray, found: FloatArray, alarmed: bool) -> FloatArray:
        """The rows that `graph` has found. Rows that cannot be trusted are replaced. `alarmed` says that any row may be one."""
        return self._refused(self._replaced(graph, points, found, alarmed))

    def _refused(self, found: FloatArray) -> FloatArray:
        """The row, or rows. Derivatives beyond binary64 become NaN, in place."""
        derivatives = found[..., self.plain :]
        derivatives[np.isinf(derivatives)] = np.nan
        return found

    def _replaced(self, graph: Graph, points: FloatArray, found: FloatArray, alarmed: bool) -> FloatArray:
        finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(found).all(axis=1))
        looked = np.arange(len(found)) if alarmed else np.flatnonzero(~finite)
        for start in range(0, len(looked), BLOCK):
            rows = looked[start : start + BLOCK]
            left, turned = special_rows(graph, points[rows])
            self._once_more(graph, points, found, rows[left & ~turned], rows[turned])
            finite[rows[left | turned]] = True
        missing = np.flatnonzero(~finite & np.isnan(found).any(axis=1))
        if len(missing):
            asked = self._may_exist(points[missing])
            for i in missing[asked]:
                found[i] = self.at(points[i])
            missing = missing[~asked]
        if len(missing) and self._f is None:
            rescued = self._by_complex(points[missing])
            found[missing] = np.where(np.isnan(found[missing]), rescued, found[missing])
        elif len(missing):
            f = self._f
            assert f is not None
            roundabout = ~np.isnan(real_values(f, points[missing][:, : len(f.inputs)])).all(axis=1)
            for i in missing[roundabout]:  # f is real there by way of complex numbers, and its evaluator knows its derivatives
                found[i] = self.at(points[i])
        return found

    def _once_more(self, graph: Graph, points: FloatArray, found: FloatArray, left: Places, turned: Places) -> None:
        """Replaces the rows that have left binary64's range, together where there are many, and those on a kink one by one."""
        if len(left) >= MANY and not graph.compound:
            rows, settled = settled_rows(graph, points[left])
            found[left[settled]] = rows[settled]
            left = left[~settled]
        for i in (*left, *turned):
            found[i] = self._alone(graph, points[i], found[i])

    def _alone(self, graph: Graph, point: FloatArray, found: FloatArray) -> FloatArray:
        """One row once more. Not a number where a loop or a solver of the graph fails there."""
        try:
            return self.at(point)
        except (DomainError, GaveUp):
            if not graph.compound:
                raise
            return np.full_like(found, np.nan)

    def _may_exist(self, points: FloatArray) -> npt.NDArray[np.bool_]:
        """At which points a missing number may be there after all.

        f has its values there, or only rounding denies them, or an operation that is computed over a part of its domain.
        """
        raw = self.raw()
        f = self._f or Graph(raw.inputs, raw.nodes, raw.outputs[: self.m])
        points = points[:, : len(f.inputs)]
        with np.errstate(all="ignore"):
            values = evaluate(f, list(points.T), ARRAYS)
        there = [np.isfinite(np.broadcast_to(values[output], len(points))) for output in f.outputs]
        beyond = [beyond_reach(f, point) for point in points.tolist()] if has_narrow(f) else False
        return np.asarray(np.any(there, axis=0) & np.isfinite(points).all(axis=1) | doubtful_rows(f, points) | beyond)

    def _by_complex(self, points: FloatArray) -> FloatArray:
        """The rows by way of the complex plane; NaN where the result is not real."""
        both = np.asarray(real_values(self.raw(), points))
        exists, entries = ~np.isnan(both[:, : self.m]), both[:, self.m :]
        if self.together:
            exists = np.repeat(exists.all(axis=1, keepdims=True), self.m, axis=1)
        if self.owners is None:
            width = -(-entries.shape[1] // self.m)
            there = np.repeat(exists, width, axis=1)[:, : entries.shape[1]]
        else:
            there = exists[:, self.owners]
        entries = np.where(there, entries, np.nan)
        return np.concatenate([both[:, : self.m], entries], axis=1) if self.values else entries


class Asked:
    """The kernel of a program whose constants are beyond binary64: every point is computed with care."""

    name = "careful"
    called, batched = 1e-4, 1e-4  # seconds an operation

    def __init__(self, graph: Graph, behind: Behind) -> None:
        self.graph, self.at = graph, behind.asked

    def call(self, *point: float) -> tuple[float, ...]:
        """Floats in, all outputs out. Raises TypeError for another number of floats."""
        if len(point) != len(self.graph.inputs):
            raise TypeError(f"the program takes {len(self.graph.inputs)} numbers, and got {len(point)}")
        return tuple(self.at(np.array(point, dtype=float)).tolist())

    def batch(self, points: FloatArray) -> FloatArray:
        """(N, inputs) → (N, outputs)."""
        rows = [self.at(point) for point in points]
        return np.array(rows).reshape(len(points), len(self.graph.outputs))

    def bind(self, x: FloatArray, out: FloatArray) -> Callable[[], None]:
        """A step from the buffer `x` to the buffer `out`."""

        def step() -> None:
            out[:] = self.batch(x)

        return step
