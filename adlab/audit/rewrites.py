"""Other ways to write an expression: identities of calculus, each true wherever both sides have a value.

A rewrite takes one expression and yields equal ones. Which of them keeps its digits is for `improve` to measure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from itertools import combinations
from typing import Any

import sympy
from sympy import Add, Integer, Mul, Pow, Rational, S, cos, exp, log, sin
from sympy.codegen.cfunctions import expm1, hypot, log1p
from sympy.codegen.numpy_nodes import logaddexp

from adlab.audit.beyond import BEYOND
from adlab.audit.expansion import beside_a_centre
from adlab.audit.identities import IDENTITIES, LARGEST, root_of
from adlab.audit.waves import WAVES
from adlab.errors import GaveUp
from adlab.precision import in_time, patience
from adlab.text.functions import sigmoid, softplus
from adlab.text.traversal import postorder

Rewrite = Callable[[Any], Iterator[Any]]
SECONDS = 6.0
"""The longest that SymPy may take for one rewrite: factoring and the like can take minutes.

A busy machine may need ten times as long.
"""
_FAILURES = (GaveUp, sympy.PolynomialError, ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError)
_SHORT = 1024
"""The largest denominator of a decimal that is read as a fraction."""
_NEAREST = 64
"""The largest denominator of a number at which a stationary point is looked for."""


def rewrites(expression: Any, near: dict[Any, float]) -> Iterator[tuple[str, Any]]:
    """(name, equal expression) for every identity that fits the expression itself. `near` is the point it is for.

    >>> x = sympy.Symbol("x", positive=True)
    >>> sorted({str(new) for name, new in rewrites(exp(x) - 1, {x: 1e-9}) if name == "expm1"})
    ['expm1(x)']
    """
    asked = [*_RULES, ("about a stationary point", lambda node: _recentred(node, near))]
    for name, rewrite in asked:
        for new in _as_far_as_sympy_goes(rewrite(expression)):
            if new != expression:
                yield name, new


def series(expression: Any, near: dict[Any, float]) -> Iterator[tuple[str, Any]]:
    """("series", expression) with a power series beside a centre: no identity, and good only where it is used."""
    for new in _as_far_as_sympy_goes(beside_a_centre(expression, near)):
        yield "series", new


def _as_far_as_sympy_goes(found: Iterator[Any]) -> Iterator[Any]:
    """What a rule yields until SymPy fails on it, with errors of many kinds, or takes too long."""
    while True:
        try:
            with patience(SECONDS):
                new = in_time(next, found, None)
        except _FAILURES:
            return
        if new is None:
            return
        yield new


def _pairs(sum_: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(a, b, rest) with a sum = a − b + rest, for every two terms of opposite sign."""
    if not isinstance(sum_, Add):
        return
    for first, second in combinations(sum_.args, 2):
        rest = Add(*(term for term in sum_.args if term is not first and term is not second))
        for a, b in ((first, second), (second, first)):
            if b.could_extract_minus_sign() and not a.could_extract_minus_sign():
                yield a, -b, rest


def _as_root(term: Any) -> tuple[Any, Any, Any] | None:
    """(factor, base, exponent) of a term c·bᵖ with a fraction p."""
    factor, rest = term.as_independent(Pow) if not isinstance(term, Pow) else (S.One, term)
    if isinstance(rest, Pow) and isinstance(rest.exp, Rational) and not isinstance(rest.exp, Integer):
        return factor, rest.base, rest.exp
    return None


def _conjugate(sum_: Any) -> Iterator[Any]:
    """c√A − d√B = (c²A − d²B)/(c√A + d√B), and √A − B likewise. The sign of a term is not always seen, so both are tried."""
    if not isinstance(sum_, Add):
        return
    for a, b in combinations(sum_.args, 2):
        if any((root := _as_root(term)) is not None and root[2] == S.Half for term in (a, b)):
            rest = Add(*(term for term in sum_.args if term is not a and term is not b))
            yield sympy.expand(a**2 - b**2) / (a - b) + rest
            yield sympy.factor(sympy.expand(a**2 - b**2)) / (a - b) + rest


