"""How many values a program keeps alive at once: its memory, and for reverse mode the tape."""

from __future__ import annotations

from adlab.graph.graph import Graph


def last_uses(graph: Graph) -> list[int]:
    """For every node the position of the last operation that reads it; outputs are read after the end."""
    last = list(range(len(graph)))
    for i in graph.operations:
        for operand in graph.nodes[i].operands:
            last[operand] = i
    for output in graph.outputs:
        last[output] = len(graph)
    return last


def peak(graph: Graph) -> int:
    """The largest number of computed values (not inputs, not constants) alive at once.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> peak(lower([sympy.sin(sympy.exp(x)) * sympy.exp(x)], [x]))
    2
    """
    last = last_uses(graph)
    dying = [0] * (len(graph) + 1)
    alive = most = 0
    for i in graph.operations:
        dying[last[i]] += 1
        alive += 1 - dying[i]  # an operand's place can be taken by the result
        most = max(most, alive)
    return most
