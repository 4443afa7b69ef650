"""Functions that are rewritten with other functions: beta, binomial, factorial powers, Dirichlet's eta, orthogonal polynomials.

Each rewriting is an identity of the DLMF. The functions on its right side have primitives, partials and a meaning to the truth.
Gamma functions that overflow on the way do no harm: such points are computed with unlimited exponents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Rational, S, gamma
from sympy.codegen.cfunctions import expm1

from adlab.errors import UnsupportedExpression
from adlab.text.functions import elliptice, ellipticeinc, ellipticf, elliptick, ellipticpi, ellipticpic, lambertwm
from adlab.text.unevaluated import RefusalError, applied, flat

LONGEST_PRODUCT = 64
"""A binomial coefficient or factorial power with up to so many factors is written as a product."""
HIGHEST_DEGREE = 30
"""The highest degree of an orthogonal polynomial. Written as one formula, without names for its parts, a higher one has millions
of operations."""


def _plus(a: Any, b: Any) -> Any:
    if 0 in (a, b):
        return b if a == 0 else a
    return a + b if a.is_Number and b.is_Number else flat(Add, (a, b))


def _minus(a: Any, b: Any) -> Any:
    return _plus(a, -b if b.is_Number else flat(Mul, (S.NegativeOne, b)))


def _over(a: Any, *below: Any) -> Any:
    return flat(Mul, (a, *(flat(Pow, (b, S.NegativeOne)) for b in below)))


def beta(node: Any) -> Any:
    """Γ(a) Γ(b) / Γ(a + b) (5.12.1)."""
    a, b = node.args
    return _over(flat(Mul, (applied(gamma, a), applied(gamma, b))), applied(gamma, _plus(a, b)))


def rising(node: Any) -> Any:
    """Γ(x + k) / Γ(x) (5.2.5)."""
    x, k = node.args
    return _product(x, k, S.One) or _over(applied(gamma, _plus(x, k)), applied(gamma, x))


def falling(node: Any) -> Any:
    """Γ(x + 1) / Γ(x − k + 1) (5.2.6)."""
    x, k = node.args
    up = _plus(x, S.One)
    return _product(x, k, S.NegativeOne) or _over(applied(gamma, up), applied(gamma, _minus(up, k)))


def binomial(node: Any) -> Any:
    """x (x − 1) … (x − k + 1) / k!, and Γ(x + 1) / (Γ(k + 1) Γ(x − k + 1)) for other k (1.2.6, 5.2.6)."""
    x, k = node.args
    whole = _product(x, k, S.NegativeOne)
    if whole is not None:
        return whole if k < 2 else _over(whole, sympy.factorial(k))
    up = _plus(x, S.One)
    return _over(applied(gamma, up), applied(gamma, _plus(k, S.One)), applied(gamma, _minus(up, k)))


def _product(x: Any, k: Any, step: Any) -> Any:
    """x (x + step) (x + 2 step) … with k factors; None where k is not a whole number of moderate size."""
    if not isinstance(k, Integer) or not 0 <= k <= LONGEST_PRODUCT:
        return None
    factors = [_plus(x, i * step) if i else x for i in range(int(k))]
    return S.One if not factors else factors[0] if len(factors) == 1 else flat(Mul, factors)


def eta(node: Any) -> Any:
    """(1 − 2^(1 − s)) ζ(s) (25.2.3), the first factor by expm1, which keeps its digits near s = 1.

    At s = 1 itself, the pole of ζ, the product has no value and is refused, although η(1) = log 2.
    """
    (s,) = node.args[:1]
    small = applied(expm1, flat(Mul, (_minus(S.One, s), applied(sympy.log, Integer(2)))))
    return flat(Mul, (S.NegativeOne, small, applied(sympy.zeta, s)))


def harmonic(node: Any) -> Any:
    """H(x, m) = ζ(m) − ζ(m, x + 1) (25.11.4). None for m = 1, which has a primitive."""
    if len(node.args) == 1 or node.args[1] == 1:
        return None if len(node.args) == 1 else applied(sympy.harmonic, node.args[0])
    x, m = node.args
    return _minus(applied(sympy.zeta, m), applied(sympy.zeta, m, _plus(x, S.One)))


def lambert(node: Any) -> Any:
    """W₀ has one operand, W₋₁ has a name of its own. None for one operand, which has a primitive."""
    if len(node.args) == 1:
        return None
    z, branch = node.args
    if branch not in (0, -1):
        raise UnsupportedExpression(f"LambertW has the real branches 0 and -1, and not {branch}")
    return applied(sympy.LambertW, z) if branch == 0 else applied(lambertwm, z)


def elliptic(node: Any) -> Any:
    """An elliptic integral by the name that says its order of derivative: 0, or 1 = 2⁰ 3⁰ for Π."""
    head = ELLIPTIC[type(node), len(node.args)]
    return applied(head, S.One if isinstance(node, sympy.elliptic_pi) else S.Zero, *node.args)


ELLIPTIC: dict[tuple[Any, int], Any] = {
    (sympy.elliptic_k, 1): elliptick, (sympy.elliptic_e, 1): elliptice, (sympy.elliptic_e, 2): ellipticeinc,
    (sympy.elliptic_f, 2): ellipticf, (sympy.elliptic_pi, 2): ellipticpic, (sympy.elliptic_pi, 3): ellipticpi,
}  # fmt: skip
"""The elliptic integrals by SymPy's class and the number of operands."""


