"""adlab.difference: one derivative, of a formula or a callable, with all that is known of it."""

from __future__ import annotations

import cmath
import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy
from shares import share

import adlab
from adlab.differences.step_choice import MODES
from adlab.report.difference import FACTS, NAMES

SAMPLED = [name for name in NAMES if name != "complex-step"]
STENCILS = [name for name in SAMPLED if "adaptive" not in name and name != "richardson"]


# --- what it takes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", NAMES)
def test_a_formula_may_be_given_in_every_way(scheme: str) -> None:
    x = sympy.Symbol("x")
    given: list[Any] = ["exp(2*x)", sympy.exp(2 * x), adlab.Function("exp(2*x)")]
    found = [adlab.difference(f, 0.25, scheme=scheme).df for f in given]
    assert found[0] == found[1] == found[2] == pytest.approx(2 * math.exp(0.5), rel=1e-6)


@pytest.mark.parametrize("scheme", SAMPLED)
def test_a_callable_of_a_number_needs_no_array(scheme: str) -> None:
    """`math.exp` takes no array."""
    found = adlab.difference(math.exp, 1.0, scheme=scheme)
    assert isinstance(found.df, float)
    assert abs(found.df - math.e) <= 2 * found.error < 1e-6


def test_a_callable_of_an_array_gives_a_gradient_or_a_jacobian() -> None:
    def f(x: Any) -> Any:
        return x[0] * np.sin(x[1])

    found = adlab.difference(f, [1.0, 2.0])
    assert found.df == pytest.approx([math.sin(2), math.cos(2)], rel=1e-12)
    assert adlab.difference(f, [1.0, 2.0], variable=1).df == found.df[1]
    both = adlab.difference(lambda x: np.array([f(x), x[0]]), [1.0, 2.0])
    assert both.df.shape == both.error.shape == (2, 2)
    assert both.df[0] == pytest.approx(found.df, rel=1e-14)


def test_a_variable_by_name_symbol_or_place() -> None:
    f = adlab.Function("x*y**2")
    for variable in ("y", sympy.Symbol("y"), 1):
        assert adlab.difference(f, [3.0, 2.0], variable).df == pytest.approx(12, rel=1e-12)


@pytest.mark.parametrize("scheme", SAMPLED)
def test_second_derivatives(scheme: str) -> None:
    found = adlab.difference("sin(x)", 1.0, scheme=scheme, order=2)
    assert abs(found.df + math.sin(1)) <= 2 * found.error < 1e-3


# --- what it says -------------------------------------------------------------------------------------------------


def test_the_names_are_those_of_scipy() -> None:
    differentiate = pytest.importorskip("scipy.differentiate")
    theirs = differentiate.derivative(np.exp, 1.0)
    ours = adlab.difference(np.exp, 1.0)
    for name in ("success", "status", "df", "error", "nit", "nfev", "x"):
        assert np.shape(getattr(ours, name)) == np.shape(theirs[name]), name
    assert (ours.success, ours.status) == (bool(theirs.success), int(theirs.status)) == (True, 0)
    assert ours.df == pytest.approx(float(theirs.df), rel=1e-10)


def test_the_report_says_the_same_in_text_html_and_as_a_dictionary() -> None:
    found = adlab.difference("x*sin(y)", {"x": 1, "y": 2})
    facts = found.to_dict()
    assert set(facts) == {"variables", *FACTS}
    assert facts["df"] == found.df.tolist()
    assert facts["nfev"] == sum(e.nfev for e in found.estimates)
    for text in ("∂f/∂x", "∂f/∂y", "adaptive-difference"):
        assert text in str(found)
        assert text in found._repr_html_()


def test_several_variables_are_listed_one_is_not() -> None:
    assert adlab.difference("x*y", [1.0, 2.0]).scheme == ["adaptive-difference"] * 2
    assert adlab.difference("x*y", [1.0, 2.0], "x").scheme == "adaptive-difference"


# --- edges, kinks, jumps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [name for name in STENCILS if not name.startswith("forward")])
def test_at_the_edge_of_the_domain_the_scheme_turns_one_sided_and_says_so(scheme: str) -> None:
    for f in ("x*sqrt(x)", lambda x: x * math.sqrt(x)):
        found = adlab.difference(f, 0.0, scheme=scheme)
        assert found.flags[0] == "left_domain"
        assert found.scheme.startswith("forward-difference") or "difference on 0, 1" in found.scheme
        assert not found.success or "nodes on one side only" in str(found)
        assert abs(found.df) <= 2 * found.error


