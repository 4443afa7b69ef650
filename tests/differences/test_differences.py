"""Finite differences at their limits: steps, scales, edges, kinks; and what they are asked and answer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings, strategies as st
from shares import but_slow, share

from adlab.differences.differences import NAMES, difference, gradient
from adlab.differences.plans import plan_of
from adlab.differences.stencils import Stencil, scheme
from adlab.errors import DomainError, MethodError, OptionError, OverflowedError, PointError

METHODS = NAMES
TWO_SIDED = [name for name in METHODS if name.startswith(("central", "richardson", "adaptive"))]
Array = npt.NDArray[np.float64]


def slope(f: Callable[[float], Any], x: float, method: str, step: float | None = None) -> Any:
    """The estimate of f′(x) of a function of one number; its `df` and `error` are floats."""
    return gradient(lambda point: f(float(point[0])), [x], method, step)[1][0]


class Counted:
    """f, and how often it was asked."""

    def __init__(self, f: Callable[[Array], Any]) -> None:
        self.f, self.calls = f, 0

    def __call__(self, x: Array) -> Any:
        self.calls += 1
        return self.f(x)


# ---------------------------------------------------------------- steps


def test_the_step_is_the_one_that_rounding_left() -> None:
    x, h = 1.0, 1e-8
    assert slope(math.exp, x, "forward-difference", h).step == (x + h) - x != h


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(-1e3, 1e3), st.sampled_from(NAMES), st.floats(1e-3, 10))
def test_linear_functions_are_exact_wherever_the_nodes_fall(a: float, x: float, name: str, h: float) -> None:
    estimate = slope(lambda t: a * t, x, name, h)
    assert estimate.df == pytest.approx(a, abs=2 * float(estimate.error) + 1e-300)


@pytest.mark.parametrize("method", METHODS)
def test_a_step_below_the_spacing_of_floats_is_no_step(method: str) -> None:
    estimate = slope(math.sin, 1e10, method, 1e-8)
    assert not estimate.success
    assert math.isnan(estimate.df)
    assert estimate.error == math.inf
    assert estimate.flags == ("step_not_resolved",)
    assert "too small for the spacing of floats at x = 10000000000.0" in estimate.reason


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=12)
@given(exponent=st.integers(-320, 307))
def test_powers_of_ten_of_every_size(method: str, exponent: int) -> None:
    """f = x/4: the step follows x from the subnormal numbers to the largest."""
    estimate = slope(lambda x: x / 4, float(f"1e{exponent}"), method)
    assert estimate.success
    assert estimate.df == pytest.approx(0.25, rel=1e-6) or exponent < -300


@pytest.mark.parametrize("method", METHODS)
def test_a_contradiction_from_nearer_to_x_is_believed(method: str) -> None:
    estimate = slope(lambda x: 1 / x, 1e-10, method)
    assert estimate.df == pytest.approx(-1e20, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("frequency", share([128 * math.pi, 1.0, 8 * math.pi, 100.0, 1000.0], 3))
def test_waves_shorter_than_the_step_are_not_taken_for_slow_ones(method: str, frequency: float) -> None:
    for x in (0.0, 0.3, 1.0, -2.9396515482237753):
        estimate = slope(lambda t: math.sin(frequency * t), x, method)
        error = abs(estimate.df - frequency * math.cos(frequency * x))
        assert estimate.success
        assert error <= 0.1 * frequency


@pytest.mark.parametrize("step", [0.0, -1e-3, math.nan, math.inf, "small"])
def test_a_step_must_be_a_positive_number(step: Any) -> None:
    for method in ("central-difference", "richardson"):
        with pytest.raises(OptionError, match="step"):
            slope(math.sin, 1.0, method, step)


# ---------------------------------------------------------------- edges of the domain


def logarithm(x: float) -> float:
    if x <= 0:
        raise DomainError("log(x) needs x > 0")
    return math.log(x)


@pytest.mark.parametrize("method", [name for name in METHODS if name.startswith(("central", "backward", "adaptive"))])
@pytest.mark.parametrize("outside", [DomainError, math.nan, OverflowedError, math.inf], ids=str)
def test_where_f_ends_the_stencil_turns_to_the_other_side(method: str, outside: Any) -> None:
    """exp cut off at its left: the same order from the right, and a flag that says so."""

    def f(x: float) -> float:
        if x >= 1:
            return math.exp(x)
        if isinstance(outside, float):
            return outside
        raise outside("cut off")

    estimate = slope(f, 1.0, method)
    missing = outside in (DomainError, math.nan) or (isinstance(outside, float) and math.isnan(outside))
    assert estimate.flags == ("left_domain" if missing else "nonfinite",)
    assert estimate.success
    assert abs(estimate.df - math.e) < estimate.error < 1e-6
    if method == "adaptive-difference":
        assert estimate.scheme == "adaptive-difference, forward"
    elif method != "richardson":
        assert estimate.scheme == Stencil.of(range(scheme(method).order + 1)).name


@pytest.mark.parametrize("method", METHODS)
def test_at_the_very_edge_the_scale_of_x_keeps_the_stencil_inside(method: str) -> None:
    estimate = slope(logarithm, 1e-3, method)
    assert estimate.flags == ()
    assert abs(estimate.df - 1000) < 2 * estimate.error < 1e-3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("x", "flag"), [(-1.0, "left_domain"), (710.0, "nonfinite")])
def test_without_a_value_at_x_there_is_no_derivative(method: str, x: float, flag: str) -> None:
    estimate = slope(lambda t: logarithm(t) if t < 0 else float(np.exp(t)), x, method)
    assert (estimate.success, estimate.flags, estimate.nfev) == (False, (flag,), 1)
    assert math.isnan(estimate.df)
    assert "no finite value at the point itself" in estimate.reason


@pytest.mark.parametrize("method", METHODS)
def test_without_values_on_either_side_there_is_none_either(method: str) -> None:
    estimate = slope(lambda t: 0.0 if t == 1 else math.nan, 1.0, method, 0.1)
    assert (estimate.success, estimate.flags) == (False, ("left_domain",))
    assert "on either side" in estimate.reason or "is not finite for h from" in estimate.reason


@pytest.mark.parametrize("method", METHODS)
def test_a_domain_narrower_than_the_default_step_is_found(method: str) -> None:
    estimate = slope(lambda t: math.exp(t) if abs(t - 1) < 1e-7 else math.nan, 1.0, method)
    assert estimate.success
    assert abs(estimate.df - math.e) < 2 * estimate.error < 1


@pytest.mark.parametrize("method", TWO_SIDED)
@pytest.mark.parametrize(("f", "x"), [(np.sqrt, 0.0), (np.arcsin, 1.0), (np.cbrt, 0.0)], ids=str)
def test_an_infinite_slope_does_not_settle(method: str, f: Callable[[float], float], x: float) -> None:
    estimate = slope(f, x, method)
    assert not estimate.success
    assert estimate.flags[-1] == "unsettled"
    assert estimate.error > abs(estimate.df)
    assert "the quotient has not settled" in estimate.reason


JUMPS = [
    (np.sign, 0.0, (math.inf, math.inf)),
    (np.floor, 3.0, (math.inf, 0.0)),
    (lambda x: float(x >= 0), 0.0, (math.inf, 0.0)),
]


@pytest.mark.parametrize("method", TWO_SIDED)
@pytest.mark.parametrize(("f", "x", "slopes"), JUMPS, ids=["sign", "floor", "step"])
def test_a_jump_is_a_branch_cut(
    method: str, f: Callable[[float], float], x: float, slopes: tuple[float, float]
) -> None:
    estimate = slope(f, x, method)
    assert not estimate.success
    assert estimate.flags[-1] == "branch_cut"
    assert estimate.one_sided == slopes
    assert estimate.error > abs(estimate.df)
    assert "f jumps at x" in estimate.reason


# ---------------------------------------------------------------- kinks

KINKS: list[tuple[str, Callable[[float], float], float, float, float]] = [
    ("|x|", abs, 0.0, -1, 1),
    ("|x - 1|", lambda x: abs(x - 1), 1.0, -1, 1),
    ("max(x, 2x)", lambda x: max(x, 2 * x), 0.0, 1, 2),
    ("max(0, x)", lambda x: max(0.0, x), 0.0, 0, 1),
    ("|x| exp x", lambda x: abs(x) * math.exp(x), 0.0, -1, 1),
    ("|sin x| at π", lambda x: abs(math.sin(x)), math.pi, -1, 1),
    ("|x| + 1e6", lambda x: abs(x) + 1e6, 0.0, -1, 1),
    ("a slight one: x² + |x - 1|/10", lambda x: x * x + abs(x - 1) / 10, 1.0, 1.9, 2.1),
]


@pytest.mark.parametrize("method", TWO_SIDED)
@pytest.mark.parametrize(("f", "x", "left", "right"), [kink[1:] for kink in KINKS], ids=[kink[0] for kink in KINKS])
def test_at_a_kink_the_slopes_of_both_sides_are_told(
    method: str, f: Callable[[float], float], x: float, left: float, right: float
) -> None:
    estimate = slope(f, x, method)
    assert estimate.flags == ("kink_in_stencil",)
    assert not estimate.success
    assert estimate.one_sided == pytest.approx((left, right), abs=0.02)
    assert estimate.error >= (right - left) / 2
    assert "a kink in the stencil" in estimate.reason


@pytest.mark.parametrize("method", TWO_SIDED)
@pytest.mark.parametrize("power", [0.25, 1 / 3, 0.5, 2 / 3, 0.8])
def test_a_cusp_is_no_smooth_minimum(method: str, power: float) -> None:
    """|x|ᵃ at 0: the values on both sides are equal, and every central difference is 0."""
    estimate = slope(lambda x: abs(x) ** power, 0.0, method)
    assert estimate.flags == ("kink_in_stencil",)
    assert not estimate.success
    assert estimate.one_sided == (-math.inf, math.inf)
    assert estimate.error == math.inf


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("f", "x", "step", "jump"), [
    (math.floor, 2.9, 0.15, "3"), (lambda x: math.atan2(x, -1.0), -1e-9, 1e-3, "0"), (np.sign, 0.04, 0.05, "0"),
], ids=["floor", "atan2", "sign"])  # fmt: skip
def test_a_jump_in_the_stencil_is_found_or_avoided(
    method: str, f: Callable[[float], float], x: float, step: float, jump: str
) -> None:
    """At a step of the caller's, across a jump that lies beside x."""
    exact = (f(x + 1e-12) - f(x - 1e-12)) / 2e-12
    estimate = slope(f, x, method, step)
    if estimate.success:
        assert abs(estimate.df - exact) <= 2 * estimate.error + 1e-3
        assert estimate.error < 1
    else:
        assert estimate.flags in (("branch_cut",), ("flat",))
        if estimate.flags == ("branch_cut",):
            where = float(re.search("f jumps at ([^ ,]+), which lies in the stencil", estimate.reason)[1])
            assert where == pytest.approx(float(jump), abs=1e-12)


