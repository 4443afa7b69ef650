"""Derivatives of a compound operation that has no rules of its own: the operation is written out as a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from adlab.arithmetic.nodes import Nodes
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.sweeps import forward, reverse
from adlab.graph.compound import Compound
from adlab.graph.graph import Builder, Graph
from adlab.primitives.primitive import Parameter


class Unrolled(Compound):
    """A compound operation whose `apply` looks at no value. So it can be written out as one graph.

    Both rules sweep over that graph. It is as long as the computation: for a loop, the number of turns times the body.
    """

    def jvp(
        self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
        tangents: Sequence[Any | None],
    ) -> Sequence[Any | None]:  # fmt: skip
        """A forward sweep over the graph that is written out."""
        graph = written_out(self, parameter)
        values = evaluate(graph, list(operands), numbers)
        moved = forward(graph, values, {i: t for i, t in enumerate(tangents) if t is not None}, numbers)
        return [moved.get(output) for output in graph.outputs]

    def vjp(
        self, numbers: Any, parameter: Parameter, operands: Sequence[Any], results: Sequence[Any],
        bars: Sequence[Any | None],
    ) -> Sequence[Any | None]:  # fmt: skip
        """A reverse sweep over the graph that is written out."""
        graph = written_out(self, parameter)
        values = evaluate(graph, list(operands), numbers)
        seeds: dict[int, Any] = {}
        for output, bar in zip(graph.outputs, bars, strict=True):
            if bar is not None:
                seeds[output] = numbers.add(seeds[output], bar) if output in seeds else bar
        passed = reverse(graph, values, seeds, numbers)
        return [passed.get(i) for i in range(len(operands))]


_WRITTEN: WeakKeyDictionary[Any, dict[Compound, Graph]] = WeakKeyDictionary()


def written_out(operation: Compound, parameter: Parameter) -> Graph:
    """A compound operation as one graph of ordinary operations. Its inputs are the operands, its outputs the results.

    The graph is kept as long as the parameter, which holds the bodies, lives.
    """
    kept = _WRITTEN.setdefault(parameter, {})
    if operation not in kept:
        builder = Builder([f"x{k}" for k in range(operation.count(parameter))], simplify=True)
        kept[operation] = builder.finish(
            list(operation.apply(Nodes(builder), parameter, list(range(operation.count(parameter)))))
        )
    return kept[operation]
