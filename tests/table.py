"""How the table of primitives is examined: which cases, at which points, against which high-precision numbers.

The reference knows a primitive by its SymPy form alone: mpmath evaluates that, and differences of such values give
the derivative. No rule of the table, and none of adlab's own numbers, takes part.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import mpmath
import pytest
import sympy
from sympy.codegen.cfunctions import expm1, log1p

from adlab.precision import CONTEXT, working
from adlab.primitives.heads import DEFINITIONS
from adlab.primitives.primitive import OUT, Primitive, exact_sympy, operand_letters
from adlab.primitives.table import PRIMITIVES, define
from adlab.text.functions import ellipticeinc, ellipticf, ellipticpi, ellipticpic, softplus
from adlab.truth.meanings import FUNCTIONS

EFFORT = int(os.environ.get("ADLAB_EFFORT", "1"))
"""How many times as many points to try as in an everyday run."""

THIRD, HALF = Fraction(1, 3), Fraction(1, 2)
PARAMETERS: dict[str, Sequence[Any]] = {
    "powi": [2, 3, 50],
    "powr": [2 * THIRD, Fraction(5, 2), Fraction(1, 10), Fraction(1000, 7), 0.1],
    "pow": [0, -1, 2],
    "norm": [2, 5],
    "heaviside": [HALF, 0, 1],
    "polygamma": [0, 1, 2, 5],
    "zeta": [2, 3, Fraction(3, 2), HALF, -HALF],
    "sphericalj": [0, 1, 4],
    "sphericali": [0, 1, 4],
    "besselj": [0, 1, HALF, -1],
    "bessely": [0, HALF],
    "besseli": [0, 2, HALF],
    "besselk": [0, HALF],
    "uppergamma": [0, 1, 3, HALF, -1],
    "lowergamma": [1, 3, HALF],
    "expint": [0, 1, 2, -1, Fraction(3, 2)],
    "polylog": [2, 3, 1, 0, -1],
    "elliptick": [0, 1, 3],
    "elliptice": [0, 1, 3],
    "ellipticf": [0, 1],
    "ellipticeinc": [0, 1],
    "ellipticpi": [1, 2, 3],
    "ellipticpic": [1, 3],
    **{f"{name}_moving": [0, 1] for name in ("besselj", "besseli", "lowergamma")},
    **{f"{name}_moving": [0] for name in ("zeta", "bessely", "besselk", "uppergamma", "expint", "polylog")},
}
LOGIC = {"and", "or", "not"}
CAREFUL = {log1p, expm1, softplus, ellipticf, ellipticeinc, ellipticpi, ellipticpic}
"""Whose meaning in SymPy's functions takes thousands of bits near 0, or is singular: mpmath has them, or a better form."""


class Case(NamedTuple):
    """A primitive with one constant parameter."""

    primitive: Primitive
    parameter: Any = None

    def __str__(self) -> str:
        return self.primitive.name if self.parameter is None else f"{self.primitive.name}-{self.parameter}"

    @property
    def letters(self) -> tuple[sympy.Symbol, ...]:
        return self.primitive.letters(self.parameter)

    @property
    def arity(self) -> int:
        return self.primitive.count(self.parameter)

    @property
    def form(self) -> Any:
        """What it means, in SymPy's own functions."""
        return _form(self)

    @property
    def slow(self) -> bool:
        """Whether mpmath takes so long for it that a few points must do."""
        return self.primitive.special

    @property
    def rough(self) -> bool:
        """Whether it is made of comparisons and jumps, so that differences say nothing about it."""
        return self.primitive.piecewise_constant or self.primitive.routes


@cache
def _form(case: Case) -> Any:
    given = () if case.parameter is None else (exact_sympy(case.parameter),)
    return define(case.primitive.form(*case.letters, *given), DEFINITIONS.keys() - CAREFUL)


@cache
def exists(case: Case) -> Any:
    """Where there is a value."""
    return case.primitive.value_condition(case.parameter)


@cache
def differentiable(case: Case, operand: int) -> Any:
    """Where there is a partial."""
    return case.primitive.partial_condition(operand, case.parameter)


CASES = [Case(p, n) for name, p in PRIMITIVES.items() for n in PARAMETERS.get(name, [None])]


# --- points ------------------------------------------------------------------------------------------------------

DECADES = [-300, -160, -154, -100, -20, -8, -3, -1, 0, 1, 2, 5, 8, 20, 100, 154, 160, 300]
LANDMARKS = [0.5, 1.0, 2.0, 3.0, math.pi / 2, math.pi, 1.4616321449683622, 1 / math.e, 5.0, 26.5, 710.0]


FEW, MANY = 4 * EFFORT, 10 * EFFORT
"""How many numbers of each kind: in an everyday run, and in a slow proof."""
at_few_and_at_many_points = pytest.mark.parametrize(
    "count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)], ids=["few", "many"]
)


