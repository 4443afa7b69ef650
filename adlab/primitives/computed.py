"""How each primitive is computed: its functions of floats, arrays and complex numbers, its cost, its rounding bound.

There is one row for each row of `table`, which says what the primitive is.

- `ulps` bounds the error of the function of floats, in units in the last place (ulp) of what it returns. A test
  compares every function with its own bound.
- `over` gives the function's values while the operands run over intervals (see `ranges`).
- `special` marks functions that mpmath computes. They take 20 to 1000 microseconds, and may underflow to 0 although
  no operand is 0.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from adlab.primitives import elliptic, exponentials as ex, numerics as num, orders, ranges, special
from adlab.primitives.complex_powers import power_complex, power_integer_complex, power_rational_complex

GAMMA_TURNS = 1.4616321449683622  # the only positive zero of digamma, to within half an ulp
SPECIAL = 100  # the cost of a special function, in additions: several times that of erf


class C(NamedTuple):
    """How one primitive is computed."""

    scalar: Callable[..., float]
    array: Callable[..., Any]
    ulps: float
    cost: float | Callable[[Any], float] = 1
    complex: Callable[..., Any] | None = None
    real_only: bool = False
    over: ranges.Over = ranges.monotone
    special: bool = False
    c: str = ""
    """Its name in the C library, where that differs from the name of the array function."""
    ball: Callable[..., Any] | None = None
    """The function on Arb's balls, for primitives whose form has no value on balls, or a slow one."""


def compared(scalar: Any, ufunc: Any, over: ranges.Over = ranges.monotone) -> C:
    """A comparison: 1.0 or 0.0."""
    return C(num.comparison(scalar), num.comparison_array(ufunc), ulps=0, over=over)


def mpmath(formula: Any, over: ranges.Over = ranges.monotone, real_only: bool = False, **known: Any) -> C:
    """A special function: mpmath's value, rounded once."""
    beyond = None if real_only else special.complex_(formula)
    return C(special.scalar(formula), special.array(formula), 1, SPECIAL, beyond, real_only, over, True, **known)


def moving(formula: Any, **known: Any) -> C:
    """A special function of a varying order, differentiated by it as often as the parameter says (see `orders`)."""
    value = orders.scalar(formula, **known)
    return C(value, num.elementwise(value, 2), 1, SPECIAL, None, True, ranges.unknown, True)


def integral(array: Callable[..., Any]) -> C:
    """An elliptic integral: a sum of positive terms, each rounded a few times."""
    return C(elliptic.scalar(array), array, 8, SPECIAL, None, True, ranges.monotone, True)


def multiplications(exponent: Any) -> float:
    """The number of multiplications of a power, by repeated squaring."""
    return int(exponent).bit_length() + int(exponent).bit_count() - 2


def _polygamma(order: Any) -> ranges.Over:
    return ranges.right_of_zero(ranges.monotone) if order % 2 else ranges.monotone


def _polylog(order: Any) -> ranges.Over:
    return ranges.monotone if order >= 0 else ranges.turning(-1.0) if order == -1 else ranges.unknown


def _spherical_i(a: Any, n: Any) -> Any:
    """The modified spherical Bessel function by its series, DLMF 10.53.2."""
    order = a * 0 + n + 1.5
    return order.pi().sqrt() / 2 * (a / 2) ** int(n) * (a * a / 4).hypgeom_0f1(order) / order.gamma()


def _airy(factor: float, power: float) -> ranges.Over:
    """Airy functions: monotone right of 0; left of 1 waves with |slope| < factor (1 + |a|**power), DLMF 9.8."""
    waves = ranges.rippling(lambda low, high: factor * (1 + abs(low) ** power) if high <= 1 else math.inf)
    return lambda at, operands, n: (ranges.monotone if operands[0][0] >= 0 else waves)(at, operands, n)


