"""The registry: every method behind one face, with the same answers at one point, in a batch, and where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import adlab
from adlab.methods import METHODS, Method, chosen, lookup

OURS = {name: method for name, method in METHODS.items() if method.family != "peer"}
DIFFERENCES = [name for name, method in OURS.items() if method.family == "difference"]
ACCURACY = {"forward-difference": 1e-6, "backward-difference": 1e-6, "central-difference": 1e-8}  # else 1e-10
NAMES = [
    "reverse", "forward", "unrolled", "symbolic", "symbolic-cse", "forward-difference", "backward-difference",
    "central-difference", "central-difference-4", "central-difference-6", "central-difference-8", "adaptive-difference",
    "richardson", "complex-step",
]  # fmt: skip


SMOOTH = [
    adlab.gallery.worked_example(), adlab.gallery.baydin(), adlab.gallery.squire_trapp(), adlab.gallery.rosenbrock(4),
    adlab.Function(["x*exp(y)", "tan(x)/(1 + y**2)", "x"], name="three outputs", point=(0.5, -1.25)),
]  # fmt: skip


@pytest.fixture(params=OURS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_methods_by_name_in_the_order_of_the_tables() -> None:
    assert list(OURS) == NAMES
    assert list(adlab.methods()) == list(METHODS)
    assert callable(adlab.methods)  # and not hidden by a module of that name


def test_every_method_says_what_it_is() -> None:
    for name, method in METHODS.items():
        assert method.name == name
        assert method.about
        assert method.needs in ("graph", "expression", "values")
        assert method.has_step == ("step" in method.options)


def test_the_registry_that_is_handed_out_is_a_copy() -> None:
    adlab.methods().clear()
    assert adlab.methods()


@pytest.mark.parametrize("f", SMOOTH, ids=lambda f: f.name)
def test_all_methods_agree(f: adlab.Function, name: str) -> None:
    expected = f.jacobian(f.point)
    found = f.jacobian(f.point, method=name)
    scale = np.abs(expected).max(axis=1, keepdims=True)
    assert found.shape == (f.m, f.n)
    assert (np.abs(found - expected) <= ACCURACY.get(name, 1e-10) * (np.abs(expected) + scale)).all()


def test_a_batch_is_its_points_for_every_method(name: str) -> None:
    f = adlab.Function(["x*sin(y)", "exp(x - y)"])
    points = np.random.default_rng(1).uniform(0.5, 1.5, (2, 3, 2))
    found = f.jacobian(points, method=name)
    assert found.shape == (2, 3, 2, 2)
    for place in np.ndindex(2, 3):
        assert found[place] == pytest.approx(f.jacobian(points[place], method=name), rel=1e-12, abs=1e-14)
    assert f.jacobian(np.empty((0, 2)), method=name).shape == (0, 2, 2)


def test_one_output_given_alone_or_in_a_sequence(name: str) -> None:
    for formula in ("x*y", ["x*y"]):
        f = adlab.Function(formula)
        assert f.gradient([2.0, 3.0], method=name) == pytest.approx([3.0, 2.0], rel=1e-7)
        assert f.gradient([[2.0, 3.0]], method=name).shape == (1, 2)
        assert f.jacobian([2.0, 3.0], method=name).shape == (1, 2)


def test_no_variables_no_partials(name: str) -> None:
    f = adlab.Function("sqrt(2) + pi")
    assert f.gradient([], method=name).shape == (0,)
    assert f.gradient(np.empty((4, 0)), method=name).shape == (4, 0)


def test_a_variable_that_does_not_occur_has_partial_zero(name: str) -> None:
    f = adlab.Function("exp(x)", ["unused", "x"])
    assert f.gradient([7.0, 0.0], method=name)[0] == 0.0


# --- where there is none ------------------------------------------------------------------------------------------


def test_outside_the_domain_every_method_says_why(name: str) -> None:
    """Also those that only know the derivative: 1/x is a number at -1, and log has no slope there."""
    f = adlab.Function("y*log(x)")
    with pytest.raises(adlab.DomainError, match=r"log\(x\) needs x > 0, and x = -1.0"):
        f.gradient([-1.0, 2.0], method=name)
    batch = np.array([[-1.0, 2.0], [1.0, 2.0]])
    found = f.gradient(batch, method=name)
    assert np.isnan(found[0]).all()
    assert found[1] == pytest.approx([2.0, 0.0], rel=1e-6, abs=1e-12)
    with pytest.raises(adlab.DomainError, match=r"x = -1.0"):
        f.gradient(batch, method=name, errors="raise")


def test_where_binary64_overflows_every_method_says_where(name: str) -> None:
    f = adlab.Function("exp(x) - exp(y)")
    with pytest.raises(adlab.OverflowedError, match=r"v1 = exp\(x\) is inf|overflows at this point"):
        f.gradient([1000.0, 1000.0], method=name)
    assert np.isnan(f.gradient([[1000.0, 1000.0]], method=name)).all()


def test_an_edge_of_the_domain_is_no_point_for_the_complex_step() -> None:
    """Im sqrt(ih)/h is a number, and 0 has no derivative."""
    with pytest.raises(adlab.DomainError, match="no derivative"):
        adlab.Function("sqrt(x)").gradient(0.0, method="complex-step")


@pytest.mark.parametrize("formula", ["Abs(x)", "Max(x, 1)", "floor(x)", "Piecewise((x, x > 0), (x**2, True))", "sign(x)*x"])
def test_the_complex_step_is_refused_where_it_would_mean_nothing(formula: str) -> None:
    f = adlab.Function(formula)
    for x in (2.0, [[2.0]]):
        with pytest.raises(adlab.MethodError, match=r"analytic formula, and v\d = .* is not complex-differentiable"):
            f.gradient(x, method="complex-step")


# --- right, or refused --------------------------------------------------------------------------------------------

LOSING = ["symbolic", "symbolic-cse", "complex-step"]
CANCELLING = ["sinc(x)", "(1 - cos(x))/x", "(exp(x) - 1)/x", "x - sin(x)", "log(1 + x)/x", "sqrt(1 + x**2) - 1"]


@pytest.mark.parametrize("name", LOSING)
@pytest.mark.parametrize("formula", CANCELLING)
@pytest.mark.parametrize("exponent", [-3, -8, -20, -60, -120])
def test_a_gradient_has_three_right_digits_or_is_refused(formula: str, name: str, exponent: int) -> None:
    """Each is smooth at 0, and its terms cancel near 0. A graph's own rounding error is forgiven to every method."""
    f, x = adlab.Function(formula), 0.7 * 10.0**exponent
    true = float(adlab.truth(f, [x]).gradient[0])
    forgiven = 16 * adlab.rounding(f, [x]).rows[0].bound
    in_batch = f.gradient([[x], [1.0]], method=name)[:, 0]
    assert not np.isnan(in_batch[1])
    if np.isnan(in_batch[0]):
        with pytest.raises((adlab.InaccurateError, adlab.OverflowedError), match=r"digit|underflows"):
            f.gradient([x], method=name)
    else:
        assert f.gradient([x], method=name)[0] == in_batch[0]
        assert abs(in_batch[0] - true) <= 1e-3 * abs(true) + forgiven


