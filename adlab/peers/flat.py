"""A graph as tuples of names and numbers, to be sent to another process. Pickling SymPy objects would recurse."""

from __future__ import annotations

from typing import Any

from adlab.graph.graph import Graph, Node
from adlab.primitives.table import CONSTANT, INPUT, PRIMITIVES

BY_NAME = {**PRIMITIVES, INPUT.name: INPUT, CONSTANT.name: CONSTANT}


def flat(graph: Graph) -> tuple[Any, ...]:
    """The graph as tuples of names and numbers.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> flat(lower([sympy.sin(x)], [x]))
    (('x',), [('input', (), 'x'), ('sin', (0,), None)], (1,))
    """
    return graph.inputs, [(node.primitive.name, *node[1:]) for node in graph.nodes], graph.outputs


def unflat(inputs: tuple[str, ...], nodes: list[Any], outputs: tuple[int, ...]) -> Graph:
    """The graph from its tuples."""
    return Graph(inputs, tuple(Node(BY_NAME[name], operands, parameter) for name, operands, parameter in nodes), outputs)
