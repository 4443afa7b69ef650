"""Elliptic integrals and their derivatives by parameter and characteristic, to any number of digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from adlab.precision import CONTEXT
from adlab.text.functions import elliptice, ellipticeinc, ellipticf, ellipticgap, elliptick, ellipticpi, ellipticpic


def derivative(first: int, whole: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """The derivative of order n of a complete integral at m: a hypergeometric function, with the parameter `first`/2.

    DLMF 19.5.1 and 15.5.2.

    >>> print(CONTEXT.nstr(derivative(1, CONTEXT.ellipk)(1, CONTEXT.mpf(0)), 10), CONTEXT.nstr(CONTEXT.pi / 8, 10))
    0.3926990817 0.3926990817
    """

    def value(n: Any, m: Any) -> Any:
        order = int(n)
        if order == 0:
            return whole(m)
        a, b = CONTEXT.mpf(first) / 2, CONTEXT.mpf(1) / 2
        scale = CONTEXT.pi * CONTEXT.rf(a, order) * CONTEXT.rf(b, order) / (2 * CONTEXT.factorial(order))
        return scale * CONTEXT.hyp2f1(order + a, order + b, order + 1, m)

    return value


def _complete_second(m: Any) -> Any:
    """E(m), with extra bits for those that it loses beside 1."""
    with CONTEXT.extraprec(2 * max(0, -CONTEXT.mag(m - 1) if m != 1 else 0) + 10):
        return CONTEXT.ellipe(m)


def _second(*operands: Any) -> Any:
    return _complete_second(*operands) if len(operands) == 1 else CONTEXT.ellipe(*operands)


def _by_parameter(value: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """The derivative of order n of F or E by m: differences, at a precision that mpmath raises for them."""
    return lambda n, angle, m: _steeper(lambda k: value(angle, k), [m], [int(n)])


def _pi(nu: Any, *others: Any) -> Any:
    """Π. Raises ValueError beyond a pole of the integrand, where mpmath takes a minute for a complex number."""
    *angle, m = others
    for k in (nu, m):
        if isinstance(k, CONTEXT.mpf) and k >= 1 and not (angle and _before_the_pole(angle[0], k)):
            raise ValueError("a pole of the integrand")
    return CONTEXT.ellippi(nu, *others)


def _before_the_pole(angle: Any, k: Any) -> bool:
    return bool(abs(angle) < CONTEXT.pi / 2 and abs(k * CONTEXT.sin(angle) ** 2) < 1)


def _third(order: Any, nu: Any, *others: Any) -> Any:
    """Π, differentiated a times by ν and b times by m for the order 2^a 3^b."""
    times = [int(sympy.multiplicity(prime, int(order))) for prime in (2, 3)]
    return _steeper(lambda k, m: _pi(k, *others[:-1], m), [nu, others[-1]], times)


def _steeper(value: Callable[..., Any], at: list[Any], times: list[int]) -> Any:
    """A derivative by differences. Their step is so small, and the bits are so many, that the rest keeps its digits."""
    total, before = sum(times), CONTEXT.prec
    if not total:
        return value(*at)
    with CONTEXT.extraprec((total + 1) * (before + 40)):  # differences of order n lose n times the step's bits
        return CONTEXT.diff(value, tuple(at), tuple(times), h=CONTEXT.ldexp(1, -before - 20))


FUNCTIONS: dict[type, Callable[..., Any]] = {
    sympy.elliptic_k: CONTEXT.ellipk,
    sympy.elliptic_e: _second,
    sympy.elliptic_f: CONTEXT.ellipf,
    sympy.elliptic_pi: _pi,
    elliptick: derivative(1, CONTEXT.ellipk),
    elliptice: derivative(-1, _complete_second),
    ellipticf: _by_parameter(CONTEXT.ellipf),
    ellipticeinc: _by_parameter(CONTEXT.ellipe),
    ellipticpi: _third,
    ellipticpic: _third,
    ellipticgap: lambda angle, m: 1 - m * CONTEXT.sin(angle) ** 2,
}
"""What SymPy's classes mean, and what adlab's names for their derivatives do."""
