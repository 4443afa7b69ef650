"""High-precision values: each function means what SymPy means by it, and each error estimate covers the error."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import sympy
from shares import but_slow
from sympy import Rational

import adlab
from adlab.errors import AdlabError, DomainError, OverflowedError, UnsupportedExpression, VariableError
from adlab.text.functions import NAMED, elliptice, elliptick
from adlab.truth.meanings import CONTEXT, FUNCTIONS, SLOW, exact, exported, working
from adlab.truth.reality import surely_complex
from adlab.truth.running_error import LARGEST
from adlab.truth.values import Plan, plan

x, y, z = sympy.symbols("x y z")

ORDERS: dict[type, Any] = {  # first operand of the functions that take two
    sympy.polygamma: 2, sympy.uppergamma: Rational(3, 2), sympy.lowergamma: Rational(3, 2), sympy.polylog: 2,
    sympy.expint: 2, sympy.beta: Rational(5, 2), sympy.atan2: Rational(-1, 3), sympy.Mod: Rational(-7, 3),
    sympy.binomial: 7, sympy.besselj: 1, sympy.bessely: 1, sympy.besseli: 1, sympy.besselk: 1, sympy.jn: 1,
    sympy.yn: 1, sympy.elliptic_f: Rational(1, 3), sympy.elliptic_pi: Rational(1, 3),
}  # fmt: skip
PLACES = [Rational(7, 20), Rational(13, 5), Rational(-5, 4)]
NEAR = [1 + 2.0**-52, 1 - 2.0**-53, -1 + 2.0**-53, 1e-17, -0.3, 0.4, 2.7, 30.5]  # beside branch points, and ordinary


def unevaluated(head: type, *operands: Any) -> Any:
    return head(*map(sympy.sympify, operands), evaluate=False)


def call(function: type, operand: Any) -> Any:
    return unevaluated(function, *([ORDERS[function]] if function in ORDERS else []), operand)


def value(expression: Any, *point: float, bits: int = 120) -> Any:
    return plan([expression], [x, y, z][: len(point)]).values(point, bits)[0]


def close(got: Any, want: Any, digits: int) -> bool:
    with mpmath.workdps(digits + 20):
        return bool(abs(got - want) <= abs(want) * mpmath.mpf(10) ** -digits)


# --- meanings -------------------------------------------------------------------------------------------------


SYMPYS = [function for function in FUNCTIONS if function not in NAMED.values()]
"""SymPy's own functions. Those that adlab names have no other meaning to be compared with."""


@pytest.mark.parametrize("function", but_slow(SYMPYS, ["elliptic_pi"]), ids=lambda f: f.__name__)
def test_a_function_means_what_sympy_means(function: type) -> None:
    for place in PLACES:
        if function in (sympy.jn, sympy.yn) and place < 0:
            continue  # SymPy's number has the sign of another branch than its rules
        try:
            want = call(function, place).doit().evalf(40, maxn=500)
        except ValueError:
            continue  # outside the domain
        if not want.is_finite or want.atoms(sympy.Function) or (function is sympy.elliptic_pi and place > 1):
            continue  # a pole; SymPy has no number there; or it is complex, beyond the integrand's pole
        with mpmath.workdps(50):
            want = mpmath.mpmathify(want)
        got = plan([call(function, place)], []).values([], bits=150)[0]
        assert close(got, want, 35), (function, place, got, want)


@pytest.mark.parametrize("function", [sympy.jn, sympy.yn], ids=lambda f: f.__name__)
@pytest.mark.parametrize("order", [0, 1, 2, 5])
@pytest.mark.parametrize("place", [-7.5, -2.5, -0.3, 0.3, 2.5])
def test_spherical_bessel_functions_are_what_sympys_rules_make_of_them(function: Any, order: int, place: float) -> None:
    """j0 is sin(x)/x on both sides of 0: the root in its definition is that of z^(-1/2)."""
    got = value(unevaluated(function, order, x), place)
    assert close(got, sympy.expand_func(function(order, x)).subs(x, sympy.Rational(place)).evalf(40)._to_mpmath(150), 30)


