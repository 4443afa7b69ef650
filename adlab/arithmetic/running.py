"""A graph at one point after another: evaluated at first, compiled once it is called often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adlab.arithmetic.floats import FLOATS, OnFloats, compile_python
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.principal import real_values
from adlab.graph.graph import Graph

WALKS, LARGE_WALKS = 3, 100
"""Walks that compiling costs as much as, for a small and for a large graph: Python's compiler slows down with size."""
LARGE, LARGEST = 20_000, 200_000
"""Operations from which a graph is large, and beyond which it is not compiled."""


class Runner:
    """The outputs of a graph at one point of floats, NaN outside the domain. Walked and compiled numbers are the same."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.calls = 0
        self.compiled: OnFloats | None = None

    def __call__(self, point: Sequence[float]) -> tuple[float, ...]:
        """The outputs over the reals. Where that is NaN: the outputs by way of complex numbers."""
        return self.rescued(self.real(point), point)

    def rescued(self, found: tuple[float, ...], point: Sequence[float]) -> tuple[float, ...]:
        """`found`, with each NaN replaced by the value that complex numbers lead to, where that is real."""
        if any(value != value for value in found):
            rescued = real_values(self.graph, np.array(point)).tolist()
            return tuple(b if a != a else a for a, b in zip(found, rescued, strict=True))
        return found

    def real(self, point: Sequence[float]) -> tuple[float, ...]:
        """The outputs over the reals."""
        if self.compiled is not None:
            return self.compiled(*point)
        self.calls += 1
        if self.calls > (WALKS if len(self.graph) <= LARGE else LARGE_WALKS) and len(self.graph) <= LARGEST:
            self.compiled = compile_python(self.graph)
        values = evaluate(self.graph, point, FLOATS)
        return tuple([values[output] for output in self.graph.outputs])
