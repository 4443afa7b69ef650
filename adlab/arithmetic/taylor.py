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
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from adlab.arithmetic.bounded import BOUNDED, Bounded
from adlab.arithmetic.extended import EXTENDED, Extended, number
from adlab.arithmetic.floats import FLOATS, compiled_rule
from adlab.arithmetic.intervals import INTERVALS, MUL, SURELY
from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.errors import MethodError
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.table import PRIMITIVES

Series = tuple[Any, ...]
DIV = PRIMITIVES["div"]


class Still(tuple[Any, ...]):
    """The series of a number that does not depend on t. The zeros of other series say so only up to their last order."""


class Taylor(Numbers):
    """Series up to t**order. Beyond the value they are NaN where a primitive has no derivative, or is on a kink.

    The coefficients are floats. `bounds` takes others.
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


class Coefficients(np.ndarray[Any, Any]):
    """Taylor coefficients: an array, with a bound on each error and, on request, the truth."""

    bounding: Callable[[], Any]
    judging: Callable[[int], Any]

    def __array_finalize__(self, whole: Any) -> None:
        """A part of the array, or what is computed from it, has neither."""
        self.bounding = self.judging = _only_whole

    @property
    def bound(self) -> Any:
        """A bound on the error of each coefficient, an array of the same shape; infinite where none is known."""
        return self.bounding()

    def truth(self, digits: int = 30) -> Any:
        """The coefficients to so many digits, from the formula itself: mpf numbers in an array of the same shape.

        None where there is none. Raises MethodError for a function that has no formula.
        """
        return self.judging(digits)

    def __repr__(self) -> str:
        return repr(np.asarray(self))


def _only_whole(*_: Any) -> Any:
    raise MethodError("the bound and the truth belong to what f.series(…) returns: take the part of .bound, or of .truth()")
