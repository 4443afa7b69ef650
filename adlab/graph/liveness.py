"""How many values a program keeps alive at once (its memory; for reverse mode, the tape), and what depends on what."""

from __future__ import annotations

from collections.abc import Sequence

from adlab.graph.graph import Graph


def last_uses(graph: Graph) -> list[int]:
    """For every node, the position of the last operation that reads it. Outputs are read after the end."""
    last = list(range(len(graph)))
    for i in graph.operations:
        for operand in graph.nodes[i].operands:
            last[operand] = i
    for output in graph.outputs:
        last[output] = len(graph)
    return last


def peak(graph: Graph) -> int:
    """The largest number of computed values alive at once. Inputs and constants do not count.

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
        alive += 1 - dying[i]  # the result may take the place of an operand that is read for the last time
        most = max(most, alive)
    return most


def ancestors(graph: Graph, output: int) -> list[int]:
    """The operations that one node needs, itself included, in order. The cost follows their number, not the graph's size.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> graph = lower([sympy.sin(x), sympy.exp(y)], [x, y])
    >>> ancestors(graph, graph.outputs[1]), descendants(graph, graph.uses(), 0)
    ([3], [2])
    """
    nodes, found, waiting = graph.nodes, {output}, [output]
    while waiting:
        new = [operand for operand in nodes[waiting.pop()][1] if operand not in found]
        found.update(new)
        waiting += new
    return sorted(i for i in found if nodes[i][1])


def descendants(graph: Graph, uses: Sequence[Sequence[int]], source: int) -> list[int]:
    """The operations that one node reaches, in order. `uses` is `graph.uses()`."""
    found, waiting = set(uses[source]), list(set(uses[source]))
    while waiting:
        new = [reader for reader in uses[waiting.pop()] if reader not in found]
        found.update(new)
        waiting += new
    return sorted(found)