@pytest.mark.parametrize("name", ["symbolic", "symbolic-cse"])
def test_a_refusal_for_lost_digits_names_the_operation(name: str) -> None:
    f = adlab.Function("sinc(x)")
    with pytest.raises(adlab.InaccurateError, match=r"no digits at v\d = v\d - v\d of its formula \(cos\(x\) - sin\(x\)/x\)/x"):
        f.gradient(1e-60, method=name)
    assert METHODS[name](f, np.array([1e-60])).jacobian[0, 0] == 0.0  # a comparison still shows what it gives


@pytest.mark.parametrize("name", ["symbolic", "symbolic-cse"])
def test_one_right_digit_is_not_enough(name: str) -> None:
    f = adlab.Function("sinc(x)")
    assert f.gradient(1e-5, method=name)[0] == pytest.approx(-1e-5 / 3, rel=1e-3)
    with pytest.raises(adlab.InaccurateError, match=r"few digits at v4 = v3 - v2 .*take `reverse`"):
        f.gradient(1e-7, method=name)


def test_what_reverse_mode_has_lost_as_well_is_no_advice() -> None:
    f = adlab.Function("sqrt((exp(2*x) - 1)/(exp(x) - 1))")
    with pytest.raises(adlab.InaccurateError, match=r"is 0\.353553: .*`reverse` loses them too, in f itself"):
        f.gradient(-5.5e-16, method="symbolic")


