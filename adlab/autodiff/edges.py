"""All second derivatives of an output in one reverse sweep: edge pushing (Gower and Mello 2012).

The sweep goes back through the operations, as reverse mode does. At every moment the output is a function of the nodes that are
still to be visited. The sweep carries its first derivatives by them, the adjoints v̄, and its second derivatives, W. The turn of
node v = φ(u₁, u₂, …) replaces v by its operands. By the chain rule, with the partials pₖ = ∂φ/∂uₖ,

    w        = W[v, other]  becomes  pₖ w     in W[uₖ, other],
    w        = W[v, v]      becomes  pₖ pₗ w  in W[uₖ, uₗ],
    v̄ ∂²φ/∂uₖ∂uₗ            is added          to W[uₖ, uₗ].

W is symmetric, and each pair is kept once. So no entry is computed twice, and what is 0 is never written. A sum that is read in
one place passes on W as it is. That is why a formula whose parts meet in few nodes, such as a quadratic form times a function of
a sum, takes a few operations for each entry, where a sweep through the gradient program for each variable takes many more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import islice

from adlab.arithmetic.nodes import Nodes
from adlab.autodiff.jacobian import jacobian
from adlab.graph import rules
from adlab.graph.graph import Builder, Graph
from adlab.graph.liveness import ancestors
from adlab.primitives.primitive import Parameter, Primitive

Rows = dict[int, dict[int, int]]
"""W: for each node, and each other one, the node of the program that computes the entry. Both orders of a pair are there."""


def second_order(graph: Graph, output: int, numbers: Nodes) -> tuple[dict[int, int], Rows]:
    """The program of all first and all second derivatives of `output` by the inputs. What is left out is 0.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> graph = lower([sympy.sin(x * y)], [x, y])
    >>> builder = Builder.on(graph)
    >>> _, second = second_order(graph, graph.outputs[0], Nodes(builder))
    >>> print(builder.finish([second[0][0], second[0][1]]))
    v1 = x*y
    v2 = sin(v1)
    v3 = cos(v1)
    v4 = y*v2
    v5 = y*v4
    v6 = -v5
    v7 = x*v4
    v8 = v3 - v7
    outputs: v6, v8
    """
    values, active = range(len(graph)), graph.active
    adjoint: dict[int, int] = {output: numbers.one}
    second: Rows = defaultdict(dict)

    def add(i: int, j: int, entry: int) -> None:
        before = second[i].get(j)
        second[i][j] = second[j][i] = entry if before is None else numbers.add(before, entry)

    def passed(node: int, bar: int) -> dict[int, int]:
        """bar × partial, for each operand of `node` that derivatives flow through."""
        found: dict[int, int] = {}
        contributions = numbers.pullback(graph, node, values, bar)
        for operand, part in zip(graph.nodes[node].operands, contributions, strict=True):
            if part is not None and active[operand]:
                found[operand] = numbers.add(found[operand], part) if operand in found else part
        return found

    for node in reversed(ancestors(graph, output)):
        bar = adjoint.pop(node, None)
        if bar is None or not active[node]:
            continue
        row = second.pop(node, {})
        own = row.pop(node, None)
        for other, entry in row.items():
            del second[other][node]
            for operand, part in passed(node, entry).items():
                add(operand, other, numbers.add(part, part) if operand == other else part)
        if own is not None:
            through = passed(node, own)
            for count, (operand, part) in enumerate(through.items()):
                for other, both in islice(passed(node, part).items(), count, None):
                    add(operand, other, both)
        for operand, other, part in _bends(graph, node, numbers, bar):
            add(operand, other, part)
        for operand, part in passed(node, bar).items():
            adjoint[operand] = numbers.add(adjoint[operand], part) if operand in adjoint else part
    return adjoint, second


def _bends(graph: Graph, node: int, numbers: Nodes, bar: int) -> Iterator[tuple[int, int, int]]:
    """Pairs of operands, each with bar × the operation's own second partial by them, where that is not always 0."""
    primitive, operands, parameter = graph.nodes[node]
    rule = _seconds(primitive, parameter)
    if rule is None:
        return
    written = numbers.reached(node, rules.splice(numbers.builder, rule, [*operands, node, bar]))
    for (k, j), part in zip(_pairs(len(operands)), written, strict=True):
        one, other = operands[k], operands[j]
        if part is not None and graph.active[one] and graph.active[other]:
            yield one, other, numbers.add(part, part) if k != j and one == other else part


@cache
def _seconds(primitive: Primitive, parameter: Parameter) -> Graph | None:
    """bar × ∂²φ/∂uₖ∂uₗ for the `_pairs` k ≤ l, as a graph of the operands, the result and `bar`. None if all are always 0.

    It is the reverse sweep through the table's rule for bar × pₖ. What arrives at the result goes on to the operands.
    """
    rule = rules.pullback(primitive, parameter)
    builder, out = Builder.on(rule), len(rule.inputs) - 2
    numbers = Nodes(builder)
    slopes = rules.splice(builder, rules.partials(primitive, parameter), range(out + 1))
    rows = jacobian(rule, range(len(rule)), numbers)
    found = [numbers.add(rows[j][k], numbers.mul(rows[j][out], slopes[k])) for k, j in _pairs(out)]
    return None if set(found) <= {numbers.zero} else builder.finish(found)


def _pairs(count: int) -> list[tuple[int, int]]:
    return [(k, j) for j in range(count) for k in range(j + 1)]
