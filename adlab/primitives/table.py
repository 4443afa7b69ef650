"""THE table of primitives: what adlab knows of each operation, one entry each.

A row says what the primitive *is*: its name, its form in SymPy's functions, its partials, its domain, and its
convention where it is not smooth. The row of the same name in `computed` says how it is computed. A new primitive is
these two rows; nothing else in this room or above changes. The truth must not read this table, so it has a vocabulary
of its own.

Partials are written in the operands `a`, `b`, `c`, the constant parameter `n` and the result `out`. Of the possible
forms the one that keeps its digits is chosen: tanh has `1/cosh(a)**2`, since `1 - out**2` has lost every digit at
20. Every function in a partial is itself a primitive, so derivative programs can be differentiated again.
"""

from __future__ import annotations

import copyreg
import functools
import math
import operator
from typing import Any

import numpy as np
import sympy

# isort: off
from sympy import (
    Abs, And, Chi, Ci, Ei, Eq, GreaterThan, Heaviside, LambertW, LessThan, Max, Min, Mod, Ne, Not, Or,
    Piecewise, Pow, Rational, S, Shi, Si, StrictGreaterThan, StrictLessThan, acos, acosh,
    acot, acoth, acsc, acsch, airyai, airyaiprime, airybi, airybiprime, asec, asech, asin, asinh, atan, atan2, atanh,
    besseli, besselj, besselk, bessely, ceiling, cos, cosh, cot, coth, csc, csch, erf, erfc, erfcinv, erfi, erfinv, exp,
    factorial, floor, fresnelc, fresnels, gamma, jn, li, log, loggamma, lowergamma, pi, polygamma, rf, sec, sech,
    sign, sin, sinh, sqrt, tan, tanh, uppergamma, zeta,
)  # fmt: skip
# isort: on
from sympy.codegen.cfunctions import Cbrt, exp2, expm1, hypot as hypot_of_c, log1p, log2
from sympy.codegen.numpy_nodes import logaddexp

from adlab.primitives.entries import entry, exact, moving, power_text, predicate, third_integral, usual

# isort: off
from adlab.primitives.heads import (
    READ_BETTER, cosquare, cossquare, define, explambertw, explambertwm, expint, expover, gauss, gausserfcinv,
    gausserfinv, growth, heading, hypot, lambertw1, lambertwm1, multiplicity, polylog, powshift, share, sharing,
    sinsquare, sphericali, xlogy,
)  # fmt: skip
# isort: on
from adlab.primitives.primitive import OUT, A, B, C, N, Part, Primitive
from adlab.text import vocabulary

# isort: off
from adlab.text.functions import (
    elliptice, ellipticeinc, ellipticf, ellipticgap, elliptick, ellipticpi, ellipticpic, lambertwm, norm, sigmoid,
    softplus,
)  # fmt: skip
# isort: on
from adlab.text.unevaluated import applied

P = entry
ZERO, ONE, HALF = S.Zero, S.One, S.Half
INPUT = Primitive("input", sympy.Symbol, np.asarray, float, (), cost=0, ulps=0)
CONSTANT = Primitive("constant", sympy.sympify, np.asarray, float, (), cost=0, ulps=0)
PART = Part("part", operator.getitem, operator.getitem, operator.getitem, (), cost=0, ulps=0, text="{0}[{n}]")

# sqrt(1 - a**2) and sqrt(a**2 - 1) without squaring: exact differences near |a| = 1, no overflow far out.
INSIDE_ONE = sqrt(cosquare(A))
BEYOND_ONE = exact(sqrt(Abs(A) - 1), sqrt(Abs(A) + 1))
ACOSH_ROOT = exact(sqrt(A - 1), sqrt(A + 1))
# SymPy is not asked whether it can tell: with 30 ms a question that is the dearest part of this file.
WHOLE_B, WHOLE_N = Eq(B, floor(B), evaluate=False), Eq(N, floor(N), evaluate=False)
NOT_WHOLE = Ne(A, floor(A), evaluate=False)
NOT_A_POLE = Or(A > 0, NOT_WHOLE)
# The derivative of polylog(n, a) is Σ k^(1 − n) a^(k − 1). Where a is small, the quotient polylog(n − 1, a)/a loses
# the second derivative, in which two terms cancel. 64 terms leave less than 1e-16 of both, in each order's range of a.
# The powers are not evaluated, since SymPy would factor each k, which takes a tenth of the time to import this file.
POLYLOG_SERIES = functools.reduce(
    lambda tail, k: Pow(k, 1 - N, evaluate=False) + A * tail, range(63, 0, -1), Pow(64, 1 - N, evaluate=False)
)
NEAR_ZERO = Or(
    And(Abs(A) < HALF, N >= 0), And(Abs(A) < Rational(1, 4), N >= -8), And(Abs(A) < Rational(1, 64), N >= -50)
)  # fmt: skip
TIMES_NU, TIMES_M = multiplicity(2, N), multiplicity(3, N)


