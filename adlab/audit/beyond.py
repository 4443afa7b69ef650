"""Identities for `rewrites` that keep numbers within binary64's range: the value is ordinary, a part of the formula overflows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import sympy
from sympy import Abs, Add, Mul, Pow, cosh, exp, fraction, gamma, log, loggamma, polygamma, powsimp, sinh, tanh
from sympy.codegen.cfunctions import log1p
from sympy.codegen.numpy_nodes import logaddexp

MOST_TERMS = 6
"""Terms of a denominator, each of which is tried as the one by which a quotient is divided."""


def divided_by_a_term(node: Any) -> Iterator[Any]:
    """N/(d + e) = (N/d)/(1 + e/d): x²/(x² + y²) = 1/(1 + (y/x)²)."""
    above, below = fraction(node)
    if isinstance(below, Pow) and below.exp.is_Integer:
        below, power = below.base, below.exp
    else:
        power = sympy.S.One
    if isinstance(below, Add) and len(below.args) <= MOST_TERMS:
        for term in below.args:
            if not term.is_Number:
                yield powsimp(above / term**power) / Add(*(powsimp(part / term) for part in below.args)) ** power


def one_quotient_after_another(node: Any) -> Iterator[Any]:
    """ab/(cd) = (a/c)·(b/d), where ab or cd leaves the range; 1/x² = (1/x)·(1/x)."""
    if not isinstance(node, (Mul, Pow)):
        return
    above, below = ([part for factor in Mul.make_args(side) for part in _parts(factor)] for side in fraction(node))
    if 2 <= len(below) <= MOST_TERMS and len(above) <= MOST_TERMS:
        for shift in range(min(len(above), 3)):
            turned = above[shift:] + above[:shift] + [sympy.S.One] * (len(below) - len(above))
            quotients = [Mul(a, Pow(b, -1)) for a, b in zip(turned, below, strict=False)]
            yield Mul(*quotients, *turned[len(below) :], evaluate=False)


def _parts(factor: Any) -> list[Any]:
    """x³ as x, x, x."""
    base, power = factor.as_base_exp()
    return [base] * int(power) if power.is_Integer and 1 <= power <= MOST_TERMS else [factor]


def logarithm_of_a_product(node: Any) -> Iterator[Any]:
    """log(ab/c) = log a + log b − log c, and the same with moduli, for negative ones."""
    if isinstance(node, log) and isinstance(node.args[0], Mul):
        powers = [part.as_base_exp() for part in node.args[0].args]
        yield Add(*(power * log(base) for base, power in powers))
        yield Add(*(power * log(base if base.is_positive else Abs(base)) for base, power in powers))


def logarithm_of_a_hyperbolic_wave(node: Any) -> Iterator[Any]:
    """log cosh u = log(eᵘ + e⁻ᵘ) − log 2; log sinh u = u + log1p(−e⁻²ᵘ) − log 2."""
    if isinstance(node, log) and isinstance(node.args[0], (cosh, sinh)):
        u = node.args[0].args[0]
        yield (logaddexp(u, -u) if isinstance(node.args[0], cosh) else u + log1p(-exp(-2 * u))) - log(2)


def hyperbolic_tangent(node: Any) -> Iterator[Any]:
    """sinh u/cosh u = tanh u, and its inverse."""
    if isinstance(node, Mul):
        for u in sorted({wave.args[0] for wave in node.atoms(sinh) & set(map(_base, node.args))}, key=str):
            new = node.xreplace({sinh(u): tanh(u) * cosh(u)})
            if new.count(cosh) < node.count(cosh):
                yield new


def _base(part: Any) -> Any:
    return part.as_base_exp()[0]


def gamma_functions(node: Any) -> Iterator[Any]:
    """Γ(x + 1)/Γ(x) = x; Γ(a)/Γ(b) = exp(log Γ(a) − log Γ(b))."""
    if isinstance(node, Mul):
        powers = [part.as_base_exp() for part in node.args]
        found = [(base.args[0], power) for base, power in powers if isinstance(base, gamma)]
        if len(found) > 1:
            yield sympy.gammasimp(node)
            rest = Mul(*(base**power for base, power in powers if not isinstance(base, gamma)))
            yield rest * exp(Add(*(power * loggamma(u) for u, power in found)))


def steps_of_gamma_functions(sum_: Any) -> Iterator[Any]:
    """log Γ(x + n) − log Γ(x) = Σ log(x + j), ψ(x + n) − ψ(x) = Σ 1/(x + j), for j from 0 to n − 1."""
    if not isinstance(sum_, Add):
        return
    for one, other in permutations(sum_.args, 2):
        factor, upper = one.as_independent(loggamma, polygamma) if isinstance(one, Mul) else (sympy.S.One, one)
        if not isinstance(upper, (loggamma, polygamma)) or (isinstance(upper, polygamma) and upper.args[0] != 0):
            continue
        for lower in (-other / factor).atoms(type(upper)):
            x, n = lower.args[-1], sympy.expand(upper.args[-1] - lower.args[-1])
            if other == -factor * lower and n.is_Integer and 0 < n <= MOST_TERMS:
                each: Any = log if isinstance(upper, loggamma) else (lambda u: 1 / u)
                yield factor * Add(*(each(x + j) for j in range(int(n)))) + (sum_ - one - other)


BEYOND = {
    "divided by a term": divided_by_a_term, "one quotient after another": one_quotient_after_another,
    "logarithm of a product": logarithm_of_a_product,
    "logarithm of a hyperbolic wave": logarithm_of_a_hyperbolic_wave, "hyperbolic tangent": hyperbolic_tangent,
    "gamma functions": gamma_functions, "steps of gamma functions": steps_of_gamma_functions,
}  # fmt: skip
