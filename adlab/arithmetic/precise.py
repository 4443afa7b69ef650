"""Numbers with as many bits as one likes and exponents without bound: a graph walked in high precision.

The meaning of each operation is that of `adlab.truth.meanings`, which evaluates SymPy's functions by mpmath. With 53 bits
these are binary64 numbers that neither overflow nor underflow. Work with them inside `working(bits)` of the same bits.

>>> from adlab.arithmetic.numbers import evaluate
>>> from adlab.graph.lowering import lower
>>> from adlab.truth.meanings import shown
>>> x = sympy.Symbol("x", real=True)
>>> graph = lower([1 - sympy.cos(x)], [x])
>>> with working(200):
...     print(shown(evaluate(graph, [exact(1e-10)], Precise(200))[-1], 20))
5.0000000000000003643e-21
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import sympy

from adlab.arithmetic.numbers import Numbers, Values
from adlab.errors import AdlabError
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, exact_sympy, to_float
from adlab.truth.meanings import CONTEXT, exact, working
from adlab.truth.values import Plan, plan

DIRECT: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "neg": operator.neg, "exp": CONTEXT.exp,
    "sin": CONTEXT.sin, "cos": CONTEXT.cos,
}  # fmt: skip
"""What needs no plan; the rest has conditions, branches, or meanings of its own."""


@cache
def meaning(primitive: Primitive, parameter: Parameter, count: int) -> Plan:
    """One operation on `count` operands, as the truth evaluates it. Raises UnsupportedExpression where it cannot."""
    operands = sympy.symbols(f"a0:{count}", real=True)
    given = operands if parameter is None else (*operands, exact_sympy(parameter))
    with sympy.evaluate(False):
        form = primitive.form(*given)
    if isinstance(form, sympy.logic.boolalg.Boolean):
        form = sympy.Piecewise((1, form), (0, True))
    return plan([form], operands)


class Precise(Numbers):
    """Numbers of `CONTEXT` with `bits` bits; NaN where an operation has no real value."""

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def constant(self, value: Any) -> Any:
        number = exact_sympy(value) if not isinstance(value, float) else sympy.Float(value, precision=53)
        try:
            return +exact(plan([sympy.sympify(number)], []).values([], self.bits)[0])
        except AdlabError:
            return exact(to_float(value))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        if primitive.name == "select":  # what is not taken may have no value
            return operands[1] if operands[0] else operands[2]
        if any(CONTEXT.isnan(operand) for operand in operands):
            return CONTEXT.nan
        direct = DIRECT.get(primitive.name)
        if direct is not None and parameter is None:
            return direct(*operands)
        try:
            found = exact(meaning(primitive, parameter, len(operands)).values(operands, self.bits)[0])
        except AdlabError:
            return CONTEXT.nan
        return CONTEXT.nan if hasattr(found, "_mpc_") else +found

    def partials(self, graph: Graph, position: int, values: Values[Any]) -> Sequence[Any]:
        found = super().partials(graph, position, values)
        return [partial or None for partial in found] if graph.nodes[position].primitive.routes else found


__all__ = ["Precise", "meaning", "working"]
