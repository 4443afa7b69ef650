"""Taylor series whose coefficients are numbers of another arithmetic: with a bound on their error, or of unlimited exponent.

`Taylor` computes with its coefficients by Python's operators. A `Coefficient` passes them on to the other arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.extended import EXTENDED, Extended, number
from adlab.arithmetic.intervals import INTERVALS, SURELY, Intervals
from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.arithmetic.taylor import Still, Taylor
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive
from adlab.primitives.ranges import ENTIRE, Interval
from adlab.primitives.table import PRIMITIVES


class Coefficient:
    """A number of another arithmetic, under Python's operators."""

    def __init__(self, number: Any, numbers: Numbers) -> None:
        self.number, self.numbers = number, numbers

    def __bool__(self) -> bool:
        """Whether it may be other than 0."""
        return bool(self.number != self.numbers.constant(0))

    def __add__(self, other: Any) -> Coefficient:
        return self._with("add", self, other)

    __radd__ = __add__  # sum() begins with 0

    def __sub__(self, other: Any) -> Coefficient:
        return self._with("sub", self, other)

    def __mul__(self, other: Any) -> Coefficient:
        return self._with("mul", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Coefficient:
        return self._with("div", self, other)

    def _with(self, name: str, a: Any, b: Any) -> Coefficient:
        given = [c.number if isinstance(c, Coefficient) else self.numbers.constant(c) for c in (a, b)]
        return Coefficient(self.numbers.apply(PRIMITIVES[name], None, given), self.numbers)


class _OverNumbers(Taylor):
    """Series whose coefficients are numbers of another arithmetic."""

    def __init__(self, order: int, numbers: Numbers) -> None:
        super().__init__(order)
        self.numbers = numbers

    def lift(self, value: Any) -> Coefficient:
        return self.of(self.numbers.constant(value))

    def of(self, number: Any) -> Coefficient:
        """A number of that arithmetic as a coefficient."""
        return Coefficient(number, self.numbers)

    def value(self, primitive: Primitive, parameter: Parameter, at: list[Any]) -> Coefficient:
        return self.of(self.numbers.apply(primitive, parameter, [c.number for c in at]))

    def along(self, graph: Graph, line: Iterable[tuple[Any, Any]]) -> list[tuple[Any, ...]]:
        """The numbers in the series of every output. `line` has each input's value and speed, numbers of that arithmetic."""
        rest, still = [self.lift(0)] * (self.length - 2), self.numbers.constant(0)
        inputs = [(Still if v == still else tuple)((self.of(x), self.of(v), *rest)[: self.length]) for x, v in line]
        values = evaluate(graph, inputs, self)
        return [tuple(c.number for c in values[output]) for output in graph.outputs]


class _BoundedTaylor(_OverNumbers):
    """Series whose coefficients carry bounds on their errors. Where a kink or an edge is in reach, the bound is infinite."""

    missing = Coefficient(Bounded(0.0, math.inf, "a kink, or the edge of the domain, is in reach"), BOUNDED)

    def conditions(self, primitive: Primitive, parameter: Parameter, at: list[Any], value: Any) -> list[bool]:
        sides = [c.number.interval for c in at]
        return [side == SURELY for side in INTERVALS.conditions(primitive, parameter, sides, value.number.interval)]


def bounds(graph: Graph, point: Sequence[float], direction: Sequence[float], order: int) -> list[tuple[Bounded, ...]]:
    """The coefficients of every output along point + t·direction, each with its running error bound."""
    line = [(Bounded(x), Bounded(v)) for x, v in zip(point, direction, strict=True)]
    return _BoundedTaylor(order, BOUNDED).along(graph, line)


class _ExtendedTaylor(_OverNumbers):
    """Series whose coefficients have unlimited exponents."""

    missing = Coefficient(number(math.nan), EXTENDED)

    def conditions(self, primitive: Primitive, parameter: Parameter, at: list[Any], value: Any) -> list[bool]:
        rule = rules.conditions(primitive, parameter)
        inside = evaluate(rule, [*(c.number for c in at), value.number], self.numbers)
        return [bool(inside[output] == 1) for output in rule.outputs]


def extended_series(
    graph: Graph, point: Sequence[float], direction: Sequence[float], order: int, numbers: Extended
) -> list[tuple[Any, ...]]:
    """The coefficients of every output along point + t·direction, numbers with unlimited exponents."""
    line = [(number(x), number(v)) for x, v in zip(point, direction, strict=True)]
    return _ExtendedTaylor(order, numbers).along(graph, line)


class _IntervalTaylor(_OverNumbers):
    """Series whose coefficients are intervals: bounds that hold all over the operands' intervals."""

    missing = Coefficient(ENTIRE, INTERVALS)

    def conditions(self, primitive: Primitive, parameter: Parameter, at: list[Any], value: Any) -> list[bool]:
        return [side == SURELY for side in INTERVALS.conditions(primitive, parameter, [c.number for c in at], value.number)]


def enclosed_series(
    graph: Graph, line: Iterable[tuple[Interval, Interval]], order: int, numbers: Intervals
) -> list[tuple[Interval, ...]]:
    """Bounds of the coefficients of every output, while each input runs over an interval, with its speed in another."""
    return _IntervalTaylor(order, numbers).along(graph, line)
