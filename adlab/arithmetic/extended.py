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
from adlab.primitives.ranges import left_range
from adlab.primitives.special import RoundedOnce
from adlab.truth.meanings import CONTEXT, exact, magnitude, working
from adlab.truth.values import Plan, plan

BITS = 160
"""Bits of the mantissa: three times those of binary64, so that ordinary cancellations leave enough digits."""
STEADY = 1e-12
"""The relative change of an operation's value in binary64 that the rounding of an operand may cause."""
WIDE = 2.0**-80
"""A bound on the relative error of what mpmath computes before it is rounded to a double, with many bits to spare."""
LARGEST_MAGNITUDE = 2**40
"""The largest exponent that is followed, given as its own length in bits. A larger number counts as infinite."""
BEYOND = 2**64
"""From this operand on, exp and its like are infinite, 0, or on their asymptote: their exponents are too large to follow."""
SATURATED = frozenset(["exp", "exp2", "expm1", "sinh", "cosh", "tanh", "sech", "csch", "coth", "gauss", "growth", "erf", "erfc",
                       "sigmoid"])  # fmt: skip
"""Functions that are infinite far from 0, or constant but for less than any number that is followed."""
SUMS_OF_POWERS = frozenset(["logaddexp", "softplus"])
"""log(e^a + e^b), with b = 0 by default: their forms absorb the smaller power."""
WIDER, GUARD = (1, 4, 16), 30
"""Times as many bits are tried in turn until all but `GUARD` of the bits asked for are right."""
SHARES = frozenset(["share", "sharing"])
"""e^a/(e^a + e^b) and its slope: 0 or 1, and 0, where a and b are far apart."""
POWERS = frozenset(["pow", "powr", "cbrt", "powshift"])
"""Powers that may bring a number back that was too small to follow."""
FARTHEST = 2**1000
"""The largest exponent that is reported: a float can hold it. Nothing depends on how much larger a number is."""