# fmt: off
COMPUTED: dict[str, C] = {
    # --- arithmetic ---------------------------------------------------------------------------------------------
    "add":               C(operator.add, np.add, ulps=0.5),
    "sub":               C(operator.sub, np.subtract, ulps=0.5),
    "mul":               C(operator.mul, np.multiply, ulps=0.5),
    "div":               C(operator.truediv, np.divide, ulps=0.5, cost=4),
    "neg":               C(operator.neg, np.negative, ulps=0),
    # --- powers -------------------------------------------------------------------------------------------------
    "powi":              C(num.power_integer, num.power_integer_array, ulps=2, cost=multiplications,
        complex=power_integer_complex, over=ranges.turning(0.0)),
    "powr":              C(num.power_rational, num.power_rational_array, ulps=4, cost=25,
        complex=power_rational_complex),
    "pow":               C(num.power_shifted, num.power_shifted_array, ulps=4, cost=25, complex=power_complex),
    "sqrt":              C(math.sqrt, np.sqrt, ulps=0.5, cost=5),
    "cbrt":              C(num.cbrt, num.cbrt_array, ulps=4, cost=10,
        complex=lambda a: power_rational_complex(a, Fraction(1, 3))),
    "hypot":             C(math.hypot, np.hypot, ulps=2, cost=8, complex=num.hypot_complex, over=ranges.turning(0.0)),
    "heading":           C(lambda a, b: a / math.hypot(a, b), lambda a, b: np.divide(a, np.hypot(a, b)), ulps=4,
        cost=12, complex=num.heading_complex, over=ranges.unknown),
    "cosquare":          C(lambda a: (1 - a) * (1 + a), lambda a: (1 - a) * (1 + a), ulps=2, cost=3,
        complex=lambda a: (1 - a.real) * (1 + a.real) + a.imag**2 - 2j * a.real * a.imag, over=ranges.turning(0.0)),
    "norm":              C(num.norm, num.norm_array, ulps=2, cost=lambda n: 4 * n, complex=num.norm_complex,
        over=ranges.turning(0.0)),
    # --- exponential and logarithm ------------------------------------------------------------------------------
    "exp":               C(math.exp, np.exp, ulps=2, cost=10),
    "log":               C(math.log, np.log, ulps=2, cost=10),
    "xlogy":             C(num.xlogy, num.xlogy_array, ulps=3, cost=11, complex=lambda a, b: a * np.log(b),
        ball=lambda a, b: a if a == 0 and b == 0 else a * b.log()),
    "gauss":             C(num.gauss, num.gauss_array, ulps=12, cost=22, complex=num.gauss_complex,
        over=ranges.turning(0.0)),
    "growth":            C(num.growth, num.growth_array, ulps=12, cost=22, complex=num.growth_complex,
        over=ranges.turning(0.0)),
    "log1p":             C(math.log1p, np.log1p, ulps=2, cost=12, complex=ex.log1p_complex),
    "expm1":             C(math.expm1, np.expm1, ulps=2, cost=12),
    "log2":              C(math.log2, np.log2, ulps=2, cost=10, complex=lambda a: np.log(a) / math.log(2)),
    "exp2":              C(math.exp2, np.exp2, ulps=2, cost=10, complex=ex.exp2_complex),
    "sigmoid":           C(ex.sigmoid, ex.sigmoid_array, ulps=4, cost=14, complex=ex.sigmoid_complex),
    "softplus":          C(ex.softplus, ex.softplus_array, ulps=4, cost=24, complex=ex.softplus_complex),
    "logaddexp":         C(ex.logaddexp, ex.logaddexp_array, ulps=4, cost=26, complex=ex.logaddexp_complex),
    "sharing":           C(ex.sharing, ex.sharing_array, ulps=8, cost=40, complex=ex.sharing_complex,
        over=ranges.unknown),
    "share":             C(ex.share, ex.share_array, ulps=4, cost=20, complex=ex.share_complex),
    # --- trigonometric ------------------------------------------------------------------------------------------
    "sin":               C(math.sin, np.sin, ulps=2, cost=12, over=ranges.rippling()),
    "cos":               C(math.cos, np.cos, ulps=2, cost=12, over=ranges.rippling()),
    "tan":               C(math.tan, np.tan, ulps=2, cost=15, over=ranges.between_poles(True)),
    "sec":               C(lambda a: 1 / math.cos(a), lambda a: 1 / np.cos(a), ulps=4, cost=16,
        over=ranges.between_poles(False, -1.0, 1.0)),
    "csc":               C(lambda a: 1 / math.sin(a), lambda a: 1 / np.sin(a), ulps=4, cost=16,
        over=ranges.between_poles(False, -1.0, 1.0)),
    "cot":               C(lambda a: 1 / math.tan(a), lambda a: 1 / np.tan(a), ulps=4, cost=19,
        over=ranges.between_poles(True)),
    "asin":              C(math.asin, np.arcsin, ulps=2, cost=15),
    "acos":              C(math.acos, np.arccos, ulps=2, cost=15),
    "atan":              C(math.atan, np.arctan, ulps=2, cost=15),
    "asec":              C(num.asec, num.asec_array, ulps=8, cost=27, complex=num.asec_complex),
    "acsc":              C(num.acsc, num.acsc_array, ulps=8, cost=27, complex=num.acsc_complex),
    "acot":              C(num.acot, num.acot_array, ulps=4, cost=19, complex=lambda a: np.arctan(1 / a),
        over=ranges.turning(-ranges.TINIEST, ranges.TINIEST)),
    "atan2":             C(num.atan2, np.arctan2, ulps=2, cost=20, complex=num.atan2_complex,
        over=ranges.turning(-ranges.TINIEST, ranges.TINIEST)),
    # --- hyperbolic ---------------------------------------------------------------------------------------------
    "sinh":              C(math.sinh, np.sinh, ulps=4, cost=14),
    "cosh":              C(math.cosh, np.cosh, ulps=4, cost=14, over=ranges.turning(0.0)),
    "tanh":              C(math.tanh, np.tanh, ulps=4, cost=14),
    "sech":              C(num.sech, num.sech_array, ulps=8, cost=18, complex=lambda a: 1 / np.cosh(a),
        over=ranges.turning(0.0)),
    "csch":              C(num.csch, num.csch_array, ulps=8, cost=18, complex=lambda a: 1 / np.sinh(a)),
    "coth":              C(lambda a: 1 / math.tanh(a), lambda a: 1 / np.tanh(a), ulps=8, cost=18),
    "asinh":             C(math.asinh, np.arcsinh, ulps=4, cost=15),
    "acosh":             C(math.acosh, np.arccosh, ulps=4, cost=15),
    "atanh":             C(math.atanh, np.arctanh, ulps=4, cost=15),
    "asech":             C(num.asech, num.asech_array, ulps=8, cost=27, complex=num.asech_complex),
    "acsch":             C(lambda a: math.asinh(1 / a), lambda a: np.arcsinh(1 / a), ulps=8, cost=19),
    "acoth":             C(num.acoth, num.acoth_array, ulps=8, cost=19, complex=num.acoth_complex),
    # --- kinks and jumps ----------------------------------------------------------------------------------------
    "abs":               C(math.fabs, np.abs, ulps=0, over=ranges.turning(0.0)),
    "sign":              C(num.sign, np.sign, ulps=0),
    "heaviside":         C(num.heaviside, lambda a, n: np.heaviside(a, float(n)), ulps=0),
    "floor":             C(lambda a: float(math.floor(a)), np.floor, ulps=0),
    "ceiling":           C(lambda a: float(math.ceil(a)), np.ceil, ulps=0),
    "mod":               C(operator.mod, np.mod, ulps=1, cost=20, over=ranges.remainder),
    "min":               C(num.minimum, np.minimum, ulps=0),
    "max":               C(num.maximum, np.maximum, ulps=0),
    # --- conditions and branches --------------------------------------------------------------------------------
    "lt":                compared(operator.lt, np.less),
    "le":                compared(operator.le, np.less_equal),
    "gt":                compared(operator.gt, np.greater),
    "ge":                compared(operator.ge, np.greater_equal),
    "eq":                compared(operator.eq, np.equal, over=ranges.equality),
    "ne":                compared(operator.ne, np.not_equal, over=ranges.equality),
    "and":               C(num.conjunction, num.conjunction_array, ulps=0),
    "or":                C(num.disjunction, num.disjunction_array, ulps=0),
    "not":               C(lambda a: 1.0 - a, lambda a: 1.0 - a, ulps=0),
    "select":            C(num.select, num.select_array, ulps=0, over=ranges.branches),
    # --- error functions, gamma and its kin ---------------------------------------------------------------------
    "erf":               C(math.erf, special.from_scipy("erf", math.erf), ulps=2, cost=20,
        complex=special.complex_(special.error_function("erf")), c="erf"),
    "erfc":              C(math.erfc, num.elementwise(math.erfc), ulps=8, cost=20,
        complex=special.complex_(special.error_function("erfc")), c="erfc"),
    "gamma":             C(special.gamma, special.from_scipy("gamma", special.gamma, silent=True), ulps=8, cost=50,
        complex=special.complex_(lambda m, a: m.gamma(a)), over=ranges.right_of_zero(ranges.turning(GAMMA_TURNS)),
        c="tgamma"),
    "loggamma":          mpmath(lambda m, a: m.loggamma(a), over=ranges.turning(GAMMA_TURNS), c="lgamma"),
    "polygamma":         mpmath(special.polygamma,
        over=ranges.by_order(_polygamma)),
    "zeta":              mpmath(special.hurwitz, over=ranges.right_of_zero(ranges.monotone)),
    # --- further special functions ------------------------------------------------------------------------------
    "erfi":              mpmath(lambda m, a: m.erfi(a)),
    "erfinv":            mpmath(lambda m, a: m.erfinv(a), real_only=True),
    "gausserfinv":       mpmath(lambda m, a: m.exp(m.erfinv(a) ** 2), real_only=True, over=ranges.turning(0.0)),
    "erfcinv":           mpmath(special.erfc_inverse, real_only=True),
    "gausserfcinv":      mpmath(lambda m, a: m.exp(special.erfc_inverse(m, a) ** 2), real_only=True,
        over=ranges.turning(1.0)),
    "fresnels":          mpmath(special.fresnel("fresnels"), over=ranges.rippling()),
    "fresnelc":          mpmath(special.fresnel("fresnelc"), over=ranges.rippling()),
    "sinsquare":         mpmath(special.of_square("sinpi"),
        over=ranges.rippling(lambda low, high: 3.15 * max(-low, high))),
    "cossquare":         mpmath(special.of_square("cospi"),
        over=ranges.rippling(lambda low, high: 3.15 * max(-low, high))),
    "Ei":                mpmath(special.exponential_integral),
    "expover":           C(ex.expover, ex.expover_array, ulps=6, cost=16, over=ranges.unknown),
    "li":                mpmath(special.logarithmic_integral),
    "Si":                mpmath(lambda m, a: m.si(a), over=ranges.rippling()),
    "Ci":                mpmath(lambda m, a: m.ci(a), over=ranges.rippling(lambda low, high: 1 / low)),
    "Shi":               mpmath(lambda m, a: m.shi(a)),
    "Chi":               mpmath(special.hyperbolic_cosine_integral),
    "sphericalj":        mpmath(special.spherical("besselj"), over=ranges.rippling()),
    "sphericali":        mpmath(special.spherical("besseli"),
        over=ranges.by_order(lambda n: ranges.turning(0.0) if n >= 0 else ranges.unknown), ball=_spherical_i),
    "besselj":           mpmath(lambda m, a, n: m.besselj(n, a),
        over=ranges.by_order(lambda n: ranges.rippling() if n >= 1 or n % 1 == 0 else ranges.unknown)),
    "bessely":           mpmath(special.right(lambda m, a, n: m.bessely(n, a)), over=ranges.unknown),
    "besseli":           mpmath(lambda m, a, n: m.besseli(n, a),
        over=ranges.by_order(lambda n: ranges.turning(0.0) if n >= 0 or n % 1 == 0 else ranges.unknown)),
    "besselk":           mpmath(special.right(lambda m, a, n: m.besselk(n, a))),
    "uppergamma":        mpmath(special.right(special.upper_gamma, lambda n: n >= 1), over=ranges.turning(0.0)),
    "lowergamma":        mpmath(special.lower_gamma, over=ranges.turning(0.0)),
    "expint":            mpmath(special.right(special.expint, lambda n: n <= 0),
        over=ranges.right_of_zero(ranges.monotone)),
    "polylog":           mpmath(special.polylog,
        over=ranges.by_order(_polylog)),
    "lambertw":          mpmath(lambda m, a: m.lambertw(a)),
    "lambertw1":         mpmath(lambda m, a: 1 + m.lambertw(a)),
    "explambertw":       mpmath(lambda m, a: m.exp(-m.lambertw(a))),
    "lambertwm":         mpmath(lambda m, a: m.lambertw(a, -1)),
    "lambertwm1":        mpmath(lambda m, a: 1 + m.lambertw(a, -1)),
    "explambertwm":      mpmath(lambda m, a: m.exp(-m.lambertw(a, -1))),
    "elliptick":         mpmath(special.elliptic_k),
    "elliptice":         mpmath(special.elliptic_e),
    "ellipticf":         integral(elliptic.first),
    "ellipticeinc":      integral(elliptic.second),
    "ellipticpi":        integral(elliptic.third),
    "ellipticpic":       integral(elliptic.complete_third),
    "ellipticgap":       C(elliptic.scalar(elliptic.gap), elliptic.gap, 3, 30, None, True, ranges.unknown, True),
    "airyai":            mpmath(lambda m, a: m.airyai(a), over=_airy(0.6, 0.25)),
    "airybi":            mpmath(lambda m, a: m.airybi(a), over=_airy(1.5, 0.25)),
    "airyaiprime":       mpmath(lambda m, a: m.airyai(a, derivative=1), over=_airy(0.8, 0.75)),
    "airybiprime":       mpmath(lambda m, a: m.airybi(a, derivative=1), over=_airy(1.5, 0.75)),
    # --- special functions of a moving order --------------------------------------------------------------------
    "zeta_moving":       moving(lambda m, s, a: special.hurwitz(m, a, s),
        inside=lambda s, x: s != 1 and x > 0 and s > -300, scale=lambda s, x: min(abs(s - 1), 1.0), largest=math.inf),
    "besselj_moving":    moving(lambda m, v, x: m.besselj(v, x), inside=orders.positive),
    "bessely_moving":    moving(lambda m, v, x: m.bessely(v, x), inside=orders.positive),
    "besseli_moving":    moving(lambda m, v, x: m.besseli(abs(v) if m.isint(v) else v, x), inside=orders.positive),
    "besselk_moving":    moving(lambda m, v, x: m.besselk(v, x), inside=orders.positive, even=True),
    "uppergamma_moving": moving(lambda m, s, x: special.upper_gamma(m, x, s), inside=orders.positive),
    "lowergamma_moving": moving(orders.lower_gamma, inside=lambda s, x: s > 0 and x > 0,
        scale=lambda s, x: min(s, 1.0)),
    "expint_moving":     moving(lambda m, n, x: special.expint(m, x, n), inside=orders.positive),
    "polylog_moving":    moving(lambda m, s, x: m.re(special.polylog(m, x, s)), inside=lambda s, x: x < 1),
}
# fmt: on
