"""The power series of an expression about a point, from its values on a circle in the complex plane.

No rule of calculus is used. c_k·rᵏ is a mean of values on the circle |t| = r (Cauchy's formula). So a pole, or a removable
singularity, at the centre does no harm. The values have so many digits that the coefficients have some 60.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy
from sympy import Abs, Add, Mul, Piecewise, Pow, Rational, log

from adlab.errors import AdlabError
from adlab.precision import CONTEXT, working
from adlab.truth.values import Failure, Plan, plan

SHIFT = 10
"""The circle's radius is 2⁻¹⁰. What is not analytic within 8 times that has no series here."""
POLE, LAST, CIRCLE = 8, 32, 64
"""The highest order of a pole, the last power, the points on the circle. A mean of 64 values has c_(k + 64)·r⁶⁴ in it, too."""
BITS = SHIFT * LAST + 300
"""Working precision: 200 bits are left of the last coefficient, and 100 for what cancels in the expression near the centre."""
LOST = 100
"""Bits of the values that may be lost to cancellation and rounding. What is smaller is 0."""
LARGEST_DENOMINATOR = 10**22
"""A coefficient that agrees to 180 bits with a fraction of such a denominator is that fraction, another one a decimal."""
MOST_TERMS = 14
"""Terms of a polynomial that is written."""
SMALL = 12
"""The series is asked of an expression of at most this many operations."""
NEAREST = 64
"""The largest denominator of a number other than 0 that is taken as a centre."""
EDGES = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 3e-4, 1e-4)
"""How far from the centre a polynomial may be used, widest first. Outside, what cancels near the centre costs few digits."""
NEGLIGIBLE = 2.0**-54
"""What the terms left out may be, relative to the first one, in the value and in the derivative: half a rounding of binary64."""


def beside_a_centre(node: Any, near: Mapping[Any, float]) -> Iterator[Any]:
    """Where a small u is, the Taylor polynomial in u; elsewhere the node. u is a variable, 1/x, x − c or a product."""
    if sympy.count_ops(node) > SMALL or not isinstance(node, (Add, Mul, Pow, log)):
        return
    for u in _small(node, near):
        size = float(u.xreplace({x: sympy.Float(value, 30) for x, value in near.items()}))
        t, x = sympy.Dummy("t", real=True), min(u.free_symbols, key=str)
        if u.is_Add:
            inside = node.xreplace({x: t + x - u})
        elif (power := u.as_powers_dict().get(x, 0)) in (1, -1):
            inside = node.xreplace({x: t}) if u == x else sympy.cancel(node.xreplace({x: (t * x**power / u) ** power}))
        else:
            continue
        factor, inside = inside.as_independent(t, as_Add=False)
        if inside.free_symbols == {t} and not inside.is_polynomial(t) and (found := power_series(inside, t)):
            for terms, edge in polynomials(found, abs(size)):
                yield Piecewise((factor.xreplace({t: u}) * written(terms, u), Abs(u) < edge), (node, True))


def _small(node: Any, near: Mapping[Any, float]) -> list[Any]:
    """Expressions in the node's variables that are near 0: x, 1/x, an inner product such as x·y, and x − c."""
    inner = {part.args[0].as_coeff_Mul()[1] for part in node.atoms(sympy.Function) if part.args}
    found = [*node.free_symbols, *(1 / x for x in node.free_symbols), *(u for u in inner if isinstance(u, (Mul, Pow)))]
    for x in node.free_symbols:
        if len(node.free_symbols) == 1 and x in near and (centre := Rational(near[x]).limit_denominator(NEAREST)):
            found += [x - centre] * _special(node, x, centre)
    at = {x: sympy.Float(value, 30) for x, value in near.items()}
    sizes = {u: u.xreplace(at) for u in found}
    return sorted((u for u, size in sizes.items() if size.is_number and size.is_real and abs(size) < EDGES[0]), key=str)


def _special(node: Any, x: Any, centre: Any) -> bool:
    """Whether the node is 0, stationary or without a value at the centre. Elsewhere a series about it has nothing to mend."""
    try:
        [value, slope] = plan([part.xreplace({x: centre + x}) for part in (node, sympy.diff(node, x))], [x]).values([0], BITS)
    except (AdlabError, ArithmeticError, TypeError, ValueError):
        return True
    return bool(min(abs(value), abs(slope)) < CONTEXT.ldexp(1, -LOST))


