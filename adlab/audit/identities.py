"""More identities for `rewrites`: of inverse functions, of squares, logarithms and branches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import sympy
from sympy import (
    Abs,
    Add,
    Max,
    Min,
    Mul,
    Piecewise,
    Pow,
    S,
    acos,
    acosh,
    asin,
    atan2,
    atanh,
    cosh,
    erf,
    erfc,
    exp,
    expand,
    factor,
    fraction,
    log,
    sinh,
    sqrt,
    tanh,
    together,
)
from sympy.codegen.cfunctions import expm1, hypot, log1p

from adlab.text.functions import sigmoid

LARGEST = 60
"""SymPy is asked to expand, to factor or to cancel an expression of at most this many operations. These may blow it up."""


def conjugate_of_the_whole(sum_: Any) -> Iterator[Any]:
    """R − √B = (R² − B)/(R + √B), where R is a sum."""
    if isinstance(sum_, Add) and len(sum_.args) > 2:
        for term in sum_.args:
            if any(isinstance(part, Pow) and part.exp == S.Half for part in Mul.make_args(term)):
                rest = sum_ - term
                square = expand(rest**2 - term**2)
                yield square / (rest - term)
                yield factor(square) / (rest - term)


def inverse_by_an_angle(node: Any) -> Iterator[Any]:
    """asin u and acos u as the angle of a point, with 1 − u² as a product. A denominator that is a root stays whole."""
    if isinstance(node, (asin, acos)):
        [u] = node.args
        above, below = fraction(u)
        if not below.is_nonnegative:
            above, below = u, S.One
        for other in (sqrt((below - above) * (below + above)), sqrt(factor(expand(below**2 - above**2)))):
            yield atan2(above, other) if isinstance(node, asin) else atan2(other, above)


def inverse_by_log1p(node: Any) -> Iterator[Any]:
    """atanh u = log1p(2u/(1 − u))/2; acosh u = log1p((u − 1) + √((u − 1)(u + 1)))."""
    if isinstance(node, atanh):
        [u] = node.args
        yield log1p(2 * u / (1 - u)) / 2
        above, below = fraction(together(u))
        yield log1p(2 * above / (below - above)) / 2
        root = sqrt(below**2) if below == 1 else below
        square = expand(below**2 - above**2)
        yield log((root + above) ** 2 / square) / 2
    if isinstance(node, acosh):
        [u] = node.args
        yield log1p((u - 1) + sqrt((u - 1) * (u + 1)))


def power_of_a_square(node: Any) -> Iterator[Any]:
    """(A²)ᵖ = |A|²ᵖ; log(Aᵖ) = p·log|A|, log √A = log(A)/2."""
    if isinstance(node, Pow) and isinstance(node.base, Pow) and node.base.exp.is_even:
        yield Abs(node.base.base) ** (node.base.exp * node.exp)
    if isinstance(node, log) and isinstance(node.args[0], Pow):
        base, p = node.args[0].args
        yield p * log(Abs(base) if p.is_even else base)
    if isinstance(node, log):
        above, below = fraction(node.args[0])
        if above == 1 and below != 1:
            yield -log(below)


def power_by_log1p(node: Any) -> Iterator[Any]:
    """(1 + u)ᵖ = exp(p·log1p u), where p is no whole number: the power is then large near u = 0, and 1 + u is rounded."""
    if isinstance(node, Pow) and isinstance(node.base, Add) and S.One in node.base.args and not node.exp.is_Number:
        yield exp(node.exp * log1p(node.base - 1))


def squares(sum_: Any) -> Iterator[Any]:
    """a² − b² = (a − b)(a + b), also with b = 1, and with a common factor."""
    if not isinstance(sum_, Add):
        return
    for one, other in product(sum_.args, repeat=2):
        a, b = root_of(one), root_of(-other)
        if a is not None and b is not None and (a.free_symbols or b.free_symbols):
            yield (a - b) * (a + b) + (sum_ - one - other)


def root_of(term: Any) -> Any:
    """A whole root of an even power or of a positive number, None where there is none."""
    if term.is_Number:
        root = sqrt(term)
        return root if root.is_Rational else None
    number, rest = term.as_coeff_Mul()
    root = sqrt(number) if number.is_positive else None
    if root is None or not root.is_Rational:
        return None
    powers = [part.as_base_exp() for part in Mul.make_args(rest)]
    return root * Mul(*(base ** (k / 2) for base, k in powers)) if all(k.is_even for _, k in powers) else None


def root_beside_its_side(sum_: Any) -> Iterator[Any]:
    """a + √(u² + w) = (a ± u) + w/(√(u² + w) ± u): where a and ±u cancel, they do so exactly, and in the derivative too."""
    if not isinstance(sum_, Add):
        return
    for term in sum_.args:
        for root in Mul.make_args(term):
            if isinstance(root, hypot):
                sides = [(root.args[0], root.args[1] ** 2), (root.args[1], root.args[0] ** 2)]
            elif isinstance(root, Pow) and root.exp == S.Half and isinstance(root.base, Add):
                squares_ = [(root_of(square), root.base - square) for square in root.base.args]
                sides = [(u, w) for u, w in squares_ if u is not None and u.free_symbols]
            else:
                continue
            for (u, w), sign in product(sides, (1, -1)):
                yield expand(sum_ - term + term / root * sign * u) + term / root * w / (root + sign * u)


def inside_the_root(node: Any) -> Iterator[Any]:
    """N/√D = sign(N)/√(D/N²): the sum over paths of the left side cancels where D is near a multiple of N²."""
    if not isinstance(node, Mul):
        return
    for root in node.args:
        base, p = root.as_base_exp()
        if p != -S.Half or not isinstance(base, Add):
            continue
        for part in Mul.make_args(node / root):
            n, k = part.as_base_exp()
            if k == 1 and n.free_symbols & base.free_symbols:
                for inner in (expand(base / n**2), base / n**2):
                    yield sympy.sign(n) * (node / root / n) / sqrt(inner)


def exponentials_and_waves(sum_: Any) -> Iterator[Any]:
    """eᵘ ± e⁻ᵘ as 2cosh u and 2sinh u; 1 − erf u = erfc u; 1 − tanh u = 2·sigmoid(−2u)."""
    if not isinstance(sum_, Add):
        return
    for one, other in product(sum_.args, repeat=2):
        rest = sum_ - one - other
        c, power = one.as_independent(exp) if not isinstance(one, exp) else (S.One, one)
        if isinstance(power, exp) and other in (c / power, -c / power):
            yield (2 * c * (cosh if other == c / power else sinh)(power.args[0])) + rest
        for wave, complement in ((erf, erfc), (tanh, lambda u: 2 * sigmoid(-2 * u))):
            for u in sorted((w.args[0] for w in other.atoms(wave)), key=str):
                if other == -one * wave(u):
                    yield one * complement(u) + rest
                if other == one * wave(u):
                    yield one * complement(-u) + rest


def remainder(node: Any) -> Iterator[Any]:
    """N/D = q + (N − qD)/D, with a constant q that takes a term of N away."""
    above, below = fraction(node)
    if not isinstance(below, Add) or sympy.count_ops(node) > LARGEST:
        return
    found = {q for n in Add.make_args(above) for d in below.args if (q := n / d).is_Number}
    for q in sorted(found, key=lambda q: (abs(q), q < 0)):
        rest = expand(above - q * below)
        yield q + rest / below
        yield q + factor(rest) / below


def weighted_logarithms(sum_: Any) -> Iterator[Any]:
    """a·log A − b·log B = (a − b)·log A + b·log1p((A − B)/B)."""
    if not isinstance(sum_, Add):
        return
    for one, other in product(sum_.args, repeat=2):
        a, first = one.as_independent(log) if not isinstance(one, log) else (S.One, one)
        b, second = (-other).as_independent(log)
        if isinstance(first, log) and isinstance(second, log) and first != second:
            A, B = first.args[0], second.args[0]
            if sympy.count_ops(gap := expand(A - B)) < sympy.count_ops(A) + 2:
                yield expand(a - b) * first + b * log1p(gap / B) + (sum_ - one - other)


def logarithm_of_exponentials(node: Any) -> Iterator[Any]:
    """c·log R = c·ka + c·(log(R/eᵏᵃ)) for a quotient R of sums Σcⱼeʲᵃ: what is linear leaves the logarithm.

    A sum with Σcⱼ = 1 is written log1p(Σcⱼ·expm1(ja)), another one as its term k, and log1p of the rest.
    """
    for root in node.args if isinstance(node, Mul) else (node,):
        if isinstance(root, log) and sympy.count_ops(root) <= LARGEST and root.has(exp):
            rest = node / root
            for linear, logarithms in _without_exponentials(root.args[0]):
                yield sympy.cancel(rest * linear) + rest * logarithms


def _without_exponentials(quotient: Any) -> Iterator[tuple[Any, Any]]:
    """(ka, log(R/eᵏᵃ)) for each pair of terms, one above and one below, that are taken out."""
    powers = sorted((power for power in quotient.atoms(exp) if power.free_symbols), key=str)
    if not powers or quotient.has(sympy.Float):  # sums of decimals would be rounded
        return
    a, letter = powers[0].args[0], sympy.Dummy("e", positive=True)
    multiples = {power: sympy.cancel(power.args[0] / a) for power in powers}
    if not all(multiple.is_Integer for multiple in multiples.values()):
        return
    parts = fraction(together(quotient.xreplace({power: letter**k for power, k in multiples.items()})))
    sums = [sympy.collect(expand(part), letter, evaluate=False) for part in parts]
    terms = [{sympy.degree(power, letter) if power.has(letter) else 0: c for power, c in each.items()} for each in sums]
    if any(c.has(letter) for each in terms for c in each.values()):
        return
    for above, below in product(*map(sorted, terms)):
        yield (above - below) * a, _taken_out(terms[0], above, a) - _taken_out(terms[1], below, a)


def _taken_out(terms: dict[int, Any], k: int, a: Any) -> Any:
    """log of Σcⱼe⁽ʲ⁻ᵏ⁾ᵃ."""
    others = {j - k: factor(c) for j, c in terms.items() if j != k}
    if expand(sum(terms.values()) - 1) == 0:
        return log1p(Add(*(c * expm1(j * a) for j, c in others.items())))
    first = factor(terms[k])
    return log(first) + log1p(Add(*(c / first * exp(j * a) for j, c in others.items())))


def moduli(node: Any) -> Iterator[Any]:
    """|a|·|b| = |ab|, and |a|/|b| likewise."""
    if isinstance(node, Mul):
        sizes = [part for part in node.args if isinstance(part.as_base_exp()[0], Abs)]
        if len(sizes) > 1:
            inner = Mul(*(part.as_base_exp()[0].args[0] ** part.as_base_exp()[1] for part in sizes))
            yield Abs(expand(inner)) * Mul(*(part for part in node.args if part not in sizes))


def branches(node: Any) -> Iterator[Any]:
    """A formula in min(a, b), max(a, b) or |a|, as a formula without it on each side."""
    if sympy.count_ops(node) > LARGEST or isinstance(node, (Abs, Min, Max, Piecewise)):
        return
    for part in sorted(node.atoms(Abs, Min, Max), key=str):
        if isinstance(part, Abs):
            a = part.args[0]
            low, high, condition = -a, a, a < 0
        elif len(part.args) == 2:
            a, b = part.args
            low, high, condition = (a, b, a < b) if isinstance(part, Min) else (b, a, a < b)
        else:
            continue
        sides = [node.xreplace({part: side}) for side in (low, high)]
        yield Piecewise((sides[0], condition), (sides[1], True))
        yield Piecewise((sympy.cancel(sides[0]), condition), (sympy.cancel(sides[1]), True))


def collected(node: Any) -> Iterator[Any]:
    """c·A + c·B = c·(A + B), by each common factor; powers and exponentials of one base together."""
    if not isinstance(node, (Add, Mul, Pow)) or sympy.count_ops(node) > LARGEST:
        return
    yield sympy.powsimp(node)
    if isinstance(node, Add):
        factors = [Mul.make_args(term) for term in node.args]
        for common in sorted({part for parts in factors for part in parts if not part.is_Number}, key=str):
            having = [parts for parts in factors if common in parts]
            if len(having) > 1:
                inner = Add(*(Mul(*parts) / common for parts in having))
                yield Mul(common, inner) + Add(*(Mul(*parts) for parts in factors if common not in parts))


IDENTITIES = {
    "conjugate": conjugate_of_the_whole, "angle": inverse_by_an_angle, "log1p": inverse_by_log1p,
    "power of a square": power_of_a_square, "squares": squares, "power by log1p": power_by_log1p,
    "inside the root": inside_the_root, "root beside its side": root_beside_its_side, "hyperbolic": exponentials_and_waves,
    "remainder": remainder, "weighted logarithms": weighted_logarithms, "moduli": moduli, "branches": branches,
    "collected": collected, "logarithm of exponentials": logarithm_of_exponentials,
}  # fmt: skip
