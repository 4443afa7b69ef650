"""A graph at one point after another: walked at first, compiled once it is called often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adlab.arithmetic.floats import FLOATS, Program, compile_python
from adlab.arithmetic.numbers import evaluate
from adlab.arithmetic.principal import real_values
from adlab.graph.graph import Graph

WALKS = 3  # compiling source text costs about as much as this many walks … of a graph called on and on
LARGEST_COMPILED = 20_000  # operations; beyond, Python's compiler takes longer than any use is worth


class Runner:
    """The outputs of a graph at one point of floats, NaN outside the domain; same numbers walked or compiled."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.calls = 0
        self.compiled: Program | None = None

    def __call__(self, point: Sequence[float]) -> tuple[float, ...]:
        """The outputs over the reals, and where they end in NaN by way of the complex numbers."""
        return self.rescued(self.real(point), point)

    def rescued(self, found: tuple[float, ...], point: Sequence[float]) -> tuple[float, ...]:
        """`found`, and in place of each NaN the value that complex numbers lead to, where it is real."""
        if any(value != value for value in found):
            rescued = real_values(self.graph, np.array(point)).tolist()
            return tuple(b if a != a else a for a, b in zip(found, rescued, strict=True))
        return found

    def real(self, point: Sequence[float]) -> tuple[float, ...]:
        """The outputs over the reals."""
        if self.compiled is not None:
            return self.compiled(*point)
        self.calls += 1
        if self.calls > WALKS and len(self.graph) <= LARGEST_COMPILED:
            self.compiled = compile_python(self.graph)
        values = evaluate(self.graph, point, FLOATS)
        return tuple([values[output] for output in self.graph.outputs])
