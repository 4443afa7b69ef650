"""A function at many points at once: compiled, with the evaluator of single points behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from adlab.arithmetic.domain import special_rows, turning
from adlab.autodiff.evaluator import Evaluator
from adlab.autodiff.jacobian import Mode
from adlab.compile.behind import Behind
from adlab.compile.existence import with_existence
from adlab.compile.program import compile_graph
from adlab.inputs import FloatArray


class Batches:
    """Values and Jacobians at points of shape (..., n), NaN where there are none."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._programs: dict[Any, Any] = {}
        self._outer: Batches | None = None

    def values(self, points: FloatArray) -> FloatArray:
        """The outputs, shape (..., m)."""
        if None not in self._programs:  # scalar functions: batches agree with points to the last bit or two
            at = self.evaluator
            behind = Behind.of(at, values=True, partials=False)
            self._programs[None] = compile_graph(at.graph, [(at.m,)], accuracy="strict", behind=behind)
        found: FloatArray = self._programs[None](points)
        return self._within(found, points)

    def jacobian(self, points: FloatArray, mode: Mode = "reverse") -> FloatArray:
        """All partials, shape (..., m, n)."""
        at, places = self.evaluator, points.shape[:-1]
        if mode == "forward" and at.unwritable:
            rows = [at.jacobian(row, mode) for row in points.reshape(-1, at.n)]
            return self._finite(np.array(rows).reshape(*places, at.m, at.n))
        if mode not in self._programs:
            graph = with_existence(at.program(mode), at.m, values=False, f=at.graph)
            behind = Behind.of(at, values=False, partials=True)
            self._programs[mode] = compile_graph(graph, [(at.m, at.n)], accuracy="strict", behind=behind)
        found = self._finite(self._programs[mode](points))
        if self.evaluator.within is None:
            return found
        return np.where(np.isnan(self.values(points))[..., None], np.nan, found)

    @staticmethod
    def _finite(found: FloatArray) -> FloatArray:
        """NaN where a partial is beyond binary64; a single point raises there."""
        return found if np.isfinite(found).all() else np.where(np.isinf(found), np.nan, found)

    def _within(self, found: FloatArray, points: FloatArray) -> FloatArray:
        """For a derivative program: NaN where the function that it differentiates has no value."""
        within = self.evaluator.within
        if within is None:
            return found
        if self._outer is None:
            self._outer = Batches(within)
        rows = np.repeat(~np.isnan(self._outer.values(points)), within.n, axis=-1)
        first = found.shape[-1] - rows.shape[-1]
        found[..., first:] = np.where(rows, found[..., first:], np.nan)
        for place in zip(*np.nonzero(self._special(points)), strict=True):
            found[place] = within.row(points[place], values=first > 0)
        return found

    def _special(self, points: FloatArray) -> Any:
        """For a derivative program: where the function that it differentiates is on a kink."""
        assert self.evaluator.within is not None
        graph = self.evaluator.within.graph
        if not turning(graph):
            return np.zeros(points.shape[:-1], dtype=bool)
        return special_rows(graph, points.reshape(-1, points.shape[-1])).reshape(points.shape[:-1])
