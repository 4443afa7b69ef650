"""Sets of input indices: the inputs on which a node's derivative may depend. They give the pattern of the Jacobian.

An operand counts unless its partial is 0 for all inputs: the operand of floor(x), the condition of a branch, a factor beside the
constant 0. To know that, constants are kept beside the sets.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x, y = sympy.symbols("x y", real=True)
>>> pattern(lower([x * y, sympy.floor(x) + y, sympy.Mul(0, x, evaluate=False) + y], [x, y]))
[[0, 1], [1], [1]]
"""

from __future__ import annotations

from typing import Any, NamedTuple

from adlab.arithmetic.intervals import MUL
from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.table import PRIMITIVES

DIV = PRIMITIVES["div"]


class Reach(NamedTuple):
    """The inputs that a number depends on, and the number itself if it is the same for all inputs."""

    inputs: frozenset[int]
    known: float | None = None


class Sparsity(Numbers):
    """A `Reach` for every node. A product with the constant 0 depends on nothing."""

    def constant(self, value: Any) -> Reach:
        return Reach(frozenset(), to_float(value))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Reach]) -> Reach:
        known = _known(primitive, parameter, [operand.known for operand in operands])
        if known is not None:
            return Reach(frozenset(), known)
        rule = rules.partials(primitive, parameter)
        inside: list[float | None] = [*(operand.known for operand in operands), None]
        for inner, places, constant in rule.nodes[len(inside) :]:
            given = [inside[place] for place in places]
            inside.append(_known(inner, constant, given) if places else to_float(constant))
        reached = [o.inputs for o, output in zip(operands, rule.outputs, strict=True) if inside[output] != 0]
        return Reach(frozenset().union(*reached))


def _known(primitive: Primitive, parameter: Parameter, operands: list[float | None]) -> float | None:
    """The value, where the known operands decide it."""
    if None not in operands:
        return primitive.value([x for x in operands if x is not None], parameter)
    return 0.0 if (primitive is MUL and 0 in operands) or (primitive is DIV and operands[0] == 0) else None


def pattern(graph: Graph) -> list[list[int]]:
    """For every output, in order, the inputs that its derivative may depend on."""
    values = evaluate(graph, [Reach(frozenset([i])) for i in range(len(graph.inputs))], Sparsity())
    return [sorted(values[output].inputs) for output in graph.outputs]