@pytest.mark.parametrize("scheme", [name for name in NAMES if not name.startswith(("forward", "backward"))])
def test_at_a_kink_the_one_sided_derivatives_are_returned_and_no_success(scheme: str) -> None:
    if scheme == "complex-step":
        with pytest.raises(adlab.MethodError, match="not complex-differentiable"):
            adlab.difference("Abs(x)", 0.0, scheme=scheme)
        return
    for f in ("Abs(x)", abs):
        found = adlab.difference(f, 0.0, scheme=scheme)
        assert not found.success
        assert found.status != 0
        assert found.flags == ("kink_in_stencil",)
        assert found.one_sided == pytest.approx((-1, 1))
        assert "-1 left, 1 right" in str(found)


def test_the_sides_of_a_kink_are_told_for_second_derivatives_too() -> None:
    found = adlab.difference("x*Abs(x)", 0.0, order=2)
    assert found.flags == ("kink_in_stencil",)
    assert found.one_sided == pytest.approx((-2, 2))


@pytest.mark.parametrize("formula", ["sign(x)", "floor(x)", "Heaviside(x)", "atan2(x, -1)"])
def test_a_jump_is_flagged(formula: str) -> None:
    found = adlab.difference(formula, 0.0, scheme="central-difference")
    assert not found.success
    assert found.flags[-1] == "branch_cut"
    assert math.inf in found.one_sided


def test_a_callable_that_fails_at_x_is_quoted() -> None:
    found = adlab.difference(math.log, -1.0)
    assert not found.success
    assert math.isnan(found.df)
    assert found.flags == ("left_domain",)
    assert "no finite value at the point itself" in found.reason
    assert "ValueError" in found.reason
    assert adlab.difference(lambda x: math.exp(1000 * x), 1.0).flags == ("nonfinite",)


def test_a_step_lost_in_x_is_flagged() -> None:
    found = adlab.difference("sin(x)", 1e10, scheme="central-difference", step=1e-8)
    assert (found.success, found.flags) == (False, ("step_not_resolved",))


# --- the complex step ---------------------------------------------------------------------------------------------


def test_the_complex_step_has_no_roundoff_to_trade() -> None:
    for f in ("exp(x)", cmath.exp, np.exp):
        found = adlab.difference(f, 1.0, scheme="complex-step")
        assert (found.df, found.step, found.nfev_scheme) == (math.e, 1e-20, 1)


def test_at_1e_300_the_complex_step_fails_by_underflow_and_says_so() -> None:
    """Im f = h f′ = 4e-318 is subnormal: seven digits are left of sixteen."""
    found = adlab.difference("exp(-x)", 40.0, scheme="complex-step", step=1e-300)
    assert (found.success, found.flags) == (False, ("underflow",))
    relative = abs(found.df + math.exp(-40)) / math.exp(-40)
    assert 1e-9 < relative <= 2 * found.error / math.exp(-40)
    assert "underflows" in found.reason
    good = adlab.difference("exp(-x)", 40.0, scheme="complex-step")
    assert good.success
    assert good.df == pytest.approx(-math.exp(-40), rel=1e-15)


def test_a_complex_step_that_is_too_large_is_truncated_and_knows_it() -> None:
    found = adlab.difference("exp(x)", 1.0, scheme="complex-step", step=1e-3)
    assert 1e-7 < abs(found.df - math.e) <= 2 * found.error < 1e-5


@pytest.mark.parametrize("x", [1e-300, 1e-100, 1e-25, 1e-12, 1e-3])
def test_the_complex_step_stays_small_beside_x(x: float) -> None:
    found = adlab.difference("log(x)", x, scheme="complex-step")
    assert found.success
    assert found.df == pytest.approx(1 / x, rel=1e-13)
    assert adlab.Function("log(x)").gradient(x, method="complex-step") == pytest.approx([1 / x], rel=1e-13)


def test_what_is_real_for_complex_arguments_is_refused() -> None:
    with pytest.raises(adlab.MethodError, match="analytic"):
        adlab.difference(abs, 1.0, scheme="complex-step")
    with pytest.raises(adlab.MethodError, match="your function raised TypeError"):
        adlab.difference(math.exp, 1.0, scheme="complex-step")

    def out_of_stock(z: complex) -> complex:
        raise ValueError("out of stock")

    with pytest.raises(adlab.MethodError, match="ValueError for a complex argument: out of stock"):
        adlab.difference(out_of_stock, 1.0, scheme="complex-step")
    beyond = adlab.difference(np.exp, 800.0, scheme="complex-step")  # and no RuntimeWarning
    assert (beyond.success, beyond.flags) == (False, ("nonfinite",))


# --- how the step is chosen ---------------------------------------------------------------------------------------

SMOOTH = [
    ("exp(x)", 1.0),
    ("sin(x)", 1.0),
    ("log(x)", 1e-3),
    ("exp(x)/sqrt(sin(x)**3 + cos(x)**3)", 1.5),
    ("x**(3/2)", 0.1),
]


