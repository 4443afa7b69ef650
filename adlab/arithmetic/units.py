"""Units of measurement, checked along a graph: a formula that adds metres to seconds is refused.

A unit is a product of powers of base units: {"m": 1, "s": -2}. Products multiply units, sums need equal ones, and functions such
as exp need a number without a unit. The constant 0 may have any unit.

>>> from adlab.arithmetic.numbers import evaluate
>>> from adlab.graph.lowering import lower
>>> import sympy
>>> g, h = sympy.symbols("g h", real=True)
>>> fall = lower([sympy.sqrt(2 * h / g)], [g, h])
>>> print(evaluate(fall, [Unit.of("m/s**2"), Unit.of("m")], Units())[-1])
s
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from adlab.arithmetic.numbers import Numbers
from adlab.errors import MethodError, OptionError
from adlab.primitives.primitive import Parameter, Primitive, to_float

FACTOR = re.compile(r"(?P<by>[*/])\s*(?P<name>[^\W\d]\w*|1)\s*(?:\*\*\s*(?P<power>-?\d+(?:/\d+)?))?\s*")
SUMS = ("add", "sub", "min", "max", "mod", "hypot", "norm")
COMPARED = ("lt", "le", "gt", "ge", "eq", "ne", "atan2")
KEPT = ("neg", "abs", "floor", "ceiling")


@dataclass(frozen=True)
class Unit:
    """Powers of base units; none for a plain number. `anything` marks the constant 0."""

    powers: Mapping[str, Fraction]
    anything: bool = False

    @classmethod
    def of(cls, text: str) -> Unit:
        """From a text such as "kg*m/s**2", or "1". Raises OptionError for anything else.

        >>> print(Unit.of("kg*m/s**2"), Unit.of("1/s"))
        kg*m*s**-2 s**-1
        """
        powers: dict[str, Fraction] = {}
        rest, place = "*" + text.strip(), 0
        while place < len(rest):
            factor = FACTOR.match(rest, place)
            if factor is None:
                raise OptionError(f"{text!r} is no unit; write it as kg*m/s**2, or 1")
            if factor["name"] != "1":
                power = Fraction(factor["power"] or 1) * (1 if factor["by"] == "*" else -1)
                powers[factor["name"]] = powers.get(factor["name"], Fraction(0)) + power
            place = factor.end()
        return cls({name: power for name, power in powers.items() if power})

    def times(self, other: Unit, sign: int = 1) -> Unit:
        """The product, or with sign −1 the quotient."""
        powers = dict(self.powers)
        for name, power in other.powers.items():
            powers[name] = powers.get(name, Fraction(0)) + sign * power
        return Unit({name: power for name, power in powers.items() if power}, self.anything)

    def to_the(self, exponent: Fraction) -> Unit:
        return Unit({name: power * exponent for name, power in self.powers.items()})

    def __str__(self) -> str:
        return "*".join(f"{name}**{p}" if p.denominator == 1 and p != 1 else f"{name}**({p})" if p != 1 else name
                        for name, p in self.powers.items()) or "1"  # fmt: skip


PLAIN = Unit({})


class Units(Numbers):
    """A `Unit` for every node. Raises MethodError for an operation on units that do not go together."""

    def constant(self, value: Any) -> Unit:
        number = to_float(value)
        return Unit({}, anything=number == 0 or number != number)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Unit]) -> Unit:
        name = primitive.name
        if name in ("mul", "div"):
            return operands[0].times(operands[1], 1 if name == "mul" else -1)
        if name in SUMS or name in COMPARED:
            unit = self._one(name, operands)
            return unit if name in SUMS else PLAIN
        if name == "select":
            return self._one(name, operands[1:])
        if name in KEPT:
            return operands[0]
        if name in ("sqrt", "cbrt", "powi", "powr"):
            exponent = {"sqrt": Fraction(1, 2), "cbrt": Fraction(1, 3)}.get(name)
            return operands[0].to_the(Fraction(parameter) if exponent is None else exponent)
        for operand in operands:
            if operand.powers:
                raise MethodError(f"{name} needs a number without a unit, and this has {operand}")
        return PLAIN

    @staticmethod
    def _one(name: str, operands: list[Unit]) -> Unit:
        """The unit that all of them have."""
        known = [operand for operand in operands if not operand.anything]
        for operand in known[1:]:
            if operand.powers != known[0].powers:
                raise MethodError(f"{name} of {known[0]} and {operand}: the units differ")
        return Unit(known[0].powers) if known else operands[0]