def family(node: Any) -> Any:
    """An orthogonal polynomial that SymPy has not written out."""
    try:
        return polynomial(type(node))(*node.args)
    except RefusalError as reason:
        raise UnsupportedExpression(str(reason)) from None


MEANINGS: dict[Any, Callable[[Any], Any]] = {
    sympy.beta: beta, sympy.RisingFactorial: rising, sympy.FallingFactorial: falling, sympy.binomial: binomial,
    sympy.dirichlet_eta: eta, sympy.harmonic: harmonic, sympy.LambertW: lambert, sympy.elliptic_k: elliptic,
    sympy.elliptic_e: elliptic, sympy.elliptic_f: elliptic, sympy.elliptic_pi: elliptic,
}  # fmt: skip


RECURRENCES: dict[Any, Callable[..., tuple[Any, Any, Any]]] = {
    sympy.legendre: lambda n: (Rational(2 * n + 1, n + 1), 0, Rational(n, n + 1)),
    sympy.chebyshevt: lambda n: (1 if n == 0 else 2, 0, 1),
    sympy.chebyshevu: lambda n: (2, 0, 1),
    sympy.hermite: lambda n: (2, 0, 2 * n),
    sympy.laguerre: lambda n: (Rational(-1, n + 1), Rational(2 * n + 1, n + 1), Rational(n, n + 1)),
    sympy.gegenbauer: lambda n, a: (2 * (n + a) / (n + 1), 0, (n + 2 * a - 1) / (n + 1)),
}
"""For each family the A, B, C of degree n, from 0, by which pₙ₊₁ = (A x + B) pₙ − C pₙ₋₁ (DLMF 18.9.1 and table 18.9.1)."""


def polynomial(family: Any) -> Callable[..., Any]:
    """Builds an orthogonal polynomial of constant degree from its arguments, by the recurrence of its family.

    The recurrence is stable where the polynomial oscillates. Horner's rule in powers cancels there.
    """

    def build(*given: Expr) -> Any:
        degree, *constants, x = given
        if not isinstance(degree, Integer) or not 0 <= degree <= HIGHEST_DEGREE:
            raise RefusalError(f"the degree of `{family.__name__}` is a whole number from 0 to {HIGHEST_DEGREE}, written out", 0)
        if not all(constant.is_Number for constant in constants):
            raise RefusalError(f"`{family.__name__}` takes numbers before its last argument", 1)
        exact = [sympy.nsimplify(constant, rational=True) for constant in constants]
        before, found = S.Zero, S.One
        for n in range(int(degree)):
            a, b, c = map(sympy.sympify, RECURRENCES[family](n, *exact))
            before, found = found, _minus(_times(_plus(_times(a, x), b), found), _times(c, before))
        return found

    return build


def _times(a: Any, b: Any) -> Any:
    if 0 in (a, b) or 1 in (a, b):
        return S.Zero if 0 in (a, b) else b if a == 1 else a
    return a * b if a.is_Number and b.is_Number else flat(Mul, (a, b))


MEANINGS |= dict.fromkeys(RECURRENCES, family)
