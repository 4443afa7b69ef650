"""Numbers whose exponent has no limit: they give the answer where binary64 overflows or underflows on the way.

A number is one of mpmath's, with `BITS` bits. `adlab.truth` says what each operation means, so an enormous exp, a gamma function
or an error function far out has its value too. The result is rounded to binary64 once, at the end. This walk takes a thousand
times as long as a walk on floats. So it is used only at points where binary64 has run out of range.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from adlab.arithmetic.numbers import Numbers, Values, evaluate, rule_inputs
from adlab.errors import AdlabError
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, exact_sympy
from adlab.truth.meanings import CONTEXT, exact, magnitude, working
from adlab.truth.values import Plan, plan

BITS = 160
"""Bits of the mantissa: three times those of binary64, so that ordinary cancellations leave enough digits."""
LARGEST_MAGNITUDE = 2**40
"""The largest exponent that is followed, given as its own length in bits. A larger number counts as infinite."""


FARTHEST = 2**1000
"""The largest exponent that is reported: a float can hold it. Nothing depends on how much larger a number is."""


class Extended(Numbers):
    """mpmath's numbers of `bits` bits; NaN where an operation has no real value."""

    def __init__(self, bits: int = BITS) -> None:
        self.bits = bits

    def constant(self, value: Any) -> Any:
        if isinstance(value, sympy.Basic):
            (found,) = plan([value], []).values([], self.bits)
            return exact(found)
        if isinstance(value, float):
            return exact(value)  # NaN and infinities too
        with working(self.bits):
            ratio = Fraction(value)
            return CONTEXT.mpf(ratio.numerator) / ratio.denominator

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        native = NATIVE.get(primitive.name)
        with working(self.bits):
            if native is not None:
                return native(*operands)
            if any(_lost(operand) for operand in operands):
                return CONTEXT.nan
        try:
            (found,) = meaning(primitive, parameter, len(operands)).values(operands, self.bits)
        except AdlabError:  # no value, or none that the truth can compute: if binary64 has a number, that is used
            value = primitive.value([nearest(operand) for operand in operands], parameter)
            doubtful = abs(value) == math.inf or (value == 0 and not primitive.vanishes) or 0 < abs(value) < 2.0**-1022
            return CONTEXT.nan if doubtful else exact(value)
        number = exact(found)
        return CONTEXT.nan if hasattr(number, "_mpc_") else number

    def partials(self, graph: Graph, position: int, values: Values[Any]) -> Sequence[Any]:
        """By the rule of the table. None for an operand that a choosing operation has not chosen."""
        found = super().partials(graph, position, values)
        return [None if partial == 0 else partial for partial in found] if graph.nodes[position].primitive.routes else found

    def pullback(self, graph: Graph, position: int, values: Values[Any], bar: Any) -> Sequence[Any]:
        """By the rule for adjoint × partial as a whole, as on floats."""
        primitive, _, parameter = graph.nodes[position]
        if primitive.routes:
            return super().pullback(graph, position, values, bar)
        rule = rules.pullback(primitive, parameter)
        inside = evaluate(rule, [*rule_inputs(graph, position, values), bar], self)
        return [inside[output] for output in rule.outputs]

    def div(self, a: Any, b: Any) -> Any:
        """a / b; NaN for b = 0."""
        with working(self.bits):
            return _quotient(a, b)

    def size(self, number: Any) -> float:
        """The magnitude of a number as a power of two; -inf for 0, inf for NaN and infinity."""
        if number == 0:
            return -math.inf
        if not CONTEXT.isfinite(number):
            return math.inf
        return float(max(-FARTHEST, min(FARTHEST, magnitude(number))))

    def power_of_two(self, exponent: int) -> Any:
        """2**exponent, exactly."""
        return CONTEXT.ldexp(CONTEXT.mpf(1), exponent)

    def add(self, a: Any, b: Any) -> Any:
        with working(self.bits):
            return a + b

    def mul(self, a: Any, b: Any) -> Any:
        with working(self.bits):
            return a * b


def _lost(number: Any) -> bool:
    """Whether a number is NaN, infinite, or has an exponent too large to follow."""
    return not CONTEXT.isfinite(number) or (number != 0 and abs(magnitude(number)) > LARGEST_MAGNITUDE)


def _quotient(a: Any, b: Any) -> Any:
    return CONTEXT.nan if b == 0 else a / b


def _truth(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    def condition(a: Any, b: Any) -> Any:
        return CONTEXT.nan if CONTEXT.isnan(a) or CONTEXT.isnan(b) else CONTEXT.mpf(int(holds(a, b)))

    return condition


def _chosen(condition: Any, a: Any, b: Any) -> Any:
    return CONTEXT.nan if CONTEXT.isnan(condition) else b if condition == 0 else a


def _extreme(better: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    return lambda a, b: a if CONTEXT.isnan(a) or better(a, b) else b


# Operations that need no function of mpmath's: arithmetic, comparisons and choices.
NATIVE: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": _quotient, "neg": operator.neg, "abs": abs,
    "lt": _truth(operator.lt), "le": _truth(operator.le), "gt": _truth(operator.gt), "ge": _truth(operator.ge),
    "eq": _truth(operator.eq), "ne": _truth(operator.ne), "min": _extreme(operator.lt), "max": _extreme(operator.gt),
    "and": lambda a, b: a if a == 0 else b if b == 0 else a * b, "or": lambda a, b: a if a == 1 else b if b == 1 else a * b,
    "not": lambda a: 1 - a, "select": _chosen,
}  # fmt: skip


@cache
def meaning(primitive: Primitive, parameter: Parameter, count: int) -> Plan:
    """One operation on `count` operands, as the truth evaluates its SymPy form."""
    operands = sympy.symbols(f"a0:{count}", real=True)
    given = operands if parameter is None else (*operands, exact_sympy(parameter))
    with sympy.evaluate(False):
        form = primitive.form(*given)
    return plan([form], operands)


EXTENDED = Extended()


def outputs(graph: Graph, point: Sequence[float]) -> tuple[float, ...]:
    """The outputs at a point, each computed with unlimited exponents and rounded to binary64 once.

    A result beyond the largest double is an infinity, a result below the smallest is 0. NaN where there is no real value.

    >>> from adlab.graph.lowering import lower
    >>> x = sympy.Symbol("x", real=True)
    >>> outputs(lower([sympy.exp(x) / (1 + sympy.exp(x)) ** 2], [x]), [-400.0])
    (1.9151695967140057e-174,)
    """
    values = evaluate(graph, [number(x) for x in point], EXTENDED)
    return tuple(nearest(values[output]) for output in graph.outputs)


def number(x: float) -> Any:
    """A double as a number of unlimited exponent."""
    return exact(x)


def nearest(number: Any) -> float:
    """The double nearest to a number: one rounding."""
    if not CONTEXT.isfinite(number):
        return float(number)
    if number != 0 and magnitude(number) > 1100:
        return float("inf") if number > 0 else float("-inf")
    if number != 0 and magnitude(number) < -1200:
        return 0.0 if number > 0 else -0.0
    return float(number)