SMOOTH: list[tuple[str, Callable[[float], float], float]] = [
    ("sqrt(x² + 1e-12)", lambda x: math.sqrt(x * x + 1e-12), 0.0),
    ("tanh 1e6 x", lambda x: math.tanh(1e6 * x), 0.0),
    ("log(1 + exp 1000x)", lambda x: math.log1p(math.exp(1000 * x)) if x < 0.7 else 1000 * x, 0.0),
    ("exp 100x", lambda x: math.exp(100 * x), 0.01),
    ("x²", lambda x: x * x, 0.0),
    ("x|x|", lambda x: x * abs(x), 0.0),
    ("|x| far from 0", abs, 1e-9),
    ("Runge", lambda x: 1 / (1 + 1e8 * x * x), 1e-5),
]


@pytest.mark.parametrize("method", TWO_SIDED)
@pytest.mark.parametrize(("f", "x"), [case[1:] for case in SMOOTH], ids=[case[0] for case in SMOOTH])
def test_steep_is_not_kinked(method: str, f: Callable[[float], float], x: float) -> None:
    assert "kink_in_stencil" not in slope(f, x, method).flags


@settings(deadline=None)
@given(st.sampled_from(TWO_SIDED), st.floats(-20, 20), st.integers(-16, -1))
def test_noise_is_not_a_kink(method: str, x: float, exponent: int) -> None:
    """A function with the rounding errors of a dozen operations, at any step."""
    estimate = slope(lambda t: ((t + 1) ** 3 + math.sin(t * t + 0.1)) * 3 - t / 7 - 2, x, method, 2.0 ** (3 * exponent))
    assert "kink_in_stencil" not in estimate.flags


