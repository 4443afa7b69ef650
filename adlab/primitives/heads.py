"""Names for functions in partials that SymPy has no class for, or only a class that rewrites them and loses digits.

Rules are written with these names. Each is the head of a primitive: the class that lowers to it. `define` replaces the names by
what they mean, so that SymPy can reason about them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy
from sympy import Function, Rational

# isort: off
from adlab.text.functions import (
    CODEGEN, elliptice, ellipticeinc, ellipticf, ellipticgap, elliptick, ellipticpi, ellipticpic, lambertwm, norm, sigmoid,
    softplus,
)  # fmt: skip
# isort: on


def own(name: str) -> Any:
    """A function class of adlab's own. A user's undefined Function of the same name is a different class."""
    return type(name, (Function,), {})


# SymPy rewrites polylog(1, a) into -log(1 - a), and expint of a whole order into other functions. These classes stay.
hypot, gauss, growth, powshift, xlogy, share = map(own, ("hypot", "gauss", "growth", "powshift", "xlogy", "share"))
sinsquare, cossquare, sphericali = map(own, ("sinsquare", "cossquare", "sphericali"))
cosquare, heading, sharing, expover = map(own, ("cosquare", "heading", "sharing", "expover"))
gausserfinv, gausserfcinv, lambertw1, explambertw = map(own, ("gausserfinv", "gausserfcinv", "lambertw1", "explambertw"))
lambertwm1, explambertwm = map(own, ("lambertwm1", "explambertwm"))
expint, polylog = map(own, ("expint", "polylog"))


class multiplicity(Function):  # type: ignore[misc]  # noqa: N801  # SymPy has no types; it prints like a function
    """How often a prime divides a whole number. It stays as it is while the number is a letter."""

    @classmethod
    def eval(cls, prime: Any, number: Any) -> Any:
        return sympy.Integer(sympy.multiplicity(prime, number)) if number.is_Integer else None


def _spherical_i(n: Any, a: Any) -> Any:
    half = n + Rational(3, 2)
    return sympy.sqrt(sympy.pi) / 2 * (a / 2) ** n * sympy.hyper((), (half,), a**2 / 4) / sympy.gamma(half)


DEFINITIONS: dict[Any, Any] = {
    hypot: lambda a, b: sympy.sqrt(a**2 + b**2),
    gauss: lambda a: sympy.exp(-(a**2)),
    growth: lambda a: sympy.exp(a**2),
    powshift: lambda a, b, n: a ** (b + n if n else b),
    xlogy: lambda a, b: a * sympy.log(b),
    share: lambda a, b: 1 / (1 + sympy.exp(b - a)),
    cosquare: lambda a: 1 - a**2,
    heading: lambda a, b: a / sympy.sqrt(a**2 + b**2),
    sharing: lambda a, b: 1 / (2 + sympy.exp(a - b) + sympy.exp(b - a)),
    expover: lambda a: sympy.exp(a) / a,
    sinsquare: lambda a: sympy.sin(sympy.pi * a**2 / 2),
    cossquare: lambda a: sympy.cos(sympy.pi * a**2 / 2),
    sphericali: _spherical_i,
    gausserfinv: lambda a: sympy.exp(sympy.erfinv(a) ** 2),
    gausserfcinv: lambda a: sympy.exp(sympy.erfcinv(a) ** 2),
    lambertw1: lambda a: 1 + sympy.LambertW(a),
    explambertw: lambda a: sympy.exp(-sympy.LambertW(a)),
    lambertwm1: lambda a: 1 + sympy.LambertW(a, -1),
    explambertwm: lambda a: sympy.exp(-sympy.LambertW(a, -1)),
    expint: sympy.expint,
    polylog: sympy.polylog,
    **{head: head.meaning for head in (elliptice, elliptick, ellipticf, ellipticeinc, ellipticpi, ellipticpic, ellipticgap)},
    **{head: head.meaning for head in (lambertwm, norm, sigmoid, softplus)},
    **CODEGEN,
}
READ_BETTER = (powshift, xlogy)
"""The names that people prefer to see written out."""


def define(rule: Any, names: Iterable[Any] = DEFINITIONS) -> Any:
    """A rule with adlab's own names, or only some of them, replaced by what they mean.

    >>> a, b = sympy.symbols("a b")
    >>> define(hypot(a, b))
    sqrt(a**2 + b**2)
    """
    for name in names:
        rule = rule.replace(name, DEFINITIONS[name])
    return rule