def test_spherical_bessel_functions_at_zero() -> None:
    assert [value(unevaluated(sympy.jn, order, x), 0.0) for order in (0, 1, 2)] == [1, 0, 0]


def test_a_polygamma_function_of_an_order_that_is_not_whole() -> None:
    order = sympy.Rational(1, 2)
    got = value(unevaluated(sympy.polygamma, order, x), 1.25)
    assert close(got, sympy.polygamma(order, sympy.Rational(5, 4)).evalf(40)._to_mpmath(150), 30)


@pytest.mark.parametrize(
    "function", [f for f in SYMPYS if f not in ORDERS and f not in SLOW], ids=lambda f: f.__name__
)
def test_a_function_is_good_to_its_last_bits_even_beside_its_branch_points(function: type) -> None:
    for place in map(exact, NEAR):
        try:
            with working(200):
                got = FUNCTIONS[function](place)
            with working(800):
                want = FUNCTIONS[function](place)
                assert abs(got - want) <= abs(want) * mpmath.mpf(2) ** -197, (function, place)
        except (ValueError, ZeroDivisionError):
            continue


@pytest.mark.parametrize(
    ("expression", "point", "expected"),
    [
        (sympy.Mod(x, y), (5.5, -3.0), -0.5),
        (sympy.Mod(x, y), (-5.5, 3.0), 0.5),
        (sympy.Heaviside(x), (0.0,), 0.5),
        (sympy.Heaviside(x, 1), (0.0,), 1),
        (sympy.acot(x), (-1.0,), -mpmath.pi / 4),
        (sympy.sign(x), (-0.25,), -1),
        (sympy.frac(x), (-0.25,), 0.75),
        (sympy.Min(x, y, 2), (3.0, -1.0), -1),
        (x**y, (0.0, 0.0), 1),
        (x**y, (-2.0, 3.0), -8),
        (sympy.cbrt(x), (8.0,), 2),
        (sympy.Pow(sympy.E, x, evaluate=False), (0.0,), 1),
        (sympy.sinc(x), (0.0,), 1),
        (sympy.ceiling(x), (-1.5,), -1),
        (sympy.Float("0.1", precision=53) * x, (1.0,), mpmath.mpf(0.1)),
    ],
)
def test_conventions(expression: Any, point: tuple[float, ...], expected: Any) -> None:
    assert close(value(expression, *point), expected, 15)


def test_roots_and_logarithms_of_negative_numbers_are_principal() -> None:
    assert close(value(sympy.cbrt(x), -8.0), 1 + mpmath.sqrt(3) * 1j, 15)
    assert close(value(sympy.log(x), -1.0), mpmath.pi * 1j, 15)


def test_an_imaginary_part_that_is_only_rounding_leaves_a_real_number() -> None:
    back = unevaluated(sympy.Pow, sympy.cbrt(x), 3)
    assert value(back, -5.0, bits=200) == pytest.approx(-5.0, abs=1e-50)
    assert isinstance(value(back, -5.0), mpmath.mpf)


def test_an_imaginary_part_however_small_is_kept_if_it_is_no_rounding() -> None:
    assert value(x + sympy.I * Rational(10) ** -30, 1.0, bits=200).imag == pytest.approx(1e-30)


COMPLEX_BY_A_TRIFLE = [
    (unevaluated(sympy.Pow, sympy.Integer(-2), x * y), (1e-300, 1e-300)), (x**y, (-2.0, 1e-250)),
    (1 + sympy.exp(-(10**6)) * sympy.sqrt(x), (-1.0, 0.0)), (sympy.exp(y - 10**6) / sympy.log(x) + y, (-3.0, 2.0)),
    (2 - (x - 1) ** (y / 10**200), (-1.0, 1e-200)),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "point"), COMPLEX_BY_A_TRIFLE)
