"""Checks whether a graph is well formed. Every graph that comes from outside is checked, and every graph in the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adlab.errors import GraphError
from adlab.primitives.table import CONSTANT, INPUT, PART

if TYPE_CHECKING:
    from adlab.graph.graph import Graph


def checked(graph: Graph) -> Graph:
    """The graph itself. Raises GraphError where a node, or a node of a body, breaks a promise of `Graph`."""
    seen: dict[Any, int] = {}
    for i, node in enumerate(graph.nodes):
        try:
            _node(graph, i)
            if seen.setdefault(node, i) != i:
                raise GraphError(f"node {i} repeats node {seen[node]}: {node.primitive.name}{node.operands}")
        except TypeError as unhashable:
            raise GraphError(f"node {i}: the parameter {node.parameter!r} is not hashable") from unhashable
    if (named := tuple(node.parameter for node in graph.nodes[: len(graph.inputs)])) != graph.inputs:
        raise GraphError(f"the inputs are {graph.inputs}, the first nodes {named}")
    if odd := [name for name in graph.inputs if not name.isprintable()]:
        raise GraphError(f"the variable {odd[0]!a} has a character in its name that cannot be printed")
    if not all(0 <= output < len(graph.nodes) for output in graph.outputs):
        raise GraphError(f"outputs {graph.outputs} are not all nodes (0 to {len(graph.nodes) - 1})")
    for output in graph.outputs:
        _one_result(graph, output, f"output {output}")
    return graph


def _node(graph: Graph, i: int) -> None:
    primitive, operands, parameter = graph.nodes[i]
    if (primitive is INPUT) != (i < len(graph.inputs)):
        raise GraphError(f"node {i}: inputs come first, and only they; found {primitive.name}")
    if not operands and primitive not in (INPUT, CONSTANT):
        raise GraphError(f"node {i}: {primitive.name} needs an operand")
    count = _count(i, primitive, parameter)
    if len(operands) != count:
        raise GraphError(f"node {i}: {primitive.name} takes {count} operand{'s'[: count != 1]}, not {len(operands)}")
    if not all(0 <= operand < i for operand in operands):
        raise GraphError(f"node {i}: reads {operands}, which do not all come before it")
    if primitive is PART:
        source = graph.nodes[operands[0]]
        if not source.primitive.compound or source.primitive is PART:
            raise GraphError(f"node {i}: reads a part of node {operands[0]}, which has one result only")
        results = source.primitive.results(source.parameter)
        if parameter not in range(results):
            raise GraphError(f"node {i}: reads part {parameter} of node {operands[0]}, which has parts 0 to {results - 1}")
    else:
        for operand in operands:
            _one_result(graph, operand, f"node {i}")
    for name, body in primitive.bodies(parameter).items():
        try:
            checked(body)
        except GraphError as wrong:
            raise GraphError(f"node {i}: {primitive.name}, {name}: {wrong}") from wrong


def _count(i: int, primitive: Any, parameter: Any) -> int:
    try:
        count: int = primitive.count(parameter)
    except (TypeError, ValueError, AttributeError) as wrong:
        raise GraphError(f"node {i}: {parameter!r} is no parameter of {primitive.name}") from wrong
    if primitive.variadic and count < 1:
        raise GraphError(f"node {i}: {primitive.name} takes at least one operand, not {count}")
    return count


def _one_result(graph: Graph, position: int, who: str) -> None:
    primitive = graph.nodes[position].primitive
    if primitive.compound and primitive is not PART:
        raise GraphError(f"{who}: reads node {position}, {primitive.name}, as a number; read one of its parts")
