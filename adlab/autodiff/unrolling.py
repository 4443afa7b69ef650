"""Loops and solvers written out at one point: every turn, every step of an iteration, becomes ordinary nodes.

How often a loop turns, and which pivots a system needs, depends on values. So the nodes carry values with them. The graph that
is written holds for this point. Its derivative is that of the iteration itself: it is as far from the limit as the iteration is,
and it pays for every step in operations and in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.errors import UnsupportedExpression
from adlab.graph.graph import Builder, Graph
from adlab.graph.liveness import peak
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.table import PRIMITIVES

MOST_NODES = 100_000
"""Nodes beyond which nothing is written out: about a second, and some ten megabytes."""
DEAREST = 15
"""The weight of a dear operation, in additions: a sine has 12."""
ADD, MUL = PRIMITIVES["add"], PRIMITIVES["mul"]


@dataclass(frozen=True, slots=True)
class NodeAt:
    """A node with its value at the point. Two are equal if their values are: loops compare values."""

    value: float
    node: int = field(compare=False)


class NodesAt(Numbers):
    """Nodes of a new graph with their values at one point."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def constant(self, value: Any) -> NodeAt:
        return NodeAt(to_float(value), self.builder.constant(value))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[NodeAt]) -> NodeAt:
        value = FLOATS.apply(primitive, parameter, [operand.value for operand in operands])
        node = self.builder.apply(primitive, [operand.node for operand in operands], parameter)
        if node > MOST_NODES:
            raise too_long()
        return NodeAt(value, node)

    def add(self, a: NodeAt, b: NodeAt) -> NodeAt:
        return self.apply(ADD, None, [a, b])

    def mul(self, a: NodeAt, b: NodeAt) -> NodeAt:
        return self.apply(MUL, None, [a, b])

    def compound(self, operation: Any, parameter: Parameter, operands: list[NodeAt]) -> tuple[NodeAt, ...]:
        """The results, by the operation's own `unrolled`."""
        return tuple(operation.unrolled(self, parameter, operands))

    def kept(self, operation: Any, parameter: Parameter, operands: Sequence[NodeAt]) -> list[NodeAt]:
        """The results of an operation that cannot be written out: it stays one node."""
        values = operation.apply(FLOATS, parameter, [operand.value for operand in operands])
        node = self.builder.cons(operation, tuple(operand.node for operand in operands), parameter)
        return [NodeAt(value, self.builder.cons(PRIMITIVES["part"], (node,), k)) for k, value in enumerate(values)]


def unrolled(graph: Graph, point: Sequence[float]) -> Graph:
    """The graph with its loops, branches and solvers written out as they run at the point.

    Raises UnsupportedExpression where that is too long, and what a loop or a solver raises where it fails.
    """
    if not graph.compound:
        return graph
    builder = Builder(graph.inputs)
    return builder.finish([output.node for output in _walked(graph, point, builder)])


class Tally(NamedTuple):
    """What one run takes: operations, each as one; the same weighted by the table; the most values alive at once."""

    operations: int
    weight: float
    peak: int


def tally(graph: Graph, point: Sequence[float]) -> Tally:
    """What a run of the graph takes at a point: every turn of a loop and every step of a solver counts, also repeated ones.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> tally(lower([sympy.sin(x) / x], [x]), [2.0])
    Tally(operations=2, weight=16, peak=1)
    """
    if graph.compound:
        builder = _Every(graph.inputs)
        outputs = _walked(graph, point, builder)
        graph = Graph(builder.inputs, tuple(builder.nodes), tuple(output.node for output in outputs))
    return Tally(len(graph.operations), graph.weight(), peak(graph))


def too_long() -> UnsupportedExpression:
    """Why nothing is written out."""
    return UnsupportedExpression(f"written out at this point, the loops and solvers have more than {MOST_NODES:,} operations")


def _walked(graph: Graph, point: Sequence[float], builder: Builder) -> list[NodeAt]:
    if graph.weight() > DEAREST * MOST_NODES:  # a loop knows its length
        raise too_long()
    values = evaluate(graph, [NodeAt(x, i) for i, x in enumerate(point)], NodesAt(builder))
    return [values[output] for output in graph.outputs]


class _Every(Builder):
    """A builder that writes every operation anew, also one that it has written before."""

    def cons(self, primitive: Primitive, operands: tuple[int, ...], parameter: Parameter = None) -> int:
        if operands:
            self.known.clear()
        return super().cons(primitive, operands, parameter)
