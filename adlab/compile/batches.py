"""A function at many points at once: compiled, with the evaluator of single points behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.arithmetic.principal import real_values
from adlab.autodiff.evaluator import Evaluator, FloatArray
from adlab.autodiff.jacobian import Mode
from adlab.compile.program import compile_graph
from adlab.errors import AdlabError
from adlab.graph.graph import Graph


class Batches:
    """Values and Jacobians at points of shape (..., n), NaN where there are none."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._programs: dict[int, Any] = {}

    def values(self, points: FloatArray) -> FloatArray:
        """The outputs, shape (..., m)."""
        return self._over(self.evaluator.graph, points)

    def jacobian(self, points: FloatArray, mode: Mode = "reverse") -> FloatArray:
        """All partials, shape (..., m, n)."""
        at, places = self.evaluator, points.shape[:-1]
        if mode == "forward" and at.unwritable:
            rows = [at.jacobian(row, mode) for row in points.reshape(-1, at.n)]
            return np.array(rows).reshape(*places, at.m, at.n)
        both = self._over(at.program(mode), points)
        return np.where(np.isnan(both[..., : at.m, None]), np.nan, both[..., at.m :].reshape(*places, at.m, at.n))

    def vouched(self, found: FloatArray, points: FloatArray, strict: bool = False) -> FloatArray:
        """The Jacobians found, NaN where a single point would be refused; `strict` raises there."""
        if found.all():
            return found
        for place in map(tuple, np.argwhere(np.isinf(self.values(points)).any(axis=-1))):
            try:
                self.evaluator.vouched(found[place], points[place])
            except AdlabError:
                if strict:
                    raise
                found[place] = np.nan
        return found

    def _over(self, graph: Graph, points: FloatArray) -> FloatArray:
        """Every output of `graph` at every point, shape (..., outputs), NaN where there is none."""
        program = self._programs.get(id(graph))
        if program is None:  # scalar mathematics throughout: its batches agree with points to the last bit or two
            program = self._programs[id(graph)] = compile_graph(graph, [(len(graph.outputs),)], accuracy="strict")
        found: FloatArray = program(points)
        missing = np.isnan(found).any(axis=-1)
        if missing.any():
            rescued = real_values(graph, points[missing])
            found[missing] = np.where(np.isnan(found[missing]), rescued, found[missing])
        return found
