"""The contest's formulas and callables, grouped by what makes them nasty. Each has its truth, or the reason why there is none.

The truth of a formula comes from `adlab.truth`. A callable has a formula beside it with the same derivative. Two answers are not
numbers: `NO_DERIVATIVE`, where f has none, and `CANNOT_BE_KNOWN`, where values near the point do not determine it. There a
contestant is honest if it claims no success.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from adlab.report import contest_callables as own

NO_DERIVATIVE = "no derivative"
CANNOT_BE_KNOWN = "cannot be known"


@dataclass(frozen=True)
class Case:
    """One function at one point. `f` is a formula or a callable. `truth` is a formula with the same derivative at `at`, or one of
    the two words.
    """

    kind: str
    name: str
    f: str | Callable[..., Any]
    at: float
    truth: str
    made: bool = False
    """Whether `f` makes a new callable with a state. Each contestant gets a new one."""

    @property
    def has_truth(self) -> bool:
        """Whether there is a number to compare with."""
        return self.truth not in (NO_DERIVATIVE, CANNOT_BE_KNOWN)


# kind: (formula, point), and another formula with the same derivative where the derivative is one-sided.
FORMULAS: dict[str, tuple[tuple[str, float] | tuple[str, float, str], ...]] = {
    "smooth": (
        ("exp(x)/sqrt(sin(x)**3 + cos(x)**3)", 1.5),
        ("sin(1/x)", 0.45),
        ("x**(3/2)", 0.1),
        ("(exp(x) - 1)**2 + (1/sqrt(1 + x**2) - 1)**2", 1.0),
        ("exp(100*x)", 0.01),
        ("x**4 + 3*x**2 - 10*x", 0.99999),
        ("exp(x)/(cos(x)**3 + sin(x)**3)", 0.7853981633974483),
        ("log(x)", 1e-3),
        ("tanh(1000*x)", 1e-3),
        ("x*exp(-x)*sin(3*x)", 2.0),
        ("1/(1 + 25*x**2)", 0.3),
        ("exp(-x**2)", 4.0),
        ("gamma(x)", 3.5),
        ("x**x", 2.5),
        ("atan(x)", 30.0),
    ),
    "a stationary point": (
        ("cos(x)", 0.0),
        ("x**4", 0.0),
        ("x**2*exp(-x)", 2.0),
        ("(x - 1)**7", 1.0),
        ("x**2 + 1", 0.0),
        ("cosh(x)", 1e-8),
    ),
    "a value that has lost its digits": (
        ("(1 - cos(x))/x**2", 1e-3),
        ("(1 - cos(x))/x**2", 1e-4),
        ("(1 - cos(x))/x**2", 1e-9),
        ("log(1 + x)/x", 1e-9),
        ("(exp(x) - 1 - x)/x**2", 1e-5),
        ("sqrt(1 + x) - sqrt(x)", 1e12),
        ("x - sin(x)", 1e-6),
        ("exp(x) - exp(x - 1e-9)", 1.0),
        ("(x - 1)*(x - 1) - (x**2 - 2*x + 1) + 1e-10*x", 3.0),
        ("log(exp(x) + 1e8) - log(1e8)", 2.0),
    ),
    "rounded to a constant": (
        ("-log(1 + exp(-x))", 40.0),
        ("-log(1 + exp(-x))", 60.0),
        ("loggamma(x) + loggamma(3) - loggamma(x + 3)", 1e20),
        ("1 + 1e-20*x", 1.0),
        ("tanh(x)", 25.0),
        ("erf(x)", 8.0),
        ("1e20 + sin(x)", 1.0),
        ("exp(-x)", 800.0),
        ("1/(1 + exp(-x))", 45.0),
    ),
    "slow": (
        ("cos(x/1e6)", 1.0),
        ("exp(-x/1e6)", 1.0),
        ("log(x + 1e9)", 1.0),
        ("sqrt(x**2 + 1e12)", 1.0),
        ("sin(1e-5*x)", 2.0),
        ("1/(x + 1e7)", 3.0),
        ("tanh(x/1e4)", 0.5),
        ("exp(1e-8*x)", 0.0),
    ),
    "quick": (
        ("sin(1e8*x)", 0.0),
        ("sin(1e8*x)", 0.3),
        ("sin(2*pi*x)", 1.7e9 + 0.1),
        ("sin(x)", 1e10),
        ("sin(x)", 1e22),
        ("cos(1e5*x)", 0.7),
        ("sin(1000*x)*x", 1.0),
        ("tanh(1e9*x)", 0.0),
        ("sin(1/x)", 1e-4),
        ("exp(1e4*x)", 1e-3),
        ("cos(8*pi*x)", 1.03),
        ("x + 1e-3*sin(1e6*x)", 1.0),
        ("x**3 + 1.7e-8*sin(2.4e6*x + 3.3)", 3.0),
        ("sin(x)*exp(-x) + 5.3e-8*sin(1e5*x + 2.2)", -1.8679),
        ("x**3 + 3.6e-5*sin(879*x + 1.9)", 2.0),
        ("1.8*x + 2.5e-9*sin(8.3e8*x + 0.4)", 0.0),
    ),
    "a peak narrower than the stencil": (
        ("exp(-((x - 1)/1e-4)**2/2)", 1.0001),
        ("exp(-((x - 1)/1e-6)**2/2)", 1.000001),
        ("sin(x) + 1e-3*exp(-((x - 1)/1e-9)**2/2)", 1.000000001),
        ("x*exp(-(x/1e-7)**2)", 0.0),
        ("1/(1 + ((x - 1)/1e-5)**2)", 1.00001),
        ("1/cosh(1e7*x)", 1e-7),
        ("x + exp(-(1e5*(x - 2))**2)", 2.00001),
        ("tanh((x - 1)/1e-10)", 1.0),
        ("sqrt(x**2 + 1e-12)", 1e-6),
        ("sqrt(x**2 + 1e-20)", 1e-10),
        ("x**3 + 7e-6*exp(-((x - 3.62689)/2e-4)**2)", 3.6271148),
        ("sqrt(3.9 + x**2) + 0.54*exp(-((x + 9.87e-9)/5e-9)**2)", 0.0),
    ),
    "the edge of the domain": (
        ("x*sqrt(x)", 0.0, "x**2"),
        ("sqrt(1 - x**2)", 0.9999999),
        ("acos(x)", -0.9999999),
        ("sqrt(x)", 1e-300),
        ("sqrt(x)", 5e-324),
        ("log(x)", 1e-300),
        ("x**2*log(x)", 1e-10),
        ("asin(x)**2", 0.99999999),
        ("(1 - x)**(5/2)", 1.0, "(1 - x)**2"),
        ("atanh(x)", 0.999999999),
        ("x**3 + (x - 2.999999999996)**(3/2)", 3.0),
        ("sin(x) + (1e-11 - x)**(3/2)", 0.0),
        ("log(3 + x**2) + (3.000000000001 - x)**(5/2)", 3.0),
    ),
    "the ends of binary64": (
        ("exp(x)", 709.0),
        ("exp(x)", -740.0),
        ("x**2", 1e150),
        ("1/x", 1e-150),
        ("1/x", 1e-10),
        ("x**3", 1e-100),
        ("sinh(x)", 710.0),
        ("log(x)", 1e300),
        ("1e-300*sin(x)", 1.0),
        ("x*1e300", 3.0),
    ),
    "a kink": (
        ("Abs(x)", 0.0),
        ("Abs(x - 1) + x**2", 1.0),
        ("Max(x, 0)", 0.0),
        ("Abs(sin(x))", 0.0),
        ("sqrt(Abs(x))", 0.0),
        ("x + 1e-4*Abs(x - 1)", 1.0),
        ("Max(x**2, x)", 1.0),
        ("Abs(x)**(2/3)", 0.0),
        ("log(0.792 + x**2) + 1.4e-7*Abs(x - 1)", 1.0),
        ("x**3 - 2*x + 8.6e-7*Abs(x - 2.2164336)", 2.2164336),
        ("sqrt(0.7 + x**2) + 9.6e-6*Abs(x)", 0.0),
    ),
    "a kink close by": (
        ("Abs(x)", 1e-3),
        ("Abs(x)", 1e-9),
        ("Max(x, 1)**2", 1.0001),
        ("x*Abs(x)", 0.0),
        ("Abs(x)**3", 0.0),
        ("Abs(x - 1)*(x - 1)**2", 1.0),
        ("x**3 - 2*x + 8.6e-7*Abs(x - 2.216433601)", 2.2164336),
        ("1.825*x + 1.3e-4*Abs(x - 9.99999999988)", 10.0),
        ("exp(x) + 3e-3*Abs(x - 1e-7)", 0.0),
        ("Piecewise((x**2, x > 1), (2*x - 1, True))", 1.0),
    ),
    "a jump": (
        ("sign(x)", 0.0),
        ("floor(x)", 3.0),
        ("Heaviside(x) + x", 0.0),
        ("sin(x) + 1e-5*sign(x - 1)", 1.0),
        ("x + 1e-9*sign(x - 1)", 1.0),
        ("Piecewise((x, x < 2), (x + 1e-6, True))", 2.0),
    ),
    "a jump close by": (
        ("floor(x) + x**2", 2.999),
        ("sign(x - 1)*x", 1.00001),
        ("sin(x) + 1e-5*sign(x - 1)", 1.001),
        ("x + 1e-6*floor(8*x)", 1.26),
    ),
}
WITHOUT = ("a kink", "a jump")
"""Kinds whose functions have no derivative at the point."""

_SERIES = " + ".join(f"x**{k}/{math.factorial(k)}" for k in range(11))  # the terms that `truncated_sum` adds at 1

# kind: (callable, point, truth)
CALLABLES: dict[str, tuple[tuple[Callable[..., Any], float, str], ...]] = {
    "an isolated value": (
        (own.hole_at_one, 1.0, NO_DERIVATIVE),
        (own.spike_at_one, 1.0, NO_DERIVATIVE),
        (own.zero_at_zero, 0.0, NO_DERIVATIVE),
        (own.removable, 0.0, "x**2"),
    ),
    "single precision and worse": (
        (own.single_exp, 1.0, "exp(x)"),
        (own.single_argument, 3.1e5, "x**2"),
        (own.half_sin, 1.0, "sin(x)"),
        (own.rounded_to_cents, 2.0, "x**2"),
        (own.stairs, 1.0, "x"),
        (own.single_sin, 100.0, "sin(x)"),
        (own.single_product, 0.0, "2.18*x"),
        (own.single_cubic, 0.0, "x**3 + 1.8*x"),
        (own.half_log, 5e-6, "log(3.5 + x**2)"),
        (own.printed, 2.0, "exp(-x)"),
    ),
    "noise": (
        (own.hashed_noise, 1.0, "sin(x)"),
        (own.loud_noise, 1.0, "1e-6*x"),
        (own.truncated_sum, 1.0, _SERIES),
        (own.trapezoids, 1.0, "(exp(x) - 1)*x/4e5/tanh(x/4e5)"),
    ),
    "stateful": (
        (own.counting, 1.0, CANNOT_BE_KNOWN),
        (own.toggling, 1.0, CANNOT_BE_KNOWN),
        (own.random_walk, 1.0, "sin(x)"),
        (own.warming_up, 1.0, CANNOT_BE_KNOWN),
    ),
    "it raises": (
        (own.asserting, -0.9999999, "x**2"),
        (own.asserting, 1.0, "x**2"),
        (own.raising_key, 1e-9, "x*sqrt(x)"),
        (own.raising_overflow, 700.0, "exp(x)"),
        (own.math_log, 1e-5, "log(x)"),
        (own.math_sqrt, 1e-200, "sqrt(x)"),
        (own.only_positive, 0.0, "x**2"),
    ),
    "rounded to a constant, as a callable": (
        (own.softplus_naive, 40.0, "-log(1 + exp(-x))"),
        (own.beta_naive, 1e20, "loggamma(x) + loggamma(3) - loggamma(x + 3)"),
        (own.relu, -3.0, "0*x"),
        (own.nothing, 1.0, "0*x"),
        (own.far_log, 1.875, "log(0.128 + x**2)"),
        (own.far_tanh, 0.0, "tanh(2.25*x + 0.8)"),
        (own.far_and_back, 2e-7, "log(3.3 + x**2)"),
        (own.far_and_back, 1.5, "log(3.3 + x**2)"),
    ),
    "code": (
        (own.newton_root, 2.0, "sqrt(x)"),
        (own.bisected_root, 2.0, "sqrt(x)"),
        (own.simulated, 1.0, "(1 - x/1000 + x**2/2e6 - x**3/6e9 + x**4/24e12)**1000"),
        (own.horner, 0.5, "x**5 - 3*x**3 + x"),
        (own.branching, 2.0, "x**3"),
        (own.branching, 1.0, "x**2"),
        (own.of_an_array, 3.0, "x**2"),
        (own.clipped, 0.5, "x"),
        (own.clipped, 1.0, NO_DERIVATIVE),
        (own.table_lookup, 0.35, "x**2"),
    ),
}


def cases() -> Iterator[Case]:
    """Every case, kind by kind."""
    for kind, rows in FORMULAS.items():
        for formula, at, *other in rows:
            yield Case(kind, formula, formula, at, NO_DERIVATIVE if kind in WITHOUT else other[0] if other else formula)
    for kind, own_rows in CALLABLES.items():
        for f, at, truth in own_rows:
            yield Case(kind, f"{f.__name__}()", f, at, truth, kind == "stateful")