@pytest.mark.parametrize("name", ["symbolic", "symbolic-cse"])
def test_at_a_tie_a_number_that_is_no_slope_is_refused(name: str) -> None:
    f = adlab.Function("Max(1, Min(x, 1))")
    with pytest.raises(adlab.InaccurateError, match=r"kink or jump at v1 = min\(x, 1\)"):
        f.gradient(1.0, method=name)
    assert f.gradient([[1.0], [2.0]], method=name).ravel() == pytest.approx([np.nan, 0.0], nan_ok=True)


@pytest.mark.parametrize("name", LOSING)
def test_at_a_minimum_a_remainder_of_rounding_is_no_error(name: str) -> None:
    f, least = adlab.Function("4*((1/r)**12 - (1/r)**6)"), 2 ** (1 / 6)
    for ulps in range(-3, 4):
        r = least * (1 + ulps * 2.0**-52)
        assert abs(f.gradient(r, method=name)[0]) < 1e-12


# --- options ------------------------------------------------------------------------------------------------------


def test_an_unknown_option_is_refused_at_one_point_and_in_a_batch(name: str) -> None:
    for x in (1.0, [[1.0], [2.0]]):
        with pytest.raises(adlab.OptionError, match=f"`{name}` has no option `stepp`"):
            adlab.Function("x**2").gradient(x, method=name, stepp=1e-3)


@pytest.mark.parametrize("method", [*DIFFERENCES, "complex-step"])
def test_a_step_is_one_positive_number(method: str) -> None:
    f = adlab.Function("x**3")
    assert f.gradient(1.0, method=method, step=0.25) != f.gradient(1.0, method=method, step=0.5) or method not in (
        "forward-difference", "backward-difference", "central-difference", "complex-step"
    )  # fmt: skip
    step: Any
    for step in (0, -1e-3, float("nan"), float("inf"), "small", None if method == "complex-step" else [1, 2]):
        with pytest.raises(adlab.OptionError):
            f.gradient(1.0, method=method, step=step)


def test_differences_say_what_they_took() -> None:
    f = adlab.gallery.worked_example()
    point = np.array(f.point)
    for name, evaluations in (("forward-difference", 3), ("backward-difference", 3), ("central-difference", 4)):
        result = METHODS[name](f, point)
        assert result.evaluations >= evaluations - 1
        assert len(result.steps) == f.n
        assert all(step > 0 for step in result.steps)
    assert METHODS["complex-step"](f, point).evaluations == f.n


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "near"), [("revers", "reverse"), ("complex_step", "complex-step"), ("Forward", "forward")])
def test_a_misspelt_name_gets_the_nearest(given: str, near: str) -> None:
    with pytest.raises(adlab.MethodError, match=f"did you mean `{near}`"):
        lookup(given)


@pytest.mark.parametrize("given", [None, 5, ["reverse"], ""])
def test_what_is_no_name_is_refused(given: Any) -> None:
    with pytest.raises(adlab.MethodError, match="there are reverse, forward"):
        adlab.Function("x").gradient(1.0, method=given)


def test_methods_are_chosen_by_names_in_a_text_or_a_sequence() -> None:
    assert list(chosen(None)) == [name for name in NAMES if name != "unrolled"]  # only where there is something to unroll
    assert list(chosen("reverse,forward")) == list(chosen("reverse forward")) == list(chosen(["reverse", "forward"]))
    assert set(chosen("all")) >= set(NAMES) - {"unrolled"}
    assert isinstance(chosen(["reverse"])["reverse"], Method)
    for bad in (5, ["nothing"], "nothing", [["reverse"]]):
        with pytest.raises(adlab.MethodError):
            chosen(bad)
