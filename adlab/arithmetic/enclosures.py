"""Proven intervals: bounds on each node, and on the gradient, while the inputs run over a box.

The ends of each interval are values that Arb has proven, rounded outwards to doubles. The table (`over`) knows at which operands
the ends are taken. Where it does not, Arb computes with the whole ball. An operation that may have no value somewhere in the
box is undefined, (nan, nan), and so is everything that uses it.

>>> from adlab.graph.lowering import lower
>>> from adlab.arithmetic.numbers import evaluate
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> evaluate(lower([sympy.log(x)], [x]), [(0.0, 1.0)], ENCLOSURES)[-1]
(nan, nan)
"""

from __future__ import annotations

import math

from adlab.arithmetic import arb
from adlab.arithmetic.intervals import Intervals
from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.ranges import ENTIRE, Interval, hull

UNDEFINED: Interval = (math.nan, math.nan)
PERHAPS: Interval = (0.0, 1.0)
"""A truth value that the box does not decide."""


def undefined(interval: Interval) -> bool:
    """Whether it stands for a number that may not exist."""
    return interval[0] != interval[0]


class Enclosures(Intervals):
    """(low, high), proven; (nan, nan) where there may be no value."""

    undefined = UNDEFINED

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Interval]) -> Interval:
        if any(map(undefined, operands)):
            return _despite(primitive, operands)
        given = () if parameter is None else (parameter,)
        if not self.defined(primitive, parameter, operands):
            return UNDEFINED
        if not primitive.ulps:  # exact on floats
            if all(low == high for low, high in operands):
                return hull([primitive.careful(*[low for low, _ in operands], *given)])
            return primitive.over(lambda *place: primitive.careful(*place, *given), operands, parameter)
        if all(low == high for low, high in operands):
            return arb.value(primitive, parameter, operands)
        return self._over(primitive, parameter, operands)

    def _over(self, primitive: Primitive, parameter: Parameter, operands: list[Interval]) -> Interval:
        """By the ends that the table names, once from below and once from above."""
        known: dict[tuple[float, ...], Interval] = {}

        def at(*place: float) -> Interval:
            if place not in known:
                known[place] = _at(primitive, parameter, place)
            return known[place]

        low = primitive.over(lambda *place: at(*place)[0], operands, parameter)[0]
        high = primitive.over(lambda *place: at(*place)[1], operands, parameter)[1]
        direct = arb.value(primitive, parameter, operands) if all(map(_bounded, operands)) else ENTIRE
        found = max(low, direct[0]), min(high, direct[1])  # Arb knows that no wave is higher than 1
        return UNDEFINED if found == ENTIRE else found  # a pole may lie between two doubles, as those of tan do


ENCLOSURES = Enclosures()


def _bounded(operand: Interval) -> bool:
    return math.isfinite(operand[0]) and math.isfinite(operand[1])


def _at(primitive: Primitive, parameter: Parameter, place: tuple[float, ...]) -> Interval:
    """By Arb. At infinity: the limit that IEEE arithmetic has there, and everything if there is none."""
    if all(map(math.isfinite, place)):
        return arb.value(primitive, parameter, [(x, x) for x in place])
    limit = primitive.careful(*place) if parameter is None else primitive.careful(*place, parameter)
    return ENTIRE if limit != limit else (math.nextafter(limit, -math.inf), math.nextafter(limit, math.inf))


def _despite(primitive: Primitive, operands: list[Interval]) -> Interval:
    """What is known although an operand is undefined: the branch that is taken, or a truth value that the other side decides."""
    if primitive.name == "select":
        condition, yes, no = operands
        if condition == (0.0, 0.0):
            return no
        return yes if condition[0] > 0 or condition[1] < 0 else UNDEFINED
    if primitive.name in ("and", "or"):
        found = primitive.over(primitive.careful, [PERHAPS if undefined(o) else o for o in operands], None)
        return found if found[0] == found[1] else UNDEFINED
    return UNDEFINED