@cache
def true_slope(formula: str, x: float) -> float:
    return float(adlab.truth(formula, x).gradient[0])


@pytest.mark.parametrize("scheme", share(STENCILS, 3))
@pytest.mark.parametrize("step", MODES)
def test_every_way_to_choose_a_step_serves_smooth_functions(scheme: str, step: str) -> None:
    for formula, x in SMOOTH:
        exact = true_slope(formula, x)
        found = adlab.difference(formula, x, scheme=scheme, step=step)
        assert found.success
        assert abs(found.df - exact) <= 2 * found.error, formula
        assert abs(found.df - exact) <= 1e-6 * abs(exact), formula


@pytest.mark.parametrize("scheme", STENCILS)
@pytest.mark.slow
def test_the_oracle_comes_near_the_best_error_there_is(scheme: str) -> None:
    for formula, x in SMOOTH[:4]:
        exact = float(adlab.truth(formula, x).gradient[0])
        (curve,) = adlab.steps(formula, x, schemes=[scheme]).curves
        found = adlab.difference(formula, x, scheme=scheme, step="oracle")
        assert found.step == pytest.approx(curve.model.optimal_step, rel=0.5)
        assert abs(found.df - exact) < 5 * curve.model.optimal_error


def test_measured_noise_finds_the_step_where_f_is_less_exact_than_its_last_digit() -> None:
    """At 1e-3, (1 − cos x)/x² has lost ten digits: a step for u|f| is wrong by orders of magnitude."""
    formula, x = "(1 - cos(x))/x**2", 1e-3
    exact = float(adlab.truth(formula, x).gradient[0])
    blind, seeing, oracle = (
        abs(adlab.difference(formula, x, scheme="central-difference", step=step).df - exact)
        for step in ("relative", "model", "oracle")
    )
    assert seeing < 1e-3 * abs(exact) < blind / 10
    assert oracle < 1e-3 * abs(exact)


def test_a_callable_in_single_precision_gets_the_step_it_needs() -> None:
    def single(x: float) -> float:
        return float(np.float32(math.exp(x)))

    relative, model = (
        adlab.difference(single, 1.0, scheme="central-difference", step=step) for step in ("relative", "model")
    )
    assert abs(model.df - math.e) <= 2 * model.error < 1e-3
    assert abs(model.df - math.e) < abs(relative.df - math.e) <= 2 * relative.error


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "message"), [
    ({"scheme": "central_difference"}, "did you mean `central-difference`"),
    ({"scheme": "central-difference", "step": "best"}, "no way to choose a step is called 'best'"),
    ({"step": "model"}, "finds its own step"),
    ({"step": -1.0}, "a step must be a positive finite number"),
    ({"order": 3}, "of order 1 and 2"),
    ({"scheme": "complex-step", "order": 2}, "the complex step gives first derivatives"),
    ({"variable": "z"}, "no variable `z`; there are x"),
    ({"variable": 1}, "no variable `1`"),
])  # fmt: skip
def test_wrong_options_get_one_clear_sentence(options: dict[str, Any], message: str) -> None:
    for f in ("exp(x)", math.exp):
        with pytest.raises(adlab.OptionError, match=message):
            adlab.difference(f, 1.0, **options)


def test_what_a_callable_cannot_give_is_said() -> None:
    with pytest.raises(adlab.PointError, match="the point is empty"):
        adlab.difference(lambda x: 1.0, [])
    with pytest.raises(adlab.MethodError, match="the oracle must know the true derivative"):
        adlab.difference(math.exp, 1.0, scheme="central-difference", step="oracle")
    with pytest.raises(adlab.MethodError, match="your function raised TypeError"):
        adlab.difference(lambda x: x["a"], 1.0)
    with pytest.raises(adlab.PointError, match="no point given"):
        adlab.difference(math.exp)


# --- what must not be believed ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("f", "x"), [
    (lambda z: z * abs(z), 1.0), (lambda z: z * np.conj(z), 1.0), (lambda v: np.vdot(v, v), [1.0, 2.0]),
    (lambda z: z.real * np.exp(z), 0.5),
], ids=["z|z|", "z conj(z)", "vdot", "re(z) exp(z)"])  # fmt: skip
def test_a_real_difference_tells_what_is_not_analytic(f: Any, x: Any) -> None:
    found = adlab.difference(f, x, scheme="complex-step")
    assert not found.success
    assert "not_analytic" in str(found.flags)


@pytest.mark.parametrize(("formula", "x"), [("x**0.5*x**1.5", -2.0), ("sinc(x)", 1e-40)])
def test_an_imaginary_part_drowned_in_rounding_is_refused(formula: str, x: float) -> None:
    found = adlab.difference(formula, x, scheme="complex-step")
    assert not found.success or abs(found.df) <= found.error
    with pytest.raises(adlab.MethodError, match="drowned in rounding"):
        adlab.Function(formula).gradient(x, method="complex-step")


