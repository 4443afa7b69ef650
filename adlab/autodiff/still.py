"""Operations that do not move: the x - x of sqrt(x - x).

Reverse mode cannot pass the square root of 0, whose partial is infinite. But x - x is 0 everywhere, and so the square root is.
An operation that has one value at a point and at points beside it, on several sides and to the last of many bits, is constant
there. With that constant in its place the graph computes the same function, and its derivatives exist.
"""

from __future__ import annotations

from collections.abc import Sequence

from adlab.arithmetic.extended import nearest, number
from adlab.arithmetic.numbers import evaluate
from adlab.autodiff.beside import STEPS, enough_bits, points_beside
from adlab.graph.graph import Builder, Graph


def without_still(graph: Graph, point: Sequence[float]) -> Graph:
    """The graph with a constant for each operation that does not move near the point; the graph itself if there is none.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> with sympy.evaluate(False):
    ...     graph = lower([sympy.sqrt(x - x) + x], [x])
    >>> print(without_still(graph, [3.0]))
    v1 = x + 0.0
    """
    if graph.compound:  # its operations have no numbers of their own
        return graph
    arithmetic, read = enough_bits(point), [i < len(graph.inputs) for i in range(len(graph))]
    for i in graph.operations:  # floor(x) reads x, although no derivative goes through it
        read[i] = any(read[operand] for operand in graph.nodes[i].operands)
    beside = points_beside(point, STEPS[0], arithmetic)
    walks = [evaluate(graph, place, arithmetic) for place in ([number(x) for x in point], *beside)]
    still = {
        i: nearest(walks[0][i])
        for i in graph.operations
        if read[i] and all(walk[i] == walks[0][i] for walk in walks) and nearest(walks[0][i]) == walks[0][i]
    }
    if not still or arithmetic.saturated:  # a 0 may then stand for something too small to follow, which does move
        return graph
    builder = Builder(graph.inputs)
    made = list(range(len(graph.inputs)))
    for i, (primitive, operands, parameter) in enumerate(graph.nodes[len(made) :], len(made)):
        if i in still:
            made.append(builder.constant(still[i]))
        elif operands:
            made.append(builder.apply(primitive, [made[operand] for operand in operands], parameter))
        else:
            made.append(builder.constant(parameter))
    return builder.finish([made[output] for output in graph.outputs])