def test_what_is_complex_by_less_than_any_rounding_is_complex(expression: Any, point: tuple[float, float]) -> None:
    assert value(expression, *point, bits=100).imag != 0


def test_what_complex_numbers_cancel_to_is_real() -> None:
    roots = sympy.sqrt(x) * unevaluated(sympy.Pow, x, Rational(3, 2))
    for expression in (roots, sympy.log(x) - sympy.log(2 * x), x**y * x ** (3 - y)):
        assert isinstance(value(expression, -2.0, 0.25, bits=100), mpmath.mpf)


def test_a_variable_with_imaginary_part_0_is_given_exactly() -> None:
    """Its value is no step's, so there is none to ask how far it may be wrong."""
    assert not surely_complex([], [CONTEXT.mpc(2, 0)], [CONTEXT.zero._mpf_], 0)
    assert surely_complex([], [CONTEXT.mpc(2, 1e-300)], [CONTEXT.zero._mpf_], 0)


# --- errors ---------------------------------------------------------------------------------------------------

UNARY = [sympy.exp, sympy.sin, sympy.atan, sympy.tanh, sympy.log, sympy.Abs, sympy.acos, sympy.floor]
BINARY = [sympy.Add, sympy.Mul, sympy.Pow, sympy.Max, sympy.Mod]
LEAVES = [x, y, sympy.Integer(2), Rational(1, 3), sympy.pi, Rational(10) ** -25, Rational(10) ** 20]


def some_expression(dice: random.Random, depth: int) -> Any:
    if depth == 0:
        return dice.choice(LEAVES)
    head = dice.choice([*UNARY, *BINARY, *BINARY])
    operands = [some_expression(dice, depth - 1) for _ in range(2 if head in BINARY else 1)]
    if head is sympy.Pow and dice.random() < 0.5:
        operands[1] = dice.choice([sympy.Integer(3), sympy.Integer(-2), sympy.S.Half, Rational(-1, 3)])
    return unevaluated(head, *operands)


@pytest.mark.parametrize("seed", range(150))
def test_the_error_estimate_covers_the_error(seed: int) -> None:
    dice = random.Random(seed)
    made = plan([some_expression(dice, 4)], [x, y])
    point = [dice.uniform(-2, 3), dice.choice([1.0, 1e-9, 0.7])]
    rough, fine = (made.base(point, bits).outcomes()[0] for bits in (100, 900))
    if rough.failure or fine.failure:
        assert fine.failure or rough.error == mpmath.inf  # what fails at few bits only, says that it is not certain
        return
    with working(900):  # a few times over, where the operand of a jump or an oscillation is all but unknown
        assert abs(rough.value - fine.value) <= 4 * rough.error + fine.error


def test_cancellation_shows_as_an_error_larger_than_the_value() -> None:
    tiny = Rational(10) ** -80
    trap = x * (1 + unevaluated(sympy.Mul, unevaluated(sympy.Add, sympy.exp(tiny), -1), Rational(10) ** 80))
    made = plan([trap], [x])
    few, more = (made.base([0.5], bits).outcomes()[0] for bits in (250, 600))
    assert few.value == 0.5
    assert few.error > few.value
    assert more.value == pytest.approx(1.0)
    assert more.error < 1e-90


def test_what_is_exact_has_no_error() -> None:
    exact_ones = [x * y - 3, x**5, sympy.Abs(x) + sympy.floor(y), sympy.Max(x, y), sympy.exp(x - x), sympy.Mod(y, x)]
    assert [o.error for o in plan(exact_ones, [x, y]).base([0.3, -7.1], 600).outcomes()] == [0] * len(exact_ones)


