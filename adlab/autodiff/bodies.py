"""One step of a sweep over an operation with bodies, and over the `part` nodes that read its results.

The tangent of such an operation is a list with one entry for each result; so is its adjoint. An entry is None where nothing
has arrived. What the operation does with them is written in the operation itself: see `adlab.graph.compound`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adlab.arithmetic.numbers import Adjoints, Arithmetic, Values
from adlab.graph.graph import Graph
from adlab.primitives.table import PART


def push(graph: Graph, node: int, values: Values[Any], tangent: dict[int, Any], arithmetic: Arithmetic[Any]) -> None:
    """Stores the tangent of a compound operation, or of a part of one, in `tangent`, unless it is zero."""
    operation: Any
    operation, operands, parameter = graph.nodes[node]
    if operation is PART:
        moved = tangent[operands[0]][parameter]
        if moved is not None:
            tangent[node] = moved
        return
    given = [values[operand] for operand in operands]
    results = [arithmetic.part(values[node], k) for k in range(operation.results(parameter))]
    moved = operation.jvp(arithmetic, parameter, given, results, [tangent.get(operand) for operand in operands])
    if any(entry is not None for entry in moved):
        tangent[node] = list(arithmetic.reached(node, moved))


def pull(
    graph: Graph,
    node: int,
    values: Values[Any],
    adjoint: dict[int, Any],
    arithmetic: Adjoints[Any],
    note: Callable[[int, int, Any, Any], None] | None = None,
) -> None:
    """Passes the adjoint of a compound operation to its operands, or the adjoint of a part to its operation."""
    operation: Any
    operation, operands, parameter = graph.nodes[node]
    if operation is PART:
        (source,) = operands
        whole = graph.nodes[source]
        bars = adjoint.setdefault(source, [None] * whole.primitive.results(whole.parameter))
        bars[parameter] = adjoint[node] if bars[parameter] is None else arithmetic.add(bars[parameter], adjoint[node])
        return
    given = [values[operand] for operand in operands]
    results = [arithmetic.part(values[node], k) for k in range(operation.results(parameter))]
    passed = operation.vjp(arithmetic, parameter, given, results, adjoint[node])
    for k, (operand, contribution) in enumerate(zip(operands, arithmetic.reached(node, passed), strict=True)):
        if contribution is None or not graph.active[operand]:
            continue
        before = adjoint.get(operand)
        adjoint[operand] = contribution if before is None else arithmetic.add(before, contribution)
        if note is not None:
            note(node, k, contribution, adjoint[operand])
