"""A function at many points at once: compiled, with the evaluator of single points behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.jacobian import Mode
from adlab.compile.behind import Behind
from adlab.compile.existence import inside_of, with_existence
from adlab.compile.program import compile_graph
from adlab.inputs import FloatArray


class Batches:
    """Values and Jacobians at points of shape (..., n), NaN where there are none.

    A value beyond binary64 is infinite, and a partial beyond it is NaN; `gradient` at a single point raises there.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._programs: dict[Any, Any] = {}

    def values(self, points: FloatArray) -> FloatArray:
        """The outputs, shape (..., m)."""
        if None not in self._programs:  # scalar functions: batches agree with points to the last bit or two
            at = self.evaluator
            behind = Behind.of(at, values=True, partials=False).inside(at)
            self._programs[None] = compile_graph(inside_of(at.graph, at), [(at.m,)], accuracy="strict", behind=behind)
        found: FloatArray = self._programs[None](points)
        return found

    def jacobian(self, points: FloatArray, mode: Mode = "reverse") -> FloatArray:
        """All partials, shape (..., m, n)."""
        at, places = self.evaluator, points.shape[:-1]
        if mode == "forward" and at.unwritable:
            rows = np.array([at.jacobian(row, mode) for row in points.reshape(-1, at.n)])
            return np.where(np.isinf(rows), np.nan, rows).reshape(*places, at.m, at.n)
        if mode not in self._programs:
            graph = inside_of(with_existence(at.program(mode), at.m, values=False, f=at.graph), at)
            behind = Behind.of(at, values=False, partials=True).inside(at)
            self._programs[mode] = compile_graph(graph, [(at.m, at.n)], accuracy="strict", behind=behind)
        found: FloatArray = self._programs[mode](points)
        return found
