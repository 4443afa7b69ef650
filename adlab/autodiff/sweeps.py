"""The two sweeps of automatic differentiation, each written once, for any arithmetic.

The tangent v̇ of a node is its derivative along a direction in which the inputs move. The adjoint v̄ of a node is the derivative
of an output by that node. Forward mode carries tangents from the inputs on, reverse mode carries adjoints from the outputs back.
On floats the sweeps give these numbers. On the nodes of a new graph the same loops write the derivative program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from adlab.arithmetic.numbers import Adjoints, Arithmetic, Values
from adlab.autodiff.bodies import pull, push
from adlab.graph.graph import Graph

T = TypeVar("T")


def forward(
    graph: Graph,
    values: Values[T],
    tangents: Mapping[int, T],
    arithmetic: Arithmetic[T],
    among: Sequence[int] | None = None,
) -> dict[int, T]:
    """The tangent of every node that moves when the inputs move by `tangents`: v̇ᵢ = Σⱼ ∂vᵢ/∂vⱼ v̇ⱼ.

    `among`, if given, names the operations to visit, in order. The others are known not to move.

    >>> from adlab.arithmetic.floats import FLOATS
    >>> from adlab.arithmetic.numbers import evaluate
    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> graph = lower([x * y], [x, y])
    >>> forward(graph, evaluate(graph, [3.0, 5.0], FLOATS), {0: 1.0}, FLOATS)
    {0: 1.0, 2: 5.0}
    """
    tangent = dict(tangents)
    compound = graph.compound
    for node in graph.operations if among is None else among:
        operands = graph.nodes[node].operands
        if not any(operand in tangent for operand in operands):
            continue
        if compound and graph.nodes[node].primitive.compound:
            push(graph, node, values, tangent, arithmetic)
            continue
        for operand, partial in zip(operands, arithmetic.partials(graph, node, values), strict=True):
            if partial is not None and operand in tangent:
                contribution = arithmetic.mul(partial, tangent[operand])
                tangent[node] = arithmetic.add(tangent[node], contribution) if node in tangent else contribution
    return tangent


def reverse(
    graph: Graph,
    values: Values[T],
    seeds: Mapping[int, T],
    arithmetic: Adjoints[T],
    note: Callable[[int, int, T, T], None] | None = None,
    among: Sequence[int] | None = None,
    keep: bool = True,
) -> dict[int, T]:
    """The adjoint of every node: the sum of what it gets from each use, v̄ⱼ = Σᵢ v̄ᵢ ∂vᵢ/∂vⱼ.

    The sweep starts at the outputs and goes back. So when a node's turn comes, everything that reads it has already passed on its
    part. `among`, if given, names the operations to visit, in order; no output depends on the others. `note` is called for each
    contribution as it is added, with the node, the operand's number, the contribution, and the sum so far. Without `keep` the
    adjoint of an operation is forgotten once it is passed on, so that only those of the inputs are left.

    >>> from adlab.arithmetic.floats import FLOATS
    >>> from adlab.arithmetic.numbers import evaluate
    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> graph = lower([x * y + x], [x, y])
    >>> adjoint = reverse(graph, evaluate(graph, [3.0, 5.0], FLOATS), {graph.outputs[0]: 1.0}, FLOATS)
    >>> adjoint[0], adjoint[1]
    (6.0, 3.0)
    """
    adjoint = dict(seeds)
    active, compound = graph.active, graph.compound
    for node in reversed(graph.operations if among is None else among):
        bar = adjoint.get(node)
        if bar is None or not active[node]:  # no output depends on it, or it depends on no input
            continue
        if compound and graph.nodes[node].primitive.compound:
            pull(graph, node, values, adjoint, arithmetic, note)
            continue
        contributions = arithmetic.pullback(graph, node, values, bar)
        for k, operand in enumerate(graph.nodes[node].operands):
            contribution = contributions[k]
            if contribution is None or not active[operand]:
                continue
            before = adjoint.get(operand)
            adjoint[operand] = contribution if before is None else arithmetic.add(before, contribution)
            if note is not None:
                note(node, k, contribution, adjoint[operand])
        if not keep:
            del adjoint[node]
    return adjoint
