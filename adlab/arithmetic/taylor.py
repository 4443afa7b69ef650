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
from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.table import PRIMITIVES

Series = tuple[Any, ...]
MUL, DIV = PRIMITIVES["mul"], PRIMITIVES["div"]


class Still(tuple[Any, ...]):
    """The series of a number that does not depend on t: all later coefficients are 0. A computed series with zeros is known to be
    0 only up to its last order."""


class Taylor(Numbers):
    """Series up to t**order. Beyond the value they are NaN where a primitive has no derivative, or is on a kink.

    The coefficients are floats. `taylor_over` takes others.
    """

    missing: Any = math.nan

    def __init__(self, order: int) -> None:
        self.length = order + 1

    def lift(self, value: Any) -> Any:
        """An exact constant as a coefficient."""
        return to_float(value)

    def value(self, primitive: Primitive, parameter: Parameter, at: list[Any]) -> Any:
        """An operation on leading coefficients."""
        return FLOATS.apply(primitive, parameter, at)

    def conditions(self, primitive: Primitive, parameter: Parameter, at: list[Any], value: Any) -> list[bool]:
        """Whether the operation has a value there, its partials, and no kink or jump."""
        return [held == 1 for held in compiled_rule(rules.conditions(primitive, parameter))(*at, value)]

    def constant(self, value: Any) -> Series:
        return self.still(self.lift(value), self.length)

    def still(self, value: Any, length: int) -> Series:
        """The series of a number that does not depend on t."""
        return Still((value, *[self.lift(0)] * (length - 1)))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Series]) -> Series:
        length = min(map(len, operands))
        moves = any(any(u[1:length]) for u in operands)
        if moves and primitive is MUL:
            return product(operands[0], operands[1])
        if moves and primitive is DIV:
            return self.quotient(operands[0], operands[1])
        at = [u[0] for u in operands]
        first = self.value(primitive, parameter, at)
        if all(isinstance(u, Still) for u in operands):
            return self.still(first, length)
        *exist, smooth = self.conditions(primitive, parameter, at, first)
        if not all(exist) or not (smooth or (not moves and not primitive.jumps)):  # |u| is 0 to every order to which u is
            return (first, *[self.missing] * (length - 1))
        if primitive.piecewise_constant:
            return self.still(first, length)
        if not moves:
            return (first, *[self.lift(0)] * (length - 1))
        return self._integrated(primitive.routes, rules.partials(primitive, parameter), operands, first, length)

    def _integrated(self, routes: bool, rule: Graph, operands: list[Series], first: Any, length: int) -> Series:
        """first + ∫ Σ partial · operand'. Parts of the rule that do not read the result are evaluated once, at full length."""
        reads = _readers(rule, len(operands))
        slopes = [tuple(n * c for n, c in enumerate(u[:length]))[1:] for u in operands]
        values: list[Any] = [*(type(u)(u[: length - 1]) for u in operands), None]
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
            total = [self.lift(0)] * known
            for output, slope in zip(rule.outputs, slopes, strict=True):
                if any(slope) and not (routes and not any(values[output])):  # a branch that is not taken may be NaN
                    total = [a + b for a, b in zip(total, product(values[output], slope), strict=False)]
            result = (first, *[c / n for n, c in enumerate(total, 1)])
        return result

    def quotient(self, a: Series, b: Series) -> Series:
        """a/b, from a = (a/b)·b, one coefficient after the other."""
        found: list[Any] = []
        for n in range(min(len(a), len(b))):
            rest = a[n] - sum(found[k] * b[n - k] for k in range(n))
            found.append(self.value(DIV, None, [rest, b[0]]))
        return tuple(found)


def product(a: Series, b: Series) -> Series:
    """a·b, as long as the shorter of the two."""
    return tuple(sum(a[k] * b[n - k] for k in range(n + 1)) for n in range(min(len(a), len(b))))


def _readers(rule: Graph, out: int) -> list[bool]:
    """The nodes of a rule that depend on the result."""
    reads = [i == out for i in range(len(rule.inputs))]
    for node in rule.nodes[len(reads) :]:
        reads.append(any(reads[place] for place in node.operands))
    return reads


def series(graph: Graph, point: Sequence[float], direction: Sequence[float], order: int) -> list[Series]:
    """The Taylor coefficients of every output along point + t·direction, up to t**order."""
    rest = [0.0] * (order - 1)
    line = zip(point, direction, strict=True)
    inputs = [(tuple if v else Still)((float(x), float(v), *rest)[: order + 1]) for x, v in line]
    values = evaluate(graph, inputs, Taylor(order))
    return [values[output] for output in graph.outputs]
