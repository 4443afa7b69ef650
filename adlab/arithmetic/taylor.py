"""Truncated Taylor series: what a graph gives when its inputs are polynomials in one variable t.

A series is the tuple of its coefficients. A primitive y = f(u, v) needs no formula of its own: its rule says that
y' = ∂f/∂u u' + ∂f/∂v v'. The right-hand side is evaluated on shorter series and integrated (Griewank and Walther, Evaluating
Derivatives, 13.2). Where a partial reads the result y, the coefficients are found one after the other.

>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> evaluate(lower([sympy.exp(x)], [x]), [(0.0, 1.0, 0.0, 0.0)], Taylor(3))[-1]
(1.0, 1.0, 0.5, 0.16666666666666666)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from adlab.arithmetic.floats import FLOATS, compiled_rule
from adlab.arithmetic.intervals import MUL
from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.table import PRIMITIVES

Series = tuple[float, ...]
DIV = PRIMITIVES["div"]


class Taylor(Numbers):
    """Series up to t**order. Beyond the value they are NaN where a primitive has no derivative, or is on a kink."""

    def __init__(self, order: int) -> None:
        self.length = order + 1

    def constant(self, value: Any) -> Series:
        return (to_float(value), *[0.0] * (self.length - 1))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Series]) -> Series:
        length = min(map(len, operands))
        if primitive is MUL:
            return product(operands[0], operands[1])
        if primitive is DIV:
            return quotient(operands[0], operands[1])
        at = [u[0] for u in operands]
        first = FLOATS.apply(primitive, parameter, at)
        if not any(any(u[1:length]) for u in operands):  # no operand moves
            return (first, *[0.0] * (length - 1))
        if not all(compiled_rule(rules.conditions(primitive, parameter))(*at, first)):
            return (first, *[math.nan] * (length - 1))
        if primitive.piecewise_constant:
            return (first, *[0.0] * (length - 1))
        return self._integrated(primitive.routes, rules.partials(primitive, parameter), operands, first, length)

    def _integrated(self, routes: bool, rule: Graph, operands: list[Series], first: float, length: int) -> Series:
        """first + ∫ Σ partial · operand'. Parts of the rule that do not read the result are evaluated once, at full length."""
        reads = _readers(rule, len(operands))
        slopes = [tuple(n * c for n, c in enumerate(u[:length]))[1:] for u in operands]
        values: list[Any] = [*(u[: length - 1] for u in operands), None]
        result: Series = (first,)
        while len(result) < length:
            values[len(operands)] = result
            for i, (primitive, places, parameter) in enumerate(rule.nodes[len(operands) + 1 :], len(operands) + 1):
                if i == len(values):
                    values.append(None)
                if values[i] is None or reads[i]:
                    given = [values[place] for place in places]
                    values[i] = self.apply(primitive, parameter, given) if places else self.constant(parameter)
            known = len(result) if any(reads[output] for output in rule.outputs) else length - 1
            total = [0.0] * known
            for output, slope in zip(rule.outputs, slopes, strict=True):
                if any(slope) and not (routes and not any(values[output])):  # a branch that is not taken may be NaN
                    total = [a + b for a, b in zip(total, product(values[output], slope), strict=False)]
            result = (first, *[c / n for n, c in enumerate(total, 1)])
        return result


def product(a: Series, b: Series) -> Series:
    """a·b, as long as the shorter of the two."""
    return tuple(sum(a[k] * b[n - k] for k in range(n + 1)) for n in range(min(len(a), len(b))))


def quotient(a: Series, b: Series) -> Series:
    """a/b, from a = (a/b)·b, one coefficient after the other."""
    found: list[float] = []
    for n in range(min(len(a), len(b))):
        rest = a[n] - sum(found[k] * b[n - k] for k in range(n))
        found.append(FLOATS.apply(DIV, None, [rest, b[0]]))
    return tuple(found)


def _readers(rule: Graph, out: int) -> list[bool]:
    """The nodes of a rule that depend on the result."""
    reads = [i == out for i in range(len(rule.inputs))]
    for node in rule.nodes[len(reads) :]:
        reads.append(any(reads[place] for place in node.operands))
    return reads


def series(graph: Graph, point: Sequence[float], direction: Sequence[float], order: int) -> list[Series]:
    """The Taylor coefficients of every output along point + t·direction, up to t**order."""
    inputs = [(float(x), float(v), *[0.0] * (order - 1))[: order + 1] for x, v in zip(point, direction, strict=True)]
    values = evaluate(graph, inputs, Taylor(order))
    return [values[output] for output in graph.outputs]
