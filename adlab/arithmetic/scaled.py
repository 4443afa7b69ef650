"""Batches with exponents of their own: many points at once where binary64 overflows or underflows on the way.

A number is m × 2**e: an array of doubles m, with 1/2 <= |m| < 1 or m = 0, and an array of whole numbers e. A batch is walked
twice, and the second walk moves every result by some units in its last place, at random. Where both walks agree, an
answer has lost few digits. Other rows, and rows that meet an operation which is not known here outside binary64's range, are
not settled: `extended` computes them one by one, a hundred times as slowly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from adlab.arithmetic.numbers import Numbers, evaluate
from adlab.graph import rules
from adlab.graph.graph import Graph
from adlab.primitives.primitive import Parameter, Primitive, to_float
from adlab.primitives.ranges import left_range

Array = Any
FloatArray = npt.NDArray[np.float64]
LOWEST = -(2**40)
"""The exponent of 0: below every other, so that a sum takes the exponent of its other part."""
ALIGNED = 1100
"""A part of a sum that is so many bits below the other changes no digit of it."""
LARGEST_POWER = 500
"""|m|**n is a normal double for exponents up to here."""
LN2_HIGH, LN2_LOW = 0.693147180369123816490, 1.90821492927058770002e-10
"""log 2 in two parts (fdlibm): k × the first is exact for |k| < 2**20."""
FARTHEST = 7e5
"""exp is computed of operands up to here: k stays below 2**20."""
NOISE = 2**20
"""A result is moved by at most this many units in its last place. Of so many, two walks seldom have the same by chance: where
all digits have cancelled, what is left of both agrees about once in two million rows."""
DIGITS = 2.0**-18
"""Two walks of which one is moved agree to this: 38 bits are right. exp(-1000) alone has lost ten, as it has inside the range."""


class Scaled(NamedTuple):
    """m × 2**e."""

    m: Array
    e: Array


class _Scaling(Numbers):
    """Arrays of m × 2**e; `unknown` marks the rows at which an operation has no form here."""

    def __init__(self, rows: int, random: np.random.Generator | None) -> None:
        self.unknown = np.zeros(rows, dtype=bool)
        self.random = random

    def constant(self, value: Any) -> Scaled:
        number = to_float(value)
        if math.isinf(number):
            self.unknown[:] = True
        return scaled(number)

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Scaled]) -> Scaled:
        own = OPERATIONS.get(primitive.name)
        result = self._elsewhere(primitive, parameter, operands) if own is None else own(self, parameter, *operands)
        if not rules.unconditional(primitive):
            exists = rules.conditions(primitive, parameter)
            held = evaluate(exists, [*operands, result], self)[exists.outputs[0]]
            result = Scaled(np.where(held.m > 0, result.m, np.nan), result.e)
        return result if self.random is None or primitive.routes or primitive.truth_valued else self._moved(result)

    def _moved(self, number: Scaled) -> Scaled:
        assert self.random is not None
        turns = self.random.integers(-NOISE, NOISE + 1, size=np.shape(number.m))
        return Scaled(number.m * (1 + turns * 2.0**-52), number.e)

    def _elsewhere(self, primitive: Primitive, parameter: Parameter, operands: list[Scaled]) -> Scaled:
        """By NumPy where operands and result are normal doubles; elsewhere unknown."""
        given = [unscaled(operand) for operand in operands]
        found = primitive.array(*given) if parameter is None else primitive.array(*given, parameter)
        for operand, number in zip(operands, given, strict=True):
            self.unknown |= left_range(number) | ((number == 0) & (operand.m != 0))
        self.unknown |= left_range(found)
        if not primitive.vanishes:
            self.unknown |= found == 0
        return scaled(found)


def scaled(number: Array) -> Scaled:
    """Doubles as m × 2**e."""
    return _normal(np.asarray(number, dtype=float), np.zeros(np.shape(number), dtype=np.int64))


def unscaled(number: Scaled) -> Array:
    """The nearest doubles."""
    return np.ldexp(number.m, np.clip(number.e, -2 * ALIGNED, 2 * ALIGNED).astype(np.int32))


def _normal(m: Array, e: Array) -> Scaled:
    m, moved = np.frexp(m)
    return Scaled(m, np.where(m == 0, LOWEST, e + moved))


def _add(self: _Scaling, _: Parameter, a: Scaled, b: Scaled) -> Scaled:
    top = np.maximum(a.e, b.e)
    parts = [np.ldexp(x.m, np.maximum(x.e - top, -2 * ALIGNED).astype(np.int32)) for x in (a, b)]
    return _normal(parts[0] + parts[1], top)


def _sub(self: _Scaling, _: Parameter, a: Scaled, b: Scaled) -> Scaled:
    return _add(self, None, a, Scaled(-b.m, b.e))


def _mul(self: _Scaling, _: Parameter, a: Scaled, b: Scaled) -> Scaled:
    return _normal(a.m * b.m, a.e + b.e)


def _div(self: _Scaling, _: Parameter, a: Scaled, b: Scaled) -> Scaled:
    return _normal(a.m / np.where(b.m == 0, np.nan, b.m), a.e - b.e)


def _powi(self: _Scaling, n: Parameter, a: Scaled) -> Scaled:
    if abs(n) > LARGEST_POWER:
        self.unknown[:] = True
    if n < 0:
        self.unknown |= a.m == 0
    return _normal(np.power(a.m, float(n)), np.where(a.m == 0, 0, a.e) * int(n))


def _sqrt(self: _Scaling, _: Parameter, a: Scaled) -> Scaled:
    odd = a.e & 1
    return _normal(np.sqrt(np.ldexp(a.m, odd.astype(np.int32))), (a.e - odd) // 2)


def _exp(self: _Scaling, _: Parameter, a: Scaled) -> Scaled:
    x = unscaled(a)
    self.unknown |= np.abs(x) > FARTHEST
    x = np.clip(x, -FARTHEST, FARTHEST)
    k = np.rint(x / math.log(2))
    return _normal(np.exp((x - k * LN2_HIGH) - k * LN2_LOW), np.where(np.isnan(k), 0, k).astype(np.int64))


def _square_exp(sign: float) -> Callable[..., Scaled]:
    """exp(±a²): of a = high + low the square of high is exact, so that no digit of a² is lost."""

    def found(self: _Scaling, _: Parameter, a: Scaled) -> Scaled:
        x = unscaled(a)
        split = x * (2.0**27 + 1)
        high = split - (split - x)
        rest = sign * (x - high) * (x + high)
        return _mul(self, None, _exp(self, None, scaled(sign * high * high)), _exp(self, None, scaled(rest)))

    return found


def _log(self: _Scaling, _: Parameter, a: Scaled) -> Scaled:
    near = np.abs(a.e) < 900
    inside = np.where(near, unscaled(a), 1.0)
    return scaled(np.where(near, np.log(inside), np.log(a.m) + a.e * math.log(2)))


def _compared(holds: Callable[[Array], Array]) -> Callable[..., Scaled]:
    def found(self: _Scaling, _: Parameter, a: Scaled, b: Scaled) -> Scaled:
        rest = _sub(self, None, a, b).m
        return scaled(np.where(np.isnan(rest), np.nan, holds(rest)))

    return found


def _where(condition: Array, a: Scaled, b: Scaled) -> Scaled:
    return Scaled(np.where(condition, a.m, b.m), np.where(condition, a.e, b.e))


def _select(self: _Scaling, _: Parameter, condition: Scaled, a: Scaled, b: Scaled) -> Scaled:
    found = _where(condition.m != 0, a, b)
    return Scaled(np.where(np.isnan(condition.m), np.nan, found.m), found.e)


def _extreme(sign: float) -> Callable[..., Scaled]:
    def found(self: _Scaling, _: Parameter, a: Scaled, b: Scaled) -> Scaled:
        rest = sign * _sub(self, None, a, b).m
        return _where((rest > 0) | np.isnan(a.m), a, b)

    return found


OPERATIONS: dict[str, Callable[..., Scaled]] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "powi": _powi, "sqrt": _sqrt, "exp": _exp, "log": _log,
    "gauss": _square_exp(-1.0), "growth": _square_exp(1.0), "select": _select, "min": _extreme(-1.0), "max": _extreme(1.0),
    "neg": lambda self, _, a: Scaled(-a.m, a.e), "abs": lambda self, _, a: Scaled(np.abs(a.m), a.e),
    "sign": lambda self, _, a: scaled(np.sign(a.m)),
    "lt": _compared(lambda rest: rest < 0), "le": _compared(lambda rest: rest <= 0), "gt": _compared(lambda rest: rest > 0),
    "ge": _compared(lambda rest: rest >= 0), "eq": _compared(lambda rest: rest == 0), "ne": _compared(lambda rest: rest != 0),
}  # fmt: skip
"""The operations that have a form for all exponents. Every other operation is NumPy's, where the numbers are doubles."""


