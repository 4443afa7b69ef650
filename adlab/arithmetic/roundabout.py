"""Complex numbers of very many bits: whether a number that came back to the reals is truly real, and which one it is.

In binary64 an imaginary part of 1e-17 may be rounding, or it may be there: (-90)**y at y = -1e-60 is 1 − 3e-60i. And a number
that is next to a branch cut by rounding alone may fall on either side of it. With `BITS` bits both are told apart: what is
left of a part that is truly 0 is below what any one operation on numbers of binary64 leads to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from adlab.arithmetic.extended import NATIVE, Extended, meaning, nearest
from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.errors import AdlabError
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive
from adlab.truth.meanings import CONTEXT, exact, magnitude, working

BITS = 1400
NOTHING = 1200
"""Bits by which one part of a number exceeds the other where the other is rounding only."""


class _Roundabout(Numbers):
    """mpmath's real and complex numbers; NaN where an operation has no value, or takes real numbers only and meets others."""

    def constant(self, value: Any) -> Any:
        return Extended(BITS).constant(value)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        off_line = any(_complex(operand) for operand in operands)
        if primitive.name == "select":
            return CONTEXT.nan if _complex(operands[0]) else NATIVE["select"](*operands)
        if any(CONTEXT.isnan(operand) for operand in operands) or (off_line and not primitive.analytic):
            return CONTEXT.nan
        if not primitive.analytic and primitive.name in NATIVE and parameter is None:
            return NATIVE[primitive.name](*operands)
        try:
            (outcome,) = meaning(primitive, parameter, len(operands)).base(operands, BITS).outcomes()
        except AdlabError:
            return CONTEXT.nan
        if outcome.failure is not None:
            return CONTEXT.nan
        found = _snapped(exact(outcome.value))
        return CONTEXT.nan if _complex(found) and not off_line and not primitive.principal else found


def _complex(number: Any) -> bool:
    return hasattr(number, "_mpc_")


def _snapped(number: Any) -> Any:
    """A number without a part that is rounding only."""
    if not _complex(number):
        return number
    if number.imag == 0 or (number.real and magnitude(number.imag) < magnitude(number.real) - NOTHING):
        return number.real
    if number.real and magnitude(number.real) < magnitude(number.imag) - NOTHING:
        return CONTEXT.mpc(0, number.imag)
    return number


def settled(graph: Graph, point: Sequence[float]) -> list[float]:
    """The outputs at a point by way of complex numbers, each rounded once; NaN where one is not real.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> settled(lower([x**y, sympy.sqrt(x) * x**1.5], [x, y]), [-2.0, 1e-60])
    [nan, 4.0]
    """
    with working(BITS):
        values = evaluate(graph, [exact(x) for x in point], _Roundabout())
        found = [values[output] for output in graph.outputs]
    return [math.nan if _complex(value) else nearest(value) for value in found]