def inside(angle: Any, m: Any) -> Any:
    """Where 1 − m sin²φ stays positive from 0 on, although it has a zero further out."""
    return And(Abs(angle) < pi / 2, m * sin(angle) ** 2 < 1)


STEPS: dict[str, Any] = {"analytic": False, "piecewise_constant": True, "jumps": True}

# fmt: off
_ENTRIES: list[Primitive] = [
    # --- arithmetic ---------------------------------------------------------------------------------------------
    P("add",         operator.add, (ONE, ONE), text="{0} + {1}", operator=True, common=True),
    P("sub",         operator.sub, (ONE, -ONE), text="{0} - {1}", operator=True, common=True),
    P("mul",         operator.mul, (B, A), text="{0}*{1}", operator=True, vanishes=False, common=True),
    P("div",         operator.truediv, (1 / B, -OUT / B), domain=Ne(B, 0), text="{0}/{1}", operator=True,
        vanishes=False, common=True),
    P("neg",         operator.neg, (-ONE,), text="-{0}", operator=True, common=True),
    # --- powers -------------------------------------------------------------------------------------------------
    P("powi",        lambda a, n: a**n, (N * A ** (N - 1),), text="{0}**{n}", vanishes=False),
    P("powr",        lambda a, n: a**n, (N * A ** (N - 1),), domain=A >= 0,
        partial_domains=(Or(A > 0, And(Eq(A, 0), N >= 1)),), text="{0}**{n}", principal=True, vanishes=False),
    P("pow",         lambda a, b, n=0: a ** (b + n if n else b), ((B + N) * powshift(A, B, N - 1), xlogy(OUT, A)),
        text=power_text, head=powshift, parameter_at=2,
        domain=Or(A > 0, And(Eq(A, 0), B + N >= 0), And(A < 0, WHOLE_B)),
        partial_domains=(Or(A > 0, And(Eq(A, 0), B + N >= 1), And(A < 0, WHOLE_B)),
                         Or(A > 0, And(Eq(A, 0), B + N > 0))),
        principal=True, vanishes=False),
    P("sqrt",        sqrt,         (1 / (2 * OUT),), domain=A >= 0, partial_domains=(A > 0,), principal=True,
        common=True),
    P("cbrt",        lambda a: a ** Rational(1, 3), (exact(OUT / A, Rational(1, 3)),), domain=A >= 0,
        partial_domains=(A > 0,), principal=True, head=Cbrt),
    P("hypot",       hypot,        (heading(A, B), heading(B, A)), partial_domains=(OUT > 0, OUT > 0),
        head=(hypot, hypot_of_c)),
    P("heading",     heading,
        (exact(heading(B, A), 1 / hypot(A, B), heading(B, A)), exact(-OUT, 1 / hypot(A, B), heading(B, A))),
        domain=Or(Ne(A, 0), Ne(B, 0)), text="{0}/hypot({0}, {1})", vanishes=False),
    P("cosquare",    cosquare,     (-2 * A,), text="(1 - {0})*(1 + {0})"),
    P("norm",        lambda *given: norm(*given[:-1]),
        lambda *letters: tuple(letter / OUT for letter in letters), partial_domains=(OUT > 0,), head=norm,
        spelling="norm"),
    # --- exponential and logarithm ------------------------------------------------------------------------------
    P("exp",         exp,          (OUT,), vanishes=False, common=True),
    P("log",         log,          (1 / A,), domain=A > 0, principal=True, common=True),
    P("xlogy",       xlogy,        (log(B), A / B), domain=Or(B > 0, And(Eq(A, 0), Eq(B, 0))),
        partial_domains=(B > 0, B > 0), text="{0}*log({1})", principal=True),
    P("gauss",       gauss,        (-2 * A * OUT,), text="exp(-{0}**2)", vanishes=False),
    P("growth",      growth,       (2 * A * OUT,), text="exp({0}**2)"),
    P("log1p",       log1p,        (1 / (1 + A),), domain=A > -1, principal=True),
    P("expm1",       expm1,        (exp(A),)),
    P("log2",        log2,         (exact(1 / A, 1 / log(2)),), domain=A > 0, principal=True),
    P("exp2",        exp2,         (exact(OUT, log(2)),), vanishes=False),
    P("sigmoid",     sigmoid,      (exact(sech(A / 2), sech(A / 2), Rational(1, 4)),), vanishes=False),
    P("softplus",    softplus,     (sigmoid(A),), vanishes=False),
    P("logaddexp",   logaddexp,    (share(A, B), share(B, A))),
    P("share",       share,        (sharing(A, B), -sharing(A, B)), vanishes=False),
    P("sharing",     sharing,      (exact(-OUT, tanh((A - B) / 2)), exact(OUT, tanh((A - B) / 2))),
        text="share({0}, {1})*share({1}, {0})", vanishes=False),
    # --- trigonometric ------------------------------------------------------------------------------------------
    P("sin",         sin,          (cos(A),), common=True),
    P("cos",         cos,          (-sin(A),), common=True),
    P("tan",         tan,          (1 + OUT**2,), common=True),
    P("sec",         sec,          (OUT * tan(A),)),
    P("csc",         csc,          (-OUT * cot(A),), domain=Ne(A, 0)),
    P("cot",         cot,          (-1 - OUT**2,), domain=Ne(A, 0)),
    P("asin",        asin,         (1 / INSIDE_ONE,), domain=And(A >= -1, A <= 1),
        partial_domains=(And(A > -1, A < 1),), principal=True),
    P("acos",        acos,         (-1 / INSIDE_ONE,), domain=And(A >= -1, A <= 1),
        partial_domains=(And(A > -1, A < 1),), principal=True),
    P("atan",        atan,         (1 / (1 + A**2),)),
    P("asec",        asec,         (exact(1 / Abs(A), 1 / BEYOND_ONE),), domain=Or(A >= 1, A <= -1),
        partial_domains=(Or(A > 1, A < -1),)),
    P("acsc",        acsc,         (exact(-1 / Abs(A), 1 / BEYOND_ONE),), domain=Or(A >= 1, A <= -1),
        partial_domains=(Or(A > 1, A < -1),)),
    P("acot",        acot,         (-1 / (1 + A**2),), smooth=Ne(A, 0),
        convention="acot jumps from -pi/2 to pi/2 at 0; the partial there is -1, that of both sides", jumps=True),
    P("atan2",       atan2,
        (exact(B / hypot(A, B), 1 / hypot(A, B)), exact(-A / hypot(A, B), 1 / hypot(A, B))),
        domain=Or(Ne(A, 0), Ne(B, 0)), smooth=Or(Ne(A, 0), B > 0),
        convention="on the cut (a = 0, b < 0) the partials are those of both sides, though the angle jumps by 2 pi",
        jumps=True),
    # --- hyperbolic ---------------------------------------------------------------------------------------------
    P("sinh",        sinh,         (cosh(A),), common=True),
    P("cosh",        cosh,         (sinh(A),), common=True),
    P("tanh",        tanh,         (1 / cosh(A) ** 2,), common=True),
    P("sech",        sech,         (-OUT * tanh(A),), vanishes=False),
    P("csch",        csch,         (-OUT * coth(A),), domain=Ne(A, 0), vanishes=False),
    P("coth",        coth,         (exact(-1 / sinh(A), 1 / sinh(A)),), domain=Ne(A, 0)),
    P("asinh",       asinh,        (1 / hypot(ONE, A),)),
    P("acosh",       acosh,        (1 / ACOSH_ROOT,), domain=A >= 1, partial_domains=(A > 1,), principal=True),
    P("atanh",       atanh,        (1 / cosquare(A),), domain=And(A > -1, A < 1), principal=True),
    P("asech",       asech,        (-1 / exact(A, INSIDE_ONE),), domain=And(A > 0, A <= 1),
        partial_domains=(And(A > 0, A < 1),)),
    P("acsch",       acsch,        (exact(-1 / Abs(A), 1 / hypot(ONE, A)),), domain=Ne(A, 0)),
    P("acoth",       acoth,        (1 / cosquare(A),), domain=Or(A > 1, A < -1)),
    # --- kinks and jumps ----------------------------------------------------------------------------------------
    P("abs",         Abs,          (sign(A),), smooth=Ne(A, 0),
        convention="at the kink of abs the partial is 0, the mean of both sides", analytic=False),
    P("sign",        sign,         (ZERO,), smooth=Ne(A, 0), convention="at the jump of sign the partial is 0",
        **STEPS),
    P("heaviside",   lambda a, n=HALF: Heaviside(a, n), (ZERO,),
        text=usual(HALF, "Heaviside({0})", "Heaviside({0}, {n})"), smooth=Ne(A, 0),
        convention="at the jump of Heaviside the partial is 0", head=Heaviside, parameter_at=1, **STEPS),
    P("floor",       floor,        (ZERO,), smooth=NOT_WHOLE,
        convention="at the jumps of floor the partial is 0", **STEPS),
    P("ceiling",     ceiling,      (ZERO,), smooth=NOT_WHOLE,
        convention="at the jumps of ceiling the partial is 0", **STEPS),
    P("mod",         Mod,          (ONE, (OUT - A) / B), domain=Ne(B, 0), smooth=Ne(OUT, 0),
        convention="at the jumps of Mod the partials are those of the right-hand side", text="{0} mod {1}",
        analytic=False, jumps=True),
    P("min",         lambda a, b: applied(Min, a, b), (Heaviside(B - A), Heaviside(A - B)), smooth=Ne(A, B),
        convention="at a tie of min each operand gets 1/2", head=Min, analytic=False, routes=True),
    P("max",         lambda a, b: applied(Max, a, b), (Heaviside(A - B), Heaviside(B - A)), smooth=Ne(A, B),
        convention="at a tie of max each operand gets 1/2", head=Max, analytic=False, routes=True),
    # --- conditions and branches --------------------------------------------------------------------------------
    predicate("lt", StrictLessThan,     "<"),
    predicate("le", LessThan,           "<="),
    predicate("gt", StrictGreaterThan,  ">"),
    predicate("ge", GreaterThan,        ">="),
    predicate("eq", Eq,                 "=="),
    predicate("ne", Ne,                 "!="),
    P("and",         lambda a, b: applied(And, a, b), (ZERO, ZERO), text="{0} and {1}", head=And, **STEPS,
        truth_valued=True),
    P("or",          lambda a, b: applied(Or, a, b), (ZERO, ZERO), text="{0} or {1}", head=Or, **STEPS,
        truth_valued=True),
    P("not",         lambda a: Not(a, evaluate=False), (ZERO,), text="not {0}", head=Not, **STEPS, truth_valued=True),
    P("select",      lambda a, b, c: Piecewise((b, a), (c, True), evaluate=False),
        (ZERO, Piecewise((ONE, Ne(A, 0)), (ZERO, True)), Piecewise((ZERO, Ne(A, 0)), (ONE, True))),
        text="{1} if {0} else {2}", analytic=False, routes=True,
        convention="where a condition turns, the partials are those of the branch taken", jumps=True),
    # --- error functions, gamma and its kin ---------------------------------------------------------------------
    P("erf",         erf,          (exact(2 / sqrt(pi), gauss(A)),)),
    P("erfc",        erfc,         (exact(-2 / sqrt(pi), gauss(A)),), vanishes=False),
    P("gamma",       gamma,        (OUT * polygamma(0, A),), domain=NOT_A_POLE, vanishes=False),
    P("loggamma",    loggamma,     (polygamma(0, A),), domain=A > 0),
    P("polygamma",   polygamma,    (polygamma(N + 1, A),), domain=And(WHOLE_N, N >= 0, NOT_A_POLE), parameter_at=0,
        text=usual(0, "digamma({0})", "polygamma({n}, {0})"), vanishes=False),
    P("zeta",        zeta,         (Piecewise((-ONE, Eq(N, 0)), (-N * zeta(N + 1, A), True)),),
        domain=And(Ne(N, 1), Or(A > 0, And(WHOLE_N, N <= 0), And(WHOLE_N, N > 1, NOT_A_POLE))), parameter_at=0,
        moving="zeta_moving", vanishes=False),
    # --- further special functions ------------------------------------------------------------------------------
    P("erfi",        erfi,         (exact(2 / sqrt(pi), growth(A)),)),
    P("erfinv",      erfinv,       (exact(sqrt(pi) / 2, gausserfinv(A)),), domain=And(A > -1, A < 1)),
    P("gausserfinv", gausserfinv,  (exact(sqrt(pi), erfinv(A), OUT, OUT),), domain=And(A > -1, A < 1),
        text="exp(erfinv({0})**2)"),
    P("erfcinv",     erfcinv,      (exact(-sqrt(pi) / 2, gausserfcinv(A)),), domain=And(A > 0, A < 2)),
    P("gausserfcinv",gausserfcinv, (exact(-sqrt(pi), erfcinv(A), OUT, OUT),), domain=And(A > 0, A < 2),
        text="exp(erfcinv({0})**2)"),
    P("fresnels",    fresnels,     (sinsquare(A),)),
    P("fresnelc",    fresnelc,     (cossquare(A),)),
    P("sinsquare",   sinsquare,    (exact(pi, A, cossquare(A)),), text="sin(pi*{0}**2/2)"),
    P("cossquare",   cossquare,    (exact(-pi, A, sinsquare(A)),), text="cos(pi*{0}**2/2)"),
    P("Ei",          Ei,           (expover(A),), domain=Ne(A, 0), vanishes=False),
    P("expover",     expover,      (exact(OUT, (A - 1) / A),), domain=Ne(A, 0), text="exp({0})/{0}", vanishes=False),
    P("li",          li,           (1 / log(A),), domain=And(A >= 0, Ne(A, 1)),
        partial_domains=(And(A > 0, Ne(A, 1)),)),
    P("Si",          Si,           (jn(0, A),)),
    P("Ci",          Ci,           (cos(A) / A,), domain=A > 0, vanishes=False),
    P("Shi",         Shi,          (sphericali(0, A),)),
    P("Chi",         Chi,          (cosh(A) / A,), domain=A > 0, vanishes=False),
    P("sphericalj",  jn,           ((N * jn(N - 1, A) - (N + 1) * jn(N + 1, A)) / (2 * N + 1),),
        domain=And(WHOLE_N, N >= 0), parameter_at=0, text=usual(0, "sinc({0})", "sphericalj({n}, {0})"),
        vanishes=False),
    P("sphericali",  sphericali,   ((N * sphericali(N - 1, A) + (N + 1) * sphericali(N + 1, A)) / (2 * N + 1),),
        parameter_at=0, vanishes=False),
    P("besselj",     besselj,      ((besselj(N - 1, A) - besselj(N + 1, A)) / 2,),
        domain=Or(A > 0, WHOLE_N, And(Eq(A, 0), N >= 0)),
        partial_domains=(Or(A > 0, WHOLE_N, And(Eq(A, 0), N >= 1)),), parameter_at=0, moving="besselj_moving",
        vanishes=False),
    P("bessely",     bessely,      ((bessely(N - 1, A) - bessely(N + 1, A)) / 2,), domain=A > 0, parameter_at=0,
        moving="bessely_moving", vanishes=False),
    P("besseli",     besseli,      ((besseli(N - 1, A) + besseli(N + 1, A)) / 2,),
        domain=Or(A > 0, WHOLE_N, And(Eq(A, 0), N >= 0)),
        partial_domains=(Or(A > 0, WHOLE_N, And(Eq(A, 0), N >= 1)),), parameter_at=0, moving="besseli_moving",
        vanishes=False),
    P("besselk",     besselk,      (-(besselk(N - 1, A) + besselk(N + 1, A)) / 2,), domain=A > 0, parameter_at=0,
        moving="besselk_moving", vanishes=False),
    P("uppergamma",  uppergamma,   (-(A ** (N - 1)) * exp(-A),),
        domain=Or(A > 0, And(WHOLE_N, N >= 1), And(Eq(A, 0), N > 0)),
        partial_domains=(Or(A > 0, And(WHOLE_N, N >= 1), And(Eq(A, 0), N >= 1)),), parameter_at=0,
        moving="uppergamma_moving", vanishes=False),
    P("lowergamma",  lowergamma,   (A ** (N - 1) * exp(-A),), domain=And(N > 0, Or(A >= 0, WHOLE_N)),
        partial_domains=(And(N > 0, Or(A > 0, WHOLE_N, And(Eq(A, 0), N > 1))),), parameter_at=0,
        moving="lowergamma_moving", vanishes=False),
    P("expint",      expint,       (-expint(N - 1, A),),
        domain=Or(A > 0, And(WHOLE_N, N <= 0, Ne(A, 0)), And(Eq(A, 0), N > 1)),
        partial_domains=(Or(A > 0, And(WHOLE_N, N <= 0, Ne(A, 0)), And(Eq(A, 0), N > 2)),), parameter_at=0,
        moving="expint_moving", head=(sympy.expint, expint), vanishes=False),
    P("polylog",     polylog,
        (Piecewise((POLYLOG_SERIES, NEAR_ZERO), (polylog(N - 1, A) / A, Ne(A, 0)), (POLYLOG_SERIES, True)),),
        domain=Or(A < 1, And(WHOLE_N, N <= 0, A > 1), And(Eq(A, 1), N > 1)),
        partial_domains=(Or(A < 1, And(WHOLE_N, N <= 0, A > 1), And(Eq(A, 1), N > 2)),), parameter_at=0,
        moving="polylog_moving", head=(sympy.polylog, polylog)),
    P("lambertw",    LambertW,     (explambertw(A) / lambertw1(A),), domain=-exp(-1) < A, text="LambertW({0})"),
    P("lambertw1",   lambertw1,    (explambertw(A) / OUT,), domain=-exp(-1) < A, text="(1 + LambertW({0}))"),
    P("explambertw", explambertw,  (exact(-OUT / lambertw1(A), OUT),), domain=-exp(-1) < A,
        text="exp(-LambertW({0}))"),
    P("lambertwm",   lambertwm,    (explambertwm(A) / lambertwm1(A),), domain=And(-exp(-1) < A, A < 0),
        text="LambertW({0}, -1)"),
    P("lambertwm1",  lambertwm1,   (explambertwm(A) / OUT,), domain=And(-exp(-1) < A, A < 0),
        text="(1 + LambertW({0}, -1))"),
    P("explambertwm", explambertwm, (exact(-OUT / lambertwm1(A), OUT),), domain=And(-exp(-1) < A, A < 0),
        text="exp(-LambertW({0}, -1))"),
    P("elliptick",   elliptick,    (elliptick(N + 1, A),), domain=And(WHOLE_N, N >= 0, A < 1), parameter_at=0,
        text=usual(0, "elliptic_k({0})", "elliptick({n}, {0})"), vanishes=False),
    P("elliptice",   elliptice,    (elliptice(N + 1, A),),
        domain=And(WHOLE_N, N >= 0, Or(A < 1, And(Eq(A, 1), Eq(N, 0)))),
        partial_domains=(And(WHOLE_N, N >= 0, A < 1),), parameter_at=0,
        text=usual(0, "elliptic_e({0})", "elliptice({n}, {0})"), vanishes=False),
    P("ellipticf",   ellipticf,
        (exact(rf(HALF, N), sin(A) ** (2 * N), ellipticgap(A, B) ** (-N - HALF)), ellipticf(N + 1, A, B)),
        domain=And(WHOLE_N, N >= 0, Or(B < 1, inside(A, B))), parameter_at=0,
        text=usual(0, "elliptic_f({0}, {1})", "diff(elliptic_f({0}, {1}), {1}, {n})"), vanishes=False),
    P("ellipticeinc", ellipticeinc,
        (exact(rf(-HALF, N), sin(A) ** (2 * N), ellipticgap(A, B) ** (HALF - N)), ellipticeinc(N + 1, A, B)),
        domain=And(WHOLE_N, N >= 0, Or(B < 1, And(Eq(B, 1), Eq(N, 0)), inside(A, B))),
        partial_domains=(And(WHOLE_N, N >= 0, Or(B < 1, And(Eq(B, 1), Eq(N, 0)), inside(A, B))),
                         And(WHOLE_N, N >= 0, Or(B < 1, inside(A, B)))), parameter_at=0,
        text=usual(0, "elliptic_e({0}, {1})", "diff(elliptic_e({0}, {1}), {1}, {n})"), vanishes=False),
    P("ellipticpi",  ellipticpi,
        (ellipticpi(2 * N, A, B, C),
         exact(factorial(TIMES_NU) * rf(HALF, TIMES_M), sin(B) ** (2 * TIMES_NU + 2 * TIMES_M),
               ellipticgap(B, A) ** (-1 - TIMES_NU), ellipticgap(B, C) ** (-TIMES_M - HALF)),
         ellipticpi(3 * N, A, B, C)),
        domain=And(N >= 1, Or(A < 1, inside(B, A)), Or(C < 1, inside(B, C))), parameter_at=0,
        text=third_integral(3), vanishes=False),
    P("ellipticpic", ellipticpic,  (ellipticpic(2 * N, A, B), ellipticpic(3 * N, A, B)),
        domain=And(N >= 1, A < 1, B < 1), parameter_at=0,
        text=third_integral(2), vanishes=False),
    P("ellipticgap", ellipticgap,  (exact(-B, sin(2 * A)), -sin(A) ** 2), text="(1 - {1}*sin({0})**2)"),
    P("airyai",      airyai,       (airyaiprime(A),), spelling="airyai", vanishes=False),
    P("airybi",      airybi,       (airybiprime(A),), spelling="airybi", vanishes=False),
    P("airyaiprime", airyaiprime,  (exact(A, airyai(A)),), spelling="airyaiprime", vanishes=False),
    P("airybiprime", airybiprime,  (exact(A, airybi(A)),), spelling="airybiprime", vanishes=False),
    # --- special functions of a moving order --------------------------------------------------------------------
    moving("zeta",       zeta,
        lambda f: Piecewise((A * polygamma(0, B) - 1, And(Eq(A, 0), Eq(N, 0))),
                            (-A * f(A + 1, N) - N * f(A + 1, N - 1), True)),
        And(Ne(A, 1), B > 0, A > -300), Or(Ne(A, 0), Eq(N, 0)), largest=math.inf),
    moving("besselj",    besselj,     lambda f: (f(A - 1, N) - f(A + 1, N)) / 2, B > 0),
    moving("bessely",    bessely,     lambda f: (f(A - 1, N) - f(A + 1, N)) / 2, B > 0),
    moving("besseli",    besseli,     lambda f: (f(A - 1, N) + f(A + 1, N)) / 2, B > 0),
    moving("besselk",    besselk,     lambda f: -(f(A - 1, N) + f(A + 1, N)) / 2, B > 0),
    moving("uppergamma", uppergamma,  lambda f: -(log(B) ** N) * B ** (A - 1) * exp(-B), B > 0),
    moving("lowergamma", lowergamma,  lambda f: log(B) ** N * B ** (A - 1) * exp(-B), And(A > 0, B > 0)),
    moving("expint",     sympy.expint, lambda f: -f(A - 1, N), B > 0),
    moving("polylog",    sympy.polylog,
        lambda f: Piecewise((f(A - 1, N) / B, Ne(B, 0)),
                            (ZERO**N + 2 ** (1 - A) * (-log(2)) ** N * B + 3 ** (1 - A) * (-log(3)) ** N * B**2, True)),
        B < 1),
]
# fmt: on

