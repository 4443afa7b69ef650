"""The same numbers as a compiled program, computed with care, for the points at which the program cannot be trusted.

A compiled program computes in binary64 and stays on the real line. Behind it is the function's evaluator, which knows unlimited
exponents, limits at kinks, and ways through the complex numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.domain import special_rows
from adlab.arithmetic.principal import real_values
from adlab.autodiff.evaluator import Evaluator
from adlab.graph.graph import Graph

FloatArray = npt.NDArray[np.float64]
BLOCK = 4096
"""Points that are examined together; so many values of each node are held at once."""


class Behind:
    """The rows of a program, computed with care.

    `row(point)` is one row, NaN where there is no value or no derivative. `raw()` is the program without guards: `m` values,
    then the entries, equally many for each value, in the order of the values. `values` tells whether a row starts with the
    values. With `together` an entry exists only where all the values do.
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

    @classmethod
    def of(cls, evaluator: Evaluator, values: bool, partials: bool) -> Behind:
        """The care behind a program of the values, of all partials, or of both."""

        def raw() -> Graph:
            return evaluator.program() if partials else evaluator.graph

        return cls(lambda point: evaluator.row(point, values, partials), raw, evaluator.m, values)

    def mended(self, graph: Graph, points: FloatArray, found: FloatArray, alarmed: bool) -> FloatArray:
        """The rows that `graph` has found. Rows that cannot be trusted are replaced. `alarmed` says that any row may be one."""
        finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(found).all(axis=1))
        looked = np.arange(len(found)) if alarmed else np.flatnonzero(~finite)
        for start in range(0, len(looked), BLOCK):
            rows = looked[start : start + BLOCK]
            for i in rows[special_rows(graph, points[rows])]:
                found[i] = self.at(points[i])
                finite[i] = True
        left = np.flatnonzero(~finite & np.isnan(found).any(axis=1))
        if len(left):
            rescued = self._by_complex(points[left])
            found[left] = np.where(np.isnan(found[left]), rescued, found[left])
        return found

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