def _cube_roots(sum_: Any) -> Iterator[Any]:
    """A^(1/3) − B^(1/3) = (A − B)/(A^(2/3) + (AB)^(1/3) + B^(2/3))."""
    for a, b, rest in _pairs(sum_):
        roots = [_as_root(a), _as_root(b)]
        if all(root is not None and root[2] == Rational(1, 3) for root in roots):
            yield sympy.expand(a**3 - b**3) / (a**2 + a * b + b**2) + rest


def _powers(sum_: Any) -> Iterator[Any]:
    """A^p − B^p = B^p·expm1(p·log1p((A − B)/B)), where A and B are positive."""
    for a, b, rest in _pairs(sum_):
        if isinstance(a, Pow) and isinstance(b, Pow) and a.exp == b.exp and a.base != b.base:
            yield b * expm1(a.exp * log1p(sympy.simplify((a.base - b.base) / b.base))) + rest
        if (isinstance(a, Pow) and b == 1) or (isinstance(b, Pow) and a == 1):
            power, sign = (a, 1) if b == 1 else (b, -1)
            yield sign * expm1(power.exp * _log(power.base)) + rest


def _log(base: Any) -> Any:
    """log(1 + u) as log1p(u)."""
    return log1p(base - 1) if isinstance(base, Add) and S.One in base.args else log(base)


def _expm1(sum_: Any) -> Iterator[Any]:
    """c·exp(u) − c = c·expm1(u); exp(u) − exp(v) = exp(v)·expm1(u − v)."""
    for a, b, rest in _pairs(sum_):
        for sign, one, other in ((1, a, b), (-1, b, a)):
            factor, power = one.as_independent(exp) if not isinstance(one, exp) else (S.One, one)
            if not isinstance(power, exp):
                continue
            if factor == other:
                yield sign * factor * expm1(power.args[0]) + rest
            elif isinstance(other, exp) and factor == 1:
                yield sign * other * expm1(sympy.expand(power.args[0] - other.args[0])) + rest


def _log1p(node: Any) -> Iterator[Any]:
    """log(1 + u) = log1p(u); log(u) = log1p(u − 1); log of a quotient near 1."""
    if isinstance(node, log):
        yield log1p(sympy.expand(node.args[0] - 1))
        yield log1p(sympy.factor(node.args[0] - 1))
        numerator, denominator = sympy.fraction(sympy.together(node.args[0]))
        if denominator != 1:
            yield log1p(sympy.expand(numerator - denominator) / denominator)


def _logs(sum_: Any) -> Iterator[Any]:
    """log(A) − log(B) = log1p((A − B)/B)."""
    for a, b, rest in _pairs(sum_):
        if isinstance(a, log) and isinstance(b, log):
            yield log1p(sympy.expand(a.args[0] - b.args[0]) / b.args[0]) + rest
            yield log(a.args[0] / b.args[0]) + rest


def _softplus(node: Any) -> Iterator[Any]:
    """log(1 + eᵘ) = softplus(u); log(eᵘ + eᵛ) = logaddexp(u, v); 1/(1 + eᵘ) = sigmoid(−u)."""
    if isinstance(node, (log, log1p)):
        inner = node.args[0] + (1 if isinstance(node, log1p) else 0)
        powers = [_logarithm(term) for term in inner.args] if isinstance(inner, Add) else []
        if powers and None not in powers:
            yield reduce(lambda u, v: softplus(v) if u == 0 else softplus(u) if v == 0 else logaddexp(u, v), powers)
    if isinstance(node, Pow) and node.exp == -1 and isinstance(node.base, Add) and isinstance(node.base - 1, exp):
        yield sigmoid(-(node.base - 1).args[0])


def _logarithm(term: Any) -> Any:
    """u + log c of a term c·eᵘ or c with a number c > 0, None of others."""
    number, rest = term.as_coeff_Mul()
    power = rest.args[0] if isinstance(rest, exp) else S.Zero if rest == 1 else None
    return None if power is None or not number.is_positive else power + log(number)