def line(r: random.Random, count: int = MANY) -> list[float]:
    """Numbers of both signs: over all decades, in the middle, and close to where functions do something special."""
    middling = [r.uniform(0, width) for width in (1, 10, 40, 750) for _ in range(count)]
    beside = [mark * (1 + r.choice([-1, 1]) * 10.0**-digits) for mark in LANDMARKS for digits in (2, 6, 10, 15)]
    on = [x for mark in LANDMARKS for x in (mark, math.nextafter(mark, 0), math.nextafter(mark, 9e9))]
    numbers = [r.uniform(1, 10) * 10.0**decade for decade in DECADES]
    numbers += [x for group in (middling, beside, on) for x in r.sample(group, min(count, len(group)))]
    return [sign * number for number in numbers for sign in (1, -1)]


FEWER = {"besselk": 5, "bessely": 5, "polylog": 8}  # a derivative takes mpmath a second


@cache
def points(case: Case, count: int = FEW, seed: int = 0) -> tuple[tuple[float, ...], ...]:
    """Points of the domain; fewer, and of middle size, where mpmath is slow; of FEW, every other decade's only."""
    r = random.Random(f"{case}{seed}")
    numbers = line(r, count)
    if case.primitive.name.startswith("elliptic"):  # an angle, a parameter, a characteristic: of either sign, most of them real
        kinds = (lambda: r.uniform(-1.5, 1.5), lambda: -(10 ** r.uniform(-2, 2)), lambda: 10 ** r.uniform(-9, 0))
        chosen = [tuple(r.choice(kinds)() for _ in range(case.arity)) for _ in range(20 * EFFORT)]
        most = (6 if count >= MANY else 2) * EFFORT  # a derivative takes mpmath a second
        return tuple([point for point in chosen if holds(exists(case), point)][:most])
    if case.slow and case.arity == 2:  # an order, whole every third time, and an argument
        orders = [float(r.randint(-2, 6)) if i % 3 == 0 else r.uniform(-2.5, 8) for i in range(8 * EFFORT)]
        largest = -0.1 if case.primitive.name == "polylog_moving" else 1.3  # beyond, mpmath takes minutes at high precision
        chosen = [(order, r.choice([1, 1, -1]) * 10 ** r.uniform(-2, largest)) for order in orders for _ in range(3)]
        return tuple([point for point in chosen if holds(exists(case), point)][: (3 if count < MANY else 6) * EFFORT])
    if case.slow:
        inside = [x for x in numbers if holds(exists(case), (x,))]
        largest = 100 if count >= MANY else 20  # mpmath's K(0, 26.5) takes seconds
        numbers = [x for x in inside if 1e-21 < abs(x) < largest]
        most = FEWER.get(case.primitive.name, 12) * EFFORT // (1 if count >= MANY else 2)
        numbers = r.sample(numbers, min(most, len(numbers)))
    arity = case.arity
    chosen = [(x,) for x in numbers] if arity == 1 else [tuple(r.choices(numbers, k=arity)) for _ in range(4 * count)]
    if arity == 2:
        chosen += [(r.uniform(0, 10), r.uniform(-90, 90)) for _ in range(count)]
        chosen += [(r.uniform(-9, 9), float(r.randint(-9, 9))) for _ in range(count)]
        chosen += [(1 + 1e-10 * r.uniform(-1, 1), r.uniform(-1e12, 1e12)) for _ in range(count // 2)]
    if arity == 1 and not case.slow and count < MANY:
        chosen = chosen[::3]
    return tuple(point for point in chosen if holds(exists(case), point))


_LETTERS = operand_letters(5)


def holds(condition: Any, point: Sequence[float], out: float = math.nan) -> bool:
    """A condition of the table, decided exactly."""
    exact = [Fraction(x) for x in point] + [Fraction(0)] * (len(_LETTERS) - len(point))
    return bool(_decision(condition)(*exact, Fraction(out) if math.isfinite(out) else out))


@cache
def _decision(condition: Any) -> Callable[..., bool]:
    return sympy.lambdify([*_LETTERS, OUT], condition, modules="math")


# --- the reference -----------------------------------------------------------------------------------------------


def _real(value: Any) -> Any:
    """A number that is real but for rounding; ValueError for others."""
    value = mpmath.mpmathify(value)
    if abs(mpmath.im(value)) > mpmath.ldexp(abs(mpmath.re(value)), -60):
        raise ValueError("complex")
    return mpmath.re(value)


def _erfcinv(y: Any) -> Any:
    with mpmath.extraprec(max(0, -mpmath.mag(y))):
        return mpmath.erfinv(1 - y)


def _hurwitz(s: Any, a: Any) -> Any:
    """mpmath's own is wrong from a = -600 or so on; on the left ζ(s, a) of a whole s is a polygamma function."""
    return mpmath.zeta(s, a) if a > 0 else (-1) ** int(s) * mpmath.psi(int(s) - 1, a) / mpmath.factorial(s - 1)


def _acoth(x: Any) -> Any:
    return mpmath.log1p(2 / (abs(x) - 1)) / 2 * mpmath.sign(x)


def _spherical_bessel(n: Any, z: Any) -> Any:
    return mpmath.sqrt(mpmath.pi) / 2 * (z / 2) ** n * mpmath.hyp0f1(n + 1.5, -z * z / 4) / mpmath.gamma(n + 1.5)


def _flat(function: Callable[[Any], Any], left: int, right: int) -> Callable[[Any], Any]:
    """An error function, flat where exp(-x²) is nothing even to binary64 and mpmath would take seconds to see that."""
    return lambda x: function(x) if abs(x) < 40 else mpmath.mpf(left if x < 0 else right)


def _meant(meaning: Callable[..., Any]) -> Callable[..., Any]:
    """What the truth takes a function for, at the working precision of mpmath itself."""

    def value(*operands: Any) -> Any:
        with working(mpmath.mp.prec):
            return mpmath.mpmathify(meaning(*map(CONTEXT.mpf, operands)))

    return value


_NAMES = {
    **{head.__name__: _meant(meaning) for head, meaning in FUNCTIONS.items() if not hasattr(mpmath, head.__name__)},
    "erf": _flat(mpmath.erf, -1, 1),
    "erfc": _flat(mpmath.erfc, 2, 0),
    "csch": lambda x: 1 / mpmath.sinh(x),
    "sech": lambda x: 1 / mpmath.cosh(x),
    "coth": lambda x: 1 / mpmath.tanh(x),
    "erfcinv": _erfcinv,
    "zeta": _hurwitz,
    "acoth": _acoth,
    "acsch": lambda x: mpmath.asinh(1 / x),
    "jn": _spherical_bessel,
    "sinc": lambda z: mpmath.sinc(z),
    "Ei": lambda x: mpmath.re(mpmath.ei(x)),
    "li": lambda x: mpmath.re(mpmath.li(x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "log1p": lambda x: mpmath.log1p(x),
    "expm1": lambda x: mpmath.expm1(x),
    "lowergamma": lambda s, x: mpmath.gammainc(s, 0, x),
    "polylog": lambda n, x: mpmath.re(mpmath.polylog(n, x)) if n != 1 else -mpmath.log1p(-x),
}


def _differentiated(function: Callable[..., Any], times: int) -> Callable[..., Any]:
    """By its first operand, with mpmath's own differences: at twice the bits, for they lose half."""

    def derivative(order: Any, *others: Any) -> Any:
        h = mpmath.ldexp(1, -mpmath.mp.prec // 2)
        with mpmath.workprec(2 * mpmath.mp.prec + 60):
            return mpmath.diff(lambda s: _real(function(s, *others)), order, times, h=h)

    return derivative


@cache
def _evaluator(case: Case) -> Callable[..., Any]:
    if case.primitive.name.endswith("_moving") and case.parameter:
        return _differentiated(_evaluator(Case(case.primitive, 0)), case.parameter)
    return sympy.lambdify(case.letters, case.form, modules=[_NAMES, "mpmath"])


@cache
def value(case: Case, point: tuple[float, ...]) -> Any:
    """The form at a point, to 30 digits or more."""
    last = None
    for bits in (240, 440) if case.slow else (300, 1200, 4000):
        with mpmath.workprec(bits):
            try:
                now = _real(_evaluator(case)(*map(mpmath.mpf, point)))
            except ArithmeticError:
                continue
            if last is not None and abs(now - last) <= abs(now) * mpmath.mpf(2) ** -100:
                return now
            last = now
    return last


def partial(case: Case, operand: int, point: Sequence[float]) -> Any:
    """Its derivative from central differences at rising precision; None where two in a row do not agree.

    h = |x| 2^(-bits/3) leaves a truncation error of 2^(-2 bits/3), and as much roundoff. A zero counts only when the
    differences would have seen anything that binary64 can.
    """
    last, function = None, _evaluator(case)
    for bits in (240, 440) if case.slow else (400, 1200, 3600):
        with mpmath.workprec(bits):
            moved = [mpmath.mpf(x) for x in point]
            h = (abs(moved[operand]) or 1) * mpmath.mpf(2) ** (-(bits // 3))
            ends = []
            try:
                for x in (moved[operand] + h, moved[operand] - h):
                    ends.append(_real(function(*moved[:operand], x, *moved[operand + 1 :])))
            except ArithmeticError:
                continue  # more bits may help
            now, noise = (ends[0] - ends[1]) / (2 * h), abs(ends[0]) * mpmath.mpf(2) ** (8 - bits) / h
            if last is not None and now and abs(now - last) <= abs(now) * mpmath.mpf(2) ** -70:
                return now
            if abs(now) <= noise < mpmath.mpf(2) ** -1100:
                return mpmath.mpf(0)
            last = now
    return None


# --- errors ------------------------------------------------------------------------------------------------------

SMALLEST_NORMAL = 2.0**-1022
SMALLEST = 2.0**-1074


def rounded(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)


def ulps(found: float, true: Any) -> float:
    """The error of `found` in units in the last place of `true`; beyond the largest double only infinity is right."""
    nearest = rounded(true)
    if math.isinf(nearest):
        return 0.0 if found == nearest or abs(found) > 1.79e308 else math.inf
    if not math.isfinite(found):
        return math.inf
    with mpmath.workprec(200):
        return float(abs(mpmath.mpf(found) - true) / mpmath.mpf(math.ulp(nearest)))
