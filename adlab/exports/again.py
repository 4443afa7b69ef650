"""What is rewritten in a program before it is differentiated once more.

*Quotients by cosh and sinh* become products with sech and csch. The derivative of tanh is 1/cosh(a)². The derivative of that
quotient is sinh(a)·(1/cosh(a)⁴)·cosh(a)·…, whose factors leave binary64's range from a = 180 on, where the second derivative
itself is 1e-156. adlab computes such points again with more range. A framework cannot. With sech(a)², every factor is as small
as the result.

*The slope of a remainder by its divisor*, (mod(a, b) − a)/b, is a whole number. It is written as one. So its own derivative is
0, and not a difference of two large numbers that rounding leaves something of.
"""

from __future__ import annotations

from fractions import Fraction

from adlab.graph.graph import Builder, Graph
from adlab.primitives.table import PRIMITIVES

DECAYING = {PRIMITIVES["cosh"]: PRIMITIVES["sech"], PRIMITIVES["sinh"]: PRIMITIVES["csch"]}
ADD, SUB, MUL, DIV, POWI, MOD = (PRIMITIVES[name] for name in ("add", "sub", "mul", "div", "powi", "mod"))


def to_differentiate(graph: Graph) -> Graph:
    """The same graph, written so that its derivative keeps its digits and its range.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> print(to_differentiate(lower([3 / sympy.cosh(x) ** 2], [x])))
    v1 = sech(x)
    v2 = v1**2
    v3 = 3*v2
    """
    rewritable = {*DECAYING, MOD}
    if not any(graph.nodes[i].primitive in rewritable for i in graph.operations):
        return graph
    builder = Builder(graph.inputs)
    place = list(range(len(graph.inputs)))
    for primitive, operands, parameter in graph.nodes[len(graph.inputs) :]:
        here = tuple(place[o] for o in operands)
        written = (_product(builder, *here) or _whole(builder, *here)) if primitive is DIV else None
        place.append(builder.cons(primitive, here, parameter) if written is None else written)
    return builder.finish([place[output] for output in graph.outputs])


def _product(builder: Builder, above: int, below: int) -> int | None:
    """The quotient as a product; None where it is not one by a power of cosh or sinh."""
    power, node = 1, builder.nodes[below]
    if node.primitive is POWI and isinstance(node.parameter, int) and node.parameter > 0:
        power, node = node.parameter, builder.nodes[node.operands[0]]
    if node.primitive not in DECAYING:
        return None
    factor = builder.cons(DECAYING[node.primitive], node.operands)
    factor = builder.cons(POWI, (factor,), power) if power > 1 else factor
    return factor if builder.value_of(above) == 1 else builder.cons(MUL, (above, factor))


def _whole(builder: Builder, above: int, below: int) -> int | None:
    """The quotient rounded to a whole number; None where it is not (mod(a, b) − a)/b."""
    node = builder.nodes[above]
    if node.primitive is not SUB:
        return None
    remainder, a = node.operands
    if builder.nodes[remainder].primitive is not MOD or builder.nodes[remainder].operands != (a, below):
        return None
    half = builder.constant(Fraction(1, 2))
    return builder.call("floor", builder.cons(ADD, (builder.cons(DIV, (above, below)), half)))