def test_an_undecided_comparison_and_a_jump_say_so() -> None:
    is_one = sympy.Eq(sympy.sin(x) ** 2 + sympy.cos(x) ** 2, 1, evaluate=False)
    undecided = sympy.Piecewise((1, is_one), (2, True))
    jump = sympy.floor(unevaluated(sympy.log, unevaluated(sympy.exp, x)), evaluate=False)
    comparison, floor = plan([undecided, jump], [x]).base([2.0], 200).outcomes()
    assert comparison.error == mpmath.inf
    assert floor.error >= 1


# --- Piecewise, and what has no value -------------------------------------------------------------------------


def test_the_first_true_condition_decides_and_the_other_branches_may_fail() -> None:
    split = sympy.Piecewise((sympy.log(x), x > 0), (1 / x, x < 0), (7, True))
    assert [value(split, at) for at in (1.0, -2.0, 0.0)] == [0, -0.5, 7]
    both = sympy.Piecewise((1, x > 0), (2, x > -1), (3, True))
    assert [value(both, at) for at in (0.5, -0.5, -1.0)] == [1, 2, 3]


def test_a_condition_may_fail_where_it_does_not_decide() -> None:
    guarded = sympy.Piecewise((1, unevaluated(sympy.And, x > 0, sympy.Gt(1 / x, 2, evaluate=False))), (2, True))
    assert [value(guarded, at) for at in (0.25, 0.0, 1.0)] == [1, 2, 2]


@pytest.mark.parametrize(
    ("expression", "point", "named"),
    [
        (sympy.log(x - 1), 1.0, r"log\(x - 1\).* x - 1 = 0"),
        (1 / x, 0.0, "1/x"),
        (sympy.gamma(x), -3.0, r"gamma\(x\)"),
        (sympy.atan2(x, x), 0.0, r"atan2\(x, x\)"),
        (sympy.Max(x, sympy.sqrt(x)), -1.0, "real operands"),
        (sympy.Piecewise((1, x > 0)), -1.0, "no condition"),
        (sympy.atanh(x), 1.0, r"atanh\(x\)"),
        (sympy.Mod(1, x), 0.0, "Mod"),
    ],
)
def test_a_pole_is_an_error_that_names_the_operation(expression: Any, point: float, named: str) -> None:
    with pytest.raises(DomainError, match=named):
        value(expression, point)


def test_what_explodes_is_stopped_at_once() -> None:
    with pytest.raises(OverflowedError, match="exp"):
        value(sympy.exp(sympy.exp(sympy.exp(x))), 1e6)
    huge = plan([sympy.exp(-1 / x**2)], [x]).base([1e-150], 100).outcomes()[0]
    assert huge.value > 0
    assert -LARGEST < huge.value._mpf_[2] < -(2**900)


def test_what_has_no_meaning_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedExpression, match="`f` in"):
        plan([1 + sympy.Function("f")(x)], [x])
    with pytest.raises(UnsupportedExpression, match="zoo"):
        plan([x * sympy.zoo], [x])
    with pytest.raises(UnsupportedExpression, match="output"):
        plan([x > 0], [x])  # type: ignore[list-item]
    with pytest.raises(VariableError, match="y"):
        plan([x * y], [x])
    with pytest.raises(VariableError, match="1 numbers given for 2"):
        plan([x * y], [x, y]).values([1.0], 60)
    assert all(issubclass(error, AdlabError) for error in (UnsupportedExpression, VariableError))


# --- plans ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_moving_one_variable_is_evaluating_anew(seed: int) -> None:
    dice = random.Random(seed)
    made = plan([some_expression(dice, 3) for _ in range(3)], [x, y])
    point = [dice.uniform(0, 3), dice.uniform(0, 3)]
    state = made.base(point, 150)
    before = state.outcomes()
    for index in (0, 1):
        there = point.copy()
        there[index] += 0.125
        assert _same(state.moved(index, there[index]), made.base(there, 150).outcomes())
    assert _same(state.outcomes(), before)


