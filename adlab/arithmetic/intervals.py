"""Intervals of floats, rounded outwards: bounds on each node while the inputs run over intervals.

A rule of the table, walked with intervals, says how steep a primitive can be near a point. A condition of the table says
whether it holds all around the point: (1, 1) for surely, (0, 0) for nowhere, (0, 1) for perhaps. These intervals are as good as
the table's bounds on rounding. `enclosures` has intervals that Arb proves.

>>> from adlab.graph.lowering import lower
>>> from adlab.arithmetic.numbers import evaluate
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> evaluate(lower([x**2 > 2], [x]), [(1.5, 2.0)], INTERVALS)[-1]
(1.0, 1.0)
"""

from __future__ import annotations

import math
from typing import Any

from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.graph import rules
from adlab.graph.exact import is_binary
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.ranges import ENTIRE, TINIEST, Interval
from adlab.primitives.table import PRIMITIVES

SURELY: Interval = (1.0, 1.0)
"""A truth value that is 1, true, all over the box."""
ADD, MUL = PRIMITIVES["add"], PRIMITIVES["mul"]


def exactly(constant: Any) -> bool:
    """Whether binary64 holds this constant exactly."""
    return not hasattr(constant, "free_symbols") and is_binary(constant)


def widened(low: float, high: float, ulps: float) -> Interval:
    """The interval made wider: each end is moved outwards by so many units in its last place.

    >>> widened(1.0, 2.0, 1)
    (0.9999999999999998, 2.0000000000000004)
    """
    if not ulps:
        return low, high
    if not (math.isfinite(low) and math.isfinite(high)):
        low = 1.7976931348623157e308 if low == math.inf else low  # after an overflow the true number may still be finite
        high = -1.7976931348623157e308 if high == -math.inf else high
    return (
        math.nextafter(low - ulps * math.ulp(low), -math.inf) if ulps > 1 else low - math.ulp(low),
        math.nextafter(high + ulps * math.ulp(high), math.inf) if ulps > 1 else high + math.ulp(high),
    )


class Intervals(Numbers):
    """(low, high): the true number lies between. Everything where there may be no value."""

    undefined: Interval = ENTIRE
    """Stands for an operation that may have no value somewhere."""

    def constant(self, value: Any) -> Interval:
        nearest = to_float(value)
        if nearest != nearest:
            return self.undefined
        return (nearest, nearest) if exactly(value) else widened(nearest, nearest, 1)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Interval]) -> Interval:
        given = () if parameter is None else (parameter,)
        if all(low == high for low, high in operands):
            value = primitive.careful(*[low for low, _ in operands], *given)
            return self.undefined if value != value else widened(value, value, primitive.ulps)
        if not self.defined(primitive, parameter, operands):
            return self.undefined
        low, high = primitive.over(lambda *place: primitive.careful(*place, *given), operands, parameter)
        return widened(low, high, primitive.ulps)

    def exists(self, value: Interval) -> bool:
        """Whether this is an interval of numbers."""
        return value[0] == value[0]

    def defined(self, primitive: Primitive, parameter: Parameter, operands: list[Interval]) -> bool:
        """Whether the operation has a value for all of these operands."""
        return rules.unconditional(primitive) or self.conditions(primitive, parameter, operands)[0] == SURELY

    def conditions(
        self, primitive: Primitive, parameter: Parameter, operands: list[Interval], out: Interval = ENTIRE
    ) -> list[Interval]:
        """Whether there is a value, each partial, and a smooth neighbourhood, everywhere over these intervals."""
        conditions = rules.conditions(primitive, parameter)
        found = evaluate(conditions, [*operands, out], self)
        return [found[output] for output in conditions.outputs]

    def add(self, a: Interval, b: Interval) -> Interval:
        return self.apply(ADD, None, [a, b])

    def mul(self, a: Interval, b: Interval) -> Interval:
        return self.apply(MUL, None, [a, b])


INTERVALS = Intervals()


def steepness(primitive: Primitive, parameter: Parameter, operands: list[Interval], out: Interval) -> list[float]:
    """How large each partial can be over these intervals, by its rule. `out` is the interval of the operation's values."""
    rule = rules.partials(primitive, parameter)
    found = evaluate(rule, [*operands, out], INTERVALS)
    return [max(-found[output][0], found[output][1], TINIEST) for output in rule.outputs]
