"""The backend that is always available: straight-line Python, points one by one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.arrays import ARRAYS
from adlab.arithmetic.floats import FLOATS, compile_python
from adlab.arithmetic.numbers import evaluate
from adlab.errors import DomainError, GaveUp
from adlab.graph.graph import Graph

FloatArray = npt.NDArray[np.float64]


class PythonKernel:
    """Points one by one."""

    name = "python"

    def __init__(self, graph: Graph) -> None:
        self.width = len(graph.outputs)
        self.call = compile_python(graph)

    def batch(self, points: FloatArray) -> FloatArray:
        """(N, inputs) → (N, outputs). NaN where a loop or a solver fails."""
        return np.array([self._row(row) for row in points.tolist()], dtype=float).reshape(len(points), self.width)

    def _row(self, row: list[float]) -> tuple[float, ...]:
        try:
            return self.call(*row)
        except (DomainError, GaveUp):
            return (math.nan,) * self.width

    def bind(self, x: FloatArray, out: FloatArray) -> Callable[[], None]:
        """A step from the buffer `x` to the buffer `out`."""

        def step() -> None:
            for i, row in enumerate(x.tolist()):
                out[i] = self._row(row)

        return step


class Walker:
    """A graph that is walked, operation by operation: what is called a few times is not compiled."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def call(self, *point: float) -> tuple[float, ...]:
        """Floats in, all outputs out."""
        values = evaluate(self.graph, point, FLOATS)
        return tuple([values[output] for output in self.graph.outputs])

    def batch(self, rows: FloatArray) -> FloatArray:
        """(N, inputs) → (N, outputs)."""
        values = evaluate(self.graph, list(rows.T), ARRAYS)
        found = np.empty((len(rows), len(self.graph.outputs)))
        for k, output in enumerate(self.graph.outputs):
            found[:, k] = values[output]
        return found
