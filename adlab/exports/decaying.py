"""Quotients by cosh and sinh as products with sech and csch, before a program is differentiated once more.

The derivative of tanh is 1/cosh(a)². The derivative of that quotient is sinh(a)·(1/cosh(a)⁴)·cosh(a)·…, whose factors leave
binary64's range from a = 180 on, where the second derivative itself is 1e-156. adlab computes such points again with more
range. A framework cannot. With sech(a)², every factor is as small as the result.
"""

from __future__ import annotations

from adlab.graph.graph import Builder, Graph
from adlab.primitives.table import PRIMITIVES

DECAYING = {PRIMITIVES["cosh"]: PRIMITIVES["sech"], PRIMITIVES["sinh"]: PRIMITIVES["csch"]}
DIV, MUL, POWI = (PRIMITIVES[name] for name in ("div", "mul", "powi"))


def decaying(graph: Graph) -> Graph:
    """The same graph with a/cosh(b)ⁿ written as a·sech(b)ⁿ, and a/sinh(b)ⁿ as a·csch(b)ⁿ.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> print(decaying(lower([3 / sympy.cosh(x) ** 2], [x])))
    v1 = sech(x)
    v2 = v1**2
    v3 = 3*v2
    """
    if not any(graph.nodes[i].primitive in DECAYING for i in graph.operations):
        return graph
    builder = Builder(graph.inputs)
    place = list(range(len(graph.inputs)))
    for primitive, operands, parameter in graph.nodes[len(graph.inputs) :]:
        here = tuple(place[o] for o in operands)
        written = _product(builder, *here) if primitive is DIV else None
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