# ---------------------------------------------------------------- counts, shapes, refusals


def at_first(f: Callable[[float], Any], x: Array) -> float:
    return float(f(x[0]))


@pytest.mark.parametrize("method", but_slow(METHODS, METHODS[1:]))
@settings(deadline=None, max_examples=6)
@given(x=st.floats(-5, 5), step=st.sampled_from([None, 0.1, 1e-9]))
def test_evaluations_are_counted_truly(method: str, x: float, step: float | None) -> None:
    for f in (np.exp, np.abs, np.log, lambda t: np.where(t < 2.001, t, np.nan)):
        counted = Counted(partial(at_first, f))
        _, estimates = gradient(counted, [x], method, step)
        assert estimates[0].nfev == counted.calls


def test_a_well_behaved_function_is_asked_no_more_than_the_stencil_and_its_check_need() -> None:
    for name, pairs in (("forward-difference", 2), ("central-difference", 3), ("adaptive-difference", 5)):
        found = slope(math.exp, 1.0, name)
        plan = plan_of(name)
        assert found.nfev == 1 + len(plan.offsets) + 2 * pairs
        assert (found.nfev_scheme, found.nfev_estimate) == (plan.used, found.nfev - plan.used)


@pytest.mark.parametrize("method", METHODS)
def test_the_gradient_shares_the_value_at_x(method: str) -> None:
    counted = Counted(lambda x: float(np.log((x[0] + x[1]) ** 2 + np.sin(x[0] * x[1]))))
    partials, estimates = gradient(counted, [1.0, 2.0], method)
    assert partials == pytest.approx([0.5215007789468607, 0.5634963734499162], rel=1e-6)
    assert sum(estimate.nfev for estimate in estimates) == counted.calls
    centre = counted(np.array([1.0, 2.0]))
    alone = [difference(counted, [1.0, 2.0], i, method, centre=centre) for i in range(2)]
    assert [estimate.nfev for estimate in estimates] == [alone[0].nfev + 1, alone[1].nfev]