def power_series(expression: Any, t: Any) -> dict[int, Any] | None:
    """The coefficients of the expression in t, without those that are 0. None where it is not analytic about 0, or 0.

    >>> t = sympy.Symbol("t")
    >>> [str(c) for k, c in power_series((1 - sympy.cos(t)) / t**2, t).items() if k < 6]
    ['1/2', '-1/24', '1/720']
    >>> power_series(sympy.sqrt(t), t)
    """
    try:
        steps = plan([expression], [t])
        with working(BITS):
            turns = [CONTEXT.expjpi(CONTEXT.mpf(2 * j) / CIRCLE) for j in range(CIRCLE // 2 + 1)]
            values = [_value(steps, turn * CONTEXT.ldexp(1, -SHIFT)) for turn in turns]
            found = _coefficients(values, turns)
            if found is None or not _agrees(found, steps):
                return None
            return {k: _written(c) for k, c in found.items()}
    except (AdlabError, ArithmeticError, TypeError, ValueError):
        return None


def _value(steps: Plan, place: Any) -> Any:
    """The value at a real or complex place. Raises ValueError where there is none."""
    value = steps.base([place], BITS).slots[steps.outputs[0]]
    if isinstance(value, (bool, Failure)):
        raise ValueError(value)
    return value


def _coefficients(values: list[Any], turns: list[Any]) -> dict[int, Any] | None:
    """Of the values on the upper half of the circle. The lower half has their conjugates, where the coefficients are real."""
    half = CIRCLE // 2
    circle = [turns[j] if j <= half else turns[CIRCLE - j].conjugate() for j in range(CIRCLE)]
    scaled = {}
    for k in range(-POLE, LAST + 1):
        inner = sum((values[j] * circle[-j * k % CIRCLE]).real for j in range(1, half))
        scaled[k] = (2 * inner + (values[0] * circle[0]).real + (values[half] * circle[-half * k % CIRCLE]).real) / CIRCLE
    largest = max(map(abs, scaled.values()))
    if not largest:
        return None
    last = max(abs(scaled[k]) for k in range(LAST - 3, LAST + 1)) / largest
    if last > CONTEXT.ldexp(1, -3 * LAST):
        return None  # no power series: the terms do not decrease
    ratio = last ** (CONTEXT.mpf(1) / LAST)
    noise = {k: largest * max(CONTEXT.ldexp(1, LOST - BITS), 2**10 * ratio ** (CIRCLE + k)) for k in scaled}
    if abs(scaled[-POLE]) > noise[-POLE]:
        return None
    return {k: CONTEXT.ldexp(c, SHIFT * k) for k, c in scaled.items() if abs(c) > noise[k]}


def _agrees(series: dict[int, Any], steps: Plan) -> bool:
    """Whether the series has the expression's value at real places on both sides: |t| is constant on the circle."""
    for place in (CONTEXT.ldexp(1, -SHIFT - 2), -CONTEXT.ldexp(1, -SHIFT - 2)):
        value = _value(steps, place)
        terms = [c * place**k for k, c in series.items()]
        if abs(sum(terms) - value) > CONTEXT.ldexp(max(map(abs, terms)), -LOST):
            return False
    return True


def _written(number: Any) -> Any:
    """A fraction that it agrees with, or the nearest number of binary64."""
    sign, mantissa, exponent, _ = number._mpf_
    exact = Fraction(-mantissa if sign else mantissa) * Fraction(2) ** exponent
    near = exact.limit_denominator(LARGEST_DENOMINATOR)
    if near and abs(near - exact) <= abs(exact) / 2**180:
        return sympy.Rational(near.numerator, near.denominator)
    return sympy.Float(repr(float(number)), 17)


def polynomials(series: dict[int, Any], size: float) -> Iterator[tuple[dict[int, Any], float]]:
    """A polynomial that is as good as the series at distances from 0 below an edge, and the edge. `size` must be inside.

    >>> t = sympy.Symbol("t")
    >>> [(len(terms), edge) for terms, edge in polynomials(power_series(sympy.sin(t) / t, t), 0.01)]
    [(10, 1.0)]
    """
    powers = sorted(series)
    sizes = {k: abs(float(c)) for k, c in series.items()}
    for edge in EDGES:
        if edge <= size:
            return
        for count in range(1, min(MOST_TERMS, len(powers)) + 1):
            if _enough(sizes, powers, count, edge):
                yield {k: series[k] for k in powers[:count]}, edge
                return


def _enough(sizes: dict[int, float], powers: list[int], count: int, edge: float) -> bool:
    """Whether so many terms give value and derivative, and the first term outweighs the others, so that nothing cancels."""
    for weights in ({k: sizes[k] for k in powers}, {k: abs(k) * sizes[k] for k in powers if k}):
        terms = [weights[k] * edge**k for k in powers if k in weights]
        kept = sum(1 for k in powers[:count] if k in weights)
        if not terms or not kept or sum(terms[1:]) > terms[0] or sum(terms[kept:]) > NEGLIGIBLE * terms[0]:
            return False
        if kept == len(terms) and powers[-1] > LAST - 2:  # what comes after the last term is not known
            return False
    return True


def written(terms: dict[int, Any], u: Any) -> Any:
    """The polynomial in u by Horner's rule.

    >>> print(written({1: sympy.Rational(1, 2), 3: sympy.Integer(4)}, sympy.Symbol("u")))
    u*(4*u**2 + 1/2)
    """
    powers = sorted(terms)
    inner = terms[powers[-1]]
    for low, high in reversed(list(pairwise(powers))):
        inner = terms[low] + u ** (high - low) * inner
    return u ** powers[0] * inner
