"""Numbers of unlimited exponent, computed with more and more bits until rounding no longer matters: the answer is *settled*.

Each number is computed twice, with different random errors in place of rounding. Digits that both have are right.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from adlab.arithmetic.extended import BITS, Extended, nearest, number
from adlab.arithmetic.numbers import evaluate
from adlab.graph.graph import Graph
from adlab.precision import at_most
from adlab.primitives.primitive import Parameter, Primitive
from adlab.truth.meanings import CONTEXT, magnitude, working

PRECISIONS = BITS, 640, 4500
"""Bits of the mantissa that are tried in turn until an answer is settled. The last are enough for a second derivative in which
parts of 2**(1024 + 2*1074) cancel: it is then known to less than the smallest double."""
AGREED = 60
"""Two answers that agree in this many bits are settled. A double has fewer."""
SMALLEST = -1100
"""The magnitude, in bits, below which a number rounds to 0."""
NOISE = 20
"""Bits of a random error. With so many, two walks do not have the same error by chance."""
EXACT = frozenset(["mul", "div", "neg", "abs", "powi"])
"""Operations whose result is exact if it is short. exp(1e-80) is short too, rounded to 1."""
UNDONE: dict[str, Callable[..., bool]] = {
    "sqrt": lambda out, a: out * out == a,
    "cbrt": lambda out, a: out * out * out == a,
    "hypot": lambda out, a, b: out * out == a * a + b * b,
}
"""Roots, with the question whether a result is exact: √4 = 2 is, and a tie with 2 is a tie."""
SPARE = 8
"""A result whose last bits are 0, so many of them, was exact: the odds are at least 256 to 1."""
RESCUE = 60.0
"""Seconds that one point may take. Ten are ordinary for second derivatives of a gamma function that cancel; a special function at
thousands of bits may never end, and then nothing is known there."""


def outputs(graph: Graph, point: Sequence[float]) -> tuple[float, ...]:
    """The outputs at a point, each computed with unlimited exponents and rounded to binary64 once.

    A result beyond the largest double is an infinity, a result below the smallest is 0. NaN where there is no real value.

    >>> import sympy
    >>> from adlab.graph.lowering import lower
    >>> x = sympy.Symbol("x", real=True)
    >>> outputs(lower([sympy.exp(x) / (1 + sympy.exp(x)) ** 2], [x]), [-400.0])
    (1.9151695967140057e-174,)
    """

    def compute(arithmetic: Extended) -> list[Any]:
        values = evaluate(graph, [number(x) for x in point], arithmetic)
        return [values[output] for output in graph.outputs]

    unknown = [CONTEXT.nan] * len(graph.outputs)
    return tuple(map(nearest, at_most(RESCUE, lambda: unknown, settled, compute)))


def _never(*numbers: Any) -> bool:
    return False


class _Unsteady(Extended):
    """Extended numbers, each inexact result off by up to 2**`NOISE` units in its last place, at random.

    Two walks that round in different ways agree in the digits that rounding has left, and in no others (Vignes, A stochastic
    arithmetic for reliable scientific computation, 1993). An exact result, which ends before its last bit, stays as it is.
    """

    def __init__(self, bits: int, seed: int) -> None:
        super().__init__(bits)
        self._random = random.Random(seed)

    def constant(self, value: Any) -> Any:
        return self._rounded(super().constant(value))

    def apply(self, primitive: Primitive, parameter: Parameter, operands: list[Any]) -> Any:
        if primitive.name in ("add", "sub"):
            return self.add(operands[0], operands[1] if primitive.name == "add" else -operands[1])
        found = super().apply(primitive, parameter, operands)
        if primitive.routes or primitive.truth_valued or primitive.piecewise_constant:
            return found
        with working(4 * self.bits):  # exp(0) = 1, log(1) = 0 and the like are exact, too
            exact = all(a in (-1, 0, 1) for a in operands) or UNDONE.get(primitive.name, _never)(found, *operands)
        return self._rounded(found) if exact or primitive.name in EXACT else self._moved(found)

    def add(self, a: Any, b: Any) -> Any:
        found = super().add(a, b)
        with working(self.bits):  # a part that the other absorbs is lost, however short the sum
            return found if found - a == b and found - b == a else self._moved(found)

    def mul(self, a: Any, b: Any) -> Any:
        return self._rounded(super().mul(a, b))

    def _short(self, found: Any, known: float) -> Any:
        """Off by up to `known`, so that no answer is settled that needs more of its digits."""
        with working(self.bits):
            return found * (1 + self._random.randint(-(2**NOISE), 2**NOISE) * CONTEXT.mpf(known) / 2**NOISE)

    def _rounded(self, found: Any) -> Any:
        return found if not CONTEXT.isfinite(found) or bits_used(found) < self.bits - SPARE else self._moved(found)

    def _moved(self, found: Any) -> Any:
        if not CONTEXT.isfinite(found) or found == 0:
            return found
        with working(self.bits):
            return found + CONTEXT.ldexp(self._random.randint(-(2**NOISE), 2**NOISE), magnitude(found) - self.bits)


def moving_what_is_rounded(bits: int) -> Extended:
    """Numbers with an error in the place of every rounding: a 0 that is computed of them is exact."""
    return _Unsteady(bits, 1)


def bits_used(number: Any) -> int:
    """The bits of a finite number from its first 1 to its last."""
    return int(number._mpf_[1]).bit_length()


def settled(compute: Callable[[Extended], list[Any]]) -> list[Any]:
    """The numbers that `compute` finds with so many bits that rounding does not matter; NaN where none are enough.

    It computes twice, and each rounds in another way. What cancels more digits than were kept differs, and is computed
    with more. Nothing that is left at last is said to be 0 unless binary64 has no smaller number.
    """
    found: list[Any] = []
    for bits in PRECISIONS:
        with working(bits):
            found, other = compute(_Unsteady(bits, 1)), compute(_Unsteady(bits, 2))
        same = [_same(a, b) for a, b in zip(found, other, strict=True)]
        if all(same):
            break
    return [a if held or _vanished(a, b) else CONTEXT.nan for a, b, held in zip(found, other, same, strict=True)]


def _same(a: Any, b: Any) -> bool:
    if not CONTEXT.isfinite(a) or not CONTEXT.isfinite(b):
        return bool(a == b or (CONTEXT.isnan(a) and CONTEXT.isnan(b)))
    if a == b:
        return True
    with working(BITS):  # where they differ more they are not the same
        return a != 0 and b != 0 and magnitude(a - b) <= magnitude(a) - AGREED


def _vanished(a: Any, b: Any) -> bool:
    """Whether both are numbers far below the smallest double."""
    return all(CONTEXT.isfinite(each) and (each == 0 or magnitude(each) < SMALLEST) for each in (a, b))