PRIMITIVES: dict[str, Primitive] = {}
HEADS: dict[Any, Primitive] = {}


def register(new: Primitive) -> None:
    """Adds an entry to the table: under its name, its heads, and its spellings in formula text."""
    PRIMITIVES[new.name] = new
    heads = new.head if isinstance(new.head, tuple) else (new.head,)
    HEADS.update(dict.fromkeys(heads, new))
    for name in new.spelling.split():
        vocabulary.know(name, heads[0], new.arity or 1, new.arity or vocabulary.MAX_ARGUMENTS)


def forget(known: Primitive) -> None:
    """Removes an entry from the table."""
    del PRIMITIVES[known.name]
    for head in [head for head, primitive in HEADS.items() if primitive is known]:
        del HEADS[head]
    for name in known.spelling.split():
        vocabulary.forget(name)


for _entry in _ENTRIES:
    register(_entry)

__all__ = ["CONSTANT", "HEADS", "INPUT", "OUT", "PART", "PRIMITIVES", "READ_BETTER", "A", "B", "C", "N", "define",
           "forget", "register"]  # fmt: skip


def _known(name: str) -> Primitive:
    known = {entry.name: entry for entry in (INPUT, CONSTANT)}
    return PRIMITIVES[name] if name in PRIMITIVES else known[name]


def _by_name(primitive: Primitive) -> tuple[Any, tuple[str]]:
    return _known, (primitive.name,)


copyreg.pickle(Primitive, _by_name)  # an entry holds functions that have no name to be pickled by
