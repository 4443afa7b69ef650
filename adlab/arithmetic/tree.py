"""The size of a formula as a tree: how many operations each node takes where nothing is shared.

The graph has every operation once. A formula that is written out repeats a node wherever it is used, so its size can grow
exponentially while the graph grows by a few nodes: expression swell.

>>> from adlab.arithmetic.numbers import evaluate
>>> from adlab.graph.graph import Builder
>>> builder = Builder(["x"])
>>> squared = 0
>>> for _ in range(20):
...     squared = builder.call("mul", squared, squared)
>>> graph = builder.finish([squared])
>>> len(graph.operations), evaluate(graph, [0], TreeSizes())[-1]
(20, 1048575)
"""

from __future__ import annotations

from typing import Any

from adlab.arithmetic.numbers import Numbers
from adlab.primitives.primitive import Parameter, Primitive


class TreeSizes(Numbers):
    """A whole number for every node. An input that stands for a formula has the size of that formula, else 0."""

    def constant(self, value: Any) -> int:
        return 0

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[int]) -> int:
        return 1 + sum(operands)
