"""Error against step size: measured branches, fitted slopes, and the theory they are held against."""

from __future__ import annotations

import math

import numpy as np
import pytest
from shares import but_slow

import adlab
from adlab.differences.stencils import SCHEMES
from adlab.report.probe import BITS, Probe
from adlab.report.steps import DEFAULT, envelope, split

CASES = {
    "exp at 1": ("exp(x)", 1.0),
    "sin at 1": ("sin(x)", 1.0),
    "log at 1e-3": ("log(x)", 1e-3),
    "Squire and Trapp": ("exp(x)/sqrt(sin(x)**3 + cos(x)**3)", 1.5),
    "the worked example": ("log((x1 + x2)**2 + sin(x1*x2))", (1.0, 2.0)),
}


@pytest.fixture(scope="module", params=but_slow(CASES, set(CASES) - {"exp at 1"}), ids=str)
def found(request):
    formula, x = CASES[request.param]
    return adlab.steps(formula, x, schemes=SCHEMES, patience=600)


def test_truncation_falls_as_the_order_says(found) -> None:
    """One-sided of order 1 to 4, central of order 2 to 8; every partial."""
    for curve in found.curves:
        assert curve.truncation_slope == pytest.approx(curve.order, abs=0.1), (curve.scheme, curve.variable)


def test_roundoff_rises_as_one_over_h(found) -> None:
    for curve in found.curves:
        assert curve.roundoff_slope == pytest.approx(-1, abs=0.1), (curve.scheme, curve.variable)


def test_the_minimum_is_where_the_theory_has_it(found) -> None:
    for curve in found.curves:
        step, error = curve.best
        assert curve.model.optimal_error / 5 < error < 5 * curve.model.optimal_error, curve.scheme
        assert curve.model.optimal_step / 5 < step < 5 * curve.model.optimal_step, curve.scheme


def test_total_error_is_at_most_the_sum_of_both(found) -> None:
    for curve in found.curves:
        known = ~np.isnan(curve.total)
        assert np.all(curve.total[known] <= (curve.truncation + curve.roundoff)[known] * (1 + 1e-12))


def test_measured_error_stays_below_the_models_envelope(found) -> None:
    """A/h + C hᵖ is a worst case for values of f good to half an ulp; two more ulps are allowed for f's own roundings."""
    for curve in found.curves:
        small = curve.steps < curve.best[0] * 3
        assert np.all(curve.total[small] <= 6 * curve.model.predicted_error(curve.steps[small]))


def test_higher_orders_reach_further_down(found) -> None:
    errors = [found.best[name]["error"] for name in DEFAULT]
    assert errors[0] > errors[1] > errors[2]


def test_every_partial_and_every_output_gets_its_curves() -> None:
    f = adlab.Function(["x*y", "sin(x) + y"])
    found = adlab.steps(f, [1.0, 2.0], schemes=["central-difference"])
    assert {(c.output, c.variable) for c in found.curves} == {(i, v) for i in (0, 1) for v in "xy"}
    only = adlab.steps(f, [1.0, 2.0], variable="y", schemes=["central-difference"])
    assert {c.variable for c in only.curves} == {"y"}


def test_methods_without_a_step_lie_at_the_precision_of_binary64() -> None:
    found = adlab.steps("exp(x)", 1.0, schemes=["forward-difference"])
    assert {method for method, _, _ in found.levels} == {"reverse", "forward", "complex-step"}
    assert all(error < 2 * math.ulp(math.e) for error in found.levels.values())


def test_split_says_which_error_dominates() -> None:
    f = adlab.Function("exp(x)")
    point, truth = np.array([1.0]), adlab.truth(f, 1.0)
    coarse = split(f, point, 0, "forward-difference", 2.0**-4, truth)
    fine = split(f, point, 0, "forward-difference", 2.0**-44, truth)
    assert coarse.truncation > 100 * coarse.roundoff
    assert "truncation holds it back" in coarse.in_words()
    assert fine.roundoff > 100 * fine.truncation
    assert "roundoff holds it back" in fine.in_words()


def test_the_envelope_has_no_lucky_zeros() -> None:
    errors = np.full(60, 1e-8)
    errors[30] = 0.0
    assert np.all(envelope(errors) == 1e-8)


def test_a_kink_has_no_truth_to_measure_by() -> None:
    with pytest.raises(adlab.MethodError, match="no truth"):
        adlab.steps("Abs(x)", 0.0)


@pytest.mark.parametrize("bad", [{"schemes": ["middle"]}, {"variable": "z"}])
def test_unknown_names_are_refused_with_the_known_ones(bad) -> None:
    with pytest.raises(adlab.OptionError, match="there are"):
        adlab.steps("exp(x)", 1.0, **bad)


def test_the_report_as_a_dictionary_and_a_picture() -> None:
    found = adlab.steps("exp(x)", 1.0, schemes=["central-difference"])
    curve = found.to_dict()["curves"][0]
    assert len(curve["steps"]) == len(curve["error"]) > 100
    ax = found.plot()
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert "step" in ax.get_xlabel()


def test_what_is_nothing_but_the_last_bits_has_no_slope() -> None:
    """A difference quotient of 2x has no truncation error, nor has a central one of order 4 of x³."""
    assert adlab.steps("2*x", 1.0, schemes=["central-difference"]).slopes["central-difference"]["truncation"] is None
    cubic = adlab.steps("x**3", 1.3, schemes=["central-difference", "central-difference-4"]).slopes
    assert cubic["central-difference"]["truncation"] == pytest.approx(2, abs=0.01)
    assert cubic["central-difference-4"]["truncation"] is None


def test_points_at_the_ends_of_the_range() -> None:
    found = adlab.steps("log(x)", 1e-300, schemes=["central-difference"])
    assert found.slopes["central-difference"]["truncation"] == pytest.approx(2, abs=0.01)
    assert found.best["central-difference"]["predicted_step"] is None  # f‴ is 2e900
    with pytest.raises(adlab.OverflowedError):
        adlab.steps("exp(x)", 709.9)
    with pytest.raises(adlab.MethodError, match="no step of central-difference gives a finite number"):
        adlab.steps("1/x", 1e-300, schemes=["central-difference"])


def test_bits_are_doubled_only_where_the_errors_of_the_values_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bits: list[int] = []
    made = Probe.__init__
    monkeypatch.setattr(Probe, "__init__", lambda probe, f, point, b=BITS: bits.append(b) or made(probe, f, point, b))
    for text, x, several in (("exp(x)", 1.0, False), ("x + (cos(1e-99*x) - 1)*1e198", 1.0, True)):
        f, point = adlab.Function(text), np.array([x])
        bits.clear()
        assert split(f, point, 0, "central-difference", 2.0**-18, adlab.truth(f, point)) is not None
        assert (len(bits) > 1) == several, text