@pytest.mark.parametrize("scheme", SAMPLED)
def test_a_function_that_answers_otherwise_is_stateful(scheme: str) -> None:
    calls: list[float] = []

    def counting(x: float) -> float:
        calls.append(x)
        return math.sin(x) + 1e-9 * len(calls)

    found = adlab.difference(counting, 1.0, scheme=scheme)
    assert not found.success
    assert found.flags[-1] == "stateful"
    assert found.nfev == len(calls)


@pytest.mark.parametrize("scheme", [name for name in SAMPLED if not name.startswith("backward")])
def test_whatever_is_raised_beyond_the_domain_turns_the_scheme_one_sided(scheme: str) -> None:
    def f(x: float) -> float:
        assert x >= 1, "below 1"
        return x * x

    found = adlab.difference(f, 1.0000001, scheme=scheme)
    assert found.success
    assert abs(found.df - 2.0000002) <= 2 * found.error < 1e-3


@pytest.mark.parametrize("scheme", NAMES)
@pytest.mark.parametrize("formula", ["x", "x**2", "3 + 0*x", "exp(-x)", "x*exp(-298*x)", "floor(x)"])
def test_no_error_is_ever_0(scheme: str, formula: str) -> None:
    if scheme == "complex-step" and "floor" in formula:
        formula = "x - x"
    assert adlab.difference(formula, 2.5, scheme=scheme).error > 0


def test_a_complex_step_of_0_is_no_surer_than_its_smallest_number() -> None:
    found = adlab.difference("x*exp(-x)", 745.0, scheme="complex-step")
    assert found.success
    assert 2.1e-321 < found.error < 1e-300


def test_a_variable_that_f_does_not_use_has_the_derivative_0() -> None:
    found = adlab.difference(lambda v: v[0] ** 2, [1.0, 2.0])
    assert found.success
    assert (found.df[1], found.flags[1]) == (0.0, ("flat",))


def test_what_is_rounded_to_a_constant_is_bounded_for_a_formula_and_refused_for_a_callable() -> None:
    formula = adlab.difference("-log(1 + exp(-x))", 40.0)
    assert "flat" in formula.flags
    assert math.exp(-40) <= formula.error < 1e-10
    assert not adlab.difference(lambda x: -math.log(1 + math.exp(-x)), 40.0).success


@pytest.mark.parametrize("scheme", ["adaptive-difference", "richardson", "central-difference", "central-difference-8"])
@pytest.mark.parametrize("width", [1e-3, 1e-4, 1e-5, 1e-6, 1e-7])
def test_a_peak_narrower_than_the_stencil_is_found_or_refused(scheme: str, width: float) -> None:
    found = adlab.difference(lambda x: math.exp(-(((x - 1) / width) ** 2) / 2), 1 + width, scheme=scheme)
    exact = -math.exp(-0.5) / width
    assert not found.success or abs(found.df - exact) <= 2 * found.error < abs(exact)


def test_no_value_at_the_point_is_refused_with_the_operation() -> None:
    with pytest.raises(adlab.DomainError, match="log"):
        adlab.difference("log(x)", -1.0)
    with pytest.raises(adlab.OverflowedError):
        adlab.difference("exp(x)", 1000.0)


def test_the_price_of_the_estimate_is_told_apart() -> None:
    found = adlab.difference("exp(x)", 1.0, scheme="central-difference")
    assert (found.nfev_scheme, found.nfev_scheme + found.nfev_estimate) == (2, found.nfev)


@pytest.mark.parametrize(("formula", "x"), [
    ("x**2", 1e-160), ("x**3", 1e-120), ("x*exp(-x)", 745.0), ("tanh(x)", 350.0), ("x*exp(-x)*exp(x-1)", 720.0),
    ("sin(x)**9", 1e-35), ("1e-310*exp(x)", 1.0),
])  # fmt: skip
def test_a_complex_step_that_underflows_is_refused_by_name(formula: str, x: float) -> None:
    with pytest.raises(adlab.MethodError, match="∂f/∂x"):
        adlab.Function(formula).gradient(x, method="complex-step")


@pytest.mark.parametrize(("formula", "x", "slope"), [
    ("x**2", 0.0, 0.0), ("exp(-x**2)", 0.0, 0.0), ("x-sin(x)", 0.0, 0.0), ("cos(x)+x", 0.0, 1.0), ("x**8+x**16", 0.0, 0.0),
    ("x**2*y", [0.0, 3.0], 0.0),
])  # fmt: skip
def test_an_exact_0_is_no_underflow(formula: str, x, slope: float) -> None:
    assert abs(adlab.Function(formula).gradient(x, method="complex-step")[0]) == slope