def _quotients_of_exponentials(node: Any) -> Iterator[Any]:
    """eᵘ/(eᵘ + c) divided by eᵘ above and below."""
    numerator, denominator = sympy.fraction(node)
    if isinstance(denominator, Add):
        powers = {power for power in numerator.atoms(exp) | denominator.atoms(exp) if power.free_symbols}
        for factor in sorted(powers, key=str):
            below = Add(*(sympy.powsimp(term / factor) for term in denominator.args))
            yield sympy.powsimp(numerator / factor) / below
            for better in _expm1(below):
                yield sympy.powsimp(numerator / factor) / better


def _trigonometry(sum_: Any) -> Iterator[Any]:
    """A + c·cos u = (A + c) − 2c·sin²(u/2); differences of sines, cosines, tangents and arc tangents as products."""
    if isinstance(sum_, Add):
        for term in sum_.args:
            factor, wave = term.as_independent(cos) if not isinstance(term, cos) else (S.One, term)
            if isinstance(wave, Mul):
                wave = next((part for part in wave.args if isinstance(part, cos)), wave)
                factor = term / wave
            if isinstance(wave, cos):
                others = sympy.factor(sum_ - term + factor)
                yield others - 2 * factor * sin(wave.args[0] / 2) ** 2
    for a, b, rest in _pairs(sum_):
        if isinstance(a, cos) and isinstance(b, cos):
            yield -2 * sin((a.args[0] + b.args[0]) / 2) * sin(sympy.expand(a.args[0] - b.args[0]) / 2) + rest
        if isinstance(a, sin) and isinstance(b, sin):
            yield 2 * cos((a.args[0] + b.args[0]) / 2) * sin(sympy.expand(a.args[0] - b.args[0]) / 2) + rest
        if isinstance(a, sympy.tan) and isinstance(b, sympy.tan):
            yield sin(sympy.expand(a.args[0] - b.args[0])) / (cos(a.args[0]) * cos(b.args[0])) + rest
        if isinstance(a, sympy.tanh) and isinstance(b, sympy.tanh):
            below = sympy.cosh(a.args[0]) * sympy.cosh(b.args[0])
            yield sympy.sinh(sympy.expand(a.args[0] - b.args[0])) / below + rest
        if isinstance(a, sympy.atan) and isinstance(b, sympy.atan):  # the angle between (1, x) and (1, y)
            x, y = a.args[0], b.args[0]
            yield sympy.atan2(sympy.expand(x - y), 1 + x * y) + rest


def _half_angle(node: Any) -> Iterator[Any]:
    """(1 − cos u)/sin u = tan(u/2)."""
    numerator, denominator = sympy.fraction(node)
    for wave in sorted(denominator.atoms(sin), key=str):
        if sympy.expand(numerator - 1 + cos(wave.args[0])) == 0 and denominator == wave:
            yield sympy.tan(wave.args[0] / 2)


def _sinc(node: Any) -> Iterator[Any]:
    """sin(cu)ᵏ/uᵏ = cᵏ sinc(cu)ᵏ."""
    if not isinstance(node, Mul):
        return
    for power in node.args:
        wave, k = power.as_base_exp()
        if isinstance(wave, sin) and k.is_Integer and k > 0:
            scale, letter = wave.args[0].as_coeff_Mul()
            rest = node / power * letter**k
            if not rest.has(letter) or sympy.count_ops(rest) < sympy.count_ops(node / power):
                yield scale**k * sympy.sinc(wave.args[0]) ** k * rest


def _hypot(node: Any) -> Iterator[Any]:
    """√(A² + B²) = hypot(A, B); of more terms hypot(hypot(A, B), C), and so on."""
    if isinstance(node, Pow) and node.exp in (S.Half, -S.Half) and isinstance(node.base, Add):
        sides = [root_of(term) for term in node.base.args]
        if None not in sides:
            yield reduce(hypot, sides) ** (1 if node.exp == S.Half else -1)