@pytest.mark.parametrize("method", METHODS)
def test_several_outputs_are_differentiated_at_once(method: str) -> None:
    jacobian, estimates = gradient(lambda x: np.array([x[0] * x[1], np.exp(x[0]), 7.0]), [0.5, 3.0], method)
    exact = np.array([[3.0, 0.5], [math.exp(0.5), 0.0], [0.0, 0.0]])
    assert jacobian.shape == (3, 2)
    errors = np.stack([estimate.error for estimate in estimates], axis=-1)
    assert (np.abs(jacobian - exact) <= 2 * errors + 1e-300).all()
    assert (errors < 1e-6).all()


def test_an_output_that_fails_at_a_node_fails_for_all_in_the_right_shape() -> None:
    def f(x: Array) -> Array:
        return np.array([x[0], logarithm(float(x[0]))])

    jacobian, estimates = gradient(f, [1e-3], "central-difference", 2e-3)
    assert estimates[0].flags[0] == "left_domain"
    assert jacobian.shape == (2, 1)
    jacobian, estimates = gradient(lambda x: np.array([x[0], np.log(x[0])]), [0.0], "central-difference")
    assert np.isnan(jacobian).all()
    assert jacobian.shape == (2, 1)
    assert not estimates[0].success


def test_a_kink_in_one_output_leaves_the_error_of_the_others_alone() -> None:
    estimate: Any = difference(lambda x: np.array([abs(x[0]), math.exp(x[0])]), [0.0], 0, "central-difference")
    assert estimate.flags == ("kink_in_stencil",)
    assert estimate.error[0] >= 1
    assert estimate.error[1] < 1e-9


