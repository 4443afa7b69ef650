"""The rules of the table as small graphs. So whatever can walk a graph can apply a rule.

The partials of an operation are a graph: its inputs are a, b, …, out, and it has one output for each operand. The conditions
are a graph too. Both are lowered from the table's SymPy expressions once, on first use.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import sympy

from adlab.graph.graph import Builder, Graph
from adlab.graph.lowering import lower
from adlab.graph.simplify import MUL
from adlab.primitives.primitive import OUT, Parameter, Primitive
from adlab.primitives.table import PRIMITIVES

ADJOINT = "bar"


@cache
def partials(primitive: Primitive, parameter: Parameter = None) -> Graph:
    """The local partials as a graph. Its inputs are the operands and the result; it has one output for each operand.

    >>> from adlab.primitives.table import PRIMITIVES
    >>> print(partials(PRIMITIVES["div"]))
    v1 = 1/b
    v2 = out/b
    v3 = -v2
    outputs: v1, v3
    """
    rules = [primitive.partial(k, parameter) for k in range(primitive.count(parameter))]
    return simplify(lower(rules, letters(primitive, parameter)))


@cache
def pullback(primitive: Primitive, parameter: Parameter = None) -> Graph:
    """What an operation passes to each operand's adjoint, as a graph of the operands, the result and the result's adjoint `bar`.

    It is bar × partial, simplified as a whole: a quotient passes on bar/b, not bar × (1/b).

    >>> from adlab.primitives.table import PRIMITIVES
    >>> print(pullback(PRIMITIVES["div"]))
    v1 = out/b
    v2 = bar/b
    v3 = bar*v1
    v4 = -v3
    outputs: v2, v4
    """
    rule = partials(primitive, parameter)
    builder, bar = Builder([*rule.inputs, ADJOINT], simplify=True), len(rule.inputs)
    return builder.finish([builder.apply(MUL, (bar, partial)) for partial in splice(builder, rule, range(bar))])


@cache
def conditions(primitive: Primitive, parameter: Parameter = None) -> Graph:
    """The conditions as a graph, with inputs as in `partials`. Outputs: value? each partial? smooth? (1.0 or 0.0)"""
    rules = [
        primitive.value_condition(parameter),
        *(primitive.partial_condition(k, parameter) for k in range(primitive.count(parameter))),
        primitive.smooth,
    ]
    return lower(rules, letters(primitive, parameter))


def unconditional(primitive: Primitive) -> bool:
    """Whether there is a value for all operands."""
    return primitive.domain is sympy.true


def letters(primitive: Primitive, parameter: Parameter = None) -> list[sympy.Symbol]:
    """The letters of this primitive's rules: its operands, then its result."""
    return [*primitive.letters(parameter), OUT]


def simplify(graph: Graph) -> Graph:
    """The same graph, with constants folded and the laws of 0 and 1 applied."""
    return splice_all(Builder(graph.inputs, simplify=True), graph)


def splice_all(builder: Builder, graph: Graph) -> Graph:
    """`graph`, built again by a builder whose first inputs are the graph's."""
    return builder.finish(splice(builder, graph, range(len(graph.inputs))))


def splice(builder: Builder, graph: Graph, inputs: Iterable[int]) -> list[int]:
    """Writes `graph` into `builder`, with those positions as its inputs. Returns the positions of its outputs."""
    place = list(inputs)
    for primitive, operands, parameter in graph.nodes[len(place) :]:
        if operands:
            place.append(builder.apply(primitive, [place[operand] for operand in operands], parameter))
        else:
            place.append(builder.constant(parameter))
    return [place[output] for output in graph.outputs]


# Nearly every formula needs these rules. They are made at import, so that the first gradient need not wait for them.
COMMON = [*((PRIMITIVES[_name], None) for _name in ("add", "sub", "mul", "neg", "div", "sqrt", "exp", "log", "sin", "cos")),
          (PRIMITIVES["powi"], 2)]  # fmt: skip
for _primitive, _parameter in COMMON:
    pullback(_primitive, _parameter)