def settled_rows(graph: Graph, points: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """The outputs at points, shapes (N, inputs) and (N, outputs), and which rows are settled: finite, with few digits lost.

    >>> from adlab.graph.lowering import lower
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> graph = lower([sympy.exp(-x) / (1 + sympy.exp(-x)) ** 2], [x])
    >>> rows, settled = settled_rows(graph, np.array([[-400.0], [-800.0]]))
    >>> [f"{row:.6g}" for row in rows[:, 0]], settled.tolist()
    (['1.91517e-174', '0'], [True, True])
    """
    found, known = [], np.ones(len(points), dtype=bool)
    with np.errstate(all="ignore"):
        for random in (None, np.random.default_rng(1)):
            arithmetic = _Scaling(len(points), random)
            values = evaluate(graph, [scaled(column) for column in points.T], arithmetic)
            found.append([values[output] for output in graph.outputs])
            known &= ~arithmetic.unknown
        for a, b in zip(*found, strict=True):
            apart = _sub(arithmetic, None, a, b)
            known &= ((apart.m == 0) & (a.e == b.e)) | (np.ldexp(np.abs(apart.m), _steps(apart.e - a.e)) <= DIGITS)
            known &= np.isfinite(a.m)
        rows = [np.broadcast_to(unscaled(a), len(points)) for a in found[0]]
    return np.stack(rows, axis=1), known


def _steps(e: Array) -> Array:
    return np.clip(e, -2 * ALIGNED, 2 * ALIGNED).astype(np.int32)
