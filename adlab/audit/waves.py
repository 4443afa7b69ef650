"""Identities for `rewrites` of sines, cosines and tangents, and of their hyperbolic kin."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import sympy
from sympy import (
    Add,
    Mod,
    Mul,
    Pow,
    Rational,
    S,
    acos,
    asin,
    atan,
    atan2,
    cos,
    cosh,
    cot,
    expand,
    fraction,
    log,
    pi,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    together,
)

from adlab.audit.identities import LARGEST


def wave_of_an_inverse(node: Any) -> Iterator[Any]:
    """cos(atan u) = 1/√(1 + u²), sin(atan u) = u/√(1 + u²), and those of asin, acos and atan2."""
    if not isinstance(node, (sin, cos, tan)) or not node.args[0].args:
        return
    inner = node.args[0]
    u = inner.args[0]
    if isinstance(inner, atan):
        c, s = 1 / sqrt(1 + u**2), u / sqrt(1 + u**2)
    elif isinstance(inner, asin):
        c, s = sqrt((1 - u) * (1 + u)), u
    elif isinstance(inner, acos):
        c, s = u, sqrt((1 - u) * (1 + u))
    elif isinstance(inner, atan2):
        y, x = inner.args
        c, s = x / sqrt(x**2 + y**2), y / sqrt(x**2 + y**2)
    else:
        return
    yield {sin: s, cos: c, tan: s / c}[node.func]


def mercator(node: Any) -> Iterator[Any]:
    """log tan(π/4 + u) = asinh(tan 2u)."""
    if isinstance(node, log) and isinstance(node.args[0], tan):
        u = node.args[0].args[0] - pi / 4
        yield sympy.asinh(tan(2 * u))


def sum_of_angles(node: Any) -> Iterator[Any]:
    """sin, cos and tan of a sum: a sum of large angles is rounded."""
    if isinstance(node, (sin, cos, tan)) and isinstance(node.args[0], Add):
        a = node.args[0].args[0]
        b = node.args[0] - a
        if isinstance(node, sin):
            yield sin(a) * cos(b) + cos(a) * sin(b)
        elif isinstance(node, cos):
            yield cos(a) * cos(b) - sin(a) * sin(b)
        else:
            yield (tan(a) + tan(b)) / (1 - tan(a) * tan(b))
            yield sin(node.args[0]) / cos(node.args[0])


def angles_of_a_sum(sum_: Any) -> Iterator[Any]:
    """sin a·cos b ± cos a·sin b = sin(a ± b), cos a·cos b ± sin a·sin b = cos(a ∓ b), also with a common factor."""
    if not isinstance(sum_, Add):
        return
    for one, other in combinations(sum_.args, 2):
        waves = [sorted((p for p in Mul.make_args(term) if isinstance(p, (sin, cos))), key=str) for term in (one, other)]
        for first, second in product(combinations(waves[0], 2), combinations(waves[1], 2)):
            factor_, sign = one / Mul(*first), other * Mul(*first) / (one * Mul(*second))
            if sign not in (1, -1) or {w.args[0] for w in first} != {w.args[0] for w in second}:
                continue
            a, b = (w.args[0] for w in first)
            if {w.func for w in first} == {w.func for w in second} == {sin, cos} and a != b:
                a, b = (a, b) if isinstance(first[0], sin) else (b, a)
                yield factor_ * sin(a + sign * b) + (sum_ - one - other)
            elif {w.func for w in first} == {cos} and {w.func for w in second} == {sin}:
                yield factor_ * cos(a - sign * b) + (sum_ - one - other)
            elif {w.func for w in first} == {sin} and {w.func for w in second} == {cos}:
                yield sign * factor_ * cos(a - sign * b) + (sum_ - one - other)


def period(node: Any) -> Iterator[Any]:
    """sin(πx/q) = sin(π·Mod(x, 2q)/q): the remainder is exact, the product with π is not. Then nearer to a zero of the wave."""
    if not isinstance(node, (sin, cos, tan, cot)):
        return
    t = node.args[0].as_coefficient(pi)
    if t is None or not t.free_symbols:
        return
    number, rest = t.as_coeff_Mul()
    if number.is_Rational and not isinstance(rest, Mod):
        yield node.func(pi * number * Mod(rest, abs((1 if isinstance(node, (tan, cot)) else 2) / number)))
    for other, sign, shift in _SHIFTS.get(node.func, ()):
        # shift − t over one denominator: 90 − x is exact where 1/2 − x/180 is not
        above, below = fraction(together(shift - t))
        turned = Mul(pi, above, Pow(below, -1, evaluate=False), evaluate=False)
        yield sign * other(turned, evaluate=False)


_SHIFTS: dict[Any, tuple[tuple[Any, int, Any], ...]] = {
    sin: ((sin, 1, S.One), (cos, 1, S.Half), (sin, -1, S(2)), (cos, -1, Rational(3, 2))),
    cos: ((sin, 1, S.Half), (cos, -1, S.One), (cos, 1, S(2)), (sin, -1, Rational(3, 2))),
    tan: ((cot, 1, S.Half), (tan, -1, S.One)),
    cot: ((tan, 1, S.Half), (cot, -1, S.One)),
}
"""wave(πt) = sign·other(π(shift − t))."""


def quotient_of_waves(node: Any) -> Iterator[Any]:
    """tan = sin/cos, cot = cos/sin, tanh = sinh/cosh, where they stand beside one of these."""
    known = ((tan, sin, cos), (cot, cos, sin), (tanh, sinh, cosh))
    swapped = {wave: top(wave.args[0]) / low(wave.args[0]) for kind, top, low in known for wave in node.atoms(kind)}
    if isinstance(node, Mul) and swapped:
        yield node.xreplace(swapped)


def pythagoras(sum_: Any) -> Iterator[Any]:
    """cos² = 1 − sin², cosh² = 1 + sinh², 1/cosh² = 1 − tanh² and back, in a sum."""
    if not isinstance(sum_, (Add, Mul)) or sympy.count_ops(sum_) > LARGEST:
        return
    pairs = ((cos, sin, 1, -1), (sin, cos, 1, -1), (cosh, sinh, 1, 1), (sinh, cosh, -1, 1), (tanh, cosh, 1, 0))
    for kind, other, constant, sign in pairs:
        for u in sorted({wave.args[0] for wave in sum_.atoms(kind)}, key=str):
            square = constant + sign * other(u) ** 2 if sign else 1 - cosh(u) ** -2
            new = sum_.xreplace({kind(u) ** 2: square})
            if new != sum_:
                yield expand(new) if isinstance(sum_, Add) else new


WAVES = {
    "wave of an inverse": wave_of_an_inverse, "period": period, "Mercator": mercator, "sum of angles": sum_of_angles,
    "one angle": angles_of_a_sum, "quotient of waves": quotient_of_waves, "Pythagoras": pythagoras,
}  # fmt: skip
