"""Finds the operations that cost each method's worst partial its digits, by walking the programs the methods compute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from adlab.arithmetic.domain import explain
from adlab.errors import AdlabError, DomainError
from adlab.function import Function
from adlab.graph.graph import Graph
from adlab.graph.lowering import lower
from adlab.inputs import FloatArray
from adlab.methods import METHODS, Method
from adlab.precision import UNIT_ROUNDOFF
from adlab.report.accuracy import AccuracyRow
from adlab.report.causes import MOST_NODES, Kind, Loss, Values, Walk, losses
from adlab.report.truth import Truth
from adlab.text.traversal import is_small
from adlab.truth.meanings import CONTEXT, exact, working

POOR = 13.0  # a method with fewer digits needs an explanation
SMALL_FORMULA = 300  # the largest formula, in nodes, whose symbolic derivative is made again to be walked
WRONG_GRAPH = 1e-9  # relative error that a graph may have in high precision, where its constants are rounded
POOR_FORMULA = 1e-13  # relative: a symbolic derivative with a larger error owes it to constants that SymPy rounded


def worst_of(rows: Sequence[AccuracyRow], method: str) -> AccuracyRow | None:
    """The row of a method with the fewest digits, leaving out rows that follow a convention."""
    mine = [row for row in rows if row.method == method and row.digits is not None and not row.convention]
    return min(mine, key=lambda row: row.digits or 0.0, default=None)


def blamed(
    f: Function, point: FloatArray, judged: Truth, rows: Sequence[AccuracyRow], methods: Mapping[str, Method]
) -> dict[str, list[Loss]]:
    """For each automatic or symbolic method whose worst partial has lost digits, the operations to blame."""
    found = {}
    for name, method in methods.items():
        row = worst_of(rows, name)
        if method.family not in ("automatic", "symbolic") or row is None or (row.digits or 0.0) >= POOR:
            continue
        i, j = row.output or 0, f.names.index(row.variable)
        program = _program(f, name, i, j)
        if program is not None:
            found[name] = _of(*program, point, judged.component(i, j).value)
    return found


def _program(f: Function, name: str, i: int, j: int) -> tuple[Graph, int, int] | None:
    """The graph with which a method computes one partial, that partial's node, and the first node that is not an operation of
    f."""
    if METHODS[name].family == "automatic":
        if len(f.graph) * (f.n if name == "forward" else 1) > MOST_NODES:
            return None
        program = f.program("forward" if name == "forward" else "reverse")
        return program, program.outputs[f.m + i * f.n + j], len(f.graph)
    if not f.readable or not is_small(f.outputs, SMALL_FORMULA):
        return None
    try:
        graph = lower([sympy.diff(f.outputs[i], f.variables[j])], f.variables)
    except (AdlabError, ValueError, TypeError):
        return None
    return graph, graph.outputs[0], 0


def _of(graph: Graph, output: int, own: int, point: FloatArray, truth: Any) -> list[Loss]:
    if len(graph) > MOST_NODES or graph.compound:
        return []
    walk = Walk(graph, point.tolist(), output, own)
    with working(400):
        there = walk.true[output]
        if truth is not None and not CONTEXT.isnan(there):
            off, size = abs(there - exact(truth)), abs(exact(truth))
            if off > (WRONG_GRAPH if own else POOR_FORMULA) * size + CONTEXT.mpf(2) ** -1074:
                kind: Kind = "graph" if own else "constants"
                lost = Loss(output, graph.names[output], graph.written(output), 16.0, True, kind)
                return [lost] if own else [lost, *walk.causes()]
    return walk.causes()


def of_values(f: Function, point: FloatArray) -> list[Loss]:
    """The operations at which f itself loses digits, for the output that loses most."""
    if len(f.graph) > MOST_NODES:
        return []
    values = Values(f.graph, point.tolist())
    found = [losses(f.graph, point.tolist(), output, values=values) for output in f.graph.outputs]
    return max(found, key=lambda lost: lost[0].digits if lost else 0.0, default=[])


def singular(f: Function, point: FloatArray, judged: Truth) -> str:
    """The operation whose derivative does not exist at the point although f has one there; empty where there is none."""
    if any(component.value is None for component in judged.components):
        return ""
    try:
        reason = explain(f.graph, point.tolist(), derivative=True)
    except AdlabError:
        return ""
    if not isinstance(reason, DomainError) or not reason.operation:
        return ""
    names = {f.graph.written(i): f.graph.names[i] for i in f.graph.operations}
    name = names.get(str(reason.operation), "")
    return f"{name} = {reason.operation}" if name else str(reason.operation)


def absorbed(f: Function, point: FloatArray, judged: Truth, i: int, j: int) -> bool:
    """Whether a variable's share in f is smaller than a rounding of f. Then no difference of values can see it."""
    value, partial = judged.outputs[i].value, judged.component(i, j).value
    if value is None or partial is None or not partial:
        return False
    share = abs(float(partial)) * max(abs(float(point[j])), 1.0)
    return bool(math.isfinite(share) and share < UNIT_ROUNDOFF * abs(float(value)))
