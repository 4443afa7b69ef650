"""The parts of a program that are the same at every point."""

from __future__ import annotations

from adlab.graph.graph import Graph
from adlab.primitives.primitive import to_float


def constants(graph: Graph) -> dict[int, float]:
    """The value of every node that depends on no input: constants, and operations on constants only.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> constants(lower([sympy.Mul(x, sympy.sqrt(2))], [x]))
    {1: 2.0, 2: 1.4142135623730951}
    """
    found: dict[int, float] = {}
    active = graph.active
    for i, (primitive, operands, parameter) in enumerate(graph.nodes):
        if not active[i] and not primitive.compound and all(operand in found for operand in operands):
            found[i] = (
                primitive.value([found[operand] for operand in operands], parameter)
                if operands
                else to_float(parameter)
            )
    return found