class Extended(Numbers):
    """mpmath's numbers of `bits` bits; NaN where an operation has no real value.

    `saturated` says that a number was too large to follow on the way. A 0 may then stand for a number that is too small.
    So it has no power: (exp(-x))**(1/x) is 1/e, however large x is.
    """

    def __init__(self, bits: int = BITS) -> None:
        self.bits, self.saturated = bits, False

    def constant(self, value: Any) -> Any:
        if isinstance(value, sympy.Basic):
            return _constant(value, self.bits)
        if isinstance(value, float):
            return exact(value)  # NaN and infinities too
        with working(self.bits):
            ratio = Fraction(value)
            return CONTEXT.mpf(ratio.numerator) / ratio.denominator

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        native = NATIVE.get(primitive.name)
        with working(self.bits):
            if native is not None:
                return native(*operands) if parameter is None else native(*operands, parameter)
            if any(_lost(operand) for operand in operands):
                return self._far(primitive, parameter, operands)
        if primitive.name in POWERS and self._unknown(*operands):
            return CONTEXT.nan
        try:
            found = self._meant(primitive, parameter, operands)
        except AdlabError:  # no value, or none that the truth can compute: if binary64 has a number, that is used
            if primitive.name in SATURATED and abs(operands[0]) >= BEYOND:
                return self._far(primitive, parameter, operands)
            return self._short(*_known(primitive, parameter, operands))
        number = exact(found)
        return CONTEXT.nan if hasattr(number, "_mpc_") else number

    def _unknown(self, base: Any, *exponent: Any) -> bool:
        """Whether a power is complex, or of a 0 that may stand for another number.

        Beside a real part of 1, an imaginary part of 1e-60 would pass for rounding.
        """
        if base == 0:
            return self.saturated
        return bool(base < 0 and not (exponent and CONTEXT.isint(exponent[0])))

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

    def _meant(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        """The operation as the truth evaluates it, with more bits where its own steps cancel. Raises AdlabError for no value."""
        if primitive.name in SUMS_OF_POWERS:
            with working(self.bits):
                small, big = sorted([*operands, CONTEXT.zero][:2])
                if big - small > BEYOND:  # e^-d is too small to follow
                    self.saturated = True
                    return big
                if big - small > self.bits:  # log(1 + e^-d) is e^-d but for a factor 1 - e^-d/2
                    return big + CONTEXT.exp(small - big)
        if primitive.name in SHARES:
            with working(self.bits):
                apart = operands[0] - operands[1]
                if abs(apart) > BEYOND:
                    self.saturated = True
                    return CONTEXT.one if primitive.name == "share" and apart > 0 else CONTEXT.zero
        made = meaning(primitive, parameter, len(operands))
        for factor in WIDER:
            (outcome,) = made.base(operands, factor * self.bits).outcomes()
            if outcome.failure is not None:
                raise outcome.failure.error()
            if not abs(outcome.value) * CONTEXT.ldexp(1, GUARD - self.bits) < outcome.error < CONTEXT.inf:
                break
        return outcome.value

    def _short(self, found: Any, known: float) -> Any:
        """A number whose relative error is below `known`. A limit, which is taken with more than `BITS` bits, needs them all."""
        return found if self.bits <= BITS else CONTEXT.nan

    def _far(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        """An operation on a number too large to be followed: what it saturates to, or NaN where that is not known."""
        (first, *others) = operands
        if others or CONTEXT.isnan(first) or primitive.name not in SATURATED or abs(first) < BEYOND:
            return CONTEXT.nan
        self.saturated = True
        return exact(primitive.value([math.inf if first > 0 else -math.inf], parameter))

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

    def sub(self, a: Any, b: Any) -> Any:
        """a - b. Python's own -b would round b to whatever precision is set outside."""
        with working(self.bits):
            return a - b

    def mul(self, a: Any, b: Any) -> Any:
        with working(self.bits):
            return a * b


def _lost(number: Any) -> bool:
    """Whether a number is NaN, infinite, or has an exponent too large to follow."""
    return not CONTEXT.isfinite(number) or (number != 0 and abs(magnitude(number)) > LARGEST_MAGNITUDE)


def _known(primitive: Primitive, parameter: Parameter, operands: list[Any]) -> tuple[Any, float]:
    """An operation on the nearest doubles, and a bound on the relative error; NaN where a double's digits are not known."""
    given = [nearest(operand) for operand in operands]
    value = _of_doubles(primitive, parameter, given)
    moved = [k for k, operand in enumerate(operands) if given[k] != operand]
    for k in moved:  # one unit in its last place must not matter
        beside = _of_doubles(primitive, parameter, [*given[:k], math.nextafter(given[k], math.inf), *given[k + 1 :]])
        if not abs(beside - value) <= STEADY * abs(value):
            return CONTEXT.nan, STEADY
    return value, STEADY if moved or not isinstance(primitive.scalar, RoundedOnce) else WIDE


def _of_doubles(primitive: Primitive, parameter: Parameter, given: list[float]) -> Any:
    """An operation on doubles. What mpmath computes may be any number, else NaN stands for one that is not normal."""
    if isinstance(primitive.scalar, RoundedOnce):
        try:
            return exact(primitive.scalar.number(*given, *(() if parameter is None else (parameter,))))
        except (ValueError, ZeroDivisionError, OverflowError):
            return CONTEXT.nan
    value = primitive.value(given, parameter)
    return CONTEXT.nan if (value == 0 and not primitive.vanishes) or left_range(value) else exact(value)


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


def _spherical(a: Any, n: Any) -> Any:
    half = n + CONTEXT.mpf(3) / 2  # DLMF 10.47.7 and 10.39.9
    return CONTEXT.sqrt(CONTEXT.pi) / 2 * (a / 2) ** int(n) * CONTEXT.hyp0f1(half, a * a / 4) / CONTEXT.gamma(half)


def _power(a: Any, n: Any) -> Any:
    return CONTEXT.nan if a == 0 and n < 0 else a ** int(n)


# What mpmath computes of numbers of any size: arithmetic, and what compares and chooses.
NATIVE: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": _quotient, "neg": operator.neg, "abs": abs,
    "lt": _truth(operator.lt), "le": _truth(operator.le), "gt": _truth(operator.gt), "ge": _truth(operator.ge),
    "eq": _truth(operator.eq), "ne": _truth(operator.ne), "min": _extreme(operator.lt), "max": _extreme(operator.gt),
    "and": lambda a, b: a if a == 0 else b if b == 0 else a * b, "or": lambda a, b: a if a == 1 else b if b == 1 else a * b,
    "not": lambda a: 1 - a, "select": _chosen, "powi": _power, "sphericali": _spherical,
    "sqrt": lambda a: CONTEXT.sqrt(a) if a >= 0 else CONTEXT.nan, "log": lambda a: CONTEXT.log(a) if a > 0 else CONTEXT.nan,
}  # fmt: skip


@cache
def _constant(value: sympy.Basic, bits: int) -> Any:
    (found,) = plan([value], []).values([], bits)
    return exact(found)


@cache
def meaning(primitive: Primitive, parameter: Parameter, count: int) -> Plan:
    """One operation on `count` operands, as the truth evaluates its SymPy form."""
    operands = sympy.symbols(f"a0:{count}", real=True)
    given = operands if parameter is None else (*operands, exact_sympy(parameter))
    with sympy.evaluate(False):
        form = primitive.form(*given)
    return plan([form], operands)


EXTENDED = Extended()


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
