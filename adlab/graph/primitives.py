"""THE table of primitives: everything adlab knows of an operation, one entry each.

Adding a primitive edits this file and nothing else. Partials are written in the operands `a`, `b`, `c`, the constant
parameter `n` and the result `out`, in the form that keeps its digits (tanh has `1/cosh(a)**2`: at a = 20
`1 - out**2` has lost every one). Every function that stands in a partial is itself a primitive, so derivative
programs can be differentiated again.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import sympy
from sympy import And, Eq, Function, Heaviside, Ne, Or, Piecewise, Rational, S, floor

from adlab.graph import numerics as num
from adlab.graph.primitive import OPERANDS, OUT, A, B, C, N, Primitive

# Functions that SymPy has no name for, and what they mean; they stand in partials, and lower to their own primitives.
hypot, gauss, powshift = Function("hypot"), Function("gauss"), Function("powshift")
DEFINITIONS: dict[Any, Any] = {
    hypot: lambda a, b: sympy.sqrt(a**2 + b**2),
    gauss: lambda a: sympy.exp(-(a**2)),
    powshift: lambda a, b, n: a ** (b + n),
}

P = Primitive
ZERO, ONE, HALF = S.Zero, S.One, S.Half
INPUT = P("input", sympy.Symbol, np.asarray, float, (), cost=0)
CONSTANT = P("constant", sympy.sympify, np.asarray, float, (), cost=0)


def exact(product: Any, *factors: Any) -> sympy.Expr:
    """A product kept in the order written: (b/h)/h must not become b/h**2, which overflows."""
    for factor in factors:
        product = sympy.Mul(product, factor, evaluate=False)
    return product


# SQRT(1 - a**2) and SQRT(a**2 - 1) without squaring: near |a| = 1 by exact differences, far out without overflow.
INSIDE_ONE = sympy.sqrt(exact(1 - A, 1 + A))
BEYOND_ONE = exact(sympy.sqrt(sympy.Abs(A) - 1), sympy.sqrt(sympy.Abs(A) + 1))
ACOSH_ROOT = exact(sympy.sqrt(A - 1), sympy.sqrt(A + 1))
INTEGRAL_B = Eq(B, floor(B))
NOT_A_POLE = Or(A > 0, Ne(A, floor(A)))


def truth_value(relation: Any) -> Any:
    return lambda a, b: relation(a, b, evaluate=False)


def predicate(name: str, relation: Any, scalar: Any, ufunc: Any, sign: str) -> Primitive:
    """A comparison: 1.0 or 0.0, constant between its jumps."""
    return P(name, truth_value(relation), num.comparison_array(ufunc), num.comparison(scalar), (ZERO, ZERO),
             smooth=Ne(A, B), convention="a comparison has derivative 0", text="{0} " + sign + " {1}",
             head=relation, analytic=False, piecewise_constant=True)  # fmt: skip


def multiplications(exponent: Any) -> float:
    """By repeated squaring."""
    return int(exponent).bit_length() + int(exponent).bit_count() - 2


# fmt: off
_ENTRIES: list[Primitive] = [
    # --- arithmetic ---------------------------------------------------------------------------------------------
    P("add", operator.add, np.add, operator.add, (ONE, ONE), text="{0} + {1}", operator=True),
    P("sub", operator.sub, np.subtract, operator.sub, (ONE, -ONE), text="{0} - {1}", operator=True),
    P("mul", operator.mul, np.multiply, operator.mul, (B, A), text="{0}*{1}", operator=True),
    P("div", operator.truediv, np.divide, operator.truediv, (1 / B, -OUT / B), domain=Ne(B, 0), text="{0}/{1}", operator=True, cost=4),
    P("neg", operator.neg, np.negative, operator.neg, (-ONE,), text="-{0}", operator=True),
    # --- powers -------------------------------------------------------------------------------------------------
    P("powi", lambda a, n: a**n, num.power_integer_array, num.power_integer, (N * A ** (N - 1),), text="{0}**{n}", cost=multiplications, complex=num.power_integer_complex),
    P("powr", lambda a, n: a**n, num.power_rational_array, num.power_rational, (N * A ** (N - 1),), domain=A >= 0, partial_domains=(Or(A > 0, And(Eq(A, 0), N >= 1)),), text="{0}**{n}", cost=25, complex=lambda a, n: a ** float(n), principal=True),
    P("pow", lambda a, b, n=0: a ** (b + n), num.power_shifted_array, num.power_shifted, ((B + N) * powshift(A, B, N - 1), OUT * sympy.log(A)), text=lambda n: "{0}**({1} + {n})" if n else "{0}**{1}", head=powshift, parameter_at=2, cost=25,
      domain=Or(A > 0, And(Eq(A, 0), B + N >= 0), And(A < 0, INTEGRAL_B)), partial_domains=(Or(A > 0, And(Eq(A, 0), B + N >= 1), And(A < 0, INTEGRAL_B)), A > 0), complex=lambda a, b, n: a ** (b + n), principal=True),
    P("sqrt", sympy.sqrt, np.sqrt, math.sqrt, (1 / (2 * OUT),), domain=A >= 0, partial_domains=(A > 0,), cost=5, principal=True),
    P("cbrt", lambda a: a ** Rational(1, 3), np.cbrt, math.cbrt, (1 / (3 * OUT**2),), domain=A >= 0, partial_domains=(A > 0,), cost=10, complex=lambda a: a ** (1 / 3), principal=True),
    P("hypot", DEFINITIONS[hypot], np.hypot, math.hypot, (A / OUT, B / OUT), partial_domains=(OUT > 0, OUT > 0), smooth=OUT > 0, head=hypot, cost=8, complex=lambda a, b: np.sqrt(a * a + b * b)),
    # --- exponential and logarithm ------------------------------------------------------------------------------
    P("exp", sympy.exp, np.exp, math.exp, (OUT,), head=sympy.exp, cost=10),
    P("log", sympy.log, np.log, math.log, (1 / A,), domain=A > 0, head=sympy.log, cost=10, principal=True),
    P("gauss", DEFINITIONS[gauss], num.gauss_array, num.gauss, (-2 * A * OUT,), head=gauss, cost=22, complex=lambda a: np.exp(-a * a)),
    # --- trigonometric ------------------------------------------------------------------------------------------
    P("sin", sympy.sin, np.sin, math.sin, (sympy.cos(A),), head=sympy.sin, cost=12),
    P("cos", sympy.cos, np.cos, math.cos, (-sympy.sin(A),), head=sympy.cos, cost=12),
    P("tan", sympy.tan, np.tan, math.tan, (1 + OUT**2,), head=sympy.tan, cost=15),
    P("sec", sympy.sec, lambda a: 1 / np.cos(a), lambda a: 1 / math.cos(a), (OUT * sympy.tan(A),), head=sympy.sec, cost=16),
    P("csc", sympy.csc, lambda a: 1 / np.sin(a), lambda a: 1 / math.sin(a), (-OUT * sympy.cot(A),), domain=Ne(A, 0), head=sympy.csc, cost=16),
    P("cot", sympy.cot, lambda a: 1 / np.tan(a), lambda a: 1 / math.tan(a), (-1 - OUT**2,), domain=Ne(A, 0), head=sympy.cot, cost=19),
    P("asin", sympy.asin, np.arcsin, math.asin, (1 / INSIDE_ONE,), domain=And(A >= -1, A <= 1), partial_domains=(And(A > -1, A < 1),), head=sympy.asin, cost=15),
    P("acos", sympy.acos, np.arccos, math.acos, (-1 / INSIDE_ONE,), domain=And(A >= -1, A <= 1), partial_domains=(And(A > -1, A < 1),), head=sympy.acos, cost=15),
    P("atan", sympy.atan, np.arctan, math.atan, (1 / (1 + A**2),), head=sympy.atan, cost=15),
    P("asec", sympy.asec, num.asec_array, num.asec, (exact(1 / sympy.Abs(A), 1 / BEYOND_ONE),), domain=Or(A >= 1, A <= -1), partial_domains=(Or(A > 1, A < -1),), head=sympy.asec, cost=27, complex=lambda a: np.arccos(1 / a)),
    P("acsc", sympy.acsc, num.acsc_array, num.acsc, (exact(-1 / sympy.Abs(A), 1 / BEYOND_ONE),), domain=Or(A >= 1, A <= -1), partial_domains=(Or(A > 1, A < -1),), head=sympy.acsc, cost=27, complex=lambda a: np.arcsin(1 / a)),
    P("acot", sympy.acot, num.acot_array, num.acot, (-1 / (1 + A**2),), smooth=Ne(A, 0), convention="acot jumps from -pi/2 to pi/2 at 0; the partial there is -1, that of both sides", head=sympy.acot, cost=19, complex=lambda a: np.arctan(1 / a)),
    P("atan2", sympy.atan2, np.arctan2, num.atan2, (exact(B / hypot(A, B), 1 / hypot(A, B)), exact(-A / hypot(A, B), 1 / hypot(A, B))), domain=Or(Ne(A, 0), Ne(B, 0)), smooth=Or(Ne(A, 0), B > 0), convention="on the cut (a = 0, b < 0) the partials are those of both sides, though the angle jumps by 2 pi", head=sympy.atan2, cost=20, complex=num.atan2_complex),
    # --- hyperbolic ---------------------------------------------------------------------------------------------
    P("sinh", sympy.sinh, np.sinh, math.sinh, (sympy.cosh(A),), head=sympy.sinh, cost=14),
    P("cosh", sympy.cosh, np.cosh, math.cosh, (sympy.sinh(A),), head=sympy.cosh, cost=14),
    P("tanh", sympy.tanh, np.tanh, math.tanh, (1 / sympy.cosh(A) ** 2,), head=sympy.tanh, cost=14),
    P("sech", sympy.sech, lambda a: 1 / np.cosh(a), lambda a: 1 / math.cosh(a), (-OUT * sympy.tanh(A),), head=sympy.sech, cost=18),
    P("csch", sympy.csch, lambda a: 1 / np.sinh(a), lambda a: 1 / math.sinh(a), (-OUT * sympy.coth(A),), domain=Ne(A, 0), head=sympy.csch, cost=18),
    P("coth", sympy.coth, lambda a: 1 / np.tanh(a), lambda a: 1 / math.tanh(a), (-1 / sympy.sinh(A) ** 2,), domain=Ne(A, 0), head=sympy.coth, cost=18),
    P("asinh", sympy.asinh, np.arcsinh, math.asinh, (1 / hypot(ONE, A),), head=sympy.asinh, cost=15),
    P("acosh", sympy.acosh, np.arccosh, math.acosh, (1 / ACOSH_ROOT,), domain=A >= 1, partial_domains=(A > 1,), head=sympy.acosh, cost=15, principal=True),
    P("atanh", sympy.atanh, np.arctanh, math.atanh, (1 / exact(1 - A, 1 + A),), domain=And(A > -1, A < 1), head=sympy.atanh, cost=15),
    P("asech", sympy.asech, num.asech_array, num.asech, (-1 / exact(A, INSIDE_ONE),), domain=And(A > 0, A <= 1), partial_domains=(And(A > 0, A < 1),), head=sympy.asech, cost=27, complex=lambda a: np.arccosh(1 / a)),
    P("acsch", sympy.acsch, lambda a: np.arcsinh(1 / a), lambda a: math.asinh(1 / a), (exact(-1 / sympy.Abs(A), 1 / hypot(ONE, A)),), domain=Ne(A, 0), head=sympy.acsch, cost=19),
    P("acoth", sympy.acoth, num.acoth_array, num.acoth, (1 / exact(1 - A, 1 + A),), domain=Or(A > 1, A < -1), head=sympy.acoth, cost=19, complex=lambda a: np.arctanh(1 / a)),
    # --- kinks and jumps ----------------------------------------------------------------------------------------
    P("abs", sympy.Abs, np.abs, math.fabs, (sympy.sign(A),), smooth=Ne(A, 0), convention="at the kink of abs the partial is 0, the mean of both sides", head=sympy.Abs, analytic=False),
    P("sign", sympy.sign, np.sign, num.sign, (ZERO,), smooth=Ne(A, 0), convention="at the jump of sign the partial is 0", head=sympy.sign, analytic=False, piecewise_constant=True),
    P("heaviside", lambda a, n=HALF: Heaviside(a, n), lambda a, n: np.heaviside(a, float(n)), num.heaviside, (ZERO,), smooth=Ne(A, 0), convention="at the jump of Heaviside the partial is 0", head=Heaviside, parameter_at=1, analytic=False, piecewise_constant=True),
    P("floor", floor, np.floor, lambda a: float(math.floor(a)), (ZERO,), smooth=Ne(A, floor(A)), convention="at the jumps of floor the partial is 0", head=floor, analytic=False, piecewise_constant=True),
    P("ceiling", sympy.ceiling, np.ceil, lambda a: float(math.ceil(a)), (ZERO,), smooth=Ne(A, floor(A)), convention="at the jumps of ceiling the partial is 0", head=sympy.ceiling, analytic=False, piecewise_constant=True),
    P("mod", sympy.Mod, np.mod, operator.mod, (ONE, (OUT - A) / B), domain=Ne(B, 0), smooth=Ne(OUT, 0), convention="at the jumps of Mod the partials are those of the right-hand side", text="{0} mod {1}", head=sympy.Mod, analytic=False, cost=20),
    P("min", lambda a, b: sympy.Min(a, b, evaluate=False), np.minimum, num.minimum, (Heaviside(B - A), Heaviside(A - B)), smooth=Ne(A, B), convention="at a tie of min each operand gets 1/2", head=sympy.Min, analytic=False, routes=True),
    P("max", lambda a, b: sympy.Max(a, b, evaluate=False), np.maximum, num.maximum, (Heaviside(A - B), Heaviside(B - A)), smooth=Ne(A, B), convention="at a tie of max each operand gets 1/2", head=sympy.Max, analytic=False, routes=True),
    # --- conditions and branches --------------------------------------------------------------------------------
    predicate("lt", sympy.StrictLessThan, operator.lt, np.less, "<"),
    predicate("le", sympy.LessThan, operator.le, np.less_equal, "<="),
    predicate("gt", sympy.StrictGreaterThan, operator.gt, np.greater, ">"),
    predicate("ge", sympy.GreaterThan, operator.ge, np.greater_equal, ">="),
    predicate("eq", Eq, operator.eq, np.equal, "=="),
    predicate("ne", Ne, operator.ne, np.not_equal, "!="),
    P("and", lambda a, b: And(a, b, evaluate=False), num.conjunction_array, num.conjunction, (ZERO, ZERO), text="{0} and {1}", head=And, analytic=False, piecewise_constant=True),
    P("or", lambda a, b: Or(a, b, evaluate=False), num.disjunction_array, num.disjunction, (ZERO, ZERO), text="{0} or {1}", head=Or, analytic=False, piecewise_constant=True),
    P("not", lambda a: sympy.Not(a, evaluate=False), lambda a: 1.0 - a, lambda a: 1.0 - a, (ZERO,), text="not {0}", head=sympy.Not, analytic=False, piecewise_constant=True),
    P("select", lambda a, b, c: Piecewise((b, a), (c, True), evaluate=False), num.select_array, num.select, (ZERO, Piecewise((ONE, Ne(A, 0)), (ZERO, True)), Piecewise((ZERO, Ne(A, 0)), (ONE, True))), text="{1} if {0} else {2}", analytic=False, routes=True, convention="where a condition turns, the partials are those of the branch taken"),
    # --- special functions --------------------------------------------------------------------------------------
    P("erf", sympy.erf, num.special("erf", math.erf), math.erf, (exact(2 / sympy.sqrt(sympy.pi), gauss(A)),), head=sympy.erf, cost=20),
    P("erfc", sympy.erfc, num.special("erfc", math.erfc), math.erfc, (exact(-2 / sympy.sqrt(sympy.pi), gauss(A)),), head=sympy.erfc, cost=20),
    P("gamma", sympy.gamma, num.special("gamma", math.gamma), math.gamma, (OUT * sympy.polygamma(0, A),), domain=NOT_A_POLE, head=sympy.gamma, cost=50),
    P("loggamma", sympy.loggamma, num.special("gammaln", math.lgamma), math.lgamma, (sympy.polygamma(0, A),), domain=A > 0, head=sympy.loggamma, cost=50),
    P("polygamma", lambda a, n=ZERO: sympy.polygamma(n, a), num.polygamma_array, num.polygamma, (sympy.polygamma(N + 1, A),), domain=NOT_A_POLE, head=sympy.polygamma, parameter_at=0, cost=80),
]
# fmt: on

PRIMITIVES: dict[str, Primitive] = {entry.name: entry for entry in _ENTRIES}
HEADS: dict[Any, Primitive] = {entry.head: entry for entry in _ENTRIES if entry.head is not None}


def define(rule: Any) -> Any:
    """A rule with adlab's own names replaced by what they mean, for SymPy to reason about.

    >>> define(hypot(A, B))
    sqrt(a**2 + b**2)
    """
    for name, meaning in DEFINITIONS.items():
        rule = rule.replace(name, meaning)
    return rule


__all__ = ["CONSTANT", "DEFINITIONS", "HEADS", "INPUT", "OPERANDS", "OUT", "PRIMITIVES", "A", "B", "C", "N", "define"]
