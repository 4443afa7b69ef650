"""Numbers that know how wrong they may be: a float, and a bound on its distance from the exact number.

This is the running error bound, a bound that is computed along with each value, as one more arithmetic (Higham, Accuracy and
Stability of Numerical Algorithms, 3.3). An operation rounds its result, by the table's `ulps` at most. It also passes on the
errors of its operands: each error times the steepest that the partial can be while the operands move by their errors. That
slope comes from the table's rule, walked on intervals. Where a jump or kink is in reach, or this bound is worse, the values
over those intervals bound the error directly. Both sweeps run on these numbers as on any other. So each partial comes with its
bound.

>>> from adlab.arithmetic.numbers import evaluate
>>> from adlab.graph.lowering import lower
>>> import sympy
>>> x = sympy.Symbol("x", real=True)
>>> third = evaluate(lower([sympy.exp(x) / 3], [x]), [Bounded(1.0)], BOUNDED)[-1]
>>> third.value, 0 < third.error < 1e-15
(0.9060939428196817, True)
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import sympy

from adlab.arithmetic.floats import FLOATS
from adlab.arithmetic.intervals import ADD, INTERVALS, MUL, SURELY, exactly, steepness
from adlab.arithmetic.numbers import Numbers, Values, evaluate
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.ranges import ENTIRE, TINIEST, Interval

UP = 1 + 2.0**-46
"""Covers the roundings of the few additions and products of positive numbers that compute one error."""


class Bounded(NamedTuple):
    """`value` differs from the exact number by `error` at most. `why` says what made the error infinite."""

    value: float
    error: float = 0.0
    why: str = ""

    @property
    def interval(self) -> Interval:
        """The interval that holds the exact number."""
        if not self.error:
            return self.value, self.value
        if not (self.error < math.inf and math.isfinite(self.value)):
            return ENTIRE
        return math.nextafter(self.value - self.error, -math.inf), math.nextafter(self.value + self.error, math.inf)


class BoundedNumbers(Numbers):
    """The doubles of `FLOATS`, each with a bound on its error."""

    def constant(self, value: Any) -> Bounded:
        nearest = to_float(value)
        if nearest != nearest:
            return Bounded(nearest, math.inf, "no condition of the Piecewise holds")
        return Bounded(nearest, 0.0 if exactly(value) else math.ulp(nearest))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Bounded]) -> Bounded:
        value = FLOATS.apply(primitive, parameter, [operand.value for operand in operands])
        if not any(operand.error for operand in operands):
            if value == 0 and (primitive.name in ("add", "sub") or _nothing_from_nothing(primitive, operands)):
                return Bounded(value)  # x − x and 0·x are exactly 0
            if math.isfinite(value):
                return Bounded(value, primitive.ulps and primitive.ulps * math.ulp(value) + TINIEST)
            return Bounded(value, math.inf, f"{_written(primitive, parameter, operands)} is {value}")
        return self._moved(primitive, parameter, operands, value)

    def _moved(self, primitive: Primitive, parameter: Parameter, operands: list[Bounded], value: float) -> Bounded:
        """The error of an operation whose operands have errors."""
        intervals = [operand.interval for operand in operands]
        low, high = INTERVALS.apply(primitive, parameter, intervals)
        error = max(high - value, value - low)
        exists, *_, smooth = INTERVALS.conditions(primitive, parameter, intervals, (low, high))
        conditional = primitive.smooth is not sympy.true  # a choice between branches may jump anywhere
        if exists == SURELY and (not primitive.jumps or (conditional and smooth == SURELY)):
            steep = steepness(primitive, parameter, intervals, (low, high))
            passed = sum([s * operand.error for s, operand in zip(steep, operands, strict=True) if operand.error])
            error = min(error, passed + primitive.ulps * math.ulp(value))
        error = error * UP + TINIEST
        if error < math.inf:
            return Bounded(value, error)
        inherited = next((operand.why for operand in operands if operand.why), "")
        trouble = "no bound is known on {}" if exists == SURELY else "{} may be outside its domain"
        return Bounded(value, math.inf, inherited or trouble.format(_written(primitive, parameter, operands)))

    def pullback(self, graph: Graph, position: int, values: Values[Bounded], bar: Bounded) -> list[Bounded | None]:
        """By the same rules as on floats: see `Floats`."""
        primitive, operands, parameter = graph.nodes[position]
        if primitive.routes:
            partials = self.partials(graph, position, values)
            return [None if partial == (0.0, 0.0, "") else self.mul(bar, partial) for partial in partials]
        rule = rules.pullback(primitive, parameter)
        inside = evaluate(rule, [*[values[operand] for operand in operands], values[position], bar], self)
        return [inside[output] for output in rule.outputs]

    def exists(self, value: Bounded) -> bool:
        """Whether this is a number: everything is, except NaN."""
        return value.value == value.value

    def add(self, a: Bounded, b: Bounded) -> Bounded:
        return self.apply(ADD, None, [a, b])

    def mul(self, a: Bounded, b: Bounded) -> Bounded:
        return self.apply(MUL, None, [a, b])


BOUNDED = BoundedNumbers()


def _nothing_from_nothing(primitive: Primitive, operands: list[Bounded]) -> bool:
    """Whether a 0 is exact because an operand is 0. Not for special functions of two: at order 0 the value may underflow."""
    return (len(operands) == 1 or not primitive.special) and any(operand.value == 0 for operand in operands)


def _written(primitive: Primitive, parameter: Parameter, operands: list[Bounded]) -> str:
    """The operation on the numbers that it met: `log(1.2e-17 ± 3e-16)`."""
    shown = [f"{o.value:.6g}" if not o.error else f"({o.value:.6g} ± {o.error:.2g})" for o in operands]
    return re.sub(r"([(] ?|, )[(]([^()]*)[)][)]", r"\1\2)", primitive.written(tuple(shown), parameter))
