"""What stands behind a compiled program: the same numbers, computed with care, for the points where it cannot be trusted.

A compiled program computes on binary64 and stays on the real line. Behind it stands the function's evaluator, which knows
unlimited exponents, limits at kinks, and ways through the complex numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.domain import special_rows
from adlab.arithmetic.principal import real_values
from adlab.autodiff.evaluator import Evaluator
from adlab.graph.graph import Graph

FloatArray = npt.NDArray[np.float64]
BLOCK = 4096
"""Points that are looked at together: so many values of each node are held at once."""


class Behind:
    """The rows of a program that computes the values, the partials, or both: what `parts` names, in that order."""

    def __init__(self, evaluator: Evaluator, values: bool, partials: bool) -> None:
        self.evaluator, self.values, self.partials = evaluator, values, partials

    def at(self, point: FloatArray) -> FloatArray:
        """One row; NaN where there is no value or no partial."""
        return self.evaluator.row(point, self.values, self.partials)

    def mended(self, graph: Graph, points: FloatArray, found: FloatArray, alarmed: bool) -> FloatArray:
        """The rows that `graph` has found, those replaced that cannot be trusted. `alarmed`: any of them may be one."""
        finite: Any = np.isfinite(found).all(axis=1)
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
        """The rows by way of the complex plane; NaN where that ends in no real number."""
        at = self.evaluator
        both: Any = real_values(at.program() if self.partials else at.graph, points)
        if not self.partials:
            return np.asarray(both)
        exists = np.repeat(~np.isnan(both[:, : at.m]), at.n, axis=1)
        both[:, at.m :] = np.where(exists, both[:, at.m :], np.nan)
        return np.asarray(both if self.values else both[:, at.m :])