def _algebra(change: Callable[[Any], Any]) -> Rewrite:
    """One of SymPy's changes of form, for expressions that are small enough."""

    def rewrite(node: Any) -> Iterator[Any]:
        if isinstance(node, (Add, Mul, Pow)) and sympy.count_ops(node) <= LARGEST:
            yield change(node)

    return rewrite


def _by_variable(node: Any) -> Iterator[Any]:
    """Partial fractions in each variable."""
    if isinstance(node, (Add, Mul, Pow)) and sympy.count_ops(node) <= LARGEST:
        known: dict[Any, Any] = {}
        rational = _rational(node, known)
        back = {letter: part for part, letter in known.items()}
        for variable in sorted(node.free_symbols & rational.free_symbols, key=str):
            yield sympy.apart(rational, variable).xreplace(back)


def _rational(node: Any, known: dict[Any, Any]) -> Any:
    """The expression with a letter for each part that is not rational. Among roots, SymPy's division may take minutes."""
    if isinstance(node, (Add, Mul)) or (isinstance(node, Pow) and node.exp.is_Integer):
        return node.func(*(_rational(part, known) for part in node.args))
    return node if node.is_Rational or node.is_Symbol else known.setdefault(node, sympy.Dummy(f"part{len(known)}"))


def _horner(node: Any) -> Iterator[Any]:
    """A polynomial by Horner's rule, in each variable."""
    if isinstance(node, (Add, Mul)) and sympy.count_ops(node) <= LARGEST:
        for variable in sorted(node.free_symbols, key=str):
            if node.is_polynomial(variable):
                yield sympy.horner(node, variable)


def _difference_over_one_denominator(node: Any) -> Any:
    numerator, denominator = sympy.fraction(sympy.together(node))
    return sympy.factor(sympy.expand(numerator)) / denominator


def exact_constants(expression: Any) -> Any:
    """Decimals that are short binary fractions, such as 2.0 and 0.5, as the fractions they are: algebra needs these."""
    short = {number: value for number in expression.atoms(sympy.Float) if (value := Rational(float(number))).q <= _SHORT}
    return expression.xreplace(short) if short else expression


def evaluated(expression: Any) -> Any:
    """The expression as SymPy writes it: terms in order, powers collected. `x*x` becomes `x**2`."""
    made: dict[Any, Any] = {}
    for part in postorder([exact_constants(expression)]):
        made[part] = part.func(*(made[arg] for arg in part.args)) if part.args else part
    return made[exact_constants(expression)]


def _recentred(node: Any, near: dict[Any, float]) -> Iterator[Any]:
    """f(c) + (x − c)²·g(x) about a stationary point c: the derivative's sum over paths then has no terms that cancel."""
    if len(node.free_symbols) != 1 or sympy.count_ops(node) > LARGEST or not isinstance(node, (Add, Mul, Pow)):
        return
    [x] = node.free_symbols
    if x not in near or not node.is_rational_function(x):
        return
    centre = Rational(near[x]).limit_denominator(_NEAREST)
    if centre != 0 and sympy.diff(node, x).subs(x, centre) == 0:
        there = node.subs(x, centre)
        yield there + sympy.factor(sympy.together(node - there))


_RULES: list[tuple[str, Rewrite]] = [*{
    "conjugate": _conjugate, "cube roots": _cube_roots, "powers": _powers, "expm1": _expm1, "log1p": _log1p, "logarithms": _logs,
    "softplus": _softplus, "divided by an exponential": _quotients_of_exponentials, "trigonometry": _trigonometry,
    "half angle": _half_angle, "sinc": _sinc, "hypot": _hypot,
    "one denominator": _algebra(sympy.together), "factors": _algebra(sympy.factor), "expansion": _algebra(sympy.expand),
    "common factors": _algebra(sympy.cancel), "one factored quotient": _algebra(_difference_over_one_denominator),
    "partial fractions": _by_variable, "Horner": _horner,
}.items(), *IDENTITIES.items(), *WAVES.items(), *BEYOND.items()]  # fmt: skip
