"""The rules of the table as small graphs, so that whatever can walk a graph can apply a rule.

The partials of an operation are a graph with inputs a, b, …, out and one output for each operand; its conditions
likewise. They are lowered from the table's SymPy expressions once, when first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy

from adlab.graph.graph import Builder, Graph, Node
from adlab.graph.lowering import lower
from adlab.graph.primitive import OPERANDS, OUT, Parameter, Primitive
from adlab.graph.primitives import CONSTANT, PRIMITIVES


@cache
def partials(primitive: Primitive, parameter: Parameter = None) -> Graph:
    """The local partials: inputs are the operands and the result, outputs one partial for each operand.

    >>> from adlab.graph.primitives import PRIMITIVES
    >>> print(partials(PRIMITIVES["div"]))
    v1 = 1/b
    v2 = out/b
    v3 = -v2
    outputs: v1, v3
    """
    rules = [primitive.partial(k, parameter) for k in range(primitive.arity)]
    return simplify(lower(rules, letters(primitive)))


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule to be written again and again: its constants come first after the inputs, then its operations."""

    graph: Graph
    constants: tuple[Any, ...]
    operations: tuple[Node, ...]


@cache
def partials_of(primitive: Primitive, parameter: Parameter, wanted: tuple[bool, ...]) -> Rule:
    """The local partials for the operands wanted, 0 for the others."""
    whole = partials(primitive, parameter)
    builder = Builder(whole.inputs, simplify=True)
    zero = builder.constant(0)
    for node in whole.nodes:
        if node.primitive is CONSTANT:
            builder.constant(node.parameter)
    outputs = splice(builder, whole, range(len(whole.inputs)))
    graph = builder.finish([output if wanted[k] else zero for k, output in enumerate(outputs)])
    inside = graph.nodes[len(graph.inputs) :]
    constants = tuple(node.parameter for node in inside if not node.operands)
    return Rule(graph, constants, inside[len(constants) :])


@cache
def conditions(primitive: Primitive, parameter: Parameter = None) -> Graph:
    """Inputs as for `partials`; outputs: is there a value, is there each partial, is it smooth here (1.0 or 0.0)."""
    rules = [
        primitive.value_condition(parameter),
        *(primitive.partial_condition(k, parameter) for k in range(primitive.arity)),
        primitive.smooth,
    ]
    return lower(rules, letters(primitive))


def unconditional(primitive: Primitive) -> bool:
    """Whether there is a value for all operands."""
    return primitive.domain is sympy.true


def letters(primitive: Primitive) -> list[sympy.Symbol]:
    """What the rules of this primitive are written in: its operands, then its result."""
    return [*OPERANDS[: primitive.arity], OUT]


def simplify(graph: Graph) -> Graph:
    """The same graph with constants folded and the laws of 0 and 1 applied."""
    return splice_all(Builder(graph.inputs, simplify=True), graph)


def splice_all(builder: Builder, graph: Graph) -> Graph:
    """`graph` rebuilt by a builder whose first inputs are the graph's."""
    return builder.finish(splice(builder, graph, range(len(graph.inputs))))


def splice(builder: Builder, graph: Graph, inputs: Iterable[int]) -> list[int]:
    """Writes `graph` into `builder`, its inputs being those positions; returns where its outputs are."""
    place = list(inputs)
    for primitive, operands, parameter in graph.nodes[len(place) :]:
        if operands:
            place.append(builder.apply(primitive, [place[operand] for operand in operands], parameter))
        else:
            place.append(builder.constant(parameter))
    return [place[output] for output in graph.outputs]


# Nearly every formula needs these: lowered at import, they are not in the way of the first gradient.
for _name in ("add", "sub", "mul", "neg", "div", "sqrt", "exp", "log", "sin", "cos"):
    partials_of(PRIMITIVES[_name], None, (True,) * PRIMITIVES[_name].arity)
partials_of(PRIMITIVES["powi"], 2, (True,))
