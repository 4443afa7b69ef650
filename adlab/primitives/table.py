"""THE table of primitives: everything adlab knows of an operation, one entry each.

Adding a primitive edits this file and nothing else. Partials are written in the operands `a`, `b`, `c`, the constant
parameter `n` and the result `out`, in the form that keeps its digits (tanh has `1/cosh(a)**2`: at a = 20
`1 - out**2` has lost every one). Every function that stands in a partial is itself a primitive, so derivative
programs can be differentiated again.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
import sympy
from sympy import And, Eq, Function, Heaviside, Ne, Or, Piecewise, Rational, S, floor

from adlab.primitives import numerics as num, orders, ranges, special
from adlab.primitives.primitive import OUT, A, B, C, N, Part, Primitive

ZERO, ONE, HALF = S.Zero, S.One, S.Half
S_ = sympy.Dummy("s", real=True)


def own(name: str) -> Any:
    """A function class of adlab's own; a user's undefined Function of the same name is not it."""
    return type(name, (Function,), {})


# Functions that SymPy has no name for, or rewrites into forms that lose digits (polylog(1, a) into -log(1 - a)), and
# what they mean; they stand in partials, and lower to their own primitives.
hypot, norm, gauss, growth, powshift, xlogy = map(own, ("hypot", "norm", "gauss", "growth", "powshift", "xlogy"))
sinsquare, cossquare, sphericali = map(own, ("sinsquare", "cossquare", "sphericali"))
gausserfinv, gausserfcinv, lambertw1, explambertw = map(own, ("gausserfinv", "gausserfcinv", "lambertw1", "explambertw"))
expint, polylog = map(own, ("expint", "polylog"))
DEFINITIONS: dict[Any, Any] = {
    hypot: lambda a, b: sympy.sqrt(a**2 + b**2),
    norm: lambda *operands: sympy.sqrt(sympy.Add(*[a**2 for a in operands])),
    gauss: lambda a: sympy.exp(-(a**2)),
    growth: lambda a: sympy.exp(a**2),
    powshift: lambda a, b, n: a ** (b + n if n else b),
    xlogy: lambda a, b: a * sympy.log(b),
    sinsquare: lambda a: sympy.sin(sympy.pi * a**2 / 2),
    cossquare: lambda a: sympy.cos(sympy.pi * a**2 / 2),
    sphericali: lambda n, a: sympy.sqrt(sympy.pi) / 2 * (a / 2) ** n * sympy.hyper((), (n + 3 * HALF,), a**2 / 4) / sympy.gamma(n + 3 * HALF),
    gausserfinv: lambda a: sympy.exp(sympy.erfinv(a) ** 2),
    gausserfcinv: lambda a: sympy.exp(sympy.erfcinv(a) ** 2),
    lambertw1: lambda a: 1 + sympy.LambertW(a),
    explambertw: lambda a: sympy.exp(-sympy.LambertW(a)),
    expint: sympy.expint,
    polylog: sympy.polylog,
}

P = Primitive
INPUT = P("input", sympy.Symbol, np.asarray, float, (), cost=0)
CONSTANT = P("constant", sympy.sympify, np.asarray, float, (), cost=0)
PART = Part("part", operator.getitem, operator.getitem, operator.getitem, (), cost=0, text="{0}[{n}]")


def exact(product: Any, *factors: Any) -> sympy.Expr:
    """A product kept in the order written: (b/h)/h must not become b/h**2, which overflows."""
    for factor in factors:
        product = sympy.Mul(product, factor, evaluate=False)
    return product


# SQRT(1 - a**2) and SQRT(a**2 - 1) without squaring: near |a| = 1 by exact differences, far out without overflow.
INSIDE_ONE = sympy.sqrt(exact(1 - A, 1 + A))
BEYOND_ONE = exact(sympy.sqrt(sympy.Abs(A) - 1), sympy.sqrt(sympy.Abs(A) + 1))
ACOSH_ROOT = exact(sympy.sqrt(A - 1), sympy.sqrt(A + 1))
WHOLE_B, WHOLE_N = Eq(B, floor(B)), Eq(N, floor(N))
NOT_A_POLE = Or(A > 0, Ne(A, floor(A)))

GAMMA_TURNS = 1.4616321449683622  # the one zero of digamma right of 0, to within half an ulp
EXP_HALF = sympy.exp(A / 2)  # whose square may overflow where its product with a small factor does not


def truth_value(relation: Any) -> Any:
    return lambda a, b: relation(a, b, evaluate=False)


def predicate(name: str, relation: Any, scalar: Any, ufunc: Any, sign: str, over: ranges.Over = ranges.monotone) -> Primitive:
    """A comparison: 1.0 or 0.0, constant between its jumps."""
    return P(name, truth_value(relation), num.comparison_array(ufunc), num.comparison(scalar), (ZERO, ZERO),
             smooth=Ne(A, B), convention="a comparison has derivative 0", text="{0} " + sign + " {1}",
             head=relation, analytic=False, piecewise_constant=True, ulps=0, jumps=True, over=over)  # fmt: skip


def by_mpmath(name: str, formula: Any, form: Any, partials: tuple[Any, ...], **known: Any) -> Primitive:
    """A special function: values of mpmath, rounded once."""
    order_first = name + "({n}, {0})" if "parameter_at" in known else ""
    given = {"head": form, "cost": 100, "complex": special.complex_(formula), "text": order_first, "ulps": 1} | known
    return P(name, form, special.array(formula), special.scalar(formula), partials, **given)


def _in_letters(name: str, a: str, b: str, n: str) -> str:
    """A function of a moving order, differentiated by it n times."""
    return f"{name}({a}, {b})" if n == "0" else f"diff({name}({a}, {b}), {a}, {n})"


def _in_latex(name: str, arguments: Iterable[str], exponent: str) -> str:
    a, b, n = arguments
    times = "" if n == "1" else f"^{{{n}}}"
    value = rf"\operatorname{{{name}}}\left({a}, {b}\right)"
    shown = value if n == "0" else rf"\partial_{{{a}}}{times} {value}"
    return rf"\left({shown}\right)^{{{exponent}}}" if exponent else shown


def moving(
    name: str, form: Any, formula: Any, slope: Any, domain: Any, sloped: Any = sympy.true, **known: Any
) -> Primitive:
    """A special function of a moving order `a` at `b`, differentiated by the order as often as its parameter says.

    `slope(f)` is the partial for `b`, f(order, k) being the function itself at another order, k times differentiated; it
    is there where there is a value and `sloped` holds.
    """
    head = own(f"{name}_moving")
    head._sympystr = lambda self, printer: _in_letters(name, *map(printer.doprint, self.args))
    head._latex = lambda self, printer, exp="": _in_latex(name, map(printer.doprint, self.args), exp)
    DEFINITIONS[head] = lambda a, b, n: form(a, b) if n == 0 else sympy.Subs(sympy.Derivative(form(S_, b), (S_, n)), S_, a)
    largest = known.get("largest", orders.LARGEST)
    value = orders.scalar(formula, **{key: known.pop(key) for key in ("inside", "scale", "largest", "even") if key in known})
    within = And(domain, sympy.Abs(A) <= largest) if largest < math.inf else domain
    beside = And(within, sloped, sympy.Abs(A) <= largest - 1) if largest < math.inf else And(within, sloped)  # its neighbours
    return P(f"{name}_moving", lambda a, b, n=ZERO: form(a, b) if n == 0 else head(a, b, n), num.elementwise(value, 2), value,
             (head(A, B, N + 1), slope(lambda order, k: head(order, B, k))), domain=within, partial_domains=(within, beside),
             head=head, parameter_at=2, cost=100,
             text=usual(0, name + "({0}, {1})", f"diff({name}({{0}}, {{1}}), {{0}}, {{n}})"), real_only=True, ulps=1,
             over=ranges.unknown, narrow=True, **known)  # fmt: skip


def power_text(shift: Any) -> str:
    """a**b, a**(b - 1)."""
    return f"{{0}}**({{1}} {'+' if shift > 0 else '-'} {abs(shift)})" if shift else "{0}**{1}"


def usual(order: Any, short: str, full: str) -> Any:
    """`short` where the parameter is the usual one."""
    return lambda n: short if n == order else full


def multiplications(exponent: Any) -> float:
    """By repeated squaring."""
    return int(exponent).bit_length() + int(exponent).bit_count() - 2


# fmt: off
_ENTRIES: list[Primitive] = [
    # --- arithmetic ---------------------------------------------------------------------------------------------
    P("add", operator.add, np.add, operator.add, (ONE, ONE), text="{0} + {1}", operator=True, ulps=0.5),
    P("sub", operator.sub, np.subtract, operator.sub, (ONE, -ONE), text="{0} - {1}", operator=True, ulps=0.5),
    P("mul", operator.mul, np.multiply, operator.mul, (B, A), text="{0}*{1}", operator=True, ulps=0.5),
    P("div", operator.truediv, np.divide, operator.truediv, (1 / B, -OUT / B), domain=Ne(B, 0), text="{0}/{1}", operator=True, cost=4, ulps=0.5),
    P("neg", operator.neg, np.negative, operator.neg, (-ONE,), text="-{0}", operator=True, ulps=0),
    # --- powers -------------------------------------------------------------------------------------------------
    P("powi", lambda a, n: a**n, num.power_integer_array, num.power_integer, (N * A ** (N - 1),), text="{0}**{n}", cost=multiplications, complex=num.power_complex, ulps=2, over=ranges.turning(0.0)),
    P("powr", lambda a, n: a**n, num.power_rational_array, num.power_rational, (N * A ** (N - 1),), domain=A >= 0, partial_domains=(Or(A > 0, And(Eq(A, 0), N >= 1)),), text="{0}**{n}", cost=25, complex=num.power_rational_complex, principal=True),
    P("pow", lambda a, b, n=0: a ** (b + n if n else b), num.power_shifted_array, num.power_shifted, ((B + N) * powshift(A, B, N - 1), xlogy(OUT, A)), text=power_text, head=powshift, parameter_at=2, cost=25,
      domain=Or(A > 0, And(Eq(A, 0), B + N >= 0), And(A < 0, WHOLE_B)), partial_domains=(Or(A > 0, And(Eq(A, 0), B + N >= 1), And(A < 0, WHOLE_B)), Or(A > 0, And(Eq(A, 0), B + N > 0))), complex=num.power_complex, principal=True),
    P("sqrt", sympy.sqrt, np.sqrt, math.sqrt, (1 / (2 * OUT),), domain=A >= 0, partial_domains=(A > 0,), cost=5, principal=True, ulps=0.5),
    P("cbrt", lambda a: a ** Rational(1, 3), num.cbrt_array, num.cbrt, (exact(OUT / A, Rational(1, 3)),), domain=A >= 0, partial_domains=(A > 0,), cost=10, complex=lambda a: num.power_rational_complex(a, Rational(1, 3)), principal=True),
    P("hypot", DEFINITIONS[hypot], np.hypot, math.hypot, (A / OUT, B / OUT), partial_domains=(OUT > 0, OUT > 0), head=hypot, cost=8, complex=num.hypot_complex, ulps=2, over=ranges.turning(0.0)),
    P("norm", lambda *given: DEFINITIONS[norm](*given[:-1]), num.norm_array, num.norm, lambda *letters: tuple(letter / OUT for letter in letters), partial_domains=(OUT > 0,), head=norm, cost=lambda n: 4 * n, complex=num.norm_complex, ulps=2, over=ranges.turning(0.0)),
    # --- exponential and logarithm ------------------------------------------------------------------------------
    P("exp", sympy.exp, np.exp, math.exp, (OUT,), head=sympy.exp, cost=10, ulps=2),
    P("log", sympy.log, np.log, math.log, (1 / A,), domain=A > 0, head=sympy.log, cost=10, principal=True, ulps=2),
    P("xlogy", DEFINITIONS[xlogy], num.xlogy_array, num.xlogy, (sympy.log(B), A / B), domain=Or(B > 0, And(Eq(A, 0), Eq(B, 0))), partial_domains=(B > 0, B > 0), text="{0}*log({1})", head=xlogy, cost=11, complex=lambda a, b: a * np.log(b), principal=True, ulps=3),
    P("gauss", DEFINITIONS[gauss], num.gauss_array, num.gauss, (-2 * A * OUT,), text="exp(-{0}**2)", head=gauss, cost=22, complex=num.gauss_complex, ulps=12, over=ranges.turning(0.0)),
    P("growth", DEFINITIONS[growth], num.growth_array, num.growth, (2 * A * OUT,), text="exp({0}**2)", head=growth, cost=22, complex=num.growth_complex, ulps=12, over=ranges.turning(0.0)),
    # --- trigonometric ------------------------------------------------------------------------------------------
    P("sin", sympy.sin, np.sin, math.sin, (sympy.cos(A),), head=sympy.sin, cost=12, ulps=2, over=ranges.rippling()),
    P("cos", sympy.cos, np.cos, math.cos, (-sympy.sin(A),), head=sympy.cos, cost=12, ulps=2, over=ranges.rippling()),
    P("tan", sympy.tan, np.tan, math.tan, (1 + OUT**2,), head=sympy.tan, cost=15, ulps=2, over=ranges.between_poles(True)),
    P("sec", sympy.sec, lambda a: 1 / np.cos(a), lambda a: 1 / math.cos(a), (OUT * sympy.tan(A),), head=sympy.sec, cost=16, over=ranges.between_poles(False, -1.0, 1.0)),
    P("csc", sympy.csc, lambda a: 1 / np.sin(a), lambda a: 1 / math.sin(a), (-OUT * sympy.cot(A),), domain=Ne(A, 0), head=sympy.csc, cost=16, over=ranges.between_poles(False, -1.0, 1.0)),
    P("cot", sympy.cot, lambda a: 1 / np.tan(a), lambda a: 1 / math.tan(a), (-1 - OUT**2,), domain=Ne(A, 0), head=sympy.cot, cost=19, over=ranges.between_poles(True)),
    P("asin", sympy.asin, np.arcsin, math.asin, (1 / INSIDE_ONE,), domain=And(A >= -1, A <= 1), partial_domains=(And(A > -1, A < 1),), head=sympy.asin, cost=15, ulps=2),
    P("acos", sympy.acos, np.arccos, math.acos, (-1 / INSIDE_ONE,), domain=And(A >= -1, A <= 1), partial_domains=(And(A > -1, A < 1),), head=sympy.acos, cost=15, ulps=2),
    P("atan", sympy.atan, np.arctan, math.atan, (1 / (1 + A**2),), head=sympy.atan, cost=15, ulps=2),
    P("asec", sympy.asec, num.asec_array, num.asec, (exact(1 / sympy.Abs(A), 1 / BEYOND_ONE),), domain=Or(A >= 1, A <= -1), partial_domains=(Or(A > 1, A < -1),), head=sympy.asec, cost=27, complex=num.asec_complex, ulps=8),
    P("acsc", sympy.acsc, num.acsc_array, num.acsc, (exact(-1 / sympy.Abs(A), 1 / BEYOND_ONE),), domain=Or(A >= 1, A <= -1), partial_domains=(Or(A > 1, A < -1),), head=sympy.acsc, cost=27, complex=num.acsc_complex, ulps=8),
    P("acot", sympy.acot, num.acot_array, num.acot, (-1 / (1 + A**2),), smooth=Ne(A, 0), convention="acot jumps from -pi/2 to pi/2 at 0; the partial there is -1, that of both sides", head=sympy.acot, cost=19, complex=lambda a: np.arctan(1 / a), jumps=True, over=ranges.turning(-ranges.TINIEST, ranges.TINIEST)),
    P("atan2", sympy.atan2, np.arctan2, num.atan2, (exact(B / hypot(A, B), 1 / hypot(A, B)), exact(-A / hypot(A, B), 1 / hypot(A, B))), domain=Or(Ne(A, 0), Ne(B, 0)), smooth=Or(Ne(A, 0), B > 0), convention="on the cut (a = 0, b < 0) the partials are those of both sides, though the angle jumps by 2 pi", head=sympy.atan2, cost=20, complex=num.atan2_complex, ulps=2, jumps=True, over=ranges.turning(-ranges.TINIEST, ranges.TINIEST)),
    # --- hyperbolic ---------------------------------------------------------------------------------------------
    P("sinh", sympy.sinh, np.sinh, math.sinh, (sympy.cosh(A),), head=sympy.sinh, cost=14),
    P("cosh", sympy.cosh, np.cosh, math.cosh, (sympy.sinh(A),), head=sympy.cosh, cost=14, over=ranges.turning(0.0)),
    P("tanh", sympy.tanh, np.tanh, math.tanh, (1 / sympy.cosh(A) ** 2,), head=sympy.tanh, cost=14),
    P("sech", sympy.sech, num.sech_array, num.sech, (-OUT * sympy.tanh(A),), head=sympy.sech, cost=18, complex=lambda a: 1 / np.cosh(a), ulps=8, over=ranges.turning(0.0)),
    P("csch", sympy.csch, num.csch_array, num.csch, (-OUT * sympy.coth(A),), domain=Ne(A, 0), head=sympy.csch, cost=18, complex=lambda a: 1 / np.sinh(a), ulps=8),
    P("coth", sympy.coth, lambda a: 1 / np.tanh(a), lambda a: 1 / math.tanh(a), (exact(-1 / sympy.sinh(A), 1 / sympy.sinh(A)),), domain=Ne(A, 0), head=sympy.coth, cost=18, ulps=8),
    P("asinh", sympy.asinh, np.arcsinh, math.asinh, (1 / hypot(ONE, A),), head=sympy.asinh, cost=15),
    P("acosh", sympy.acosh, np.arccosh, math.acosh, (1 / ACOSH_ROOT,), domain=A >= 1, partial_domains=(A > 1,), head=sympy.acosh, cost=15, principal=True),
    P("atanh", sympy.atanh, np.arctanh, math.atanh, (1 / exact(1 - A, 1 + A),), domain=And(A > -1, A < 1), head=sympy.atanh, cost=15),
    P("asech", sympy.asech, num.asech_array, num.asech, (-1 / exact(A, INSIDE_ONE),), domain=And(A > 0, A <= 1), partial_domains=(And(A > 0, A < 1),), head=sympy.asech, cost=27, complex=num.asech_complex, ulps=8),
    P("acsch", sympy.acsch, lambda a: np.arcsinh(1 / a), lambda a: math.asinh(1 / a), (exact(-1 / sympy.Abs(A), 1 / hypot(ONE, A)),), domain=Ne(A, 0), head=sympy.acsch, cost=19, ulps=8),
    P("acoth", sympy.acoth, num.acoth_array, num.acoth, (1 / exact(1 - A, 1 + A),), domain=Or(A > 1, A < -1), head=sympy.acoth, cost=19, complex=num.acoth_complex, ulps=8),
    # --- kinks and jumps ----------------------------------------------------------------------------------------
    P("abs", sympy.Abs, np.abs, math.fabs, (sympy.sign(A),), smooth=Ne(A, 0), convention="at the kink of abs the partial is 0, the mean of both sides", head=sympy.Abs, analytic=False, ulps=0, over=ranges.turning(0.0)),
    P("sign", sympy.sign, np.sign, num.sign, (ZERO,), smooth=Ne(A, 0), convention="at the jump of sign the partial is 0", head=sympy.sign, analytic=False, piecewise_constant=True, ulps=0, jumps=True),
    P("heaviside", lambda a, n=HALF: Heaviside(a, n), lambda a, n: np.heaviside(a, float(n)), num.heaviside, (ZERO,), text=usual(HALF, "Heaviside({0})", "Heaviside({0}, {n})"), smooth=Ne(A, 0), convention="at the jump of Heaviside the partial is 0", head=Heaviside, parameter_at=1, analytic=False, piecewise_constant=True, ulps=0, jumps=True),
    P("floor", floor, np.floor, lambda a: float(math.floor(a)), (ZERO,), smooth=Ne(A, floor(A)), convention="at the jumps of floor the partial is 0", head=floor, analytic=False, piecewise_constant=True, ulps=0, jumps=True),
    P("ceiling", sympy.ceiling, np.ceil, lambda a: float(math.ceil(a)), (ZERO,), smooth=Ne(A, floor(A)), convention="at the jumps of ceiling the partial is 0", head=sympy.ceiling, analytic=False, piecewise_constant=True, ulps=0, jumps=True),
    P("mod", sympy.Mod, np.mod, operator.mod, (ONE, (OUT - A) / B), domain=Ne(B, 0), smooth=Ne(OUT, 0), convention="at the jumps of Mod the partials are those of the right-hand side", text="{0} mod {1}", head=sympy.Mod, analytic=False, cost=20, ulps=1, jumps=True, over=ranges.remainder),
    P("min", lambda a, b: sympy.Min(a, b, evaluate=False), np.minimum, num.minimum, (Heaviside(B - A), Heaviside(A - B)), smooth=Ne(A, B), convention="at a tie of min each operand gets 1/2", head=sympy.Min, analytic=False, routes=True, ulps=0),
    P("max", lambda a, b: sympy.Max(a, b, evaluate=False), np.maximum, num.maximum, (Heaviside(A - B), Heaviside(B - A)), smooth=Ne(A, B), convention="at a tie of max each operand gets 1/2", head=sympy.Max, analytic=False, routes=True, ulps=0),
    # --- conditions and branches ---------------------------------------------------------------------------------------
    predicate("lt", sympy.StrictLessThan, operator.lt, np.less, "<"),
    predicate("le", sympy.LessThan, operator.le, np.less_equal, "<="),
    predicate("gt", sympy.StrictGreaterThan, operator.gt, np.greater, ">"),
    predicate("ge", sympy.GreaterThan, operator.ge, np.greater_equal, ">="),
    predicate("eq", Eq, operator.eq, np.equal, "==", ranges.equality),
    predicate("ne", Ne, operator.ne, np.not_equal, "!=", ranges.equality),
    P("and", lambda a, b: And(a, b, evaluate=False), num.conjunction_array, num.conjunction, (ZERO, ZERO), text="{0} and {1}", head=And, analytic=False, piecewise_constant=True, ulps=0, jumps=True),
    P("or", lambda a, b: Or(a, b, evaluate=False), num.disjunction_array, num.disjunction, (ZERO, ZERO), text="{0} or {1}", head=Or, analytic=False, piecewise_constant=True, ulps=0, jumps=True),
    P("not", lambda a: sympy.Not(a, evaluate=False), lambda a: 1.0 - a, lambda a: 1.0 - a, (ZERO,), text="not {0}", head=sympy.Not, analytic=False, piecewise_constant=True, ulps=0, jumps=True),
    P("select", lambda a, b, c: Piecewise((b, a), (c, True), evaluate=False), num.select_array, num.select, (ZERO, Piecewise((ONE, Ne(A, 0)), (ZERO, True)), Piecewise((ZERO, Ne(A, 0)), (ONE, True))), text="{1} if {0} else {2}", analytic=False, routes=True, convention="where a condition turns, the partials are those of the branch taken", ulps=0, jumps=True, over=ranges.branches),
    # --- error functions, gamma and its kin ---------------------------------------------------------------------
    P("erf", sympy.erf, special.from_scipy("erf", math.erf), math.erf, (exact(2 / sympy.sqrt(sympy.pi), gauss(A)),), head=sympy.erf, cost=20, complex=special.complex_(special.error_function("erf")), ulps=2),
    P("erfc", sympy.erfc, num.elementwise(math.erfc), math.erfc, (exact(-2 / sympy.sqrt(sympy.pi), gauss(A)),), head=sympy.erfc, cost=20, complex=special.complex_(special.error_function("erfc")), ulps=8),
    P("gamma", sympy.gamma, special.from_scipy("gamma", math.gamma), math.gamma, (OUT * sympy.polygamma(0, A),), domain=NOT_A_POLE, head=sympy.gamma, cost=50, complex=special.complex_(lambda m, a: m.gamma(a)), ulps=8, over=ranges.right_of_zero(ranges.turning(GAMMA_TURNS))),
    by_mpmath("loggamma", lambda m, a: m.loggamma(a), sympy.loggamma, (sympy.polygamma(0, A),), domain=A > 0, over=ranges.turning(GAMMA_TURNS)),
    by_mpmath("polygamma", special.polygamma, lambda a, n=ZERO: sympy.polygamma(n, a), (sympy.polygamma(N + 1, A),), domain=And(WHOLE_N, N >= 0, NOT_A_POLE), head=sympy.polygamma, parameter_at=0, text=usual(0, "digamma({0})", "polygamma({n}, {0})"), over=ranges.by_order(lambda n: ranges.right_of_zero(ranges.monotone) if n % 2 else ranges.monotone)),
    by_mpmath("zeta", special.hurwitz, lambda a, n: sympy.zeta(n, a), (Piecewise((-ONE, Eq(N, 0)), (-N * sympy.zeta(N + 1, A), True)),), domain=And(Ne(N, 1), Or(A > 0, And(WHOLE_N, N <= 0), And(WHOLE_N, N > 1, NOT_A_POLE))), head=sympy.zeta, parameter_at=0, moving="zeta_moving", over=ranges.right_of_zero(ranges.monotone)),
    # --- further special functions ------------------------------------------------------------------------------
    by_mpmath("erfi", lambda m, a: m.erfi(a), sympy.erfi, (exact(2 / sympy.sqrt(sympy.pi), growth(A)),)),
    by_mpmath("erfinv", lambda m, a: m.erfinv(a), sympy.erfinv, (exact(sympy.sqrt(sympy.pi) / 2, gausserfinv(A)),), domain=And(A > -1, A < 1), real_only=True),
    by_mpmath("gausserfinv", lambda m, a: m.exp(m.erfinv(a) ** 2), DEFINITIONS[gausserfinv], (exact(sympy.sqrt(sympy.pi), sympy.erfinv(A), OUT, OUT),), domain=And(A > -1, A < 1), head=gausserfinv, text="exp(erfinv({0})**2)", real_only=True, over=ranges.turning(0.0)),
    by_mpmath("erfcinv", special.erfc_inverse, sympy.erfcinv, (exact(-sympy.sqrt(sympy.pi) / 2, gausserfcinv(A)),), domain=And(A > 0, A < 2), real_only=True),
    by_mpmath("gausserfcinv", lambda m, a: m.exp(special.erfc_inverse(m, a) ** 2), DEFINITIONS[gausserfcinv], (exact(-sympy.sqrt(sympy.pi), sympy.erfcinv(A), OUT, OUT),), domain=And(A > 0, A < 2), head=gausserfcinv, text="exp(erfcinv({0})**2)", real_only=True, over=ranges.turning(1.0)),
    by_mpmath("fresnels", special.fresnel("fresnels"), sympy.fresnels, (sinsquare(A),), over=ranges.rippling()),
    by_mpmath("fresnelc", special.fresnel("fresnelc"), sympy.fresnelc, (cossquare(A),), over=ranges.rippling()),
    by_mpmath("sinsquare", special.of_square("sinpi"), DEFINITIONS[sinsquare], (exact(sympy.pi, A, cossquare(A)),), head=sinsquare, text="sin(pi*{0}**2/2)", over=ranges.rippling(lambda low, high: 3.15 * max(-low, high))),
    by_mpmath("cossquare", special.of_square("cospi"), DEFINITIONS[cossquare], (exact(-sympy.pi, A, sinsquare(A)),), head=cossquare, text="cos(pi*{0}**2/2)", over=ranges.rippling(lambda low, high: 3.15 * max(-low, high))),
    by_mpmath("Ei", special.exponential_integral, sympy.Ei, (exact(EXP_HALF / A, EXP_HALF),), domain=Ne(A, 0)),
    by_mpmath("li", special.logarithmic_integral, sympy.li, (1 / sympy.log(A),), domain=And(A >= 0, Ne(A, 1)), partial_domains=(And(A > 0, Ne(A, 1)),)),
    by_mpmath("Si", lambda m, a: m.si(a), sympy.Si, (sympy.jn(0, A),), over=ranges.rippling()),
    by_mpmath("Ci", lambda m, a: m.ci(a), sympy.Ci, (sympy.cos(A) / A,), domain=A > 0, over=ranges.rippling(lambda low, high: 1 / low)),
    by_mpmath("Shi", lambda m, a: m.shi(a), sympy.Shi, (sphericali(0, A),)),
    by_mpmath("Chi", lambda m, a: m.chi(a), sympy.Chi, (sympy.cosh(A) / A,), domain=A > 0),
    by_mpmath("sphericalj", special.spherical("besselj"), lambda a, n: sympy.jn(n, a), ((N * sympy.jn(N - 1, A) - (N + 1) * sympy.jn(N + 1, A)) / (2 * N + 1),), domain=And(WHOLE_N, N >= 0), head=sympy.jn, parameter_at=0, text=usual(0, "sinc({0})", "sphericalj({n}, {0})"), over=ranges.rippling()),
    by_mpmath("sphericali", special.spherical("besseli"), lambda a, n: DEFINITIONS[sphericali](n, a), ((N * sphericali(N - 1, A) + (N + 1) * sphericali(N + 1, A)) / (2 * N + 1),), head=sphericali, parameter_at=0, over=ranges.by_order(lambda n: ranges.turning(0.0) if n >= 0 else ranges.unknown)),
    by_mpmath("besselj", lambda m, a, n: m.besselj(n, a), lambda a, n: sympy.besselj(n, a), ((sympy.besselj(N - 1, A) - sympy.besselj(N + 1, A)) / 2,), domain=Or(A > 0, WHOLE_N, And(Eq(A, 0), N >= 0)), partial_domains=(Or(A > 0, WHOLE_N, And(Eq(A, 0), N >= 1)),), head=sympy.besselj, parameter_at=0, moving="besselj_moving", over=ranges.by_order(lambda n: ranges.rippling() if n >= 1 or n % 1 == 0 else ranges.unknown)),
    by_mpmath("bessely", special.right(lambda m, a, n: m.bessely(n, a)), lambda a, n: sympy.bessely(n, a), ((sympy.bessely(N - 1, A) - sympy.bessely(N + 1, A)) / 2,), domain=A > 0, head=sympy.bessely, parameter_at=0, moving="bessely_moving", over=ranges.unknown),
    by_mpmath("besseli", lambda m, a, n: m.besseli(n, a), lambda a, n: sympy.besseli(n, a), ((sympy.besseli(N - 1, A) + sympy.besseli(N + 1, A)) / 2,), domain=Or(A > 0, WHOLE_N, And(Eq(A, 0), N >= 0)), partial_domains=(Or(A > 0, WHOLE_N, And(Eq(A, 0), N >= 1)),), head=sympy.besseli, parameter_at=0, moving="besseli_moving", over=ranges.by_order(lambda n: ranges.turning(0.0) if n >= 0 or n % 1 == 0 else ranges.unknown)),
    by_mpmath("besselk", special.right(lambda m, a, n: m.besselk(n, a)), lambda a, n: sympy.besselk(n, a), (-(sympy.besselk(N - 1, A) + sympy.besselk(N + 1, A)) / 2,), domain=A > 0, head=sympy.besselk, parameter_at=0, moving="besselk_moving"),
    by_mpmath("uppergamma", special.right(special.upper_gamma, lambda n: n >= 1), lambda a, n: sympy.uppergamma(n, a), (-(A ** (N - 1)) * sympy.exp(-A),), domain=Or(A > 0, And(WHOLE_N, N >= 1), And(Eq(A, 0), N > 0)), partial_domains=(Or(A > 0, And(WHOLE_N, N >= 1), And(Eq(A, 0), N >= 1)),), head=sympy.uppergamma, parameter_at=0, moving="uppergamma_moving", over=ranges.turning(0.0)),
    by_mpmath("lowergamma", special.lower_gamma, lambda a, n: sympy.lowergamma(n, a), (A ** (N - 1) * sympy.exp(-A),), domain=And(N > 0, Or(A >= 0, WHOLE_N)), partial_domains=(And(N > 0, Or(A > 0, WHOLE_N, And(Eq(A, 0), N > 1))),), head=sympy.lowergamma, parameter_at=0, moving="lowergamma_moving", over=ranges.turning(0.0)),
    by_mpmath("expint", special.right(special.expint, lambda n: n <= 0), lambda a, n: sympy.expint(n, a), (-expint(N - 1, A),), domain=Or(A > 0, And(WHOLE_N, N <= 0, Ne(A, 0)), And(Eq(A, 0), N > 1)), partial_domains=(Or(A > 0, And(WHOLE_N, N <= 0, Ne(A, 0)), And(Eq(A, 0), N > 2)),), head=(sympy.expint, expint), parameter_at=0, moving="expint_moving", over=ranges.right_of_zero(ranges.monotone)),
    by_mpmath("polylog", special.polylog, lambda a, n: sympy.polylog(n, a), (Piecewise((polylog(N - 1, A) / A, Ne(A, 0)), (1 + A * 2 ** (1 - N) + A**2 * 3 ** (1 - N), True)),), domain=Or(A < 1, And(WHOLE_N, N <= 0, A > 1), And(Eq(A, 1), N > 1)), partial_domains=(Or(A < 1, And(WHOLE_N, N <= 0, A > 1), And(Eq(A, 1), N > 2)),), head=(sympy.polylog, polylog), parameter_at=0, moving="polylog_moving", over=ranges.by_order(lambda n: ranges.monotone if n >= 0 else ranges.turning(-1.0) if n == -1 else ranges.unknown)),
    by_mpmath("lambertw", lambda m, a: m.lambertw(a), sympy.LambertW, (explambertw(A) / lambertw1(A),), domain=-sympy.exp(-1) < A, text="LambertW({0})"),
    by_mpmath("lambertw1", lambda m, a: 1 + m.lambertw(a), DEFINITIONS[lambertw1], (explambertw(A) / OUT,), domain=-sympy.exp(-1) < A, head=lambertw1, text="(1 + LambertW({0}))"),
    by_mpmath("explambertw", lambda m, a: m.exp(-m.lambertw(a)), DEFINITIONS[explambertw], (exact(-OUT / lambertw1(A), OUT),), domain=-sympy.exp(-1) < A, head=explambertw, text="exp(-LambertW({0}))"),
    # --- special functions of a moving order --------------------------------------------------------------------
    moving("zeta", sympy.zeta, lambda m, s, a: special.hurwitz(m, a, s), lambda f: Piecewise((A * sympy.polygamma(0, B) - 1, And(Eq(A, 0), Eq(N, 0))), (-A * f(A + 1, N) - N * f(A + 1, N - 1), True)), And(Ne(A, 1), B > 0), Or(Ne(A, 0), Eq(N, 0)), inside=lambda s, x: s != 1 and x > 0, scale=lambda s, x: min(abs(s - 1), 1.0), largest=math.inf),
    moving("besselj", sympy.besselj, lambda m, v, x: m.besselj(v, x), lambda f: (f(A - 1, N) - f(A + 1, N)) / 2, B > 0, inside=orders.right),
    moving("bessely", sympy.bessely, lambda m, v, x: m.bessely(v, x), lambda f: (f(A - 1, N) - f(A + 1, N)) / 2, B > 0, inside=orders.right),
    moving("besseli", sympy.besseli, lambda m, v, x: m.besseli(abs(v) if m.isint(v) else v, x), lambda f: (f(A - 1, N) + f(A + 1, N)) / 2, B > 0, inside=orders.right),
    moving("besselk", sympy.besselk, lambda m, v, x: m.besselk(v, x), lambda f: -(f(A - 1, N) + f(A + 1, N)) / 2, B > 0, inside=orders.right, even=True),
    moving("uppergamma", sympy.uppergamma, lambda m, s, x: special.upper_gamma(m, x, s), lambda f: -(sympy.log(B) ** N) * B ** (A - 1) * sympy.exp(-B), B > 0, inside=orders.right),
    moving("lowergamma", sympy.lowergamma, orders.lower_gamma, lambda f: sympy.log(B) ** N * B ** (A - 1) * sympy.exp(-B), And(A > 0, B > 0), inside=lambda s, x: s > 0 and x > 0, scale=lambda s, x: min(s, 1.0)),
    moving("expint", sympy.expint, lambda m, n, x: special.expint(m, x, n), lambda f: -f(A - 1, N), B > 0, inside=orders.right),
    moving("polylog", sympy.polylog, lambda m, s, x: m.re(special.polylog(m, x, s)), lambda f: Piecewise((f(A - 1, N) / B, Ne(B, 0)), (ZERO**N + 2 ** (1 - A) * (-sympy.log(2)) ** N * B + 3 ** (1 - A) * (-sympy.log(3)) ** N * B**2, True)), B < 1, inside=lambda s, x: x < 1),
]
# fmt: on

PRIMITIVES: dict[str, Primitive] = {entry.name: entry for entry in _ENTRIES}
HEADS: dict[Any, Primitive] = {
    head: entry for entry in _ENTRIES for head in (entry.head if isinstance(entry.head, tuple) else (entry.head,))
}


def define(rule: Any, names: Iterable[Any] = DEFINITIONS) -> Any:
    """A rule with adlab's own names, or some of them, replaced by what they mean, for SymPy to reason about.

    >>> define(hypot(A, B))
    sqrt(a**2 + b**2)
    """
    for name in names:
        rule = rule.replace(name, DEFINITIONS[name])
    return rule


READ_BETTER = (powshift, xlogy)
"""The names that people rather see written out."""

__all__ = ["CONSTANT", "DEFINITIONS", "HEADS", "INPUT", "OUT", "PART", "PRIMITIVES", "READ_BETTER", "A", "B", "C", "N", "define"]