def test_each_variable_may_have_its_step() -> None:
    _, estimates = gradient(lambda x: x[0] * x[1], [1.0, 1.0], "central-difference", [2.0**-8, 2.0**-10])
    assert [estimate.step for estimate in estimates] == [2.0**-8, 2.0**-10]
    with pytest.raises(OptionError, match="one number, or 2 of them"):
        gradient(lambda x: x[0], [1.0, 1.0], "central-difference", [1.0, 1.0, 1.0])


def test_a_function_of_nothing_has_an_empty_gradient() -> None:
    partials, estimates = gradient(lambda x: 3.0, [], "central-difference")
    assert (partials.shape, estimates) == ((0,), [])


def test_the_callable_cannot_move_the_point() -> None:
    def f(x: Array) -> float:
        value = float(x[0] ** 2)
        x[:] = 0
        return value

    point = np.array([3.0])
    assert difference(f, point, 0, "central-difference").df == pytest.approx(6)
    assert point[0] == 3.0


def test_wrong_questions_get_one_clear_sentence() -> None:
    with pytest.raises(OptionError, match="no difference scheme is called 'newton'"):
        gradient(lambda x: x[0], [1.0], "newton")
    with pytest.raises(OptionError, match="of order 1 and 2 are to be had by differences, not of order 3"):
        difference(lambda x: x[0], [1.0], 0, "central-difference", order=3)
    with pytest.raises(OptionError, match="`richardson` finds its own step"):
        difference(lambda x: x[0], [1.0], 0, "richardson", "model")
    with pytest.raises(OptionError, match="no way to choose a step is called 'best'"):
        difference(lambda x: x[0], [1.0], 0, "central-difference", "best")
    with pytest.raises(OptionError, match="an oracle must be told the derivative of order 3"):
        difference(lambda x: x[0], [1.0], 0, "central-difference", "oracle")
    with pytest.raises(PointError, match="no variable 2: the point has 2, counted from 0"):
        difference(lambda x: x[0], [1.0, 2.0], 2, "central-difference")
    with pytest.raises(PointError, match="a sequence of finite numbers"):
        difference(lambda x: x[0], [math.nan], 0, "central-difference")
    with pytest.raises(PointError, match="a sequence of real numbers"):
        difference(lambda x: x[0], ["one"], 0, "central-difference")
    with pytest.raises(MethodError, match=r"have shapes \(1,\) and \(2,\); make them alike"):
        difference(lambda x: np.ones(1 if x[0] == 1 else 2), [1.0], 0, "central-difference")
    with pytest.raises(MethodError, match="a real number or a 1-D array of them; got dtype complex128"):
        difference(lambda x: x[0] * 1j, [1.0], 0, "central-difference")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("single", "slope"), [
    (np.exp, np.exp), (np.log, lambda x: 1 / x),
    *(pytest.param(*pair, marks=pytest.mark.slow) for pair in [
        (np.sin, np.cos), (np.tanh, lambda x: 1 / np.cosh(x) ** 2), (lambda x: x * x * x, lambda x: 3 * x**2)]),
])  # fmt: skip
def test_a_function_in_single_precision_is_recognised_by_its_values(name: str, single: Any, slope: Any) -> None:
    """The steps for binary64 would see one stair of its values, and a slope of 0 on it."""
    for x in (0.37, 0.5, 1.0, 1.7, 2.2):  # what the roundings do differs, and from one processor to another too
        found = difference(lambda t: float(single(np.float32(t[0]))), [x], 0, name)
        assert found.success
        assert abs(found.df - slope(x)) <= 0.05 * max(1.0, slope(x))