def _same(a: Any, b: Any) -> bool:
    return [(o.value, o.error) for o in a] == [(o.value, o.error) for o in b]


@pytest.mark.parametrize("fold", [sympy.Add, sympy.Mul, sympy.Max])
def test_one_of_a_thousand_operands_costs_its_logarithm(fold: Callable[..., Any]) -> None:
    variables = sympy.symbols("v0:1000")
    made: Plan = plan([fold(*variables, evaluate=False)], variables)
    assert max(len(made.dependents(i)) for i in (0, 500, 999)) <= 11


@pytest.mark.slow
def test_equal_steps_are_taken_once_and_a_deep_chain_is_no_recursion() -> None:
    chain: Any = x
    for _ in range(10_000):
        chain = sympy.Add(sympy.Mul(Rational(1, 2), chain, evaluate=False), 1, evaluate=False)
    assert value(chain, 0.0, bits=60) == pytest.approx(2.0)
    twice = [unevaluated(sympy.Add, sympy.sin(x), sympy.sin(x, evaluate=False)) for _ in range(2)]
    assert len(plan(twice, [x]).steps) == 2


def test_shared_graphs_are_not_unfolded() -> None:
    level: Any = x
    for _ in range(60):
        level = sympy.Mul(4, level, sympy.Add(1, sympy.Mul(-1, level, evaluate=False), evaluate=False), evaluate=False)
    assert 0 <= value(level, 0.3, bits=400) <= 1


def test_the_users_precision_is_left_alone() -> None:
    with mpmath.workprec(77):
        found = value(sympy.exp(x), 1.0, bits=300)
        assert mpmath.mp.prec == 77
    assert isinstance(found, mpmath.mpf)
    assert found == exported(exact(found))


def test_the_zeta_function_far_left_is_the_sum_of_its_terms() -> None:
    s, a = sympy.symbols("s a")
    for start in (-0.5, -20.45, -90.4509500847012, -999.25):
        (found,) = plan([sympy.zeta(s, a)], [s, a]).values([3, start], bits=120)
        exact = sum((mpmath.mpf(start) + k) ** -3 for k in range(1200)) + mpmath.zeta(3, mpmath.mpf(start) + 1200)
        assert abs(found - exact) < 1e-12 * abs(exact)


def test_a_polylogarithm_of_order_one_keeps_a_small_argument() -> None:
    with sympy.evaluate(False):
        held = sympy.polylog(1, sympy.Symbol("z", real=True))
    assert adlab.truth(adlab.Function(held), [1e-200]).value == pytest.approx(1e-200, rel=1e-15)
    assert adlab.Function("polylog(2, z)").gradient([1e-200]) == [1.0]


@pytest.mark.parametrize(("named", "whole"), [(elliptick, mpmath.ellipk), (elliptice, mpmath.ellipe)])
@pytest.mark.parametrize("m", [-3.5, 0.0, 0.25, 0.96875])
@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_derivatives_of_elliptic_integrals_are_those_of_their_values(named: type, whole: Any, m: float, order: int) -> None:
    with working(120):
        found = FUNCTIONS[named](order, exact(m))
    with mpmath.workdps(60):
        assert abs(mpmath.mpf(str(exported(found))) / mpmath.diff(whole, m, order) - 1) < 1e-25


@pytest.mark.parametrize("formula", ["zeta(3, x)", "harmonic(x, 3)"])
@pytest.mark.parametrize("x", [-60.25, -700.25, -19755.25])
def test_far_left_the_hurwitz_function_has_its_own_value_or_none(formula: str, x: float) -> None:
    """ζ(3, a) and ζ(4, a) have poles at 0, -1, …, and are no smaller between two of them far left. mpmath has 1/2a² there."""
    known = adlab.truth(formula, x).components[0].value
    assert known is None or abs(known) > 100
    assert known is not None or x < -10_000
